/*
 * slaac.h - addresses made from prefixes [RFC4862], stable and opaque [RFC7217]
 *
 * The interface identifier is a keyed hash of prefix, interface and a counter of
 * collisions: the same in the same network, different and unpredictable elsewhere.
 */
#ifndef CORE_IP_SLAAC_H
#define CORE_IP_SLAAC_H

#include <weir/err.h>

struct ip;
struct ip_addr;
struct ndp_prefix;
struct netif;

enum {
    SLAAC_ADDRESSES_MAX = 16, /* of one interface, as Linux (max_addresses) */
    SLAAC_RETRIES = 3,        /* IDGEN_RETRIES [RFC7217 7] */
};

/* Gives the interface its link-local address. Returns 0 or WEIR_ENOMEM. */
int slaac_add_link_local(struct ip *ip, struct netif *netif);

/* A router advertises a prefix with the autonomous flag [RFC4862 5.5.3]. */
void slaac_on_prefix(struct ip *ip, struct netif *netif, const struct ndp_prefix *prefix);

/* An address we made is taken: makes the next one, unless it was the last try. */
void slaac_on_duplicate(struct ip *ip, const struct ip_addr *a);

#endif
