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
    EXPECT_EQ(weir_note_writable(world_stack(w, 0), p.a), WEIR_OK);
    world_run(w, WEIR_S);
    EXPECT(world_news(w, 0, p.a, NULL) & WEIR_EVENT_WRITABLE);
    EXPECT_EQ(weir_note_writable(world_stack(w, 0), p.listener), WEIR_ESTALE);
}

TEST(a_listener_for_ipv6_alone_leaves_ipv4_to_others)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct weir_endpoint any = {.port = WORLD_PORT}, to = world_endpoint(w, 1, WORLD_PORT);
    weir_listener_t l;
    weir_conn_t c;
    int err;

    EXPECT_EQ(weir_listen(world_stack(w, 1), &any, 1, &l), WEIR_OK);
    EXPECT_EQ(weir_set_v6only(world_stack(w, 1), l, true), WEIR_OK);
    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &c), WEIR_OK);
    world_settle(w);
    EXPECT(world_news(w, 0, c, &err) & WEIR_EVENT_CLOSED);
    EXPECT_EQ(err, WEIR_ECONNREFUSED);

    EXPECT_EQ(weir_set_v6only(world_stack(w, 1), l, false), WEIR_OK);
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

    EXPECT_EQ(weir_set_backlog(world_stack(w, 1), l, 2), WEIR_OK);
    for (int i = 0; i < 5; i++)
        EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &c), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(weir_acceptable(world_stack(w, 1), l), 3); /* one more, as Linux */
}

TEST(ports_for_binds_are_not_listened_on_and_not_the_same_twice)
{
    struct weir_config config = world_config();
    struct world *w;
    uint16_t first, second;

    config.tcp.port_first = 5000;
    config.tcp.port_last = 5001;
    w = world_make(&(struct world_setup){.config = &config});
    first = weir_tcp_port(world_stack(w, 0));
    second = weir_tcp_port(world_stack(w, 0));
    EXPECT_EQ(first + second, 10001);
    world_listen(w, 0, first, 1);
    EXPECT_EQ(weir_tcp_port(world_stack(w, 0)), second);
    EXPECT_EQ(weir_tcp_port(world_stack(w, 0)), second);
    world_listen(w, 0, second, 1);
    EXPECT_EQ(weir_tcp_port(world_stack(w, 0)), 0);
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
