/*
 * pacing.c - how fast a window may leave
 *
 * A window that leaves at once arrives at the bottleneck as a burst. Spread over the round
 * trip it must still leave a little faster than it is acknowledged, or cwnd would never be
 * used to the full and never grow: twice as fast while slow start doubles it, by a fifth
 * faster afterwards. The numbers are Linux's.
 */
#include "cc/cc.h"

enum {
    SLOW_START_PERCENT = 200,
    AVOIDANCE_PERCENT = 120,
};

/* The last round trip of slow start is as slow as what follows it: cwnd is about to be there. */
static uint64_t percent_of(const struct cc *cc)
{
    return cc->cwnd < cc->ssthresh / 2 ? SLOW_START_PERCENT : AVOIDANCE_PERCENT;
}

/* A window has 32 bits, a second 30 and two hundred 8: they are multiplied in two steps. */
uint64_t cc_default_pacing_rate(const struct cc *cc, ns_t srtt_ns)
{
    uint64_t bytes = (uint64_t)cc->cwnd * percent_of(cc) / 100;
    uint64_t srtt_us = srtt_ns < NS_US ? 1 : (uint64_t)(srtt_ns / NS_US);

    if (srtt_ns <= 0)
        return 0;
    return bytes * (NS_S / NS_US) / srtt_us;
}
