/*
 * taken.h - what both ways of taking text in note (input.c, express_in.c)
 */
#ifndef CORE_TCP_TAKEN_H
#define CORE_TCP_TAKEN_H

#include "base/ns.h"
#include "base/num.h"
#include "tcp/conn.h"
#include "tcp/timers.h"
#include <stdbool.h>
#include <stdint.h>

enum {
    TAKEN_QUICK_ACKS = 16,      /* sent at once when data begins to flow, as Linux does */
    TAKEN_FULL_SEG_FLOOR = 536, /* smaller segments do not count as full ones */
    TAKEN_MEMORY_FACTOR = 4,    /* what is received may cost so many times the buffer's size */
};

/* How long an acknowledgement may wait follows from how often data comes, as in Linux. */
static inline void taken_adapt_delay(struct tcp_conn *c, const struct tcp_env *env)
{
    struct tcp_work *w = c->work;
    ns_t min_ns = env->config.delack_min_ns;
    ns_t since_ns = ns_since(w->data_received_at, env->now);

    if (w->delack_ns == 0) { /* the first data */
        w->delack_ns = min_ns;
        w->quick_acks = TAKEN_QUICK_ACKS;
    } else if (since_ns <= ns_half(min_ns)) {
        w->delack_ns = ns_half(w->delack_ns) + ns_half(min_ns);
    } else if (since_ns < w->delack_ns) {
        w->delack_ns = ns_half(w->delack_ns) + since_ns;
    } else if (since_ns > (ns_t)c->rtt.rto_us * NS_US) {
        w->quick_acks = TAKEN_QUICK_ACKS; /* the peer starts anew, slowly */
    }
    w->data_received_at = env->now;
}

/* What a full segment is, by the largest that has come. */
static inline void taken_note_full(struct tcp_work *w, uint32_t seg_len)
{
    w->rcv_seg_max = u32_max(w->rcv_seg_max, u32_max(seg_len, TAKEN_FULL_SEG_FLOOR));
}

/* For text of so many segments: every second full one is acknowledged at once [RFC9293 SHLD-18, SHLD-19]. */
static inline void taken_owe_ack(struct tcp_conn *c, struct tcp_env *env, uint32_t len,
                                 uint32_t segs)
{
    struct tcp_work *w = c->work;

    if (len > w->rcv_seg_max)
        taken_note_full(w, len / segs);
    w->rcv_unacked += len;
    taken_adapt_delay(c, env);
    if (w->rcv_unacked >= 2 * w->rcv_seg_max || (w->quick_acks > 0 && !w->is_interactive)
        || c->user->quickack)
        w->ack_owed = true;
    else
        timers_on_ack_delayed(c, env, w->delack_ns);
}

static inline void taken_advance(struct tcp_conn *c, uint32_t len)
{
    c->rcv.nxt = seq_add(c->rcv.nxt, len);
    c->bytes_received += len;
    if (len > 0)
        c->events |= WEIR_EVENT_READABLE;
}

/*
 * The window is made from what has been received costs, but its edge does not move back: a peer
 * that fills it in the most expensive way meets this limit.
 */
static inline bool taken_is_too_much(const struct tcp_conn *c, uint64_t memory)
{
    return memory > TAKEN_MEMORY_FACTOR * (uint64_t)c->recv_buffer_bytes;
}

#endif
