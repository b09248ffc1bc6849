/*
 * segment.h - from a decision to a frame
 */
#ifndef CORE_TCP_SEGMENT_H
#define CORE_TCP_SEGMENT_H

#include "base/seq.h"
#include "tcp/conn.h"
#include <stdint.h>

struct frame;
struct tcp_options;

/* A segment of a connection that is to be sent. */
struct segment {
    seq_t seq;
    uint32_t len; /* of the text, from the send queue */
    uint16_t flags;
    bool is_resent;     /* it was sent before */
    bool is_tail_probe; /* [RFC8985 7] */
    bool is_mtu_probe;  /* one segment, although it is longer than others [RFC4821] */
    bool is_past;       /* it acknowledges what could have been acknowledged before: see ack */
    seq_t ack;
};

/* A segment without text that no connection sends: a reset, a SYN-ACK, an ACK in TIME-WAIT. */
struct reply {
    struct tcp_tuple tuple; /* ours is local */
    seq_t seq;
    seq_t ack;
    uint16_t flags;
    uint16_t window;
    uint32_t auth; /* its options have room for the digest; 0: none */
    uint8_t ttl;   /* 0: the stack's default */
    uint8_t tos;
};

/*
 * The frame with TCP's header and the text; NULL: no memory. *segment's len is what fitted.
 * mss cuts it up if it is longer: then it is a super-segment.
 */
struct frame *segment_build(struct tcp_conn *c, struct tcp_env *env, struct segment *segment,
                            uint32_t mss);

/*
 * Whether the header is a plain one, unless the segment is a special one: it says nothing but where
 * the segment stands, what it acknowledges and the time, as nearly all do.
 */
bool segment_is_plain(const struct tcp_conn *c);

/* Returns the raw sum of the header and its pseudo-header (base/checksum.h). */
uint64_t segment_push_plain(struct tcp_conn *c, const struct tcp_env *env,
                            const struct segment *segment, struct frame *frame);

struct frame *segment_build_reply(struct tcp_env *env, const struct reply *reply,
                                  const struct tcp_options *options);

#endif
