/*
 * span.h - a pointer into somebody else's bytes, with its length
 *
 * A span borrows; it never owns. An empty span may have any pointer, also NULL.
 * Dropping or taking more than there is yields what there is: a span never
 * reaches beyond the one it was made from.
 */
#ifndef CORE_BASE_SPAN_H
#define CORE_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/parts.h"

enum { SPAN_FEW = 16 };

struct span {
    const uint8_t *bytes;
    size_t len;
};

static inline struct span span_of(const void *bytes, size_t len)
{
    return (struct span){bytes, len};
}

static inline struct span span_none(void)
{
    return (struct span){NULL, 0};
}

static inline bool span_is_empty(struct span s)
{
    return s.len == 0;
}

/* The span without its first len bytes. */
inline struct span span_drop(struct span s, size_t len)
{
    if (len > s.len)
        len = s.len;
    /* Nothing is added to a pointer that may be NULL. */
    return len == 0 ? s : (struct span){s.bytes + len, s.len - len};
}

/* The first len bytes of the span. */
static inline struct span span_take(struct span s, size_t len)
{
    return (struct span){s.bytes, len < s.len ? len : s.len};
}

/* At most SPAN_FEW bytes, as numbers that may overlap: a call would take longer. */
inline void span_copy_few(uint8_t *to, const uint8_t *from, size_t len)
{
    uint64_t first, last;
    uint32_t head, tail;

    if (len >= sizeof first) {
        memcpy(&first, from, sizeof first);
        memcpy(&last, from + len - sizeof last, sizeof last);
        memcpy(to, &first, sizeof first);
        memcpy(to + len - sizeof last, &last, sizeof last);
    } else if (len >= sizeof head) {
        memcpy(&head, from, sizeof head);
        memcpy(&tail, from + len - sizeof tail, sizeof tail);
        memcpy(to, &head, sizeof head);
        memcpy(to + len - sizeof tail, &tail, sizeof tail);
    } else if (len > 0) {
        uint8_t ends[2] = {from[0], from[len - 1]};
        to[len / 2] = from[len / 2];
        to[0] = ends[0];
        to[len - 1] = ends[1];
    }
}

/*
 * Copies all of it. Some C libraries copy more than a page in a way that takes ten times as long
 * on some processors if source and destination stand badly to one another: so it goes in parts. And
 * of a memcpy with a known limit some compilers make such an instruction themselves, of a memmove not.
 */
inline void span_copy(uint8_t *to, struct span s)
{
    if (HAS_PREDICTION && s.len <= SPAN_FEW) {
        span_copy_few(to, s.bytes, s.len);
        return;
    }
    for (; s.len > 2048; to += 2048, s = span_drop(s, 2048))
        memmove(to, s.bytes, 2048);
    if (s.len > 0)
        memmove(to, s.bytes, s.len);
}

static inline bool span_eq(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.bytes, b.bytes, a.len) == 0);
}

#endif
