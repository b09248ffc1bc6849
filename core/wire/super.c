/*
 * super.c - super-segments: the headers of segments that only count on
 *
 * Sums are those of base/checksum.h: numbers of 16 bits whose complement takes away what they
 * were made of [RFC1624 3].
 */
#include "wire/super.h"

#include <string.h>

#include "base/be.h"
#include "base/check.h"
#include "base/checksum.h"
#include "base/hint.h"
#include "base/num.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/tcp.h"

enum { /* where things stand */
       IP4_TOTAL_LEN = 2,
       IP4_ID = SUPER_IP4_ID,
       IP4_CHECKSUM = SUPER_IP4_CHECKSUM,
       IP4_SRC = 12,
       IP6_PAYLOAD_LEN = 4,
       IP6_SRC = 8,
       TCP_SEQ_AT = SUPER_TCP_SEQ,
       TCP_FLAGS_AT = 12,
};

static uint16_t get16(const uint8_t *bytes)
{
    be16_t wire;

    memcpy(&wire, bytes, sizeof wire);
    return be16_get(wire);
}

static uint32_t get32(const uint8_t *bytes)
{
    be32_t wire;

    memcpy(&wire, bytes, sizeof wire);
    return be32_get(wire);
}

static void put16(uint8_t *bytes, uint16_t value)
{
    be16_t wire = be16_of(value);

    memcpy(bytes, &wire, sizeof wire);
}

static void put32(uint8_t *bytes, uint32_t value)
{
    be32_t wire = be32_of(value);

    memcpy(bytes, &wire, sizeof wire);
}

/* What takes a word of 16 bits out of a sum, or both halves of one of 32 bits. */
static uint32_t without16(uint16_t word)
{
    return (uint16_t)~word;
}

static uint32_t without32(uint32_t word)
{
    return without16((uint16_t)(word >> 16)) + without16((uint16_t)word);
}

static uint32_t sum32(uint32_t word)
{
    return (word >> 16) + (word & 0xffff);
}

/* ---- cutting ---- */

void super_init(struct super *u, const struct weir_frame *whole, bool is_partial)
{
    struct span headers = span_of(whole->slices[0].bytes, whole->slices[0].len);
    size_t tcp_at = whole->csum_start;
    const uint8_t *tcp = headers.bytes + tcp_at;
    size_t tcp_len = headers.len - tcp_at;
    uint32_t text_len = (uint32_t)(whole->len - headers.len);

    u->headers = headers;
    u->tcp_at = tcp_at;
    u->is_v4 = whole->gso == WEIR_GSO_TCP4;
    u->is_partial = is_partial;
    u->seq = get32(tcp + TCP_SEQ_AT);
    u->text_len = text_len;
    u->offset_flags = get16(tcp + TCP_FLAGS_AT);
    u->id = 0;
    u->ip_sum = 0;
    u->tcp_sum = checksum_reduce((uint64_t)checksum_words(tcp, tcp_len)
                                 + without16((uint16_t)(tcp_len + text_len)) + without32(u->seq)
                                 + without16(u->offset_flags));
    if (u->is_v4) {
        const uint8_t *ip = tcp - IP4_HEADER_LEN;
        u->id = get16(ip + IP4_ID);
        u->ip_sum = checksum_reduce((uint64_t)checksum_words(ip, IP4_HEADER_LEN)
                                    + without16(get16(ip + IP4_TOTAL_LEN)) + without16(u->id)
                                    + without16(get16(ip + IP4_CHECKSUM)));
    }
}

/* FIN and PSH belong to the last segment, CWR to the first [RFC3168 6.1.2]. */
static uint16_t flags_of(const struct super *u, const struct super_part *part)
{
    uint16_t flags = u->offset_flags;

    if (part->offset + part->len < u->text_len)
        flags &= (uint16_t) ~(TCP_FIN | TCP_PSH);
    if (part->offset > 0)
        flags &= (uint16_t)~TCP_CWR;
    return flags;
}

static void emit_ip(const struct super *u, const struct super_part *part, uint8_t *tcp)
{
    uint16_t len = (uint16_t)(u->headers.len - u->tcp_at + part->len);
    uint16_t id = (uint16_t)(u->id + part->index);
    uint8_t *ip;

    if (!u->is_v4) {
        put16(tcp - IP6_HEADER_LEN + IP6_PAYLOAD_LEN, len);
        return;
    }
    ip = tcp - IP4_HEADER_LEN;
    len = (uint16_t)(len + IP4_HEADER_LEN);
    put16(ip + IP4_TOTAL_LEN, len);
    put16(ip + IP4_ID, id);
    put16(ip + IP4_CHECKSUM, (uint16_t)~checksum_reduce32(u->ip_sum + len + id));
}

/* Headers are longer than a part: the last one overlaps the one before. */
static void copy_headers(uint8_t *out, const uint8_t *headers, size_t len)
{
    enum { PART = 16 };
    size_t last = len - PART;

    for (size_t at = 0; at < last; at += PART)
        memcpy(out + at, headers + at, PART);
    memcpy(out + last, headers + last, PART);
}

static uint32_t tcp_len_of(const struct super *u, uint32_t text_len)
{
    return (uint32_t)(u->headers.len - u->tcp_at) + text_len;
}

/* The sum of the pseudo-header with a part's length in place of the whole's. */
static uint16_t pseudo_sum(const struct super *u, const uint8_t *tcp, uint32_t text_len)
{
    return (uint16_t)checksum_reduce32((uint32_t)get16(tcp + TCP_CHECKSUM_AT)
                                       + without16((uint16_t)tcp_len_of(u, u->text_len))
                                       + tcp_len_of(u, text_len));
}

void super_emit(const struct super *u, const struct super_part *part, uint8_t *out)
{
    uint8_t *tcp = out + u->tcp_at;
    uint32_t seq = u->seq + part->offset;
    uint16_t flags = flags_of(u, part);

    copy_headers(out, u->headers.bytes, u->headers.len);
    emit_ip(u, part, tcp);
    put32(tcp + TCP_SEQ_AT, seq);
    put16(tcp + TCP_FLAGS_AT, flags);
    put16(tcp + TCP_CHECKSUM_AT,
          u->is_partial ? pseudo_sum(u, tcp, part->len)
                        : (uint16_t)~checksum_reduce32(u->tcp_sum + tcp_len_of(u, part->len)
                                                       + sum32(seq) + flags + part->text_sum));
}

void super_init_middle(struct super *u, uint32_t len)
{
    struct super_part any = {.offset = len, .len = len};

    memset(u->middle.headers, 0, sizeof u->middle.headers);
    super_emit(u, &any, u->middle.headers + SUPER_SPACE - u->headers.len);
    u->middle.tcp_sum = u->tcp_sum + tcp_len_of(u, len) + flags_of(u, &any);
    u->middle.ip_sum = u->ip_sum + tcp_len_of(u, len) + IP4_HEADER_LEN;
}

void super_emit_middle(const struct super *u, const struct super_part *part, uint8_t *end)
{
    const uint8_t *headers_end = u->middle.headers + SUPER_SPACE;
    uint8_t *tcp = end - tcp_len_of(u, 0), *ip = tcp - IP4_HEADER_LEN;
    uint32_t seq = u->seq + part->offset;
    uint16_t id = (uint16_t)(u->id + part->index);

    memcpy(end - SUPER_PART, headers_end - SUPER_PART, SUPER_PART);
    if (u->headers.len > SUPER_PART)
        memcpy(end - SUPER_SPACE, headers_end - SUPER_SPACE, SUPER_SPACE - SUPER_PART);
    put32(tcp + TCP_SEQ_AT, seq);
    if (u->is_v4) {
        put16(ip + IP4_ID, id);
        put16(ip + IP4_CHECKSUM, (uint16_t)~checksum_reduce32(u->middle.ip_sum + id));
    }
    if (!u->is_partial)
        put16(tcp + TCP_CHECKSUM_AT,
              (uint16_t)~checksum_reduce32(u->middle.tcp_sum + sum32(seq) + part->text_sum));
}

/* ---- joining ---- */

/* They may be set, in all or in none: as a counter they nearly always are [RFC9768 3.2.2]. */
static const uint16_t ecn_flags = TCP_AE | TCP_CWR | TCP_ECE;

/* What is not fixed: IDs, sequence numbers and checksums. */
static const uint8_t fixed_ip4[IP4_HEADER_LEN] = {
    0xff, 0xff, 0xff, 0xff, 0,    0,    0xff, 0xff, 0xff, 0xff,
    0,    0,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
};
static const uint8_t fixed_tcp[TCP_HEADER_LEN] = {
    0xff, 0xff, 0xff, 0xff, 0,    0,    0, 0, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff,
};

static void set_fixed(struct super_follow *f)
{
    uint8_t mask[SUPER_HEADERS_MAX];

    memset(mask, 0xff, f->headers_len);
    if (f->is_v4)
        memcpy(mask + f->ip_at, fixed_ip4, sizeof fixed_ip4);
    memcpy(mask + f->tcp_at, fixed_tcp, sizeof fixed_tcp);
    f->fixed_count = size_max((f->headers_len + SUPER_WIDE - 1) / SUPER_WIDE, SUPER_WIDES_MIN);
    for (size_t i = 0; i < f->fixed_count; i++) {
        f->fixed_at[i] = (uint8_t)size_min(i * SUPER_WIDE, f->headers_len - SUPER_WIDE);
        memcpy(&f->fixed[i].mask, mask + f->fixed_at[i], SUPER_WIDE);
        super_fixed_bits(f, i, f->first, &f->fixed[i].bits);
    }
}

static void set_sums(struct super_follow *f)
{
    const uint8_t *ip = f->first + f->ip_at, *tcp = f->first + f->tcp_at;
    uint32_t addrs = f->is_v4 ? checksum_words(ip + IP4_SRC, 8) : checksum_words(ip + IP6_SRC, 32);

    f->ip_sum = 0;
    if (f->is_v4)
        f->ip_sum =
            checksum_reduce32(checksum_words(ip, IP4_HEADER_LEN) + without16(get16(ip + IP4_ID))
                              + without16(get16(ip + IP4_CHECKSUM)));
    f->tcp_sum = checksum_reduce32(
        IP_PROTOCOL_TCP + addrs + checksum_words(tcp, f->headers_len - f->tcp_at)
        + (uint32_t)(f->first_len - f->tcp_at) + without32(get32(tcp + TCP_SEQ_AT))
        + without16(get16(tcp + TCP_CHECKSUM_AT)));
}

bool super_follow_init(struct super_follow *f, const uint8_t *first, size_t ip_at, size_t tcp_at,
                       size_t headers_len, uint32_t text_len)
{
    const uint8_t *tcp = first + tcp_at;
    bool is_v4 = first[ip_at] >> 4 == 4;

    if (text_len == 0 || headers_len > SUPER_HEADERS_MAX
        || tcp_at - ip_at != (is_v4 ? IP4_HEADER_LEN : IP6_HEADER_LEN)
        || (get16(tcp + TCP_FLAGS_AT) & TCP_FLAGS & ~ecn_flags) != TCP_ACK)
        return false;
    f->first = first;
    f->first_len = headers_len + text_len;
    f->headers_len = headers_len;
    f->ip_at = ip_at;
    f->tcp_at = tcp_at;
    f->is_v4 = is_v4;
    f->next_seq = get32(tcp + TCP_SEQ_AT) + text_len;
    set_fixed(f);
    set_sums(f);
    return true;
}

/* Where IP says how long a packet is. */
static size_t len_at(const struct super_follow *f)
{
    return f->ip_at + (f->is_v4 ? (size_t)IP4_TOTAL_LEN : (size_t)IP6_PAYLOAD_LEN);
}

/* What the first one says there, and one of len bytes has to say. */
static uint16_t first_said(const struct super_follow *f)
{
    return get16(f->first + len_at(f));
}

static uint16_t is_to_say(const struct super_follow *f, size_t len)
{
    return (uint16_t)(first_said(f) - (f->first_len - len));
}

/* The headers with the length and the flags of the first one, as if they were in the middle. */
static APART bool follows_as_last(const struct super_follow *f, const uint8_t *head, size_t len)
{
    uint8_t like_first[SUPER_HEADERS_MAX];
    uint16_t said = get16(head + len_at(f)), flags = get16(head + f->tcp_at + TCP_FLAGS_AT);

    if (said != is_to_say(f, len) || (len == f->first_len && !(flags & TCP_PSH)))
        return false;
    memcpy(like_first, head, f->headers_len);
    put16(like_first + len_at(f), first_said(f));
    put16(like_first + f->tcp_at + TCP_FLAGS_AT, flags & (uint16_t)~TCP_PSH);
    return super_has_fixed_bits(f, like_first)
           && super_has_good_ip(f, head, without16(first_said(f)) + said);
}

enum super_next super_follows(const struct super_follow *f, struct span head, size_t len)
{
    if (head.len < f->headers_len || len <= f->headers_len || len > f->first_len
        || get32(head.bytes + f->tcp_at + TCP_SEQ_AT) != f->next_seq)
        return SUPER_OTHER;
    if (len == f->first_len && super_is_middle(f, head.bytes))
        return SUPER_MIDDLE;
    return follows_as_last(f, head.bytes, len) ? SUPER_LAST : SUPER_OTHER;
}

uint32_t super_last_sum(const struct super_follow *f, const uint8_t *head, size_t len)
{
    return without16((uint16_t)(f->first_len - len))
           + without16(get16(f->first + f->tcp_at + TCP_FLAGS_AT))
           + get16(head + f->tcp_at + TCP_FLAGS_AT);
}
