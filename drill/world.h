/*
 * world.h - Weir as a target: a stack and its sockets in virtual time
 *
 * The clock stands still while anything runs, and jumps to the next deadline when somebody
 * waits. Calls that block run in a thread of their own, which has its turn whenever what it
 * waits for has happened; as only one of the two threads ever runs, the outcome is always the
 * same.
 */
#ifndef DRILL_WORLD_H
#define DRILL_WORLD_H

#include <weir/trace.h>
#include <weir/weir.h>

#include "drill/target.h"

struct drill_world;

struct drill_world_options {
    struct drill_net net;
    weir_ns_t limit_ns;    /* no wait is longer */
    weir_trace_hook trace; /* may be NULL */
    void *trace_ctx;
    bool has_placeholders; /* descriptors are real ones, of /dev/null */
};

/* NULL: there is no memory. The thread that opens it is its first one. */
struct drill_world *drill_world_open(const struct drill_world_options *options);

/* The world as a target; closing the target closes the world. */
struct drill_target drill_world_target(struct drill_world *world);

/*
 * For a program that has a second thread of its own (so.c): that has its turn from enter, which is
 * to be called before each of its calls, to leave. Till then the clock stands still.
 */
void drill_world_enter(struct drill_world *world);
void drill_world_leave(struct drill_world *world);

/* Is it TCP, UDP or ICMP that is no neighbour discovery, with a good checksum? */
bool drill_world_is_of_interest(const uint8_t *packet, size_t len);

/* The clock moves on by so much, and what is due happens. */
void drill_world_pass(struct drill_world *world, weir_ns_t ns);

#endif
