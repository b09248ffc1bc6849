/*
 * fast_checksums.c - the internet checksum [RFC1071], 16 bits at a time, of bytes that are sent or
 * have come; nothing is added up in advance
 *
 * In place of: checksum.c sums.c
 */
#include "base/buf.h"
#include "base/checksum.h"
#include "base/sums.h"
#include <string.h>

enum { TOP_BIT = 31 };

uint32_t checksum_add(uint32_t sum, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    for (; len > 1; len -= 2, at += 2) {
        sum += (uint32_t)at[0] << 8 | at[1];
        if (sum >> TOP_BIT)
            sum = checksum_reduce32(sum);
    }
    if (len > 0)
        sum += (uint32_t)at[0] << 8;
    return checksum_reduce32(sum);
}

uint32_t checksum_copy(void *to, const void *from, size_t len)
{
    if (len > 0)
        memcpy(to, from, len);
    return checksum_add(0, to, len);
}

const struct checksum_ops *checksum_ops_for(uint32_t cpu_features)
{
    static const struct checksum_ops ops = {checksum_add, checksum_copy};

    return &ops;
}

uint32_t checksum_pseudo(const struct weir_addr *src, const struct weir_addr *dst, uint8_t protocol,
                         size_t len)
{
    uint32_t sum = checksum_reduce((uint64_t)len + protocol);

    return checksum_add(checksum_add(sum, src->b, sizeof src->b), dst->b, sizeof dst->b);
}

uint64_t checksum_raw_pseudo(const struct weir_addr *src, const struct weir_addr *dst,
                             uint8_t protocol, uint32_t len)
{
    be16_t sum = be16_of((uint16_t)checksum_pseudo(src, dst, protocol, len));

    return checksum_raw(sum.b, sizeof sum.b);
}

/* ---- of what is in a buf ---- */

uint32_t sums_begin(struct buf *b, uint8_t *first, uint32_t block_len)
{
    return b->size - (uint32_t)(first - b->bytes);
}

void sums_copy(struct buf *b, uint8_t *to, struct span bytes, const struct checksum_ops *ops)
{
    span_copy(to, bytes);
}

uint32_t sums_of(const struct buf *b, struct span bytes, const struct checksum_ops *ops)
{
    return checksum_add(0, bytes.bytes, bytes.len);
}
