/*
 * bench.h - what a benchmark is, and what it says
 *
 * A benchmark runs once and reports numbers whose names end in their unit. Whatever compares
 * Weir with something else measures the other thing in the same run, since absolute numbers
 * move between machines. Time is CPU time of this process.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BENCH_NUMBERS_MAX = 32,
};

/* What is asked for; a benchmark looks at what concerns it. */
struct bench_options {
    bool ipv6;
    bool gso;
    bool zerocopy;
    bool plain_read;     /* what is read is asked for when it has come, not before */
    uint32_t small;      /* only to see that it runs: so many times a little work; 0: all of it */
    bool portable;       /* nothing that only some processors have */
    bool alone;          /* without what it is compared with */
    uint32_t loss_ppm;   /* frames lost of a million */
    uint32_t ack_every;  /* segments that the receiver is given at a time; 0: a whole batch */
    uint32_t at_a_time;  /* connections */
    uint64_t population; /* connections, TIME-WAIT records or timers that are there already */
};

struct bench_report {
    size_t count;
    struct {
        const char *name;
        double value;
    } numbers[BENCH_NUMBERS_MAX];
    char why[256]; /* why it could not be done */
    bool cannot;   /* because this machine has not what it takes */
};

struct bench {
    const char *name;
    const char *summary;
    const char *options; /* the names of those it looks at */
    /* False: report->why says why not. */
    bool (*run)(const struct bench_options *options, struct bench_report *report);
};

/* The index-th benchmark; NULL past the last. */
const struct bench *bench_at(size_t index);
const struct bench *bench_find(const char *name);

void bench_note(struct bench_report *report, const char *name, double value);

/* Says why it could not be done; returns false. */
bool bench_fail(struct bench_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One object in a line, or a line a number. */
void bench_print_json(const struct bench_report *report, const char *name, const char *options);
void bench_print(const struct bench_report *report, const char *name, const char *options);

/* CPU time of this process, and of the children it has waited for, in seconds. */
double bench_cpu_s(void);
double bench_children_cpu_s(void);

/* The time of the day's clock that never goes back, in seconds. */
double bench_wall_s(void);

#endif
