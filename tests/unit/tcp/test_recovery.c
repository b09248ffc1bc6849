/* test_recovery.c - slow start, fast retransmit, NewReno, limited transmit, timeouts */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/pmtu.h"
#include "tcp/recovery.h"
#include "tcp/timers.h"
#include <stdio.h>

/* The segments have 1000 bytes. */
static struct peer peer_of_1000(void)
{
    return peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000"});
}

static const struct cc *cc_of(const struct peer *p)
{
    return &p->conn->work->cc;
}

static void acks(struct peer *p, uint32_t ack)
{
    char text[64];

    snprintf(text, sizeof text, ". 1:1(0) ack %u", ack);
    EXPECT_EQ(peer_sends(p, text), WHY_NONE);
}

/* Segments of 1000 bytes whose first number ends in 001: "sees 5" is 5001:6001. */
static void sees(struct peer *p, unsigned number)
{
    char text[64];

    snprintf(text, sizeof text, ". %u:%u(1000) ack 1", number * 1000 + 1, number * 1000 + 1001);
    if (p->conn->work->sendq.bytes + p->conn->work->sendq.start.raw
        == PEER_ISS + 1 + (number + 1) * 1000)
        snprintf(text, sizeof text, "P. %u:%u(1000) ack 1", number * 1000 + 1,
                 number * 1000 + 1001);
    peer_sees(p, text);
}

static void sees_from_to(struct peer *p, unsigned first, unsigned last)
{
    for (unsigned i = first; i <= last; i++)
        sees(p, i);
}

/* ---- slow start ---- */

TEST(recovery_begins_with_ten_segments) /* [RFC9293 MUST-19] [RFC6928 2] */
{
    static const struct {
        const char *options;
        uint32_t mtu, cwnd;
    } rows[] = {
        {"mss 1460", 1500, 14600}, {"mss 1000", 1500, 10000}, {"mss 48", 1500, 480},
        {"mss 2000", 9000, 14600}, {"mss 8960", 9000, 17920},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer_setup setup = {.options = rows[i].options, .mtu = rows[i].mtu};
        struct peer p = peer_with(TCP_ESTABLISHED, setup);
        EXPECT_EQ(cc_of(&p)->cwnd, rows[i].cwnd);
    }
}

TEST(recovery_begins_with_as_many_segments_as_are_configured)
{
    struct peer p = peer_of(TCP_CLOSED);

    p.env->config.initial_window_segs = 3;
    peer_brings_to(&p, TCP_ESTABLISHED);
    EXPECT_EQ(cc_of(&p)->cwnd, 3 * 1460);
}

TEST(recovery_doubles_the_window_in_each_round_trip) /* [RFC5681 3.1] */
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 60000);
    sees_from_to(&p, 0, 9);
    peer_sees_nothing(&p);
    for (unsigned i = 1; i <= 10; i++)
        acks(&p, i * 1000 + 1);
    EXPECT_EQ(cc_of(&p)->cwnd, 20000);
    sees_from_to(&p, 10, 29);
    peer_sees_nothing(&p);
    acks(&p, 30001);
    EXPECT_EQ(cc_of(&p)->cwnd, 40000);
}

/* Acknowledgements that come together are answered together: until then less and less is under way. */
TEST(recovery_takes_what_was_under_way_when_it_was_lost) /* [RFC5681 3.1 (4)] */
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 90000);
    sees_from_to(&p, 0, 9);
    for (unsigned i = 1; i <= 10; i++)
        acks(&p, i * 1000 + 1);
    sees_from_to(&p, 10, 29); /* twenty are under way */
    for (unsigned i = 11; i <= 25; i++)
        acks(&p, i * 1000 + 1);
    for (unsigned i = 0; i < 3; i++)
        acks(&p, 25001);
    EXPECT_EQ(p.conn->work->recovery.state, RECOVERY_FAST);
    EXPECT_EQ(cc_of(&p)->ssthresh, 10000);
}

TEST(recovery_does_not_let_a_window_grow_that_is_not_used) /* [RFC7661] */
{
    struct peer p = peer_of_1000();
    uint32_t cwnd = cc_of(&p)->cwnd;

    for (unsigned i = 1; i <= 30; i++) {
        peer_writes(&p, 1000);
        peer_skips(&p);
        acks(&p, i * 1000 + 1);
    }
    EXPECT_EQ(cc_of(&p)->cwnd, cwnd);
}

TEST(recovery_starts_anew_after_a_pause) /* [RFC5681 4.1] */
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 30000);
    peer_skips(&p);
    acks(&p, 10001);
    peer_skips(&p);
    acks(&p, 30001);
    EXPECT(cc_of(&p)->cwnd > 10000);
    peer_waits(&p, 900 * NS_MS);
    peer_writes(&p, 30000);
    sees_from_to(&p, 30, 39);
    peer_sees_nothing(&p);
}

/* ---- fast retransmit and fast recovery ---- */

/* Ten segments are under way; number 0 is lost. Two duplicates have let two more out. */
static struct peer peer_with_a_hole(void)
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 40000);
    sees_from_to(&p, 0, 9);
    acks(&p, 1);
    sees(&p, 10); /* limited transmit [RFC3042] */
    acks(&p, 1);
    sees(&p, 11);
    peer_sees_nothing(&p);
    return p;
}

TEST(recovery_sends_again_after_three_duplicates) /* [RFC5681 3.2] */
{
    struct peer p = peer_with_a_hole();

    acks(&p, 1);
    EXPECT_EQ(cc_of(&p)->ssthresh, 5000); /* of the ten, not of the twelve */
    EXPECT_EQ(cc_of(&p)->cwnd, 9000);     /* eight in the network, and one more [RFC9937 6.2] */
    sees(&p, 0);
    EXPECT(p.seen_resent);
    peer_sees_nothing(&p);

    for (unsigned i = 0; i < 2; i++) { /* one for two that arrive [RFC9937 6.2] */
        acks(&p, 1);
        peer_sees_nothing(&p);
        acks(&p, 1);
        sees(&p, 12 + i);
        peer_sees_nothing(&p);
    }

    acks(&p, 12001); /* all that was sent before */
    EXPECT_EQ(p.conn->work->recovery.state, RECOVERY_OPEN);
    EXPECT_EQ(cc_of(&p)->cwnd, 5000); /* [RFC9937 6.4] */
    sees_from_to(&p, 14, 16);
    peer_sees_nothing(&p);
}

TEST(recovery_counts_what_was_under_way_if_there_was_nothing_to_send) /* [RFC5681 3.1 (4)] */
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 10000);
    sees_from_to(&p, 0, 9);
    for (int i = 0; i < 3; i++)
        acks(&p, 1);
    EXPECT_EQ(cc_of(&p)->ssthresh, 5000);
}

TEST(recovery_does_not_take_two_duplicates_for_a_loss)
{
    struct peer p = peer_with_a_hole();

    acks(&p, 10001);
    sees(&p, 12);
    EXPECT_EQ(p.conn->retransmits, 0);
    EXPECT_EQ(cc_of(&p)->ssthresh, UINT32_MAX);
}

TEST(recovery_counts_only_real_duplicates) /* [RFC5681 2] */
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 20000);
    sees_from_to(&p, 0, 9);
    for (int i = 0; i < 5; i++) {
        char text[64];
        snprintf(text, sizeof text, ". 1:1(0) ack 1 win %d", 50000 + i); /* another window */
        peer_sends(&p, text);
    }
    peer_sends(&p, ". 1:1(0) ack 0"); /* an old one */
    peer_sends(&p, ". 1:11(10) ack 1 win 50004");
    peer_sees(&p, ". 10001:10001(0) ack 11");
    peer_sees_nothing(&p);
    EXPECT_EQ(p.conn->work->dup_acks_in, 0);
}

TEST(recovery_fills_one_hole_in_each_round_trip) /* [RFC6582 3.2] */
{
    struct peer p = peer_with_a_hole(); /* 0, 4 and 8 are lost */

    acks(&p, 1);
    sees(&p, 0);
    for (int i = 4; i <= 7; i++)
        acks(&p, 1);
    peer_sees_nothing(&p);

    acks(&p, 4001); /* partial */
    EXPECT_EQ(p.conn->work->recovery.state, RECOVERY_FAST);
    sees(&p, 4);
    EXPECT(p.seen_resent);
    sees(&p, 12); /* a segment that was added back lets a new one out */
    peer_sees_nothing(&p);
    acks(&p, 8001);
    sees(&p, 8);
    EXPECT(p.seen_resent);
    sees(&p, 13);
    peer_sees_nothing(&p);
    acks(&p, 12001);
    EXPECT_EQ(p.conn->work->recovery.state, RECOVERY_OPEN);
    EXPECT_EQ(p.conn->retransmits, 3);
    EXPECT_EQ(cc_of(&p)->ssthresh, 5000);
}

TEST(recovery_restarts_the_timer_only_at_the_first_partial_acknowledgement) /* [RFC6582 3.2 (3)] */
{
    struct peer p = peer_with_a_hole();
    ns_t at;

    for (int i = 0; i < 5; i++)
        acks(&p, 1);
    peer_skips(&p);
    at = tcp_deadline(p.conn);
    peer_waits(&p, 10 * NS_MS);
    acks(&p, 4001);
    EXPECT_EQ(tcp_deadline(p.conn), at + 10 * NS_MS);
    at = tcp_deadline(p.conn);
    peer_waits(&p, 10 * NS_MS);
    acks(&p, 8001);
    EXPECT_EQ(tcp_deadline(p.conn), at);
    peer_waits(&p, 10 * NS_MS);
    acks(&p, 12001); /* the last acknowledgement of it does, too [RFC6298 5.3] */
    peer_skips(&p);
    EXPECT(tcp_deadline(p.conn) > at + 10 * NS_MS);
}

TEST(recovery_does_not_begin_twice_for_one_window) /* [RFC6582 3.2 (1)] */
{
    struct peer p = peer_with_a_hole();

    acks(&p, 1);
    peer_skips(&p);
    acks(&p, 12001);
    peer_skips(&p);
    for (int i = 0; i < 5; i++) /* echoes of what was sent again */
        acks(&p, 12001);
    EXPECT_EQ(p.conn->work->recovery.state, RECOVERY_OPEN);
    EXPECT_EQ(p.conn->retransmits, 1);
}

TEST(recovery_counts_no_more_duplicates_than_are_under_way)
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 10000);
    sees_from_to(&p, 0, 9);
    for (int i = 0; i < 9; i++)
        acks(&p, 1);
    peer_skips(&p);
    for (unsigned i = 1; i < 10; i++) {
        acks(&p, i * 1000 + 1);
        peer_skips(&p);
    }
    EXPECT(recovery_pipe(p.conn) <= tcp_flight(p.conn));
}

TEST(recovery_survives_a_smaller_path_with_duplicates_counted)
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 100);
    peer_skips(&p);
    for (int i = 0; i < 5; i++)
        acks(&p, 1);
    peer_skips(&p);
    tcp_set_pmtu(p.conn, p.env, 200);
    tcp_conn_check(p.conn);
    peer_skips(&p);
}

TEST(recovery_keeps_a_window_of_a_segment_when_segments_have_grown_meanwhile)
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.mtu = 88});

    peer_writes(&p, 100);
    peer_skips(&p);
    for (int i = 0; i < 3; i++)
        acks(&p, 1);
    tcp_set_pmtu(p.conn, p.env, 1500);
    peer_skips(&p);
    acks(&p, 101); /* the recovery ends at a threshold of two segments, but of which? */
    tcp_conn_check(p.conn);
    EXPECT(cc_of(&p)->ssthresh >= 2 * 1460);
}

/* ---- timeouts ---- */

TEST(recovery_goes_back_to_one_segment_after_a_timeout) /* [RFC5681 3.1, equation 4] */
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 10000);
    sees_from_to(&p, 0, 9);
    peer_waits_for_frame(&p);
    EXPECT_EQ(cc_of(&p)->ssthresh, 5000);
    EXPECT_EQ(cc_of(&p)->cwnd, 1000);
    sees(&p, 0);
    peer_sees_nothing(&p);
    peer_sends(&p, ". 1:1(0) ack 1"); /* no sign that the timeout was spurious [RFC5682 2.1] */
    peer_writes(&p, 30000);
    peer_sees_nothing(&p);
    acks(&p, 1001);
    EXPECT_EQ(cc_of(&p)->cwnd, 2000);
    sees_from_to(&p, 1, 2);
    peer_sees_nothing(&p);
    acks(&p, 3001);
    EXPECT_EQ(cc_of(&p)->cwnd, 4000);
    sees_from_to(&p, 3, 6);
    peer_sees_nothing(&p);
    acks(&p, 7001);
    EXPECT_EQ(cc_of(&p)->cwnd, 5000); /* then congestion avoidance */
    sees_from_to(&p, 7, 11);
    peer_sees_nothing(&p);
    EXPECT_EQ(p.conn->work->recovery.state, RECOVERY_RTO);
    acks(&p, 12001);
    EXPECT_EQ(p.conn->work->recovery.state, RECOVERY_OPEN);
}

TEST(recovery_does_not_send_again_what_an_acknowledgement_after_the_timeout_covers)
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 20000);
    sees_from_to(&p, 0, 9);
    peer_waits_for_frame(&p);
    sees(&p, 0);
    acks(&p, 10001); /* only the first was lost */
    sees_from_to(&p, 10, 12);
    EXPECT_EQ(p.conn->retransmits, 1);
}

TEST(recovery_lowers_the_threshold_once_for_one_segment) /* [RFC5681 3.1] */
{
    struct peer p = peer_of_1000();

    p.env->config.mtu_probing = WEIR_MTU_PROBING_OFF;
    peer_writes(&p, 20000);
    sees_from_to(&p, 0, 9);
    for (int i = 0; i < 5; i++) {
        peer_waits_for_frame(&p);
        sees(&p, 0);
        EXPECT_EQ(cc_of(&p)->ssthresh, 5000);
    }
}

TEST(recovery_takes_no_duplicates_after_a_timeout_for_a_loss) /* [RFC6582 3.2 (4)] */
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 20000);
    sees_from_to(&p, 0, 9);
    peer_waits_for_frame(&p);
    sees(&p, 0);
    for (int i = 0; i < 9; i++)
        acks(&p, 1);
    peer_sees_nothing(&p);
}

TEST(recovery_sends_a_fin_again)
{
    struct peer p = peer_of(TCP_FIN_WAIT_1);

    for (int i = 0; i < 3; i++) {
        peer_waits_for_frame(&p);
        peer_sees(&p, "F. 1:1(0) ack 1");
        EXPECT(p.seen_resent);
    }
    peer_sends(&p, ". 1:1(0) ack 2");
    EXPECT_EQ(p.conn->state, TCP_FIN_WAIT_2);
}

TEST(recovery_sends_text_and_fin_again_together)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_writes(&p, 10);
    peer_sees(&p, "P. 1:11(10) ack 1");
    tcp_shutdown(p.conn, p.env);
    peer_sees(&p, "F. 11:11(0) ack 1");
    peer_waits_for_frame(&p);
    peer_sees(&p, "FP. 1:11(10) ack 1");
}

TEST(recovery_sends_old_text_again_in_segments_of_the_size_of_today)
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 3000);
    EXPECT_EQ(peer_skips(&p), 3);
    tcp_set_pmtu(p.conn, p.env, 540);
    peer_sees(&p, ". 1:501(500) ack 1");
    peer_sees(&p, ". 501:1001(500) ack 1");
    EXPECT_EQ(peer_skips(&p), 4);
    EXPECT_EQ(cc_of(&p)->ssthresh, UINT32_MAX); /* not a loss to congestion */
}

TEST(recovery_sends_text_again_within_a_window_that_has_shrunk) /* [RFC9293 SHLD-16, SHLD-15] */
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 5000);
    EXPECT_EQ(peer_skips(&p), 5);
    peer_sends(&p, ". 1:1(0) ack 1 win 1500");
    peer_writes(&p, 1000);
    peer_sees_nothing(&p);
    peer_waits_for_frame(&p);
    peer_sees(&p, ". 1:1001(1000) ack 1");
    peer_sends(&p, ". 1:1(0) ack 1001 win 500");
    peer_sees(&p, ". 1001:1501(500) ack 1");
    peer_sees_nothing(&p);
    peer_sends(&p, ". 1:1(0) ack 1501 win 5000");
    EXPECT(peer_skips(&p) >= 2);
}

TEST(recovery_does_not_take_old_text_at_the_isn_for_the_syn)
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 3000);
    EXPECT_EQ(peer_skips(&p), 3);
    p.conn->snd.iss = seq_of(PEER_ISS + 1); /* as after 4 GiB */
    peer_waits_for_frame(&p);
    peer_sees(&p, ". 1:1001(1000) ack 1");
}

/* The receiver dropped what it had reported: it tells by not going beyond where that begins. */
TEST(recovery_sends_what_was_taken_back_half_a_round_trip_later) /* [RFC2018 8] */
{
    struct peer p = peer_with(TCP_CLOSED, (struct peer_setup){.options = "mss 1000,sackOK"});
    ns_t told_at;

    peer_brings_to(&p, TCP_ESTABLISHED);
    peer_writes(&p, 3000);
    peer_skips(&p);
    peer_waits(&p, 100 * NS_MS);
    peer_sends(&p, ". 1:1(0) ack 1 <nop,nop,sack 2001:3001>");
    peer_skips(&p);
    peer_waits(&p, 1 * NS_MS);
    peer_sends(&p, ". 1:1(0) ack 2001");
    peer_sees_nothing(&p);
    told_at = p.env->now;
    peer_waits_for_frame(&p);
    peer_sees(&p, "P. 2001:3001(1000) ack 1");
    EXPECT(p.seen_resent);
    EXPECT(p.env->now - told_at >= 10 * NS_MS && p.env->now - told_at <= 60 * NS_MS);
    peer_sends(&p, ". 1:1(0) ack 3001");
    EXPECT_EQ(p.conn->work->loss_timer, LOSS_NONE);
}
