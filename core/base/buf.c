/*
 * buf.c - bytes with several owners
 */
#include "base/buf.h"

#include "base/hint.h"
#include "base/num.h"

enum {
    trimmed_unit = 16, /* what is trimmed stays a multiple of this */
};

/*
 * 16 KiB four times do not fit into 64 KiB together with the slab's header, and three
 * would waste a quarter. So a size is trimmed if that wins more than it loses.
 */
static size_t fitted(size_t size, size_t slab_size)
{
    if (size == 0 || size > slab_size)
        return size;

    size_t room = slab_size - size_min(slab_size, POOL_SLAB_HEADER);
    size_t wanted_count = slab_size / size;
    size_t trimmed = room / wanted_count & ~(size_t)(trimmed_unit - 1);

    return wanted_count * trimmed > room / size * size ? trimmed : size;
}

bool bufs_init(struct bufs *bufs, struct mem *mem, const uint32_t sizes[BUF_CLASSES],
               size_t slab_size)
{
    static const char *const names[BUF_CLASSES] = {"small buffers", "medium buffers",
                                                   "large buffers"};

    for (unsigned i = 0; i < BUF_CLASSES; i++) {
        size_t size = fitted(sizes[i], slab_size);

        if (size <= BUF_SPACE || (i > 0 && sizes[i] < sizes[i - 1]))
            return false;
        if (!pool_init(&bufs->pools[i], mem, names[i], size, slab_size))
            return false;
    }
    return pool_init(&bufs->pools[BUF_FOREIGN], mem, "foreign buffers", BUF_SPACE + BUF_ROOM,
                     slab_size);
}

void bufs_fini(struct bufs *bufs)
{
    for (unsigned i = 0; i <= BUF_FOREIGN; i++)
        pool_fini(&bufs->pools[i]);
}

/* How many bytes an own buf of a class has. */
static uint32_t room_of(const struct bufs *bufs, unsigned class)
{
    return bufs->pools[class].object_size - BUF_SPACE;
}

uint32_t bufs_largest(const struct bufs *bufs)
{
    return room_of(bufs, BUF_CLASSES - 1);
}

struct buf *buf_get(struct bufs *bufs, size_t size)
{
    uint8_t class = 0;

    while (class < BUF_CLASSES - 1 && room_of(bufs, class) < size)
        class ++;

    struct buf *b = pool_get(&bufs->pools[class]);

    if (!b)
        return NULL;
    *b = (struct buf){
        .refs = 1,
        .size = room_of(bufs, class),
        .bytes = (uint8_t *)b + BUF_SPACE,
        .memory = bufs->pools[class].object_size,
        .class = class,
    };
    return b;
}

struct buf *buf_wrap(struct bufs *bufs, void *bytes, uint32_t size, uint32_t memory,
                     void (*release)(void *owner), void *owner)
{
    struct buf *b = pool_get(&bufs->pools[BUF_FOREIGN]);

    if (!b)
        return NULL;
    *b = (struct buf){
        .refs = 1,
        .size = size,
        .bytes = bytes,
        .release = release,
        .owner = owner,
        .memory = memory + BUF_SPACE,
        .class = BUF_FOREIGN,
        .has_room = true,
    };
    return b;
}

/* Nobody has a reference any more. */
static APART void put(struct bufs *bufs, struct buf *b)
{
    void (*release)(void *owner) = b->release;
    void *owner = b->owner;

    pool_put(&bufs->pools[b->class], b);
    if (release)
        release(owner);
}

void buf_unref_many(struct bufs *bufs, struct buf *b, uint32_t count)
{
    CHECK(b->refs >= count);
    b->refs -= count;
    if (b->refs == 0)
        put(bufs, b);
}

void buf_unref(struct bufs *bufs, struct buf **buf)
{
    struct buf *b = *buf;

    *buf = NULL;
    if (b)
        buf_unref_many(bufs, b, 1);
}
