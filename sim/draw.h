/*
 * draw.h - random numbers of a simulation
 *
 * splitmix64 (Steele, Lea and Flood, 2014): a few operations a number, the same on every
 * machine, and a stream of its own for whoever needs one. Nothing here is secret.
 */
#ifndef SIM_DRAW_H
#define SIM_DRAW_H

#include <stdbool.h>
#include <stdint.h>

struct draw {
    uint64_t state;
};

static inline uint64_t draw_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline struct draw draw_of(uint64_t seed, uint64_t stream)
{
    return (struct draw){draw_mix(seed + UINT64_C(0x9e3779b97f4a7c15)) ^ draw_mix(~stream)};
}

static inline uint64_t draw_u64(struct draw *d)
{
    d->state += UINT64_C(0x9e3779b97f4a7c15);
    return draw_mix(d->state);
}

/* In [0, bound), for bounds far below 2^32: what the rounding favours is not seen. bound is not 0. */
static inline uint32_t draw_below(struct draw *d, uint32_t bound)
{
    return (uint32_t)((draw_u64(d) >> 32) * bound >> 32);
}

/* In [0, bound) for 64-bit bounds. */
static inline uint64_t draw_below64(struct draw *d, uint64_t bound)
{
    return bound <= UINT32_MAX ? draw_below(d, (uint32_t)bound) : draw_u64(d) % bound;
}

/* True for a share of ppm parts in a million. Nothing is drawn for a share of 0. */
static inline bool draw_share(struct draw *d, uint32_t ppm)
{
    return ppm != 0 && draw_below(d, 1000000) < ppm;
}

static inline bool draw_one_in(struct draw *d, uint32_t n)
{
    return draw_below(d, n) == 0;
}

#endif
