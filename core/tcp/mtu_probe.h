/*
 * mtu_probe.h - the path's MTU, found out without the network's help [RFC4821] [RFC8899]
 */
#ifndef CORE_TCP_MTU_PROBE_H
#define CORE_TCP_MTU_PROBE_H

#include "base/ns.h"
#include "base/seq.h"
#include <stdbool.h>
#include <stdint.h>

struct sent;
struct tcp_conn;
struct tcp_env;

struct mtu_probe {
    uint16_t high; /* nothing larger passes; 0: what the path is said to take */
    uint16_t size; /* of the packet that is out */
    bool is_out;
    bool is_lost; /* and nobody has concluded yet what that means */
    seq_t start, end;
    ns_t next_at; /* no other one before */
};

/* What a packet may have now: as the path is said to take, or as has been seen to pass. */
uint32_t mtu_probe_mtu(const struct tcp_conn *c);

/* The handshake is complete. */
void mtu_probe_on_established(struct tcp_conn *c, const struct tcp_env *env);

/* Timeouts follow one another: perhaps the path swallows what is large [RFC4821 7.7]. */
void mtu_probe_on_black_hole(struct tcp_conn *c, struct tcp_env *env);

/* How much text a probe would have that may be sent now; 0: none may. */
uint32_t mtu_probe_len(const struct tcp_conn *c, const struct tcp_env *env, uint32_t mss);

/* It has been sent. */
void mtu_probe_on_sent(struct tcp_conn *c, seq_t start, seq_t end);

/* snd.una has moved: has it arrived? */
void mtu_probe_on_acked(struct tcp_conn *c, struct tcp_env *env);

/* Is it the probe that is about to be marked lost? Its loss is no sign of congestion [RFC4821 7.6.2]. */
bool mtu_probe_take_lost(struct tcp_conn *c, const struct sent *sent);

/* All that is lost is marked: true if the probe is, and others_bytes, what is lost besides, is 0. */
bool mtu_probe_on_lost(struct tcp_conn *c, const struct tcp_env *env, uint32_t others_bytes);

/* A timeout says nothing of it, and what ICMP says is known without it. */
void mtu_probe_stop(struct tcp_conn *c);

#endif
