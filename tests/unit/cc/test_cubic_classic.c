/*
 * test_cubic_classic.c - CUBIC's congestion avoidance as Linux counts it
 */
#include "cc/cc.h"
#include "lib/path.h"
#include "lib/test.h"

enum { MSS = PATH_MSS };

/* In congestion avoidance from now on. */
static struct cc cubic_of(uint32_t cwnd_segs)
{
    struct cc cc = {
        .ops = cc_find("cubic"),
        .mss = MSS,
        .cwnd = cwnd_segs * MSS,
        .ssthresh = cwnd_segs * MSS,
        .as_linux = true,
    };

    cc.ops->init(&cc);
    return cc;
}

static void acked(struct cc *cc, ns_t now, uint32_t bytes)
{
    struct cc_ack ack = {
        .now = now,
        .acked_bytes = bytes,
        .flight_bytes = cc->cwnd,
        .rtt_ns = 10 * NS_MS,
        .srtt_ns = 10 * NS_MS,
        .cwnd_limited = true,
    };

    cc->ops->on_ack(cc, &ack);
}

static uint32_t segs_of(const struct cc *cc)
{
    EXPECT_EQ(cc->cwnd % MSS, 0);
    return cc->cwnd / MSS;
}

static void reduced(struct cc *cc, ns_t now)
{
    cc->ops->on_loss(cc, now, cc->cwnd);
    cc->ssthresh = cc->ssthresh / MSS * MSS;
    cc->cwnd = cc->ssthresh;
}

/* A segment for 20, until a loss has shown W_max. */
TEST(cubic_as_linux_explores)
{
    struct cc cc = cubic_of(100);

    for (ns_t now = 0; now < 100; now++)
        acked(&cc, now * NS_US, MSS);
    EXPECT_EQ(segs_of(&cc), 105);
    reduced(&cc, NS_S);
    EXPECT_EQ(segs_of(&cc), 73);
    for (ns_t now = 0; now < 72; now++)
        acked(&cc, NS_S + now * NS_US, MSS);
    EXPECT_EQ(segs_of(&cc), 73);
    acked(&cc, NS_S + NS_MS, MSS);
    EXPECT_EQ(segs_of(&cc), 74); /* the curve's: 31 segments below W_max it is one ahead */
}

/* Bytes count, not acknowledgements, and there is no fraction of a segment in between. */
TEST(cubic_as_linux_grows_by_whole_segments)
{
    struct cc cc = cubic_of(100);

    for (int i = 0; i < 39; i++)
        acked(&cc, i * NS_US, MSS / 2);
    EXPECT_EQ(segs_of(&cc), 100);
    acked(&cc, 40 * NS_US, MSS / 2);
    EXPECT_EQ(segs_of(&cc), 101);
}

/* What the curve asks for is looked up a 32nd of a second later, if cwnd has not grown before. */
TEST(cubic_as_linux_looks_at_the_curve_now_and_then)
{
    struct cc cc = cubic_of(100);
    ns_t now = NS_S;

    reduced(&cc, now);
    acked(&cc, now, MSS);
    acked(&cc, now + 31 * NS_MS, MSS / 4); /* K is 4.2 s: still a segment for a window */
    EXPECT_EQ(segs_of(&cc), 70);
    acked(&cc, now + 8 * NS_S, MSS / 4); /* far beyond it */
    acked(&cc, now + 8 * NS_S, MSS);
    EXPECT_EQ(segs_of(&cc), 71);
}

/* No more than one for two, however late it is. */
TEST(cubic_as_linux_grows_by_half_of_a_window_at_most)
{
    struct cc cc = cubic_of(100);

    reduced(&cc, NS_S);
    acked(&cc, NS_S, MSS);
    for (ns_t i = 0; i < 70; i++)
        acked(&cc, 100 * NS_S + i * NS_US, MSS);
    EXPECT(segs_of(&cc) >= 104 && segs_of(&cc) <= 106);
}

/* At 10 ms and ten segments Reno is faster: about 17 windows for 9 segments. */
TEST(cubic_as_linux_is_no_slower_than_reno)
{
    struct cc cc = cubic_of(14);
    ns_t now = NS_S;

    cc.ops->on_loss(&cc, now, cc.cwnd);
    cc.cwnd = cc.ssthresh = 10 * MSS;
    for (int round = 0; round < 17; round++) {
        for (uint32_t i = 0, segs = segs_of(&cc); i < segs; i++)
            acked(&cc, now += NS_MS, MSS);
    }
    EXPECT_EQ(segs_of(&cc), 18);
}

/* 0.7 of cwnd, of which next to nothing was under way; and W_max is not known any more. */
TEST(cubic_as_linux_takes_ssthresh_from_cwnd_after_a_timeout)
{
    struct cc cc = cubic_of(10);

    cc.ops->on_timeout(&cc, NS_S, 1 * MSS);
    EXPECT_EQ(cc.ssthresh, 7 * MSS);
    cc.cwnd = 7 * MSS;
    for (ns_t i = 0; i < 20; i++)
        acked(&cc, NS_S + i * NS_US, MSS);
    EXPECT_EQ(segs_of(&cc), 8);

    cc.as_linux = false;
    cc.ops->on_timeout(&cc, NS_S, 1 * MSS);
    EXPECT_EQ(cc.ssthresh, 2 * MSS); /* [RFC9438 4.6] */
}

/* Time in which nothing was sent does not count. */
TEST(cubic_as_linux_stands_still_in_a_pause)
{
    struct cc cc = cubic_of(100);

    reduced(&cc, NS_S);
    acked(&cc, NS_S, MSS);
    cc.ops->on_restart(&cc, 100 * NS_S, 99 * NS_S);
    for (ns_t i = 0; i < 60; i++)
        acked(&cc, 100 * NS_S + i * NS_US, MSS);
    EXPECT_EQ(segs_of(&cc), 70);
}
