/*
 * fastopen.c - TCP without Fast Open: SYNs carry no data, and nobody is given a cookie
 *
 * In place of: fastopen.c
 */
#include "tcp/fastopen.h"

bool fastopen_init(struct fastopen *f, struct mem *mem, size_t slab_bytes, struct siphash_key key,
                   struct siphash_key cache_key)
{
    return true;
}

void fastopen_fini(struct fastopen *f)
{
}

void fastopen_set_key(struct fastopen *f, struct siphash_key key)
{
}

enum fastopen_ask fastopen_check(const struct tcp_env *env, const struct fastopen_keys *keys,
                                 const struct tcp_tuple *tuple, const struct tcp_user *user,
                                 const struct tcp_seg *syn)
{
    return FASTOPEN_NO;
}

void fastopen_make_cookie(const struct tcp_env *env, const struct fastopen_keys *keys,
                          const struct tcp_tuple *tuple, uint8_t cookie[FASTOPEN_COOKIE_LEN])
{
}

void fastopen_give(const uint8_t cookie[FASTOPEN_COOKIE_LEN], bool is_experimental,
                   struct tcp_options *options)
{
}

void fastopen_renew(struct tcp_conn *c, const uint8_t cookie[FASTOPEN_COOKIE_LEN],
                    bool is_experimental)
{
}

void fastopen_begin(struct tcp_conn *c, struct tcp_env *env, struct tcp_seg *syn)
{
}

void fastopen_trim(struct fastopen *f, uint32_t servers)
{
}

uint32_t fastopen_syn_room(const struct tcp_conn *c, const struct tcp_env *env)
{
    return 0;
}

uint32_t fastopen_syn_len(const struct tcp_conn *c, const struct tcp_env *env)
{
    return 0;
}

void fastopen_offer(const struct tcp_conn *c, const struct tcp_env *env,
                    struct tcp_options *options)
{
}

void fastopen_on_syn_sent(struct tcp_conn *c, uint32_t len)
{
}

void fastopen_on_synack(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg)
{
}

void fastopen_on_acked(struct tcp_conn *c, struct tcp_env *env, seq_t acked)
{
}

void fastopen_on_too_big(struct tcp_conn *c)
{
}

void fastopen_on_timeout(struct tcp_conn *c, struct tcp_env *env)
{
}
