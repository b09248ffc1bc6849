/*
 * express.c - the usual segment, sent in one go
 *
 * Nearly every segment of a connection that does not send in bulk carries all the text there is,
 * perhaps with the FIN, or acknowledges, and says nothing else; of one that does, nearly every one is a
 * super-segment that carries as much as may go. output.c goes through its list, segment.c asks each
 * extension what it has to say, and what was sent is noted for each kind of segment; here that is
 * asked all at once, and only what this kind leaves behind is noted. Each condition names what it
 * stands for; what fails one of them takes the long way, which knows all cases.
 * tests/lib/both_ways.c goes both ways and compares frames and connections. State: none of its own.
 */
#include "tcp/express.h"
#include "base/count.h"
#include "base/frame.h"
#include "base/hint.h"
#include "base/num.h"
#include "base/parts.h"
#include "tcp/conn.h"
#include "tcp/output.h"
#include "tcp/prr.h"
#include "tcp/recovery.h"
#include "tcp/scoreboard.h"
#include "tcp/segment.h"
#include "tcp/sendq.h"
#include "tcp/timers.h"
#include "tcp/turn.h"
#include "tcp/window.h"
#include "wire/tcp.h"

/* What there is to be sent, if it is usual. */
struct usual {
    uint32_t len; /* all the text, or as much as one super-segment carries of it */
    uint32_t mss;
    uint32_t segs; /* how many it is on the wire */
    bool has_fin;  /* which is the end */
    bool has_more; /* text is left */
};

static bool is_sequenced(const struct usual *u)
{
    return u->len > 0 || u->has_fin;
}

/*
 * Of decide()'s list in output.c, does nothing stand before new text, or between it and an ACK? Does the
 * header say nothing but where the segment stands, what it acknowledges and the time? Is nothing lost or
 * divided, or probed for? Then nothing is left behind it, too. All of that is asked at once: it is
 * mostly so.
 */
APART bool express_is_calm(const struct tcp_conn *c)
{
    const struct tcp_work *w = c->work;
    uint32_t owed = w->rst_owed | w->probe_owed | w->keepalive_owed | w->tlp.probe_owed
                    | w->recovery.syn_owed | w->sack.has_dsack | w->is_unpushed
                    | w->sendq.has_records | w->ecn.past_count | w->tlp.wants_rtt;
    uint32_t counted =
        w->dup_acks_owed | w->backoff | c->auth | c->mtu_low | c->user->pacing_max_kib;

    return (owed | counted) == 0 && w->reasm == NULL && recovery_is_calm(c)
           && w->loss_timer != LOSS_PROBE && c->ecn.mode == ECN_NONE && !c->snd_urgent
           && !c->timeout_owed;
}

/* The same, which is remembered: mostly nothing has happened since that could have changed it. */
static bool is_undisturbed(struct tcp_conn *c, const struct tcp_env *env)
{
    struct tcp_work *w = c->work;

    if (!w->is_calm)
        w->is_calm = express_is_calm(c);
    return w->is_calm && w->cc.pacing_rate == 0 && !env->config.pacing;
}

/* In the states in which text may be sent; *has_fin says whether it is followed by a FIN. */
static bool has_turn(const struct tcp_conn *c, bool *has_fin)
{
    const uint32_t open = 1u << TCP_ESTABLISHED | 1u << TCP_CLOSE_WAIT;
    const uint32_t closing = 1u << TCP_FIN_WAIT_1 | 1u << TCP_LAST_ACK;
    uint32_t state = 1u << c->state;

    *has_fin = (state & closing) != 0;
    return (state & (open | closing)) != 0;
}

/* May the FIN, or a short segment that is the last, not go yet? */
static bool has_to_wait(const struct tcp_conn *c, const struct usual *u)
{
    return u->len < u->mss && !u->has_fin && (turn_is_corked(c) || turn_nagle_holds(c));
}

/*
 * Does nothing hold back or divide all the text there is, and the FIN? As new_text() has it. Behind a FIN
 * that was sent already there is less than nothing, which is too long.
 */
static bool all_may_go(struct tcp_conn *c, const struct tcp_env *env, const struct usual *u)
{
    const struct tcp_work *w = c->work;
    uint32_t flight = tcp_flight(c);

    if (u->len > u->mss || has_to_wait(c, u) || scoreboard_is_full(c))
        return false;
    if (flight > c->snd.wnd || u->len + u->has_fin > c->snd.wnd - flight)
        return false;
    if (flight == 0 && w->sent_at != 0 && !w->is_restarted) /* turn_restart_after_idle() */
        turn_restart(c, env);
    return u->len == 0
           || u->len + w->scoreboard.in_flight_bytes <= w->cc.cwnd; /* recovery_room() */
}

/* Is there room to remember that it was sent? Mostly that of what was sent before. */
static bool has_record(struct tcp_conn *c, struct tcp_env *env)
{
    const struct scoreboard *b = &c->work->scoreboard;

    return (b->spare != NULL && b->count < b->capacity) || scoreboard_reserve(c, env);
}

/* One frame, of which the text is one slice. NULL: it is not, or there is no memory. */
static struct frame *begin(struct tcp_conn *c, struct tcp_env *env, const struct usual *u)
{
    struct frame *frame;

    if (u->len > 0 && !sendq_is_in_tail(c, u->len))
        return NULL;
    if (is_sequenced(u) && !has_record(c, env))
        return NULL;
    frame = frame_get_headed(env->frames, tcp_plain_len(c->agreed.timestamps_ok));
    if (frame != NULL && USUALLY(u->len > 0))
        sendq_refer_tail(c, u->len, frame);
    return frame;
}

/* The header, in front of the text. */
static void finish(struct tcp_conn *c, const struct tcp_env *env, const struct usual *u,
                   struct frame *frame, bool has_offload)
{
    uint16_t flags = TCP_ACK | (u->len > 0 ? TCP_PSH : 0) | (u->has_fin ? TCP_FIN : 0);
    uint64_t sum = segment_fill_plain(c, env, c->snd.nxt, flags, frame);

    if (has_offload)
        segment_leave_checksum(c, frame);
    else
        frame_set_checksum(frame, TCP_CHECKSUM_AT, sum, env->checksum);
}

/* What any segment with an ACK leaves behind: note_sent() and note_ack_sent(). */
static void note_sent(struct tcp_conn *c, struct tcp_env *env, uint32_t segs)
{
    struct tcp_work *w = c->work;

    count_add32(&c->segs_out, segs);
    count_add(&env->counts.segs_out, segs);
    w->ack_owed = false;
    w->rcv_unacked = 0;
    if (w->quick_acks > 0)
        w->quick_acks--;
    timers_on_ack_sent(c);
}

/* What new text does: note_text_sent(). */
static void note_text_sent(struct tcp_conn *c, struct tcp_env *env, const struct usual *u)
{
    struct tcp_work *w = c->work;

    count_add32(&w->data_segs_out, u->segs);
    count_add(&w->bytes_sent, u->len);
    if (c->wants_writable)
        sendq_wake(c);
    turn_note_interactive(c, env);
    if (u->len < u->mss * u->segs && !w->is_syn_text_next) {
        w->small_sent = true;
        w->small_end = sendq_end(c); /* what is short is the end */
    }
    w->is_syn_text_next = false;
}

/* turn_note_app_limited(): nothing is lost. */
static void note_app_limited(struct tcp_conn *c)
{
    const struct tcp_work *w = c->work;

    if (w->cc.cwnd > w->scoreboard.in_flight_bytes)
        rate_on_app_limited(c, w->scoreboard.in_flight_bytes);
}

/* What text and FIN do, which take numbers: note_sequenced(), recovery_on_sent() and end_turn(). */
static void note_sequenced(struct tcp_conn *c, struct tcp_env *env, const struct usual *u)
{
    struct tcp_work *w = c->work;
    seq_t start = c->snd.nxt;

    c->snd.nxt = seq_add(start, u->len + u->has_fin);
    turn_begin_round(c);
    scoreboard_on_sent(c, env, start, c->snd.nxt, u->segs);
    prr_on_sent(c, u->len + u->has_fin);
    w->sent_at = env->now;
    w->is_restarted = false;
    w->push_all = w->push_all && u->has_more;
    if (USUALLY(u->len > 0))
        note_text_sent(c, env, u);
    timers_on_sent_calmly(c, env);
    timers_on_not_held_back(c);
    if (u->has_fin || u->has_more) {
        turn_note_blocked(c, env, BLOCKED_BY_NOTHING);
        return;
    }
    turn_note_blocked(c, env, turn_waits_for(c)); /* as before it: not at all in between */
    note_app_limited(c);
}

/* What an acknowledgement does: new_text(), which finds nothing, and end_turn(). */
static void note_acknowledged(struct tcp_conn *c, struct tcp_env *env)
{
    turn_note_all_sent(c, env);
    if (tcp_can_rest(c))
        timers_on_quiet(c, env);
}

bool express_note_silence(struct tcp_conn *c, struct tcp_env *env)
{
    bool has_fin_acked = c->state == TCP_FIN_WAIT_2;

    if (!express_is_silent(c) || !is_undisturbed(c, env)
        || !(has_fin_acked || seq_eq(c->snd.nxt, sendq_end(c))))
        return false;
    if (!has_fin_acked)
        turn_note_all_sent(c, env);
    if (tcp_can_rest(c))
        timers_on_quiet(c, env);
    return true;
}

/* Not a part of who calls it, so that the compiler can make all that it calls a part of it. */
APART WHOLE struct frame *express_output(struct tcp_conn *c, struct tcp_env *env, bool has_offload)
{
    struct usual u = {.segs = 1, .has_more = false};
    struct frame *frame;

    if (!HAS_PREDICTION || c->work == NULL)
        return NULL;
    if (!has_turn(c, &u.has_fin) || !is_undisturbed(c, env))
        return c->state == TCP_SYN_SENT ? express_syn(c, env) : NULL;
    u.len = seq_len(c->snd.nxt, sendq_end(c));
    u.mss = c->work->cc.mss;
    if (USUALLY(is_sequenced(&u)) ? !all_may_go(c, env, &u) : !c->work->ack_owed)
        return NULL;
    frame = begin(c, env, &u);
    if (frame == NULL)
        return NULL;
    finish(c, env, &u, frame, has_offload);
    note_sent(c, env, u.segs);
    if (USUALLY(is_sequenced(&u)))
        note_sequenced(c, env, &u);
    else
        note_acknowledged(c, env);
    return frame;
}

/* ---- in bulk ---- */

/*
 * How much of len bytes, which is all there is, goes in one segment of at most most, a whole number of
 * segments: as worth_sending() has it. What does not have to wait is sent to the end.
 */
static uint32_t super_len(const struct tcp_conn *c, uint32_t len, uint32_t most, uint32_t mss)
{
    uint32_t may = u32_min(len, u32_min(window_usable(c), recovery_room(c)));

    if (may > most)
        return most;
    if (may == len && (c->work->push_all || !(turn_is_corked(c) || turn_nagle_holds(c))))
        return len;
    return may - may % mss;
}

/* One frame, which may refer to several pieces of the queue. NULL: not to so many, or there is no memory. */
static struct frame *begin_super(struct tcp_conn *c, struct tcp_env *env, const struct usual *u)
{
    struct frame *frame;

    if (sendq_reach(c, c->snd.nxt, u->len) < u->len || !has_record(c, env))
        return NULL;
    frame = frame_get_headed(env->frames, tcp_plain_len(c->agreed.timestamps_ok));
    if (frame != NULL)
        sendq_refer(c, c->snd.nxt, u->len, frame);
    return frame;
}

/* The header, and what is to be known to cut it. Behind what is not all there is no PSH: text_flags(). */
static void finish_super(struct tcp_conn *c, const struct tcp_env *env, const struct usual *u,
                         struct frame *frame)
{
    uint16_t flags = TCP_ACK | (u->has_more ? 0 : TCP_PSH);

    (void)segment_fill_plain(c, env, c->snd.nxt, flags, frame);
    segment_leave_checksum(c, frame);
    if (u->len > u->mss)
        segment_set_gso(c, frame, u->mss);
}

/* Is there text, and may it be sent as the segment that is next and nothing else? */
static bool has_bulk(struct tcp_conn *c, const struct tcp_env *env, uint32_t len)
{
    bool has_fin;

    return has_turn(c, &has_fin) && !has_fin && len > 0 && len <= INT32_MAX
           && is_undisturbed(c, env) && !scoreboard_is_full(c);
}

APART WHOLE struct frame *express_super(struct tcp_conn *c, struct tcp_env *env, uint32_t gso_bytes,
                                        struct tcp_turn *turn)
{
    struct usual u = {.has_fin = false};
    struct frame *frame;
    uint32_t queued;

    if (!HAS_PREDICTION || !HAS_SUPER_SEGMENTS || c->work == NULL)
        return NULL;
    u.mss = c->work->cc.mss;
    queued = seq_len(c->snd.nxt, sendq_end(c));
    if (gso_bytes <= u.mss || !has_bulk(c, env, queued))
        return NULL;
    turn_restart_after_idle(c, env);
    u.len = super_len(c, queued, gso_bytes - gso_bytes % u.mss, u.mss);
    if (u.len == 0)
        return NULL;
    u.segs = (u.len + u.mss - 1) / u.mss;
    u.has_more = u.len < queued;
    frame = begin_super(c, env, &u);
    if (frame == NULL)
        return NULL;
    finish_super(c, env, &u, frame);
    note_sent(c, env, u.segs);
    note_sequenced(c, env, &u);
    turn->has_more = u.has_more;
    return frame;
}
