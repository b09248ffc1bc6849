/* test_rate.c - delivery rate samples, and pacing */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/pace.h"
#include "tcp/rate.h"
#include "tcp/recovery.h"
#include "tcp/timers.h"
#include <stdio.h>

static struct cc_rate last_sample;

static void keep_sample(struct cc *cc, const struct cc_ack *ack)
{
    (void)cc;
    last_sample = ack->rate;
}

static void nothing(struct cc *cc)
{
    (void)cc;
}

static void on_loss(struct cc *cc, ns_t now, uint32_t flight_bytes)
{
    (void)now;
    cc->ssthresh = flight_bytes;
}

static const struct cc_ops probe_ops = {
    .name = "probe",
    .owns_recovery = true,
    .init = nothing,
    .on_ack = keep_sample,
    .on_loss = on_loss,
    .on_timeout = on_loss,
};

static struct peer peer_with_probe(void)
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000,sackOK"});

    p.conn->work->cc.ops = &probe_ops;
    p.conn->work->cc.cwnd = 10000;
    return p;
}

static void acks(struct peer *p, unsigned segs)
{
    char text[64];

    snprintf(text, sizeof text, ". 1:1(0) ack %u", segs * 1000 + 1);
    peer_sends(p, text);
}

static uint32_t lost_bytes, delivered_apart_bytes;

static void count_lost(struct cc *cc, const struct cc_lost *lost)
{
    (void)cc;
    lost_bytes += lost->bytes;
}

static void count_delivered_apart(struct cc *cc, const struct cc_ack *ack)
{
    (void)cc;
    delivered_apart_bytes += ack->acked_bytes;
}

/* What is too big for a path says nothing of its queues [RFC8201 5.4]. */
TEST(rate_does_not_count_what_was_too_big_as_lost)
{
    struct cc_ops ops = probe_ops;
    struct peer p = peer_with_probe();

    ops.on_lost = count_lost;
    p.conn->work->cc.ops = &ops;
    lost_bytes = 0;
    peer_writes(&p, 10000);
    peer_skips(&p);
    recovery_on_too_big(p.conn);
    EXPECT_EQ(p.conn->work->scoreboard.lost_bytes, 10000);
    EXPECT_EQ(p.conn->work->rate.lost_bytes, 0);
    EXPECT_EQ(lost_bytes, 0);
    EXPECT_EQ(peer_skips(&p), 10);
    p.conn->work->cc.ops = &probe_ops;
}

/* An algorithm that does not own recovery is told what arrives in it, apart from what lets it grow. */
TEST(rate_tells_what_is_delivered_in_recovery) /* [RFC8257 3.3] */
{
    struct cc_ops ops = probe_ops;
    struct peer p = peer_with_probe();

    ops.owns_recovery = false;
    ops.on_delivered = count_delivered_apart;
    p.conn->work->cc.ops = &ops;
    delivered_apart_bytes = 0;
    peer_writes(&p, 20000);
    peer_skips(&p);
    peer_sends(&p, ". 1:1(0) ack 1 <nop,nop,sack 1001:5001>");
    EXPECT_EQ(p.conn->work->recovery.state, RECOVERY_FAST);
    EXPECT_EQ(delivered_apart_bytes, 4000);
    peer_sends(&p, ". 1:1(0) ack 1 <nop,nop,sack 1001:7001>");
    EXPECT_EQ(delivered_apart_bytes, 6000);
    p.conn->work->cc.ops = &probe_ops;
}

/* Ten segments a round trip of 100 ms: 100 kB/s. */
TEST(rate_is_what_is_delivered_in_a_round_trip)
{
    struct peer p = peer_with_probe();

    peer_writes(&p, 100000);
    for (unsigned i = 1; i <= 30; i++) {
        peer_skips(&p);
        peer_waits(&p, i == 1 ? 100 * NS_MS : 10 * NS_MS);
        acks(&p, i);
    }
    EXPECT_EQ(last_sample.delivered_bytes, 10000);
    EXPECT_EQ(last_sample.interval_ns, 100 * NS_MS);
    EXPECT_EQ(last_sample.tx_in_flight_bytes, 10000);
    EXPECT(!last_sample.is_app_limited);
    EXPECT_EQ(last_sample.lost_bytes, 0);
}

TEST(rate_of_acknowledgements_that_come_at_once_is_that_of_sending)
{
    struct peer p = peer_with_probe();

    for (int i = 0; i < 10; i++) {
        peer_writes(&p, 1000);
        peer_skips(&p);
        peer_waits(&p, 10 * NS_MS);
    }
    acks(&p, 1);
    for (unsigned i = 2; i <= 10; i++)
        acks(&p, i); /* compressed: the last nine at the same instant */
    EXPECT(last_sample.interval_ns >= 90 * NS_MS);
    EXPECT(last_sample.delivered_bytes <= 10000);
}

TEST(rate_says_when_the_application_was_the_limit)
{
    struct peer p = peer_with_probe();

    peer_writes(&p, 3000);
    peer_skips(&p);
    peer_waits(&p, 100 * NS_MS);
    peer_writes(&p, 1000);
    peer_skips(&p);
    acks(&p, 3);
    peer_waits(&p, 100 * NS_MS);
    acks(&p, 4);
    EXPECT(last_sample.is_app_limited);
    peer_writes(&p, 60000);
    for (unsigned i = 5; i <= 40; i++) { /* all of which was sent after the limit was gone */
        peer_skips(&p);
        peer_waits(&p, 10 * NS_MS);
        acks(&p, i);
    }
    EXPECT(!last_sample.is_app_limited);
}

/* A short segment that Nagle's algorithm holds back is no more than nothing. */
TEST(rate_says_so_when_less_than_a_segment_waits)
{
    struct peer p = peer_with_probe();

    peer_writes(&p, 1500);
    EXPECT_EQ(peer_skips(&p), 2);
    peer_writes(&p, 2700);
    EXPECT_EQ(peer_skips(&p), 2); /* 700 wait for the 500 to be acknowledged */
    peer_waits(&p, 100 * NS_MS);
    EXPECT_EQ(peer_sends(&p, ". 1:1(0) ack 2501"), WHY_NONE);
    EXPECT_EQ(peer_skips(&p), 1);
    peer_waits(&p, 100 * NS_MS);
    EXPECT_EQ(peer_sends(&p, ". 1:1(0) ack 4201"), WHY_NONE);
    EXPECT(last_sample.is_app_limited);
}

TEST(rate_does_not_count_a_pause_as_time_of_delivery)
{
    struct peer p = peer_with_probe();

    peer_writes(&p, 1000);
    peer_skips(&p);
    peer_waits(&p, 100 * NS_MS);
    acks(&p, 1);
    peer_waits(&p, 800 * NS_MS);
    peer_writes(&p, 1000);
    peer_skips(&p);
    peer_waits(&p, 100 * NS_MS);
    acks(&p, 2);
    EXPECT_EQ(last_sample.interval_ns, 100 * NS_MS);
    EXPECT_EQ(last_sample.delivered_bytes, 1000);
}

/* ---- pacing ---- */

TEST(pace_spreads_segments_at_the_rate_that_is_asked_for)
{
    struct peer p = peer_with_probe();
    ns_t began = p.env->now;

    p.conn->work->cc.cwnd = 1000000;
    p.conn->work->cc.pacing_rate = 1000000; /* a segment in a millisecond */
    peer_writes(&p, 50000);
    for (int sent = 0; sent < 50; sent += (int)peer_skips(&p))
        if (sent > 0)
            EXPECT(peer_waits_for_frame(&p) <= NS_MS);
    EXPECT(p.env->now - began >= 47 * NS_MS && p.env->now - began <= 50 * NS_MS);
    EXPECT_EQ(tcp_flight(p.conn), 50000);
}

TEST(pace_sends_quanta_of_a_millisecond)
{
    struct peer p = peer_with_probe();

    p.gso_bytes = 64000;
    p.conn->work->cc.cwnd = 1000000;
    p.conn->work->cc.pacing_rate = 8000000;
    peer_writes(&p, 100000);
    peer_skips_one(&p);
    EXPECT_EQ(tcp_flight(p.conn), 8000);
}

TEST(pace_is_not_for_those_who_do_not_ask)
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000,sackOK"});

    EXPECT_EQ(pace_room(p.conn, p.env), UINT32_MAX);
    p.env->config.pacing = true;
    EXPECT(pace_rate(p.conn, p.env) > 0); /* as cwnd and round trip have it */
}

TEST(pace_is_no_faster_than_the_application_allows)
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000,sackOK"});
    int64_t value = 0;

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_MAX_PACING_RATE, 100001), WEIR_OK);
    EXPECT_EQ(tcp_get(p.conn, WEIR_OPT_MAX_PACING_RATE, &value), WEIR_OK);
    EXPECT_EQ(value, 100352); /* whole KiB */
    EXPECT_EQ(pace_rate(p.conn, p.env), 100352);
    p.conn->work->cc.pacing_rate = 50000;
    EXPECT_EQ(pace_rate(p.conn, p.env), 50000);
    p.conn->work->cc.pacing_rate = 5000000;
    EXPECT_EQ(pace_rate(p.conn, p.env), 100352);
}
