/* test_window.c - the window we announce */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/window.h"
#include <stdio.h>

TEST(window_scale_lets_the_buffer_grow)
{
    static const struct {
        uint32_t bytes;
        uint8_t scale;
    } rows[] = {
        {1, 0},      {4095, 0},       {4096, 1},       {65535, 4},
        {262144, 7}, {64u << 20, 14}, {INT32_MAX, 14}, {UINT32_MAX, 14},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        EXPECT_EQ(window_scale_for(rows[i].bytes, rows[i].bytes), rows[i].scale);
}

static struct peer peer_with_buffer(uint32_t bytes)
{
    struct peer p = peer_with(TCP_CLOSED, (struct peer_setup){.options = "mss 1460,nop,wscale 7"});

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_RECV_BUFFER, bytes), WEIR_OK);
    peer_brings_to(&p, TCP_ESTABLISHED);
    return p;
}

static seq_t right_edge(const struct peer *p)
{
    return seq_add(p->conn->rcv.acked, p->conn->rcv.wnd);
}

TEST(window_never_moves_its_right_edge_back) /* [RFC9293 SHLD-14] */
{
    uint64_t random = test_seed();

    for (int round = 0; round < 20; round++) {
        struct peer p = peer_with_buffer(5000 + test_random_below(&random, 200000));
        seq_t edge = right_edge(&p);
        uint32_t at = 1;
        for (int i = 0; i < 300; i++) {
            uint32_t len = 1 + test_random_below(&random, 1460);
            char text[64];
            if (len > window_remaining(p.conn))
                len = window_remaining(p.conn);
            if (len > 0) {
                snprintf(text, sizeof text, ". %u:%u(%u) ack 1", at, at + len, len);
                EXPECT_EQ(peer_sends(&p, text), WHY_NONE);
                at += len;
            }
            if (test_random_below(&random, 3) == 0)
                peer_reads(&p, 1 + test_random_below(&random, 5000));
            peer_skips(&p);
            EXPECT(seq_geq(right_edge(&p), edge));
            edge = right_edge(&p);
        }
        while (peer_reads(&p, 10000) > 0)
            ;
    }
}

TEST(window_moves_on_by_worthwhile_steps_only) /* [RFC9293 MUST-39] */
{
    struct peer p = peer_of(TCP_CLOSED);

    tcp_set(p.conn, p.env, WEIR_OPT_RECV_BUFFER, 4380);
    peer_brings_to(&p, TCP_ESTABLISHED);
    peer_sends(&p, ". 1:1461(1460) ack 1");
    peer_sends(&p, ". 1461:2921(1460) ack 1");
    peer_sends(&p, ". 2921:4381(1460) ack 1");
    peer_sees(&p, ". 1:1(0) ack 4381 win 0");
    EXPECT_EQ(peer_reads(&p, 100), 100);
    peer_sees_nothing(&p);
    peer_sends(&p, ". 4380:4380(0) ack 1"); /* a probe */
    peer_sees(&p, ". 1:1(0) ack 4381 win 0");
    EXPECT_EQ(peer_reads(&p, 1359), 1359);
    peer_sees_nothing(&p);
    EXPECT_EQ(peer_reads(&p, 1), 1);
    peer_sees(&p, ". 1:1(0) ack 4381 win 1460");
    EXPECT_EQ(peer_reads(&p, 4000), 2920);
    peer_sees(&p, ". 1:1(0) ack 4381 win 4380");
}

TEST(window_of_a_small_buffer_moves_on_by_halves) /* [RFC9293 MUST-39] */
{
    struct peer p = peer_of(TCP_CLOSED);

    tcp_set(p.conn, p.env, WEIR_OPT_RECV_BUFFER, 1000);
    peer_brings_to(&p, TCP_ESTABLISHED);
    peer_sends(&p, ". 1:501(500) ack 1");
    peer_sends(&p, ". 501:1001(500) ack 1");
    peer_sees(&p, ". 1:1(0) ack 1001 win 0");
    EXPECT_EQ(peer_reads(&p, 499), 499);
    peer_sees_nothing(&p);
    EXPECT_EQ(peer_reads(&p, 1), 1);
    peer_sees(&p, ". 1:1(0) ack 1001 win 500");
}

TEST(window_may_stay_closed_for_as_long_as_the_application_likes) /* [RFC9293 MAY-8] */
{
    struct peer p = peer_of(TCP_CLOSED);

    tcp_set(p.conn, p.env, WEIR_OPT_RECV_BUFFER, 1000);
    peer_brings_to(&p, TCP_ESTABLISHED);
    peer_sends(&p, ". 1:1001(1000) ack 1");
    peer_sees(&p, ". 1:1(0) ack 1001 win 0");
    for (int i = 0; i < 100; i++) {
        peer_waits(&p, 60 * NS_S);
        peer_sends(&p, ". 1000:1000(0) ack 1");
        peer_sees(&p, ". 1:1(0) ack 1001 win 0");
    }
    EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
}

TEST(window_shrinks_for_a_peer_whose_frames_cost_more_than_they_bring)
{
    struct peer cheap = peer_with_buffer(20000), dear = peer_with_buffer(20000);

    for (uint32_t i = 0; i < 10; i++) {
        char text[64];
        snprintf(text, sizeof text, ". %u:%u(1400) ack 1", 1 + 1400 * i, 1401 + 1400 * i);
        peer_sends(&cheap, text);
        snprintf(text, sizeof text, ". %u:%u(30) ack 1", 1 + 30 * i, 31 + 30 * i);
        peer_sends(&dear, text);
    }
    peer_skips(&cheap);
    peer_skips(&dear);
    EXPECT(dear.conn->work->recvq.memory > 2 * dear.conn->work->recvq.bytes);
    EXPECT(cheap.conn->work->recvq.memory < 2 * cheap.conn->work->recvq.bytes);
}

TEST(window_is_scaled_in_all_segments_but_syns) /* [RFC7323 2.2] */
{
    struct peer p = peer_with_buffer(1 << 20); /* our scale is 9 */

    EXPECT_EQ(p.conn->agreed.rcv_wscale, 9);
    peer_sends(&p, "P. 1:11(10) ack 1");
    peer_sees(&p, ". 1:1(0) ack 11 win 2048");
    EXPECT_EQ(p.conn->rcv.wnd, 1 << 20);
}
