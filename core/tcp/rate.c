/*
 * rate.c - how fast data is delivered [draft-ietf-ccwg-bbr 4.1]
 *
 * State: work.rate, and the mark in what was sent.
 */
#include "tcp/rate.h"
#include "base/hint.h"
#include "tcp/conn.h"
#include "tcp/scoreboard.h"

/* The first flight after a pause starts the clock anew: idle time is no delivery time. */
void rate_on_sent(struct tcp_conn *c, const struct tcp_env *env, struct sent *sent)
{
    struct rate *r = &c->work->rate;
    uint32_t in_flight_bytes = c->work->scoreboard.in_flight_bytes;

    if (in_flight_bytes == seq_len(sent->start, sent->end)) {
        r->first_sent_at = env->now;
        r->delivered_at = env->now;
    }
    sent->mark = (struct rate_mark){
        .delivered_bytes = r->delivered_bytes,
        .delivered_at = r->delivered_at,
        .first_sent_at = r->first_sent_at,
        .tx_in_flight_bytes = in_flight_bytes,
        .lost_bytes = (uint32_t)r->lost_bytes,
        .is_app_limited = r->limited_until != 0,
    };
}

/* Of all that an acknowledgement delivers, what was sent last is the newest evidence. */
void rate_on_delivered(struct tcp_conn *c, const struct tcp_env *env, const struct sent *sent,
                       uint32_t len)
{
    struct rate *r = &c->work->rate;

    r->delivered_bytes += len;
    r->delivered_at = env->now;
    if (r->has_newest && sent->sent_at < r->newest_sent_at)
        return;
    r->has_newest = true;
    r->newest = sent->mark;
    r->newest_sent_at = sent->sent_at;
}

void rate_on_lost(struct tcp_conn *c, uint32_t bytes)
{
    c->work->rate.lost_bytes += bytes;
}

void rate_on_app_limited(struct tcp_conn *c, uint32_t pipe_bytes)
{
    uint64_t until = c->work->rate.delivered_bytes + pipe_bytes;

    c->work->rate.limited_until = until > 0 ? until : 1;
}

/* What is delivered within an interval is less than the windows of 2^34 bytes that there can be. */
uint64_t rate_latest(const struct tcp_conn *c)
{
    const struct rate *r = &c->work->rate;
    uint64_t us = (uint64_t)ns_div_ceil(r->latest_ns, NS_US);

    return us == 0 ? 0 : r->latest_bytes * (NS_S / NS_US) / us;
}

static void end_limited(struct rate *r)
{
    if (r->limited_until != 0 && r->delivered_bytes > r->limited_until)
        r->limited_until = 0;
}

/*
 * The slower of how fast it was sent and how fast it was acknowledged: acknowledgements may be
 * compressed on their way. An interval below a round trip is no sample of the path: 0.
 */
static ns_t take_interval(struct tcp_conn *c, const struct tcp_env *env,
                          const struct rate_mark *newest, ns_t sent_at)
{
    struct rate *r = &c->work->rate;
    ns_t interval_ns =
        ns_max(ns_since(newest->first_sent_at, sent_at), ns_since(newest->delivered_at, env->now));

    r->first_sent_at = sent_at;
    if (c->rtt.min_us != UINT32_MAX && interval_ns < (ns_t)(c->rtt.min_us - 1) * NS_US)
        return 0;
    if (interval_ns > 0) {
        r->latest_bytes = r->delivered_bytes - newest->delivered_bytes;
        r->latest_ns = interval_ns;
        r->latest_is_app_limited = newest->is_app_limited;
    }
    return interval_ns;
}

static APART struct cc_rate sample_of(struct tcp_conn *c, const struct tcp_env *env,
                                      const struct rate_mark *newest, ns_t sent_at)
{
    const struct rate *r = &c->work->rate;

    return (struct cc_rate){
        .delivered_bytes = r->delivered_bytes - newest->delivered_bytes,
        .interval_ns = take_interval(c, env, newest, sent_at),
        .prior_delivered_bytes = newest->delivered_bytes,
        .tx_in_flight_bytes = newest->tx_in_flight_bytes,
        .lost_bytes = (uint32_t)r->lost_bytes - newest->lost_bytes,
        .is_app_limited = newest->is_app_limited,
    };
}

struct cc_rate rate_take_sample(struct tcp_conn *c, const struct tcp_env *env)
{
    struct rate *r = &c->work->rate;

    end_limited(r);
    if (!r->has_newest)
        return (struct cc_rate){0};
    r->has_newest = false;
    return sample_of(c, env, &r->newest, r->newest_sent_at);
}

/* What is delivered now is in order, so its last is the newest. */
void rate_on_acked_calmly(struct tcp_conn *c, const struct tcp_env *env, const struct sent *last,
                          uint32_t bytes, struct cc_rate *sample)
{
    struct rate *r = &c->work->rate;

    r->delivered_bytes += bytes;
    r->delivered_at = env->now;
    end_limited(r);
    if (sample != NULL)
        *sample = sample_of(c, env, &last->mark, last->sent_at);
    else
        (void)take_interval(c, env, &last->mark, last->sent_at);
}
