/*
 * udp.h - UDP endpoints
 *
 * A table of endpoints, each with a bounded queue of datagrams. Nothing here knows IP: a
 * datagram comes in with its addresses, and goes out as a frame that begins with the UDP
 * header, its checksum still partial.
 *
 * Endpoints are named by handles of their pool (base/pool.h); the members under "the
 * stack's" are for the layer above.
 */
#ifndef CORE_UDP_UDP_H
#define CORE_UDP_UDP_H

#include "base/frame.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/siphash.h"
#include "base/table.h"
#include "base/why.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/udp.h>

struct buf;
struct bufs;
struct mem;

enum {
    UDP_QUEUE_BYTES = 256 * 1024, /* default of recv_buffer_bytes: as they lie in memory */
    UDP_QUEUE_COUNT = 1024,       /* datagrams in one queue at most */
    UDP_PAYLOAD_MAX4 = 65535 - 20 - 8,
    UDP_PAYLOAD_MAX6 = 65535 - 8,
};

struct udp_endpoint {
    struct weir_endpoint local;  /* the port is never 0; addr may be any */
    struct weir_endpoint remote; /* if is_connected */
    struct weir_addr bound;      /* what local.addr is without a remote end */
    bool is_connected;
    bool v6only;      /* on ::, not for IPv4 */
    bool shares_port; /* with others that do */
    uint8_t ttl, tos; /* 0: the stack's default */
    int error;        /* what the network reported, told once; 0: nothing */
    uint32_t recv_buffer_bytes;
    uint32_t queue_bytes;
    uint32_t queue_count;
    uint32_t hash;
    struct list queue;

    /* The stack's. */
    struct list ready;
    uint64_t user;
    uint32_t events;
};

struct udp {
    struct bufs *bufs;
    struct pool *frames;
    struct pool endpoints; /* with handles */
    struct table table;
    struct siphash_key key;
    uint16_t port_first, port_last;
    uint16_t port_counter;
};

/* How an endpoint is bound. */
struct udp_rules {
    bool v6only;
    bool shares_port; /* others may have the same place, if they say the same */
};

struct udp_setup {
    struct mem *mem;
    struct bufs *bufs;
    struct pool *frames;
    const struct weir_config *config;
};

/* False: the slabs are too small. Allocates nothing. */
bool udp_init(struct udp *udp, const struct udp_setup *setup);
void udp_fini(struct udp *udp);

/*
 * Opens an endpoint. local.addr may be any (of either family, or of IPv4); port 0: one is
 * chosen [RFC6056]. With remote not NULL local.addr must be specified. rules.v6only: local.addr is ::
 * and means IPv6 alone. Returns 0, or WEIR_EINVAL, WEIR_EADDRINUSE, WEIR_EADDRNOTAVAIL (no port is
 * left), WEIR_ENOMEM.
 */
int udp_open(struct udp *udp, const struct weir_endpoint *local, const struct weir_endpoint *remote,
             struct udp_rules rules, struct udp_endpoint **endpoint);

/*
 * Gives an endpoint another remote end, and the local address that goes with it; NULL: none.
 * Returns 0, WEIR_EINVAL, WEIR_EADDRINUSE or WEIR_ENOMEM, which change nothing.
 */
int udp_connect(struct udp *udp, struct udp_endpoint *endpoint, const struct weir_addr *local,
                const struct weir_endpoint *remote);

/* Takes *endpoint; what waits in it is gone. */
void udp_close(struct udp *udp, struct udp_endpoint **endpoint);

uint64_t udp_handle(const struct udp *udp, const struct udp_endpoint *endpoint);
struct udp_endpoint *udp_endpoint_of(const struct udp *udp, uint64_t handle);

/* The endpoint for a datagram: the one connected to from before one that hears all. */
struct udp_endpoint *udp_find(const struct udp *udp, const struct weir_endpoint *local,
                              const struct weir_endpoint *remote);

/* A datagram on its way in. netif in from and to is the interface it came in by. */
struct udp_arrival {
    struct weir_endpoint from, to;
    struct weir_slice slices[WEIR_FRAME_SLICES]; /* the payload */
    size_t slice_count;
    size_t len;
    uint8_t ttl, tos;
    weir_ns_t at;
};

/*
 * Reads the UDP header from transport bytes of len bytes in all; from.addr and to.addr are
 * set already. checksum_known: it need not be verified. Returns WHY_NONE, or
 * WHY_UDP_MALFORMED or WHY_UDP_CHECKSUM.
 */
enum why udp_take_header(struct udp_arrival *arrival, const struct weir_slice *slices,
                         size_t slice_count, bool checksum_known);

/* Queues a copy. Returns WHY_NONE, WHY_UDP_QUEUE or WHY_NO_MEMORY. */
enum why udp_input(struct udp *udp, struct udp_endpoint *endpoint,
                   const struct udp_arrival *arrival);

/* The network says this of a datagram that was sent: a code of weir/err.h. */
void udp_on_error(struct udp_endpoint *endpoint, int error);

/* As weir_udp_recv, without WEIR_ESTALE. */
ptrdiff_t udp_recv(struct udp *udp, struct udp_endpoint *endpoint, void *bytes, size_t len,
                   struct weir_endpoint *from, struct weir_endpoint *to);

/* The next datagram without the error before it; it stays. As weir_udp_peek. */
ptrdiff_t udp_peek(const struct udp_endpoint *endpoint, void *bytes, size_t len,
                   struct weir_datagram *about);

/* Is there something for udp_recv: a datagram or an error? */
bool udp_is_readable(const struct udp_endpoint *endpoint);

struct udp_send {
    struct weir_endpoint from, to; /* from.addr is specified: the path's source */
    const void *bytes;
    size_t len;
};

/*
 * Makes the frame for a datagram: header, copied payload, partial checksum. Returns 0, or
 * WEIR_EMSGSIZE, WEIR_ENOMEM.
 */
int udp_output(struct udp *udp, const struct udp_send *send, struct frame **frame);

#endif
