/*
 * cmd_bench.c - weir bench [NAME]: measure
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/say.h"

extern const struct command cmd_bench;

enum {
    EXIT_CANNOT = 77, /* as tests say it that are skipped */
};

struct benching {
    struct bench_options options;
    bool json;
    char given[256]; /* the options, as they were given */
};

/* Remembers an option of the benchmark, for the report. */
static const char *given(struct benching *b, const char *name, const char *value)
{
    size_t len = strlen(b->given);

    (void)snprintf(b->given + len, sizeof b->given - len, "%s--%s%s%s", len > 0 ? " " : "", name,
                   value != NULL ? " " : "", value != NULL ? value : "");
    return NULL;
}

static const char *take_ipv6(void *target, const char *value)
{
    struct benching *b = target;

    b->options.ipv6 = true;
    return given(b, "ipv6", value);
}

static const char *take_gso(void *target, const char *value)
{
    struct benching *b = target;

    b->options.gso = true;
    return given(b, "gso", value);
}

static const char *take_zerocopy(void *target, const char *value)
{
    struct benching *b = target;

    b->options.zerocopy = true;
    return given(b, "zerocopy", value);
}

static const char *take_plain_read(void *target, const char *value)
{
    struct benching *b = target;

    b->options.plain_read = true;
    return given(b, "plain-read", value);
}

static const char *take_small(void *target, const char *value)
{
    (void)value;
    ((struct benching *)target)->options.small = 1;
    return NULL;
}

static const char *take_times(void *target, const char *value)
{
    struct benching *b = target;
    unsigned long long number;

    if (options_number(value, 1, 1000, &number) != 0)
        return "a number from 1 to 1000";
    b->options.small = (uint32_t)number;
    return NULL;
}

static const char *take_portable(void *target, const char *value)
{
    struct benching *b = target;

    b->options.portable = true;
    return given(b, "portable", value);
}

static const char *take_alone(void *target, const char *value)
{
    (void)value;
    ((struct benching *)target)->options.alone = true;
    return NULL;
}

static const char *take_json(void *target, const char *value)
{
    (void)value;
    ((struct benching *)target)->json = true;
    return NULL;
}

/* "0.1%" */
static const char *take_loss(void *target, const char *value)
{
    struct benching *b = target;
    char *end;
    double percent = strtod(value, &end);

    if (end == value || (*end != 0 && strcmp(end, "%") != 0) || !(percent >= 0 && percent <= 50))
        return "a percentage up to 50";
    b->options.loss_ppm = (uint32_t)(percent * 10000 + 0.5);
    return given(b, "loss", value);
}

static const char *take_number(const char *value, unsigned long long most, uint64_t *number)
{
    unsigned long long read;

    if (options_number(value, 1, most, &read) != 0)
        return "a number from 1 on, and not too large";
    *number = read;
    return NULL;
}

static const char *take_ack_every(void *target, const char *value)
{
    struct benching *b = target;
    uint64_t number;
    const char *wrong = take_number(value, 64, &number);

    if (wrong != NULL)
        return wrong;
    b->options.ack_every = (uint32_t)number;
    return given(b, "ack-every", value);
}

static const char *take_at_a_time(void *target, const char *value)
{
    struct benching *b = target;
    uint64_t number;
    const char *wrong = take_number(value, 1000000, &number);

    if (wrong != NULL)
        return wrong;
    b->options.at_a_time = (uint32_t)number;
    return given(b, "at-a-time", value);
}

static const char *take_population(void *target, const char *value)
{
    struct benching *b = target;
    const char *wrong = take_number(value, 100000000, &b->options.population);

    return wrong != NULL ? wrong : given(b, "population", value);
}

static const struct option_spec specs[] = {
    {"ipv6", 0, NULL, "IPv6 in place of IPv4", take_ipv6},
    {"gso", 0, NULL, "segments of up to 64 KiB", take_gso},
    {"zerocopy", 0, NULL, "buffers are lent, not copied; checksums offloaded", take_zerocopy},
    {"plain-read", 0, NULL, "what has come is read; else reads are posted before", take_plain_read},
    {"loss", 0, "PERCENT", "of the frames, e.g. 0.1%", take_loss},
    {"ack-every", 0, "N", "the receiver gets N segments at a time", take_ack_every},
    {"at-a-time", 0, "N", "connections under way at a time (default: 1)", take_at_a_time},
    {"population", 0, "N", "so many idle ones, or timers, or TIME-WAIT records", take_population},
    {"small", 0, NULL, "a little work only, to see that it runs", take_small},
    {"times", 0, "N", "so many times a little work", take_times},
    {"alone", 0, NULL, "without what it is compared with", take_alone},
    {"portable", 0, NULL, "nothing that only some processors have", take_portable},
    {"json", 0, NULL, "one JSON object in a line", take_json},
    {0},
};

static int list(void)
{
    const struct bench *bench;

    for (size_t i = 0; (bench = bench_at(i)) != NULL; i++)
        printf("  %-9s %s%s%s\n", bench->name, bench->summary,
               bench->options[0] != 0 ? "\n            " : "", bench->options);
    return EXIT_OK;
}

static int run_one(const struct benching *b, const struct bench *bench)
{
    struct bench_report report = {0};

    if (!bench->run(&b->options, &report)) {
        say("%s: %s", bench->name, report.why);
        return report.cannot ? EXIT_CANNOT : EXIT_FAILED;
    }
    if (b->json)
        bench_print_json(&report, bench->name, b->given);
    else
        bench_print(&report, bench->name, b->given);
    return EXIT_OK;
}

static int run(int argc, char **argv)
{
    struct benching b = {0};
    const struct option_table tables[] = {{specs, &b}, {NULL, NULL}};
    int first = options_read(&cmd_bench, tables, argc, argv);
    const struct bench *bench;

    if (first < 0)
        return options_exit(first);
    if (first == argc)
        return list();
    bench = bench_find(argv[first]);
    if (bench == NULL)
        return say_usage("there is no benchmark '%s'; 'weir bench' lists those there are",
                         argv[first]);
    return run_one(&b, bench);
}

const struct command cmd_bench = {
    .name = "bench",
    .operands = "[NAME]",
    .summary = "measure how fast the stack is",
    .text = "Runs a benchmark once and prints what it measured, or, without a name, lists the\n"
            "benchmarks with the options each of them looks at. Times are CPU time. What Weir is\n"
            "compared with is measured in the same run.",
    .options = (const struct option_spec *const[]){specs, NULL},
    .run = run,
};
