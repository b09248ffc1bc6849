/*
 * conn.c - the life of a connection's record
 *
 * The state changes here and nowhere else, against a table that is asserted and never
 * consulted [RFC9293 3.3.2, figure 5].
 */
#include "tcp/conn.h"
#include "base/check.h"
#include "base/count.h"
#include "base/hint.h"
#include "base/parts.h"
#include "tcp/express.h"
#include "tcp/reasm.h"
#include "tcp/recovery.h"
#include "tcp/recvq.h"
#include "tcp/rtt.h"
#include "tcp/sendq.h"
#include "tcp/timers.h"
#include "tcp/tstamp.h"
#include "tcp/works.h"

#define TO(state) (1u << (state))

static const uint16_t may_become[] = {
    [TCP_CLOSED] = TO(TCP_SYN_SENT) | TO(TCP_SYN_RECEIVED),
    [TCP_LISTEN] = 0,
    [TCP_SYN_SENT] = TO(TCP_SYN_RECEIVED) | TO(TCP_ESTABLISHED) | TO(TCP_CLOSED),
    [TCP_SYN_RECEIVED] = TO(TCP_ESTABLISHED) | TO(TCP_CLOSED),
    [TCP_ESTABLISHED] = TO(TCP_FIN_WAIT_1) | TO(TCP_CLOSE_WAIT) | TO(TCP_CLOSED),
    [TCP_FIN_WAIT_1] = TO(TCP_FIN_WAIT_2) | TO(TCP_CLOSING) | TO(TCP_TIME_WAIT) | TO(TCP_CLOSED),
    [TCP_FIN_WAIT_2] = TO(TCP_TIME_WAIT) | TO(TCP_CLOSED),
    [TCP_CLOSE_WAIT] = TO(TCP_LAST_ACK) | TO(TCP_CLOSED),
    [TCP_CLOSING] = TO(TCP_TIME_WAIT) | TO(TCP_CLOSED),
    [TCP_LAST_ACK] = TO(TCP_CLOSED),
    [TCP_TIME_WAIT] = TO(TCP_CLOSED),
};

bool tcp_conn_init(struct tcp_conn *c, struct tcp_env *env)
{
    struct tcp_user user;

    choice_init(&user, env);
    *c = (struct tcp_conn){
        .state = TCP_CLOSED,
        .ssthresh = UINT32_MAX,
        .cc = cc_number(cc_find(env->config.congestion_control)),
        .send_buffer_bytes = user.send_buffer_bytes,
        .recv_buffer_bytes = user.recv_buffer_bytes,
        .user = choice_get(env, &user),
    };
    rtt_init(c, env);
    return c->user != NULL;
}

void tcp_conn_init_like(struct tcp_conn *c, const struct tcp_conn *model)
{
    *c = *model;
    (void)choice_ref(model->user);
}

bool tcp_work_attach_first(struct tcp_conn *c, struct tcp_env *env)
{
    struct tcp_work *w = works_get(env);

    if (w == NULL)
        return false;
    w->blocked_by = BLOCKED_BY_APP;
    w->blocked_since_at = env->now;
    w->conn = c;
    list_init(&w->ready);
    w->challenge_at = -NS_S; /* no second: the first challenge begins one */
    c->work = w;
    w->rtt_min_at = env->now;
    timers_stop(c);
    sendq_init(c);
    scoreboard_init(c);
    return true;
}

APART bool tcp_work_attach(struct tcp_conn *c, struct tcp_env *env)
{
    if (c->work != NULL)
        return true;
    if (!tcp_work_attach_first(c, env))
        return false;
    timers_on_keepalive(c, env); /* it may be long until it rests again */
    if (c->state == TCP_CLOSED)
        recovery_begin(c, env);
    else
        recovery_init(c, env);
    return true;
}

/* Only what a resting connection has no use for may be in work then. */
bool tcp_can_rest(const struct tcp_conn *c)
{
    const struct tcp_work *w = c->work;

    return (c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT || c->state == TCP_FIN_WAIT_2)
           && tcp_flight(c) == 0 && w->sendq.bytes == 0 && w->recvq.bytes == 0 && w->reasm == NULL
           && w->loss_timer == LOSS_NONE && w->deadline_at[TIMER_DELACK] == NEVER
           && w->deadline_at[TIMER_CLOSE] == NEVER && w->keepalive_unanswered == 0
           && (!c->fin_queued || c->state == TCP_FIN_WAIT_2) && !w->ack_owed
           && w->dup_acks_owed == 0 && !w->keepalive_owed && !c->rcv_urgent
           && w->recvq.posted.bytes == NULL && !list_is_linked(&w->ready);
}

void tcp_work_detach(struct tcp_conn *c, struct tcp_env *env)
{
    CHECK(tcp_can_rest(c) && !wheel_is_armed(&c->work->alarm.entry));
    c->ssthresh = c->work->cc.ssthresh;
    works_put(c, env);
}

void tcp_conn_fini(struct tcp_conn *c, struct tcp_env *env)
{
    if (c->auth != 0)
        auth_put(env, &c->auth);
    choice_put(env, &c->user);
    ends_fini(&c->ends, env);
    if (c->work != NULL)
        works_put_last(c, env);
}

struct weir_trace tcp_trace_of(const struct tcp_conn *c, const struct tcp_env *env,
                               enum weir_trace_kind kind)
{
    struct tcp_tuple tuple = ends_tuple(&c->ends, env);

    return (struct weir_trace){
        .kind = kind,
        .at = env->now,
        .conn = env->handle_of == NULL ? 0 : env->handle_of(env, c),
        .local = {.addr = tuple.local_addr, .port = tuple.local_port},
        .remote = {.addr = tuple.remote_addr, .port = tuple.remote_port},
        .from = (enum weir_tcp_state)c->state,
        .to = (enum weir_tcp_state)c->state,
    };
}

/* Not a part of tcp_set_state, so that who is not traced saves no registers for it. */
static __attribute__((noinline)) void trace_state(const struct tcp_conn *c,
                                                  const struct tcp_env *env, enum tcp_state to)
{
    struct weir_trace event = tcp_trace_of(c, env, WEIR_TRACE_STATE);

    event.to = (enum weir_tcp_state)to;
    trace_emit(env->tracer, &event);
}

void tcp_set_state(struct tcp_conn *c, struct tcp_env *env, enum tcp_state state)
{
    CHECK(may_become[c->state] & TO(state));
    if (trace_is_on(env->tracer))
        trace_state(c, env, state);
    c->state = (uint8_t)state;
}

static void tell_end(struct tcp_conn *c, struct tcp_env *env, int error)
{
    c->error = (int8_t)error;
    c->events |= WEIR_EVENT_CLOSED; /* an abort is told from a close by error [RFC9293 MUST-12] */
    tcp_set_state(c, env, TCP_CLOSED);
}

/* Nothing is owed to anybody, and nothing waited for. */
static void owe_nothing(struct tcp_conn *c)
{
    struct tcp_work *w = c->work;

    timers_stop(c);
    w->dup_acks_owed = 0;
    w->ack_owed = false;
    w->keepalive_owed = false;
    w->probe_owed = false;
}

/* What arrived before the end may still be read; what was to be sent is dropped. */
void tcp_end(struct tcp_conn *c, struct tcp_env *env, int error)
{
    if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED)
        count_add(&env->counts.failed_opens, 1);
    tell_end(c, env, error);
    if (c->work != NULL) {
        tcp_disturb(c);
        sendq_clear(c, env);
        reasm_clear(c, env);
        recovery_stop(c, env);
        owe_nothing(c);
    }
}

/* Who has gone asks for nothing: what is kept for segments to come goes with the rest. */
void tcp_end_acked(struct tcp_conn *c, struct tcp_env *env)
{
    if (!HAS_PREDICTION || !c->is_orphan) {
        tcp_end(c, env, WEIR_OK);
        return;
    }
    tell_end(c, env, WEIR_OK);
    owe_nothing(c);
}

bool tcp_fin_sent(const struct tcp_conn *c)
{
    return c->fin_queued && c->work != NULL && seq_eq(c->snd.nxt, seq_add(sendq_end(c), 1));
}

bool tcp_fin_acked(const struct tcp_conn *c)
{
    return tcp_fin_sent(c) && seq_eq(c->snd.una, c->snd.nxt);
}

void tcp_conn_check(const struct tcp_conn *c)
{
    const struct tcp_work *w = c->work;

    CHECK(c->state == TCP_CLOSED || seq_leq(c->snd.una, c->snd.nxt));
    CHECK(c->state != TCP_LISTEN);
    CHECK(!c->fin_received || c->state == TCP_CLOSE_WAIT || c->state == TCP_CLOSING
          || c->state == TCP_LAST_ACK || c->state == TCP_TIME_WAIT || c->state == TCP_CLOSED);
    if (w == NULL)
        return;
    CHECK(!w->is_calm || express_is_calm(c));
    CHECK((w->loss_timer == LOSS_NONE) == (w->deadline_at[TIMER_LOSS] == NEVER));
    CHECK(pieces_bytes(&w->sendq.pieces) == w->sendq.bytes);
    CHECK(w->recvq.posted.filled + pieces_bytes(&w->recvq.pieces) == w->recvq.bytes);
    CHECK(w->recvq.posted.filled <= w->recvq.posted.size);
    if (c->state == TCP_CLOSED || c->state == TCP_TIME_WAIT) {
        CHECK(w->loss_timer == LOSS_NONE);
        CHECK(w->sendq.bytes == 0);
        return;
    }
    CHECK(c->state != TCP_FIN_WAIT_2 || tcp_fin_acked(c));
    CHECK(tcp_flight(c) == 0 || w->loss_timer != LOSS_NONE || c->state == TCP_SYN_SENT);
    CHECK(seq_leq(c->snd.nxt, seq_add(sendq_end(c), c->fin_queued)));
    reasm_check(c);
    recovery_check(c);
}
