/*
 * pace.c - sending spread over time
 *
 * At the rate that the congestion control asks for, or that the application allows, in quanta of about a millisecond: smaller
 * ones would cost a wake-up for each segment. A wake-up that comes late is made up for, within
 * a quantum.
 *
 * State: work.pace.
 */
#include "tcp/pace.h"
#include "base/num.h"
#include "tcp/conn.h"

enum {
    QUANTUM_MAX_BYTES = 65536,
    QUANTA_PER_S = 1000,
};

static uint64_t wanted_rate(const struct tcp_conn *c, const struct tcp_env *env)
{
    const struct cc *cc = &c->work->cc;

    if (cc->pacing_rate != 0 || !env->config.pacing)
        return cc->pacing_rate;
    return cc_default_pacing_rate(cc, (ns_t)c->rtt.srtt_us * NS_US);
}

uint64_t pace_rate(const struct tcp_conn *c, const struct tcp_env *env)
{
    uint64_t wanted = wanted_rate(c, env), most = (uint64_t)c->user->pacing_max_kib * 1024;

    if (wanted == 0 || most == 0)
        return wanted + most;
    return u64_min(wanted, most);
}

static uint32_t quantum(const struct cc *cc, uint64_t rate)
{
    uint64_t bytes = cc->send_quantum != 0 ? cc->send_quantum : rate / QUANTA_PER_S;

    return (uint32_t)u64_max(u64_min(bytes, QUANTUM_MAX_BYTES), cc->mss);
}

uint32_t pace_room(const struct tcp_conn *c, const struct tcp_env *env)
{
    uint64_t rate = pace_rate(c, env);

    if (rate == 0)
        return UINT32_MAX;
    return env->now < c->work->pace.next_at ? 0 : quantum(&c->work->cc, rate);
}

/* len is at most a super-segment's, and what the product cannot hold has taken no time. */
static ns_t time_of(uint32_t len, uint64_t rate)
{
    uint64_t ns = (uint64_t)len * NS_S / rate;

    return ns > NS_S ? NS_S : (ns_t)ns;
}

void pace_on_sent(struct tcp_conn *c, const struct tcp_env *env, uint32_t len)
{
    struct pace *p = &c->work->pace;
    uint64_t rate = pace_rate(c, env);

    if (rate == 0)
        return;
    p->next_at = ns_max(p->next_at, ns_after(env->now, -(NS_S / QUANTA_PER_S)));
    p->next_at = ns_after(p->next_at, time_of(len, rate));
}
