/* test_seg.c - the text of a segment that has arrived */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/input.h"
#include "tcp/seg.h"
#include "wire/tcp.h"
#include <stdio.h>

/* Frames of several slices, as a driver that joins segments hands them over. */
static void run_slices(bool is_owned, uint32_t skip)
{
    struct peer p = peer_of(TCP_ESTABLISHED);
    struct tcp_arrival a = {0};
    struct weir_slice slices[5];
    uint32_t cuts[] = {0, 45, 45, 300, 3000, 4040};

    tcp_arrival_fill(p.world, &a, 0, 4000, is_owned);
    for (size_t i = 0; i < 5; i++)
        slices[i] = (struct weir_slice){a.text.bytes + cuts[i], cuts[i + 1] - cuts[i]};
    a.seg.text = slices;
    a.seg.text_count = 5;
    a.seg.seq = seq_of(PEER_IRS + 1);
    a.seg.ack = seq_of(PEER_ISS + 1);
    a.seg.flags = TCP_ACK;
    a.seg.wnd = 1000;
    a.seg.segs = 3;
    if (skip > 0) { /* its beginning is there already */
        char text[64];
        snprintf(text, sizeof text, ". 1:%u(%u) ack 1", skip + 1, skip);
        peer_sends(&p, text);
    }
    EXPECT_EQ(tcp_input(p.conn, p.env, &a.seg), WHY_NONE);
    tcp_arrival_done(p.world, &a);
    peer_sees(&p, ". 1:1(0) ack 4001");
    EXPECT_EQ(p.conn->work->data_segs_in, 3 + (skip > 0));
    EXPECT_EQ(peer_reads(&p, 5000), 4000);
}

TEST(seg_takes_text_from_several_slices)
{
    static const uint32_t skips[] = {0, 1, 5, 6, 250, 260, 261, 3500};

    for (size_t i = 0; i < sizeof skips / sizeof *skips; i++) {
        run_slices(true, skips[i]);
        run_slices(false, skips[i]);
    }
}

TEST(seg_cuts_its_front)
{
    struct tcp_seg seg = {.seq = seq_of(0xfffffffe), .len = 10, .text_skip = 40};

    tcp_seg_cut_front(&seg, 4);
    EXPECT_EQ(seg.seq.raw, 2);
    EXPECT_EQ(seg.len, 6);
    EXPECT_EQ(seg.text_skip, 44);
    tcp_seg_cut_front(&seg, 100);
    EXPECT_EQ(seg.len, 0);
    EXPECT_EQ(seg.seq.raw, 8);
}

TEST(seg_counts_syn_and_fin_in_its_space) /* [RFC9293 3.4] */
{
    struct tcp_seg seg = {.len = 5, .flags = TCP_SYN | TCP_FIN | TCP_ACK};

    EXPECT_EQ(tcp_seg_space(&seg), 7);
}
