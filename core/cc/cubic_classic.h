/*
 * cubic_classic.h - CUBIC's congestion avoidance as Linux counts it
 *
 * It is the same curve as RFC 9438's, with the round trip ahead being the shortest one, and a window of
 * whole segments: what is computed, at most every 32nd of a second while cwnd stays, is for how many
 * segments acknowledged it grows by one. That is never less than two, and while no loss has shown W_max
 * never more than 20. After a timeout ssthresh follows from cwnd, used or not. What a reduction that was
 * not needed forgets is not brought back.
 *
 * This is for those who want Linux's windows (weir_tcp_config.cubic_as_linux).
 */
#ifndef CORE_CC_CUBIC_CLASSIC_H
#define CORE_CC_CUBIC_CLASSIC_H

#include "base/ns.h"
#include <stdint.h>

struct cc;

struct cubic_classic {
    ns_t epoch_at;         /* congestion avoidance began, without pauses; NEVER: it has not */
    ns_t updated_at;       /* growth_segs */
    uint64_t acked_bytes;  /* acknowledged since Reno's window grew */
    uint64_t credit_bytes; /* acknowledged since cwnd grew */
    uint32_t updated_segs; /* cwnd then */
    uint32_t growth_segs;  /* cwnd grows by one for so many */
    uint32_t reno_segs;    /* the window that Reno would have */
    uint32_t w_max_segs;   /* 0: not known */
    uint32_t origin_segs;  /* where the curve is flat */
    uint32_t k;            /* units of 2^-10 s */
};

void cubic_classic_init(struct cubic_classic *w);

/* So much is acknowledged outside of slow start, and cwnd was used to the full. */
void cubic_classic_avoid(struct cubic_classic *w, struct cc *cc, ns_t now, uint32_t acked_bytes,
                         ns_t min_rtt_ns);

/* Recovery begins, or there was a mark. */
void cubic_classic_on_congestion(struct cubic_classic *w, const struct cc *cc);

/* W_max is forgotten. Sets ssthresh. */
void cubic_classic_on_timeout(struct cubic_classic *w, struct cc *cc);

/* The curve stood still for so long. */
void cubic_classic_on_restart(struct cubic_classic *w, ns_t now, ns_t idle_ns);

/* Of congestion avoidance, for people. */
const char *cubic_classic_phase(const struct cubic_classic *w, const struct cc *cc);

#endif
