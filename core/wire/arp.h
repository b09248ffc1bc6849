/*
 * arp.h - address resolution for IPv4 over Ethernet [RFC826]
 */
#ifndef CORE_WIRE_ARP_H
#define CORE_WIRE_ARP_H

#include <stddef.h>
#include <stdint.h>
#include <weir/addr.h>

#include "base/span.h"
#include "base/why.h"
#include "wire/eth.h"

enum { ARP_LEN = 28 };

enum arp_op {
    ARP_REQUEST = 1,
    ARP_REPLY = 2,
};

struct arp_packet {
    uint16_t op; /* may be none of enum arp_op */
    struct eth_addr sender_mac;
    struct weir_addr sender_addr;
    struct eth_addr target_mac;
    struct weir_addr target_addr;
};

/* Returns WHY_NONE or WHY_ARP_MALFORMED: short, or for another hardware or protocol. */
enum why arp_parse(struct span bytes, struct arp_packet *out);

/* Returns ARP_LEN, or 0 if there is not that much room. */
size_t arp_emit(const struct arp_packet *p, uint8_t *out, size_t room);

#endif
