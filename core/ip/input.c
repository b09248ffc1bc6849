/*
 * input.c - a frame comes in: link, network, and whose business it is
 */
#include "base/addr.h"
#include "base/check.h"
#include "base/parts.h"
#include "ip/arp.h"
#include "ip/ip.h"
#include "ip/ip4.h"
#include "ip/ip6.h"
#include "wire/eth.h"

/* ---- the link ---- */

static bool is_our_vlan(const struct netif *netif, const struct eth_header *h)
{
    uint16_t id = h->vlan_count == 0 ? 0 : eth_vlan_id(&h->vlans[0]);

    /* A tag with VLAN 0 only carries a priority. */
    return h->vlan_count <= 1 && id == netif->vlan;
}

/* Takes the link header off the first slice. */
static enum why take_link(struct netif *netif, struct ip_packet *packet, struct eth_header *h)
{
    struct weir_slice *first = &packet->slices[0];
    enum why why = eth_parse(span_of(first->bytes, first->len), packet->len, h);
    size_t len;

    if (why != WHY_NONE)
        return why;
    packet->is_group = eth_addr_is_group(&h->dst);
    if (!packet->is_group && !eth_addr_eq(&h->dst, &netif->mac))
        return WHY_LINK_NOT_OURS;
    if (!is_our_vlan(netif, h))
        return WHY_LINK_VLAN;
    len = eth_header_len(h);
    first->bytes += len;
    first->len -= len;
    packet->len -= (uint32_t)len;
    return WHY_NONE;
}

/* ---- the packet ---- */

static enum ip_csum csum_of(const struct weir_frame *frame)
{
    if (frame->flags & WEIR_FRAME_CSUM_PARTIAL)
        return IP_CSUM_PARTIAL;
    return frame->flags & WEIR_FRAME_CSUM_VALID ? IP_CSUM_VALID : IP_CSUM_UNKNOWN;
}

/* What is not set here is set when it is known; error and echo only with their verdicts. */
static void begin(struct ip_packet *packet, struct netif *netif, struct weir_frame *frame)
{
    packet->netif = netif;
    packet->frame = frame;
    packet->is_group = false;
    packet->is_later_fragment = false;
    packet->is_waiting = false;
    packet->csum = csum_of(frame);
    packet->gso = frame->gso;
    packet->gso_flags = frame->flags & WEIR_FRAME_GSO_ECN;
    packet->gso_size = frame->gso != WEIR_GSO_NONE ? frame->gso_size : 0;
    packet->len = (uint32_t)frame->len;
    packet->header_len = 0;
    packet->protocol_at = 0;
    packet->held_count = 0;
    packet->slice_count = frame->slice_count;
    for (size_t i = 0; i < frame->slice_count; i++)
        packet->slices[i] = frame->slices[i];
}

/* A frame that says nothing about its slices is a driver's mistake: it is not looked into. */
static bool is_well_made(const struct weir_frame *frame)
{
    size_t len = 0;

    if (frame->slice_count == 0 || frame->slice_count > WEIR_FRAME_SLICES)
        return false;
    for (size_t i = 0; i < frame->slice_count; i++)
        len += frame->slices[i].len;
    return len == frame->len && len <= UINT32_MAX;
}

/* What no host may send from: a SYN from there goes nowhere [RFC9293 MUST-63]. */
static bool is_possible_host(struct ip *ip, struct netif *netif, const struct weir_addr *src)
{
    if (ip_is_good_source(ip, netif, src))
        return true;
    if (addr_is_multicast(src) || addr_is_broadcast(src) || addr_is_any(src))
        return false;
    if (addr_is_loopback(src) && !netif_is_loopback(netif))
        return false;
    /* Nobody else has our addresses, or those of a whole subnet. */
    if (addrs_classify(ip, netif, src) != ADDRS_FOREIGN)
        return false;
    netif->good_source = *src;
    netif->good_source_epoch = ip->epoch;
    return true;
}

/* Only who has no address yet has none, and speaks to everybody. */
bool ip_is_possible_source(struct ip *ip, const struct ip_packet *packet)
{
    const struct weir_addr *src = &packet->src;

    if (addr_is_any(src))
        return packet->is_group && (addr_is_v4(src) || packet->protocol == IP_PROTOCOL_ICMP6);
    return is_possible_host(ip, packet->netif, src);
}

bool ip_is_for_us(struct ip *ip, struct netif *netif, const struct weir_addr *src,
                  const struct weir_addr *dst)
{
    return addrs_classify(ip, netif, dst) == ADDRS_OURS && is_possible_host(ip, netif, src);
}

/* Nobody here speaks the protocol [RFC1122 3.2.2.1, RFC8200 4]. */
static enum why refuse_protocol(struct ip *ip, const struct ip_packet *packet)
{
    struct icmp_complaint complaint = {
        .kind = ICMP_ERROR_PROTOCOL,
        .pointer = packet->protocol_at,
    };

    if (packet->protocol != IP_PROTOCOL_NONE)
        icmp_send_error(ip, packet, &complaint);
    return WHY_IP_PROTOCOL;
}

static enum ip_verdict deliver(struct ip *ip, struct ip_packet *packet, bool is_v4)
{
    if (packet->protocol == IP_PROTOCOL_TCP || (HAS_UDP && packet->protocol == IP_PROTOCOL_UDP))
        return IP_TRANSPORT;
    if (is_v4 && packet->protocol == IP_PROTOCOL_ICMP4)
        return icmp4_input(ip, packet);
    if (HAS_IPV6 && !is_v4 && packet->protocol == IP_PROTOCOL_ICMP6)
        return icmp6_input(ip, packet);
    return ip_consume(ip, packet, refuse_protocol(ip, packet));
}

static enum ip_verdict input_ip(struct ip *ip, struct ip_packet *packet, bool is_v4, bool is_back)
{
    enum why why =
        is_v4 || !HAS_IPV6 ? ip4_input(ip, packet, is_back) : ip6_input(ip, packet, is_back);

    if (why != WHY_NONE || packet->is_waiting)
        return ip_consume(ip, packet, why);
    return deliver(ip, packet, is_v4);
}

static enum ip_verdict drop_frame(struct ip *ip, enum why why)
{
    if (why != WHY_NONE)
        ip_drop(ip, why);
    return IP_CONSUMED;
}

static enum ip_verdict input_ethernet(struct ip *ip, struct ip_packet *packet)
{
    struct eth_header h;
    enum why why = take_link(packet->netif, packet, &h);

    if (why != WHY_NONE)
        return drop_frame(ip, why);
    switch (h.type) {
    case ETH_TYPE_IP4: return input_ip(ip, packet, true, false);
    case ETH_TYPE_IP6:
        return HAS_IPV6 ? input_ip(ip, packet, false, false) : drop_frame(ip, WHY_LINK_PROTOCOL);
    case ETH_TYPE_ARP: return drop_frame(ip, arp_input(ip, packet->netif, h.payload));
    default: return drop_frame(ip, WHY_LINK_PROTOCOL);
    }
}

/* Without a link header the packet itself says what it is. */
static enum ip_verdict input_bare(struct ip *ip, struct ip_packet *packet, bool is_back)
{
    const struct weir_slice *first = &packet->slices[0];
    uint8_t version = first->len > 0 ? first->bytes[0] >> 4 : 0;

    if (version != 4 && !(HAS_IPV6 && version == 6))
        return drop_frame(ip, first->len > 0 ? WHY_IP_VERSION : WHY_IP_SHORT);
    return input_ip(ip, packet, version == 4, is_back);
}

enum ip_verdict ip_input(struct ip *ip, struct netif *netif, struct weir_frame *frame,
                         struct ip_packet *packet)
{
    if (!is_well_made(frame))
        return drop_frame(ip, WHY_LINK_SHORT);
    begin(packet, netif, frame);
    if (netif->link == WEIR_LINK_ETHERNET)
        return input_ethernet(ip, packet);
    return input_bare(ip, packet, false);
}

enum ip_verdict ip_input_back(struct ip *ip, struct netif *netif, struct frame *frame,
                              struct ip_packet *packet)
{
    begin(packet, netif, &frame->wire);
    return input_bare(ip, packet, true);
}
