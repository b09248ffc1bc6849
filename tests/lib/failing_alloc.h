/*
 * failing_alloc.h - an allocator that runs out of memory when it is told to
 *
 * It checks that every block is freed once, with the size it was allocated with. What it
 * hands out is filled with garbage, and so is what comes back.
 */
#ifndef TESTS_LIB_FAILING_ALLOC_H
#define TESTS_LIB_FAILING_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/config.h>

struct failing_block;

enum {
    FAILING_ALLOC_CHAINS = 256,
};

struct failing_alloc {
    uint64_t fail_at;     /* the call of alloc that fails, counted from 1; 0: none */
    bool fails_from_then; /* and so do all after it */
    uint64_t calls;       /* of alloc */
    size_t outstanding_count;
    size_t outstanding_bytes;
    size_t largest_bytes; /* the largest block that was ever asked for */
    struct failing_block *chains[FAILING_ALLOC_CHAINS];
};

/* Starts with nothing outstanding and does not fail until fail_at is set. */
void failing_alloc_init(struct failing_alloc *a);

/* As a stack or a struct mem wants it. */
struct weir_allocator failing_alloc_allocator(struct failing_alloc *a);

/* Fails the test if anything is outstanding. */
void failing_alloc_fini(struct failing_alloc *a);

#endif
