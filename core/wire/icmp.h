/*
 * icmp.h - a message of ICMP, which has the same shape for IPv4 [RFC792] and IPv6 [RFC4443]
 *
 * Every message has a type, a code and a word whose meaning depends on them: icmp4.h, icmp6.h.
 */
#ifndef CORE_WIRE_ICMP_H
#define CORE_WIRE_ICMP_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "base/why.h"

enum { ICMP_HEADER_LEN = 8 };

struct icmp_message {
    uint8_t type;
    uint8_t code;
    uint16_t checksum; /* as received; emit makes its own */
    uint32_t word;     /* the second, read and made by the functions below and in icmp4.h */
    struct span body;  /* echo data or the packet an error speaks of: what lies in head */
    size_t body_len;   /* what of it there is in the whole message */
};

static inline uint32_t icmp_word_of_echo(uint16_t id, uint16_t seq)
{
    return (uint32_t)id << 16 | seq;
}

static inline uint16_t icmp_echo_id(const struct icmp_message *m)
{
    return (uint16_t)(m->word >> 16);
}

static inline uint16_t icmp_echo_seq(const struct icmp_message *m)
{
    return (uint16_t)m->word;
}

/*
 * The checksum is not looked at: pkt_check_checksum does that.
 * Returns WHY_NONE or WHY_ICMP_MALFORMED.
 */
enum why icmp_parse(struct span head, size_t message_len, struct icmp_message *out);

/*
 * Writes the message: the header with its checksum, and body, which may already be in its place.
 * pseudo: what the checksum covers besides: 0 for IPv4, checksum_pseudo() for IPv6. Returns its
 * length, or 0 if there is not that much room.
 */
size_t icmp_emit(const struct icmp_message *m, uint32_t pseudo, uint8_t *out, size_t room);

#endif
