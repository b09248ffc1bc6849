/*
 * cwv.h - is the congestion window used, and so a measure of the path? [RFC7661]
 */
#ifndef CORE_TCP_CWV_H
#define CORE_TCP_CWV_H

#include "base/ns.h"
#include "base/seq.h"
#include <stdbool.h>
#include <stdint.h>

struct delivery;
struct tcp_conn;
struct tcp_env;

struct cwv {
    seq_t flight_round;         /* until this is acknowledged, */
    uint32_t flight_most_bytes; /* the most that has been under way */
    uint32_t flight_last_bytes; /* and in the round before */

    bool is_sampling;
    seq_t sample_end; /* when this is acknowledged, a round trip is over */
    uint32_t sample_bytes;
    uint32_t sample_cwnd;    /* as it was when that round trip began */
    uint32_t pipe_ack_bytes; /* the largest sample of the last while; 0: undefined */
    ns_t pipe_ack_at;
    ns_t unused_since_at; /* 0: the window is validated */
};

/* Something was acknowledged. */
void cwv_on_ack(struct tcp_conn *c, const struct tcp_env *env, const struct delivery *d);

/* Was the window what held sending back, so that it may grow? */
bool cwv_is_limit(const struct tcp_conn *c, const struct tcp_env *env);

/* The most that was under way in this round trip or the one before. */
uint32_t cwv_flight_most(const struct tcp_conn *c);

/* What recovery is to take for what was under way when something was lost. */
uint32_t cwv_flight(const struct tcp_conn *c, uint32_t flight_bytes);

/* A recovery has begun: what was measured before says nothing of the path behind it. */
void cwv_on_recovery(struct tcp_conn *c);

#endif
