/*
 * judge.c - what has to hold after every event, as far as one can see it from outside
 *
 * All positions are relative to the initial sequence numbers, so that boxes which rewrite them do
 * not matter. What one end says is compared with what it said before, with what its application has
 * done, and with what the other end says.
 */
#include "sim/play.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <weir/err.h>

enum {
    FEW = 32,      /* connections are all looked at in each turn up to this number */
    PROBE_LEN = 1, /* what a sender may send beyond the window, to probe it */
};

struct end_view {
    struct play *p;
    const struct play_exchange *x;
    enum play_side side;
    struct weir_tcp_info info;
};

void play_break(struct play *p, const char *format, ...)
{
    va_list list;

    if (p->broken[0] != 0)
        return;
    va_start(list, format);
    (void)vsnprintf(p->broken, sizeof p->broken, format, list);
    va_end(list);
    p->broken_kind = format;
    p->broken_at = weir_sim_now(p->sim);
    weir_sim_stop(p->sim);
}

const char *play_end_text(const struct play *p, const struct play_exchange *x, enum play_side side,
                          char text[64])
{
    (void)snprintf(text, 64, "%s %u %s", p->scenario->flows[x->flow].name, x->number,
                   side == PLAY_CLIENT ? "client" : "server");
    return text;
}

static void breaks(const struct end_view *v, const char *what, uint32_t a, uint32_t b)
{
    char text[64];

    if (v->p->broken[0] != 0)
        return;
    play_break(v->p, "%s, %s: %s (%u, %u)", play_end_text(v->p, v->x, v->side, text),
               weir_tcp_state_name(v->info.state), what, a, b);
    v->p->broken_kind = what;
}

static bool is_synchronized(enum weir_tcp_state state)
{
    return state >= WEIR_TCP_ESTABLISHED && state != WEIR_TCP_TIME_WAIT;
}

/* a is before b, or the same, in a space that wraps. */
static bool is_upto(uint32_t a, uint32_t b)
{
    return (int32_t)(b - a) >= 0;
}

/* ---- one end by itself ---- */

static void check_sender(const struct end_view *v, struct play_seen *seen)
{
    const struct weir_tcp_info *i = &v->info;
    uint32_t una = i->snd_una - i->iss, nxt = i->snd_nxt - i->iss;

    if (!is_upto(una, nxt))
        breaks(v, "snd.una is beyond snd.nxt", una, nxt);
    if (seen->is_valid && !is_upto(seen->una, una))
        breaks(v, "snd.una goes back", seen->una, una);
    if (i->flight_bytes > nxt - una)
        breaks(v, "more is in flight than there is between snd.una and snd.nxt", i->flight_bytes,
               nxt - una);
    /* A connection at rest has no congestion window. */
    if (i->snd_mss == 0 || i->rto_ns <= 0 || (i->cwnd == 0 && i->flight_bytes > 0))
        breaks(v, "cwnd, mss and the retransmission timeout are never 0", i->cwnd, i->snd_mss);
    seen->una = una;
    if (!seen->is_valid || is_upto(seen->nxt, nxt))
        seen->nxt = nxt;
}

/* The right edge of the window does not move to the left [RFC9293 SHLD-14]. */
static void check_receiver(const struct end_view *v, struct play_seen *seen)
{
    const struct weir_tcp_info *i = &v->info;
    uint32_t rcv_nxt = i->rcv_nxt - i->irs, edge = rcv_nxt + i->rcv_wnd;
    uint32_t grain = (UINT32_C(1) << i->rcv_wscale) - 1;

    if (seen->is_valid && !is_upto(seen->rcv_nxt, rcv_nxt))
        breaks(v, "rcv.nxt goes back", seen->rcv_nxt, rcv_nxt);
    if (seen->is_valid && !is_upto(seen->right_edge, edge + grain))
        breaks(v, "the window shrinks", seen->right_edge, edge);
    seen->rcv_nxt = rcv_nxt;
    if (!seen->is_valid || is_upto(seen->right_edge, edge))
        seen->right_edge = edge;
}

/* Every byte is where the application put it, or in a queue, or with the other application. */
static void check_application(const struct end_view *v)
{
    const struct weir_tcp_info *i = &v->info;
    const struct play_end *e = &v->x->ends[v->side];
    uint32_t got = (uint32_t)(e->received + i->recv_queued), in = i->rcv_nxt - i->irs - 1;
    uint32_t acked = (uint32_t)(e->sent - i->send_queued), out = i->snd_una - i->iss - 1;

    /* An end of a side counts as one. */
    if (in - got > 1)
        breaks(v, "rcv.nxt and what the application has read do not fit", in, got);
    if (out - acked > 1)
        breaks(v, "snd.una and what the application has sent do not fit", out, acked);
    if (out - acked == 1 && !e->is_shut && !e->has_quit)
        breaks(v, "an end was acknowledged that was not sent", out, acked);
}

static void check_deadline(const struct end_view *v)
{
    const struct weir_tcp_info *i = &v->info;
    weir_ns_t at = weir_sim_deadline(v->p->sim, v->x->ends[v->side].node);

    if ((i->state == WEIR_TCP_SYN_SENT || i->send_queued > 0 || i->flight_bytes > 0
         || i->snd_nxt != i->snd_una)
        && at == WEIR_NEVER)
        breaks(v, "there is something to send, and no deadline", i->send_queued, i->flight_bytes);
}

/* ---- both ends ---- */

static void check_pair(const struct end_view *v)
{
    const struct play_seen *mine = &v->x->ends[v->side].seen, *theirs = &v->x->ends[!v->side].seen;
    const struct play_end *peer = &v->x->ends[!v->side];

    /* Of a peer that is gone, what was last seen of it is too old. */
    if (!theirs->is_valid || peer->conn == 0 || v->p->content_may_differ)
        return;
    if (!is_upto(mine->una, theirs->rcv_nxt))
        breaks(v, "more is acknowledged than the peer has received", mine->una, theirs->rcv_nxt);
    if (!is_upto(theirs->rcv_nxt, mine->nxt))
        breaks(v, "the peer has received more than was sent", theirs->rcv_nxt, mine->nxt);
    if (!is_upto(mine->nxt, theirs->right_edge + PROBE_LEN))
        breaks(v, "more was sent than the peer's window allows", mine->nxt, theirs->right_edge);
}

static void check_end(struct play *p, struct play_exchange *x, enum play_side side)
{
    struct play_end *e = &x->ends[side];
    struct end_view v = {.p = p, .x = x, .side = side};
    char text[64];

    if (weir_tcp_info(weir_sim_peek(p->sim, e->node), e->conn, &v.info) != 0) {
        play_break(p, "%s has lost its connection", play_end_text(p, x, side, text));
        return;
    }
    if (v.info.error != 0 || v.info.state == WEIR_TCP_CLOSED)
        return;
    check_deadline(&v);
    if (!is_synchronized(v.info.state))
        return;
    check_sender(&v, &e->seen);
    check_receiver(&v, &e->seen);
    check_application(&v);
    e->seen.is_valid = true;
    e->seen.state = v.info.state;
    check_pair(&v);
}

/* ---- a host ---- */

static void check_host(struct play *p, weir_sim_node_t node)
{
    const struct weir *stack = weir_sim_peek(p->sim, node);
    struct weir_stats stats;

    weir_stats(stack, &stats);
    if (weir_sim_deadline(p->sim, node) < weir_sim_now(p->sim))
        play_break(p, "%s has a deadline in the past", weir_sim_node_name(p->sim, node));
    if (weir_has_output(stack, 0))
        play_break(p, "%s keeps frames back that it says it has", weir_sim_node_name(p->sim, node));
    if (stats.memory_bytes > stats.memory_limit_bytes)
        play_break(p, "%s uses more memory than it may", weir_sim_node_name(p->sim, node));
    weir_sim_stats(p->sim, &p->stats);
    if (p->stats.spins > 0)
        play_break(p, "%s does not come to rest", weir_sim_node_name(p->sim, node));
}

void judge_turn(struct play *p, weir_sim_node_t node)
{
    p->turns++;
    if (p->options.no_checks || p->broken[0] != 0)
        return;
    /* With very many connections all are looked at now and then. */
    if (p->live > FEW && p->turns % (p->live / FEW) != 0)
        return;
    check_host(p, node);
    for (size_t i = 0; i < p->exchange_count; i++) {
        struct play_exchange *x = p->exchanges[i];
        for (int side = 0; x != NULL && side < 2; side++)
            if (x->ends[side].node == node && x->ends[side].conn != 0)
                check_end(p, x, (enum play_side)side);
    }
}

/* ---- ends ---- */

static bool could_end_so(const struct play *p, const struct play_exchange *x, enum play_side side,
                         int error)
{
    const struct play_end *peer = &x->ends[!side];

    if (p->has_trouble || p->content_may_differ)
        return true;
    if (error == WEIR_ECONNRESET || error == WEIR_ETIMEDOUT || error == WEIR_ECONNREFUSED)
        return peer->has_died || peer->has_quit || peer->error != 0;
    return x->ends[side].has_died;
}

void judge_error(struct play *p, const struct play_exchange *x, enum play_side side, int error)
{
    char text[64];

    if (!could_end_so(p, x, side, error))
        play_break(p, "%s ends without a reason: %s", play_end_text(p, x, side, text),
                   weir_err_text(error));
}

/* Everything is over: nothing may be left in the stacks. */
void judge_end_of_run(struct play *p)
{
    for (size_t i = 0; i < p->scenario->node_count; i++) {
        const struct weir *stack = weir_sim_peek(p->sim, p->nodes[i]);
        struct weir_stats stats;
        if (stack == NULL)
            continue;
        weir_stats(stack, &stats);
        if (stats.connections + stats.half_open + stats.timewaits > 0)
            play_break(p, "%s still has %u connections, %u half open, %u in TIME-WAIT",
                       p->scenario->nodes[i].name, stats.connections, stats.half_open,
                       stats.timewaits);
    }
}
