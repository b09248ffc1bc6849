/*
 * recvq.c - bytes received in order, until the application reads them
 *
 * State: work.recvq. Its memory is what the bytes cost, not how many they are: the window
 * is made from both (window.c).
 *
 * An application that reads as fast as short texts come empties a small buffer each time: the
 * last one stays with the connection, for the next text, as long as that is busy.
 */
#include "tcp/recvq.h"
#include "base/check.h"
#include "tcp/conn.h"
#include "tcp/seg.h"

void recvq_clear(struct tcp_conn *c, struct tcp_env *env)
{
    struct recvq *q = &c->work->recvq;

    pieces_clear(&q->pieces, &env->pieces, env->bufs);
    if (q->spare != NULL)
        piece_put(&env->pieces, env->bufs, &q->spare);
    *q = (struct recvq){0};
}

/* A text that fits into what is there already. */
static bool add_short(struct recvq *q, const struct tcp_seg *seg)
{
    struct piece *p = q->pieces.tail != NULL ? q->pieces.tail : q->spare;
    struct span text;

    if (p == NULL || p->room < seg->len)
        return false;
    text = tcp_seg_run_to_copy(seg);
    if (text.len != seg->len)
        return false;
    if (p == q->spare) {
        q->spare = NULL;
        q->memory += p->buf->memory;
        pieces_append(&q->pieces, p);
    }
    piece_fill(p, text);
    return true;
}

bool recvq_add(struct tcp_conn *c, struct tcp_env *env, struct tcp_seg *seg)
{
    struct recvq *q = &c->work->recvq;

    if (!add_short(q, seg) && !tcp_seg_take_text(seg, env, 0, seg->len, &q->pieces, &q->memory))
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

uint32_t recvq_copy(const struct tcp_conn *c, uint32_t skip, uint8_t *bytes, uint32_t len)
{
    uint32_t done = 0;

    for (const struct piece *p = c->work->recvq.pieces.head; p != NULL && done < len; p = p->next) {
        uint32_t from = skip < p->len ? skip : p->len;
        uint32_t part = p->len - from < len - done ? p->len - from : len - done;
        span_copy(bytes + done, span_of(p->bytes + from, part));
        skip -= from;
        done += part;
    }
    return done;
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

    if (p != q->pieces.tail || q->spare != NULL || !piece_empty(p))
        return false;
    q->memory -= p->buf->memory;
    q->pieces = (struct pieces){NULL, NULL};
    q->spare = p;
    return true;
}

void recvq_drop(struct tcp_conn *c, struct tcp_env *env, uint32_t len)
{
    struct recvq *q = &c->work->recvq;

    CHECK(len <= q->bytes);
    if (len < q->bytes || len == 0 || !keep_spare(q))
        q->memory -= pieces_drop(&q->pieces, &env->pieces, env->bufs, len);
    q->bytes -= len;
}
