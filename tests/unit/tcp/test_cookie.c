/* test_cookie.c - SYN cookies: what comes back of what was sent, and what is not believed */
#include "lib/tcp_world.h"
#include "lib/test.h"
#include "tcp/cookie.h"
#include "tcp/isn.h"
#include "tcp/tstamp.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"

enum { MTU = 1500 };

static const uint32_t irs = 0xfffffff9u;

static struct tcp_tuple tuple_of(uint16_t remote_port)
{
    return (struct tcp_tuple){
        .local_addr = weir_addr_v4(192, 0, 2, 1),
        .remote_addr = weir_addr_v4(192, 0, 2, 2),
        .local_port = 80,
        .remote_port = remote_port,
    };
}

struct exchange {
    struct tcp_world *w;
    struct tcp_tuple tuple;
    struct tcp_halfopen sent; /* the cookie */
    struct tcp_seg ack;       /* its acknowledgement */
};

/* A SYN with these options is answered by a cookie, and that is acknowledged. */
static struct exchange exchange(const struct tcp_options *options)
{
    struct exchange e = {.w = tcp_world_make(), .tuple = tuple_of(1234)};
    struct tcp_seg syn = {.seq = seq_of(irs), .flags = TCP_SYN, .wnd = 5000, .opt = *options};

    halfopen_init(&e.sent, &e.w->env, &e.w->conns[0], &e.tuple, &syn,
                  isn_of(&e.w->env, isn_ends(&e.w->env, &e.tuple)), MTU);
    cookie_make(&e.sent, &e.w->env, isn_ends(&e.w->env, &e.tuple));
    e.ack = (struct tcp_seg){
        .seq = seq_of(irs + 1), .ack = seq_add(e.sent.iss, 1), .flags = TCP_ACK, .wnd = 5000};
    if (options->present & TCP_HAS_TIMESTAMPS) {
        e.ack.opt.present = TCP_HAS_TIMESTAMPS;
        e.ack.opt.ts_val = options->ts_val + 1;
        e.ack.opt.ts_ecr = tstamp_clock(e.w->env.now, e.sent.ts_offset);
    }
    return e;
}

static bool is_taken(const struct exchange *e, struct tcp_halfopen *h)
{
    return cookie_check(&e->w->env, &e->w->conns[0], &e->tuple, &e->ack, MTU, h);
}

TEST(cookie_carries_the_options_of_the_syn_with_timestamps) /* [RFC4987 3.6] */
{
    for (uint8_t scale = 0; scale <= 15; scale++) {
        struct tcp_options o = {.present = TCP_HAS_MSS | TCP_HAS_TIMESTAMPS,
                                .mss = 1460,
                                .ts_val = 77,
                                .window_scale = scale};
        struct exchange e;
        struct tcp_halfopen h;
        if (scale < 15)
            o.present |= TCP_HAS_WINDOW_SCALE;
        e = exchange(&o);
        EXPECT(is_taken(&e, &h));
        EXPECT_EQ(h.agreed.snd_mss, 1460);
        EXPECT(h.agreed.timestamps_ok);
        EXPECT_EQ(h.agreed.wscale_ok, scale < 15);
        EXPECT_EQ(h.agreed.snd_wscale, scale < 15 ? scale : 0);
        EXPECT_EQ(h.agreed.rcv_wscale, e.sent.agreed.rcv_wscale);
        EXPECT_EQ(h.agreed.sack_ok, e.sent.agreed.sack_ok);
        EXPECT_EQ(h.ts_recent, 78);
        EXPECT_EQ(h.irs.raw, irs);
        EXPECT_EQ(h.iss.raw, e.sent.iss.raw);
    }
}

TEST(cookie_without_timestamps_carries_the_mss_alone)
{
    struct tcp_options o = {.present = TCP_HAS_MSS | TCP_HAS_WINDOW_SCALE | TCP_HAS_SACK_PERMITTED,
                            .mss = 1460,
                            .window_scale = 7};
    struct exchange e = exchange(&o);
    struct tcp_halfopen h;

    EXPECT(!e.sent.agreed.wscale_ok); /* and so they are not offered */
    EXPECT(!e.sent.agreed.sack_ok);
    EXPECT(is_taken(&e, &h));
    EXPECT(!h.agreed.timestamps_ok && !h.agreed.wscale_ok && !h.agreed.sack_ok);
    EXPECT_EQ(h.agreed.snd_mss, 1460);
}

TEST(cookie_rounds_the_mss_down)
{
    static const struct {
        uint16_t syn, comes_back;
    } rows[] = {{1, 48},      {100, 48},    {216, 216},   {535, 216},   {536, 536},   {1400, 1360},
                {1459, 1440}, {1460, 1460}, {8939, 1460}, {8940, 8940}, {65535, 8940}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tcp_options o = {.present = TCP_HAS_MSS, .mss = rows[i].syn};
        struct exchange e = exchange(&o);
        struct tcp_halfopen h;
        EXPECT(is_taken(&e, &h));
        EXPECT_EQ(h.agreed.snd_mss, rows[i].comes_back);
    }
}

TEST(cookie_timestamp_is_not_from_the_future)
{
    struct tcp_options o = {
        .present = TCP_HAS_TIMESTAMPS | TCP_HAS_WINDOW_SCALE, .ts_val = 1, .window_scale = 14};

    struct tcp_world *w = tcp_world_make();
    struct tcp_tuple tuple = tuple_of(1234);
    struct tcp_seg syn = {.seq = seq_of(irs), .flags = TCP_SYN, .opt = o};

    for (int i = 0; i < 200; i++) {
        struct tcp_halfopen h;
        int32_t behind_ms;
        halfopen_init(&h, &w->env, &w->conns[0], &tuple, &syn,
                      isn_of(&w->env, isn_ends(&w->env, &tuple)), MTU);
        cookie_make(&h, &w->env, isn_ends(&w->env, &tuple));
        behind_ms = (int32_t)(tstamp_offset_of(isn_ends(&w->env, &tuple)) - h.ts_offset);
        EXPECT(behind_ms >= 0 && behind_ms < 128);
        w->env.now += NS_MS;
    }
}

TEST(cookie_is_good_for_one_to_two_minutes)
{
    struct tcp_options o = {.present = TCP_HAS_MSS, .mss = 1460};

    for (ns_t begin_ns = 0; begin_ns < COOKIE_LIFE_NS; begin_ns += 7 * NS_S) {
        struct exchange e = exchange(&o);
        ns_t start = e.w->env.now;
        struct tcp_halfopen h;
        e.w->env.now = start + begin_ns % (COOKIE_LIFE_NS / 2);
        EXPECT(is_taken(&e, &h));
        e.w->env.now = start + COOKIE_LIFE_NS;
        EXPECT(!is_taken(&e, &h));
        e.w->env.now = start + 1000 * COOKIE_LIFE_NS;
        EXPECT(!is_taken(&e, &h));
        e.w->env.now = start - COOKIE_LIFE_NS / 2; /* from a time to come */
        EXPECT(!is_taken(&e, &h));
    }
}

TEST(cookie_is_bound_to_its_ends_and_numbers)
{
    struct tcp_options o = {.present = TCP_HAS_MSS, .mss = 1460};
    struct exchange e = exchange(&o), changed;
    struct tcp_halfopen h;
    size_t taken = 0;

    changed = e;
    changed.tuple.remote_port++;
    EXPECT(!is_taken(&changed, &h));
    changed = e;
    changed.tuple.local_port++;
    EXPECT(!is_taken(&changed, &h));
    changed = e;
    changed.tuple.remote_addr.b[15]++;
    EXPECT(!is_taken(&changed, &h));
    changed = e;
    changed.tuple.local_addr.b[15]++;
    EXPECT(!is_taken(&changed, &h));
    changed = e;
    changed.ack.seq = seq_add(e.ack.seq, 1);
    EXPECT(!is_taken(&changed, &h));
    for (uint32_t bit = 3; bit < 32; bit++) { /* the lowest three may hit another MSS */
        changed = e;
        changed.ack.ack = seq_of(e.ack.ack.raw ^ 1u << bit);
        EXPECT(!is_taken(&changed, &h));
    }
    for (uint32_t i = 0; i < 100000; i++) { /* a guess is right once in 2^28 times */
        changed = e;
        changed.ack.ack = seq_of(e.ack.ack.raw + 100 + i * 42949u);
        taken += is_taken(&changed, &h);
    }
    EXPECT_EQ(taken, 0);
}

TEST(cookie_of_a_later_syn_of_the_same_ends_is_a_later_number)
{
    struct tcp_options o = {.present = TCP_HAS_MSS, .mss = 1460};
    struct exchange e = exchange(&o);
    seq_t first = e.sent.iss;

    for (int i = 0; i < 20; i++) {
        e.w->env.now += COOKIE_LIFE_NS;
        cookie_make(&e.sent, &e.w->env, isn_ends(&e.w->env, &e.tuple));
        EXPECT(seq_gt(e.sent.iss, first));
        first = e.sent.iss;
    }
}

TEST(cookie_of_a_listener_without_timestamps_forgets_them)
{
    struct tcp_options o = {.present = TCP_HAS_TIMESTAMPS, .ts_val = 1};
    struct exchange e = exchange(&o);
    struct tcp_halfopen h;

    e.w->env.config.timestamps = false; /* an echo of something else, then */
    EXPECT(is_taken(&e, &h));
    EXPECT(!h.agreed.timestamps_ok && !h.agreed.wscale_ok);
}
