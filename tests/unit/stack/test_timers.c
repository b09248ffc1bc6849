/*
 * test_timers.c - what happens when time passes and nobody answers
 */
#include "lib/test.h"
#include "lib/world.h"
#include "stack/stack.h"
#include "wire/tcp.h"
#include <string.h>

static weir_ns_t at(const struct world *w, size_t from, uint16_t mask, uint16_t flags, size_t n)
{
    return world_nth(w, from, mask, flags, n)->at - w->started_at;
}

static weir_conn_t connect_to(struct world *w, uint16_t port)
{
    struct weir_endpoint to = world_endpoint(w, 1, port);
    weir_conn_t c;

    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &c), WEIR_OK);
    return c;
}

/* A SYN from nobody, whose SYN-ACKs go nowhere. */
static void inject_syn(struct world *w, uint16_t port, uint32_t seq)
{
    static struct packet p;
    struct packet_ip ip = {.src = world_endpoint(w, 7, port),
                           .dst = world_endpoint(w, 0, WORLD_PORT)};
    struct packet_tcp tcp = {.flags = TCP_SYN, .seq = seq};

    packet_make_tcp(&p, &ip, &tcp);
    world_injects(w, 0, &p);
}

TEST(synack_is_sent_again_after_1_3_7_15_and_31_s_and_forgotten_after_63)
{
    static const weir_ns_t seconds[] = {0, 1, 3, 7, 15, 31};

    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct world *w = world_make(&(struct world_setup){.stacks = 1, .is_v6 = is_v6});
        world_listen(w, 0, WORLD_PORT, 5);
        inject_syn(w, 1000, 5);
        EXPECT_EQ(world_stats(w, 0).half_open, 1);
        world_run(w, 63 * WEIR_S - 1);
        EXPECT_EQ(world_stats(w, 0).half_open, 1);
        world_run(w, 1 * WEIR_MS);
        EXPECT_EQ(world_stats(w, 0).half_open, 0);
        world_run(w, 1000 * WEIR_S);
        EXPECT_EQ(world_count(w, 0, TCP_SYN | TCP_ACK, TCP_SYN | TCP_ACK), 6);
        EXPECT_EQ(w->log_count, 6);
        for (size_t i = 0; i < 6; i++) {
            weir_ns_t late = at(w, 0, TCP_SYN, TCP_SYN, i) - seconds[i] * WEIR_S;
            EXPECT(late >= 0 && late < 1 * WEIR_MS);
        }
        EXPECT_EQ(world_stats(w, 0).tcp_failed_opens, 1);
        EXPECT_EQ(world_stats(w, 0).tcp_retransmits, 5);
    }
}

TEST(synack_retries_can_be_set)
{
    static const struct {
        uint32_t retries;
        weir_ns_t dies_s;
    } cases[] = {{0, 1}, {1, 3}, {3, 15}, {5, 63}, {6, 127}, {8, 127 + 120 * 2}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_config config = world_config();
        struct world *w;
        config.tcp.synack_retries = cases[i].retries;
        w = world_make(&(struct world_setup){.stacks = 1, .config = &config});
        world_listen(w, 0, WORLD_PORT, 5);
        inject_syn(w, 1000, 5);
        world_run(w, cases[i].dies_s * WEIR_S - 1);
        EXPECT_EQ(world_stats(w, 0).half_open, 1);
        world_run(w, 1 * WEIR_MS);
        EXPECT_EQ(world_stats(w, 0).half_open, 0);
        EXPECT_EQ(world_count(w, 0, TCP_SYN, TCP_SYN), cases[i].retries + 1);
    }
}

/* The peer's SYN again gets an answer, without moving the others; not to every copy of it. */
TEST(synack_answers_a_repeated_syn)
{
    struct world *w = world_make(&(struct world_setup){.stacks = 1});

    world_listen(w, 0, WORLD_PORT, 5);
    inject_syn(w, 1000, 5);
    world_run(w, 600 * WEIR_MS);
    for (int i = 0; i < 10; i++)
        inject_syn(w, 1000, 5);
    EXPECT_EQ(world_count(w, 0, TCP_SYN, TCP_SYN), 2);
    EXPECT_EQ(world_nth(w, 0, TCP_SYN, TCP_SYN, 0)->view.seq,
              world_nth(w, 0, TCP_SYN, TCP_SYN, 1)->view.seq);
    world_run(w, 1 * WEIR_S);
    EXPECT_EQ(world_count(w, 0, TCP_SYN, TCP_SYN), 3);
    EXPECT_EQ(at(w, 0, TCP_SYN, TCP_SYN, 2) / WEIR_MS, 1000);
}

TEST(syn_is_sent_again_six_times_and_given_up_after_127_s) /* [RFC9293 MUST-22, MUST-20] */
{
    static const weir_ns_t seconds[] = {0, 1, 3, 7, 15, 31, 63};

    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct world *w = world_make(&(struct world_setup){.is_v6 = is_v6});
        weir_conn_t c;
        int error;
        w->is_cut = true;
        c = connect_to(w, WORLD_PORT);
        world_run(w, 127 * WEIR_S - 1);
        EXPECT_EQ(world_state(w, 0, c), WEIR_TCP_SYN_SENT);
        world_run(w, 1 * WEIR_MS);
        EXPECT_EQ(world_state(w, 0, c), WEIR_TCP_CLOSED);
        EXPECT_EQ(world_news(w, 0, c, &error), WEIR_EVENT_CLOSED);
        EXPECT_EQ(error, WEIR_ETIMEDOUT);
        EXPECT_EQ(weir_send(world_stack(w, 0), c, "x", 1, 0), WEIR_ETIMEDOUT);
        EXPECT_EQ(world_count(w, 0, TCP_SYN, TCP_SYN), 7);
        for (size_t i = 0; i < 7; i++) {
            weir_ns_t late = at(w, 0, TCP_SYN, TCP_SYN, i) - seconds[i] * WEIR_S;
            EXPECT(late >= 0 && late < 1 * WEIR_MS);
        }
        EXPECT_EQ(world_stats(w, 0).tcp_timeouts, 1);
        EXPECT_EQ(world_stats(w, 0).tcp_failed_opens, 1);
    }
}

TEST(data_is_given_up_after_fifteen_retransmissions) /* [RFC9293 MUST-20, SHLD-9 to SHLD-11] */
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    int error;

    world_news(w, 0, p.a, NULL);
    w->is_cut = true;
    world_forgets(w);
    world_sends(w, 0, p.a, 100);
    world_run(w, 2 * WEIR_S);
    EXPECT_EQ(world_news(w, 0, p.a, &error), WEIR_EVENT_SOFT_ERROR);
    EXPECT_EQ(error, WEIR_ETIMEDOUT);
    world_run(w, 900 * WEIR_S);
    EXPECT_EQ(world_state(w, 0, p.a), WEIR_TCP_ESTABLISHED);
    world_run(w, 100 * WEIR_S);
    EXPECT_EQ(world_news(w, 0, p.a, &error), WEIR_EVENT_CLOSED);
    EXPECT_EQ(error, WEIR_ETIMEDOUT);
    EXPECT_EQ(world_count(w, 0, 0, 0), 17); /* and a probe in the place of the first timeout */
    EXPECT_EQ(weir_recv(world_stack(w, 0), p.a, &error, 1), WEIR_ETIMEDOUT);
}

TEST(user_timeout_gives_up_earlier_or_later) /* [RFC9293 MUST-21] */
{
    static const weir_ns_t timeouts_s[] = {5, 100, 2000};

    for (size_t i = 0; i < 3; i++) {
        struct world *w = world_make(&(struct world_setup){0});
        struct world_pair p = world_connect(w);
        int error;
        EXPECT_EQ(weir_set(world_stack(w, 0), p.a, WEIR_OPT_USER_TIMEOUT, timeouts_s[i] * WEIR_S),
                  WEIR_OK);
        w->is_cut = true;
        world_sends(w, 0, p.a, 100);
        world_run(w, timeouts_s[i] * WEIR_S - 1);
        EXPECT_EQ(world_state(w, 0, p.a), WEIR_TCP_ESTABLISHED);
        world_run(w, timeouts_s[i] * WEIR_S + 121 * WEIR_S);
        EXPECT(world_news(w, 0, p.a, &error) & WEIR_EVENT_CLOSED);
        EXPECT_EQ(error, WEIR_ETIMEDOUT);
    }
}

/* Closes a first, then b: a ends in TIME-WAIT. */
static void close_in_turn(struct world *w, struct world_pair *p)
{
    EXPECT_EQ(weir_close(world_stack(w, 0), p->a), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(weir_close(world_stack(w, 1), p->b), WEIR_OK);
    world_settle(w);
}

TEST(time_wait_lasts_60_s_in_a_small_record) /* [RFC9293 MUST-13] */
{
    for (int keeps_handle = 0; keeps_handle < 2; keeps_handle++) {
        struct world *w = world_make(&(struct world_setup){0});
        struct world_pair p = world_connect(w);
        int error;
        EXPECT_EQ(weir_shutdown(world_stack(w, 0), p.a), WEIR_OK);
        world_settle(w);
        EXPECT_EQ(world_state(w, 0, p.a), WEIR_TCP_FIN_WAIT_2);
        EXPECT_EQ(weir_shutdown(world_stack(w, 1), p.b), WEIR_OK);
        world_settle(w);
        EXPECT_EQ(world_state(w, 0, p.a), WEIR_TCP_TIME_WAIT);
        EXPECT_EQ(world_state(w, 1, p.b), WEIR_TCP_CLOSED);
        EXPECT(world_news(w, 0, p.a, &error) & WEIR_EVENT_CLOSED); /* [RFC9293 MUST-12] */
        EXPECT_EQ(error, 0);
        EXPECT_EQ(world_reads(w, 0, p.a), 0);
        EXPECT_EQ(world_stats(w, 0).timewaits, 1);
        EXPECT_EQ(world_stats(w, 1).timewaits, 0);
        if (!keeps_handle)
            EXPECT_EQ(weir_close(world_stack(w, 0), p.a), WEIR_OK);
        EXPECT_EQ(world_stats(w, 0).connections, keeps_handle);
        EXPECT_EQ(weir_close(world_stack(w, 1), p.b), WEIR_OK);
        world_run(w, 59900 * WEIR_MS);
        EXPECT_EQ(world_stats(w, 0).timewaits, 1);
        world_run(w, 200 * WEIR_MS);
        EXPECT_EQ(world_stats(w, 0).timewaits, 0);
        if (keeps_handle)
            EXPECT_EQ(weir_close(world_stack(w, 0), p.a), WEIR_OK);
        world_expects_nothing_left(w, 0);
    }
}

TEST(time_wait_answers_a_lost_last_ack_and_begins_anew)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);

    EXPECT_EQ(weir_close(world_stack(w, 0), p.a), WEIR_OK);
    world_settle(w);
    world_drops(w, (struct world_drop){
                       .from = 0, .flags_mask = TCP_ACK, .flags = TCP_ACK, .nth = 1, .count = 3});
    EXPECT_EQ(weir_shutdown(world_stack(w, 1), p.b), WEIR_OK);
    world_run(w, 100 * WEIR_MS);
    EXPECT_EQ(world_state(w, 1, p.b), WEIR_TCP_LAST_ACK);
    world_run(w, 10 * WEIR_S);
    EXPECT_EQ(world_state(w, 1, p.b), WEIR_TCP_CLOSED);
    EXPECT_EQ(w->drops[0].matched, 4);
    world_run(w, 50 * WEIR_S); /* 2 MSL since the last FIN are not over */
    EXPECT_EQ(world_stats(w, 0).timewaits, 1);
    world_run(w, 3 * WEIR_S);
    EXPECT_EQ(world_stats(w, 0).timewaits, 0);
}

TEST(time_wait_gives_way_to_a_newer_syn) /* [RFC6191 2] [RFC9293 MAY-2, SHLD-4] */
{
    static const struct {
        bool timestamps;
        bool reuse;
        uint32_t isn_step; /* beyond what was sent last */
        bool opens;
    } cases
        [] =
            {
                {true, true, 1000, true},
                {true, true, 0x80001000, true}, /* the timestamp is newer: the number does not matter */
                {false, true, 1000, true},
                {false, true, 0x80001000, false},
                {true, false, 1000, false},
            };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_config config = world_config();
        struct world *w;
        struct world_pair p;
        struct weir_tcp_info info;
        weir_conn_t again, b;
        config.tcp.timestamps = cases[i].timestamps;
        config.tcp.timewait_reuse = cases[i].reuse;
        w = world_make(&(struct world_setup){.config = &config});
        p = world_connect(w);
        EXPECT_EQ(weir_tcp_info(world_stack(w, 0), p.a, &info), WEIR_OK);
        EXPECT_EQ(weir_close(world_stack(w, 1), p.b), WEIR_OK); /* the server closes first */
        world_settle(w);
        EXPECT_EQ(weir_close(world_stack(w, 0), p.a), WEIR_OK);
        world_run(w, 10 * WEIR_MS);
        EXPECT_EQ(world_stats(w, 1).timewaits, 1);
        weir_tcp_next_isn(world_stack(w, 0), info.snd_nxt + cases[i].isn_step);
        EXPECT_EQ(weir_connect(world_stack(w, 0), &p.a_at, &p.b_at, &again), WEIR_OK);
        world_run(w, 500 * WEIR_MS);
        EXPECT_EQ(world_stats(w, 1).timewaits, !cases[i].opens);
        EXPECT_EQ(weir_accept(world_stack(w, 1), p.listener, &b),
                  cases[i].opens ? WEIR_OK : WEIR_EAGAIN);
        if (!cases[i].opens)
            continue;
        w->stacks[0].sent = 0;
        world_sends(w, 0, again, 1000);
        world_settle(w);
        EXPECT_EQ(world_reads(w, 1, b), WEIR_EAGAIN);
        EXPECT_EQ(w->stacks[1].read, 1000);
    }
}

TEST(time_wait_of_our_own_keeps_the_four_tuple_taken)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    weir_conn_t c;

    close_in_turn(w, &p);
    EXPECT_EQ(world_stats(w, 0).timewaits, 1);
    EXPECT_EQ(weir_connect(world_stack(w, 0), &p.a_at, &p.b_at, &c), WEIR_EADDRINUSE);
    world_run(w, 61 * WEIR_S);
    EXPECT_EQ(weir_connect(world_stack(w, 0), &p.a_at, &p.b_at, &c), WEIR_OK);
}

TEST(time_waits_are_so_many_and_the_oldest_goes_first)
{
    struct weir_config config = world_config();
    struct world *w;
    weir_listener_t l;
    struct weir_endpoint first = {0};
    weir_conn_t c;

    config.timewaits = 10;
    w = world_make(&(struct world_setup){.config = &config});
    l = world_listen(w, 1, WORLD_PORT, 5);
    for (int i = 0; i < 30; i++) {
        struct world_pair p = world_connect_to(w, l);
        close_in_turn(w, &p);
        EXPECT_EQ(world_stats(w, 0).timewaits, i < 10 ? (uint32_t)i + 1 : 10);
        if (i == 0)
            first = p.a_at;
        world_run(w, 10 * WEIR_MS);
    }
    struct weir_endpoint to = world_endpoint(w, 1, WORLD_PORT);
    EXPECT_EQ(weir_connect(world_stack(w, 0), &first, &to, &c), WEIR_OK);
    EXPECT_EQ(weir_close(world_stack(w, 0), c), WEIR_OK);
    world_run(w, 61 * WEIR_S);
    world_expects_nothing_left(w, 0);
    EXPECT_EQ(world_stats(w, 0).timewaits, 0);
}

TEST(time_wait_without_room_for_a_record_still_acknowledges)
{
    struct weir_config config = world_config();
    struct world *w;
    struct world_pair p;

    config.timewaits = 0;
    w = world_make(&(struct world_setup){.config = &config});
    p = world_connect(w);
    EXPECT_EQ(weir_close(world_stack(w, 0), p.a), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(weir_shutdown(world_stack(w, 1), p.b), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(world_state(w, 1, p.b), WEIR_TCP_CLOSED);
    world_expects_nothing_left(w, 0);
}

TEST(fin_wait_2_of_a_closed_handle_ends_after_60_s_without_the_peer)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);

    EXPECT_EQ(weir_close(world_stack(w, 0), p.a), WEIR_OK);
    world_run(w, 59 * WEIR_S);
    EXPECT_EQ(world_stats(w, 0).connections, 1);
    world_run(w, 2 * WEIR_S);
    EXPECT_EQ(world_stats(w, 0).connections, 0);

    /* An application that still has its handle may wait for as long as it likes. */
    p = world_connect_to(w, p.listener);
    EXPECT_EQ(weir_shutdown(world_stack(w, 0), p.a), WEIR_OK);
    world_run(w, 10000 * WEIR_S);
    EXPECT_EQ(world_state(w, 0, p.a), WEIR_TCP_FIN_WAIT_2);
    w->stacks[1].sent = w->stacks[0].read = 0;
    world_sends(w, 1, p.b, 1000);
    world_settle(w);
    EXPECT_EQ(world_reads(w, 0, p.a), WEIR_EAGAIN);
    EXPECT_EQ(w->stacks[0].read, 1000);
    EXPECT_EQ(weir_close(world_stack(w, 0), p.a), WEIR_OK);
    world_run(w, 61 * WEIR_S);
    EXPECT_EQ(world_stats(w, 0).connections, 0);
}

TEST(keep_alive_finds_a_dead_peer_and_leaves_a_live_one) /* [RFC9293 MUST-24 to MUST-29] */
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    int error;

    /* Off by default. */
    world_settle(w);
    world_forgets(w);
    world_run(w, 20000 * WEIR_S);
    EXPECT_EQ(w->log_count, 0);

    world_sends(w, 0, p.a, 1);
    world_run(w, 1 * WEIR_S);
    world_forgets(w);
    EXPECT_EQ(weir_set(world_stack(w, 0), p.a, WEIR_OPT_KEEPALIVE, 1), WEIR_OK);
    world_run(w, 7198 * WEIR_S);
    EXPECT_EQ(w->log_count, 0);
    world_run(w, 3 * WEIR_S);
    EXPECT_EQ(world_count(w, 0, 0, 0), 1);
    EXPECT_EQ(world_nth(w, 0, 0, 0, 0)->view.text_len, 0); /* [RFC9293 SHLD-12] */
    EXPECT_EQ(world_count(w, 1, 0, 0), 1);
    world_run(w, 7201 * WEIR_S);
    EXPECT_EQ(world_count(w, 0, 0, 0), 2);
    EXPECT_EQ(world_state(w, 0, p.a), WEIR_TCP_ESTABLISHED);

    /* The peer is gone: nine probes, 75 s apart. */
    w->is_cut = true;
    world_forgets(w);
    world_run(w, 7200 * WEIR_S + 9 * 75 * WEIR_S - 5 * WEIR_S);
    EXPECT_EQ(world_count(w, 0, 0, 0), 9);
    EXPECT_EQ(world_state(w, 0, p.a), WEIR_TCP_ESTABLISHED);
    world_run(w, 10 * WEIR_S);
    EXPECT(world_news(w, 0, p.a, &error) & WEIR_EVENT_CLOSED);
    EXPECT_EQ(error, WEIR_ETIMEDOUT);
}

TEST(keep_alive_intervals_can_be_set) /* [RFC9293 MUST-27] */
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    struct weir *s = world_stack(w, 0);
    int error;

    EXPECT_EQ(weir_set(s, p.a, WEIR_OPT_KEEPALIVE_INTERVAL, 1 * WEIR_S), WEIR_OK);
    EXPECT_EQ(weir_set(s, p.a, WEIR_OPT_KEEPALIVE_PROBES, 3), WEIR_OK);
    EXPECT_EQ(weir_set(s, p.a, WEIR_OPT_KEEPALIVE, 1), WEIR_OK);
    EXPECT_EQ(weir_set(s, p.a, WEIR_OPT_KEEPALIVE_IDLE, 10 * WEIR_S), WEIR_OK);
    world_run(w, 100 * WEIR_S);
    EXPECT_EQ(world_state(w, 0, p.a), WEIR_TCP_ESTABLISHED);
    w->is_cut = true;
    world_run(w, 25 * WEIR_S);
    EXPECT(world_news(w, 0, p.a, &error) & WEIR_EVENT_CLOSED);
    EXPECT_EQ(error, WEIR_ETIMEDOUT);

    /* Turned off, it is silent. */
    w->is_cut = false;
    p = world_connect_to(w, p.listener);
    EXPECT_EQ(weir_set(s, p.a, WEIR_OPT_KEEPALIVE_IDLE, 10 * WEIR_S), WEIR_OK);
    EXPECT_EQ(weir_set(s, p.a, WEIR_OPT_KEEPALIVE, 1), WEIR_OK);
    EXPECT_EQ(weir_set(s, p.a, WEIR_OPT_KEEPALIVE, 0), WEIR_OK);
    world_settle(w);
    world_forgets(w);
    world_run(w, 1000 * WEIR_S);
    EXPECT_EQ(w->log_count, 0);
}

TEST(keep_alive_means_nothing_to_a_connection_that_is_over)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    int error;

    EXPECT_EQ(weir_shutdown(world_stack(w, 0), p.a), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(weir_shutdown(world_stack(w, 1), p.b), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(world_state(w, 0, p.a), WEIR_TCP_TIME_WAIT);
    world_news(w, 0, p.a, NULL);
    EXPECT_EQ(weir_set(world_stack(w, 0), p.a, WEIR_OPT_KEEPALIVE_IDLE, WEIR_S), WEIR_OK);
    EXPECT_EQ(weir_set(world_stack(w, 0), p.a, WEIR_OPT_KEEPALIVE_PROBES, 1), WEIR_OK);
    EXPECT_EQ(weir_set(world_stack(w, 0), p.a, WEIR_OPT_KEEPALIVE, 1), WEIR_OK);
    world_forgets(w);
    world_run(w, 1000 * WEIR_S);
    EXPECT_EQ(w->log_count, 0);
    EXPECT_EQ(world_news(w, 0, p.a, &error), 0);
    EXPECT_EQ(world_reads(w, 0, p.a), 0);
}

/* The peer has lost its memory: whoever sends is told by a reset [RFC9293 3.5.1]. */
TEST(half_open_connection_is_reset_by_the_end_that_knows_nothing)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    struct weir_netif_config netif = {.link = WEIR_LINK_IP, .mtu = 1500};
    struct weir_prefix address = {world_addr(w, 1), 96 + 24};
    int error;

    weir_destroy(&w->stacks[1].stack);
    EXPECT_EQ(weir_create(&w->stacks[1].config, w->now, &w->stacks[1].stack), WEIR_OK);
    EXPECT_EQ(weir_netif_add(w->stacks[1].stack, &netif, &w->stacks[1].netif), WEIR_OK);
    EXPECT_EQ(weir_addr_add(w->stacks[1].stack, w->stacks[1].netif, &address), WEIR_OK);
    world_sends(w, 0, p.a, 100);
    world_settle(w);
    EXPECT(world_news(w, 0, p.a, &error) & WEIR_EVENT_CLOSED);
    EXPECT_EQ(error, WEIR_ECONNRESET);
}

/* It opens the same connection again: a challenge makes it reset the old one [RFC5961 4.2]. */
TEST(half_open_connection_is_replaced_when_its_peer_connects_again)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    struct weir_netif_config netif = {.link = WEIR_LINK_IP, .mtu = 1500};
    struct weir_prefix address = {world_addr(w, 0), 96 + 24};
    weir_conn_t again, b;
    int error;

    weir_destroy(&w->stacks[0].stack);
    EXPECT_EQ(weir_create(&w->stacks[0].config, w->now, &w->stacks[0].stack), WEIR_OK);
    EXPECT_EQ(weir_netif_add(w->stacks[0].stack, &netif, &w->stacks[0].netif), WEIR_OK);
    EXPECT_EQ(weir_addr_add(w->stacks[0].stack, w->stacks[0].netif, &address), WEIR_OK);
    EXPECT_EQ(weir_connect(w->stacks[0].stack, &p.a_at, &p.b_at, &again), WEIR_OK);
    world_settle(w);
    EXPECT(world_news(w, 1, p.b, &error) & WEIR_EVENT_CLOSED);
    EXPECT_EQ(error, WEIR_ECONNRESET);
    world_run(w, 2 * WEIR_S); /* the SYN is sent again */
    EXPECT_EQ(weir_accept(world_stack(w, 1), p.listener, &b), WEIR_OK);
    EXPECT_EQ(world_state(w, 0, again), WEIR_TCP_ESTABLISHED);
}

TEST(the_deadline_is_never_in_the_past_and_never_when_nothing_is_pending)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p;

    EXPECT(weir_deadline(world_stack(w, 0)) == WEIR_NEVER);
    p = world_connect(w);
    world_run(w, 10 * WEIR_S);
    EXPECT(weir_deadline(world_stack(w, 0)) == WEIR_NEVER); /* idle connections rest */
    EXPECT(!weir_has_output(world_stack(w, 0), 0));
    world_sends(w, 0, p.a, 1);
    EXPECT(weir_has_output(world_stack(w, 0), 0));
    EXPECT(weir_has_output(world_stack(w, 0), w->stacks[0].netif));
    EXPECT(!weir_has_output(world_stack(w, 0), 99));
    w->is_cut = true;
    world_pump(w);
    EXPECT(weir_deadline(world_stack(w, 0)) >= w->now);
    EXPECT(weir_deadline(world_stack(w, 0)) <= w->now + WEIR_S);

    /* A time before the last one is taken as the last one. */
    weir_advance(world_stack(w, 0), w->now - 100 * WEIR_S);
    EXPECT(weir_deadline(world_stack(w, 0)) >= w->now);
    weir_advance(world_stack(w, 0), INT64_MIN);
    EXPECT(weir_deadline(world_stack(w, 0)) >= w->now);
}

static uint32_t naps(struct world *w)
{
    return world_stack(w, 0)->naps.used;
}

/* Two hours of silence cost what a deadline costs, and not what work does. */
TEST(keepalives_of_a_connection_at_rest_have_an_alarm_of_their_own) /* [RFC9293 3.8.4] */
{
    struct world *w = world_make(&(struct world_setup){.stacks = 2});
    struct world_pair p = world_connect(w);

    EXPECT_EQ(weir_set(world_stack(w, 0), p.a, WEIR_OPT_KEEPALIVE, 1), WEIR_OK);
    EXPECT_EQ(naps(w), 0);
    for (int i = 0; i < 3; i++) {
        size_t before;
        world_run(w, 10 * WEIR_S);
        EXPECT_EQ(world_stack(w, 0)->tcp.works.used, 0);
        EXPECT_EQ(naps(w), 1);
        before = world_count(w, 0, TCP_ACK, TCP_ACK);
        world_run(w, 7200 * WEIR_S);
        EXPECT_EQ(world_count(w, 0, TCP_ACK, TCP_ACK), before + 1);
    }
    EXPECT_EQ(weir_set(world_stack(w, 0), p.a, WEIR_OPT_KEEPALIVE, 0), WEIR_OK);
    world_run(w, 10 * WEIR_S);
    EXPECT_EQ(naps(w), 0);
    EXPECT_EQ(weir_set(world_stack(w, 0), p.a, WEIR_OPT_KEEPALIVE, 1), WEIR_OK);
    world_run(w, 10 * WEIR_S);
    EXPECT_EQ(naps(w), 1);
    EXPECT_EQ(weir_abort(world_stack(w, 0), p.a), WEIR_OK);
    world_run(w, 1 * WEIR_S);
    EXPECT_EQ(naps(w), 0);
}

/* It keeps its work a second longer, and again, until there is memory. */
TEST(keepalives_come_without_memory_for_an_alarm)
{
    struct world *w = world_make(&(struct world_setup){.stacks = 2});
    struct world_pair p = world_connect(w);
    size_t before;

    EXPECT_EQ(weir_set(world_stack(w, 0), p.a, WEIR_OPT_KEEPALIVE, 1), WEIR_OK);
    w->stacks[0].alloc.fail_at = w->stacks[0].alloc.calls + 1;
    w->stacks[0].alloc.fails_from_then = true;
    world_run(w, 10 * WEIR_S);
    EXPECT_EQ(naps(w), 0);
    EXPECT_EQ(world_stack(w, 0)->tcp.works.used, 1);
    w->stacks[0].alloc.fail_at = 0;
    world_run(w, 10 * WEIR_S);
    EXPECT_EQ(naps(w), 1);
    before = world_count(w, 0, TCP_ACK, TCP_ACK);
    world_run(w, 7200 * WEIR_S);
    EXPECT_EQ(world_count(w, 0, TCP_ACK, TCP_ACK), before + 1);
}

/* What a busy connection needs is given back also if the application was away for longer than that takes. */
TEST(a_connection_rests_when_its_text_is_read_late)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    struct weir_slice slices[2];
    uint8_t bytes[100];
    size_t count;

    for (int how = 0; how < 2; how++) {
        world_sends(w, 1, p.b, sizeof bytes);
        world_run(w, 10 * WEIR_S);
        EXPECT_EQ(world_stack(w, 0)->tcp.works.used, 1);
        EXPECT_EQ(world_stack(w, 1)->tcp.works.used, 0);
        if (how == 0) {
            EXPECT_EQ(weir_recv(world_stack(w, 0), p.a, bytes, sizeof bytes), sizeof bytes);
        } else {
            EXPECT_EQ(weir_recv_lent(world_stack(w, 0), p.a, slices, 2, &count), sizeof bytes);
            EXPECT_EQ(weir_recv_done(world_stack(w, 0), p.a, sizeof bytes), WEIR_OK);
        }
        world_run(w, 10 * WEIR_S);
        EXPECT_EQ(world_stack(w, 0)->tcp.works.used, 0);
    }
}

/* The same if there was no memory for what it wanted to send. */
TEST(a_connection_rests_again_that_could_not_send)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    static const uint8_t bytes[60000];

    world_run(w, 10 * WEIR_S);
    EXPECT_EQ(world_stack(w, 0)->tcp.works.used, 0);
    w->stacks[0].alloc.fail_at = w->stacks[0].alloc.calls + 1;
    EXPECT_EQ(weir_send(world_stack(w, 0), p.a, bytes, sizeof bytes, 0), WEIR_ENOMEM);
    EXPECT_EQ(world_stack(w, 0)->tcp.works.used, 1);
    world_run(w, 10 * WEIR_S);
    EXPECT_EQ(world_stack(w, 0)->tcp.works.used, 0);
}
