/*
 * mtu_probe.c - the path's MTU, found out without the network's help
 *
 * ICMP may be filtered. When timeouts follow one another, segments become small enough for
 * nearly every path; then, or from the beginning where that is asked for, a segment larger than
 * has been seen to pass is sent now and then. If it arrives all may be as large; if it alone is
 * lost it was too large, and that is no congestion [RFC4821 7].
 *
 * State: conn.mtu_low, work.mtu_probe.
 */
#include "tcp/mtu_probe.h"
#include "base/num.h"
#include "tcp/conn.h"
#include "tcp/options.h"
#include "tcp/recovery.h"
#include "tcp/scoreboard.h"
#include "tcp/sendq.h"
#include "tcp/timers.h"
#include "tcp/window.h"

enum {
    BASE_V4 = 1200, /* [RFC8899 5.1.2] */
    FLOOR_V4 = 552,
    FLOOR_V6 = 1280, /* [RFC8200 5] */
    CLOSE_ENOUGH = 8,
    SEGS_BESIDE = 4, /* under way or to be sent besides, to tell its loss from another's */
};

#define AGAIN_NS (600 * NS_S) /* a path may have become wider [RFC4821 7.2] */

static struct mtu_probe *probe_of(const struct tcp_conn *c)
{
    return &c->work->mtu_probe;
}

static uint32_t base_of(const struct tcp_conn *c)
{
    return ends_are_v4(&c->ends) ? BASE_V4 : FLOOR_V6;
}

static uint32_t floor_of(const struct tcp_conn *c)
{
    return ends_are_v4(&c->ends) ? FLOOR_V4 : FLOOR_V6;
}

uint32_t mtu_probe_mtu(const struct tcp_conn *c)
{
    return c->mtu_low == 0 ? c->pmtu : u32_min(c->mtu_low, c->pmtu);
}

/* The largest that may still pass. */
static uint32_t high_of(const struct tcp_conn *c)
{
    const struct mtu_probe *p = probe_of(c);

    return p->high == 0 ? c->pmtu : u32_min(p->high, c->pmtu);
}

static void set_low(struct tcp_conn *c, struct tcp_env *env, uint32_t mtu)
{
    c->mtu_low = (uint16_t)mtu;
    recovery_on_mss(c, env);
}

void mtu_probe_on_established(struct tcp_conn *c, const struct tcp_env *env)
{
    if (env->config.mtu_probing == WEIR_MTU_PROBING_ALWAYS && c->pmtu > base_of(c))
        c->mtu_low = (uint16_t)base_of(c);
}

void mtu_probe_on_black_hole(struct tcp_conn *c, struct tcp_env *env)
{
    uint32_t now = mtu_probe_mtu(c), low = base_of(c);

    if (env->config.mtu_probing == WEIR_MTU_PROBING_OFF)
        return;
    if (now <= low)
        low = u32_max(now / 2, floor_of(c));
    if (low >= now)
        return;
    probe_of(c)->high = 0;
    probe_of(c)->next_at = ns_after(env->now, timers_rto_ns(c, env));
    set_low(c, env, low);
}

/* All of it at first, then halfway. */
static uint32_t next_size(const struct tcp_conn *c)
{
    uint32_t low = mtu_probe_mtu(c), high = high_of(c);

    if (high < low + CLOSE_ENOUGH)
        return 0;
    return probe_of(c)->high == 0 ? high : (low + high + 1) / 2;
}

/* Where the path is quiet and there is enough to send besides. */
static bool is_good_time(const struct tcp_conn *c, const struct tcp_env *env, uint32_t len,
                         uint32_t mss)
{
    const struct tcp_work *w = c->work;

    return c->mtu_low != 0 && c->agreed.sack_ok && !probe_of(c)->is_out
           && env->now >= probe_of(c)->next_at && w->recovery.state == RECOVERY_OPEN
           && w->scoreboard.lost_bytes == 0 && w->scoreboard.sacked_bytes == 0
           && seq_len(c->snd.nxt, sendq_end(c)) >= len + SEGS_BESIDE * mss
           && u32_min(window_usable(c), recovery_room(c)) >= len
           && w->cc.cwnd >= len + SEGS_BESIDE * mss;
}

uint32_t mtu_probe_len(const struct tcp_conn *c, const struct tcp_env *env, uint32_t mss)
{
    uint32_t size = c->mtu_low == 0 ? 0 : next_size(c), len;

    if (size == 0)
        return 0;
    len = mss + (size - mtu_probe_mtu(c));
    return len <= c->agreed.snd_mss && is_good_time(c, env, len, mss) ? len : 0;
}

void mtu_probe_on_sent(struct tcp_conn *c, seq_t start, seq_t end)
{
    struct mtu_probe *p = probe_of(c);

    p->is_out = true;
    p->start = start;
    p->end = end;
    p->size = (uint16_t)next_size(c);
}

void mtu_probe_on_acked(struct tcp_conn *c, struct tcp_env *env)
{
    struct mtu_probe *p = probe_of(c);

    if (!p->is_out || seq_lt(c->snd.una, p->end))
        return;
    p->is_out = false;
    set_low(c, env, p->size);
    if (next_size(c) == 0) {
        p->high = 0;
        p->next_at = ns_after(env->now, AGAIN_NS);
    }
}

bool mtu_probe_take_lost(struct tcp_conn *c, const struct sent *sent)
{
    struct mtu_probe *p = probe_of(c);

    if (!p->is_out || sent->state != SENT_IN_FLIGHT || seq_lt(sent->start, p->start)
        || seq_geq(sent->start, p->end))
        return false;
    p->is_lost = true;
    return true;
}

/* If others are lost with it, it says nothing: it may be tried again [RFC4821 7.6.2]. */
bool mtu_probe_on_lost(struct tcp_conn *c, const struct tcp_env *env, uint32_t others_bytes)
{
    struct mtu_probe *p = probe_of(c);

    if (!p->is_lost)
        return false;
    mtu_probe_stop(c);
    p->next_at = ns_after(env->now, timers_rto_ns(c, env));
    if (others_bytes > 0)
        return false;
    p->high = (uint16_t)(p->size - 1);
    if (next_size(c) == 0) {
        p->high = 0;
        p->next_at = ns_after(env->now, AGAIN_NS);
    }
    return true;
}

void mtu_probe_stop(struct tcp_conn *c)
{
    probe_of(c)->is_out = false;
    probe_of(c)->is_lost = false;
}
