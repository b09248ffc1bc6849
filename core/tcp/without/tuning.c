/*
 * tuning.c - TCP without buffers that grow: they have the sizes of the configuration
 *
 * In place of: tune.c
 */
#include "tcp/conn.h"
#include "tcp/tune.h"

uint32_t tune_recv_most(const struct tcp_user *user, const struct tcp_env *env)
{
    return user->recv_buffer_bytes;
}

void tune_on_text(struct tcp_conn *c, const struct tcp_env *env, uint32_t len, uint32_t echo)
{
}

void tune_on_read(struct tcp_conn *c, const struct tcp_env *env, uint32_t len)
{
}

void tune_on_acked(struct tcp_conn *c, const struct tcp_env *env)
{
}

/* A buffer is made for what costs twice as much as it holds. */
uint32_t tune_cost(const struct tcp_conn *c)
{
    return 2 * TUNE_COST_UNIT;
}
