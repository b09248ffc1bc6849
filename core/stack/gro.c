/*
 * gro.c - neighbouring segments of one flow are joined before TCP sees them
 *
 * Of the frames that came together, those that go on where a segment of text ends are taken along
 * with it, if nothing that TCP has to know would be lost: all headers are the same, down to the
 * ECN field and the timestamps, but for what counts on; how many they were is counted; PSH ends
 * a burst and so does a shorter segment. Each checksum is verified by itself.
 *
 * First the headers alone are looked at: how many frames follow one another. Then their text is
 * taken, one after the other. Where a checksum has to be verified, all of the text is read in any
 * case: it is copied in the same pass, and the frame goes back to the driver at once. An application
 * that has posted its next read has said where to: there it is copied even if nothing is verified,
 * as somebody would have to do it anyway.
 */
#include "base/check.h"
#include "base/checksum.h"
#include "base/hint.h"
#include "base/num.h"
#include "stack/stack.h"
#include "tcp/recvq.h"
#include "tcp/seg.h"
#include "wire/super.h"

enum {
    JOINED_MAX = 128 * 1024, /* bytes of text */
};

/* One frame alone, all of whose slices together are as long as it says. */
static bool is_plain(const struct weir_frame *frame)
{
    const struct weir_slice *s = frame->slices;
    size_t len = 0;

    if (frame->gso != WEIR_GSO_NONE)
        return false;
    if (frame->slice_count == 2) /* headers and text, as it nearly always is */
        return s[0].len + s[1].len == frame->len;
    if (frame->slice_count == 0 || frame->slice_count > WEIR_FRAME_SLICES)
        return false;
    for (size_t i = 0; i < frame->slice_count; i++)
        len += s[i].len;
    return len == frame->len;
}

/* Headers in a slice, and in another one as much text as the first one had. */
static bool is_like_first(const struct super_follow *f, const struct weir_frame *frame)
{
    const struct weir_slice *s = frame->slices;

    return frame->slice_count == 2 && frame->gso == WEIR_GSO_NONE && frame->len == f->first_len
           && s[0].len == f->headers_len && s[0].len + s[1].len == frame->len;
}

static APART enum super_next look_at_any(const struct super_follow *f,
                                         const struct weir_frame *frame)
{
    struct span head = span_of(frame->slices[0].bytes, frame->slices[0].len);

    return is_plain(frame) ? super_follows(f, head, frame->len) : SUPER_OTHER;
}

/* Whether and how the frame comes next, with at most room bytes of text; *len: how many it has. */
static enum super_next look(const struct super_follow *f, const struct weir_frame *frame,
                            uint32_t room, uint32_t *len)
{
    *len = (uint32_t)(frame->len - f->headers_len);
    if (*len > room)
        return SUPER_OTHER;
    if (is_like_first(f, frame) && super_is_middle(f, frame->slices[0].bytes))
        return SUPER_MIDDLE;
    return look_at_any(f, frame);
}

/* Frames that follow one another. */
struct row {
    size_t count;
    uint32_t text_len;    /* what they have in all */
    enum super_next last; /* what the last one is */
};

/* How many frames of at most room bytes of text follow. */
static struct row find_row(struct super_follow *f, const struct weir_frame *frames, size_t count,
                           uint32_t room)
{
    struct row row = {0, 0, SUPER_MIDDLE};
    uint32_t len;

    while (row.count < count && row.last == SUPER_MIDDLE) {
        enum super_next next = look(f, &frames[row.count], room - row.text_len, &len);
        if (next == SUPER_OTHER)
            break;
        row.last = next;
        row.text_len += len;
        super_follow_advance(f, len);
        row.count++;
    }
    return row;
}

/* What is behind the headers, if it lies in one run, as it nearly always does. */
static struct span text_run(const struct weir_frame *frame, size_t headers_len)
{
    const struct weir_slice *s = frame->slices;

    if (frame->slice_count == 2 && s[0].len == headers_len)
        return span_of(s[1].bytes, s[1].len);
    return frame->slice_count == 1 ? span_drop(span_of(s[0].bytes, s[0].len), headers_len)
                                   : span_none();
}

static uint32_t sum_span(struct span s, const struct checksum_ops *ops, uint8_t *to)
{
    return to != NULL ? ops->copy(to, s.bytes, s.len) : ops->add(0, s.bytes, s.len);
}

/* The same of text in several slices. */
static APART uint32_t sum_slices(const struct weir_frame *frame, size_t headers_len,
                                 const struct checksum_ops *ops, uint8_t *to)
{
    size_t done = 0, skip = headers_len;
    uint32_t sum = 0;

    for (size_t i = 0; i < frame->slice_count; i++) {
        struct span s = span_drop(span_of(frame->slices[i].bytes, frame->slices[i].len), skip);
        skip = 0;
        if (s.len == 0)
            continue;
        sum = checksum_join(sum, sum_span(s, ops, to != NULL ? to + done : NULL), done);
        done += s.len;
    }
    return sum;
}

/* What is behind the headers: copied to some place, if that is not NULL. Returns the sum of it. */
static uint32_t sum_text(const struct weir_frame *frame, size_t headers_len,
                         const struct checksum_ops *ops, uint8_t *to)
{
    struct span run = text_run(frame, headers_len);

    return run.len > 0 ? sum_span(run, ops, to) : sum_slices(frame, headers_len, ops, to);
}

static APART void copy_text(const struct weir_frame *frame, size_t headers_len, uint8_t *to)
{
    size_t skip = headers_len;

    for (size_t i = 0; i < frame->slice_count; i++) {
        struct span s = span_drop(span_of(frame->slices[i].bytes, frame->slices[i].len), skip);
        skip = 0;
        span_copy(to, s);
        to += s.len;
    }
}

static bool needs_sum(const struct weir_frame *frame)
{
    return !(frame->flags & (WEIR_FRAME_CSUM_PARTIAL | WEIR_FRAME_CSUM_VALID));
}

/* The sum of all that a frame's checksum covers. Its text is copied to some place, if that is not NULL. */
static uint32_t sum_all(const struct weir *s, const struct super_follow *f, enum super_next next,
                        const struct weir_frame *frame, uint8_t *to)
{
    return super_header_sum(f, next, frame->slices[0].bytes, frame->len)
           + sum_text(frame, f->headers_len, s->ip.checksum, to);
}

/* Copied and verified in one pass: what turns out wrong is not kept. */
static bool join_copied(struct weir *s, const struct super_follow *f, struct tcp_seg *seg,
                        enum super_next next, const struct weir_frame *frame, uint32_t rest)
{
    uint32_t len = (uint32_t)(frame->len - f->headers_len);
    struct piece *p = tcp_seg_room(seg, &s->tcp, len, rest);

    if (p == NULL)
        return false;
    if (!checksum_is_good(sum_all(s, f, next, frame, p->bytes + p->len)))
        len = 0;
    tcp_seg_join_copied(seg, &s->tcp, &p, len);
    return len > 0;
}

/* The first of frames that have rest bytes of text in all. */
static bool join_one(struct weir *s, const struct super_follow *f, struct tcp_seg *seg,
                     enum super_next next, struct weir_frame *frame, uint32_t rest)
{
    if (needs_sum(frame)) {
        if (tcp_seg_is_copied(&s->tcp, (uint32_t)(frame->len - f->headers_len)))
            return join_copied(s, f, seg, next, frame, rest);
        if (!checksum_is_good(sum_all(s, f, next, frame, NULL)))
            return false;
    }
    return tcp_seg_join(seg, &s->tcp, frame, (uint32_t)f->headers_len);
}

/* Where the neighbours' text belongs, if a read is posted there, and how much there is room for. */
struct place {
    uint8_t *to; /* NULL: nowhere */
    uint32_t room;
};

static struct place place_of(const struct flow *flow, const struct tcp_seg *seg)
{
    struct place place = {NULL, 0};

    if (flow != NULL && flow->kind == HANDLE_CONN)
        place.to = recvq_place(&((const struct conn *)(const void *)flow)->tcp, seg, &place.room);
    place.room = u32_min(place.room, JOINED_MAX - seg->len);
    return place;
}

/* Joins the frames that follow, of at most room bytes of text; returns how many. */
static size_t join_to_queue(struct weir *s, struct super_follow *f, struct tcp_seg *seg,
                            struct weir_frame *frames, size_t count, uint32_t room)
{
    struct row row = find_row(f, frames, count, room);
    uint32_t rest = row.text_len;
    size_t joined;

    for (joined = 0; joined < row.count; joined++) {
        struct weir_frame *frame = &frames[joined];
        uint32_t len = (uint32_t)(frame->len - f->headers_len);
        enum super_next next = joined + 1 == row.count ? row.last : SUPER_MIDDLE;
        if (!join_one(s, f, seg, next, frame, rest))
            break;
        rest -= len;
    }
    return joined;
}

/* Copies the text of a frame that follows. False: it is damaged. */
static bool place_text(const struct weir *s, const struct super_follow *f, enum super_next next,
                       const struct weir_frame *frame, uint8_t *to)
{
    if (needs_sum(frame))
        return checksum_is_good(sum_all(s, f, next, frame, to));
    copy_text(frame, f->headers_len, to);
    return true;
}

/*
 * The same where the application has said where their text is to go, and for how much there is room:
 * it is put there as soon as a frame turns out to follow. What is damaged does not count.
 */
static WHOLE size_t join_placed(struct weir *s, struct super_follow *f, struct tcp_seg *seg,
                                const struct weir_frame *frames, size_t count, struct place place)
{
    uint8_t *to = place.to;
    enum super_next next = SUPER_MIDDLE;
    uint16_t joined = 0; /* as they are counted */
    uint32_t len;

    while (joined < count && next == SUPER_MIDDLE) {
        const struct weir_frame *frame = &frames[joined];
        next = look(f, frame, place.room, &len);
        if (next == SUPER_OTHER || !place_text(s, f, next, frame, to))
            break;
        super_follow_advance(f, len);
        to += len;
        place.room -= len;
        joined++;
    }
    tcp_seg_join_placed(seg, joined, (uint32_t)(to - place.to));
    return joined;
}

size_t gro_join(struct weir *s, const uint8_t *ip, struct tcp_seg *seg, const struct flow *flow,
                struct weir_frame *frames, size_t count)
{
    const struct weir_frame *first = seg->frame;
    struct super_follow f;
    struct place place;
    size_t tcp_at, headers_len, joined;
    uint32_t first_len = seg->len;

    if (count == 0 || first == NULL || !is_plain(first) || trace_is_on(&s->tracer))
        return 0;
    tcp_at = (size_t)(seg->header.bytes - first->slices[0].bytes);
    headers_len = tcp_at + seg->header.len;
    if (headers_len + seg->len != first->len /* padding */
        || !super_follow_init(&f, first->slices[0].bytes, (size_t)(ip - first->slices[0].bytes),
                              tcp_at, headers_len, seg->len))
        return 0;
    /* As far as they can be counted: a batch may be longer. */
    count = size_min(count, UINT16_MAX - (size_t)seg->segs);
    place = place_of(flow, seg);
    joined = place.to != NULL ? join_placed(s, &f, seg, frames, count, place)
                              : join_to_queue(s, &f, seg, frames, count, JOINED_MAX - seg->len);
    s->bytes_in += joined * f.headers_len + (seg->len - first_len);
    s->frames_in += joined;
    return joined;
}
