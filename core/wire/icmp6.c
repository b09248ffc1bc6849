/*
 * icmp6.c - ICMP for IPv6 [RFC4443]
 */
#include "wire/icmp6.h"

#include "base/be.h"
#include "base/checksum.h"
#include "wire/ip.h"

struct icmp6_wire {
    uint8_t type;
    uint8_t code;
    be16_t checksum;
    be32_t word;
};

_Static_assert(sizeof(struct icmp6_wire) == ICMP6_HEADER_LEN, "no padding");

enum why icmp6_parse(struct span head, size_t message_len, struct icmp6_message *out)
{
    const struct icmp6_wire *w = (const void *)head.bytes;

    if (head.len < ICMP6_HEADER_LEN || message_len < head.len)
        return WHY_ICMP_MALFORMED;
    out->type = w->type;
    out->code = w->code;
    out->checksum = be16_get(w->checksum);
    out->word = be32_get(w->word);
    out->body = span_drop(head, ICMP6_HEADER_LEN);
    out->body_len = message_len - ICMP6_HEADER_LEN;
    return WHY_NONE;
}

size_t icmp6_emit(const struct icmp6_message *m, const struct weir_addr *src,
                  const struct weir_addr *dst, uint8_t *out, size_t room)
{
    struct icmp6_wire *w = (void *)out;
    uint8_t *body = out + ICMP6_HEADER_LEN;
    size_t len = ICMP6_HEADER_LEN + m->body.len;
    uint32_t sum;

    if (room < ICMP6_HEADER_LEN || room - ICMP6_HEADER_LEN < m->body.len)
        return 0;
    w->type = m->type;
    w->code = m->code;
    w->checksum = be16_of(0);
    w->word = be32_of(m->word);
    if (m->body.bytes == body)
        sum = checksum_add(0, body, m->body.len);
    else
        sum = checksum_copy(body, m->body.bytes, m->body.len);
    sum += checksum_pseudo(src, dst, IP_PROTOCOL_ICMP6, len);
    w->checksum = be16_of(checksum_fold(checksum_add(sum, out, ICMP6_HEADER_LEN)));
    return len;
}
