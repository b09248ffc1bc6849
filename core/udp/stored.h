/*
 * stored.h - bytes that wait for the application, copied into bufs
 *
 * The first buf begins with a struct of the queue's owner whose first member is a struct
 * stored; the payload follows it, and goes on in further bufs if it has to.
 */
#ifndef CORE_UDP_STORED_H
#define CORE_UDP_STORED_H

#include "base/list.h"
#include <stddef.h>
#include <stdint.h>
#include <weir/weir.h>

struct buf;
struct bufs;
struct stored_more;

struct stored {
    struct list link;
    struct buf *buf; /* the one this is in */
    struct stored_more *more;
    size_t header_len; /* of the owner's struct */
    size_t len;        /* of the payload */
    uint32_t memory;   /* what all its bufs cost */
};

/* Room for a struct of header_len bytes and a copy of the payload. NULL: out of memory. */
struct stored *stored_make(struct bufs *bufs, size_t header_len, const struct weir_slice *slices,
                           size_t slice_count);

/* Copies the payload's first len bytes, or all if it has fewer. */
void stored_copy(const struct stored *s, void *bytes, size_t len);

/* Takes *s, which is in no list; leaves NULL. */
void stored_free(struct bufs *bufs, struct stored **s);

#endif
