/*
 * tstamp.h - timestamps and protection against wrapped sequence numbers [RFC7323]
 */
#ifndef CORE_TCP_TSTAMP_H
#define CORE_TCP_TSTAMP_H

#include "base/ns.h"
#include "base/parts.h"
#include "tcp/conn.h"
#include "tcp/seg.h"
#include <stdbool.h>
#include <stdint.h>

/* Were they agreed on? */
static inline bool tstamp_is_agreed(const struct tcp_agreed *agreed)
{
    return HAS_TIMESTAMPS && agreed->timestamps_ok;
}

/* Has the segment one that counts? */
static inline bool tstamp_is_in(const struct tcp_agreed *agreed, const struct tcp_seg *seg)
{
    return tstamp_is_agreed(agreed) && (seg->opt.present & TCP_HAS_TIMESTAMPS);
}

/* What it answers; 0: nothing. */
static inline uint32_t tstamp_echo(const struct tcp_conn *c, const struct tcp_seg *seg)
{
    return tstamp_is_in(&c->agreed, seg) ? seg->opt.ts_ecr : 0;
}

/* Where a connection's timestamps begin: different for each pair of ends, not to be foreseen. */
static inline uint32_t tstamp_offset_of(uint64_t ends)
{
    return (uint32_t)(ends >> 32); /* the lower half makes the ISN (isn.h) */
}

/* The timestamp clock: milliseconds. */
uint32_t tstamp_clock(ns_t now, uint32_t offset);

/* Is the segment's timestamp older than one already seen? [RFC7323 5.3 R1] */
bool tstamp_is_old(const struct tcp_conn *c, const struct tcp_env *env, const struct tcp_seg *seg);

/* Remembers the timestamp of the segment that the next ACK will answer [RFC7323 4.3 (2)]. */
void tstamp_note(struct tcp_conn *c, const struct tcp_env *env, const struct tcp_seg *seg);

/* The first SYN is to be sent now. */
void tstamp_open(struct tcp_conn *c, const struct tcp_env *env, uint32_t offset);

/* Can what answers our SYN echo this, or is it none of the times since then? */
bool tstamp_may_echo(const struct tcp_conn *c, const struct tcp_env *env,
                     const struct tcp_seg *seg);

/* The handshake's first timestamp. */
void tstamp_start(struct tcp_conn *c, const struct tcp_env *env, uint32_t recent);

/* Is an echo of ours from before that instant? */
bool tstamp_is_before(const struct tcp_conn *c, uint32_t echo, ns_t at);

/* The round trip that a valid echo tells of, 0 for none, or if there is no echo (0). */
ns_t tstamp_rtt_ns(const struct tcp_conn *c, const struct tcp_env *env, uint32_t echo);

#endif
