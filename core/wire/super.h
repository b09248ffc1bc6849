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
#include <string.h>

#include "base/be.h"
#include "base/checksum.h"
#include "base/span.h"
#include <weir/weir.h>

/* ---- cutting ---- */

enum {
    SUPER_HEADERS_MAX = 18 + 40 + 60,
    SUPER_PART = 64, /* bytes of headers that are written at a time */
    SUPER_SPACE = (SUPER_HEADERS_MAX + SUPER_PART - 1) / SUPER_PART * SUPER_PART,
};

struct super {
    struct span headers; /* link, network, transport */
    size_t tcp_at;
    bool is_v4;
    bool is_partial; /* checksums are left to the device */
    uint32_t seq;
    uint32_t text_len;
    uint16_t offset_flags;
    uint16_t id;
    uint32_t tcp_sum; /* of the transport's header and pseudo-header, without what changes */
    uint32_t ip_sum;
    struct {
        uint8_t headers[SUPER_SPACE]; /* at the end of it */
        uint32_t tcp_sum, ip_sum;     /* without sequence number, text and identification */
    } middle;
};

/*
 * A super-segment whose headers are in its first slice and whose checksum is the pseudo-header's
 * sum. is_partial: the segments' checksums, too, are left to the device.
 */
void super_init(struct super *u, const struct weir_frame *whole, bool is_partial);

struct super_part {
    uint32_t index;    /* which segment */
    uint32_t offset;   /* bytes of text before it */
    uint32_t len;      /* of its text */
    uint32_t text_sum; /* checksum_add of its text; not looked at if the device makes checksums */
};

/* Writes the headers of a part, as many bytes as those of the whole. */
void super_emit(const struct super *u, const struct super_part *part, uint8_t *out);

/*
 * Of many segments most are alike: neither the first nor the last, and equally long. Once
 * super_init_middle has worked out their headers, super_emit_middle writes them quickly: before
 * end, where there is room for SUPER_SPACE bytes, some of which may be written before the headers.
 */
void super_init_middle(struct super *u, uint32_t len);
void super_emit_middle(const struct super *u, const struct super_part *part, uint8_t *end);

/* ---- joining ---- */

enum {
    SUPER_WIDE = 16, /* bytes that are compared at a time */
    SUPER_WIDES_MIN = 4,
    SUPER_WIDES_MAX = (SUPER_HEADERS_MAX + SUPER_WIDE - 1) / SUPER_WIDE,
};

typedef uint64_t super_wide __attribute__((vector_size(SUPER_WIDE)));

struct super_follow {
    const uint8_t *first; /* the headers of the first frame */
    size_t first_len;     /* of it with its text */
    size_t headers_len;
    size_t ip_at;
    size_t tcp_at;
    bool is_v4;
    struct {
        super_wide mask, bits; /* what all headers have in common, from the beginning on */
    } fixed[SUPER_WIDES_MAX];
    uint8_t fixed_at[SUPER_WIDES_MAX]; /* where that is: the last ones may overlap */
    size_t fixed_count;                /* at least SUPER_WIDES_MIN */
    uint32_t next_seq;
    /* Of IPv4's header, without identification and checksum. */
    uint32_t ip_sum;
    /* Of the transport's and the pseudo-header, without sequence number and checksum. */
    uint32_t tcp_sum;
};

enum super_next {
    SUPER_OTHER,  /* does not follow */
    SUPER_MIDDLE, /* follows, and another one may follow it */
    SUPER_LAST,   /* follows, and ends a burst: PSH, or less text */
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
enum super_next super_follows(const struct super_follow *f, struct span head, size_t len);

/* It has been joined. */
static inline void super_follow_advance(struct super_follow *f, uint32_t text_len)
{
    f->next_seq += text_len;
}

/*
 * What is asked of every frame is a part of whoever asks. Of a frame as long as the first one: whether
 * its headers are those of one in the middle that comes next, which super_follows says of any frame.
 */
static inline bool super_is_middle(const struct super_follow *f, const uint8_t *head);

/* Of a frame that follows: the sum of its transport's header and pseudo-header. */
static inline uint32_t super_header_sum(const struct super_follow *f, enum super_next next,
                                        const uint8_t *head, size_t len);

/* ---- how ---- */

enum { /* where things stand */
       SUPER_IP4_ID = 4,
       SUPER_IP4_CHECKSUM = 10,
       SUPER_TCP_SEQ = 4,
       SUPER_TCP_CHECKSUM = 16,
};

/*
 * Those of the i-th part's bits that all headers have in common. By a pointer, as what a function returns
 * such a vector in depends on the machine.
 */
static inline void super_fixed_bits(const struct super_follow *f, size_t i, const uint8_t *head,
                                    super_wide *bits)
{
    memcpy(bits, head + f->fixed_at[i], sizeof *bits);
    *bits &= f->fixed[i].mask;
}

/* Adds to differ what is not as it should be. */
static inline void super_compare(const struct super_follow *f, size_t i, const uint8_t *head,
                                 super_wide *differ)
{
    super_wide bits;

    super_fixed_bits(f, i, head, &bits);
    *differ |= bits ^ f->fixed[i].bits;
}

/* Most headers, with the usual options, are no longer than the parts that there are in any case. */
static inline bool super_has_fixed_bits(const struct super_follow *f, const uint8_t *head)
{
    super_wide differ = {0};

    super_compare(f, 0, head, &differ);
    super_compare(f, 1, head, &differ);
    super_compare(f, 2, head, &differ);
    super_compare(f, 3, head, &differ);
    for (size_t i = SUPER_WIDES_MIN; i < f->fixed_count; i++)
        super_compare(f, i, head, &differ);
    return (differ[0] | differ[1]) == 0;
}

/* Checksum and identification of IPv4 go together; more: what its sum has besides. */
static inline bool super_has_good_ip(const struct super_follow *f, const uint8_t *head,
                                     uint32_t more)
{
    const uint8_t *ip = head + f->ip_at;

    return !f->is_v4
           || checksum_reduce32(f->ip_sum + more + be16_at(ip + SUPER_IP4_ID)
                                + be16_at(ip + SUPER_IP4_CHECKSUM))
                  == 0xffff;
}

static inline bool super_is_middle(const struct super_follow *f, const uint8_t *head)
{
    return be32_at(head + f->tcp_at + SUPER_TCP_SEQ) == f->next_seq && super_has_fixed_bits(f, head)
           && super_has_good_ip(f, head, 0);
}

/* What the last one's sum has besides what those in the middle have. */
uint32_t super_last_sum(const struct super_follow *f, const uint8_t *head, size_t len);

static inline uint32_t super_header_sum(const struct super_follow *f, enum super_next next,
                                        const uint8_t *head, size_t len)
{
    const uint8_t *tcp = head + f->tcp_at;
    uint32_t seq = be32_at(tcp + SUPER_TCP_SEQ);
    uint32_t sum = f->tcp_sum + (seq >> 16) + (seq & 0xffff) + be16_at(tcp + SUPER_TCP_CHECKSUM);

    return next == SUPER_MIDDLE ? sum : sum + super_last_sum(f, head, len);
}

#endif
