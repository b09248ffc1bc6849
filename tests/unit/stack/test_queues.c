/*
 * test_queues.c - what sockets ask of the stack: queues, peeking, ports, listeners' settings
 */
#include "lib/test.h"
#include "lib/world.h"
#include <string.h>

TEST(queues_are_counted_on_both_sides)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    struct weir_tcp_queued a, b;

    EXPECT_EQ(weir_tcp_queued(world_stack(w, 0), p.a, &a), WEIR_OK);
    EXPECT_EQ(a.send_bytes, 0);
    EXPECT_EQ(a.send_room, 262144);
    world_sends(w, 0, p.a, 5000);
    EXPECT_EQ(weir_tcp_queued(world_stack(w, 0), p.a, &a), WEIR_OK);
    EXPECT_EQ(a.send_bytes, 5000);
    EXPECT_EQ(a.unsent_bytes, 5000);
    EXPECT_EQ(a.send_room, 262144 - 5000);
    world_pump(w); /* sent, and not acknowledged: the link takes a while */
    EXPECT_EQ(weir_tcp_queued(world_stack(w, 0), p.a, &a), WEIR_OK);
    EXPECT_EQ(a.send_bytes, 5000);
    EXPECT_EQ(a.unsent_bytes, 0);
    world_settle(w);
    EXPECT_EQ(weir_tcp_queued(world_stack(w, 0), p.a, &a), WEIR_OK);
    EXPECT_EQ(a.send_bytes, 0);
    EXPECT_EQ(weir_tcp_queued(world_stack(w, 1), p.b, &b), WEIR_OK);
    EXPECT_EQ(b.recv_bytes, 5000);
    EXPECT_EQ(weir_tcp_queued(world_stack(w, 1), p.listener, &b), WEIR_ESTALE);
}

TEST(peeking_copies_from_anywhere_and_consumes_nothing)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    char bytes[16];

    EXPECT_EQ(weir_peek(world_stack(w, 1), p.b, 0, bytes, sizeof bytes), WEIR_EAGAIN);
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(weir_send(world_stack(w, 0), p.a, "abcd" + i, 2, 0), 2);
        world_settle(w);
    }
    EXPECT_EQ(weir_peek(world_stack(w, 1), p.b, 0, bytes, sizeof bytes), 6);
    EXPECT_MEM(bytes, "abbccd", 6);
    EXPECT_EQ(weir_peek(world_stack(w, 1), p.b, 3, bytes, 2), 2);
    EXPECT_MEM(bytes, "cc", 2);
    EXPECT_EQ(weir_peek(world_stack(w, 1), p.b, 6, bytes, 1), WEIR_EAGAIN);
    EXPECT_EQ(weir_recv(world_stack(w, 1), p.b, bytes, sizeof bytes), 6);
    EXPECT_EQ(weir_shutdown(world_stack(w, 0), p.a), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(weir_peek(world_stack(w, 1), p.b, 0, bytes, 1), 0);
}

TEST(room_is_told_if_it_was_asked_for_without_a_refused_send)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);

    world_news(w, 0, p.a, NULL);
    world_sends(w, 0, p.a, 200000);
    EXPECT_EQ(weir_set(world_stack(w, 0), p.a, WEIR_OPT_NOTE_WRITABLE, 1), WEIR_OK);
    world_run(w, WEIR_S);
    EXPECT(world_news(w, 0, p.a, NULL) & WEIR_EVENT_WRITABLE);
}

TEST(who_counts_for_itself_is_told_of_what_is_acknowledged)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    int64_t value;

    world_sends(w, 0, p.a, 1000);
    EXPECT_EQ(weir_set(world_stack(w, 0), p.a, WEIR_OPT_NOTE_WRITABLE, 2), WEIR_OK);
    world_news(w, 0, p.a, NULL);
    world_run(w, WEIR_S);
    EXPECT(world_news(w, 0, p.a, NULL) & WEIR_EVENT_WRITABLE);
    EXPECT_EQ(weir_get(world_stack(w, 0), p.a, WEIR_OPT_NOTE_WRITABLE, &value), WEIR_OK);
    EXPECT_EQ(value, 0);
}

TEST(a_listener_for_ipv6_alone_leaves_ipv4_to_others)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct weir_endpoint any = {.port = WORLD_PORT}, to = world_endpoint(w, 1, WORLD_PORT);
    struct weir_opt_value v6only = {WEIR_OPT_V6ONLY, 1};
    weir_listener_t l;
    weir_conn_t c;
    int err;

    EXPECT_EQ(weir_listen_with(world_stack(w, 1), &any, 1, &v6only, 1, &l), WEIR_OK);
    EXPECT_EQ(weir_set(world_stack(w, 1), l, WEIR_OPT_V6ONLY, 0), WEIR_ESTATE);
    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &c), WEIR_OK);
    world_settle(w);
    EXPECT(world_news(w, 0, c, &err) & WEIR_EVENT_CLOSED);
    EXPECT_EQ(err, WEIR_ECONNREFUSED);

    EXPECT_EQ(weir_close(world_stack(w, 1), l), WEIR_OK);
    EXPECT_EQ(weir_listen(world_stack(w, 1), &any, 1, &l), WEIR_OK);
    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &c), WEIR_OK);
    world_settle(w);
    EXPECT(world_news(w, 0, c, NULL) & WEIR_EVENT_CONNECTED);
    EXPECT_EQ(weir_acceptable(world_stack(w, 1), l), 1);
}

TEST(a_backlog_may_be_changed)
{
    struct world *w = world_make(&(struct world_setup){0});
    weir_listener_t l = world_listen(w, 1, WORLD_PORT, 0);
    struct weir_endpoint to = world_endpoint(w, 1, WORLD_PORT);
    weir_conn_t c;

    EXPECT_EQ(weir_set(world_stack(w, 1), l, WEIR_OPT_BACKLOG, 2), WEIR_OK);
    for (int i = 0; i < 5; i++)
        EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &c), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(weir_acceptable(world_stack(w, 1), l), 3); /* one more, as Linux */
}

TEST(ports_for_binds_are_not_listened_on_and_other_ones_in_turn)
{
    struct weir_config config = world_config();
    struct world *w;
    uint16_t first, second;

    config.tcp.port_first = 5000;
    config.tcp.port_last = 5001;
    w = world_make(&(struct world_setup){.config = &config});
    first = weir_tcp_port(world_stack(w, 0), 0);
    second = weir_tcp_port(world_stack(w, 0), 1);
    EXPECT_EQ(first + second, 10001);
    world_listen(w, 0, first, 1);
    EXPECT_EQ(weir_tcp_port(world_stack(w, 0), 0), second);
    EXPECT_EQ(weir_tcp_port(world_stack(w, 0), 1), second);
    world_listen(w, 0, second, 1);
    EXPECT_EQ(weir_tcp_port(world_stack(w, 0), 0), 0);
}

TEST(a_port_is_used_while_a_connection_is_there_and_in_time_wait)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    struct weir_endpoint at = p.a_at, any = {.port = p.a_at.port}, other = p.a_at;

    other.addr = weir_addr_v4(198, 18, 0, 77);
    EXPECT(weir_tcp_port_is_used(world_stack(w, 0), &at));
    EXPECT(weir_tcp_port_is_used(world_stack(w, 0), &any));
    EXPECT(!weir_tcp_port_is_used(world_stack(w, 0), &other));
    weir_close(world_stack(w, 0), p.a);
    world_settle(w);
    weir_close(world_stack(w, 1), p.b);
    world_settle(w);
    EXPECT(weir_tcp_port_is_used(world_stack(w, 0), &at));
    EXPECT(!weir_tcp_port_is_used(world_stack(w, 1), &p.a_at));
    world_run(w, 61 * WEIR_S);
    EXPECT(!weir_tcp_port_is_used(world_stack(w, 0), &at));
}

TEST(an_endpoint_gets_another_remote_end_and_keeps_its_port_and_what_it_has)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct weir *s = world_stack(w, 0);
    struct weir_endpoint at = {.port = 53}, to = world_endpoint(w, 1, 53), got;
    struct weir_endpoint here = world_endpoint(w, 0, 53), wrong = {.port = 53};
    struct weir_datagram about;
    char bytes[16];
    weir_udp_t u, peer;

    EXPECT_EQ(weir_udp_open(s, &at, NULL, &u), WEIR_OK);
    EXPECT_EQ(weir_udp_open(world_stack(w, 1), &at, NULL, &peer), WEIR_OK);
    EXPECT_EQ(weir_udp_peek(s, u, bytes, sizeof bytes, &about), WEIR_EAGAIN);
    EXPECT_EQ(weir_udp_send(world_stack(w, 1), peer, &here, "early", 5), 5);
    world_settle(w);

    EXPECT_EQ(weir_udp_connect(s, u, &to), WEIR_OK);
    EXPECT_EQ(weir_local(s, u, &got), WEIR_OK);
    EXPECT(weir_addr_eq(&got.addr, &here.addr) && got.port == 53);
    EXPECT_EQ(weir_udp_peek(s, u, bytes, 3, &about), 5);
    EXPECT_MEM(bytes, "ear", 3);
    EXPECT(weir_addr_eq(&about.from.addr, &to.addr) && about.ttl == 64 && about.tos == 0);
    EXPECT_EQ(weir_udp_recv(s, u, bytes, sizeof bytes, NULL, NULL), 5);
    EXPECT_EQ(weir_udp_send(s, u, NULL, "hello", 5), 5);
    world_settle(w);
    EXPECT_EQ(weir_udp_recv(world_stack(w, 1), peer, bytes, sizeof bytes, &got, NULL), 5);
    EXPECT_EQ(got.port, 53);

    EXPECT_EQ(weir_udp_connect(s, u, &wrong), WEIR_EINVAL);
    EXPECT_EQ(weir_remote(s, u, &got), WEIR_OK);
    EXPECT_EQ(weir_udp_connect(s, u, NULL), WEIR_OK);
    EXPECT_EQ(weir_remote(s, u, &got), WEIR_ENOTCONN);
    EXPECT_EQ(weir_local(s, u, &got), WEIR_OK);
    EXPECT(weir_addr_is_any(&got.addr));
    EXPECT_EQ(weir_udp_send(s, u, NULL, "hello", 5), WEIR_ENOTCONN);
    EXPECT_EQ(weir_udp_connect(s, 1, &to), WEIR_ESTALE);
}

TEST(an_endpoint_for_ipv6_alone_shares_its_port_with_one_for_ipv4)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct weir *s = world_stack(w, 1);
    struct weir_endpoint any = {.port = 53}, to = world_endpoint(w, 1, 53);
    struct weir_endpoint any4 = {.addr = weir_addr_v4(0, 0, 0, 0), .port = 53};
    struct weir_opt_value v6only = {WEIR_OPT_V6ONLY, 1}, bad = {WEIR_OPT_V6ONLY, 2};
    weir_udp_t six, four, from;
    int64_t value;

    EXPECT_EQ(weir_udp_open_with(s, &any, NULL, &bad, 1, &six), WEIR_EINVAL);
    EXPECT_EQ(weir_udp_open(s, &any4, NULL, &four), WEIR_OK);
    EXPECT_EQ(weir_udp_open(s, &any, NULL, &six), WEIR_EADDRINUSE);
    EXPECT_EQ(weir_udp_open_with(s, &any, NULL, &v6only, 1, &six), WEIR_OK);
    EXPECT_EQ(weir_set(s, six, WEIR_OPT_V6ONLY, 0), WEIR_ESTATE);
    EXPECT_EQ(weir_get(s, six, WEIR_OPT_V6ONLY, &value), WEIR_OK);
    EXPECT_EQ(value, 1);
    EXPECT_EQ(weir_close(s, four), WEIR_OK);
    EXPECT_EQ(weir_udp_open(world_stack(w, 0), NULL, &to, &from), WEIR_OK);
    EXPECT_EQ(weir_udp_send(world_stack(w, 0), from, NULL, "x", 1), 1);
    world_settle(w);
    EXPECT_EQ(weir_udp_error(world_stack(w, 0), from), WEIR_ECONNREFUSED);
    EXPECT_EQ(weir_udp_recv(world_stack(w, 0), from, NULL, 0, NULL, NULL), WEIR_ECONNREFUSED);
    EXPECT_EQ(weir_udp_error(world_stack(w, 0), from), WEIR_OK);
}
