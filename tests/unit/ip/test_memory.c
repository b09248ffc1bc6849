/*
 * test_memory.c - every allocation fails once, and nothing is lost but a packet
 */
#include "unit/ip/world.h"

#include "ip/ip4.h"
#include <string.h>
#include <weir/err.h>

/* Tries to add things; whatever is refused must leave nothing behind. */
static void set_up(struct world *w)
{
    struct weir_netif_config eth = {
        .link = WEIR_LINK_ETHERNET, .mac = {2, 0, 0, 0, 0, 1}, .mtu = 1500, .slaac = true};
    struct weir_netif_config tun = {.link = WEIR_LINK_IP, .mtu = 1500};
    struct weir_prefix p = prefix("192.0.2.1/24"), p6 = prefix("2001:db8::1/64");
    struct weir_prefix far = prefix("198.51.100.0/24");
    weir_netif_t id;

    w->eth = w->tun = NULL;
    if (netif_add(&w->ip, &eth, &id) == WEIR_OK)
        w->eth = netif_find(&w->ip, id);
    if (netif_add(&w->ip, &tun, &id) == WEIR_OK)
        w->tun = netif_find(&w->ip, id);
    if (w->eth != NULL) {
        (void)addrs_add(&w->ip, w->eth, &p);
        (void)addrs_add(&w->ip, w->eth, &p6);
        (void)route_add(&w->ip, &far, &p6.addr, w->eth->id);
        (void)route_add(&w->ip, &far, NULL, w->eth->id);
    }
    if (w->tun != NULL) {
        p = prefix("10.0.0.1/24");
        (void)addrs_add(&w->ip, w->tun, &p);
    }
}

static void try_send(struct world *w, const char *text, size_t len)
{
    struct ip_send how = {.dst = addr(text), .protocol = IP_PROTOCOL_UDP};
    struct weir_slice payload = {(uint8_t *)(uintptr_t)pattern(len).bytes, len};
    struct ip_packet copied = {.slices = {payload}, .slice_count = 1, .len = (uint32_t)len};
    struct ip_path path;
    struct frame *frame;

    if (ip_route(&w->ip, &how.dst, NULL, 0, &path) != WEIR_OK)
        return;
    frame = frame_get(&w->frames);
    if (frame == NULL)
        return;
    how.src = path.src;
    if (ip_add_copy(&w->ip, frame, &copied, 0, len))
        (void)ip_send(&w->ip, &path, &how, &frame);
    else
        frame_put(&w->frames, &w->bufs, &frame);
}

static void run_ethernet(struct world *w)
{
    struct arp_packet a = {
        .sender_mac = mac(2), .sender_addr = addr("192.0.2.2"), .target_addr = addr("192.0.2.1")};
    struct ndp_message ra = {.type = ICMP6_ROUTER_ADVERT,
                             .router_lifetime_s = 1800,
                             .has_source_mac = true,
                             .source_mac = mac(2),
                             .prefix_count = 1};
    struct span s = arp(ARP_REQUEST, a);

    ra.prefixes[0] = (struct ndp_prefix){.prefix = prefix("2001:db8:5::/64"),
                                         .on_link = true,
                                         .autonomous = true,
                                         .valid_s = 3600,
                                         .preferred_s = 1800};
    world_in(w, w->eth, s.bytes, s.len);
    try_send(w, "192.0.2.9", 100);
    try_send(w, "192.0.2.2", 3000);
    world_in_ip(w, w->eth, ndp("fe80::2", "ff02::1", ra));
    world_wait(w, 20 * NS_S);
}

static void run_tun(struct world *w)
{
    struct icmp_message ping = {.type = ICMP4_ECHO_REQUEST, .body = pattern(1000)};
    struct weir_addr dst = addr("10.0.0.2");
    struct span s;

    world_in_ip(w, w->tun, icmp4("10.0.0.2", "10.0.0.1", ping));
    s = udp4("10.0.0.2", "10.0.0.1", 900);
    if (world_in_keep(w, w->tun, s.bytes, s.len) == IP_TRANSPORT)
        icmp_send_port_unreachable(&w->ip, &w->packet);
    for (unsigned i = 0; i < 4; i++) {
        struct ip4_header h = {.src = addr("10.0.0.2"),
                               .dst = addr("10.0.0.1"),
                               .protocol = IP_PROTOCOL_UDP,
                               .id = 3,
                               .fragment_offset = (uint16_t)(i * 1000),
                               .more_fragments = i != 3};

        world_in_ip(w, w->tun, ip4(h, pattern(1000)));
    }
    pmtu_update(&w->ip, &dst, 1000, 1500);
    try_send(w, "10.0.0.2", 5000);
    try_send(w, "10.0.0.1", 50);
}

static void run(struct world *w)
{
    set_up(w);
    if (w->eth != NULL)
        run_ethernet(w);
    if (w->tun != NULL)
        run_tun(w);
}

/* What was added while there was memory works once there is memory again. */
static void run_again(struct world *w)
{
    struct weir_prefix p = prefix("10.0.0.1/24");

    (void)addrs_add(&w->ip, w->tun, &p);
    try_send(w, "10.0.0.7", 100);
    EXPECT(w->tun->out.count > 0);
}

static void run_all(struct world *(*make)(void))
{
    struct world *w = make();
    uint64_t calls;

    run(w);
    calls = w->alloc.calls;
    EXPECT(calls > 20);
    world_free(&w);
    /* world_free checks that all pools are full and all memory is back. */
    for (uint64_t i = 1; i <= calls; i++)
        for (int from_then = 0; from_then < 2; from_then++) {
            w = make();
            w->alloc.fail_at = i;
            w->alloc.fails_from_then = from_then;
            run(w);
            w->alloc.fail_at = 0;
            if (w->tun != NULL)
                run_again(w);
            world_free(&w);
        }
}

TEST(no_allocation_that_fails_leaks_or_crashes)
{
    run_all(world_new);
}

TEST(no_object_that_cannot_be_had_leaks_or_crashes)
{
    run_all(world_new_small);
}
