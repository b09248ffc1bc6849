/*
 * choice.h - what the application has chosen, kept once for all connections that have the same
 *
 * Of very many connections nearly all have the same options. A set of them is a record with a
 * count of owners that nobody changes: a connection that chooses otherwise gets another record,
 * which is looked for first among those that there are.
 */
#ifndef CORE_TCP_CHOICE_H
#define CORE_TCP_CHOICE_H

#include "base/pool.h"
#include "base/siphash.h"
#include "base/table.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mem;
struct tcp_env;

/* Options the application has set; durations in units that keep them small. */
struct tcp_user {
    uint32_t keepalive_idle_ms;
    uint32_t keepalive_interval_ms;
    uint32_t user_timeout_ms;   /* 0: by the count of retransmissions */
    uint32_t send_buffer_bytes; /* at first, or as set; what it has become is the connection's */
    uint32_t recv_buffer_bytes;
    uint32_t notsent_lowat_bytes; /* 0: no limit */
    uint32_t pacing_max_kib;      /* in a second; 0: no limit */
    uint16_t mss;                 /* 0: what the path allows */
    uint16_t advertised_timeout;  /* as the option has it [RFC5482]; 0: none */
    uint8_t keepalive_probes;
    uint8_t syn_retries;
    uint8_t ttl;
    uint8_t tos;
    uint8_t fin_wait2_s; /* 0: as configured */
    uint8_t min_ttl;     /* of what the peer sends [RFC5082]; 0: any */
    bool nodelay : 1;
    bool cork : 1;
    bool keepalive : 1;
    bool quickack : 1;
    bool soft_errors : 1;
    bool note_sent : 1;
    bool linger : 1;
    bool send_buffer_is_set : 1; /* by the application: it stays as it is */
    bool recv_buffer_is_set : 1;
    bool fastopen : 1;
    bool fastopen_no_cookie : 1;
    bool user_timeout_is_set : 1; /* by the application: the peer's does not count */
};

struct choice {
    struct tcp_user user; /* with zeros between its members */
    uint32_t owners;
};

/* One for a stack. */
struct choices {
    struct choice first; /* for most there is no other */
    struct pool others;
    struct table table; /* of those */
    struct siphash_key key;
};

/* key: a secret. False: slabs are too small. */
bool choices_init(struct choices *all, struct mem *mem, size_t slab_bytes, struct siphash_key key);
void choices_fini(struct choices *all);

/* The options of connections that have set none. */
void choice_init(struct tcp_user *user, const struct tcp_env *env);

/* The record that says the same as user, with an owner more. NULL: no memory. */
const struct tcp_user *choice_get(struct tcp_env *env, const struct tcp_user *user);

/* An owner more of a record, which it returns. */
const struct tcp_user *choice_ref(const struct tcp_user *user);

/* Gives *user up, which may be NULL, and leaves NULL. */
void choice_put(struct tcp_env *env, const struct tcp_user **user);

/* *user becomes what says the same as to. False: no memory, and *user is what it was. */
bool choice_change(struct tcp_env *env, const struct tcp_user **user, const struct tcp_user *to);

#endif
