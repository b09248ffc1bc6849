/*
 * cmd_listen.c - weir listen PORT: wait for a TCP connection and join it to stdin and stdout
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

extern const struct command cmd_listen;

enum {
    BACKLOG = 16, /* with --keep: connections that wait for their turn */
};

struct listening {
    struct net_options options;
    struct session session;
    struct stream stream;
    struct progress progress;
    struct weir_endpoint local;
    struct weir_endpoint remote;
    weir_listener_t listener;
    bool keep;
    bool has_failed;
};

static const char *take_keep(void *target, const char *value)
{
    (void)value;
    ((struct listening *)target)->keep = true;
    return NULL;
}

static const struct option_spec specs[] = {
    {"keep", 'k', NULL, "when a connection has ended, wait for the next", take_keep},
    {0},
};

/* Takes the next connection, if there is one and its turn has come. */
static void accept_next(struct listening *l)
{
    struct weir *s = l->session.stack;
    const struct net_options *options = &l->options;
    char text[WEIR_ADDR_TEXT];
    weir_conn_t conn;

    if (l->stream.conn != 0 || weir_accept(s, l->listener, &conn) != 0)
        return;
    (void)weir_remote(s, conn, &l->remote);
    if (!l->keep)
        (void)weir_close(s, l->listener);
    if (options->verbose && !options->json)
        say("a connection from %s", weir_endpoint_text(&l->remote, text));
    progress_start(&l->progress, &l->session, &l->stream.received_bytes, &l->stream.sent_bytes,
                   !options->quiet && !options->json && !options->trace);
    stream_start(&l->stream, conn);
}

/* Without a reader of stdout there is nothing more to be done, even with --keep. */
static void on_finished(void *ctx)
{
    struct listening *l = ctx;

    progress_stop(&l->progress);
    stream_report(&l->stream, &l->remote);
    l->has_failed = stream_has_failed(&l->stream);
    if (!l->keep || l->stream.out_failed)
        session_stop(&l->session);
    else
        accept_next(l);
}

static void on_event(void *ctx, struct weir *s, const struct weir_event *event)
{
    struct listening *l = ctx;

    (void)s;
    if (event->bits & WEIR_EVENT_ACCEPTABLE)
        accept_next(l);
    else
        stream_on_news(&l->stream, event);
}

/* Which addresses the wanted family stands for. */
static int choose_local(struct listening *l)
{
    const struct weir_addr *own = session_own(&l->session, 6);

    if (l->options.family == 4)
        l->local.addr = weir_addr_v4(0, 0, 0, 0);
    if (l->options.family == 6 && own == NULL)
        return say_failed("there is no IPv6 address to listen on");
    if (l->options.family == 6)
        l->local.addr = *own;
    return EXIT_OK;
}

static void say_where(const struct listening *l)
{
    const struct net_addresses *own = &l->session.own;
    char text[WEIR_ADDR_TEXT];

    for (size_t i = 0; i < own->count && !l->options.quiet && !l->options.json; i++) {
        const struct weir_endpoint at = {own->of[i].addr, l->local.port, 0};
        if (l->options.family == 0 || weir_addr_is_v4(&at.addr) == (l->options.family == 4))
            say("listening on %s (%s)", weir_endpoint_text(&at, text), l->session.device);
    }
}

/* Runs an open session. */
static int run_listener(struct listening *l)
{
    int code = choose_local(l), err;

    if (code != EXIT_OK)
        return code;
    session_wait_for_addresses(&l->session);
    err = weir_listen(l->session.stack, &l->local, BACKLOG, &l->listener);
    if (err != 0)
        return say_failed("cannot listen on port %u: %s", l->local.port, weir_err_text(err));
    say_where(l);
    stream_init(&l->stream, &l->session);
    l->stream.is_only = !l->keep;
    l->stream.on_finished = on_finished;
    l->stream.ctx = l;
    weir_host_set_events(l->session.host, on_event, l);
    code = session_run(&l->session);
    if (l->stream.conn != 0)
        progress_stop(&l->progress);
    /* A signal is how --keep ends, unless it cuts a connection short. */
    if (l->has_failed || l->stream.conn != 0 || (!l->keep && !l->stream.is_finished))
        code = EXIT_FAILED;
    stream_fini(&l->stream);
    return code;
}

static int run(int argc, char **argv)
{
    struct listening *l = calloc(1, sizeof *l);
    const struct option_table tables[] = {
        {specs, l}, {net_family_specs, l}, {net_option_specs, l}, {NULL, NULL}};
    int first, code;

    _Static_assert(offsetof(struct listening, options) == 0, "the options are a table's target");
    if (l == NULL)
        return say_failed("there is no memory");
    first = options_read(&cmd_listen, tables, argc, argv);
    code = first < 0 ? options_exit(first) : net_options_check("listen", &l->options);
    if (first >= 0 && code == EXIT_OK && resolve_port(argv[first], &l->local.port) != 0)
        code = say_usage("listen: '%s' is neither a port from 1 to 65535 nor a service's name",
                         argv[first]);
    if (first >= 0 && code == EXIT_OK)
        code = session_open(&l->session, &l->options);
    if (first >= 0 && code == EXIT_OK)
        code = session_close(&l->session, run_listener(l));
    free(l);
    return code;
}

const struct command cmd_listen = {
    .name = "listen",
    .operands = "PORT",
    .summary = "wait for a TCP connection, join it to stdin and stdout",
    .text =
        "Waits for a connection to PORT (a number or a service). What comes from stdin is sent,\n"
        "what is received goes to stdout. The end of stdin closes our side; the program ends when\n"
        "both sides are closed.",
    .options = (const struct option_spec *const[]){specs, net_family_specs, net_option_specs, NULL},
    .run = run,
};
