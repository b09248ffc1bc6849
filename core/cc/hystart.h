/*
 * hystart.h - HyStart++: leaving the first slow start before it loses anything [RFC9406]
 *
 * If the least round-trip time of a round is clearly longer than that of the round before,
 * a queue has begun to grow. Growth then slows to a quarter (conservative slow start, CSS),
 * and after five such rounds slow start is over; if the round trips become shorter again
 * meanwhile, it was jitter, and slow start goes on.
 *
 * A round ends when what was under way at its beginning has been acknowledged. It is
 * counted in bytes, which amounts to the RFC's windowEnd in sequence numbers.
 */
#ifndef CORE_CC_HYSTART_H
#define CORE_CC_HYSTART_H

#include "base/ns.h"
#include <stdbool.h>
#include <stdint.h>

/* NEVER stands for the RFC's infinity. Its owner may keep it in memory declared as something else (cc.h). */
struct __attribute__((may_alias)) hystart {
    ns_t last_round_min_rtt_ns;
    ns_t current_round_min_rtt_ns;
    ns_t css_baseline_min_rtt_ns;
    uint32_t round_left_bytes; /* 0: the next round begins with the next acknowledgement */
    uint8_t rtt_sample_count;  /* in this round, up to as many as it takes */
    uint8_t css_rounds;
    bool is_in_css;
};

void hystart_init(struct hystart *h);

/* By how much cwnd grows when so many bytes are acknowledged. Before hystart_on_ack. */
uint32_t hystart_growth_bytes(const struct hystart *h, uint32_t acked_bytes);

/* Slow start goes on after a pause or a loss that was none: the round begins again. */
void hystart_restart_round(struct hystart *h);

/* New data is acknowledged, as struct cc_ack has it. True: slow start is over. */
bool hystart_on_ack(struct hystart *h, uint32_t acked_bytes, uint32_t flight_bytes, ns_t rtt_ns);

#endif
