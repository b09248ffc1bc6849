/*
 * neigh.h - the neighbour cache of both families
 *
 * One entry for each neighbour's IP address: its link address and what is known about
 * its reachability [RFC4861 7.3]. ARP entries go through the same states. A REACHABLE
 * entry needs no timer: it is found stale when it is next used.
 *
 * Entries and the packets that wait in them are bounded; the entry unused for longest
 * makes room, one that is being resolved only if all are.
 */
#ifndef CORE_IP_NEIGH_H
#define CORE_IP_NEIGH_H

#include "base/frame.h"
#include "base/list.h"
#include "base/ns.h"
#include "base/pool.h"
#include "base/table.h"
#include "base/why.h"
#include "ip/timer.h"
#include "wire/eth.h"
#include <stdbool.h>
#include <stdint.h>
#include <weir/addr.h>

struct ip;
struct ip_path;
struct netif;

enum neigh_state {
    NEIGH_INCOMPLETE, /* asked, no answer yet: packets wait */
    NEIGH_REACHABLE,  /* known to work until reachable_until */
    NEIGH_STALE,      /* worked once: used, and then checked */
    NEIGH_DELAY,      /* used: whoever uses it may still confirm it */
    NEIGH_PROBE,      /* asked again, by unicast */
    NEIGH_FAILED,     /* no answer: the next packet asks again */
};

enum {
    NEIGH_WAITING_TOTAL = 512, /* packets that wait in all entries together */
};

struct neigh {
    struct weir_addr addr;
    struct netif *netif;
    struct eth_addr mac;
    enum neigh_state state;
    bool is_router;
    bool is_free;              /* the memory stays, so that a cached path may look at it */
    uint8_t probes;            /* sent in this state */
    ns_t reachable_until;      /* REACHABLE */
    struct weir_addr ask_from; /* the source of what was last sent to it */
    struct frames waiting;     /* INCOMPLETE */
    struct list link;          /* in neighs.lru, used last at the end; in resolving; or in free */
    uint32_t index;            /* in neighs.table */
    uint32_t hash;
    struct ip_timer timer;
};

struct neighs {
    struct neigh **chunks; /* entries, allocated as they are needed, never given back */
    uint32_t chunk_count;
    uint32_t used; /* entries that are not free */
    uint32_t limit;
    uint32_t waiting; /* packets in all entries */
    struct list lru;
    struct list resolving; /* INCOMPLETE */
    struct list free;
    struct table table;
};

/* What an ARP packet or an NDP message says of a neighbour. */
struct neigh_news {
    const struct eth_addr *mac; /* NULL: nothing */
    bool is_solicited;          /* an answer to a question: it is reachable */
    bool may_override;          /* a different link address replaces a known one */
    bool may_create;            /* an entry is made if there is none */
    bool says_router;           /* is_router means something */
    bool is_router;
};

bool neigh_init(struct ip *ip);
void neigh_fini(struct ip *ip);

struct neigh *neigh_find(const struct ip *ip, const struct netif *netif,
                         const struct weir_addr *addr);

/*
 * Sends an IP packet to path->next_hop, now or when its link address is known;
 * path->neigh remembers the entry between packets. Takes *frame, leaves NULL. Returns
 * WHY_NONE or WHY_NEIGH_FULL, counted.
 */
enum why neigh_send(struct ip *ip, struct ip_path *path, struct frame **frame);

/* A packet of the neighbour said something about it [RFC4861 7.2.3, 7.2.5; RFC826]. */
void neigh_hear(struct ip *ip, struct netif *netif, const struct weir_addr *addr,
                const struct neigh_news *news);

/* The transport makes progress over this path: its next hop works [RFC4861 7.3.1]. */
void neigh_confirm(struct ip *ip, struct ip_path *path);

/* Is this router worth a try? False only if it is known not to answer. */
bool neigh_is_hopeful(const struct ip *ip, const struct netif *netif, const struct weir_addr *addr);

void neigh_remove_netif(struct ip *ip, struct netif *netif);
void neigh_expire(struct ip *ip, struct neigh *n);

#endif
