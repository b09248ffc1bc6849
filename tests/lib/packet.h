/*
 * packet.h - IP packets made by hand, and looked into
 */
#ifndef TESTS_LIB_PACKET_H
#define TESTS_LIB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/addr.h>

enum {
    PACKET_MAX = 66000,
    PACKET_HEAD = 160, /* of a packet that was seen, so much is kept */
};

/* An IP packet, without link header. */
struct packet {
    size_t len;
    uint8_t bytes[PACKET_MAX];
};

/* What is not given is usual: TTL 64, a window of 65535, no options, right checksums. */
struct packet_ip {
    struct weir_endpoint src, dst;
    uint8_t ttl;
    uint8_t tos;
    const uint8_t *options; /* IPv4's, or IPv6 extension headers, the last one's next header set */
    size_t options_len;
    uint8_t next_header; /* IPv6 with extensions: of the first */
    uint16_t id;
    uint32_t fragment_offset;
    bool more_fragments;
};

struct packet_tcp {
    uint16_t flags;
    uint32_t seq, ack;
    uint16_t window;
    uint16_t urgent;
    const uint8_t *options;
    size_t options_len;
    const uint8_t *text;
    size_t len;
};

void packet_make_tcp(struct packet *p, const struct packet_ip *ip, const struct packet_tcp *tcp);
void packet_make_udp(struct packet *p, const struct packet_ip *ip, const void *bytes, size_t len);

/* Any ICMP message; of the family of ip's addresses. */
void packet_make_icmp(struct packet *p, const struct packet_ip *ip, uint8_t type, uint8_t code,
                      uint32_t word, const void *body, size_t len);

/* Any transport, as it stands. */
void packet_make_raw(struct packet *p, const struct packet_ip *ip, uint8_t protocol,
                     const void *bytes, size_t len);

/* What a packet says. */
struct packet_view {
    bool is_ip; /* else nothing but head is set */
    uint8_t version;
    uint8_t protocol;
    uint8_t ttl, tos;
    bool is_fragment;
    bool dont_fragment;
    struct weir_endpoint src, dst;
    uint16_t flags; /* TCP */
    uint32_t seq, ack;
    uint16_t window;
    uint16_t urgent;
    uint16_t options_present; /* enum tcp_option_bit */
    uint16_t mss;
    uint8_t window_scale;
    uint32_t ts_val, ts_ecr;
    uint8_t icmp_type, icmp_code;
    uint32_t icmp_word;
    size_t text_len;   /* payload of TCP or UDP, body of ICMP */
    size_t ip_len;     /* the headers of IP */
    size_t header_len; /* IP and transport headers */
    size_t head_len;
    uint8_t head[PACKET_HEAD]; /* the packet's first bytes, from the IP header on */
};

/* Looks into an IP packet. Fails the test if it is malformed; checks its checksum if told so. */
void packet_look(const uint8_t *bytes, size_t len, bool has_checksum, struct packet_view *view);

#endif
