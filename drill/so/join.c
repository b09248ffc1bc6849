/*
 * join.c - segments as a device's super-segments
 */
#include "drill/so/join.h"

#include <string.h>

#include "base/checksum.h"
#include "base/span.h"
#include "wire/ip.h"
#include "wire/pkt.h"

enum {
    FLAGS_AT = 13, /* in the TCP header */
    IP4_CHECKSUM_AT = 10,
    IP6_LEN_AT = 4,
    FLAG_LAST_ONLY = TCP_FIN | TCP_PSH,
};

static bool parse(const uint8_t *bytes, size_t len, struct pkt *pkt)
{
    return pkt_parse(span_of(bytes, len), len, pkt) == WHY_NONE && !pkt->is_fragment
           && pkt->protocol == IP_PROTOCOL_TCP && pkt->tcp.payload_len > 0;
}

static bool same_options(const struct tcp_header *a, const struct tcp_header *b)
{
    return a->options.len == b->options.len
           && (a->options.len == 0
               || memcmp(a->options.bytes, b->options.bytes, a->options.len) == 0);
}

static bool follows(const struct pkt *a, const struct pkt *b, size_t segs)
{
    const struct tcp_header *first = &a->tcp, *next = &b->tcp;

    return weir_addr_eq(&a->dst, &b->dst) && a->tos == b->tos && first->src_port == next->src_port
           && first->dst_port == next->dst_port
           && next->seq == first->seq + (uint32_t)first->payload_len && next->ack == first->ack
           && next->window == first->window && same_options(first, next)
           && !((first->flags ^ next->flags) & (uint16_t)~FLAG_LAST_ONLY)
           && !(first->flags & TCP_FIN) && next->payload_len <= first->payload_len / segs;
}

static void put16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void set_ip_len(uint8_t *packet, size_t len, const struct pkt *pkt)
{
    if (pkt->version == 6) {
        put16(packet + IP6_LEN_AT, len - IP6_HEADER_LEN);
        return;
    }
    put16(packet + IP4_LEN_AT, len);
    put16(packet + IP4_CHECKSUM_AT, 0);
    put16(packet + IP4_CHECKSUM_AT, checksum_fold(checksum_add(0, packet, pkt->ip_len)));
}

bool join_packets(uint8_t *first, size_t *first_len, size_t room, const uint8_t *second,
                  size_t second_len, size_t segs)
{
    struct pkt a, b;
    size_t len;

    if (!parse(first, *first_len, &a) || !parse(second, second_len, &b) || !follows(&a, &b, segs))
        return false;
    len = *first_len + b.tcp.payload_len;
    if (len > room || len > UINT16_MAX)
        return false;
    memcpy(first + *first_len, b.tcp.payload.bytes, b.tcp.payload_len);
    first[a.ip_len + FLAGS_AT] = (uint8_t)(b.tcp.flags | TCP_PSH);
    set_ip_len(first, len, &a);
    *first_len = len;
    return true;
}

bool join_is_end(const uint8_t *packet, size_t len)
{
    struct pkt pkt;

    return parse(packet, len, &pkt) && (pkt.tcp.flags & TCP_PSH);
}

static bool burst_end_of(const uint8_t *packet, size_t len, struct burst_end *end)
{
    struct pkt pkt;

    if (!parse(packet, len, &pkt))
        return false;
    *end = (struct burst_end){.src_port = pkt.tcp.src_port,
                              .dst_port = pkt.tcp.dst_port,
                              .end = pkt.tcp.seq + (uint32_t)pkt.tcp.payload_len};
    return true;
}

static bool is_same_flow(const struct burst_end *a, const struct burst_end *b)
{
    return a->src_port == b->src_port && a->dst_port == b->dst_port;
}

/* What has been sent before has its end already; with a SYN other numbers begin. */
void bursts_note(struct bursts *b, const uint8_t *packet, size_t len)
{
    struct burst_end end;
    struct pkt pkt;

    if (pkt_parse(span_of(packet, len), len, &pkt) == WHY_NONE && pkt.protocol == IP_PROTOCOL_TCP
        && (pkt.tcp.flags & TCP_SYN))
        b->count = 0;
    if (!burst_end_of(packet, len, &end))
        return;
    for (size_t i = 0; i < b->count && i < BURSTS_MAX; i++)
        if (is_same_flow(&b->ends[i], &end) && (int32_t)(b->ends[i].end - end.end) >= 0)
            return;
    b->ends[b->count++ % BURSTS_MAX] = end;
}

bool bursts_end_with(const struct bursts *b, const uint8_t *packet, size_t len)
{
    struct burst_end end;

    if (!burst_end_of(packet, len, &end))
        return false;
    for (size_t i = 0; i < b->count && i < BURSTS_MAX; i++)
        if (is_same_flow(&b->ends[i], &end) && b->ends[i].end == end.end)
            return true;
    return false;
}

bool join_destination(const uint8_t *packet, size_t len, struct weir_addr *dst)
{
    struct pkt pkt;

    if (pkt_parse(span_of(packet, len), len, &pkt) != WHY_NONE)
        return false;
    *dst = pkt.dst;
    return true;
}
