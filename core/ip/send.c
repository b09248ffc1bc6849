/*
 * send.c - paths, and packets out
 */
#include "base/addr.h"
#include "base/check.h"
#include "base/parts.h"
#include "ip/ip.h"
#include "ip/ip4.h"
#include "ip/ip6.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include <string.h>
#include <weir/err.h>

enum {
    LOCAL_MTU = 65535,
    LENGTH_MAX = 65535, /* what the length field of either version can say */
};

/* ---- paths ---- */

/* What ip_route was asked. */
struct query {
    const struct weir_addr *dst;
    const struct weir_addr *src; /* NULL: choose one */
    struct netif *netif;         /* NULL: any */
};

static const struct netif *netif_of_source(const struct ip *ip, const struct weir_addr *src)
{
    const struct ip_addr *a = src != NULL ? addrs_find(ip, NULL, src) : NULL;

    return a != NULL ? a->netif : NULL;
}

/* A destination that means the link: the interface has to be known in another way. */
static struct netif *netif_of_link(const struct ip *ip, const struct query *q)
{
    const struct route *route;

    if (q->netif != NULL)
        return q->netif;
    if (q->src != NULL) {
        const struct netif *of_source = netif_of_source(ip, q->src);

        return of_source != NULL ? netif_find(ip, of_source->id) : NULL;
    }
    route = route_find(ip, q->dst, NULL);
    return route != NULL ? route->netif : netif_find_only(ip);
}

/* An answer goes to where a packet just came from. */
static bool is_known_peer(const struct ip *ip, const struct weir_addr *dst)
{
    for (uint32_t i = 0; i < ip->netif_count; i++)
        if (ip->netifs[i]->id != 0 && ip_is_good_source(ip, ip->netifs[i], dst))
            return !addr_is_link_local6(dst);
    return false;
}

/* The interface that a destination of ours belongs to, or NULL. */
static struct netif *netif_of_own(const struct ip *ip, const struct query *q)
{
    bool is_of_link = addr_is_link_local6(q->dst);
    const struct ip_addr *a;

    if (!HAS_ROUTING || is_known_peer(ip, q->dst))
        return NULL;
    a = addrs_find(ip, is_of_link ? q->netif : NULL, q->dst);
    if (a != NULL && addrs_is_usable(ip, a->netif, q->dst))
        return a->netif;
    if (!addr_is_loopback(q->dst))
        return NULL;
    for (uint32_t i = 0; i < ip->netif_count; i++)
        if (ip->netifs[i]->id != 0 && ip->netifs[i]->is_loopback
            && addrs_classify(ip, ip->netifs[i], q->dst) == ADDRS_OURS)
            return ip->netifs[i];
    return NULL;
}

/* Sets netif, next_hop, is_local and is_group. False: there is no way. */
static bool find_way(const struct ip *ip, const struct query *q, struct ip_path *path)
{
    const struct route *route;

    path->next_hop = *q->dst;
    path->netif = netif_of_own(ip, q);
    if (path->netif != NULL) {
        path->is_local = true;
        return true;
    }
    if (!HAS_ROUTING && addrs_has(ip, q->dst))
        return false;
    if (addr_is_multicast(q->dst) || addr_is_broadcast(q->dst) || addr_is_link_local6(q->dst)) {
        path->netif = netif_of_link(ip, q);
        path->is_group = !addr_is_link_local6(q->dst);
        return path->netif != NULL;
    }
    route = route_find(ip, q->dst, q->netif);
    if (route == NULL)
        return false;
    path->netif = route->netif;
    if (route->has_gateway)
        path->next_hop = route->gateway;
    path->is_group = !ip_is_good_source(ip, path->netif, q->dst)
                     && addrs_classify(ip, path->netif, q->dst) == ADDRS_BROADCAST;
    return true;
}

/* Another address of 127/8 than the one that was given: it may answer, too. */
static bool is_other_loopback(const struct ip *ip, const struct ip_path *path,
                              const struct weir_addr *src)
{
    return netif_is_loopback(path->netif) && addr_is_loopback(src)
           && addrs_classify(ip, path->netif, src) == ADDRS_OURS;
}

static bool find_source(const struct ip *ip, const struct query *q, struct ip_path *path)
{
    const struct ip_addr *hint = path->netif->addr_hint, *chosen;

    if (q->src != NULL) {
        path->src = *q->src;
        if (hint != NULL && addr_eq(&hint->addr, q->src)) /* it was just spoken to */
            return true;
        return addrs_is_usable(ip, addr_is_link_local6(q->src) ? path->netif : NULL, q->src)
               || is_other_loopback(ip, path, q->src);
    }
    chosen = addrs_choose_source(ip, path->netif, q->dst);
    if (chosen != NULL)
        path->src = chosen->addr;
    return chosen != NULL;
}

static uint32_t mtu_of(const struct ip *ip, const struct ip_path *path, const struct weir_addr *dst)
{
    uint32_t link_mtu = netif_mtu(path->netif, dst);

    if (ip_path_is_local(path))
        return LOCAL_MTU;
    return path->is_group || link_mtu == 0 ? link_mtu : pmtu_find(ip, dst, link_mtu);
}

/* Identifications that say nothing about other destinations [RFC7739 5.3]. */
static void set_id(const struct ip *ip, struct ip_path *path, const struct weir_addr *dst)
{
    uint64_t words[2 * 2], hash;
    size_t count = addr_words(&path->src, words);

    count += addr_words(dst, words + count);
    hash = siphash24_words(ip->id_key, words, count);
    path->id_base = (uint32_t)hash;
    path->id_slot = (uint8_t)((hash >> 32) % IP_ID_COUNTERS);
}

int ip_route(struct ip *ip, const struct weir_addr *dst, const struct weir_addr *src,
             weir_netif_t netif, struct ip_path *path)
{
    struct query q = {.dst = dst, .src = src};

    if (!HAS_IPV6 && !weir_addr_is_v4(dst))
        return WEIR_ENOTSUP;
    if (q.src != NULL && addr_is_any(q.src))
        q.src = NULL;
    if (addr_is_any(dst))
        return WEIR_EINVAL;
    if (q.src != NULL && addr_is_v4(q.src) != addr_is_v4(dst))
        return WEIR_EINVAL;
    q.netif = netif_find(ip, netif);
    if (netif != 0 && q.netif == NULL)
        return WEIR_ENETUNREACH;

    memset(path, 0, sizeof *path);
    if (!find_way(ip, &q, path))
        return WEIR_ENETUNREACH;
    path->mtu = mtu_of(ip, path, dst);
    if (path->mtu == 0)
        return WEIR_ENETUNREACH;
    if (!find_source(ip, &q, path))
        return WEIR_EADDRNOTAVAIL;
    set_id(ip, path, dst);
    path->epoch = ip->epoch;
    return WEIR_OK;
}

/* ---- packets ---- */

static uint16_t ethertype_of(const struct weir_addr *addr)
{
    return addr_is_v4(addr) ? ETH_TYPE_IP4 : ETH_TYPE_IP6;
}

static struct eth_addr group_mac(const struct weir_addr *group)
{
    return addr_is_multicast(group) ? eth_addr_of_group(group) : eth_addr_broadcast();
}

enum why ip_transmit(struct ip *ip, struct ip_path *path, struct frame **frame)
{
    struct netif *netif = path->netif;
    struct eth_addr mac;

    if (ip_path_is_local(path) || netif_is_loopback(netif)) {
        frames_add(&netif->back, frame);
        return WHY_NONE;
    }
    if (netif->link != WEIR_LINK_ETHERNET) {
        frames_add(&netif->out, frame);
        return WHY_NONE;
    }
    if (!path->is_group && !addr_is_multicast(&path->next_hop))
        return neigh_send(ip, path, frame);
    mac = group_mac(&path->next_hop);
    netif_send(netif, frame, &mac, ethertype_of(&path->next_hop));
    return WHY_NONE;
}

/* Looks the path up again; an interface that was part of the question stays part of it. */
static bool refresh(struct ip *ip, struct ip_path *path, const struct ip_send *how)
{
    bool is_of_link = path->is_group || addr_is_link_local6(&how->dst);
    weir_netif_t netif = is_of_link && path->netif != NULL ? path->netif->id : 0;

    return ip_route(ip, &how->dst, &how->src, netif, path) == WEIR_OK;
}

static bool is_too_big(const struct ip_path *path, const struct ip_send *how,
                       const struct weir_frame *w, size_t header_len)
{
    /* IPv6 does not count its header [RFC8200 3]. */
    size_t counted = addr_is_v4(&how->dst) ? w->len + header_len : w->len;

    if (counted > LENGTH_MAX)
        return true;
    if (w->gso != WEIR_GSO_NONE)
        return header_len + w->header_len + w->gso_size > path->mtu;
    return how->dont_fragment && w->len + header_len > path->mtu;
}

enum why ip_send(struct ip *ip, struct ip_path *path, const struct ip_send *how,
                 struct frame **frame)
{
    bool is_v4 = addr_is_v4(&how->dst);
    size_t header_len = is_v4 ? IP4_HEADER_LEN : IP6_HEADER_LEN;
    const struct weir_frame *w = &(*frame)->wire;

    if (!ip_path_is_current(ip, path) && !refresh(ip, path, how))
        return ip_drop_frame(ip, frame, WHY_NO_ROUTE);
    if (w->gso != WEIR_GSO_NONE || w->len + header_len > path->mtu) {
        if (is_too_big(path, how, w, header_len))
            return ip_drop_frame(ip, frame, WHY_TOO_BIG);
        if (w->gso == WEIR_GSO_NONE)
            return frag_send(ip, path, how, frame);
    }
    if (is_v4)
        ip4_push(ip, path, how, NULL, *frame);
    else
        ip6_push(ip, path, how, NULL, *frame);
    ip_trace_out(ip, path->netif, *frame, how->trace);
    return ip_transmit(ip, path, frame);
}

enum why ip_send_own(struct ip *ip, struct ip_path *path, const struct ip_send *how,
                     struct frame **frame)
{
    ip->icmp_out++;
    return ip_send(ip, path, how, frame);
}
