/*
 * demo_world.h - where a scene is played: two ends, what is between them, and time
 *
 * In memory, both ends are Weir stacks, each 10 ms from the other, in virtual time: a minute
 * passes in no time, and every run is the same. Otherwise the left end is the kernel of this
 * machine, in a network of its own, and Weir the right one, behind a TUN device, in real time.
 *
 * A scene is a function that tells the ends what to do and waits for what comes of it. Once
 * something does not come, the scene has failed, and what it still asks for is not done.
 */
#ifndef CLI_DEMO_WORLD_H
#define CLI_DEMO_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/demo_actor.h"
#include "cli/demo_netns.h"
#include "trace/record.h"

struct http;
struct world;

enum {
    WORLD_PORT = 80,     /* where ends listen */
    WORLD_FAILURE = 160, /* bytes of the sentence that says why it failed */
    WORLD_SAID = 4096,   /* and of what there is to say afterwards */
};

/* NULL: there is no memory. */
struct world *world_open_in_memory(void);

/* Moves this process into a namespace. NULL: why says what forbids it. */
struct world *world_open_with_kernel(char why[NETNS_WHY_MAX]);

void world_close(struct world **w);

bool world_is_in_memory(const struct world *w);
const struct recording *world_recording(const struct world *w);

/* Why the scene has failed; NULL: it has not. */
const char *world_failure(const struct world *w);
void world_fail(struct world *w, const char *what);

/* What an end is called; a name that is set must stay. */
const char *world_name(const struct world *w, enum trace_side side);
void world_set_name(struct world *w, enum trace_side side, const char *name);

/* What is to be read below the ladder: what curl has printed. */
void world_say(struct world *w, const char *words);
const char *world_said(const struct world *w);

/* The actor at one end, for settings and for what it has seen. */
struct actor *world_actor(struct world *w, enum trace_side side);

/* The stack at one end; NULL if it is the kernel's. */
struct weir *world_stack(struct world *w, enum trace_side side);

/* ---- what ends do ---- */

void world_listen(struct world *w, enum trace_side side);
void world_connect(struct world *w, enum trace_side side);
void world_send(struct world *w, enum trace_side side, uint32_t len);
void world_shutdown(struct world *w, enum trace_side side);
void world_end(struct world *w, enum trace_side side); /* close */
void world_pause_reading(struct world *w, enum trace_side side, bool pause);

/* The end loses power, and forgets everything; world_power_on makes it a new one. */
void world_power_off(struct world *w, enum trace_side side);
void world_power_on(struct world *w, enum trace_side side);

/* Both do something at the same instant: nothing is sent in between. */
void world_connect_both(struct world *w);
void world_end_both(struct world *w);

/* ---- what happens on the way; only in memory ---- */

/* The n-th packet with data that this end sends from now on is lost; the first is 1. */
void world_lose(struct world *w, enum trace_side side, unsigned n);

/* ---- waiting ---- */

void world_wait_connected(struct world *w, enum trace_side side);
void world_wait_received(struct world *w, enum trace_side side, uint64_t bytes);
void world_wait_read_end(struct world *w, enum trace_side side); /* the peer's side is closed */
void world_wait_ended(struct world *w, enum trace_side side);    /* with an error */

/* Until the Weir end is in this state. */
void world_wait_state(struct world *w, enum trace_side side, enum weir_tcp_state state);

/* Time passes. */
void world_pass(struct world *w, weir_ns_t duration_ns);

/* In memory: until nothing is left to happen. With the kernel: for a moment. */
void world_settle(struct world *w);

/* Until is_done(ctx); what is what was waited for, should it not come. */
void world_wait(struct world *w, bool (*is_done)(void *ctx), void *ctx, const char *what);

/* Hands the events of a Weir end to an HTTP server on it; NULL: no more. */
void world_set_server(struct world *w, struct http *server);

#endif
