/*
 * resolve.h - names of hosts and ports, as the machine knows them
 */
#ifndef CLI_RESOLVE_H
#define CLI_RESOLVE_H

#include <stddef.h>
#include <stdint.h>
#include <weir/addr.h>

struct session;

enum {
    RESOLVE_MAX = 16,
};

/*
 * The addresses of host that we have an address of the same family for, in the order in which
 * they should be tried; family is 4, 6 or 0 for both. The machine's resolver may ask the
 * network and takes its time. Returns how many, or -1 after it was said why there are none.
 */
int resolve_host(const struct session *session, const char *host, int family,
                 struct weir_addr addrs[RESOLVE_MAX]);

/* A number or the name of a TCP service; 0 or -1. */
int resolve_port(const char *text, uint16_t *port);

#endif
