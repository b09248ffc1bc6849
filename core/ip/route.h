/*
 * route.h - where packets go: the longest prefix that fits
 *
 * Routes are kept by a keyed hash of prefix and length, and a bit for each length says
 * which lengths are worth a look: a search tries at most 33 (IPv4) or 129
 * (IPv6) of them, usually three, however many routes there are.
 *
 * Several routes may have the same prefix. The origin that stands later in the
 * enumeration is preferred; among routers that announced themselves, one whose
 * reachability is not in doubt [RFC4861 6.3.6].
 */
#ifndef CORE_IP_ROUTE_H
#define CORE_IP_ROUTE_H

#include "base/parts.h"
#include "base/pool.h"
#include "base/table.h"
#include "ip/timer.h"
#include <stdbool.h>
#include <stdint.h>
#include <weir/weir.h>

struct ip;
struct netif;

enum route_origin {
    ROUTE_ROUTER,    /* a router's advertisement: default router or prefix on the link */
    ROUTE_CONNECTED, /* the prefix of one of our addresses */
    ROUTE_STATIC,    /* weir_route_add */
    ROUTE_REDIRECT,  /* a router told us of a better first hop; for a while */
};

enum {
    ROUTE_ADVERTISED_MAX = 64, /* routes from routers, and as many from redirects */
    ROUTE_LENS = HAS_ROUTING ? 129 : 1,
    ROUTES_FEW = HAS_ROUTING ? 1 : 8,
};

struct route {
    struct weir_prefix prefix; /* the bits after len are zero */
    struct weir_addr gateway;  /* if has_gateway */
    bool has_gateway;
    enum route_origin origin;
    uint32_t users; /* CONNECTED: addresses that share it */
    struct netif *netif;
    struct ip_timer timer; /* its lifetime, if it has one */
};

struct routes {
    struct pool pool;
    struct table table;
    uint32_t count_of_len[ROUTE_LENS];
    uint64_t lens[3]; /* a bit for each length that some route has */
    uint32_t advertised;
    uint32_t redirects;
    struct route *few[ROUTES_FEW]; /* all that there are without the part routing */
};

bool route_init(struct ip *ip);
void route_fini(struct ip *ip);

/* As weir_route_add and weir_route_remove. */
int route_add(struct ip *ip, const struct weir_prefix *prefix, const struct weir_addr *gateway,
              weir_netif_t netif);
int route_remove(struct ip *ip, const struct weir_prefix *prefix);

/* What a route of an origin other than ROUTE_STATIC is. */
struct route_spec {
    struct weir_prefix prefix;
    const struct weir_addr *gateway; /* NULL: on the link */
    enum route_origin origin;
    struct netif *netif;
    ns_t until; /* NEVER: until it is withdrawn */
};

/* Adds the route, or gives the same route its new lifetime. WEIR_ENOMEM: no room. */
int route_learn(struct ip *ip, const struct route_spec *spec);

/* Withdraws what route_learn added; harmless if there is no such route. */
void route_forget(struct ip *ip, const struct route_spec *spec);

void route_remove_netif(struct ip *ip, struct netif *netif);

/* A neighbour is no router any more: what it taught us is forgotten [RFC4861 7.2.5]. */
void route_remove_router(struct ip *ip, struct netif *netif, const struct weir_addr *gateway);

/* The best route to dst, by the given interface if netif is not NULL; NULL: none. */
const struct route *route_find(const struct ip *ip, const struct weir_addr *dst,
                               const struct netif *netif);

void route_expire(struct ip *ip, struct route *route);

#endif
