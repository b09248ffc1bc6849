/*
 * rxbufs.c - buffers that a driver receives into and that a stack may keep
 */
#include "drivers/rxbufs.h"

#include <stdlib.h>
#include <string.h>

enum {
    KEEP_MIN = 16384, /* to copy fewer bytes costs less than to hold a buffer for them */
};

struct rxbufs *rxbufs_open(size_t size, size_t lend_count, size_t keep_max)
{
    size_t count = lend_count + keep_max;
    struct rxbufs *pool = calloc(1, sizeof *pool + count * sizeof pool->bufs[0]);
    uint8_t *memory = malloc(count * size);

    if (pool == NULL || memory == NULL) {
        free(pool);
        free(memory);
        return NULL;
    }
    pool->size = size;
    pool->keep_max = keep_max;
    for (size_t i = count; i-- > 0;) {
        pool->bufs[i] = (struct rxbuf){pool, NULL, memory + i * size};
        rxbufs_put(pool, &pool->bufs[i]);
    }
    return pool;
}

static void free_when_unused(struct rxbufs *pool)
{
    if (!pool->closed || pool->kept > 0)
        return;
    free(pool->bufs[0].bytes);
    free(pool);
}

void rxbufs_close(struct rxbufs **pool)
{
    if (*pool == NULL)
        return;
    (*pool)->closed = true;
    free_when_unused(*pool);
    *pool = NULL;
}

struct rxbuf *rxbufs_get(struct rxbufs *pool)
{
    struct rxbuf *buf = pool->free;

    if (buf != NULL)
        pool->free = buf->next;
    return buf;
}

void rxbufs_put(struct rxbufs *pool, struct rxbuf *buf)
{
    buf->next = pool->free;
    pool->free = buf;
}

/* The stack no longer needs a buffer that it kept. */
static void release(void *owner)
{
    struct rxbuf *buf = owner;
    struct rxbufs *pool = buf->pool;

    pool->kept--;
    rxbufs_put(pool, buf);
    free_when_unused(pool);
}

void rxbufs_frame(struct rxbufs *pool, struct rxbuf *buf, size_t len, struct weir_frame *frame)
{
    memset(frame, 0, sizeof *frame);
    frame->slices[0] = (struct weir_slice){buf->bytes, len};
    frame->slice_count = 1;
    frame->len = len;
    if (len >= KEEP_MIN && pool->kept < pool->keep_max) {
        frame->release = release;
        frame->owner = buf;
        frame->memory = (uint32_t)pool->size;
        pool->kept++;
        return;
    }
    buf->next = pool->lent;
    pool->lent = buf;
}

void rxbufs_reclaim(struct rxbufs *pool)
{
    while (pool->lent != NULL) {
        struct rxbuf *buf = pool->lent;

        pool->lent = buf->next;
        rxbufs_put(pool, buf);
    }
}
