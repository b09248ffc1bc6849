/*
 * recovery.c - what is lost, what is sent again, and how much may be under way
 *
 * Without SACK: fast retransmit after three duplicate acknowledgements and fast recovery as
 * NewReno has it [RFC6582], limited transmit [RFC3042], and going back to the first
 * unacknowledged byte after a timeout. The congestion control says how large the window
 * is; here it is inflated by what has left the network. State: work.recovery, cc.cwnd.
 */
#include "tcp/recovery.h"
#include "base/check.h"
#include "base/num.h"
#include "tcp/conn.h"
#include "tcp/options.h"

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

static void emit_cwnd(const struct tcp_conn *c, const struct tcp_env *env, const char *text)
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

/* u32_min(10 * MSS, u32_max(2 * MSS, 14600)) [RFC6928 2]; the ten is a setting. */
static uint32_t initial_window(const struct tcp_env *env, uint32_t mss)
{
    uint32_t segs = env->config.initial_window_segs;

    if (segs != 10)
        return u32_max(segs, 1) * mss;
    return u32_min(segs * mss, u32_max(2 * mss, INITIAL_WINDOW_BYTES));
}

void recovery_init(struct tcp_conn *c, struct tcp_env *env)
{
    struct cc *cc = cc_of(c);

    c->work->recovery = (struct recovery){.state = RECOVERY_OPEN};
    cc->ops = c->cc_ops;
    cc->mss = tcp_send_mss(c, env);
    cc->cwnd = initial_window(env, cc->mss);
    cc->ssthresh = c->ssthresh;
    cc->ops->init(cc);
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

/* One segment, if the SYN or SYN-ACK was lost [RFC5681 3.1]. */
void recovery_on_established(struct tcp_conn *c, struct tcp_env *env)
{
    bool syn_was_lost = recovery_of(c)->syn_was_lost;

    recovery_init(c, env);
    if (syn_was_lost)
        cc_of(c)->cwnd = cc_of(c)->mss;
    emit_cwnd(c, env, "initial window");
}

/* What has left the network is no more than what is under way. */
static void bound_inflation(struct tcp_conn *c)
{
    struct recovery *r = recovery_of(c);

    r->inflation = u32_min(r->inflation, tcp_flight(c));
}

/* A window of so many segments stays one of so many [RFC1191 6.4 asks for no less]. */
void recovery_on_mss(struct tcp_conn *c, struct tcp_env *env)
{
    struct cc *cc = cc_of(c);

    cc->mss = tcp_send_mss(c, env);
    cc->cwnd = u32_max(cc->cwnd, cc->mss);
    cc->ssthresh = u32_max(cc->ssthresh, 2 * cc->mss); /* as small as it may be [RFC5681 3.1 (4)] */
    bound_inflation(c);
}

void recovery_on_restart(struct tcp_conn *c, struct tcp_env *env)
{
    struct cc *cc = cc_of(c);

    cc->cwnd = u32_min(cc->cwnd, initial_window(env, cc->mss));
}

void recovery_stop(struct tcp_conn *c)
{
    c->work->recovery = (struct recovery){.state = RECOVERY_OPEN};
}

static void mark_lost(struct tcp_conn *c, seq_t from, seq_t to)
{
    struct recovery *r = recovery_of(c);

    r->rexmit_next = from;
    r->rexmit_end = to;
}

static void mark_first_segment(struct tcp_conn *c)
{
    seq_t end = seq_min(seq_add(c->snd.una, cc_of(c)->mss), c->snd.nxt);

    mark_lost(c, c->snd.una, end);
}

void recovery_on_syn(struct tcp_conn *c)
{
    mark_lost(c, c->snd.iss, seq_add(c->snd.iss, 1));
}

void recovery_on_too_big(struct tcp_conn *c)
{
    if (tcp_flight(c) > 0)
        mark_lost(c, c->snd.una, c->snd.nxt);
}

/* A third duplicate after a window that recovery has seen already is an echo of it [RFC6582 4.1]. */
static bool is_new_loss(const struct tcp_conn *c)
{
    const struct recovery *r = recovery_of(c);

    return !r->recover_valid || seq_gt(c->snd.una, r->recover);
}

static void note_recover(struct tcp_conn *c)
{
    recovery_of(c)->recover = c->snd.nxt;
    recovery_of(c)->recover_valid = true;
}

static void enter_fast_recovery(struct tcp_conn *c, struct tcp_env *env)
{
    struct recovery *r = recovery_of(c);
    struct cc *cc = cc_of(c);

    /* What limited transmit has sent does not count [RFC5681 3.2 (2)]. */
    cc->ops->on_loss(cc, env->now, seq_len(c->snd.una, r->dup_nxt));
    cc->cwnd = cc->ssthresh;
    r->inflation = DUP_ACKS * cc->mss;
    r->state = RECOVERY_FAST;
    r->partial_ack_seen = false;
    note_recover(c);
    mark_first_segment(c);
    emit_recovery(c, env, "fast retransmit");
    emit_cwnd(c, env, "fast retransmit");
}

void recovery_on_dup_ack(struct tcp_conn *c, struct tcp_env *env)
{
    struct recovery *r = recovery_of(c);
    uint32_t mss = cc_of(c)->mss;

    if (r->dup_acks++ == 0)
        r->dup_nxt = c->snd.nxt;
    switch (r->state) {
    case RECOVERY_OPEN:
        if (r->dup_acks < DUP_ACKS)
            r->inflation = r->dup_acks * mss; /* [RFC3042 2] */
        else if (r->dup_acks == DUP_ACKS && is_new_loss(c))
            enter_fast_recovery(c, env);
        break;
    case RECOVERY_FAST:
        r->inflation += mss; /* [RFC5681 3.2 (4)] */
        bound_inflation(c);
        break;
    case RECOVERY_RTO: break;
    }
}

/*
 * The next hole begins at snd.una [RFC6582 3.2 (3), partial acknowledgements]. Only the first of
 * them restarts the timer, so that a window with many losses ends in a timeout instead.
 */
static bool on_partial_ack(struct tcp_conn *c, uint32_t acked_bytes)
{
    struct recovery *r = recovery_of(c);
    uint32_t mss = cc_of(c)->mss;
    bool is_first = !r->partial_ack_seen;

    r->inflation -= u32_min(r->inflation, acked_bytes);
    if (acked_bytes >= mss)
        r->inflation += mss;
    bound_inflation(c);
    r->partial_ack_seen = true;
    mark_first_segment(c);
    return is_first;
}

static void leave_fast_recovery(struct tcp_conn *c, struct tcp_env *env)
{
    struct cc *cc = cc_of(c);

    /* Avoids a burst if little is under way [RFC6582 3.2 (3), option 1]. */
    cc->cwnd = u32_min(cc->ssthresh, u32_max(tcp_flight(c), cc->mss) + cc->mss);
    recovery_of(c)->state = RECOVERY_OPEN;
    recovery_of(c)->inflation = 0;
    mark_lost(c, c->snd.una, c->snd.una);
    emit_recovery(c, env, "recovered");
    emit_cwnd(c, env, "recovered");
}

static void grow(struct tcp_conn *c, struct tcp_env *env, uint32_t acked_bytes, ns_t rtt_ns)
{
    struct tcp_work *w = c->work;
    uint32_t before = w->cc.cwnd;
    struct cc_ack ack = {
        .now = env->now,
        .acked_bytes = acked_bytes,
        .flight_bytes = tcp_flight(c) + acked_bytes,
        .rtt_ns = rtt_ns,
        .srtt_ns = (ns_t)c->rtt.srtt_us * NS_US,
        .cwnd_limited = w->cwnd_limited || w->recovery.state == RECOVERY_RTO,
    };

    w->cc.ops->on_ack(&w->cc, &ack);
    if (w->cwnd_limited && seq_gt(c->snd.una, w->cwnd_round))
        w->cwnd_limited = false;
    if (w->cc.cwnd != before)
        emit_cwnd(c, env, "ack");
}

static void skip_acked(struct tcp_conn *c)
{
    struct recovery *r = recovery_of(c);

    r->rexmit_next = seq_max(r->rexmit_next, c->snd.una);
    r->rexmit_end = seq_max(r->rexmit_end, c->snd.una);
}

bool recovery_on_acked(struct tcp_conn *c, struct tcp_env *env, uint32_t acked_bytes, ns_t rtt_ns)
{
    struct recovery *r = recovery_of(c);
    bool is_full = r->recover_valid && seq_geq(c->snd.una, r->recover);

    r->dup_acks = 0;
    skip_acked(c);
    switch (r->state) {
    case RECOVERY_OPEN:
        r->inflation = 0;
        if (r->recover_valid && seq_gt(c->snd.una, r->recover))
            r->recover_valid = false; /* before the numbers wrap around to it */
        grow(c, env, acked_bytes, rtt_ns);
        break;
    case RECOVERY_FAST:
        if (!is_full)
            return on_partial_ack(c, acked_bytes);
        leave_fast_recovery(c, env);
        break;
    case RECOVERY_RTO:
        grow(c, env, acked_bytes, rtt_ns);
        if (is_full) {
            r->state = RECOVERY_OPEN;
            emit_recovery(c, env, "recovered");
        }
        break;
    }
    return true;
}

/* Everything under way counts as lost; slow start begins anew [RFC5681 3.1, equation 4]. */
void recovery_on_timeout(struct tcp_conn *c, struct tcp_env *env)
{
    struct recovery *r = recovery_of(c);
    struct cc *cc = cc_of(c);

    if (!tcp_is_synchronized(c)) {
        recovery_on_syn_lost(c, env);
        recovery_on_syn(c);
        return;
    }
    if (c->work->unanswered == 1) /* not when the retransmission is lost, too */
        cc->ops->on_timeout(cc, env->now, tcp_flight(c));
    cc->cwnd = cc->mss;
    r->state = RECOVERY_RTO;
    r->timeout_at = env->now;
    r->inflation = 0;
    r->dup_acks = 0;
    note_recover(c); /* [RFC6582 3.2 (4)] */
    mark_lost(c, c->snd.una, c->snd.nxt);
    emit_recovery(c, env, "timeout");
    emit_cwnd(c, env, "timeout");
}

bool recovery_is_echo_clear(const struct tcp_conn *c, const struct tcp_env *env, ns_t age_ns)
{
    const struct recovery *r = recovery_of(c);

    /* The timestamp clock may be a tick behind. */
    return (r->state != RECOVERY_RTO && !r->syn_was_lost)
           || age_ns <= ns_since(r->timeout_at, env->now) + NS_MS;
}

uint32_t recovery_next(const struct tcp_conn *c, seq_t *seq)
{
    const struct recovery *r = recovery_of(c);

    if (!seq_lt(r->rexmit_next, r->rexmit_end))
        return 0;
    /* After a timeout the window starts from one segment again. */
    if (r->state == RECOVERY_RTO && recovery_room(c) < cc_of(c)->mss)
        return 0;
    *seq = r->rexmit_next;
    return seq_len(r->rexmit_next, r->rexmit_end);
}

void recovery_on_resent(struct tcp_conn *c, seq_t seq, uint32_t len)
{
    recovery_of(c)->rexmit_next = seq_add(seq, len);
}

/* What is in the network: of what counts as lost, only what was sent again. */
static uint32_t pipe_bytes(const struct tcp_conn *c)
{
    const struct recovery *r = recovery_of(c);
    uint32_t flight = tcp_flight(c);

    if (r->state != RECOVERY_RTO || !seq_lt(r->rexmit_next, r->rexmit_end))
        return flight;
    return flight - seq_len(r->rexmit_next, r->rexmit_end);
}

uint32_t recovery_room(const struct tcp_conn *c)
{
    uint64_t window = (uint64_t)cc_of(c)->cwnd + recovery_of(c)->inflation;
    uint32_t pipe = pipe_bytes(c);

    if (window <= pipe)
        return 0;
    return window - pipe > UINT32_MAX ? UINT32_MAX : (uint32_t)(window - pipe);
}

void recovery_check(const struct tcp_conn *c)
{
    const struct recovery *r = recovery_of(c);
    seq_t seq;

    CHECK(r->inflation <= tcp_flight(c) + DUP_ACKS * cc_of(c)->mss);
    if (recovery_next(c, &seq) == 0)
        return;
    CHECK(seq_geq(seq, c->snd.una));
    /* A SYN is marked before it is sent for the first time. */
    CHECK(seq_leq(r->rexmit_end, seq_max(c->snd.nxt, seq_add(c->snd.iss, 1))));
}
