/*
 * codel.h - controlled delay: the law that CoDel and FQ-CoDel share [RFC8289]
 */
#ifndef SIM_CODEL_H
#define SIM_CODEL_H

#include "sim/queue.h"

struct codel {
    struct packet_list list;
    weir_ns_t
        first_above_at; /* when the delay will have been too long for an interval; 0: it is not */
    weir_ns_t drop_next_at;
    uint32_t count, last_count; /* drops since dropping began, and when it did so before */
    bool is_dropping;
};

/* The next packet that the law lets through; the queue's config and counts apply. */
struct packet *codel_dequeue(struct codel *c, struct queue *q, weir_ns_t now);

/* The whole part of the square root. */
uint32_t codel_isqrt(uint64_t n);

#endif
