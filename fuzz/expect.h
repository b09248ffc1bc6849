/*
 * expect.h - what a fuzz target demands of what it runs
 */
#ifndef FUZZ_EXPECT_H
#define FUZZ_EXPECT_H

#include <stdint.h>
#include <string.h>

#include "base/span.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Stops where the debugger and the fuzzer see it. */
static inline void expect(bool condition)
{
    if (!condition)
        __builtin_trap();
}

static inline void expect_same(const void *a, const void *b, size_t len)
{
    expect(len == 0 || memcmp(a, b, len) == 0);
}

/*
 * The first byte says how much more of the packet there is beyond head, in units of
 * eight bytes, so that packets in several slices are met as well.
 */
static inline struct span take_head(const uint8_t *bytes, size_t len, size_t *packet_len)
{
    struct span head = span_drop(span_of(bytes, len), 1);

    *packet_len = head.len + (len > 0 ? (size_t)bytes[0] * 8 : 0);
    return head;
}

#endif
