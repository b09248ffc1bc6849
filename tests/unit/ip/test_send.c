/*
 * test_send.c - paths, headers, and interfaces
 */
#include "unit/ip/world.h"

#include "ip/ip4.h"
#include <string.h>
#include <weir/err.h>

static int route_to(struct world *w, const char *dst, const char *src, struct ip_path *path)
{
    struct weir_addr d = addr(dst), s;

    if (src != NULL)
        s = addr(src);
    return ip_route(&w->ip, &d, src != NULL ? &s : NULL, 0, path);
}

TEST(path_has_interface_source_and_next_hop)
{
    struct world *w = world_of_two();
    struct ip_path path;

    EXPECT_EQ(route_to(w, "192.0.2.9", NULL, &path), WEIR_OK);
    EXPECT(path.netif == w->eth);
    EXPECT_ADDR(path.src, "192.0.2.1");
    EXPECT_ADDR(path.next_hop, "192.0.2.9");
    EXPECT_EQ(path.mtu, 1500);
    EXPECT(!path.is_local && !path.is_group);

    add_route(w, "0.0.0.0/0", "192.0.2.254", w->eth);
    EXPECT_EQ(route_to(w, "8.8.8.8", NULL, &path), WEIR_OK);
    EXPECT_ADDR(path.next_hop, "192.0.2.254");
    EXPECT_ADDR(path.src, "192.0.2.1");
    EXPECT_EQ(route_to(w, "8.8.8.8", "10.0.0.1", &path), WEIR_OK);
    EXPECT_ADDR(path.src, "10.0.0.1");
    EXPECT_EQ(route_to(w, "8.8.8.8", "0.0.0.0", &path), WEIR_OK);
    EXPECT_ADDR(path.src, "192.0.2.1");
    world_free(&w);
}

TEST(paths_that_cannot_be)
{
    struct world *w = world_of_two();
    struct weir_addr dst = addr("192.0.2.9");
    struct ip_path path;

    EXPECT_EQ(route_to(w, "8.8.8.8", NULL, &path), WEIR_ENETUNREACH);
    EXPECT_EQ(route_to(w, "192.0.2.9", "192.0.2.7", &path), WEIR_EADDRNOTAVAIL);
    EXPECT_EQ(route_to(w, "192.0.2.9", "2001:db8::1", &path), WEIR_EINVAL);
    EXPECT_EQ(route_to(w, "0.0.0.0", NULL, &path), WEIR_EINVAL);
    EXPECT_EQ(route_to(w, "::", NULL, &path), WEIR_EINVAL);
    EXPECT_EQ(ip_route(&w->ip, &dst, NULL, 99, &path), WEIR_ENETUNREACH);
    EXPECT_EQ(ip_route(&w->ip, &dst, NULL, w->tun->id, &path), WEIR_ENETUNREACH);
    EXPECT_EQ(ip_route(&w->ip, &dst, NULL, w->eth->id, &path), WEIR_OK);
    /* A route, but no source of that family. */
    add_route(w, "2001:db8::/32", NULL, w->tun);
    EXPECT_EQ(route_to(w, "2001:db8::9", NULL, &path), WEIR_EADDRNOTAVAIL);
    world_free(&w);
}

TEST(link_local_destinations_need_their_link)
{
    struct world *w = world_of_two();
    struct weir_addr dst = addr("fe80::9"), src;
    struct weir_addr_info info;
    struct ip_path path;

    EXPECT_EQ(ip_route(&w->ip, &dst, NULL, 0, &path), WEIR_ENETUNREACH); /* which of two? */
    EXPECT_EQ(ip_route(&w->ip, &dst, NULL, w->eth->id, &path), WEIR_OK);
    EXPECT(addrs_at(&w->ip, 0, &info));
    EXPECT(weir_addr_eq(&path.src, &info.addr.addr));
    src = info.addr.addr;
    EXPECT_EQ(ip_route(&w->ip, &dst, &src, 0, &path), WEIR_OK);
    EXPECT(path.netif == w->eth);
    EXPECT_EQ(ip_route(&w->ip, &dst, &src, w->tun->id, &path), WEIR_EADDRNOTAVAIL);
    EXPECT_EQ(netif_remove(&w->ip, w->tun->id), WEIR_OK);
    EXPECT_EQ(ip_route(&w->ip, &dst, NULL, 0, &path), WEIR_OK); /* there is only one */
    world_free(&w);
}

TEST(groups_have_their_link_addresses)
{
    struct world *w = world_of_two();
    struct ip_path path = {0};

    EXPECT_EQ(world_send(w, &path, "192.0.2.255", 10), WHY_NONE);
    EXPECT(path.is_group);
    EXPECT(world_out(w, w->eth));
    EXPECT(!w->is_arp);
    EXPECT_EQ(w->link.dst.b[0], 0xff);

    memset(&path, 0, sizeof path);
    add_route(w, "224.0.0.0/4", NULL, w->eth);
    EXPECT_EQ(world_send(w, &path, "239.129.2.3", 10), WHY_NONE);
    EXPECT(world_out(w, w->eth));
    EXPECT_EQ(w->link.dst.b[0], 0x01);
    EXPECT_EQ(w->link.dst.b[3], 0x01);
    EXPECT_EQ(w->link.dst.b[5], 3);
    EXPECT_EQ(w->pkt.ttl, 1); /* [RFC1112 6.1] */
    world_free(&w);
}

TEST(header_says_what_was_asked) /* [RFC9293 MUST-48, MUST-49] */
{
    struct world *w = world_of_two();
    struct weir_addr dst = addr("10.0.0.2");
    struct ip_send how = {
        .dst = dst, .protocol = 200, .ttl = 17, .tos = 0xb9, .dont_fragment = true};
    struct ip_path path;
    struct frame *frame = frame_get(&w->frames);

    EXPECT_EQ(ip_route(&w->ip, &dst, NULL, 0, &path), WEIR_OK);
    how.src = path.src;
    memset(frame_push(frame, 8), 7, 8);
    EXPECT_EQ(ip_send(&w->ip, &path, &how, &frame), WHY_NONE);
    EXPECT(frame == NULL);
    EXPECT(world_out(w, w->tun));
    EXPECT_EQ(w->pkt.ttl, 17);
    EXPECT_EQ(w->pkt.tos, 0xb9);
    EXPECT_EQ(w->pkt.protocol, 200);
    EXPECT(w->pkt.ip4.dont_fragment);
    EXPECT_EQ(w->pkt.transport_len, 8);
    world_free(&w);
}

TEST(ipv6_header_has_flow_label_and_the_router_s_hop_limit)
{
    struct world *w = world_of_two();
    struct weir_addr dst = addr("2001:db8::2");
    struct ip_send how = {.dst = dst, .protocol = 200, .flow_label = 0xabcde, .tos = 2};
    struct ip_path path;

    add_addr(w, w->tun, "2001:db8::1/64");
    EXPECT_EQ(ip_route(&w->ip, &dst, NULL, 0, &path), WEIR_OK);
    how.src = path.src;
    for (int i = 0; i < 2; i++) {
        struct frame *frame = frame_get(&w->frames);

        memset(frame_push(frame, 8), 7, 8);
        EXPECT_EQ(ip_send(&w->ip, &path, &how, &frame), WHY_NONE);
        EXPECT(world_out(w, w->tun));
        EXPECT_EQ(w->pkt.ip6.flow_label, 0xabcde);
        EXPECT_EQ(w->pkt.tos, 2);
        EXPECT_EQ(w->pkt.ttl, i == 0 ? 64 : 99);
        w->tun->hop_limit = 99;
    }
    world_free(&w);
}

TEST(packets_too_big_are_refused_if_they_must_not_be_cut)
{
    struct world *w = world_of_two();
    struct weir_addr dst = addr("10.0.0.2");
    struct ip_send how = {.dst = dst, .protocol = 200, .dont_fragment = true};
    struct ip_path path;
    struct frame *frame;
    struct buf *buf;

    EXPECT_EQ(ip_route(&w->ip, &dst, NULL, 0, &path), WEIR_OK);
    how.src = path.src;
    for (size_t len = 1480; len <= 1481; len++) {
        frame = frame_get(&w->frames);
        buf = buf_get(&w->bufs, len);
        EXPECT(frame_add(frame, buf->bytes, len, &buf));
        EXPECT_EQ(ip_send(&w->ip, &path, &how, &frame), len == 1480 ? WHY_NONE : WHY_TOO_BIG);
        EXPECT(frame == NULL);
    }
    EXPECT_EQ(w->dropped[WHY_TOO_BIG], 1);
    world_free(&w);
}

/* A TCP super-segment, as TCP makes it: 20 bytes of header and payload. */
static struct frame *super_segment(struct world *w, size_t payload_len, uint16_t gso_size)
{
    struct frame *frame = frame_get(&w->frames);
    struct buf *buf = buf_get(&w->bufs, payload_len);

    EXPECT(frame_add(frame, buf->bytes, payload_len, &buf));
    memset(frame_push(frame, 20), 0, 20);
    frame_need_checksum(frame, 16);
    frame->wire.gso = WEIR_GSO_TCP4;
    frame->wire.gso_size = gso_size;
    return frame;
}

TEST(super_segments_pass_whole_and_use_an_identification_each) /* [RFC6864 4.1] */
{
    struct world *w = world_of_two();
    struct weir_addr dst = addr("10.0.0.2");
    struct ip_send how = {.dst = dst, .protocol = IP_PROTOCOL_TCP, .dont_fragment = true};
    struct ip_path path;
    struct frame *frame;
    struct ip4_header h;
    uint32_t id;

    EXPECT_EQ(ip_route(&w->ip, &dst, NULL, 0, &path), WEIR_OK);
    how.src = path.src;
    frame = super_segment(w, 10000, 1460);
    EXPECT_EQ(ip_send(&w->ip, &path, &how, &frame), WHY_NONE);
    frame = frames_take(&w->tun->out);
    EXPECT_EQ(frame->wire.len, 10040);
    EXPECT_EQ(frame->wire.header_len, 40);
    EXPECT_EQ(frame->wire.csum_start, 20);
    EXPECT_EQ(frame->wire.csum_offset, 16);
    EXPECT_EQ(ip4_parse(span_of(frame->wire.slices[0].bytes, 40), 10040, &h), WHY_NONE);
    EXPECT_EQ(h.payload_len, 10020);
    id = h.id;
    frame_put(&w->frames, &w->bufs, &frame);

    frame = super_segment(w, 1000, 1000);
    EXPECT_EQ(ip_send(&w->ip, &path, &how, &frame), WHY_NONE);
    frame = frames_take(&w->tun->out);
    EXPECT_EQ(ip4_parse(span_of(frame->wire.slices[0].bytes, 40), 1040, &h), WHY_NONE);
    EXPECT_EQ(h.id, (uint16_t)(id + 7));
    frame_put(&w->frames, &w->bufs, &frame);

    /* Each of its segments has to fit. */
    frame = super_segment(w, 10000, 1461);
    EXPECT_EQ(ip_send(&w->ip, &path, &how, &frame), WHY_TOO_BIG);
    world_free(&w);
}

TEST(identifications_of_one_destination_tell_nothing_of_another) /* [RFC7739 5.3] */
{
    struct world *w = world_of_two();
    struct ip_path a = {0}, b = {0};
    uint16_t first;

    world_send(w, &a, "10.0.0.2", 10);
    world_send(w, &b, "10.0.0.3", 10);
    EXPECT(a.id_base != b.id_base);
    world_out(w, w->tun);
    first = w->pkt.ip4.id;
    world_out(w, w->tun);
    world_send(w, &a, "10.0.0.2", 10);
    world_out(w, w->tun);
    EXPECT_EQ(w->pkt.ip4.id, (uint16_t)(first + 1));
    world_free(&w);
}

TEST(stale_path_is_looked_up_anew)
{
    struct world *w = world_of_two();
    struct weir_addr dst = addr("8.8.8.8");
    struct ip_send how = {.dst = dst, .protocol = 200};
    struct ip_path path;
    struct frame *frame;
    weir_netif_t id = w->tun->id;

    add_route(w, "8.0.0.0/8", NULL, w->tun);
    EXPECT_EQ(ip_route(&w->ip, &dst, NULL, 0, &path), WEIR_OK);
    how.src = path.src;
    add_route(w, "8.8.0.0/16", NULL, w->eth);
    EXPECT(!ip_path_is_current(&w->ip, &path));
    frame = frame_get(&w->frames);
    memset(frame_push(frame, 8), 7, 8);
    EXPECT_EQ(ip_send(&w->ip, &path, &how, &frame), WHY_NONE);
    EXPECT(ip_path_is_current(&w->ip, &path));
    EXPECT(path.netif == w->eth);

    /* The interface of the source goes, and with it the source. */
    EXPECT_EQ(netif_remove(&w->ip, id), WEIR_OK);
    frame = frame_get(&w->frames);
    memset(frame_push(frame, 8), 7, 8);
    EXPECT_EQ(ip_send(&w->ip, &path, &how, &frame), WHY_NO_ROUTE);
    EXPECT_EQ(w->dropped[WHY_NO_ROUTE], 1);
    world_free(&w);
}

/* ---- interfaces ---- */

TEST(interface_arguments_are_checked)
{
    static const struct weir_netif_config bad[] = {
        {.link = WEIR_LINK_IP, .mtu = 575},
        {.link = WEIR_LINK_IP, .mtu = 65536},
        {.link = WEIR_LINK_ETHERNET, .mtu = 1500},
        {.link = WEIR_LINK_ETHERNET, .mtu = 1500, .mac = {1, 2, 3, 4, 5, 6}},
        {.link = WEIR_LINK_ETHERNET, .mtu = 1500, .mac = {2}, .vlan = 4095},
        {.link = WEIR_LINK_ETHERNET, .mtu = 1500, .mac = {2}, .loopback = true},
        {.link = (enum weir_link)7, .mtu = 1500},
        {.link = WEIR_LINK_IP, .mtu = 1500, .offloads = WEIR_OFFLOAD_TSO4},
    };
    struct world *w = world_of_two();
    weir_netif_t id;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        EXPECT_EQ(netif_add(&w->ip, &bad[i], &id), WEIR_EINVAL);
    EXPECT_EQ(netif_set_mtu(&w->ip, w->tun->id, 100), WEIR_EINVAL);
    EXPECT_EQ(netif_set_mtu(&w->ip, 99, 1500), WEIR_EINVAL);
    world_free(&w);
}

TEST(interface_numbers_are_not_used_again)
{
    struct world *w = world_new();
    weir_netif_t ids[NETIF_SLOTS], again, one_more;
    struct weir_netif_config config = {.link = WEIR_LINK_IP, .mtu = 1500};

    for (uint32_t i = 0; i < NETIF_SLOTS; i++) {
        EXPECT_EQ(netif_add(&w->ip, &config, &ids[i]), WEIR_OK);
        EXPECT_EQ(ids[i], i + 1);
    }
    EXPECT_EQ(netif_add(&w->ip, &config, &one_more), WEIR_ENOMEM);
    EXPECT_EQ(netif_remove(&w->ip, ids[3]), WEIR_OK);
    EXPECT_EQ(netif_add(&w->ip, &config, &again), WEIR_OK);
    EXPECT_EQ(again, ids[3] + NETIF_SLOTS);
    EXPECT(netif_find(&w->ip, ids[3]) == NULL);
    EXPECT(netif_find(&w->ip, again) != NULL);
    world_free(&w);
}

TEST(interface_too_small_for_ipv6_has_none)
{
    struct weir_netif_config config = {
        .link = WEIR_LINK_ETHERNET, .mac = {2, 0, 0, 0, 0, 1}, .mtu = 1000};
    struct world *w = world_new();
    struct weir_prefix p = prefix("2001:db8::1/64");
    struct weir_addr_info info;
    weir_netif_t id;

    EXPECT_EQ(netif_add(&w->ip, &config, &id), WEIR_OK);
    EXPECT(!addrs_at(&w->ip, 0, &info));
    EXPECT_EQ(addrs_add(&w->ip, netif_find(&w->ip, id), &p), WEIR_EINVAL);
    EXPECT_EQ(netif_set_mtu(&w->ip, id, 1500), WEIR_OK);
    EXPECT(addrs_at(&w->ip, 0, &info));
    EXPECT_EQ(addrs_add(&w->ip, netif_find(&w->ip, id), &p), WEIR_OK);
    world_free(&w);
}
