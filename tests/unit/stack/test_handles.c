/*
 * test_handles.c - what a handle names, and what events say of it
 */
#include "lib/test.h"
#include "lib/world.h"
#include <string.h>

static void no_release(void *owner)
{
    (void)owner;
}

static void expect_stale_conn(struct weir *s, weir_handle_t h)
{
    struct weir_slice slice = {(uint8_t *)(uintptr_t) "x", 1}, slices[2];
    struct weir_tcp_info info;
    uint8_t bytes[8];
    size_t count = 9;

    EXPECT_EQ(weir_send(s, h, "x", 1, 0), WEIR_ESTALE);
    EXPECT_EQ(weir_send_lent(s, h, slice, 0, no_release, NULL), WEIR_ESTALE);
    EXPECT_EQ(weir_recv(s, h, bytes, sizeof bytes), WEIR_ESTALE);
    EXPECT_EQ(weir_recv_lent(s, h, slices, 2, &count), WEIR_ESTALE);
    EXPECT_EQ(count, 0);
    EXPECT_EQ(weir_recv_done(s, h, 0), WEIR_ESTALE);
    EXPECT_EQ(weir_shutdown(s, h), WEIR_ESTALE);
    EXPECT_EQ(weir_abort(s, h), WEIR_ESTALE);
    EXPECT_EQ(weir_urgent(s, h), WEIR_ESTALE);
    EXPECT_EQ(weir_tcp_info(s, h, &info), WEIR_ESTALE);
}

static void expect_stale_rest(struct weir *s, weir_handle_t h, bool is_ping)
{
    struct weir_ping_reply reply;
    weir_conn_t conn = 5;
    uint8_t bytes[8];

    EXPECT_EQ(weir_accept(s, h, &conn), WEIR_ESTALE);
    EXPECT_EQ(weir_udp_send(s, h, NULL, "x", 1), WEIR_ESTALE);
    EXPECT_EQ(weir_udp_recv(s, h, bytes, sizeof bytes, NULL, NULL), WEIR_ESTALE);
    if (is_ping)
        return;
    EXPECT_EQ(weir_ping_send(s, h, 1, "x", 1), WEIR_ESTALE);
    EXPECT_EQ(weir_ping_recv(s, h, bytes, sizeof bytes, &reply), WEIR_ESTALE);
}

static void expect_stale(struct weir *s, weir_handle_t h)
{
    struct weir_endpoint e;
    int64_t value;

    expect_stale_conn(s, h);
    expect_stale_rest(s, h, false);
    EXPECT_EQ(weir_close(s, h), WEIR_ESTALE);
    EXPECT_EQ(weir_local(s, h, &e), WEIR_ESTALE);
    EXPECT_EQ(weir_remote(s, h, &e), WEIR_ESTALE);
    EXPECT_EQ(weir_set(s, h, WEIR_OPT_USER, 1), WEIR_ESTALE);
    EXPECT_EQ(weir_get(s, h, WEIR_OPT_USER, &value), WEIR_ESTALE);
}

TEST(handles_that_name_nothing_are_stale_for_every_call)
{
    static const weir_handle_t bad[] = {0,
                                        1,
                                        UINT64_MAX,
                                        UINT64_C(1) << 60,
                                        UINT64_C(2) << 60,
                                        UINT64_C(3) << 60,
                                        UINT64_C(0x1000000100000000),
                                        UINT64_C(0x5000000100000000),
                                        0xffffffff};
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (bad[i] != p.a)
            expect_stale(world_stack(w, 0), bad[i]);
    for (unsigned kind = 0; kind < 16; kind++)
        if ((p.a >> 60) != kind)
            expect_stale(world_stack(w, 0), (p.a & ~(UINT64_C(15) << 60)) | (uint64_t)kind << 60);
}

TEST(handles_of_another_kind_are_stale)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct weir *s = world_stack(w, 1);
    struct world_pair p = world_connect(w);
    struct weir_endpoint any = {.port = 53};
    struct weir_addr peer = world_addr(w, 0);
    weir_udp_t udp;
    weir_ping_t ping;
    weir_conn_t conn;

    EXPECT_EQ(weir_udp_open(s, &any, NULL, &udp), WEIR_OK);
    EXPECT_EQ(weir_ping_open(s, &peer, &ping), WEIR_OK);
    expect_stale_conn(s, p.listener);
    expect_stale_conn(s, udp);
    expect_stale_conn(s, ping);
    expect_stale_rest(s, p.b, false);
    expect_stale_rest(s, ping, true);
    EXPECT_EQ(weir_accept(s, udp, &conn), WEIR_ESTALE);
    EXPECT_EQ(weir_ping_send(s, udp, 1, "x", 1), WEIR_ESTALE);
    EXPECT_EQ(weir_udp_send(s, p.listener, NULL, "x", 1), WEIR_ESTALE);
}

TEST(handles_are_never_used_again)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct weir *s = world_stack(w, 1);
    struct world_pair p = world_connect(w);
    struct weir_endpoint any = {.port = 53};
    weir_handle_t old[4];

    for (int round = 0; round < 20; round++) {
        weir_listener_t l;
        weir_udp_t udp;
        weir_ping_t ping;
        struct weir_addr peer = world_addr(w, 0);
        struct weir_endpoint at = {.port = 81};
        struct weir_endpoint to = world_endpoint(w, 0, 9);
        weir_conn_t c;
        weir_handle_t fresh[4];
        EXPECT_EQ(weir_listen(s, &at, 1, &l), WEIR_OK);
        EXPECT_EQ(weir_udp_open(s, &any, NULL, &udp), WEIR_OK);
        EXPECT_EQ(weir_ping_open(s, &peer, &ping), WEIR_OK);
        EXPECT_EQ(weir_connect(s, NULL, &to, &c), WEIR_OK);
        fresh[0] = l, fresh[1] = udp, fresh[2] = ping, fresh[3] = c;
        for (int i = 0; i < 4; i++) {
            if (round > 0) {
                EXPECT(fresh[i] != old[i]);
                expect_stale(s, old[i]);
            }
            EXPECT_EQ(weir_close(s, fresh[i]), WEIR_OK);
            old[i] = fresh[i];
        }
    }
    expect_stale(s, old[0]);
    EXPECT_EQ(world_state(w, 1, p.b), WEIR_TCP_ESTABLISHED);
}

TEST(a_connection_has_no_handle_before_it_is_accepted_nor_after_it_was_given_up)
{
    struct world *w = world_make(&(struct world_setup){0});
    weir_listener_t l = world_listen(w, 1, WORLD_PORT, 5);
    struct weir_endpoint to = world_endpoint(w, 1, WORLD_PORT);
    weir_conn_t a, b;

    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &a), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(world_stats(w, 1).connections, 1);
    EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
    EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_EAGAIN);
    EXPECT_EQ(weir_close(world_stack(w, 0), a), WEIR_OK);
    expect_stale(world_stack(w, 0), a); /* although the connection lives on */
    EXPECT_EQ(world_stats(w, 0).connections, 1);
    world_settle(w);
    EXPECT(world_news(w, 1, b, NULL) & WEIR_EVENT_PEER_CLOSED);
}

TEST(events_of_one_handle_gather_until_they_are_taken)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    struct weir_event e;

    w->leaves_events = true;
    while (weir_event(world_stack(w, 1), &e)) {
    }
    EXPECT_EQ(weir_set(world_stack(w, 1), p.b, WEIR_OPT_USER, INT64_MIN), WEIR_OK);
    for (int i = 0; i < 5; i++) {
        world_sends(w, 0, p.a, 100);
        world_settle(w);
    }
    EXPECT_EQ(weir_shutdown(world_stack(w, 0), p.a), WEIR_OK);
    world_settle(w);
    EXPECT(weir_event(world_stack(w, 1), &e));
    EXPECT(e.handle == p.b);
    EXPECT_EQ(e.bits, WEIR_EVENT_READABLE | WEIR_EVENT_PEER_CLOSED);
    EXPECT_EQ(e.error, 0);
    EXPECT(e.user == (uint64_t)INT64_MIN);
    EXPECT(!weir_event(world_stack(w, 1), &e));

    /* It is not repeated while the condition lasts. */
    world_run(w, 10 * WEIR_S);
    EXPECT(!weir_event(world_stack(w, 1), &e));
}

TEST(no_event_follows_a_close_of_any_handle)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    struct weir *s = world_stack(w, 1);
    struct weir_endpoint any = {.port = 53}, to = world_endpoint(w, 1, 53);
    struct weir_addr peer = world_addr(w, 0), self = world_addr(w, 1);
    struct weir_event e;
    weir_udp_t udp, sender;
    weir_ping_t ping;
    weir_conn_t more;

    (void)peer;
    w->leaves_events = true;
    EXPECT_EQ(weir_udp_open(s, &any, NULL, &udp), WEIR_OK);
    EXPECT_EQ(weir_udp_open(world_stack(w, 0), &(struct weir_endpoint){0}, NULL, &sender), WEIR_OK);
    EXPECT_EQ(weir_ping_open(s, &self, &ping), WEIR_OK);
    EXPECT_EQ(weir_ping_send(s, ping, 1, "x", 1), 1);
    EXPECT_EQ(weir_udp_send(world_stack(w, 0), sender, &to, "x", 1), 1);
    to = world_endpoint(w, 1, WORLD_PORT);
    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &more), WEIR_OK);
    world_sends(w, 0, p.a, 100);
    world_settle(w);

    /* There is news of all of them, and nobody has taken it. */
    EXPECT_EQ(weir_close(s, p.b), WEIR_OK);
    EXPECT_EQ(weir_close(s, p.listener), WEIR_OK);
    EXPECT_EQ(weir_close(s, udp), WEIR_OK);
    EXPECT_EQ(weir_close(s, ping), WEIR_OK);
    EXPECT(!weir_event(s, &e));
    world_run(w, 100 * WEIR_S);
    EXPECT(!weir_event(s, &e));
}

TEST(events_of_each_kind_of_handle_carry_its_own_number)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct weir *s = world_stack(w, 0);
    struct weir_endpoint any = {.port = 53}, to = world_endpoint(w, 0, 53);
    struct weir_addr self = world_addr(w, 0);
    weir_listener_t l = world_listen(w, 0, WORLD_PORT, 5);
    struct weir_opt_value user = {WEIR_OPT_USER, 44};
    uint32_t seen = 0;
    struct weir_event e;
    weir_udp_t udp;
    weir_ping_t ping;
    weir_conn_t c;

    w->leaves_events = true;
    EXPECT_EQ(weir_udp_open(s, &any, NULL, &udp), WEIR_OK);
    EXPECT_EQ(weir_ping_open(s, &self, &ping), WEIR_OK);
    EXPECT_EQ(weir_set(s, l, WEIR_OPT_USER, 41), WEIR_OK);
    EXPECT_EQ(weir_set(s, udp, WEIR_OPT_USER, 42), WEIR_OK);
    EXPECT_EQ(weir_set(s, ping, WEIR_OPT_USER, 43), WEIR_OK);
    EXPECT_EQ(weir_udp_send(s, udp, &to, "x", 1), 1);
    EXPECT_EQ(weir_ping_send(s, ping, 1, "x", 1), 1);
    to.port = WORLD_PORT;
    EXPECT_EQ(weir_connect_with(s, NULL, &to, &user, 1, &c), WEIR_OK);
    world_settle(w);
    while (weir_event(s, &e)) {
        EXPECT(e.user >= 41 && e.user <= 44);
        EXPECT(e.handle == (e.user == 41 ? l : e.user == 42 ? udp : e.user == 43 ? ping : c));
        EXPECT_EQ(e.bits, e.user == 41   ? WEIR_EVENT_ACCEPTABLE
                          : e.user == 44 ? WEIR_EVENT_CONNECTED | WEIR_EVENT_WRITABLE
                                         : WEIR_EVENT_READABLE);
        seen |= 1u << (e.user - 41);
    }
    EXPECT_EQ(seen, 15);

    /* What a listener accepts begins with its number. */
    EXPECT_EQ(weir_accept(s, l, &c), WEIR_OK);
    int64_t value;
    EXPECT_EQ(weir_get(s, c, WEIR_OPT_USER, &value), WEIR_OK);
    EXPECT_EQ(value, 41);
}

TEST(writable_comes_after_a_refused_write_and_only_then)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    size_t taken;

    world_news(w, 0, p.a, NULL);
    world_sends(w, 0, p.a, 1000);
    world_settle(w);
    EXPECT_EQ(world_news(w, 0, p.a, NULL), 0);
    taken = world_offers(w, 0, p.a, 10000000);
    EXPECT(taken >= 256 * 1024 && taken < 10000000);
    EXPECT_EQ(weir_send(world_stack(w, 0), p.a, "x", 1, 0), WEIR_EAGAIN);
    world_settle(w);
    EXPECT_EQ(world_reads(w, 1, p.b), WEIR_EAGAIN);
    world_run(w, WEIR_S);
    EXPECT_EQ(world_news(w, 0, p.a, NULL), WEIR_EVENT_WRITABLE);
    EXPECT(world_offers(w, 0, p.a, 1) == 1);
}

TEST(sent_is_told_to_who_asks_for_it)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);

    world_news(w, 0, p.a, NULL);
    EXPECT_EQ(weir_set(world_stack(w, 0), p.a, WEIR_OPT_NOTE_SENT, 1), WEIR_OK);
    world_sends(w, 0, p.a, 100000);
    EXPECT_EQ(world_news(w, 0, p.a, NULL), 0);
    world_run(w, WEIR_S);
    EXPECT_EQ(world_news(w, 0, p.a, NULL), WEIR_EVENT_SENT);
}
