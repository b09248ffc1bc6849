/*
 * ns.h - instants and durations in nanoseconds
 *
 * An instant is on whatever clock the caller of the library uses, of which only the
 * differences mean anything; it may be negative. NEVER is later than every instant.
 */
#ifndef CORE_BASE_NS_H
#define CORE_BASE_NS_H

#include "base/hint.h"
#include <stdint.h>
#include <weir/time.h>

typedef weir_ns_t ns_t;

#define NEVER WEIR_NEVER

#define NS_US WEIR_US
#define NS_MS WEIR_MS
#define NS_S WEIR_S

static inline ns_t ns_min(ns_t a, ns_t b)
{
    return a < b ? a : b;
}

static inline ns_t ns_max(ns_t a, ns_t b)
{
    return a > b ? a : b;
}

/* duration_ns after now, which stays within what ns_t can say; NEVER stays NEVER. */
SHARED ns_t ns_after(ns_t now, ns_t duration_ns)
{
    ns_t at;

    if (now == NEVER)
        return NEVER;
    if (__builtin_add_overflow(now, duration_ns, &at))
        return duration_ns > 0 ? NEVER : INT64_MIN;
    return at;
}

/* How long it is from since until now: 0 if that is still to come, NEVER if too long to say. */
SHARED ns_t ns_since(ns_t since, ns_t now)
{
    ns_t past_ns;

    if (__builtin_sub_overflow(now, since, &past_ns))
        return now > since ? NEVER : 0;
    return past_ns > 0 ? past_ns : 0;
}

/* Of a duration, which is not negative: without what a sign would cost. */
static inline ns_t ns_half(ns_t duration_ns)
{
    return (ns_t)((uint64_t)duration_ns / 2);
}

/* A duration in a coarser unit (NS_US, NS_MS, NS_S), rounded up; not below 0. */
SHARED ns_t ns_div_ceil(ns_t duration_ns, ns_t unit_ns)
{
    return duration_ns <= 0 ? 0 : (ns_t)((uint64_t)(duration_ns - 1) / (uint64_t)unit_ns + 1);
}

#endif
