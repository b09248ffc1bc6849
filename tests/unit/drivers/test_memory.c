/*
 * test_memory.c - two drivers back to back
 */
#include <string.h>
#include <weir/driver.h>

#include "lib/test.h"

enum { DEPTH = 4 };

/* What came back to one sender, in order. */
struct sender {
    struct weir_frame *back[64];
    size_t back_count;
};

static struct weir_driver *ends[2];
static struct sender senders[2];
static struct weir_frame frames[16];
static uint8_t bytes[16][1024];

static void on_done(void *ctx, struct weir_frame **done, size_t count)
{
    struct sender *s = ctx;

    for (size_t i = 0; i < count; i++)
        s->back[s->back_count++] = done[i];
}

static void open_pair(void)
{
    const struct weir_netif_config netif = {
        .name = "cable", .link = WEIR_LINK_ETHERNET, .mac = {2, 0, 0, 0, 0, 8}, .mtu = 1500};

    memset(senders, 0, sizeof senders);
    EXPECT_EQ(weir_memory_open(ends, &netif, DEPTH), 0);
    for (size_t i = 0; i < 2; i++) {
        ends[i]->done = on_done;
        ends[i]->done_ctx = &senders[i];
    }
    for (size_t i = 0; i < 16; i++) {
        memset(bytes[i], (int)i, sizeof bytes[i]);
        frames[i] = (struct weir_frame){
            .slices = {{bytes[i], 54}, {bytes[i] + 100, 600}}, .len = 654, .slice_count = 2};
    }
}

static void close_pair(void)
{
    ends[0]->ops->close(&ends[0]);
    ends[1]->ops->close(&ends[1]);
    EXPECT(ends[0] == NULL && ends[1] == NULL);
}

static size_t transmit(size_t end, size_t first, size_t count)
{
    struct weir_frame *offered[16];

    for (size_t i = 0; i < count; i++)
        offered[i] = &frames[first + i];
    return (size_t)ends[end]->ops->transmit(ends[end], offered, count);
}

static size_t receive(size_t end, struct weir_frame *out, size_t max)
{
    return (size_t)ends[end]->ops->receive(ends[end], out, max);
}

TEST(memory_passes_frames_without_a_copy_and_gives_them_back)
{
    struct weir_frame in[16];

    open_pair();
    frames[0].gso = WEIR_GSO_TCP4;
    frames[0].gso_size = 500;
    frames[0].flags = WEIR_FRAME_CSUM_PARTIAL;
    frames[0].release = (void (*)(void *))1; /* the sender's business */
    EXPECT_EQ(transmit(0, 0, 2), 2);
    EXPECT_EQ(receive(0, in, 16), 0);
    EXPECT_EQ(receive(1, in, 16), 2);
    EXPECT(in[0].slices[1].bytes == bytes[0] + 100);
    EXPECT_EQ(in[0].len, 654);
    EXPECT_EQ(in[0].gso_size, 500);
    EXPECT_EQ(in[0].flags, WEIR_FRAME_CSUM_PARTIAL);
    EXPECT_EQ(senders[0].back_count, 0);
    in[1].release(in[1].owner);
    in[0].release(in[0].owner);
    EXPECT_EQ(senders[0].back_count, 0); /* not while a stack is at work */
    EXPECT_EQ(receive(1, in, 16), 0);
    EXPECT_EQ(senders[0].back_count, 2);
    EXPECT(senders[0].back[0] == &frames[1] && senders[0].back[1] == &frames[0]);
    close_pair();
    EXPECT_EQ(senders[0].back_count, 2);
}

TEST(memory_lends_short_frames_until_the_next_receive)
{
    struct weir_frame in[16];

    open_pair();
    frames[0].slice_count = 1;
    frames[0].len = 54;
    transmit(0, 0, 1);
    EXPECT_EQ(receive(1, in, 16), 1);
    EXPECT(in[0].release == NULL);
    transmit(1, 1, 1);
    EXPECT_EQ(senders[0].back_count, 0);
    EXPECT_EQ(receive(1, in, 16), 0);
    EXPECT_EQ(senders[0].back_count, 1);
    close_pair();
}

TEST(memory_takes_no_more_than_its_depth)
{
    struct weir_frame in[16];

    open_pair();
    EXPECT_EQ(transmit(0, 0, 7), DEPTH);
    EXPECT_EQ(transmit(0, DEPTH, 3), 0);
    EXPECT_EQ(transmit(1, 8, 1), 1); /* the other direction is free */
    EXPECT_EQ(receive(1, in, 2), 2);
    EXPECT_EQ(transmit(0, DEPTH, 3), 2);
    for (size_t i = 0; i < 2; i++)
        in[i].release(in[i].owner);
    close_pair();
    EXPECT_EQ(senders[0].back_count, 6);
    EXPECT_EQ(senders[1].back_count, 1);
}

TEST(memory_goes_on_when_the_receiver_keeps_all_it_can)
{
    struct weir_frame kept[DEPTH], in[16];

    open_pair();
    transmit(0, 0, DEPTH);
    EXPECT_EQ(receive(1, kept, DEPTH), DEPTH);
    for (size_t round = 0; round < 3; round++) {
        EXPECT_EQ(transmit(0, DEPTH + 2 * round, 2), 2);
        EXPECT_EQ(receive(1, in, 16), 2);
        EXPECT(in[0].release == NULL && in[1].release == NULL);
        EXPECT_EQ(in[1].slices[0].bytes[0], DEPTH + 2 * round + 1);
    }
    EXPECT_EQ(senders[0].back_count, 4);
    for (size_t i = 0; i < DEPTH; i++)
        kept[i].release(kept[i].owner);
    close_pair();
    EXPECT_EQ(senders[0].back_count, DEPTH + 6);
}

TEST(memory_keeps_the_order)
{
    struct weir_frame in[3];

    open_pair();
    for (size_t i = 0; i < 12; i++) {
        EXPECT_EQ(transmit(1, i, 1), 1);
        EXPECT_EQ(transmit(1, i, 1), 1);
        EXPECT_EQ(receive(0, in, 3), 2);
        EXPECT_EQ(in[0].slices[0].bytes[0], i);
        in[0].release(in[0].owner);
        in[1].release(in[1].owner);
    }
    close_pair();
    EXPECT_EQ(senders[1].back_count, 24);
}

TEST(memory_swallows_what_is_sent_to_a_closed_end)
{
    struct weir_frame in[1];

    open_pair();
    transmit(0, 0, 3);
    transmit(1, 3, 1);
    ends[1]->ops->close(&ends[1]);
    EXPECT_EQ(senders[0].back_count, 3);
    EXPECT_EQ(senders[1].back_count, 1);
    EXPECT_EQ(transmit(0, 4, 9), 9);
    EXPECT_EQ(senders[0].back_count, 12);
    EXPECT_EQ(receive(0, in, 1), 0);
    ends[0]->ops->close(&ends[0]);
    EXPECT_EQ(senders[0].back_count, 12);
}

TEST(memory_closing_both_ends_gives_back_what_is_kept)
{
    struct weir_frame kept[3], lent[1];

    open_pair();
    transmit(0, 0, 2);
    transmit(1, 2, 1);
    receive(1, kept, 2);
    frames[3].len = 20;
    transmit(1, 3, 1);
    receive(0, kept + 2, 1);
    receive(0, lent, 1);
    ends[0]->ops->close(&ends[0]);
    EXPECT_EQ(senders[0].back_count, 0);
    EXPECT_EQ(senders[1].back_count, 1);
    ends[1]->ops->close(&ends[1]);
    EXPECT_EQ(senders[0].back_count, 2);
    EXPECT_EQ(senders[1].back_count, 2);
    /* The stacks are destroyed afterwards, and release then. */
    for (size_t i = 0; i < 3; i++)
        kept[i].release(kept[i].owner);
    EXPECT_EQ(senders[0].back_count, 2);
}

TEST(memory_ends_have_addresses_and_names_of_their_own)
{
    open_pair();
    EXPECT_STR(ends[0]->netif.name, "cable");
    EXPECT(ends[0]->netif.name == ends[0]->name);
    EXPECT_EQ(ends[0]->netif.mac[5], 8);
    EXPECT_EQ(ends[1]->netif.mac[5], 9);
    EXPECT_EQ(ends[0]->fd, -1);
    close_pair();
}

TEST(memory_needs_a_depth)
{
    const struct weir_netif_config netif = {.mtu = 1500};

    EXPECT_EQ(weir_memory_open(ends, &netif, 0), WEIR_EINVAL);
}
