/*
 * frame.h - a frame on its way out
 *
 * Headers are built downward from the end of the headroom: the payload's owner adds
 * slices, TCP pushes its header, IP pushes its own, the link's comes last. The payload
 * stays where it is; a frame holds a reference to each buffer it points into until the
 * driver gives it back.
 *
 * The first slice is always the headers, and wire.header_len is their length. Offsets are
 * measured from the start of the frame, so pushing moves them: the transport says
 * frame_need_checksum right after it pushed its header, and whatever is pushed later
 * keeps wire.csum_start right.
 */
#ifndef CORE_BASE_FRAME_H
#define CORE_BASE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <weir/weir.h>

#include "base/be.h"
#include "base/check.h"
#include "base/checksum.h"

struct buf;
struct bufs;
struct pool;

enum {
    /* Ethernet with two tags 22, IPv6 with a fragment header 48, TCP 60; rounded up. */
    FRAME_HEADROOM = 160,
};

struct frame {
    struct weir_frame wire;              /* what the driver sees; must be the first member */
    struct frame *next;                  /* in the queue that has the frame */
    struct buf *held[WEIR_FRAME_SLICES]; /* held[i] is referred to by slice i, or NULL */
    uint32_t payload_sum;                /* checksum_add of all slices but the first, if known */
    bool payload_sum_known;
    uint32_t cut_bytes; /* gso: so much of the payload has been sent in segments */
    uint8_t ecn;        /* the mark that IP is to send it with (wire/ip.h) */
    uint8_t headroom[FRAME_HEADROOM];
};

/* A first-in first-out queue of frames. */
struct frames {
    struct frame *head;
    struct frame *tail;
    uint32_t count;
};

/* Takes a frame without headers or payload from the pool; NULL when there is no memory. */
struct frame *frame_get(struct pool *pool);

/* The same with headers_len bytes of header, which are still to be written. */
struct frame *frame_get_headed(struct pool *pool, size_t headers_len);

/* What frames have in common that go straight to the driver, one behind the other. */
struct frame_row {
    size_t headers_len;        /* which are still to be written */
    struct weir_slice payload; /* of the first; that of each other one follows it, equally long */
    struct buf *buf;           /* that all of it lies in, or NULL */
    uint8_t flags;             /* with what the driver has to know of the checksum */
    uint16_t csum_start, csum_offset;
};

/*
 * Takes up to count of them; returns how many there is memory for. References to buf are the caller's to
 * count. A frame's members that the driver does not see are not set.
 */
size_t frame_get_row(struct pool *pool, const struct frame_row *row, struct weir_frame **frames,
                     size_t count);

/* Gives the frame back and lets go of its buffers. Takes *frame, leaves NULL. */
void frame_put(struct pool *pool, struct bufs *bufs, struct frame **frame);

/* Gives back count frames that a driver had, and leaves NULLs. */
void frame_put_many(struct pool *pool, struct bufs *bufs, struct weir_frame **frames, size_t count);

/*
 * Makes room for len bytes of header before what is there; returns them. The headroom is
 * large enough for whatever Weir sends: running out of it is our mistake.
 */
inline uint8_t *frame_push(struct frame *frame, size_t len)
{
    struct weir_slice *headers = &frame->wire.slices[0];

    CHECK((size_t)(headers->bytes - frame->headroom) >= len);
    headers->bytes -= len;
    headers->len += len;
    frame->wire.len += len;
    /* The headroom is shorter than 64 KiB, so both fit. */
    frame->wire.header_len = (uint16_t)headers->len;
    if (frame->wire.flags & WEIR_FRAME_CSUM_PARTIAL)
        frame->wire.csum_start = (uint16_t)(frame->wire.csum_start + len);
    return headers->bytes;
}

/* Takes the first len bytes of header away again. */
void frame_pull(struct frame *frame, size_t len);

/* Adds payload: the caller's reference to buf goes to the frame. False: no slice is left. */
bool frame_add(struct frame *frame, uint8_t *bytes, size_t len, struct buf **buf);

/*
 * The checksum offset bytes into the headers is still to be made, over all that follows
 * the start of the headers as they are now; it holds the pseudo-header's sum.
 */
void frame_need_checksum(struct frame *frame, uint16_t offset);

/*
 * Fills in the transport checksum that CSUM_PARTIAL left to be made, over all slices. Does
 * nothing if there is none to be made. Not for super-segments, which are cut first.
 */
void frame_finish_checksum(struct frame *frame);

/* The same, in the given way. */
struct checksum_ops;
void frame_finish_checksum_by(struct frame *frame, const struct checksum_ops *ops);

/* Zero says "none" in UDP; elsewhere both zeros mean the same [RFC768]. */
static inline void frame_put_checksum(uint8_t *at, uint16_t checksum)
{
    be16_t wire = be16_of(checksum != 0 ? checksum : 0xffff);

    memcpy(at, &wire, sizeof wire);
}

/*
 * As frame_need_checksum and frame_finish_checksum_by at once, for who knows what the words of the headers,
 * with an even length, and of the pseudo-header add up to; behind them there is one slice at most.
 */
void frame_set_checksum(struct frame *frame, uint16_t offset, uint64_t sum,
                        const struct checksum_ops *ops);

/* The same of a frame that is nothing but headers. */
static inline void frame_set_header_checksum(struct frame *frame, uint16_t offset, uint64_t sum)
{
    frame_put_checksum(frame->wire.slices[0].bytes + offset, (uint16_t)~checksum_reduce(sum));
}

void frames_add(struct frames *queue, struct frame **frame);
struct frame *frames_take(struct frames *queue); /* NULL: empty */

#endif
