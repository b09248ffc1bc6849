/*
 * pool.c - objects of one size, from slabs
 *
 * A slab is a header, the generations of its objects (in a pool with handles; 0 means
 * free), and the objects. Objects that were never handed out are not touched: those from
 * slab.fresh on are free and have no generation yet. One that was given back holds the
 * pointer to the one given back before it.
 */
#include "base/pool.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/slabs.h"
#include <string.h>

enum {
    slab_size_max = 1 << 24,
    cache_line = 64, /* of most processors: only speed depends on it */
    generation_max = (1 << POOL_GENERATION_BITS) - 1,
};

_Static_assert(sizeof(struct slab) <= POOL_SLAB_HEADER, "bufs_init counts on it");

/* ---- objects that are free are out of bounds for the address sanitizer ---- */

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_POISONS 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(POOL_POISONS)
void __asan_poison_memory_region(void const volatile *memory, size_t size);
void __asan_unpoison_memory_region(void const volatile *memory, size_t size);

static void poison(void *memory, size_t size)
{
    __asan_poison_memory_region(memory, size);
}

static void unpoison(void *memory, size_t size)
{
    __asan_unpoison_memory_region(memory, size);
}
#else
static void poison(void *memory, size_t size)
{
    (void)memory;
    (void)size;
}

static void unpoison(void *memory, size_t size)
{
    (void)memory;
    (void)size;
}
#endif

/* ---- where things are in a slab ---- */

static uint8_t *object_at(const struct pool *pool, struct slab *slab, uint32_t slot)
{
    return (uint8_t *)slab + pool->first_offset + (size_t)slot * pool->object_size;
}

static struct slab *slab_of(const struct pool *pool, const void *object)
{
    return (struct slab *)((uintptr_t)object & ~(uintptr_t)(pool->slab_size - 1));
}

/* The division is exact for every multiple of object_size in a slab, and checked for others. */
static uint32_t slot_of(const struct pool *pool, const struct slab *slab, const void *object)
{
    uint32_t offset = (uint32_t)((uintptr_t)object - (uintptr_t)slab) - pool->first_offset;
    uint32_t slot = (uint32_t)((uint64_t)offset * pool->reciprocal >> 32);

    CHECK(slot < slab->fresh && slot * pool->object_size == offset);
    return slot;
}

/* ---- slabs ---- */

static struct slab *slab_get(struct pool *pool)
{
    uint32_t number = 0;

    if (pool->has_handles) {
        number = slabs_next_number(pool);
        if (number == SLABS_NO_NUMBER)
            return NULL;
    }
    struct slab *slab = mem_alloc(pool->mem, pool->slab_size, pool->slab_size);
    if (!slab)
        return NULL;

    list_init(&slab->link);
    slab->free = NULL;
    slab->used = 0;
    slab->fresh = 0;
    if (pool->has_handles)
        slabs_add(pool, slab, number);
    pool->held_bytes += pool->slab_size;
    poison(object_at(pool, slab, 0), pool->slab_size - pool->first_offset);
    return slab;
}

static void slab_put(struct pool *pool, struct slab *slab)
{
    if (pool->has_handles)
        slabs_remove(pool, slab);
    unpoison(slab, pool->slab_size);
    pool->held_bytes -= pool->slab_size;
    mem_free(pool->mem, slab, pool->slab_size);
}

/* A slab with a free object, in the list of such; NULL: out of memory. */
static struct slab *slab_with_room(struct pool *pool)
{
    struct list *first = list_first(&pool->partial);
    struct slab *slab = first ? container_of(first, struct slab, link) : slab_get(pool);

    if (slab && !first)
        list_add_first(&pool->partial, &slab->link);
    if (slab == pool->spare)
        pool->spare = NULL;
    return slab;
}

/* ---- objects ---- */

static void *take_object(struct pool *pool, struct slab *slab)
{
    void *object = slab->free ? slab->free : object_at(pool, slab, slab->fresh);

    unpoison(object, pool->object_size);
    if (slab->free)
        slab->free = *(void **)object;
    else
        slab->fresh++;
    slab->used++;
    return object;
}

static uint32_t next_generation(struct pool *pool)
{
    pool->generation = pool->generation == generation_max ? 1 : pool->generation + 1;
    return pool->generation;
}

/* Not a part of pool_get, so that what nearly always happens saves no registers for it. */
static __attribute__((noinline)) void *get_slowly(struct pool *pool)
{
    struct slab *slab = slab_with_room(pool);

    if (!slab)
        return NULL;

    void *object = take_object(pool, slab);

    if (pool->has_handles)
        slab->generations[slot_of(pool, slab, object)] = next_generation(pool);
    if (slab->used == pool->slab_objects) {
        list_remove(&slab->link);
        list_add_first(&pool->full, &slab->link);
    }
    pool->used++;
    return object;
}

/* Mostly the first slab with room has this object and others besides. */
void *pool_get(struct pool *pool)
{
    struct list *first = pool->partial.next;
    struct slab *slab = container_of(first, struct slab, link);
    void *object;

    if (first == &pool->partial || slab->used + 1 == pool->slab_objects)
        return get_slowly(pool);
    object = take_object(pool, slab);
    pool->used++;
    if (slab == pool->spare)
        pool->spare = NULL;
    if (pool->has_handles)
        slab->generations[slot_of(pool, slab, object)] = next_generation(pool);
    return object;
}

/* At most count objects of a slab, but not the last one, with which the slab moves to another list. */
static size_t take_objects(struct slab *slab, const struct pool *pool, void **objects, size_t count)
{
    uint8_t *free = slab->free;
    size_t done;

    count = size_min(count, pool->slab_objects - slab->used - 1);
    for (done = 0; done < count && free != NULL; done++) {
        unpoison(free, pool->object_size);
        objects[done] = free;
        free = *(void **)(void *)free;
    }
    slab->free = free;
    for (; done < count; done++) {
        objects[done] = object_at(pool, slab, slab->fresh++);
        unpoison(objects[done], pool->object_size);
    }
    slab->used += (uint32_t)done;
    return done;
}

size_t pool_get_many(struct pool *pool, void **objects, size_t count)
{
    size_t done = 0, more;

    CHECK(!pool->has_handles);
    for (; done < count; done += more) {
        struct slab *slab = container_of(pool->partial.next, struct slab, link);

        more = 0;
        if (!list_is_empty(&pool->partial))
            more = take_objects(slab, pool, objects + done, count - done);
        if (more > 0) {
            pool->used += (uint32_t)more;
            if (slab == pool->spare)
                pool->spare = NULL;
            continue;
        }
        objects[done] = get_slowly(pool);
        if (objects[done] == NULL)
            break;
        more = 1;
    }
    return done;
}

void *pool_get_zeroed(struct pool *pool)
{
    void *object = pool_get(pool);

    return object ? memset(object, 0, pool->object_size) : NULL;
}

/* One object fewer is used in a slab, which decides where the slab belongs. */
static __attribute__((noinline)) void sort_slab(struct pool *pool, struct slab *slab)
{
    list_remove(&slab->link);
    if (slab->used != 0) {
        list_add_first(&pool->partial, &slab->link);
    } else if (!pool->spare) {
        pool->spare = slab;
        list_add_last(&pool->partial, &slab->link);
    } else {
        slab_put(pool, slab);
    }
}

void pool_put(struct pool *pool, void *object)
{
    struct slab *slab = slab_of(pool, object);

    CHECK(slab->used != 0);
    if (pool->has_handles) {
        uint32_t *generation = &slab->generations[slot_of(pool, slab, object)];

        CHECK(*generation != 0);
        *generation = 0;
    }
    *(void **)object = slab->free;
    slab->free = object;
    poison(object, pool->object_size);
    slab->used--;
    pool->used--;
    if (slab->used == 0 || slab->used + 1 == pool->slab_objects)
        sort_slab(pool, slab);
}

/* Those of the first objects that are of the same slab, but not the last one that it has. */
static size_t put_objects(struct slab *slab, const struct pool *pool, void *const *objects,
                          size_t count)
{
    void *free = slab->free;
    size_t done;

    CHECK(slab->used != 0);
    count = size_min(count, slab->used - 1);
    for (done = 0; done < count && slab_of(pool, objects[done]) == slab; done++) {
        *(void **)objects[done] = free;
        free = objects[done];
        poison(free, pool->object_size);
    }
    slab->free = free;
    slab->used -= (uint32_t)done;
    return done;
}

void pool_put_many(struct pool *pool, void *const *objects, size_t count)
{
    size_t done = 0, more;

    CHECK(!pool->has_handles);
    for (; done < count; done += more) {
        struct slab *slab = slab_of(pool, objects[done]);

        more = 0;
        if (slab->used
            < pool->slab_objects) /* with the first one that is free it moves to another list */
            more = put_objects(slab, pool, objects + done, count - done);
        pool->used -= (uint32_t)more;
        if (more > 0)
            continue;
        pool_put(pool, objects[done]);
        more = 1;
    }
}

void pool_trim(struct pool *pool)
{
    struct slab *slab = pool->spare;

    if (!slab)
        return;
    list_remove(&slab->link);
    slab_put(pool, slab);
    pool->spare = NULL;
}

/* ---- names of objects ---- */

static uint32_t slot_mask(const struct pool *pool)
{
    return (UINT32_C(1) << pool->slot_bits) - 1;
}

uint32_t pool_index(const struct pool *pool, const void *object)
{
    const struct slab *slab = slab_of(pool, object);

    return slab->number << pool->slot_bits | slot_of(pool, slab, object);
}

uint64_t pool_handle(const struct pool *pool, const void *object)
{
    const struct slab *slab = slab_of(pool, object);
    uint32_t slot = slot_of(pool, slab, object);

    CHECK(slab->generations[slot] != 0);
    return (uint64_t)slab->generations[slot] << 32 | slab->number << pool->slot_bits | slot;
}

void *pool_find(const struct pool *pool, uint64_t handle)
{
    uint32_t generation = (uint32_t)(handle >> 32);
    uint32_t slot = (uint32_t)handle & slot_mask(pool);
    struct slab *slab = slabs_find(pool, (uint32_t)handle >> pool->slot_bits);

    if (generation == 0 || !slab || slot >= slab->fresh || slab->generations[slot] != generation)
        return NULL;
    return object_at(pool, slab, slot);
}

/* The generation is not looked at: it would cost a cache line for every packet. */
void *pool_at(const struct pool *pool, uint32_t index)
{
    struct slab *slab = slabs_find(pool, index >> pool->slot_bits);

    CHECK(slab != NULL);
    return object_at(pool, slab, index & slot_mask(pool));
}

void pool_prefetch(const struct pool *pool, uint32_t index)
{
    struct slab *slab = slabs_find(pool, index >> pool->slot_bits);
    uint32_t slot = index & slot_mask(pool);
    const uint8_t *object;

    CHECK(slab != NULL);
    object = object_at(pool, slab, slot);
    __builtin_prefetch(slab);
    __builtin_prefetch(&slab->generations[slot]);
    for (size_t at = 0; at < pool->object_size; at += cache_line)
        __builtin_prefetch(object + at);
    __builtin_prefetch(object + pool->object_size - 1);
}

void *pool_next(const struct pool *pool, uint32_t *index)
{
    uint32_t number = *index >> pool->slot_bits;
    uint32_t slot = *index & slot_mask(pool);

    for (; number < pool->slab_numbers; number++, slot = 0) {
        struct slab *slab = slabs_find(pool, number);

        while (slab && slot < slab->fresh && slab->generations[slot] == 0)
            slot++;
        if (slab && slot < slab->fresh) {
            *index = (number << pool->slot_bits | slot) + 1;
            return object_at(pool, slab, slot);
        }
    }
    *index = number << pool->slot_bits;
    return NULL;
}

/* ---- setting up, tearing down ---- */

static size_t alignment_of(size_t object_size)
{
    size_t lowest_bit = object_size & (~object_size + 1);

    return size_min(lowest_bit, 64);
}

/* How far the first of count objects is from the beginning of its slab. */
static size_t offset_for(const struct pool *pool, size_t count)
{
    size_t generations = pool->has_handles ? count * sizeof(uint32_t) : 0;

    return round_up(sizeof(struct slab) + generations, alignment_of(pool->object_size));
}

static uint32_t objects_per_slab(const struct pool *pool)
{
    size_t each = pool->object_size + (pool->has_handles ? sizeof(uint32_t) : 0);
    size_t count = (pool->slab_size - sizeof(struct slab)) / each;

    while (count != 0 && offset_for(pool, count) + count * pool->object_size > pool->slab_size)
        count--;
    return (uint32_t)count;
}

static uint8_t bits_for(uint32_t count)
{
    uint8_t bits = 0;

    while ((count - 1) >> bits != 0)
        bits++;
    return bits;
}

static bool init(struct pool *pool, size_t object_size, size_t slab_size)
{
    if (!is_power_of_two(slab_size) || slab_size > slab_size_max || slab_size < sizeof(struct slab)
        || object_size == 0 || object_size > slab_size)
        return false;
    pool->object_size = (uint32_t)round_up(object_size, 8);
    pool->slab_size = (uint32_t)slab_size;
    pool->slab_objects = objects_per_slab(pool);
    if (pool->slab_objects == 0)
        return false;
    pool->first_offset = (uint32_t)offset_for(pool, pool->slab_objects);
    pool->reciprocal = (uint32_t)div_ceil(UINT64_C(1) << 32, pool->object_size);
    pool->slot_bits = bits_for(pool->slab_objects);
    pool->free_number = SLABS_NO_NUMBER;
    list_init(&pool->partial);
    list_init(&pool->full);
    return true;
}

bool pool_init(struct pool *pool, struct mem *mem, const char *name, size_t object_size,
               size_t slab_size)
{
    *pool = (struct pool){.mem = mem, .name = name};
    return init(pool, object_size, slab_size);
}

bool pool_init_handles(struct pool *pool, struct mem *mem, const char *name, size_t object_size,
                       size_t slab_size)
{
    *pool = (struct pool){.mem = mem, .name = name, .has_handles = true};
    return init(pool, object_size, slab_size);
}

static void put_all(struct pool *pool, struct list *slabs)
{
    for (struct list *link; (link = list_take_first(slabs)) != NULL;)
        slab_put(pool, container_of(link, struct slab, link));
}

void pool_fini(struct pool *pool)
{
    put_all(pool, &pool->full);
    put_all(pool, &pool->partial);
    pool->spare = NULL;
    slabs_fini(pool);
    CHECK(pool->held_bytes == 0);
    pool->used = 0;
}
