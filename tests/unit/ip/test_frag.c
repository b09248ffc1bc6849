/*
 * test_frag.c - datagrams in pieces, put together and taken apart
 */
#include "unit/ip/world.h"

#include <stdlib.h>
#include <string.h>
#include <weir/err.h>

/* A datagram to be sent in fragments: UDP from the peer on the TUN. */
struct whole {
    bool is_v4;
    uint8_t udp[WORLD_BYTES]; /* header and payload */
    size_t len;
    uint32_t id;
};

static struct whole *whole_new(bool is_v4, size_t payload_len)
{
    struct whole *d = calloc(1, sizeof *d);
    struct span packet = is_v4 ? udp4("10.0.0.2", "10.0.0.1", payload_len)
                               : udp6("2001:db8::2", "2001:db8::1", payload_len);
    size_t header_len = is_v4 ? IP4_HEADER_LEN : IP6_HEADER_LEN;

    d->is_v4 = is_v4;
    d->len = packet.len - header_len;
    d->id = 7;
    memcpy(d->udp, packet.bytes + header_len, d->len);
    return d;
}

static struct span fragment6(const struct whole *d, uint32_t offset, uint32_t len, bool more)
{
    static uint8_t bytes[WORLD_BYTES];
    struct ip6_header h = {.src = addr("2001:db8::2"),
                           .dst = addr("2001:db8::1"),
                           .protocol = IP_PROTOCOL_UDP,
                           .next_header = IP_PROTOCOL_FRAGMENT,
                           .fragment_id = d->id,
                           .fragment_offset = offset,
                           .more_fragments = more};

    ip6_emit_fragment(&h, bytes, sizeof bytes);
    memcpy(bytes + IP6_FRAGMENT_LEN, d->udp + offset, len);
    return ip6(h, span_of(bytes, IP6_FRAGMENT_LEN + len));
}

static struct span fragment4(const struct whole *d, uint32_t offset, uint32_t len, bool more)
{
    struct ip4_header h = {.src = addr("10.0.0.2"),
                           .dst = addr("10.0.0.1"),
                           .protocol = IP_PROTOCOL_UDP,
                           .id = (uint16_t)d->id,
                           .fragment_offset = (uint16_t)offset,
                           .more_fragments = more};

    return ip4(h, span_of(d->udp + offset, len));
}

static struct span fragment(const struct whole *d, uint32_t offset, uint32_t len, bool more)
{
    return d->is_v4 ? fragment4(d, offset, len, more) : fragment6(d, offset, len, more);
}

static struct world *world_of_tun(void)
{
    struct world *w = world_new();

    w->tun = world_add_tun(w);
    add_addr(w, w->tun, "10.0.0.1/24");
    add_addr(w, w->tun, "2001:db8::1/64");
    return w;
}

static enum ip_verdict give(struct world *w, const struct whole *d, uint32_t offset, uint32_t len,
                            bool more)
{
    struct span s = fragment(d, offset, len, more);

    return world_in_keep(w, w->tun, s.bytes, s.len);
}

/* The packet in w is the whole datagram, with a header that says so. */
static void expect_whole(struct world *w, const struct whole *d)
{
    static uint8_t bytes[WORLD_BYTES];
    struct pkt pkt;

    EXPECT_EQ(ip_packet_transport_len(&w->packet), d->len);
    ip_packet_copy(&w->packet, 0, bytes, w->packet.len);
    EXPECT_EQ(pkt_parse(span_of(bytes, w->packet.len), w->packet.len, &pkt), WHY_NONE);
    EXPECT(!pkt.is_fragment);
    EXPECT_EQ(pkt_check_checksum(&pkt, 0), WHY_NONE);
    EXPECT_MEM(pkt.transport.bytes, d->udp, d->len);
    EXPECT(ip_packet_head(&w->packet).len >= UDP_HEADER_LEN);
    EXPECT(ip_packet_has_good_checksum(&w->packet));
    EXPECT_EQ(w->ip.frags.pool.used, 0);
    EXPECT_EQ(w->ip.frags.bytes, 0);
    ip_packet_fini(&w->ip, &w->packet);
}

TEST(fragments_in_every_order) /* [RFC791 3.2] [RFC8200 4.5] */
{
    enum { COUNT = 4, EACH = 400 };
    static const uint8_t orders[24][COUNT] = {
        {0, 1, 2, 3}, {0, 1, 3, 2}, {0, 2, 1, 3}, {0, 2, 3, 1}, {0, 3, 1, 2}, {0, 3, 2, 1},
        {1, 0, 2, 3}, {1, 0, 3, 2}, {1, 2, 0, 3}, {1, 2, 3, 0}, {1, 3, 0, 2}, {1, 3, 2, 0},
        {2, 0, 1, 3}, {2, 0, 3, 1}, {2, 1, 0, 3}, {2, 1, 3, 0}, {2, 3, 0, 1}, {2, 3, 1, 0},
        {3, 0, 1, 2}, {3, 0, 2, 1}, {3, 1, 0, 2}, {3, 1, 2, 0}, {3, 2, 0, 1}, {3, 2, 1, 0}};

    for (int family = 0; family < 2; family++) {
        struct world *w = world_of_tun();
        struct whole *d = whole_new(family == 0, COUNT * EACH - UDP_HEADER_LEN - 5);

        for (size_t i = 0; i < 24; i++) {
            for (size_t j = 0; j < COUNT; j++) {
                uint32_t at = orders[i][j] * (uint32_t)EACH;
                bool is_last = orders[i][j] == COUNT - 1;
                uint32_t len = is_last ? EACH - 5 : EACH;

                EXPECT_EQ(give(w, d, at, len, !is_last),
                          j == COUNT - 1 ? IP_TRANSPORT : IP_CONSUMED);
            }
            expect_whole(w, d);
        }
        free(d);
        world_free(&w);
    }
}

TEST(fragments_of_the_largest_datagram)
{
    struct world *w = world_of_tun();
    struct whole *d = whole_new(true, 65507);

    for (uint32_t at = 0; at < d->len; at += 1480) {
        uint32_t len = (uint32_t)(d->len - at < 1480 ? d->len - at : 1480);
        bool is_last = at + len == d->len;

        EXPECT_EQ(give(w, d, at, len, !is_last), is_last ? IP_TRANSPORT : IP_CONSUMED);
    }
    expect_whole(w, d);
    free(d);
    world_free(&w);
}

TEST(fragments_larger_than_a_buffer)
{
    struct world *w = world_of_tun();
    struct whole *d = whole_new(false, 65000);

    EXPECT_EQ(give(w, d, 40000, (uint32_t)d->len - 40000, false), IP_CONSUMED);
    EXPECT_EQ(give(w, d, 0, 40000, true), IP_TRANSPORT);
    expect_whole(w, d);
    free(d);
    world_free(&w);
}

TEST(fragment_that_comes_twice_is_dropped) /* [RFC8200 4.5] */
{
    struct world *w = world_of_tun();
    struct whole *d = whole_new(true, 1000);

    EXPECT_EQ(give(w, d, 0, 400, true), IP_CONSUMED);
    EXPECT_EQ(give(w, d, 0, 400, true), IP_CONSUMED);
    EXPECT_EQ(w->dropped[WHY_FRAG_OVERLAP], 1);
    EXPECT_EQ(give(w, d, 400, 608, false), IP_TRANSPORT);
    expect_whole(w, d);
    free(d);
    world_free(&w);
}

TEST(fragments_that_overlap_end_the_datagram) /* [RFC5722 4] [RFC8200 4.5] */
{
    static const struct {
        uint32_t at, len;
        bool more, is_changed;
    } rows[] = {
        {392, 16, true, false},   /* over the end of the first */
        {0, 408, true, false},    /* around the first */
        {8, 16, true, false},     /* within the first */
        {0, 400, true, true},     /* the same place, other bytes */
        {792, 100, false, false}, /* an end before one already here */
        {1592, 16, true, false},  /* over the third */
    };

    for (int family = 0; family < 2; family++)
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            struct world *w = world_of_tun();
            struct whole *d = whole_new(family == 0, 2000 - UDP_HEADER_LEN);

            EXPECT_EQ(give(w, d, 0, 400, true), IP_CONSUMED);
            EXPECT_EQ(give(w, d, 800, 800, true), IP_CONSUMED);
            d->udp[100] ^= rows[i].is_changed;
            EXPECT_EQ(give(w, d, rows[i].at, rows[i].len, rows[i].more), IP_CONSUMED);
            d->udp[100] ^= rows[i].is_changed;
            EXPECT_EQ(w->dropped[WHY_FRAG_OVERLAP], 1);
            EXPECT_EQ(w->ip.frags.pieces.used, 0);

            /* What comes later is not put together either. */
            EXPECT_EQ(give(w, d, 0, 400, true), IP_CONSUMED);
            EXPECT_EQ(give(w, d, 400, 400, true), IP_CONSUMED);
            EXPECT_EQ(give(w, d, 800, 800, true), IP_CONSUMED);
            EXPECT_EQ(give(w, d, 1600, 400, false), IP_CONSUMED);
            EXPECT_EQ(w->dropped[WHY_FRAG_OVERLAP], 5);

            world_wait(w, 61 * NS_S);
            EXPECT_EQ(w->ip.frags.pool.used, 0);
            EXPECT(!world_out(w, w->tun)); /* and nobody is told */
            free(d);
            world_free(&w);
        }
}

TEST(fragments_that_contradict_the_end)
{
    struct world *w = world_of_tun();
    struct whole *d = whole_new(true, 2000 - UDP_HEADER_LEN);

    EXPECT_EQ(give(w, d, 1600, 400, false), IP_CONSUMED);
    EXPECT_EQ(give(w, d, 800, 800, false), IP_CONSUMED); /* another end */
    EXPECT_EQ(w->dropped[WHY_FRAG_OVERLAP], 1);
    d->id++;
    EXPECT_EQ(give(w, d, 1600, 400, false), IP_CONSUMED);
    EXPECT_EQ(give(w, d, 2000, 8, true), IP_CONSUMED); /* beyond the end */
    EXPECT_EQ(w->dropped[WHY_FRAG_OVERLAP], 2);
    free(d);
    world_free(&w);
}

TEST(fragments_of_impossible_size)
{
    struct world *w = world_of_tun();
    struct whole *d = whole_new(true, 1000);

    EXPECT_EQ(give(w, d, 0, 401, true), IP_CONSUMED);      /* not a multiple of 8 */
    EXPECT_EQ(give(w, d, 65528, 100, false), IP_CONSUMED); /* beyond 64 KiB */
    EXPECT_EQ(w->dropped[WHY_FRAG_MALFORMED], 2);
    EXPECT_EQ(w->ip.frags.pool.used, 0);
    free(d);
    world_free(&w);
}

TEST(atomic_fragment_is_a_whole_packet) /* [RFC6946 4] */
{
    struct world *w = world_of_tun();
    struct whole *d = whole_new(false, 100);

    /* It does not mix with fragments of the same identification. */
    EXPECT_EQ(give(w, d, 0, 48, true), IP_CONSUMED);
    EXPECT_EQ(give(w, d, 0, (uint32_t)d->len, false), IP_TRANSPORT);
    EXPECT_EQ(ip_packet_transport_len(&w->packet), d->len);
    EXPECT_EQ(w->ip.frags.pool.used, 1);
    free(d);
    world_free(&w);
}

TEST(time_exceeded_is_told_if_the_first_fragment_came) /* [RFC1122 3.3.2] [RFC8200 4.5] */
{
    for (int family = 0; family < 2; family++) {
        struct world *w = world_of_tun();
        struct whole *d = whole_new(family == 0, 1000);
        ns_t timeout = family == 0 ? 30 * NS_S : 60 * NS_S;

        EXPECT_EQ(give(w, d, 0, 400, true), IP_CONSUMED);
        d->id++;
        EXPECT_EQ(give(w, d, 400, 400, true), IP_CONSUMED);
        world_wait(w, timeout - NS_S);
        EXPECT_EQ(w->dropped[WHY_FRAG_TIMEOUT], 0);
        world_wait(w, NS_S);
        EXPECT_EQ(w->dropped[WHY_FRAG_TIMEOUT], 2);

        EXPECT(world_out(w, w->tun));
        if (family == 0) {
            EXPECT_EQ(w->pkt.icmp.type, ICMP4_TIME_EXCEEDED);
            EXPECT_EQ(w->pkt.icmp.code, ICMP4_REASSEMBLY_EXCEEDED);
            EXPECT_EQ(w->pkt.icmp.body_len, 420);
            EXPECT_MEM(w->pkt.icmp.body.bytes + 20, d->udp, 400);
        } else {
            EXPECT_EQ(w->pkt.icmp.type, ICMP6_TIME_EXCEEDED);
            EXPECT_EQ(w->pkt.icmp.code, ICMP6_REASSEMBLY_EXCEEDED);
            EXPECT_EQ(w->pkt.icmp.body_len, 448);
        }
        EXPECT(!world_out(w, w->tun)); /* the other one had no first fragment */
        EXPECT_EQ(w->ip.frags.bytes, 0);
        free(d);
        world_free(&w);
    }
}

TEST(one_source_cannot_hold_more_than_its_share)
{
    struct world *w = world_of_tun();
    struct whole *d = whole_new(true, 1000);

    for (d->id = 1; d->id <= 10; d->id++)
        EXPECT_EQ(give(w, d, 0, 400, true), IP_CONSUMED);
    EXPECT_EQ(w->ip.frags.pool.used, w->config.ip.fragments_per_source);
    EXPECT_EQ(w->dropped[WHY_FRAG_FULL], 6);
    /* The newest are still there. */
    d->id = 10;
    EXPECT_EQ(give(w, d, 400, 608, false), IP_TRANSPORT);
    ip_packet_fini(&w->ip, &w->packet);
    free(d);
    world_free(&w);
}

TEST(all_fragments_together_are_bounded)
{
    struct world *w = world_of_tun();

    for (unsigned i = 0; i < 2000; i++) {
        struct ip4_header h = {.src = weir_addr_v4(172, 16, (uint8_t)(i >> 8), (uint8_t)i),
                               .dst = addr("10.0.0.1"),
                               .protocol = IP_PROTOCOL_UDP,
                               .fragment_offset = 800,
                               .more_fragments = true};
        struct span s = ip4(h, pattern(800));

        world_in(w, w->tun, s.bytes, s.len);
        EXPECT(w->ip.frags.bytes <= w->config.ip.fragments_bytes);
    }
    EXPECT(w->dropped[WHY_FRAG_FULL] > 1500);
    EXPECT(w->ip.frags.pool.used > 50);
    world_free(&w);
}

TEST(one_datagram_has_a_bounded_number_of_pieces)
{
    struct world *w = world_of_tun();
    struct whole *d = whole_new(true, 20000);

    for (uint32_t at = 0; at < 16 * (FRAG_PIECES_MAX + 1); at += 16)
        EXPECT_EQ(give(w, d, at, 8, true), IP_CONSUMED);
    EXPECT_EQ(w->dropped[WHY_FRAG_FULL], 1);
    EXPECT_EQ(w->ip.frags.pieces.used, 0);
    free(d);
    world_free(&w);
}

TEST(congestion_of_one_fragment_is_that_of_all) /* [RFC3168 5.3] */
{
    static const struct {
        uint8_t first, second;
        int expected; /* -1: dropped */
    } rows[] = {{0, 0, 0},
                {IP_ECN_ECT0, IP_ECN_ECT0, IP_ECN_ECT0},
                {IP_ECN_ECT0, IP_ECN_CE, IP_ECN_CE},
                {IP_ECN_CE, IP_ECN_ECT1, IP_ECN_CE},
                {0, IP_ECN_CE, -1}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = world_of_tun();
        struct whole *d = whole_new(true, 1000);
        struct ip4_header h = {.src = addr("10.0.0.2"),
                               .dst = addr("10.0.0.1"),
                               .protocol = IP_PROTOCOL_UDP,
                               .tos = rows[i].first,
                               .more_fragments = true};
        struct span s = ip4(h, span_of(d->udp, 400));

        world_in(w, w->tun, s.bytes, s.len);
        h.tos = rows[i].second;
        h.more_fragments = false;
        h.fragment_offset = 400;
        s = ip4(h, span_of(d->udp + 400, d->len - 400));
        if (rows[i].expected < 0) {
            EXPECT_EQ(world_in(w, w->tun, s.bytes, s.len), IP_CONSUMED);
            EXPECT_EQ(w->dropped[WHY_FRAG_MALFORMED], 1);
        } else {
            EXPECT_EQ(world_in(w, w->tun, s.bytes, s.len), IP_TRANSPORT);
            EXPECT_EQ(ip_ecn_of(w->packet.tos), rows[i].expected);
        }
        free(d);
        world_free(&w);
    }
}

TEST(extension_headers_survive_reassembly) /* [RFC8200 4.5] */
{
    struct world *w = world_of_tun();
    struct whole *d = whole_new(false, 1000);
    /* A destination options header before the fragment header, and one after it. */
    static const uint8_t padding[8] = {IP_PROTOCOL_FRAGMENT, 0, 1, 4};
    uint8_t before[16], bytes[1200];
    struct ip6_header h = {.src = addr("2001:db8::2"),
                           .dst = addr("2001:db8::1"),
                           .protocol = IP_PROTOCOL_DESTINATION,
                           .next_header = IP_PROTOCOL_DESTINATION,
                           .fragment_id = 9,
                           .more_fragments = true};
    struct span s;

    memcpy(before, padding, 8);
    ip6_emit_fragment(&h, before + 8, 8);
    memcpy(bytes, padding, 8);
    bytes[0] = IP_PROTOCOL_UDP;
    memcpy(bytes + 8, d->udp, 392);
    h.extensions = span_of(before, 16);
    s = ip6(h, span_of(bytes, 400));
    EXPECT_EQ(world_in(w, w->tun, s.bytes, s.len), IP_CONSUMED);
    EXPECT_EQ(w->ip.frags.pool.used, 1);

    h.fragment_offset = 400;
    h.more_fragments = false;
    ip6_emit_fragment(&h, before + 8, 8);
    s = ip6(h, span_of(d->udp + 392, d->len - 392));
    EXPECT_EQ(world_in_keep(w, w->tun, s.bytes, s.len), IP_TRANSPORT);
    EXPECT_EQ(w->packet.protocol, IP_PROTOCOL_UDP);
    EXPECT_EQ(w->packet.header_len, IP6_HEADER_LEN + 16);
    expect_whole(w, d);
    free(d);
    world_free(&w);
}

/* Takes all bufs that have size bytes and that memory still allows. */
static struct list *take_all(struct world *w, size_t size)
{
    static struct list all;
    struct buf *buf;

    list_init(&all);
    while ((buf = buf_get(&w->bufs, size)) != NULL) {
        list_add_first(&all, (struct list *)(void *)buf->bytes);
        memcpy(buf->bytes + sizeof(struct list), &buf, sizeof buf);
    }
    return &all;
}

static void give_back(struct world *w, struct list *all)
{
    for (struct list *i; (i = list_take_first(all)) != NULL;) {
        struct buf *buf;

        memcpy(&buf, i + 1, sizeof buf);
        buf_unref(&w->bufs, &buf);
    }
}

TEST(reassembly_without_memory_costs_one_datagram)
{
    struct world *w = world_of_tun();
    struct whole *d = whole_new(true, 10000);
    struct list *taken;

    EXPECT_EQ(give(w, d, 0, 5000, true), IP_CONSUMED);
    EXPECT_EQ(give(w, d, 5000, 4992, true), IP_CONSUMED);
    EXPECT_EQ(give(w, d, 9992, 8, true), IP_CONSUMED);
    w->mem.limit = w->mem.used;
    taken = take_all(w, 10000);
    EXPECT_EQ(give(w, d, 10000, 8, false), IP_CONSUMED);
    EXPECT_EQ(w->dropped[WHY_NO_MEMORY], 1);
    EXPECT_EQ(w->ip.frags.pool.used, 0);
    give_back(w, taken);

    /* The next one finds what the last one left. */
    EXPECT_EQ(give(w, d, 0, 5000, true), IP_CONSUMED);
    EXPECT_EQ(give(w, d, 5000, 5008, false), IP_TRANSPORT);
    expect_whole(w, d);
    free(d);
    world_free(&w);
}

TEST(reassembly_of_slices)
{
    struct world *w = world_of_tun();
    struct whole *d = whole_new(true, 1000);
    struct span s = fragment(d, 0, 800, true);
    uint8_t copy[820];
    struct weir_frame frame = {.slices = {{copy, 30}, {copy + 30, 300}, {copy + 330, 490}},
                               .len = sizeof copy,
                               .slice_count = 3};

    memcpy(copy, s.bytes, sizeof copy);
    EXPECT_EQ(ip_input(&w->ip, w->tun, &frame, &w->packet), IP_CONSUMED);
    EXPECT_EQ(ip_input(&w->ip, w->tun, &frame, &w->packet), IP_CONSUMED); /* the same again */
    EXPECT_EQ(give(w, d, 800, 208, false), IP_TRANSPORT);
    expect_whole(w, d);
    free(d);
    world_free(&w);
}

TEST(removed_interface_takes_its_fragments_along)
{
    struct world *w = world_of_tun();
    struct whole *d = whole_new(true, 1000);

    give(w, d, 0, 400, true);
    EXPECT_EQ(netif_remove(&w->ip, w->tun->id), WEIR_OK);
    EXPECT_EQ(w->ip.frags.pool.used, 0);
    free(d);
    world_free(&w);
}

/* ---- taking apart ---- */

/* Sends a datagram and gives its fragments to a second world, which puts it together. */
static void send_and_receive(bool is_v4, size_t payload_len)
{
    struct world *w = world_of_tun(), *other = world_new();
    struct ip_path path = {0};
    struct netif *tun = world_add_tun(other);
    enum ip_verdict verdict = IP_CONSUMED;
    uint32_t count = 0;

    add_addr(other, tun, is_v4 ? "10.0.0.9/24" : "2001:db8::9/64");
    EXPECT_EQ(world_send(w, &path, is_v4 ? "10.0.0.9" : "2001:db8::9", payload_len), WHY_NONE);
    while (world_out(w, w->tun)) {
        EXPECT(w->out_len <= 1500);
        EXPECT_EQ(verdict, IP_CONSUMED);
        verdict = world_in_keep(other, tun, w->out, w->out_len);
        count++;
    }
    EXPECT(count > 1);
    EXPECT_EQ(verdict, IP_TRANSPORT);
    EXPECT_EQ(ip_packet_transport_len(&other->packet), UDP_HEADER_LEN + payload_len);
    EXPECT(ip_packet_has_good_checksum(&other->packet));
    ip_packet_fini(&other->ip, &other->packet);
    world_free(&other);
    world_free(&w);
}

TEST(fragments_sent_make_up_the_datagram) /* [RFC791 3.2] [RFC8200 4.5] */
{
    static const size_t lens[] = {1473, 1480, 2944, 2953, 8000, 40000, 65507};

    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        send_and_receive(true, lens[i]);
        send_and_receive(false, lens[i] - (lens[i] > 65000 ? 20 : 0));
    }
}

TEST(fragments_sent_have_identifications_of_their_own) /* [RFC6864 4.2] */
{
    struct world *w = world_of_tun();
    struct ip_path path = {0};
    uint16_t ids[2];

    for (int i = 0; i < 2; i++) {
        world_send(w, &path, "10.0.0.9", 3000);
        EXPECT(world_out(w, w->tun));
        ids[i] = w->pkt.ip4.id;
        EXPECT(world_out(w, w->tun));
        EXPECT_EQ(w->pkt.ip4.id, ids[i]);
        world_forget_output(w);
    }
    EXPECT(ids[0] != ids[1]);
    world_free(&w);
}
