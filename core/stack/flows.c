/*
 * flows.c - connections, half-open ones and those in TIME-WAIT, from the first segment to the
 * last
 */
#include "base/check.h"
#include "base/count.h"
#include "base/hint.h"
#include "stack/stack.h"
#include "tcp/express.h"
#include "tcp/timers.h"
#include "tcp/user.h"

#define FASTOPEN_HELD_NS (60 * NS_S)

static struct conn *conn_of(struct flow *flow)
{
    return container_of(flow, struct conn, flow);
}

/* ---- alarms ---- */

static APART void end_nap(struct weir *s, struct conn *c)
{
    struct alarm *nap = pool_at(&s->naps, c->nap - 1);

    wheel_disarm(&s->wheel, &nap->entry);
    pool_put(&s->naps, nap);
    c->nap = 0;
}

/*
 * The alarm of a connection that has a deadline. One at rest has it only for its keep-alives;
 * without memory for it the connection stays busy for a while. NULL: nor is there any for that.
 */
static struct alarm *alarm_of(struct weir *s, struct conn *c)
{
    struct alarm *nap;

    if (c->tcp.work != NULL)
        return &c->tcp.work->alarm;
    if (c->nap != 0)
        return pool_at(&s->naps, c->nap - 1);
    nap = pool_get_zeroed(&s->naps);
    if (nap != NULL) {
        c->nap = pool_index(&s->naps, nap) + 1;
        return nap;
    }
    if (!tcp_work_attach(&c->tcp, &s->tcp))
        return NULL;
    timers_on_quiet(&c->tcp, &s->tcp);
    return &c->tcp.work->alarm;
}

static void disarm(struct weir *s, struct conn *c)
{
    if (c->nap != 0)
        end_nap(s, c);
    if (c->tcp.work != NULL && wheel_is_armed(&c->tcp.work->alarm.entry))
        wheel_disarm(&s->wheel, &c->tcp.work->alarm.entry);
}

static ns_t rings_at(const struct alarm *alarm)
{
    return wheel_is_armed(&alarm->entry) ? alarm->entry.at : NEVER;
}

/* For the first time: all wait as long as a half-open one does, and hardly ever to the end. */
static bool waits_for_synack(const struct conn *c)
{
    return HAS_SCALE && c->tcp.state == TCP_SYN_SENT && c->tcp.work->unanswered == 0;
}

/* For the first deadline that there is now. Not a part of arm: see there what nearly always happens. */
static APART void arm_anew(struct weir *s, struct conn *c)
{
    bool rests = c->tcp.work == NULL;
    ns_t at = rests ? tcp_deadline(&c->tcp) : timers_choose_alarm(&c->tcp);
    struct alarm *alarm;

    if (at == NEVER) {
        disarm(s, c);
        return;
    }
    if (!rests && c->nap != 0)
        end_nap(s, c);
    alarm = alarm_of(s, c);
    if (rests && c->tcp.work != NULL) /* which has deadlines of its own */
        at = timers_choose_alarm(&c->tcp);
    if (alarm == NULL || rings_at(alarm) <= at)
        return;
    alarm->flow = &c->flow;
    if (waits_for_synack(c))
        wheel_arm_in_line(&s->wheel, &alarm->entry, at);
    else
        wheel_arm(&s->wheel, &alarm->entry, at);
}

/*
 * One that is due earlier than the connection needs it stays: it will be armed anew then. So mostly
 * all there is to see is that no deadline has become an earlier one.
 */
static void arm(struct weir *s, struct conn *c)
{
    const struct tcp_work *w = c->tcp.work;

    if (w == NULL || c->nap != 0 || w->alarm_at < rings_at(&w->alarm))
        arm_anew(s, c);
}

/* ---- connections ---- */

struct conn *flows_new_conn(struct weir *s)
{
    struct conn *c;

    if (s->config.connections != 0 && s->conns.used >= s->config.connections)
        return NULL;
    if (s->model.user == NULL && !tcp_conn_init(&s->model, &s->tcp))
        return NULL;
    c = pool_get(&s->conns);
    if (c == NULL)
        return NULL;
    c->flow = (struct flow){.kind = HANDLE_CONN};
    c->nap = 0;
    tcp_conn_init_like(&c->tcp, &s->model);
    list_init(&c->event);
    c->user = 0;
    return c;
}

void flows_free_conn(struct weir *s, struct conn *c)
{
    if (s->told.conn == c)
        s->told.handle = 0;
    s->orphans -= c->flow.is_orphan;
    demux_remove(s, &c->flow);
    disarm(s, c);
    list_remove(&c->event);
    tcp_conn_fini(&c->tcp, &s->tcp);
    pool_put(&s->conns, c);
}

/* R1: the way to the peer may be dead; the next packet looks for another [RFC9293 3.8.3]. */
static void doubt_path(struct weir *s, struct conn *c)
{
    c->tcp.path_is_suspect = false;
    ip_advance_epoch(&s->ip);
}

static bool owes_reset(const struct conn *c)
{
    return c->tcp.work != NULL && c->tcp.work->rst_owed;
}

/* The ends may be used again as soon as the connection is closed. */
static void settle_closed(struct weir *s, struct conn *c)
{
    if (owes_reset(c)) {
        tx_make_ready(s, c);
        return;
    }
    if (c->tcp.is_orphan) {
        flows_free_conn(s, c);
        return;
    }
    demux_remove(s, &c->flow); /* one that waits to be accepted still does, as on Linux */
    disarm(s, c);
}

void flows_note_orphan(struct weir *s, struct conn *c)
{
    if (c->tcp.state == TCP_CLOSED || c->tcp.state == TCP_TIME_WAIT)
        return;
    if (s->orphans >= s->config.tcp.orphans) {
        tcp_abort(&c->tcp, &s->tcp);
        return;
    }
    c->flow.is_orphan = true;
    s->orphans++;
}

void flows_note_pending(struct weir *s, struct conn *c, struct listener *l)
{
    c->tcp.work->pending_of = pool_handle(&s->listeners, l);
    l->fastopen_pending++;
}

/*
 * Somebody who has a cookie and sends SYNs with a victim's address makes the victim send resets:
 * they do not make room for more of that [RFC7413 5.1].
 */
static void end_pending(struct weir *s, struct conn *c)
{
    struct listener *l = pool_find(&s->listeners, c->tcp.work->pending_of);

    c->tcp.work->pending_of = 0;
    if (l == NULL)
        return;
    l->fastopen_pending--;
    if (c->tcp.state != TCP_CLOSED || c->tcp.error != WEIR_ECONNRESET)
        return;
    l->fastopen_held++;
    l->fastopen_held_until_at = ns_after(s->tcp.now, FASTOPEN_HELD_NS);
}

static bool was_pending(const struct conn *c)
{
    return HAS_FASTOPEN && c->tcp.work != NULL && c->tcp.work->pending_of != 0
           && c->tcp.state != TCP_SYN_RECEIVED;
}

static void settle_timewait(struct weir *s, struct conn *c)
{
    if (c->flow.is_in_table)
        flows_enter_timewait(s, c);
    if (c->tcp.is_orphan)
        flows_free_conn(s, c);
}

/* Not a part of stack_settle, so that what happens for each segment saves no registers for it. */
static APART void settle_ended(struct weir *s, struct conn *c)
{
    if (c->tcp.state == TCP_CLOSED)
        settle_closed(s, c);
    else
        settle_timewait(s, c);
}

/* What hardly ever happens to a connection. */
static APART void settle_unusual(struct weir *s, struct conn *c)
{
    if (c->tcp.path_is_suspect)
        doubt_path(s, c);
    if (was_pending(c))
        end_pending(s, c);
}

/* A turn would find nothing: mostly it does without one. */
static APART void settle_silent(struct weir *s, struct conn *c)
{
    if (!express_note_silence(&c->tcp, &s->tcp))
        tx_make_ready(s, c);
    arm(s, c);
}

void stack_settle(struct weir *s, struct conn *c)
{
    if (c->tcp.path_is_suspect || was_pending(c))
        settle_unusual(s, c);
    events_note_conn(s, c);
    switch ((enum tcp_state)c->tcp.state) {
    case TCP_CLOSED:
    case TCP_TIME_WAIT: settle_ended(s, c); break;
    case TCP_LISTEN:
    case TCP_SYN_SENT:
    case TCP_SYN_RECEIVED:
    case TCP_ESTABLISHED:
    case TCP_FIN_WAIT_1:
    case TCP_FIN_WAIT_2:
    case TCP_CLOSE_WAIT:
    case TCP_CLOSING:
    case TCP_LAST_ACK:
        if (HAS_PREDICTION && c->tcp.work != NULL && express_is_silent(&c->tcp)) {
            settle_silent(s, c);
            break;
        }
        arm(s, c);
        if (c->tcp.work != NULL)
            tx_make_ready(s, c);
        break;
    }
}

/* Nobody has closed: it is neither an orphan nor pending, and has not begun to doubt its path. */
void stack_settle_taken(struct weir *s, struct conn *c)
{
    if (c->tcp.events != 0)
        events_note_conn(s, c);
    if (express_is_silent(&c->tcp)) {
        settle_silent(s, c);
        return;
    }
    arm(s, c);
    tx_make_ready(s, c);
}

void stack_settle_sent(struct weir *s, struct conn *c)
{
    if (c->tcp.state == TCP_CLOSED)
        settle_closed(s, c);
    else
        arm(s, c);
}

/* ---- half-open connections ---- */

struct halfopen *flows_new_halfopen(struct weir *s)
{
    struct halfopen *h;

    if (s->halfopens.used >= s->config.syn_queue)
        return NULL;
    h = pool_get(&s->halfopens);
    if (h == NULL)
        return NULL;
    h->flow = (struct flow){.kind = HANDLE_HALFOPEN};
    h->alarm.flow = &h->flow;
    wheel_entry_init(&h->alarm.entry);
    h->answered = (struct answered){.ever = false};
    h->is_deferred = false;
    return h;
}

/* The first time all wait equally long. */
void flows_wait_first(struct weir *s, struct halfopen *h)
{
    wheel_arm_in_line(&s->wheel, &h->alarm.entry,
                      ns_after(s->tcp.now, halfopen_wait_ns(&h->tcp, &s->tcp)));
}

void flows_free_halfopen(struct weir *s, struct halfopen *h)
{
    demux_remove(s, &h->flow);
    wheel_disarm(&s->wheel, &h->alarm.entry);
    auth_put(&s->tcp, &h->tcp.auth);
    pool_put(&s->halfopens, h);
}

static void trace_state(struct weir *s, const struct flow *flow, enum tcp_state from,
                        enum tcp_state to)
{
    struct tcp_tuple t = demux_tuple(s, flow);
    bool is_halfopen = flow->kind == HANDLE_HALFOPEN;
    struct weir_trace event = {
        .kind = WEIR_TRACE_STATE,
        .at = s->tcp.now,
        .conn = handle_make((enum handle_kind)flow->kind, is_halfopen
                                                              ? pool_handle(&s->halfopens, flow)
                                                              : pool_handle(&s->timewaits, flow)),
        .local = {.addr = t.local_addr, .port = t.local_port},
        .remote = {.addr = t.remote_addr, .port = t.remote_port},
        .from = (enum weir_tcp_state)from,
        .to = (enum weir_tcp_state)to,
    };

    trace_emit(&s->tracer, &event);
}

void flows_trace_state(struct weir *s, const struct flow *flow, enum tcp_state from,
                       enum tcp_state to)
{
    if (trace_is_on(&s->tracer))
        trace_state(s, flow, from, to);
}

/* For the cookie that the SYN-ACK brings, if it does. */
static const struct fastopen_keys *keys_of(const struct weir *s, const struct halfopen *h)
{
    const struct listener *l = h->tcp.grants_cookie ? pool_find(&s->listeners, h->listener) : NULL;

    return l != NULL ? listener_keys(l) : NULL;
}

void flows_send_synack(struct weir *s, struct halfopen *h, struct route_entry *route)
{
    struct frame *frame = halfopen_synack(&h->tcp, &s->tcp, keys_of(s, h));
    struct tx_about about = {
        .tuple = &h->tcp.tuple,
        .route = route,
        .handle = trace_is_on(&s->tracer)
                      ? handle_make(HANDLE_HALFOPEN, pool_handle(&s->halfopens, h))
                      : 0,
        .state = TCP_SYN_RECEIVED,
        .ttl = h->tcp.ttl,
        .tos = h->tcp.tos,
        .is_resent = route == NULL,
    };

    if (about.is_resent)
        count_add(&s->tcp.counts.retransmits, 1);
    tx_reply(s, &frame, &about);
}

void flows_defer(struct weir *s, struct halfopen *h)
{
    h->is_deferred = true;
    wheel_arm(&s->wheel, &h->alarm.entry, h->defer_until_at);
}

static void expire_halfopen(struct weir *s, struct halfopen *h)
{
    if (h->is_deferred) { /* no SYN-ACK was lost */
        h->is_deferred = false;
    } else if (!halfopen_expire(&h->tcp, &s->tcp)) {
        flows_trace_state(s, &h->flow, TCP_SYN_RECEIVED, TCP_CLOSED);
        count_add(&s->tcp.counts.failed_opens, 1);
        flows_free_halfopen(s, h);
        return;
    }
    flows_send_synack(s, h, NULL);
    wheel_arm(&s->wheel, &h->alarm.entry, ns_after(s->tcp.now, halfopen_wait_ns(&h->tcp, &s->tcp)));
}

/* ---- TIME-WAIT ---- */

static ns_t two_msl_ns(const struct weir *s)
{
    return 2 * s->config.tcp.msl_ns;
}

static struct timewait *oldest_timewait(struct weir *s)
{
    struct list *link = list_first(&s->timewait_list);

    return link == NULL ? NULL : container_of(link, struct timewait, link);
}

/* Starts bringing what has to be looked at when the oldest goes: that was long ago. */
static void fetch_oldest(struct weir *s)
{
    const struct timewait *oldest = oldest_timewait(s);

    if (oldest == NULL)
        return;
    table_prefetch(&s->flows, oldest->flow.hash);
    __builtin_prefetch(oldest->link.next);
}

/*
 * When there is no room the oldest goes: it has done most of its duty. The next one that will go is on
 * its way then.
 */
static struct timewait *new_timewait(struct weir *s)
{
    struct timewait *tw = NULL;

    if (s->timewaits.used < s->config.timewaits)
        tw = pool_get(&s->timewaits);
    if (tw == NULL && oldest_timewait(s) != NULL) {
        flows_free_timewait(s, oldest_timewait(s));
        tw = pool_get(&s->timewaits);
        fetch_oldest(s);
    }
    return tw;
}

void flows_restart_timewait(struct weir *s, struct timewait *tw)
{
    tw->end_at = ns_after(s->tcp.now, two_msl_ns(s));
    list_remove(&tw->link);
    list_add_last(&s->timewait_list, &tw->link);
}

void flows_free_timewait(struct weir *s, struct timewait *tw)
{
    flows_trace_state(s, &tw->flow, TCP_TIME_WAIT, TCP_CLOSED);
    demux_remove(s, &tw->flow);
    list_remove(&tw->link);
    auth_put(&s->tcp, &tw->tcp.auth);
    pool_put(&s->timewaits, tw);
}

static void send_ack(struct weir *s, const struct tcp_timewait *tw, uint64_t handle,
                     struct route_entry *route)
{
    struct frame *frame = timewait_ack(tw, &s->tcp);
    struct tx_about about = {
        .tuple = &tw->tuple,
        .route = route,
        .handle = handle,
        .state = TCP_TIME_WAIT,
        .ttl = tw->ttl,
        .tos = tw->tos,
    };

    tx_reply(s, &frame, &about);
}

void flows_send_timewait_ack(struct weir *s, struct timewait *tw)
{
    send_ack(s, &tw->tcp, handle_make(HANDLE_TIMEWAIT, pool_handle(&s->timewaits, tw)), NULL);
}

/* The record gets the place of what was a connection in the table, and has its duty for 2 MSL. */
static void begin_timewait(struct weir *s, struct conn *c, struct timewait *tw)
{
    tw->flow = (struct flow){.kind = HANDLE_TIMEWAIT};
    tw->answered = (struct answered){.ever = false};
    demux_move(s, &c->flow, &tw->flow);
    tw->end_at = ns_after(s->tcp.now, two_msl_ns(s));
    list_add_last(&s->timewait_list, &tw->link);
}

/*
 * The record takes the connection's place in the table. What is owed to the peer is paid now,
 * also if there is no memory for a record.
 */
void flows_enter_timewait(struct weir *s, struct conn *c)
{
    struct timewait *tw = new_timewait(s);
    struct tcp_timewait unkept, *record = tw != NULL ? &tw->tcp : &unkept;

    disarm(s, c);
    list_remove(&c->tcp.work->ready);
    timewait_init(record, &c->tcp, &s->tcp);
    record->auth = c->tcp.auth;
    if (tw != NULL)
        begin_timewait(s, c, tw);
    else
        demux_remove(s, &c->flow);
    if (c->tcp.work->ack_owed)
        send_ack(s, record, trace_is_on(&s->tracer) ? handle_of_conn(s, c) : 0, tx_route_of(s, c));
    if (tw != NULL)
        c->tcp.auth = 0; /* it went with the record */
}

/* ---- time ---- */

static void expire_conn(struct weir *s, struct conn *c)
{
    tcp_expire(&c->tcp, &s->tcp);
    stack_settle(s, c);
}

static void expire_flow(struct weir *s, struct flow *flow)
{
    if (flow->kind == HANDLE_CONN)
        expire_conn(s, conn_of(flow));
    else
        expire_halfopen(s, container_of(flow, struct halfopen, flow));
}

static APART void expire_from(struct weir *s, struct wheel_entry *entry)
{
    for (; entry != NULL; entry = wheel_expire(&s->wheel, s->tcp.now)) {
        if (entry->owner == IP_TIMER_OWNER)
            ip_expire(&s->ip, entry);
        else
            expire_flow(s, container_of(entry, struct alarm, entry)->flow);
    }
}

static bool is_timewait_over(struct weir *s)
{
    const struct timewait *tw = oldest_timewait(s);

    return tw != NULL && tw->end_at <= s->tcp.now;
}

/* Mostly nothing is due. */
void flows_expire(struct weir *s)
{
    struct wheel_entry *entry = wheel_expire(&s->wheel, s->tcp.now);

    if (entry != NULL)
        expire_from(s, entry);
    while (is_timewait_over(s))
        flows_free_timewait(s, oldest_timewait(s));
}

ns_t flows_deadline(struct weir *s)
{
    const struct timewait *tw = oldest_timewait(s);
    ns_t at = wheel_deadline(&s->wheel);

    return tw != NULL ? ns_min(at, tw->end_at) : at;
}
