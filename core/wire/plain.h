/*
 * plain.h - a TCP segment in an IPv4 packet without anything unusual, read in one go
 *
 * Beside wire/ip4.h and wire/tcp.h, which know everything else: what is not plain is read by them.
 */
#ifndef CORE_WIRE_PLAIN_H
#define CORE_WIRE_PLAIN_H

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
};

struct plain {
    uint32_t seq;
    uint32_t ack;
    uint16_t flags;
    uint16_t window;
    uint16_t urgent;
    uint8_t tos;
    uint8_t ttl;
    uint8_t text_at; /* from the beginning of the packet */
    uint16_t len;    /* of the packet */
    struct span options;
};

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
