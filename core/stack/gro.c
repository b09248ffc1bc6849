/*
 * gro.c - neighbouring segments of one flow are joined before TCP sees them
 *
 * Of the frames that came together, those that go on where a segment of text ends are taken along
 * with it, if nothing that TCP has to know would be lost: all headers are the same, down to the
 * ECN field and the timestamps, but for what counts on; how many they were is counted; PSH ends
 * a burst and so does a shorter segment. Each checksum is verified by itself.
 */
#include "base/check.h"
#include "base/checksum.h"
#include "stack/stack.h"
#include "tcp/seg.h"
#include "wire/super.h"

enum {
    JOINED_MAX = 65535, /* bytes of text, as a super-segment has at most */
};

static bool is_plain(const struct weir_frame *frame)
{
    return frame->gso == WEIR_GSO_NONE && frame->slice_count > 0
           && frame->slice_count <= WEIR_FRAME_SLICES;
}

/* The sum of what is behind the headers; and whether the slices are as long as the frame. */
static bool sum_text(const struct weir_frame *frame, size_t headers_len,
                     const struct checksum_ops *ops, uint32_t *sum)
{
    bool wanted = !(frame->flags & (WEIR_FRAME_CSUM_PARTIAL | WEIR_FRAME_CSUM_VALID));
    size_t len = headers_len, skip = headers_len;
    uint32_t text_sum = 0;

    for (size_t i = 0; i < frame->slice_count; i++) {
        struct span s = span_drop(span_of(frame->slices[i].bytes, frame->slices[i].len), skip);
        if (wanted)
            text_sum = checksum_join(text_sum, ops->add(0, s.bytes, s.len), len - headers_len);
        len += s.len;
        skip = 0;
    }
    if (wanted)
        *sum += text_sum;
    else
        *sum = 0xffff;
    return len == frame->len;
}

static bool join_one(struct weir *s, struct super_follow *f, struct tcp_seg *seg,
                     struct weir_frame *frame, bool *is_last)
{
    uint32_t text_len, sum;

    if (!is_plain(frame)
        || !super_follows(f, span_of(frame->slices[0].bytes, frame->slices[0].len), frame->len,
                          &sum, is_last)
        || !sum_text(frame, f->headers_len, s->ip.checksum, &sum) || !checksum_is_good(sum))
        return false;
    text_len = (uint32_t)(frame->len - f->headers_len);
    if (seg->len + text_len > JOINED_MAX
        || !tcp_seg_join(seg, &s->tcp, frame, (uint32_t)f->headers_len))
        return false;
    super_follow_advance(f, text_len);
    return true;
}

size_t gro_join(struct weir *s, const struct ip_packet *packet, struct tcp_seg *seg,
                struct weir_frame *frames, size_t count)
{
    const struct weir_frame *first = packet->frame;
    struct super_follow f;
    size_t ip_at, joined = 0;
    bool is_last = false;

    if (count == 0 || first == NULL || !is_plain(first) || trace_is_on(&s->tracer))
        return 0;
    ip_at = (size_t)(packet->slices[0].bytes - first->slices[0].bytes);
    if (ip_at + packet->len != first->len /* padding */
        || !super_follow_init(&f, first->slices[0].bytes, ip_at, ip_at + packet->header_len,
                              ip_at + seg->text_skip, seg->len))
        return 0;
    while (joined < count && !is_last && join_one(s, &f, seg, &frames[joined], &is_last)) {
        s->frames_in++;
        s->bytes_in += frames[joined].len;
        joined++;
    }
    return joined;
}
