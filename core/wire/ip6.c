/*
 * ip6.c - IPv6 headers and the chain of extension headers [RFC8200]
 *
 * A walk goes along the chain, header by header, and stops at the first that is no
 * extension header, at a fragment, or at what must not be.
 */
#include "wire/ip6.h"

#include <string.h>

#include "base/addr.h"
#include "base/be.h"

enum {
    UNIT = 8, /* extension headers are whole units of eight bytes */
    PAYLOAD_LEN_AT = 4,
    NEXT_HEADER_AT = 6,
    FRAGMENT_MORE = 1,
    OPTION_PAD1 = 0,
    OPTION_PADN = 1,
    OPTION_ROUTER_ALERT = 5,
};

/* What the two highest bits of an option's type say to who does not know it [RFC8200 4.2]. */
enum unknown_action {
    ACTION_SKIP = 0,
    ACTION_DROP = 1,
    ACTION_REPORT = 2,
    ACTION_REPORT_UNLESS_GROUP = 3,
};

struct __attribute__((may_alias)) ip6_wire {
    be32_t version_class_flow;
    be16_t payload_len;
    uint8_t next_header;
    uint8_t hop_limit;
    uint8_t src[16];
    uint8_t dst[16];
};

struct __attribute__((may_alias)) fragment_wire {
    uint8_t next_header;
    uint8_t reserved;
    be16_t offset_flags; /* offset in units of 8 bytes 13 bits, reserved 2, more 1 */
    be32_t id;
};

_Static_assert(sizeof(struct ip6_wire) == IP6_HEADER_LEN, "no padding");
_Static_assert(sizeof(struct fragment_wire) == IP6_FRAGMENT_LEN, "no padding");

struct walk {
    struct ip6_header *out;
    struct span head;  /* of the packet, nothing beyond its end */
    size_t packet_len; /* by the payload length of the IPv6 header */
    uint32_t at;       /* the offset of the next header */
    uint32_t next_at;  /* the offset of the byte that says what it is */
    uint8_t next;      /* what it is */
    bool quoted;       /* a packet of our own, which makes no demands on us */
};

static bool is_extension(uint8_t protocol)
{
    return protocol == IP_PROTOCOL_HOP_BY_HOP || protocol == IP_PROTOCOL_ROUTING
           || protocol == IP_PROTOCOL_FRAGMENT || protocol == IP_PROTOCOL_DESTINATION;
}

static enum why report(struct walk *w, enum ip6_problem code, uint32_t at, enum why why)
{
    w->out->has_problem = true;
    w->out->problem_code = (uint8_t)code;
    w->out->problem_at = at;
    return why;
}

/* The length of the extension header at w->at, or 0 if head does not hold it. */
static size_t extension_len(const struct walk *w)
{
    struct span rest = span_drop(w->head, w->at);
    size_t len;

    if (rest.len < UNIT)
        return 0;
    len = w->next == IP_PROTOCOL_FRAGMENT ? UNIT : (rest.bytes[1] + (size_t)1) * UNIT;
    return len <= rest.len ? len : 0;
}

static void step_over(struct walk *w, size_t len)
{
    w->next = w->head.bytes[w->at];
    w->next_at = w->at;
    w->at += (uint32_t)len; /* fits: a packet has less than 2^17 bytes */
}

static enum why meet_unknown_option(struct walk *w, uint8_t type, uint32_t at)
{
    switch ((enum unknown_action)(type >> 6)) {
    case ACTION_SKIP: return WHY_NONE;
    case ACTION_DROP: return WHY_IP_UNKNOWN_OPTION;
    case ACTION_REPORT: w->out->problem_to_groups = true; break;
    case ACTION_REPORT_UNLESS_GROUP:
        if (w->out->dst.b[0] == 0xff)
            return WHY_IP_UNKNOWN_OPTION;
        break;
    }
    return report(w, IP6_PROBLEM_OPTION, at, WHY_IP_UNKNOWN_OPTION);
}

/* Hop-by-hop and destination options; the loop ends with the header. */
static enum why check_options(struct walk *w, size_t len)
{
    size_t end = w->at + len;
    const uint8_t *bytes = w->head.bytes;

    for (size_t at = w->at + 2; at < end;) {
        enum why why = WHY_NONE;

        if (bytes[at] == OPTION_PAD1) {
            at++;
            continue;
        }
        if (end - at < 2 || end - at - 2 < bytes[at + 1])
            return WHY_IP_OPTIONS;
        if (bytes[at] == OPTION_ROUTER_ALERT && bytes[at + 1] == 2)
            w->out->has_router_alert = true;
        else if (bytes[at] != OPTION_PADN)
            why = meet_unknown_option(w, bytes[at], (uint32_t)at);
        if (why != WHY_NONE)
            return why;
        at += (size_t)2 + bytes[at + 1];
    }
    return WHY_NONE;
}

/* We are no stop on anybody's route: with segments left, no routing type is known [RFC8200 4.4]. */
static enum why check_routing(struct walk *w)
{
    if (w->head.bytes[w->at + 3] == 0)
        return WHY_NONE;
    return report(w, IP6_PROBLEM_HEADER, w->at + 2, WHY_IP_SOURCE_ROUTE);
}

/* What must follow an upper-layer header's first byte for a filter to judge it. */
static size_t least_len_of(uint8_t protocol)
{
    switch (protocol) {
    case IP_PROTOCOL_TCP: return 20;
    case IP_PROTOCOL_UDP:
    case IP_PROTOCOL_ICMP6: return 8;
    case IP_PROTOCOL_NONE: return 0;
    default: return 1;
    }
}

/* Does the first fragment hold the whole chain and the header after it [RFC7112 4]? */
static bool chain_is_whole(const struct walk *first_fragment)
{
    struct walk w = *first_fragment;

    for (size_t count = 0; is_extension(w.next) && count < IP6_EXTENSIONS_MAX; count++) {
        size_t len = extension_len(&w);

        if (len == 0)
            return false;
        step_over(&w, len);
    }
    return !is_extension(w.next) && w.packet_len - w.at >= least_len_of(w.next);
}

/* After the fragment header: is this a part that a packet can have [RFC8200 4.5]? */
static enum why check_fragment(struct walk *w)
{
    const struct ip6_header *h = w->out;
    size_t len = w->packet_len - w->at;
    size_t before = w->at - IP6_HEADER_LEN - IP6_FRAGMENT_LEN;

    if (h->more_fragments && len % 8 != 0)
        return report(w, IP6_PROBLEM_HEADER, PAYLOAD_LEN_AT, WHY_FRAG_MALFORMED);
    if (before + h->fragment_offset + len > UINT16_MAX)
        return report(w, IP6_PROBLEM_HEADER, h->fragment_header_at + 2, WHY_FRAG_MALFORMED);
    if (len == 0)
        return WHY_FRAG_MALFORMED;
    if (h->fragment_offset == 0 && !chain_is_whole(w))
        return report(w, IP6_PROBLEM_CHAIN, 0, WHY_FRAG_MALFORMED);
    return WHY_NONE;
}

static enum why take_fragment(struct walk *w)
{
    const struct fragment_wire *fragment = (const void *)(w->head.bytes + w->at);
    uint16_t offset_flags = be16_get(fragment->offset_flags);
    struct ip6_header *h = w->out;

    if (h->has_fragment)
        return WHY_FRAG_MALFORMED;
    h->has_fragment = true;
    h->more_fragments = (offset_flags & FRAGMENT_MORE) != 0;
    h->fragment_offset = offset_flags & 0xfff8;
    h->fragment_id = be32_get(fragment->id);
    h->fragment_header_at = w->at;
    h->fragment_pointer_at = w->next_at;
    return WHY_NONE;
}

static enum why check_extension(struct walk *w, size_t len)
{
    if (w->next == IP_PROTOCOL_FRAGMENT)
        return take_fragment(w);
    if (w->quoted)
        return WHY_NONE;
    if (w->next == IP_PROTOCOL_ROUTING)
        return check_routing(w);
    /* Hop-by-hop options come first or not at all [RFC8200 4.1]. */
    if (w->next == IP_PROTOCOL_HOP_BY_HOP && w->at != IP6_HEADER_LEN)
        return report(w, IP6_PROBLEM_NEXT_HEADER, w->next_at, WHY_IP_PROTOCOL);
    return check_options(w, len);
}

static enum why walk_chain(struct walk *w)
{
    for (size_t count = 0; is_extension(w->next); count++) {
        size_t len = extension_len(w);
        enum why why;

        if (len == 0 || count == IP6_EXTENSIONS_MAX)
            return WHY_IP_OPTIONS;
        why = check_extension(w, len);
        if (why != WHY_NONE)
            return why;
        step_over(w, len);
        if (ip6_is_fragment(w->out))
            return w->quoted ? WHY_NONE : check_fragment(w);
    }
    return WHY_NONE;
}

static inline enum why read_header(struct span bytes, struct ip6_header *out, size_t *payload_len)
{
    const struct ip6_wire *w = (const void *)bytes.bytes;
    uint32_t first;

    if (bytes.len < IP6_HEADER_LEN)
        return bytes.len > 0 && bytes.bytes[0] >> 4 != 6 ? WHY_IP_VERSION : WHY_IP_SHORT;
    first = be32_get(w->version_class_flow);
    if (first >> 28 != 6)
        return WHY_IP_VERSION;
    memcpy(out->src.b, w->src, sizeof w->src);
    memcpy(out->dst.b, w->dst, sizeof w->dst);
    out->tos = (uint8_t)(first >> 20);
    out->ttl = w->hop_limit;
    out->next_header = w->next_header;
    out->flow_label = first & 0xfffff;
    out->has_router_alert = false;
    out->has_fragment = false;
    out->has_problem = false;
    out->problem_to_groups = false;
    *payload_len = be16_get(w->payload_len);
    return WHY_NONE;
}

/* Sets what follows from the chain, of which most packets have none. */
static inline enum why read_chain(struct walk *w)
{
    struct ip6_header *out = w->out;
    enum why why = is_extension(w->next) ? walk_chain(w) : WHY_NONE;

    out->protocol = w->next;
    out->protocol_at = w->next_at;
    out->extensions = span_drop(span_take(w->head, w->at), IP6_HEADER_LEN);
    out->payload = span_drop(w->head, w->at);
    out->payload_len = w->packet_len - w->at;
    return why;
}

enum why ip6_parse(struct span head, size_t packet_len, struct ip6_header *out)
{
    size_t payload_len;
    enum why why = read_header(head, out, &payload_len);
    struct walk w;

    if (why != WHY_NONE)
        return why;
    if (packet_len < head.len || payload_len > packet_len - IP6_HEADER_LEN)
        return WHY_IP_SHORT;
    if (addr_is_v4(&out->src))
        return WHY_IP_SOURCE;
    if (addr_is_v4(&out->dst))
        return WHY_IP_NOT_OURS;
    w = (struct walk){.out = out,
                      .head = span_take(head, IP6_HEADER_LEN + payload_len),
                      .packet_len = IP6_HEADER_LEN + payload_len,
                      .at = IP6_HEADER_LEN,
                      .next_at = NEXT_HEADER_AT,
                      .next = out->next_header};
    return read_chain(&w);
}

enum why ip6_parse_quoted(struct span bytes, struct ip6_header *out)
{
    size_t payload_len;
    enum why why = read_header(bytes, out, &payload_len);
    struct walk w;

    if (why != WHY_NONE)
        return why;
    w = (struct walk){.out = out,
                      .head = span_take(bytes, IP6_HEADER_LEN + payload_len),
                      .packet_len = IP6_HEADER_LEN + payload_len,
                      .at = IP6_HEADER_LEN,
                      .next_at = NEXT_HEADER_AT,
                      .next = out->next_header,
                      .quoted = true};
    return read_chain(&w);
}

size_t ip6_emit(const struct ip6_header *h, uint8_t *out, size_t room)
{
    struct ip6_wire *w = (void *)out;
    size_t len = IP6_HEADER_LEN + h->extensions.len;

    if (room < IP6_HEADER_LEN || room - IP6_HEADER_LEN < h->extensions.len
        || h->extensions.len > UINT16_MAX || h->payload_len > UINT16_MAX - h->extensions.len)
        return 0;
    w->version_class_flow =
        be32_of((uint32_t)6 << 28 | (uint32_t)h->tos << 20 | (h->flow_label & 0xfffff));
    w->payload_len = be16_of((uint16_t)(h->extensions.len + h->payload_len));
    w->next_header = h->next_header;
    w->hop_limit = h->ttl;
    memcpy(w->src, h->src.b, sizeof w->src);
    memcpy(w->dst, h->dst.b, sizeof w->dst);
    if (h->extensions.len > 0)
        memcpy(out + IP6_HEADER_LEN, h->extensions.bytes, h->extensions.len);
    return len;
}

size_t ip6_emit_fragment(const struct ip6_header *h, uint8_t *out, size_t room)
{
    struct fragment_wire *w = (void *)out;

    if (room < IP6_FRAGMENT_LEN || h->fragment_offset > 0xfff8)
        return 0;
    w->next_header = h->protocol;
    w->reserved = 0;
    w->offset_flags =
        be16_of((uint16_t)((h->fragment_offset & 0xfff8) | (h->more_fragments ? 1 : 0)));
    w->id = be32_of(h->fragment_id);
    return IP6_FRAGMENT_LEN;
}
