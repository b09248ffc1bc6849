/*
 * fastopen.h - TCP Fast Open: data in the SYN [RFC7413]
 */
#ifndef CORE_TCP_FASTOPEN_H
#define CORE_TCP_FASTOPEN_H

#include "base/list.h"
#include "base/ns.h"
#include "base/pool.h"
#include "base/seq.h"
#include "base/siphash.h"
#include "base/table.h"
#include <stdbool.h>
#include <stdint.h>
#include <weir/addr.h>
#include <weir/config.h>

struct mem;
struct tcp_conn;
struct tcp_env;
struct tcp_options;
struct tcp_seg;
struct tcp_tuple;
struct tcp_user;

enum {
    FASTOPEN_COOKIE_LEN = 8,  /* of ours */
    FASTOPEN_COOKIE_MAX = 16, /* of anybody's */
};

/* What is known of a server. */
struct fastopen_entry {
    struct list link; /* in all, oldest first */
    struct weir_addr addr;
    ns_t lost_at;         /* the last SYN with data that was lost */
    uint16_t mss;         /* that it has announced */
    uint8_t losses;       /* in a row */
    bool is_experimental; /* its cookie */
    enum { FASTOPEN_NOT_IGNORED, FASTOPEN_IGNORED_ONCE, FASTOPEN_IGNORED_TWICE } ignored;
    uint8_t cookie_len; /* 0: none */
    uint8_t cookie[FASTOPEN_COOKIE_MAX];
};

/* Of the cookies that we give as a server. */
struct fastopen_keys {
    struct siphash_key key, before; /* those of the second are still good */
    bool has_before;
};

/* One for a stack. */
struct fastopen {
    struct fastopen_keys keys; /* of listeners that have none of their own */

    struct siphash_key cache_key; /* as a client: of the table of servers */
    struct pool entries;
    struct table table;
    struct list all;
    ns_t off_until_at;  /* the network swallows: not before then */
    uint32_t off_count; /* so often that was so */
};

/* key, cache_key: secrets. False: slabs are too small. */
bool fastopen_init(struct fastopen *f, struct mem *mem, size_t slab_bytes, struct siphash_key key,
                   struct siphash_key cache_key);
void fastopen_fini(struct fastopen *f);

/* ---- the server ---- */

/* From now on cookies are made with this key; those made with the last one are still good. */
void fastopen_set_key(struct fastopen *f, struct siphash_key key);

enum fastopen_ask {
    FASTOPEN_NO,      /* the SYN has no Fast Open option */
    FASTOPEN_REQUEST, /* a cookie is asked for, or the one that came is wrong: give it one */
    FASTOPEN_GOOD,
    FASTOPEN_GOOD_STILL, /* by the key before: the client gets a new one with the SYN-ACK */
};
/* keys NULL: the stack's. */
enum fastopen_ask fastopen_check(const struct tcp_env *env, const struct fastopen_keys *keys,
                                 const struct tcp_tuple *tuple, const struct tcp_user *user,
                                 const struct tcp_seg *syn);

/* The cookie of a peer; keys NULL: the stack's. */
void fastopen_make_cookie(const struct tcp_env *env, const struct fastopen_keys *keys,
                          const struct tcp_tuple *tuple, uint8_t cookie[FASTOPEN_COOKIE_LEN]);

/* Puts a cookie, which stays where it is, into the options of a SYN-ACK, if there is room. */
void fastopen_give(const uint8_t cookie[FASTOPEN_COOKIE_LEN], bool is_experimental,
                   struct tcp_options *options);

/* A connection's SYN-ACK is to bring a new cookie. */
void fastopen_renew(struct tcp_conn *c, const uint8_t cookie[FASTOPEN_COOKIE_LEN],
                    bool is_experimental);

/*
 * A connection that tcp_open_passively has just made of a SYN with a good cookie: its SYN-ACK is
 * still to be sent, and the SYN's data is taken.
 */
void fastopen_begin(struct tcp_conn *c, struct tcp_env *env, struct tcp_seg *syn);

/* ---- the client ---- */

/* Forgets the servers that were met longest ago, but for so many. */
void fastopen_trim(struct fastopen *f, uint32_t servers);

/* How many bytes there is room for in the SYN that is sent now: 0 if it needs a cookie it has not. */
uint32_t fastopen_syn_room(const struct tcp_conn *c, const struct tcp_env *env);

/* How many bytes of the send queue may go with it. */
uint32_t fastopen_syn_len(const struct tcp_conn *c, const struct tcp_env *env);

/* The option of the SYN that is sent now with so much text; cookies stay where they are kept. */
void fastopen_offer(const struct tcp_conn *c, const struct tcp_env *env,
                    struct tcp_options *options);

/* The SYN has been sent with so much text. */
void fastopen_on_syn_sent(struct tcp_conn *c, uint32_t len);

/* The SYN-ACK is here, before its acknowledgement is taken. */
void fastopen_on_synack(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg);

/* Both have opened at once: the peer's SYN-ACK is here, with this acknowledgement. */
void fastopen_on_acked(struct tcp_conn *c, struct tcp_env *env, seq_t acked);

/* What was sent last does not fit into the path. */
void fastopen_on_too_big(struct tcp_conn *c);

/* The retransmission timer has fired. */
void fastopen_on_timeout(struct tcp_conn *c, struct tcp_env *env);

#endif
