/*
 * addr.c - socket addresses and the stack's endpoints
 *
 * The stack has one type for both families: an IPv4 address is an IPv4-mapped IPv6 one. A
 * socket of AF_INET6 shows it so, unless it is for IPv6 only.
 */
#include <errno.h>
#include <string.h>

#include "posix/sock.h"

static void from_in(const struct sockaddr *addr, struct weir_endpoint *endpoint)
{
    struct sockaddr_in in;
    uint8_t b[4];

    memcpy(&in, addr, sizeof in);
    memcpy(b, &in.sin_addr, sizeof b);
    *endpoint = (struct weir_endpoint){.addr = weir_addr_v4(b[0], b[1], b[2], b[3]),
                                       .port = ntohs(in.sin_port)};
}

static bool is_link_local(const struct weir_addr *a)
{
    return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

static void from_in6(const struct sockaddr_in6 *in6, struct weir_endpoint *endpoint)
{
    *endpoint = (struct weir_endpoint){.port = ntohs(in6->sin6_port)};
    memcpy(endpoint->addr.b, &in6->sin6_addr, sizeof endpoint->addr.b);
    if (is_link_local(&endpoint->addr))
        endpoint->netif = in6->sin6_scope_id;
}

enum { IN6_LEN_MIN = 24 }; /* without the scope [RFC2133] */

static int parse_in(const struct sockaddr *addr, socklen_t len, struct weir_endpoint *endpoint)
{
    if (len < sizeof(struct sockaddr_in))
        return -EINVAL;
    if (addr->sa_family != AF_INET)
        return -EAFNOSUPPORT;
    from_in(addr, endpoint);
    return 0;
}

static int parse_in6(const struct sockaddr *addr, socklen_t len, struct weir_endpoint *endpoint)
{
    struct sockaddr_in6 whole = {0};

    if (len < IN6_LEN_MIN)
        return -EINVAL;
    if (addr->sa_family != AF_INET6)
        return -EAFNOSUPPORT;
    memcpy(&whole, addr, len < sizeof whole ? len : sizeof whole);
    from_in6(&whole, endpoint);
    return 0;
}

/* A datagram socket of IPv6 takes IPv4 addresses as they are. */
int addr_parse(const struct sock *s, const struct sockaddr *addr, socklen_t len,
               struct weir_endpoint *endpoint)
{
    bool is_mixed = s->file.kind == FILE_DATAGRAM && s->domain == AF_INET6
                    && len >= sizeof addr->sa_family && addr->sa_family == AF_INET;
    int err;

    if (is_mixed && s->v6only)
        return -EAFNOSUPPORT;
    err = s->domain == AF_INET || is_mixed ? parse_in(addr, len, endpoint)
                                           : parse_in6(addr, len, endpoint);
    if (err == 0 && s->v6only && weir_addr_is_v4(&endpoint->addr))
        return -ENETUNREACH;
    return err;
}

int addr_parse_to_bind(const struct sock *s, const struct sockaddr *addr, socklen_t len,
                       struct weir_endpoint *endpoint)
{
    struct sockaddr_in in;
    int err;

    if (s->domain == AF_INET6) {
        err = parse_in6(addr, len, endpoint);
        return err == 0 && s->v6only && weir_addr_is_v4(&endpoint->addr) ? -EINVAL : err;
    }
    if (len < sizeof in)
        return -EINVAL;
    memcpy(&in, addr, sizeof in);
    if (in.sin_family == AF_UNSPEC && in.sin_addr.s_addr == INADDR_ANY)
        in.sin_family = AF_INET; /* what very old programs leave out */
    return parse_in((const struct sockaddr *)&in, len, endpoint);
}

struct weir_addr addr_any(const struct sock *s)
{
    static const struct weir_addr any;

    return s->domain == AF_INET ? weir_addr_v4(0, 0, 0, 0) : any;
}

static socklen_t to_in(const struct weir_endpoint *endpoint, struct sockaddr_storage *storage)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(endpoint->port)};

    memcpy(&in.sin_addr, endpoint->addr.b + 12, sizeof in.sin_addr);
    memcpy(storage, &in, sizeof in);
    return sizeof in;
}

static socklen_t to_in6(const struct weir_endpoint *endpoint, struct sockaddr_storage *storage)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(endpoint->port)};

    memcpy(&in6.sin6_addr, endpoint->addr.b, sizeof in6.sin6_addr);
    if (is_link_local(&endpoint->addr))
        in6.sin6_scope_id = endpoint->netif;
    memcpy(storage, &in6, sizeof in6);
    return sizeof in6;
}

void addr_store(const struct sock *s, const struct weir_endpoint *endpoint, struct sockaddr *addr,
                socklen_t *len)
{
    struct sockaddr_storage storage = {0};
    socklen_t whole = s->domain == AF_INET ? to_in(endpoint, &storage) : to_in6(endpoint, &storage);

    memcpy(addr, &storage, *len < whole ? *len : whole);
    *len = whole;
}

struct weir_addr addr_loopback(const struct weir_addr *any)
{
    struct weir_addr addr = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

    return weir_addr_is_v4(any) ? weir_addr_v4(127, 0, 0, 1) : addr;
}
