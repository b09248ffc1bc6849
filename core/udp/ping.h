/*
 * ping.h - echo requests and their replies, of both families
 *
 * A pinger has one peer and an identifier of its own; replies and errors wait in a
 * bounded queue.
 */
#ifndef CORE_UDP_PING_H
#define CORE_UDP_PING_H

#include "base/frame.h"
#include "base/list.h"
#include "base/ns.h"
#include "base/pool.h"
#include "base/siphash.h"
#include "base/table.h"
#include "base/why.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/udp.h>

struct bufs;
struct mem;
struct udp_setup;

enum {
    PING_QUEUE_COUNT = 64,
    PING_QUEUE_BYTES = 256 * 1024,
    PING_PAYLOAD_MAX = 65535 - 40 - 8,
};

struct ping {
    struct weir_addr local, remote;
    uint16_t id;
    uint32_t queue_bytes;
    uint32_t queue_count;
    uint32_t hash;
    struct list queue;

    /* The stack's. */
    struct list ready;
    uint64_t user;
    uint32_t events;
};

struct pings {
    struct bufs *bufs;
    struct pool *frames;
    struct pool pool; /* with handles */
    struct table table;
    struct siphash_key key;
    uint16_t id_counter;
};

bool ping_init(struct pings *pings, const struct udp_setup *setup);
void ping_fini(struct pings *pings);

/* Returns 0, or WEIR_EINVAL, WEIR_EADDRNOTAVAIL (no identifier is left), WEIR_ENOMEM. */
int ping_open(struct pings *pings, const struct weir_addr *local, const struct weir_addr *remote,
              struct ping **ping);
void ping_close(struct pings *pings, struct ping **ping);

uint64_t ping_handle(const struct pings *pings, const struct ping *ping);
struct ping *ping_of(const struct pings *pings, uint64_t handle);

/* The pinger that sent to remote under this identifier; NULL: nobody did. */
struct ping *ping_find(const struct pings *pings, const struct weir_addr *remote, uint16_t id);

/* A reply's payload, or an error (reply->error) without one. WHY_UDP_QUEUE, WHY_NO_MEMORY. */
enum why ping_input(struct pings *pings, struct ping *ping, const struct weir_ping_reply *reply,
                    const struct weir_slice *slices, size_t slice_count);

/*
 * An ICMP error quotes transport bytes of one of our packets: if they are those of an echo
 * request, its pinger is found and reply queued with the request's sequence number. False:
 * it is nobody's, or there is no room for it.
 */
bool ping_on_error(struct pings *pings, const struct weir_addr *remote, const uint8_t *transport,
                   size_t len, const struct weir_ping_reply *reply, struct ping **ping);

bool ping_is_readable(const struct ping *ping);

/* As weir_ping_recv, without WEIR_ESTALE. */
ptrdiff_t ping_recv(struct pings *pings, struct ping *ping, void *bytes, size_t len,
                    struct weir_ping_reply *reply);

/*
 * Makes the frame of a request: ICMP header with its checksum and copied payload. Returns
 * 0, or WEIR_EMSGSIZE, WEIR_ENOMEM.
 */
int ping_output(struct pings *pings, const struct ping *ping, uint16_t sequence, const void *bytes,
                size_t len, struct frame **frame);

#endif
