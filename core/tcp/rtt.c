/*
 * rtt.c - the round trip time and the retransmission timeout
 *
 * RFC 6298 with Linux's lower bound, which is on the part that the variation adds
 * (docs/deviations.md): rto = srtt + max(rto_min, 4 * rttvar). State: conn.rtt, work.rtt_min_at.
 */
#include "tcp/rtt.h"
#include "base/hint.h"
#include "tcp/conn.h"

enum { SLOW_HANDSHAKE_RTO_US = 3000000 };

#define MIN_LIFE_NS (300 * NS_S) /* then the path may have become another */

void rtt_init(struct tcp_conn *c, const struct tcp_env *env)
{
    c->rtt = (struct rtt){
        .rto_us = (uint32_t)ns_div_ceil(env->config.rto_initial_ns, NS_US), /* [RFC6298 2.1] */
        .min_us = UINT32_MAX,
    };
}

static uint32_t difference(uint32_t a, uint32_t b)
{
    return a > b ? a - b : b - a;
}

static void update_rto(struct tcp_conn *c, const struct tcp_env *env)
{
    uint64_t variation_us = 4 * (uint64_t)c->rtt.rttvar_us;
    uint64_t min_us = (uint64_t)ns_div_ceil(env->config.rto_min_ns, NS_US);
    uint64_t rto_us = c->rtt.srtt_us + (variation_us > min_us ? variation_us : min_us);

    if ((ns_t)rto_us * NS_US > env->config.rto_max_ns)
        rto_us = (uint64_t)ns_div_ceil(env->config.rto_max_ns, NS_US);
    c->rtt.rto_us = (uint32_t)rto_us;
}

static uint32_t us_of(ns_t rtt_ns)
{
    ns_t us = ns_div_ceil(rtt_ns, NS_US);

    return us < 1 ? 1 : us > INT32_MAX ? INT32_MAX : (uint32_t)us;
}

static void note_newest(struct tcp_conn *c, const struct tcp_env *env, uint32_t us)
{
    if (us > c->rtt.min_us && ns_since(c->work->rtt_min_at, env->now) < MIN_LIFE_NS)
        return;
    c->rtt.min_us = us;
    c->work->rtt_min_at = env->now;
}

void rtt_on_newest(struct tcp_conn *c, const struct tcp_env *env, ns_t rtt_ns)
{
    note_newest(c, env, us_of(rtt_ns));
}

static APART void emit_sample(const struct tcp_conn *c, const struct tcp_env *env, uint32_t us)
{
    struct weir_trace event = tcp_trace_of(c, env, WEIR_TRACE_RTT);

    event.value = (int64_t)us * NS_US;
    event.srtt_ns = (ns_t)c->rtt.srtt_us * NS_US;
    event.rto_ns = (ns_t)c->rtt.rto_us * NS_US;
    trace_emit(env->tracer, &event);
}

void rtt_on_sample(struct tcp_conn *c, struct tcp_env *env, ns_t rtt_ns)
{
    struct rtt *r = &c->rtt;
    uint32_t us = us_of(rtt_ns);

    if (r->srtt_us == 0) { /* [RFC6298 2.2] */
        r->srtt_us = us;
        r->rttvar_us = us / 2;
    } else { /* [RFC6298 2.3], in this order */
        r->rttvar_us = (uint32_t)((3 * (uint64_t)r->rttvar_us + difference(r->srtt_us, us)) / 4);
        r->srtt_us = (uint32_t)((7 * (uint64_t)r->srtt_us + us) / 8);
        if (r->srtt_us == 0)
            r->srtt_us = 1;
    }
    note_newest(c, env, us);
    update_rto(c, env);
    if (trace_is_on(env->tracer))
        emit_sample(c, env, us);
}

void rtt_on_slow_handshake(struct tcp_conn *c)
{
    if (c->rtt.srtt_us == 0 && c->rtt.rto_us < SLOW_HANDSHAKE_RTO_US)
        c->rtt.rto_us = SLOW_HANDSHAKE_RTO_US;
}
