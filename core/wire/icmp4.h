/*
 * icmp4.h - ICMP for IPv4 [RFC792] [RFC1122 3.2.2] [RFC1191]
 */
#ifndef CORE_WIRE_ICMP4_H
#define CORE_WIRE_ICMP4_H

#include <stdbool.h>
#include <stdint.h>
#include <weir/addr.h>

#include "wire/icmp.h"

enum icmp4_type {
    ICMP4_ECHO_REPLY = 0,
    ICMP4_UNREACHABLE = 3,
    ICMP4_SOURCE_QUENCH = 4,
    ICMP4_REDIRECT = 5,
    ICMP4_ECHO_REQUEST = 8,
    ICMP4_TIME_EXCEEDED = 11,
    ICMP4_PARAMETER_PROBLEM = 12,
};

enum icmp4_code {
    ICMP4_NET_UNREACHABLE = 0,
    ICMP4_HOST_UNREACHABLE = 1,
    ICMP4_PROTOCOL_UNREACHABLE = 2,
    ICMP4_PORT_UNREACHABLE = 3,
    ICMP4_FRAGMENTATION_NEEDED = 4,
    ICMP4_SOURCE_ROUTE_FAILED = 5,
    ICMP4_NET_UNKNOWN = 6,
    ICMP4_HOST_UNKNOWN = 7,
    ICMP4_HOST_ISOLATED = 8,
    ICMP4_NET_PROHIBITED = 9,
    ICMP4_HOST_PROHIBITED = 10,
    ICMP4_NET_UNREACHABLE_FOR_TOS = 11,
    ICMP4_HOST_UNREACHABLE_FOR_TOS = 12,
    ICMP4_PROHIBITED = 13,
    ICMP4_PRECEDENCE_VIOLATION = 14,
    ICMP4_PRECEDENCE_CUTOFF = 15,
    ICMP4_TTL_EXCEEDED = 0, /* of time exceeded */
    ICMP4_REASSEMBLY_EXCEEDED = 1,
    ICMP4_POINTER = 0, /* of parameter problem */
    ICMP4_OPTION_MISSING = 1,
};

/* Of fragmentation needed; 0 from routers older than RFC 1191. */
static inline uint16_t icmp4_next_hop_mtu(const struct icmp_message *m)
{
    return (uint16_t)m->word;
}

/* Of a parameter problem: an offset in the packet quoted. */
static inline uint8_t icmp4_pointer(const struct icmp_message *m)
{
    return (uint8_t)(m->word >> 24);
}

static inline uint32_t icmp4_word_of_pointer(uint8_t pointer)
{
    return (uint32_t)pointer << 24;
}

/* Of a redirect. */
static inline struct weir_addr icmp4_gateway(const struct icmp_message *m)
{
    return weir_addr_v4((uint8_t)(m->word >> 24), (uint8_t)(m->word >> 16), (uint8_t)(m->word >> 8),
                        (uint8_t)m->word);
}

/* Such messages quote a packet, and are never answered by an error [RFC1122 3.2.2]. */
static inline bool icmp4_is_error(uint8_t type)
{
    return type == ICMP4_UNREACHABLE || type == ICMP4_SOURCE_QUENCH || type == ICMP4_REDIRECT
           || type == ICMP4_TIME_EXCEEDED || type == ICMP4_PARAMETER_PROBLEM;
}

#endif
