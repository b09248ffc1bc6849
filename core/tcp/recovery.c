/*
 * recovery.c - what is lost, what is sent again, and how much may be under way
 *
 * The scoreboard knows what has become of each segment. With SACK, rack.c tells what is lost;
 * without, three duplicate acknowledgements do, and then each acknowledgement that does not cover
 * all [RFC6582]. Here it is decided what that means: recovery begins and ends, prr.c moves the
 * window meanwhile, and what turns out not to have been lost is taken back. What is in the network
 * and what the congestion control allows say how much may be sent; that segments which have left
 * it make room for new ones before anything counts as lost is limited transmit [RFC3042].
 *
 * State: work.recovery, cc.cwnd.
 */
#include "tcp/recovery.h"
#include "base/check.h"
#include "base/count.h"
#include "base/hint.h"
#include "base/num.h"
#include "tcp/conn.h"
#include "tcp/cwv.h"
#include "tcp/ecn.h"
#include "tcp/mtu_probe.h"
#include "tcp/options.h"
#include "tcp/prr.h"
#include "tcp/rack.h"
#include "tcp/rate.h"
#include "tcp/scoreboard.h"
#include "tcp/sendq.h"
#include "tcp/tlp.h"
#include "tcp/turn.h"
#include "tcp/undo.h"
#include "tcp/window.h"

enum {
    DUP_ACKS = 3,
    INITIAL_WINDOW_BYTES = 14600, /* of which there may be as many [RFC6928 2] */
};

static struct recovery *recovery_of(const struct tcp_conn *c)
{
    return &c->work->recovery;
}

static struct cc *cc_of(const struct tcp_conn *c)
{
    return &c->work->cc;
}

static APART void emit_cwnd(const struct tcp_conn *c, const struct tcp_env *env, const char *text)
{
    struct weir_trace event;

    if (!trace_is_on(env->tracer))
        return;
    event = tcp_trace_of(c, env, WEIR_TRACE_CWND);
    event.cwnd = c->work->cc.cwnd;
    event.ssthresh = c->work->cc.ssthresh;
    event.text = text;
    trace_emit(env->tracer, &event);
}

static void emit_recovery(const struct tcp_conn *c, const struct tcp_env *env, const char *text)
{
    struct weir_trace event;

    if (!trace_is_on(env->tracer))
        return;
    event = tcp_trace_of(c, env, WEIR_TRACE_RECOVERY);
    event.text = text;
    trace_emit(env->tracer, &event);
}

/* ---- how it starts ---- */

/* min(10 * MSS, max(2 * MSS, 14600)) [RFC6928 2]; the ten is a setting. */
uint32_t recovery_initial_window(const struct tcp_env *env, uint32_t mss)
{
    uint32_t segs = env->config.initial_window_segs;

    if (segs != 10)
        return u32_max(segs, 1) * mss;
    return u32_min(segs * mss, u32_max(2 * mss, INITIAL_WINDOW_BYTES));
}

/* What follows from what the handshake finds out. */
static void begin_window(struct tcp_conn *c, const struct tcp_env *env)
{
    struct cc *cc = cc_of(c);

    cc->ops = tcp_cc(c);
    cc->mss = tcp_send_mss(c, env);
    cc->cwnd = recovery_initial_window(env, cc->mss);
    cc->srtt_ns = (ns_t)c->rtt.srtt_us * NS_US;
}

void recovery_begin(struct tcp_conn *c, const struct tcp_env *env)
{
    struct cc *cc = cc_of(c);

    c->work->recovery = (struct recovery){.state = RECOVERY_OPEN};
    begin_window(c, env);
    cc->ssthresh = c->ssthresh;
    cc->is_paced = env->config.pacing;
    cc->as_linux = env->config.cubic_as_linux;
}

void recovery_init(struct tcp_conn *c, const struct tcp_env *env)
{
    recovery_begin(c, env);
    cc_of(c)->ops->init(cc_of(c));
}

void recovery_set_cc(struct tcp_conn *c, const struct cc_ops *ops)
{
    c->cc = cc_number(ops);
    if (c->work == NULL)
        return;
    *cc_of(c) = (struct cc){
        .ops = ops,
        .cwnd = cc_of(c)->cwnd,
        .ssthresh = cc_of(c)->ssthresh,
        .mss = cc_of(c)->mss,
        .is_paced = cc_of(c)->is_paced,
        .as_linux = cc_of(c)->as_linux,
    };
    ops->init(cc_of(c));
}

void recovery_on_syn_lost(struct tcp_conn *c, const struct tcp_env *env)
{
    recovery_of(c)->syn_was_lost = true;
    recovery_of(c)->timeout_at = env->now;
}

bool recovery_syn_was_lost(const struct tcp_conn *c)
{
    return recovery_of(c)->syn_was_lost;
}

void recovery_on_syn(struct tcp_conn *c)
{
    recovery_of(c)->syn_owed = true;
}

/* Of two SYNs nobody can say which is acknowledged [RFC6298 3]. */
void recovery_on_syn_sent(struct tcp_conn *c, const struct tcp_env *env, bool is_resent)
{
    recovery_of(c)->syn_owed = false;
    c->work->syn_sent_at = is_resent ? 0 : env->now;
}

/* One segment, if the SYN or SYN-ACK was lost [RFC5681 3.1]. */
void recovery_on_established(struct tcp_conn *c, struct tcp_env *env)
{
    bool syn_was_lost = recovery_of(c)->syn_was_lost;

    recovery_init(c, env);
    if (syn_was_lost)
        cc_of(c)->cwnd = cc_of(c)->mss;
    emit_cwnd(c, env, "initial window");
}

void recovery_on_established_at_once(struct tcp_conn *c, struct tcp_env *env)
{
    begin_window(c, env);
    cc_of(c)->ops->init(cc_of(c));
    emit_cwnd(c, env, "initial window");
}

/* A window of so many segments stays one of so many [RFC1191 6.4 asks for no less]. */
void recovery_on_mss(struct tcp_conn *c, struct tcp_env *env)
{
    struct cc *cc = cc_of(c);

    cc->mss = tcp_send_mss(c, env);
    cc->cwnd = u32_max(cc->cwnd, cc->mss);
    cc->ssthresh = u32_max(cc->ssthresh, 2 * cc->mss); /* as small as it may be [RFC5681 3.1 (4)] */
}

/*
 * Half of the window for each timeout that the pause lasted, but no less than a new connection has, and
 * no more slow start than to three quarters of what it was: as in Linux, where RFC 5681 has the window
 * of a new connection at once [RFC5681 4.1 not].
 */
static APART void restart_window(struct tcp_conn *c, const struct tcp_env *env, ns_t idle_ns)
{
    struct cc *cc = cc_of(c);
    ns_t rto_ns = (ns_t)c->rtt.rto_us * NS_US;
    uint32_t least = u32_min(recovery_initial_window(env, cc->mss), cc->cwnd), cwnd = cc->cwnd;

    cc->ssthresh = u32_max(cc->ssthresh, cwnd - cwnd / 4);
    for (idle_ns -= rto_ns; idle_ns > 0 && cwnd > least; idle_ns -= rto_ns)
        cwnd /= 2;
    cc->cwnd = u32_max(cwnd, least);
}

void recovery_on_restart(struct tcp_conn *c, const struct tcp_env *env, ns_t idle_ns)
{
    struct cc *cc = cc_of(c);

    if (cc->ops->on_restart != NULL)
        cc->ops->on_restart(cc, env->now, idle_ns);
    if (!cc->ops->owns_recovery && env->config.slow_start_after_idle
        && idle_ns > (ns_t)c->rtt.rto_us * NS_US)
        restart_window(c, env, idle_ns);
}

void recovery_stop(struct tcp_conn *c, struct tcp_env *env)
{
    scoreboard_clear(c, env);
    c->work->recovery = (struct recovery){.state = RECOVERY_OPEN};
    tlp_stop(c);
}

/* ---- what is in the network ---- */

uint32_t recovery_pipe(const struct tcp_conn *c)
{
    uint32_t in_flight_bytes = c->work->scoreboard.in_flight_bytes;

    return in_flight_bytes - u32_min(recovery_of(c)->dup_bytes, in_flight_bytes);
}

uint32_t recovery_room(const struct tcp_conn *c)
{
    uint32_t pipe_bytes = recovery_pipe(c), cwnd = cc_of(c)->cwnd;

    return cwnd > pipe_bytes ? cwnd - pipe_bytes : 0;
}

uint32_t recovery_next(const struct tcp_conn *c, seq_t *seq)
{
    const struct recovery *r = recovery_of(c);
    const struct sent *lost = scoreboard_first_lost(c);
    uint32_t len;

    if (r->syn_owed) {
        *seq = c->snd.iss;
        return 1;
    }
    if (lost == NULL || r->frto == FRTO_SECOND)
        return 0;
    *seq = lost->start;
    len = seq_len(lost->start, lost->end);
    return recovery_room(c) >= u32_min(len, cc_of(c)->mss) ? len : 0;
}

void recovery_on_sent(struct tcp_conn *c, struct tcp_env *env, seq_t start, seq_t end,
                      uint32_t segs, bool is_resent)
{
    if (is_resent) {
        scoreboard_on_resent(c, env, start, end);
        undo_on_resent(c, env, segs);
    } else {
        turn_begin_round(c);
        scoreboard_on_sent(c, env, start, end, segs);
    }
    prr_on_sent(c, seq_len(start, end));
}

/* ---- recovery begins and ends ---- */

/*
 * What limited transmit has sent beyond the window does not count [RFC5681 3.2 (2)], and of what a
 * recovery has sent no more than its window: the rest has arrived, if not in order.
 */
static uint32_t bounded_flight(const struct tcp_conn *c, uint32_t flight_bytes, uint32_t pipe_bytes)
{
    uint32_t bytes = u32_min(flight_bytes, u32_max(cc_of(c)->cwnd, pipe_bytes));

    return cwv_flight(c, bytes);
}

/*
 * What was under way when the lost segment was, not what is left of it now: many acknowledgements
 * that are taken in together find the less under way the later they stand, since what they allow
 * is sent after them all. Linux takes the whole window.
 */
static uint32_t flight_at_loss(const struct tcp_conn *c, const struct delivery *d)
{
    return bounded_flight(c, u32_max(d->flight_before_bytes, cwv_flight_most(c)),
                          d->pipe_before_bytes);
}

static void note_recover(struct tcp_conn *c)
{
    recovery_of(c)->recover = c->snd.nxt;
    recovery_of(c)->recover_valid = true;
}

static void enter(struct tcp_conn *c, struct tcp_env *env, enum recovery_state state,
                  const char *text)
{
    recovery_of(c)->state = state;
    recovery_of(c)->restarted = false;
    tlp_stop(c);
    cwv_on_recovery(c);
    note_recover(c);
    emit_recovery(c, env, text);
    emit_cwnd(c, env, text);
}

/* A window that is shrinking already, because of marks, is not made smaller once more. */
static void enter_fast_recovery(struct tcp_conn *c, struct tcp_env *env, const struct delivery *d)
{
    struct cc *cc = cc_of(c);

    if (recovery_of(c)->state == RECOVERY_OPEN) {
        undo_arm(c, env);
        cc->ops->on_loss(cc, env->now, flight_at_loss(c, d));
    } else {
        undo_disarm(c);
    }
    prr_begin(c, d);
    ecn_on_reduced(c);
    enter(c, env, RECOVERY_FAST, "fast retransmit");
}

/* What has to do with a window that recovery has seen already is an echo of it [RFC6582 4.1]. */
static bool is_new_loss(const struct tcp_conn *c)
{
    const struct recovery *r = recovery_of(c);

    return !r->recover_valid || seq_gt(c->snd.una, r->recover);
}

/*
 * Until more than what was under way is acknowledged, the peer cannot know of our CWR [RFC3168 6.1.2].
 * A congestion control that counts marks answers them itself.
 */
static void answer_mark(struct tcp_conn *c, struct tcp_env *env, const struct delivery *d)
{
    struct cc *cc = cc_of(c);

    if (recovery_of(c)->state != RECOVERY_OPEN || !is_new_loss(c) || cc->ops->ecn != CC_ECN_CLASSIC)
        return;
    if (cc->ops->on_ecn != NULL)
        cc->ops->on_ecn(cc, env->now, flight_at_loss(c, d));
    else
        cc->ops->on_loss(cc, env->now, flight_at_loss(c, d));
    undo_disarm(c);
    prr_begin(c, d);
    ecn_on_reduced(c);
    enter(c, env, RECOVERY_CWR, "congestion experienced");
}

void recovery_on_ecn_echo(struct tcp_conn *c, struct tcp_env *env)
{
    struct delivery d = {
        .flight_before_bytes = tcp_flight(c),
        .pipe_before_bytes = recovery_pipe(c),
    };

    answer_mark(c, env, &d);
}

static void leave(struct tcp_conn *c, struct tcp_env *env)
{
    struct recovery *r = recovery_of(c);
    struct cc *cc = cc_of(c);
    const char *text = r->state == RECOVERY_CWR ? "reduced" : "recovered";

    if (!cc->ops->owns_recovery && r->state != RECOVERY_RTO)
        cc->cwnd = cc->ssthresh; /* [RFC9937 6.4] */
    if (cc->ops->on_recovered != NULL)
        cc->ops->on_recovered(cc, env->now);
    if (r->state != RECOVERY_CWR)
        rack_on_recovered(c);
    r->state = RECOVERY_OPEN;
    r->frto = FRTO_OFF;
    r->dup_bytes = 0;
    emit_recovery(c, env, text);
    emit_cwnd(c, env, text);
}

/* Nothing was lost: things are as if nothing had been done, but for what has been learnt. */
static void take_back(struct tcp_conn *c, struct tcp_env *env)
{
    struct recovery *r = recovery_of(c);

    scoreboard_unmark_lost(c);
    undo_apply(c, env);
    rack_on_spurious(c);
    r->state = RECOVERY_OPEN;
    r->frto = FRTO_OFF;
    r->dup_acks = 0;
    r->dup_bytes = 0;
    count_add32(&c->work->undone, 1);
    emit_recovery(c, env, "undone");
    emit_cwnd(c, env, "undone");
}

/* ---- without SACK [RFC6582] ---- */

/* A duplicate says that a segment has arrived, but not which [RFC5681 3.2]. */
static bool detect_by_duplicates(struct tcp_conn *c, struct tcp_env *env, struct delivery *d)
{
    struct recovery *r = recovery_of(c);

    r->dup_acks++;
    if (r->state == RECOVERY_RTO
        || (r->dup_acks >= DUP_ACKS && r->state == RECOVERY_OPEN && !is_new_loss(c)))
        return false;
    d->delivered_bytes = cc_of(c)->mss;
    r->dup_bytes = u32_min(r->dup_bytes + cc_of(c)->mss, c->work->scoreboard.in_flight_bytes);
    if (r->dup_acks != DUP_ACKS || r->state == RECOVERY_FAST)
        return false;
    scoreboard_mark_first_lost(c, env, cc_of(c)->mss);
    d->lost_bytes += cc_of(c)->mss;
    return true;
}

/* The next hole begins at snd.una; the duplicates before told of what is acknowledged now. */
static void note_partial_ack(struct tcp_conn *c, struct tcp_env *env, struct delivery *d)
{
    struct recovery *r = recovery_of(c);
    uint32_t mss = cc_of(c)->mss;

    d->delivered_bytes = d->cum_bytes - u32_min(r->dup_bytes, d->cum_bytes);
    r->dup_bytes -= u32_min(r->dup_bytes, d->cum_bytes > mss ? d->cum_bytes - mss : 0);
    scoreboard_mark_first_lost(c, env, mss);
    r->dup_bytes = u32_min(r->dup_bytes, c->work->scoreboard.in_flight_bytes);
}

/* Nothing was lost: what the duplicates before told of is not new. One segment is. */
static void note_full_ack(struct tcp_conn *c, struct delivery *d)
{
    struct recovery *r = recovery_of(c);
    uint32_t known_bytes = d->cum_bytes - u32_min(d->cum_bytes, cc_of(c)->mss);

    d->delivered_bytes = d->cum_bytes - u32_min(r->dup_bytes, known_bytes);
    r->dup_bytes = 0;
}

/* Something is found to be lost that was not before. */
static bool detect(struct tcp_conn *c, struct tcp_env *env, struct delivery *d)
{
    struct recovery *r = recovery_of(c);
    uint64_t lost_before = c->work->rate.lost_bytes;
    bool is_partial = d->cum_bytes > 0 && r->recover_valid && seq_lt(c->snd.una, r->recover);
    bool found = false;

    if (d->cum_bytes > 0)
        r->dup_acks = 0;
    if (c->agreed.sack_ok)
        found = rack_detect(c, env);
    else if (d->is_duplicate)
        found = detect_by_duplicates(c, env, d);
    else if (r->state == RECOVERY_FAST && is_partial)
        note_partial_ack(c, env, d);
    else if (d->cum_bytes > 0)
        note_full_ack(c, d);
    d->lost_bytes = (uint32_t)(c->work->rate.lost_bytes - lost_before);
    return found && !mtu_probe_on_lost(c, env, d->lost_bytes);
}

/* ---- an acknowledgement ---- */

/*
 * What is delivered during a recovery, up to its end, is no reason to send more; nor is what is out
 * of order, which may be the sign of a loss, unless the path is known to reorder.
 */
static bool may_grow(const struct tcp_conn *c, const struct delivery *d, enum recovery_state before)
{
    enum recovery_state now = recovery_of(c)->state;

    return (before == RECOVERY_OPEN || before == RECOVERY_RTO)
           && (now == RECOVERY_OPEN || now == RECOVERY_RTO)
           && (d->cum_bytes > 0 || c->work->rack.reordering_seen);
}

static void fill_news(struct tcp_conn *c, const struct tcp_env *env, const struct delivery *d,
                      struct cc_ack *news)
{
    const struct tcp_work *w = c->work;

    *news = (struct cc_ack){
        .now = env->now,
        .acked_bytes = d->delivered_bytes,
        .flight_bytes = d->flight_before_bytes,
        .pipe_bytes = recovery_pipe(c),
        .lost_bytes = d->lost_bytes,
        .ce_bytes = d->ce_bytes,
        .delivered_bytes = w->rate.delivered_bytes,
        .rtt_ns = d->newest_rtt_ns,
        .srtt_ns = (ns_t)c->rtt.srtt_us * NS_US,
        .cwnd_limited = cwv_is_limit(c, env),
        .in_recovery = w->recovery.state == RECOVERY_FAST || w->recovery.state == RECOVERY_RTO,
    };
    news->rate = rate_take_sample(c, env);
}

/* What the algorithm does is told when it has become something else. */
static bool phase_has_changed(struct tcp_conn *c)
{
    const struct cc *cc = cc_of(c);
    const char *before = recovery_of(c)->phase_told;

    if (cc->ops->phase == NULL)
        return false;
    recovery_of(c)->phase_told = cc->ops->phase(cc);
    return recovery_of(c)->phase_told != before;
}

static void tell_growth(struct tcp_conn *c, const struct tcp_env *env, uint32_t before)
{
    if (!trace_is_on(env->tracer))
        return;
    if (phase_has_changed(c))
        emit_cwnd(c, env, c->work->recovery.phase_told);
    else if (c->work->cc.cwnd != before)
        emit_cwnd(c, env, "ack");
}

static void grow(struct tcp_conn *c, struct tcp_env *env, const struct delivery *d,
                 enum recovery_state state_before)
{
    struct tcp_work *w = c->work;
    uint32_t before = w->cc.cwnd;
    bool owns = w->cc.ops->owns_recovery;
    struct cc_ack ack;

    cwv_on_ack(c, env, d);
    fill_news(c, env, d, &ack);
    if (ack.acked_bytes == 0 && !(owns && d->lost_bytes > 0))
        return;
    if (owns || may_grow(c, d, state_before))
        w->cc.ops->on_ack(&w->cc, &ack);
    else if (w->cc.ops->on_delivered != NULL)
        w->cc.ops->on_delivered(&w->cc, &ack);
    tell_growth(c, env, before);
}

/*
 * The timeout was right. Without SACK nothing says that the new data has arrived: it fills the
 * window, and there has to be room beside it for what is lost [RFC5682 2.1, 3 (a)].
 */
static void end_frto(struct tcp_conn *c, const struct delivery *d)
{
    struct recovery *r = recovery_of(c);
    struct cc *cc = cc_of(c);

    if (r->frto == FRTO_SECOND && d->is_duplicate && !c->agreed.sack_ok)
        cc->cwnd = u32_max(cc->cwnd, 3 * (uint32_t)cc->mss);
    r->frto = FRTO_OFF;
}

/*
 * After a timeout [RFC5682]: if what arrives was sent only once, the timeout was spurious. Until
 * that is known new data is sent rather than old, if there is any.
 */
static bool is_timeout_spurious(struct tcp_conn *c, const struct delivery *d)
{
    struct recovery *r = recovery_of(c);
    bool has_new = seq_gt(sendq_end(c), c->snd.nxt) && window_usable(c) > 0;

    if (r->frto == FRTO_OFF)
        return false;
    if (d->original_delivered && (c->agreed.sack_ok || !d->resent_acked))
        return true;
    if (r->frto == FRTO_FIRST && d->cum_bytes > 0 && has_new && seq_lt(c->snd.una, r->recover))
        r->frto = FRTO_SECOND;
    else if (d->cum_bytes > 0 || d->sacked_bytes > 0 || d->is_duplicate)
        end_frto(c, d);
    return false;
}

static bool is_in_episode(const struct tcp_conn *c)
{
    return recovery_of(c)->state == RECOVERY_FAST || recovery_of(c)->state == RECOVERY_RTO;
}

/* Recovery that was under way may be over, in one way or the other. */
static void conclude(struct tcp_conn *c, struct tcp_env *env, const struct delivery *d)
{
    struct recovery *r = recovery_of(c);
    bool is_end = r->state != RECOVERY_OPEN && seq_geq(c->snd.una, r->recover);
    bool was_in_episode = is_in_episode(c);

    if (d->has_dsack)
        rack_on_dsack(c);
    if (undo_is_due(c, d, was_in_episode, is_end)
        || (r->state == RECOVERY_RTO && is_timeout_spurious(c, d)))
        take_back(c, env);
    else if (is_end)
        leave(c, env);
}

/* The probe at the tail has repaired a loss: that was congestion all the same [RFC8985 7.4.2]. */
static void answer_repaired_loss(struct tcp_conn *c, struct tcp_env *env, const struct delivery *d)
{
    struct cc *cc = cc_of(c);

    if (recovery_of(c)->state != RECOVERY_OPEN)
        return;
    undo_disarm(c);
    cc->ops->on_loss(cc, env->now, flight_at_loss(c, d));
    if (!cc->ops->owns_recovery)
        cc->cwnd = cc->ssthresh;
    emit_cwnd(c, env, "tail loss");
}

/* Something new is acknowledged, and nothing is under way or told that would begin or end anything. */
static bool is_calm(const struct tcp_conn *c, const struct delivery *d)
{
    const struct recovery *r = recovery_of(c);

    return r->state == RECOVERY_OPEN && !r->recover_valid && !c->work->tlp.is_out
           && d->cum_bytes > 0 && !d->has_dsack && !d->has_ece;
}

/* Nor is any of what is under way lost, sent again, or known to have arrived, and rack.c would find nothing. */
bool recovery_is_calm(const struct tcp_conn *c)
{
    const struct tcp_work *w = c->work;
    const struct recovery *r = &w->recovery;
    const struct scoreboard *b = &w->scoreboard;
    uint32_t begun =
        r->state | r->recover_valid | r->dup_bytes | w->tlp.is_out | w->mtu_probe.is_out;

    _Static_assert(RECOVERY_OPEN == 0, "other states are seen");
    return (begun | b->lost_bytes | b->sacked_bytes | b->resent_bytes) == 0
           && (b->count == 0 || rack_is_calm(c, scoreboard_first(c)));
}

/* What the congestion control may want to know of an acknowledgement on such a connection. */
static APART void tell_all(struct tcp_conn *c, const struct tcp_env *env, const struct delivery *d,
                           const struct cc_rate *rate)
{
    struct cc *cc = cc_of(c);
    struct cc_ack ack = {
        .now = env->now,
        .acked_bytes = d->cum_bytes,
        .flight_bytes = d->flight_before_bytes,
        .pipe_bytes = c->work->scoreboard.in_flight_bytes,
        .delivered_bytes = c->work->rate.delivered_bytes,
        .rtt_ns = d->newest_rtt_ns,
        .srtt_ns = (ns_t)c->rtt.srtt_us * NS_US,
        .cwnd_limited = cwv_is_limit(c, env),
    };

    if (rate != NULL)
        ack.rate = *rate;
    cc->ops->on_ack(cc, &ack);
}

void recovery_on_ack_calmly(struct tcp_conn *c, struct tcp_env *env, const struct delivery *d,
                            const struct cc_rate *rate)
{
    struct cc *cc = cc_of(c);
    const struct cc_ops *ops = cc->ops;
    uint32_t before = cc->cwnd;

    recovery_of(c)->dup_acks = 0;
    cwv_on_ack(c, env, d);
    if (ops->on_unlimited_ack == NULL || cwv_is_limit(c, env)
        || !ops->on_unlimited_ack(cc, d->cum_bytes, d->flight_before_bytes, d->newest_rtt_ns))
        tell_all(c, env, d, rate);
    tell_growth(c, env, before);
}

bool recovery_on_ack(struct tcp_conn *c, struct tcp_env *env, struct delivery *d)
{
    struct recovery *r = recovery_of(c);
    bool was_partial = r->state == RECOVERY_FAST && !c->agreed.sack_ok;
    enum recovery_state before = r->state;
    bool was_in_episode = is_in_episode(c), was_calm = is_calm(c, d), found;

    if (!was_calm)
        conclude(c, env, d);
    if (d->has_ece)
        answer_mark(c, env, d);
    found = detect(c, env, d);
    if (was_calm && !found) {
        grow(c, env, d, before);
        return true;
    }
    if (was_in_episode && !is_in_episode(c)) /* of what was sent during it */
        found = found || c->work->scoreboard.lost_bytes > 0;
    if (tlp_on_ack(c, d))
        answer_repaired_loss(c, env, d);
    if (found && (r->state == RECOVERY_OPEN || r->state == RECOVERY_CWR))
        enter_fast_recovery(c, env, d);
    grow(c, env, d, before);
    if ((r->state == RECOVERY_FAST || r->state == RECOVERY_CWR) && !cc_of(c)->ops->owns_recovery)
        prr_on_ack(c, d, recovery_pipe(c));
    if (r->state == RECOVERY_OPEN && r->recover_valid && seq_gt(c->snd.una, r->recover))
        r->recover_valid = false; /* before the numbers wrap around to it */
    if (d->cum_bytes == 0)
        return false;
    /* Without SACK only the first of them does, so that many losses end in a timeout instead. */
    if (was_partial && r->state == RECOVERY_FAST) {
        bool is_first = !r->restarted;
        r->restarted = true;
        return is_first;
    }
    return true;
}

void recovery_on_reordering_timeout(struct tcp_conn *c, struct tcp_env *env)
{
    struct recovery *r = recovery_of(c);
    struct delivery d = {
        .flight_before_bytes = tcp_flight(c),
        .pipe_before_bytes = recovery_pipe(c),
    };
    uint64_t lost_before = c->work->rate.lost_bytes;

    if (!rack_detect(c, env)
        || mtu_probe_on_lost(c, env, (uint32_t)(c->work->rate.lost_bytes - lost_before)))
        return;
    if (r->state == RECOVERY_OPEN || r->state == RECOVERY_CWR)
        enter_fast_recovery(c, env, &d);
    d.lost_bytes = (uint32_t)(c->work->rate.lost_bytes - lost_before);
    if (r->state == RECOVERY_FAST && !cc_of(c)->ops->owns_recovery)
        prr_on_ack(c, &d, recovery_pipe(c));
}

/* ---- timeouts ---- */

/* What was sent only just now need not be lost as well [RFC8985 6.3]. */
static void mark_lost_by_timeout(struct tcp_conn *c, struct tcp_env *env)
{
    struct sent *first = scoreboard_first(c);

    if (first != NULL && first->state == SENT_SACKED)
        scoreboard_forget_sacks(c, env);
    for (struct sent *sent = scoreboard_oldest(c), *next; sent != NULL; sent = next) {
        next = scoreboard_next_oldest(c, sent);
        if (sent == first || !c->agreed.sack_ok || rack_is_overdue(c, env, sent))
            scoreboard_mark_lost(c, env, sent);
    }
}

/* Slow start begins anew [RFC5681 3.1, equation 4]. */
void recovery_on_timeout(struct tcp_conn *c, struct tcp_env *env)
{
    struct recovery *r = recovery_of(c);
    struct cc *cc = cc_of(c);
    bool is_first = c->work->unanswered == 1; /* not when the retransmission is lost, too */
    /* Acknowledgements of what an earlier timeout sent again would look like those of the rest. */
    bool is_under_way = r->state == RECOVERY_RTO && seq_leq(c->snd.una, r->recover);

    if (!tcp_is_synchronized(c)) {
        recovery_on_syn_lost(c, env);
        recovery_on_syn(c);
        return;
    }
    if (is_first) {
        undo_arm(c, env);
        cc->ops->on_timeout(cc, env->now, bounded_flight(c, tcp_flight(c), recovery_pipe(c)));
    }
    r->timeout_at = env->now;
    r->dup_acks = 0;
    r->dup_bytes = 0;
    r->frto = is_first && !is_under_way ? FRTO_FIRST : FRTO_OFF; /* [RFC5682 2.1, 1] */
    mark_lost_by_timeout(c, env);
    cc->cwnd = recovery_pipe(c) + cc->mss;
    ecn_on_reduced(c);
    enter(c, env, RECOVERY_RTO, "timeout"); /* [RFC6582 3.2 (4)] */
}

bool recovery_is_echo_clear(const struct tcp_conn *c, const struct tcp_env *env, ns_t age_ns)
{
    const struct recovery *r = recovery_of(c);

    /* The timestamp clock may be a tick behind. */
    return (r->state != RECOVERY_RTO && !r->syn_was_lost)
           || age_ns <= ns_since(r->timeout_at, env->now) + NS_MS;
}

void recovery_on_too_big(struct tcp_conn *c)
{
    mtu_probe_stop(c);
    for (struct sent *sent; (sent = scoreboard_oldest(c)) != NULL;)
        scoreboard_mark_too_big(c, sent);
}

void recovery_check(const struct tcp_conn *c)
{
    const struct recovery *r = recovery_of(c);

    scoreboard_check(c);
    rack_check(c);
    CHECK(r->dup_bytes <= tcp_flight(c) + DUP_ACKS * cc_of(c)->mss);
    CHECK(!c->agreed.sack_ok || r->dup_bytes == 0);
    CHECK(cc_of(c)->cwnd > 0);
}
