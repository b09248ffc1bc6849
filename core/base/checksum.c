/*
 * checksum.c - the internet checksum [RFC1071]
 *
 * A one's complement sum does not care how wide its words are, nor, until the end, in
 * which byte order they were read [RFC1071 2(B)]. So memory is read in the machine's own
 * order, 64 bits at a time into four sums that do not wait for one another, each of which
 * takes its carry back in at once: compilers make that an add and an add-with-carry.
 * (Vector code from narrower words was measured and is slower on x86-64 without AVX.)
 *
 * With AVX2 it is faster: 32 bytes at a time, whose words of 16 bits are added up in lanes of
 * 32. Whether the machine has it is for the host to find out.
 */
#include "base/checksum.h"

#include "base/be.h"
#include <string.h>
#include <weir/config.h>

/* These functions exist twice, once with copies known to be false, and decide nothing per word. */
#define INLINE static inline __attribute__((always_inline))

/* len is a constant of at most eight. The bytes may be any part of the word: all sum up alike. */
INLINE uint64_t word_at(bool copies, uint8_t *to, const uint8_t *from, size_t len)
{
    uint64_t word = 0;

    memcpy(&word, from, len);
    if (copies)
        memcpy(to, &word, len);
    return word;
}

static inline uint64_t read_word(const uint8_t *from, size_t len)
{
    return word_at(false, NULL, from, len);
}

/* Where nothing is copied there is no pointer. */
INLINE uint8_t *after(bool copies, uint8_t *to, size_t len)
{
    return copies ? to + len : to;
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
INLINE uint64_t sum_rest(bool copies, uint8_t *to, const uint8_t *from, size_t len)
{
    uint64_t sum = 0;

    if (len & 4) {
        sum = word_at(copies, to, from, 4);
        from += 4;
        to = after(copies, to, 4);
    }
    if (len & 2) {
        sum = checksum_raw_plus(sum, word_at(copies, to, from, 2));
        from += 2;
        to = after(copies, to, 2);
    }
    if (len & 1)
        sum = checksum_raw_plus(sum, word_at(copies, to, from, 1));
    return sum;
}

INLINE uint32_t sum_and_copy(bool copies, uint8_t *to, const uint8_t *from, size_t len)
{
    uint64_t a = 0, b = 0, c = 0, d = 0;

    for (; len >= 32; len -= 32, from += 32, to = after(copies, to, 32)) {
        a = checksum_raw_plus(a, word_at(copies, to, from, 8));
        b = checksum_raw_plus(b, word_at(copies, after(copies, to, 8), from + 8, 8));
        c = checksum_raw_plus(c, word_at(copies, after(copies, to, 16), from + 16, 8));
        d = checksum_raw_plus(d, word_at(copies, after(copies, to, 24), from + 24, 8));
    }
    for (; len >= 8; len -= 8, from += 8, to = after(copies, to, 8))
        a = checksum_raw_plus(a, word_at(copies, to, from, 8));
    b = checksum_raw_plus(b, sum_rest(copies, to, from, len));
    return to_network(checksum_raw_plus(checksum_raw_plus(a, b), checksum_raw_plus(c, d)));
}

uint32_t checksum_add(uint32_t sum, const void *bytes, size_t len)
{
    return checksum_reduce((uint64_t)sum + sum_and_copy(false, NULL, bytes, len));
}

uint32_t checksum_copy(void *to, const void *from, size_t len)
{
    return sum_and_copy(true, to, from, len);
}

/* ---- with AVX2 ---- */

#if defined(__x86_64__)

#define AVX2 __attribute__((target("avx2")))

/* Eight lanes, from any address. */
typedef uint32_t lanes __attribute__((vector_size(32)));
typedef uint32_t lanes_anywhere __attribute__((vector_size(32), aligned(1), may_alias));

enum {
    LANE_BYTES = sizeof(lanes),
    TURN_BYTES = 4 * LANE_BYTES,
    TURNS_MAX = 8192, /* each adds at most 2^18 to a lane */
    PAYS_FROM = 2 * TURN_BYTES,
};

AVX2 INLINE lanes lanes_at(bool copies, uint8_t *to, const uint8_t *from)
{
    lanes bytes = *(const lanes_anywhere *)(const void *)from;

    if (copies)
        *(lanes_anywhere *)(void *)to = bytes;
    return bytes;
}

AVX2 INLINE uint64_t sum_lanes(lanes sum)
{
    uint64_t all = 0;

    for (size_t i = 0; i < LANE_BYTES / sizeof sum[0]; i++)
        all += sum[i];
    return all;
}

/* At most TURNS_MAX turns. */
AVX2 INLINE uint64_t sum_turns(bool copies, uint8_t *to, const uint8_t *from, size_t turns)
{
    lanes even = {0}, odd = {0}, even2 = {0}, odd2 = {0};

    for (; turns > 0; turns--, from += TURN_BYTES, to = after(copies, to, TURN_BYTES)) {
        lanes a = lanes_at(copies, to, from),
              b = lanes_at(copies, after(copies, to, LANE_BYTES), from + LANE_BYTES);
        lanes c = lanes_at(copies, after(copies, to, 2 * LANE_BYTES), from + 2 * LANE_BYTES);
        lanes d = lanes_at(copies, after(copies, to, 3 * LANE_BYTES), from + 3 * LANE_BYTES);
        even += (a & 0xffff) + (b & 0xffff);
        odd += (a >> 16) + (b >> 16);
        even2 += (c & 0xffff) + (d & 0xffff);
        odd2 += (c >> 16) + (d >> 16);
    }
    return sum_lanes(even) + sum_lanes(odd) + sum_lanes(even2) + sum_lanes(odd2);
}

AVX2 INLINE uint32_t sum_and_copy_avx2(bool copies, uint8_t *to, const uint8_t *from, size_t len)
{
    uint64_t sum = 0;

    while (len >= TURN_BYTES) {
        size_t turns = len / TURN_BYTES < TURNS_MAX ? len / TURN_BYTES : TURNS_MAX;
        sum += sum_turns(copies, to, from, turns);
        from += turns * TURN_BYTES;
        to = after(copies, to, turns * TURN_BYTES);
        len -= turns * TURN_BYTES;
    }
    return checksum_reduce32(to_network(sum) + sum_and_copy(copies, to, from, len));
}

AVX2 static uint32_t add_much(const void *bytes, size_t len)
{
    return sum_and_copy_avx2(false, NULL, bytes, len);
}

AVX2 static uint32_t copy_much(void *to, const void *from, size_t len)
{
    return sum_and_copy_avx2(true, to, from, len);
}

static uint32_t add_avx2(uint32_t sum, const void *bytes, size_t len)
{
    if (len < PAYS_FROM)
        return checksum_add(sum, bytes, len);
    return checksum_reduce((uint64_t)sum + add_much(bytes, len));
}

static uint32_t copy_avx2(void *to, const void *from, size_t len)
{
    return len < PAYS_FROM ? checksum_copy(to, from, len) : copy_much(to, from, len);
}

static const struct checksum_ops avx2 = {add_avx2, copy_avx2};
#endif

const struct checksum_ops *checksum_ops_for(uint32_t cpu_features)
{
    static const struct checksum_ops portable = {checksum_add, checksum_copy};

#if defined(__x86_64__)
    if (cpu_features & WEIR_CPU_AVX2)
        return &avx2;
#endif
    (void)cpu_features;
    return &portable;
}

/*
 * A mapped IPv4 address sums up like its last four bytes, since the ffff before them is a
 * zero of one's complement. The two pseudo-headers [RFC9293 3.1] [RFC8200 8.1] otherwise
 * differ only in where they put the protocol and the length.
 */
static inline uint64_t sum_addrs(const struct weir_addr *src, const struct weir_addr *dst)
{
    uint64_t a = checksum_raw_plus(read_word(src->b, 8), read_word(src->b + 8, 8));
    uint64_t b = checksum_raw_plus(read_word(dst->b, 8), read_word(dst->b + 8, 8));

    return checksum_raw_plus(a, b);
}

uint32_t checksum_pseudo(const struct weir_addr *src, const struct weir_addr *dst, uint8_t protocol,
                         size_t len)
{
    return checksum_reduce((uint64_t)to_network(sum_addrs(src, dst)) + protocol + (uint32_t)len);
}

uint64_t checksum_raw_pseudo(const struct weir_addr *src, const struct weir_addr *dst,
                             uint8_t protocol, uint32_t len)
{
    return checksum_raw_plus(sum_addrs(src, dst), checksum_raw_word(len + protocol));
}
