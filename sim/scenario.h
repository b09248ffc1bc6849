/*
 * scenario.h - what happens in a simulation, as a file has it and as a struct
 *
 *   seed 7
 *   run 30s
 *   host client cc cubic
 *   host server
 *   link client server rate 10mbit delay 20ms queue codel back rate 1mbit delay 20ms
 *   flow main bulk client server bytes 10MB
 *   at 5s down client server
 *   at 6s up client server
 *
 * docs/man/weir-sim.1 describes the language. Random runs make such structs, and what is found
 * with them is written down as such a file.
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "sim/field.h"
#include <stdio.h>
#include <weir/sim.h>
#include <weir/tcp.h>

enum {
    SCENARIO_NAME_MAX = 16,
    SCENARIO_WORDS_MAX = 200, /* settings of an action, as text */
    SCENARIO_LINE_MAX = 2000,
    SCENARIO_CONNECTIONS = 100000, /* of one flow */
};

struct scenario_node {
    char name[SCENARIO_NAME_MAX];
    bool is_router;
    bool is_silent;
    bool lends_frames;
    bool offloads;
    bool no_wscale, no_timestamps, no_nagle, pacing;
    char cc[FIELD_TEXT_MAX];           /* "": the default */
    uint32_t send_buffer, recv_buffer; /* 0: the default; so below */
    uint32_t initial_window;
    uint32_t retries; /* R2 */
    uint32_t holes;   /* of a reassembly queue */
    uint32_t ecn;     /* 0: the default, else an enum weir_ecn and one */
    uint64_t memory;
    weir_ns_t rto_min_ns, msl_ns;
};

struct scenario_link {
    uint32_t ends[2]; /* indices of nodes */
    struct weir_sim_link_config ways[2];
};

struct scenario_box {
    uint32_t link;
    struct weir_sim_box_config config;
};

struct scenario_route {
    uint32_t at, to, via; /* indices of nodes */
};

enum scenario_flow_kind {
    SCENARIO_BULK,    /* bytes one way, back_bytes the other, then the end */
    SCENARIO_REQUEST, /* count times: ask bytes, answer bytes, a pause */
    SCENARIO_ON_OFF,  /* count times: bytes at once, every so often */
    SCENARIO_SHORT,   /* count connections, one every so often, each with ask and answer */
    SCENARIO_FLOW_KINDS,
};

struct scenario_flow {
    char name[SCENARIO_NAME_MAX];
    enum scenario_flow_kind kind;
    uint32_t ends[2]; /* client, server */
    bool is_v6;
    bool lends;  /* bytes are sent and received without copies */
    bool closes; /* closes at once what it has sent all of, without waiting for the peer's end */
    bool nodelay, keepalive;
    uint64_t bytes, back_bytes;
    uint32_t ask, answer, count;
    weir_ns_t start_ns, every_ns, pause_ns;
    uint64_t read_rate; /* bits a second that the server reads; 0: at once */
    uint32_t chunk;     /* bytes of one call; 0: as many as there are */
    weir_ns_t user_timeout_ns;
};

enum scenario_verb {
    SCENARIO_DOWN, /* a link */
    SCENARIO_UP,
    SCENARIO_SET,  /* both directions of a link get the settings in words */
    SCENARIO_HEAL, /* all links lose, damage and delay nothing by chance any more, and are up */
    SCENARIO_STOP, /* a host */
    SCENARIO_START,
    SCENARIO_SEND, /* from here on: an end of the flow's newest connection */
    SCENARIO_SHUTDOWN,
    SCENARIO_CLOSE,
    SCENARIO_ABORT,
    SCENARIO_OPTION,
    SCENARIO_VERBS,
};

struct scenario_action {
    weir_ns_t at;
    enum scenario_verb verb;
    uint32_t subject; /* index of a link, a host, or a flow */
    bool is_server;
    uint32_t option; /* enum weir_opt */
    int64_t value;
    char words[SCENARIO_WORDS_MAX];
};

struct scenario {
    uint64_t seed;
    weir_ns_t run_ns;
    bool is_patient; /* runs on after run_ns until all flows have ended */
    struct scenario_node *nodes;
    struct scenario_link *links;
    struct scenario_box *boxes;
    struct scenario_route *routes;
    struct scenario_flow *flows;
    struct scenario_action *actions;
    size_t node_count, link_count, box_count, route_count, flow_count, action_count;
};

struct scenario_error {
    unsigned line, column; /* from 1; line 0: of the whole */
    char text[FIELD_ERROR_MAX];
};

void scenario_init(struct scenario *s);
void scenario_fini(struct scenario *s);
bool scenario_copy(const struct scenario *from, struct scenario *to);

/*
 * One more, zeroed, with its defaults; NULL: no memory. The pointer is valid until the next.
 */
struct scenario_node *scenario_add_node(struct scenario *s, const char *name);
struct scenario_link *scenario_add_link(struct scenario *s, uint32_t a, uint32_t b);
struct scenario_box *scenario_add_box(struct scenario *s, uint32_t link);
struct scenario_route *scenario_add_route(struct scenario *s);
struct scenario_flow *scenario_add_flow(struct scenario *s, const char *name);
struct scenario_action *scenario_add_action(struct scenario *s, weir_ns_t at);

/* Takes one out; what refers to it goes with it, and numbers close up. */
void scenario_remove_node(struct scenario *s, uint32_t index);
void scenario_remove_link(struct scenario *s, uint32_t index);
void scenario_remove_box(struct scenario *s, uint32_t index);
void scenario_remove_flow(struct scenario *s, uint32_t index);
void scenario_remove_action(struct scenario *s, uint32_t index);

/* Reads a scenario; text ends with a NUL. False and *error: what is wrong, and where. */
bool scenario_parse(struct scenario *s, const char *text, struct scenario_error *error);

/* Writes it as a file. False: that failed. */
bool scenario_emit(const struct scenario *s, FILE *out);

/* ---- tables ---- */

extern const struct field scenario_node_fields[], scenario_link_fields[], scenario_box_fields[],
    scenario_flow_fields[];

const char *scenario_flow_kind_name(size_t kind);
const char *scenario_verb_name(size_t verb);
const char *scenario_option_name(size_t option); /* of enum weir_opt; NULL past the last */

/* Settings such as "rate 5mbit delay 10ms", one pair after the other. False: not good. */
bool scenario_apply(const struct field *table, void *target, const char *words);

#endif
