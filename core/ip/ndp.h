/*
 * ndp.h - neighbour discovery for IPv6 [RFC4861]
 *
 * Checks what the wire's parser cannot (hop limit, addresses), turns solicitations,
 * advertisements and redirects into news for the neighbour cache, the addresses and the
 * routes, and sends our own. Prefixes for addresses go to slaac.c.
 */
#ifndef CORE_IP_NDP_H
#define CORE_IP_NDP_H

#include "base/why.h"
#include "wire/eth.h"
#include "wire/icmp6.h"
#include <weir/addr.h>

struct ip;
struct ip_addr;
struct ip_packet;
struct netif;

/* Returns WHY_NONE if the message was of use. */
enum why ndp_input(struct ip *ip, const struct ip_packet *packet,
                   const struct icmp_message *message);

/* Asks for target: its solicited-node group, or (mac not NULL) the station that had it last. */
void ndp_send_solicit(struct ip *ip, struct netif *netif, const struct weir_addr *source,
                      const struct weir_addr *target, const struct eth_addr *mac);

/* Asks whether anybody has the tentative address [RFC4862 5.4.2]. */
void ndp_send_probe(struct ip *ip, struct netif *netif, const struct ip_addr *a);

/* Starts asking for routers [RFC4861 6.3.7]. */
void ndp_start_solicit(struct ip *ip, struct netif *netif);
void ndp_expire_solicit(struct ip *ip, struct netif *netif);

#endif
