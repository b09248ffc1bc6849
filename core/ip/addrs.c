/*
 * addrs.c - the addresses of the stack
 *
 * Each address is in the table under itself and, if it has one, under the group that
 * comes with it: the directed broadcast address of its subnet, or its solicited-node
 * multicast address. One search thus says what a destination is to us, however many
 * addresses there are.
 *
 * A packet for any of our addresses is taken from any interface (the weak model
 * [RFC1122 3.3.4.2], as Linux), but link-local ones only from their own link and loopback
 * ones only from ourselves.
 */
#include "ip/addrs.h"

#include "base/addr.h"
#include "base/check.h"
#include "base/parts.h"
#include "ip/arp.h"
#include "ip/ip.h"
#include "ip/ndp.h"
#include "ip/slaac.h"
#include <string.h>
#include <weir/err.h>

enum {
    DAD_TRANSMITS = 1,    /* DupAddrDetectTransmits [RFC4862 5.1] */
    ANNOUNCE_COUNT = 2,   /* ANNOUNCE_NUM [RFC5227 1.1] */
    TABLE_SEGMENT = 1024, /* most stacks have a handful of addresses */
};

#define DAD_DELAY_MAX_NS (1 * NS_S)     /* MAX_RTR_SOLICITATION_DELAY [RFC4861 10] */
#define ANNOUNCE_INTERVAL_NS (2 * NS_S) /* [RFC5227 1.1] */
#define DEFEND_INTERVAL_NS (10 * NS_S)  /* [RFC5227 1.1] */

bool addrs_init(struct ip *ip)
{
    list_init(&ip->addrs.all);
    return pool_init_handles(&ip->addrs.pool, ip->mem, "addresses", sizeof(struct ip_addr),
                             ip->slab_bytes)
           && table_init(&ip->addrs.table, ip->mem, TABLE_SEGMENT);
}

void addrs_fini(struct ip *ip)
{
    table_fini(&ip->addrs.table);
    pool_fini(&ip->addrs.pool);
}

static struct ip_addr *addr_of(const struct ip *ip, uint32_t ref)
{
    return pool_at(&ip->addrs.pool, ref);
}

static uint32_t hash_of(const struct ip *ip, const struct weir_addr *addr)
{
    return ip_hash(ip, addr, NULL, 0);
}

/* ---- searching ---- */

struct ip_addr *addrs_find(const struct ip *ip, const struct netif *netif,
                           const struct weir_addr *addr)
{
    struct table_iter it = table_find(&ip->addrs.table, hash_of(ip, addr));

    for (uint32_t ref; table_next(&it, &ref);) {
        struct ip_addr *a = addr_of(ip, ref);

        if (addr_eq(&a->addr, addr) && (netif == NULL || a->netif == netif))
            return a;
    }
    return NULL;
}

static bool is_valid(const struct ip_addr *a)
{
    return a->state == WEIR_ADDR_PREFERRED || a->state == WEIR_ADDR_DEPRECATED;
}

bool addrs_is_usable(const struct ip *ip, const struct netif *netif, const struct weir_addr *addr)
{
    const struct ip_addr *a = addrs_find(ip, netif, addr);

    return a != NULL && is_valid(a);
}

/* 224.0.0.1, ff01::1, ff02::1 */
static bool is_all_nodes(const struct weir_addr *a)
{
    static const struct weir_addr all4 = {{[10] = 0xff, [11] = 0xff, [12] = 224, [15] = 1}};
    static const struct weir_addr all6 = {{[0] = 0xff, [1] = 0x02, [15] = 1}};
    static const struct weir_addr node6 = {{[0] = 0xff, [1] = 0x01, [15] = 1}};

    return addr_eq(a, &all4) || (HAS_IPV6 && (addr_eq(a, &all6) || addr_eq(a, &node6)));
}

static enum addrs_kind kind_of_own(const struct ip_addr *a)
{
    if (is_valid(a))
        return ADDRS_OURS;
    return a->state == WEIR_ADDR_TENTATIVE ? ADDRS_TENTATIVE : ADDRS_FOREIGN;
}

/* All of 127/8 is ours on a loopback interface with an address of it [RFC1122 3.2.1.3]. */
static bool is_other_loopback(const struct netif *netif, const struct weir_addr *dst)
{
    return netif->is_loopback && addr_is_v4(dst) && addr_is_loopback(dst);
}

bool addrs_has(const struct ip *ip, const struct weir_addr *addr)
{
    if (addrs_find(ip, NULL, addr) != NULL)
        return true;
    LIST_EACH (i, &ip->addrs.all) {
        const struct ip_addr *a = container_of(i, struct ip_addr, link);

        if (is_other_loopback(a->netif, addr) && addr_is_loopback(&a->addr))
            return true;
    }
    return false;
}

static enum addrs_kind search(const struct ip *ip, struct netif *netif, const struct weir_addr *dst)
{
    struct table_iter it = table_find(&ip->addrs.table, hash_of(ip, dst));
    enum addrs_kind kind = ADDRS_FOREIGN;

    for (uint32_t ref; table_next(&it, &ref);) {
        struct ip_addr *a = addr_of(ip, ref);

        if (addr_eq(&a->addr, dst)) {
            if (a->netif != netif && (addr_is_link_local6(dst) || addr_is_loopback(dst)))
                continue;
            kind = kind_of_own(a);
            if (kind == ADDRS_OURS)
                netif->addr_hint = a;
            return kind;
        }
        if (a->netif == netif && !addr_is_any(&a->group) && addr_eq(&a->group, dst))
            kind = addr_is_v4(dst) ? ADDRS_BROADCAST : ADDRS_MULTICAST;
    }
    return kind;
}

enum addrs_kind addrs_classify(const struct ip *ip, struct netif *netif,
                               const struct weir_addr *dst)
{
    const struct ip_addr *hint = netif->addr_hint;
    enum addrs_kind kind;

    if (hint != NULL && addr_eq(&hint->addr, dst))
        return ADDRS_OURS;
    if (addr_is_broadcast(dst))
        return ADDRS_BROADCAST;
    if (is_all_nodes(dst))
        return ADDRS_MULTICAST;
    kind = search(ip, netif, dst);
    return kind == ADDRS_FOREIGN && is_other_loopback(netif, dst) ? ADDRS_OURS : kind;
}

bool addrs_has_link_local(const struct ip *ip, const struct netif *netif)
{
    LIST_EACH (i, &ip->addrs.all) {
        const struct ip_addr *a = container_of(i, struct ip_addr, link);

        if (a->netif == netif && addr_is_link_local6(&a->addr))
            return true;
    }
    return false;
}

const struct ip_addr *addrs_link_local(const struct ip *ip, const struct netif *netif)
{
    LIST_EACH (i, &ip->addrs.all) {
        const struct ip_addr *a = container_of(i, struct ip_addr, link);

        if (a->netif == netif && is_valid(a) && addr_is_link_local6(&a->addr))
            return a;
    }
    return NULL;
}

bool addrs_at(const struct ip *ip, size_t index, struct weir_addr_info *info)
{
    LIST_EACH (i, &ip->addrs.all) {
        const struct ip_addr *a = container_of(i, struct ip_addr, link);

        if (index-- > 0)
            continue;
        *info = (struct weir_addr_info){
            .netif = a->netif->id,
            .addr = {a->addr, a->prefix_len},
            .state = a->state,
            .from_slaac = a->from_slaac,
        };
        return true;
    }
    return false;
}

/* ---- source address selection ---- */

/* Scopes as multicast has them [RFC6724 3.1, 3.2]. */
enum {
    SCOPE_LINK = 2,
    SCOPE_SITE = 5,
    SCOPE_GLOBAL = 14,
};

static int scope_of(const struct weir_addr *a)
{
    bool is_link4 = a->b[12] == 169 && a->b[13] == 254;

    if (addr_is_v4(a))
        return addr_is_loopback(a) || is_link4 ? SCOPE_LINK : SCOPE_GLOBAL;
    if (addr_is_multicast(a))
        return a->b[1] & 0xf;
    if (addr_is_link_local6(a) || addr_is_loopback(a))
        return SCOPE_LINK;
    if (a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0xc0)
        return SCOPE_SITE;
    return SCOPE_GLOBAL;
}

/* Labels of the default policy table [RFC6724 2.1], longest prefix first. */
static int label_of(const struct weir_addr *a)
{
    static const struct {
        struct weir_prefix prefix;
        int label;
    } table[] = {
        {{{{[15] = 1}}, 128}, 0},
        {{{{[10] = 0xff, [11] = 0xff}}, 96}, 4},
        {{{{0}}, 96}, 3},
        {{{{0x20, 0x01, 0x00, 0x00}}, 32}, 5},
        {{{{0x20, 0x02}}, 16}, 2},
        {{{{0x3f, 0xfe}}, 16}, 12},
        {{{{0xfe, 0xc0}}, 10}, 11},
        {{{{0xfc}}, 7}, 13},
        {{{{0}}, 0}, 1},
    };
    size_t i = 0;

    /* The last one has every address. */
    while (!prefix_has(&table[i].prefix, a))
        i++;
    return table[i].label;
}

/* Bits in common, at most the source's prefix [RFC6724 2.2]. */
static int common_of(const struct ip_addr *source, const struct weir_addr *dst)
{
    uint8_t bits = addr_common_bits(&source->addr, dst);

    return bits < source->prefix_len ? bits : source->prefix_len;
}

/* Is a to be preferred to b? The rules in their order; 4 and 7 have no subject here. */
static bool is_better(const struct ip_addr *a, const struct ip_addr *b, const struct netif *netif,
                      const struct weir_addr *dst)
{
    int scope_a = scope_of(&a->addr), scope_b = scope_of(&b->addr), scope = scope_of(dst);
    int label = label_of(dst);

    /* Rule 1: prefer the same address. */
    if (addr_eq(&a->addr, dst) || addr_eq(&b->addr, dst))
        return addr_eq(&a->addr, dst);
    /* Rule 2: prefer the appropriate scope. */
    if (scope_a != scope_b)
        return scope_a < scope_b ? scope_a >= scope : scope_b < scope;
    /* Rule 3: avoid deprecated addresses. */
    if (a->state != b->state)
        return a->state == WEIR_ADDR_PREFERRED;
    /* Rule 5: prefer the outgoing interface. */
    if ((a->netif == netif) != (b->netif == netif))
        return a->netif == netif;
    /* Rule 6: prefer the matching label. */
    if ((label_of(&a->addr) == label) != (label_of(&b->addr) == label))
        return label_of(&a->addr) == label;
    /* Rule 8: use the longest matching prefix. */
    return common_of(a, dst) > common_of(b, dst);
}

static bool is_candidate(const struct ip_addr *a, const struct netif *netif,
                         const struct weir_addr *dst)
{
    if (!is_valid(a) || addr_is_v4(&a->addr) != addr_is_v4(dst))
        return false;
    if (a->netif == netif)
        return true;
    /* What means nothing elsewhere stays on its link. */
    return !addr_is_link_local6(&a->addr) && !addr_is_loopback(&a->addr);
}

const struct ip_addr *addrs_choose_source(const struct ip *ip, const struct netif *netif,
                                          const struct weir_addr *dst)
{
    const struct ip_addr *best = NULL;

    LIST_EACH (i, &ip->addrs.all) {
        const struct ip_addr *a = container_of(i, struct ip_addr, link);

        if (is_candidate(a, netif, dst) && (best == NULL || is_better(a, best, netif, dst)))
            best = a;
    }
    return best;
}

/* ---- what comes with an address ---- */

/* The subnet's broadcast address, the solicited-node group, or unspecified. */
static struct weir_addr group_of(const struct weir_prefix *prefix)
{
    static const struct weir_addr none;
    struct weir_addr group = prefix->addr;

    if (!addr_is_v4(&prefix->addr)) {
        static const struct weir_addr solicited = {{0xff, 0x02, [11] = 0x01, [12] = 0xff}};

        memcpy(group.b, solicited.b, 13);
        return group;
    }
    /* A /31 and a /32 have no broadcast address [RFC3021 2.1]. */
    if (prefix->len > ADDR_BITS - 2)
        return none;
    for (int i = prefix->len; i < ADDR_BITS; i++)
        group.b[i / 8] |= (uint8_t)(0x80 >> (i % 8));
    return group;
}

/* The route to the prefix. An address from a router's prefix has none [RFC5942 3]. */
static bool has_route(const struct ip_addr *a)
{
    return !a->from_slaac && a->prefix_len < ADDR_BITS && !addr_is_link_local6(&a->addr);
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

static bool add_to_table(struct ip *ip, struct ip_addr *a)
{
    uint32_t ref = pool_index(&ip->addrs.pool, a);

    if (!table_add(&ip->addrs.table, a->hash, ref))
        return false;
    if (addr_is_any(&a->group) || table_add(&ip->addrs.table, a->group_hash, ref))
        return true;
    table_remove(&ip->addrs.table, a->hash, ref);
    return false;
}

static void remove_from_table(struct ip *ip, struct ip_addr *a)
{
    uint32_t ref = pool_index(&ip->addrs.pool, a);

    table_remove(&ip->addrs.table, a->hash, ref);
    if (!addr_is_any(&a->group))
        table_remove(&ip->addrs.table, a->group_hash, ref);
}

static void forget_hints(struct ip *ip, const struct ip_addr *a)
{
    for (uint32_t i = 0; i < ip->netif_count; i++)
        if (ip->netifs[i]->addr_hint == a)
            ip->netifs[i]->addr_hint = NULL;
}

/* ---- states ---- */

static void set_state(struct ip *ip, struct ip_addr *a, enum weir_addr_state state)
{
    if (a->state == state)
        return;
    a->state = state;
    forget_hints(ip, a);
    ip_advance_epoch(ip);
}

/* One timer for what is to be sent next and for the lifetimes. */
static void arm_next(struct ip *ip, struct ip_addr *a)
{
    ns_t at = ns_min(a->step_at, a->valid_until);

    if (a->state == WEIR_ADDR_PREFERRED)
        at = ns_min(at, a->preferred_until);
    ip_arm(ip, &a->timer, at);
}

/* The link can be used now: are there routers? */
static void on_usable(struct ip *ip, struct ip_addr *a)
{
    if (a->netif->slaac && a->from_slaac && addr_is_link_local6(&a->addr))
        ndp_start_solicit(ip, a->netif);
}

/* Starts what an Ethernet wants done before or after an address is used. */
static void start(struct ip *ip, struct ip_addr *a)
{
    if (a->netif->link != WEIR_LINK_ETHERNET) {
        on_usable(ip, a);
        return;
    }
    if (addr_is_v4(&a->addr)) {
        /* The address is in use at once, and everybody is told [RFC5227 2.3]. */
        a->sends_left = ANNOUNCE_COUNT;
        a->step_at = ip->now;
        return;
    }
    a->state = WEIR_ADDR_TENTATIVE;
    a->sends_left = DAD_TRANSMITS;
    rng_fill(&ip->rng, a->nonce, sizeof a->nonce);
    a->step_at = ns_after(ip->now, rng_below(&ip->rng, (uint32_t)DAD_DELAY_MAX_NS));
}

static struct ip_addr *create(struct ip *ip, struct netif *netif, const struct weir_prefix *prefix)
{
    struct ip_addr *a = pool_get_zeroed(&ip->addrs.pool);

    if (a == NULL)
        return NULL;
    a->addr = prefix->addr;
    a->prefix_len = prefix->len;
    a->netif = netif;
    a->state = WEIR_ADDR_PREFERRED;
    a->preferred_until = NEVER;
    a->valid_until = NEVER;
    a->step_at = NEVER;
    a->defend_after = ip->now;
    a->group = group_of(prefix);
    a->hash = hash_of(ip, &a->addr);
    a->group_hash = hash_of(ip, &a->group);
    a->timer.kind = IP_TIMER_ADDR;
    list_init(&a->link);
    if (add_to_table(ip, a))
        return a;
    pool_put(&ip->addrs.pool, a);
    return NULL;
}

static void remove_addr(struct ip *ip, struct ip_addr *a)
{
    if (has_route(a)) {
        struct route_spec spec = connected(a);

        route_forget(ip, &spec);
    }
    if (a->from_slaac && !addr_is_link_local6(&a->addr))
        a->netif->slaac_addresses--;
    forget_hints(ip, a);
    ip_disarm(ip, &a->timer);
    remove_from_table(ip, a);
    list_remove(&a->link);
    ip->addrs.count--;
    pool_put(&ip->addrs.pool, a);
    ip_advance_epoch(ip);
}

static void enlist(struct ip *ip, struct ip_addr *a)
{
    list_add_last(&ip->addrs.all, &a->link);
    ip->addrs.count++;
    start(ip, a);
    arm_next(ip, a);
    ip_advance_epoch(ip);
}

static bool can_be_had(const struct netif *netif, const struct weir_prefix *prefix)
{
    const struct weir_addr *addr = &prefix->addr;

    if (prefix->len > ADDR_BITS || addr_is_any(addr) || addr_is_multicast(addr)
        || addr_is_broadcast(addr))
        return false;
    if (addr_is_loopback(addr) && !netif->is_loopback)
        return false;
    return addr_is_v4(addr) ? prefix->len >= ADDR_V4_BITS_AT : netif->mtu6 != 0;
}

int addrs_add(struct ip *ip, struct netif *netif, const struct weir_prefix *prefix)
{
    bool is_of_link = addr_is_link_local6(&prefix->addr);
    struct ip_addr *a;

    if (!HAS_IPV6 && !weir_addr_is_v4(&prefix->addr))
        return WEIR_ENOTSUP;
    if (!can_be_had(netif, prefix))
        return WEIR_EINVAL;
    if (addrs_find(ip, is_of_link ? netif : NULL, &prefix->addr) != NULL)
        return WEIR_EADDRINUSE;
    a = create(ip, netif, prefix);
    if (a == NULL)
        return WEIR_ENOMEM;
    if (has_route(a)) {
        struct route_spec spec = connected(a);

        if (route_learn(ip, &spec) != WEIR_OK) {
            remove_from_table(ip, a);
            pool_put(&ip->addrs.pool, a);
            return WEIR_ENOMEM;
        }
    }
    enlist(ip, a);
    return WEIR_OK;
}

int addrs_add_slaac(struct ip *ip, struct netif *netif, const struct addrs_slaac *made)
{
    struct ip_addr *a = create(ip, netif, &made->addr);

    if (a == NULL)
        return WEIR_ENOMEM;
    a->from_slaac = true;
    a->tries = made->tries;
    a->preferred_until = made->preferred_until;
    a->valid_until = made->valid_until;
    if (!addr_is_link_local6(&a->addr))
        netif->slaac_addresses++;
    enlist(ip, a);
    return WEIR_OK;
}

int addrs_remove(struct ip *ip, struct netif *netif, const struct weir_addr *addr)
{
    struct ip_addr *a = addrs_find(ip, netif, addr);

    if (a == NULL)
        return WEIR_EINVAL;
    remove_addr(ip, a);
    return WEIR_OK;
}

void addrs_remove_netif(struct ip *ip, struct netif *netif)
{
    LIST_EACH_REMOVABLE(i, &ip->addrs.all)
    {
        struct ip_addr *a = container_of(i, struct ip_addr, link);

        if (a->netif == netif)
            remove_addr(ip, a);
    }
}

void addrs_set_lifetimes(struct ip *ip, struct ip_addr *a, ns_t preferred_until, ns_t valid_until)
{
    a->preferred_until = preferred_until;
    a->valid_until = valid_until;
    if (a->state == WEIR_ADDR_DEPRECATED && preferred_until > ip->now)
        set_state(ip, a, WEIR_ADDR_PREFERRED);
    arm_next(ip, a);
}

void addrs_on_duplicate(struct ip *ip, struct ip_addr *a)
{
    struct ip_addr old = *a;

    if (a->state != WEIR_ADDR_TENTATIVE)
        return;
    a->sends_left = 0;
    a->step_at = NEVER;
    if (!a->from_slaac) {
        set_state(ip, a, WEIR_ADDR_DUPLICATE);
        arm_next(ip, a);
        return;
    }
    remove_addr(ip, a);
    slaac_on_duplicate(ip, &old);
}

void addrs_on_arp_conflict(struct ip *ip, struct ip_addr *a)
{
    if (ip->now < a->defend_after)
        return;
    a->defend_after = ns_after(ip->now, DEFEND_INTERVAL_NS);
    arp_announce(ip, a->netif, &a->addr);
}

/* ---- time ---- */

/* Detection is over and nobody objected [RFC4862 5.4]. */
static void on_unique(struct ip *ip, struct ip_addr *a)
{
    a->step_at = NEVER;
    set_state(ip, a, WEIR_ADDR_PREFERRED);
    on_usable(ip, a);
}

static void step(struct ip *ip, struct ip_addr *a)
{
    if (a->sends_left == 0) {
        on_unique(ip, a);
        return;
    }
    a->sends_left--;
    if (!addr_is_v4(&a->addr)) {
        ndp_send_probe(ip, a->netif, a);
        a->step_at = ns_after(ip->now, a->netif->retrans_ns);
        return;
    }
    arp_announce(ip, a->netif, &a->addr);
    a->step_at = a->sends_left > 0 ? ns_after(ip->now, ANNOUNCE_INTERVAL_NS) : NEVER;
}

void addrs_expire(struct ip *ip, struct ip_addr *a)
{
    if (ip->now >= a->valid_until) {
        remove_addr(ip, a);
        return;
    }
    if (ip->now >= a->step_at)
        step(ip, a);
    if (a->state == WEIR_ADDR_PREFERRED && ip->now >= a->preferred_until)
        set_state(ip, a, WEIR_ADDR_DEPRECATED);
    arm_next(ip, a);
}
