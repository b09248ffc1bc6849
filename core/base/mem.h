/*
 * mem.h - the caller's memory, within a budget
 *
 * Everything the library holds comes through here: slabs of pools, segments of tables.
 * Past the limit, or when the caller's allocator has nothing left, the answer is NULL,
 * which is an ordinary answer. Memory comes as the allocator left it, not zeroed.
 *
 * Slabs that are given back may be kept for the next one that needs a slab: where queues fill
 * and empty all the time, the allocator would be asked for each packet, and the machine for
 * fresh pages. What is kept counts against the limit and goes before anything is refused.
 */
#ifndef CORE_BASE_MEM_H
#define CORE_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/config.h>

struct mem {
    void *(*alloc)(void *ctx, size_t size, size_t align);
    void (*free)(void *ctx, void *memory, size_t size);
    void *ctx;
    size_t limit; /* bytes at most; may be lowered below used, then nothing more is given */
    size_t used;  /* without what is kept */
    size_t peak;  /* the most that used has been, with what is kept */
    struct kept_slab *kept;
    size_t slab_size; /* of what is kept; 0: nothing is */
    size_t kept_bytes;
    size_t kept_max_bytes;
};

/* Without a limit: SIZE_MAX. */
void mem_init(struct mem *mem, const struct weir_allocator *allocator, size_t limit);

/* Keeps slabs of this size (aligned to it) that are given back, up to max_bytes of them. */
void mem_keep_slabs(struct mem *mem, size_t slab_size, size_t max_bytes);

/* Gives the allocator what is kept. */
void mem_trim(struct mem *mem);

/* size is not zero; align is a power of two. NULL: there is no more. */
void *mem_alloc(struct mem *mem, size_t size, size_t align);

/*
 * Is less than an eighth of the limit left? What only adds to queues is refused then, so that
 * there is something for what empties them.
 */
static inline bool mem_is_tight(const struct mem *mem)
{
    return mem->limit != SIZE_MAX
           && (mem->used >= mem->limit || mem->limit - mem->used < mem->limit / 8);
}

/* size is what mem_alloc was asked for. memory may be NULL. */
void mem_free(struct mem *mem, void *memory, size_t size);

#endif
