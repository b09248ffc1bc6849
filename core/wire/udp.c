/*
 * udp.c - UDP headers [RFC768]
 */
#include "wire/udp.h"

#include "base/be.h"

struct __attribute__((may_alias)) udp_wire {
    be16_t src_port;
    be16_t dst_port;
    be16_t len;
    be16_t checksum;
};

_Static_assert(sizeof(struct udp_wire) == UDP_HEADER_LEN, "no padding");

static const struct udp_wire *read_fields(const uint8_t *bytes, struct udp_header *out)
{
    const struct udp_wire *w = (const void *)bytes;

    out->src_port = be16_get(w->src_port);
    out->dst_port = be16_get(w->dst_port);
    out->checksum = be16_get(w->checksum);
    return w;
}

enum why udp_parse(struct span head, size_t datagram_len, struct udp_header *out)
{
    size_t len;

    if (head.len < UDP_HEADER_LEN || datagram_len < head.len)
        return WHY_UDP_MALFORMED;
    len = be16_get(read_fields(head.bytes, out)->len);
    if (len < UDP_HEADER_LEN || len > datagram_len)
        return WHY_UDP_MALFORMED;
    out->payload = span_drop(span_take(head, len), UDP_HEADER_LEN);
    out->payload_len = len - UDP_HEADER_LEN;
    return WHY_NONE;
}

enum why udp_parse_quoted(struct span bytes, struct udp_header *out)
{
    size_t len;

    if (bytes.len < UDP_HEADER_LEN)
        return WHY_UDP_MALFORMED;
    len = be16_get(read_fields(bytes.bytes, out)->len);
    if (len < UDP_HEADER_LEN)
        return WHY_UDP_MALFORMED;
    out->payload = span_drop(span_take(bytes, len), UDP_HEADER_LEN);
    out->payload_len = len - UDP_HEADER_LEN;
    return WHY_NONE;
}

size_t udp_emit(const struct udp_header *h, uint8_t *out, size_t room)
{
    struct udp_wire *w = (void *)out;

    if (room < UDP_HEADER_LEN || h->payload_len > UINT16_MAX - UDP_HEADER_LEN)
        return 0;
    w->src_port = be16_of(h->src_port);
    w->dst_port = be16_of(h->dst_port);
    w->len = be16_of((uint16_t)(UDP_HEADER_LEN + h->payload_len));
    w->checksum = be16_of(h->checksum);
    return UDP_HEADER_LEN;
}
