/*
 * recvq.c - bytes received in order, until the application reads them
 *
 * State: work.recvq. Its memory is what the bytes cost, not how many they are: the window
 * is made from both (window.c).
 */
#include "tcp/recvq.h"
#include "base/check.h"
#include "tcp/conn.h"
#include "tcp/seg.h"
#include <string.h>

void recvq_clear(struct tcp_conn *c, struct tcp_env *env)
{
    pieces_clear(&c->work->recvq.pieces, &env->pieces, env->bufs);
    c->work->recvq = (struct recvq){0};
}

bool recvq_add(struct tcp_conn *c, struct tcp_env *env, struct tcp_seg *seg)
{
    struct recvq *q = &c->work->recvq;

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

uint32_t recvq_copy(const struct tcp_conn *c, uint32_t skip, uint8_t *bytes, uint32_t len)
{
    uint32_t done = 0;

    for (const struct piece *p = c->work->recvq.pieces.head; p != NULL && done < len; p = p->next) {
        uint32_t from = skip < p->len ? skip : p->len;
        uint32_t part = p->len - from < len - done ? p->len - from : len - done;
        memcpy(bytes + done, p->bytes + from, part);
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

void recvq_drop(struct tcp_conn *c, struct tcp_env *env, uint32_t len)
{
    struct recvq *q = &c->work->recvq;

    CHECK(len <= q->bytes);
    q->memory -= pieces_drop(&q->pieces, &env->pieces, env->bufs, len);
    q->bytes -= len;
}
