/*
 * pkt.h - one IP packet of either version, parsed once
 *
 * For who receives packets (core/stack) and who prints them (format).
 */
#ifndef CORE_WIRE_PKT_H
#define CORE_WIRE_PKT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/addr.h>

#include "base/span.h"
#include "base/why.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/tcp.h"
#include "wire/udp.h"

struct pkt {
    union {
        /* What the two versions share, under its own names. */
        struct {
            struct weir_addr src;
            struct weir_addr dst;
            struct span transport; /* the transport header and what follows, as far as in head */
            size_t transport_len;  /* what of it there is in the whole packet */
            uint8_t tos;
            uint8_t ttl;
            uint8_t protocol; /* enum ip_protocol; says which member below is set */
        };
        struct ip4_header ip4;
        struct ip6_header ip6;
    };
    uint8_t version;  /* 4 or 6 */
    bool is_fragment; /* then nothing below is set */
    size_t ip_len;    /* headers of IP: where transport starts */
    union {
        struct tcp_header tcp;
        struct udp_header udp;
        struct icmp_message icmp;
    };
};

/*
 * Parses IP alone. head is the first slice of a packet of packet_len bytes. Returns
 * WHY_NONE or what ip4_parse and ip6_parse return; version and the header's members
 * are then as these leave them.
 */
enum why pkt_parse_ip(struct span head, size_t packet_len, struct pkt *out);

/*
 * Parses the transport header, after pkt_parse_ip or once transport and transport_len
 * describe a packet put together. Other protocols than TCP, UDP and the version's own
 * ICMP are left alone. Returns WHY_NONE or what tcp_parse and the like return.
 */
enum why pkt_parse_transport(struct pkt *p);

/* Both; of a fragment, IP alone. */
enum why pkt_parse(struct span head, size_t packet_len, struct pkt *out);

/*
 * The packet quoted in an ICMP error, both headers as far as they matter: of TCP ports and
 * seq, of UDP the header, of ICMP the first eight bytes. Returns WHY_NONE,
 * WHY_ICMP_MALFORMED, or WHY_ICMP_NOT_OURS for a fragment that is not the first: it
 * has no transport header that would say whose it was.
 */
enum why pkt_parse_quoted(struct span quoted, struct pkt *out);

/* ICMP in an IPv6 packet, or the other way round, is an unknown protocol. */
static inline bool pkt_is_icmp4(const struct pkt *p)
{
    return p->version == 4 && p->protocol == IP_PROTOCOL_ICMP4;
}

static inline bool pkt_is_icmp6(const struct pkt *p)
{
    return p->version == 6 && p->protocol == IP_PROTOCOL_ICMP6;
}

/* How many bytes the checksum covers beyond the end of transport: those after head. */
size_t pkt_tail_len(const struct pkt *p);

/*
 * Verifies the checksum of TCP [RFC9293 MUST-3], UDP or ICMP, after pkt_parse_transport.
 * tail_sum is the checksum_add of the pkt_tail_len bytes after head, 0 if there are none.
 * Returns WHY_NONE, WHY_TCP_CHECKSUM, WHY_UDP_CHECKSUM or WHY_ICMP_CHECKSUM.
 */
enum why pkt_check_checksum(const struct pkt *p, uint32_t tail_sum);

#endif
