/*
 * digest.h - 64 bits that tell bytes apart
 *
 * Against accidents, not against an adversary: fast enough to be made of every byte that passes.
 * The same on all machines; docs/RECORDING.md defines it.
 */
#ifndef REPLAY_DIGEST_H
#define REPLAY_DIGEST_H

#include <stddef.h>
#include <stdint.h>
#include <weir/weir.h>

enum {
    DIGEST_LANES = 4,
    DIGEST_BLOCK = 8 * DIGEST_LANES,
};

/* Bytes may come in any pieces. */
struct digest {
    uint64_t lanes[DIGEST_LANES];
    uint8_t block[DIGEST_BLOCK];
    uint64_t len;
};

void digest_init(struct digest *d, uint64_t seed);
void digest_add(struct digest *d, const void *bytes, size_t len);
uint64_t digest_get(const struct digest *d);

/* Of the bytes of slices, seeded with 0. */
uint64_t digest_slices(const struct weir_slice *slices, size_t count);

#endif
