/*
 * pkt_text.h - a packet as one line
 *
 *   192.0.2.1:40000 > 192.0.2.2:80: S 0:0(0) win 64240 <mss 1460,sackOK>
 *   [2001:db8::1]:53 > [2001:db8::2]:4000: [ect0] udp (120)
 *   192.0.2.9 > 192.0.2.1: icmp unreachable frag_needed mtu 1400 [192.0.2.1:80 > 192.0.2.7:9: tcp seq 1]
 *   192.0.2.1 > 192.0.2.2: frag id 7 0:1480(1480)+ udp
 *   fe80::1 > ff02::1:ff00:2: neighbour_solicit fe80::2 mac 02:00:00:00:00:01
 *   arp who-has 192.0.2.2 tell 192.0.2.1
 *   192.0.2.1 > 192.0.2.2: tcp_malformed (7)
 *
 * TCP is written as seg_text.h says. The ECN mark stands in front, if there is one. Of a
 * packet that cannot be read, the line has the reason's name (weir/stats.h) and the length.
 */
#ifndef FORMAT_PKT_TEXT_H
#define FORMAT_PKT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/addr.h>

#include "base/span.h"
#include "format/seg_text.h"

struct pkt;

enum {
    PKT_TEXT_MAX = 640, /* room for any packet's text, with the NUL */
};

/* A TCP connection seen in packets, for numbers that start at 0. */
struct pkt_flow {
    struct weir_endpoint ends[2];
    uint32_t isn[2]; /* of each end; valid if known */
    bool isn_known[2];
};

/* A table of the caller's; when it is full, the oldest flow makes room. Starts as {flows, room}. */
struct pkt_flows {
    struct pkt_flow *flows;
    size_t room;
    size_t count;
    size_t oldest;
};

/*
 * Takes note of a TCP packet; returns the origin of its numbers. The ISN is that of the SYN;
 * of a connection whose SYN was not seen, the first number seen is 1.
 */
struct seg_origin pkt_flows_note(struct pkt_flows *flows, const struct pkt *packet);

/*
 * Writes the line of an IP packet of packet_len bytes, whose first slice is head, as far as
 * there is room; returns the length of the whole line. flows may be NULL: numbers are raw.
 */
size_t pkt_text_emit(struct span head, size_t packet_len, struct pkt_flows *flows, char *text,
                     size_t room);

/* The same of an Ethernet frame: VLANs are shown, and ARP; MAC addresses of IP packets are not. */
size_t pkt_text_emit_frame(struct span head, size_t frame_len, struct pkt_flows *flows, char *text,
                           size_t room);

#endif
