/*
 * rxbufs.h - buffers that a driver receives into and that a stack may keep
 *
 * All are of one size and made at once; their memory is touched only when they are used.
 * A buffer is free, lent (until the driver receives again) or kept by a stack until it
 * calls the release function. Some are never given away to keep, so that there is always
 * something to receive into. Buffers still kept when the driver is closed live on.
 */
#ifndef DRIVERS_RXBUFS_H
#define DRIVERS_RXBUFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/weir.h>

struct rxbuf {
    struct rxbufs *pool;
    struct rxbuf *next;
    uint8_t *bytes;
};

struct rxbufs {
    struct rxbuf *free;
    struct rxbuf *lent;
    size_t size;     /* of each buffer */
    size_t keep_max; /* so many may be kept at once */
    size_t kept;
    bool closed;
    struct rxbuf bufs[];
};

/* lend_count buffers for the driver, and keep_max more that may be kept. NULL: no memory. */
struct rxbufs *rxbufs_open(size_t size, size_t lend_count, size_t keep_max);
void rxbufs_close(struct rxbufs **pool);

/* NULL: as many are lent as were asked for. */
struct rxbuf *rxbufs_get(struct rxbufs *pool);
void rxbufs_put(struct rxbufs *pool, struct rxbuf *buf);

/*
 * Makes the len bytes that were received into buf a frame of one slice: to be kept if it is
 * long enough to be worth the buffer, else lent.
 */
void rxbufs_frame(struct rxbufs *pool, struct rxbuf *buf, size_t len, struct weir_frame *frame);

/* The driver receives again: what was lent comes back. */
void rxbufs_reclaim(struct rxbufs *pool);

#endif
