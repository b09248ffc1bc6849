#include "lib/check_fails.h"
#include "lib/test.h"
#include <string.h>
#include <weir/config.h>

enum {
    arena_bytes = 1 << 16,
};

static _Alignas(4096) uint8_t memory[arena_bytes];
static struct weir_arena arena;

static struct weir_allocator arena_of(size_t offset, size_t len)
{
    return weir_arena_init(&arena, memory + offset, len);
}

static void *get(const struct weir_allocator *a, size_t size, size_t align)
{
    return a->alloc(a->ctx, size, align);
}

static void give(const struct weir_allocator *a, void *block, size_t size)
{
    a->free(a->ctx, block, size);
}

TEST(arena_hands_out_aligned_blocks_within_its_memory)
{
    struct weir_allocator a = arena_of(8, arena_bytes - 8);

    for (size_t align = 1; align <= 4096; align *= 2) {
        uint8_t *block = get(&a, 100, align);

        EXPECT(block != NULL);
        EXPECT_EQ((uintptr_t)block % align, 0);
        EXPECT(block >= memory + 8 && block + 100 <= memory + arena_bytes);
        memset(block, 0xff, 100);
    }
}

TEST(arena_holds_as_many_slabs_as_fit)
{
    struct weir_allocator a = arena_of(0, arena_bytes);

    for (int i = 0; i < 16; i++)
        EXPECT(get(&a, 4096, 4096) != NULL);
    EXPECT(get(&a, 4096, 4096) == NULL);
    EXPECT(get(&a, 1, 1) == NULL);
}

TEST(arena_reuses_what_was_given_back)
{
    struct weir_allocator a = arena_of(0, arena_bytes);
    void *slabs[16];

    for (int i = 0; i < 16; i++)
        slabs[i] = get(&a, 4096, 4096);
    give(&a, slabs[3], 4096);
    give(&a, slabs[9], 4096);

    void *first = get(&a, 4096, 4096);
    void *second = get(&a, 4096, 4096);

    EXPECT(first != second);
    EXPECT(first == slabs[3] || first == slabs[9]);
    EXPECT(second == slabs[3] || second == slabs[9]);
    EXPECT(get(&a, 4096, 4096) == NULL);
}

TEST(arena_uses_the_gaps_that_alignment_leaves)
{
    struct weir_allocator a = arena_of(0, 8192);

    EXPECT(get(&a, 64, 8) == memory);
    EXPECT(get(&a, 4096, 4096) == memory + 4096);
    EXPECT(get(&a, 4096 - 64, 8) == memory + 64);
    EXPECT(get(&a, 1, 1) == NULL);
}

TEST(arena_joins_neighbours_whatever_the_order_they_come_back_in)
{
    static const int orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {0, 2, 1, 3}, {2, 0, 3, 1}};

    for (size_t o = 0; o < sizeof orders / sizeof orders[0]; o++) {
        struct weir_allocator a = arena_of(0, 4096);
        void *blocks[4];

        for (int i = 0; i < 4; i++)
            blocks[i] = get(&a, 1024, 64);
        for (int i = 0; i < 4; i++)
            give(&a, blocks[orders[o][i]], 1024);
        EXPECT(get(&a, 4096, 4096) == memory);
    }
}

TEST(arena_takes_the_smallest_block_that_fits)
{
    struct weir_allocator a = arena_of(0, 8192);
    uint8_t *large = get(&a, 1024, 64);
    void *between = get(&a, 64, 64);
    uint8_t *small = get(&a, 128, 64);

    EXPECT(get(&a, 64, 64) != NULL);
    give(&a, large, 1024);
    give(&a, small, 128);
    EXPECT(get(&a, 100, 64) == small);
    EXPECT(get(&a, 100, 64) == large);
    EXPECT(between != NULL);
}

TEST(arena_without_room_has_no_memory)
{
    struct weir_allocator a = arena_of(0, 0);

    EXPECT(get(&a, 1, 1) == NULL);
    a = weir_arena_init(&arena, NULL, 0);
    EXPECT(get(&a, 1, 1) == NULL);
    a = arena_of(0, 256);
    EXPECT(get(&a, SIZE_MAX, 8) == NULL);
    EXPECT(get(&a, 257, 8) == NULL);
    EXPECT(get(&a, 256, 8) != NULL);
}

static void free_a_stranger(void *ctx)
{
    give(ctx, &arena, 64);
}

TEST(arena_refuses_what_is_not_its_own)
{
    struct weir_allocator a = arena_of(0, arena_bytes);

    EXPECT(check_fails(free_a_stranger, &a));
}

/* Blocks of random sizes are filled with their number, so that overlaps show. */
TEST(arena_never_hands_out_the_same_byte_twice)
{
    struct weir_allocator a = arena_of(16, arena_bytes - 16);
    struct block {
        uint8_t *bytes;
        size_t size;
    } blocks[64] = {{NULL, 0}};
    uint64_t random = test_seed();

    for (int step = 0; step < 20000; step++) {
        uint32_t i = test_random_below(&random, 64);
        struct block *b = &blocks[i];

        if (b->bytes) {
            for (size_t j = 0; j < b->size; j++)
                EXPECT_EQ(b->bytes[j], i);
            give(&a, b->bytes, b->size);
            b->bytes = NULL;
            continue;
        }
        b->size = 1 + test_random_below(&random, 1500);
        b->bytes = get(&a, b->size, (size_t)1 << test_random_below(&random, 9));
        if (b->bytes)
            memset(b->bytes, (int)i, b->size);
    }
    for (int i = 0; i < 64; i++) {
        if (blocks[i].bytes)
            give(&a, blocks[i].bytes, blocks[i].size);
    }
    EXPECT(get(&a, arena.used, 16) == memory + 16); /* all joined again */
}
