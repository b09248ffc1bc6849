/*
 * input.h - SEGMENT ARRIVES [RFC9293 3.10.7]
 */
#ifndef CORE_TCP_INPUT_H
#define CORE_TCP_INPUT_H

#include "base/why.h"
#include <stdbool.h>

struct tcp_conn;
struct tcp_env;
struct tcp_seg;

/*
 * Takes a segment in, in any state but CLOSED, LISTEN and TIME-WAIT. Nothing is sent: what
 * the peer is owed is noted in the connection, and seg->wants_reset says that the
 * answer is a reset made from the segment. Returns why it went no further, or WHY_NONE.
 */
enum why tcp_input(struct tcp_conn *c, struct tcp_env *env, struct tcp_seg *seg);

/*
 * The same step by step, also where the segment is the one that was expected: so that what
 * becomes of the connection in both ways can be compared.
 */
enum why tcp_input_by_steps(struct tcp_conn *c, struct tcp_env *env, struct tcp_seg *seg);

/* Owes a challenge ACK, within the connection's budget [RFC5961 7]. */
void tcp_challenge(struct tcp_conn *c, struct tcp_env *env);

/* The handshake is complete: SYN-SENT or SYN-RECEIVED becomes ESTABLISHED. */
void tcp_established(struct tcp_conn *c, struct tcp_env *env);

/*
 * What the acknowledgement of our FIN means to each state, if it has come; true: it is the last that
 * the connection waits for, and what else the segment brings is nobody's.
 */
bool tcp_note_fin_acked(struct tcp_conn *c, struct tcp_env *env);

/* The peer's FIN has come, and all before it. */
void tcp_take_fin(struct tcp_conn *c, struct tcp_env *env);

/*
 * The text of a SYN with which a connection has just been made [RFC7413 4.2]. What there is no
 * room or memory for will come again.
 */
void tcp_take_syn_text(struct tcp_conn *c, struct tcp_env *env, struct tcp_seg *seg);

#endif
