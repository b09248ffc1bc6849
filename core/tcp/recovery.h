/*
 * recovery.h - what is lost, what is sent again, and how much may be under way
 */
#ifndef CORE_TCP_RECOVERY_H
#define CORE_TCP_RECOVERY_H

#include "base/ns.h"
#include "base/seq.h"
#include <stdbool.h>
#include <stdint.h>

struct delivery;
struct cc_ops;
struct cc_rate;
struct tcp_conn;
struct tcp_env;

enum recovery_state {
    RECOVERY_OPEN,
    RECOVERY_CWR,  /* the window shrinks because of marks; nothing is lost */
    RECOVERY_FAST, /* something is lost, and acknowledgements keep coming */
    RECOVERY_RTO,  /* the retransmission timer has fired */
};

/* Whether a timeout was spurious, told by what arrives after it [RFC5682 2.1, 3.1]. */
enum frto {
    FRTO_OFF,
    FRTO_FIRST,  /* the first segment was sent again: what does its acknowledgement cover? */
    FRTO_SECOND, /* new data was sent instead of old: what does the next one cover? */
};

struct recovery {
    enum recovery_state state;
    enum frto frto;
    ns_t timeout_at;    /* the timer fired last, in RECOVERY_RTO or for a SYN */
    seq_t recover;      /* snd.nxt when it began; recovery ends when it is acknowledged */
    uint32_t dup_acks;  /* without SACK: in a row */
    uint32_t dup_bytes; /* and what they say has arrived */
    bool recover_valid; /* false until something was lost: recover is an old number */
    bool restarted;     /* by the first partial acknowledgement of this recovery */
    bool syn_owed;      /* the SYN, or the SYN-ACK of a simultaneous open, is to be sent (again) */
    bool syn_was_lost;
    const char *phase_told; /* of the congestion control, to the trace */
};

/* Work has been attached: nothing is lost, and the window is that of a start [RFC5681 4.1]. */
void recovery_init(struct tcp_conn *c, const struct tcp_env *env);

/* The same before a handshake: the congestion control starts when that is complete. */
void recovery_begin(struct tcp_conn *c, const struct tcp_env *env);

/* The handshake is complete: the segment size and so the initial window are known. */
void recovery_on_established(struct tcp_conn *c, struct tcp_env *env);

/* The same when nothing has happened since recovery_begin but that the SYN was sent and answered. */
void recovery_on_established_at_once(struct tcp_conn *c, struct tcp_env *env);

/* IW [RFC6928 2]. */
uint32_t recovery_initial_window(const struct tcp_env *env, uint32_t mss);

/* A SYN or SYN-ACK had to be sent again because the timer fired. */
void recovery_on_syn_lost(struct tcp_conn *c, const struct tcp_env *env);
bool recovery_syn_was_lost(const struct tcp_conn *c);

/* The segment size has changed. */
void recovery_on_mss(struct tcp_conn *c, struct tcp_env *env);

/*
 * An acknowledgement has been taken in, snd.una and the scoreboard are up to date. Does it
 * restart the retransmission timer? [RFC6298 5.3] [RFC6582 3.2 (3)]
 */
bool recovery_on_ack(struct tcp_conn *c, struct tcp_env *env, struct delivery *d);

/*
 * Everything is as in a connection that never lost anything: an acknowledgement of something new,
 * without blocks of SACK and news of marks, says no more than that the network works.
 */
bool recovery_is_calm(const struct tcp_conn *c);

/*
 * Such a one has come, where it was so, with that sample, if the congestion control asks for samples:
 * recovery_on_ack, which would return true.
 */
void recovery_on_ack_calmly(struct tcp_conn *c, struct tcp_env *env, const struct delivery *d,
                            const struct cc_rate *rate);

/*
 * The peer tells of a mark that its acknowledgements do not: that is answered like a loss, with nothing
 * to send again, once in a round trip [RFC3168 6.1.2].
 */
void recovery_on_ecn_echo(struct tcp_conn *c, struct tcp_env *env);

/* What may have been reordered has not arrived in time [RFC8985 6.3]. */
void recovery_on_reordering_timeout(struct tcp_conn *c, struct tcp_env *env);

/* The retransmission timer has fired. */
void recovery_on_timeout(struct tcp_conn *c, struct tcp_env *env);

/* The SYN, or the SYN-ACK of a simultaneous open, is to be sent (again). */
void recovery_on_syn(struct tcp_conn *c);

/* Another congestion control goes on from the same window. */
void recovery_set_cc(struct tcp_conn *c, const struct cc_ops *ops);

/* It has been sent. */
void recovery_on_syn_sent(struct tcp_conn *c, const struct tcp_env *env, bool is_resent);

/* Is an echo that old of what was sent since the last timeout? */
bool recovery_is_echo_clear(const struct tcp_conn *c, const struct tcp_env *env, ns_t age_ns);

/* What is under way was too big for the path, not lost to congestion. */
void recovery_on_too_big(struct tcp_conn *c);

/* Data is about to be sent after a pause [RFC5681 4.1]. */
void recovery_on_restart(struct tcp_conn *c, const struct tcp_env *env, ns_t idle_ns);

void recovery_stop(struct tcp_conn *c, struct tcp_env *env);

/* What is to be sent again now: [*seq, *seq + return value). 0: nothing. */
uint32_t recovery_next(const struct tcp_conn *c, seq_t *seq);

/* [start, end) was sent, in segs segments. There was room (scoreboard_reserve). */
void recovery_on_sent(struct tcp_conn *c, struct tcp_env *env, seq_t start, seq_t end,
                      uint32_t segs, bool is_resent);

/* What is in the network, in bytes [RFC9937 6.2]. */
uint32_t recovery_pipe(const struct tcp_conn *c);

/* How many bytes more may be under way. */
uint32_t recovery_room(const struct tcp_conn *c);

void recovery_check(const struct tcp_conn *c);

#endif
