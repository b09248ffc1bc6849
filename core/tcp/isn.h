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

/* Where a connection begins that nobody is to foresee. */
struct isn {
    seq_t seq;
    uint32_t ts_offset; /* of its timestamps' clock [RFC7323 5.4] */
};

/* A keyed hash of both ends. */
uint64_t isn_hash(struct siphash_key key, const struct tcp_tuple *tuple);

/*
 * The same for a number that only chooses among a few: where a search for a port begins tells nobody more
 * than the ports themselves do, so that the faster hash does.
 */
uint32_t isn_hash_short(struct siphash_key key, const struct tcp_tuple *tuple);

/* The one that the two are made of, and cookies: neither half of it tells anything about the other. */
uint64_t isn_ends(const struct tcp_env *env, const struct tcp_tuple *tuple);

struct isn isn_of(const struct tcp_env *env, uint64_t ends);

#endif
