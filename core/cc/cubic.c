/*
 * cubic.c - CUBIC: the window as a cubic function of the time since the last loss [RFC9438]
 *
 * After a reduction the window returns to where it was (W_max) ever more slowly, stays near
 * it for a while, and then looks for more ever faster. How long that takes does not depend
 * on the round-trip time; where Reno would be faster, it is as fast as Reno. The first slow
 * start is HyStart++ (hystart.h); others end at ssthresh.
 *
 * Where it is to be as in Linux (cc.as_linux), slow start ends by HyStart (hystart_classic.h), and what
 * follows is counted in whole segments (cubic_classic.h).
 *
 * Windows are in bytes, the curve (cubic_curve.h) in units of 2^-10 s. Q32 is a number of bytes with
 * 32 bits after the point.
 *
 * Growth is counted in bytes acknowledged where RFC 9438 4.4 counts acknowledgements: with
 * one for each segment that is the same, with fewer it stays on the curve.
 */
#include "base/check.h"
#include "base/hint.h"
#include "base/num.h"
#include "cc/cc.h"
#include "cc/cubic_classic.h"
#include "cc/cubic_curve.h"
#include "cc/hystart.h"
#include "cc/hystart_classic.h"
#include <stddef.h>
#include <string.h>

extern const struct cc_ops cubic_ops;

enum { MSS_MAX = 65535 }; /* what the arithmetic is made for */

/* What a reduction changes, and what is put back if it was not needed [RFC9438 4.9.2]. */
struct curve {
    uint64_t w_est_q32;
    ns_t t_ns;           /* since the stage of congestion avoidance began, without pauses */
    ns_t acked_at;       /* up to when t_ns is counted; NEVER: it stands still */
    uint32_t k;          /* units of 2^-10 s */
    uint32_t w_max;      /* bytes; 0: not defined */
    uint32_t cwnd_prior; /* bytes; 0: not defined, which counts as reached */
    uint32_t cwnd_q32;   /* what cwnd has after the point */
    bool epoch_has_begun;
    bool is_reno_friendly; /* W_est was above the curve at the last acknowledgement */
};

struct cubic {
    struct curve now;
    struct curve before; /* the last reduction */
    struct hystart hystart;

    /* As in Linux. */
    struct hystart_classic hystart_classic; /* which keeps the shortest round trip, too */
    struct cubic_classic classic;
};

_Static_assert(sizeof(struct cubic) <= sizeof(((struct cc *)0)->state), "cubic fits");

static struct cubic load(const struct cc *cc)
{
    struct cubic s;

    memcpy(&s, cc->state, sizeof s);
    return s;
}

static void store(struct cc *cc, const struct cubic *s)
{
    memcpy(cc->state, s, sizeof *s);
}

/* Parts of it, for what is done with every acknowledgement. */
static void load_part(const struct cc *cc, size_t at, void *part, size_t len)
{
    memcpy(part, (const uint8_t *)cc->state + at, len);
}

static void store_part(struct cc *cc, size_t at, const void *part, size_t len)
{
    memcpy((uint8_t *)cc->state + at, part, len);
}

/* Where it is, as every acknowledgement of a first slow start changes it. */
static struct hystart *hystart_of(struct cc *cc)
{
    return (struct hystart *)(void *)((uint8_t *)cc->state + offsetof(struct cubic, hystart));
}

static void init(struct cc *cc)
{
    struct cubic s = {.now.acked_at = NEVER, .before.acked_at = NEVER};

    hystart_init(&s.hystart);
    hystart_classic_init(&s.hystart_classic);
    cubic_classic_init(&s.classic);
    store(cc, &s);
}

/* W_cubic(t) = C * (t - K)^3 + W_max [RFC9438 4.2, figure 1], within 0 and UINT32_MAX. */
static uint32_t w_cubic(const struct curve *s, ns_t t_ns, uint32_t mss)
{
    uint32_t t = cubic_curve_units(t_ns);
    uint64_t bytes = cubic_curve_distance(t, s->k, mss);

    if (t < s->k)
        return bytes < s->w_max ? s->w_max - (uint32_t)bytes : 0;
    return bytes < UINT32_MAX - s->w_max ? s->w_max + (uint32_t)bytes : UINT32_MAX;
}

/*
 * A stage of congestion avoidance begins. If cwnd is not below W_max, the curve begins flat from
 * where cwnd is: so it is after a timeout [RFC9438 4.8] and after a first slow start that nothing
 * ended but HyStart++ [RFC9438 4.10], when W_max is not defined.
 */
static void begin_epoch(struct curve *s, const struct cc *cc)
{
    s->epoch_has_begun = true;
    s->t_ns = 0;
    s->acked_at = NEVER;
    s->w_est_q32 = (uint64_t)cc->cwnd << 32;
    s->cwnd_q32 = 0;
    if (cc->cwnd < s->w_max) {
        s->k = cubic_curve_k(s->w_max - cc->cwnd, cc->mss);
    } else {
        s->k = 0;
        s->w_max = cc->cwnd;
    }
}

/*
 * Time in which cwnd was not used to the full does not count [RFC9438 4.2, 5.8]. Acknowledgements
 * of a busy connection are no more than a round trip apart, which may have been measured with a
 * clock of milliseconds: what is longer was a pause.
 */
static void count_time(struct curve *s, const struct cc_ack *ack)
{
    ns_t busy_ns = ns_after(ns_max(ack->srtt_ns, ack->rtt_ns), NS_MS);

    if (s->acked_at != NEVER)
        s->t_ns = ns_after(s->t_ns, ns_min(ns_since(s->acked_at, ack->now), busy_ns));
    s->acked_at = ack->now;
}

/* Adds alpha segments in a round trip, as W_est does [RFC9438 4.3, figure 4]. */
static void grow_w_est(struct curve *s, uint64_t share_q32, uint32_t mss)
{
    uint64_t growth_q32 = share_q32 * mss;

    if (s->w_est_q32 >> 32 < s->cwnd_prior)
        growth_q32 = growth_q32 * 9 / 17; /* alpha = 3 * (1 - beta) / (1 + beta) */
    s->w_est_q32 = s->w_est_q32 > UINT64_MAX - growth_q32 ? UINT64_MAX : s->w_est_q32 + growth_q32;
}

/* The window to reach within a round trip: not below cwnd, not above one and a half of it. */
static uint32_t target_of(const struct curve *s, const struct cc *cc, ns_t srtt_ns)
{
    uint32_t w = w_cubic(s, ns_after(s->t_ns, srtt_ns), cc->mss);
    uint32_t most = cc->cwnd < UINT32_MAX - cc->cwnd / 2 ? cc->cwnd + cc->cwnd / 2 : UINT32_MAX;

    return w < cc->cwnd ? cc->cwnd : w < most ? w : most;
}

static void grow_cwnd(struct curve *s, struct cc *cc, uint64_t growth_q32)
{
    uint64_t sum_q32 = (growth_q32 & UINT32_MAX) + s->cwnd_q32;

    s->cwnd_q32 = (uint32_t)sum_q32;
    cc_grow(cc, (uint32_t)((growth_q32 >> 32) + (sum_q32 >> 32)));
}

/* W_est never takes back what the cubic curve has given. */
static void follow_reno(struct curve *s, struct cc *cc)
{
    uint32_t w_est = (uint32_t)(s->w_est_q32 >> 32);

    if (w_est <= cc->cwnd)
        return;
    cc->cwnd = w_est;
    s->cwnd_q32 = (uint32_t)s->w_est_q32;
}

/* Below W_max (concave) and above it (convex) is the same [RFC9438 4.4, 4.5]. */
static void avoid(struct curve *s, struct cc *cc, const struct cc_ack *ack, uint32_t acked_bytes)
{
    uint64_t share_q32; /* of cwnd: 2^32 is a round trip's worth */

    if (!s->epoch_has_begun)
        begin_epoch(s, cc);
    count_time(s, ack);
    share_q32 = ((uint64_t)(acked_bytes < cc->cwnd ? acked_bytes : cc->cwnd) << 32) / cc->cwnd;
    grow_w_est(s, share_q32, cc->mss);
    s->is_reno_friendly = w_cubic(s, s->t_ns, cc->mss) < s->w_est_q32 >> 32;
    if (!s->is_reno_friendly)
        grow_cwnd(s, cc, (target_of(s, cc, ack->srtt_ns) - cc->cwnd) * share_q32);
    if (s->is_reno_friendly)
        follow_reno(s, cc);
}

/* HyStart++ is for the first slow start [RFC9406 4.3], when ssthresh is not known. */
static bool is_first_slow_start(const struct cc *cc)
{
    return cc_is_in_slow_start(cc) && cc->ssthresh == UINT32_MAX;
}

/* It looks at round trips whether or not they are used to the full. */
static void look_for_delay(struct cc *cc, uint32_t acked_bytes, uint32_t flight_bytes, ns_t rtt_ns)
{
    if (hystart_on_ack(hystart_of(cc), acked_bytes, flight_bytes, rtt_ns))
        cc->ssthresh = cc->cwnd;
}

static void start_for_the_first_time(struct cc *cc, const struct cc_ack *ack)
{
    if (ack->cwnd_limited)
        cc_grow(cc, hystart_growth_bytes(hystart_of(cc), ack->acked_bytes));
    look_for_delay(cc, ack->acked_bytes, ack->flight_bytes, ack->rtt_ns);
}

static void end_slow_start_as_linux(struct cc *cc, const struct cc_ack *ack)
{
    const size_t at = offsetof(struct cubic, hystart_classic);
    struct hystart_classic h;

    load_part(cc, at, &h, sizeof h);
    if (hystart_classic_on_ack(&h, cc, ack))
        cc->ssthresh = cc->cwnd;
    store_part(cc, at, &h, sizeof h);
}

static ns_t min_rtt_ns(const struct cc *cc)
{
    struct hystart_classic h;

    load_part(cc, offsetof(struct cubic, hystart_classic), &h, sizeof h);
    return h.min_rtt_ns == NEVER ? 0 : h.min_rtt_ns;
}

static void on_ack_as_linux(struct cc *cc, const struct cc_ack *ack)
{
    const size_t at = offsetof(struct cubic, classic);
    uint32_t acked_bytes = ack->acked_bytes;
    struct cubic_classic w;

    end_slow_start_as_linux(cc, ack);
    if (!ack->cwnd_limited)
        return;
    if (cc_is_in_slow_start(cc))
        acked_bytes -= cc_slow_start(cc, acked_bytes);
    if (acked_bytes == 0)
        return;
    load_part(cc, at, &w, sizeof w);
    cubic_classic_avoid(&w, cc, ack->now, acked_bytes, min_rtt_ns(cc));
    store_part(cc, at, &w, sizeof w);
}

/* What is left when cwnd has reached ssthresh opens the stage of congestion avoidance. */
static void grow(struct curve *s, struct cc *cc, const struct cc_ack *ack)
{
    uint32_t acked_bytes = ack->acked_bytes;

    if (cc_is_in_slow_start(cc)) {
        acked_bytes -= cc_slow_start(cc, acked_bytes);
        s->epoch_has_begun = false;
    }
    if (acked_bytes > 0)
        avoid(s, cc, ack, acked_bytes);
}

static WHOLE void on_ack(struct cc *cc, const struct cc_ack *ack) /* [RFC9438 4.2 to 4.5, 4.10] */
{
    struct curve now;

    CHECK(cc->mss > 0 && cc->mss <= MSS_MAX && cc->cwnd > 0);
    if (cc->as_linux) {
        on_ack_as_linux(cc, ack);
        return;
    }
    if (is_first_slow_start(cc)) {
        start_for_the_first_time(cc, ack);
        return;
    }
    load_part(cc, offsetof(struct cubic, now), &now, sizeof now);
    if (ack->cwnd_limited)
        grow(&now, cc, ack);
    else
        now.acked_at = NEVER;
    store_part(cc, offsetof(struct cubic, now), &now, sizeof now);
}

/* Time in which cwnd is not used does not count. */
static WHOLE bool on_unlimited_ack(struct cc *cc, uint32_t acked_bytes, uint32_t flight_bytes,
                                   ns_t rtt_ns)
{
    static const ns_t stands_still = NEVER;

    if (cc->as_linux)
        return false;
    if (is_first_slow_start(cc))
        look_for_delay(cc, acked_bytes, flight_bytes, rtt_ns);
    else
        store_part(cc, offsetof(struct cubic, now.acked_at), &stands_still, sizeof stands_still);
    return true;
}

/* 0.7 of what is under way, but least_segs segments [RFC9438 4.6]. */
static void reduce(struct cubic *s, struct cc *cc, uint32_t flight_bytes, uint32_t least_segs)
{
    uint32_t beta_bytes = (uint32_t)((uint64_t)flight_bytes * 7 / 10);

    s->now.cwnd_prior = cc->cwnd;
    s->now.epoch_has_begun = false;
    cc->ssthresh = u32_max(beta_bytes, least_segs * cc->mss);
}

static bool has_come_back(const struct curve *s, const struct cc *cc)
{
    return s->w_max < cc->mss || cc->cwnd > s->w_max - cc->mss;
}

/*
 * A flow that has not come back to W_max gives way to another: it remembers less than it had,
 * cwnd * (1 + beta) / 2 (fast convergence) [RFC9438 4.7]. Windows are compared in segments: the curve
 * comes so slowly to W_max that a fraction of one is always missing, and a flow that is alone would
 * give way to itself, loss by loss.
 */
static void on_congestion(struct cc *cc, uint32_t flight_bytes, uint32_t least_segs)
{
    struct cubic s = load(cc);

    s.before = s.now;
    s.now.w_max = has_come_back(&s.now, cc) ? cc->cwnd : (uint32_t)((uint64_t)cc->cwnd * 17 / 20);
    cubic_classic_on_congestion(&s.classic, cc);
    reduce(&s, cc, flight_bytes, least_segs);
    store(cc, &s);
}

static void on_loss(struct cc *cc, ns_t now, uint32_t flight_bytes)
{
    (void)now;
    on_congestion(cc, flight_bytes, 2);
}

/*
 * As for a loss, but cwnd may become a single segment [RFC9438 4.6]. ssthresh then is one as well,
 * where the RFC has two: from there to two, slow start and W_est take the same time.
 */
static void on_ecn(struct cc *cc, ns_t now, uint32_t flight_bytes)
{
    (void)now;
    on_congestion(cc, flight_bytes, 1);
}

/* W_max will be where slow start ends [RFC9438 4.8]. */
static void on_timeout(struct cc *cc, ns_t now, uint32_t flight_bytes)
{
    struct cubic s = load(cc);

    (void)now;
    if (cc->as_linux) {
        hystart_classic_init(&s.hystart_classic);
        cubic_classic_on_timeout(&s.classic, cc);
        store(cc, &s);
        return;
    }
    s.before = s.now;
    s.now.w_max = 0;
    reduce(&s, cc, flight_bytes, 2);
    store(cc, &s);
}

/*
 * The curve goes on where the reduction cut it off, unless cwnd has become larger in the meantime
 * than it was then [RFC9438 4.9.2].
 */
static void on_undo(struct cc *cc, ns_t now)
{
    struct cubic s = load(cc);

    (void)now;
    if (cc->cwnd <= s.now.cwnd_prior)
        s.now = s.before;
    hystart_restart_round(&s.hystart);
    store(cc, &s);
}

static void restart_as_linux(struct cc *cc, ns_t now, ns_t idle_ns)
{
    const size_t at = offsetof(struct cubic, classic);
    struct cubic_classic w;

    load_part(cc, at, &w, sizeof w);
    cubic_classic_on_restart(&w, now, idle_ns);
    store_part(cc, at, &w, sizeof w);
}

/* The curve stood still in the pause [RFC9438 4.2, 5.8]; it goes on with what is sent now. */
static void on_restart(struct cc *cc, ns_t now, ns_t idle_ns)
{
    const size_t acked_at = offsetof(struct cubic, now.acked_at);
    ns_t at;

    if (cc->as_linux) {
        restart_as_linux(cc, now, idle_ns);
        return;
    }
    load_part(cc, acked_at, &at, sizeof at);
    at = at == NEVER ? NEVER : now;
    store_part(cc, acked_at, &at, sizeof at);
    hystart_restart_round(hystart_of(cc));
}

static const char *phase(const struct cc *cc)
{
    struct cubic s = load(cc);

    if (cc_is_in_slow_start(cc))
        return s.hystart.is_in_css ? "conservative slow start" : "slow start";
    if (cc->as_linux)
        return cubic_classic_phase(&s.classic, cc);
    if (s.now.is_reno_friendly)
        return "Reno-friendly";
    return cc->cwnd < s.now.w_max ? "concave" : "convex";
}

const struct cc_ops cubic_ops = {
    .name = "cubic",
    .init = init,
    .on_ack = on_ack,
    .on_unlimited_ack = on_unlimited_ack,
    .on_loss = on_loss,
    .on_timeout = on_timeout,
    .on_ecn = on_ecn,
    .on_undo = on_undo,
    .on_restart = on_restart,
    .phase = phase,
};
