/*
 * auth.h - the digests of segments: TCP-AO [RFC5925, RFC5926] and the MD5 option [RFC2385]
 */
#ifndef CORE_TCP_AUTH_H
#define CORE_TCP_AUTH_H

#include "base/list.h"
#include "base/pool.h"
#include "base/seq.h"
#include "base/why.h"
#include <stdbool.h>
#include <stdint.h>
#include <weir/auth.h>

struct frame;
struct mem;
struct tcp_env;
struct tcp_options;
struct tcp_seg;
struct tcp_tuple;

enum {
    AUTH_MAC_LEN = 12,            /* TCP-AO's, with all its algorithms [RFC5926 3.2] */
    AUTH_VALUE_MAX = 16,          /* of either option */
    AUTH_OPTION_MAX = 4 + 2 + 16, /* with NOPs */
};

/* A key; for TCP-AO a Master Key Tuple, and what derives from it in one connection. */
struct auth_key {
    struct list link;
    struct weir_prefix peer;
    uint8_t algorithm; /* enum weir_auth */
    uint8_t send_id;
    uint8_t recv_id;
    bool without_options;
    bool is_derived; /* the traffic keys are there */
    uint8_t len;
    uint8_t bytes[WEIR_AUTH_KEY_MAX];
    uint8_t send_traffic[WEIR_DIGEST_MAX];
    uint8_t recv_traffic[WEIR_DIGEST_MAX];
};

/* The keys of a listener; or those of a connection (half open, or in TIME-WAIT) and its state. */
struct auth {
    struct list keys;
    struct auth_key *current; /* that we send with */
    struct auth_key *next;    /* that we want the peer to send with */
    struct auth_key *seen;    /* that it has sent with last */
    seq_t iss, irs;
    bool knows_irs;
    uint64_t sent, received; /* sequence numbers with their extension [RFC5925 6.2] */
};

/* One for a stack. */
struct auths {
    struct pool auths;
    struct pool keys;
    const struct weir_crypto *crypto; /* NULL: there are no keys */
};

bool auths_init(struct auths *a, struct mem *mem, size_t slab_bytes,
                const struct weir_crypto *crypto);
void auths_fini(struct auths *a);

/* ---- keys; an auth is named by a number, 0: none ---- */

/* Adds a key, to a new auth if *auth is 0. Error codes: weir_auth_add's. */
int auth_add(struct tcp_env *env, uint32_t *auth, const struct weir_auth_key *key);
int auth_remove(struct tcp_env *env, uint32_t *auth, const struct weir_auth_key *key);
int auth_ask(const struct tcp_env *env, uint32_t auth, uint8_t recv_id);
int auth_info(const struct tcp_env *env, uint32_t auth, struct weir_auth_info *info);

/* Whether there is a key for that peer. */
bool auth_has_key_for(const struct tcp_env *env, uint32_t auth, const struct weir_addr *peer);

/* A new one with the keys for that peer; 0: there are none, or no memory. */
uint32_t auth_copy(struct tcp_env *env, uint32_t auth, const struct weir_addr *peer);

/* A connection begins actively: the keys that are for others go, and the first is used. */
void auth_open(struct tcp_env *env, uint32_t *auth, const struct weir_addr *peer, seq_t iss);

/* A connection has begun passively with segment seg, which was checked. */
void auth_begin(struct tcp_env *env, uint32_t auth, const struct tcp_seg *seg, seq_t iss,
                seq_t irs);

/* Takes *auth, leaves 0. */
void auth_put(struct tcp_env *env, uint32_t *auth);

/* ---- segments ---- */

/*
 * Whether a segment may go on: WHY_NONE. auth: of its connection or record, or of the listener it is
 * for.
 */
enum why auth_check(struct tcp_env *env, uint32_t auth, const struct tcp_tuple *tuple,
                    const struct tcp_seg *seg);

/* How many bytes of options each segment needs. */
uint32_t auth_option_bytes(const struct tcp_env *env, uint32_t auth);

/* Makes room for the digest among the options; value has AUTH_VALUE_MAX bytes. */
void auth_reserve(const struct tcp_env *env, uint32_t auth, const struct weir_addr *peer,
                  uint8_t *value, struct tcp_options *options);

/* Writes the digest into a frame whose outermost header is TCP's, with room for it. */
void auth_sign(struct tcp_env *env, uint32_t auth, const struct tcp_tuple *tuple,
               struct frame *frame);

#endif
