/*
 * auth_digest.h - what is signed, and with which traffic key (auth.c, auth_digest.c)
 */
#ifndef CORE_TCP_AUTH_DIGEST_H
#define CORE_TCP_AUTH_DIGEST_H

#include "tcp/auth.h"
#include "wire/tcp.h"
#include <weir/auth.h>
#include <weir/weir.h>

struct tcp_tuple;

enum {
    AUTH_AO_HEAD_LEN = 4, /* kind, length, two key IDs */
    AUTH_AO_LEN = AUTH_AO_HEAD_LEN + AUTH_MAC_LEN,
};

/* The ends of a segment, as its sender sees them, and the two initial numbers. */
struct auth_ends {
    const struct weir_addr *src, *dst;
    uint16_t src_port, dst_port;
    uint32_t src_isn, dst_isn;
};

/* A segment, as it is signed: its TCP header with options, and its text. */
struct auth_signable {
    struct auth_ends ends;
    uint8_t header[TCP_HEADER_MAX]; /* without checksum and digest */
    size_t header_len;
    size_t option_at; /* where the option's kind stands in it */
    size_t text_len;
    const struct weir_slice *text;
    size_t text_count;
    uint32_t extension; /* of the sequence number */
};

/* The initial numbers are left 0. */
struct auth_ends auth_ends_of(const struct tcp_tuple *tuple, bool is_sent);

/* Pseudo-header, header without options, text, key [RFC2385 2.0]. */
void auth_digest_md5(const struct tcp_env *env, struct auth_signable *s, struct auth_key *k,
                     uint8_t out[WEIR_DIGEST_MAX]);

/* The extension, pseudo-header, header with options or with this one alone, text [RFC5925 5.1]. */
void auth_digest_ao(const struct tcp_env *env, struct auth_signable *s, const struct auth_key *k,
                    uint8_t traffic_key[WEIR_DIGEST_MAX], uint8_t out[WEIR_DIGEST_MAX]);

/* A traffic key [RFC5926 3.1.1]. */
void auth_derive(const struct tcp_env *env, struct auth_key *k, const struct auth_ends *e,
                 uint8_t out[WEIR_DIGEST_MAX]);

/* Those of all but SYNs, once both initial numbers are known. */
void auth_derive_all(const struct tcp_env *env, const struct auth *a, struct auth_key *k,
                     const struct tcp_tuple *tuple);

#endif
