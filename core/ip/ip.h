/*
 * ip.h - the internet layer of a stack, both versions
 *
 * Packets in: the stack hands each frame to ip_input, which answers what is IP's own
 * business (ARP, NDP, echo, fragments) and hands back what is not. Packets out: ip_route
 * finds a path once, ip_send uses it for every packet. Nothing calls upward: verdicts,
 * the out and back queues of the interfaces, and ip_take_failure say what there is to do.
 *
 * The stack sets ip->now before it calls anything here. Counting: whoever drops, counts;
 * what IP drops is counted (and traced) before the call returns. Tracing: IP traces what
 * it uses up or drops on the way in, the stack what it is handed; IP traces all that is
 * sent, for it alone has seen the whole packet.
 */
#ifndef CORE_IP_IP_H
#define CORE_IP_IP_H

#include "base/addr.h"
#include "base/frame.h"
#include "base/ns.h"
#include "base/parts.h"
#include "base/rng.h"
#include "base/siphash.h"
#include "base/span.h"
#include "base/wheel.h"
#include "base/why.h"
#include "ip/addrs.h"
#include "ip/frag.h"
#include "ip/icmp.h"
#include "ip/neigh.h"
#include "ip/netif.h"
#include "ip/pmtu.h"
#include "ip/route.h"
#include "ip/timer.h"
#include "ip/verdict.h"
#include "wire/ip.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/config.h>
#include <weir/weir.h>

struct buf;
struct bufs;
struct checksum_ops;
struct mem;
struct tracer;
struct weir_trace;

enum {
    IP_ID_COUNTERS = HAS_SCALE ? 256 : 16,
};

struct ip {
    ns_t now; /* set by the stack before each call */

    struct mem *mem;
    struct bufs *bufs;
    struct pool *frames;
    uint64_t *dropped; /* indexed by enum why */
    const struct tracer *tracer;
    const struct checksum_ops *checksum;
    struct weir_ip_config config;
    size_t slab_bytes;

    /* Advances whenever a path looked up before may be wrong; never 0. */
    uint32_t epoch;

    struct siphash_key hash_key;   /* of the tables */
    struct siphash_key id_key;     /* of identifications */
    struct siphash_key stable_key; /* of stable addresses [RFC7217] */
    struct rng rng;
    struct wheel *wheel; /* which is the whole stack's */

    struct netif *netifs[NETIF_SLOTS]; /* the first netif_count are not NULL; removed: id 0 */
    uint32_t netif_count;

    struct addrs addrs;
    struct routes routes;
    struct neighs neighs;
    struct frags frags;
    struct pmtus pmtus;
    struct icmp_limits icmp_limits;
    uint32_t id_counters[IP_ID_COUNTERS]; /* of identifications, by a keyed hash */

    struct frames failed;       /* packets whose next hop does not answer: ip_take_failure */
    struct frame *failed_taken; /* what the last ip_take_failure spoke of */
    uint64_t icmp_in, icmp_out;
};

/* What a stack gives its IP. The pointers stay valid as long as the IP does. */
struct ip_setup {
    struct mem *mem;
    struct bufs *bufs;
    struct pool *frames; /* of struct frame */
    const struct weir_config *config;
    uint64_t *dropped; /* WHY_COUNT counters */
    const struct tracer *tracer;
    struct wheel *wheel; /* for entries whose owner is IP_TIMER_OWNER */
    ns_t now;
};

/* 0, or WEIR_EINVAL: the slabs are too small for an object. Allocates nothing. */
int ip_init(struct ip *ip, const struct ip_setup *setup);
void ip_fini(struct ip *ip);

/* ---- in ---- */

enum ip_csum {
    IP_CSUM_UNKNOWN, /* to be verified */
    IP_CSUM_PARTIAL, /* never made, because it never left the machine: right */
    IP_CSUM_VALID,   /* verified by the driver */
};

/* A packet on its way in, parsed once. Its bytes are lent for as long as the frame's are. */
struct ip_packet {
    struct netif *netif;
    struct weir_frame *frame; /* it came in; NULL for one put together from fragments */
    struct weir_addr src, dst;
    uint8_t protocol; /* enum ip_protocol */
    uint8_t ttl;
    uint8_t tos;            /* DiffServ and ECN */
    bool is_group;          /* to a broadcast or multicast address, of IP or of the link */
    uint32_t protocol_at;   /* IPv6: the offset of the byte that says protocol */
    bool is_later_fragment; /* other than the first; these two are only seen inside IP */
    bool is_waiting;        /* taken by reassembly, which waits for more */
    enum ip_csum csum;      /* of the transport */
    uint8_t gso;            /* enum weir_gso */
    uint8_t gso_flags;      /* WEIR_FRAME_GSO_ECN */
    uint16_t gso_size;
    uint32_t len;        /* of the whole packet */
    uint32_t header_len; /* the IP header with options or extension headers */
    uint8_t slice_count;
    uint8_t held_count;
    struct weir_slice slices[WEIR_FRAME_SLICES]; /* the IP packet, without link header and pad */
    struct buf *held[WEIR_FRAME_SLICES];         /* put together: its bufs, to be let go of */
    struct icmp_error error;                     /* IP_ICMP_ERROR */
    struct icmp_echo echo;                       /* IP_ECHO_REPLY */
};

/* A frame has come in by netif. It is the caller's, who releases it when done. */
enum ip_verdict ip_input(struct ip *ip, struct netif *netif, struct weir_frame *frame,
                         struct ip_packet *packet);

/* The same for what the caller took from netif->back: no link header, any source of ours. */
enum ip_verdict ip_input_back(struct ip *ip, struct netif *netif, struct frame *frame,
                              struct ip_packet *packet);

/* Whether a packet that came in by netif may be one from another host to an address of ours. */
bool ip_is_for_us(struct ip *ip, struct netif *netif, const struct weir_addr *src,
                  const struct weir_addr *dst);

/* Lets go of what the packet owns. To be called after every verdict but IP_CONSUMED. */
void ip_packet_fini(struct ip *ip, struct ip_packet *packet);

/* The transport's bytes in the first slice: all of its header, if the frame is well made. */
static inline struct span ip_packet_head(const struct ip_packet *packet)
{
    return span_of(packet->slices[0].bytes + packet->header_len,
                   packet->slices[0].len - packet->header_len);
}

/* How many bytes the transport has in all slices; those after the first are slices[1...]. */
static inline uint32_t ip_packet_transport_len(const struct ip_packet *packet)
{
    return packet->len - packet->header_len;
}

/* The sum of the transport's bytes and its pseudo-header (checksum.h), all slices. */
uint32_t ip_packet_sum(const struct ip_packet *packet);

/* Is the transport's checksum right, or known to be? */
bool ip_packet_has_good_checksum(const struct ip_packet *packet);

/* ---- out ---- */

/* Where packets to one destination go. Valid while epoch is the IP's. */
struct ip_path {
    struct weir_addr src;
    struct weir_addr next_hop;
    struct netif *netif;
    struct neigh *neigh; /* a hint; NULL: not looked for yet */
    uint32_t epoch;
    uint32_t mtu;     /* of the path: largest packet with its IP header */
    uint32_t id_base; /* identifications are id_base + id_counters[id_slot] */
    uint8_t id_slot;
    bool is_local; /* to one of our own addresses: it will come back */
    bool is_group; /* to a broadcast or multicast address */
};

/*
 * Finds the path to dst. src (NULL or unspecified: choose one [RFC6724 5]) must be ours;
 * netif 0 means any. Returns 0, or
 *   WEIR_ENETUNREACH   no route, or no interface for a link-local address
 *   WEIR_EADDRNOTAVAIL src is not ours, or there is no source of that family
 *   WEIR_EINVAL        dst is unspecified, or the families differ
 */
int ip_route(struct ip *ip, const struct weir_addr *dst, const struct weir_addr *src,
             weir_netif_t netif, struct ip_path *path);

/* Whether a packet came from there by that interface just now: it is no address of ours there. */
static inline bool ip_is_good_source(const struct ip *ip, const struct netif *netif,
                                     const struct weir_addr *addr)
{
    return netif->good_source_epoch == ip->epoch && addr_eq(addr, &netif->good_source);
}

static inline bool ip_path_is_current(const struct ip *ip, const struct ip_path *path)
{
    return path->epoch == ip->epoch;
}

static inline bool ip_path_is_local(const struct ip_path *path)
{
    return HAS_ROUTING && path->is_local;
}

struct ip_send {
    struct weir_addr src, dst; /* of the same family; dst is what the path was found for */
    uint8_t protocol;
    uint8_t ttl;              /* 0: the configured one */
    uint8_t tos;              /* DiffServ and ECN */
    bool dont_fragment;       /* IPv4: DF; IPv6: do not fragment here */
    uint32_t flow_label;      /* IPv6: 20 bits */
    struct weir_trace *trace; /* what PACKET_OUT is to say beside the packet (conn, local, remote,
                                  from, retransmit), or NULL; IP fills in the rest */
};

/*
 * Sends the transport's frame: pushes the IP header, cuts it into fragments if it must and
 * may, finds the neighbour, and queues it at the interface. A path that is no longer
 * current is looked up anew. Takes *frame in any case, leaves NULL. Returns WHY_NONE or
 * the reason, already counted, for which it was not sent:
 *   WHY_NO_ROUTE, WHY_TOO_BIG (path->mtu says what fits), WHY_NEIGH_FULL, WHY_NO_MEMORY
 */
enum why ip_send(struct ip *ip, struct ip_path *path, const struct ip_send *how,
                 struct frame **frame);

/* ---- time ---- */

/* Does what is due: an entry of IP's that was taken out of the wheel. */
void ip_expire(struct ip *ip, struct wheel_entry *due);

/* When there is something to do besides what the wheel says; NEVER: nothing is pending. */
ns_t ip_deadline(const struct ip *ip);

/*
 * The next packet of ours that could not be delivered because its next hop does not
 * answer: as an ICMP error of kind ICMP_ERROR_HOST from ourselves. False: there is none.
 * The error's bytes are valid until the next call of this function. To be called until
 * false after ip_expire and after the frames of one weir_input.
 */
bool ip_take_failure(struct ip *ip, struct icmp_error *error);

/* Whether there may be one, or something is kept for the last one. */
static inline bool ip_has_failure(const struct ip *ip)
{
    return ip->failed.head != NULL || ip->failed_taken != NULL;
}

/* ---- for the files of this folder ---- */

/* Counts and traces a drop. */
void ip_drop(struct ip *ip, enum why why);

/* The packet goes no further, for a reason or because it was of use (WHY_NONE). */
enum ip_verdict ip_consume(struct ip *ip, struct ip_packet *packet, enum why why);

/* Drops a frame that was on its way out. Takes *frame. Returns why. */
enum why ip_drop_frame(struct ip *ip, struct frame **frame, enum why why);

/* Paths looked up before may be wrong now. */
void ip_advance_epoch(struct ip *ip);

/* A keyed hash of up to two addresses and a number, for tables. */
uint32_t ip_keyed_hash(const struct ip *ip, const struct weir_addr *a, const struct weir_addr *b,
                       uint64_t number);

/* Where tables are lists that are searched, nothing is gained by it. */
static inline uint32_t ip_hash(const struct ip *ip, const struct weir_addr *a,
                               const struct weir_addr *b, uint64_t number)
{
    return HAS_SCALE ? ip_keyed_hash(ip, a, b, number) : 0;
}

void ip_arm(struct ip *ip, struct ip_timer *timer, ns_t at);
void ip_disarm(struct ip *ip, struct ip_timer *timer);

/* Fills in what PACKET_IN says of the packet: at, netif, slices, packet_len, gso_size. */
void ip_fill_trace(const struct ip *ip, const struct ip_packet *packet, struct weir_trace *trace);

/* Traces a packet that IP itself uses up. */
void ip_trace_in(struct ip *ip, const struct ip_packet *packet);

/* Traces a packet that has its IP header. more may be NULL. */
void ip_trace_out(struct ip *ip, const struct netif *netif, const struct frame *frame,
                  struct weir_trace *more);

/* Sends a message of ICMP or NDP that IP itself makes, as ip_send does. */
enum why ip_send_own(struct ip *ip, struct ip_path *path, const struct ip_send *how,
                     struct frame **frame);

/* Sends a packet that has its IP header by its path. Takes *frame. */
enum why ip_transmit(struct ip *ip, struct ip_path *path, struct frame **frame);

/* The identification of the next count packets on this path [RFC6864 4.1, RFC7739 5.3]. */
uint32_t ip_next_id(struct ip *ip, const struct ip_path *path, uint32_t count);

/* Is there room for another answer of IP's own? Counts a drop if there is not. */
bool ip_may_answer(struct ip *ip, const struct netif *netif);

/* Copies len bytes that begin offset bytes into the packet, and are there. */
void ip_packet_copy(const struct ip_packet *packet, size_t offset, uint8_t *to, size_t len);

/* Adds such bytes to a frame as copies in bufs. False: out of memory or slices. */
bool ip_add_copy(struct ip *ip, struct frame *frame, const struct ip_packet *packet, size_t offset,
                 size_t len);

/* Cuts off what is behind the first len bytes: the link's padding. */
void ip_packet_trim(struct ip_packet *packet, uint32_t len);

/* May packets have this source? Not for packets from ourselves. */
bool ip_is_possible_source(struct ip *ip, const struct ip_packet *packet);

#endif
