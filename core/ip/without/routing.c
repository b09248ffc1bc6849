/*
 * routing.c - IPv4 for a device with a few addresses and a few routes, which are searched
 *
 * An address is valid from when it is added until it is removed. Packets to ourselves have no way,
 * and there are no interfaces for them.
 *
 * In place of: addrs.c route.c
 */
#include "base/addr.h"
#include "base/mem.h"
#include "ip/arp.h"
#include "ip/ip.h"
#include <string.h>
#include <weir/err.h>

enum { ANNOUNCE_COUNT = 2 }; /* ANNOUNCE_NUM [RFC5227 1.1] */

#define ANNOUNCE_INTERVAL_NS (2 * NS_S) /* [RFC5227 1.1] */
#define DEFEND_INTERVAL_NS (10 * NS_S)  /* [RFC5227 1.1] */

/* ---- addresses ---- */

static struct ip_addr *addr_of(struct list *link)
{
    return container_of(link, struct ip_addr, link);
}

bool addrs_init(struct ip *ip)
{
    list_init(&ip->addrs.all);
    return true;
}

struct ip_addr *addrs_find(const struct ip *ip, const struct netif *netif,
                           const struct weir_addr *addr)
{
    LIST_EACH (i, &ip->addrs.all) {
        struct ip_addr *a = addr_of(i);

        if (addr_eq(&a->addr, addr) && (netif == NULL || a->netif == netif))
            return a;
    }
    return NULL;
}

bool addrs_has(const struct ip *ip, const struct weir_addr *addr)
{
    return addrs_find(ip, NULL, addr) != NULL;
}

bool addrs_is_usable(const struct ip *ip, const struct netif *netif, const struct weir_addr *addr)
{
    return addrs_find(ip, netif, addr) != NULL;
}

static bool is_broadcast_of(const struct ip_addr *a, const struct weir_addr *dst)
{
    uint32_t hosts = ~(UINT32_MAX << (ADDR_BITS - a->prefix_len) % 32);

    /* A /31 and a /32 have no broadcast address [RFC3021 2.1]. */
    return a->prefix_len < ADDR_BITS - 1 && addr_v4(dst) == (addr_v4(&a->addr) | hosts);
}

enum addrs_kind addrs_classify(const struct ip *ip, struct netif *netif,
                               const struct weir_addr *dst)
{
    static const struct weir_addr all_nodes = {{[10] = 0xff, [11] = 0xff, [12] = 224, [15] = 1}};
    enum addrs_kind kind = ADDRS_FOREIGN;

    if (addr_is_broadcast(dst))
        return ADDRS_BROADCAST;
    if (addr_eq(dst, &all_nodes))
        return ADDRS_MULTICAST;
    LIST_EACH (i, &ip->addrs.all) {
        const struct ip_addr *a = addr_of(i);

        if (addr_eq(&a->addr, dst))
            return ADDRS_OURS;
        if (a->netif == netif && is_broadcast_of(a, dst))
            kind = ADDRS_BROADCAST;
    }
    return kind;
}

bool addrs_at(const struct ip *ip, size_t index, struct weir_addr_info *info)
{
    LIST_EACH (i, &ip->addrs.all) {
        const struct ip_addr *a = addr_of(i);

        if (index-- > 0)
            continue;
        *info = (struct weir_addr_info){
            .netif = a->netif->id,
            .addr = {a->addr, a->prefix_len},
            .state = WEIR_ADDR_PREFERRED,
        };
        return true;
    }
    return false;
}

/* Of the outgoing interface before others, then the one with most in common [RFC6724 5]. */
const struct ip_addr *addrs_choose_source(const struct ip *ip, const struct netif *netif,
                                          const struct weir_addr *dst)
{
    const struct ip_addr *best = NULL;
    unsigned best_score = 0;

    LIST_EACH (i, &ip->addrs.all) {
        const struct ip_addr *a = addr_of(i);
        unsigned score = addr_common_bits(&a->addr, dst);

        if (a->netif == netif)
            score += ADDR_BITS + 1;
        if (score > best_score) {
            best = a;
            best_score = score;
        }
    }
    return best;
}

static struct route_spec connected(const struct ip_addr *a)
{
    return (struct route_spec){
        .prefix = {a->addr, a->prefix_len},
        .origin = ROUTE_CONNECTED,
        .netif = a->netif,
        .until = NEVER,
    };
}

static bool can_be_had(const struct weir_prefix *prefix)
{
    const struct weir_addr *addr = &prefix->addr;

    return prefix->len >= ADDR_V4_BITS_AT && prefix->len <= ADDR_BITS && !addr_is_any(addr)
           && !addr_is_multicast(addr) && !addr_is_broadcast(addr) && !addr_is_loopback(addr);
}

int addrs_add(struct ip *ip, struct netif *netif, const struct weir_prefix *prefix)
{
    struct route_spec spec;
    struct ip_addr *a;

    if (!weir_addr_is_v4(&prefix->addr))
        return WEIR_ENOTSUP;
    if (!can_be_had(prefix))
        return WEIR_EINVAL;
    if (addrs_find(ip, NULL, &prefix->addr) != NULL)
        return WEIR_EADDRINUSE;
    a = mem_alloc(ip->mem, sizeof *a, _Alignof(struct ip_addr));
    if (a == NULL)
        return WEIR_ENOMEM;
    memset(a, 0, sizeof *a);
    a->addr = prefix->addr;
    a->prefix_len = prefix->len;
    a->netif = netif;
    a->defend_after = ip->now;
    a->timer.kind = IP_TIMER_ADDR;
    spec = connected(a);
    if (route_learn(ip, &spec) != WEIR_OK) {
        mem_free(ip->mem, a, sizeof *a);
        return WEIR_ENOMEM;
    }
    list_add_last(&ip->addrs.all, &a->link);
    if (netif->link == WEIR_LINK_ETHERNET) { /* everybody is told [RFC5227 2.3] */
        a->sends_left = ANNOUNCE_COUNT;
        ip_arm(ip, &a->timer, ip->now);
    }
    ip_advance_epoch(ip);
    return WEIR_OK;
}

static void remove_addr(struct ip *ip, struct ip_addr *a)
{
    struct route_spec spec = connected(a);

    route_forget(ip, &spec);
    ip_disarm(ip, &a->timer);
    list_remove(&a->link);
    mem_free(ip->mem, a, sizeof *a);
    ip_advance_epoch(ip);
}

int addrs_remove(struct ip *ip, struct netif *netif, const struct weir_addr *addr)
{
    struct ip_addr *a = addrs_find(ip, netif, addr);

    if (a == NULL)
        return WEIR_EINVAL;
    remove_addr(ip, a);
    return WEIR_OK;
}

static void remove_matching(struct ip *ip, const struct netif *netif)
{
    LIST_EACH_REMOVABLE(i, &ip->addrs.all)
    {
        if (netif == NULL || addr_of(i)->netif == netif)
            remove_addr(ip, addr_of(i));
    }
}

void addrs_remove_netif(struct ip *ip, struct netif *netif)
{
    remove_matching(ip, netif);
}

void addrs_fini(struct ip *ip)
{
    remove_matching(ip, NULL);
}

void addrs_on_arp_conflict(struct ip *ip, struct ip_addr *a)
{
    if (ip->now < a->defend_after)
        return;
    a->defend_after = ns_after(ip->now, DEFEND_INTERVAL_NS);
    arp_announce(ip, a->netif, &a->addr);
}

void addrs_expire(struct ip *ip, struct ip_addr *a)
{
    arp_announce(ip, a->netif, &a->addr);
    if (--a->sends_left > 0)
        ip_arm(ip, &a->timer, ns_after(ip->now, ANNOUNCE_INTERVAL_NS));
}

/* ---- routes ---- */

bool route_init(struct ip *ip)
{
    return true;
}

static void destroy(struct ip *ip, struct route **r)
{
    mem_free(ip->mem, *r, sizeof **r);
    *r = NULL;
    ip_advance_epoch(ip);
}

static bool is_in(const struct weir_addr *addr, const struct route *r)
{
    struct weir_addr masked = addr_mask(*addr, r->prefix.len);

    return addr_eq(&masked, &r->prefix.addr);
}

static bool is_better(const struct route *a, const struct route *b)
{
    return b == NULL || a->prefix.len > b->prefix.len
           || (a->prefix.len == b->prefix.len && a->origin > b->origin);
}

const struct route *route_find(const struct ip *ip, const struct weir_addr *dst,
                               const struct netif *netif)
{
    const struct route *best = NULL;

    for (size_t i = 0; i < ROUTES_FEW; i++) {
        const struct route *r = ip->routes.few[i];

        if (r != NULL && (netif == NULL || r->netif == netif) && is_in(dst, r)
            && is_better(r, best))
            best = r;
    }
    return best;
}

/* The place of the route that the spec speaks of. There is one static route for a prefix. */
static struct route **find_same(struct ip *ip, const struct route_spec *spec)
{
    for (size_t i = 0; i < ROUTES_FEW; i++) {
        struct route *r = ip->routes.few[i];

        if (r != NULL && r->origin == spec->origin && r->prefix.len == spec->prefix.len
            && is_in(&spec->prefix.addr, r)
            && (spec->origin == ROUTE_STATIC || r->netif == spec->netif))
            return &ip->routes.few[i];
    }
    return NULL;
}

static struct route **find_place(struct ip *ip)
{
    for (size_t i = 0; i < ROUTES_FEW; i++)
        if (ip->routes.few[i] == NULL)
            return &ip->routes.few[i];
    return NULL;
}

/* Of addresses with the same prefix each has its route. */
int route_learn(struct ip *ip, const struct route_spec *spec)
{
    struct route **r = spec->origin == ROUTE_STATIC ? find_same(ip, spec) : NULL;

    if (r == NULL)
        r = find_place(ip);
    if (r != NULL && *r == NULL)
        *r = mem_alloc(ip->mem, sizeof **r, _Alignof(struct route));
    if (r == NULL || *r == NULL)
        return WEIR_ENOMEM;
    memset(*r, 0, sizeof **r);
    (*r)->prefix.len = spec->prefix.len;
    (*r)->prefix.addr = addr_mask(spec->prefix.addr, spec->prefix.len);
    (*r)->origin = spec->origin;
    (*r)->netif = spec->netif;
    (*r)->has_gateway = spec->gateway != NULL;
    if (spec->gateway != NULL)
        (*r)->gateway = *spec->gateway;
    ip_advance_epoch(ip);
    return WEIR_OK;
}

void route_forget(struct ip *ip, const struct route_spec *spec)
{
    struct route **r = find_same(ip, spec);

    if (r != NULL)
        destroy(ip, r);
}

static bool is_possible_prefix(const struct weir_prefix *prefix)
{
    return prefix->len >= ADDR_V4_BITS_AT && prefix->len <= ADDR_BITS;
}

int route_add(struct ip *ip, const struct weir_prefix *prefix, const struct weir_addr *gateway,
              weir_netif_t netif)
{
    struct route_spec spec = {
        .prefix = *prefix,
        .gateway = gateway,
        .origin = ROUTE_STATIC,
        .netif = netif_find(ip, netif),
    };

    if (!weir_addr_is_v4(&prefix->addr))
        return WEIR_ENOTSUP;
    if (spec.netif == NULL || !is_possible_prefix(prefix)
        || (gateway != NULL
            && (!weir_addr_is_v4(gateway) || addr_is_any(gateway) || addr_is_multicast(gateway)
                || addr_is_broadcast(gateway))))
        return WEIR_EINVAL;
    return route_learn(ip, &spec);
}

int route_remove(struct ip *ip, const struct weir_prefix *prefix)
{
    struct route_spec spec = {.prefix = *prefix, .origin = ROUTE_STATIC};
    struct route **r = is_possible_prefix(prefix) ? find_same(ip, &spec) : NULL;

    if (r == NULL)
        return WEIR_EINVAL;
    destroy(ip, r);
    return WEIR_OK;
}

void route_remove_netif(struct ip *ip, struct netif *netif)
{
    for (size_t i = 0; i < ROUTES_FEW; i++)
        if (ip->routes.few[i] != NULL && ip->routes.few[i]->netif == netif)
            destroy(ip, &ip->routes.few[i]);
}

/* Whoever is said to be a router here was said to be one by the application. */
void route_remove_router(struct ip *ip, struct netif *netif, const struct weir_addr *gateway)
{
}

void route_expire(struct ip *ip, struct route *route)
{
}

void route_fini(struct ip *ip)
{
    for (size_t i = 0; i < ROUTES_FEW; i++)
        if (ip->routes.few[i] != NULL)
            destroy(ip, &ip->routes.few[i]);
}
