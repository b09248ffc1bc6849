/*
 * null_stack.h - a stack without a protocol: the yardstick
 *
 * It does what no stack with sockets' copies can avoid: each write is copied into packets, each
 * packet gets the checksum of its bytes and has it verified, each read is copied out of
 * packets. Nothing is decided, no ACK is sent.
 */
#ifndef BENCH_NULL_STACK_H
#define BENCH_NULL_STACK_H

#include <stdbool.h>
#include <stdint.h>

struct null_stack_kind {
    uint32_t headers; /* bytes of a packet before its payload */
    uint32_t payload;
    bool no_checksum; /* as if a device made and verified them */
    bool two_passes;  /* the receiver verifies, and copies later, as a stack with a queue does */
};

/* CPU seconds to bring bytes across in writes and reads of chunk bytes; negative: no memory. */
double null_stack_run(const struct null_stack_kind *kind, uint64_t bytes, uint32_t chunk);

#endif
