/*
 * recent.c - flows that were found lately, and the short way of their packets
 *
 * Segments come in trains. Before the keyed hash, which takes its time, a few flows that were found
 * last are looked at, by a hash that anybody can work out: who makes flows of his own share a place
 * only makes each of them wait for the other hash.
 *
 * What IP finds out about a packet it mostly finds out from its ends: that it is for us, from
 * somebody who may send, of which protocol and for which flow. As long as nothing changes that (IP's
 * epoch), the next packet with the same bytes in these places is the same in all that, and only what
 * differs from packet to packet is left to be read and verified. What is not plain in any way goes
 * the long way: rx.c, ip/input.c, tcp_rx.c.
 */
#include "base/be.h"
#include "base/checksum.h"
#include "base/hint.h"
#include "base/num.h"
#include "stack/stack.h"
#include "tcp/input.h"
#include "tcp/seg.h"
#include <string.h>

static uint32_t place_of(uint32_t remote, uint32_t ports)
{
    return ((remote ^ ports) * UINT32_C(2654435761)) >> (32 - RECENT_BITS);
}

/* Of the words that an IPv4 packet from the other end has for its source and its ports. */
static uint32_t place_of_tuple(const struct tcp_tuple *t)
{
    return place_of(be32_at(t->remote_addr.b + 12), (uint32_t)t->remote_port << 16 | t->local_port);
}

static struct recent *place_of_flow(struct weir *s, const struct flow *flow)
{
    struct tcp_tuple tuple = demux_tuple(s, flow);

    return &s->recent[place_of_tuple(&tuple)];
}

struct flow *recent_find(const struct weir *s, const struct tcp_tuple *tuple)
{
    struct flow *flow = s->recent[place_of_tuple(tuple)].flow;

    return flow != NULL && demux_is_between(s, flow, tuple) ? flow : NULL;
}

void recent_add(struct weir *s, struct flow *flow)
{
    struct recent *r = place_of_flow(s, flow);

    if (r->flow != flow)
        *r = (struct recent){.flow = flow};
}

void recent_remove(struct weir *s, const struct flow *flow)
{
    struct recent *r = place_of_flow(s, flow);

    if (r->flow == flow)
        *r = (struct recent){.flow = NULL};
}

/* ---- the short way ---- */

/* Where the packet begins in its frame, if before it is a link header such as we send, or none. */
static bool is_after_link(const struct ip_packet *packet)
{
    const struct netif *netif = packet->netif;

    return packet->frame != NULL && netif->link_len <= ETH_HEADER_LEN
           && packet->slices[0].bytes == packet->frame->slices[0].bytes + netif->link_len;
}

/* Not of a packet from ourselves: it would make another's packet with such a source a good one. */
static bool is_from_outside(const struct weir *s, const struct ip_packet *packet)
{
    return packet->netif->good_source_epoch == s->ip.epoch
           && weir_addr_eq(&packet->src, &packet->netif->good_source);
}

void recent_note(struct weir *s, const struct ip_packet *packet, const struct flow *flow)
{
    const uint8_t *ip = packet->slices[0].bytes;
    struct recent *r;

    if (flow->kind != HANDLE_CONN || packet->header_len != IP4_HEADER_LEN)
        return;
    r = &s->recent[place_of(be32_at(ip + PLAIN_SRC_AT), be32_at(ip + PLAIN_PORTS_AT))];
    if (r->flow != flow || (r->netif == packet->netif && r->epoch == s->ip.epoch)
        || !is_after_link(packet) || !is_from_outside(s, packet))
        return;
    r->netif = packet->netif;
    r->epoch = s->ip.epoch;
    memcpy(r->link, packet->frame->slices[0].bytes, packet->netif->link_len);
    memcpy(r->ends, ip + PLAIN_ENDS_AT, PLAIN_ENDS_LEN);
}

static bool has_ends(const struct recent *r, const uint8_t *ip)
{
    return memcmp(ip + PLAIN_ENDS_AT, r->ends, PLAIN_ENDS_LEN) == 0;
}

/* One slice, or headers and text; nothing that the driver has joined. */
static bool is_simple(const struct weir *s, const struct netif *netif,
                      const struct weir_frame *frame)
{
    size_t second = frame->slice_count == 2 ? frame->slices[1].len : 0;

    return frame->gso == WEIR_GSO_NONE && (frame->slice_count == 1 || frame->slice_count == 2)
           && frame->slices[0].len + second == frame->len
           && frame->slices[0].len >= netif->link_len + (size_t)IP4_HEADER_LEN + TCP_HEADER_LEN
           && !trace_is_on(&s->tracer);
}

/* The flow whose last packet came with the same link header, from and to the same. */
static const struct recent *find_like(const struct weir *s, const struct netif *netif,
                                      const struct weir_frame *frame)
{
    const uint8_t *link = frame->slices[0].bytes, *ip = link + netif->link_len;
    const struct recent *r =
        &s->recent[place_of(be32_at(ip + PLAIN_SRC_AT), be32_at(ip + PLAIN_PORTS_AT))];

    if (r->netif != netif || r->epoch != s->ip.epoch || !has_ends(r, ip)
        || (netif->link_len > 0 && memcmp(link, r->link, netif->link_len) != 0))
        return NULL;
    return r;
}

/* It may be joined to the first (gro.c). */
static bool is_followed(const struct recent *r, const struct netif *netif,
                        const struct weir_frame *next)
{
    return next != NULL && next->slice_count > 0
           && next->slices[0].len >= netif->link_len + (size_t)IP4_HEADER_LEN + TCP_HEADER_LEN
           && has_ends(r, next->slices[0].bytes + netif->link_len);
}

/* [RFC9293 MUST-3], unless the driver has seen to it. The addresses stand before TCP's header. */
static bool has_good_checksum(const struct weir_frame *frame, const struct plain *p, size_t ip_at)
{
    size_t first = size_min(frame->slices[0].len - ip_at, p->len) - PLAIN_ENDS_AT;
    size_t rest = p->len - PLAIN_ENDS_AT - first;
    uint64_t sum;

    if (frame->flags & (WEIR_FRAME_CSUM_PARTIAL | WEIR_FRAME_CSUM_VALID))
        return true;
    sum = checksum_raw_plus(checksum_raw(p->ip + PLAIN_ENDS_AT, first),
                            checksum_raw_word((uint32_t)p->len - PLAIN_TCP_AT + IP_PROTOCOL_TCP));
    if (rest > 0)
        sum = checksum_raw_join(sum, checksum_raw(frame->slices[1].bytes, rest), first);
    return checksum_raw_is_good(sum);
}

static void fill(struct tcp_seg *seg, struct weir_frame *frame, const struct plain *p, size_t ip_at)
{
    tcp_seg_begin(seg);
    seg->seq = seq_of(plain_seq(p));
    seg->ack = seq_of(plain_ack(p));
    seg->len = (uint32_t)p->len - p->text_at;
    seg->flags = plain_flags(p);
    seg->wnd = plain_window(p);
    seg->up = plain_urgent(p);
    seg->segs = 1;
    seg->tos = plain_tos(p);
    seg->header = span_of(p->ip + PLAIN_TCP_AT, p->text_at - (size_t)PLAIN_TCP_AT);
    seg->text = frame->slices;
    seg->text_count = frame->slice_count;
    seg->text_skip = (uint32_t)ip_at + p->text_at;
    seg->frame = frame;
    tcp_options_parse_usual(plain_options(p), &seg->opt);
}

/* No reset answers a segment in this state, and nothing has to be signed. */
static bool is_plain_conn(const struct tcp_conn *c, const struct plain *p)
{
    return c->state == TCP_ESTABLISHED && c->auth == 0 && plain_ttl(p) >= c->user->min_ttl;
}

static void take(struct weir *s, struct conn *c, struct tcp_seg *seg, struct weir_frame *frame)
{
    enum why why;

    s->frames_in++;
    s->bytes_in += frame->len;
    s->tcp.counts.segs_in++;
    why = tcp_input(&c->tcp, &s->tcp, seg);
    stack_settle(s, c);
    tcp_seg_done(seg, &s->tcp);
    if (why != WHY_NONE)
        stack_drop(s, why);
}

/* A part of what follows, which needs all that is looked at. */
static WHOLE bool read(const struct weir_frame *frame, size_t ip_at, struct plain *p)
{
    const struct weir_slice *head = &frame->slices[0];

    return plain_parse(span_of(head->bytes + ip_at, head->len - ip_at), frame->len - ip_at, p);
}

bool recent_rx(struct weir *s, struct netif *netif, struct weir_frame *frame,
               const struct weir_frame *next)
{
    size_t ip_at = netif->link_len;
    const struct recent *r;
    struct plain p;
    struct tcp_seg seg;
    struct conn *c;

    if (!is_simple(s, netif, frame))
        return false;
    r = find_like(s, netif, frame);
    if (r == NULL || is_followed(r, netif, next) || !read(frame, ip_at, &p))
        return false;
    c = container_of(r->flow, struct conn, flow);
    if (!is_plain_conn(&c->tcp, &p) || !has_good_checksum(frame, &p, ip_at))
        return false;
    fill(&seg, frame, &p, ip_at);
    if (seg.opt.present & (TCP_HAS_MD5 | TCP_HAS_AO)) /* which nobody has asked for */
        return false;
    take(s, c, &seg, frame);
    return true;
}
