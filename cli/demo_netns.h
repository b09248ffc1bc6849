/*
 * demo_netns.h - a private network, in which nothing can be broken
 */
#ifndef CLI_DEMO_NETNS_H
#define CLI_DEMO_NETNS_H

#include <stdbool.h>
#include <weir/driver.h>

enum {
    NETNS_WHY_MAX = 400, /* with the NUL */
};

/*
 * Moves this process, which must have one thread, into a network namespace of its own; with
 * a user namespace of its own if it is not root's. False: why has one sentence about what
 * forbids it and how to allow it, without a full stop.
 */
bool netns_enter(char why[NETNS_WHY_MAX]);

/* Opens a TUN device there whose kernel end has this address. NULL and why, as above. */
struct weir_driver *netns_open_tun(const struct weir_prefix *kernel, char why[NETNS_WHY_MAX]);

#endif
