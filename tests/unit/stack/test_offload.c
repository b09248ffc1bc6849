/*
 * test_offload.c - frames: what devices do for us, and who has them when
 */
#include "lib/test.h"
#include "lib/world.h"
#include "wire/ip.h"
#include "wire/tcp.h"
#include <stdlib.h>
#include <string.h>

static struct packet packet;

enum {
    TSO = WEIR_OFFLOAD_CSUM | WEIR_OFFLOAD_TSO4 | WEIR_OFFLOAD_TSO6,
    MANY = 400,
};

/* The link of every world checks all metadata; here are the shapes it has to see. */
TEST(super_segments_are_as_long_as_device_and_window_allow)
{
    static const struct {
        uint32_t gso_max, mtu;
        bool is_v6;
        uint16_t gso_size;
        size_t least;
    } cases[] = {
        {0, 1500, false, 1448, 50000},     {0, 1500, true, 1428, 50000},
        {9000, 1500, false, 1448, 7000},   {1600, 1500, false, 0, 0},
        {50, 1500, false, 0, 0},           {0, 9000, true, 8928, 50000},
        {70000, 1500, false, 1448, 50000},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_config config = world_config();
        struct world *w;
        struct world_pair p;
        size_t longest = 0;
        config.tcp.initial_window_segs = 60; /* so that nothing else is the limit */
        w = world_make(&(struct world_setup){.offloads = TSO,
                                             .gso_max = cases[i].gso_max,
                                             .mtu = cases[i].mtu,
                                             .is_v6 = cases[i].is_v6,
                                             .config = &config,
                                             .slice_bytes = 20000});
        if (cases[i].gso_max > UINT16_MAX)
            w->setup.gso_max = 0;
        p = world_connect(w);
        world_forgets(w);
        for (int n = 0; n < 5; n++) {
            world_sends(w, 0, p.a, 100000);
            world_run(w, 100 * WEIR_MS);
            EXPECT_EQ(world_reads(w, 1, p.b), WEIR_EAGAIN);
        }
        EXPECT_EQ(w->stacks[1].read, 500000);
        for (size_t k = 0; k < w->log_count; k++) {
            longest = w->log[k].view.text_len > longest ? w->log[k].view.text_len : longest;
            EXPECT(w->log[k].gso_size == 0 || w->log[k].gso_size == cases[i].gso_size);
        }
        EXPECT(longest >= cases[i].least);
    }
}

TEST(super_segments_are_not_for_devices_without_the_family)
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct world *w = world_make(&(struct world_setup){
            .is_v6 = is_v6,
            .offloads = WEIR_OFFLOAD_CSUM | (is_v6 ? WEIR_OFFLOAD_TSO4 : WEIR_OFFLOAD_TSO6)});
        struct world_pair p = world_connect(w);
        world_sends(w, 0, p.a, 100000);
        world_run(w, WEIR_S);
        for (size_t k = 0; k < w->log_count; k++)
            EXPECT_EQ(w->log[k].gso_size, 0);
    }
}

/* ---- frames out that a device keeps ---- */

struct kept {
    struct weir_frame *frame;
    size_t len;
    uint8_t *bytes;
};

static size_t flatten(const struct weir_frame *frame, uint8_t *to)
{
    size_t len = 0;

    for (size_t i = 0; i < frame->slice_count; i++) {
        memcpy(to + len, frame->slices[i].bytes, frame->slices[i].len);
        len += frame->slices[i].len;
    }
    return len;
}

static size_t take_and_keep(struct world *w, size_t i, struct kept *kept, size_t count)
{
    struct weir_frame *frames[4];
    size_t n;

    while ((n = weir_output(world_stack(w, i), w->stacks[i].netif, frames, 4)) > 0)
        for (size_t k = 0; k < n; k++) {
            EXPECT(count < MANY);
            kept[count] = (struct kept){frames[k], frames[k]->len, malloc(frames[k]->len)};
            EXPECT_EQ(flatten(frames[k], kept[count].bytes), frames[k]->len);
            count++;
        }
    return count;
}

static void give_back(struct world *w, size_t i, struct kept *k)
{
    uint8_t *now = malloc(k->len);

    EXPECT_EQ(k->frame->len, k->len);
    flatten(k->frame, now);
    EXPECT_MEM(now, k->bytes, k->len);
    weir_output_done(world_stack(w, i), &k->frame, 1);
    EXPECT(k->frame == NULL);
    free(now);
    free(k->bytes);
}

static void released(void *owner)
{
    (*(int *)owner)++;
}

TEST(frames_stay_what_they_are_until_the_device_gives_them_back)
{
    static uint8_t lent[100000];
    struct world *w = world_make(&(struct world_setup){.offloads = TSO});
    struct world_pair p = world_connect(w);
    struct weir_slice slice = {lent, sizeof lent};
    struct kept kept[MANY];
    struct weir_tcp_info info;
    size_t count;
    int releases = 0;

    memset(lent, 'l', sizeof lent);
    world_offers(w, 0, p.a, 8000);
    EXPECT_EQ(weir_send_lent(world_stack(w, 0), p.a, slice, 0, released, &releases), sizeof lent);
    count = take_and_keep(w, 0, kept, 0);
    EXPECT(count > 0);

    /* Acknowledgements come before the device is done; the connection goes on, and ends. */
    EXPECT_EQ(weir_tcp_info(world_stack(w, 0), p.a, &info), WEIR_OK);
    packet_make_tcp(
        &packet, &(struct packet_ip){.src = p.b_at, .dst = p.a_at},
        &(struct packet_tcp){.flags = TCP_ACK, .seq = info.rcv_nxt, .ack = info.snd_nxt});
    struct weir_frame ack = {
        .slice_count = 1, .len = packet.len, .slices = {{packet.bytes, packet.len}}};
    weir_input(world_stack(w, 0), w->stacks[0].netif, &ack, 1);
    count = take_and_keep(w, 0, kept, count);
    EXPECT_EQ(weir_abort(world_stack(w, 0), p.a), WEIR_OK);
    count = take_and_keep(w, 0, kept, count);
    EXPECT_EQ(world_stats(w, 0).connections, 0);
    EXPECT_EQ(releases, 0);

    /* Other connections take memory meanwhile. */
    for (int i = 0; i < 3; i++) {
        struct weir_endpoint to = world_endpoint(w, 1, 81);
        weir_conn_t c;
        EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &c), WEIR_OK);
        world_offers(w, 0, c, 200000);
        count = take_and_keep(w, 0, kept, count);
    }
    for (size_t i = 0; i < count; i += 2) /* in any order */
        give_back(w, 0, &kept[i]);
    for (size_t i = count; i > 0; i--)
        if ((i - 1) % 2 != 0)
            give_back(w, 0, &kept[i - 1]);
    EXPECT_EQ(releases, 1);
}

TEST(frames_given_back_all_at_once_and_in_no_order)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);

    for (int newest_first = 0; newest_first < 2; newest_first++) {
        w->keeps_frames = true;
        world_sends(w, 0, p.a, 50000);
        world_run(w, 100 * WEIR_MS);
        EXPECT_EQ(world_reads(w, 1, p.b), WEIR_EAGAIN);
        world_gives_back(w, newest_first);
        w->keeps_frames = false;
    }
    world_run(w, WEIR_S);
    world_reads(w, 1, p.b);
    EXPECT_EQ(w->stacks[1].read, 100000);
}

/* ---- frames in ---- */

TEST(checksums_are_verified_unless_the_device_has_done_it) /* [RFC9293 MUST-3] */
{
    static const struct {
        uint8_t flags;
        bool is_good, is_taken;
    } cases[] = {
        {0, true, true},
        {0, false, false},
        {WEIR_FRAME_CSUM_VALID, true, true},
        {WEIR_FRAME_CSUM_VALID, false, true},   /* so the device says */
        {WEIR_FRAME_CSUM_PARTIAL, false, true}, /* it was never made */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int is_v6 = 0; is_v6 < 2; is_v6++) {
            struct world *w = world_make(&(struct world_setup){.stacks = 1, .is_v6 = is_v6});
            struct packet_ip ip = {.src = world_endpoint(w, 3, 1),
                                   .dst = world_endpoint(w, 0, WORLD_PORT)};
            struct weir_frame frame = {.slice_count = 1, .flags = cases[i].flags};
            world_listen(w, 0, WORLD_PORT, 5);
            packet_make_tcp(&packet, &ip, &(struct packet_tcp){.flags = TCP_SYN});
            if (!cases[i].is_good)
                packet.bytes[(is_v6 ? 40 : 20) + TCP_CHECKSUM_AT] ^= 0x55;
            frame.slices[0] = (struct weir_slice){packet.bytes, packet.len};
            frame.len = packet.len;
            frame.csum_start = is_v6 ? 40 : 20;
            frame.csum_offset = TCP_CHECKSUM_AT;
            weir_input(world_stack(w, 0), w->stacks[0].netif, &frame, 1);
            EXPECT_EQ(world_stats(w, 0).half_open, cases[i].is_taken);
            EXPECT_EQ(world_dropped(w, 0, "tcp_checksum"), !cases[i].is_taken);
        }
}

/* Whatever becomes of a frame, it is released, once: the world counts. */
TEST(frames_that_are_dropped_anywhere_are_released)
{
    for (int setup = 0; setup < 4; setup++) {
        struct world *w = world_make(
            &(struct world_setup){.stacks = 1,
                                  .is_v6 = setup & 1,
                                  .link = setup & 2 ? WEIR_LINK_ETHERNET : WEIR_LINK_IP});
        struct packet_ip ip = {.src = world_endpoint(w, 3, 1),
                               .dst = world_endpoint(w, 0, WORLD_PORT)};
        uint64_t dropped = 0, random = test_seed();
        static uint8_t good[2000];
        size_t len;
        packet_make_tcp(&packet, &ip, &(struct packet_tcp){.flags = TCP_ACK, .len = 200});
        memset(good, 0, sizeof good);
        memcpy(good + 14, packet.bytes, packet.len);
        memcpy(good, "\2\0\0\0\0\1\2\0\0\0\0\11", 12);
        good[12] = setup & 1 ? 0x86 : 8;
        good[13] = setup & 1 ? 0xdd : 0;
        len = packet.len + 14;
        for (size_t n = 0; n < len; n++) { /* too short */
            size_t from = setup & 2 ? 0 : 14;
            if (n >= from)
                world_injects_bytes(w, 0, good + from, n - from);
            EXPECT_EQ(w->frames_out, 0);
        }
        for (int n = 0; n < 2000; n++) { /* changed */
            size_t from = setup & 2 ? 0 : 14, at = from + test_random_below(&random, 80);
            uint8_t was = good[at];
            good[at] = (uint8_t)test_random(&random);
            world_injects_bytes(w, 0, good + from, len - from);
            EXPECT_EQ(w->frames_out, 0);
            good[at] = was;
        }
        for (size_t why = 1; why < weir_why_count(); why++)
            dropped += weir_dropped(world_stack(w, 0), why);
        EXPECT(dropped > 2000);
    }
}

TEST(frames_that_contradict_themselves_or_come_from_nowhere_are_released)
{
    struct world *w = world_make(&(struct world_setup){.stacks = 1});
    struct packet_ip ip = {.src = world_endpoint(w, 3, 1), .dst = world_endpoint(w, 0, WORLD_PORT)};
    int releases = 0;
    struct weir_frame good = {.slice_count = 1, .release = released, .owner = &releases}, f[4];

    packet_make_tcp(&packet, &ip, &(struct packet_tcp){.flags = TCP_ACK});
    good.slices[0] = (struct weir_slice){packet.bytes, packet.len};
    good.len = packet.len;
    f[0] = f[1] = f[2] = f[3] = good;
    f[0].len++;
    f[1].slice_count = 0;
    f[2].slice_count = WEIR_FRAME_SLICES + 1;
    f[3].slices[0].len--;
    weir_input(world_stack(w, 0), w->stacks[0].netif, f, 4);
    EXPECT_EQ(releases, 4);
    EXPECT_EQ(world_dropped(w, 0, "link_short"), 4);
    f[0] = good;
    weir_input(world_stack(w, 0), 99, f, 1);
    EXPECT_EQ(releases, 5);
    EXPECT_EQ(world_stats(w, 0).frames_in, 4);
    weir_input(world_stack(w, 0), w->stacks[0].netif, NULL, 0);
}

TEST(frames_that_cost_far_more_than_their_text_are_copied)
{
    struct weir_config config = world_config();
    struct world *w;
    struct world_pair p;
    struct weir_tcp_info info;
    int releases = 0;

    config.tcp.timestamps = false;
    w = world_make(&(struct world_setup){.config = &config});
    p = world_connect(w);
    for (int i = 0; i < 2; i++) {
        struct weir_frame frame = {.slice_count = 1, .release = released, .owner = &releases};
        EXPECT_EQ(weir_tcp_info(world_stack(w, 1), p.b, &info), WEIR_OK);
        packet_make_tcp(
            &packet, &(struct packet_ip){.src = p.a_at, .dst = p.b_at},
            &(struct packet_tcp){
                .flags = TCP_ACK, .seq = info.rcv_nxt, .ack = info.snd_nxt, .len = 1000});
        frame.slices[0] = (struct weir_slice){packet.bytes, packet.len};
        frame.len = packet.len;
        frame.memory = i == 0 ? 65536 : 2048;
        weir_input(world_stack(w, 1), w->stacks[1].netif, &frame, 1);
        EXPECT_EQ(releases, 1); /* the second one is kept */
    }
    EXPECT_EQ(weir_abort(world_stack(w, 1), p.b), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(releases, 2);
}

TEST(output_takes_at_most_what_it_is_asked_for)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    struct weir_frame *frames[3];
    size_t n, total = 0;

    world_sends(w, 0, p.a, 10000);
    EXPECT_EQ(weir_output(world_stack(w, 0), w->stacks[0].netif, frames, 0), 0);
    EXPECT_EQ(weir_output(world_stack(w, 0), 99, frames, 3), 0);
    EXPECT(!weir_has_output(world_stack(w, 0), 99));
    while ((n = weir_output(world_stack(w, 0), w->stacks[0].netif, frames, 3)) > 0) {
        EXPECT(n <= 3);
        total += n;
        weir_output_done(world_stack(w, 0), frames, n);
    }
    EXPECT(total >= 7);
    EXPECT(!weir_has_output(world_stack(w, 0), 0));
}
