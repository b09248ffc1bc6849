/*
 * ack.c - the fifth check: what a segment acknowledges
 *
 * State: snd.una, snd.wnd, snd.wl1, snd.wl2.
 */
#include "tcp/ack.h"
#include "base/check.h"
#include "tcp/conn.h"
#include "tcp/recovery.h"
#include "tcp/rtt.h"
#include "tcp/seg.h"
#include "tcp/sendq.h"
#include "tcp/timers.h"
#include "tcp/tstamp.h"

static uint32_t window_of(const struct tcp_conn *c, const struct tcp_seg *seg)
{
    uint8_t shift = seg->flags & TCP_SYN ? 0 : c->agreed.snd_wscale; /* [RFC7323 2.2] */

    return (uint32_t)seg->wnd << shift;
}

void ack_set_window(struct tcp_conn *c, const struct tcp_seg *seg)
{
    c->snd.wnd = window_of(c, seg);
    c->snd.wl1 = seg->seq;
    c->snd.wl2 = seg->ack;
    if (c->snd.wnd > c->snd.wnd_max)
        c->snd.wnd_max = c->snd.wnd;
}

/* A window that shrinks is taken as it is [RFC9293 MUST-34]. */
void ack_take_window(struct tcp_conn *c, const struct tcp_seg *seg)
{
    if (seq_lt(c->snd.wl1, seg->seq)
        || (seq_eq(c->snd.wl1, seg->seq) && seq_leq(c->snd.wl2, seg->ack)))
        ack_set_window(c, seg);
}

/*
 * Timestamps tell what was sent twice apart [RFC7323 4.1]. But if the acknowledgement of the first
 * copy is lost, that of the second still echoes the first, which would measure the timeout itself.
 */
static ns_t measure_echo(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg)
{
    ns_t rtt_ns = tstamp_rtt_ns(c, env, seg);

    return recovery_is_echo_clear(c, env, rtt_ns) ? rtt_ns : 0;
}

static ns_t measure(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg)
{
    struct tcp_work *w = c->work;
    ns_t rtt_ns = 0;

    if (w->is_timed && seq_geq(seg->ack, w->timed_end)) {
        w->is_timed = false;
        rtt_ns = ns_since(w->timed_at, env->now);
        rtt_ns = rtt_ns > 0 ? rtt_ns : 1;
    } else if (!w->is_timed) {
        rtt_ns = measure_echo(c, env, seg);
    }
    if (rtt_ns != 0) {
        rtt_on_sample(c, env, rtt_ns);
        timers_on_measured(c);
    }
    return rtt_ns;
}

/* A third of the buffer free: worth waking the application for. */
static void wake_writer(struct tcp_conn *c)
{
    if (c->wants_writable && sendq_room(c) >= c->user.send_buffer_bytes / 3 && sendq_room(c) > 0) {
        c->wants_writable = false;
        c->events |= WEIR_EVENT_WRITABLE;
    }
}

void ack_take(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg)
{
    uint32_t acked = seq_len(c->snd.una, seg->ack);
    uint32_t text_before = c->work->sendq.bytes;
    ns_t rtt_ns = measure(c, env, seg);
    bool restarts_timer = true;

    c->snd.una = seg->ack;
    sendq_drop(c, env, seg->ack);
    c->bytes_acked += text_before - c->work->sendq.bytes;
    if (c->work->small_sent && seq_leq(c->work->small_end, c->snd.una))
        c->work->small_sent = false;
    if (c->snd_urgent && seq_leq(c->snd.up, c->snd.una))
        c->snd_urgent = false;
    if (tcp_is_synchronized(c))
        restarts_timer = recovery_on_acked(c, env, acked, rtt_ns);
    if (restarts_timer || tcp_flight(c) == 0)
        timers_on_acked(c, env);
    wake_writer(c);
    if (c->user.note_sent && text_before > 0 && c->work->sendq.bytes == 0)
        c->events |= WEIR_EVENT_SENT;
}

/*
 * A duplicate: something is under way, and the segment has no text, no SYN or FIN, the same
 * acknowledgement and the same window as the last [RFC5681 2].
 */
void ack_note_duplicate(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg)
{
    if (!seq_eq(seg->ack, c->snd.una) || tcp_flight(c) == 0 || tcp_seg_space(seg) != 0
        || window_of(c, seg) != c->snd.wnd)
        return;
    c->work->dup_acks_in++;
    recovery_on_dup_ack(c, env);
}
