/*
 * express.c - the usual segment, sent in one go
 *
 * Nearly every segment of a connection that does not send in bulk carries all the text there is,
 * or acknowledges, and says nothing else. output.c goes through its list, segment.c asks each
 * extension what it has to say, and what was sent is noted for each kind of segment; here that is
 * asked all at once, and only what this kind leaves behind is noted. Each condition names what it
 * stands for; what fails one of them takes the long way, which knows all cases.
 * tests/lib/both_ways.c goes both ways and compares frames and connections. State: none of its own.
 */
#include "tcp/express.h"
#include "base/frame.h"
#include "base/list.h"
#include "base/parts.h"
#include "tcp/conn.h"
#include "tcp/options.h"
#include "tcp/recovery.h"
#include "tcp/scoreboard.h"
#include "tcp/segment.h"
#include "tcp/sendq.h"
#include "tcp/timers.h"
#include "tcp/turn.h"
#include "tcp/window.h"
#include "wire/tcp.h"

/*
 * Of decide()'s list in output.c, does nothing stand before new text, or between it and an ACK? Nor is
 * anything left behind it.
 */
static bool is_undisturbed(const struct tcp_conn *c)
{
    const struct tcp_work *w = c->work;
    bool is_owed = w->rst_owed || w->ecn.past_count > 0 || c->accecn.owes_handshake_ack
                   || w->tlp.probe_owed || w->recovery.syn_owed || w->probe_owed
                   || w->keepalive_owed || w->dup_acks_owed > 0;

    return (c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT) && !is_owed
           && list_is_empty(&w->scoreboard.lost) && c->mtu_low == 0 && w->loss_timer != LOSS_PROBE;
}

/* How much text a segment may have: tcp_send_mss_now(), where no option takes room but timestamps. */
static uint32_t plain_mss(const struct tcp_conn *c, const struct tcp_env *env)
{
    return options_text_max(c, env, c->pmtu, c->agreed.timestamps_ok ? TCP_TIMESTAMPS_LEN : 0);
}

/* Does nothing hold back or divide the len bytes that are all there is? As new_text() has it. */
static bool all_may_go(struct tcp_conn *c, const struct tcp_env *env, uint32_t len, uint32_t mss)
{
    const struct tcp_work *w = c->work;
    bool is_paced = env->config.pacing || w->cc.pacing_rate != 0 || c->user->pacing_max_kib != 0;

    if (len > mss || w->is_unpushed || w->sendq.has_records || is_paced || scoreboard_is_full(c))
        return false;
    if (len < mss && (turn_is_corked(c) || turn_nagle_holds(c)))
        return false;
    if (len > window_usable(c))
        return false;
    turn_restart_after_idle(c, env);
    return len <= recovery_room(c);
}

/* Is there room to remember that it was sent? Mostly that of what was sent before. */
static bool has_record(struct tcp_conn *c, struct tcp_env *env)
{
    const struct scoreboard *b = &c->work->scoreboard;

    return (b->spare != NULL && b->count < b->capacity) || scoreboard_reserve(c, env);
}

/* One frame, of which the text is one slice. NULL: it is not, or there is no memory. */
static struct frame *begin(struct tcp_conn *c, struct tcp_env *env, uint32_t len)
{
    struct frame *frame;

    if (len > 0 && (!sendq_is_in_tail(c, len) || !has_record(c, env)))
        return NULL;
    frame = frame_get(env->frames);
    if (frame != NULL && len > 0)
        sendq_refer_tail(c, len, frame);
    return frame;
}

/* The header, in front of the text. */
static void finish(struct tcp_conn *c, const struct tcp_env *env, uint32_t len, struct frame *frame,
                   bool has_offload)
{
    uint16_t flags = TCP_ACK | (len > 0 ? TCP_PSH : 0);
    uint64_t sum = segment_push_plain(c, env, c->snd.nxt, flags, frame);

    if (has_offload)
        frame_need_checksum(frame, TCP_CHECKSUM_AT);
    else
        frame_set_checksum(frame, TCP_CHECKSUM_AT, sum, env->checksum);
}

/* What any segment with an ACK leaves behind: note_sent() and note_ack_sent(). */
static void note_sent(struct tcp_conn *c, struct tcp_env *env)
{
    struct tcp_work *w = c->work;

    c->segs_out++;
    env->counts.segs_out++;
    w->ack_owed = false;
    w->rcv_unacked = 0;
    if (w->quick_acks > 0)
        w->quick_acks--;
    timers_on_ack_sent(c);
}

/* What new text does besides: note_sequenced(), note_text_sent() and end_turn(). */
static void note_text_sent(struct tcp_conn *c, struct tcp_env *env, uint32_t len, uint32_t mss)
{
    struct tcp_work *w = c->work;
    seq_t start = c->snd.nxt, end = seq_add(start, len);

    c->snd.nxt = end;
    recovery_on_sent(c, env, start, end, 1, false);
    w->sent_at = env->now;
    w->is_restarted = false;
    w->data_segs_out++;
    w->bytes_sent += len;
    if (c->wants_writable)
        sendq_wake(c);
    turn_note_interactive(c, env);
    if (len < mss && !w->is_syn_text_next) {
        w->small_sent = true;
        w->small_end = end;
    }
    w->is_syn_text_next = false;
    w->push_all = false;
    timers_on_sent(c, env, true);
    timers_on_not_held_back(c);
    turn_note_blocked_anew(c, env, turn_waits_for(c));
    turn_note_app_limited(c);
}

/* What an acknowledgement does: new_text(), which finds nothing, and end_turn(). */
static void note_acknowledged(struct tcp_conn *c, struct tcp_env *env)
{
    turn_note_all_sent(c, env);
    if (tcp_can_rest(c))
        timers_on_quiet(c, env);
}

/* Not a part of who calls it, so that the compiler can make all that it calls a part of it. */
__attribute__((noinline)) struct frame *express_output(struct tcp_conn *c, struct tcp_env *env,
                                                       bool has_offload)
{
    uint32_t len, mss;
    struct frame *frame;

    if (!HAS_PREDICTION || c->work == NULL || !is_undisturbed(c) || !segment_is_plain(c))
        return NULL;
    len = seq_len(c->snd.nxt, sendq_end(c));
    mss = len > 0 ? plain_mss(c, env) : 0;
    if (len > 0 ? !all_may_go(c, env, len, mss) : !c->work->ack_owed)
        return NULL;
    frame = begin(c, env, len);
    if (frame == NULL)
        return NULL;
    finish(c, env, len, frame, has_offload);
    note_sent(c, env);
    if (len > 0)
        note_text_sent(c, env, len, mss);
    else
        note_acknowledged(c, env);
    return frame;
}
