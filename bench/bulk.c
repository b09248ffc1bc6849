/*
 * bulk.c - one connection sends as much as it can
 *
 * The application writes 64 KiB, the frames go across, the application at the other end
 * reads; so the memory that is touched is as little as it can be, here and in the null stack.
 *
 * A read is posted before anything has come (weir_recv_post), so that the stack knows where to copy
 * it, as the null stack does; with --plain-read it is asked for afterwards, from the receive queue.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/null_stack.h"
#include "bench/pair.h"

enum {
    CHUNK = 64 * 1024,
};

struct bulk {
    struct pair pair;
    struct pair_conns conns;
    bool lends, posts;
    uint8_t *from, *to;
    uint32_t lent; /* writes whose bytes the stack still has */
    uint64_t sent, received;
};

static void release(void *owner)
{
    struct bulk *b = owner;

    b->lent--;
}

/* A write of what fits of a chunk. */
static bool write_some(struct bulk *b)
{
    struct weir *s = b->pair.ends[0].stack;
    uint32_t at = (uint32_t)(b->sent % CHUNK), len = CHUNK - at;
    ptrdiff_t taken;

    if (b->lends)
        taken = weir_send_lent(s, b->conns.conn[0], (struct weir_slice){b->from + at, len}, 0,
                               release, b);
    else
        taken = weir_send(s, b->conns.conn[0], b->from + at, len, 0);
    if (taken < 0)
        return taken == WEIR_EAGAIN;
    b->lent += b->lends;
    b->sent += (uint64_t)taken;
    return true;
}

static bool read_lent(struct bulk *b)
{
    struct weir_slice slices[64];
    struct weir *s = b->pair.ends[1].stack;
    size_t count;
    ptrdiff_t len;

    while ((len = weir_recv_lent(s, b->conns.conn[1], slices, 64, &count)) > 0) {
        if (weir_recv_done(s, b->conns.conn[1], (size_t)len) != WEIR_OK)
            return false;
        b->received += (uint64_t)len;
    }
    return len == WEIR_EAGAIN;
}

static bool post_read(struct bulk *b)
{
    uint32_t at = (uint32_t)(b->received % CHUNK);

    return weir_recv_post(b->pair.ends[1].stack, b->conns.conn[1], b->to + at, CHUNK - at)
           == WEIR_OK;
}

/* One that was filled to the end may be followed by more, which goes into the next one. */
static bool read_posted(struct bulk *b)
{
    struct weir *s = b->pair.ends[1].stack;
    ptrdiff_t len;

    do {
        len = weir_recv_take(s, b->conns.conn[1], NULL);
        if (len <= 0 && len != WEIR_EAGAIN)
            return false;
        b->received += len > 0 ? (uint64_t)len : 0;
        if (!post_read(b))
            return false;
    } while (len > 0 && b->received % CHUNK == 0);
    return true;
}

static bool read_all(struct bulk *b)
{
    struct weir *s = b->pair.ends[1].stack;
    ptrdiff_t len;

    if (b->lends)
        return read_lent(b);
    if (b->posts)
        return read_posted(b);
    for (;;) {
        uint32_t at = (uint32_t)(b->received % CHUNK);
        len = weir_recv(s, b->conns.conn[1], b->to + at, CHUNK - at);
        if (len <= 0)
            return len == WEIR_EAGAIN;
        b->received += (uint64_t)len;
    }
}

/* False: the connection broke. */
static bool transfer(struct bulk *b, uint64_t bytes)
{
    uint64_t until = b->received + bytes;

    while (b->received < until) {
        uint64_t before = b->received;
        if (b->sent < until && !write_some(b))
            return false;
        pair_pump(&b->pair);
        if (!read_all(b))
            return false;
        if (b->received == before && !pair_wait(&b->pair))
            return false;
    }
    return true;
}

static bool init(struct bulk *b)
{
    b->from = malloc(CHUNK);
    b->to = malloc(CHUNK);
    if (b->from == NULL || b->to == NULL)
        return false;
    for (size_t i = 0; i < CHUNK; i++)
        b->from[i] = (uint8_t)(i * 7 + i / 256);
    memset(b->to, 0, CHUNK);
    return true;
}

/* Segments, ACKs, and how much of it was sent again, of what was measured. */
static void note_segments(const struct bulk *b, struct bench_report *r,
                          const struct weir_tcp_info *before, double cpu_s)
{
    struct weir_tcp_info sender, receiver;
    double segments, bytes;

    (void)weir_tcp_info(b->pair.ends[0].stack, b->conns.conn[0], &sender);
    (void)weir_tcp_info(b->pair.ends[1].stack, b->conns.conn[1], &receiver);
    bytes = (double)(receiver.bytes_received - before[1].bytes_received);
    segments = bytes / sender.snd_mss;
    bench_note(r, "ns_per_segment", cpu_s * 1e9 / segments);
    bench_note(r, "acks_per_segment", (double)(receiver.segs_out - before[1].segs_out) / segments);
    bench_note(r, "retransmitted_per_segment",
               (double)(sender.retransmits - before[0].retransmits) / segments);
}

static double cost_of(struct bulk *b, uint64_t bytes)
{
    double begin = bench_cpu_s();

    return transfer(b, bytes) ? bench_cpu_s() - begin : -1;
}

static double gbit(uint64_t bytes, double cpu_s)
{
    return (double)bytes * 8 / 1e9 / cpu_s;
}

static void note_null_stacks(struct bench_report *r, const struct bench_options *o, uint64_t bytes,
                             double goodput)
{
    uint32_t headers = o->ipv6 ? 72 : 52;
    struct null_stack_kind one_pass = {.headers = headers, .payload = PAIR_MTU - headers};
    struct null_stack_kind two_passes = one_pass, copies = one_pass;
    double null_gbit;

    two_passes.two_passes = true;
    copies.no_checksum = true;
    null_gbit = gbit(bytes, null_stack_run(&one_pass, bytes, CHUNK));
    bench_note(r, "null_stack_gbit_per_cpu_s", null_gbit);
    bench_note(r, "ratio_to_null_stack", goodput / null_gbit);
    null_gbit = gbit(bytes, null_stack_run(&two_passes, bytes, CHUNK));
    bench_note(r, "ratio_to_null_stack_that_queues", goodput / null_gbit);
    null_gbit = gbit(bytes, null_stack_run(&copies, bytes, CHUNK));
    bench_note(r, "ratio_to_null_stack_without_checksums", goodput / null_gbit);
}

static bool measure(struct bulk *b, const struct bench_options *o, struct bench_report *r)
{
    uint64_t bytes = o->small > 0 ? (uint64_t)o->small << 22 : (uint64_t)1 << 30;
    struct weir_tcp_info before[2];
    double cpu_s;

    b->pair.loss_ppm = o->loss_ppm;
    if (cost_of(b, bytes / 16) < 0) /* opens the window */
        return bench_fail(r, "the connection broke");
    for (size_t i = 0; i < 2; i++)
        (void)weir_tcp_info(b->pair.ends[i].stack, b->conns.conn[i], &before[i]);
    b->pair.frames[0] = 0;
    cpu_s = cost_of(b, bytes);
    if (cpu_s < 0)
        return bench_fail(r, "the connection broke");
    if (!b->lends && memcmp(b->from, b->to, CHUNK) != 0)
        return bench_fail(r, "other bytes arrived than were sent");
    bench_note(r, "goodput_gbit_per_cpu_s", gbit(bytes, cpu_s));
    note_segments(b, r, before, cpu_s);
    bench_note(r, "bytes_per_frame", (double)bytes / (double)b->pair.frames[0]);
    if (!o->alone)
        note_null_stacks(r, o, bytes, gbit(bytes, cpu_s));
    return true;
}

static bool run_once(const struct bench_options *o, struct bench_report *r)
{
    struct pair_setup setup = {.options = o, .csum_offload = o->zerocopy};
    struct bulk b = {.lends = o->zerocopy, .posts = !o->zerocopy && !o->plain_read};
    bool done;

    if (!pair_open(&b.pair, &setup, r))
        return false;
    done = init(&b) && pair_connect(&b.pair, &b.conns, r) && (!b.posts || post_read(&b))
           && measure(&b, o, r);
    pair_close(&b.pair);
    free(b.from);
    free(b.to);
    return done;
}

/* Beside a lossy line, the same without loss. */
static bool run(const struct bench_options *options, struct bench_report *report)
{
    struct bench_options lossless = *options;
    struct bench_report other = {0};

    if (!run_once(options, report))
        return false;
    if (options->loss_ppm == 0 || options->alone)
        return true;
    lossless.loss_ppm = 0;
    if (!run_once(&lossless, &other))
        return bench_fail(report, "%s", other.why);
    /* The first number is the goodput. */
    bench_note(report, "ratio_to_lossless_cost", other.numbers[0].value / report->numbers[0].value);
    return true;
}

extern const struct bench bench_bulk;
const struct bench bench_bulk = {
    .name = "bulk",
    .summary = "one connection sends 1 GiB between two stacks in one thread",
    .options = "--plain-read --gso --zerocopy --ipv6 --loss --ack-every",
    .run = run,
};
