/*
 * ndp.h - neighbour discovery for IPv6 [RFC4861], DNS servers in it [RFC8106]
 *
 * The checks of RFC 4861 6.1 and 7.1 that need no more than the message are made here
 * (code, lengths, options, a target that is no group); the hop limit of 255 and what
 * depends on the packet's addresses are the receiver's.
 */
#ifndef CORE_WIRE_NDP_H
#define CORE_WIRE_NDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/addr.h>

#include "base/span.h"
#include "base/why.h"
#include "wire/eth.h"
#include "wire/icmp6.h"

enum {
    NDP_PREFIX_MAX = 8, /* more are counted and skipped */
    NDP_DNS_MAX = 4,
    NDP_HOP_LIMIT = 255,
};

#define NDP_FOREVER UINT32_MAX /* a lifetime that does not end */

struct ndp_prefix {
    struct weir_prefix prefix;
    bool on_link;
    bool autonomous; /* addresses may be formed from it */
    uint32_t valid_s;
    uint32_t preferred_s;
};

struct ndp_message {
    uint8_t type; /* ICMP6_ROUTER_SOLICIT to ICMP6_REDIRECT; says which members are set */

    /* Router advertisement. Zero times and hop limit: unspecified. */
    uint8_t hop_limit;
    bool managed; /* addresses by DHCPv6 */
    bool other;   /* other configuration by DHCPv6 */
    uint16_t router_lifetime_s;
    uint32_t reachable_ms;
    uint32_t retransmit_ms;

    /* Neighbour advertisement. */
    bool from_router;
    bool solicited;
    bool override;

    struct weir_addr target;      /* neighbour solicitation, advertisement, redirect */
    struct weir_addr destination; /* redirect */

    /* Options; of those that may stand once, the first counts. */
    bool has_source_mac;
    bool has_target_mac;
    struct eth_addr source_mac;
    struct eth_addr target_mac;
    uint32_t mtu; /* 0: none */
    struct ndp_prefix prefixes[NDP_PREFIX_MAX];
    uint8_t prefix_count;
    struct weir_addr dns_servers[NDP_DNS_MAX];
    uint8_t dns_count;
    uint32_t dns_lifetime_s; /* of the first such option; later ones are skipped */
    struct span nonce;       /* [RFC3971 5.3.2], empty if absent */
    struct span redirected;  /* the packet a redirect speaks of, empty if absent */
    uint8_t skipped_count;   /* options unknown, repeated, or more than there is place for */
};

/*
 * The message of an ICMPv6 message already parsed, all of which must lie in head.
 * Returns WHY_NONE or WHY_NDP_MALFORMED.
 */
enum why ndp_parse(const struct icmp_message *icmp, struct ndp_message *out);

/*
 * Writes the ICMPv6 message with its options and its checksum. Returns its length, or 0
 * if there is not that much room or a nonce does not fill whole units of eight bytes.
 */
size_t ndp_emit(const struct ndp_message *m, const struct weir_addr *src,
                const struct weir_addr *dst, uint8_t *out, size_t room);

#endif
