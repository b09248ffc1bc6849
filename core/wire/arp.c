/*
 * arp.c - address resolution for IPv4 over Ethernet [RFC826]
 */
#include "wire/arp.h"

#include <string.h>

#include "base/be.h"

enum { HARDWARE_ETHERNET = 1 };

struct __attribute__((may_alias)) arp_wire {
    be16_t hardware;
    be16_t protocol;
    uint8_t hardware_len;
    uint8_t protocol_len;
    be16_t op;
    struct eth_addr sender_mac;
    uint8_t sender_addr[4];
    struct eth_addr target_mac;
    uint8_t target_addr[4];
};

_Static_assert(sizeof(struct arp_wire) == ARP_LEN, "no padding");

static struct weir_addr addr_of(const uint8_t b[4])
{
    return weir_addr_v4(b[0], b[1], b[2], b[3]);
}

enum why arp_parse(struct span bytes, struct arp_packet *out)
{
    const struct arp_wire *w = (const void *)bytes.bytes;

    if (bytes.len < ARP_LEN || be16_get(w->hardware) != HARDWARE_ETHERNET
        || be16_get(w->protocol) != ETH_TYPE_IP4 || w->hardware_len != sizeof w->sender_mac
        || w->protocol_len != sizeof w->sender_addr)
        return WHY_ARP_MALFORMED;
    out->op = be16_get(w->op);
    out->sender_mac = w->sender_mac;
    out->sender_addr = addr_of(w->sender_addr);
    out->target_mac = w->target_mac;
    out->target_addr = addr_of(w->target_addr);
    return WHY_NONE;
}

size_t arp_emit(const struct arp_packet *p, uint8_t *out, size_t room)
{
    struct arp_wire *w = (void *)out;

    if (room < ARP_LEN)
        return 0;
    w->hardware = be16_of(HARDWARE_ETHERNET);
    w->protocol = be16_of(ETH_TYPE_IP4);
    w->hardware_len = sizeof w->sender_mac;
    w->protocol_len = sizeof w->sender_addr;
    w->op = be16_of(p->op);
    w->sender_mac = p->sender_mac;
    memcpy(w->sender_addr, p->sender_addr.b + 12, 4);
    w->target_mac = p->target_mac;
    memcpy(w->target_addr, p->target_addr.b + 12, 4);
    return ARP_LEN;
}
