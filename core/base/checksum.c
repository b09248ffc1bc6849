/*
 * checksum.c - the internet checksum [RFC1071]
 *
 * A one's complement sum does not care how wide its words are, nor, until the end, in
 * which byte order they were read [RFC1071 2(B)]. So memory is read in the machine's own
 * order, 64 bits at a time into four sums that do not wait for one another, each of which
 * takes its carry back in at once: compilers make that an add and an add-with-carry. What is
 * copied is summed up right behind, from the first cache.
 *
 * With AVX2 it is faster: 32 bytes at a time, which are copied on the way, and whose words of
 * 16 bits are added up in lanes of 32. Whether the machine has it is for the host to find out.
 */
#include "base/checksum.h"

#include "base/num.h"
#include "base/span.h"
#include <string.h>
#include <weir/config.h>

static inline uint64_t word_at(const uint8_t *from)
{
    uint64_t word;

    memcpy(&word, from, sizeof word);
    return word;
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

static uint64_t raw_sum(const uint8_t *from, size_t len)
{
    uint64_t a = 0, b = 0, c = 0, d = 0;

    for (; len >= 32; len -= 32, from += 32) {
        a = checksum_raw_plus(a, word_at(from));
        b = checksum_raw_plus(b, word_at(from + 8));
        c = checksum_raw_plus(c, word_at(from + 16));
        d = checksum_raw_plus(d, word_at(from + 24));
    }
    a = checksum_raw_plus(a, checksum_raw(from, len));
    return checksum_raw_plus(checksum_raw_plus(a, b), checksum_raw_plus(c, d));
}

uint32_t checksum_add(uint32_t sum, const void *bytes, size_t len)
{
    return checksum_reduce((uint64_t)sum + to_network(raw_sum(bytes, len)));
}

uint32_t checksum_copy(void *to, const void *from, size_t len)
{
    enum { PART_BYTES = 2048 };
    uint8_t *at = to;
    uint64_t sum = 0;

    for (struct span s = span_of(from, len); s.len > 0;) {
        struct span part = span_take(s, PART_BYTES);
        span_copy(at, part);
        sum = checksum_raw_plus(sum, raw_sum(at, part.len));
        at += part.len;
        s = span_drop(s, part.len);
    }
    return to_network(sum);
}

/* ---- with AVX2 ---- */

#if defined(__x86_64__)

#define AVX2 __attribute__((target("avx2")))

/* These functions exist twice, once with copies known to be false, and decide nothing per word. */
#define AVX2_INLINE static inline __attribute__((always_inline, target("avx2")))

/* Eight lanes, from any address; and the four sums of two. */
typedef uint32_t lanes __attribute__((vector_size(32)));
typedef uint32_t lanes_anywhere __attribute__((vector_size(32), aligned(1), may_alias));
typedef uint64_t wide_lanes __attribute__((vector_size(32)));

enum {
    LANE_BYTES = sizeof(lanes),
    TURN_BYTES = 4 * LANE_BYTES,
    BLOCK_BYTES = 4096 * TURN_BYTES, /* adds less than 2^31 to each lane */
    PAYS_FROM = 2 * TURN_BYTES,
    AHEAD_BYTES = 512, /* so far ahead bytes are fetched: half as far, or twice, is no better */
};

/*
 * Sums of numbers of 32 bits, without their carries, and of the upper halves alone: that is all there is
 * to know, since the lower halves are what is left of the former, and takes the fewest instructions.
 */
struct lane_sums {
    lanes whole, upper;
};

AVX2_INLINE void add_lanes(struct lane_sums *sums, lanes words)
{
    sums->whole += words;
    sums->upper += words >> 16;
}

/* Of both, as words of 16 bits. */
AVX2_INLINE uint64_t sum_lanes(struct lane_sums a, struct lane_sums b)
{
    lanes upper = a.upper + b.upper, lower = a.whole + b.whole - (upper << 16);
    lanes sum = upper + lower;
    wide_lanes wide = ((wide_lanes)sum & 0xffffffff) + ((wide_lanes)sum >> 32);

    return wide[0] + wide[1] + wide[2] + wide[3];
}

/* Where nothing is copied, to is not looked at. */
AVX2_INLINE lanes lanes_at(bool copies, uint8_t *to, const uint8_t *from, size_t at)
{
    lanes bytes = *(const lanes_anywhere *)(const void *)(from + at);

    if (copies)
        *(lanes_anywhere *)(void *)(to + at) = bytes;
    return bytes;
}

/* There may be nothing so far ahead: no harm is done. */
AVX2_INLINE void fetch_ahead(const uint8_t *from)
{
    uintptr_t ahead = (uintptr_t)from + AHEAD_BYTES;

    __builtin_prefetch((const void *)ahead);
    __builtin_prefetch((const void *)(ahead + TURN_BYTES / 2));
}

/* As many bytes of the last lane as are not in one before it. */
static const uint8_t last_bytes[2 * LANE_BYTES] = {
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
};

/*
 * len is even, at least LANE_BYTES and at most BLOCK_BYTES. What follows the bytes is likely to be asked
 * for next, so fetching ahead does not stop at their end.
 */
AVX2_INLINE uint64_t sum_block(bool copies, uint8_t *to, const uint8_t *from, size_t len)
{
    struct lane_sums sums = {{0}, {0}}, more = {{0}, {0}};
    lanes last;
    size_t at = 0;

    for (; len - at >= TURN_BYTES; at += TURN_BYTES) {
        fetch_ahead(from + at);
        add_lanes(&sums, lanes_at(copies, to, from, at));
        add_lanes(&more, lanes_at(copies, to, from, at + LANE_BYTES));
        add_lanes(&sums, lanes_at(copies, to, from, at + 2 * LANE_BYTES));
        add_lanes(&more, lanes_at(copies, to, from, at + 3 * LANE_BYTES));
    }
    for (; len - at >= LANE_BYTES; at += LANE_BYTES)
        add_lanes(&sums, lanes_at(copies, to, from, at));
    last = lanes_at(copies, to, from, len - LANE_BYTES);
    add_lanes(&more, last & *(const lanes_anywhere *)(const void *)(last_bytes + len % LANE_BYTES));
    return sum_lanes(sums, more);
}

/* A last odd byte is by itself. */
AVX2_INLINE uint32_t sum_and_copy(bool copies, uint8_t *to, const uint8_t *from, size_t len)
{
    size_t odd = len & 1;
    uint64_t sum = sum_block(copies, to, from, len - odd);

    if (odd != 0) {
        sum += from[len - 1];
        if (copies)
            to[len - 1] = from[len - 1];
    }
    return to_network(sum);
}

AVX2 static uint32_t add_much(const void *bytes, size_t len)
{
    return sum_and_copy(false, NULL, bytes, len);
}

AVX2 static uint32_t copy_much(void *to, const void *from, size_t len)
{
    return sum_and_copy(true, to, from, len);
}

/* What does not pay, or is too much for one go, goes the other way. */
static bool pays(size_t len)
{
    return len - PAYS_FROM <= BLOCK_BYTES - PAYS_FROM;
}

static uint32_t add_avx2(uint32_t sum, const void *bytes, size_t len)
{
    if (!pays(len))
        return checksum_add(sum, bytes, len);
    return checksum_reduce((uint64_t)sum + add_much(bytes, len));
}

static uint32_t copy_avx2(void *to, const void *from, size_t len)
{
    return pays(len) ? copy_much(to, from, len) : checksum_copy(to, from, len);
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
    uint64_t a = checksum_raw_plus(word_at(src->b), word_at(src->b + 8));
    uint64_t b = checksum_raw_plus(word_at(dst->b), word_at(dst->b + 8));

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
