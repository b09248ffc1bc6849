/*
 * sendmem.c - what a stream socket may queue, counted as Linux counts it
 *
 * Linux limits not the bytes that wait but the memory they cost. Bytes stand in buffers, each of
 * which becomes one super-segment of a device: as large as half of the peer's window, and at most
 * 64 KiB. A buffer costs its bytes and what belongs to it in any case. A new one is begun while
 * less is queued than the limit, and filled whatever the limit says; so a write is often taken
 * beyond it. What has been sent is not filled up any more. Who was refused a write is woken when
 * what is free is half of what is used.
 *
 * The stack is told of no limit then: it counts bytes, and its queue would be full at another time.
 *
 * State: sock.sendmem. With weir_px_send_memory alone; else it is not used.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "posix/sock.h"

enum {
    BUFFER_COST = 1280, /* of one, beside its bytes: two structures, and room for headers */
    HEADER_ROOM = 320,  /* of that, before a packet's bytes */
    TAIL_ROOM = 320,    /* and behind them */
    STRUCTURE = 256,    /* and what points to them */
    SUPER_SEGMENT = 65536 - HEADER_ROOM - 1,
    MSS_USUAL = 536,    /* smaller windows count whole */
    SEGS_AT_FIRST = 10, /* no limit that grows is below what takes so many */
    WINDOW_SHARE = 3,   /* of a window: for less nothing is sent while older text is under way */
    ENDS_MIN = 8,
};

/* The connection as it is now; positions are in the stream of all bytes that were ever written. */
struct view {
    uint64_t acked, sent, end;
    uint32_t mss, flight, cwnd, window;
    uint32_t goal; /* how large a buffer becomes */
};

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t beyond(uint32_t a, uint32_t b)
{
    return a > b ? a - b : 0;
}

static bool can_begin(struct sendmem *m)
{
    size_t room = m->room == 0 ? ENDS_MIN : 2 * m->room;
    uint64_t *ends;

    if (m->count < m->room)
        return true;
    ends = realloc(m->ends, room * sizeof *ends);
    if (ends == NULL)
        return false;
    m->ends = ends;
    m->room = room;
    return true;
}

/* Buffers of which everything has been acknowledged are gone. */
static void drop_acked(struct sendmem *m, uint64_t acked)
{
    size_t gone = 0;

    while (gone < m->count && m->ends[gone] <= acked)
        gone++;
    if (gone == 0)
        return;
    m->count -= gone;
    memmove(m->ends, m->ends + gone, m->count * sizeof *m->ends);
}

/* A buffer that was sent in part has become two. */
static void divide(struct sendmem *m, uint64_t acked, uint64_t sent)
{
    size_t i = m->count;
    uint64_t start;

    while (i > 0 && m->ends[i - 1] > sent)
        i--;
    start = i > 0 ? m->ends[i - 1] : acked;
    if (i == m->count || start >= sent || !can_begin(m))
        return;
    memmove(m->ends + i + 1, m->ends + i, (m->count - i) * sizeof *m->ends);
    m->ends[i] = sent;
    m->count++;
}

/* Half of the largest window that the peer has had, in whole segments. */
static uint32_t goal_of(const struct sendmem *m, uint32_t mss)
{
    uint32_t most = m->window_max > MSS_USUAL ? m->window_max / 2 : m->window_max;
    uint32_t goal = least(most, SUPER_SEGMENT) / mss * mss;

    return goal > mss ? goal : mss;
}

static bool look(const struct weir_posix *px, struct sock *s, struct view *v)
{
    struct sendmem *m = &s->sendmem;
    struct weir_tcp_queued queued;
    struct weir_tcp_info info;

    if (s->handle == 0 || weir_tcp_queued(px->stack, s->handle, &queued) != WEIR_OK
        || weir_tcp_info(px->stack, s->handle, &info) != WEIR_OK || info.snd_mss == 0)
        return false;
    if (info.snd_wnd > m->window_max)
        m->window_max = info.snd_wnd;
    *v = (struct view){
        .acked = m->written - queued.send_bytes,
        .sent = m->written - queued.unsent_bytes,
        .end = m->written,
        .mss = info.snd_mss,
        .flight = info.pipe_bytes,
        .cwnd = info.cwnd,
        .window = beyond(info.snd_wnd, queued.send_bytes - queued.unsent_bytes),
        .goal = goal_of(m, info.snd_mss),
    };
    drop_acked(m, v->acked);
    divide(m, v->acked, v->sent);
    return true;
}

/* ---- the limit ---- */

static uint32_t cost_of_segment(uint32_t mss)
{
    uint32_t size = 1;

    while (size < mss + HEADER_ROOM + TAIL_ROOM)
        size *= 2;
    return size + STRUCTURE;
}

/* Twice the congestion window: as much again for what is written meanwhile. */
static void grow(const struct weir_posix *px, struct sock *s, const struct view *v)
{
    uint32_t segs = v->cwnd / v->mss > SEGS_AT_FIRST ? v->cwnd / v->mss : SEGS_AT_FIRST;
    uint64_t size = 2 * (uint64_t)segs * cost_of_segment(v->mss);

    if (size > px->send_memory.largest_bytes)
        size = px->send_memory.largest_bytes;
    if (s->opts.send_buffer == 0 && size > s->sendmem.limit)
        s->sendmem.limit = (uint32_t)size;
}

uint32_t sendmem_limit(const struct weir_posix *px, const struct sock *s)
{
    int64_t first = 0;

    if (s->opts.send_buffer != 0)
        return (uint32_t)s->opts.send_buffer;
    if (s->sendmem.limit != 0)
        return s->sendmem.limit;
    weir_default(px->stack, WEIR_OPT_SEND_BUFFER, &first);
    return (uint32_t)first;
}

/* What the connection has no limit for is limited here, from the first look on. */
static void begin(const struct weir_posix *px, struct sock *s, const struct view *v)
{
    if (s->sendmem.has_begun)
        return;
    s->sendmem.has_begun = true;
    s->sendmem.limit = sendmem_limit(px, s);
    grow(px, s, v);
    weir_set(px->stack, s->handle, WEIR_OPT_SEND_BUFFER, INT32_MAX);
}

/* ---- what is used ---- */

static uint64_t used(const struct sendmem *m, const struct view *v)
{
    return v->end - v->acked + (uint64_t)BUFFER_COST * m->count;
}

/* So much may wait to be sent before nothing is taken any more. */
static uint32_t low_water(const struct weir_posix *px, const struct sock *s)
{
    uint32_t own = (uint32_t)s->opts.notsent_lowat, all = px->send_memory.notsent_lowat_bytes;

    return own != 0 ? own : all != 0 ? all : UINT32_MAX;
}

static bool may_begin(const struct weir_posix *px, const struct sock *s, const struct view *v)
{
    return used(&s->sendmem, v) < sendmem_limit(px, s) && v->end - v->sent < low_water(px, s);
}

/* What still goes into the last buffer. */
static uint32_t room_in_last(const struct sendmem *m, const struct view *v)
{
    uint64_t start = m->count > 1 ? m->ends[m->count - 2] : v->acked;

    if (m->count == 0 || m->is_record_ended || m->ends[m->count - 1] <= v->sent)
        return 0;
    if (start < v->sent)
        start = v->sent;
    return beyond(v->goal, (uint32_t)(m->ends[m->count - 1] - start));
}

/* ---- what is sent meanwhile ---- */

/* Whole segments that both windows let go. */
static uint32_t sendable(const struct view *v)
{
    uint32_t most = least(beyond(v->cwnd, v->flight), v->window);

    return most / v->mss * v->mss;
}

static void send_some(struct sendmem *m, struct view *v, uint32_t len)
{
    v->sent += len;
    v->flight += len;
    v->window -= least(v->window, len);
    divide(m, v->acked, v->sent);
}

/* As soon as a buffer is full it is on its way as far as the windows let it. */
static void send_full(struct sendmem *m, struct view *v)
{
    uint64_t waiting = v->end - v->sent;
    uint32_t len = sendable(v);

    send_some(m, v, waiting < len ? (uint32_t)waiting : len);
}

/*
 * What an acknowledgement lets go: whole buffers, and of the next one what the window takes, unless
 * that is little and older text is under way whose acknowledgement will make more of it.
 */
static void send_acked(struct sendmem *m, struct view *v)
{
    bool is_first = v->flight == 0;

    for (size_t i = 0; i < m->count; i++) {
        uint32_t len, may = sendable(v);
        uint32_t share = least(v->window + (uint32_t)(v->sent - v->acked), v->cwnd) / WINDOW_SHARE;

        if (m->ends[i] <= v->sent)
            continue;
        len = (uint32_t)(m->ends[i] - v->sent);
        if (len > may && (may == 0 || (may < share && !is_first)))
            return;
        send_some(m, v, least(len, may));
    }
}

/* ---- for streams ---- */

size_t sendmem_take(struct weir_posix *px, struct sock *s, size_t len)
{
    struct sendmem *m = &s->sendmem;
    uint64_t target;
    struct view v;

    if (!px->send_memory.counts_overhead || !look(px, s, &v))
        return len;
    begin(px, s, &v);
    target = v.end + len;
    while (v.end < target) {
        uint32_t room = room_in_last(m, &v);
        uint64_t left = target - v.end;

        if (room == 0) {
            if (!may_begin(px, s, &v))
                break;
            if (!can_begin(m))
                return len; /* what cannot be counted is taken: nobody would be woken for it */
            m->ends[m->count++] = v.end;
            m->is_record_ended = false;
            room = v.goal;
        }
        v.end += left < room ? left : room;
        m->ends[m->count - 1] = v.end;
        if (left >= room)
            send_full(m, &v);
    }
    return len - (size_t)(target - v.end);
}

void sendmem_note(struct sock *s, size_t len, bool ends_record)
{
    struct sendmem *m = &s->sendmem;

    m->written += len;
    m->is_record_ended = m->is_record_ended || ends_record;
    while (m->count > 1 && m->ends[m->count - 2] >= m->written)
        m->count--;
    if (m->count > 0 && m->ends[m->count - 1] > m->written)
        m->ends[m->count - 1] = m->written;
}

bool sendmem_is_writable(struct weir_posix *px, struct sock *s)
{
    struct view v;
    uint64_t in_use, unsent;

    if (!look(px, s, &v))
        return true;
    begin(px, s, &v);
    send_acked(&s->sendmem, &v);
    in_use = used(&s->sendmem, &v);
    unsent = v.end - v.sent;
    return in_use + in_use / 2 <= sendmem_limit(px, s) && 2 * unsent < low_water(px, s);
}

void sendmem_want_room(struct weir_posix *px, struct sock *s)
{
    s->sendmem.wants_room = true;
    stream_want(px, s, STREAM_ACKED);
}

bool sendmem_on_acked(struct weir_posix *px, struct sock *s)
{
    struct view v;

    if (!px->send_memory.counts_overhead)
        return true;
    if (!s->sendmem.wants_room)
        return false;
    if (look(px, s, &v)) {
        send_acked(&s->sendmem, &v);
        if (v.flight + v.mss <= v.cwnd)
            grow(px, s, &v);
    }
    s->sendmem.wants_room = !sendmem_is_writable(px, s);
    if (s->sendmem.wants_room)
        sendmem_want_room(px, s);
    return !s->sendmem.wants_room;
}

void sendmem_forget(struct sock *s)
{
    free(s->sendmem.ends);
    s->sendmem = (struct sendmem){0};
}

void weir_px_send_memory(struct weir_posix *px, const struct weir_px_send_memory *config)
{
    px_enter(px);
    px->send_memory = *config;
    px_leave(px);
}

bool weir_px_send_buffer_ends(struct weir_posix *px, int fd, uint32_t written_bytes)
{
    bool ends = false;
    struct sock *s;
    int err;

    px_enter(px);
    s = sock_get(px, fd, &err);
    if (s != NULL) {
        for (size_t i = 0; i < s->sendmem.count && !ends; i++)
            ends = (uint32_t)s->sendmem.ends[i] == written_bytes;
        sock_put(px, s);
    }
    px_leave(px);
    return ends;
}
