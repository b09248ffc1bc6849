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
    bool has_placeholders; /* descriptors are real ones, see drill_world_take_written */
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

/*
 * What the kernel has written to placeholders, for instance with a sendfile of its own, is written
 * to their sockets.
 */
void drill_world_take_written(struct drill_world *world);

/* An address is one of ours from now on, if it was not. */
void drill_world_adopt(struct drill_world *world, const struct weir_addr *addr);

/*
 * How many segments of a connection Linux would hand to a device as one: what its pacing would let
 * go in a millisecond, and more where the path is short, but no fewer than least and no more than
 * half of the congestion window. Of a connection that is not known, least.
 */
size_t drill_world_burst_segs(struct drill_world *world, const struct weir_endpoint *local,
                              const struct weir_endpoint *remote, size_t least);

/* Whether Linux would begin another one behind the byte before the sequence number. */
bool drill_world_burst_ends(struct drill_world *world, const struct weir_endpoint *local,
                            const struct weir_endpoint *remote, uint32_t seq);

/* The clock moves on by so much, and what is due happens. */
void drill_world_pass(struct drill_world *world, weir_ns_t ns);

#endif
