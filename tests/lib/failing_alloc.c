/*
 * failing_alloc.c - an allocator that runs out of memory when it is told to
 *
 * The record of a block lies apart from it, in one of many chains by the address, so
 * that blocks can be aligned to their size and be freed in any order.
 */
#include "lib/failing_alloc.h"

#include "lib/test.h"
#include <stdlib.h>
#include <string.h>

struct failing_block {
    struct failing_block *next;
    void *memory;
    size_t size;
};

enum {
    garbage = 0xa5,
};

static struct failing_block **chain_of(struct failing_alloc *a, const void *memory)
{
    uint64_t hash = (uint64_t)(uintptr_t)memory * UINT64_C(0x9e3779b97f4a7c15);

    return &a->chains[(hash >> 32) % FAILING_ALLOC_CHAINS];
}

static void note_block(struct failing_alloc *a, void *memory, size_t size)
{
    struct failing_block **chain = chain_of(a, memory);
    struct failing_block *block = malloc(sizeof *block);

    if (!block)
        FAIL("really out of memory");
    *block = (struct failing_block){*chain, memory, size};
    *chain = block;
    a->outstanding_count++;
    a->outstanding_bytes += size;
}

static bool is_to_fail(const struct failing_alloc *a)
{
    return a->fail_at != 0
           && (a->calls == a->fail_at || (a->fails_from_then && a->calls > a->fail_at));
}

static void *failing_alloc(void *ctx, size_t size, size_t align)
{
    struct failing_alloc *a = ctx;
    void *memory = NULL;

    EXPECT(size != 0);
    EXPECT(align != 0 && (align & (align - 1)) == 0);
    a->calls++;
    if (size > a->largest_bytes)
        a->largest_bytes = size;
    if (is_to_fail(a))
        return NULL;
    if (posix_memalign(&memory, align < sizeof(void *) ? sizeof(void *) : align, size) != 0)
        FAIL("really out of memory: %zu bytes", size);
    memset(memory, garbage, size);
    note_block(a, memory, size);
    return memory;
}

static void failing_free(void *ctx, void *memory, size_t size)
{
    struct failing_alloc *a = ctx;
    struct failing_block **link = chain_of(a, memory);

    while (*link && (*link)->memory != memory)
        link = &(*link)->next;

    struct failing_block *block = *link;

    if (!block)
        FAIL("freed what was not allocated, or twice");
    EXPECT_EQ(size, block->size);
    *link = block->next;
    a->outstanding_count--;
    a->outstanding_bytes -= size;
    memset(memory, garbage, size);
    free(memory);
    free(block);
}

void failing_alloc_init(struct failing_alloc *a)
{
    memset(a, 0, sizeof *a);
}

struct weir_allocator failing_alloc_allocator(struct failing_alloc *a)
{
    return (struct weir_allocator){failing_alloc, failing_free, a};
}

void failing_alloc_fini(struct failing_alloc *a)
{
    EXPECT_EQ(a->outstanding_count, 0);
    EXPECT_EQ(a->outstanding_bytes, 0);
}
