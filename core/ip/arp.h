/*
 * arp.h - address resolution for IPv4 [RFC826], conflicts [RFC5227]
 *
 * Turns ARP packets into news for the neighbour cache, answers requests for our
 * addresses, and defends these.
 */
#ifndef CORE_IP_ARP_H
#define CORE_IP_ARP_H

#include "base/span.h"
#include "base/why.h"
#include "wire/eth.h"
#include <weir/addr.h>

struct ip;
struct netif;

/* Returns WHY_NONE if the packet was of use. */
enum why arp_input(struct ip *ip, struct netif *netif, struct span bytes);

/* Asks for target, everybody or (mac not NULL) the one station that had it last. */
void arp_send_request(struct ip *ip, struct netif *netif, const struct weir_addr *source,
                      const struct weir_addr *target, const struct eth_addr *mac);

/* Tells everybody that the address is ours [RFC5227 2.3]. */
void arp_announce(struct ip *ip, struct netif *netif, const struct weir_addr *addr);

#endif
