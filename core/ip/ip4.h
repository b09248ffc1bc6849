/*
 * ip4.h - IPv4 packets in and out
 */
#ifndef CORE_IP_IP4_H
#define CORE_IP_IP4_H

#include "base/why.h"
#include "ip/ip.h"

/*
 * Parses and checks packet->slices; is_back: it is from ourselves. Returns WHY_NONE if the
 * packet is for us, with the members of *packet set, or a fragment that now waits.
 */
enum why ip4_input(struct ip *ip, struct ip_packet *packet, bool is_back);

/* What the header of a fragment has of its own. */
struct ip_fragment {
    uint32_t id;
    uint32_t offset;
    bool more;
};

/* Pushes the header; fragment NULL: the packet is whole. */
void ip4_push(struct ip *ip, const struct ip_path *path, const struct ip_send *how,
              const struct ip_fragment *fragment, struct frame *frame);

#endif
