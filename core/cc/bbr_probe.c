/*
 * bbr_probe.c - BBRv3's state machine [BBR 5.3]
 *
 * Startup doubles the rate until it stops growing, Drain empties the queue that this has
 * made. ProbeBW then goes around: DOWN leaves room, CRUISE keeps it, REFILL fills the pipe
 * again and UP sends a quarter more than it takes, every two to three seconds or as often
 * as a Reno flow would. ProbeRTT halves what is in flight every five seconds if nothing
 * else has shown the path without a queue.
 *
 * How long to wait for the next probe is to be random, so that flows do not probe together.
 * It is a hash of the clock and of what the connection has delivered and counted so far, which
 * no two flows share, and which the same inputs repeat.
 */
#include "cc/bbr.h"

enum {
    STARTUP_FULL_LOSS_COUNT = 6, /* [BBR 2.7] */
    STARTUP_FULL_CE_ROUNDS = 2,
    DRAIN_ROUNDS = 3,        /* [BBR 5.3.2] */
    PROBE_WAIT_US = 2000000, /* and as much as a second more [BBR 5.3.3.8] */
    PROBE_WAIT_RANDOM_US = 1000000,
    RENO_ROUNDS_MAX = 63,
    PROBE_UP_ROUNDS_MAX = 30,
    PROBE_RTT_DURATION_MS = 200, /* [BBR 2.13.2] */
    PROBE_RTT_CWND_PERCENT = 50,
};

static uint64_t random_of(const struct bbr *b, ns_t now)
{
    uint64_t x = (uint64_t)now ^ b->delivered_bytes * UINT64_C(0x9e3779b97f4a7c15);

    x += (uint64_t)b->round_count << 32 ^ b->bw;
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static void choose_probe_wait(struct bbr *b, ns_t now)
{
    uint64_t random = random_of(b, now);

    b->rounds_since_probe_up = random & 1;
    b->probe_wait_us = PROBE_WAIT_US + (uint32_t)((random >> 1) % PROBE_WAIT_RANDOM_US);
}

static void start_startup(struct bbr *b)
{
    b->state = BBR_STARTUP;
}

static void start_down(struct bbr *b, ns_t now) /* [BBR 5.3.3.1] */
{
    bbr_reset_congestion_signals(b);
    b->probe_up_per_inc = BBR_INFINITE;
    choose_probe_wait(b, now);
    b->cycle_at = now;
    b->ack_phase = BBR_ACKS_PROBE_STOPPING;
    bbr_start_round(b);
    b->state = BBR_DOWN;
}

static void start_refill(struct bbr *b) /* [BBR 5.3.3.3] */
{
    bbr_reset_shortterm(b);
    b->probe_up_rounds = 0;
    b->probe_up_acked = 0;
    b->prev_probe_precautionary = false;
    b->ack_phase = BBR_ACKS_REFILLING;
    bbr_start_round(b);
    b->state = BBR_REFILL;
}

/* A segment in the first round of UP, then two, four and so on [BBR 5.3.3.4]. */
static void raise_slope(const struct cc *cc, struct bbr *b)
{
    b->probe_up_per_inc = u32_max(cc->cwnd >> b->probe_up_rounds, cc->mss);
    if (b->probe_up_rounds < PROBE_UP_ROUNDS_MAX)
        b->probe_up_rounds++;
}

static void start_up(const struct cc *cc, struct bbr *b, const struct cc_ack *ack)
{
    b->ack_phase = BBR_ACKS_PROBE_STARTING;
    bbr_start_round(b);
    bbr_reset_full_bw(b, bbr_sample_rate(ack));
    b->state = BBR_UP;
    raise_slope(cc, b);
}

uint32_t bbr_headroom(const struct cc *cc)
{
    const struct bbr *b = bbr_of(cc);
    uint32_t headroom;

    if (b->inflight_longterm == BBR_INFINITE)
        return BBR_INFINITE;
    headroom = u32_max(cc->mss, bbr_percent(b->inflight_longterm, BBR_HEADROOM_PERCENT));
    if (b->inflight_longterm <= headroom)
        return bbr_min_pipe(cc);
    return u32_max(b->inflight_longterm - headroom, bbr_min_pipe(cc));
}

uint32_t bbr_probe_rtt_cwnd(const struct cc *cc)
{
    const struct bbr *b = bbr_of(cc);
    uint32_t bdp = b->min_rtt_ns == NEVER ? b->initial_cwnd : bbr_bdp(b, b->bw);

    return u32_max(bbr_percent(bdp, PROBE_RTT_CWND_PERCENT), bbr_min_pipe(cc));
}

/*
 * Startup also ends when a round of recovery had much loss, in six acknowledgements at least: the
 * draft counts ranges of lost bytes, which are not known here [BBR 5.3.1.3]. Marks in two rounds in
 * a row end it, as in Linux.
 */
static bool is_startup_congested(struct bbr *b, const struct cc_ack *ack)
{
    bool is_congested;

    if (ack->lost_bytes > 0 && b->loss_events < STARTUP_FULL_LOSS_COUNT)
        b->loss_events++;
    is_congested = b->loss_round_start && ack->in_recovery
                   && b->loss_events >= STARTUP_FULL_LOSS_COUNT && bbr_is_sample_too_high(ack);
    if (b->loss_round_start)
        b->loss_events = 0;
    return is_congested || b->ce_rounds >= STARTUP_FULL_CE_ROUNDS;
}

static void check_startup_done(struct bbr *b, const struct cc_ack *ack)
{
    if (!b->full_bw_reached && is_startup_congested(b, ack)) {
        b->undo_state = BBR_STARTUP;
        b->full_bw_reached = true;
        b->inflight_longterm = u32_max(bbr_bdp(b, b->bw), b->inflight_latest);
    }
    if (b->state != BBR_STARTUP || !b->full_bw_reached)
        return;
    b->state = BBR_DRAIN;
    b->drain_start_round = b->round_count;
}

static void check_drain_done(const struct cc *cc, struct bbr *b, const struct cc_ack *ack)
{
    if (b->state != BBR_DRAIN)
        return;
    if (ack->pipe_bytes <= bbr_inflight(cc, b->bw)
        || b->round_count - b->drain_start_round > DRAIN_ROUNDS)
        start_down(b, ack->now);
}

/* More and more while cwnd is held back by nothing but this bound [BBR 5.3.3.4]. */
static void raise_longterm(const struct cc *cc, struct bbr *b, const struct cc_ack *ack)
{
    uint32_t incs;

    if (!ack->cwnd_limited || cc->cwnd < b->inflight_longterm)
        return;
    b->probe_up_acked += u32_min(ack->acked_bytes, UINT32_MAX - b->probe_up_acked);
    incs = b->probe_up_acked / b->probe_up_per_inc;
    b->probe_up_acked -= incs * b->probe_up_per_inc;
    b->inflight_longterm =
        (uint32_t)u64_min(b->inflight_longterm + (uint64_t)incs * cc->mss, BBR_INFINITE - 1);
    if (b->round_start)
        raise_slope(cc, b);
}

/* What was in flight without too much loss may be in flight [BBR 5.5.10.2]. */
static void adapt_longterm(const struct cc *cc, struct bbr *b, const struct cc_ack *ack)
{
    if (b->inflight_longterm == BBR_INFINITE || bbr_is_sample_too_high(ack))
        return;
    b->inflight_longterm = u32_max(b->inflight_longterm, ack->rate.tx_in_flight_bytes);
    if (b->state == BBR_UP)
        raise_longterm(cc, b, ack);
}

/*
 * The acknowledgements of what a probe has sent arrive up to a round after it [BBR 5.3.3]. If it
 * was cut short for nothing but caution, the next one follows at once.
 */
static void advance_ack_phase(struct bbr *b, const struct cc_ack *ack)
{
    if (!b->round_start)
        return;
    if (b->ack_phase == BBR_ACKS_PROBE_STARTING) {
        b->ack_phase = BBR_ACKS_PROBE_FEEDBACK;
        return;
    }
    if (b->ack_phase != BBR_ACKS_PROBE_STOPPING)
        return;
    b->is_probe_sample = false;
    b->ack_phase = BBR_ACKS_INIT;
    if (!bbr_is_in_probe_bw(b))
        return;
    if (!bbr_is_limited_sample(b, ack))
        bbr_advance_max_bw(b);
    if (b->prev_probe_precautionary && !b->prev_probe_too_high)
        start_refill(b);
}

/* As often as a Reno flow of that size would find a loss, but not more rarely than that. */
static bool is_reno_time(const struct cc *cc, const struct bbr *b)
{
    uint32_t rounds = u32_min(bbr_bdp(b, b->bw), cc->cwnd) / cc->mss;

    return b->rounds_since_probe_up >= u32_min(rounds, RENO_ROUNDS_MAX);
}

static bool is_probe_time(const struct cc *cc, const struct bbr *b, ns_t now) /* [BBR 5.3.3.8] */
{
    return now > ns_after(b->cycle_at, (ns_t)b->probe_wait_us * NS_US) || is_reno_time(cc, b);
}

static bool is_cruise_time(const struct cc *cc, const struct bbr *b, const struct cc_ack *ack)
{
    return ack->pipe_bytes <= bbr_headroom(cc)
           && ack->pipe_bytes <= bbr_inflight(cc, bbr_max_bw(b));
}

/*
 * UP is over before it does harm if the one before did, and when the rate has stopped growing,
 * unless that was because of inflight_longterm itself [BBR 5.3.3.4].
 */
static bool is_up_done(const struct cc *cc, struct bbr *b, const struct cc_ack *ack)
{
    if (b->prev_probe_too_high && ack->pipe_bytes >= b->inflight_longterm) {
        b->prev_probe_precautionary = true;
        return true;
    }
    if (ack->cwnd_limited && cc->cwnd >= b->inflight_longterm) {
        bbr_reset_full_bw(b, bbr_sample_rate(ack));
        return false;
    }
    return b->full_bw_now;
}

static void go_around(const struct cc *cc, struct bbr *b, const struct cc_ack *ack)
{
    switch ((enum bbr_state)b->state) {
    case BBR_DOWN:
        if (is_probe_time(cc, b, ack->now))
            start_refill(b);
        else if (is_cruise_time(cc, b, ack))
            b->state = BBR_CRUISE;
        break;
    case BBR_CRUISE:
        if (is_probe_time(cc, b, ack->now))
            start_refill(b);
        break;
    case BBR_REFILL:
        if (b->round_start) {
            b->is_probe_sample = true;
            start_up(cc, b, ack);
        }
        break;
    case BBR_UP:
        if (is_up_done(cc, b, ack)) {
            b->prev_probe_too_high = false;
            start_down(b, ack->now);
        }
        break;
    case BBR_STARTUP:
    case BBR_DRAIN:
    case BBR_PROBE_RTT:
    case BBR_STATES: break;
    }
}

void bbr_probe_on_ack(struct cc *cc, const struct cc_ack *ack)
{
    struct bbr *b = bbr_of(cc);

    check_startup_done(b, ack);
    check_drain_done(cc, b, ack);
    if (!b->full_bw_reached)
        return;
    advance_ack_phase(b, ack);
    adapt_longterm(cc, b, ack);
    go_around(cc, b, ack);
}

/* Reacts once in a probe, and to nothing else than a probe [BBR 5.5.10.2]. */
void bbr_probe_on_too_high(struct cc *cc, ns_t now, uint32_t inflight_bytes, bool is_app_limited)
{
    struct bbr *b = bbr_of(cc);
    uint32_t target = u32_min(bbr_bdp(b, b->bw), cc->cwnd);

    if (!b->is_probe_sample)
        return;
    b->prev_probe_too_high = true;
    b->is_probe_sample = false;
    if (!is_app_limited)
        b->inflight_longterm = u32_max(inflight_bytes, bbr_percent(target, BBR_BETA_PERCENT));
    if (b->state != BBR_UP)
        return;
    b->undo_state = BBR_UP;
    start_down(b, now);
}

/* ---- ProbeRTT [BBR 5.3.4.3] ---- */

static void enter_probe_rtt(struct cc *cc, struct bbr *b)
{
    bbr_save_cwnd(cc);
    b->state = BBR_PROBE_RTT;
    b->probe_rtt_done_at = NEVER;
    b->ack_phase = BBR_ACKS_PROBE_STOPPING;
    bbr_start_round(b);
}

/* What was before a timeout comes back when it is over, not in one burst in the midst of it. */
static void leave_probe_rtt(struct cc *cc, struct bbr *b, ns_t now)
{
    b->probe_rtt_min_at = now;
    if (!b->after_timeout)
        bbr_restore_cwnd(cc);
    bbr_reset_shortterm(b);
    if (!b->full_bw_reached) {
        start_startup(b);
        return;
    }
    start_down(b, now);
    b->state = BBR_CRUISE;
}

static void check_probe_rtt_done(struct cc *cc, struct bbr *b, ns_t now)
{
    if (b->probe_rtt_done_at != NEVER && now > b->probe_rtt_done_at)
        leave_probe_rtt(cc, b, now);
}

static void hold_probe_rtt(struct cc *cc, struct bbr *b, const struct cc_ack *ack)
{
    b->limited_until_bytes = b->delivered_bytes + ack->pipe_bytes;
    if (b->probe_rtt_done_at == NEVER) {
        if (ack->pipe_bytes > bbr_probe_rtt_cwnd(cc))
            return;
        b->probe_rtt_done_at = ns_after(ack->now, PROBE_RTT_DURATION_MS * NS_MS);
        b->probe_rtt_round_done = false;
        bbr_start_round(b);
        return;
    }
    b->probe_rtt_round_done |= b->round_start;
    if (b->probe_rtt_round_done)
        check_probe_rtt_done(cc, b, ack->now);
}

void bbr_probe_rtt_on_ack(struct cc *cc, const struct cc_ack *ack)
{
    struct bbr *b = bbr_of(cc);

    if (b->state != BBR_PROBE_RTT && b->probe_rtt_expired && !b->idle_restart)
        enter_probe_rtt(cc, b);
    if (b->state == BBR_PROBE_RTT)
        hold_probe_rtt(cc, b, ack);
    b->idle_restart = false;
}

/* The pause was a ProbeRTT, too [BBR 5.4]. */
void bbr_probe_on_restart(struct cc *cc, ns_t now)
{
    struct bbr *b = bbr_of(cc);

    if (b->state == BBR_PROBE_RTT)
        check_probe_rtt_done(cc, b, now);
}

/* What a loss has ended that was none begins again [BBR 5.5.11]. */
void bbr_probe_on_undo(struct cc *cc)
{
    struct bbr *b = bbr_of(cc);

    if (b->state == BBR_PROBE_RTT || b->state == b->undo_state)
        return;
    if (b->undo_state == BBR_STARTUP) {
        b->full_bw_reached = false;
        start_startup(b);
    } else if (b->undo_state == BBR_UP) {
        start_refill(b);
    }
}
