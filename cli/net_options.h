/*
 * net_options.h - the options of every command that uses the network
 */
#ifndef CLI_NET_OPTIONS_H
#define CLI_NET_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/addr.h>

#include "cli/options.h"

enum {
    NET_ADDRESSES_MAX = 16,
};

struct net_addresses {
    struct weir_prefix of[NET_ADDRESSES_MAX];
    size_t count;
};

struct net_options {
    const char *device; /* NULL: a new one, named by the kernel */
    bool tap;
    struct net_addresses own;
    struct net_addresses peer; /* what the kernel's end is to have */
    struct net_addresses gateways;
    uint32_t mtu; /* 0: as the device has it */
    bool no_setup;
    bool no_offload;
    int family; /* 4 or 6; 0: either */
    const char *pcap;
    const char *record;
    bool trace;
    bool json;
    bool stats;
    bool quiet;
    bool verbose;
};

/* Tables for options_read, with a struct net_options as the target. */
extern const struct option_spec net_option_specs[];
extern const struct option_spec net_family_specs[]; /* -4 and -6 */

/* Says what does not go together; EXIT_OK or EXIT_USAGE. */
int net_options_check(const char *command, const struct net_options *options);

#endif
