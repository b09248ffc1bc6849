/* test_pacing.c - the rate at which a window leaves */
#include "cc/cc.h"
#include "lib/test.h"

enum { MSS = 1000 };

/* Twice cwnd in a round trip, and one and a fifth from half of ssthresh on. */
TEST(pacing_leaves_room_to_grow)
{
    static const struct {
        uint32_t cwnd, ssthresh;
        ns_t srtt_ns;
        uint64_t rate;
    } rows[] = {
        {10 * MSS, UINT32_MAX, 100 * NS_MS, 200000},
        {10 * MSS, 30 * MSS, 100 * NS_MS, 200000},
        {10 * MSS, 20 * MSS, 100 * NS_MS, 120000},
        {10 * MSS, 10 * MSS, 100 * NS_MS, 120000},
        {1000 * MSS, 10 * MSS, 1 * NS_MS, 1200000000},
        {10 * MSS, UINT32_MAX, 0, 0},                                /* not measured yet */
        {10 * MSS, UINT32_MAX, 1, 20000000000},                      /* as if 1 us */
        {UINT32_MAX, UINT32_MAX, NS_US, UINT64_C(5153960754000000)}, /* no overflow */
        {10 * MSS, UINT32_MAX, NEVER, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cc cc = {.cwnd = rows[i].cwnd, .ssthresh = rows[i].ssthresh, .mss = MSS};
        EXPECT_EQ(cc_default_pacing_rate(&cc, rows[i].srtt_ns), rows[i].rate);
    }
}
