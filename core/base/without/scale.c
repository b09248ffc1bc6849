/*
 * scale.c - tables and deadlines for tens of connections, not for millions
 *
 * Entries of a table are in one chain of buckets, which is searched from its beginning; deadlines
 * are in one list, the next one first. A pool's slabs are found in its lists. All of that costs time for
 * each entry, and hardly any memory.
 *
 * In place of: slabs.c table.c wheel.c
 */
#include "base/num.h"
#include "base/slabs.h"
#include "base/table.h"
#include "base/wheel.h"

/* ---- slabs ---- */

static struct slab *find_among(const struct list *slabs, uint32_t number)
{
    LIST_EACH (i, slabs)
        if (container_of(i, struct slab, link)->number == number)
            return container_of(i, struct slab, link);
    return NULL;
}

struct slab *slabs_find(const struct pool *pool, uint32_t number)
{
    struct slab *slab = find_among(&pool->partial, number);

    return slab != NULL ? slab : find_among(&pool->full, number);
}

/* The lowest that is free. */
uint32_t slabs_next_number(struct pool *pool)
{
    uint32_t number = 0;

    while (slabs_find(pool, number) != NULL)
        number++;
    return number < UINT32_MAX >> pool->slot_bits ? number : SLABS_NO_NUMBER;
}

void slabs_add(struct pool *pool, struct slab *slab, uint32_t number)
{
    slab->number = number;
    pool->slab_numbers = u32_max(pool->slab_numbers, number + 1);
}

void slabs_remove(struct pool *pool, const struct slab *slab)
{
}

void slabs_fini(struct pool *pool)
{
    pool->slab_numbers = 0;
}

/* ---- tables: t->buckets is the first one's index in t->further, and one; only it has room ---- */

static struct table_bucket *first_of(const struct table *t)
{
    return t->buckets == 0 ? NULL : pool_at(&t->further, t->buckets - 1);
}

static struct table_bucket *next_of(const struct table *t, const struct table_bucket *b)
{
    return b->next == 0 ? NULL : pool_at(&t->further, b->next - 1);
}

bool table_init(struct table *t, struct mem *mem, size_t segment_size)
{
    *t = (struct table){.mem = mem};
    return is_power_of_two(segment_size)
           && pool_init_handles(&t->further, mem, "table", sizeof(struct table_bucket),
                                segment_size);
}

void table_fini(struct table *t)
{
    pool_fini(&t->further);
}

bool table_add(struct table *t, uint32_t hash, uint32_t ref)
{
    struct table_bucket *b = first_of(t);

    if (b == NULL || b->count == TABLE_BUCKET_ENTRIES) {
        b = pool_get_zeroed(&t->further);
        if (b == NULL)
            return false;
        b->next = t->buckets;
        t->buckets = pool_index(&t->further, b) + 1;
    }
    b->hash[b->count] = hash;
    b->ref[b->count++] = ref;
    t->count++;
    return true;
}

/* The bucket that has the entry, and its place; or NULL. */
static struct table_bucket *find(const struct table *t, uint32_t hash, uint32_t ref, uint32_t *i)
{
    for (struct table_bucket *b = first_of(t); b != NULL; b = next_of(t, b))
        for (*i = 0; *i < b->count; ++*i)
            if (b->hash[*i] == hash && b->ref[*i] == ref)
                return b;
    return NULL;
}

/* The last entry of the first bucket takes its place. */
bool table_remove(struct table *t, uint32_t hash, uint32_t ref)
{
    struct table_bucket *first = first_of(t);
    uint32_t i;
    struct table_bucket *b = find(t, hash, ref, &i);

    if (b == NULL)
        return false;
    first->count--;
    b->hash[i] = first->hash[first->count];
    b->ref[i] = first->ref[first->count];
    if (first->count == 0) {
        t->buckets = first->next;
        pool_put(&t->further, first);
    }
    t->count--;
    return true;
}

bool table_replace(struct table *t, uint32_t hash, uint32_t ref, uint32_t new_ref)
{
    uint32_t i;
    struct table_bucket *b = find(t, hash, ref, &i);

    if (b != NULL)
        b->ref[i] = new_ref;
    return b != NULL;
}

struct table_iter table_find(const struct table *t, uint32_t hash)
{
    return (struct table_iter){.table = t, .bucket = first_of(t), .hash = hash};
}

bool table_next(struct table_iter *it, uint32_t *ref)
{
    for (; it->bucket != NULL; it->bucket = next_of(it->table, it->bucket), it->i = 0) {
        while (it->i < it->bucket->count) {
            uint32_t i = it->i++;
            if (it->bucket->hash[i] == it->hash) {
                *ref = it->bucket->ref[i];
                return true;
            }
        }
    }
    return false;
}

void table_prefetch(const struct table *t, uint32_t hash)
{
}

/* ---- deadlines ---- */

static struct wheel_entry *entry_of(struct list *link)
{
    return container_of(link, struct wheel_entry, link);
}

void wheel_init(struct wheel *w, ns_t now)
{
    w->now = now;
    w->count = 0;
    list_init(&w->in_order);
}

void wheel_disarm(struct wheel *w, struct wheel_entry *e)
{
    if (!wheel_is_armed(e))
        return;
    list_remove(&e->link);
    e->link.next = NULL;
    e->at = NEVER;
    w->count--;
}

/* Most are later than those that are there: they are compared from the last one on. */
void wheel_arm(struct wheel *w, struct wheel_entry *e, ns_t at)
{
    struct list *before;

    wheel_disarm(w, e);
    if (at == NEVER)
        return;
    for (before = w->in_order.prev; before != &w->in_order && entry_of(before)->at > at;)
        before = before->prev;
    e->at = at;
    list_add_first(before, &e->link);
    w->count++;
}

void wheel_arm_in_line(struct wheel *w, struct wheel_entry *e, ns_t at)
{
    wheel_arm(w, e, at);
}

ns_t wheel_deadline(const struct wheel *w)
{
    return w->count == 0 ? NEVER : entry_of(w->in_order.next)->at;
}

struct wheel_entry *wheel_take_due(struct wheel *w)
{
    struct wheel_entry *e;

    if (w->count == 0 || wheel_deadline(w) > w->now)
        return NULL;
    e = entry_of(w->in_order.next);
    wheel_disarm(w, e);
    return e;
}
