/*
 * table.h - from a hash to the indices of what has it
 *
 * Linear hashing (Litwin 1980): buckets of one cache line in an array that grows by
 * splitting one bucket, and shrinks by joining two, at each addition or removal. There
 * is no rehashing, no second array and never more than one bucket's work. The array is
 * a directory of segments that are allocated as it reaches them; a fresh segment is not
 * cleared, a bucket is when its turn comes. The directory, one pointer for each segment,
 * is doubled by copying: 32 KiB at 16 million entries.
 *
 * An entry is a hash of 32 bits, whose low bits choose the bucket, and a ref, for which
 * the user has a meaning (a pool's index). The hash has to be keyed if a peer has any
 * influence on it: many entries of one hash share one bucket's chain.
 *
 * Running out of memory stops growing, which costs speed, long before it fails an add.
 */
#ifndef CORE_BASE_TABLE_H
#define CORE_BASE_TABLE_H

#include "base/pool.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mem;

enum {
    TABLE_BUCKET_ENTRIES = 7,
};

/*
 * A chain starts in the array. The first bucket has room only if it is the only one; of
 * those behind it only the next has. What is removed is replaced from there, so chains
 * have no holes and no marks of what once was there.
 */
struct table_bucket {
    uint32_t hash[TABLE_BUCKET_ENTRIES];
    uint32_t ref[TABLE_BUCKET_ENTRIES];
    uint32_t count;
    uint32_t next; /* index in the pool of further buckets, or the mark for none */
};

struct table {
    struct mem *mem;
    struct table_bucket **segments;
    uint32_t segments_room;  /* length of the array of pointers */
    uint32_t segments_count; /* allocated */
    uint8_t segment_bits;    /* a segment has 2^segment_bits buckets */
    uint8_t level_bits;      /* buckets: from 2^level_bits to 2^(level_bits + 1) - 1 */
    uint32_t buckets;        /* 0 before the first add */
    uint32_t count;          /* entries */
    struct pool further;     /* buckets for what does not fit the first */
};

struct table_iter {
    const struct table *table;
    const struct table_bucket *bucket;
    uint32_t hash;
    uint32_t i;
};

/*
 * An empty table; allocates nothing. segment_size is a power of two, at least 1 KiB.
 * False if that is not so.
 */
bool table_init(struct table *t, struct mem *mem, size_t segment_size);
void table_fini(struct table *t);

/* Adds an entry, also one that is there already. False: out of memory. */
bool table_add(struct table *t, uint32_t hash, uint32_t ref);

/* Removes the entry; false if there is none. Of equal ones it removes one. */
bool table_remove(struct table *t, uint32_t hash, uint32_t ref);

/* Gives the entry another ref, which needs no memory; false if there is none. */
bool table_replace(struct table *t, uint32_t hash, uint32_t ref, uint32_t new_ref);

/*
 * The refs of all entries with this hash, in no particular order:
 *     struct table_iter it = table_find(t, hash);
 *     for (uint32_t ref; table_next(&it, &ref);)
 * The table must not change meanwhile.
 */
struct table_iter table_find(const struct table *t, uint32_t hash);
bool table_next(struct table_iter *it, uint32_t *ref);

/* Starts bringing the bucket of a hash that is going to be looked up into the cache. */
void table_prefetch(const struct table *t, uint32_t hash);

static inline uint32_t table_count(const struct table *t)
{
    return t->count;
}

#endif
