/*
 * buf.h - bytes with several owners
 *
 * A buf is counted: whoever keeps a pointer to one owns a reference. Its bytes either
 * follow it in the same pool object (own), or belong to somebody who is told by
 * release(owner) when the last reference goes (foreign). Who fills it and who reads
 * which part is for its users to know; a buf has no beginning, end or headroom.
 */
#ifndef CORE_BASE_BUF_H
#define CORE_BASE_BUF_H

#include "base/check.h"
#include "base/pool.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mem;

enum {
    BUF_CLASSES = 3, /* sizes of own bufs */
    BUF_FOREIGN = BUF_CLASSES,
    BUF_ROOM = 3 * sizeof(void *) + 2 * sizeof(uint32_t), /* bytes behind a foreign buf */
};

struct buf {
    uint32_t refs;
    uint32_t size; /* of bytes */
    uint8_t *bytes;
    void (*release)(void *owner); /* NULL: nobody wants to know */
    void *owner;
    uint32_t memory; /* what it costs in all, to be charged to whoever keeps it */
    uint8_t class;   /* of the pool it came from */
    bool has_sums;   /* behind the bytes (sums.h) */
    bool has_room;   /* foreign: nobody has taken the room behind it yet */
};

/*
 * What a header takes and is charged for, whatever the size of a pointer: windows follow from what
 * bytes cost, and a run has to be the same on every machine.
 */
enum { BUF_SPACE = 40 };

_Static_assert(sizeof(struct buf) <= BUF_SPACE, "its bytes stand behind it");

/* Where bufs come from: a pool for each size, and one for the headers of foreign ones. */
struct bufs {
    struct pool pools[BUF_CLASSES + 1];
};

/*
 * Sets up empty pools of bufs that are sizes[] bytes long in all, header included, in
 * ascending order. A size of which a slab would hold one fewer than its length suggests,
 * for want of the slab's header, is made smaller so that it fits. False: a size is too
 * small to hold anything or too large for a slab.
 */
bool bufs_init(struct bufs *bufs, struct mem *mem, const uint32_t sizes[BUF_CLASSES],
               size_t slab_size);
void bufs_fini(struct bufs *bufs);

/* How many bytes the largest own buf has. */
uint32_t bufs_largest(const struct bufs *bufs);

/*
 * A buf of the smallest class that has size bytes, or of the largest if none has, with
 * one reference and undefined content. NULL: out of memory.
 */
struct buf *buf_get(struct bufs *bufs, size_t size);

/*
 * A buf around somebody else's bytes, with one reference. memory is what they really cost
 * their owner. NULL: out of memory; release is not called then.
 */
struct buf *buf_wrap(struct bufs *bufs, void *bytes, uint32_t size, uint32_t memory,
                     void (*release)(void *owner), void *owner);

static inline struct buf *buf_ref(struct buf *b)
{
    CHECK(b->refs != 0 && b->refs != UINT32_MAX);
    b->refs++;
    return b;
}

/* The same count times. */
static inline void buf_ref_many(struct buf *b, uint32_t count)
{
    CHECK(b->refs != 0 && count <= UINT32_MAX - b->refs);
    b->refs += count;
}

/* Takes count references to b. */
void buf_unref_many(struct bufs *bufs, struct buf *b, uint32_t count);

/*
 * The BUF_ROOM bytes behind a foreign buf, for whoever asks first and as long as he has a reference;
 * else NULL. They spare him an object of his own.
 */
static inline void *buf_take_room(struct buf *b)
{
    uint8_t *room = b->has_room ? (uint8_t *)b + BUF_SPACE : NULL;

    b->has_room = false;
    return room;
}

/* Takes *b, which may be NULL; leaves NULL. */
void buf_unref(struct bufs *bufs, struct buf **b);

/* Of the smallest class. */
static inline bool buf_is_small(const struct buf *b)
{
    return b->class == 0;
}

/* True if nobody else has a reference, so that the bytes may be written. */
static inline bool buf_is_sole(const struct buf *b)
{
    return b->refs == 1;
}

#endif
