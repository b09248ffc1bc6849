/*
 * tcp_options.h - TCP options
 *
 * A member counts only if its bit is in present. What a value means is for others:
 * a window scale above 14 is given as it came and clamped by TCP [RFC7323 2.3];
 * options are read from any segment [RFC9293 MUST-5], and TCP says which count where.
 *
 * Of an option that stands there twice, the first counts. An option that is unknown is
 * skipped by its length and counted [RFC9293 MUST-6]; so is a known one whose length
 * is not that of its kind, and then malformed is set as well. A length below 2 or
 * beyond the end ends the parsing: what came before counts, and malformed is set
 * [RFC9293 MUST-7].
 */
#ifndef CORE_WIRE_TCP_OPTIONS_H
#define CORE_WIRE_TCP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/be.h"
#include "base/span.h"

enum tcp_option_kind {
    TCP_OPTION_END = 0,
    TCP_OPTION_NOP = 1,
    TCP_OPTION_MSS = 2,
    TCP_OPTION_WINDOW_SCALE = 3,
    TCP_OPTION_SACK_PERMITTED = 4,
    TCP_OPTION_SACK = 5,
    TCP_OPTION_TIMESTAMPS = 8,
    TCP_OPTION_MD5 = 19,
    TCP_OPTION_USER_TIMEOUT = 28,
    TCP_OPTION_AO = 29,
    TCP_OPTION_FASTOPEN = 34,
    TCP_OPTION_ACCECN0 = 172,
    TCP_OPTION_ACCECN1 = 174,
    TCP_OPTION_EXPERIMENT = 254,
};

/* Bits of present. */
enum tcp_option_bit {
    TCP_HAS_MSS = 1 << 0,
    TCP_HAS_WINDOW_SCALE = 1 << 1,
    TCP_HAS_SACK_PERMITTED = 1 << 2,
    TCP_HAS_SACK = 1 << 3,
    TCP_HAS_TIMESTAMPS = 1 << 4,
    TCP_HAS_MD5 = 1 << 5,
    TCP_HAS_AO = 1 << 6,
    TCP_HAS_FASTOPEN = 1 << 7,
    TCP_HAS_ACCECN = 1 << 8,
    TCP_HAS_USER_TIMEOUT = 1 << 9,
};

enum {
    TCP_SACK_MAX = 4,
    TCP_MD5_LEN = 16,
    TCP_FASTOPEN_MIN = 4, /* a cookie's length [RFC7413 4.1.1] */
    TCP_FASTOPEN_MAX = 16,
    TCP_TIMESTAMPS_LEN = 12,           /* with the two NOPs before it [RFC7323 A] */
    TCP_TIMESTAMPS_START = 0x0101080a, /* how nearly all segments' options begin then */
};

struct tcp_sack_block {
    uint32_t left;  /* the first sequence number of the block */
    uint32_t right; /* the one after its last */
};

struct tcp_options {
    uint16_t present;      /* enum tcp_option_bit */
    bool malformed;        /* there was a length that cannot be */
    uint8_t skipped_count; /* unknown, repeated or of the wrong length */
    uint8_t window_scale;  /* as received, 0 to 255 */
    uint8_t sack_count;    /* 1 to TCP_SACK_MAX if there is SACK */
    uint16_t mss;          /* as received, may be 0 */
    uint32_t ts_val;
    uint32_t ts_ecr;
    struct tcp_sack_block sack[TCP_SACK_MAX];
    uint16_t user_timeout;         /* the granularity bit and 15 bits [RFC5482 3] */
    uint8_t accecn_kind;           /* TCP_OPTION_ACCECN0 or 1: in which order the counters come */
    bool fastopen_is_experimental; /* kind 254 with the magic number [RFC7413 4.1.1] */
    struct span fastopen;          /* the cookie; empty: a request for one */
    struct span accecn;            /* 0 to 3 counters of 3 bytes [RFC9768 3.2.3] */
    struct span md5;               /* the digest [RFC2385] */
    struct span ao;                /* what follows the length: key IDs and MAC [RFC5925 2.2] */
};

/* Says our time, and the peer's that is answered. */
static inline void tcp_options_stamp(struct tcp_options *options, uint32_t val, uint32_t ecr)
{
    options->present |= TCP_HAS_TIMESTAMPS;
    options->ts_val = val;
    options->ts_ecr = ecr;
}

/* Reads a header's options. Always yields something; see above. Spans point into options. */
void tcp_options_parse(struct span options, struct tcp_options *out);

/* The same, faster where there are timestamps and nothing else, as in nearly all segments. */
static inline void tcp_options_parse_usual(struct span options, struct tcp_options *out)
{
    if (options.len != TCP_TIMESTAMPS_LEN || be32_at(options.bytes) != TCP_TIMESTAMPS_START) {
        tcp_options_parse(options, out);
        return;
    }
    out->present = TCP_HAS_TIMESTAMPS;
    out->malformed = false;
    out->skipped_count = 0;
    out->ts_val = be32_at(options.bytes + 4);
    out->ts_ecr = be32_at(options.bytes + 8);
}

/*
 * Writes what is present, padded with NOPs to whole words, in the order and with the
 * NOPs that Linux has: on a SYN "mss,sackOK,TS,nop,wscale", or without timestamps
 * "mss,nop,nop,sackOK,nop,wscale"; later "nop,nop,TS,nop,nop,sack". MD5 and AO come
 * first, AccECN after the timestamps, Fast Open and user timeout at the end.
 * Returns false, with nothing said about out, if that would be more than 40 bytes or
 * a span has a length that its option cannot have. out has TCP_OPTIONS_MAX bytes.
 */
bool tcp_options_emit(const struct tcp_options *options, uint8_t *out, size_t *len);

/* What emit would write, in bytes; may be more than 40. */
size_t tcp_options_len(const struct tcp_options *options);

/* How many SACK blocks have room beside what else is present, at most TCP_SACK_MAX. */
uint8_t tcp_options_sack_room(const struct tcp_options *options);

#endif
