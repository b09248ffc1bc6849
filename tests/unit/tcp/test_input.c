/* test_input.c - SEGMENT ARRIVES: sequence numbers, resets, text, FIN, urgent data, acknowledging */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/input.h"
#include "tcp/reasm.h"
#include "tcp/timers.h"
#include <stdio.h>

/* Past the acknowledgements that are sent at once when data begins to flow. */
static struct peer peer_with_slow_acks(void)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_sends(&p, ". 1:11(10) ack 1");
    peer_sees(&p, ". 1:1(0) ack 11");
    EXPECT_EQ(peer_reads(&p, 100), 10);
    p.conn->work->quick_acks = 0;
    peer_takes_events(&p);
    return p;
}

/* ---- first: the sequence number ---- */

TEST(input_takes_what_overlaps_the_left_edge_of_the_window_without_what_it_has)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_sends(&p, "P. 1:11(10) ack 1");
    peer_sends(&p, "P. 5:21(16) ack 1");
    peer_sees(&p, ". 1:1(0) ack 21");
    EXPECT_EQ(peer_reads(&p, 100), 20);
}

TEST(input_takes_what_overlaps_the_right_edge_of_the_window_without_what_does_not_fit)
{
    struct peer p = peer_of(TCP_CLOSED);

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_RECV_BUFFER, 1000), WEIR_OK);
    peer_brings_to(&p, TCP_ESTABLISHED);
    EXPECT_EQ(peer_sends(&p, "FP. 1:1202(1201) ack 1"), WHY_NONE);
    peer_sees(&p, ". 1:1(0) ack 1001 win 0");
    EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
    EXPECT_EQ(peer_reads(&p, 2000), 1000);
}

TEST(input_processes_the_ack_the_reset_and_the_urgent_pointer_with_a_window_of_zero)
/* [RFC9293 MUST-66] */
{
    for (int i = 0; i < 2; i++) {
        struct peer p = peer_of(TCP_CLOSED);
        EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_RECV_BUFFER, 1000), WEIR_OK);
        peer_brings_to(&p, TCP_ESTABLISHED);
        peer_sends(&p, "P. 1:1001(1000) ack 1");
        peer_sees(&p, ". 1:1(0) ack 1001 win 0");
        peer_writes(&p, 10);
        peer_sees(&p, "P. 1:11(10) ack 1001 win 0");
        peer_takes_events(&p);

        EXPECT_EQ(peer_sends(&p, "PU. 1001:1002(1) ack 11 urg 1"), WHY_NONE);
        EXPECT_EQ(p.conn->snd.una.raw, PEER_ISS + 11);
        EXPECT(peer_takes_events(&p) & WEIR_EVENT_URGENT);
        EXPECT_EQ(tcp_urgent(p.conn), 1001);
        peer_sees(&p, ". 11:11(0) ack 1001 win 0");
        if (i == 0)
            continue;
        EXPECT_EQ(peer_sends(&p, "R 1001:1001(0)"), WHY_TCP_RESET);
        EXPECT_EQ(p.conn->state, TCP_CLOSED);
        EXPECT_EQ(p.conn->error, WEIR_ECONNRESET);
    }
}

/* ---- second to fourth: resets and SYNs ---- */

TEST(input_tells_a_reset_from_a_close_by_its_error) /* [RFC9293 MUST-12] */
{
    static const struct {
        enum tcp_state state;
        int error;
    } rows[] = {
        {TCP_SYN_SENT, WEIR_ECONNREFUSED},
        {TCP_SYN_RECEIVED, WEIR_ECONNREFUSED},
        {TCP_ESTABLISHED, WEIR_ECONNRESET},
        {TCP_FIN_WAIT_1, WEIR_ECONNRESET},
        {TCP_FIN_WAIT_2, WEIR_ECONNRESET},
        {TCP_CLOSE_WAIT, WEIR_ECONNRESET},
        {TCP_CLOSING, WEIR_OK},
        {TCP_LAST_ACK, WEIR_OK},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = peer_of(rows[i].state);
        char text[64];
        snprintf(text, sizeof text, "R. %u:%u(0) ack 1", p.conn->rcv.nxt.raw - PEER_IRS,
                 p.conn->rcv.nxt.raw - PEER_IRS);
        if (rows[i].state == TCP_SYN_SENT)
            snprintf(text, sizeof text, "R. 0:0(0) ack 1");
        EXPECT_EQ(peer_sends(&p, text), WHY_TCP_RESET);
        EXPECT_EQ(p.conn->error, rows[i].error);
        EXPECT(peer_takes_events(&p) & WEIR_EVENT_CLOSED);
        peer_sees_nothing(&p);
    }
}

TEST(input_reports_data_that_a_reset_in_last_ack_has_lost) /* [RFC9293 MUST-12] */
{
    struct peer p = peer_of(TCP_CLOSE_WAIT);

    peer_writes(&p, 10);
    tcp_shutdown(p.conn, p.env);
    EXPECT_EQ(p.conn->state, TCP_LAST_ACK);
    EXPECT_EQ(peer_sends(&p, "R 2:2(0)"), WHY_TCP_RESET);
    EXPECT_EQ(p.conn->error, WEIR_ECONNRESET);
}

TEST(input_takes_a_reset_that_carries_text) /* [RFC9293 SHLD-2] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_sends(&p, "P. 1:11(10) ack 1");
    EXPECT_EQ(peer_sends(&p, "R. 11:24(13) ack 1"), WHY_TCP_RESET);
    EXPECT_EQ(peer_reads(&p, 100), 10);
    EXPECT_EQ(peer_reads(&p, 100), WEIR_ECONNRESET);
}

TEST(input_has_a_budget_of_challenge_acks) /* [RFC5961 7] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);
    int first = 0, second = 0;

    for (int i = 0; i < 100; i++) {
        peer_sends(&p, "S 9:9(0)");
        first += (int)peer_skips(&p);
    }
    EXPECT(first >= 5 && first <= 11);
    peer_waits(&p, NS_S);
    for (int i = 0; i < 100; i++) {
        peer_sends(&p, "R 9:9(0)");
        second += (int)peer_skips(&p);
    }
    EXPECT(second >= 5 && second <= 11);
    EXPECT_EQ(p.env->counts.challenge_acks, first + second);
}

TEST(input_has_a_budget_in_the_first_second_of_the_clock) /* [RFC5961 7] */
{
    struct peer p = peer_of(TCP_CLOSED);

    p.env->now = 0;
    peer_brings_to(&p, TCP_ESTABLISHED);
    peer_sends(&p, "S 9:9(0)");
    peer_sees(&p, ". 1:1(0) ack 1");
}

/* ---- fifth: the handshake's end ---- */

TEST(
    input_completes_a_simultaneous_open_by_ack_or_by_syn_ack) /* [RFC9293 MUST-10, 3.5, figure 7] */
{
    static const char *const segments[] = {". 1:1(0) ack 1", "S. 0:0(0) ack 1"};

    for (size_t i = 0; i < 2; i++) {
        struct peer p = peer_of(TCP_SYN_RECEIVED);
        EXPECT_EQ(peer_sends(&p, segments[i]), WHY_NONE);
        EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
        EXPECT_EQ(peer_takes_events(&p), WEIR_EVENT_CONNECTED | WEIR_EVENT_WRITABLE);
        if (i == 1)
            peer_sees(&p, ". 1:1(0) ack 1"); /* the SYN has come twice */
        peer_sees_nothing(&p);
        peer_sends(&p, "P. 1:11(10) ack 1");
        peer_sees(&p, ". 1:1(0) ack 11");
    }
}

TEST(input_does_not_scale_the_window_of_a_syn_ack) /* [RFC7323 2.2] */
{
    struct peer p =
        peer_with(TCP_SYN_RECEIVED, (struct peer_setup){.options = "mss 1460,nop,wscale 7"});

    peer_sends(&p, "S. 0:0(0) ack 1 win 60000 <mss 1460,nop,wscale 7>");
    EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
    EXPECT(p.conn->snd.wnd <= 60000 && p.conn->snd.wnd > 60000 - 128);
}

TEST(input_counts_no_loss_when_both_have_opened_at_once)
{
    struct peer p = peer_of(TCP_SYN_RECEIVED);

    peer_sends(&p, ". 1:1(0) ack 1");
    EXPECT_EQ(p.conn->work->cc.cwnd, 14600);
    EXPECT_EQ(p.conn->rtt.rto_us, 1000000);
}

TEST(input_closes_at_once_what_was_closed_during_the_handshake)
{
    struct peer p = peer_of(TCP_SYN_RECEIVED);

    EXPECT_EQ(tcp_shutdown(p.conn, p.env), WEIR_OK);
    peer_sees_nothing(&p);
    peer_sends(&p, ". 1:1(0) ack 1");
    EXPECT_EQ(p.conn->state, TCP_FIN_WAIT_1);
    peer_sees(&p, "F. 1:1(0) ack 1");
}

/* ---- sixth: urgent data ---- */

TEST(input_tells_of_urgent_data_and_how_far_it_reaches) /* [RFC9293 MUST-31, MUST-32, MUST-33] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_sends(&p, "PU. 1:11(10) ack 1 urg 200"); /* far ahead of the text */
    EXPECT(peer_takes_events(&p) & WEIR_EVENT_URGENT);
    EXPECT_EQ(tcp_urgent(p.conn), 200);
    EXPECT_EQ(peer_reads(&p, 4), 4);
    EXPECT_EQ(tcp_urgent(p.conn), 196);
    peer_sends(&p, "PU. 11:21(10) ack 1 urg 190"); /* the same end */
    EXPECT(!(peer_takes_events(&p) & WEIR_EVENT_URGENT));
    peer_sends(&p, "PU. 21:31(10) ack 1 urg 181"); /* it advances by one */
    EXPECT(peer_takes_events(&p) & WEIR_EVENT_URGENT);
    EXPECT_EQ(tcp_urgent(p.conn), 197);
    peer_sends(&p, "P. 31:231(200) ack 1");
    EXPECT_EQ(peer_reads(&p, 196), 196);
    EXPECT_EQ(tcp_urgent(p.conn), 1);
    EXPECT_EQ(peer_reads(&p, 1), 1);
    EXPECT_EQ(tcp_urgent(p.conn), 0);
}

TEST(input_counts_urgent_data_right_before_an_end)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_sends(&p, "FPU. 1:11(10) ack 1 urg 5");
    EXPECT_EQ(tcp_urgent(p.conn), 5);
    EXPECT_EQ(peer_reads(&p, 4), 4);
    EXPECT_EQ(tcp_urgent(p.conn), 1);
    EXPECT_EQ(peer_reads(&p, 1), 1);
    EXPECT_EQ(tcp_urgent(p.conn), 0);
}

TEST(input_forgets_urgent_data_that_never_came)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_sends(&p, "FPU. 1:11(10) ack 1 urg 100");
    EXPECT_EQ(peer_reads(&p, 10), 10);
    EXPECT_EQ(tcp_urgent(p.conn), 0);
}

/* ---- seventh: text, and what is acknowledged when ---- */

TEST(input_acknowledges_at_once_when_data_begins_to_flow)
{
    struct peer p = peer_of(TCP_ESTABLISHED);
    char text[64];

    for (unsigned i = 0; i < 16; i++) {
        snprintf(text, sizeof text, "P. %u:%u(10) ack 1", 1 + 10 * i, 11 + 10 * i);
        peer_sends(&p, text);
        snprintf(text, sizeof text, ". 1:1(0) ack %u", 11 + 10 * i);
        peer_sees(&p, text);
    }
    peer_sends(&p, "P. 161:171(10) ack 1");
    peer_sees_nothing(&p);
}

TEST(input_delays_an_acknowledgement_by_40_ms_and_never_by_half_a_second)
/* [RFC9293 MUST-40, SHLD-18] */
{
    struct peer p = peer_with_slow_acks();
    ns_t delay_ns;
    char text[64];

    peer_waits(&p, 100 * NS_MS);
    for (unsigned i = 0; i < 3; i++) {
        snprintf(text, sizeof text, "P. %u:%u(10) ack 1", 11 + 10 * i, 21 + 10 * i);
        peer_sends(&p, text);
        delay_ns = peer_waits_for_frame(&p); /* it grows with the time between segments */
        EXPECT(delay_ns >= 40 * NS_MS && delay_ns <= 200 * NS_MS);
        EXPECT_EQ(peer_skips(&p), 1);
        peer_waits(&p, (ns_t)i * NS_MS);
    }
}

TEST(input_acknowledges_every_second_full_segment) /* [RFC9293 SHLD-19] */
{
    struct peer p = peer_with_slow_acks();
    char text[64];

    for (unsigned i = 0; i < 20; i++) {
        snprintf(text, sizeof text, ". %u:%u(1000) ack 1", 11 + 1000 * i, 1011 + 1000 * i);
        peer_sends(&p, text);
        if (i % 2 == 0) {
            peer_sees_nothing(&p);
            continue;
        }
        snprintf(text, sizeof text, ". 1:1(0) ack %u", 1011 + 1000 * i);
        peer_sees(&p, text);
    }
}

TEST(input_answers_a_batch_of_segments_with_one_acknowledgement) /* [RFC9293 MUST-58, MUST-59] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_sends(&p, ". 1:1001(1000) ack 1");
    peer_sends(&p, ". 1001:2001(1000) ack 1");
    peer_sends(&p, ". 2001:3001(1000) ack 1");
    peer_sends(&p, ". 3001:4001(1000) ack 1");
    peer_sees(&p, ". 1:1(0) ack 4001");
    peer_sees_nothing(&p);
}

TEST(input_owes_an_acknowledgement_for_each_segment_out_of_order) /* [RFC9293 MAY-13, SHLD-31] */
{
    struct peer p = peer_with_slow_acks();

    peer_sends(&p, ". 111:211(100) ack 1");
    peer_sends(&p, ". 211:311(100) ack 1");
    peer_sends(&p, ". 411:511(100) ack 1");
    for (int i = 0; i < 3; i++)
        peer_sees(&p, ". 1:1(0) ack 11");
    peer_sees_nothing(&p);
    EXPECT(!(peer_takes_events(&p) & WEIR_EVENT_READABLE));

    peer_sends(&p, ". 11:111(100) ack 1");
    peer_sees(&p, ". 1:1(0) ack 311"); /* at once [RFC5681 4.2] */
    EXPECT(peer_takes_events(&p) & WEIR_EVENT_READABLE);
    EXPECT_EQ(peer_reads(&p, 1000), 300);
    peer_sends(&p, ". 311:411(100) ack 1");
    peer_sees(&p, ". 1:1(0) ack 511");
    EXPECT_EQ(peer_reads(&p, 1000), 200);
    EXPECT(p.conn->work->reasm == NULL);
}

TEST(input_lets_no_text_of_ours_stand_for_a_duplicate_acknowledgement) /* [RFC5681 2] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_writes(&p, 10);
    peer_sends(&p, ". 111:211(100) ack 1");
    peer_sends(&p, ". 211:311(100) ack 1");
    peer_sees(&p, "P. 1:11(10) ack 1");
    peer_sees(&p, ". 11:11(0) ack 1");
    peer_sees(&p, ". 11:11(0) ack 1");
    peer_sees_nothing(&p);
}

TEST(input_carries_acknowledgements_on_text_that_answers)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_sends(&p, "P. 1:11(10) ack 1");
    peer_writes(&p, 20);
    peer_sees(&p, "P. 1:21(20) ack 11");
    peer_sees_nothing(&p);
    peer_sends(&p, "P. 11:21(10) ack 21"); /* interactive by now: no quick acknowledgement */
    peer_sees_nothing(&p);
    EXPECT_EQ(peer_waits_for_frame(&p), 40 * NS_MS);
    peer_sees(&p, ". 21:21(0) ack 21");
}

TEST(input_acknowledges_at_once_if_the_application_likes_it)
{
    struct peer p = peer_with_slow_acks();

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_QUICKACK, 1), WEIR_OK);
    peer_sends(&p, "P. 11:12(1) ack 1");
    peer_sees(&p, ". 1:1(0) ack 12");
}

TEST(input_has_both_kinds_of_frames_and_releases_them)
{
    for (int lends = 0; lends < 2; lends++) {
        struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.lends_frames = lends});
        peer_sends(&p, ". 1:1001(1000) ack 1");
        peer_sends(&p, ". 1001:1011(10) ack 1");
        peer_sends(&p, ". 1011:2011(1000) ack 1");
        EXPECT_EQ(p.world->frames_in, lends ? 0 : 2); /* a small one is copied in any case */
        EXPECT_EQ(peer_reads(&p, 1500), 1500);
        EXPECT_EQ(peer_reads(&p, 1500), 510);
        EXPECT_EQ(p.world->frames_in, 0);
    }
}

TEST(input_resets_what_sends_to_an_application_that_has_gone) /* [RFC9293 SHLD-3] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    tcp_close(p.conn, p.env);
    peer_sees(&p, "F. 1:1(0) ack 1");
    EXPECT_EQ(peer_sends(&p, "P. 1:11(10) ack 2"), WHY_TCP_CLOSED);
    EXPECT_EQ(p.conn->state, TCP_CLOSED);
    peer_sees(&p, "R 2:2(0)");
    peer_sees_nothing(&p);
}

TEST(input_resets_a_sender_that_has_not_seen_the_fin_with_its_own_number) /* [RFC5961 3.2] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    tcp_close(p.conn, p.env);
    peer_sees(&p, "F. 1:1(0) ack 1");
    EXPECT_EQ(peer_sends(&p, "P. 1:11(10) ack 1"), WHY_TCP_CLOSED);
    peer_sees(&p, "R 1:1(0)");
    peer_sees_nothing(&p);
}

TEST(input_takes_a_fin_that_was_ahead_when_the_gap_is_filled)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_sends(&p, "FP. 11:21(10) ack 1");
    peer_sees(&p, ". 1:1(0) ack 1");
    EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
    peer_sends(&p, "P. 1:11(10) ack 1");
    peer_sees(&p, ". 1:1(0) ack 22");
    EXPECT_EQ(p.conn->state, TCP_CLOSE_WAIT);
    EXPECT(peer_takes_events(&p) & WEIR_EVENT_PEER_CLOSED);
    EXPECT_EQ(peer_reads(&p, 100), 20);
    EXPECT_EQ(peer_reads(&p, 100), 0);
}

TEST(input_forgets_the_fin_of_a_peer_that_contradicts_itself)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_sends(&p, "F. 11:11(0) ack 1");
    peer_sends(&p, "P. 1:31(30) ack 1");
    EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
    EXPECT(p.conn->work->reasm == NULL);
    EXPECT_EQ(peer_reads(&p, 100), 30);
}

TEST(input_drops_what_it_has_no_memory_for_and_takes_it_later)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    p.world->alloc.fail_at = p.world->alloc.calls + 1;
    p.world->alloc.fails_from_then = true;
    EXPECT_EQ(peer_sends(&p, "P. 1:3001(3000) ack 1"), WHY_NO_MEMORY);
    EXPECT_EQ(peer_sends(&p, "P. 3001:6001(3000) ack 1"), WHY_NO_MEMORY);
    p.world->alloc.fail_at = 0;
    peer_skips(&p);
    EXPECT_EQ(peer_sends(&p, "P. 1:3001(3000) ack 1"), WHY_NONE);
    peer_sees(&p, ". 1:1(0) ack 3001");
    EXPECT_EQ(peer_reads(&p, 9000), 3000);
}

TEST(input_does_not_keep_more_than_memory_for_four_buffers)
{
    struct peer p = peer_with(
        TCP_CLOSED, (struct peer_setup){.options = "mss 1460,nop,wscale 7", .lends_frames = true});
    char text[64];
    enum why why = WHY_NONE;
    uint32_t at = 1;

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_RECV_BUFFER, 8192), WEIR_OK);
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_QUICKACK, 1), WEIR_OK);
    peer_brings_to(&p, TCP_ESTABLISHED);
    while (why == WHY_NONE) { /* the edge is rounded up: a byte at a time never reaches it */
        EXPECT(at < 8 * 8192);
        snprintf(text, sizeof text, ". %u:%u(1) ack 1", at, at + 1);
        why = peer_sends(&p, text);
        at += why == WHY_NONE;
        peer_skips(&p);
    }
    EXPECT_EQ(why, WHY_TCP_BUFFER);
    EXPECT(p.conn->work->recvq.memory <= 4 * 8192 + 2048);
    snprintf(text, sizeof text, ". %u:%u(1) ack 1", at + 1, at + 2);
    EXPECT_EQ(peer_sends(&p, text), WHY_TCP_BUFFER);
    EXPECT_EQ(peer_reads(&p, 65536), at - 1);
    snprintf(text, sizeof text, ". %u:%u(1) ack 1", at, at + 1);
    EXPECT_EQ(peer_sends(&p, text), WHY_NONE);
    EXPECT_EQ(peer_reads(&p, 65536), 1);
}

/* ---- eighth: the FIN, and the ways a connection closes ---- */

TEST(input_closes_from_our_side) /* [RFC9293 3.6, figure 12, MUST-13] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    tcp_shutdown(p.conn, p.env);
    peer_sees(&p, "F. 1:1(0) ack 1");
    peer_sends(&p, ". 1:1(0) ack 2");
    EXPECT_EQ(p.conn->state, TCP_FIN_WAIT_2);
    peer_sends(&p, "P. 1:11(10) ack 2"); /* half closed: we still receive */
    peer_sees(&p, ". 2:2(0) ack 11");
    EXPECT_EQ(peer_reads(&p, 100), 10);
    peer_sends(&p, "F. 11:11(0) ack 2");
    peer_sees(&p, ". 2:2(0) ack 12");
    EXPECT_EQ(peer_state(&p), TCP_TIME_WAIT);
    EXPECT_EQ(peer_reads(&p, 100), 0);
    EXPECT(peer_takes_events(&p) & WEIR_EVENT_CLOSED);
    EXPECT_EQ(p.conn->error, WEIR_OK);
    peer_waits(&p, 60 * NS_S - 1);
    EXPECT_EQ(peer_state(&p), TCP_TIME_WAIT);
    peer_waits(&p, 1);
    EXPECT_EQ(peer_state(&p), TCP_CLOSED);
}

TEST(input_closes_from_the_peers_side) /* [RFC9293 3.6, figure 12] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_sends(&p, "F. 1:1(0) ack 1");
    peer_sees(&p, ". 1:1(0) ack 2");
    EXPECT_EQ(p.conn->state, TCP_CLOSE_WAIT);
    EXPECT_EQ(peer_takes_events(&p), WEIR_EVENT_READABLE | WEIR_EVENT_PEER_CLOSED);
    peer_writes(&p, 10); /* half closed: we still send */
    peer_sees(&p, "P. 1:11(10) ack 2");
    tcp_shutdown(p.conn, p.env);
    peer_sees(&p, "F. 11:11(0) ack 2");
    peer_sends(&p, ". 2:2(0) ack 12");
    EXPECT_EQ(p.conn->state, TCP_CLOSED);
    EXPECT_EQ(peer_takes_events(&p), WEIR_EVENT_CLOSED);
    EXPECT_EQ(p.conn->error, WEIR_OK);
}

TEST(input_both_sides_close_at_once) /* [RFC9293 3.6, figure 13] */
{
    struct peer p = peer_of(TCP_FIN_WAIT_1);

    peer_sends(&p, "F. 1:1(0) ack 1");
    peer_sees(&p, ". 2:2(0) ack 2");
    EXPECT_EQ(p.conn->state, TCP_CLOSING);

    peer_sends(&p, ". 2:2(0) ack 2");
    peer_sees_nothing(&p);
    EXPECT_EQ(peer_state(&p), TCP_TIME_WAIT);
}

TEST(input_closes_in_three_segments)
{
    struct peer p = peer_of(TCP_FIN_WAIT_1);

    peer_sends(&p, "F. 1:1(0) ack 2");
    peer_sees(&p, ". 2:2(0) ack 2");
    EXPECT_EQ(peer_state(&p), TCP_TIME_WAIT);
}

TEST(input_acknowledges_a_fin_that_comes_again)
{
    struct peer p = peer_of(TCP_CLOSE_WAIT);

    peer_sends(&p, "F. 1:1(0) ack 1");
    peer_sees(&p, ". 1:1(0) ack 2");
    EXPECT_EQ(p.conn->state, TCP_CLOSE_WAIT);
}

TEST(input_drops_what_wakes_a_connection_for_which_there_is_no_memory)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_waits(&p, 2 * NS_S);
    pool_trim(&p.env->works);
    p.world->alloc.fail_at = p.world->alloc.calls + 1;
    EXPECT_EQ(peer_sends(&p, "P. 1:11(10) ack 1"), WHY_NO_MEMORY);
    EXPECT_EQ(peer_sends(&p, "P. 1:11(10) ack 1"), WHY_NONE);
    EXPECT_EQ(peer_reads(&p, 100), 10);
}
