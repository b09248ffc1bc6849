/*
 * why.h - every reason for which a packet goes no further
 *
 * One line a reason: counters, traces and reports are made from this list. A packet
 * that was taken in and used up has none (WHY_NONE).
 */
#ifndef CORE_BASE_WHY_H
#define CORE_BASE_WHY_H

#include <stdint.h>

/* X(ENUMERATOR, "name", "sentence") */
#define WHY_LIST(X)                                                                                \
    X(NONE, "none", "the packet was used")                                                         \
    /* link */                                                                                     \
    X(LINK_SHORT, "link_short", "the frame is shorter than its link header")                       \
    X(LINK_NOT_OURS, "link_not_ours", "the frame is addressed to another station")                 \
    X(LINK_VLAN, "link_vlan", "the frame belongs to another VLAN")                                 \
    X(LINK_PROTOCOL, "link_protocol", "the frame carries neither ARP nor IP")                      \
    X(ARP_MALFORMED, "arp_malformed", "the ARP packet is short or not for Ethernet and IPv4")      \
    X(ARP_NOT_OURS, "arp_not_ours", "the ARP packet asks for somebody else")                       \
    X(ARP_CONFLICT, "arp_conflict", "somebody else uses our address")                              \
    /* network */                                                                                  \
    X(IP_SHORT, "ip_short", "the packet is shorter than its IP header says")                       \
    X(IP_VERSION, "ip_version", "the IP version is neither 4 nor 6")                               \
    X(IP_HEADER, "ip_header", "the IP header is malformed")                                        \
    X(IP_CHECKSUM, "ip_checksum", "the IP header's checksum is wrong")                             \
    X(IP_OPTIONS, "ip_options", "an IP option or extension header is malformed")                   \
    X(IP_UNKNOWN_OPTION, "ip_unknown_option", "an IPv6 option that says to drop the packet")       \
    X(IP_SOURCE_ROUTE, "ip_source_route", "the packet is source routed")                           \
    X(IP_SOURCE, "ip_source", "the source address cannot be one")                                  \
    X(IP_NOT_OURS, "ip_not_ours", "the packet is addressed to somebody else")                      \
    X(IP_PROTOCOL, "ip_protocol", "the transport protocol is not spoken here")                     \
    X(IP_HOP_LIMIT, "ip_hop_limit", "the hop limit is not the one required")                       \
    X(FRAG_MALFORMED, "frag_malformed", "a fragment of impossible length or place")                \
    X(FRAG_OVERLAP, "frag_overlap", "fragments overlap: the datagram is dropped whole")            \
    X(FRAG_FULL, "frag_full", "too many fragments wait for reassembly")                            \
    X(FRAG_TIMEOUT, "frag_timeout", "fragments are missing and time is up")                        \
    X(ICMP_MALFORMED, "icmp_malformed", "the ICMP message is short or malformed")                  \
    X(ICMP_CHECKSUM, "icmp_checksum", "the ICMP checksum is wrong")                                \
    X(ICMP_UNKNOWN, "icmp_unknown", "an ICMP message that asks nothing of us")                     \
    X(ICMP_NOT_OURS, "icmp_not_ours", "the ICMP message speaks of no packet of ours")              \
    X(ICMP_SEQUENCE, "icmp_sequence", "the ICMP error quotes a sequence number not under way")     \
    X(ICMP_AUTH, "icmp_auth", "the connection believes only segments with a digest")               \
    X(ICMP_SOURCE_QUENCH, "icmp_source_quench", "source quench is ignored")                        \
    X(ICMP_LIMIT, "icmp_limit", "the limit on ICMP messages is reached")                           \
    X(NDP_MALFORMED, "ndp_malformed", "the neighbour discovery message is malformed or forged")    \
    X(NDP_NOT_OURS, "ndp_not_ours", "the neighbour discovery message is not for us")               \
    X(NEIGH_FULL, "neigh_full", "the neighbour cache or its queue of packets is full")             \
    X(NEIGH_FAILED, "neigh_failed", "the neighbour does not answer")                               \
    X(NO_ROUTE, "no_route", "there is no route to the destination")                                \
    X(TOO_BIG, "too_big", "the packet is larger than the path allows")                             \
    X(NO_MEMORY, "no_memory", "the memory budget is used up")                                      \
    /* UDP */                                                                                      \
    X(UDP_MALFORMED, "udp_malformed", "the UDP length does not fit the packet")                    \
    X(UDP_CHECKSUM, "udp_checksum", "the UDP checksum is wrong or missing")                        \
    X(UDP_NO_PORT, "udp_no_port", "nobody has this UDP port")                                      \
    X(UDP_QUEUE, "udp_queue", "the endpoint's queue is full")                                      \
    /* TCP, in the order in which RFC 9293 3.10.7 meets them */                                    \
    X(TCP_MALFORMED, "tcp_malformed", "the TCP header is short or its offset is impossible")       \
    X(TCP_CHECKSUM, "tcp_checksum", "the TCP checksum is wrong")                                   \
    X(TCP_NOT_UNICAST, "tcp_not_unicast", "the segment is from or to a group of hosts")            \
    X(TCP_MIN_TTL, "tcp_min_ttl", "the segment has come from further away than it may")            \
    X(TCP_AUTH_MISSING, "tcp_auth_missing", "a digest was required")                               \
    X(TCP_AUTH_UNEXPECTED, "tcp_auth_unexpected", "a digest where there is no key for it")         \
    X(TCP_AUTH_KEY, "tcp_auth_key", "there is no key with that ID")                                \
    X(TCP_AUTH_WRONG, "tcp_auth_wrong", "the digest is not that of the segment")                   \
    X(TCP_NO_CONN, "tcp_no_conn", "there is no such connection")                                   \
    X(TCP_LISTEN_FLAGS, "tcp_listen_flags", "a listener hears neither SYN, ACK nor RST")           \
    X(TCP_LISTEN_RST, "tcp_listen_rst", "a reset for a listener")                                  \
    X(TCP_LISTEN_ACK, "tcp_listen_ack", "an acknowledgement for a listener")                       \
    X(TCP_COOKIE, "tcp_cookie", "an acknowledgement without a valid SYN cookie for a listener")    \
    X(TCP_SYN_QUEUE, "tcp_syn_queue", "too many connections are half open")                        \
    X(TCP_ACCEPT_QUEUE, "tcp_accept_queue", "too many connections wait to be accepted")            \
    X(TCP_DEFERRED, "tcp_deferred", "the listener waits for data before it accepts")               \
    X(TCP_BAD_ACK, "tcp_bad_ack", "the acknowledgement is for what was never sent")                \
    X(TCP_NO_SYN, "tcp_no_syn", "a SYN was expected")                                              \
    X(TCP_PAWS, "tcp_paws", "the timestamp is older than one already seen")                        \
    X(TCP_WINDOW, "tcp_window", "the segment lies outside the window")                             \
    X(TCP_OLD, "tcp_old", "the segment brings nothing that was not there before")                  \
    X(TCP_RESET, "tcp_reset", "the peer reset the connection")                                     \
    X(TCP_CHALLENGED, "tcp_challenged", "a doubtful reset or SYN was challenged")                  \
    X(TCP_NO_ACK, "tcp_no_ack", "a segment of a connection must acknowledge")                      \
    X(TCP_OLD_ACK, "tcp_old_ack", "the acknowledgement is older than a window")                    \
    X(TCP_CLOSED, "tcp_closed", "data for a side that the application has closed")                 \
    X(TCP_TIME_WAIT, "tcp_time_wait", "a segment for a connection in TIME-WAIT")                   \
    X(TCP_AFTER_FIN, "tcp_after_fin", "data after the peer's FIN")                                 \
    X(TCP_REASSEMBLY, "tcp_reassembly", "too many holes in the receive queue")                     \
    X(TCP_BUFFER, "tcp_buffer", "the receive buffer's memory is used up")

enum why {
#define X(name, id, text) WHY_##name,
    WHY_LIST(X)
#undef X
        WHY_COUNT,
};

#endif
