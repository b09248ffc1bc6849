/*
 * cursor.h - read and write bytes in order, never beyond their end
 *
 * Every parser that walks through bytes of unknown length does it with a cursor.
 * Reading past the end sets failed, which stays set, and yields zeros (an
 * empty span), now and ever after; so a parser may read all it wants and ask
 * once, at the end, whether all of it was there. A writer is the same the other
 * way round: what does not fit is not written, and from then on nothing is.
 */
#ifndef CORE_BASE_CURSOR_H
#define CORE_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/be.h"
#include "base/span.h"

struct cursor {
    const uint8_t *at;
    size_t left;
    bool failed;
};

struct writer {
    uint8_t *at;
    size_t left;
    size_t written;
    bool failed;
};

static inline struct cursor cursor_of(struct span s)
{
    return (struct cursor){s.bytes, s.len, false};
}

static inline bool cursor_is_at_end(const struct cursor *c)
{
    return c->left == 0;
}

/* All that is left; the cursor stays where it is. */
static inline struct span cursor_rest(const struct cursor *c)
{
    return (struct span){c->at, c->left};
}

static inline struct span cursor_take_span(struct cursor *c, size_t len)
{
    struct span taken = {c->at, len};

    if (len > c->left) {
        c->failed = true;
        c->left = 0;
        return span_none();
    }
    if (len > 0)
        c->at += len;
    c->left -= len;
    return taken;
}

static inline bool cursor_skip(struct cursor *c, size_t len)
{
    cursor_take_span(c, len);
    return !c->failed;
}

/* Copies len bytes, or writes len zeros if there are fewer. */
static inline void cursor_take_bytes(struct cursor *c, void *to, size_t len)
{
    struct span s = cursor_take_span(c, len);

    if (len == 0)
        return;
    if (s.len == len)
        memcpy(to, s.bytes, len);
    else
        memset(to, 0, len);
}

static inline uint8_t cursor_take_u8(struct cursor *c)
{
    struct span s = cursor_take_span(c, 1);

    return s.len == 1 ? s.bytes[0] : 0;
}

static inline uint16_t cursor_take_be16(struct cursor *c)
{
    be16_t v;

    cursor_take_bytes(c, &v, sizeof v);
    return be16_get(v);
}

static inline uint32_t cursor_take_be32(struct cursor *c)
{
    be32_t v;

    cursor_take_bytes(c, &v, sizeof v);
    return be32_get(v);
}

static inline uint64_t cursor_take_be64(struct cursor *c)
{
    be64_t v;

    cursor_take_bytes(c, &v, sizeof v);
    return be64_get(v);
}

static inline struct writer writer_of(void *bytes, size_t room)
{
    return (struct writer){bytes, room, 0, false};
}

/* The place of the next len bytes, which the caller fills; NULL if there is no room. */
static inline uint8_t *writer_take(struct writer *w, size_t len)
{
    uint8_t *at = w->at;

    if (w->failed || len > w->left) {
        w->failed = true;
        w->left = 0;
        return NULL;
    }
    if (len > 0)
        w->at += len;
    w->left -= len;
    w->written += len;
    return at;
}

static inline void writer_put_bytes(struct writer *w, const void *bytes, size_t len)
{
    uint8_t *at = writer_take(w, len);

    if (at != NULL && len > 0)
        memcpy(at, bytes, len);
}

static inline void writer_put_span(struct writer *w, struct span s)
{
    writer_put_bytes(w, s.bytes, s.len);
}

/* len bytes of one value, as for padding. */
static inline void writer_fill(struct writer *w, uint8_t value, size_t len)
{
    uint8_t *at = writer_take(w, len);

    if (at != NULL && len > 0)
        memset(at, value, len);
}

static inline void writer_put_u8(struct writer *w, uint8_t value)
{
    writer_put_bytes(w, &value, 1);
}

static inline void writer_put_be16(struct writer *w, uint16_t value)
{
    be16_t v = be16_of(value);

    writer_put_bytes(w, &v, sizeof v);
}

static inline void writer_put_be32(struct writer *w, uint32_t value)
{
    be32_t v = be32_of(value);

    writer_put_bytes(w, &v, sizeof v);
}

static inline void writer_put_be64(struct writer *w, uint64_t value)
{
    be64_t v = be64_of(value);

    writer_put_bytes(w, &v, sizeof v);
}

/* How much was written, or 0 if not everything fitted. */
static inline size_t writer_len(const struct writer *w)
{
    return w->failed ? 0 : w->written;
}

#endif
