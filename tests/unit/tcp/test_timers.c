/* test_timers.c - retransmission timeouts, giving up, probes, keep-alive, rest */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/timers.h"
#include <stdio.h>

/* ---- retransmission ---- */

TEST(timers_repeat_a_syn_at_1_3_7_15_31_and_63_s_and_give_up_at_127_s) /* [RFC9293 MUST-22] */
{
    static const int at_s[] = {1, 3, 7, 15, 31, 63};
    struct peer p = peer_of(TCP_SYN_SENT);
    ns_t start = p.env->now;

    for (size_t i = 0; i < sizeof at_s / sizeof *at_s; i++) {
        peer_waits_for_frame(&p);
        peer_sees(&p, "S 0:0(0) <...>");
        EXPECT_EQ(p.seen_at - start, at_s[i] * NS_S);
        EXPECT(p.seen_resent);
    }
    EXPECT_EQ(peer_waits_for_frame(&p), NEVER);
    EXPECT_EQ(p.env->now - start, 127 * NS_S);
    EXPECT_EQ(p.conn->state, TCP_CLOSED);
    EXPECT_EQ(p.conn->error, WEIR_ETIMEDOUT);
    EXPECT_EQ(peer_takes_events(&p), WEIR_EVENT_CLOSED);
}

TEST(timers_repeat_a_syn_as_often_as_the_application_says) /* [RFC9293 MUST-23] */
{
    struct peer p = peer_of(TCP_CLOSED);
    size_t count = 0;

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_SYN_RETRIES, 7), WEIR_OK);
    peer_opens(&p);
    while (peer_waits_for_frame(&p) != NEVER)
        count += peer_skips(&p);
    EXPECT_EQ(count, 8);
    EXPECT_EQ(p.env->now - 1000 * NS_S, 247 * NS_S); /* the last wait is 120 s at most */
}

TEST(timers_repeat_the_syn_ack_of_a_simultaneous_open)
{
    struct peer p = peer_of(TCP_SYN_RECEIVED);

    EXPECT_EQ(peer_waits_for_frame(&p), 1 * NS_S);
    peer_sees(&p, "S. 0:0(0) ack 1 <...>");
    EXPECT_EQ(peer_waits_for_frame(&p), 2 * NS_S);
    peer_sees(&p, "S. 0:0(0) ack 1 <...>");
    peer_sends(&p, ". 1:1(0) ack 1");
    EXPECT_EQ(p.conn->work->cc.cwnd, 1460); /* lost in the handshake [RFC5681 3.1] */
    EXPECT_EQ(p.conn->rtt.rto_us, 3000000); /* [RFC6298 5.7] */
}

TEST(timers_double_the_timeout_each_time) /* [RFC9293 MUST-18, MUST-19] [RFC6298 5.5] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);
    ns_t rto_ns = 300 * NS_MS;

    peer_writes(&p, 10);
    peer_sees(&p, "P. 1:11(10) ack 1");
    EXPECT(!p.seen_resent);
    for (int i = 0; i < 15; i++) {
        EXPECT_EQ(peer_waits_for_frame(&p), ns_min(rto_ns << i, 120 * NS_S));
        peer_sees(&p, "P. 1:11(10) ack 1");
        EXPECT(p.seen_resent);
    }
    EXPECT_EQ(peer_waits_for_frame(&p), NEVER);
    EXPECT_EQ(p.conn->error, WEIR_ETIMEDOUT);
}

TEST(timers_give_up_after_more_than_100_s) /* R2 [RFC9293 MUST-20, SHLD-11] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);
    ns_t start = p.env->now;

    peer_writes(&p, 10);
    while (peer_waits_for_frame(&p) != NEVER)
        peer_skips(&p);
    EXPECT(p.env->now - start >= 100 * NS_S);
    EXPECT_EQ(p.env->counts.timeouts, 1);
}

TEST(timers_doubt_the_path_after_three_retransmissions_and_tell)
/* R1 [RFC9293 MUST-20, SHLD-9, SHLD-10, MUST-47] */
{
    for (int is_told = 0; is_told < 2; is_told++) {
        struct peer p = peer_of(TCP_ESTABLISHED);
        EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_SOFT_ERRORS, is_told), WEIR_OK);
        peer_writes(&p, 10);
        for (int i = 0; i < 3; i++) {
            EXPECT(!p.conn->path_is_suspect);
            EXPECT_EQ(peer_takes_events(&p), 0);
            peer_skips(&p);
            peer_waits_for_frame(&p);
        }
        EXPECT(p.conn->path_is_suspect);
        EXPECT_EQ(peer_takes_events(&p), is_told ? WEIR_EVENT_SOFT_ERROR : 0); /* [SHLD-20] */
        EXPECT_EQ(p.conn->soft_error, is_told ? WEIR_ETIMEDOUT : 0);
        EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
    }
}

TEST(timers_keep_the_time_the_application_has_set) /* [RFC9293 MUST-21] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);
    ns_t start = p.env->now;

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_USER_TIMEOUT, 10 * NS_S), WEIR_OK);
    peer_writes(&p, 10);
    while (peer_waits_for_frame(&p) != NEVER)
        peer_skips(&p);
    EXPECT_EQ(p.env->now - start, 10 * NS_S);
    EXPECT_EQ(p.conn->error, WEIR_ETIMEDOUT);
}

TEST(timers_time_the_oldest_segment_anew_after_each_acknowledgement) /* [RFC6298 5.2, 5.3] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);
    ns_t rto_ns;

    peer_writes(&p, 1460);
    peer_writes(&p, 1460);
    EXPECT_EQ(peer_skips(&p), 2);
    peer_waits(&p, 100 * NS_MS);
    peer_sends(&p, ". 1:1(0) ack 1461");
    rto_ns = (ns_t)p.conn->rtt.rto_us * NS_US;
    EXPECT_EQ(peer_waits_for_frame(&p), rto_ns);
    peer_sees(&p, "P. 1461:2921(1460) ack 1");
    peer_sends(&p, ". 1:1(0) ack 2921");
    EXPECT_EQ(p.conn->work->deadline_at[TIMER_LOSS], NEVER);
}

TEST(timers_keep_what_was_doubled_until_a_round_trip_is_measured) /* Karn [RFC9293 MUST-18] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_writes(&p, 10);
    peer_skips(&p);
    peer_waits_for_frame(&p);
    peer_skips(&p);
    peer_waits(&p, 10 * NS_MS);
    peer_sends(&p, ". 1:1(0) ack 11"); /* of which of the two? */
    EXPECT_EQ(p.conn->rtt.srtt_us, 100000);
    peer_writes(&p, 10);
    peer_skips(&p);
    EXPECT_EQ(timers_rto_ns(p.conn, p.env), 600 * NS_MS);
    peer_waits(&p, 100 * NS_MS);
    peer_sends(&p, ". 1:1(0) ack 21"); /* of what was sent once */
    EXPECT_EQ(p.conn->work->backoff, 0);
    EXPECT(timers_rto_ns(p.conn, p.env) <= 300 * NS_MS);
}

TEST(timers_measure_by_timestamps_what_was_sent_twice) /* [RFC7323 4.1] */
{
    struct peer p =
        peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1460,TS val 9 ecr 0"});
    char text[96];

    peer_writes(&p, 10);
    peer_skips(&p);
    peer_waits_for_frame(&p);
    peer_skips(&p);
    peer_waits(&p, 40 * NS_MS);
    snprintf(text, sizeof text, ". 1:1(0) ack 11 <nop,nop,TS val 9 ecr %u>", p.seen_ts_val);
    peer_sends(&p, text);
    EXPECT_EQ(p.conn->work->backoff, 0);
    EXPECT_EQ(p.conn->rtt.min_us, 40000);
}

/* ---- zero windows ---- */

TEST(timers_probe_a_window_of_zero_after_a_timeout_and_then_ever_more_rarely)
/* [RFC9293 MUST-36, SHLD-29, SHLD-30] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_sends(&p, ". 1:1(0) ack 1 win 0");
    peer_writes(&p, 10);
    peer_sees_nothing(&p);
    for (int i = 0; i < 12; i++) {
        EXPECT_EQ(peer_waits_for_frame(&p), ns_min(300 * NS_MS << i, 120 * NS_S));
        peer_sees(&p, ". 0:0(0) ack 1");
    }
    peer_sends(&p, ". 1:1(0) ack 1 win 100");
    peer_sees(&p, "P. 1:11(10) ack 1");
    EXPECT_EQ(peer_waits_for_frame(&p), 300 * NS_MS);
}

TEST(timers_keep_a_connection_open_whose_probes_are_answered) /* [RFC9293 MUST-37] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_USER_TIMEOUT, 10 * NS_S), WEIR_OK);
    peer_sends(&p, ". 1:1(0) ack 1 win 0");
    peer_writes(&p, 10);
    for (int i = 0; i < 200; i++) {
        EXPECT(peer_waits_for_frame(&p) != NEVER);
        peer_sees(&p, ". 0:0(0) ack 1");
        peer_sends(&p, ". 1:1(0) ack 1 win 0");
    }
    peer_waits_for_frame(&p); /* one that is lost is not the end */
    peer_sees(&p, ". 0:0(0) ack 1");
    peer_waits(&p, 1 * NS_S);
    EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
}

TEST(timers_give_up_a_peer_that_does_not_answer_probes) /* [RFC9293 MUST-20] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);
    size_t probes = 0;

    peer_sends(&p, ". 1:1(0) ack 1 win 0");
    peer_writes(&p, 10);
    while (peer_waits_for_frame(&p) != NEVER)
        probes += peer_skips(&p);
    EXPECT_EQ(probes, 15);
    EXPECT_EQ(p.conn->error, WEIR_ETIMEDOUT);
}

TEST(timers_resend_into_a_window_that_has_shrunk_to_zero_for_as_long_as_it_takes)
/* [RFC9293 MUST-34, MUST-35, SHLD-17] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_writes(&p, 3000);
    EXPECT_EQ(peer_skips(&p), 3);
    for (int i = 0; i < 40; i++) {
        peer_sends(&p, ". 1:1(0) ack 1 win 0");
        peer_waits_for_frame(&p);
        peer_sees(&p, ". 1:1461(1460) ack 1");
        peer_sees_nothing(&p);
    }
    EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
    peer_sends(&p, ". 1:1(0) ack 1 win 3000");
    peer_waits_for_frame(&p);
    peer_sees(&p, ". 1:1461(1460) ack 1");
}

TEST(timers_probe_for_a_fin) /* it takes a number, too */
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_sends(&p, ". 1:1(0) ack 1 win 0");
    tcp_shutdown(p.conn, p.env);
    peer_sees_nothing(&p);
    EXPECT_EQ(peer_waits_for_frame(&p), 300 * NS_MS);
    peer_sees(&p, ". 0:0(0) ack 1");
    peer_sends(&p, ". 1:1(0) ack 1 win 1");
    peer_sees(&p, "F. 1:1(0) ack 1");
}

/* ---- keep-alive ---- */

static struct peer peer_kept_alive(void)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_KEEPALIVE, 1), WEIR_OK);
    return p;
}

TEST(timers_keep_nothing_alive_unless_asked_to) /* [RFC9293 MUST-25] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);
    int64_t value;

    EXPECT_EQ(tcp_get(p.conn, WEIR_OPT_KEEPALIVE, &value), WEIR_OK);
    EXPECT_EQ(value, 0);
    EXPECT_EQ(peer_waits_for_frame(&p), NEVER);
}

TEST(timers_probe_an_idle_peer_after_two_hours_and_give_it_nine_chances)
/* [RFC9293 MUST-24, MUST-28, MUST-29, SHLD-12] */
{
    struct peer p = peer_kept_alive();
    ns_t waited_ns = peer_waits_for_frame(&p);

    EXPECT(waited_ns >= 7200 * NS_S && waited_ns < 7202 * NS_S);
    peer_sees(&p, ". 0:0(0) ack 1");
    for (int i = 1; i < 9; i++) {
        EXPECT_EQ(peer_waits_for_frame(&p), 75 * NS_S);
        peer_sees(&p, ". 0:0(0) ack 1");
        EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
    }
    EXPECT_EQ(peer_waits_for_frame(&p), 75 * NS_S);
    peer_sees(&p, "R. 1:1(0) ack 1");
    EXPECT_EQ(p.conn->state, TCP_CLOSED);
    EXPECT_EQ(p.conn->error, WEIR_ETIMEDOUT);
}

TEST(timers_begin_to_count_anew_when_an_idle_peer_answers) /* [RFC9293 MUST-29] */
{
    struct peer p = peer_kept_alive();

    for (int i = 0; i < 5; i++) {
        peer_waits_for_frame(&p);
        peer_sees(&p, ". 0:0(0) ack 1");
        peer_waits_for_frame(&p);
        peer_sees(&p, ". 0:0(0) ack 1");
        peer_sends(&p, ". 1:1(0) ack 1");
        EXPECT_EQ(p.conn->work->keepalive_unanswered, 0);
    }
}

TEST(timers_know_the_second_in_which_a_peer_was_last_heard) /* rounded up: 2 h are 2 h */
{
    struct peer p = peer_of(TCP_ESTABLISHED);
    const struct {
        ns_t at;
        uint32_t received_s;
    } heard[] = {
        {100 * NS_S - 1, 100}, {100 * NS_S, 100},     {100 * NS_S + 1, 101},
        {101 * NS_S, 101},     {101 * NS_S + 1, 102}, {5000 * NS_S + 7, 5001},
    };

    for (size_t i = 0; i < sizeof heard / sizeof heard[0]; i++) {
        p.env->now = heard[i].at;
        timers_on_received(p.conn, p.env);
        EXPECT_EQ(p.conn->received_s, heard[i].received_s);
    }
}

TEST(timers_keep_alive_at_the_interval_that_was_set) /* [RFC9293 MUST-27] */
{
    struct peer p = peer_kept_alive();
    ns_t waited_ns;

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_KEEPALIVE_IDLE, 10 * NS_S), WEIR_OK);
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_KEEPALIVE_INTERVAL, 2 * NS_S), WEIR_OK);
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_KEEPALIVE_PROBES, 1), WEIR_OK);
    waited_ns = peer_waits_for_frame(&p);
    EXPECT(waited_ns >= 9 * NS_S && waited_ns <= 11 * NS_S);
    peer_sees(&p, ". 0:0(0) ack 1");
    EXPECT_EQ(peer_waits_for_frame(&p), 2 * NS_S);
    peer_sees(&p, "R. 1:1(0) ack 1");
}

TEST(timers_do_not_probe_while_something_is_under_way) /* [RFC9293 MUST-26] */
{
    struct peer p = peer_kept_alive();

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_KEEPALIVE_IDLE, NS_S), WEIR_OK);
    peer_writes(&p, 10);
    for (int i = 0; i < 8; i++) {
        peer_sees(&p, "P. 1:11(10) ack 1");
        peer_waits_for_frame(&p);
    }
}

TEST(timers_stop_to_keep_alive_when_told_so) /* [RFC9293 MUST-24] */
{
    struct peer p = peer_kept_alive();

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_KEEPALIVE, 0), WEIR_OK);
    EXPECT_EQ(peer_waits_for_frame(&p), NEVER);
}

TEST(timers_keep_alive_by_time_if_a_user_timeout_is_set)
{
    struct peer p = peer_kept_alive();
    ns_t start = p.env->now;

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_KEEPALIVE_IDLE, 10 * NS_S), WEIR_OK);
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_KEEPALIVE_INTERVAL, 5 * NS_S), WEIR_OK);
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_USER_TIMEOUT, 12 * NS_S), WEIR_OK);
    peer_waits_for_frame(&p);
    peer_sees(&p, ". 0:0(0) ack 1");
    peer_waits_for_frame(&p);
    peer_sees(&p, "R. 1:1(0) ack 1");
    EXPECT(p.env->now - start <= 17 * NS_S);
}

/* ---- FIN-WAIT-2, and rest ---- */

TEST(timers_do_not_wait_for_ever_in_fin_wait_2_once_the_application_has_gone)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    tcp_close(p.conn, p.env);
    peer_sees(&p, "F. 1:1(0) ack 1");
    peer_sends(&p, ". 1:1(0) ack 2");
    EXPECT_EQ(p.conn->state, TCP_FIN_WAIT_2);
    peer_waits(&p, 60 * NS_S - 1);
    EXPECT_EQ(p.conn->state, TCP_FIN_WAIT_2);
    peer_waits(&p, 1);
    EXPECT_EQ(p.conn->state, TCP_CLOSED);
    EXPECT_EQ(p.conn->error, WEIR_OK);
}

/* As Linux: a peer that only acknowledges could hold what nobody wants any more. */
TEST(timers_wait_in_fin_wait_2_no_longer_if_the_peer_is_heard)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    tcp_close(p.conn, p.env);
    peer_skips(&p);
    peer_sends(&p, ". 1:1(0) ack 2");
    for (int i = 0; i < 59; i++) {
        peer_waits(&p, NS_S);
        peer_sends(&p, ". 1:1(0) ack 2");
        EXPECT_EQ(p.conn->state, TCP_FIN_WAIT_2);
    }
    peer_waits(&p, NS_S);
    EXPECT_EQ(p.conn->state, TCP_CLOSED);
}

TEST(timers_wait_in_fin_wait_2_for_as_long_as_the_application_wants)
{
    struct peer p = peer_of(TCP_FIN_WAIT_2);

    peer_waits(&p, 3600 * NS_S);
    EXPECT_EQ(p.conn->state, TCP_FIN_WAIT_2);
    EXPECT(p.conn->work == NULL);
    peer_sends(&p, "FP. 1:11(10) ack 2");
    peer_sees(&p, ". 2:2(0) ack 12");
    EXPECT_EQ(peer_state(&p), TCP_TIME_WAIT);
    EXPECT_EQ(peer_reads(&p, 100), 10);
}

TEST(timers_let_an_idle_connection_rest_and_wake_it)
{
    static const enum tcp_state states[] = {TCP_ESTABLISHED, TCP_CLOSE_WAIT};

    for (size_t i = 0; i < 2; i++) {
        struct peer p = peer_of(states[i]);
        EXPECT(p.conn->work != NULL);
        peer_waits(&p, 2 * NS_S);
        EXPECT(p.conn->work == NULL);
        EXPECT_EQ(p.env->works.used, 0);
        EXPECT_EQ(tcp_deadline(p.conn), NEVER);
        peer_writes(&p, 10);
        peer_sees(&p, i == 0 ? "P. 1:11(10) ack 1" : "P. 1:11(10) ack 2");
        EXPECT_EQ(peer_waits_for_frame(&p), 300 * NS_MS);
    }
}

TEST(timers_do_not_take_a_pause_for_rest)
{
    struct peer p = peer_of(TCP_ESTABLISHED);
    char text[64];

    for (unsigned i = 0; i < 50; i++) {
        peer_writes(&p, 10);
        peer_skips(&p);
        snprintf(text, sizeof text, ". 1:1(0) ack %u", 11 + 10 * i);
        peer_sends(&p, text);
        peer_sees_nothing(&p);
        peer_waits(&p, 90 * NS_MS);
        EXPECT(p.conn->work != NULL);
    }
    peer_waits(&p, 1100 * NS_MS);
    EXPECT(p.conn->work == NULL);
}

TEST(timers_keep_a_resting_connection_alive)
{
    struct peer p = peer_kept_alive();

    for (int i = 0; i < 3; i++) {
        ns_t waited_ns;
        peer_waits(&p, 10 * NS_S);
        EXPECT(p.conn->work == NULL);
        waited_ns = peer_waits_for_frame(&p);
        EXPECT(waited_ns >= 7189 * NS_S && waited_ns <= 7191 * NS_S);
        peer_sees(&p, ". 0:0(0) ack 1");
        peer_sends(&p, ". 1:1(0) ack 1");
    }
}

TEST(timers_wake_a_resting_connection_later_if_there_is_no_memory)
{
    struct peer p = peer_kept_alive();

    peer_waits(&p, 10 * NS_S);
    pool_trim(&p.env->works);
    p.world->alloc.fail_at = p.world->alloc.calls + 1;
    p.world->alloc.fails_from_then = true;
    peer_waits(&p, 7200 * NS_S);
    EXPECT(p.conn->work == NULL);
    p.world->alloc.fail_at = 0;
    EXPECT(peer_waits_for_frame(&p) > 0);
    peer_sees(&p, ". 0:0(0) ack 1");
}
