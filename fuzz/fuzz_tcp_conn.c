/*
 * fuzz_tcp_conn.c - any segments, calls and steps in time against one connection
 *
 * The input is a program: an operation a byte, its arguments in the bytes that follow. Segments
 * are made from what the connection expects, so that most of them get somewhere. Invariants are
 * checked after every operation; what is read has to be the peer's stream, and at the end
 * all memory and every frame has to be back.
 *
 * It is lived through twice at the same time: by the short ways (tcp/express.h, tcp/express_in.h,
 * tcp/predict.h), and by the long ones alone. After every operation the two connections, and what they
 * have sent, have to be the same; until memory is refused, which each asks for at other times.
 */
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/frame.h"
#include "base/mem.h"
#include "fuzz/expect.h"
#include "fuzz/input.h"
#include "fuzz/lent.h"
#include "fuzz/same.h"
#include "tcp/conn.h"
#include "tcp/express.h"
#include "tcp/express_in.h"
#include "tcp/input.h"
#include "tcp/isn.h"
#include "tcp/listen.h"
#include "tcp/output.h"
#include "tcp/pmtu.h"
#include "tcp/reasm.h"
#include "tcp/seg.h"
#include "tcp/timers.h"
#include "tcp/tstamp.h"
#include "tcp/user.h"
#include "tcp/works.h"
#include "wire/ip.h"
#include "wire/tcp.h"

enum {
    STEPS_MAX = 400,
    KEPT_MAX = 16,
    FRAMES_MAX = 5000, /* of one output: more would be without end */
    HEADERS_LEN = 40,
    SLAB_BYTES = 16 * 1024,
    TEXT_MAX = 20000,
};

static const uint32_t iss = 0xfffffff0u, irs = 0xfffffc00u;

struct run {
    struct input in;
    bool is_short; /* it goes the short ways where it can */
    uint64_t sent; /* a digest of all frames */
    struct lent_memory memory;
    struct mem mem;
    struct bufs bufs;
    struct pool frames;
    struct tracer tracer;
    struct tcp_env env;
    struct tcp_conn conn;
    struct frame *kept[KEPT_MAX];
    size_t kept_count;
    size_t frames_in, lent; /* outstanding */
    bool has_failed;        /* allocations may have */
    uint64_t read;
    bool is_broken; /* the peer's stream was not the same each time: not compared any more */
};

static uint32_t take_many(struct run *r, size_t count)
{
    uint32_t value = 0;

    while (count-- > 0)
        value = value << 8 | take(&r->in);
    return value;
}

/* ---- the world ---- */

static void init_config(struct weir_tcp_config *config, uint32_t bits)
{
    struct weir_config defaults;

    weir_config_init(&defaults);
    *config = defaults.tcp;
    config->send_buffer_bytes = bits & 1 ? 65536 : 3000;
    config->send_buffer_max_bytes = 1 << 20;
    config->recv_buffer_bytes = bits & 2 ? 65536 : 3000;
    config->recv_buffer_max_bytes = bits & 4 ? 1 << 20 : 0;
    config->ecn = bits >> 6 == 3 ? WEIR_ECN_ACCURATE : (enum weir_ecn)(bits >> 6);
    config->window_scaling = bits & 4;
    config->timestamps = bits & 8;
    config->nagle = bits & 16;
    config->congestion_control = cc_at(bits >> 5 & 1)->name;
    config->fastopen_servers = 2;
    config->fastopen_off_ns = 60 * NS_S;
}

static void init(struct run *r)
{
    static const uint32_t sizes[BUF_CLASSES] = {256, 2048, 8192};
    static const uint8_t secret[32] = {1};
    struct weir_allocator allocator = lent_allocator(&r->memory);

    mem_init(&r->mem, &allocator, SIZE_MAX);
    expect(bufs_init(&r->bufs, &r->mem, sizes, SLAB_BYTES));
    expect(pool_init(&r->frames, &r->mem, "frames", sizeof(struct frame), SLAB_BYTES));
    expect(pool_init(&r->env.works, &r->mem, "works", sizeof(struct tcp_work), SLAB_BYTES));
    expect(pool_init(&r->env.pieces, &r->mem, "pieces", sizeof(struct piece), SLAB_BYTES));
    expect(pool_init(&r->env.sents, &r->mem, "sents", sizeof(struct sent), SLAB_BYTES));
    expect(pool_init(&r->env.reasms, &r->mem, "reasms", sizeof(struct reasm), SLAB_BYTES));
    expect(pool_init_handles(&r->env.wide_ends, &r->mem, "ends", sizeof(struct wide_ends),
                             SLAB_BYTES));
    expect(choices_init(&r->env.choices, &r->mem, SLAB_BYTES, (struct siphash_key){5, 6}));
    expect(auths_init(&r->env.auth, &r->mem, SLAB_BYTES, NULL));
    expect(fastopen_init(&r->env.fastopen, &r->mem, SLAB_BYTES, (struct siphash_key){1, 2},
                         (struct siphash_key){3, 4}));
    r->env.now = 1000 * NS_S;
    r->env.frames = &r->frames;
    r->env.bufs = &r->bufs;
    r->env.checksum = checksum_ops_for(0);
    r->env.tracer = &r->tracer;
    rng_init(&r->env.rng, secret, 0);
    init_config(&r->env.config, take_many(r, 1));
    expect(tcp_conn_init(&r->conn, &r->env));
}

static void fini_pool(struct pool *pool)
{
    expect(pool->used == 0);
    pool_fini(pool);
}

static void put_kept(struct run *r)
{
    while (r->kept_count > 0)
        frame_put(&r->frames, &r->bufs, &r->kept[--r->kept_count]);
}

static void fini(struct run *r)
{
    put_kept(r);
    tcp_conn_fini(&r->conn, &r->env);
    fini_pool(&r->frames);
    works_trim(&r->env);
    fini_pool(&r->env.works);
    fini_pool(&r->env.wide_ends);
    fini_pool(&r->env.pieces);
    fini_pool(&r->env.sents);
    fini_pool(&r->env.reasms);
    fastopen_fini(&r->env.fastopen);
    choices_fini(&r->env.choices);
    auths_fini(&r->env.auth);
    for (size_t i = 0; i <= BUF_FOREIGN; i++)
        expect(r->bufs.pools[i].used == 0);
    bufs_fini(&r->bufs);
    expect(r->memory.blocks == 0 && r->frames_in == 0 && r->lent == 0);
}

/* The peer's stream, as a function of the sequence number's distance from irs. */
static uint8_t byte_at(uint32_t offset)
{
    return (uint8_t)(offset * 31 + (offset >> 8));
}

/* ---- segments ---- */

/* A number near one of those that matter. */
static uint32_t number(struct run *r, const uint32_t near[4])
{
    uint32_t how = take_many(r, 1);
    uint32_t base = near[how & 3];

    switch (how >> 2 & 7) {
    case 0:
    case 1:
    case 2: return base;
    case 3: return base + take_many(r, 1);
    case 4: return base - take_many(r, 1);
    case 5: return base + take_many(r, 2);
    case 6: return base - take_many(r, 2);
    default: return take_many(r, 4);
    }
}

static uint16_t text_len(struct run *r)
{
    uint32_t how = take_many(r, 1);

    return how < 100   ? 0
           : how < 200 ? (uint16_t)take_many(r, 1)
                       : (uint16_t)(take_many(r, 2) % TEXT_MAX);
}

/* Blocks near what is under way. */
static void set_sack(struct run *r, struct tcp_options *o)
{
    o->present |= TCP_HAS_SACK;
    o->sack_count = (uint8_t)(1 + take_many(r, 1) % 2);
    for (uint8_t i = 0; i < o->sack_count; i++) {
        o->sack[i].left = r->conn.snd.una.raw + take_many(r, 2) - 1000;
        o->sack[i].right = o->sack[i].left + take_many(r, 2);
    }
}

static void set_options(struct run *r, struct tcp_options *o)
{
    uint32_t bits = take_many(r, 1);

    if (bits & 1) {
        o->present |= TCP_HAS_TIMESTAMPS;
        o->ts_val = r->conn.ts.recent + (take_many(r, 1) ^ 0x80) - 0x80;
        o->ts_ecr = (uint32_t)((uint64_t)r->env.now / NS_MS) + r->conn.ts.offset - take_many(r, 1);
    }
    if (bits & 2) {
        o->present |= TCP_HAS_MSS;
        o->mss = (uint16_t)take_many(r, 2);
    }
    if (bits & 4) {
        o->present |= TCP_HAS_WINDOW_SCALE;
        o->window_scale = (uint8_t)take_many(r, 1);
    }
    if (bits & 8)
        o->present |= TCP_HAS_SACK_PERMITTED;
    if (bits & 16)
        set_sack(r, o);
}

static void make_segment(struct run *r, struct tcp_seg *seg)
{
    const struct tcp_conn *c = &r->conn;
    const uint32_t seqs[4] = {c->rcv.nxt.raw, c->rcv.nxt.raw, c->rcv.nxt.raw + 100,
                              c->state == TCP_SYN_SENT ? irs : c->rcv.irs.raw};
    const uint32_t acks[4] = {c->snd.nxt.raw, c->snd.una.raw, c->snd.una.raw + 536, c->snd.nxt.raw};
    uint32_t how = take_many(r, 1);

    /* Most segments of a connection only acknowledge. */
    seg->flags = how < 128   ? (uint16_t)(TCP_ACK | (how & 14) << 5) /* with ACE */
                 : how < 160 ? TCP_ACK | TCP_FIN
                             : take_many(r, 2) & TCP_FLAGS;
    seg->seq = seq_of(number(r, seqs));
    seg->ack = seq_of(number(r, acks));
    seg->wnd = (uint16_t)(take_many(r, 1) * 257);
    seg->up = seg->flags & TCP_URG ? (uint16_t)take_many(r, 2) : 0;
    seg->segs = (uint16_t)(1 + (how & 1));
    seg->tos = how >> 4 & IP_ECN_MASK;
    set_options(r, &seg->opt);
}

static bool takes_segments(const struct tcp_conn *c)
{
    return c->state != TCP_CLOSED && c->state != TCP_TIME_WAIT;
}

/* As the stack would hand it in the short way (stack/recent.c), if it does. */
static bool is_usual(const struct tcp_seg *seg, struct express_seg *usual)
{
    *usual = (struct express_seg){
        .seq = seg->seq,
        .ack = seg->ack,
        .text = span_of(seg->text->bytes + HEADERS_LEN, seg->len),
        .ts_val = seg->opt.ts_val,
        .ts_ecr = seg->opt.ts_ecr,
        .has_timestamps = seg->opt.present == TCP_HAS_TIMESTAMPS,
        .tos = seg->tos,
        .flags = seg->flags,
        .wnd = seg->wnd,
    };
    return (seg->opt.present & ~TCP_HAS_TIMESTAMPS) == 0 && seg->segs == 1
           && (seg->frame->release == NULL || !tcp_seg_is_worth_keeping(seg->frame, seg->len));
}

static void input(struct run *r, struct tcp_seg *seg)
{
    struct express_seg usual;

    if (!takes_segments(&r->conn))
        return;
    if (!r->is_short)
        tcp_input_by_steps(&r->conn, &r->env, seg);
    else if (!is_usual(seg, &usual)
             || (!express_input(&r->conn, &r->env, &usual)
                 && !express_input_at_end(&r->conn, &r->env, &usual)))
        tcp_input(&r->conn, &r->env, seg);
}

static void hand_in(struct run *r, struct tcp_seg *seg, bool is_owned)
{
    size_t len = HEADERS_LEN + seg->len;
    struct lender *l = lender_begin(&r->frames_in);
    struct weir_frame frame = {.slice_count = 1, .len = len};
    bool is_kept;

    l->bytes[l->count++] = calloc(1, len);
    expect(l->bytes[0] != NULL);
    for (uint32_t i = 0; i < seg->len; i++)
        l->bytes[0][HEADERS_LEN + i] =
            byte_at(seg->seq.raw + i + ((seg->flags & TCP_SYN) != 0) - irs - 1);
    frame.slices[0] = (struct weir_slice){l->bytes[0], len};
    frame.release = is_owned ? lender_release : NULL;
    frame.owner = l;
    seg->frame = &frame;
    seg->text = frame.slices;
    seg->text_count = 1;
    seg->text_skip = HEADERS_LEN;
    input(r, seg);
    is_kept = seg->text_buf != NULL;
    tcp_seg_done(seg, &r->env);
    if (!is_kept)
        lender_release(l);
    /* A peer that chose another number for its SYN has another stream. */
    if (r->conn.rcv.irs.raw != irs)
        r->is_broken = true;
}

static void run_segment(struct run *r)
{
    struct tcp_seg seg = {0};

    make_segment(r, &seg);
    seg.len = text_len(r);
    hand_in(r, &seg, take_many(r, 1) & 1);
}

/* The next one of a peer that says what is expected. */
static void run_usual(struct run *r)
{
    const struct tcp_conn *c = &r->conn;
    uint32_t how = take_many(r, 1), len = take_many(r, 1);
    struct tcp_seg seg = {
        .seq = c->rcv.nxt,
        .ack = how & 1 ? c->snd.nxt : c->snd.una,
        .flags = how & 2 ? TCP_ACK | TCP_PSH : TCP_ACK,
        .len = how & 4 ? len : 0,
        .wnd = how & 8 ? (uint16_t)(len * 257) : UINT16_MAX,
        .segs = 1,
    };

    if (how & 16 && tcp_flight(c) > 0)
        seg.ack = seq_add(c->snd.una, len % tcp_flight(c) + 1);
    if (how & 32)
        seg.flags |= TCP_FIN;
    if (c->agreed.timestamps_ok) {
        seg.opt.present = TCP_HAS_TIMESTAMPS;
        seg.opt.ts_val = c->ts.recent + (how >> 6);
        seg.opt.ts_ecr = tstamp_clock(r->env.now, c->ts.offset) - (how >> 6);
    }
    hand_in(r, &seg, false);
}

/* ---- the other operations ---- */

static void note_frame(struct run *r, const struct frame *frame)
{
    const struct weir_frame *w = &frame->wire;

    r->sent = r->sent * 31 + w->slice_count;
    for (size_t i = 0; i < w->slice_count; i++)
        for (size_t k = 0; k < w->slices[i].len; k++)
            r->sent = r->sent * 31 + w->slices[i].bytes[k];
    r->sent = r->sent * 31 + frame->ecn;
}

/* What has its turn, as the stack gives it one. */
static struct frame *next_frame(struct run *r, uint32_t gso_bytes, struct tcp_turn *turn)
{
    struct frame *frame = r->is_short ? express_output(&r->conn, &r->env, false) : NULL;

    *turn = (struct tcp_turn){.has_more = false};
    if (frame == NULL && r->is_short)
        frame = express_super(&r->conn, &r->env, gso_bytes, turn);
    return frame != NULL ? frame : tcp_output(&r->conn, &r->env, gso_bytes, turn);
}

/* The application has taken its events. Who is silent needs no turn. */
static bool is_silent(struct run *r)
{
    r->conn.events = 0;
    return r->is_short && r->conn.work != NULL && express_is_silent(&r->conn)
           && express_note_silence(&r->conn, &r->env);
}

static void run_output(struct run *r)
{
    uint32_t how = take_many(r, 1);
    uint32_t gso_bytes = how & 1 ? 60000 : 0;
    struct tcp_turn turn = {.has_more = true};

    if (is_silent(r))
        return;
    for (size_t i = 0;; i++) {
        bool had_more = turn.has_more;
        struct frame *frame = next_frame(r, gso_bytes, &turn);
        tcp_conn_check(&r->conn);
        if (frame == NULL)
            return;
        expect(had_more);
        expect(i < FRAMES_MAX);
        frame->wire.gso = WEIR_GSO_NONE;
        frame_finish_checksum(frame); /* touches all bytes */
        note_frame(r, frame);
        if (how & 2 && r->kept_count < KEPT_MAX)
            r->kept[r->kept_count++] = frame;
        else
            frame_put(&r->frames, &r->bufs, &frame);
    }
}

static void run_time(struct run *r)
{
    uint32_t how = take_many(r, 1);
    ns_t deadline = tcp_deadline(&r->conn);

    if (how < 128 && deadline != NEVER)
        r->env.now = ns_max(r->env.now, deadline);
    else
        r->env.now += (ns_t)(how & 7) << (4 * (how >> 3 & 7));
    tcp_expire(&r->conn, &r->env);
}

static void run_send(struct run *r)
{
    static const uint8_t zeros[TEXT_MAX];
    uint32_t len = take_many(r, 2) % TEXT_MAX;
    unsigned flags = take_many(r, 1) & (WEIR_SEND_MORE | WEIR_SEND_URGENT);
    ptrdiff_t sent = tcp_send(&r->conn, &r->env, zeros, len, flags);

    expect(sent <= (ptrdiff_t)len && sent >= WEIR_ENOTSUP);
}

static void run_lend(struct run *r)
{
    uint32_t len = take_many(r, 1) + 1;
    struct lender *l = lender_begin(&r->lent);

    l->bytes[l->count++] = calloc(1, len);
    expect(l->bytes[0] != NULL);
    if (tcp_send_lent(&r->conn, &r->env, (struct weir_slice){l->bytes[0], len}, 0, lender_release,
                      l)
        < 0)
        lender_release(l);
}

static void check_read(struct run *r, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len && !r->is_broken; i++)
        expect(bytes[i] == byte_at((uint32_t)(r->read + i)));
    r->read += len;
}

static void run_recv(struct run *r)
{
    static uint8_t bytes[65536];
    ptrdiff_t got = tcp_recv(&r->conn, &r->env, bytes, take_many(r, 2));

    if (got > 0)
        check_read(r, bytes, (size_t)got);
}

static void run_recv_lent(struct run *r)
{
    struct weir_slice slices[4];
    size_t count, done = take_many(r, 2);
    ptrdiff_t got = tcp_recv_lent(&r->conn, slices, 4, &count);

    if (got <= 0)
        return;
    if (done > slices[0].len)
        done = slices[0].len;
    check_read(r, slices[0].bytes, done);
    expect(tcp_recv_done(&r->conn, &r->env, done) == WEIR_OK);
}

static void run_option(struct run *r)
{
    enum weir_opt opt = (enum weir_opt)(take_many(r, 1) % WEIR_OPT_COUNT);
    int64_t value = take_many(r, 2);
    int64_t now_value;

    if (take_many(r, 1) & 1)
        value *= NS_MS;
    tcp_set(&r->conn, &r->env, opt, value);
    tcp_get(&r->conn, opt, &now_value);
}

static void begin_to_fail(struct run *r)
{
    r->memory.fail_in = take_many(r, 1);
    r->has_failed = true;
}

static void run_end(struct run *r)
{
    struct weir_tcp_info info;

    switch (take_many(r, 1) % 8) {
    case 0: tcp_abort(&r->conn, &r->env); break;
    case 1:
    case 2: tcp_close(&r->conn, &r->env); break;
    case 3:
    case 4: tcp_shutdown(&r->conn, &r->env); break;
    case 5: tcp_set_pmtu(&r->conn, &r->env, 68 + take_many(r, 2)); break;
    case 6: begin_to_fail(r); break;
    default:
        tcp_info(&r->conn, &r->env, &info);
        tcp_urgent(&r->conn);
        put_kept(r);
    }
}

static void (*const operations[])(struct run *) = {
    run_segment,   run_segment, run_segment, run_segment, run_output, run_output,
    run_output,    run_time,    run_time,    run_send,    run_lend,   run_recv,
    run_recv_lent, run_option,  run_end,     run_segment,
};

/* ---- opening ---- */

static void open(struct run *r)
{
    struct tcp_tuple tuple = {
        .local_addr = weir_addr_v4(192, 0, 2, 1),
        .remote_addr = weir_addr_v4(192, 0, 2, 2),
        .local_port = 1000,
        .remote_port = 2000,
    };
    uint32_t how = take_many(r, 1);
    uint32_t mtu = how & 2 ? 1500 : 68 + take_many(r, 2);
    struct tcp_seg syn = {
        .seq = seq_of(irs), .flags = (uint16_t)(TCP_SYN | (how & 28) << 4), .segs = 1, .wnd = 5000};
    struct tcp_halfopen halfopen;
    struct isn isn = {seq_of(iss), tstamp_offset_of(isn_ends(&r->env, &tuple))};
    const struct tcp_user *user = r->conn.user;

    set_options(r, &syn.opt);
    if (how & 1) {
        halfopen_init(&halfopen, &r->env, &r->conn, &tuple, &syn, isn, mtu);
        expect(tcp_open_passively(&r->conn, &r->env, &halfopen, user));
        timers_on_sent(&r->conn, &r->env, true); /* what comes next need not complete it */
    } else {
        expect(ends_init(&r->conn.ends, &r->env, &tuple));
        expect(tcp_open(&r->conn, &r->env, isn, mtu) == WEIR_OK);
    }
}

static void run_next(struct run *r)
{
    enum { USUAL_FROM = 224 };
    uint32_t which = take_many(r, 1);

    if (which >= USUAL_FROM)
        run_usual(r);
    else
        operations[which % (sizeof operations / sizeof *operations)](r);
    tcp_conn_check(&r->conn);
}

static void compare(const struct run *a, const struct run *b)
{
    if (a->has_failed || b->has_failed)
        return;
    expect(a->in.len == b->in.len && a->env.now == b->env.now && a->read == b->read);
    expect(a->sent == b->sent);
    expect_same(&a->env.counts, &b->env.counts, sizeof a->env.counts);
    same_conn(&a->conn, &b->conn, a->env.now);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct run runs[2];

    for (int i = 0; i < 2; i++) {
        runs[i] = (struct run){.in = {bytes, len}, .is_short = i == 0};
        init(&runs[i]);
        open(&runs[i]);
    }
    for (int i = 0; i < STEPS_MAX && runs[0].in.len > 0; i++) {
        run_next(&runs[0]);
        run_next(&runs[1]);
        compare(&runs[0], &runs[1]);
    }
    fini(&runs[0]);
    fini(&runs[1]);
    return 0;
}
