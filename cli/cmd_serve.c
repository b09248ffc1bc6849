/*
 * cmd_serve.c - weir serve DIR: an HTTP server for the files of a folder
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/http.h"
#include "cli/json.h"
#include "cli/net_options.h"
#include "cli/progress.h"
#include "cli/resolve.h"
#include "cli/say.h"
#include "cli/session.h"

extern const struct command cmd_serve;

struct serving {
    struct net_options options;
    struct session session;
    struct http_config config;
    struct http *server;
    struct progress progress;
};

/* ---- options ---- */

static const char *take_port(void *target, const char *value)
{
    struct serving *sv = target;

    return resolve_port(value, &sv->config.local.port) == 0
               ? NULL
               : "a port from 1 to 65535 or a service's name";
}

static const char *take_idle(void *target, const char *value)
{
    struct serving *sv = target;
    unsigned long long number;

    if (options_number(value, 1, 86400, &number) != 0)
        return "a number of seconds from 1 to 86400";
    sv->config.idle_s = (unsigned)number;
    return NULL;
}

static const char *take_connections(void *target, const char *value)
{
    struct serving *sv = target;
    unsigned long long number;

    if (options_number(value, 1, 10000000, &number) != 0)
        return "a number from 1 to 10000000";
    sv->config.connections_max = (uint32_t)number;
    return NULL;
}

static const struct option_spec specs[] = {
    {"port", 'P', "PORT", "listen on this port (default: 80)", take_port},
    {"idle", 0, "SECONDS", "close a connection that does nothing for so long (default: 60)",
     take_idle},
    {"connections", 0, "N", "at most so many at once (default: 10000)", take_connections},
    {0},
};

/* ---- the log ---- */

static void log_json(const struct http_log *log, const char *remote, const char *line)
{
    struct json j;

    json_begin(&j, stdout, "request");
    json_number(&j, "time", (int64_t)time(NULL));
    json_text(&j, "remote", remote);
    json_text(&j, "request", line);
    json_number(&j, "status", log->status);
    json_unsigned(&j, "bytes", log->bytes);
    json_bool(&j, "complete", log->is_complete);
    json_end(&j);
}

/* The line comes from the client: what would trouble a terminal is not printed. */
static void print_log(const struct http_log *log, const char *remote, char *line)
{
    struct tm parts = {0};
    time_t now = time(NULL);
    char when[32] = "";

    for (char *letter = line; *letter != 0; letter++)
        if ((unsigned char)*letter < ' ' || (unsigned char)*letter > '~' || *letter == '"')
            *letter = '?';
    (void)localtime_r(&now, &parts);
    (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &parts);
    printf("%s %s \"%s\" %d %" PRIu64 "%s\n", when, remote, line, log->status, log->bytes,
           log->is_complete ? "" : " broken off");
}

static void on_log(void *ctx, const struct http_log *log)
{
    struct serving *sv = ctx;
    char remote[WEIR_ADDR_TEXT], line[512];

    if (sv->options.quiet)
        return;
    (void)weir_endpoint_text(&log->remote, remote);
    (void)snprintf(line, sizeof line, "%.*s", (int)log->line.len,
                   log->line.len > 0 ? log->line.bytes : "");
    if (sv->options.json)
        log_json(log, remote, line);
    else
        print_log(log, remote, line);
    if (!say_flush()) /* nobody reads it any more: it is said at the end */
        session_stop(&sv->session);
}

/* ---- running ---- */

static void on_event(void *ctx, struct weir *s, const struct weir_event *event)
{
    struct serving *sv = ctx;

    (void)s;
    http_on_event(sv->server, event);
}

static void on_second(void *ctx, weir_ns_t now)
{
    struct serving *sv = ctx;

    http_tick(sv->server);
    session_set_timer(&sv->session, SESSION_TIMER_COMMAND, now + WEIR_S, on_second, sv);
}

static void say_where(const struct serving *sv, const char *folder)
{
    const struct net_addresses *own = &sv->session.own;
    char text[WEIR_ADDR_TEXT], port[16] = "";

    if (sv->config.local.port != 80)
        (void)snprintf(port, sizeof port, ":%u", sv->config.local.port);
    for (size_t i = 0; i < own->count && !sv->options.quiet && !sv->options.json; i++) {
        bool is_v4 = weir_addr_is_v4(&own->of[i].addr);
        say("serving %s at http://%s%s%s%s/ (%s)", folder, is_v4 ? "" : "[",
            weir_addr_text(&own->of[i].addr, text), is_v4 ? "" : "]", port, sv->session.device);
    }
}

static void say_totals(const struct serving *sv)
{
    const struct http_totals *totals = http_totals(sv->server);
    char text[PROGRESS_BYTES_TEXT];
    struct json j;

    if (sv->options.json) {
        json_begin(&j, stdout, "summary");
        json_unsigned(&j, "requests", totals->requests);
        json_unsigned(&j, "connections", totals->connections);
        json_unsigned(&j, "received_bytes", totals->received_bytes);
        json_unsigned(&j, "sent_bytes", totals->sent_bytes);
        json_end(&j);
    } else if (!sv->options.quiet) {
        say("answered %" PRIu64 " requests on %" PRIu64 " connections, sent %s", totals->requests,
            totals->connections, progress_bytes_text((double)totals->sent_bytes, text));
    }
}

/* Runs an open session. */
static int run_server(struct serving *sv, const char *folder)
{
    const struct http_totals *totals;
    int code, err;

    sv->config.on_log = on_log;
    sv->config.ctx = sv;
    session_wait_for_addresses(&sv->session);
    err = http_open(&sv->config, sv->session.stack, &sv->server);
    if (err != 0)
        return say_failed("cannot listen on port %u: %s", sv->config.local.port,
                          weir_err_text(err));
    totals = http_totals(sv->server);
    weir_host_set_events(sv->session.host, on_event, sv);
    on_second(sv, weir_host_now());
    say_where(sv, folder);
    progress_start(&sv->progress, &sv->session, &totals->received_bytes, &totals->sent_bytes,
                   !sv->options.quiet && !sv->options.json && !sv->options.trace
                       && !isatty(STDOUT_FILENO));
    code = session_run(&sv->session);
    progress_stop(&sv->progress);
    say_totals(sv);
    http_close(&sv->server);
    return code;
}

/* A file is open while it is sent; everybody may have as many as the machine allows. */
static void allow_many_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int run_folder(struct serving *sv, const char *folder)
{
    int code;

    sv->config.root_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (sv->config.root_fd < 0)
        return say_failed("cannot serve %s: %s", folder, strerror(errno));
    allow_many_files();
    code = session_open(&sv->session, &sv->options);
    if (code == EXIT_OK)
        code = session_close(&sv->session, run_server(sv, folder));
    close(sv->config.root_fd);
    return code;
}

static int run(int argc, char **argv)
{
    struct serving *sv = calloc(1, sizeof *sv);
    const struct option_table tables[] = {{specs, sv}, {net_option_specs, sv}, {NULL, NULL}};
    int first, code;

    _Static_assert(offsetof(struct serving, options) == 0, "the options are a table's target");
    if (sv == NULL)
        return say_failed("there is no memory");
    sv->config.local.port = 80;
    sv->config.idle_s = 60;
    sv->config.connections_max = 10000;
    first = options_read(&cmd_serve, tables, argc, argv);
    code = first < 0 ? options_exit(first) : net_options_check("serve", &sv->options);
    if (first >= 0 && code == EXIT_OK)
        code = run_folder(sv, argv[first]);
    free(sv);
    return code;
}

const struct command cmd_serve = {
    .name = "serve",
    .operands = "DIR",
    .summary = "serve the files of a folder by HTTP",
    .text = "Answers HTTP/1.1 requests for the files of DIR: persistent connections, ranges,\n"
            "conditional requests, and a page that lists a folder without an index.html. Nothing\n"
            "outside DIR is served. Prints a line for each request.",
    .options = (const struct option_spec *const[]){specs, net_option_specs, NULL},
    .run = run,
};
