/*
 * packet.c - IP packets made by hand, and looked into
 */
#include "lib/packet.h"

#include "base/be.h"
#include "base/checksum.h"
#include "lib/test.h"
#include "wire/ip.h"
#include "wire/pkt.h"
#include "wire/tcp_options.h"
#include <string.h>

static bool is_v4(const struct packet_ip *ip)
{
    return weir_addr_is_v4(&ip->dst.addr);
}

static size_t ip_len_of(const struct packet_ip *ip)
{
    return (is_v4(ip) ? (size_t)IP4_HEADER_LEN : (size_t)IP6_HEADER_LEN) + ip->options_len;
}

/* Writes the IP header before a transport that is already in its place. */
static void finish(struct packet *p, const struct packet_ip *ip, uint8_t protocol, size_t len)
{
    size_t header_len = ip_len_of(ip);

    p->len = header_len + len;
    EXPECT(p->len <= PACKET_MAX);
    if (is_v4(ip)) {
        struct ip4_header h = {
            .src = ip->src.addr,
            .dst = ip->dst.addr,
            .payload_len = len,
            .tos = ip->tos,
            .ttl = ip->ttl != 0 ? ip->ttl : 64,
            .protocol = protocol,
            .id = ip->id,
            .fragment_offset = (uint16_t)ip->fragment_offset,
            .more_fragments = ip->more_fragments,
            .options = span_of(ip->options, ip->options_len),
        };
        EXPECT_EQ(ip4_emit(&h, p->bytes, header_len), header_len);
    } else {
        struct ip6_header h = {
            .src = ip->src.addr,
            .dst = ip->dst.addr,
            .payload_len = len,
            .tos = ip->tos,
            .ttl = ip->ttl != 0 ? ip->ttl : 64,
            .protocol = protocol,
            .next_header = ip->options_len > 0 ? ip->next_header : protocol,
            .extensions = span_of(ip->options, ip->options_len),
        };
        EXPECT_EQ(ip6_emit(&h, p->bytes, header_len), header_len);
    }
}

static uint16_t checksum_of(const struct packet_ip *ip, uint8_t protocol, const uint8_t *bytes,
                            size_t len)
{
    uint32_t sum = protocol == IP_PROTOCOL_ICMP4
                       ? 0
                       : checksum_pseudo(&ip->src.addr, &ip->dst.addr, protocol, len);

    return checksum_fold(checksum_add(sum, bytes, len));
}

static void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

void packet_make_tcp(struct packet *p, const struct packet_ip *ip, const struct packet_tcp *tcp)
{
    uint8_t *at = p->bytes + ip_len_of(ip);
    struct tcp_header h = {
        .src_port = ip->src.port,
        .dst_port = ip->dst.port,
        .seq = tcp->seq,
        .ack = tcp->ack,
        .flags = tcp->flags,
        .window = tcp->window != 0 ? tcp->window : UINT16_MAX,
        .urgent = tcp->urgent,
        .options = span_of(tcp->options, tcp->options_len),
    };
    size_t header_len = tcp_emit(&h, at, TCP_HEADER_MAX);

    EXPECT(header_len != 0);
    if (tcp->len > 0 && tcp->text != NULL)
        memcpy(at + header_len, tcp->text, tcp->len);
    else
        memset(at + header_len, 'x', tcp->len);
    put16(at + TCP_CHECKSUM_AT, checksum_of(ip, IP_PROTOCOL_TCP, at, header_len + tcp->len));
    finish(p, ip, IP_PROTOCOL_TCP, header_len + tcp->len);
}

void packet_make_udp(struct packet *p, const struct packet_ip *ip, const void *bytes, size_t len)
{
    uint8_t *at = p->bytes + ip_len_of(ip);
    struct udp_header h = {.src_port = ip->src.port, .dst_port = ip->dst.port, .payload_len = len};

    EXPECT_EQ(udp_emit(&h, at, UDP_HEADER_LEN), UDP_HEADER_LEN);
    if (len > 0)
        memcpy(at + UDP_HEADER_LEN, bytes, len);
    put16(at + 6,
          udp_checksum_fold(checksum_add(
              checksum_pseudo(&ip->src.addr, &ip->dst.addr, IP_PROTOCOL_UDP, UDP_HEADER_LEN + len),
              at, UDP_HEADER_LEN + len)));
    finish(p, ip, IP_PROTOCOL_UDP, UDP_HEADER_LEN + len);
}

void packet_make_icmp(struct packet *p, const struct packet_ip *ip, uint8_t type, uint8_t code,
                      uint32_t word, const void *body, size_t len)
{
    uint8_t *at = p->bytes + ip_len_of(ip);
    uint8_t protocol = is_v4(ip) ? IP_PROTOCOL_ICMP4 : IP_PROTOCOL_ICMP6;

    at[0] = type;
    at[1] = code;
    put16(at + 2, 0);
    put16(at + 4, (uint16_t)(word >> 16));
    put16(at + 6, (uint16_t)word);
    if (len > 0)
        memcpy(at + 8, body, len);
    put16(at + 2, checksum_of(ip, protocol, at, 8 + len));
    finish(p, ip, protocol, 8 + len);
}

void packet_make_raw(struct packet *p, const struct packet_ip *ip, uint8_t protocol,
                     const void *bytes, size_t len)
{
    if (len > 0)
        memcpy(p->bytes + ip_len_of(ip), bytes, len);
    finish(p, ip, protocol, len);
}

static void look_at_tcp(const struct tcp_header *h, struct packet_view *view)
{
    struct tcp_options o;

    tcp_options_parse(h->options, &o);
    EXPECT(!o.malformed);
    view->src.port = h->src_port;
    view->dst.port = h->dst_port;
    view->flags = h->flags;
    view->seq = h->seq;
    view->ack = h->ack;
    view->window = h->window;
    view->urgent = h->urgent;
    view->options_present = o.present;
    view->mss = o.mss;
    view->window_scale = o.window_scale;
    view->ts_val = o.ts_val;
    view->ts_ecr = o.ts_ecr;
    view->text_len = h->payload_len;
    view->header_len += h->header_len;
}

static void look_at_icmp(uint8_t type, uint8_t code, uint32_t word, size_t len,
                         struct packet_view *view)
{
    view->icmp_type = type;
    view->icmp_code = code;
    view->icmp_word = word;
    view->text_len = len;
    view->header_len += 8;
}

void packet_look(const uint8_t *bytes, size_t len, bool has_checksum, struct packet_view *view)
{
    struct pkt pkt;

    memset(view, 0, sizeof *view);
    view->is_ip = true;
    view->head_len = len < PACKET_HEAD ? len : PACKET_HEAD;
    memcpy(view->head, bytes, view->head_len);
    EXPECT_EQ(pkt_parse(span_of(bytes, len), len, &pkt), WHY_NONE);
    view->version = pkt.version;
    view->protocol = pkt.protocol;
    view->ttl = pkt.ttl;
    view->tos = pkt.tos;
    view->src.addr = pkt.src;
    view->dst.addr = pkt.dst;
    view->is_fragment = pkt.is_fragment;
    view->dont_fragment = pkt.version == 4 && pkt.ip4.dont_fragment;
    view->ip_len = pkt.ip_len;
    view->header_len = pkt.ip_len;
    if (pkt.is_fragment)
        return;
    if (has_checksum)
        EXPECT_EQ(pkt_check_checksum(&pkt, 0), WHY_NONE);
    if (pkt.protocol == IP_PROTOCOL_TCP) {
        look_at_tcp(&pkt.tcp, view);
    } else if (pkt.protocol == IP_PROTOCOL_UDP) {
        view->src.port = pkt.udp.src_port;
        view->dst.port = pkt.udp.dst_port;
        view->text_len = pkt.udp.payload_len;
        view->header_len += UDP_HEADER_LEN;
    } else if (pkt_is_icmp4(&pkt)) {
        look_at_icmp(pkt.icmp.type, pkt.icmp.code, pkt.icmp.word, pkt.icmp.body_len, view);
    } else if (pkt_is_icmp6(&pkt)) {
        look_at_icmp(pkt.icmp.type, pkt.icmp.code, pkt.icmp.word, pkt.icmp.body_len, view);
    }
}
