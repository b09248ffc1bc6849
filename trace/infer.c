/*
 * infer.c - the state of an end that does not tell: what its segments give away
 */
#include "trace/infer.h"

static bool has(const struct seg_text *seg, uint16_t flag)
{
    return (seg->flags & flag) != 0;
}

/* The sequence number after the segment. */
static seq_t end_of(const struct seg_text *seg)
{
    uint32_t len = seg->len + (has(seg, TCP_SYN) ? 1 : 0) + (has(seg, TCP_FIN) ? 1 : 0);

    return seq_add(seq_of(seg->seq), len);
}

/* Who answers a SYN was listening; who talks in the middle of things has a connection. */
void infer_init(struct infer *end, const struct seg_text *first_sent)
{
    *end = (struct infer){.state = WEIR_TCP_CLOSED};
    if (first_sent == NULL || has(first_sent, TCP_RST))
        return;
    if (has(first_sent, TCP_SYN))
        end->state = has(first_sent, TCP_ACK) ? WEIR_TCP_LISTEN : WEIR_TCP_CLOSED;
    else
        end->state = WEIR_TCP_ESTABLISHED;
}

/* The peer's FIN counts when all before it is there. */
static void take_fin(struct infer *end)
{
    if (!end->peer_fin_seen || end->peer_fin_taken || seq_lt(end->rcv_nxt, end->peer_fin))
        return;
    end->peer_fin_taken = true;
    switch (end->state) {
    case WEIR_TCP_SYN_RECEIVED:
    case WEIR_TCP_ESTABLISHED: end->state = WEIR_TCP_CLOSE_WAIT; break;
    case WEIR_TCP_FIN_WAIT_1: end->state = WEIR_TCP_CLOSING; break;
    case WEIR_TCP_FIN_WAIT_2: end->state = WEIR_TCP_TIME_WAIT; break;
    case WEIR_TCP_CLOSED:
    case WEIR_TCP_LISTEN:
    case WEIR_TCP_SYN_SENT:
    case WEIR_TCP_CLOSE_WAIT:
    case WEIR_TCP_CLOSING:
    case WEIR_TCP_LAST_ACK:
    case WEIR_TCP_TIME_WAIT:
    case WEIR_TCP_STATES: break;
    }
}

/* What it acknowledges it has received, also what we did not see arrive. */
static void note_own_ack(struct infer *end, const struct seg_text *seg)
{
    if (!has(seg, TCP_ACK) || has(seg, TCP_RST) || !end->has_received)
        return;
    end->rcv_nxt = seq_max(end->rcv_nxt, seq_of(seg->ack));
    take_fin(end);
}

static void send_syn(struct infer *end, const struct seg_text *seg)
{
    if (has(seg, TCP_ACK))
        end->state = WEIR_TCP_SYN_RECEIVED;
    else if (end->state == WEIR_TCP_CLOSED || end->state == WEIR_TCP_LISTEN
             || end->state == WEIR_TCP_TIME_WAIT)
        *end = (struct infer){.state = WEIR_TCP_SYN_SENT};
}

void infer_sent(struct infer *end, const struct seg_text *seg)
{
    if (has(seg, TCP_RST)) {
        if (end->state != WEIR_TCP_LISTEN)
            end->state = WEIR_TCP_CLOSED;
        return;
    }
    if (has(seg, TCP_SYN))
        send_syn(end, seg);
    note_own_ack(end, seg);
    if (has(seg, TCP_FIN)) {
        if (end->state == WEIR_TCP_ESTABLISHED || end->state == WEIR_TCP_SYN_RECEIVED)
            end->state = WEIR_TCP_FIN_WAIT_1;
        else if (end->state == WEIR_TCP_CLOSE_WAIT)
            end->state = WEIR_TCP_LAST_ACK;
    }
    end->snd_nxt = end->has_sent ? seq_max(end->snd_nxt, end_of(seg)) : end_of(seg);
    end->has_sent = true;
}

/* A reset counts if it is for the next number, or answers the SYN [RFC9293 3.10.7.3, 3.10.7.4]. */
static bool is_reset(const struct infer *end, const struct seg_text *seg)
{
    switch (end->state) {
    case WEIR_TCP_CLOSED:
    case WEIR_TCP_LISTEN:
    case WEIR_TCP_STATES: return false;
    case WEIR_TCP_SYN_SENT: return has(seg, TCP_ACK) && seg->ack == end->snd_nxt.raw;
    case WEIR_TCP_SYN_RECEIVED:
    case WEIR_TCP_ESTABLISHED:
    case WEIR_TCP_FIN_WAIT_1:
    case WEIR_TCP_FIN_WAIT_2:
    case WEIR_TCP_CLOSE_WAIT:
    case WEIR_TCP_CLOSING:
    case WEIR_TCP_LAST_ACK:
    case WEIR_TCP_TIME_WAIT: break;
    }
    return !end->has_received || seq_eq(seq_of(seg->seq), end->rcv_nxt);
}

static void receive_syn(struct infer *end, const struct seg_text *seg)
{
    bool acks_ours = has(seg, TCP_ACK) && end->has_sent && seg->ack == end->snd_nxt.raw;

    if (end->state == WEIR_TCP_LISTEN && !has(seg, TCP_ACK))
        end->state = WEIR_TCP_SYN_RECEIVED;
    else if (end->state == WEIR_TCP_SYN_SENT && acks_ours)
        end->state = WEIR_TCP_ESTABLISHED;
    else if (end->state == WEIR_TCP_SYN_SENT && !has(seg, TCP_ACK))
        end->state = WEIR_TCP_SYN_RECEIVED;
    else
        return;
    end->rcv_nxt = end_of(seg);
    end->has_received = true;
}

/* All that it has sent is acknowledged: that tells apart what waits for an acknowledgement. */
static void receive_ack(struct infer *end)
{
    switch (end->state) {
    case WEIR_TCP_SYN_RECEIVED: end->state = WEIR_TCP_ESTABLISHED; break;
    case WEIR_TCP_FIN_WAIT_1: end->state = WEIR_TCP_FIN_WAIT_2; break;
    case WEIR_TCP_CLOSING: end->state = WEIR_TCP_TIME_WAIT; break;
    case WEIR_TCP_LAST_ACK: end->state = WEIR_TCP_CLOSED; break;
    case WEIR_TCP_CLOSED:
    case WEIR_TCP_LISTEN:
    case WEIR_TCP_SYN_SENT:
    case WEIR_TCP_ESTABLISHED:
    case WEIR_TCP_FIN_WAIT_2:
    case WEIR_TCP_CLOSE_WAIT:
    case WEIR_TCP_TIME_WAIT:
    case WEIR_TCP_STATES: break;
    }
}

/* In order or before: what came ahead of a hole is known when the end acknowledges it. */
static void receive_text(struct infer *end, const struct seg_text *seg)
{
    if (!end->has_received)
        end->rcv_nxt = seq_of(seg->seq);
    end->has_received = true;
    if (seq_leq(seq_of(seg->seq), end->rcv_nxt))
        end->rcv_nxt = seq_max(end->rcv_nxt, end_of(seg));
    if (has(seg, TCP_FIN)) {
        end->peer_fin_seen = true;
        end->peer_fin = end_of(seg);
    }
    take_fin(end);
}

void infer_received(struct infer *end, const struct seg_text *seg)
{
    if (has(seg, TCP_RST)) {
        if (is_reset(end, seg))
            end->state = WEIR_TCP_CLOSED;
        return;
    }
    if (has(seg, TCP_SYN)) {
        receive_syn(end, seg);
        if (end->state != WEIR_TCP_SYN_RECEIVED)
            return;
    }
    if (has(seg, TCP_ACK) && end->has_sent && seg->ack == end->snd_nxt.raw)
        receive_ack(end);
    if (!has(seg, TCP_SYN) && end->state != WEIR_TCP_LISTEN && end->state != WEIR_TCP_CLOSED
        && end->state != WEIR_TCP_SYN_SENT)
        receive_text(end, seg);
}
