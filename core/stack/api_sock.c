/*
 * api_sock.c - what sockets ask beyond the user calls of RFC 9293
 */
#include "base/addr.h"
#include "stack/stack.h"
#include "tcp/fastopen.h"
#include "tcp/user.h"

ptrdiff_t weir_peek(const struct weir *s, weir_conn_t conn, size_t skip, void *bytes, size_t len)
{
    const struct conn *c = handle_conn(s, conn);

    return c == NULL ? WEIR_ESTALE : tcp_peek(&c->tcp, skip, bytes, len);
}

int weir_tcp_queued(const struct weir *s, weir_conn_t conn, struct weir_tcp_queued *queued)
{
    const struct conn *c = handle_conn(s, conn);

    if (c == NULL)
        return WEIR_ESTALE;
    tcp_queued(&c->tcp, queued);
    return WEIR_OK;
}

ptrdiff_t weir_acceptable(const struct weir *s, weir_listener_t listener)
{
    const struct listener *l = handle_listener(s, listener);

    return l == NULL ? WEIR_ESTALE : (ptrdiff_t)l->queued;
}

ptrdiff_t weir_fastopen_room(const struct weir *s, weir_conn_t conn)
{
    const struct conn *c = handle_conn(s, conn);

    return c == NULL ? WEIR_ESTALE : (ptrdiff_t)fastopen_syn_room(&c->tcp, &s->tcp);
}

uint16_t weir_tcp_port(const struct weir *s, uint32_t turn)
{
    return ports_choose_to_listen(s, turn);
}

static bool is_at(const struct weir *s, const struct flow *flow, const struct weir_endpoint *local)
{
    struct tcp_tuple t = demux_tuple(s, flow);

    if (t.local_port != local->port)
        return false;
    if (addr_eq(&t.local_addr, &local->addr))
        return true;
    return addr_is_any(&local->addr)
           && (!weir_addr_is_v4(&local->addr) || addr_is_v4(&t.local_addr));
}

/* In all three pools the flow is the first member. */
static bool is_used_by(const struct weir *s, const struct pool *pool,
                       const struct weir_endpoint *local)
{
    uint32_t i = 0;

    for (const struct flow *flow; (flow = pool_next(pool, &i)) != NULL;)
        if (flow->is_in_table && is_at(s, flow, local))
            return true;
    return false;
}

bool weir_tcp_port_is_used(const struct weir *s, const struct weir_endpoint *local)
{
    return is_used_by(s, &s->conns, local) || is_used_by(s, &s->halfopens, local)
           || is_used_by(s, &s->timewaits, local);
}

const struct weir_tcp_config *weir_tcp_config(const struct weir *s)
{
    return &s->config.tcp;
}

int weir_default(const struct weir *s, enum weir_opt opt, int64_t *value)
{
    if (opt != WEIR_OPT_TTL)
        return tcp_default(&s->tcp, opt, value);
    *value = s->config.ip.ttl;
    return WEIR_OK;
}
