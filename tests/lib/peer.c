/*
 * peer.c - a test holds a conversation with one connection
 */
#include "lib/peer.h"

#include "base/checksum.h"
#include "format/seg_text.h"
#include "lib/both_ways.h"
#include "lib/test.h"
#include "tcp/closed.h"
#include "tcp/express.h"
#include "tcp/express_in.h"
#include "tcp/input.h"
#include "tcp/isn.h"
#include "tcp/output.h"
#include "tcp/predict.h"
#include "tcp/segment.h"
#include "tcp/timers.h"
#include "tcp/tstamp.h"
#include "wire/ip.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PORT_OURS = 49152,
    PORT_PEERS = 80,
    ROOM = 70000, /* for any frame */
    STEPS_MAX = 100000,
};

static const struct seg_origin peers_origin = {PEER_IRS, PEER_ISS};
static const struct seg_origin our_origin = {PEER_ISS, PEER_IRS};

/* ---- what the stack does for a connection ---- */

static void add_sent(struct peer *p, struct frame *frame, bool is_resent)
{
    EXPECT(frame != NULL);
    tcp_sents_add(&p->world->sent, (struct tcp_sent){frame, p->env->now, is_resent});
}

static void check(const struct peer *p)
{
    tcp_conn_check(p->conn);
}

/*
 * A connection that says it has no more to send has not, and being asked changes nothing but that nothing is
 * known of it any more, which is put back.
 */
static void check_has_said_all(struct peer *p)
{
    struct tcp_conn conn = *p->conn;
    struct tcp_work work = *p->conn->work;
    struct tcp_turn turn;

    EXPECT(tcp_output(p->conn, p->env, p->gso_bytes, &turn) == NULL);
    p->conn->work->is_calm = work.is_calm;
    EXPECT(memcmp(&conn, p->conn, sizeof conn) == 0);
    EXPECT(memcmp(&work, p->conn->work, sizeof work) == 0);
}

/* Lets the connection send its next segment, if it has one. */
static bool output(struct peer *p)
{
    struct tcp_turn turn;
    struct frame *frame;

    if (p->stage != PEER_CONN)
        return false;
    if (p->world->alloc.fail_at == 0)
        both_ways_check(p->conn, p->env);
    frame = express_output(p->conn, p->env, false);
    turn = (struct tcp_turn){0};
    if (frame == NULL && p->gso_bytes > 0)
        frame = express_super(p->conn, p->env, p->gso_bytes, &turn);
    p->sent_short += frame != NULL;
    if (frame == NULL)
        frame = tcp_output(p->conn, p->env, p->gso_bytes, &turn);
    check(p);
    if (frame == NULL)
        return false;
    if (!turn.has_more)
        check_has_said_all(p);
    add_sent(p, frame, turn.is_resent);
    return true;
}

static void output_all(struct peer *p)
{
    while (output(p))
        ;
}

static void answer_by_reset(struct peer *p, const struct tcp_seg *seg)
{
    static const struct tcp_options none;
    struct reply reply;

    if (closed_reset(&p->tuple, seg, &reply))
        add_sent(p, segment_build_reply(p->env, &reply, &none), false);
}

static void enter_timewait(struct peer *p)
{
    p->stage = PEER_TIMEWAIT;
    timewait_init(&p->timewait, p->conn, p->env);
    p->record_at = ns_after(p->env->now, 2 * p->env->config.msl_ns);
    if (p->conn->work->ack_owed)
        add_sent(p, timewait_ack(&p->timewait, p->env), false);
}

static void settle(struct peer *p)
{
    check(p);
    if (p->stage != PEER_CONN)
        return;
    if (p->conn->state == TCP_TIME_WAIT)
        enter_timewait(p);
}

/* A reset may still be owed when the state is CLOSED; then the ends are free. */
static bool has_connection(const struct peer *p)
{
    return p->stage == PEER_CONN && p->conn->state != TCP_CLOSED;
}

static void wait_for_ack(struct peer *p)
{
    add_sent(p, halfopen_synack(&p->halfopen, p->env, NULL), p->halfopen.retries > 0);
    p->record_at = ns_after(p->env->now, halfopen_wait_ns(&p->halfopen, p->env));
}

static struct isn isn_at(const struct peer *p, uint32_t iss)
{
    return (struct isn){seq_of(iss), tstamp_offset_of(isn_ends(p->env, &p->tuple))};
}

static enum why to_listener(struct peer *p, struct tcp_seg *seg)
{
    enum why why;

    switch (listen_input(seg, &why)) {
    case LISTEN_DROP: break;
    case LISTEN_RESET: answer_by_reset(p, seg); break;
    case LISTEN_ACCEPT:
        halfopen_init(&p->halfopen, p->env, p->conn, &p->tuple, seg, isn_at(p, PEER_ISS),
                      p->setup.mtu);
        p->stage = PEER_HALFOPEN;
        wait_for_ack(p);
        break;
    }
    return why;
}

/* The record becomes a connection, as in the stack. */
static bool make_conn(struct peer *p, const struct tcp_seg *seg)
{
    if (p->goes_by_steps || trace_is_on(p->env->tracer) || !halfopen_is_usual(&p->halfopen))
        return tcp_open_passively(p->conn, p->env, &p->halfopen, p->conn->user);
    if (p->world->alloc.fail_at == 0)
        both_ways_check_open(p->conn, p->env, &p->halfopen, seg);
    return tcp_open_acknowledged(p->conn, p->env, &p->halfopen, p->conn->user, seg);
}

static enum why complete(struct peer *p, struct tcp_seg *seg)
{
    enum why why;

    if (!make_conn(p, seg))
        return WHY_NO_MEMORY;
    p->stage = PEER_CONN;
    why = tcp_complete(p->conn, p->env, seg);
    EXPECT(!seg->wants_reset);
    return why;
}

static enum why to_halfopen(struct peer *p, struct tcp_seg *seg)
{
    enum why why;

    switch (halfopen_input(&p->halfopen, seg, &why)) {
    case HALFOPEN_DROP: break;
    case HALFOPEN_SYNACK: add_sent(p, halfopen_synack(&p->halfopen, p->env, NULL), true); break;
    case HALFOPEN_ACK: add_sent(p, halfopen_ack(&p->halfopen, p->env), false); break;
    case HALFOPEN_RESET: answer_by_reset(p, seg); break;
    case HALFOPEN_ABORTED:
        answer_by_reset(p, seg);
        p->stage = PEER_LISTENER;
        break;
    case HALFOPEN_CLOSED: p->stage = PEER_LISTENER; break;
    case HALFOPEN_COMPLETE: return complete(p, seg);
    }
    return why;
}

static enum why to_timewait(struct peer *p, struct tcp_seg *seg)
{
    enum why why;

    switch (timewait_input(&p->timewait, p->env, seg, &why)) {
    case TIMEWAIT_DROP: break;
    case TIMEWAIT_RESTART:
        p->record_at = ns_after(p->env->now, 2 * p->env->config.msl_ns);
        add_sent(p, timewait_ack(&p->timewait, p->env), false);
        break;
    case TIMEWAIT_ACK: add_sent(p, timewait_ack(&p->timewait, p->env), false); break;
    case TIMEWAIT_REOPEN: p->stage = PEER_LISTENER; break;
    }
    return why;
}

static void count_expected(struct peer *p, const struct tcp_seg *seg)
{
    if (!predict_is_expected(p->conn, p->env, seg))
        return;
    p->expected++;
    p->calm += seq_gt(seg->ack, p->conn->snd.una) && recovery_is_calm(p->conn);
}

/* What express_input is told of it; false: it has no options or text as it wants them. */
static bool fill_express(const struct tcp_seg *seg, struct express_seg *usual)
{
    *usual = (struct express_seg){
        .seq = seg->seq,
        .ack = seg->ack,
        .text = tcp_seg_run_to_copy(seg),
        .ts_val = seg->opt.ts_val,
        .ts_ecr = seg->opt.ts_ecr,
        .has_timestamps = seg->opt.present & TCP_HAS_TIMESTAMPS,
        .tos = seg->tos,
        .flags = seg->flags,
        .wnd = seg->wnd,
    };
    return (seg->opt.present & ~TCP_HAS_TIMESTAMPS) == 0 && seg->segs == 1
           && usual->text.len == seg->len;
}

static bool takes_short_way(struct peer *p, struct tcp_seg *seg)
{
    struct express_seg usual;

    if (p->goes_by_steps || !fill_express(seg, &usual))
        return false;
    p->compared += both_ways_check_input(p->conn, p->env, &usual, seg);
    if (!express_input(p->conn, p->env, &usual) && !express_input_at_end(p->conn, p->env, &usual))
        return false;
    p->taken_short++;
    return true;
}

static enum why to_conn(struct peer *p, struct tcp_seg *seg)
{
    enum why why;

    count_expected(p, seg);
    if (takes_short_way(p, seg))
        return WHY_NONE;
    if (!p->goes_by_steps && p->conn->state == TCP_SYN_SENT)
        p->answered_short += both_ways_check_answer(p->conn, p->env, seg);
    why = p->goes_by_steps ? tcp_input_by_steps(p->conn, p->env, seg)
                           : tcp_input(p->conn, p->env, seg);
    if (seg->wants_reset)
        answer_by_reset(p, seg);
    return why;
}

static enum why input(struct peer *p, struct tcp_seg *seg)
{
    switch (p->stage) {
    case PEER_LISTENER: return to_listener(p, seg);
    case PEER_HALFOPEN: return to_halfopen(p, seg);
    case PEER_TIMEWAIT: return to_timewait(p, seg);
    case PEER_CONN:
        if (has_connection(p))
            return to_conn(p, seg);
        break;
    case PEER_NOBODY: break;
    }
    answer_by_reset(p, seg);
    return WHY_TCP_NO_CONN;
}

static void expire_record(struct peer *p)
{
    if (p->stage == PEER_HALFOPEN && halfopen_expire(&p->halfopen, p->env))
        wait_for_ack(p);
    else
        p->stage = p->stage == PEER_HALFOPEN ? PEER_LISTENER : PEER_NOBODY;
}

static ns_t deadline(const struct peer *p)
{
    if (p->stage == PEER_HALFOPEN || p->stage == PEER_TIMEWAIT)
        return p->record_at;
    return p->stage == PEER_CONN ? tcp_deadline(p->conn) : NEVER;
}

static void expire(struct peer *p)
{
    if (p->stage == PEER_CONN)
        tcp_expire(p->conn, p->env);
    else
        expire_record(p);
    settle(p);
}

/* ---- the conversation ---- */

static struct seg_text parsed(const char *text, const struct seg_origin *origin)
{
    struct seg_error error;
    struct seg_text seg;

    if (!seg_text_parse(text, origin, &seg, &error))
        FAIL("\"%s\": at %zu: %s", text, error.at, error.text);
    return seg;
}

static const char *const marks[] = {
    [IP_ECN_NOT_ECT] = "[noecn] ",
    [IP_ECN_ECT1] = "[ect1] ",
    [IP_ECN_ECT0] = "[ect0] ",
    [IP_ECN_CE] = "[ce] ",
};

/* Takes the mark off the text: an enum ip_ecn, or -1 if there is none. */
static int take_mark(const char **text)
{
    for (int i = 0; i < (int)(sizeof marks / sizeof *marks); i++)
        if (strncmp(*text, marks[i], strlen(marks[i])) == 0) {
            *text += strlen(marks[i]);
            return i;
        }
    return -1;
}

enum why peer_sends(struct peer *p, const char *text)
{
    int mark = take_mark(&text);
    struct seg_text t = parsed(text, &peers_origin);
    struct tcp_arrival a = {0};
    uint64_t offset = (uint64_t)t.seq - PEER_IRS - !(t.flags & TCP_SYN);
    enum why why;

    tcp_arrival_fill(p->world, &a, (uint32_t)offset, t.len, !p->setup.lends_frames);
    a.seg.seq = seq_of(t.seq);
    a.seg.ack = seq_of(t.ack);
    a.seg.flags = t.flags;
    a.seg.tos = mark >= 0 ? (uint8_t)mark : IP_ECN_NOT_ECT;
    a.seg.wnd = t.says & SEG_SAYS_WINDOW ? t.window : p->setup.window;
    a.seg.up = t.urgent;
    tcp_options_parse(span_of(t.options, t.options_len), &a.seg.opt);
    why = input(p, &a.seg);
    tcp_arrival_done(p->world, &a);
    settle(p);
    return why;
}

static void check_checksum(const struct peer *p, const uint8_t *bytes, size_t len)
{
    uint32_t sum =
        checksum_pseudo(&p->tuple.local_addr, &p->tuple.remote_addr, IP_PROTOCOL_TCP, len);

    EXPECT(checksum_is_good(checksum_add(sum, bytes, len)));
}

static void note_timestamps(struct peer *p, struct span options)
{
    struct tcp_options o;

    tcp_options_parse(options, &o);
    EXPECT(!o.malformed);
    p->seen_cookie_is_experimental = o.fastopen_is_experimental;
    p->seen_cookie_len = o.present & TCP_HAS_FASTOPEN ? (int)o.fastopen.len : -1;
    p->seen_ts_val = o.present & TCP_HAS_TIMESTAMPS ? o.ts_val : 0;
    p->seen_ts_ecr = o.present & TCP_HAS_TIMESTAMPS ? o.ts_ecr : 0;
}

static void look_at(struct peer *p, struct tcp_sent *sent, struct seg_text *seen)
{
    static uint8_t bytes[ROOM];
    struct tcp_header h;
    size_t len;

    p->seen_gso_size = sent->frame->wire.gso_size;
    if (p->seen_gso_size == 0)
        frame_finish_checksum(sent->frame);
    len = tcp_sent_flatten(sent, bytes, sizeof bytes);
    if (p->seen_gso_size == 0)
        check_checksum(p, bytes, len);
    EXPECT_EQ(tcp_parse(span_of(bytes, len), len, &h), WHY_NONE);
    EXPECT_EQ(h.src_port, p->tuple.local_port);
    EXPECT_EQ(h.dst_port, p->tuple.remote_port);
    EXPECT_EQ(h.reserved, 0);
    *seen = seg_text_of(&h);
    tcp_world_check_bytes(h.payload.bytes, h.payload_len,
                          (uint32_t)(h.seq - PEER_ISS - !(h.flags & TCP_SYN)));
    note_timestamps(p, h.options);
    p->seen_at = sent->at;
    p->seen_resent = sent->is_resent;
    p->seen_mark = sent->frame->ecn;
    if (p->keeps_frames)
        tcp_sents_add(&p->world->kept, *sent);
    else
        frame_put(&p->world->frames, &p->world->bufs, &sent->frame);
}

static bool see(struct peer *p, struct seg_text *seen)
{
    struct tcp_sent sent;

    if (p->world->sent.count == 0 && !output(p))
        return false;
    sent = tcp_sents_take(&p->world->sent);
    look_at(p, &sent, seen);
    return true;
}

static void expect_same(const char *wanted, const struct seg_text *want,
                        const struct seg_text *seen)
{
    const char *difference = seg_text_differs(want, seen);
    char text[SEG_TEXT_MAX];

    if (difference == NULL)
        return;
    seg_text_emit(seen, &our_origin, text, sizeof text);
    FAIL("%s: wanted \"%s\", saw \"%s\"", difference, wanted, text);
}

void peer_sees(struct peer *p, const char *text)
{
    int mark = take_mark(&text);
    struct seg_text want = parsed(text, &our_origin), seen;

    if (!see(p, &seen))
        FAIL("wanted \"%s\", saw nothing", text);
    expect_same(text, &want, &seen);
    if (mark >= 0 && p->seen_mark != mark)
        FAIL("wanted %s\"%s\", saw it with %s", marks[mark], text, marks[p->seen_mark]);
}

void peer_sees_nothing(struct peer *p)
{
    struct seg_text seen;
    char text[SEG_TEXT_MAX];

    if (!see(p, &seen))
        return;
    seg_text_emit(&seen, &our_origin, text, sizeof text);
    FAIL("wanted nothing, saw \"%s\"", text);
}

bool peer_skips_one(struct peer *p)
{
    struct seg_text seen;

    return see(p, &seen);
}

size_t peer_skips(struct peer *p)
{
    size_t count = 0;

    while (peer_skips_one(p))
        count++;
    return count;
}

void peer_waits(struct peer *p, ns_t duration_ns)
{
    ns_t end = ns_after(p->env->now, duration_ns);

    output_all(p);
    for (int i = 0; deadline(p) <= end; i++) {
        EXPECT(i < STEPS_MAX);
        p->env->now = ns_max(p->env->now, deadline(p));
        expire(p);
        output_all(p);
    }
    p->env->now = end;
}

ns_t peer_waits_for_frame(struct peer *p)
{
    ns_t start = p->env->now;

    output_all(p);
    for (int i = 0; p->world->sent.count == 0; i++) {
        EXPECT(i < STEPS_MAX);
        if (deadline(p) == NEVER)
            return NEVER;
        p->env->now = ns_max(p->env->now, deadline(p));
        expire(p);
        output_all(p);
    }
    return p->env->now - start;
}

void peer_writes_flagged(struct peer *p, uint32_t len, unsigned flags)
{
    uint8_t *bytes = malloc(len);

    if (bytes == NULL)
        FAIL("really out of memory");
    for (uint32_t i = 0; i < len; i++)
        bytes[i] = tcp_world_byte(p->written + i);
    EXPECT_EQ(tcp_send(p->conn, p->env, bytes, len, flags), len);
    free(bytes);
    p->written += len;
    check(p);
}

void peer_writes(struct peer *p, uint32_t len)
{
    peer_writes_flagged(p, len, 0);
}

void peer_lends(struct peer *p, uint32_t len)
{
    struct weir_slice bytes;
    void *owner = tcp_world_lend(p->world, p->written, len, &bytes);

    EXPECT_EQ(tcp_send_lent(p->conn, p->env, bytes, 0, tcp_world_release, owner), len);
    p->written += len;
    check(p);
}

ptrdiff_t peer_reads(struct peer *p, uint32_t len)
{
    uint8_t *bytes = malloc(len);
    ptrdiff_t got;

    if (bytes == NULL)
        FAIL("really out of memory");
    got = tcp_recv(p->conn, p->env, bytes, len);
    if (got > 0) {
        tcp_world_check_bytes(bytes, (size_t)got, p->read);
        p->read += (uint64_t)got;
    }
    free(bytes);
    check(p);
    return got;
}

unsigned peer_takes_events(struct peer *p)
{
    unsigned events = p->conn->events;

    p->conn->events = 0;
    return events;
}

/* ---- from CLOSED to any state ---- */

enum tcp_state peer_state(const struct peer *p)
{
    switch (p->stage) {
    case PEER_NOBODY: return TCP_CLOSED;
    case PEER_LISTENER: return TCP_LISTEN;
    case PEER_HALFOPEN: return TCP_SYN_RECEIVED;
    case PEER_TIMEWAIT: return TCP_TIME_WAIT;
    case PEER_CONN: break;
    }
    return (enum tcp_state)p->conn->state;
}

void peer_opens(struct peer *p)
{
    EXPECT(ends_init(&p->conn->ends, p->env, &p->tuple));
    EXPECT_EQ(tcp_open(p->conn, p->env, isn_at(p, PEER_ISS), p->setup.mtu), WEIR_OK);
    p->stage = PEER_CONN;
    check(p);
}

/* The test's SYN or SYN-ACK, with the options of the set-up. */
static void send_syn(struct peer *p, const char *what)
{
    char text[SEG_TEXT_MAX];

    snprintf(text, sizeof text, "%s <%s>", what, p->setup.options);
    EXPECT_EQ(peer_sends(p, text), WHY_NONE);
}

static void shut_down(struct peer *p)
{
    EXPECT_EQ(tcp_shutdown(p->conn, p->env), WEIR_OK);
}

void peer_brings_to(struct peer *p, enum tcp_state state)
{
    switch (state) {
    case TCP_CLOSED: break;
    case TCP_LISTEN: p->stage = PEER_LISTENER; break;
    case TCP_SYN_SENT:
        peer_opens(p);
        peer_sees(p, "S 0:0(0) <...>");
        break;
    case TCP_SYN_RECEIVED:
        peer_brings_to(p, TCP_SYN_SENT);
        send_syn(p, "S 0:0(0)");
        peer_sees(p, "S. 0:0(0) ack 1 <...>");
        break;
    case TCP_ESTABLISHED:
        peer_brings_to(p, TCP_SYN_SENT);
        peer_waits(p, PEER_RTT_NS);
        send_syn(p, "S. 0:0(0) ack 1");
        peer_sees(p, ". 1:1(0) ack 1 <...>");
        break;
    case TCP_FIN_WAIT_1:
        peer_brings_to(p, TCP_ESTABLISHED);
        shut_down(p);
        peer_sees(p, "F. 1:1(0) ack 1 <...>");
        break;
    case TCP_FIN_WAIT_2:
        peer_brings_to(p, TCP_FIN_WAIT_1);
        peer_sends(p, ". 1:1(0) ack 2");
        break;
    case TCP_CLOSE_WAIT:
        peer_brings_to(p, TCP_ESTABLISHED);
        peer_sends(p, "F. 1:1(0) ack 1");
        peer_sees(p, ". 1:1(0) ack 2 <...>");
        break;
    case TCP_CLOSING:
        peer_brings_to(p, TCP_FIN_WAIT_1);
        peer_sends(p, "F. 1:1(0) ack 1");
        peer_sees(p, ". 2:2(0) ack 2 <...>");
        break;
    case TCP_LAST_ACK:
        peer_brings_to(p, TCP_CLOSE_WAIT);
        shut_down(p);
        peer_sees(p, "F. 1:1(0) ack 2 <...>");
        break;
    case TCP_TIME_WAIT:
        peer_brings_to(p, TCP_FIN_WAIT_2);
        peer_sends(p, "F. 1:1(0) ack 2");
        peer_sees(p, ". 2:2(0) ack 2 <...>");
        break;
    }
    peer_sees_nothing(p);
    p->conn->events = 0;
    EXPECT_EQ(peer_state(p), state);
}

static struct tcp_tuple tuple_of(bool is_v6)
{
    static const struct weir_addr v6[2] = {
        {{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
        {{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}},
    };

    return (struct tcp_tuple){
        .local_addr = is_v6 ? v6[0] : weir_addr_v4(192, 0, 2, 1),
        .remote_addr = is_v6 ? v6[1] : weir_addr_v4(192, 0, 2, 2),
        .local_port = PORT_OURS,
        .remote_port = PORT_PEERS,
    };
}

struct peer peer_with(enum tcp_state state, struct peer_setup setup)
{
    struct peer p = {.world = tcp_world_make(), .setup = setup, .tuple = tuple_of(setup.is_v6)};

    p.conn = &p.world->conns[0];
    p.env = &p.world->env;
    if (p.setup.options == NULL)
        p.setup.options = "mss 1460";
    if (p.setup.window == 0)
        p.setup.window = UINT16_MAX;
    if (p.setup.mtu == 0)
        p.setup.mtu = PEER_MTU;
    peer_brings_to(&p, state);
    return p;
}

struct peer peer_of(enum tcp_state state)
{
    return peer_with(state, (struct peer_setup){0});
}
