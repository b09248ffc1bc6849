/*
 * icmp4.c - ICMP for IPv4 [RFC792]
 */
#include "wire/icmp4.h"

#include "base/be.h"
#include "base/checksum.h"

struct icmp4_wire {
    uint8_t type;
    uint8_t code;
    be16_t checksum;
    be32_t word;
};

_Static_assert(sizeof(struct icmp4_wire) == ICMP4_HEADER_LEN, "no padding");

enum why icmp4_parse(struct span head, size_t message_len, struct icmp4_message *out)
{
    const struct icmp4_wire *w = (const void *)head.bytes;

    if (head.len < ICMP4_HEADER_LEN || message_len < head.len)
        return WHY_ICMP_MALFORMED;
    out->type = w->type;
    out->code = w->code;
    out->checksum = be16_get(w->checksum);
    out->word = be32_get(w->word);
    out->body = span_drop(head, ICMP4_HEADER_LEN);
    out->body_len = message_len - ICMP4_HEADER_LEN;
    return WHY_NONE;
}

size_t icmp4_emit(const struct icmp4_message *m, uint8_t *out, size_t room)
{
    struct icmp4_wire *w = (void *)out;
    uint8_t *body = out + ICMP4_HEADER_LEN;
    uint32_t sum;

    if (room < ICMP4_HEADER_LEN || room - ICMP4_HEADER_LEN < m->body.len)
        return 0;
    w->type = m->type;
    w->code = m->code;
    w->checksum = be16_of(0);
    w->word = be32_of(m->word);
    if (m->body.bytes == body)
        sum = checksum_add(0, body, m->body.len);
    else
        sum = checksum_copy(body, m->body.bytes, m->body.len);
    w->checksum = be16_of(checksum_fold(checksum_add(sum, out, ICMP4_HEADER_LEN)));
    return ICMP4_HEADER_LEN + m->body.len;
}
