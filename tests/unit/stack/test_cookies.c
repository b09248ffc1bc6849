/* test_cookies.c - SYN floods, SYN cookies, listeners that share a port, and deferred accepts */
#include "base/checksum.h"
#include "lib/test.h"
#include "lib/world.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"
#include <string.h>

enum {
    CLIENTS = 100,
    FLOOD = 1000000,
    SYNS_BETWEEN = FLOOD / CLIENTS,
    MEMORY_LIMIT = 8 << 20,
    IP_CHECKSUM_AT = 10,
    IP_SRC_AT = 12,
    TCP_AT = 20,
};

static weir_conn_t connect_to(struct world *w, uint16_t port)
{
    struct weir_endpoint to = world_endpoint(w, 1, port);
    weir_conn_t c;

    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &c), WEIR_OK);
    return c;
}

static struct world *world_with(enum weir_syn_cookies cookies, uint32_t syn_queue, bool is_v6)
{
    struct weir_config config = world_config();

    config.tcp.syn_cookies = cookies;
    config.syn_queue = syn_queue;
    return world_make(&(struct world_setup){.config = &config, .is_v6 = is_v6});
}

/* Everything that works without cookies works with them. */
static void transfers(struct world *w, weir_conn_t a, weir_conn_t b)
{
    world_sends(w, 0, a, 100000);
    world_sends(w, 1, b, 100000);
    world_run(w, WEIR_S);
    EXPECT_EQ(world_reads(w, 0, a), WEIR_EAGAIN);
    EXPECT_EQ(world_reads(w, 1, b), WEIR_EAGAIN);
    EXPECT_EQ(w->stacks[0].read, 100000);
    EXPECT_EQ(w->stacks[1].read, 100000);
}

TEST(cookies_make_connections_that_keep_their_options) /* [RFC4987 3.6] */
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct world *w = world_with(WEIR_SYN_COOKIES_ALWAYS, 100, is_v6);
        weir_listener_t l = world_listen(w, 1, WORLD_PORT, 5);
        weir_conn_t a = connect_to(w, WORLD_PORT), b;
        struct weir_tcp_info ia, ib;
        world_settle(w);
        EXPECT_EQ(world_stats(w, 1).half_open, 0);
        EXPECT_EQ(world_stats(w, 1).tcp_cookies_sent, 1);
        EXPECT_EQ(world_stats(w, 1).tcp_cookies_taken, 1);
        EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
        EXPECT_EQ(weir_tcp_info(world_stack(w, 0), a, &ia), WEIR_OK);
        EXPECT_EQ(weir_tcp_info(world_stack(w, 1), b, &ib), WEIR_OK);
        EXPECT(ib.timestamps_ok && ib.wscale_ok);
        EXPECT_EQ(ib.sack_ok, ia.sack_ok);
        EXPECT_EQ(ib.snd_wscale, ia.rcv_wscale);
        EXPECT_EQ(ib.rcv_wscale, ia.snd_wscale);
        EXPECT_EQ(ib.snd_mss, ia.snd_mss);
        transfers(w, a, b);
        EXPECT_EQ(weir_tcp_info(world_stack(w, 1), b, &ib), WEIR_OK);
        EXPECT(ib.srtt_ns < 10 * WEIR_MS); /* the echo of options was no time */
    }
}

TEST(cookies_are_never_sent_if_they_are_switched_off)
{
    struct world *w = world_with(WEIR_SYN_COOKIES_NEVER, 0, false);

    world_listen(w, 1, WORLD_PORT, 5);
    connect_to(w, WORLD_PORT);
    world_run(w, 10 * WEIR_S);
    EXPECT_EQ(world_stats(w, 1).tcp_cookies_sent, 0);
    EXPECT(world_dropped(w, 1, "tcp_syn_queue") > 0);
}

TEST(cookies_are_sent_when_there_is_no_room_for_a_record)
{
    struct world *w = world_with(WEIR_SYN_COOKIES_ON_OVERFLOW, 1, false);
    weir_listener_t l = world_listen(w, 1, WORLD_PORT, 5);
    weir_conn_t b;

    for (int i = 0; i < 3; i++)
        connect_to(w, WORLD_PORT);
    world_settle(w);
    EXPECT_EQ(world_stats(w, 1).tcp_cookies_sent, 2);
    EXPECT_EQ(world_stats(w, 1).tcp_cookies_taken, 2);
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
}

TEST(cookies_whose_synack_or_ack_is_lost_are_asked_for_again)
{
    struct world *w = world_with(WEIR_SYN_COOKIES_ALWAYS, 0, false);
    weir_listener_t l = world_listen(w, 1, WORLD_PORT, 5);
    weir_conn_t a, b;

    world_drops(w, (struct world_drop){
                       .from = 1, .flags_mask = TCP_SYN, .flags = TCP_SYN, .nth = 1, .count = 1});
    world_drops(
        w, (struct world_drop){
               .from = 0, .flags_mask = TCP_SYN | TCP_ACK, .flags = TCP_ACK, .nth = 1, .count = 1});
    a = connect_to(w, WORLD_PORT);
    world_run(w, 1500 * WEIR_MS);
    EXPECT_EQ(world_state(w, 0, a), WEIR_TCP_ESTABLISHED);
    EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_EAGAIN); /* nobody repeats for us */
    world_sends(w, 0, a, 1000);                                    /* but data brings the cookie */
    world_settle(w);
    EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
    EXPECT_EQ(world_reads(w, 1, b), WEIR_EAGAIN);
    EXPECT_EQ(w->stacks[1].read, 1000);
}

/* An ACK made by hand, as somebody who guesses would send it. */
static void guess(struct world *w, uint16_t flags, uint32_t ack)
{
    static struct packet p;
    struct packet_ip ip = {.src = world_endpoint(w, 2, 999), .dst = world_endpoint(w, 1, 80)};

    packet_make_tcp(&p, &ip, &(struct packet_tcp){.flags = flags, .seq = 5, .ack = ack});
    world_injects(w, 1, &p);
}

TEST(cookies_that_are_not_ours_are_answered_by_a_reset)
{
    struct world *w = world_with(WEIR_SYN_COOKIES_ALWAYS, 0, false);

    world_listen(w, 1, WORLD_PORT, 5);
    guess(w, TCP_ACK, 12345); /* none have been sent yet: nothing to look at */
    EXPECT_EQ(world_dropped(w, 1, "tcp_listen_ack"), 1);
    connect_to(w, WORLD_PORT);
    world_settle(w);
    guess(w, TCP_ACK, 12345);
    EXPECT_EQ(world_dropped(w, 1, "tcp_cookie"), 1);
    EXPECT_EQ(world_stats(w, 1).tcp_resets_out, 2);
    guess(w, TCP_SYN | TCP_ACK, 12345);
    EXPECT_EQ(world_dropped(w, 1, "tcp_listen_ack"), 2);
    world_run(w, 200 * WEIR_S); /* long after the last */
    guess(w, TCP_ACK, 12345);
    EXPECT_EQ(world_dropped(w, 1, "tcp_listen_ack"), 3);
    EXPECT_EQ(world_stats(w, 1).connections, 1);
}

TEST(cookies_wait_with_the_peers_data_for_room_in_the_accept_queue)
{
    for (int aborts = 0; aborts < 2; aborts++) {
        struct weir_config config = world_config();
        struct world *w;
        weir_listener_t l;
        weir_conn_t first, second, b;
        config.tcp.syn_cookies = WEIR_SYN_COOKIES_ALWAYS;
        config.tcp.abort_on_overflow = aborts;
        w = world_make(
            &(struct world_setup){.config = &config, .conditions = {.delay_ns = 10 * WEIR_MS}});
        l = world_listen(w, 1, WORLD_PORT, 0);
        first = connect_to(w, WORLD_PORT);
        second = connect_to(w, WORLD_PORT);
        world_run(w, 100 * WEIR_MS);
        EXPECT_EQ(world_state(w, 0, first), WEIR_TCP_ESTABLISHED);
        EXPECT_EQ(world_dropped(w, 1, "tcp_accept_queue"), 1);
        EXPECT_EQ(world_state(w, 0, second), aborts ? WEIR_TCP_CLOSED : WEIR_TCP_ESTABLISHED);
        EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
        if (aborts)
            continue;
        EXPECT_EQ(weir_send(world_stack(w, 0), second, "x", 1, 0), 1);
        world_run(w, 2 * WEIR_S);
        EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
    }
}

/* A SYN to stack 1, to be changed. */
static void make_syn(struct world *w, struct packet *p)
{
    static const uint8_t options[] = {2, 4, 5, 0xb4, 1, 3, 3, 7};
    struct packet_ip ip = {.src = world_endpoint(w, 2, 999),
                           .dst = world_endpoint(w, 1, WORLD_PORT)};

    packet_make_tcp(
        p, &ip,
        &(struct packet_tcp){.flags = TCP_SYN, .options = options, .options_len = sizeof options});
}

/* It comes from anywhere; the device has verified its checksum. */
static void flood(struct world *w, uint64_t *random, struct packet *p)
{
    uint64_t r = test_random(random);
    uint16_t sum;
    struct weir_frame frame = {.slices = {{p->bytes, p->len}},
                               .slice_count = 1,
                               .len = p->len,
                               .flags = WEIR_FRAME_CSUM_VALID};

    memcpy(p->bytes + IP_SRC_AT, &r, 4);
    p->bytes[IP_SRC_AT] = (uint8_t)(1 + r % 126); /* neither 0, loopback nor a group */
    memcpy(p->bytes + TCP_AT, (const uint8_t *)&r + 4, 2);
    memcpy(p->bytes + TCP_AT + 4, (const uint8_t *)&r + 3, 4);
    memset(p->bytes + IP_CHECKSUM_AT, 0, 2);
    sum = checksum_fold(checksum_add(0, p->bytes, TCP_AT));
    p->bytes[IP_CHECKSUM_AT] = (uint8_t)(sum >> 8);
    p->bytes[IP_CHECKSUM_AT + 1] = (uint8_t)sum;
    weir_input(world_stack(w, 1), w->stacks[1].netif, &frame, 1);
}

/* What the stack answers is not looked at: nobody is there. */
static void swallow_output(struct world *w)
{
    struct weir_frame *frames[64];
    size_t count;

    while ((count = weir_output(world_stack(w, 1), w->stacks[1].netif, frames, 64)) > 0)
        weir_output_done(world_stack(w, 1), frames, count);
}

TEST(cookies_let_every_client_in_while_a_million_syns_come_from_anywhere)
{
    struct weir_config config = world_config();
    struct weir_prefix everywhere = {.len = 96};
    uint64_t random = 42, clients = test_many(CLIENTS);
    static struct packet p;
    struct world *w;
    weir_listener_t l;
    weir_conn_t b;

    config.memory_limit = MEMORY_LIMIT;
    w = world_make(&(struct world_setup){.config = &config});
    everywhere.addr = weir_addr_v4(0, 0, 0, 0);
    EXPECT_EQ(weir_route_add(world_stack(w, 1), &everywhere, NULL, w->stacks[1].netif), WEIR_OK);
    l = world_listen(w, 1, WORLD_PORT, CLIENTS);
    make_syn(w, &p);
    for (size_t i = 0; i < clients; i++) {
        weir_conn_t a;
        for (size_t n = 0; n < SYNS_BETWEEN; n++) {
            flood(w, &random, &p);
            if (n % 64 == 63 || n == SYNS_BETWEEN - 1)
                swallow_output(w);
        }
        a = connect_to(w, WORLD_PORT);
        world_run(w, 10 * WEIR_MS); /* 100 SYNs in each 100 us: a million a second */
        EXPECT_EQ(world_state(w, 0, a), WEIR_TCP_ESTABLISHED);
        EXPECT_EQ(weir_send(world_stack(w, 0), a, "hello", 5, 0), 5);
        world_settle(w);
    }
    for (size_t i = 0; i < clients; i++) {
        char bytes[8];
        EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
        EXPECT_EQ(weir_recv(world_stack(w, 1), b, bytes, sizeof bytes), 5);
    }
    EXPECT_EQ(world_stats(w, 1).half_open, config.syn_queue);
    EXPECT_EQ(world_stats(w, 1).tcp_cookies_taken, clients);
    EXPECT(world_stats(w, 1).tcp_cookies_sent >= clients * SYNS_BETWEEN - config.syn_queue);
    EXPECT(world_stats(w, 1).memory_peak_bytes <= MEMORY_LIMIT);
}

/* ---- listeners that share a port ---- */

static weir_listener_t share(struct world *w, uint16_t port)
{
    static const struct weir_opt_value shares = {WEIR_OPT_SHARE_PORT, 1};
    struct weir_endpoint local = {.port = port};
    weir_listener_t l;

    EXPECT_EQ(weir_listen_with(world_stack(w, 1), &local, 1000, &shares, 1, &l), WEIR_OK);
    return l;
}

static size_t accept_all(struct world *w, weir_listener_t l)
{
    weir_conn_t b;
    size_t count = 0;

    while (weir_accept(world_stack(w, 1), l, &b) == WEIR_OK)
        count++;
    return count;
}

TEST(sharing_a_port_spreads_connections_evenly)
{
    enum { SHARERS = 4, CONNS = 400 };
    for (int with_cookies = 0; with_cookies < 2; with_cookies++) {
        struct world *w = world_with(
            with_cookies ? WEIR_SYN_COOKIES_ALWAYS : WEIR_SYN_COOKIES_NEVER, 4096, false);
        weir_listener_t l[SHARERS];
        size_t all = 0;
        for (size_t i = 0; i < SHARERS; i++)
            l[i] = share(w, 80);
        for (size_t i = 0; i < CONNS; i++)
            connect_to(w, 80);
        world_run(w, WEIR_S);
        for (size_t i = 0; i < SHARERS; i++) {
            size_t count = accept_all(w, l[i]);
            EXPECT(count > CONNS / SHARERS / 2 && count < CONNS / SHARERS * 2);
            all += count;
        }
        EXPECT_EQ(all, CONNS);
    }
}

TEST(sharing_a_port_needs_the_consent_of_all)
{
    static const struct weir_opt_value shares = {WEIR_OPT_SHARE_PORT, 1};
    struct world *w = world_make(&(struct world_setup){0});
    struct weir_endpoint local = {.port = 80};
    weir_listener_t l, first = share(w, 80);
    int64_t value;

    EXPECT_EQ(weir_listen(world_stack(w, 1), &local, 1, &l), WEIR_EADDRINUSE);
    EXPECT_EQ(weir_get(world_stack(w, 1), first, WEIR_OPT_SHARE_PORT, &value), WEIR_OK);
    EXPECT_EQ(value, 1);
    EXPECT_EQ(weir_set(world_stack(w, 1), first, WEIR_OPT_SHARE_PORT, 0), WEIR_ESTATE);
    local.port = 81;
    EXPECT_EQ(weir_listen(world_stack(w, 1), &local, 1, &l), WEIR_OK);
    EXPECT_EQ(weir_listen_with(world_stack(w, 1), &local, 1, &shares, 1, &l), WEIR_EADDRINUSE);
    EXPECT_EQ(world_stats(w, 1).listeners, 2);
}

TEST(sharing_a_port_survives_the_end_of_one_in_the_middle_of_a_handshake)
{
    struct world *w = world_make(&(struct world_setup){.conditions = {.delay_ns = 10 * WEIR_MS}});
    weir_listener_t l[2] = {share(w, 80), share(w, 80)};
    size_t begun = 20;

    for (size_t i = 0; i < begun; i++)
        connect_to(w, 80);
    world_run(w, 15 * WEIR_MS); /* SYNs are there, their answers under way */
    EXPECT_EQ(world_stats(w, 1).half_open, begun);
    EXPECT_EQ(weir_close(world_stack(w, 1), l[0]), WEIR_OK);
    world_run(w, 100 * WEIR_MS);
    EXPECT_EQ(accept_all(w, l[1]), begun);
}

/* ---- deferred accepts ---- */

static struct world *deferring(weir_listener_t *l, weir_ns_t ns)
{
    struct world *w = world_make(&(struct world_setup){0});
    int64_t value;

    *l = world_listen(w, 1, WORLD_PORT, 5);
    EXPECT_EQ(weir_set(world_stack(w, 1), *l, WEIR_OPT_DEFER_ACCEPT, ns), WEIR_OK);
    EXPECT_EQ(weir_get(world_stack(w, 1), *l, WEIR_OPT_DEFER_ACCEPT, &value), WEIR_OK);
    EXPECT_EQ(value, ns);
    EXPECT_EQ(weir_set(world_stack(w, 1), *l, WEIR_OPT_DEFER_ACCEPT, -1), WEIR_EINVAL);
    return w;
}

TEST(deferred_accept_waits_for_data)
{
    weir_listener_t l;
    struct world *w = deferring(&l, 5 * WEIR_S);
    weir_conn_t a = connect_to(w, WORLD_PORT), b;

    world_run(w, 3 * WEIR_S);
    EXPECT_EQ(world_state(w, 0, a), WEIR_TCP_ESTABLISHED);
    EXPECT_EQ(world_dropped(w, 1, "tcp_deferred"), 1);
    EXPECT_EQ(world_count(w, 1, TCP_SYN, TCP_SYN), 1); /* which was not lost */
    EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_EAGAIN);
    EXPECT_EQ(world_news(w, 1, l, NULL), 0);
    EXPECT_EQ(weir_send(world_stack(w, 0), a, "x", 1, 0), 1);
    world_settle(w);
    EXPECT_EQ(world_news(w, 1, l, NULL), WEIR_EVENT_ACCEPTABLE);
    EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
}

TEST(deferred_accept_takes_an_end_for_data)
{
    weir_listener_t l;
    struct world *w = deferring(&l, 5 * WEIR_S);
    weir_conn_t a = connect_to(w, WORLD_PORT), b;

    world_settle(w);
    EXPECT_EQ(weir_shutdown(world_stack(w, 0), a), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
}

TEST(deferred_accept_ends_when_its_time_is_over)
{
    weir_listener_t l;
    struct world *w = deferring(&l, 5 * WEIR_S);
    weir_conn_t a = connect_to(w, WORLD_PORT), b;
    struct weir_tcp_info info;

    world_run(w, 4990 * WEIR_MS);
    EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_EAGAIN);
    world_run(w, 20 * WEIR_MS);
    EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
    EXPECT_EQ(world_state(w, 0, a), WEIR_TCP_ESTABLISHED);
    EXPECT_EQ(weir_tcp_info(world_stack(w, 1), b, &info), WEIR_OK);
    EXPECT_EQ(info.retransmits, 0);
    EXPECT(info.cwnd > 10000); /* nothing was lost */
}

/* ---- ICMP ---- */

static void complain(struct world *w, uint8_t type, uint8_t code, uint32_t seq_offset)
{
    static struct packet p;
    const struct world_seen *synack = world_nth(w, 1, TCP_SYN, TCP_SYN, 0);
    struct packet_ip ip = {.src = world_endpoint(w, 2, 0), .dst = world_endpoint(w, 1, 0)};
    uint8_t quoted[28];

    memcpy(quoted, synack->view.head, sizeof quoted);
    quoted[27] = (uint8_t)(quoted[27] + seq_offset);
    packet_make_icmp(&p, &ip, type, code, 0, quoted, sizeof quoted);
    world_injects(w, 1, &p);
}

TEST(half_open_connections_end_when_the_network_says_so) /* [RFC5927 4.1] */
{
    struct world *w = world_make(&(struct world_setup){0});

    world_listen(w, 1, WORLD_PORT, 5);
    world_drops(w, (struct world_drop){
                       .from = 1, .flags_mask = TCP_SYN, .flags = TCP_SYN, .nth = 1, .count = 99});
    connect_to(w, WORLD_PORT);
    world_settle(w);
    EXPECT_EQ(world_stats(w, 1).half_open, 1);
    complain(w, 3, 1, 1); /* of another number */
    EXPECT_EQ(world_dropped(w, 1, "icmp_sequence"), 1);
    complain(w, 3, 4, 0); /* too big: only the path is smaller */
    EXPECT_EQ(world_stats(w, 1).half_open, 1);
    complain(w, 3, 1, 0);
    EXPECT_EQ(world_stats(w, 1).half_open, 0);
    EXPECT_EQ(world_stats(w, 1).tcp_failed_opens, 1);
}
