/*
 * seg.h - a segment that has arrived, in host order
 *
 * It may stand for several: neighbours of one flow are joined before TCP sees them
 * (segs counts them). The text is lent: it lies in the frame, of which a queue may
 * keep a reference through text_buf.
 */
#ifndef CORE_TCP_SEG_H
#define CORE_TCP_SEG_H

#include "base/buf.h"
#include "base/parts.h"
#include "base/seq.h"
#include "base/span.h"
#include "tcp/env.h"
#include "tcp/piece.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"
#include <stdbool.h>
#include <stdint.h>
#include <weir/weir.h>

struct tcp_seg {
    seq_t seq;
    seq_t ack;
    uint32_t len;   /* of the text; SEG.LEN of the RFC also counts SYN and FIN */
    uint16_t flags; /* TCP_FIN and so on, of wire/tcp.h */
    uint16_t wnd;   /* as it stands in the header: not scaled */
    uint16_t up;
    uint16_t segs;
    uint8_t tos; /* with the ECN field in the low two bits */
    struct tcp_options opt;

    struct span header; /* TCP's, as it came */

    /* The text starts text_skip bytes into the slices. */
    const struct weir_slice *text;
    size_t text_count;
    uint32_t text_skip;
    struct weir_frame *frame; /* where the text lies, for whoever wants to keep it; or NULL */
    struct buf *text_buf;     /* around the frame, once somebody has kept it */

    /* The last more_len bytes of it are those of neighbours, more_skip bytes into the pieces. */
    struct pieces more;
    uint32_t more_len;
    uint32_t more_skip;
    uint32_t more_bytes;  /* in the pieces */
    uint32_t more_memory; /* what these cost */
    bool more_is_placed;  /* there are no pieces: it lies in the posted buffer, where it belongs */

    bool had_syn;     /* and it was cut off */
    bool wants_reset; /* set by input: the answer is a reset made from this segment */
};

static inline void tcp_seg_begin_more(struct tcp_seg *seg)
{
    seg->more = (struct pieces){NULL, NULL};
    seg->more_len = 0;
    seg->more_skip = 0;
    seg->more_bytes = 0;
    seg->more_memory = 0;
    seg->more_is_placed = false;
}

/* Member by member: clearing the options would take longer than all the rest. */
static inline void tcp_seg_begin(struct tcp_seg *seg)
{
    seg->text_buf = NULL;
    seg->had_syn = false;
    seg->wants_reset = false;
    if (HAS_SUPER_SEGMENTS)
        tcp_seg_begin_more(seg);
}

/* SEG.LEN: SYN and FIN take a sequence number each [RFC9293 3.4]. */
static inline uint32_t tcp_seg_space(const struct tcp_seg *seg)
{
    return seg->len + ((seg->flags & TCP_SYN) != 0) + ((seg->flags & TCP_FIN) != 0);
}

/*
 * Takes the SYN away from the beginning. The window of a SYN is not scaled; that of what is left
 * is, by wscale [RFC7323 2.2].
 */
void tcp_seg_cut_syn(struct tcp_seg *seg, uint8_t wscale);

/* Takes len bytes, or as many as there are, away from the beginning of the text. */
void tcp_seg_cut_front(struct tcp_seg *seg, uint32_t len);

/* The same at the end. */
void tcp_seg_cut_back(struct tcp_seg *seg, uint32_t len);

/*
 * Puts len bytes of the text, from offset on, at the end of list: as references to the
 * frame where that is no waste, else as copies. What they cost is added to *memory. False, with
 * nothing changed: no memory.
 */
bool tcp_seg_take_text(struct tcp_seg *seg, struct tcp_env *env, uint32_t offset, uint32_t len,
                       struct pieces *list, uint32_t *memory);

/* Whether len bytes of text in a frame are kept by reference to it, and not copied. */
bool tcp_seg_is_worth_keeping(const struct weir_frame *frame, uint32_t len);

/* The text, if it lies in the first or second of its slices and is worth no reference to its frame; else none. */
struct span tcp_seg_run_to_copy(const struct tcp_seg *seg);

/*
 * Joins the text of a neighbour's frame, which begins skip bytes into it, to the end. The frame
 * is kept or the text copied, as in tcp_seg_take_text. False, with nothing changed: no memory.
 */
bool tcp_seg_join(struct tcp_seg *seg, struct tcp_env *env, struct weir_frame *frame,
                  uint32_t skip);

/*
 * Whether a neighbour's text of len bytes is copied where all of it is read in any case, to verify
 * its checksum. What is too long would not fill a buf.
 */
bool tcp_seg_is_copied(const struct tcp_env *env, uint32_t len);

/*
 * A piece with room for len bytes of a neighbour's text, of the rest bytes that are still to come:
 * the last one there is, or a new one. NULL: no memory.
 */
struct piece *tcp_seg_room(const struct tcp_seg *seg, struct tcp_env *env, uint32_t len,
                           uint32_t rest);

/* Joins the len bytes that are in that room now; 0: none. Takes *piece, leaves NULL. */
void tcp_seg_join_copied(struct tcp_seg *seg, struct tcp_env *env, struct piece **piece,
                         uint32_t len);

/* Joins len bytes of so many neighbours that were put where they belong in the posted buffer (recvq.h). */
void tcp_seg_join_placed(struct tcp_seg *seg, uint16_t count, uint32_t len);

/*
 * Copies the first len bytes of the text to where it belongs in the posted buffer; those that are
 * there already stay.
 */
void tcp_seg_copy_text(const struct tcp_seg *seg, uint8_t *to, uint32_t len);

/* The end of the segment's life: lets go of the frame, unless somebody kept it. */
void tcp_seg_let_go(struct tcp_seg *seg, struct tcp_env *env);

static inline void tcp_seg_done(struct tcp_seg *seg, struct tcp_env *env)
{
    if (seg->text_buf != NULL || (HAS_SUPER_SEGMENTS && seg->more.head != NULL))
        tcp_seg_let_go(seg, env);
}

#endif
