/*
 * ip.h - what IPv4 and IPv6 headers have in common
 */
#ifndef CORE_WIRE_IP_H
#define CORE_WIRE_IP_H

#include <stdint.h>

/* Protocols and next headers, one number space. */
enum ip_protocol {
    IP_PROTOCOL_HOP_BY_HOP = 0,
    IP_PROTOCOL_ICMP4 = 1,
    IP_PROTOCOL_IGMP = 2,
    IP_PROTOCOL_TCP = 6,
    IP_PROTOCOL_UDP = 17,
    IP_PROTOCOL_ROUTING = 43,
    IP_PROTOCOL_FRAGMENT = 44,
    IP_PROTOCOL_ESP = 50,
    IP_PROTOCOL_AH = 51,
    IP_PROTOCOL_ICMP6 = 58,
    IP_PROTOCOL_NONE = 59,
    IP_PROTOCOL_DESTINATION = 60,
};

/* The two lowest bits of the type of service or traffic class [RFC3168 5]. */
enum ip_ecn {
    IP_ECN_NOT_ECT = 0,
    IP_ECN_ECT1 = 1,
    IP_ECN_ECT0 = 2,
    IP_ECN_CE = 3,
    IP_ECN_MASK = 3,
};

static inline enum ip_ecn ip_ecn_of(uint8_t tos)
{
    return (enum ip_ecn)(tos & IP_ECN_MASK);
}

static inline uint8_t ip_dscp_of(uint8_t tos)
{
    return (uint8_t)(tos >> 2);
}

#endif
