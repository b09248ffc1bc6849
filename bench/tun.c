/*
 * tun.c - Weir and the kernel over TUN, beside the kernel and itself over veth, and a relay
 *
 * Each measurement is made by two processes in namespaces of their own, on one processor, whose
 * time, with that of the kernel for them, is that of all involved. The client is always the
 * kernel's; the server is Weir over TUN, or the kernel's over veth.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weir/host.h>
#include <weir/tcp.h>

#include "bench/bench.h"
#include "bench/machine.h"
#include "bench/relay.h"

enum {
    CHUNK = 64 * 1024,
};

/* A server over Weir. */
struct server {
    const struct machine_job *job;
    struct weir_host *host;
    weir_conn_t conn;
    uint64_t left; /* to be sent or received */
    bool has_ended;
};

static const char *const weir_address[] = {"198.18.0.2", "fd00::2"};
static const char *const kernel_address[] = {"198.18.0.1", "fd00::1"};

/* ---- Weir's end ---- */

static void send_more(struct server *s, struct weir *stack)
{
    static const char chunk[CHUNK];

    while (s->left > 0) {
        size_t len = s->left < CHUNK ? (size_t)s->left : CHUNK;
        ptrdiff_t sent = weir_send(stack, s->conn, chunk, len, 0);
        if (sent <= 0)
            return;
        s->left -= (uint64_t)sent;
    }
    (void)weir_shutdown(stack, s->conn);
}

static void receive_more(struct server *s, struct weir *stack)
{
    static char chunk[CHUNK];
    ptrdiff_t len;

    while ((len = weir_recv(stack, s->conn, chunk, CHUNK)) > 0) {
        s->left -= s->job->role == MACHINE_SINK ? (uint64_t)len : 0;
        if (s->job->role == MACHINE_ECHO)
            (void)weir_send(stack, s->conn, chunk, (size_t)len, 0);
    }
    if (len == 0)
        (void)weir_shutdown(stack, s->conn);
}

static void on_event(void *ctx, struct weir *stack, const struct weir_event *event)
{
    struct server *s = ctx;

    if ((event->bits & WEIR_EVENT_ACCEPTABLE)
        && weir_accept(stack, event->handle, &s->conn) == WEIR_OK) {
        (void)weir_set(stack, s->conn, WEIR_OPT_NODELAY, 1);
        if (s->job->role == MACHINE_SOURCE)
            send_more(s, stack);
    }
    if ((event->bits & WEIR_EVENT_WRITABLE) && s->job->role == MACHINE_SOURCE)
        send_more(s, stack);
    if (event->bits & WEIR_EVENT_READABLE)
        receive_more(s, stack);
    if (event->bits & WEIR_EVENT_CLOSED) {
        s->has_ended = true;
        weir_host_stop(s->host);
    }
}

static bool open_tun(struct server *s, bool offloads)
{
    struct weir_device_options options = {.name = "weir0", .offloads = offloads};
    struct weir_prefix kernel, own;
    struct weir_device_setup setup = {.addrs = &kernel, .addr_count = 1};
    struct weir_endpoint at = {.port = MACHINE_PORT};
    struct weir_driver *tun = weir_tun_open(&options, NULL);
    struct weir_config config;
    weir_netif_t netif;
    weir_listener_t listener;
    bool v6 = s->job->ipv6;

    (void)weir_addr_parse(kernel_address[v6], &kernel.addr);
    (void)weir_addr_parse(weir_address[v6], &own.addr);
    kernel.len = own.len = v6 ? 64 : 96 + 24;
    weir_host_config(&config);
    config.tcp.send_buffer_bytes = config.tcp.recv_buffer_bytes = 4 << 20;
    return tun != NULL && weir_host_create(&config, &s->host) == WEIR_OK
           && weir_device_configure(tun->name, &setup, NULL) == WEIR_OK
           && weir_host_attach(s->host, &tun, &netif) == WEIR_OK
           && weir_addr_add(weir_host_stack(s->host), netif, &own) == WEIR_OK
           && weir_listen(weir_host_stack(s->host), &at, 1, &listener) == WEIR_OK;
}

static void weir_server(const struct machine_job *job, bool offloads, int ready,
                        struct machine_result *result)
{
    struct server s = {.job = job, .left = job->bytes};

    if (!open_tun(&s, offloads))
        return;
    (void)!write(ready, "", 1);
    weir_host_set_events(s.host, on_event, &s);
    result->done = weir_host_run(s.host) == WEIR_OK && s.has_ended && s.left == 0;
    result->cpu_s = machine_cpu_s();
    weir_host_destroy(&s.host);
}

/* ---- two processes ---- */

enum setting {
    OVER_TUN,
    OVER_PLAIN_TUN,
    OVER_VETH,
    OVER_RELAY,
};

/* Reports to the process that waits, and ends. */
static _Noreturn void report(int to, const struct machine_result *result)
{
    _exit(write(to, result, sizeof *result) == (ssize_t)sizeof *result ? 0 : 1);
}

static _Noreturn void be_client(const struct machine_job *job, const char *address, int ready,
                                int to)
{
    struct machine_result result = {0};
    char go;

    if (read(ready, &go, 1) == 1)
        machine_client(job, address, &result);
    report(to, &result);
}

/* The client has a namespace of its own, to which the other end of the cable goes. */
static bool lay_cable(const struct machine_job *job, pid_t client)
{
    bool v6 = job->ipv6;
    const char *nodad = v6 ? " nodad" : "";
    int bits = v6 ? 64 : 24;

    return machine_run("ip link add v0 type veth peer name v1 netns %d", (int)client)
           && machine_run("ip addr add %s/%d dev v0%s && ip link set v0 up", weir_address[v6], bits,
                          nodad)
           && machine_run(
               "nsenter -t %d -n sh -c 'ip addr add %s/%d dev v1%s && ip link set v1 up'",
               (int)client, kernel_address[v6], bits, nodad);
}

static _Noreturn void be_veth_client(const struct machine_job *job, int ready, int to, int entered)
{
    bool fine = machine_enter();

    (void)!write(entered, fine ? "y" : "n", 1);
    be_client(job, weir_address[job->ipv6], ready, to);
}

/* In a process of its own: the server, and the client as its child. */
static _Noreturn void be_server(const struct machine_job *job, enum setting setting, int to)
{
    struct machine_result client = {0}, server = {0};
    int ready[2], from_client[2], entered[2];
    char fine = 'y';
    pid_t pid;

    if (!machine_enter() || pipe(ready) != 0 || pipe(from_client) != 0 || pipe(entered) != 0)
        report(to, &server);
    pid = fork();
    if (pid == 0)
        (void)close(ready[1]); /* so that the end of a server that fails is seen */
    if (pid == 0 && setting == OVER_VETH)
        be_veth_client(job, ready[0], from_client[1], entered[1]);
    if (pid == 0)
        be_client(job, weir_address[job->ipv6], ready[0], from_client[1]);
    if (setting != OVER_VETH) {
        weir_server(job, setting == OVER_TUN, ready[1], &server);
    } else if (read(entered[0], &fine, 1) == 1 && fine == 'y' && lay_cable(job, pid)) {
        (void)!write(ready[1], "", 1);
        machine_server(job, &server);
    }
    (void)close(ready[1]);
    if (read(from_client[0], &client, sizeof client) != (ssize_t)sizeof client)
        client.done = false;
    (void)waitpid(pid, NULL, 0);
    server.done = server.done && client.done;
    server.cpu_s += client.cpu_s;
    server.p50_us = client.p50_us;
    server.p99_us = client.p99_us;
    report(to, &server);
}

static bool measure(const struct machine_job *job, enum setting setting,
                    struct machine_result *result)
{
    int from_server[2];
    pid_t pid;

    *result = (struct machine_result){0};
    if (pipe(from_server) != 0)
        return false;
    pid = fork();
    if (pid == 0 && setting == OVER_RELAY) {
        relay_measure(job, result);
        report(from_server[1], result);
    }
    if (pid == 0)
        be_server(job, setting, from_server[1]);
    (void)close(from_server[1]);
    if (read(from_server[0], result, sizeof *result) != (ssize_t)sizeof *result)
        result->done = false;
    (void)close(from_server[0]);
    (void)waitpid(pid, NULL, 0);
    return result->done;
}

static bool cannot(struct bench_report *report)
{
    report->cannot = true;
    return bench_fail(report, "it needs root, or namespaces and /dev/net/tun open to users");
}

/* A packet a system call, and beside it a process that only carries packets. */
static bool measure_plain(struct machine_job *job, struct bench_report *report)
{
    double gbit, relay;
    struct machine_result result;

    job->bytes /= 4;
    gbit = (double)job->bytes * 8 / 1e9;
    job->role = MACHINE_SINK;
    if (!measure(job, OVER_RELAY, &result))
        return cannot(report);
    relay = gbit / result.cpu_s;
    bench_note(report, "plain_relay_gbit_per_cpu_s", relay);
    if (!measure(job, OVER_PLAIN_TUN, &result))
        return cannot(report);
    bench_note(report, "plain_in_gbit_per_cpu_s", gbit / result.cpu_s);
    bench_note(report, "plain_in_ratio_to_relay", gbit / result.cpu_s / relay);
    job->role = MACHINE_SOURCE;
    if (!measure(job, OVER_PLAIN_TUN, &result))
        return cannot(report);
    bench_note(report, "plain_out_gbit_per_cpu_s", gbit / result.cpu_s);
    bench_note(report, "plain_out_ratio_to_relay", gbit / result.cpu_s / relay);
    return true;
}

static bool run_tun(const struct bench_options *options, struct bench_report *report)
{
    struct machine_job job = {
        .ipv6 = options->ipv6,
        .bytes = options->small ? (uint64_t)4 << 20 : (uint64_t)2 << 30,
    };
    double gbit = (double)job.bytes * 8 / 1e9, in, out, veth;
    struct machine_result result;

    if (!measure(&job, OVER_VETH, &result))
        return cannot(report);
    veth = gbit / result.cpu_s;
    if (!measure(&job, OVER_TUN, &result))
        return cannot(report);
    in = gbit / result.cpu_s;
    job.role = MACHINE_SOURCE;
    if (!measure(&job, OVER_TUN, &result))
        return cannot(report);
    out = gbit / result.cpu_s;
    bench_note(report, "kernel_gbit_per_cpu_s", veth);
    bench_note(report, "in_gbit_per_cpu_s", in);
    bench_note(report, "in_ratio_to_kernel", in / veth);
    bench_note(report, "out_gbit_per_cpu_s", out);
    bench_note(report, "out_ratio_to_kernel", out / veth);
    return measure_plain(&job, report);
}

static bool run_rr(const struct bench_options *options, struct bench_report *report)
{
    struct machine_job job = {
        .role = MACHINE_ECHO, .ipv6 = options->ipv6, .rounds = options->small ? 200 : 50000};
    struct machine_result tun, veth;

    if (!measure(&job, OVER_VETH, &veth) || !measure(&job, OVER_TUN, &tun))
        return cannot(report);
    bench_note(report, "kernel_p50_us", veth.p50_us);
    bench_note(report, "kernel_p99_us", veth.p99_us);
    bench_note(report, "p50_us", tun.p50_us);
    bench_note(report, "p99_us", tun.p99_us);
    bench_note(report, "ratio_to_kernel_p50", tun.p50_us / veth.p50_us);
    bench_note(report, "ratio_to_kernel_p99", tun.p99_us / veth.p99_us);
    return true;
}

extern const struct bench bench_tun, bench_rr_tun;
const struct bench bench_tun = {
    .name = "tun",
    .summary = "kernel to Weir and back over TUN, beside kernel to kernel over veth",
    .options = "--ipv6",
    .run = run_tun,
};
const struct bench bench_rr_tun = {
    .name = "rr-tun",
    .summary = "one-byte requests of the kernel to Weir over TUN, beside veth",
    .options = "--ipv6",
    .run = run_rr,
};
