/* test_rack.c - losses told by time, and the probe at the tail */
#include "base/num.h"
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/rack.h"
#include "tcp/recovery.h"
#include "tcp/timers.h"
#include "tcp/tstamp.h"
#include <stdio.h>

/* The handshake has taken 100 ms; each segment is sent a millisecond after the one before. */
static struct peer peer_with_paced_segments(unsigned count)
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000,sackOK"});

    p.conn->work->cc.cwnd = 40000;
    for (unsigned i = 0; i < count; i++) {
        peer_writes(&p, 1000);
        EXPECT_EQ(peer_skips(&p), 1);
        peer_waits(&p, NS_MS);
    }
    peer_waits(&p, (100 - (ns_t)count) * NS_MS);
    return p;
}

/* una, and one block [from, to), in segments; an empty block is none. */
static void acks(struct peer *p, unsigned una, unsigned from, unsigned to)
{
    char text[96];

    if (from < to)
        snprintf(text, sizeof text, ". 1:1(0) ack %u <nop,nop,sack %u:%u>", una * 1000 + 1,
                 from * 1000 + 1, to * 1000 + 1);
    else
        snprintf(text, sizeof text, ". 1:1(0) ack %u", una * 1000 + 1);
    EXPECT_EQ(peer_sends(p, text), WHY_NONE);
}

static void sees_again(struct peer *p, unsigned number)
{
    char text[96];

    snprintf(text, sizeof text, ". %u:%u(1000) ack 1", number * 1000 + 1, number * 1000 + 1001);
    peer_sees(p, text);
    EXPECT(p->seen_resent);
}

/* ---- what is lost ---- */

TEST(rack_waits_a_quarter_of_a_round_trip_for_what_may_be_reordered) /* [RFC8985 6.2, step 4] */
{
    struct peer p = peer_with_paced_segments(5);

    acks(&p, 0, 1, 2); /* one segment has overtaken another */
    peer_sees_nothing(&p);
    EXPECT_EQ(p.conn->work->loss_timer, LOSS_REO);
    /* Segment 0 is 1 ms older than segment 1, which took 99 ms; a quarter of that is left. */
    EXPECT_EQ(peer_waits_for_frame(&p), 24750 * NS_US - NS_MS);
    sees_again(&p, 0);
    EXPECT_EQ(p.conn->work->recovery.state, RECOVERY_FAST);
}

TEST(rack_does_not_wait_when_three_segments_have_arrived) /* [RFC8985 6.2, step 4] */
{
    struct peer p = peer_with_paced_segments(5);

    acks(&p, 0, 1, 3);
    peer_sees_nothing(&p);
    acks(&p, 0, 1, 4);
    sees_again(&p, 0);
    peer_sees_nothing(&p);
    EXPECT_EQ(p.conn->work->recovery.state, RECOVERY_FAST);
}

TEST(rack_keeps_waiting_once_it_has_seen_reordering) /* [RFC8985 6.2, steps 3 and 4] */
{
    struct peer p = peer_with_paced_segments(8);

    acks(&p, 0, 1, 2);
    acks(&p, 2, 0, 0); /* it was only late */
    EXPECT(p.conn->work->rack.reordering_seen);
    EXPECT_EQ(p.conn->retransmits, 0);
    acks(&p, 2, 3, 7); /* four segments; without reordering that would be enough */
    peer_sees_nothing(&p);
    EXPECT_EQ(p.conn->work->loss_timer, LOSS_REO);
    peer_waits_for_frame(&p);
    sees_again(&p, 2);
}

TEST(rack_tells_how_far_and_how_often_segments_were_overtaken)
{
    struct peer p = peer_with_paced_segments(8);
    struct weir_tcp_info info;

    acks(&p, 0, 1, 2);
    acks(&p, 0, 4, 5);
    tcp_info(p.conn, p.env, &info);
    EXPECT_EQ(info.reorderings, 0);
    acks(&p, 5, 0, 0); /* segments 0, 2 and 3 were late, the first of them by five */
    tcp_info(p.conn, p.env, &info);
    EXPECT_EQ(info.reorderings, 1);
    EXPECT_EQ(info.reordering_bytes, 5000);
    acks(&p, 5, 6, 7);
    acks(&p, 8, 0, 0);
    tcp_info(p.conn, p.env, &info);
    EXPECT_EQ(info.reorderings, 2);
    EXPECT_EQ(info.reordering_bytes, 5000);
}

TEST(rack_finds_what_was_sent_again_and_is_lost_again) /* [RFC8985 3.1] */
{
    struct peer p = peer_with_paced_segments(12);

    acks(&p, 0, 1, 4);
    sees_again(&p, 0);
    peer_writes(&p, 2000);
    peer_waits(&p, NS_MS);
    acks(&p, 0, 1, 12);
    EXPECT_EQ(peer_skips(&p), 2);
    peer_waits(&p, 99 * NS_MS);
    acks(&p, 0, 1, 13); /* what was sent after segment 0 went again has arrived */
    sees_again(&p, 0);
    EXPECT_EQ(p.conn->work->recovery.state, RECOVERY_FAST);
    EXPECT_EQ(p.conn->retransmits, 2);
}

/* New segments before and after it, at the same time: the clock cannot tell which is which. */
TEST(rack_tells_what_was_sent_before_a_retransmission_from_what_was_sent_after_it)
{
    struct peer p = peer_with_paced_segments(10);

    acks(&p, 0, 1, 3);
    peer_writes(&p, 1000);
    EXPECT_EQ(peer_skips(&p), 1);
    acks(&p, 0, 1, 4);
    sees_again(&p, 0);
    peer_writes(&p, 2000);
    acks(&p, 0, 1, 10);
    EXPECT_EQ(peer_skips(&p), 2);
    peer_waits(&p, 100 * NS_MS);
    acks(&p, 0, 1, 13);
    sees_again(&p, 0); /* [RFC8985 6.2, step 5] */
}

TEST(rack_widens_its_window_for_each_round_trip_with_duplicates) /* [RFC8985 6.2, step 4] */
{
    struct peer p = peer_with_paced_segments(8);

    acks(&p, 0, 1, 4);
    peer_skips(&p);
    EXPECT_EQ(peer_sends(&p, ". 1:1(0) ack 4001 <nop,nop,sack 1:1001>"), WHY_NONE);
    EXPECT_EQ(p.conn->work->rack.reo_wnd_mult, 2);
    EXPECT_EQ(peer_sends(&p, ". 1:1(0) ack 5001 <nop,nop,sack 1:1001>"), WHY_NONE);
    EXPECT_EQ(p.conn->work->rack.reo_wnd_mult, 2); /* once in a round trip */
    EXPECT_EQ(p.conn->work->rack.reo_wnd_persist, 16);
}

/* Two to four GB later the number looks like one that is still to come. */
TEST(rack_takes_no_old_round_trip_for_this_one_when_numbers_have_wrapped)
{
    struct peer p = peer_with_paced_segments(1);

    rack_on_dsack(p.conn);
    rack_on_dsack(p.conn);
    EXPECT_EQ(p.conn->work->rack.reo_wnd_mult, 2);
    p.conn->work->rack.dsack_round = seq_sub(p.conn->snd.una, 0x90000000);
    rack_on_dsack(p.conn);
    EXPECT_EQ(p.conn->work->rack.reo_wnd_mult, 3);
}

TEST(rack_forgets_duplicates_after_sixteen_recoveries) /* [RFC8985 6.2, step 4] */
{
    struct peer p = peer_with_paced_segments(1);

    rack_on_dsack(p.conn);
    for (int i = 0; i < 15; i++)
        rack_on_recovered(p.conn);
    EXPECT_EQ(p.conn->work->rack.reo_wnd_mult, 2);
    rack_on_recovered(p.conn);
    EXPECT_EQ(p.conn->work->rack.reo_wnd_mult, 1);
}

TEST(rack_takes_no_acknowledgement_of_the_first_copy_for_one_of_the_second) /* [RFC8985 6.2, 2] */
{
    struct peer p = peer_with_paced_segments(6);
    uint32_t turn;

    acks(&p, 0, 1, 4);
    sees_again(&p, 0);
    turn = p.conn->work->rack.turn;
    peer_waits(&p, 10 * NS_MS); /* sooner than any round trip */
    acks(&p, 4, 0, 0);
    EXPECT_EQ(p.conn->work->rack.turn, turn);
}

/* Sent three times: the echo is of the second, so the third tells nothing of the round trip. */
TEST(rack_takes_no_echo_of_an_earlier_copy_for_one_of_the_last) /* [RFC8985 6.2, 2] */
{
    struct peer p = peer_with(TCP_ESTABLISHED,
                              (struct peer_setup){.options = "mss 1012,sackOK,TS val 1000 ecr 0"});
    const struct rack *r = &p.conn->work->rack;
    uint32_t second_ms, turn;
    char text[128];

    peer_writes(&p, 4000);
    peer_skips(&p);
    peer_waits(&p, 100 * NS_MS);
    second_ms = tstamp_clock(p.env->now, p.conn->ts.offset);
    snprintf(text, sizeof text,
             ". 1:1(0) ack 1 <nop,nop,TS val 1000 ecr %u,nop,nop,sack 1001:4001>", second_ms - 100);
    peer_sends(&p, text);
    EXPECT_EQ(peer_skips(&p), 1);
    peer_waits_for_frame(&p); /* the timeout */
    EXPECT_EQ(peer_skips(&p), 1);
    turn = r->turn;
    peer_waits(&p, 120 * NS_MS);
    snprintf(text, sizeof text, ". 1:1(0) ack 4001 <nop,nop,TS val 1000 ecr %u>", second_ms);
    peer_sends(&p, text);
    EXPECT_EQ(r->turn, turn);
}

/* ---- timeouts ---- */

/* What has arrived beyond a hole is in snd.nxt - snd.una, but not in the network. */
TEST(rack_timeout_in_a_recovery_lowers_the_window_again) /* [RFC5681 4.3] */
{
    struct peer p = peer_with_paced_segments(20);
    const struct cc *cc = &p.conn->work->cc;
    uint32_t window;

    acks(&p, 0, 1, 20);
    sees_again(&p, 0);
    EXPECT_EQ(cc->ssthresh, 10000);
    for (unsigned i = 21; i <= 30; i++) {
        peer_writes(&p, 1000);
        peer_skips(&p);
        acks(&p, 0, 1, i);
    }
    peer_skips(&p);
    EXPECT_EQ(tcp_flight(p.conn), 30000);
    window = u32_max(cc->cwnd, recovery_pipe(p.conn));
    EXPECT(window <= 11000);
    peer_waits(&p, tcp_deadline(p.conn) - p.env->now);
    EXPECT_EQ(p.conn->work->recovery.state, RECOVERY_RTO);
    EXPECT_EQ(cc->ssthresh, u32_max(window / 2, 2000));
}

TEST(rack_does_not_count_as_lost_at_a_timeout_what_was_sent_just_now) /* [RFC8985 6.3] */
{
    struct peer p = peer_with_paced_segments(3);

    p.env->config.tail_loss_probe = false;
    acks(&p, 1, 0, 0);
    peer_waits(&p, tcp_deadline(p.conn) - p.env->now - 5 * NS_MS);
    peer_writes(&p, 1000);
    EXPECT_EQ(peer_skips(&p), 1);
    peer_waits(&p, 5 * NS_MS);
    EXPECT_EQ(p.conn->work->recovery.state, RECOVERY_RTO);
    EXPECT_EQ(p.conn->work->scoreboard.lost_bytes, 1000);
    EXPECT_EQ(p.conn->work->scoreboard.resent_bytes, 1000); /* the other */
    EXPECT_EQ(p.conn->work->scoreboard.in_flight_bytes, 2000);
    sees_again(&p, 1);
    peer_sees_nothing(&p);
}

/* ---- the probe at the tail ---- */

TEST(tlp_probes_after_two_round_trips_with_the_last_segment) /* [RFC8985 7.2, 7.3] */
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000,sackOK"});

    peer_writes(&p, 3000);
    EXPECT_EQ(peer_skips(&p), 3);
    EXPECT_EQ(p.conn->work->loss_timer, LOSS_TLP);
    EXPECT_EQ(peer_waits_for_frame(&p), 202 * NS_MS);
    peer_sees(&p, "P. 2001:3001(1000) ack 1");
    EXPECT(p.seen_resent);
    EXPECT_EQ(p.conn->work->loss_timer, LOSS_RTO);
    peer_waits(&p, 100 * NS_MS);
    peer_sends(&p, ". 1:1(0) ack 1 <nop,nop,sack 2001:3001>"); /* the first two are lost */
    peer_sees(&p, ". 1:1001(1000) ack 1");
    EXPECT_EQ(p.conn->work->recovery.state, RECOVERY_FAST); /* without a timeout */
}

TEST(tlp_probes_with_new_data_if_there_is_some) /* [RFC8985 7.3] */
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000,sackOK"});

    peer_writes(&p, 15000);
    EXPECT_EQ(peer_skips(&p), 10);
    peer_waits_for_frame(&p);
    peer_sees(&p, ". 10001:11001(1000) ack 1"); /* although the window is full */
    EXPECT(!p.seen_resent);
    peer_sees_nothing(&p);
    peer_sends(&p, ". 1:1(0) ack 11001");
    EXPECT_EQ(p.conn->work->recovery.state, RECOVERY_OPEN);
    EXPECT(!p.conn->work->tlp.is_out);
}

TEST(tlp_gives_a_lone_segment_time_for_a_delayed_acknowledgement) /* [RFC8985 7.2] */
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000,sackOK"});

    p.env->config.rto_min_ns = 2 * NS_S;
    peer_writes(&p, 500);
    peer_skips(&p);
    peer_sends(&p, ". 1:1(0) ack 501");
    peer_writes(&p, 500);
    peer_skips(&p);
    EXPECT_EQ(p.conn->work->loss_timer, LOSS_TLP);
    EXPECT_EQ(p.conn->work->tlp.at - p.env->now,
              2 * (ns_t)p.conn->rtt.srtt_us * NS_US + 200 * NS_MS);
}

TEST(tlp_takes_a_repaired_loss_for_congestion) /* [RFC8985 7.4.2] */
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000,sackOK"});

    peer_writes(&p, 10000);
    peer_skips(&p);
    peer_waits_for_frame(&p);
    peer_sees(&p, "P. 9001:10001(1000) ack 1");
    peer_writes(&p, 1000);
    peer_sends(&p, ". 1:1(0) ack 9001"); /* the last one was lost, the probe comes now */
    peer_skips(&p);
    peer_sends(&p, ". 1:1(0) ack 11001");
    EXPECT(p.conn->work->cc.ssthresh < 10000);
    EXPECT_EQ(p.conn->work->recovery.state, RECOVERY_OPEN);
}

TEST(tlp_takes_a_duplicate_for_no_loss) /* [RFC8985 7.4.2, case 1] */
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000,sackOK"});

    peer_writes(&p, 10000);
    peer_skips(&p);
    peer_waits_for_frame(&p);
    peer_skips(&p);
    peer_sends(&p, ". 1:1(0) ack 10001"); /* all ten were there */
    EXPECT(p.conn->work->tlp.is_out);
    peer_sends(&p, ". 1:1(0) ack 10001 <nop,nop,sack 9001:10001>");
    EXPECT(!p.conn->work->tlp.is_out);
    EXPECT_EQ(p.conn->work->cc.ssthresh, UINT32_MAX);
}

TEST(tlp_is_for_those_who_have_sack) /* [RFC8985 7.1] */
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000"});

    peer_writes(&p, 3000);
    peer_skips(&p);
    EXPECT_EQ(p.conn->work->loss_timer, LOSS_RTO);
}

TEST(tlp_takes_the_place_of_a_timeout_that_comes_first) /* [RFC8985 7.2] */
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000,sackOK"});

    peer_writes(&p, 500); /* 200 + 200 ms */
    peer_skips(&p);
    EXPECT_EQ(p.conn->work->loss_timer, LOSS_TLP);
    EXPECT_EQ(peer_waits_for_frame(&p), 300 * NS_MS);
    peer_skips(&p);
    EXPECT_EQ(p.conn->work->loss_timer, LOSS_RTO);
    EXPECT_EQ(peer_waits_for_frame(&p), 300 * NS_MS);
}
