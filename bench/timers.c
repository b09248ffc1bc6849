/*
 * timers.c - the timing wheel with very many timers
 */
#include <stdlib.h>

#include "base/wheel.h"
#include "bench/bench.h"

struct timers {
    struct wheel wheel;
    struct wheel_entry *entries;
    uint32_t count;
    uint64_t random;
};

/* Within two minutes, as retransmissions, delayed ACKs and keep-alives are. */
static ns_t next_at(struct timers *t, ns_t now)
{
    t->random ^= t->random << 13;
    t->random ^= t->random >> 7;
    t->random ^= t->random << 17;
    return now + (ns_t)(t->random % (uint64_t)(120 * NS_S));
}

static double arm_all(struct timers *t)
{
    double begin = bench_cpu_s();

    for (uint32_t i = 0; i < t->count; i++)
        wheel_arm(&t->wheel, &t->entries[i], next_at(t, 0));
    return bench_cpu_s() - begin;
}

/* In the order in which they lie in memory, as those of the connections of a batch do not. */
static double move_all(struct timers *t)
{
    double begin = bench_cpu_s();

    for (uint32_t i = 0; i < t->count; i++)
        wheel_arm(&t->wheel, &t->entries[i], next_at(t, 0));
    return bench_cpu_s() - begin;
}

/* What a few connections do all the time while the others rest: their deadlines go ahead. */
static double move_hot(struct timers *t, uint32_t count)
{
    double begin = bench_cpu_s();
    uint32_t hot = t->count < 1000 ? t->count : 1000;

    for (uint32_t i = 0; i < count; i++)
        wheel_arm(&t->wheel, &t->entries[i % hot], 200 * NS_MS + i);
    return bench_cpu_s() - begin;
}

/* Time goes on by a millisecond at a time until all have come. */
static double expire_all(struct timers *t, double *longest_s)
{
    double begin = bench_cpu_s(), last = begin;

    for (ns_t now = 0; t->wheel.count > 0; now += NS_MS) {
        do {
            while (wheel_expire(&t->wheel, now) != NULL)
                continue;
        } while (wheel_deadline(&t->wheel) <= now);
        double at = bench_cpu_s();
        if (at - last > *longest_s)
            *longest_s = at - last;
        last = at;
    }
    return last - begin;
}

static bool run(const struct bench_options *options, struct bench_report *report)
{
    struct timers t = {.random = 1, .count = 10000000};
    double longest_s = 0, n;

    if (options->small)
        t.count = 10000;
    if (options->population != 0)
        t.count = (uint32_t)options->population;
    t.entries = calloc(t.count, sizeof t.entries[0]);
    if (t.entries == NULL)
        return bench_fail(report, "there is no memory for %u timers", t.count);
    for (uint32_t i = 0; i < t.count; i++)
        wheel_entry_init(&t.entries[i]);
    wheel_init(&t.wheel, 0);
    n = t.count;
    bench_note(report, "arm_ns", arm_all(&t) * 1e9 / n);
    bench_note(report, "move_ns", move_all(&t) * 1e9 / n);
    bench_note(report, "move_hot_ns", move_hot(&t, t.count) * 1e9 / n);
    bench_note(report, "expire_ns", expire_all(&t, &longest_s) * 1e9 / n);
    bench_note(report, "longest_ms_of_expiry_us", longest_s * 1e6);
    free(t.entries);
    return true;
}

extern const struct bench bench_timers;
const struct bench bench_timers = {
    .name = "timers",
    .summary = "arm, move and expire timers while 10 million are armed",
    .options = "--population",
    .run = run,
};
