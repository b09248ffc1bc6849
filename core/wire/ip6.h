/*
 * ip6.h - IPv6 headers and the chain of extension headers [RFC8200]
 *
 * A chain has at most IP6_EXTENSIONS_MAX headers. Parsing stops at a fragment header,
 * unless the "fragment" is a whole packet [RFC6946]: what follows is to be parsed once
 * the packet is put together.
 */
#ifndef CORE_WIRE_IP6_H
#define CORE_WIRE_IP6_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/addr.h>

#include "base/span.h"
#include "base/why.h"
#include "wire/ip.h"

enum {
    IP6_HEADER_LEN = 40,
    IP6_FRAGMENT_LEN = 8,
    IP6_EXTENSIONS_MAX = 8,
};

/* Codes of an ICMPv6 parameter problem [RFC4443 3.4] [RFC7112 5]. */
enum ip6_problem {
    IP6_PROBLEM_HEADER = 0,
    IP6_PROBLEM_NEXT_HEADER = 1,
    IP6_PROBLEM_OPTION = 2,
    IP6_PROBLEM_CHAIN = 3,
};

struct ip6_header {
    /* Members up to protocol are those of struct ip4_header, in order; pkt.h relies on it. */
    struct weir_addr src;
    struct weir_addr dst;
    struct span payload; /* after the extension headers: what of it lies in head */
    size_t payload_len;  /* what of it there is in the whole frame */
    uint8_t tos;         /* the traffic class */
    uint8_t ttl;         /* the hop limit */
    uint8_t protocol;    /* of the payload: the last next header of the chain */

    uint8_t next_header; /* of the IPv6 header itself */
    uint32_t flow_label;
    struct span extensions; /* all extension headers, as they stand */
    uint32_t protocol_at;   /* the offset in the packet of the byte that says protocol */
    bool has_router_alert;

    bool has_fragment;        /* there is a fragment header */
    bool more_fragments;      /* these are set if there is one */
    uint32_t fragment_offset; /* in bytes */
    uint32_t fragment_id;
    uint32_t fragment_header_at;  /* the offset in the packet of the fragment header, and */
    uint32_t fragment_pointer_at; /* of the next header byte that leads to it */

    /* After another result than WHY_NONE: what ICMPv6 says to the sender, if anything. */
    bool has_problem;
    bool problem_to_groups; /* also if the packet was sent to a multicast address */
    uint8_t problem_code;   /* enum ip6_problem */
    uint32_t problem_at;
};

/* Does the packet need putting together? Not if it is a fragment only in name [RFC6946 4]. */
static inline bool ip6_is_fragment(const struct ip6_header *h)
{
    return h->has_fragment && (h->more_fragments || h->fragment_offset != 0);
}

/*
 * head is the first slice of a packet of packet_len bytes (padding of the link
 * included) and must hold all extension headers. Returns WHY_NONE or one of
 *   WHY_IP_SHORT, WHY_IP_VERSION
 *   WHY_IP_SOURCE          from an IPv4-mapped address, which would pass for IPv4
 *   WHY_IP_NOT_OURS        to such an address
 *   WHY_IP_OPTIONS         a malformed extension header, or a chain too long
 *   WHY_IP_PROTOCOL        a hop-by-hop header that is not the first
 *   WHY_IP_UNKNOWN_OPTION  whose type says not to ignore it
 *   WHY_IP_SOURCE_ROUTE    a routing header with segments left
 *   WHY_FRAG_MALFORMED
 */
enum why ip6_parse(struct span head, size_t packet_len, struct ip6_header *out);

/*
 * The headers quoted in an ICMP error: the packet may be cut off after them.
 * payload_len is what the packet once had. Returns as above.
 */
enum why ip6_parse_quoted(struct span bytes, struct ip6_header *out);

/*
 * Writes the header with next_header, and the extensions as they stand. Returns
 * their length, or 0 if there is no room or the payload length would not fit 16 bits.
 */
size_t ip6_emit(const struct ip6_header *h, uint8_t *out, size_t room);

/*
 * Writes a fragment header from protocol, fragment_offset, more_fragments and
 * fragment_id. Returns IP6_FRAGMENT_LEN, or 0 if there is not that much room or the
 * offset does not fit.
 */
size_t ip6_emit_fragment(const struct ip6_header *h, uint8_t *out, size_t room);

#endif
