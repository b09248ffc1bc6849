/*
 * options.h - what the programs of the interop tests are told
 *
 *   PROGRAM connect ENDPOINT | listen ENDPOINT  [--NAME [VALUE]]...
 */
#ifndef TESTS_INTEROP_OPTIONS_H
#define TESTS_INTEROP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "interop/flow.h"

enum { OPTIONS_ADDRS = 4 };

struct options {
    const char *endpoint;
    bool listens;
    uint32_t count;      /* connections */
    bool together;       /* receive nothing until all are there */
    bool one_by_one;     /* each when the one before has ended */
    uint32_t rest_ms;    /* from a connection's end to the next one's beginning */
    uint16_t local_port; /* to connect from; 0: any */
    uint32_t pause_ms;   /* receive nothing until so long after a connection is there */
    uint32_t timeout_s;  /* for everything */
    const char *expect;  /* how connections end: the name of an error; NULL: well */
    const char *md5;     /* the key of all segments; NULL: they have no digest */
    bool fastopen;       /* data in SYNs, where it can be */
    struct flow_plan plan;

    /* Weir alone */
    const char *device;
    bool tap, no_offload, lent, nodelay;
    uint32_t mtu;
    const char *own[OPTIONS_ADDRS], *peer[OPTIONS_ADDRS];
    const char *gateway[OPTIONS_ADDRS];
    uint32_t own_count, peer_count, gateway_count;
    uint32_t keepalive_ms, user_timeout_ms;
    uint32_t datagrams; /* longest datagram */
    uint32_t ecn;       /* one more than an enum weir_ecn; 0: the default */
    const char *marks;  /* all connections have ECN of that kind, and marks have come both ways */
    uint32_t syn_queue; /* half-open connections; 0: the default */
};

/* Ends the program if an option is not as it must be. */
void options_parse(struct options *o, int argc, char **argv);

#endif
