/*
 * bench.c - the benchmarks there are, and how they report
 */
#include "bench/bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

extern const struct bench bench_bulk, bench_conns, bench_rr, bench_rr_tun, bench_tun, bench_idle,
    bench_fairness, bench_syn, bench_timers, bench_attack;

static const struct bench *const benches[] = {
    &bench_bulk, &bench_conns,    &bench_rr,  &bench_rr_tun, &bench_tun,
    &bench_idle, &bench_fairness, &bench_syn, &bench_timers, &bench_attack,
};

const struct bench *bench_at(size_t index)
{
    return index < sizeof benches / sizeof benches[0] ? benches[index] : NULL;
}

const struct bench *bench_find(const char *name)
{
    const struct bench *bench;

    for (size_t i = 0; (bench = bench_at(i)) != NULL; i++)
        if (strcmp(bench->name, name) == 0)
            return bench;
    return NULL;
}

void bench_note(struct bench_report *report, const char *name, double value)
{
    if (report->count == BENCH_NUMBERS_MAX)
        return;
    report->numbers[report->count].name = name;
    report->numbers[report->count].value = value;
    report->count++;
}

bool bench_fail(struct bench_report *report, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    (void)vsnprintf(report->why, sizeof report->why, format, values);
    va_end(values);
    return false;
}

void bench_print_json(const struct bench_report *report, const char *name, const char *options)
{
    printf("{\"type\":\"bench\",\"name\":\"%s\",\"options\":\"%s\"", name, options);
    for (size_t i = 0; i < report->count; i++)
        printf(",\"%s\":%.6g", report->numbers[i].name, report->numbers[i].value);
    printf("}\n");
}

void bench_print(const struct bench_report *report, const char *name, const char *options)
{
    printf("%s%s%s\n", name, options[0] != 0 ? " " : "", options);
    for (size_t i = 0; i < report->count; i++)
        printf("  %-36s %12.6g\n", report->numbers[i].name, report->numbers[i].value);
}

static double seconds_of(clockid_t clock)
{
    struct timespec now = {0};

    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double bench_cpu_s(void)
{
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

double bench_wall_s(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

static double seconds(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

double bench_children_cpu_s(void)
{
    struct rusage usage = {0};

    (void)getrusage(RUSAGE_CHILDREN, &usage);
    return seconds(&usage.ru_utime) + seconds(&usage.ru_stime);
}
