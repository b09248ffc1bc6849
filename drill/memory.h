/*
 * memory.h - memory that is given back all at once
 */
#ifndef DRILL_MEMORY_H
#define DRILL_MEMORY_H

#include <stddef.h>

struct drill_block;

/* Starts as zeros. */
struct drill_memory {
    struct drill_block *blocks;
};

/* Zeroed memory, aligned for anything; NULL if there is none. */
void *drill_memory_get(struct drill_memory *m, size_t size);

/* A copy with a NUL. */
char *drill_memory_copy(struct drill_memory *m, const char *text, size_t len);

void drill_memory_fini(struct drill_memory *m);

#endif
