/*
 * table.c - from a hash to the indices of what has it
 *
 * Bucket i of the array holds the hashes whose lowest level_bits + 1 bits are i; if there
 * is no such bucket yet, they are in the one without the highest of these bits, from
 * which it will be split off. With 2 to 4 entries for each bucket, few have a chain.
 */
#include "base/table.h"

#include "base/check.h"
#include "base/hint.h"
#include "base/mem.h"
#include "base/num.h"
#include <string.h>

enum {
    most_per_bucket = 4,  /* on average; above it, a bucket is split */
    least_per_bucket = 2, /* below it, two are joined */
    segments_first = 4,
    segment_size_min = 1024,
    level_bits_max = 26, /* 2^28 entries before buckets get fuller */
};

static const uint32_t no_bucket = UINT32_MAX;

_Static_assert(sizeof(struct table_bucket) == 64, "a bucket is one cache line");

/* ---- finding a bucket ---- */

static struct table_bucket *bucket_at(const struct table *t, uint32_t i)
{
    uint32_t mask = (UINT32_C(1) << t->segment_bits) - 1;

    return &t->segments[i >> t->segment_bits][i & mask];
}

static uint32_t level_mask(const struct table *t)
{
    return (UINT32_C(1) << t->level_bits) - 1;
}

static struct table_bucket *bucket_of(const struct table *t, uint32_t hash)
{
    uint32_t i = hash & (level_mask(t) << 1 | 1);

    return bucket_at(t, i < t->buckets ? i : i & level_mask(t));
}

static struct table_bucket *next_of(const struct table *t, const struct table_bucket *b)
{
    return b->next == no_bucket ? NULL : pool_at(&t->further, b->next);
}

/* ---- chains ---- */

static void clear(struct table_bucket *b)
{
    b->count = 0;
    b->next = no_bucket;
}

static void append(struct table_bucket *b, uint32_t hash, uint32_t ref)
{
    b->hash[b->count] = hash;
    b->ref[b->count] = ref;
    b->count++;
}

/* Adds to a chain, of which only the first or, if there are more, the second may have room. */
static bool chain_add(struct table *t, struct table_bucket *first, uint32_t hash, uint32_t ref)
{
    struct table_bucket *b = first->next == no_bucket ? first : next_of(t, first);

    if (b->count == TABLE_BUCKET_ENTRIES) {
        b = pool_get(&t->further);
        if (!b)
            return false;
        b->count = 0;
        b->next = first->next;
        first->next = pool_index(&t->further, b);
    }
    append(b, hash, ref);
    return true;
}

/* Removes entry i of b, filling its place from where there is room. */
static void chain_remove(struct table *t, struct table_bucket *first, struct table_bucket *b,
                         uint32_t i)
{
    struct table_bucket *second = next_of(t, first);
    struct table_bucket *from = second ? second : first;

    from->count--;
    b->hash[i] = from->hash[from->count];
    b->ref[i] = from->ref[from->count];
    if (second && second->count == 0) {
        first->next = second->next;
        pool_put(&t->further, second);
    }
}

/*
 * Adds all entries of a chain, which begins with a copy of its first bucket, where they
 * belong now. This takes at most one further bucket before the chain's own are free again.
 */
static void redistribute(struct table *t, struct table_bucket chain)
{
    for (;;) {
        for (uint32_t i = 0; i < chain.count; i++) {
            bool added = chain_add(t, bucket_of(t, chain.hash[i]), chain.hash[i], chain.ref[i]);

            CHECK(added);
        }
        struct table_bucket *next = next_of(t, &chain);
        if (!next)
            return;
        chain = *next;
        pool_put(&t->further, next);
    }
}

/* ---- growing and shrinking ---- */

/* Room for twice as many pointers to segments. */
static bool grow_directory(struct table *t)
{
    uint32_t room = t->segments_room ? t->segments_room * 2 : segments_first;
    struct table_bucket **segments =
        mem_alloc(t->mem, room * sizeof(struct table_bucket *), _Alignof(struct table_bucket *));

    if (!segments)
        return false;
    if (t->segments) {
        memcpy(segments, t->segments, t->segments_count * sizeof(struct table_bucket *));
        mem_free(t->mem, t->segments, t->segments_room * sizeof(struct table_bucket *));
    }
    t->segments = segments;
    t->segments_room = room;
    return true;
}

static size_t segment_size(const struct table *t)
{
    return sizeof(struct table_bucket) << t->segment_bits;
}

static bool add_segment(struct table *t)
{
    if (t->segments_count == t->segments_room && !grow_directory(t))
        return false;

    struct table_bucket *segment = mem_alloc(t->mem, segment_size(t), sizeof(struct table_bucket));

    if (!segment)
        return false;
    t->segments[t->segments_count++] = segment;
    return true;
}

static void remove_segment(struct table *t)
{
    t->segments_count--;
    mem_free(t->mem, t->segments[t->segments_count], segment_size(t));
}

/* The array has one bucket more or fewer. */
static void set_buckets(struct table *t, uint32_t buckets)
{
    t->buckets = buckets;
    if (buckets >> t->level_bits == 2)
        t->level_bits++;
    else if (buckets >> t->level_bits == 0)
        t->level_bits--;
}

/* One bucket more, empty, at the end of the array. */
static bool add_bucket(struct table *t)
{
    if (t->buckets >> t->segment_bits == t->segments_count && !add_segment(t))
        return false;
    clear(bucket_at(t, t->buckets));
    set_buckets(t, t->buckets + 1);
    return true;
}

/*
 * Splits the bucket whose turn it is. Two chains made of one need no more buckets than
 * the one had, so all that can fail is the new bucket; then the next addition tries again.
 */
static APART void split(struct table *t)
{
    uint32_t from = t->buckets & level_mask(t);

    if (t->level_bits == level_bits_max || !add_bucket(t))
        return;

    struct table_bucket *b = bucket_at(t, from);
    struct table_bucket chain = *b;

    clear(b);
    redistribute(t, chain);
}

/* Makes sure that the pool has a bucket: one that was just put stays there. */
static bool reserve_further(struct table *t)
{
    void *b = pool_get(&t->further);

    if (b)
        pool_put(&t->further, b);
    return b != NULL;
}

/* Joins the last bucket to the one it was split from, unless there is no memory for it. */
static void join(struct table *t)
{
    uint32_t last = t->buckets - 1;
    struct table_bucket chain = *bucket_at(t, last);

    set_buckets(t, last);

    const struct table_bucket *to = bucket_at(t, last & level_mask(t));

    if (to->count + chain.count > TABLE_BUCKET_ENTRIES && !reserve_further(t)) {
        set_buckets(t, last + 1);
        return;
    }
    /* A segment is given back when the one before it is not full either. */
    if (t->buckets >> t->segment_bits < t->segments_count - 1)
        remove_segment(t);
    redistribute(t, chain);
}

/* ---- the interface ---- */

bool table_add(struct table *t, uint32_t hash, uint32_t ref)
{
    if (t->buckets == 0 && !add_bucket(t))
        return false;
    if (!chain_add(t, bucket_of(t, hash), hash, ref))
        return false;
    t->count++;
    if (t->count / most_per_bucket >= t->buckets)
        split(t);
    return true;
}

bool table_replace(struct table *t, uint32_t hash, uint32_t ref, uint32_t new_ref)
{
    struct table_bucket *b = t->buckets ? bucket_of(t, hash) : NULL;

    for (; b; b = next_of(t, b)) {
        for (uint32_t i = 0; i < b->count; i++) {
            if (b->hash[i] == hash && b->ref[i] == ref) {
                b->ref[i] = new_ref;
                return true;
            }
        }
    }
    return false;
}

static bool find_and_remove(struct table *t, uint32_t hash, uint32_t ref)
{
    struct table_bucket *first = bucket_of(t, hash);

    for (struct table_bucket *b = first; b; b = next_of(t, b)) {
        for (uint32_t i = 0; i < b->count; i++) {
            if (b->hash[i] == hash && b->ref[i] == ref) {
                chain_remove(t, first, b, i);
                return true;
            }
        }
    }
    return false;
}

bool table_remove(struct table *t, uint32_t hash, uint32_t ref)
{
    if (t->buckets == 0 || !find_and_remove(t, hash, ref))
        return false;
    t->count--;
    if (t->buckets > 1 && t->count / least_per_bucket < t->buckets)
        join(t);
    return true;
}

struct table_iter table_find(const struct table *t, uint32_t hash)
{
    return (struct table_iter){
        .table = t,
        .bucket = t->buckets ? bucket_of(t, hash) : NULL,
        .hash = hash,
    };
}

bool table_next(struct table_iter *it, uint32_t *ref)
{
    while (it->bucket) {
        const struct table_bucket *b = it->bucket;

        while (it->i < b->count && b->hash[it->i] != it->hash)
            it->i++;
        if (it->i < b->count) {
            *ref = b->ref[it->i++];
            return true;
        }
        it->bucket = next_of(it->table, b);
        it->i = 0;
    }
    return false;
}

void table_prefetch(const struct table *t, uint32_t hash)
{
    if (t->buckets)
        __builtin_prefetch(bucket_of(t, hash));
}

bool table_init(struct table *t, struct mem *mem, size_t size)
{
    *t = (struct table){.mem = mem};
    if (!is_power_of_two(size) || size < segment_size_min)
        return false;
    while (segment_size(t) < size)
        t->segment_bits++;
    return pool_init_handles(&t->further, mem, "table chains", sizeof(struct table_bucket), size);
}

void table_fini(struct table *t)
{
    while (t->segments_count != 0)
        remove_segment(t);
    mem_free(t->mem, t->segments, t->segments_room * sizeof(struct table_bucket *));
    pool_fini(&t->further);
    t->segments = NULL;
    t->segments_room = 0;
    t->buckets = 0;
    t->level_bits = 0;
    t->count = 0;
}
