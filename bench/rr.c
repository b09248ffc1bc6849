/*
 * rr.c - a byte there, a byte back
 */
#include "bench/bench.h"
#include "bench/pair.h"

struct rr {
    struct pair pair;
    struct pair_conns conns;
};

/* A byte from one end to the other, as an application that waits for events does it. */
static bool pass(struct rr *rr, size_t from)
{
    struct weir *a = rr->pair.ends[from].stack, *b = rr->pair.ends[1 - from].stack;
    struct weir_event event;
    uint8_t byte = 'x';

    if (weir_send(a, rr->conns.conn[from], &byte, 1, 0) != 1)
        return false;
    pair_deliver(&rr->pair, from);
    while (weir_event(b, &event))
        if (event.bits & WEIR_EVENT_READABLE)
            return weir_recv(b, rr->conns.conn[1 - from], &byte, 1) == 1;
    return false;
}

static bool rounds(struct rr *rr, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!pass(rr, 0) || !pass(rr, 1))
            return false;
    return true;
}

static bool measure(struct rr *rr, const struct bench_options *o, struct bench_report *r)
{
    uint32_t count = o->small > 0 ? o->small * 1000 : 2000000;
    double begin, cpu_s;

    for (size_t i = 0; i < 2; i++)
        (void)weir_set(rr->pair.ends[i].stack, rr->conns.conn[i], WEIR_OPT_NODELAY, 1);
    if (!rounds(rr, count / 10))
        return bench_fail(r, "a byte did not arrive");
    rr->pair.frames[0] = rr->pair.frames[1] = 0;
    begin = bench_cpu_s();
    if (!rounds(rr, count))
        return bench_fail(r, "a byte did not arrive");
    cpu_s = bench_cpu_s() - begin;
    bench_note(r, "ns_per_round_trip", cpu_s * 1e9 / count);
    bench_note(r, "round_trips_per_cpu_s", count / cpu_s);
    bench_note(r, "frames_per_round_trip",
               (double)(rr->pair.frames[0] + rr->pair.frames[1]) / count);
    return true;
}

static bool run(const struct bench_options *options, struct bench_report *report)
{
    struct pair_setup setup = {.options = options};
    struct rr rr = {0};
    bool done;

    if (!pair_open(&rr.pair, &setup, report))
        return false;
    done = pair_connect(&rr.pair, &rr.conns, report) && measure(&rr, options, report);
    pair_close(&rr.pair);
    return done;
}

extern const struct bench bench_rr;
const struct bench bench_rr = {
    .name = "rr",
    .summary = "one-byte requests and responses between two stacks in one thread",
    .options = "--ipv6",
    .run = run,
};
