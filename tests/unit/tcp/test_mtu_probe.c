/* test_mtu_probe.c - the path's MTU, found out without the network's help [RFC4821] */
#include "cc/bbr.h"
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/mtu_probe.h"
#include "tcp/options.h"
#include "tcp/pmtu.h"
#include "tcp/recovery.h"
#include <stdio.h>

static struct peer peer_that_probes(enum weir_mtu_probing mode)
{
    struct peer p = peer_of(TCP_CLOSED);

    p.env->config.mtu_probing = mode;
    p.setup.options = "mss 1460,sackOK";
    peer_brings_to(&p, TCP_ESTABLISHED);
    return p;
}

static uint32_t mss_of(const struct peer *p)
{
    return tcp_send_mss(p->conn, p->env);
}

static void acks(struct peer *p, unsigned una, unsigned from, unsigned to)
{
    char text[96];

    if (from < to)
        snprintf(text, sizeof text, ". 1:1(0) ack %u <nop,nop,sack %u:%u>", una + 1, from + 1,
                 to + 1);
    else
        snprintf(text, sizeof text, ". 1:1(0) ack %u", una + 1);
    EXPECT_EQ(peer_sends(p, text), WHY_NONE);
}

TEST(mtu_probe_begins_when_large_segments_vanish) /* [RFC4821 7.7] */
{
    struct peer p = peer_that_probes(WEIR_MTU_PROBING_ON_BLACK_HOLE);

    p.env->config.tail_loss_probe = false;
    peer_writes(&p, 5840);
    peer_skips(&p);
    for (int i = 0; i < 2; i++) {
        peer_waits_for_frame(&p);
        peer_sees(&p, ". 1:1461(1460) ack 1");
    }
    peer_waits_for_frame(&p); /* R1 */
    peer_sees(&p, ". 1:1161(1160) ack 1");
    EXPECT_EQ(mtu_probe_mtu(p.conn), 1200);
    acks(&p, 1160, 0, 0);
    peer_sees(&p, ". 1161:1461(300) ack 1"); /* the rest of what was one segment */
    peer_sees(&p, ". 1461:2621(1160) ack 1");
    EXPECT_EQ(mss_of(&p), 1160);
}

TEST(mtu_probe_goes_on_down_to_a_floor)
{
    struct peer p = peer_that_probes(WEIR_MTU_PROBING_ON_BLACK_HOLE);

    p.env->config.tail_loss_probe = false;
    peer_writes(&p, 5840);
    for (int i = 0; i < 8; i++) {
        peer_waits_for_frame(&p);
        peer_skips(&p);
    }
    EXPECT_EQ(mtu_probe_mtu(p.conn), 552);
    peer_sends(&p, ". 1:1(0) ack 513");
    EXPECT_EQ(mss_of(&p), 512);
}

TEST(mtu_probe_never_goes_below_what_ipv6_needs) /* [RFC8200 5] */
{
    struct peer p =
        peer_with(TCP_CLOSED, (struct peer_setup){.is_v6 = true, .options = "mss 1440,sackOK"});

    peer_brings_to(&p, TCP_ESTABLISHED);
    p.env->config.tail_loss_probe = false;
    peer_writes(&p, 5840);
    for (int i = 0; i < 8; i++) {
        peer_waits_for_frame(&p);
        peer_skips(&p);
    }
    EXPECT_EQ(mtu_probe_mtu(p.conn), 1280);
}

TEST(mtu_probe_is_off_where_it_is_not_wanted)
{
    struct peer p = peer_that_probes(WEIR_MTU_PROBING_OFF);

    p.env->config.tail_loss_probe = false;
    peer_writes(&p, 5840);
    for (int i = 0; i < 6; i++) {
        peer_waits_for_frame(&p);
        peer_skips(&p);
    }
    EXPECT_EQ(mtu_probe_mtu(p.conn), 1500);
}

/* From 1200 on, to 1500 at once. */
TEST(mtu_probe_that_arrives_makes_all_segments_longer) /* [RFC4821 7.6.1] */
{
    struct peer p = peer_that_probes(WEIR_MTU_PROBING_ALWAYS);

    EXPECT_EQ(mss_of(&p), 1160);
    peer_writes(&p, 40000);
    peer_sees(&p, ". 1:1461(1460) ack 1");
    EXPECT_EQ(p.seen_gso_size, 0);
    peer_sees(&p, ". 1461:2621(1160) ack 1");
    peer_skips(&p);
    acks(&p, 1460, 0, 0);
    EXPECT_EQ(mss_of(&p), 1460);
    EXPECT(!p.conn->work->mtu_probe.is_out);
    EXPECT(p.conn->work->mtu_probe.next_at >= p.env->now + 600 * NS_S);
}

TEST(mtu_probe_that_is_lost_is_no_congestion) /* [RFC4821 7.6.2] */
{
    struct peer p = peer_that_probes(WEIR_MTU_PROBING_ALWAYS);
    uint32_t cwnd = p.conn->work->cc.cwnd;

    peer_writes(&p, 40000);
    peer_sees(&p, ". 1:1461(1460) ack 1");
    peer_skips(&p);
    peer_waits(&p, 100 * NS_MS);
    acks(&p, 0, 1460, 1460 + 4 * 1160); /* all but the probe */
    EXPECT_EQ(p.conn->work->recovery.state, RECOVERY_OPEN);
    EXPECT(p.conn->work->cc.cwnd >= cwnd);
    peer_sees(&p, ". 1:1161(1160) ack 1");
    EXPECT(p.seen_resent);
    peer_sees(&p, ". 1161:1461(300) ack 1");
    EXPECT(p.seen_resent);
    EXPECT_EQ(p.conn->work->mtu_probe.high, 1499);
    EXPECT_EQ(mss_of(&p), 1160);
}

TEST(mtu_probe_searches_by_halves) /* [RFC4821 7.3] */
{
    struct peer p = peer_that_probes(WEIR_MTU_PROBING_ALWAYS);

    p.conn->work->mtu_probe.high = 1499;
    peer_writes(&p, 40000);
    peer_sees(&p, ". 1:1311(1310) ack 1"); /* halfway between 1200 and 1499 */
    acks(&p, 1310, 0, 0);
    EXPECT_EQ(mtu_probe_mtu(p.conn), 1350);
}

TEST(mtu_probe_lost_among_others_is_congestion) /* [RFC4821 7.6.2] */
{
    struct peer p = peer_that_probes(WEIR_MTU_PROBING_ALWAYS);

    peer_writes(&p, 40000);
    peer_skips(&p);
    peer_waits(&p, 100 * NS_MS);
    acks(&p, 0, 1460 + 1160, 1460 + 5 * 1160); /* the one after it is lost as well */
    EXPECT_EQ(p.conn->work->recovery.state, RECOVERY_FAST);
}

/* It says nothing either way, and what is sent again in its place arrives in small segments. */
TEST(mtu_probe_lost_among_others_is_not_taken_for_one_that_arrived) /* [RFC4821 7.6.2] */
{
    struct peer p = peer_that_probes(WEIR_MTU_PROBING_ALWAYS);

    peer_writes(&p, 20000);
    peer_skips(&p);
    peer_waits(&p, 100 * NS_MS);
    acks(&p, 0, 1460 + 1160, 1460 + 5 * 1160);
    peer_skips(&p);
    acks(&p, 1460 + 5 * 1160, 0, 0);
    EXPECT(!p.conn->work->mtu_probe.is_out);
    EXPECT_EQ(mss_of(&p), 1160);
    EXPECT(p.conn->work->mtu_probe.next_at > p.env->now);
    peer_skips(&p);
}

/* Every algorithm, among them those that are told of each loss [RFC4821 7.6.2], [RFC8899 3]. */
TEST(mtu_probe_that_is_lost_means_nothing_to_any_congestion_control)
{
    for (size_t i = 0; cc_at(i) != NULL; i++) {
        struct peer p = peer_that_probes(WEIR_MTU_PROBING_ALWAYS);
        struct tcp_work *w = p.conn->work;
        uint32_t cwnd, ssthresh;

        recovery_set_cc(p.conn, cc_at(i));
        cwnd = w->cc.cwnd;
        ssthresh = w->cc.ssthresh;
        peer_writes(&p, 40000);
        peer_waits(&p, 1 * NS_MS);
        peer_skips(&p);
        EXPECT(w->mtu_probe.is_out);
        peer_waits(&p, 100 * NS_MS);
        acks(&p, 0, 1460, seq_len(p.conn->snd.una, p.conn->snd.nxt));
        EXPECT_EQ(w->mtu_probe.high, 1499);
        EXPECT_EQ(w->recovery.state, RECOVERY_OPEN);
        EXPECT(w->cc.cwnd >= cwnd);
        EXPECT_EQ(w->cc.ssthresh, ssthresh);
        EXPECT_EQ(w->rate.lost_bytes, 0);
        if (w->cc.ops == cc_find("bbr"))
            EXPECT(!bbr_of(&w->cc)->in_recovery && !bbr_of(&w->cc)->loss_in_round);
        peer_skips(&p);
    }
}

/* What is sent again in its place says nothing of its size. */
TEST(mtu_probe_that_icmp_has_answered_is_not_out_any_more) /* [RFC4821 7.4] */
{
    struct peer p = peer_that_probes(WEIR_MTU_PROBING_ALWAYS);

    peer_writes(&p, 20000);
    peer_skips(&p);
    tcp_set_pmtu(p.conn, p.env, 1300);
    EXPECT(!p.conn->work->mtu_probe.is_out);
    peer_skips(&p);
    acks(&p, 1460 + 5 * 1160, 0, 0);
    tcp_set_pmtu(p.conn, p.env, 1500);
    EXPECT_EQ(mss_of(&p), 1160);
    peer_skips(&p);
}

TEST(mtu_probe_goes_no_further_than_icmp_says) /* [RFC8201 4] */
{
    struct peer p = peer_that_probes(WEIR_MTU_PROBING_ALWAYS);

    tcp_set_pmtu(p.conn, p.env, 1300);
    peer_writes(&p, 40000);
    peer_sees(&p, ". 1:1261(1260) ack 1");
    peer_skips(&p);
    tcp_set_pmtu(p.conn, p.env, 1000);
    EXPECT_EQ(mss_of(&p), 960);
    peer_skips(&p);
}

TEST(mtu_probe_waits_until_there_is_enough_to_send)
{
    struct peer p = peer_that_probes(WEIR_MTU_PROBING_ALWAYS);

    peer_writes(&p, 5000);
    peer_sees(&p, ". 1:1161(1160) ack 1");
    peer_skips(&p);
}
