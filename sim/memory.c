/*
 * memory.c - the memory of one stack, counted
 */
#include "sim/memory.h"

#include <stdlib.h>

static void *take(void *ctx, size_t size, size_t align)
{
    struct memory *m = ctx;
    void *memory = NULL;

    if (posix_memalign(&memory, align < sizeof(void *) ? sizeof(void *) : align, size) != 0)
        return NULL;
    m->blocks++;
    m->bytes += size;
    return memory;
}

static void give(void *ctx, void *memory, size_t size)
{
    struct memory *m = ctx;

    m->blocks--;
    m->bytes -= size;
    free(memory);
}

struct weir_allocator memory_allocator(struct memory *m)
{
    return (struct weir_allocator){take, give, m};
}
