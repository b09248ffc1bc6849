/*
 * gso.c - super-segments are cut up at the last moment
 *
 * A connection sends one super-segment where it would send many segments, and the layers below
 * handle it once. Where the driver cannot take it, it is cut here, when the driver asks for
 * frames: a segment costs its headers, its checksum and references to the text.
 */
#include "base/check.h"
#include "base/checksum.h"
#include "base/num.h"
#include "base/sums.h"
#include "stack/stack.h"
#include "wire/super.h"

/* Where the next segment's text begins in the super-segment. */
struct cut {
    const struct frame *super;
    size_t slice;
    size_t skip; /* bytes of that slice that have been sent */
};

/* Refers to the next len bytes of text; returns their sum, if ops is not NULL. */
static uint32_t refer(struct cut *cut, struct frame *frame, uint32_t len,
                      const struct checksum_ops *ops)
{
    uint32_t sum = 0, done = 0;

    while (done < len) {
        const struct weir_slice *slice = &cut->super->wire.slices[cut->slice];
        struct buf *buf = cut->super->held[cut->slice];
        uint8_t *bytes = slice->bytes + cut->skip;
        uint32_t part = (uint32_t)size_min(slice->len - cut->skip, len - done);

        if (buf != NULL)
            (void)buf_ref(buf);
        CHECK(frame_add(frame, bytes, part, &buf)); /* no more slices than the whole */
        if (ops != NULL)
            sum = checksum_join(
                sum, sums_of(frame->held[frame->wire.slice_count - 1], span_of(bytes, part), ops),
                done);
        done += part;
        cut->skip += part;
        if (cut->skip == slice->len) {
            cut->slice++;
            cut->skip = 0;
        }
    }
    return sum;
}

static struct frame *cut_one(struct weir *s, const struct super *super, struct cut *cut,
                             struct super_part *part)
{
    struct frame *frame = frame_get(&s->frames);

    if (frame == NULL)
        return NULL;
    part->text_sum = refer(cut, frame, part->len, part->is_partial ? NULL : s->ip.checksum);
    super_emit(super, part, frame_push(frame, super->headers.len));
    if (part->is_partial) {
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

    for (; len >= slices[cut->slice].len; cut->slice++)
        len -= slices[cut->slice].len;
    cut->skip = len;
}

bool gso_cut(struct weir *s, const struct netif *netif, struct frame *whole,
             struct frames *segments)
{
    const struct weir_frame *w = &whole->wire;
    uint32_t text_len = (uint32_t)(w->len - w->slices[0].len);
    struct cut cut = {.super = whole, .slice = 1};
    struct super_part part = {
        .index = whole->cut_bytes / w->gso_size,
        .offset = whole->cut_bytes,
        .is_partial = (netif->offloads & WEIR_OFFLOAD_CSUM) != 0,
    };
    struct super super;

    super_init(&super, w);
    skip(&cut, part.offset);
    while (part.offset < text_len) {
        struct frame *frame;
        part.len = u32_min(w->gso_size, text_len - part.offset);
        frame = cut_one(s, &super, &cut, &part);
        if (frame == NULL)
            break;
        frames_add(segments, &frame);
        part.offset += part.len;
        part.index++;
    }
    whole->cut_bytes = part.offset;
    return part.offset == text_len;
}
