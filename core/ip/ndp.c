/*
 * ndp.c - neighbour discovery for IPv6
 */
#include "ip/ndp.h"

#include "base/addr.h"
#include "base/check.h"
#include "base/num.h"
#include "ip/ip.h"
#include "ip/ip6.h"
#include "ip/slaac.h"
#include "wire/ndp.h"
#include <string.h>
#include <weir/err.h>

enum {
    MESSAGE_MAX = 64, /* of what we send: 24, a link address of 8, a nonce of 8 */
    SOLICITS_MAX = 3, /* MAX_RTR_SOLICITATIONS [RFC4861 10] */
    MTU6_MIN = 1280,
    PREFIX_LEN_ALL = 128,
};

#define SOLICIT_INTERVAL_NS (4 * NS_S)  /* RTR_SOLICITATION_INTERVAL */
#define SOLICIT_DELAY_MAX_NS (1 * NS_S) /* MAX_RTR_SOLICITATION_DELAY */
#define REDIRECT_NS (600 * NS_S)
/* Whatever a router says, we neither flood the link nor stop asking. */
#define TIME_MIN_NS (10 * NS_MS)
#define TIME_MAX_NS (3600 * NS_S)

static const struct weir_addr any6 = {{0}};
static const struct weir_addr all_nodes = {{0xff, 0x02, [15] = 1}};
static const struct weir_addr all_routers = {{0xff, 0x02, [15] = 2}};

static struct weir_addr solicited_node(const struct weir_addr *addr)
{
    struct weir_addr group = {{0xff, 0x02, [11] = 1, [12] = 0xff}};

    memcpy(group.b + 13, addr->b + 13, 3);
    return group;
}

/* ---- out ---- */

/* Where a message goes. mac NULL: as the destination says. */
struct envelope {
    struct netif *netif;
    struct weir_addr src, dst;
    const struct eth_addr *mac;
};

static void send(struct ip *ip, const struct ndp_message *m, const struct envelope *to)
{
    struct ip_send how = {
        .src = to->src, .dst = to->dst, .protocol = IP_PROTOCOL_ICMP6, .ttl = NDP_HOP_LIMIT};
    struct ip_path path = {.src = to->src,
                           .next_hop = to->dst,
                           .netif = to->netif,
                           .is_group = addr_is_multicast(&to->dst)};
    struct frame *frame = frame_get(ip->frames);
    uint8_t bytes[MESSAGE_MAX];
    size_t len = ndp_emit(m, &to->src, &to->dst, bytes, sizeof bytes);

    CHECK(len > 0);
    if (frame == NULL) {
        ip_drop(ip, WHY_NO_MEMORY);
        return;
    }
    memcpy(frame_push(frame, len), bytes, len);
    ip6_push(ip, &path, &how, NULL, frame);
    ip_trace_out(ip, to->netif, frame, NULL);
    ip->icmp_out++;
    if (to->mac != NULL)
        netif_send(to->netif, &frame, to->mac, ETH_TYPE_IP6);
    else
        (void)ip_transmit(ip, &path, &frame);
}

/* The source of a solicitation: that of the packet that waits, else of the link. */
static struct weir_addr choose_source(const struct ip *ip, const struct netif *netif,
                                      const struct weir_addr *wanted)
{
    const struct ip_addr *of_link;

    if (addrs_is_usable(ip, netif, wanted))
        return *wanted;
    of_link = addrs_link_local(ip, netif);
    return of_link != NULL ? of_link->addr : any6;
}

void ndp_send_solicit(struct ip *ip, struct netif *netif, const struct weir_addr *source,
                      const struct weir_addr *target, const struct eth_addr *mac)
{
    struct weir_addr src = choose_source(ip, netif, source);
    struct ndp_message m = {
        .type = ICMP6_NEIGHBOUR_SOLICIT,
        .target = *target,
        .has_source_mac = !addr_is_any(&src),
        .source_mac = netif->mac,
    };
    struct envelope to = {
        .netif = netif,
        .src = src,
        .dst = mac != NULL ? *target : solicited_node(target),
        .mac = mac,
    };

    send(ip, &m, &to);
}

void ndp_send_probe(struct ip *ip, struct netif *netif, const struct ip_addr *a)
{
    struct ndp_message m = {
        .type = ICMP6_NEIGHBOUR_SOLICIT,
        .target = a->addr,
        .nonce = span_of(a->nonce, sizeof a->nonce),
    };
    struct envelope to = {.netif = netif, .src = any6, .dst = a->group};

    send(ip, &m, &to);
}

/* Answers a solicitation for an address of ours [RFC4861 7.2.4]. */
static void send_advert(struct ip *ip, struct netif *netif, const struct ip_packet *question,
                        const struct weir_addr *target)
{
    bool is_probe = addr_is_any(&question->src);
    struct ndp_message m = {
        .type = ICMP6_NEIGHBOUR_ADVERT,
        .target = *target,
        .solicited = !is_probe,
        .override = true,
        .has_target_mac = true,
        .target_mac = netif->mac,
    };
    struct envelope to = {
        .netif = netif,
        .src = *target,
        .dst = is_probe ? all_nodes : question->src,
    };

    if (ip_may_answer(ip, netif))
        send(ip, &m, &to);
}

/* ---- soliciting routers ---- */

void ndp_start_solicit(struct ip *ip, struct netif *netif)
{
    netif->solicits_left = SOLICITS_MAX;
    ip_arm(ip, &netif->solicit_timer,
           ns_after(ip->now, rng_below(&ip->rng, (uint32_t)SOLICIT_DELAY_MAX_NS)));
}

void ndp_expire_solicit(struct ip *ip, struct netif *netif)
{
    struct weir_addr src = choose_source(ip, netif, &any6);
    struct ndp_message m = {
        .type = ICMP6_ROUTER_SOLICIT,
        .has_source_mac = netif->link == WEIR_LINK_ETHERNET && !addr_is_any(&src),
        .source_mac = netif->mac,
    };
    struct envelope to = {.netif = netif, .src = src, .dst = all_routers};

    netif->solicits_left--;
    if (netif->solicits_left > 0)
        ip_arm(ip, &netif->solicit_timer, ns_after(ip->now, SOLICIT_INTERVAL_NS));
    send(ip, &m, &to);
}

/* ---- solicitations in ---- */

/* Our own probe, which a switch or a ring has sent back to us [RFC7527 4.2]. */
static bool is_own_probe(const struct ip_addr *a, const struct ndp_message *m)
{
    return span_eq(m->nonce, span_of(a->nonce, sizeof a->nonce));
}

/* Somebody asks about an address of ours whose detection is still running. */
static enum why meet_tentative(struct ip *ip, struct ip_addr *a, const struct ip_packet *packet,
                               const struct ndp_message *m)
{
    if (!addr_is_any(&packet->src) || is_own_probe(a, m))
        return WHY_NDP_NOT_OURS;
    addrs_on_duplicate(ip, a);
    return WHY_ARP_CONFLICT;
}

static enum why take_solicit(struct ip *ip, const struct ip_packet *packet,
                             const struct ndp_message *m)
{
    struct weir_addr group = solicited_node(&m->target);
    bool is_probe = addr_is_any(&packet->src);
    struct netif *netif = packet->netif;
    struct ip_addr *a;

    if (is_probe && (!weir_addr_eq(&packet->dst, &group) || m->has_source_mac))
        return WHY_NDP_MALFORMED;
    a = addrs_find(ip, netif, &m->target);
    if (a == NULL || a->state == WEIR_ADDR_DUPLICATE)
        return WHY_NDP_NOT_OURS;
    if (a->state == WEIR_ADDR_TENTATIVE)
        return meet_tentative(ip, a, packet, m);
    if (!is_probe && m->has_source_mac) {
        struct neigh_news news = {
            .mac = &m->source_mac,
            .may_override = true,
            .may_create = true,
        };

        neigh_hear(ip, netif, &packet->src, &news);
    }
    send_advert(ip, netif, packet, &m->target);
    return WHY_NONE;
}

/* ---- advertisements in ---- */

static enum why take_advert(struct ip *ip, const struct ip_packet *packet,
                            const struct ndp_message *m)
{
    struct ip_addr *a = addrs_find(ip, packet->netif, &m->target);
    struct neigh_news news = {
        .mac = m->has_target_mac ? &m->target_mac : NULL,
        .is_solicited = m->solicited,
        .may_override = m->override,
        .says_router = true,
        .is_router = m->from_router,
    };

    if (addr_is_multicast(&packet->dst) && m->solicited)
        return WHY_NDP_MALFORMED;
    if (a != NULL) {
        addrs_on_duplicate(ip, a);
        return WHY_ARP_CONFLICT;
    }
    neigh_hear(ip, packet->netif, &m->target, &news);
    return WHY_NONE;
}

/* ---- routers ---- */

static ns_t clamp(uint32_t ms)
{
    return ns_min(ns_max((ns_t)ms * NS_MS, TIME_MIN_NS), TIME_MAX_NS);
}

/* Zero always means that the router does not say [RFC4861 6.3.4]. */
static void take_parameters(struct ip *ip, struct netif *netif, const struct ndp_message *m)
{
    if (m->hop_limit != 0)
        netif->hop_limit = m->hop_limit;
    if (m->retransmit_ms != 0)
        netif->retrans_ns = clamp(m->retransmit_ms);
    if (m->reachable_ms != 0 && clamp(m->reachable_ms) != netif->base_reachable_ns)
        netif_set_reachable(ip, netif, clamp(m->reachable_ms));
    if (m->mtu >= MTU6_MIN && m->mtu <= netif->mtu && m->mtu != netif->mtu6) {
        netif->mtu6 = m->mtu;
        ip_advance_epoch(ip);
    }
}

static void take_router(struct ip *ip, const struct ip_packet *packet, const struct ndp_message *m)
{
    struct route_spec spec = {
        .prefix = {any6, 0},
        .gateway = &packet->src,
        .origin = ROUTE_ROUTER,
        .netif = packet->netif,
        .until = ns_after(ip->now, m->router_lifetime_s * NS_S),
    };
    struct neigh_news news = {
        .mac = m->has_source_mac ? &m->source_mac : NULL,
        .may_override = true,
        .may_create = true,
        .says_router = true,
        .is_router = true,
    };

    neigh_hear(ip, packet->netif, &packet->src, &news);
    if (m->router_lifetime_s == 0)
        route_forget(ip, &spec);
    else if (route_learn(ip, &spec) != WEIR_OK)
        ip_drop(ip, WHY_NO_MEMORY);
}

static void take_on_link(struct ip *ip, struct netif *netif, const struct ndp_prefix *p)
{
    struct route_spec spec = {
        .prefix = p->prefix,
        .origin = ROUTE_ROUTER,
        .netif = netif,
        .until = p->valid_s == NDP_FOREVER ? NEVER : ns_after(ip->now, (ns_t)p->valid_s * NS_S),
    };

    if (addr_is_link_local6(&p->prefix.addr) || addr_is_multicast(&p->prefix.addr))
        return;
    if (p->valid_s == 0)
        route_forget(ip, &spec);
    else if (route_learn(ip, &spec) != WEIR_OK)
        ip_drop(ip, WHY_NO_MEMORY);
}

static enum why take_router_advert(struct ip *ip, const struct ip_packet *packet,
                                   const struct ndp_message *m)
{
    struct netif *netif = packet->netif;

    if (!addr_is_link_local6(&packet->src))
        return WHY_NDP_MALFORMED;
    if (!netif->slaac)
        return WHY_NDP_NOT_OURS;
    take_parameters(ip, netif, m);
    take_router(ip, packet, m);
    for (size_t i = 0; i < m->prefix_count; i++) {
        if (m->prefixes[i].on_link)
            take_on_link(ip, netif, &m->prefixes[i]);
        if (m->prefixes[i].autonomous)
            slaac_on_prefix(ip, netif, &m->prefixes[i]);
    }
    /* A router has answered [RFC4861 6.3.7]. */
    if (m->router_lifetime_s != 0)
        ip_disarm(ip, &netif->solicit_timer);
    return WHY_NONE;
}

/* ---- redirects ---- */

/* The router that says so has to be the one we use for that destination [RFC4861 8.1]. */
static bool is_from_first_hop(const struct ip *ip, const struct ip_packet *packet,
                              const struct weir_addr *dst)
{
    const struct route *now = route_find(ip, dst, packet->netif);

    return now != NULL && now->has_gateway && weir_addr_eq(&now->gateway, &packet->src);
}

static enum why take_redirect(struct ip *ip, const struct ip_packet *packet,
                              const struct ndp_message *m)
{
    bool is_on_link = weir_addr_eq(&m->target, &m->destination);
    struct route_spec spec = {
        .prefix = {m->destination, PREFIX_LEN_ALL},
        .gateway = is_on_link ? NULL : &m->target,
        .origin = ROUTE_REDIRECT,
        .netif = packet->netif,
        .until = ns_after(ip->now, REDIRECT_NS),
    };
    struct neigh_news news = {
        .mac = m->has_target_mac ? &m->target_mac : NULL,
        .may_override = true,
        .may_create = true,
        .says_router = !is_on_link,
        .is_router = true,
    };

    if (!addr_is_link_local6(&packet->src) || addr_is_multicast(&m->destination)
        || (!is_on_link && !addr_is_link_local6(&m->target)))
        return WHY_NDP_MALFORMED;
    if (!is_from_first_hop(ip, packet, &m->destination) || addrs_find(ip, NULL, &m->target) != NULL)
        return WHY_NDP_NOT_OURS;
    if (route_learn(ip, &spec) != WEIR_OK)
        return WHY_NO_MEMORY;
    neigh_hear(ip, packet->netif, &m->target, &news);
    return WHY_NONE;
}

/* ---- in ---- */

enum why ndp_input(struct ip *ip, const struct ip_packet *packet,
                   const struct icmp_message *message)
{
    bool is_ethernet = packet->netif->link == WEIR_LINK_ETHERNET;
    struct ndp_message m;
    enum why why;

    /* It was not forwarded: it comes from this link [RFC4861 6.1, 7.1, 8.1]. */
    if (packet->ttl != NDP_HOP_LIMIT)
        return WHY_IP_HOP_LIMIT;
    why = ndp_parse(message, &m);
    if (why != WHY_NONE)
        return why;
    if (m.type == ICMP6_ROUTER_ADVERT)
        return take_router_advert(ip, packet, &m);
    /* Without link addresses there is nothing to resolve. */
    if (!is_ethernet)
        return WHY_NDP_NOT_OURS;
    switch (m.type) {
    case ICMP6_NEIGHBOUR_SOLICIT: return take_solicit(ip, packet, &m);
    case ICMP6_NEIGHBOUR_ADVERT: return take_advert(ip, packet, &m);
    case ICMP6_REDIRECT: return take_redirect(ip, packet, &m);
    default: return WHY_NDP_NOT_OURS;
    }
}
