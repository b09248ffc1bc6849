/*
 * auth.c - the digests of segments: TCP-AO [RFC5925, RFC5926] and the MD5 option [RFC2385]
 *
 * Each connection with keys has a record of its own with copies of them, which moves with it from
 * half open to TIME-WAIT. TCP-AO has for each direction a traffic key that derives from the master
 * key, the ends and both initial sequence numbers; a SYN has one in which the number that is not
 * known yet is 0 [RFC5925 5.2]. The digest also covers the upper half of a 64-bit
 * sequence number, so that nothing can be replayed when numbers wrap [RFC5925 6.2].
 *
 * State: the pools of env.auth and what is in them.
 */
#include "tcp/auth.h"
#include "base/addr.h"
#include "base/be.h"
#include "base/check.h"
#include "base/frame.h"
#include "tcp/conn.h"
#include "tcp/env.h"
#include "tcp/seg.h"
#include "wire/ip.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"
#include <string.h>

enum {
    AO_HEAD_LEN = 4, /* kind, length, two key IDs */
    AO_LEN = AO_HEAD_LEN + AUTH_MAC_LEN,
    MD5_LEN = 18,
    IDS_LEN = 2,
    SEQ_AT = 4, /* in a TCP header */
    FLAGS_AT = 13,
    CMAC_KEY_LEN = 16,
    SHA1_LEN = 20,
    PSEUDO_MAX = 40,
    PARTS_MAX = 4 + WEIR_FRAME_SLICES,
};

bool auths_init(struct auths *a, struct mem *mem, size_t slab_bytes,
                const struct weir_crypto *crypto)
{
    a->crypto = crypto;
    return pool_init_handles(&a->auths, mem, "auth", sizeof(struct auth), slab_bytes)
           && pool_init(&a->keys, mem, "auth key", sizeof(struct auth_key), slab_bytes);
}

void auths_fini(struct auths *a)
{
    pool_fini(&a->auths);
    pool_fini(&a->keys);
}

static struct auth *auth_of(const struct tcp_env *env, uint32_t auth)
{
    return auth == 0 ? NULL : pool_at(&env->auth.auths, auth - 1);
}

static struct auth_key *key_of(struct list *link)
{
    return container_of(link, struct auth_key, link);
}

/* ---- keys ---- */

static bool is_ao(const struct auth_key *k)
{
    return k->algorithm != WEIR_AUTH_MD5;
}

static bool is_in(const struct weir_prefix *prefix, const struct weir_addr *addr)
{
    size_t whole = prefix->len / 8, rest = prefix->len % 8;
    uint8_t mask = (uint8_t)(0xff00 >> rest);

    if (memcmp(prefix->addr.b, addr->b, whole) != 0)
        return false;
    return rest == 0 || ((prefix->addr.b[whole] ^ addr->b[whole]) & mask) == 0;
}

static bool is_same_peer(const struct weir_prefix *a, const struct weir_prefix *b)
{
    return a->len == b->len && is_in(a, &b->addr);
}

/* The first for that peer, among those with the longest prefix. */
static struct auth_key *find_for(struct auth *a, const struct weir_addr *peer)
{
    struct auth_key *best = NULL;

    LIST_EACH (i, &a->keys) {
        struct auth_key *k = key_of(i);
        if (is_in(&k->peer, peer) && (best == NULL || k->peer.len > best->peer.len))
            best = k;
    }
    return best;
}

static struct auth_key *find_received(struct auth *a, const struct weir_addr *peer, uint8_t id)
{
    LIST_EACH (i, &a->keys)
        if (key_of(i)->recv_id == id && is_in(&key_of(i)->peer, peer))
            return key_of(i);
    return NULL;
}

static struct auth_key *find_sent(struct auth *a, const struct weir_addr *peer, uint8_t id)
{
    LIST_EACH (i, &a->keys)
        if (key_of(i)->send_id == id && is_in(&key_of(i)->peer, peer))
            return key_of(i);
    return NULL;
}

static bool is_valid(const struct weir_auth_key *key)
{
    return key->key != NULL && key->key_len >= 1 && key->key_len <= WEIR_AUTH_KEY_MAX
           && key->peer.len <= 128 && (unsigned)key->algorithm <= WEIR_AUTH_AO_CMAC;
}

static struct auth_key *find_same(struct auth *a, const struct weir_auth_key *key)
{
    LIST_EACH (i, &a->keys) {
        const struct auth_key *k = key_of(i);
        bool has_ids = !is_ao(k) || (k->send_id == key->send_id && k->recv_id == key->recv_id);
        if (k->algorithm == key->algorithm && has_ids && is_same_peer(&k->peer, &key->peer))
            return key_of(i);
    }
    return NULL;
}

/* Two keys that could be meant by the same ID, or of different options [RFC5925 3.1]. */
static bool collides(struct auth *a, const struct weir_auth_key *key)
{
    LIST_EACH (i, &a->keys) {
        const struct auth_key *k = key_of(i);
        bool same_ids = k->send_id == key->send_id || k->recv_id == key->recv_id;
        if (!is_same_peer(&k->peer, &key->peer))
            continue;
        if (is_ao(k) != (key->algorithm != WEIR_AUTH_MD5) || (is_ao(k) && same_ids))
            return true;
    }
    return false;
}

static void fill(struct auth_key *k, const struct weir_auth_key *key)
{
    k->peer = key->peer;
    k->algorithm = (uint8_t)key->algorithm;
    k->send_id = key->send_id;
    k->recv_id = key->recv_id;
    k->without_options = key->without_options;
    k->is_derived = false;
    k->len = (uint8_t)key->key_len;
    memcpy(k->bytes, key->key, key->key_len);
}

static uint32_t new_auth(struct tcp_env *env)
{
    struct auth *a = pool_get_zeroed(&env->auth.auths);

    if (a == NULL)
        return 0;
    list_init(&a->keys);
    return pool_index(&env->auth.auths, a) + 1;
}

static struct auth_key *new_key(struct tcp_env *env, struct auth *a)
{
    struct auth_key *k = pool_get_zeroed(&env->auth.keys);

    if (k == NULL)
        return NULL;
    list_init(&k->link);
    list_add_last(&a->keys, &k->link);
    return k;
}

/* What was secret does not stay in memory. */
static void free_key(struct tcp_env *env, struct auth_key *k)
{
    list_remove(&k->link);
    *k = (struct auth_key){0};
    pool_put(&env->auth.keys, k);
}

void auth_put(struct tcp_env *env, uint32_t *auth)
{
    struct auth *a = auth_of(env, *auth);

    *auth = 0;
    if (a == NULL)
        return;
    while (!list_is_empty(&a->keys))
        free_key(env, key_of(list_first(&a->keys)));
    pool_put(&env->auth.auths, a);
}

static int add_to(struct tcp_env *env, struct auth *a, const struct weir_auth_key *key)
{
    struct auth_key *k = find_same(a, key);

    if (k != NULL && key->algorithm == WEIR_AUTH_MD5) {
        fill(k, key);
        return WEIR_OK;
    }
    if (collides(a, key))
        return WEIR_EINVAL;
    k = new_key(env, a);
    if (k == NULL)
        return WEIR_ENOMEM;
    fill(k, key);
    return WEIR_OK;
}

int auth_add(struct tcp_env *env, uint32_t *auth, const struct weir_auth_key *key)
{
    int err;

    if (!is_valid(key))
        return WEIR_EINVAL;
    if (env->auth.crypto == NULL)
        return WEIR_ENOTSUP;
    if (*auth == 0)
        *auth = new_auth(env);
    if (*auth == 0)
        return WEIR_ENOMEM;
    err = add_to(env, auth_of(env, *auth), key);
    if (list_is_empty(&auth_of(env, *auth)->keys))
        auth_put(env, auth);
    return err;
}

int auth_remove(struct tcp_env *env, uint32_t *auth, const struct weir_auth_key *key)
{
    struct auth *a = auth_of(env, *auth);
    struct auth_key *k = a == NULL ? NULL : find_same(a, key);

    if (k == NULL)
        return WEIR_EINVAL;
    if (k == a->current || k == a->next)
        return WEIR_ESTATE;
    if (k == a->seen)
        a->seen = NULL;
    free_key(env, k);
    if (list_is_empty(&a->keys))
        auth_put(env, auth);
    return WEIR_OK;
}

int auth_ask(const struct tcp_env *env, uint32_t auth, uint8_t recv_id)
{
    struct auth *a = auth_of(env, auth);

    if (a == NULL || a->current == NULL || !is_ao(a->current))
        return WEIR_EINVAL;
    LIST_EACH (i, &a->keys)
        if (key_of(i)->recv_id == recv_id) {
            a->next = key_of(i);
            return WEIR_OK;
        }
    return WEIR_EINVAL;
}

int auth_info(const struct tcp_env *env, uint32_t auth, struct weir_auth_info *info)
{
    struct auth *a = auth_of(env, auth);

    if (a == NULL)
        return WEIR_ENOTCONN;
    *info = (struct weir_auth_info){
        .algorithm = (enum weir_auth)key_of(list_first(&a->keys))->algorithm,
        .current = a->current == NULL ? 0 : a->current->send_id,
        .next = a->next == NULL ? 0 : a->next->recv_id,
        .last_seen = a->seen == NULL ? 0 : a->seen->recv_id,
    };
    LIST_EACH (i, &a->keys)
        info->keys++;
    return WEIR_OK;
}

bool auth_has_key_for(const struct tcp_env *env, uint32_t auth, const struct weir_addr *peer)
{
    struct auth *a = auth_of(env, auth);

    return a != NULL && find_for(a, peer) != NULL;
}

uint32_t auth_copy(struct tcp_env *env, uint32_t auth, const struct weir_addr *peer)
{
    struct auth *from = auth_of(env, auth), *to;
    uint32_t copy = from == NULL ? 0 : new_auth(env);

    if (copy == 0)
        return 0;
    to = auth_of(env, copy);
    LIST_EACH (i, &from->keys) {
        struct auth_key *k;
        if (!is_in(&key_of(i)->peer, peer))
            continue;
        k = new_key(env, to);
        if (k == NULL) {
            auth_put(env, &copy);
            return 0;
        }
        list_remove(&k->link);
        *k = *key_of(i);
        list_init(&k->link);
        list_add_last(&to->keys, &k->link);
    }
    if (list_is_empty(&to->keys))
        auth_put(env, &copy);
    return copy;
}

void auth_open(struct tcp_env *env, uint32_t *auth, const struct weir_addr *peer, seq_t iss)
{
    struct auth *a = auth_of(env, *auth);

    if (a == NULL)
        return;
    LIST_EACH_REMOVABLE(i, &a->keys)
    if (!is_in(&key_of(i)->peer, peer))
        free_key(env, key_of(i));
    if (list_is_empty(&a->keys)) {
        auth_put(env, auth);
        return;
    }
    a->current = a->next = find_for(a, peer);
    a->iss = iss;
    a->sent = iss.raw;
}

/* ---- digests ---- */

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

static uint32_t read_be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void digest(const struct tcp_env *env, enum weir_digest what, struct weir_slice key,
                   const struct weir_slice *parts, size_t count, uint8_t out[WEIR_DIGEST_MAX])
{
    env->auth.crypto->digest(env->auth.crypto->ctx, what, key, parts, count, out);
}

/* The ends of a segment, as its sender sees them, and the two initial numbers. */
struct ends {
    const struct weir_addr *src, *dst;
    uint16_t src_port, dst_port;
    uint32_t src_isn, dst_isn;
};

static struct ends ends_of(const struct tcp_tuple *t, bool is_sent)
{
    if (is_sent)
        return (struct ends){&t->local_addr, &t->remote_addr, t->local_port, t->remote_port, 0, 0};
    return (struct ends){&t->remote_addr, &t->local_addr, t->remote_port, t->local_port, 0, 0};
}

static size_t write_addr(uint8_t *at, const struct weir_addr *addr)
{
    bool is_v4 = addr_is_v4(addr);
    size_t len = is_v4 ? 4 : 16;

    memcpy(at, addr->b + (is_v4 ? 12 : 0), len);
    return len;
}

/* The input of the key derivation [RFC5926 3.1.1]: 1, the label, the context, the length in bits. */
static size_t write_derivation(const struct ends *e, uint32_t bits, uint8_t out[64])
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

static void derive(const struct tcp_env *env, struct auth_key *k, const struct ends *e,
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

/* A segment, as it is signed: its TCP header with options, and its text. */
struct signable {
    struct ends ends;
    uint8_t header[TCP_HEADER_MAX]; /* without checksum and digest */
    size_t header_len;
    size_t option_at; /* where the option's kind stands in it */
    size_t text_len;
    const struct weir_slice *text;
    size_t text_count;
    uint32_t extension; /* of the sequence number */
};

static size_t write_pseudo(const struct signable *s, uint8_t out[PSEUDO_MAX])
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

static void add_text(struct weir_slice *parts, size_t *count, const struct signable *s)
{
    for (size_t i = 0; i < s->text_count; i++)
        add(parts, count, s->text[i].bytes, s->text[i].len);
}

/* Pseudo-header, header without options, text, key [RFC2385 2.0]. */
static void digest_md5(const struct tcp_env *env, struct signable *s, struct auth_key *k,
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

/* The extension, pseudo-header, header with options or with this one alone, text [RFC5925 5.1]. */
static void digest_ao(const struct tcp_env *env, struct signable *s, const struct auth_key *k,
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
        add(parts, &count, s->header + s->option_at, AO_LEN);
    add_text(parts, &count, s);
    digest(env, is_sha1 ? WEIR_DIGEST_HMAC_SHA1 : WEIR_DIGEST_AES_128_CMAC, key, parts, count, out);
}

/* The traffic keys of all but SYNs, once both initial numbers are known. */
static void derive_all(const struct tcp_env *env, const struct auth *a, struct auth_key *k,
                       const struct tcp_tuple *tuple)
{
    struct ends e = ends_of(tuple, true);

    if (k->is_derived)
        return;
    e.src_isn = a->iss.raw;
    e.dst_isn = a->irs.raw;
    derive(env, k, &e, k->send_traffic);
    e = ends_of(tuple, false);
    e.src_isn = a->irs.raw;
    e.dst_isn = a->iss.raw;
    derive(env, k, &e, k->recv_traffic);
    k->is_derived = true;
}

static void forget_derived(struct auth *a)
{
    LIST_EACH (i, &a->keys)
        key_of(i)->is_derived = false;
}

/* The 64-bit number next to reference whose lower half is seq. */
static uint64_t extend(uint64_t reference, uint32_t seq)
{
    return reference + (uint64_t)(int64_t)(int32_t)(seq - (uint32_t)reference);
}

/* ---- segments out ---- */

/* Before a connection has chosen, it is the one for the peer: for answers to what is checked. */
static struct auth_key *key_to_send(struct auth *a, const struct weir_addr *peer)
{
    return a->current != NULL ? a->current : find_for(a, peer);
}

uint32_t auth_option_bytes(const struct tcp_env *env, uint32_t auth)
{
    struct auth *a = auth_of(env, auth);

    if (a == NULL)
        return 0;
    return is_ao(key_of(list_first(&a->keys))) ? AO_LEN : MD5_LEN + 2;
}

void auth_reserve(const struct tcp_env *env, uint32_t auth, const struct weir_addr *peer,
                  uint8_t *value, struct tcp_options *options)
{
    struct auth *a = auth_of(env, auth);
    const struct auth_key *k = a == NULL ? NULL : key_to_send(a, peer);

    if (k == NULL)
        return;
    memset(value, 0, AUTH_VALUE_MAX);
    if (!is_ao(k)) {
        options->present |= TCP_HAS_MD5;
        options->md5 = span_of(value, TCP_MD5_LEN);
        return;
    }
    value[0] = k->send_id;
    value[1] = a->next != NULL ? a->next->recv_id : k->recv_id;
    options->present |= TCP_HAS_AO;
    options->ao = span_of(value, IDS_LEN + AUTH_MAC_LEN);
}

static uint32_t fill_sent(struct signable *s, const struct tcp_tuple *tuple, const uint8_t *header,
                          const struct frame *frame)
{
    *s = (struct signable){.ends = ends_of(tuple, true)};
    s->header_len = (size_t)(header[12] >> 4) * 4;
    memcpy(s->header, header, s->header_len);
    memset(s->header + TCP_CHECKSUM_AT, 0, 2);
    s->text = frame->wire.slices + 1;
    s->text_count = frame->wire.slice_count - 1u;
    s->text_len = frame->wire.len - s->header_len;
    return read_be32(header + SEQ_AT);
}

/* The first number is the SYN's. */
static void extend_sent(struct auth *a, struct signable *s, uint32_t seq, bool is_syn)
{
    uint64_t extended = extend(a->sent, seq);

    if (is_syn) {
        a->iss = seq_of(seq);
        a->sent = seq;
        return;
    }
    s->extension = (uint32_t)(extended >> 32);
    if (extended > a->sent)
        a->sent = extended;
}

static void sign_ao(struct tcp_env *env, struct auth *a, struct auth_key *k,
                    const struct tcp_tuple *tuple, struct signable *s, uint8_t out[WEIR_DIGEST_MAX])
{
    uint8_t syn_key[WEIR_DIGEST_MAX];

    if ((s->header[FLAGS_AT] & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
        s->ends.src_isn = a->iss.raw;
        derive(env, k, &s->ends, syn_key);
        digest_ao(env, s, k, syn_key, out);
        return;
    }
    derive_all(env, a, k, tuple);
    digest_ao(env, s, k, k->send_traffic, out);
}

void auth_sign(struct tcp_env *env, uint32_t auth, const struct tcp_tuple *tuple,
               struct frame *frame)
{
    struct auth *a = auth_of(env, auth);
    struct auth_key *k = a == NULL ? NULL : key_to_send(a, &tuple->remote_addr);
    uint8_t *header = frame->wire.slices[0].bytes;
    uint8_t out[WEIR_DIGEST_MAX];
    struct signable s;
    uint32_t seq;

    if (k == NULL)
        return;
    seq = fill_sent(&s, tuple, header, frame);
    if (!is_ao(k)) { /* the option comes first, after two NOPs */
        digest_md5(env, &s, k, out);
        memcpy(header + TCP_HEADER_LEN + 4, out, TCP_MD5_LEN);
        return;
    }
    s.option_at = TCP_HEADER_LEN;
    extend_sent(a, &s, seq, (header[FLAGS_AT] & TCP_SYN) != 0);
    sign_ao(env, a, k, tuple, &s, out);
    memcpy(header + TCP_HEADER_LEN + AO_HEAD_LEN, out, AUTH_MAC_LEN);
}

/* ---- segments in ---- */

/* The time it takes tells nothing about how much is right. */
static bool is_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
    uint8_t difference = 0;

    for (size_t i = 0; i < len; i++)
        difference |= a[i] ^ b[i];
    return difference == 0;
}

static void fill_received(struct signable *s, const struct tcp_tuple *tuple,
                          const struct tcp_seg *seg, struct span value, size_t secret_at,
                          struct weir_slice text[WEIR_FRAME_SLICES])
{
    size_t at = (size_t)(value.bytes - seg->header.bytes);
    uint32_t skip = seg->text_skip, left = seg->len;

    *s = (struct signable){.ends = ends_of(tuple, false), .text = text, .text_len = seg->len};
    s->header_len = seg->header.len;
    memcpy(s->header, seg->header.bytes, seg->header.len);
    memset(s->header + TCP_CHECKSUM_AT, 0, 2);
    memset(s->header + at + secret_at, 0, value.len - secret_at);
    s->option_at = at - 2;
    for (size_t i = 0; i < seg->text_count && left > 0; i++) {
        uint32_t len = (uint32_t)seg->text[i].len;
        uint32_t part = len > skip ? len - skip : 0;
        part = part < left ? part : left;
        if (part > 0)
            text[s->text_count++] = (struct weir_slice){seg->text[i].bytes + skip, part};
        skip -= len < skip ? len : skip;
        left -= part;
    }
}

static enum why check_md5(const struct tcp_env *env, struct auth_key *k,
                          const struct tcp_tuple *tuple, const struct tcp_seg *seg)
{
    struct weir_slice text[WEIR_FRAME_SLICES];
    uint8_t out[WEIR_DIGEST_MAX];
    struct signable s;

    if (!(seg->opt.present & TCP_HAS_MD5))
        return WHY_TCP_AUTH_MISSING;
    fill_received(&s, tuple, seg, seg->opt.md5, 0, text);
    digest_md5(env, &s, k, out);
    return is_equal(out, seg->opt.md5.bytes, TCP_MD5_LEN) ? WHY_NONE : WHY_TCP_AUTH_WRONG;
}

/* A SYN-ACK brings the number that its own key needs. */
static void digest_received(struct tcp_env *env, struct auth *a, struct auth_key *k,
                            const struct tcp_tuple *tuple, const struct tcp_seg *seg,
                            struct signable *s, uint8_t out[WEIR_DIGEST_MAX])
{
    uint8_t key[WEIR_DIGEST_MAX];

    if (seg->flags & TCP_SYN) {
        s->ends.src_isn = seg->seq.raw;
        s->ends.dst_isn = seg->flags & TCP_ACK ? a->iss.raw : 0;
        derive(env, k, &s->ends, key);
        digest_ao(env, s, k, key, out);
        return;
    }
    s->extension = (uint32_t)(extend(a->received, seg->seq.raw) >> 32);
    derive_all(env, a, k, tuple);
    digest_ao(env, s, k, k->recv_traffic, out);
}

/* The segment is the peer's: numbers move on, and it says which key it wants [RFC5925 7.5]. */
static void note_good(struct auth *a, struct auth_key *k, const struct weir_addr *peer,
                      const struct tcp_seg *seg)
{
    uint64_t extended = extend(a->received, seg->seq.raw);
    struct auth_key *wanted = find_sent(a, peer, seg->opt.ao.bytes[1]);

    if (a->current == NULL) /* a listener has no state */
        return;
    if ((seg->flags & TCP_SYN) && !a->knows_irs) {
        forget_derived(a);
        a->knows_irs = true;
        a->irs = seg->seq;
        a->received = seg->seq.raw;
    } else if (!(seg->flags & TCP_SYN) && extended > a->received) {
        a->received = extended;
    }
    a->seen = k;
    if (wanted != NULL)
        a->current = wanted;
}

static enum why check_ao(struct tcp_env *env, struct auth *a, const struct tcp_tuple *tuple,
                         const struct tcp_seg *seg)
{
    struct weir_slice text[WEIR_FRAME_SLICES];
    uint8_t out[WEIR_DIGEST_MAX];
    struct signable s;
    struct auth_key *k;

    if (!(seg->opt.present & TCP_HAS_AO))
        return WHY_TCP_AUTH_MISSING;
    if (seg->opt.ao.len != IDS_LEN + AUTH_MAC_LEN)
        return WHY_TCP_AUTH_WRONG;
    k = find_received(a, &tuple->remote_addr, seg->opt.ao.bytes[0]);
    if (k == NULL)
        return WHY_TCP_AUTH_KEY;
    fill_received(&s, tuple, seg, seg->opt.ao, IDS_LEN, text);
    digest_received(env, a, k, tuple, seg, &s, out);
    if (!is_equal(out, seg->opt.ao.bytes + IDS_LEN, AUTH_MAC_LEN))
        return WHY_TCP_AUTH_WRONG;
    note_good(a, k, &tuple->remote_addr, seg);
    return WHY_NONE;
}

enum why auth_check(struct tcp_env *env, uint32_t auth, const struct tcp_tuple *tuple,
                    const struct tcp_seg *seg)
{
    struct auth *a = auth_of(env, auth);
    struct auth_key *k = a == NULL ? NULL : find_for(a, &tuple->remote_addr);

    if (k == NULL)
        return seg->opt.present & (TCP_HAS_MD5 | TCP_HAS_AO) ? WHY_TCP_AUTH_UNEXPECTED : WHY_NONE;
    if (seg->segs > 1) /* nobody can tell what it was before it was joined */
        return WHY_TCP_AUTH_WRONG;
    return is_ao(k) ? check_ao(env, a, tuple, seg) : check_md5(env, k, tuple, seg);
}

void auth_begin(struct tcp_env *env, uint32_t auth, const struct tcp_seg *seg, seq_t iss, seq_t irs)
{
    struct auth *a = auth_of(env, auth);
    struct auth_key *k;

    if (a == NULL)
        return;
    a->iss = iss;
    a->irs = irs;
    a->knows_irs = true;
    a->sent = iss.raw;
    a->received = irs.raw;
    a->current = a->next = key_of(list_first(&a->keys));
    if (!is_ao(a->current) || !(seg->opt.present & TCP_HAS_AO) || seg->opt.ao.len < IDS_LEN)
        return;
    LIST_EACH (i, &a->keys) {
        k = key_of(i);
        if (k->recv_id == seg->opt.ao.bytes[0])
            a->next = a->seen = k;
        if (k->send_id == seg->opt.ao.bytes[1])
            a->current = k;
    }
}
