/* test_congestion.c - congestion controls of real stacks over a link of a simulated world */
#include "lib/test.h"
#include <string.h>
#include <weir/sim.h>
#include <weir/tcp.h>
#include <weir/trace.h>

enum { RATE_BITS_S = 20000000, PHASES = 64 };

/* A host that sends as much as it can, and one that reads it. */
struct bulk {
    struct weir_sim *sim;
    weir_sim_node_t from, to;
    weir_sim_link_t link;
    weir_listener_t listener;
    weir_conn_t sending, receiving;
    uint64_t received;
    const char *phases[PHASES]; /* in their order, each where another ends */
    size_t phase_count;
};

static weir_sim_node_t host(struct weir_sim *sim, const char *algorithm)
{
    struct weir_config config;
    weir_sim_node_t node = 0;

    weir_config_init(&config);
    config.tcp.congestion_control = algorithm;
    config.tcp.send_buffer_bytes = config.tcp.recv_buffer_bytes = 4 << 20;
    EXPECT_EQ(weir_sim_node_add(sim, &(struct weir_sim_node_config){.config = &config}, &node), 0);
    return node;
}

static void pump(void *ctx, uint64_t argument)
{
    static uint8_t bytes[65536];
    struct bulk *b = ctx;
    struct weir *to = weir_sim_stack(b->sim, b->to);
    ptrdiff_t len;

    while (weir_send(weir_sim_stack(b->sim, b->from), b->sending, bytes, sizeof bytes, 0) > 0)
        ;
    if (b->receiving == 0)
        (void)weir_accept(to, b->listener, &b->receiving);
    while (b->receiving != 0 && (len = weir_recv(to, b->receiving, bytes, sizeof bytes)) > 0)
        b->received += (uint64_t)len;
    EXPECT_EQ(weir_sim_at(b->sim, weir_sim_now(b->sim) + WEIR_MS, pump, b, argument), 0);
}

/* Takes note of what is told with a congestion window, if it begins with a capital letter. */
static void note_phase(void *ctx, const struct weir_trace *trace)
{
    struct bulk *b = ctx;

    if (trace->kind != WEIR_TRACE_CWND || trace->text[0] < 'A' || trace->text[0] > 'Z')
        return;
    if (b->phase_count < PHASES)
        b->phases[b->phase_count++] = trace->text;
}

/* 20 ms, and the queue that is given. */
static void start(struct bulk *b, const char *algorithm, struct weir_sim_queue_config queue)
{
    struct weir_sim_link_config there = {.rate_bits_s = RATE_BITS_S, .delay_ns = 10 * WEIR_MS};
    struct weir_sim_link_config back = {.delay_ns = 10 * WEIR_MS};
    struct weir_endpoint at = {.port = 80};

    *b = (struct bulk){.phase_count = 0};
    there.queue = queue;
    EXPECT_EQ(weir_sim_create(1, &b->sim), 0);
    b->from = host(b->sim, algorithm);
    b->to = host(b->sim, algorithm);
    EXPECT_EQ(weir_sim_link_add(b->sim, b->from, b->to, &there, &back, &b->link), 0);
    EXPECT_EQ(weir_listen(weir_sim_stack(b->sim, b->to), &at, 1, &b->listener), 0);
    weir_trace_set(weir_sim_stack(b->sim, b->from), note_phase, b);
    at.addr = weir_sim_addr(b->sim, b->to, false);
    EXPECT_EQ(weir_connect(weir_sim_stack(b->sim, b->from), NULL, &at, &b->sending), 0);
    EXPECT_EQ(weir_sim_at(b->sim, 0, pump, b, 0), 0);
}

/* What was received in that time, as a share of what the link can take: 1448 bytes of 1500. */
static double share_until(struct bulk *b, weir_ns_t until)
{
    double seconds = (double)(until - weir_sim_now(b->sim)) / 1e9;
    uint64_t before = b->received;

    weir_sim_run(b->sim, until);
    return (double)(b->received - before) * 8 * 1500 / 1448 / (seconds * RATE_BITS_S);
}

static void end(struct bulk *b)
{
    EXPECT_EQ(weir_sim_destroy(&b->sim), 0);
}

TEST(congestion_bbr_tells_of_its_phases) /* [BBR 5.3] */
{
    static const char *const phases[] = {"Startup",        "Drain",      "ProbeBW CRUISE",
                                         "ProbeBW REFILL", "ProbeBW UP", "ProbeBW DOWN",
                                         "ProbeBW CRUISE"};
    struct bulk b;
    bool probed_rtt = false;

    start(&b, "bbr", (struct weir_sim_queue_config){.limit_bytes = 50000});
    EXPECT(share_until(&b, 2 * WEIR_S) > 0.8);
    EXPECT(share_until(&b, 8 * WEIR_S) > 0.95);
    for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++) {
        EXPECT(i < b.phase_count);
        EXPECT_STR(b.phases[i], phases[i]);
    }
    for (size_t i = 0; i < b.phase_count; i++)
        probed_rtt = probed_rtt || strcmp(b.phases[i], "ProbeRTT") == 0;
    EXPECT(probed_rtt);
    end(&b);
}

/* DualPI2, and AccECN between the two [RFC9332], [RFC9331 4], [RFC9768]. */
TEST(congestion_prague_holds_the_queue_below_a_millisecond)
{
    struct weir_sim_link_stats before, after;
    struct weir_sim_link *link;
    struct bulk b;

    start(&b, "prague", (struct weir_sim_queue_config){.kind = WEIR_SIM_DUALPI2});
    weir_sim_run(b.sim, 5 * WEIR_S);
    link = weir_sim_direction(b.sim, b.link, b.from);
    weir_sim_link_stats(link, &before);
    EXPECT(share_until(&b, 10 * WEIR_S) > 0.97);
    weir_sim_link_stats(link, &after);
    EXPECT(after.marked > before.marked);
    EXPECT_EQ(after.dropped_full + after.dropped_aqm, 0);
    EXPECT((after.queue_delay_sum_ns - before.queue_delay_sum_ns)
           < (weir_ns_t)(after.queued - before.queued) * WEIR_MS);
    EXPECT(weir_sim_link_delay_at(link, 990) < 3 * WEIR_MS);
    end(&b);
}

TEST(congestion_cubic_and_others_fill_a_link)
{
    static const char *const algorithms[] = {"cubic", "reno", "dctcp", "prague"};

    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        struct weir_tcp_info info;
        struct bulk b;
        start(&b, algorithms[i], (struct weir_sim_queue_config){.limit_bytes = 50000});
        weir_sim_run(b.sim, WEIR_S);
        EXPECT(share_until(&b, 4 * WEIR_S) > 0.98);
        EXPECT_EQ(weir_tcp_info(weir_sim_peek(b.sim, b.from), b.sending, &info), 0);
        EXPECT(info.retransmits < 200);
        end(&b);
    }
}
