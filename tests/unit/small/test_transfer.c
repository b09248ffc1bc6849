/*
 * test_transfer.c - a library without any of the parts that can be left out still does TCP
 *
 * The whole test program is linked with such a library (cmake/WeirTests.cmake).
 */
#include "lib/test.h"
#include "lib/world.h"

enum { LEN = 300000 };

/* The link is as it should be until the connection is there. */
static void transfer(struct world *w, struct world_link conditions, weir_ns_t at_most_ns)
{
    struct world_pair p = world_connect(w);
    weir_ns_t until = w->now + at_most_ns;
    size_t left = LEN;
    ptrdiff_t got = WEIR_EAGAIN;

    w->conditions = conditions;
    while (got != 0 && w->now < until) {
        left -= world_offers(w, 0, p.a, left);
        if (left == 0)
            EXPECT_EQ(weir_shutdown(world_stack(w, 0), p.a), WEIR_OK);
        world_run(w, WEIR_MS);
        got = world_reads(w, 1, p.b);
    }
    EXPECT_EQ(got, 0);
    EXPECT_EQ(w->stacks[1].read, LEN);
    EXPECT_EQ(weir_shutdown(world_stack(w, 1), p.b), WEIR_OK);
    EXPECT_EQ(weir_close(world_stack(w, 0), p.a), WEIR_OK);
    EXPECT_EQ(weir_close(world_stack(w, 1), p.b), WEIR_OK);
    EXPECT_EQ(weir_close(world_stack(w, 1), p.listener), WEIR_OK);
    w->conditions = (struct world_link){0};
    world_run(w, 300 * WEIR_S);
    world_expects_nothing_left(w, 0);
    world_expects_nothing_left(w, 1);
}

TEST(small_sends_over_a_clean_link)
{
    struct world *w = world_make(&(struct world_setup){0});

    transfer(w, (struct world_link){.delay_ns = 5 * WEIR_MS}, 10 * WEIR_S);
    EXPECT_EQ(world_stats(w, 0).tcp_retransmits, 0);
}

TEST(small_finds_its_peer_on_ethernet)
{
    struct world *w = world_make(&(struct world_setup){.link = WEIR_LINK_ETHERNET});

    transfer(w, (struct world_link){0}, 10 * WEIR_S);
}

/* SACK, RACK and the tail loss probe are there: hardly anything waits for a timeout. */
TEST(small_recovers_from_losses)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_link link = {.delay_ns = 10 * WEIR_MS, .jitter_ns = WEIR_MS, .loss = 20};

    transfer(w, link, 60 * WEIR_S);
}

TEST(small_stands_a_link_that_does_all_it_should_not)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_link link = {
        .delay_ns = 2 * WEIR_MS,
        .jitter_ns = 2 * WEIR_MS,
        .loss = 50,
        .duplicate = 20,
        .corrupt = 20,
        .mark = 500,
    };

    transfer(w, link, 600 * WEIR_S);
}
