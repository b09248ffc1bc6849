/* test_closed.c - a segment for which there is no connection */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/closed.h"
#include "tcp/segment.h"
#include "wire/tcp.h"

TEST(closed_makes_resets_that_only_the_sender_takes_for_an_answer) /* [RFC9293 3.5.2] */
{
    static const struct {
        uint16_t flags;
        uint32_t len;
        uint16_t answer;
        uint32_t seq, ack;
    } rows[] = {
        {TCP_SYN, 0, TCP_RST | TCP_ACK, 0, 101},
        {TCP_SYN | TCP_FIN, 7, TCP_RST | TCP_ACK, 0, 109},
        {0, 0, TCP_RST | TCP_ACK, 0, 100},
        {TCP_ACK, 7, TCP_RST, 5000, 0},
        {TCP_SYN | TCP_ACK, 0, TCP_RST, 5000, 0},
        {TCP_RST, 0, 0, 0, 0},
        {TCP_RST | TCP_ACK | TCP_SYN, 0, 0, 0, 0},
    };
    struct peer p = peer_of(TCP_CLOSED);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tcp_seg seg = {
            .seq = seq_of(100), .ack = seq_of(5000), .flags = rows[i].flags, .len = rows[i].len};
        struct reply reply;
        EXPECT(closed_reset(&p.tuple, &seg, &reply) == (rows[i].answer != 0));
        if (rows[i].answer == 0)
            continue;
        EXPECT_EQ(reply.flags, rows[i].answer);
        EXPECT_EQ(reply.seq.raw, rows[i].seq);
        EXPECT_EQ(reply.ack.raw, rows[i].ack);
        EXPECT_EQ(reply.window, 0);
    }
}
