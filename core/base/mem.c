/*
 * mem.c - the caller's allocator, within a budget
 */
#include "base/mem.h"

#include "base/check.h"
#include "base/num.h"
#include "base/parts.h"

#include <stdbool.h>

/* What is written into a slab that nobody uses. */
struct kept_slab {
    struct kept_slab *next;
};

void mem_init(struct mem *mem, const struct weir_allocator *allocator, size_t limit)
{
    *mem = (struct mem){
        .alloc = allocator->alloc,
        .free = allocator->free,
        .ctx = allocator->ctx,
        .limit = limit,
    };
}

void mem_keep_slabs(struct mem *mem, size_t slab_size, size_t max_bytes)
{
    CHECK(slab_size >= sizeof(struct kept_slab));
    mem->slab_size = slab_size;
    mem->kept_max_bytes = max_bytes;
}

static void *take_kept(struct mem *mem)
{
    struct kept_slab *slab = mem->kept;

    mem->kept = slab->next;
    mem->kept_bytes -= mem->slab_size;
    return slab;
}

void mem_trim(struct mem *mem)
{
    while (HAS_SCALE && mem->kept)
        mem->free(mem->ctx, take_kept(mem), mem->slab_size);
}

static bool is_within_limit(const struct mem *mem, size_t size)
{
    size_t held = mem->used + mem->kept_bytes;

    return held <= mem->limit && size <= mem->limit - held;
}

static void *take_fresh(struct mem *mem, size_t size, size_t align)
{
    return is_within_limit(mem, size) ? mem->alloc(mem->ctx, size, align) : NULL;
}

/* May be asked for again after what is kept has gone: there may be room then. */
static void *take(struct mem *mem, size_t size, size_t align)
{
    void *memory;

    if (HAS_SCALE && mem->kept && size == mem->slab_size && align == size
        && mem->used + size <= mem->limit)
        return take_kept(mem);
    memory = take_fresh(mem, size, align);
    if (memory || !HAS_SCALE || !mem->kept)
        return memory;
    mem_trim(mem);
    return take_fresh(mem, size, align);
}

void *mem_alloc(struct mem *mem, size_t size, size_t align)
{
    CHECK(size != 0 && is_power_of_two(align));

    void *memory = take(mem, size, align);

    if (!memory)
        return NULL;
    mem->used += size;
    mem->peak = size_max(mem->peak, mem->used + mem->kept_bytes);
    return memory;
}

/* Others than slabs may have their size; the address tells whether one can be used as a slab. */
static bool can_keep(const struct mem *mem, const void *memory, size_t size)
{
    return HAS_SCALE && size == mem->slab_size && (uintptr_t)memory % size == 0
           && size <= mem->kept_max_bytes - mem->kept_bytes;
}

void mem_free(struct mem *mem, void *memory, size_t size)
{
    struct kept_slab *slab = memory;

    if (!memory)
        return;
    CHECK(size <= mem->used);
    mem->used -= size;
    if (!can_keep(mem, memory, size)) {
        mem->free(mem->ctx, memory, size);
        return;
    }
    slab->next = mem->kept;
    mem->kept = slab;
    mem->kept_bytes += size;
}
