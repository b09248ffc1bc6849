/*
 * window.h - what may be sent, and what we say may be sent to us [RFC9293 3.8.6]
 */
#ifndef CORE_TCP_WINDOW_H
#define CORE_TCP_WINDOW_H

#include "base/seq.h"
#include <stdbool.h>
#include <stdint.h>

struct tcp_conn;
struct tcp_env;

/*
 * How far our windows are shifted, so that a buffer of that size can be announced, also when it has
 * grown [RFC7323 2.3].
 */
uint8_t window_scale_for(uint32_t recv_buffer_bytes, uint32_t most_bytes);

/* The peer's window beyond snd.nxt; 0 also if the window has shrunk behind it. */
uint32_t window_usable(const struct tcp_conn *c);

/* What is left of the window last announced. */
uint32_t window_remaining(const struct tcp_conn *c);

/*
 * The window field of a segment that is going out now and acknowledges rcv.nxt: notes both.
 * In a SYN it is not scaled.
 */
uint16_t window_announce(struct tcp_conn *c, bool is_syn);

/*
 * The same for a segment that acknowledges no more than ack, which is between the last acknowledgement
 * and rcv.nxt: the window ends where it did.
 */
uint16_t window_repeat(struct tcp_conn *c, seq_t ack);

/* Would announcing now tell the peer of much more room than it knows of? */
bool window_is_worth_announcing(const struct tcp_conn *c);

#endif
