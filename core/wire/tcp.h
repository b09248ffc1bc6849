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

/* Writes a word in network order; returns its raw sum (base/checksum.h). */
static inline uint64_t tcp_emit_word(uint32_t word, uint8_t *out)
{
    be32_t wire = be32_of(word);

    memcpy(out, &wire, sizeof wire);
    return checksum_raw_word(word);
}

/* What stands before the options. Its sum is of few words of 32 bits: nothing is carried out of it. */
static inline __attribute__((always_inline)) uint64_t tcp_emit_first(const struct tcp_plain *h,
                                                                     uint32_t len, uint8_t *out)
{
    uint64_t sum = tcp_emit_word((uint32_t)h->src_port << 16 | h->dst_port, out);

    sum += tcp_emit_word(h->seq, out + 4);
    sum += tcp_emit_word(h->ack, out + 8);
    sum += tcp_emit_word((len / 4 << 12 | h->flags) << 16 | h->window, out + 12);
    return sum + tcp_emit_word((uint32_t)h->checksum << 16, out + 16);
}

/* Writes tcp_plain_len() bytes; returns their raw sum, in which the checksum counts as it is. */
static inline __attribute__((always_inline)) uint64_t tcp_emit_plain(const struct tcp_plain *h,
                                                                     uint8_t *out)
{
    uint64_t sum = tcp_emit_first(h, (uint32_t)tcp_plain_len(h->has_timestamps), out);

    if (!h->has_timestamps)
        return sum;
    sum += tcp_emit_word(TCP_TIMESTAMPS_START, out + 20);
    sum += tcp_emit_word(h->ts_val, out + 24);
    return sum + tcp_emit_word(h->ts_ecr, out + 28);
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
    uint64_t sum = tcp_emit_first(h, TCP_USUAL_SYN_LEN, out);

    sum += tcp_emit_word((uint32_t)TCP_OPTION_MSS << 24 | 4u << 16 | mss, out + 20);
    sum += tcp_emit_word((uint32_t)TCP_OPTION_SACK_PERMITTED << 24 | 2u << 16
                             | TCP_OPTION_TIMESTAMPS << 8 | 10u,
                         out + 24);
    sum += tcp_emit_word(h->ts_val, out + 28);
    sum += tcp_emit_word(h->ts_ecr, out + 32);
    return sum
           + tcp_emit_word((uint32_t)TCP_OPTION_NOP << 24 | TCP_OPTION_WINDOW_SCALE << 16 | 3u << 8
                               | window_scale,
                           out + 36);
}

/*
 * Writes the header with options, checksum and reserved bits as given; options that are
 * not whole words are padded with zeros [RFC9293 MUST-69]. They may already be in their
 * place in out. header_len and payload are not looked at. Returns the header's
 * length, or 0 if there is not that much room or options are longer than 40.
 */
size_t tcp_emit(const struct tcp_header *h, uint8_t *out, size_t room);

#endif
