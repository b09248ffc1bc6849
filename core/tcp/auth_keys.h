/*
 * auth_keys.h - which key is meant (auth.c, auth_keys.c)
 */
#ifndef CORE_TCP_AUTH_KEYS_H
#define CORE_TCP_AUTH_KEYS_H

#include "tcp/auth.h"
#include "tcp/env.h"

/* NULL: none. */
static inline struct auth *auth_of(const struct tcp_env *env, uint32_t auth)
{
    return auth == 0 ? NULL : pool_at(&env->auth.auths, auth - 1);
}

static inline struct auth_key *auth_key_of(struct list *link)
{
    return container_of(link, struct auth_key, link);
}

static inline bool auth_key_is_ao(const struct auth_key *k)
{
    return k->algorithm != WEIR_AUTH_MD5;
}

/* The first for that peer, among those with the longest prefix. */
struct auth_key *auth_key_for(struct auth *a, const struct weir_addr *peer);

/* By the IDs that stand in a segment of that peer's. NULL: there is no such key. */
struct auth_key *auth_key_received(struct auth *a, const struct weir_addr *peer, uint8_t id);
struct auth_key *auth_key_sent(struct auth *a, const struct weir_addr *peer, uint8_t id);

#endif
