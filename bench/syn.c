/*
 * syn.c - a flood of SYNs from addresses that do not answer
 */
#include "bench/bench.h"
#include "bench/served.h"
#include "wire/tcp.h"

static void on_answer(void *ctx, const struct crafted_answer *answer)
{
    *(uint64_t *)ctx += (answer->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
}

/* Making the SYNs and reading the answers is not the stack's work. */
static double cost_of_making(struct served *s, uint32_t count)
{
    double begin = bench_cpu_s();

    for (uint32_t i = 0; i < count; i++) {
        struct crafted_segment syn = {.client = i, .flags = TCP_SYN};
        struct crafted_answer answer;
        served_add(s, &syn);
        (void)crafted_read(&s->frames[0], &answer);
        s->count = 0;
    }
    return bench_cpu_s() - begin;
}

static void flood(struct served *s, uint32_t first, uint32_t count, uint64_t *answered)
{
    for (uint32_t i = first; i < first + count; i++) {
        struct crafted_segment syn = {.client = i, .flags = TCP_SYN};
        served_add(s, &syn);
        if (s->count == SERVED_BATCH) {
            served_input(s);
            served_output(s, on_answer, answered);
            served_advance(s, 10 * WEIR_US);
        }
    }
}

static bool run(const struct bench_options *options, struct bench_report *report)
{
    uint32_t count = options->small ? options->small * 4096 : 4000 * 1024;
    uint64_t answered = 0;
    struct served s;
    double begin, cpu_s;

    if (!served_open(&s, 0, report))
        return false;
    flood(&s, 0, 8192, &answered); /* the queue is full from here on */
    answered = 0;
    begin = bench_cpu_s();
    flood(&s, 8192, count, &answered);
    cpu_s = bench_cpu_s() - begin - cost_of_making(&s, count);
    served_close(&s);
    bench_note(report, "syns_per_cpu_s", count / cpu_s);
    bench_note(report, "ns_per_syn", cpu_s * 1e9 / count);
    bench_note(report, "answered_share", (double)answered / count);
    return true;
}

extern const struct bench bench_syn;
const struct bench bench_syn = {
    .name = "syn",
    .summary = "a flood of SYNs: how many are answered",
    .options = "",
    .run = run,
};
