/*
 * tcp.h - TCP headers [RFC9293 3.1]
 */
#ifndef CORE_WIRE_TCP_H
#define CORE_WIRE_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/be.h"
#include "base/checksum.h"
#include "base/hint.h"
#include "base/span.h"
#include "base/why.h"
#include "wire/tcp_options.h"

enum {
    TCP_HEADER_LEN = 20,
    TCP_HEADER_MAX = 60,
    TCP_OPTIONS_MAX = TCP_HEADER_MAX - TCP_HEADER_LEN,
    TCP_CHECKSUM_AT = 16, /* where the checksum stands, as offload wants to know */
};

enum tcp_flag {
    TCP_FIN = 0x001,
    TCP_SYN = 0x002,
    TCP_RST = 0x004,
    TCP_PSH = 0x008,
    TCP_ACK = 0x010,
    TCP_URG = 0x020,
    TCP_ECE = 0x040,
    TCP_CWR = 0x080,
    TCP_AE = 0x100, /* once NS [RFC9768] */
    TCP_FLAGS = 0x1ff,
};

struct tcp_header {
    uint16_t src_port;
    uint16_t dst_port;
    uint32_t seq;
    uint32_t ack;
    uint16_t flags;      /* enum tcp_flag */
    uint16_t window;     /* not scaled */
    uint16_t checksum;   /* as on the wire */
    uint16_t urgent;     /* counts only with TCP_URG */
    uint8_t reserved;    /* three bits, zero today, to be ignored */
    uint8_t header_len;  /* options included */
    struct span options; /* for tcp_options_parse */
    struct span payload; /* what of it lies in head */
    size_t payload_len;  /* what of it there is in the whole segment */
};

/* What the segment occupies in sequence space: its data, SYN and FIN [RFC9293 3.4]. */
static inline uint32_t tcp_seq_len(const struct tcp_header *h)
{
    return (uint32_t)h->payload_len + (h->flags & TCP_SYN ? 1 : 0) + (h->flags & TCP_FIN ? 1 : 0);
}

/*
 * head is the first slice of a segment of segment_len bytes and must hold the header
 * with its options. The checksum is for pkt_check_checksum. Returns WHY_NONE or
 * WHY_TCP_MALFORMED.
 */
enum why tcp_parse(struct span head, size_t segment_len, struct tcp_header *out);

/* The first eight bytes, as an ICMP error quotes them: ports and seq are set, the rest is zero. */
enum why tcp_parse_quoted(struct span bytes, struct tcp_header *out);

/* The usual header: no options, or timestamps alone; the urgent pointer is zero. */
struct tcp_plain {
    uint16_t src_port;
    uint16_t dst_port;
    uint32_t seq;
    uint32_t ack;
    uint16_t flags;
    uint16_t window;
    uint16_t checksum;
    bool has_timestamps;
    uint32_t ts_val;
    uint32_t ts_ecr;
};

static inline size_t tcp_plain_len(bool has_timestamps)
{
    return TCP_HEADER_LEN + (has_timestamps ? TCP_TIMESTAMPS_LEN : 0);
}

/* Writes two words in network order; returns their sum. Nothing is carried out of that of a header's. */
static inline uint64_t tcp_emit_words(uint32_t first, uint32_t second, uint8_t *out)
{
    be64_t wire = be64_of((uint64_t)first << 32 | second);

    memcpy(out, &wire, sizeof wire);
    return (uint64_t)first + second;
}

/* What stands before the checksum. */
static inline __attribute__((always_inline)) uint64_t tcp_emit_first(const struct tcp_plain *h,
                                                                     uint32_t len, uint8_t *out)
{
    uint32_t ports = (uint32_t)h->src_port << 16 | h->dst_port;

    return tcp_emit_words(ports, h->seq, out)
           + tcp_emit_words(h->ack, (len / 4 << 12 | h->flags) << 16 | h->window, out + 8);
}

/* The checksum, with what comes next, which is mostly the first word of options. */
static inline uint64_t tcp_emit_checksum(const struct tcp_plain *h, uint32_t next, uint8_t *out)
{
    return tcp_emit_words((uint32_t)h->checksum << 16, next, out + TCP_CHECKSUM_AT);
}

/*
 * Writes tcp_plain_len() bytes; returns what their words add up to, the checksum as it is, for
 * checksum_reduce().
 */
static inline __attribute__((always_inline)) uint64_t tcp_emit_plain(const struct tcp_plain *h,
                                                                     uint8_t *out)
{
    uint64_t sum = tcp_emit_first(h, (uint32_t)tcp_plain_len(h->has_timestamps), out);
    be32_t checksum;

    if (USUALLY(h->has_timestamps))
        return sum + tcp_emit_checksum(h, TCP_TIMESTAMPS_START, out)
               + tcp_emit_words(h->ts_val, h->ts_ecr, out + 24);
    checksum = be32_of((uint32_t)h->checksum << 16);
    memcpy(out + TCP_CHECKSUM_AT, &checksum, sizeof checksum);
    return sum + ((uint32_t)h->checksum << 16);
}

/* The options of a usual SYN, which has them all, as tcp_options_emit() writes them. */
enum {
    TCP_USUAL_SYN =
        TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED | TCP_HAS_TIMESTAMPS | TCP_HAS_WINDOW_SCALE,
    TCP_USUAL_SYN_LEN = TCP_HEADER_LEN + 20,
};

/* Writes the header of one, with the timestamps of h, in TCP_USUAL_SYN_LEN bytes; returns the same. */
static inline __attribute__((always_inline)) uint64_t tcp_emit_usual_syn(const struct tcp_plain *h,
                                                                         uint16_t mss,
                                                                         uint8_t window_scale,
                                                                         uint8_t *out)
{
    uint32_t segment_size = (uint32_t)TCP_OPTION_MSS << 24 | 4u << 16 | mss;
    uint32_t sack_and_timestamps =
        (uint32_t)TCP_OPTION_SACK_PERMITTED << 24 | 2u << 16 | TCP_OPTION_TIMESTAMPS << 8 | 10u;
    uint32_t scale =
        (uint32_t)TCP_OPTION_NOP << 24 | TCP_OPTION_WINDOW_SCALE << 16 | 3u << 8 | window_scale;

    return tcp_emit_first(h, TCP_USUAL_SYN_LEN, out) + tcp_emit_checksum(h, segment_size, out)
           + tcp_emit_words(sack_and_timestamps, h->ts_val, out + 24)
           + tcp_emit_words(h->ts_ecr, scale, out + 32);
}

/*
 * Writes the header with options, checksum and reserved bits as given; options that are
 * not whole words are padded with zeros [RFC9293 MUST-69]. They may already be in their
 * place in out. header_len and payload are not looked at. Returns the header's
 * length, or 0 if there is not that much room or options are longer than 40.
 */
size_t tcp_emit(const struct tcp_header *h, uint8_t *out, size_t room);

#endif
