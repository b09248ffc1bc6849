/*
 * cc.h - the interface of congestion control
 *
 * An algorithm decides how much may be under way: it keeps cwnd and ssthresh. Loss
 * recovery decides what is lost and what is sent again: it reports events here, in the
 * words of RFC 5681, and reads cwnd. An algorithm knows neither sequence numbers nor
 * packets, only bytes, segments and time.
 *
 * One algorithm is one file with one struct cc_ops and one line in registry.c.
 */
#ifndef CORE_CC_CC_H
#define CORE_CC_CC_H

#include "base/ns.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cc;

/* What an acknowledgement of new data tells. */
struct cc_ack {
    ns_t now;
    uint32_t acked_bytes;  /* newly acknowledged */
    uint32_t flight_bytes; /* sent and not acknowledged, before this acknowledgement */
    ns_t rtt_ns;           /* measured by it; 0: not measured */
    ns_t srtt_ns;          /* smoothed; 0: never measured */
    bool cwnd_limited;     /* cwnd was what held sending back during the last round trip */
};

struct cc_ops {
    const char *name;

    /* A connection starts, or starts to be busy again: cwnd, ssthresh and mss are set. */
    void (*init)(struct cc *cc);

    /* New data is acknowledged, outside recovery. */
    void (*on_ack)(struct cc *cc, const struct cc_ack *ack);

    /* A segment is lost, the first of its window: sets ssthresh, from flight_bytes. */
    void (*on_loss)(struct cc *cc, ns_t now, uint32_t flight_bytes);

    /* The retransmission timer has fired for data not yet sent again: sets ssthresh. */
    void (*on_timeout)(struct cc *cc, ns_t now, uint32_t flight_bytes);
};

struct cc {
    const struct cc_ops *ops;
    uint32_t cwnd;      /* bytes */
    uint32_t ssthresh;  /* bytes; UINT32_MAX: not yet known */
    uint32_t mss;       /* bytes of payload in a full segment */
    uint64_t state[12]; /* the algorithm's own */
};

static inline bool cc_is_in_slow_start(const struct cc *cc)
{
    return cc->cwnd < cc->ssthresh;
}

/* cwnd saturates; it is compared with windows of at most 2^30 bytes. */
static inline void cc_grow(struct cc *cc, uint32_t bytes)
{
    cc->cwnd = cc->cwnd > UINT32_MAX - bytes ? UINT32_MAX : cc->cwnd + bytes;
}

/* Doubles cwnd in a round trip, up to ssthresh. Returns how many of the bytes that has used. */
static inline uint32_t cc_slow_start(struct cc *cc, uint32_t acked_bytes)
{
    uint32_t room = cc->ssthresh - cc->cwnd;
    uint32_t used = acked_bytes < room ? acked_bytes : room;

    cc_grow(cc, used);
    return used;
}

/* Half of what is under way, but two segments [RFC5681 3.1, equation 4]. */
static inline uint32_t cc_half_of_flight(const struct cc *cc, uint32_t flight_bytes)
{
    uint32_t half = flight_bytes / 2;

    return half > 2 * cc->mss ? half : 2 * cc->mss;
}

/* The algorithm of that name, or NULL. */
const struct cc_ops *cc_find(const char *name);

/* The index-th, or NULL past the last; the first is the default. */
const struct cc_ops *cc_at(size_t index);

#endif
