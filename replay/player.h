/*
 * player.h - the state of a replay, and what its files do for one another
 *
 * replay.c goes through the log, play.c makes the calls, compare.c looks at the answers.
 */
#ifndef REPLAY_PLAYER_H
#define REPLAY_PLAYER_H

#include "replay/log.h"
#include "replay/replay.h"

enum {
    FRAMES_MAX = 65536,     /* in one call */
    SLICES_MAX = 65536,     /* lent by one call */
    OPTS_MAX = 1024,        /* of one connection */
    RECV_MAX = 64 << 20,    /* bytes received, or offered to be sent, by one call */
    LENT_MAX = 1 << 30,     /* bytes lent by one call, as weir_send_lent has it */
    NETIFS_REMEMBERED = 64, /* whose link is known */
    FAILURES_MAX = 1 << 20, /* of the allocator, told before a call */
};

/* A frame in that the stack may keep. */
struct replay_held {
    struct replay_held *next, *previous, **list;
    struct replay_held *next_lent;
    uint8_t bytes[];
};

struct replay {
    struct replay_setup setup;
    struct log_reader log;
    struct replay_totals totals;
    enum replay_status status;
    char error[256];

    struct weir *stack;
    uint64_t allocs;
    uint64_t *failures; /* which of them are to fail, in order */
    size_t failure_count, failure_room, failure_next;

    /* The call under way. */
    uint64_t call_index;
    bool is_answered;
    struct weir_call call;
    struct cursor body;
    struct weir_frame *frames;      /* frames_room of them */
    struct weir_frame **frames_out; /* as many */
    size_t frames_room;
    struct weir_slice *slices;
    struct weir_opt_value opts[OPTS_MAX];
    struct weir_prefix prefix;
    struct weir_addr addr;
    struct weir_endpoint local, remote;
    struct weir_netif_config netif_config;
    char netif_name[16];
    struct weir_event event;
    struct weir_ping_reply reply;
    uint8_t *buffer; /* what is received into */
    size_t buffer_room;
    struct replay_held *taken; /* the posted buffer that was taken back last, or NULL */

    /* Frames that the stack gave and the devices still have: of the number first + i. */
    struct weir_frame **out;
    size_t out_count, out_room;
    uint64_t out_first;
    uint64_t done_next;
    struct replay_held *held;
    struct replay_held *lent; /* for this call alone */

    weir_handle_t *handles;
    size_t handle_count, handle_room;
    uint8_t links[NETIFS_REMEMBERED];
};

/* ---- replay.c ---- */

/* REPLAY_FAILED, and a sentence: as given; a record whose check is right and whose contents are not. */
enum replay_status player_fail(struct replay *r, const char *what);
enum replay_status player_fail_memory(struct replay *r);
enum replay_status player_fail_record(struct replay *r);

/* Room for one more in an array that grows. */
bool player_make_room(void **array, size_t *room, size_t count, size_t size);

/* The stack's allocator, which fails when it did. */
void *player_alloc(void *ctx, size_t size, size_t align);
void player_free(void *ctx, void *memory, size_t size);

/* ---- play.c ---- */

/* Makes the call of r->call.kind with the arguments in r->body. */
enum replay_status player_make_call(struct replay *r);

/* Gives a frame out its number; NULL: it was sent then and not now. False: there is no memory. */
bool player_keep_out(struct replay *r, struct weir_frame *frame);

/* Ends the stack. */
void player_destroy(struct replay *r);

/* Gives back what the stack kept. */
void player_release_held(void *held);

/* ---- compare.c ---- */

/* Compares the answer in r->body with that of the call made last. */
enum replay_status player_compare(struct replay *r);

/* Whether it is time to give up. */
bool player_differs_too_much(const struct replay *r);

#endif
