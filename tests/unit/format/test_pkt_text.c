/*
 * test_pkt_text.c - packets as lines
 */
#include "format/pkt_text.h"

#include <string.h>

#include "lib/test.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/ndp.h"
#include "wire/pkt.h"

/* A packet under construction: the IP header is put before what is written last. */
struct packet {
    uint8_t bytes[2048];
    size_t at;
    size_t len;
};

static struct weir_addr addr(const char *text)
{
    struct weir_addr a;

    EXPECT_EQ(weir_addr_parse(text, &a), 0);
    return a;
}

static struct packet packet_of(const void *transport, size_t len)
{
    struct packet p = {.at = 1024, .len = len};

    memcpy(p.bytes + p.at, transport, len);
    return p;
}

static void push_ip(struct packet *p, const char *src, const char *dst, uint8_t protocol)
{
    struct ip4_header h4 = {
        .src = addr(src), .dst = addr(dst), .payload_len = p->len, .ttl = 64, .protocol = protocol};
    struct ip6_header h6 = {.src = addr(src),
                            .dst = addr(dst),
                            .payload_len = p->len,
                            .ttl = 64,
                            .protocol = protocol,
                            .next_header = protocol};
    size_t len = weir_addr_is_v4(&h4.src) ? IP4_HEADER_LEN : IP6_HEADER_LEN;

    p->at -= len;
    p->len += len;
    if (weir_addr_is_v4(&h4.src))
        EXPECT_EQ(ip4_emit(&h4, p->bytes + p->at, len), len);
    else
        EXPECT_EQ(ip6_emit(&h6, p->bytes + p->at, len), len);
}

static struct packet tcp_packet(const char *text, bool from_server)
{
    static const struct seg_origin origins[2] = {{1000, 9000}, {9000, 1000}};
    struct tcp_header h;
    struct seg_text seg;
    struct seg_error error;
    uint8_t bytes[1000] = {0};
    struct packet p;

    if (!seg_text_parse(text, &origins[from_server], &seg, &error))
        FAIL("%s: %s", text, error.text);
    h = seg_text_header(&seg);
    h.src_port = from_server ? 80 : 40000;
    h.dst_port = from_server ? 40000 : 80;
    p = packet_of(bytes, tcp_emit(&h, bytes, sizeof bytes) + seg.len);
    push_ip(&p, from_server ? "192.0.2.2" : "192.0.2.1", from_server ? "192.0.2.1" : "192.0.2.2",
            IP_PROTOCOL_TCP);
    return p;
}

static void expect_text_with(struct pkt_flows *flows, const struct packet *p, const char *line)
{
    char text[PKT_TEXT_MAX];

    EXPECT_EQ(pkt_text_emit(span_of(p->bytes + p->at, p->len), p->len, flows, text, sizeof text),
              strlen(line));
    EXPECT_STR(text, line);
}

static void expect_text(const struct packet *p, const char *line)
{
    expect_text_with(NULL, p, line);
}

static void expect_frame(struct packet *p, uint16_t type, uint8_t vlans, const char *line)
{
    struct eth_header h = {.type = type, .vlan_count = vlans, .vlans = {{ETH_TYPE_VLAN, 0x2005}}};
    size_t len = eth_header_len(&h);
    char text[PKT_TEXT_MAX];

    p->at -= len;
    p->len += len;
    EXPECT_EQ(eth_emit(&h, p->bytes + p->at, len), len);
    pkt_text_emit_frame(span_of(p->bytes + p->at, p->len), p->len, NULL, text, sizeof text);
    EXPECT_STR(text, line);
}

TEST(pkt_text_shows_raw_numbers_without_flows)
{
    struct packet p = tcp_packet("P. 1:11(10) ack 1 win 5", false);

    expect_text(&p, "192.0.2.1:40000 > 192.0.2.2:80: P. 1001:1011(10) ack 9001 win 5");
}

TEST(pkt_text_counts_from_the_isn_of_each_side)
{
    struct pkt_flow room[2];
    struct pkt_flows flows = {room, 2, 0, 0};
    struct packet syn = tcp_packet("S 0:0(0) win 5 <mss 1460>", false);
    struct packet synack = tcp_packet("S. 0:0(0) ack 1 win 5", true);
    struct packet data = tcp_packet("P. 1:11(10) ack 1 win 5", false);
    struct packet sack = tcp_packet(". 1:1(0) ack 1 win 5 <nop,nop,sack 3:11>", true);

    expect_text_with(&flows, &syn, "192.0.2.1:40000 > 192.0.2.2:80: S 0:0(0) win 5 <mss 1460>");
    expect_text_with(&flows, &synack, "192.0.2.2:80 > 192.0.2.1:40000: S. 0:0(0) ack 1 win 5");
    expect_text_with(&flows, &data, "192.0.2.1:40000 > 192.0.2.2:80: P. 1:11(10) ack 1 win 5");
    expect_text_with(&flows, &sack,
                     "192.0.2.2:80 > 192.0.2.1:40000: . 1:1(0) ack 1 win 5 <nop,nop,sack 3:11>");
    EXPECT_EQ(flows.count, 1);
}

TEST(pkt_text_takes_the_first_number_seen_for_one_if_there_was_no_syn)
{
    struct pkt_flow room[1];
    struct pkt_flows flows = {room, 1, 0, 0};
    struct packet data = tcp_packet("P. 501:511(10) ack 701 win 5", false);
    struct packet answer = tcp_packet(". 701:701(0) ack 511 win 5", true);

    expect_text_with(&flows, &data, "192.0.2.1:40000 > 192.0.2.2:80: P. 1:11(10) ack 1 win 5");
    expect_text_with(&flows, &answer, "192.0.2.2:80 > 192.0.2.1:40000: . 1:1(0) ack 11 win 5");
}

TEST(pkt_text_starts_anew_with_a_new_syn)
{
    struct pkt_flow room[1];
    struct pkt_flows flows = {room, 1, 0, 0};
    struct packet first = tcp_packet("S 0:0(0) win 5", false);
    struct packet answer = tcp_packet("S. 0:0(0) ack 1 win 5", true);
    struct packet second = tcp_packet("S 777:777(0) win 5", false);
    struct packet refusal = tcp_packet("R. 4:4(0) ack 778 win 0", true);

    expect_text_with(&flows, &first, "192.0.2.1:40000 > 192.0.2.2:80: S 0:0(0) win 5");
    expect_text_with(&flows, &answer, "192.0.2.2:80 > 192.0.2.1:40000: S. 0:0(0) ack 1 win 5");
    expect_text_with(&flows, &second, "192.0.2.1:40000 > 192.0.2.2:80: S 0:0(0) win 5");
    expect_text_with(&flows, &refusal, "192.0.2.2:80 > 192.0.2.1:40000: R. 1:1(0) ack 1 win 0");
}

TEST(pkt_text_forgets_the_oldest_flow_when_the_table_is_full)
{
    struct pkt_flow room[1];
    struct pkt_flows flows = {room, 1, 0, 0};
    struct packet p = tcp_packet("S 0:0(0) win 5", false);
    struct packet other = p;

    other.bytes[other.at + 20] ^= 1; /* its port */
    expect_text_with(&flows, &p, "192.0.2.1:40000 > 192.0.2.2:80: S 0:0(0) win 5");
    expect_text_with(&flows, &other, "192.0.2.1:40256 > 192.0.2.2:80: S 0:0(0) win 5");
    EXPECT_EQ(flows.count, 1);
    EXPECT_EQ(flows.flows[0].ends[0].port, 40256);
}

TEST(pkt_text_shows_ipv6_and_the_ecn_mark)
{
    uint8_t bytes[UDP_HEADER_LEN + 4] = {0};
    struct udp_header h = {.src_port = 53, .dst_port = 4000, .payload_len = 4};
    struct packet p;

    udp_emit(&h, bytes, sizeof bytes);
    p = packet_of(bytes, sizeof bytes);
    push_ip(&p, "2001:db8::1", "2001:db8::2", IP_PROTOCOL_UDP);
    p.bytes[p.at + 1] |= 0x20; /* ECT(0) */
    expect_text(&p, "[2001:db8::1]:53 > [2001:db8::2]:4000: [ect0] udp (4)");
}

TEST(pkt_text_shows_icmp_errors_with_the_packet_they_quote)
{
    struct packet quoted = tcp_packet("P. 1:11(10) ack 1 win 5", false);
    struct icmp_message m = {.type = ICMP4_UNREACHABLE,
                             .code = ICMP4_FRAGMENTATION_NEEDED,
                             .word = 1400,
                             .body = {quoted.bytes + quoted.at, 28},
                             .body_len = 28};
    uint8_t bytes[200];
    struct packet p = packet_of(bytes, icmp_emit(&m, 0, bytes, sizeof bytes));

    push_ip(&p, "192.0.2.9", "192.0.2.1", IP_PROTOCOL_ICMP4);
    expect_text(&p, "192.0.2.9 > 192.0.2.1: icmp unreachable frag_needed mtu 1400 "
                    "[192.0.2.1:40000 > 192.0.2.2:80: tcp seq 1001]");
    m.body.len = m.body_len = 10;
    m.code = 99;
    p = packet_of(bytes, icmp_emit(&m, 0, bytes, sizeof bytes));
    push_ip(&p, "192.0.2.9", "192.0.2.1", IP_PROTOCOL_ICMP4);
    expect_text(&p, "192.0.2.9 > 192.0.2.1: icmp unreachable code 99 [raw(10)]");
}

TEST(pkt_text_shows_echoes)
{
    struct icmp_message m = {.type = ICMP6_ECHO_REQUEST,
                             .word = icmp_word_of_echo(7, 2),
                             .body = {(const uint8_t *)"hello", 5},
                             .body_len = 5};
    struct weir_addr src = addr("fe80::1"), dst = addr("fe80::2");
    uint8_t bytes[64];
    struct packet p = packet_of(bytes, icmp6_emit(&m, &src, &dst, bytes, sizeof bytes));

    push_ip(&p, "fe80::1", "fe80::2", IP_PROTOCOL_ICMP6);
    expect_text(&p, "fe80::1 > fe80::2: icmp echo_request id 7 seq 2 (5)");
}

TEST(pkt_text_shows_neighbour_discovery)
{
    struct ndp_message m = {.type = ICMP6_NEIGHBOUR_ADVERT,
                            .target = addr("fe80::2"),
                            .solicited = true,
                            .override = true,
                            .has_target_mac = true,
                            .target_mac = {{2, 0, 0, 0, 0, 0xff}}};
    struct weir_addr src = addr("fe80::2"), dst = addr("fe80::1");
    uint8_t bytes[100];
    struct packet p = packet_of(bytes, ndp_emit(&m, &src, &dst, bytes, sizeof bytes));

    push_ip(&p, "fe80::2", "fe80::1", IP_PROTOCOL_ICMP6);
    expect_text(&p, "fe80::2 > fe80::1: icmp neighbour_advert fe80::2 solicited override mac "
                    "02:00:00:00:00:ff");
}

TEST(pkt_text_shows_fragments)
{
    struct ip4_header h = {.src = addr("192.0.2.1"),
                           .dst = addr("192.0.2.2"),
                           .payload_len = 16,
                           .ttl = 1,
                           .protocol = IP_PROTOCOL_UDP,
                           .id = 7,
                           .fragment_offset = 1480,
                           .more_fragments = true};
    uint8_t zeros[16] = {0};
    struct packet p = packet_of(zeros, sizeof zeros);

    p.at -= IP4_HEADER_LEN;
    p.len += IP4_HEADER_LEN;
    ip4_emit(&h, p.bytes + p.at, IP4_HEADER_LEN);
    expect_text(&p, "192.0.2.1 > 192.0.2.2: frag id 7 1480:1496(16)+ udp");
}

TEST(pkt_text_shows_what_cannot_be_read)
{
    struct packet p = packet_of("1234567", 7);

    expect_text(&p, "ip_version (7)");
    push_ip(&p, "192.0.2.1", "192.0.2.2", IP_PROTOCOL_TCP);
    expect_text(&p, "192.0.2.1 > 192.0.2.2: tcp_malformed (7)");
    p = packet_of("1234567", 7);
    push_ip(&p, "192.0.2.1", "192.0.2.2", 47);
    expect_text(&p, "192.0.2.1 > 192.0.2.2: protocol 47 (7)");
}

TEST(pkt_text_shows_frames)
{
    struct arp_packet arp = {.op = ARP_REQUEST,
                             .sender_addr = addr("192.0.2.1"),
                             .target_addr = addr("192.0.2.2"),
                             .sender_mac = {{2, 0, 0, 0, 0, 1}}};
    uint8_t bytes[ARP_LEN];
    struct packet p = packet_of(bytes, arp_emit(&arp, bytes, sizeof bytes));

    expect_frame(&p, ETH_TYPE_ARP, 0, "arp who-has 192.0.2.2 tell 192.0.2.1");
    arp.op = ARP_REPLY;
    p = packet_of(bytes, arp_emit(&arp, bytes, sizeof bytes));
    expect_frame(&p, ETH_TYPE_ARP, 1, "vlan 5 arp reply 192.0.2.1 is-at 02:00:00:00:00:01");
    p = tcp_packet("R 0:0(0) win 0", false);
    expect_frame(&p, ETH_TYPE_IP4, 0, "192.0.2.1:40000 > 192.0.2.2:80: R 1000:1000(0) win 0");
    p = packet_of(bytes, 10);
    expect_frame(&p, 0x88cc, 0, "ethertype 0x88cc (10)");
    p = packet_of(bytes, 10);
    expect_frame(&p, ETH_TYPE_ARP, 0, "arp_malformed (10)");
}
