/*
 * mem.c - the caller's allocator, within a budget
 */
#include "base/mem.h"

#include "base/check.h"
#include "base/num.h"

void mem_init(struct mem *mem, const struct weir_allocator *allocator, size_t limit)
{
    *mem = (struct mem){
        .alloc = allocator->alloc,
        .free = allocator->free,
        .ctx = allocator->ctx,
        .limit = limit,
    };
}

void *mem_alloc(struct mem *mem, size_t size, size_t align)
{
    CHECK(size != 0 && is_power_of_two(align));

    if (mem->used > mem->limit || size > mem->limit - mem->used)
        return NULL;

    void *memory = mem->alloc(mem->ctx, size, align);

    if (!memory)
        return NULL;
    mem->used += size;
    mem->peak = size_max(mem->peak, mem->used);
    return memory;
}

void mem_free(struct mem *mem, void *memory, size_t size)
{
    if (!memory)
        return;
    CHECK(size <= mem->used);
    mem->used -= size;
    mem->free(mem->ctx, memory, size);
}
