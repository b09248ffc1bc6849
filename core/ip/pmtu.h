/*
 * pmtu.h - the path MTU cache [RFC1191, RFC8201]
 *
 * Keyed by destination, bounded, oldest out first. An entry is forgotten after
 * path_mtu_ns, so that a larger packet is tried again [RFC1191 6.3]. Every change
 * advances ip->epoch, so that cached paths are looked up anew.
 */
#ifndef CORE_IP_PMTU_H
#define CORE_IP_PMTU_H

#include "base/list.h"
#include "base/pool.h"
#include "base/table.h"
#include "ip/timer.h"
#include <stdbool.h>
#include <stdint.h>
#include <weir/addr.h>

struct ip;

enum {
    PMTU_MIN4 = 552,  /* no smaller value is believed, as Linux (min_pmtu) */
    PMTU_MIN6 = 1280, /* [RFC8201 4] */
};

struct pmtu_entry {
    struct list link; /* in pmtus.all, oldest first */
    struct weir_addr dst;
    uint32_t mtu;
    struct ip_timer timer;
};

struct pmtus {
    struct pool pool;
    struct table table;
    struct list all;
};

bool pmtu_init(struct ip *ip);
void pmtu_fini(struct ip *ip);

/* The path's MTU, at most link_mtu. */
uint32_t pmtu_find(const struct ip *ip, const struct weir_addr *dst, uint32_t link_mtu);

/*
 * A packet was too big, as an ICMP error that has been checked says. mtu 0: a router that
 * does not say; the next plateau below packet_len is taken [RFC1191 7.1]. A value larger
 * than what is known is ignored.
 */
void pmtu_update(struct ip *ip, const struct weir_addr *dst, uint32_t mtu, uint32_t packet_len);

void pmtu_expire(struct ip *ip, struct pmtu_entry *e);

#endif
