/*
 * session.h - a stack on a device, for as long as a command runs
 *
 * Opens the device, sets up both ends, and ends cleanly on SIGINT and SIGTERM; a second
 * one ends the program at once. There is one session in a program: signals are the
 * program's.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include <stdbool.h>
#include <weir/host.h>

#include "cli/net_options.h"

struct trace_lines;

/* Timers of a session, which has more than the one of its host. */
enum session_timer {
    SESSION_TIMER_COMMAND,
    SESSION_TIMER_PROGRESS,
    SESSION_TIMERS,
};

struct session {
    const struct net_options *options;
    struct weir_host *host;
    struct weir *stack;
    weir_netif_t netif;
    enum weir_link link;
    char device[16];
    struct net_addresses own; /* as given, or chosen */
    struct net_addresses peer;
    int claim_fd;                   /* holds the chosen addresses for us; -1: none */
    const struct weir_driver *tee;  /* the host's */
    struct weir_recorder *recorder; /* NULL: nothing is recorded */
    struct trace_lines *trace;
    weir_ns_t started_at;
    struct {
        weir_ns_t at;
        weir_host_on_time on_time;
        void *ctx;
    } timers[SESSION_TIMERS];
};

/* EXIT_OK, or it has been said what failed, and there is nothing to close. */
int session_open(struct session *s, const struct net_options *options);

/* Ends the stack and removes the device; prints statistics if asked. Returns code or a worse one. */
int session_close(struct session *s, int code);

/*
 * Runs until session_stop or a signal; EXIT_OK, or EXIT_FAILED if the device failed. A
 * signal that came before ends it at once.
 */
int session_run(struct session *s);
void session_stop(struct session *s);

/* Whether a signal has asked for the end. */
bool session_was_interrupted(void);

/* Waits until addresses are in use, which on Ethernet takes a moment; at most three seconds. */
void session_wait_for_addresses(struct session *s);

/* Calls on_time once, at or after at; WEIR_NEVER cancels. */
void session_set_timer(struct session *s, enum session_timer timer, weir_ns_t at,
                       weir_host_on_time on_time, void *ctx);

/* The first address of ours of a family (4 or 6), or NULL. */
const struct weir_addr *session_own(const struct session *s, int family);

#endif
