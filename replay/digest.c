/*
 * digest.c - 64 bits that tell bytes apart
 *
 * Four lanes take a word of eight bytes each in turn, so that their multiplications overlap.
 */
#include "replay/digest.h"

#include <string.h>

static const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15); /* 2^64 divided by the golden ratio */

/* A bijection: a word that differs makes a lane that differs. */
static uint64_t mix(uint64_t lane, uint64_t word)
{
    lane = (lane ^ word) * factor;
    return lane ^ lane >> 32;
}

static uint64_t word_at(const uint8_t *b)
{
    return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24
           | (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48
           | (uint64_t)b[7] << 56;
}

static void add_block(uint64_t lanes[DIGEST_LANES], const uint8_t *block)
{
    for (int i = 0; i < DIGEST_LANES; i++)
        lanes[i] = mix(lanes[i], word_at(block + (size_t)i * 8));
}

void digest_init(struct digest *d, uint64_t seed)
{
    for (unsigned i = 0; i < DIGEST_LANES; i++)
        d->lanes[i] = mix(seed, i + 1);
    d->len = 0;
}

void digest_add(struct digest *d, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    size_t held = d->len % DIGEST_BLOCK;

    if (len == 0)
        return;
    d->len += len;
    if (held > 0) {
        size_t more = DIGEST_BLOCK - held < len ? DIGEST_BLOCK - held : len;
        memcpy(d->block + held, at, more);
        if (held + more < DIGEST_BLOCK)
            return;
        add_block(d->lanes, d->block);
        at += more;
        len -= more;
    }
    for (; len >= DIGEST_BLOCK; len -= DIGEST_BLOCK, at += DIGEST_BLOCK)
        add_block(d->lanes, at);
    if (len > 0)
        memcpy(d->block, at, len);
}

uint64_t digest_get(const struct digest *d)
{
    uint64_t lanes[DIGEST_LANES], sum = d->len;
    uint8_t last[DIGEST_BLOCK] = {0};
    size_t held = d->len % DIGEST_BLOCK;

    memcpy(lanes, d->lanes, sizeof lanes);
    if (held > 0) {
        memcpy(last, d->block, held);
        add_block(lanes, last);
    }
    for (int i = 0; i < DIGEST_LANES; i++)
        sum = mix(sum, lanes[i]);
    return mix(sum, sum >> 29);
}

uint64_t digest_slices(const struct weir_slice *slices, size_t count)
{
    struct digest d;

    digest_init(&d, 0);
    for (size_t i = 0; i < count; i++)
        digest_add(&d, slices[i].bytes, slices[i].len);
    return digest_get(&d);
}
