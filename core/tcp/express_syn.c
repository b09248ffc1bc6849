/*
 * express_syn.c - the usual SYN, sent in one go
 *
 * What express.c is to other segments, this is to the first of a connection: nearly every SYN offers
 * the same four options, brings nothing and asks for nothing else, and nothing waits behind it. Each
 * condition names what it stands for; what fails one of them takes the long way, which knows all
 * cases. tests/lib/both_ways.c goes both ways and compares. State: none of its own.
 */
#include "base/count.h"
#include "base/frame.h"
#include "base/hint.h"
#include "tcp/conn.h"
#include "tcp/express.h"
#include "tcp/options.h"
#include "tcp/segment.h"
#include "tcp/timers.h"
#include "tcp/turn.h"
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
