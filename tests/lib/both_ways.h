/*
 * both_ways.h - what a connection sends on the short way it would send on the long one
 */
#ifndef TESTS_LIB_BOTH_WAYS_H
#define TESTS_LIB_BOTH_WAYS_H

struct tcp_conn;
struct tcp_env;

/*
 * Lets c send its next segment both ways (tcp/express.h, tcp/output.h), if it has a usual one, and
 * demands the same frame and the same state; c is as before then. To be called before it sends, so
 * that all situations of a test are compared.
 */
void both_ways_check(struct tcp_conn *c, struct tcp_env *env);

#endif
