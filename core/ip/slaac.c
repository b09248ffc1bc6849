/*
 * slaac.c - addresses made from prefixes
 */
#include "ip/slaac.h"

#include "base/addr.h"
#include "base/siphash.h"
#include "ip/ip.h"
#include "wire/ndp.h"
#include <string.h>

enum {
    INTERFACE_ID_LEN = 8,
    PREFIX_LEN = 64, /* what an interface identifier leaves [RFC4291 2.5.1] */
};

/* A remaining lifetime is never cut below this without authentication [RFC4862 5.5.3]. */
#define TWO_HOURS_NS (7200 * NS_S)

/* RFC 5453 and subnet-router anycast: not to be used by a host [RFC7217 5]. */
static bool is_reserved(const uint8_t id[INTERFACE_ID_LEN])
{
    static const uint8_t zero[INTERFACE_ID_LEN] = {0};
    static const uint8_t ethernet[5] = {0x02, 0x00, 0x5e, 0xff, 0xfe};
    static const uint8_t anycast[7] = {0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    return memcmp(id, zero, sizeof zero) == 0 || memcmp(id, ethernet, sizeof ethernet) == 0
           || (memcmp(id, anycast, sizeof anycast) == 0 && id[7] >= 0x80);
}

/* F(prefix, interface, counter, secret) [RFC7217 5]; there is no Network_ID for Ethernet. */
static void make_id(const struct ip *ip, const struct netif *netif, struct weir_addr *addr,
                    uint8_t tries)
{
    uint8_t input[8 + 6 + 16 + 1];
    uint64_t id;

    memcpy(input, addr->b, 8);
    memcpy(input + 8, netif->mac.b, 6);
    /* Without a MAC address it is the name that stays the same. */
    memset(input + 14, 0, 16);
    if (netif->link != WEIR_LINK_ETHERNET)
        memcpy(input + 14, netif->name, sizeof netif->name);
    input[30] = tries;
    id = siphash24(ip->stable_key, input, sizeof input);
    for (int i = 0; i < INTERFACE_ID_LEN; i++)
        addr->b[8 + i] = (uint8_t)(id >> (8 * i));
}

/* Makes the address of made->addr's prefix, from the counter made->tries on, and adds it. */
static int add(struct ip *ip, struct netif *netif, struct addrs_slaac *made)
{
    for (; made->tries < SLAAC_RETRIES; made->tries++) {
        make_id(ip, netif, &made->addr.addr, made->tries);
        if (!is_reserved(made->addr.addr.b + 8) && addrs_find(ip, netif, &made->addr.addr) == NULL)
            return addrs_add_slaac(ip, netif, made);
    }
    return WEIR_OK;
}

int slaac_add_link_local(struct ip *ip, struct netif *netif)
{
    struct addrs_slaac made = {
        .addr = {{{0xfe, 0x80}}, PREFIX_LEN},
        .preferred_until = NEVER,
        .valid_until = NEVER,
    };

    return add(ip, netif, &made);
}

void slaac_on_duplicate(struct ip *ip, const struct ip_addr *a)
{
    struct addrs_slaac made = {
        .addr = {a->addr, PREFIX_LEN},
        .tries = (uint8_t)(a->tries + 1),
        .preferred_until = a->preferred_until,
        .valid_until = a->valid_until,
    };

    /* Without memory or tries left there is no address; the prefix will come again. */
    (void)add(ip, a->netif, &made);
}

static ns_t until(const struct ip *ip, uint32_t lifetime_s)
{
    return lifetime_s == NDP_FOREVER ? NEVER : ns_after(ip->now, (ns_t)lifetime_s * NS_S);
}

/* The address we made of this prefix, or NULL. */
static struct ip_addr *find_made(const struct ip *ip, const struct netif *netif,
                                 const struct weir_prefix *prefix)
{
    LIST_EACH (i, &ip->addrs.all) {
        struct ip_addr *a = container_of(i, struct ip_addr, link);

        if (a->netif == netif && a->from_slaac && prefix_has(prefix, &a->addr))
            return a;
    }
    return NULL;
}

/* The two-hour rule: a forged advertisement cannot take an address away [RFC4862 5.5.3 e]. */
static ns_t valid_until_of(const struct ip *ip, const struct ip_addr *a, uint32_t valid_s)
{
    ns_t advertised = until(ip, valid_s);
    ns_t in_two_hours = ns_after(ip->now, TWO_HOURS_NS);

    if (advertised > in_two_hours || advertised > a->valid_until)
        return advertised;
    return a->valid_until <= in_two_hours ? a->valid_until : in_two_hours;
}

void slaac_on_prefix(struct ip *ip, struct netif *netif, const struct ndp_prefix *p)
{
    struct ip_addr *a = find_made(ip, netif, &p->prefix);
    struct addrs_slaac made = {
        .addr = {p->prefix.addr, PREFIX_LEN},
        .preferred_until = until(ip, p->preferred_s),
        .valid_until = until(ip, p->valid_s),
    };

    if (addr_is_link_local6(&p->prefix.addr) || p->preferred_s > p->valid_s)
        return;
    if (a != NULL) {
        addrs_set_lifetimes(ip, a, made.preferred_until, valid_until_of(ip, a, p->valid_s));
        return;
    }
    if (p->valid_s == 0 || p->prefix.len != PREFIX_LEN
        || netif->slaac_addresses >= SLAAC_ADDRESSES_MAX)
        return;
    if (add(ip, netif, &made) != WEIR_OK)
        ip_drop(ip, WHY_NO_MEMORY);
}
