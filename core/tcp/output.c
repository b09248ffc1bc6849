/*
 * output.c - the one place that decides what a connection sends
 *
 * Input, timers and the application leave what is owed in the connection; here it is looked
 * at in the order of a list, and the first item that wants to be sent is:
 *
 *   a reset, a probe at the tail, what was lost, new text and the FIN, a zero-window probe, a
 *   keep-alive probe, an acknowledgement
 *
 * New text waits for a window worth sending into, which is Nagle's algorithm [RFC9293
 * 3.7.4] in Minshall's variant and the sender's half of silly-window avoidance [RFC9293
 * 3.8.6.2.1]. State: snd.nxt, what is owed, and the marks that sending leaves.
 */
#include "tcp/output.h"
#include "base/check.h"
#include "base/count.h"
#include "base/frame.h"
#include "base/num.h"
#include "base/parts.h"
#include "tcp/conn.h"
#include "tcp/ecn.h"
#include "tcp/fastopen.h"
#include "tcp/mtu_probe.h"
#include "tcp/options.h"
#include "tcp/pace.h"
#include "tcp/rate.h"
#include "tcp/recovery.h"
#include "tcp/sack.h"
#include "tcp/scoreboard.h"
#include "tcp/segment.h"
#include "tcp/sendq.h"
#include "tcp/timers.h"
#include "tcp/tlp.h"
#include "tcp/turn.h"
#include "tcp/window.h"
#include "wire/tcp.h"

static bool may_send_text(const struct tcp_conn *c)
{
    switch ((enum tcp_state)c->state) {
    case TCP_ESTABLISHED:
    case TCP_CLOSE_WAIT:
    case TCP_FIN_WAIT_1:
    case TCP_CLOSING:
    case TCP_LAST_ACK: return true;
    case TCP_SYN_RECEIVED: /* [RFC7413 4.2] */
        return c->fastopen == WEIR_FASTOPEN_ACCEPTED || c->fastopen == WEIR_FASTOPEN_OPENED;
    case TCP_CLOSED:
    case TCP_LISTEN:
    case TCP_SYN_SENT:
    case TCP_FIN_WAIT_2:
    case TCP_TIME_WAIT: return false;
    }
    return false;
}

/* Is this the end of what goes together, as far as the application has said? */
static bool ends_write(struct tcp_conn *c, seq_t seq, uint32_t len)
{
    if (seq_eq(seq_add(seq, len), sendq_end(c)))
        return !c->work->is_unpushed || c->fin_queued;
    return sendq_record(c, seq, len + 1) == len;
}

/*
 * PSH on the last segment of what the application has given [RFC9293 MUST-60, MUST-61]: of several
 * writes that are sent together only the last is pushed [RFC9293 SHLD-27].
 */
static uint16_t text_flags(struct tcp_conn *c, seq_t seq, uint32_t len)
{
    uint16_t flags = TCP_ACK;
    bool is_end = seq_eq(seq_add(seq, len), sendq_end(c));

    if (len > 0 && ends_write(c, seq, len))
        flags |= TCP_PSH;
    if (is_end && c->fin_queued)
        flags |= TCP_FIN;
    return flags;
}

static bool reset(const struct tcp_conn *c, struct segment *s)
{
    if (!c->work->rst_owed)
        return false;
    if (c->work->rst_answers)
        *s = (struct segment){.seq = c->work->rst_seq, .flags = TCP_RST};
    else
        *s = (struct segment){.seq = c->snd.nxt, .flags = TCP_RST | TCP_ACK};
    return true;
}

static bool lost_syn(const struct tcp_conn *c, const struct tcp_env *env, struct segment *s)
{
    if (c->state == TCP_SYN_SENT)
        *s = (struct segment){.seq = c->snd.iss, .len = fastopen_syn_len(c, env), .flags = TCP_SYN};
    else
        *s = (struct segment){.seq = c->snd.iss, .flags = TCP_SYN | TCP_ACK};
    s->is_resent = seq_gt(c->snd.nxt, c->snd.iss);
    return true;
}

/*
 * How much of old text goes again: what the window takes, even if it has shrunk; with a window of
 * zero one segment, in the place of a probe [RFC9293 SHLD-16, SHLD-17, MUST-35].
 */
static uint32_t resendable(const struct tcp_conn *c, seq_t seq, uint32_t len)
{
    uint32_t before = seq_len(c->snd.una, seq);

    if (before == 0 && c->snd.wnd == 0)
        return len;
    return before < c->snd.wnd ? u32_min(len, c->snd.wnd - before) : 0;
}

/* Whole segments of what may go, as many as fit into most bytes, or one. */
static uint32_t whole_segs(uint32_t may, uint32_t most, uint32_t mss)
{
    uint32_t len = u32_min(may, most);

    return len > mss ? len - len % mss : mss;
}

/* len bytes (or a FIN) from seq on, which had been sent before. */
static void resend(struct tcp_conn *c, seq_t seq, uint32_t len, struct segment *s)
{
    uint32_t text_left = seq_len(seq, seq_min(sendq_end(c), c->snd.nxt));

    len = sendq_record(c, seq, u32_min(len, text_left));
    *s = (struct segment){.seq = seq, .len = len, .flags = text_flags(c, seq, len)};
    if (!tcp_fin_sent(c))
        s->flags &= (uint16_t)~TCP_FIN;
    s->is_resent = true;
}

/* How much may go now as far as pacing has a say; if nothing, there will be another turn. */
static uint32_t paced_room(struct tcp_conn *c, struct tcp_env *env)
{
    uint32_t room = pace_room(c, env);

    if (room == 0) {
        turn_note_blocked(c, env, BLOCKED_BY_PACING);
        timers_on_paced(c);
    }
    return room;
}

static bool lost(struct tcp_conn *c, struct tcp_env *env, uint32_t mss, uint32_t most,
                 struct segment *s)
{
    seq_t seq;
    uint32_t len = recovery_next(c, &seq), paced;

    if (len == 0)
        return false;
    if (!tcp_is_synchronized(c))
        return lost_syn(c, env, s);
    len = u32_min(len, whole_segs(recovery_room(c), most, mss));
    len = resendable(c, seq, len);
    if (len == 0)
        return false;
    paced = paced_room(c, env);
    if (paced == 0)
        return false;
    resend(c, seq, u32_min(len, whole_segs(paced, most, mss)), s);
    return true;
}

/* May a short segment with these bytes go now? It has all there is, or all of a record. */
static bool short_may_go(const struct tcp_conn *c, uint32_t len)
{
    if (c->work->push_all || c->fin_queued)
        return true;
    if (seq_lt(seq_add(c->snd.nxt, len), sendq_end(c)))
        return true; /* nothing will ever be added to it */
    return !turn_is_corked(c) && !turn_nagle_holds(c);
}

/*
 * How much of what could be sent is worth sending: whole segments [RFC9293 SHLD-28], a short
 * one at the end, or into a small window half of the largest it ever was [RFC9293 MUST-38].
 */
static uint32_t worth_sending(const struct tcp_conn *c, uint32_t queued, uint32_t may, uint32_t mss)
{
    uint32_t len = u32_min(queued, may);
    uint32_t whole = len - len % mss;

    if (len == queued)
        return len == whole || short_may_go(c, len) ? len : whole;
    if (whole > 0)
        return whole;
    return len >= c->snd.wnd_max / 2 || c->work->push_all ? len : 0;
}

/* Who could free what waits; where both windows are full it is ours that Linux names. */
static enum tcp_blocked window_that_blocks(const struct tcp_conn *c, uint32_t least)
{
    return recovery_room(c) < least && tcp_flight(c) > 0 ? BLOCKED_BY_CWND : BLOCKED_BY_PEER;
}

/* Something waits and cannot go: who can free it, and does anybody wake us? */
static void note_waiting(struct tcp_conn *c, struct tcp_env *env, uint32_t queued, uint32_t mss)
{
    uint32_t usable = window_usable(c);

    if (usable < u32_min(mss, queued)) {
        turn_note_blocked(c, env, window_that_blocks(c, u32_min(mss, queued)));
        if (tcp_flight(c) == 0 && usable == 0)
            timers_on_window_shut(c, env);
        else if (tcp_flight(c) == 0)
            timers_on_held_back(c, env);
    } else if (recovery_room(c) < u32_min(mss, queued)) {
        turn_note_blocked(c, env, BLOCKED_BY_CWND);
        c->work->cwnd_limited = true;
        c->work->cwnd_round = c->snd.nxt;
    } else if (turn_is_corked(c)) {
        timers_on_held_back(c, env);
    }
}

static bool new_text(struct tcp_conn *c, struct tcp_env *env, uint32_t mss, uint32_t most,
                     struct segment *s)
{
    uint32_t queued, may, len, paced;
    bool fin_waits = c->fin_queued && !tcp_fin_sent(c), fin_may_go;

    if (!may_send_text(c) || tcp_fin_sent(c))
        return false;
    queued = sendq_record(c, c->snd.nxt, seq_len(c->snd.nxt, sendq_end(c)));
    if (queued == 0 && !fin_waits) {
        turn_note_all_sent(c, env);
        return false;
    }
    turn_restart_after_idle(c, env);
    if (window_usable(c) > 0)
        timers_on_window_open(c);
    may = scoreboard_is_full(c) ? 0 : u32_min(window_usable(c), recovery_room(c));
    fin_may_go = queued == 0 && window_usable(c) > 0 && !scoreboard_is_full(c);
    len = worth_sending(c, queued, may, mss);
    if (len > most)
        len = most - most % mss;
    if (len == 0 && !fin_may_go) {
        if (queued < mss)
            turn_note_app_limited(c);
        note_waiting(c, env, queued + fin_waits, mss);
        return false;
    }
    paced = paced_room(c, env);
    if (paced == 0)
        return false;
    len = u32_min(len, whole_segs(paced, most, mss));
    *s = (struct segment){.seq = c->snd.nxt, .len = len, .flags = text_flags(c, c->snd.nxt, len)};
    if (len == window_usable(c))
        s->flags &= (uint16_t)~TCP_FIN; /* it takes a number, too */
    return true;
}

/* A segment longer than any that has been seen to pass [RFC4821 7]. */
static bool mtu_probe(struct tcp_conn *c, struct tcp_env *env, uint32_t mss, struct segment *s)
{
    bool may_send = may_send_text(c) && !tcp_fin_sent(c) && !scoreboard_is_full(c);
    uint32_t len = may_send ? mtu_probe_len(c, env, mss) : 0;

    if (len == 0 || pace_room(c, env) == 0 || sendq_reach(c, c->snd.nxt, len) < len
        || sendq_record(c, c->snd.nxt, len) < len)
        return false;
    *s = (struct segment){.seq = c->snd.nxt, .len = len, .flags = TCP_ACK, .is_mtu_probe = true};
    return true;
}

/* The last segment before end, which reaches no further back than len bytes. */
static uint32_t last_segment(struct tcp_conn *c, seq_t end, uint32_t len)
{
    uint32_t text = u32_min(len, seq_len(seq_sub(end, len), seq_min(end, sendq_end(c))));
    uint32_t record = sendq_record(c, seq_sub(end, len), text);

    while (record < text) {
        len -= record;
        text -= record;
        record = sendq_record(c, seq_sub(end, len), text);
    }
    return len;
}

/*
 * New data if there is some and the window takes it, whatever the congestion window says, else
 * the last segment again [RFC8985 7.3].
 */
static bool tail_probe(struct tcp_conn *c, uint32_t mss, struct segment *s)
{
    uint32_t queued = tcp_fin_sent(c) || scoreboard_is_full(c)
                          ? 0
                          : sendq_record(c, c->snd.nxt, seq_len(c->snd.nxt, sendq_end(c)));
    uint32_t len = u32_min(u32_min(queued, mss), window_usable(c));
    const struct sent *last = scoreboard_last_unacked(c);

    if (!c->work->tlp.probe_owed || last == NULL)
        return false;
    if (len > 0 && (len == mss || len == queued)) {
        *s = (struct segment){
            .seq = c->snd.nxt, .len = len, .flags = text_flags(c, c->snd.nxt, len)};
        s->flags &= (uint16_t)~TCP_FIN;
    } else {
        len = last_segment(c, last->end, u32_min(seq_len(last->start, last->end), mss));
        resend(c, seq_sub(last->end, len), len, s);
    }
    s->is_tail_probe = true;
    return true;
}

/* Empty, and just before what the peer expects, so that it answers [RFC9293 MUST-35, MUST-36]. */
static bool probe(const struct tcp_conn *c, struct segment *s)
{
    if (!c->work->probe_owed)
        return false;
    *s = (struct segment){.seq = seq_sub(c->snd.una, 1), .flags = TCP_ACK};
    return true;
}

/* The same for an idle connection, without data [RFC9293 SHLD-12]. */
static bool keepalive(const struct tcp_conn *c, struct segment *s)
{
    if (!c->work->keepalive_owed)
        return false;
    *s = (struct segment){.seq = seq_sub(c->snd.nxt, 1), .flags = TCP_ACK};
    return true;
}

/* One for all that came in a batch [RFC9293 MUST-58, MUST-59], but each duplicate counts. */
static bool acknowledgement(const struct tcp_conn *c, struct segment *s)
{
    if (!c->work->ack_owed && c->work->dup_acks_owed == 0)
        return false;
    *s = (struct segment){.seq = c->snd.nxt, .flags = TCP_ACK};
    return true;
}

/* What marks began or ended behind: nothing else may be said before it [RFC8257 3.2]. */
static bool past_acknowledgement(const struct tcp_conn *c, struct segment *s)
{
    if (c->work->ecn.past_count == 0)
        return false;
    *s = (struct segment){
        .seq = c->snd.nxt, .flags = TCP_ACK, .is_past = true, .ack = c->work->ecn.past[0].ack};
    return true;
}

static bool decide(struct tcp_conn *c, struct tcp_env *env, uint32_t mss, uint32_t most,
                   struct segment *s)
{
    if (reset(c, s))
        return true;
    if (c->state == TCP_CLOSED || c->state == TCP_TIME_WAIT)
        return false;
    if (past_acknowledgement(c, s))
        return true;
    if (ecn_wants_pure_ack(c) && acknowledgement(c, s))
        return true;
    return tail_probe(c, mss, s) || lost(c, env, mss, most, s) || mtu_probe(c, env, mss, s)
           || new_text(c, env, mss, most, s) || probe(c, s) || keepalive(c, s)
           || acknowledgement(c, s);
}

/* A segment with text is no duplicate acknowledgement to the peer [RFC5681 2]. */
static void note_ack_sent(struct tcp_conn *c, const struct segment *s)
{
    struct tcp_work *w = c->work;

    w->ack_owed = false;
    w->rcv_unacked = 0;
    if (w->dup_acks_owed > 0 && s->len == 0 && !(s->flags & (TCP_SYN | TCP_FIN)))
        w->dup_acks_owed--;
    if (w->quick_acks > 0)
        w->quick_acks--;
    sack_on_sent(c);
    timers_on_ack_sent(c);
}

/* What is longer is cut up by a device, or at the last moment. */
static uint32_t segs_of(uint32_t len, uint32_t mss)
{
    return HAS_SUPER_SEGMENTS && len > mss ? (len + mss - 1) / mss : 1;
}

static void note_text_sent(struct tcp_conn *c, struct tcp_env *env, const struct segment *s,
                           uint32_t mss)
{
    struct tcp_work *w = c->work;

    w->sent_at = env->now;
    w->is_restarted = false;
    count_add32(&w->data_segs_out, s->len == 0 ? 0 : segs_of(s->len, mss));
    count_add(&w->bytes_sent, s->len);
    if (s->is_resent)
        count_add(&w->bytes_retransmitted, s->len);
    if (s->len == 0)
        return;
    sendq_wake(c);
    turn_note_interactive(c, env);
    if (s->len % mss != 0 && !s->is_resent && !w->is_syn_text_next) {
        w->small_sent = true;
        w->small_end = seq_add(s->seq, s->len);
    }
    w->is_syn_text_next = false;
}

/* Its loss is to be told from that of its neighbours. */
static void note_mtu_probe(struct tcp_conn *c, struct tcp_env *env, seq_t start, seq_t end)
{
    scoreboard_keep_apart(c);
    recovery_on_sent(c, env, start, end, 1, false);
    scoreboard_keep_apart(c);
    mtu_probe_on_sent(c, start, end);
}

static void note_sequenced(struct tcp_conn *c, struct tcp_env *env, const struct segment *s,
                           uint32_t mss, uint32_t segs)
{
    uint32_t space = s->len + ((s->flags & (TCP_SYN | TCP_FIN)) != 0);
    seq_t end = seq_add(s->seq, space);

    if (space == 0)
        return;
    if (s->is_resent) {
        c->retransmits += segs;
        count_add(&env->counts.retransmits, segs);
    } else {
        turn_note_blocked(c, env, BLOCKED_BY_NOTHING);
    }
    if (seq_gt(end, c->snd.nxt))
        c->snd.nxt = end;
    if (s->flags & TCP_SYN)
        recovery_on_syn_sent(c, env, s->is_resent);
    else if (s->is_mtu_probe)
        note_mtu_probe(c, env, s->seq, end);
    else
        recovery_on_sent(c, env, s->seq, end, segs, s->is_resent);
    pace_on_sent(c, env, s->len);
    note_text_sent(c, env, s, mss);
    timers_on_sent(c, env, !s->is_resent);
    if (s->is_resent && seq_eq(s->seq, c->snd.una))
        timers_on_first_resent(c, env);
    if (s->is_tail_probe) {
        tlp_on_sent(c, s->is_resent);
        timers_on_tail_probe(c, env);
    }
    c->work->push_all = c->work->push_all && seq_lt(c->snd.nxt, sendq_end(c));
    timers_on_not_held_back(c);
}

static void note_sent(struct tcp_conn *c, struct tcp_env *env, const struct segment *s,
                      uint32_t mss)
{
    uint32_t segs = segs_of(s->len, mss);

    count_add32(&c->segs_out, segs);
    count_add(&env->counts.segs_out, segs);
    if (s->is_past)
        return;
    if (s->flags & TCP_ACK)
        note_ack_sent(c, s);
    c->work->probe_owed = false;
    c->work->keepalive_owed = false;
    if (s->flags & TCP_RST) {
        c->work->rst_owed = false;
        count_add(&env->counts.resets_out, 1);
        return;
    }
    if (s->flags & TCP_SYN)
        fastopen_on_syn_sent(c, s->len);
    note_sequenced(c, env, s, mss, segs);
}

/* Is there room to remember that it was sent? */
static bool has_record(struct tcp_conn *c, struct tcp_env *env, const struct segment *s)
{
    bool is_sequenced = (s->len > 0 || (s->flags & TCP_FIN)) && !(s->flags & (TCP_SYN | TCP_RST));

    return !is_sequenced || scoreboard_reserve(c, env);
}

/* Would tcp_decide() find nothing at all? Its list again, as a question. */
static bool has_said_all(const struct tcp_conn *c)
{
    const struct tcp_work *w = c->work;
    bool is_owed = w->rst_owed || w->probe_owed || w->keepalive_owed || w->ack_owed
                   || w->dup_acks_owed > 0 || w->ecn.past_count > 0 || w->tlp.probe_owed
                   || w->recovery.syn_owed;

    if (is_owed || scoreboard_first_lost(c) != NULL)
        return false;
    return tcp_fin_sent(c) || (seq_eq(c->snd.nxt, sendq_end(c)) && !c->fin_queued);
}

/* Nothing is left to be sent: until something happens, the connection needs no other turn. */
static void end_turn(struct tcp_conn *c, struct tcp_env *env)
{
    if (may_send_text(c) && !tcp_fin_sent(c))
        turn_note_all_sent(c, env);
    if (tcp_can_rest(c))
        timers_on_quiet(c, env);
}

struct frame *tcp_output(struct tcp_conn *c, struct tcp_env *env, uint32_t gso_bytes,
                         struct tcp_turn *turn)
{
    struct segment s;
    struct frame *frame;
    uint32_t mss, most;

    *turn = (struct tcp_turn){0};
    if (c->work == NULL)
        return NULL;
    tcp_disturb(c);
    mss = tcp_send_mss_now(c, env);
    most = HAS_SUPER_SEGMENTS && gso_bytes > mss && c->auth == 0 ? gso_bytes : mss;
    if (!decide(c, env, mss, most, &s)) {
        if (tcp_can_rest(c))
            timers_on_quiet(c, env);
        return NULL;
    }
    if (s.is_mtu_probe)
        mss = s.len;
    frame = has_record(c, env, &s) ? segment_build(c, env, &s, mss) : NULL;
    if (frame == NULL) {
        turn->no_memory = true;
        return NULL;
    }
    note_sent(c, env, &s, mss);
    turn->is_resent = s.is_resent;
    turn->has_more = !has_said_all(c);
    if (!turn->has_more)
        end_turn(c, env);
    return frame;
}
