/*
 * both_ways.h - what a connection sends on the short way it would send on the long one, and what
 * it takes in on the short way becomes of it on the long one
 */
#ifndef TESTS_LIB_BOTH_WAYS_H
#define TESTS_LIB_BOTH_WAYS_H

#include <stdbool.h>

struct express_seg;
struct tcp_conn;
struct tcp_env;
struct tcp_halfopen;
struct tcp_seg;

/*
 * Lets c send its next segment both ways (tcp/express.h, tcp/output.h), if it has a usual one, and
 * demands the same frame and the same state; c is as before then. The same of a turn in which it has
 * nothing to send, if it would go without one. To be called before it sends, so
 * that all situations of a test are compared.
 */
void both_ways_check(struct tcp_conn *c, struct tcp_env *env);

/*
 * The same for a segment that comes in (tcp/express_in.h, tcp/input.h), if it is a usual one and nothing
 * has to come from a pool or go back: what is the connection's then has the same bytes. True: it is.
 */
bool both_ways_check_input(struct tcp_conn *c, struct tcp_env *env, const struct express_seg *usual,
                           struct tcp_seg *seg);

/* The same for one that comes in SYN-SENT (express_synack). */
bool both_ways_check_answer(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg);

/*
 * The same for the acknowledgement that makes a connection of a usual record (tcp_open_acknowledged,
 * tcp_open_passively), without what else the segment brings; c is closed, and stays so.
 */
void both_ways_check_open(const struct tcp_conn *c, struct tcp_env *env,
                          const struct tcp_halfopen *h, const struct tcp_seg *seg);

#endif
