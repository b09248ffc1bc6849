/* test_express.c - which segments go out the short way; that they are the same is in lib/both_ways */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/express.h"

/* Takes what is sent; returns how many of the segments went the short way. */
static size_t sent_short(struct peer *p, size_t *all)
{
    p->sent_short = 0;
    *all = peer_skips(p);
    return p->sent_short;
}

static void expect_short(struct peer *p, size_t few, size_t all)
{
    size_t sent;

    EXPECT_EQ(sent_short(p, &sent), few);
    EXPECT_EQ(sent, all);
}

static struct peer peer_of_1000(void)
{
    return peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000,sackOK"});
}

TEST(express_takes_text_that_goes_all_at_once)
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 10);
    expect_short(&p, 1, 1);
    peer_sends(&p, ". 1:1(0) ack 11");
    peer_writes(&p, 1000);
    expect_short(&p, 1, 1);
    peer_writes(&p, 1000); /* the other one is still under way */
    expect_short(&p, 1, 1);
    peer_sends(&p, ". 1:1(0) ack 2011");
    peer_writes(&p, 2000); /* two: the last is all that is left */
    expect_short(&p, 1, 2);
}

TEST(express_takes_an_acknowledgement)
{
    struct peer p = peer_of_1000();

    peer_sends(&p, ". 1:1001(1000) ack 1");
    peer_sends(&p, ". 1001:2001(1000) ack 1");
    expect_short(&p, 1, 1);
}

TEST(express_leaves_what_has_more_to_say)
{
    struct peer p = peer_of_1000();

    peer_sends(&p, ". 1001:2001(1000) ack 1"); /* a duplicate, with SACK */
    expect_short(&p, 0, 1);
    peer_sends(&p, ". 1:1001(1000) ack 1");
    expect_short(&p, 1, 1);
}

static bool is_silent(const struct peer *p)
{
    return express_is_silent(p->conn) && express_note_silence(p->conn, p->env);
}

TEST(express_knows_when_there_is_nothing_to_send)
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 10);
    EXPECT(!is_silent(&p));
    expect_short(&p, 1, 1);
    EXPECT(!is_silent(&p)); /* it is under way */
    peer_sends(&p, ". 1:1(0) ack 11");
    EXPECT(is_silent(&p));
    EXPECT(p.conn->work->deadline_at[TIMER_REST] != NEVER);
    peer_sees_nothing(&p);
    peer_sends(&p, ". 1:1001(1000) ack 11"); /* to be read and acknowledged */
    EXPECT(!is_silent(&p));
    p.conn->work->keepalive_owed = true;
    p.conn->work->ack_owed = false;
    p.conn->events = 0;
    EXPECT(!is_silent(&p));
}

TEST(express_says_nothing_between_our_fin_and_the_peers)
{
    struct peer p = peer_of_1000();

    EXPECT_EQ(tcp_shutdown(p.conn, p.env), WEIR_OK);
    EXPECT(!is_silent(&p));
    expect_short(&p, 1, 1);
    peer_sends(&p, ". 1:1(0) ack 2");
    EXPECT(p.conn->state == TCP_FIN_WAIT_2);
    EXPECT(is_silent(&p));
    peer_sees_nothing(&p);
}

TEST(express_takes_a_fin_that_is_the_end)
{
    struct peer p = peer_of_1000();

    EXPECT_EQ(tcp_shutdown(p.conn, p.env), WEIR_OK);
    expect_short(&p, 1, 1);
}

TEST(express_takes_a_fin_with_text_that_would_wait_otherwise)
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 10);
    expect_short(&p, 1, 1);
    peer_writes(&p, 10); /* Nagle */
    expect_short(&p, 0, 0);
    EXPECT_EQ(tcp_shutdown(p.conn, p.env), WEIR_OK);
    expect_short(&p, 1, 1);
    peer_sends(&p, ". 1:101(100) ack 11");
    peer_sends(&p, ". 101:1101(1000) ack 11");
    expect_short(&p, 0, 1); /* behind the FIN */
}

TEST(express_takes_a_fin_that_answers_one)
{
    struct peer p = peer_of_1000();

    peer_sends(&p, "F. 1:1(0) ack 1");
    expect_short(&p, 1, 1);
    EXPECT_EQ(tcp_shutdown(p.conn, p.env), WEIR_OK);
    expect_short(&p, 1, 1);
    EXPECT_EQ(peer_state(&p), TCP_LAST_ACK);
}

TEST(express_leaves_a_fin_that_the_window_does_not_take)
{
    struct peer p = peer_of_1000();

    peer_sends(&p, ". 1:1(0) ack 1 win 10");
    peer_writes(&p, 10);
    EXPECT_EQ(tcp_shutdown(p.conn, p.env), WEIR_OK);
    expect_short(&p, 0, 1);
    peer_sends(&p, ". 1:1(0) ack 11 win 10");
    expect_short(&p, 1, 1);
}

TEST(express_leaves_text_that_has_to_wait)
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 10);
    expect_short(&p, 1, 1);
    peer_writes(&p, 10); /* Nagle */
    expect_short(&p, 0, 0);
    peer_sends(&p, ". 1:1(0) ack 11 win 5");
    expect_short(&p, 0, 0);
    peer_sends(&p, ". 1:1(0) ack 11 win 500");
    expect_short(&p, 1, 1);
    peer_sends(&p, ". 1:1(0) ack 21");
    peer_writes_flagged(&p, 10, WEIR_SEND_MORE);
    expect_short(&p, 0, 0);
}

TEST(express_leaves_what_has_been_lost)
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 1000);
    expect_short(&p, 1, 1);
    (void)peer_waits_for_frame(&p);
    expect_short(&p, 0, 1);
}

TEST(express_takes_what_goes_in_bulk)
{
    struct peer p = peer_of_1000();

    p.gso_bytes = 5500; /* five segments */
    peer_writes(&p, 12300);
    expect_short(&p, 2, 2); /* the initial window has ten */
    EXPECT_EQ(p.conn->snd.nxt.raw - p.conn->snd.una.raw, 10000);
    peer_sends(&p, ". 1:1(0) ack 10001");
    expect_short(&p, 1, 1); /* with what is less than a segment */
    EXPECT_EQ(p.conn->snd.nxt.raw - p.conn->snd.una.raw, 2300);
    peer_writes(&p, 3300); /* a short one is under way: Nagle */
    expect_short(&p, 1, 1);
    EXPECT_EQ(p.conn->snd.nxt.raw - p.conn->snd.una.raw, 5300);
}

TEST(express_leaves_what_goes_in_bulk_after_a_loss_or_with_a_fin)
{
    struct peer p = peer_of_1000();
    size_t all;

    p.gso_bytes = 5500;
    peer_writes(&p, 4000);
    expect_short(&p, 1, 1);
    (void)peer_waits_for_frame(&p);
    peer_writes(&p, 4000);
    EXPECT_EQ(sent_short(&p, &all), 0);
    p = peer_of_1000();
    p.gso_bytes = 5500;
    peer_writes(&p, 4000);
    EXPECT_EQ(tcp_shutdown(p.conn, p.env), WEIR_OK);
    EXPECT_EQ(sent_short(&p, &all), 0);
}
