/*
 * test_input.c - which frames are for us, and which packets cannot be
 */
#include "unit/ip/world.h"

#include "ip/ip4.h"
#include <string.h>
#include <weir/err.h>
#include <weir/trace.h>

/* An Ethernet frame around a packet. */
static struct span framed(struct eth_header h, struct span packet)
{
    static uint8_t bytes[WORLD_BYTES];
    size_t len;

    if (h.type == 0)
        h.type = ETH_TYPE_IP4;
    len = eth_emit(&h, bytes, sizeof bytes);
    memcpy(bytes + len, packet.bytes, packet.len);
    return span_of(bytes, len + packet.len);
}

static enum ip_verdict give(struct world *w, struct netif *netif, struct span s)
{
    return world_in(w, netif, s.bytes, s.len);
}

TEST(frames_for_other_stations_are_dropped)
{
    struct world *w = world_of_two();
    struct span packet = udp4("192.0.2.2", "192.0.2.1", 10);
    struct eth_header h = {.dst = mac(1), .src = mac(2)};

    EXPECT_EQ(give(w, w->eth, framed(h, packet)), IP_TRANSPORT);
    h.dst = mac(7);
    EXPECT_EQ(give(w, w->eth, framed(h, packet)), IP_CONSUMED);
    EXPECT_EQ(w->dropped[WHY_LINK_NOT_OURS], 1);
    /* To everybody on the link, but to our own address [RFC1122 3.3.6]. */
    h.dst = eth_addr_broadcast();
    EXPECT_EQ(give(w, w->eth, framed(h, packet)), IP_CONSUMED);
    EXPECT_EQ(w->dropped[WHY_LINK_NOT_OURS], 2);
    h.dst = mac(1);
    h.type = 0x88cc;
    EXPECT_EQ(give(w, w->eth, framed(h, packet)), IP_CONSUMED);
    EXPECT_EQ(w->dropped[WHY_LINK_PROTOCOL], 1);
    world_free(&w);
}

TEST(frames_of_other_vlans_are_dropped)
{
    struct weir_netif_config config = {.name = "vlan5",
                                       .link = WEIR_LINK_ETHERNET,
                                       .mac = {2, 0, 0, 0, 0, 1},
                                       .vlan = 5,
                                       .mtu = 1500};
    struct world *w = world_of_two();
    struct span packet;
    struct eth_header h = {.dst = mac(1), .src = mac(2)};
    struct ip_path path = {0};
    struct netif *vlan;
    weir_netif_t id;

    EXPECT_EQ(netif_add(&w->ip, &config, &id), WEIR_OK);
    vlan = netif_find(&w->ip, id);
    add_addr(w, vlan, "203.0.113.1/24");
    world_wait(w, 10 * NS_S);
    world_forget_output(w);
    packet = udp4("203.0.113.2", "203.0.113.1", 10);

    EXPECT_EQ(give(w, vlan, framed(h, packet)), IP_CONSUMED);
    h.vlan_count = 1;
    h.vlans[0] = (struct eth_vlan){ETH_TYPE_VLAN, 6};
    EXPECT_EQ(give(w, vlan, framed(h, packet)), IP_CONSUMED);
    h.vlans[0].control = 0xe005; /* the priority does not matter */
    EXPECT_EQ(give(w, vlan, framed(h, packet)), IP_TRANSPORT);
    EXPECT_EQ(w->dropped[WHY_LINK_VLAN], 2);

    world_send(w, &path, "203.0.113.2", 10);
    EXPECT(world_out(w, vlan));
    EXPECT(w->is_arp);
    EXPECT_EQ(w->link.vlan_count, 1);
    EXPECT_EQ(eth_vlan_id(&w->link.vlans[0]), 5);

    /* A tag with VLAN 0 says only a priority. */
    h.vlans[0].control = 0xe000;
    EXPECT_EQ(give(w, w->eth, framed(h, udp4("192.0.2.2", "192.0.2.1", 10))), IP_TRANSPORT);
    world_free(&w);
}

TEST(padding_of_the_link_is_cut_off)
{
    struct world *w = world_of_two();
    struct eth_header h = {.dst = mac(1), .src = mac(2)};
    struct span s = framed(h, udp4("192.0.2.2", "192.0.2.1", 1));

    EXPECT_EQ(world_in(w, w->eth, s.bytes, 60), IP_TRANSPORT);
    EXPECT_EQ(ip_packet_transport_len(&w->packet), 9);
    EXPECT_EQ(ip_packet_head(&w->packet).len, 9);
    EXPECT(ip_packet_has_good_checksum(&w->packet));
    world_free(&w);
}

TEST(slices_are_passed_on_and_padding_is_no_slice)
{
    struct world *w = world_of_two();
    uint8_t copy[200];
    struct span s = udp4("10.0.0.2", "10.0.0.1", 100);
    struct weir_frame frame = {
        .slices = {{copy, 28}, {copy + 28, 50}, {copy + 78, 50}, {copy + 128, 8}},
        .len = s.len + 8,
        .slice_count = 4};

    memcpy(copy, s.bytes, s.len);
    EXPECT_EQ(ip_input(&w->ip, w->tun, &frame, &w->packet), IP_TRANSPORT);
    EXPECT_EQ(w->packet.slice_count, 3);
    EXPECT_EQ(ip_packet_transport_len(&w->packet), 108);
    EXPECT(ip_packet_has_good_checksum(&w->packet));
    copy[100] ^= 1;
    EXPECT(!ip_packet_has_good_checksum(&w->packet));
    world_free(&w);
}

TEST(checksum_that_the_driver_vouches_for_is_not_made_again)
{
    struct world *w = world_of_two();
    uint8_t copy[200];
    struct span s = udp4("10.0.0.2", "10.0.0.1", 100);
    struct weir_frame frame = {
        .slices = {{copy, s.len}}, .len = s.len, .slice_count = 1, .flags = WEIR_FRAME_CSUM_VALID};

    memcpy(copy, s.bytes, s.len);
    copy[100] ^= 1;
    EXPECT_EQ(ip_input(&w->ip, w->tun, &frame, &w->packet), IP_TRANSPORT);
    EXPECT_EQ(w->packet.csum, IP_CSUM_VALID);
    EXPECT(ip_packet_has_good_checksum(&w->packet));
    frame.flags = WEIR_FRAME_CSUM_PARTIAL;
    EXPECT_EQ(ip_input(&w->ip, w->tun, &frame, &w->packet), IP_TRANSPORT);
    EXPECT_EQ(w->packet.csum, IP_CSUM_PARTIAL);
    world_free(&w);
}

TEST(frames_that_contradict_themselves_are_dropped)
{
    struct world *w = world_of_two();
    uint8_t bytes[40] = {0x45};
    struct weir_frame frame = {.slices = {{bytes, 40}}, .len = 40, .slice_count = 0};

    EXPECT_EQ(ip_input(&w->ip, w->tun, &frame, &w->packet), IP_CONSUMED);
    frame.slice_count = WEIR_FRAME_SLICES + 1;
    EXPECT_EQ(ip_input(&w->ip, w->tun, &frame, &w->packet), IP_CONSUMED);
    frame.slice_count = 1;
    frame.len = 50;
    EXPECT_EQ(ip_input(&w->ip, w->tun, &frame, &w->packet), IP_CONSUMED);
    EXPECT_EQ(w->dropped[WHY_LINK_SHORT], 3);
    frame.len = 0;
    frame.slices[0].len = 0;
    EXPECT_EQ(ip_input(&w->ip, w->tun, &frame, &w->packet), IP_CONSUMED);
    EXPECT_EQ(w->dropped[WHY_IP_SHORT], 1);
    world_free(&w);
}

TEST(sources_that_cannot_be_are_dropped) /* [RFC9293 MUST-63] [RFC1122 3.2.1.3] */
{
    static const struct {
        const char *src, *dst;
        bool passes;
    } rows[] = {
        {"192.0.2.2", "192.0.2.1", true},
        {"198.51.100.9", "192.0.2.1", true},
        {"0.0.0.0", "192.0.2.1", false},
        {"0.0.0.0", "255.255.255.255", true},
        {"255.255.255.255", "192.0.2.1", false},
        {"192.0.2.255", "192.0.2.1", false},
        {"224.0.0.1", "192.0.2.1", false},
        {"239.1.2.3", "192.0.2.1", false},
        {"127.0.0.1", "192.0.2.1", false},
        {"192.0.2.1", "192.0.2.1", false},
        {"10.0.0.1", "192.0.2.1", false},
        {"2001:db8::2", "2001:db8::1", true},
        {"::", "2001:db8::1", false},
        {"ff02::1", "2001:db8::1", false},
        {"::1", "2001:db8::1", false},
        {"2001:db8::1", "2001:db8::1", false},
        {"fe80::2", "2001:db8::1", true},
    };
    struct world *w = world_of_two();

    add_addr(w, w->eth, "2001:db8::1/64");
    world_wait(w, 10 * NS_S);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weir_addr dst = addr(rows[i].dst);
        struct eth_header h = {.dst = mac(1), .src = mac(2)};
        struct span packet = weir_addr_is_v4(&dst) ? udp4(rows[i].src, rows[i].dst, 10)
                                                   : udp6(rows[i].src, rows[i].dst, 10);
        uint64_t before = w->dropped[WHY_IP_SOURCE];

        h.type = weir_addr_is_v4(&dst) ? ETH_TYPE_IP4 : ETH_TYPE_IP6;
        EXPECT_EQ(give(w, w->eth, framed(h, packet)), rows[i].passes ? IP_TRANSPORT : IP_CONSUMED);
        EXPECT_EQ(w->dropped[WHY_IP_SOURCE] - before, !rows[i].passes);
    }
    world_free(&w);
}

TEST(destinations_of_others_are_dropped)
{
    static const char *const others[] = {"192.0.2.9", "127.0.0.1", "224.0.0.9",
                                         "192.0.2.0", "8.8.8.8",   "0.0.0.0"};
    struct world *w = world_of_two();

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        EXPECT_EQ(world_in_ip(w, w->tun, udp4("10.0.0.2", others[i], 10)), IP_CONSUMED);
    EXPECT_EQ(w->dropped[WHY_IP_NOT_OURS], 6);
    EXPECT_EQ(world_in_ip(w, w->tun, udp6("2001:db8::2", "2001:db8::3", 10)), IP_CONSUMED);
    EXPECT_EQ(world_in_ip(w, w->tun, udp6("2001:db8::2", "::1", 10)), IP_CONSUMED);
    EXPECT_EQ(w->dropped[WHY_IP_NOT_OURS], 8);
    EXPECT(!world_out(w, w->tun));
    world_free(&w);
}

TEST(packets_to_groups_are_marked)
{
    struct world *w = world_of_two();

    EXPECT_EQ(world_in_ip(w, w->tun, udp4("10.0.0.2", "10.0.0.255", 10)), IP_TRANSPORT);
    EXPECT(w->packet.is_group);
    EXPECT_EQ(world_in_ip(w, w->tun, udp4("10.0.0.2", "224.0.0.1", 10)), IP_TRANSPORT);
    EXPECT(w->packet.is_group);
    EXPECT_EQ(world_in_ip(w, w->tun, udp4("10.0.0.2", "10.0.0.1", 10)), IP_TRANSPORT);
    EXPECT(!w->packet.is_group);
    world_free(&w);
}

TEST(source_routed_packets_are_dropped) /* docs/deviations.md */
{
    static const uint8_t loose[8] = {IP4_OPTION_LOOSE_ROUTE, 7, 8, 192, 0, 2, 7, 0};
    static const uint8_t strict[8] = {IP4_OPTION_STRICT_ROUTE, 7, 4, 10, 0, 0, 9, 0};
    struct world *w = world_of_two();
    struct ip4_header h = {.src = addr("10.0.0.2"),
                           .dst = addr("10.0.0.1"),
                           .protocol = IP_PROTOCOL_UDP,
                           .options = span_of(loose, sizeof loose)};

    EXPECT_EQ(world_in_ip(w, w->tun, ip4(h, pattern(20))), IP_CONSUMED);
    h.options = span_of(strict, sizeof strict);
    EXPECT_EQ(world_in_ip(w, w->tun, ip4(h, pattern(20))), IP_CONSUMED);
    EXPECT_EQ(w->dropped[WHY_IP_SOURCE_ROUTE], 2);
    EXPECT(!world_out(w, w->tun));
    world_free(&w);
}

TEST(options_we_do_not_know_are_ignored) /* [RFC9293 MUST-50] */
{
    static const uint8_t options[12] = {
        IP4_OPTION_NOP, IP4_OPTION_RECORD_ROUTE, 7, 4, 0, 0, 0, 0, 0x94, 4, 0, 0};
    static const uint8_t unknown[4] = {0x5e, 4, 1, 2};
    struct world *w = world_of_two();
    struct ip4_header h = {.src = addr("10.0.0.2"),
                           .dst = addr("10.0.0.1"),
                           .protocol = IP_PROTOCOL_TCP,
                           .options = span_of(options, sizeof options)};

    EXPECT_EQ(world_in_ip(w, w->tun, ip4(h, pattern(20))), IP_TRANSPORT);
    EXPECT_EQ(w->packet.header_len, 32);
    h.options = span_of(unknown, sizeof unknown);
    EXPECT_EQ(world_in_ip(w, w->tun, ip4(h, pattern(20))), IP_TRANSPORT);
    EXPECT_EQ(ip_packet_transport_len(&w->packet), 20);
    world_free(&w);
}

TEST(malformed_options_are_told_to_the_sender) /* [RFC1122 3.2.2.5] */
{
    static const uint8_t options[4] = {IP4_OPTION_NOP, IP4_OPTION_TIMESTAMP, 40, 0};
    struct world *w = world_of_two();
    struct ip4_header h = {.src = addr("10.0.0.2"),
                           .dst = addr("10.0.0.1"),
                           .protocol = IP_PROTOCOL_UDP,
                           .options = span_of(options, sizeof options)};

    EXPECT_EQ(world_in_ip(w, w->tun, ip4(h, pattern(20))), IP_CONSUMED);
    EXPECT_EQ(w->dropped[WHY_IP_OPTIONS], 1);
    EXPECT(world_out(w, w->tun));
    EXPECT_EQ(w->pkt.icmp.type, ICMP4_PARAMETER_PROBLEM);
    world_free(&w);
}

TEST(unknown_ipv6_options_are_told_as_they_ask) /* [RFC8200 4.2] */
{
    /* The option's type, and whether the sender is told if it went to us or to a group. */
    static const struct {
        uint8_t type;
        bool is_dropped, told, told_of_group;
    } rows[] = {{0x1e, false, false, false},
                {0x5e, true, false, false},
                {0x9e, true, true, true},
                {0xde, true, true, false}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = world_of_two();
        uint8_t options[8] = {IP_PROTOCOL_UDP, 0, rows[i].type, 4};
        struct ip6_header h = {.src = addr("2001:db8::2"),
                               .dst = addr("2001:db8::1"),
                               .protocol = IP_PROTOCOL_UDP,
                               .next_header = IP_PROTOCOL_DESTINATION,
                               .extensions = span_of(options, sizeof options)};

        add_addr(w, w->tun, "2001:db8::1/64");
        EXPECT_EQ(world_in_ip(w, w->tun, ip6(h, pattern(20))),
                  rows[i].is_dropped ? IP_CONSUMED : IP_TRANSPORT);
        EXPECT_EQ(w->dropped[WHY_IP_UNKNOWN_OPTION], rows[i].is_dropped);
        EXPECT_EQ(world_out(w, w->tun), rows[i].told);
        if (rows[i].told) {
            EXPECT_EQ(w->pkt.icmp.type, ICMP6_PARAMETER_PROBLEM);
            EXPECT_EQ(w->pkt.icmp.code, IP6_PROBLEM_OPTION);
            EXPECT_EQ(w->pkt.icmp.word, 42);
        }
        h.dst = addr("ff02::1");
        world_in_ip(w, w->tun, ip6(h, pattern(20)));
        EXPECT_EQ(world_out(w, w->tun), rows[i].told_of_group);
        world_free(&w);
    }
}

TEST(any_bytes_are_survived)
{
    struct world *w = world_of_two();
    uint64_t seed = test_seed();
    uint8_t bytes[300];

    add_addr(w, w->tun, "2001:db8::1/64");
    for (int i = 0; i < 20000; i++) {
        size_t len = test_random_below(&seed, sizeof bytes);
        struct span s = i % 2 == 0 ? udp4("10.0.0.2", "10.0.0.1", 100)
                                   : udp6("2001:db8::2", "2001:db8::1", 100);
        uint32_t changes = test_random_below(&seed, 6);
        struct netif *netif = i % 3 == 0 ? w->eth : w->tun;

        if (i % 5 == 0)
            s = icmp6("2001:db8::2", "2001:db8::1",
                      (struct icmp_message){.type = 135, .body = pattern(90)});
        if (i % 7 == 0)
            s = icmp4("10.0.0.2", "10.0.0.1",
                      (struct icmp_message){.type = 3, .body = udp4("10.0.0.1", "10.0.0.9", 60)});
        memcpy(bytes, s.bytes, s.len < sizeof bytes ? s.len : sizeof bytes);
        for (uint32_t j = 0; j < changes; j++)
            bytes[test_random_below(&seed, 80)] = (uint8_t)test_random(&seed);
        world_in(w, netif, bytes, len);
        world_forget_output(w);
    }
    world_free(&w);
}

/* ---- back to ourselves ---- */

static enum ip_verdict take_back(struct world *w, struct netif *netif)
{
    static struct frame *kept;
    enum ip_verdict verdict;

    kept = frames_take(&netif->back);
    EXPECT(kept != NULL);
    verdict = ip_input_back(&w->ip, netif, kept, &w->packet);
    if (verdict != IP_CONSUMED)
        ip_packet_fini(&w->ip, &w->packet);
    frame_put(&w->frames, &w->bufs, &kept);
    return verdict;
}

TEST(packets_to_our_own_address_come_back)
{
    struct world *w = world_of_two();
    struct ip_path path = {0};

    EXPECT_EQ(world_send(w, &path, "192.0.2.1", 5000), WHY_NONE);
    EXPECT(path.is_local);
    EXPECT_EQ(path.mtu, 65535);
    EXPECT(!world_out(w, w->eth));
    EXPECT_EQ(take_back(w, w->eth), IP_TRANSPORT);
    EXPECT_EQ(w->packet.csum, IP_CSUM_PARTIAL);
    EXPECT(weir_addr_eq(&w->packet.src, &w->packet.dst));
    world_free(&w);
}

TEST(loopback_interface_has_all_of_its_net)
{
    struct weir_netif_config config = {
        .name = "lo", .link = WEIR_LINK_IP, .mtu = 65535, .loopback = true};
    static const char *const dsts[] = {"127.0.0.1", "127.0.0.1", "127.9.9.9", "::1"};
    struct world *w = world_of_two();
    struct netif *lo;
    weir_netif_t id;

    EXPECT_EQ(netif_add(&w->ip, &config, &id), WEIR_OK);
    lo = netif_find(&w->ip, id);
    add_addr(w, lo, "127.0.0.1/8");
    add_addr(w, lo, "::1/128");
    for (size_t i = 0; i < sizeof dsts / sizeof dsts[0]; i++) {
        struct ip_path path = {0};

        EXPECT_EQ(world_send(w, &path, dsts[i], 100), WHY_NONE);
        EXPECT(path.netif == lo);
        EXPECT_EQ(take_back(w, lo), IP_TRANSPORT);
    }
    /* From outside there is no such thing. */
    EXPECT_EQ(world_in_ip(w, w->tun, udp4("127.0.0.1", "10.0.0.1", 10)), IP_CONSUMED);
    EXPECT_EQ(world_in_ip(w, w->tun, udp4("10.0.0.2", "127.0.0.1", 10)), IP_CONSUMED);
    world_free(&w);
}

TEST(error_about_a_packet_to_ourselves_comes_back_too)
{
    struct world *w = world_of_two();
    struct ip_path path = {0};
    struct frame *frame;

    EXPECT_EQ(world_send(w, &path, "10.0.0.1", 300), WHY_NONE);
    frame = frames_take(&w->tun->back);
    EXPECT_EQ(ip_input_back(&w->ip, w->tun, frame, &w->packet), IP_TRANSPORT);
    icmp_send_port_unreachable(&w->ip, &w->packet);
    frame_put(&w->frames, &w->bufs, &frame);
    EXPECT_EQ(take_back(w, w->tun), IP_ICMP_ERROR);
    EXPECT_EQ(w->packet.error.kind, ICMP_ERROR_PORT);
    world_free(&w);
}

/* ---- tracing ---- */

struct seen {
    int in, out, drops;
    size_t why;
    size_t packet_len;
};

static void see(void *ctx, const struct weir_trace *t)
{
    struct seen *seen = ctx;

    seen->in += t->kind == WEIR_TRACE_PACKET_IN;
    seen->out += t->kind == WEIR_TRACE_PACKET_OUT;
    if (t->kind == WEIR_TRACE_DROP) {
        seen->drops++;
        seen->why = t->why;
    } else {
        seen->packet_len = t->packet_len;
    }
}

TEST(what_is_used_up_and_what_is_sent_is_traced)
{
    struct world *w = world_of_two();
    struct seen seen = {0};
    struct icmp_message m = {.type = ICMP4_ECHO_REQUEST, .body = pattern(30)};
    struct ip_path path = {0};

    w->tracer = (struct tracer){see, &seen};
    world_in_ip(w, w->tun, icmp4("10.0.0.2", "10.0.0.1", m));
    EXPECT_EQ(seen.in, 1);
    EXPECT_EQ(seen.out, 1);
    EXPECT_EQ(seen.drops, 0);
    EXPECT_EQ(seen.packet_len, 58);
    world_in_ip(w, w->tun, udp4("10.0.0.2", "10.0.0.9", 10));
    EXPECT_EQ(seen.in, 2);
    EXPECT_EQ(seen.drops, 1);
    EXPECT_EQ(seen.why, WHY_IP_NOT_OURS);
    /* What is handed up is the receiver's to trace. */
    world_in_ip(w, w->tun, udp4("10.0.0.2", "10.0.0.1", 10));
    EXPECT_EQ(seen.in, 2);
    world_send(w, &path, "10.0.0.2", 10);
    EXPECT_EQ(seen.out, 2);
    world_free(&w);
}
