/*
 * world.c - one IP with its memory, a clock, and peers that the test speaks for
 */
#include "unit/ip/world.h"

#include "base/checksum.h"
#include "ip/ip4.h"
#include <stdlib.h>
#include <string.h>
#include <weir/err.h>

static void set_config(struct weir_config *c)
{
    for (size_t i = 0; i < sizeof c->secret; i++)
        c->secret[i] = (uint8_t)(i * 7 + 1);
    c->slab_bytes = 64 * 1024;
    c->ip = (struct weir_ip_config){
        .ttl = 64,
        .neighbours = 64,
        .neighbour_queue = 4,
        .fragments_bytes = 256 * 1024,
        .fragments_per_source = 4,
        .fragments_ns = 30 * NS_S,
        .icmp_errors_per_s = 100,
        .icmp_errors_per_peer_s = 1,
        .echo_replies = true,
        .path_mtu_entries = 8,
        .path_mtu_ns = 600 * NS_S,
    };
}

/* The IP's pools and that of the frames have slabs of this size. */
static struct world *new_with_slabs(size_t slab_bytes)
{
    static const uint32_t sizes[BUF_CLASSES] = {256, 2048, 16384};
    struct world *w = calloc(1, sizeof *w);
    struct weir_allocator allocator;
    struct ip_setup setup;

    EXPECT(w != NULL);
    failing_alloc_init(&w->alloc);
    allocator = failing_alloc_allocator(&w->alloc);
    mem_init(&w->mem, &allocator, SIZE_MAX);
    set_config(&w->config);
    EXPECT(bufs_init(&w->bufs, &w->mem, sizes, w->config.slab_bytes));
    w->config.slab_bytes = slab_bytes;
    EXPECT(pool_init(&w->frames, &w->mem, "frames", sizeof(struct frame), slab_bytes));
    setup = (struct ip_setup){
        .mem = &w->mem,
        .bufs = &w->bufs,
        .frames = &w->frames,
        .config = &w->config,
        .dropped = w->dropped,
        .tracer = &w->tracer,
        .wheel = &w->wheel,
        .now = 1000 * NS_S,
    };
    wheel_init(&w->wheel, setup.now);
    EXPECT_EQ(ip_init(&w->ip, &setup), WEIR_OK);
    return w;
}

struct world *world_new(void)
{
    return new_with_slabs(64 * 1024);
}

struct world *world_new_small(void)
{
    return new_with_slabs(1024);
}

struct netif *world_add_eth(struct world *w)
{
    struct weir_netif_config config = {
        .name = "eth", .link = WEIR_LINK_ETHERNET, .mac = {2, 0, 0, 0, 0, 1}, .mtu = 1500};
    weir_netif_t id;

    EXPECT_EQ(netif_add(&w->ip, &config, &id), WEIR_OK);
    return netif_find(&w->ip, id);
}

struct netif *world_add_tun(struct world *w)
{
    struct weir_netif_config config = {.name = "tun", .link = WEIR_LINK_IP, .mtu = 1500};
    weir_netif_t id;

    EXPECT_EQ(netif_add(&w->ip, &config, &id), WEIR_OK);
    return netif_find(&w->ip, id);
}

struct world *world_of_two(void)
{
    struct world *w = world_new();

    w->eth = world_add_eth(w);
    w->tun = world_add_tun(w);
    add_addr(w, w->eth, "192.0.2.1/24");
    add_addr(w, w->tun, "10.0.0.1/24");
    world_wait(w, 10 * NS_S);
    world_forget_output(w);
    return w;
}

void world_free(struct world **w)
{
    struct world *world = *w;

    *w = NULL;
    ip_fini(&world->ip);
    for (size_t i = 0; i <= BUF_FOREIGN; i++)
        EXPECT_EQ(world->bufs.pools[i].used, 0);
    EXPECT_EQ(world->frames.used, 0);
    bufs_fini(&world->bufs);
    pool_fini(&world->frames);
    EXPECT_EQ(world->mem.used, 0);
    failing_alloc_fini(&world->alloc);
    free(world);
}

void world_expire(struct world *w)
{
    struct wheel_entry *due;

    while ((due = wheel_expire(&w->wheel, w->ip.now)) != NULL) {
        EXPECT_EQ(due->owner, IP_TIMER_OWNER);
        ip_expire(&w->ip, due);
    }
}

ns_t world_deadline(struct world *w)
{
    return ns_min(ip_deadline(&w->ip), wheel_deadline(&w->wheel));
}

void world_wait(struct world *w, ns_t duration_ns)
{
    ns_t end = w->ip.now + duration_ns;

    for (;;) {
        ns_t at = world_deadline(w);

        if (at > end)
            break;
        if (at > w->ip.now)
            w->ip.now = at;
        world_expire(w);
        if (w->ip.failed.count > 0)
            break;
    }
    w->ip.now = end;
    world_expire(w);
}

enum ip_verdict world_in_keep(struct world *w, struct netif *netif, const void *bytes, size_t len)
{
    static uint8_t copy[WORLD_BYTES];
    struct weir_frame frame = {.slices = {{copy, len}}, .len = len, .slice_count = 1};

    EXPECT(len <= sizeof copy);
    memcpy(copy, bytes, len);
    return ip_input(&w->ip, netif, &frame, &w->packet);
}

enum ip_verdict world_in(struct world *w, struct netif *netif, const void *bytes, size_t len)
{
    enum ip_verdict verdict = world_in_keep(w, netif, bytes, len);

    if (verdict != IP_CONSUMED)
        ip_packet_fini(&w->ip, &w->packet);
    return verdict;
}

enum ip_verdict world_in_ip(struct world *w, struct netif *netif, struct span packet)
{
    static uint8_t bytes[WORLD_BYTES];
    struct eth_header h = {.dst = netif->mac, .src = mac(2)};
    struct pkt pkt;
    size_t len;

    if (netif->link == WEIR_LINK_IP)
        return world_in(w, netif, packet.bytes, packet.len);
    h.type = packet.bytes[0] >> 4 == 4 ? ETH_TYPE_IP4 : ETH_TYPE_IP6;
    (void)pkt_parse_ip(packet, packet.len, &pkt);
    if (!weir_addr_is_v4(&pkt.dst) && pkt.dst.b[0] == 0xff)
        h.dst = eth_addr_of_group(&pkt.dst);
    len = eth_emit(&h, bytes, sizeof bytes);
    memcpy(bytes + len, packet.bytes, packet.len);
    return world_in(w, netif, bytes, len + packet.len);
}

static void flatten(struct world *w, const struct weir_frame *frame)
{
    w->out_len = 0;
    for (size_t i = 0; i < frame->slice_count; i++) {
        EXPECT(w->out_len + frame->slices[i].len <= sizeof w->out);
        memcpy(w->out + w->out_len, frame->slices[i].bytes, frame->slices[i].len);
        w->out_len += frame->slices[i].len;
    }
    EXPECT_EQ(w->out_len, frame->len);
}

static void read_packet(struct world *w)
{
    EXPECT_EQ(pkt_parse(w->ip_bytes, w->ip_bytes.len, &w->pkt), WHY_NONE);
    if (w->pkt.is_fragment)
        return;
    EXPECT_EQ(pkt_check_checksum(&w->pkt, 0), WHY_NONE);
    w->is_ndp = w->pkt.version == 6 && w->pkt.protocol == IP_PROTOCOL_ICMP6
                && icmp6_is_ndp(w->pkt.icmp.type);
    if (w->is_ndp)
        EXPECT_EQ(ndp_parse(&w->pkt.icmp, &w->ndp), WHY_NONE);
}

bool world_out(struct world *w, struct netif *netif)
{
    struct frame *frame = frames_take(&netif->out);

    if (frame == NULL)
        return false;
    frame_finish_checksum(frame);
    flatten(w, &frame->wire);
    frame_put(&w->frames, &w->bufs, &frame);
    w->is_arp = false;
    w->is_ndp = false;
    w->ip_bytes = span_of(w->out, w->out_len);
    if (netif->link == WEIR_LINK_ETHERNET) {
        EXPECT_EQ(eth_parse(w->ip_bytes, w->out_len, &w->link), WHY_NONE);
        w->ip_bytes = w->link.payload;
        w->is_arp = w->link.type == ETH_TYPE_ARP;
    }
    if (w->is_arp)
        EXPECT_EQ(arp_parse(w->ip_bytes, &w->arp), WHY_NONE);
    else
        read_packet(w);
    return true;
}

void world_forget_output(struct world *w)
{
    for (uint32_t i = 0; i < w->ip.netif_count; i++)
        for (struct frame *f; (f = frames_take(&w->ip.netifs[i]->out)) != NULL;)
            frame_put(&w->frames, &w->bufs, &f);
}

enum why world_send(struct world *w, struct ip_path *path, const char *dst, size_t len)
{
    struct ip_send how = {.dst = addr(dst), .protocol = IP_PROTOCOL_UDP};
    struct frame *frame = frame_get(&w->frames);
    struct weir_slice payload = {(uint8_t *)(uintptr_t)pattern(len).bytes, len};
    struct ip_packet copied = {.slices = {payload}, .slice_count = 1, .len = (uint32_t)len};
    struct udp_header h = {.src_port = 1111, .dst_port = 2222, .payload_len = len};

    EXPECT(frame != NULL);
    if (!ip_path_is_current(&w->ip, path))
        EXPECT_EQ(ip_route(&w->ip, &how.dst, NULL, 0, path), WEIR_OK);
    how.src = path->src;
    EXPECT(ip_add_copy(&w->ip, frame, &copied, 0, len));
    h.checksum = (uint16_t)checksum_reduce(
        checksum_pseudo(&how.src, &how.dst, IP_PROTOCOL_UDP, UDP_HEADER_LEN + len));
    udp_emit(&h, frame_push(frame, UDP_HEADER_LEN), UDP_HEADER_LEN);
    frame_need_checksum(frame, 6);
    return ip_send(&w->ip, path, &how, &frame);
}

/* ---- addresses ---- */

struct weir_addr addr(const char *text)
{
    struct weir_addr a;

    EXPECT_EQ(weir_addr_parse(text, &a), WEIR_OK);
    return a;
}

struct weir_prefix prefix(const char *text)
{
    struct weir_prefix p;

    EXPECT_EQ(weir_prefix_parse(text, &p), WEIR_OK);
    return p;
}

void add_addr(struct world *w, struct netif *netif, const char *text)
{
    struct weir_prefix p = prefix(text);

    EXPECT_EQ(addrs_add(&w->ip, netif, &p), WEIR_OK);
}

void add_route(struct world *w, const char *to, const char *gateway, struct netif *netif)
{
    struct weir_prefix p = prefix(to);
    struct weir_addr g;

    if (gateway != NULL)
        g = addr(gateway);
    EXPECT_EQ(route_add(&w->ip, &p, gateway != NULL ? &g : NULL, netif->id), WEIR_OK);
}

struct eth_addr mac(uint8_t last)
{
    return (struct eth_addr){{2, 0, 0, 0, 0, last}};
}

/* ---- packets ---- */

struct span pattern(size_t len)
{
    static uint8_t bytes[WORLD_BYTES];

    EXPECT(len <= sizeof bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i ^ i >> 8);
    return span_of(bytes, len);
}

struct span arp(uint16_t op, struct arp_packet p)
{
    static uint8_t bytes[ETH_HEADER_LEN + ARP_LEN];
    struct eth_header h = {.src = p.sender_mac, .type = ETH_TYPE_ARP};

    h.dst = op == ARP_REQUEST ? eth_addr_broadcast() : mac(1);
    p.op = op;
    EXPECT_EQ(eth_emit(&h, bytes, sizeof bytes), ETH_HEADER_LEN);
    EXPECT_EQ(arp_emit(&p, bytes + ETH_HEADER_LEN, ARP_LEN), ARP_LEN);
    return span_of(bytes, sizeof bytes);
}

struct span ip4(struct ip4_header h, struct span payload)
{
    static uint8_t bytes[WORLD_BYTES];
    size_t len;

    if (h.ttl == 0)
        h.ttl = 64;
    h.payload_len = payload.len;
    len = ip4_emit(&h, bytes, sizeof bytes);
    EXPECT(len > 0);
    memcpy(bytes + len, payload.bytes, payload.len);
    return span_of(bytes, len + payload.len);
}

struct span ip6(struct ip6_header h, struct span payload)
{
    static uint8_t bytes[WORLD_BYTES];
    size_t len;

    if (h.ttl == 0)
        h.ttl = 64;
    if (h.next_header == 0)
        h.next_header = h.protocol;
    h.payload_len = payload.len;
    len = ip6_emit(&h, bytes, sizeof bytes);
    EXPECT(len > 0);
    memcpy(bytes + len, payload.bytes, payload.len);
    return span_of(bytes, len + payload.len);
}

static struct span udp(struct weir_addr src, struct weir_addr dst, size_t payload_len)
{
    static uint8_t bytes[WORLD_BYTES];
    struct udp_header h = {.src_port = 2222, .dst_port = 1111, .payload_len = payload_len};
    size_t len = UDP_HEADER_LEN + payload_len;
    uint32_t sum = checksum_pseudo(&src, &dst, IP_PROTOCOL_UDP, len);

    memcpy(bytes + UDP_HEADER_LEN, pattern(payload_len).bytes, payload_len);
    udp_emit(&h, bytes, sizeof bytes);
    h.checksum = udp_checksum_fold(checksum_add(sum, bytes, len));
    udp_emit(&h, bytes, sizeof bytes);
    return span_of(bytes, len);
}

struct span udp4(const char *src, const char *dst, size_t payload_len)
{
    struct ip4_header h = {.src = addr(src), .dst = addr(dst), .protocol = IP_PROTOCOL_UDP};

    return ip4(h, udp(h.src, h.dst, payload_len));
}

struct span udp6(const char *src, const char *dst, size_t payload_len)
{
    struct ip6_header h = {.src = addr(src), .dst = addr(dst), .protocol = IP_PROTOCOL_UDP};

    return ip6(h, udp(h.src, h.dst, payload_len));
}

struct span icmp4(const char *src, const char *dst, struct icmp_message m)
{
    static uint8_t bytes[WORLD_BYTES];
    struct ip4_header h = {.src = addr(src), .dst = addr(dst), .protocol = IP_PROTOCOL_ICMP4};
    size_t len = icmp_emit(&m, 0, bytes, sizeof bytes);

    EXPECT(len > 0);
    return ip4(h, span_of(bytes, len));
}

struct span icmp6(const char *src, const char *dst, struct icmp_message m)
{
    static uint8_t bytes[WORLD_BYTES];
    struct ip6_header h = {.src = addr(src), .dst = addr(dst), .protocol = IP_PROTOCOL_ICMP6};
    size_t len = icmp6_emit(&m, &h.src, &h.dst, bytes, sizeof bytes);

    EXPECT(len > 0);
    return ip6(h, span_of(bytes, len));
}

struct span ndp(const char *src, const char *dst, struct ndp_message m)
{
    static uint8_t bytes[WORLD_BYTES];
    struct ip6_header h = {
        .src = addr(src), .dst = addr(dst), .protocol = IP_PROTOCOL_ICMP6, .ttl = NDP_HOP_LIMIT};
    size_t len = ndp_emit(&m, &h.src, &h.dst, bytes, sizeof bytes);

    EXPECT(len > 0);
    return ip6(h, span_of(bytes, len));
}
