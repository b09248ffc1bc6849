/*
 * gso.c - super-segments are cut up at the last moment
 *
 * A connection sends one super-segment where it would send many segments, and the layers below
 * handle it once. Where the driver cannot take it, it is cut here, when the driver asks for
 * frames, into as many as it asks for: a segment costs its headers, its checksum and references to the
 * text. What the segments have in common is worked out once, and references are counted together.
 */
#include "base/check.h"
#include "base/checksum.h"
#include "base/hint.h"
#include "base/num.h"
#include "base/sums.h"
#include "stack/stack.h"
#include "wire/super.h"

enum {
    MIDDLE_MIN = 6, /* so many segments are worth working out what they have in common */
};

/* A super-segment, and where the next segment's text begins in it. */
struct cut {
    const struct frame *whole;
    const struct checksum_ops *ops; /* NULL: nobody needs sums */
    struct super super;
    struct super_part part; /* the next segment */
    bool has_middle;        /* those in the middle have been prepared */
    size_t slice;
    size_t skip;          /* bytes of that slice that have been sent */
    uint32_t refs;        /* that segments have to its buf, and that are still to be counted */
    const uint16_t *sums; /* of the next full segments of that slice, if they are known */
};

static void begin_slice(struct cut *cut, size_t slice, size_t skip)
{
    const struct weir_frame *w = &cut->whole->wire;

    cut->slice = slice;
    cut->skip = skip;
    cut->refs = 0;
    cut->sums = NULL;
    if (slice < w->slice_count && cut->ops != NULL)
        cut->sums = sums_from(cut->whole->held[slice], w->slices[slice].bytes + skip, w->gso_size);
}

static void end_slice(const struct cut *cut)
{
    if (cut->refs > 0)
        buf_ref_many(cut->whole->held[cut->slice], cut->refs);
}

/* What is left of the slice. */
static struct weir_slice rest_of_slice(const struct cut *cut)
{
    const struct weir_slice *slice = &cut->whole->wire.slices[cut->slice];

    return (struct weir_slice){slice->bytes + cut->skip, slice->len - cut->skip};
}

static void advance(struct cut *cut, size_t len)
{
    cut->skip += len;
    if (cut->skip == cut->whole->wire.slices[cut->slice].len) {
        end_slice(cut);
        begin_slice(cut, cut->slice + 1, 0);
    }
}

/* Passes over text that has been cut off before. */
static void pass(struct cut *cut, size_t len)
{
    const struct weir_slice *slices = cut->whole->wire.slices;
    size_t slice = 1;

    for (; len >= slices[slice].len; slice++)
        len -= slices[slice].len;
    begin_slice(cut, slice, len);
}

static APART uint32_t sum_anew(struct cut *cut, struct weir_slice text)
{
    cut->sums = NULL;
    return sums_of(cut->whole->held[cut->slice], span_of(text.bytes, text.len), cut->ops);
}

/* 0 if nobody needs it. */
static uint32_t sum_next(struct cut *cut, struct weir_slice text)
{
    if (cut->ops == NULL)
        return 0;
    if (cut->sums != NULL && text.len == cut->whole->wire.gso_size)
        return *cut->sums++;
    return sum_anew(cut, text);
}

/* Refers to the text of the next segment, which may lie in several slices; returns its sum. */
static uint32_t refer(struct cut *cut, struct frame *frame)
{
    uint32_t sum = 0, done = 0, len = cut->part.len;

    while (done < len) {
        struct weir_slice text = rest_of_slice(cut);
        struct buf *buf = cut->whole->held[cut->slice];
        uint32_t part_sum;

        text.len = size_min(text.len, len - done);
        cut->refs += buf != NULL;
        CHECK(frame_add(frame, text.bytes, text.len, &buf)); /* no more slices than the whole */
        part_sum = sum_next(cut, text);
        sum = done == 0 ? part_sum : checksum_join(sum, part_sum, done);
        done += (uint32_t)text.len;
        advance(cut, text.len);
    }
    return sum;
}

/* Any segment. NULL: there is no memory. */
static struct weir_frame *cut_one(struct weir *s, struct cut *cut)
{
    struct frame *frame = frame_get(&s->frames);

    if (frame == NULL)
        return NULL;
    cut->part.text_sum = refer(cut, frame);
    super_emit(&cut->super, &cut->part, frame_push(frame, cut->super.headers.len));
    if (cut->super.is_partial) {
        frame->wire.flags = WEIR_FRAME_CSUM_PARTIAL;
        frame->wire.csum_start = cut->whole->wire.csum_start;
        frame->wire.csum_offset = cut->whole->wire.csum_offset;
    }
    cut->part.offset += cut->part.len;
    cut->part.index++;
    return &frame->wire;
}

/* How many segments follow that are in the middle, and whose text lies in this slice. */
static size_t count_middle(const struct cut *cut)
{
    size_t len = cut->whole->wire.gso_size;

    if (!cut->has_middle || cut->part.offset == 0)
        return 0;
    return size_min(rest_of_slice(cut).len / len,
                    (cut->super.text_len - cut->part.offset - 1) / len);
}

/* Frames for segments in the middle, around their text. */
static struct frame_row row_of(const struct cut *cut)
{
    const struct weir_frame *w = &cut->whole->wire;
    struct frame_row row = {
        .headers_len = cut->super.headers.len,
        .payload = {rest_of_slice(cut).bytes, cut->part.len},
        .buf = cut->whole->held[cut->slice],
    };

    if (cut->super.is_partial) {
        row.flags = WEIR_FRAME_CSUM_PARTIAL;
        row.csum_start = w->csum_start;
        row.csum_offset = w->csum_offset;
    }
    return row;
}

/* At most count of them; returns how many there is memory for. */
static size_t cut_middle(struct weir *s, struct cut *cut, struct weir_frame **segments,
                         size_t count)
{
    struct frame_row row = row_of(cut);
    struct super_part part = cut->part;

    count = frame_get_row(&s->frames, &row, segments, count);
    for (size_t i = 0; i < count; i++) {
        struct weir_slice headers = segments[i]->slices[0], text = segments[i]->slices[1];
        part.text_sum = sum_next(cut, text);
        super_emit_middle(&cut->super, &part, headers.bytes + row.headers_len);
        part.offset += part.len;
        part.index++;
    }
    cut->part = part;
    if (row.buf != NULL)
        cut->refs += (uint32_t)count;
    advance(cut, count * part.len);
    return count;
}

/* The next segments, at most max; returns how many there is memory for. */
static size_t cut_next(struct weir *s, struct cut *cut, struct weir_frame **segments, size_t max)
{
    size_t count;

    cut->part.len = u32_min(cut->whole->wire.gso_size, cut->super.text_len - cut->part.offset);
    count = size_min(count_middle(cut), max);
    if (count > 0)
        return cut_middle(s, cut, segments, count);
    segments[0] = cut_one(s, cut);
    return segments[0] != NULL;
}

static void begin(struct cut *cut, size_t max)
{
    uint32_t size = cut->whole->wire.gso_size;

    super_init(&cut->super, &cut->whole->wire, cut->ops == NULL);
    cut->part.offset = cut->whole->cut_bytes;
    cut->part.index = cut->part.offset / size;
    cut->has_middle =
        max >= MIDDLE_MIN && cut->super.text_len - cut->part.offset >= MIDDLE_MIN * size;
    if (cut->has_middle)
        super_init_middle(&cut->super, size);
    pass(cut, cut->part.offset);
}

bool gso_is_cut(const struct frame *whole)
{
    return whole->cut_bytes == whole->wire.len - whole->wire.slices[0].len;
}

size_t gso_cut(struct weir *s, const struct netif *netif, struct frame *whole,
               struct weir_frame **segments, size_t max)
{
    struct cut cut;
    size_t count = 0, more = 1;

    cut.whole = whole;
    cut.ops = netif->offloads & WEIR_OFFLOAD_CSUM ? NULL : s->ip.checksum;
    begin(&cut, max);
    for (; more > 0 && count < max && cut.part.offset < cut.super.text_len; count += more)
        more = cut_next(s, &cut, segments + count, max - count);
    end_slice(&cut);
    whole->cut_bytes = cut.part.offset;
    return count;
}
