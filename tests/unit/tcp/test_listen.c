/* test_listen.c - passive opens: listeners and connections that are half open */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/listen.h"

static struct peer peer_half_open(void)
{
    struct peer p = peer_of(TCP_LISTEN);

    EXPECT_EQ(peer_sends(&p, "S 0:0(0) win 5000 <mss 1460>"), WHY_NONE);
    peer_sees(&p, "S. 0:0(0) ack 1 win 65535 <mss 1460>");
    return p;
}

TEST(listen_repeats_a_syn_ack_at_1_3_7_15_and_31_s_and_gives_up_at_63_s) /* [RFC9293 MUST-22] */
{
    static const int at_s[] = {1, 3, 7, 15, 31};
    struct peer p = peer_half_open();
    ns_t start = p.env->now;

    for (size_t i = 0; i < sizeof at_s / sizeof *at_s; i++) {
        peer_waits_for_frame(&p);
        peer_sees(&p, "S. 0:0(0) ack 1 <mss 1460>");
        EXPECT_EQ(p.seen_at - start, at_s[i] * NS_S);
        EXPECT(p.seen_resent);
    }
    peer_waits(&p, start + 63 * NS_S - p.env->now - 1);
    EXPECT_EQ(peer_state(&p), TCP_SYN_RECEIVED);
    peer_waits(&p, 1);
    EXPECT_EQ(peer_state(&p), TCP_LISTEN);
    peer_sees_nothing(&p);
}

TEST(listen_repeats_as_often_as_it_is_configured)
{
    struct peer p = peer_of(TCP_LISTEN);
    size_t count;

    p.env->config.synack_retries = 2;
    peer_sends(&p, "S 0:0(0) <mss 1460>");
    peer_waits(&p, 100 * NS_S);
    count = peer_skips(&p);
    EXPECT_EQ(count, 3);
    EXPECT_EQ(peer_state(&p), TCP_LISTEN);
}

TEST(listen_completes_a_handshake_and_remembers_that_it_was_passive) /* [RFC9293 MUST-11] */
{
    struct peer p = peer_half_open();

    EXPECT_EQ(peer_sends(&p, ". 1:1(0) ack 1 win 5000"), WHY_NONE);
    EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
    EXPECT(p.conn->is_passive);
    EXPECT_EQ(peer_takes_events(&p), 0); /* the listener's event tells */
    peer_sees_nothing(&p);
    EXPECT_EQ(p.conn->work->cc.cwnd, 14600);
    peer_writes(&p, 10000);
    peer_skips(&p);
    EXPECT_EQ(tcp_flight(p.conn), 3 * 1460); /* whole segments into the window of the ACK */
}

TEST(listen_completes_a_handshake_with_text_or_fin)
{
    struct peer p = peer_half_open();

    EXPECT_EQ(peer_sends(&p, "FP. 1:11(10) ack 1"), WHY_NONE);
    EXPECT_EQ(p.conn->state, TCP_CLOSE_WAIT);
    peer_sees(&p, ". 1:1(0) ack 12");
    EXPECT_EQ(peer_reads(&p, 100), 10);
}

TEST(listen_completes_a_handshake_whose_syn_ack_was_lost)
{
    struct peer p = peer_half_open();

    peer_waits(&p, NS_S);
    peer_sees(&p, "S. 0:0(0) ack 1 <...>");
    peer_sends(&p, ". 1:1(0) ack 1");
    EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
    EXPECT_EQ(p.conn->work->cc.cwnd, 1460); /* [RFC5681 3.1] */
    EXPECT_EQ(p.conn->rtt.rto_us, 3000000); /* [RFC6298 5.7] */
}

struct row {
    const char *sends;
    enum why why;
    const char *sees;
    enum tcp_state becomes;
};

TEST(listen_answers_for_a_half_open_connection) /* [RFC9293 3.10.7.4] */
{
    static const struct row rows[] = {
        {"S 0:0(0) <mss 1460>", WHY_TCP_OLD, "S. 0:0(0) ack 1 <mss 1460>", TCP_SYN_RECEIVED},
        {"S 99:99(0)", WHY_TCP_CHALLENGED, ". 1:1(0) ack 1", TCP_SYN_RECEIVED},
        {"S 99999:99999(0)", WHY_TCP_WINDOW, ". 1:1(0) ack 1", TCP_SYN_RECEIVED},
        {"S. 1:1(0) ack 1", WHY_TCP_CHALLENGED, ". 1:1(0) ack 1", TCP_SYN_RECEIVED},
        {"R 1:1(0)", WHY_TCP_RESET, NULL, TCP_LISTEN}, /* without a word [RFC9293 MUST-11] */
        {"R. 1:1(0) ack 7", WHY_TCP_RESET, NULL, TCP_LISTEN},
        {"R 2:2(0)", WHY_TCP_CHALLENGED, ". 1:1(0) ack 1", TCP_SYN_RECEIVED},
        {"R 0:0(0)", WHY_TCP_WINDOW, NULL, TCP_SYN_RECEIVED},
        {"R 70000:70000(0)", WHY_TCP_WINDOW, NULL, TCP_SYN_RECEIVED},
        {". 1:1(0) ack 0", WHY_TCP_BAD_ACK, "R 0:0(0)", TCP_SYN_RECEIVED},
        {". 1:1(0) ack 2", WHY_TCP_BAD_ACK, "R 2:2(0)", TCP_SYN_RECEIVED},
        {". 0:0(0) ack 1", WHY_TCP_WINDOW, ". 1:1(0) ack 1", TCP_SYN_RECEIVED},
        {". 65537:65537(0) ack 1", WHY_TCP_WINDOW, ". 1:1(0) ack 1", TCP_SYN_RECEIVED},
        {"- 1:1(0)", WHY_TCP_NO_ACK, NULL, TCP_SYN_RECEIVED},
        {"F 1:1(0)", WHY_TCP_NO_ACK, NULL, TCP_SYN_RECEIVED},
        {". 5:10(5) ack 1", WHY_NONE, ". 1:1(0) ack 1", TCP_ESTABLISHED},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = peer_half_open();
        EXPECT_EQ(peer_sends(&p, rows[i].sends), rows[i].why);
        if (rows[i].sees != NULL)
            peer_sees(&p, rows[i].sees);
        peer_sees_nothing(&p);
        EXPECT_EQ(peer_state(&p), rows[i].becomes);
    }
}

TEST(listen_agrees_on_what_both_can) /* [RFC9293 MUST-14, MUST-15, SHLD-5, MAY-3] */
{
    static const struct {
        const char *syn, *synack;
        uint16_t snd_mss;
        bool is_v6;
    } rows[] = {
        {"S 0:0(0)", "S. 0:0(0) ack 1 <mss 1460>", 536, false},
        {"S 0:0(0)", "S. 0:0(0) ack 1 <mss 1440>", 1220, true},
        {"S 0:0(0) <mss 1000>", "S. 0:0(0) ack 1 <mss 1460>", 1000, false},
        {"S 0:0(0) <mss 9000>", "S. 0:0(0) ack 1 <mss 1460>", 9000, false},
        {"S 0:0(0) <mss 1>", "S. 0:0(0) ack 1 <mss 1460>", 48, false},
        {"S 0:0(0) <nop,wscale 3>", "S. 0:0(0) ack 1 <mss 1460,nop,wscale 7>", 536, false},
        {"S 0:0(0) <mss 1460,nop,wscale 255>", "S. 0:0(0) ack 1 <mss 1460,nop,wscale 7>", 1460,
         false},
        {"S 0:0(0) <opt 77 0102,mss 1460,opt 78 030405>", "S. 0:0(0) ack 1 <mss 1460>", 1460,
         false}, /* unknown and not aligned [RFC9293 MUST-6, MUST-64] */
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = peer_with(TCP_LISTEN, (struct peer_setup){.is_v6 = rows[i].is_v6});
        peer_sends(&p, rows[i].syn);
        peer_sees(&p, rows[i].synack);
        peer_sends(&p, ". 1:1(0) ack 1");
        EXPECT_EQ(p.conn->agreed.snd_mss, rows[i].snd_mss);
        EXPECT(p.conn->agreed.snd_wscale <= 14);
    }
}

TEST(listen_echoes_timestamps_from_the_first_segment_on) /* [RFC7323 3.2] */
{
    struct peer p = peer_of(TCP_LISTEN);

    peer_sends(&p, "S 0:0(0) <mss 1460,TS val 77 ecr 0>");
    peer_sees(&p, "S. 0:0(0) ack 1 <...>");
    EXPECT_EQ(p.seen_ts_ecr, 77);
    peer_sends(&p, ". 1:1(0) ack 1 <nop,nop,TS val 76 ecr 0>"); /* from the past: PAWS */
    peer_sees(&p, ". 1:1(0) ack 1 <...>");
    EXPECT_EQ(p.seen_ts_ecr, 77);
    EXPECT_EQ(peer_state(&p), TCP_SYN_RECEIVED);
    peer_sends(&p, "P. 1:11(10) ack 1 <nop,nop,TS val 78 ecr 0>");
    peer_sees(&p, ". 1:1(0) ack 11 <...>");
    EXPECT_EQ(p.seen_ts_ecr, 78);
    EXPECT_EQ(peer_reads(&p, 100), 10);
}

TEST(listen_does_not_keep_text_that_comes_with_the_syn) /* docs/deviations.md */
{
    struct peer p = peer_of(TCP_LISTEN);

    peer_sends(&p, "S 0:10(10) <mss 1460>");
    peer_sees(&p, "S. 0:0(0) ack 1 <...>");
    peer_sends(&p, "P. 1:11(10) ack 1");
    EXPECT_EQ(peer_reads(&p, 100), 10);
}

TEST(listen_loses_one_connection_when_there_is_no_memory)
{
    struct peer p = peer_half_open();

    p.world->alloc.fail_at = p.world->alloc.calls + 1;
    p.world->alloc.fails_from_then = true;
    EXPECT_EQ(peer_sends(&p, ". 1:1(0) ack 1"), WHY_NO_MEMORY);
    EXPECT_EQ(peer_state(&p), TCP_SYN_RECEIVED);
    p.world->alloc.fail_at = 0;
    EXPECT_EQ(peer_sends(&p, ". 1:1(0) ack 1"), WHY_NONE);
    EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
}

TEST(listen_has_the_options_of_the_listener)
{
    struct peer p = peer_of(TCP_CLOSED);

    tcp_set(p.conn, p.env, WEIR_OPT_RECV_BUFFER, 3000);
    tcp_set(p.conn, p.env, WEIR_OPT_MSS, 700);
    tcp_set(p.conn, p.env, WEIR_OPT_TTL, 9);
    peer_brings_to(&p, TCP_LISTEN);
    peer_sends(&p, "S 0:0(0) <mss 1460>");
    peer_sees(&p, "S. 0:0(0) ack 1 win 3000 <mss 700>");
    EXPECT_EQ(p.halfopen.ttl, 9);
    peer_sends(&p, ". 1:1(0) ack 1");
    EXPECT_EQ(p.conn->user->ttl, 9);
    peer_writes(&p, 1400);
    peer_sees(&p, ". 1:701(700) ack 1");
}

/* That both ways of it are the same is in lib/both_ways, which lib/peer asks. */
TEST(listen_makes_an_established_connection_of_a_usual_record)
{
    struct peer p = peer_half_open();

    EXPECT(halfopen_is_usual(&p.halfopen));
    p.halfopen.retries = 1; /* its round trip cannot be told */
    EXPECT(!halfopen_is_usual(&p.halfopen));
    p.halfopen.retries = 0;
    p.halfopen.ecn.mode = ECN_ACCURATE; /* the acknowledgement has a code */
    EXPECT(!halfopen_is_usual(&p.halfopen));
    p.halfopen.ecn.mode = ECN_NONE;
    EXPECT_EQ(peer_sends(&p, "P. 1:11(10) ack 1 win 5000"), WHY_NONE);
    EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
    EXPECT_EQ(peer_reads(&p, 100), 10);
    peer_sees(&p, ". 1:1(0) ack 11");
}
