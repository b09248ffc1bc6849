/*
 * slabs.c - from a slab's number to the slab: a tree that is as high as it has to be
 *
 * A leaf has for each slab number the slab or, when the slab is gone, the next free number,
 * marked by its lowest bit.
 */
#include "base/slabs.h"

#include "base/hint.h"
#include "base/mem.h"
#include <string.h>

struct pool_node {
    void *child[POOL_FAN_OUT];
};

enum { fan_out_bits = 6 };

_Static_assert(1 << fan_out_bits == POOL_FAN_OUT, "a node is indexed by fan_out_bits");

static bool is_free_number(const void *child)
{
    return (uintptr_t)child & 1;
}

static void *child_of_number(uint32_t next)
{
    return (void *)((uintptr_t)next << 1 | 1);
}

/* The node of a level (0: the leaves) on the way to a slab number; NULL if there is none. */
static APART struct pool_node *node_at(const struct pool *pool, uint32_t number, unsigned level)
{
    struct pool_node *node = pool->root;

    for (unsigned l = pool->levels; node && l > level + 1; l--)
        node = node->child[number >> (fan_out_bits * (l - 1)) & (POOL_FAN_OUT - 1)];
    return node;
}

static void **child_at(const struct pool *pool, uint32_t number)
{
    return &node_at(pool, number, 0)->child[number & (POOL_FAN_OUT - 1)];
}

static struct pool_node *node_get(struct pool *pool)
{
    struct pool_node *node = mem_alloc(pool->mem, sizeof *node, _Alignof(struct pool_node));

    if (!node)
        return NULL;
    memset(node, 0, sizeof *node);
    pool->held_bytes += sizeof *node;
    return node;
}

static void node_put(struct pool *pool, struct pool_node *node)
{
    pool->held_bytes -= sizeof *node;
    mem_free(pool->mem, node, sizeof *node);
}

/* Adds levels above the root until it reaches a number, which is the next one to be used. */
static bool grow_to(struct pool *pool, uint32_t number)
{
    while (pool->levels == 0 || number >> (fan_out_bits * pool->levels) != 0) {
        struct pool_node *root = node_get(pool);

        if (!root)
            return false;
        root->child[0] = pool->root;
        pool->root = root;
        pool->levels++;
    }
    return true;
}

/* Makes sure that there is a leaf for a number. */
static bool add_leaf(struct pool *pool, uint32_t number)
{
    if (!grow_to(pool, number))
        return false;
    for (unsigned level = pool->levels; level-- > 1;) {
        struct pool_node *node = node_at(pool, number, level);
        void **child = &node->child[number >> (fan_out_bits * level) & (POOL_FAN_OUT - 1)];

        if (!*child)
            *child = node_get(pool);
        if (!*child)
            return false;
    }
    return true;
}

/* A leaf may have been made for the first unused number, hence <=. */
static void remove_level(struct pool *pool, unsigned level)
{
    uint64_t width = UINT64_C(1) << (fan_out_bits * (level + 1));

    for (uint64_t number = 0; number <= pool->slab_numbers; number += width) {
        if (number >> (fan_out_bits * pool->levels) != 0)
            break;
        struct pool_node *node = node_at(pool, (uint32_t)number, level);
        if (node)
            node_put(pool, node);
    }
}

uint32_t slabs_next_number(struct pool *pool)
{
    if (pool->free_number != SLABS_NO_NUMBER)
        return pool->free_number;
    if (pool->slab_numbers >= SLABS_NO_NUMBER
        || pool->slab_numbers >= UINT32_MAX >> pool->slot_bits)
        return SLABS_NO_NUMBER;
    return add_leaf(pool, pool->slab_numbers) ? pool->slab_numbers : SLABS_NO_NUMBER;
}

void slabs_add(struct pool *pool, struct slab *slab, uint32_t number)
{
    void **child = child_at(pool, number);

    if (number == pool->free_number)
        pool->free_number = (uint32_t)((uintptr_t)*child >> 1);
    else
        pool->slab_numbers++;
    *child = slab;
    slab->number = number;
}

void slabs_remove(struct pool *pool, const struct slab *slab)
{
    *child_at(pool, slab->number) = child_of_number(pool->free_number);
    pool->free_number = slab->number;
}

/* Of a pool that is not large the root is the only leaf. */
struct slab *slabs_find(const struct pool *pool, uint32_t number)
{
    if (number >= pool->slab_numbers)
        return NULL;

    void *child = pool->levels == 1 ? pool->root->child[number] : *child_at(pool, number);

    return is_free_number(child) ? NULL : child;
}

void slabs_fini(struct pool *pool)
{
    for (unsigned level = 0; level < pool->levels; level++)
        remove_level(pool, level);
    pool->root = NULL;
    pool->levels = 0;
    pool->slab_numbers = 0;
    pool->free_number = SLABS_NO_NUMBER;
}
