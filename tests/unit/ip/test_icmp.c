/*
 * test_icmp.c - errors in and out, echo, limits
 */
#include "unit/ip/world.h"

#include <stdlib.h>
#include <string.h>
#include <weir/err.h>

static struct world *world_of_icmp(void)
{
    struct world *w = world_of_two();

    add_addr(w, w->tun, "2001:db8::1/64");
    return w;
}

static struct icmp_message ping4(size_t len)
{
    return (struct icmp_message){
        .type = ICMP4_ECHO_REQUEST, .word = icmp_word_of_echo(0x1234, 9), .body = pattern(len)};
}

static struct icmp_message ping6(size_t len)
{
    return (struct icmp_message){
        .type = ICMP6_ECHO_REQUEST, .word = icmp_word_of_echo(0x1234, 9), .body = pattern(len)};
}

/* ---- echo ---- */

TEST(echo_is_answered_with_the_same_bytes) /* [RFC792] [RFC1122 3.2.2.6] */
{
    static const size_t lens[] = {0, 1, 56, 96, 97, 1000, 1472};

    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct world *w = world_of_icmp();

        world_in_ip(w, w->tun, icmp4("10.0.0.2", "10.0.0.1", ping4(lens[i])));
        EXPECT(world_out(w, w->tun));
        EXPECT_ADDR(w->pkt.src, "10.0.0.1");
        EXPECT_ADDR(w->pkt.dst, "10.0.0.2");
        EXPECT_EQ(w->pkt.icmp.type, ICMP4_ECHO_REPLY);
        EXPECT_EQ(w->pkt.icmp.word, icmp_word_of_echo(0x1234, 9));
        EXPECT_EQ(w->pkt.icmp.body.len, lens[i]);
        EXPECT_MEM(w->pkt.icmp.body.bytes, pattern(lens[i]).bytes, lens[i]);
        EXPECT(!world_out(w, w->tun));
        world_free(&w);
    }
}

TEST(echo_of_ipv6_is_answered) /* [RFC4443 4.2] */
{
    struct world *w = world_of_icmp();

    world_in_ip(w, w->tun, icmp6("2001:db8::2", "2001:db8::1", ping6(1000)));
    EXPECT(world_out(w, w->tun));
    EXPECT_ADDR(w->pkt.src, "2001:db8::1");
    EXPECT_EQ(w->pkt.icmp.type, ICMP6_ECHO_REPLY);
    EXPECT_MEM(w->pkt.icmp.body.bytes, pattern(1000).bytes, 1000);
    /* To all nodes: answered from an address of our own. */
    world_in_ip(w, w->tun, icmp6("2001:db8::2", "ff02::1", ping6(10)));
    EXPECT(world_out(w, w->tun));
    EXPECT_ADDR(w->pkt.src, "2001:db8::1");
    world_free(&w);
}

TEST(echo_larger_than_the_link_comes_back_in_fragments)
{
    struct world *w = world_of_icmp();
    struct span request = icmp4("10.0.0.2", "10.0.0.1", ping4(60000));
    size_t total = 0;

    world_in_ip(w, w->tun, request);
    while (world_out(w, w->tun))
        total += w->pkt.transport_len;
    EXPECT_EQ(total, 60008);
    world_free(&w);
}

TEST(echo_to_a_broadcast_address_is_not_answered) /* [RFC1122 3.2.2.6] */
{
    struct world *w = world_of_icmp();

    world_in_ip(w, w->tun, icmp4("10.0.0.2", "10.0.0.255", ping4(10)));
    world_in_ip(w, w->tun, icmp4("10.0.0.2", "255.255.255.255", ping4(10)));
    world_in_ip(w, w->tun, icmp4("10.0.0.2", "224.0.0.1", ping4(10)));
    EXPECT(!world_out(w, w->tun));
    world_free(&w);
}

TEST(echo_can_be_switched_off)
{
    struct world *w = world_of_icmp();

    w->ip.config.echo_replies = false;
    world_in_ip(w, w->tun, icmp4("10.0.0.2", "10.0.0.1", ping4(10)));
    world_in_ip(w, w->tun, icmp6("2001:db8::2", "2001:db8::1", ping6(10)));
    EXPECT(!world_out(w, w->tun));
    EXPECT_EQ(w->dropped[WHY_ICMP_UNKNOWN], 2);
    world_free(&w);
}

TEST(echo_answers_that_nobody_takes_are_bounded)
{
    struct world *w = world_of_icmp();

    for (int i = 0; i < 2 * NETIF_ANSWERS_MAX; i++)
        world_in_ip(w, w->tun, icmp4("10.0.0.2", "10.0.0.1", ping4(10)));
    EXPECT_EQ(w->tun->out.count, NETIF_ANSWERS_MAX);
    EXPECT_EQ(w->dropped[WHY_ICMP_LIMIT], NETIF_ANSWERS_MAX);
    world_free(&w);
}

TEST(echo_reply_is_handed_up)
{
    struct world *w = world_of_icmp();
    struct icmp_message m = {
        .type = ICMP4_ECHO_REPLY, .word = icmp_word_of_echo(0xbeef, 3), .body = pattern(20)};
    struct icmp_message m6 = {
        .type = ICMP6_ECHO_REPLY, .word = icmp_word_of_echo(0xbeef, 4), .body = pattern(20)};

    EXPECT_EQ(world_in_ip(w, w->tun, icmp4("10.0.0.2", "10.0.0.1", m)), IP_ECHO_REPLY);
    EXPECT_EQ(w->packet.echo.id, 0xbeef);
    EXPECT_EQ(w->packet.echo.sequence, 3);
    EXPECT_EQ(ip_packet_transport_len(&w->packet), 20);
    EXPECT_MEM(ip_packet_head(&w->packet).bytes, pattern(20).bytes, 20);
    EXPECT_EQ(world_in_ip(w, w->tun, icmp6("2001:db8::2", "2001:db8::1", m6)), IP_ECHO_REPLY);
    EXPECT_EQ(w->packet.echo.sequence, 4);
    world_free(&w);
}

TEST(icmp_checksum_and_length_are_checked)
{
    struct world *w = world_of_icmp();
    struct span s = icmp4("10.0.0.2", "10.0.0.1", ping4(20));
    struct ip4_header h = {
        .src = addr("10.0.0.2"), .dst = addr("10.0.0.1"), .protocol = IP_PROTOCOL_ICMP4};

    ((uint8_t *)(uintptr_t)s.bytes)[30] ^= 1;
    world_in_ip(w, w->tun, s);
    EXPECT_EQ(w->dropped[WHY_ICMP_CHECKSUM], 1);
    s = icmp6("2001:db8::2", "2001:db8::1", ping6(20));
    ((uint8_t *)(uintptr_t)s.bytes)[50] ^= 1;
    world_in_ip(w, w->tun, s);
    EXPECT_EQ(w->dropped[WHY_ICMP_CHECKSUM], 2);
    for (size_t len = 0; len < 8; len++)
        world_in_ip(w, w->tun, ip4(h, pattern(len)));
    EXPECT_EQ(w->dropped[WHY_ICMP_MALFORMED], 8);
    EXPECT(!world_out(w, w->tun));
    world_free(&w);
}

/* ---- errors out ---- */

/* A UDP packet comes for a port that nobody has. */
static void refuse_port(struct world *w, struct span packet)
{
    EXPECT_EQ(world_in_keep(w, w->tun, packet.bytes, packet.len), IP_TRANSPORT);
    icmp_send_port_unreachable(&w->ip, &w->packet);
    ip_packet_fini(&w->ip, &w->packet);
}

TEST(port_unreachable_quotes_the_packet) /* [RFC1122 3.2.2, 4.1.3.1] */
{
    static const size_t lens[] = {0, 30, 200, 1000};

    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct world *w = world_of_icmp();
        struct span s = udp4("10.0.0.2", "10.0.0.1", lens[i]);
        size_t quoted = s.len < 576 - 28 ? s.len : 576 - 28;

        refuse_port(w, s);
        EXPECT(world_out(w, w->tun));
        EXPECT_EQ(w->pkt.icmp.type, ICMP4_UNREACHABLE);
        EXPECT_EQ(w->pkt.icmp.code, ICMP4_PORT_UNREACHABLE);
        EXPECT_ADDR(w->pkt.dst, "10.0.0.2");
        EXPECT_EQ(w->pkt.icmp.body.len, quoted);
        EXPECT_MEM(w->pkt.icmp.body.bytes, s.bytes, quoted);
        world_free(&w);
    }
}

TEST(port_unreachable_of_ipv6_quotes_up_to_1280) /* [RFC4443 3.1] */
{
    struct world *w = world_of_icmp();
    struct span s = udp6("2001:db8::2", "2001:db8::1", 1400);

    refuse_port(w, s);
    EXPECT(world_out(w, w->tun));
    EXPECT_EQ(w->out_len, 1280);
    EXPECT_EQ(w->pkt.icmp.type, ICMP6_UNREACHABLE);
    EXPECT_EQ(w->pkt.icmp.code, ICMP6_PORT_UNREACHABLE);
    EXPECT_MEM(w->pkt.icmp.body.bytes, s.bytes, 1232);
    world_free(&w);
}

TEST(unknown_protocol_is_told) /* [RFC1122 3.2.2.1] [RFC8200 4] */
{
    struct world *w = world_of_icmp();
    struct ip4_header h4 = {.src = addr("10.0.0.2"), .dst = addr("10.0.0.1"), .protocol = 132};
    struct ip6_header h6 = {
        .src = addr("2001:db8::2"), .dst = addr("2001:db8::1"), .protocol = 132};

    world_in_ip(w, w->tun, ip4(h4, pattern(20)));
    EXPECT(world_out(w, w->tun));
    EXPECT_EQ(w->pkt.icmp.type, ICMP4_UNREACHABLE);
    EXPECT_EQ(w->pkt.icmp.code, ICMP4_PROTOCOL_UNREACHABLE);

    world_in_ip(w, w->tun, ip6(h6, pattern(20)));
    EXPECT(world_out(w, w->tun));
    EXPECT_EQ(w->pkt.icmp.type, ICMP6_PARAMETER_PROBLEM);
    EXPECT_EQ(w->pkt.icmp.code, IP6_PROBLEM_NEXT_HEADER);
    EXPECT_EQ(w->pkt.icmp.word, 6); /* the next header byte of the IPv6 header */
    EXPECT_EQ(w->dropped[WHY_IP_PROTOCOL], 2);

    h6.protocol = IP_PROTOCOL_NONE;
    world_in_ip(w, w->tun, ip6(h6, pattern(20)));
    EXPECT(!world_out(w, w->tun));
    world_free(&w);
}

TEST(errors_are_not_answered_with_errors) /* [RFC1122 3.2.2] [RFC4443 2.4 e] */
{
    struct world *w = world_of_icmp();
    struct ip_packet about;
    struct icmp_complaint complaint = {.kind = ICMP_ERROR_ADMIN};
    struct icmp_message error = {.type = ICMP4_UNREACHABLE,
                                 .body = udp4("10.0.0.1", "10.0.0.2", 9)};
    struct span s;

    /* About an ICMP error. */
    s = icmp4("10.0.0.2", "10.0.0.1", error);
    EXPECT_EQ(world_in_keep(w, w->tun, s.bytes, s.len), IP_ICMP_ERROR);
    icmp_send_error(&w->ip, &w->packet, &complaint);

    /* About a packet to or from a group, from nobody, or a later fragment. */
    s = udp4("10.0.0.2", "10.0.0.255", 9);
    refuse_port(w, s);
    s = udp4("0.0.0.0", "255.255.255.255", 9);
    refuse_port(w, s);
    s = udp4("10.0.0.2", "10.0.0.1", 9);
    EXPECT_EQ(world_in_keep(w, w->tun, s.bytes, s.len), IP_TRANSPORT);
    about = w->packet;
    about.is_later_fragment = true;
    icmp_send_error(&w->ip, &about, &complaint);
    about = w->packet;
    about.src = addr("224.0.0.1");
    icmp_send_error(&w->ip, &about, &complaint);
    EXPECT(!world_out(w, w->tun));

    /* The same packet without any of that is answered. */
    icmp_send_error(&w->ip, &w->packet, &complaint);
    EXPECT(world_out(w, w->tun));
    EXPECT_EQ(w->pkt.icmp.code, ICMP4_PROHIBITED);
    world_free(&w);
}

TEST(each_complaint_has_its_words)
{
    static const struct {
        enum icmp_error_kind kind;
        uint8_t type4, code4, type6, code6;
    } rows[] = {
        {ICMP_ERROR_NET, 3, 0, 1, 0},
        {ICMP_ERROR_HOST, 3, 1, 1, 3},
        {ICMP_ERROR_PORT, 3, 3, 1, 4},
        {ICMP_ERROR_ADMIN, 3, 13, 1, 1},
        {ICMP_ERROR_TIME_EXCEEDED, 11, 1, 3, 1},
        {ICMP_ERROR_PARAMETER, 12, 1, 4, 1},
        {ICMP_ERROR_PROTOCOL, 3, 2, 4, 1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = world_of_icmp();
        struct icmp_complaint complaint = {.kind = rows[i].kind, .code = 1, .pointer = 6};
        struct span s = udp4("10.0.0.2", "10.0.0.1", 9);

        EXPECT_EQ(world_in_keep(w, w->tun, s.bytes, s.len), IP_TRANSPORT);
        icmp_send_error(&w->ip, &w->packet, &complaint);
        EXPECT(world_out(w, w->tun));
        EXPECT_EQ(w->pkt.icmp.type, rows[i].type4);
        EXPECT_EQ(w->pkt.icmp.code, rows[i].code4);
        if (rows[i].type4 == ICMP4_PARAMETER_PROBLEM)
            EXPECT_EQ(icmp4_pointer(&w->pkt.icmp), 6);

        s = udp6("2001:db8::2", "2001:db8::1", 9);
        EXPECT_EQ(world_in_keep(w, w->tun, s.bytes, s.len), IP_TRANSPORT);
        icmp_send_error(&w->ip, &w->packet, &complaint);
        EXPECT(world_out(w, w->tun));
        EXPECT_EQ(w->pkt.icmp.type, rows[i].type6);
        EXPECT_EQ(w->pkt.icmp.code, rows[i].code6);
        world_free(&w);
    }
}

/* ---- limits ---- */

TEST(errors_to_one_peer_are_limited) /* [RFC4443 2.4 f] */
{
    struct world *w = world_of_icmp();
    int sent = 0;

    for (int i = 0; i < 50; i++)
        refuse_port(w, udp4("10.0.0.2", "10.0.0.1", 9));
    while (world_out(w, w->tun))
        sent++;
    EXPECT_EQ(sent, 6);
    EXPECT_EQ(w->dropped[WHY_ICMP_LIMIT], 44);

    world_wait(w, NS_S);
    for (int i = 0; i < 5; i++)
        refuse_port(w, udp4("10.0.0.2", "10.0.0.1", 9));
    EXPECT(world_out(w, w->tun));
    EXPECT(!world_out(w, w->tun));
    world_free(&w);
}

TEST(errors_to_all_are_limited_by_a_rate_that_is_not_exact)
{
    int counts[8];
    bool differ = false;

    for (int round = 0; round < 8; round++) {
        struct world *w = world_of_icmp();
        int sent = 0;

        w->ip.config.icmp_errors_per_peer_s = 1000;
        icmp_init(&w->ip);
        for (int i = 0; i < round; i++)
            (void)rng_u32(&w->ip.rng);
        for (unsigned i = 0; i < 2000; i++) {
            struct weir_addr dst = weir_addr_v4(10, 0, (uint8_t)(i >> 8), (uint8_t)i);

            sent += icmp_is_within_limits(&w->ip, &dst);
        }
        EXPECT(sent >= 35 && sent <= 75);
        counts[round] = sent;
        differ = differ || counts[round] != counts[0];

        /* In the long run it is the configured one. */
        sent = 0;
        for (unsigned i = 0; i < 10000; i++) {
            struct weir_addr dst = weir_addr_v4(10, 0, (uint8_t)(i >> 8), (uint8_t)i);

            w->ip.now += NS_MS;
            sent += icmp_is_within_limits(&w->ip, &dst);
        }
        EXPECT(sent > 900 && sent < 1100);
        world_free(&w);
    }
    EXPECT(differ);
}

TEST(limits_of_zero_send_nothing)
{
    struct world *w = world_of_icmp();

    w->ip.config.icmp_errors_per_s = 0;
    icmp_init(&w->ip);
    refuse_port(w, udp4("10.0.0.2", "10.0.0.1", 9));
    EXPECT(!world_out(w, w->tun));
    world_free(&w);
}

/* ---- errors in ---- */

TEST(errors_about_our_packets_are_handed_up) /* [RFC9293 MUST-54] */
{
    static const struct {
        uint8_t type, code;
        enum icmp_error_kind kind;
        int error;
    } rows[] = {
        {3, 0, ICMP_ERROR_NET, WEIR_ENETUNREACH},
        {3, 1, ICMP_ERROR_HOST, WEIR_EHOSTUNREACH},
        {3, 2, ICMP_ERROR_PROTOCOL, WEIR_EPROTO},
        {3, 3, ICMP_ERROR_PORT, WEIR_ECONNREFUSED},
        {3, 4, ICMP_ERROR_TOO_BIG, WEIR_EMSGSIZE},
        {3, 5, ICMP_ERROR_NET, WEIR_ENETUNREACH},
        {3, 9, ICMP_ERROR_ADMIN, WEIR_EACCES},
        {3, 13, ICMP_ERROR_ADMIN, WEIR_EACCES},
        {4, 0, ICMP_ERROR_SOURCE_QUENCH, WEIR_OK},
        {11, 0, ICMP_ERROR_TIME_EXCEEDED, WEIR_EHOSTUNREACH},
        {12, 0, ICMP_ERROR_PARAMETER, WEIR_EPROTO},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = world_of_icmp();
        uint8_t quoted[28];
        struct icmp_message m = {.type = rows[i].type, .code = rows[i].code, .word = 1400};

        memcpy(quoted, udp4("10.0.0.1", "198.51.100.1", 500).bytes, sizeof quoted);
        m.body = span_of(quoted, sizeof quoted);
        EXPECT_EQ(world_in_ip(w, w->tun, icmp4("10.0.0.2", "10.0.0.1", m)), IP_ICMP_ERROR);
        EXPECT_EQ(w->packet.error.kind, rows[i].kind);
        EXPECT_EQ(w->packet.error.code, rows[i].code);
        EXPECT_EQ(icmp_error_code(rows[i].kind), rows[i].error);
        EXPECT_EQ(w->packet.error.mtu, rows[i].kind == ICMP_ERROR_TOO_BIG ? 1400 : 0);
        EXPECT_EQ(w->packet.error.protocol, IP_PROTOCOL_UDP);
        EXPECT_EQ(w->packet.error.packet_len, 528);
        EXPECT_EQ(w->packet.error.transport.len, 8);
        EXPECT_ADDR(w->packet.error.from, "10.0.0.2");
        EXPECT_ADDR(w->packet.error.src, "10.0.0.1");
        EXPECT_ADDR(w->packet.error.dst, "198.51.100.1");
        world_free(&w);
    }
}

TEST(errors_of_ipv6_about_our_packets_are_handed_up)
{
    static const struct {
        uint8_t type, code;
        enum icmp_error_kind kind;
    } rows[] = {
        {1, 0, ICMP_ERROR_NET},       {1, 1, ICMP_ERROR_ADMIN},    {1, 3, ICMP_ERROR_HOST},
        {1, 4, ICMP_ERROR_PORT},      {2, 0, ICMP_ERROR_TOO_BIG},  {3, 0, ICMP_ERROR_TIME_EXCEEDED},
        {4, 0, ICMP_ERROR_PARAMETER}, {4, 1, ICMP_ERROR_PROTOCOL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = world_of_icmp();
        uint8_t quoted[88];
        struct icmp_message m = {.type = rows[i].type, .code = rows[i].code, .word = 1300};

        memcpy(quoted, udp6("2001:db8::1", "2001:db8:9::9", 40).bytes, sizeof quoted);
        m.body = span_of(quoted, sizeof quoted);
        EXPECT_EQ(world_in_ip(w, w->tun, icmp6("2001:db8::2", "2001:db8::1", m)), IP_ICMP_ERROR);
        EXPECT_EQ(w->packet.error.kind, rows[i].kind);
        EXPECT_EQ(w->packet.error.mtu, rows[i].kind == ICMP_ERROR_TOO_BIG ? 1300 : 0);
        EXPECT_EQ(w->packet.error.transport.len, 48);
        world_free(&w);
    }
}

TEST(errors_about_packets_of_others_are_dropped)
{
    struct world *w = world_of_icmp();
    uint8_t quoted[28];
    struct icmp_message m = {.type = ICMP4_UNREACHABLE, .code = ICMP4_PORT_UNREACHABLE};

    memcpy(quoted, udp4("10.0.0.77", "198.51.100.1", 500).bytes, sizeof quoted);
    m.body = span_of(quoted, sizeof quoted);
    EXPECT_EQ(world_in_ip(w, w->tun, icmp4("10.0.0.2", "10.0.0.1", m)), IP_CONSUMED);
    EXPECT_EQ(w->dropped[WHY_ICMP_NOT_OURS], 1);

    /* Too little of it to say whose it was. */
    memcpy(quoted, udp4("10.0.0.1", "198.51.100.1", 500).bytes, sizeof quoted);
    for (size_t len = 0; len < sizeof quoted; len++) {
        m.body = span_of(quoted, len);
        EXPECT_EQ(world_in_ip(w, w->tun, icmp4("10.0.0.2", "10.0.0.1", m)), IP_CONSUMED);
    }
    EXPECT_EQ(w->dropped[WHY_ICMP_MALFORMED], sizeof quoted);

    /* A code that nobody has defined. */
    m.code = 99;
    m.body = span_of(quoted, sizeof quoted);
    EXPECT_EQ(world_in_ip(w, w->tun, icmp4("10.0.0.2", "10.0.0.1", m)), IP_CONSUMED);
    EXPECT_EQ(w->dropped[WHY_ICMP_UNKNOWN], 1);
    world_free(&w);
}

TEST(messages_that_ask_nothing_of_us_are_counted)
{
    struct world *w = world_of_icmp();
    struct icmp_message timestamp = {.type = 13, .body = pattern(12)};
    struct icmp_message query = {.type = 130, .body = pattern(16)};
    struct icmp_message unknown_error = {.type = 100, .body = pattern(60)};
    struct icmp_message unknown_code = {.type = 1, .code = 50, .body = pattern(60)};
    struct icmp_message not_a_packet = {.type = 1, .body = pattern(60)};

    world_in_ip(w, w->tun, icmp4("10.0.0.2", "10.0.0.1", timestamp));
    world_in_ip(w, w->tun, icmp6("2001:db8::2", "2001:db8::1", query));
    world_in_ip(w, w->tun, icmp6("2001:db8::2", "2001:db8::1", unknown_error));
    world_in_ip(w, w->tun, icmp6("2001:db8::2", "2001:db8::1", unknown_code));
    EXPECT_EQ(w->dropped[WHY_ICMP_UNKNOWN], 4);
    world_in_ip(w, w->tun, icmp6("2001:db8::2", "2001:db8::1", not_a_packet));
    EXPECT_EQ(w->dropped[WHY_ICMP_MALFORMED], 1);
    EXPECT(!world_out(w, w->tun));
    world_free(&w);
}

TEST(error_that_quotes_the_other_version_is_malformed)
{
    struct world *w = world_of_icmp();
    uint8_t quoted[60];
    struct icmp_message m = {.type = ICMP4_UNREACHABLE, .code = ICMP4_PORT_UNREACHABLE};

    memcpy(quoted, udp6("2001:db8::1", "2001:db8::9", 40).bytes, sizeof quoted);
    m.body = span_of(quoted, sizeof quoted);
    EXPECT_EQ(world_in_ip(w, w->tun, icmp4("10.0.0.2", "10.0.0.1", m)), IP_CONSUMED);
    EXPECT_EQ(w->dropped[WHY_ICMP_MALFORMED], 1);
    world_free(&w);
}

TEST(redirect_from_the_first_hop_is_followed) /* [RFC1122 3.2.2.2] */
{
    struct world *w = world_of_two();
    struct weir_addr far = addr("198.51.100.1");
    uint8_t quoted[28];
    struct icmp_message m = {.type = ICMP4_REDIRECT, .code = 1, .word = 0xc0000203};
    struct ip_path path;

    add_route(w, "0.0.0.0/0", "192.0.2.2", w->eth);
    memcpy(quoted, udp4("192.0.2.1", "198.51.100.1", 500).bytes, sizeof quoted);
    m.body = span_of(quoted, sizeof quoted);

    /* From somebody else, or to a router that is not on the link, or to ourselves. */
    world_in_ip(w, w->eth, icmp4("192.0.2.9", "192.0.2.1", m));
    m.word = 0xc6336402;
    world_in_ip(w, w->eth, icmp4("192.0.2.2", "192.0.2.1", m));
    m.word = 0xc0000201;
    world_in_ip(w, w->eth, icmp4("192.0.2.2", "192.0.2.1", m));
    EXPECT_EQ(w->dropped[WHY_ICMP_NOT_OURS], 3);
    EXPECT_EQ(ip_route(&w->ip, &far, NULL, 0, &path), WEIR_OK);
    EXPECT_ADDR(path.next_hop, "192.0.2.2");

    m.word = 0xc0000203;
    world_in_ip(w, w->eth, icmp4("192.0.2.2", "192.0.2.1", m));
    EXPECT(!ip_path_is_current(&w->ip, &path));
    EXPECT_EQ(ip_route(&w->ip, &far, NULL, 0, &path), WEIR_OK);
    EXPECT_ADDR(path.next_hop, "192.0.2.3");
    world_free(&w);
}
