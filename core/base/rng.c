/*
 * rng.c - SipHash-2-4 in counter mode
 */
#include "base/rng.h"

#include "base/check.h"

/* The purposes of derived keys that are random streams; others are below 2^32. */
static const uint64_t stream_purposes = UINT64_C(1) << 32;

void rng_init(struct rng *rng, const uint8_t secret[32], uint32_t stream)
{
    rng->key = siphash_key_derive(secret, stream_purposes | stream);
    rng->count = 0;
}

uint64_t rng_u64(struct rng *rng)
{
    uint64_t count = rng->count++;

    return siphash24_words(rng->key, &count, 1);
}

uint32_t rng_u32(struct rng *rng)
{
    return (uint32_t)(rng_u64(rng) >> 32);
}

/*
 * Lemire, "Fast random integer generation in an interval" (2019): the high half of a
 * product is nearly uniform; the few low halves that make it uneven are drawn again. A
 * draw is repeated with a probability below one half.
 */
uint32_t rng_below(struct rng *rng, uint32_t bound)
{
    CHECK(bound != 0);

    uint32_t uneven = (uint32_t)-bound % bound; /* 2^32 mod bound */
    uint64_t product = (uint64_t)rng_u32(rng) * bound;

    while ((uint32_t)product < uneven)
        product = (uint64_t)rng_u32(rng) * bound;
    return (uint32_t)(product >> 32);
}

void rng_fill(struct rng *rng, void *bytes, size_t len)
{
    uint8_t *out = bytes;

    for (size_t i = 0; i < len;) {
        uint64_t word = rng_u64(rng);

        for (unsigned j = 0; j < 8 && i < len; j++, i++)
            out[i] = (uint8_t)(word >> (8 * j));
    }
}
