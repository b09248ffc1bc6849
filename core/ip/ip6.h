/*
 * ip6.h - IPv6 packets in and out
 */
#ifndef CORE_IP_IP6_H
#define CORE_IP_IP6_H

#include "base/why.h"
#include "ip/ip.h"
#include "ip/ip4.h"

/* As ip4_input. */
enum why ip6_input(struct ip *ip, struct ip_packet *packet, bool is_back);

/* Pushes the header; with fragment not NULL, and the fragment header. */
void ip6_push(struct ip *ip, const struct ip_path *path, const struct ip_send *how,
              const struct ip_fragment *fragment, struct frame *frame);

#endif
