/*
 * keys.c - TCP_MD5SIG: the keys of a socket [RFC2385]
 *
 * A key may be set before there is a connection or a listener: it is kept, and becomes theirs.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <weir/auth.h>

#include "posix/sock.h"

struct key {
    struct key *next;
    struct weir_auth_key key;
    uint8_t bytes[WEIR_AUTH_KEY_MAX];
};

/* The prefix for which a key is: the whole address, unless it is the extended option. */
static int prefix_of(const struct sock *s, const struct tcp_md5sig *sig, bool is_ext,
                     struct weir_prefix *prefix)
{
    struct sockaddr_storage storage;
    struct weir_endpoint peer;
    bool has_prefix = is_ext && (sig->tcpm_flags & TCP_MD5SIG_FLAG_PREFIX), is_v4;
    uint8_t most;
    int err;

    memcpy(&storage, &sig->tcpm_addr, sizeof storage);
    if (storage.ss_family != s->domain)
        return -EINVAL;
    err = addr_parse(s, (const struct sockaddr *)&storage, sizeof storage, &peer);
    if (err != 0)
        return -EINVAL;
    is_v4 = weir_addr_is_v4(&peer.addr);
    most = is_v4 ? 32 : 128;
    if (has_prefix && sig->tcpm_prefixlen > most)
        return -EINVAL;
    prefix->addr = peer.addr;
    prefix->len = has_prefix ? sig->tcpm_prefixlen : most;
    if (is_v4)
        prefix->len = (uint8_t)(prefix->len + 96);
    return 0;
}

static struct key **find(struct sock *s, const struct weir_prefix *prefix)
{
    struct key **k = &s->keys;

    while (*k != NULL
           && ((*k)->key.peer.len != prefix->len
               || !weir_addr_eq(&(*k)->key.peer.addr, &prefix->addr)))
        k = &(*k)->next;
    return k;
}

static int errno_of(int err)
{
    return err == WEIR_ESTATE ? -EINVAL : err == WEIR_ENOTSUP ? -ENOPROTOOPT : px_errno(err);
}

static bool is_in(const struct weir_prefix *prefix, const struct weir_addr *addr)
{
    for (unsigned bit = 0; bit < prefix->len; bit++) {
        uint8_t mask = (uint8_t)(0x80 >> bit % 8);
        if ((prefix->addr.b[bit / 8] ^ addr->b[bit / 8]) & mask)
            return false;
    }
    return true;
}

/* A connection has one peer: a key for anybody else would only forbid it to speak. */
static bool concerns(const struct weir_posix *px, weir_handle_t handle,
                     const struct weir_prefix *prefix)
{
    struct weir_endpoint remote;

    return handle != 0
           && (weir_remote(px->stack, handle, &remote) != WEIR_OK || is_in(prefix, &remote.addr));
}

/* It may be that only the socket knew it. */
static int remove_key(struct weir_posix *px, struct sock *s, const struct weir_prefix *prefix)
{
    struct key **at = find(s, prefix), *k = *at;
    int err = WEIR_OK;

    if (k == NULL)
        return -ENOENT;
    if (concerns(px, s->handle, prefix))
        err = weir_auth_remove(px->stack, s->handle, &k->key);
    if (err != WEIR_OK && err != WEIR_EINVAL && err != WEIR_ESTALE)
        return errno_of(err);
    *at = k->next;
    free(k);
    return 0;
}

/* In the place of the one that there was; a key that is refused leaves that. */
static int add_key(struct weir_posix *px, struct sock *s, const struct weir_prefix *prefix,
                   const struct tcp_md5sig *sig)
{
    struct key **at = find(s, prefix), *before = *at, *k = calloc(1, sizeof *k);
    int err = WEIR_OK;

    if (k == NULL)
        return -ENOMEM;
    memcpy(k->bytes, sig->tcpm_key, sig->tcpm_keylen);
    k->key = (struct weir_auth_key){
        .algorithm = WEIR_AUTH_MD5, .peer = *prefix, .key = k->bytes, .key_len = sig->tcpm_keylen};
    if (concerns(px, s->handle, prefix))
        err = weir_auth_add(px->stack, s->handle, &k->key);
    if (err != WEIR_OK) {
        free(k);
        return errno_of(err);
    }
    k->next = before != NULL ? before->next : NULL;
    *at = k;
    free(before);
    return 0;
}

int keys_set(struct weir_posix *px, struct sock *s, const void *value, socklen_t len, bool is_ext)
{
    struct weir_prefix prefix;
    struct tcp_md5sig sig;
    int err;

    if (value == NULL)
        return -EFAULT;
    if (len < sizeof sig)
        return -EINVAL;
    memcpy(&sig, value, sizeof sig);
    err = prefix_of(s, &sig, is_ext, &prefix);
    if (err != 0)
        return err;
    if (sig.tcpm_keylen > TCP_MD5SIG_MAXKEYLEN)
        return -EINVAL;
    return sig.tcpm_keylen == 0 ? remove_key(px, s, &prefix) : add_key(px, s, &prefix, &sig);
}

int keys_apply(struct weir_posix *px, const struct sock *s, weir_handle_t handle)
{
    for (const struct key *k = s->keys; k != NULL; k = k->next) {
        int err = WEIR_OK;

        if (concerns(px, handle, &k->key.peer))
            err = weir_auth_add(px->stack, handle, &k->key);
        if (err != WEIR_OK)
            return errno_of(err);
    }
    return 0;
}

void keys_free(struct sock *s)
{
    while (s->keys != NULL) {
        struct key *k = s->keys;

        s->keys = k->next;
        free(k);
    }
}
