/*
 * ack.h - the fifth check: what a segment acknowledges [RFC9293 3.10.7.4]
 */
#ifndef CORE_TCP_ACK_H
#define CORE_TCP_ACK_H

#include "base/seq.h"
#include <stdint.h>

struct tcp_conn;
struct tcp_env;
struct tcp_seg;

/*
 * Takes what the segment acknowledges, cumulatively or selectively, or hints at as a duplicate
 * [RFC5681 2]; its ack is not beyond snd.nxt.
 */
void ack_take(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg);

/* The same for the one that completes a handshake: it acknowledges our SYN. */
void ack_take_handshake(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg);

/* The same of a SYN that was sent once and alone, and behind which nobody waits. */
void ack_take_syn(struct tcp_conn *c, struct tcp_env *env, seq_t ack);

/*
 * The same of a SYN-ACK that was sent once, on a connection that is made by that: nothing is queued, nor
 * has anybody asked for anything.
 */
void ack_take_synack(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg);

/*
 * The same for a segment that acknowledges something new, has no blocks of SACK and no news of
 * marks, on a connection that is synchronized (predict.h).
 */
void ack_take_expected(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg);

/* The same where the connection is calm as well (recovery.h): what is under way has only to be counted out. */
void ack_take_calmly(struct tcp_conn *c, struct tcp_env *env, seq_t ack);

/* The same where one side may have closed: it may be the last that there is to acknowledge. */
void ack_take_at_end(struct tcp_conn *c, struct tcp_env *env, seq_t ack);

/* Takes the peer's window, unless the segment is older than the one that set it. */
void ack_take_window(struct tcp_conn *c, const struct tcp_seg *seg);

/* The same for what such a segment says: a window in bytes, where it begins, what it acknowledges. */
void ack_take_window_of(struct tcp_conn *c, uint32_t wnd, seq_t seq, seq_t ack);

/* The handshake's window, of a segment that may be a SYN. */
void ack_set_window(struct tcp_conn *c, const struct tcp_seg *seg);

#endif
