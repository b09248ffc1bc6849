/*
 * play.h - a scenario that is played: a world, applications, and a judge
 *
 *   play.c      makes the world, runs it, and does what actions say
 *   app.c       the applications at both ends of each connection
 *   judge.c     what has to hold after every event
 *   sample.c    what is going on, at intervals, and how it ended
 *
 * An exchange is one connection with its two ends. Each side's bytes come from a fixed pattern, so
 * that whoever receives them knows at each offset what has to come.
 */
#ifndef SIM_PLAY_H
#define SIM_PLAY_H

#include "sim/draw.h"
#include "sim/scenario.h"
#include <weir/stats.h>

enum {
    PLAY_PERIOD = 65521, /* a prime, so that nothing that is confused fits by chance */
    PLAY_CHUNK = 65536,
    PLAY_TEXT = 400,
    PLAY_PORT = 1000, /* of the first flow's server */
};

enum play_side {
    PLAY_CLIENT,
    PLAY_SERVER,
};

/* What the judge remembers of an end. Positions count from the initial sequence number. */
struct play_seen {
    enum weir_tcp_state state;
    uint32_t una, nxt; /* the latest positions */
    uint32_t rcv_nxt;
    uint32_t right_edge; /* the furthest window that has been offered */
    uint32_t wnd_shift;  /* of windows on the wire */
    bool is_valid;
};

struct play_end {
    weir_sim_node_t node;
    weir_conn_t conn; /* 0: not yet, or over */
    bool is_over;     /* the application has given it up, or it has died */
    bool has_died;    /* with its host */
    bool is_shut;     /* for sending */
    bool has_read_end;
    bool has_quit;  /* closed or aborted before everything was sent and read */
    bool is_waking; /* a call is due */
    int error;
    uint64_t sent, received;
    uint64_t extra; /* bytes to send that actions have added */
    uint64_t turns; /* request: questions that may have been asked */
    struct play_seen seen;
};

struct play_exchange {
    uint32_t flow;
    uint32_t number;
    uint32_t slot; /* in play.exchanges */
    uint16_t client_port;
    weir_ns_t started_at;
    struct play_end ends[2];
};

struct play_flow {
    weir_listener_t listener;
    uint32_t listener_node;
    uint32_t started, finished, failed;
    uint64_t received[2]; /* bytes that applications have read, by side */
    uint64_t arrived[2];  /* bytes of segments that have arrived at the hosts, copies apart */
    uint64_t unique[2];   /* of them, those of connections that have ended and were new */
    uint64_t retransmits[2], segs[2];
    uint64_t sampled;  /* of received, at the last sample */
    weir_ns_t last_at; /* when bytes were last received */
    weir_sim_link_t bottleneck;
    weir_sim_node_t bottleneck_sender;
    struct play_exchange *newest;
    struct weir_tcp_info info; /* the newest connection's client, when last looked at */
    bool has_info;
};

struct play_sample;

struct play_options {
    bool no_checks;
    uint32_t frames_max; /* 0: no limit; then the run ends as if time had run out */
    weir_ns_t sample_ns; /* 0: none */
    void (*sample)(void *ctx, const struct play_sample *sample);
    void (*frame)(void *ctx, weir_sim_node_t node, bool is_out, const struct weir_sim_frame *frame);
    void (*progress)(void *ctx, weir_ns_t now); /* about every second of virtual time */
    void *ctx;
};

struct play {
    const struct scenario *scenario;
    struct play_options options;
    struct weir_sim *sim;
    weir_sim_node_t *nodes;
    weir_sim_link_t *links;
    struct play_flow *flows;
    struct play_exchange **exchanges; /* those that are going on, in slots */
    size_t exchange_count, exchange_room;
    uint32_t live;
    uint8_t *pattern;
    bool content_may_differ; /* corruption that nobody can notice */
    bool has_trouble;        /* the network may keep a connection from living */
    bool is_ending;          /* no more connections */
    uint64_t turns;
    struct weir_sim_stats stats;
    char broken[PLAY_TEXT];  /* what does not hold; "" */
    const char *broken_kind; /* the same for all that break in the same way */
    weir_ns_t broken_at;
};

/* One row of the series: of a flow, or of one direction of a link. */
struct play_sample {
    weir_ns_t at;
    const char *name;           /* of the flow */
    uint64_t throughput_bits_s; /* received since the last sample */
    uint32_t cwnd, ssthresh, flight;
    weir_ns_t srtt_ns;
    uint64_t retransmits;                /* so far */
    uint32_t queue_bytes, queue_packets; /* at the bottleneck */
    weir_ns_t queue_delay_ns;
    uint64_t drops, marks; /* there, so far */
};

/* False: the scenario cannot be played; error says why. */
bool play_init(struct play *p, const struct scenario *s, const struct play_options *options,
               struct scenario_error *error);

/* Plays to the end. True: everything held. */
bool play_run(struct play *p);

/* Ends the world, which may show that memory was lost: then p->broken says so. */
void play_fini(struct play *p);

/* ---- between the files ---- */

/* The first thing that does not hold ends the run. Its kind is the format. */
void play_break(struct play *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "main 3 client" */
const char *play_end_text(const struct play *p, const struct play_exchange *x, enum play_side side,
                          char text[64]);

bool app_listen(struct play *p, uint32_t flow);
void app_start_flow(struct play *p, uint32_t flow);
void app_event(struct play *p, weir_sim_node_t node, const struct weir_event *event);
void app_host_stopped(struct play *p, weir_sim_node_t node);
void app_act(struct play *p, const struct scenario_action *a);
/* An application whose peer is gone, and who has nothing to say, gives up. */
void app_give_up_forsaken(struct play *p);
bool app_is_all_over(const struct play *p);

void judge_turn(struct play *p, weir_sim_node_t node);
void judge_end_of_run(struct play *p);
/* A connection has ended with an error: could it? */
void judge_error(struct play *p, const struct play_exchange *x, enum play_side side, int error);

void sample_flow(struct play *p, uint32_t flow);
void sample_arrival(struct play *p, const struct weir_sim_frame *frame);
void sample_end(struct play *p, struct play_exchange *x, enum play_side side);

/* Goodput and the like of a flow, for reports; integers, and the caller prints. */
struct play_result {
    uint64_t received[2], spurious_bytes[2], retransmits[2], segs[2];
    uint64_t goodput_bits_s; /* of both directions, while it lasted */
    uint64_t share_ppm;      /* of the bottleneck's rate */
    struct weir_tcp_info info;
    bool has_info;
};

void sample_result(struct play *p, uint32_t flow, struct play_result *result);

#endif
