/*
 * rack.c - what is lost, told by time [RFC8985 6]
 *
 * Something is lost when what was sent well after it has arrived. "Well" is the reordering
 * window: a quarter of the smallest round trip at first, more when what was sent again turns out
 * to have arrived, nothing while reordering has never been seen and the loss is plain.
 *
 * State: work.rack.
 */
#include "tcp/rack.h"
#include "base/check.h"
#include "base/num.h"
#include "tcp/conn.h"
#include "tcp/scoreboard.h"

enum {
    DUP_THRESH = 3,
    PERSIST_RECOVERIES = 16, /* for so many a wider window stays [RFC8985 6.2, step 4] */
    REO_WND_MULT_MAX = 64,
};

/*
 * RACK_sent_after: is what was sent in turn a, up to end_a, later than the other? Turns tell more
 * than times do, of which a batch has only one.
 */
static bool sent_after(uint32_t a, seq_t end_a, uint32_t b, seq_t end_b)
{
    return (int32_t)(a - b) > 0 || (a == b && seq_gt(end_a, end_b));
}

static ns_t min_rtt_ns(const struct tcp_conn *c)
{
    return c->rtt.min_us == UINT32_MAX ? 0 : (ns_t)c->rtt.min_us * NS_US;
}

/*
 * Of what was sent again, does the acknowledgement mean an earlier copy? Its timestamp tells, or that
 * it came sooner than any ever did [RFC8985 6.2, step 2].
 */
static bool is_of_earlier_copy(const struct tcp_conn *c, const struct tcp_env *env,
                               const struct sent *sent, const struct delivery *d)
{
    return sent->resends > 0
           && (d->is_earlier_copy || ns_since(sent->sent_at, env->now) < min_rtt_ns(c));
}

/* Step 3: reordering is something that was sent once, and arrives after what follows it. */
static void note_order(struct rack *r, const struct sent *sent, seq_t end, struct delivery *d)
{
    if (!r->fack_valid || seq_gt(end, r->fack)) {
        r->fack = end;
        r->fack_valid = true;
    } else if (seq_lt(end, r->fack) && sent->resends == 0) {
        r->reordering_seen = true;
        r->reordering_bytes = u32_max(r->reordering_bytes, seq_len(sent->start, r->fack));
        r->reorderings += !d->is_reordered;
        d->is_reordered = true;
    }
}

void rack_on_delivered(struct tcp_conn *c, const struct tcp_env *env, const struct sent *sent,
                       seq_t end, struct delivery *d)
{
    struct rack *r = &c->work->rack;

    note_order(r, sent, end, d);
    if (is_of_earlier_copy(c, env, sent, d))
        return;
    r->rtt_ns = ns_since(sent->sent_at, env->now);
    if (!r->is_valid || sent_after(sent->turn, end, r->turn, r->end)) {
        r->is_valid = true;
        r->turn = sent->turn;
        r->end = end;
    }
}

bool rack_is_calm(const struct tcp_conn *c, const struct sent *first)
{
    const struct rack *r = &c->work->rack;

    return !r->is_valid || !sent_after(r->turn, r->end, first->turn, first->end);
}

void rack_on_delivered_calmly(struct tcp_conn *c, const struct sent *sent, ns_t rtt_ns, seq_t end)
{
    struct rack *r = &c->work->rack;

    r->fack = end;
    r->fack_valid = true;
    r->rtt_ns = rtt_ns;
    r->is_valid = true;
    r->turn = sent->turn;
    r->end = end;
    if (c->agreed.sack_ok)
        r->reo_at = NEVER;
}

static void widen(struct rack *r)
{
    uint32_t mult = u32_max(r->reo_wnd_mult, 1) + 1;

    r->reo_wnd_mult = (uint8_t)u32_min(mult, REO_WND_MULT_MAX);
    r->reo_wnd_persist = PERSIST_RECOVERIES;
}

/* Once in a round trip, whose end is under way: a number from long ago may look like one to come. */
void rack_on_dsack(struct tcp_conn *c)
{
    struct rack *r = &c->work->rack;

    if (r->dsack_round_valid && seq_in(r->dsack_round, seq_add(c->snd.una, 1), tcp_flight(c)))
        return;
    r->dsack_round_valid = true;
    r->dsack_round = c->snd.nxt;
    widen(r);
}

void rack_on_spurious(struct tcp_conn *c)
{
    c->work->rack.reordering_seen = true;
    rack_on_dsack(c);
}

void rack_on_recovered(struct tcp_conn *c)
{
    struct rack *r = &c->work->rack;

    if (r->reo_wnd_persist > 0 && --r->reo_wnd_persist == 0)
        r->reo_wnd_mult = 1;
}

ns_t rack_window_ns(const struct tcp_conn *c)
{
    const struct tcp_work *w = c->work;
    ns_t wnd_ns = (ns_t)u32_max(w->rack.reo_wnd_mult, 1) * min_rtt_ns(c) / 4;
    bool is_plain = w->recovery.state == RECOVERY_FAST || w->recovery.state == RECOVERY_RTO
                    || w->scoreboard.sacked_segs >= DUP_THRESH;

    if (!w->rack.reordering_seen && is_plain)
        return 0;
    return ns_min(wnd_ns, (ns_t)c->rtt.srtt_us * NS_US);
}

static ns_t lost_at(const struct tcp_conn *c, const struct sent *sent)
{
    return ns_after(sent->sent_at, c->work->rack.rtt_ns + rack_window_ns(c));
}

/* What is in flight is in the order of sending: the first that may still arrive ends the search. */
bool rack_detect(struct tcp_conn *c, const struct tcp_env *env)
{
    struct rack *r = &c->work->rack;
    bool any = false;

    r->reo_at = NEVER;
    if (!r->is_valid)
        return false;
    for (struct sent *sent; (sent = scoreboard_oldest(c)) != NULL;) {
        ns_t at;
        if (!sent_after(r->turn, r->end, sent->turn, sent->end))
            break;
        at = lost_at(c, sent);
        if (at > env->now) {
            r->reo_at = at;
            break;
        }
        scoreboard_mark_lost(c, env, sent);
        any = true;
    }
    return any;
}

bool rack_is_overdue(const struct tcp_conn *c, const struct tcp_env *env, const struct sent *sent)
{
    return lost_at(c, sent) <= env->now;
}

/* What has arrived behind a gap is on the scoreboard, unless the peer has taken it back, which is a timeout. */
void rack_check(const struct tcp_conn *c)
{
    const struct tcp_work *w = c->work;

    CHECK(!w->rack.fack_valid || seq_leq(w->rack.fack, c->snd.una) || w->scoreboard.sacked_bytes > 0
          || w->recovery.recover_valid);
}
