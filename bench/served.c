/*
 * served.c - one stack that serves clients made by hand
 */
#include "bench/served.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <weir/host.h>

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
    *(uint64_t *)ctx -= size;
    free(memory);
}

bool served_open(struct served *s, uint32_t backlog, struct bench_report *report)
{
    struct weir_netif_config netif = {.name = "crafted", .link = WEIR_LINK_IP, .mtu = 1500};
    struct weir_prefix prefix = {crafted_server(), 96 + 15};
    struct weir_endpoint at = {.addr = crafted_server(), .port = CRAFTED_PORT};
    struct weir_config config;

    memset(s, 0, sizeof *s);
    weir_host_config(&config);
    config.allocator = (struct weir_allocator){take, give_back, &s->memory_bytes};
    memset(config.secret, 1, sizeof config.secret);
    if (backlog != 0)
        config.syn_queue = backlog;
    s->now = WEIR_S;
    if (weir_create(&config, s->now, &s->stack) != WEIR_OK)
        return bench_fail(report, "the stack could not be made");
    if (weir_netif_add(s->stack, &netif, &s->netif) == WEIR_OK
        && weir_addr_add(s->stack, s->netif, &prefix) == WEIR_OK
        && weir_listen(s->stack, &at, backlog == 0 ? 1024 : backlog, &s->listener) == WEIR_OK)
        return true;
    served_close(s);
    return bench_fail(report, "the stack cannot listen");
}

void served_close(struct served *s)
{
    weir_destroy(&s->stack);
}

void served_add(struct served *s, const struct crafted_segment *segment)
{
    crafted_make(segment, s->bytes[s->count], &s->frames[s->count]);
    s->count++;
}

/* Others who had the processor meanwhile, and pages that the kernel had to find. */
static long disturbances_so_far(void)
{
    struct rusage usage = {0};

    (void)getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nivcsw + usage.ru_minflt;
}

static void note_time(struct served *s, double begin)
{
    double took_s = bench_cpu_s() - begin;
    long disturbances = disturbances_so_far();

    s->stack_s += took_s;
    if (took_s > s->longest_s)
        s->longest_s = took_s;
    if (took_s > s->longest_undisturbed_s && disturbances == s->disturbances)
        s->longest_undisturbed_s = took_s;
    s->disturbances = disturbances;
    if (s->counted < s->steps && took_s < s->least_s[s->counted])
        s->least_s[s->counted] = took_s;
    s->counted++;
}

static void on_event(struct served *s, const struct weir_event *event)
{
    uint8_t bytes[16];
    weir_conn_t conn;
    ptrdiff_t len;

    if (event->bits & WEIR_EVENT_ACCEPTABLE)
        while (weir_accept(s->stack, s->listener, &conn) == WEIR_OK)
            continue;
    if (event->bits & WEIR_EVENT_READABLE) {
        len = weir_recv(s->stack, event->handle, bytes, sizeof bytes);
        if (len > 0)
            (void)weir_send(s->stack, event->handle, bytes, (size_t)len, 0);
    }
}

void served_input(struct served *s)
{
    double begin = bench_cpu_s();
    struct weir_event event;

    weir_input(s->stack, s->netif, s->frames, s->count);
    s->count = 0;
    while (weir_event(s->stack, &event))
        on_event(s, &event);
    note_time(s, begin);
}

void served_output(struct served *s, served_on_answer on_answer, void *ctx)
{
    struct weir_frame *frames[SERVED_BATCH];
    struct crafted_answer answer;
    size_t count;

    do {
        double begin = bench_cpu_s();
        count = weir_output(s->stack, s->netif, frames, SERVED_BATCH);
        note_time(s, begin);
        for (size_t i = 0; i < count; i++)
            if (on_answer != NULL && crafted_read(frames[i], &answer))
                on_answer(ctx, &answer);
        weir_output_done(s->stack, frames, count);
    } while (count == SERVED_BATCH);
}

void served_advance(struct served *s, weir_ns_t ns)
{
    double begin = bench_cpu_s();

    s->now += ns;
    weir_advance(s->stack, s->now);
    note_time(s, begin);
}
