/*
 * undo.h - recoveries that were not needed [RFC3522, RFC4015, RFC3708, RFC5682]
 */
#ifndef CORE_TCP_UNDO_H
#define CORE_TCP_UNDO_H

#include "base/ns.h"
#include "base/seq.h"
#include <stdbool.h>
#include <stdint.h>

struct delivery;
struct tcp_conn;
struct tcp_env;

struct undo {
    uint32_t cwnd; /* as they were */
    uint32_t ssthresh;
    bool is_armed;
    bool has_resent;
    uint32_t resent_segs; /* and no word yet that they arrived twice */
    ns_t armed_at;
    ns_t first_resent_at; /* if has_resent */
    seq_t start;          /* snd.una then */
};

/* A recovery begins: what is about to be changed is kept. */
void undo_arm(struct tcp_conn *c, const struct tcp_env *env);
void undo_disarm(struct tcp_conn *c);

/* segs segments were sent again. */
void undo_on_resent(struct tcp_conn *c, const struct tcp_env *env, uint32_t segs);

/*
 * Does this acknowledgement show that nothing had been lost? is_in_episode: the recovery has not
 * ended; is_end: it ends with this one.
 */
bool undo_is_due(struct tcp_conn *c, const struct delivery *d, bool is_in_episode, bool is_end);

/* Puts back cwnd and ssthresh. */
void undo_apply(struct tcp_conn *c, const struct tcp_env *env);

#endif
