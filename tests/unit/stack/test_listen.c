/*
 * test_listen.c - OPEN, passive: listeners and their queues
 */
#include "lib/test.h"
#include "lib/world.h"
#include "wire/tcp.h"
#include <string.h>

enum { MANY = 20 };

static struct weir_endpoint endpoint(const char *text)
{
    struct weir_endpoint e;

    EXPECT_EQ(weir_endpoint_parse(text, &e), WEIR_OK);
    return e;
}

static weir_conn_t connect_to(struct world *w, const char *text)
{
    struct weir_endpoint to = endpoint(text);
    weir_conn_t c;

    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &c), WEIR_OK);
    return c;
}

TEST(listen_refuses_addresses_that_are_not_ours_and_ports_that_are_taken)
{
    static const struct {
        const char *local;
        int err;
    } cases[] = {
        {"198.18.0.2:0", WEIR_EINVAL},
        {"[::]:0", WEIR_EINVAL},
        {"224.0.0.1:80", WEIR_EINVAL},
        {"[ff02::1]:80", WEIR_EINVAL},
        {"255.255.255.255:80", WEIR_EINVAL},
        {"198.18.0.255:80", WEIR_EADDRNOTAVAIL},
        {"198.18.0.1:80", WEIR_EADDRNOTAVAIL},
        {"[2001:db8::9]:80", WEIR_EADDRNOTAVAIL},
        {"[::]:80", WEIR_OK},
        {"[::]:80", WEIR_EADDRINUSE},
        {"0.0.0.0:80", WEIR_OK},
        {"0.0.0.0:80", WEIR_EADDRINUSE},
        {"198.18.0.2:80", WEIR_OK},
        {"198.18.0.2:80", WEIR_EADDRINUSE},
        {"[2001:db8::2]:80", WEIR_OK},
        {"[2001:db8::2]:80", WEIR_EADDRINUSE},
        {"198.18.0.2:81", WEIR_OK},
    };
    struct world *w = world_make(&(struct world_setup){0});

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_endpoint local = endpoint(cases[i].local), got;
        weir_listener_t l = 0;
        int err = weir_listen(world_stack(w, 1), &local, 1, &l);
        if (err != cases[i].err)
            FAIL("%s: %s", cases[i].local, weir_err_name(err));
        EXPECT((l != 0) == (err == WEIR_OK));
        if (err != WEIR_OK)
            continue;
        EXPECT_EQ(weir_local(world_stack(w, 1), l, &got), WEIR_OK);
        EXPECT(weir_addr_eq(&got.addr, &local.addr) && got.port == local.port);
        EXPECT_EQ(weir_remote(world_stack(w, 1), l, &got), WEIR_ENOTCONN);
    }
    EXPECT_EQ(world_stats(w, 1).listeners, 5);
}

TEST(listen_the_most_specific_address_takes_the_connection)
{
    static const char *const locals[] = {"[::]:80", "0.0.0.0:80", "198.18.0.2:80"};
    static const struct {
        const char *to;
        size_t taker[3]; /* with so many of the listeners: which takes it */
    } cases[] = {{"198.18.0.2:80", {0, 1, 2}}, {"[2001:db8::2]:80", {0, 0, 0}}};

    for (size_t open = 1; open <= 3; open++) {
        struct world *w = world_make(&(struct world_setup){0});
        weir_listener_t l[3];
        for (size_t i = 0; i < open; i++) { /* the order does not matter */
            size_t at = (i + 1) % open;
            struct weir_endpoint local = endpoint(locals[at]);
            EXPECT_EQ(weir_listen(world_stack(w, 1), &local, 5, &l[at]), WEIR_OK);
        }
        for (size_t i = 0; i < 2; i++) {
            weir_conn_t b;
            connect_to(w, cases[i].to);
            world_settle(w);
            for (size_t k = 0; k < open; k++)
                EXPECT_EQ(weir_accept(world_stack(w, 1), l[k], &b),
                          k == cases[i].taker[open - 1] ? WEIR_OK : WEIR_EAGAIN);
        }
    }
}

/* Whoever took the last connection is not asked again when another has a better claim. */
TEST(listen_those_that_come_and_go_take_the_next_connection)
{
    static const char *const locals[] = {"0.0.0.0:80", "198.18.0.2:80"};
    struct world *w = world_make(&(struct world_setup){0});
    weir_listener_t l[2];
    weir_conn_t b;

    for (size_t i = 0; i < 2; i++) {
        struct weir_endpoint local = endpoint(locals[i]);
        EXPECT_EQ(weir_listen(world_stack(w, 1), &local, 5, &l[i]), WEIR_OK);
        connect_to(w, "198.18.0.2:80");
        world_settle(w);
        EXPECT_EQ(weir_accept(world_stack(w, 1), l[i], &b), WEIR_OK);
    }
    EXPECT_EQ(weir_close(world_stack(w, 1), l[1]), WEIR_OK);
    connect_to(w, "198.18.0.2:80");
    world_settle(w);
    EXPECT_EQ(weir_accept(world_stack(w, 1), l[0], &b), WEIR_OK);
    EXPECT_EQ(weir_close(world_stack(w, 1), l[0]), WEIR_OK);
    EXPECT_EQ(weir_accept(world_stack(w, 1), l[0], &b), WEIR_ESTALE);
}

TEST(listen_does_not_touch_connections_on_the_port) /* [RFC9293 MUST-41, MUST-42] */
{
    struct world *w = world_make(&(struct world_setup){0});
    struct weir_endpoint local = world_endpoint(w, 1, 80), nobody = world_endpoint(w, 2, 80);
    struct world_pair p = world_connect(w);
    weir_listener_t l;
    weir_conn_t opening, b;

    /* One is established, one is being opened from the same port; neither minds. */
    EXPECT_EQ(weir_close(world_stack(w, 1), p.listener), WEIR_OK);
    EXPECT_EQ(weir_connect(world_stack(w, 1), &local, &nobody, &opening), WEIR_OK);
    EXPECT_EQ(weir_listen(world_stack(w, 1), &local, 5, &l), WEIR_OK);
    world_sends(w, 0, p.a, 1000);
    world_settle(w);
    EXPECT_EQ(world_reads(w, 1, p.b), WEIR_EAGAIN);
    EXPECT_EQ(w->stacks[1].read, 1000);
    EXPECT_EQ(world_state(w, 1, opening), WEIR_TCP_SYN_SENT);
    connect_to(w, "198.18.0.2:80");
    world_settle(w);
    EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
}

TEST(listen_accepts_in_the_order_of_arrival)
{
    struct world *w = world_make(&(struct world_setup){0});
    weir_listener_t l = world_listen(w, 1, WORLD_PORT, MANY);
    uint16_t ports[MANY];

    for (size_t i = 0; i < MANY; i++) {
        struct weir_endpoint local;
        weir_conn_t c = connect_to(w, "198.18.0.2:80");
        EXPECT_EQ(weir_local(world_stack(w, 0), c, &local), WEIR_OK);
        ports[i] = local.port;
        world_settle(w);
    }
    EXPECT_EQ(world_news(w, 1, l, NULL), WEIR_EVENT_ACCEPTABLE);
    for (size_t i = 0; i < MANY; i++) {
        struct weir_endpoint remote;
        weir_conn_t b;
        EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
        EXPECT_EQ(weir_remote(world_stack(w, 1), b, &remote), WEIR_OK);
        EXPECT_EQ(remote.port, ports[i]);
    }
    EXPECT_EQ(world_stats(w, 1).tcp_passive_opens, MANY);
    EXPECT_EQ(world_stats(w, 0).tcp_active_opens, MANY);
}

static void accept_all(struct world *w, void *ctx)
{
    const weir_listener_t *l = ctx;
    weir_conn_t b;

    while (weir_accept(world_stack(w, 1), *l, &b) == WEIR_OK) {
    }
}

/* As Linux: the queue is full when more than backlog wait, and then SYNs are dropped. */
TEST(listen_with_a_full_queue_drops_syns_until_there_is_room)
{
    for (uint32_t backlog = 0; backlog < 4; backlog++) {
        struct world *w = world_make(&(struct world_setup){0});
        weir_listener_t l = world_listen(w, 1, WORLD_PORT, backlog);
        weir_conn_t c[8], b;
        uint32_t established = 0;
        for (size_t i = 0; i < 8; i++) {
            c[i] = connect_to(w, "198.18.0.2:80");
            world_settle(w);
        }
        for (size_t i = 0; i < 8; i++)
            established += world_state(w, 0, c[i]) == WEIR_TCP_ESTABLISHED;
        EXPECT_EQ(established, backlog + 1);
        EXPECT_EQ(world_stats(w, 1).connections, backlog + 1);
        EXPECT_EQ(world_dropped(w, 1, "tcp_accept_queue"), 8 - established);

        /* The SYN is repeated after a second, and finds room. */
        EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
        world_run(w, 1010 * WEIR_MS);
        EXPECT_EQ(world_stats(w, 1).connections, backlog + 2);
        w->app = accept_all;
        w->ctx = &l;
        world_run(w, 70 * WEIR_S);
        for (size_t i = 0; i < 8; i++)
            EXPECT_EQ(world_state(w, 0, c[i]), WEIR_TCP_ESTABLISHED);
    }
}

/* Many SYNs come before the first ACK: the last ACKs find a full queue. */
static struct world *overflow(bool abort_on_overflow, weir_listener_t *l, weir_conn_t c[4])
{
    struct weir_config config = world_config();
    struct world *w;

    config.tcp.abort_on_overflow = abort_on_overflow;
    w = world_make(
        &(struct world_setup){.config = &config, .conditions = {.delay_ns = 10 * WEIR_MS}});
    *l = world_listen(w, 1, WORLD_PORT, 0);
    for (size_t i = 0; i < 4; i++)
        c[i] = connect_to(w, "198.18.0.2:80");
    world_run(w, 100 * WEIR_MS);
    EXPECT_EQ(world_stats(w, 1).connections, 1);
    EXPECT_EQ(world_dropped(w, 1, "tcp_accept_queue"), 3);
    return w;
}

TEST(listen_a_full_queue_drops_the_last_ack_and_the_connection_completes_later)
{
    weir_listener_t l;
    weir_conn_t c[4], b;
    struct world *w = overflow(false, &l, c);

    EXPECT_EQ(world_stats(w, 1).half_open, 3);
    for (size_t i = 0; i < 4; i++) /* they believe that they are connected */
        EXPECT_EQ(world_state(w, 0, c[i]), WEIR_TCP_ESTABLISHED);
    for (int n = 0; n < 10; n++) {
        while (weir_accept(world_stack(w, 1), l, &b) == WEIR_OK)
            EXPECT_EQ(world_state(w, 1, b), WEIR_TCP_ESTABLISHED);
        world_run(w, 4 * WEIR_S); /* SYN-ACKs are repeated, and acknowledged again */
    }
    EXPECT_EQ(world_stats(w, 1).half_open, 0);
    EXPECT_EQ(world_stats(w, 1).connections, 4);
}

TEST(listen_a_full_queue_resets_if_it_is_told_to)
{
    weir_listener_t l;
    weir_conn_t c[4];
    struct world *w = overflow(true, &l, c);
    int error, reset = 0;

    EXPECT_EQ(world_stats(w, 1).half_open, 0);
    for (size_t i = 0; i < 4; i++)
        if (world_state(w, 0, c[i]) == WEIR_TCP_CLOSED) {
            EXPECT(world_news(w, 0, c[i], &error) & WEIR_EVENT_CLOSED);
            EXPECT_EQ(error, WEIR_ECONNRESET);
            reset++;
        }
    EXPECT_EQ(reset, 3);
    EXPECT_EQ(world_stats(w, 1).tcp_resets_out, 3);
}

TEST(listen_has_room_for_so_many_half_open_connections)
{
    struct weir_config config = world_config();
    struct world *w;
    weir_listener_t l;
    weir_conn_t c[8], b;

    config.syn_queue = 5;
    config.tcp.syn_cookies = WEIR_SYN_COOKIES_NEVER;
    w = world_make(&(struct world_setup){.config = &config});
    l = world_listen(w, 1, WORLD_PORT, 100);
    world_drops(w,
                (struct world_drop){
                    .from = 1, .flags_mask = TCP_SYN, .flags = TCP_SYN, .nth = 1, .count = 1000});
    for (size_t i = 0; i < 8; i++)
        c[i] = connect_to(w, "198.18.0.2:80");
    world_settle(w);
    EXPECT_EQ(world_stats(w, 1).half_open, 5);
    EXPECT_EQ(world_dropped(w, 1, "tcp_syn_queue"), 3);
    w->drops[0].count = 0;
    world_run(w, 10 * WEIR_S);
    for (size_t i = 0; i < 8; i++) {
        EXPECT_EQ(world_state(w, 0, c[i]), WEIR_TCP_ESTABLISHED);
        EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
    }
}

TEST(listen_options_are_inherited_by_what_is_accepted)
{
    static const struct {
        enum weir_opt opt;
        int64_t value;
    } opts[] = {
        {WEIR_OPT_USER, 77},
        {WEIR_OPT_NODELAY, 1},
        {WEIR_OPT_CORK, 1},
        {WEIR_OPT_KEEPALIVE, 1},
        {WEIR_OPT_KEEPALIVE_IDLE, 5 * WEIR_S},
        {WEIR_OPT_KEEPALIVE_INTERVAL, 6 * WEIR_S},
        {WEIR_OPT_KEEPALIVE_PROBES, 3},
        {WEIR_OPT_USER_TIMEOUT, 8 * WEIR_S},
        {WEIR_OPT_SYN_RETRIES, 2},
        {WEIR_OPT_SEND_BUFFER, 10000},
        {WEIR_OPT_RECV_BUFFER, 20000},
        {WEIR_OPT_MSS, 700},
        {WEIR_OPT_QUICKACK, 1},
        {WEIR_OPT_TTL, 11},
        {WEIR_OPT_TOS, 12},
        {WEIR_OPT_SOFT_ERRORS, 0},
        {WEIR_OPT_NOTE_SENT, 1},
        {WEIR_OPT_LINGER, 1},
        {WEIR_OPT_FASTOPEN, 1},
        {WEIR_OPT_FASTOPEN_NO_COOKIE, 1},
        {WEIR_OPT_CONGESTION_CONTROL, 1},
        {WEIR_OPT_ADVERTISE_TIMEOUT, 600 * WEIR_S},
        {WEIR_OPT_NOTSENT_LOWAT, 10000},
        {WEIR_OPT_MIN_TTL, 1},
        {WEIR_OPT_MAX_PACING_RATE, 102400},
        {WEIR_OPT_FIN_WAIT_2, 5 * WEIR_S},
    };
    enum { COUNT = sizeof opts / sizeof opts[0], OF_LISTENERS_ALONE = 5, OF_CONNECTIONS = 1 };
    struct world *w = world_make(&(struct world_setup){0});
    weir_listener_t l = world_listen(w, 1, WORLD_PORT, 5);
    const struct world_seen *synack;
    int64_t value;
    weir_conn_t b;

    EXPECT_EQ(COUNT, WEIR_OPT_COUNT - OF_LISTENERS_ALONE - OF_CONNECTIONS);
    for (size_t i = 0; i < COUNT; i++) {
        EXPECT_EQ(weir_set(world_stack(w, 1), l, opts[i].opt, opts[i].value), WEIR_OK);
        EXPECT_EQ(weir_get(world_stack(w, 1), l, opts[i].opt, &value), WEIR_OK);
        EXPECT_EQ(value, opts[i].value);
    }
    connect_to(w, "198.18.0.2:80");
    world_settle(w);
    synack = world_nth(w, 1, TCP_SYN, TCP_SYN, 0);
    EXPECT_EQ(synack->view.ttl, 11);
    EXPECT_EQ(synack->view.tos, 12);
    EXPECT_EQ(synack->view.mss, 700);
    EXPECT_EQ(synack->view.window, 20000);
    EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
    for (size_t i = 0; i < COUNT; i++) {
        EXPECT_EQ(weir_get(world_stack(w, 1), b, opts[i].opt, &value), WEIR_OK);
        if (value != opts[i].value)
            FAIL("option %d is %lld", (int)opts[i].opt, (long long)value);
    }
    world_run(w, 12 * WEIR_S); /* keep-alive is on from the beginning */
    EXPECT(world_count(w, 1, TCP_SYN, 0) >= 2);
}

TEST(listen_closing_resets_what_waits_and_forgets_what_is_half_open)
{
    struct world *w = world_make(&(struct world_setup){0});
    weir_listener_t l = world_listen(w, 1, WORLD_PORT, 5);
    weir_conn_t a[3], late;
    int error;

    for (size_t i = 0; i < 3; i++)
        a[i] = connect_to(w, "198.18.0.2:80");
    world_settle(w);
    world_sends(w, 0, a[0], 100); /* something unread, too */
    world_settle(w);
    world_drops(
        w, (struct world_drop){
               .from = 0, .flags_mask = TCP_SYN | TCP_ACK, .flags = TCP_ACK, .nth = 1, .count = 1});
    late = connect_to(w, "198.18.0.2:80");
    world_settle(w);
    EXPECT_EQ(world_stats(w, 1).half_open, 1);
    EXPECT_EQ(weir_close(world_stack(w, 1), l), WEIR_OK);
    world_settle(w);
    for (size_t i = 0; i < 3; i++) {
        EXPECT(world_news(w, 0, a[i], &error) & WEIR_EVENT_CLOSED);
        EXPECT_EQ(error, WEIR_ECONNRESET);
    }
    EXPECT_EQ(world_stats(w, 1).connections, 0);
    EXPECT_EQ(world_stats(w, 1).listeners, 0);
    EXPECT_EQ(weir_send(world_stack(w, 0), late, "x", 1, 0), 1);
    world_settle(w);
    EXPECT(world_news(w, 0, late, &error) & WEIR_EVENT_CLOSED);
    EXPECT_EQ(error, WEIR_ECONNRESET);
    EXPECT_EQ(world_stats(w, 1).half_open, 0);

    /* The port is free. */
    l = world_listen(w, 1, WORLD_PORT, 5);
}

TEST(listen_what_is_reset_before_it_was_accepted_is_accepted_and_says_so)
{
    struct world *w = world_make(&(struct world_setup){0});
    weir_listener_t l = world_listen(w, 1, WORLD_PORT, 2);
    weir_conn_t a = connect_to(w, "198.18.0.2:80"), b;
    char byte;
    int err;

    world_sends(w, 0, a, 1);
    world_settle(w);
    EXPECT_EQ(weir_abort(world_stack(w, 0), a), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
    EXPECT(world_news(w, 1, b, &err) & WEIR_EVENT_CLOSED);
    EXPECT_EQ(err, WEIR_ECONNRESET);
    EXPECT_EQ(weir_recv(world_stack(w, 1), b, &byte, 1), 1); /* what came before is there */
    EXPECT_EQ(weir_recv(world_stack(w, 1), b, &byte, 1), WEIR_ECONNRESET);
    EXPECT_EQ(weir_close(world_stack(w, 1), b), WEIR_OK);

    a = connect_to(w, "198.18.0.2:80"); /* one that nobody accepts goes with its listener */
    world_settle(w);
    EXPECT_EQ(weir_abort(world_stack(w, 0), a), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(weir_close(world_stack(w, 1), l), WEIR_OK);
    world_expects_nothing_left(w, 1);
}

TEST(listen_data_and_end_that_come_before_accept_are_there_after_it)
{
    struct world *w = world_make(&(struct world_setup){0});
    weir_listener_t l = world_listen(w, 1, WORLD_PORT, 1);
    weir_conn_t a = connect_to(w, "198.18.0.2:80"), b;

    world_sends(w, 0, a, 50000);
    EXPECT_EQ(weir_shutdown(world_stack(w, 0), a), WEIR_OK);
    world_run(w, WEIR_S);
    EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
    EXPECT_EQ(world_news(w, 1, b, NULL), WEIR_EVENT_READABLE | WEIR_EVENT_PEER_CLOSED);
    EXPECT_EQ(world_reads(w, 1, b), 0);
    EXPECT_EQ(w->stacks[1].read, 50000);
}

TEST(listen_as_many_connections_as_the_configuration_allows)
{
    struct weir_config config = world_config();
    struct world *w;
    weir_listener_t l;
    weir_conn_t b, extra;
    struct weir_endpoint to;

    config.connections = 3;
    w = world_make(&(struct world_setup){.config = &config});
    l = world_listen(w, 1, WORLD_PORT, 100);
    to = world_endpoint(w, 1, WORLD_PORT);
    for (size_t i = 0; i < 3; i++)
        connect_to(w, "198.18.0.2:80");
    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &extra), WEIR_ENOMEM);
    world_settle(w);
    EXPECT_EQ(world_stats(w, 1).connections, 3);
    for (size_t i = 0; i < 3; i++)
        EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
    EXPECT_EQ(weir_connect(world_stack(w, 1), NULL, &to, &extra), WEIR_ENOMEM);
    EXPECT_EQ(weir_abort(world_stack(w, 1), b), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(weir_connect(world_stack(w, 1), NULL, &to, &extra), WEIR_OK);
}
