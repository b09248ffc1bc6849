/* test_ack.c - the fifth check: acknowledgements, the peer's window, who is woken */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/ack.h"
#include "tcp/seg.h"
#include "tcp/tstamp.h"
#include <stdio.h>
#include <string.h>

TEST(ack_frees_what_it_covers)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_writes(&p, 3000);
    peer_skips(&p);
    peer_sends(&p, ". 1:1(0) ack 1001"); /* in the middle of a segment */
    EXPECT_EQ(p.conn->work->sendq.bytes, 2000);
    EXPECT_EQ(p.conn->bytes_acked, 1000);
    peer_sends(&p, ". 1:1(0) ack 3001");
    EXPECT_EQ(p.conn->work->sendq.bytes, 0);
    EXPECT_EQ(p.conn->bytes_acked, 3000);
}

TEST(ack_of_a_fin_counts_no_byte)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_writes(&p, 10);
    tcp_shutdown(p.conn, p.env);
    peer_skips(&p);
    peer_sends(&p, ". 1:1(0) ack 12");
    EXPECT_EQ(p.conn->bytes_acked, 10);
    EXPECT_EQ(p.conn->state, TCP_FIN_WAIT_2);
}

TEST(ack_from_before_the_largest_window_is_a_guess) /* [RFC5961 5.2] [RFC9293 MAY-12] */
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.window = 2000});

    peer_writes(&p, 1460);
    peer_skips(&p);
    peer_sends(&p, ". 1:1(0) ack 1461");
    EXPECT_EQ(peer_sends(&p, "P. 1:11(10) ack 4294966757"), WHY_NONE); /* 2000 before */
    EXPECT_EQ(peer_reads(&p, 100), 10);
    peer_skips(&p);
    EXPECT_EQ(peer_sends(&p, "P. 11:21(10) ack 4294966756"), WHY_TCP_OLD_ACK);
    peer_sees(&p, ". 1461:1461(0) ack 11");
    EXPECT_EQ(peer_reads(&p, 100), WEIR_EAGAIN);
}

TEST(ack_takes_the_window_of_the_newest_segment_only) /* [RFC9293 3.10.7.4, fifth] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_writes(&p, 100);
    peer_skips(&p);
    peer_sends(&p, ". 11:21(10) ack 101 win 5000");
    EXPECT_EQ(p.conn->snd.wnd, 5000);
    peer_sends(&p, ". 1:11(10) ack 101 win 4000"); /* sent before the other */
    EXPECT_EQ(p.conn->snd.wnd, 5000);
    peer_sends(&p, ". 21:21(0) ack 51 win 3000"); /* an old acknowledgement */
    EXPECT_EQ(p.conn->snd.wnd, 5000);
    peer_sends(&p, ". 21:21(0) ack 101 win 2000");
    EXPECT_EQ(p.conn->snd.wnd, 2000);
    EXPECT_EQ(p.conn->snd.wnd_max, 65535);
}

TEST(ack_that_is_new_brings_its_window_with_old_text) /* [RFC9293 3.10.7.4, fifth] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_writes(&p, 3000);
    peer_skips(&p);
    peer_sends(&p, ". 101:101(0) ack 1 win 4000"); /* after text that was lost */
    EXPECT_EQ(p.conn->snd.wnd, 4000);
    peer_sends(&p, ". 1:101(100) ack 1461 win 2540"); /* the text, sent again: 4001 still */
    EXPECT_EQ(p.conn->snd.wnd, 2540);
    peer_sends(&p, ". 51:101(50) ack 1461 win 3000"); /* neither newer by text nor by ack */
    EXPECT_EQ(p.conn->snd.wnd, 2540);
}

TEST(ack_takes_windows_as_unsigned_and_32_bits_wide) /* [RFC9293 MUST-1, REC-1] */
{
    struct peer p =
        peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1460,nop,wscale 14"});

    peer_sends(&p, ". 1:1(0) ack 1 win 65535");
    EXPECT_EQ(p.conn->snd.wnd, 65535u << 14);
    p = peer_of(TCP_ESTABLISHED);
    peer_sends(&p, ". 1:1(0) ack 1 win 40000"); /* negative, were it signed */
    EXPECT_EQ(p.conn->snd.wnd, 40000);
}

TEST(ack_wakes_a_writer_when_a_third_of_the_queue_is_free)
{
    struct peer p = peer_of(TCP_CLOSED);
    uint8_t bytes[9000] = {0};

    tcp_set(p.conn, p.env, WEIR_OPT_SEND_BUFFER, 9000);
    peer_brings_to(&p, TCP_ESTABLISHED);
    peer_writes(&p, 9000);
    peer_skips(&p);
    EXPECT_EQ(tcp_send(p.conn, p.env, bytes, sizeof bytes, 0), WEIR_EAGAIN);
    peer_sends(&p, ". 1:1(0) ack 2921");
    EXPECT_EQ(peer_takes_events(&p), 0);
    peer_sends(&p, ". 1:1(0) ack 4381");
    EXPECT_EQ(peer_takes_events(&p), WEIR_EVENT_WRITABLE);
    peer_sends(&p, ". 1:1(0) ack 5841");
    EXPECT_EQ(peer_takes_events(&p), 0); /* nobody was refused since */
}

TEST(ack_tells_when_all_has_been_sent_to_who_asked)
{
    struct peer p = peer_of(TCP_CLOSED);

    tcp_set(p.conn, p.env, WEIR_OPT_NOTE_SENT, 1);
    peer_opens(&p);
    peer_skips(&p);
    peer_sends(&p, "S. 0:0(0) ack 1 <mss 1460>");
    EXPECT(!(peer_takes_events(&p) & WEIR_EVENT_SENT)); /* a SYN is nothing that was written */
    peer_writes(&p, 2000);
    peer_skips(&p);
    peer_sends(&p, ". 1:1(0) ack 1461");
    EXPECT_EQ(peer_takes_events(&p), 0);
    peer_sends(&p, ". 1:1(0) ack 2001");
    EXPECT_EQ(peer_takes_events(&p), WEIR_EVENT_SENT);
}

TEST(ack_survives_a_window_that_shrinks) /* [RFC9293 MUST-34, SHLD-15] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_writes(&p, 10000);
    peer_skips(&p);
    EXPECT_EQ(tcp_flight(p.conn), 10000);
    peer_sends(&p, ". 1:1(0) ack 1461 win 1000"); /* 7540 less than nothing */
    peer_writes(&p, 1460);
    peer_sees_nothing(&p);
    peer_sends(&p, ". 1:1(0) ack 10001 win 1460");
    peer_sees(&p, "P. 10001:11461(1460) ack 1");
}

/* ---- the handshake's, which goes a short way ---- */

struct after {
    struct tcp_conn conn;
    struct tcp_work work;
};

static void save(struct after *after, const struct tcp_conn *c)
{
    memcpy(&after->conn, c, sizeof *c);
    memcpy(&after->work, c->work, sizeof *c->work);
}

/* What acknowledges the SYN alone does so both ways; p is as before then. */
static void compare(struct peer *p)
{
    struct tcp_conn *c = p->conn;
    struct tcp_seg seg = {.ack = c->snd.nxt, .flags = TCP_ACK, .wnd = 1000, .segs = 1};
    struct after before, by_steps, at_once;

    if (c->agreed.timestamps_ok)
        tcp_options_stamp(&seg.opt, 1, tstamp_clock(p->env->now - NS_MS, c->ts.offset));
    save(&before, c);
    ack_take(c, p->env, &seg);
    save(&by_steps, c);
    memcpy(c, &before.conn, sizeof *c);
    memcpy(c->work, &before.work, sizeof *c->work);
    ack_take_handshake(c, p->env, &seg);
    save(&at_once, c);
    memcpy(c, &before.conn, sizeof *c);
    memcpy(c->work, &before.work, sizeof *c->work);
    EXPECT(memcmp(&by_steps.conn, &at_once.conn, sizeof at_once.conn) == 0);
    EXPECT(memcmp(&by_steps.work, &at_once.work, sizeof at_once.work) == 0);
    EXPECT(seq_eq(at_once.conn.snd.una, c->snd.nxt) && at_once.conn.rtt.srtt_us > 0);
}

TEST(ack_of_a_syn_alone_leaves_what_the_steps_would) /* [RFC9293 3.10.7.3, 3.10.7.4] */
{
    struct peer p = peer_of(TCP_CLOSED);

    peer_opens(&p);
    peer_skips(&p);
    peer_waits(&p, 20 * NS_MS);
    compare(&p);
    peer_writes_flagged(&p, 100, WEIR_SEND_MORE); /* it waits for the handshake */
    compare(&p);
    peer_waits(&p, 2 * NS_S); /* the SYN has gone twice */
    peer_skips(&p);
    compare(&p);
    peer_sends(&p, "S 0:0(0) <mss 1460>"); /* both have opened at once */
    peer_skips(&p);
    EXPECT_EQ(p.conn->state, TCP_SYN_RECEIVED);
    p.conn->work->syn_sent_at = p.env->now - NS_MS;
    compare(&p);
}
