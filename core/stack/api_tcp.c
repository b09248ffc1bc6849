/*
 * api_tcp.c - the public functions of TCP
 *
 * A handle becomes a connection, the connection does it, and what follows is settled.
 */
#include "base/addr.h"
#include "base/check.h"
#include "base/hint.h"
#include "base/parts.h"
#include "stack/api.h"
#include "stack/config.h"
#include "stack/stack.h"
#include "tcp/user.h"

/* ---- OPEN ---- */

/* A peer is one host [RFC9293 MUST-46]. */
static bool is_peer(struct weir *s, const struct weir_endpoint *remote)
{
    struct ip_path path;

    if (remote->port == 0 || addr_is_any(&remote->addr) || addr_is_multicast(&remote->addr)
        || addr_is_broadcast(&remote->addr))
        return false;
    return ip_route(&s->ip, &remote->addr, NULL, remote->netif, &path) != WEIR_OK || !path.is_group;
}

/* Where a connection will be: its ends, their place in the table, and what the path takes. */
struct ends {
    struct tcp_tuple tuple;
    uint32_t hash;
    uint32_t mtu;
};

static void take_path(struct ends *ends, const struct ip_path *path)
{
    ends->tuple.local_addr = path->src;
    ends->mtu = path->mtu;
}

/* Goes from src or (NULL) from what suits the peer. */
static int route_to(struct weir *s, const struct weir_addr *src, const struct weir_endpoint *remote,
                    struct ends *ends)
{
    static const struct weir_addr any;
    const struct ip_path *known =
        remote->netif == 0 ? tx_path(s, src != NULL ? src : &any, &remote->addr) : NULL;
    struct ip_path path;
    int err;

    if (known != NULL && !known->is_group && remote->port != 0) {
        take_path(ends, known);
        return WEIR_OK;
    }
    if (!is_peer(s, remote))
        return WEIR_EINVAL;
    err = ip_route(&s->ip, &remote->addr, src, remote->netif, &path);
    if (err == WEIR_OK)
        take_path(ends, &path);
    return err == WEIR_EINVAL ? WEIR_EADDRNOTAVAIL : err;
}

/* IP chooses the local address, and it is kept [RFC9293 MUST-43, MUST-44, MUST-45]. */
static int choose_ends(struct weir *s, const struct weir_endpoint *local,
                       const struct weir_endpoint *remote, struct ends *ends)
{
    const struct weir_addr *src = local != NULL && !addr_is_any(&local->addr) ? &local->addr : NULL;
    struct tcp_tuple *tuple = &ends->tuple;
    int err = route_to(s, src, remote, ends);

    if (err != WEIR_OK)
        return err;
    tuple->remote_addr = remote->addr;
    tuple->local_port = local != NULL ? local->port : 0;
    tuple->remote_port = remote->port;
    if (tuple->local_port == 0)
        return ports_choose(s, tuple, &ends->hash) ? WEIR_OK : WEIR_EADDRNOTAVAIL;
    return demux_find(s, tuple, &ends->hash) != NULL ? WEIR_EADDRINUSE : WEIR_OK;
}

static int set_all(struct weir *s, struct conn *c, const struct weir_opt_value *opts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int err = WEIR_OK;
        if (opts[i].opt == WEIR_OPT_USER)
            c->user = (uint64_t)opts[i].value;
        else
            err = tcp_set(&c->tcp, &s->tcp, opts[i].opt, opts[i].value);
        if (err != WEIR_OK)
            return err;
    }
    return WEIR_OK;
}

/* Its ends are at hand: they need not be put together again to find where it goes. */
static void note_route(struct weir *s, struct conn *c, const struct tcp_tuple *tuple)
{
    struct route_entry *route = tx_route(s, &tuple->local_addr, &tuple->remote_addr);

    if (route != NULL)
        tx_note_route(s, c, route, route->turn);
}

int api_connect_with(struct weir *s, const struct weir_endpoint *local,
                     const struct weir_endpoint *remote, const struct weir_opt_value *opts,
                     size_t count, weir_conn_t *conn)
{
    struct ends ends;
    struct conn *c;
    int err = choose_ends(s, local, remote, &ends);

    if (err != WEIR_OK)
        return err;
    c = flows_new_conn(s);
    if (c == NULL)
        return WEIR_ENOMEM;
    err = ends_init(&c->tcp.ends, &s->tcp, &ends.tuple) ? set_all(s, c, opts, count) : WEIR_ENOMEM;
    if (err == WEIR_OK)
        err = demux_add(s, &c->flow, ends.hash) ? WEIR_OK : WEIR_ENOMEM;
    if (err == WEIR_OK)
        err =
            tcp_open(&c->tcp, &s->tcp, stack_next_isn(s, isn_ends(&s->tcp, &ends.tuple)), ends.mtu);
    if (err != WEIR_OK) {
        flows_free_conn(s, c);
        return err;
    }
    *conn = handle_of_conn(s, c);
    note_route(s, c, &ends.tuple);
    tx_make_ready(s, c); /* there is nothing else to settle: it waits for nothing yet */
    return WEIR_OK;
}

static bool is_duration(int64_t ns)
{
    return ns >= 0 && ns <= INT64_MAX / 4;
}

/* is_new: nobody knows it yet. */
static int set_listener(struct weir *s, struct listener *l, enum weir_opt opt, int64_t value,
                        bool is_new)
{
    switch (opt) {
    case WEIR_OPT_USER: l->user = (uint64_t)value; return WEIR_OK;
    case WEIR_OPT_DEFER_ACCEPT:
        if (!is_duration(value))
            return WEIR_EINVAL;
        l->defer_accept_ns = value;
        return WEIR_OK;
    case WEIR_OPT_FASTOPEN_QUEUE:
        if (!HAS_FASTOPEN)
            return WEIR_ENOTSUP;
        if (value < 0 || value > INT32_MAX)
            return WEIR_EINVAL;
        l->fastopen_queue = (uint32_t)value;
        return WEIR_OK;
    case WEIR_OPT_SHARE_PORT:
        if (value != 0 && value != 1)
            return WEIR_EINVAL;
        if (!is_new)
            return WEIR_ESTATE;
        l->shares_port = value != 0;
        return WEIR_OK;
    case WEIR_OPT_BACKLOG:
        if (value < 0 || value > UINT32_MAX)
            return WEIR_EINVAL;
        l->backlog = (uint32_t)value;
        return WEIR_OK;
    case WEIR_OPT_V6ONLY:
        if (value != 0 && value != 1)
            return WEIR_EINVAL;
        if (!is_new)
            return WEIR_ESTATE;
        l->v6only = value != 0;
        return WEIR_OK;
    default: flood_forget(s); return tcp_set(&l->model, &s->tcp, opt, value);
    }
}

/* Sets its options and gives it its place; the error is the caller's to clean up after. */
static int prepare_listener(struct weir *s, struct listener *l, const struct weir_opt_value *opts,
                            size_t count)
{
    int err = tcp_conn_init(&l->model, &s->tcp) ? WEIR_OK : WEIR_ENOMEM;

    list_init(&l->queue);
    list_init(&l->event);
    for (size_t i = 0; i < count && err == WEIR_OK; i++)
        err = set_listener(s, l, opts[i].opt, opts[i].value, true);
    if (err == WEIR_OK && demux_has_listener(s, &l->local, l->shares_port))
        err = WEIR_EADDRINUSE;
    if (err == WEIR_OK && !demux_add_listener(s, l))
        err = WEIR_ENOMEM;
    return err;
}

/* A passive OPEN touches no connection on the port [RFC9293 MUST-41, MUST-42]. */
int api_listen_with(struct weir *s, const struct weir_endpoint *local, uint32_t backlog,
                    const struct weir_opt_value *opts, size_t count, weir_listener_t *listener)
{
    struct listener *l;
    int err;

    if (local->port == 0 || addr_is_multicast(&local->addr) || addr_is_broadcast(&local->addr))
        return WEIR_EINVAL;
    if (!addr_is_any(&local->addr) && !addrs_has(&s->ip, &local->addr))
        return WEIR_EADDRNOTAVAIL;
    l = pool_get_zeroed(&s->listeners);
    if (l == NULL)
        return WEIR_ENOMEM;
    l->in_pool = pool_handle(&s->listeners, l);
    l->local = *local;
    l->backlog = backlog;
    err = prepare_listener(s, l, opts, count);
    if (err != WEIR_OK) {
        tcp_conn_fini(&l->model, &s->tcp);
        pool_put(&s->listeners, l);
        return err;
    }
    *listener = handle_of_listener(s, l);
    return WEIR_OK;
}

int api_accept(struct weir *s, weir_listener_t listener, weir_conn_t *conn)
{
    struct listener *l = handle_listener(s, listener);
    struct list *link;
    struct conn *c;

    if (l == NULL)
        return WEIR_ESTALE;
    link = list_take_first(&l->queue);
    if (link == NULL)
        return WEIR_EAGAIN;
    c = container_of(link, struct conn, event);
    c->flow.is_queued = false;
    l->queued--;
    *conn = handle_of_conn(s, c);
    events_note_conn(s, c);
    return WEIR_OK;
}

/* ---- SEND and RECEIVE ---- */

/*
 * What may follow from a call that sends nothing: an acknowledgement, or that there is nothing more to
 * be done, for which nobody waits yet. Mostly somebody does.
 */
static bool has_news(const struct conn *c)
{
    const struct tcp_work *w = c->tcp.work;

    return w != NULL
           && (w->ack_owed || (w->deadline_at[TIMER_REST] == NEVER && tcp_can_rest(&c->tcp)));
}

/* A write is nothing but more to send: there is nothing else to settle. */

WHOLE ptrdiff_t api_send(struct weir *s, weir_conn_t conn, const void *bytes, size_t len,
                         unsigned flags)
{
    struct conn *c = handle_conn(s, conn);
    ptrdiff_t sent;

    if (c == NULL)
        return WEIR_ESTALE;
    sent = tcp_send(&c->tcp, &s->tcp, bytes, len, flags);
    if (sent > 0)
        tx_make_ready(s, c);
    else if (has_news(c))
        stack_settle(s, c);
    return sent;
}

ptrdiff_t api_send_lent(struct weir *s, weir_conn_t conn, struct weir_slice bytes, unsigned flags,
                        void (*release)(void *owner), void *owner)
{
    struct conn *c = handle_conn(s, conn);
    ptrdiff_t sent;

    if (c == NULL)
        return WEIR_ESTALE;
    sent = tcp_send_lent(&c->tcp, &s->tcp, bytes, flags, release, owner);
    if (sent > 0)
        tx_make_ready(s, c);
    else if (has_news(c))
        stack_settle(s, c);
    return sent;
}

ptrdiff_t api_recv(struct weir *s, weir_conn_t conn, void *bytes, size_t len)
{
    struct conn *c = handle_conn(s, conn);
    ptrdiff_t got;

    if (c == NULL)
        return WEIR_ESTALE;
    got = tcp_recv(&c->tcp, &s->tcp, bytes, len);
    if (got > 0 && has_news(c))
        stack_settle(s, c);
    return got;
}

ptrdiff_t api_recv_lent(struct weir *s, weir_conn_t conn, struct weir_slice *slices, size_t max,
                        size_t *count)
{
    struct conn *c = handle_conn(s, conn);

    *count = 0;
    return c == NULL ? WEIR_ESTALE : tcp_recv_lent(&c->tcp, slices, max, count);
}

int api_recv_done(struct weir *s, weir_conn_t conn, size_t len)
{
    struct conn *c = handle_conn(s, conn);
    int err;

    if (c == NULL)
        return WEIR_ESTALE;
    err = tcp_recv_done(&c->tcp, &s->tcp, len);
    if (err == WEIR_OK && has_news(c))
        stack_settle(s, c);
    return err;
}

int api_recv_post(struct weir *s, weir_conn_t conn, void *bytes, size_t len)
{
    struct conn *c = handle_conn(s, conn);

    return c == NULL ? WEIR_ESTALE : tcp_recv_post(&c->tcp, &s->tcp, bytes, len);
}

/* Without a posted read the connection may come to rest, also if nothing was read. */
ptrdiff_t api_recv_take(struct weir *s, weir_conn_t conn, void **bytes)
{
    struct conn *c = handle_conn(s, conn);
    ptrdiff_t got;

    *bytes = NULL;
    if (c == NULL)
        return WEIR_ESTALE;
    got = tcp_recv_take(&c->tcp, &s->tcp, bytes);
    if (has_news(c))
        stack_settle(s, c);
    return got;
}

ptrdiff_t weir_urgent(const struct weir *s, weir_conn_t conn)
{
    const struct conn *c = handle_conn(s, conn);

    return c == NULL ? WEIR_ESTALE : tcp_urgent(&c->tcp);
}

/* ---- CLOSE and ABORT ---- */

int api_shutdown(struct weir *s, weir_conn_t conn)
{
    struct conn *c = handle_conn(s, conn);
    int err;

    if (c == NULL)
        return WEIR_ESTALE;
    err = tcp_shutdown(&c->tcp, &s->tcp);
    if (err == WEIR_OK)
        stack_settle(s, c);
    return err;
}

static void close_listener(struct weir *s, struct listener *l)
{
    for (struct list *link; (link = list_take_first(&l->queue)) != NULL;) {
        struct conn *c = container_of(link, struct conn, event);
        c->flow.is_queued = false;
        tcp_abort(&c->tcp, &s->tcp);
        stack_settle(s, c);
    }
    demux_remove_listener(s, l);
    list_remove(&l->event);
    tcp_conn_fini(&l->model, &s->tcp);
    pool_put(&s->listeners, l);
}

static void close_udp(struct weir *s, struct udp_endpoint *u)
{
    list_remove(&u->ready);
    udp_close(&s->udp, &u);
}

static void close_ping(struct weir *s, struct ping *p)
{
    list_remove(&p->ready);
    ping_close(&s->pings, &p);
}

/* Mostly all that follows is that the FIN is to be sent. */
static void close_conn(struct weir *s, struct conn *c)
{
    list_remove(&c->event);
    tcp_close(&c->tcp, &s->tcp);
    flows_note_orphan(s, c);
    c->tcp.events = 0;
    if (c->tcp.state == TCP_FIN_WAIT_1 || c->tcp.state == TCP_LAST_ACK)
        tx_make_ready(s, c);
    else
        stack_settle(s, c);
}

int api_close(struct weir *s, weir_handle_t handle)
{
    struct conn *c;
    struct listener *l;
    struct udp_endpoint *u;
    struct ping *p;

    if ((c = handle_conn(s, handle)) != NULL)
        close_conn(s, c);
    else if ((l = handle_listener(s, handle)) != NULL)
        close_listener(s, l);
    else if ((u = handle_udp(s, handle)) != NULL)
        close_udp(s, u);
    else if ((p = handle_ping(s, handle)) != NULL)
        close_ping(s, p);
    else
        return WEIR_ESTALE;
    return WEIR_OK;
}

int api_abort(struct weir *s, weir_conn_t conn)
{
    struct conn *c = handle_conn(s, conn);

    if (c == NULL)
        return WEIR_ESTALE;
    list_remove(&c->event);
    tcp_abort(&c->tcp, &s->tcp);
    stack_settle(s, c);
    return WEIR_OK;
}

/* ---- STATUS and options ---- */

int weir_local(const struct weir *s, weir_handle_t handle, struct weir_endpoint *endpoint)
{
    const struct conn *c = handle_conn(s, handle);
    const struct listener *l = handle_listener(s, handle);
    const struct udp_endpoint *u = handle_udp(s, handle);
    struct tcp_tuple tuple;

    if (c != NULL)
        tuple = ends_tuple(&c->tcp.ends, &s->tcp);
    if (c != NULL)
        *endpoint = (struct weir_endpoint){.addr = tuple.local_addr, .port = tuple.local_port};
    else if (l != NULL)
        *endpoint = l->local;
    else if (u != NULL)
        *endpoint = u->local;
    else
        return WEIR_ESTALE;
    return WEIR_OK;
}

int weir_remote(const struct weir *s, weir_handle_t handle, struct weir_endpoint *endpoint)
{
    const struct conn *c = handle_conn(s, handle);
    const struct udp_endpoint *u = handle_udp(s, handle);

    if (c != NULL) {
        struct tcp_tuple tuple = ends_tuple(&c->tcp.ends, &s->tcp);
        *endpoint = (struct weir_endpoint){.addr = tuple.remote_addr, .port = tuple.remote_port};
        return WEIR_OK;
    }
    if (handle_listener(s, handle) != NULL || (u != NULL && !u->is_connected))
        return WEIR_ENOTCONN;
    if (u == NULL)
        return WEIR_ESTALE;
    *endpoint = u->remote;
    return WEIR_OK;
}

int weir_tcp_info(const struct weir *s, weir_conn_t conn, struct weir_tcp_info *info)
{
    const struct conn *c = handle_conn(s, conn);

    if (c == NULL)
        return WEIR_ESTALE;
    tcp_info(&c->tcp, &s->tcp, info);
    return WEIR_OK;
}

int api_tcp_configure(struct weir *s, const struct weir_tcp_config *config)
{
    struct weir_config whole = s->config;

    whole.tcp = *config;
    if (!config_is_valid(&whole))
        return WEIR_EINVAL;
    if (!config_is_offered(&whole))
        return WEIR_ENOTSUP;
    s->config.tcp = *config;
    s->tcp.config = *config;
    tcp_conn_fini(&s->model, &s->tcp); /* the next connection begins as one of these */
    flood_forget(s);
    fastopen_trim(&s->tcp.fastopen, config->fastopen_servers);
    return WEIR_OK;
}

void api_next_isn(struct weir *s, uint32_t isn)
{
    s->has_next_isn = true;
    s->next_isn = seq_of(isn);
}

void api_fastopen_key(struct weir *s, const uint8_t key[16])
{
    fastopen_set_key(&s->tcp.fastopen, siphash_key_of(key));
}

int api_listener_fastopen_keys(struct weir *s, weir_listener_t listener, const uint8_t (*keys)[16],
                               size_t count)
{
    struct listener *l = handle_listener(s, listener);

    if (!HAS_FASTOPEN)
        return WEIR_ENOTSUP;
    if (l == NULL)
        return WEIR_ESTALE;
    if (count > 2)
        return WEIR_EINVAL;
    l->fastopen_keys = (struct fastopen_keys){.has_before = count == 2};
    l->has_fastopen_keys = count > 0;
    if (count > 0)
        l->fastopen_keys.key = siphash_key_of(keys[0]);
    if (count > 1)
        l->fastopen_keys.before = siphash_key_of(keys[1]);
    return WEIR_OK;
}

static int set_conn(struct weir *s, struct conn *c, enum weir_opt opt, int64_t value)
{
    int err = tcp_set(&c->tcp, &s->tcp, opt, value);

    if (err == WEIR_OK)
        stack_settle(s, c);
    return err;
}

static uint64_t *user_of(const struct weir *s, weir_handle_t handle)
{
    struct conn *c = handle_conn(s, handle);
    struct listener *l = handle_listener(s, handle);
    struct udp_endpoint *u = handle_udp(s, handle);
    struct ping *p = handle_ping(s, handle);

    return c != NULL   ? &c->user
           : l != NULL ? &l->user
           : u != NULL ? &u->user
           : p != NULL ? &p->user
                       : NULL;
}

int api_set(struct weir *s, weir_handle_t handle, enum weir_opt opt, int64_t value)
{
    uint64_t *user = user_of(s, handle);
    struct conn *c = handle_conn(s, handle);
    struct listener *l = handle_listener(s, handle);
    struct udp_endpoint *u = handle_udp(s, handle);

    if (user == NULL)
        return WEIR_ESTALE;
    if (opt == WEIR_OPT_USER)
        *user = (uint64_t)value;
    else if (c != NULL)
        return set_conn(s, c, opt, value);
    else if (l != NULL)
        return set_listener(s, l, opt, value, false);
    else if (u != NULL)
        return udp_set(u, opt, value);
    else
        return WEIR_ENOTSUP;
    return WEIR_OK;
}

/* What was not set is the stack's. */
static uint8_t ttl_of(const struct weir *s, uint8_t ttl)
{
    return ttl != 0 ? ttl : s->config.ip.ttl;
}

static int get_conn(const struct weir *s, const struct tcp_conn *c, enum weir_opt opt,
                    int64_t *value)
{
    if (opt != WEIR_OPT_TTL)
        return tcp_get(c, opt, value);
    *value = ttl_of(s, c->user->ttl);
    return WEIR_OK;
}

static int get_listener(const struct weir *s, const struct listener *l, enum weir_opt opt,
                        int64_t *value)
{
    if (opt == WEIR_OPT_DEFER_ACCEPT)
        *value = l->defer_accept_ns;
    else if (opt == WEIR_OPT_SHARE_PORT)
        *value = l->shares_port;
    else if (opt == WEIR_OPT_FASTOPEN_QUEUE)
        *value = l->fastopen_queue;
    else if (opt == WEIR_OPT_BACKLOG)
        *value = l->backlog;
    else if (opt == WEIR_OPT_V6ONLY)
        *value = l->v6only;
    else
        return get_conn(s, &l->model, opt, value);
    return WEIR_OK;
}

static int get_udp(const struct weir *s, const struct udp_endpoint *u, enum weir_opt opt,
                   int64_t *value)
{
    if (opt == WEIR_OPT_TTL)
        *value = ttl_of(s, u->ttl);
    else if (opt == WEIR_OPT_TOS)
        *value = u->tos;
    else if (opt == WEIR_OPT_RECV_BUFFER)
        *value = u->recv_buffer_bytes;
    else if (opt == WEIR_OPT_V6ONLY)
        *value = u->v6only;
    else
        return WEIR_ENOTSUP;
    return WEIR_OK;
}

int weir_get(const struct weir *s, weir_handle_t handle, enum weir_opt opt, int64_t *value)
{
    const uint64_t *user = user_of(s, handle);
    const struct conn *c = handle_conn(s, handle);
    const struct listener *l = handle_listener(s, handle);
    const struct udp_endpoint *u = handle_udp(s, handle);

    if (user == NULL)
        return WEIR_ESTALE;
    if (opt == WEIR_OPT_USER)
        *value = (int64_t)*user;
    else if (c != NULL)
        return get_conn(s, &c->tcp, opt, value);
    else if (l != NULL)
        return get_listener(s, l, opt, value);
    else if (u != NULL)
        return get_udp(s, u, opt, value);
    else
        return WEIR_ENOTSUP;
    return WEIR_OK;
}
