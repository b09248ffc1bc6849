/*
 * test_express_syn.c - which SYNs go out the short way, and which answers come in on it; that it is the
 * same is in lib/both_ways
 */
#include "lib/peer.h"
#include "lib/test.h"

static struct peer peer_that_opens(void)
{
    return peer_of(TCP_CLOSED);
}

/* Opens, and takes what is sent: so many segments, of which so many go the short way. */
static void expect_opening(struct peer *p, size_t few, size_t all)
{
    peer_opens(p);
    p->sent_short = 0;
    EXPECT_EQ(peer_skips(p), all);
    EXPECT_EQ(p->sent_short, few);
}

TEST(express_syn_takes_the_first_one)
{
    struct peer p = peer_that_opens();

    expect_opening(&p, 1, 1);
    EXPECT_EQ(peer_state(&p), TCP_SYN_SENT);
    EXPECT_EQ(tcp_flight(p.conn), 1);
    p = peer_with(TCP_CLOSED, (struct peer_setup){.is_v6 = true});
    expect_opening(&p, 1, 1);
}

TEST(express_syn_leaves_one_that_goes_again)
{
    struct peer p = peer_that_opens();

    expect_opening(&p, 1, 1);
    EXPECT_EQ(peer_waits_for_frame(&p), NS_S);
    EXPECT_EQ(p.sent_short, 1);
    peer_sees(&p, "S 0:0(0) <...>");
}

TEST(express_syn_leaves_one_that_offers_less)
{
    struct peer p = peer_that_opens();

    p.env->config.timestamps = false;
    expect_opening(&p, 0, 1);
    p = peer_that_opens();
    p.env->config.sack = false;
    expect_opening(&p, 0, 1);
    p = peer_that_opens();
    p.env->config.window_scaling = false;
    expect_opening(&p, 0, 1);
}

TEST(express_syn_leaves_one_that_offers_more)
{
    struct peer p = peer_that_opens();

    p.env->config.ecn = WEIR_ECN_ON;
    expect_opening(&p, 0, 1);
    p = peer_that_opens();
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_FASTOPEN, 1), WEIR_OK);
    expect_opening(&p, 0, 1);
    p = peer_that_opens();
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_ADVERTISE_TIMEOUT, 300 * NS_S), WEIR_OK);
    expect_opening(&p, 0, 1);
}

TEST(express_syn_leaves_one_behind_which_something_waits)
{
    struct peer p = peer_that_opens();

    peer_opens(&p);
    peer_writes(&p, 10);
    EXPECT_EQ(peer_skips(&p), 1);
    EXPECT_EQ(p.sent_short, 0);
    p = peer_that_opens();
    peer_opens(&p);
    EXPECT_EQ(tcp_shutdown(p.conn, p.env), WEIR_OK);
    EXPECT_EQ(peer_skips(&p), 1);
    EXPECT_EQ(p.sent_short, 0);
}

TEST(express_syn_leaves_one_of_a_paced_connection)
{
    struct peer p = peer_that_opens();

    p.env->config.pacing = true;
    expect_opening(&p, 0, 1);
    p = peer_that_opens();
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_MAX_PACING_RATE, 1 << 20), WEIR_OK);
    expect_opening(&p, 0, 1);
}

#define ALL "mss 1000,sackOK,TS val 9 ecr 0,nop,wscale 7"

/* A SYN has gone out, and this answers it: on the short way? */
static void expect_answer(struct peer *p, const char *text, bool is_usual)
{
    peer_sends(p, text);
    if (p->answered_short != is_usual)
        FAIL("\"%s\"", text);
}

TEST(express_synack_takes_what_grants_all_and_brings_nothing) /* [RFC9293 3.10.7.3] */
{
    static const struct {
        const char *text;
        bool is_usual;
    } rows[] = {
        {"S. 0:0(0) ack 1 win 30000 <" ALL ">", true},
        {"[ce] S. 0:0(0) ack 1 <" ALL ">", true},
        {"S. 0:0(0) ack 1 <mss 20,sackOK,TS val 9 ecr 0,nop,wscale 15>", true},
        {"S. 0:0(0) ack 1 <mss 1000,sackOK,TS val 9 ecr 77,nop,wscale 7>", false},
        {"S. 0:0(0) ack 1 <mss 1000,nop,nop,sackOK,nop,wscale 7>", false},
        {"S. 0:0(0) ack 1 <mss 1000,sackOK,TS val 9 ecr 0>", false},
        {"S. 0:0(0) ack 0 <" ALL ">", false},
        {"S. 0:0(0) ack 2 <" ALL ">", false},
        {"S 0:0(0) <" ALL ">", false},
        {"SE. 0:0(0) ack 1 <" ALL ">", false},
        {"S. 0:10(10) ack 1 <" ALL ">", false},
        {"SF. 0:0(0) ack 1 <" ALL ">", false},
        {"R. 0:0(0) ack 1", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct peer p = peer_of(TCP_SYN_SENT);

        peer_waits(&p, 30 * NS_MS);
        expect_answer(&p, rows[i].text, rows[i].is_usual);
        tcp_world_end(p.world);
    }
}

TEST(express_synack_opens_the_connection) /* [RFC9293 3.5, figure 6] */
{
    struct peer p = peer_of(TCP_SYN_SENT);

    peer_waits(&p, 100 * NS_MS);
    expect_answer(&p, "S. 0:0(0) ack 1 win 30000 <" ALL ">", true);
    EXPECT_EQ(peer_state(&p), TCP_ESTABLISHED);
    EXPECT_EQ(peer_takes_events(&p), WEIR_EVENT_CONNECTED | WEIR_EVENT_WRITABLE);
    EXPECT_EQ(p.conn->snd.wnd, 30000); /* not scaled [RFC7323 2.2] */
    EXPECT_EQ(p.conn->rtt.srtt_us, 100000);
    peer_sees(&p, ". 1:1(0) ack 1 win 2048 <...>");
    peer_sees_nothing(&p);
}

TEST(express_synack_leaves_one_that_answers_the_second_syn) /* [RFC6298 3] */
{
    struct peer p = peer_of(TCP_SYN_SENT);

    EXPECT_EQ(peer_waits_for_frame(&p), NS_S);
    expect_answer(&p, "S. 0:0(0) ack 1 <" ALL ">", false);
    EXPECT_EQ(peer_state(&p), TCP_ESTABLISHED);
}

TEST(express_synack_leaves_one_for_which_something_waits)
{
    struct peer p = peer_of(TCP_SYN_SENT);

    peer_writes(&p, 10);
    expect_answer(&p, "S. 0:0(0) ack 1 <" ALL ">", false);
    p = peer_of(TCP_SYN_SENT);
    EXPECT_EQ(tcp_shutdown(p.conn, p.env), WEIR_OK);
    expect_answer(&p, "S. 0:0(0) ack 1 <" ALL ">", false);
    EXPECT_EQ(peer_state(&p), TCP_FIN_WAIT_1);
}

TEST(express_synack_begins_with_what_was_set)
{
    for (size_t cc = 0; weir_congestion_control_name(cc) != NULL; cc++) {
        struct peer p = peer_of(TCP_CLOSED);

        EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_CONGESTION_CONTROL, (int64_t)cc), WEIR_OK);
        EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_KEEPALIVE, 1), WEIR_OK);
        p.env->config.mtu_probing = WEIR_MTU_PROBING_ALWAYS;
        p.env->config.pacing = cc % 2 == 1;
        peer_opens(&p);
        EXPECT_EQ(peer_skips(&p), 1);
        peer_waits(&p, NS_MS);
        expect_answer(&p, "S. 0:0(0) ack 1 <" ALL ">", p.conn->ecn.asked == ECN_NONE);
        tcp_world_end(p.world);
    }
}
