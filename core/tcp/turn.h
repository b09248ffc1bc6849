/*
 * turn.h - what both ways of sending ask and note (output.c, express.c)
 */
#ifndef CORE_TCP_TURN_H
#define CORE_TCP_TURN_H

#include "base/list.h"
#include "base/ns.h"
#include "base/parts.h"
#include "base/seq.h"
#include "tcp/conn.h"
#include "tcp/rate.h"
#include "tcp/recovery.h"
#include "tcp/timers.h"
#include "tcp/window.h"
#include <stdbool.h>

/* Minshall: a short segment waits while another short one is under way [RFC9293 SHLD-7, MAY-16]. */
static inline bool turn_nagle_holds(const struct tcp_conn *c)
{
    return !c->user->nodelay && c->work->small_sent && /* off per connection [RFC9293 MUST-17] */
           seq_gt(c->work->small_end, c->snd.una);
}

static inline bool turn_is_corked(const struct tcp_conn *c)
{
    return c->user->cork || c->work->more_follows;
}

static inline void turn_restart(struct tcp_conn *c, const struct tcp_env *env)
{
    c->work->is_restarted = true;
    recovery_on_restart(c, env, ns_since(c->work->sent_at, env->now));
}

/*
 * A connection that was idle may have to start slowly again [RFC5681 4.1], once it may send at all:
 * one that finds the peer's window shut goes on being idle.
 */
static inline void turn_restart_after_idle(struct tcp_conn *c, const struct tcp_env *env)
{
    const struct tcp_work *w = c->work;

    if (tcp_flight(c) == 0 && w->sent_at != 0 && !w->is_restarted && window_usable(c) > 0)
        turn_restart(c, env);
}

static inline void turn_note_blocked(struct tcp_conn *c, const struct tcp_env *env,
                                     enum tcp_blocked by)
{
    struct tcp_work *w = c->work;

    if (!HAS_STATISTICS || w->blocked_by == by)
        return;
    if (w->blocked_by != BLOCKED_BY_NOTHING)
        w->blocked_ns[w->blocked_by] += ns_since(w->blocked_since_at, env->now);
    w->blocked_by = (uint8_t)by;
    w->blocked_since_at = env->now;
}

/*
 * A window that was used to the full may grow until more is sent, which may use less of the next: for
 * new text, before it is noted.
 */
static inline void turn_begin_round(struct tcp_conn *c)
{
    struct tcp_work *w = c->work;

    if (w->cwnd_limited && seq_geq(c->snd.una, w->cwnd_round))
        w->cwnd_limited = false;
}

/* Less than a segment is left to send, although more might be under way [BBR 4.1.2.4]. */
static inline void turn_note_app_limited(struct tcp_conn *c)
{
    if (recovery_room(c) > 0 && list_is_empty(&c->work->scoreboard.lost))
        rate_on_app_limited(c, recovery_pipe(c));
}

/* Who is to give more? */
static inline enum tcp_blocked turn_waits_for(const struct tcp_conn *c)
{
    bool lacks_room = (c->wants_writable || c->wants_acked) && tcp_flight(c) > 0;

    return lacks_room ? BLOCKED_BY_BUFFER : BLOCKED_BY_APP;
}

static inline void turn_note_all_sent(struct tcp_conn *c, const struct tcp_env *env)
{
    turn_note_blocked(c, env, turn_waits_for(c));
    turn_note_app_limited(c);
    timers_on_window_open(c);
}

/* Text that answers text at once carries its acknowledgement: the next one may wait for it. */
static inline void turn_note_interactive(struct tcp_conn *c, const struct tcp_env *env)
{
    struct tcp_work *w = c->work;

    if (!w->is_interactive && w->delack_ns != 0
        && ns_since(w->data_received_at, env->now) < w->delack_ns)
        w->is_interactive = true;
}

#endif
