/*
 * record.h - keep trace events, to look at them when all is over
 *
 * A recording holds what happened at one or two ends, in the order in which it happened.
 * The hook lends its events; the recording copies what it keeps. What no stack knows - that
 * a packet was lost on the way, that somebody pulled the plug - is added as a mark.
 */
#ifndef TRACE_RECORD_H
#define TRACE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <weir/trace.h>

enum trace_side {
    TRACE_LEFT,
    TRACE_RIGHT,
};

enum trace_record_kind {
    TRACE_RECORD_EVENT, /* event: what the stack on that side has told */
    TRACE_RECORD_LOST,  /* the packet that was sent by that side, and never arrived */
    TRACE_RECORD_MARK,  /* text: what somebody did there, and state if that changed it */
};

enum {
    TRACE_TEXT_MAX = 120, /* with the NUL */
};

#define TRACE_STATE_SAME WEIR_TCP_STATES /* a mark that changes no state */

struct trace_record {
    enum trace_record_kind kind;
    enum trace_side side;
    weir_ns_t at;
    struct weir_trace event;  /* without slices and text: see packet and text */
    struct weir_slice packet; /* owned */
    enum weir_tcp_state state;
    char text[TRACE_TEXT_MAX];
};

/* Starts as all zeros. */
struct recording {
    struct trace_record *records;
    size_t count;
    size_t room;
    bool is_full; /* there was no memory: what came after is missing */
};

void recording_fini(struct recording *r);

void recording_add_event(struct recording *r, enum trace_side side, const struct weir_trace *event);

/* A packet that this side has sent is lost. */
void recording_add_lost(struct recording *r, enum trace_side side, weir_ns_t at,
                        struct weir_slice packet);

/* text is copied; state may be TRACE_STATE_SAME. */
void recording_add_mark(struct recording *r, enum trace_side side, weir_ns_t at, const char *text,
                        enum weir_tcp_state state);

#endif
