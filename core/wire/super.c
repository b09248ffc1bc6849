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
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/tcp.h"

enum { /* where things stand */
       IP4_TOTAL_LEN = 2,
       IP4_ID = 4,
       IP4_CHECKSUM = 10,
       IP4_SRC = 12,
       IP6_PAYLOAD_LEN = 4,
       IP6_NEXT_HEADER = 6,
       IP6_SRC = 8,
       TCP_SEQ_AT = 4,
       TCP_ACK_AT = 8,
       TCP_FLAGS_AT = 12,
       TCP_WINDOW_AT = 14,
       TCP_URGENT_AT = 18,
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

void super_init(struct super *u, const struct weir_frame *whole)
{
    struct span headers = span_of(whole->slices[0].bytes, whole->slices[0].len);
    size_t tcp_at = whole->csum_start;
    const uint8_t *tcp = headers.bytes + tcp_at;
    size_t tcp_len = headers.len - tcp_at;
    uint32_t text_len = (uint32_t)(whole->len - headers.len);

    *u = (struct super){
        .headers = headers,
        .tcp_at = tcp_at,
        .is_v4 = whole->gso == WEIR_GSO_TCP4,
        .seq = get32(tcp + TCP_SEQ_AT),
        .text_len = text_len,
        .offset_flags = get16(tcp + TCP_FLAGS_AT),
    };
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

void super_emit(const struct super *u, const struct super_part *part, uint8_t *out)
{
    uint8_t *tcp = out + u->tcp_at;
    uint32_t seq = u->seq + part->offset;
    uint16_t flags = flags_of(u, part);
    uint32_t len = (uint32_t)(u->headers.len - u->tcp_at) + part->len;

    memcpy(out, u->headers.bytes, u->headers.len);
    emit_ip(u, part, tcp);
    put32(tcp + TCP_SEQ_AT, seq);
    put16(tcp + TCP_FLAGS_AT, flags);
    if (part->is_partial) {
        uint32_t pseudo = get16(tcp + TCP_CHECKSUM_AT);
        uint32_t whole = (uint32_t)(u->headers.len - u->tcp_at) + u->text_len;
        put16(tcp + TCP_CHECKSUM_AT,
              (uint16_t)checksum_reduce((uint64_t)pseudo + without16((uint16_t)whole) + len));
        return;
    }
    put16(tcp + TCP_CHECKSUM_AT,
          checksum_fold(
              checksum_reduce((uint64_t)u->tcp_sum + len + sum32(seq) + flags + part->text_sum)));
}

/* ---- joining ---- */

/* They may be set, in all or in none: as a counter they nearly always are [RFC9768 3.2.2]. */
static const uint16_t ecn_flags = TCP_AE | TCP_CWR | TCP_ECE;

bool super_follow_init(struct super_follow *f, const uint8_t *first, size_t ip_at, size_t tcp_at,
                       size_t headers_len, uint32_t text_len)
{
    const uint8_t *ip = first + ip_at, *tcp = first + tcp_at;
    bool is_v4 = ip[0] >> 4 == 4;

    if (text_len == 0 || tcp_at - ip_at != (is_v4 ? IP4_HEADER_LEN : IP6_HEADER_LEN)
        || (get16(tcp + TCP_FLAGS_AT) & TCP_FLAGS & ~ecn_flags) != TCP_ACK)
        return false;
    f->first = first;
    f->headers_len = headers_len;
    f->ip_at = ip_at;
    f->tcp_at = tcp_at;
    f->is_v4 = is_v4;
    f->next_seq = get32(tcp + TCP_SEQ_AT) + text_len;
    f->segment_len_max = (uint32_t)(headers_len - tcp_at) + text_len;
    f->pseudo_sum = IP_PROTOCOL_TCP
                    + (is_v4 ? checksum_words(ip + IP4_SRC, 8) : checksum_words(ip + IP6_SRC, 32));
    return true;
}

static bool ip4_follows(const uint8_t *first, const uint8_t *next, size_t len)
{
    return memcmp(first, next, 2) == 0            /* version, length, DiffServ and ECN */
           && memcmp(first + 6, next + 6, 4) == 0 /* fragment, TTL, protocol */
           && memcmp(first + IP4_SRC, next + IP4_SRC, 8) == 0 && get16(next + IP4_TOTAL_LEN) == len
           && checksum_words(next, IP4_HEADER_LEN) == 0xffff;
}

static bool ip6_follows(const uint8_t *first, const uint8_t *next, size_t len)
{
    return memcmp(first, next, IP6_PAYLOAD_LEN) == 0
           && memcmp(first + IP6_NEXT_HEADER, next + IP6_NEXT_HEADER, 34) == 0
           && (size_t)get16(next + IP6_PAYLOAD_LEN) + IP6_HEADER_LEN == len;
}

static bool tcp_follows(const struct super_follow *f, const uint8_t *next)
{
    const uint8_t *first = f->first + f->tcp_at;
    uint16_t offset_flags = get16(next + TCP_FLAGS_AT);

    return memcmp(first, next, 4) == 0 /* ports */
           && get32(next + TCP_SEQ_AT) == f->next_seq
           && get32(first + TCP_ACK_AT) == get32(next + TCP_ACK_AT)
           && (offset_flags & ~TCP_PSH) == get16(first + TCP_FLAGS_AT)
           && get16(first + TCP_WINDOW_AT) == get16(next + TCP_WINDOW_AT)
           && memcmp(first + TCP_URGENT_AT, next + TCP_URGENT_AT,
                     f->headers_len - f->tcp_at - TCP_URGENT_AT)
                  == 0;
}

bool super_follows(struct super_follow *f, struct span head, size_t len, uint32_t *header_sum,
                   bool *is_last)
{
    const uint8_t *ip = head.bytes + f->ip_at, *tcp = head.bytes + f->tcp_at;
    size_t tcp_len;

    if (head.len < f->headers_len || len <= f->headers_len)
        return false;
    tcp_len = len - f->tcp_at;
    if (tcp_len > f->segment_len_max || memcmp(f->first, head.bytes, f->ip_at) != 0)
        return false;
    if (!(f->is_v4 ? ip4_follows(f->first + f->ip_at, ip, len - f->ip_at)
                   : ip6_follows(f->first + f->ip_at, ip, len - f->ip_at)))
        return false;
    if (!tcp_follows(f, tcp))
        return false;
    *header_sum =
        f->pseudo_sum + (uint32_t)tcp_len + checksum_words(tcp, f->headers_len - f->tcp_at);
    *is_last = tcp_len < f->segment_len_max || (get16(tcp + TCP_FLAGS_AT) & TCP_PSH) != 0;
    return true;
}
