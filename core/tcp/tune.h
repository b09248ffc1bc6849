/*
 * tune.h - buffers that grow with what they are used for
 */
#ifndef CORE_TCP_TUNE_H
#define CORE_TCP_TUNE_H

#include <stdint.h>

struct tcp_conn;
struct tcp_env;
struct tcp_user;

/* How large the receive buffer of a new connection may become: for its window scale. */
uint32_t tune_recv_most(const struct tcp_user *user, const struct tcp_env *env);

/* A segment with text of that length has arrived in order and been queued; echo as tstamp_echo has it. */
void tune_on_text(struct tcp_conn *c, const struct tcp_env *env, uint32_t len, uint32_t echo);

/* The application has read so many bytes: the receive buffer may grow. */
void tune_on_read(struct tcp_conn *c, const struct tcp_env *env, uint32_t len);

/* Something is acknowledged: the send buffer may grow. */
void tune_on_acked(struct tcp_conn *c, const struct tcp_env *env);

/* What a byte of text that is received costs in memory, in units of 1/TUNE_COST_UNIT. */
enum { TUNE_COST_UNIT = 16 };
uint32_t tune_cost(const struct tcp_conn *c);

#endif
