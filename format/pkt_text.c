/*
 * pkt_text.c - a packet as one line
 *
 * Reading is the business of core/wire; here is only what the parts are called. The names
 * of ICMP messages are packetdrill's where it has them.
 */
#include "format/pkt_text.h"

#include <string.h>
#include <weir/stats.h>

#include "format/text.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/ndp.h"
#include "wire/pkt.h"

/* ---- names ---- */

struct name {
    uint8_t number;
    const char *text;
};

static const struct name icmp4_types[] = {
    {ICMP4_ECHO_REPLY, "echo_reply"},
    {ICMP4_UNREACHABLE, "unreachable"},
    {ICMP4_SOURCE_QUENCH, "source_quench"},
    {ICMP4_REDIRECT, "redirect"},
    {ICMP4_ECHO_REQUEST, "echo_request"},
    {ICMP4_TIME_EXCEEDED, "time_exceeded"},
    {ICMP4_PARAMETER_PROBLEM, "parameter_problem"},
    {0, NULL},
};

static const struct name icmp4_unreachable_codes[] = {
    {ICMP4_NET_UNREACHABLE, "net_unreachable"},
    {ICMP4_HOST_UNREACHABLE, "host_unreachable"},
    {ICMP4_PROTOCOL_UNREACHABLE, "protocol_unreachable"},
    {ICMP4_PORT_UNREACHABLE, "port_unreachable"},
    {ICMP4_FRAGMENTATION_NEEDED, "frag_needed"},
    {ICMP4_SOURCE_ROUTE_FAILED, "source_route_failed"},
    {ICMP4_NET_UNKNOWN, "net_unknown"},
    {ICMP4_HOST_UNKNOWN, "host_unknown"},
    {ICMP4_HOST_ISOLATED, "source_host_isolated"},
    {ICMP4_NET_PROHIBITED, "net_prohibited"},
    {ICMP4_HOST_PROHIBITED, "host_prohibited"},
    {ICMP4_NET_UNREACHABLE_FOR_TOS, "net_unreachable_for_tos"},
    {ICMP4_HOST_UNREACHABLE_FOR_TOS, "host_unreachable_for_tos"},
    {ICMP4_PROHIBITED, "packet_filtered"},
    {ICMP4_PRECEDENCE_VIOLATION, "precedence_violation"},
    {ICMP4_PRECEDENCE_CUTOFF, "precedence_cutoff"},
    {0, NULL},
};

static const struct name icmp4_time_codes[] = {
    {ICMP4_TTL_EXCEEDED, "exceeded_ttl"},
    {ICMP4_REASSEMBLY_EXCEEDED, "exceeded_frag_time"},
    {0, NULL},
};

static const struct name icmp6_types[] = {
    {ICMP6_UNREACHABLE, "unreachable"},
    {ICMP6_PACKET_TOO_BIG, "packet_too_big"},
    {ICMP6_TIME_EXCEEDED, "time_exceeded"},
    {ICMP6_PARAMETER_PROBLEM, "parameter_problem"},
    {ICMP6_ECHO_REQUEST, "echo_request"},
    {ICMP6_ECHO_REPLY, "echo_reply"},
    {ICMP6_ROUTER_SOLICIT, "router_solicit"},
    {ICMP6_ROUTER_ADVERT, "router_advert"},
    {ICMP6_NEIGHBOUR_SOLICIT, "neighbour_solicit"},
    {ICMP6_NEIGHBOUR_ADVERT, "neighbour_advert"},
    {ICMP6_REDIRECT, "redirect"},
    {0, NULL},
};

static const struct name icmp6_unreachable_codes[] = {
    {ICMP6_NO_ROUTE, "no_route"},
    {ICMP6_PROHIBITED, "admin_prohibited"},
    {ICMP6_BEYOND_SCOPE, "not_neighbour"},
    {ICMP6_ADDRESS_UNREACHABLE, "address_unreachable"},
    {ICMP6_PORT_UNREACHABLE, "port_unreachable"},
    {ICMP6_SOURCE_POLICY, "source_policy"},
    {ICMP6_REJECT_ROUTE, "reject_route"},
    {0, NULL},
};

static const struct name icmp6_time_codes[] = {
    {ICMP6_HOP_LIMIT_EXCEEDED, "exceeded_hop_limit"},
    {ICMP6_REASSEMBLY_EXCEEDED, "exceeded_frag_time"},
    {0, NULL},
};

static const struct name icmp6_parameter_codes[] = {
    {IP6_PROBLEM_HEADER, "header_field"},
    {IP6_PROBLEM_NEXT_HEADER, "unknown_next_header"},
    {IP6_PROBLEM_OPTION, "unknown_option"},
    {IP6_PROBLEM_CHAIN, "header_chain"},
    {0, NULL},
};

static const struct name no_names[] = {{0, NULL}};

/* " name", or what and the number if it has no name. */
static void put_name(struct text *t, const struct name *names, uint8_t number, const char *what)
{
    while (names->text != NULL && names->number != number)
        names++;
    if (names->text != NULL)
        text_putf(t, " %s", names->text);
    else
        text_putf(t, " %s %u", what, number);
}

static void put_protocol(struct text *t, uint8_t protocol)
{
    switch (protocol) {
    case IP_PROTOCOL_TCP: text_put(t, "tcp"); break;
    case IP_PROTOCOL_UDP: text_put(t, "udp"); break;
    case IP_PROTOCOL_ICMP4:
    case IP_PROTOCOL_ICMP6: text_put(t, "icmp"); break;
    default: text_putf(t, "protocol %u", protocol); break;
    }
}

/* ---- addresses ---- */

static void put_addr(struct text *t, const struct weir_addr *addr)
{
    char words[WEIR_ADDR_TEXT];

    text_put(t, weir_addr_text(addr, words));
}

static void put_endpoint(struct text *t, const struct weir_addr *addr, uint16_t port)
{
    struct weir_endpoint endpoint = {*addr, port, 0};
    char words[WEIR_ADDR_TEXT];

    text_put(t, weir_endpoint_text(&endpoint, words));
}

static void put_mac(struct text *t, const struct eth_addr *mac)
{
    text_putf(t, "%02x:%02x:%02x:%02x:%02x:%02x", mac->b[0], mac->b[1], mac->b[2], mac->b[3],
              mac->b[4], mac->b[5]);
}

static void put_addrs(struct text *t, const struct pkt *p)
{
    put_addr(t, &p->src);
    text_put(t, " > ");
    put_addr(t, &p->dst);
    text_put(t, ": ");
}

static void put_endpoints(struct text *t, const struct pkt *p, uint16_t src, uint16_t dst)
{
    put_endpoint(t, &p->src, src);
    text_put(t, " > ");
    put_endpoint(t, &p->dst, dst);
    text_put(t, ": ");
}

static void put_ecn(struct text *t, uint8_t tos)
{
    static const char *const marks[] = {"", "[ect1] ", "[ect0] ", "[ce] "};

    text_put(t, marks[ip_ecn_of(tos)]);
}

/* ---- flows ---- */

static bool endpoint_eq(const struct weir_endpoint *a, const struct weir_endpoint *b)
{
    return a->port == b->port && weir_addr_eq(&a->addr, &b->addr);
}

/* The flow between two ends, and which of its ends the first one is; NULL if there is none. */
static struct pkt_flow *find(const struct pkt_flows *flows, const struct weir_endpoint ends[2],
                             size_t *side)
{
    for (size_t i = 0; i < flows->count; i++) {
        struct pkt_flow *flow = &flows->flows[i];

        for (*side = 0; *side < 2; ++*side) {
            if (endpoint_eq(&flow->ends[*side], &ends[0])
                && endpoint_eq(&flow->ends[!*side], &ends[1]))
                return flow;
        }
    }
    return NULL;
}

static struct pkt_flow *add(struct pkt_flows *flows, const struct weir_endpoint ends[2])
{
    struct pkt_flow *flow;

    if (flows->count < flows->room) {
        flow = &flows->flows[flows->count++];
    } else {
        flow = &flows->flows[flows->oldest];
        flows->oldest = (flows->oldest + 1) % flows->room;
    }
    *flow = (struct pkt_flow){.ends = {ends[0], ends[1]}};
    return flow;
}

struct seg_origin pkt_flows_note(struct pkt_flows *flows, const struct pkt *p)
{
    struct weir_endpoint ends[2] = {{p->src, p->tcp.src_port, 0}, {p->dst, p->tcp.dst_port, 0}};
    const struct tcp_header *h = &p->tcp;
    struct pkt_flow *flow;
    size_t side = 0;

    if (flows->room == 0)
        return (struct seg_origin){0, 0};
    flow = find(flows, ends, &side);
    if (flow == NULL) {
        flow = add(flows, ends);
        side = 0;
    }
    if (h->flags & TCP_SYN) {
        /* A SYN with another number and no ACK is a new connection between the same ends. */
        if (flow->isn_known[side] && flow->isn[side] != h->seq && !(h->flags & TCP_ACK))
            flow->isn_known[!side] = false;
        flow->isn[side] = h->seq;
    } else if (!flow->isn_known[side]) {
        flow->isn[side] = h->seq - 1;
    }
    flow->isn_known[side] = true;
    if ((h->flags & TCP_ACK) && !flow->isn_known[!side]) {
        flow->isn[!side] = h->ack - 1;
        flow->isn_known[!side] = true;
    }
    return (struct seg_origin){flow->isn[side], flow->isn_known[!side] ? flow->isn[!side] : 0};
}

/* The sequence number in a packet that an ICMP error quotes, relative if the flow is known. */
static uint32_t quoted_seq(const struct pkt_flows *flows, const struct pkt *p)
{
    struct weir_endpoint ends[2] = {{p->src, p->tcp.src_port, 0}, {p->dst, p->tcp.dst_port, 0}};
    const struct pkt_flow *flow;
    size_t side;

    if (flows == NULL)
        return p->tcp.seq;
    flow = find(flows, ends, &side);
    return flow != NULL && flow->isn_known[side] ? p->tcp.seq - flow->isn[side] : p->tcp.seq;
}

/* ---- transport ---- */

static void put_tcp(struct text *t, const struct pkt *p, struct pkt_flows *flows)
{
    struct seg_origin origin = {0, 0};
    struct seg_text seg = seg_text_of(&p->tcp);
    char words[SEG_TEXT_MAX];

    if (flows != NULL)
        origin = pkt_flows_note(flows, p);
    put_endpoints(t, p, p->tcp.src_port, p->tcp.dst_port);
    put_ecn(t, p->tos);
    seg_text_emit(&seg, &origin, words, sizeof words);
    text_put(t, words);
}

static void put_udp(struct text *t, const struct pkt *p)
{
    put_endpoints(t, p, p->udp.src_port, p->udp.dst_port);
    put_ecn(t, p->tos);
    text_putf(t, "udp (%zu)", p->udp.payload_len);
}

/* The packet that an ICMP error speaks of, in brackets. */
static void put_quoted(struct text *t, struct span body, const struct pkt_flows *flows)
{
    struct pkt q = {0};

    text_put(t, " [");
    if (pkt_parse_quoted(body, &q) != WHY_NONE) {
        text_putf(t, "raw(%zu)", body.len);
    } else if (q.protocol == IP_PROTOCOL_TCP) {
        put_endpoints(t, &q, q.tcp.src_port, q.tcp.dst_port);
        text_putf(t, "tcp seq %u", quoted_seq(flows, &q));
    } else if (q.protocol == IP_PROTOCOL_UDP) {
        put_endpoints(t, &q, q.udp.src_port, q.udp.dst_port);
        text_put(t, "udp");
    } else {
        put_addrs(t, &q);
        put_protocol(t, q.protocol);
    }
    text_put_char(t, ']');
}

static void put_echo(struct text *t, uint32_t word, size_t body_len)
{
    text_putf(t, " id %u seq %u (%zu)", word >> 16, word & 0xffff, body_len);
}

static const struct name *icmp4_codes(uint8_t type)
{
    return type == ICMP4_UNREACHABLE     ? icmp4_unreachable_codes
           : type == ICMP4_TIME_EXCEEDED ? icmp4_time_codes
                                         : no_names;
}

static void put_icmp4(struct text *t, const struct pkt *p, const struct pkt_flows *flows)
{
    const struct icmp_message *m = &p->icmp;

    put_addrs(t, p);
    put_ecn(t, p->tos);
    text_put(t, "icmp");
    put_name(t, icmp4_types, m->type, "type");
    if (m->type == ICMP4_ECHO_REQUEST || m->type == ICMP4_ECHO_REPLY) {
        put_echo(t, m->word, m->body_len);
        return;
    }
    put_name(t, icmp4_codes(m->type), m->code, "code");
    if (m->type == ICMP4_UNREACHABLE && m->code == ICMP4_FRAGMENTATION_NEEDED)
        text_putf(t, " mtu %u", icmp4_next_hop_mtu(m));
    if (m->type == ICMP4_PARAMETER_PROBLEM)
        text_putf(t, " at %u", icmp4_pointer(m));
    if (m->type == ICMP4_REDIRECT) {
        struct weir_addr gateway = icmp4_gateway(m);

        text_put(t, " to ");
        put_addr(t, &gateway);
    }
    if (icmp4_is_error(m->type))
        put_quoted(t, m->body, flows);
}

static const struct name *icmp6_codes(uint8_t type)
{
    return type == ICMP6_UNREACHABLE         ? icmp6_unreachable_codes
           : type == ICMP6_TIME_EXCEEDED     ? icmp6_time_codes
           : type == ICMP6_PARAMETER_PROBLEM ? icmp6_parameter_codes
                                             : no_names;
}

static void put_optional_mac(struct text *t, bool has_mac, const struct eth_addr *mac)
{
    if (!has_mac)
        return;
    text_put(t, " mac ");
    put_mac(t, mac);
}

static void put_router_advert(struct text *t, const struct ndp_message *m)
{
    text_putf(t, " lifetime %u", m->router_lifetime_s);
    if (m->mtu != 0)
        text_putf(t, " mtu %u", m->mtu);
    for (size_t i = 0; i < m->prefix_count; i++) {
        char words[WEIR_ADDR_TEXT];

        text_putf(t, " prefix %s", weir_prefix_text(&m->prefixes[i].prefix, words));
    }
}

static void put_ndp(struct text *t, const struct icmp_message *icmp)
{
    struct ndp_message m;
    enum why why = ndp_parse(icmp, &m);

    put_name(t, icmp6_types, icmp->type, "type");
    if (why != WHY_NONE) {
        text_putf(t, " %s (%zu)", weir_why_name(why), icmp->body_len);
        return;
    }
    if (m.type == ICMP6_ROUTER_ADVERT)
        put_router_advert(t, &m);
    if (m.type == ICMP6_NEIGHBOUR_SOLICIT || m.type == ICMP6_NEIGHBOUR_ADVERT
        || m.type == ICMP6_REDIRECT) {
        text_put_char(t, ' ');
        put_addr(t, &m.target);
    }
    if (m.type == ICMP6_REDIRECT) {
        text_put(t, " for ");
        put_addr(t, &m.destination);
    }
    if (m.type == ICMP6_NEIGHBOUR_ADVERT)
        text_putf(t, "%s%s%s", m.from_router ? " router" : "", m.solicited ? " solicited" : "",
                  m.override ? " override" : "");
    put_optional_mac(t, m.has_source_mac, &m.source_mac);
    put_optional_mac(t, m.has_target_mac, &m.target_mac);
}

static void put_icmp6(struct text *t, const struct pkt *p, const struct pkt_flows *flows)
{
    const struct icmp_message *m = &p->icmp;

    put_addrs(t, p);
    put_ecn(t, p->tos);
    text_put(t, "icmp");
    if (icmp6_is_ndp(m->type)) {
        put_ndp(t, m);
        return;
    }
    put_name(t, icmp6_types, m->type, "type");
    if (m->type == ICMP6_ECHO_REQUEST || m->type == ICMP6_ECHO_REPLY) {
        put_echo(t, m->word, m->body_len);
        return;
    }
    if (m->type == ICMP6_PACKET_TOO_BIG)
        text_putf(t, " mtu %u", m->word);
    else
        put_name(t, icmp6_codes(m->type), m->code, "code");
    if (m->type == ICMP6_PARAMETER_PROBLEM)
        text_putf(t, " at %u", m->word);
    if (icmp6_is_error(m->type))
        put_quoted(t, m->body, flows);
}

static void put_fragment(struct text *t, const struct pkt *p)
{
    bool v4 = p->version == 4;
    uint32_t id = v4 ? p->ip4.id : p->ip6.fragment_id;
    size_t offset = v4 ? p->ip4.fragment_offset : p->ip6.fragment_offset;
    bool more = v4 ? p->ip4.more_fragments : p->ip6.more_fragments;

    put_addrs(t, p);
    text_putf(t, "frag id %u %zu:%zu(%zu)%s ", id, offset, offset + p->transport_len,
              p->transport_len, more ? "+" : "");
    put_protocol(t, p->protocol);
}

static void put_transport(struct text *t, const struct pkt *p, struct pkt_flows *flows)
{
    if (p->is_fragment) {
        put_fragment(t, p);
    } else if (p->protocol == IP_PROTOCOL_TCP) {
        put_tcp(t, p, flows);
    } else if (p->protocol == IP_PROTOCOL_UDP) {
        put_udp(t, p);
    } else if (p->protocol == IP_PROTOCOL_ICMP4 && p->version == 4) {
        put_icmp4(t, p, flows);
    } else if (p->protocol == IP_PROTOCOL_ICMP6 && p->version == 6) {
        put_icmp6(t, p, flows);
    } else {
        put_addrs(t, p);
        put_ecn(t, p->tos);
        put_protocol(t, p->protocol);
        text_putf(t, " (%zu)", p->transport_len);
    }
}

static void put_packet(struct text *t, struct span head, size_t packet_len, struct pkt_flows *flows)
{
    struct pkt p = {0};
    enum why why = pkt_parse_ip(head, packet_len, &p);

    if (why != WHY_NONE) {
        text_putf(t, "%s (%zu)", weir_why_name(why), packet_len);
        return;
    }
    why = p.is_fragment ? WHY_NONE : pkt_parse_transport(&p);
    if (why != WHY_NONE) {
        put_addrs(t, &p);
        text_putf(t, "%s (%zu)", weir_why_name(why), p.transport_len);
        return;
    }
    put_transport(t, &p, flows);
}

size_t pkt_text_emit(struct span head, size_t packet_len, struct pkt_flows *flows, char *text,
                     size_t room)
{
    struct text t = text_of(text, room);

    put_packet(&t, head, packet_len, flows);
    return t.len;
}

/* ---- frames ---- */

static void put_arp(struct text *t, struct span bytes)
{
    struct arp_packet p;
    enum why why = arp_parse(bytes, &p);

    if (why != WHY_NONE) {
        text_putf(t, "%s (%zu)", weir_why_name(why), bytes.len);
        return;
    }
    if (p.op == ARP_REPLY) {
        text_put(t, "arp reply ");
        put_addr(t, &p.sender_addr);
        text_put(t, " is-at ");
        put_mac(t, &p.sender_mac);
        return;
    }
    if (p.op == ARP_REQUEST)
        text_put(t, "arp who-has ");
    else
        text_putf(t, "arp op %u ", p.op);
    put_addr(t, &p.target_addr);
    text_put(t, " tell ");
    put_addr(t, &p.sender_addr);
}

size_t pkt_text_emit_frame(struct span head, size_t frame_len, struct pkt_flows *flows, char *text,
                           size_t room)
{
    struct text t = text_of(text, room);
    struct eth_header h;
    enum why why = eth_parse(head, frame_len, &h);

    if (why != WHY_NONE) {
        text_putf(&t, "%s (%zu)", weir_why_name(why), frame_len);
        return t.len;
    }
    for (size_t i = 0; i < h.vlan_count; i++)
        text_putf(&t, "vlan %u ", eth_vlan_id(&h.vlans[i]));
    if (h.type == ETH_TYPE_IP4 || h.type == ETH_TYPE_IP6)
        put_packet(&t, h.payload, h.payload_len, flows);
    else if (h.type == ETH_TYPE_ARP)
        put_arp(&t, h.payload);
    else
        text_putf(&t, "ethertype 0x%04x (%zu)", h.type, h.payload_len);
    return t.len;
}
