/*
 * tlp.c - the tail loss probe [RFC8985 7]
 *
 * When acknowledgements stop coming, one more segment is sent well before the retransmission
 * timer: new data, or the last segment again. Its acknowledgement shows what is lost.
 *
 * State: work.tlp.
 */
#include "tcp/tlp.h"
#include "tcp/conn.h"
#include "tcp/scoreboard.h"

/* Two round trips, and the time an acknowledgement of a lone segment may be held back. */
static ns_t pto_ns(const struct tcp_conn *c, const struct tcp_env *env)
{
    ns_t pto = 2 * (ns_t)c->rtt.srtt_us * NS_US;

    if (c->rtt.srtt_us == 0)
        return NS_S;
    if (tcp_flight(c) <= c->work->cc.mss)
        return pto + env->config.delack_max_ns;
    return pto + 2 * NS_MS; /* timers of hosts are not exact */
}

bool tlp_may_probe(const struct tcp_conn *c, const struct tcp_env *env)
{
    const struct tcp_work *w = c->work;
    const struct scoreboard *b = &w->scoreboard;
    bool is_probed = w->tlp.is_out | w->tlp.probe_owed | w->tlp.wants_rtt;

    return env->config.tail_loss_probe && c->agreed.sack_ok && tcp_is_synchronized(c)
           && (is_probed | w->backoff | b->sacked_bytes | b->lost_bytes) == 0
           && (w->recovery.state == RECOVERY_OPEN || w->recovery.state == RECOVERY_CWR)
           && b->in_flight_bytes > 0;
}

void tlp_schedule(struct tcp_conn *c, const struct tcp_env *env)
{
    c->work->tlp.at = tlp_may_probe(c, env) ? ns_after(env->now, pto_ns(c, env)) : NEVER;
}

void tlp_schedule_calmly(struct tcp_conn *c, const struct tcp_env *env)
{
    bool is_wanted = env->config.tail_loss_probe && c->agreed.sack_ok;

    c->work->tlp.at = is_wanted ? ns_after(env->now, pto_ns(c, env)) : NEVER;
}

void tlp_on_sent(struct tcp_conn *c, bool is_resent)
{
    struct tlp *t = &c->work->tlp;

    t->probe_owed = false;
    t->is_out = true;
    t->wants_rtt = true;
    t->is_resent = is_resent;
    t->end = c->snd.nxt;
}

/*
 * A probe with new data, or one that arrived as a duplicate, tells of no loss. But if everything
 * up to it and beyond has arrived without a word about a duplicate, the original was lost.
 */
bool tlp_on_ack(struct tcp_conn *c, const struct delivery *d)
{
    struct tlp *t = &c->work->tlp;
    bool has_repaired;

    if (!t->is_out || seq_lt(c->snd.una, t->end))
        return false;
    if (!t->is_resent || (d->has_dsack && seq_eq(d->dsack_end, t->end))) {
        t->is_out = false;
        return false;
    }
    has_repaired = seq_gt(c->snd.una, t->end);
    if (has_repaired || (d->is_duplicate && !d->has_sack))
        t->is_out = false;
    return has_repaired;
}

void tlp_on_measured(struct tcp_conn *c)
{
    c->work->tlp.wants_rtt = false;
}

void tlp_stop(struct tcp_conn *c)
{
    c->work->tlp = (struct tlp){.at = NEVER, .wants_rtt = c->work->tlp.wants_rtt};
}
