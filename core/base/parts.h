/*
 * parts.h - which parts the library is built with (docs/small.md)
 *
 * A part that is left out has its files replaced by those of its name in the folders "without",
 * whose functions do what is left to be done. What such a file cannot say is said with these
 * constants: what an application is answered, short paths that are not to be there, and how many
 * places a few tables of a fixed size have.
 */
#ifndef CORE_BASE_PARTS_H
#define CORE_BASE_PARTS_H

#ifndef WEIR_HAS_IPV6
#define WEIR_HAS_IPV6 1
#endif
#ifndef WEIR_HAS_UDP
#define WEIR_HAS_UDP 1
#endif
#ifndef WEIR_HAS_FRAGMENTS
#define WEIR_HAS_FRAGMENTS 1
#endif
#ifndef WEIR_HAS_ECN
#define WEIR_HAS_ECN 1
#endif
#ifndef WEIR_HAS_FASTOPEN
#define WEIR_HAS_FASTOPEN 1
#endif
#ifndef WEIR_HAS_SYN_COOKIES
#define WEIR_HAS_SYN_COOKIES 1
#endif
#ifndef WEIR_HAS_AUTH
#define WEIR_HAS_AUTH 1
#endif
#ifndef WEIR_HAS_MTU_PROBING
#define WEIR_HAS_MTU_PROBING 1
#endif
#ifndef WEIR_HAS_USER_TIMEOUT
#define WEIR_HAS_USER_TIMEOUT 1
#endif
#ifndef WEIR_HAS_PACING
#define WEIR_HAS_PACING 1
#endif
#ifndef WEIR_HAS_TUNING
#define WEIR_HAS_TUNING 1
#endif
#ifndef WEIR_HAS_SUPER_SEGMENTS
#define WEIR_HAS_SUPER_SEGMENTS 1
#endif
#ifndef WEIR_HAS_SCALE
#define WEIR_HAS_SCALE 1
#endif
#ifndef WEIR_HAS_FAST_CHECKSUMS
#define WEIR_HAS_FAST_CHECKSUMS 1
#endif
#ifndef WEIR_HAS_ICMP_ERRORS
#define WEIR_HAS_ICMP_ERRORS 1
#endif
#ifndef WEIR_HAS_PATH_MTU
#define WEIR_HAS_PATH_MTU 1
#endif
#ifndef WEIR_HAS_PREDICTION
#define WEIR_HAS_PREDICTION 1
#endif
#ifndef WEIR_HAS_VALIDATION
#define WEIR_HAS_VALIDATION 1
#endif
#ifndef WEIR_HAS_TRACE
#define WEIR_HAS_TRACE 1
#endif
#ifndef WEIR_HAS_CALLS
#define WEIR_HAS_CALLS 1
#endif
#ifndef WEIR_HAS_POSTED_READS
#define WEIR_HAS_POSTED_READS 1
#endif
#ifndef WEIR_HAS_ROUTING
#define WEIR_HAS_ROUTING 1
#endif
#ifndef WEIR_HAS_TIMESTAMPS
#define WEIR_HAS_TIMESTAMPS 1
#endif
#ifndef WEIR_HAS_STATISTICS
#define WEIR_HAS_STATISTICS 1
#endif

#if WEIR_HAS_IPV6 && !WEIR_HAS_ROUTING
#error "IPv6 needs the part routing"
#endif

enum {
    HAS_IPV6 = WEIR_HAS_IPV6,
    HAS_UDP = WEIR_HAS_UDP,
    HAS_FRAGMENTS = WEIR_HAS_FRAGMENTS,
    HAS_ECN = WEIR_HAS_ECN,
    HAS_FASTOPEN = WEIR_HAS_FASTOPEN,
    HAS_SYN_COOKIES = WEIR_HAS_SYN_COOKIES,
    HAS_AUTH = WEIR_HAS_AUTH,
    HAS_MTU_PROBING = WEIR_HAS_MTU_PROBING,
    HAS_USER_TIMEOUT = WEIR_HAS_USER_TIMEOUT,
    HAS_PACING = WEIR_HAS_PACING,
    HAS_TUNING = WEIR_HAS_TUNING,
    HAS_SUPER_SEGMENTS = WEIR_HAS_SUPER_SEGMENTS,
    HAS_SCALE = WEIR_HAS_SCALE,
    HAS_FAST_CHECKSUMS = WEIR_HAS_FAST_CHECKSUMS,
    HAS_ICMP_ERRORS = WEIR_HAS_ICMP_ERRORS,
    HAS_PATH_MTU = WEIR_HAS_PATH_MTU,
    HAS_PREDICTION = WEIR_HAS_PREDICTION,
    HAS_VALIDATION = WEIR_HAS_VALIDATION,
    HAS_TRACE = WEIR_HAS_TRACE,
    HAS_CALLS = WEIR_HAS_CALLS,
    HAS_POSTED_READS = WEIR_HAS_POSTED_READS,
    HAS_ROUTING = WEIR_HAS_ROUTING,
    HAS_TIMESTAMPS = WEIR_HAS_TIMESTAMPS,
    HAS_STATISTICS = WEIR_HAS_STATISTICS,
};

#endif
