/*
 * isn.h - initial sequence numbers [RFC9293 3.4.1] [RFC6528]
 */
#ifndef CORE_TCP_ISN_H
#define CORE_TCP_ISN_H

#include "base/seq.h"
#include "base/siphash.h"
#include <stdint.h>

struct tcp_env;
struct tcp_tuple;

seq_t isn_of(const struct tcp_env *env, const struct tcp_tuple *tuple);

/* A keyed hash of both ends. */
uint64_t isn_hash(struct siphash_key key, const struct tcp_tuple *tuple);

#endif
