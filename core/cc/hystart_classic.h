/*
 * hystart_classic.h - HyStart as Linux has it: slow start ends at the first sign of a queue
 *
 * There are two signs: a round whose least round-trip time is clearly longer than the shortest of all,
 * and acknowledgements that follow one another closely for longer than half of that. RFC 9438 4.10
 * asks for HyStart++ (hystart.h) instead; this is for those who want Linux's windows.
 *
 * A round ends when what was under way at its beginning has been acknowledged.
 */
#ifndef CORE_CC_HYSTART_CLASSIC_H
#define CORE_CC_HYSTART_CLASSIC_H

#include "base/ns.h"
#include <stdbool.h>
#include <stdint.h>

struct cc;
struct cc_ack;

struct hystart_classic {
    ns_t min_rtt_ns;       /* NEVER: not measured */
    ns_t round_min_rtt_ns; /* likewise */
    ns_t round_at;         /* when the round began */
    ns_t train_at;         /* when the last acknowledgement of the train came */
    uint32_t round_left_bytes;
    uint8_t rtt_sample_count; /* in this round, up to as many as it takes */
    bool has_ended;           /* slow start, and once is enough */
};

void hystart_classic_init(struct hystart_classic *h);

/* New data is acknowledged, cwnd has not yet grown. True: slow start is over. */
bool hystart_classic_on_ack(struct hystart_classic *h, const struct cc *cc,
                            const struct cc_ack *ack);

#endif
