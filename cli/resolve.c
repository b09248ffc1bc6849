/*
 * resolve.c - names of hosts and ports, as the machine knows them
 */
#include "cli/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/options.h"
#include "cli/say.h"
#include "cli/session.h"

static int to_addr(const struct sockaddr *from, struct weir_addr *addr)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    if (from->sa_family == AF_INET) {
        const uint8_t *b = (const uint8_t *)&in.sin_addr;
        memcpy(&in, from, sizeof in);
        *addr = weir_addr_v4(b[0], b[1], b[2], b[3]);
        return 0;
    }
    if (from->sa_family != AF_INET6)
        return -1;
    memcpy(&in6, from, sizeof in6);
    memcpy(addr->b, &in6.sin6_addr, sizeof addr->b);
    return 0;
}

static bool is_wanted(const struct session *session, int family, const struct weir_addr *addr)
{
    int its_family = weir_addr_is_v4(addr) ? 4 : 6;

    return (family == 0 || family == its_family) && session_own(session, its_family) != NULL;
}

int resolve_host(const struct session *session, const char *host, int family,
                 struct weir_addr addrs[RESOLVE_MAX])
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL, *at;
    int count = 0, err = 0;

    if (weir_addr_parse(host, &addrs[0]) == 0) {
        count = is_wanted(session, family, &addrs[0]) ? 1 : 0;
    } else {
        err = getaddrinfo(host, NULL, &hints, &found);
        for (at = err == 0 ? found : NULL; at != NULL && count < RESOLVE_MAX; at = at->ai_next)
            if (to_addr(at->ai_addr, &addrs[count]) == 0
                && is_wanted(session, family, &addrs[count]))
                count++;
        if (err == 0)
            freeaddrinfo(found);
    }
    if (err != 0)
        say("cannot find the address of %s: %s", host, gai_strerror(err));
    else if (count == 0)
        say("%s has no address of a family that we use here", host);
    return count > 0 ? count : -1;
}

int resolve_port(const char *text, uint16_t *port)
{
    unsigned long long number;
    struct servent *service;

    if (options_number(text, 1, 65535, &number) == 0) {
        *port = (uint16_t)number;
        return 0;
    }
    service = getservbyname(text, "tcp");
    if (service == NULL)
        return -1;
    *port = ntohs((uint16_t)service->s_port);
    return 0;
}
