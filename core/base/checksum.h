/*
 * checksum.h - the internet checksum [RFC1071]
 *
 * A sum here is the one's complement sum of 16-bit words in network order, kept
 * as a number of the host below 2^16, so it is the same on every machine. Sums
 * are zero for nothing and are passed on from piece to piece:
 *
 *   sum = checksum_pseudo(&src, &dst, protocol, len);
 *   sum = checksum_add(sum, bytes, len);
 *   header->checksum = be16_of(checksum_fold(sum));
 *
 * Over bytes that contain their checksum, checksum_is_good(sum) is true.
 * A piece that another one follows must have an even length; otherwise
 * checksum_join puts the two together.
 */
#ifndef CORE_BASE_CHECKSUM_H
#define CORE_BASE_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <weir/addr.h>

#include "base/be.h"

/* sum and the sum of the bytes; a last odd byte counts as followed by a zero. */
uint32_t checksum_add(uint32_t sum, const void *bytes, size_t len);

/* Copies len bytes, which must not overlap, and returns their sum, in one pass. */
uint32_t checksum_copy(void *to, const void *from, size_t len);

/* How the two are done with what a machine has; both give the same as above. */
struct checksum_ops {
    uint32_t (*add)(uint32_t sum, const void *bytes, size_t len);
    uint32_t (*copy)(void *to, const void *from, size_t len);
};

/* The fastest for a machine with these features (enum weir_cpu). */
const struct checksum_ops *checksum_ops_for(uint32_t cpu_features);

/* The sum of the pseudo-header of either family. */
uint32_t checksum_pseudo(const struct weir_addr *src, const struct weir_addr *dst, uint8_t protocol,
                         size_t len);

/*
 * A raw sum is one of 64 bits, with its carries, in the machine's order: for packets so short that
 * reducing one sum after the other would take longer than to add them up. The functions are made
 * for less than a few hundred bytes.
 */
inline uint64_t checksum_raw_plus(uint64_t a, uint64_t b)
{
    a += b;
    return a + (a < b);
}

inline uint64_t checksum_raw(const void *bytes, size_t len)
{
    const uint8_t *from = bytes;
    uint64_t sum = 0, word;
    uint32_t half;
    uint16_t pair = 0;

    for (; len >= sizeof word; len -= sizeof word, from += sizeof word) {
        memcpy(&word, from, sizeof word);
        sum = checksum_raw_plus(sum, word);
    }
    if (len & sizeof half) {
        memcpy(&half, from, sizeof half);
        sum = checksum_raw_plus(sum, half);
        from += sizeof half;
    }
    if (len & sizeof pair) {
        memcpy(&pair, from, sizeof pair);
        sum = checksum_raw_plus(sum, pair);
        from += sizeof pair;
    }
    if ((len & 1) == 0)
        return sum;
    pair = 0;
    memcpy(&pair, from, 1);
    return checksum_raw_plus(sum, pair);
}

/* What a number of 32 bits adds that stands in the bytes in network order. */
static inline uint64_t checksum_raw_word(uint32_t word)
{
    be32_t wire = be32_of(word);

    return checksum_raw(wire.b, sizeof wire.b);
}

uint64_t checksum_raw_pseudo(const struct weir_addr *src, const struct weir_addr *dst,
                             uint8_t protocol, uint32_t len);

/* The same where the bytes of b follow those of a. */
static inline uint64_t checksum_raw_join(uint64_t a, uint64_t b, size_t len_of_a)
{
    return checksum_raw_plus(a, len_of_a & 1 ? b << 8 | b >> 56 : b);
}

/* Any sum of sums, reduced below 2^16. */
inline uint32_t checksum_reduce(uint64_t sum)
{
    uint32_t half;

    /* With both halves added to both, the upper one has the carry of the lower one, too. */
    sum += sum << 32 | sum >> 32;
    half = (uint32_t)(sum >> 32);
    half += half << 16 | half >> 16;
    return half >> 16;
}

/* The same for a few numbers of 16 bits. */
static inline uint32_t checksum_reduce32(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16);
}

/* The sum of a, made from len_of_a bytes, and of b, made from the bytes that follow. */
inline uint32_t checksum_join(uint32_t a, uint32_t b, size_t len_of_a)
{
    /* After an odd number of bytes, high and low change places [RFC1071 2(B)]. */
    if (len_of_a & 1)
        b = (b & 0xff) << 8 | (b >> 8 & 0xff);
    return checksum_reduce((uint64_t)a + b);
}

/* checksum_add(0, ...) for a header: short, and made of words of 32 bits. */
inline uint32_t checksum_words(const uint8_t *bytes, size_t len)
{
    uint64_t sum = 0;
    uint32_t reduced;

    for (size_t i = 0; i < len; i += 4) {
        uint32_t word;
        memcpy(&word, bytes + i, sizeof word);
        sum += word;
    }
    reduced = checksum_reduce(sum);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    reduced = (reduced & 0xff) << 8 | reduced >> 8;
#endif
    return reduced;
}

/* What the checksum field holds for a sum in which it counted as zero. */
static inline uint16_t checksum_fold(uint32_t sum)
{
    return (uint16_t)(~checksum_reduce(sum) & 0xffff);
}

/* As checksum_fold for a raw sum. */
static inline uint16_t checksum_fold_raw(uint64_t sum)
{
    uint16_t reduced = (uint16_t)checksum_reduce(sum);

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    reduced = (uint16_t)(reduced << 8 | reduced >> 8);
#endif
    return (uint16_t)~reduced;
}

/*
 * A raw sum as one of numbers, for checksum_raw_plus and checksum_reduce: in which order its four pairs of bytes
 * stand does not matter, in which order the bytes of a pair do does.
 */
static inline uint64_t checksum_raw_turned(uint64_t sum)
{
    be64_t turned = be64_of(sum);
    uint64_t numbers;

    memcpy(&numbers, &turned, sizeof numbers);
    return numbers;
}

/* Is this the sum of bytes that contain their right checksum? */
static inline bool checksum_is_good(uint32_t sum)
{
    return checksum_reduce(sum) == 0xffff;
}

/*
 * All ones are all ones in any order. A half of a number and the other, with their carry, are the upper
 * half of the sum of the number and its halves exchanged.
 */
static inline bool checksum_raw_is_good(uint64_t sum)
{
    uint32_t folded;

    sum += sum << 32 | sum >> 32;
    folded = (uint32_t)(sum >> 32);
    folded += folded << 16 | folded >> 16;
    return folded >> 16 == 0xffff;
}

/* The checksum field after one 16-bit word it covers became another [RFC1624 3, eqn. 3]. */
static inline uint16_t checksum_update16(uint16_t checksum, uint16_t old_word, uint16_t new_word)
{
    uint32_t sum = (uint32_t)(uint16_t)~checksum + (uint16_t)~old_word + new_word;

    return checksum_fold(sum);
}

/* The same for an aligned 32-bit word. */
static inline uint16_t checksum_update32(uint16_t checksum, uint32_t old_word, uint32_t new_word)
{
    uint64_t sum = (uint64_t)(uint16_t)~checksum + (uint32_t)~old_word + new_word;

    return checksum_fold(checksum_reduce(sum));
}

#endif
