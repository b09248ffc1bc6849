/*
 * icmp.c - ICMP for IPv4 [RFC792] and IPv6 [RFC4443]
 */
#include "wire/icmp.h"

#include "base/be.h"
#include "base/checksum.h"

struct __attribute__((may_alias)) icmp_wire {
    uint8_t type;
    uint8_t code;
    be16_t checksum;
    be32_t word;
};

_Static_assert(sizeof(struct icmp_wire) == ICMP_HEADER_LEN, "no padding");

enum why icmp_parse(struct span head, size_t message_len, struct icmp_message *out)
{
    const struct icmp_wire *w = (const void *)head.bytes;

    if (head.len < ICMP_HEADER_LEN || message_len < head.len)
        return WHY_ICMP_MALFORMED;
    out->type = w->type;
    out->code = w->code;
    out->checksum = be16_get(w->checksum);
    out->word = be32_get(w->word);
    out->body = span_drop(head, ICMP_HEADER_LEN);
    out->body_len = message_len - ICMP_HEADER_LEN;
    return WHY_NONE;
}

size_t icmp_emit(const struct icmp_message *m, uint32_t pseudo, uint8_t *out, size_t room)
{
    struct icmp_wire *w = (void *)out;
    uint8_t *body = out + ICMP_HEADER_LEN;
    uint32_t sum;

    if (room < ICMP_HEADER_LEN || room - ICMP_HEADER_LEN < m->body.len)
        return 0;
    w->type = m->type;
    w->code = m->code;
    w->checksum = be16_of(0);
    w->word = be32_of(m->word);
    if (m->body.bytes == body)
        sum = checksum_add(0, body, m->body.len);
    else
        sum = checksum_copy(body, m->body.bytes, m->body.len);
    w->checksum = be16_of(checksum_fold(checksum_add(sum + pseudo, out, ICMP_HEADER_LEN)));
    return ICMP_HEADER_LEN + m->body.len;
}
