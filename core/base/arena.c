/*
 * arena.c - an allocator over one fixed block of memory
 *
 * Memory up to arena.used has been handed out at some time; what came back is in a list
 * of free blocks in the order of their addresses, neighbours joined. There are few
 * blocks, for only slabs and tables are asked for, so the list is simply walked. All
 * lengths and addresses are multiples of the length of a block's header.
 */
#include "base/check.h"
#include "base/num.h"
#include <stdbool.h>
#include <weir/config.h>

struct block {
    struct block *next;
    size_t size;
};

enum {
    unit = sizeof(struct block),
};

_Static_assert((unit & (unit - 1)) == 0, "a header's length is a power of two");

/* How many bytes after p the next multiple of align is. */
static size_t gap_to(const void *p, size_t align)
{
    return (size_t)(-(uintptr_t)p & (align - 1));
}

static uint8_t *end_of(struct block *b)
{
    return (uint8_t *)b + b->size;
}

/* The next block becomes part of b if they touch. */
static void join_next(struct block *b)
{
    struct block *next = b->next;

    if (next && end_of(b) == (uint8_t *)next) {
        b->size += next->size;
        b->next = next->next;
    }
}

static struct block *list_of(const struct weir_arena *arena)
{
    return arena->free_list;
}

/* Puts size bytes, which may be none, into the list. */
static void give(struct weir_arena *arena, uint8_t *memory, size_t size)
{
    struct block *before = NULL;
    struct block *after = list_of(arena);
    struct block *b = (void *)memory;

    if (size == 0)
        return;
    while (after && (uint8_t *)after < memory) {
        before = after;
        after = after->next;
    }
    *b = (struct block){after, size};
    join_next(b);
    if (before) {
        before->next = b;
        join_next(before);
    } else {
        arena->free_list = b;
    }
}

static void take_out(struct weir_arena *arena, struct block *b)
{
    struct block *before = list_of(arena);

    if (before == b) {
        arena->free_list = b->next;
        return;
    }
    while (before->next != b)
        before = before->next;
    before->next = b->next;
}

/* The smallest free block that has room. */
static struct block *best_of(const struct weir_arena *arena, size_t size, size_t align)
{
    struct block *best = NULL;

    for (struct block *b = list_of(arena); b; b = b->next) {
        size_t gap = gap_to(b, align);

        if (gap <= b->size && size <= b->size - gap && (!best || b->size < best->size))
            best = b;
    }
    return best;
}

static void *take_from_list(struct weir_arena *arena, size_t size, size_t align)
{
    struct block *b = best_of(arena, size, align);

    if (!b)
        return NULL;

    uint8_t *memory = (uint8_t *)b;
    size_t room = b->size;
    size_t gap = gap_to(b, align);

    take_out(arena, b);
    give(arena, memory, gap);
    give(arena, memory + gap + size, room - gap - size);
    return memory + gap;
}

static void *take_from_rest(struct weir_arena *arena, size_t size, size_t align)
{
    uint8_t *memory = arena->memory + arena->used;
    size_t room = arena->len - arena->used;
    size_t gap = gap_to(memory, align);

    if (gap > room || size > room - gap)
        return NULL;
    arena->used += gap + size;
    give(arena, memory, gap);
    return memory + gap;
}

static void *arena_alloc(void *ctx, size_t size, size_t align)
{
    struct weir_arena *arena = ctx;

    if (size > arena->len)
        return NULL;
    size = round_up(size, unit);
    align = size_max(align, unit);

    void *memory = take_from_list(arena, size, align);

    return memory ? memory : take_from_rest(arena, size, align);
}

static void arena_free(void *ctx, void *memory, size_t size)
{
    struct weir_arena *arena = ctx;
    const uint8_t *bytes = memory;

    CHECK(bytes >= arena->memory && bytes < arena->memory + arena->used);
    give(arena, memory, round_up(size, unit));
}

struct weir_allocator weir_arena_init(struct weir_arena *arena, void *memory, size_t len)
{
    size_t gap = size_min(gap_to(memory, unit), len);

    /* Without memory it may be NULL, to which nothing is added. */
    *arena = (struct weir_arena){
        .memory = gap != 0 ? (uint8_t *)memory + gap : memory,
        .len = (len - gap) & ~(size_t)(unit - 1),
    };
    return (struct weir_allocator){arena_alloc, arena_free, arena};
}
