/* test_tune.c - buffers that grow with what they are used for */
#include "lib/duo.h"
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/tune.h"
#include "tcp/user.h"
#include "tcp/window.h"
#include <stdio.h>

enum { START = 256 * 1024, SEND_MOST = 4 * 1024 * 1024, RECV_MOST = 6 * 1024 * 1024 };

/* ---- one end ---- */

/* The peer sends so many segments, the application reads them, and a round trip has passed. */
static void reads_in_a_round_trip(struct peer *p, unsigned segs)
{
    char text[80];

    for (unsigned i = 0; i < segs; i++) {
        unsigned at = (unsigned)(p->conn->rcv.nxt.raw - PEER_IRS);
        snprintf(text, sizeof text, ". %u:%u(1460) ack 1", at, at + 1460);
        EXPECT_EQ(peer_sends(p, text), WHY_NONE);
        EXPECT_EQ(peer_reads(p, 2000), 1460);
        peer_skips(p);
    }
    peer_waits(p, PEER_RTT_NS);
}

static struct peer peer_that_sends(void)
{
    struct peer p =
        peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1460,nop,wscale 7"});

    p.conn->work->tune.rtt_ns = PEER_RTT_NS;
    return p;
}

TEST(tune_makes_room_for_twice_what_is_read_in_a_round_trip)
{
    struct peer p = peer_that_sends();

    reads_in_a_round_trip(&p, 100);
    EXPECT_EQ(p.conn->recv_buffer_bytes, START);
    reads_in_a_round_trip(&p, 150);
    reads_in_a_round_trip(&p, 150);
    EXPECT(p.conn->recv_buffer_bytes >= 2 * 150 * 1460);
    uint32_t size = p.conn->recv_buffer_bytes;
    EXPECT(window_remaining(p.conn) + 2 * 1460 >= size); /* and says so */
    reads_in_a_round_trip(&p, 100);
    reads_in_a_round_trip(&p, 100);
    EXPECT_EQ(p.conn->recv_buffer_bytes, size); /* it does not shrink */
}

TEST(tune_stops_at_the_limit)
{
    struct peer p = peer_that_sends();

    p.env->config.recv_buffer_max_bytes = START + 1000;
    for (int i = 0; i < 6; i++)
        reads_in_a_round_trip(&p, 170);
    EXPECT_EQ(p.conn->recv_buffer_bytes, START + 1000);
    p = peer_that_sends();
    p.env->config.recv_buffer_max_bytes = 0;
    for (int i = 0; i < 6; i++)
        reads_in_a_round_trip(&p, 170);
    EXPECT_EQ(p.conn->recv_buffer_bytes, START);
}

TEST(tune_leaves_what_the_application_has_set)
{
    struct peer p = peer_that_sends();
    int64_t value;

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_RECV_BUFFER, 300000), WEIR_OK);
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_SEND_BUFFER, 10000), WEIR_OK);
    for (int i = 0; i < 6; i++)
        reads_in_a_round_trip(&p, 190);
    peer_writes(&p, 10000);
    peer_skips(&p);
    peer_sends(&p, ". 277401:277401(0) ack 10001");
    EXPECT_EQ(tcp_get(p.conn, WEIR_OPT_RECV_BUFFER, &value), WEIR_OK);
    EXPECT_EQ(value, 300000);
    EXPECT_EQ(tcp_get(p.conn, WEIR_OPT_SEND_BUFFER, &value), WEIR_OK);
    EXPECT_EQ(value, 10000);
}

TEST(tune_does_not_grow_when_memory_is_scarce)
{
    struct peer p = peer_that_sends();

    reads_in_a_round_trip(&p, 100);
    p.world->mem.limit = 2 * p.world->mem.used - 2;
    for (int i = 0; i < 6; i++)
        reads_in_a_round_trip(&p, 170);
    EXPECT_EQ(p.conn->recv_buffer_bytes, START);
    p.world->mem.limit = SIZE_MAX;
}

TEST(tune_costs_nothing_for_a_reader_that_does_not_read)
{
    struct peer p = peer_that_sends();
    char text[80];
    unsigned at = 1;

    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 50; i++, at += 1460) {
            snprintf(text, sizeof text, ". %u:%u(1460) ack 1", at, at + 1460);
            peer_sends(&p, text);
            peer_skips(&p);
            if (window_remaining(p.conn) < 1460)
                break;
        }
        peer_waits(&p, PEER_RTT_NS);
    }
    EXPECT_EQ(p.conn->recv_buffer_bytes, START);
    EXPECT(p.conn->work->recvq.memory <= 2 * START);
}

TEST(tune_measures_the_round_trip_by_timestamps_or_by_windows)
{
    struct peer p =
        peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1460,TS val 1 ecr 0"});
    char text[100];

    EXPECT_EQ(p.conn->work->tune.rtt_ns, 0);
    for (unsigned i = 0; i < 3; i++) {
        unsigned at = 1 + 1448 * i;
        uint32_t echo = p.seen_ts_val;
        peer_waits(&p, 30 * NS_MS);
        snprintf(text, sizeof text, ". %u:%u(1448) ack 1 <nop,nop,TS val %u ecr %u>", at, at + 1448,
                 2 + i, echo);
        peer_sends(&p, text);
        EXPECT_EQ(peer_reads(&p, 2000), 1448);
        peer_skips(&p);
    }
    EXPECT_EQ(p.conn->work->tune.rtt_ns, 30 * NS_MS);

    p = peer_with(TCP_ESTABLISHED, (struct peer_setup){0});
    for (unsigned at = 1; at < 3 * 65536; at += 1460) {
        snprintf(text, sizeof text, ". %u:%u(1460) ack 1", at, at + 1460);
        peer_sends(&p, text);
        EXPECT_EQ(peer_reads(&p, 2000), 1460);
        peer_skips(&p);
        peer_waits(&p, NS_MS);
    }
    EXPECT(p.conn->work->tune.rtt_ns >= 40 * NS_MS && p.conn->work->tune.rtt_ns <= 50 * NS_MS);
}

TEST(tune_gives_the_send_buffer_twice_cwnd)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_writes(&p, 1460);
    peer_skips(&p);
    p.conn->work->cc.cwnd = 500000;
    peer_sends(&p, ". 1:1(0) ack 1461");
    EXPECT(p.conn->send_buffer_bytes >= 1000000);
    peer_writes(&p, 1460);
    peer_skips(&p);
    p.conn->work->cc.cwnd = 1 << 30;
    peer_sends(&p, ". 1:1(0) ack 2921");
    EXPECT_EQ(p.conn->send_buffer_bytes, SEND_MOST);
}

/* ---- what a byte costs ---- */

TEST(tune_shows_a_window_that_memory_can_hold)
{
    struct peer p =
        peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1460,nop,wscale 7"});
    struct tcp_work *w = p.conn->work;

    EXPECT_EQ(tune_cost(p.conn), 2 * TUNE_COST_UNIT);
    EXPECT_EQ(peer_sends(&p, ". 1:10001(10000) ack 1"), WHY_NONE);
    peer_skips(&p);
    /* As if each byte had come in a frame three times as large. */
    w->recvq.memory = 3 * w->recvq.bytes;
    peer_sends(&p, ". 10001:10101(100) ack 1");
    w->recvq.memory = 3 * w->recvq.bytes;
    EXPECT(tune_cost(p.conn) > 2 * TUNE_COST_UNIT);
    EXPECT(tune_cost(p.conn) <= 3 * TUNE_COST_UNIT);
    EXPECT(!window_is_worth_announcing(p.conn));
    w->recvq.memory = w->recvq.bytes;
}

/* ---- two ends ---- */

static ns_t fills(struct duo_link link, uint32_t most_bytes, uint64_t bytes, bool both_ways)
{
    struct duo d = duo_of(link);
    ns_t start = d.world->env.now, took_ns;

    if (most_bytes != 0)
        d.world->env.config.send_buffer_max_bytes = d.world->env.config.recv_buffer_max_bytes =
            most_bytes;
    duo_connects(&d);
    for (int i = 0; i < 2; i++) {
        d.ends[i].to_write = i == 0 || both_ways ? bytes : 0;
        d.ends[i].write_max = 65536;
    }
    EXPECT(duo_runs(&d, 1000 * NS_S));
    EXPECT(duo_is_done(&d));
    EXPECT_EQ(d.ends[0].conn->retransmits, 0);
    took_ns = d.world->env.now - start;
    duo_ends(&d);
    tcp_world_end(d.world);
    return took_ns;
}

/* 1 Gbit/s: slow start takes less than a second, and then the link or the largest buffers count. */
TEST(tune_fills_long_fat_links_by_default)
{
    struct duo_link link = {.gso_bytes = 60000, .rate_bytes_s = 125000000};

    link.delay_ns = 10 * NS_MS;
    EXPECT(fills(link, 0, 20000000, false) < 450 * NS_MS); /* 160 ms at full rate */
    EXPECT(fills(link, 0, 10000000, true) < 400 * NS_MS);
    link.delay_ns = 50 * NS_MS;
    EXPECT(fills(link, 0, 20000000, false) < 1700 * NS_MS); /* 4 MiB in each 100 ms */
}

TEST(tune_fills_a_link_of_1_gbit_in_100_ms_if_it_may)
{
    struct duo_link link = {.gso_bytes = 60000, .rate_bytes_s = 125000000, .delay_ns = 50 * NS_MS};
    ns_t took_ns = fills(link, 64 << 20, test_many(50000000), false);

    EXPECT(took_ns < 1900 * NS_MS); /* 400 ms at full rate */
}
