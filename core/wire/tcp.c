/*
 * tcp.c - TCP headers [RFC9293 3.1]
 */
#include "wire/tcp.h"

#include <string.h>

#include "base/be.h"

struct __attribute__((may_alias)) tcp_wire {
    be16_t src_port;
    be16_t dst_port;
    be32_t seq;
    be32_t ack;
    be16_t offset_flags; /* data offset 4 bits, reserved 3, flags 9 */
    be16_t window;
    be16_t checksum;
    be16_t urgent;
};

_Static_assert(sizeof(struct tcp_wire) == TCP_HEADER_LEN, "no padding");
_Static_assert(offsetof(struct tcp_wire, checksum) == TCP_CHECKSUM_AT, "what offload is told");

enum why tcp_parse(struct span head, size_t segment_len, struct tcp_header *out)
{
    const struct tcp_wire *w = (const void *)head.bytes;
    uint16_t offset_flags;
    size_t len;

    if (head.len < TCP_HEADER_LEN || segment_len < head.len)
        return WHY_TCP_MALFORMED;
    offset_flags = be16_get(w->offset_flags);
    len = (size_t)(offset_flags >> 12) * 4;
    if (len < TCP_HEADER_LEN || len > head.len)
        return WHY_TCP_MALFORMED;
    out->src_port = be16_get(w->src_port);
    out->dst_port = be16_get(w->dst_port);
    out->seq = be32_get(w->seq);
    out->ack = be32_get(w->ack);
    out->flags = offset_flags & TCP_FLAGS;
    out->window = be16_get(w->window);
    out->checksum = be16_get(w->checksum);
    out->urgent = be16_get(w->urgent);
    out->reserved = (uint8_t)(offset_flags >> 9 & 7);
    out->header_len = (uint8_t)len;
    out->options = span_of(head.bytes + TCP_HEADER_LEN, len - TCP_HEADER_LEN);
    out->payload = span_of(head.bytes + len, head.len - len);
    out->payload_len = segment_len - len;
    return WHY_NONE;
}

enum why tcp_parse_quoted(struct span bytes, struct tcp_header *out)
{
    const struct tcp_wire *w = (const void *)bytes.bytes;

    if (bytes.len < offsetof(struct tcp_wire, ack))
        return WHY_TCP_MALFORMED;
    *out = (struct tcp_header){.src_port = be16_get(w->src_port),
                               .dst_port = be16_get(w->dst_port),
                               .seq = be32_get(w->seq)};
    return WHY_NONE;
}

size_t tcp_emit(const struct tcp_header *h, uint8_t *out, size_t room)
{
    struct tcp_wire *w = (void *)out;
    uint8_t *options = out + TCP_HEADER_LEN;
    size_t padding = -h->options.len & 3;
    size_t len = TCP_HEADER_LEN + h->options.len + padding;

    if (h->options.len > TCP_OPTIONS_MAX || room < len)
        return 0;
    w->src_port = be16_of(h->src_port);
    w->dst_port = be16_of(h->dst_port);
    w->seq = be32_of(h->seq);
    w->ack = be32_of(h->ack);
    w->offset_flags =
        be16_of((uint16_t)(len / 4 << 12 | (h->reserved & 7u) << 9 | (h->flags & TCP_FLAGS)));
    w->window = be16_of(h->window);
    w->checksum = be16_of(h->checksum);
    w->urgent = be16_of(h->urgent);
    if (h->options.len > 0 && h->options.bytes != options)
        memcpy(options, h->options.bytes, h->options.len);
    if (padding > 0) /* [RFC9293 MUST-69] */
        memset(options + h->options.len, 0, padding);
    return len;
}
