/*
 * test_connect.c - OPEN, active: what is refused, what is chosen, and odd ways to meet
 */
#include "lib/test.h"
#include "lib/world.h"
#include "wire/tcp.h"
#include <string.h>

static struct weir_endpoint endpoint(const char *text)
{
    struct weir_endpoint e;

    EXPECT_EQ(weir_endpoint_parse(text, &e), WEIR_OK);
    return e;
}

TEST(connect_refuses_who_cannot_be_one_host) /* [RFC9293 MUST-46] */
{
    static const struct {
        const char *remote;
        int err;
    } cases[] = {
        {"198.18.0.2:0", WEIR_EINVAL},      {"0.0.0.0:80", WEIR_EINVAL},
        {"[::]:80", WEIR_EINVAL},           {"255.255.255.255:80", WEIR_EINVAL},
        {"198.18.0.255:80", WEIR_EINVAL}, /* the broadcast address of the subnet */
        {"224.0.0.1:80", WEIR_EINVAL},      {"239.255.255.255:80", WEIR_EINVAL},
        {"[ff02::1]:80", WEIR_EINVAL},      {"[ff0e::1234]:80", WEIR_EINVAL},
        {"192.0.2.1:80", WEIR_ENETUNREACH}, {"[2001:db8:1::1]:80", WEIR_ENETUNREACH},
        {"198.18.0.2:80", WEIR_OK},         {"[2001:db8::2]:80", WEIR_OK},
        {"198.18.0.77:80", WEIR_OK}, /* nobody is there, but that has to be found out */
    };
    struct world *w = world_make(&(struct world_setup){0});

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_endpoint remote = endpoint(cases[i].remote);
        weir_conn_t c = 0;
        int err = weir_connect(world_stack(w, 0), NULL, &remote, &c);
        if (err != cases[i].err)
            FAIL("%s: %s", cases[i].remote, weir_err_name(err));
        EXPECT((c != 0) == (err == WEIR_OK));
    }
    EXPECT_EQ(world_stats(w, 0).connections, 3);
}

TEST(connect_takes_a_local_end_or_parts_of_one) /* [RFC9293 MUST-43, MUST-44, MUST-45] */
{
    static const struct {
        const char *local;
        int err;
        uint16_t port; /* 0: any of those to choose from */
    } cases[] = {
        {"198.18.0.1:1000", WEIR_OK, 1000},
        {"198.18.0.1:1000", WEIR_EADDRINUSE, 0},
        {"198.18.0.1:0", WEIR_OK, 0},
        {"0.0.0.0:1001", WEIR_OK, 1001},
        {"[::]:1002", WEIR_OK, 1002},
        {"[::]:1002", WEIR_EADDRINUSE, 0},
        {"198.18.0.2:1003", WEIR_EADDRNOTAVAIL, 0},
        {"192.0.2.1:1003", WEIR_EADDRNOTAVAIL, 0},
        {"[2001:db8::1]:1003", WEIR_EADDRNOTAVAIL, 0}, /* of the other family */
    };
    struct world *w = world_make(&(struct world_setup){0});
    struct weir_endpoint remote = world_endpoint(w, 1, WORLD_PORT);
    weir_listener_t l = world_listen(w, 1, WORLD_PORT, 10);
    struct weir_addr own = world_addr(w, 0);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_endpoint local = endpoint(cases[i].local), got;
        weir_conn_t c = 0, b;
        int err = weir_connect(world_stack(w, 0), &local, &remote, &c);
        if (err != cases[i].err)
            FAIL("%s: %s", cases[i].local, weir_err_name(err));
        if (err != WEIR_OK)
            continue;
        EXPECT_EQ(weir_local(world_stack(w, 0), c, &got), WEIR_OK);
        EXPECT(weir_addr_eq(&got.addr, &own));
        EXPECT(cases[i].port != 0 ? got.port == cases[i].port
                                  : got.port >= 32768 && got.port <= 60999);
        world_settle(w);
        EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
        EXPECT_EQ(weir_remote(world_stack(w, 1), b, &local), WEIR_OK);
        EXPECT(weir_addr_eq(&local.addr, &got.addr) && local.port == got.port);
    }
}

TEST(connect_uses_the_address_it_began_with_when_others_come) /* [RFC9293 MUST-45] */
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    struct weir_prefix more;
    struct weir_endpoint at;

    EXPECT_EQ(weir_prefix_parse("198.18.0.9/24", &more), WEIR_OK);
    EXPECT_EQ(weir_addr_add(world_stack(w, 0), w->stacks[0].netif, &more), WEIR_OK);
    world_sends(w, 0, p.a, 1000);
    world_settle(w);
    EXPECT_EQ(weir_local(world_stack(w, 0), p.a, &at), WEIR_OK);
    EXPECT(weir_addr_eq(&at.addr, &p.a_at.addr));
    EXPECT_EQ(world_reads(w, 1, p.b), WEIR_EAGAIN);
    EXPECT_EQ(w->stacks[1].read, 1000);
}

TEST(connect_is_refused_where_nobody_listens)
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct world *w = world_make(&(struct world_setup){.is_v6 = is_v6});
        struct weir_endpoint to = world_endpoint(w, 1, WORLD_PORT);
        uint8_t byte;
        weir_conn_t c;
        int error;
        EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &c), WEIR_OK);
        EXPECT_EQ(world_state(w, 0, c), WEIR_TCP_SYN_SENT);
        EXPECT_EQ(weir_recv(world_stack(w, 0), c, &byte, 1), WEIR_EAGAIN);
        EXPECT_EQ(weir_send(world_stack(w, 0), c, "x", 1, 0), 1);
        world_settle(w);
        EXPECT_EQ(world_news(w, 0, c, &error), WEIR_EVENT_CLOSED);
        EXPECT_EQ(error, WEIR_ECONNREFUSED);
        EXPECT_EQ(weir_recv(world_stack(w, 0), c, &byte, 1), WEIR_ECONNREFUSED);
        EXPECT_EQ(weir_send(world_stack(w, 0), c, "x", 1, 0), WEIR_ECONNREFUSED);
        EXPECT_EQ(weir_shutdown(world_stack(w, 0), c), WEIR_ENOTCONN);
        EXPECT_EQ(world_state(w, 0, c), WEIR_TCP_CLOSED);
        EXPECT_EQ(world_stats(w, 0).tcp_failed_opens, 1);
        EXPECT_EQ(world_stats(w, 1).tcp_resets_out, 1);

        /* The ends are free again before the handle is given up. */
        struct weir_endpoint local;
        weir_conn_t again;
        EXPECT_EQ(weir_local(world_stack(w, 0), c, &local), WEIR_OK);
        EXPECT_EQ(weir_connect(world_stack(w, 0), &local, &to, &again), WEIR_OK);
        EXPECT_EQ(weir_close(world_stack(w, 0), c), WEIR_OK);
        world_settle(w);
        EXPECT_EQ(weir_close(world_stack(w, 0), again), WEIR_OK);
        EXPECT_EQ(world_stats(w, 0).connections, 0);
    }
}

TEST(connect_sends_what_was_written_before_the_handshake)
{
    struct world *w = world_make(&(struct world_setup){.conditions = {.delay_ns = WEIR_MS}});
    weir_listener_t l = world_listen(w, 1, WORLD_PORT, 1);
    struct weir_endpoint to = world_endpoint(w, 1, WORLD_PORT);
    weir_conn_t a, b;

    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &a), WEIR_OK);
    world_sends(w, 0, a, 5000);
    EXPECT_EQ(weir_shutdown(world_stack(w, 0), a), WEIR_OK);
    EXPECT_EQ(weir_send(world_stack(w, 0), a, "x", 1, 0), WEIR_EPIPE);
    world_run(w, WEIR_S);
    EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
    EXPECT_EQ(world_reads(w, 1, b), 0);
    EXPECT_EQ(w->stacks[1].read, 5000);
    EXPECT_EQ(world_state(w, 0, a), WEIR_TCP_FIN_WAIT_2);
    EXPECT_EQ(world_state(w, 1, b), WEIR_TCP_CLOSE_WAIT);
}

TEST(connect_both_at_once) /* [RFC9293 MUST-10] [RFC9293 3.5, figure 7] */
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct world *w = world_make(
            &(struct world_setup){.is_v6 = is_v6, .conditions = {.delay_ns = 10 * WEIR_MS}});
        struct weir_endpoint at[2] = {world_endpoint(w, 0, 1000), world_endpoint(w, 1, 2000)};
        weir_conn_t c[2];
        for (size_t i = 0; i < 2; i++)
            EXPECT_EQ(weir_connect(world_stack(w, i), &at[i], &at[1 - i], &c[i]), WEIR_OK);
        world_run(w, 100 * WEIR_MS);
        for (size_t i = 0; i < 2; i++) {
            EXPECT_EQ(world_state(w, i, c[i]), WEIR_TCP_ESTABLISHED);
            EXPECT(world_news(w, i, c[i], NULL) & WEIR_EVENT_CONNECTED);
            EXPECT_EQ(world_count(w, i, TCP_SYN | TCP_ACK, TCP_SYN), 1);
            EXPECT_EQ(world_count(w, i, TCP_SYN | TCP_ACK, TCP_SYN | TCP_ACK), 1);
            world_sends(w, i, c[i], 30000);
        }
        world_run(w, WEIR_S);
        for (size_t i = 0; i < 2; i++) {
            EXPECT_EQ(world_reads(w, i, c[i]), WEIR_EAGAIN);
            EXPECT_EQ(w->stacks[i].read, 30000);
        }
    }
}

static void talk_to_oneself(struct world *w, weir_conn_t c, uint32_t len)
{
    static uint8_t in[100000], out[100000];
    uint32_t sent = 0, got = 0;

    for (uint32_t i = 0; i < len; i++)
        out[i] = (uint8_t)(i * 7 + i / 300);
    while (got < len) {
        ptrdiff_t n = sent < len ? weir_send(world_stack(w, 0), c, out + sent, len - sent, 0) : 0;
        sent += n > 0 ? (uint32_t)n : 0;
        world_run(w, 300 * WEIR_MS);
        n = weir_recv(world_stack(w, 0), c, in + got, len - got);
        EXPECT(n > 0);
        got += (uint32_t)n;
    }
    EXPECT_MEM(in, out, len);
}

TEST(connect_to_oneself_gives_one_connection_that_talks_to_itself) /* [RFC9293 MUST-10] */
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct world *w = world_make(&(struct world_setup){.is_v6 = is_v6});
        struct weir_endpoint self = world_endpoint(w, 0, 1234);
        uint8_t byte;
        weir_conn_t c;
        EXPECT_EQ(weir_connect(world_stack(w, 0), &self, &self, &c), WEIR_OK);
        world_settle(w);
        EXPECT_EQ(world_state(w, 0, c), WEIR_TCP_ESTABLISHED);
        EXPECT_EQ(w->stacks[0].frames_sent, 0); /* none of it leaves */
        talk_to_oneself(w, c, 100000);
        EXPECT_EQ(weir_shutdown(world_stack(w, 0), c), WEIR_OK);
        world_settle(w);
        EXPECT_EQ(weir_recv(world_stack(w, 0), c, &byte, 1), 0);
        EXPECT_EQ(world_state(w, 0, c), WEIR_TCP_TIME_WAIT);
        EXPECT_EQ(weir_close(world_stack(w, 0), c), WEIR_OK);
        world_run(w, 61 * WEIR_S);
        EXPECT_EQ(world_stats(w, 0).timewaits, 0);
        world_expects_nothing_left(w, 0);
    }
}

/* Over an address of an ordinary interface, or of a loopback interface. */
TEST(connect_to_an_own_address_never_leaves)
{
    static const char *const texts[] = {"198.18.0.1:80", "[2001:db8::1]:80", "127.0.0.1:80",
                                        "127.3.4.5:80", "[::1]:80"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct world *w = world_make(&(struct world_setup){.offloads = WEIR_OFFLOAD_CSUM});
        struct world_stack *s = &w->stacks[0];
        struct weir_netif_config lo = {
            .name = "lo", .link = WEIR_LINK_IP, .mtu = 65535, .loopback = true};
        struct weir_prefix own4, own6;
        struct weir_endpoint to = endpoint(texts[i]);
        weir_listener_t l = world_listen(w, 0, WORLD_PORT, 1);
        weir_conn_t a, b;
        uint8_t bytes[4];
        EXPECT_EQ(weir_netif_add(s->stack, &lo, &s->more[s->more_count++]), WEIR_OK);
        EXPECT_EQ(weir_prefix_parse("127.0.0.1/8", &own4), WEIR_OK);
        EXPECT_EQ(weir_prefix_parse("::1/128", &own6), WEIR_OK);
        EXPECT_EQ(weir_addr_add(s->stack, s->more[0], &own4), WEIR_OK);
        EXPECT_EQ(weir_addr_add(s->stack, s->more[0], &own6), WEIR_OK);
        if (weir_connect(s->stack, NULL, &to, &a) != WEIR_OK)
            FAIL("%s", texts[i]);
        world_settle(w);
        EXPECT_EQ(weir_accept(s->stack, l, &b), WEIR_OK);
        EXPECT_EQ(weir_send(s->stack, a, "ping", 4, 0), 4);
        world_settle(w);
        EXPECT_EQ(weir_recv(s->stack, b, bytes, 4), 4);
        EXPECT_MEM(bytes, "ping", 4);
        EXPECT_EQ(s->frames_sent, 0);
        EXPECT_EQ(weir_close(s->stack, a), WEIR_OK);
        world_settle(w);
        EXPECT_EQ(weir_close(s->stack, b), WEIR_OK);
        world_run(w, 61 * WEIR_S);
        world_expects_nothing_left(w, 0);
    }
}

TEST(connect_until_all_ports_are_taken) /* [RFC6056 3.3.3] */
{
    struct weir_config config = world_config();
    struct world *w;
    struct weir_endpoint to, other, local;
    weir_listener_t l;
    weir_conn_t c[20], more;

    config.tcp.port_first = 5000;
    config.tcp.port_last = 5019;
    w = world_make(&(struct world_setup){.config = &config});
    to = world_endpoint(w, 1, WORLD_PORT);
    other = world_endpoint(w, 1, 81);
    l = world_listen(w, 0, 5007, 1); /* nobody is given a port that takes SYNs */
    for (int i = 0; i < 19; i++) {
        EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &c[i]), WEIR_OK);
        EXPECT_EQ(weir_local(world_stack(w, 0), c[i], &local), WEIR_OK);
        EXPECT(local.port >= 5000 && local.port <= 5019 && local.port != 5007);
    }
    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &more), WEIR_EADDRNOTAVAIL);
    /* To another destination they are free. */
    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &other, &more), WEIR_OK);
    EXPECT_EQ(weir_close(world_stack(w, 0), l), WEIR_OK);
    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &c[19]), WEIR_OK);
    EXPECT_EQ(weir_local(world_stack(w, 0), c[19], &local), WEIR_OK);
    EXPECT_EQ(local.port, 5007);
    EXPECT_EQ(weir_close(world_stack(w, 0), c[3]), WEIR_OK);
    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &c[3]), WEIR_OK);
}

static uint16_t first_port(uint64_t seed, size_t to, uint16_t to_port)
{
    struct world *w = world_make(&(struct world_setup){.seed = seed, .stacks = 1});
    struct weir_endpoint remote = world_endpoint(w, to, to_port), local;
    weir_conn_t c;

    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &remote, &c), WEIR_OK);
    EXPECT_EQ(weir_local(world_stack(w, 0), c, &local), WEIR_OK);
    world_end(w);
    return local.port;
}

TEST(connect_chooses_ports_that_depend_on_secret_and_destination) /* [RFC6056 3.1] */
{
    uint32_t halves[2] = {0}, same = 0;
    uint16_t last = 0;

    for (uint64_t seed = 0; seed < 100; seed++) {
        uint16_t port = first_port(seed, 1, 80);
        halves[port >= (32768 + 61000) / 2]++;
        same += port == last;
        last = port;
        EXPECT_EQ(first_port(seed, 1, 80), port);
    }
    EXPECT(halves[0] > 20 && halves[1] > 20 && same < 3);
    same = 0;
    for (uint16_t n = 0; n < 50; n++)
        same += first_port(1, 5 + n, 80) == first_port(1, 5 + n, 81);
    EXPECT(same < 3);
}

TEST(connect_starts_with_the_number_it_is_told_to_once)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct weir_endpoint to = world_endpoint(w, 1, WORLD_PORT);
    weir_listener_t l = world_listen(w, 1, WORLD_PORT, 5);
    struct weir_tcp_info info;
    weir_conn_t a, b;

    weir_tcp_next_isn(world_stack(w, 0), 0xffffffff);
    weir_tcp_next_isn(world_stack(w, 1), 0xfffffffe);
    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &a), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
    EXPECT_EQ(weir_tcp_info(world_stack(w, 0), a, &info), WEIR_OK);
    EXPECT_EQ(info.iss, 0xffffffff);
    EXPECT_EQ(info.irs, 0xfffffffe);
    world_sends(w, 0, a, 100000);
    world_settle(w);
    world_reads(w, 1, b);
    EXPECT_EQ(w->stacks[1].read, 100000);
    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &a), WEIR_OK);
    EXPECT_EQ(weir_tcp_info(world_stack(w, 0), a, &info), WEIR_OK);
    EXPECT(info.iss != 0xffffffff);
}

TEST(connect_with_options_that_hold_from_the_syn_on) /* [RFC9293 MUST-14, MUST-67] */
{
    static const struct weir_opt_value opts[] = {
        {WEIR_OPT_MSS, 600}, {WEIR_OPT_TTL, 9},         {WEIR_OPT_TOS, 0xb8},
        {WEIR_OPT_USER, 7},  {WEIR_OPT_SYN_RETRIES, 1}, {WEIR_OPT_RECV_BUFFER, 5000},
    };
    static const struct weir_opt_value bad[] = {{WEIR_OPT_TTL, 5}, {WEIR_OPT_TTL, 256}};
    static const struct weir_opt_value unknown[] = {{WEIR_OPT_COUNT, 0}};
    struct world *w = world_make(&(struct world_setup){0});
    struct weir_endpoint to = world_endpoint(w, 1, WORLD_PORT);
    const struct world_seen *syn;
    weir_conn_t c;

    EXPECT_EQ(weir_connect_with(world_stack(w, 0), NULL, &to, bad, 2, &c), WEIR_EINVAL);
    EXPECT_EQ(weir_connect_with(world_stack(w, 0), NULL, &to, unknown, 1, &c), WEIR_ENOTSUP);
    EXPECT_EQ(world_stats(w, 0).connections, 0);
    EXPECT_EQ(weir_connect_with(world_stack(w, 0), NULL, &to, opts, 6, &c), WEIR_OK);
    w->is_cut = true;
    world_settle(w);
    syn = world_nth(w, 0, TCP_SYN, TCP_SYN, 0);
    EXPECT_EQ(syn->view.mss, 600);
    EXPECT_EQ(syn->view.ttl, 9);
    EXPECT_EQ(syn->view.tos, 0xb8);
    EXPECT_EQ(syn->view.window, 5000);
    world_run(w, 4 * WEIR_S);
    EXPECT_EQ(world_count(w, 0, TCP_SYN, TCP_SYN), 2);
    EXPECT_EQ(world_state(w, 0, c), WEIR_TCP_CLOSED);
}

static uint32_t isn_of(struct world *w, const char *remote, uint16_t port)
{
    struct weir_endpoint to = endpoint(remote), local = world_endpoint(w, 0, port);
    struct weir_tcp_info info;
    weir_conn_t c;

    EXPECT_EQ(weir_connect(world_stack(w, 0), &local, &to, &c), WEIR_OK);
    EXPECT_EQ(weir_tcp_info(world_stack(w, 0), c, &info), WEIR_OK);
    EXPECT_EQ(weir_abort(world_stack(w, 0), c), WEIR_OK);
    return info.iss;
}

TEST(
    connect_starts_with_a_clock_and_what_nobody_else_can_compute) /* [RFC9293 MUST-8, MUST-9, SHLD-1] */
{
    struct world *w = world_make(&(struct world_setup){.stacks = 1});
    struct world *other = world_make(&(struct world_setup){.stacks = 1, .seed = 5});
    uint32_t first = isn_of(w, "198.18.0.2:80", 1000), last = first;
    uint32_t high = 0;

    /* The same four-tuple: it moves on by one in four microseconds. */
    for (uint32_t ms = 1; ms < 1000; ms *= 3) {
        uint32_t now;
        world_run(w, (weir_ns_t)ms * WEIR_MS);
        world_run(other, (weir_ns_t)ms * WEIR_MS);
        now = isn_of(w, "198.18.0.2:80", 1000);
        EXPECT_EQ(now - last, ms * 250);
        last = now;
    }
    /* Another one, or another secret: nothing can be told from it. */
    for (uint16_t port = 1001; port < 1257; port++) {
        uint32_t distance = isn_of(w, "198.18.0.2:80", port) - last;
        EXPECT(distance > 10000 && distance < UINT32_MAX - 10000);
        high += distance >> 31;
    }
    EXPECT(high > 80 && high < 176);
    EXPECT(isn_of(w, "198.18.0.2:81", 1000) != last);
    EXPECT(isn_of(w, "198.18.0.3:80", 1000) != last);
    EXPECT(isn_of(other, "198.18.0.2:80", 1000) != last);
}
