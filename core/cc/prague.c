/*
 * prague.c - Prague: a scalable congestion control for L4S [RFC9330, RFC9331 4]
 *
 * Like DCTCP it takes off cwnd half of the share of bytes that were marked, but for the
 * Internet, after draft-briscoe-iccrg-prague-congestion-control (cited as [Prague n.n]):
 *
 *   - all is paced, in bursts of a quarter of a millisecond, so that a queue of one
 *     millisecond is not marked for nothing;
 *   - cwnd grows for what arrives without a mark, also in the round trip after a reduction;
 *   - a flow of a shorter round trip than 25 ms behaves as if it had that one, once it has
 *     been around for a while: rates then depend little on round trips [RFC9331 4.3];
 *   - the window may become smaller than the two segments that keep acknowledgements coming;
 *     then pacing keeps to it;
 *   - a loss is answered as by Reno, and so are marks if they come from a queue that is too long
 *     for an L4S one: a bottleneck that marks like RFC 3168 [RFC9331 4.3].
 *
 * Q32 is a number with 32 bits after the point.
 */
#include "base/num.h"
#include "cc/cc.h"
#include "cc/hystart.h"

extern const struct cc_ops prague_ops;

enum {
    G_SHIFT = 4,                      /* alpha's gain is 1/16 [Prague 2.3.2] */
    ROUNDS_BEFORE_INDEPENDENCE = 500, /* after slow start, as Linux */
    WINDOWS_PER_MSS = 16,             /* the least window is that part of a segment */
    BURSTS_PER_S = 4000,              /* [RFC9331 4.3: bursts] */
    CLASSIC_ROUNDS = 30,              /* of marks with a long queue, until it counts as one */
};

static const ns_t RTT_REFERENCE_NS = 25 * NS_MS; /* [Prague 2.4.4] */
static const ns_t CLASSIC_QUEUE_NS = 5 * NS_MS;  /* an L4S queue is marked from 1 ms on */
static const uint64_t ONE_Q32 = UINT64_C(1) << 32;

struct __attribute__((may_alias)) prague {
    uint64_t window_q32;
    uint64_t alpha_by_g_q32;   /* no fraction of it is lost to rounding */
    uint64_t period_end_bytes; /* of those delivered: alpha is updated there ... */
    ns_t period_end_at;        /* ... but not before that */
    uint64_t cwr_end_bytes;
    ns_t cwr_end_at;
    ns_t min_rtt_ns;
    uint32_t acked_bytes; /* in the period */
    uint32_t marked_bytes;
    uint32_t cwnd;   /* as it was left: if it is not, someone has changed it */
    uint32_t rounds; /* since slow start ended */
    uint8_t classic_rounds;
    bool is_classic;
    bool is_reduced; /* since less than a round trip */
    bool has_seen_mark;
    struct hystart hystart;
};

_Static_assert(sizeof(struct prague) <= sizeof(((struct cc *)0)->state), "prague fits");

static struct prague *prague_of(const struct cc *cc)
{
    return (struct prague *)(uintptr_t)cc->state;
}

static uint32_t window_bytes(const struct prague *p)
{
    return (uint32_t)(p->window_q32 >> 32);
}

/* Loss recovery, a pause or another segment size have changed cwnd. */
static void take_over(struct prague *p, const struct cc *cc)
{
    if (cc->cwnd != p->cwnd)
        p->window_q32 = (uint64_t)cc->cwnd << 32;
}

/* The round trip that a flow behaves as if it had. */
static ns_t virtual_rtt(const struct prague *p, const struct cc_ack *ack)
{
    bool is_independent = p->rounds >= ROUNDS_BEFORE_INDEPENDENCE;

    return is_independent ? ns_max(ack->srtt_ns, RTT_REFERENCE_NS) : ack->srtt_ns;
}

static uint32_t sum_of(uint32_t a, uint32_t b)
{
    return a + u32_min(b, UINT32_MAX - a);
}

/* A queue that marks and is long all the same, for tens of rounds [RFC9331 4.3, appendix A.1.5]. */
static void look_for_classic_queue(struct prague *p, const struct cc_ack *ack)
{
    bool is_long = ack->srtt_ns > ns_after(p->min_rtt_ns, CLASSIC_QUEUE_NS);

    if (p->marked_bytes == 0)
        return;
    if (is_long && p->classic_rounds < CLASSIC_ROUNDS)
        p->classic_rounds++;
    if (!is_long && p->classic_rounds > 0)
        p->classic_rounds--;
    if (p->classic_rounds == CLASSIC_ROUNDS)
        p->is_classic = true;
    if (p->classic_rounds == 0)
        p->is_classic = false;
}

/* alpha += (fraction - alpha) * g, kept as alpha / g [Prague 2.3.2]. */
static void update_alpha(struct prague *p)
{
    uint64_t fraction_q32;

    p->has_seen_mark = p->has_seen_mark || p->marked_bytes > 0;
    if (!p->has_seen_mark || p->acked_bytes == 0)
        return;
    fraction_q32 = ((uint64_t)u32_min(p->marked_bytes, p->acked_bytes) << 32) / p->acked_bytes;
    p->alpha_by_g_q32 += fraction_q32 - (p->alpha_by_g_q32 >> G_SHIFT);
}

/* Once in a round trip, but no more often than in a virtual one. */
static void observe(struct prague *p, const struct cc *cc, const struct cc_ack *ack)
{
    p->acked_bytes = sum_of(p->acked_bytes, ack->acked_bytes);
    p->marked_bytes = sum_of(p->marked_bytes, ack->ce_bytes);
    if (ack->delivered_bytes < p->period_end_bytes || ack->now < p->period_end_at)
        return;
    look_for_classic_queue(p, ack);
    update_alpha(p);
    if (!cc_is_in_slow_start(cc) && p->rounds < ROUNDS_BEFORE_INDEPENDENCE)
        p->rounds++;
    p->acked_bytes = p->marked_bytes = 0;
    p->period_end_bytes = ack->delivered_bytes + ack->pipe_bytes;
    p->period_end_at = ns_after(ack->now, virtual_rtt(p, ack));
}

/* Of 2^20. A queue that is not an L4S one expects a half. */
static uint64_t alpha_q20(const struct prague *p)
{
    return p->is_classic ? 1u << 20 : p->alpha_by_g_q32 >> (G_SHIFT + 12);
}

/*
 * window * (1 - alpha / 2) [Prague 2.4.2]. The window without its last 21 bits times alpha has 31
 * bits after the point; that is half of it with 32.
 */
static void reduce(struct prague *p, struct cc *cc, const struct cc_ack *ack)
{
    uint64_t least_q32 = ((uint64_t)cc->mss << 32) / WINDOWS_PER_MSS;

    p->window_q32 -= (p->window_q32 >> 21) * alpha_q20(p);
    p->window_q32 = u64_max(p->window_q32, least_q32);
    cc->ssthresh = u32_max(window_bytes(p), 2 * cc->mss);
    p->is_reduced = true;
    p->cwr_end_bytes = ack->delivered_bytes + ack->pipe_bytes;
    p->cwr_end_at = ns_after(ack->now, virtual_rtt(p, ack));
}

/* Growth in a round trip that is a fraction of the virtual one: the square of that fraction. */
static uint64_t made_independent(uint64_t growth_q32, ns_t srtt_ns, ns_t virtual_ns)
{
    uint64_t srtt_us = (uint64_t)srtt_ns / NS_US, virtual_us = (uint64_t)virtual_ns / NS_US;

    if (srtt_us >= virtual_us)
        return growth_q32;
    return growth_q32 * srtt_us / virtual_us * srtt_us / virtual_us;
}

/*
 * A segment for a window that arrives without marks; for a round trip that is a fraction of the
 * virtual one, the square of that fraction [Prague 2.4.3, 2.4.4]. A window below a segment doubles.
 */
static void avoid(struct prague *p, const struct cc *cc, const struct cc_ack *ack, uint32_t bytes)
{
    uint32_t window = u32_max(window_bytes(p), 1);
    uint64_t share_q32 = ((uint64_t)u32_min(bytes, window) << 32) / window;
    uint64_t growth_q32 = share_q32 * u32_min(cc->mss, window);

    growth_q32 = made_independent(growth_q32, ack->srtt_ns, virtual_rtt(p, ack));
    p->window_q32 =
        p->window_q32 > UINT64_MAX - growth_q32 ? UINT64_MAX : p->window_q32 + growth_q32;
}

/* Ends with a mark, or when a queue grows that does not mark [Prague 2.4.5]. */
static void start_slowly(struct prague *p, struct cc *cc, const struct cc_ack *ack, uint32_t bytes)
{
    uint32_t growth = bytes;

    if (cc->ssthresh == UINT32_MAX)
        growth = hystart_growth_bytes(&p->hystart, bytes);
    growth = u32_min(growth, cc->ssthresh - window_bytes(p));
    p->window_q32 += (uint64_t)growth << 32;
    if (cc->ssthresh == UINT32_MAX
        && hystart_on_ack(&p->hystart, ack->acked_bytes, ack->flight_bytes, ack->rtt_ns))
        cc->ssthresh = window_bytes(p);
}

/*
 * Pacing holds a flow back before the window does, so that being held back by the window is not
 * asked for: it is enough that about as much is under way.
 */
static void grow(struct prague *p, struct cc *cc, const struct cc_ack *ack)
{
    uint32_t bytes = ack->acked_bytes - u32_min(ack->ce_bytes, ack->acked_bytes);
    uint64_t used_bytes = (uint64_t)ack->flight_bytes + ack->flight_bytes / 8 + 2 * cc->mss;

    if (!ack->cwnd_limited && used_bytes < window_bytes(p))
        return;
    if (cc_is_in_slow_start(cc))
        start_slowly(p, cc, ack, bytes);
    else
        avoid(p, cc, ack, bytes);
}

/* Window in a round trip, and twice that as long as it doubles [Prague 2.5]. */
static void set_pacing(const struct prague *p, struct cc *cc, ns_t srtt_ns)
{
    uint64_t srtt_us = u64_max((uint64_t)srtt_ns / NS_US, 1);
    uint64_t rate = (p->window_q32 >> 24) * (NS_S / NS_US) / srtt_us >> 8;

    if (srtt_ns <= 0)
        return;
    if (cc->cwnd < cc->ssthresh / 2)
        rate *= 2;
    cc->pacing_rate = u64_max(rate, 1);
    cc->send_quantum = (uint32_t)u64_min(u64_max(rate / BURSTS_PER_S, cc->mss), UINT32_MAX);
}

/* Two segments keep acknowledgements coming; below that the rate is all that becomes less. */
static void set_outputs(struct prague *p, struct cc *cc, ns_t srtt_ns)
{
    bool has_fraction = (p->window_q32 & UINT32_MAX) != 0 && window_bytes(p) != UINT32_MAX;

    cc->cwnd = u32_max(window_bytes(p) + has_fraction, 2 * cc->mss);
    p->cwnd = cc->cwnd;
    set_pacing(p, cc, srtt_ns);
}

/*
 * The first mark halves: nothing is known yet [RFC8257 3.3]. The initial window is paced, too, or its
 * burst would be marked.
 */
static void init(struct cc *cc)
{
    struct prague *p = prague_of(cc);

    *p = (struct prague){.cwnd = cc->cwnd, .min_rtt_ns = NEVER};
    p->window_q32 = (uint64_t)cc->cwnd << 32;
    p->alpha_by_g_q32 = ONE_Q32 << G_SHIFT;
    hystart_init(&p->hystart);
    set_pacing(p, cc, cc->srtt_ns);
}

static void on_ack(struct cc *cc, const struct cc_ack *ack)
{
    struct prague *p = prague_of(cc);

    take_over(p, cc);
    if (ack->rtt_ns > 0)
        p->min_rtt_ns = ns_min(p->min_rtt_ns, ack->rtt_ns);
    if (ack->delivered_bytes >= p->cwr_end_bytes && ack->now >= p->cwr_end_at)
        p->is_reduced = false;
    if (ack->ce_bytes > 0 && !p->is_reduced && !ack->in_recovery)
        reduce(p, cc, ack);
    grow(p, cc, ack);
    observe(p, cc, ack);
    set_outputs(p, cc, ack->srtt_ns);
}

static void on_delivered(struct cc *cc, const struct cc_ack *ack)
{
    observe(prague_of(cc), cc, ack);
}

/*
 * Half, as Reno [RFC9331 4.3]; what a mark has taken in the same round trip counts, so that both
 * together are about a half: (2 + alpha) / 4 of what it has left [Prague 2.4.1].
 */
static void on_loss(struct cc *cc, ns_t now, uint32_t flight_bytes)
{
    struct prague *p = prague_of(cc);
    uint64_t bytes = flight_bytes;

    (void)now;
    if (p->is_reduced)
        bytes = u64_min(bytes, window_bytes(p)) * ((2u << 20) + alpha_q20(p)) >> 21;
    cc->ssthresh = cc_half_of_flight(cc, (uint32_t)bytes);
}

static void on_timeout(struct cc *cc, ns_t now, uint32_t flight_bytes)
{
    (void)now;
    cc->ssthresh = cc_half_of_flight(cc, flight_bytes);
}

static void on_undo(struct cc *cc, ns_t now)
{
    (void)now;
    hystart_restart_round(&prague_of(cc)->hystart);
}

static void on_restart(struct cc *cc, ns_t now, ns_t idle_ns)
{
    (void)now, (void)idle_ns;
    hystart_restart_round(&prague_of(cc)->hystart);
}

static const char *phase(const struct cc *cc)
{
    const struct prague *p = prague_of(cc);

    if (cc_is_in_slow_start(cc))
        return p->hystart.is_in_css ? "conservative slow start" : "slow start";
    return p->is_classic ? "classic queue" : "congestion avoidance";
}

const struct cc_ops prague_ops = {
    .name = "prague",
    .ecn = CC_ECN_L4S,
    .without_counts = "cubic",
    .init = init,
    .on_ack = on_ack,
    .on_delivered = on_delivered,
    .on_loss = on_loss,
    .on_timeout = on_timeout,
    .on_undo = on_undo,
    .on_restart = on_restart,
    .phase = phase,
};
