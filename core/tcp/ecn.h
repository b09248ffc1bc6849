/*
 * ecn.h - explicit congestion notification [RFC3168, RFC9768]: what others tell it and ask it
 */
#ifndef CORE_TCP_ECN_H
#define CORE_TCP_ECN_H

#include "tcp/conn.h"
#include "wire/ip.h"
#include <stdbool.h>
#include <stdint.h>

struct delivery;
struct segment;
struct tcp_header;
struct tcp_options;
struct tcp_seg;

/* ---- the handshake ---- */

/* OPEN, active: our SYN is about to be sent. */
void ecn_open(struct tcp_conn *c, const struct tcp_env *env);

/* A SYN arrives in LISTEN, for a connection with that congestion control. */
struct ecn_half ecn_half_of_syn(const struct tcp_env *env, const struct cc_ops *ops,
                                const struct tcp_seg *syn);

/*
 * The SYN arrives again. False: it asks for another kind of feedback, and what the two ends agree
 * on can be known no more: reset [RFC9768 3.1.5].
 */
bool ecn_half_take_syn(struct ecn_half *half, const struct tcp_seg *syn);

/*
 * A SYN-ACK was sent without a record, and this answers it: what had been agreed on, as far as
 * the answer shows [RFC9768 5.1].
 */
struct ecn_half ecn_half_of_ack(const struct tcp_env *env, const struct cc_ops *ops,
                                const struct tcp_seg *ack);

/* The flags of the SYN-ACK and its option, when it has been sent again so many times. */
uint16_t ecn_half_synack(const struct ecn_half *half, uint8_t retries, struct tcp_options *options);

/* The flags of any other segment of a connection that is half open. */
uint16_t ecn_half_ack(const struct ecn_half *half);

/* The record becomes a connection. */
void ecn_start(struct tcp_conn *c, const struct ecn_half *half, uint8_t retries);

/* In SYN-SENT: a SYN-ACK, or the SYN of a peer that opens at the same time. */
void ecn_on_synack(struct tcp_conn *c, const struct tcp_seg *seg);
void ecn_on_syn(struct tcp_conn *c, const struct tcp_env *env, const struct tcp_seg *seg);

/* The segment that has acknowledged our SYN-ACK; the connection is established. */
void ecn_on_handshake_ack(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg);

/*
 * The connection is about to be established: a congestion control that cannot do without marks has
 * them, or another takes its place.
 */
void ecn_on_established(struct tcp_conn *c);

/* It is, and cwnd is set. */
void ecn_on_started(struct tcp_conn *c, struct tcp_env *env);

/* A SYN or SYN-ACK where there cannot be one: a challenge ACK will answer it. */
void ecn_on_syn_again(struct tcp_conn *c, const struct tcp_seg *seg);

/* ---- in ---- */

/* An acceptable segment has passed the fifth check. */
void ecn_on_segment(struct tcp_conn *c, const struct tcp_seg *seg);

/* Text has come that had come before. */
void ecn_on_text_again(struct tcp_conn *c);

/* What a segment acknowledges is known, if it is anything: notes what it tells of marks, in d, too. */
void ecn_on_ack(struct tcp_conn *c, const struct tcp_seg *seg, struct delivery *d);

/* Whether neither of these two would find anything in a segment with these flags. */
bool ecn_is_silent(const struct tcp_conn *c, uint16_t flags, uint8_t tos);

/* cwnd was reduced, for whatever reason: the peer is told by CWR [RFC3168 6.1.2]. */
void ecn_on_reduced(struct tcp_conn *c);

/* For STATUS. */
void ecn_info(const struct tcp_conn *c, struct weir_tcp_info *info);

/* ---- out ---- */

/* The ACK of the SYN-ACK has to go before any text [RFC9768 3.2.2.1]. */
bool ecn_wants_pure_ack(const struct tcp_conn *c);

/* A segment with new text must not be a super-segment: a device would change its CWR. */
bool ecn_is_single(const struct tcp_conn *c);

/* So many bytes of a full segment's text have to make room for an option. */
uint32_t ecn_option_bytes(const struct tcp_conn *c);

/* What ACE says for as long as nothing more is counted: 0 without accurate ECN. */
uint8_t ecn_last_ace(const struct tcp_conn *c);

/*
 * Adds what ECN has to say to a segment that goes out: flags, the option (its counters are put into
 * bytes, if what is said so far leaves room for them and option_room allows it), and the mark, which
 * is returned.
 */
enum { ECN_OPTION_MAX = 9 };
enum ip_ecn ecn_dress(struct tcp_conn *c, const struct segment *segment, struct tcp_header *h,
                      struct tcp_options *options, uint8_t bytes[ECN_OPTION_MAX],
                      uint32_t option_room);

#endif
