/*
 * neigh.c - the neighbour cache of both families [RFC4861 7.3]
 *
 *   INCOMPLETE  asks everybody, three times, a RetransTimer apart; then FAILED
 *   REACHABLE   until reachable_until, then STALE when it is next used
 *   STALE       the next use starts DELAY
 *   DELAY       5 s in which the transport may confirm it; then PROBE
 *   PROBE       asks the neighbour itself, three times; then FAILED
 *   FAILED      the next use asks everybody again
 *
 * An entry is in one of three lists: lru, resolving (INCOMPLETE, which are the last to
 * make room) or free. Entries are never given back to the allocator before the end, so
 * that the pointer in a cached path is always good to look at.
 */
#include "ip/neigh.h"

#include "base/addr.h"
#include "base/check.h"
#include "base/mem.h"
#include "ip/arp.h"
#include "ip/ip.h"
#include "ip/ndp.h"
#include <string.h>

enum {
    CHUNK_ENTRIES = 16,
    MAX_SOLICIT = 3, /* MAX_MULTICAST_SOLICIT and MAX_UNICAST_SOLICIT [RFC4861 10] */
    TABLE_SEGMENT = 1024,
};

#define DELAY_FIRST_PROBE_NS (5 * NS_S) /* [RFC4861 10] */

bool neigh_init(struct ip *ip)
{
    struct neighs *all = &ip->neighs;

    all->limit = ip->config.neighbours > 0 ? ip->config.neighbours : 1;
    list_init(&all->lru);
    list_init(&all->resolving);
    list_init(&all->free);
    return table_init(&all->table, ip->mem, TABLE_SEGMENT);
}

/* ---- entries ---- */

static size_t directory_size(const struct ip *ip)
{
    return ((size_t)(ip->neighs.limit - 1) / CHUNK_ENTRIES + 1) * sizeof(struct neigh *);
}

static struct neigh *entry_at(const struct ip *ip, uint32_t index)
{
    return &ip->neighs.chunks[index / CHUNK_ENTRIES][index % CHUNK_ENTRIES];
}

/* Adds a chunk of free entries. False: there may be no more, or out of memory. */
static bool grow(struct ip *ip)
{
    struct neighs *all = &ip->neighs;
    uint32_t first = all->chunk_count * CHUNK_ENTRIES;
    struct neigh *chunk;

    if (first >= all->limit)
        return false;
    if (all->chunks == NULL)
        all->chunks = mem_alloc(ip->mem, directory_size(ip), _Alignof(struct neigh *));
    if (all->chunks == NULL)
        return false;
    chunk = mem_alloc(ip->mem, CHUNK_ENTRIES * sizeof *chunk, _Alignof(struct neigh));
    if (chunk == NULL)
        return false;
    memset(chunk, 0, CHUNK_ENTRIES * sizeof *chunk);
    all->chunks[all->chunk_count++] = chunk;
    for (uint32_t i = 0; i < CHUNK_ENTRIES && first + i < all->limit; i++) {
        chunk[i].index = first + i;
        chunk[i].is_free = true;
        chunk[i].timer.kind = IP_TIMER_NEIGH;
        list_add_last(&all->free, &chunk[i].link);
    }
    return true;
}

static void drop_waiting(struct ip *ip, struct neigh *n, enum why why)
{
    for (struct frame *f; (f = frames_take(&n->waiting)) != NULL;) {
        ip->neighs.waiting--;
        ip_drop_frame(ip, &f, why);
    }
}

static void release(struct ip *ip, struct neigh *n)
{
    drop_waiting(ip, n, WHY_NEIGH_FULL);
    ip_disarm(ip, &n->timer);
    table_remove(&ip->neighs.table, n->hash, n->index);
    n->is_free = true;
    list_remove(&n->link);
    list_add_first(&ip->neighs.free, &n->link);
    ip->neighs.used--;
}

/* A free entry: a spare one, a new one, or the one that makes room. NULL: out of memory. */
static struct neigh *take_free(struct ip *ip)
{
    struct neighs *all = &ip->neighs;
    struct list *oldest;

    if (list_is_empty(&all->free) && !grow(ip)) {
        oldest = list_first(&all->lru);
        if (oldest == NULL)
            oldest = list_first(&all->resolving);
        if (oldest == NULL)
            return NULL;
        release(ip, container_of(oldest, struct neigh, link));
    }
    return container_of(list_first(&all->free), struct neigh, link);
}

static uint32_t hash_of(const struct ip *ip, const struct netif *netif,
                        const struct weir_addr *addr)
{
    return ip_hash(ip, addr, NULL, netif->id);
}

struct neigh *neigh_find(const struct ip *ip, const struct netif *netif,
                         const struct weir_addr *addr)
{
    struct table_iter it = table_find(&ip->neighs.table, hash_of(ip, netif, addr));

    for (uint32_t ref; table_next(&it, &ref);) {
        struct neigh *n = entry_at(ip, ref);

        if (n->netif == netif && addr_eq(&n->addr, addr))
            return n;
    }
    return NULL;
}

/* A new entry in state STALE, without a link address yet. */
static struct neigh *create(struct ip *ip, struct netif *netif, const struct weir_addr *addr)
{
    static const struct weir_addr none;
    struct neigh *n = take_free(ip);
    uint32_t hash = hash_of(ip, netif, addr);

    if (n == NULL || !table_add(&ip->neighs.table, hash, n->index))
        return NULL;
    n->addr = *addr;
    n->netif = netif;
    n->hash = hash;
    n->state = NEIGH_STALE;
    n->is_router = false;
    n->is_free = false;
    n->probes = 0;
    n->ask_from = none;
    list_remove(&n->link);
    list_add_last(&ip->neighs.lru, &n->link);
    ip->neighs.used++;
    return n;
}

/* ---- states ---- */

static void set_state(struct ip *ip, struct neigh *n, enum neigh_state state)
{
    struct list *home = state == NEIGH_INCOMPLETE ? &ip->neighs.resolving : &ip->neighs.lru;

    n->state = state;
    n->probes = 0;
    list_remove(&n->link);
    list_add_last(home, &n->link);
}

static void ask(struct ip *ip, struct neigh *n)
{
    const struct eth_addr *mac = n->state == NEIGH_PROBE ? &n->mac : NULL;

    n->probes++;
    ip_arm(ip, &n->timer, ns_after(ip->now, n->netif->retrans_ns));
    if (addr_is_v4(&n->addr))
        arp_send_request(ip, n->netif, &n->ask_from, &n->addr, mac);
    else
        ndp_send_solicit(ip, n->netif, &n->ask_from, &n->addr, mac);
}

static void become_reachable(struct ip *ip, struct neigh *n)
{
    set_state(ip, n, NEIGH_REACHABLE);
    n->reachable_until = ns_after(ip->now, n->netif->reachable_ns);
    ip_disarm(ip, &n->timer);
}

static void become_stale(struct ip *ip, struct neigh *n)
{
    set_state(ip, n, NEIGH_STALE);
    ip_disarm(ip, &n->timer);
}

static uint16_t ethertype_of(const struct weir_addr *addr)
{
    return addr_is_v4(addr) ? ETH_TYPE_IP4 : ETH_TYPE_IP6;
}

static void send_to(struct neigh *n, struct frame **frame)
{
    netif_send(n->netif, frame, &n->mac, ethertype_of(&n->addr));
}

static void send_waiting(struct ip *ip, struct neigh *n)
{
    for (struct frame *f; (f = frames_take(&n->waiting)) != NULL;) {
        ip->neighs.waiting--;
        send_to(n, &f);
    }
}

/* Nobody answers: what waits is reported (ip_take_failure), and other routers get a chance. */
static void fail(struct ip *ip, struct neigh *n)
{
    set_state(ip, n, NEIGH_FAILED);
    for (struct frame *f; (f = frames_take(&n->waiting)) != NULL;) {
        ip->neighs.waiting--;
        ip_drop(ip, WHY_NEIGH_FAILED);
        frames_add(&ip->failed, &f);
    }
    ip_advance_epoch(ip);
}

void neigh_expire(struct ip *ip, struct neigh *n)
{
    switch (n->state) {
    case NEIGH_DELAY:
        set_state(ip, n, NEIGH_PROBE);
        ask(ip, n);
        break;
    case NEIGH_INCOMPLETE:
    case NEIGH_PROBE:
        if (n->probes < MAX_SOLICIT)
            ask(ip, n);
        else
            fail(ip, n);
        break;
    case NEIGH_REACHABLE:
    case NEIGH_STALE:
    case NEIGH_FAILED: break;
    }
}

/* ---- sending ---- */

/* Queues a packet until the link address is known; the newest replaces the oldest. */
static enum why wait(struct ip *ip, struct neigh *n, struct frame **frame)
{
    bool is_full =
        n->waiting.count >= ip->config.neighbour_queue || ip->neighs.waiting >= NEIGH_WAITING_TOTAL;
    struct frame *oldest = is_full ? frames_take(&n->waiting) : NULL;

    if (is_full && oldest == NULL)
        return ip_drop_frame(ip, frame, WHY_NEIGH_FULL);
    if (oldest != NULL) {
        ip->neighs.waiting--;
        ip_drop_frame(ip, &oldest, WHY_NEIGH_FULL);
    }
    ip->neighs.waiting++;
    frames_add(&n->waiting, frame);
    return WHY_NONE;
}

/* What its use does to an entry that is not known to be reachable. */
static void use(struct ip *ip, struct neigh *n)
{
    if (n->state == NEIGH_REACHABLE)
        set_state(ip, n, NEIGH_STALE);
    if (n->state != NEIGH_STALE)
        return;
    set_state(ip, n, NEIGH_DELAY);
    ip_arm(ip, &n->timer, ns_after(ip->now, DELAY_FIRST_PROBE_NS));
}

static bool is_entry_of(const struct neigh *n, const struct ip_path *path)
{
    return n != NULL && !n->is_free && n->netif == path->netif
           && addr_eq(&n->addr, &path->next_hop);
}

/* The entry for the path's next hop, made if there is none. NULL: out of memory. */
static struct neigh *entry_for(struct ip *ip, struct ip_path *path)
{
    struct neigh *n = neigh_find(ip, path->netif, &path->next_hop);

    if (n == NULL) {
        n = create(ip, path->netif, &path->next_hop);
        if (n != NULL)
            set_state(ip, n, NEIGH_INCOMPLETE);
    }
    path->neigh = n;
    return n;
}

enum why neigh_send(struct ip *ip, struct ip_path *path, struct frame **frame)
{
    struct neigh *n = path->neigh;

    if (!is_entry_of(n, path))
        n = entry_for(ip, path);
    if (n == NULL)
        return ip_drop_frame(ip, frame, WHY_NEIGH_FULL);

    if (n->state == NEIGH_REACHABLE && ip->now <= n->reachable_until) {
        send_to(n, frame);
        return WHY_NONE;
    }
    n->ask_from = path->src;
    if (n->state == NEIGH_FAILED)
        set_state(ip, n, NEIGH_INCOMPLETE);
    if (n->state == NEIGH_INCOMPLETE) {
        enum why why = wait(ip, n, frame);

        if (n->probes == 0)
            ask(ip, n);
        return why;
    }
    use(ip, n);
    send_to(n, frame);
    return WHY_NONE;
}

/* ---- hearing ---- */

static void hear_first(struct ip *ip, struct neigh *n, const struct neigh_news *news)
{
    if (news->mac == NULL)
        return;
    n->mac = *news->mac;
    if (news->is_solicited)
        become_reachable(ip, n);
    else
        become_stale(ip, n);
    if (n->waiting.count > 0 && n->state == NEIGH_STALE)
        use(ip, n);
    send_waiting(ip, n);
}

static void hear_again(struct ip *ip, struct neigh *n, const struct neigh_news *news)
{
    bool differs = news->mac != NULL && !eth_addr_eq(news->mac, &n->mac);

    if (differs && !news->may_override) {
        /* Which of the two is right will be found out when it is used. */
        if (n->state == NEIGH_REACHABLE)
            become_stale(ip, n);
        return;
    }
    if (differs)
        n->mac = *news->mac;
    if (news->is_solicited)
        become_reachable(ip, n);
    else if (differs)
        become_stale(ip, n);
}

static void note_router(struct ip *ip, struct neigh *n, const struct neigh_news *news)
{
    bool was_router = n->is_router;

    if (!news->says_router)
        return;
    n->is_router = news->is_router;
    if (was_router && !n->is_router)
        route_remove_router(ip, n->netif, &n->addr);
}

void neigh_hear(struct ip *ip, struct netif *netif, const struct weir_addr *addr,
                const struct neigh_news *news)
{
    struct neigh *n = neigh_find(ip, netif, addr);
    bool had_failed = n != NULL && n->state == NEIGH_FAILED;

    if (n == NULL) {
        if (!news->may_create || news->mac == NULL)
            return;
        n = create(ip, netif, addr);
        if (n == NULL) {
            ip_drop(ip, WHY_NEIGH_FULL);
            return;
        }
        n->mac = *news->mac;
    } else if (n->state == NEIGH_INCOMPLETE || had_failed) {
        hear_first(ip, n, news);
    } else {
        hear_again(ip, n, news);
    }
    note_router(ip, n, news);
    /* A router that is back may be the better choice again. */
    if (had_failed && n->state != NEIGH_FAILED)
        ip_advance_epoch(ip);
}

void neigh_confirm(struct ip *ip, struct ip_path *path)
{
    struct neigh *n = path->neigh;

    if (!is_entry_of(n, path) || n->state == NEIGH_INCOMPLETE || n->state == NEIGH_FAILED)
        return;
    if (n->state == NEIGH_REACHABLE)
        n->reachable_until = ns_after(ip->now, n->netif->reachable_ns);
    else
        become_reachable(ip, n);
}

bool neigh_is_hopeful(const struct ip *ip, const struct netif *netif, const struct weir_addr *addr)
{
    const struct neigh *n = neigh_find(ip, netif, addr);

    return n == NULL || n->state != NEIGH_FAILED;
}

/* ---- the end ---- */

static void release_matching(struct ip *ip, const struct netif *netif)
{
    for (uint32_t i = 0; i < ip->neighs.chunk_count * CHUNK_ENTRIES; i++) {
        struct neigh *n = entry_at(ip, i);

        if (i < ip->neighs.limit && !n->is_free && (netif == NULL || n->netif == netif))
            release(ip, n);
    }
}

void neigh_remove_netif(struct ip *ip, struct netif *netif)
{
    release_matching(ip, netif);
}

void neigh_fini(struct ip *ip)
{
    struct neighs *all = &ip->neighs;

    release_matching(ip, NULL);
    for (uint32_t i = 0; i < all->chunk_count; i++)
        mem_free(ip->mem, all->chunks[i], CHUNK_ENTRIES * sizeof(struct neigh));
    mem_free(ip->mem, all->chunks, directory_size(ip));
    all->chunks = NULL;
    all->chunk_count = 0;
    table_fini(&all->table);
}
