/* test_duo.c - two connections over a link that loses, copies and reorders */
#include "lib/duo.h"
#include "lib/test.h"
#include "tcp/timers.h"
#include "tcp/user.h"
#include <stdio.h>

enum { BYTES = 300000 };

static void transfers(struct duo *d)
{
    d->ends[0].to_write = BYTES;
    d->ends[1].to_write = BYTES / 3;
    EXPECT(duo_runs(d, 7200 * NS_S));
    EXPECT(duo_is_done(d));
}

TEST(duo_talks_over_a_good_link)
{
    struct duo d = duo_of((struct duo_link){.delay_ns = 10 * NS_MS});

    duo_connects(&d);
    transfers(&d);
    EXPECT_EQ(d.ends[0].conn->retransmits, 0);
    EXPECT_EQ(d.ends[1].conn->retransmits, 0);
    duo_ends(&d);
}

TEST(duo_fills_a_long_link)
{
    struct duo d = duo_of((struct duo_link){.delay_ns = 20 * NS_MS});
    ns_t start = d.world->env.now;

    duo_connects(&d);
    d.ends[0].to_write = 5000000;
    EXPECT(duo_runs(&d, 100 * NS_S));
    EXPECT(duo_is_done(&d));
    EXPECT(d.world->env.now - start < 3 * NS_S); /* 256 KiB in each 40 ms, after slow start */
    duo_ends(&d);
}

TEST(duo_talks_over_links_that_are_bad_in_all_ways)
{
    static const struct duo_link links[] = {
        {.delay_ns = 10 * NS_MS, .loss_permille = 10},
        {.delay_ns = 10 * NS_MS, .loss_permille = 100},
        {.delay_ns = 10 * NS_MS, .copies_permille = 300},
        {.delay_ns = 10 * NS_MS, .jitter_ns = 50 * NS_MS},
        {.delay_ns = 1 * NS_MS,
         .jitter_ns = 10 * NS_MS,
         .loss_permille = 50,
         .copies_permille = 50},
        {.delay_ns = 300 * NS_MS, .loss_permille = 30},
        {.delay_ns = 10 * NS_MS, .mtu = 300, .loss_permille = 30},
        {.delay_ns = 10 * NS_MS, .gso_bytes = 65000, .loss_permille = 100},
        {.delay_ns = 0, .jitter_ns = 2 * NS_MS, .gso_bytes = 20000, .copies_permille = 100},
        {.delay_ns = 10 * NS_MS, .loss_permille = 200},
    };

    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        for (int at_once = 0; at_once < 2; at_once++) {
            struct duo d = duo_of(links[i]);
            if (at_once)
                duo_connects_at_once(&d);
            else
                duo_connects(&d);
            transfers(&d);
            duo_ends(&d);
            tcp_world_end(d.world);
        }
}

static void set_both(struct duo *d, enum weir_opt opt, int64_t value)
{
    for (int i = 0; i < 2; i++)
        EXPECT_EQ(tcp_set(d->ends[i].conn, &d->world->env, opt, value), WEIR_OK);
}

static const struct cc_ops *any_algorithm(uint64_t *random)
{
    uint32_t count = 0;

    while (cc_at(count) != NULL)
        count++;
    return cc_at(test_random_below(random, count));
}

/* What the link has marked comes back whole, however ACKs are delayed. */
static uint64_t marks(enum weir_ecn ecn, const char *algorithm, struct duo_link link)
{
    struct duo d = duo_of(link);

    d.world->env.config.ecn = ecn;
    for (int i = 0; i < 2; i++)
        d.ends[i].conn->cc = cc_number(cc_find(algorithm));
    duo_connects(&d);
    for (int i = 0; i < 2; i++) {
        d.ends[i].to_write = BYTES;
        d.ends[i].keeps_open = true;
    }
    duo_runs(&d, 600 * NS_S);
    EXPECT_EQ(d.ends[0].read + d.ends[1].read, 2 * BYTES);
    EXPECT_EQ(d.ends[0].conn->ecn.ce_in + d.ends[1].conn->ecn.ce_in, d.marked_count);
    EXPECT(d.ends[0].conn->retransmits + d.ends[1].conn->retransmits <= 2); /* tail probes */
    if (d.ends[0].conn->ecn.mode == ECN_ACCURATE) {
        EXPECT_EQ(d.ends[0].conn->ecn.ce_out, d.ends[1].conn->ecn.ce_in);
        EXPECT_EQ(d.ends[1].conn->ecn.ce_out, d.ends[0].conn->ecn.ce_in);
    } else {
        EXPECT_EQ(d.ends[0].conn->ecn.mode, ECN_CLASSIC);
        EXPECT((d.ends[0].conn->ecn.ce_out > 0) == (d.ends[1].conn->ecn.ce_in > 0));
    }
    duo_ends(&d);
    tcp_world_end(d.world);
    return d.marked_count;
}

TEST(duo_hears_of_every_mark)
{
    static const char *const algorithms[] = {"reno", "cubic", "dctcp"};
    uint64_t marked = 0;

    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
        for (uint32_t gso_bytes = 0; gso_bytes <= 60000; gso_bytes += 60000)
            for (uint32_t permille = 100; permille <= 300; permille += 200) {
                struct duo_link link = {
                    .delay_ns = 10 * NS_MS, .marks_permille = permille, .gso_bytes = gso_bytes};
                marked += marks(WEIR_ECN_ON, algorithms[i], link);
                marked += marks(WEIR_ECN_ACCURATE, algorithms[i], link);
            }
    EXPECT(marked > 100);
}

/* Buffers of any size, options of all kinds, lazy readers, lent buffers. */
static void run_random(uint64_t seed)
{
    uint64_t r = seed;
    struct duo d = duo_of((struct duo_link){
        .delay_ns = (ns_t)test_random_below(&r, 50) * NS_MS,
        .jitter_ns = (ns_t)test_random_below(&r, 20) * NS_MS,
        .loss_permille = test_random_below(&r, 2) * test_random_below(&r, 200),
        .copies_permille = test_random_below(&r, 2) * test_random_below(&r, 100),
        .mtu = 100 + test_random_below(&r, 9000),
        .gso_bytes = test_random_below(&r, 2) * test_random_below(&r, 60000),
        .marks_permille = test_random_below(&r, 2) * test_random_below(&r, 500),
    });

    d.random = seed;
    for (int i = 0; i < 2; i++) /* each its own */
        d.ends[i].conn->cc = cc_number(any_algorithm(&r));
    d.world->env.config.ecn = (enum weir_ecn)test_random_below(&r, WEIR_ECN_MODES);
    d.world->env.config.timestamps = test_random_below(&r, 2);
    d.world->env.config.window_scaling = test_random_below(&r, 2);
    set_both(&d, WEIR_OPT_NODELAY, test_random_below(&r, 2));
    set_both(&d, WEIR_OPT_CORK, test_random_below(&r, 4) == 0);
    set_both(&d, WEIR_OPT_QUICKACK, test_random_below(&r, 4) == 0);
    set_both(&d, WEIR_OPT_KEEPALIVE, test_random_below(&r, 2));
    set_both(&d, WEIR_OPT_RECV_BUFFER, 1 + test_random_below(&r, 40000));
    set_both(&d, WEIR_OPT_SEND_BUFFER, 1 + test_random_below(&r, 40000));
    for (int i = 0; i < 2; i++) {
        d.ends[i].to_write = test_random_below(&r, 40000);
        d.ends[i].write_max = 1 + test_random_below(&r, 5000);
        d.ends[i].read_max = 1 + test_random_below(&r, 5000);
        d.ends[i].laziness = test_random_below(&r, 6);
        d.ends[i].lends = test_random_below(&r, 3) == 0;
    }
    if (test_random_below(&r, 2))
        duo_connects(&d);
    else
        duo_connects_at_once(&d);
    if (!duo_runs(&d, 20000 * NS_S) || !duo_is_done(&d))
        FAIL("seed %llx: read %llu of %llu and %llu of %llu, states %d and %d",
             (unsigned long long)seed, (unsigned long long)d.ends[0].read,
             (unsigned long long)d.ends[1].to_write, (unsigned long long)d.ends[1].read,
             (unsigned long long)d.ends[0].to_write, d.ends[0].conn->state, d.ends[1].conn->state);
    duo_ends(&d);
    tcp_world_end(d.world);
}

TEST(duo_talks_whatever_the_options_are)
{
    uint64_t random = test_seed();

    for (int i = 0; i < 300; i++)
        run_random(test_random(&random));
}

/* ---- out of memory ---- */

/* The fail_at-th allocation from now on fails, and so do all after it until memory is back. */
static bool survives_failure(uint64_t fail_at, bool for_a_while)
{
    struct duo d = duo_of((struct duo_link){.delay_ns = 5 * NS_MS, .loss_permille = 30});
    bool has_failed;

    duo_connects(&d);
    for (int i = 0; i < 2; i++) {
        d.ends[i].to_write = 30000;
        d.ends[i].laziness = 1;
        d.ends[i].lends = i == 1;
    }
    d.world->alloc.fail_at = d.world->alloc.calls + fail_at;
    d.world->alloc.fails_from_then = for_a_while;
    duo_runs(&d, 2 * NS_S);
    has_failed = d.world->alloc.calls >= d.world->alloc.fail_at;
    d.world->alloc.fail_at = 0;
    EXPECT(duo_runs(&d, 7200 * NS_S));
    EXPECT(duo_is_done(&d));
    duo_ends(&d);
    tcp_world_end(d.world);
    return has_failed;
}

TEST(duo_survives_the_failure_of_every_allocation)
{
    for (int for_a_while = 0; for_a_while < 2; for_a_while++) {
        uint64_t fail_at = 1;
        while (survives_failure(fail_at, for_a_while))
            fail_at++;
        EXPECT(fail_at > 1);
    }
}
