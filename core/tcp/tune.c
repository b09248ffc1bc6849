/*
 * tune.c - buffers that grow with what they are used for
 *
 * A receive buffer has to hold what arrives in a round trip, twice while the peer doubles its
 * window; a send buffer what is under way, and as much again that the application has time to
 * write. Both start small and follow what they see: the first what the application reads in a round trip
 * (dynamic right-sizing), so that one which does not read costs no more; the second the congestion window.
 * They stop at a limit, where memory is scarce, and where the application has set a size.
 *
 * State: work.tune, conn.send_buffer_bytes, conn.recv_buffer_bytes.
 */
#include "tcp/tune.h"
#include "base/mem.h"
#include "base/num.h"
#include "tcp/conn.h"
#include "tcp/tstamp.h"

enum {
    COST_LEAST = 2 * TUNE_COST_UNIT, /* until more is known, and what a buffer is made for */
    COST_MOST = 4 * TUNE_COST_UNIT,  /* an empty queue is worth a window of half the buffer */
    COST_BYTES = 8192,               /* so much queued tells what it costs */
    RTT_SHIFT = 3,
    SPARE_SEGS = 16, /* beside twice what was read */
};

/* The budget of the stack is for all: with half of it gone, what there is has to do. */
static bool is_memory_scarce(const struct tcp_env *env)
{
    const struct mem *mem = env->pieces.mem;

    return mem->used > mem->limit / 2;
}

uint32_t tune_recv_most(const struct tcp_user *user, const struct tcp_env *env)
{
    if (user->recv_buffer_is_set)
        return user->recv_buffer_bytes;
    return u32_max(user->recv_buffer_bytes, env->config.recv_buffer_max_bytes);
}

/* ---- the receiver's round trip ---- */

static void take_rtt(struct tune *t, ns_t rtt_ns)
{
    ns_t more = rtt_ns - t->rtt_ns;

    if (t->rtt_ns == 0 || rtt_ns < t->rtt_ns)
        t->rtt_ns = rtt_ns;
    else
        t->rtt_ns += more >> RTT_SHIFT;
}

/* Without timestamps: a window's worth takes at least a round trip to arrive. */
static void time_window(struct tcp_conn *c, const struct tcp_env *env)
{
    struct tune *t = &c->work->tune;

    if (t->is_timed && seq_lt(c->rcv.nxt, t->timed_end))
        return;
    if (t->is_timed)
        take_rtt(t, ns_max(ns_since(t->timed_at, env->now), 1));
    t->is_timed = true;
    t->timed_at = env->now;
    t->timed_end = seq_add(c->rcv.acked, c->rcv.wnd);
}

/* What it costs shows when enough of it lies there. */
static void note_cost(struct tcp_conn *c)
{
    const struct tcp_work *w = c->work;

    if (w->recvq.bytes >= COST_BYTES)
        c->work->tune.cost =
            (uint32_t)((uint64_t)w->recvq.memory * TUNE_COST_UNIT / w->recvq.bytes);
}

uint32_t tune_cost(const struct tcp_conn *c)
{
    return u32_min(u32_max(c->work->tune.cost, COST_LEAST), COST_MOST);
}

void tune_on_text(struct tcp_conn *c, const struct tcp_env *env, uint32_t len, uint32_t echo)
{
    ns_t rtt_ns = len >= c->work->rcv_seg_max ? tstamp_rtt_ns(c, env, echo) : 0;

    note_cost(c);
    if (rtt_ns > 0)
        take_rtt(&c->work->tune, rtt_ns);
    else if (!c->agreed.timestamps_ok)
        time_window(c, env);
}

/* ---- the sizes ---- */

/*
 * Twice what was read in a round trip; while that grows, the next will bring as much more than this
 * one as this one did than the last, and so will the one after it.
 */
static uint32_t wanted(const struct tune *t, uint32_t read_bytes, uint32_t seg_bytes)
{
    uint64_t want = 2 * (uint64_t)read_bytes + SPARE_SEGS * (uint64_t)seg_bytes;

    if (t->space_bytes > 0)
        want += 2 * want * (read_bytes - t->space_bytes) / t->space_bytes;
    return want > INT32_MAX ? INT32_MAX : (uint32_t)want;
}

static void grow_recv(struct tcp_conn *c, const struct tcp_env *env, uint32_t want)
{
    uint32_t size = u32_min(want, tune_recv_most(c->user, env));

    if (size > c->recv_buffer_bytes && !is_memory_scarce(env))
        c->recv_buffer_bytes = size;
}

void tune_on_read(struct tcp_conn *c, const struct tcp_env *env, uint32_t len)
{
    struct tune *t = &c->work->tune;

    t->read_bytes = u32_min(t->read_bytes + len, INT32_MAX);
    if (t->round_at == 0)
        t->round_at = env->now;
    if (t->rtt_ns == 0 || ns_since(t->round_at, env->now) < t->rtt_ns)
        return;
    if (t->read_bytes > t->space_bytes) {
        grow_recv(c, env, wanted(t, t->read_bytes, c->agreed.rcv_mss));
        t->space_bytes = t->read_bytes;
    }
    t->read_bytes = 0;
    t->round_at = env->now;
}

void tune_on_acked(struct tcp_conn *c, const struct tcp_env *env)
{
    uint32_t cwnd = u32_min(c->work->cc.cwnd, INT32_MAX / 2), size;

    if (2 * cwnd <= c->send_buffer_bytes || c->user->send_buffer_is_set)
        return;
    size = u32_min(2 * cwnd, env->config.send_buffer_max_bytes);
    if (size > c->send_buffer_bytes && !is_memory_scarce(env))
        c->send_buffer_bytes = size;
}
