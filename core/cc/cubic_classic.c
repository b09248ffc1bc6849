/*
 * cubic_classic.c - CUBIC's congestion avoidance as Linux counts it
 *
 * The constants are Linux's. State: struct cubic_classic, which its owner keeps.
 */
#include "cc/cubic_classic.h"
#include "base/num.h"
#include "cc/cc.h"
#include "cc/cubic_curve.h"

enum {
    BETA = 717, /* of 1024 */
    GROWTH_LEAST_SEGS = 2,
    GROWTH_EXPLORING_SEGS = 20,
    GROWTH_FLAT = 100,     /* at the top of the curve: a segment for so many windows */
    RENO_GROWTH_8THS = 15, /* of a window, for a segment: 8 / alpha [RFC9438 4.3] */
    SSTHRESH_LEAST_SEGS = 2,
};

static const ns_t UPDATE_NS = NS_S / 32;
static const ns_t TICK_NS = NS_MS; /* the curve is looked up no more than once in it */

void cubic_classic_init(struct cubic_classic *w)
{
    *w = (struct cubic_classic){.epoch_at = NEVER};
}

static void begin_epoch(struct cubic_classic *w, ns_t now, uint32_t cwnd_segs, uint32_t mss)
{
    w->epoch_at = now;
    w->reno_segs = cwnd_segs;
    w->origin_segs = u32_max(w->w_max_segs, cwnd_segs);
    w->k = cubic_curve_k(
        (uint32_t)u64_min((uint64_t)(w->origin_segs - cwnd_segs) * mss, UINT32_MAX), mss);
}

/* Where the curve is, within a window that grows by as much as it may. */
static uint32_t target_segs(const struct cubic_classic *w, ns_t t_ns, uint32_t cwnd_segs,
                            uint32_t mss)
{
    uint32_t t = cubic_curve_units(t_ns);
    uint64_t distance_segs = cubic_curve_distance(t, w->k, mss) / mss;

    if (t < w->k)
        return distance_segs < w->origin_segs ? w->origin_segs - (uint32_t)distance_segs : 0;
    return (uint32_t)u64_min(w->origin_segs + distance_segs, 2 * (uint64_t)cwnd_segs);
}

static void follow_curve(struct cubic_classic *w, ns_t t_ns, uint32_t cwnd_segs, uint32_t mss)
{
    uint32_t target = target_segs(w, t_ns, cwnd_segs, mss);

    w->growth_segs =
        target > cwnd_segs ? cwnd_segs / (target - cwnd_segs) : GROWTH_FLAT * cwnd_segs;
    if (w->w_max_segs == 0)
        w->growth_segs = u32_min(w->growth_segs, GROWTH_EXPLORING_SEGS);
}

static void follow_reno(struct cubic_classic *w, uint32_t cwnd_segs, uint32_t mss)
{
    uint64_t step_bytes = u64_max((uint64_t)cwnd_segs * RENO_GROWTH_8THS / 8, 1) * mss;

    if (w->acked_bytes > step_bytes) {
        uint64_t steps = (w->acked_bytes - 1) / step_bytes;
        w->acked_bytes -= steps * step_bytes;
        w->reno_segs += (uint32_t)u64_min(steps, UINT32_MAX - w->reno_segs);
    }
    if (w->reno_segs > cwnd_segs)
        w->growth_segs = u32_min(w->growth_segs, cwnd_segs / (w->reno_segs - cwnd_segs));
}

static void update(struct cubic_classic *w, const struct cc *cc, ns_t now, ns_t min_rtt_ns)
{
    uint32_t cwnd_segs = u32_max(cc->cwnd / cc->mss, 1);
    ns_t since_ns = ns_since(w->updated_at, now);

    if (w->updated_segs == cwnd_segs && since_ns <= UPDATE_NS)
        return;
    if (w->epoch_at == NEVER || since_ns >= TICK_NS) {
        w->updated_segs = cwnd_segs;
        w->updated_at = now;
        if (w->epoch_at == NEVER)
            begin_epoch(w, now, cwnd_segs, cc->mss);
        follow_curve(w, ns_after(ns_since(w->epoch_at, now), min_rtt_ns), cwnd_segs, cc->mss);
    }
    follow_reno(w, cwnd_segs, cc->mss);
    w->growth_segs = u32_max(w->growth_segs, GROWTH_LEAST_SEGS);
}

/* What was counted while growth took more is not spent all at once. */
static void spend(struct cubic_classic *w, struct cc *cc, uint32_t acked_bytes)
{
    uint64_t growth_bytes = (uint64_t)w->growth_segs * cc->mss, grown_segs;

    if (w->credit_bytes >= growth_bytes) {
        w->credit_bytes = 0;
        cc_grow(cc, cc->mss);
    }
    w->credit_bytes += acked_bytes;
    grown_segs = w->credit_bytes / growth_bytes;
    w->credit_bytes -= grown_segs * growth_bytes;
    cc_grow(cc, (uint32_t)u64_min(grown_segs * cc->mss, UINT32_MAX));
}

void cubic_classic_avoid(struct cubic_classic *w, struct cc *cc, ns_t now, uint32_t acked_bytes,
                         ns_t min_rtt_ns)
{
    w->acked_bytes = w->epoch_at == NEVER ? acked_bytes : w->acked_bytes + acked_bytes;
    update(w, cc, now, min_rtt_ns);
    spend(w, cc, acked_bytes);
}

/* A flow that has not come back to W_max remembers less than it had (fast convergence) [RFC9438 4.7]. */
void cubic_classic_on_congestion(struct cubic_classic *w, const struct cc *cc)
{
    uint32_t cwnd_segs = cc->cwnd / cc->mss;

    w->epoch_at = NEVER;
    w->w_max_segs = cwnd_segs < w->w_max_segs
                        ? (uint32_t)((uint64_t)cwnd_segs * (1024 + BETA) / 2048)
                        : cwnd_segs;
}

void cubic_classic_on_timeout(struct cubic_classic *w, struct cc *cc)
{
    uint32_t beta_segs = (uint32_t)((uint64_t)(cc->cwnd / cc->mss) * BETA / 1024);
    uint64_t credit_bytes = w->credit_bytes;

    cubic_classic_init(w);
    w->credit_bytes = credit_bytes;
    cc->ssthresh = u32_max(beta_segs, SSTHRESH_LEAST_SEGS) * cc->mss;
}

const char *cubic_classic_phase(const struct cubic_classic *w, const struct cc *cc)
{
    if (w->reno_segs > cc->cwnd / cc->mss)
        return "Reno-friendly";
    return cc->cwnd / cc->mss < w->origin_segs ? "concave" : "convex";
}

void cubic_classic_on_restart(struct cubic_classic *w, ns_t now, ns_t idle_ns)
{
    if (w->epoch_at != NEVER)
        w->epoch_at = ns_min(ns_after(w->epoch_at, idle_ns), now);
}
