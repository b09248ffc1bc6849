/*
 * netif.h - one network interface of a stack
 *
 * Holds what the interface is, the frames that wait for weir_output (out) and the packets
 * that are for ourselves (back): the stack takes them from there and feeds them to
 * ip_input_back. A removed interface keeps its memory until ip_fini, so that a cached
 * path never points to nothing; its id is 0 then, and the next one in its place has
 * another id.
 */
#ifndef CORE_IP_NETIF_H
#define CORE_IP_NETIF_H

#include "base/frame.h"
#include "base/ns.h"
#include "base/parts.h"
#include "base/why.h"
#include "ip/timer.h"
#include "wire/eth.h"
#include <stdbool.h>
#include <stdint.h>
#include <weir/weir.h>

struct ip;
struct ip_addr;

enum {
    NETIF_SLOTS = 64,       /* interfaces of a stack at most */
    NETIF_ANSWERS_MAX = 512 /* answers of IP itself that may wait in out; more are dropped */
};

struct checksum_ops;

struct netif {
    weir_netif_t id;      /* 0: removed */
    weir_netif_t last_id; /* the next in this place adds NETIF_SLOTS */
    char name[16];
    enum weir_link link;
    struct eth_addr mac;
    uint8_t link_len; /* of the link header: 0, 14 or 18 */
    bool is_loopback;
    bool slaac;
    uint16_t vlan;
    const struct checksum_ops *checksum; /* the stack's */
    uint32_t mtu;                        /* of IPv4 packets */
    uint32_t mtu6;     /* of IPv6 packets: a router may have said less; 0: no IPv6 here */
    uint32_t offloads; /* enum weir_offload */
    uint32_t gso_max;
    struct frames out;  /* ready for the driver */
    struct frames back; /* IP packets to ourselves, without link header */

    struct ip_addr *addr_hint; /* the address of ours that the last packet was for */

    struct weir_addr good_source; /* the last one found possible, while the epoch is this */
    uint32_t good_source_epoch;

    /* What routers say [RFC4861 6.3.4]. */
    uint8_t hop_limit; /* for IPv6; 0: the configured one */
    ns_t reachable_ns; /* ReachableTime: the base, with its random factor */
    ns_t base_reachable_ns;
    ns_t retrans_ns; /* RetransTimer */

    /* Router solicitations [RFC4861 6.3.7] and the link-local address [RFC7217]. */
    struct ip_timer solicit_timer;
    uint8_t solicits_left;
    uint8_t slaac_addresses; /* made from prefixes */
};

static inline bool netif_is_loopback(const struct netif *netif)
{
    return HAS_ROUTING && netif->is_loopback;
}

/* As weir_netif_add. */
int netif_add(struct ip *ip, const struct weir_netif_config *config, weir_netif_t *id);

/* As weir_netif_remove: its addresses, routes, neighbours and waiting frames go with it. */
int netif_remove(struct ip *ip, weir_netif_t id);

/* As weir_netif_set_mtu. */
int netif_set_mtu(struct ip *ip, weir_netif_t id, uint32_t mtu);

/* The interface of this number, or NULL. */
struct netif *netif_find(const struct ip *ip, weir_netif_t id);

/* The one interface that is not a loopback; NULL if there is none or more than one. */
struct netif *netif_find_only(const struct ip *ip);

/* BaseReachableTime, from which ReachableTime is drawn [RFC4861 6.3.4]. */
void netif_set_reachable(struct ip *ip, struct netif *netif, ns_t base_ns);

/* The longest packet of the family that dst belongs to. */
uint32_t netif_mtu(const struct netif *netif, const struct weir_addr *dst);

/*
 * Puts the Ethernet header before a frame and queues it. Takes *frame, leaves NULL. On an
 * interface without link headers mac is not looked at.
 */
void netif_send(struct netif *netif, struct frame **frame, const struct eth_addr *mac,
                uint16_t ethertype);

#endif
