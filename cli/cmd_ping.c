/*
 * cmd_ping.c - weir ping HOST: ask for echoes, and measure how long they take
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/udp.h>

#include "cli/command.h"
#include "cli/json.h"
#include "cli/net_options.h"
#include "cli/resolve.h"
#include "cli/say.h"
#include "cli/session.h"

extern const struct command cmd_ping;

enum {
    SEQUENCES = 65536,
    SIZE_DEFAULT = 56,
    SIZE_MAX_BYTES = 65507, /* an IPv4 packet's 65535 less both headers */
    ICMP_HEADER = 8,
};

struct pinging {
    struct net_options options;
    struct session session;
    const char *host;
    struct weir_addr addr;
    char addr_text[WEIR_ADDR_TEXT];
    weir_ping_t ping;
    uint64_t count; /* 0: until a signal */
    weir_ns_t interval_ns, wait_ns;
    size_t size;
    uint64_t sent, received, duplicates, errors;
    double min_ms, max_ms, sum_ms, sum_squares_ms;
    weir_ns_t first_at, last_at;
    struct {
        weir_ns_t sent_at;
        bool answered;
    } requests[SEQUENCES]; /* by sequence number; the last of each is remembered */
    uint8_t payload[SIZE_MAX_BYTES];
};

/* ---- options ---- */

static const char *take_count(void *target, const char *value)
{
    struct pinging *p = target;
    unsigned long long number;

    if (options_number(value, 1, INT64_MAX, &number) != 0)
        return "a number, at least 1";
    p->count = number;
    return NULL;
}

static const char *take_interval(void *target, const char *value)
{
    struct pinging *p = target;
    long long ns;

    if (options_seconds(value, &ns) != 0 || ns < WEIR_MS)
        return "a number of seconds, at least 0.001";
    p->interval_ns = ns;
    return NULL;
}

static const char *take_wait(void *target, const char *value)
{
    struct pinging *p = target;
    long long ns;

    if (options_seconds(value, &ns) != 0)
        return "a number of seconds";
    p->wait_ns = ns;
    return NULL;
}

static const char *take_size(void *target, const char *value)
{
    struct pinging *p = target;
    unsigned long long number;

    if (options_number(value, 0, SIZE_MAX_BYTES, &number) != 0)
        return "a number from 0 to 65507";
    p->size = (size_t)number;
    return NULL;
}

static const struct option_spec specs[] = {
    {"count", 'c', "N", "send so many requests (default: until interrupted)", take_count},
    {"interval", 'i', "SECONDS", "time between requests (default: 1)", take_interval},
    {"size", 's', "N", "bytes in a request, without headers (default: 56)", take_size},
    {"wait", 'W', "SECONDS", "how long to wait for the last answers (default: 10)", take_wait},
    {0},
};

/* ---- answers ---- */

static void note_time(struct pinging *p, double ms)
{
    if (p->received == 0 || ms < p->min_ms)
        p->min_ms = ms;
    if (p->received == 0 || ms > p->max_ms)
        p->max_ms = ms;
    p->sum_ms += ms;
    p->sum_squares_ms += ms * ms;
}

static void print_reply(struct pinging *p, const struct weir_ping_reply *reply, ptrdiff_t len,
                        bool duplicate)
{
    weir_ns_t took_ns = reply->received_at - p->requests[reply->sequence].sent_at;
    struct json j;

    if (p->options.json) {
        json_begin(&j, stdout, "reply");
        json_text(&j, "from", p->addr_text);
        json_unsigned(&j, "seq", reply->sequence);
        json_number(&j, "bytes", len);
        json_unsigned(&j, "ttl", reply->ttl);
        json_seconds(&j, "time_s", took_ns);
        if (duplicate)
            json_bool(&j, "duplicate", true);
        json_end(&j);
    } else if (!p->options.quiet) {
        printf("%td bytes from %s: icmp_seq=%u ttl=%u time=%.3f ms%s\n", len + ICMP_HEADER,
               p->addr_text, reply->sequence, reply->ttl, (double)took_ns / 1e6,
               duplicate ? " (DUP!)" : "");
    }
}

static void print_error(struct pinging *p, const struct weir_ping_reply *reply)
{
    struct json j;

    if (p->options.json) {
        json_begin(&j, stdout, "error");
        json_text(&j, "to", p->addr_text);
        json_unsigned(&j, "seq", reply->sequence);
        json_text(&j, "error", weir_err_name(reply->error));
        json_end(&j);
    } else if (!p->options.quiet) {
        printf("To %s icmp_seq=%u %s\n", p->addr_text, reply->sequence,
               weir_err_text(reply->error));
    }
}

static void take_reply(struct pinging *p, const struct weir_ping_reply *reply, ptrdiff_t len)
{
    bool duplicate = p->requests[reply->sequence].answered;

    if (reply->error != 0) {
        p->errors++;
        print_error(p, reply);
        return;
    }
    if (p->requests[reply->sequence].sent_at == 0)
        return; /* nothing of the kind was asked */
    print_reply(p, reply, len, duplicate);
    p->requests[reply->sequence].answered = true;
    if (duplicate) {
        p->duplicates++;
        return;
    }
    note_time(p, (double)(reply->received_at - p->requests[reply->sequence].sent_at) / 1e6);
    p->received++;
}

static void on_time(void *ctx, weir_ns_t now);

/*
 * When to go on: to the next request, or after the last one to the end. Once there are
 * answers, twice the longest round trip is enough to wait for the others.
 */
static void arm(struct pinging *p)
{
    weir_ns_t wait_ns = p->interval_ns;

    if (p->sent == p->count) {
        wait_ns = p->wait_ns;
        if (p->received > 0 && (weir_ns_t)(2e6 * p->max_ms) < wait_ns)
            wait_ns = (weir_ns_t)(2e6 * p->max_ms);
    }
    session_set_timer(&p->session, SESSION_TIMER_COMMAND, p->last_at + wait_ns, on_time, p);
}

/* Like everything that is printed while it happens, a reply is to be seen at once. */
static bool flush_output(struct pinging *p)
{
    if (say_flush())
        return true;
    session_stop(&p->session);
    return false;
}

static void on_event(void *ctx, struct weir *s, const struct weir_event *event)
{
    static uint8_t bytes[SIZE_MAX_BYTES];
    struct pinging *p = ctx;
    struct weir_ping_reply reply;
    ptrdiff_t len;

    if (event->handle != p->ping)
        return;
    while ((len = weir_ping_recv(s, p->ping, bytes, sizeof bytes, &reply)) >= 0)
        take_reply(p, &reply, len);
    if (!flush_output(p) || p->count == 0)
        return;
    if (p->received + p->errors >= p->count)
        session_stop(&p->session);
    else if (p->sent == p->count)
        arm(p);
}

/* ---- requests ---- */

/* The first request has number 1. */
static void send_next(struct pinging *p)
{
    uint16_t sequence = (uint16_t)(p->sent + 1);
    ptrdiff_t result;

    p->last_at = weir_host_now();
    p->requests[sequence].sent_at = p->last_at;
    p->requests[sequence].answered = false;
    result = weir_ping_send(p->session.stack, p->ping, sequence, p->payload, p->size);
    if (result < 0 && !p->options.quiet)
        say("request %u cannot be sent: %s", sequence, weir_err_text((int)result));
    p->errors += result < 0;
    p->sent++;
    arm(p);
}

static void on_time(void *ctx, weir_ns_t now)
{
    struct pinging *p = ctx;

    (void)now;
    if (p->count != 0 && p->sent >= p->count)
        session_stop(&p->session);
    else
        send_next(p);
}

/* ---- the summary ---- */

static double lost_percent(const struct pinging *p)
{
    return p->sent == 0 ? 0 : 100.0 * (double)(p->sent - p->received) / (double)p->sent;
}

static double deviation_ms(const struct pinging *p)
{
    double mean = p->sum_ms / (double)p->received;
    double variance = p->sum_squares_ms / (double)p->received - mean * mean;

    return variance > 0 ? sqrt(variance) : 0;
}

static void print_summary_json(const struct pinging *p)
{
    struct json j;

    json_begin(&j, stdout, "summary");
    json_text(&j, "to", p->addr_text);
    json_unsigned(&j, "sent", p->sent);
    json_unsigned(&j, "received", p->received);
    json_unsigned(&j, "duplicates", p->duplicates);
    json_unsigned(&j, "errors", p->errors);
    if (p->received > 0) {
        json_seconds(&j, "min_s", (weir_ns_t)(p->min_ms * 1e6));
        json_seconds(&j, "avg_s", (weir_ns_t)(p->sum_ms / (double)p->received * 1e6));
        json_seconds(&j, "max_s", (weir_ns_t)(p->max_ms * 1e6));
        json_seconds(&j, "mdev_s", (weir_ns_t)(deviation_ms(p) * 1e6));
    }
    json_end(&j);
}

static void print_summary(const struct pinging *p)
{
    printf("\n--- %s ping statistics ---\n%" PRIu64 " packets transmitted, %" PRIu64 " received, ",
           p->host, p->sent, p->received);
    if (p->duplicates > 0)
        printf("+%" PRIu64 " duplicates, ", p->duplicates);
    if (p->errors > 0)
        printf("+%" PRIu64 " errors, ", p->errors);
    printf("%g%% packet loss, time %" PRId64 "ms\n", lost_percent(p),
           (weir_host_now() - p->first_at) / WEIR_MS);
    if (p->received > 0)
        printf("rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", p->min_ms,
               p->sum_ms / (double)p->received, p->max_ms, deviation_ms(p));
}

/* ---- the command ---- */

/* Runs an open session. */
static int run_ping(struct pinging *p)
{
    struct weir_addr addrs[RESOLVE_MAX];
    int code, err;

    session_wait_for_addresses(&p->session);
    if (resolve_host(&p->session, p->host, p->options.family, addrs) < 0)
        return EXIT_FAILED;
    p->addr = addrs[0];
    (void)weir_addr_text(&p->addr, p->addr_text);
    err = weir_ping_open(p->session.stack, &p->addr, &p->ping);
    if (err != 0)
        return say_failed("cannot ping %s: %s", p->addr_text, weir_err_text(err));
    if (!p->options.json)
        printf("PING %s (%s) %zu(%zu) bytes of data.\n", p->host, p->addr_text, p->size,
               p->size + ICMP_HEADER + (weir_addr_is_v4(&p->addr) ? 20u : 40u));
    weir_host_set_events(p->session.host, on_event, p);
    p->first_at = weir_host_now();
    if (flush_output(p))
        send_next(p);
    code = session_run(&p->session);
    if (p->options.json)
        print_summary_json(p);
    else
        print_summary(p);
    return code == EXIT_OK && p->received == 0 ? EXIT_FAILED : code;
}

static int run(int argc, char **argv)
{
    struct pinging *p = calloc(1, sizeof *p);
    const struct option_table tables[] = {
        {specs, p}, {net_family_specs, p}, {net_option_specs, p}, {NULL, NULL}};
    int first, code;

    _Static_assert(offsetof(struct pinging, options) == 0, "the options are a table's target");
    if (p == NULL)
        return say_failed("there is no memory");
    p->interval_ns = WEIR_S;
    p->wait_ns = 10 * WEIR_S;
    p->size = SIZE_DEFAULT;
    for (size_t i = 0; i < sizeof p->payload; i++)
        p->payload[i] = (uint8_t)i;
    first = options_read(&cmd_ping, tables, argc, argv);
    code = first < 0 ? options_exit(first) : net_options_check("ping", &p->options);
    if (first >= 0 && code == EXIT_OK) {
        p->host = argv[first];
        code = session_open(&p->session, &p->options);
        if (code == EXIT_OK)
            code = session_close(&p->session, run_ping(p));
    }
    free(p);
    return code;
}

const struct command cmd_ping = {
    .name = "ping",
    .operands = "HOST",
    .summary = "ask a host for echoes, and time them",
    .text =
        "Sends ICMP echo requests to HOST (an address or a name) and prints the answers, and at the\n"
        "end how many there were and how long they took. Fails if there was no answer at all.",
    .options = (const struct option_spec *const[]){specs, net_family_specs, net_option_specs, NULL},
    .run = run,
};
