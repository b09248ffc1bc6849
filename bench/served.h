/*
 * served.h - one stack that serves clients made by hand
 */
#ifndef BENCH_SERVED_H
#define BENCH_SERVED_H

#include "bench/bench.h"
#include "bench/crafted.h"
#include <weir/tcp.h>

enum {
    SERVED_BATCH = 64,
};

struct served {
    struct weir *stack;
    weir_netif_t netif;
    weir_listener_t listener;
    weir_ns_t now;
    uint64_t memory_bytes;
    double stack_s;   /* CPU time of the stack and the application in it, so far */
    double longest_s; /* the most of it that one batch took */
    double
        longest_undisturbed_s; /* and of those while no other process ran, and no page was made */
    long disturbances;
    double *least_s; /* of each step the least so far, of several runs; NULL: not asked for */
    size_t steps;    /* that it has room for */
    size_t counted;  /* steps of this run */
    size_t count;    /* segments of the batch that is being made */
    struct weir_frame frames[SERVED_BATCH];
    uint8_t bytes[SERVED_BATCH][CRAFTED_LEN];
};

/* A stack that listens; so many may be half-open or wait to be accepted (0: the defaults). */
bool served_open(struct served *s, uint32_t backlog, struct bench_report *report);
void served_close(struct served *s);

/* A segment more in the batch. */
void served_add(struct served *s, const struct crafted_segment *segment);

/* Gives the stack the batch; the application accepts, and echoes what it reads. */
void served_input(struct served *s);

/* What the stack has to say, one frame at a time, to on_answer. */
typedef void (*served_on_answer)(void *ctx, const struct crafted_answer *answer);
void served_output(struct served *s, served_on_answer on_answer, void *ctx);

void served_advance(struct served *s, weir_ns_t ns);

#endif
