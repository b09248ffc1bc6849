/*
 * timers.c - what a connection waits for
 *
 * A timer is a deadline in work.deadline_at, not a callback: the stack asks tcp_deadline
 * when to come back and calls tcp_expire then. Other files report events (timers_on_*);
 * only this one arms and disarms.
 *
 *   TIMER_LOSS       as LOSS_RTO:   RTO after the oldest unacknowledged byte was sent, doubled
 *                                   each time [RFC6298 5] [RFC9293 MUST-18, MUST-19]
 *                    as LOSS_REO:   when what may have been overtaken counts as lost [RFC8985 6.3]
 *                    as LOSS_TLP:   two round trips without an acknowledgement [RFC8985 7.2]
 *                    as LOSS_PROBE: RTO after the window was found shut, doubled each time
 *                                   [RFC9293 3.8.6.1]
 *   TIMER_DELACK     40 to 200 ms after data that may be acknowledged later [RFC9293 MUST-40]
 *   TIMER_KEEPALIVE  2 h of silence, then every 75 s [RFC9293 3.8.4, MAY-5]
 *   TIMER_CLOSE      60 s in FIN-WAIT-2 without an application
 *   TIMER_CORK       200 ms of holding a short segment back [RFC9293 3.8.6.2.1 (4)]
 *   TIMER_PACE       when the next segment of a paced connection may go
 *   TIMER_REST       1 s (or 5 min, to keep the window) after the last thing to do
 *
 * TIME-WAIT has a record of its own and its timer there (timewait.c).
 */
#include "tcp/timers.h"
#include "base/check.h"
#include "base/count.h"
#include "base/num.h"
#include "tcp/conn.h"
#include "tcp/fastopen.h"
#include "tcp/mtu_probe.h"
#include "tcp/recovery.h"
#include "tcp/rtt.h"
#include "tcp/tlp.h"

enum {
    BACKOFF_MAX = 16, /* more doublings do not matter: rto_max_ns comes first */
};

#define CORK_NS (200 * NS_MS)
#define TAKEN_BACK_MIN_NS (10 * NS_MS)
#define REST_NS (1 * NS_S)
#define REST_WITH_WINDOW_NS (300 * NS_S) /* where a window is kept that long [RFC7661 4.3] */

static void arm(struct tcp_conn *c, enum tcp_timer timer, ns_t at)
{
    c->work->deadline_at[timer] = at;
    c->work->alarm_at = ns_min(c->work->alarm_at, at);
}

static void disarm(struct tcp_conn *c, enum tcp_timer timer)
{
    c->work->deadline_at[timer] = NEVER;
}

static bool is_armed(const struct tcp_conn *c, enum tcp_timer timer)
{
    return c->work->deadline_at[timer] != NEVER;
}

static void arm_loss(struct tcp_conn *c, enum loss_timer kind, ns_t at)
{
    c->work->loss_timer = kind;
    arm(c, TIMER_LOSS, at);
}

static void disarm_loss(struct tcp_conn *c)
{
    struct tcp_work *w = c->work;

    w->loss_timer = LOSS_NONE;
    w->rto_at = NEVER;
    w->rack.reo_at = NEVER;
    w->tlp.at = NEVER;
    disarm(c, TIMER_LOSS);
}

/* Of what waits for acknowledgements, the first; a probe takes the place of an earlier timeout. */
static inline void arm_first_of(struct tcp_conn *c, bool may_probe)
{
    const struct tcp_work *w = c->work;

    if (w->rack.reo_at < w->rto_at)
        arm_loss(c, LOSS_REO, w->rack.reo_at);
    else if (may_probe)
        arm_loss(c, LOSS_TLP, ns_min(w->tlp.at, w->rto_at)); /* [RFC8985 7.2] */
    else
        arm_loss(c, LOSS_RTO, w->rto_at);
}

static void arm_first(struct tcp_conn *c, const struct tcp_env *env)
{
    arm_first_of(c, c->work->tlp.at != NEVER && tlp_may_probe(c, env));
}

/* The same when the probe is scheduled anew, which says whether there may be one. */
static inline void arm_scheduled(struct tcp_conn *c, const struct tcp_env *env, ns_t rto_at)
{
    c->work->rto_at = rto_at;
    tlp_schedule(c, env);
    arm_first_of(c, c->work->tlp.at != NEVER);
}

static void arm_rto(struct tcp_conn *c, const struct tcp_env *env, ns_t at)
{
    c->work->rto_at = at;
    arm_first(c, env);
}

static ns_t keepalive_idle_ns(const struct tcp_conn *c)
{
    return (ns_t)c->user->keepalive_idle_ms * NS_MS;
}

static ns_t user_timeout_ns(const struct tcp_conn *c)
{
    return (ns_t)c->user->user_timeout_ms * NS_MS;
}

/* When the peer was last heard. */
static ns_t received_at(const struct tcp_conn *c)
{
    return (ns_t)c->received_s * NS_S;
}

/* Asked after every segment, so without a loop. */
static ns_t first_of(const ns_t at[TIMER_COUNT])
{
    ns_t of_peer = ns_min(at[TIMER_LOSS], ns_min(at[TIMER_KEEPALIVE], at[TIMER_CLOSE]));
    ns_t of_ours = ns_min(at[TIMER_DELACK], ns_min(at[TIMER_CORK], at[TIMER_PACE]));

    _Static_assert(TIMER_COUNT == 7, "all timers are looked at");
    return ns_min(ns_min(of_peer, of_ours), at[TIMER_REST]);
}

/* A resting connection waits for nothing but its keep-alive timer. */
ns_t tcp_deadline(const struct tcp_conn *c)
{
    if (c->work == NULL)
        return c->user->keepalive && c->state != TCP_CLOSED
                   ? ns_after(received_at(c), keepalive_idle_ns(c))
                   : NEVER;
    return first_of(c->work->deadline_at);
}

ns_t timers_rto_ns(const struct tcp_conn *c, const struct tcp_env *env)
{
    uint32_t doublings = c->work->backoff < BACKOFF_MAX ? c->work->backoff : BACKOFF_MAX;
    ns_t rto_ns = (ns_t)c->rtt.rto_us * NS_US << doublings;

    return ns_min(rto_ns, env->config.rto_max_ns);
}

/* One timeout from now, but not past the time the application has set. */
static ns_t next_loss_at(const struct tcp_conn *c, const struct tcp_env *env)
{
    const struct tcp_work *w = c->work;
    ns_t at = ns_after(env->now, timers_rto_ns(c, env));

    if (c->user->user_timeout_ms == 0 || w->unanswered == 0)
        return at;
    return ns_min(at, ns_after(w->unanswered_since_at, user_timeout_ns(c)));
}

void timers_on_sent(struct tcp_conn *c, struct tcp_env *env, bool is_new)
{
    ns_t rto_at = c->work->rto_at;

    if (rto_at == NEVER) /* [RFC6298 5.1] */
        rto_at = ns_after(env->now, timers_rto_ns(c, env));
    if (is_new)
        arm_scheduled(c, env, rto_at);
    else
        arm_rto(c, env, rto_at);
}

void timers_on_sent_calmly(struct tcp_conn *c, struct tcp_env *env)
{
    struct tcp_work *w = c->work;

    if (w->rto_at == NEVER) /* [RFC6298 5.1] */
        w->rto_at = ns_after(env->now, timers_rto_ns(c, env));
    tlp_schedule_calmly(c, env);
    arm_first_of(c, w->tlp.at != NEVER);
}

/* Never earlier than it would have been, and not while it is backing off. */
void timers_on_first_resent(struct tcp_conn *c, struct tcp_env *env)
{
    if (c->work->backoff == 0)
        arm_rto(c, env, ns_max(c->work->rto_at, ns_after(env->now, timers_rto_ns(c, env))));
}

/* The last timer of all starts anew behind the probe [RFC8985 7.3]. */
void timers_on_tail_probe(struct tcp_conn *c, struct tcp_env *env)
{
    arm_rto(c, env, ns_after(env->now, timers_rto_ns(c, env)));
}

/* The doublings last until a round trip is measured, so that the next one can be [RFC6298 3, 5]. */
void timers_on_measured(struct tcp_conn *c)
{
    c->work->backoff = 0;
}

void timers_on_acked(struct tcp_conn *c, struct tcp_env *env)
{
    c->work->unanswered = 0;
    if (tcp_flight(c) == 0) {
        disarm_loss(c); /* [RFC6298 5.2] */
        return;
    }
    arm_scheduled(c, env, ns_after(env->now, timers_rto_ns(c, env))); /* [RFC6298 5.3] */
}

void timers_on_sacked(struct tcp_conn *c, struct tcp_env *env)
{
    if (c->work->rto_at != NEVER)
        arm_first(c, env);
}

/* Acknowledgements may have been overtaken: half a round trip is left to them, as in Linux. */
void timers_on_taken_back(struct tcp_conn *c, struct tcp_env *env)
{
    ns_t patience_ns = ns_max((ns_t)c->rtt.srtt_us * NS_US / 2, TAKEN_BACK_MIN_NS);

    arm_rto(c, env, ns_min(c->work->rto_at, ns_after(env->now, patience_ns)));
}

/*
 * Probes that are answered, even with a window of zero, keep the connection open for as long
 * as it takes [RFC9293 MUST-37]; so does a peer that answers keep-alive probes.
 */
void timers_on_received(struct tcp_conn *c, struct tcp_env *env)
{
    struct tcp_work *w = c->work;

    w->keepalive_unanswered = 0;
    if (c->snd.wnd == 0)
        w->unanswered = 0;
    c->received_s = (uint32_t)ns_div_ceil(env->now, NS_S); /* not before: 2 h are 2 h */
    if (is_armed(c, TIMER_KEEPALIVE))
        arm(c, TIMER_KEEPALIVE, ns_after(env->now, keepalive_idle_ns(c)));
}

void timers_on_ack_delayed(struct tcp_conn *c, struct tcp_env *env, ns_t delay_ns)
{
    /* [RFC9293 MUST-40]: below half a second, from the first segment not yet acknowledged */
    arm(c, TIMER_DELACK,
        ns_min(c->work->deadline_at[TIMER_DELACK],
               ns_after(env->now, ns_min(delay_ns, env->config.delack_max_ns))));
}

void timers_on_ack_sent(struct tcp_conn *c)
{
    disarm(c, TIMER_DELACK);
}

/* The first probe comes one RTO after the window shut [RFC9293 SHLD-29]. */
void timers_on_window_shut(struct tcp_conn *c, struct tcp_env *env)
{
    if (c->work->loss_timer == LOSS_NONE)
        arm_loss(c, LOSS_PROBE, ns_after(env->now, timers_rto_ns(c, env)));
}

void timers_on_window_open(struct tcp_conn *c)
{
    if (c->work->loss_timer != LOSS_PROBE)
        return;
    disarm_loss(c);
    c->work->backoff = 0;
    c->work->unanswered = 0;
}

void timers_on_paced(struct tcp_conn *c)
{
    arm(c, TIMER_PACE, c->work->pace.next_at);
}

void timers_on_held_back(struct tcp_conn *c, struct tcp_env *env)
{
    if (!is_armed(c, TIMER_CORK))
        arm(c, TIMER_CORK, ns_after(env->now, CORK_NS));
}

void timers_on_not_held_back(struct tcp_conn *c)
{
    disarm(c, TIMER_CORK);
}

void timers_on_keepalive(struct tcp_conn *c, struct tcp_env *env)
{
    bool may_be_dead = tcp_is_synchronized(c) && c->state != TCP_TIME_WAIT;

    c->work->keepalive_unanswered = 0;
    if (c->user->keepalive && may_be_dead) /* [RFC9293 MUST-24, MUST-25] */
        arm(c, TIMER_KEEPALIVE, ns_max(env->now, ns_after(received_at(c), keepalive_idle_ns(c))));
    else
        disarm(c, TIMER_KEEPALIVE);
}

static ns_t fin_wait2_ns(const struct tcp_conn *c, const struct tcp_env *env)
{
    return c->user->fin_wait2_s != 0 ? c->user->fin_wait2_s * NS_S : env->config.fin_wait2_ns;
}

void timers_on_orphaned(struct tcp_conn *c, struct tcp_env *env)
{
    if (c->is_orphan && c->state == TCP_FIN_WAIT_2)
        arm(c, TIMER_CLOSE, ns_after(env->now, fin_wait2_ns(c, env)));
}

static ns_t rest_ns(const struct tcp_env *env)
{
    return env->config.slow_start_after_idle ? REST_NS : REST_WITH_WINDOW_NS;
}

void timers_on_quiet(struct tcp_conn *c, struct tcp_env *env)
{
    if (!is_armed(c, TIMER_REST))
        arm(c, TIMER_REST, ns_after(env->now, rest_ns(env)));
}

void timers_stop(struct tcp_conn *c)
{
    for (size_t i = 0; i < TIMER_COUNT; i++)
        disarm(c, (enum tcp_timer)i);
    disarm_loss(c);
    c->work->alarm_at = NEVER;
}

ns_t timers_choose_alarm(struct tcp_conn *c)
{
    c->work->alarm_at = first_of(c->work->deadline_at);
    return c->work->alarm_at;
}

static void emit_timer(const struct tcp_conn *c, const struct tcp_env *env, const char *name)
{
    struct weir_trace event;

    if (!trace_is_on(env->tracer))
        return;
    event = tcp_trace_of(c, env, WEIR_TRACE_TIMER);
    event.text = name;
    trace_emit(env->tracer, &event);
}

static void give_up(struct tcp_conn *c, struct tcp_env *env)
{
    count_add(&env->counts.timeouts, 1);
    tcp_end(c, env, WEIR_ETIMEDOUT);
}

/* Nobody waits for what an application that has gone has written. */
static uint32_t retries2_of(const struct tcp_conn *c, const struct tcp_env *env)
{
    uint32_t retries2 = env->config.retries2;

    return c->is_orphan ? u32_min(retries2, env->config.orphan_retries) : retries2;
}

/*
 * A peer that answers and never opens its window keeps a connection for as long as the application
 * wants [RFC9293 MUST-37], which an orphan has not: when probes are as rare as they become, it ends.
 */
static bool is_held_for_ever(const struct tcp_conn *c, const struct tcp_env *env)
{
    return c->is_orphan && c->work->backoff >= env->config.orphan_retries
           && timers_rto_ns(c, env) >= env->config.rto_max_ns;
}

/*
 * R2 [RFC9293 MUST-20, MUST-21, SHLD-11]: as a count of retransmissions, or as the time the
 * application has set. A SYN has a count of its own [RFC9293 MUST-22, MUST-23].
 */
static bool is_r2_reached(const struct tcp_conn *c, const struct tcp_env *env)
{
    const struct tcp_work *w = c->work;

    if (w->unanswered == 0)
        return false;
    if (c->user->user_timeout_ms != 0)
        return ns_since(w->unanswered_since_at, env->now) >= user_timeout_ns(c);
    if (!tcp_is_synchronized(c))
        return w->unanswered
               >= (c->state == TCP_SYN_SENT ? c->user->syn_retries : env->config.synack_retries);
    return w->unanswered >= retries2_of(c, env);
}

/* R1: IP is advised to look for another way, and the application is told [RFC9293 SHLD-9, SHLD-10]. */
static void note_r1(struct tcp_conn *c, const struct tcp_env *env)
{
    if (c->work->unanswered != env->config.retries1 || !tcp_is_synchronized(c))
        return;
    c->path_is_suspect = true;
    if (c->user->soft_errors) {
        c->events |= WEIR_EVENT_SOFT_ERROR;
        c->soft_error = WEIR_ETIMEDOUT;
    }
}

/* since_at: when that was sent which has gone unanswered, if it is the first. */
static void count_unanswered(struct tcp_conn *c, const struct tcp_env *env, ns_t since_at)
{
    struct tcp_work *w = c->work;

    if (w->unanswered++ == 0)
        w->unanswered_since_at = since_at;
    note_r1(c, env);
}

static void expire_rto(struct tcp_conn *c, struct tcp_env *env)
{
    emit_timer(c, env, "rto");
    if (is_r2_reached(c, env)) {
        give_up(c, env);
        return;
    }
    count_unanswered(c, env, ns_after(env->now, -timers_rto_ns(c, env)));
    mtu_probe_stop(c);
    if (c->work->unanswered >= env->config.retries1 && tcp_is_synchronized(c))
        mtu_probe_on_black_hole(c, env);
    recovery_on_timeout(c, env);
    fastopen_on_timeout(c, env);
    c->work->backoff++;                    /* [RFC6298 5.5] */
    arm_rto(c, env, next_loss_at(c, env)); /* [RFC6298 5.6] */
}

static void expire_reo(struct tcp_conn *c, struct tcp_env *env)
{
    emit_timer(c, env, "reordering");
    recovery_on_reordering_timeout(c, env);
    arm_first(c, env);
}

static void expire_tlp(struct tcp_conn *c, struct tcp_env *env)
{
    emit_timer(c, env, "tlp");
    c->work->tlp.at = NEVER;
    c->work->tlp.probe_owed = true;
    timers_on_tail_probe(c, env);
}

static void expire_probe(struct tcp_conn *c, struct tcp_env *env)
{
    emit_timer(c, env, "probe");
    if (is_r2_reached(c, env) || is_held_for_ever(c, env)) {
        c->work->rst_owed = c->is_orphan;
        give_up(c, env);
        return;
    }
    count_unanswered(c, env, env->now);
    c->work->probe_owed = true;
    c->work->backoff++; /* [RFC9293 SHLD-30] */
    arm_loss(c, LOSS_PROBE, next_loss_at(c, env));
}

static void expire_loss(struct tcp_conn *c, struct tcp_env *env)
{
    switch (c->work->loss_timer) {
    case LOSS_RTO: expire_rto(c, env); break;
    case LOSS_REO: expire_reo(c, env); break;
    case LOSS_TLP: expire_tlp(c, env); break;
    case LOSS_PROBE: expire_probe(c, env); break;
    case LOSS_NONE: break;
    }
}

/* A delay that ran out was too long: the next ones are for a peer that waits. */
static void expire_delack(struct tcp_conn *c, struct tcp_env *env)
{
    struct tcp_work *w = c->work;

    emit_timer(c, env, "delack");
    if (w->is_interactive) {
        w->is_interactive = false;
        w->delack_ns = env->config.delack_min_ns;
    } else {
        w->delack_ns = ns_min(2 * w->delack_ns, env->config.delack_max_ns);
    }
    w->ack_owed = true;
}

/*
 * Only an idle connection with nothing under way is probed [RFC9293 MUST-26]; several probes
 * have to go unanswered before it counts as dead [RFC9293 MUST-29].
 */
static void expire_keepalive(struct tcp_conn *c, struct tcp_env *env)
{
    struct tcp_work *w = c->work;
    bool has_given_up = c->user->user_timeout_ms != 0
                            ? w->keepalive_unanswered > 0
                                  && ns_since(received_at(c), env->now) >= user_timeout_ns(c)
                            : w->keepalive_unanswered >= c->user->keepalive_probes;

    emit_timer(c, env, "keepalive");
    if (tcp_flight(c) != 0 || w->sendq.bytes != 0) {
        arm(c, TIMER_KEEPALIVE, ns_after(env->now, keepalive_idle_ns(c)));
        return;
    }
    if (has_given_up) {
        w->rst_owed = true;
        give_up(c, env);
        return;
    }
    w->keepalive_unanswered++;
    w->keepalive_owed = true;
    arm(c, TIMER_KEEPALIVE, ns_after(env->now, (ns_t)c->user->keepalive_interval_ms * NS_MS));
}

static void expire_close(struct tcp_conn *c, struct tcp_env *env)
{
    emit_timer(c, env, "fin_wait2");
    tcp_end(c, env, WEIR_OK);
}

static void expire_cork(struct tcp_conn *c, struct tcp_env *env)
{
    bool is_corked = c->user->cork || c->work->more_follows;

    emit_timer(c, env, is_corked ? "cork" : "override"); /* [RFC9293 3.8.6.2.1 (4)] */
    c->work->push_all = true;
    c->work->is_unpushed = false;
}

/* Output looks at the clock: all that is needed is a turn. */
static void expire_pace(struct tcp_conn *c, struct tcp_env *env)
{
    (void)c;
    (void)env;
}

/* A pause between two messages is no rest: the window and what is known of the peer are kept. */
static void expire_rest(struct tcp_conn *c, struct tcp_env *env)
{
    const struct tcp_work *w = c->work;
    ns_t busy_at = ns_max(w->challenge_at, ns_max(w->sent_at, w->data_received_at));

    if (!tcp_can_rest(c))
        return;
    if (ns_since(busy_at, env->now) < rest_ns(env))
        arm(c, TIMER_REST, ns_after(busy_at, rest_ns(env)));
    else
        tcp_work_detach(c, env);
}

static void (*const expire[TIMER_COUNT])(struct tcp_conn *, struct tcp_env *) = {
    [TIMER_LOSS] = expire_loss,           [TIMER_DELACK] = expire_delack,
    [TIMER_KEEPALIVE] = expire_keepalive, [TIMER_CLOSE] = expire_close,
    [TIMER_CORK] = expire_cork,           [TIMER_PACE] = expire_pace,
    [TIMER_REST] = expire_rest,
};

/* The keep-alive timer of a resting connection becomes an ordinary one again. */
static bool wake(struct tcp_conn *c, struct tcp_env *env)
{
    if (c->work != NULL)
        return true;
    if (!tcp_work_attach(c, env))
        return false;
    arm(c, TIMER_KEEPALIVE, env->now);
    return true;
}

void tcp_expire(struct tcp_conn *c, struct tcp_env *env)
{
    if (tcp_deadline(c) > env->now)
        return;
    if (!wake(c, env)) {
        c->received_s = (uint32_t)ns_div_ceil(env->now, NS_S); /* no memory: later */
        return;
    }
    tcp_disturb(c);
    for (size_t i = 0; i < TIMER_COUNT && c->work != NULL; i++) {
        if (c->work->deadline_at[i] > env->now)
            continue;
        if (i != TIMER_LOSS)
            disarm(c, (enum tcp_timer)i);
        expire[i](c, env);
    }
}
