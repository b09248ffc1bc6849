/*
 * output.h - the one place that decides what a connection sends
 */
#ifndef CORE_TCP_OUTPUT_H
#define CORE_TCP_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

struct frame;
struct tcp_conn;
struct tcp_env;

/* What came of it. */
struct tcp_turn {
    bool is_resent; /* the segment was sent before */
    bool has_more;  /* there may be another one: false if the next call would only find nothing */
    bool no_memory; /* for the segment that there is */
};

/*
 * The next segment to send, however it is (express.h has the usual ones), or NULL: nothing may be sent now, or there is no memory. gso_bytes is
 * how much text one segment may carry beyond the segment size; 0: no super-segments.
 */
struct frame *tcp_output(struct tcp_conn *c, struct tcp_env *env, uint32_t gso_bytes,
                         struct tcp_turn *turn);

#endif
