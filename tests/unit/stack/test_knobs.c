/* test_knobs.c - orphans, minimum TTL, and what may wait to be sent */
#include "lib/test.h"
#include "lib/world.h"
#include "wire/tcp.h"

/* ---- orphans ---- */

/* The application of stack 0 closes with data that the peer has no room for. */
static struct world *with_orphan(struct weir_config *config, uint32_t count)
{
    struct world *w;
    weir_listener_t l;

    config->tcp.recv_buffer_max_bytes = config->tcp.recv_buffer_bytes = 4096;
    w = world_make(&(struct world_setup){.config = config});
    l = world_listen(w, 1, WORLD_PORT, 100);
    for (uint32_t i = 0; i < count; i++) {
        struct world_pair p = world_connect_to(w, l);
        static const uint8_t bytes[20000];
        EXPECT_EQ(weir_send(world_stack(w, 0), p.a, bytes, sizeof bytes, 0), sizeof bytes);
        world_run(w, WEIR_S);
        EXPECT_EQ(weir_close(world_stack(w, 0), p.a), WEIR_OK);
    }
    return w;
}

TEST(orphan_whose_peer_never_opens_its_window_ends)
{
    struct weir_config config = world_config();
    struct world *w = with_orphan(&config, 1);

    world_run(w, 200 * WEIR_S);
    EXPECT_EQ(world_stats(w, 0).connections, 1); /* it is answered all the time */
    world_run(w, 900 * WEIR_S);
    EXPECT_EQ(world_stats(w, 0).connections, 0);
    world_settle(w);
    EXPECT(world_stats(w, 0).tcp_resets_out == 1);
}

TEST(connection_with_an_application_waits_for_a_window_for_ever) /* [RFC9293 MUST-37] */
{
    struct weir_config config = world_config();
    struct world *w;
    struct world_pair p;
    static const uint8_t bytes[20000];

    config.tcp.recv_buffer_max_bytes = config.tcp.recv_buffer_bytes = 4096;
    w = world_make(&(struct world_setup){.config = &config});
    p = world_connect(w);
    EXPECT_EQ(weir_send(world_stack(w, 0), p.a, bytes, sizeof bytes, 0), sizeof bytes);
    world_run(w, 20000 * WEIR_S);
    EXPECT_EQ(world_state(w, 0, p.a), WEIR_TCP_ESTABLISHED);
}

TEST(orphan_that_is_not_answered_ends_sooner)
{
    struct weir_config config = world_config();
    struct world *w = with_orphan(&config, 1);

    w->is_cut = true;
    world_run(w, 600 * WEIR_S); /* others are tried for a quarter of an hour */
    EXPECT_EQ(world_stats(w, 0).connections, 0);
}

TEST(orphans_are_no_more_than_the_configuration_allows)
{
    struct weir_config config = world_config();
    struct world *w;

    config.tcp.orphans = 3;
    w = with_orphan(&config, 5);
    world_settle(w);
    EXPECT_EQ(world_stats(w, 0).connections, 3);
    EXPECT_EQ(world_stats(w, 0).tcp_resets_out, 2);
    world_run(w, 1100 * WEIR_S); /* and make room when they end */
    EXPECT_EQ(world_stats(w, 0).connections, 0);
}

/* ---- minimum TTL ---- */

TEST(min_ttl_keeps_out_what_comes_from_afar) /* [RFC5082 3] */
{
    struct world *w = world_make(&(struct world_setup){0});
    weir_listener_t l = world_listen(w, 1, WORLD_PORT, 5);
    struct weir_endpoint to = world_endpoint(w, 1, WORLD_PORT);
    static const struct weir_opt_value near = {WEIR_OPT_TTL, 255};
    weir_conn_t a, b, c;

    EXPECT_EQ(weir_set(world_stack(w, 1), l, WEIR_OPT_MIN_TTL, 255), WEIR_OK);
    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &a), WEIR_OK);
    EXPECT_EQ(weir_connect_with(world_stack(w, 0), NULL, &to, &near, 1, &c), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(world_state(w, 0, a), WEIR_TCP_SYN_SENT);
    EXPECT_EQ(world_dropped(w, 1, "tcp_min_ttl"), 1);
    EXPECT_EQ(world_state(w, 0, c), WEIR_TCP_ESTABLISHED);
    EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
    EXPECT_EQ(weir_set(world_stack(w, 0), c, WEIR_OPT_TTL, 254), WEIR_OK);
    EXPECT_EQ(weir_send(world_stack(w, 0), c, "x", 1, 0), 1);
    world_settle(w);
    EXPECT(world_dropped(w, 1, "tcp_min_ttl") >= 2);
    EXPECT_EQ(weir_recv(world_stack(w, 1), b, (char[1]){0}, 1), WEIR_EAGAIN);
    EXPECT_EQ(weir_set(world_stack(w, 1), b, WEIR_OPT_MIN_TTL, 254), WEIR_OK);
    world_run(w, WEIR_S);
    EXPECT_EQ(weir_recv(world_stack(w, 1), b, (char[1]){0}, 1), 1);
}

/* ---- what may wait to be sent ---- */

TEST(notsent_lowat_limits_what_waits_and_tells_when_half_of_it_is_gone)
{
    struct world *w = world_make(&(struct world_setup){.conditions = {.delay_ns = 20 * WEIR_MS}});
    struct world_pair p = world_connect(w);
    size_t first;

    EXPECT_EQ(weir_set(world_stack(w, 0), p.a, WEIR_OPT_NOTSENT_LOWAT, 10000), WEIR_OK);
    world_news(w, 0, p.a, NULL);
    first = world_offers(w, 0, p.a, 1000000);
    EXPECT(first >= 10000 && first < 200000);
    EXPECT_EQ(weir_send(world_stack(w, 0), p.a, "x", 1, 0), WEIR_EAGAIN);
    EXPECT_EQ(world_news(w, 0, p.a, NULL) & WEIR_EVENT_WRITABLE, 0);
    for (int i = 0; i < 40; i++) {
        struct weir_tcp_info info;
        world_run(w, 20 * WEIR_MS);
        EXPECT_EQ(weir_tcp_info(world_stack(w, 0), p.a, &info), WEIR_OK);
        if (!(world_news(w, 0, p.a, NULL) & WEIR_EVENT_WRITABLE))
            continue;
        EXPECT(info.send_queued - info.flight_bytes <= 5000);
        world_offers(w, 0, p.a, 1000000);
    }
    world_run(w, 2 * WEIR_S);
    EXPECT_EQ(world_reads(w, 1, p.b), WEIR_EAGAIN);
    EXPECT(w->stacks[1].read > 2 * first); /* it goes on */
}
