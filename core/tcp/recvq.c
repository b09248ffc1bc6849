/*
 * recvq.c - bytes received in order, until the application reads them
 *
 * State: work.recvq. Its memory is what the bytes cost, not how many they are: the window
 * is made from both (window.c).
 *
 * An application that reads as fast as short texts come empties a small buffer each time: the
 * last one stays with the connection, for the next text, as long as that is busy.
 *
 * A buffer that the application has posted is the head of the queue: text goes straight there as
 * long as nothing before it lies in pieces. It counts like all that was not read, but costs nothing.
 */
#include "tcp/recvq.h"
#include "base/check.h"
#include "base/hint.h"
#include "base/num.h"
#include "base/parts.h"
#include "tcp/seg.h"

void recvq_fini(struct tcp_conn *c, struct tcp_env *env)
{
    struct recvq *q = &c->work->recvq;

    pieces_clear(&q->pieces, &env->pieces, env->bufs);
    if (q->spare != NULL)
        piece_put(&env->pieces, env->bufs, &q->spare);
}

/* What goes next into the posted buffer, and how much does. */
static uint8_t *posted_end(const struct posted *p)
{
    return p->bytes + p->filled;
}

static uint32_t posted_room(const struct recvq *q)
{
    return HAS_POSTED_READS && q->pieces.head == NULL ? q->posted.size - q->posted.filled : 0;
}

/* Where a short text goes, if there is such a piece already; or NULL. */
static struct piece *open_piece(const struct recvq *q)
{
    return q->pieces.tail != NULL ? q->pieces.tail : q->spare;
}

struct piece *recvq_piece_for(const struct tcp_conn *c, struct tcp_env *env, uint32_t len)
{
    const struct recvq *q = &c->work->recvq;
    struct piece *p = open_piece(q);

    if (posted_room(q) > 0)
        return NULL;
    if (p == NULL)
        return len <= piece_room_max(env->bufs) ? piece_new(env->bufs, len) : NULL;
    return p->room >= len ? p : NULL;
}

void recvq_add_to(struct tcp_conn *c, struct piece *piece, struct span text)
{
    struct recvq *q = &c->work->recvq;

    if (piece != q->pieces.tail) {
        q->spare = NULL;
        q->memory += piece->buf->memory;
        pieces_append(&q->pieces, piece);
    }
    piece_fill(piece, text);
    q->bytes += (uint32_t)text.len;
}

/* A text that fits into what is there already. */
static bool add_short(struct tcp_conn *c, const struct tcp_seg *seg)
{
    struct piece *p = open_piece(&c->work->recvq);
    struct span text;

    if (p == NULL || p->room < seg->len)
        return false;
    text = tcp_seg_run_to_copy(seg);
    if (text.len != seg->len)
        return false;
    recvq_add_to(c, p, text);
    return true;
}

/* What needs memory comes first, so that failing changes nothing. */
static APART bool add_posted(struct recvq *q, struct tcp_env *env, struct tcp_seg *seg)
{
    uint32_t len = u32_min(posted_room(q), seg->len);

    if (len < seg->len && !tcp_seg_take_text(seg, env, len, seg->len - len, &q->pieces, &q->memory))
        return false;
    tcp_seg_copy_text(seg, posted_end(&q->posted), len);
    q->posted.filled += len;
    q->bytes += seg->len;
    return true;
}

bool recvq_add(struct tcp_conn *c, struct tcp_env *env, struct tcp_seg *seg)
{
    struct recvq *q = &c->work->recvq;

    if (posted_room(q) > 0)
        return add_posted(q, env, seg);
    if (HAS_PREDICTION && add_short(c, seg))
        return true;
    if (!tcp_seg_take_text(seg, env, 0, seg->len, &q->pieces, &q->memory))
        return false;
    q->bytes += seg->len;
    return true;
}

void recvq_join(struct tcp_conn *c, struct pieces *pieces, uint32_t bytes, uint32_t memory)
{
    struct recvq *q = &c->work->recvq;

    pieces_join(&q->pieces, pieces);
    q->bytes += bytes;
    q->memory += memory;
}

static APART uint32_t copy_pieces(const struct recvq *q, uint32_t skip, uint8_t *bytes,
                                  uint32_t len)
{
    uint32_t done = 0;

    for (const struct piece *p = q->pieces.head; p != NULL && done < len; p = p->next) {
        uint32_t from = skip < p->len ? skip : p->len;
        uint32_t part = p->len - from < len - done ? p->len - from : len - done;
        span_copy(bytes + done, span_of(p->bytes + from, part));
        skip -= from;
        done += part;
    }
    return done;
}

uint32_t recvq_copy(const struct tcp_conn *c, uint32_t skip, uint8_t *bytes, uint32_t len)
{
    const struct recvq *q = &c->work->recvq;
    struct span posted =
        span_take(span_drop(span_of(q->posted.bytes, q->posted.filled), skip), len);
    uint32_t done = (uint32_t)posted.len;

    if (!HAS_POSTED_READS)
        return copy_pieces(q, skip, bytes, len);
    span_copy(bytes, posted);
    if (done == len)
        return len;
    return done + copy_pieces(q, skip - u32_min(skip, q->posted.filled), bytes + done, len - done);
}

uint32_t recvq_show(const struct tcp_conn *c, struct weir_slice *slices, size_t max, size_t *count)
{
    uint32_t shown = 0;

    *count = 0;
    for (const struct piece *p = c->work->recvq.pieces.head; p != NULL && *count < max;
         p = p->next) {
        slices[(*count)++] = (struct weir_slice){p->bytes, p->len};
        shown += p->len;
    }
    return shown;
}

/* All has been read, and it lay in one small buffer. */
static bool keep_spare(struct recvq *q)
{
    struct piece *p = q->pieces.head;

    if (!HAS_PREDICTION || !USUALLY(p == q->pieces.tail && q->spare == NULL)
        || !USUALLY(piece_empty(p)))
        return false;
    q->memory -= p->buf->memory;
    q->pieces = (struct pieces){NULL, NULL};
    q->spare = p;
    return true;
}

static void drop_pieces(struct recvq *q, struct tcp_env *env, uint32_t len, bool is_all)
{
    if (!is_all || len == 0 || !keep_spare(q))
        q->memory -= pieces_drop(&q->pieces, &env->pieces, env->bufs, len);
}

void recvq_drop(struct tcp_conn *c, struct tcp_env *env, uint32_t len)
{
    struct recvq *q = &c->work->recvq;

    CHECK(len <= q->bytes && !recvq_has_posted(q));
    drop_pieces(q, env, len, len == q->bytes);
    q->bytes -= len;
}

/* Nearly always a short text is read as a whole. */
uint32_t recvq_read(struct tcp_conn *c, struct tcp_env *env, uint8_t *bytes, uint32_t len)
{
    struct recvq *q = &c->work->recvq;
    const struct piece *first = q->pieces.head;

    if (USUALLY(len >= q->bytes && first->len == q->bytes)) {
        len = first->len;
        span_copy(bytes, span_of(first->bytes, len));
        drop_pieces(q, env, len, true);
        q->bytes = 0;
        return len;
    }
    len = copy_pieces(q, 0, bytes, len);
    recvq_drop(c, env, len);
    return len;
}

/* ---- a read that was posted ---- */

/* What waits in pieces goes into what is free of the buffer. */
static void fill_posted(struct recvq *q, struct tcp_env *env)
{
    struct posted *p = &q->posted;
    uint32_t in_pieces = q->bytes - p->filled;
    uint32_t len = u32_min(p->size - p->filled, in_pieces);

    if (len == 0)
        return;
    (void)copy_pieces(q, 0, posted_end(p), len);
    drop_pieces(q, env, len, len == in_pieces);
    p->filled += len;
}

void recvq_post(struct tcp_conn *c, struct tcp_env *env, uint8_t *bytes, uint32_t size)
{
    struct recvq *q = &c->work->recvq;

    q->posted = (struct posted){.bytes = bytes, .size = size};
    fill_posted(q, env);
}

uint32_t recvq_unpost(struct tcp_conn *c, struct tcp_env *env)
{
    struct recvq *q = &c->work->recvq;
    uint32_t filled;

    fill_posted(q, env);
    filled = q->posted.filled;
    q->posted = (struct posted){.bytes = NULL};
    q->bytes -= filled;
    return filled;
}

uint8_t *recvq_place(const struct tcp_conn *c, const struct tcp_seg *seg, uint32_t *room)
{
    const struct recvq *q;
    uint32_t free_bytes;

    *room = 0;
    if (c->work == NULL || !tcp_takes_text(c) || !seq_eq(seg->seq, c->rcv.nxt))
        return NULL;
    q = &c->work->recvq;
    free_bytes = posted_room(q);
    if (free_bytes <= seg->len)
        return NULL;
    *room = free_bytes - seg->len;
    return posted_end(&q->posted) + seg->len;
}
