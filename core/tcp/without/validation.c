/*
 * validation.c - TCP without validation of the congestion window [RFC7661]
 *
 * A window that is not used up does not grow, and one that was not used for a while begins anew
 * [RFC5681 4.1]; that is not to be turned off then.
 *
 * In place of: cwv.c
 */
#include "tcp/conn.h"
#include "tcp/cwv.h"

void cwv_on_ack(struct tcp_conn *c, const struct tcp_env *env, const struct delivery *d)
{
}

bool cwv_is_limit(const struct tcp_conn *c, const struct tcp_env *env)
{
    return c->work->cwnd_limited || c->work->recovery.state == RECOVERY_RTO;
}

uint32_t cwv_flight_most(const struct tcp_conn *c)
{
    return 0;
}

uint32_t cwv_flight(const struct tcp_conn *c, uint32_t flight_bytes)
{
    return flight_bytes;
}

void cwv_on_recovery(struct tcp_conn *c)
{
}
