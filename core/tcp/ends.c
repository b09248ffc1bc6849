/*
 * ends.c - the two ends of a connection, as it keeps them
 */
#include "tcp/ends.h"
#include "base/addr.h"
#include "tcp/env.h"
#include <string.h>

enum { V4_AT = 12 }; /* where the bytes of an IPv4 address begin */

_Static_assert(sizeof(struct tcp_ends) == 12, "a connection is small");

static inline bool is_v4(const struct weir_addr *addr, const uint8_t b[4])
{
    return memcmp(addr->b + V4_AT, b, 4) == 0 && addr_is_v4(addr);
}

static const struct wide_ends *wide(const struct tcp_ends *ends, const struct tcp_env *env)
{
    static const struct wide_ends none;

    return ends->record == 0 ? &none : pool_at(&env->wide_ends, ends->record - 1);
}

static bool init_wide(struct tcp_ends *ends, struct tcp_env *env, const struct tcp_tuple *tuple)
{
    struct wide_ends *w = pool_get(&env->wide_ends);

    if (w == NULL)
        return false;
    *w = (struct wide_ends){tuple->local_addr, tuple->remote_addr};
    ends->record = pool_index(&env->wide_ends, w) + 1;
    return true;
}

bool ends_init(struct tcp_ends *ends, struct tcp_env *env, const struct tcp_tuple *tuple)
{
    ends->local_port = tuple->local_port;
    ends->remote_port = tuple->remote_port;
    if (HAS_IPV6
        && (!addr_is_v4(&tuple->local_addr) || !addr_is_v4(&tuple->remote_addr)
            || addr_is_any(&tuple->local_addr)))
        return init_wide(ends, env, tuple);
    memcpy(ends->local4, tuple->local_addr.b + V4_AT, sizeof ends->local4);
    memcpy(ends->remote4, tuple->remote_addr.b + V4_AT, sizeof ends->remote4);
    return true;
}

void ends_fini(struct tcp_ends *ends, struct tcp_env *env)
{
    if (!ends_are_v4(ends) && ends->record != 0)
        pool_put(&env->wide_ends, pool_at(&env->wide_ends, ends->record - 1));
    *ends = (struct tcp_ends){.record = 0};
}

struct tcp_tuple ends_tuple(const struct tcp_ends *ends, const struct tcp_env *env)
{
    if (ends_are_v4(ends))
        return (struct tcp_tuple){addr_v4_at(ends->local4), addr_v4_at(ends->remote4),
                                  ends->local_port, ends->remote_port};
    return (struct tcp_tuple){wide(ends, env)->local_addr, wide(ends, env)->remote_addr,
                              ends->local_port, ends->remote_port};
}

struct weir_addr ends_remote(const struct tcp_ends *ends, const struct tcp_env *env)
{
    return ends_are_v4(ends) ? addr_v4_at(ends->remote4) : wide(ends, env)->remote_addr;
}

/* In place, as it is asked for each segment. */
bool ends_are(const struct tcp_ends *ends, const struct tcp_env *env, const struct tcp_tuple *tuple)
{
    const struct wide_ends *w;

    if (ends->local_port != tuple->local_port || ends->remote_port != tuple->remote_port)
        return false;
    if (ends_are_v4(ends))
        return is_v4(&tuple->remote_addr, ends->remote4) && is_v4(&tuple->local_addr, ends->local4);
    w = wide(ends, env);
    return addr_eq(&w->remote_addr, &tuple->remote_addr)
           && addr_eq(&w->local_addr, &tuple->local_addr);
}
