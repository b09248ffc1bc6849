/*
 * test_slaac.c - routers, prefixes, and the addresses made from them
 */
#include "unit/ip/world.h"

#include "ip/slaac.h"
#include <string.h>
#include <weir/err.h>

/* An Ethernet interface that listens to routers; its link-local address is there already. */
static struct world *world_of_slaac(void)
{
    struct weir_netif_config config = {.name = "eth",
                                       .link = WEIR_LINK_ETHERNET,
                                       .mac = {2, 0, 0, 0, 0, 1},
                                       .mtu = 1500,
                                       .slaac = true};
    struct world *w = world_new();
    weir_netif_t id;

    EXPECT_EQ(netif_add(&w->ip, &config, &id), WEIR_OK);
    w->eth = netif_find(&w->ip, id);
    return w;
}

static struct ndp_message advert(uint32_t valid_s, uint32_t preferred_s)
{
    struct ndp_message m = {.type = ICMP6_ROUTER_ADVERT,
                            .router_lifetime_s = 1800,
                            .has_source_mac = true,
                            .source_mac = mac(2),
                            .prefix_count = 1};

    m.prefixes[0] = (struct ndp_prefix){.prefix = prefix("2001:db8::/64"),
                                        .on_link = true,
                                        .autonomous = true,
                                        .valid_s = valid_s,
                                        .preferred_s = preferred_s};
    return m;
}

static void hear(struct world *w, struct ndp_message m)
{
    world_in_ip(w, w->eth, ndp("fe80::2", "ff02::1", m));
}

/* The address made from the prefix, or NULL. */
static const struct ip_addr *made(struct world *w)
{
    LIST_EACH (i, &w->ip.addrs.all) {
        const struct ip_addr *a = container_of(i, struct ip_addr, link);

        if (a->addr.b[0] == 0x20)
            return a;
    }
    return NULL;
}

TEST(slaac_link_local_address_comes_with_the_interface) /* [RFC7217] [RFC4862 5.3] */
{
    struct world *w = world_of_slaac();
    struct weir_addr_info info;

    EXPECT(addrs_at(&w->ip, 0, &info));
    EXPECT(info.addr.addr.b[0] == 0xfe && info.addr.addr.b[1] == 0x80);
    EXPECT_EQ(info.state, WEIR_ADDR_TENTATIVE);
    EXPECT(info.from_slaac);
    /* Nothing of the MAC address is in it. */
    EXPECT(info.addr.addr.b[11] != 0xff || info.addr.addr.b[12] != 0xfe);
    world_free(&w);
}

TEST(slaac_addresses_are_stable_and_differ_by_prefix_and_secret) /* [RFC7217 6] */
{
    struct weir_addr seen[3];

    for (size_t i = 0; i < 3; i++) {
        struct world *w = world_of_slaac();

        if (i == 2)
            w->ip.stable_key.k0++;
        hear(w, advert(3600, 1800));
        EXPECT(made(w) != NULL);
        seen[i] = made(w)->addr;
        world_free(&w);
    }
    EXPECT(weir_addr_eq(&seen[0], &seen[1]));
    EXPECT(!weir_addr_eq(&seen[0], &seen[2]));
    EXPECT_MEM(seen[0].b, seen[2].b, 8);
}

TEST(slaac_solicits_three_times_after_detection) /* [RFC4861 6.3.7] */
{
    struct world *w = world_of_slaac();
    int solicits = 0;

    for (int i = 0; i < 300; i++) {
        world_wait(w, 100 * NS_MS);
        while (world_out(w, w->eth))
            if (w->is_ndp && w->ndp.type == ICMP6_ROUTER_SOLICIT) {
                EXPECT_ADDR(w->pkt.dst, "ff02::2");
                EXPECT(w->ndp.has_source_mac);
                EXPECT_EQ(w->pkt.ttl, 255);
                solicits++;
            }
    }
    EXPECT_EQ(solicits, 3);
    world_free(&w);
}

TEST(slaac_advertisement_ends_the_soliciting)
{
    struct world *w = world_of_slaac();

    while (!w->is_ndp || w->ndp.type != ICMP6_ROUTER_SOLICIT) {
        world_wait(w, 10 * NS_MS);
        world_out(w, w->eth);
    }
    hear(w, advert(3600, 1800));
    for (int i = 0; i < 200; i++) {
        world_wait(w, 100 * NS_MS);
        while (world_out(w, w->eth))
            EXPECT(!w->is_ndp || w->ndp.type != ICMP6_ROUTER_SOLICIT);
    }
    world_free(&w);
}

TEST(slaac_makes_an_address_and_routes) /* [RFC4862 5.5.3] */
{
    struct world *w = world_of_slaac();
    struct weir_addr near = addr("2001:db8::99"), far = addr("2001:db8:9::1");
    struct ip_path path;

    hear(w, advert(3600, 1800));
    EXPECT_EQ(made(w)->state, WEIR_ADDR_TENTATIVE);
    world_wait(w, 5 * NS_S);
    EXPECT_EQ(made(w)->state, WEIR_ADDR_PREFERRED);
    EXPECT_EQ(ip_route(&w->ip, &near, NULL, 0, &path), WEIR_OK);
    EXPECT_ADDR(path.next_hop, "2001:db8::99");
    EXPECT(weir_addr_eq(&path.src, &made(w)->addr));
    EXPECT_EQ(ip_route(&w->ip, &far, NULL, 0, &path), WEIR_OK);
    EXPECT_ADDR(path.next_hop, "fe80::2");

    /* The router goes away in time. */
    world_wait(w, 1800 * NS_S);
    EXPECT_EQ(ip_route(&w->ip, &far, NULL, 0, &path), WEIR_ENETUNREACH);
    EXPECT_EQ(ip_route(&w->ip, &near, NULL, 0, &path), WEIR_OK);
    world_free(&w);
}

TEST(slaac_lifetimes_deprecate_and_remove) /* [RFC4862 5.5.4] */
{
    struct world *w = world_of_slaac();
    struct weir_addr a;

    hear(w, advert(3600, 1800));
    a = made(w)->addr;
    world_wait(w, 1799 * NS_S);
    EXPECT_EQ(made(w)->state, WEIR_ADDR_PREFERRED);
    world_wait(w, 2 * NS_S);
    EXPECT_EQ(made(w)->state, WEIR_ADDR_DEPRECATED);
    EXPECT(addrs_is_usable(&w->ip, NULL, &a)); /* what goes on, goes on */
    world_wait(w, 1800 * NS_S);
    EXPECT(made(w) == NULL);
    world_free(&w);
}

TEST(slaac_new_advertisement_renews) /* [RFC4862 5.5.3 e] */
{
    struct world *w = world_of_slaac();

    hear(w, advert(3600, 1800));
    world_wait(w, 2000 * NS_S);
    EXPECT_EQ(made(w)->state, WEIR_ADDR_DEPRECATED);
    hear(w, advert(3600, 1800));
    EXPECT_EQ(made(w)->state, WEIR_ADDR_PREFERRED);
    EXPECT_EQ(made(w)->valid_until, w->ip.now + 3600 * NS_S);
    EXPECT_EQ(w->eth->slaac_addresses, 1);
    world_free(&w);
}

TEST(slaac_two_hours_rule) /* [RFC4862 5.5.3 e] */
{
    /* What is left, what is advertised, what is left then. */
    static const struct {
        uint32_t left_s, advertised_s, after_s;
    } rows[] = {
        {86400, 100000, 100000},                   /* more: taken */
        {86400, 10000, 10000},                     /* more than two hours: taken */
        {86400, 60, 7200},                         /* less: two hours remain */
        {86400, 0, 7200},        {3600, 60, 3600}, /* two hours are not left: ignored */
        {3600, 5000, 5000},      {7200, 7200, 7200},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = world_of_slaac();
        uint32_t preferred = rows[i].advertised_s < 30 ? rows[i].advertised_s : 30;

        hear(w, advert(rows[i].left_s, 30));
        hear(w, advert(rows[i].advertised_s, preferred));
        EXPECT_EQ(made(w)->valid_until, w->ip.now + rows[i].after_s * NS_S);
        world_free(&w);
    }
}

TEST(slaac_infinite_lifetime)
{
    struct world *w = world_of_slaac();

    hear(w, advert(NDP_FOREVER, NDP_FOREVER));
    world_wait(w, 5 * NS_S);
    EXPECT_EQ(made(w)->valid_until, NEVER);
    world_wait(w, 10 * 365 * 86400 * NS_S);
    EXPECT_EQ(made(w)->state, WEIR_ADDR_PREFERRED);
    world_free(&w);
}

TEST(slaac_unusable_prefixes_make_no_address) /* [RFC4862 5.5.3] */
{
    struct world *w = world_of_slaac();
    struct ndp_message m = advert(0, 0);

    hear(w, m);
    m = advert(100, 200); /* preferred longer than valid */
    hear(w, m);
    m = advert(3600, 1800);
    m.prefixes[0].prefix.len = 72;
    hear(w, m);
    m = advert(3600, 1800);
    m.prefixes[0].autonomous = false;
    hear(w, m);
    EXPECT(made(w) == NULL);
    m = advert(3600, 1800);
    m.prefixes[0].prefix = prefix("fe80::/64");
    hear(w, m);
    EXPECT_EQ(w->ip.addrs.count, 1);
    world_free(&w);
}

TEST(slaac_number_of_addresses_is_capped)
{
    struct world *w = world_of_slaac();

    for (unsigned i = 0; i < 100; i++) {
        struct ndp_message m = advert(3600, 1800);

        m.prefixes[0].prefix.addr.b[7] = (uint8_t)i;
        hear(w, m);
    }
    EXPECT_EQ(w->eth->slaac_addresses, SLAAC_ADDRESSES_MAX);
    EXPECT_EQ(w->ip.addrs.count, SLAAC_ADDRESSES_MAX + 1);
    world_free(&w);
}

TEST(slaac_collision_makes_the_next_address) /* [RFC7217 6] */
{
    struct world *w = world_of_slaac();
    struct weir_addr first;

    hear(w, advert(3600, 1800));
    for (int i = 0; i < SLAAC_RETRIES; i++) {
        struct ndp_message m = {
            .type = ICMP6_NEIGHBOUR_ADVERT, .has_target_mac = true, .target_mac = mac(9)};

        EXPECT(made(w) != NULL);
        EXPECT_EQ(made(w)->tries, i);
        first = made(w)->addr;
        m.target = first;
        world_in_ip(w, w->eth, ndp("fe80::9", "ff02::1", m));
        EXPECT(made(w) == NULL || !weir_addr_eq(&made(w)->addr, &first));
    }
    EXPECT(made(w) == NULL);
    EXPECT_EQ(w->eth->slaac_addresses, 0);
    world_free(&w);
}

TEST(router_parameters_are_taken) /* [RFC4861 6.3.4] */
{
    struct world *w = world_of_slaac();
    struct ndp_message m = advert(3600, 1800);

    m.hop_limit = 99;
    m.retransmit_ms = 500;
    m.reachable_ms = 60000;
    m.mtu = 1400;
    hear(w, m);
    EXPECT_EQ(w->eth->hop_limit, 99);
    EXPECT_EQ(w->eth->retrans_ns, 500 * NS_MS);
    EXPECT(w->eth->reachable_ns >= 30 * NS_S && w->eth->reachable_ns <= 90 * NS_S);
    EXPECT_EQ(w->eth->mtu6, 1400);
    EXPECT_EQ(w->eth->mtu, 1500);

    /* Zero says nothing, and what cannot be is not believed. */
    m.hop_limit = 0;
    m.retransmit_ms = 0;
    m.mtu = 1279;
    hear(w, m);
    m.mtu = 9000;
    hear(w, m);
    EXPECT_EQ(w->eth->hop_limit, 99);
    EXPECT_EQ(w->eth->retrans_ns, 500 * NS_MS);
    EXPECT_EQ(w->eth->mtu6, 1400);
    m.retransmit_ms = 1;
    hear(w, m);
    EXPECT_EQ(w->eth->retrans_ns, 10 * NS_MS);
    world_free(&w);
}

TEST(router_with_lifetime_zero_is_no_default) /* [RFC4861 6.3.4] */
{
    struct world *w = world_of_slaac();
    struct weir_addr far = addr("2001:db8:9::1");
    struct ndp_message m = advert(3600, 1800);

    hear(w, m);
    EXPECT(route_find(&w->ip, &far, NULL) != NULL);
    m.router_lifetime_s = 0;
    hear(w, m);
    EXPECT(route_find(&w->ip, &far, NULL) == NULL);
    world_free(&w);
}

TEST(router_advertisements_are_refused) /* [RFC4861 6.1.2] */
{
    struct world *w = world_of_slaac();

    /* Not from a link-local address. */
    world_in_ip(w, w->eth, ndp("2001:db8::2", "ff02::1", advert(3600, 1800)));
    EXPECT_EQ(w->dropped[WHY_NDP_MALFORMED], 1);
    /* Not asked for. */
    w->eth->slaac = false;
    hear(w, advert(3600, 1800));
    EXPECT_EQ(w->dropped[WHY_NDP_NOT_OURS], 1);
    EXPECT(made(w) == NULL);
    world_free(&w);
}

TEST(slaac_without_link_addresses) /* a TUN whose other end is a router */
{
    struct weir_netif_config config = {
        .name = "tun", .link = WEIR_LINK_IP, .mtu = 1500, .slaac = true};
    struct world *w = world_new();
    struct weir_addr far = addr("2001:db8:9::1");
    struct ip_path path = {0};
    weir_netif_t id;

    EXPECT_EQ(netif_add(&w->ip, &config, &id), WEIR_OK);
    w->eth = netif_find(&w->ip, id);
    world_wait(w, NS_S);
    EXPECT(world_out(w, w->eth));
    EXPECT_EQ(w->ndp.type, ICMP6_ROUTER_SOLICIT);
    EXPECT(!w->ndp.has_source_mac);
    hear(w, advert(3600, 1800));
    EXPECT_EQ(made(w)->state, WEIR_ADDR_PREFERRED); /* nobody could have it too */
    EXPECT_EQ(ip_route(&w->ip, &far, NULL, 0, &path), WEIR_OK);
    world_wait(w, 20 * NS_S);
    EXPECT(!world_out(w, w->eth));
    EXPECT_EQ(world_send(w, &path, "2001:db8:9::1", 10), WHY_NONE);
    EXPECT(world_out(w, w->eth));
    world_free(&w);
}
