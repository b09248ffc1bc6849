/*
 * timer.h - what IP waits for
 *
 * All of IP's deadlines are in one wheel with those of the layers above, ip->wheel: IP's are marked.
 * The kind says which struct an entry is part of, and so who is told when it is due (ip_expire).
 */
#ifndef CORE_IP_TIMER_H
#define CORE_IP_TIMER_H

#include "base/wheel.h"

enum { IP_TIMER_OWNER = 1 };

enum ip_timer_kind {
    IP_TIMER_NEIGH,   /* struct neigh: solicit again, or give up */
    IP_TIMER_ADDR,    /* struct ip_addr: duplicate address detection, announcing, lifetimes */
    IP_TIMER_ROUTE,   /* struct route: its lifetime is over */
    IP_TIMER_SOLICIT, /* struct netif: solicit routers again */
    IP_TIMER_FRAG,    /* struct frag: reassembly takes too long */
    IP_TIMER_PMTU,    /* struct pmtu_entry: try a larger packet */
};

struct ip_timer {
    struct wheel_entry entry;
    enum ip_timer_kind kind;
};

#endif
