/* test_ecn.c - explicit congestion notification: negotiation, marks, and RFC 3168's feedback */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/ecn.h"
#include "wire/tcp.h"
#include <stdio.h>

static struct peer peer_of_ecn(enum tcp_state state, enum weir_ecn ecn)
{
    struct peer p = peer_of(TCP_CLOSED);

    p.env->config.ecn = ecn;
    p.env->config.timestamps = false;
    p.env->config.window_scaling = false;
    peer_brings_to(&p, state);
    return p;
}

/* Established, with what RFC 3168 calls an ECN-setup handshake. */
static struct peer peer_classic(void)
{
    struct peer p = peer_of_ecn(TCP_CLOSED, WEIR_ECN_ON);

    peer_opens(&p);
    peer_sees(&p, "[noecn] SEW 0:0(0) <...>");
    peer_waits(&p, PEER_RTT_NS);
    peer_sends(&p, "SE. 0:0(0) ack 1 <mss 1460>");
    peer_sees(&p, "[noecn] . 1:1(0) ack 1");
    EXPECT_EQ(p.conn->ecn.mode, ECN_CLASSIC);
    return p;
}

/* ---- negotiation ---- */

TEST(
    ecn_is_asked_for_as_configured) /* net.ipv4.tcp_ecn's numbers [RFC3168 6.1.1] [RFC9293 SHLD-8] */
{
    static const char *const syns[WEIR_ECN_MODES] = {
        [WEIR_ECN_OFF] = "[noecn] S 0:0(0) <...>",
        [WEIR_ECN_ON] = "[noecn] SEW 0:0(0) <...>",
        [WEIR_ECN_PASSIVE] = "[noecn] S 0:0(0) <...>",
        [WEIR_ECN_ACCURATE] = "[noecn] SEWA 0:0(0) <...>",
        [WEIR_ECN_ACCURATE_ASK_CLASSIC] = "[noecn] SEW 0:0(0) <...>",
        [WEIR_ECN_ACCURATE_PASSIVE] = "[noecn] S 0:0(0) <...>",
    };

    for (int ecn = 0; ecn < WEIR_ECN_MODES; ecn++) {
        struct peer p = peer_of_ecn(TCP_CLOSED, (enum weir_ecn)ecn);
        peer_opens(&p);
        peer_sees(&p, syns[ecn]);
    }
}

/* Whatever the peer's SYN asks for, in all three flags, and what it gets. */
TEST(ecn_answers_every_syn) /* [RFC3168 6.1.1] [RFC9768 3.1.1, table 2; 3.1.3] */
{
    static const char *const asks[8] = {"S", "SE", "SW", "SEW", "SA", "SEA", "SWA", "SEWA"};
    static const struct {
        enum weir_ecn ecn;
        const char *answers[8]; /* in the order of asks */
    } rows[] = {
        {WEIR_ECN_OFF, {"S.", "S.", "S.", "S.", "S.", "S.", "S.", "S."}},
        {WEIR_ECN_ON, {"S.", "S.", "S.", "S.E", "S.", "S.", "S.", "S.E"}},
        {WEIR_ECN_PASSIVE, {"S.", "S.", "S.", "S.E", "S.", "S.", "S.", "S.E"}},
        {WEIR_ECN_ACCURATE, {"S.", "S.W", "S.W", "S.E", "S.W", "S.W", "S.W", "S.W"}},
        {WEIR_ECN_ACCURATE_ASK_CLASSIC, {"S.", "S.W", "S.W", "S.E", "S.W", "S.W", "S.W", "S.W"}},
        {WEIR_ECN_ACCURATE_PASSIVE, {"S.", "S.W", "S.W", "S.E", "S.W", "S.W", "S.W", "S.W"}},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t k = 0; k < 8; k++) {
            struct peer p = peer_of_ecn(TCP_LISTEN, rows[i].ecn);
            char text[64];
            snprintf(text, sizeof text, "%s 0:0(0) <mss 1460>", asks[k]);
            peer_sends(&p, text);
            snprintf(text, sizeof text, "[noecn] %s 0:0(0) ack 1 <...>", rows[i].answers[k]);
            peer_sees(&p, text);
        }
}

TEST(ecn_takes_only_ece_without_cwr_for_an_answer) /* [RFC3168 6.1.1] */
{
    static const struct {
        const char *synack;
        enum ecn_mode mode;
    } rows[] = {
        {"S. 0:0(0) ack 1 <mss 1460>", ECN_NONE},      {"SE. 0:0(0) ack 1 <mss 1460>", ECN_CLASSIC},
        {"SEA. 0:0(0) ack 1 <mss 1460>", ECN_CLASSIC}, {"SW. 0:0(0) ack 1 <mss 1460>", ECN_NONE},
        {"SEW. 0:0(0) ack 1 <mss 1460>", ECN_NONE}, /* a host that reflects what it does not know */
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = peer_of_ecn(TCP_CLOSED, WEIR_ECN_ON);
        peer_opens(&p);
        peer_skips(&p);
        peer_sends(&p, rows[i].synack);
        EXPECT_EQ(p.conn->ecn.mode, rows[i].mode);
        peer_sees(&p, "[noecn] . 1:1(0) ack 1");
        peer_writes(&p, 10);
        peer_sees(&p, rows[i].mode == ECN_CLASSIC ? "[ect0] P. 1:11(10) ack 1"
                                                  : "[noecn] P. 1:11(10) ack 1");
    }
}

TEST(ecn_is_not_asked_for_again_when_a_syn_is_lost) /* [RFC3168 6.1.1.1] */
{
    struct peer p = peer_of_ecn(TCP_CLOSED, WEIR_ECN_ON);

    peer_opens(&p);
    peer_sees(&p, "SEW 0:0(0) <...>");
    EXPECT_EQ(peer_waits_for_frame(&p), NS_S);
    peer_sees(&p, "S 0:0(0) <...>");
    /* The first SYN has got through: marks are echoed, but nothing is sent ECN-capable. */
    peer_sends(&p, "SE. 0:0(0) ack 1 <mss 1460>");
    EXPECT_EQ(p.conn->ecn.mode, ECN_CLASSIC);
    peer_sees(&p, ". 1:1(0) ack 1");
    peer_sends(&p, "[ce] P. 1:11(10) ack 1");
    peer_sees(&p, ".E 1:1(0) ack 11");
    peer_writes(&p, 10);
    peer_sees(&p, "[noecn] P.E 1:11(10) ack 11");
}

TEST(ecn_is_not_used_by_a_listener_that_has_seen_a_syn_without) /* [RFC3168 6.1.1] */
{
    struct peer p = peer_of_ecn(TCP_LISTEN, WEIR_ECN_PASSIVE);

    peer_sends(&p, "SEW 0:0(0) <mss 1460>");
    peer_sees(&p, "SE. 0:0(0) ack 1 <...>");
    peer_sends(&p, "S 0:0(0) <mss 1460>");
    peer_sees(&p, "SE. 0:0(0) ack 1 <...>");
    peer_sends(&p, ". 1:1(0) ack 1");
    EXPECT_EQ(p.conn->ecn.mode, ECN_CLASSIC);
    peer_writes(&p, 10);
    peer_sees(&p, "[noecn] P. 1:11(10) ack 1");
}

TEST(ecn_is_agreed_on_by_a_listener)
{
    struct peer p = peer_of_ecn(TCP_LISTEN, WEIR_ECN_PASSIVE);

    peer_sends(&p, "SEW 0:0(0) <mss 1460>");
    peer_sees(&p, "[noecn] SE. 0:0(0) ack 1 <...>");
    peer_sends(&p, ". 1:1(0) ack 1");
    peer_writes(&p, 10);
    peer_sees(&p, "[ect0] P. 1:11(10) ack 1");
}

TEST(ecn_is_agreed_on_by_both_who_open_at_once)
{
    struct peer p = peer_of_ecn(TCP_CLOSED, WEIR_ECN_ON);

    peer_opens(&p);
    peer_sees(&p, "SEW 0:0(0) <...>");
    peer_sends(&p, "SEW 0:0(0) <mss 1460>");
    peer_sees(&p, "[noecn] SE. 0:0(0) ack 1 <...>");
    peer_sends(&p, "[ce] SE. 0:0(0) ack 1 <mss 1460>");
    EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
    peer_writes(&p, 10);
    peer_sees(&p, "[ect0] P. 1:11(10) ack 1"); /* the mark of a SYN is nobody's */
}

TEST(ecn_is_off_for_a_peer_without)
{
    struct peer p = peer_of_ecn(TCP_ESTABLISHED, WEIR_ECN_PASSIVE);

    peer_sends(&p, "[ce] P.EW 1:11(10) ack 1");
    peer_sees(&p, "[noecn] . 1:1(0) ack 11");
    peer_writes(&p, 10);
    peer_sees(&p, "[noecn] P. 1:11(10) ack 11");
    peer_sends(&p, ".E 11:11(0) ack 11");
    EXPECT_EQ(p.conn->work->cc.ssthresh, UINT32_MAX);
}

/* ---- marks on what is sent ---- */

TEST(ecn_marks_new_text_and_nothing_else) /* [RFC3168 6.1.4, 6.1.5, 6.1.6] */
{
    struct peer p = peer_classic();

    peer_writes(&p, 100);
    peer_sees(&p, "[ect0] P. 1:101(100) ack 1");
    peer_waits_for_frame(&p);
    EXPECT(p.world->sent.at[0].is_resent);
    peer_sees(&p, "[noecn] P. 1:101(100) ack 1"); /* a retransmission */
    peer_sends(&p, "P. 1:11(10) ack 101 win 0");
    peer_sees(&p, "[noecn] . 101:101(0) ack 11"); /* an acknowledgement */
    peer_writes(&p, 100);
    peer_waits_for_frame(&p);
    peer_sees(&p, "[noecn] . 100:100(0) ack 11"); /* a probe of the window */
    peer_sends(&p, ". 11:11(0) ack 101");
    peer_sees(&p, "[ect0] PW. 101:201(100) ack 11"); /* after the timeout: CWR */
    EXPECT_EQ(tcp_shutdown(p.conn, p.env), WEIR_OK);
    peer_sees(&p, "[noecn] F. 201:201(0) ack 11");
}

/* ---- in: CE, ECE until CWR ---- */

TEST(ecn_tells_of_a_mark_until_cwr) /* [RFC3168 6.1.3] */
{
    struct peer p = peer_classic();

    peer_sends(&p, "[ect0] P. 1:11(10) ack 1");
    peer_sees(&p, ". 1:1(0) ack 11");
    peer_sends(&p, "[ce] P. 11:21(10) ack 1");
    peer_sees(&p, "E. 1:1(0) ack 21"); /* at once */
    peer_sends(&p, "[ect0] P. 21:31(10) ack 1");
    peer_writes(&p, 10);
    peer_sees(&p, "PE. 1:11(10) ack 31");
    peer_sends(&p, "[ect0] PW. 31:41(10) ack 11");
    peer_writes(&p, 10);
    peer_sees(&p, "P. 11:21(10) ack 41");
    peer_sends(&p, "[ce] PW. 41:51(10) ack 21"); /* a new mark with the CWR for the old */
    peer_sees(&p, "E. 21:21(0) ack 51");
    EXPECT_EQ(p.conn->ecn.ce_in, 2);
}

TEST(ecn_keeps_what_it_owes_while_the_connection_rests)
{
    struct peer p = peer_classic();

    peer_sends(&p, "[ce] P. 1:11(10) ack 1");
    peer_sees(&p, "E. 1:1(0) ack 11");
    EXPECT_EQ(peer_reads(&p, 100), 10);
    peer_waits(&p, 10 * NS_S);
    EXPECT(p.conn->work == NULL);
    peer_writes(&p, 10);
    peer_sees(&p, "[ect0] PE. 1:11(10) ack 11");
}

TEST(ecn_ignores_the_mark_of_what_is_outside_the_window) /* [RFC3168 6.1.5] */
{
    struct peer p = peer_classic();

    peer_sends(&p, "[ect0] P. 1:11(10) ack 1");
    peer_sees(&p, ". 1:1(0) ack 11");
    EXPECT_EQ(peer_sends(&p, "[ce] P. 1:11(10) ack 1"), WHY_TCP_OLD);
    peer_sees(&p, ". 1:1(0) ack 11");
    EXPECT_EQ(p.conn->ecn.ce_in, 0);
}

/* ---- in: ECE ---- */

static void write_window(struct peer *p)
{
    peer_writes(p, 14600);
    for (int i = 0; i < 10; i++)
        EXPECT(peer_skips_one(p));
    peer_sees_nothing(p);
}

TEST(ecn_reduces_once_in_a_round_trip_and_says_so) /* [RFC3168 6.1.2] */
{
    struct peer p = peer_classic();

    write_window(&p);
    EXPECT_EQ(p.conn->work->cc.cwnd, 14600);
    peer_sends(&p, "E. 1:1(0) ack 2921");
    EXPECT(p.conn->work->cc.ssthresh < 14600 && p.conn->work->cc.ssthresh >= 2 * 1460);
    EXPECT(p.conn->work->cc.cwnd <= 14600);
    EXPECT_EQ(p.conn->ecn.ce_out, 2);
    uint32_t ssthresh = p.conn->work->cc.ssthresh;
    peer_sends(&p, "E. 1:1(0) ack 5841");
    peer_sends(&p, "E. 1:1(0) ack 14601");
    EXPECT_EQ(p.conn->work->cc.ssthresh, ssthresh);
    peer_writes(&p, 2920);
    peer_sees(&p, "[ect0] W. 14601:16061(1460) ack 1"); /* on the first new text, and not again */
    peer_sees(&p, "[ect0] P. 16061:17521(1460) ack 1");
    peer_sends(&p, ". 1:1(0) ack 16061");
    peer_sends(&p, "E. 1:1(0) ack 17521");
    EXPECT(p.conn->work->cc.ssthresh < ssthresh); /* a new round trip */
    EXPECT_EQ(p.conn->retransmits, 0);
}

TEST(ecn_says_cwr_in_a_segment_of_its_own) /* a device may not know in which of many it belongs */
{
    struct peer p = peer_classic();

    p.gso_bytes = 60000;
    peer_writes(&p, 14600);
    peer_skips(&p);
    peer_sends(&p, "E. 1:1(0) ack 14601");
    peer_writes(&p, 4380);
    peer_sees(&p, "[ect0] W. 14601:16061(1460) ack 1");
    EXPECT_EQ(p.seen_gso_size, 0);
    peer_sees(&p, "[ect0] P. 16061:18981(2920) ack 1");
    EXPECT_EQ(p.seen_gso_size, 1460);
}

TEST(ecn_says_cwr_after_a_loss_as_well) /* [RFC3168 6.1.2] */
{
    struct peer p = peer_classic();

    write_window(&p);
    for (int i = 0; i < 3; i++)
        peer_sends(&p, ". 1:1(0) ack 1");
    peer_skips(&p);
    EXPECT(p.conn->work->cc.ssthresh < UINT32_MAX);
    EXPECT(p.conn->ecn.owes_cwr);
    peer_sends(&p, ". 1:1(0) ack 14601");
    peer_writes(&p, 10);
    peer_sees(&p, "[ect0] PW. 14601:14611(10) ack 1");
}

/* ---- DCTCP ---- */

static struct peer peer_of_dctcp(void)
{
    struct peer p = peer_of_ecn(TCP_CLOSED, WEIR_ECN_ON);

    p.conn->cc = cc_number(cc_find("dctcp"));
    peer_opens(&p);
    peer_skips(&p);
    peer_sends(&p, "SE. 0:0(0) ack 1 <mss 1460>");
    peer_skips(&p);
    return p;
}

TEST(ecn_is_asked_for_by_a_congestion_control_that_needs_it) /* [RFC8257 3.5] */
{
    struct peer p = peer_of_ecn(TCP_CLOSED, WEIR_ECN_OFF);

    p.conn->cc = cc_number(cc_find("dctcp"));
    peer_opens(&p);
    peer_sees(&p, "SEW 0:0(0) <...>");
    peer_sends(&p, "S. 0:0(0) ack 1 <mss 1460>");
    EXPECT(tcp_cc(p.conn) == cc_find("reno")); /* it cannot do without */
}

TEST(ecn_is_agreed_to_by_a_listener_whose_congestion_control_needs_it) /* [RFC8257 3.5] */
{
    struct peer p = peer_of_ecn(TCP_CLOSED, WEIR_ECN_OFF);

    p.conn->cc = cc_number(cc_find("dctcp")); /* its own, not the stack's */
    p.stage = PEER_LISTENER;
    peer_sends(&p, "SEW 0:0(0) <mss 1460>");
    peer_sees(&p, "SE. 0:0(0) ack 1 <...>");
}

TEST(ecn_tells_dctcp_of_each_change_at_once) /* [RFC8257 3.2] */
{
    struct peer p = peer_of_dctcp();

    peer_sends(&p, "[ect0] P. 1:11(10) ack 1");
    peer_sees(&p, ". 1:1(0) ack 11");
    p.conn->work->quick_acks = 0;
    peer_sends(&p, "[ce] P. 11:21(10) ack 1");
    peer_sees(&p, "E. 1:1(0) ack 21");
    peer_sends(&p, "[ce] P. 21:31(10) ack 1");
    peer_sees_nothing(&p);
    peer_sends(&p, "[ect0] P. 31:41(10) ack 1");
    peer_sees(&p, "E. 1:1(0) ack 31 win 65525"); /* what came before, with the same edge */
    peer_sees(&p, ". 1:1(0) ack 41");            /* without waiting for CWR */
    peer_sees_nothing(&p);
    for (unsigned i = 0; i < 20; i++) { /* a batch: the application was not there in between */
        char text[64];
        snprintf(text, sizeof text, "[%s] P. %u:%u(10) ack 1", i % 2 == 0 ? "ce" : "ect0",
                 41 + 10 * i, 51 + 10 * i);
        peer_sends(&p, text);
    }
    for (int i = 0; i < ECN_PAST_MAX + 1; i++)
        EXPECT(peer_skips_one(&p));
    peer_sees_nothing(&p);
    EXPECT_EQ(p.conn->rcv.acked.raw, p.conn->rcv.nxt.raw);
}

/* DCTCP has no use for CWR, but who takes marks off by it has. */
TEST(ecn_says_cwr_to_dctcps_peer_once_in_a_round_trip_also_when_numbers_have_wrapped)
{
    struct peer p = peer_of_dctcp();

    peer_writes(&p, 10);
    peer_sees(&p, "[ect0] P. 1:11(10) ack 1");
    peer_sends(&p, "E. 1:1(0) ack 11");
    peer_writes(&p, 10);
    peer_sees(&p, "[ect0] PW. 11:21(10) ack 1");
    peer_sends(&p, "E. 1:1(0) ack 11");
    EXPECT(!p.conn->ecn.owes_cwr);
    p.conn->work->ecn.cwr_end = seq_sub(p.conn->snd.una, 0x90000000); /* so long ago */
    peer_sends(&p, "E. 1:1(0) ack 21");
    EXPECT(p.conn->ecn.owes_cwr);
}
