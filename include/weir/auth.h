/*
 * weir/auth.h - segments with a digest: TCP-AO [RFC5925] and the MD5 option [RFC2385]
 *
 * Both ends share keys. A segment without the right digest goes no further: it is counted
 * (tcp_auth_missing, tcp_auth_unexpected, tcp_auth_key, tcp_auth_wrong) and nothing answers it.
 * What an end sends without being asked for, resets too, is signed.
 *
 * The stack has no cryptography of its own: it calls the functions of the configuration.
 */
#ifndef WEIR_AUTH_H
#define WEIR_AUTH_H

#include <weir/tcp.h>

#ifdef __cplusplus
extern "C" {
#endif

enum weir_digest {
    WEIR_DIGEST_MD5,          /* of the parts; there is no key; 16 bytes [RFC1321] */
    WEIR_DIGEST_HMAC_SHA1,    /* 20 bytes [RFC2104] */
    WEIR_DIGEST_AES_128_CMAC, /* the key has 16 bytes; 16 bytes [RFC4493] */
};

enum { WEIR_DIGEST_MAX = 20 };

/*
 * What the caller provides. The digest of count parts in order, as if they were one; it must not
 * fail, nor call into the stack. Outlives the stack.
 */
struct weir_crypto {
    void (*digest)(void *ctx, enum weir_digest digest, struct weir_slice key,
                   const struct weir_slice *parts, size_t count, uint8_t out[WEIR_DIGEST_MAX]);
    void *ctx;
};

enum weir_auth {
    WEIR_AUTH_MD5,     /* the MD5 option: for BGP peers that have nothing better */
    WEIR_AUTH_AO_SHA1, /* TCP-AO with HMAC-SHA-1-96 [RFC5926 3.2.1] */
    WEIR_AUTH_AO_CMAC, /* TCP-AO with AES-128-CMAC-96 [RFC5926 3.2.2] */
};

enum { WEIR_AUTH_KEY_MAX = 80 };

/* A key; for TCP-AO a Master Key Tuple [RFC5925 3.1]. */
struct weir_auth_key {
    enum weir_auth algorithm;
    struct weir_prefix peer; /* whom it is for: the prefix len bits of the address */
    uint8_t send_id;         /* TCP-AO: the KeyID of what we send with it */
    uint8_t recv_id;         /* TCP-AO: the KeyID of what the peer sends with it */
    bool without_options; /* TCP-AO: other TCP options are not covered, for NATs that change them */
    const uint8_t *key;   /* copied */
    size_t key_len;       /* 1 to 80 */
};

/*
 * Adds a key to a listener, whose connections inherit those that are for their peer, or to a
 * connection that is closed or was opened with a key: right after weir_connect, before the next
 * weir_output. An MD5 key replaces the one for the same prefix. Returns 0, or
 *   WEIR_EINVAL      a length or the algorithm is out of range, or MD5 and TCP-AO are mixed, or
 *                    another key for that prefix has one of these IDs
 *   WEIR_ENOTSUP     the stack has no cryptography, or this is neither connection nor listener
 *   WEIR_ESTATE      the connection has begun without a key
 *   WEIR_ENOMEM
 *   WEIR_ESTALE      no such handle
 */
WEIR_API int weir_auth_add(struct weir *s, weir_handle_t handle, const struct weir_auth_key *key);

/*
 * Removes the key with the algorithm, peer and IDs of *key. Returns 0, or
 *   WEIR_EINVAL  there is none
 *   WEIR_ESTATE  the connection uses it
 *   WEIR_ESTALE  no such handle
 */
WEIR_API int weir_auth_remove(struct weir *s, weir_handle_t handle,
                              const struct weir_auth_key *key);

/*
 * TCP-AO: asks the peer to send with the key that has this recv_id from now on (RNextKeyID); when
 * the peer asks for one in turn, this end changes at once [RFC5925 6.1]. The way to new keys is to
 * add them at both ends, to ask for them, and to remove the old ones when weir_auth_info
 * shows that they are not used any more. Returns 0, or
 *   WEIR_EINVAL  there is no such key
 *   WEIR_ESTALE  no such connection
 */
WEIR_API int weir_auth_ask(struct weir *s, weir_conn_t conn, uint8_t recv_id);

struct weir_auth_info {
    enum weir_auth algorithm;
    uint32_t keys;     /* how many there are */
    uint8_t current;   /* TCP-AO: the send_id of the key that we send with */
    uint8_t next;      /* TCP-AO: the recv_id of the key that we ask for */
    uint8_t last_seen; /* TCP-AO: the recv_id of the key that the peer has sent with last */
};

/* 0, or WEIR_ENOTCONN (it has no keys), WEIR_ESTALE. Of a connection or a listener. */
WEIR_API int weir_auth_info(const struct weir *s, weir_handle_t handle,
                            struct weir_auth_info *info);

#ifdef __cplusplus
}
#endif

#endif
