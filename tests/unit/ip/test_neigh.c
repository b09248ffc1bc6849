/*
 * test_neigh.c - conversations of ARP and NDP, and what is remembered of them
 */
#include "unit/ip/world.h"

#include <stdio.h>
#include <weir/err.h>

static struct neigh *peer4(struct world *w)
{
    struct weir_addr a = addr("192.0.2.2");

    return neigh_find(&w->ip, w->eth, &a);
}

/* The peer answers an ARP request of ours. */
static void answer_arp(struct world *w)
{
    struct arp_packet p = {
        .sender_mac = mac(2),
        .sender_addr = addr("192.0.2.2"),
        .target_mac = mac(1),
        .target_addr = addr("192.0.2.1"),
    };
    struct span s = arp(ARP_REPLY, p);

    world_in(w, w->eth, s.bytes, s.len);
}

static void expect_arp_request(struct world *w, const char *target)
{
    EXPECT(world_out(w, w->eth));
    EXPECT(w->is_arp);
    EXPECT_EQ(w->arp.op, ARP_REQUEST);
    EXPECT_ADDR(w->arp.sender_addr, "192.0.2.1");
    EXPECT_ADDR(w->arp.target_addr, target);
}

/* Resolves the peer and throws away what was said. */
static void resolve(struct world *w, struct ip_path *path)
{
    world_send(w, path, "192.0.2.2", 10);
    answer_arp(w);
    world_forget_output(w);
    EXPECT_EQ(peer4(w)->state, NEIGH_REACHABLE);
}

TEST(arp_first_packet_waits_for_the_answer) /* [RFC826] [RFC1122 2.3.2.2] */
{
    struct world *w = world_of_two();
    struct ip_path path = {0};

    EXPECT_EQ(world_send(w, &path, "192.0.2.2", 10), WHY_NONE);
    expect_arp_request(w, "192.0.2.2");
    EXPECT(eth_addr_is_group(&w->link.dst));
    EXPECT(!world_out(w, w->eth));
    EXPECT_EQ(peer4(w)->state, NEIGH_INCOMPLETE);

    answer_arp(w);
    EXPECT_EQ(peer4(w)->state, NEIGH_REACHABLE);
    EXPECT(world_out(w, w->eth));
    EXPECT(!w->is_arp);
    EXPECT_ADDR(w->pkt.dst, "192.0.2.2");
    EXPECT_EQ(w->link.dst.b[5], 2);

    /* From now on packets go at once. */
    EXPECT_EQ(world_send(w, &path, "192.0.2.2", 10), WHY_NONE);
    EXPECT(world_out(w, w->eth));
    EXPECT(!w->is_arp);
    EXPECT(path.neigh == peer4(w));
    world_free(&w);
}

TEST(arp_waiting_packets_are_bounded_and_the_newest_stay) /* [RFC4861 7.2.2] */
{
    struct world *w = world_of_two();
    struct ip_path path = {0};

    for (size_t i = 0; i < 6; i++)
        EXPECT_EQ(world_send(w, &path, "192.0.2.2", 100 + i), WHY_NONE);
    EXPECT_EQ(w->dropped[WHY_NEIGH_FULL], 2);
    expect_arp_request(w, "192.0.2.2");
    EXPECT(!world_out(w, w->eth));
    answer_arp(w);
    for (size_t i = 2; i < 6; i++) {
        EXPECT(world_out(w, w->eth));
        EXPECT_EQ(w->pkt.transport_len, 108 + i);
    }
    EXPECT(!world_out(w, w->eth));
    EXPECT_EQ(w->ip.neighs.waiting, 0);
    world_free(&w);
}

TEST(arp_without_an_answer_fails_after_three_requests) /* [RFC4861 7.2.2] */
{
    struct world *w = world_of_two();
    struct ip_path path = {0};
    struct icmp_error error;

    world_send(w, &path, "192.0.2.2", 10);
    for (int i = 0; i < 3; i++) {
        expect_arp_request(w, "192.0.2.2");
        EXPECT(!world_out(w, w->eth));
        EXPECT_EQ(peer4(w)->state, NEIGH_INCOMPLETE);
        EXPECT_EQ(world_deadline(w), w->ip.now + NS_S);
        world_wait(w, NS_S);
    }
    EXPECT_EQ(peer4(w)->state, NEIGH_FAILED);
    EXPECT_EQ(w->dropped[WHY_NEIGH_FAILED], 1);
    EXPECT_EQ(world_deadline(w), w->ip.now);

    EXPECT(ip_take_failure(&w->ip, &error));
    EXPECT_EQ(error.kind, ICMP_ERROR_HOST);
    EXPECT_EQ(error.protocol, IP_PROTOCOL_UDP);
    EXPECT_ADDR(error.dst, "192.0.2.2");
    EXPECT(error.transport.len >= 8);
    EXPECT(!ip_take_failure(&w->ip, &error));

    /* The next packet tries again. */
    world_send(w, &path, "192.0.2.2", 10);
    expect_arp_request(w, "192.0.2.2");
    world_free(&w);
}

TEST(neigh_reachable_turns_stale_delay_probe_and_back) /* [RFC4861 7.3] */
{
    struct world *w = world_of_two();
    struct ip_path path = {0};

    resolve(w, &path);
    world_wait(w, w->eth->reachable_ns + NS_US);
    EXPECT_EQ(peer4(w)->state, NEIGH_REACHABLE); /* nobody has asked */
    world_send(w, &path, "192.0.2.2", 10);
    EXPECT_EQ(peer4(w)->state, NEIGH_DELAY);
    EXPECT(world_out(w, w->eth) && !w->is_arp);

    world_wait(w, 5 * NS_S);
    EXPECT_EQ(peer4(w)->state, NEIGH_PROBE);
    expect_arp_request(w, "192.0.2.2");
    EXPECT_EQ(w->link.dst.b[5], 2); /* by unicast */

    /* Packets go on meanwhile. */
    world_send(w, &path, "192.0.2.2", 10);
    EXPECT(world_out(w, w->eth) && !w->is_arp);
    answer_arp(w);
    EXPECT_EQ(peer4(w)->state, NEIGH_REACHABLE);
    world_free(&w);
}

TEST(neigh_probe_without_an_answer_fails) /* [RFC4861 7.3.3] */
{
    struct world *w = world_of_two();
    struct ip_path path = {0};
    uint32_t epoch;

    resolve(w, &path);
    world_wait(w, w->eth->reachable_ns + NS_US);
    world_send(w, &path, "192.0.2.2", 10);
    epoch = w->ip.epoch;
    world_wait(w, 5 * NS_S);
    world_wait(w, 2 * NS_S);
    EXPECT_EQ(peer4(w)->state, NEIGH_PROBE);
    world_wait(w, NS_S);
    EXPECT_EQ(peer4(w)->state, NEIGH_FAILED);
    EXPECT(w->ip.epoch != epoch); /* another router may be better now */
    world_free(&w);
}

TEST(neigh_progress_of_the_transport_confirms) /* [RFC4861 7.3.1] */
{
    struct world *w = world_of_two();
    struct ip_path path = {0};

    resolve(w, &path);
    world_wait(w, w->eth->reachable_ns + NS_US);
    world_send(w, &path, "192.0.2.2", 10);
    EXPECT_EQ(peer4(w)->state, NEIGH_DELAY);
    neigh_confirm(&w->ip, &path);
    EXPECT_EQ(peer4(w)->state, NEIGH_REACHABLE);
    world_forget_output(w);
    world_wait(w, 6 * NS_S);
    EXPECT(!world_out(w, w->eth)); /* no probe */

    world_wait(w, w->eth->reachable_ns - 6 * NS_S);
    neigh_confirm(&w->ip, &path);
    world_wait(w, w->eth->reachable_ns - NS_S);
    world_send(w, &path, "192.0.2.2", 10);
    EXPECT_EQ(peer4(w)->state, NEIGH_REACHABLE);
    world_free(&w);
}

TEST(arp_request_for_us_is_answered_and_remembered) /* [RFC826] */
{
    struct world *w = world_of_two();
    struct arp_packet p = {
        .sender_mac = mac(2), .sender_addr = addr("192.0.2.2"), .target_addr = addr("192.0.2.1")};
    struct span s = arp(ARP_REQUEST, p);

    world_in(w, w->eth, s.bytes, s.len);
    EXPECT(world_out(w, w->eth));
    EXPECT_EQ(w->arp.op, ARP_REPLY);
    EXPECT_ADDR(w->arp.sender_addr, "192.0.2.1");
    EXPECT_ADDR(w->arp.target_addr, "192.0.2.2");
    EXPECT_EQ(w->arp.target_mac.b[5], 2);
    EXPECT_EQ(w->link.dst.b[5], 2);
    EXPECT_EQ(peer4(w)->state, NEIGH_STALE);
    world_free(&w);
}

TEST(arp_of_others_makes_no_entry)
{
    struct world *w = world_of_two();
    struct arp_packet p = {
        .sender_mac = mac(3), .sender_addr = addr("192.0.2.3"), .target_addr = addr("192.0.2.4")};
    struct span s = arp(ARP_REQUEST, p);

    world_in(w, w->eth, s.bytes, s.len);
    s = arp(ARP_REPLY, p);
    world_in(w, w->eth, s.bytes, s.len);
    EXPECT_EQ(w->ip.neighs.used, 0);
    EXPECT_EQ(w->dropped[WHY_ARP_NOT_OURS], 2);
    EXPECT(!world_out(w, w->eth));
    world_free(&w);
}

TEST(arp_unasked_reply_changes_the_address_but_proves_nothing)
{
    struct world *w = world_of_two();
    struct ip_path path = {0};
    struct arp_packet p = {
        .sender_mac = mac(9), .sender_addr = addr("192.0.2.2"), .target_addr = addr("192.0.2.1")};
    struct span s;

    resolve(w, &path);
    s = arp(ARP_REPLY, p);
    world_in(w, w->eth, s.bytes, s.len);
    EXPECT_EQ(peer4(w)->mac.b[5], 9);
    EXPECT_EQ(peer4(w)->state, NEIGH_STALE);
    world_free(&w);
}

TEST(arp_probe_from_nobody_is_answered) /* [RFC5227 2.1.1] */
{
    struct world *w = world_of_two();
    struct arp_packet p = {
        .sender_mac = mac(2), .sender_addr = addr("0.0.0.0"), .target_addr = addr("192.0.2.1")};
    struct span s = arp(ARP_REQUEST, p);

    world_in(w, w->eth, s.bytes, s.len);
    EXPECT(world_out(w, w->eth));
    EXPECT_EQ(w->arp.op, ARP_REPLY);
    EXPECT_EQ(w->ip.neighs.used, 0);
    world_free(&w);
}

TEST(arp_impossible_senders_are_refused)
{
    struct world *w = world_of_two();
    struct arp_packet p = {.sender_mac = {{3, 0, 0, 0, 0, 1}},
                           .sender_addr = addr("192.0.2.2"),
                           .target_addr = addr("192.0.2.1")};
    struct span s = arp(ARP_REQUEST, p);

    world_in(w, w->eth, s.bytes, s.len);
    p.sender_mac = mac(2);
    p.sender_addr = addr("224.0.0.5");
    s = arp(ARP_REQUEST, p);
    world_in(w, w->eth, s.bytes, s.len);
    p.sender_addr = addr("255.255.255.255");
    s = arp(ARP_REQUEST, p);
    world_in(w, w->eth, s.bytes, s.len);
    p.sender_addr = addr("127.0.0.1");
    s = arp(ARP_REQUEST, p);
    world_in(w, w->eth, s.bytes, s.len);
    EXPECT_EQ(w->dropped[WHY_ARP_MALFORMED], 4);
    EXPECT_EQ(w->ip.neighs.used, 0);
    EXPECT(!world_out(w, w->eth));
    world_free(&w);
}

TEST(arp_truncated_is_malformed)
{
    struct world *w = world_of_two();
    struct arp_packet p = {.sender_mac = mac(2), .sender_addr = addr("192.0.2.2")};
    struct span s = arp(ARP_REQUEST, p);

    for (size_t len = ETH_HEADER_LEN; len < s.len; len++)
        world_in(w, w->eth, s.bytes, len);
    EXPECT_EQ(w->dropped[WHY_ARP_MALFORMED], ARP_LEN);
    world_free(&w);
}

TEST(neigh_cache_is_bounded_and_the_least_used_goes_first)
{
    struct world *w = world_of_two();
    struct ip_path first = {0};
    char text[32];

    resolve(w, &first);
    for (unsigned i = 0; i < 200; i++) {
        struct arp_packet p = {.sender_mac = mac(2), .target_addr = addr("192.0.2.1")};
        struct span s;

        snprintf(text, sizeof text, "192.0.2.%u", 10 + i);
        p.sender_addr = addr(text);
        s = arp(ARP_REQUEST, p);
        world_in(w, w->eth, s.bytes, s.len);
    }
    EXPECT_EQ(w->ip.neighs.used, w->config.ip.neighbours);
    EXPECT(peer4(w) == NULL);

    /* A path that remembers an entry which is somebody else's now is not misled. */
    world_forget_output(w);
    world_send(w, &first, "192.0.2.2", 10);
    expect_arp_request(w, "192.0.2.2");
    world_free(&w);
}

TEST(neigh_entries_being_resolved_make_room_last)
{
    struct world *w = world_of_two();
    char text[32];

    for (unsigned i = 0; i < 100; i++) {
        struct ip_path path = {0};

        snprintf(text, sizeof text, "192.0.2.%u", 10 + i);
        EXPECT_EQ(world_send(w, &path, text, 10), WHY_NONE);
    }
    EXPECT_EQ(w->ip.neighs.used, 64);
    EXPECT_EQ(w->ip.neighs.waiting, 64);
    EXPECT_EQ(w->dropped[WHY_NEIGH_FULL], 36);
    world_free(&w);
}

TEST(neigh_removal_of_the_interface_forgets_all)
{
    struct world *w = world_of_two();
    struct ip_path path = {0};
    weir_netif_t id = w->eth->id;

    world_send(w, &path, "192.0.2.2", 10);
    EXPECT_EQ(netif_remove(&w->ip, id), WEIR_OK);
    EXPECT_EQ(w->ip.neighs.used, 0);
    EXPECT_EQ(w->ip.neighs.waiting, 0);
    EXPECT(netif_find(&w->ip, id) == NULL);
    EXPECT_EQ(netif_remove(&w->ip, id), WEIR_EINVAL);
    EXPECT_EQ(world_deadline(w), NEVER);
    world_free(&w);
}

/* ---- IPv6 ---- */

static struct world *world6(void)
{
    struct world *w = world_of_two();

    add_addr(w, w->eth, "2001:db8::1/64");
    world_wait(w, 10 * NS_S);
    world_forget_output(w);
    return w;
}

static struct neigh *peer6(struct world *w)
{
    struct weir_addr a = addr("2001:db8::2");

    return neigh_find(&w->ip, w->eth, &a);
}

static void advertise(struct world *w, struct ndp_message m)
{
    m.type = ICMP6_NEIGHBOUR_ADVERT;
    m.target = addr("2001:db8::2");
    world_in_ip(w, w->eth, ndp("2001:db8::2", "2001:db8::1", m));
}

TEST(ndp_first_packet_waits_for_the_advertisement) /* [RFC4861 7.2.2] */
{
    struct world *w = world6();
    struct ip_path path = {0};

    EXPECT_EQ(world_send(w, &path, "2001:db8::2", 10), WHY_NONE);
    EXPECT(world_out(w, w->eth));
    EXPECT(w->is_ndp);
    EXPECT_EQ(w->ndp.type, ICMP6_NEIGHBOUR_SOLICIT);
    EXPECT_ADDR(w->ndp.target, "2001:db8::2");
    EXPECT_ADDR(w->pkt.src, "2001:db8::1");
    EXPECT_ADDR(w->pkt.dst, "ff02::1:ff00:2");
    EXPECT_EQ(w->pkt.ttl, 255);
    EXPECT(w->ndp.has_source_mac);
    EXPECT_EQ(w->link.dst.b[0], 0x33);

    advertise(
        w, (struct ndp_message){
               .solicited = true, .override = true, .has_target_mac = true, .target_mac = mac(2)});
    EXPECT_EQ(peer6(w)->state, NEIGH_REACHABLE);
    EXPECT(world_out(w, w->eth));
    EXPECT_EQ(w->pkt.protocol, IP_PROTOCOL_UDP);
    EXPECT_EQ(w->link.dst.b[5], 2);
    world_free(&w);
}

TEST(ndp_unasked_advertisement_makes_no_entry) /* [RFC4861 7.2.5] */
{
    struct world *w = world6();

    advertise(w,
              (struct ndp_message){.override = true, .has_target_mac = true, .target_mac = mac(2)});
    EXPECT(peer6(w) == NULL);
    world_free(&w);
}

TEST(ndp_advertisement_rules) /* [RFC4861 7.2.5] */
{
    /* A REACHABLE entry with MAC 2 hears an advertisement. */
    static const struct {
        uint8_t mac; /* 0: none */
        bool solicited, override;
        enum neigh_state state;
        uint8_t mac_after;
    } rows[] = {
        {2, false, false, NEIGH_REACHABLE, 2}, {2, true, false, NEIGH_REACHABLE, 2},
        {9, false, false, NEIGH_STALE, 2},     {9, true, false, NEIGH_STALE, 2},
        {9, false, true, NEIGH_STALE, 9},      {9, true, true, NEIGH_REACHABLE, 9},
        {0, true, false, NEIGH_REACHABLE, 2},  {0, false, true, NEIGH_REACHABLE, 2},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = world6();
        struct ip_path path = {0};

        world_send(w, &path, "2001:db8::2", 10);
        advertise(w, (struct ndp_message){
                         .solicited = true, .has_target_mac = true, .target_mac = mac(2)});
        EXPECT_EQ(peer6(w)->state, NEIGH_REACHABLE);
        advertise(w, (struct ndp_message){.solicited = rows[i].solicited,
                                          .override = rows[i].override,
                                          .has_target_mac = rows[i].mac != 0,
                                          .target_mac = mac(rows[i].mac)});
        EXPECT_EQ(peer6(w)->state, rows[i].state);
        EXPECT_EQ(peer6(w)->mac.b[5], rows[i].mac_after);
        world_free(&w);
    }
}

TEST(ndp_solicitation_is_answered) /* [RFC4861 7.2.4] */
{
    struct world *w = world6();
    struct ndp_message m = {.type = ICMP6_NEIGHBOUR_SOLICIT,
                            .target = addr("2001:db8::1"),
                            .has_source_mac = true,
                            .source_mac = mac(2)};

    world_in_ip(w, w->eth, ndp("2001:db8::2", "ff02::1:ff00:1", m));
    EXPECT_EQ(peer6(w)->state, NEIGH_DELAY); /* heard of, and used for the answer */
    EXPECT(world_out(w, w->eth));
    EXPECT_EQ(w->ndp.type, ICMP6_NEIGHBOUR_ADVERT);
    EXPECT_ADDR(w->ndp.target, "2001:db8::1");
    EXPECT_ADDR(w->pkt.dst, "2001:db8::2");
    EXPECT(w->ndp.solicited && w->ndp.override && !w->ndp.from_router);
    EXPECT_EQ(w->ndp.target_mac.b[5], 1);
    EXPECT_EQ(w->pkt.ttl, 255);
    world_free(&w);
}

TEST(ndp_probe_for_our_address_is_answered_to_all) /* [RFC4861 7.2.4] */
{
    struct world *w = world6();
    struct ndp_message m = {.type = ICMP6_NEIGHBOUR_SOLICIT, .target = addr("2001:db8::1")};

    world_in_ip(w, w->eth, ndp("::", "ff02::1:ff00:1", m));
    EXPECT(world_out(w, w->eth));
    EXPECT_ADDR(w->pkt.dst, "ff02::1");
    EXPECT(!w->ndp.solicited);
    world_free(&w);
}

TEST(ndp_messages_that_were_forwarded_are_refused) /* [RFC4861 7.1.1] */
{
    struct world *w = world6();
    struct ndp_message m = {.type = ICMP6_NEIGHBOUR_SOLICIT, .target = addr("2001:db8::1")};
    struct span s = ndp("2001:db8::2", "2001:db8::1", m);

    ((uint8_t *)(uintptr_t)s.bytes)[7] = 254;
    world_in_ip(w, w->eth, s);
    EXPECT_EQ(w->dropped[WHY_IP_HOP_LIMIT], 1);
    EXPECT(!world_out(w, w->eth));
    world_free(&w);
}

TEST(ndp_malformed_probes_are_refused) /* [RFC4861 7.1.1] */
{
    struct world *w = world6();
    struct ndp_message m = {.type = ICMP6_NEIGHBOUR_SOLICIT,
                            .target = addr("2001:db8::1"),
                            .has_source_mac = true,
                            .source_mac = mac(2)};

    world_in_ip(w, w->eth, ndp("::", "ff02::1:ff00:1", m));
    m.has_source_mac = false;
    world_in_ip(w, w->eth, ndp("::", "ff02::1", m));
    EXPECT_EQ(w->dropped[WHY_NDP_MALFORMED], 2);
    EXPECT(!world_out(w, w->eth));
    world_free(&w);
}

TEST(ndp_router_that_is_none_any_more_loses_its_routes) /* [RFC4861 7.2.5] */
{
    struct world *w = world6();
    struct ndp_message ra = {.type = ICMP6_ROUTER_ADVERT,
                             .router_lifetime_s = 1800,
                             .has_source_mac = true,
                             .source_mac = mac(2)};
    struct ndp_message na = {.type = ICMP6_NEIGHBOUR_ADVERT,
                             .target = addr("fe80::2"),
                             .has_target_mac = true,
                             .target_mac = mac(2)};
    struct weir_addr far = addr("2001:db8:1::1");

    w->eth->slaac = true;
    world_in_ip(w, w->eth, ndp("fe80::2", "ff02::1", ra));
    EXPECT(route_find(&w->ip, &far, NULL) != NULL);
    world_in_ip(w, w->eth, ndp("fe80::2", "ff02::1", na));
    EXPECT(route_find(&w->ip, &far, NULL) == NULL);
    world_free(&w);
}

TEST(ndp_redirect_of_the_first_hop_is_followed) /* [RFC4861 8.3] */
{
    struct world *w = world6();
    struct ndp_message m = {.type = ICMP6_REDIRECT,
                            .destination = addr("2001:db8:1::1"),
                            .target = addr("fe80::3"),
                            .has_target_mac = true,
                            .target_mac = mac(3)};
    struct weir_addr far = addr("2001:db8:1::1");
    const struct route *r;
    struct ip_path path;

    add_route(w, "::/0", "fe80::2", w->eth);
    /* Somebody who is not our router has nothing to say. */
    world_in_ip(w, w->eth, ndp("fe80::9", "2001:db8::1", m));
    EXPECT_EQ(w->dropped[WHY_NDP_NOT_OURS], 1);
    world_in_ip(w, w->eth, ndp("fe80::2", "2001:db8::1", m));
    r = route_find(&w->ip, &far, NULL);
    EXPECT(r != NULL && r->origin == ROUTE_REDIRECT);
    EXPECT_EQ(ip_route(&w->ip, &far, NULL, 0, &path), WEIR_OK);
    EXPECT_ADDR(path.next_hop, "fe80::3");

    world_wait(w, 600 * NS_S);
    r = route_find(&w->ip, &far, NULL);
    EXPECT(r != NULL && r->origin == ROUTE_STATIC);
    world_free(&w);
}

TEST(ndp_probe_goes_to_the_neighbour_itself) /* [RFC4861 7.3.3] */
{
    struct world *w = world6();
    struct ip_path path = {0};

    world_send(w, &path, "2001:db8::2", 10);
    advertise(
        w, (struct ndp_message){.solicited = true, .has_target_mac = true, .target_mac = mac(2)});
    world_wait(w, w->eth->reachable_ns + NS_US);
    world_send(w, &path, "2001:db8::2", 10);
    world_forget_output(w);
    world_wait(w, 5 * NS_S);
    EXPECT(world_out(w, w->eth));
    EXPECT_EQ(w->ndp.type, ICMP6_NEIGHBOUR_SOLICIT);
    EXPECT_ADDR(w->pkt.dst, "2001:db8::2");
    EXPECT_EQ(w->link.dst.b[5], 2);
    world_free(&w);
}

TEST(ndp_solicitation_answers_a_question_of_ours) /* [RFC4861 7.2.3] */
{
    struct world *w = world6();
    struct ip_path path = {0};
    struct ndp_message m = {.type = ICMP6_NEIGHBOUR_SOLICIT,
                            .target = addr("2001:db8::1"),
                            .has_source_mac = true,
                            .source_mac = mac(2)};

    world_send(w, &path, "2001:db8::2", 10);
    world_forget_output(w);
    world_in_ip(w, w->eth, ndp("2001:db8::2", "ff02::1:ff00:1", m));
    /* What waited goes out, and whether the neighbour hears it will be checked. */
    EXPECT(world_out(w, w->eth));
    EXPECT_EQ(w->pkt.protocol, IP_PROTOCOL_UDP);
    EXPECT_EQ(peer6(w)->state, NEIGH_DELAY);
    world_free(&w);
}

TEST(neigh_that_answers_after_all_is_a_choice_again)
{
    struct world *w = world6();
    struct ip_path path = {0};
    struct icmp_error error;
    uint32_t epoch;

    world_send(w, &path, "2001:db8::2", 10);
    world_wait(w, 10 * NS_S);
    EXPECT(ip_take_failure(&w->ip, &error));
    EXPECT_EQ(peer6(w)->state, NEIGH_FAILED);
    neigh_confirm(&w->ip, &path); /* proves nothing for one without an address */
    EXPECT_EQ(peer6(w)->state, NEIGH_FAILED);
    epoch = w->ip.epoch;
    advertise(w, (struct ndp_message){.solicited = true}); /* without an address: nothing */
    EXPECT_EQ(peer6(w)->state, NEIGH_FAILED);
    advertise(
        w, (struct ndp_message){.solicited = true, .has_target_mac = true, .target_mac = mac(2)});
    EXPECT_EQ(peer6(w)->state, NEIGH_REACHABLE);
    EXPECT(w->ip.epoch != epoch);
    world_free(&w);
}

TEST(ndp_impossible_messages_are_refused) /* [RFC4861 7.1.2, 8.1] */
{
    struct world *w = world6();
    struct ndp_message na = {
        .type = ICMP6_NEIGHBOUR_ADVERT, .target = addr("2001:db8::2"), .solicited = true};
    struct ndp_message redirect = {.type = ICMP6_REDIRECT,
                                   .destination = addr("2001:db8:1::1"),
                                   .target = addr("2001:db8::3")};
    struct ndp_message rs = {.type = ICMP6_ROUTER_SOLICIT};

    world_in_ip(w, w->eth, ndp("2001:db8::2", "ff02::1", na));       /* solicited, but to all */
    world_in_ip(w, w->eth, ndp("fe80::2", "2001:db8::1", redirect)); /* not to a router */
    redirect.target = addr("fe80::3");
    world_in_ip(w, w->eth, ndp("2001:db8::2", "2001:db8::1", redirect)); /* not from one */
    EXPECT_EQ(w->dropped[WHY_NDP_MALFORMED], 3);
    /* We are no router, and a TUN has no neighbours. */
    world_in_ip(w, w->eth, ndp("fe80::2", "2001:db8::1", rs));
    add_addr(w, w->tun, "2001:db8:2::1/64");
    na.target = addr("2001:db8:2::2");
    world_in_ip(w, w->tun, ndp("2001:db8:2::2", "2001:db8:2::1", na));
    EXPECT_EQ(w->dropped[WHY_NDP_NOT_OURS], 2);
    world_free(&w);
}

TEST(neigh_packets_that_wait_are_bounded_in_all)
{
    struct world *w = world_of_two();
    char text[32];

    w->ip.config.neighbour_queue = 100;
    for (unsigned i = 0; i < 30; i++)
        for (unsigned j = 0; j < 20; j++) {
            struct ip_path path = {0};

            snprintf(text, sizeof text, "192.0.2.%u", 10 + i);
            (void)world_send(w, &path, text, 10);
            EXPECT(w->ip.neighs.waiting <= NEIGH_WAITING_TOTAL);
        }
    EXPECT_EQ(w->ip.neighs.waiting, NEIGH_WAITING_TOTAL);
    EXPECT_EQ(w->dropped[WHY_NEIGH_FULL], 30 * 20 - NEIGH_WAITING_TOTAL);
    world_free(&w);
}
