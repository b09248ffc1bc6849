/*
 * seg.c - the text of a segment that has arrived
 */
#include "tcp/seg.h"
#include "base/check.h"
#include "base/hint.h"
#include "base/num.h"
#include "base/parts.h"

/* A frame is kept if it costs at most so many times the text that lies in it. */
enum { WASTE_MAX = 4 };

void tcp_seg_cut_syn(struct tcp_seg *seg, uint8_t wscale)
{
    seg->flags &= (uint16_t)~TCP_SYN;
    seg->had_syn = true;
    seg->seq = seq_add(seg->seq, 1);
    seg->wnd = (uint16_t)(seg->wnd >> wscale);
}

/* How much of the text lies in the frames of neighbours. */
static uint32_t more_len(const struct tcp_seg *seg)
{
    return HAS_SUPER_SEGMENTS ? seg->more_len : 0;
}

/* How much of it lies in the segment's own. */
static uint32_t own_len(const struct tcp_seg *seg)
{
    return seg->len - more_len(seg);
}

void tcp_seg_cut_front(struct tcp_seg *seg, uint32_t len)
{
    uint32_t own;

    len = u32_min(len, seg->len);
    own = u32_min(len, own_len(seg));
    seg->seq = seq_add(seg->seq, len);
    seg->text_skip += own;
    seg->len -= len;
    if (HAS_SUPER_SEGMENTS) {
        seg->more_len -= len - own;
        seg->more_skip += len - own;
    }
}

void tcp_seg_cut_back(struct tcp_seg *seg, uint32_t len)
{
    len = u32_min(len, seg->len);
    seg->len -= len;
    if (HAS_SUPER_SEGMENTS)
        seg->more_len -= u32_min(len, seg->more_len);
}

/* What is being taken. */
struct taking {
    struct pieces pieces;
    uint32_t memory;
    uint32_t room;     /* behind the last piece of where it goes */
    struct span first; /* what is copied there, last, so that failing changes nothing */
};

static uint32_t memory_of(const struct weir_frame *frame)
{
    return frame->memory != 0 ? frame->memory : (uint32_t)frame->len;
}

bool tcp_seg_is_worth_keeping(const struct weir_frame *frame, uint32_t len)
{
    return frame->release != NULL && memory_of(frame) / WASTE_MAX <= len;
}

/* A buf around the frame, which releases it from now on; NULL: no memory. */
static struct buf *wrap(struct weir_frame *frame, struct bufs *bufs)
{
    struct buf *buf = buf_wrap(bufs, frame->slices[0].bytes, (uint32_t)frame->len, memory_of(frame),
                               frame->release, frame->owner);

    if (buf != NULL)
        frame->release = NULL;
    return buf;
}

/* The queue that has the piece does not write to it: room is 0. Takes *buf; false: no memory. */
static bool refer(struct tcp_env *env, struct buf **buf, struct span bytes, struct taking *t)
{
    struct piece *p;

    t->memory += (*buf)->memory;
    p = piece_get(&env->pieces, buf, (uint8_t *)(uintptr_t)bytes.bytes, (uint32_t)bytes.len);
    if (p == NULL) {
        buf_unref(env->bufs, buf);
        return false;
    }
    pieces_append(&t->pieces, p);
    return true;
}

/* The same for text of the segment's own frame. */
static bool refer_own(struct tcp_seg *seg, struct tcp_env *env, struct span bytes, struct taking *t)
{
    struct buf *buf;

    if (seg->text_buf == NULL)
        seg->text_buf = wrap(seg->frame, env->bufs);
    if (seg->text_buf == NULL)
        return false;
    buf = buf_ref(seg->text_buf);
    return refer(env, &buf, bytes, t);
}

/* What of slice lies in the first len bytes after *skip; moves *skip along. */
static struct span part_of(const struct weir_slice *slice, uint32_t *skip, uint32_t len)
{
    struct span s = span_of(slice->bytes, slice->len);

    if (*skip >= s.len) {
        *skip -= (uint32_t)s.len;
        return span_none();
    }
    s = span_take(span_drop(s, *skip), len);
    *skip = 0;
    return s;
}

static bool is_kept(const struct tcp_seg *seg)
{
    return seg->text_buf != NULL
           || (seg->frame != NULL && tcp_seg_is_worth_keeping(seg->frame, seg->len));
}

struct span tcp_seg_run_to_copy(const struct tcp_seg *seg)
{
    const struct weir_slice *slice = seg->text;
    uint32_t skip = seg->text_skip;

    if (more_len(seg) > 0 || is_kept(seg) || seg->text_count == 0)
        return span_none();
    if (skip >= slice->len) { /* the headers have a slice of their own */
        skip -= (uint32_t)slice->len;
        slice++;
    }
    if (slice == seg->text + seg->text_count || slice->len < (size_t)skip + seg->len)
        return span_none();
    return span_of(slice->bytes + skip, seg->len);
}

/* Text of the segment's own frame; what fits behind list's last piece is copied there. */
static bool take_own(struct tcp_seg *seg, struct tcp_env *env, uint32_t offset, uint32_t len,
                     struct taking *t)
{
    bool by_reference = is_kept(seg);
    uint32_t skip = seg->text_skip + offset;

    for (size_t i = 0; i < seg->text_count && len > 0; i++) {
        struct span s = part_of(&seg->text[i], &skip, len);
        len -= (uint32_t)s.len;
        if (s.len == 0)
            continue;
        if (by_reference) {
            if (!refer_own(seg, env, s, t))
                return false;
            continue;
        }
        if (t->pieces.head == NULL && t->first.len == 0) {
            t->first = span_take(s, t->room);
            s = span_drop(s, t->first.len);
        }
        s = span_drop(s, pieces_fill_tail(&t->pieces, s.bytes, (uint32_t)s.len));
        if (!pieces_copy(&t->pieces, &env->pieces, env->bufs, s, &t->memory))
            return false;
    }
    CHECK(len == 0);
    return true;
}

/* A part of the neighbours' text: one reference more to each buf of which it has some. */
static bool refer_more(const struct tcp_seg *seg, struct tcp_env *env, uint32_t skip, uint32_t len,
                       struct taking *t)
{
    for (const struct piece *p = seg->more.head; p != NULL && len > 0; p = p->next) {
        struct weir_slice slice = {p->bytes, p->len};
        struct span s = part_of(&slice, &skip, len);
        struct buf *buf;

        if (s.len == 0)
            continue;
        buf = buf_ref(p->buf);
        if (!refer(env, &buf, s, t))
            return false;
        len -= (uint32_t)s.len;
    }
    CHECK(len == 0);
    return true;
}

/* Nearly always all of it, which then changes its owner as it is. */
static bool take_more(struct tcp_seg *seg, struct tcp_env *env, uint32_t offset, uint32_t len,
                      struct taking *t)
{
    if (len != seg->more_bytes)
        return refer_more(seg, env, seg->more_skip + offset, len, t);
    pieces_join(&t->pieces, &seg->more);
    t->memory += seg->more_memory;
    seg->more_bytes = 0;
    return true;
}

static uint32_t copy_own(const struct tcp_seg *seg, uint8_t *to, uint32_t len)
{
    uint32_t skip = seg->text_skip, done = 0;

    for (size_t i = 0; i < seg->text_count && done < len; i++) {
        struct span s = part_of(&seg->text[i], &skip, len - done);
        span_copy(to + done, s);
        done += (uint32_t)s.len;
    }
    return done;
}

static uint32_t copy_more(const struct tcp_seg *seg, uint8_t *to, uint32_t len)
{
    uint32_t skip = seg->more_skip, done = 0;

    for (const struct piece *p = seg->more.head; p != NULL && done < len; p = p->next) {
        struct weir_slice slice = {p->bytes, p->len};
        struct span s = part_of(&slice, &skip, len - done);
        span_copy(to + done, s);
        done += (uint32_t)s.len;
    }
    return done;
}

void tcp_seg_copy_text(const struct tcp_seg *seg, uint8_t *to, uint32_t len)
{
    uint32_t own = copy_own(seg, to, u32_min(len, own_len(seg)));

    if (HAS_SUPER_SEGMENTS && !seg->more_is_placed)
        own += copy_more(seg, to + own, len - own);
    CHECK(own == len || (HAS_SUPER_SEGMENTS && seg->more_is_placed));
}

APART bool tcp_seg_take_text(struct tcp_seg *seg, struct tcp_env *env, uint32_t offset,
                             uint32_t len, struct pieces *list, uint32_t *memory)
{
    struct taking t = {.room = list->tail != NULL ? list->tail->room : 0};
    uint32_t own_offset = u32_min(offset, own_len(seg));
    uint32_t own = u32_min(len, own_len(seg) - own_offset);

    CHECK(!HAS_SUPER_SEGMENTS || !seg->more_is_placed);
    if ((own > 0 && !take_own(seg, env, own_offset, own, &t))
        || (HAS_SUPER_SEGMENTS && len > own
            && !take_more(seg, env, offset - own_offset, len - own, &t))) {
        pieces_clear(&t.pieces, &env->pieces, env->bufs);
        return false;
    }
    CHECK(pieces_fill_tail(list, t.first.bytes, (uint32_t)t.first.len) == t.first.len);
    pieces_join(list, &t.pieces);
    *memory += t.memory;
    return true;
}

/* What lies behind skip bytes of the frame, if it is in one slice; else none. */
static struct span run_of(const struct weir_frame *frame, uint32_t skip)
{
    const struct weir_slice *s = frame->slices;

    if (frame->slice_count == 2 && s[0].len == skip)
        return span_of(s[1].bytes, s[1].len);
    return frame->slice_count == 1 ? span_drop(span_of(s[0].bytes, s[0].len), skip) : span_none();
}

/* A neighbour whose frame is kept, and whose text lies in one run. */
static bool join_run(struct tcp_seg *seg, struct tcp_env *env, struct weir_frame *frame,
                     struct span run)
{
    struct buf *buf = wrap(frame, env->bufs);

    if (buf == NULL)
        return false;
    seg->more_memory += buf->memory;
    pieces_append(&seg->more, piece_first(&buf, run));
    return true;
}

/* The same of text in several slices. */
static bool join_runs(struct tcp_seg *seg, struct tcp_env *env, struct weir_frame *frame,
                      uint32_t skip)
{
    void (*release)(void *owner) = frame->release;
    struct buf *buf = wrap(frame, env->bufs);
    struct taking t = {.memory = 0};
    bool done = buf != NULL;

    for (size_t i = 0; done && i < frame->slice_count; i++) {
        struct span s = part_of(&frame->slices[i], &skip, UINT32_MAX);
        if (s.len > 0)
            done = refer(env, &(struct buf *){buf_ref(buf)}, s, &t);
    }
    if (!done && buf != NULL) { /* it releases itself, as if nobody had wanted it */
        frame->release = release;
        buf->release = NULL;
        pieces_clear(&t.pieces, &env->pieces, env->bufs);
    }
    buf_unref(env->bufs, &buf);
    pieces_join(&seg->more, &t.pieces);
    seg->more_memory += done ? t.memory : 0;
    return done;
}

static bool join_kept(struct tcp_seg *seg, struct tcp_env *env, struct weir_frame *frame,
                      uint32_t skip)
{
    struct span run = run_of(frame, skip);

    return run.len > 0 ? join_run(seg, env, frame, run) : join_runs(seg, env, frame, skip);
}

/* Any other one is copied. */
static bool join_copy(struct tcp_seg *seg, struct tcp_env *env, const struct weir_frame *frame,
                      uint32_t skip)
{
    struct tcp_seg neighbour = {
        .len = (uint32_t)frame->len - skip,
        .text = frame->slices,
        .text_count = frame->slice_count,
        .text_skip = skip,
    };

    return tcp_seg_take_text(&neighbour, env, 0, neighbour.len, &seg->more, &seg->more_memory);
}

static void note_joined(struct tcp_seg *seg, uint16_t count, uint32_t len)
{
    seg->len += len;
    seg->more_len += len;
    seg->more_bytes += len;
    seg->segs = (uint16_t)(seg->segs + count);
}

void tcp_seg_join_placed(struct tcp_seg *seg, uint16_t count, uint32_t len)
{
    seg->more_is_placed = seg->more_is_placed || count > 0;
    note_joined(seg, count, len);
}

bool tcp_seg_join(struct tcp_seg *seg, struct tcp_env *env, struct weir_frame *frame, uint32_t skip)
{
    uint32_t len = (uint32_t)frame->len - skip;

    if (!(tcp_seg_is_worth_keeping(frame, len) ? join_kept(seg, env, frame, skip)
                                               : join_copy(seg, env, frame, skip)))
        return false;
    note_joined(seg, 1, len);
    return true;
}

bool tcp_seg_is_copied(const struct tcp_env *env, uint32_t len)
{
    return len <= piece_room_max(env->bufs) / WASTE_MAX;
}

struct piece *tcp_seg_room(const struct tcp_seg *seg, struct tcp_env *env, uint32_t len,
                           uint32_t rest)
{
    struct piece *tail = seg->more.tail;

    if (tail != NULL && tail->room >= len)
        return tail;
    /* A large buf is for what fills enough of it. */
    return piece_new(env->bufs, rest >= piece_room_max(env->bufs) / WASTE_MAX ? rest : len);
}

void tcp_seg_join_copied(struct tcp_seg *seg, struct tcp_env *env, struct piece **piece,
                         uint32_t len)
{
    struct piece *p = *piece;
    bool is_new = p != seg->more.tail;

    *piece = NULL;
    if (len == 0) {
        if (is_new)
            piece_put(&env->pieces, env->bufs, &p);
        return;
    }
    if (is_new) {
        pieces_append(&seg->more, p);
        seg->more_memory += p->buf->memory;
    }
    p->len += len;
    p->room = (p->room - len) & PIECE_ROOM_MAX;
    note_joined(seg, 1, len);
}

APART void tcp_seg_let_go(struct tcp_seg *seg, struct tcp_env *env)
{
    if (HAS_SUPER_SEGMENTS)
        pieces_clear(&seg->more, &env->pieces, env->bufs);
    buf_unref(env->bufs, &seg->text_buf);
}
