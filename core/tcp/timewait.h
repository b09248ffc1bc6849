/*
 * timewait.h - what is left of a connection for 2 MSL [RFC9293 3.6.1]
 */
#ifndef CORE_TCP_TIMEWAIT_H
#define CORE_TCP_TIMEWAIT_H

#include "base/seq.h"
#include "base/why.h"
#include "tcp/conn.h"
#include <stdbool.h>
#include <stdint.h>

struct frame;
struct tcp_seg;

struct tcp_timewait {
    struct tcp_tuple tuple;
    seq_t snd_nxt;
    seq_t rcv_nxt;
    uint32_t ts_offset;
    uint32_t ts_recent;
    uint32_t auth;   /* of env.auth; 0: none */
    uint16_t window; /* as in the header */
    uint8_t ttl;
    uint8_t tos;
    uint8_t min_ttl;
    uint8_t ace; /* what is in AE, CWR and ECE [RFC9768] */
    bool timestamps_ok;
};

void timewait_init(struct tcp_timewait *tw, const struct tcp_conn *c, const struct tcp_env *env);

enum timewait_verdict {
    TIMEWAIT_DROP,
    TIMEWAIT_ACK,     /* the peer has not seen our last acknowledgement, or is confused */
    TIMEWAIT_RESTART, /* the same, and 2 MSL begin anew */
    TIMEWAIT_REOPEN,  /* a new connection: a listener may have the SYN */
};

/* SEGMENT ARRIVES in TIME-WAIT. *why says why it goes no further. */
enum timewait_verdict timewait_input(const struct tcp_timewait *tw, const struct tcp_env *env,
                                     const struct tcp_seg *seg, enum why *why);

/* The acknowledgement. NULL: no memory. */
struct frame *timewait_ack(const struct tcp_timewait *tw, struct tcp_env *env);

/* The ISN of a new connection of the same ends is beyond all numbers of the old [RFC9293 MAY-2]. */
seq_t timewait_past(const struct tcp_timewait *tw);

#endif
