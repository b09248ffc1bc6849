/*
 * addrs.h - the addresses of the stack, and which destinations are ours
 *
 * Owns every struct ip_addr: states [RFC4862 5.4, 5.5.4], duplicate address detection,
 * announcements and defence [RFC5227], and the connected route that comes with a prefix.
 */
#ifndef CORE_IP_ADDRS_H
#define CORE_IP_ADDRS_H

#include "base/list.h"
#include "base/pool.h"
#include "base/table.h"
#include "ip/timer.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/weir.h>

struct ip;
struct netif;

struct ip_addr {
    struct list link; /* in addrs.all */
    struct weir_addr addr;
    uint8_t prefix_len;
    enum weir_addr_state state;
    bool from_slaac;        /* made by us: link-local or from a router's prefix */
    uint8_t sends_left;     /* solicitations of DAD or announcements still to be sent */
    uint8_t tries;          /* DAD_Counter of RFC 7217 */
    uint8_t nonce[6];       /* in our own probes, so that a looped one is known [RFC7527] */
    struct weir_addr group; /* subnet broadcast or solicited-node group; unspecified: none */
    uint32_t hash, group_hash;
    struct netif *netif;
    ns_t preferred_until;
    ns_t valid_until;
    ns_t step_at;      /* when to send the next of sends_left, or that detection is over */
    ns_t defend_after; /* no defence before [RFC5227 2.4] */
    struct ip_timer timer;
};

struct addrs {
    struct pool pool;
    struct table table; /* by address */
    struct list all;    /* in the order of adding */
    uint32_t count;
};

/* What an address is to us. */
enum addrs_kind {
    ADDRS_FOREIGN,
    ADDRS_OURS,      /* one of our unicast addresses, valid now */
    ADDRS_TENTATIVE, /* ours once duplicate address detection is done */
    ADDRS_BROADCAST, /* limited or directed to a subnet of the interface */
    ADDRS_MULTICAST, /* a group we belong to on the interface */
};

bool addrs_init(struct ip *ip);
void addrs_fini(struct ip *ip);

/* As weir_addr_add. */
int addrs_add(struct ip *ip, struct netif *netif, const struct weir_prefix *prefix);

/* An address we made ourselves. */
struct addrs_slaac {
    struct weir_prefix addr;
    uint8_t tries;        /* collisions so far */
    ns_t preferred_until; /* NEVER: for ever */
    ns_t valid_until;
};

/* The same for an address we made ourselves. Returns 0 or WEIR_ENOMEM. */
int addrs_add_slaac(struct ip *ip, struct netif *netif, const struct addrs_slaac *made);

/* As weir_addr_remove. */
int addrs_remove(struct ip *ip, struct netif *netif, const struct weir_addr *addr);

/* Removes all addresses of an interface. */
void addrs_remove_netif(struct ip *ip, struct netif *netif);

/* As weir_addr_at. */
bool addrs_at(const struct ip *ip, size_t index, struct weir_addr_info *info);

/* The address on an interface (NULL: on any), in whatever state; or NULL. */
struct ip_addr *addrs_find(const struct ip *ip, const struct netif *netif,
                           const struct weir_addr *addr);

/* An address of any interface, or of 127/8 where there is a loopback interface. */
bool addrs_has(const struct ip *ip, const struct weir_addr *addr);

/* What a destination is to us, for a packet that came in on netif. */
enum addrs_kind addrs_classify(const struct ip *ip, struct netif *netif,
                               const struct weir_addr *dst);

/* Can it be sent from? Preferred or deprecated, on the interface (NULL: on any). */
bool addrs_is_usable(const struct ip *ip, const struct netif *netif, const struct weir_addr *addr);

/*
 * The source for packets to dst that leave by netif [RFC6724 5]: NULL if there is none of
 * its family.
 */
const struct ip_addr *addrs_choose_source(const struct ip *ip, const struct netif *netif,
                                          const struct weir_addr *dst);

/* An IPv6 address of the interface's own link, for NDP; NULL: none is valid yet. */
const struct ip_addr *addrs_link_local(const struct ip *ip, const struct netif *netif);

/* Has it one, in whatever state? */
bool addrs_has_link_local(const struct ip *ip, const struct netif *netif);

/* A router gives lifetimes to an address we made [RFC4862 5.5.3]. */
void addrs_set_lifetimes(struct ip *ip, struct ip_addr *a, ns_t preferred_until, ns_t valid_until);

/* Somebody else has the address: detection failed [RFC4862 5.4.5], or a conflict. */
void addrs_on_duplicate(struct ip *ip, struct ip_addr *a);

/* Somebody's ARP claims our address [RFC5227 2.4]. */
void addrs_on_arp_conflict(struct ip *ip, struct ip_addr *a);

void addrs_expire(struct ip *ip, struct ip_addr *a);

#endif
