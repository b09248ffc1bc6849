/*
 * memory.h - the memory of one stack, counted
 */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include <stddef.h>
#include <weir/config.h>

struct memory {
    size_t blocks; /* that are out */
    size_t bytes;
};

struct weir_allocator memory_allocator(struct memory *m);

#endif
