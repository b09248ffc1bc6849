/*
 * pool.h - objects of one size, from slabs
 *
 * A slab is a power of two long and aligned to its length, so that an object's slab is
 * found by masking its address. Each slab hands out its own objects, last given back
 * first. Of slabs that are all free, one is kept and the rest go back to mem.
 *
 * A pool made by pool_init_handles can also name its objects by number:
 *
 *   index   which object: slab number and place, never changes while the object lives.
 *           Not dense; below 2^32.
 *   handle  generation << 32 | index, with a generation of 28 bits that is not 0: the
 *           top four bits are free for whoever hands handles out. A handle of an object
 *           that was given back finds nothing, whatever took its place since.
 *
 * The directory from slab numbers to slabs is a tree that grows by a level of
 * POOL_FAN_OUT when it is full, so no get ever copies or clears more than one node.
 *
 * Objects are aligned to the largest power of two that divides their size, at least 8
 * and at most 64.
 */
#ifndef CORE_BASE_POOL_H
#define CORE_BASE_POOL_H

#include "base/list.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mem;
struct slab;
struct pool_node;

enum {
    POOL_SLAB_HEADER = 64, /* bytes of a slab, at most, that are not objects */
    POOL_FAN_OUT = 64,
    POOL_GENERATION_BITS = 28,
};

struct pool {
    struct mem *mem;
    const char *name;
    uint32_t object_size; /* as rounded up to a multiple of 8 */
    uint32_t slab_size;
    uint32_t slab_objects; /* in one slab */
    uint32_t first_offset; /* of the first object in its slab */
    uint32_t reciprocal;   /* 2^32 / object_size, rounded up */
    bool has_handles;
    uint8_t slot_bits;      /* of an index: the place in the slab */
    uint8_t levels;         /* of the directory */
    struct list partial;    /* slabs with both free and live objects */
    struct list full;       /* slabs without a free object */
    struct slab *spare;     /* the one slab kept without a live object */
    struct pool_node *root; /* the directory */
    uint32_t slab_numbers;  /* given out so far */
    uint32_t free_number;   /* first of the numbers given back */
    uint32_t generation;    /* the last one given out */
    uint32_t used;          /* live objects */
    size_t held_bytes;      /* from mem: slabs and the directory */
};

/*
 * Sets up an empty pool; allocates nothing. slab_size is a power of two. False if not
 * even one object fits into a slab.
 */
bool pool_init(struct pool *pool, struct mem *mem, const char *name, size_t object_size,
               size_t slab_size);

/* The same for a pool whose objects have an index and a handle: 4 bytes more for each. */
bool pool_init_handles(struct pool *pool, struct mem *mem, const char *name, size_t object_size,
                       size_t slab_size);

/* Gives all memory back, also that of live objects. The pool may be used again after init. */
void pool_fini(struct pool *pool);

/* An object with undefined content, or NULL: out of memory. */
void *pool_get(struct pool *pool);

/* The same with all bytes zero. */
void *pool_get_zeroed(struct pool *pool);

void pool_put(struct pool *pool, void *object);

/*
 * The same for many objects at once: what is done for each slab is done once for those that follow one
 * another in it. pool_get_many returns how many there are; fewer than count: out of memory.
 */
size_t pool_get_many(struct pool *pool, void **objects, size_t count);
void pool_put_many(struct pool *pool, void *const *objects, size_t count);

/* Gives back the slab that is kept although all of it is free: for when memory is short. */
void pool_trim(struct pool *pool);

/* The rest is for pools with handles. object is live. */
uint32_t pool_index(const struct pool *pool, const void *object);
uint64_t pool_handle(const struct pool *pool, const void *object);

/* The object that a handle names, or NULL. Any number may be asked for. */
void *pool_find(const struct pool *pool, uint64_t handle);

/* The object at an index, which must be live. */
void *pool_at(const struct pool *pool, uint32_t index);

/* Starts bringing that object, and what pool_handle looks at, into the cache. */
void pool_prefetch(const struct pool *pool, uint32_t index);

/*
 * Visits the live objects in the order of their indices:
 *     uint32_t i = 0;
 *     for (void *object; (object = pool_next(pool, &i)) != NULL;)
 * NULL after the last. The object just returned may be put.
 */
void *pool_next(const struct pool *pool, uint32_t *index);

#endif
