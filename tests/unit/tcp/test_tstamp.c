/* test_tstamp.c - timestamps and protection against wrapped sequence numbers [RFC7323] */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/isn.h"
#include "tcp/timers.h"
#include "tcp/tstamp.h"
#include <stdio.h>

static struct peer peer_with_timestamps(uint32_t val)
{
    static char options[64];

    snprintf(options, sizeof options, "mss 1460,TS val %u ecr 0", val);
    return peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = options});
}

/* The connection has taken "P. 1:11(10)" and sees this next. */
static enum why sends_with(struct peer *p, const char *segment, uint32_t val)
{
    char text[128];

    snprintf(text, sizeof text, "%s <nop,nop,TS val %u ecr %u>", segment, val, p->seen_ts_val);
    return peer_sends(p, text);
}

TEST(tstamp_clock_ticks_in_milliseconds_from_an_offset_of_its_own) /* [RFC7323 5.4, 7.1] */
{
    struct peer p = peer_of(TCP_CLOSED);
    struct tcp_tuple other = p.tuple;

    other.remote_port++;
    EXPECT_EQ(tstamp_clock(5 * NS_S, 7), 5007);
    EXPECT_EQ(tstamp_clock(5 * NS_S, UINT32_MAX), 4999);
    EXPECT(tstamp_offset_of(isn_ends(p.env, &p.tuple))
           != tstamp_offset_of(isn_ends(p.env, &other)));
    EXPECT_EQ(tstamp_offset_of(isn_ends(p.env, &p.tuple)),
              tstamp_offset_of(isn_ends(p.env, &p.tuple)));
}

TEST(tstamp_of_the_segment_that_is_acknowledged_is_echoed) /* [RFC7323 4.3] */
{
    struct peer p = peer_with_timestamps(100);

    sends_with(&p, "P. 1:11(10) ack 1", 110);
    peer_sees(&p, ". 1:1(0) ack 11 <...>");
    EXPECT_EQ(p.seen_ts_ecr, 110);
    sends_with(&p, "P. 21:31(10) ack 1", 120); /* out of order: not echoed */
    peer_sees(&p, ". 1:1(0) ack 11 <...>");
    EXPECT_EQ(p.seen_ts_ecr, 110);
    sends_with(&p, "P. 11:21(10) ack 1", 115);
    peer_sees(&p, ". 1:1(0) ack 31 <...>");
    EXPECT_EQ(p.seen_ts_ecr, 115);
}

TEST(tstamp_of_the_first_of_two_delayed_segments_is_echoed) /* [RFC7323 4.3 (A)] */
{
    struct peer p = peer_with_timestamps(100);

    sends_with(&p, "P. 1:1001(1000) ack 1", 110);
    sends_with(&p, "P. 1001:2001(1000) ack 1", 120);
    peer_sees(&p, ". 1:1(0) ack 2001 <...>");
    EXPECT_EQ(p.seen_ts_ecr, 110);
}

TEST(tstamp_from_the_past_stops_a_segment) /* PAWS [RFC7323 5.3] */
{
    struct peer p = peer_with_timestamps(100);

    EXPECT_EQ(sends_with(&p, "P. 1:11(10) ack 1", 99), WHY_TCP_PAWS);
    peer_sees(&p, ". 1:1(0) ack 1 <...>");
    EXPECT_EQ(sends_with(&p, "P. 1:11(10) ack 1", 100), WHY_NONE);
    EXPECT_EQ(peer_reads(&p, 100), 10);
    EXPECT_EQ(sends_with(&p, "R. 11:11(0) ack 1", 50), WHY_TCP_RESET); /* but no reset */
}

/* The second copy of a lost segment overtakes the first copy of another. */
TEST(tstamp_does_not_stop_text_that_is_only_late) /* docs/deviations.md */
{
    struct peer p = peer_with_timestamps(100);

    p.conn->rtt.srtt_us = 50000;
    EXPECT_EQ(sends_with(&p, ". 11:21(10) ack 1", 101), WHY_NONE);
    EXPECT_EQ(sends_with(&p, ". 31:41(10) ack 1", 102), WHY_NONE);
    EXPECT_EQ(sends_with(&p, ". 1:11(10) ack 1", 180), WHY_NONE); /* again */
    EXPECT_EQ(p.conn->ts.recent, 180);
    EXPECT_EQ(sends_with(&p, ". 21:31(10) ack 1", 79), WHY_TCP_PAWS); /* over 100 ms */
    EXPECT_EQ(sends_with(&p, ". 21:31(10) ack 1", 101), WHY_NONE);
    EXPECT_EQ(p.conn->ts.recent, 180);
    EXPECT_EQ(peer_reads(&p, 100), 40);
    EXPECT_EQ(sends_with(&p, ". 41:51(10) ack 1", 179), WHY_TCP_PAWS); /* nothing is missing */
}

TEST(tstamp_wraps_around) /* [RFC7323 5.2] */
{
    struct peer p = peer_with_timestamps(UINT32_MAX - 1);

    EXPECT_EQ(sends_with(&p, "P. 1:11(10) ack 1", UINT32_MAX), WHY_NONE);
    peer_skips(&p);
    EXPECT_EQ(sends_with(&p, "P. 11:21(10) ack 1", 3), WHY_NONE);
    peer_skips(&p);
    EXPECT_EQ(sends_with(&p, "P. 21:31(10) ack 1", UINT32_MAX), WHY_TCP_PAWS);
    EXPECT_EQ(peer_reads(&p, 100), 20);
}

TEST(tstamp_is_good_for_24_days) /* [RFC7323 5.5] */
{
    struct peer p = peer_with_timestamps(100);

    peer_waits(&p, 24 * 24 * 3600 * NS_S - NS_S);
    EXPECT_EQ(sends_with(&p, "P. 1:11(10) ack 1", 99), WHY_TCP_PAWS);
    peer_skips(&p);
    peer_waits(&p, 2 * NS_S);
    EXPECT_EQ(sends_with(&p, "P. 1:11(10) ack 1", 99), WHY_NONE);
    peer_sees(&p, ". 1:1(0) ack 11 <...>");
    EXPECT_EQ(p.seen_ts_ecr, 99);
    EXPECT_EQ(peer_reads(&p, 100), 10);
}

TEST(tstamp_may_be_missing_although_it_was_agreed_on) /* [RFC7323 3.2 not] docs/deviations.md */
{
    struct peer p = peer_with_timestamps(100);

    EXPECT_EQ(peer_sends(&p, "P. 1:11(10) ack 1"), WHY_NONE);
    peer_sees(&p, ". 1:1(0) ack 11 <...>");
    EXPECT_EQ(p.seen_ts_ecr, 100);
    EXPECT_EQ(peer_reads(&p, 100), 10);
}

TEST(tstamp_echo_measures_the_round_trip) /* [RFC7323 4.1] */
{
    struct peer p = peer_with_timestamps(100);
    uint32_t sent;

    peer_writes(&p, 10);
    peer_waits_for_frame(&p);
    peer_skips(&p);
    peer_waits_for_frame(&p); /* sent again: only the echo can tell */
    peer_skips(&p);
    sent = p.seen_ts_val;
    peer_waits(&p, 60 * NS_MS);
    p.seen_ts_val = sent;
    sends_with(&p, ". 1:1(0) ack 11", 101);
    EXPECT_EQ(p.conn->rtt.min_us, 60000);
}

TEST(tstamp_echo_of_a_copy_whose_acknowledgement_was_lost_measures_nothing)
{
    struct peer p = peer_with_timestamps(100);
    uint32_t first;

    peer_writes(&p, 10);
    peer_skips(&p);
    first = p.seen_ts_val;
    peer_waits_for_frame(&p);
    peer_skips(&p);
    peer_waits(&p, 60 * NS_MS);
    p.seen_ts_val = first; /* a duplicate to the peer, which it answers without noting the time */
    sends_with(&p, ". 1:1(0) ack 11", 101);
    EXPECT_EQ(p.conn->rtt.srtt_us, 100000);
    EXPECT_EQ(p.conn->work->backoff, 1); /* until something new is measured */
}

TEST(tstamp_echo_of_an_older_syn_measures_nothing)
{
    struct peer p = peer_of(TCP_CLOSED);
    uint32_t first;
    char text[128];

    peer_opens(&p);
    peer_sees(&p, "S 0:0(0) <...>");
    first = p.seen_ts_val;
    for (int i = 0; i < 3; i++) {
        peer_waits_for_frame(&p);
        peer_skips(&p);
    }
    snprintf(text, sizeof text, "S. 0:0(0) ack 1 <mss 1460,TS val 9 ecr %u>", first);
    peer_sends(&p, text); /* our SYN arrived at once, but the answer took several times */
    EXPECT_EQ(p.conn->rtt.srtt_us, 0);
    EXPECT_EQ(p.conn->rtt.rto_us, 3000000);

    p = peer_of(TCP_LISTEN);
    peer_sends(&p, "S 0:0(0) <mss 1460,TS val 9 ecr 0>");
    peer_sees(&p, "S. 0:0(0) ack 1 <...>");
    first = p.seen_ts_val;
    peer_waits(&p, 10 * NS_S);
    peer_skips(&p);
    snprintf(text, sizeof text, ". 1:1(0) ack 1 <nop,nop,TS val 10 ecr %u>", first);
    peer_sends(&p, text);
    EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
    EXPECT_EQ(p.conn->rtt.srtt_us, 0);
}

TEST(tstamp_echo_from_the_future_or_of_nothing_measures_nothing)
{
    static const uint32_t offsets[] = {1, 100000, 0x80000000, (uint32_t) - (1 << 25)};

    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        struct peer p = peer_with_timestamps(100);
        uint32_t srtt_us = p.conn->rtt.srtt_us;
        peer_writes(&p, 10);
        peer_skips(&p);
        peer_waits_for_frame(&p);
        peer_skips(&p);
        p.seen_ts_val += offsets[i];
        sends_with(&p, ". 1:1(0) ack 11", 101);
        EXPECT_EQ(p.conn->rtt.srtt_us, srtt_us);
        EXPECT_EQ(p.conn->snd.una.raw, PEER_ISS + 11);
    }
}
