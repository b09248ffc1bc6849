/*
 * parts.c - what an application is told of the parts that are built in
 */
#include "base/parts.h"
#include <stddef.h>
#include <weir/weir.h>

static const bool has[WEIR_PART_COUNT] = {
    [WEIR_PART_IPV6] = HAS_IPV6,
    [WEIR_PART_UDP] = HAS_UDP,
    [WEIR_PART_FRAGMENTS] = HAS_FRAGMENTS,
    [WEIR_PART_ECN] = HAS_ECN,
    [WEIR_PART_FASTOPEN] = HAS_FASTOPEN,
    [WEIR_PART_SYN_COOKIES] = HAS_SYN_COOKIES,
    [WEIR_PART_AUTH] = HAS_AUTH,
    [WEIR_PART_MTU_PROBING] = HAS_MTU_PROBING,
    [WEIR_PART_USER_TIMEOUT] = HAS_USER_TIMEOUT,
    [WEIR_PART_PACING] = HAS_PACING,
    [WEIR_PART_TUNING] = HAS_TUNING,
    [WEIR_PART_SUPER_SEGMENTS] = HAS_SUPER_SEGMENTS,
    [WEIR_PART_SCALE] = HAS_SCALE,
    [WEIR_PART_FAST_CHECKSUMS] = HAS_FAST_CHECKSUMS,
    [WEIR_PART_ICMP_ERRORS] = HAS_ICMP_ERRORS,
    [WEIR_PART_PATH_MTU] = HAS_PATH_MTU,
    [WEIR_PART_PREDICTION] = HAS_PREDICTION,
    [WEIR_PART_VALIDATION] = HAS_VALIDATION,
    [WEIR_PART_TRACE] = HAS_TRACE,
    [WEIR_PART_CALLS] = HAS_CALLS,
};

bool weir_has_part(enum weir_part part)
{
    return (size_t)part < WEIR_PART_COUNT && has[part];
}
