/*
 * count.h - counters that are only told, where they are not left out
 */
#ifndef CORE_BASE_COUNT_H
#define CORE_BASE_COUNT_H

#include "base/parts.h"
#include <stdint.h>

/* n more; nothing depends on how many there were. */
static inline void count_add(uint64_t *counter, uint32_t n)
{
    if (HAS_STATISTICS)
        *counter += n;
}

static inline void count_add32(uint32_t *counter, uint32_t n)
{
    if (HAS_STATISTICS)
        *counter += n;
}

#endif
