/* test_fastopen.c - TCP Fast Open between two stacks: what a listener does with data in a SYN */
#include "lib/test.h"
#include "lib/world.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"
#include <string.h>

static const struct weir_opt_value fast = {WEIR_OPT_FASTOPEN, 1};

struct pair {
    struct world *w;
    weir_listener_t l;
};

static weir_conn_t connect_with_text(struct world *w, const char *text)
{
    struct weir_endpoint to = world_endpoint(w, 1, WORLD_PORT);
    size_t len = strlen(text);
    weir_conn_t a;

    EXPECT_EQ(weir_connect_with(world_stack(w, 0), NULL, &to, &fast, 1, &a), WEIR_OK);
    if (len > 0)
        EXPECT_EQ(weir_send(world_stack(w, 0), a, text, len, 0), (ptrdiff_t)len);
    return a;
}

static enum weir_fastopen result(struct world *w, size_t i, weir_conn_t c)
{
    struct weir_tcp_info info;

    EXPECT_EQ(weir_tcp_info(world_stack(w, i), c, &info), WEIR_OK);
    return info.fastopen;
}

static void expect_text(struct world *w, size_t i, weir_conn_t c, const char *text)
{
    char got[100] = {0};

    EXPECT_EQ(weir_recv(world_stack(w, i), c, got, sizeof got), (ptrdiff_t)strlen(text));
    EXPECT(strcmp(got, text) == 0);
}

/* A world whose client has a cookie; 10 ms one way. */
static struct pair pair_with(struct world_setup setup, uint32_t queue)
{
    struct pair p;
    weir_conn_t a, b;

    setup.conditions.delay_ns = 10 * WEIR_MS;
    p.w = world_make(&setup);
    p.l = world_listen(p.w, 1, WORLD_PORT, 100);
    EXPECT_EQ(weir_set(world_stack(p.w, 1), p.l, WEIR_OPT_FASTOPEN_QUEUE, queue), WEIR_OK);
    a = connect_with_text(p.w, "first");
    world_run(p.w, 100 * WEIR_MS);
    EXPECT_EQ(weir_accept(world_stack(p.w, 1), p.l, &b), WEIR_OK);
    expect_text(p.w, 1, b, "first");
    EXPECT_EQ(result(p.w, 0, a), WEIR_FASTOPEN_ASKED);
    EXPECT_EQ(result(p.w, 1, b), WEIR_FASTOPEN_NONE);
    weir_abort(world_stack(p.w, 0), a);
    weir_abort(world_stack(p.w, 1), b);
    world_run(p.w, 100 * WEIR_MS);
    world_forgets(p.w);
    return p;
}

static struct pair pair(uint32_t queue)
{
    return pair_with((struct world_setup){0}, queue);
}

TEST(fastopen_answers_in_one_round_trip) /* [RFC7413 3] */
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct pair p = pair_with((struct world_setup){.is_v6 = is_v6}, 5);
        weir_conn_t a = connect_with_text(p.w, "question"), b;
        const struct world_seen *syn;
        world_run(p.w, 11 * WEIR_MS);
        EXPECT_EQ(weir_accept(world_stack(p.w, 1), p.l, &b), WEIR_OK);
        EXPECT_EQ(world_state(p.w, 1, b), WEIR_TCP_SYN_RECEIVED);
        EXPECT_EQ(result(p.w, 1, b), WEIR_FASTOPEN_ACCEPTED);
        expect_text(p.w, 1, b, "question");
        EXPECT_EQ(weir_send(world_stack(p.w, 1), b, "answer", 6, 0), 6);
        world_run(p.w, 10 * WEIR_MS);
        expect_text(p.w, 0, a, "answer");
        EXPECT_EQ(result(p.w, 0, a), WEIR_FASTOPEN_TAKEN);
        syn = world_nth(p.w, 0, TCP_SYN, TCP_SYN, 0);
        EXPECT_EQ(syn->view.text_len, 8);
        EXPECT(syn->view.options_present & TCP_HAS_FASTOPEN);
        world_run(p.w, 20 * WEIR_MS);
        EXPECT_EQ(world_state(p.w, 1, b), WEIR_TCP_ESTABLISHED);
        EXPECT_EQ(world_count(p.w, 1, TCP_SYN, TCP_SYN), 1);
        world_sends(p.w, 0, a, 100000);
        world_sends(p.w, 1, b, 100000);
        world_run(p.w, WEIR_S);
        EXPECT_EQ(world_reads(p.w, 0, a), WEIR_EAGAIN);
        EXPECT_EQ(world_reads(p.w, 1, b), WEIR_EAGAIN);
        EXPECT_EQ(p.w->stacks[0].read + p.w->stacks[1].read, 200000);
        EXPECT_EQ(world_stats(p.w, 1).tcp_retransmits, 0);
        EXPECT_EQ(world_stats(p.w, 0).tcp_retransmits, 0);
    }
}

TEST(fastopen_without_cookies_takes_data_from_anybody)
{
    struct pair p = pair(5);
    struct weir_tcp_config config = *weir_tcp_config(world_stack(p.w, 1));
    weir_conn_t a, b;

    config.fastopen_takes_no_cookie = true;
    EXPECT_EQ(weir_tcp_configure(world_stack(p.w, 1), &config), WEIR_OK);
    config = *weir_tcp_config(world_stack(p.w, 0));
    config.fastopen_servers = 0; /* the cookie is forgotten */
    EXPECT_EQ(weir_tcp_configure(world_stack(p.w, 0), &config), WEIR_OK);
    config.fastopen_sends_no_cookie = true;
    EXPECT_EQ(weir_tcp_configure(world_stack(p.w, 0), &config), WEIR_OK);
    a = connect_with_text(p.w, "question");
    world_run(p.w, 11 * WEIR_MS);
    EXPECT_EQ(weir_accept(world_stack(p.w, 1), p.l, &b), WEIR_OK);
    EXPECT_EQ(result(p.w, 1, b), WEIR_FASTOPEN_ACCEPTED);
    EXPECT(!(world_nth(p.w, 0, TCP_SYN, TCP_SYN, 0)->view.options_present & TCP_HAS_FASTOPEN));
    world_run(p.w, 10 * WEIR_MS);
    EXPECT_EQ(result(p.w, 0, a), WEIR_FASTOPEN_TAKEN);
}

TEST(fastopen_is_nothing_to_a_listener_without_a_queue)
{
    struct world *w = world_make(&(struct world_setup){0});
    weir_listener_t l = world_listen(w, 1, WORLD_PORT, 5);
    weir_conn_t b;

    connect_with_text(w, "text");
    world_settle(w);
    EXPECT(!(world_nth(w, 1, TCP_SYN, TCP_SYN, 0)->view.options_present & TCP_HAS_FASTOPEN));
    EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
    expect_text(w, 1, b, "text");
}

TEST(fastopen_takes_no_more_than_the_queue_at_a_time) /* [RFC7413 4.2.2, 5.1] */
{
    struct pair p = pair(2);
    weir_conn_t a[4], b;

    for (size_t i = 0; i < 4; i++)
        a[i] = connect_with_text(p.w, "text");
    world_run(p.w, 11 * WEIR_MS);
    EXPECT_EQ(world_stats(p.w, 1).connections, 2);
    EXPECT_EQ(world_stats(p.w, 1).half_open, 2);
    world_run(p.w, 100 * WEIR_MS);
    for (size_t i = 0; i < 4; i++) {
        EXPECT_EQ(weir_accept(world_stack(p.w, 1), p.l, &b), WEIR_OK);
        expect_text(p.w, 1, b, "text");
        EXPECT_EQ(result(p.w, 0, a[i]), i < 2 ? WEIR_FASTOPEN_TAKEN : WEIR_FASTOPEN_REFUSED);
    }
    a[0] = connect_with_text(p.w, "text"); /* their handshakes are complete: there is room */
    world_run(p.w, 100 * WEIR_MS);
    EXPECT_EQ(result(p.w, 0, a[0]), WEIR_FASTOPEN_TAKEN);
}

/* A reset in the middle of the handshake, as a victim of spoofing sends it. */
static void reset_one(struct pair *p)
{
    weir_conn_t a = connect_with_text(p->w, "text"), b;
    static struct packet packet;
    struct weir_tcp_info info;
    struct packet_ip ip = {.dst = world_endpoint(p->w, 1, WORLD_PORT)};

    world_run(p->w, 11 * WEIR_MS);
    EXPECT_EQ(weir_accept(world_stack(p->w, 1), p->l, &b), WEIR_OK);
    EXPECT_EQ(weir_local(world_stack(p->w, 0), a, &ip.src), WEIR_OK);
    EXPECT_EQ(weir_tcp_info(world_stack(p->w, 1), b, &info), WEIR_OK);
    packet_make_tcp(&packet, &ip, &(struct packet_tcp){.flags = TCP_RST, .seq = info.rcv_nxt});
    world_injects(p->w, 1, &packet);
    EXPECT_EQ(world_state(p->w, 1, b), WEIR_TCP_CLOSED);
    weir_abort(world_stack(p->w, 0), a);
    world_run(p->w, 100 * WEIR_MS);
}

TEST(fastopen_connections_that_were_reset_take_room_for_a_minute) /* [RFC7413 5.1] */
{
    struct pair p = pair(2);
    weir_conn_t a;

    reset_one(&p);
    reset_one(&p);
    a = connect_with_text(p.w, "text");
    world_run(p.w, 100 * WEIR_MS);
    EXPECT_EQ(result(p.w, 0, a), WEIR_FASTOPEN_REFUSED);
    world_run(p.w, 61 * WEIR_S);
    a = connect_with_text(p.w, "text");
    world_run(p.w, 100 * WEIR_MS);
    EXPECT_EQ(result(p.w, 0, a), WEIR_FASTOPEN_TAKEN);
}

TEST(fastopen_survives_a_change_of_keys)
{
    static const uint8_t keys[3][16] = {{1}, {2}, {3}};
    struct pair p = pair(5);
    weir_conn_t a;

    weir_fastopen_key(world_stack(p.w, 1), keys[0]);
    a = connect_with_text(p.w, "text");
    world_run(p.w, 100 * WEIR_MS);
    EXPECT_EQ(result(p.w, 0, a), WEIR_FASTOPEN_TAKEN); /* and a new cookie came */
    weir_fastopen_key(world_stack(p.w, 1), keys[1]);
    a = connect_with_text(p.w, "text");
    world_run(p.w, 100 * WEIR_MS);
    EXPECT_EQ(result(p.w, 0, a), WEIR_FASTOPEN_TAKEN);
    weir_fastopen_key(world_stack(p.w, 1), keys[0]);
    weir_fastopen_key(world_stack(p.w, 1), keys[2]);
    a = connect_with_text(p.w, "text");
    world_run(p.w, 100 * WEIR_MS);
    EXPECT_EQ(result(p.w, 0, a), WEIR_FASTOPEN_REFUSED); /* two keys later */
    a = connect_with_text(p.w, "text");
    world_run(p.w, 100 * WEIR_MS);
    EXPECT_EQ(result(p.w, 0, a), WEIR_FASTOPEN_TAKEN);
}

TEST(fastopen_has_keys_of_one_listener)
{
    static const uint8_t keys[3][16] = {{1}, {2}, {3}};
    struct pair p = pair(5);
    struct weir *server = world_stack(p.w, 1);
    weir_conn_t a;

    EXPECT_EQ(weir_listener_fastopen_keys(server, p.l, keys, 1), WEIR_OK);
    a = connect_with_text(p.w, "text");
    world_run(p.w, 100 * WEIR_MS);
    EXPECT_EQ(result(p.w, 0, a), WEIR_FASTOPEN_REFUSED); /* its cookie was made with the stack's */
    weir_fastopen_key(server, keys[1]);
    weir_fastopen_key(server, keys[2]); /* which concern it no more */
    a = connect_with_text(p.w, "text");
    world_run(p.w, 100 * WEIR_MS);
    EXPECT_EQ(result(p.w, 0, a), WEIR_FASTOPEN_TAKEN);

    EXPECT_EQ(weir_listener_fastopen_keys(server, p.l, (const uint8_t[2][16]){{4}, {1}}, 2),
              WEIR_OK);
    a = connect_with_text(p.w, "text");
    world_run(p.w, 100 * WEIR_MS);
    EXPECT_EQ(result(p.w, 0, a), WEIR_FASTOPEN_TAKEN);
    EXPECT_EQ(weir_listener_fastopen_keys(server, p.l, NULL, 0), WEIR_OK);
    a = connect_with_text(p.w, "text");
    world_run(p.w, 100 * WEIR_MS);
    EXPECT_EQ(result(p.w, 0, a), WEIR_FASTOPEN_REFUSED);

    EXPECT_EQ(weir_listener_fastopen_keys(server, p.l, keys, 3), WEIR_EINVAL);
    EXPECT_EQ(weir_listener_fastopen_keys(server, a, keys, 1), WEIR_ESTALE);
}

TEST(fastopen_repeats_a_lost_syn_ack_with_what_it_acknowledged)
{
    struct pair p = pair(5);
    weir_conn_t a, b;

    world_drops(p.w, (struct world_drop){
                         .from = 1, .flags_mask = TCP_SYN, .flags = TCP_SYN, .nth = 1, .count = 1});
    a = connect_with_text(p.w, "text");
    world_run(p.w, 1100 * WEIR_MS);
    EXPECT_EQ(weir_accept(world_stack(p.w, 1), p.l, &b), WEIR_OK);
    EXPECT_EQ(world_state(p.w, 1, b), WEIR_TCP_ESTABLISHED);
    EXPECT_EQ(result(p.w, 0, a), WEIR_FASTOPEN_TAKEN);
    expect_text(p.w, 1, b, "text");
    EXPECT_EQ(weir_recv(world_stack(p.w, 1), b, (char[1]){0}, 1), WEIR_EAGAIN); /* only once */
}

TEST(fastopen_data_that_is_lost_arrives_without_fast_open)
{
    struct pair p = pair(5);
    weir_conn_t a, b;

    world_drops(p.w, (struct world_drop){
                         .from = 0, .flags_mask = TCP_SYN, .flags = TCP_SYN, .nth = 1, .count = 1});
    a = connect_with_text(p.w, "text");
    world_run(p.w, 1100 * WEIR_MS);
    EXPECT_EQ(result(p.w, 0, a), WEIR_FASTOPEN_LOST);
    EXPECT_EQ(weir_accept(world_stack(p.w, 1), p.l, &b), WEIR_OK);
    expect_text(p.w, 1, b, "text");
}

TEST(fastopen_connection_may_be_closed_before_its_handshake_is_complete)
{
    for (int how = 0; how < 3; how++) {
        struct pair p = pair(1);
        weir_conn_t a = connect_with_text(p.w, "text"), b;
        world_run(p.w, 11 * WEIR_MS);
        EXPECT_EQ(weir_accept(world_stack(p.w, 1), p.l, &b), WEIR_OK);
        if (how > 0)
            expect_text(p.w, 1, b, "text");
        EXPECT_EQ(how == 2 ? weir_abort(world_stack(p.w, 1), b)
                           : weir_close(world_stack(p.w, 1), b),
                  WEIR_OK);
        weir_close(world_stack(p.w, 0), a);
        world_run(p.w, 100 * WEIR_S);
        EXPECT_EQ(world_stats(p.w, 1).connections, 0);
        a = connect_with_text(p.w, "text"); /* it counts no more */
        world_run(p.w, 100 * WEIR_MS);
        EXPECT_EQ(result(p.w, 0, a), WEIR_FASTOPEN_TAKEN);
    }
}

TEST(fastopen_connections_end_with_their_listener)
{
    struct pair p = pair(5);
    weir_conn_t a = connect_with_text(p.w, "text");

    world_run(p.w, 11 * WEIR_MS);
    EXPECT_EQ(world_stats(p.w, 1).connections, 1);
    EXPECT_EQ(weir_close(world_stack(p.w, 1), p.l), WEIR_OK);
    world_run(p.w, 100 * WEIR_MS);
    EXPECT_EQ(world_stats(p.w, 1).connections, 0);
    EXPECT_EQ(world_state(p.w, 0, a), WEIR_TCP_CLOSED);
}

TEST(fastopen_whose_acknowledgement_never_comes_is_given_up)
{
    struct pair p = pair(1);
    weir_conn_t b;
    int error;

    connect_with_text(p.w, "text");
    world_run(p.w, 11 * WEIR_MS);
    EXPECT_EQ(weir_accept(world_stack(p.w, 1), p.l, &b), WEIR_OK);
    p.w->is_cut = true;
    world_run(p.w, 100 * WEIR_S);
    EXPECT(world_news(p.w, 1, b, &error) & WEIR_EVENT_CLOSED);
    EXPECT_EQ(error, WEIR_ETIMEDOUT);
}

TEST(fastopen_gives_way_to_syn_cookies)
{
    struct weir_config config = world_config();
    struct pair p;
    weir_conn_t a;

    config.tcp.syn_cookies = WEIR_SYN_COOKIES_ON_OVERFLOW;
    config.syn_queue = 1;
    p = pair_with((struct world_setup){.config = &config}, 5);
    world_drops(p.w, (struct world_drop){
                         .from = 1, .flags_mask = TCP_SYN, .flags = TCP_SYN, .nth = 1, .count = 1});
    EXPECT_EQ(weir_connect(world_stack(p.w, 0), NULL,
                           &(struct weir_endpoint){world_addr(p.w, 1), WORLD_PORT, 0}, &a),
              WEIR_OK); /* fills the queue */
    world_run(p.w, 20 * WEIR_MS);
    a = connect_with_text(p.w, "text");
    world_run(p.w, 100 * WEIR_MS);
    EXPECT_EQ(result(p.w, 0, a), WEIR_FASTOPEN_REFUSED);
    EXPECT_EQ(world_stats(p.w, 1).tcp_cookies_taken, 1);
}

TEST(fastopen_without_room_for_a_connection_is_an_ordinary_handshake)
{
    struct weir_config config = world_config();
    struct pair p;
    weir_conn_t a, b, others[2];
    struct weir_endpoint nobody;

    config.connections = 2;
    p = pair_with((struct world_setup){.config = &config}, 5);
    nobody = world_endpoint(p.w, 3, 9);
    for (size_t i = 0; i < 2; i++)
        EXPECT_EQ(weir_connect(world_stack(p.w, 1), NULL, &nobody, &others[i]), WEIR_OK);
    a = connect_with_text(p.w, "text");
    world_run(p.w, 100 * WEIR_MS);
    EXPECT_EQ(result(p.w, 0, a), WEIR_FASTOPEN_REFUSED);
    EXPECT_EQ(weir_abort(world_stack(p.w, 1), others[0]), WEIR_OK);
    world_run(p.w, 2 * WEIR_S);
    EXPECT_EQ(weir_accept(world_stack(p.w, 1), p.l, &b), WEIR_OK);
    expect_text(p.w, 1, b, "text");
}
