/*
 * test_queue.c - what queue disciplines do to traffic that does not care
 */
#include "lib/test.h"
#include "sim/codel.h"
#include "sim/view.h"
#include <string.h>
#include <weir/err.h>

enum {
    LEN = 1250, /* 1 ms at 10 Mbit/s */
};

struct load {
    struct weir_sim_link *link;
    weir_ns_t now;
    uint64_t arrived[4], marked[4]; /* by flow */
    weir_ns_t delay_sum_ns[4];
};

static void begin(struct load *l, enum weir_sim_queue_kind kind)
{
    struct weir_sim_link_config config = {.rate_bits_s = 10000000, .queue = {.kind = kind}};

    memset(l, 0, sizeof *l);
    EXPECT_EQ(weir_sim_link_create(&config, 3, &l->link), WEIR_OK);
}

static void send(struct load *l, uint8_t flow, enum view_ecn ecn)
{
    uint8_t bytes[LEN] = {0x45};
    struct view v;

    view_set16(bytes + 2, LEN);
    bytes[9] = VIEW_UDP;
    bytes[15] = flow;
    view_set16(bytes + 24, LEN - 20);
    EXPECT(view_parse(&v, WEIR_LINK_IP, bytes, LEN));
    view_set_ecn(&v, ecn);
    view_fix_checksums(&v);
    weir_sim_link_send(l->link, bytes, LEN, l->now);
}

static void receive(struct load *l)
{
    struct weir_sim_frame *frame;

    while ((frame = weir_sim_link_receive(l->link, l->now)) != NULL) {
        uint8_t flow = frame->bytes[15];
        l->arrived[flow]++;
        l->marked[flow] += (frame->bytes[1] & 3) == VIEW_CE;
        l->delay_sum_ns[flow] += frame->at - frame->sent_at;
        weir_sim_frame_release(frame);
    }
}

/* For count intervals, flow 1 sends every interval. */
static void run(struct load *l, weir_ns_t interval_ns, int count, enum view_ecn ecn)
{
    for (int i = 0; i < count; i++) {
        l->now += interval_ns;
        send(l, 1, ecn);
        receive(l);
    }
}

static struct weir_sim_link_stats stats_of(const struct load *l)
{
    struct weir_sim_link_stats stats;

    weir_sim_link_stats(l->link, &stats);
    return stats;
}

TEST(no_discipline_touches_a_link_that_is_not_full)
{
    for (int kind = 0; kind < WEIR_SIM_QUEUE_KINDS; kind++) {
        struct load l;
        begin(&l, (enum weir_sim_queue_kind)kind);
        run(&l, 1100 * WEIR_US, 2000, VIEW_ECT1);
        EXPECT_EQ(stats_of(&l).dropped_full + stats_of(&l).dropped_aqm, 0);
        EXPECT_EQ(stats_of(&l).marked, 0);
        weir_sim_link_destroy(&l.link);
    }
}

TEST(every_discipline_but_a_plain_queue_keeps_overload_short)
{
    for (int kind = 0; kind < WEIR_SIM_QUEUE_KINDS; kind++) {
        struct load l;
        begin(&l, (enum weir_sim_queue_kind)kind);
        run(&l, 800 * WEIR_US, 20000, VIEW_NOT_ECT); /* a quarter too much, for 16 s */
        if (kind == WEIR_SIM_FIFO)
            EXPECT(stats_of(&l).dropped_full > 2000);
        else
            EXPECT(stats_of(&l).dropped_aqm + stats_of(&l).dropped_full > 3000);
        if (kind == WEIR_SIM_PIE || kind == WEIR_SIM_DUALPI2)
            EXPECT(stats_of(&l).queue_packets < 60);
        weir_sim_link_destroy(&l.link);
    }
}

TEST(what_can_be_marked_is_marked_and_not_dropped)
{
    static const enum weir_sim_queue_kind kinds[] = {WEIR_SIM_ECN, WEIR_SIM_CODEL,
                                                     WEIR_SIM_FQ_CODEL};

    for (size_t i = 0; i < 3; i++) {
        struct load l;
        begin(&l, kinds[i]);
        run(&l, 950 * WEIR_US, 2000, VIEW_ECT0);
        EXPECT(stats_of(&l).marked > 0);
        EXPECT_EQ(stats_of(&l).dropped_aqm, 0);
        EXPECT(l.marked[1] > 0);
        weir_sim_link_destroy(&l.link);
    }
}

TEST(a_threshold_marks_from_the_packet_that_finds_it_reached) /* [RFC8257 3.1] */
{
    struct weir_sim_link_config config = {.rate_bits_s = 10000000,
                                          .queue = {.kind = WEIR_SIM_ECN, .mark_packets = 3}};
    struct load l;

    memset(&l, 0, sizeof l);
    EXPECT_EQ(weir_sim_link_create(&config, 3, &l.link), WEIR_OK);
    for (int i = 0; i < 5; i++)
        send(&l, 1, VIEW_ECT0); /* one is sent, three wait, the fifth finds three */
    EXPECT_EQ(stats_of(&l).marked, 1);
    send(&l, 1, VIEW_NOT_ECT);
    EXPECT_EQ(stats_of(&l).dropped_aqm, 1);
    weir_sim_link_destroy(&l.link);
}

TEST(codel_waits_an_interval_and_then_marks_ever_faster) /* [RFC8289 5] */
{
    struct load l;

    begin(&l, WEIR_SIM_CODEL);
    for (int i = 0; i < 1000; i++)
        send(&l, 1, VIEW_ECT0);
    /* The sixth has waited for 5 ms. The first mark comes 100 ms after it, the next 100 ms later. */
    l.now = 107 * WEIR_MS;
    receive(&l);
    EXPECT_EQ(stats_of(&l).marked, 1);
    l.now = 203 * WEIR_MS;
    receive(&l);
    EXPECT_EQ(stats_of(&l).marked, 1);
    l.now = 208 * WEIR_MS;
    receive(&l);
    EXPECT_EQ(stats_of(&l).marked, 2);
    l.now = 278 * WEIR_MS; /* 100 ms / sqrt(2) later */
    receive(&l);
    EXPECT_EQ(stats_of(&l).marked, 3);
    weir_sim_link_destroy(&l.link);
}

TEST(fq_codel_serves_a_sparse_flow_before_a_greedy_one) /* [RFC8290 4.2] */
{
    struct load l;

    begin(&l, WEIR_SIM_FQ_CODEL);
    for (int i = 0; i < 5000; i++) {
        l.now += 500 * WEIR_US;
        send(&l, 1, VIEW_NOT_ECT);
        if (i % 20 == 0)
            send(&l, 2, VIEW_NOT_ECT);
        receive(&l);
    }
    EXPECT(l.arrived[2] >= 245);
    EXPECT(l.delay_sum_ns[2] / (weir_ns_t)l.arrived[2] < 4 * WEIR_MS);
    EXPECT(l.delay_sum_ns[1] / (weir_ns_t)l.arrived[1] > 20 * WEIR_MS);
    weir_sim_link_destroy(&l.link);
}

TEST(dualpi2_keeps_l4s_packets_out_of_the_long_queue) /* [RFC9332 2.4] */
{
    struct load l;

    begin(&l, WEIR_SIM_DUALPI2);
    for (int i = 0; i < 20000; i++) {
        l.now += 950 * WEIR_US;
        send(&l, 1, VIEW_NOT_ECT);
        if (i % 10 == 0)
            send(&l, 2, VIEW_ECT1);
        receive(&l);
    }
    EXPECT(l.arrived[2] >= 1990);
    EXPECT(l.delay_sum_ns[2] / (weir_ns_t)l.arrived[2] < 3 * WEIR_MS);
    EXPECT(l.marked[2] > l.arrived[2] / 3); /* coupled to the drops of the other queue */
    EXPECT(stats_of(&l).dropped_aqm > 1000);
    weir_sim_link_destroy(&l.link);
}

TEST(dualpi2_marks_by_its_own_ramp_without_classic_traffic) /* [RFC9332 A.1 figure 5] */
{
    struct load l;

    begin(&l, WEIR_SIM_DUALPI2);
    for (int i = 0; i < 5; i++)
        send(&l, 2, VIEW_ECT1);
    l.now = 10 * WEIR_MS;
    receive(&l);
    /* The second waited 1 ms: one half, which does not yet make a whole. The third and fourth
     * waited longer than the ramp; the fifth leaves nothing behind. */
    EXPECT_EQ(l.marked[2], 2);
    weir_sim_link_destroy(&l.link);
}

TEST(square_roots_are_whole_parts)
{
    EXPECT_EQ(codel_isqrt(0), 0);
    EXPECT_EQ(codel_isqrt(1), 1);
    EXPECT_EQ(codel_isqrt(24), 4);
    EXPECT_EQ(codel_isqrt(25), 5);
    EXPECT_EQ(codel_isqrt(UINT64_C(2) << 32), 92681);
    EXPECT_EQ(codel_isqrt(UINT64_MAX), UINT32_MAX);
}

TEST(every_kind_has_a_name)
{
    for (size_t i = 0; i < WEIR_SIM_QUEUE_KINDS; i++)
        EXPECT(weir_sim_queue_name(i) != NULL);
    EXPECT(weir_sim_queue_name(WEIR_SIM_QUEUE_KINDS) == NULL);
}
