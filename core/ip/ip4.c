/*
 * ip4.c - IPv4 packets in and out
 */
#include "ip/ip4.h"

#include "base/addr.h"
#include "base/check.h"
#include "base/num.h"
#include "wire/icmp4.h"
#include "wire/ip4.h"

enum {
    MULTICAST_TTL = 1, /* unless the application says otherwise [RFC1112 6.1] */
};

/* ---- in ---- */

static void complain_of_option(struct ip *ip, const struct ip_packet *packet, uint8_t at)
{
    struct icmp_complaint complaint = {
        .kind = ICMP_ERROR_PARAMETER,
        .code = ICMP4_POINTER,
        .pointer = at,
    };

    icmp_send_error(ip, packet, &complaint);
}

/*
 * Options we do not act on are ignored [RFC9293 MUST-50]; a packet that wants to choose
 * its way is dropped (docs/deviations.md).
 */
static enum why check_options(const struct ip4_header *h)
{
    struct ip4_options options;

    if (h->options.len == 0 || ip4_options_parse(h->options, &options) != WHY_NONE)
        return WHY_NONE;
    return options.source_route.len > 0 ? WHY_IP_SOURCE_ROUTE : WHY_NONE;
}

static enum why check_destination(struct ip *ip, struct ip_packet *packet)
{
    bool is_link_group = packet->is_group;

    switch (addrs_classify(ip, packet->netif, &packet->dst)) {
    case ADDRS_OURS:
        /* To everybody on the link, but for us: a trick [RFC1122 3.3.6]. */
        return is_link_group ? WHY_LINK_NOT_OURS : WHY_NONE;
    case ADDRS_BROADCAST:
    case ADDRS_MULTICAST: packet->is_group = true; return WHY_NONE;
    case ADDRS_FOREIGN:
    case ADDRS_TENTATIVE: break;
    }
    return WHY_IP_NOT_OURS;
}

static void fill(struct ip_packet *packet, const struct ip4_header *h)
{
    packet->src = h->src;
    packet->dst = h->dst;
    packet->protocol = h->protocol;
    packet->ttl = h->ttl;
    packet->tos = h->tos;
    packet->header_len = h->header_len;
    packet->is_later_fragment = h->fragment_offset != 0;
    ip_packet_trim(packet, (uint32_t)(h->header_len + h->payload_len));
}

static enum why check(struct ip *ip, struct ip_packet *packet, const struct ip4_header *h,
                      bool is_back)
{
    enum why why = check_destination(ip, packet);

    if (why != WHY_NONE)
        return why;
    if (!is_back && !ip_is_possible_source(ip, packet))
        return WHY_IP_SOURCE;
    return check_options(h);
}

static enum why parse(struct ip *ip, struct ip_packet *packet, struct ip4_header *h, bool is_back)
{
    const struct weir_slice *first = &packet->slices[0];
    enum why parsed = ip4_parse(span_of(first->bytes, first->len), packet->len, h);
    enum why why;

    if (parsed != WHY_NONE && parsed != WHY_IP_OPTIONS)
        return parsed;
    fill(packet, h);
    why = check(ip, packet, h, is_back);
    if (why != WHY_NONE)
        return why;
    if (parsed == WHY_IP_OPTIONS)
        complain_of_option(ip, packet, h->problem_at);
    return parsed;
}

enum why ip4_input(struct ip *ip, struct ip_packet *packet, bool is_back)
{
    struct ip4_header h;
    struct frag_info info;
    enum why why = parse(ip, packet, &h, is_back);

    if (why != WHY_NONE || !ip4_is_fragment(&h))
        return why;
    info = (struct frag_info){h.id, h.fragment_offset, h.more_fragments, h.protocol};
    why = frag_input(ip, packet, &info);
    if (why != WHY_NONE || packet->is_waiting)
        return why;
    return parse(ip, packet, &h, is_back);
}

/* ---- out ---- */

/* How many packets a frame will be when it is on the wire. */
static uint32_t packets_of(const struct frame *frame)
{
    const struct weir_frame *w = &frame->wire;

    if (w->gso == WEIR_GSO_NONE || w->len <= w->header_len)
        return 1;
    return (uint32_t)div_ceil(w->len - w->header_len, w->gso_size);
}

static uint8_t ttl_of(const struct ip *ip, const struct ip_send *how)
{
    if (how->ttl != 0)
        return how->ttl;
    return addr_is_multicast(&how->dst) ? MULTICAST_TTL : ip->config.ttl;
}

static void push_whole(struct ip *ip, const struct ip_path *path, const struct ip_send *how,
                       struct frame *frame)
{
    struct ip4_plain h = {
        .src = &how->src,
        .dst = &how->dst,
        .total_len = (uint16_t)(IP4_HEADER_LEN + frame->wire.len), /* it is not too big */
        .id = (uint16_t)ip_next_id(ip, path, packets_of(frame)),
        .tos = how->tos,
        .ttl = ttl_of(ip, how),
        .protocol = how->protocol,
        .dont_fragment = how->dont_fragment,
    };

    ip4_emit_plain(&h, frame_push(frame, IP4_HEADER_LEN));
}

/* TTL and DiffServ are the caller's [RFC9293 MUST-48, MUST-49]. */
void ip4_push(struct ip *ip, const struct ip_path *path, const struct ip_send *how,
              const struct ip_fragment *fragment, struct frame *frame)
{
    struct ip4_header h;
    size_t len;

    if (!HAS_FRAGMENTS || fragment == NULL) {
        push_whole(ip, path, how, frame);
        return;
    }
    h = (struct ip4_header){
        .src = how->src,
        .dst = how->dst,
        .payload_len = frame->wire.len,
        .tos = how->tos,
        .ttl = ttl_of(ip, how),
        .protocol = how->protocol,
        .dont_fragment = how->dont_fragment,
        .id = (uint16_t)fragment->id,
        .fragment_offset = (uint16_t)fragment->offset,
        .more_fragments = fragment->more,
    };
    len = ip4_emit(&h, frame_push(frame, IP4_HEADER_LEN), IP4_HEADER_LEN);
    CHECK(len == IP4_HEADER_LEN);
}
