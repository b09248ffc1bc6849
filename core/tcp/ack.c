/*
 * ack.c - the fifth check: what a segment acknowledges
 *
 * State: snd.una, snd.wnd, snd.wl1, snd.wl2.
 */
#include "tcp/ack.h"
#include "base/check.h"
#include "base/count.h"
#include "base/hint.h"
#include "base/parts.h"
#include "tcp/conn.h"
#include "tcp/ecn.h"
#include "tcp/mtu_probe.h"
#include "tcp/rack.h"
#include "tcp/rate.h"
#include "tcp/recovery.h"
#include "tcp/rtt.h"
#include "tcp/scoreboard.h"
#include "tcp/seg.h"
#include "tcp/sendq.h"
#include "tcp/timers.h"
#include "tcp/tlp.h"
#include "tcp/tstamp.h"
#include "tcp/tune.h"

static uint32_t window_of(const struct tcp_conn *c, const struct tcp_seg *seg)
{
    uint8_t shift = seg->flags & TCP_SYN ? 0 : c->agreed.snd_wscale; /* [RFC7323 2.2] */

    return (uint32_t)seg->wnd << shift;
}

static void set_window(struct tcp_conn *c, uint32_t wnd, seq_t seq, seq_t ack)
{
    c->snd.wnd = wnd;
    c->snd.wl1 = seq;
    c->snd.wl2 = ack;
    if (wnd > c->snd.wnd_max)
        c->snd.wnd_max = wnd;
}

void ack_set_window(struct tcp_conn *c, const struct tcp_seg *seg)
{
    set_window(c, window_of(c, seg), seg->seq, seg->ack);
}

/*
 * A window that shrinks is taken as it is [RFC9293 MUST-34]. What acknowledges more than any
 * segment before was sent after them all, also if its text is old because it was sent again; an
 * older window would reach further from the new snd.una than the peer ever said. Linux does so, too.
 */
void ack_take_window_of(struct tcp_conn *c, uint32_t wnd, seq_t seq, seq_t ack)
{
    if (seq_geq(c->snd.wl1, seq) && seq_leq(ack, c->snd.wl2)
        && !(seq_eq(c->snd.wl1, seq) && seq_eq(c->snd.wl2, ack)))
        return;
    set_window(c, wnd, seq_max(c->snd.wl1, seq), ack);
}

void ack_take_window(struct tcp_conn *c, const struct tcp_seg *seg)
{
    ack_take_window_of(c, window_of(c, seg), seg->seq, seg->ack);
}

/*
 * A duplicate: something is under way, and the segment has no text, no SYN or FIN, the same
 * acknowledgement and the same window as the last [RFC5681 2].
 */
static bool is_duplicate(const struct tcp_conn *c, const struct tcp_seg *seg)
{
    return seq_eq(seg->ack, c->snd.una) && tcp_flight(c) > 0 && tcp_seg_space(seg) == 0
           && window_of(c, seg) == c->snd.wnd;
}

static void begin_delivery(const struct tcp_conn *c, const struct tcp_seg *seg, struct delivery *d)
{
    *d = (struct delivery){
        .flight_before_bytes = tcp_flight(c),
        .pipe_before_bytes = recovery_pipe(c),
        .first_sent_at = NEVER,
        .last_sent_at = NEVER,
    };

    if (seq_gt(seg->ack, c->snd.una))
        d->cum_bytes = seq_len(c->snd.una, seg->ack);
    if (tstamp_is_in(&c->agreed, seg) && seg->opt.ts_ecr != 0) {
        d->has_echo = true;
        d->echo = seg->opt.ts_ecr;
    }
}

/*
 * Timestamps tell what was sent twice apart [RFC7323 4.1]. But if the acknowledgement of the first
 * copy is lost, that of the second still echoes the first, which would measure the timeout itself.
 */
static ns_t measure_echo(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg)
{
    ns_t rtt_ns = tstamp_rtt_ns(c, env, tstamp_echo(c, seg));

    return recovery_is_echo_clear(c, env, rtt_ns) ? rtt_ns : 0;
}

/* What was sent once is measured to the nanosecond [RFC6298 3]; the oldest, as it waited longest. */
static ns_t measure(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg,
                    const struct delivery *d)
{
    ns_t sent_at = d->first_sent_at;

    if (!tcp_is_synchronized(c) && c->work->syn_sent_at != 0)
        sent_at = c->work->syn_sent_at;
    if (sent_at != NEVER)
        return ns_max(ns_since(sent_at, env->now), 1);
    return d->cum_bytes > 0 ? measure_echo(c, env, seg) : 0;
}

/* What was sent last may have been sent later than the oldest, of which the sample is. */
static void take_samples(struct tcp_conn *c, struct tcp_env *env, ns_t rtt_ns, ns_t newest_rtt_ns)
{
    rtt_on_sample(c, env, rtt_ns);
    if (newest_rtt_ns != rtt_ns)
        rtt_on_newest(c, env, newest_rtt_ns);
    timers_on_measured(c);
    tlp_on_measured(c);
}

static void take_measure(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg,
                         struct delivery *d)
{
    d->rtt_ns = measure(c, env, seg, d);
    if (d->rtt_ns == 0)
        return;
    d->newest_rtt_ns = d->rtt_ns;
    if (d->last_sent_at != d->first_sent_at)
        d->newest_rtt_ns = ns_max(ns_since(d->last_sent_at, env->now), 1);
    take_samples(c, env, d->rtt_ns, d->newest_rtt_ns);
}

/* Somebody waits for room, or urgent data has been acknowledged. */
static APART void tell_released(struct tcp_conn *c, seq_t ack, uint32_t text_before)
{
    if (c->snd_urgent && seq_leq(c->work->snd_up, ack))
        c->snd_urgent = false;
    sendq_wake(c);
    sendq_wake_acked(c, text_before);
}

static void release(struct tcp_conn *c, struct tcp_env *env, seq_t ack)
{
    struct tcp_work *w = c->work;
    uint32_t text_before = w->sendq.bytes;

    sendq_drop(c, env, ack);
    w->more_follows = false; /* what it held back has waited for a round trip */
    count_add(&c->bytes_acked, text_before - w->sendq.bytes);
    tune_on_acked(c, env);
    if (w->small_sent && seq_leq(w->small_end, ack))
        w->small_sent = false;
    if (c->snd_urgent || c->wants_writable || c->wants_acked)
        tell_released(c, ack, text_before);
    if (c->user->note_sent && text_before > 0 && w->sendq.bytes == 0)
        c->events |= WEIR_EVENT_SENT;
}

/* Nothing new, and nothing that recovery would want to know. */
static bool is_plain(const struct tcp_conn *c, const struct tcp_seg *seg)
{
    return !seq_gt(seg->ack, c->snd.una) && !(seg->opt.present & TCP_HAS_SACK)
           && !is_duplicate(c, seg);
}

/* What was acknowledged ends where a block begins that had arrived: the peer has dropped it [RFC2018 8]. */
static bool is_taken_back(const struct tcp_conn *c)
{
    return c->work->scoreboard.sacked_bytes > 0 && scoreboard_first(c)->state == SENT_SACKED;
}

static void note_progress(struct tcp_conn *c, struct tcp_env *env, bool restarts_timer)
{
    if (restarts_timer || tcp_flight(c) == 0)
        timers_on_acked(c, env);
    else
        timers_on_sacked(c, env);
    if (is_taken_back(c))
        timers_on_taken_back(c, env);
}

void ack_take(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg)
{
    struct delivery d;
    bool restarts_timer = true;

    begin_delivery(c, seg, &d);
    d.is_duplicate = is_duplicate(c, seg);
    if (is_plain(c, seg)) {
        ecn_on_ack(c, seg, &d);
        return;
    }
    count_add32(&c->work->dup_acks_in, d.is_duplicate);
    if (d.cum_bytes > 0) {
        c->snd.una = seg->ack;
        scoreboard_on_acked(c, env, seg->ack, &d);
        mtu_probe_on_acked(c, env);
    }
    if (tcp_is_synchronized(c)) /* there is no window yet that could be answered for */
        sack_take(c, env, seg, &d);
    take_measure(c, env, seg, &d);
    if (d.cum_bytes > 0)
        release(c, env, seg->ack);
    if (tcp_is_synchronized(c)) {
        ecn_on_ack(c, seg, &d);
        restarts_timer = recovery_on_ack(c, env, &d);
    }
    if (d.cum_bytes > 0)
        note_progress(c, env, restarts_timer);
    else
        timers_on_sacked(c, env);
}

/*
 * Nothing is under way but our SYN or SYN-ACK, as nearly always: there is nothing on the scoreboard,
 * and no window yet that could be answered for.
 */
static bool is_of_syn_alone(const struct tcp_conn *c, const struct tcp_seg *seg)
{
    return seq_eq(seg->ack, c->snd.nxt) && seq_eq(c->snd.nxt, seq_add(c->snd.iss, 1))
           && seq_eq(c->snd.una, c->snd.iss);
}

void ack_take_handshake(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg)
{
    struct delivery d = {.cum_bytes = 1, .first_sent_at = NEVER, .last_sent_at = NEVER};

    if (!HAS_PREDICTION || !is_of_syn_alone(c, seg)) {
        ack_take(c, env, seg);
        return;
    }
    c->snd.una = seg->ack;
    take_measure(c, env, seg, &d);
    release(c, env, seg->ack);
    timers_on_acked(c, env);
}

void ack_take_syn(struct tcp_conn *c, struct tcp_env *env, seq_t ack)
{
    c->snd.una = ack;
    rtt_on_sample(c, env, ns_max(ns_since(c->work->syn_sent_at, env->now), 1));
    tune_on_acked(c, env);
    c->work->more_follows = false;
    timers_on_acked(c, env);
}

void ack_take_synack(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg)
{
    ns_t rtt_ns = tstamp_rtt_ns(c, env, tstamp_echo(c, seg)); /* measure_echo() */

    ack_set_window(c, seg);
    c->snd.una = seg->ack;
    if (rtt_ns > 0)
        rtt_on_sample(c, env, rtt_ns);
}

void ack_take_calmly(struct tcp_conn *c, struct tcp_env *env, seq_t ack)
{
    const struct sent *first = scoreboard_first(c), *last = scoreboard_last_before(c, ack);
    ns_t rtt_ns = ns_since(last->sent_at, env->now);
    struct delivery d = {
        .flight_before_bytes = tcp_flight(c),
        .cum_bytes = seq_len(c->snd.una, ack),
        .newest_rtt_ns = ns_max(rtt_ns, 1),
    };
    bool asks_for_rate = c->work->cc.ops->on_unlimited_ack == NULL;
    struct cc_rate rate;

    d.rtt_ns = first == last ? d.newest_rtt_ns : ns_max(ns_since(first->sent_at, env->now), 1);
    take_samples(c, env, d.rtt_ns, d.newest_rtt_ns);
    rate_on_acked_calmly(c, env, last, d.cum_bytes, asks_for_rate ? &rate : NULL);
    rack_on_delivered_calmly(c, last, rtt_ns, ack);
    c->snd.una = ack;
    scoreboard_drop_calmly(c, env, ack);
    release(c, env, ack);
    recovery_on_ack_calmly(c, env, &d, asks_for_rate ? &rate : NULL);
    timers_on_acked(c, env);
}

/*
 * All that c will ever have sent has arrived, and nobody can ask any more how long that took, or how
 * much might have been sent next: the application has gone, and there is no trace.
 */
static bool is_last(const struct tcp_conn *c, const struct tcp_env *env, seq_t ack)
{
    return c->is_orphan && seq_eq(ack, c->snd.nxt) && tcp_fin_sent(c) && !trace_is_on(env->tracer);
}

static void take_last(struct tcp_conn *c, struct tcp_env *env, seq_t ack)
{
    c->snd.una = ack;
    scoreboard_drop_calmly(c, env, ack);
    sendq_drop(c, env, ack);
    timers_on_acked(c, env);
}

void ack_take_at_end(struct tcp_conn *c, struct tcp_env *env, seq_t ack)
{
    if (is_last(c, env, ack))
        take_last(c, env, ack);
    else
        ack_take_calmly(c, env, ack);
}

static APART void take_new(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg)
{
    struct delivery d;
    bool restarts_timer;

    begin_delivery(c, seg, &d);
    c->snd.una = seg->ack;
    scoreboard_on_acked(c, env, seg->ack, &d);
    mtu_probe_on_acked(c, env);
    take_measure(c, env, seg, &d);
    release(c, env, seg->ack);
    restarts_timer = recovery_on_ack(c, env, &d);
    note_progress(c, env, restarts_timer);
}

void ack_take_expected(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg)
{
    if (HAS_PREDICTION && recovery_is_calm(c))
        ack_take_at_end(c, env, seg->ack);
    else
        take_new(c, env, seg);
}
