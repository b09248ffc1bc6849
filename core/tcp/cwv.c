/*
 * cwv.c - is the congestion window used, and so a measure of the path?
 *
 * A window that is not used does not grow. As Linux does by default, a sender that pauses starts
 * anew with the initial window [RFC5681 4.1]. Where that is turned off (slow_start_after_idle),
 * the window of a sender that has little to say is kept, and checked [RFC7661]: while less than
 * half of it is acknowledged in a round trip it does not grow at all, a loss is judged by what was
 * really used, and after five minutes it is halved.
 *
 * State: work.cwv; the halving assigns cc.cwnd and cc.ssthresh.
 */
#include "tcp/cwv.h"
#include "base/num.h"
#include "tcp/conn.h"
#include "tcp/recovery.h"
#include "tcp/scoreboard.h"

#define UNUSED_NS (300 * NS_S)    /* the non-validated period [RFC7661 5] */
#define SAMPLE_LIFE_NS (1 * NS_S) /* or three round trips [RFC7661 4.2] */

/* All of it is acknowledged, and something was sent since. */
static bool is_round_over(const struct tcp_conn *c)
{
    seq_t end = c->work->cwv.flight_round;

    return seq_gt(c->snd.una, end) || (seq_eq(c->snd.una, end) && tcp_flight(c) > 0);
}

static void note_flight(struct tcp_conn *c, const struct delivery *d)
{
    struct cwv *v = &c->work->cwv;
    bool is_over = is_round_over(c);

    if (!is_over && d->flight_before_bytes <= v->flight_most_bytes)
        return;
    if (is_over)
        v->flight_last_bytes = v->flight_most_bytes;
    v->flight_most_bytes = d->flight_before_bytes;
    v->flight_round = c->snd.nxt;
}

static void note_sample(struct tcp_conn *c, const struct tcp_env *env, uint32_t bytes)
{
    struct cwv *v = &c->work->cwv;
    ns_t life_ns = ns_max(SAMPLE_LIFE_NS, 3 * (ns_t)c->rtt.srtt_us * NS_US);

    if (bytes < v->pipe_ack_bytes && ns_since(v->pipe_ack_at, env->now) <= life_ns)
        return;
    v->pipe_ack_bytes = bytes;
    v->pipe_ack_at = env->now;
}

static void begin_sample(struct tcp_conn *c)
{
    struct cwv *v = &c->work->cwv;

    v->is_sampling = true;
    v->sample_bytes = 0;
    v->sample_end = c->snd.nxt;
    v->sample_cwnd = c->work->cc.cwnd;
}

/* [RFC7661 4.4.4] */
static void halve(struct tcp_conn *c, const struct tcp_env *env)
{
    struct cc *cc = &c->work->cc;

    cc->ssthresh = u32_max(cc->ssthresh, cc->cwnd - cc->cwnd / 4);
    cc->cwnd = u32_max(cc->cwnd / 2, u32_min(cc->cwnd, recovery_initial_window(env, cc->mss)));
}

/*
 * What was acknowledged was sent in the window in which the round trip began. The one of now may be
 * twice as large if that was slow start, and has not been measured yet.
 */
static bool is_used(const struct cwv *v)
{
    return v->pipe_ack_bytes >= v->sample_cwnd / 2; /* [RFC7661 4.3] */
}

static void validate(struct tcp_conn *c, const struct tcp_env *env)
{
    struct cwv *v = &c->work->cwv;

    if (is_used(v)) {
        v->unused_since_at = 0;
    } else if (v->unused_since_at == 0) {
        v->unused_since_at = env->now;
    } else if (ns_since(v->unused_since_at, env->now) >= UNUSED_NS) {
        halve(c, env);
        v->unused_since_at = env->now;
    }
}

/* What is acknowledged in a round trip: pipeACK. The first sample ends with what is under way now. */
static void sample(struct tcp_conn *c, const struct tcp_env *env, const struct delivery *d)
{
    struct cwv *v = &c->work->cwv;

    if (!v->is_sampling)
        begin_sample(c);
    v->sample_bytes += d->cum_bytes;
    if (seq_lt(c->snd.una, v->sample_end))
        return;
    note_sample(c, env, v->sample_bytes);
    validate(c, env);
    begin_sample(c);
}

void cwv_on_ack(struct tcp_conn *c, const struct tcp_env *env, const struct delivery *d)
{
    enum recovery_state state = c->work->recovery.state;

    note_flight(c, d);
    if (env->config.slow_start_after_idle || c->work->cc.ops->owns_recovery)
        return;
    if (state == RECOVERY_OPEN && d->cum_bytes > 0) /* not during recovery [RFC7661 4.2] */
        sample(c, env, d);
}

/*
 * In slow start the window may grow to twice what is used, as in Linux, so that it is there when
 * the application has more to say.
 */
bool cwv_is_limit(const struct tcp_conn *c, const struct tcp_env *env)
{
    const struct tcp_work *w = c->work;

    if (w->cwnd_limited || w->recovery.state == RECOVERY_RTO)
        return true;
    if (w->cc.ops->owns_recovery || w->cc.cwnd >= w->cc.ssthresh)
        return false;
    if (!env->config.slow_start_after_idle && w->cwv.unused_since_at != 0)
        return false; /* [RFC7661 4.4.1] */
    return w->cc.cwnd / 2 < w->cwv.flight_most_bytes;
}

uint32_t cwv_flight_most(const struct tcp_conn *c)
{
    const struct cwv *v = &c->work->cwv;

    return u32_max(v->flight_most_bytes, v->flight_last_bytes);
}

/* [RFC7661 4.4.3] */
uint32_t cwv_flight(const struct tcp_conn *c, uint32_t flight_bytes)
{
    const struct cwv *v = &c->work->cwv;

    return v->unused_since_at == 0 ? flight_bytes : u32_max(flight_bytes, v->pipe_ack_bytes);
}

void cwv_on_recovery(struct tcp_conn *c)
{
    struct cwv *v = &c->work->cwv;

    v->pipe_ack_bytes = 0;
    v->sample_bytes = 0;
    v->is_sampling = false;
    v->unused_since_at = 0;
}
