/*
 * test_scenario.c - scenario files: read, written, refused
 */
#include "lib/test.h"
#include "sim/chance.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *text_of_scenario(const struct scenario *s)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    EXPECT(out != NULL);
    EXPECT(scenario_emit(s, out));
    EXPECT_EQ(fclose(out), 0);
    return text;
}

static struct scenario parsed(const char *text)
{
    struct scenario s;
    struct scenario_error error;

    scenario_init(&s);
    if (!scenario_parse(&s, text, &error))
        FAIL("%u:%u: %s", error.line, error.column, error.text);
    return s;
}

TEST(a_scenario_says_what_there_is)
{
    struct scenario s = parsed("# two hosts\n"
                               "seed 9\n"
                               "run 1.5s patient\n"
                               "host a cc cubic send-buffer 64KiB no-nagle\n"
                               "host b\n"
                               "router r silent\n"
                               "link a r rate 10mbit delay 20ms queue codel target 5ms\n"
                               "link r b rate 2mbit back rate 1mbit loss 0.5% mtu 1400\n"
                               "box nat a r every 30s\n"
                               "flow f bulk a b bytes 10MB lends\n"
                               "at 100ms down b r\n"
                               "at 200ms set a r delay 5ms rate 1mbit\n"
                               "at 300ms option f server recv-buffer 5000\n");

    EXPECT_EQ(s.seed, 9);
    EXPECT_EQ(s.run_ns, 1500 * WEIR_MS);
    EXPECT(s.is_patient);
    EXPECT_EQ(s.node_count, 3);
    EXPECT_STR(s.nodes[0].cc, "cubic");
    EXPECT_EQ(s.nodes[0].send_buffer, 65536);
    EXPECT(s.nodes[2].is_router && s.nodes[2].is_silent);
    EXPECT_EQ(s.links[0].ways[0].rate_bits_s, 10000000);
    EXPECT_EQ(s.links[0].ways[1].rate_bits_s, 10000000);
    EXPECT_EQ(s.links[0].ways[1].queue.kind, WEIR_SIM_CODEL);
    EXPECT_EQ(s.links[1].ways[0].loss.kind, WEIR_SIM_LOSS_NONE);
    EXPECT_EQ(s.links[1].ways[1].loss.loss_ppm, 5000);
    EXPECT_EQ(s.links[1].ways[1].mtu, 1400);
    EXPECT_EQ(s.boxes[0].config.every_ns, 30 * WEIR_S);
    EXPECT_EQ(s.flows[0].bytes, 10000000);
    EXPECT(s.flows[0].lends);
    EXPECT_EQ(s.action_count, 3);
    EXPECT_EQ(s.actions[0].subject, 1);
    EXPECT_STR(s.actions[1].words, "delay 5ms rate 1mbit");
    EXPECT_EQ(s.actions[2].option, WEIR_OPT_RECV_BUFFER);
    scenario_fini(&s);
}

TEST(what_is_written_is_read_back_as_it_was)
{
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct scenario drawn, read;
        char *first, *second;
        EXPECT(chance_draw(&drawn, seed));
        first = text_of_scenario(&drawn);
        read = parsed(first);
        second = text_of_scenario(&read);
        EXPECT_STR(first, second);
        scenario_fini(&drawn);
        scenario_fini(&read);
        free(first);
        free(second);
    }
}

TEST(mistakes_are_told_with_their_place)
{
    static const struct {
        const char *text;
        unsigned line, column;
        const char *says;
    } mistakes[] = {
        {"seed x", 1, 6, "expected a whole number, not 'x'"},
        {"seed 1\nhoost a", 2, 1, "not 'hoost'"},
        {"host a\nhost a", 2, 6, "taken"},
        {"host a cc vegas", 1, 11, "reno"},
        {"host a\nhost b\nlink a b rate 10", 3, 15, "a rate such as"},
        {"host a\nhost b\nlink a b loss 200%", 3, 15, "a share such as"},
        {"host a\nhost b\nlink a b speed 10", 3, 10, "one of rate, delay"},
        {"host a\nhost b\nlink a b rate", 3, 14, "but the line ends"},
        {"host a\nlink a c", 2, 8, "the name of a host or router"},
        {"host a\nrouter r\nflow f bulk a r", 3, 15, "expected a host"},
        {"host a\nhost b\nbox nat a b", 3, 11, "no link between"},
        {"at 5 heal", 1, 4, "a duration"},
        {"at 5s explode", 1, 7, "down"},
        {"run 1s quickly", 1, 8, "patient"},
    };

    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct scenario s;
        struct scenario_error error;
        scenario_init(&s);
        EXPECT(!scenario_parse(&s, mistakes[i].text, &error));
        EXPECT_EQ(error.line, mistakes[i].line);
        EXPECT_EQ(error.column, mistakes[i].column);
        if (strstr(error.text, mistakes[i].says) == NULL)
            FAIL("'%s' does not say '%s'", error.text, mistakes[i].says);
        scenario_fini(&s);
    }
}

TEST(any_text_is_read_or_refused)
{
    static const char *const words[] = {"host",  "a",    "b",    "link", "rate",  "10mbit", "back",
                                        "flow",  "bulk", "at",   "1s",   "set",   "loss",   "5%",
                                        "\n",    "\n",   "down", "box",  "nat",   "lose",   "1,2",
                                        "route", "via",  "#",    "send", "client"};
    uint64_t random = test_seed();

    for (int i = 0; i < 3000; i++) {
        char text[400] = "";
        struct scenario s;
        struct scenario_error error;
        for (int w = 0; w < 30; w++) {
            size_t len = strlen(text);
            (void)snprintf(text + len, sizeof text - len, "%s ",
                           words[test_random_below(&random, sizeof words / sizeof words[0])]);
        }
        scenario_init(&s);
        (void)scenario_parse(&s, text, &error);
        scenario_fini(&s);
    }
}

TEST(what_is_taken_out_takes_along_what_refers_to_it)
{
    struct scenario s = parsed("host a\nhost b\nhost c\n"
                               "link a b\nlink b c\n"
                               "box bleach b c\n"
                               "flow f bulk a b bytes 1\nflow g bulk b c bytes 1\n"
                               "at 1s down a b\nat 1s down b c\nat 1s abort g client\n");

    scenario_remove_node(&s, 0);
    EXPECT_EQ(s.node_count, 2);
    EXPECT_EQ(s.link_count, 1);
    EXPECT_EQ(s.flow_count, 1);
    EXPECT_EQ(s.action_count, 2);
    EXPECT_EQ(s.boxes[0].link, 0);
    EXPECT_EQ(s.links[0].ends[0], 0);
    EXPECT_EQ(s.actions[1].subject, 0);
    scenario_fini(&s);
}
