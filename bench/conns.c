/*
 * conns.c - connections opened and closed
 *
 * Each is opened, carries a byte there and one back, and is closed in four steps, the client
 * first. So many are under way at a time; TIME-WAIT records gather at the client, as they do
 * at a proxy, and a population of them may be there before measuring begins.
 */
#include "bench/bench.h"
#include "bench/pair.h"

enum {
    PORTS = 64, /* listeners: more four-tuples than ports */
    FIRST_PORT = 100,
    IDLE_ROUNDS = 1000000,
};

struct conns {
    struct pair pair;
    uint64_t opened, completed; /* a connection is complete when both ends have closed */
    uint64_t failed;
    uint64_t under_way;
};

static void open_one(struct conns *c)
{
    struct weir_endpoint to =
        pair_endpoint(&c->pair, 1, (uint16_t)(FIRST_PORT + c->opened % PORTS));
    weir_conn_t conn;

    if (weir_connect(c->pair.ends[0].stack, NULL, &to, &conn) != WEIR_OK)
        c->failed++;
    else
        c->under_way++;
    c->opened++;
}

static void on_client(struct conns *c, struct weir *s, const struct weir_event *event)
{
    uint8_t byte = 'x';

    if (event->bits & WEIR_EVENT_CONNECTED)
        c->failed += weir_send(s, event->handle, &byte, 1, 0) != 1;
    if ((event->bits & WEIR_EVENT_READABLE) && weir_recv(s, event->handle, &byte, 1) == 1)
        (void)weir_close(s, event->handle);
    if (event->bits & WEIR_EVENT_CLOSED)
        c->failed++;
}

static void accept_all(struct weir *s, weir_listener_t listener)
{
    weir_conn_t conn;

    while (weir_accept(s, listener, &conn) == WEIR_OK)
        continue;
}

static void on_server(struct conns *c, struct weir *s, const struct weir_event *event)
{
    uint8_t byte;

    if (event->bits & WEIR_EVENT_ACCEPTABLE)
        accept_all(s, event->handle);
    if ((event->bits & WEIR_EVENT_READABLE) && weir_recv(s, event->handle, &byte, 1) == 1)
        c->failed += weir_send(s, event->handle, &byte, 1, 0) != 1;
    if (event->bits & WEIR_EVENT_PEER_CLOSED) {
        (void)weir_close(s, event->handle);
        c->completed++;
        c->under_way--;
    }
    if (event->bits & WEIR_EVENT_CLOSED) /* by a reset: it would never be complete */
        c->failed++;
}

static bool run_events(struct conns *c)
{
    struct weir *client = c->pair.ends[0].stack, *server = c->pair.ends[1].stack;
    struct weir_event event;
    bool any = false;

    while (weir_event(client, &event)) {
        on_client(c, client, &event);
        any = true;
    }
    while (weir_event(server, &event)) {
        on_server(c, server, &event);
        any = true;
    }
    return any;
}

static bool run_count(struct conns *c, uint64_t count, uint32_t at_a_time)
{
    uint64_t until = c->completed + count, open_until = c->opened + count;
    uint64_t idle = 0;

    while (c->completed < until && c->failed == 0 && idle < IDLE_ROUNDS) {
        bool any = false;
        while (c->under_way < at_a_time && c->opened < open_until)
            open_one(c);
        any = pair_round(&c->pair) > 0;
        any = run_events(c) || any;
        idle = any ? 0 : idle + 1;
        if (!any) /* something was lost where a queue was full, and is sent again */
            (void)pair_wait(&c->pair);
    }
    (void)pair_pump(&c->pair);
    return c->completed == until && c->failed == 0;
}

static bool listen_all(struct conns *c, uint32_t backlog)
{
    for (uint16_t i = 0; i < PORTS; i++) {
        struct weir_endpoint at = pair_endpoint(&c->pair, 1, (uint16_t)(FIRST_PORT + i));
        weir_listener_t listener;
        if (weir_listen(c->pair.ends[1].stack, &at, backlog, &listener) != WEIR_OK)
            return false;
    }
    return true;
}

static bool measure(struct conns *c, const struct bench_options *o, struct bench_report *r)
{
    uint32_t at_a_time = o->at_a_time == 0 ? 1 : o->at_a_time;
    uint64_t there = o->small > 0 && o->population > 0 ? 1000 : o->population;
    uint64_t count = o->small > 0 ? (uint64_t)o->small * 1000 + at_a_time : 1000000;
    struct weir_stats stats;
    double begin, cpu_s;

    if (!listen_all(c, at_a_time))
        return bench_fail(r, "the listeners cannot be opened");
    if (!run_count(c, there + count / 20, 64))
        return bench_fail(r, "a connection failed");
    c->pair.frames[0] = c->pair.frames[1] = 0;
    begin = bench_cpu_s();
    if (!run_count(c, count, at_a_time))
        return bench_fail(r, "a connection failed");
    cpu_s = bench_cpu_s() - begin;
    weir_stats(c->pair.ends[0].stack, &stats);
    bench_note(r, "connections_per_cpu_s", (double)count / cpu_s);
    bench_note(r, "ns_per_connection", cpu_s * 1e9 / (double)count);
    bench_note(r, "frames_per_connection",
               (double)(c->pair.frames[0] + c->pair.frames[1]) / (double)count);
    bench_note(r, "timewaits", stats.timewaits);
    return true;
}

static bool run(const struct bench_options *options, struct bench_report *report)
{
    struct pair_setup setup = {
        .options = options,
        .timewaits = options->population > 0 ? (uint32_t)options->population : 0,
        .syn_queue = options->at_a_time + 1024,
        .orphans = options->at_a_time + 1024, /* all of them may be closed at once */
    };
    struct conns c = {0};
    bool done;

    if (!pair_open(&c.pair, &setup, report))
        return false;
    done = measure(&c, options, report);
    pair_close(&c.pair);
    return done;
}

extern const struct bench bench_conns;
const struct bench bench_conns = {
    .name = "conns",
    .summary = "connections opened and closed, a byte each way",
    .options = "--ipv6 --at-a-time --population",
    .run = run,
};
