/*
 * pair.h - two stacks back to back in one thread
 *
 * Frames go from one to the other through the memory driver, in batches, as IP packets of
 * 1500 bytes or super-segments. Time is virtual: it goes on by a tick with each round of frames
 * and jumps to the next deadline when none are under way, so that a run is the same each time.
 */
#ifndef BENCH_PAIR_H
#define BENCH_PAIR_H

#include "bench/bench.h"
#include <weir/driver.h>
#include <weir/stats.h>
#include <weir/tcp.h>

enum {
    PAIR_BATCH = 64,
    PAIR_MTU = 1500,
};

struct pair_end {
    struct weir *stack;
    weir_netif_t netif;
    struct weir_driver *driver;
    struct weir_addr addr;
    uint64_t memory_bytes; /* that its allocator has given out */
};

struct pair {
    struct pair_end ends[2];
    weir_ns_t now;
    size_t batch;      /* frames that are handed over at a time */
    uint32_t loss_ppm; /* of the frames that ends[0] sends; 0 at first */
    uint64_t random;
    uint64_t frames[2]; /* that each end has sent */
    uint64_t lost;
};

/* What is special about the two stacks of a benchmark. */
struct pair_setup {
    const struct bench_options *options;
    bool csum_offload;  /* checksums are neither made nor verified */
    uint32_t timewaits; /* 0: as configured */
    uint32_t syn_queue; /* 0: as configured */
    uint32_t orphans;   /* closed and still at work, at most; 0: as configured */
    uint32_t buffers;   /* send and receive buffers in bytes; 0: as configured */
};

bool pair_open(struct pair *p, const struct pair_setup *setup, struct bench_report *report);
void pair_close(struct pair *p);

/* Brings frames across until none are under way. Returns how many there were. */
uint64_t pair_pump(struct pair *p);

/* The same for one round: at most a batch in either direction. */
uint64_t pair_round(struct pair *p);

/* Brings what one end has to send to the other, which is woken up by it. */
void pair_deliver(struct pair *p, size_t from);

/* Lets the time of the next deadline come; false: nothing waits for any. */
bool pair_wait(struct pair *p);

/* Lets time pass. */
void pair_advance(struct pair *p, weir_ns_t ns);

/* A connection from ends[0] to ends[1], both of which have completed the handshake. */
struct pair_conns {
    weir_conn_t conn[2];
};
bool pair_connect(struct pair *p, struct pair_conns *conns, struct bench_report *report);

/* An end's address with a port. */
struct weir_endpoint pair_endpoint(const struct pair *p, size_t end, uint16_t port);

#endif
