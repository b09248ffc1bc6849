/*
 * icmp6.h - ICMP for IPv6 [RFC4443]
 *
 * Every message has a type, a code and a word whose meaning depends on them.
 * Neighbour discovery is a body of its own: ndp.h.
 */
#ifndef CORE_WIRE_ICMP6_H
#define CORE_WIRE_ICMP6_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/addr.h>

#include "base/span.h"
#include "base/why.h"

enum { ICMP6_HEADER_LEN = 8 };

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

struct icmp6_message {
    uint8_t type;
    uint8_t code;
    uint16_t checksum; /* as received; emit makes its own */
    uint32_t word;     /* the second: the MTU, the pointer, or see below */
    struct span body;  /* echo data or the packet an error speaks of: what lies in head */
    size_t body_len;   /* what of it there is in the whole message */
};

static inline uint32_t icmp6_word_of_echo(uint16_t id, uint16_t seq)
{
    return (uint32_t)id << 16 | seq;
}

static inline uint16_t icmp6_echo_id(const struct icmp6_message *m)
{
    return (uint16_t)(m->word >> 16);
}

static inline uint16_t icmp6_echo_seq(const struct icmp6_message *m)
{
    return (uint16_t)m->word;
}

/* Such messages quote a packet, and are never answered by an error [RFC4443 2.1]. */
static inline bool icmp6_is_error(uint8_t type)
{
    return type < 128;
}

static inline bool icmp6_is_ndp(uint8_t type)
{
    return type >= ICMP6_ROUTER_SOLICIT && type <= ICMP6_REDIRECT;
}

/*
 * The checksum is not looked at: pkt_check_checksum does that.
 * Returns WHY_NONE or WHY_ICMP_MALFORMED.
 */
enum why icmp6_parse(struct span head, size_t message_len, struct icmp6_message *out);

/*
 * Writes the message: the header with its checksum, which covers the addresses, and
 * body, which may already be in its place. Returns its length, or 0 if there is not
 * that much room.
 */
size_t icmp6_emit(const struct icmp6_message *m, const struct weir_addr *src,
                  const struct weir_addr *dst, uint8_t *out, size_t room);

#endif
