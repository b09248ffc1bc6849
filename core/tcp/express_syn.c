/*
 * express_syn.c - the usual SYN, sent in one go, and its usual answer, taken in in one go
 *
 * What express.c is to other segments, this is to the first of a connection: nearly every SYN offers
 * the same four options, brings nothing and asks for nothing else, and nothing waits behind it; and
 * nearly every SYN-ACK grants them all. Each condition names what it stands for; what fails one of
 * them takes the long way, which knows all cases. tests/lib/both_ways.c goes both ways and compares.
 * State: none of its own.
 */
#include "base/count.h"
#include "base/frame.h"
#include "base/hint.h"
#include "tcp/ack.h"
#include "tcp/conn.h"
#include "tcp/ecn.h"
#include "tcp/express.h"
#include "tcp/express_in.h"
#include "tcp/mtu_probe.h"
#include "tcp/options.h"
#include "tcp/recovery.h"
#include "tcp/seg.h"
#include "tcp/segment.h"
#include "tcp/timers.h"
#include "tcp/tstamp.h"
#include "tcp/turn.h"
#include "tcp/uto.h"
#include "tcp/window.h"
#include "wire/tcp.h"

/* It is owed, and goes for the first time. */
static bool is_first(const struct tcp_conn *c)
{
    return c->work->recovery.syn_owed && seq_eq(c->snd.nxt, c->snd.iss);
}

/* No digest, Fast Open, ECN or user timeout beside the usual options. */
static bool is_plain(const struct tcp_conn *c)
{
    const struct tcp_user *user = c->user;

    return options_are_usual(&c->agreed) && c->auth == 0 && c->ecn.asked == ECN_NONE
           && !user->fastopen && user->advertised_timeout == 0;
}

/* Nothing is left to be sent behind it, and nothing is paced. */
static bool is_all(const struct tcp_conn *c, const struct tcp_env *env)
{
    return c->work->sendq.bytes == 0 && !c->fin_queued && !env->config.pacing
           && c->user->pacing_max_kib == 0;
}

static struct frame *build(struct tcp_conn *c, struct tcp_env *env)
{
    struct tcp_tuple tuple = ends_tuple(&c->ends, env);
    struct usual_syn syn = {
        .tuple = &tuple,
        .offers = &c->agreed,
        .seq = c->snd.iss,
        .flags = TCP_SYN,
        .window = window_announce(c, true),
        .ts_val = tstamp_clock(env->now, c->ts.offset),
        .ts_ecr = c->ts.recent,
    };

    return segment_build_usual_syn(env, &syn);
}

/* note_sent(), note_sequenced() and note_text_sent() of output.c, for a SYN without text. */
static void note_sent(struct tcp_conn *c, struct tcp_env *env)
{
    struct tcp_work *w = c->work;

    count_add32(&c->segs_out, 1);
    count_add(&env->counts.segs_out, 1);
    turn_note_blocked(c, env, BLOCKED_BY_NOTHING);
    c->snd.nxt = seq_add(c->snd.iss, 1);
    recovery_on_syn_sent(c, env, false);
    w->sent_at = env->now;
    w->is_restarted = false;
    w->push_all = false;
    timers_on_sent(c, env, true);
    timers_on_not_held_back(c);
}

/* Not a part of who sends all the others. */
APART struct frame *express_syn(struct tcp_conn *c, struct tcp_env *env)
{
    struct frame *frame;

    if (!HAS_PREDICTION || !is_first(c) || !is_plain(c) || !is_all(c, env))
        return NULL;
    frame = build(c, env);
    if (frame != NULL)
        note_sent(c, env);
    return frame;
}

/* ---- its answer ---- */

/* Second and fifth: the SYN and what acknowledges ours, and of options all that ours has. */
static bool is_plain_answer(const struct tcp_conn *c, const struct tcp_seg *seg)
{
    return seg->flags == (TCP_SYN | TCP_ACK) && seg->len == 0 && seg->opt.present == TCP_USUAL_SYN
           && is_plain(c);
}

/* First: nothing was sent but our SYN, once, and it is what is acknowledged. */
static bool is_of_first(const struct tcp_conn *c, const struct tcp_env *env,
                        const struct tcp_seg *seg)
{
    const struct tcp_work *w = c->work;

    return seq_eq(seg->ack, c->snd.nxt) && tcp_flight(c) == 1 && w->syn_sent_at != 0
           && !w->recovery.syn_owed && !w->recovery.syn_was_lost
           && c->fastopen == WEIR_FASTOPEN_NONE && tstamp_may_echo(c, env, seg);
}

/* Nobody waits for room, has written, or has closed already. */
static bool is_awaited_by_none(const struct tcp_conn *c)
{
    return c->work->sendq.bytes == 0 && !c->fin_queued && !c->wants_writable && !c->wants_acked
           && !c->snd_urgent;
}

/* Fourth: take_syn() of synsent.c. */
static void take_syn(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg)
{
    c->rcv.irs = seg->seq;
    c->rcv.nxt = seq_add(seg->seq, 1);
    c->rcv.acked = c->rcv.nxt;
    options_agree_on_all(env, &c->agreed, &seg->opt);
    tstamp_start(c, env, seg->opt.ts_val);
    ack_set_window(c, seg);
}

/* tcp_established(), when the SYN has not been lost. */
static void establish(struct tcp_conn *c, struct tcp_env *env)
{
    tcp_set_state(c, env, TCP_ESTABLISHED);
    uto_on_news(c);
    ecn_on_established(c);
    mtu_probe_on_established(c, env);
    recovery_on_established_at_once(c, env);
    timers_on_keepalive(c, env);
    c->work->data_received_at = env->now;
    c->events |= WEIR_EVENT_CONNECTED | WEIR_EVENT_WRITABLE;
}

APART bool express_synack(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg)
{
    if (!HAS_PREDICTION || c->state != TCP_SYN_SENT || !is_plain_answer(c, seg)
        || !is_of_first(c, env, seg) || !is_awaited_by_none(c))
        return false;
    count_add32(&c->segs_in, seg->segs);
    take_syn(c, env, seg);
    ack_take_syn(c, env, seg->ack);
    establish(c, env);
    timers_on_received(c, env);
    c->work->ack_owed = true;
    return true;
}
