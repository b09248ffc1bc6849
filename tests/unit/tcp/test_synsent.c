/* test_synsent.c - SEGMENT ARRIVES in SYN-SENT */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/input.h"
#include "tcp/output.h"
#include "tcp/synsent.h"
#include "tcp/timers.h"
#include "tcp/tstamp.h"
#include "wire/tcp.h"
#include <stdio.h>

TEST(synsent_offers_what_we_can) /* [RFC9293 MUST-14, SHLD-5, MAY-3] */
{
    struct peer p = peer_of(TCP_CLOSED);

    peer_opens(&p);
    peer_sees(&p, "S 0:0(0) win 65535 <...>");
    EXPECT(p.seen_ts_val != 0);
    EXPECT_EQ(p.seen_ts_ecr, 0);

    p = peer_of(TCP_CLOSED);
    p.env->config.timestamps = false;
    peer_opens(&p);
    peer_sees(&p, "S 0:0(0) win 65535 <mss 1460,nop,nop,sackOK,nop,wscale 7>");

    p = peer_with(TCP_CLOSED, (struct peer_setup){.is_v6 = true, .mtu = 1280});
    p.env->config.timestamps = false;
    p.env->config.window_scaling = false;
    peer_opens(&p);
    peer_sees(&p, "S 0:0(0) win 65535 <mss 1220,nop,nop,sackOK>");
}

TEST(synsent_connects_in_three_segments) /* [RFC9293 3.5, figure 6] */
{
    struct peer p = peer_of(TCP_SYN_SENT);

    peer_waits(&p, 100 * NS_MS);
    EXPECT_EQ(peer_sends(&p, "S. 0:0(0) ack 1 win 30000 <mss 1000,nop,wscale 7>"), WHY_NONE);
    EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
    EXPECT_EQ(peer_takes_events(&p), WEIR_EVENT_CONNECTED | WEIR_EVENT_WRITABLE);
    EXPECT_EQ(p.conn->snd.wnd, 30000); /* not scaled [RFC7323 2.2] */
    EXPECT_EQ(p.conn->agreed.snd_mss, 1000);
    EXPECT_EQ(p.conn->rtt.srtt_us, 100000);
    peer_sees(&p, ". 1:1(0) ack 1 win 2048"); /* scaled by 7 */
    peer_sees_nothing(&p);
    EXPECT_EQ(tcp_deadline(p.conn), p.env->now + NS_S); /* for rest alone */
}

TEST(synsent_opens_at_the_same_time_as_the_peer) /* [RFC9293 3.5, figure 7, MUST-10] */
{
    struct peer p = peer_of(TCP_SYN_SENT);

    peer_sends(&p, "S 0:0(0) <mss 1460>");
    EXPECT_EQ(p.conn->state, TCP_SYN_RECEIVED);
    peer_sees(&p, "S. 0:0(0) ack 1 <mss 1460>");
    peer_sends(&p, "S. 0:0(0) ack 1 <mss 1460>");
    EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
    peer_sees(&p, ". 1:1(0) ack 1"); /* its SYN has come twice */
    peer_sees_nothing(&p);
    peer_writes(&p, 10);
    peer_sees(&p, "P. 1:11(10) ack 1");
}

TEST(synsent_takes_text_and_fin_that_come_with_the_syn_ack)
{
    struct peer p = peer_of(TCP_SYN_SENT);

    EXPECT_EQ(peer_sends(&p, "SFP. 0:10(10) ack 1 <mss 1460>"), WHY_NONE);
    EXPECT_EQ(p.conn->state, TCP_CLOSE_WAIT);
    peer_sees(&p, ". 1:1(0) ack 12");
    EXPECT_EQ(peer_reads(&p, 100), 10);
    EXPECT_EQ(peer_reads(&p, 100), 0);
    EXPECT_EQ(p.conn->segs_in, 1);
}

TEST(synsent_does_not_scale_the_window_of_a_syn_ack_with_text) /* [RFC7323 2.2] */
{
    struct peer p = peer_of(TCP_SYN_SENT);

    peer_sends(&p, "SP. 0:10(10) ack 1 win 30000 <mss 1460,nop,wscale 7>");
    EXPECT(p.conn->snd.wnd <= 30000 && p.conn->snd.wnd > 30000 - 128);
}

TEST(synsent_sends_what_was_written_before_the_handshake)
{
    struct peer p = peer_of(TCP_SYN_SENT);

    peer_writes(&p, 10);
    tcp_shutdown(p.conn, p.env);
    peer_sees_nothing(&p);
    peer_sends(&p, "S. 0:0(0) ack 1 <mss 1460>");
    peer_sees(&p, "FP. 1:11(10) ack 1");
    EXPECT_EQ(p.conn->state, TCP_FIN_WAIT_1);
    peer_sees_nothing(&p);
}

TEST(synsent_cleans_up_after_a_half_open_peer) /* [RFC9293 3.5.1, figure 9] */
{
    struct peer p = peer_of(TCP_SYN_SENT);

    EXPECT_EQ(peer_sends(&p, ". 100:100(0) ack 300"), WHY_TCP_BAD_ACK);
    peer_sees(&p, "R 300:300(0)");
    EXPECT_EQ(peer_waits_for_frame(&p), NS_S);
    peer_sees(&p, "S 0:0(0) <...>");
    peer_sends(&p, "S. 0:0(0) ack 1 <mss 1460>");
    EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
}

TEST(synsent_is_refused) /* [RFC9293 MUST-12] */
{
    struct peer p = peer_of(TCP_SYN_SENT);

    EXPECT_EQ(peer_sends(&p, "R. 0:0(0) ack 1"), WHY_TCP_RESET);
    EXPECT_EQ(p.conn->error, WEIR_ECONNREFUSED);
    EXPECT_EQ(peer_takes_events(&p), WEIR_EVENT_CLOSED);
    EXPECT_EQ(p.env->counts.failed_opens, 1);
    peer_sees_nothing(&p);
    EXPECT_EQ(peer_reads(&p, 10), WEIR_ECONNREFUSED);
    EXPECT_EQ(tcp_send(p.conn, p.env, "x", 1, 0), WEIR_ECONNREFUSED);
}

TEST(synsent_resets_what_echoes_a_time_at_which_it_has_sent_nothing)
{
    struct peer p = peer_of(TCP_SYN_SENT);
    uint32_t now = tstamp_clock(p.env->now, p.conn->ts.offset);
    char synack[80];

    snprintf(synack, sizeof synack, "S. 0:0(0) ack 1 <mss 1460,TS val 5 ecr %u>", now + 1);
    EXPECT_EQ(peer_sends(&p, synack), WHY_TCP_BAD_ACK);
    peer_sees(&p, "R 1:1(0)");
    snprintf(synack, sizeof synack, "S. 0:0(0) ack 1 <mss 1460,TS val 5 ecr %u>", now - 2000);
    EXPECT_EQ(peer_sends(&p, synack), WHY_TCP_BAD_ACK);
    peer_sees(&p, "R 1:1(0)");
    snprintf(synack, sizeof synack, "S. 0:0(0) ack 1 <mss 1460,TS val 5 ecr %u>", now);
    EXPECT_EQ(peer_sends(&p, synack), WHY_NONE);
    EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
}

TEST(synsent_agrees_on_timestamps_only_if_both_want_them) /* [RFC7323 3.2] */
{
    struct peer p = peer_of(TCP_SYN_SENT);

    peer_sends(&p, "S. 0:0(0) ack 1 <mss 1460,TS val 5 ecr 0>");
    EXPECT(p.conn->agreed.timestamps_ok);
    EXPECT(!p.conn->agreed.wscale_ok);
    peer_sees(&p, ". 1:1(0) ack 1 <...>");
    EXPECT_EQ(p.seen_ts_ecr, 5);

    p = peer_of(TCP_CLOSED);
    p.env->config.timestamps = false;
    peer_opens(&p);
    peer_skips(&p);
    peer_sends(&p, "S. 0:0(0) ack 1 <mss 1460,TS val 5 ecr 1>");
    EXPECT(!p.conn->agreed.timestamps_ok);
    peer_sees(&p, ". 1:1(0) ack 1");
}

/* What the connection sends comes back to it, as a segment of the peer it is itself. */
static void hear_oneself(struct peer *p)
{
    static uint8_t bytes[4096];
    struct tcp_turn turn;

    for (int i = 0; i < 100; i++) {
        struct tcp_sent sent = {.frame = tcp_output(p->conn, p->env, 0, &turn)};
        struct tcp_arrival a = {0};
        struct tcp_header h;
        size_t len;
        if (sent.frame == NULL)
            return;
        len = tcp_sent_flatten(&sent, bytes, sizeof bytes);
        EXPECT_EQ(tcp_parse(span_of(bytes, len), len, &h), WHY_NONE);
        frame_put(&p->world->frames, &p->world->bufs, &sent.frame);
        tcp_arrival_fill(p->world, &a, (uint32_t)(h.seq - PEER_ISS - 1), (uint32_t)h.payload_len,
                         true);
        a.seg.seq = seq_of(h.seq);
        a.seg.ack = seq_of(h.ack);
        a.seg.flags = h.flags;
        a.seg.wnd = h.window;
        tcp_options_parse(h.options, &a.seg.opt);
        tcp_input(p->conn, p->env, &a.seg);
        tcp_arrival_done(p->world, &a);
        tcp_conn_check(p->conn);
    }
    FAIL("it talks to itself for ever");
}

TEST(synsent_connects_to_itself) /* as Linux does; the simultaneous open of a single end */
{
    struct peer p = peer_of(TCP_CLOSED);

    p.tuple.remote_addr = p.tuple.local_addr;
    p.tuple.remote_port = p.tuple.local_port;
    peer_opens(&p);
    hear_oneself(&p);
    EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
    peer_writes(&p, 1000);
    hear_oneself(&p);
    EXPECT_EQ(peer_reads(&p, 2000), 1000);
    EXPECT_EQ(tcp_shutdown(p.conn, p.env), WEIR_OK);
    hear_oneself(&p);
    EXPECT_EQ(p.conn->state, TCP_TIME_WAIT);
    EXPECT_EQ(peer_reads(&p, 2000), 0);
}
