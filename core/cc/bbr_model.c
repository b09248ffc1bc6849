/*
 * bbr_model.c - BBRv3's model of the path [BBR 5.5]
 *
 * max_bw is the most that was delivered, over this cycle of ProbeBW and the one before;
 * min_rtt the shortest round trip of 10 s, which ProbeRTT makes visible every 5 s.
 * inflight_longterm is how much could be in flight without too much loss when that was
 * probed last; the shortterm bounds are what was delivered in rounds with loss since.
 */
#include "cc/bbr.h"

enum {
    RATE_BITS = 40,           /* about 9 Tbit/s */
    EXTRA_ACKED_ROUNDS = 5,   /* each of two spans [BBR 2.11: 10 rounds] */
    MIN_RTT_FILTER_S = 10,    /* [BBR 2.13.1] */
    PROBE_RTT_INTERVAL_S = 5, /* [BBR 2.13.2] */
    DURATION_MAX_S = 16,      /* longer ones count as that */
    FULL_BW_GROWTH_PERCENT = 125,
    FULL_BW_ROUNDS = 3,
};

/* Rates beyond 29 bits lose what is below the 29th bit: a duration has 34. */
uint64_t bbr_bytes_of(uint64_t rate, ns_t duration_ns)
{
    uint64_t bounded_ns = (uint64_t)ns_max(0, ns_min(duration_ns, DURATION_MAX_S * NS_S));
    uint64_t bounded_rate = u64_min(rate, UINT64_C(1) << RATE_BITS);
    uint64_t product;
    unsigned shift = 0;

    while (bounded_rate >> shift >= 1u << 29)
        shift++;
    product = (bounded_rate >> shift) * bounded_ns;
    return (product / NS_S << shift) + (product % NS_S << shift) / NS_S;
}

uint64_t bbr_rate_of(uint64_t bytes, ns_t duration_ns)
{
    uint64_t bounded_bytes = u64_min(bytes, UINT64_C(1) << 34);

    if (duration_ns <= 0)
        return 0;
    return u64_min(bounded_bytes * NS_S / (uint64_t)duration_ns, UINT64_C(1) << RATE_BITS);
}

uint64_t bbr_sample_rate(const struct cc_ack *ack)
{
    return bbr_rate_of(ack->rate.delivered_bytes, ack->rate.interval_ns);
}

bool bbr_is_limited_sample(const struct bbr *b, const struct cc_ack *ack)
{
    return ack->rate.is_app_limited || ack->rate.prior_delivered_bytes < b->limited_until_bytes;
}

static bool is_loss_too_high(uint32_t lost_bytes, uint32_t tx_in_flight_bytes)
{
    return (uint64_t)lost_bytes * 100 > (uint64_t)tx_in_flight_bytes * BBR_LOSS_THRESH_PERCENT;
}

bool bbr_is_sample_too_high(const struct cc_ack *ack)
{
    return is_loss_too_high(ack->rate.lost_bytes, ack->rate.tx_in_flight_bytes);
}

uint32_t bbr_bdp(const struct bbr *b, uint64_t bw)
{
    return (uint32_t)u64_min(bbr_bytes_of(bw, b->min_rtt_ns), UINT32_MAX);
}

void bbr_start_round(struct bbr *b)
{
    b->next_round_bytes = b->delivered_bytes;
}

void bbr_reset_congestion_signals(struct bbr *b)
{
    b->loss_in_round = b->ce_in_round = false;
    b->bw_latest = 0;
    b->inflight_latest = 0;
}

void bbr_reset_shortterm(struct bbr *b)
{
    b->bw_shortterm = BBR_RATE_INFINITE;
    b->inflight_shortterm = BBR_INFINITE;
}

void bbr_reset_full_bw(struct bbr *b, uint64_t baseline)
{
    b->full_bw = baseline;
    b->full_bw_count = 0;
    b->full_bw_now = false;
}

void bbr_advance_max_bw(struct bbr *b)
{
    b->max_bw[0] = b->max_bw[1];
    b->max_bw[1] = 0;
}

void bbr_model_init(struct cc *cc)
{
    struct bbr *b = bbr_of(cc);

    b->min_rtt_ns = b->probe_rtt_min_ns = NEVER;
    b->min_rtt_at = b->probe_rtt_min_at = NEVER;
    b->extra_acked_at = NEVER;
    b->inflight_longterm = BBR_INFINITE;
    bbr_reset_shortterm(b);
}

/* What was sent when the round began has been delivered [BBR 5.5.1]. */
static void count_round(struct bbr *b, const struct cc_ack *ack)
{
    b->delivered_bytes = ack->delivered_bytes;
    b->round_start = ack->rate.prior_delivered_bytes >= b->next_round_bytes;
    if (!b->round_start)
        return;
    bbr_start_round(b);
    b->round_count++;
    b->rounds_since_probe_up++;
}

/* What an application held back is no sample, unless the path delivered more all the same. */
static void update_max_bw(struct bbr *b, const struct cc_ack *ack)
{
    uint64_t rate = bbr_sample_rate(ack);

    if (rate >= bbr_max_bw(b) || !bbr_is_limited_sample(b, ack))
        b->max_bw[1] = u64_max(b->max_bw[1], rate);
}

static void init_shortterm(const struct cc *cc, struct bbr *b)
{
    if (b->bw_shortterm == BBR_RATE_INFINITE)
        b->bw_shortterm = bbr_max_bw(b);
    if (b->inflight_shortterm == BBR_INFINITE)
        b->inflight_shortterm = cc->cwnd;
}

/*
 * Once in a round with loss: what was delivered in it, or seven tenths of the bound so far, if
 * that is more [BBR 5.5.10.3]. With marks, what is delivered shows no congestion: seven tenths.
 */
static void lower_shortterm(const struct cc *cc, struct bbr *b)
{
    if (bbr_is_probing_bw(b) || !(b->loss_in_round || b->ce_in_round))
        return;
    init_shortterm(cc, b);
    b->bw_shortterm = u64_max(b->bw_latest, b->bw_shortterm / 100 * BBR_BETA_PERCENT
                                                + b->bw_shortterm % 100 * BBR_BETA_PERCENT / 100);
    b->inflight_shortterm = bbr_percent(b->inflight_shortterm, BBR_BETA_PERCENT);
    if (!b->ce_in_round)
        b->inflight_shortterm = u32_max(b->inflight_shortterm, b->inflight_latest);
}

static void update_latest(struct bbr *b, const struct cc_ack *ack)
{
    uint32_t delivered = (uint32_t)u64_min(ack->rate.delivered_bytes, UINT32_MAX);

    b->bw_latest = u64_max(b->bw_latest, bbr_sample_rate(ack));
    b->inflight_latest = u32_max(b->inflight_latest, delivered);
    b->loss_round_start = ack->rate.prior_delivered_bytes >= b->loss_round_bytes;
    if (b->loss_round_start)
        b->loss_round_bytes = b->delivered_bytes;
}

static void update_congestion_signals(struct cc *cc, struct bbr *b, const struct cc_ack *ack)
{
    update_max_bw(b, ack);
    if (!b->loss_round_start)
        return;
    lower_shortterm(cc, b);
    if (!b->ce_in_round || b->state != BBR_STARTUP)
        b->ce_rounds = 0;
    else if (b->ce_rounds < UINT8_MAX)
        b->ce_rounds++;
    b->loss_in_round = b->ce_in_round = false;
}

static void start_extra_acked_span(struct bbr *b)
{
    uint8_t rounds = b->full_bw_reached ? EXTRA_ACKED_ROUNDS : 1;

    if (!b->round_start || ++b->extra_acked_rounds < rounds)
        return;
    b->extra_acked_rounds = 0;
    b->extra_acked[0] = b->extra_acked[1];
    b->extra_acked[1] = 0;
}

/* How much more is acknowledged, in a burst, than bw explains [BBR 5.5.9]. */
static void update_extra_acked(const struct cc *cc, struct bbr *b, const struct cc_ack *ack)
{
    uint64_t expected = bbr_bytes_of(b->bw, ns_since(b->extra_acked_at, ack->now));
    uint32_t extra;

    start_extra_acked_span(b);
    if (b->extra_acked_delivered <= expected) {
        b->extra_acked_delivered = 0;
        b->extra_acked_at = ack->now;
        expected = 0;
    }
    b->extra_acked_delivered += u32_min(ack->acked_bytes, UINT32_MAX - b->extra_acked_delivered);
    extra = u32_min(b->extra_acked_delivered - (uint32_t)expected, cc->cwnd);
    b->extra_acked[1] = u32_max(b->extra_acked[1], extra);
}

/*
 * Three rounds in a row in which the rate did not grow by a quarter: the pipe is full [BBR 5.3.1.2].
 */
static void check_full_bw(struct bbr *b, const struct cc_ack *ack)
{
    uint64_t rate = bbr_sample_rate(ack);

    if (b->full_bw_now || !b->round_start || bbr_is_limited_sample(b, ack))
        return;
    if (rate * 100 >= b->full_bw * FULL_BW_GROWTH_PERCENT) {
        bbr_reset_full_bw(b, rate);
        return;
    }
    if (++b->full_bw_count >= FULL_BW_ROUNDS)
        b->full_bw_now = b->full_bw_reached = true;
}

void bbr_model_on_ack(struct cc *cc, const struct cc_ack *ack)
{
    struct bbr *b = bbr_of(cc);

    count_round(b, ack);
    update_latest(b, ack);
    update_congestion_signals(cc, b, ack);
    update_extra_acked(cc, b, ack);
    check_full_bw(b, ack);
}

static bool is_over(ns_t since, ns_t duration_s, ns_t now)
{
    return since != NEVER && now > ns_after(since, duration_s * NS_S);
}

/* min_rtt becomes longer only through what was measured in the last 10 s [BBR 5.3.4.3]. */
void bbr_model_update_min_rtt(struct bbr *b, const struct cc_ack *ack)
{
    bool is_expired = is_over(b->min_rtt_at, MIN_RTT_FILTER_S, ack->now);

    b->probe_rtt_expired = is_over(b->probe_rtt_min_at, PROBE_RTT_INTERVAL_S, ack->now);
    if (ack->rtt_ns > 0 && (ack->rtt_ns < b->probe_rtt_min_ns || b->probe_rtt_expired)) {
        b->probe_rtt_min_ns = ack->rtt_ns;
        b->probe_rtt_min_at = ack->now;
    }
    if (b->probe_rtt_min_ns < b->min_rtt_ns || is_expired) {
        b->min_rtt_ns = b->probe_rtt_min_ns;
        b->min_rtt_at = b->probe_rtt_min_at;
    }
}

void bbr_model_advance(struct bbr *b, const struct cc_ack *ack)
{
    if (b->loss_round_start) {
        b->bw_latest = bbr_sample_rate(ack);
        b->inflight_latest = (uint32_t)u64_min(ack->rate.delivered_bytes, UINT32_MAX);
    }
    b->bw = bbr_is_probing_bw(b) ? bbr_max_bw(b) : u64_min(bbr_max_bw(b), b->bw_shortterm);
}

void bbr_note_congestion(struct bbr *b)
{
    if (!b->loss_in_round && !b->ce_in_round)
        b->loss_round_bytes = b->delivered_bytes;
}

/*
 * Of a burst of which a part was lost, as much as had been in flight when the share of what was
 * lost crossed the threshold: with prev bytes in flight before it, of which lost_prev were lost,
 * (lost_prev + x) / (prev + x) = threshold [BBR 5.5.10.2]. Losses before it may have crossed it
 * already: then nothing of it, as in Linux.
 */
uint32_t bbr_inflight_at_loss(const struct cc_lost *lost)
{
    uint32_t bytes = u32_min(lost->bytes, lost->tx_in_flight_bytes);
    uint64_t prev = lost->tx_in_flight_bytes - bytes;
    uint64_t lost_prev = lost->lost_since_bytes - u32_min(bytes, lost->lost_since_bytes);
    uint64_t allowed = prev * BBR_LOSS_THRESH_PERCENT;

    if (allowed <= lost_prev * 100)
        return (uint32_t)prev;
    return (uint32_t)(prev + (allowed - lost_prev * 100) / (100 - BBR_LOSS_THRESH_PERCENT));
}
