/*
 * test_parts.c - what a library says of the parts that it is built without
 */
#include "lib/packet.h"
#include "lib/test.h"
#include "lib/world.h"
#include <weir/auth.h>

TEST(no_part_is_there)
{
    for (int part = 0; part < WEIR_PART_COUNT; part++)
        EXPECT(!weir_has_part((enum weir_part)part));
    EXPECT(!weir_has_part(WEIR_PART_COUNT));
}

TEST(ipv6_addresses_are_refused)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct weir *s = world_stack(w, 0);
    struct weir_prefix prefix = {world_addr_of(0, true), 64};
    struct weir_endpoint remote = {.addr = world_addr_of(1, true), .port = 80};
    struct weir_netif_config slaac = {.link = WEIR_LINK_IP, .mtu = 1500, .slaac = true};
    weir_conn_t conn;
    weir_netif_t netif;

    EXPECT_EQ(weir_addr_add(s, w->stacks[0].netif, &prefix), WEIR_ENOTSUP);
    EXPECT_EQ(weir_route_add(s, &prefix, NULL, w->stacks[0].netif), WEIR_ENOTSUP);
    EXPECT_EQ(weir_connect(s, NULL, &remote, &conn), WEIR_ENOTSUP);
    EXPECT_EQ(weir_netif_add(s, &slaac, &netif), WEIR_ENOTSUP);
}

/* "All addresses" is written as in a library with both: it hears IPv4. */
TEST(a_listener_on_all_addresses_hears_ipv4)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct weir_endpoint all = {.port = 81};
    struct weir_endpoint at = world_endpoint(w, 1, 81);
    weir_listener_t listener;
    weir_conn_t conn;

    EXPECT_EQ(weir_listen(world_stack(w, 1), &all, 1, &listener), WEIR_OK);
    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &at, &conn), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(world_state(w, 0, conn), WEIR_TCP_ESTABLISHED);
}

TEST(udp_and_pings_are_refused)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct weir_addr peer = world_addr(w, 1);
    weir_udp_t udp;
    weir_ping_t ping;

    EXPECT_EQ(weir_udp_open(world_stack(w, 0), NULL, NULL, &udp), WEIR_ENOTSUP);
    EXPECT_EQ(weir_ping_open(world_stack(w, 0), &peer, &ping), WEIR_ENOTSUP);
}

TEST(a_datagram_is_dropped_as_of_an_unknown_protocol)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct packet_ip ip = {.src = world_endpoint(w, 0, 7), .dst = world_endpoint(w, 1, 7)};
    static struct packet p;

    packet_make_udp(&p, &ip, "hello", 5);
    world_injects(w, 1, &p);
    world_settle(w);
    EXPECT_EQ(world_dropped(w, 1, "ip_protocol"), 1);
    EXPECT_EQ(w->stacks[1].frames_sent, 0);
}

TEST(options_of_what_is_left_out_are_refused)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct weir *s = world_stack(w, 0);
    struct world_pair p = world_connect(w);
    static const uint8_t secret[] = "secret";
    struct weir_auth_key key = {.peer = {world_addr(w, 1), 128}, .key = secret, .key_len = 6};

    EXPECT_EQ(weir_set(s, p.a, WEIR_OPT_FASTOPEN, 1), WEIR_ENOTSUP);
    EXPECT_EQ(weir_set(s, p.a, WEIR_OPT_ADVERTISE_TIMEOUT, WEIR_S), WEIR_ENOTSUP);
    EXPECT_EQ(weir_set(s, p.a, WEIR_OPT_MAX_PACING_RATE, 1000), WEIR_ENOTSUP);
    EXPECT_EQ(weir_set(world_stack(w, 1), p.listener, WEIR_OPT_FASTOPEN_QUEUE, 1), WEIR_ENOTSUP);
    EXPECT_EQ(weir_auth_add(world_stack(w, 1), p.listener, &key), WEIR_ENOTSUP);
    EXPECT_EQ(weir_set(s, p.a, WEIR_OPT_NODELAY, 1), WEIR_OK);
}

TEST(a_configuration_that_asks_for_what_is_left_out_is_refused)
{
    struct weir_config with[7];
    struct weir_crypto crypto = {0};
    struct weir *s;

    for (size_t i = 0; i < 7; i++)
        with[i] = world_config();
    with[1].tcp.ecn = WEIR_ECN_PASSIVE;
    with[2].tcp.mtu_probing = WEIR_MTU_PROBING_ALWAYS;
    with[3].tcp.syn_cookies = WEIR_SYN_COOKIES_ALWAYS;
    with[4].tcp.pacing = true;
    with[5].crypto = &crypto;
    with[6].tcp.timestamps = true;
    for (size_t i = 1; i < 7; i++) {
        struct failing_alloc alloc;
        failing_alloc_init(&alloc);
        with[i].allocator = failing_alloc_allocator(&alloc);
        EXPECT_EQ(weir_create(&with[i], 0, &s), WEIR_ENOTSUP);
    }
}

TEST(a_stack_cannot_be_told_to_want_it_later)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct weir_tcp_config tcp = world_config().tcp;

    EXPECT_EQ(weir_tcp_configure(world_stack(w, 0), &tcp), WEIR_OK);
    tcp.ecn = WEIR_ECN_ON;
    EXPECT_EQ(weir_tcp_configure(world_stack(w, 0), &tcp), WEIR_ENOTSUP);
}

/* A SYN that offers them is answered without, as one is sent. */
TEST(timestamps_are_not_agreed_upon)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    struct weir_tcp_info info;

    world_sends(w, 0, p.a, 1000);
    world_settle(w);
    EXPECT_EQ(weir_tcp_info(world_stack(w, 0), p.a, &info), WEIR_OK);
    EXPECT(!info.timestamps_ok);
    EXPECT(info.sack_ok && info.wscale_ok);
    EXPECT_EQ(info.snd_mss, 1460);
}

TEST(what_tcp_has_done_is_not_counted)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    struct weir_tcp_info info;
    struct weir_stats stats;

    world_sends(w, 0, p.a, 1000);
    world_settle(w);
    EXPECT_EQ(weir_tcp_info(world_stack(w, 0), p.a, &info), WEIR_OK);
    EXPECT_EQ(info.segs_out + info.segs_in + info.bytes_acked + info.bytes_sent, 0);
    EXPECT_EQ(info.busy_ns, 0);
    weir_stats(world_stack(w, 0), &stats);
    EXPECT_EQ(stats.tcp_segs_out + stats.tcp_segs_in + stats.tcp_active_opens, 0);
    EXPECT(stats.frames_out > 0);
}
