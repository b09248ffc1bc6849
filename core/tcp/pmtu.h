/*
 * pmtu.h - the path's MTU, as a connection uses it [RFC1191] [RFC8201]
 */
#ifndef CORE_TCP_PMTU_H
#define CORE_TCP_PMTU_H

#include <stdint.h>

struct tcp_conn;
struct tcp_env;

/* The path's MTU is known to be mtu now; what was sent in larger packets is sent again. */
void tcp_set_pmtu(struct tcp_conn *c, struct tcp_env *env, uint32_t mtu);

#endif
