/*
 * lent.h - what a fuzz target lends, which has to be back at the end
 */
#ifndef FUZZ_LENT_H
#define FUZZ_LENT_H

#include <stddef.h>
#include <stdint.h>
#include <weir/config.h>
#include <weir/weir.h>

struct lent_memory {
    size_t blocks;    /* outstanding */
    uint32_t fail_in; /* allocations until one fails; 0: none does */
};

/* An allocator whose blocks are counted, and are not cleared. */
struct weir_allocator lent_allocator(struct lent_memory *m);

/* A copy of exactly so many bytes, for free(). */
uint8_t *lent_copy(const uint8_t *bytes, size_t len);

/* Who has bytes that are lent out: *outstanding counts him until he is told. */
struct lender {
    size_t *outstanding;
    uint8_t *bytes[WEIR_FRAME_SLICES];
    size_t count;
};

/* One who has no bytes yet. */
struct lender *lender_begin(size_t *outstanding);

/* Frees the lender and his bytes: a release function. */
void lender_release(void *lender);

#endif
