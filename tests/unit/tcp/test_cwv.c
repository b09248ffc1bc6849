/* test_cwv.c - windows that are not used [RFC7661] */
#include "base/num.h"
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/cwv.h"
#include "tcp/recovery.h"
#include <stdio.h>

static struct peer peer_that_keeps_its_window(void)
{
    struct peer p = peer_of(TCP_CLOSED);

    p.env->config.slow_start_after_idle = false;
    p.setup.options = "mss 1000,sackOK";
    peer_brings_to(&p, TCP_ESTABLISHED);
    p.conn->work->cc.ssthresh = 40000;
    p.conn->work->cc.cwnd = 40000;
    return p;
}

static const struct cc *cc_of(const struct peer *p)
{
    return &p->conn->work->cc;
}

/* Writes so many segments, which are acknowledged a round trip later. */
static void talk(struct peer *p, unsigned segs)
{
    char text[64];

    peer_writes(p, segs * 1000);
    peer_skips(p);
    peer_waits(p, 100 * NS_MS);
    snprintf(text, sizeof text, ". 1:1(0) ack %u", (unsigned)p->written + 1);
    EXPECT_EQ(peer_sends(p, text), WHY_NONE);
    peer_skips(p);
}

TEST(cwv_keeps_the_window_over_a_pause) /* [RFC7661 4.4.1] */
{
    struct peer p = peer_that_keeps_its_window();

    talk(&p, 30);
    peer_waits(&p, 60 * NS_S);
    peer_writes(&p, 60000);
    EXPECT_EQ(peer_skips(&p), cc_of(&p)->cwnd / 1000);
    EXPECT(cc_of(&p)->cwnd >= 40000);
}

TEST(cwv_is_not_what_happens_by_default) /* [RFC5681 4.1] */
{
    struct peer p = peer_of(TCP_CLOSED);

    p.setup.options = "mss 1000,sackOK";
    peer_brings_to(&p, TCP_ESTABLISHED);
    p.conn->work->cc.cwnd = 40000;
    talk(&p, 30);
    peer_waits(&p, 900 * NS_MS);
    peer_writes(&p, 60000);
    EXPECT_EQ(peer_skips(&p), 10);
}

TEST(cwv_does_not_let_an_unused_window_grow) /* [RFC7661 4.4.1] */
{
    struct peer p = peer_that_keeps_its_window();

    p.conn->work->cc.ssthresh = UINT32_MAX;
    for (int i = 0; i < 20; i++)
        talk(&p, 5);
    EXPECT(p.conn->work->cwv.unused_since_at != 0);
    EXPECT_EQ(cc_of(&p)->cwnd, 40000);
}

TEST(cwv_measures_whatever_number_the_connection_began_with) /* [RFC7661 4.2] */
{
    struct peer p = peer_that_keeps_its_window();

    /* As the end of a sample that never began looks to half of all initial numbers. */
    p.conn->work->cwv.sample_end.raw = p.conn->snd.una.raw + 0x70000000;
    talk(&p, 5);
    EXPECT_EQ(p.conn->work->cwv.pipe_ack_bytes, 5000);
}

/* Half of a round trip says nothing: most of the window, acknowledged bit by bit, is validated. */
TEST(cwv_measures_a_whole_round_trip_first) /* [RFC7661 4.2, 4.3] */
{
    struct peer p = peer_that_keeps_its_window();

    p.conn->work->cc.ssthresh = UINT32_MAX;
    p.conn->work->cc.cwnd = 10000;
    peer_writes(&p, 9000);
    peer_skips(&p);
    peer_waits(&p, 100 * NS_MS);
    peer_sends(&p, ". 1:1(0) ack 2001");
    EXPECT_EQ(p.conn->work->cwv.pipe_ack_bytes, 0);
    EXPECT_EQ(cc_of(&p)->cwnd, 12000);
    peer_sends(&p, ". 1:1(0) ack 8001");
    EXPECT_EQ(cc_of(&p)->cwnd, 18000);
    peer_sends(&p, ". 1:1(0) ack 9001");
    EXPECT_EQ(p.conn->work->cwv.pipe_ack_bytes, 9000);
    EXPECT_EQ(p.conn->work->cwv.unused_since_at, 0);
}

/*
 * 18 segments of 20 are used: the window grows to twice as much [RFC7661 4.3]. What was acknowledged in
 * the round before, 10, is a measure of the window of that round, not of one that grows meanwhile.
 */
TEST(cwv_does_not_stop_slow_start_in_the_midst_of_a_round)
{
    struct peer p = peer_that_keeps_its_window();
    char text[64];

    p.conn->work->cc.ssthresh = UINT32_MAX;
    p.conn->work->cc.cwnd = 10000;
    peer_writes(&p, 28000);
    EXPECT_EQ(peer_skips(&p), 10);
    peer_waits(&p, 100 * NS_MS);
    peer_sends(&p, ". 1:1(0) ack 10001");
    EXPECT_EQ(peer_skips(&p), 18);
    peer_waits(&p, 100 * NS_MS);
    for (unsigned segs = 2; segs <= 18; segs += 2) {
        snprintf(text, sizeof text, ". 1:1(0) ack %u", 10001 + segs * 1000);
        peer_sends(&p, text);
        EXPECT_EQ(cc_of(&p)->cwnd, u32_min(20000 + segs * 1000, 36000));
    }
    EXPECT_EQ(p.conn->work->cwv.unused_since_at, 0);
}

TEST(cwv_takes_a_used_window_for_validated) /* [RFC7661 4.3] */
{
    struct peer p = peer_that_keeps_its_window();

    talk(&p, 5);
    EXPECT(p.conn->work->cwv.unused_since_at != 0);
    talk(&p, 25);
    EXPECT_EQ(p.conn->work->cwv.unused_since_at, 0);
    EXPECT_EQ(p.conn->work->cwv.pipe_ack_bytes, 25000);
}

TEST(cwv_halves_a_window_that_was_not_used_for_five_minutes) /* [RFC7661 4.4.4] */
{
    struct peer p = peer_that_keeps_its_window();

    p.conn->work->cc.ssthresh = 20000;
    for (int i = 0; i < 302; i++) {
        talk(&p, 2);
        peer_waits(&p, 900 * NS_MS);
    }
    EXPECT_EQ(cc_of(&p)->cwnd, 20000);
    EXPECT_EQ(cc_of(&p)->ssthresh, 30000);
}

/* A loss among few segments is judged by what was acknowledged in a round trip before. */
TEST(cwv_judges_a_loss_by_what_was_used) /* [RFC7661 4.4.3] */
{
    struct peer p = peer_that_keeps_its_window();
    char text[96];
    unsigned una;

    talk(&p, 12);
    una = (unsigned)p.written + 1;
    peer_writes(&p, 4000);
    peer_skips(&p);
    peer_waits(&p, 100 * NS_MS);
    snprintf(text, sizeof text, ". 1:1(0) ack %u <nop,nop,sack %u:%u>", una, una + 1000,
             una + 4000);
    peer_sends(&p, text);
    EXPECT_EQ(p.conn->work->recovery.state, RECOVERY_FAST);
    EXPECT_EQ(cc_of(&p)->ssthresh, 6000); /* of the twelve, not of the four or the forty */
    EXPECT_EQ(p.conn->work->cwv.pipe_ack_bytes, 0);
}

/* All that waits is sent in a window that was full before: what it delivers was sent in a full one, too. */
TEST(cwv_lets_a_full_window_grow_until_more_is_sent)
{
    struct peer p = peer_of(TCP_CLOSED);
    uint32_t before;

    p.setup.options = "mss 1000,sackOK";
    p.env->config.congestion_control = "reno";
    peer_brings_to(&p, TCP_ESTABLISHED);
    p.conn->work->cc.ssthresh = p.conn->work->cc.cwnd = 4000;
    peer_writes(&p, 7000);
    EXPECT_EQ(peer_skips(&p), 4);
    EXPECT_EQ(peer_sends(&p, ". 1:1(0) ack 3001"), WHY_NONE);
    EXPECT_EQ(peer_skips(&p), 3);
    EXPECT_EQ(peer_sends(&p, ". 1:1(0) ack 5001"), WHY_NONE);
    EXPECT_EQ(p.conn->work->cc.cwnd, 5000);
    EXPECT_EQ(peer_sends(&p, ". 1:1(0) ack 7001"), WHY_NONE);
    EXPECT(p.conn->work->cwnd_limited);

    before = p.conn->work->cc.cwnd;
    for (unsigned i = 0; i < 10; i++)
        talk(&p, 1); /* which does not fill it */
    EXPECT(!p.conn->work->cwnd_limited);
    EXPECT_EQ(p.conn->work->cc.cwnd, before);
}
