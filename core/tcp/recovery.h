/*
 * recovery.h - what is lost, what is sent again, and how much may be under way
 */
#ifndef CORE_TCP_RECOVERY_H
#define CORE_TCP_RECOVERY_H

#include "base/ns.h"
#include "base/seq.h"
#include <stdbool.h>
#include <stdint.h>

struct tcp_conn;
struct tcp_env;

/* Work has been attached: nothing is lost, and the window is that of a start [RFC5681 4.1]. */
void recovery_init(struct tcp_conn *c, struct tcp_env *env);

/* The handshake is complete: the segment size and so the initial window are known. */
void recovery_on_established(struct tcp_conn *c, struct tcp_env *env);

/* A SYN or SYN-ACK had to be sent again because the timer fired. */
void recovery_on_syn_lost(struct tcp_conn *c, const struct tcp_env *env);
bool recovery_syn_was_lost(const struct tcp_conn *c);

/* The segment size has changed. */
void recovery_on_mss(struct tcp_conn *c, struct tcp_env *env);

/*
 * snd.una has moved forward by acked_bytes; rtt_ns is 0 if nothing was measured. Does that restart
 * the retransmission timer? [RFC6582 3.2 (3)]
 */
bool recovery_on_acked(struct tcp_conn *c, struct tcp_env *env, uint32_t acked_bytes, ns_t rtt_ns);

/* A duplicate acknowledgement, as RFC 5681 2 defines it. */
void recovery_on_dup_ack(struct tcp_conn *c, struct tcp_env *env);

/* The retransmission timer has fired. */
void recovery_on_timeout(struct tcp_conn *c, struct tcp_env *env);

/* The SYN, or the SYN-ACK of a simultaneous open, is to be sent (again). */
void recovery_on_syn(struct tcp_conn *c);

/* Is an echo that old of what was sent since the last timeout? */
bool recovery_is_echo_clear(const struct tcp_conn *c, const struct tcp_env *env, ns_t age_ns);

/* What is under way was too big for the path, not lost to congestion. */
void recovery_on_too_big(struct tcp_conn *c);

/* Data is about to be sent after a pause [RFC5681 4.1]. */
void recovery_on_restart(struct tcp_conn *c, struct tcp_env *env);

void recovery_stop(struct tcp_conn *c);

/* What is to be sent again now: [*seq, *seq + return value). 0: nothing. */
uint32_t recovery_next(const struct tcp_conn *c, seq_t *seq);

/* len bytes from seq on were sent again. */
void recovery_on_resent(struct tcp_conn *c, seq_t seq, uint32_t len);

/* How many bytes more may be under way. */
uint32_t recovery_room(const struct tcp_conn *c);

void recovery_check(const struct tcp_conn *c);

#endif
