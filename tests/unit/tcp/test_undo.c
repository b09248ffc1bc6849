/* test_undo.c - recoveries and timeouts that turn out not to have been needed */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/recovery.h"
#include "tcp/tstamp.h"
#include "tcp/undo.h"
#include <stdio.h>

static struct peer peer_with_ten(const char *options)
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = options});

    peer_writes(&p, 40000);
    peer_skips(&p);
    EXPECT_EQ(tcp_flight(p.conn), 10 * p.conn->work->cc.mss);
    peer_waits(&p, 100 * NS_MS);
    return p;
}

static struct peer peer_with_sack(void)
{
    return peer_with_ten("mss 1000,sackOK");
}

static const struct tcp_work *work_of(const struct peer *p)
{
    return p->conn->work;
}

static void expect_undone(const struct peer *p)
{
    EXPECT_EQ(work_of(p)->undone, 1);
    EXPECT_EQ(work_of(p)->recovery.state, RECOVERY_OPEN);
    EXPECT_EQ(work_of(p)->cc.ssthresh, UINT32_MAX);
    EXPECT(work_of(p)->cc.cwnd >= 10000);
    EXPECT_EQ(work_of(p)->scoreboard.lost_bytes, 0);
}

/* ---- D-SACK [RFC3708] ---- */

TEST(undo_follows_when_all_that_was_sent_again_arrived_twice)
{
    struct peer p = peer_with_sack();

    peer_sends(&p, ". 1:1(0) ack 1 <nop,nop,sack 2001:8001>"); /* 0 and 1 are late */
    EXPECT_EQ(work_of(&p)->recovery.state, RECOVERY_FAST);
    peer_skips(&p);
    peer_sends(&p, ". 1:1(0) ack 5001");
    peer_skips(&p);
    EXPECT_EQ(p.conn->retransmits, 2);
    EXPECT_EQ(work_of(&p)->undone, 0);
    peer_sends(&p, ". 1:1(0) ack 5001 <nop,nop,sack 1:1001>");
    EXPECT_EQ(work_of(&p)->undone, 0); /* one of two */
    peer_sends(&p, ". 1:1(0) ack 5001 <nop,nop,sack 1001:2001>");
    expect_undone(&p);
    EXPECT_EQ(work_of(&p)->dsacks_in, 2);
}

TEST(undo_comes_after_the_end_of_recovery_as_well)
{
    struct peer p = peer_with_sack();

    peer_sends(&p, ". 1:1(0) ack 1 <nop,nop,sack 1001:4001>");
    peer_skips(&p);
    peer_sends(&p, ". 1:1(0) ack 10001");
    EXPECT_EQ(work_of(&p)->recovery.state, RECOVERY_OPEN);
    EXPECT(work_of(&p)->cc.ssthresh < 10000);
    peer_skips(&p);
    peer_sends(&p, ". 1:1(0) ack 10001 <nop,nop,sack 1:1001>");
    EXPECT_EQ(work_of(&p)->undone, 1);
    EXPECT_EQ(work_of(&p)->cc.ssthresh, UINT32_MAX);
}

TEST(undo_does_not_follow_from_a_duplicate_from_before_the_recovery)
{
    struct peer p = peer_with_sack();

    peer_sends(&p, ". 1:1(0) ack 2001");
    peer_skips(&p);
    peer_sends(&p, ". 1:1(0) ack 2001 <nop,nop,sack 3001:6001>");
    peer_skips(&p);
    peer_sends(&p, ". 1:1(0) ack 2001 <nop,nop,sack 1:1001 3001:6001>");
    EXPECT_EQ(work_of(&p)->undone, 0);
}

TEST(undo_follows_when_nothing_had_to_be_sent_again)
{
    struct peer p = peer_with_sack();

    peer_sends(&p, ". 1:1(0) ack 1 <nop,nop,sack 1001:4001>"); /* and before anything is sent */
    EXPECT_EQ(work_of(&p)->recovery.state, RECOVERY_FAST);
    peer_sends(&p, ". 1:1(0) ack 10001");
    EXPECT_EQ(p.conn->retransmits, 0);
    expect_undone(&p);
}

/* ---- Eifel [RFC3522, RFC4015] ---- */

/* An acknowledgement that echoes what the clock said age_ms ago. */
static void acks_with_echo(struct peer *p, const char *what, unsigned age_ms, const char *more)
{
    char text[160];
    uint32_t now = tstamp_clock(p->env->now, p->conn->ts.offset);

    snprintf(text, sizeof text, ". 1:1(0) %s <nop,nop,TS val 1000 ecr %u%s>", what, now - age_ms,
             more);
    EXPECT_EQ(peer_sends(p, text), WHY_NONE);
}

static struct peer peer_with_timestamps(void)
{
    return peer_with_ten("mss 1012,sackOK,TS val 1000 ecr 0");
}

TEST(undo_follows_from_an_echo_older_than_what_was_sent_again) /* [RFC3522 3.2] */
{
    struct peer p = peer_with_timestamps();

    acks_with_echo(&p, "ack 1", 100, ",nop,nop,sack 1001:4001");
    EXPECT_EQ(work_of(&p)->recovery.state, RECOVERY_FAST);
    EXPECT(peer_skips(&p) > 0);
    peer_waits(&p, 10 * NS_MS);
    acks_with_echo(&p, "ack 4001", 110, "");
    expect_undone(&p);
}

/*
 * Two are sent again, 5 ms apart, and a receiver acknowledges both at once with the echo of the first:
 * that is not from before the first was sent again.
 */
TEST(undo_does_not_follow_from_the_echo_of_another_segment_that_was_sent_again) /* [RFC3522 3.2] */
{
    struct peer p = peer_with_timestamps();

    acks_with_echo(&p, "ack 1", 100, ",nop,nop,sack 2001:5001");
    EXPECT_EQ(work_of(&p)->recovery.state, RECOVERY_FAST);
    EXPECT_EQ(peer_skips(&p), 1);
    peer_waits(&p, 5 * NS_MS);
    acks_with_echo(&p, "ack 1", 105, ",nop,nop,sack 2001:10001");
    EXPECT(peer_skips(&p) > 0);
    EXPECT_EQ(work_of(&p)->scoreboard.lost_bytes, 0);
    peer_waits(&p, 100 * NS_MS);
    acks_with_echo(&p, "ack 10001", 105, "");
    EXPECT_EQ(work_of(&p)->undone, 0);
}

TEST(undo_does_not_follow_from_an_echo_of_what_was_sent_again)
{
    struct peer p = peer_with_timestamps();

    acks_with_echo(&p, "ack 1", 100, ",nop,nop,sack 1001:4001");
    peer_skips(&p);
    peer_waits(&p, 100 * NS_MS);
    acks_with_echo(&p, "ack 4001", 100, "");
    EXPECT_EQ(work_of(&p)->undone, 0);
    EXPECT(work_of(&p)->cc.ssthresh < 10000);
}

TEST(undo_of_a_timeout_follows_from_an_early_echo) /* [RFC4015 3] */
{
    struct peer p = peer_with(TCP_ESTABLISHED,
                              (struct peer_setup){.options = "mss 1012,sackOK,TS val 1000 ecr 0"});

    p.env->config.tail_loss_probe = false;
    peer_writes(&p, 10000);
    peer_skips(&p);
    peer_waits_for_frame(&p);
    peer_skips(&p);
    EXPECT_EQ(work_of(&p)->recovery.state, RECOVERY_RTO);
    peer_waits(&p, 10 * NS_MS);
    acks_with_echo(&p, "ack 1001", 310, "");
    EXPECT_EQ(work_of(&p)->undone, 1);
    EXPECT_EQ(work_of(&p)->scoreboard.lost_bytes, 0);
    EXPECT(work_of(&p)->cc.cwnd >= 10000);
}

/* ---- F-RTO [RFC5682] ---- */

static struct peer peer_after_a_timeout(const char *options)
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = options});

    p.env->config.tail_loss_probe = false;
    peer_writes(&p, 40000);
    EXPECT_EQ(peer_skips(&p), 10);
    peer_waits_for_frame(&p);
    peer_sees(&p, ". 1:1001(1000) ack 1");
    peer_sees_nothing(&p);
    EXPECT_EQ(work_of(&p)->cc.cwnd, 1000);
    return p;
}

TEST(undo_of_a_timeout_follows_from_two_acknowledgements_of_new_data) /* [RFC5682 2.1] */
{
    struct peer p = peer_after_a_timeout("mss 1000");

    peer_sends(&p, ". 1:1(0) ack 1001");
    peer_sees(&p, ". 10001:11001(1000) ack 1"); /* new data, although much counts as lost */
    peer_sees(&p, ". 11001:12001(1000) ack 1");
    peer_sees_nothing(&p);
    peer_sends(&p, ". 1:1(0) ack 2001"); /* which was sent only once */
    expect_undone(&p);
    EXPECT_EQ(p.conn->retransmits, 1);
}

TEST(undo_of_a_timeout_does_not_follow_if_a_duplicate_comes) /* [RFC5682 2.1, 3 (a)] */
{
    struct peer p = peer_after_a_timeout("mss 1000");

    peer_sends(&p, ". 1:1(0) ack 1001");
    peer_skips(&p);
    peer_sends(&p, ". 1:1(0) ack 1001");
    EXPECT_EQ(work_of(&p)->undone, 0);
    peer_sends(&p, ". 1:1(0) ack 1001");
    peer_sends(&p, ". 1:1(0) ack 2001");
    EXPECT_EQ(work_of(&p)->undone, 0);
    EXPECT_EQ(work_of(&p)->recovery.state, RECOVERY_RTO);
    EXPECT_EQ(work_of(&p)->cc.ssthresh, 5000);
}

TEST(undo_of_a_timeout_that_was_right_leaves_room_for_what_is_lost) /* [RFC5682 2.1, 3 (a)] */
{
    struct peer p = peer_after_a_timeout("mss 1000");

    peer_sends(&p, ". 1:1(0) ack 1001");
    EXPECT_EQ(peer_skips(&p), 2); /* new */
    peer_sends(&p, ". 1:1(0) ack 1001");
    peer_sees(&p, ". 1001:2001(1000) ack 1");
    peer_sends(&p, ". 1:1(0) ack 2001");
    peer_sees(&p, ". 2001:3001(1000) ack 1");
}

TEST(undo_is_not_looked_for_in_a_second_timeout_of_one_recovery) /* [RFC5682 2.1, 1] */
{
    struct peer p = peer_after_a_timeout("mss 1000");

    peer_sends(&p, ". 1:1(0) ack 1001");
    EXPECT_EQ(peer_skips(&p), 2); /* new; nothing comes back */
    peer_waits_for_frame(&p);
    peer_sees(&p, ". 1001:2001(1000) ack 1");
    peer_sends(&p, ". 1:1(0) ack 2001");
    peer_sees(&p, ". 2001:3001(1000) ack 1"); /* no new data */
    EXPECT_EQ(work_of(&p)->undone, 0);
}

TEST(undo_of_a_timeout_follows_from_one_block_of_what_was_sent_once) /* [RFC5682 3.1] */
{
    struct peer p = peer_after_a_timeout("mss 1000,sackOK");

    peer_waits(&p, 50 * NS_MS);
    peer_sends(&p, ". 1:1(0) ack 2001");
    expect_undone(&p);
}

TEST(undo_of_a_timeout_does_not_follow_if_only_new_data_arrives) /* [RFC5682 3.1] */
{
    struct peer p = peer_after_a_timeout("mss 1000,sackOK");

    peer_waits(&p, 100 * NS_MS);
    peer_sends(&p, ". 1:1(0) ack 1001");
    EXPECT_EQ(peer_skips(&p), 2); /* new */
    peer_waits(&p, 100 * NS_MS);
    peer_sends(&p, ". 1:1(0) ack 1001 <nop,nop,sack 10001:11001>");
    EXPECT_EQ(work_of(&p)->undone, 0);
    peer_sees(&p, ". 1001:2001(1000) ack 1");
    EXPECT(p.seen_resent);
}
