/*
 * duo.c - two connections that talk to each other over a link that a test spoils
 */
#include "lib/duo.h"

#include "base/checksum.h"
#include "lib/both_ways.h"
#include "lib/test.h"
#include "tcp/closed.h"
#include "tcp/input.h"
#include "tcp/isn.h"
#include "tcp/listen.h"
#include "tcp/output.h"
#include "tcp/segment.h"
#include "tcp/timers.h"
#include "tcp/tstamp.h"
#include "tcp/user.h"
#include "wire/ip.h"
#include "wire/tcp_options.h"
#include <stdlib.h>
#include <string.h>

enum {
    ROOM = 70000,
    STEPS_MAX = 3000000,
    BURST_MAX = 5000, /* segments of one connection at one instant */
    WRITE_MAX = 65536,
};

/* Where each direction's stream begins in the stream of all bytes. */
static const uint64_t stream_at[2] = {0, 1000003};

static const uint32_t isses[2] = {0xfffffff0u, 0xffff8000u};

static struct isn isn_at(const struct duo *d, const struct tcp_tuple *tuple, int end)
{
    return (struct isn){seq_of(isses[end]), tstamp_offset_of(isn_ends(&d->world->env, tuple))};
}

static struct tcp_tuple tuple_of(int end)
{
    static const uint16_t ports[2] = {40000, 80};

    return (struct tcp_tuple){
        .local_addr = weir_addr_v4(192, 0, 2, (uint8_t)(1 + end)),
        .remote_addr = weir_addr_v4(192, 0, 2, (uint8_t)(2 - end)),
        .local_port = ports[end],
        .remote_port = ports[1 - end],
    };
}

/* ---- the link ---- */

static bool is_lost(struct duo *d, int from, const uint8_t *bytes, size_t len)
{
    struct tcp_header h;

    if (d->flying_count == DUO_FLYING)
        return true;
    if (test_random_below(&d->random, 1000) < d->link.loss_permille)
        return true;
    if (d->link.is_lost == NULL)
        return false;
    EXPECT_EQ(tcp_parse(span_of(bytes, len), len, &h), WHY_NONE);
    return d->link.is_lost(d->link.ctx, from, &h);
}

/* With IPv4's header, and the others' of a super-segment. */
static ns_t departure_at(struct duo *d, int from, size_t len)
{
    ns_t *free_at = &d->free_at[from];

    if (d->link.rate_bytes_s == 0)
        return d->world->env.now;
    *free_at =
        ns_max(*free_at, d->world->env.now) + (ns_t)((len + 20) * NS_S / d->link.rate_bytes_s);
    return *free_at;
}

static ns_t arrival_at(struct duo *d, int from, size_t len)
{
    ns_t jitter_ns = 0;

    if (d->link.jitter_ns > 0)
        jitter_ns = (ns_t)(test_random(&d->random) % (uint64_t)d->link.jitter_ns);
    return departure_at(d, from, len) + d->link.delay_ns + jitter_ns;
}

/* A queue that is long marks what may be marked. */
static uint8_t mark_of(struct duo *d, const struct frame *frame, size_t len)
{
    size_t text_len = len - frame->wire.slices[0].len;
    uint16_t size = frame->wire.gso_size;

    if (frame->ecn == IP_ECN_NOT_ECT
        || test_random_below(&d->random, 1000) >= d->link.marks_permille)
        return frame->ecn;
    d->marked_count += size == 0 ? 1 : (text_len + size - 1) / size;
    return IP_ECN_CE;
}

static void fly(struct duo *d, int from, const uint8_t *bytes, size_t len,
                const struct frame *frame)
{
    struct duo_flying f = {
        .at = arrival_at(d, from, len),
        .to = 1 - from,
        .gso_size = frame->wire.gso_size,
        .len = len,
    };
    size_t i;

    d->sent_count++;
    if (is_lost(d, from, bytes, len)) {
        d->lost_count++;
        return;
    }
    f.mark = mark_of(d, frame, len);
    f.bytes = malloc(len);
    if (f.bytes == NULL)
        FAIL("really out of memory");
    memcpy(f.bytes, bytes, len);
    for (i = d->flying_count; i > 0 && d->flying[i - 1].at > f.at; i--)
        d->flying[i] = d->flying[i - 1];
    d->flying[i] = f;
    d->flying_count++;
}

static void check_checksum(int from, const uint8_t *bytes, size_t len)
{
    struct tcp_tuple t = tuple_of(from);
    uint32_t sum = checksum_pseudo(&t.local_addr, &t.remote_addr, IP_PROTOCOL_TCP, len);

    EXPECT(checksum_is_good(checksum_add(sum, bytes, len)));
}

/* What the link takes, with IPv4's header. */
static void check_len(const struct duo *d, const struct frame *frame, size_t len)
{
    size_t in_one =
        frame->wire.gso_size == 0 ? len : frame->wire.slices[0].len + frame->wire.gso_size;

    EXPECT(in_one + 20 <= d->link.mtu);
}

static void send_frame(struct duo *d, int from, struct frame *frame)
{
    static uint8_t bytes[ROOM];
    struct tcp_sent sent = {frame, d->world->env.now, false};
    size_t len;

    if (frame == NULL) { /* no memory: it is as lost */
        d->lost_count++;
        return;
    }
    if (frame->wire.gso_size == 0)
        frame_finish_checksum(frame);
    len = tcp_sent_flatten(&sent, bytes, sizeof bytes);
    if (frame->wire.gso_size == 0)
        check_checksum(from, bytes, len);
    check_len(d, frame, len);
    fly(d, from, bytes, len, frame);
    if (test_random_below(&d->random, 1000) < d->link.copies_permille)
        fly(d, from, bytes, len, frame);
    frame_put(&d->world->frames, &d->world->bufs, &sent.frame);
}

/* ---- what the stack does ---- */

static void output(struct duo *d, int end)
{
    struct tcp_conn *c = d->ends[end].conn;

    struct tcp_turn turn = {.has_more = true};

    for (int i = 0;; i++) {
        bool had_more = turn.has_more;
        struct frame *frame;
        if (d->world->alloc.fail_at == 0)
            both_ways_check(c, &d->world->env);
        frame = tcp_output(c, &d->world->env, d->link.gso_bytes, &turn);
        tcp_conn_check(c);
        d->is_starved = d->is_starved || turn.no_memory;
        if (frame == NULL)
            return;
        EXPECT(had_more);
        EXPECT(i < BURST_MAX);
        send_frame(d, end, frame);
    }
}

static void settle(struct duo *d, int end)
{
    struct duo_end *e = &d->ends[end];

    tcp_conn_check(e->conn);
    if (e->conn->state != TCP_TIME_WAIT || e->stage != DUO_CONN)
        return;
    e->stage = DUO_TIMEWAIT;
    timewait_init(&e->timewait, e->conn, &d->world->env);
    if (e->conn->work->ack_owed)
        send_frame(d, end, timewait_ack(&e->timewait, &d->world->env));
}

static void answer_by_reset(struct duo *d, int end, const struct tcp_seg *seg)
{
    static const struct tcp_options none;
    struct tcp_tuple tuple = tuple_of(end);
    struct reply reply;

    if (closed_reset(&tuple, seg, &reply))
        send_frame(d, end, segment_build_reply(&d->world->env, &reply, &none));
}

static void to_timewait(struct duo *d, int end, struct tcp_seg *seg)
{
    struct duo_end *e = &d->ends[end];
    enum why why;

    switch (timewait_input(&e->timewait, &d->world->env, seg, &why)) {
    case TIMEWAIT_DROP:
    case TIMEWAIT_REOPEN: break;
    case TIMEWAIT_ACK:
    case TIMEWAIT_RESTART: send_frame(d, end, timewait_ack(&e->timewait, &d->world->env)); break;
    }
}

static void to_conn(struct duo *d, int end, struct tcp_seg *seg)
{
    struct duo_end *e = &d->ends[end];

    if (e->conn->state == TCP_CLOSED) {
        answer_by_reset(d, end, seg);
        return;
    }
    if (e->conn->state == TCP_SYN_SENT)
        (void)both_ways_check_answer(e->conn, &d->world->env, seg);
    tcp_input(e->conn, &d->world->env, seg);
    if (seg->wants_reset)
        answer_by_reset(d, end, seg);
}

static void send_synack(struct duo *d, int end)
{
    send_frame(d, end, halfopen_synack(&d->ends[end].halfopen, &d->world->env, NULL));
}

static void wait_for_ack(struct duo *d, int end)
{
    struct duo_end *e = &d->ends[end];

    send_synack(d, end);
    e->halfopen_at = ns_after(d->world->env.now, halfopen_wait_ns(&e->halfopen, &d->world->env));
}

static void to_listener(struct duo *d, int end, struct tcp_seg *seg)
{
    struct duo_end *e = &d->ends[end];
    struct tcp_tuple tuple = tuple_of(end);
    enum why why;

    switch (listen_input(seg, &why)) {
    case LISTEN_DROP: return;
    case LISTEN_RESET: answer_by_reset(d, end, seg); return;
    case LISTEN_ACCEPT: break;
    }
    halfopen_init(&e->halfopen, &d->world->env, e->conn, &tuple, seg, isn_at(d, &tuple, end),
                  d->link.mtu);
    e->stage = DUO_HALFOPEN;
    wait_for_ack(d, end);
}

static void to_halfopen(struct duo *d, int end, struct tcp_seg *seg)
{
    struct duo_end *e = &d->ends[end];
    enum why why;

    switch (halfopen_input(&e->halfopen, seg, &why)) {
    case HALFOPEN_SYNACK: send_synack(d, end); break;
    case HALFOPEN_ACK: send_frame(d, end, halfopen_ack(&e->halfopen, &d->world->env)); break;
    case HALFOPEN_COMPLETE:
        if (!tcp_open_passively(e->conn, &d->world->env, &e->halfopen, e->conn->user))
            break; /* no memory: the peer will ask again */
        e->stage = DUO_CONN;
        to_conn(d, end, seg);
        break;
    case HALFOPEN_RESET: answer_by_reset(d, end, seg); break;
    case HALFOPEN_ABORTED:
    case HALFOPEN_DROP:
    case HALFOPEN_CLOSED: break;
    }
}

static void expire_halfopen(struct duo *d, int end)
{
    struct duo_end *e = &d->ends[end];

    if (halfopen_expire(&e->halfopen, &d->world->env))
        wait_for_ack(d, end);
    else
        e->stage = DUO_LISTENER;
}

static void input(struct duo *d, int end, struct tcp_seg *seg)
{
    struct duo_end *e = &d->ends[end];

    switch (e->stage) {
    case DUO_LISTENER: to_listener(d, end, seg); break;
    case DUO_HALFOPEN: to_halfopen(d, end, seg); break;
    case DUO_TIMEWAIT: to_timewait(d, end, seg); break;
    case DUO_CONN: to_conn(d, end, seg); break;
    }
    settle(d, end);
}

static void arrive(struct duo *d, struct duo_flying *f)
{
    struct tcp_arrival a = {0};
    struct tcp_header h;
    uint64_t offset;

    EXPECT_EQ(tcp_parse(span_of(f->bytes, f->len), f->len, &h), WHY_NONE);
    offset = stream_at[1 - f->to] + (uint32_t)(h.seq - isses[1 - f->to] - !(h.flags & TCP_SYN));
    tcp_arrival_fill(d->world, &a, offset, (uint32_t)h.payload_len,
                     test_random_below(&d->random, 2) == 0);
    EXPECT_MEM(h.payload.bytes, a.text.bytes + a.seg.text_skip, h.payload_len);
    a.seg.seq = seq_of(h.seq);
    a.seg.ack = seq_of(h.ack);
    a.seg.flags = h.flags;
    a.seg.wnd = h.window;
    a.seg.up = h.urgent;
    a.seg.tos = f->mark;
    if (f->gso_size != 0)
        a.seg.segs = (uint16_t)((h.payload_len + f->gso_size - 1u) / f->gso_size);
    tcp_options_parse(h.options, &a.seg.opt);
    input(d, f->to, &a.seg); /* options stay where they came */
    free(f->bytes);
    tcp_arrival_done(d->world, &a);
}

static void arrive_first(struct duo *d)
{
    struct duo_flying f = d->flying[0];

    d->flying_count--;
    memmove(&d->flying[0], &d->flying[1], d->flying_count * sizeof f);
    arrive(d, &f);
}

/* ---- the applications ---- */

static bool may_write(const struct duo_end *e)
{
    return e->written < e->to_write;
}

static bool may_close(const struct duo_end *e)
{
    return !may_write(e) && !e->has_shut_down && !e->keeps_open && e->conn->state != TCP_CLOSED;
}

static ptrdiff_t write_lent(struct duo *d, struct duo_end *e, uint64_t offset, uint32_t len)
{
    struct weir_slice bytes;
    void *owner = tcp_world_lend(d->world, offset, len, &bytes);
    ptrdiff_t sent = tcp_send_lent(e->conn, &d->world->env, bytes, 0, tcp_world_release, owner);

    if (sent < 0)
        tcp_world_release(owner);
    return sent;
}

static ptrdiff_t write_copied(struct duo *d, struct duo_end *e, uint64_t offset, uint32_t len)
{
    static uint8_t bytes[WRITE_MAX];
    unsigned flags = test_random_below(&d->random, 10) == 0 ? WEIR_SEND_MORE : 0;

    for (uint32_t i = 0; i < len; i++)
        bytes[i] = tcp_world_byte(offset + i);
    return tcp_send(e->conn, &d->world->env, bytes, len, flags);
}

static bool writes(struct duo *d, int end)
{
    struct duo_end *e = &d->ends[end];
    uint32_t max = e->write_max != 0 ? e->write_max : 4000;
    uint32_t len = 1 + test_random_below(&d->random, max);
    ptrdiff_t sent;

    if (!may_write(e))
        return false;
    if (len > e->to_write - e->written)
        len = (uint32_t)(e->to_write - e->written);
    sent = e->lends ? write_lent(d, e, stream_at[end] + e->written, len)
                    : write_copied(d, e, stream_at[end] + e->written, len);
    if (sent <= 0)
        return false;
    e->written += (uint64_t)sent;
    return true;
}

static bool reads(struct duo *d, int end)
{
    static uint8_t bytes[WRITE_MAX];
    struct duo_end *e = &d->ends[end];
    uint32_t max = e->read_max != 0 ? e->read_max : sizeof bytes;
    ptrdiff_t got =
        tcp_recv(e->conn, &d->world->env, bytes, 1 + test_random_below(&d->random, max));

    if (got == 0)
        e->end_was_read = true;
    if (got <= 0)
        return false;
    tcp_world_check_bytes(bytes, (size_t)got, stream_at[1 - end] + e->read);
    e->read += (uint64_t)got;
    EXPECT(e->read <= d->ends[1 - end].written); /* a prefix of what was sent */
    return true;
}

static void run_application(struct duo *d, int end)
{
    struct duo_end *e = &d->ends[end];

    if (e->stage != DUO_CONN && e->stage != DUO_TIMEWAIT)
        return;
    if (e->laziness > 0 && test_random_below(&d->random, e->laziness) != 0)
        return;
    while (writes(d, end))
        ;
    while (reads(d, end) && e->laziness == 0)
        ;
    if (may_close(e))
        e->has_shut_down = tcp_shutdown(e->conn, &d->world->env) == WEIR_OK;
    settle(d, end);
}

/* ---- time ---- */

static bool has_work(const struct duo_end *e)
{
    return (e->conn->work != NULL && e->conn->work->recvq.bytes > 0)
           || (e->conn->fin_received && !e->end_was_read) || (may_close(e) && e->stage == DUO_CONN)
           || (may_write(e) && e->conn->state != TCP_CLOSED);
}

static ns_t deadline(const struct duo_end *e)
{
    return e->stage == DUO_HALFOPEN ? e->halfopen_at : tcp_deadline(e->conn);
}

static void expire(struct duo *d, int end)
{
    if (d->ends[end].stage == DUO_HALFOPEN)
        expire_halfopen(d, end);
    else
        tcp_expire(d->ends[end].conn, &d->world->env);
}

/* A lazy application looks again after a while. */
static ns_t next_at(const struct duo *d)
{
    ns_t at = d->flying_count > 0 ? d->flying[0].at : NEVER;

    if (d->is_starved)
        at = ns_min(at, d->world->env.now + 10 * NS_MS);
    for (int i = 0; i < 2; i++) {
        at = ns_min(at, deadline(&d->ends[i]));
        if (d->ends[i].laziness > 0 && has_work(&d->ends[i]))
            at = ns_min(at, d->world->env.now + 10 * NS_MS);
    }
    return ns_max(at, d->world->env.now);
}

static void step(struct duo *d)
{
    d->is_starved = false;
    while (d->flying_count > 0 && d->flying[0].at <= d->world->env.now)
        arrive_first(d);
    for (int i = 0; i < 2; i++) {
        if (deadline(&d->ends[i]) <= d->world->env.now)
            expire(d, i);
        settle(d, i);
        run_application(d, i);
        output(d, i);
    }
}

bool duo_runs(struct duo *d, ns_t duration_ns)
{
    ns_t end = ns_after(d->world->env.now, duration_ns);

    for (int i = 0;; i++) {
        ns_t at;
        EXPECT(i < STEPS_MAX);
        step(d);
        at = next_at(d);
        if (at == NEVER)
            return true;
        if (at > end) {
            d->world->env.now = end;
            return false;
        }
        d->world->env.now = at;
    }
}

static bool is_end_done(const struct duo_end *e, const struct duo_end *other)
{
    return e->read == other->to_write && e->end_was_read && e->conn->error == WEIR_OK
           && (e->conn->state == TCP_CLOSED || e->conn->state == TCP_TIME_WAIT);
}

bool duo_is_done(const struct duo *d)
{
    return is_end_done(&d->ends[0], &d->ends[1]) && is_end_done(&d->ends[1], &d->ends[0]);
}

void duo_ends(struct duo *d)
{
    for (size_t i = 0; i < d->flying_count; i++)
        free(d->flying[i].bytes);
    d->flying_count = 0;
    free(d->flying);
}

/* ---- opening ---- */

struct duo duo_of(struct duo_link link)
{
    struct duo d = {.world = tcp_world_make(), .link = link, .random = test_seed()};

    d.flying = malloc(DUO_FLYING * sizeof *d.flying);
    if (d.flying == NULL)
        FAIL("really out of memory");
    if (d.link.mtu == 0)
        d.link.mtu = 1500;
    for (int i = 0; i < 2; i++)
        d.ends[i].conn = &d.world->conns[i];
    return d;
}

static void open_end(struct duo *d, int end)
{
    struct tcp_tuple tuple = tuple_of(end);

    d->ends[end].stage = DUO_CONN;
    EXPECT(ends_init(&d->ends[end].conn->ends, &d->world->env, &tuple));
    EXPECT_EQ(tcp_open(d->ends[end].conn, &d->world->env, isn_at(d, &tuple, end), d->link.mtu),
              WEIR_OK);
}

void duo_connects(struct duo *d)
{
    open_end(d, 0);
    d->ends[1].stage = DUO_LISTENER;
}

void duo_connects_at_once(struct duo *d)
{
    open_end(d, 0);
    open_end(d, 1);
}
