/*
 * weir/sim.h - a deterministic world of stacks
 *
 * Nodes are stacks (hosts), or only forward packets (routers); links join two nodes, one
 * struct weir_sim_link for each direction; middleboxes sit in links; a clock in virtual time
 * moves from one event to the next. The same seed and the same calls give the same bytes at the
 * same times, on every machine.
 *
 *     weir_sim_create(seed, &sim);
 *     weir_sim_node_add(sim, &(struct weir_sim_node_config){.name = "a"}, &a);
 *     weir_sim_node_add(sim, &(struct weir_sim_node_config){.name = "b"}, &b);
 *     weir_sim_link_add(sim, a, b, &there, &back, &link);
 *     weir_sim_hooks(sim, &hooks);
 *     weir_connect(weir_sim_stack(sim, a), ...);
 *     weir_sim_run(sim, 10 * WEIR_S);
 *     weir_sim_destroy(&sim);
 *
 * Hosts have the addresses 10.0.x.y and fd00::x:y, where x and y are the bytes of the node's
 * number, and routes to all others by the fewest links. A world begins at the time 0.
 * Threads: a world belongs to one thread at a time; worlds share nothing.
 */
#ifndef WEIR_SIM_H
#define WEIR_SIM_H

#include <weir/sim_link.h>
#include <weir/weir.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_sim;

typedef uint32_t weir_sim_node_t; /* counted from 1 in the order they were added */
typedef uint32_t weir_sim_link_t; /* as well; both directions of it */

/* Returns 0 and an empty world, or WEIR_ENOMEM. */
WEIR_API int weir_sim_create(uint64_t seed, struct weir_sim **sim);

/*
 * Ends a world with all that is in it. Returns how many blocks of memory the stacks did not give
 * back to their allocator: anything but 0 is a bug in the library. Takes *sim.
 */
WEIR_API size_t weir_sim_destroy(struct weir_sim **sim);

/* ---- nodes ---- */

struct weir_sim_node_config {
    const char *name; /* copied, cut at 31 characters */
    bool is_router;   /* forwards and has no stack */
    /*
     * NULL: the defaults. The secret is replaced by one of the world's seed, and the allocator,
     * if it has none, by one that counts.
     */
    const struct weir_config *config;
    uint32_t offloads; /* enum weir_offload: the node's devices sum up and cut as they are told */
    bool lends_frames; /* what comes in is lent to the stack for the call, not given */
    bool is_silent;    /* routers: packets longer than the next link's MTU vanish without ICMP */
};

/* Adds a node. Returns 0 and its number, or WEIR_EINVAL (the configuration), WEIR_ENOMEM. */
WEIR_API int weir_sim_node_add(struct weir_sim *sim, const struct weir_sim_node_config *config,
                               weir_sim_node_t *node);

/*
 * The stack of a host, to be called by hooks and between runs; NULL: a router, or dead. Ask for
 * it each time: that is how the world knows that the stack may have something to send.
 */
WEIR_API struct weir *weir_sim_stack(struct weir_sim *sim, weir_sim_node_t node);

/* The same, to look at it: nothing is called that may change it. Any time. */
WEIR_API const struct weir *weir_sim_peek(const struct weir_sim *sim, weir_sim_node_t node);

/* When the host wants to be called next, as of its last turn. */
WEIR_API weir_ns_t weir_sim_deadline(const struct weir_sim *sim, weir_sim_node_t node);

WEIR_API struct weir_addr weir_sim_addr(const struct weir_sim *sim, weir_sim_node_t node,
                                        bool is_v6);
WEIR_API const char *weir_sim_node_name(const struct weir_sim *sim, weir_sim_node_t node);

/* A host dies without a word: its stack is destroyed, and what arrives for it is lost. */
WEIR_API void weir_sim_node_stop(struct weir_sim *sim, weir_sim_node_t node);

/* A dead host comes back with a new stack, which knows of nothing. 0, WEIR_ESTATE, WEIR_ENOMEM. */
WEIR_API int weir_sim_node_start(struct weir_sim *sim, weir_sim_node_t node);

/* ---- links ---- */

/*
 * Joins two nodes; there is from a to b. Returns 0 and the link's number, or WEIR_EINVAL,
 * WEIR_ENOMEM. The interfaces have the MTU of the direction they send in, or 1500 if it has none.
 */
WEIR_API int weir_sim_link_add(struct weir_sim *sim, weir_sim_node_t a, weir_sim_node_t b,
                               const struct weir_sim_link_config *there,
                               const struct weir_sim_link_config *back, weir_sim_link_t *link);

/* One direction of a link: what from sends. For its counters, or weir_sim_link_set. */
WEIR_API struct weir_sim_link *weir_sim_direction(struct weir_sim *sim, weir_sim_link_t link,
                                                  weir_sim_node_t from);

/* Packets at node for the host to take this link. Otherwise they take the fewest links. */
WEIR_API int weir_sim_route(struct weir_sim *sim, weir_sim_node_t node, weir_sim_node_t to,
                            weir_sim_link_t link);

/* Is there a way from one host to another? */
WEIR_API bool weir_sim_has_way(struct weir_sim *sim, weir_sim_node_t from, weir_sim_node_t to);

/* The link with the lowest rate on the way, and the node that sends on it; 0: none has a rate. */
WEIR_API weir_sim_link_t weir_sim_bottleneck(struct weir_sim *sim, weir_sim_node_t from,
                                             weir_sim_node_t to, weir_sim_node_t *sender);

enum weir_sim_box_kind {
    WEIR_SIM_NAT,      /* changes the ports of connections from the first node of the link */
    WEIR_SIM_STRIP,    /* replaces TCP options in SYNs by NOPs */
    WEIR_SIM_RESEQ,    /* adds a number to all sequence numbers */
    WEIR_SIM_CLAMP,    /* windows are not larger than value, before scaling */
    WEIR_SIM_SPLIT,    /* segments are cut into pieces of value bytes */
    WEIR_SIM_COALESCE, /* segments that follow one another are joined, up to value bytes */
    WEIR_SIM_THIN,     /* of ACKs alone that leave at the same instant, one in value passes */
    WEIR_SIM_BLEACH,   /* clears the ECN field */
    WEIR_SIM_BOX_KINDS,
};

/* "nat", "strip", ...; NULL past the last. Any thread. */
WEIR_API const char *weir_sim_box_name(size_t kind);

enum weir_sim_strip {
    WEIR_SIM_STRIP_MSS = 1,
    WEIR_SIM_STRIP_WSCALE = 2,
    WEIR_SIM_STRIP_SACK = 4,
    WEIR_SIM_STRIP_TIMESTAMPS = 8,
    WEIR_SIM_STRIP_OTHERS = 16,
};

struct weir_sim_box_config {
    enum weir_sim_box_kind kind;
    uint32_t value;     /* as above */
    uint32_t strips;    /* enum weir_sim_strip; 0: all */
    weir_ns_t every_ns; /* NAT: ports are bound anew so often, and old ones forgotten; 0: never */
};

/* Puts a middlebox into a link, for both directions. 0, WEIR_EINVAL, WEIR_ENOMEM. */
WEIR_API int weir_sim_box_add(struct weir_sim *sim, weir_sim_link_t link,
                              const struct weir_sim_box_config *config);

/* The port that a host really has, of one that a NAT shows; the same if no NAT knows it. */
WEIR_API uint16_t weir_sim_real_port(const struct weir_sim *sim, uint16_t port);

/* ---- time ---- */

/*
 * What a program that uses a world is told. Hooks may call into stacks and into the world,
 * but not weir_sim_run or weir_sim_destroy.
 */
struct weir_sim_hooks {
    /* An event of a stack. */
    void (*event)(void *ctx, weir_sim_node_t node, const struct weir_event *event);
    /* A host has had its turn: time, frames in, events, frames out. For looking only. */
    void (*turn)(void *ctx, weir_sim_node_t node);
    /* A frame leaves a host, or arrives at one (is_copy: doubled or damaged on its way). */
    void (*frame)(void *ctx, weir_sim_node_t node, bool is_out, bool is_copy,
                  const struct weir_sim_frame *frame);
    void *ctx;
};

WEIR_API void weir_sim_hooks(struct weir_sim *sim, const struct weir_sim_hooks *hooks);

/* Calls back at that time, or at once if it has passed, after what happens then. 0, WEIR_ENOMEM. */
WEIR_API int weir_sim_at(struct weir_sim *sim, weir_ns_t at,
                         void (*call)(void *ctx, uint64_t argument), void *ctx, uint64_t argument);

/* What has happened by then happens; ends at exactly that time, or when it is stopped. */
WEIR_API void weir_sim_run(struct weir_sim *sim, weir_ns_t until);

/* Ends weir_sim_run after the event that is being handled. */
WEIR_API void weir_sim_stop(struct weir_sim *sim);

WEIR_API weir_ns_t weir_sim_now(const struct weir_sim *sim);

/* When the next thing happens; WEIR_NEVER: nothing ever will. */
WEIR_API weir_ns_t weir_sim_next(struct weir_sim *sim);

struct weir_sim_stats {
    uint64_t frames;    /* that have left hosts */
    uint64_t bytes;     /* in them */
    uint64_t delivered; /* frames that have arrived at hosts */
    uint64_t events;    /* steps of the clock */
    uint64_t digest;    /* of all frames that have left hosts: times, headers, lengths */
    uint64_t spins;     /* turns that were broken off, as they did not come to an end */
    size_t in_flight;   /* frames in links, queues and stacks */
};

WEIR_API void weir_sim_stats(const struct weir_sim *sim, struct weir_sim_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
