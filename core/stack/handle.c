/*
 * handle.c - the numbers by which the application names things
 *
 * The kind in the top four bits, then what the pool says: a generation that makes stale
 * handles known, and an index.
 */
#include "base/hint.h"
#include "stack/stack.h"

#define KIND_SHIFT 60

uint64_t handle_make(enum handle_kind kind, uint64_t in_pool)
{
    return (uint64_t)kind << KIND_SHIFT | in_pool;
}

enum handle_kind handle_kind_of(uint64_t handle)
{
    return (enum handle_kind)(handle >> KIND_SHIFT);
}

static uint64_t in_pool(uint64_t handle)
{
    return handle & ((UINT64_C(1) << KIND_SHIFT) - 1);
}

/* What is busy is asked for it often, and keeps it. */
uint64_t handle_of_conn(const struct weir *s, const struct conn *c)
{
    struct tcp_work *w = c->tcp.work;

    if (!HAS_PREDICTION || w == NULL)
        return handle_make(HANDLE_CONN, pool_handle(&s->conns, c));
    if (w->handle == 0)
        w->handle = handle_make(HANDLE_CONN, pool_handle(&s->conns, c));
    return w->handle;
}

uint64_t handle_of_listener(const struct weir *s, const struct listener *l)
{
    (void)s;
    return handle_make(HANDLE_LISTENER, l->in_pool);
}

uint64_t handle_of_udp(const struct weir *s, const struct udp_endpoint *u)
{
    return handle_make(HANDLE_UDP, udp_handle(&s->udp, u));
}

uint64_t handle_of_ping(const struct weir *s, const struct ping *p)
{
    return handle_make(HANDLE_PING, ping_handle(&s->pings, p));
}

/* Mostly an application asks for what it was told of last. */
static struct conn *find_conn(const struct weir *s, uint64_t handle)
{
    if (handle_kind_of(handle) != HANDLE_CONN)
        return NULL;
    return HAS_PREDICTION && handle == s->told.handle ? s->told.conn
                                                      : pool_find(&s->conns, in_pool(handle));
}

/* A connection that was given up, or that nobody has accepted yet, is nobody's. */
struct conn *handle_conn(const struct weir *s, uint64_t handle)
{
    struct conn *c = find_conn(s, handle);

    return c == NULL || c->tcp.is_orphan || c->flow.is_queued ? NULL : c;
}

struct listener *handle_listener(const struct weir *s, uint64_t handle)
{
    if (handle_kind_of(handle) != HANDLE_LISTENER)
        return NULL;
    return HAS_PREDICTION && handle == s->accepts.handle
               ? s->accepts.listener
               : pool_find(&s->listeners, in_pool(handle));
}

struct udp_endpoint *handle_udp(const struct weir *s, uint64_t handle)
{
    if (handle_kind_of(handle) != HANDLE_UDP)
        return NULL;
    return udp_endpoint_of(&s->udp, in_pool(handle));
}

struct ping *handle_ping(const struct weir *s, uint64_t handle)
{
    if (handle_kind_of(handle) != HANDLE_PING)
        return NULL;
    return ping_of(&s->pings, in_pool(handle));
}
