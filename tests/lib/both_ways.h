/*
 * both_ways.h - what a connection sends on the short way it would send on the long one
 */
#ifndef TESTS_LIB_BOTH_WAYS_H
#define TESTS_LIB_BOTH_WAYS_H

#include <stdint.h>

struct tcp_conn;
struct tcp_env;

/*
 * Decides what c sends next and builds it both ways (tcp/output.h, tcp/segment.h), and demands the
 * same segment, the same bytes and the same state; c is as before then. To be called before
 * tcp_output, so that all situations of a test are compared.
 */
void both_ways_check(struct tcp_conn *c, struct tcp_env *env, uint32_t gso_bytes);

#endif
