/*
 * rtt.h - the round trip time and the retransmission timeout [RFC6298]
 */
#ifndef CORE_TCP_RTT_H
#define CORE_TCP_RTT_H

#include "base/ns.h"

struct tcp_conn;
struct tcp_env;

void rtt_init(struct tcp_conn *c, const struct tcp_env *env);

/* A round trip of something that was sent once took rtt_ns [RFC6298 3]. */
void rtt_on_sample(struct tcp_conn *c, struct tcp_env *env, ns_t rtt_ns);

/* What was sent last of all that has arrived took rtt_ns: for the smallest of the last minutes. */
void rtt_on_newest(struct tcp_conn *c, const struct tcp_env *env, ns_t rtt_ns);

/* The SYN or SYN-ACK had to be sent again, and is now acknowledged [RFC6298 5.7]. */
void rtt_on_slow_handshake(struct tcp_conn *c);

#endif
