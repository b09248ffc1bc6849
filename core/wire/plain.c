/*
 * plain.c - a TCP segment in an IPv4 packet without anything unusual, read in one go
 */
#include "wire/plain.h"
#include "base/addr.h"
#include "base/be.h"
#include "base/checksum.h"
#include "base/num.h"
#include "wire/ip.h"
#include "wire/ip6.h"
#include <string.h>

enum {
    VERSION_LEN = 0x45, /* version 4, five words [RFC791 3.1] */
    TOTAL_LEN_AT = 2,
    FRAGMENT_AT = 6,
    FRAGMENT_PART = 0x3fff, /* more fragments, or an offset */
    PROTOCOL_AT = 9,
    FLAGS_AT = 12,
    DST_PORT_AT = 2,
    VERSION_6 = 6,
    NEXT_HEADER_AT = 6, /* and so on: IPv6's [RFC8200 3] */
    SRC6_AT = 8,
    DST6_AT = 24,
};

static bool is_plain_ip(const uint8_t *ip, size_t len)
{
    return ip[0] == VERSION_LEN && ip[PROTOCOL_AT] == IP_PROTOCOL_TCP
           && be16_at(ip + TOTAL_LEN_AT) <= len && (be16_at(ip + FRAGMENT_AT) & FRAGMENT_PART) == 0
           && checksum_raw_is_good(checksum_raw(ip, IP4_HEADER_LEN));
}

bool plain_parse(struct span head, size_t len, struct plain *out)
{
    const uint8_t *ip = head.bytes, *tcp = ip + PLAIN_TCP_AT;
    uint16_t total_len;
    size_t tcp_len;

    if (head.len < IP4_HEADER_LEN + TCP_HEADER_LEN || !is_plain_ip(ip, len))
        return false;
    tcp_len = (size_t)(tcp[FLAGS_AT] >> 4) * 4;
    total_len = be16_at(ip + TOTAL_LEN_AT);
    if (tcp_len < TCP_HEADER_LEN || PLAIN_TCP_AT + tcp_len > size_min(head.len, total_len))
        return false;
    *out = (struct plain){ip, total_len, (uint8_t)(PLAIN_TCP_AT + tcp_len)};
    return true;
}

static bool guess_ports(struct span tcp, struct plain_ends *out)
{
    if (tcp.len < TCP_HEADER_LEN || (be16_at(tcp.bytes + FLAGS_AT) & TCP_SYN))
        return false;
    out->src_port = be16_at(tcp.bytes);
    out->dst_port = be16_at(tcp.bytes + DST_PORT_AT);
    return true;
}

bool plain_guess_ends(struct span head, struct plain_ends *out)
{
    const uint8_t *ip = head.bytes;

    if (head.len >= IP4_HEADER_LEN && ip[0] == VERSION_LEN && ip[PROTOCOL_AT] == IP_PROTOCOL_TCP) {
        out->src = addr_v4_at(ip + PLAIN_SRC_AT);
        out->dst = addr_v4_at(ip + PLAIN_DST_AT);
        return guess_ports(span_drop(head, IP4_HEADER_LEN), out);
    }
    if (head.len < IP6_HEADER_LEN || ip[0] >> 4 != VERSION_6
        || ip[NEXT_HEADER_AT] != IP_PROTOCOL_TCP)
        return false;
    memcpy(out->src.b, ip + SRC6_AT, sizeof out->src.b);
    memcpy(out->dst.b, ip + DST6_AT, sizeof out->dst.b);
    return guess_ports(span_drop(head, IP6_HEADER_LEN), out);
}
