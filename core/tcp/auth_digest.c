/*
 * auth_digest.c - digests, and the keys that they are made with [RFC5925, RFC5926, RFC2385]
 *
 * TCP-AO has for each direction a traffic key that derives from the master key, the ends and both
 * initial sequence numbers; a SYN has one in which the number that is not known yet is 0 [RFC5925 5.2].
 *
 * State: the traffic keys in struct auth_key.
 */
#include "tcp/auth_digest.h"
#include "base/addr.h"
#include "tcp/conn.h"
#include "tcp/env.h"
#include "wire/ip.h"
#include <string.h>

enum {
    CMAC_KEY_LEN = 16,
    SHA1_LEN = 20,
    PSEUDO_MAX = 40,
    PARTS_MAX = 4 + WEIR_FRAME_SLICES,
};

static void write_be16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void write_be32(uint8_t *at, uint32_t value)
{
    write_be16(at, value >> 16);
    write_be16(at + 2, value);
}

static void digest(const struct tcp_env *env, enum weir_digest what, struct weir_slice key,
                   const struct weir_slice *parts, size_t count, uint8_t out[WEIR_DIGEST_MAX])
{
    env->auth.crypto->digest(env->auth.crypto->ctx, what, key, parts, count, out);
}

struct auth_ends auth_ends_of(const struct tcp_tuple *t, bool is_sent)
{
    if (is_sent)
        return (struct auth_ends){
            &t->local_addr, &t->remote_addr, t->local_port, t->remote_port, 0, 0};
    return (struct auth_ends){&t->remote_addr, &t->local_addr, t->remote_port, t->local_port, 0, 0};
}

static size_t write_addr(uint8_t *at, const struct weir_addr *addr)
{
    bool is_v4 = addr_is_v4(addr);
    size_t len = is_v4 ? 4 : 16;

    memcpy(at, addr->b + (is_v4 ? 12 : 0), len);
    return len;
}

/* The input of the key derivation [RFC5926 3.1.1]: 1, the label, the context, the length in bits. */
static size_t write_derivation(const struct auth_ends *e, uint32_t bits, uint8_t out[64])
{
    size_t len = 7;

    memcpy(out, "\1TCP-AO", len);
    len += write_addr(out + len, e->src);
    len += write_addr(out + len, e->dst);
    write_be16(out + len, e->src_port);
    write_be16(out + len + 2, e->dst_port);
    write_be32(out + len + 4, e->src_isn);
    write_be32(out + len + 8, e->dst_isn);
    write_be16(out + len + 12, bits);
    return len + 14;
}

/* A master key of another length than AES' becomes one by CMAC with a key of zeros [RFC5926 3.1.1.2]. */
static void fit_cmac_key(const struct tcp_env *env, struct auth_key *k,
                         uint8_t out[WEIR_DIGEST_MAX])
{
    uint8_t zeros[CMAC_KEY_LEN] = {0};
    struct weir_slice part = {k->bytes, k->len};

    if (k->len == CMAC_KEY_LEN)
        memcpy(out, k->bytes, CMAC_KEY_LEN);
    else
        digest(env, WEIR_DIGEST_AES_128_CMAC, (struct weir_slice){zeros, sizeof zeros}, &part, 1,
               out);
}

void auth_derive(const struct tcp_env *env, struct auth_key *k, const struct auth_ends *e,
                 uint8_t out[WEIR_DIGEST_MAX])
{
    uint8_t input[64], key[WEIR_DIGEST_MAX];
    bool is_sha1 = k->algorithm == WEIR_AUTH_AO_SHA1;
    struct weir_slice part = {input, write_derivation(e, is_sha1 ? 160 : 128, input)};

    if (is_sha1) {
        digest(env, WEIR_DIGEST_HMAC_SHA1, (struct weir_slice){k->bytes, k->len}, &part, 1, out);
        return;
    }
    fit_cmac_key(env, k, key);
    digest(env, WEIR_DIGEST_AES_128_CMAC, (struct weir_slice){key, CMAC_KEY_LEN}, &part, 1, out);
}

static size_t write_pseudo(const struct auth_signable *s, uint8_t out[PSEUDO_MAX])
{
    uint32_t segment_len = (uint32_t)(s->header_len + s->text_len);
    size_t len = write_addr(out, s->ends.src);

    len += write_addr(out + len, s->ends.dst);
    if (len == 8) {
        out[len] = 0;
        out[len + 1] = IP_PROTOCOL_TCP;
        write_be16(out + len + 2, segment_len);
        return len + 4;
    }
    write_be32(out + len, segment_len);
    write_be32(out + len + 4, IP_PROTOCOL_TCP);
    return len + 8;
}

static void add(struct weir_slice *parts, size_t *count, uint8_t *bytes, size_t len)
{
    if (len > 0)
        parts[(*count)++] = (struct weir_slice){bytes, len};
}

static void add_text(struct weir_slice *parts, size_t *count, const struct auth_signable *s)
{
    for (size_t i = 0; i < s->text_count; i++)
        add(parts, count, s->text[i].bytes, s->text[i].len);
}

void auth_digest_md5(const struct tcp_env *env, struct auth_signable *s, struct auth_key *k,
                     uint8_t out[WEIR_DIGEST_MAX])
{
    struct weir_slice parts[PARTS_MAX];
    uint8_t pseudo[PSEUDO_MAX];
    size_t count = 0;

    add(parts, &count, pseudo, write_pseudo(s, pseudo));
    add(parts, &count, s->header, TCP_HEADER_LEN);
    add_text(parts, &count, s);
    add(parts, &count, k->bytes, k->len);
    digest(env, WEIR_DIGEST_MD5, (struct weir_slice){NULL, 0}, parts, count, out);
}

void auth_digest_ao(const struct tcp_env *env, struct auth_signable *s, const struct auth_key *k,
                    uint8_t traffic_key[WEIR_DIGEST_MAX], uint8_t out[WEIR_DIGEST_MAX])
{
    bool is_sha1 = k->algorithm == WEIR_AUTH_AO_SHA1;
    struct weir_slice key = {traffic_key, is_sha1 ? SHA1_LEN : CMAC_KEY_LEN};
    struct weir_slice parts[PARTS_MAX];
    uint8_t extension[4], pseudo[PSEUDO_MAX];
    size_t count = 0;

    write_be32(extension, s->extension);
    add(parts, &count, extension, sizeof extension);
    add(parts, &count, pseudo, write_pseudo(s, pseudo));
    add(parts, &count, s->header, k->without_options ? TCP_HEADER_LEN : s->header_len);
    if (k->without_options)
        add(parts, &count, s->header + s->option_at, AUTH_AO_LEN);
    add_text(parts, &count, s);
    digest(env, is_sha1 ? WEIR_DIGEST_HMAC_SHA1 : WEIR_DIGEST_AES_128_CMAC, key, parts, count, out);
}

void auth_derive_all(const struct tcp_env *env, const struct auth *a, struct auth_key *k,
                     const struct tcp_tuple *tuple)
{
    struct auth_ends e = auth_ends_of(tuple, true);

    if (k->is_derived)
        return;
    e.src_isn = a->iss.raw;
    e.dst_isn = a->irs.raw;
    auth_derive(env, k, &e, k->send_traffic);
    e = auth_ends_of(tuple, false);
    e.src_isn = a->irs.raw;
    e.dst_isn = a->iss.raw;
    auth_derive(env, k, &e, k->recv_traffic);
    k->is_derived = true;
}
