/*
 * stored.c - bytes that wait for the application, copied into bufs
 */
#include "udp/stored.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/num.h"
#include <string.h>

/* The beginning of each buf but the first. */
struct stored_more {
    struct buf *buf;
    struct stored_more *next;
};

/* Where the next byte goes. */
struct place {
    uint8_t *at;
    size_t room;
    struct stored_more **next; /* where to hang a further buf */
};

static bool extend(struct bufs *bufs, struct stored *s, struct place *p, size_t left)
{
    struct buf *buf = buf_get(bufs, sizeof(struct stored_more) + left);
    struct stored_more *more;

    if (buf == NULL)
        return false;
    CHECK(buf->size > sizeof *more);
    more = (void *)buf->bytes;
    more->buf = buf;
    more->next = NULL;
    *p->next = more;
    *p = (struct place){buf->bytes + sizeof *more, buf->size - sizeof *more, &more->next};
    s->memory += buf->memory;
    return true;
}

static bool store(struct bufs *bufs, struct stored *s, struct place *p,
                  const struct weir_slice *slice, size_t left)
{
    for (size_t done = 0; done < slice->len;) {
        size_t n;

        if (p->room == 0 && !extend(bufs, s, p, left - done))
            return false;
        n = size_min(p->room, slice->len - done);
        memcpy(p->at, slice->bytes + done, n);
        p->at += n;
        p->room -= n;
        done += n;
    }
    return true;
}

struct stored *stored_make(struct bufs *bufs, size_t header_len, const struct weir_slice *slices,
                           size_t slice_count)
{
    size_t len = 0, left;
    struct stored *s;
    struct place p;
    struct buf *buf;

    for (size_t i = 0; i < slice_count; i++)
        len += slices[i].len;
    buf = buf_get(bufs, header_len + len);
    if (buf == NULL)
        return NULL;
    CHECK(buf->size >= header_len);
    s = (void *)buf->bytes;
    *s = (struct stored){.buf = buf, .header_len = header_len, .len = len, .memory = buf->memory};
    list_init(&s->link);
    p = (struct place){buf->bytes + header_len, buf->size - header_len, &s->more};
    left = len;
    for (size_t i = 0; i < slice_count; i++) {
        if (!store(bufs, s, &p, &slices[i], left)) {
            stored_free(bufs, &s);
            return NULL;
        }
        left -= slices[i].len;
    }
    return s;
}

void stored_copy(const struct stored *s, void *bytes, size_t len)
{
    const struct stored_more *more = s->more;
    size_t left = size_min(len, s->len);
    const uint8_t *from = s->buf->bytes + s->header_len;
    size_t n = size_min(left, s->buf->size - s->header_len);
    uint8_t *to = bytes;

    while (left > 0) {
        memcpy(to, from, n);
        to += n;
        left -= n;
        if (left == 0)
            break;
        from = more->buf->bytes + sizeof *more;
        n = size_min(left, more->buf->size - sizeof *more);
        more = more->next;
    }
}

void stored_free(struct bufs *bufs, struct stored **s)
{
    struct stored_more *more = (*s)->more;
    struct buf *buf = (*s)->buf;

    *s = NULL;
    buf_unref(bufs, &buf);
    while (more != NULL) {
        buf = more->buf;
        more = more->next;
        buf_unref(bufs, &buf);
    }
}
