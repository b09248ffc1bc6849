/*
 * recent.c - flows that were found lately, and the short way of plain packets
 *
 * Segments come in trains. Before the keyed hash, which takes its time, a few flows that were found
 * last are looked at, by a hash that anybody can work out: who makes flows of his own share a place
 * only makes each of them wait for the other hash.
 *
 * Nearly all packets are whole TCP segments over IPv4 without options of IP. What rx.c, ip/input.c and
 * tcp_rx.c would ask of one after the other is asked here at once. What is not plain in any way, or
 * wrong, goes the long way, where it is found out what it is: nothing has been counted yet.
 *
 * What IP finds out about a packet it mostly finds out from its ends: that it is for us, from somebody
 * who may send, and for which flow. As long as nothing changes that (IP's epoch), the next packet with
 * the same bytes in these places is the same in all that.
 */
#include "base/addr.h"
#include "base/be.h"
#include "base/checksum.h"
#include "base/count.h"
#include "base/hint.h"
#include "base/num.h"
#include "stack/tcp_rx.h"
#include "tcp/express_in.h"
#include "tcp/input.h"
#include "wire/eth.h"
#include "wire/plain.h"
#include <string.h>

enum {
    /* Addresses, header and timestamps. */
    USUAL_LEN = PLAIN_OPTIONS_AT + TCP_TIMESTAMPS_LEN - PLAIN_ENDS_AT,
    USUAL_SYN_LEN = PLAIN_TCP_AT + TCP_USUAL_SYN_LEN - PLAIN_ENDS_AT,
    FEW = 256, /* bytes are added up where they are, others as fast as the machine can */
};

static uint32_t place_of(uint32_t remote, uint32_t ports)
{
    return ((remote ^ ports) * UINT32_C(2654435761)) >> (32 - RECENT_BITS);
}

static uint32_t place_of_tuple(const struct tcp_tuple *t)
{
    return place_of(be32_at(t->remote_addr.b + 12), (uint32_t)t->remote_port << 16 | t->local_port);
}

/* The same; who has the ends in few bytes needs no tuple for it. */
static struct recent *place_of_flow(struct weir *s, const struct flow *flow)
{
    const struct tcp_ends *ends = &((const struct conn *)(const void *)flow)->tcp.ends;
    struct tcp_tuple tuple;

    if (flow->kind == HANDLE_CONN && ends_are_v4(ends))
        return &s->recent[place_of(be32_at(ends->remote4),
                                   (uint32_t)ends->remote_port << 16 | ends->local_port)];
    tuple = demux_tuple(s, flow);
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

void recent_move(struct weir *s, const struct flow *from, struct flow *to)
{
    *place_of_flow(s, from->kind == HANDLE_CONN ? from : to) = (struct recent){.flow = to};
}

void recent_remove(struct weir *s, const struct flow *flow)
{
    struct recent *r = place_of_flow(s, flow);

    if (r->flow == flow)
        *r = (struct recent){.flow = NULL};
}

/* ---- packets like the last one of their flow ---- */

static uint32_t place_of_packet(const uint8_t *ip)
{
    return place_of(be32_at(ip + PLAIN_SRC_AT), be32_at(ip + PLAIN_PORTS_AT));
}

static void note(const struct weir *s, struct recent *r, const struct netif *netif,
                 const uint8_t *ip)
{
    r->netif = netif;
    r->epoch = s->ip.epoch;
    memcpy(r->ends, ip + PLAIN_ENDS_AT, PLAIN_ENDS_LEN);
}

void recent_note(struct weir *s, const struct tcp_tuple *tuple, const struct netif *netif,
                 const uint8_t *ip)
{
    struct recent *r = &s->recent[place_of_packet(ip)];

    if (r->flow == NULL || r->flow->kind != HANDLE_CONN || !demux_is_between(s, r->flow, tuple))
        return;
    note(s, r, netif, ip);
}

/* The connection whose packet this is, as the last one was; NULL: that has to be found out. */
static struct conn *find_like(const struct weir *s, const struct netif *netif, const uint8_t *ip)
{
    const struct recent *r = &s->recent[place_of_packet(ip)];

    if (r->netif != netif || r->epoch != s->ip.epoch
        || memcmp(ip + PLAIN_ENDS_AT, r->ends, PLAIN_ENDS_LEN) != 0)
        return NULL;
    return container_of(r->flow, struct conn, flow);
}

/* ---- the short way ---- */

/* One slice, or headers and text; nothing that the driver has joined. */
static bool is_simple(const struct netif *netif, const struct weir_frame *frame)
{
    size_t second = frame->slice_count == 2 ? frame->slices[1].len : 0;

    return frame->gso == WEIR_GSO_NONE && (frame->slice_count == 1 || frame->slice_count == 2)
           && frame->slices[0].len + second == frame->len
           && frame->slices[0].len >= netif->link_len + (size_t)IP4_HEADER_LEN + TCP_HEADER_LEN;
}

/* No link header, or one that says that this is IPv4 for us; who tags frames goes the long way. */
static bool has_plain_link(const struct netif *netif, const uint8_t *link)
{
    enum { type_at = 12 };

    return netif->link_len == 0
           || (netif->link_len == ETH_HEADER_LEN
               && memcmp(link, netif->mac.b, sizeof netif->mac.b) == 0
               && be16_at(link + type_at) == ETH_TYPE_IP4);
}

/* As the receiver sees them. */
static struct tcp_tuple tuple_at(const uint8_t *ip)
{
    const uint8_t *ports = ip + PLAIN_PORTS_AT;

    return (struct tcp_tuple){addr_v4_at(ip + PLAIN_DST_AT), addr_v4_at(ip + PLAIN_SRC_AT),
                              be16_at(ports + 2), be16_at(ports)};
}

/* Has it text, to which that of the next may be joined (gro.c)? */
static bool is_followed(const struct netif *netif, const struct plain *p,
                        const struct weir_frame *next)
{
    return p->len > p->text_at && next->slice_count > 0
           && next->slices[0].len >= netif->link_len + (size_t)IP4_HEADER_LEN + TCP_HEADER_LEN
           && memcmp(next->slices[0].bytes + netif->link_len + PLAIN_ENDS_AT, p->ip + PLAIN_ENDS_AT,
                     PLAIN_ENDS_LEN)
                  == 0;
}

static uint64_t word_at(const uint8_t *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof word);
    return word;
}

/* From the addresses, which stand before TCP's header, to the end of timestamps: without a loop. */
static uint64_t sum_usual(const uint8_t *ends)
{
    uint64_t a = checksum_raw_plus(word_at(ends), word_at(ends + 8));
    uint64_t b = checksum_raw_plus(word_at(ends + 16), word_at(ends + 24));

    _Static_assert(USUAL_LEN == 5 * sizeof a, "all of it is added, and what follows is even");
    return checksum_raw_plus(checksum_raw_plus(a, b), word_at(ends + 32));
}

static uint64_t sum_pseudo_rest(const struct plain *p)
{
    return checksum_raw_word((uint32_t)p->len - PLAIN_TCP_AT + IP_PROTOCOL_TCP);
}

/* To the end of the options of a usual SYN. */
static uint64_t sum_usual_syn(const uint8_t *ends)
{
    _Static_assert(USUAL_SYN_LEN == USUAL_LEN + sizeof(uint64_t), "they are a word longer");
    return checksum_raw_plus(sum_usual(ends), word_at(ends + USUAL_LEN));
}

/* The same for any packet: from the addresses, of which first bytes are in the first slice, to its end. */
static APART bool has_good_sum(const struct weir *s, const struct weir_frame *frame,
                               const struct plain *p, size_t first)
{
    size_t rest = p->len - PLAIN_ENDS_AT - first;
    uint32_t sum;

    if (first == USUAL_SYN_LEN && rest == 0)
        return checksum_raw_is_good(
            checksum_raw_plus(sum_pseudo_rest(p), sum_usual_syn(p->ip + PLAIN_ENDS_AT)));
    sum = s->ip.checksum->add(0, p->ip + PLAIN_ENDS_AT, first);
    if (rest > 0)
        sum = checksum_join(sum, s->ip.checksum->add(0, frame->slices[1].bytes, rest), first);
    return checksum_raw_is_good(checksum_raw_plus(sum_pseudo_rest(p), checksum_raw_word(sum)));
}

/* [RFC9293 MUST-3], unless the driver has seen to it. */
static bool has_good_checksum(const struct weir *s, const struct weir_frame *frame,
                              const struct plain *p, size_t ip_at)
{
    size_t first = size_min(frame->slices[0].len - ip_at, p->len) - PLAIN_ENDS_AT;
    size_t rest = p->len - PLAIN_ENDS_AT - first;
    uint64_t sum;

    if (frame->flags & (WEIR_FRAME_CSUM_PARTIAL | WEIR_FRAME_CSUM_VALID))
        return true;
    if (!USUALLY(first == USUAL_LEN && rest < FEW))
        return has_good_sum(s, frame, p, first);
    sum = checksum_raw_plus(sum_pseudo_rest(p), sum_usual(p->ip + PLAIN_ENDS_AT));
    if (rest > 0)
        sum = checksum_raw_plus(sum, checksum_raw(frame->slices[1].bytes, rest));
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

/* The text, if it lies in one run, and its frame is not to be kept. */
static bool find_text(const struct weir_frame *frame, const struct plain *p, size_t ip_at,
                      struct span *text)
{
    const struct weir_slice *slice = frame->slices;
    size_t at = ip_at + p->text_at, len = (size_t)p->len - p->text_at;

    if (at == slice->len && len > 0) { /* the headers have a slice of their own */
        slice++;
        at = 0;
    }
    *text = span_of(slice->bytes + at, len);
    return slice->len - at >= len
           && (frame->release == NULL || !tcp_seg_is_worth_keeping(frame, (uint32_t)len));
}

/* False: there are others than timestamps. */
static bool read_timestamps(const struct plain *p, struct express_seg *seg)
{
    const uint8_t *options = p->ip + PLAIN_OPTIONS_AT;

    seg->has_timestamps = p->text_at == PLAIN_OPTIONS_AT + TCP_TIMESTAMPS_LEN;
    if (!seg->has_timestamps)
        return p->text_at == PLAIN_OPTIONS_AT;
    seg->ts_val = be32_at(options + 4);
    seg->ts_ecr = be32_at(options + 8);
    return be32_at(options) == TCP_TIMESTAMPS_START;
}

/* What TCP has to know of a usual segment. */
static bool fill_express(struct express_seg *seg, const struct weir_frame *frame,
                         const struct plain *p, size_t ip_at)
{
    seg->seq = seq_of(plain_seq(p));
    seg->ack = seq_of(plain_ack(p));
    seg->tos = plain_tos(p);
    seg->flags = plain_flags(p);
    seg->wnd = plain_window(p);
    return read_timestamps(p, seg) && find_text(frame, p, ip_at, &seg->text);
}

/* A part of what follows, which needs all that is looked at. */
static WHOLE bool read(const struct weir_frame *frame, size_t ip_at, struct plain *p)
{
    const struct weir_slice *head = &frame->slices[0];

    return plain_parse(span_of(head->bytes + ip_at, head->len - ip_at), frame->len - ip_at, p);
}

static void count_in(struct weir *s, const struct weir_frame *frame)
{
    s->frames_in++;
    s->bytes_in += frame->len;
}

/* No reset answers a segment in these states, and nothing has to be signed. */
static bool is_plain_conn(const struct tcp_conn *c, const struct plain *p)
{
    return tcp_is_synchronized(c) && c->auth == 0 && plain_ttl(p) >= c->user->min_ttl;
}

/*
 * One that only TCP's long way can take, and those behind it that continue it. Returns how many; 0: it says
 * more than can be read here.
 */
static APART size_t take_unusual(struct weir *s, struct conn *c, struct weir_frame *frames,
                                 size_t count, const struct plain *p)
{
    struct tcp_seg seg;
    size_t joined;
    enum why why;

    fill(&seg, frames, p, (size_t)(p->ip - frames[0].slices[0].bytes));
    if (seg.opt.present & (TCP_HAS_MD5 | TCP_HAS_AO))
        return 0;
    joined = gro_join(s, p->ip, &seg, &c->flow, &frames[1], count - 1);
    count_in(s, frames);
    count_add(&s->tcp.counts.segs_in, seg.segs);
    why = tcp_input(&c->tcp, &s->tcp, &seg);
    tcp_seg_done(&seg, &s->tcp);
    if (why != WHY_NONE)
        stack_drop(s, why);
    stack_settle(s, c);
    return 1 + joined;
}

static bool take_usual(struct weir *s, struct conn *c, const struct weir_frame *frame,
                       const struct plain *p, size_t ip_at)
{
    struct express_seg usual;

    if (!USUALLY(fill_express(&usual, frame, p, ip_at)))
        return false;
    if (USUALLY(express_input(&c->tcp, &s->tcp, &usual)))
        stack_settle_taken(s, c);
    else if (express_input_at_end(&c->tcp, &s->tcp, &usual))
        stack_settle(s, c);
    else
        return false;
    count_in(s, frame);
    s->tcp.counts.segs_in++;
    return true;
}

/* The same of one whose flow had to be found; IP has nothing against it, so the next is known. */
static bool take_found(struct weir *s, struct flow *flow, const struct netif *netif,
                       const struct weir_frame *frame, const struct plain *p)
{
    struct conn *c = container_of(flow, struct conn, flow);

    if (!HAS_PREDICTION || flow->kind != HANDLE_CONN || !is_plain_conn(&c->tcp, p))
        return false;
    note(s, &s->recent[place_of_packet(p->ip)], netif, p->ip);
    return take_usual(s, c, frame, p, netif->link_len);
}

static size_t take_like(struct weir *s, struct conn *c, struct weir_frame *frames, size_t count,
                        const struct plain *p, size_t ip_at)
{
    if (!USUALLY(has_good_checksum(s, frames, p, ip_at)))
        return 0;
    if (USUALLY(count == 1 && take_usual(s, c, frames, p, ip_at)))
        return 1;
    return take_unusual(s, c, frames, count, p);
}

/* One that is not known from the last packet of its flow, which is mostly so where there are very many. */
static APART bool take_new(struct weir *s, struct netif *netif, struct weir_frame *frame,
                           const struct plain *p)
{
    struct arrival a;
    struct flow *flow;

    a.tuple = tuple_at(p->ip);
    if (!ip_is_for_us(&s->ip, netif, &a.tuple.remote_addr, &a.tuple.local_addr)
        || !has_good_checksum(s, frame, p, netif->link_len))
        return false;
    flow = demux_find(s, &a.tuple, &a.hash);
    if (flow != NULL && take_found(s, flow, netif, frame, p))
        return true;
    fill(&a.seg, frame, p, netif->link_len);
    if (a.seg.opt.present & (TCP_HAS_MD5 | TCP_HAS_AO))
        return false;
    a.auth = 0;
    a.netif = netif;
    a.ip = p->ip;
    a.ttl = plain_ttl(p);
    count_in(s, frame);
    rx_segment(s, &a, flow);
    return true;
}

size_t recent_rx(struct weir *s, struct netif *netif, struct weir_frame *frames, size_t count)
{
    size_t ip_at = netif->link_len;
    struct conn *c;
    struct plain p;

    if (!USUALLY(!trace_is_on(&s->tracer) && is_simple(netif, frames))
        || !USUALLY(has_plain_link(netif, frames[0].slices[0].bytes))
        || !USUALLY(read(frames, ip_at, &p)))
        return 0;
    if (count > 1 && !is_followed(netif, &p, &frames[1]))
        count = 1;
    c = find_like(s, netif, p.ip);
    if (USUALLY(c != NULL && is_plain_conn(&c->tcp, &p)))
        return take_like(s, c, frames, count, &p, ip_at);
    return count == 1 && take_new(s, netif, frames, &p);
}
