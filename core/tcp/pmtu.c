/*
 * pmtu.c - the path's MTU, as a connection uses it
 *
 * IP keeps the path MTU cache and its floors; a connection is told when its path's value
 * changes. State: conn.pmtu.
 */
#include "tcp/pmtu.h"
#include "tcp/conn.h"
#include "tcp/fastopen.h"
#include "tcp/options.h"
#include "tcp/recovery.h"

void tcp_set_pmtu(struct tcp_conn *c, struct tcp_env *env, uint32_t mtu)
{
    uint32_t before = c->pmtu;

    c->pmtu = mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)mtu;
    if (c->state == TCP_SYN_SENT && c->pmtu < before) {
        c->agreed.rcv_mss = options_mss_for(ends_are_v4(&c->ends), c->pmtu, c->user);
        fastopen_on_too_big(c);
    }
    if (c->work == NULL || !tcp_is_synchronized(c))
        return;
    tcp_disturb(c);
    recovery_on_mss(c, env);
    if (c->pmtu < before)
        recovery_on_too_big(c);
}
