/* test_accecn.c - accurate ECN: its handshake, its counters, its option, and what may befall them */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/accecn.h"
#include "tcp/ecn.h"
#include "tcp/options.h"
#include "tcp/segment.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"
#include <stdio.h>

#define INITIAL "ECN e0b 1 ceb 0 e1b 1"

static struct peer peer_accurate_in(enum tcp_state state)
{
    struct peer p = peer_of(TCP_CLOSED);

    p.env->config.ecn = WEIR_ECN_ACCURATE;
    p.env->config.timestamps = false;
    p.env->config.window_scaling = false;
    peer_brings_to(&p, state);
    return p;
}

/* Our SYN has been sent. */
static struct peer peer_client(void)
{
    struct peer p = peer_accurate_in(TCP_CLOSED);

    peer_opens(&p);
    peer_sees(&p, "[noecn] SEWA 0:0(0) <...>");
    peer_waits(&p, PEER_RTT_NS);
    return p;
}

static struct peer peer_connected(void)
{
    struct peer p = peer_client();

    peer_sends(&p, "SW. 0:0(0) ack 1 <mss 1460," INITIAL ">");
    peer_sees(&p, "[noecn] .W 1:1(0) ack 1 <" INITIAL ",nop>");
    EXPECT_EQ(p.conn->ecn.mode, ECN_ACCURATE);
    p.conn->accecn.owes_option = false; /* as after the first text */
    return p;
}

static struct peer peer_accepted(void)
{
    struct peer p = peer_accurate_in(TCP_LISTEN);

    peer_sends(&p, "SEWA 0:0(0) <mss 1460>");
    peer_sees(&p, "[noecn] SW. 0:0(0) ack 1 <mss 1460," INITIAL ",nop>");
    return p;
}

/* ---- the handshake ---- */

TEST(accecn_tells_in_the_syn_ack_how_the_syn_arrived) /* [RFC9768 3.1.1, table 2] */
{
    static const struct {
        const char *syn, *synack;
    } rows[] = {
        {"[noecn] SEWA 0:0(0) <mss 1460>", "SW. 0:0(0) ack 1 <...>"},
        {"[ect1] SEWA 0:0(0) <mss 1460>", "SEW. 0:0(0) ack 1 <...>"},
        {"[ect0] SEWA 0:0(0) <mss 1460>", "SA. 0:0(0) ack 1 <...>"},
        {"[ce] SEWA 0:0(0) <mss 1460>", "SWA. 0:0(0) ack 1 <...>"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = peer_accurate_in(TCP_LISTEN);
        peer_sends(&p, rows[i].syn);
        peer_sees(&p, rows[i].synack);
        peer_sends(&p, "W. 1:1(0) ack 1");
        EXPECT_EQ(p.conn->ecn.ce_in, 0); /* a SYN is not counted [RFC9768 3.2.2.2] */
        EXPECT_EQ(accecn_ace(p.conn), 5);
    }
}

TEST(accecn_reads_every_syn_ack) /* [RFC9768 3.1.1, table 2; 3.1.2; 3.1.3; 3.2.2.3] */
{
    static const struct {
        const char *synack;
        enum ecn_mode mode;
        bool is_not_ect, was_ce;
    } rows[] = {
        {"S. 0:0(0) ack 1 <mss 1460>", ECN_NONE, false, false},
        {"SE. 0:0(0) ack 1 <mss 1460>", ECN_CLASSIC, false, false},
        {"SW. 0:0(0) ack 1 <mss 1460>", ECN_ACCURATE, false, false},
        {"SEW. 0:0(0) ack 1 <mss 1460>", ECN_ACCURATE, true, false}, /* became ECT(1) on the way */
        {"SA. 0:0(0) ack 1 <mss 1460>", ECN_ACCURATE, true, false},
        {"SEA. 0:0(0) ack 1 <mss 1460>", ECN_ACCURATE, false, false}, /* reserved */
        {"SWA. 0:0(0) ack 1 <mss 1460>", ECN_ACCURATE, true, true},
        {"SEWA. 0:0(0) ack 1 <mss 1460>", ECN_NONE, false, false}, /* reflected */
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = peer_client();
        peer_sends(&p, rows[i].synack);
        if (p.conn->ecn.mode != rows[i].mode || p.conn->ecn.is_not_ect != rows[i].is_not_ect)
            FAIL("%s: mode %d", rows[i].synack, p.conn->ecn.mode);
        EXPECT_EQ(p.conn->ecn.ce_out, 0); /* s.cep stays 5 [RFC9768 3.2.2.2] */
        EXPECT_EQ(p.conn->work->cc.ssthresh != UINT32_MAX, rows[i].was_ce); /* but is answered */
        peer_skips(&p);
        peer_writes(&p, 10);
        peer_skips_one(&p);
        EXPECT_EQ(p.seen_mark,
                  rows[i].mode == ECN_NONE || rows[i].is_not_ect ? IP_ECN_NOT_ECT : IP_ECN_ECT0);
    }
}

TEST(accecn_tells_in_the_last_ack_how_the_syn_ack_arrived) /* [RFC9768 3.2.2.1, table 3] */
{
    static const struct {
        const char *synack, *ack;
        unsigned ace;
    } rows[] = {
        {"[noecn] SW. 0:0(0) ack 1 <mss 1460>", ".W 1:1(0) ack 1 <...>", 5},
        {"[ect1] SW. 0:0(0) ack 1 <mss 1460>", ".EW 1:1(0) ack 1 <...>", 5},
        {"[ect0] SW. 0:0(0) ack 1 <mss 1460>", ".A 1:1(0) ack 1 <...>", 5},
        {"[ce] SW. 0:0(0) ack 1 <mss 1460>", ".WA 1:1(0) ack 1 <...>", 6},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = peer_client();
        peer_writes(&p, 10); /* it goes after the pure ACK */
        peer_sends(&p, rows[i].synack);
        peer_sees(&p, rows[i].ack);
        EXPECT_EQ(accecn_ace(p.conn), rows[i].ace);
        peer_sees(&p,
                  i == 3 ? "[ect0] P.6 1:11(10) ack 1 <...>" : "[ect0] P.5 1:11(10) ack 1 <...>");
        /* It comes again: the same code, and the mark is counted once [RFC9768 3.2.2.2]. */
        peer_sends(&p, "[ce] SW. 0:0(0) ack 1 <mss 1460>");
        peer_sends(&p, "[ce] SW. 0:0(0) ack 1 <mss 1460>");
        peer_sees(&p, ".WA 11:11(0) ack 1 <...>");
        EXPECT_EQ(accecn_ace(p.conn), 6);
    }
}

TEST(accecn_reads_the_last_ack) /* [RFC9768 3.2.2.1, table 4] */
{
    static const struct {
        unsigned marks; /* s.cep - 5 */
        bool is_deaf, is_not_ect;
    } rows[8] = {
        {0, true, true},  {0, false, false}, {0, false, false}, {0, false, true},
        {0, false, true}, {0, false, false}, {1, false, true},  {0, false, false},
    };

    for (unsigned ace = 0; ace < 8; ace++) {
        struct peer p = peer_accepted();
        char text[64];
        snprintf(text, sizeof text, ".%u 1:1(0) ack 1", ace);
        peer_sends(&p, text);
        EXPECT_EQ(p.conn->ecn.mode, ECN_ACCURATE);
        EXPECT_EQ(p.conn->ecn.ce_out, rows[ace].marks);
        EXPECT_EQ(p.conn->accecn.is_deaf, rows[ace].is_deaf);
        EXPECT_EQ(p.conn->ecn.is_not_ect, rows[ace].is_not_ect);
        EXPECT_EQ(p.conn->work->cc.ssthresh != UINT32_MAX, ace == 6);
        peer_writes(&p, 10);
        peer_sees(&p, rows[ace].is_not_ect ? "[noecn] P.5 1:11(10) ack 1 <...>"
                                           : "[ect0] P.5 1:11(10) ack 1 <...>");
        peer_sends(&p, "[ce] P.5 1:11(10) ack 1"); /* feedback is given in any case */
        peer_sees(&p, ".6 11:11(0) ack 11 <...>");
    }
}

TEST(accecn_reads_a_first_segment_with_text_as_a_counter) /* [RFC9768 3.2.2.1] */
{
    struct peer p = peer_accepted();

    peer_sends(&p, "P.6 1:11(10) ack 1");
    EXPECT_EQ(p.conn->ecn.ce_out, 1);
    EXPECT(!p.conn->ecn.is_not_ect);
    p = peer_accepted();
    peer_sends(&p, "P.0 1:11(10) ack 1"); /* it has wrapped: no sign of anything */
    EXPECT(!p.conn->accecn.is_deaf);
}

TEST(accecn_is_asked_for_twice) /* [RFC9768 3.1.4.1] */
{
    struct peer p = peer_client();

    peer_waits_for_frame(&p);
    peer_sees(&p, "SEWA 0:0(0) <...>");
    peer_waits_for_frame(&p);
    peer_sees(&p, "S 0:0(0) <...>");
    peer_sends(&p, "SW. 0:0(0) ack 1 <mss 1460>"); /* the first has got through */
    EXPECT_EQ(p.conn->ecn.mode, ECN_ACCURATE);
    peer_skips(&p);
    peer_writes(&p, 10);
    peer_sees(&p, "[ect0] P.5 1:11(10) ack 1 <...>"); /* a client may [RFC9768 3.1.5] */
}

TEST(accecn_falls_back_when_syn_acks_are_lost) /* [RFC9768 3.2.3.2.2, 3.1.5] */
{
    struct peer p = peer_accepted();

    peer_waits_for_frame(&p);
    peer_sees(&p, "SW. 0:0(0) ack 1 <mss 1460>");
    peer_waits_for_frame(&p);
    peer_sees(&p, "S. 0:0(0) ack 1 <mss 1460>");
    peer_sends(&p, "W. 1:1(0) ack 1");
    EXPECT_EQ(p.conn->ecn.mode, ECN_ACCURATE);
    peer_writes(&p, 10);
    peer_sees(&p, "[noecn] P.5 1:11(10) ack 1 <...>");
}

TEST(accecn_answers_the_latest_syn_and_keeps_its_mode) /* [RFC9768 3.1.5] */
{
    struct peer p = peer_accepted();

    peer_sends(&p, "[ce] SEWA 0:0(0) <mss 1460>");
    peer_sees(&p, "SWA. 0:0(0) ack 1 <mss 1460>"); /* without the option */
    peer_sends(&p, "S 0:0(0) <mss 1460>");
    peer_sees(&p, "SW. 0:0(0) ack 1 <mss 1460>");
    peer_sends(&p, "W. 1:1(0) ack 1");
    EXPECT_EQ(p.conn->ecn.mode, ECN_ACCURATE);
    peer_writes(&p, 10);
    peer_sees(&p, "[noecn] P.5 1:11(10) ack 1 <...>"); /* a server may not */
}

TEST(accecn_stays_off_once_it_is_off) /* [RFC9768 3.1.5] */
{
    struct peer p = peer_accurate_in(TCP_LISTEN);

    peer_sends(&p, "S 0:0(0) <mss 1460>");
    peer_sees(&p, "S. 0:0(0) ack 1 <...>");
    peer_sends(&p, "SEWA 0:0(0) <mss 1460>");
    peer_sees(&p, "S. 0:0(0) ack 1 <...>");
    peer_sends(&p, "SEW 0:0(0) <mss 1460>");
    peer_sees(&p, "S. 0:0(0) ack 1 <...>");
    peer_sends(&p, ". 1:1(0) ack 1");
    EXPECT_EQ(p.conn->ecn.mode, ECN_NONE);
}

TEST(accecn_resets_who_asks_for_both_kinds) /* [RFC9768 3.1.5] */
{
    struct peer p = peer_accepted();

    peer_sends(&p, "SEW 0:0(0) <mss 1460>");
    peer_sees(&p, "R. 5:5(0) ack 1"); /* from number 0: there is no acknowledgement */
    EXPECT_EQ(peer_state(&p), TCP_LISTEN);

    p = peer_accurate_in(TCP_LISTEN);
    peer_sends(&p, "SEW 0:0(0) <mss 1460>");
    peer_sees(&p, "SE. 0:0(0) ack 1 <...>");
    peer_sends(&p, "SEWA 0:0(0) <mss 1460>");
    peer_sees(&p, "R. 5:5(0) ack 1");
    EXPECT_EQ(peer_state(&p), TCP_LISTEN);
}

TEST(accecn_is_agreed_on_by_both_who_open_at_once) /* [RFC9768 3.1.2] */
{
    struct peer p = peer_client();

    peer_sends(&p, "[ect0] SEWA 0:0(0) <mss 1460>");
    peer_sees(&p, "SA. 0:0(0) ack 1 <...>");
    peer_sends(&p, "SW. 0:0(0) ack 1 <mss 1460>");
    EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
    EXPECT_EQ(p.conn->ecn.ce_out, 0);
    peer_writes(&p, 10);
    peer_sees(&p, "[ect0] P.5 1:11(10) ack 1 <...>");
}

TEST(accecn_is_asked_for_by_a_congestion_control_that_needs_it) /* [RFC9331 4.2] */
{
    static const struct {
        const char *synack;
        bool stays;
    } rows[] = {
        {"SW. 0:0(0) ack 1 <mss 1460>", true},
        {"SE. 0:0(0) ack 1 <mss 1460>", false},
        {"S. 0:0(0) ack 1 <mss 1460>", false},
    };
    const struct cc_ops *l4s = cc_find("prague");

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = peer_of(TCP_CLOSED);
        p.env->config.ecn = WEIR_ECN_OFF;
        p.conn->cc = cc_number(l4s);
        peer_opens(&p);
        peer_sees(&p, "SEWA 0:0(0) <...>");
        peer_sends(&p, rows[i].synack);
        peer_skips(&p);
        EXPECT_EQ(tcp_cc(p.conn) == l4s, rows[i].stays);
        peer_writes(&p, 10);
        peer_skips_one(&p);
        if (rows[i].stays)
            EXPECT_EQ(p.seen_mark, IP_ECN_ECT1);
        else
            EXPECT(p.seen_mark != IP_ECN_ECT1);
    }
}

/* ---- ACE ---- */

TEST(accecn_counts_every_marked_packet) /* [RFC9768 3.2.2.2] */
{
    static const char *const aces[] = {"6", "7", "0", "1", "2", "3", "4", "5", "6"};
    struct peer p = peer_connected();
    char text[80];

    for (unsigned i = 0; i < sizeof aces / sizeof *aces; i++) {
        unsigned at = 1 + 10 * i;
        snprintf(text, sizeof text, "[ce] P.5 %u:%u(10) ack 1", at, at + 10);
        peer_sends(&p, text);
        snprintf(text, sizeof text, ".%s 1:1(0) ack %u <...>", aces[i], at + 10);
        peer_sees(&p, text);
    }
    EXPECT_EQ(p.conn->ecn.ce_in, 9);
    EXPECT_EQ(p.conn->accecn_bytes_in[ACCECN_CEB], 90);
}

TEST(accecn_owes_an_ack_when_marks_begin) /* [RFC9768 3.2.2.5.1] */
{
    struct peer p = peer_connected();

    peer_sends(&p, "[ect0] P.5 1:11(10) ack 1");
    peer_skips(&p);
    p.conn->work->quick_acks = 0;
    peer_sends(&p, "[ce] P.5 11:21(10) ack 1");
    peer_sees(&p, ".6 1:1(0) ack 21 <...>"); /* the first after none */
    peer_sends(&p, "[ect0] P.5 21:31(10) ack 1");
    peer_sees_nothing(&p); /* the end of marks can wait */
    peer_sends(&p, "[ce] P.5 31:41(10) ack 1");
    peer_sees(&p, ".7 1:1(0) ack 41 <...>");
    peer_sends(&p, "[ce] P.5 41:51(10) ack 1");
    peer_sees_nothing(&p);
    peer_sends(&p, "[ce] P.5 51:61(10) ack 1"); /* the second since the last ACK */
    peer_sees(&p, ".1 1:1(0) ack 61 <...>");
}

TEST(accecn_acknowledges_every_third_marked_ack) /* [RFC9768 3.2.2.5.1] */
{
    struct peer p = peer_connected();

    peer_sends(&p, "[ce] .5 1:1(0) ack 1");
    peer_sees_nothing(&p);
    peer_sends(&p, "[ce] .5 1:1(0) ack 1");
    peer_sees_nothing(&p);
    peer_sends(&p, "[ce] .5 1:1(0) ack 1");
    peer_sees(&p, ".0 1:1(0) ack 1");
    peer_sees_nothing(&p);
}

/* Writes and has acknowledged so much that the mean step of ACKs is one segment. */
static void talk(struct peer *p, unsigned segs)
{
    char text[64];

    p->conn->work->cc.cwnd = 100 * 1460;
    p->conn->snd.wnd = 100 * 1460;
    for (unsigned i = 1; i <= segs; i++) {
        peer_writes(p, 1460);
        peer_skips(p);
        snprintf(text, sizeof text, ".5 1:1(0) ack %u", (unsigned)p->written + 1);
        peer_sends(p, text);
    }
}

static void acknowledge(struct peer *p, unsigned segs, unsigned ace, const char *options)
{
    char text[120];
    uint64_t before = p->written;
    unsigned at = p->conn->rcv.nxt.raw - PEER_IRS;

    p->conn->work->cc.cwnd = 100 * 1460;
    p->conn->snd.wnd = 100 * 1460;
    peer_writes(p, segs * 1460);
    peer_skips(p);
    snprintf(text, sizeof text, ".%u %u:%u(0) ack %u%s", ace, at, at,
             (unsigned)before + segs * 1460 + 1, options);
    peer_sends(p, text);
}

TEST(accecn_takes_the_safest_likely_count) /* [RFC9768 A.2.1] */
{
    static const struct {
        uint32_t acked_segs, d, safe;
    } rows[] = {{9, 2, 2}, {10, 2, 10}, {3, 5, 5}, {8, 0, 8}, {7, 0, 0}, {1, 1, 1}, {18, 2, 18}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        EXPECT_EQ(accecn_safe_increment(rows[i].d, rows[i].acked_segs), rows[i].safe);
}

TEST(accecn_believes_bytes_more_than_fears) /* [RFC9768 A.2.2] */
{
    static const struct {
        uint32_t acked_segs, d, safe, d_ceb, likely;
    } rows[] = {
        {8, 0, 8, 1460, 8},         {10, 2, 10, 1460, 2},   {15, 7, 15, 10200, 7},
        {9, 1, 9, 1460, 1},         {15, 7, 15, 10951, 15}, /* of half the size, for all we know */
        {82, 1, 81, 41 * 1460, 41}, {82, 0, 80, 0, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct accecn_step step = {.segs = rows[i].acked_segs, .mss = 1460};
        EXPECT_EQ(accecn_likely_increment(rows[i].d, rows[i].safe, rows[i].d_ceb, &step),
                  rows[i].likely);
    }
}

TEST(accecn_decodes_ace) /* [RFC9768 3.2.2.2, 3.2.2.5.2] */
{
    static const struct {
        unsigned acked_segs, ace, marks;
    } rows[] = {
        {1, 5, 0}, {1, 6, 1},   {3, 0, 3}, {2, 4, 7}, /* more than segments: ACE is right */
        {9, 7, 2}, {10, 7, 10}, {7, 5, 0}, {8, 5, 8},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = peer_connected();
        talk(&p, 3);
        acknowledge(&p, rows[i].acked_segs, rows[i].ace, "");
        EXPECT_EQ(p.conn->ecn.ce_out, rows[i].marks);
        EXPECT_EQ(p.conn->work->cc.ssthresh != UINT32_MAX, rows[i].marks > 0);
    }
}

TEST(accecn_does_not_fear_where_acks_are_always_rare) /* [RFC9768 3.2.2.5.2, A.2.1] */
{
    struct peer p = peer_connected();

    for (int i = 0; i < 20; i++)
        acknowledge(&p, 10, 5, "");
    EXPECT_EQ(p.conn->ecn.ce_out, 0);
    acknowledge(&p, 10, 6, "");
    EXPECT_EQ(p.conn->ecn.ce_out, 1);
}

TEST(accecn_is_not_wound_back_by_an_old_ack) /* [RFC9768 A.1] */
{
    struct peer p = peer_connected();

    talk(&p, 3);
    acknowledge(&p, 2, 6, "");
    EXPECT_EQ(p.conn->ecn.ce_out, 1);
    peer_sends(&p, ".5 1:1(0) ack 1461");
    EXPECT_EQ(p.conn->ecn.ce_out, 1);
    acknowledge(&p, 1, 6, "");
    EXPECT_EQ(p.conn->ecn.ce_out, 1);
}

/* ---- the option ---- */

TEST(accecn_sends_the_option_where_it_is_due) /* [RFC9768 3.2.3.2.1] */
{
    struct peer p = peer_client();

    peer_sends(&p, "SW. 0:0(0) ack 1 <mss 1460>");
    peer_sees(&p, ".W 1:1(0) ack 1 <" INITIAL ",nop>"); /* the first ACK */
    peer_writes(&p, 10);
    peer_sees(&p, "P.5 1:11(10) ack 1 <" INITIAL ",nop>"); /* the first text */
    peer_sends(&p, ".5 1:1(0) ack 11");
    peer_writes(&p, 10);
    peer_sees(&p, "P.5 11:21(10) ack 1");
    peer_sends(&p, "P.5 1:11(10) ack 21"); /* Not-ECT moves no counter */
    peer_sees(&p, ".5 21:21(0) ack 11");
}

TEST(accecn_tells_what_has_moved) /* [RFC9768 3.2.3.3] */
{
    static const struct {
        const char *texts[3];
        const char *option;
    } rows[] = {
        {{"[ect0]"}, "<ECN e0b 11,nop,nop,nop>"},
        {{"[ect1]"}, "<ECN e1b 11,nop,nop,nop>"},
        {{"[ce]"}, "<ECN e0b 1 ceb 10>"},
        {{"[ect0]", "[ce]"}, "<ECN e0b 11 ceb 10>"},
        {{"[ect1]", "[ce]"}, "<ECN e1b 11 ceb 10>"},
        {{"[ect0]", "[ect1]"}, "<ECN e0b 11 ceb 0 e1b 11,nop>"},
        {{"[ect0]", "[ect1]", "[ce]"}, "<ECN e0b 11 ceb 10 e1b 11,nop>"},
        {{"[ect1]", "[ce]", "[ce]"}, "<ECN e1b 11 ceb 20>"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = peer_connected();
        unsigned at = 1;
        char text[80];
        unsigned marks = 0;
        for (int k = 0; k < 3 && rows[i].texts[k] != NULL; k++) {
            snprintf(text, sizeof text, "%s P.5 %u:%u(10) ack 1", rows[i].texts[k], at, at + 10);
            peer_sends(&p, text);
            at += 10;
            marks += rows[i].texts[k][1] == 'c';
        }
        snprintf(text, sizeof text, ".%u 1:1(0) ack %u %s", 5 + marks, at, rows[i].option);
        peer_sees(&p, text);
    }
}

TEST(accecn_leaves_text_its_place_in_full_segments)
{
    struct peer p = peer_connected();

    peer_sends(&p, "[ect0] P.5 1:11(10) ack 1");
    peer_skips(&p);
    peer_sends(&p, "[ect0] P.5 11:21(10) ack 1");
    peer_writes(&p, 3000);
    for (int i = 0; i < 3; i++)
        EXPECT(peer_skips_one(&p)); /* the fixture's link would not take more than 1500 bytes */
}

/* Three counters have moved, and blocks are missing: of 40 bytes timestamps take 12. */
TEST(accecn_leaves_room_for_two_blocks_of_sack) /* [RFC9768 3.2.3.3] */
{
    static const struct {
        const char *options; /* of the test's SYN-ACK */
        const char *stamp;   /* of its segments */
        unsigned holes;
        unsigned blocks;
        size_t option_len; /* 0: none */
    } rows[] = {
        {"mss 1460,sackOK", "", 1, 1, 11},
        {"mss 1460,sackOK", "", 2, 2, 11},
        {"mss 1460,sackOK", "", 3, 3, 11},
        {"mss 1460,sackOK", "", 4, 3, 11}, /* 12 and 26 bytes */
        {"mss 1460,sackOK,TS val 1 ecr 0", " <nop,nop,TS val 2 ecr 0>", 1, 1, 11},
        {"mss 1460,sackOK,TS val 1 ecr 0", " <nop,nop,TS val 2 ecr 0>", 2, 2,
         8}, /* not all three */
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = peer_of(TCP_CLOSED);
        struct tcp_options o = {0};
        uint8_t bytes[ECN_OPTION_MAX];
        struct segment ack = {.flags = TCP_ACK};
        char text[160];
        p.env->config.ecn = WEIR_ECN_ACCURATE;
        peer_opens(&p);
        peer_skips(&p);
        snprintf(text, sizeof text, "SW. 0:0(0) ack 1 <%s>", rows[i].options);
        peer_sends(&p, text);
        peer_skips(&p);
        for (unsigned k = 0; k < rows[i].holes; k++) {
            snprintf(text, sizeof text, "[%s] .5 %u:%u(10) ack 1%s", k % 2 == 0 ? "ect0" : "ce",
                     101 + 100 * k, 111 + 100 * k, rows[i].stamp);
            peer_sends(&p, text);
        }
        p.conn->accecn.changed = 7;
        p.conn->accecn.unsent = 1 << ACCECN_E0B;
        p.conn->accecn.moved = true;
        options_of_segment(p.conn, p.env, &o);
        (void)accecn_dress(p.conn, &ack, &o, bytes, TCP_OPTIONS_MAX);
        EXPECT_EQ(o.sack_count, rows[i].blocks);
        EXPECT_EQ(o.present & TCP_HAS_ACCECN ? o.accecn.len + 2 : 0, rows[i].option_len);
        EXPECT(tcp_options_len(&o) <= TCP_OPTIONS_MAX);
    }
}

TEST(accecn_reads_options_of_both_kinds_and_all_lengths) /* [RFC9768 3.2.3, A.1] */
{
    static const struct {
        const char *option;
        uint32_t ceb;
    } rows[] = {
        {" <ECN e0b 1461 ceb 1460,nop,nop>", 1460},
        {" <ECN e1b 1461 ceb 1460,nop,nop>", 1460},
        {" <ECN e0b 1461 ceb 1460 e1b 1>", 1460},
        {" <ECN e0b 1461,nop,nop,nop>", 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = peer_connected();
        talk(&p, 1);
        acknowledge(&p, 2, 6, rows[i].option);
        EXPECT_EQ(p.conn->work->accecn.bytes_out[ACCECN_CEB], rows[i].ceb);
        EXPECT_EQ(p.conn->ecn.ce_out, 1);
    }
}

TEST(accecn_knows_from_bytes_how_often_ace_came_around) /* [RFC9768 A.2.2] */
{
    struct peer p = peer_connected();

    talk(&p, 3);
    acknowledge(&p, 10, 7, " <ECN e0b 1 ceb 2920,nop,nop>");
    EXPECT_EQ(p.conn->ecn.ce_out, 2); /* two full segments, and not ten */
    acknowledge(&p, 10, 1, " <ECN e0b 1 ceb 17520,nop,nop>");
    EXPECT_EQ(p.conn->ecn.ce_out, 12);
}

TEST(accecn_counts_bytes_across_the_wrap_of_24_bits) /* [RFC9768 A.1] */
{
    struct peer p = peer_connected();

    talk(&p, 3);
    p.conn->work->accecn.bytes_out[ACCECN_CEB] = 0xffff00;
    acknowledge(&p, 1, 6, " <ECN e0b 1 ceb 256,nop,nop>");
    EXPECT_EQ(p.conn->ecn.ce_out, 1);
    EXPECT_EQ(p.conn->work->accecn.bytes_out[ACCECN_CEB], 256);
}

TEST(accecn_ignores_an_option_that_was_zeroed) /* [RFC9768 3.2.3.2.4] */
{
    struct peer p = peer_client();

    peer_sends(&p, "SW. 0:0(0) ack 1 <mss 1460,ECN e0b 0 ceb 0 e1b 0>");
    EXPECT(p.conn->accecn.ignores_options);
    EXPECT_EQ(p.conn->ecn.mode, ECN_ACCURATE);
    p = peer_client();
    peer_sends(&p, "SW. 0:0(0) ack 1 <mss 1460,ECN e0b 77 ceb 0 e1b 99>"); /* any other value */
    EXPECT(!p.conn->accecn.ignores_options);
    p = peer_accepted();
    peer_sends(&p, "W. 1:1(0) ack 1 <ECN e0b 0 ceb 0 e1b 1>");
    EXPECT(p.conn->accecn.ignores_options);
}

TEST(accecn_stops_sending_an_option_that_is_lost) /* [RFC9768 3.2.3.2.2] */
{
    struct peer p = peer_client();

    peer_sends(&p, "SW. 0:0(0) ack 1 <mss 1460>");
    peer_skips(&p);
    peer_writes(&p, 10);
    peer_sees(&p, "P.5 1:11(10) ack 1 <" INITIAL ",nop>");
    peer_waits_for_frame(&p);
    peer_sees(&p, "[noecn] P.5 1:11(10) ack 1");
    peer_sends(&p, "[ect0] P.5 1:11(10) ack 11");
    peer_sees(&p, ".5 11:11(0) ack 11");
    EXPECT(p.conn->accecn.sends_no_options);
}

TEST(accecn_stops_sending_an_option_when_text_keeps_coming_back) /* [RFC9768 3.2.3.2.2] */
{
    struct peer p = peer_connected();

    peer_sends(&p, "[ect0] P.5 1:11(10) ack 1");
    peer_sees(&p, ".5 1:1(0) ack 11 <ECN e0b 11,nop,nop,nop>");
    for (int i = 0; i < 3; i++) {
        peer_sends(&p, "P.5 1:11(10) ack 1");
        peer_skips(&p);
    }
    EXPECT(p.conn->accecn.sends_no_options);
}

TEST(accecn_tells_what_it_knows)
{
    struct peer p = peer_connected();
    struct weir_tcp_info info;

    peer_sends(&p, "[ect0] P.5 1:11(10) ack 1");
    peer_sends(&p, "[ce] P.5 11:31(20) ack 1");
    peer_skips(&p);
    acknowledge(&p, 1, 6, " <ECN e0b 1 ceb 1460,nop,nop>");
    acknowledge(&p, 1, 6, " <ECN e0b 1461 ceb 1460,nop,nop>");
    tcp_info(p.conn, p.env, &info);
    EXPECT_EQ(info.ecn, WEIR_TCP_ECN_ACCURATE);
    EXPECT(info.ecn_capable);
    EXPECT_EQ(info.received_ce, 1);
    EXPECT_EQ(info.delivered_ce, 1);
    EXPECT_EQ(info.received_ect0_bytes, 10);
    EXPECT_EQ(info.received_ce_bytes, 20);
    EXPECT_EQ(info.delivered_ce_bytes, 1460);
    EXPECT_EQ(info.delivered_ect0_bytes, 1460);
}

/* ---- what may befall marks ---- */

TEST(accecn_stops_sending_ect_when_the_counters_contradict_each_other) /* [RFC9768 3.2.3.2.5] */
{
    struct peer p = peer_connected();
    char option[64];

    talk(&p, 3);
    for (unsigned i = 1; i <= 3; i++) {
        EXPECT(!p.conn->ecn.is_not_ect);
        snprintf(option, sizeof option, " <ECN e0b 1 ceb %u,nop,nop>", 1460 * i);
        acknowledge(&p, 1, 5, option);
    }
    EXPECT(p.conn->ecn.is_not_ect);
    peer_writes(&p, 10);
    EXPECT(peer_skips_one(&p));
    EXPECT_EQ(p.seen_mark, IP_ECN_NOT_ECT);
}

TEST(accecn_does_not_heed_marks_on_everything) /* [RFC9768 3.2.2.3] */
{
    struct peer p = peer_connected();
    unsigned ace = 5;

    for (int i = 0; i < 40; i++)
        acknowledge(&p, 1, ++ace & 7, "");
    EXPECT(p.conn->ecn.is_not_ect);
    EXPECT(p.conn->accecn.is_deaf); /* what was not ECN-capable was marked, too */
    EXPECT_EQ(p.conn->ecn.mode, ECN_ACCURATE);

    p = peer_connected();
    ace = 5;
    acknowledge(&p, 1, ace, "");
    for (int i = 0; i < 40; i++)
        acknowledge(&p, 1, ++ace & 7, "");
    EXPECT(!p.conn->ecn.is_not_ect);
}

/* ---- the end ---- */

TEST(accecn_tells_its_count_in_time_wait)
{
    struct peer p = peer_connected();

    peer_sends(&p, "[ce] P.5 1:11(10) ack 1");
    peer_skips(&p);
    EXPECT_EQ(tcp_shutdown(p.conn, p.env), WEIR_OK);
    peer_sees(&p, "F.6 1:1(0) ack 11 <...>");
    peer_sends(&p, "F.5 11:11(0) ack 2");
    peer_sees(&p, ".6 2:2(0) ack 12");
    EXPECT_EQ(p.stage, PEER_TIMEWAIT);
}

TEST(accecn_counts_on_after_a_rest)
{
    struct peer p = peer_connected();

    peer_sends(&p, "[ce] P.5 1:11(10) ack 1");
    peer_skips(&p);
    EXPECT_EQ(peer_reads(&p, 100), 10);
    acknowledge(&p, 1, 6, " <ECN e0b 1 ceb 1460,nop,nop>");
    peer_waits(&p, 10 * NS_S);
    EXPECT(p.conn->work == NULL);
    peer_sends(&p, "[ce] P.6 11:21(10) ack 1461");
    peer_sees(&p, ".7 1461:1461(0) ack 21 <ECN e0b 1 ceb 20>");
    acknowledge(&p, 1, 7, " <ECN e0b 1 ceb 2920,nop,nop>"); /* bytes are known from here on */
    EXPECT_EQ(p.conn->ecn.ce_out, 2);
    EXPECT_EQ(p.conn->work->accecn.bytes_out[ACCECN_CEB], 2920);
}
