/*
 * ip4.h - IPv4 headers and their options [RFC791] [RFC1122 3.2.1]
 */
#ifndef CORE_WIRE_IP4_H
#define CORE_WIRE_IP4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <weir/addr.h>

#include "base/be.h"
#include "base/checksum.h"
#include "base/parts.h"
#include "base/span.h"
#include "base/why.h"
#include "wire/ip.h"

enum {
    IP4_HEADER_LEN = 20,
    IP4_HEADER_MAX = 60,
    IP4_OPTIONS_MAX = IP4_HEADER_MAX - IP4_HEADER_LEN,
    IP4_LEN_AT = 2,             /* where the length stands, */
    IP4_ID_AT = 4,              /* the identification */
    IP4_SUM_AT = 10,            /* and the checksum */
    IP4_DONT_FRAGMENT = 0x4000, /* beside the fragment's offset */
};

enum ip4_option {
    IP4_OPTION_END = 0,
    IP4_OPTION_NOP = 1,
    IP4_OPTION_RECORD_ROUTE = 7,
    IP4_OPTION_TIMESTAMP = 68,
    IP4_OPTION_LOOSE_ROUTE = 131,
    IP4_OPTION_STRICT_ROUTE = 137,
    IP4_OPTION_ROUTER_ALERT = 148,
};

struct ip4_header {
    /* Members up to protocol are those of struct ip6_header, in order; pkt.h relies on it. */
    struct weir_addr src;
    struct weir_addr dst;
    struct span payload; /* what of it lies in head, link padding cut off */
    size_t payload_len;  /* what of it there is in the whole frame */
    uint8_t tos;         /* differentiated services and ECN */
    uint8_t ttl;
    uint8_t protocol;

    uint8_t header_len;
    uint16_t id;
    uint16_t fragment_offset; /* in bytes */
    bool dont_fragment;
    bool more_fragments;
    bool reserved_bit; /* must be zero and is ignored */
    uint16_t checksum; /* as received; emit makes its own */
    struct span options;
    uint8_t problem_at; /* after WHY_IP_OPTIONS: the offset of the culprit in the header */
};

/* Options in a form to act on. A span holds the whole option from its kind; empty if absent. */
struct ip4_options {
    struct span source_route;
    struct span record_route;
    struct span timestamp;
    bool source_route_is_strict;
    bool has_router_alert;
    uint8_t problem_at; /* after WHY_IP_OPTIONS, as above */
};

static inline bool ip4_is_fragment(const struct ip4_header *h)
{
    return h->more_fragments || h->fragment_offset != 0;
}

/*
 * head is the first slice of a packet of packet_len bytes (padding of the link
 * included) and must hold the header with its options. Lengths, checksum and
 * options are checked; a fragment that would end beyond 65,535 is refused.
 * Returns WHY_NONE or one of
 *   WHY_IP_SHORT, WHY_IP_VERSION, WHY_IP_HEADER, WHY_IP_CHECKSUM, WHY_FRAG_MALFORMED
 *   WHY_IP_OPTIONS: everything is set, problem_at is what to tell the sender
 */
enum why ip4_parse(struct span head, size_t packet_len, struct ip4_header *out);

/*
 * The header quoted in an ICMP error: the packet may be cut off after its options,
 * and routers may have changed what the checksum covers, so it is not checked.
 * payload_len is what the packet once had. Returns as above.
 */
enum why ip4_parse_quoted(struct span bytes, struct ip4_header *out);

/* Returns WHY_NONE or WHY_IP_OPTIONS. */
enum why ip4_options_parse(struct span options, struct ip4_options *out);

/*
 * Writes the header: everything but payload, header_len, checksum and problem_at is
 * taken from h, lengths are those of options and payload_len. Returns the header's
 * length, or 0 if there is no room, options are not whole words or too long, or the
 * packet would be longer than 65,535.
 */
size_t ip4_emit(const struct ip4_header *h, uint8_t *out, size_t room);

/* The header of a whole packet without options. */
struct ip4_plain {
    const struct weir_addr *src;
    const struct weir_addr *dst;
    uint16_t total_len; /* IP4_HEADER_LEN included */
    uint16_t id;
    uint8_t tos;
    uint8_t ttl;
    uint8_t protocol;
    bool dont_fragment;
};

/* Writes its IP4_HEADER_LEN bytes, as ip4_emit would. */
static inline __attribute__((always_inline)) void ip4_emit_plain(const struct ip4_plain *h,
                                                                 uint8_t *out)
{
    uint32_t version = 0x40 | IP4_HEADER_LEN / 4;
    be32_t first = be32_of(version << 24 | (uint32_t)h->tos << 16 | h->total_len);
    be32_t second = be32_of((uint32_t)h->id << 16 | (h->dont_fragment ? IP4_DONT_FRAGMENT : 0));
    be32_t third = be32_of((uint32_t)h->ttl << 24 | (uint32_t)h->protocol << 16);
    be16_t checksum;
    uint64_t sum; /* of few words of 32 bits: nothing is carried out of it */

    memcpy(out, &first, sizeof first);
    memcpy(out + 4, &second, sizeof second);
    memcpy(out + 8, &third, sizeof third);
    memcpy(out + 12, h->src->b + 12, 4);
    memcpy(out + 16, h->dst->b + 12, 4);
    if (!HAS_FAST_CHECKSUMS) {
        checksum = be16_of(checksum_fold(checksum_add(0, out, IP4_HEADER_LEN)));
        memcpy(out + IP4_SUM_AT, &checksum, sizeof checksum);
        return;
    }
    sum = checksum_raw(first.b, 4) + checksum_raw(second.b, 4) + checksum_raw(third.b, 4)
          + checksum_raw(h->src->b + 12, 4) + checksum_raw(h->dst->b + 12, 4);
    checksum = be16_of(checksum_fold_raw(sum));
    memcpy(out + IP4_SUM_AT, &checksum, sizeof checksum);
}

/* Puts both into a header that was written with zeros for them. */
static inline void ip4_set_len_and_id(uint8_t *header, uint16_t total_len, uint16_t id)
{
    be16_t wire_len = be16_of(total_len), wire_id = be16_of(id), checksum;
    uint32_t sum = (uint32_t)total_len + id;

    memcpy(&checksum, header + IP4_SUM_AT, sizeof checksum);
    sum += (uint16_t)~be16_get(checksum);
    checksum = be16_of((uint16_t)~checksum_reduce32(sum)); /* as checksum_update16() has it */
    memcpy(header + IP4_LEN_AT, &wire_len, sizeof wire_len);
    memcpy(header + IP4_ID_AT, &wire_id, sizeof wire_id);
    memcpy(header + IP4_SUM_AT, &checksum, sizeof checksum);
}

#endif
