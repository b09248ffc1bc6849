/*
 * pkt.c - one IP packet of either version, parsed once
 */
#include "wire/pkt.h"

#include "base/checksum.h"
#include "base/parts.h"

/* The members that pkt.h gives a second name are in the same place in both headers. */
#define SAME_PLACE(member, of_pkt)                                                                 \
    _Static_assert(offsetof(struct ip4_header, member) == offsetof(struct pkt, of_pkt)             \
                       && offsetof(struct ip6_header, member) == offsetof(struct pkt, of_pkt),     \
                   "the headers begin alike")
SAME_PLACE(src, src);
SAME_PLACE(dst, dst);
SAME_PLACE(payload, transport);
SAME_PLACE(payload_len, transport_len);
SAME_PLACE(tos, tos);
SAME_PLACE(ttl, ttl);
SAME_PLACE(protocol, protocol);

static enum why parse_ip4(struct span head, size_t packet_len, struct pkt *out)
{
    enum why why = ip4_parse(head, packet_len, &out->ip4);

    if (why != WHY_NONE)
        return why;
    out->is_fragment = ip4_is_fragment(&out->ip4);
    out->ip_len = out->ip4.header_len;
    return WHY_NONE;
}

static enum why parse_ip6(struct span head, size_t packet_len, struct pkt *out)
{
    enum why why = ip6_parse(head, packet_len, &out->ip6);

    if (why != WHY_NONE)
        return why;
    out->is_fragment = ip6_is_fragment(&out->ip6);
    out->ip_len = IP6_HEADER_LEN + out->ip6.extensions.len;
    return WHY_NONE;
}

enum why pkt_parse_ip(struct span head, size_t packet_len, struct pkt *out)
{
    out->version = head.len > 0 ? head.bytes[0] >> 4 : 0;
    switch (out->version) {
    case 4: return parse_ip4(head, packet_len, out);
    case 6: return parse_ip6(head, packet_len, out);
    default: return head.len > 0 ? WHY_IP_VERSION : WHY_IP_SHORT;
    }
}

enum why pkt_parse_transport(struct pkt *p)
{
    if (p->protocol == IP_PROTOCOL_TCP)
        return tcp_parse(p->transport, p->transport_len, &p->tcp);
    if (p->protocol == IP_PROTOCOL_UDP)
        return udp_parse(p->transport, p->transport_len, &p->udp);
    if (pkt_is_icmp4(p) || pkt_is_icmp6(p))
        return icmp_parse(p->transport, p->transport_len, &p->icmp);
    return WHY_NONE;
}

enum why pkt_parse(struct span head, size_t packet_len, struct pkt *out)
{
    enum why why = pkt_parse_ip(head, packet_len, out);

    return why != WHY_NONE || out->is_fragment ? why : pkt_parse_transport(out);
}

static enum why parse_quoted_ip4(struct span quoted, struct pkt *out)
{
    enum why why = ip4_parse_quoted(quoted, &out->ip4);

    if (why != WHY_NONE)
        return why;
    out->is_fragment = ip4_is_fragment(&out->ip4);
    out->ip_len = out->ip4.header_len;
    return WHY_NONE;
}

static enum why parse_quoted_ip6(struct span quoted, struct pkt *out)
{
    enum why why = ip6_parse_quoted(quoted, &out->ip6);

    if (why != WHY_NONE)
        return why;
    out->is_fragment = ip6_is_fragment(&out->ip6);
    out->ip_len = IP6_HEADER_LEN + out->ip6.extensions.len;
    return WHY_NONE;
}

static enum why parse_quoted_ip(struct span quoted, struct pkt *out)
{
    out->version = quoted.len > 0 ? quoted.bytes[0] >> 4 : 0;
    switch (out->version) {
    case 4: return parse_quoted_ip4(quoted, out);
    case 6: return parse_quoted_ip6(quoted, out);
    default: return WHY_IP_VERSION;
    }
}

static bool is_first_fragment(const struct pkt *p)
{
    return (p->version == 4 ? p->ip4.fragment_offset : p->ip6.fragment_offset) == 0;
}

static enum why parse_quoted_transport(struct pkt *p)
{
    if (p->protocol == IP_PROTOCOL_TCP)
        return tcp_parse_quoted(p->transport, &p->tcp);
    if (HAS_UDP && p->protocol == IP_PROTOCOL_UDP)
        return udp_parse_quoted(p->transport, &p->udp);
    if (pkt_is_icmp4(p) || pkt_is_icmp6(p))
        return icmp_parse(p->transport, p->transport.len, &p->icmp);
    return WHY_NONE;
}

enum why pkt_parse_quoted(struct span quoted, struct pkt *out)
{
    if (parse_quoted_ip(quoted, out) != WHY_NONE)
        return WHY_ICMP_MALFORMED;
    if (out->is_fragment && !is_first_fragment(out))
        return WHY_ICMP_NOT_OURS;
    return parse_quoted_transport(out) == WHY_NONE ? WHY_NONE : WHY_ICMP_MALFORMED;
}

/* The sum of the first len bytes of the transport, of which head may hold fewer. */
static uint32_t sum_of(const struct pkt *p, size_t len, uint32_t tail_sum)
{
    struct span in_head = span_take(p->transport, len);

    return checksum_join(checksum_add(0, in_head.bytes, in_head.len), tail_sum, in_head.len);
}

static bool is_good(const struct pkt *p, size_t len, uint32_t tail_sum)
{
    uint32_t pseudo = checksum_pseudo(&p->src, &p->dst, p->protocol, len);

    return checksum_is_good(pseudo + sum_of(p, len, tail_sum));
}

/* IPv4 may go without; IPv6 has no other check of its addresses [RFC768] [RFC8200 8.1]. */
static bool udp_is_good(const struct pkt *p, uint32_t tail_sum)
{
    if (p->udp.checksum == 0)
        return p->version == 4;
    return is_good(p, UDP_HEADER_LEN + p->udp.payload_len, tail_sum);
}

enum why pkt_check_checksum(const struct pkt *p, uint32_t tail_sum)
{
    if (p->protocol == IP_PROTOCOL_TCP) /* [RFC9293 MUST-3] */
        return is_good(p, p->transport_len, tail_sum) ? WHY_NONE : WHY_TCP_CHECKSUM;
    if (p->protocol == IP_PROTOCOL_UDP)
        return udp_is_good(p, tail_sum) ? WHY_NONE : WHY_UDP_CHECKSUM;
    if (pkt_is_icmp6(p))
        return is_good(p, p->transport_len, tail_sum) ? WHY_NONE : WHY_ICMP_CHECKSUM;
    if (pkt_is_icmp4(p) && !checksum_is_good(sum_of(p, p->transport_len, tail_sum)))
        return WHY_ICMP_CHECKSUM;
    return WHY_NONE;
}

size_t pkt_tail_len(const struct pkt *p)
{
    size_t len = p->transport_len;

    if (p->protocol == IP_PROTOCOL_UDP)
        len = UDP_HEADER_LEN + p->udp.payload_len;
    return len > p->transport.len ? len - p->transport.len : 0;
}
