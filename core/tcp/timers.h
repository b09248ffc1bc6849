/*
 * timers.h - what a connection waits for
 */
#ifndef CORE_TCP_TIMERS_H
#define CORE_TCP_TIMERS_H

#include "base/ns.h"
#include <stdbool.h>

struct tcp_conn;
struct tcp_env;

/* The next deadline, NEVER if there is none. */
ns_t tcp_deadline(const struct tcp_conn *c);

/*
 * The same, remembered in work.alarm_at, which from then on is at or before the first deadline: as long as
 * it is not before the alarm that was set for it, there is no need to set another.
 */
ns_t timers_choose_alarm(struct tcp_conn *c);

/* Does the work of all deadlines that have passed. */
void tcp_expire(struct tcp_conn *c, struct tcp_env *env);

/* Something with a sequence number was sent; is_new: for the first time. */
void timers_on_sent(struct tcp_conn *c, struct tcp_env *env, bool is_new);

/* New data was sent where nothing speaks against a probe (tlp_schedule_calmly). */
void timers_on_sent_calmly(struct tcp_conn *c, struct tcp_env *env);

/* What begins at snd.una was sent again: there is a round trip until it can be acknowledged. */
void timers_on_first_resent(struct tcp_conn *c, struct tcp_env *env);

/* It was a tail loss probe. */
void timers_on_tail_probe(struct tcp_conn *c, struct tcp_env *env);

/* A round trip was measured, or the timeout is set anew. */
void timers_on_measured(struct tcp_conn *c);

/* New data, SYN or FIN was acknowledged. */
void timers_on_acked(struct tcp_conn *c, struct tcp_env *env);

/* Something was acknowledged selectively, or is known to be lost. */
void timers_on_sacked(struct tcp_conn *c, struct tcp_env *env);

/* The peer has dropped what it had acknowledged selectively: it waits for it. */
void timers_on_taken_back(struct tcp_conn *c, struct tcp_env *env);

/* A valid segment of any kind came in: the peer lives. */
void timers_on_received(struct tcp_conn *c, struct tcp_env *env);

/* Data that may be acknowledged later came in; the acknowledgement went out. */
void timers_on_ack_delayed(struct tcp_conn *c, struct tcp_env *env, ns_t delay_ns);
void timers_on_ack_sent(struct tcp_conn *c);

/* There is something to send and the window is shut, or it is not any more. */
void timers_on_window_shut(struct tcp_conn *c, struct tcp_env *env);
void timers_on_window_open(struct tcp_conn *c);

/* A segment has to wait for its time. */
void timers_on_paced(struct tcp_conn *c);

/* A short segment is held back; it goes out. */
void timers_on_held_back(struct tcp_conn *c, struct tcp_env *env);
void timers_on_not_held_back(struct tcp_conn *c);

/* The handshake is complete, or the options of keep-alive have changed. */
void timers_on_keepalive(struct tcp_conn *c, struct tcp_env *env);

/* The application has given the connection up, and the peer is still to close. */
void timers_on_orphaned(struct tcp_conn *c, struct tcp_env *env);

/* There is nothing left to do. */
void timers_on_quiet(struct tcp_conn *c, struct tcp_env *env);

/* The connection has ended. */
void timers_stop(struct tcp_conn *c);

/* The retransmission timeout with its backoff. */
ns_t timers_rto_ns(const struct tcp_conn *c, const struct tcp_env *env);

#endif
