/*
 * tstamp.c - timestamps and protection against wrapped sequence numbers
 *
 * RFC 7323. The clock ticks once a millisecond, from an offset that is a keyed hash of
 * both addresses and ports [RFC7323 5.4, 7.1]. State: conn.ts.
 */
#include "tcp/tstamp.h"
#include "base/seq.h"

enum {
    RECENT_LIFE_S = 24 * 24 * 3600, /* TS.Recent is good for 24 days [RFC7323 5.5] */
};

uint32_t tstamp_clock(ns_t now, uint32_t offset)
{
    return (uint32_t)((uint64_t)now / NS_MS) + offset;
}

static uint32_t seconds(const struct tcp_env *env)
{
    return (uint32_t)((uint64_t)env->now / NS_S);
}

/*
 * Where something is missing, text may have been overtaken by the second copy of what came before
 * it, and be older than that. In two round trips no more than two windows go by, so that its
 * numbers cannot have come around; a tick of the peer's clock is taken for a millisecond.
 */
static bool may_be_late(const struct tcp_conn *c, const struct tcp_seg *seg)
{
    uint32_t age_ms = c->ts.recent - seg->opt.ts_val;

    return seg->len > 0 && c->work->reasm != NULL && age_ms <= 2 * (c->rtt.srtt_us / 1000);
}

static bool is_below_recent(const struct tcp_conn *c, const struct tcp_env *env,
                            const struct tcp_seg *seg)
{
    return seq_lt(seq_of(seg->opt.ts_val), seq_of(c->ts.recent))
           && seconds(env) - c->ts.recent_s < RECENT_LIFE_S;
}

bool tstamp_is_old(const struct tcp_conn *c, const struct tcp_env *env, const struct tcp_seg *seg)
{
    return tstamp_is_in(&c->agreed, seg) && is_below_recent(c, env, seg) && !may_be_late(c, seg);
}

void tstamp_open(struct tcp_conn *c, const struct tcp_env *env, uint32_t offset)
{
    c->ts.offset = offset;
    c->ts.recent_s = seconds(env);
}

void tstamp_start(struct tcp_conn *c, const struct tcp_env *env, uint32_t recent)
{
    c->ts.recent = recent;
    c->ts.recent_s = seconds(env);
}

void tstamp_note(struct tcp_conn *c, const struct tcp_env *env, const struct tcp_seg *seg)
{
    if (!tstamp_is_in(&c->agreed, seg))
        return;
    if (seq_leq(seg->seq, c->rcv.acked) && !(seg->flags & TCP_RST) && !is_below_recent(c, env, seg))
        tstamp_start(c, env, seg->opt.ts_val);
}

bool tstamp_may_echo(const struct tcp_conn *c, const struct tcp_env *env, const struct tcp_seg *seg)
{
    uint32_t age_ms = tstamp_clock(env->now, c->ts.offset) - seg->opt.ts_ecr;

    if (!tstamp_is_in(&c->agreed, seg) || seg->opt.ts_ecr == 0)
        return true;
    return age_ms / 1000 <= seconds(env) - c->ts.recent_s;
}

bool tstamp_is_before(const struct tcp_conn *c, uint32_t echo, ns_t at)
{
    return seq_lt(seq_of(echo), seq_of(tstamp_clock(at, c->ts.offset)));
}

ns_t tstamp_rtt_ns(const struct tcp_conn *c, const struct tcp_env *env, uint32_t echo)
{
    int32_t ms;

    if (echo == 0)
        return 0;
    ms = (int32_t)(tstamp_clock(env->now, c->ts.offset) - echo);
    /* An echo from the future, or from long ago, is not one of ours. */
    if (ms < 0 || ms > (1 << 24))
        return 0;
    return ms == 0 ? NS_MS / 2 : ms * NS_MS;
}
