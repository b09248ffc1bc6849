/*
 * env.h - what a connection is handed with every call
 *
 * One for all connections of a stack; nothing in it belongs to one of them. A
 * connection reads the time here and nowhere else.
 */
#ifndef CORE_TCP_ENV_H
#define CORE_TCP_ENV_H

#include "base/buf.h"
#include "base/ns.h"
#include "base/pool.h"
#include "base/rng.h"
#include "base/siphash.h"
#include "base/trace.h"
#include "base/why.h"
#include "tcp/auth.h"
#include "tcp/choice.h"
#include "tcp/fastopen.h"
#include <weir/config.h>

struct checksum_ops;

struct tcp_counts {
    uint64_t segs_in, segs_out, retransmits, resets_out, challenge_acks;
    uint64_t cookies_sent, cookies_taken;
    uint64_t active_opens, passive_opens, failed_opens, timeouts;
};

struct tcp_conn;
struct tcp_work;

struct tcp_env {
    ns_t now;
    struct weir_tcp_config config;
    struct pool works;           /* struct tcp_work */
    struct tcp_work *kept_works; /* of these, such as wait for the next connection (works.c) */
    uint32_t kept_count;
    struct pool pieces;    /* struct piece */
    struct pool reasms;    /* struct reasm */
    struct pool sents;     /* struct sent */
    struct pool wide_ends; /* struct wide_ends */
    struct pool *frames;   /* struct frame */
    struct bufs *bufs;
    const struct checksum_ops *checksum;
    struct rng rng;
    struct siphash_key isn_key;
    struct siphash_key cookie_key;
    struct siphash_key port_key;
    struct fastopen fastopen;
    struct auths auth;
    struct choices choices;
    const struct tracer *tracer;
    /* What the stack calls a connection, for traces; NULL: it has no name. */
    uint64_t (*handle_of)(const struct tcp_env *env, const struct tcp_conn *c);
    struct tcp_counts counts;
};

#endif
