/*
 * syn_cookies.c - TCP without SYN cookies: when there is no room for a half-open connection, its SYN
 * is dropped
 *
 * In place of: cookie.c
 */
#include "tcp/cookie.h"

void cookie_make(struct tcp_halfopen *h, const struct tcp_env *env, uint64_t ends)
{
}

bool cookie_check(const struct tcp_env *env, const struct tcp_conn *model,
                  const struct tcp_tuple *tuple, const struct tcp_seg *ack, uint32_t mtu,
                  struct tcp_halfopen *h)
{
    return false;
}
