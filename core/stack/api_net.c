/*
 * api_net.c - the public functions of interfaces, addresses and routes
 */
#include "ip/addrs.h"
#include "ip/netif.h"
#include "ip/route.h"
#include "stack/api.h"
#include "stack/stack.h"

int api_netif_add(struct weir *s, const struct weir_netif_config *config, weir_netif_t *netif)
{
    return netif_add(&s->ip, config, netif);
}

/* Those that were to send there find another way, or wait for a timer. */
static void disperse(struct weir *s, struct list *ready)
{
    struct list waiting;

    list_init(&waiting);
    list_join(&waiting, ready);
    for (struct list *link; (link = list_take_first(&waiting)) != NULL;)
        tx_make_ready(s, conn_of_ready(link));
}

int api_netif_remove(struct weir *s, weir_netif_t netif)
{
    int err = netif_remove(&s->ip, netif);

    if (err != WEIR_OK)
        return err;
    flood_forget(s); /* the next one in its place may have a longer link header */
    disperse(s, &s->ready[(netif - 1) % NETIF_SLOTS]);
    return WEIR_OK;
}

int api_netif_set_mtu(struct weir *s, weir_netif_t netif, uint32_t mtu)
{
    return netif_set_mtu(&s->ip, netif, mtu);
}

int api_addr_add(struct weir *s, weir_netif_t id, const struct weir_prefix *addr)
{
    struct netif *netif = netif_find(&s->ip, id);

    return netif == NULL ? WEIR_EINVAL : addrs_add(&s->ip, netif, addr);
}

int api_addr_remove(struct weir *s, weir_netif_t id, const struct weir_addr *addr)
{
    struct netif *netif = netif_find(&s->ip, id);

    return netif == NULL ? WEIR_EINVAL : addrs_remove(&s->ip, netif, addr);
}

bool weir_addr_at(const struct weir *s, size_t index, struct weir_addr_info *info)
{
    return addrs_at(&s->ip, index, info);
}

int api_route_add(struct weir *s, const struct weir_prefix *prefix, const struct weir_addr *gateway,
                  weir_netif_t netif)
{
    return route_add(&s->ip, prefix, gateway, netif);
}

int api_route_remove(struct weir *s, const struct weir_prefix *prefix)
{
    return route_remove(&s->ip, prefix);
}
