/*
 * test_hystart_classic.c - HyStart as Linux has it
 */
#include "cc/cc.h"
#include "cc/hystart_classic.h"
#include "lib/path.h"
#include "lib/test.h"

enum { MSS = PATH_MSS };

static struct cc cubic_of(uint32_t cwnd_segs)
{
    struct cc cc = {
        .ops = cc_find("cubic"),
        .mss = MSS,
        .cwnd = cwnd_segs * MSS,
        .ssthresh = UINT32_MAX,
        .as_linux = true,
    };

    cc.ops->init(&cc);
    return cc;
}

/* So many segments of flight_segs are acknowledged, after that time. */
static void acked(struct cc *cc, ns_t now, uint32_t segs, uint32_t flight_segs, ns_t rtt_ns)
{
    struct cc_ack ack = {
        .now = now,
        .acked_bytes = segs * MSS,
        .flight_bytes = flight_segs * MSS,
        .rtt_ns = rtt_ns,
        .srtt_ns = rtt_ns,
        .cwnd_limited = true,
    };

    cc->ops->on_ack(cc, &ack);
}

static uint32_t segs_of(const struct cc *cc)
{
    return cc->cwnd / MSS;
}

/* The ninth sample of a round: the least of it is more than an eighth longer than the shortest. */
TEST(hystart_classic_ends_slow_start_when_a_round_is_longer)
{
    struct cc cc = cubic_of(10);
    ns_t now = 200 * NS_MS;

    acked(&cc, now, 10, 10, 200 * NS_MS);
    EXPECT_EQ(segs_of(&cc), 20);
    now += 240 * NS_MS;
    for (uint32_t i = 0; i < 8; i++, now += 3 * NS_MS) {
        acked(&cc, now, 2, 20 + 2 * i, 240 * NS_MS);
        EXPECT_EQ(segs_of(&cc), 22 + 2 * i);
    }
    EXPECT_EQ(cc.ssthresh, UINT32_MAX);
    acked(&cc, now, 2, 36, 240 * NS_MS);
    EXPECT_EQ(segs_of(&cc), 36); /* congestion avoidance */
    EXPECT_EQ(cc.ssthresh, 36 * MSS);
}

TEST(hystart_classic_bears_delays_up_to_an_eighth)
{
    static const struct {
        ns_t before_ns, after_ns;
        bool ends;
    } rows[] = {
        {200 * NS_MS, 216 * NS_MS, false}, {200 * NS_MS, 217 * NS_MS, true}, /* at most 16 ms */
        {80 * NS_MS, 90 * NS_MS, false},   {80 * NS_MS, 91 * NS_MS, true},
        {8 * NS_MS, 12 * NS_MS, false},    {8 * NS_MS, 13 * NS_MS, true}, /* at least 4 ms */
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cc cc = cubic_of(20);
        ns_t now = 0;
        acked(&cc, now, 20, 20, rows[i].before_ns);
        for (int k = 0; k < 9; k++)
            acked(&cc, now += 3 * NS_MS, 1, 40, rows[i].after_ns);
        EXPECT_EQ(cc.ssthresh != UINT32_MAX, rows[i].ends);
    }
}

TEST(hystart_classic_leaves_small_windows_alone)
{
    struct cc cc = cubic_of(2);

    acked(&cc, 0, 1, 2, 10 * NS_MS);
    for (int i = 0; i < 12; i++)
        acked(&cc, i * NS_MS, 1, 15, 100 * NS_MS);
    EXPECT_EQ(segs_of(&cc), 15);
    EXPECT_EQ(cc.ssthresh, UINT32_MAX);
}

/* No gap of more than 2 ms for half of the shortest round trip; for all of it where that is paced. */
TEST(hystart_classic_ends_slow_start_after_a_long_train)
{
    for (int paced = 0; paced < 2; paced++) {
        struct cc cc = cubic_of(20);
        ns_t begin = 1 * NS_S, now = begin;

        cc.is_paced = paced;
        acked(&cc, 0, 1, 1, 100 * NS_MS);
        for (; cc.ssthresh == UINT32_MAX && now < begin + 200 * NS_MS; now += NS_MS)
            acked(&cc, now, 1, 500, 100 * NS_MS);
        EXPECT(now - begin > (paced ? 100 : 50) * NS_MS);
        EXPECT(now - begin < (paced ? 104 : 53) * NS_MS);
    }
}

TEST(hystart_classic_takes_a_gap_for_the_end_of_a_train)
{
    struct cc cc = cubic_of(20);

    acked(&cc, 0, 1, 1, 100 * NS_MS);
    for (ns_t now = 1 * NS_S; now < 1200 * NS_MS; now += 3 * NS_MS)
        acked(&cc, now, 1, 500, 100 * NS_MS);
    EXPECT_EQ(cc.ssthresh, UINT32_MAX);
}
