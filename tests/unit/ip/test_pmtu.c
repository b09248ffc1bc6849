/*
 * test_pmtu.c - the path MTU cache
 */
#include "unit/ip/world.h"

#include <weir/err.h>

static uint32_t mtu_to(struct world *w, const char *text)
{
    struct weir_addr dst = addr(text);
    struct ip_path path;

    EXPECT_EQ(ip_route(&w->ip, &dst, NULL, 0, &path), WEIR_OK);
    return path.mtu;
}

static void too_big(struct world *w, const char *text, uint32_t mtu, uint32_t packet_len)
{
    struct weir_addr dst = addr(text);

    pmtu_update(&w->ip, &dst, mtu, packet_len);
}

static struct world *world_of_routes(void)
{
    struct world *w = world_of_two();

    add_addr(w, w->tun, "2001:db8::1/64");
    add_route(w, "0.0.0.0/0", NULL, w->tun);
    add_route(w, "::/0", NULL, w->tun);
    return w;
}

TEST(pmtu_is_remembered_for_its_destination_and_forgotten_in_time) /* [RFC1191 6.3] */
{
    struct world *w = world_of_routes();
    uint32_t epoch = w->ip.epoch;

    EXPECT_EQ(mtu_to(w, "198.51.100.1"), 1500);
    too_big(w, "198.51.100.1", 1400, 1500);
    EXPECT(w->ip.epoch != epoch); /* cached paths learn of it */
    EXPECT_EQ(mtu_to(w, "198.51.100.1"), 1400);
    EXPECT_EQ(mtu_to(w, "198.51.100.2"), 1500);

    epoch = w->ip.epoch;
    world_wait(w, 600 * NS_S - NS_MS);
    EXPECT_EQ(mtu_to(w, "198.51.100.1"), 1400);
    EXPECT_EQ(w->ip.epoch, epoch);
    world_wait(w, 2 * NS_MS);
    EXPECT_EQ(mtu_to(w, "198.51.100.1"), 1500);
    EXPECT(w->ip.epoch != epoch);
    world_free(&w);
}

TEST(pmtu_only_shrinks_and_not_below_the_floors) /* [RFC8201 4] */
{
    struct world *w = world_of_routes();

    too_big(w, "198.51.100.1", 1400, 1500);
    too_big(w, "198.51.100.1", 1450, 1500); /* larger: ignored */
    EXPECT_EQ(mtu_to(w, "198.51.100.1"), 1400);
    too_big(w, "198.51.100.1", 68, 1500);
    EXPECT_EQ(mtu_to(w, "198.51.100.1"), 552);
    too_big(w, "2001:db8:1::1", 1279, 1500); /* no such link carries IPv6 */
    EXPECT_EQ(mtu_to(w, "2001:db8:1::1"), 1500);
    too_big(w, "2001:db8:1::1", 1280, 1500);
    EXPECT_EQ(mtu_to(w, "2001:db8:1::1"), 1280);
    world_free(&w);
}

TEST(pmtu_plateaus_for_routers_that_do_not_say) /* [RFC1191 7.1] */
{
    static const struct {
        uint32_t packet_len, mtu;
    } rows[] = {{65535, 1500}, {1500, 1492}, {1492, 1006}, {1006, 552}, {600, 552}, {100, 552}};
    struct world *w = world_of_routes();

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[] = "198.51.100.1";

        text[sizeof text - 2] = (char)('1' + i);
        too_big(w, text, 0, rows[i].packet_len);
        EXPECT_EQ(mtu_to(w, text), rows[i].mtu);
    }
    world_free(&w);
}

TEST(pmtu_cache_is_bounded_and_the_oldest_goes_first)
{
    struct world *w = world_of_routes();

    for (unsigned i = 0; i < 20; i++) {
        struct weir_addr dst = weir_addr_v4(198, 51, 100, (uint8_t)(10 + i));

        pmtu_update(&w->ip, &dst, 1400, 1500);
    }
    EXPECT_EQ(w->ip.pmtus.pool.used, w->config.ip.path_mtu_entries);
    EXPECT_EQ(mtu_to(w, "198.51.100.10"), 1500);
    EXPECT_EQ(mtu_to(w, "198.51.100.29"), 1400);
    world_free(&w);
}

TEST(pmtu_above_the_link_says_nothing)
{
    struct world *w = world_of_routes();

    too_big(w, "198.51.100.1", 9000, 9500);
    EXPECT_EQ(mtu_to(w, "198.51.100.1"), 1500);
    EXPECT_EQ(netif_set_mtu(&w->ip, w->tun->id, 1300), WEIR_OK);
    EXPECT_EQ(mtu_to(w, "198.51.100.1"), 1300);
    world_free(&w);
}
