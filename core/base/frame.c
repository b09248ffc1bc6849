/*
 * frame.c - a frame on its way out
 *
 * Only the members that say what is there are set when a frame is taken: slices and
 * references beyond slice_count are never looked at.
 */
#include "base/frame.h"

#include "base/be.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/checksum.h"
#include "base/hint.h"
#include "base/list.h"
#include "base/num.h"
#include "base/parts.h"
#include "base/pool.h"
#include "base/sums.h"
#include <string.h>

enum {
    SHORT_MAX = 128, /* bytes that are summed straight on */
    AT_ONCE = 32,    /* frames that are taken from, or go back to, the pool together */
};

/* What is not said by what the frame holds. */
static void begin(struct frame *frame)
{
    frame->wire.gso = WEIR_GSO_NONE;
    frame->wire.flags = 0;
    frame->wire.gso_size = 0;
    frame->wire.csum_start = 0;
    frame->wire.csum_offset = 0;
    frame->wire.memory = 0;
    frame->wire.release = NULL;
    frame->wire.owner = NULL;
    frame->next = NULL;
    frame->payload_sum = 0;
    frame->payload_sum_known = false;
    frame->cut_bytes = 0;
    frame->ecn = 0;
}

struct frame *frame_get_headed(struct pool *pool, size_t headers_len)
{
    struct frame *frame = pool_get(pool);

    if (frame == NULL)
        return NULL;
    CHECK(headers_len <= FRAME_HEADROOM);
    begin(frame);
    frame->wire.slices[0] =
        (struct weir_slice){frame->headroom + FRAME_HEADROOM - headers_len, headers_len};
    frame->wire.len = headers_len;
    frame->wire.slice_count = 1;
    frame->wire.header_len = (uint16_t)headers_len; /* shorter than the headroom */
    return frame;
}

struct frame *frame_get(struct pool *pool)
{
    return frame_get_headed(pool, 0);
}

/* What a driver sees of each, but for its slices. */
static void set_wire(struct weir_frame *w, const struct frame_row *row)
{
    w->len = row->headers_len + row->payload.len;
    w->slice_count = 2;
    w->gso = WEIR_GSO_NONE;
    w->flags = row->flags;
    w->gso_size = 0;
    w->csum_start = row->csum_start;
    w->csum_offset = row->csum_offset;
    w->header_len = (uint16_t)row->headers_len; /* shorter than the headroom */
    w->memory = 0;
    w->release = NULL;
    w->owner = NULL;
}

/* The frames that follow the first at of the row. What they have in common is copied as a whole. */
static void set_row(const struct frame_row *row, size_t at, void *const *got,
                    struct weir_frame **frames, size_t count)
{
    enum { SLICES_LEN = offsetof(struct weir_frame, len) };
    uint8_t *bytes = row->payload.bytes + at * row->payload.len;
    struct weir_frame model;

    set_wire(&model, row);
    for (size_t i = 0; i < count; i++) {
        struct frame *f = got[i];
        memcpy(&f->wire.len, &model.len, sizeof model - SLICES_LEN);
        f->wire.slices[0].bytes = f->headroom + FRAME_HEADROOM - row->headers_len;
        f->wire.slices[0].len = row->headers_len;
        f->wire.slices[1].bytes = bytes;
        f->wire.slices[1].len = row->payload.len;
        f->held[1] = row->buf;
        bytes += row->payload.len;
        frames[i] = &f->wire;
    }
}

size_t frame_get_row(struct pool *pool, const struct frame_row *row, struct weir_frame **frames,
                     size_t count)
{
    void *got[AT_ONCE];
    size_t done = 0, wanted, more;

    CHECK(row->headers_len <= FRAME_HEADROOM);
    do {
        wanted = size_min(count - done, AT_ONCE);
        more = pool_get_many(pool, got, wanted);
        set_row(row, done, got, frames + done, more);
        done += more;
    } while (done < count && more == wanted);
    return done;
}

void frame_put(struct pool *pool, struct bufs *bufs, struct frame **frame)
{
    struct frame *f = *frame;

    *frame = NULL;
    if (f == NULL)
        return;
    for (size_t i = 1; i < f->wire.slice_count; i++) /* the first is the headroom */
        buf_unref(bufs, &f->held[i]);
    pool_put(pool, f);
}

/* References to one buf that are let go of together: the segments of a piece follow one another. */
struct unrefs {
    struct buf *buf;
    uint32_t count;
};

static void unref_later(struct bufs *bufs, struct unrefs *u, struct buf *buf)
{
    if (buf != u->buf) {
        if (u->count > 0)
            buf_unref_many(bufs, u->buf, u->count);
        *u = (struct unrefs){buf, 0};
    }
    u->count++;
}

static void unref_held(struct bufs *bufs, struct unrefs *u, const struct frame *f)
{
    for (size_t k = 1; k < f->wire.slice_count; k++)
        if (f->held[k] != NULL)
            unref_later(bufs, u, f->held[k]);
}

/* At most AT_ONCE. */
static void put_some(struct pool *pool, struct bufs *bufs, struct unrefs *u,
                     struct weir_frame **frames, size_t count)
{
    void *objects[AT_ONCE];

    for (size_t i = 0; i < count; i++) {
        struct frame *f = container_of(frames[i], struct frame, wire);
        frames[i] = NULL;
        if (f->wire.slice_count == 2 && f->held[1] == u->buf && u->buf != NULL)
            u->count++; /* headers and text, as it nearly always is */
        else
            unref_held(bufs, u, f);
        objects[i] = f;
    }
    pool_put_many(pool, objects, count);
}

/* One alone shares nothing with others. */
static void put_one(struct pool *pool, struct bufs *bufs, struct weir_frame **frame)
{
    struct frame *f = container_of(*frame, struct frame, wire);

    *frame = NULL;
    frame_put(pool, bufs, &f);
}

static APART void put_several(struct pool *pool, struct bufs *bufs, struct weir_frame **frames,
                              size_t count)
{
    struct unrefs u = {NULL, 0};

    for (size_t done = 0, more; done < count; done += more) {
        more = size_min(count - done, AT_ONCE);
        put_some(pool, bufs, &u, frames + done, more);
    }
    if (u.count > 0)
        buf_unref_many(bufs, u.buf, u.count);
}

void frame_put_many(struct pool *pool, struct bufs *bufs, struct weir_frame **frames, size_t count)
{
    if (HAS_PREDICTION && count == 1)
        put_one(pool, bufs, frames);
    else
        put_several(pool, bufs, frames, count);
}

void frame_pull(struct frame *frame, size_t len)
{
    struct weir_slice *headers = &frame->wire.slices[0];
    bool is_partial = frame->wire.flags & WEIR_FRAME_CSUM_PARTIAL;

    CHECK(headers->len >= len && (!is_partial || frame->wire.csum_start >= len));
    headers->bytes += len;
    headers->len -= len;
    frame->wire.len -= len;
    frame->wire.header_len = (uint16_t)headers->len;
    if (is_partial)
        frame->wire.csum_start = (uint16_t)(frame->wire.csum_start - len);
}

bool frame_add(struct frame *frame, uint8_t *bytes, size_t len, struct buf **buf)
{
    size_t i = frame->wire.slice_count;

    if (i == WEIR_FRAME_SLICES)
        return false;
    frame->wire.slices[i] = (struct weir_slice){bytes, len};
    frame->held[i] = *buf;
    *buf = NULL;
    frame->wire.slice_count++;
    frame->wire.len += len;
    return true;
}

void frame_need_checksum(struct frame *frame, uint16_t offset)
{
    frame->wire.flags |= WEIR_FRAME_CSUM_PARTIAL;
    frame->wire.csum_start = 0;
    frame->wire.csum_offset = offset;
}

/* Most headers are made of words of 32 bits. */
static uint32_t sum_header(const uint8_t *bytes, size_t len)
{
    return HAS_FAST_CHECKSUMS && len % 4 == 0 ? checksum_words(bytes, len)
                                              : checksum_add(0, bytes, len);
}

/* The sum of the bytes from start on. Those of the payload count from its own beginning. */
static uint32_t sum_from(const struct frame *frame, size_t start, const struct checksum_ops *ops)
{
    const struct weir_slice *s = frame->wire.slices;
    size_t done = s[0].len - start;
    uint32_t sum = sum_header(s[0].bytes + start, done);

    if (frame->payload_sum_known)
        return checksum_join(sum, frame->payload_sum, done);
    for (size_t i = 1; i < frame->wire.slice_count; i++) {
        sum = checksum_join(sum, sums_of(frame->held[i], span_of(s[i].bytes, s[i].len), ops), done);
        done += s[i].len;
    }
    return sum;
}

/* The same of a short frame, as a raw sum. */
static uint64_t raw_sum_from(const struct frame *frame, size_t start)
{
    const struct weir_slice *s = frame->wire.slices;
    size_t done = s[0].len - start;
    uint64_t sum = checksum_raw(s[0].bytes + start, done);

    for (size_t i = 1; i < frame->wire.slice_count; i++) {
        sum = checksum_raw_join(sum, checksum_raw(s[i].bytes, s[i].len), done);
        done += s[i].len;
    }
    return sum;
}

static APART uint64_t sum_of_long(const struct buf *held, struct span bytes,
                                  const struct checksum_ops *ops)
{
    return sums_of(held, bytes, ops);
}

/* What bytes add up to that are referred to. */
static uint64_t sum_of(const struct buf *held, struct span bytes, const struct checksum_ops *ops)
{
    return USUALLY(bytes.len <= SHORT_MAX)
               ? checksum_raw_turned(checksum_raw(bytes.bytes, bytes.len))
               : sum_of_long(held, bytes, ops);
}

void frame_finish_checksum(struct frame *frame)
{
    frame_finish_checksum_by(frame, checksum_ops_for(0));
}

void frame_finish_checksum_by(struct frame *frame, const struct checksum_ops *ops)
{
    struct weir_frame *w = &frame->wire;
    uint16_t checksum;

    if (!(w->flags & WEIR_FRAME_CSUM_PARTIAL))
        return;
    CHECK(w->gso == WEIR_GSO_NONE);
    CHECK((size_t)w->csum_start + w->csum_offset + sizeof checksum <= w->slices[0].len);

    if (HAS_FAST_CHECKSUMS && w->len - w->csum_start <= SHORT_MAX && !frame->payload_sum_known)
        checksum = checksum_fold_raw(raw_sum_from(frame, w->csum_start));
    else
        checksum = checksum_fold(sum_from(frame, w->csum_start, ops));
    frame_put_checksum(w->slices[0].bytes + w->csum_start + w->csum_offset, checksum);
    w->flags &= (uint8_t)~WEIR_FRAME_CSUM_PARTIAL;
}

void frame_set_checksum(struct frame *frame, uint16_t offset, uint64_t sum,
                        const struct checksum_ops *ops)
{
    const struct weir_slice *s = frame->wire.slices;

    CHECK(frame->wire.slice_count <= 2);
    if (USUALLY(frame->wire.slice_count == 2))
        sum = checksum_raw_plus(sum, sum_of(frame->held[1], span_of(s[1].bytes, s[1].len), ops));
    frame_put_checksum(s[0].bytes + offset, (uint16_t)~checksum_reduce(sum));
}

void frames_add(struct frames *queue, struct frame **frame)
{
    struct frame *f = *frame;

    *frame = NULL;
    f->next = NULL;
    if (queue->tail != NULL)
        queue->tail->next = f;
    else
        queue->head = f;
    queue->tail = f;
    queue->count++;
}

struct frame *frames_take(struct frames *queue)
{
    struct frame *f = queue->head;

    if (f == NULL)
        return NULL;
    queue->head = f->next;
    if (queue->head == NULL)
        queue->tail = NULL;
    f->next = NULL;
    queue->count--;
    return f;
}
