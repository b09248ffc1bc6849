/* test_segment.c - from a decision to a frame */
#include "base/frame.h"
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/output.h"
#include "tcp/segment.h"
#include "wire/tcp.h"

TEST(segment_leaves_the_checksum_to_the_device_but_never_out) /* [RFC9293 MUST-2] */
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.is_v6 = is_v6});
        struct tcp_sent sent = {0};
        struct tcp_turn turn;
        for (uint32_t len = 1; len < 60; len++) {
            peer_lends(&p, len); /* odd and even pieces: peer_sees verifies the sum */
            tcp_set(p.conn, p.env, WEIR_OPT_NODELAY, 1);
        }
        sent.frame = tcp_output(p.conn, p.env, 0, &turn);
        EXPECT(sent.frame->wire.flags & WEIR_FRAME_CSUM_PARTIAL);
        EXPECT_EQ(sent.frame->wire.csum_start, 0);
        EXPECT_EQ(sent.frame->wire.csum_offset, TCP_CHECKSUM_AT);
        tcp_sents_add(&p.world->sent, sent);
        EXPECT(peer_skips(&p) > 2);
    }
}

TEST(segment_marks_super_segments_for_the_family)
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.is_v6 = is_v6});
        struct tcp_turn turn;
        struct frame *frame;
        peer_writes(&p, 5000);
        frame = tcp_output(p.conn, p.env, 60000, &turn);
        EXPECT_EQ(frame->wire.gso, is_v6 ? WEIR_GSO_TCP6 : WEIR_GSO_TCP4);
        EXPECT_EQ(frame->wire.gso_size, is_v6 ? 1440 : 1460);
        EXPECT_EQ(frame->wire.len, TCP_HEADER_LEN + 5000);
        frame_put(&p.world->frames, &p.world->bufs, &frame);
    }
}
