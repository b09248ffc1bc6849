/*
 * output.h - the one place that decides what a connection sends
 */
#ifndef CORE_TCP_OUTPUT_H
#define CORE_TCP_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

struct frame;
struct segment;
struct tcp_conn;
struct tcp_env;

/* What came of it. */
struct tcp_turn {
    bool is_resent; /* the segment was sent before */
    bool has_more;  /* there may be another one: false if the next call would only find nothing */
    bool no_memory; /* for the segment that there is */
};

/*
 * The next segment to send, or NULL: nothing may be sent now, or there is no memory. gso_bytes is
 * how much text one segment may carry beyond the segment size; 0: no super-segments.
 */
struct frame *tcp_output(struct tcp_conn *c, struct tcp_env *env, uint32_t gso_bytes,
                         struct tcp_turn *turn);

/*
 * What it decides to send: segments of mss bytes, a super-segment of at most most bytes. The first
 * looks for what is nearly always sent, text that all goes at once or an acknowledgement, and
 * says false of anything else; the second says the same of it, and more of the rest.
 */
bool tcp_decide_plain(struct tcp_conn *c, const struct tcp_env *env, uint32_t mss,
                      struct segment *s);
bool tcp_decide(struct tcp_conn *c, struct tcp_env *env, uint32_t mss, uint32_t most,
                struct segment *s);

#endif
