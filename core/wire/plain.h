/*
 * plain.h - a TCP segment in an IPv4 packet without anything unusual, read in one go
 *
 * Beside wire/ip4.h and wire/tcp.h, which know everything else: what is not plain is read by them.
 */
#ifndef CORE_WIRE_PLAIN_H
#define CORE_WIRE_PLAIN_H

#include "base/be.h"
#include "base/span.h"
#include "wire/ip4.h"
#include "wire/tcp.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/addr.h>

enum {
    PLAIN_ENDS_AT = 12, /* source, destination and ports stand one behind the other */
    PLAIN_ENDS_LEN = 12,
    PLAIN_ADDRS_LEN = 8,
    PLAIN_SRC_AT = PLAIN_ENDS_AT,
    PLAIN_DST_AT = PLAIN_ENDS_AT + PLAIN_ADDRS_LEN / 2,
    PLAIN_PORTS_AT = PLAIN_ENDS_AT + PLAIN_ADDRS_LEN,
    PLAIN_TCP_AT = IP4_HEADER_LEN,
    PLAIN_TOS_AT = 1,
    PLAIN_TTL_AT = 8,
    PLAIN_SEQ_AT = PLAIN_TCP_AT + 4,
    PLAIN_ACK_AT = PLAIN_TCP_AT + 8,
    PLAIN_FLAGS_AT = PLAIN_TCP_AT + 12,
    PLAIN_WINDOW_AT = PLAIN_TCP_AT + 14,
    PLAIN_URGENT_AT = PLAIN_TCP_AT + 18,
    PLAIN_OPTIONS_AT = PLAIN_TCP_AT + TCP_HEADER_LEN,
};

/* Where it is; what it says is read from there. */
struct plain {
    const uint8_t *ip;
    uint16_t len;    /* of the packet */
    uint8_t text_at; /* from the beginning of the packet */
};

static inline uint8_t plain_tos(const struct plain *p)
{
    return p->ip[PLAIN_TOS_AT];
}

static inline uint8_t plain_ttl(const struct plain *p)
{
    return p->ip[PLAIN_TTL_AT];
}

static inline uint32_t plain_seq(const struct plain *p)
{
    return be32_at(p->ip + PLAIN_SEQ_AT);
}

static inline uint32_t plain_ack(const struct plain *p)
{
    return be32_at(p->ip + PLAIN_ACK_AT);
}

static inline uint16_t plain_flags(const struct plain *p)
{
    return be16_at(p->ip + PLAIN_FLAGS_AT) & TCP_FLAGS;
}

static inline uint16_t plain_window(const struct plain *p)
{
    return be16_at(p->ip + PLAIN_WINDOW_AT);
}

static inline uint16_t plain_urgent(const struct plain *p)
{
    return be16_at(p->ip + PLAIN_URGENT_AT);
}

static inline struct span plain_options(const struct plain *p)
{
    return span_of(p->ip + PLAIN_OPTIONS_AT, p->text_at - (size_t)PLAIN_OPTIONS_AT);
}

/*
 * head is the first slice of a packet of len bytes, padding of the link included. True: version, lengths and the header's
 * checksum are right, there are no IP options, it is no fragment, and all of TCP's header is there.
 * TCP's checksum is not looked at.
 */
bool plain_parse(struct span head, size_t len, struct plain *out);

/* What a packet says of its ends if it is one of TCP, over IPv4 or IPv6, right behind IP's header. */
struct plain_ends {
    struct weir_addr src, dst;
    uint16_t src_port, dst_port;
};

/* Nothing is verified: for guesses about what is going to be needed. False: it is none, or a SYN. */
bool plain_guess_ends(struct span head, struct plain_ends *out);

#endif
