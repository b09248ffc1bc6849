/*
 * pmtu.c - the path MTU cache
 */
#include "ip/pmtu.h"

#include "base/addr.h"
#include "base/num.h"
#include "ip/ip.h"

enum {
    TABLE_SEGMENT = 1024,
};

bool pmtu_init(struct ip *ip)
{
    list_init(&ip->pmtus.all);
    return pool_init_handles(&ip->pmtus.pool, ip->mem, "path MTUs", sizeof(struct pmtu_entry),
                             ip->slab_bytes)
           && table_init(&ip->pmtus.table, ip->mem, TABLE_SEGMENT);
}

void pmtu_fini(struct ip *ip)
{
    table_fini(&ip->pmtus.table);
    pool_fini(&ip->pmtus.pool);
}

static uint32_t hash_of(const struct ip *ip, const struct weir_addr *dst)
{
    return ip_hash(ip, dst, NULL, 0);
}

static struct pmtu_entry *entry_of(const struct ip *ip, const struct weir_addr *dst)
{
    struct table_iter it = table_find(&ip->pmtus.table, hash_of(ip, dst));

    for (uint32_t ref; table_next(&it, &ref);) {
        struct pmtu_entry *e = pool_at(&ip->pmtus.pool, ref);

        if (addr_eq(&e->dst, dst))
            return e;
    }
    return NULL;
}

uint32_t pmtu_find(const struct ip *ip, const struct weir_addr *dst, uint32_t link_mtu)
{
    const struct pmtu_entry *e;

    if (list_is_empty(&ip->pmtus.all))
        return link_mtu;
    e = entry_of(ip, dst);
    return e != NULL ? u32_min(e->mtu, link_mtu) : link_mtu;
}

static void forget(struct ip *ip, struct pmtu_entry *e)
{
    ip_disarm(ip, &e->timer);
    list_remove(&e->link);
    table_remove(&ip->pmtus.table, hash_of(ip, &e->dst), pool_index(&ip->pmtus.pool, e));
    pool_put(&ip->pmtus.pool, e);
    ip_advance_epoch(ip);
}

/* An entry for dst, for which the oldest makes room. NULL: out of memory. */
static struct pmtu_entry *create(struct ip *ip, const struct weir_addr *dst)
{
    struct pmtu_entry *e;

    if (ip->config.path_mtu_entries == 0)
        return NULL;
    if (ip->pmtus.pool.used >= ip->config.path_mtu_entries)
        forget(ip, container_of(list_first(&ip->pmtus.all), struct pmtu_entry, link));
    e = pool_get_zeroed(&ip->pmtus.pool);
    if (e == NULL)
        return NULL;
    e->dst = *dst;
    e->mtu = UINT32_MAX;
    e->timer.kind = IP_TIMER_PMTU;
    list_init(&e->link);
    if (table_add(&ip->pmtus.table, hash_of(ip, dst), pool_index(&ip->pmtus.pool, e)))
        return e;
    pool_put(&ip->pmtus.pool, e);
    return NULL;
}

/* The largest plateau below a packet that did not fit [RFC1191 7.1]. */
static uint32_t plateau_below(uint32_t len)
{
    static const uint16_t plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006};

    for (size_t i = 0; i < sizeof plateaus / sizeof plateaus[0]; i++)
        if (plateaus[i] < len)
            return plateaus[i];
    return PMTU_MIN4;
}

void pmtu_update(struct ip *ip, const struct weir_addr *dst, uint32_t mtu, uint32_t packet_len)
{
    struct pmtu_entry *e = entry_of(ip, dst);

    bool is_v4 = addr_is_v4(dst);

    if (!is_v4 && mtu < PMTU_MIN6) /* no such link carries IPv6 [RFC8201 4] */
        return;
    if (mtu == 0)
        mtu = plateau_below(packet_len);
    if (is_v4)
        mtu = u32_max(mtu, PMTU_MIN4);
    /* Only smaller ones are believed; a larger one is found by trying [RFC8201 4]. */
    if (mtu >= UINT16_MAX || (e != NULL && mtu > e->mtu))
        return;
    if (e == NULL)
        e = create(ip, dst);
    if (e == NULL) {
        ip_drop(ip, WHY_NO_MEMORY);
        return;
    }
    e->mtu = mtu;
    list_remove(&e->link);
    list_add_last(&ip->pmtus.all, &e->link);
    ip_arm(ip, &e->timer, ns_after(ip->now, ip->config.path_mtu_ns));
    ip_advance_epoch(ip);
}

void pmtu_expire(struct ip *ip, struct pmtu_entry *e)
{
    forget(ip, e);
}
