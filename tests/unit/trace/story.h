/*
 * story.h - recordings told in packetdrill's notation
 *
 *   struct story s = story_of();
 *   story_at(&s, 10 * WEIR_MS);
 *   story_sends(&s, TRACE_LEFT, "S 0:0(0) win 1000");
 *   story_becomes(&s, TRACE_LEFT, WEIR_TCP_CLOSED, WEIR_TCP_SYN_SENT);
 *
 * Sequence numbers of both ends begin just below the wrap. Ends are 192.0.2.1:1000 (left) and
 * 192.0.2.2:80.
 */
#ifndef TESTS_UNIT_TRACE_STORY_H
#define TESTS_UNIT_TRACE_STORY_H

#include "trace/ladder.h"

struct story {
    struct recording recording;
    struct ladder ladder;
    weir_ns_t now;
    enum weir_tcp_state state[2]; /* what packets meet */
};

enum {
    STORY_LEFT_ISN = -2, /* as uint32_t */
    STORY_RIGHT_ISN = -3,
};

struct story story_of(void);
void story_fini(struct story *s);

void story_at(struct story *s, weir_ns_t at);

/* The stack on that side says that it sends or takes in a packet; states by story_becomes. */
void story_sends(struct story *s, enum trace_side side, const char *segment);
void story_resends(struct story *s, enum trace_side side, const char *segment);
void story_receives(struct story *s, enum trace_side side, const char *segment);
void story_loses(struct story *s, enum trace_side sender, const char *segment);

void story_becomes(struct story *s, enum trace_side side, enum weir_tcp_state from,
                   enum weir_tcp_state to);
void story_event(struct story *s, enum trace_side side, enum weir_trace_kind kind,
                 const char *text);
void story_drops(struct story *s, enum trace_side side, size_t why);

/* Builds the ladder of "left" and "right"; returns how many rows it has. */
size_t story_ladder(struct story *s);

/*
 * Row i as text: "0.010 left S 0:0(0) CLOSED>SYN-SENT LISTEN>SYN-RECEIVED", with what else is
 * to be said of it in front of the states.
 */
const char *story_row(const struct story *s, size_t i);

#endif
