/*
 * window.c - what may be sent, and what we say may be sent to us
 *
 * Windows are unsigned and 32 bits wide [RFC9293 MUST-1, REC-1]. The right edge of ours
 * never moves back [RFC9293 SHLD-14], and moves on only by worthwhile steps [RFC9293 MUST-39].
 * State: rcv.wnd, rcv.acked.
 */
#include "tcp/window.h"
#include "base/check.h"
#include "base/hint.h"
#include "base/num.h"
#include "tcp/conn.h"
#include "tcp/reasm.h"
#include "tcp/tune.h"

enum {
    SCALE_MAX = 14,
    ROOM_TO_GROW = 16, /* the buffer may be made so many times larger later */
    MEMORY_FACTOR = 2, /* what is received may cost so many times the buffer's size */
};

uint8_t window_scale_for(uint32_t recv_buffer_bytes, uint32_t most_bytes)
{
    uint64_t bytes = u64_max((uint64_t)recv_buffer_bytes * ROOM_TO_GROW, most_bytes);
    uint32_t bits = 64 - (uint32_t)__builtin_clzll(bytes | UINT16_MAX); /* 16 of which need none */

    return (uint8_t)u32_min(bits - 16, SCALE_MAX);
}

/*
 * The difference is negative when the window has shrunk [RFC9293 MUST-34, SHLD-15]. That of a SYN,
 * which acknowledges nothing, begins behind our own.
 */
uint32_t window_usable(const struct tcp_conn *c)
{
    int64_t usable = (int64_t)c->snd.wnd + !tcp_is_synchronized(c) - tcp_flight(c);

    return usable > 0 ? (uint32_t)usable : 0;
}

uint32_t window_remaining(const struct tcp_conn *c)
{
    uint32_t used = seq_len(c->rcv.acked, c->rcv.nxt);

    return used < c->rcv.wnd ? c->rcv.wnd - used : 0;
}

static uint32_t room_in(uint32_t limit, uint32_t used)
{
    return used < limit ? limit - used : 0;
}

/*
 * Room for bytes, and room for what bytes cost: a peer that sends tiny segments in large
 * frames is shown a smaller window. What waits out of order is in the window already.
 */
static APART uint32_t free_bytes(const struct tcp_conn *c)
{
    const struct tcp_work *w = c->work;
    uint32_t apart = w->reasm != NULL ? w->reasm->bytes : 0;
    uint64_t memory = (uint64_t)w->recvq.memory + (w->reasm != NULL ? w->reasm->memory : 0);
    uint64_t memory_limit = MEMORY_FACTOR * (uint64_t)c->recv_buffer_bytes;
    uint64_t room = memory < memory_limit ? memory_limit - memory : 0;
    uint64_t by_memory = room * TUNE_COST_UNIT / tune_cost(c) + apart;
    uint32_t by_bytes = room_in(c->recv_buffer_bytes, w->recvq.bytes);

    return by_memory < by_bytes ? (uint32_t)by_memory : by_bytes;
}

static uint32_t largest(const struct tcp_conn *c)
{
    return (uint32_t)UINT16_MAX << c->agreed.rcv_wscale;
}

/* u32_min(Fr * RCV.BUFF, Eff.snd.MSS), Fr = 1/2 [RFC9293 3.8.6.2.2]. */
static uint32_t worthwhile(const struct tcp_conn *c)
{
    return u32_min(c->recv_buffer_bytes / 2, c->agreed.rcv_mss);
}

/* What is left of the window, or a larger one where that is worth a step. */
static uint32_t next_window(const struct tcp_conn *c, uint32_t remaining)
{
    uint64_t least = (uint64_t)remaining + worthwhile(c);
    uint32_t wnd;

    /* However little it may cost, there is no room for more than that many bytes. */
    if (room_in(c->recv_buffer_bytes, c->work->recvq.bytes) < least)
        return remaining;
    wnd = free_bytes(c);
    return wnd < least ? remaining : wnd;
}

/* A field that says as much, rounded up, so that no edge moves back. */
static uint16_t say(struct tcp_conn *c, uint32_t wnd, uint32_t shift)
{
    uint32_t field = (wnd + (1u << shift) - 1) >> shift;

    c->rcv.wnd = field << shift;
    c->rcv.acked = c->rcv.nxt;
    return (uint16_t)field;
}

uint16_t window_announce(struct tcp_conn *c, bool is_syn)
{
    uint32_t remaining, wnd;

    if (is_syn)
        return say(c, u32_min(free_bytes(c), UINT16_MAX), 0);
    remaining = window_remaining(c);
    wnd = next_window(c, remaining);
    if (c->state == TCP_SYN_RECEIVED)
        wnd = u32_min(wnd, remaining); /* whoever has not answered yet may not exist */
    return say(c, u32_min(wnd, largest(c)), c->agreed.rcv_wscale);
}

uint16_t window_repeat(struct tcp_conn *c, seq_t ack)
{
    uint8_t shift = c->agreed.rcv_wscale;
    uint32_t used = seq_len(c->rcv.acked, ack);
    uint32_t field = (uint32_t)div_ceil(c->rcv.wnd - u32_min(used, c->rcv.wnd), (1u << shift));

    field = u32_min(field, UINT16_MAX);
    c->rcv.wnd = field << shift;
    c->rcv.acked = ack;
    return (uint16_t)field;
}

/*
 * What has come so far is little of what the SYN, which has no scale, could allow at most: the next
 * acknowledgement is early enough to say that there is more.
 */
static bool is_beginning(const struct tcp_conn *c, uint32_t remaining)
{
    uint32_t taken = seq_len(c->rcv.irs, c->rcv.nxt);

    return taken < UINT16_MAX / 2 && taken < remaining;
}

bool window_is_worth_announcing(const struct tcp_conn *c)
{
    uint32_t remaining = window_remaining(c);
    uint64_t least;

    if (USUALLY(remaining > c->recv_buffer_bytes / 2)) /* there cannot be twice as much */
        return false;
    least = u64_max((uint64_t)remaining + u32_max(worthwhile(c), 1), 2 * (uint64_t)remaining);
    /* However little it may cost, there is no room for more than that many bytes. */
    if (room_in(c->recv_buffer_bytes, c->work->recvq.bytes) < least || is_beginning(c, remaining))
        return false;
    return u32_min(free_bytes(c), largest(c)) >= least;
}
