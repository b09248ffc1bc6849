/*
 * super.h - super-segments: the headers of segments that only count on
 *
 * Segments of one flow that follow one another have the same headers but for what counts on
 * (the sequence number), what says how much there is (lengths, checksums) and what belongs
 * to the first or the last one alone. Cutting makes such headers from those of a
 * super-segment; joining finds out whether a frame has the headers that would be next.
 *
 * Both know IPv4 without options and IPv6 without extension headers; a link header may
 * stand before.
 */
#ifndef CORE_WIRE_SUPER_H
#define CORE_WIRE_SUPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include <weir/weir.h>

/* ---- cutting ---- */

struct super {
    struct span headers; /* link, network, transport */
    size_t tcp_at;
    bool is_v4;
    uint32_t seq;
    uint32_t text_len;
    uint16_t offset_flags;
    uint16_t id;
    uint32_t tcp_sum; /* of the transport's header and pseudo-header, without what changes */
    uint32_t ip_sum;
};

/* A super-segment whose headers are in its first slice and whose checksum is the pseudo-header's sum. */
void super_init(struct super *u, const struct weir_frame *whole);

struct super_part {
    uint32_t index;    /* which segment */
    uint32_t offset;   /* bytes of text before it */
    uint32_t len;      /* of its text */
    uint32_t text_sum; /* checksum_add of its text */
    bool is_partial;   /* the checksum is left to the device: text_sum is not looked at */
};

/* Writes the headers of a part, as many bytes as those of the whole. */
void super_emit(const struct super *u, const struct super_part *part, uint8_t *out);

/* ---- joining ---- */

enum {
    SUPER_HEADERS_MAX = 18 + 40 + 60,
};

struct super_follow {
    const uint8_t *first; /* the headers of the first frame */
    size_t headers_len;
    size_t ip_at;
    size_t tcp_at;
    bool is_v4;
    uint8_t fixed[SUPER_HEADERS_MAX]; /* the bits that all headers have in common */
    uint32_t next_seq;
    uint32_t segment_len_max;
    uint32_t ip_sum;  /* of IPv4's header, without what changes */
    uint32_t tcp_sum; /* of the transport's and the pseudo-header, without what changes */
};

/*
 * Starts from the headers of a frame that has been parsed: link header up to ip_at, network
 * up to tcp_at, transport up to headers_len, then text_len bytes. False: nothing can follow it.
 */
bool super_follow_init(struct super_follow *f, const uint8_t *first, size_t ip_at, size_t tcp_at,
                       size_t headers_len, uint32_t text_len);

/*
 * Whether a frame of len bytes, whose first ones are head, has the headers that come next, with at
 * most as much text as the first had. The transport's checksum is not looked at.
 */
bool super_follows(const struct super_follow *f, struct span head, size_t len);

/* Of a frame that follows: whether it ends a burst (PSH, or less text). */
bool super_is_last(const struct super_follow *f, const uint8_t *head, size_t len);

/* Of a frame that follows: the sum of its transport's header and pseudo-header. */
uint32_t super_header_sum(const struct super_follow *f, const uint8_t *head, size_t len);

/* It has been joined. */
static inline void super_follow_advance(struct super_follow *f, uint32_t text_len)
{
    f->next_seq += text_len;
}

#endif
