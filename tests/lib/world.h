/*
 * world.h - whole stacks in memory, in virtual time
 *
 *   struct world *w = world_make(&(struct world_setup){.is_v6 = true});
 *   struct world_pair p = world_connect(w);
 *
 *   world_sends(w, 0, p.a, 1000);
 *   world_run(w, 1 * WEIR_S);
 *
 * Stacks 0 and 1 (and up to two more) share one link, on which every frame reaches everybody
 * else after a delay, unless the link loses it. Time stands still until world_run moves it.
 * What is sent is looked at by the link: checksums have to be right, super-segments well
 * made; it is noted in a log and summed up in a hash. Invariants of all connections are
 * checked after every step.
 *
 * After a test that passed, every world made in it ends: all memory has to come back to its
 * allocator, and every frame to its owner.
 */
#ifndef TESTS_LIB_WORLD_H
#define TESTS_LIB_WORLD_H

#include "lib/failing_alloc.h"
#include "lib/packet.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/stats.h>
#include <weir/tcp.h>
#include <weir/trace.h>
#include <weir/udp.h>
#include <weir/weir.h>

enum {
    WORLD_STACKS = 4,
    WORLD_LOG = 2048, /* frames that are remembered; later ones are only counted */
    WORLD_DROPS = 8,
    WORLD_NEWS = 64,
    WORLD_PORT = 80,
};

/* What the link does to frames; shares are of a thousand. */
struct world_link {
    weir_ns_t delay_ns;  /* 0: 1 us */
    weir_ns_t jitter_ns; /* at most so much more, by chance: frames overtake one another */
    uint32_t loss;
    uint32_t duplicate;
    uint32_t corrupt; /* one bit */
    uint32_t mark;    /* of what is ECN-capable */
};

struct world_setup {
    size_t stacks; /* 0: two */
    enum weir_link link;
    uint16_t vlan;
    uint32_t mtu; /* 0: 1500 */
    uint32_t offloads;
    uint32_t gso_max;
    bool is_v6;
    uint64_t seed;
    const struct weir_config *config; /* NULL: the defaults; secret and allocator are set */
    struct world_link conditions;
    bool lends_frames;      /* what comes in has to be copied */
    bool cuts_segments;     /* the device cuts super-segments; else they arrive as they are */
    bool marks_valid;       /* the device says that it has verified checksums */
    uint32_t slice_bytes;   /* frames in come in slices of so many bytes after their headers */
    weir_ns_t keeps_ns;     /* the device gives frames back so much later */
    bool without_addresses; /* only interfaces */
    /* Called before stack i is made, with the configuration that it is made with. */
    void (*watch)(void *ctx, size_t i, struct weir_config *config);
    void *watch_ctx;
};

/* A rule: frames from one stack that match, from the nth on, count of them, are lost. */
struct world_drop {
    size_t from;
    uint16_t flags_mask, flags; /* of TCP; mask 0: anything, ARP too */
    uint32_t text_min;
    uint32_t nth;   /* 1: the first */
    uint32_t count; /* 0: this rule is not used */
    uint32_t matched;
};

/* What an event said, since it was last asked. */
struct world_news {
    weir_handle_t handle;
    uint32_t bits;
    int error;
    uint64_t user;
    uint32_t events;
};

struct world_flight;

struct world_stack {
    struct weir *stack;
    weir_netif_t netif;
    weir_netif_t more[4]; /* further interfaces that a test has added: what they send is lost */
    size_t more_count;
    struct failing_alloc alloc;
    struct weir_config config;
    uint64_t hash; /* of all frames sent so far, with their times */
    size_t frames_sent;
    struct world_news news[WORLD_NEWS];
    size_t news_count;
    uint64_t sent; /* bytes given to world_sends and checked by world_reads, per stack */
    uint64_t read;
};

struct world_seen {
    struct packet_view view;
    weir_ns_t at;
    size_t from;
    size_t len;
    uint16_t gso_size;
    bool lost;
};

struct world {
    struct world *next;
    struct world_setup setup;
    struct world_link conditions;
    struct world_stack stacks[WORLD_STACKS];
    size_t count;
    weir_ns_t now;
    weir_ns_t started_at;
    uint64_t random;
    uint64_t order;
    struct world_flight *flight; /* sorted by time */
    struct world_flight *kept;   /* the devices' */
    size_t frames_out;           /* that were handed in with an owner, and not yet released */
    size_t bytes_out;            /* in them */
    struct world_drop drops[WORLD_DROPS];
    struct world_seen log[WORLD_LOG];
    size_t log_count;
    bool is_cut;       /* nothing gets through */
    bool keeps_frames; /* devices give nothing back until world_gives_back */
    bool leaves_events;
    bool skips_checks; /* of invariants: for very many connections */
    void (*app)(struct world *w, void *ctx);
    void *ctx;
};

/* Begins at 1000 s; on Ethernet a few seconds later, when addresses are ready. */
struct world *world_make(const struct world_setup *setup);
void world_end(struct world *w);

/* Prints what happens, if WEIR_TEST_TRACE is set; world_make does so. */
void world_traces(struct world *w);

/* The default configuration, to be changed and given to world_make. */
struct weir_config world_config(void);

struct weir *world_stack(struct world *w, size_t i);

/* The address of stack i in the world's family; in the other; with a port. */
struct weir_addr world_addr(const struct world *w, size_t i);
struct weir_addr world_addr_of(size_t i, bool is_v6);
struct weir_endpoint world_endpoint(const struct world *w, size_t i, uint16_t port);

/* Time passes; all that happens meanwhile happens. Ends at exactly now + duration. */
void world_run(struct world *w, weir_ns_t duration_ns);

/* A millisecond: enough for any exchange over a link without conditions. */
void world_settle(struct world *w);

/* Runs until nothing is left to wait for, at most so long; false: it took longer. */
bool world_run_dry(struct world *w, weir_ns_t at_most_ns);

/* Frames and packets now, without a step in time. */
void world_pump(struct world *w);

/* The device gives back what it kept, the oldest or the newest first. */
void world_gives_back(struct world *w, bool newest_first);

void world_check(struct world *w);

/* A packet made by hand comes in at stack i, with the link header it needs. */
void world_injects(struct world *w, size_t i, const struct packet *p);

/* Frames with these contents, as they are. */
void world_injects_bytes(struct world *w, size_t i, const uint8_t *bytes, size_t len);

/* Two connected ends: a on stack 0, b accepted on stack 1 from listener. */
struct world_pair {
    weir_conn_t a, b;
    weir_listener_t listener;
    struct weir_endpoint a_at, b_at;
};
struct world_pair world_connect(struct world *w);
weir_listener_t world_listen(struct world *w, size_t i, uint16_t port, uint32_t backlog);
struct world_pair world_connect_to(struct world *w, weir_listener_t listener);

/* What events have said of handle since the last call. *error may be NULL. */
uint32_t world_news(struct world *w, size_t i, weir_handle_t handle, int *error);

enum weir_tcp_state world_state(struct world *w, size_t i, weir_conn_t conn);

/* The next len bytes of stack i's stream: all of them are taken; as many as are. */
void world_sends(struct world *w, size_t i, weir_conn_t conn, size_t len);
size_t world_offers(struct world *w, size_t i, weir_conn_t conn, size_t len);

/*
 * Reads everything that is there, which must be the stream that the other of two stacks sends.
 * Returns what the last weir_recv did: 0, WEIR_EAGAIN or an error.
 */
ptrdiff_t world_reads(struct world *w, size_t i, weir_conn_t conn);
uint8_t world_byte(size_t from, uint64_t offset);

/* A rule for the link. */
void world_drops(struct world *w, struct world_drop drop);

/* Frames in the log, from stack `from`, whose flags are these under the mask (TCP only). */
size_t world_count(const struct world *w, size_t from, uint16_t mask, uint16_t flags);
const struct world_seen *world_nth(const struct world *w, size_t from, uint16_t mask,
                                   uint16_t flags, size_t n);
const struct world_seen *world_last(const struct world *w, size_t from);
void world_forgets(struct world *w);

struct weir_stats world_stats(struct world *w, size_t i);
uint64_t world_dropped(struct world *w, size_t i, const char *why);

/* Everything is closed and gone, but for what is in TIME-WAIT. */
void world_expects_nothing_left(struct world *w, size_t i);

#endif
