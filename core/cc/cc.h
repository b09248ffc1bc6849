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

/*
 * What is known of the path since the newest of the delivered segments was sent [draft-ietf-ccwg-bbr
 * 4.1, delivery rate estimation]. Bytes and counts of bytes are those of the whole connection.
 */
struct cc_rate {
    uint64_t delivered_bytes;       /* in the interval */
    ns_t interval_ns;               /* 0: no sample */
    uint64_t prior_delivered_bytes; /* cc_ack.delivered_bytes when that segment was sent */
    uint32_t tx_in_flight_bytes;    /* in the network just after it was sent, it included */
    uint32_t lost_bytes;            /* marked lost since */
    bool is_app_limited; /* it was sent while the application was what held sending back */
};

/* What an acknowledgement that delivers something tells. */
struct cc_ack {
    ns_t now;
    uint32_t acked_bytes;  /* newly delivered: acknowledged, or selectively acknowledged */
    uint32_t flight_bytes; /* sent and not acknowledged, before this acknowledgement */
    uint32_t pipe_bytes;   /* in the network after it: neither acknowledged in any way nor lost */
    uint32_t lost_bytes;   /* newly marked lost by it */
    uint32_t ce_bytes;     /* of acked_bytes, so many arrived marked CE, as far as the peer tells */
    uint64_t delivered_bytes; /* since the connection began */
    ns_t rtt_ns;              /* measured by it; 0: not measured */
    ns_t srtt_ns;             /* smoothed; 0: never measured */
    struct cc_rate rate;
    bool cwnd_limited; /* cwnd was what held sending back during the last round trip */
    bool in_recovery;  /* of a loss, or of a timeout */
};

/* Bytes that are marked lost, sent together. */
struct cc_lost {
    ns_t now;
    uint32_t bytes;
    uint32_t tx_in_flight_bytes; /* just after they were sent, they included */
    uint32_t lost_since_bytes;   /* marked lost since they were sent, they included */
    bool is_app_limited;
};

/* Which marks the algorithm wants on what is sent, and how marks come back. */
enum cc_ecn {
    CC_ECN_CLASSIC, /* ECT(0); a mark is answered like a loss, once in a round trip [RFC3168] */
    CC_ECN_DCTCP,   /* ECT(0); marks are counted by the algorithm [RFC8257] */
    CC_ECN_L4S,     /* ECT(1); likewise [RFC9331] */
};

struct cc_ops {
    const char *name;
    enum cc_ecn ecn;

    /* Which to take in its place if the peer does not count marks; NULL: none, it can do without. */
    const char *without_counts;

    /*
     * false: during recovery cwnd is moved by loss recovery, towards ssthresh [RFC9937], and on_ack
     * is not called. true: the algorithm keeps cwnd itself. After a timeout, cwnd starts from one
     * segment more than is still in the network for both.
     */
    bool owns_recovery;

    /* A connection starts, or starts to be busy again: cwnd, ssthresh, mss and srtt_ns are set. */
    void (*init)(struct cc *cc);

    /* Something is delivered (see owns_recovery). */
    void (*on_ack)(struct cc *cc, const struct cc_ack *ack);

    /* Recovery begins: sets ssthresh, from flight_bytes. */
    void (*on_loss)(struct cc *cc, ns_t now, uint32_t flight_bytes);

    /* The retransmission timer has fired for data not yet sent again: sets ssthresh. */
    void (*on_timeout)(struct cc *cc, ns_t now, uint32_t flight_bytes);

    /* From here on a function may be NULL. */

    /*
     * on_ack for an acknowledgement in order, without news of losses and marks, while cwnd is not what holds
     * sending back, as it mostly is where little is sent: with what of struct cc_ack the algorithm looks at
     * then. False: it looks at more, nothing was done, and on_ack is called after all. Who has it does not
     * look at cc_ack.rate.
     */
    bool (*on_unlimited_ack)(struct cc *cc, uint32_t acked_bytes, uint32_t flight_bytes,
                             ns_t rtt_ns);

    /*
     * Something is delivered that is no reason to grow, in recovery or out of order before it, and
     * on_ack is not called: for those who count marks [RFC8257 3.3]. cwnd stays.
     */
    void (*on_delivered)(struct cc *cc, const struct cc_ack *ack);

    /*
     * The peer tells of a mark [RFC3168 6.1.2]: sets ssthresh, which may be a single segment here.
     * NULL: as on_loss.
     */
    void (*on_ecn)(struct cc *cc, ns_t now, uint32_t flight_bytes);

    /* Some bytes are marked lost, during recovery or before it begins. */
    void (*on_lost)(struct cc *cc, const struct cc_lost *lost);

    /* Recovery has ended, and it was right. */
    void (*on_recovered)(struct cc *cc, ns_t now);

    /*
     * Recovery was not needed: nothing had been lost. cwnd and ssthresh are what they were before
     * (but for owns_recovery); what the algorithm changed besides must be taken back here.
     */
    void (*on_undo)(struct cc *cc, ns_t now);

    /* Sending goes on after idle_ns in which nothing was under way. */
    void (*on_restart)(struct cc *cc, ns_t now, ns_t idle_ns);

    /* What it is doing, in the words of its document, for people. */
    const char *(*phase)(const struct cc *cc);
};

struct cc {
    const struct cc_ops *ops;
    uint32_t cwnd;         /* bytes */
    uint32_t ssthresh;     /* bytes; UINT32_MAX: not yet known */
    uint32_t mss;          /* bytes of payload in a full segment */
    uint32_t send_quantum; /* bytes worth sending at once when paced; 0: what pacing finds */
    uint64_t pacing_rate;  /* bytes per second; 0: see cc_default_pacing_rate */
    ns_t srtt_ns;          /* as known when init is called; 0: never measured */
    bool is_paced;         /* whether or not pacing_rate says so */
    bool as_linux;         /* CUBIC: where Linux and its RFCs differ (weir_tcp_config) */
    uint64_t state[32];    /* the algorithm's own, in a struct that may_alias */
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

/*
 * Adds a segment for each cwnd acknowledged [RFC5681 3.1], [RFC3465 2.1]; *acked_bytes is what has
 * been acknowledged since the last one.
 */
static inline void cc_avoid_congestion(struct cc *cc, uint64_t *acked_bytes)
{
    if (*acked_bytes < cc->cwnd)
        return;
    *acked_bytes -= cc->cwnd;
    cc_grow(cc, cc->mss);
}

/* Half of what is under way, but two segments [RFC5681 3.1, equation 4]. */
static inline uint32_t cc_half_of_flight(const struct cc *cc, uint32_t flight_bytes)
{
    uint32_t half = flight_bytes / 2;

    return half > 2 * cc->mss ? half : 2 * cc->mss;
}

/*
 * Bytes per second at which to send where the algorithm names no rate of its own: cwnd in a smoothed
 * round trip, and as much more as leaves cwnd room to grow. 0: nothing is known yet, do not pace.
 */
uint64_t cc_default_pacing_rate(const struct cc *cc, ns_t srtt_ns);

/* The algorithm of that name, or NULL. */
const struct cc_ops *cc_find(const char *name);

/* Those there are, the default first; NULL after the last (registry.c). */
extern const struct cc_ops *const cc_registry[];

/* The index-th, or NULL past the last; the first is the default. */
const struct cc_ops *cc_at(size_t index);

/* Which of them it is. */
uint8_t cc_number(const struct cc_ops *ops);

#endif
