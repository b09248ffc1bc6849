/*
 * ip4.h - IPv4 packets in and out
 */
#ifndef CORE_IP_IP4_H
#define CORE_IP_IP4_H

#include "base/why.h"
#include "ip/ip.h"
#include "wire/ip4.h"

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

/* The same of a packet that is whole, one on the wire, and for one host. */
static inline __attribute__((always_inline)) void ip4_push_single(struct ip *ip,
                                                                  const struct ip_path *path,
                                                                  const struct ip_send *how,
                                                                  struct frame *frame)
{
    struct ip4_plain h = {
        .src = &how->src,
        .dst = &how->dst,
        .total_len = (uint16_t)(IP4_HEADER_LEN + frame->wire.len), /* it is not too big */
        .id = (uint16_t)ip_next_id(ip, path, 1),
        .tos = how->tos,
        .ttl = how->ttl != 0 ? how->ttl : ip->config.ttl,
        .protocol = how->protocol,
        .dont_fragment = how->dont_fragment,
    };

    ip4_emit_plain(&h, frame_push(frame, IP4_HEADER_LEN));
}

/* What the headers of all such packets have in common that are sent the same way. */
static inline void ip4_prepare(const struct ip *ip, const struct ip_send *how,
                               uint8_t header[IP4_HEADER_LEN])
{
    struct ip4_plain h = {
        .src = &how->src,
        .dst = &how->dst,
        .tos = how->tos,
        .ttl = how->ttl != 0 ? how->ttl : ip->config.ttl,
        .protocol = how->protocol,
        .dont_fragment = how->dont_fragment,
    };

    ip4_emit_plain(&h, header);
}

/* As ip4_push_single, with what was prepared. */
static inline void ip4_push_prepared(struct ip *ip, const struct ip_path *path,
                                     const uint8_t header[IP4_HEADER_LEN], struct frame *frame)
{
    uint8_t *at = frame_push(frame, IP4_HEADER_LEN);

    memcpy(at, header, IP4_HEADER_LEN);
    ip4_set_len_and_id(at, (uint16_t)frame->wire.len, (uint16_t)ip_next_id(ip, path, 1));
}

#endif
