/*
 * checksum.c - the internet checksum [RFC1071]
 *
 * A one's complement sum does not care how wide its words are, nor, until the end, in
 * which byte order they were read [RFC1071 2(B)]. So memory is read in the machine's own
 * order, 64 bits at a time into four sums that do not wait for one another, each of which
 * takes its carry back in at once: compilers make that an add and an add-with-carry.
 * (Vector code from narrower words was measured and is slower on x86-64 without AVX.)
 */
#include "base/checksum.h"

#include <string.h>

static inline uint64_t add_with_carry(uint64_t a, uint64_t b)
{
    a += b;
    return a + (a < b);
}

/* These functions exist twice, once with to known to be NULL, and decide nothing per word. */
#define INLINE static inline __attribute__((always_inline))

/* len is a constant of at most eight. The bytes may be any part of the word: all sum up alike. */
INLINE uint64_t word_at(uint8_t *to, const uint8_t *from, size_t len)
{
    uint64_t word = 0;

    memcpy(&word, from, len);
    if (to != NULL)
        memcpy(to, &word, len);
    return word;
}

INLINE uint8_t *after(uint8_t *to, size_t len)
{
    return to == NULL ? NULL : to + len;
}

/* 64 bits of the machine's order to 16 bits of the network's. */
static inline uint32_t to_network(uint64_t sum)
{
    uint32_t reduced = checksum_reduce(sum);

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    reduced = (reduced & 0xff) << 8 | reduced >> 8;
#endif
    return reduced;
}

/* At most seven bytes. */
INLINE uint64_t sum_rest(uint8_t *to, const uint8_t *from, size_t len)
{
    uint64_t sum = 0;

    if (len & 4) {
        sum = word_at(to, from, 4);
        from += 4;
        to = after(to, 4);
    }
    if (len & 2) {
        sum = add_with_carry(sum, word_at(to, from, 2));
        from += 2;
        to = after(to, 2);
    }
    if (len & 1)
        sum = add_with_carry(sum, word_at(to, from, 1));
    return sum;
}

INLINE uint32_t sum_and_copy(uint8_t *to, const uint8_t *from, size_t len)
{
    uint64_t a = 0, b = 0, c = 0, d = 0;

    for (; len >= 32; len -= 32, from += 32, to = after(to, 32)) {
        a = add_with_carry(a, word_at(to, from, 8));
        b = add_with_carry(b, word_at(after(to, 8), from + 8, 8));
        c = add_with_carry(c, word_at(after(to, 16), from + 16, 8));
        d = add_with_carry(d, word_at(after(to, 24), from + 24, 8));
    }
    for (; len >= 8; len -= 8, from += 8, to = after(to, 8))
        a = add_with_carry(a, word_at(to, from, 8));
    b = add_with_carry(b, sum_rest(to, from, len));
    return to_network(add_with_carry(add_with_carry(a, b), add_with_carry(c, d)));
}

uint32_t checksum_add(uint32_t sum, const void *bytes, size_t len)
{
    return checksum_reduce((uint64_t)sum + sum_and_copy(NULL, bytes, len));
}

uint32_t checksum_copy(void *to, const void *from, size_t len)
{
    /* With no bytes there may be no pointer, and no pointer would mean no copy. */
    return len == 0 ? 0 : sum_and_copy(to, from, len);
}

/*
 * A mapped IPv4 address sums up like its last four bytes, since the ffff before them is a
 * zero of one's complement. The two pseudo-headers [RFC9293 3.1] [RFC8200 8.1] otherwise
 * differ only in where they put the protocol and the length.
 */
uint32_t checksum_pseudo(const struct weir_addr *src, const struct weir_addr *dst, uint8_t protocol,
                         size_t len)
{
    uint64_t a = add_with_carry(word_at(NULL, src->b, 8), word_at(NULL, src->b + 8, 8));
    uint64_t b = add_with_carry(word_at(NULL, dst->b, 8), word_at(NULL, dst->b + 8, 8));

    return checksum_reduce((uint64_t)to_network(add_with_carry(a, b)) + protocol + (uint32_t)len);
}
