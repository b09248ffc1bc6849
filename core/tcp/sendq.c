/*
 * sendq.c - bytes sent or to be sent, until they are acknowledged
 *
 * A frame that carries them refers to them, so a queue may let go of bytes that a driver
 * still has: they go when both have. State: work.sendq.
 *
 * Sending moves forward, so the piece where it stands is remembered; a retransmission
 * starts at the head.
 *
 * An application that writes a little at a time, and whose peer acknowledges it as fast, empties a
 * small buffer each time: the last one stays with the connection, as long as that is busy.
 */
#include "tcp/sendq.h"
#include "base/check.h"
#include "base/frame.h"
#include "base/hint.h"
#include "base/num.h"
#include "base/parts.h"
#include "base/sums.h"
#include "tcp/conn.h"
#include "tcp/options.h"

void sendq_init(struct tcp_conn *c)
{
    bool fin_acked = c->state == TCP_FIN_WAIT_2;

    c->work->sendq.start = seq_sub(c->snd.nxt, fin_acked);
}

void sendq_fini(struct tcp_conn *c, struct tcp_env *env)
{
    struct sendq *q = &c->work->sendq;

    pieces_clear(&q->pieces, &env->pieces, env->bufs);
    if (q->spare != NULL)
        piece_put(&env->pieces, env->bufs, &q->spare);
}

void sendq_clear(struct tcp_conn *c, struct tcp_env *env)
{
    struct sendq *q = &c->work->sendq;

    sendq_fini(c, env);
    *q = (struct sendq){.start = q->start};
}

static void add_bytes(struct sendq *q, const struct tcp_env *env, uint32_t len)
{
    if (HAS_STATISTICS && q->bytes == 0)
        q->busy_since_at = env->now;
    q->bytes += len;
}

ns_t sendq_busy_ns(const struct tcp_conn *c, const struct tcp_env *env)
{
    const struct sendq *q = &c->work->sendq;

    if (!HAS_STATISTICS)
        return 0;
    return q->busy_ns + (q->bytes > 0 ? ns_since(q->busy_since_at, env->now) : 0);
}

seq_t sendq_end(const struct tcp_conn *c)
{
    return seq_add(c->work->sendq.start, c->work->sendq.bytes);
}

uint32_t sendq_unsent(const struct tcp_conn *c)
{
    seq_t end = sendq_end(c);

    return seq_lt(c->snd.nxt, end) ? u32_min(seq_len(c->snd.nxt, end), c->work->sendq.bytes) : 0;
}

uint32_t sendq_room(const struct tcp_conn *c)
{
    uint32_t used = c->work->sendq.bytes, lowat = c->user->notsent_lowat_bytes;

    if (lowat != 0 && sendq_unsent(c) >= lowat)
        return 0;
    return used < c->send_buffer_bytes ? c->send_buffer_bytes - used : 0;
}

/* A third of the buffer is free, and half of what may wait to be sent: worth waking somebody for. */
void sendq_wake(struct tcp_conn *c)
{
    uint32_t room, lowat = c->user->notsent_lowat_bytes;

    if (!c->wants_writable)
        return;
    room = sendq_room(c);
    if (room == 0 || room < c->send_buffer_bytes / 3 || (lowat != 0 && sendq_unsent(c) > lowat / 2))
        return;
    c->wants_writable = false;
    c->events |= WEIR_EVENT_WRITABLE;
}

void sendq_wake_acked(struct tcp_conn *c, uint32_t bytes_before)
{
    if (!c->wants_acked || c->work->sendq.bytes == bytes_before)
        return;
    c->wants_acked = false;
    c->events |= WEIR_EVENT_WRITABLE;
}

/* Copies what fits behind the last piece; returns what does not. */
static struct span fill_tail(struct pieces *list, struct span bytes, const struct checksum_ops *ops)
{
    struct piece *tail = list->tail;
    struct span first = span_take(bytes, tail->room);

    sums_copy(tail->buf, tail->bytes + tail->len, first, ops);
    tail->len += (uint32_t)first.len;
    tail->room = (tail->room - (uint32_t)first.len) & PIECE_ROOM_MAX;
    return span_drop(bytes, first.len);
}

/* Copies bytes into new pieces, large ones divided as segments will be. False: no memory. */
static bool copy_to_new(const struct tcp_conn *c, struct tcp_env *env, struct span bytes,
                        struct pieces *made, uint32_t *memory)
{
    while (bytes.len > 0) {
        struct piece *p = piece_new(env->bufs, bytes.len);
        if (p == NULL) {
            pieces_clear(made, &env->pieces, env->bufs);
            return false;
        }
        if (p->buf->class == BUF_CLASSES - 1 && !c->work->device_sums)
            p->room = sums_begin(p->buf, p->bytes, tcp_send_mss_now(c, env)) & PIECE_ROOM_MAX;
        *memory += p->buf->memory;
        pieces_append(made, p);
        bytes = fill_tail(made, bytes, env->checksum);
    }
    return true;
}

/*
 * What goes behind the last piece. Where all of that has been sent the next segment begins with
 * these bytes: if they need a new piece in any case it begins there, too.
 */
static uint32_t room_behind(const struct tcp_conn *c, uint32_t len)
{
    const struct piece *tail = c->work->sendq.pieces.tail;

    if (tail == NULL || (len > tail->room && sendq_unsent(c) == 0))
        return 0;
    return u32_min(tail->room, len);
}

/* The spare piece, if it has the room; if a driver still has what stood in it, it is let go. */
static struct piece *spare_for(struct sendq *q, struct tcp_env *env, size_t len)
{
    if (q->spare == NULL || q->spare->room >= len)
        return q->spare;
    if (!piece_empty(q->spare))
        piece_put(&env->pieces, env->bufs, &q->spare);
    return q->spare != NULL && q->spare->room >= len ? q->spare : NULL;
}

/* A write that fits into what is there already. */
static bool add_short(struct sendq *q, struct tcp_env *env, struct span bytes)
{
    struct piece *tail = q->pieces.tail, *p = tail != NULL ? tail : spare_for(q, env, bytes.len);

    if (p == NULL || p->room < bytes.len || p->buf->has_sums)
        return false;
    if (tail == NULL) {
        q->spare = NULL;
        q->memory += p->buf->memory;
        pieces_append(&q->pieces, p);
    }
    piece_fill(p, bytes);
    return true;
}

/* All is acknowledged, and it lay in one small buffer: the next write goes behind it. */
static bool keep_spare(struct sendq *q)
{
    struct piece *p = q->pieces.head;

    if (!HAS_PREDICTION || p != q->pieces.tail || q->spare != NULL || !piece_use_up(p))
        return false;
    q->memory -= p->buf->memory;
    q->pieces = (struct pieces){NULL, NULL};
    q->spare = p;
    return true;
}

/* The same for any write. */
static APART bool add_any(struct tcp_conn *c, struct tcp_env *env, const uint8_t *bytes,
                          uint32_t len)
{
    struct sendq *q = &c->work->sendq;
    struct pieces made = {NULL, NULL};
    uint32_t room = room_behind(c, len), memory = 0;

    /* What needs memory comes first, so that failing changes nothing. */
    if (!copy_to_new(c, env, span_of(bytes + room, len - room), &made, &memory))
        return false;
    if (room > 0)
        (void)fill_tail(&q->pieces, span_of(bytes, room), env->checksum);
    pieces_join(&q->pieces, &made);
    q->memory += memory;
    return true;
}

bool sendq_copy(struct tcp_conn *c, struct tcp_env *env, const uint8_t *bytes, uint32_t len)
{
    struct sendq *q = &c->work->sendq;

    if (!(HAS_PREDICTION && add_short(q, env, span_of(bytes, len))) && !add_any(c, env, bytes, len))
        return false;
    add_bytes(q, env, len);
    return true;
}

bool sendq_lend(struct tcp_conn *c, struct tcp_env *env, struct weir_slice bytes,
                void (*release)(void *owner), void *owner)
{
    struct sendq *q = &c->work->sendq;
    uint32_t len = (uint32_t)bytes.len;
    struct buf *buf = buf_wrap(env->bufs, bytes.bytes, len, len, release, owner);
    struct piece *p;

    if (buf == NULL)
        return false;
    p = piece_first(&buf, span_of(bytes.bytes, len));
    q->memory += p->buf->memory;
    pieces_append(&q->pieces, p);
    add_bytes(q, env, len);
    return true;
}

void sendq_end_record(struct tcp_conn *c)
{
    struct sendq *q = &c->work->sendq;

    q->pieces.tail->ends_record = true;
    q->pieces.tail->room = 0;
    q->has_records = true;
    q->record_end = sendq_end(c);
}

static void drop_all(struct tcp_conn *c, struct tcp_env *env)
{
    struct sendq *q = &c->work->sendq;

    if (q->bytes == 0)
        return;
    if (!keep_spare(q))
        pieces_clear(&q->pieces, &env->pieces, env->bufs);
    q->busy_ns = sendq_busy_ns(c, env);
    q->start = seq_add(q->start, q->bytes);
    q->bytes = 0;
    q->memory = 0;
    q->hint = NULL;
    q->has_records = false;
}

static APART void drop_some(struct tcp_conn *c, struct tcp_env *env, uint32_t len)
{
    struct sendq *q = &c->work->sendq;

    if (q->hint != NULL && seq_leq(seq_add(q->hint_seq, q->hint->len), seq_add(q->start, len)))
        q->hint = NULL;
    q->memory -= pieces_drop(&q->pieces, &env->pieces, env->bufs, len);
    q->start = seq_add(q->start, len);
    q->bytes -= len;
    if (q->has_records && seq_geq(q->start, q->record_end))
        q->has_records = false;
    if (q->hint != NULL && q->hint == q->pieces.head)
        q->hint_seq = q->start;
}

/* The SYN is before the first byte, and the FIN behind the last. */
void sendq_drop(struct tcp_conn *c, struct tcp_env *env, seq_t una)
{
    const struct sendq *q = &c->work->sendq;

    if (!seq_gt(una, q->start))
        return;
    if (seq_len(q->start, una) >= q->bytes)
        drop_all(c, env);
    else
        drop_some(c, env, seq_len(q->start, una));
}

/* Makes the hint the piece that has seq, which is in the queue. */
static void find(struct sendq *q, seq_t seq)
{
    if (q->hint == NULL || seq_lt(seq, q->hint_seq)) {
        q->hint = q->pieces.head;
        q->hint_seq = q->start;
    }
    while (seq_geq(seq, seq_add(q->hint_seq, q->hint->len))) {
        q->hint_seq = seq_add(q->hint_seq, q->hint->len);
        q->hint = q->hint->next;
        CHECK(q->hint != NULL);
    }
}

uint32_t sendq_record(struct tcp_conn *c, seq_t seq, uint32_t len)
{
    struct sendq *q = &c->work->sendq;
    const struct piece *p;
    uint32_t reach;

    if (!q->has_records || len == 0 || seq_geq(seq, q->record_end))
        return len;
    find(q, seq);
    p = q->hint;
    reach = p->len - seq_len(q->hint_seq, seq);
    while (reach < len && !p->ends_record) {
        p = p->next;
        reach += p->len;
    }
    return reach < len ? reach : len;
}

uint32_t sendq_reach(struct tcp_conn *c, seq_t seq, uint32_t len)
{
    struct sendq *q = &c->work->sendq;
    const struct piece *p;
    uint32_t reach;

    find(q, seq);
    p = q->hint;
    reach = p->len - seq_len(q->hint_seq, seq);
    for (int i = 2; i < WEIR_FRAME_SLICES && reach < len; i++) { /* the headers have the first */
        p = p->next;
        reach += p->len;
    }
    return reach < len ? reach : len;
}

void sendq_refer(struct tcp_conn *c, seq_t seq, uint32_t len, struct frame *frame)
{
    struct sendq *q = &c->work->sendq;
    uint32_t done = 0;

    while (done < len) {
        uint32_t offset, part;
        struct buf *buf;

        find(q, seq_add(seq, done));
        offset = seq_len(q->hint_seq, seq_add(seq, done));
        part = q->hint->len - offset < len - done ? q->hint->len - offset : len - done;
        buf = buf_ref(q->hint->buf);
        CHECK(frame_add(frame, q->hint->bytes + offset, part, &buf));
        done += part;
    }
}

bool sendq_is_in_tail(const struct tcp_conn *c, uint32_t len)
{
    const struct piece *tail = c->work->sendq.pieces.tail;

    return tail != NULL && len <= tail->len;
}

/* That piece is where sending stands then, too. */
void sendq_refer_tail(struct tcp_conn *c, uint32_t len, struct frame *frame)
{
    struct sendq *q = &c->work->sendq;
    struct piece *tail = q->pieces.tail;
    struct buf *buf = buf_ref(tail->buf);

    q->hint = tail;
    q->hint_seq = seq_sub(sendq_end(c), tail->len);
    CHECK(frame_add(frame, tail->bytes + tail->len - len, len, &buf));
}
