/*
 * user_timeout.c - TCP without the user timeout option: ours is not told, the peer's not heeded
 *
 * In place of: uto.c
 */
#include "tcp/uto.h"

uint16_t uto_of(ns_t duration_ns)
{
    return 0;
}

ns_t uto_ns(uint16_t option)
{
    return 0;
}

void uto_on_news(struct tcp_conn *c)
{
}

uint32_t uto_len(const struct tcp_conn *c)
{
    return 0;
}

void uto_offer(struct tcp_conn *c, bool is_syn, struct tcp_options *options)
{
}

void uto_on_segment(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg)
{
}
