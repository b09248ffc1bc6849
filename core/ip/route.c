/*
 * route.c - where packets go
 */
#include "ip/route.h"

#include "base/addr.h"
#include "base/parts.h"
#include "ip/ip.h"
#include <string.h>
#include <weir/err.h>

enum {
    TABLE_SEGMENT = 1024,
    WORD_BITS = 64,
};

bool route_init(struct ip *ip)
{
    return pool_init_handles(&ip->routes.pool, ip->mem, "routes", sizeof(struct route),
                             ip->slab_bytes)
           && table_init(&ip->routes.table, ip->mem, TABLE_SEGMENT);
}

void route_fini(struct ip *ip)
{
    table_fini(&ip->routes.table);
    pool_fini(&ip->routes.pool);
}

static uint32_t hash_of(const struct ip *ip, const struct weir_prefix *prefix)
{
    return ip_hash(ip, &prefix->addr, NULL, 1u + prefix->len);
}

static bool has_prefix(const struct route *r, const struct weir_prefix *prefix)
{
    return r->prefix.len == prefix->len && addr_eq(&r->prefix.addr, &prefix->addr);
}

/* ---- searching ---- */

/* Is a better than b, which has the same prefix and may be NULL? */
static bool is_better(const struct ip *ip, const struct route *a, const struct route *b)
{
    if (b == NULL)
        return true;
    if (a->origin != b->origin)
        return a->origin > b->origin;
    return a->has_gateway && b->has_gateway && !neigh_is_hopeful(ip, b->netif, &b->gateway)
           && neigh_is_hopeful(ip, a->netif, &a->gateway);
}

/* The best of the routes with just this prefix. */
static const struct route *best_of(const struct ip *ip, const struct weir_prefix *prefix,
                                   const struct netif *netif)
{
    struct table_iter it = table_find(&ip->routes.table, hash_of(ip, prefix));
    const struct route *best = NULL;

    for (uint32_t ref; table_next(&it, &ref);) {
        const struct route *r = pool_at(&ip->routes.pool, ref);

        if (has_prefix(r, prefix) && (netif == NULL || r->netif == netif) && is_better(ip, r, best))
            best = r;
    }
    return best;
}

/* The longest length up to most that some route has; -1: there is none. */
static int longest_len(const struct routes *routes, int most)
{
    for (int word = most / WORD_BITS; most >= 0 && word >= 0; word--) {
        uint64_t bits = routes->lens[word];

        if (word == most / WORD_BITS)
            bits &= UINT64_MAX >> (WORD_BITS - 1 - most % WORD_BITS);
        if (bits != 0)
            return word * WORD_BITS + WORD_BITS - 1 - __builtin_clzll(bits);
    }
    return -1;
}

/* There is one route more, or one fewer, with prefixes of this length. */
static void note_len(struct routes *routes, uint8_t len, bool is_new)
{
    uint64_t bit = UINT64_C(1) << len % WORD_BITS;

    if (is_new)
        routes->count_of_len[len]++;
    else
        routes->count_of_len[len]--;
    if (routes->count_of_len[len] > 0)
        routes->lens[len / WORD_BITS] |= bit;
    else
        routes->lens[len / WORD_BITS] &= ~bit;
}

const struct route *route_find(const struct ip *ip, const struct weir_addr *dst,
                               const struct netif *netif)
{
    int shortest = addr_is_v4(dst) ? ADDR_V4_BITS_AT : 0;

    for (int len = longest_len(&ip->routes, ADDR_BITS); len >= shortest;
         len = longest_len(&ip->routes, len - 1)) {
        struct weir_prefix prefix = {addr_mask(*dst, (uint8_t)len), (uint8_t)len};
        const struct route *found = best_of(ip, &prefix, netif);

        if (found != NULL)
            return found;
    }
    return NULL;
}

/* ---- changing ---- */

/* The number of routes that others made us keep, of the two kinds. */
static uint32_t *count_of(struct ip *ip, enum route_origin origin)
{
    if (origin == ROUTE_ROUTER)
        return &ip->routes.advertised;
    return origin == ROUTE_REDIRECT ? &ip->routes.redirects : NULL;
}

/* The route that the spec speaks of. Only routers' routes are told apart by gateway. */
static struct route *find_same(const struct ip *ip, const struct route_spec *spec)
{
    struct table_iter it = table_find(&ip->routes.table, hash_of(ip, &spec->prefix));

    for (uint32_t ref; table_next(&it, &ref);) {
        struct route *r = pool_at(&ip->routes.pool, ref);

        if (!has_prefix(r, &spec->prefix) || r->origin != spec->origin)
            continue;
        if (spec->origin != ROUTE_STATIC && r->netif != spec->netif)
            continue;
        if (spec->origin == ROUTE_ROUTER
            && (r->has_gateway != (spec->gateway != NULL)
                || (r->has_gateway && !addr_eq(&r->gateway, spec->gateway))))
            continue;
        return r;
    }
    return NULL;
}

static void set_gateway(struct route *r, const struct weir_addr *gateway)
{
    static const struct weir_addr none;

    r->has_gateway = gateway != NULL;
    r->gateway = gateway != NULL ? *gateway : none;
}

static struct route *create(struct ip *ip, const struct route_spec *spec)
{
    uint32_t *count = count_of(ip, spec->origin);
    struct route *r;

    if (count != NULL && *count >= ROUTE_ADVERTISED_MAX)
        return NULL;
    r = pool_get_zeroed(&ip->routes.pool);
    if (r == NULL)
        return NULL;
    r->prefix = spec->prefix;
    r->origin = spec->origin;
    r->timer.kind = IP_TIMER_ROUTE;
    if (!table_add(&ip->routes.table, hash_of(ip, &r->prefix), pool_index(&ip->routes.pool, r))) {
        pool_put(&ip->routes.pool, r);
        return NULL;
    }
    note_len(&ip->routes, r->prefix.len, true);
    if (count != NULL)
        ++*count;
    return r;
}

static void destroy(struct ip *ip, struct route *r)
{
    uint32_t *count = count_of(ip, r->origin);

    if (count != NULL)
        --*count;
    note_len(&ip->routes, r->prefix.len, false);
    ip_disarm(ip, &r->timer);
    table_remove(&ip->routes.table, hash_of(ip, &r->prefix), pool_index(&ip->routes.pool, r));
    pool_put(&ip->routes.pool, r);
    ip_advance_epoch(ip);
}

static struct route_spec masked(const struct route_spec *spec)
{
    struct route_spec m = *spec;

    m.prefix.addr = addr_mask(m.prefix.addr, m.prefix.len);
    return m;
}

int route_learn(struct ip *ip, const struct route_spec *spec)
{
    struct route_spec m = masked(spec);
    struct route *r = find_same(ip, &m);
    bool is_news = r == NULL;

    if (r == NULL)
        r = create(ip, &m);
    if (r == NULL)
        return WEIR_ENOMEM;
    is_news = is_news || r->netif != m.netif || r->has_gateway != (m.gateway != NULL)
              || (r->has_gateway && !addr_eq(&r->gateway, m.gateway));
    r->netif = m.netif;
    r->users++;
    set_gateway(r, m.gateway);
    ip_arm(ip, &r->timer, m.until);
    if (is_news)
        ip_advance_epoch(ip);
    return WEIR_OK;
}

void route_forget(struct ip *ip, const struct route_spec *spec)
{
    struct route_spec m = masked(spec);
    struct route *r = find_same(ip, &m);

    if (r == NULL)
        return;
    if (r->origin == ROUTE_CONNECTED && --r->users > 0)
        return;
    destroy(ip, r);
}

static bool is_possible_gateway(const struct weir_prefix *prefix, const struct weir_addr *gateway)
{
    return !addr_is_any(gateway) && !addr_is_multicast(gateway) && !addr_is_broadcast(gateway)
           && addr_is_v4(gateway) == addr_is_v4(&prefix->addr);
}

static bool is_possible_prefix(const struct weir_prefix *prefix)
{
    return prefix->len <= ADDR_BITS
           && (!addr_is_v4(&prefix->addr) || prefix->len >= ADDR_V4_BITS_AT);
}

int route_add(struct ip *ip, const struct weir_prefix *prefix, const struct weir_addr *gateway,
              weir_netif_t netif)
{
    struct route_spec spec = {
        .prefix = *prefix,
        .gateway = gateway,
        .origin = ROUTE_STATIC,
        .netif = netif_find(ip, netif),
        .until = NEVER,
    };

    if (!HAS_IPV6 && !weir_addr_is_v4(&prefix->addr))
        return WEIR_ENOTSUP;
    if (spec.netif == NULL || !is_possible_prefix(prefix)
        || (gateway != NULL && !is_possible_gateway(prefix, gateway)))
        return WEIR_EINVAL;
    return route_learn(ip, &spec);
}

int route_remove(struct ip *ip, const struct weir_prefix *prefix)
{
    struct route_spec spec = {.prefix = *prefix, .origin = ROUTE_STATIC};
    struct route *r;

    if (!is_possible_prefix(prefix))
        return WEIR_EINVAL;
    spec = masked(&spec);
    r = find_same(ip, &spec);
    if (r == NULL)
        return WEIR_EINVAL;
    destroy(ip, r);
    return WEIR_OK;
}

/* Removes the routes that are by the interface and, if gateway is not NULL, by this router. */
static void remove_matching(struct ip *ip, const struct netif *netif,
                            const struct weir_addr *gateway)
{
    uint32_t i = 0;

    for (struct route *r; (r = pool_next(&ip->routes.pool, &i)) != NULL;) {
        bool is_learnt = r->origin == ROUTE_ROUTER || r->origin == ROUTE_REDIRECT;
        bool is_by_gateway =
            gateway != NULL && is_learnt && r->has_gateway && addr_eq(&r->gateway, gateway);

        if (r->netif == netif && (gateway == NULL || is_by_gateway))
            destroy(ip, r);
    }
}

void route_remove_netif(struct ip *ip, struct netif *netif)
{
    remove_matching(ip, netif, NULL);
}

void route_remove_router(struct ip *ip, struct netif *netif, const struct weir_addr *gateway)
{
    remove_matching(ip, netif, gateway);
}

void route_expire(struct ip *ip, struct route *route)
{
    destroy(ip, route);
}
