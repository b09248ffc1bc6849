/*
 * fast_checksums.c - the internet checksum [RFC1071], 16 bits at a time
 *
 * In place of: checksum.c
 */
#include "base/checksum.h"
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
    uint64_t sum =
        checksum_raw_plus(checksum_raw(src->b, sizeof src->b), checksum_raw(dst->b, sizeof dst->b));

    return checksum_raw_plus(sum, checksum_raw_word(len + protocol));
}
