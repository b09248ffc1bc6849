/*
 * cmd_connect.c - weir connect HOST PORT: stdin and stdout over a TCP connection
 */
#include <stdio.h>
#include <stdlib.h>
#include <weir/tcp.h>

#include "cli/command.h"
#include "cli/net_options.h"
#include "cli/progress.h"
#include "cli/resolve.h"
#include "cli/say.h"
#include "cli/session.h"
#include "cli/stream.h"

extern const struct command cmd_connect;

/* A name may have several addresses; they are tried one after another. */
struct connecting {
    struct session session;
    struct stream stream;
    struct progress progress;
    const char *host;
    struct weir_addr addrs[RESOLVE_MAX];
    int addr_count;
    int addr_next;
    struct weir_endpoint remote;
    weir_conn_t conn; /* not yet connected; 0: none */
    bool has_connected;
    int error; /* of the last attempt */
};

/* Starts an attempt with the next address, until one can be started. */
static void try_next(struct connecting *c)
{
    c->conn = 0;
    while (c->addr_next < c->addr_count) {
        c->remote.addr = c->addrs[c->addr_next++];
        c->error = weir_connect(c->session.stack, NULL, &c->remote, &c->conn);
        if (c->error == 0)
            return;
    }
    session_stop(&c->session);
}

static void on_connected(struct connecting *c)
{
    const struct net_options *options = c->session.options;
    char text[WEIR_ADDR_TEXT];

    c->has_connected = true;
    if (options->verbose && !options->json)
        say("connected to %s", weir_endpoint_text(&c->remote, text));
    progress_start(&c->progress, &c->session, &c->stream.received_bytes, &c->stream.sent_bytes,
                   !options->quiet && !options->json && !options->trace);
    stream_start(&c->stream, c->conn);
}

/* One event may bring both the beginning and the end. */
static void on_event(void *ctx, struct weir *s, const struct weir_event *event)
{
    struct connecting *c = ctx;

    if (event->handle != c->conn)
        return;
    if (!c->has_connected && (event->bits & WEIR_EVENT_CONNECTED))
        on_connected(c);
    if (!c->has_connected && (event->bits & WEIR_EVENT_CLOSED)) {
        c->error = event->error;
        (void)weir_close(s, c->conn);
        try_next(c);
        return;
    }
    if (c->has_connected)
        stream_on_news(&c->stream, event);
}

static void on_finished(void *ctx)
{
    struct connecting *c = ctx;

    session_stop(&c->session);
}

static int outcome(struct connecting *c)
{
    if (c->has_connected) {
        stream_report(&c->stream, &c->remote);
        if (!c->stream.is_finished)
            return EXIT_FAILED;
        return stream_has_failed(&c->stream) ? EXIT_FAILED : EXIT_OK;
    }
    if (session_was_interrupted())
        return EXIT_FAILED;
    return say_failed("cannot connect to %s, port %u: %s", c->host, c->remote.port,
                      weir_err_text(c->error));
}

/* Runs an open session. */
static int run_connection(struct connecting *c)
{
    int code;

    session_wait_for_addresses(&c->session);
    c->addr_count = resolve_host(&c->session, c->host, c->session.options->family, c->addrs);
    if (c->addr_count < 0)
        return EXIT_FAILED;
    stream_init(&c->stream, &c->session);
    c->stream.is_only = true;
    c->stream.on_finished = on_finished;
    c->stream.ctx = c;
    weir_host_set_events(c->session.host, on_event, c);
    try_next(c);
    code = session_run(&c->session);
    if (c->has_connected)
        progress_stop(&c->progress);
    if (code == EXIT_OK)
        code = outcome(c);
    stream_fini(&c->stream);
    return code;
}

static int run(int argc, char **argv)
{
    struct net_options options = {0};
    const struct option_table tables[] = {
        {net_family_specs, &options}, {net_option_specs, &options}, {NULL, NULL}};
    int first = options_read(&cmd_connect, tables, argc, argv);
    struct connecting *c;
    int code;

    if (first < 0)
        return options_exit(first);
    c = calloc(1, sizeof *c);
    if (c == NULL)
        return say_failed("there is no memory");
    c->host = argv[first];
    code = net_options_check("connect", &options);
    if (code == EXIT_OK && resolve_port(argv[first + 1], &c->remote.port) != 0)
        code = say_usage("connect: '%s' is neither a port from 1 to 65535 nor a service's name",
                         argv[first + 1]);
    if (code == EXIT_OK)
        code = session_open(&c->session, &options);
    if (code == EXIT_OK)
        code = session_close(&c->session, run_connection(c));
    free(c);
    return code;
}

const struct command cmd_connect = {
    .name = "connect",
    .operands = "HOST PORT",
    .summary = "join stdin and stdout to a TCP connection",
    .text =
        "Connects to PORT (a number or a service) of HOST (an address or a name). What comes from\n"
        "stdin is sent, what is received goes to stdout. The end of stdin closes our side; the\n"
        "program ends when both sides are closed.",
    .options = (const struct option_spec *const[]){net_family_specs, net_option_specs, NULL},
    .run = run,
};
