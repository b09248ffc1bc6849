/*
 * world.h - the parts of a world, for the files that make it up
 *
 *   world.c    nodes, links, the clock
 *   routes.c   which way packets take
 *   router.c   what a node without a stack does with a packet
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "sim/agenda.h"
#include "sim/box.h"
#include "sim/link.h"
#include "sim/memory.h"
#include <weir/sim.h>

enum {
    WORLD_BATCH = 64,
    WORLD_NODE_LINKS = 32, /* that one node has at most */
    WORLD_LINK_BOXES = 4,
    WORLD_NODES = 60000,
    WORLD_MTU = 1500,
};

struct world_port {
    uint32_t link;      /* index */
    weir_netif_t netif; /* of the stack */
    enum box_way way;   /* in which this node sends */
};

struct world_node {
    char name[32];
    bool is_router, lends_frames, is_silent;
    bool is_touched; /* its stack may have something to do */
    uint32_t offloads;
    struct weir_config config;
    struct memory memory;
    struct weir *stack;
    uint32_t source; /* in the agenda */
    uint32_t lives;  /* how often it has been started */
    struct world_port ports[WORLD_NODE_LINKS];
    uint32_t port_count;
    uint8_t *way_to; /* by the index of the other node: the port; routes.c */
    size_t way_room;
    struct world_choice *choices; /* of weir_sim_route */
    size_t choice_count;
};

struct world_choice {
    uint32_t to;
    uint8_t port;
};

struct world_link {
    uint32_t ends[2]; /* indices of nodes */
    struct weir_sim_link *ways[2];
    struct box *boxes[WORLD_LINK_BOXES];
    uint32_t box_count;
};

enum {
    NO_PORT = UINT8_MAX,
};

#define SOURCE_NODE (UINT32_C(1) << 31)

struct weir_sim {
    uint64_t seed;
    weir_ns_t now;
    struct world_node **nodes;
    size_t node_count;
    struct world_link *links;
    size_t link_count;
    struct agenda agenda; /* sources: nodes and directions in the order they were added */
    uint32_t *source_of;  /* what each source is: SOURCE_NODE or a direction */
    size_t source_room;
    uint32_t *link_sources; /* two for each link */
    struct packets *store;
    struct weir_sim_hooks hooks;
    struct weir_sim_stats stats;
    uint32_t *touched; /* nodes whose turn it is */
    size_t touched_count;
    bool routes_are_stale;
    bool is_stopped;
};

/* ---- world.c ---- */

/* A packet leaves a node through one of its ports. */
void sim_send(struct weir_sim *s, uint32_t node, uint8_t port, struct packet *p);
void sim_flush(struct weir_sim *s, uint32_t node, uint8_t port);

/* The index of the node that has this address, or -1. */
int64_t sim_find(const struct weir_sim *s, const uint8_t *ip_addr, bool is_v6);

/* ---- routes.c ---- */

/* Finds the ways anew where something has changed, and tells stacks. False: no memory. */
bool routes_update(struct weir_sim *s);
uint8_t routes_port(const struct weir_sim *s, uint32_t node, uint32_t to);
/* A stack that has just been made learns its routes. */
void routes_tell(struct weir_sim *s, uint32_t node);

/* ---- router.c ---- */

/* A packet has come to a node that has no stack and is not dead. */
void router_forward(struct weir_sim *s, uint32_t node, struct packet *p);

#endif
