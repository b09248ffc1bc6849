/*
 * icmp.h - ICMP errors in and out, and echo
 *
 * Errors of both families are told to TCP and UDP as one enumeration. Errors that we send
 * go through two token buckets, one for all and one for each destination, so that we are
 * no amplifier and the limits tell a spy nothing (their rate has random jitter).
 */
#ifndef CORE_IP_ICMP_H
#define CORE_IP_ICMP_H

#include "base/ns.h"
#include "base/parts.h"
#include "base/span.h"
#include "base/why.h"
#include "ip/verdict.h"
#include <stdbool.h>
#include <stdint.h>
#include <weir/addr.h>

struct ip;
struct ip_packet;

enum icmp_error_kind {
    ICMP_ERROR_NET,           /* network unreachable, no route */
    ICMP_ERROR_HOST,          /* host unreachable, address unreachable */
    ICMP_ERROR_PROTOCOL,      /* the protocol is not spoken there */
    ICMP_ERROR_PORT,          /* nobody has the port */
    ICMP_ERROR_TOO_BIG,       /* mtu says what would fit; 0: it does not say */
    ICMP_ERROR_ADMIN,         /* prohibited */
    ICMP_ERROR_TIME_EXCEEDED, /* TTL used up, or reassembly took too long */
    ICMP_ERROR_PARAMETER,     /* a header is malformed */
    ICMP_ERROR_SOURCE_QUENCH, /* to be ignored [RFC6633] */
};

/* An ICMP error about a packet of ours, as far as it can be checked here. */
struct icmp_error {
    enum icmp_error_kind kind;
    uint32_t mtu;              /* TOO_BIG */
    uint8_t code;              /* as on the wire */
    uint8_t protocol;          /* of the packet quoted */
    struct weir_addr from;     /* who says so */
    struct weir_addr src, dst; /* of the packet quoted: src is ours */
    uint32_t packet_len;       /* of the packet quoted, as its header says */
    struct span transport;     /* its first bytes, at least 8 */
};

/* An echo reply. The packet's transport bytes are its payload then. */
struct icmp_echo {
    uint16_t id;
    uint16_t sequence;
};

enum {
    ICMP_PEER_BUCKETS = HAS_SCALE ? 256 : 16,
};

struct icmp_bucket {
    ns_t filled_at;
    uint32_t tokens; /* in thousandths */
};

struct icmp_limits {
    struct icmp_bucket all;
    struct icmp_bucket peers[ICMP_PEER_BUCKETS]; /* by a keyed hash of the destination */
};

void icmp_init(struct ip *ip);

/* May another error go to this destination? Takes the tokens if so. */
bool icmp_is_within_limits(struct ip *ip, const struct weir_addr *dst);

/* What is wrong with a packet, for its sender. */
struct icmp_complaint {
    enum icmp_error_kind kind;
    uint8_t code;     /* TIME_EXCEEDED, PARAMETER: as on the wire */
    uint32_t pointer; /* PARAMETER, and PROTOCOL in IPv6: the offset of the culprit */
    bool to_groups;   /* also if the packet was sent to a group [RFC4443 2.4 e.3] */
};

/*
 * Answers a packet with an ICMP error, unless it must not be answered (it is a fragment
 * other than the first, an ICMP error, to or from a group) or the limits are reached. As
 * much of the packet as fits is quoted.
 */
void icmp_send_error(struct ip *ip, const struct ip_packet *about,
                     const struct icmp_complaint *complaint);

/* "Nobody has this port", for the stack's UDP [RFC1122 4.1.3.1]. */
void icmp_send_port_unreachable(struct ip *ip, const struct ip_packet *about);

/* An ICMP message has come, of the packet's own version; the packet is checked. */
enum ip_verdict icmp4_input(struct ip *ip, struct ip_packet *packet);
enum ip_verdict icmp6_input(struct ip *ip, struct ip_packet *packet);

/* The weir/err.h code that a connection or endpoint is told; 0: none. */
int icmp_error_code(enum icmp_error_kind kind);

#endif
