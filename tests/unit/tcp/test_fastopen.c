/* test_fastopen.c - TCP Fast Open: the client, and a connection that begins with data */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/fastopen.h"
#include "tcp/pmtu.h"
#include "wire/tcp_options.h"
#include <stdio.h>
#include <string.h>

enum { TEXT = 100 };

static const char *const cookie = "FO 0102030405060708";

/* A new connection in p's world to the same server. */
static struct peer next_of(const struct peer *p)
{
    struct peer next = *p;

    tcp_conn_fini(p->conn, p->env);
    tcp_conn_init(next.conn, next.env);
    next.stage = PEER_NOBODY;
    next.written = next.read = 0;
    EXPECT_EQ(tcp_set(next.conn, next.env, WEIR_OPT_FASTOPEN, 1), WEIR_OK);
    return next;
}

/* The first connection to a server, which answers with these options. */
static struct peer peer_that_met(const char *option)
{
    struct peer p = peer_of(TCP_CLOSED);
    char synack[128];

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_FASTOPEN, 1), WEIR_OK);
    peer_opens(&p);
    peer_writes(&p, TEXT);
    peer_sees(&p, "S 0:0(0) <...>");
    EXPECT_EQ(p.seen_cookie_len, 0); /* a request */
    EXPECT_EQ(p.conn->fastopen, WEIR_FASTOPEN_ASKED);
    snprintf(synack, sizeof synack, "S. 0:0(0) ack 1 <mss 1000%s%s>", option[0] ? "," : "", option);
    EXPECT_EQ(peer_sends(&p, synack), WHY_NONE);
    peer_sees(&p, "P. 1:101(100) ack 1 <...>");
    EXPECT_EQ(peer_state(&p), TCP_ESTABLISHED);
    return next_of(&p);
}

/* The second, with data in its SYN. */
static struct peer peer_with_data(uint32_t len)
{
    struct peer p = peer_that_met(cookie);

    peer_opens(&p);
    peer_writes(&p, len);
    return p;
}

static struct peer peer_with_data_sent(void)
{
    struct peer p = peer_with_data(TEXT);

    peer_sees(&p, "S 0:100(100) <...>");
    EXPECT_EQ(p.seen_cookie_len, 8);
    EXPECT_EQ(p.conn->fastopen, WEIR_FASTOPEN_SENT);
    peer_sees_nothing(&p);
    return p;
}

TEST(fastopen_asks_for_a_cookie_and_uses_it) /* [RFC7413 3] */
{
    struct peer p = peer_with_data_sent();

    EXPECT_EQ(peer_sends(&p, "S. 0:0(0) ack 101 <mss 1000>"), WHY_NONE);
    peer_sees(&p, ". 101:101(0) ack 1 <...>");
    peer_sees_nothing(&p);
    EXPECT_EQ(p.conn->fastopen, WEIR_FASTOPEN_TAKEN);
    EXPECT_EQ(p.conn->bytes_acked, TEXT);
    peer_writes(&p, 10);
    peer_sees(&p, "P. 101:111(10) ack 1 <...>");
}

TEST(fastopen_cookies_of_all_lengths_come_back_as_they_were) /* [RFC7413 4.1.1] */
{
    static const struct {
        const char *option;
        int len;
    } rows[] = {
        {"FO 01020304", 4},
        {"FO 010203040506", 6},
        {"FO 0102030405060708090a0b0c0d0e0f10", 16},
        {"FOEXP 01020304", 4},
        {"FO 01020304050607080910111213141516aabb", 0}, /* none: malformed */
        {"FO 010203", 0},
        {"FO 0102030405", 0},
        {"", 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = peer_that_met(rows[i].option);
        peer_opens(&p);
        peer_writes(&p, TEXT);
        peer_sees(&p, rows[i].len > 0 ? "S 0:100(100) <...>" : "S 0:0(0) <...>");
        EXPECT_EQ(p.seen_cookie_len, rows[i].len);
    }
}

TEST(fastopen_sends_as_much_as_the_server_can_take_and_the_rest_later)
{
    struct peer p = peer_with_data(5000);

    peer_sees(&p, "S 0:960(960) <...>"); /* its MSS without the room for options */
    peer_sends(&p, "S. 0:0(0) ack 961 <mss 1000>");
    peer_sees(&p, ". 961:1961(1000) ack 1 <...>");
    EXPECT_EQ(p.conn->fastopen, WEIR_FASTOPEN_TAKEN);
}

TEST(fastopen_data_that_is_refused_follows_the_handshake) /* [RFC7413 4.2.1] */
{
    struct peer p = peer_with_data_sent();

    peer_sends(&p, "S. 0:0(0) ack 1 <mss 1000>");
    EXPECT_EQ(p.conn->fastopen, WEIR_FASTOPEN_REFUSED);
    peer_sees(&p, "P. 1:101(100) ack 1 <...>");
    peer_sees_nothing(&p);
    peer_sends(&p, ". 1:1(0) ack 101");
    EXPECT_EQ(tcp_flight(p.conn), 0);
}

TEST(fastopen_data_that_is_acknowledged_in_part_is_continued)
{
    struct peer p = peer_with_data_sent();

    peer_sends(&p, "S. 0:0(0) ack 41 <mss 1000>");
    EXPECT_EQ(p.conn->fastopen, WEIR_FASTOPEN_REFUSED);
    peer_sees(&p, "P. 41:101(60) ack 1 <...>");
    peer_sends(&p, ". 1:1(0) ack 101");
    EXPECT_EQ(p.conn->bytes_acked, TEXT);
}

TEST(fastopen_believes_no_acknowledgement_of_more_than_was_sent)
{
    struct peer p = peer_with_data_sent();

    EXPECT_EQ(peer_sends(&p, "S. 0:0(0) ack 102 <mss 1000>"), WHY_TCP_BAD_ACK);
    peer_sees(&p, "R 102:102(0)");
    EXPECT_EQ(peer_state(&p), TCP_SYN_SENT);
}

TEST(fastopen_refused_with_a_new_cookie_keeps_the_new_one)
{
    struct peer p = peer_with_data_sent();

    peer_sends(&p, "S. 0:0(0) ack 1 <mss 1000,FO 0a0b0c0d>");
    peer_sees(&p, "P. 1:101(100) ack 1 <...>");
    p = next_of(&p);
    peer_opens(&p);
    peer_writes(&p, TEXT);
    peer_sees(&p, "S 0:100(100) <...>");
    EXPECT_EQ(p.seen_cookie_len, 4);
}

TEST(fastopen_takes_data_that_comes_with_the_syn_ack) /* [RFC7413 4.2.2] */
{
    struct peer p = peer_with_data_sent();

    peer_sends(&p, "SP. 0:50(50) ack 101 <mss 1000>");
    EXPECT_EQ(peer_reads(&p, 100), 50);
    peer_sees(&p, ". 101:101(0) ack 51 <...>");
}

TEST(fastopen_sends_a_lost_syn_again_without_data_and_option) /* [RFC7413 4.2.1] */
{
    struct peer p = peer_with_data_sent();

    EXPECT_EQ(peer_waits_for_frame(&p), NS_S);
    peer_sees(&p, "S 0:0(0) <...>");
    EXPECT_EQ(p.seen_cookie_len, -1);
    EXPECT_EQ(p.conn->fastopen, WEIR_FASTOPEN_LOST);
    peer_sends(&p, "S. 0:0(0) ack 1 <mss 1000>");
    EXPECT_EQ(p.conn->fastopen, WEIR_FASTOPEN_LOST);
    peer_sees(&p, "P. 1:101(100) ack 1 <...>");
}

TEST(fastopen_data_that_arrived_all_the_same_counts)
{
    struct peer p = peer_with_data_sent();

    peer_waits(&p, NS_S);
    peer_sees(&p, "S 0:0(0) <...>");
    peer_sends(&p, "S. 0:0(0) ack 101 <mss 1000>"); /* only the answer was late */
    EXPECT_EQ(p.conn->fastopen, WEIR_FASTOPEN_TAKEN);
    peer_sees(&p, ". 101:101(0) ack 1 <...>");
    peer_sees_nothing(&p);
}

/* A connection whose SYN with data is lost. */
static struct peer lose_one(struct peer p)
{
    peer_opens(&p);
    peer_writes(&p, TEXT);
    peer_sees(&p, "S 0:100(100) <...>");
    peer_waits(&p, NS_S);
    peer_sees(&p, "S 0:0(0) <...>");
    peer_sends(&p, "S. 0:0(0) ack 1 <mss 1000>");
    peer_sees(&p, "P. 1:101(100) ack 1 <...>");
    return next_of(&p);
}

TEST(fastopen_is_not_tried_for_a_while_where_data_is_lost_twice) /* [RFC7413 4.1.3] */
{
    struct peer p = lose_one(lose_one(peer_that_met(cookie)));

    peer_opens(&p);
    peer_writes(&p, TEXT);
    peer_sees(&p, "S 0:0(0) <...>");
    EXPECT_EQ(p.seen_cookie_len, -1); /* nor is another one asked for */
    p = next_of(&p);
    p.env->now += 120 * NS_S;
    p = lose_one(p);
    p.env->now += 230 * NS_S; /* now it is four minutes */
    peer_opens(&p);
    peer_writes(&p, TEXT);
    peer_sees(&p, "S 0:0(0) <...>");
    p = next_of(&p);
    p.env->now += 10 * NS_S;
    peer_opens(&p);
    peer_writes(&p, TEXT);
    peer_sees(&p, "S 0:100(100) <...>");
    peer_sends(&p, "S. 0:0(0) ack 101 <mss 1000>");
    p = lose_one(next_of(&p)); /* one is none again */
    peer_opens(&p);
    peer_writes(&p, TEXT);
    peer_sees(&p, "S 0:100(100) <...>");
}

/* A connection that begins well and hears nothing more. */
static struct peer be_swallowed(struct peer p)
{
    peer_opens(&p);
    peer_writes(&p, TEXT);
    peer_sees(&p, "S 0:100(100) <...>");
    peer_sends(&p, "S. 0:0(0) ack 101 <mss 1000>");
    peer_writes(&p, TEXT);
    peer_waits(&p, 10 * NS_S);
    peer_skips(&p);
    return next_of(&p);
}

static bool is_tried(struct peer *p)
{
    bool tried;

    peer_opens(p);
    peer_skips_one(p);
    tried = p->seen_cookie_len >= 0;
    *p = next_of(p);
    return tried;
}

TEST(fastopen_is_not_tried_by_anybody_where_the_network_swallows)
{
    struct peer p = be_swallowed(peer_that_met(cookie));

    EXPECT(!is_tried(&p));
    p.env->now += 3500 * NS_S;
    EXPECT(!is_tried(&p));
    p.env->now += 100 * NS_S;
    EXPECT(is_tried(&p));
    p = be_swallowed(p);
    p.env->now += 7100 * NS_S; /* twice as long the second time */
    EXPECT(!is_tried(&p));
    p.env->now += 100 * NS_S;
    EXPECT(is_tried(&p));
}

TEST(fastopen_looks_for_swallowed_data_only_if_it_is_told_to)
{
    struct peer p = peer_that_met(cookie);

    p.env->config.fastopen_off_ns = 0;
    p = be_swallowed(p);
    EXPECT(is_tried(&p));
}

TEST(fastopen_data_may_be_followed_by_an_end)
{
    struct peer p = peer_with_data(TEXT);

    EXPECT_EQ(tcp_shutdown(p.conn, p.env), WEIR_OK);
    peer_sees(&p, "S 0:100(100) <...>");
    peer_sends(&p, "S. 0:0(0) ack 101 <mss 1000>");
    peer_sees(&p, "F. 101:101(0) ack 1 <...>");
    EXPECT_EQ(peer_state(&p), TCP_FIN_WAIT_1);
}

TEST(fastopen_of_both_sides_at_once_sends_the_data_again)
{
    struct peer p = peer_with_data_sent();

    peer_sends(&p, "S 0:0(0) <mss 1000>");
    EXPECT_EQ(peer_state(&p), TCP_SYN_RECEIVED);
    peer_sees(&p, "S. 0:0(0) ack 1 <...>");
    peer_sends(&p, "S. 0:0(0) ack 1 <mss 1000>");
    peer_sees(&p, "P. 1:101(100) ack 1 <...>");
    peer_sends(&p, ". 1:1(0) ack 101");
    EXPECT_EQ(p.conn->bytes_acked, TEXT);
}

TEST(fastopen_of_both_sides_at_once_may_have_taken_the_data)
{
    struct peer p = peer_with_data_sent();

    peer_sends(&p, "S 0:0(0) <mss 1000>");
    peer_sees(&p, "S. 0:0(0) ack 1 <...>");
    EXPECT_EQ(peer_sends(&p, "S. 0:0(0) ack 101 <mss 1000>"), WHY_NONE);
    EXPECT_EQ(p.conn->fastopen, WEIR_FASTOPEN_TAKEN);
    EXPECT_EQ(p.conn->bytes_acked, TEXT);
}

TEST(fastopen_asks_a_server_that_does_not_answer_once_in_the_old_form)
{
    struct peer p = peer_that_met("");

    for (int i = 0; i < 3; i++) {
        peer_opens(&p);
        peer_writes(&p, TEXT);
        peer_sees(&p, "S 0:0(0) <...>");
        EXPECT_EQ(p.seen_cookie_len, 0);
        EXPECT_EQ(p.seen_cookie_is_experimental, i == 0);
        peer_sends(&p, "S. 0:0(0) ack 1 <mss 1000>");
        peer_skips(&p);
        p = next_of(&p);
    }
    peer_opens(&p);
    peer_skips_one(&p);
    peer_sends(&p, "S. 0:0(0) ack 1 <mss 1000,FO 0a0b0c0d>"); /* it has learnt */
    peer_skips(&p);
    p = next_of(&p);
    peer_opens(&p);
    peer_writes(&p, TEXT);
    peer_sees(&p, "S 0:100(100) <...>");
}

TEST(fastopen_sends_data_without_a_cookie_if_it_is_told_to)
{
    struct peer p = peer_that_met("");

    p.env->config.fastopen_sends_no_cookie = true;
    peer_opens(&p);
    peer_writes(&p, 5000);
    peer_sees(&p, "S 0:960(960) <...>"); /* its MSS is known */
    EXPECT_EQ(p.seen_cookie_len, -1);
    peer_sends(&p, "S. 0:0(0) ack 961 <mss 1200,FO 0a0b0c0d>"); /* nobody has asked for it */
    EXPECT_EQ(p.conn->fastopen, WEIR_FASTOPEN_TAKEN);
    peer_skips(&p);
    p = next_of(&p);
    p.env->config.fastopen_sends_no_cookie = false;
    peer_opens(&p);
    peer_writes(&p, TEXT);
    peer_sees(&p, "S 0:0(0) <...>");
    EXPECT_EQ(p.seen_cookie_len, 0);
    p = next_of(&p);
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_FASTOPEN_NO_COOKIE, 1), WEIR_OK);
    peer_opens(&p);
    peer_writes(&p, 5000);
    peer_sees(&p, "S 0:1160(1160) <...>");
}

TEST(fastopen_data_that_is_too_big_for_the_path_follows_the_handshake) /* [RFC7413 4.2.1] */
{
    struct peer p = peer_with_data_sent();

    tcp_set_pmtu(p.conn, p.env, 600);
    peer_sees(&p, "S 0:0(0) <...>");
    EXPECT_EQ(p.seen_cookie_len, -1);
    EXPECT_EQ(p.conn->agreed.rcv_mss, 560);
    peer_sends(&p, "S. 0:0(0) ack 1 <mss 1000>");
    peer_sees(&p, "P. 1:101(100) ack 1 <...>");
    tcp_set_pmtu(p.conn, p.env, 500); /* there is no SYN any more */
    EXPECT_EQ(p.conn->agreed.rcv_mss, 560);
}

TEST(fastopen_data_that_goes_again_is_no_short_segment_to_nagle)
{
    struct peer p = peer_with_data_sent();

    peer_sends(&p, "S. 0:0(0) ack 1 <mss 1000>");
    peer_sees(&p, "P. 1:101(100) ack 1 <...>");
    peer_writes(&p, 10);
    peer_sees(&p, "P. 101:111(10) ack 1 <...>");
    peer_writes(&p, 10);
    peer_sees_nothing(&p);
}

TEST(fastopen_is_off_unless_the_application_wants_it)
{
    struct peer p = peer_that_met(cookie);

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_FASTOPEN, 0), WEIR_OK);
    peer_opens(&p);
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_FASTOPEN, 1), WEIR_ESTATE);
    peer_writes(&p, TEXT);
    peer_sees(&p, "S 0:0(0) <...>");
    EXPECT_EQ(p.seen_cookie_len, -1);
    EXPECT_EQ(p.conn->fastopen, WEIR_FASTOPEN_NONE);
    peer_sends(&p, "S. 0:0(0) ack 1 <mss 1000,FO 0a0b0c0d>"); /* not asked for */
    EXPECT_EQ(p.env->fastopen.entries.used, 1);
}

TEST(fastopen_remembers_so_many_servers_and_forgets_the_oldest)
{
    struct peer p = peer_of(TCP_CLOSED);

    for (uint8_t i = 0; i < 20; i++) {
        p = next_of(&p);
        p.tuple.remote_addr.b[15] = i;
        peer_opens(&p);
        peer_skips_one(&p);
        peer_sends(&p, "S. 0:0(0) ack 1 <mss 1000,FO 0a0b0c0d>");
        peer_skips(&p);
        EXPECT_EQ(p.env->fastopen.entries.used, i < 4 ? i + 1 : 4);
    }
    for (uint8_t i = 0; i < 20; i++) {
        p = next_of(&p);
        p.tuple.remote_addr.b[15] = i;
        peer_opens(&p);
        peer_skips_one(&p);
        EXPECT_EQ(p.seen_cookie_len, i < 16 ? 0 : 4);
    }
}

TEST(fastopen_without_memory_is_an_ordinary_handshake)
{
    struct peer p = peer_of(TCP_CLOSED);

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_FASTOPEN, 1), WEIR_OK);
    peer_opens(&p);
    peer_skips(&p);
    p.world->alloc.fail_at = p.world->alloc.calls + 1;
    p.world->alloc.fails_from_then = true;
    peer_sends(&p, "S. 0:0(0) ack 1 <mss 1000,FO 0a0b0c0d>");
    EXPECT_EQ(peer_state(&p), TCP_ESTABLISHED);
    EXPECT_EQ(p.env->fastopen.entries.used, 0);
}

/* ---- the server ---- */

static struct tcp_options given_cookie(const struct peer *p, uint8_t bytes[FASTOPEN_COOKIE_LEN])
{
    struct tcp_options given = {0};

    fastopen_make_cookie(p->env, NULL, &p->tuple, bytes);
    fastopen_give(bytes, false, &given);
    return given;
}

static struct tcp_options with_cookie(struct span bytes)
{
    return (struct tcp_options){.present = TCP_HAS_FASTOPEN, .fastopen = bytes};
}

static enum fastopen_ask asked(const struct peer *p, const struct tcp_tuple *tuple,
                               const struct tcp_options *options)
{
    struct tcp_seg syn = {.flags = TCP_SYN, .opt = *options};

    return fastopen_check(p->env, NULL, tuple, p->conn->user, &syn);
}

TEST(fastopen_gives_cookies_that_only_their_client_can_use) /* [RFC7413 4.1.2] */
{
    struct peer p = peer_of(TCP_CLOSED);
    struct tcp_tuple other = p.tuple;
    uint8_t bytes[FASTOPEN_COOKIE_LEN], wrong[16] = {0};
    struct tcp_options given = given_cookie(&p, bytes), ask;

    EXPECT_EQ(given.fastopen.len, FASTOPEN_COOKIE_LEN);
    EXPECT_EQ(asked(&p, &p.tuple, &given), FASTOPEN_GOOD);
    ask = (struct tcp_options){0};
    EXPECT_EQ(asked(&p, &p.tuple, &ask), FASTOPEN_NO);
    ask = with_cookie(span_none());
    EXPECT_EQ(asked(&p, &p.tuple, &ask), FASTOPEN_REQUEST);
    for (size_t len = 4; len <= 16; len += 2) {
        ask = with_cookie(span_of(wrong, len));
        EXPECT_EQ(asked(&p, &p.tuple, &ask), FASTOPEN_REQUEST);
    }
    for (size_t i = 0; i < FASTOPEN_COOKIE_LEN; i++) {
        memcpy(wrong, bytes, sizeof bytes);
        wrong[i] ^= 1;
        ask = with_cookie(span_of(wrong, FASTOPEN_COOKIE_LEN));
        EXPECT_EQ(asked(&p, &p.tuple, &ask), FASTOPEN_REQUEST);
    }
    other.remote_addr.b[15]++;
    EXPECT_EQ(asked(&p, &other, &given), FASTOPEN_REQUEST);
    other = p.tuple;
    other.remote_port++; /* any connection of that client */
    EXPECT_EQ(asked(&p, &other, &given), FASTOPEN_GOOD);
}

TEST(fastopen_takes_cookies_of_the_last_key_and_of_no_earlier_one)
{
    struct peer p = peer_of(TCP_CLOSED);
    uint8_t bytes[FASTOPEN_COOKIE_LEN];
    struct tcp_options given = given_cookie(&p, bytes);

    fastopen_set_key(&p.env->fastopen, (struct siphash_key){7, 7});
    EXPECT_EQ(asked(&p, &p.tuple, &given), FASTOPEN_GOOD_STILL);
    fastopen_set_key(&p.env->fastopen, (struct siphash_key){8, 8});
    EXPECT_EQ(asked(&p, &p.tuple, &given), FASTOPEN_REQUEST);
}

TEST(fastopen_leaves_a_cookie_out_that_does_not_fit)
{
    static const uint8_t digest[16], bytes[FASTOPEN_COOKIE_LEN];
    struct tcp_options o = {.present = TCP_HAS_MSS | TCP_HAS_TIMESTAMPS | TCP_HAS_MD5,
                            .md5 = span_of(digest, sizeof digest)};

    fastopen_give(bytes, false, &o);
    EXPECT(!(o.present & TCP_HAS_FASTOPEN));
}
