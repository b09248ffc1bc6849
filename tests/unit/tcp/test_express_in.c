/* test_express_in.c - which segments are taken in on the short way; that it is the same is in lib/both_ways */
#include "lib/peer.h"
#include "lib/test.h"

/* A connection with two segments of 1000 bytes under way, to which the driver lends its frames. */
static struct peer peer_at_work(void)
{
    struct peer_setup setup = {.options = "mss 1000,sackOK", .lends_frames = true};
    struct peer p = peer_with(TCP_ESTABLISHED, setup);

    peer_writes(&p, 2000);
    peer_skips(&p);
    return p;
}

TEST(express_in_takes_the_next_text_and_new_acknowledgements) /* [RFC9293 3.10.7.4] */
{
    static const struct {
        const char *text;
        bool is_usual;
    } rows[] = {
        {"P. 1:101(100) ack 1", true},
        {". 1:101(100) ack 1001", true},
        {". 1:1(0) ack 2001", true},
        {". 1:1(0) ack 1500 win 7", true},
        {". 1:1(0) ack 1", false},        /* a duplicate */
        {". 1:1(0) ack 2002", false},     /* of what was not sent */
        {". 2:102(100) ack 1001", false}, /* something is missing */
        {". 0:101(101) ack 1001", false}, /* it begins with what there is */
        {"F. 1:101(100) ack 1001", true},
        {"F. 1:1(0) ack 1", true},
        {"F. 2:2(0) ack 1", false},
        {"U. 1:101(100) ack 1001 urg 3", false},
        {"E. 1:101(100) ack 1001", false},
        {"[ce] . 1:101(100) ack 1001", false},
        {". 1:1(0) ack 1 <nop,nop,sack 1001:2001>", false},
        {". 1:101(100) ack 1001 <nop,nop,TS val 5 ecr 6>", false}, /* not agreed on */
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct peer p = peer_at_work();

        peer_sends(&p, rows[i].text);
        if (p.taken_short != rows[i].is_usual)
            FAIL("\"%s\"", rows[i].text);
        tcp_world_end(p.world);
    }
}

TEST(express_in_leaves_acknowledgements_to_recovery_and_takes_text_meanwhile) /* [RFC2018] */
{
    struct peer p = peer_at_work();

    peer_sends(&p, ". 1:1(0) ack 1 <nop,nop,sack 1001:2001>");
    peer_sends(&p, ". 1:101(100) ack 1");
    EXPECT_EQ(p.taken_short, 1);
    peer_sends(&p, ". 101:201(100) ack 2001");
    EXPECT_EQ(p.taken_short, 1);
    EXPECT_EQ(peer_reads(&p, 200), 200);
}

TEST(express_in_leaves_text_that_others_wait_for) /* [RFC9293 SHLD-31] */
{
    struct peer p = peer_at_work();

    peer_sends(&p, ". 101:201(100) ack 1");
    peer_sends(&p, ". 1:101(100) ack 1");
    EXPECT_EQ(p.taken_short, 0);
    EXPECT_EQ(peer_reads(&p, 200), 200);
    peer_sends(&p, ". 201:301(100) ack 1");
    EXPECT_EQ(p.taken_short, 1);
}

TEST(express_in_takes_what_closes_a_connection) /* [RFC9293 3.6] */
{
    static const struct {
        enum tcp_state from;
        const char *text;
        enum tcp_state to;
        bool is_usual;
    } rows[] = {
        {TCP_FIN_WAIT_1, ". 1:1(0) ack 2", TCP_FIN_WAIT_2, true},
        {TCP_FIN_WAIT_1, "F. 1:1(0) ack 1", TCP_CLOSING, true},
        {TCP_FIN_WAIT_1, "F. 1:101(100) ack 2", TCP_TIME_WAIT, true},
        {TCP_FIN_WAIT_2, "P. 1:101(100) ack 2", TCP_FIN_WAIT_2, true},
        {TCP_FIN_WAIT_2, "F. 1:1(0) ack 2", TCP_TIME_WAIT, true},
        {TCP_CLOSING, ". 2:2(0) ack 2", TCP_TIME_WAIT, true},
        {TCP_LAST_ACK, ". 2:2(0) ack 2", TCP_CLOSED, true},
        {TCP_CLOSE_WAIT, ". 2:102(100) ack 1", TCP_CLOSE_WAIT, false},
        {TCP_CLOSE_WAIT, "F. 1:1(0) ack 1", TCP_CLOSE_WAIT, false},
        {TCP_LAST_ACK, "F. 2:2(0) ack 2", TCP_CLOSED, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct peer p = peer_with(rows[i].from, (struct peer_setup){.lends_frames = true});

        p.taken_short = 0;
        peer_sends(&p, rows[i].text);
        if (p.taken_short != rows[i].is_usual || peer_state(&p) != rows[i].to)
            FAIL("\"%s\"", rows[i].text);
        tcp_world_end(p.world);
    }
}

TEST(express_in_leaves_text_that_nobody_will_read) /* [RFC9293 SHLD-3] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    tcp_close(p.conn, p.env);
    peer_sees(&p, "F. 1:1(0) ack 1");
    peer_sends(&p, ". 1:1(0) ack 2");
    EXPECT_EQ(p.taken_short, 1);
    peer_sends(&p, "F. 1:101(100) ack 2");
    EXPECT_EQ(p.taken_short, 1);
    peer_sees(&p, "R 2:2(0)");
}

TEST(express_in_leaves_an_end_behind_which_something_waits) /* [RFC9293 SHLD-31] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_sends(&p, ". 101:201(100) ack 1");
    peer_skips(&p);
    peer_sends(&p, "F. 1:51(50) ack 1");
    EXPECT_EQ(p.taken_short, 0);
    EXPECT(p.conn->state == TCP_CLOSE_WAIT && p.conn->work->reasm == NULL);
}
