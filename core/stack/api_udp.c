/*
 * api_udp.c - the public functions of UDP endpoints and pings
 */
#include "base/addr.h"
#include "base/parts.h"
#include "stack/api.h"
#include "stack/stack.h"
#include "wire/ip.h"

static bool is_given(const struct weir_endpoint *e)
{
    return e != NULL && !addr_is_any(&e->addr);
}

/* With a remote end the local address is chosen now; else it may stay open. */
static int choose_local(struct weir *s, const struct weir_endpoint *remote,
                        struct weir_endpoint *local)
{
    struct ip_path path;
    int err;

    if (remote == NULL)
        return addr_is_any(&local->addr) || addr_is_multicast(&local->addr)
                       || addrs_has(&s->ip, &local->addr)
                   ? WEIR_OK
                   : WEIR_EADDRNOTAVAIL;
    if (remote->port == 0 || addr_is_any(&remote->addr))
        return WEIR_EINVAL;
    err = ip_route(&s->ip, &remote->addr, is_given(local) ? &local->addr : NULL, remote->netif,
                   &path);
    if (err == WEIR_OK)
        local->addr = path.src;
    return err;
}

/* What is known before the endpoint has its place. */
static bool is_of_place(enum weir_opt opt)
{
    return opt == WEIR_OPT_V6ONLY || opt == WEIR_OPT_SHARE_PORT;
}

int udp_set(struct udp_endpoint *u, enum weir_opt opt, int64_t value)
{
    if (opt == WEIR_OPT_USER)
        u->user = (uint64_t)value;
    else if (opt == WEIR_OPT_TTL && value >= 1 && value <= UINT8_MAX)
        u->ttl = (uint8_t)value;
    else if (opt == WEIR_OPT_TOS && value >= 0 && value <= UINT8_MAX)
        u->tos = (uint8_t)value;
    else if (opt == WEIR_OPT_RECV_BUFFER && value >= 1 && value <= INT32_MAX)
        u->recv_buffer_bytes = (uint32_t)value;
    else if (opt == WEIR_OPT_TTL || opt == WEIR_OPT_TOS || opt == WEIR_OPT_RECV_BUFFER)
        return WEIR_EINVAL;
    else
        return is_of_place(opt) ? WEIR_ESTATE : WEIR_ENOTSUP;
    return WEIR_OK;
}

static int set_all(struct udp_endpoint *u, const struct weir_opt_value *opts, size_t count)
{
    int err = WEIR_OK;

    for (size_t i = 0; i < count && err == WEIR_OK; i++)
        if (!is_of_place(opts[i].opt))
            err = udp_set(u, opts[i].opt, opts[i].value);
    return err;
}

static int rules_of(const struct weir_opt_value *opts, size_t count, struct udp_rules *rules)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_of_place(opts[i].opt))
            continue;
        if (opts[i].value != 0 && opts[i].value != 1)
            return WEIR_EINVAL;
        *(opts[i].opt == WEIR_OPT_V6ONLY ? &rules->v6only : &rules->shares_port) =
            opts[i].value != 0;
    }
    return WEIR_OK;
}

int api_udp_open_with(struct weir *s, const struct weir_endpoint *local,
                      const struct weir_endpoint *remote, const struct weir_opt_value *opts,
                      size_t count, weir_udp_t *udp)
{
    struct weir_endpoint from = local != NULL ? *local : (struct weir_endpoint){0};
    struct udp_endpoint *u = NULL;
    struct udp_rules rules = {0};
    int err = HAS_UDP ? choose_local(s, remote, &from) : WEIR_ENOTSUP;

    if (err == WEIR_OK)
        err = rules_of(opts, count, &rules);
    if (err == WEIR_OK)
        err = udp_open(&s->udp, &from, remote, rules, &u);
    if (err != WEIR_OK)
        return err;
    if (local == NULL || addr_is_any(&local->addr))
        u->bound = local == NULL ? (struct weir_addr){{0}} : local->addr;
    err = set_all(u, opts, count);
    if (err != WEIR_OK)
        udp_close(&s->udp, &u);
    else
        *udp = handle_of_udp(s, u);
    return err;
}

int api_udp_connect(struct weir *s, weir_udp_t udp, const struct weir_endpoint *remote)
{
    struct udp_endpoint *u = handle_udp(s, udp);
    struct weir_endpoint from;
    int err;

    if (u == NULL)
        return WEIR_ESTALE;
    from = (struct weir_endpoint){.addr = u->bound};
    err = choose_local(s, remote, &from);
    return err == WEIR_OK ? udp_connect(&s->udp, u, &from.addr, remote) : err;
}

ptrdiff_t weir_udp_peek(const struct weir *s, weir_udp_t udp, void *bytes, size_t len,
                        struct weir_datagram *about)
{
    const struct udp_endpoint *u = handle_udp(s, udp);

    return u == NULL ? WEIR_ESTALE : udp_peek(u, bytes, len, about);
}

int weir_udp_error(const struct weir *s, weir_udp_t udp)
{
    const struct udp_endpoint *u = handle_udp(s, udp);

    return u == NULL ? WEIR_ESTALE : u->error;
}

/* What ip_send says, as the caller knows it. A datagram that waits for a neighbour is sent. */
static int error_of(enum why why)
{
    switch (why) {
    case WHY_NONE: return WEIR_OK;
    case WHY_TOO_BIG: return WEIR_EMSGSIZE;
    case WHY_NO_ROUTE: return WEIR_ENETUNREACH;
    default: return WEIR_ENOMEM;
    }
}

ptrdiff_t api_udp_send(struct weir *s, weir_udp_t udp, const struct weir_endpoint *to,
                       const void *bytes, size_t len)
{
    struct udp_endpoint *u = handle_udp(s, udp);
    struct udp_send send = {.bytes = bytes, .len = len};
    struct ip_path path;
    struct frame *frame;
    int err;

    if (u == NULL)
        return WEIR_ESTALE;
    if (to == NULL && !u->is_connected)
        return WEIR_ENOTCONN;
    send.from = u->local;
    send.to = to != NULL ? *to : u->remote;
    err = ip_route(&s->ip, &send.to.addr, is_given(&u->local) ? &u->local.addr : NULL,
                   send.to.netif, &path);
    if (err != WEIR_OK)
        return err;
    send.from.addr = path.src;
    err = udp_output(&s->udp, &send, &frame);
    if (err != WEIR_OK)
        return err;
    struct ip_send how = {.src = path.src,
                          .dst = send.to.addr,
                          .protocol = IP_PROTOCOL_UDP,
                          .ttl = u->ttl,
                          .tos = u->tos};
    err = error_of(ip_send(&s->ip, &path, &how, &frame));
    if (err != WEIR_OK)
        return err;
    s->udp_out++;
    return (ptrdiff_t)len;
}

ptrdiff_t api_udp_recv(struct weir *s, weir_udp_t udp, void *bytes, size_t len,
                       struct weir_endpoint *from, struct weir_endpoint *to)
{
    struct udp_endpoint *u = handle_udp(s, udp);

    return u == NULL ? WEIR_ESTALE : udp_recv(&s->udp, u, bytes, len, from, to);
}

int api_ping_open(struct weir *s, const struct weir_addr *to, weir_ping_t *ping)
{
    struct ip_path path;
    struct ping *p;
    int err = HAS_UDP ? ip_route(&s->ip, to, NULL, 0, &path) : WEIR_ENOTSUP;

    if (err == WEIR_OK)
        err = ping_open(&s->pings, &path.src, to, &p);
    if (err == WEIR_OK)
        *ping = handle_of_ping(s, p);
    return err;
}

ptrdiff_t api_ping_send(struct weir *s, weir_ping_t ping, uint16_t sequence, const void *bytes,
                        size_t len)
{
    struct ping *p = handle_ping(s, ping);
    struct ip_path path;
    struct frame *frame;
    int err;

    if (p == NULL)
        return WEIR_ESTALE;
    err = ip_route(&s->ip, &p->remote, &p->local, 0, &path);
    if (err == WEIR_OK)
        err = ping_output(&s->pings, p, sequence, bytes, len, &frame);
    if (err != WEIR_OK)
        return err;
    struct ip_send how = {
        .src = path.src,
        .dst = p->remote,
        .protocol = addr_is_v4(&p->remote) ? IP_PROTOCOL_ICMP4 : IP_PROTOCOL_ICMP6,
    };
    err = error_of(ip_send(&s->ip, &path, &how, &frame));
    return err == WEIR_OK ? (ptrdiff_t)len : err;
}

ptrdiff_t api_ping_recv(struct weir *s, weir_ping_t ping, void *bytes, size_t len,
                        struct weir_ping_reply *reply)
{
    struct ping *p = handle_ping(s, ping);

    return p == NULL ? WEIR_ESTALE : ping_recv(&s->pings, p, bytes, len, reply);
}
