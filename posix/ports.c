/*
 * ports.c - which socket has which local port
 *
 * A socket has its port from bind, listen or connect until it is closed; accepted ones share
 * their listener's. Who may have the same port at the same time is Linux's rule.
 */
#include <errno.h>

#include "posix/sock.h"

enum { CHOICES_MAX = 65536 };

static struct links *bucket_of(struct weir_posix *px, uint16_t port)
{
    return &px->ports[port % PX_PORT_BUCKETS];
}

static bool is_any_of_both(const struct sock *s, const struct weir_addr *a)
{
    return weir_addr_is_any(a) && !weir_addr_is_v4(a) && !s->v6only;
}

/* Is there an address that both mean? */
static bool overlaps(const struct sock *s, const struct weir_addr *a, const struct sock *other)
{
    const struct weir_addr *b = &other->local.addr;
    bool same_family = weir_addr_is_v4(a) == weir_addr_is_v4(b);

    if (is_any_of_both(s, a) || is_any_of_both(other, b))
        return true;
    return same_family && (weir_addr_eq(a, b) || weir_addr_is_any(a) || weir_addr_is_any(b));
}

static bool may_share(const struct sock *s, const struct sock *other)
{
    if (s->reuse_port && other->reuse_port)
        return true;
    if (!s->reuse_addr || !other->reuse_addr)
        return false;
    return s->file.kind == FILE_DATAGRAM || other->phase != SOCK_LISTENING;
}

static bool has_conflict(struct weir_posix *px, const struct sock *s,
                         const struct weir_endpoint *local)
{
    struct links *bucket = bucket_of(px, local->port);

    for (struct links *i = bucket->next; i != bucket; i = i->next) {
        const struct sock *other = LINKED(i, struct sock, bound);

        if (other != s && other->file.kind == s->file.kind && other->local.port == local->port
            && overlaps(s, &local->addr, other) && !may_share(s, other))
            return true;
    }
    return false;
}

/* Connections that nobody has a socket for any more keep their port from others, too. */
static bool is_taken(struct weir_posix *px, const struct sock *s, const struct weir_endpoint *local)
{
    if (has_conflict(px, s, local))
        return true;
    return s->file.kind == FILE_STREAM && !s->reuse_addr && !s->reuse_port
           && weir_tcp_port_is_used(px->stack, local);
}

static int choose(struct weir_posix *px, const struct sock *s, struct weir_endpoint *local)
{
    for (int i = 0; i < CHOICES_MAX; i++) {
        local->port = weir_tcp_port(px->stack, px->port_turn++);
        if (local->port == 0)
            return -EADDRINUSE;
        if (!has_conflict(px, s, local))
            return 0;
    }
    return -EADDRINUSE;
}

void ports_add(struct weir_posix *px, struct sock *s)
{
    s->is_bound = true;
    links_add_last(bucket_of(px, s->local.port), &s->bound);
}

int ports_bind(struct weir_posix *px, struct sock *s, const struct weir_endpoint *local)
{
    struct weir_endpoint wanted = *local;
    int err = 0;

    if (wanted.port == 0)
        err = choose(px, s, &wanted);
    else if (is_taken(px, s, &wanted))
        err = -EADDRINUSE;
    if (err != 0)
        return err;
    s->local = wanted;
    ports_add(px, s);
    return 0;
}

bool ports_can_listen(struct weir_posix *px, const struct sock *s)
{
    return !has_conflict(px, s, &s->local);
}

void ports_remove(struct sock *s)
{
    links_remove(&s->bound);
    s->is_bound = false;
}
