/*
 * seg.c - the text of a segment that has arrived
 */
#include "tcp/seg.h"
#include "base/check.h"

/* A frame is kept if it costs at most so many times the text that lies in it. */
enum { WASTE_MAX = 4 };

void tcp_seg_cut_syn(struct tcp_seg *seg, uint8_t wscale)
{
    seg->flags &= (uint16_t)~TCP_SYN;
    seg->seq = seq_add(seg->seq, 1);
    seg->wnd = (uint16_t)(seg->wnd >> wscale);
}

void tcp_seg_cut_front(struct tcp_seg *seg, uint32_t len)
{
    if (len > seg->len)
        len = seg->len;
    seg->seq = seq_add(seg->seq, len);
    seg->len -= len;
    seg->text_skip += len;
}

static uint32_t memory_of(const struct weir_frame *frame)
{
    return frame->memory != 0 ? frame->memory : (uint32_t)frame->len;
}

static bool is_worth_keeping(const struct tcp_seg *seg)
{
    if (seg->text_buf != NULL)
        return true;
    return seg->frame != NULL && seg->frame->release != NULL
           && memory_of(seg->frame) / WASTE_MAX <= seg->len;
}

/* A reference to the buf around the frame, which from now on releases it; NULL: no memory. */
static struct buf *keep(struct tcp_seg *seg, struct bufs *bufs)
{
    struct weir_frame *frame = seg->frame;

    if (seg->text_buf == NULL) {
        seg->text_buf = buf_wrap(bufs, frame->slices[0].bytes, (uint32_t)frame->len,
                                 memory_of(frame), frame->release, frame->owner);
        if (seg->text_buf == NULL)
            return NULL;
        frame->release = NULL;
    }
    return buf_ref(seg->text_buf);
}

static bool refer(struct tcp_seg *seg, struct tcp_env *env, struct span bytes, struct pieces *list,
                  uint32_t *memory)
{
    struct buf *buf = keep(seg, env->bufs);
    struct piece *p;

    if (buf == NULL)
        return false;
    *memory += buf->memory;
    /* The queue that has the piece does not write to it: room is 0. */
    p = piece_get(&env->pieces, &buf, (uint8_t *)(uintptr_t)bytes.bytes, (uint32_t)bytes.len);
    if (p == NULL) {
        buf_unref(env->bufs, &buf);
        return false;
    }
    pieces_append(list, p);
    return true;
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

bool tcp_seg_take_text(struct tcp_seg *seg, struct tcp_env *env, uint32_t offset, uint32_t len,
                       struct pieces *list, uint32_t *memory)
{
    struct pieces taken = {NULL, NULL};
    bool by_reference = is_worth_keeping(seg);
    uint32_t skip = seg->text_skip + offset;
    uint32_t cost = 0;
    struct span first = span_none(); /* what fits behind list's last piece is copied last */

    for (size_t i = 0; i < seg->text_count && len > 0; i++) {
        struct span s = part_of(&seg->text[i], &skip, len);
        bool taken_well = true;
        len -= (uint32_t)s.len;
        if (s.len == 0)
            continue;
        if (by_reference) {
            taken_well = refer(seg, env, s, &taken, &cost);
        } else {
            if (taken.head == NULL && first.len == 0 && list->tail != NULL) {
                first = span_take(s, list->tail->room);
                s = span_drop(s, first.len);
            }
            s = span_drop(s, pieces_fill_tail(&taken, s.bytes, (uint32_t)s.len));
            taken_well = pieces_copy(&taken, &env->pieces, env->bufs, s, &cost);
        }
        if (!taken_well) {
            pieces_clear(&taken, &env->pieces, env->bufs);
            return false;
        }
    }
    CHECK(len == 0);
    CHECK(pieces_fill_tail(list, first.bytes, (uint32_t)first.len) == first.len);
    pieces_join(list, &taken);
    *memory += cost;
    return true;
}

void tcp_seg_done(struct tcp_seg *seg, struct bufs *bufs)
{
    buf_unref(bufs, &seg->text_buf);
}
