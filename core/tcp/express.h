/*
 * express.h - the usual segment, sent in one go
 */
#ifndef CORE_TCP_EXPRESS_H
#define CORE_TCP_EXPRESS_H

#include "base/parts.h"
#include "tcp/conn.h"
#include <stdbool.h>

struct frame;
struct tcp_turn;

/*
 * The next segment, if it is one of those that nearly all are: text that goes all at once, with
 * the FIN or without, an acknowledgement, or a first SYN, behind which nothing is left to be sent. Its checksum is complete unless
 * has_offload. NULL: it is another one, or there is none, or no memory; tcp_output knows.
 */
struct frame *express_output(struct tcp_conn *c, struct tcp_env *env, bool has_offload);

/*
 * The next super-segment, or what such ones leave for the last, if it is nothing but text on such a connection.
 * gso_bytes as tcp_output has it; turn, which is cleared, says whether text is left. NULL: it is another one, or
 * there is none, or no memory; tcp_output knows.
 */
struct frame *express_super(struct tcp_conn *c, struct tcp_env *env, uint32_t gso_bytes,
                            struct tcp_turn *turn);

/* The first SYN of a connection in SYN-SENT, if it is a usual one (express_syn.c). */
struct frame *express_syn(struct tcp_conn *c, struct tcp_env *env);

/* Nothing is unusual about what would be sent next; c has work. */
bool express_is_calm(const struct tcp_conn *c);

/*
 * Nothing is under way, no acknowledgement is owed, the application has not closed, and has nothing new to
 * read, which it might answer: is there anything to send?
 */
static inline bool express_is_silent(const struct tcp_conn *c)
{
    return tcp_flight(c) == 0 && !c->work->ack_owed && !(c->events & WEIR_EVENT_READABLE)
           && (c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT
               || c->state == TCP_FIN_WAIT_2);
}

/* If there is not, notes what a turn leaves behind that finds nothing to send; else false. */
bool express_note_silence(struct tcp_conn *c, struct tcp_env *env);

#endif
