/* test_sack.c - selective acknowledgements, as a receiver and as a sender */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/sack.h"
#include "tcp/tstamp.h"
#include <stdio.h>

static struct peer peer_with_sack(void)
{
    return peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 500,sackOK"});
}

TEST(sack_is_agreed_on_only_if_both_permit_it) /* [RFC2018 2] */
{
    struct peer p = peer_with_sack();

    EXPECT(p.conn->agreed.sack_ok);
    p = peer_of(TCP_ESTABLISHED);
    EXPECT(!p.conn->agreed.sack_ok);
    p = peer_of(TCP_CLOSED);
    p.env->config.sack = false;
    p.setup.options = "mss 500,sackOK";
    peer_brings_to(&p, TCP_ESTABLISHED);
    EXPECT(!p.conn->agreed.sack_ok);
}

/* ---- as a receiver ---- */

/* Eight segments of 500 bytes, numbered from 5000, the first of which is lost. */
TEST(sack_tells_of_one_growing_block) /* [RFC2018 8, case 1 and 2] */
{
    struct peer p = peer_with_sack();

    for (unsigned i = 1; i < 8; i++) {
        char text[80];
        snprintf(text, sizeof text, ". %u:%u(500) ack 1", i * 500 + 1, i * 500 + 501);
        peer_sends(&p, text);
        snprintf(text, sizeof text, ". 1:1(0) ack 1 <nop,nop,sack 501:%u>", i * 500 + 501);
        peer_sees(&p, text);
        peer_sees_nothing(&p);
    }
}

/* Every other segment is lost: the newest block first, then those before it. */
TEST(sack_tells_of_the_newest_blocks_first) /* [RFC2018 8, case 3] */
{
    struct peer p = peer_with_sack();

    peer_sends(&p, ". 501:1001(500) ack 1");
    peer_sees(&p, ". 1:1(0) ack 1 <nop,nop,sack 501:1001>");
    peer_sends(&p, ". 1501:2001(500) ack 1");
    peer_sees(&p, ". 1:1(0) ack 1 <nop,nop,sack 1501:2001 501:1001>");
    peer_sends(&p, ". 2501:3001(500) ack 1");
    peer_sees(&p, ". 1:1(0) ack 1 <nop,nop,sack 2501:3001 1501:2001 501:1001>");
    peer_sends(&p, ". 3501:4001(500) ack 1");
    peer_sees(&p, ". 1:1(0) ack 1 <nop,nop,sack 3501:4001 2501:3001 1501:2001 501:1001>");
    peer_sends(&p, ". 2001:2501(500) ack 1"); /* joins two */
    peer_sees(&p, ". 1:1(0) ack 1 <nop,nop,sack 1501:3001 3501:4001 501:1001>");
    peer_sends(&p, ". 1:501(500) ack 1");
    peer_sees(&p, ". 1:1(0) ack 1001 <nop,nop,sack 1501:3001 3501:4001>");
}

/* Of five blocks the one that was reported longest ago is left out. */
TEST(sack_leaves_out_the_oldest_of_five_blocks) /* [RFC2018 4] */
{
    struct peer p = peer_with_sack();
    char text[80];

    for (unsigned i = 1; i < 8; i += 2) {
        snprintf(text, sizeof text, ". %u:%u(500) ack 1", i * 500 + 1, i * 500 + 501);
        peer_sends(&p, text);
        peer_sees(&p, ". 1:1(0) ack 1 <...>");
    }
    peer_sends(&p, ". 4501:5001(500) ack 1");
    peer_sees(&p, ". 1:1(0) ack 1 <nop,nop,sack 4501:5001 3501:4001 2501:3001 1501:2001>");
}

TEST(sack_leaves_room_for_timestamps) /* [RFC2018 3] */
{
    struct peer p =
        peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 500,sackOK,TS val 1 ecr 0"});
    char text[120];

    for (unsigned i = 1; i < 10; i += 2) {
        snprintf(text, sizeof text, ". %u:%u(500) ack 1 <nop,nop,TS val 1 ecr 0>", i * 500 + 1,
                 i * 500 + 501);
        peer_sends(&p, text);
    }
    snprintf(text, sizeof text,
             ". 1:1(0) ack 1 <nop,nop,TS val %u ecr 1,nop,nop,"
             "sack 4501:5001 3501:4001 2501:3001>",
             tstamp_clock(p.env->now, p.conn->ts.offset));
    peer_sees(&p, text);
}

TEST(sack_makes_segments_with_text_shorter) /* [RFC2018 3] */
{
    struct peer p = peer_with_sack();

    peer_sends(&p, ". 501:1001(500) ack 1");
    peer_skips(&p);
    peer_writes(&p, 1000);
    peer_sees(&p, ". 1:489(488) ack 1 <nop,nop,sack 501:1001>");
    peer_sees(&p, ". 489:977(488) ack 1 <nop,nop,sack 501:1001>");
    peer_sees(&p, "P. 977:1001(24) ack 1 <nop,nop,sack 501:1001>");
}

TEST(sack_reports_what_arrived_twice_once) /* [RFC2883 4.1] */
{
    struct peer p = peer_with_sack();

    peer_sends(&p, ". 1:501(500) ack 1");
    peer_skips(&p);
    peer_sends(&p, ". 1:501(500) ack 1");
    peer_sees(&p, ". 1:1(0) ack 501 <nop,nop,sack 1:501>");
    peer_sends(&p, ". 501:1001(500) ack 1");
    peer_sees(&p, ". 1:1(0) ack 1001");
}

TEST(sack_reports_a_part_that_arrived_twice) /* [RFC2883 4.2.2] */
{
    struct peer p = peer_with_sack();

    peer_sends(&p, ". 1:501(500) ack 1");
    peer_skips(&p);
    peer_sends(&p, ". 1:1001(1000) ack 1");
    peer_sees(&p, ". 1:1(0) ack 1001 <nop,nop,sack 1:501>");
}

TEST(sack_reports_a_duplicate_before_the_block_it_is_in) /* [RFC2883 4.2.1] */
{
    struct peer p = peer_with_sack();

    peer_sends(&p, ". 501:1501(1000) ack 1");
    peer_sends(&p, ". 2001:2501(500) ack 1");
    peer_skips(&p);
    peer_sends(&p, ". 501:1001(500) ack 1");
    peer_sees(&p, ". 1:1(0) ack 1 <nop,nop,sack 501:1001 501:1501 2001:2501>");
    peer_sends(&p, ". 3001:3501(500) ack 1");
    peer_sees(&p, ". 1:1(0) ack 1 <nop,nop,sack 3001:3501 501:1501 2001:2501>");
}

/* ---- as a sender ---- */

static struct peer peer_with_ten_under_way(void)
{
    struct peer p = peer_with_sack();

    peer_writes(&p, 20000);
    EXPECT_EQ(peer_skips(&p), 10);
    return p;
}

TEST(sack_blocks_that_make_no_sense_are_passed_over)
{
    struct peer p = peer_with_ten_under_way();

    peer_sends(&p, ". 1:1(0) ack 1 <nop,nop,sack 1001:1001>");
    peer_sends(&p, ". 1:1(0) ack 1 <nop,nop,sack 2001:1001>");
    peer_sends(&p, ". 1:1(0) ack 1 <nop,nop,sack 4501:5501>");
    peer_sends(&p, ". 1:1(0) ack 1 <nop,nop,sack 2147483000:2147484000>");
    EXPECT_EQ(p.conn->work->scoreboard.sacked_bytes, 0);
    EXPECT_EQ(p.conn->work->dsacks_in, 0);
    peer_sends(&p, ". 1:1(0) ack 1 <nop,nop,sack 1001:2001 5001:6001 501:1001>");
    EXPECT_EQ(p.conn->work->scoreboard.sacked_bytes, 1500);
    tcp_conn_check(p.conn);
}

TEST(sack_tells_duplicates_from_news) /* [RFC2883 4] [RFC3708] */
{
    struct peer p = peer_with_ten_under_way();

    peer_sends(&p, ". 1:1(0) ack 1001 <nop,nop,sack 1:501>"); /* below */
    EXPECT_EQ(p.conn->work->dsacks_in, 1);
    EXPECT_EQ(p.conn->work->scoreboard.sacked_bytes, 0);
    peer_sends(&p, ". 1:1(0) ack 1001 <nop,nop,sack 2001:2501 1501:3001>"); /* within */
    EXPECT_EQ(p.conn->work->dsacks_in, 2);
    EXPECT_EQ(p.conn->work->scoreboard.sacked_bytes, 1500);
    peer_sends(&p, ". 1:1(0) ack 1001 <nop,nop,sack 3001:3501 1501:3001>"); /* neither */
    EXPECT_EQ(p.conn->work->dsacks_in, 2);
    EXPECT_EQ(p.conn->work->scoreboard.sacked_bytes, 2000);
}

TEST(sack_without_agreement_does_not_count)
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 500"});

    peer_writes(&p, 5000);
    peer_skips(&p);
    peer_sends(&p, ". 1:1(0) ack 1 <nop,nop,sack 1001:2001>");
    EXPECT_EQ(p.conn->work->scoreboard.sacked_bytes, 0);
}

TEST(sack_that_the_peer_takes_back_is_survived) /* [RFC2018 8] */
{
    struct peer p = peer_with_ten_under_way();
    int sent = 0;

    peer_sends(&p, ". 1:1(0) ack 1 <nop,nop,sack 501:5001>");
    peer_skips(&p);
    peer_sends(&p, ". 1:1(0) ack 501"); /* the second to tenth have gone */
    peer_skips(&p);
    for (unsigned una = 501; una < 20001; una += 500, sent++) {
        char text[64];
        if (peer_waits_for_frame(&p) == NEVER)
            break;
        peer_skips(&p);
        snprintf(text, sizeof text, ". 1:1(0) ack %u", una + 500);
        peer_sends(&p, text);
        peer_skips(&p);
    }
    EXPECT_EQ(tcp_flight(p.conn), 0);
    EXPECT_EQ(p.conn->work->sendq.bytes, 0);
}
