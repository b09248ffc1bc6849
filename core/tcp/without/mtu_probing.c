/*
 * mtu_probing.c - TCP without probes of the path's MTU: it is what the network says
 *
 * In place of: mtu_probe.c
 */
#include "tcp/conn.h"
#include "tcp/mtu_probe.h"

uint32_t mtu_probe_mtu(const struct tcp_conn *c)
{
    return c->pmtu;
}

void mtu_probe_on_established(struct tcp_conn *c, const struct tcp_env *env)
{
}

void mtu_probe_on_black_hole(struct tcp_conn *c, struct tcp_env *env)
{
}

uint32_t mtu_probe_len(const struct tcp_conn *c, const struct tcp_env *env, uint32_t mss)
{
    return 0;
}

void mtu_probe_on_sent(struct tcp_conn *c, seq_t start, seq_t end)
{
}

void mtu_probe_on_acked(struct tcp_conn *c, struct tcp_env *env)
{
}

bool mtu_probe_take_lost(struct tcp_conn *c, const struct sent *sent)
{
    return false;
}

bool mtu_probe_on_lost(struct tcp_conn *c, const struct tcp_env *env, uint32_t others_bytes)
{
    return false;
}

void mtu_probe_stop(struct tcp_conn *c)
{
}
