/*
 * eth.h - Ethernet frames, with up to two VLAN tags [IEEE802.1Q]
 */
#ifndef CORE_WIRE_ETH_H
#define CORE_WIRE_ETH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <weir/addr.h>

#include "base/span.h"
#include "base/why.h"

enum {
    ETH_HEADER_LEN = 14,
    ETH_VLAN_LEN = 4,
    ETH_VLAN_MAX = 2,
    ETH_HEADER_MAX = ETH_HEADER_LEN + ETH_VLAN_MAX * ETH_VLAN_LEN,
};

/* A type below 0x0600 is the length of an 802.3 frame; we speak none of those. */
enum eth_type {
    ETH_TYPE_IP4 = 0x0800,
    ETH_TYPE_ARP = 0x0806,
    ETH_TYPE_VLAN = 0x8100,         /* 802.1Q */
    ETH_TYPE_SERVICE_VLAN = 0x88a8, /* 802.1ad, the outer of two */
    ETH_TYPE_IP6 = 0x86dd,
};

struct eth_addr {
    uint8_t b[6];
};

struct eth_vlan {
    uint16_t type;    /* ETH_TYPE_VLAN or ETH_TYPE_SERVICE_VLAN */
    uint16_t control; /* priority 3 bits, drop eligible 1 bit, VLAN 12 bits */
};

struct eth_header {
    struct eth_addr dst;
    struct eth_addr src;
    uint16_t type; /* of the payload, after the tags */
    uint8_t vlan_count;
    struct eth_vlan vlans[ETH_VLAN_MAX]; /* outermost first */
    struct span payload;                 /* what of it lies in head, padding included */
    size_t payload_len;                  /* what of it lies in the frame */
};

static inline bool eth_addr_eq(const struct eth_addr *a, const struct eth_addr *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

/* Multicast and broadcast. */
static inline bool eth_addr_is_group(const struct eth_addr *a)
{
    return (a->b[0] & 1) != 0;
}

static inline struct eth_addr eth_addr_broadcast(void)
{
    return (struct eth_addr){{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
}

/* Where packets for a multicast address go [RFC1112 6.4] [RFC2464 7]. */
struct eth_addr eth_addr_of_group(const struct weir_addr *group);

static inline uint16_t eth_vlan_id(const struct eth_vlan *vlan)
{
    return vlan->control & 0xfff;
}

static inline size_t eth_header_len(const struct eth_header *h)
{
    return ETH_HEADER_LEN + (size_t)h->vlan_count * ETH_VLAN_LEN;
}

/*
 * head is the first slice of a frame of frame_len bytes and must hold the header.
 * A third tag is left to be the payload's type. Returns WHY_NONE or WHY_LINK_SHORT.
 */
enum why eth_parse(struct span head, size_t frame_len, struct eth_header *out);

/* Writes the header; returns its length, or 0 if there is not that much room. */
size_t eth_emit(const struct eth_header *h, uint8_t *out, size_t room);

#endif
