/*
 * segment.h - from a decision to a frame
 */
#ifndef CORE_TCP_SEGMENT_H
#define CORE_TCP_SEGMENT_H

#include "base/be.h"
#include "base/checksum.h"
#include "base/frame.h"
#include "base/seq.h"
#include "tcp/conn.h"
#include "tcp/ecn.h"
#include "tcp/tstamp.h"
#include "tcp/window.h"
#include "wire/ip.h"
#include "wire/tcp.h"
#include <stdint.h>
#include <string.h>

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
    const struct tcp_tuple *tuple; /* ours is local */
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
static inline bool segment_is_plain(const struct tcp_conn *c)
{
    const struct tcp_work *w = c->work;

    return c->auth == 0 && c->ecn.mode == ECN_NONE && !c->snd_urgent && !c->timeout_owed
           && w->reasm == NULL && !w->sack.has_dsack;
}

/* The sum of the pseudo-header without its length: the ends do not change, nor does it. */
uint32_t segment_pseudo_sum(const struct tcp_conn *c, const struct tcp_env *env);

/*
 * Writes it where it stands in the frame, before the text, but for the checksum; returns what its words and those of
 * the pseudo-header add up to (frame_set_checksum).
 */
static inline uint64_t segment_fill_plain(struct tcp_conn *c, const struct tcp_env *env, seq_t seq,
                                          uint16_t flags, struct frame *frame)
{
    struct tcp_plain h = {.seq = seq.raw, .flags = flags};

    if (c->work->pseudo_sum == 0)
        c->work->pseudo_sum = segment_pseudo_sum(c, env);
    h.window = window_announce(c, false);
    h.src_port = c->ends.local_port;
    h.dst_port = c->ends.remote_port;
    h.ack = c->rcv.nxt.raw;
    h.has_timestamps = c->agreed.timestamps_ok;
    h.ts_val = tstamp_clock(env->now, c->ts.offset);
    h.ts_ecr = c->ts.recent;
    return tcp_emit_plain(&h, frame->wire.slices[0].bytes) + c->work->pseudo_sum + frame->wire.len;
}

/* The checksum of that is left to be made: what is there of it is the pseudo-header's sum. */
static inline void segment_leave_checksum(const struct tcp_conn *c, struct frame *frame)
{
    uint32_t sum = checksum_reduce32(c->work->pseudo_sum + (uint32_t)frame->wire.len);
    be16_t wire = be16_of((uint16_t)sum);

    memcpy(frame->wire.slices[0].bytes + TCP_CHECKSUM_AT, &wire, sizeof wire);
    frame_need_checksum(frame, TCP_CHECKSUM_AT);
}

/* It is longer than a segment: to be cut into such as have mss bytes of text. */
static inline void segment_set_gso(const struct tcp_conn *c, struct frame *frame, uint32_t mss)
{
    frame->wire.gso = ends_are_v4(&c->ends) ? WEIR_GSO_TCP4 : WEIR_GSO_TCP6;
    frame->wire.gso_size = (uint16_t)mss;
}

/* A SYN or SYN-ACK that offers what nearly all of them offer, and says nothing else. */
struct usual_syn {
    const struct tcp_tuple *tuple;
    const struct tcp_agreed *offers; /* of which all is offered (options_are_usual) */
    seq_t seq, ack;
    uint16_t flags;
    uint16_t window;
    uint32_t ts_val, ts_ecr;
};

/* Its frame, with the checksum; NULL: no memory. */
struct frame *segment_build_usual_syn(struct tcp_env *env, const struct usual_syn *syn);

/* A frame that is nothing but that header, between these ends, with the checksum; NULL: no memory. */
struct frame *segment_build_plain(struct tcp_env *env, const struct tcp_tuple *tuple,
                                  const struct tcp_plain *h);

struct frame *segment_build_reply(struct tcp_env *env, const struct reply *reply,
                                  const struct tcp_options *options);

#endif
