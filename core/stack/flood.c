/*
 * flood.c - SYNs by the million: those that a cookie answers, the short way
 *
 * When there is no room for half-open connections, the SYN-ACK says all there is to say [RFC4987 3.6], and two
 * of one listener differ in little: to whom they go, the two sequence numbers, the timestamps. So the
 * first one that went the long way (handshake.c) is kept, and as long as nothing changes that made it what
 * it is (IP's epoch, the listener and its options), the next SYN that is like its SYN is answered by a
 * copy in which these are others. SYN floods come from everywhere: what is known of one source,
 * that it may be one and where the answer goes, is known of all that are as foreign (ip/foreign.c).
 *
 * What is not like it in any way goes the long way, which also says why something is dropped. The
 * two differ in the identification of IPv4, which for packets that are not cut may be any
 * [RFC6864 4.1]: here a part of the cookie's hash, so that there is one hash less.
 */
#include "base/be.h"
#include "base/checksum.h"
#include "base/parts.h"
#include "stack/stack.h"
#include "stack/tcp_rx.h"
#include "tcp/cookie.h"
#include "tcp/isn.h"
#include "tcp/options.h"
#include "wire/plain.h"
#include "wire/tcp_options.h"
#include <string.h>

enum {
    SYN_SET = TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED | TCP_HAS_TIMESTAMPS | TCP_HAS_WINDOW_SCALE,
    TCP_LEN = FLOOD_SYNACK_LEN - IP4_HEADER_LEN,
    /* Where the SYN-ACK is another one each time. */
    ID_AT = 4,
    IP_CHECKSUM_AT = 10,
    DST_AT = PLAIN_SRC_AT + PLAIN_ADDRS_LEN / 2,
    DST_PORT_AT = PLAIN_TCP_AT + 2,
    SUM_AT = PLAIN_TCP_AT + TCP_CHECKSUM_AT,
    TS_VAL_AT = PLAIN_TCP_AT + TCP_HEADER_LEN + 8,
    TS_ECR_AT = TS_VAL_AT + 4,
};

/* One a while is enough: to look around in the addresses takes its time. */
#define NOTE_INTERVAL_NS (1 * NS_MS)

static void put32(uint8_t *at, uint32_t value)
{
    be32_t wire = be32_of(value);

    memcpy(at, &wire, sizeof wire);
}

static void put16(uint8_t *at, uint16_t value)
{
    be16_t wire = be16_of(value);

    memcpy(at, &wire, sizeof wire);
}

/* ---- what is known ---- */

void flood_forget(struct weir *s)
{
    s->flood.netif = NULL;
}

/* The answer goes where the others go; on a link with neighbours, if that is by a gateway. */
static bool is_same_way(const struct ip_path *a, const struct ip_path *b)
{
    return a->netif == b->netif && a->mtu == b->mtu
           && (a->netif->link == WEIR_LINK_IP || weir_addr_eq(&a->next_hop, &b->next_hop));
}

static bool is_way_of_many(const struct ip_path *path, const struct weir_addr *dst)
{
    return !path->is_local && !path->is_group
           && (path->netif->link == WEIR_LINK_IP || !weir_addr_eq(&path->next_hop, dst));
}

/* The options that nearly all SYNs have, and no others. */
static bool is_usual(const struct tcp_options *options)
{
    return options->present == SYN_SET && !options->malformed && options->skipped_count == 0;
}

static bool is_plain_syn(const struct arrival *a)
{
    return a->seg.flags == TCP_SYN && a->seg.len == 0 && is_usual(&a->seg.opt)
           && a->seg.header.bytes == a->ip + IP4_HEADER_LEN && a->seg.frame != NULL
           && a->ip == a->seg.frame->slices[0].bytes + a->netif->link_len
           && a->netif->link_len <= ETH_HEADER_LEN;
}

/* Its SYN-ACK, with TCP's header as it stands. */
static void keep(struct flood *f, const struct tcp_halfopen *h, const struct frame *frame,
                 uint8_t ttl)
{
    struct ip4_plain ip = {
        .src = &h->tuple.local_addr,
        .dst = &h->tuple.remote_addr,
        .total_len = FLOOD_SYNACK_LEN,
        .tos = h->tos,
        .ttl = ttl,
        .protocol = IP_PROTOCOL_TCP,
        .dont_fragment = HAS_PATH_MTU,
    };

    ip4_emit_plain(&ip, f->synack);
    memcpy(f->synack + PLAIN_TCP_AT, frame->wire.slices[0].bytes, TCP_LEN);
    memset(f->synack + IP_CHECKSUM_AT, 0, sizeof(be16_t));
    memset(f->synack + SUM_AT, 0, sizeof(be16_t));
}

static void begin(struct weir *s, const struct arrival *a, struct listener *l,
                  const struct ip_path *path)
{
    struct flood *f = &s->flood;

    f->netif = a->netif;
    f->epoch = s->ip.epoch;
    f->listener = l;
    f->path = *path;
    memcpy(f->link, a->seg.frame->slices[0].bytes, a->netif->link_len);
    memcpy(f->dst, a->ip + DST_AT, sizeof f->dst);
    f->port = a->tuple.local_port;
    f->min_ttl = l->model.user->min_ttl;
    f->foreign_count = 0;
}

/* Sources of which the same is known. */
static void add_foreign(struct flood *f, const struct foreign *foreign)
{
    f->foreign[f->foreign_count % FLOOD_FOREIGN] = *foreign;
    f->foreign_count++;
}

static bool is_of(const struct flood *f, const struct weir *s, const struct arrival *a,
                  const struct listener *l)
{
    return f->netif == a->netif && f->epoch == s->ip.epoch && f->listener == l
           && f->port == a->tuple.local_port && memcmp(f->dst, a->ip + DST_AT, sizeof f->dst) == 0;
}

void flood_note(struct weir *s, const struct arrival *a, struct listener *l,
                const struct tcp_halfopen *h, const struct frame *frame)
{
    struct flood *f = &s->flood;
    const struct ip_path *path;
    struct foreign foreign;

    if (frame == NULL || s->tcp.now < f->again_at || !addr_is_v4(&h->tuple.remote_addr)
        || !is_plain_syn(a) || h->auth != 0 || l->model.auth != 0 || !demux_remembers(s, l)
        || h->ecn.mode != ECN_NONE || frame->wire.len != TCP_LEN)
        return;
    f->again_at = ns_after(s->tcp.now, NOTE_INTERVAL_NS);
    path = tx_path(s, &h->tuple.local_addr, &h->tuple.remote_addr);
    if (path == NULL || !is_way_of_many(path, &h->tuple.remote_addr)
        || !list_is_empty(&s->ip.pmtus.all)
        || !foreign_find(&s->ip, &h->tuple.remote_addr, &foreign))
        return;
    if (!is_of(f, s, a, l) || !is_same_way(&f->path, path)) {
        begin(s, a, l, path);
        f->wish = h->agreed;
        keep(f, h, frame, h->ttl != 0 ? h->ttl : s->ip.config.ttl);
    }
    add_foreign(f, &foreign);
}

/* ---- the short way ---- */

/* There would be no record for it. */
static bool is_cookies_turn(const struct weir *s, const struct flood *f)
{
    return (s->halfopens.used >= s->config.syn_queue
            || s->config.tcp.syn_cookies == WEIR_SYN_COOKIES_ALWAYS)
           && f->epoch == s->ip.epoch && f->listener->queued <= f->listener->backlog
           && f->listener->model.auth == 0 && f->path.netif->out.count < TX_REPLIES_MAX
           && !trace_is_on(&s->tracer);
}

static bool is_one_piece(const struct flood *f, const struct weir_frame *frame)
{
    return frame->slice_count == 1 && frame->gso == WEIR_GSO_NONE
           && frame->slices[0].len == frame->len
           && frame->len >= (size_t)f->netif->link_len + FLOOD_SYNACK_LEN;
}

/* The first look, at what nearly everything else has not. */
static bool looks_like(const struct flood *f, const struct weir_frame *frame)
{
    const uint8_t *link = frame->slices[0].bytes, *ip = link + f->netif->link_len;

    return (be16_at(ip + PLAIN_FLAGS_AT) & TCP_FLAGS) == TCP_SYN
           && memcmp(ip + DST_AT, f->dst, sizeof f->dst) == 0
           && be16_at(ip + DST_PORT_AT) == f->port
           && (f->netif->link_len == 0 || memcmp(link, f->link, f->netif->link_len) == 0);
}

static bool has_good_checksum(const struct weir_frame *frame, const uint8_t *ip)
{
    uint64_t sum;

    if (frame->flags & (WEIR_FRAME_CSUM_PARTIAL | WEIR_FRAME_CSUM_VALID))
        return true;
    sum = checksum_raw(ip + PLAIN_ENDS_AT, FLOOD_SYNACK_LEN - PLAIN_ENDS_AT);
    return checksum_raw_is_good(
        checksum_raw_plus(sum, checksum_raw_word(TCP_LEN + IP_PROTOCOL_TCP)));
}

/* Those that were of use last are mostly of use again. */
static bool is_foreign(const struct flood *f, uint32_t src)
{
    uint32_t count = f->foreign_count < FLOOD_FOREIGN ? f->foreign_count : FLOOD_FOREIGN;

    for (uint32_t i = 0; i < count; i++)
        if (foreign_has(&f->foreign[i], src))
            return true;
    return false;
}

static struct tcp_tuple tuple_of(const uint8_t *ip)
{
    const uint8_t *src = ip + PLAIN_SRC_AT, *dst = ip + DST_AT;

    return (struct tcp_tuple){
        .local_addr = weir_addr_v4(dst[0], dst[1], dst[2], dst[3]),
        .remote_addr = weir_addr_v4(src[0], src[1], src[2], src[3]),
        .local_port = be16_at(ip + DST_PORT_AT),
        .remote_port = be16_at(ip + PLAIN_PORTS_AT),
    };
}

/* A SYN that is to be answered. */
struct syn {
    struct tcp_tuple tuple;
    struct plain plain;
    struct tcp_options options;
};

/* out is a copy of what is kept. */
static void patch(uint8_t *out, const struct syn *syn, const struct cookie *cookie)
{
    uint64_t sum;

    put16(out + ID_AT, (uint16_t)cookie->noise);
    memcpy(out + DST_AT, syn->plain.ip + PLAIN_SRC_AT, PLAIN_ADDRS_LEN / 2);
    put16(out + DST_PORT_AT, syn->tuple.remote_port);
    put32(out + PLAIN_SEQ_AT, cookie->iss.raw);
    put32(out + PLAIN_ACK_AT, plain_seq(&syn->plain) + 1);
    put32(out + TS_VAL_AT, cookie->ts_val);
    put32(out + TS_ECR_AT, syn->options.ts_val);
    put16(out + IP_CHECKSUM_AT, checksum_fold_raw(checksum_raw(out, IP4_HEADER_LEN)));
    sum = checksum_raw(out + PLAIN_ENDS_AT, FLOOD_SYNACK_LEN - PLAIN_ENDS_AT);
    sum = checksum_raw_plus(sum, checksum_raw_word(TCP_LEN + IP_PROTOCOL_TCP));
    put16(out + SUM_AT, checksum_fold_raw(sum));
}

static void answer(struct weir *s, const struct syn *syn, struct frame *frame)
{
    struct flood *f = &s->flood;
    struct tcp_agreed agreed = options_agree(&s->tcp, f->wish, &syn->options, true);
    struct cookie cookie = cookie_of(&s->tcp, isn_ends(&s->tcp, &syn->tuple),
                                     seq_of(plain_seq(&syn->plain)), &agreed, false);
    uint8_t *out = frame_push(frame, FLOOD_SYNACK_LEN);

    memcpy(out, f->synack, FLOOD_SYNACK_LEN);
    patch(out, syn, &cookie);
    s->cookie_sent_at = s->tcp.now;
    s->tcp.counts.cookies_sent++;
    s->tcp.counts.segs_out++;
    ip_transmit(&s->ip, &f->path, &frame);
}

/* Reads what there is to answer; false: it is not like the one that is known. */
static bool read(const struct flood *f, const struct weir_frame *frame, struct syn *syn)
{
    const uint8_t *ip = frame->slices[0].bytes + f->netif->link_len;
    const struct plain *p = &syn->plain;

    if (!plain_parse(span_of(ip, FLOOD_SYNACK_LEN), frame->len - f->netif->link_len, &syn->plain)
        || p->len != FLOOD_SYNACK_LEN || p->text_at != FLOOD_SYNACK_LEN || plain_ttl(p) < f->min_ttl
        || !has_good_checksum(frame, ip) || !is_foreign(f, be32_at(ip + PLAIN_SRC_AT)))
        return false;
    tcp_options_parse(plain_options(p), &syn->options);
    syn->tuple = tuple_of(ip);
    return is_usual(&syn->options);
}

bool flood_rx(struct weir *s, struct netif *netif, const struct weir_frame *frame)
{
    const struct flood *f = &s->flood;
    struct frame *synack;
    struct syn syn;
    uint32_t hash;

    if (f->netif != netif || !is_one_piece(f, frame) || !looks_like(f, frame)
        || !is_cookies_turn(s, f) || !read(f, frame, &syn)
        || demux_find(s, &syn.tuple, &hash) != NULL)
        return false;
    synack = frame_get(&s->frames);
    if (synack == NULL)
        return false;
    s->frames_in++;
    s->bytes_in += frame->len;
    s->tcp.counts.segs_in++;
    answer(s, &syn, synack);
    return true;
}
