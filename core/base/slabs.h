/*
 * slabs.h - the slabs of a pool with handles, by their numbers
 *
 * For pool.c alone. A number is used again when its slab is gone.
 */
#ifndef CORE_BASE_SLABS_H
#define CORE_BASE_SLABS_H

#include "base/list.h"
#include "base/pool.h"
#include <stdint.h>

enum { SLABS_NO_NUMBER = 0x3fffffff }; /* no slab has this number or a higher one */

struct slab {
    struct list link; /* in pool.partial, where the spare one is the last, or in pool.full */
    void *free;       /* the object given back last */
    uint32_t used;
    uint32_t fresh;
    uint32_t number;
    uint32_t generations[];
};

/* A number for a new slab, or SLABS_NO_NUMBER. It is not taken before slabs_add. */
uint32_t slabs_next_number(struct pool *pool);

void slabs_add(struct pool *pool, struct slab *slab, uint32_t number);
void slabs_remove(struct pool *pool, const struct slab *slab);

/* The slab with a number, or NULL if there is none now. */
struct slab *slabs_find(const struct pool *pool, uint32_t number);

/* All slabs are gone; so are their numbers, and the memory that they took. */
void slabs_fini(struct pool *pool);

#endif
