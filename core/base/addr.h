/*
 * addr.h - what kind of address it is, and how many bits two have in common
 */
#ifndef CORE_BASE_ADDR_H
#define CORE_BASE_ADDR_H

#include "base/be.h"
#include "base/parts.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <weir/addr.h>

enum {
    ADDR_V4_AT = 12, /* where the bytes of an IPv4 address begin */
    ADDR_V4_BITS_AT = 96,
    ADDR_BITS = 128,
};

/* The IPv4 address that stands there. */
static inline struct weir_addr addr_v4_at(const uint8_t *bytes)
{
    struct weir_addr addr = weir_addr_v4(0, 0, 0, 0);

    memcpy(addr.b + ADDR_V4_BITS_AT / 8, bytes, 4);
    return addr;
}

/* Without IPv6 no other addresses come in, from the network or from an application. */
static inline bool addr_is_v4(const struct weir_addr *a)
{
    return !HAS_IPV6 || weir_addr_is_v4(a);
}

/* An IPv4 address as a number. */
static inline uint32_t addr_v4(const struct weir_addr *a)
{
    return be32_at(a->b + ADDR_V4_AT);
}

/* As weir_addr_eq. Without IPv6 the last four bytes are all that differs. */
static inline bool addr_eq(const struct weir_addr *a, const struct weir_addr *b)
{
    return HAS_IPV6 ? weir_addr_eq(a, b) : addr_v4(a) == addr_v4(b);
}

inline bool addr_is_any_of_both(const struct weir_addr *a)
{
    static const uint8_t zero[10] = {0};

    return memcmp(a->b, zero, 10) == 0 && memcmp(a->b + 12, zero, 4) == 0 && a->b[10] == a->b[11]
           && (a->b[10] == 0 || a->b[10] == 0xff);
}

/* :: or 0.0.0.0, as weir_addr_is_any */
static inline bool addr_is_any(const struct weir_addr *a)
{
    return HAS_IPV6 ? addr_is_any_of_both(a) : addr_v4(a) == 0;
}

/* ff00::/8 or 224.0.0.0/4 */
static inline bool addr_is_multicast(const struct weir_addr *a)
{
    return addr_is_v4(a) ? a->b[12] >> 4 == 0xe : a->b[0] == 0xff;
}

/* 255.255.255.255 */
static inline bool addr_is_broadcast(const struct weir_addr *a)
{
    return addr_is_v4(a) && addr_v4(a) == UINT32_MAX;
}

/* ::1 or 127.0.0.0/8 */
static inline bool addr_is_loopback(const struct weir_addr *a)
{
    static const uint8_t one[16] = {[15] = 1};

    return addr_is_v4(a) ? a->b[12] == 127 : memcmp(a->b, one, sizeof one) == 0;
}

/* fe80::/10; link-local IPv4 has no scope of its own for us. */
static inline bool addr_is_link_local6(const struct weir_addr *a)
{
    return HAS_IPV6 && a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

/* How many leading bits are equal, 0 to 128. */
static inline uint8_t addr_common_bits(const struct weir_addr *a, const struct weir_addr *b)
{
    uint8_t bits = HAS_IPV6 ? 0 : ADDR_V4_BITS_AT;

    for (int i = HAS_IPV6 ? 0 : ADDR_V4_AT; i < 16; i++) {
        uint8_t differ = a->b[i] ^ b->b[i];

        if (differ == 0) {
            bits = (uint8_t)(bits + 8);
            continue;
        }
        for (; !(differ & 0x80); differ = (uint8_t)(differ << 1))
            bits++;
        break;
    }
    return bits;
}

/* A word with all bits after the first len set to zero. */
static inline uint64_t addr_mask_word(uint64_t word, uint8_t len)
{
    return len >= 64 ? word : word & ~(UINT64_MAX >> len);
}

/* The address with all bits after the first len set to zero. */
static inline struct weir_addr addr_mask(struct weir_addr a, uint8_t len)
{
    be64_t high, low;

    if (!HAS_IPV6) {
        be32_t end =
            be32_of(len > ADDR_V4_BITS_AT ? addr_v4(&a) & UINT32_MAX << (ADDR_BITS - len) : 0);

        memcpy(a.b + ADDR_V4_AT, end.b, sizeof end.b);
        return a;
    }
    high = be64_of(addr_mask_word(be64_at(a.b), len));
    low = be64_of(len <= 64 ? 0 : addr_mask_word(be64_at(a.b + 8), (uint8_t)(len - 64)));
    memcpy(a.b, high.b, sizeof high.b);
    memcpy(a.b + 8, low.b, sizeof low.b);
    return a;
}

/* What is to be hashed of it, the same on all machines: IPv4 differs in one word. Returns how many. */
static inline size_t addr_words(const struct weir_addr *a, uint64_t words[2])
{
    if (addr_is_v4(a)) {
        words[0] = addr_v4(a);
        return 1;
    }
    words[0] = be64_at(a->b);
    words[1] = be64_at(a->b + 8);
    return 2;
}

static inline bool prefix_has(const struct weir_prefix *prefix, const struct weir_addr *a)
{
    return addr_common_bits(&prefix->addr, a) >= prefix->len;
}

#endif
