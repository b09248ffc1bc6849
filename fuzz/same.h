/*
 * same.h - two connections that are alike in all that can be seen and that follows
 */
#ifndef FUZZ_SAME_H
#define FUZZ_SAME_H

#include "base/ns.h"

struct tcp_conn;

/* They have lived through the same until now, one of them by other ways: stops if it shows. */
void same_conn(const struct tcp_conn *a, const struct tcp_conn *b, ns_t now);

#endif
