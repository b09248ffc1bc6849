/*
 * dctcp.c - DCTCP: as much less as there were marks [RFC8257]
 *
 * For networks under one hand, whose switches mark as soon as a short queue stands. Alpha
 * is the share of bytes that were marked, smoothed over about sixteen windows; a mark takes
 * half of that share off cwnd, once in a window. Growth, and the answer to a loss, are Reno's.
 *
 * The window is cut at its first mark, by what alpha was at the end of the window before, as
 * Linux does; RFC 8257 3.3 has it at the end of the window, with that one in alpha already.
 */
#include "base/num.h"
#include "cc/cc.h"

extern const struct cc_ops dctcp_ops;

/* [RFC8257 4.2]; alpha is a share of ALPHA_ONE. */
enum {
    ALPHA_ONE = 65536,
    G_SHIFT = 4,
};

struct __attribute__((may_alias)) dctcp {
    uint64_t window_end_bytes; /* of those delivered: the observation window ends there */
    uint64_t acked_bytes;      /* in the observation window */
    uint64_t marked_bytes;
    uint64_t cwr_end_bytes; /* of those delivered: up to there cwnd has been cut already */
    uint64_t avoid_bytes;   /* acknowledged in congestion avoidance, since cwnd last grew */
    uint32_t alpha;
    bool is_reduced; /* until cwr_end_bytes */
};

_Static_assert(sizeof(struct dctcp) <= sizeof(((struct cc *)0)->state), "dctcp fits");

static struct dctcp *dctcp_of(struct cc *cc)
{
    return (struct dctcp *)(void *)cc->state;
}

/* Nothing is known yet: the first mark halves cwnd [RFC8257 3.3]. */
static void init(struct cc *cc)
{
    *dctcp_of(cc) = (struct dctcp){.alpha = ALPHA_ONE};
}

/* The window that ends has something in it: that is what ended it [RFC8257 3.3, 4.2]. */
static void update_alpha(struct dctcp *d)
{
    uint64_t scaled_m = ALPHA_ONE * u64_min(d->marked_bytes, d->acked_bytes) / d->acked_bytes;

    if (d->alpha >> G_SHIFT == 0)
        d->alpha = 0;
    d->alpha = d->alpha - (d->alpha >> G_SHIFT) + (uint32_t)(scaled_m >> G_SHIFT);
    d->alpha = u32_min(d->alpha, ALPHA_ONE);
}

static void observe(struct dctcp *d, const struct cc_ack *ack)
{
    d->acked_bytes += ack->acked_bytes;
    d->marked_bytes += ack->ce_bytes;
    if (ack->delivered_bytes < d->window_end_bytes || d->acked_bytes == 0)
        return;
    update_alpha(d);
    d->window_end_bytes = ack->delivered_bytes + ack->pipe_bytes;
    d->acked_bytes = d->marked_bytes = 0;
}

/* cwnd * (1 - alpha / 2) [RFC8257 3.3 (9)], but two segments. */
static void reduce(struct cc *cc, struct dctcp *d, const struct cc_ack *ack)
{
    uint32_t cut_bytes = (uint32_t)((uint64_t)cc->cwnd * d->alpha / ALPHA_ONE / 2);

    cc->cwnd = u32_max(cc->cwnd - cut_bytes, 2 * cc->mss);
    cc->ssthresh = cc->cwnd;
    d->is_reduced = true;
    d->cwr_end_bytes = ack->delivered_bytes + ack->pipe_bytes;
    d->avoid_bytes = 0;
}

/* As Reno does it [RFC8257 3.4]. */
static void grow(struct cc *cc, struct dctcp *d, uint32_t acked_bytes)
{
    if (cc_is_in_slow_start(cc))
        acked_bytes -= cc_slow_start(cc, acked_bytes);
    d->avoid_bytes += acked_bytes;
    cc_avoid_congestion(cc, &d->avoid_bytes);
}

static void on_ack(struct cc *cc, const struct cc_ack *ack)
{
    struct dctcp *d = dctcp_of(cc);

    if (d->is_reduced && ack->delivered_bytes >= d->cwr_end_bytes)
        d->is_reduced = false;
    if (ack->ce_bytes > 0 && !d->is_reduced && !ack->in_recovery)
        reduce(cc, d, ack);
    else if (ack->cwnd_limited && !d->is_reduced)
        grow(cc, d, ack->acked_bytes);
    observe(d, ack);
}

static void on_delivered(struct cc *cc, const struct cc_ack *ack)
{
    observe(dctcp_of(cc), ack);
}

static void on_loss(struct cc *cc, ns_t now, uint32_t flight_bytes) /* [RFC8257 3.5] */
{
    (void)now;
    cc->ssthresh = cc_half_of_flight(cc, flight_bytes);
    dctcp_of(cc)->avoid_bytes = 0;
}

static const char *phase(const struct cc *cc)
{
    return cc_is_in_slow_start(cc) ? "slow start" : "congestion avoidance";
}

const struct cc_ops dctcp_ops = {
    .name = "dctcp",
    .ecn = CC_ECN_DCTCP,
    .without_counts = "reno",
    .init = init,
    .on_ack = on_ack,
    .on_delivered = on_delivered,
    .on_loss = on_loss,
    .on_timeout = on_loss,
    .phase = phase,
};
