/*
 * idle.c - very many connections that do nothing, and some of them that do
 */
#include "bench/bench.h"
#include "bench/served.h"
#include "wire/tcp.h"
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    BYTES_EACH = 280,     /* of a connection at rest, and a little more */
    BYTES_BUSY = 1 << 28, /* of those that are busy at a time */
    LARGE_PAGE = 2 << 20,
    SMALL_PAGE = 4096,
    STEPS_EACH_BATCH = 12, /* at most: of its handshakes, and of its echoes */
    STEPS_QUIET = 5000,    /* while all come to rest */
};

struct idle {
    struct served served;
    uint32_t count;
    uint32_t *server_next; /* by client: what it would acknowledge */
    uint32_t timestamp;    /* the stack's latest; any recent one will do */
    uint32_t handshakes, answers;
};

/*
 * The process has its memory before the stack asks for it, in large pages where there are any: to
 * hand out a page that is touched for the first time is the kernel's work, and takes what it takes.
 */
static bool reserve(uint32_t count)
{
    size_t bytes = (size_t)count * BYTES_EACH + BYTES_BUSY, skip;
    uint8_t *memory;

    (void)mallopt(M_MMAP_MAX, 0); /* all of malloc's memory is one piece, which only grows */
    (void)mallopt(M_TRIM_THRESHOLD, -1);
    memory = malloc(bytes);
    if (memory == NULL)
        return false;
    skip = (size_t)(-(uintptr_t)memory % LARGE_PAGE);
    (void)madvise(memory + skip, (bytes - skip) / LARGE_PAGE * LARGE_PAGE, MADV_HUGEPAGE);
    for (size_t at = 0; at < bytes; at += SMALL_PAGE)
        *(volatile uint8_t *)(memory + at) = 1;
    free(memory);
    return true;
}

static uint32_t now_ms(const struct idle *x)
{
    return (uint32_t)(x->served.now / WEIR_MS);
}

static void add(struct idle *x, uint32_t client, uint16_t flags, uint32_t seq, uint32_t text_len)
{
    struct crafted_segment segment = {
        .client = client,
        .flags = flags,
        .seq = seq,
        .ack = flags & TCP_ACK ? x->server_next[client] : 0,
        .ts_echo = x->timestamp,
        .now_ms = now_ms(x),
        .text_len = text_len,
    };

    served_add(&x->served, &segment);
}

static void on_answer(void *ctx, const struct crafted_answer *answer)
{
    struct idle *x = ctx;

    if (answer->client >= x->count)
        return;
    x->timestamp = answer->timestamp;
    x->handshakes += (answer->flags & TCP_SYN) != 0;
    x->answers += answer->text_len;
    if ((answer->flags & TCP_SYN) || answer->text_len > 0)
        x->server_next[answer->client] =
            answer->seq + answer->text_len + ((answer->flags & TCP_SYN) != 0);
}

static void exchange(struct idle *x)
{
    served_input(&x->served);
    served_output(&x->served, on_answer, x);
}

/* All clients connect, a batch in a millisecond; then all is quiet until nobody is busy. */
static bool connect_all(struct idle *x)
{
    for (uint32_t first = 0; first < x->count; first += SERVED_BATCH) {
        uint32_t end = first + SERVED_BATCH < x->count ? first + SERVED_BATCH : x->count;
        for (uint32_t i = first; i < end; i++)
            add(x, i, TCP_SYN, 0, 0);
        exchange(x);
        for (uint32_t i = first; i < end; i++)
            add(x, i, TCP_ACK, 1, 0);
        exchange(x);
        served_advance(&x->served, WEIR_MS);
    }
    for (int i = 0; i < STEPS_QUIET; i++)
        served_advance(&x->served, WEIR_MS);
    return x->handshakes == x->count;
}

/*
 * A byte to every step-th connection, which it echoes; CPU seconds an exchange, without the clients',
 * who are many, too.
 */
static double echo(struct idle *x, uint32_t step)
{
    double begin = x->served.stack_s;
    uint32_t done = 0;

    for (uint32_t first = 0; first < x->count; first += step * SERVED_BATCH) {
        for (uint32_t i = first, n = 0; i < x->count && n < SERVED_BATCH; i += step, n++, done++)
            add(x, i, TCP_ACK | TCP_PSH, 1, 1);
        exchange(x);
        for (uint32_t i = first, n = 0; i < x->count && n < SERVED_BATCH; i += step, n++)
            add(x, i, TCP_ACK, 2, 0);
        exchange(x);
        served_advance(&x->served, WEIR_MS / 10);
    }
    return x->answers == done ? (x->served.stack_s - begin) / done : -1;
}

struct outcome {
    double bytes, longest_s, undisturbed_s, connect_s, echo_s;
    double *least_s; /* of each step; NULL: nobody asks */
    size_t steps;
};

static bool run_table(uint32_t count, uint32_t step, struct outcome *o, struct bench_report *r)
{
    struct idle *x = calloc(1, sizeof *x);
    bool done = false;
    double begin;

    if (x == NULL)
        return bench_fail(r, "there is no memory");
    x->count = count;
    x->server_next = calloc(count, sizeof x->server_next[0]);
    if (x->server_next != NULL && served_open(&x->served, 0, r)) {
        uint64_t before = x->served.memory_bytes;
        x->served.least_s = o->least_s;
        x->served.steps = o->steps;
        begin = bench_cpu_s();
        done = connect_all(x);
        o->connect_s = (bench_cpu_s() - begin) / count;
        o->bytes = (double)(x->served.memory_bytes - before) / count;
        o->longest_s = x->served.longest_s;
        o->echo_s = done ? echo(x, step) : -1;
        if (o->longest_s < x->served.longest_s)
            o->longest_s = x->served.longest_s;
        o->undisturbed_s = x->served.longest_undisturbed_s;
        served_close(&x->served);
    }
    free(x->server_next);
    free(x);
    return (done && o->echo_s > 0) || bench_fail(r, "a connection did not answer");
}

/*
 * The same work twice, which takes the same steps, and of each the shorter time: what the host does
 * meanwhile hardly comes upon the same step again, what the stack does comes every time.
 */
static bool run_twice(uint32_t count, struct outcome *o, struct bench_report *report)
{
    o->steps = (size_t)STEPS_EACH_BATCH * (count / SERVED_BATCH + 1) + STEPS_QUIET;
    o->least_s = malloc(o->steps * sizeof o->least_s[0]);
    if (o->least_s == NULL)
        return bench_fail(report, "there is no memory for the times of %zu steps", o->steps);
    for (size_t i = 0; i < o->steps; i++)
        o->least_s[i] = 1e9;
    return run_table(count, 100, o, report) && run_table(count, 100, o, report);
}

/* Room for steps that there were not is left as it was. */
static double longest_both_times_s(const struct outcome *o)
{
    double longest_s = 0;

    for (size_t i = 0; i < o->steps; i++)
        if (o->least_s[i] > longest_s && o->least_s[i] < 1e9)
            longest_s = o->least_s[i];
    return longest_s;
}

static void note_all(const struct outcome *large, const struct outcome *little, uint32_t count,
                     struct bench_report *report)
{
    bench_note(report, "connections", count);
    bench_note(report, "bytes_per_connection", large->bytes);
    bench_note(report, "longest_pause_ms", large->longest_s * 1e3);
    bench_note(report, "longest_undisturbed_pause_ms", large->undisturbed_s * 1e3);
    bench_note(report, "longest_pause_both_times_ms", longest_both_times_s(large) * 1e3);
    bench_note(report, "ns_per_handshake", large->connect_s * 1e9);
    bench_note(report, "active_ns_per_exchange", large->echo_s * 1e9);
    bench_note(report, "small_table_ns_per_exchange", little->echo_s * 1e9);
    bench_note(report, "active_ratio_to_small_table", little->echo_s / large->echo_s);
}

static bool run(const struct bench_options *options, struct bench_report *report)
{
    uint32_t count = options->population != 0 ? (uint32_t)options->population : 10000000;
    struct outcome large = {0}, little = {0};
    bool done;

    if (options->small)
        count = 20000;
    if (!reserve(count))
        return bench_fail(report, "there is no memory for %u connections", count);
    done = run_table(count / 100, 1, &little, report) && run_twice(count, &large, report);
    if (done)
        note_all(&large, &little, count, report);
    free(large.least_s);
    return done;
}

extern const struct bench bench_idle;
const struct bench bench_idle = {
    .name = "idle",
    .summary = "10 million idle connections of one stack; then 1 % of them are active",
    .options = "--population",
    .run = run,
};
