#include "base/mem.h"

#include "lib/check_fails.h"
#include "lib/failing_alloc.h"
#include "lib/test.h"

static struct failing_alloc heap;

static struct mem mem_of(size_t limit)
{
    struct mem mem;
    struct weir_allocator allocator;

    failing_alloc_init(&heap);
    allocator = failing_alloc_allocator(&heap);
    mem_init(&mem, &allocator, limit);
    return mem;
}

TEST(mem_counts_what_is_used)
{
    struct mem mem = mem_of(SIZE_MAX);
    void *first = mem_alloc(&mem, 1000, 8);
    void *second = mem_alloc(&mem, 4096, 4096);

    EXPECT(first != NULL && second != NULL);
    EXPECT_EQ((uintptr_t)second % 4096, 0);
    EXPECT_EQ(mem.used, 5096);
    mem_free(&mem, first, 1000);
    EXPECT_EQ(mem.used, 4096);
    EXPECT_EQ(mem.peak, 5096);
    mem_free(&mem, second, 4096);
    EXPECT_EQ(mem.used, 0);
    failing_alloc_fini(&heap);
}

TEST(mem_stops_at_the_limit)
{
    struct mem mem = mem_of(1000);
    void *memory = mem_alloc(&mem, 600, 8);

    EXPECT(memory != NULL);
    EXPECT(mem_alloc(&mem, 401, 8) == NULL);
    EXPECT(mem_alloc(&mem, SIZE_MAX, 8) == NULL);
    EXPECT_EQ(heap.calls, 1); /* the allocator was not even asked */

    void *rest = mem_alloc(&mem, 400, 8);

    EXPECT(rest != NULL);
    mem_free(&mem, memory, 600);
    mem_free(&mem, rest, 400);
    failing_alloc_fini(&heap);
}

TEST(mem_gives_nothing_when_the_limit_is_lowered_below_what_is_used)
{
    struct mem mem = mem_of(1000);
    void *memory = mem_alloc(&mem, 600, 8);

    mem.limit = 100;
    EXPECT(mem_alloc(&mem, 1, 1) == NULL);
    mem_free(&mem, memory, 600);
    memory = mem_alloc(&mem, 100, 1);
    EXPECT(memory != NULL);
    mem_free(&mem, memory, 100);
    failing_alloc_fini(&heap);
}

TEST(mem_counts_nothing_when_the_allocator_fails)
{
    struct mem mem = mem_of(SIZE_MAX);

    heap.fail_at = 1;
    EXPECT(mem_alloc(&mem, 100, 8) == NULL);
    EXPECT_EQ(mem.used, 0);
    EXPECT_EQ(mem.peak, 0);
}

TEST(mem_keeps_slabs_for_the_next)
{
    struct mem mem = mem_of(SIZE_MAX);
    void *slabs[3];

    mem_keep_slabs(&mem, 4096, 8192);
    for (int i = 0; i < 3; i++)
        slabs[i] = mem_alloc(&mem, 4096, 4096);
    for (int i = 0; i < 3; i++)
        mem_free(&mem, slabs[i], 4096);
    EXPECT_EQ(mem.used, 0);
    EXPECT_EQ(mem.kept_bytes, 8192);
    EXPECT_EQ(heap.calls, 3);

    void *again = mem_alloc(&mem, 4096, 4096);

    EXPECT(again == slabs[1]);
    EXPECT_EQ(heap.calls, 3);
    EXPECT_EQ(mem.used, 4096);
    EXPECT_EQ(mem.kept_bytes, 4096);
    EXPECT_EQ(mem.peak, 3 * 4096);
    mem_free(&mem, again, 4096);
    mem_trim(&mem);
    EXPECT_EQ(mem.kept_bytes, 0);
    failing_alloc_fini(&heap);
}

TEST(mem_keeps_nothing_that_a_slab_cannot_be)
{
    struct mem mem = mem_of(SIZE_MAX);
    void *other = mem_alloc(&mem, 2048, 8);

    mem_keep_slabs(&mem, 4096, 8192);
    mem_free(&mem, other, 2048);
    EXPECT_EQ(mem.kept_bytes, 0);
    failing_alloc_fini(&heap);
}

TEST(mem_gives_up_what_it_keeps_before_it_refuses)
{
    struct mem mem = mem_of(10000);
    void *slab = mem_alloc(&mem, 4096, 4096), *other;

    mem_keep_slabs(&mem, 4096, 8192);
    mem_free(&mem, slab, 4096);
    other = mem_alloc(&mem, 9000, 8); /* too much together with what is kept */
    EXPECT(other != NULL);
    EXPECT_EQ(mem.kept_bytes, 0);
    mem_free(&mem, other, 9000);

    slab = mem_alloc(&mem, 4096, 4096);
    mem_free(&mem, slab, 4096);
    heap.fail_at = heap.calls + 1;
    other = mem_alloc(&mem, 100, 8); /* the allocator has nothing, the first time */
    EXPECT(other != NULL);
    EXPECT_EQ(mem.kept_bytes, 0);
    mem_free(&mem, other, 100);
    failing_alloc_fini(&heap);
}

TEST(mem_keeps_nothing_above_a_limit_that_was_lowered)
{
    struct mem mem = mem_of(10000);
    void *slab = mem_alloc(&mem, 4096, 4096);

    mem_keep_slabs(&mem, 4096, 8192);
    mem_free(&mem, slab, 4096);
    mem.limit = 4000;
    EXPECT(mem_alloc(&mem, 4096, 4096) == NULL);
    EXPECT_EQ(mem.kept_bytes, 0);
    failing_alloc_fini(&heap);
}

TEST(mem_is_tight_when_less_than_an_eighth_is_left)
{
    struct mem mem = mem_of(80000);
    void *some = mem_alloc(&mem, 70000, 8), *more;

    EXPECT(!mem_is_tight(&mem));
    more = mem_alloc(&mem, 1, 1);
    EXPECT(mem_is_tight(&mem));
    mem_free(&mem, more, 1);
    mem_free(&mem, some, 70000);
    failing_alloc_fini(&heap);
}

TEST(mem_is_not_tight_because_of_what_is_kept)
{
    struct mem mem = mem_of(80000);
    void *slabs[2];

    mem_keep_slabs(&mem, 4096, 16384);
    for (int i = 0; i < 2; i++)
        slabs[i] = mem_alloc(&mem, 4096, 4096);
    for (int i = 0; i < 2; i++)
        mem_free(&mem, slabs[i], 4096);
    EXPECT_EQ(mem.kept_bytes, 8192);
    EXPECT(!mem_is_tight(&mem));
    mem_trim(&mem);
    failing_alloc_fini(&heap);
}

TEST(mem_free_of_null_does_nothing)
{
    struct mem mem = mem_of(SIZE_MAX);

    mem_free(&mem, NULL, 100);
    EXPECT_EQ(mem.used, 0);
}

static void free_too_much(void *ctx)
{
    int something = 0;

    mem_free(ctx, &something, sizeof something);
}

TEST(mem_free_of_more_than_is_used_is_our_mistake)
{
    struct mem mem = mem_of(SIZE_MAX);

    EXPECT(check_fails(free_too_much, &mem));
}
