/*
 * synsent.c - SEGMENT ARRIVES in SYN-SENT
 *
 * First the ACK, second a reset, fourth the SYN, fifth whatever is left. State: rcv, snd.una,
 * and what the two ends have agreed on.
 */
#include "tcp/synsent.h"
#include "base/parts.h"
#include "tcp/ack.h"
#include "tcp/conn.h"
#include "tcp/ecn.h"
#include "tcp/fastopen.h"
#include "tcp/input.h"
#include "tcp/options.h"
#include "tcp/recovery.h"
#include "tcp/seg.h"
#include "tcp/sendq.h"
#include "tcp/timers.h"
#include "tcp/tstamp.h"
#include "tcp/uto.h"

struct arrival {
    struct tcp_conn *c;
    struct tcp_env *env;
    struct tcp_seg *seg;
    enum why why;
};

static bool stop(struct arrival *a, enum why why)
{
    a->why = why;
    return true;
}

/*
 * First: an acknowledgement of anything but our SYN is answered by a reset, also one that echoes a
 * time at which we have sent none: it is an old one, or a guess. Linux does so, too.
 */
static bool check_ack(struct arrival *a)
{
    const struct tcp_conn *c = a->c;
    bool is_good = seq_gt(a->seg->ack, c->snd.iss) && seq_leq(a->seg->ack, c->snd.nxt)
                   && tstamp_may_echo(c, a->env, a->seg);

    if (!(a->seg->flags & TCP_ACK) || is_good)
        return false;
    a->seg->wants_reset = true;
    return stop(a, WHY_TCP_BAD_ACK);
}

/* Second: a reset counts only if it acknowledges our SYN. */
static bool check_rst(struct arrival *a)
{
    if (!(a->seg->flags & TCP_RST))
        return false;
    if (!(a->seg->flags & TCP_ACK))
        return stop(a, WHY_TCP_NO_ACK);
    tcp_end(a->c, a->env, WEIR_ECONNREFUSED);
    return stop(a, WHY_TCP_RESET);
}

static void take_syn(struct arrival *a)
{
    struct tcp_conn *c = a->c;

    c->rcv.irs = a->seg->seq;
    c->rcv.nxt = seq_add(a->seg->seq, 1);
    c->rcv.acked = c->rcv.nxt;
    c->agreed = options_agree(a->env, c->agreed, &a->seg->opt, ends_are_v4(&c->ends));
    if (tstamp_is_agreed(&c->agreed))
        tstamp_start(c, a->env, a->seg->opt.ts_val);
    ack_set_window(c, a->seg);
    if (a->seg->flags & TCP_ACK)
        fastopen_on_synack(c, a->env, a->seg);
    uto_on_segment(c, a->env, a->seg);
}

/*
 * Fourth: the SYN. With our own acknowledged the connection is established; without, both
 * have opened at once [RFC9293 MUST-10], and a SYN-ACK is due.
 */
static bool check_syn(struct arrival *a)
{
    struct tcp_conn *c = a->c;

    if (!(a->seg->flags & TCP_SYN))
        return stop(a, WHY_TCP_NO_SYN);
    take_syn(a);
    if (!(a->seg->flags & TCP_ACK)) {
        ecn_on_syn(c, a->env, a->seg);
        tcp_set_state(c, a->env, TCP_SYN_RECEIVED);
        recovery_on_syn(c);
        return true;
    }
    ecn_on_synack(c, a->seg);
    ack_take_handshake(c, a->env, a->seg);
    tcp_established(c, a->env);
    timers_on_received(c, a->env);
    c->work->ack_owed = true;
    if (c->fastopen == WEIR_FASTOPEN_TAKEN && sendq_unsent(c) > 0)
        c->work->is_interactive = true; /* from the beginning our text has carried our ACKs */
    return false;
}

/* Text and FIN that came with the SYN-ACK go through the list of the established states. */
static bool take_rest(struct arrival *a)
{
    if (a->seg->len == 0 && !(a->seg->flags & (TCP_FIN | TCP_URG)))
        return false;
    tcp_seg_cut_syn(a->seg, a->c->agreed.snd_wscale);
    if (HAS_STATISTICS)
        a->c->segs_in -= a->seg->segs; /* counted already */
    return stop(a, tcp_input(a->c, a->env, a->seg));
}

enum why synsent_input(struct tcp_conn *c, struct tcp_env *env, struct tcp_seg *seg)
{
    struct arrival a = {c, env, seg, WHY_NONE};

    (void)(check_ack(&a)    /* first  */
           || check_rst(&a) /* second */
           || check_syn(&a) /* fourth */
           || take_rest(&a));
    return a.why;
}
