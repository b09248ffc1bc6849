/*
 * test_addrs.c - addresses: detection of duplicates, announcements, sources
 */
#include "unit/ip/world.h"

#include <weir/err.h>

static const struct ip_addr *find(struct world *w, const char *text)
{
    struct weir_addr a = addr(text);

    return addrs_find(&w->ip, NULL, &a);
}

TEST(dad_sends_one_probe_and_waits_a_second) /* [RFC4862 5.4.2] */
{
    struct world *w = world_of_two();
    ns_t sent_at;

    add_addr(w, w->eth, "2001:db8::1/64");
    EXPECT_EQ(find(w, "2001:db8::1")->state, WEIR_ADDR_TENTATIVE);
    EXPECT(world_deadline(w) <= w->ip.now + NS_S);
    w->ip.now = world_deadline(w);
    world_expire(w);
    sent_at = w->ip.now;

    EXPECT(world_out(w, w->eth));
    EXPECT_EQ(w->ndp.type, ICMP6_NEIGHBOUR_SOLICIT);
    EXPECT_ADDR(w->pkt.src, "::");
    EXPECT_ADDR(w->pkt.dst, "ff02::1:ff00:1");
    EXPECT_ADDR(w->ndp.target, "2001:db8::1");
    EXPECT(!w->ndp.has_source_mac);
    EXPECT_EQ(w->ndp.nonce.len, 6);

    world_wait(w, NS_S - NS_MS);
    EXPECT_EQ(find(w, "2001:db8::1")->state, WEIR_ADDR_TENTATIVE);
    world_wait(w, 2 * NS_MS);
    EXPECT_EQ(find(w, "2001:db8::1")->state, WEIR_ADDR_PREFERRED);
    EXPECT(w->ip.now - sent_at < 1100 * NS_MS);
    EXPECT(!world_out(w, w->eth));
    world_free(&w);
}

TEST(dad_conflict_with_an_advertisement) /* [RFC4862 5.4.4] */
{
    struct world *w = world_of_two();
    struct ndp_message m = {.type = ICMP6_NEIGHBOUR_ADVERT,
                            .target = addr("2001:db8::1"),
                            .has_target_mac = true,
                            .target_mac = mac(2)};
    struct weir_addr_info info;

    add_addr(w, w->eth, "2001:db8::1/64");
    world_in_ip(w, w->eth, ndp("2001:db8::1", "ff02::1", m));
    /* A packet from an address of ours is refused before that. */
    EXPECT_EQ(w->dropped[WHY_IP_SOURCE], 1);
    world_in_ip(w, w->eth, ndp("fe80::2", "ff02::1", m));
    EXPECT_EQ(find(w, "2001:db8::1")->state, WEIR_ADDR_DUPLICATE);
    EXPECT_EQ(w->dropped[WHY_ARP_CONFLICT], 1);
    world_wait(w, 10 * NS_S);
    EXPECT_EQ(find(w, "2001:db8::1")->state, WEIR_ADDR_DUPLICATE);
    EXPECT(addrs_at(&w->ip, 3, &info));
    EXPECT_EQ(info.state, WEIR_ADDR_DUPLICATE);
    EXPECT_EQ(world_in_ip(w, w->eth, udp6("2001:db8::2", "2001:db8::1", 10)), IP_CONSUMED);
    world_free(&w);
}

TEST(dad_conflict_with_another_probe) /* [RFC4862 5.4.3] */
{
    struct world *w = world_of_two();
    struct ndp_message m = {.type = ICMP6_NEIGHBOUR_SOLICIT, .target = addr("2001:db8::1")};

    add_addr(w, w->eth, "2001:db8::1/64");
    world_in_ip(w, w->eth, ndp("::", "ff02::1:ff00:1", m));
    EXPECT_EQ(find(w, "2001:db8::1")->state, WEIR_ADDR_DUPLICATE);
    world_free(&w);
}

TEST(dad_own_probe_that_comes_back_is_no_conflict) /* [RFC7527 4.2] */
{
    struct world *w = world_of_two();

    add_addr(w, w->eth, "2001:db8::1/64");
    while (!world_out(w, w->eth))
        world_wait(w, 10 * NS_MS);
    world_in_ip(w, w->eth, w->ip_bytes);
    EXPECT_EQ(find(w, "2001:db8::1")->state, WEIR_ADDR_TENTATIVE);
    world_wait(w, 2 * NS_S);
    EXPECT_EQ(find(w, "2001:db8::1")->state, WEIR_ADDR_PREFERRED);
    world_free(&w);
}

TEST(dad_address_under_detection_is_not_used) /* [RFC4862 5.4] */
{
    struct world *w = world_of_two();
    struct weir_addr dst = addr("2001:db8::2"), src = addr("2001:db8::1");
    struct ndp_message m = {.type = ICMP6_NEIGHBOUR_SOLICIT,
                            .target = src,
                            .has_source_mac = true,
                            .source_mac = mac(2)};
    struct ip_path path;

    add_addr(w, w->eth, "2001:db8::1/64");
    EXPECT_EQ(ip_route(&w->ip, &dst, &src, 0, &path), WEIR_EADDRNOTAVAIL);
    EXPECT_EQ(world_in_ip(w, w->eth, udp6("2001:db8::2", "2001:db8::1", 10)), IP_CONSUMED);
    EXPECT_EQ(w->dropped[WHY_IP_NOT_OURS], 1);
    /* Who wants to talk to it is not answered. */
    world_in_ip(w, w->eth, ndp("2001:db8::2", "ff02::1:ff00:1", m));
    EXPECT(!world_out(w, w->eth));
    EXPECT_EQ(find(w, "2001:db8::1")->state, WEIR_ADDR_TENTATIVE);
    world_free(&w);
}

TEST(ipv4_address_is_announced_twice) /* [RFC5227 2.3] */
{
    struct world *w = world_of_two();

    add_addr(w, w->eth, "192.0.2.7/24");
    world_wait(w, 0);
    for (int i = 0; i < 2; i++) {
        EXPECT(world_out(w, w->eth));
        EXPECT(w->is_arp);
        EXPECT_EQ(w->arp.op, ARP_REQUEST);
        EXPECT_ADDR(w->arp.sender_addr, "192.0.2.7");
        EXPECT_ADDR(w->arp.target_addr, "192.0.2.7");
        EXPECT(!world_out(w, w->eth));
        world_wait(w, 2 * NS_S);
    }
    world_wait(w, 20 * NS_S);
    EXPECT(!world_out(w, w->eth));
    world_free(&w);
}

TEST(ipv4_address_is_defended_once_in_ten_seconds) /* [RFC5227 2.4] */
{
    struct world *w = world_of_two();
    struct arp_packet p = {
        .sender_mac = mac(9), .sender_addr = addr("192.0.2.1"), .target_addr = addr("192.0.2.5")};
    struct span s = arp(ARP_REQUEST, p);

    world_in(w, w->eth, s.bytes, s.len);
    world_in(w, w->eth, s.bytes, s.len);
    EXPECT_EQ(w->dropped[WHY_ARP_CONFLICT], 2);
    EXPECT(world_out(w, w->eth));
    EXPECT_ADDR(w->arp.sender_addr, "192.0.2.1");
    EXPECT(!world_out(w, w->eth));
    world_wait(w, 10 * NS_S);
    world_in(w, w->eth, s.bytes, s.len);
    EXPECT(world_out(w, w->eth));
    world_free(&w);
}

TEST(addresses_that_cannot_be_had)
{
    static const char *const bad[] = {"0.0.0.0/0",   "::/64",   "224.0.0.1/24",      "ff02::1/64",
                                      "127.0.0.1/8", "::1/128", "255.255.255.255/32"};
    struct world *w = world_of_two();
    struct weir_prefix p;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        p = prefix(bad[i]);
        EXPECT_EQ(addrs_add(&w->ip, w->eth, &p), WEIR_EINVAL);
    }
    p = prefix("192.0.2.1/24");
    EXPECT_EQ(addrs_add(&w->ip, w->eth, &p), WEIR_EADDRINUSE);
    EXPECT_EQ(addrs_add(&w->ip, w->tun, &p), WEIR_EADDRINUSE);
    p = prefix("192.0.2.9/24");
    p.len = 90;
    EXPECT_EQ(addrs_add(&w->ip, w->eth, &p), WEIR_EINVAL);
    p.len = 129;
    EXPECT_EQ(addrs_add(&w->ip, w->eth, &p), WEIR_EINVAL);
    EXPECT_EQ(addrs_remove(&w->ip, w->tun, &p.addr), WEIR_EINVAL);
    world_free(&w);
}

TEST(addresses_of_a_link_may_be_on_several)
{
    struct world *w = world_of_two();

    add_addr(w, w->eth, "fe80::1/64");
    add_addr(w, w->tun, "fe80::1/64");
    world_free(&w);
}

TEST(connected_route_lives_as_long_as_its_last_address)
{
    struct world *w = world_of_two();
    struct weir_addr near = addr("192.0.2.77"), a = addr("192.0.2.1"), b = addr("192.0.2.3");

    add_addr(w, w->eth, "192.0.2.3/24");
    EXPECT_EQ(addrs_remove(&w->ip, w->eth, &a), WEIR_OK);
    EXPECT(route_find(&w->ip, &near, NULL) != NULL);
    EXPECT_EQ(addrs_remove(&w->ip, w->eth, &b), WEIR_OK);
    EXPECT(route_find(&w->ip, &near, NULL) == NULL);
    world_free(&w);
}

TEST(destinations_are_what_they_are)
{
    static const struct {
        const char *dst;
        bool is_on_eth;
        enum addrs_kind kind;
    } rows[] = {
        {"192.0.2.1", true, ADDRS_OURS},
        {"192.0.2.1", false, ADDRS_OURS},
        {"192.0.2.2", true, ADDRS_FOREIGN},
        {"192.0.2.255", true, ADDRS_BROADCAST},
        {"192.0.2.255", false, ADDRS_FOREIGN},
        {"255.255.255.255", true, ADDRS_BROADCAST},
        {"255.255.255.255", false, ADDRS_BROADCAST},
        {"192.0.2.0", true, ADDRS_FOREIGN},
        {"10.0.0.255", false, ADDRS_BROADCAST},
        {"224.0.0.1", true, ADDRS_MULTICAST},
        {"224.0.0.2", true, ADDRS_FOREIGN},
        {"127.0.0.1", true, ADDRS_FOREIGN},
        {"2001:db8::1", true, ADDRS_OURS},
        {"2001:db8::1", false, ADDRS_OURS},
        {"fe80::1", true, ADDRS_OURS},
        {"fe80::1", false, ADDRS_FOREIGN},
        {"ff02::1", true, ADDRS_MULTICAST},
        {"ff02::1:ff00:1", true, ADDRS_MULTICAST},
        {"ff02::1:ff00:1", false, ADDRS_FOREIGN},
        {"ff02::2", true, ADDRS_FOREIGN},
        {"ff02::1:ff00:2", true, ADDRS_FOREIGN},
    };
    struct world *w = world_of_two();

    add_addr(w, w->eth, "2001:db8::1/64");
    add_addr(w, w->eth, "fe80::1/64");
    world_wait(w, 10 * NS_S);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weir_addr dst = addr(rows[i].dst);
        struct netif *netif = rows[i].is_on_eth ? w->eth : w->tun;

        /* Asked twice, because the first answer may leave a hint. */
        EXPECT_EQ(addrs_classify(&w->ip, netif, &dst), rows[i].kind);
        EXPECT_EQ(addrs_classify(&w->ip, netif, &dst), rows[i].kind);
    }
    world_free(&w);
}

TEST(no_broadcast_address_in_a_point_to_point_prefix) /* [RFC3021 2.1] */
{
    struct world *w = world_new();
    struct weir_addr dst = addr("198.51.100.1");

    w->tun = world_add_tun(w);
    add_addr(w, w->tun, "198.51.100.0/31");
    EXPECT_EQ(addrs_classify(&w->ip, w->tun, &dst), ADDRS_FOREIGN);
    world_free(&w);
}

/* Sources that a destination gets: candidates and choice, after the examples of 10.1. */
TEST(source_choice_follows_the_rules) /* [RFC6724 5, 10.1] */
{
    static const struct {
        const char *candidates[3];
        int deprecated; /* index of the one that is, or -1 */
        const char *dst;
        const char *chosen;
    } rows[] = {
        {{"2001:db8:3::1/64", "fe80::1/64"}, -1, "2001:db8:1::1", "2001:db8:3::1"},
        {{"2001:db8:3::1/64", "fe80::1/64"}, -1, "ff05::1", "2001:db8:3::1"},
        {{"2001:db8:1::1/64", "2001:db8:3::1/64"}, 0, "2001:db8:1::2", "2001:db8:3::1"},
        {{"fe80::1/64", "2001:db8:1::1/64"}, -1, "fe80::2", "fe80::1"},
        {{"2001:db8:1::2/64", "2001:db8:3::2/64"}, -1, "2001:db8:1::1", "2001:db8:1::2"},
        {{"2001:db8:3::2/64", "2001:db8:1::2/64"}, -1, "2001:db8:1::1", "2001:db8:1::2"},
        {{"2002:c633:6401::1/64", "2001:db8:1::1/64"},
         -1,
         "2002:c633:6401::2",
         "2002:c633:6401::1"},
        {{"fd11:2233:4455::1/64", "2001:db8:1::1/64"},
         -1,
         "fd11:2233:9999::2",
         "fd11:2233:4455::1"},
        {{"198.51.100.1/24", "203.0.113.1/24"}, -1, "203.0.113.9", "203.0.113.1"},
        {{"169.254.1.1/16", "203.0.113.1/24"}, -1, "192.88.99.1", "203.0.113.1"},
        {{"169.254.1.1/16", "203.0.113.1/24"}, -1, "169.254.9.9", "169.254.1.1"},
        {{"2001:db8:1::1/64"}, -1, "203.0.113.9", NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = world_new();
        struct weir_addr dst = addr(rows[i].dst);
        const struct ip_addr *chosen;

        w->tun = world_add_tun(w);
        for (size_t j = 0; j < 3 && rows[i].candidates[j] != NULL; j++) {
            struct weir_prefix p = prefix(rows[i].candidates[j]);

            EXPECT_EQ(addrs_add(&w->ip, w->tun, &p), WEIR_OK);
            if ((int)j == rows[i].deprecated)
                addrs_set_lifetimes(&w->ip, addrs_find(&w->ip, NULL, &p.addr), w->ip.now, NEVER);
        }
        world_wait(w, NS_S);
        chosen = addrs_choose_source(&w->ip, w->tun, &dst);
        if (rows[i].chosen == NULL)
            EXPECT(chosen == NULL);
        else
            EXPECT_ADDR(chosen->addr, rows[i].chosen);
        world_free(&w);
    }
}

TEST(source_of_the_outgoing_interface_is_preferred) /* [RFC6724 5, rule 5] */
{
    struct world *w = world_new();
    struct weir_addr dst = addr("2001:db8:9::1");
    const struct ip_addr *chosen;

    w->eth = world_add_tun(w);
    w->tun = world_add_tun(w);
    add_addr(w, w->eth, "2001:db8:9::9/64");
    add_addr(w, w->tun, "2001:db8:1::1/64");
    chosen = addrs_choose_source(&w->ip, w->tun, &dst);
    EXPECT_ADDR(chosen->addr, "2001:db8:1::1");
    /* Rule 1 comes before. */
    dst = addr("2001:db8:9::9");
    chosen = addrs_choose_source(&w->ip, w->tun, &dst);
    EXPECT_ADDR(chosen->addr, "2001:db8:9::9");
    world_free(&w);
}

TEST(addresses_are_told_in_the_order_of_adding)
{
    struct world *w = world_of_two();
    struct weir_addr_info info;

    EXPECT(addrs_at(&w->ip, 0, &info)); /* the link-local one came with the interface */
    EXPECT(info.from_slaac && info.addr.len == 64);
    EXPECT(addrs_at(&w->ip, 1, &info));
    EXPECT_ADDR(info.addr.addr, "192.0.2.1");
    EXPECT_EQ(info.addr.len, 96 + 24);
    EXPECT_EQ(info.netif, w->eth->id);
    EXPECT(addrs_at(&w->ip, 2, &info));
    EXPECT(!addrs_at(&w->ip, 3, &info));
    world_free(&w);
}
