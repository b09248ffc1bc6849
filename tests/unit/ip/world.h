/*
 * world.h - one IP with its memory, a clock, and peers that the test speaks for
 *
 * The world has an Ethernet interface (eth, 192.0.2.1/24) and a TUN (tun, 10.0.0.1/24).
 * The peer on the Ethernet is 192.0.2.2, fe80::2 and 2001:db8::2, and its MAC address ends
 * in 2.
 */
#ifndef TESTS_UNIT_IP_WORLD_H
#define TESTS_UNIT_IP_WORLD_H

#include "base/buf.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/trace.h"
#include "ip/ip.h"
#include "lib/failing_alloc.h"
#include "lib/test.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/ndp.h"
#include "wire/pkt.h"

enum { WORLD_BYTES = 70000 };

struct world {
    struct failing_alloc alloc;
    struct mem mem;
    struct bufs bufs;
    struct pool frames;
    struct weir_config config;
    uint64_t dropped[WHY_COUNT];
    struct tracer tracer;
    struct wheel wheel;
    struct ip ip;
    struct netif *eth, *tun;

    struct ip_packet packet; /* of the last world_in */

    /* The last frame out. */
    uint8_t out[WORLD_BYTES];
    size_t out_len;
    struct eth_header link; /* if it came from an Ethernet */
    bool is_arp;
    struct arp_packet arp;
    struct pkt pkt; /* if it is IP */
    struct span ip_bytes;
    struct ndp_message ndp; /* if it is NDP */
    bool is_ndp;
};

/* Without interfaces. */
struct world *world_new(void);

/* The same with slabs so small that nearly every object is an allocation. */
struct world *world_new_small(void);

/* With both, and their IPv4 addresses; what they have to say at the start is over. */
struct world *world_of_two(void);

/* Checks that all pools are full again. Takes *w. */
void world_free(struct world **w);

struct netif *world_add_eth(struct world *w);
struct netif *world_add_tun(struct world *w);

/* Does what is due. */
void world_expire(struct world *w);

/* When there is something to do next; NEVER: nothing is pending. */
ns_t world_deadline(struct world *w);

/* Lets so much time pass, deadline by deadline. */
void world_wait(struct world *w, ns_t duration_ns);

/* Hands in a frame; out goes to w->packet, which is let go of unless keep. */
enum ip_verdict world_in(struct world *w, struct netif *netif, const void *bytes, size_t len);
enum ip_verdict world_in_keep(struct world *w, struct netif *netif, const void *bytes, size_t len);

/* The same for an IP packet: on an Ethernet, with a header from the peer to us. */
enum ip_verdict world_in_ip(struct world *w, struct netif *netif, struct span packet);

/* The next frame out, parsed into *w; false: there is none. */
bool world_out(struct world *w, struct netif *netif);

/* Throws away what is waiting to go out. */
void world_forget_output(struct world *w);

/* Makes and sends a UDP packet with so many bytes of payload. */
enum why world_send(struct world *w, struct ip_path *path, const char *dst, size_t len);

struct weir_addr addr(const char *text);
struct weir_prefix prefix(const char *text);
void add_addr(struct world *w, struct netif *netif, const char *text);
void add_route(struct world *w, const char *to, const char *gateway, struct netif *netif);
struct eth_addr mac(uint8_t last);

/* Packets as peers send them; the result is valid until the next call. */
struct span arp(uint16_t op, struct arp_packet p);
struct span udp4(const char *src, const char *dst, size_t payload_len);
struct span udp6(const char *src, const char *dst, size_t payload_len);
struct span ip4(struct ip4_header h, struct span payload);
struct span ip6(struct ip6_header h, struct span payload);
struct span icmp4(const char *src, const char *dst, struct icmp_message m);
struct span icmp6(const char *src, const char *dst, struct icmp_message m);
struct span ndp(const char *src, const char *dst, struct ndp_message m);

/* So many bytes that differ from their neighbours. */
struct span pattern(size_t len);

#define EXPECT_ADDR(a, text)                                                                       \
    do {                                                                                           \
        char seen[WEIR_ADDR_TEXT];                                                                 \
        EXPECT_STR(weir_addr_text(&(a), seen), text);                                              \
    } while (0)

#endif
