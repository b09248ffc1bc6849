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
#include "base/num.h"
#include "base/sums.h"
#include "stack/stack.h"
#include "wire/super.h"

enum {
    MIDDLE_MIN = 6, /* so many segments are worth working out what they have in common */
};

/* Where the next segment's text begins in the super-segment. */
struct cut {
    const struct frame *super;
    const struct checksum_ops *ops; /* NULL: nobody needs sums */
    size_t slice;
    size_t skip;          /* bytes of that slice that have been sent */
    uint32_t refs;        /* that segments have to its buf, and that are still to be counted */
    const uint16_t *sums; /* of the next full segments of that slice, if they are known */
    bool has_middle;      /* it was worth while to prepare for segments in the middle */
};

static void begin_slice(struct cut *cut, size_t slice, size_t skip)
{
    const struct weir_frame *w = &cut->super->wire;

    cut->slice = slice;
    cut->skip = skip;
    cut->refs = 0;
    cut->sums = NULL;
    if (slice < w->slice_count && cut->ops != NULL)
        cut->sums = sums_from(cut->super->held[slice], w->slices[slice].bytes + skip, w->gso_size);
}

static void end_slice(const struct cut *cut)
{
    if (cut->refs > 0)
        buf_ref_many(cut->super->held[cut->slice], cut->refs);
}

static uint32_t sum_next(struct cut *cut, struct span bytes)
{
    if (cut->sums != NULL && bytes.len == cut->super->wire.gso_size)
        return *cut->sums++;
    cut->sums = NULL;
    return sums_of(cut->super->held[cut->slice], bytes, cut->ops);
}

static void advance(struct cut *cut, size_t len)
{
    cut->skip += len;
    if (cut->skip == cut->super->wire.slices[cut->slice].len) {
        end_slice(cut);
        begin_slice(cut, cut->slice + 1, 0);
    }
}

/* What is left of the slice. */
static struct weir_slice rest_of_slice(const struct cut *cut)
{
    const struct weir_slice *slice = &cut->super->wire.slices[cut->slice];

    return (struct weir_slice){slice->bytes + cut->skip, slice->len - cut->skip};
}

/* Refers to the next len bytes of text; returns their sum, if it is needed. */
static uint32_t refer(struct cut *cut, struct frame *frame, uint32_t len)
{
    uint32_t sum = 0, done = 0;

    while (done < len) {
        struct weir_slice rest = rest_of_slice(cut);
        struct buf *buf = cut->super->held[cut->slice];
        uint32_t part = (uint32_t)size_min(rest.len, len - done), part_sum = 0;

        cut->refs += buf != NULL;
        CHECK(frame_add(frame, rest.bytes, part, &buf)); /* no more slices than the whole */
        if (cut->ops != NULL)
            part_sum = sum_next(cut, span_of(rest.bytes, part));
        sum = done == 0 ? part_sum : checksum_join(sum, part_sum, done);
        done += part;
        advance(cut, part);
    }
    return sum;
}

static struct frame *cut_any(struct weir *s, const struct super *super, struct cut *cut,
                             struct super_part *part)
{
    struct frame *frame = frame_get(&s->frames);

    if (frame == NULL)
        return NULL;
    part->text_sum = refer(cut, frame, part->len);
    super_emit(super, part, frame_push(frame, super->headers.len));
    return frame;
}

/* The same for one in the middle whose text lies in one slice. */
static struct frame *cut_middle(struct weir *s, const struct super *super, struct cut *cut,
                                struct super_part *part)
{
    struct weir_slice text = {rest_of_slice(cut).bytes, part->len};
    struct buf *buf = cut->super->held[cut->slice];
    struct frame *frame = frame_get_around(&s->frames, super->headers.len, text, buf);

    if (frame == NULL)
        return NULL;
    cut->refs += buf != NULL;
    if (cut->ops != NULL)
        part->text_sum = sum_next(cut, span_of(text.bytes, text.len));
    advance(cut, part->len);
    super_emit_middle(super, part, frame->wire.slices[0].bytes);
    return frame;
}

static bool is_middle(const struct super *super, const struct cut *cut,
                      const struct super_part *part)
{
    return part->offset > 0 && part->offset + part->len < super->text_len
           && rest_of_slice(cut).len >= part->len;
}

static struct frame *cut_one(struct weir *s, const struct super *super, struct cut *cut,
                             struct super_part *part)
{
    struct frame *frame = cut->has_middle && is_middle(super, cut, part)
                              ? cut_middle(s, super, cut, part)
                              : cut_any(s, super, cut, part);

    if (frame != NULL && super->is_partial) {
        frame->wire.flags = WEIR_FRAME_CSUM_PARTIAL;
        frame->wire.csum_start = cut->super->wire.csum_start;
        frame->wire.csum_offset = cut->super->wire.csum_offset;
    }
    return frame;
}

/* Passes over text that has been cut off before. */
static void skip(struct cut *cut, size_t len)
{
    const struct weir_slice *slices = cut->super->wire.slices;
    size_t slice = 1;

    for (; len >= slices[slice].len; slice++)
        len -= slices[slice].len;
    begin_slice(cut, slice, len);
}

static uint32_t text_len(const struct frame *whole)
{
    return (uint32_t)(whole->wire.len - whole->wire.slices[0].len);
}

bool gso_is_cut(const struct frame *whole)
{
    return whole->cut_bytes == text_len(whole);
}

size_t gso_cut(struct weir *s, const struct netif *netif, struct frame *whole,
               struct weir_frame **segments, size_t max)
{
    const struct weir_frame *w = &whole->wire;
    bool is_partial = (netif->offloads & WEIR_OFFLOAD_CSUM) != 0;
    struct cut cut = {.super = whole, .ops = is_partial ? NULL : s->ip.checksum};
    struct super_part part = {
        .index = whole->cut_bytes / w->gso_size,
        .offset = whole->cut_bytes,
    };
    struct super super;
    size_t count = 0;

    super_init(&super, w, is_partial);
    skip(&cut, part.offset);
    cut.has_middle =
        max >= MIDDLE_MIN && super.text_len - part.offset >= MIDDLE_MIN * (uint32_t)w->gso_size;
    if (cut.has_middle)
        super_init_middle(&super, w->gso_size);
    for (; count < max && part.offset < super.text_len; count++) {
        struct frame *frame;
        part.len = u32_min(w->gso_size, super.text_len - part.offset);
        frame = cut_one(s, &super, &cut, &part);
        if (frame == NULL)
            break;
        segments[count] = &frame->wire;
        part.offset += part.len;
        part.index++;
    }
    end_slice(&cut);
    whole->cut_bytes = part.offset;
    return count;
}
