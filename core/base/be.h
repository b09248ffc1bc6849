/*
 * be.h - numbers as they stand on the wire
 *
 * Most significant byte first, made of bytes, so that they have no alignment
 * and a wire struct has no padding. Compilers turn get and of into one load or
 * store and a byte swap. They may stand in memory that was declared as something
 * else, which compilers have to be told (may_alias).
 */
#ifndef CORE_BASE_BE_H
#define CORE_BASE_BE_H

#include <stdint.h>
#include <string.h>

typedef struct __attribute__((may_alias)) {
    uint8_t b[2];
} be16_t;

typedef struct __attribute__((may_alias)) {
    uint8_t b[4];
} be32_t;

typedef struct __attribute__((may_alias)) {
    uint8_t b[8];
} be64_t;

_Static_assert(sizeof(be16_t) == 2 && _Alignof(be16_t) == 1, "be16_t is two bytes");
_Static_assert(sizeof(be32_t) == 4 && _Alignof(be32_t) == 1, "be32_t is four bytes");
_Static_assert(sizeof(be64_t) == 8 && _Alignof(be64_t) == 1, "be64_t is eight bytes");

static inline uint16_t be16_get(be16_t v)
{
    return (uint16_t)(v.b[0] << 8 | v.b[1]);
}

static inline uint32_t be32_get(be32_t v)
{
    return (uint32_t)v.b[0] << 24 | (uint32_t)v.b[1] << 16 | (uint32_t)v.b[2] << 8 | v.b[3];
}

static inline uint64_t be64_get(be64_t v)
{
    return (uint64_t)v.b[0] << 56 | (uint64_t)v.b[1] << 48 | (uint64_t)v.b[2] << 40
           | (uint64_t)v.b[3] << 32 | (uint64_t)v.b[4] << 24 | (uint64_t)v.b[5] << 16
           | (uint64_t)v.b[6] << 8 | v.b[7];
}

/* The same anywhere in memory. */
static inline uint16_t be16_at(const uint8_t *bytes)
{
    return be16_get(*(const be16_t *)(const void *)bytes);
}

static inline uint32_t be32_at(const uint8_t *bytes)
{
    return be32_get(*(const be32_t *)(const void *)bytes);
}

static inline uint64_t be64_at(const uint8_t *bytes)
{
    return be64_get(*(const be64_t *)(const void *)bytes);
}

/*
 * By way of a number, not byte by byte: of several in a row some compilers make vectors, one byte
 * after the other.
 */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BE_SWAP(bits, host) __builtin_bswap##bits(host)
#else
#define BE_SWAP(bits, host) (host)
#endif

static inline be16_t be16_of(uint16_t host)
{
    uint16_t swapped = BE_SWAP(16, host);
    be16_t v;

    memcpy(&v, &swapped, sizeof v);
    return v;
}

static inline be32_t be32_of(uint32_t host)
{
    uint32_t swapped = BE_SWAP(32, host);
    be32_t v;

    memcpy(&v, &swapped, sizeof v);
    return v;
}

static inline be64_t be64_of(uint64_t host)
{
    uint64_t swapped = BE_SWAP(64, host);
    be64_t v;

    memcpy(&v, &swapped, sizeof v);
    return v;
}

#undef BE_SWAP

#endif
