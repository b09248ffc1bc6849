/*
 * ipv6.c - IP without version 6: no such packets, no such addresses, no neighbour discovery
 *
 * ip_input drops its packets, and addr_is_v4 (base/addr.h) is true of every address.
 *
 * In place of: ip6.c ndp.c slaac.c
 */
#include "ip/ip6.h"
#include "ip/ndp.h"
#include "ip/slaac.h"

enum why ip6_input(struct ip *ip, struct ip_packet *packet, bool is_back)
{
    return WHY_IP_VERSION;
}

void ip6_push(struct ip *ip, const struct ip_path *path, const struct ip_send *how,
              const struct ip_fragment *fragment, struct frame *frame)
{
}

enum why ndp_input(struct ip *ip, const struct ip_packet *packet,
                   const struct icmp_message *message)
{
    return WHY_ICMP_UNKNOWN;
}

void ndp_send_solicit(struct ip *ip, struct netif *netif, const struct weir_addr *source,
                      const struct weir_addr *target, const struct eth_addr *mac)
{
}

void ndp_send_probe(struct ip *ip, struct netif *netif, const struct ip_addr *a)
{
}

void ndp_start_solicit(struct ip *ip, struct netif *netif)
{
}

void ndp_expire_solicit(struct ip *ip, struct netif *netif)
{
}

int slaac_add_link_local(struct ip *ip, struct netif *netif)
{
    return WEIR_OK;
}

void slaac_on_prefix(struct ip *ip, struct netif *netif, const struct ndp_prefix *prefix)
{
}

void slaac_on_duplicate(struct ip *ip, const struct ip_addr *a)
{
}
