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

/*
 * The next segment to send, or NULL: nothing may be sent now, or there is no memory
 * (*no_memory). gso_bytes is how much text one segment may carry beyond the segment size; 0: no
 * super-segments. *is_resent: it was sent before.
 */
struct frame *tcp_output(struct tcp_conn *c, struct tcp_env *env, uint32_t gso_bytes,
                         bool *is_resent, bool *no_memory);

#endif
