/* test_piece.c - lists of runs of bytes, and the queues made of them */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/piece.h"
#include "tcp/recvq.h"
#include "tcp/sendq.h"
#include <string.h>

static struct span stream(uint8_t *bytes, uint32_t offset, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        bytes[i] = tcp_world_byte(offset + i);
    return span_of(bytes, len);
}

static uint32_t len_of(const struct pieces *list)
{
    uint32_t len = 0;

    for (const struct piece *p = list->head; p != NULL; p = p->next) {
        tcp_world_check_bytes(p->bytes, p->len, len);
        len += p->len;
        EXPECT((p->next == NULL) == (p == list->tail));
    }
    return len;
}

TEST(pieces_are_copied_filled_up_and_dropped)
{
    static uint8_t bytes[30000];
    struct tcp_world *w = tcp_world_make();
    struct pieces list = {NULL, NULL};
    uint32_t memory = 0, filled;

    EXPECT(pieces_copy(&list, &w->env.pieces, &w->bufs, stream(bytes, 0, 100), &memory));
    filled = pieces_fill_tail(&list, stream(bytes, 100, 500).bytes, 500);
    EXPECT(filled > 0 && filled < 500); /* what a small buffer has left */
    EXPECT_EQ(pieces_fill_tail(&list, bytes, 1), 0);
    EXPECT(
        pieces_copy(&list, &w->env.pieces, &w->bufs, stream(bytes, 100 + filled, 20000), &memory));
    EXPECT_EQ(len_of(&list), 20100 + filled);
    EXPECT(memory > 20000);
    EXPECT_EQ(pieces_drop(&list, &w->env.pieces, &w->bufs, 10), 0);
    tcp_world_check_bytes(list.head->bytes, list.head->len, 10);
    EXPECT_EQ(pieces_drop(&list, &w->env.pieces, &w->bufs, 20090 + filled), memory);
    EXPECT(list.head == NULL && list.tail == NULL);
}

TEST(pieces_change_nothing_without_memory)
{
    static uint8_t bytes[30000];

    for (uint64_t fail_at = 1; fail_at <= 4; fail_at++) {
        struct tcp_world *w = tcp_world_make();
        struct pieces list = {NULL, NULL};
        uint32_t memory = 0;
        w->alloc.fail_at = fail_at;
        if (pieces_copy(&list, &w->env.pieces, &w->bufs, stream(bytes, 0, 30000), &memory)) {
            pieces_clear(&list, &w->env.pieces, &w->bufs);
            continue;
        }
        EXPECT(list.head == NULL);
        EXPECT_EQ(memory, 0);
    }
}

TEST(sendq_finds_any_byte_that_is_in_it)
{
    struct peer p = peer_of(TCP_ESTABLISHED);
    uint64_t random = test_seed();

    for (int i = 0; i < 40; i++)
        peer_lends(&p, 1 + test_random_below(&random, 300));
    peer_writes(&p, 9000);
    for (int i = 0; i < 2000; i++) {
        uint32_t bytes = p.conn->work->sendq.bytes;
        seq_t start = p.conn->work->sendq.start;
        uint32_t at = test_random_below(&random, bytes);
        uint32_t len = 1 + test_random_below(&random, bytes - at);
        struct tcp_sent sent = {frame_get(&p.world->frames), 0, false};
        static uint8_t flat[70000];
        len = sendq_reach(p.conn, seq_add(start, at), len);
        EXPECT(len > 0);
        sendq_refer(p.conn, seq_add(start, at), len, sent.frame);
        EXPECT_EQ(tcp_sent_flatten(&sent, flat, sizeof flat), len);
        tcp_world_check_bytes(flat, len, seq_len(seq_of(PEER_ISS + 1), start) + at);
        frame_put(&p.world->frames, &p.world->bufs, &sent.frame);
        if (i % 20 == 0)
            sendq_drop(p.conn, p.env, seq_add(start, test_random_below(&random, bytes / 20)));
    }
}

TEST(sendq_counts_memory_exactly)
{
    struct peer p = peer_of(TCP_ESTABLISHED);
    struct sendq *q = &p.conn->work->sendq;

    peer_lends(&p, 500);
    for (int i = 0; i < 20; i++)
        peer_writes(&p, 400);
    EXPECT(q->memory >= 8500);
    peer_skips(&p);
    sendq_drop(p.conn, p.env, seq_add(q->start, 8500));
    EXPECT_EQ(q->bytes, 0);
    EXPECT_EQ(q->memory, 0);
}

TEST(recvq_copies_shows_and_drops)
{
    struct peer p = peer_of(TCP_ESTABLISHED);
    uint8_t bytes[64];
    struct weir_slice slices[2];
    size_t count;

    peer_sends(&p, ". 1:31(30) ack 1");
    peer_sends(&p, ". 31:61(30) ack 1");
    EXPECT_EQ(recvq_copy(p.conn, 0, bytes, 45), 45);
    tcp_world_check_bytes(bytes, 45, 0);
    EXPECT_EQ(recvq_show(p.conn, slices, 0, &count), 0);
    EXPECT(recvq_show(p.conn, slices, 2, &count) == 60 && count >= 1);
    recvq_drop(p.conn, p.env, 60);
    EXPECT_EQ(p.conn->work->recvq.bytes, 0);
    EXPECT_EQ(p.conn->work->recvq.memory, 0);
}
