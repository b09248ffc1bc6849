/*
 * cookie.h - SYN cookies: half-open connections that are not remembered [RFC4987 3.6]
 */
#ifndef CORE_TCP_COOKIE_H
#define CORE_TCP_COOKIE_H

#include "base/ns.h"
#include "base/seq.h"
#include "tcp/env.h"
#include "tcp/listen.h"
#include <stdbool.h>
#include <stdint.h>

struct tcp_agreed;
struct tcp_seg;

/* How long after a cookie was sent its acknowledgement may come, at most. */
#define COOKIE_LIFE_NS (128 * NS_S)

/* What a SYN-ACK says that is all that is left of a SYN. */
struct cookie {
    seq_t iss;
    uint32_t ts_val; /* if there are timestamps */
    uint32_t noise;  /* which nobody can foresee */
};

/* ends: isn_ends of the two; agreed: on what, with timestamps, or they do not matter. */
struct cookie cookie_of(const struct tcp_env *env, uint64_t ends, seq_t irs,
                        const struct tcp_agreed *agreed, bool is_classic_ecn);

/*
 * Turns a record, just made of a SYN, into one whose SYN-ACK is all that is left of it: the ISN says
 * what the acknowledgement must bring back, and what it cannot is agreed on no more. ends: isn_ends
 * of the record's.
 */
void cookie_make(struct tcp_halfopen *h, const struct tcp_env *env, uint64_t ends);

/*
 * An acknowledgement has come for a listener whose connections begin as model: does it answer a cookie of ours?
 * If so, *h is the record again that the SYN would have left.
 */
bool cookie_check(const struct tcp_env *env, const struct tcp_conn *model,
                  const struct tcp_tuple *tuple, const struct tcp_seg *ack, uint32_t mtu,
                  struct tcp_halfopen *h);

#endif
