/* test_reno.c - slow start and congestion avoidance */
#include "cc/cc.h"
#include "lib/test.h"
#include <stdio.h>
#include <string.h>
#include <weir/config.h>

static struct cc reno_of(uint32_t cwnd, uint32_t ssthresh)
{
    struct cc cc = {.ops = cc_find("reno"), .cwnd = cwnd, .ssthresh = ssthresh, .mss = 1000};

    EXPECT(cc.ops != NULL);
    cc.ops->init(&cc);
    return cc;
}

static void acked(struct cc *cc, uint32_t bytes)
{
    struct cc_ack ack = {.acked_bytes = bytes, .flight_bytes = cc->cwnd, .cwnd_limited = true};

    cc->ops->on_ack(cc, &ack);
}

TEST(reno_grows_by_what_is_acknowledged_in_slow_start) /* [RFC5681 3.1] [RFC9293 MUST-19] */
{
    struct cc cc = reno_of(10000, UINT32_MAX);

    acked(&cc, 1000);
    EXPECT_EQ(cc.cwnd, 11000);
    acked(&cc, 300); /* bytes, not acknowledgements [RFC3465] */
    EXPECT_EQ(cc.cwnd, 11300);
    EXPECT(cc_is_in_slow_start(&cc));
}

TEST(reno_grows_by_a_segment_in_each_round_trip_in_congestion_avoidance) /* [RFC5681 3.1] */
{
    struct cc cc = reno_of(10000, 10000);

    for (int round = 0; round < 5; round++) {
        uint32_t cwnd = cc.cwnd;
        for (uint32_t i = 0; i < cwnd / 1000; i++) {
            EXPECT_EQ(cc.cwnd, cwnd);
            acked(&cc, 1000);
        }
        EXPECT_EQ(cc.cwnd, cwnd + 1000);
    }
}

TEST(reno_goes_over_to_congestion_avoidance_within_an_acknowledgement)
{
    struct cc cc = reno_of(9500, 10000);

    acked(&cc, 1000);
    EXPECT_EQ(cc.cwnd, 10000);
    EXPECT(!cc_is_in_slow_start(&cc));
    acked(&cc, 9500); /* 500 were left over */
    EXPECT_EQ(cc.cwnd, 11000);
}

TEST(reno_does_not_grow_a_window_that_was_not_used) /* [RFC7661] */
{
    struct cc cc = reno_of(10000, UINT32_MAX);
    struct cc_ack ack = {.acked_bytes = 1000, .flight_bytes = 1000, .cwnd_limited = false};

    cc.ops->on_ack(&cc, &ack);
    EXPECT_EQ(cc.cwnd, 10000);
}

TEST(reno_halves_what_is_under_way_but_keeps_two_segments) /* [RFC5681 3.1, equation 4] */
{
    static const uint32_t rows[][2] = {{20000, 10000}, {5000, 2500}, {3000, 2000}, {0, 2000}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cc cc = reno_of(50000, UINT32_MAX);
        cc.ops->on_loss(&cc, 0, rows[i][0]);
        EXPECT_EQ(cc.ssthresh, rows[i][1]);
        cc.ssthresh = UINT32_MAX;
        cc.ops->on_timeout(&cc, 0, rows[i][0]);
        EXPECT_EQ(cc.ssthresh, rows[i][1]);
    }
}

TEST(reno_saturates)
{
    struct cc cc = reno_of(UINT32_MAX - 500, UINT32_MAX);

    acked(&cc, UINT32_MAX);
    EXPECT_EQ(cc.cwnd, UINT32_MAX);
    acked(&cc, UINT32_MAX);
    EXPECT_EQ(cc.cwnd, UINT32_MAX);
}

TEST(reno_and_others_are_found_by_name)
{
    EXPECT_STR(cc_find("reno")->name, "reno");
    EXPECT(cc_find("ren") == NULL);
    EXPECT(cc_find("") == NULL);
    for (size_t i = 0; cc_at(i) != NULL; i++)
        EXPECT_STR(weir_congestion_control_name(i), cc_at(i)->name);
    EXPECT(weir_congestion_control_name(1000) == NULL);
}
