#include "base/pool.h"

#include "base/mem.h"
#include "lib/check_fails.h"
#include "lib/failing_alloc.h"
#include "lib/test.h"
#include <string.h>

static struct failing_alloc heap;
static struct mem mem;
static struct pool pool;

static void set_up_mem(void)
{
    struct weir_allocator allocator;

    failing_alloc_init(&heap);
    allocator = failing_alloc_allocator(&heap);
    mem_init(&mem, &allocator, SIZE_MAX);
}

static void set_up(size_t object_size, size_t slab_size)
{
    set_up_mem();
    EXPECT(pool_init(&pool, &mem, "things", object_size, slab_size));
}

static void set_up_handles(size_t object_size, size_t slab_size)
{
    set_up_mem();
    EXPECT(pool_init_handles(&pool, &mem, "things", object_size, slab_size));
}

static void tear_down(void)
{
    pool_fini(&pool);
    EXPECT_EQ(mem.used, 0);
    failing_alloc_fini(&heap);
}

TEST(pool_init_allocates_nothing)
{
    set_up_handles(100, 4096);
    EXPECT_EQ(heap.calls, 0);
    EXPECT_EQ(pool.held_bytes, 0);
    EXPECT_EQ(pool.used, 0);
    tear_down();
}

TEST(pool_init_refuses_what_does_not_fit)
{
    set_up_mem();
    EXPECT(!pool_init(&pool, &mem, "x", 4096, 4096));
    EXPECT(!pool_init(&pool, &mem, "x", 4096 - 8, 4096));
    EXPECT(!pool_init(&pool, &mem, "x", SIZE_MAX, 4096));
    EXPECT(!pool_init(&pool, &mem, "x", 0, 4096));
    EXPECT(!pool_init(&pool, &mem, "x", 64, 3000));
    EXPECT(!pool_init(&pool, &mem, "x", 8, 16));
    EXPECT(!pool_init(&pool, &mem, "x", 64, 0));
    EXPECT(pool_init(&pool, &mem, "x", 4096 - POOL_SLAB_HEADER, 4096));
    EXPECT_EQ(pool.slab_objects, 1);
}

/* The idle connection's case: its slabs waste less than 3 percent. */
TEST(pool_wastes_little)
{
    static const size_t sizes[] = {216, 224, 256, 64};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        set_up(sizes[i], 65536);
        EXPECT(pool.slab_objects * sizes[i] > 65536u * 99 / 100);
        set_up_handles(sizes[i], 65536);
        EXPECT(pool.slab_objects * (sizes[i] + 4) > 65536u * 99 / 100);
    }
    set_up_handles(224, 65536);
    EXPECT(pool.slab_objects * 224 > 65536u * 97 / 100);
}

/* Every object of two slabs is written from end to end; none overlaps another or a header. */
static void expect_objects_apart(size_t size, size_t align)
{
    static uint8_t *objects[4096];
    uint32_t count = pool.slab_objects * 2;

    EXPECT(count <= 4096);
    for (uint32_t i = 0; i < count; i++) {
        objects[i] = pool_get(&pool);
        EXPECT(objects[i] != NULL);
        EXPECT_EQ((uintptr_t)objects[i] % align, 0);
        memset(objects[i], (int)(i % 251), size);
    }
    EXPECT_EQ(heap.outstanding_bytes, pool.held_bytes);
    EXPECT_EQ(pool.used, count);
    for (uint32_t i = 0; i < count; i++) {
        for (size_t j = 0; j < size; j++)
            EXPECT_EQ(objects[i][j], i % 251);
        if (pool.has_handles)
            EXPECT(pool_find(&pool, pool_handle(&pool, objects[i])) == objects[i]);
    }
    for (uint32_t i = 0; i < count; i++)
        pool_put(&pool, objects[i]);
    EXPECT_EQ(pool.used, 0);
}

TEST(pool_objects_are_aligned_and_do_not_overlap)
{
    static const struct {
        size_t size, align;
    } rows[] = {{1, 8},   {8, 8},    {20, 8},   {48, 16}, {64, 64},
                {96, 32}, {220, 32}, {256, 64}, {1000, 8}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set_up(rows[i].size, 8192);
        expect_objects_apart(rows[i].size, rows[i].align);
        tear_down();
        set_up_handles(rows[i].size, 8192);
        expect_objects_apart(rows[i].size, rows[i].align);
        tear_down();
    }
}

TEST(pool_gives_the_object_put_last)
{
    void *objects[3];

    set_up(64, 4096);
    for (int i = 0; i < 3; i++)
        objects[i] = pool_get(&pool);
    pool_put(&pool, objects[0]);
    pool_put(&pool, objects[2]);
    EXPECT(pool_get(&pool) == objects[2]);
    EXPECT(pool_get(&pool) == objects[0]);
    tear_down();
}

TEST(pool_uses_the_room_in_a_slab_that_was_full)
{
    void *objects[15];

    set_up(256, 4096);
    for (int i = 0; i < 15; i++)
        objects[i] = pool_get(&pool);
    pool_put(&pool, objects[5]);
    EXPECT(pool_get(&pool) == objects[5]);
    EXPECT_EQ(pool.held_bytes, 4096);
    tear_down();
}

TEST(pool_get_zeroed_clears_what_was_there)
{
    uint8_t zero[100] = {0};

    set_up(100, 4096);

    uint8_t *object = pool_get(&pool);

    memset(object, 0xff, 100);
    pool_put(&pool, object);
    object = pool_get_zeroed(&pool);
    EXPECT_MEM(object, zero, 100);
    tear_down();
}

TEST(pool_keeps_one_free_slab_and_returns_the_others)
{
    static void *objects[3 * 15];

    set_up(256, 4096);
    EXPECT_EQ(pool.slab_objects, 15);
    for (int i = 0; i < 3 * 15; i++)
        objects[i] = pool_get(&pool);
    EXPECT_EQ(pool.held_bytes, 3 * 4096);
    for (int i = 0; i < 15; i++)
        pool_put(&pool, objects[i]);
    EXPECT_EQ(pool.held_bytes, 3 * 4096);
    for (int i = 15; i < 30; i++)
        pool_put(&pool, objects[i]);
    EXPECT_EQ(pool.held_bytes, 2 * 4096);
    for (int i = 30; i < 45; i++)
        pool_put(&pool, objects[i]);
    EXPECT_EQ(pool.held_bytes, 4096);

    /* At the edge of a slab nothing is allocated or freed over and over. */
    uint64_t calls = heap.calls;
    for (int i = 0; i < 100; i++)
        pool_put(&pool, pool_get(&pool));
    EXPECT_EQ(heap.calls, calls);
    pool_trim(&pool);
    EXPECT_EQ(mem.used, 0);
    pool_trim(&pool);
    tear_down();
}

TEST(pool_with_one_object_per_slab_works)
{
    void *objects[4];

    set_up_handles(600, 1024);
    EXPECT_EQ(pool.slab_objects, 1);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++)
            objects[i] = pool_get(&pool);
        EXPECT_EQ(pool.slab_numbers, 4);
        for (int i = 0; i < 4; i++)
            pool_put(&pool, objects[i]);
    }
    tear_down();
}

TEST(pool_fini_takes_live_objects_too)
{
    set_up_handles(100, 1024);
    for (int i = 0; i < 100; i++)
        EXPECT(pool_get(&pool) != NULL);
    tear_down();
    EXPECT_EQ(pool.used, 0);
}

static void put_twice(void *object)
{
    pool_put(&pool, object);
    pool_put(&pool, object);
}

static void put_the_middle(void *object)
{
    pool_put(&pool, (uint8_t *)object + 8);
}

TEST(pool_put_of_what_is_not_live_is_our_mistake)
{
    set_up_handles(64, 1024);

    void *kept = pool_get(&pool);

    EXPECT(check_fails(put_twice, pool_get(&pool)));
    EXPECT(check_fails(put_the_middle, kept));
    tear_down();
}

/* ---- handles ---- */

TEST(pool_handle_leaves_its_top_bits_free)
{
    set_up_handles(64, 1024);

    void *object = pool_get(&pool);
    uint64_t handle = pool_handle(&pool, object);

    EXPECT(handle >> 60 == 0);
    EXPECT(handle >> 32 != 0);
    EXPECT_EQ((uint32_t)handle, pool_index(&pool, object));
    EXPECT(pool_at(&pool, pool_index(&pool, object)) == object);
    EXPECT(pool_find(&pool, handle) == object);
    tear_down();
}

TEST(pool_handle_of_a_put_object_is_stale)
{
    set_up_handles(64, 1024);

    void *object = pool_get(&pool);
    uint64_t handle = pool_handle(&pool, object);

    pool_put(&pool, object);
    EXPECT(pool_find(&pool, handle) == NULL);
    EXPECT(pool_get(&pool) == object);
    EXPECT(pool_find(&pool, handle) == NULL);
    EXPECT(pool_handle(&pool, object) != handle);
    tear_down();
}

TEST(pool_handle_is_stale_when_its_slab_went_and_came_back)
{
    void *objects[40];
    uint64_t handles[40];

    set_up_handles(64, 1024);
    for (int i = 0; i < 40; i++) {
        objects[i] = pool_get(&pool);
        handles[i] = pool_handle(&pool, objects[i]);
    }
    for (int i = 0; i < 40; i++)
        pool_put(&pool, objects[i]);
    pool_trim(&pool);
    for (int i = 0; i < 40; i++)
        EXPECT(pool_find(&pool, handles[i]) == NULL);
    for (int i = 0; i < 40; i++)
        EXPECT(pool_get(&pool) != NULL);
    for (int i = 0; i < 40; i++)
        EXPECT(pool_find(&pool, handles[i]) == NULL);
    tear_down();
}

TEST(pool_find_answers_any_number)
{
    uint64_t random = test_seed();

    set_up_handles(64, 1024);
    EXPECT(pool_find(&pool, 0) == NULL);
    EXPECT(pool_find(&pool, UINT64_MAX) == NULL);

    void *put = pool_get(&pool);
    uint64_t handle = pool_handle(&pool, pool_get(&pool));
    uint32_t never_used = pool_index(&pool, pool_get(&pool)) + 1;

    pool_put(&pool, put);
    EXPECT(pool_find(&pool, 0) == NULL);
    EXPECT(pool_find(&pool, UINT64_MAX) == NULL);
    /* Where the generations were never written, memory is as it came. */
    EXPECT(pool_find(&pool, UINT64_C(0xa5a5a5a5) << 32 | never_used) == NULL);
    EXPECT(pool_find(&pool, handle | UINT64_C(1) << 60) == NULL);
    EXPECT(pool_find(&pool, handle + 1) == NULL);
    EXPECT(pool_find(&pool, handle & UINT32_MAX) == NULL);
    for (int i = 0; i < 10000; i++) {
        uint64_t number = test_random(&random) >> test_random_below(&random, 64);

        EXPECT(number == handle || pool_find(&pool, number) == NULL);
    }
    tear_down();
}

TEST(pool_generation_skips_zero_when_it_wraps)
{
    set_up_handles(64, 1024);
    pool.generation = (1u << POOL_GENERATION_BITS) - 2;

    uint64_t last = pool_handle(&pool, pool_get(&pool));
    uint64_t first = pool_handle(&pool, pool_get(&pool));

    EXPECT_EQ(last >> 32, (1u << POOL_GENERATION_BITS) - 1);
    EXPECT_EQ(first >> 32, 1);
    tear_down();
}

/* One object for each slab, so that the directory grows to three levels. */
TEST(pool_directory_grows_level_by_level_without_a_large_step)
{
    enum { count = 5000 };
    static void *objects[count];

    set_up_handles(600, 1024);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t calls = heap.calls;

        objects[i] = pool_get(&pool);
        EXPECT(objects[i] != NULL);
        EXPECT(heap.calls - calls <= 1 + 1 + 3); /* the slab, the root, a path */
    }
    EXPECT_EQ(pool.levels, 3);
    EXPECT(heap.largest_bytes <= 1024);
    for (uint32_t i = 0; i < count; i++)
        EXPECT(pool_find(&pool, pool_handle(&pool, objects[i])) == objects[i]);
    for (uint32_t i = 0; i < count; i += 2)
        pool_put(&pool, objects[i]);

    uint32_t numbers = pool.slab_numbers;

    for (uint32_t i = 0; i < count; i += 2)
        EXPECT(pool_get(&pool) != NULL);
    EXPECT_EQ(pool.slab_numbers, numbers); /* they are used again */
    tear_down();
}

TEST(pool_next_visits_each_live_object_once_in_order)
{
    void *objects[60];

    set_up_handles(64, 1024);
    for (int i = 0; i < 60; i++)
        objects[i] = pool_get(&pool);
    for (int i = 0; i < 60; i++) {
        if (i % 7 != 3)
            pool_put(&pool, objects[i]);
    }

    uint32_t i = 0;
    int visited = 0;

    for (void *object; (object = pool_next(&pool, &i)) != NULL;) {
        EXPECT(object == objects[visited * 7 + 3]);
        visited++;
        pool_put(&pool, object);
    }
    EXPECT_EQ(visited, 9);
    EXPECT(pool_next(&pool, &i) == NULL);
    i = 0;
    EXPECT(pool_next(&pool, &i) == NULL);
    tear_down();
}

/* ---- running out ---- */

static int get_until_failure(int most)
{
    int count = 0;

    while (count < most && pool_get(&pool))
        count++;
    return count;
}

TEST(pool_get_fails_when_memory_does_and_works_again_after)
{
    enum { count = 200 };

    set_up_handles(600, 1024);
    EXPECT_EQ(get_until_failure(count), count);

    uint64_t calls = heap.calls;

    pool_fini(&pool);
    for (uint64_t fail_at = 1; fail_at <= calls; fail_at++) {
        set_up_handles(600, 1024);
        heap.fail_at = fail_at;

        int before = get_until_failure(count);

        EXPECT(before < count);
        EXPECT_EQ(pool.used, before);
        EXPECT_EQ(get_until_failure(count - before), count - before);
        tear_down();
    }
}

/* A part of the directory that was made for a slab that could not be had goes back too. */
TEST(pool_fini_finds_everything_after_a_failure)
{
    for (uint64_t fail_at = 1; fail_at < 200; fail_at++) {
        set_up_handles(600, 1024);
        heap.fail_at = fail_at;
        heap.fails_from_then = true;
        EXPECT(get_until_failure(200) < 200);
        EXPECT(pool_get(&pool) == NULL);
        tear_down();
    }
}

TEST(pool_get_fails_at_the_limit)
{
    set_up(64, 1024);
    mem.limit = 2048;
    EXPECT_EQ(get_until_failure(1000), (int)pool.slab_objects * 2);
    EXPECT(pool_get_zeroed(&pool) == NULL);
    tear_down();
}

/* ---- against a naive version ---- */

enum {
    model_objects = 300,
};

static struct {
    uint64_t *object;
    uint64_t handle;
    uint64_t content;
} model[model_objects];

static void model_get(uint32_t i, uint64_t content)
{
    uint64_t *object = pool_get(&pool);

    if (!object)
        return;
    model[i].object = object;
    model[i].content = content;
    model[i].handle = pool_handle(&pool, object);
    object[0] = content;
    object[4] = ~content;
}

static void model_put(uint32_t i)
{
    uint64_t handle = model[i].handle;
    uint64_t *object = pool_find(&pool, handle);

    EXPECT(object == model[i].object);
    EXPECT(pool_at(&pool, (uint32_t)handle) == object);
    EXPECT(object[0] == model[i].content && object[4] == ~model[i].content);
    pool_put(&pool, object);
    EXPECT(pool_find(&pool, handle) == NULL);
    model[i].object = NULL;
}

TEST(pool_behaves_like_a_naive_one)
{
    uint64_t random = test_seed();
    uint32_t used = 0;

    memset(model, 0, sizeof model);
    set_up_handles(5 * sizeof(uint64_t), 1024);
    for (int step = 0; step < 100000; step++) {
        /* Phases in which it fills and phases in which it drains. */
        bool fills = step / 2000 % 2 == 0;
        uint32_t i = test_random_below(&random, model_objects);

        heap.fail_at = test_random_below(&random, 4) == 0 ? heap.calls + 1 : 0;
        if (!model[i].object && (fills || test_random_below(&random, 4) == 0))
            model_get(i, test_random(&random));
        else if (model[i].object && (!fills || test_random_below(&random, 4) == 0))
            model_put(i);
        if (step % 1000 != 0)
            continue;
        used = 0;
        for (i = 0; i < model_objects; i++)
            used += model[i].object != NULL;
        EXPECT_EQ(pool.used, used);
        EXPECT_EQ(pool.held_bytes, heap.outstanding_bytes);
    }
    tear_down();
}
