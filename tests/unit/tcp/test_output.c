/* test_output.c - Nagle, cork, silly windows, PSH, FIN, super-segments, urgent data */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/output.h"
#include "tcp/timers.h"
#include <stdio.h>

static struct peer peer_of_1000(void)
{
    return peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000"});
}

/* ---- Nagle, in Minshall's variant ---- */

TEST(output_holds_a_short_segment_back_while_another_is_under_way) /* [RFC9293 SHLD-7, MAY-16] */
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 10);
    peer_sees(&p, "P. 1:11(10) ack 1");
    peer_writes(&p, 10);
    peer_writes(&p, 10);
    peer_sees_nothing(&p);
    peer_sends(&p, ". 1:1(0) ack 11");
    peer_sees(&p, "P. 11:31(20) ack 1");
}

TEST(output_sends_a_short_segment_after_whole_ones) /* Minshall: docs/deviations.md */
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 2010);
    peer_sees(&p, ". 1:1001(1000) ack 1");
    peer_sees(&p, ". 1001:2001(1000) ack 1");
    peer_sees(&p, "P. 2001:2011(10) ack 1");
    peer_writes(&p, 10);
    peer_sees_nothing(&p);
    peer_writes(&p, 1990);
    peer_sees(&p, ". 2011:3011(1000) ack 1"); /* whole ones go in any case [SHLD-28] */
    peer_sees(&p, "P. 3011:4011(1000) ack 1");
}

TEST(output_sends_short_segments_at_once_without_nagle) /* [RFC9293 MUST-17] */
{
    struct peer p = peer_of_1000();

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_NODELAY, 1), WEIR_OK);
    peer_writes(&p, 10);
    peer_sees(&p, "P. 1:11(10) ack 1");
    peer_writes(&p, 10);
    peer_sees(&p, "P. 11:21(10) ack 1");
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_NODELAY, 0), WEIR_OK);
    peer_writes(&p, 10);
    peer_sees_nothing(&p);
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_NODELAY, 1), WEIR_OK);
    peer_sees(&p, "P. 21:31(10) ack 1");
}

TEST(output_holds_nothing_back_before_a_fin)
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 10);
    peer_sees(&p, "P. 1:11(10) ack 1");
    peer_writes(&p, 10);
    tcp_shutdown(p.conn, p.env);
    peer_sees(&p, "FP. 11:21(10) ack 1");
    peer_sees_nothing(&p);
}

/* ---- cork ---- */

TEST(output_sends_whole_segments_only_while_corked_and_all_after_200_ms) /* [RFC9293 MUST-60] */
{
    struct peer p = peer_of_1000();

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_CORK, 1), WEIR_OK);
    peer_writes(&p, 500);
    peer_sees_nothing(&p);
    peer_writes(&p, 600);
    peer_sees(&p, ". 1:1001(1000) ack 1");
    peer_sees_nothing(&p);
    peer_sends(&p, ". 1:1(0) ack 1001");
    EXPECT_EQ(peer_waits_for_frame(&p), 200 * NS_MS);
    peer_sees(&p, "P. 1001:1101(100) ack 1");
    peer_writes(&p, 500); /* and the cork is in again */
    peer_sees_nothing(&p);
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_CORK, 0), WEIR_OK);
    peer_sees(&p, "P. 1101:1601(500) ack 1");
}

TEST(output_waits_for_what_the_application_says_will_follow)
{
    struct peer p = peer_of_1000();

    peer_writes_flagged(&p, 100, WEIR_SEND_MORE);
    peer_sees_nothing(&p);
    peer_writes_flagged(&p, 100, WEIR_SEND_MORE);
    peer_sees_nothing(&p);
    peer_writes(&p, 100);
    peer_sees(&p, "P. 1:301(300) ack 1");
    peer_sends(&p, ". 1:1(0) ack 301");
    peer_writes_flagged(&p, 100, WEIR_SEND_MORE);
    EXPECT_EQ(peer_waits_for_frame(&p), 200 * NS_MS);
    peer_sees(&p, "P. 301:401(100) ack 1");
}

TEST(output_releases_what_more_holds_back_with_an_acknowledgement)
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 1000);
    peer_sees(&p, "P. 1:1001(1000) ack 1");
    peer_writes_flagged(&p, 100, WEIR_SEND_MORE);
    peer_sees_nothing(&p);
    peer_sends(&p, ". 1:1(0) ack 1001");
    peer_sees(&p, ". 1001:1101(100) ack 1"); /* more is to come: nothing is pushed */
}

TEST(output_lets_a_cork_hold_nothing_that_is_there_when_nodelay_is_set)
{
    struct peer p = peer_of_1000();

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_CORK, 1), WEIR_OK);
    peer_writes(&p, 100);
    peer_sees_nothing(&p);
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_NODELAY, 1), WEIR_OK);
    peer_sees(&p, "P. 1:101(100) ack 1");
    peer_writes(&p, 100);
    peer_sees_nothing(&p);
}

/* ---- records ---- */

TEST(output_puts_the_end_of_a_record_and_what_follows_into_different_segments)
{
    struct peer p = peer_of_1000();

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_CORK, 1), WEIR_OK);
    peer_writes(&p, 1100);
    peer_writes_flagged(&p, 300, WEIR_SEND_END_OF_RECORD);
    peer_writes_flagged(&p, 1000, WEIR_SEND_END_OF_RECORD);
    peer_writes(&p, 50);
    peer_sees(&p, ". 1:1001(1000) ack 1");
    peer_sees(&p, "P. 1001:1401(400) ack 1"); /* nothing can be added to it: why wait? */
    peer_sees(&p, "P. 1401:2401(1000) ack 1");
    peer_sees_nothing(&p);
    peer_sends(&p, ". 1:1(0) ack 2401");
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_CORK, 0), WEIR_OK);
    peer_sees(&p, "P. 2401:2451(50) ack 1");
    peer_sends(&p, ". 1:1(0) ack 2451");
    peer_writes(&p, 10);
    peer_writes(&p, 10); /* records are a thing of the past */
    peer_sees(&p, "P. 2451:2471(20) ack 1");
}

TEST(output_sends_records_again_one_by_one)
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000,sackOK"});

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_NODELAY, 1), WEIR_OK);
    for (int i = 0; i < 3; i++)
        peer_writes_flagged(&p, 400, WEIR_SEND_END_OF_RECORD);
    peer_writes(&p, 400);
    EXPECT_EQ(peer_skips(&p), 4);
    peer_waits_for_frame(&p);
    peer_sees(&p, "P. 1201:1601(400) ack 1"); /* the probe at the tail [RFC8985 7.3] */
    peer_waits_for_frame(&p);
    peer_sees(&p, "P. 1:401(400) ack 1"); /* the timeout */
}

/* ---- windows ---- */

TEST(output_does_not_fall_for_a_silly_window) /* [RFC9293 MUST-38, SHLD-28] */
{
    struct peer p = peer_of_1000();

    peer_sends(&p, ". 1:1(0) ack 1 win 400");
    peer_writes(&p, 5000);
    peer_sees_nothing(&p); /* neither a whole segment nor half of the largest window */
    EXPECT_EQ(peer_waits_for_frame(&p), 200 * NS_MS); /* [RFC9293 3.8.6.2.1 (4)] */
    peer_sees(&p, ". 1:401(400) ack 1");
    peer_sees_nothing(&p);
    peer_sends(&p, ". 1:1(0) ack 401 win 1000");
    peer_sees(&p, ". 401:1401(1000) ack 1");
}

TEST(output_sends_half_of_the_largest_window_there_ever_was) /* [RFC9293 3.8.6.2.1 (3)] */
{
    struct peer p =
        peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000", .window = 600});

    peer_writes(&p, 5000);
    peer_sees(&p, ". 1:601(600) ack 1");
    peer_sees_nothing(&p);
    peer_sends(&p, ". 1:1(0) ack 601 win 299");
    peer_sees_nothing(&p);
    peer_sends(&p, ". 1:1(0) ack 601 win 300");
    peer_sees(&p, ". 601:901(300) ack 1");
}

TEST(output_sends_everything_there_is_into_a_small_window)
{
    struct peer p = peer_of_1000();

    peer_sends(&p, ". 1:1(0) ack 1 win 10");
    peer_writes(&p, 10);
    peer_sees(&p, "P. 1:11(10) ack 1");
    tcp_shutdown(p.conn, p.env);
    peer_sees_nothing(&p); /* a FIN takes a number, too */
    peer_sends(&p, ". 1:1(0) ack 11 win 10");
    peer_sees(&p, "F. 11:11(0) ack 1");
}

TEST(output_leaves_the_fin_for_the_next_window)
{
    struct peer p = peer_of_1000();

    peer_sends(&p, ". 1:1(0) ack 1 win 10");
    peer_writes(&p, 10);
    tcp_shutdown(p.conn, p.env);
    peer_sees(&p, "P. 1:11(10) ack 1");
    peer_sees_nothing(&p);
    peer_sends(&p, ". 1:1(0) ack 11 win 0");
    EXPECT_EQ(peer_waits_for_frame(&p), (ns_t)p.conn->rtt.rto_us * NS_US);
    peer_sees(&p, ". 10:10(0) ack 1");
    peer_sends(&p, ". 1:1(0) ack 11 win 1");
    peer_sees(&p, "F. 11:11(0) ack 1");
}

/* ---- flags ---- */

TEST(output_pushes_the_last_segment_of_what_was_written) /* [RFC9293 MUST-61, SHLD-27] */
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 500);
    peer_writes(&p, 500);
    peer_writes(&p, 1500);
    peer_sees(&p, ". 1:1001(1000) ack 1");
    peer_sees(&p, ". 1001:2001(1000) ack 1");
    peer_sees(&p, "P. 2001:2501(500) ack 1");
}

TEST(output_points_to_the_octet_after_urgent_data) /* [RFC9293 MUST-30, MUST-62] */
{
    struct peer p = peer_of_1000();

    peer_writes(&p, 10);
    peer_writes_flagged(&p, 5, WEIR_SEND_URGENT);
    peer_writes(&p, 5);
    peer_sees(&p, "PU. 1:21(20) ack 1 urg 15");
    peer_sends(&p, ". 1:1(0) ack 11");
    peer_writes(&p, 1000);
    peer_sees(&p, "P. 21:1021(1000) ack 1"); /* not urgent itself */
    peer_sends(&p, ". 1:1(0) ack 16");
    EXPECT(!p.conn->snd_urgent);
}

TEST(output_has_urgent_data_of_any_length) /* [RFC9293 MUST-31] */
{
    struct peer p =
        peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000,nop,wscale 7"});

    peer_writes_flagged(&p, 100000, WEIR_SEND_URGENT);
    peer_sees(&p, "U. 1:1001(1000) ack 1 urg 65535"); /* as far as it can say */
    peer_skips(&p);
    peer_sends(&p, ". 1:1(0) ack 10001");
    peer_skips(&p);
    for (unsigned ack = 20001; ack <= 90001; ack += 10000) {
        char text[64];
        snprintf(text, sizeof text, ". 1:1(0) ack %u", ack);
        peer_sends(&p, text);
        if (ack < 50001)
            peer_skips(&p);
    }
    while (p.conn->snd.nxt.raw != PEER_ISS + 100001)
        EXPECT(peer_skips(&p) > 0);
    EXPECT(p.conn->snd_urgent);
}

/* ---- super-segments ---- */

TEST(output_makes_segments_as_large_as_the_device_takes)
{
    struct peer p =
        peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000,nop,wscale 7"});

    p.gso_bytes = 5500;
    peer_writes(&p, 9100);
    peer_sees(&p, ". 1:5001(5000) ack 1");
    EXPECT_EQ(p.seen_gso_size, 1000);
    peer_sees(&p, "P. 5001:9101(4100) ack 1");
    EXPECT_EQ(p.seen_gso_size, 1000);
    EXPECT_EQ(p.conn->segs_out, 2 + 10); /* with the handshake's */
    EXPECT_EQ(p.conn->work->data_segs_out, 10);
    peer_sends(&p, ". 1:1(0) ack 9101");
    peer_writes(&p, 1000);
    peer_sees(&p, "P. 9101:10101(1000) ack 1");
    EXPECT_EQ(p.seen_gso_size, 0);
}

TEST(output_ends_no_super_segment_in_a_short_one_for_want_of_slices)
{
    struct peer p =
        peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000,nop,wscale 7"});

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_CORK, 1), WEIR_OK);
    p.gso_bytes = 60000;
    for (int i = 0; i < 30; i++)
        peer_lends(&p, 333);
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_CORK, 0), WEIR_OK);
    while (peer_skips_one(&p) && p.conn->snd.nxt.raw != PEER_ISS + 9991)
        EXPECT_EQ((p.conn->snd.nxt.raw - (PEER_ISS + 1)) % 1000, 0);
    EXPECT_EQ(p.conn->snd.nxt.raw, PEER_ISS + 9991);
}

/* ---- memory ---- */

TEST(output_sends_later_what_it_has_no_memory_for)
{
    struct peer p = peer_of_1000();
    struct tcp_turn turn;

    peer_writes(&p, 10);
    pool_trim(p.env->frames);
    p.world->alloc.fail_at = p.world->alloc.calls + 1;
    p.world->alloc.fails_from_then = true;
    EXPECT(tcp_output(p.conn, p.env, 0, &turn) == NULL);
    EXPECT(turn.no_memory);
    EXPECT_EQ(p.conn->snd.nxt.raw, PEER_ISS + 1);
    p.world->alloc.fail_at = 0;
    peer_sees(&p, "P. 1:11(10) ack 1");
}

/* ---- what blocked us ---- */

TEST(output_notes_what_it_was_waiting_for)
{
    struct peer p = peer_of_1000();
    struct weir_tcp_info info;

    peer_waits(&p, 500 * NS_MS); /* for the application */
    peer_writes(&p, 20000);
    EXPECT_EQ(peer_skips(&p), 10);
    peer_waits(&p, 30 * NS_MS); /* for the congestion window */
    peer_sends(&p, ". 1:1(0) ack 10001 win 0");
    peer_sees_nothing(&p);
    peer_waits(&p, 50 * NS_MS); /* for the peer */
    peer_sends(&p, ". 1:1(0) ack 10001 win 65535");
    EXPECT_EQ(peer_skips(&p), 10);
    tcp_info(p.conn, p.env, &info);
    EXPECT_EQ(info.blocked_by_app_ns, 500 * NS_MS);
    EXPECT_EQ(info.blocked_by_cwnd_ns, 30 * NS_MS);
    EXPECT_EQ(info.blocked_by_peer_ns, 50 * NS_MS);
    EXPECT_EQ(info.busy_ns, 80 * NS_MS);
    peer_waits(&p, 20 * NS_MS);
    peer_sends(&p, ". 1:1(0) ack 20001 win 0");
    peer_writes(&p, 1000);
    peer_sees_nothing(&p);
    peer_waits(&p, 70 * NS_MS); /* still for the peer */
    tcp_info(p.conn, p.env, &info);
    EXPECT_EQ(info.blocked_by_peer_ns, 120 * NS_MS);
    EXPECT_EQ(info.busy_ns, 170 * NS_MS);
}

TEST(output_notes_that_a_small_buffer_is_what_holds_it_back)
{
    struct peer p = peer_of_1000();
    struct weir_tcp_info info;

    p.conn->send_buffer_bytes = 5000;
    peer_writes(&p, 5000);
    EXPECT_EQ(tcp_send(p.conn, p.env, "more", 4, 0), WEIR_EAGAIN);
    EXPECT_EQ(peer_skips(&p), 5);
    peer_waits(&p, 40 * NS_MS);
    tcp_info(p.conn, p.env, &info);
    EXPECT_EQ(info.blocked_by_buffer_ns, 40 * NS_MS);
    EXPECT_EQ(info.blocked_by, WEIR_TCP_BLOCKED_BUFFER);
    peer_sends(&p, ". 1:1(0) ack 5001");
    peer_sees_nothing(&p);
    tcp_info(p.conn, p.env, &info);
    EXPECT_EQ(info.blocked_by, WEIR_TCP_BLOCKED_APP);
}
