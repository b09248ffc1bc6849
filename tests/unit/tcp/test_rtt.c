/* test_rtt.c - the round trip time and the retransmission timeout */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/rtt.h"

TEST(rtt_begins_with_a_timeout_of_a_second) /* [RFC6298 2.1] */
{
    struct peer p = peer_of(TCP_CLOSED);

    EXPECT_EQ(p.conn->rtt.rto_us, 1000000);
    EXPECT_EQ(p.conn->rtt.srtt_us, 0);
}

/* Worked by hand: srtt, rttvar and rto after each sample [RFC6298 2.2, 2.3] [RFC9293 MUST-18]. */
TEST(rtt_follows_the_formulas)
{
    static const struct {
        ns_t sample_ns;
        uint32_t srtt_us, rttvar_us, rto_us;
    } rows[] = {
        {100 * NS_MS, 100000, 50000, 300000},  /* R, R/2, R + 4 * R/2 */
        {100 * NS_MS, 100000, 37500, 300000},  /* 3/4 of 50 ms; the minimum of 200 ms holds */
        {500 * NS_MS, 150000, 128125, 662500}, /* 3/4 * 37.5 + 1/4 * 400; 7/8 * 100 + 1/8 * 500 */
        {50 * NS_MS, 137500, 121093, 621872},  /* 3/4 * 128.125 + 1/4 * 100 */
        {5000 * NS_MS, 745312, 1306444, 5971088}, {1, 652148, 1166160, 5316788},
    };
    struct peer p = peer_of(TCP_SYN_SENT);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rtt_on_sample(p.conn, p.env, rows[i].sample_ns);
        EXPECT_EQ(p.conn->rtt.srtt_us, rows[i].srtt_us);
        EXPECT_EQ(p.conn->rtt.rttvar_us, rows[i].rttvar_us);
        EXPECT_EQ(p.conn->rtt.rto_us, rows[i].rto_us);
    }
    EXPECT_EQ(p.conn->rtt.min_us, 1);
}

TEST(rtt_adds_at_least_200_ms_to_what_a_round_trip_takes) /* docs/deviations.md */
{
    struct peer p = peer_of(TCP_SYN_SENT);

    for (int i = 0; i < 100; i++)
        rtt_on_sample(p.conn, p.env, 3 * NS_S);
    EXPECT_EQ(p.conn->rtt.srtt_us, 3000000);
    EXPECT_EQ(p.conn->rtt.rto_us, 3200000);
}

TEST(rtt_times_out_after_two_minutes_at_most) /* [RFC6298 2.5] */
{
    struct peer p = peer_of(TCP_SYN_SENT);

    rtt_on_sample(p.conn, p.env, NEVER);
    EXPECT_EQ(p.conn->rtt.rto_us, 120000000);
    EXPECT_EQ(p.conn->rtt.srtt_us, INT32_MAX);
    for (int i = 0; i < 1000; i++)
        rtt_on_sample(p.conn, p.env, 1);
    EXPECT(p.conn->rtt.srtt_us >= 1 && p.conn->rtt.srtt_us < 20);
}

TEST(rtt_of_a_handshake_that_was_slow_is_guessed_at_three_seconds) /* [RFC6298 5.7] */
{
    struct peer p = peer_of(TCP_SYN_SENT);

    peer_waits_for_frame(&p);
    peer_skips(&p);
    peer_sends(&p, "S. 0:0(0) ack 1 <mss 1460>");
    peer_skips(&p);
    EXPECT_EQ(p.conn->rtt.srtt_us, 0); /* of which of the two SYNs? */
    EXPECT_EQ(p.conn->rtt.rto_us, 3000000);
    peer_writes(&p, 10);
    peer_skips(&p);
    EXPECT_EQ(peer_waits_for_frame(&p), 3 * NS_S);
}

TEST(rtt_is_that_of_the_oldest_segment_and_the_smallest_of_the_newest) /* [RFC6298 3] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_writes(&p, 1460);
    peer_skips(&p);
    peer_waits(&p, 50 * NS_MS);
    peer_writes(&p, 1460);
    peer_skips(&p);
    peer_waits(&p, 50 * NS_MS);
    peer_sends(&p, ". 1:1(0) ack 2921");
    EXPECT_EQ(p.conn->rtt.srtt_us, 100000);
    EXPECT_EQ(p.conn->rtt.rttvar_us, 37500);
    EXPECT_EQ(p.conn->rtt.min_us, 50000);
}
