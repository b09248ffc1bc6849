/*
 * udp.h - UDP headers [RFC768]
 */
#ifndef CORE_WIRE_UDP_H
#define CORE_WIRE_UDP_H

#include <stddef.h>
#include <stdint.h>

#include "base/checksum.h"
#include "base/span.h"
#include "base/why.h"

enum { UDP_HEADER_LEN = 8 };

struct udp_header {
    uint16_t src_port;
    uint16_t dst_port;
    uint16_t checksum;   /* as on the wire: 0 is "none", which IPv6 forbids [RFC8200 8.1] */
    struct span payload; /* what of it lies in head, what the length leaves over cut off */
    size_t payload_len;  /* what of it there is in the whole datagram */
};

/* What the checksum field holds for a sum in which it counted as zero: never zero. */
static inline uint16_t udp_checksum_fold(uint32_t sum)
{
    uint16_t checksum = checksum_fold(sum);

    return checksum != 0 ? checksum : 0xffff;
}

/* Returns WHY_NONE or WHY_UDP_MALFORMED. The checksum is for pkt_check_checksum. */
enum why udp_parse(struct span head, size_t datagram_len, struct udp_header *out);

/* The first eight bytes, as an ICMP error quotes them; payload_len is what it once was. */
enum why udp_parse_quoted(struct span bytes, struct udp_header *out);

/*
 * Writes the header with the checksum given. Returns its length, or 0 if there is not
 * that much room or the datagram would be longer than 65,535.
 */
size_t udp_emit(const struct udp_header *h, uint8_t *out, size_t room);

#endif
