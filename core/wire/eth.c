/*
 * eth.c - Ethernet frames, with up to two VLAN tags [IEEE802.1Q]
 */
#include "wire/eth.h"

#include "base/addr.h"
#include "base/be.h"

struct __attribute__((may_alias)) eth_wire {
    struct eth_addr dst;
    struct eth_addr src;
    be16_t type;
};

struct __attribute__((may_alias)) vlan_wire {
    be16_t control;
    be16_t type;
};

_Static_assert(sizeof(struct eth_wire) == ETH_HEADER_LEN, "no padding");
_Static_assert(sizeof(struct vlan_wire) == ETH_VLAN_LEN, "no padding");

static bool is_tag(uint16_t type)
{
    return type == ETH_TYPE_VLAN || type == ETH_TYPE_SERVICE_VLAN;
}

struct eth_addr eth_addr_of_group(const struct weir_addr *group)
{
    const uint8_t *b = group->b;

    if (addr_is_v4(group))
        return (struct eth_addr){{0x01, 0x00, 0x5e, b[13] & 0x7f, b[14], b[15]}};
    return (struct eth_addr){{0x33, 0x33, b[12], b[13], b[14], b[15]}};
}

enum why eth_parse(struct span head, size_t frame_len, struct eth_header *out)
{
    const struct eth_wire *w = (const void *)head.bytes;
    size_t len = ETH_HEADER_LEN;

    if (head.len < ETH_HEADER_LEN || frame_len < head.len)
        return WHY_LINK_SHORT;
    out->dst = w->dst;
    out->src = w->src;
    out->type = be16_get(w->type);
    out->vlan_count = 0;
    while (is_tag(out->type) && out->vlan_count < ETH_VLAN_MAX) {
        const struct vlan_wire *tag = (const void *)(head.bytes + len);

        if (head.len - len < ETH_VLAN_LEN)
            return WHY_LINK_SHORT;
        out->vlans[out->vlan_count++] = (struct eth_vlan){out->type, be16_get(tag->control)};
        out->type = be16_get(tag->type);
        len += ETH_VLAN_LEN;
    }
    out->payload = span_drop(head, len);
    out->payload_len = frame_len - len;
    return WHY_NONE;
}

size_t eth_emit(const struct eth_header *h, uint8_t *out, size_t room)
{
    struct eth_wire *w = (void *)out;
    be16_t *type = &w->type;

    if (h->vlan_count > ETH_VLAN_MAX || room < eth_header_len(h))
        return 0;
    w->dst = h->dst;
    w->src = h->src;
    for (size_t i = 0; i < h->vlan_count; i++) {
        struct vlan_wire *tag = (void *)(out + ETH_HEADER_LEN + i * ETH_VLAN_LEN);

        *type = be16_of(h->vlans[i].type);
        tag->control = be16_of(h->vlans[i].control);
        type = &tag->type;
    }
    *type = be16_of(h->type);
    return eth_header_len(h);
}
