/*
 * icmp6.h - ICMP for IPv6 [RFC4443]
 *
 * Neighbour discovery is a body of its own: ndp.h.
 */
#ifndef CORE_WIRE_ICMP6_H
#define CORE_WIRE_ICMP6_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/addr.h>

#include "base/checksum.h"
#include "wire/icmp.h"
#include "wire/ip.h"

enum icmp6_type {
    ICMP6_UNREACHABLE = 1,
    ICMP6_PACKET_TOO_BIG = 2,
    ICMP6_TIME_EXCEEDED = 3,
    ICMP6_PARAMETER_PROBLEM = 4,
    ICMP6_ECHO_REQUEST = 128,
    ICMP6_ECHO_REPLY = 129,
    ICMP6_ROUTER_SOLICIT = 133,
    ICMP6_ROUTER_ADVERT = 134,
    ICMP6_NEIGHBOUR_SOLICIT = 135,
    ICMP6_NEIGHBOUR_ADVERT = 136,
    ICMP6_REDIRECT = 137,
};

enum icmp6_code {
    ICMP6_NO_ROUTE = 0,
    ICMP6_PROHIBITED = 1,
    ICMP6_BEYOND_SCOPE = 2,
    ICMP6_ADDRESS_UNREACHABLE = 3,
    ICMP6_PORT_UNREACHABLE = 4,
    ICMP6_SOURCE_POLICY = 5,
    ICMP6_REJECT_ROUTE = 6,
    ICMP6_HOP_LIMIT_EXCEEDED = 0, /* of time exceeded */
    ICMP6_REASSEMBLY_EXCEEDED = 1,
    /* Of parameter problem: enum ip6_problem. */
};

/* Such messages quote a packet, and are never answered by an error [RFC4443 2.1]. */
static inline bool icmp6_is_error(uint8_t type)
{
    return type < 128;
}

static inline bool icmp6_is_ndp(uint8_t type)
{
    return type >= ICMP6_ROUTER_SOLICIT && type <= ICMP6_REDIRECT;
}

/* As icmp_emit; the checksum covers the addresses. */
static inline size_t icmp6_emit(const struct icmp_message *m, const struct weir_addr *src,
                                const struct weir_addr *dst, uint8_t *out, size_t room)
{
    size_t len = ICMP_HEADER_LEN + m->body.len;

    return icmp_emit(m, checksum_pseudo(src, dst, IP_PROTOCOL_ICMP6, len), out, room);
}

#endif
