/*
 * replay.h - make the calls of a recording again, and compare what comes out
 *
 * A replay has a stack of its own. Each step makes one call of the log on it and compares the
 * answer with the recorded one. What the recorded application and its devices did is all in
 * the log: no clock, no device and no entropy is needed.
 */
#ifndef REPLAY_REPLAY_H
#define REPLAY_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/call.h>
#include <weir/trace.h>
#include <weir/weir.h>

#include "base/span.h"

struct replay;

enum replay_status {
    REPLAY_GOES_ON,
    REPLAY_STOPPED, /* at the time or the frame that was asked for */
    REPLAY_OVER,    /* the recording's end */
    REPLAY_CUT,     /* its end, but the recorder did not come to say so */
    REPLAY_FAILED,  /* the log is damaged, foreign or too new, or there is no memory: see error */
};

/* A frame that passes, as often as it does. */
struct replay_frame {
    weir_netif_t netif;
    enum weir_link link;
    bool is_out;
    uint64_t number; /* of all frames in both directions, from 1 */
    weir_ns_t at;
    const struct weir_frame *frame;
};

/* What a frame out is known by; text of headers, not of the payload. */
struct replay_packet {
    bool is_there; /* else nothing was sent here */
    uint8_t head[160];
    size_t head_len;
    size_t len;
    uint16_t gso_size;
    uint64_t digest; /* of all its bytes */
};

struct replay_difference {
    uint64_t call; /* the index of the record of the call */
    enum weir_call_kind kind;
    weir_ns_t at;
    char expected[160], seen[160]; /* in words */
    bool has_packets;              /* then also these */
    enum weir_link link;
    struct replay_packet packet_expected, packet_seen;
};

struct replay_setup {
    struct span log;     /* lent until replay_close */
    bool skips_checks;   /* for a fuzzer */
    size_t memory_limit; /* of the stack, if smaller than the recorded one; 0: none */
    weir_ns_t stop_at;   /* on the stack's clock, which begins at replay_started_at */
    bool stops_at_time;
    uint64_t stop_at_frame;   /* its number; 0: nowhere */
    size_t differences_max;   /* it stops after so many; 0: after the first */
    weir_trace_hook on_trace; /* may be NULL, as the following */
    void (*on_frame)(void *ctx, const struct replay_frame *frame);
    void (*on_difference)(void *ctx, const struct replay_difference *difference);
    void *ctx;
};

/* What there has been so far. */
struct replay_totals {
    uint64_t calls, frames_in, frames_out, differences;
    weir_ns_t started_at, at; /* on the stack's clock */
    weir_ns_t epoch_ns;       /* since 1970, when the recording began */
    char version[64];         /* of the library that was recorded: "weir 0.1.0" */
    unsigned word_bits;       /* of the machine it ran on */
};

/* NULL: there is no memory. What is wrong with a log is said by the first step. */
struct replay *replay_open(const struct replay_setup *setup);
void replay_close(struct replay **r);

/* Makes the next call. After anything but REPLAY_GOES_ON the same again. */
enum replay_status replay_step(struct replay *r);

/* After REPLAY_FAILED: a sentence. */
const char *replay_error(const struct replay *r);

const struct replay_totals *replay_totals(const struct replay *r);

/* The stack as it is now; NULL before it is made and after it has ended. */
struct weir *replay_stack(const struct replay *r);

/* The handles the recorded application holds now: the index-th, or 0 past the last. */
weir_handle_t replay_handle(const struct replay *r, size_t index);

/* The link of an interface. */
enum weir_link replay_link(const struct replay *r, weir_netif_t netif);

#endif
