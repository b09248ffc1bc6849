/*
 * test_play.c - whole scenarios: they end, hold, and are the same each time
 */
#include "lib/test.h"
#include "sim/chance.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void read_scenario(struct scenario *s, const char *text)
{
    struct scenario_error error;

    scenario_init(s);
    if (!scenario_parse(s, text, &error))
        FAIL("%u:%u: %s", error.line, error.column, error.text);
}

/* Plays it to its end, where everything has held; the first flow's result. */
static struct play_result plays(const char *text)
{
    static struct play p;
    struct play_options options = {0};
    struct scenario s;
    struct scenario_error error;
    struct play_result result;

    read_scenario(&s, text);
    if (!play_init(&p, &s, &options, &error))
        FAIL("%s", error.text);
    if (!play_run(&p))
        FAIL("%s", p.broken);
    sample_result(&p, 0, &result);
    play_fini(&p);
    EXPECT_STR(p.broken, "");
    scenario_fini(&s);
    return result;
}

TEST(a_transfer_fills_its_bottleneck)
{
    struct play_result r = plays("run 20s patient\nhost a\nhost b\n"
                                 "link a b rate 10mbit delay 10ms limit 50\n"
                                 "flow f bulk a b bytes 10MB\n");

    EXPECT_EQ(r.received[PLAY_SERVER], 10000000);
    EXPECT(r.share_ppm > 850000 && r.share_ppm < 1000000);
}

TEST(every_queue_lets_a_transfer_through)
{
    for (size_t i = 0; i < WEIR_SIM_QUEUE_KINDS; i++) {
        char text[300];
        (void)snprintf(text, sizeof text,
                       "run 30s patient\nhost a\nhost b\n"
                       "link a b rate 5mbit delay 10ms queue %s limit 200\n"
                       "flow f bulk a b bytes 3MB back-bytes 1MB ipv6\n",
                       weir_sim_queue_name(i));
        EXPECT_EQ(plays(text).received[PLAY_SERVER], 3000000);
    }
}

TEST(every_box_lets_a_transfer_through)
{
    static const char *const settings[WEIR_SIM_BOX_KINDS] = {
        [WEIR_SIM_NAT] = "",
        [WEIR_SIM_STRIP] = "",
        [WEIR_SIM_RESEQ] = "",
        [WEIR_SIM_CLAMP] = "value 5000",
        [WEIR_SIM_SPLIT] = "value 700",
        [WEIR_SIM_COALESCE] = "value 6000",
        [WEIR_SIM_THIN] = "value 4",
        [WEIR_SIM_BLEACH] = "",
    };

    for (size_t i = 0; i < WEIR_SIM_BOX_KINDS; i++) {
        char text[300];
        (void)snprintf(text, sizeof text,
                       "run 30s patient\nhost a\nhost b\n"
                       "link a b rate 5mbit delay 10ms loss 1%%\nbox %s a b %s\n"
                       "flow f request a b ask 4000 answer 40000 count 20\n",
                       weir_sim_box_name(i), settings[i]);
        EXPECT_EQ(plays(text).received[PLAY_CLIENT], 800000);
    }
}

TEST(routers_tell_the_path_mtu) /* [RFC1191 3] [RFC8201 4] */
{
    static const char *const families[] = {"", "ipv6"};

    for (int i = 0; i < 2; i++) {
        char text[300];
        (void)snprintf(text, sizeof text,
                       "run 30s patient\nhost a\nhost b\nrouter r\nrouter q\n"
                       "link a r\nlink r q mtu 1300 delay 5ms\nlink q b\n"
                       "flow f bulk a b bytes 200000 %s\n",
                       families[i]);
        struct play_result r = plays(text);
        EXPECT_EQ(r.received[PLAY_SERVER], 200000);
        EXPECT_EQ(r.info.pmtu, 1300);
    }
}

TEST(routes_may_be_others_there_than_back)
{
    struct play_result r = plays("run 10s patient\nhost a\nhost b\nrouter r\nrouter q\n"
                                 "link a r delay 10ms\nlink r b\nlink a q delay 50ms\nlink q b\n"
                                 "route b a via q\n"
                                 "flow f bulk a b bytes 100000\n");

    EXPECT_EQ(r.info.rtt_min_ns / WEIR_MS, 60);
}

TEST(many_short_connections_all_end)
{
    struct play_result r = plays("run 60s patient\nhost a msl 1s\nhost b\n"
                                 "link a b rate 10mbit delay 5ms loss 0.1%\n"
                                 "flow f short a b ask 100 answer 5000 count 300 every 10ms\n");

    EXPECT_EQ(r.received[PLAY_CLIENT], 1500000);
}

TEST(a_host_that_dies_and_comes_back_resets_what_it_does_not_know)
{
    struct play_result r = plays("run 20s patient\nhost a\nhost b\nlink a b delay 5ms rate 10mbit\n"
                                 "flow f bulk a b bytes 5MB\n"
                                 "at 1s stop b\nat 2s start b\n");

    EXPECT(r.received[PLAY_SERVER] < 5000000);
}

TEST(what_nobody_can_notice_is_not_held_against_the_stack)
{
    (void)plays("run 20s patient\nhost a\nhost b\nlink a b delay 5ms rate 10mbit corrupt 1% "
                "unnoticed\nflow f bulk a b bytes 1MB\nat 2s heal\n");
}

/* Its line is compared between builds: see tests/sim/same_bytes.sh. */
TEST(digest_of_random_runs_is_the_same_twice)
{
    uint64_t digests[2] = {0, 0}, segments = 0;

    for (int round = 0; round < 2; round++)
        for (uint64_t i = 1; i <= 61; i++) {
            uint64_t seed = i <= 60 ? i : 274; /* a box joins segments where numbers wrap around */
            struct scenario s;
            struct chance_result r;

            EXPECT(chance_draw(&s, seed));
            chance_try(&s, &r);
            if (r.broken[0] != 0)
                FAIL("seed %" PRIu64 ": %s", seed, r.broken);
            digests[round] = digests[round] * 31 + r.digest;
            segments += r.segments;
            scenario_fini(&s);
        }
    EXPECT(digests[0] == digests[1]);
    printf("digest %016" PRIx64 " of %" PRIu64 " segments\n", digests[0], segments);
}

/* A send queue that took all of the memory would leave none for the segments that empty it. */
TEST(play_sends_more_than_there_is_memory_for)
{
    struct play_result r = plays("run 30s\n"
                                 "host h1 send-buffer 4MiB memory 3MiB\n"
                                 "host h2\n"
                                 "link h1 h2 rate 50mbit delay 5ms back delay 5ms\n"
                                 "flow f bulk h1 h2 bytes 4MB\n");

    EXPECT_EQ(r.received[PLAY_SERVER], 4000000);
}
