/*
 * arp.c - address resolution for IPv4
 */
#include "ip/arp.h"

#include "base/addr.h"
#include "base/check.h"
#include "ip/ip.h"
#include "wire/arp.h"

static const struct weir_addr any4 = {{[10] = 0xff, [11] = 0xff}};

static void send(struct ip *ip, struct netif *netif, const struct arp_packet *p,
                 const struct eth_addr *to)
{
    struct frame *frame = frame_get(ip->frames);
    size_t len;

    if (frame == NULL) {
        ip_drop(ip, WHY_NO_MEMORY);
        return;
    }
    len = arp_emit(p, frame_push(frame, ARP_LEN), ARP_LEN);
    CHECK(len == ARP_LEN);
    netif_send(netif, &frame, to, ETH_TYPE_ARP);
}

void arp_send_request(struct ip *ip, struct netif *netif, const struct weir_addr *source,
                      const struct weir_addr *target, const struct eth_addr *mac)
{
    struct eth_addr everybody = eth_addr_broadcast();
    struct arp_packet p = {
        .op = ARP_REQUEST,
        .sender_mac = netif->mac,
        .sender_addr = any4,
        .target_addr = *target,
    };
    const struct ip_addr *chosen;

    /* The source of the packet that waits, if it is of this link [RFC1122 2.3.2.1]. */
    if (addrs_is_usable(ip, netif, source)) {
        p.sender_addr = *source;
    } else {
        chosen = addrs_choose_source(ip, netif, target);
        if (chosen != NULL)
            p.sender_addr = chosen->addr;
    }
    send(ip, netif, &p, mac != NULL ? mac : &everybody);
}

void arp_announce(struct ip *ip, struct netif *netif, const struct weir_addr *addr)
{
    struct eth_addr everybody = eth_addr_broadcast();
    struct arp_packet p = {
        .op = ARP_REQUEST,
        .sender_mac = netif->mac,
        .sender_addr = *addr,
        .target_addr = *addr,
    };

    send(ip, netif, &p, &everybody);
}

static void reply(struct ip *ip, struct netif *netif, const struct arp_packet *question)
{
    struct arp_packet p = {
        .op = ARP_REPLY,
        .sender_mac = netif->mac,
        .sender_addr = question->target_addr,
        .target_mac = question->sender_mac,
        .target_addr = question->sender_addr,
    };

    if (ip_may_answer(ip, netif))
        send(ip, netif, &p, &question->sender_mac);
}

static bool is_possible_sender(const struct netif *netif, const struct arp_packet *p)
{
    return !eth_addr_is_group(&p->sender_mac) && !eth_addr_eq(&p->sender_mac, &netif->mac)
           && !addr_is_multicast(&p->sender_addr) && !addr_is_broadcast(&p->sender_addr)
           && !addr_is_loopback(&p->sender_addr);
}

/* Was the neighbour asked, and is this the answer? */
static bool is_answer(const struct ip *ip, const struct netif *netif, const struct arp_packet *p)
{
    const struct neigh *n = neigh_find(ip, netif, &p->sender_addr);

    if (p->op != ARP_REPLY || n == NULL)
        return false;
    return n->state == NEIGH_INCOMPLETE || n->state == NEIGH_PROBE;
}

enum why arp_input(struct ip *ip, struct netif *netif, struct span bytes)
{
    struct arp_packet p;
    enum why why = arp_parse(bytes, &p);
    struct neigh_news news;
    struct ip_addr *claimed, *asked;
    bool is_for_us;

    if (why != WHY_NONE)
        return why;
    if (!is_possible_sender(netif, &p))
        return WHY_ARP_MALFORMED;

    claimed = addrs_find(ip, netif, &p.sender_addr);
    if (claimed != NULL) {
        addrs_on_arp_conflict(ip, claimed);
        return WHY_ARP_CONFLICT;
    }
    /* We answer for addresses of this link alone, and a probe (from 0.0.0.0) as well. */
    asked = addrs_find(ip, netif, &p.target_addr);
    is_for_us = asked != NULL;
    if (!addr_is_any(&p.sender_addr)) {
        news = (struct neigh_news){
            .mac = &p.sender_mac,
            .is_solicited = is_answer(ip, netif, &p),
            .may_override = true,
            /* Whoever asks us is about to be talked to; others are none of our business. */
            .may_create = is_for_us && p.op == ARP_REQUEST,
        };
        neigh_hear(ip, netif, &p.sender_addr, &news);
    }
    if (is_for_us && p.op == ARP_REQUEST)
        reply(ip, netif, &p);
    return is_for_us ? WHY_NONE : WHY_ARP_NOT_OURS;
}
