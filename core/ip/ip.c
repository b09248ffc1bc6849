/*
 * ip.c - the internet layer: beginning, end, time, and what its files share
 */
#include "ip/ip.h"

#include "base/addr.h"
#include "base/be.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/checksum.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/trace.h"
#include "ip/ndp.h"
#include "wire/pkt.h"
#include <string.h>
#include <weir/err.h>
#include <weir/trace.h>

enum {
    PURPOSE_HASH = 0x6970, /* keys and streams that nobody else derives from the secret */
    PURPOSE_ID,
    PURPOSE_STABLE,
    STREAM_IP = 0x6970,
    HEADER_MAX = 60, /* of a transport */
    SHORT_MAX = 128, /* bytes of a transport that are summed straight on */
};

int ip_init(struct ip *ip, const struct ip_setup *setup)
{
    const uint8_t *secret = setup->config->secret;

    memset(ip, 0, sizeof *ip);
    ip->now = setup->now;
    ip->mem = setup->mem;
    ip->bufs = setup->bufs;
    ip->frames = setup->frames;
    ip->dropped = setup->dropped;
    ip->tracer = setup->tracer;
    ip->wheel = setup->wheel;
    ip->checksum = checksum_ops_for(setup->config->cpu_features);
    ip->config = setup->config->ip;
    ip->slab_bytes = setup->config->slab_bytes;
    ip->epoch = 1;
    ip->hash_key = siphash_key_derive(secret, PURPOSE_HASH);
    ip->id_key = siphash_key_derive(secret, PURPOSE_ID);
    ip->stable_key = siphash_key_derive(secret, PURPOSE_STABLE);
    rng_init(&ip->rng, secret, STREAM_IP);
    for (size_t i = 0; i < IP_ID_COUNTERS; i++)
        ip->id_counters[i] = rng_u32(&ip->rng);
    icmp_init(ip);
    if (addrs_init(ip) && route_init(ip) && neigh_init(ip) && frag_init(ip) && pmtu_init(ip))
        return WEIR_OK;
    return WEIR_EINVAL;
}

static void put_all(struct ip *ip, struct frames *queue)
{
    for (struct frame *f; (f = frames_take(queue)) != NULL;)
        frame_put(ip->frames, ip->bufs, &f);
}

void ip_fini(struct ip *ip)
{
    for (uint32_t i = 0; i < ip->netif_count; i++) {
        put_all(ip, &ip->netifs[i]->out);
        put_all(ip, &ip->netifs[i]->back);
        mem_free(ip->mem, ip->netifs[i], sizeof *ip->netifs[i]);
    }
    ip->netif_count = 0;
    neigh_fini(ip);
    frag_fini(ip);
    pmtu_fini(ip);
    route_fini(ip);
    addrs_fini(ip);
    put_all(ip, &ip->failed);
    frame_put(ip->frames, ip->bufs, &ip->failed_taken);
}

/* ---- time ---- */

void ip_expire(struct ip *ip, struct wheel_entry *due)
{
    struct ip_timer *timer = container_of(due, struct ip_timer, entry);

    switch (timer->kind) {
    case IP_TIMER_NEIGH: neigh_expire(ip, container_of(timer, struct neigh, timer)); break;
    case IP_TIMER_ADDR: addrs_expire(ip, container_of(timer, struct ip_addr, timer)); break;
    case IP_TIMER_ROUTE: route_expire(ip, container_of(timer, struct route, timer)); break;
    case IP_TIMER_SOLICIT:
        ndp_expire_solicit(ip, container_of(timer, struct netif, solicit_timer));
        break;
    case IP_TIMER_FRAG: frag_expire(ip, container_of(timer, struct frag, timer)); break;
    case IP_TIMER_PMTU: pmtu_expire(ip, container_of(timer, struct pmtu_entry, timer)); break;
    }
}

ns_t ip_deadline(const struct ip *ip)
{
    return ip->failed.count > 0 ? ip->now : NEVER;
}

void ip_arm(struct ip *ip, struct ip_timer *timer, ns_t at)
{
    timer->entry.owner = IP_TIMER_OWNER;
    wheel_arm(ip->wheel, &timer->entry, at);
}

void ip_disarm(struct ip *ip, struct ip_timer *timer)
{
    wheel_disarm(ip->wheel, &timer->entry);
}

/* ---- what did not arrive ---- */

static bool read_failure(struct ip *ip, struct icmp_error *error)
{
    const struct weir_slice *headers = &ip->failed_taken->wire.slices[0];
    struct pkt pkt;

    if (pkt_parse_quoted(span_of(headers->bytes, headers->len), &pkt) != WHY_NONE)
        return false;
    *error = (struct icmp_error){
        .kind = ICMP_ERROR_HOST,
        .protocol = pkt.protocol,
        .from = pkt.src,
        .src = pkt.src,
        .dst = pkt.dst,
        .packet_len = (uint32_t)ip->failed_taken->wire.len,
        .transport = pkt.transport,
    };
    return true;
}

bool ip_take_failure(struct ip *ip, struct icmp_error *error)
{
    do {
        frame_put(ip->frames, ip->bufs, &ip->failed_taken);
        ip->failed_taken = frames_take(&ip->failed);
    } while (ip->failed_taken != NULL && !read_failure(ip, error));
    return ip->failed_taken != NULL;
}

/* ---- dropping and tracing ---- */

void ip_drop(struct ip *ip, enum why why)
{
    ip->dropped[why]++;
    if (trace_is_on(ip->tracer)) {
        struct weir_trace t = {.kind = WEIR_TRACE_DROP, .at = ip->now, .why = (size_t)why};

        trace_emit(ip->tracer, &t);
    }
}

enum why ip_drop_frame(struct ip *ip, struct frame **frame, enum why why)
{
    frame_put(ip->frames, ip->bufs, frame);
    ip_drop(ip, why);
    return why;
}

void ip_fill_trace(const struct ip *ip, const struct ip_packet *packet, struct weir_trace *trace)
{
    trace->kind = WEIR_TRACE_PACKET_IN;
    trace->at = ip->now;
    trace->netif = packet->netif->id;
    trace->slices = packet->slices;
    trace->slice_count = packet->slice_count;
    trace->packet_len = packet->len;
    trace->gso_size = packet->gso_size;
}

void ip_trace_in(struct ip *ip, const struct ip_packet *packet)
{
    struct weir_trace t = {0};

    if (!trace_is_on(ip->tracer))
        return;
    ip_fill_trace(ip, packet, &t);
    trace_emit(ip->tracer, &t);
}

void ip_trace_out(struct ip *ip, const struct netif *netif, const struct frame *frame,
                  struct weir_trace *more)
{
    struct weir_trace plain, *t = more;

    if (!trace_is_on(ip->tracer))
        return;
    if (t == NULL) {
        plain = (struct weir_trace){0};
        t = &plain;
    }
    t->kind = WEIR_TRACE_PACKET_OUT;
    t->at = ip->now;
    t->netif = netif->id;
    t->slices = frame->wire.slices;
    t->slice_count = frame->wire.slice_count;
    t->packet_len = frame->wire.len;
    t->gso_size = frame->wire.gso != WEIR_GSO_NONE ? frame->wire.gso_size : 0;
    trace_emit(ip->tracer, t);
}

enum ip_verdict ip_consume(struct ip *ip, struct ip_packet *packet, enum why why)
{
    ip_trace_in(ip, packet);
    if (why != WHY_NONE)
        ip_drop(ip, why);
    ip_packet_fini(ip, packet);
    return IP_CONSUMED;
}

/* ---- packets ---- */

void ip_packet_fini(struct ip *ip, struct ip_packet *packet)
{
    for (size_t i = 0; i < packet->held_count; i++)
        buf_unref(ip->bufs, &packet->held[i]);
    packet->held_count = 0;
}

uint32_t ip_packet_sum(const struct ip_packet *packet)
{
    const struct checksum_ops *ops = packet->netif->checksum;
    struct span head = ip_packet_head(packet);
    size_t len = ip_packet_transport_len(packet);
    size_t done = head.len;
    uint32_t sum = 0;

    /* ICMP for IPv4 alone has no pseudo-header [RFC792]. */
    if (packet->protocol != IP_PROTOCOL_ICMP4)
        sum = checksum_pseudo(&packet->src, &packet->dst, packet->protocol, len);

    /* A header alone, as of most acknowledgements, is made of words of 32 bits. */
    if (HAS_FAST_CHECKSUMS && head.len % 4 == 0 && head.len <= HEADER_MAX)
        sum += checksum_words(head.bytes, head.len);
    else
        sum = ops->add(sum, head.bytes, head.len);
    for (size_t i = 1; i < packet->slice_count; i++) {
        const struct weir_slice *s = &packet->slices[i];

        sum = checksum_join(sum, ops->add(0, s->bytes, s->len), done);
        done += s->len;
    }
    return sum;
}

/* Most packets are short or long: an acknowledgement, or as much as fits. */
static bool is_short_sum_good(const struct ip_packet *packet)
{
    struct span head = ip_packet_head(packet);
    uint64_t sum = checksum_raw(head.bytes, head.len);
    size_t done = head.len;

    for (size_t i = 1; i < packet->slice_count; i++) {
        const struct weir_slice *s = &packet->slices[i];

        sum = checksum_raw_join(sum, checksum_raw(s->bytes, s->len), done);
        done += s->len;
    }
    return checksum_raw_is_good(checksum_raw_plus(
        sum, checksum_raw_pseudo(&packet->src, &packet->dst, packet->protocol, (uint32_t)done)));
}

bool ip_packet_has_good_checksum(const struct ip_packet *packet)
{
    if (packet->csum != IP_CSUM_UNKNOWN)
        return true;
    if (HAS_FAST_CHECKSUMS && ip_packet_transport_len(packet) <= SHORT_MAX
        && packet->protocol != IP_PROTOCOL_ICMP4)
        return is_short_sum_good(packet);
    return checksum_is_good(ip_packet_sum(packet));
}

void ip_packet_copy(const struct ip_packet *packet, size_t offset, uint8_t *to, size_t len)
{
    for (size_t i = 0; i < packet->slice_count && len > 0; i++) {
        const struct weir_slice *s = &packet->slices[i];
        size_t n;

        if (offset >= s->len) {
            offset -= s->len;
            continue;
        }
        n = size_min(len, s->len - offset);
        memcpy(to, s->bytes + offset, n);
        to += n;
        len -= n;
        offset = 0;
    }
    CHECK(len == 0);
}

bool ip_add_copy(struct ip *ip, struct frame *frame, const struct ip_packet *packet, size_t offset,
                 size_t len)
{
    while (len > 0) {
        struct buf *buf = buf_get(ip->bufs, len);
        size_t n;

        if (buf == NULL)
            return false;
        n = size_min(buf->size, len);
        ip_packet_copy(packet, offset, buf->bytes, n);
        if (!frame_add(frame, buf->bytes, n, &buf)) {
            buf_unref(ip->bufs, &buf);
            return false;
        }
        offset += n;
        len -= n;
    }
    return true;
}

void ip_packet_trim(struct ip_packet *packet, uint32_t len)
{
    size_t left = len;

    if (packet->len == len)
        return;
    packet->len = len;
    for (size_t i = 0; i < packet->slice_count; i++) {
        packet->slices[i].len = size_min(packet->slices[i].len, left);
        left -= packet->slices[i].len;
        /* A slice that only has padding is none; the first one always stays. */
        if (left == 0)
            packet->slice_count = (uint8_t)(i + 1);
    }
}

/* ---- small things ---- */

void ip_advance_epoch(struct ip *ip)
{
    if (++ip->epoch == 0)
        ip->epoch = 1;
}

uint32_t ip_keyed_hash(const struct ip *ip, const struct weir_addr *a, const struct weir_addr *b,
                       uint64_t number)
{
    uint64_t words[1 + 2 * 2] = {number};
    size_t count = 1 + addr_words(a, words + 1);

    if (b != NULL)
        count += addr_words(b, words + count);
    return (uint32_t)siphash13_words(ip->hash_key, words, count);
}

uint32_t ip_next_id(struct ip *ip, const struct ip_path *path, uint32_t count)
{
    uint32_t id = path->id_base + ip->id_counters[path->id_slot];

    ip->id_counters[path->id_slot] += count;
    return id;
}

bool ip_may_answer(struct ip *ip, const struct netif *netif)
{
    if (netif->out.count + netif->back.count < NETIF_ANSWERS_MAX)
        return true;
    ip_drop(ip, WHY_ICMP_LIMIT);
    return false;
}
