/*
 * test_routing.c - addresses and routes that are lists
 */
#include "unit/ip/world.h"

#include "base/addr.h"
#include <weir/err.h>

/* The gateway of the route to dst; NULL: there is none. */
static const struct weir_addr *gateway_to(struct world *w, const char *dst)
{
    struct weir_addr to = addr(dst);
    const struct route *r = route_find(&w->ip, &to, NULL);

    return r == NULL || !r->has_gateway ? NULL : &r->gateway;
}

TEST(routing_longest_prefix_wins)
{
    static const struct {
        const char *dst, *gateway;
    } rows[] = {
        {"203.0.113.1", "192.0.2.2"},   {"198.51.100.1", "192.0.2.3"},
        {"198.51.100.9", "192.0.2.4"},  {"198.51.100.10", "192.0.2.5"},
        {"198.51.100.11", "192.0.2.4"},
    };
    struct world *w = world_of_two();

    add_route(w, "198.51.100.8/29", "192.0.2.4", w->eth);
    add_route(w, "0.0.0.0/0", "192.0.2.2", w->eth);
    add_route(w, "198.51.100.10/32", "192.0.2.5", w->eth);
    add_route(w, "198.51.100.0/24", "192.0.2.3", w->eth);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        EXPECT_ADDR(*gateway_to(w, rows[i].dst), rows[i].gateway);
    EXPECT(gateway_to(w, "192.0.2.77") == NULL); /* on the link */
    world_free(&w);
}

TEST(routing_route_of_an_interface_alone)
{
    struct world *w = world_of_two();
    struct weir_addr dst = addr("203.0.113.1");

    add_route(w, "0.0.0.0/0", "192.0.2.2", w->eth);
    EXPECT(route_find(&w->ip, &dst, w->eth) != NULL);
    EXPECT(route_find(&w->ip, &dst, w->tun) == NULL);
    world_free(&w);
}

TEST(routing_route_added_again_is_replaced_and_goes_with_one_removal)
{
    struct world *w = world_of_two();
    struct weir_prefix p = prefix("198.51.100.0/24");

    add_route(w, "198.51.100.0/24", "192.0.2.3", w->eth);
    add_route(w, "198.51.100.0/24", "192.0.2.4", w->eth);
    EXPECT_ADDR(*gateway_to(w, "198.51.100.1"), "192.0.2.4");
    EXPECT_EQ(route_remove(&w->ip, &p), WEIR_OK);
    EXPECT(gateway_to(w, "198.51.100.1") == NULL);
    EXPECT_EQ(route_remove(&w->ip, &p), WEIR_EINVAL);
    world_free(&w);
}

/* Two are the interfaces' own. */
TEST(routing_there_are_eight_routes)
{
    static const char *const to[] = {"198.51.100.0/28",  "198.51.100.16/28", "198.51.100.32/28",
                                     "198.51.100.48/28", "198.51.100.64/28", "198.51.100.80/28"};
    struct world *w = world_of_two();
    struct weir_addr gateway = addr("192.0.2.2");
    struct weir_prefix p = prefix("203.0.113.0/24");

    for (size_t i = 0; i < sizeof to / sizeof to[0]; i++)
        add_route(w, to[i], "192.0.2.2", w->eth);
    EXPECT_EQ(route_add(&w->ip, &p, &gateway, w->eth->id), WEIR_ENOMEM);
    p = prefix("203.0.113.1/24");
    EXPECT_EQ(addrs_add(&w->ip, w->tun, &p), WEIR_ENOMEM);
    EXPECT(!addrs_has(&w->ip, &p.addr));
    p = prefix(to[3]);
    EXPECT_EQ(route_remove(&w->ip, &p), WEIR_OK);
    add_addr(w, w->tun, "203.0.113.1/24");
    world_free(&w);
}

TEST(routing_arguments_are_checked)
{
    struct world *w = world_of_two();
    struct weir_addr gateway = addr("192.0.2.2"), none = addr("0.0.0.0"), v6 = addr("2001:db8::1");
    struct weir_prefix p = prefix("198.51.100.0/24");

    EXPECT_EQ(route_add(&w->ip, &p, &gateway, 99), WEIR_EINVAL);
    EXPECT_EQ(route_add(&w->ip, &p, &none, w->eth->id), WEIR_EINVAL);
    EXPECT_EQ(route_add(&w->ip, &p, &v6, w->eth->id), WEIR_EINVAL);
    p.len = 90;
    EXPECT_EQ(route_add(&w->ip, &p, &gateway, w->eth->id), WEIR_EINVAL);
    EXPECT_EQ(route_remove(&w->ip, &p), WEIR_EINVAL);
    p = prefix("2001:db8::/64");
    EXPECT_EQ(route_add(&w->ip, &p, &v6, w->eth->id), WEIR_ENOTSUP);
    EXPECT_EQ(route_remove(&w->ip, &p), WEIR_EINVAL);
    world_free(&w);
}

TEST(routing_addresses_that_cannot_be_had)
{
    static const char *const bad[] = {"0.0.0.0/0", "224.0.0.1/24", "127.0.0.1/8",
                                      "255.255.255.255/32"};
    struct world *w = world_of_two();
    struct weir_prefix p = prefix("2001:db8::1/64");

    EXPECT_EQ(addrs_add(&w->ip, w->eth, &p), WEIR_ENOTSUP);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        p = prefix(bad[i]);
        EXPECT_EQ(addrs_add(&w->ip, w->eth, &p), WEIR_EINVAL);
    }
    p = prefix("192.0.2.1/24");
    EXPECT_EQ(addrs_add(&w->ip, w->tun, &p), WEIR_EADDRINUSE);
    EXPECT_EQ(addrs_remove(&w->ip, w->tun, &p.addr), WEIR_EINVAL);
    p.addr = addr("192.0.2.9");
    p.len = 90;
    EXPECT_EQ(addrs_add(&w->ip, w->eth, &p), WEIR_EINVAL);
    p.len = 129;
    EXPECT_EQ(addrs_add(&w->ip, w->eth, &p), WEIR_EINVAL);
    world_free(&w);
}

TEST(routing_connected_route_lives_as_long_as_its_last_address)
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

TEST(routing_an_interface_takes_its_addresses_and_routes_along)
{
    struct world *w = world_of_two();
    struct weir_addr near = addr("192.0.2.77"), ours = addr("192.0.2.1"), far = addr("10.0.0.9");

    add_route(w, "0.0.0.0/0", "192.0.2.2", w->eth);
    EXPECT_EQ(netif_remove(&w->ip, w->eth->id), WEIR_OK);
    EXPECT(route_find(&w->ip, &near, NULL) == NULL);
    EXPECT(!addrs_has(&w->ip, &ours));
    EXPECT(route_find(&w->ip, &far, NULL) != NULL);
    world_free(&w);
}

TEST(routing_destinations_are_what_they_are)
{
    static const struct {
        const char *dst;
        bool is_on_eth;
        enum addrs_kind kind;
    } rows[] = {
        {"192.0.2.1", true, ADDRS_OURS},        {"192.0.2.1", false, ADDRS_OURS},
        {"192.0.2.2", true, ADDRS_FOREIGN},     {"192.0.2.255", true, ADDRS_BROADCAST},
        {"192.0.2.255", false, ADDRS_FOREIGN},  {"255.255.255.255", true, ADDRS_BROADCAST},
        {"10.0.0.255", false, ADDRS_BROADCAST}, {"224.0.0.1", true, ADDRS_MULTICAST},
        {"224.0.0.2", true, ADDRS_FOREIGN},     {"127.0.0.1", true, ADDRS_FOREIGN},
        {"198.51.100.1", false, ADDRS_FOREIGN}, /* of a /31 [RFC3021 2.1] */
    };
    struct world *w = world_of_two();

    add_addr(w, w->tun, "198.51.100.0/31");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weir_addr dst = addr(rows[i].dst);

        EXPECT_EQ(addrs_classify(&w->ip, rows[i].is_on_eth ? w->eth : w->tun, &dst), rows[i].kind);
    }
    world_free(&w);
}

TEST(routing_source_is_of_the_interface_then_the_nearest) /* [RFC6724 5] */
{
    struct world *w = world_of_two();
    struct weir_addr dst = addr("10.0.0.9");

    add_addr(w, w->eth, "192.0.2.66/24");
    EXPECT_ADDR(addrs_choose_source(&w->ip, w->eth, &dst)->addr, "192.0.2.1");
    EXPECT_ADDR(addrs_choose_source(&w->ip, w->tun, &dst)->addr, "10.0.0.1");
    dst = addr("192.0.2.67");
    EXPECT_ADDR(addrs_choose_source(&w->ip, w->eth, &dst)->addr, "192.0.2.66");
    world_free(&w);
}

TEST(routing_addresses_are_told_in_the_order_of_adding)
{
    struct world *w = world_of_two();
    struct weir_addr_info info;

    EXPECT(addrs_at(&w->ip, 0, &info));
    EXPECT_ADDR(info.addr.addr, "192.0.2.1");
    EXPECT_EQ(info.addr.len, 96 + 24);
    EXPECT_EQ(info.netif, w->eth->id);
    EXPECT(addrs_at(&w->ip, 1, &info));
    EXPECT_ADDR(info.addr.addr, "10.0.0.1");
    EXPECT(!addrs_at(&w->ip, 2, &info));
    world_free(&w);
}

TEST(routing_address_is_announced_twice) /* [RFC5227 2.3] */
{
    struct world *w = world_of_two();

    add_addr(w, w->eth, "192.0.2.7/24");
    world_wait(w, 0);
    for (int i = 0; i < 2; i++) {
        EXPECT(world_out(w, w->eth));
        EXPECT(w->is_arp);
        EXPECT_ADDR(w->arp.sender_addr, "192.0.2.7");
        EXPECT_ADDR(w->arp.target_addr, "192.0.2.7");
        EXPECT(!world_out(w, w->eth));
        world_wait(w, 2 * NS_S);
    }
    world_wait(w, 20 * NS_S);
    EXPECT(!world_out(w, w->eth));
    world_free(&w);
}

TEST(routing_address_is_defended_once_in_ten_seconds) /* [RFC5227 2.4] */
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
