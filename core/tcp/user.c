/*
 * user.c - what the application asks of a connection
 *
 * OPEN, SEND, RECEIVE, CLOSE, ABORT and STATUS. A call changes the connection and leaves;
 * what follows from it is decided by output.c.
 */
#include "tcp/user.h"
#include "base/check.h"
#include "base/count.h"
#include "base/hint.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/parts.h"
#include "tcp/conn.h"
#include "tcp/ecn.h"
#include "tcp/options.h"
#include "tcp/reasm.h"
#include "tcp/recovery.h"
#include "tcp/recvq.h"
#include "tcp/sendq.h"
#include "tcp/timers.h"
#include "tcp/tstamp.h"
#include "tcp/tune.h"
#include "tcp/uto.h"
#include "tcp/window.h"
#include "wire/ip.h"
#include <string.h>

enum {
    LENT_MAX = 1 << 30,
    POSTED_MAX = 1 << 30,
};

#define PACING_MAX (UINT32_MAX * INT64_C(1024)) /* bytes per second */

static APART void trace_call(const struct tcp_conn *c, const struct tcp_env *env, const char *text,
                             int64_t value)
{
    struct weir_trace event = tcp_trace_of(c, env, WEIR_TRACE_APP);

    event.text = text;
    event.value = value;
    trace_emit(env->tracer, &event);
}

static void emit_call(const struct tcp_conn *c, const struct tcp_env *env, const char *text,
                      int64_t value)
{
    if (trace_is_on(env->tracer))
        trace_call(c, env, text, value);
}

/* OPEN [RFC9293 3.10.1]. */
int tcp_open(struct tcp_conn *c, struct tcp_env *env, struct isn isn, uint32_t mtu)
{
    c->pmtu = mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)mtu;
    c->snd.iss = isn.seq;
    c->snd.una = isn.seq;
    c->snd.nxt = seq_add(isn.seq, 1); /* where the text will begin */
    c->agreed = options_wish(env, c->user, options_mss_for(ends_are_v4(&c->ends), mtu, c->user));
    c->agreed.snd_mss = c->agreed.rcv_mss; /* until the peer says otherwise */
    tstamp_open(c, env, isn.ts_offset);
    if (!tcp_work_attach(c, env))
        return WEIR_ENOMEM;
    c->snd.nxt = isn.seq;
    ecn_open(c, env);
    tcp_set_state(c, env, TCP_SYN_SENT);
    recovery_on_syn(c);
    emit_call(c, env, "connect", 0);
    count_add(&env->counts.active_opens, 1);
    return WEIR_OK;
}

/* May the application still send? SYN-SENT and SYN-RECEIVED queue. */
static int check_can_send(const struct tcp_conn *c)
{
    if (c->fin_queued)
        return WEIR_EPIPE;
    switch ((enum tcp_state)c->state) {
    case TCP_SYN_SENT:
    case TCP_SYN_RECEIVED:
    case TCP_ESTABLISHED:
    case TCP_CLOSE_WAIT: return WEIR_OK;
    case TCP_CLOSED: return c->error != WEIR_OK ? c->error : WEIR_EPIPE;
    case TCP_LISTEN:
    case TCP_FIN_WAIT_1:
    case TCP_FIN_WAIT_2:
    case TCP_CLOSING:
    case TCP_LAST_ACK:
    case TCP_TIME_WAIT: return WEIR_EPIPE;
    }
    return WEIR_EPIPE;
}

static void note_written(struct tcp_conn *c, const struct tcp_env *env, size_t len, unsigned flags)
{
    c->work->more_follows = (flags & WEIR_SEND_MORE) != 0;
    c->work->is_unpushed = c->work->more_follows;
    if (flags != 0)
        tcp_disturb(c);
    if (flags & WEIR_SEND_URGENT) { /* [RFC9293 MUST-30] */
        c->work->snd_up = sendq_end(c);
        c->snd_urgent = true;
    }
    if (flags & WEIR_SEND_END_OF_RECORD)
        sendq_end_record(c);
    emit_call(c, env, "send", (int64_t)len);
}

static ptrdiff_t would_block(struct tcp_conn *c)
{
    c->wants_writable = true;
    return WEIR_EAGAIN;
}

/*
 * Queues that had all of the memory would leave none for the segments that empty them. Where
 * something is queued there will be an event when it is acknowledged.
 */
static ptrdiff_t refuse_for_memory(struct tcp_conn *c)
{
    return c->work->sendq.bytes > 0 ? would_block(c) : WEIR_ENOMEM;
}

/* SEND [RFC9293 3.10.2]. */
ptrdiff_t tcp_send(struct tcp_conn *c, struct tcp_env *env, const void *bytes, size_t len,
                   unsigned flags)
{
    int err = check_can_send(c);
    uint32_t room;

    if (err != WEIR_OK)
        return err;
    if (len == 0)
        return 0;
    if (c->work == NULL && !tcp_work_attach(c, env))
        return WEIR_ENOMEM;
    room = sendq_room(c);
    if (room == 0)
        return would_block(c);
    if (mem_is_tight(env->pieces.mem))
        return refuse_for_memory(c);
    if (len > room) {
        len = room;
        flags &= ~(unsigned)WEIR_SEND_END_OF_RECORD; /* with the rest of it */
    }
    if (!sendq_copy(c, env, bytes, (uint32_t)len))
        return WEIR_ENOMEM;
    note_written(c, env, len, flags);
    return (ptrdiff_t)len;
}

ptrdiff_t tcp_send_lent(struct tcp_conn *c, struct tcp_env *env, struct weir_slice bytes,
                        unsigned flags, void (*release)(void *owner), void *owner)
{
    int err = check_can_send(c);

    if (err != WEIR_OK)
        return err;
    if (release == NULL || bytes.len == 0 || bytes.len > LENT_MAX)
        return WEIR_EINVAL;
    if (!tcp_work_attach(c, env))
        return WEIR_ENOMEM;
    if (sendq_room(c) == 0)
        return would_block(c);
    if (mem_is_tight(env->pieces.mem))
        return refuse_for_memory(c);
    if (!sendq_lend(c, env, bytes, release, owner))
        return WEIR_ENOMEM;
    note_written(c, env, bytes.len, flags);
    return (ptrdiff_t)bytes.len;
}

/* What is left to say when the receive queue is empty. */
static ptrdiff_t nothing_to_read(const struct tcp_conn *c)
{
    if (c->state == TCP_CLOSED && c->error != WEIR_OK)
        return c->error;
    if (c->fin_received || c->state == TCP_CLOSED || c->state == TCP_TIME_WAIT)
        return 0;
    return WEIR_EAGAIN;
}

static uint32_t readable(const struct tcp_conn *c)
{
    return c->work == NULL ? 0 : c->work->recvq.bytes;
}

/* The number of the next byte that will be read. The FIN is no byte. */
static seq_t next_read(const struct tcp_conn *c)
{
    return seq_sub(c->rcv.nxt, readable(c) + c->fin_received);
}

/* The urgent data has been read, or cannot come any more. */
static void pass_urgent(struct tcp_conn *c)
{
    bool at_end = c->fin_received && readable(c) == 0;

    if (c->rcv_urgent && (at_end || seq_leq(c->work->rcv_up, next_read(c))))
        c->rcv_urgent = false;
}

static bool has_posted(const struct tcp_conn *c)
{
    return HAS_POSTED_READS && c->work != NULL && recvq_has_posted(&c->work->recvq);
}

/* What follows from a read; the bytes are not in the queue any more. */
static void note_read(struct tcp_conn *c, struct tcp_env *env, uint32_t len)
{
    tune_on_read(c, env, len);
    pass_urgent(c);
    emit_call(c, env, "receive", len);
    if (tcp_is_synchronized(c) && !c->fin_received && window_is_worth_announcing(c))
        c->work->ack_owed = true;
}

static void consume(struct tcp_conn *c, struct tcp_env *env, uint32_t len)
{
    recvq_drop(c, env, len);
    note_read(c, env, len);
}

static uint32_t clip(size_t len)
{
    return len > INT32_MAX ? INT32_MAX : (uint32_t)len;
}

/* RECEIVE [RFC9293 3.10.3]. */
WHOLE ptrdiff_t tcp_recv(struct tcp_conn *c, struct tcp_env *env, void *bytes, size_t len)
{
    uint32_t got;

    if (has_posted(c))
        return WEIR_ESTATE;
    if (readable(c) == 0)
        return nothing_to_read(c);
    got = recvq_read(c, env, bytes, clip(len));
    note_read(c, env, got);
    return (ptrdiff_t)got;
}

ptrdiff_t tcp_peek(const struct tcp_conn *c, size_t skip, void *bytes, size_t len)
{
    if (skip >= readable(c))
        return nothing_to_read(c);
    return (ptrdiff_t)recvq_copy(c, clip(skip), bytes, clip(len));
}

ptrdiff_t tcp_recv_lent(struct tcp_conn *c, struct weir_slice *slices, size_t max, size_t *count)
{
    *count = 0;
    if (has_posted(c))
        return WEIR_ESTATE;
    if (readable(c) == 0)
        return nothing_to_read(c);
    return (ptrdiff_t)recvq_show(c, slices, max, count);
}

int tcp_recv_done(struct tcp_conn *c, struct tcp_env *env, size_t len)
{
    if (has_posted(c))
        return WEIR_ESTATE;
    if (len > readable(c))
        return WEIR_EINVAL;
    if (len > 0)
        consume(c, env, (uint32_t)len);
    return WEIR_OK;
}

int tcp_recv_post(struct tcp_conn *c, struct tcp_env *env, void *bytes, size_t len)
{
    if (!HAS_POSTED_READS)
        return WEIR_ENOTSUP;
    if (bytes == NULL || len == 0 || len > POSTED_MAX)
        return WEIR_EINVAL;
    if (has_posted(c))
        return WEIR_ESTATE;
    if (!tcp_work_attach(c, env))
        return WEIR_ENOMEM;
    recvq_post(c, env, bytes, (uint32_t)len);
    return WEIR_OK;
}

ptrdiff_t tcp_recv_take(struct tcp_conn *c, struct tcp_env *env, void **bytes)
{
    uint32_t got;

    *bytes = NULL;
    if (!has_posted(c))
        return WEIR_ESTATE;
    *bytes = c->work->recvq.posted.bytes;
    got = recvq_unpost(c, env);
    if (got == 0)
        return nothing_to_read(c);
    note_read(c, env, got);
    return (ptrdiff_t)got;
}

/* The application has gone: nothing may be put into its buffer any more. */
static void give_up_posted(struct tcp_conn *c, struct tcp_env *env)
{
    if (has_posted(c))
        (void)recvq_unpost(c, env);
}

/* CLOSE, of our side [RFC9293 3.10.4]: the FIN follows what is queued. */
int tcp_shutdown(struct tcp_conn *c, struct tcp_env *env)
{
    if (c->fin_queued)
        return WEIR_OK;
    switch ((enum tcp_state)c->state) {
    case TCP_SYN_SENT:
    case TCP_SYN_RECEIVED:
    case TCP_ESTABLISHED:
    case TCP_CLOSE_WAIT: break;
    case TCP_CLOSED:
    case TCP_LISTEN:
    case TCP_FIN_WAIT_1:
    case TCP_FIN_WAIT_2:
    case TCP_CLOSING:
    case TCP_LAST_ACK:
    case TCP_TIME_WAIT: return WEIR_ENOTCONN;
    }
    if (!tcp_work_attach(c, env))
        return WEIR_ENOMEM;
    if (!c->is_orphan) /* else it is a part of close */
        emit_call(c, env, "shutdown", 0);
    c->fin_queued = true;
    if (c->state == TCP_ESTABLISHED)
        tcp_set_state(c, env, TCP_FIN_WAIT_1);
    else if (c->state == TCP_CLOSE_WAIT)
        tcp_set_state(c, env, TCP_LAST_ACK);
    return WEIR_OK;
}

/* Drops everything and tells the peer, if there is one. */
static void reset(struct tcp_conn *c, struct tcp_env *env)
{
    bool peer_knows =
        c->state != TCP_CLOSED && c->state != TCP_SYN_SENT && c->state != TCP_TIME_WAIT;
    bool can_tell = peer_knows && tcp_work_attach(c, env);

    if (c->state != TCP_CLOSED)
        tcp_end(c, env, WEIR_ECONNABORTED);
    if (can_tell)
        c->work->rst_owed = true;
}

/* ABORT [RFC9293 3.10.5]. */
void tcp_abort(struct tcp_conn *c, struct tcp_env *env)
{
    emit_call(c, env, "abort", 0);
    c->is_orphan = true;
    give_up_posted(c, env);
    reset(c, env);
}

/*
 * CLOSE of both directions at once [RFC9293 3.6.1, MAY-1]: what was not read, or cannot be, is
 * told to the peer by a reset [RFC9293 SHLD-3].
 */
void tcp_close(struct tcp_conn *c, struct tcp_env *env)
{
    bool is_unread = readable(c) > 0 || (c->work != NULL && reasm_bytes(c) > 0);

    emit_call(c, env, "close", 0);
    c->is_orphan = true;
    give_up_posted(c, env);
    if (c->state == TCP_SYN_SENT || is_unread || c->user->linger
        || tcp_shutdown(c, env) == WEIR_ENOMEM) {
        reset(c, env);
        return;
    }
    if (c->state != TCP_FIN_WAIT_2)
        return;
    if (tcp_work_attach(c, env))
        timers_on_orphaned(c, env);
    else
        tcp_end(c, env, WEIR_OK); /* nothing would ever end it */
}

ptrdiff_t tcp_urgent(const struct tcp_conn *c)
{
    return c->rcv_urgent ? (ptrdiff_t)seq_len(next_read(c), c->work->rcv_up)
                         : 0; /* [RFC9293 MUST-33] */
}

void tcp_queued(const struct tcp_conn *c, struct weir_tcp_queued *queued)
{
    const struct sendq *q;

    *queued = (struct weir_tcp_queued){.send_room = c->send_buffer_bytes};
    if (c->work == NULL)
        return;
    q = &c->work->sendq;
    queued->recv_bytes = readable(c);
    queued->send_bytes = q->bytes;
    queued->unsent_bytes = q->bytes;
    queued->send_room = sendq_room(c);
    if (seq_gt(c->snd.nxt, q->start)) /* the FIN is no byte */
        queued->unsent_bytes -= u32_min(q->bytes, seq_len(q->start, c->snd.nxt));
}

static int set_ms(int64_t ns, int64_t least_ms, uint32_t *ms)
{
    int64_t value = ns_div_ceil(ns, NS_MS);

    if (ns < 0 || value < least_ms || value > UINT32_MAX)
        return WEIR_EINVAL;
    *ms = (uint32_t)value;
    return WEIR_OK;
}

static int set_congestion_control(struct tcp_conn *c, int64_t value)
{
    const struct cc_ops *ops = value >= 0 && value <= UINT8_MAX ? cc_at((size_t)value) : NULL;

    if (ops == NULL)
        return WEIR_EINVAL;
    recovery_set_cc(c, ops);
    return WEIR_OK;
}

/* The value of an option that has no larger ones; out of its range stays out of any. */
static uint32_t narrow(int64_t value)
{
    return value >= 0 && value <= INT32_MAX ? (uint32_t)value : UINT32_MAX;
}

/* Those that say how a connection begins. */
static int check_is_closed(const struct tcp_conn *c)
{
    return c->state == TCP_CLOSED ? WEIR_OK : WEIR_ESTATE;
}

/* The options of c with that one set, if it is one of those that connections share. */
static int choose(const struct tcp_conn *c, const struct tcp_env *env, struct tcp_user *u,
                  struct weir_opt_value to)
{
    uint32_t value = narrow(to.value), least = 0, most = 1, ms = 0;
    bool is_on = value & 1;
    int err = WEIR_OK;

    if ((unsigned)to.opt >= WEIR_OPT_COUNT)
        return WEIR_ENOTSUP;
    switch (to.opt) {
    case WEIR_OPT_NODELAY: u->nodelay = is_on; break;
    case WEIR_OPT_CORK: u->cork = is_on; break;
    case WEIR_OPT_KEEPALIVE: u->keepalive = is_on; break;
    case WEIR_OPT_KEEPALIVE_IDLE: /* [RFC9293 MUST-27] */
        return set_ms(to.value, 1, &u->keepalive_idle_ms);
    case WEIR_OPT_KEEPALIVE_INTERVAL: return set_ms(to.value, 1, &u->keepalive_interval_ms);
    case WEIR_OPT_KEEPALIVE_PROBES:
        u->keepalive_probes = (uint8_t)value;
        least = 1;
        most = UINT8_MAX;
        break;
    case WEIR_OPT_USER_TIMEOUT: /* [RFC9293 MUST-21] */
        u->user_timeout_is_set = u->user_timeout_is_set || value != 0;
        return set_ms(to.value, 0, &u->user_timeout_ms);
    case WEIR_OPT_ADVERTISE_TIMEOUT: /* [RFC5482] */
        if (!HAS_USER_TIMEOUT)
            return WEIR_ENOTSUP;
        if (to.value < 0 || to.value > UTO_MAX_NS)
            return WEIR_EINVAL;
        u->advertised_timeout = uto_of(to.value);
        return WEIR_OK;
    case WEIR_OPT_NOTSENT_LOWAT:
        u->notsent_lowat_bytes = value;
        most = INT32_MAX;
        break;
    case WEIR_OPT_MAX_PACING_RATE:
        if (!HAS_PACING)
            return WEIR_ENOTSUP;
        if (to.value < 0 || to.value > PACING_MAX)
            return WEIR_EINVAL;
        u->pacing_max_kib = (uint32_t)((to.value + 1023) / 1024);
        return WEIR_OK;
    case WEIR_OPT_FIN_WAIT_2:
        err = set_ms(to.value, 0, &ms);
        value = (uint32_t)div_ceil(ms, 1000);
        u->fin_wait2_s = (uint8_t)value;
        most = UINT8_MAX;
        break;
    case WEIR_OPT_MIN_TTL: /* [RFC5082 3] */
        u->min_ttl = (uint8_t)value;
        most = UINT8_MAX;
        break;
    case WEIR_OPT_SYN_RETRIES:
        u->syn_retries = (uint8_t)value;
        most = UINT8_MAX;
        break;
    case WEIR_OPT_SEND_BUFFER:
        u->send_buffer_bytes = value;
        u->send_buffer_is_set = true;
        least = 1;
        most = INT32_MAX;
        break;
    case WEIR_OPT_RECV_BUFFER:
        u->recv_buffer_bytes = value;
        u->recv_buffer_is_set = true;
        least = 1;
        most = INT32_MAX;
        break;
    case WEIR_OPT_MSS:
        err = check_is_closed(c);
        u->mss = (uint16_t)value;
        least = value == 0 ? 0 : env->config.mss_min;
        most = UINT16_MAX;
        break;
    case WEIR_OPT_QUICKACK: u->quickack = is_on; break;
    case WEIR_OPT_TTL: /* [RFC9293 MUST-49] */
        u->ttl = (uint8_t)value;
        least = 1;
        most = UINT8_MAX;
        break;
    case WEIR_OPT_TOS:                                      /* [RFC9293 MUST-48, SHLD-21] */
        u->tos = (uint8_t)(value & ~(uint32_t)IP_ECN_MASK); /* of marks ECN decides */
        most = UINT8_MAX;
        break;
    case WEIR_OPT_SOFT_ERRORS: u->soft_errors = is_on; break; /* [RFC9293 SHLD-20] */
    case WEIR_OPT_NOTE_SENT: u->note_sent = is_on; break;
    case WEIR_OPT_LINGER: u->linger = is_on; break;
    case WEIR_OPT_FASTOPEN:
        err = HAS_FASTOPEN ? check_is_closed(c) : WEIR_ENOTSUP;
        u->fastopen = is_on;
        break;
    case WEIR_OPT_FASTOPEN_NO_COOKIE:
        err = HAS_FASTOPEN ? check_is_closed(c) : WEIR_ENOTSUP;
        u->fastopen_no_cookie = is_on;
        break;
    case WEIR_OPT_NOTE_WRITABLE:
    case WEIR_OPT_CONGESTION_CONTROL:
    case WEIR_OPT_USER: /* the stack's */
    case WEIR_OPT_FASTOPEN_QUEUE:
    case WEIR_OPT_DEFER_ACCEPT:
    case WEIR_OPT_SHARE_PORT:
    case WEIR_OPT_BACKLOG:
    case WEIR_OPT_V6ONLY:
    case WEIR_OPT_COUNT: return WEIR_ENOTSUP;
    }
    if (err != WEIR_OK)
        return err;
    return value >= least && value <= most ? WEIR_OK : WEIR_EINVAL;
}

/*
 * What follows at once from an option that has been set; it was corked before if was_corked. As with
 * Linux, to set NODELAY counts even if it is on: for what a cork holds back, too.
 */
static int take_effect(struct tcp_conn *c, struct tcp_env *env, enum weir_opt opt, bool was_corked)
{
    bool is_synchronized = tcp_is_synchronized(c); /* else the handshake's end starts timers */

    if ((opt == WEIR_OPT_KEEPALIVE || opt == WEIR_OPT_KEEPALIVE_IDLE) && is_synchronized) {
        if (!tcp_work_attach(c, env))
            return WEIR_ENOMEM;
        timers_on_keepalive(c, env);
    }
    if (opt == WEIR_OPT_ADVERTISE_TIMEOUT && is_synchronized)
        uto_on_news(c);
    if (opt == WEIR_OPT_SEND_BUFFER)
        c->send_buffer_bytes = c->user->send_buffer_bytes;
    if (opt == WEIR_OPT_RECV_BUFFER)
        c->recv_buffer_bytes = c->user->recv_buffer_bytes;
    if (c->work == NULL)
        return WEIR_OK;
    tcp_disturb(c);
    if (opt == WEIR_OPT_NODELAY ? c->user->nodelay : was_corked && !c->user->cork)
        c->work->push_all = sendq_unsent(c) > 0; /* what was held back may go now */
    if (opt == WEIR_OPT_QUICKACK && !c->user->quickack)
        c->work->quick_acks = 0;
    return WEIR_OK;
}

int tcp_set(struct tcp_conn *c, struct tcp_env *env, enum weir_opt opt, int64_t value)
{
    bool was_corked = c->user->cork;
    struct tcp_user user;
    int err;

    if (opt == WEIR_OPT_CONGESTION_CONTROL)
        return set_congestion_control(c, value);
    if (opt == WEIR_OPT_NOTE_WRITABLE) {
        if (narrow(value) > 3)
            return WEIR_EINVAL;
        c->wants_writable = (value & 1) != 0;
        c->wants_acked = (value & 2) != 0;
        return WEIR_OK;
    }
    memcpy(&user, c->user, sizeof user);
    err = choose(c, env, &user, (struct weir_opt_value){opt, value});
    if (err == WEIR_OK && !choice_change(env, &c->user, &user))
        err = WEIR_ENOMEM;
    return err == WEIR_OK ? take_effect(c, env, opt, was_corked) : err;
}

int tcp_get(const struct tcp_conn *c, enum weir_opt opt, int64_t *value)
{
    const struct tcp_user *u = c->user;

    switch (opt) {
    case WEIR_OPT_NODELAY: *value = u->nodelay; return WEIR_OK;
    case WEIR_OPT_CORK: *value = u->cork; return WEIR_OK;
    case WEIR_OPT_KEEPALIVE: *value = u->keepalive; return WEIR_OK;
    case WEIR_OPT_KEEPALIVE_IDLE: *value = u->keepalive_idle_ms * NS_MS; return WEIR_OK;
    case WEIR_OPT_KEEPALIVE_INTERVAL: *value = u->keepalive_interval_ms * NS_MS; return WEIR_OK;
    case WEIR_OPT_KEEPALIVE_PROBES: *value = u->keepalive_probes; return WEIR_OK;
    case WEIR_OPT_USER_TIMEOUT: *value = u->user_timeout_ms * NS_MS; return WEIR_OK;
    case WEIR_OPT_ADVERTISE_TIMEOUT: *value = uto_ns(u->advertised_timeout); return WEIR_OK;
    case WEIR_OPT_NOTSENT_LOWAT: *value = u->notsent_lowat_bytes; return WEIR_OK;
    case WEIR_OPT_MAX_PACING_RATE: *value = (int64_t)u->pacing_max_kib * 1024; return WEIR_OK;
    case WEIR_OPT_FIN_WAIT_2: *value = u->fin_wait2_s * NS_S; return WEIR_OK;
    case WEIR_OPT_MIN_TTL: *value = u->min_ttl; return WEIR_OK;
    case WEIR_OPT_SYN_RETRIES: *value = u->syn_retries; return WEIR_OK;
    case WEIR_OPT_SEND_BUFFER: *value = c->send_buffer_bytes; return WEIR_OK;
    case WEIR_OPT_RECV_BUFFER: *value = c->recv_buffer_bytes; return WEIR_OK;
    case WEIR_OPT_MSS: *value = u->mss; return WEIR_OK;
    case WEIR_OPT_QUICKACK: *value = u->quickack; return WEIR_OK;
    case WEIR_OPT_TTL: *value = u->ttl; return WEIR_OK;
    case WEIR_OPT_TOS: *value = u->tos; return WEIR_OK;
    case WEIR_OPT_SOFT_ERRORS: *value = u->soft_errors; return WEIR_OK;
    case WEIR_OPT_NOTE_SENT: *value = u->note_sent; return WEIR_OK;
    case WEIR_OPT_LINGER: *value = u->linger; return WEIR_OK;
    case WEIR_OPT_FASTOPEN: *value = u->fastopen; return WEIR_OK;
    case WEIR_OPT_FASTOPEN_NO_COOKIE: *value = u->fastopen_no_cookie; return WEIR_OK;
    case WEIR_OPT_NOTE_WRITABLE: *value = c->wants_writable + 2 * c->wants_acked; return WEIR_OK;
    case WEIR_OPT_CONGESTION_CONTROL: *value = c->cc; return WEIR_OK;
    case WEIR_OPT_USER:
    case WEIR_OPT_FASTOPEN_QUEUE:
    case WEIR_OPT_DEFER_ACCEPT:
    case WEIR_OPT_SHARE_PORT:
    case WEIR_OPT_BACKLOG:
    case WEIR_OPT_V6ONLY:
    case WEIR_OPT_COUNT: break;
    }
    return WEIR_ENOTSUP;
}

int tcp_default(const struct tcp_env *env, enum weir_opt opt, int64_t *value)
{
    struct tcp_user user;
    struct tcp_conn c = {.user = &user};

    choice_init(&user, env);
    c.send_buffer_bytes = user.send_buffer_bytes;
    c.recv_buffer_bytes = user.recv_buffer_bytes;
    c.cc = cc_number(cc_find(env->config.congestion_control));
    return tcp_get(&c, opt, value);
}

static enum weir_tcp_recovery recovery_of(const struct tcp_work *w)
{
    switch (w->recovery.state) {
    case RECOVERY_CWR: return WEIR_TCP_CWR;
    case RECOVERY_FAST: return WEIR_TCP_RECOVERY;
    case RECOVERY_RTO: return WEIR_TCP_LOSS;
    case RECOVERY_OPEN: break;
    }
    return w->scoreboard.sacked_bytes > 0 || w->recovery.dup_acks > 0 ? WEIR_TCP_DISORDER
                                                                      : WEIR_TCP_OPEN;
}

static ns_t blocked_ns(const struct tcp_work *w, const struct tcp_env *env, enum tcp_blocked by)
{
    return w->blocked_ns[by] + (w->blocked_by == by ? ns_since(w->blocked_since_at, env->now) : 0);
}

static void info_of_waiting(const struct tcp_conn *c, const struct tcp_env *env,
                            struct weir_tcp_info *info)
{
    const struct tcp_work *w = c->work;

    info->busy_ns = sendq_busy_ns(c, env);
    info->blocked_by = (enum weir_tcp_blocked)w->blocked_by;
    info->blocked_by_app_ns = blocked_ns(w, env, BLOCKED_BY_APP);
    info->blocked_by_buffer_ns = blocked_ns(w, env, BLOCKED_BY_BUFFER);
    info->blocked_by_peer_ns = blocked_ns(w, env, BLOCKED_BY_PEER);
    info->blocked_by_cwnd_ns = blocked_ns(w, env, BLOCKED_BY_CWND);
    info->blocked_by_pacing_ns = blocked_ns(w, env, BLOCKED_BY_PACING);
}

static void info_of_recovery(const struct tcp_conn *c, struct weir_tcp_info *info)
{
    const struct tcp_work *w = c->work;

    info->in_recovery = w->recovery.state != RECOVERY_OPEN;
    info->recovery = recovery_of(w);
    info->pipe_bytes = recovery_pipe(c);
    info->sacked_bytes = w->scoreboard.sacked_bytes;
    info->lost_bytes = w->scoreboard.lost_bytes;
    info->resent_bytes = w->scoreboard.resent_bytes;
    info->reordering_seen = w->rack.reordering_seen;
    info->reorderings = w->rack.reorderings;
    info->reordering_bytes = w->rack.reordering_bytes;
    info->reordering_window_ns = rack_window_ns(c);
    info->dsacks_in = w->dsacks_in;
    info->undone = w->undone;
}

static void info_of_work(const struct tcp_conn *c, const struct tcp_env *env,
                         struct weir_tcp_info *info)
{
    const struct tcp_work *w = c->work;

    info->rcv_seg_bytes = w->rcv_seg_max;
    info->rcv_wnd = window_remaining(c);
    info->cwnd = w->cc.cwnd;
    info->ssthresh = w->cc.ssthresh;
    info->rto_ns = timers_rto_ns(c, env);
    info->send_queued = w->sendq.bytes;
    info->recv_queued = w->recvq.bytes;
    info->reassembly_queued = reasm_bytes(c);
    info->backoff = w->backoff;
    info->cc_phase = w->cc.ops->phase == NULL ? NULL : w->cc.ops->phase(&w->cc);
    info->pacing_rate = pace_rate(c, env);
    info->delivery_rate = rate_latest(c);
    info->delivery_rate_app_limited = w->rate.latest_is_app_limited;
    info->delivered_bytes = w->rate.delivered_bytes;
    info->bytes_sent = w->bytes_sent;
    info->bytes_retransmitted = w->bytes_retransmitted;
    info->data_segs_in = w->data_segs_in;
    info->data_segs_out = w->data_segs_out;
    info->dup_acks_in = w->dup_acks_in;
    info->last_sent_at = w->sent_at;
    if (w->data_received_at != 0)
        info->last_data_received_at = w->data_received_at;
}

/* STATUS [RFC9293 3.10.6]. */
void tcp_info(const struct tcp_conn *c, const struct tcp_env *env, struct weir_tcp_info *info)
{
    *info = (struct weir_tcp_info){
        .state = (enum weir_tcp_state)c->state,
        .error = c->error,
        .iss = c->snd.iss.raw,
        .irs = c->rcv.irs.raw,
        .snd_una = c->snd.una.raw,
        .snd_nxt = c->snd.nxt.raw,
        .snd_wnd = c->snd.wnd,
        .rcv_nxt = c->rcv.nxt.raw,
        .rcv_wnd = c->rcv.wnd,
        .snd_mss = tcp_send_mss(c, env),
        .rcv_mss = c->agreed.rcv_mss,
        .pmtu = mtu_probe_mtu(c),
        .snd_wscale = c->agreed.snd_wscale,
        .rcv_wscale = c->agreed.rcv_wscale,
        .wscale_ok = c->agreed.wscale_ok,
        .timestamps_ok = c->agreed.timestamps_ok,
        .sack_ok = c->agreed.sack_ok,
        .ssthresh = c->ssthresh,
        .srtt_ns = c->rtt.srtt_us * NS_US,
        .rttvar_ns = c->rtt.rttvar_us * NS_US,
        .rtt_min_ns = c->rtt.min_us == UINT32_MAX ? 0 : c->rtt.min_us * NS_US,
        .rto_ns = c->rtt.rto_us * NS_US,
        .flight_bytes = tcp_flight(c),
        .congestion_control = tcp_cc(c)->name,
        .fastopen = (enum weir_fastopen)c->fastopen,
        .bytes_acked = c->bytes_acked,
        .bytes_received = c->bytes_received,
        .segs_out = c->segs_out,
        .segs_in = c->segs_in,
        .retransmits = c->retransmits,
        .last_received_at = c->received_s * NS_S,
        .last_data_received_at = c->received_s * NS_S,
    };
    ecn_info(c, info);
    if (c->work == NULL)
        return;
    info_of_work(c, env, info);
    info_of_recovery(c, info);
    info_of_waiting(c, env, info);
}
