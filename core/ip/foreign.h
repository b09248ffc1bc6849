/*
 * foreign.h - IPv4 addresses that are as foreign as one another
 *
 * Packets from very many sources are asked each time whether the source can be one, and where the
 * answer goes. Nearly all are answered the same: between two addresses at which something of ours begins
 * or ends, or a route, there are all the others.
 */
#ifndef CORE_IP_FOREIGN_H
#define CORE_IP_FOREIGN_H

#include <stdbool.h>
#include <stdint.h>
#include <weir/addr.h>

struct ip;

struct foreign {
    uint32_t first, last; /* as numbers, both included */
};

/*
 * The neighbours of an IPv4 address for which the same route is the best, none of them ours, a broadcast
 * address or one that no packet may come from. They stay so as long as ip->epoch does. False: it is none itself, or there
 * are too many addresses and routes to look through.
 */
bool foreign_find(const struct ip *ip, const struct weir_addr *addr, struct foreign *out);

static inline bool foreign_has(const struct foreign *f, uint32_t addr)
{
    return addr - f->first <= f->last - f->first;
}

#endif
