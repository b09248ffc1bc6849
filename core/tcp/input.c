/*
 * input.c - SEGMENT ARRIVES, in the states in which a connection is known to both ends
 *
 * The list of RFC 9293 3.10.7.4, in its order: a step returns true when the segment goes no
 * further, having said why. What extensions add stands before the list. State: rcv.nxt,
 * RCV.UP, and what is owed to the peer.
 */
#include "tcp/input.h"
#include "base/check.h"
#include "base/count.h"
#include "base/hint.h"
#include "base/num.h"
#include "tcp/ack.h"
#include "tcp/conn.h"
#include "tcp/ecn.h"
#include "tcp/express_in.h"
#include "tcp/mtu_probe.h"
#include "tcp/predict.h"
#include "tcp/reasm.h"
#include "tcp/recovery.h"
#include "tcp/recvq.h"
#include "tcp/rtt.h"
#include "tcp/seg.h"
#include "tcp/synsent.h"
#include "tcp/taken.h"
#include "tcp/timers.h"
#include "tcp/tstamp.h"
#include "tcp/tune.h"
#include "tcp/uto.h"
#include "tcp/window.h"

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

/* The budget varies a little, so that nobody can count the ACKs that others have caused. */
void tcp_challenge(struct tcp_conn *c, struct tcp_env *env)
{
    struct tcp_work *w = c->work;
    ns_t second_at = env->now - env->now % NS_S;
    uint32_t budget = env->config.challenge_acks_per_s;

    if (second_at != w->challenge_at) {
        uint32_t tokens = budget / 2 + rng_below(&env->rng, budget / 2 + 1);
        w->challenge_at = second_at;
        w->challenge_tokens = tokens < UINT8_MAX ? tokens + 1 : UINT8_MAX;
    }
    if (w->challenge_tokens == 0)
        return;
    w->challenge_tokens--;
    w->ack_owed = true;
    count_add(&env->counts.challenge_acks, 1);
}

static bool challenge(struct arrival *a)
{
    tcp_challenge(a->c, a->env);
    return stop(a, WHY_TCP_CHALLENGED);
}

/* What has arrived before is said to be a duplicate; what is beyond the window is not. */
static void owe_ack_of_old(struct tcp_conn *c, const struct tcp_seg *seg)
{
    seq_t end = seq_add(seg->seq, seg->len);

    c->work->ack_owed = true;
    ecn_on_text_again(c);
    if (seq_leq(end, c->rcv.nxt) && seq_gt(seg->seq, c->rcv.irs))
        sack_on_duplicate(c, seg->seq, end);
}

/* Before the list: a timestamp from the past is no segment of now [RFC7323 5.3 R1]. */
static bool check_paws(struct arrival *a)
{
    if ((a->seg->flags & TCP_RST) || !tstamp_is_old(a->c, a->env, a->seg))
        return false;
    if (a->seg->len > 0)
        owe_ack_of_old(a->c, a->seg);
    else
        tcp_challenge(a->c, a->env);
    return stop(a, WHY_TCP_PAWS);
}

/*
 * Both ends opened at once, and the peer's SYN-ACK repeats the SYN we know: what counts is
 * its acknowledgement [RFC9293 3.5, figure 7]. It is told, as of anything that comes twice.
 */
static void drop_repeated_syn(struct arrival *a)
{
    struct tcp_seg *seg = a->seg;

    if (a->c->state != TCP_SYN_RECEIVED || !(seg->flags & TCP_SYN) || !(seg->flags & TCP_ACK)
        || !seq_eq(seg->seq, a->c->rcv.irs))
        return;
    tcp_seg_cut_syn(seg, a->c->agreed.snd_wscale);
    sack_on_duplicate(a->c, a->c->rcv.irs, seq_add(a->c->rcv.irs, 1));
    a->c->work->ack_owed = true;
}

/* The peer has not seen our SYN-ACK, which its SYN's data was worth a connection to. */
static bool check_repeated_syn(struct arrival *a)
{
    struct tcp_conn *c = a->c;

    if (c->state != TCP_SYN_RECEIVED || !c->is_passive || !seq_eq(a->seg->seq, c->rcv.irs)
        || (a->seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN)
        return false;
    recovery_on_syn(c);
    return stop(a, WHY_TCP_OLD);
}

/*
 * The four cases of the table [RFC9293 3.10.7.4, first]. An empty segment may also stand at the
 * right edge: the peer has filled our window, and its acknowledgement counts.
 */
static bool is_acceptable(const struct tcp_conn *c, const struct tcp_seg *seg)
{
    uint32_t wnd = window_remaining(c);
    uint32_t space = tcp_seg_space(seg);

    if (space == 0)
        return seq_in(seg->seq, c->rcv.nxt, wnd + 1);
    if (wnd == 0) /* nothing of it, but its ACK, URG and RST [RFC9293 MUST-66] */
        return seq_eq(seg->seq, c->rcv.nxt);
    return seq_in(seg->seq, c->rcv.nxt, wnd)
           || seq_in(seq_add(seg->seq, space - 1), c->rcv.nxt, wnd);
}

/* Cuts what we have, and what does not fit. The FIN is the last number. */
static void trim(struct tcp_conn *c, struct tcp_seg *seg)
{
    uint32_t wnd = window_remaining(c);
    uint32_t space;

    if (seq_lt(seg->seq, c->rcv.nxt)) {
        sack_on_duplicate(c, seg->seq, seq_min(seq_add(seg->seq, seg->len), c->rcv.nxt));
        tcp_seg_cut_front(seg, seq_len(seg->seq, c->rcv.nxt));
        c->work->ack_owed = true;
    }
    space = seq_len(c->rcv.nxt, seq_add(seg->seq, tcp_seg_space(seg)));
    if (space > wnd) {
        uint32_t beyond = space - wnd;
        if (seg->flags & TCP_FIN) {
            seg->flags &= (uint16_t)~TCP_FIN;
            beyond--;
        }
        tcp_seg_cut_back(seg, beyond);
        c->work->ack_owed = true;
    }
}

/* First: the sequence number. */
static bool check_sequence(struct arrival *a)
{
    struct tcp_conn *c = a->c;

    drop_repeated_syn(a);
    if (is_acceptable(c, a->seg))
        return false;
    if (a->seg->flags & TCP_RST)
        return stop(a, WHY_TCP_WINDOW);
    if (a->seg->flags & TCP_SYN) {
        ecn_on_syn_again(c, a->seg);
        return challenge(a); /* wherever it stands [RFC5961 4.2] */
    }
    if (a->seg->len > 0)
        owe_ack_of_old(c, a->seg);
    else
        tcp_challenge(c, a->env); /* two ends that disagree must not answer each other for ever */
    return stop(a, seq_lt(a->seg->seq, c->rcv.nxt) ? WHY_TCP_OLD : WHY_TCP_WINDOW);
}

static int reset_error(const struct tcp_conn *c)
{
    switch ((enum tcp_state)c->state) {
    case TCP_SYN_SENT: return WEIR_ECONNREFUSED;
    case TCP_SYN_RECEIVED: /* who was called was not refused; it may be Fast Open's and have data */
        return c->is_passive ? WEIR_ECONNRESET : WEIR_ECONNREFUSED;
    case TCP_ESTABLISHED:
    case TCP_FIN_WAIT_1:
    case TCP_FIN_WAIT_2:
    case TCP_CLOSE_WAIT: return WEIR_ECONNRESET;
    case TCP_CLOSING:
    case TCP_LAST_ACK: /* both sides had closed; what was written may not have got there */
        return c->work->sendq.bytes > 0 ? WEIR_ECONNRESET : WEIR_OK;
    case TCP_CLOSED:
    case TCP_LISTEN:
    case TCP_TIME_WAIT: return WEIR_OK;
    }
    return WEIR_OK;
}

/*
 * Second: a reset. Only the exact next number resets; anything else in the window is
 * challenged [RFC5961 3.2]. Its text is nobody's [RFC9293 SHLD-2].
 */
static bool check_rst(struct arrival *a)
{
    if (!(a->seg->flags & TCP_RST))
        return false;
    if (!seq_eq(a->seg->seq, a->c->rcv.nxt))
        return challenge(a);
    tcp_end(a->c, a->env, reset_error(a->c));
    return stop(a, WHY_TCP_RESET);
}

/* Fourth: a SYN where there cannot be one [RFC5961 4.2]. The third, security, has no successor. */
static bool check_syn(struct arrival *a)
{
    return (a->seg->flags & TCP_SYN) && challenge(a);
}

/* SYN-RECEIVED becomes ESTABLISHED, or the peer speaks of another connection. */
static bool complete_handshake(struct arrival *a)
{
    struct tcp_conn *c = a->c;

    if (!seq_gt(a->seg->ack, c->snd.una) || !seq_leq(a->seg->ack, c->snd.nxt)) {
        a->seg->wants_reset = true;
        return stop(a, WHY_TCP_BAD_ACK);
    }
    ack_set_window(c, a->seg);
    if (!c->is_passive)
        fastopen_on_acked(c, a->env, a->seg->ack);
    ack_take_handshake(c, a->env, a->seg);
    tcp_established(c, a->env);
    ecn_on_handshake_ack(c, a->env, a->seg);
    if (c->agreed.sack_ok && (a->seg->opt.present & TCP_HAS_SACK))
        ack_take(c, a->env, a->seg); /* what it says of data sent before it [RFC7413 4.2.2] */
    return false;
}

/* The application may have closed its side already. */
void tcp_established(struct tcp_conn *c, struct tcp_env *env)
{
    tcp_set_state(c, env, TCP_ESTABLISHED);
    uto_on_news(c);
    if (c->fin_queued)
        tcp_set_state(c, env, TCP_FIN_WAIT_1);
    if (recovery_syn_was_lost(c))
        rtt_on_slow_handshake(c);
    timers_on_measured(c);
    ecn_on_established(c);
    mtu_probe_on_established(c, env);
    recovery_on_established(c, env);
    ecn_on_started(c, env);
    timers_on_keepalive(c, env);
    c->work->data_received_at = env->now; /* silence begins */
    if (!c->is_passive)
        c->events |= WEIR_EVENT_CONNECTED | WEIR_EVENT_WRITABLE;
}

/* An acknowledgement from before the largest window is a guess [RFC5961 5.2] [RFC9293 MAY-12]. */
static bool check_ack_range(struct arrival *a)
{
    struct tcp_conn *c = a->c;

    if (seq_gt(a->seg->ack, c->snd.nxt)) {
        tcp_challenge(c, a->env);
        return stop(a, WHY_TCP_BAD_ACK);
    }
    if (seq_lt(a->seg->ack, seq_sub(c->snd.una, c->snd.wnd_max))) {
        tcp_challenge(c, a->env);
        return stop(a, WHY_TCP_OLD_ACK);
    }
    return false;
}

bool tcp_note_fin_acked(struct tcp_conn *c, struct tcp_env *env)
{
    if (!tcp_fin_acked(c))
        return false;
    switch ((enum tcp_state)c->state) {
    case TCP_FIN_WAIT_1:
        tcp_set_state(c, env, TCP_FIN_WAIT_2);
        timers_on_orphaned(c, env);
        if (c->user->note_sent) /* the end was sent, too */
            c->events |= WEIR_EVENT_SENT;
        return false;
    case TCP_CLOSING:
        tcp_set_state(c, env, TCP_TIME_WAIT); /* [RFC9293 MUST-13] */
        timers_stop(c);
        c->events |= WEIR_EVENT_CLOSED;
        return true;
    case TCP_LAST_ACK: tcp_end_acked(c, env); return true;
    case TCP_CLOSED:
    case TCP_LISTEN:
    case TCP_SYN_SENT:
    case TCP_SYN_RECEIVED:
    case TCP_ESTABLISHED:
    case TCP_FIN_WAIT_2:
    case TCP_CLOSE_WAIT:
    case TCP_TIME_WAIT: return false;
    }
    return false;
}

/* Fifth: the acknowledgement. */
static bool check_ack(struct arrival *a)
{
    struct tcp_conn *c = a->c;

    if (!(a->seg->flags & TCP_ACK))
        return stop(a, WHY_TCP_NO_ACK);
    if (c->state == TCP_SYN_RECEIVED) {
        if (complete_handshake(a))
            return true;
    } else {
        if (check_ack_range(a))
            return true;
        ack_take(c, a->env, a->seg);
        if (seq_geq(a->seg->ack, c->snd.una))
            ack_take_window(c, a->seg);
    }
    tstamp_note(c, a->env, a->seg); /* [RFC7323 5.3 R3], but not for one with a guessed number */
    timers_on_received(c, a->env);
    ecn_on_segment(c, a->seg);
    uto_on_segment(c, a->env, a->seg);
    return tcp_note_fin_acked(c, a->env);
}

/*
 * Sixth: urgent data. SEG.UP is the octet after it; it may be far ahead of the text, and counts
 * also when the window is shut [RFC9293 MUST-31, MUST-66].
 */
static bool check_urg(struct arrival *a)
{
    struct tcp_conn *c = a->c;
    seq_t up = seq_add(a->seg->seq, a->seg->up);

    if (!(a->seg->flags & TCP_URG) || !tcp_takes_text(c))
        return false;
    if (seq_gt(up, c->rcv_urgent ? c->work->rcv_up : c->rcv.nxt)) {
        c->work->rcv_up = up;
        c->rcv_urgent = true;
        c->events |= WEIR_EVENT_URGENT; /* [RFC9293 MUST-32] */
    }
    return false;
}

/* Out of order never keeps out what would put it in order. */
static bool refuse_for_memory(struct arrival *a, bool in_order)
{
    const struct tcp_work *w = a->c->work;
    uint64_t memory = w->recvq.memory;

    if (!in_order && w->reasm != NULL)
        memory += w->reasm->memory;
    if (!taken_is_too_much(a->c, memory))
        return false;
    a->c->work->ack_owed = true; /* which says how much there is room for */
    return stop(a, WHY_TCP_BUFFER);
}

/* What has waited for what is there now. */
static APART void take_waiting(struct arrival *a)
{
    struct tcp_conn *c = a->c;
    bool fin;
    uint32_t len = reasm_take(c, a->env, &fin);

    taken_advance(c, len);
    c->work->dup_acks_owed = 0; /* what they would say is past */
    c->work->ack_owed = true;
    if (fin)
        tcp_take_fin(c, a->env);
}

/* In order: to the application, and with it what has waited for it. */
static bool take_next_text(struct arrival *a)
{
    struct tcp_conn *c = a->c;
    bool fills_gap = c->work->reasm != NULL;

    if (refuse_for_memory(a, true))
        return true;
    if (!recvq_add(c, a->env, a->seg))
        return stop(a, WHY_NO_MEMORY);
    taken_advance(c, a->seg->len);
    tune_on_text(c, a->env, a->seg->len, tstamp_echo(c, a->seg));
    if (fills_gap)
        take_waiting(a);
    else
        taken_owe_ack(c, a->env, a->seg->len, a->seg->segs);
    return false;
}

/* Without SACK the peer counts duplicates; with it, the last one says it all [RFC2018 4]. */
static void owe_duplicate(struct tcp_conn *c, const struct tcp_seg *seg)
{
    if (c->agreed.sack_ok)
        c->work->ack_owed = true;
    else
        c->work->dup_acks_owed += seg->segs;
}

void tcp_take_syn_text(struct tcp_conn *c, struct tcp_env *env, struct tcp_seg *seg)
{
    seg->len = u32_min(seg->len, window_remaining(c));
    if (seg->len == 0 || !recvq_add(c, env, seg))
        return;
    count_add32(&c->work->data_segs_in, seg->segs);
    taken_advance(c, seg->len);
}

/* Out of order: kept and the peer is told at once what is missing [RFC9293 SHLD-31, MAY-13]. */
static bool keep_for_later(struct arrival *a)
{
    owe_duplicate(a->c, a->seg);
    if (refuse_for_memory(a, false))
        return true;
    return stop(a, reasm_add(a->c, a->env, a->seg));
}

/*
 * An application that has gone cannot read: the peer is to know [RFC9293 SHLD-3]. Our FIN may have been
 * lost, and only a reset with the number that the peer expects counts [RFC5961 3.2].
 */
static bool refuse_text(struct arrival *a)
{
    if (!a->c->is_orphan || a->seg->len == 0)
        return false;
    tcp_end(a->c, a->env, WEIR_ECONNABORTED);
    a->c->work->rst_owed = true;
    a->c->work->rst_answers = true;
    a->c->work->rst_seq = a->seg->ack;
    return stop(a, WHY_TCP_CLOSED);
}

/* Seventh: the text. */
static bool take_text(struct arrival *a)
{
    struct tcp_conn *c = a->c;
    struct tcp_seg *seg = a->seg;
    bool has_fin_ahead = (seg->flags & TCP_FIN) && seq_gt(seg->seq, c->rcv.nxt);

    if (seg->len > 0)
        count_add32(&c->work->data_segs_in, seg->segs);
    if (!tcp_takes_text(c))
        return seg->len > 0 && stop(a, WHY_TCP_AFTER_FIN);
    trim(c, seg);
    if (refuse_text(a))
        return true;
    if (seg->len == 0 && !has_fin_ahead)
        return false;
    if (seq_eq(seg->seq, c->rcv.nxt))
        return take_next_text(a);
    return keep_for_later(a);
}

void tcp_take_fin(struct tcp_conn *c, struct tcp_env *env)
{
    c->rcv.nxt = seq_add(c->rcv.nxt, 1);
    c->fin_received = true;
    c->work->ack_owed = true;
    c->events |= WEIR_EVENT_READABLE | WEIR_EVENT_PEER_CLOSED;
    switch ((enum tcp_state)c->state) {
    case TCP_ESTABLISHED: tcp_set_state(c, env, TCP_CLOSE_WAIT); break;
    case TCP_FIN_WAIT_1: /* our FIN is not acknowledged: they closed at the same time */
        tcp_set_state(c, env, TCP_CLOSING);
        break;
    case TCP_FIN_WAIT_2:
        tcp_set_state(c, env, TCP_TIME_WAIT); /* [RFC9293 MUST-13] */
        timers_stop(c);
        c->events |= WEIR_EVENT_CLOSED;
        break;
    case TCP_CLOSED:
    case TCP_LISTEN:
    case TCP_SYN_SENT:
    case TCP_SYN_RECEIVED:
    case TCP_CLOSE_WAIT:
    case TCP_CLOSING:
    case TCP_LAST_ACK:
    case TCP_TIME_WAIT: CHECK(false);
    }
    reasm_clear(c, env); /* what lies after the end was never sent */
}

/* Eighth: the FIN. */
static bool take_fin(struct arrival *a)
{
    if (!(a->seg->flags & TCP_FIN) || !tcp_takes_text(a->c))
        return false;
    tcp_take_fin(a->c, a->env);
    return false;
}

APART enum why tcp_input_by_steps(struct tcp_conn *c, struct tcp_env *env, struct tcp_seg *seg)
{
    struct arrival a = {c, env, seg, WHY_NONE};

    if (!tcp_work_attach(c, env))
        return WHY_NO_MEMORY;
    tcp_disturb(c);
    count_add32(&c->segs_in, seg->segs);
    if (c->state == TCP_SYN_SENT)
        return synsent_input(c, env, seg);
    (void)(check_repeated_syn(&a) /* before  */
           || check_paws(&a)      /* before  */
           || check_sequence(&a)  /* first   */
           || check_rst(&a)       /* second  */
           || check_syn(&a)       /* fourth  */
           || check_ack(&a)       /* fifth   */
           || check_urg(&a)       /* sixth   */
           || take_text(&a)       /* seventh */
           || take_fin(&a));      /* eighth  */
    return a.why;
}

/*
 * Once one side is closed the fifth step does more, and so does the seventh if there is text; the eighth
 * is the FIN's.
 */
static APART enum why take_rest(struct arrival *a)
{
    (void)(tcp_note_fin_acked(a->c, a->env) || (a->seg->len > 0 && take_text(a)) || take_fin(a));
    return a->why;
}

/* What is left of the steps when nothing is there that most of them look for. */
WHOLE enum why tcp_input(struct tcp_conn *c, struct tcp_env *env, struct tcp_seg *seg)
{
    struct arrival a = {c, env, seg, WHY_NONE};

    if (!predict_is_expected(c, env, seg))
        return express_synack(c, env, seg) ? WHY_NONE : tcp_input_by_steps(c, env, seg);
    tcp_disturb(c);
    count_add32(&c->segs_in, seg->segs);
    tstamp_note(c, env, seg);
    if (seq_gt(seg->ack, c->snd.una))
        ack_take_expected(c, env, seg);
    ack_take_window(c, seg);
    timers_on_received(c, env);
    if (c->state != TCP_ESTABLISHED || (seg->flags & TCP_FIN))
        return take_rest(&a);
    if (seg->len > 0) {
        count_add32(&c->work->data_segs_in, seg->segs);
        (void)take_next_text(&a);
    }
    return a.why;
}
