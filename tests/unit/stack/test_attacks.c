/*
 * test_attacks.c - what strangers may try: answers, work and memory stay bounded
 */
#include "lib/test.h"
#include "lib/world.h"
#include "wire/eth.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"
#include "wire/ip.h"
#include "wire/ip6.h"
#include "wire/tcp.h"
#include <string.h>

static struct packet packet;

static struct weir_endpoint endpoint(const char *text)
{
    struct weir_endpoint e;

    EXPECT_EQ(weir_endpoint_parse(text, &e), WEIR_OK);
    return e;
}

static void inject(struct world *w, size_t i, struct packet_ip ip, struct packet_tcp tcp)
{
    packet_make_tcp(&packet, &ip, &tcp);
    world_injects(w, i, &packet);
}

/* From peer a to b, in the window of b and acknowledging all it sent, but for these offsets. */
struct forged {
    uint16_t flags;
    uint32_t seq_offset, ack_offset;
    size_t len;
};

static void forge(struct world *w, const struct world_pair *p, struct forged f)
{
    struct packet_ip ip = {.src = p->a_at, .dst = p->b_at};
    struct weir_tcp_info info;

    EXPECT_EQ(weir_tcp_info(world_stack(w, 1), p->b, &info), WEIR_OK);
    inject(w, 1, ip,
           (struct packet_tcp){.flags = f.flags,
                               .seq = info.rcv_nxt + f.seq_offset,
                               .ack = info.snd_nxt + f.ack_offset,
                               .len = f.len});
}

static struct world *world_without_timestamps(void)
{
    static struct weir_config config;

    config = world_config();
    config.tcp.timestamps = false;
    return world_make(&(struct world_setup){.config = &config});
}

static void expect_still_works(struct world *w, struct world_pair *p)
{
    uint64_t before = w->stacks[1].read;

    world_sends(w, 0, p->a, 10000);
    world_run(w, 5 * WEIR_S);
    EXPECT_EQ(world_reads(w, 1, p->b), WEIR_EAGAIN);
    EXPECT_EQ(w->stacks[1].read, before + 10000);
}

/* ---- who may speak ---- */

TEST(segments_from_or_to_groups_are_dropped_without_a_word) /* [RFC9293 MUST-57, MUST-63] */
{
    static const struct {
        const char *src, *dst, *why;
    } cases[] = {
        {"198.18.0.9:1", "255.255.255.255:80", "tcp_not_unicast"},
        {"198.18.0.9:1", "198.18.0.255:80", "tcp_not_unicast"},
        {"198.18.0.9:1", "224.0.0.1:80", "tcp_not_unicast"},
        {"[2001:db8::9]:1", "[ff02::1]:80", "tcp_not_unicast"},
        {"255.255.255.255:1", "198.18.0.1:80", "ip_source"},
        {"198.18.0.255:1", "198.18.0.1:80", "ip_source"},
        {"224.0.0.1:1", "198.18.0.1:80", "ip_source"},
        {"0.0.0.0:1", "198.18.0.1:80", "ip_source"},
        {"127.0.0.1:1", "198.18.0.1:80", "ip_source"},
        {"198.18.0.1:1", "198.18.0.1:80", "ip_source"}, /* ourselves: the land attack */
        {"[ff02::1]:1", "[2001:db8::1]:80", "ip_source"},
        {"[::]:1", "[2001:db8::1]:80", "ip_source"},
        {"[::1]:1", "[2001:db8::1]:80", "ip_source"},
        {"[2001:db8::1]:1", "[2001:db8::1]:80", "ip_source"},
        {"198.18.0.9:1", "198.18.0.77:80", "ip_not_ours"},
    };
    static const uint16_t flags[] = {TCP_SYN, TCP_ACK, TCP_SYN | TCP_ACK, TCP_RST, TCP_FIN, 0};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world *w = world_make(&(struct world_setup){.stacks = 1});
        struct packet_ip ip = {.src = endpoint(cases[i].src), .dst = endpoint(cases[i].dst)};
        world_listen(w, 0, WORLD_PORT, 5);
        for (size_t k = 0; k < 6; k++)
            inject(w, 0, ip, (struct packet_tcp){.flags = flags[k], .seq = 1, .ack = 1});
        world_run(w, 100 * WEIR_S);
        if (world_dropped(w, 0, cases[i].why) != 6)
            FAIL("%s to %s", cases[i].src, cases[i].dst);
        EXPECT_EQ(w->log_count, 0);
        EXPECT_EQ(world_stats(w, 0).half_open, 0);
    }
}

TEST(segments_in_broadcast_frames_are_dropped) /* [RFC9293 MUST-57] [RFC1122 3.3.6] */
{
    struct world *w = world_make(&(struct world_setup){.stacks = 1, .link = WEIR_LINK_ETHERNET});
    struct packet_ip ip = {.src = world_endpoint(w, 8, 1), .dst = world_endpoint(w, 0, 80)};
    struct packet_tcp tcp = {.flags = TCP_SYN};
    uint8_t frame[100];
    struct eth_header h = {
        .dst = eth_addr_broadcast(), .src = {{2, 2, 2, 2, 2, 2}}, .type = ETH_TYPE_IP4};

    world_listen(w, 0, WORLD_PORT, 5);
    packet_make_tcp(&packet, &ip, &tcp);
    EXPECT_EQ(eth_emit(&h, frame, ETH_HEADER_LEN), ETH_HEADER_LEN);
    memcpy(frame + ETH_HEADER_LEN, packet.bytes, packet.len);
    world_injects_bytes(w, 0, frame, ETH_HEADER_LEN + packet.len);
    EXPECT_EQ(world_stats(w, 0).half_open, 0);
    EXPECT_EQ(world_dropped(w, 0, "link_not_ours"), 1); /* such a packet is to a group, or none */
}

/* ---- floods ---- */

TEST(flood_of_syns_costs_a_bounded_amount_and_ends_nothing)
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct weir_config config = world_config();
        struct world *w;
        struct world_pair p;
        struct weir_stats before, now;
        config.syn_queue = 500;
        w = world_make(&(struct world_setup){.is_v6 = is_v6, .config = &config});
        p = world_connect(w);
        before = world_stats(w, 1);
        w->skips_checks = true;
        for (uint32_t i = 0; i < 5000; i++) {
            struct packet_ip ip = {.src =
                                       world_endpoint(w, 3 + i % 200, (uint16_t)(1000 + i / 200)),
                                   .dst = world_endpoint(w, 1, WORLD_PORT)};
            struct packet_tcp tcp = {.flags = TCP_SYN, .seq = i * 7919};
            packet_make_tcp(&packet, &ip, &tcp);
            world_injects(w, 1, &packet);
        }
        now = world_stats(w, 1);
        EXPECT_EQ(now.half_open, 500);
        EXPECT_EQ(now.connections, 1);
        EXPECT(now.memory_bytes - before.memory_bytes < 500 * 256 + 64 * 4096 + 262144);
        EXPECT_EQ(world_stats(w, 1).tcp_cookies_sent, 4500); /* and nothing else */
        expect_still_works(w, &p);
        world_run(w, 70 * WEIR_S);
        EXPECT_EQ(world_stats(w, 1).half_open, 0);
        p = world_connect_to(w, p.listener);
    }
}

TEST(flood_of_syns_faster_than_the_device_sends_is_bounded)
{
    struct world *w = world_make(&(struct world_setup){.stacks = 1});
    struct weir_frame *frames[16];
    size_t sent = 0, n;

    world_listen(w, 0, WORLD_PORT, 5);
    w->skips_checks = true;
    for (uint32_t i = 0; i < 4000; i++) {
        struct packet_ip ip = {.src = world_endpoint(w, 3 + i % 200, (uint16_t)(1000 + i / 200)),
                               .dst = world_endpoint(w, 0, i % 2 != 0 ? WORLD_PORT : 9)};
        struct packet_tcp tcp = {.flags = TCP_SYN, .seq = i};
        struct weir_frame frame = {.slice_count = 1};
        packet_make_tcp(&packet, &ip, &tcp);
        frame.slices[0] = (struct weir_slice){packet.bytes, packet.len};
        frame.len = packet.len;
        weir_input(world_stack(w, 0), w->stacks[0].netif, &frame, 1); /* nobody takes output */
    }
    while ((n = weir_output(world_stack(w, 0), w->stacks[0].netif, frames, 16)) > 0) {
        weir_output_done(world_stack(w, 0), frames, n);
        sent += n;
    }
    EXPECT_EQ(sent, 1024);
}

TEST(flood_of_segments_for_nobody_gets_resets_and_costs_nothing)
{
    struct world *w = world_make(&(struct world_setup){.stacks = 1});
    size_t before = world_stats(w, 0).memory_bytes;

    for (uint32_t i = 0; i < 3000; i++) {
        struct packet_ip ip = {.src = world_endpoint(w, 3, (uint16_t)i),
                               .dst = world_endpoint(w, 0, (uint16_t)(i * 7))};
        inject(w, 0, ip, (struct packet_tcp){.flags = (uint16_t)(i % 512), .seq = i, .ack = i});
    }
    world_run(w, WEIR_S);
    EXPECT(world_stats(w, 0).memory_bytes <= before + 2 * 65536);
    EXPECT_EQ(world_stats(w, 0).connections + world_stats(w, 0).half_open, 0);
    for (size_t i = 0; i < w->log_count; i++)
        EXPECT(w->log[i].view.flags & TCP_RST);
}

/* ---- guesses [RFC5961] ---- */

TEST(guesses_are_challenged_within_a_budget_of_each_connection) /* [RFC5961 7] */
{
    static const struct forged guesses[] = {
        {TCP_RST, 100, 0, 0},
        {TCP_SYN, 0, 0, 0},
        {TCP_SYN, 0x10000000, 0, 0},
        {TCP_SYN | TCP_ACK, 50, 0, 0},
        {TCP_ACK, 0, 1000, 0},
        {TCP_ACK, 0, 0x80000000, 10},
        {TCP_ACK, (uint32_t)-100000, 0, 0},
    };

    for (size_t i = 0; i < sizeof guesses / sizeof guesses[0]; i++) {
        struct world *w = world_without_timestamps();
        struct world_pair p = world_connect(w), q = world_connect_to(w, p.listener);
        w->is_cut = true;
        world_settle(w);
        world_forgets(w);
        for (int n = 0; n < 500; n++)
            forge(w, &p, guesses[i]);
        EXPECT(world_count(w, 1, 0, 0) >= 1);
        EXPECT(world_count(w, 1, 0, 0) <= 11);
        EXPECT_EQ(world_count(w, 1, TCP_RST | TCP_SYN, 0), world_count(w, 1, 0, 0));
        EXPECT_EQ(world_stats(w, 1).tcp_challenge_acks, world_count(w, 1, 0, 0));
        /* Nobody can learn about one connection by asking another [CVE-2016-5696]. */
        world_forgets(w);
        forge(w, &q, guesses[i]);
        EXPECT_EQ(world_count(w, 1, 0, 0), 1);
        world_run(w, 1 * WEIR_S);
        world_forgets(w);
        forge(w, &p, guesses[i]);
        EXPECT_EQ(world_count(w, 1, 0, 0), 1);
        EXPECT_EQ(world_state(w, 1, p.b), WEIR_TCP_ESTABLISHED);
        w->is_cut = false;
        expect_still_works(w, &p);
    }
}

TEST(records_do_not_answer_each_other_for_ever) /* [RFC5961 7] */
{
    struct weir_config config = world_config();
    struct world *w;
    struct world_pair p;
    struct weir_tcp_info info;
    struct packet_ip ip;
    size_t before;

    config.tcp.timestamps = false;
    w = world_make(&(struct world_setup){
        .config = &config, .conditions = {.duplicate = 500, .delay_ns = 5 * WEIR_MS}});
    w->conditions.duplicate = 0;
    p = world_connect(w);
    EXPECT_EQ(weir_tcp_info(world_stack(w, 0), p.a, &info), WEIR_OK);
    EXPECT_EQ(weir_close(world_stack(w, 0), p.a), WEIR_OK);
    world_run(w, 100 * WEIR_MS);
    EXPECT_EQ(weir_close(world_stack(w, 1), p.b), WEIR_OK);
    world_run(w, 100 * WEIR_MS);
    EXPECT_EQ(world_stats(w, 0).timewaits, 1);

    /* A SYN as if from the end in TIME-WAIT makes a half-open record at the other. */
    ip = (struct packet_ip){.src = p.a_at, .dst = p.b_at};
    w->conditions.duplicate = 500;
    before = w->stacks[0].frames_sent + w->stacks[1].frames_sent;
    inject(w, 1, ip, (struct packet_tcp){.flags = TCP_SYN, .seq = info.snd_nxt + 1});
    EXPECT_EQ(world_stats(w, 1).half_open, 1);
    world_run(w, 70 * WEIR_S);
    EXPECT(w->stacks[0].frames_sent + w->stacks[1].frames_sent - before < 600);
    world_expects_nothing_left(w, 1);
}

/* ---- what lies about out of order ---- */

TEST(holes_are_so_many_and_cost_so_much) /* SegmentSmack */
{
    for (int lends = 0; lends < 2; lends++) {
        struct weir_config config = world_config();
        struct world *w;
        struct world_pair p;
        struct weir_tcp_info info;
        size_t before;
        config.tcp.timestamps = false;
        config.tcp.reassembly_holes = 64;
        w = world_make(&(struct world_setup){.config = &config, .lends_frames = lends});
        p = world_connect(w);
        w->is_cut = true; /* a does not hear of it */
        before = world_stats(w, 1).memory_bytes;
        for (uint32_t i = 0; i < 5000; i++)
            forge(w, &p, (struct forged){TCP_ACK, 2 + 2 * (i * 7919 % 16000), 0, 1});
        EXPECT_EQ(weir_tcp_info(world_stack(w, 1), p.b, &info), WEIR_OK);
        EXPECT(info.reassembly_queued <= 64 + 64);
        EXPECT(world_dropped(w, 1, "tcp_reassembly") > 4000);
        EXPECT(world_stats(w, 1).memory_bytes - before < 5 * 65536);
        EXPECT(w->frames_out <= 128);

        /* What is missing comes, and all goes on: those bytes are the stream's now. */
        w->is_cut = false;
        EXPECT_EQ(weir_abort(world_stack(w, 1), p.b), WEIR_OK);
        world_settle(w);
        EXPECT_EQ(w->frames_out, 0);
    }
}

/* By default the limit is what they cost: four times the buffer, and what keeps them in order. */
TEST(holes_cost_no_more_than_the_buffer_allows)
{
    struct weir_config config = world_config();
    struct world *w;
    struct world_pair p;
    size_t before;

    config.tcp.timestamps = false;
    w = world_make(&(struct world_setup){.config = &config, .lends_frames = true});
    p = world_connect(w);
    w->is_cut = true;
    before = world_stats(w, 1).memory_bytes;
    for (uint32_t i = 0; i < 12000; i++)
        forge(w, &p, (struct forged){TCP_ACK, 2 + 2 * (i * 7919 % 16000), 0, 1});
    EXPECT(world_dropped(w, 1, "tcp_buffer") + world_dropped(w, 1, "tcp_reassembly") > 0);
    EXPECT(world_stats(w, 1).memory_bytes - before < 7 * config.tcp.recv_buffer_bytes);
    w->is_cut = false;
    EXPECT_EQ(weir_abort(world_stack(w, 1), p.b), WEIR_OK);
    world_settle(w);
}

/* ---- fragments ---- */

static void inject_fragment(struct world *w, struct weir_endpoint src, uint32_t id, uint32_t offset,
                            bool more)
{
    static uint8_t bytes[1000];
    struct packet_ip ip = {.src = src, .dst = world_endpoint(w, 1, 0)};
    uint8_t header[8] = {IP_PROTOCOL_UDP,        0,
                         (uint8_t)(offset >> 8), (uint8_t)((offset & 0xf8) | more),
                         (uint8_t)(id >> 24),    (uint8_t)(id >> 16),
                         (uint8_t)(id >> 8),     (uint8_t)id};

    if (w->setup.is_v6) {
        ip.options = header;
        ip.options_len = 8;
        ip.next_header = 44;
    } else {
        ip.id = (uint16_t)id;
        ip.fragment_offset = offset;
        ip.more_fragments = more;
    }
    packet_make_raw(&packet, &ip, IP_PROTOCOL_UDP, bytes, sizeof bytes);
    world_injects(w, 1, &packet);
}

TEST(flood_of_fragments_costs_a_bounded_amount) /* FragmentSmack */
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct weir_config config = world_config();
        struct world *w;
        struct world_pair p;
        size_t before;
        config.ip.fragments_bytes = 200000;
        w = world_make(&(struct world_setup){.is_v6 = is_v6, .config = &config});
        p = world_connect(w);
        before = world_stats(w, 1).memory_bytes;
        for (uint32_t i = 0; i < 3000; i++)
            inject_fragment(w, world_endpoint(w, 3 + i % 100, 0), i, i % 2 * 1000, i % 2 == 0);
        EXPECT(world_stats(w, 1).memory_bytes - before < 200000 + 3 * 65536);
        EXPECT(world_dropped(w, 1, "frag_full") > 0);
        expect_still_works(w, &p);
        world_run(w, 70 * WEIR_S);
        EXPECT(world_dropped(w, 1, "frag_timeout") > 0);

        /* Datagrams in fragments get through again. */
        static uint8_t bytes[5000];
        struct weir_endpoint at = {.port = 53}, to = world_endpoint(w, 1, 53);
        weir_udp_t a, b;
        EXPECT_EQ(weir_udp_open(world_stack(w, 1), &at, NULL, &b), WEIR_OK);
        EXPECT_EQ(weir_udp_open(world_stack(w, 0), &(struct weir_endpoint){0}, NULL, &a), WEIR_OK);
        EXPECT_EQ(weir_udp_send(world_stack(w, 0), a, &to, bytes, 5000), 5000);
        world_settle(w);
        EXPECT_EQ(weir_udp_recv(world_stack(w, 1), b, bytes, 5000, NULL, NULL), 5000);
    }
}

TEST(fragments_of_one_source_do_not_crowd_out_the_others)
{
    struct world *w = world_make(&(struct world_setup){0});
    static uint8_t bytes[5000];
    struct weir_endpoint at = {.port = 53}, to = world_endpoint(w, 1, 53);
    weir_udp_t a, b;

    EXPECT_EQ(weir_udp_open(world_stack(w, 1), &at, NULL, &b), WEIR_OK);
    EXPECT_EQ(weir_udp_open(world_stack(w, 0), &(struct weir_endpoint){0}, NULL, &a), WEIR_OK);
    for (uint32_t i = 0; i < 2000; i++)
        inject_fragment(w, world_endpoint(w, 3, 0), i, 0, true);
    EXPECT_EQ(weir_udp_send(world_stack(w, 0), a, &to, bytes, 5000), 5000);
    world_settle(w);
    EXPECT_EQ(weir_udp_recv(world_stack(w, 1), b, bytes, 5000, NULL, NULL), 5000);
}

/* ---- errors that we send ---- */

TEST(complaints_to_one_peer_are_few)
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct world *w = world_make(&(struct world_setup){.stacks = 1, .is_v6 = is_v6});
        struct packet_ip ip = {.src = world_endpoint(w, 5, 1), .dst = world_endpoint(w, 0, 9)};
        for (int i = 0; i < 1000; i++) {
            packet_make_udp(&packet, &ip, "x", 1);
            world_injects(w, 0, &packet);
        }
        EXPECT_EQ(w->log_count, 6);
        EXPECT_EQ(w->log[0].view.icmp_type, is_v6 ? ICMP6_UNREACHABLE : ICMP4_UNREACHABLE);
        EXPECT_EQ(world_dropped(w, 0, "icmp_limit"), 994);
        EXPECT_EQ(world_dropped(w, 0, "udp_no_port"), 1000);
        ip.src = world_endpoint(w, 6, 1);
        packet_make_udp(&packet, &ip, "x", 1);
        world_injects(w, 0, &packet);
        EXPECT_EQ(w->log_count, 7);
    }
}
