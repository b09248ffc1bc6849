/*
 * bbr.c - BBRv3: as much in flight as the path holds without a queue [draft-ietf-ccwg-bbr]
 *
 * Not losses but a model decides: how fast the path delivers, and how long its round trip
 * is. Here is the order of work for an acknowledgement [BBR 5.2.3] and what follows from the
 * model: the pacing rate, how much is sent at once, and cwnd [BBR 5.6]. The rest is in
 * bbr_model.c and bbr_probe.c; all state is struct bbr.
 *
 * Cwnd is kept in recovery, too, which is why ssthresh means nothing here. A mark is answered
 * once in a round trip: like a loss by the bounds, but without regard to what was delivered,
 * and like too much loss in a probe [RFC3168 5].
 */
#include "cc/bbr.h"

extern const struct cc_ops bbr_ops;

enum {
    STARTUP_GAIN = 277, /* 4 ln 2 [BBR 2.4] */
    DRAIN_GAIN = 50,
    DOWN_GAIN = 90,
    STEADY_GAIN = 100,
    UP_GAIN = 125,
    CWND_GAIN = 200,
    UP_CWND_GAIN = 225,
    PACED_PERCENT = 99, /* a little less than there is, so that queues empty [BBR 2.5] */
    QUANTUM_MAX = 64 * 1024,
    OFFLOAD_QUANTA = 3, /* [BBR 5.5.8] */
};

_Static_assert(sizeof(struct bbr) <= sizeof(((struct cc *)0)->state), "bbr fits");

static const uint16_t pacing_gains[BBR_STATES] = {
    [BBR_STARTUP] = STARTUP_GAIN,  [BBR_DRAIN] = DRAIN_GAIN,   [BBR_DOWN] = DOWN_GAIN,
    [BBR_CRUISE] = STEADY_GAIN,    [BBR_REFILL] = STEADY_GAIN, [BBR_UP] = UP_GAIN,
    [BBR_PROBE_RTT] = STEADY_GAIN,
};

static const char *const names[BBR_STATES] = {
    "Startup",        "Drain",      "ProbeBW DOWN", "ProbeBW CRUISE",
    "ProbeBW REFILL", "ProbeBW UP", "ProbeRTT",
};

/* A rate has 40 bits, a gain 9, a hundred 7. None at all would mean: not paced. */
static uint64_t paced(uint64_t rate, uint32_t gain)
{
    return u64_max(rate * gain / 100 * PACED_PERCENT / 100, 1);
}

static void set_send_quantum(struct cc *cc) /* [BBR 5.6.3] */
{
    uint64_t bytes = bbr_bytes_of(cc->pacing_rate, NS_MS);

    cc->send_quantum = (uint32_t)u64_max(u64_min(bytes, QUANTUM_MAX), 2 * (uint64_t)cc->mss);
}

/* The initial window in a round trip, which is taken for a millisecond until it is known. */
static void set_initial_rate(struct cc *cc, ns_t srtt_ns) /* [BBR 5.6.2] */
{
    uint64_t rate = bbr_rate_of(bbr_of(cc)->initial_cwnd, srtt_ns) * STARTUP_GAIN / 100;

    cc->pacing_rate = u64_max(rate, 1);
    set_send_quantum(cc);
}

static void init(struct cc *cc)
{
    struct bbr *b = bbr_of(cc);

    *b = (struct bbr){
        .initial_cwnd = cc->cwnd,
        .prior_cwnd = cc->cwnd,
        .probe_rtt_done_at = NEVER,
        .cycle_at = NEVER,
        .probe_up_per_inc = BBR_INFINITE,
        .state = BBR_STARTUP,
        .undo_state = BBR_STATES,
        .has_seen_rtt = cc->srtt_ns > 0,
    };
    bbr_model_init(cc);
    set_initial_rate(cc, cc->srtt_ns > 0 ? cc->srtt_ns : NS_MS);
}

uint32_t bbr_quantize(const struct cc *cc, uint64_t bytes)
{
    const struct bbr *b = bbr_of(cc);
    uint64_t least = u64_max((uint64_t)cc->send_quantum * OFFLOAD_QUANTA, bbr_min_pipe(cc));

    bytes = u64_max(bytes, least);
    if (b->state == BBR_UP)
        bytes += 2 * cc->mss;
    return (uint32_t)u64_min(bytes, UINT32_MAX);
}

uint32_t bbr_inflight(const struct cc *cc, uint64_t bw)
{
    const struct bbr *b = bbr_of(cc);

    return bbr_quantize(cc, b->min_rtt_ns == NEVER ? b->initial_cwnd : bbr_bdp(b, bw));
}

/* Before the pipe is full, a lower sample is no reason to send more slowly. */
static void set_pacing_rate(struct cc *cc, const struct cc_ack *ack) /* [BBR 5.6.2] */
{
    struct bbr *b = bbr_of(cc);
    uint64_t rate = paced(b->bw, pacing_gains[b->state]);

    if (!b->has_seen_rtt && ack->srtt_ns > 0) {
        b->has_seen_rtt = true;
        set_initial_rate(cc, ack->srtt_ns);
    }
    if (b->bw > 0 && (b->full_bw_reached || rate > cc->pacing_rate))
        cc->pacing_rate = rate;
}

static uint32_t max_inflight(const struct cc *cc) /* [BBR 5.6.4.2] */
{
    const struct bbr *b = bbr_of(cc);
    uint32_t gain = b->state == BBR_UP ? UP_CWND_GAIN : CWND_GAIN;
    uint64_t bdp = b->min_rtt_ns == NEVER ? b->initial_cwnd : bbr_bdp(b, b->bw);

    return bbr_quantize(cc, bdp * gain / 100 + u32_max(b->extra_acked[0], b->extra_acked[1]));
}

/* The bounds that hold in a state [BBR 5.6.4.7]. */
static uint32_t model_cap(const struct cc *cc)
{
    const struct bbr *b = bbr_of(cc);
    uint32_t cap = BBR_INFINITE;

    if (b->state == BBR_DOWN || b->state == BBR_REFILL || b->state == BBR_UP)
        cap = b->inflight_longterm;
    else if (b->state == BBR_CRUISE || b->state == BBR_PROBE_RTT)
        cap = bbr_headroom(cc);
    return u32_max(u32_min(cap, b->inflight_shortterm), bbr_min_pipe(cc));
}

static void set_cwnd(struct cc *cc, const struct cc_ack *ack) /* [BBR 5.6.4.6] */
{
    const struct bbr *b = bbr_of(cc);
    uint32_t most = max_inflight(cc);

    if (b->full_bw_reached) {
        cc_grow(cc, ack->acked_bytes);
        cc->cwnd = u32_min(cc->cwnd, most);
    } else if (cc->cwnd < most || b->delivered_bytes < b->initial_cwnd) {
        cc_grow(cc, ack->acked_bytes);
    }
    cc->cwnd = u32_max(cc->cwnd, bbr_min_pipe(cc));
    if (b->state == BBR_PROBE_RTT)
        cc->cwnd = u32_min(cc->cwnd, bbr_probe_rtt_cwnd(cc));
    cc->cwnd = u32_min(cc->cwnd, model_cap(cc));
}

static void on_ack(struct cc *cc, const struct cc_ack *ack) /* [BBR 5.2.3] */
{
    struct bbr *b = bbr_of(cc);

    bbr_model_on_ack(cc, ack);
    bbr_probe_on_ack(cc, ack);
    bbr_model_update_min_rtt(b, ack);
    bbr_probe_rtt_on_ack(cc, ack);
    bbr_model_advance(b, ack);
    set_pacing_rate(cc, ack);
    set_send_quantum(cc);
    set_cwnd(cc, ack);
}

/* The largest of a recovery, and of a ProbeRTT, is what there was before it [BBR 5.6.4.4]. */
void bbr_save_cwnd(struct cc *cc)
{
    struct bbr *b = bbr_of(cc);

    if (b->in_recovery || b->state == BBR_PROBE_RTT)
        b->prior_cwnd = u32_max(b->prior_cwnd, cc->cwnd);
    else
        b->prior_cwnd = cc->cwnd;
}

/* The next acknowledgement bounds it by the model. */
void bbr_restore_cwnd(struct cc *cc)
{
    cc->cwnd = u32_max(cc->cwnd, bbr_of(cc)->prior_cwnd);
}

/* With the first loss: what it changes is kept in case it was none. */
static void begin_recovery(struct cc *cc)
{
    struct bbr *b = bbr_of(cc);

    bbr_save_cwnd(cc);
    if (b->in_recovery)
        return;
    b->in_recovery = true;
    b->undo_state = BBR_STATES;
    b->undo_bw_shortterm = b->bw_shortterm;
    b->undo_inflight_shortterm = b->inflight_shortterm;
    b->undo_inflight_longterm = b->inflight_longterm;
}

static void on_lost(struct cc *cc, const struct cc_lost *lost) /* [BBR 5.5.10.2] */
{
    struct bbr *b = bbr_of(cc);

    begin_recovery(cc);
    bbr_note_congestion(b);
    b->loss_in_round = true;
    if ((uint64_t)lost->lost_since_bytes * 100
        > (uint64_t)lost->tx_in_flight_bytes * BBR_LOSS_THRESH_PERCENT)
        bbr_probe_on_too_high(cc, lost->now, bbr_inflight_at_loss(lost), lost->is_app_limited);
}

/* The answer is in the model; cwnd stays. A recovery that moves it to ssthresh leaves it there. */
static void on_loss(struct cc *cc, ns_t now, uint32_t flight_bytes)
{
    (void)now, (void)flight_bytes;
    begin_recovery(cc);
    cc->ssthresh = cc->cwnd;
}

static void on_timeout(struct cc *cc, ns_t now, uint32_t flight_bytes)
{
    on_loss(cc, now, flight_bytes);
    bbr_of(cc)->after_timeout = true;
}

static void on_ecn(struct cc *cc, ns_t now, uint32_t flight_bytes)
{
    struct bbr *b = bbr_of(cc);

    bbr_note_congestion(b);
    b->ce_in_round = true;
    bbr_probe_on_too_high(cc, now, bbr_percent(flight_bytes, BBR_BETA_PERCENT), false);
}

static void on_recovered(struct cc *cc, ns_t now)
{
    (void)now;
    if (bbr_of(cc)->in_recovery) /* not of a mark */
        bbr_restore_cwnd(cc);
    bbr_of(cc)->in_recovery = false;
    bbr_of(cc)->after_timeout = false;
}

static void on_undo(struct cc *cc, ns_t now) /* [BBR 5.5.11] */
{
    struct bbr *b = bbr_of(cc);

    (void)now;
    bbr_restore_cwnd(cc);
    b->in_recovery = false;
    b->after_timeout = false;
    b->loss_in_round = false;
    bbr_reset_full_bw(b, 0);
    b->bw_shortterm = u64_max(b->bw_shortterm, b->undo_bw_shortterm);
    b->inflight_shortterm = u32_max(b->inflight_shortterm, b->undo_inflight_shortterm);
    b->inflight_longterm = u32_max(b->inflight_longterm, b->undo_inflight_longterm);
    bbr_probe_on_undo(cc);
    b->undo_state = BBR_STATES;
}

/* The pipe is empty: it is filled again at the rate it takes, not at that of a probe [BBR 5.4]. */
static void on_restart(struct cc *cc, ns_t now, ns_t idle_ns)
{
    struct bbr *b = bbr_of(cc);

    (void)idle_ns;
    b->idle_restart = true;
    b->extra_acked_at = now;
    if (bbr_is_in_probe_bw(b) && b->bw > 0)
        cc->pacing_rate = paced(b->bw, STEADY_GAIN);
    bbr_probe_on_restart(cc, now);
}

static const char *phase(const struct cc *cc)
{
    return names[bbr_of(cc)->state];
}

const struct cc_ops bbr_ops = {
    .name = "bbr",
    .owns_recovery = true,
    .init = init,
    .on_ack = on_ack,
    .on_loss = on_loss,
    .on_timeout = on_timeout,
    .on_ecn = on_ecn,
    .on_lost = on_lost,
    .on_recovered = on_recovered,
    .on_undo = on_undo,
    .on_restart = on_restart,
    .phase = phase,
};
