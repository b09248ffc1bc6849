/*
 * seq.h - sequence numbers, which wrap [RFC9293 3.4]
 *
 * A struct, so that <, - and + on them do not compile. Two numbers compare as they
 * would if they were less than 2^31 apart; a caller that cannot be sure of that asks
 * seq_in, which holds at any distance.
 */
#ifndef CORE_BASE_SEQ_H
#define CORE_BASE_SEQ_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint32_t raw;
} seq_t;

static inline seq_t seq_of(uint32_t raw)
{
    return (seq_t){raw};
}

static inline seq_t seq_add(seq_t a, uint32_t n)
{
    return (seq_t){a.raw + n};
}

static inline seq_t seq_sub(seq_t a, uint32_t n)
{
    return (seq_t){a.raw - n};
}

/* a - b: positive if a is later. The conversion is modular on gcc and clang. */
static inline int32_t seq_diff(seq_t a, seq_t b)
{
    return (int32_t)(a.raw - b.raw);
}

/* How many numbers there are in [from, to). */
static inline uint32_t seq_len(seq_t from, seq_t to)
{
    return to.raw - from.raw;
}

static inline bool seq_eq(seq_t a, seq_t b)
{
    return a.raw == b.raw;
}

static inline bool seq_lt(seq_t a, seq_t b)
{
    return seq_diff(a, b) < 0;
}

static inline bool seq_leq(seq_t a, seq_t b)
{
    return seq_diff(a, b) <= 0;
}

static inline bool seq_gt(seq_t a, seq_t b)
{
    return seq_diff(a, b) > 0;
}

static inline bool seq_geq(seq_t a, seq_t b)
{
    return seq_diff(a, b) >= 0;
}

/* first <= s < first + len: the shape in which the RFC states its window tests. */
static inline bool seq_in(seq_t s, seq_t first, uint32_t len)
{
    return s.raw - first.raw < len;
}

static inline seq_t seq_max(seq_t a, seq_t b)
{
    return seq_gt(a, b) ? a : b;
}

static inline seq_t seq_min(seq_t a, seq_t b)
{
    return seq_lt(a, b) ? a : b;
}

#endif
