/*
 * test_network.c - interfaces, addresses and routes that come and go; datagrams and pings
 */
#include "lib/test.h"
#include "lib/world.h"
#include "wire/tcp.h"
#include <stdlib.h>
#include <string.h>

static struct weir_prefix own_prefix(const struct world *w, size_t i)
{
    return (struct weir_prefix){world_addr(w, i), w->setup.is_v6 ? 64 : 96 + 24};
}

/* ---- the way is gone ---- */

TEST(a_connection_without_a_route_waits_and_goes_on_when_there_is_one)
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct world *w = world_make(&(struct world_setup){.is_v6 = is_v6});
        struct world_pair p = world_connect(w);
        struct weir_prefix prefix = own_prefix(w, 0);
        struct weir *s = world_stack(w, 0);
        EXPECT_EQ(weir_addr_remove(s, w->stacks[0].netif, &prefix.addr), WEIR_OK);
        world_sends(w, 0, p.a, 5000);
        EXPECT(weir_deadline(s) != WEIR_NEVER);
        world_run(w, 3 * WEIR_S);
        EXPECT(world_dropped(w, 0, "no_route") > 0);
        EXPECT_EQ(world_state(w, 0, p.a), WEIR_TCP_ESTABLISHED);
        EXPECT_EQ(weir_addr_add(s, w->stacks[0].netif, &prefix), WEIR_OK);
        world_run(w, 10 * WEIR_S);
        EXPECT_EQ(world_reads(w, 1, p.b), WEIR_EAGAIN);
        EXPECT_EQ(w->stacks[1].read, 5000);
    }
}

TEST(a_connection_without_a_route_ends_as_any_that_is_not_answered)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w), q = world_connect_to(w, p.listener),
                      r = world_connect_to(w, p.listener);
    struct weir *s = world_stack(w, 0);
    int error;

    EXPECT_EQ(weir_netif_remove(s, w->stacks[0].netif), WEIR_OK);
    EXPECT_EQ(weir_netif_remove(s, w->stacks[0].netif), WEIR_EINVAL);
    world_sends(w, 0, p.a, 5000);
    EXPECT_EQ(weir_abort(s, q.a), WEIR_OK); /* its reset goes nowhere */
    EXPECT_EQ(weir_close(s, r.a), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(world_stats(w, 0).connections, 2);
    world_run(w, 1000 * WEIR_S);
    EXPECT(world_news(w, 0, p.a, &error) & WEIR_EVENT_CLOSED);
    EXPECT_EQ(error, WEIR_ETIMEDOUT);
    EXPECT_EQ(weir_close(s, p.a), WEIR_OK);
    world_expects_nothing_left(w, 0);
    EXPECT(weir_deadline(s) == WEIR_NEVER);
}

TEST(an_interface_that_comes_back_finds_its_connections)
{
    for (int link = WEIR_LINK_IP; link <= WEIR_LINK_ETHERNET; link++) {
        struct world *w = world_make(&(struct world_setup){.link = (enum weir_link)link});
        struct world_pair p = world_connect(w);
        struct weir_netif_config netif = {
            .link = (enum weir_link)link, .mtu = 1500, .mac = {2, 0, 0, 0, 0, 1}};
        struct weir_prefix prefix = own_prefix(w, 0);
        weir_netif_t old = w->stacks[0].netif;
        world_sends(w, 0, p.a, 50000); /* some of it waits in the interface */
        EXPECT_EQ(weir_netif_remove(world_stack(w, 0), old), WEIR_OK);
        world_run(w, 1 * WEIR_S);
        EXPECT_EQ(weir_netif_add(world_stack(w, 0), &netif, &w->stacks[0].netif), WEIR_OK);
        EXPECT(w->stacks[0].netif != old);
        EXPECT_EQ(weir_addr_add(world_stack(w, 0), w->stacks[0].netif, &prefix), WEIR_OK);
        for (int i = 0; i < 20; i++) {
            world_run(w, 1 * WEIR_S);
            EXPECT_EQ(world_reads(w, 1, p.b), WEIR_EAGAIN);
        }
        EXPECT_EQ(w->stacks[1].read, 50000);
    }
}

/* What is known of the way that the SYN-ACK went is not true any more. */
TEST(an_interface_that_comes_back_in_a_handshake_does_not_disturb_it)
{
    struct world *w = world_make(&(struct world_setup){.conditions = {.delay_ns = 10 * WEIR_MS}});
    weir_listener_t listener = world_listen(w, 1, 80, 5);
    struct weir_netif_config netif = {.link = WEIR_LINK_IP, .mtu = 1500};
    struct weir_endpoint to = world_endpoint(w, 1, 80);
    struct weir_prefix prefix = own_prefix(w, 1);
    struct world_pair p;

    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &p.a), WEIR_OK);
    world_run(w, 15 * WEIR_MS);
    EXPECT_EQ(world_stats(w, 1).half_open, 1);
    EXPECT_EQ(weir_netif_remove(world_stack(w, 1), w->stacks[1].netif), WEIR_OK);
    EXPECT_EQ(weir_netif_add(world_stack(w, 1), &netif, &w->stacks[1].netif), WEIR_OK);
    EXPECT_EQ(weir_addr_add(world_stack(w, 1), w->stacks[1].netif, &prefix), WEIR_OK);
    world_run(w, 1 * WEIR_S);
    EXPECT_EQ(weir_accept(world_stack(w, 1), listener, &p.b), WEIR_OK);
    world_sends(w, 1, p.b, 1000);
    world_run(w, 1 * WEIR_S);
    EXPECT_EQ(world_reads(w, 0, p.a), WEIR_EAGAIN);
    EXPECT_EQ(w->stacks[0].read, 1000);
}

TEST(a_smaller_mtu_of_the_interface_is_kept_to_at_once)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    struct weir_tcp_info info;

    EXPECT_EQ(weir_netif_set_mtu(world_stack(w, 0), w->stacks[0].netif, 575), WEIR_EINVAL);
    EXPECT_EQ(weir_netif_set_mtu(world_stack(w, 0), w->stacks[0].netif, 65536), WEIR_EINVAL);
    EXPECT_EQ(weir_netif_set_mtu(world_stack(w, 0), 77, 1400), WEIR_EINVAL);
    EXPECT_EQ(weir_netif_set_mtu(world_stack(w, 0), w->stacks[0].netif, 600), WEIR_OK);
    world_forgets(w);
    world_sends(w, 0, p.a, 10000);
    world_run(w, WEIR_S);
    for (size_t i = 0; i < w->log_count; i++)
        EXPECT(w->log[i].len <= 600);
    EXPECT_EQ(weir_tcp_info(world_stack(w, 0), p.a, &info), WEIR_OK);
    EXPECT_EQ(info.pmtu, 600);
    EXPECT_EQ(world_reads(w, 1, p.b), WEIR_EAGAIN);
    EXPECT_EQ(w->stacks[1].read, 10000);
}

TEST(interfaces_addresses_and_routes_have_to_make_sense)
{
    struct world *w = world_make(&(struct world_setup){.stacks = 1});
    struct weir *s = world_stack(w, 0);
    weir_netif_t n = w->stacks[0].netif, more;
    static const struct weir_netif_config bad[] = {
        {.link = WEIR_LINK_IP, .mtu = 575},
        {.link = WEIR_LINK_IP, .mtu = 65536},
        {.link = WEIR_LINK_IP, .mtu = 1500, .vlan = 4095},
        {.link = WEIR_LINK_IP, .mtu = 1500, .offloads = WEIR_OFFLOAD_TSO4},
        {.link = WEIR_LINK_ETHERNET, .mtu = 1500},
        {.link = WEIR_LINK_ETHERNET, .mtu = 1500, .mac = {1, 0, 0, 0, 0, 1}},
        {.link = (enum weir_link)7, .mtu = 1500},
    };
    struct weir_prefix p = own_prefix(w, 0), route;
    struct weir_addr gateway = world_addr(w, 1), v6 = world_addr_of(1, true);
    struct weir_addr_info info;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        EXPECT_EQ(weir_netif_add(s, &bad[i], &more), WEIR_EINVAL);
    EXPECT_EQ(weir_addr_add(s, n, &p), WEIR_EADDRINUSE);
    EXPECT_EQ(weir_addr_add(s, 99, &p), WEIR_EINVAL);
    EXPECT_EQ(weir_addr_remove(s, 99, &p.addr), WEIR_EINVAL);
    EXPECT_EQ(weir_addr_remove(s, n, &gateway), WEIR_EINVAL);
    p.len = 129;
    EXPECT_EQ(weir_addr_add(s, n, &p), WEIR_EINVAL);
    EXPECT(weir_addr_at(s, 0, &info) && weir_addr_at(s, 1, &info));
    EXPECT(!weir_addr_at(s, 2, &info));
    EXPECT_EQ(weir_prefix_parse("0.0.0.0/0", &route), WEIR_OK);
    EXPECT_EQ(weir_route_add(s, &route, &gateway, n), WEIR_OK);
    EXPECT_EQ(weir_route_add(s, &route, &gateway, n), WEIR_OK); /* replaces */
    EXPECT_EQ(weir_route_add(s, &route, &gateway, 99), WEIR_EINVAL);
    EXPECT_EQ(weir_route_add(s, &route, &v6, n), WEIR_EINVAL);
    EXPECT_EQ(weir_route_remove(s, &route), WEIR_OK);
    EXPECT_EQ(weir_route_remove(s, &route), WEIR_EINVAL);
}

TEST(a_gateway_carries_what_is_elsewhere)
{
    struct world *w = world_make(&(struct world_setup){.link = WEIR_LINK_ETHERNET});
    struct weir_prefix all, far;
    struct weir_addr gateway = world_addr(w, 1);
    struct weir_endpoint to;
    weir_listener_t l = world_listen(w, 1, WORLD_PORT, 5);
    weir_conn_t a, b;

    EXPECT_EQ(weir_endpoint_parse("192.0.2.77:80", &to), WEIR_OK);
    EXPECT_EQ(weir_prefix_parse("192.0.2.77/32", &far), WEIR_OK);
    EXPECT_EQ(weir_prefix_parse("0.0.0.0/0", &all), WEIR_OK);
    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &a), WEIR_ENETUNREACH);
    EXPECT_EQ(weir_route_add(world_stack(w, 0), &all, &gateway, w->stacks[0].netif), WEIR_OK);
    EXPECT_EQ(weir_addr_add(world_stack(w, 1), w->stacks[1].netif, &far), WEIR_OK);
    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &a), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
}

/* ---- no memory for frames ---- */

TEST(a_stack_without_memory_for_frames_tries_again_by_itself)
{
    struct weir_config config = world_config();
    struct world *w;
    struct world_pair p;
    struct failing_alloc *alloc;

    config.slab_bytes = 8192;
    config.buffer_large = 4096;
    config.tcp.initial_window_segs = 60;
    w = world_make(&(struct world_setup){.config = &config});
    p = world_connect(w);
    world_sends(w, 0, p.a, 100000); /* there are bytes to send, and they need frames */
    alloc = &w->stacks[0].alloc;
    w->keeps_frames = true;
    alloc->fail_at = alloc->calls + 1;
    alloc->fails_from_then = true;
    world_pump(w); /* the device has all the frames there are */
    EXPECT(!weir_has_output(world_stack(w, 0), 0)
           || weir_deadline(world_stack(w, 0)) != WEIR_NEVER);
    EXPECT(weir_deadline(world_stack(w, 0)) <= w->now + 10 * WEIR_MS);
    alloc->fail_at = 0;
    alloc->fails_from_then = false;
    w->keeps_frames = false;
    world_gives_back(w, false);
    world_run(w, 5 * WEIR_S);
    EXPECT_EQ(world_reads(w, 1, p.b), WEIR_EAGAIN);
    EXPECT_EQ(w->stacks[1].read, w->stacks[0].sent);
}

/* ---- datagrams ---- */

TEST(udp_sends_to_one_or_to_anybody)
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct world *w = world_make(&(struct world_setup){.stacks = 3, .is_v6 = is_v6});
        struct weir_endpoint at = {.port = 53}, to = world_endpoint(w, 1, 53), from, here;
        struct weir_endpoint nobody = {.port = 53};
        weir_udp_t server, client, other;
        uint8_t bytes[10];
        EXPECT_EQ(weir_udp_open(world_stack(w, 1), &at, NULL, &server), WEIR_OK);
        EXPECT_EQ(weir_udp_open(world_stack(w, 1), &at, NULL, &other), WEIR_EADDRINUSE);
        at.addr = world_addr(w, 0);
        EXPECT_EQ(weir_udp_open(world_stack(w, 1), &at, NULL, &other), WEIR_EADDRNOTAVAIL);
        at.port = 0;
        EXPECT_EQ(weir_udp_open(world_stack(w, 0), &at, &to, &client), WEIR_OK);
        EXPECT_EQ(weir_udp_open(world_stack(w, 0), &at, &nobody, &other), WEIR_EINVAL);
        EXPECT_EQ(weir_udp_open(world_stack(w, 2), &(struct weir_endpoint){0}, NULL, &other),
                  WEIR_OK);
        EXPECT_EQ(weir_udp_send(world_stack(w, 2), other, NULL, "x", 1), WEIR_ENOTCONN);
        EXPECT_EQ(weir_remote(world_stack(w, 2), other, &from), WEIR_ENOTCONN);
        EXPECT_EQ(weir_udp_recv(world_stack(w, 1), server, bytes, 10, NULL, NULL), WEIR_EAGAIN);
        EXPECT_EQ(weir_udp_send(world_stack(w, 0), client, NULL, "hello", 5), 5);
        EXPECT_EQ(weir_udp_send(world_stack(w, 0), client, NULL, "", 0), 0);
        world_settle(w);
        EXPECT_EQ(world_news(w, 1, server, NULL), WEIR_EVENT_READABLE);
        EXPECT_EQ(weir_udp_recv(world_stack(w, 1), server, bytes, 3, &from, &here), 5);
        EXPECT_MEM(bytes, "hel", 3);
        EXPECT(weir_addr_eq(&from.addr, &at.addr) && weir_addr_eq(&here.addr, &to.addr));
        EXPECT_EQ(here.port, 53);
        EXPECT_EQ(weir_udp_recv(world_stack(w, 1), server, bytes, 3, NULL, NULL), 0);
        EXPECT_EQ(weir_udp_send(world_stack(w, 1), server, &from, "yes", 3), 3);
        /* A connected endpoint does not hear others. */
        EXPECT_EQ(weir_udp_send(world_stack(w, 2), other, &from, "spam", 4), 4);
        world_settle(w);
        EXPECT_EQ(weir_udp_recv(world_stack(w, 0), client, bytes, 10, &from, NULL), 3);
        EXPECT(weir_addr_eq(&from.addr, &to.addr) && from.port == 53);
        EXPECT_EQ(weir_udp_recv(world_stack(w, 0), client, bytes, 10, NULL, NULL), WEIR_EAGAIN);
        EXPECT_EQ(world_dropped(w, 0, "udp_no_port"), 1);
        EXPECT_EQ(world_stats(w, 1).udp_endpoints, 1);
        EXPECT_EQ(weir_local(world_stack(w, 0), client, &here), WEIR_OK);
        EXPECT(here.port >= 32768 && weir_addr_eq(&here.addr, &at.addr));
        EXPECT_EQ(weir_remote(world_stack(w, 0), client, &here), WEIR_OK);
        EXPECT(weir_addr_eq(&here.addr, &to.addr) && here.port == 53);
    }
}

TEST(udp_opens_on_any_address_and_port_if_none_is_given)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct weir *s = world_stack(w, 0);
    struct weir_endpoint at;
    weir_udp_t u;

    EXPECT_EQ(weir_udp_open(s, NULL, NULL, &u), WEIR_OK);
    EXPECT_EQ(weir_local(s, u, &at), WEIR_OK);
    EXPECT(weir_addr_is_any(&at.addr) && at.port != 0);
    world_end(w);
}

TEST(udp_carries_any_length_that_fits)
{
    static uint8_t out[70000], in[70000];

    for (int is_v6 = 0; is_v6 < 2; is_v6++)
        for (int link = WEIR_LINK_IP; link <= WEIR_LINK_ETHERNET; link++) {
            size_t most = is_v6 ? 65527 : 65507;
            size_t lens[] = {0, 1, 64, 65, 1452, 1453, 1472, 1473, 9000, 40000, most};
            struct world *w =
                world_make(&(struct world_setup){.is_v6 = is_v6, .link = (enum weir_link)link});
            struct weir_endpoint at = {.port = 53}, to = world_endpoint(w, 1, 53), far;
            weir_udp_t a, b;
            for (size_t i = 0; i < sizeof out; i++)
                out[i] = (uint8_t)(i * 3 + i / 256);
            EXPECT_EQ(weir_udp_open(world_stack(w, 1), &at, NULL, &b), WEIR_OK);
            EXPECT_EQ(weir_udp_open(world_stack(w, 0), &(struct weir_endpoint){0}, NULL, &a),
                      WEIR_OK);
            for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
                EXPECT_EQ(weir_udp_send(world_stack(w, 0), a, &to, out, lens[i]), lens[i]);
                world_settle(w);
                EXPECT_EQ(weir_udp_recv(world_stack(w, 1), b, in, sizeof in, NULL, NULL), lens[i]);
                EXPECT_MEM(in, out, lens[i]);
            }
            EXPECT_EQ(weir_udp_send(world_stack(w, 0), a, &to, out, most + 1), WEIR_EMSGSIZE);
            EXPECT_EQ(weir_endpoint_parse(is_v6 ? "[2001:db8:9::1]:53" : "192.0.2.1:53", &far),
                      WEIR_OK);
            EXPECT_EQ(weir_udp_send(world_stack(w, 0), a, &far, out, 1), WEIR_ENETUNREACH);
        }
}

TEST(udp_options_are_those_of_ip_and_the_queue)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct weir *s = world_stack(w, 0);
    struct weir_endpoint at = {.port = 53}, to = world_endpoint(w, 1, 53);
    static uint8_t bytes[3000];
    weir_udp_t u, peer;
    int64_t value;
    int got = 0;

    EXPECT_EQ(weir_udp_open(s, &at, NULL, &u), WEIR_OK);
    EXPECT_EQ(weir_udp_open(world_stack(w, 1), &at, NULL, &peer), WEIR_OK);
    for (int opt = 0; opt <= WEIR_OPT_COUNT; opt++) {
        bool has = opt == WEIR_OPT_USER || opt == WEIR_OPT_TTL || opt == WEIR_OPT_TOS
                   || opt == WEIR_OPT_RECV_BUFFER;
        if (opt == WEIR_OPT_V6ONLY || opt == WEIR_OPT_SHARE_PORT)
            continue; /* they are set when the endpoint is opened */
        EXPECT_EQ(weir_set(s, u, (enum weir_opt)opt, 100), has ? WEIR_OK : WEIR_ENOTSUP);
        EXPECT_EQ(weir_get(s, u, (enum weir_opt)opt, &value), has ? WEIR_OK : WEIR_ENOTSUP);
        EXPECT(!has || value == 100);
    }
    EXPECT_EQ(weir_set(s, u, WEIR_OPT_TTL, 0), WEIR_EINVAL);
    EXPECT_EQ(weir_set(s, u, WEIR_OPT_TTL, 256), WEIR_EINVAL);
    EXPECT_EQ(weir_set(s, u, WEIR_OPT_TOS, 256), WEIR_EINVAL);
    EXPECT_EQ(weir_set(s, u, WEIR_OPT_RECV_BUFFER, 0), WEIR_EINVAL);
    EXPECT_EQ(weir_udp_send(s, u, &to, "x", 1), 1);
    world_settle(w);
    EXPECT_EQ(world_last(w, 0)->view.ttl, 100);
    EXPECT_EQ(world_last(w, 0)->view.tos, 100);

    /* A full queue drops what comes, and is emptied by reading. */
    EXPECT_EQ(weir_set(world_stack(w, 1), peer, WEIR_OPT_RECV_BUFFER, 20000), WEIR_OK);
    for (int i = 0; i < 50; i++) {
        EXPECT_EQ(weir_udp_send(s, u, &to, bytes, 1000), 1000);
        world_settle(w);
    }
    EXPECT(world_dropped(w, 1, "udp_queue") > 25);
    while (weir_udp_recv(world_stack(w, 1), peer, bytes, 3000, NULL, NULL) >= 0)
        got++;
    EXPECT(got > 5 && got < 25);
}

TEST(ping_hears_its_own_replies)
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct world *w = world_make(
            &(struct world_setup){.is_v6 = is_v6, .conditions = {.delay_ns = 3 * WEIR_MS}});
        struct weir *s = world_stack(w, 0);
        struct weir_addr to = world_addr(w, 1), any = {{0}}, far;
        static uint8_t out[20000], in[20000];
        struct weir_ping_reply reply;
        weir_ping_t p[2];
        EXPECT_EQ(weir_addr_parse(is_v6 ? "2001:db8:9::1" : "192.0.2.1", &far), WEIR_OK);
        EXPECT_EQ(weir_ping_open(s, &any, &p[0]), WEIR_EINVAL);
        EXPECT_EQ(weir_ping_open(s, &far, &p[0]), WEIR_ENETUNREACH);
        for (int i = 0; i < 2; i++)
            EXPECT_EQ(weir_ping_open(s, &to, &p[i]), WEIR_OK);
        for (size_t i = 0; i < sizeof out; i++)
            out[i] = (uint8_t)(i * 5);
        EXPECT_EQ(weir_ping_recv(s, p[0], in, sizeof in, &reply), WEIR_EAGAIN);
        for (uint16_t n = 0; n < 4; n++)
            EXPECT_EQ(weir_ping_send(s, p[n % 2], n, out, (size_t)n * 4000), n * 4000);
        EXPECT_EQ(weir_ping_send(s, p[0], 9, out, 70000), WEIR_EMSGSIZE);
        world_run(w, 10 * WEIR_MS);
        for (uint16_t n = 0; n < 4; n++) {
            EXPECT_EQ(weir_ping_recv(s, p[n % 2], in, sizeof in, &reply), n * 4000);
            EXPECT_EQ(reply.sequence, n);
            EXPECT_EQ(reply.error, 0);
            EXPECT_EQ(reply.ttl, 64);
            EXPECT_EQ(reply.received_at, w->started_at + 6 * WEIR_MS);
            EXPECT_MEM(in, out, (size_t)n * 4000);
        }
        EXPECT_EQ(weir_close(s, p[0]), WEIR_OK);
        EXPECT_EQ(weir_ping_send(s, p[0], 1, out, 1), WEIR_ESTALE);
    }
}

/* The headers of a fragment have to fit before what the answer repeats of the request. */
TEST(ping_replies_in_fragments_over_every_link)
{
    static uint8_t bytes[30000];
    static const struct world_setup setups[] = {
        {.link = WEIR_LINK_ETHERNET, .is_v6 = true, .vlan = 5, .mtu = 1280},
        {.link = WEIR_LINK_ETHERNET, .vlan = 5, .mtu = 576},
        {.is_v6 = true},
    };

    for (size_t i = 0; i < 3; i++) {
        struct world *w = world_make(&setups[i]);
        struct weir_addr to = world_addr(w, 1);
        struct weir_ping_reply reply;
        weir_ping_t p;
        EXPECT_EQ(weir_ping_open(world_stack(w, 0), &to, &p), WEIR_OK);
        EXPECT_EQ(weir_ping_send(world_stack(w, 0), p, 1, bytes, 1), 1); /* finds the neighbour */
        world_settle(w);
        EXPECT_EQ(weir_ping_recv(world_stack(w, 0), p, bytes, sizeof bytes, &reply), 1);
        EXPECT_EQ(weir_ping_send(world_stack(w, 0), p, 1, bytes, sizeof bytes), sizeof bytes);
        world_settle(w);
        EXPECT_EQ(weir_ping_recv(world_stack(w, 0), p, bytes, sizeof bytes, &reply), sizeof bytes);
    }
}

/* As many as Linux keeps, so that a burst to somebody new is not repeated a second later. */
TEST(network_a_burst_of_connections_to_a_new_neighbour_loses_none)
{
    enum { COUNT = 200 };
    struct world *w = world_make(&(struct world_setup){.link = WEIR_LINK_ETHERNET});
    struct weir_endpoint to = world_endpoint(w, 1, WORLD_PORT);
    weir_conn_t c;

    world_listen(w, 1, WORLD_PORT, COUNT);
    for (int i = 0; i < COUNT; i++)
        EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &c), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(world_dropped(w, 0, "neigh_full"), 0);
    EXPECT_EQ(world_count(w, 1, TCP_SYN | TCP_ACK, TCP_SYN | TCP_ACK), COUNT);
}
