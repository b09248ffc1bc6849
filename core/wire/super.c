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
#include "base/num.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/tcp.h"

enum { /* where things stand */
       IP4_TOTAL_LEN = 2,
       IP4_ID = 4,
       IP4_CHECKSUM = 10,
       IP4_SRC = 12,
       IP6_PAYLOAD_LEN = 4,
       IP6_SRC = 8,
       TCP_SEQ_AT = 4,
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

    super_emit(u, &any, u->middle.headers);
    u->middle.tcp_sum = u->tcp_sum + tcp_len_of(u, len) + flags_of(u, &any);
    u->middle.ip_sum = u->ip_sum + tcp_len_of(u, len) + IP4_HEADER_LEN;
}

void super_emit_middle(const struct super *u, const struct super_part *part, uint8_t *out)
{
    uint8_t *tcp = out + u->tcp_at, *ip = tcp - IP4_HEADER_LEN;
    uint32_t seq = u->seq + part->offset;
    uint16_t id = (uint16_t)(u->id + part->index);

    copy_headers(out, u->middle.headers, u->headers.len);
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

/* What is not fixed: lengths, IDs, sequence numbers and checksums, and PSH. */
static const uint8_t fixed_ip4[IP4_HEADER_LEN] = {
    0xff, 0xff, 0,    0,    0,    0,    0xff, 0xff, 0xff, 0xff,
    0,    0,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
};
static const uint8_t fixed_ip6[8] = {0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff};
static const uint8_t fixed_tcp[TCP_HEADER_LEN] = {
    0xff, 0xff, 0xff, 0xff, 0,    0,    0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff & (0xff - TCP_PSH),
    0xff, 0xff, 0,    0,    0xff, 0xff,
};

/* Where the i-th wide part of the headers begins: the last one may overlap the one before. */
static size_t wide_at(const struct super_follow *f, size_t i)
{
    return size_min(i * SUPER_WIDE, f->headers_len - SUPER_WIDE);
}

/* Those of the i-th part's bits that all headers have in common. */
static void take_fixed(const struct super_follow *f, size_t i, const uint8_t *bytes,
                       super_wide *bits)
{
    memcpy(bits, bytes, sizeof *bits);
    *bits &= f->fixed[i].mask;
}

static void set_fixed(struct super_follow *f)
{
    uint8_t mask[SUPER_HEADERS_MAX];

    memset(mask, 0xff, f->headers_len);
    if (f->is_v4)
        memcpy(mask + f->ip_at, fixed_ip4, sizeof fixed_ip4);
    else
        memcpy(mask + f->ip_at, fixed_ip6, sizeof fixed_ip6);
    memcpy(mask + f->tcp_at, fixed_tcp, sizeof fixed_tcp);
    f->fixed_count = (f->headers_len + SUPER_WIDE - 1) / SUPER_WIDE;
    for (size_t i = 0; i < f->fixed_count; i++) {
        memcpy(&f->fixed[i].mask, mask + wide_at(f, i), SUPER_WIDE);
        take_fixed(f, i, f->first + wide_at(f, i), &f->fixed[i].bits);
    }
}

static void set_sums(struct super_follow *f)
{
    const uint8_t *ip = f->first + f->ip_at, *tcp = f->first + f->tcp_at;
    uint32_t addrs = f->is_v4 ? checksum_words(ip + IP4_SRC, 8) : checksum_words(ip + IP6_SRC, 32);

    f->ip_sum = 0;
    if (f->is_v4)
        f->ip_sum = checksum_reduce32(
            checksum_words(ip, IP4_HEADER_LEN) + without16(get16(ip + IP4_TOTAL_LEN))
            + without16(get16(ip + IP4_ID)) + without16(get16(ip + IP4_CHECKSUM)));
    f->tcp_sum = checksum_reduce32(
        IP_PROTOCOL_TCP + addrs + checksum_words(tcp, f->headers_len - f->tcp_at)
        + without32(get32(tcp + TCP_SEQ_AT)) + without16(get16(tcp + TCP_FLAGS_AT))
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
    f->headers_len = headers_len;
    f->ip_at = ip_at;
    f->tcp_at = tcp_at;
    f->is_v4 = is_v4;
    f->next_seq = get32(tcp + TCP_SEQ_AT) + text_len;
    f->segment_len_max = (uint32_t)(headers_len - tcp_at) + text_len;
    set_fixed(f);
    set_sums(f);
    return true;
}

static bool has_fixed_bits(const struct super_follow *f, const uint8_t *head)
{
    size_t last = f->fixed_count - 1;
    super_wide differ, bits;

    take_fixed(f, last, head + f->headers_len - SUPER_WIDE, &bits);
    differ = bits ^ f->fixed[last].bits;
    for (size_t i = 0; i < last; i++) {
        take_fixed(f, i, head + i * SUPER_WIDE, &bits);
        differ |= bits ^ f->fixed[i].bits;
    }
    return (differ[0] | differ[1]) == 0;
}

/* Its length is that of the frame; and IPv4's checksum. */
static bool has_good_ip(const struct super_follow *f, const uint8_t *ip, size_t len)
{
    if (!f->is_v4)
        return (size_t)get16(ip + IP6_PAYLOAD_LEN) + IP6_HEADER_LEN == len;
    return get16(ip + IP4_TOTAL_LEN) == len
           && checksum_reduce32(f->ip_sum + (uint32_t)len + get16(ip + IP4_ID)
                                + get16(ip + IP4_CHECKSUM))
                  == 0xffff;
}

bool super_follows(const struct super_follow *f, struct span head, size_t len)
{
    if (head.len < f->headers_len || len <= f->headers_len || len - f->tcp_at > f->segment_len_max)
        return false;
    return get32(head.bytes + f->tcp_at + TCP_SEQ_AT) == f->next_seq
           && has_fixed_bits(f, head.bytes)
           && has_good_ip(f, head.bytes + f->ip_at, len - f->ip_at);
}

bool super_is_last(const struct super_follow *f, const uint8_t *head, size_t len)
{
    return len - f->tcp_at < f->segment_len_max
           || (get16(head + f->tcp_at + TCP_FLAGS_AT) & TCP_PSH) != 0;
}

uint32_t super_header_sum(const struct super_follow *f, const uint8_t *head, size_t len)
{
    const uint8_t *tcp = head + f->tcp_at;

    return f->tcp_sum + (uint32_t)(len - f->tcp_at) + sum32(get32(tcp + TCP_SEQ_AT))
           + get16(tcp + TCP_FLAGS_AT) + get16(tcp + TCP_CHECKSUM_AT);
}
