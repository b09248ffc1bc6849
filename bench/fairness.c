/*
 * fairness.c - very many flows through one stack at the same time
 */
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/pair.h"

enum {
    PORT = 9,
    CHUNK = 16 * 1024,
};

struct fairness {
    struct pair pair;
    uint32_t flows;
    weir_conn_t *to; /* those of the receiver */
    uint64_t *received;
    uint64_t bytes;
};

static void fill(struct weir *s, weir_conn_t conn)
{
    static const uint8_t bytes[CHUNK];

    while (weir_send(s, conn, bytes, sizeof bytes, 0) > 0)
        continue;
}

static void drain(struct fairness *f, const struct weir_event *event)
{
    uint8_t bytes[CHUNK];
    ptrdiff_t len;

    while ((len = weir_recv(f->pair.ends[1].stack, event->handle, bytes, sizeof bytes)) > 0) {
        f->received[event->user] += (uint64_t)len;
        f->bytes += (uint64_t)len;
    }
}

static void run_events(struct fairness *f)
{
    struct weir_event event;

    while (weir_event(f->pair.ends[0].stack, &event))
        if (event.bits & WEIR_EVENT_WRITABLE)
            fill(f->pair.ends[0].stack, event.handle);
    while (weir_event(f->pair.ends[1].stack, &event))
        if (event.bits & WEIR_EVENT_READABLE)
            drain(f, &event);
}

static bool connect_all(struct fairness *f)
{
    struct weir_endpoint at = pair_endpoint(&f->pair, 1, PORT);
    weir_listener_t listener;
    weir_conn_t conn;

    if (weir_listen(f->pair.ends[1].stack, &at, 64, &listener) != WEIR_OK)
        return false;
    for (uint32_t i = 0; i < f->flows; i++) {
        if (weir_connect(f->pair.ends[0].stack, NULL, &at, &conn) != WEIR_OK)
            return false;
        (void)pair_pump(&f->pair);
        if (weir_accept(f->pair.ends[1].stack, listener, &f->to[i]) != WEIR_OK)
            return false;
        (void)weir_set(f->pair.ends[1].stack, f->to[i], WEIR_OPT_USER, i);
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static bool measure(struct fairness *f, bool small, struct bench_report *r)
{
    uint64_t total = (uint64_t)f->flows * (small ? 100000 : 400000);
    double begin, cpu_s, mean;

    if (!connect_all(f))
        return bench_fail(r, "a connection failed");
    begin = bench_cpu_s();
    while (f->bytes < total) {
        run_events(f);
        if (pair_round(&f->pair) == 0 && !pair_wait(&f->pair))
            return bench_fail(r, "the flows stand still");
    }
    cpu_s = bench_cpu_s() - begin;
    qsort(f->received, f->flows, sizeof f->received[0], compare);
    mean = (double)f->bytes / f->flows;
    bench_note(r, "flows", f->flows);
    bench_note(r, "goodput_gbit_per_cpu_s", (double)f->bytes * 8 / 1e9 / cpu_s);
    bench_note(r, "p1_ratio_to_mean", (double)f->received[f->flows / 100] / mean);
    bench_note(r, "least_ratio_to_mean", (double)f->received[0] / mean);
    bench_note(r, "most_ratio_to_mean", (double)f->received[f->flows - 1] / mean);
    return true;
}

static bool run(const struct bench_options *options, struct bench_report *report)
{
    struct pair_setup setup = {.options = options, .buffers = 64 * 1024};
    struct fairness f = {.flows = options->small ? 100 : 10000};
    bool done = false;

    if (options->population != 0)
        f.flows = (uint32_t)options->population;
    if (!pair_open(&f.pair, &setup, report))
        return false;
    f.to = calloc(f.flows, sizeof f.to[0]);
    f.received = calloc(f.flows, sizeof f.received[0]);
    if (f.to != NULL && f.received != NULL)
        done = measure(&f, options->small, report);
    pair_close(&f.pair);
    free(f.to);
    free(f.received);
    return done;
}

extern const struct bench bench_fairness;
const struct bench bench_fairness = {
    .name = "fairness",
    .summary = "10,000 flows through one stack: what the slowest get",
    .options = "--population --gso",
    .run = run,
};
