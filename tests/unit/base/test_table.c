#include "base/table.h"

#include "base/mem.h"
#include "lib/failing_alloc.h"
#include "lib/test.h"
#include <stdlib.h>
#include <string.h>

static struct failing_alloc heap;
static struct mem mem;
static struct table table;

static void set_up(size_t segment_size)
{
    struct weir_allocator allocator;

    failing_alloc_init(&heap);
    allocator = failing_alloc_allocator(&heap);
    mem_init(&mem, &allocator, SIZE_MAX);
    EXPECT(table_init(&table, &mem, segment_size));
}

static void tear_down(void)
{
    table_fini(&table);
    EXPECT_EQ(mem.used, 0);
    failing_alloc_fini(&heap);
}

/* A hash as good as a keyed one. */
static uint32_t hash_of(uint32_t n)
{
    uint64_t state = n;

    return (uint32_t)test_random(&state);
}

static uint32_t count_of(uint32_t hash)
{
    uint32_t count = 0;
    struct table_iter it = table_find(&table, hash);

    for (uint32_t ref; table_next(&it, &ref);)
        count++;
    return count;
}

static bool has(uint32_t hash, uint32_t wanted)
{
    struct table_iter it = table_find(&table, hash);

    for (uint32_t ref; table_next(&it, &ref);) {
        if (ref == wanted)
            return true;
    }
    return false;
}

TEST(table_that_is_new_has_nothing_and_allocated_nothing)
{
    set_up(4096);
    EXPECT_EQ(table_count(&table), 0);
    EXPECT_EQ(count_of(0), 0);
    EXPECT(!table_remove(&table, 0, 0));
    table_prefetch(&table, 7);
    EXPECT_EQ(heap.calls, 0);
    tear_down();
}

TEST(table_init_refuses_segments_that_are_none)
{
    set_up(1024);
    EXPECT(!table_init(&table, &mem, 512));
    EXPECT(!table_init(&table, &mem, 3000));
    EXPECT(!table_init(&table, &mem, 0));
}

TEST(table_finds_what_was_added_until_it_is_removed)
{
    set_up(1024);
    EXPECT(table_add(&table, 5, 50));
    EXPECT(table_add(&table, 6, 60));
    EXPECT(has(5, 50) && has(6, 60) && !has(5, 60));
    EXPECT_EQ(count_of(4), 0);
    EXPECT(!table_remove(&table, 5, 60));
    EXPECT(table_remove(&table, 5, 50));
    EXPECT(!table_remove(&table, 5, 50));
    EXPECT(!has(5, 50) && has(6, 60));
    EXPECT_EQ(table_count(&table), 1);
    tear_down();
}

TEST(table_takes_any_hash_and_any_ref)
{
    static const uint32_t values[] = {0, 1, 0x7fffffff, 0x80000000, UINT32_MAX};

    set_up(1024);
    for (int i = 0; i < 5; i++) {
        for (int j = 0; j < 5; j++)
            EXPECT(table_add(&table, values[i], values[j]));
    }
    for (int i = 0; i < 5; i++) {
        EXPECT_EQ(count_of(values[i]), 5);
        for (int j = 0; j < 5; j++)
            EXPECT(has(values[i], values[j]));
    }
    tear_down();
}

TEST(table_keeps_equal_entries_apart)
{
    set_up(1024);
    for (int i = 0; i < 3; i++)
        EXPECT(table_add(&table, 9, 90));
    EXPECT_EQ(count_of(9), 3);
    EXPECT(table_remove(&table, 9, 90));
    EXPECT_EQ(count_of(9), 2);
    tear_down();
}

TEST(table_replaces_the_ref_of_an_entry_wherever_in_a_chain_it_is)
{
    enum { count = 100 };

    set_up(1024);
    EXPECT(!table_replace(&table, 1, 2, 3));
    for (uint32_t i = 0; i < count; i++)
        EXPECT(table_add(&table, 0xdeadbeef, i));
    for (uint32_t i = 0; i < count; i++) {
        EXPECT(table_replace(&table, 0xdeadbeef, i, 1000 + i));
        EXPECT(!table_replace(&table, 0xdeadbeef, i, 1000 + i));
        EXPECT(has(0xdeadbeef, 1000 + i) && !has(0xdeadbeef, i));
    }
    EXPECT_EQ(count_of(0xdeadbeef), count);
    EXPECT_EQ(table_count(&table), count);
    tear_down();
}

/* What a broken key could cause: slow, but correct, and no memory is lost. */
TEST(table_survives_thousands_of_the_same_hash)
{
    enum { count = 3000 };

    set_up(1024);
    for (uint32_t i = 0; i < count; i++)
        EXPECT(table_add(&table, 0xdeadbeef, i));
    EXPECT_EQ(count_of(0xdeadbeef), count);
    for (uint32_t i = 0; i < count; i++)
        EXPECT(table_remove(&table, 0xdeadbeef, (i * 7) % count));
    EXPECT_EQ(table_count(&table), 0);
    tear_down();
}

/* Each operation allocates at most a segment, a directory and what a chain needs. */
TEST(table_grows_and_shrinks_by_small_steps)
{
    enum { count = 200000 };
    uint64_t most_calls = 0;

    set_up(4096);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t calls = heap.calls;

        EXPECT(table_add(&table, hash_of(i), i));
        most_calls = heap.calls - calls > most_calls ? heap.calls - calls : most_calls;
    }
    EXPECT(most_calls <= 6);
    EXPECT(heap.largest_bytes <= 16384); /* the directory: 782 segments, 8 bytes each */
    EXPECT(mem.used < count * 20u);
    for (uint32_t i = 0; i < count; i++)
        EXPECT(has(hash_of(i), i));
    for (uint32_t i = 0; i < count; i++)
        EXPECT(table_remove(&table, hash_of(i), i));
    EXPECT_EQ(table_count(&table), 0);
    EXPECT(mem.used < 32768);
    tear_down();
}

/* With 4 entries for each bucket, few lookups leave their cache line. */
TEST(table_has_few_and_short_chains)
{
    enum { count = 100000 };

    set_up(65536);
    for (uint32_t i = 0; i < count; i++)
        EXPECT(table_add(&table, hash_of(i), i));
    EXPECT(table.further.used < table.buckets / 5);
    tear_down();
}

TEST(table_adds_fail_without_memory_and_work_again_after)
{
    enum { count = 400 };
    uint64_t calls;

    set_up(1024);
    for (uint32_t i = 0; i < count; i++)
        EXPECT(table_add(&table, hash_of(i), i));
    calls = heap.calls;
    tear_down();
    EXPECT(calls > 10);

    for (uint64_t fail_at = 1; fail_at <= calls; fail_at++) {
        set_up(1024);
        heap.fail_at = fail_at;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t before = table_count(&table);

            if (!table_add(&table, hash_of(i), i)) {
                EXPECT_EQ(table_count(&table), before);
                EXPECT(!has(hash_of(i), i));
                EXPECT(table_add(&table, hash_of(i), i));
            }
        }
        for (uint32_t i = 0; i < count; i++)
            EXPECT(has(hash_of(i), i));
        for (uint32_t i = 0; i < count; i++)
            EXPECT(table_remove(&table, hash_of(i), i));
        tear_down();
    }
}

/* Without any memory from some point on, what was added stays, and can be removed. */
TEST(table_shrinks_without_memory)
{
    for (uint64_t fail_at = 2; fail_at < 60; fail_at++) {
        uint32_t added = 0;

        set_up(1024);
        heap.fail_at = fail_at;
        heap.fails_from_then = true;
        while (added < 2000 && table_add(&table, hash_of(added), added))
            added++;
        for (uint32_t i = 0; i < added; i++)
            EXPECT(has(hash_of(i), i));
        for (uint32_t i = 0; i < added; i++) {
            EXPECT(table_remove(&table, hash_of(i), i));
            EXPECT(!has(hash_of(i), i));
        }
        tear_down();
    }
}

static void add_seven(uint32_t hash)
{
    for (uint32_t i = 0; i < 7; i++)
        EXPECT(table_add(&table, hash + 64 * i, i));
}

/* Two full buckets stay apart while there is no memory for the chain they would make. */
TEST(table_does_not_join_full_buckets_without_memory)
{
    set_up(1024);
    for (uint32_t i = 0; i < 30; i++)
        EXPECT(table_add(&table, (i / 3 * 4 + i % 3) % 8, i));
    add_seven(3);
    add_seven(7);
    EXPECT_EQ(table.further.used, 0);
    pool_trim(&table.further);
    heap.fail_at = heap.calls + 1;
    heap.fails_from_then = true;
    for (uint32_t i = 0; i < 30; i++)
        EXPECT(table_remove(&table, (i / 3 * 4 + i % 3) % 8, i));
    EXPECT_EQ(table.buckets, 8);
    EXPECT_EQ(count_of(3 + 64), 1);

    /* With memory they are joined at the next occasion. */
    heap.fail_at = 0;
    EXPECT(table_remove(&table, 3, 0));
    EXPECT_EQ(table.buckets, 7);
    EXPECT_EQ(table.further.used, 1);
    for (uint32_t i = 1; i < 7; i++)
        EXPECT(has(3 + 64 * i, i) && has(7 + 64 * i, i));
    tear_down();
}

/* ---- against a naive version ---- */

enum {
    model_hashes = 64,
    model_refs = 64,
};

static uint8_t model[model_hashes][model_refs]; /* how often each entry is there */

/* Few hashes, of which some differ in high bits only. */
static uint32_t model_hash(uint32_t i)
{
    return i % 2 ? hash_of(i) : i << 26 | (i & 3);
}

static void expect_same(uint32_t i)
{
    uint8_t found[model_refs] = {0};
    struct table_iter it = table_find(&table, model_hash(i));

    for (uint32_t ref; table_next(&it, &ref);) {
        EXPECT(ref < model_refs);
        found[ref]++;
    }
    EXPECT_MEM(found, model[i], model_refs);
}

TEST(table_behaves_like_a_naive_one)
{
    uint64_t random = test_seed();
    uint32_t count = 0;

    memset(model, 0, sizeof model);
    set_up(1024);
    for (int step = 0; step < 200000; step++) {
        uint32_t i = test_random_below(&random, model_hashes);
        uint32_t ref = test_random_below(&random, model_refs);
        bool fills = step / 20000 % 2 == 0;

        heap.fail_at = test_random_below(&random, 8) == 0 ? heap.calls + 1 : 0;
        if (fills ? test_random_below(&random, 4) != 0 : test_random_below(&random, 8) == 0) {
            if (model[i][ref] < UINT8_MAX && table_add(&table, model_hash(i), ref)) {
                model[i][ref]++;
                count++;
            }
        } else {
            bool removed = table_remove(&table, model_hash(i), ref);

            EXPECT(removed == (model[i][ref] != 0));
            model[i][ref] = (uint8_t)(model[i][ref] - removed);
            count -= removed;
        }
        EXPECT_EQ(table_count(&table), count);
        if (step % 64 == 0)
            expect_same(i);
    }
    for (uint32_t i = 0; i < model_hashes; i++)
        expect_same(i);
    tear_down();
}
