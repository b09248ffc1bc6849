/*
 * icmp.c - ICMP errors in and out, and echo
 *
 * A message that we make begins in the headroom of its frame, as far as it fits, so that
 * whoever gets it finds all headers in the first slice; the rest follows in bufs.
 */
#include "ip/icmp.h"

#include "base/addr.h"
#include "base/be.h"
#include "base/check.h"
#include "base/checksum.h"
#include "base/num.h"
#include "base/parts.h"
#include "ip/ip.h"
#include "ip/ndp.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/pkt.h"
#include <string.h>
#include <weir/err.h>

enum {
    CHECKSUM_AT = 2,   /* in both ICMP headers */
    ERROR_MAX4 = 576,  /* [RFC1812 4.3.2.3] */
    ERROR_MAX6 = 1280, /* [RFC4443 3] */
    IN_HEADROOM = 80,  /* of what follows the ICMP header: room for IPv6, a fragment header and
                          the link stays */
    MILLI = 1000,      /* tokens are counted in thousandths */
    COST_MIN = 500,    /* what an error costs of what all may send */
    COST_MAX = 1500,
    PEER_BURST_S = 6, /* a bucket holds this many seconds' worth, as Linux */
};

/* Where a redirect leads is remembered for so long. */
#define REDIRECT_NS (600 * NS_S)

/* ---- limits ---- */

static uint32_t burst_of(uint32_t per_s)
{
    return u32_min(u32_max(per_s / 2, COST_MAX / MILLI + 1), UINT32_MAX / MILLI) * MILLI;
}

static uint32_t peer_burst_of(uint32_t per_s)
{
    return u32_min(per_s, UINT32_MAX / MILLI / PEER_BURST_S) * PEER_BURST_S * MILLI;
}

void icmp_init(struct ip *ip)
{
    struct icmp_limits *l = &ip->icmp_limits;

    l->all = (struct icmp_bucket){ip->now, burst_of(ip->config.icmp_errors_per_s)};
    for (size_t i = 0; i < ICMP_PEER_BUCKETS; i++)
        l->peers[i] =
            (struct icmp_bucket){ip->now, peer_burst_of(ip->config.icmp_errors_per_peer_s)};
}

static void fill_bucket(struct icmp_bucket *b, ns_t now, uint32_t per_s, uint32_t burst)
{
    uint64_t elapsed_us = (uint64_t)(ns_since(b->filled_at, now) / NS_US);
    /* A bucket that has not been looked at for long is full. */
    uint64_t fresh = elapsed_us > 1000000000 ? burst : elapsed_us * per_s / MILLI;

    /* A fraction of a token is not lost by asking often. */
    if (fresh == 0)
        return;
    b->tokens = (uint32_t)u64_min(b->tokens + fresh, burst);
    b->filled_at = now;
}

/*
 * An error costs between half a token and one and a half, so that nobody can count from
 * afar how many were sent to others, which would tell who has which port open.
 */
static bool take_token(struct ip *ip, struct icmp_bucket *all, struct icmp_bucket *peer)
{
    if (peer->tokens < MILLI || all->tokens < COST_MAX)
        return false;
    peer->tokens -= MILLI;
    all->tokens -= COST_MIN + rng_below(&ip->rng, COST_MAX - COST_MIN + 1);
    return true;
}

bool icmp_is_within_limits(struct ip *ip, const struct weir_addr *dst)
{
    struct icmp_limits *l = &ip->icmp_limits;
    struct icmp_bucket *peer = &l->peers[ip_hash(ip, dst, NULL, 0) % ICMP_PEER_BUCKETS];
    uint32_t per_s = ip->config.icmp_errors_per_s, per_peer_s = ip->config.icmp_errors_per_peer_s;

    if (per_s == 0 || per_peer_s == 0)
        return false;
    fill_bucket(&l->all, ip->now, per_s, burst_of(per_s));
    fill_bucket(peer, ip->now, per_peer_s, peer_burst_of(per_peer_s));
    return take_token(ip, &l->all, peer);
}

/* ---- messages out ---- */

/* What an outgoing message says, and of which packet it repeats a part. */
struct message {
    uint8_t type, code;
    uint32_t word;
    const struct ip_packet *packet;
    size_t from, len;
};

static void push_header(struct frame *frame, const struct message *m, const struct ip_send *how)
{
    struct icmp_message header = {.type = m->type, .code = m->code, .word = m->word};
    uint8_t *at = frame_push(frame, ICMP_HEADER_LEN);
    bool is_v4 = how->protocol == IP_PROTOCOL_ICMP4;
    uint32_t pseudo =
        is_v4 ? 0
              : checksum_pseudo(&how->src, &how->dst, IP_PROTOCOL_ICMP6, ICMP_HEADER_LEN + m->len);
    be16_t preset = be16_of((uint16_t)checksum_reduce(pseudo));

    CHECK(icmp_emit(&header, 0, at, ICMP_HEADER_LEN) == ICMP_HEADER_LEN);
    memcpy(at + CHECKSUM_AT, &preset, sizeof preset);
    frame_need_checksum(frame, CHECKSUM_AT);
}

/* Builds the message and sends it. False: no memory, counted. */
static void send(struct ip *ip, struct ip_path *path, const struct ip_send *how,
                 const struct message *m)
{
    struct frame *frame = frame_get(ip->frames);
    size_t first = size_min(m->len, IN_HEADROOM);

    if (frame == NULL) {
        ip_drop(ip, WHY_NO_MEMORY);
        return;
    }
    ip_packet_copy(m->packet, m->from, frame_push(frame, first), first);
    push_header(frame, m, how);
    if (!ip_add_copy(ip, frame, m->packet, m->from + first, m->len - first)) {
        ip_drop_frame(ip, &frame, WHY_NO_MEMORY);
        return;
    }
    frame_finish_checksum(frame);
    (void)ip_send_own(ip, path, how, &frame);
}

/* The way back to the sender, from the address it spoke to if that is one. */
static bool find_way_back(struct ip *ip, const struct ip_packet *packet, struct ip_path *path)
{
    weir_netif_t netif = addr_is_link_local6(&packet->src) ? packet->netif->id : 0;
    int err = ip_route(ip, &packet->src, packet->is_group ? NULL : &packet->dst, netif, path);

    if (err == WEIR_OK && ip_may_answer(ip, path->netif))
        return true;
    if (err != WEIR_OK)
        ip_drop(ip, WHY_NO_ROUTE);
    return false;
}

static struct ip_send how_to_answer(const struct ip_packet *packet, const struct ip_path *path)
{
    bool is_v4 = addr_is_v4(&packet->src);

    return (struct ip_send){
        .src = path->src,
        .dst = packet->src,
        .protocol = is_v4 ? IP_PROTOCOL_ICMP4 : IP_PROTOCOL_ICMP6,
    };
}

/* ---- errors out ---- */

/* Type, code and second word of a complaint; false: it cannot be said. */
static bool say4(const struct icmp_complaint *c, struct message *m)
{
    m->type = ICMP4_UNREACHABLE;
    switch (c->kind) {
    case ICMP_ERROR_NET: m->code = ICMP4_NET_UNREACHABLE; return true;
    case ICMP_ERROR_HOST: m->code = ICMP4_HOST_UNREACHABLE; return true;
    case ICMP_ERROR_PROTOCOL: m->code = ICMP4_PROTOCOL_UNREACHABLE; return true;
    case ICMP_ERROR_PORT: m->code = ICMP4_PORT_UNREACHABLE; return true;
    case ICMP_ERROR_ADMIN: m->code = ICMP4_PROHIBITED; return true;
    case ICMP_ERROR_TIME_EXCEEDED:
        m->type = ICMP4_TIME_EXCEEDED;
        m->code = c->code;
        return true;
    case ICMP_ERROR_PARAMETER:
        m->type = ICMP4_PARAMETER_PROBLEM;
        m->code = c->code;
        m->word = icmp4_word_of_pointer((uint8_t)c->pointer);
        return true;
    case ICMP_ERROR_TOO_BIG:
    case ICMP_ERROR_SOURCE_QUENCH: break;
    }
    return false;
}

static bool say6(const struct icmp_complaint *c, struct message *m)
{
    m->type = ICMP6_UNREACHABLE;
    switch (c->kind) {
    case ICMP_ERROR_NET: m->code = ICMP6_NO_ROUTE; return true;
    case ICMP_ERROR_HOST: m->code = ICMP6_ADDRESS_UNREACHABLE; return true;
    case ICMP_ERROR_PORT: m->code = ICMP6_PORT_UNREACHABLE; return true;
    case ICMP_ERROR_ADMIN: m->code = ICMP6_PROHIBITED; return true;
    case ICMP_ERROR_TIME_EXCEEDED:
        m->type = ICMP6_TIME_EXCEEDED;
        m->code = c->code;
        return true;
    case ICMP_ERROR_PROTOCOL:
        m->type = ICMP6_PARAMETER_PROBLEM;
        m->code = IP6_PROBLEM_NEXT_HEADER;
        m->word = c->pointer;
        return true;
    case ICMP_ERROR_PARAMETER:
        m->type = ICMP6_PARAMETER_PROBLEM;
        m->code = c->code;
        m->word = c->pointer;
        return true;
    case ICMP_ERROR_TOO_BIG:
    case ICMP_ERROR_SOURCE_QUENCH: break;
    }
    return false;
}

/* An error about an error, or about a redirect, would breed others [RFC1122 3.2.2]. */
static bool is_icmp_error(const struct ip_packet *packet)
{
    struct span head = ip_packet_head(packet);

    if (packet->protocol == IP_PROTOCOL_ICMP4)
        return head.len == 0 || icmp4_is_error(head.bytes[0]);
    if (packet->protocol == IP_PROTOCOL_ICMP6)
        return head.len == 0 || icmp6_is_error(head.bytes[0]) || head.bytes[0] == ICMP6_REDIRECT;
    return false;
}

/* May the packet be answered with an error at all [RFC1122 3.2.2, RFC4443 2.4 e]? */
static bool may_complain(const struct ip_packet *about, const struct icmp_complaint *c)
{
    return !about->is_later_fragment && !is_icmp_error(about) && (!about->is_group || c->to_groups)
           && !addr_is_any(&about->src) && !addr_is_multicast(&about->src)
           && !addr_is_broadcast(&about->src);
}

void icmp_send_error(struct ip *ip, const struct ip_packet *about,
                     const struct icmp_complaint *complaint)
{
    bool is_v4 = addr_is_v4(&about->src);
    size_t most = is_v4 ? ERROR_MAX4 - IP4_HEADER_LEN : ERROR_MAX6 - IP6_HEADER_LEN;
    struct message m = {
        .packet = about,
        .len = size_min(about->len, most - ICMP_HEADER_LEN),
    };
    struct ip_path path;
    struct ip_send how;

    if (!HAS_ICMP_ERRORS || !may_complain(about, complaint))
        return;
    if (!(is_v4 ? say4(complaint, &m) : say6(complaint, &m)))
        return;
    if (!icmp_is_within_limits(ip, &about->src)) {
        ip_drop(ip, WHY_ICMP_LIMIT);
        return;
    }
    if (!find_way_back(ip, about, &path))
        return;
    how = how_to_answer(about, &path);
    send(ip, &path, &how, &m);
}

void icmp_send_port_unreachable(struct ip *ip, const struct ip_packet *about)
{
    static const struct icmp_complaint complaint = {.kind = ICMP_ERROR_PORT};

    icmp_send_error(ip, about, &complaint);
}

/* ---- errors in ---- */

static bool kind_of4(const struct icmp_message *m, enum icmp_error_kind *kind)
{
    static const enum icmp_error_kind unreachable[] = {
        [ICMP4_NET_UNREACHABLE] = ICMP_ERROR_NET,
        [ICMP4_HOST_UNREACHABLE] = ICMP_ERROR_HOST,
        [ICMP4_PROTOCOL_UNREACHABLE] = ICMP_ERROR_PROTOCOL,
        [ICMP4_PORT_UNREACHABLE] = ICMP_ERROR_PORT,
        [ICMP4_FRAGMENTATION_NEEDED] = ICMP_ERROR_TOO_BIG,
        [ICMP4_SOURCE_ROUTE_FAILED] = ICMP_ERROR_NET,
        [ICMP4_NET_UNKNOWN] = ICMP_ERROR_NET,
        [ICMP4_HOST_UNKNOWN] = ICMP_ERROR_HOST,
        [ICMP4_HOST_ISOLATED] = ICMP_ERROR_HOST,
        [ICMP4_NET_PROHIBITED] = ICMP_ERROR_ADMIN,
        [ICMP4_HOST_PROHIBITED] = ICMP_ERROR_ADMIN,
        [ICMP4_NET_UNREACHABLE_FOR_TOS] = ICMP_ERROR_NET,
        [ICMP4_HOST_UNREACHABLE_FOR_TOS] = ICMP_ERROR_HOST,
        [ICMP4_PROHIBITED] = ICMP_ERROR_ADMIN,
        [ICMP4_PRECEDENCE_VIOLATION] = ICMP_ERROR_ADMIN,
        [ICMP4_PRECEDENCE_CUTOFF] = ICMP_ERROR_ADMIN,
    };

    switch (m->type) {
    case ICMP4_UNREACHABLE:
        if (m->code >= sizeof unreachable / sizeof unreachable[0])
            return false;
        *kind = unreachable[m->code];
        return true;
    case ICMP4_SOURCE_QUENCH: *kind = ICMP_ERROR_SOURCE_QUENCH; return true;
    case ICMP4_TIME_EXCEEDED: *kind = ICMP_ERROR_TIME_EXCEEDED; return true;
    case ICMP4_PARAMETER_PROBLEM: *kind = ICMP_ERROR_PARAMETER; return true;
    default: return false;
    }
}

static bool kind_of6(const struct icmp_message *m, enum icmp_error_kind *kind)
{
    static const enum icmp_error_kind unreachable[] = {
        [ICMP6_NO_ROUTE] = ICMP_ERROR_NET,          [ICMP6_PROHIBITED] = ICMP_ERROR_ADMIN,
        [ICMP6_BEYOND_SCOPE] = ICMP_ERROR_NET,      [ICMP6_ADDRESS_UNREACHABLE] = ICMP_ERROR_HOST,
        [ICMP6_PORT_UNREACHABLE] = ICMP_ERROR_PORT, [ICMP6_SOURCE_POLICY] = ICMP_ERROR_ADMIN,
        [ICMP6_REJECT_ROUTE] = ICMP_ERROR_ADMIN,
    };

    switch (m->type) {
    case ICMP6_UNREACHABLE:
        if (m->code >= sizeof unreachable / sizeof unreachable[0])
            return false;
        *kind = unreachable[m->code];
        return true;
    case ICMP6_PACKET_TOO_BIG: *kind = ICMP_ERROR_TOO_BIG; return true;
    case ICMP6_TIME_EXCEEDED: *kind = ICMP_ERROR_TIME_EXCEEDED; return true;
    case ICMP6_PARAMETER_PROBLEM:
        *kind = m->code == IP6_PROBLEM_NEXT_HEADER ? ICMP_ERROR_PROTOCOL : ICMP_ERROR_PARAMETER;
        return true;
    default: return false;
    }
}

int icmp_error_code(enum icmp_error_kind kind)
{
    switch (kind) {
    case ICMP_ERROR_NET: return WEIR_ENETUNREACH;
    case ICMP_ERROR_HOST: return WEIR_EHOSTUNREACH;
    case ICMP_ERROR_PROTOCOL: return WEIR_EPROTO;
    case ICMP_ERROR_PORT: return WEIR_ECONNREFUSED;
    case ICMP_ERROR_TOO_BIG: return WEIR_EMSGSIZE;
    case ICMP_ERROR_ADMIN: return WEIR_EACCES;
    case ICMP_ERROR_TIME_EXCEEDED: return WEIR_EHOSTUNREACH;
    case ICMP_ERROR_PARAMETER: return WEIR_EPROTO;
    case ICMP_ERROR_SOURCE_QUENCH: break;
    }
    return WEIR_OK;
}

/* The packet quoted: is it one that we may have sent [RFC9293 MUST-54]? */
static enum why read_quote(struct ip *ip, const struct ip_packet *packet, struct span quoted,
                           struct pkt *pkt)
{
    enum why why = pkt_parse_quoted(quoted, pkt);

    if (why != WHY_NONE)
        return why;
    if (addr_is_v4(&pkt->src) != addr_is_v4(&packet->src))
        return WHY_ICMP_MALFORMED;
    if (pkt->transport.len < 8)
        return WHY_ICMP_MALFORMED;
    return addrs_find(ip, NULL, &pkt->src) != NULL ? WHY_NONE : WHY_ICMP_NOT_OURS;
}

static void fill_error(struct ip_packet *packet, const struct pkt *pkt, struct icmp_error *e)
{
    e->protocol = pkt->protocol;
    e->from = packet->src;
    e->src = pkt->src;
    e->dst = pkt->dst;
    e->packet_len = (uint32_t)(pkt->ip_len + pkt->transport_len);
    e->transport = pkt->transport;
}

/* ---- echo ---- */

static void answer_echo(struct ip *ip, const struct ip_packet *packet, const struct message *m)
{
    struct ip_path path;
    struct ip_send how;

    if (!find_way_back(ip, packet, &path))
        return;
    how = how_to_answer(packet, &path);
    /* The reply travels in the same class, but starts without a mark of congestion. */
    how.tos = packet->tos & (uint8_t)~IP_ECN_MASK;
    send(ip, &path, &how, m);
}

static struct message reply_of(const struct ip_packet *packet, uint8_t type, uint32_t word)
{
    return (struct message){
        .type = type,
        .word = word,
        .packet = packet,
        .from = packet->header_len + (size_t)ICMP_HEADER_LEN,
        .len = ip_packet_transport_len(packet) - (size_t)ICMP_HEADER_LEN,
    };
}

static enum ip_verdict hand_up_reply(struct ip_packet *packet, uint16_t id, uint16_t sequence)
{
    packet->echo = (struct icmp_echo){id, sequence};
    packet->header_len += ICMP_HEADER_LEN;
    return IP_ECHO_REPLY;
}

/* ---- in ---- */

/* A better first hop, said by the one we use now [RFC1122 3.2.2.2]. */
static enum why take_redirect4(struct ip *ip, const struct ip_packet *packet,
                               const struct icmp_message *m)
{
    struct weir_addr gateway = icmp4_gateway(m);
    struct netif *netif = packet->netif;
    struct pkt pkt;
    enum why why = read_quote(ip, packet, m->body, &pkt);
    const struct route *now, *to_gateway;
    struct route_spec spec;

    if (why != WHY_NONE)
        return why;
    now = route_find(ip, &pkt.dst, netif);
    to_gateway = route_find(ip, &gateway, netif);
    if (now == NULL || !now->has_gateway || !addr_eq(&now->gateway, &packet->src)
        || to_gateway == NULL || to_gateway->has_gateway
        || addrs_classify(ip, netif, &gateway) != ADDRS_FOREIGN)
        return WHY_ICMP_NOT_OURS;
    spec = (struct route_spec){
        .prefix = {pkt.dst, ADDR_BITS},
        .gateway = &gateway,
        .origin = ROUTE_REDIRECT,
        .netif = netif,
        .until = ns_after(ip->now, REDIRECT_NS),
    };
    return route_learn(ip, &spec) == WEIR_OK ? WHY_NONE : WHY_NO_MEMORY;
}

static enum ip_verdict take_error4(struct ip *ip, struct ip_packet *packet,
                                   const struct icmp_message *m)
{
    struct icmp_error *e = &packet->error;
    struct pkt pkt;
    enum why why;

    if (HAS_ROUTING && m->type == ICMP4_REDIRECT)
        return ip_consume(ip, packet, take_redirect4(ip, packet, m));
    if (!kind_of4(m, &e->kind))
        return ip_consume(ip, packet, WHY_ICMP_UNKNOWN);
    why = read_quote(ip, packet, m->body, &pkt);
    if (why != WHY_NONE)
        return ip_consume(ip, packet, why);
    fill_error(packet, &pkt, e);
    e->code = m->code;
    e->mtu = e->kind == ICMP_ERROR_TOO_BIG ? icmp4_next_hop_mtu(m) : 0;
    return IP_ICMP_ERROR;
}

static enum ip_verdict take_error6(struct ip *ip, struct ip_packet *packet,
                                   const struct icmp_message *m)
{
    struct icmp_error *e = &packet->error;
    struct pkt pkt;
    enum why why;

    if (!kind_of6(m, &e->kind))
        return ip_consume(ip, packet, WHY_ICMP_UNKNOWN);
    why = read_quote(ip, packet, m->body, &pkt);
    if (why != WHY_NONE)
        return ip_consume(ip, packet, why);
    fill_error(packet, &pkt, e);
    e->code = m->code;
    e->mtu = e->kind == ICMP_ERROR_TOO_BIG ? m->word : 0;
    return IP_ICMP_ERROR;
}

/* Pings of groups are for finding hosts, or for attacking somebody: not in IPv4. */
static enum why take_echo4(struct ip *ip, const struct ip_packet *packet,
                           const struct icmp_message *m)
{
    struct message reply = reply_of(packet, ICMP4_ECHO_REPLY, m->word);

    if (!ip->config.echo_replies || packet->is_group)
        return WHY_ICMP_UNKNOWN;
    answer_echo(ip, packet, &reply);
    return WHY_NONE;
}

static enum why take_echo6(struct ip *ip, const struct ip_packet *packet,
                           const struct icmp_message *m)
{
    struct message reply = reply_of(packet, ICMP6_ECHO_REPLY, m->word);

    if (!ip->config.echo_replies || addr_is_any(&packet->src))
        return WHY_ICMP_UNKNOWN;
    answer_echo(ip, packet, &reply);
    return WHY_NONE;
}

enum ip_verdict icmp4_input(struct ip *ip, struct ip_packet *packet)
{
    struct icmp_message m;
    enum why why = icmp_parse(ip_packet_head(packet), ip_packet_transport_len(packet), &m);

    ip->icmp_in++;
    if (why != WHY_NONE)
        return ip_consume(ip, packet, why);
    if (!ip_packet_has_good_checksum(packet))
        return ip_consume(ip, packet, WHY_ICMP_CHECKSUM);
    if (m.type == ICMP4_ECHO_REQUEST)
        return ip_consume(ip, packet, take_echo4(ip, packet, &m));
    if (m.type == ICMP4_ECHO_REPLY)
        return hand_up_reply(packet, icmp_echo_id(&m), icmp_echo_seq(&m));
    if (icmp4_is_error(m.type))
        return take_error4(ip, packet, &m);
    return ip_consume(ip, packet, WHY_ICMP_UNKNOWN);
}

enum ip_verdict icmp6_input(struct ip *ip, struct ip_packet *packet)
{
    struct icmp_message m;
    enum why why = icmp_parse(ip_packet_head(packet), ip_packet_transport_len(packet), &m);

    ip->icmp_in++;
    if (why != WHY_NONE)
        return ip_consume(ip, packet, why);
    if (!ip_packet_has_good_checksum(packet))
        return ip_consume(ip, packet, WHY_ICMP_CHECKSUM);
    if (m.type == ICMP6_ECHO_REQUEST)
        return ip_consume(ip, packet, take_echo6(ip, packet, &m));
    if (m.type == ICMP6_ECHO_REPLY)
        return hand_up_reply(packet, icmp_echo_id(&m), icmp_echo_seq(&m));
    if (icmp6_is_ndp(m.type))
        return ip_consume(ip, packet, ndp_input(ip, packet, &m));
    if (icmp6_is_error(m.type))
        return take_error6(ip, packet, &m);
    return ip_consume(ip, packet, WHY_ICMP_UNKNOWN);
}
