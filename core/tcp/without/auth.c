/*
 * auth.c - TCP without digests: there are no keys, and the options are two that are not known
 * [RFC9293 MUST-6]
 *
 * In place of: auth.c auth_digest.c auth_keys.c
 */
#include "tcp/auth.h"
#include "tcp/env.h"

bool auths_init(struct auths *a, struct mem *mem, size_t slab_bytes,
                const struct weir_crypto *crypto)
{
    return true;
}

void auths_fini(struct auths *a)
{
}

int auth_add(struct tcp_env *env, uint32_t *auth, const struct weir_auth_key *key)
{
    return WEIR_ENOTSUP;
}

int auth_remove(struct tcp_env *env, uint32_t *auth, const struct weir_auth_key *key)
{
    return WEIR_EINVAL;
}

int auth_ask(const struct tcp_env *env, uint32_t auth, uint8_t recv_id)
{
    return WEIR_EINVAL;
}

int auth_info(const struct tcp_env *env, uint32_t auth, struct weir_auth_info *info)
{
    return WEIR_EINVAL;
}

bool auth_has_key_for(const struct tcp_env *env, uint32_t auth, const struct weir_addr *peer)
{
    return false;
}

uint32_t auth_copy(struct tcp_env *env, uint32_t auth, const struct weir_addr *peer)
{
    return 0;
}

void auth_open(struct tcp_env *env, uint32_t *auth, const struct weir_addr *peer, seq_t iss)
{
}

void auth_begin(struct tcp_env *env, uint32_t auth, const struct tcp_seg *seg, seq_t iss, seq_t irs)
{
}

void auth_put(struct tcp_env *env, uint32_t *auth)
{
}

enum why auth_check(struct tcp_env *env, uint32_t auth, const struct tcp_tuple *tuple,
                    const struct tcp_seg *seg)
{
    return WHY_NONE;
}

uint32_t auth_option_bytes(const struct tcp_env *env, uint32_t auth)
{
    return 0;
}

void auth_reserve(const struct tcp_env *env, uint32_t auth, const struct weir_addr *peer,
                  uint8_t *value, struct tcp_options *options)
{
}

void auth_sign(struct tcp_env *env, uint32_t auth, const struct tcp_tuple *tuple,
               struct frame *frame)
{
}
