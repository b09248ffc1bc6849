/*
 * pace.h - sending spread over time
 */
#ifndef CORE_TCP_PACE_H
#define CORE_TCP_PACE_H

#include "base/ns.h"
#include <stdint.h>

struct tcp_conn;
struct tcp_env;

struct pace {
    ns_t next_at; /* when the next bytes may go */
};

/* Bytes per second; 0: not paced. */
uint64_t pace_rate(const struct tcp_conn *c, const struct tcp_env *env);

/* How many bytes may go now; UINT32_MAX if the connection is not paced. */
uint32_t pace_room(const struct tcp_conn *c, const struct tcp_env *env);

/* len bytes were sent. */
void pace_on_sent(struct tcp_conn *c, const struct tcp_env *env, uint32_t len);

#endif
