/*
 * listen.h - passive opens: listeners and connections that are half open
 *
 * Until a handshake is complete, the passive side of a connection is a small record, so that
 * a flood of SYNs costs little.
 */
#ifndef CORE_TCP_LISTEN_H
#define CORE_TCP_LISTEN_H

#include "base/ns.h"
#include "base/seq.h"
#include "base/why.h"
#include "tcp/conn.h"
#include "tcp/isn.h"
#include <stdbool.h>
#include <stdint.h>

struct fastopen_keys;
struct frame;
struct tcp_seg;

/* A connection in SYN-RECEIVED that began with a listener. */
struct tcp_halfopen {
    struct tcp_tuple tuple;
    seq_t iss;
    seq_t irs;
    uint32_t ts_offset;
    uint32_t ts_recent;
    uint16_t wnd;     /* of the SYN, not scaled */
    uint16_t rcv_wnd; /* of our SYN-ACK */
    uint16_t mtu;
    uint8_t retries; /* SYN-ACKs sent again */
    uint8_t ttl;
    uint8_t tos;
    uint8_t min_ttl;
    struct ecn_half ecn;
    struct tcp_agreed agreed;
    uint32_t auth;      /* of env.auth; 0: none */
    bool grants_cookie; /* for Fast Open, in the SYN-ACK */
    bool cookie_is_experimental;
    bool is_told;   /* the stack's: traces know that it began */
    ns_t synack_at; /* when the only SYN-ACK was sent; 0: there were several, or none */
};

enum listen_verdict {
    LISTEN_DROP,
    LISTEN_RESET,  /* the answer is a reset made from the segment */
    LISTEN_ACCEPT, /* make a half-open connection */
};

/* SEGMENT ARRIVES in LISTEN [RFC9293 3.10.7.2]. *why: for what is not accepted. */
enum listen_verdict listen_input(const struct tcp_seg *seg, enum why *why);

/* A SYN has come for a listener whose connections begin as model. */
void halfopen_init(struct tcp_halfopen *h, const struct tcp_env *env, const struct tcp_conn *model,
                   const struct tcp_tuple *tuple, const struct tcp_seg *syn, struct isn isn,
                   uint32_t mtu);

/*
 * Its SYN-ACK, for the first or another time, with a cookie by the listener's keys (NULL: the stack's).
 * NULL: no memory.
 */
struct frame *halfopen_synack(const struct tcp_halfopen *h, struct tcp_env *env,
                              const struct fastopen_keys *keys);

/* How long to wait after the SYN-ACK that was just sent. */
ns_t halfopen_wait_ns(const struct tcp_halfopen *h, const struct tcp_env *env);

/* The wait is over: true, and the SYN-ACK is to be sent again; false: the peer is gone. */
bool halfopen_expire(struct tcp_halfopen *h, const struct tcp_env *env);

enum halfopen_verdict {
    HALFOPEN_DROP,
    HALFOPEN_SYNACK,   /* the peer repeats its SYN: it has not seen our answer */
    HALFOPEN_ACK,      /* challenge [RFC5961] */
    HALFOPEN_RESET,    /* the answer is a reset made from the segment */
    HALFOPEN_ABORTED,  /* the same, and forget it */
    HALFOPEN_CLOSED,   /* the peer has reset it: forget it */
    HALFOPEN_COMPLETE, /* make a connection of it, and let that take the segment in */
};

/* SEGMENT ARRIVES in SYN-RECEIVED, up to the fifth check [RFC9293 3.10.7.4]. */
enum halfopen_verdict halfopen_input(struct tcp_halfopen *h, const struct tcp_seg *seg,
                                     enum why *why);

/* The acknowledgement that answers a doubtful segment. NULL: no memory. */
struct frame *halfopen_ack(const struct tcp_halfopen *h, struct tcp_env *env);

/*
 * Makes a closed connection the one that h was, in SYN-RECEIVED, with options that it shares from
 * then on. It waits for nothing: the segment that completes the handshake is what it takes in next, or
 * fastopen_begin follows. False: no memory.
 */
bool tcp_open_passively(struct tcp_conn *c, struct tcp_env *env, const struct tcp_halfopen *h,
                        const struct tcp_user *user);

/*
 * The same for a record that was sent one SYN-ACK and has nothing unusual (halfopen_is_usual), of a
 * segment that completes the handshake (HALFOPEN_COMPLETE): the connection is established, and takes
 * that segment in as it takes any other.
 */
bool halfopen_is_usual(const struct tcp_halfopen *h);
bool tcp_open_acknowledged(struct tcp_conn *c, struct tcp_env *env, const struct tcp_halfopen *h,
                           const struct tcp_user *user, const struct tcp_seg *ack);

/* Takes that segment in, after either of the two; as tcp_input. */
enum why tcp_complete(struct tcp_conn *c, struct tcp_env *env, struct tcp_seg *seg);

#endif
