/*
 * pair.c - two stacks back to back in one thread
 */
#include "bench/pair.h"

#include <stdlib.h>
#include <string.h>
#include <weir/host.h>

enum {
    DEPTH = 1024, /* frames under way in a direction */
    PORT = 7,
};

#define TICK_NS 20000

/* ---- memory that is counted ---- */

static void *take(void *ctx, size_t size, size_t align)
{
    uint64_t *bytes = ctx;
    void *memory = NULL;

    if (posix_memalign(&memory, align < sizeof(void *) ? sizeof(void *) : align, size) != 0)
        return NULL;
    *bytes += size;
    return memory;
}

static void give_back(void *ctx, void *memory, size_t size)
{
    uint64_t *bytes = ctx;

    *bytes -= size;
    free(memory);
}

/* ---- the two ends ---- */

static struct weir_addr addr_of(bool ipv6, size_t i)
{
    struct weir_addr addr = {{0xfd, 0, 0, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (uint8_t)(i + 1)}};

    return ipv6 ? addr : weir_addr_v4(198, 18, 0, (uint8_t)(i + 1));
}

static void configure(struct weir_config *config, const struct pair_setup *setup,
                      struct pair_end *end, size_t i)
{
    weir_host_config(config);
    if (setup->options->portable)
        config->cpu_features = 0;
    config->allocator = (struct weir_allocator){take, give_back, &end->memory_bytes};
    memset(config->secret, (int)(i + 1), sizeof config->secret);
    config->tcp.port_first = 1024;
    config->tcp.port_last = 65535;
    if (setup->timewaits != 0)
        config->timewaits = setup->timewaits;
    if (setup->syn_queue != 0)
        config->syn_queue = setup->syn_queue;
    if (setup->orphans != 0)
        config->tcp.orphans = setup->orphans;
    if (setup->buffers != 0)
        config->tcp.send_buffer_bytes = config->tcp.recv_buffer_bytes = setup->buffers;
}

static void done(void *ctx, struct weir_frame **frames, size_t count)
{
    weir_output_done(ctx, frames, count);
}

static bool end_open(struct pair *p, size_t i, const struct pair_setup *setup)
{
    struct pair_end *end = &p->ends[i];
    bool ipv6 = setup->options->ipv6;
    struct weir_prefix prefix = {addr_of(ipv6, i), ipv6 ? 64 : 96 + 15};
    struct weir_config config;

    configure(&config, setup, end, i);
    if (weir_create(&config, p->now, &end->stack) != WEIR_OK)
        return false;
    end->addr = prefix.addr;
    end->driver->done = done;
    end->driver->done_ctx = end->stack;
    return weir_netif_add(end->stack, &end->driver->netif, &end->netif) == WEIR_OK
           && weir_addr_add(end->stack, end->netif, &prefix) == WEIR_OK;
}

bool pair_open(struct pair *p, const struct pair_setup *setup, struct bench_report *report)
{
    const struct bench_options *o = setup->options;
    struct weir_netif_config netif = {.name = "memory", .link = WEIR_LINK_IP, .mtu = PAIR_MTU};
    struct weir_driver *ends[2];

    if (o->gso)
        netif.offloads = WEIR_OFFLOAD_CSUM | WEIR_OFFLOAD_TSO4 | WEIR_OFFLOAD_TSO6;
    if (setup->csum_offload)
        netif.offloads |= WEIR_OFFLOAD_CSUM;
    *p = (struct pair){.now = 1, .batch = PAIR_BATCH, .random = 1};
    if (o->ack_every != 0)
        p->batch = o->ack_every < PAIR_BATCH ? o->ack_every : PAIR_BATCH;
    if (weir_memory_open(ends, &netif, DEPTH) != WEIR_OK)
        return bench_fail(report, "there is no memory for two drivers");
    p->ends[0].driver = ends[0];
    p->ends[1].driver = ends[1];
    if (end_open(p, 0, setup) && end_open(p, 1, setup))
        return true;
    pair_close(p);
    return bench_fail(report, "the stacks could not be made");
}

void pair_close(struct pair *p)
{
    for (size_t i = 0; i < 2; i++)
        p->ends[i].driver->ops->close(&p->ends[i].driver);
    for (size_t i = 0; i < 2; i++)
        weir_destroy(&p->ends[i].stack);
}

/* ---- frames across ---- */

/* Xorshift: good enough to lose frames. */
static uint32_t next_random(struct pair *p)
{
    p->random ^= p->random << 13;
    p->random ^= p->random >> 7;
    p->random ^= p->random << 17;
    return (uint32_t)(p->random >> 32);
}

/* Takes frames out of the batch as a bad line would; returns how many are left. */
static size_t lose(struct pair *p, struct weir_frame **frames, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (next_random(p) % 1000000 < p->loss_ppm) {
            weir_output_done(p->ends[0].stack, &frames[i], 1);
            p->lost++;
        } else {
            frames[kept++] = frames[i];
        }
    }
    return kept;
}

static uint64_t send_batch(struct pair *p, size_t i)
{
    struct weir_frame *frames[PAIR_BATCH];
    struct pair_end *end = &p->ends[i];
    size_t count = weir_output(end->stack, end->netif, frames, p->batch), left = count;

    p->frames[i] += count;
    if (p->loss_ppm != 0 && i == 0)
        left = lose(p, frames, count);
    if (left > 0)
        (void)end->driver->ops->transmit(end->driver, frames, left);
    return count;
}

static void receive_batch(struct pair *p, size_t i)
{
    struct weir_frame frames[PAIR_BATCH];
    struct pair_end *end = &p->ends[i];
    ptrdiff_t count = end->driver->ops->receive(end->driver, frames, PAIR_BATCH);

    if (count > 0)
        weir_input(end->stack, end->netif, frames, (size_t)count);
}

void pair_advance(struct pair *p, weir_ns_t ns)
{
    p->now += ns;
    weir_advance(p->ends[0].stack, p->now);
    weir_advance(p->ends[1].stack, p->now);
}

void pair_deliver(struct pair *p, size_t from)
{
    struct pair_end *to = &p->ends[1 - from];

    p->now += TICK_NS;
    (void)send_batch(p, from);
    weir_advance(to->stack, p->now);
    receive_batch(p, 1 - from);
}

uint64_t pair_round(struct pair *p)
{
    uint64_t frames = send_batch(p, 0);

    receive_batch(p, 1);
    frames += send_batch(p, 1);
    receive_batch(p, 0);
    pair_advance(p, TICK_NS);
    return frames;
}

uint64_t pair_pump(struct pair *p)
{
    uint64_t frames = 0, now;

    while ((now = pair_round(p)) > 0)
        frames += now;
    return frames;
}

bool pair_wait(struct pair *p)
{
    weir_ns_t a = weir_deadline(p->ends[0].stack), b = weir_deadline(p->ends[1].stack);
    weir_ns_t at = a < b ? a : b;

    if (at == WEIR_NEVER)
        return false;
    pair_advance(p, at > p->now ? at - p->now : 0);
    return true;
}

struct weir_endpoint pair_endpoint(const struct pair *p, size_t end, uint16_t port)
{
    return (struct weir_endpoint){.addr = p->ends[end].addr, .port = port};
}

bool pair_connect(struct pair *p, struct pair_conns *conns, struct bench_report *report)
{
    struct weir_endpoint at = pair_endpoint(p, 1, PORT);
    weir_listener_t listener;

    if (weir_listen(p->ends[1].stack, &at, 1, &listener) != WEIR_OK
        || weir_connect(p->ends[0].stack, NULL, &at, &conns->conn[0]) != WEIR_OK)
        return bench_fail(report, "the connection cannot be opened");
    pair_pump(p);
    if (weir_accept(p->ends[1].stack, listener, &conns->conn[1]) != WEIR_OK)
        return bench_fail(report, "the connection was not established");
    (void)weir_close(p->ends[1].stack, listener);
    return true;
}
