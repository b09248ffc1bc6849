/*
 * sums.c - what the bytes of a buf add up to, block by block
 */
#include "base/sums.h"

#include <stdbool.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/checksum.h"
#include "base/num.h"

enum {
    BLOCKS_MIN = 4, /* with fewer, too much of a buf would not be used */
    SUMS_ALIGN = _Alignof(uint8_t *),
};

/* It stands behind the bytes of the buf. */
struct sums {
    uint8_t *first;
    uint32_t block_len;
    uint32_t filled; /* bytes from the first on */
    uint16_t blocks[];
};

static struct sums *sums_in(const struct buf *b)
{
    return (struct sums *)(void *)(b->bytes + round_up(b->size, SUMS_ALIGN));
}

uint32_t sums_begin(struct buf *b, uint8_t *first, uint32_t block_len)
{
    uint32_t before = (uint32_t)(first - b->bytes), room = b->size - before;
    /* What is there for blocks, each with its sum, whatever their length. */
    uint32_t space = room - (uint32_t)sizeof(struct sums) - (SUMS_ALIGN - 1);
    uint32_t count = space / (block_len + (uint32_t)sizeof(uint16_t));
    struct sums *sums;

    CHECK(b->class != BUF_FOREIGN && !b->has_sums);
    if (count < BLOCKS_MIN)
        return room;
    b->size = before + count * block_len;
    b->has_sums = true;
    sums = sums_in(b);
    sums->first = first;
    sums->block_len = block_len;
    sums->filled = 0;
    return count * block_len;
}

void sums_copy(struct buf *b, uint8_t *to, struct span bytes, const struct checksum_ops *ops)
{
    struct sums *sums = sums_in(b);
    uint32_t offset;
    uint16_t *block;

    CHECK(bytes.len <= b->size - (size_t)(to - b->bytes));
    if (!b->has_sums) {
        span_copy(to, bytes);
        return;
    }
    CHECK(to == sums->first + sums->filled);
    offset = sums->filled % sums->block_len;
    block = &sums->blocks[sums->filled / sums->block_len];
    sums->filled += (uint32_t)bytes.len;
    while (bytes.len > 0) {
        uint32_t len = (uint32_t)size_min(bytes.len, sums->block_len - offset);
        uint32_t sum = ops->copy(to, bytes.bytes, len);

        *block = (uint16_t)(offset == 0 ? sum : checksum_join(*block, sum, offset));
        block++;
        offset = 0;
        to += len;
        bytes = span_drop(bytes, len);
    }
}

/* The sum of whole blocks, the last of which need not be full; false: these bytes are none. */
static bool find(const struct buf *b, struct span bytes, uint32_t *sum)
{
    const struct sums *sums = sums_in(b);
    uint32_t from = (uint32_t)(bytes.bytes - sums->first), until = from + (uint32_t)bytes.len;
    const uint16_t *block = &sums->blocks[from / sums->block_len];

    if (from % sums->block_len != 0 || (until % sums->block_len != 0 && until != sums->filled))
        return false;
    *sum = 0;
    for (uint32_t at = from; at < until; at += sums->block_len)
        *sum = checksum_join(*sum, *block++, at - from);
    return true;
}

const uint16_t *sums_from(const struct buf *b, const uint8_t *bytes, uint32_t block_len)
{
    const struct sums *sums;
    uint32_t from;

    if (b == NULL || !b->has_sums)
        return NULL;
    sums = sums_in(b);
    from = (uint32_t)(bytes - sums->first);
    if (sums->block_len != block_len || from % block_len != 0)
        return NULL;
    return &sums->blocks[from / block_len];
}

uint32_t sums_of(const struct buf *b, struct span bytes, const struct checksum_ops *ops)
{
    uint32_t sum;

    return b != NULL && b->has_sums && find(b, bytes, &sum) ? sum
                                                            : ops->add(0, bytes.bytes, bytes.len);
}
