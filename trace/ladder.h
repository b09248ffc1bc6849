/*
 * ladder.h - one connection as a ladder: a row for each segment, with the states around it
 *
 * Built from a recording once all is over. Of an end that was recorded, the states are its
 * own; of the other one they are inferred from the segments (infer.h). A segment is one
 * row, unless the end it goes to sends something of its own while it is under way: then
 * departure and arrival are two rows, as in RFC 9293's figures of segments that cross.
 */
#ifndef TRACE_LADDER_H
#define TRACE_LADDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/addr.h>
#include <weir/tcp.h>

#include "format/seg_text.h"
#include "trace/record.h"

enum ladder_kind {
    LADDER_SEGMENT, /* sent at at, arrived at arrived_at */
    LADDER_DEPARTS, /* sent at at; a row below says when it arrives */
    LADDER_ARRIVES, /* arrived_at; sent at at, in a row above */
    LADDER_NOTE,    /* text: what happens at one end between segments */
};

/* What the ninth flag is called, and whether the last three are one number. */
enum ladder_ninth {
    LADDER_AE,  /* accurate ECN is asked for [RFC9768], or the handshake was not seen */
    LADDER_NS,  /* it is not: the nonce of old [RFC3540] */
    LADDER_ACE, /* it is agreed on: AE, CWR and ECE are the counter ACE */
};

struct ladder_row {
    enum ladder_kind kind;
    enum trace_side side; /* the sender; of a note: whom it is about */
    weir_ns_t at;
    weir_ns_t arrived_at; /* WEIR_NEVER: it did not */
    struct seg_text seg;
    struct weir_slice packet; /* the recording's */
    uint32_t window;          /* bytes */
    uint8_t window_shift;     /* with which seg.window becomes window */
    enum ladder_ninth ninth;
    bool is_retransmit;
    weir_ns_t again_ns; /* how long after the time before */
    bool is_lost;
    bool is_first; /* one of the handshake: the raw numbers are worth showing */
    size_t why;    /* why it went no further where it arrived (weir/stats.h); 0: it did */
    enum weir_tcp_state before[2], after[2]; /* of both ends */
    char text[TRACE_TEXT_MAX];
};

struct ladder {
    struct ladder_row *rows;
    size_t count, room;
    char names[2][24];
    struct weir_endpoint ends[2];
    bool is_inferred[2]; /* the states of this end */
    bool has_isn[2];
    uint32_t isn[2];
    weir_ns_t started_at; /* when the first row happens: times are shown from here */
};

/*
 * Builds the ladder of the first TCP connection in the recording, which must outlive it.
 * Returns 0, WEIR_EAGAIN (there is no segment in it), or WEIR_ENOMEM; *l is always to be given to
 * ladder_fini.
 */
int ladder_init(struct ladder *l, const struct recording *r, const char *left, const char *right);
void ladder_fini(struct ladder *l);

/* The origin of the numbers of a row: 0 is the ISN, where it is known. */
struct seg_origin ladder_origin(const struct ladder *l, const struct ladder_row *row);

/*
 * "SYN ACK": all nine flags by name, or "PSH ACK ACE 5"; at most LADDER_FLAGS_MAX with the NUL.
 * "none" for none.
 */
enum { LADDER_FLAGS_MAX = 48 };
const char *ladder_flags_text(uint16_t flags, enum ladder_ninth ninth, char text[LADDER_FLAGS_MAX]);

/* "63.000000": seconds in nine characters. */
enum { LADDER_TIME_MAX = 24 };
const char *ladder_time_text(weir_ns_t duration_ns, char text[LADDER_TIME_MAX]);

#endif
