/*
 * pacing.c - TCP without pacing and without the measure of how fast data is delivered
 *
 * What may be sent is sent at once. Congestion control that goes by rates (BBR, Prague) is not to be
 * built in then.
 *
 * In place of: pace.c rate.c
 */
#include "tcp/conn.h"
#include "tcp/pace.h"
#include "tcp/rate.h"

uint64_t pace_rate(const struct tcp_conn *c, const struct tcp_env *env)
{
    return 0;
}

uint32_t pace_room(const struct tcp_conn *c, const struct tcp_env *env)
{
    return UINT32_MAX;
}

void pace_on_sent(struct tcp_conn *c, const struct tcp_env *env, uint32_t len)
{
}

void rate_on_sent(struct tcp_conn *c, const struct tcp_env *env, struct sent *sent)
{
}

void rate_on_delivered(struct tcp_conn *c, const struct tcp_env *env, const struct sent *sent,
                       uint32_t len)
{
}

/* Recovery asks how much more is lost than before. */
void rate_on_lost(struct tcp_conn *c, uint32_t bytes)
{
    c->work->rate.lost_bytes += bytes;
}

void rate_on_app_limited(struct tcp_conn *c, uint32_t pipe_bytes)
{
}

uint64_t rate_latest(const struct tcp_conn *c)
{
    return 0;
}

struct cc_rate rate_take_sample(struct tcp_conn *c, const struct tcp_env *env)
{
    return (struct cc_rate){0};
}

void rate_on_acked_calmly(struct tcp_conn *c, const struct tcp_env *env, const struct sent *last,
                          uint32_t bytes, struct cc_rate *sample)
{
    if (sample != NULL)
        *sample = (struct cc_rate){0};
}
