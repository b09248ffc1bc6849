/*
 * netif.c - the interfaces of a stack
 */
#include "ip/netif.h"

#include "base/addr.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/parts.h"
#include "ip/ip.h"
#include "ip/ndp.h"
#include "ip/slaac.h"
#include "wire/eth.h"
#include <string.h>
#include <weir/err.h>

enum {
    MTU_MIN = 576,
    MTU_MAX = 65535,
    MTU6_MIN = 1280, /* [RFC8200 5] */
    VLAN_MAX = 4094,
};

/* Until a router says something else [RFC4861 10]. */
#define BASE_REACHABLE_NS (30 * NS_S)
#define RETRANS_NS (1 * NS_S)

static bool is_zero_mac(const uint8_t mac[6])
{
    static const uint8_t zero[6] = {0};

    return memcmp(mac, zero, sizeof zero) == 0;
}

static bool is_valid_config(const struct weir_netif_config *config)
{
    bool is_ethernet = config->link == WEIR_LINK_ETHERNET;
    bool wants_tso = config->offloads & (WEIR_OFFLOAD_TSO4 | WEIR_OFFLOAD_TSO6);

    if (config->link != WEIR_LINK_IP && !is_ethernet)
        return false;
    if (config->mtu < MTU_MIN || config->mtu > MTU_MAX || config->vlan > VLAN_MAX)
        return false;
    if (is_ethernet && (is_zero_mac(config->mac) || (config->mac[0] & 1)))
        return false;
    if (config->loopback && (is_ethernet || !HAS_ROUTING))
        return false;
    return !wants_tso || (config->offloads & WEIR_OFFLOAD_CSUM);
}

static uint32_t mtu6_of(uint32_t mtu)
{
    return HAS_IPV6 && mtu >= MTU6_MIN ? mtu : 0;
}

static uint8_t link_len_of(const struct weir_netif_config *config)
{
    if (config->link != WEIR_LINK_ETHERNET)
        return 0;
    return config->vlan != 0 ? ETH_HEADER_LEN + ETH_VLAN_LEN : ETH_HEADER_LEN;
}

/* A random factor between 0.5 and 1.5, so that neighbours do not fall in step. */
static ns_t random_reachable(struct ip *ip, ns_t base_ns)
{
    uint32_t half_ms = (uint32_t)ns_min(base_ns / 2 / NS_MS, INT32_MAX);

    return base_ns / 2 + (ns_t)rng_below(&ip->rng, 2 * half_ms + 1) * NS_MS;
}

void netif_set_reachable(struct ip *ip, struct netif *netif, ns_t base_ns)
{
    netif->base_reachable_ns = base_ns;
    netif->reachable_ns = random_reachable(ip, base_ns);
}

static void fill(struct ip *ip, struct netif *netif, const struct weir_netif_config *config)
{
    memset(netif, 0, sizeof *netif);
    if (config->name != NULL)
        memcpy(netif->name, config->name, size_min(strlen(config->name), sizeof netif->name - 1));
    netif->link = config->link;
    memcpy(netif->mac.b, config->mac, sizeof netif->mac.b);
    netif->link_len = link_len_of(config);
    netif->is_loopback = config->loopback;
    netif->slaac = config->slaac;
    netif->vlan = config->vlan;
    netif->checksum = ip->checksum;
    netif->mtu = config->mtu;
    netif->mtu6 = mtu6_of(config->mtu);
    netif->offloads = config->offloads;
    netif->gso_max = config->gso_max == 0 ? MTU_MAX : config->gso_max;
    if (netif->gso_max > MTU_MAX)
        netif->gso_max = MTU_MAX;
    netif->retrans_ns = RETRANS_NS;
    netif_set_reachable(ip, netif, BASE_REACHABLE_NS);
    netif->solicit_timer.kind = IP_TIMER_SOLICIT;
    wheel_entry_init(&netif->solicit_timer.entry);
}

/* A slot without a live interface, with memory; its index, or NETIF_SLOTS. */
static uint32_t find_slot(struct ip *ip)
{
    struct netif *fresh;

    for (uint32_t i = 0; i < ip->netif_count; i++)
        if (ip->netifs[i]->id == 0)
            return i;
    if (ip->netif_count == NETIF_SLOTS)
        return NETIF_SLOTS;
    fresh = mem_alloc(ip->mem, sizeof *fresh, _Alignof(struct netif));
    if (fresh == NULL)
        return NETIF_SLOTS;
    fresh->id = 0;
    fresh->last_id = 0;
    ip->netifs[ip->netif_count] = fresh;
    return ip->netif_count++;
}

/* An interface that speaks NDP, or takes addresses from routers, has a link-local address. */
static int add_link_local(struct ip *ip, struct netif *netif)
{
    bool wants = netif->link == WEIR_LINK_ETHERNET || netif->slaac;

    if (!HAS_IPV6 || !wants || netif->mtu6 == 0 || addrs_has_link_local(ip, netif))
        return WEIR_OK;
    return slaac_add_link_local(ip, netif);
}

int netif_add(struct ip *ip, const struct weir_netif_config *config, weir_netif_t *id)
{
    uint32_t slot, last_id;
    struct netif *netif;

    if (!is_valid_config(config))
        return WEIR_EINVAL;
    if (!HAS_IPV6 && config->slaac)
        return WEIR_ENOTSUP;
    slot = find_slot(ip);
    if (slot == NETIF_SLOTS)
        return WEIR_ENOMEM;

    netif = ip->netifs[slot];
    last_id = netif->last_id;
    fill(ip, netif, config);
    netif->id = last_id == 0 ? slot + 1 : last_id + NETIF_SLOTS;
    netif->last_id = netif->id;
    if (add_link_local(ip, netif) != WEIR_OK) {
        netif->id = 0;
        return WEIR_ENOMEM;
    }
    ip_advance_epoch(ip);
    *id = netif->id;
    return WEIR_OK;
}

static void put_all(struct ip *ip, struct frames *queue)
{
    for (struct frame *f; (f = frames_take(queue)) != NULL;)
        frame_put(ip->frames, ip->bufs, &f);
}

int netif_remove(struct ip *ip, weir_netif_t id)
{
    struct netif *netif = netif_find(ip, id);

    if (netif == NULL)
        return WEIR_EINVAL;
    neigh_remove_netif(ip, netif);
    addrs_remove_netif(ip, netif);
    route_remove_netif(ip, netif);
    frag_remove_netif(ip, netif);
    ip_disarm(ip, &netif->solicit_timer);
    put_all(ip, &netif->out);
    put_all(ip, &netif->back);
    netif->id = 0;
    ip_advance_epoch(ip);
    return WEIR_OK;
}

int netif_set_mtu(struct ip *ip, weir_netif_t id, uint32_t mtu)
{
    struct netif *netif = netif_find(ip, id);

    if (netif == NULL || mtu < MTU_MIN || mtu > MTU_MAX)
        return WEIR_EINVAL;
    netif->mtu = mtu;
    netif->mtu6 = mtu6_of(mtu);
    ip_advance_epoch(ip);
    /* Without memory there is no link-local address until the MTU is set again. */
    (void)add_link_local(ip, netif);
    return WEIR_OK;
}

struct netif *netif_find(const struct ip *ip, weir_netif_t id)
{
    struct netif *netif;

    if (id == 0 || (id - 1) % NETIF_SLOTS >= ip->netif_count)
        return NULL;
    netif = ip->netifs[(id - 1) % NETIF_SLOTS];
    return netif->id == id ? netif : NULL;
}

struct netif *netif_find_only(const struct ip *ip)
{
    struct netif *found = NULL;

    for (uint32_t i = 0; i < ip->netif_count; i++) {
        if (ip->netifs[i]->id == 0 || netif_is_loopback(ip->netifs[i]))
            continue;
        if (found != NULL)
            return NULL;
        found = ip->netifs[i];
    }
    return found;
}

uint32_t netif_mtu(const struct netif *netif, const struct weir_addr *dst)
{
    return addr_is_v4(dst) ? netif->mtu : netif->mtu6;
}

static void push_ethernet(struct netif *netif, struct frame *frame, const struct eth_addr *mac,
                          uint16_t ethertype)
{
    struct eth_header h = {
        .dst = *mac,
        .src = netif->mac,
        .type = ethertype,
        .vlan_count = netif->vlan != 0,
        .vlans = {{ETH_TYPE_VLAN, netif->vlan}},
    };
    size_t len = eth_emit(&h, frame_push(frame, netif->link_len), netif->link_len);

    CHECK(len == netif->link_len);
}

void netif_send(struct netif *netif, struct frame **frame, const struct eth_addr *mac,
                uint16_t ethertype)
{
    if (netif_is_loopback(netif)) {
        frames_add(&netif->back, frame);
        return;
    }
    if (netif->link_len > 0)
        push_ethernet(netif, *frame, mac, ethertype);
    frames_add(&netif->out, frame);
}
