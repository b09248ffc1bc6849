/*
 * handshake.c - segments in, for listeners and half-open connections
 *
 * A SYN makes a small record, or none: when there is no room, the SYN-ACK is a cookie
 * [RFC4987 3.6]. The acknowledgement makes a connection of the record, or of the cookie, if the
 * listener's queue has room.
 */
#include "base/count.h"
#include "stack/stack.h"
#include "stack/tcp_rx.h"
#include "tcp/cookie.h"
#include "tcp/input.h"
#include "tcp/tstamp.h"
#include "wire/tcp.h"

static const struct tracer silent;

static struct route_entry *route_to(struct weir *s, const struct tcp_tuple *tuple)
{
    return tx_route(s, &tuple->local_addr, &tuple->remote_addr);
}

struct listener *rx_listener(struct weir *s, const struct arrival *a)
{
    return demux_listener_for(s, &a->tuple, a->netif->id);
}

static bool is_full(const struct listener *l)
{
    return l->queued > l->backlog;
}

/* ---- cookies ---- */

/* The whole record goes to the peer. */
static enum why send_cookie(struct weir *s, const struct arrival *a, struct listener *l,
                            struct tcp_halfopen *h, uint64_t ends)
{
    struct tx_about about = {.tuple = &h->tuple, .state = TCP_LISTEN, .ttl = h->ttl, .tos = h->tos};
    struct frame *frame;

    cookie_make(h, &s->tcp, ends);
    s->cookie_sent_at = s->tcp.now;
    count_add(&s->tcp.counts.cookies_sent, 1);
    frame = halfopen_synack(h, &s->tcp, listener_keys(l));
    flood_note(s, a, l, h, frame);
    tx_reply(s, &frame, &about);
    auth_put(&s->tcp, &h->auth);
    return WHY_NONE;
}

/* As long as none have been sent there is nothing to guess. */
static bool may_have_cookie(const struct weir *s)
{
    return HAS_SYN_COOKIES && s->config.tcp.syn_cookies != WEIR_SYN_COOKIES_NEVER
           && ns_since(s->cookie_sent_at, s->tcp.now) < COOKIE_LIFE_NS;
}

/* ---- half-open connections ---- */

static enum why remember(struct weir *s, struct halfopen *h, uint32_t hash,
                         struct route_entry *route)
{
    if (!demux_add(s, &h->flow, hash)) {
        flows_free_halfopen(s, h);
        return WHY_NO_MEMORY;
    }
    h->route = route;
    h->route_turn = route->turn;
    flows_trace_state(s, &h->flow, TCP_LISTEN, TCP_SYN_RECEIVED);
    flows_send_synack(s, h, route);
    flows_wait_first(s, h);
    return WHY_NONE;
}

static void queue_for_accept(struct weir *s, struct listener *l, struct conn *c)
{
    c->flow.is_queued = true;
    l->queued++;
    list_add_last(&l->queue, &c->event);
    events_note_listener(s, l);
}

/*
 * The connection that a record was. Mostly all there is left of the handshake is its end, which has come
 * as ack (or NULL).
 */
static bool open_conn(struct weir *s, struct conn *c, const struct tcp_halfopen *h,
                      const struct listener *l, const struct tcp_seg *ack)
{
    if (ack != NULL && halfopen_is_usual(h) && !trace_is_on(&s->tracer))
        return tcp_open_acknowledged(&c->tcp, &s->tcp, h, l->model.user, ack);
    return tcp_open_passively(&c->tcp, &s->tcp, h, l->model.user);
}

/* A record has been told of already: its connection begins in its state without a word. */
static bool become(struct weir *s, struct conn *c, const struct tcp_halfopen *h,
                   const struct listener *l, const struct tcp_seg *ack)
{
    bool done;

    c->tcp.cc = l->model.cc;
    s->tcp.tracer = h->is_told ? &silent : &s->tracer;
    done = open_conn(s, c, h, l, ack);
    s->tcp.tracer = &s->tracer;
    return done;
}

/* A connection of what was half open; the caller puts it in the table. NULL: no memory. */
static struct conn *new_conn(struct weir *s, struct tcp_halfopen *h, const struct listener *l,
                             const struct tcp_seg *ack)
{
    struct conn *c = flows_new_conn(s);

    if (c == NULL)
        return NULL;
    if (!become(s, c, h, l, ack)) {
        flows_free_conn(s, c);
        return NULL;
    }
    c->user = l->user;
    c->tcp.auth = h->auth;
    h->auth = 0;
    return c;
}

/* ---- Fast Open ---- */

/* No more of them than the listener has said, as spoofed ones have memory and answers, too. */
static bool has_room_for_pending(const struct weir *s, struct listener *l)
{
    if (s->tcp.now >= l->fastopen_held_until_at)
        l->fastopen_held = 0;
    return (uint64_t)l->fastopen_pending + l->fastopen_held < l->fastopen_queue;
}

static void renew_cookie(const struct weir *s, const struct arrival *a, const struct listener *l,
                         struct conn *c)
{
    uint8_t cookie[FASTOPEN_COOKIE_LEN];

    fastopen_make_cookie(&s->tcp, listener_keys(l), &a->tuple, cookie);
    fastopen_renew(&c->tcp, cookie, a->seg.opt.fastopen_is_experimental);
}

/* A connection at once, with the SYN's data; false: an ordinary handshake [RFC7413 4.2.2]. */
static bool open_fast(struct weir *s, struct arrival *a, struct listener *l,
                      struct tcp_halfopen *what)
{
    struct conn *c;

    if (!has_room_for_pending(s, l))
        return false;
    c = new_conn(s, what, l, NULL);
    if (c == NULL)
        return false;
    if (!demux_add(s, &c->flow, a->hash)) {
        flows_free_conn(s, c);
        return false;
    }
    if (what->grants_cookie)
        renew_cookie(s, a, l, c);
    fastopen_begin(&c->tcp, &s->tcp, &a->seg);
    flows_note_pending(s, c, l);
    queue_for_accept(s, l, c);
    stack_settle(s, c);
    return true;
}

/* Whether that was all; else *what may have become one that brings a cookie. */
static bool take_fastopen(struct weir *s, struct arrival *a, struct listener *l,
                          struct tcp_halfopen *what)
{
    enum fastopen_ask ask =
        l->fastopen_queue > 0 && what->auth == 0
            ? fastopen_check(&s->tcp, listener_keys(l), &a->tuple, l->model.user, &a->seg)
            : FASTOPEN_NO;

    what->grants_cookie = ask == FASTOPEN_REQUEST || ask == FASTOPEN_GOOD_STILL;
    what->cookie_is_experimental = a->seg.opt.fastopen_is_experimental;
    if (ask != FASTOPEN_GOOD && ask != FASTOPEN_GOOD_STILL)
        return false;
    what->synack_at = 0;
    return open_fast(s, a, l, what);
}

/* Copies of the listener's keys for this peer; false: no memory. */
static bool take_keys(struct weir *s, const struct arrival *a, const struct listener *l,
                      struct tcp_halfopen *what)
{
    if (!auth_has_key_for(&s->tcp, l->model.auth, &a->tuple.remote_addr))
        return true;
    what->auth = auth_copy(&s->tcp, l->model.auth, &a->tuple.remote_addr);
    auth_begin(&s->tcp, what->auth, &a->seg, what->iss, what->irs);
    return what->auth != 0;
}

static struct isn choose_isn(struct weir *s, uint64_t ends, const seq_t *past)
{
    struct isn isn = stack_next_isn(s, ends);

    if (past != NULL && seq_lt(isn.seq, *past))
        isn.seq = *past;
    return isn;
}

/* There is no room for a record: nothing is remembered of the SYN but that there are cookies. */
static enum why answer_by_cookie(struct weir *s, struct arrival *a, struct listener *l,
                                 uint32_t mtu)
{
    uint64_t ends = isn_ends(&s->tcp, &a->tuple);
    struct isn isn = {.ts_offset = tstamp_offset_of(ends)}; /* the number is the cookie's */
    struct tcp_halfopen what;

    if (!HAS_SYN_COOKIES || s->config.tcp.syn_cookies == WEIR_SYN_COOKIES_NEVER)
        return WHY_TCP_SYN_QUEUE;
    halfopen_init(&what, &s->tcp, &l->model, &a->tuple, &a->seg, isn, mtu);
    if (!take_keys(s, a, l, &what))
        return WHY_NO_MEMORY;
    return send_cookie(s, a, l, &what, ends);
}

enum why rx_open_half(struct weir *s, struct arrival *a, struct listener *l, const seq_t *past)
{
    struct route_entry *route = route_to(s, &a->tuple);
    struct halfopen *h = NULL;
    struct isn isn;

    if (route == NULL)
        return WHY_NO_ROUTE;
    if (is_full(l))
        return WHY_TCP_ACCEPT_QUEUE;
    if (s->config.tcp.syn_cookies != WEIR_SYN_COOKIES_ALWAYS)
        h = flows_new_halfopen(s);
    if (h == NULL)
        return answer_by_cookie(s, a, l, route->path.mtu);
    isn = choose_isn(s, isn_ends(&s->tcp, &a->tuple), past);
    halfopen_init(&h->tcp, &s->tcp, &l->model, &a->tuple, &a->seg, isn, route->path.mtu);
    if (!take_keys(s, a, l, &h->tcp)) {
        flows_free_halfopen(s, h);
        return WHY_NO_MEMORY;
    }
    if (take_fastopen(s, a, l, &h->tcp)) {
        flows_free_halfopen(s, h);
        return WHY_NONE;
    }
    h->tcp.is_told = true;
    h->listener = l->in_pool;
    h->defer_until_at = ns_after(s->tcp.now, l->defer_accept_ns);
    return remember(s, h, a->hash, route);
}

/* c is in the table. What has come completes its handshake, and may bring more. */
static enum why begin(struct weir *s, struct arrival *a, struct listener *l, struct conn *c)
{
    enum why why;

    queue_for_accept(s, l, c);
    why = tcp_complete(&c->tcp, &s->tcp, &a->seg);
    stack_settle(s, c);
    return why;
}

/* The listener's queue is full: the peer's data will ask again, or it is told now. */
static enum why refuse(struct weir *s, const struct arrival *a, struct halfopen *h)
{
    if (s->config.tcp.abort_on_overflow) {
        rx_send_reset(s, a, TCP_SYN_RECEIVED);
        flows_free_halfopen(s, h);
    }
    return WHY_TCP_ACCEPT_QUEUE;
}

/* The one that took the SYN, or whoever has its place now. */
static struct listener *listener_of(struct weir *s, const struct arrival *a,
                                    const struct halfopen *h)
{
    struct listener *l = pool_find(&s->listeners, h->listener);

    return l != NULL ? l : rx_listener(s, a);
}

/* It is not worth waking the application for a connection that says nothing yet. */
static bool is_deferred(const struct weir *s, const struct arrival *a, const struct halfopen *h)
{
    return a->seg.len == 0 && !(a->seg.flags & TCP_FIN) && s->tcp.now < h->defer_until_at;
}

static enum why complete(struct weir *s, struct arrival *a, struct halfopen *h)
{
    struct listener *l = listener_of(s, a, h);
    struct conn *c;

    if (l == NULL) {
        enum why why = rx_to_nobody(s, a);
        flows_free_halfopen(s, h);
        return why;
    }
    if (is_deferred(s, a, h)) {
        h->tcp.synack_at = 0;
        flows_defer(s, h);
        return WHY_TCP_DEFERRED;
    }
    if (is_full(l))
        return refuse(s, a, h);
    c = new_conn(s, &h->tcp, l, &a->seg);
    if (c == NULL)
        return WHY_NO_MEMORY;
    tx_note_route(s, c, h->route, h->route_turn);
    demux_move(s, &h->flow, &c->flow);
    flows_free_halfopen(s, h);
    return begin(s, a, l, c);
}

static void send_halfopen_ack(struct weir *s, struct halfopen *h)
{
    struct frame *frame = halfopen_ack(&h->tcp, &s->tcp);
    struct tx_about about = {
        .tuple = &h->tcp.tuple,
        .handle = rx_handle_of(s, &h->flow),
        .state = TCP_SYN_RECEIVED,
        .ttl = h->tcp.ttl,
        .tos = h->tcp.tos,
    };

    count_add(&s->tcp.counts.challenge_acks, 1);
    tx_reply(s, &frame, &about);
}

static void forget(struct weir *s, struct halfopen *h)
{
    flows_trace_state(s, &h->flow, TCP_SYN_RECEIVED, TCP_CLOSED);
    flows_free_halfopen(s, h);
}

enum why rx_to_halfopen(struct weir *s, struct arrival *a, struct halfopen *h)
{
    enum why why;

    switch (halfopen_input(&h->tcp, &a->seg, &why)) {
    case HALFOPEN_DROP: break;
    case HALFOPEN_SYNACK:
        h->tcp.synack_at = 0;
        if (rx_may_answer(s, &h->answered))
            flows_send_synack(s, h, NULL);
        break;
    case HALFOPEN_ACK:
        if (rx_may_answer(s, &h->answered))
            send_halfopen_ack(s, h);
        break;
    case HALFOPEN_RESET: rx_send_reset(s, a, TCP_SYN_RECEIVED); break;
    case HALFOPEN_ABORTED:
        rx_send_reset(s, a, TCP_SYN_RECEIVED);
        forget(s, h);
        break;
    case HALFOPEN_CLOSED: forget(s, h); break;
    case HALFOPEN_COMPLETE: return complete(s, a, h);
    }
    return why;
}

/* ---- listeners ---- */

/* The acknowledgement of a cookie; what is not one is answered by a reset. */
static enum why take_cookie(struct weir *s, struct arrival *a, struct listener *l)
{
    const struct route_entry *route = route_to(s, &a->tuple);
    struct tcp_halfopen h;
    struct conn *c;

    if (route == NULL)
        return WHY_NO_ROUTE;
    if (!cookie_check(&s->tcp, &l->model, &a->tuple, &a->seg, route->path.mtu, &h)) {
        rx_send_reset(s, a, TCP_LISTEN);
        return WHY_TCP_COOKIE;
    }
    if (is_full(l)) { /* the peer's data brings the cookie again */
        if (s->config.tcp.abort_on_overflow)
            rx_send_reset(s, a, TCP_LISTEN);
        return WHY_TCP_ACCEPT_QUEUE;
    }
    c = take_keys(s, a, l, &h) ? new_conn(s, &h, l, NULL) : NULL;
    auth_put(&s->tcp, &h.auth);
    if (c == NULL)
        return WHY_NO_MEMORY;
    if (!demux_add(s, &c->flow, a->hash)) {
        flows_free_conn(s, c);
        return WHY_NO_MEMORY;
    }
    count_add(&s->tcp.counts.cookies_taken, 1);
    a->seg.opt.ts_ecr = 0; /* an echo of options, and not quite of a time */
    return begin(s, a, l, c);
}

enum why rx_to_listener(struct weir *s, struct arrival *a, struct listener *l)
{
    enum why why;

    switch (listen_input(&a->seg, &why)) {
    case LISTEN_DROP: break;
    case LISTEN_RESET:
        if (may_have_cookie(s) && !(a->seg.flags & TCP_SYN))
            return take_cookie(s, a, l);
        rx_send_reset(s, a, TCP_LISTEN);
        break;
    case LISTEN_ACCEPT: return rx_open_half(s, a, l, NULL);
    }
    return why;
}
