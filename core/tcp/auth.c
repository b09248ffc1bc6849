/*
 * auth.c - segments are signed and checked: TCP-AO [RFC5925] and the MD5 option [RFC2385]
 *
 * The digest of TCP-AO also covers the upper half of a 64-bit sequence number, so that nothing can
 * be replayed when numbers wrap [RFC5925 6.2]. Keys are in auth_keys.c, digests in auth_digest.c.
 *
 * State: that of the connections' struct auth.
 */
#include "tcp/auth.h"
#include "base/be.h"
#include "base/frame.h"
#include "tcp/auth_digest.h"
#include "tcp/auth_keys.h"
#include "tcp/conn.h"
#include "tcp/seg.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"
#include <string.h>

enum {
    MD5_LEN = 18,
    IDS_LEN = 2,
    SEQ_AT = 4, /* in a TCP header */
    FLAGS_AT = 13,
};

static void forget_derived(struct auth *a)
{
    LIST_EACH (i, &a->keys)
        auth_key_of(i)->is_derived = false;
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
    return a->current != NULL ? a->current : auth_key_for(a, peer);
}

uint32_t auth_option_bytes(const struct tcp_env *env, uint32_t auth)
{
    struct auth *a = auth_of(env, auth);

    if (a == NULL)
        return 0;
    return auth_key_is_ao(auth_key_of(list_first(&a->keys))) ? AUTH_AO_LEN : MD5_LEN + 2;
}

void auth_reserve(const struct tcp_env *env, uint32_t auth, const struct weir_addr *peer,
                  uint8_t *value, struct tcp_options *options)
{
    struct auth *a = auth_of(env, auth);
    const struct auth_key *k = a == NULL ? NULL : key_to_send(a, peer);

    if (k == NULL)
        return;
    memset(value, 0, AUTH_VALUE_MAX);
    if (!auth_key_is_ao(k)) {
        options->present |= TCP_HAS_MD5;
        options->md5 = span_of(value, TCP_MD5_LEN);
        return;
    }
    value[0] = k->send_id;
    value[1] = a->next != NULL ? a->next->recv_id : k->recv_id;
    options->present |= TCP_HAS_AO;
    options->ao = span_of(value, IDS_LEN + AUTH_MAC_LEN);
}

static uint32_t fill_sent(struct auth_signable *s, const struct tcp_tuple *tuple,
                          const uint8_t *header, const struct frame *frame)
{
    *s = (struct auth_signable){.ends = auth_ends_of(tuple, true)};
    s->header_len = (size_t)(header[12] >> 4) * 4;
    memcpy(s->header, header, s->header_len);
    memset(s->header + TCP_CHECKSUM_AT, 0, 2);
    s->text = frame->wire.slices + 1;
    s->text_count = frame->wire.slice_count - 1u;
    s->text_len = frame->wire.len - s->header_len;
    return be32_at(header + SEQ_AT);
}

/* The first number is the SYN's. */
static void extend_sent(struct auth *a, struct auth_signable *s, uint32_t seq, bool is_syn)
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
                    const struct tcp_tuple *tuple, struct auth_signable *s,
                    uint8_t out[WEIR_DIGEST_MAX])
{
    uint8_t syn_key[WEIR_DIGEST_MAX];

    if ((s->header[FLAGS_AT] & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
        s->ends.src_isn = a->iss.raw;
        auth_derive(env, k, &s->ends, syn_key);
        auth_digest_ao(env, s, k, syn_key, out);
        return;
    }
    auth_derive_all(env, a, k, tuple);
    auth_digest_ao(env, s, k, k->send_traffic, out);
}

void auth_sign(struct tcp_env *env, uint32_t auth, const struct tcp_tuple *tuple,
               struct frame *frame)
{
    struct auth *a = auth_of(env, auth);
    struct auth_key *k = a == NULL ? NULL : key_to_send(a, &tuple->remote_addr);
    uint8_t *header = frame->wire.slices[0].bytes;
    uint8_t out[WEIR_DIGEST_MAX];
    struct auth_signable s;
    uint32_t seq;

    if (k == NULL)
        return;
    seq = fill_sent(&s, tuple, header, frame);
    if (!auth_key_is_ao(k)) { /* the option comes first, after two NOPs */
        auth_digest_md5(env, &s, k, out);
        memcpy(header + TCP_HEADER_LEN + 4, out, TCP_MD5_LEN);
        return;
    }
    s.option_at = TCP_HEADER_LEN;
    extend_sent(a, &s, seq, (header[FLAGS_AT] & TCP_SYN) != 0);
    sign_ao(env, a, k, tuple, &s, out);
    memcpy(header + TCP_HEADER_LEN + AUTH_AO_HEAD_LEN, out, AUTH_MAC_LEN);
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

static void fill_received(struct auth_signable *s, const struct tcp_tuple *tuple,
                          const struct tcp_seg *seg, struct span value, size_t secret_at,
                          struct weir_slice text[WEIR_FRAME_SLICES])
{
    size_t at = (size_t)(value.bytes - seg->header.bytes);
    uint32_t skip = seg->text_skip, left = seg->len;

    *s = (struct auth_signable){
        .ends = auth_ends_of(tuple, false), .text = text, .text_len = seg->len};
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
    struct auth_signable s;

    if (!(seg->opt.present & TCP_HAS_MD5))
        return WHY_TCP_AUTH_MISSING;
    fill_received(&s, tuple, seg, seg->opt.md5, 0, text);
    auth_digest_md5(env, &s, k, out);
    return is_equal(out, seg->opt.md5.bytes, TCP_MD5_LEN) ? WHY_NONE : WHY_TCP_AUTH_WRONG;
}

/* A SYN-ACK brings the number that its own key needs. */
static void digest_received(struct tcp_env *env, struct auth *a, struct auth_key *k,
                            const struct tcp_tuple *tuple, const struct tcp_seg *seg,
                            struct auth_signable *s, uint8_t out[WEIR_DIGEST_MAX])
{
    uint8_t key[WEIR_DIGEST_MAX];

    if (seg->flags & TCP_SYN) {
        s->ends.src_isn = seg->seq.raw;
        s->ends.dst_isn = seg->flags & TCP_ACK ? a->iss.raw : 0;
        auth_derive(env, k, &s->ends, key);
        auth_digest_ao(env, s, k, key, out);
        return;
    }
    s->extension = (uint32_t)(extend(a->received, seg->seq.raw) >> 32);
    auth_derive_all(env, a, k, tuple);
    auth_digest_ao(env, s, k, k->recv_traffic, out);
}

/* The segment is the peer's: numbers move on, and it says which key it wants [RFC5925 7.5]. */
static void note_good(struct auth *a, struct auth_key *k, const struct weir_addr *peer,
                      const struct tcp_seg *seg)
{
    uint64_t extended = extend(a->received, seg->seq.raw);
    struct auth_key *wanted = auth_key_sent(a, peer, seg->opt.ao.bytes[1]);

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
    struct auth_signable s;
    struct auth_key *k;

    if (!(seg->opt.present & TCP_HAS_AO))
        return WHY_TCP_AUTH_MISSING;
    if (seg->opt.ao.len != IDS_LEN + AUTH_MAC_LEN)
        return WHY_TCP_AUTH_WRONG;
    k = auth_key_received(a, &tuple->remote_addr, seg->opt.ao.bytes[0]);
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
    struct auth_key *k = a == NULL ? NULL : auth_key_for(a, &tuple->remote_addr);

    if (k == NULL)
        return seg->opt.present & (TCP_HAS_MD5 | TCP_HAS_AO) ? WHY_TCP_AUTH_UNEXPECTED : WHY_NONE;
    if (seg->segs > 1) /* nobody can tell what it was before it was joined */
        return WHY_TCP_AUTH_WRONG;
    return auth_key_is_ao(k) ? check_ao(env, a, tuple, seg) : check_md5(env, k, tuple, seg);
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
    a->current = a->next = auth_key_of(list_first(&a->keys));
    if (!auth_key_is_ao(a->current) || !(seg->opt.present & TCP_HAS_AO)
        || seg->opt.ao.len < IDS_LEN)
        return;
    LIST_EACH (i, &a->keys) {
        k = auth_key_of(i);
        if (k->recv_id == seg->opt.ao.bytes[0])
            a->next = a->seen = k;
        if (k->send_id == seg->opt.ao.bytes[1])
            a->current = k;
    }
}
