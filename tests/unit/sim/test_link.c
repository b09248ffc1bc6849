/*
 * test_link.c - rates, delays and impairments of one link
 */
#include "lib/test.h"
#include "sim/link.h"
#include "sim/view.h"
#include <string.h>
#include <weir/err.h>
#include <weir/sim_link.h>

enum {
    LEN = 1250, /* 10 000 bits: 1 ms at 10 Mbit/s */
};

static struct weir_sim_link *link_of(const struct weir_sim_link_config *config)
{
    struct weir_sim_link *link = NULL;

    EXPECT_EQ(weir_sim_link_create(config, 7, &link), WEIR_OK);
    return link;
}

static void make_packet(uint8_t bytes[LEN], uint32_t number, enum view_ecn ecn)
{
    struct view v;

    memset(bytes, 0, LEN);
    bytes[0] = 0x45;
    view_set16(bytes + 2, LEN);
    bytes[9] = VIEW_UDP;
    bytes[8] = 64;
    view_set32(bytes + 12, 0x0a000001);
    view_set32(bytes + 16, 0x0a000002);
    view_set16(bytes + 24, LEN - 20);
    view_set32(bytes + 28, number);
    EXPECT(view_parse(&v, WEIR_LINK_IP, bytes, LEN));
    view_set_ecn(&v, ecn);
    view_fix_checksums(&v);
}

static void send_number(struct weir_sim_link *link, uint32_t number, enum view_ecn ecn,
                        weir_ns_t now)
{
    uint8_t bytes[LEN];

    make_packet(bytes, number, ecn);
    weir_sim_link_send(link, bytes, LEN, now);
}

/* Number of the next frame, which arrives at exactly that time. */
static uint32_t arrives(struct weir_sim_link *link, weir_ns_t at)
{
    struct weir_sim_frame *frame;
    uint32_t number;

    EXPECT(weir_sim_link_receive(link, at - 1) == NULL);
    frame = weir_sim_link_receive(link, at);
    EXPECT(frame != NULL);
    EXPECT_EQ(frame->at, at);
    number = view_get32(frame->bytes + 28);
    weir_sim_frame_release(frame);
    return number;
}

TEST(a_frame_takes_its_time_by_the_rate_and_the_delay)
{
    struct weir_sim_link *link =
        link_of(&(struct weir_sim_link_config){.rate_bits_s = 10000000, .delay_ns = 5 * WEIR_MS});

    send_number(link, 1, VIEW_NOT_ECT, 100 * WEIR_MS);
    send_number(link, 2, VIEW_NOT_ECT, 100 * WEIR_MS);
    EXPECT_EQ(weir_sim_link_deadline(link), 101 * WEIR_MS); /* the second is sent */
    EXPECT_EQ(arrives(link, 106 * WEIR_MS), 1);
    EXPECT_EQ(arrives(link, 107 * WEIR_MS), 2);
    EXPECT_EQ(weir_sim_link_deadline(link), WEIR_NEVER);
    weir_sim_link_destroy(&link);
}

TEST(a_caller_that_comes_late_changes_no_arrival)
{
    struct weir_sim_link *link = link_of(&(struct weir_sim_link_config){.rate_bits_s = 10000000});
    struct weir_sim_frame *frame;

    for (uint32_t i = 0; i < 5; i++)
        send_number(link, i, VIEW_NOT_ECT, 0);
    for (uint32_t i = 0; i < 5; i++) {
        frame = weir_sim_link_receive(link, 1 * WEIR_S);
        EXPECT(frame != NULL);
        EXPECT_EQ(frame->at, (i + 1) * WEIR_MS);
        weir_sim_frame_release(frame);
    }
    weir_sim_link_destroy(&link);
}

TEST(rates_that_do_not_divide_a_second_lose_no_time)
{
    struct weir_sim_link *link = link_of(&(struct weir_sim_link_config){.rate_bits_s = 3000000});
    struct weir_sim_frame *frame;

    for (uint32_t i = 0; i < 300; i++)
        send_number(link, i, VIEW_NOT_ECT, 0);
    for (uint32_t i = 0; i < 300; i++) {
        frame = weir_sim_link_receive(link, 2 * WEIR_S);
        EXPECT(frame != NULL);
        if (i == 299)
            EXPECT_EQ(frame->at, 1 * WEIR_S);
        weir_sim_frame_release(frame);
    }
    weir_sim_link_destroy(&link);
}

TEST(a_full_queue_drops_the_last_one)
{
    struct weir_sim_link *link = link_of(
        &(struct weir_sim_link_config){.rate_bits_s = 10000000, .queue = {.limit_packets = 2}});
    struct weir_sim_link_stats stats;

    for (uint32_t i = 0; i < 5; i++)
        send_number(link, i, VIEW_NOT_ECT, 0);
    weir_sim_link_stats(link, &stats);
    EXPECT_EQ(stats.dropped_full, 2); /* one is being sent, two wait */
    EXPECT_EQ(stats.queue_packets, 2);
    EXPECT_EQ(stats.queue_bytes, 2 * LEN);
    weir_sim_link_destroy(&link);
}

TEST(frames_longer_than_the_mtu_are_dropped)
{
    struct weir_sim_link *link = link_of(&(struct weir_sim_link_config){.mtu = LEN - 1});
    struct weir_sim_link_stats stats;

    send_number(link, 0, VIEW_NOT_ECT, 0);
    weir_sim_link_stats(link, &stats);
    EXPECT_EQ(stats.dropped_mtu, 1);
    EXPECT_EQ(weir_sim_link_deadline(link), WEIR_NEVER);
    weir_sim_link_destroy(&link);
}

TEST(listed_and_periodic_frames_are_lost)
{
    struct weir_sim_link *link = link_of(&(struct weir_sim_link_config){
        .loss = {.kind = WEIR_SIM_LOSS_LIST, .listed_count = 2, .listed = {1, 3}}});

    for (uint32_t i = 1; i <= 4; i++)
        send_number(link, i, VIEW_NOT_ECT, 1);
    EXPECT_EQ(arrives(link, 1), 2);
    weir_sim_link_destroy(&link);

    link = link_of(
        &(struct weir_sim_link_config){.loss = {.kind = WEIR_SIM_LOSS_PERIODIC, .every = 2}});
    send_number(link, 1, VIEW_NOT_ECT, 1);
    send_number(link, 2, VIEW_NOT_ECT, 2);
    EXPECT_EQ(arrives(link, 1), 1);
    EXPECT_EQ(weir_sim_link_deadline(link), WEIR_NEVER);
    weir_sim_link_destroy(&link);
}

static uint64_t lost_of(const struct weir_sim_link_config *config, uint32_t count)
{
    struct weir_sim_link *link = link_of(config);
    struct weir_sim_link_stats stats;
    struct weir_sim_frame *frame;

    for (uint32_t i = 0; i < count; i++) {
        send_number(link, i, VIEW_NOT_ECT, i);
        while ((frame = weir_sim_link_receive(link, i)) != NULL)
            weir_sim_frame_release(frame);
    }
    weir_sim_link_stats(link, &stats);
    weir_sim_link_destroy(&link);
    return stats.lost;
}

TEST(shares_of_loss_are_about_what_was_asked_for)
{
    struct weir_sim_link_config config = {
        .loss = {.kind = WEIR_SIM_LOSS_BERNOULLI, .loss_ppm = 10000}};
    uint64_t lost = lost_of(&config, 50000);

    EXPECT(lost > 430 && lost < 570); /* 500, and more than three deviations on each side */
    EXPECT_EQ(lost_of(&config, 50000), lost);

    /* Bursts of four on average, in 1 % of the frames. */
    config.loss = (struct weir_sim_loss_config){
        .kind = WEIR_SIM_LOSS_GILBERT, .to_bad_ppm = 2525, .to_good_ppm = 250000};
    lost = lost_of(&config, 50000);
    EXPECT(lost > 350 && lost < 650);
}

TEST(a_reordered_frame_is_overtaken)
{
    struct weir_sim_link_config config = {
        .delay_ns = 1 * WEIR_MS, .reorder_ppm = WEIR_SIM_ALL, .reorder_ns = 1 * WEIR_MS};
    struct weir_sim_link *link = link_of(&config);

    send_number(link, 1, VIEW_NOT_ECT, 0);
    config.reorder_ppm = 0;
    EXPECT_EQ(weir_sim_link_set(link, &config), WEIR_OK);
    send_number(link, 2, VIEW_NOT_ECT, 0);
    EXPECT_EQ(arrives(link, 1 * WEIR_MS), 2);
    EXPECT_EQ(arrives(link, 2 * WEIR_MS), 1);
    weir_sim_link_destroy(&link);
}

TEST(jitter_keeps_the_order_unless_it_may_not)
{
    struct weir_sim_link *link =
        link_of(&(struct weir_sim_link_config){.delay_ns = 1, .jitter_ns = 1 * WEIR_MS});
    struct weir_sim_frame *frame;

    for (uint32_t i = 0; i < 100; i++)
        send_number(link, i, VIEW_NOT_ECT, i);
    for (uint32_t i = 0; i < 100; i++) {
        frame = weir_sim_link_receive(link, 1 * WEIR_S);
        EXPECT(frame != NULL);
        EXPECT_EQ(view_get32(frame->bytes + 28), i);
        weir_sim_frame_release(frame);
    }
    weir_sim_link_destroy(&link);
}

TEST(a_duplicate_is_as_good_as_the_original)
{
    struct weir_sim_link *link =
        link_of(&(struct weir_sim_link_config){.duplicate_ppm = WEIR_SIM_ALL});

    send_number(link, 9, VIEW_NOT_ECT, 1);
    EXPECT_EQ(arrives(link, 1), 9);
    struct weir_sim_frame *frame = weir_sim_link_receive(link, 1);
    EXPECT(frame != NULL);
    EXPECT_EQ(view_get32(frame->bytes + 28), 9);
    weir_sim_link_destroy(&link);
    weir_sim_frame_release(frame); /* a frame outlives its link */
}

TEST(corruption_on_a_second_link_cannot_make_up_for_the_first)
{
    struct weir_sim_link *link =
        link_of(&(struct weir_sim_link_config){.corrupt_ppm = WEIR_SIM_ALL});
    struct weir_sim_link_stats stats;
    uint8_t bytes[LEN];
    struct packet *p;
    int bits = 0;

    make_packet(bytes, 1, VIEW_ECT0);
    weir_sim_link_send(link, bytes, LEN, 1);
    for (weir_ns_t at = 1; at < 10; at++) { /* as if there were ten of them */
        p = link_receive(link, at);
        EXPECT(p != NULL);
        link_send(link, p, at + 1);
    }
    p = link_receive(link, 10);
    EXPECT(p != NULL);
    for (size_t i = 0; i < LEN; i++)
        bits += __builtin_popcount((unsigned)(p->frame.bytes[i] ^ bytes[i]));
    EXPECT_EQ(bits, 1);
    weir_sim_link_stats(link, &stats);
    EXPECT_EQ(stats.corrupted, 1);
    packet_put(p);
    weir_sim_link_destroy(&link);
}

TEST(corruption_changes_one_bit_and_truncation_the_length)
{
    struct weir_sim_link *link =
        link_of(&(struct weir_sim_link_config){.corrupt_ppm = WEIR_SIM_ALL});
    uint8_t bytes[LEN];
    struct weir_sim_frame *frame;
    int bits = 0;

    make_packet(bytes, 1, VIEW_ECT0);
    weir_sim_link_send(link, bytes, LEN, 1);
    frame = weir_sim_link_receive(link, 1);
    EXPECT(frame != NULL);
    for (size_t i = 0; i < LEN; i++)
        bits += __builtin_popcount((unsigned)(frame->bytes[i] ^ bytes[i]));
    EXPECT_EQ(bits, 1);
    weir_sim_frame_release(frame);
    weir_sim_link_destroy(&link);

    link = link_of(&(struct weir_sim_link_config){.truncate_ppm = WEIR_SIM_ALL});
    weir_sim_link_send(link, bytes, LEN, 1);
    frame = weir_sim_link_receive(link, 1);
    EXPECT(frame != NULL && frame->len > 0 && frame->len < LEN);
    weir_sim_frame_release(frame);
    weir_sim_link_destroy(&link);
}

TEST(nothing_arrives_in_a_blackout)
{
    struct weir_sim_link *link = link_of(
        &(struct weir_sim_link_config){.dark_every_ns = 10 * WEIR_MS, .dark_ns = 2 * WEIR_MS});

    send_number(link, 1, VIEW_NOT_ECT, 7 * WEIR_MS);
    EXPECT_EQ(arrives(link, 7 * WEIR_MS), 1);
    send_number(link, 2, VIEW_NOT_ECT, 9 * WEIR_MS);
    send_number(link, 3, VIEW_NOT_ECT, 10 * WEIR_MS);
    EXPECT_EQ(arrives(link, 10 * WEIR_MS), 3);
    weir_sim_link_destroy(&link);
}

TEST(what_cannot_be_is_refused)
{
    struct weir_sim_link *link = NULL;

    EXPECT_EQ(weir_sim_link_create(
                  &(struct weir_sim_link_config){.duplicate_ppm = WEIR_SIM_ALL + 1}, 1, &link),
              WEIR_EINVAL);
    EXPECT_EQ(weir_sim_link_create(&(struct weir_sim_link_config){.delay_ns = -1}, 1, &link),
              WEIR_EINVAL);
    EXPECT_EQ(
        weir_sim_link_create(&(struct weir_sim_link_config){.queue = {.flows = 65537}}, 1, &link),
        WEIR_EINVAL);
    EXPECT(link == NULL);
}
