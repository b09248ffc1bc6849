/* test_auth_vectors.c - segments that others have signed [RFC2385, RFC5925, RFC5926, RFC9235] */
#include "base/frame.h"
#include "lib/libcrypto.h"
#include "lib/tcp_world.h"
#include "lib/test.h"
#include "tcp/auth.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENT_MAX = 1000 };

/* As the sender sees it; the segment is in hexadecimal digits, from TCP's header on. */
struct row {
    enum weir_auth algorithm;
    bool without_options;
    const char *src, *dst;
    uint32_t src_isn, dst_isn;
    const char *master;
    const char *segment;
};

static const struct row made[] = {
#include "unit/crypto/made_vectors.inc"
};

static const struct row published[] = {
#include "unit/crypto/rfc9235_vectors.inc"
};

/* A signed segment, taken apart, and the world it is in. */
struct signed_segment {
    struct tcp_world *w;
    const struct row *row;
    uint8_t bytes[SEGMENT_MAX];
    size_t len;
    struct tcp_header header;
    struct weir_slice text;
    struct tcp_seg seg;
    struct weir_auth_key key;
    uint8_t master[WEIR_AUTH_KEY_MAX];
    struct weir_addr src, dst;
};

static size_t from_hex(const char *hex, uint8_t *bytes)
{
    size_t len = 0;

    for (unsigned byte; sscanf(hex + 2 * len, "%2x", &byte) == 1; len++)
        bytes[len] = (uint8_t)byte;
    return len;
}

static void look(struct signed_segment *s)
{
    EXPECT_EQ(tcp_parse(span_of(s->bytes, s->len), s->len, &s->header), WHY_NONE);
    s->text = (struct weir_slice){s->bytes + s->header.header_len, s->header.payload_len};
    s->seg = (struct tcp_seg){
        .seq = seq_of(s->header.seq),
        .ack = seq_of(s->header.ack),
        .len = (uint32_t)s->header.payload_len,
        .flags = s->header.flags,
        .segs = 1,
        .header = span_of(s->bytes, s->header.header_len),
        .text = &s->text,
        .text_count = 1,
    };
    tcp_options_parse(s->header.options, &s->seg.opt);
    EXPECT(!s->seg.opt.malformed);
}

static struct signed_segment *segment_of(struct tcp_world *w, const struct row *row)
{
    struct signed_segment *s = calloc(1, sizeof *s);
    bool is_ao = row->algorithm != WEIR_AUTH_MD5;

    w->env.auth.crypto = libcrypto();
    s->w = w;
    s->row = row;
    s->len = from_hex(row->segment, s->bytes);
    look(s);
    EXPECT_EQ(weir_addr_parse(row->src, &s->src), WEIR_OK);
    EXPECT_EQ(weir_addr_parse(row->dst, &s->dst), WEIR_OK);
    s->key = (struct weir_auth_key){
        .algorithm = row->algorithm,
        .peer = {.len = 0},
        .without_options = row->without_options,
        .key = s->master,
        .key_len = from_hex(row->master, s->master),
    };
    if (is_ao) { /* the sender's */
        s->key.send_id = s->seg.opt.ao.bytes[0];
        s->key.recv_id = s->seg.opt.ao.bytes[1];
    }
    return s;
}

static struct tcp_tuple tuple_of(const struct signed_segment *s, bool of_sender)
{
    if (of_sender)
        return (struct tcp_tuple){s->src, s->dst, s->header.src_port, s->header.dst_port};
    return (struct tcp_tuple){s->dst, s->src, s->header.dst_port, s->header.src_port};
}

/* The receiver's keys and numbers. */
static uint32_t receiver(struct signed_segment *s)
{
    struct weir_auth_key key = s->key;
    uint32_t auth = 0;

    key.send_id = s->key.recv_id;
    key.recv_id = s->key.send_id;
    EXPECT_EQ(auth_add(&s->w->env, &auth, &key), WEIR_OK);
    if ((s->seg.flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
        auth_begin(&s->w->env, auth, &s->seg, seq_of(s->row->dst_isn), seq_of(s->row->src_isn));
    return auth;
}

static enum why checked(struct signed_segment *s)
{
    struct tcp_tuple tuple = tuple_of(s, false);
    uint32_t auth = receiver(s);
    enum why why = auth_check(&s->w->env, auth, &tuple, &s->seg);

    auth_put(&s->w->env, &auth);
    return why;
}

static void nothing(void *owner)
{
    (void)owner;
}

/* The same segment with its digest, and the checksum, wiped out. */
static struct frame *unsigned_frame(struct signed_segment *s)
{
    struct frame *frame = frame_get(&s->w->frames);
    struct buf *text = buf_wrap(&s->w->bufs, s->text.bytes, (uint32_t)s->text.len,
                                (uint32_t)s->text.len, nothing, NULL);
    struct span secret =
        s->row->algorithm == WEIR_AUTH_MD5 ? s->seg.opt.md5 : span_drop(s->seg.opt.ao, 2);
    uint8_t *header;

    EXPECT(frame_add(frame, s->text.bytes, s->text.len, &text));
    header = frame_push(frame, s->header.header_len);
    memcpy(header, s->bytes, s->header.header_len);
    memset(header + (secret.bytes - s->bytes), 0, secret.len);
    return frame;
}

/* Weir puts its option first, others do not: only then the result can be compared. */
static bool is_option_first(const struct signed_segment *s)
{
    return s->row->algorithm == WEIR_AUTH_MD5 ? s->seg.opt.md5.bytes == s->bytes + 24
                                              : s->seg.opt.ao.bytes == s->bytes + 22;
}

static void expect_same_signature(struct signed_segment *s)
{
    struct tcp_tuple tuple = tuple_of(s, true);
    struct frame *frame = unsigned_frame(s);
    uint32_t auth = 0;

    EXPECT_EQ(auth_add(&s->w->env, &auth, &s->key), WEIR_OK);
    auth_begin(&s->w->env, auth, &(struct tcp_seg){0}, seq_of(s->row->src_isn),
               seq_of(s->row->dst_isn));
    auth_sign(&s->w->env, auth, &tuple, frame);
    EXPECT_MEM(frame->wire.slices[0].bytes, s->bytes, s->header.header_len);
    auth_put(&s->w->env, &auth);
    frame_put(&s->w->frames, &s->w->bufs, &frame);
}

static void expect_good(const struct row *row)
{
    struct signed_segment *s = segment_of(tcp_world_make(), row);

    EXPECT_EQ(checked(s), WHY_NONE);
    s->bytes[TCP_CHECKSUM_AT] ^= 1; /* it is not covered */
    EXPECT_EQ(checked(s), WHY_NONE);
    s->bytes[TCP_CHECKSUM_AT] ^= 1;
    if (is_option_first(s))
        expect_same_signature(s);
    free(s);
}

TEST(auth_vectors_of_rfc_9235_are_good_segments)
{
    for (size_t i = 0; i < sizeof published / sizeof *published; i++)
        expect_good(&published[i]);
}

TEST(auth_vectors_made_without_weir_are_good_segments_and_what_it_would_send)
{
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        expect_good(&made[i]);
}

/* Where a bit counts: MD5 and TCP-AO without options do not cover other options. */
static bool is_covered(const struct signed_segment *s, size_t at)
{
    bool is_option = at >= TCP_HEADER_LEN && at < s->header.header_len;
    bool has_options = s->row->algorithm != WEIR_AUTH_MD5 && !s->row->without_options;

    if (at == 12 || at == TCP_CHECKSUM_AT
        || at == TCP_CHECKSUM_AT + 1) /* another header, or none */
        return false;
    return !is_option || has_options || at >= s->header.header_len;
}

TEST(auth_vectors_with_any_byte_changed_are_refused)
{
    struct tcp_world *w = tcp_world_make();

    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        struct signed_segment *s = segment_of(w, &made[i]);
        for (size_t at = 0; at < s->len && at < 200; at++) {
            enum why why;
            if (!is_covered(s, at) || (at >= 20 && at < 22 + 18))
                continue;
            s->bytes[at] ^= 0x10;
            look(s);
            why = checked(s);
            if (why != WHY_TCP_AUTH_WRONG)
                FAIL("row %zu, byte %zu: %d", i, at, (int)why);
            s->bytes[at] ^= 0x10;
        }
        look(s);
        s->master[0] ^= 1;
        EXPECT_EQ(checked(s), WHY_TCP_AUTH_WRONG);
        free(s);
    }
}
