/*
 * ip6.c - IPv6 packets in and out
 */
#include "ip/ip6.h"

#include "base/addr.h"
#include "base/check.h"
#include "wire/ip6.h"

enum {
    MULTICAST_HOPS = 1, /* unless the application says otherwise, as Linux */
};

/* ---- in ---- */

static void complain(struct ip *ip, const struct ip_packet *packet, const struct ip6_header *h)
{
    struct icmp_complaint complaint = {
        .kind = ICMP_ERROR_PARAMETER,
        .code = h->problem_code,
        .pointer = h->problem_at,
        .to_groups = h->problem_to_groups,
    };

    if (h->has_problem)
        icmp_send_error(ip, packet, &complaint);
}

static enum why check_destination(struct ip *ip, struct ip_packet *packet)
{
    switch (addrs_classify(ip, packet->netif, &packet->dst)) {
    case ADDRS_OURS: return WHY_NONE;
    case ADDRS_BROADCAST:
    case ADDRS_MULTICAST: packet->is_group = true; return WHY_NONE;
    case ADDRS_FOREIGN:
    case ADDRS_TENTATIVE: break;
    }
    return WHY_IP_NOT_OURS;
}

/* The header is there and what it says fits the packet; the chain may still be wrong. */
static bool is_readable(enum why why)
{
    return why != WHY_IP_SHORT && why != WHY_IP_VERSION && why != WHY_IP_SOURCE
           && why != WHY_IP_NOT_OURS;
}

static void fill(struct ip_packet *packet, const struct ip6_header *h)
{
    packet->src = h->src;
    packet->dst = h->dst;
    packet->protocol = h->protocol;
    packet->protocol_at = h->protocol_at;
    packet->ttl = h->ttl;
    packet->tos = h->tos;
    packet->header_len = (uint32_t)(IP6_HEADER_LEN + h->extensions.len);
    packet->is_later_fragment = h->has_fragment && h->fragment_offset != 0;
    ip_packet_trim(packet, (uint32_t)(packet->header_len + h->payload_len));
}

static enum why parse(struct ip *ip, struct ip_packet *packet, struct ip6_header *h, bool is_back)
{
    const struct weir_slice *first = &packet->slices[0];
    enum why parsed = ip6_parse(span_of(first->bytes, first->len), packet->len, h);
    enum why why;

    if (!is_readable(parsed))
        return parsed;
    fill(packet, h);
    why = check_destination(ip, packet);
    if (why != WHY_NONE)
        return why;
    if (!is_back && !ip_is_possible_source(ip, packet))
        return WHY_IP_SOURCE;
    if (parsed != WHY_NONE)
        complain(ip, packet, h);
    return parsed;
}

enum why ip6_input(struct ip *ip, struct ip_packet *packet, bool is_back)
{
    struct ip6_header h;
    struct frag_info info;
    enum why why = parse(ip, packet, &h, is_back);

    if (why != WHY_NONE || !ip6_is_fragment(&h))
        return why;
    info = (struct frag_info){h.fragment_id, h.fragment_offset, h.more_fragments, 0};
    why = frag_input(ip, packet, &info);
    if (why != WHY_NONE || packet->is_waiting)
        return why;
    why = parse(ip, packet, &h, is_back);
    /* A fragment in a fragment is nothing that anybody sends in earnest. */
    return why == WHY_NONE && ip6_is_fragment(&h) ? WHY_FRAG_MALFORMED : why;
}

/* ---- out ---- */

static uint8_t hops_of(const struct ip *ip, const struct ip_path *path, const struct ip_send *how)
{
    if (how->ttl != 0)
        return how->ttl;
    if (addr_is_multicast(&how->dst))
        return MULTICAST_HOPS;
    /* What a router advertises replaces the default [RFC4861 6.3.4]. */
    return path->netif->hop_limit != 0 ? path->netif->hop_limit : ip->config.ttl;
}

/* Hop limit and DiffServ are the caller's [RFC9293 MUST-48, MUST-49]. */
void ip6_push(struct ip *ip, const struct ip_path *path, const struct ip_send *how,
              const struct ip_fragment *fragment, struct frame *frame)
{
    struct ip6_header h = {
        .src = how->src,
        .dst = how->dst,
        .payload_len = frame->wire.len,
        .tos = how->tos,
        .ttl = hops_of(ip, path, how),
        .protocol = how->protocol,
        .next_header = how->protocol,
        .flow_label = how->flow_label,
    };
    size_t len;

    if (fragment != NULL) {
        h.fragment_id = fragment->id;
        h.fragment_offset = fragment->offset;
        h.more_fragments = fragment->more;
        len = ip6_emit_fragment(&h, frame_push(frame, IP6_FRAGMENT_LEN), IP6_FRAGMENT_LEN);
        CHECK(len == IP6_FRAGMENT_LEN);
        h.next_header = IP_PROTOCOL_FRAGMENT;
        h.payload_len = frame->wire.len;
    }
    len = ip6_emit(&h, frame_push(frame, IP6_HEADER_LEN), IP6_HEADER_LEN);
    CHECK(len == IP6_HEADER_LEN);
}
