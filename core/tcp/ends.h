/*
 * ends.h - the two ends of a connection, as it keeps them
 *
 * A struct tcp_tuple says them in full and is made when it is needed; what a connection keeps is
 * 12 bytes with the addresses of IPv4 in place, while those of IPv6 are in a record of their own.
 */
#ifndef CORE_TCP_ENDS_H
#define CORE_TCP_ENDS_H

#include "base/addr.h"
#include "base/be.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <weir/addr.h>

struct tcp_env;

/* The two ends, as the connection sees them. */
struct tcp_tuple {
    struct weir_addr local_addr;
    struct weir_addr remote_addr;
    uint16_t local_port;
    uint16_t remote_port;
};

static inline uint32_t tcp_tuple_ports(const struct tcp_tuple *t)
{
    return (uint32_t)t->local_port << 16 | t->remote_port;
}

/* Both addresses of IPv4, which differ in their last four bytes only. */
static inline uint64_t tcp_tuple_addrs4(const struct tcp_tuple *t)
{
    return (uint64_t)be32_at(t->local_addr.b + 12) << 32 | be32_at(t->remote_addr.b + 12);
}

enum { TCP_TUPLE_WORDS = 5 };

/* Both ends as words to be hashed, the same on all machines; returns how many. */
static inline size_t tcp_tuple_words(const struct tcp_tuple *t, uint64_t words[TCP_TUPLE_WORDS])
{
    if (addr_is_v4(&t->remote_addr)) {
        words[0] = tcp_tuple_addrs4(t);
        words[1] = tcp_tuple_ports(t);
        return 2;
    }
    words[0] = be64_at(t->local_addr.b);
    words[1] = be64_at(t->local_addr.b + 8);
    words[2] = be64_at(t->remote_addr.b);
    words[3] = be64_at(t->remote_addr.b + 8);
    words[4] = tcp_tuple_ports(t);
    return TCP_TUPLE_WORDS;
}

/* Zeros are ends that have not been set. */
struct tcp_ends {
    uint8_t local4[4]; /* IPv4's; 0.0.0.0, which is no end of a connection: see record */
    union {
        uint8_t remote4[4];
        uint32_t record; /* of env.wide_ends, and one; 0: none */
    };
    uint16_t local_port;
    uint16_t remote_port;
};

/* A record of env.wide_ends. */
struct wide_ends {
    struct weir_addr local_addr, remote_addr;
};

/* Sets ends that are not set. False: no memory. */
bool ends_init(struct tcp_ends *ends, struct tcp_env *env, const struct tcp_tuple *tuple);
void ends_fini(struct tcp_ends *ends, struct tcp_env *env);

struct tcp_tuple ends_tuple(const struct tcp_ends *ends, const struct tcp_env *env);
struct weir_addr ends_remote(const struct tcp_ends *ends, const struct tcp_env *env);
bool ends_are(const struct tcp_ends *ends, const struct tcp_env *env,
              const struct tcp_tuple *tuple);

/* Whether the connection is one over IPv4. */
static inline bool ends_are_v4(const struct tcp_ends *ends)
{
    static const uint8_t none[4] = {0};

    return !HAS_IPV6 || memcmp(ends->local4, none, sizeof none) != 0;
}

#endif
