/*
 * udp.c - a host without UDP and pingers: there are no endpoints, and who asks for one is told so
 *
 * Pings of others are answered all the same (ip/icmp.c).
 *
 * In place of: udp.c ping.c stored.c
 */
#include "udp/udp.h"
#include "udp/ping.h"

bool udp_init(struct udp *udp, const struct udp_setup *setup)
{
    return true;
}

void udp_fini(struct udp *udp)
{
}

int udp_open(struct udp *udp, const struct weir_endpoint *local, const struct weir_endpoint *remote,
             struct udp_rules rules, struct udp_endpoint **endpoint)
{
    return WEIR_ENOTSUP;
}

int udp_connect(struct udp *udp, struct udp_endpoint *endpoint, const struct weir_addr *local,
                const struct weir_endpoint *remote)
{
    return WEIR_ENOTSUP;
}

void udp_close(struct udp *udp, struct udp_endpoint **endpoint)
{
}

uint64_t udp_handle(const struct udp *udp, const struct udp_endpoint *endpoint)
{
    return 0;
}

struct udp_endpoint *udp_endpoint_of(const struct udp *udp, uint64_t handle)
{
    return NULL;
}

struct udp_endpoint *udp_find(const struct udp *udp, const struct weir_endpoint *local,
                              const struct weir_endpoint *remote)
{
    return NULL;
}

enum why udp_take_header(struct udp_arrival *arrival, const struct weir_slice *slices,
                         size_t slice_count, bool checksum_known)
{
    return WHY_UDP_MALFORMED;
}

enum why udp_input(struct udp *udp, struct udp_endpoint *endpoint,
                   const struct udp_arrival *arrival)
{
    return WHY_UDP_NO_PORT;
}

void udp_on_error(struct udp_endpoint *endpoint, int error)
{
}

ptrdiff_t udp_recv(struct udp *udp, struct udp_endpoint *endpoint, void *bytes, size_t len,
                   struct weir_endpoint *from, struct weir_endpoint *to)
{
    return WEIR_ENOTSUP;
}

ptrdiff_t udp_peek(const struct udp_endpoint *endpoint, void *bytes, size_t len,
                   struct weir_datagram *about)
{
    return WEIR_ENOTSUP;
}

bool udp_is_readable(const struct udp_endpoint *endpoint)
{
    return false;
}

int udp_output(struct udp *udp, const struct udp_send *send, struct frame **frame)
{
    return WEIR_ENOTSUP;
}

bool ping_init(struct pings *pings, const struct udp_setup *setup)
{
    return true;
}

void ping_fini(struct pings *pings)
{
}

int ping_open(struct pings *pings, const struct weir_addr *local, const struct weir_addr *remote,
              struct ping **ping)
{
    return WEIR_ENOTSUP;
}

void ping_close(struct pings *pings, struct ping **ping)
{
}

uint64_t ping_handle(const struct pings *pings, const struct ping *ping)
{
    return 0;
}

struct ping *ping_of(const struct pings *pings, uint64_t handle)
{
    return NULL;
}

struct ping *ping_find(const struct pings *pings, const struct weir_addr *remote, uint16_t id)
{
    return NULL;
}

enum why ping_input(struct pings *pings, struct ping *ping, const struct weir_ping_reply *reply,
                    const struct weir_slice *slices, size_t slice_count)
{
    return WHY_ICMP_NOT_OURS;
}

bool ping_on_error(struct pings *pings, const struct weir_addr *remote, const uint8_t *transport,
                   size_t len, const struct weir_ping_reply *reply, struct ping **ping)
{
    return false;
}

bool ping_is_readable(const struct ping *ping)
{
    return false;
}

ptrdiff_t ping_recv(struct pings *pings, struct ping *ping, void *bytes, size_t len,
                    struct weir_ping_reply *reply)
{
    return WEIR_ENOTSUP;
}

int ping_output(struct pings *pings, const struct ping *ping, uint16_t sequence, const void *bytes,
                size_t len, struct frame **frame)
{
    return WEIR_ENOTSUP;
}
