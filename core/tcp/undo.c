/*
 * undo.c - recoveries that were not needed
 *
 * Three witnesses: a timestamp from before anything was sent again, although what it acknowledges
 * was [Eifel, RFC3522]; a duplicate reported for each segment that was sent again [RFC3708]; and
 * after a timeout, something that was sent only once and arrives now [F-RTO, RFC5682], which
 * recovery.c watches for. Then cwnd and ssthresh go back to what they were [RFC4015].
 *
 * State: work.undo, cc.cwnd, cc.ssthresh.
 */
#include "tcp/undo.h"
#include "base/num.h"
#include "tcp/conn.h"
#include "tcp/scoreboard.h"
#include "tcp/tstamp.h"

void undo_arm(struct tcp_conn *c, const struct tcp_env *env)
{
    const struct cc *cc = &c->work->cc;

    c->work->undo = (struct undo){
        .cwnd = cc->cwnd,
        .ssthresh = cc->ssthresh,
        .is_armed = true,
        .armed_at = env->now,
        .start = c->snd.una,
    };
}

void undo_disarm(struct tcp_conn *c)
{
    c->work->undo.is_armed = false;
}

void undo_on_resent(struct tcp_conn *c, const struct tcp_env *env, uint32_t segs)
{
    struct undo *u = &c->work->undo;

    if (!u->has_resent)
        u->first_resent_at = env->now;
    u->has_resent = true;
    u->resent_segs += segs;
}

/*
 * What was sent again in an earlier recovery tells of that one. And an acknowledgement of several
 * segments echoes the first of them, so the echo must be older than all that was sent again.
 */
static bool is_echo_early(const struct tcp_conn *c, const struct delivery *d)
{
    const struct undo *u = &c->work->undo;

    return d->needless_at != 0 && d->needless_at >= u->armed_at
           && tstamp_is_before(c, d->echo, u->first_resent_at);
}

static bool are_all_duplicates(struct tcp_conn *c, const struct delivery *d)
{
    struct undo *u = &c->work->undo;
    uint32_t segs;

    if (!u->has_resent || !d->has_dsack || u->resent_segs == 0 || seq_lt(d->dsack_start, u->start))
        return false;
    segs = (seq_len(d->dsack_start, d->dsack_end) + c->work->cc.mss - 1) / c->work->cc.mss;
    u->resent_segs -= u32_min(segs, u->resent_segs);
    return u->resent_segs == 0;
}

bool undo_is_due(struct tcp_conn *c, const struct delivery *d, bool is_in_episode, bool is_end)
{
    const struct undo *u = &c->work->undo;

    if (!u->is_armed)
        return false;
    return (is_end && !u->has_resent) || (is_in_episode && is_echo_early(c, d))
           || are_all_duplicates(c, d);
}

void undo_apply(struct tcp_conn *c, const struct tcp_env *env)
{
    struct cc *cc = &c->work->cc;
    struct undo *u = &c->work->undo;

    u->is_armed = false;
    if (!cc->ops->owns_recovery) {
        cc->cwnd = u32_max(cc->cwnd, u->cwnd);
        cc->ssthresh = u->ssthresh;
    }
    if (cc->ops->on_undo != NULL)
        cc->ops->on_undo(cc, env->now);
}
