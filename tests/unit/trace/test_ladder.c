/*
 * test_ladder.c - from recordings to rows
 */
#include "trace/ladder.h"

#include <string.h>
#include <weir/err.h>

#include "base/why.h"
#include "lib/test.h"
#include "unit/trace/story.h"

/* The left end opens a connection to the right one, in 10 ms each way. */
static void tell_handshake(struct story *s)
{
    s->state[TRACE_RIGHT] = WEIR_TCP_LISTEN;
    story_becomes(s, TRACE_LEFT, WEIR_TCP_CLOSED, WEIR_TCP_SYN_SENT);
    story_sends(s, TRACE_LEFT, "S 0:0(0) win 1000 <mss 1460,nop,wscale 3>");
    story_at(s, 10 * WEIR_MS);
    story_receives(s, TRACE_RIGHT, "S 0:0(0) win 1000 <mss 1460,nop,wscale 3>");
    story_becomes(s, TRACE_RIGHT, WEIR_TCP_LISTEN, WEIR_TCP_SYN_RECEIVED);
    story_sends(s, TRACE_RIGHT, "S. 0:0(0) ack 1 win 2000 <mss 1460,nop,wscale 15>");
    story_at(s, 20 * WEIR_MS);
    story_receives(s, TRACE_LEFT, "S. 0:0(0) ack 1 win 2000 <mss 1460,nop,wscale 15>");
    story_becomes(s, TRACE_LEFT, WEIR_TCP_SYN_SENT, WEIR_TCP_ESTABLISHED);
    story_sends(s, TRACE_LEFT, ". 1:1(0) ack 1 win 500");
    story_at(s, 30 * WEIR_MS);
    story_receives(s, TRACE_RIGHT, ". 1:1(0) ack 1 win 500");
    story_becomes(s, TRACE_RIGHT, WEIR_TCP_SYN_RECEIVED, WEIR_TCP_ESTABLISHED);
}

TEST(segment_is_one_row_with_the_states_of_both_ends)
{
    struct story s = story_of();

    tell_handshake(&s);
    EXPECT_EQ(story_ladder(&s), 3);
    EXPECT_STR(story_row(&s, 0), "0.000 left S 0:0(0) win 1000 <mss 1460,nop,wscale 3> "
                                 "CLOSED>SYN-SENT LISTEN>SYN-RECEIVED");
    EXPECT_STR(story_row(&s, 1), "0.010 right S. 0:0(0) ack 1 win 2000 <mss 1460,nop,wscale 15> "
                                 "SYN-SENT>ESTABLISHED SYN-RECEIVED>SYN-RECEIVED");
    EXPECT_STR(story_row(&s, 2), "0.020 left . 1:1(0) ack 1 win 500 "
                                 "ESTABLISHED>ESTABLISHED SYN-RECEIVED>ESTABLISHED");
    EXPECT_EQ(s.ladder.rows[0].arrived_at, 10 * WEIR_MS);
    story_fini(&s);
}

TEST(windows_are_scaled_after_the_handshake_and_not_by_more_than_14) /* [RFC7323 2.2, 2.3] */
{
    struct story s = story_of();

    tell_handshake(&s);
    story_sends(&s, TRACE_RIGHT, ". 1:1(0) ack 1 win 3");
    story_ladder(&s);
    EXPECT_EQ(s.ladder.rows[0].window, 1000);
    EXPECT_EQ(s.ladder.rows[1].window, 2000);
    EXPECT_EQ(s.ladder.rows[2].window, 500 << 3);
    EXPECT_EQ(s.ladder.rows[3].window, 3 << 14);
    story_fini(&s);
}

TEST(segment_that_is_lost_arrives_nowhere_and_its_repetition_does)
{
    struct story s = story_of();

    tell_handshake(&s);
    story_sends(&s, TRACE_RIGHT, "P. 1:11(10) ack 1 win 2000");
    story_loses(&s, TRACE_RIGHT, "P. 1:11(10) ack 1 win 2000");
    story_at(&s, 230 * WEIR_MS);
    story_event(&s, TRACE_RIGHT, WEIR_TRACE_TIMER, "rto");
    story_resends(&s, TRACE_RIGHT, "P. 1:11(10) ack 1 win 2000");
    story_at(&s, 240 * WEIR_MS);
    story_receives(&s, TRACE_LEFT, "P. 1:11(10) ack 1 win 2000");
    EXPECT_EQ(story_ladder(&s), 6);
    EXPECT_STR(story_row(&s, 3), "0.030 right P. 1:11(10) ack 1 win 2000 lost "
                                 "ESTABLISHED>ESTABLISHED ESTABLISHED>ESTABLISHED");
    EXPECT_EQ(s.ladder.rows[3].arrived_at, WEIR_NEVER);
    EXPECT_STR(story_row(&s, 4), "0.230 right note retransmission timer, after 0.200 s "
                                 "ESTABLISHED>ESTABLISHED ESTABLISHED>ESTABLISHED");
    EXPECT_STR(story_row(&s, 5), "0.230 right P. 1:11(10) ack 1 win 2000 again 0.200 "
                                 "ESTABLISHED>ESTABLISHED ESTABLISHED>ESTABLISHED");
    EXPECT_EQ(s.ladder.rows[5].arrived_at, 240 * WEIR_MS);
    story_fini(&s);
}

TEST(segments_that_cross_depart_and_arrive_in_rows_of_their_own)
{
    struct story s = story_of();

    story_becomes(&s, TRACE_LEFT, WEIR_TCP_CLOSED, WEIR_TCP_SYN_SENT);
    story_sends(&s, TRACE_LEFT, "S 0:0(0) win 1000");
    story_becomes(&s, TRACE_RIGHT, WEIR_TCP_CLOSED, WEIR_TCP_SYN_SENT);
    story_sends(&s, TRACE_RIGHT, "S 0:0(0) win 2000");
    story_at(&s, 10 * WEIR_MS);
    story_receives(&s, TRACE_RIGHT, "S 0:0(0) win 1000");
    story_becomes(&s, TRACE_RIGHT, WEIR_TCP_SYN_SENT, WEIR_TCP_SYN_RECEIVED);
    story_receives(&s, TRACE_LEFT, "S 0:0(0) win 2000");
    story_becomes(&s, TRACE_LEFT, WEIR_TCP_SYN_SENT, WEIR_TCP_SYN_RECEIVED);
    EXPECT_EQ(story_ladder(&s), 4);
    EXPECT_STR(story_row(&s, 0),
               "0.000 left departs S 0:0(0) win 1000 CLOSED>SYN-SENT CLOSED>CLOSED");
    EXPECT_STR(story_row(&s, 1),
               "0.000 right departs S 0:0(0) win 2000 SYN-SENT>SYN-SENT CLOSED>SYN-SENT");
    EXPECT_STR(story_row(&s, 2), "0.000 left arrives S 0:0(0) win 1000 "
                                 "SYN-SENT>SYN-SENT SYN-SENT>SYN-RECEIVED");
    EXPECT_STR(story_row(&s, 3), "0.000 right arrives S 0:0(0) win 2000 "
                                 "SYN-SENT>SYN-RECEIVED SYN-RECEIVED>SYN-RECEIVED");
    story_fini(&s);
}

TEST(end_that_tells_nothing_has_inferred_states)
{
    struct story s = story_of();

    s.state[TRACE_RIGHT] = WEIR_TCP_LISTEN;
    story_receives(&s, TRACE_RIGHT, "S 0:0(0) win 1000");
    story_becomes(&s, TRACE_RIGHT, WEIR_TCP_LISTEN, WEIR_TCP_SYN_RECEIVED);
    story_sends(&s, TRACE_RIGHT, "S. 0:0(0) ack 1 win 2000");
    story_receives(&s, TRACE_RIGHT, ". 1:1(0) ack 1 win 1000");
    story_becomes(&s, TRACE_RIGHT, WEIR_TCP_SYN_RECEIVED, WEIR_TCP_ESTABLISHED);
    EXPECT_EQ(story_ladder(&s), 3);
    EXPECT(s.ladder.is_inferred[TRACE_LEFT]);
    EXPECT(!s.ladder.is_inferred[TRACE_RIGHT]);
    EXPECT_STR(story_row(&s, 0),
               "0.000 left S 0:0(0) win 1000 CLOSED>SYN-SENT LISTEN>SYN-RECEIVED");
    EXPECT_STR(story_row(&s, 1), "0.000 right S. 0:0(0) ack 1 win 2000 "
                                 "SYN-SENT>ESTABLISHED SYN-RECEIVED>SYN-RECEIVED");
    EXPECT_STR(story_row(&s, 2), "0.000 left . 1:1(0) ack 1 win 1000 "
                                 "ESTABLISHED>ESTABLISHED SYN-RECEIVED>ESTABLISHED");
    story_fini(&s);
}

TEST(change_of_state_goes_with_the_segment_that_it_sends)
{
    struct story s = story_of();

    tell_handshake(&s);
    story_at(&s, 50 * WEIR_MS);
    story_event(&s, TRACE_RIGHT, WEIR_TRACE_APP, "close");
    story_becomes(&s, TRACE_RIGHT, WEIR_TCP_ESTABLISHED, WEIR_TCP_FIN_WAIT_1);
    story_sends(&s, TRACE_RIGHT, "F. 1:1(0) ack 1 win 2000");
    EXPECT_EQ(story_ladder(&s), 4);
    EXPECT_STR(story_row(&s, 3), "0.050 right F. 1:1(0) ack 1 win 2000 "
                                 "ESTABLISHED>ESTABLISHED ESTABLISHED>FIN-WAIT-1");
    story_fini(&s);
}

TEST(change_of_state_without_a_segment_is_a_note)
{
    struct story s = story_of();

    tell_handshake(&s);
    story_event(&s, TRACE_RIGHT, WEIR_TRACE_APP, "close");
    story_becomes(&s, TRACE_RIGHT, WEIR_TCP_ESTABLISHED, WEIR_TCP_FIN_WAIT_1);
    story_at(&s, 2 * WEIR_S + 30 * WEIR_MS);
    story_event(&s, TRACE_LEFT, WEIR_TRACE_TIMER, "keepalive");
    story_becomes(&s, TRACE_LEFT, WEIR_TCP_ESTABLISHED, WEIR_TCP_CLOSED);
    EXPECT_EQ(story_ladder(&s), 5);
    EXPECT_STR(story_row(&s, 3), "0.030 right note call: close "
                                 "ESTABLISHED>ESTABLISHED ESTABLISHED>FIN-WAIT-1");
    EXPECT_STR(story_row(&s, 4), "2.030 left note keep-alive timer "
                                 "ESTABLISHED>CLOSED FIN-WAIT-1>FIN-WAIT-1");
    story_fini(&s);
}

TEST(change_of_state_by_time_says_how_long_it_took)
{
    struct story s = story_of();

    s.state[TRACE_RIGHT] = WEIR_TCP_LISTEN;
    story_receives(&s, TRACE_RIGHT, "S 0:0(0) win 1000");
    story_becomes(&s, TRACE_RIGHT, WEIR_TCP_LISTEN, WEIR_TCP_SYN_RECEIVED);
    story_sends(&s, TRACE_RIGHT, "S. 0:0(0) ack 1 win 2000");
    story_at(&s, 63 * WEIR_S);
    story_becomes(&s, TRACE_RIGHT, WEIR_TCP_SYN_RECEIVED, WEIR_TCP_CLOSED);
    EXPECT_EQ(story_ladder(&s), 3);
    EXPECT_STR(story_row(&s, 2), "63.000 right note after 63.000 s "
                                 "ESTABLISHED>ESTABLISHED SYN-RECEIVED>CLOSED");
    story_fini(&s);
}

TEST(reason_of_a_drop_stands_with_the_segment)
{
    struct story s = story_of();

    story_receives(&s, TRACE_RIGHT, "S 0:0(0) win 1000");
    story_sends(&s, TRACE_RIGHT, "R. 0:0(0) ack 1 win 0");
    story_drops(&s, TRACE_RIGHT, WHY_TCP_NO_CONN);
    EXPECT_EQ(story_ladder(&s), 2);
    EXPECT_STR(story_row(&s, 0),
               "0.000 left S 0:0(0) win 1000 tcp_no_conn CLOSED>SYN-SENT CLOSED>CLOSED");
    story_fini(&s);
}

TEST(drop_of_another_packet_is_not_ours)
{
    struct story s = story_of();
    struct weir_slice noise = {(uint8_t[]){0x60, 0, 0, 0}, 4};
    struct weir_trace event = {.kind = WEIR_TRACE_PACKET_IN, .slices = &noise, .slice_count = 1};

    story_receives(&s, TRACE_RIGHT, "S 0:0(0) win 1000");
    recording_add_event(&s.recording, TRACE_RIGHT, &event);
    story_drops(&s, TRACE_RIGHT, WHY_IP_SHORT);
    EXPECT_EQ(story_ladder(&s), 1);
    EXPECT_EQ(s.ladder.rows[0].why, 0);
    story_fini(&s);
}

TEST(mark_may_change_a_state)
{
    struct story s = story_of();

    tell_handshake(&s);
    recording_add_mark(&s.recording, TRACE_LEFT, s.now, "loses power", WEIR_TCP_CLOSED);
    recording_add_mark(&s.recording, TRACE_LEFT, s.now, "is back", TRACE_STATE_SAME);
    EXPECT_EQ(story_ladder(&s), 5);
    EXPECT_STR(story_row(&s, 3), "0.030 left note loses power "
                                 "ESTABLISHED>CLOSED ESTABLISHED>ESTABLISHED");
    EXPECT_STR(story_row(&s, 4), "0.030 left note is back CLOSED>CLOSED ESTABLISHED>ESTABLISHED");
    story_fini(&s);
}

TEST(recoveries_are_told_in_words)
{
    struct story s = story_of();

    tell_handshake(&s);
    story_event(&s, TRACE_RIGHT, WEIR_TRACE_RECOVERY, "timeout");
    story_event(&s, TRACE_RIGHT, WEIR_TRACE_RECOVERY, "fast retransmit");
    story_event(&s, TRACE_RIGHT, WEIR_TRACE_RECOVERY, "recovered");
    story_event(&s, TRACE_RIGHT, WEIR_TRACE_RECOVERY, "congestion experienced");
    story_event(&s, TRACE_RIGHT, WEIR_TRACE_RECOVERY, "reduced");
    EXPECT_EQ(story_ladder(&s), 7);
    EXPECT_STR(s.ladder.rows[3].text, "a segment is lost: fast retransmit");
    EXPECT_STR(s.ladder.rows[4].text, "all that was lost has arrived");
    EXPECT_STR(s.ladder.rows[5].text, "the network marks packets: it is congested");
    EXPECT_STR(s.ladder.rows[6].text, "the congestion window is reduced");
    story_fini(&s);
}

TEST(recording_without_a_segment_has_no_ladder)
{
    struct story s = story_of();

    EXPECT_EQ(ladder_init(&s.ladder, &s.recording, "left", "right"), WEIR_EAGAIN);
    story_fini(&s);
}

TEST(flags_have_names)
{
    char text[LADDER_FLAGS_MAX];

    EXPECT_STR(ladder_flags_text(0, LADDER_AE, text), "none");
    EXPECT_STR(ladder_flags_text(TCP_SYN | TCP_ACK, LADDER_AE, text), "SYN ACK");
    EXPECT_STR(ladder_flags_text(TCP_FLAGS, LADDER_AE, text), "SYN FIN RST PSH URG ECE CWR AE ACK");
    EXPECT_STR(ladder_flags_text(TCP_AE | TCP_ACK, LADDER_NS, text), "NS ACK");
    EXPECT_STR(ladder_flags_text(TCP_AE | TCP_ECE | TCP_ACK, LADDER_ACE, text), "ACK ACE 5");
    EXPECT_STR(ladder_flags_text(0, LADDER_ACE, text), "ACE 0");
}

TEST(ninth_flag_is_called_what_the_handshake_says) /* [RFC9768 3.1.1] */
{
    static const struct {
        const char *syn, *synack;
        const char *names[3];
    } rows[] = {
        {"S 0:0(0)", "S. 0:0(0) ack 1", {"SYN", "SYN ACK", "NS ACK"}},
        {"SEW 0:0(0)", "SE. 0:0(0) ack 1", {"SYN ECE CWR", "SYN ECE ACK", "NS ACK"}},
        {"SEWA 0:0(0)", "SA. 0:0(0) ack 1", {"SYN ECE CWR AE", "SYN AE ACK", "ACK ACE 4"}},
        {"SEWA 0:0(0)", "SE. 0:0(0) ack 1", {"SYN ECE CWR AE", "SYN ECE ACK", "AE ACK"}},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct story s = story_of();
        char text[LADDER_FLAGS_MAX];
        story_sends(&s, TRACE_LEFT, rows[i].syn);
        story_sends(&s, TRACE_RIGHT, rows[i].synack);
        story_sends(&s, TRACE_LEFT, ".A 1:1(0) ack 1");
        EXPECT_EQ(story_ladder(&s), 3);
        for (size_t k = 0; k < 3; k++)
            EXPECT_STR(ladder_flags_text(s.ladder.rows[k].seg.flags, s.ladder.rows[k].ninth, text),
                       rows[i].names[k]);
        story_fini(&s);
    }
}

TEST(times_have_nine_columns)
{
    char text[LADDER_TIME_MAX];

    EXPECT_STR(ladder_time_text(0, text), " 0.000000");
    EXPECT_STR(ladder_time_text(63 * WEIR_S, text), "63.000000");
    EXPECT_STR(ladder_time_text(7200 * WEIR_S + 10 * WEIR_MS, text), "7200.0100");
    EXPECT_STR(ladder_time_text(100000 * WEIR_S, text), "100000.00");
}
