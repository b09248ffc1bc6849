/*
 * syn.c - a flood of SYNs from addresses that do not answer
 *
 * What is measured is the stack. So SYNs are copies of one that is made by hand, with another source,
 * and of answers no more is read than that they are SYN-ACKs; what that costs is measured, too, and
 * said.
 */
#include "base/be.h"
#include "base/checksum.h"
#include "bench/bench.h"
#include "bench/served.h"
#include "wire/ip4.h"
#include "wire/tcp.h"
#include <string.h>

enum {
    WARM_UP = 8192, /* the queue is full from here on */
    ADDRESSES = 1 << 15,
    IP_CHECKSUM_AT = 10,
    IP_SRC_AT = 12,
    SRC_PORT_AT = IP4_HEADER_LEN,
    SEQ_AT = IP4_HEADER_LEN + 4,
    FLAGS_AT = IP4_HEADER_LEN + 12,
};

struct flood {
    struct served served;
    struct weir_frame frame; /* what all SYNs are copies of */
    uint8_t syn[CRAFTED_LEN];
    uint64_t ip_sum; /* of its IP header without the source */
    uint64_t answered;
};

static void prepare(struct flood *x)
{
    struct crafted_segment syn = {.flags = TCP_SYN};

    crafted_make(&syn, x->syn, &x->frame);
    memset(x->syn + IP_CHECKSUM_AT, 0, 2);
    memset(x->syn + IP_SRC_AT, 0, 4);
    x->ip_sum = checksum_raw(x->syn, IP4_HEADER_LEN);
}

static void put32(uint8_t *at, uint32_t value)
{
    be32_t wire = be32_of(value);

    memcpy(at, &wire, sizeof wire);
}

/* The SYN of client i, of which there are as many as addresses with 60000 ports each. */
static void add(struct flood *x, uint32_t i)
{
    struct served *s = &x->served;
    uint8_t *bytes = s->bytes[s->count];
    uint32_t src = UINT32_C(198) << 24 | 19 << 16 | i % ADDRESSES;
    be16_t port = be16_of((uint16_t)(1024 + i / ADDRESSES)), checksum;

    memcpy(bytes, x->syn, CRAFTED_LEN);
    put32(bytes + IP_SRC_AT, src);
    memcpy(bytes + SRC_PORT_AT, &port, sizeof port);
    put32(bytes + SEQ_AT, i * 2654435761u);
    checksum = be16_of(
        checksum_fold_raw(checksum_raw_plus(x->ip_sum, checksum_raw(bytes + IP_SRC_AT, 4))));
    memcpy(bytes + IP_CHECKSUM_AT, &checksum, sizeof checksum);
    s->frames[s->count] = x->frame;
    s->frames[s->count].slices[0].bytes = bytes;
    s->count++;
}

static void read(struct flood *x, const struct weir_frame *frame)
{
    uint16_t flags = be16_at(frame->slices[0].bytes + FLAGS_AT);

    x->answered += (flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
}

static void exchange(struct flood *x)
{
    struct served *s = &x->served;
    struct weir_frame *frames[SERVED_BATCH];
    size_t count;

    weir_input(s->stack, s->netif, s->frames, s->count);
    s->count = 0;
    count = weir_output(s->stack, s->netif, frames, SERVED_BATCH);
    for (size_t i = 0; i < count; i++)
        read(x, frames[i]);
    weir_output_done(s->stack, frames, count);
    s->now += 10 * WEIR_US;
    weir_advance(s->stack, s->now);
}

static double flood(struct flood *x, uint32_t first, uint32_t count)
{
    double begin = bench_cpu_s();

    for (uint32_t i = first; i < first + count; i++) {
        add(x, i);
        if (x->served.count == SERVED_BATCH)
            exchange(x);
    }
    return bench_cpu_s() - begin;
}

/* Making the SYNs and reading the answers is not the stack's work. */
static double cost_of_making(struct flood *x, uint32_t count)
{
    double begin = bench_cpu_s();

    for (uint32_t i = 0; i < count; i++) {
        add(x, i);
        read(x, &x->served.frames[x->served.count - 1]);
        if (x->served.count == SERVED_BATCH)
            x->served.count = 0;
    }
    return bench_cpu_s() - begin;
}

static bool run(const struct bench_options *options, struct bench_report *report)
{
    static struct flood x;
    uint32_t count = options->small ? options->small * 4096 : 4000 * 1024;
    double cpu_s, making_s;

    if (!served_open(&x.served, 0, report))
        return false;
    prepare(&x);
    (void)flood(&x, 0, WARM_UP);
    x.answered = 0;
    cpu_s = flood(&x, WARM_UP, count);
    bench_note(report, "answered_share", (double)x.answered / count);
    making_s = options->alone ? 0 : cost_of_making(&x, count);
    served_close(&x.served);
    bench_note(report, "syns_per_cpu_s", count / (cpu_s - making_s));
    bench_note(report, "ns_per_syn", (cpu_s - making_s) * 1e9 / count);
    bench_note(report, "ns_to_make_and_read_one", making_s * 1e9 / count);
    return true;
}

extern const struct bench bench_syn;
const struct bench bench_syn = {
    .name = "syn",
    .summary = "a flood of SYNs: how many are answered",
    .options = "",
    .run = run,
};
