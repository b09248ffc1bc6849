/*
 * cubic_curve.c - the cube that CUBIC's window follows, and its root [RFC9438 4.2]
 */
#include "cc/cubic_curve.h"

enum {
    C_IN_1024THS = 410,     /* 0.4 segments/s^3 [RFC9438 5.1] */
    DISTANCE_MAX = 1 << 19, /* from K, in units of 2^-10 s: about nine minutes */
    EPOCH_MAX_S = 1024,
};

uint32_t cubic_curve_units(ns_t t_ns)
{
    uint64_t bounded_ns = (uint64_t)ns_min(t_ns, EPOCH_MAX_S * NS_S);

    return (uint32_t)(bounded_ns * (1024 / 8) / (NS_S / 8));
}

/* The cube root, rounded down: one bit of it a round. */
static uint32_t cube_root(uint64_t a)
{
    uint64_t x = 0;

    for (unsigned shift = 63; shift <= 63; shift -= 3) {
        uint64_t step;
        x *= 2;
        step = 3 * x * (x + 1) + 1;
        if (a >> shift >= step) {
            a -= step << shift;
            x++;
        }
    }
    return (uint32_t)x; /* below 2^22 */
}

uint32_t cubic_curve_k(uint32_t rise_bytes, uint32_t mss)
{
    uint32_t k = cube_root(((uint64_t)rise_bytes << 31) / (C_IN_1024THS * mss) << 9);

    return k < DISTANCE_MAX ? k : DISTANCE_MAX;
}

/* The cube has at most 57 bits; without the last 18 it can be multiplied by C and mss, which have 25. */
uint64_t cubic_curve_distance(uint32_t t, uint32_t k, uint32_t mss)
{
    uint64_t d = t < k ? k - t : t - k;
    uint64_t bytes;

    d = d < DISTANCE_MAX ? d : DISTANCE_MAX;
    bytes = ((d * d * d >> 18) * (C_IN_1024THS * mss)) >> 22;
    return bytes - bytes % mss;
}
