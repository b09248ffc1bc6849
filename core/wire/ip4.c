/*
 * ip4.c - IPv4 headers and their options [RFC791] [RFC1122 3.2.1]
 */
#include "wire/ip4.h"

#include <string.h>

#include "base/addr.h"
#include "base/be.h"
#include "base/checksum.h"

enum {
    FRAGMENT_RESERVED = 0x8000,
    FRAGMENT_MORE = 0x2000,
    FRAGMENT_OFFSET = 0x1fff, /* in units of 8 bytes */
};

struct __attribute__((may_alias)) ip4_wire {
    uint8_t version_len; /* version 4 bits, header length in words 4 bits */
    uint8_t tos;
    be16_t total_len;
    be16_t id;
    be16_t fragment;
    uint8_t ttl;
    uint8_t protocol;
    be16_t checksum;
    uint8_t src[4];
    uint8_t dst[4];
};

_Static_assert(sizeof(struct ip4_wire) == IP4_HEADER_LEN, "no padding");

/* The header's own length is checked, nothing else. Returns WHY_NONE or why not. */
static inline enum why read_header(struct span bytes, struct ip4_header *out)
{
    const struct ip4_wire *w = (const void *)bytes.bytes;
    uint16_t fragment;

    if (bytes.len < IP4_HEADER_LEN)
        return WHY_IP_SHORT;
    if (w->version_len >> 4 != 4)
        return WHY_IP_VERSION;
    out->header_len = (uint8_t)((w->version_len & 15) * 4);
    if (out->header_len < IP4_HEADER_LEN)
        return WHY_IP_HEADER;
    if (out->header_len > bytes.len)
        return WHY_IP_SHORT;
    out->src = addr_v4_at(w->src);
    out->dst = addr_v4_at(w->dst);
    out->tos = w->tos;
    out->ttl = w->ttl;
    out->protocol = w->protocol;
    out->id = be16_get(w->id);
    fragment = be16_get(w->fragment);
    out->fragment_offset = (uint16_t)((fragment & FRAGMENT_OFFSET) * 8);
    out->dont_fragment = (fragment & IP4_DONT_FRAGMENT) != 0;
    out->more_fragments = (fragment & FRAGMENT_MORE) != 0;
    out->reserved_bit = (fragment & FRAGMENT_RESERVED) != 0;
    out->checksum = be16_get(w->checksum);
    out->options = span_of(bytes.bytes + IP4_HEADER_LEN, out->header_len - (size_t)IP4_HEADER_LEN);
    out->problem_at = 0;
    return WHY_NONE;
}

/* Of the whole header; word by word, because it is too short for checksum_add to pay. */
static inline bool has_good_checksum(const uint8_t *bytes, size_t len)
{
    const be32_t *words = (const void *)bytes;
    uint64_t sum = 0;

    for (size_t i = 0; i < len / 4; i++)
        sum += be32_get(words[i]);
    return checksum_reduce(sum) == 0xffff;
}

static inline size_t total_len_of(struct span bytes)
{
    return be16_get(((const struct ip4_wire *)(const void *)bytes.bytes)->total_len);
}

/* All but the last are whole units of eight bytes, and none ends beyond the longest datagram. */
static bool is_possible_fragment(const struct ip4_header *h)
{
    size_t end = h->fragment_offset + h->payload_len;

    if (h->payload_len == 0 || (h->more_fragments && h->payload_len % 8 != 0))
        return false;
    return h->header_len + end <= UINT16_MAX;
}

static enum why check_options(struct ip4_header *h)
{
    struct ip4_options options;
    enum why why = ip4_options_parse(h->options, &options);

    h->problem_at = options.problem_at;
    return why;
}

enum why ip4_parse(struct span head, size_t packet_len, struct ip4_header *out)
{
    enum why why = read_header(head, out);
    size_t total_len;

    if (why != WHY_NONE)
        return why;
    total_len = total_len_of(head);
    if (total_len < out->header_len)
        return WHY_IP_HEADER;
    if (total_len > packet_len || packet_len < head.len)
        return WHY_IP_SHORT;
    if (!has_good_checksum(head.bytes, out->header_len))
        return WHY_IP_CHECKSUM;
    out->payload = span_drop(span_take(head, total_len), out->header_len);
    out->payload_len = total_len - out->header_len;
    if (ip4_is_fragment(out) && !is_possible_fragment(out))
        return WHY_FRAG_MALFORMED;
    return span_is_empty(out->options) ? WHY_NONE : check_options(out);
}

enum why ip4_parse_quoted(struct span bytes, struct ip4_header *out)
{
    enum why why = read_header(bytes, out);
    size_t total_len;

    if (why != WHY_NONE)
        return why;
    total_len = total_len_of(bytes);
    if (total_len < out->header_len)
        return WHY_IP_HEADER;
    out->payload = span_drop(span_take(bytes, total_len), out->header_len);
    out->payload_len = total_len - out->header_len;
    return WHY_NONE;
}

/* The offset in the option of what is wrong with it, or 0 if nothing is. */
static uint8_t find_problem_in_route(struct span option)
{
    size_t len = option.len;

    if (len < 3)
        return 1;
    /* The pointer counts from one, to the next address; beyond the end: none is left. */
    if (option.bytes[2] < 4 || (option.bytes[2] <= len && option.bytes[2] + 3u > len))
        return 2;
    return 0;
}

static uint8_t find_problem_in_timestamp(struct span option)
{
    size_t len = option.len;
    uint8_t pointer;
    unsigned entry_len;

    if (len < 4)
        return 1;
    pointer = option.bytes[2];
    entry_len = (option.bytes[3] & 15) == 0 ? 4 : 8;
    if (pointer < 5 || (pointer <= len && pointer - 1u + entry_len > len))
        return 2;
    return 0;
}

/* Notes one option; returns as above, but for a second source route, which may not be [RFC1122 3.2.1.8]. */
static uint8_t note_option(struct ip4_options *out, struct span option)
{
    switch (option.bytes[0]) {
    case IP4_OPTION_LOOSE_ROUTE:
    case IP4_OPTION_STRICT_ROUTE:
        if (!span_is_empty(out->source_route))
            return 1;
        out->source_route = option;
        out->source_route_is_strict = option.bytes[0] == IP4_OPTION_STRICT_ROUTE;
        return find_problem_in_route(option);
    case IP4_OPTION_RECORD_ROUTE: out->record_route = option; return find_problem_in_route(option);
    case IP4_OPTION_TIMESTAMP: out->timestamp = option; return find_problem_in_timestamp(option);
    case IP4_OPTION_ROUTER_ALERT: out->has_router_alert = true; return option.len == 4 ? 0 : 1;
    default: return 0; /* Options that are not known are ignored [RFC1122 3.2.1.8]. */
    }
}

enum why ip4_options_parse(struct span options, struct ip4_options *out)
{
    size_t at = 0;

    *out = (struct ip4_options){0};
    while (at < options.len && options.bytes[at] != IP4_OPTION_END) {
        struct span rest = span_drop(options, at);
        uint8_t wrong = 0;

        if (rest.bytes[0] == IP4_OPTION_NOP) {
            at++;
            continue;
        }
        out->problem_at = (uint8_t)(IP4_HEADER_LEN + at);
        if (rest.len < 2 || rest.bytes[1] < 2 || rest.bytes[1] > rest.len)
            return WHY_IP_OPTIONS;
        wrong = note_option(out, span_take(rest, rest.bytes[1]));
        if (wrong != 0) {
            out->problem_at = (uint8_t)(out->problem_at + wrong);
            return WHY_IP_OPTIONS;
        }
        at += rest.bytes[1];
    }
    out->problem_at = 0;
    return WHY_NONE;
}

static inline uint16_t fragment_of(const struct ip4_header *h)
{
    return (uint16_t)(h->fragment_offset / 8 | (h->dont_fragment ? IP4_DONT_FRAGMENT : 0)
                      | (h->more_fragments ? FRAGMENT_MORE : 0)
                      | (h->reserved_bit ? FRAGMENT_RESERVED : 0));
}

/* From the values: reading back what was just written in other sizes would stall. */
static inline uint16_t checksum_of(const struct ip4_header *h, uint16_t total_len,
                                   uint8_t version_len)
{
    const be32_t *src = (const void *)(h->src.b + 12);
    const be32_t *dst = (const void *)(h->dst.b + 12);
    uint64_t sum = (uint64_t)be32_get(*src) + be32_get(*dst);

    sum += ((uint32_t)version_len << 8 | h->tos) + (uint32_t)total_len + h->id + fragment_of(h);
    sum += (uint32_t)h->ttl << 8 | h->protocol;
    if (h->options.len > 0)
        sum += checksum_add(0, h->options.bytes, h->options.len);
    return checksum_fold(checksum_reduce(sum));
}

size_t ip4_emit(const struct ip4_header *h, uint8_t *out, size_t room)
{
    struct ip4_wire *w = (void *)out;
    size_t len = IP4_HEADER_LEN + h->options.len;
    uint16_t total_len;

    if (h->options.len > IP4_OPTIONS_MAX || h->options.len % 4 != 0 || room < len
        || h->payload_len > UINT16_MAX - len)
        return 0;
    total_len = (uint16_t)(len + h->payload_len);
    w->version_len = (uint8_t)(0x40 | len / 4);
    w->tos = h->tos;
    w->total_len = be16_of(total_len);
    w->id = be16_of(h->id);
    w->fragment = be16_of(fragment_of(h));
    w->ttl = h->ttl;
    w->protocol = h->protocol;
    w->checksum = be16_of(checksum_of(h, total_len, w->version_len));
    memcpy(w->src, h->src.b + 12, 4);
    memcpy(w->dst, h->dst.b + 12, 4);
    if (h->options.len > 0)
        memcpy(out + IP4_HEADER_LEN, h->options.bytes, h->options.len);
    return len;
}

/* The checksum is made from the values, as above. */
