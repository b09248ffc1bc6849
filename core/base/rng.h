/*
 * rng.h - random numbers that follow from a secret
 *
 * SipHash-2-4 over a counter, with a key derived from the secret and the number of the
 * stream. The same secret and stream give the same numbers, which is what makes a stack
 * repeatable; without the secret they cannot be foreseen.
 */
#ifndef CORE_BASE_RNG_H
#define CORE_BASE_RNG_H

#include "base/siphash.h"
#include <stddef.h>
#include <stdint.h>

struct rng {
    struct siphash_key key;
    uint64_t count; /* numbers drawn so far */
};

/* Streams of different numbers have nothing to do with one another. */
void rng_init(struct rng *rng, const uint8_t secret[32], uint32_t stream);

uint64_t rng_u64(struct rng *rng);
uint32_t rng_u32(struct rng *rng);

/* Uniform in [0, bound), without bias; bound is not zero. */
uint32_t rng_below(struct rng *rng, uint32_t bound);

void rng_fill(struct rng *rng, void *bytes, size_t len);

#endif
