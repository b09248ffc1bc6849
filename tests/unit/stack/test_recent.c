/*
 * test_recent.c - the short way of plain packets
 *
 * Two stacks get the same packets. One of them is listened to, so that it looks at all of them in
 * full: what becomes of them has to be the same.
 */
#include "base/why.h"
#include "lib/test.h"
#include "lib/world.h"
#include "stack/stack.h"
#include "wire/eth.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"
#include <string.h>

enum { ISN = 0x7ffffffe, PEER_ISN = 0x7ffffff0, TEXT_MAX = 400 };

struct two {
    struct world *quick, *full;
    weir_conn_t conn[2];
    uint32_t seq, ack; /* what comes next of the peer's */
    uint32_t other_iss;
    uint64_t state;
};

static struct world *world_of(const struct two *t, size_t i)
{
    return i == 0 ? t->quick : t->full;
}

static uint32_t below(struct two *t, uint32_t bound)
{
    return test_random_below(&t->state, bound);
}

static void ignore(void *ctx, const struct weir_trace *event)
{
    (void)ctx;
    (void)event;
}

static void inject(struct two *t, const struct packet *p)
{
    world_injects(t->quick, 0, p);
    world_injects(t->full, 0, p);
}

/* The same frame for both, whose link header says what it should not. */
static void inject_strangely(struct two *t, const struct packet *p)
{
    static uint8_t bytes[ETH_HEADER_LEN + PACKET_MAX];
    struct eth_header h = {
        .dst = {{2, 0, 0, 0, 0, 1}}, .src = {{2, 0, 0, 0, 9, 9}}, .type = ETH_TYPE_IP4};

    EXPECT_EQ(eth_emit(&h, bytes, sizeof bytes), ETH_HEADER_LEN);
    bytes[below(t, ETH_HEADER_LEN)] ^= (uint8_t)(1 << below(t, 8));
    memcpy(bytes + ETH_HEADER_LEN, p->bytes, p->len);
    world_injects_bytes(t->quick, 0, bytes, ETH_HEADER_LEN + p->len);
    world_injects_bytes(t->full, 0, bytes, ETH_HEADER_LEN + p->len);
}

static void make_from(const struct two *t, uint16_t port, struct packet *p,
                      const struct packet_tcp *tcp)
{
    struct packet_ip ip = {.src = world_endpoint(t->quick, 3, port),
                           .dst = world_endpoint(t->quick, 0, WORLD_PORT)};

    packet_make_tcp(p, &ip, tcp);
}

static void make(const struct two *t, struct packet *p, const struct packet_tcp *tcp)
{
    make_from(t, 5000, p, tcp);
}

static struct two two_of(struct world_setup setup)
{
    static struct packet p;
    struct two t = {.seq = PEER_ISN, .other_iss = 77, .state = test_seed()};
    struct packet_tcp syn = {.flags = TCP_SYN, .seq = PEER_ISN};
    struct packet_tcp ack = {.flags = TCP_ACK, .seq = PEER_ISN + 1u, .ack = ISN + 1u};
    weir_listener_t listener[2];

    t.quick = world_make(&setup);
    t.full = world_make(&setup);
    weir_trace_set(world_stack(t.full, 0), ignore, NULL);
    for (size_t i = 0; i < 2; i++) {
        listener[i] = world_listen(world_of(&t, i), 0, WORLD_PORT, 8);
        weir_tcp_next_isn(world_stack(world_of(&t, i), 0), ISN);
    }
    make(&t, &p, &syn);
    inject(&t, &p);
    make(&t, &p, &ack);
    inject(&t, &p);
    for (size_t i = 0; i < 2; i++)
        EXPECT_EQ(weir_accept(world_stack(world_of(&t, i), 0), listener[i], &t.conn[i]), WEIR_OK);
    t.seq++;
    t.ack = ISN + 1u;
    return t;
}

static void compare(struct two *t)
{
    struct weir_stats a = world_stats(t->quick, 0), b = world_stats(t->full, 0);
    struct weir_tcp_info info[2];

    EXPECT_EQ(a.frames_in, b.frames_in);
    EXPECT_EQ(a.bytes_in, b.bytes_in);
    EXPECT_EQ(a.tcp_segs_in, b.tcp_segs_in);
    for (size_t why = 0; why < WHY_COUNT; why++)
        EXPECT_EQ(weir_dropped(world_stack(t->quick, 0), why),
                  weir_dropped(world_stack(t->full, 0), why));
    EXPECT_EQ(t->quick->stacks[0].hash, t->full->stacks[0].hash);
    for (size_t i = 0; i < 2; i++)
        EXPECT_EQ(weir_tcp_info(world_stack(world_of(t, i), 0), t->conn[i], &info[i]), WEIR_OK);
    EXPECT_EQ(info[0].state, info[1].state);
    EXPECT_EQ(info[0].bytes_received, info[1].bytes_received);
    EXPECT_EQ(info[0].bytes_acked, info[1].bytes_acked);
    EXPECT_EQ(info[0].recv_queued, info[1].recv_queued);
    EXPECT_EQ(info[0].send_queued, info[1].send_queued);
    t->ack = (uint32_t)(ISN + 1u + info[0].bytes_acked);
    t->seq = (uint32_t)(PEER_ISN + 1u + info[0].bytes_received);
}

/* Some packet that the connection may expect, and now and then one with options, or changed. */
static void send_something(struct two *t)
{
    static const uint8_t zeros[TEXT_MAX];
    static const uint8_t md5[20] = {TCP_OPTION_MD5, 18}, stamps[12] = {1, 1, 8, 10};
    static struct packet p;
    struct packet_tcp tcp = {
        .flags = TCP_ACK,
        .seq = t->seq,
        .ack = t->ack + below(t, 60),
        .text = zeros,
        .len = below(t, 2) == 0 ? below(t, TEXT_MAX) : below(t, 2),
    };

    if (below(t, 12) == 0) {
        tcp.options = below(t, 2) == 0 ? md5 : stamps;
        tcp.options_len = tcp.options == md5 ? sizeof md5 : sizeof stamps;
    }
    make(t, &p, &tcp);
    if (below(t, 6) == 0)
        p.bytes[below(t, 44) % p.len] ^= (uint8_t)(1 << below(t, 8));
    if (below(t, 8) == 0)
        p.len += 1 + below(t, 6); /* as the link pads */
    else if (below(t, 20) == 0)
        p.len -= 1 + below(t, 20);
    if (t->quick->setup.link == WEIR_LINK_ETHERNET && below(t, 30) == 0)
        inject_strangely(t, &p);
    else
        inject(t, &p);
}

/* Of handshakes that begin, go on or end, between a few ports that nobody follows. */
static void send_from_another(struct two *t)
{
    static const uint16_t flags[] = {TCP_SYN,           TCP_ACK, TCP_FIN | TCP_ACK, TCP_RST,
                                     TCP_RST | TCP_ACK, 0,       TCP_SYN | TCP_ACK};
    static struct packet p;
    struct packet_tcp tcp = {
        .flags = flags[below(t, 3) > 0 ? below(t, 2) : below(t, 7)],
        .seq = 1000 + below(t, 3),
        .ack = t->other_iss + below(t, 3),
        .text = (const uint8_t *)"xy",
        .len = below(t, 3),
    };

    weir_tcp_next_isn(world_stack(t->quick, 0), t->other_iss);
    weir_tcp_next_isn(world_stack(t->full, 0), t->other_iss);
    make_from(t, (uint16_t)(6000 + below(t, 3)), &p, &tcp);
    inject(t, &p);
}

static void write_and_read(struct two *t)
{
    static uint8_t bytes[2000];
    size_t len = 1 + below(t, 100);

    for (size_t i = 0; i < 2; i++) {
        (void)weir_send(world_stack(world_of(t, i), 0), t->conn[i], bytes, len, 0);
        (void)weir_recv(world_stack(world_of(t, i), 0), t->conn[i], bytes, sizeof bytes);
        world_run(world_of(t, i), 1 * NS_MS);
    }
}

static void talk(struct world_setup setup)
{
    struct two t = two_of(setup);

    for (int i = 0; i < 3000 && world_state(t.quick, 0, t.conn[0]) == WEIR_TCP_ESTABLISHED; i++) {
        if (below(&t, 4) == 0)
            write_and_read(&t);
        else if (below(&t, 4) == 0)
            send_from_another(&t);
        else
            send_something(&t);
        compare(&t);
    }
    world_end(t.quick);
    world_end(t.full);
}

TEST(recent_short_way_comes_to_the_same_as_the_long_one)
{
    struct weir_config config = world_config();

    config.tcp.nagle = false;
    for (size_t i = 0; i < 12; i++)
        talk((struct world_setup){.seed = i,
                                  .config = &config,
                                  .link = i % 3 == 1 ? WEIR_LINK_ETHERNET : WEIR_LINK_IP,
                                  .lends_frames = i % 2 == 0,
                                  .marks_valid = i % 4 == 3});
}

/* ---- what goes that way, and what may have changed since the last packet ---- */

static void send_byte(struct two *t, const struct packet_ip *ip)
{
    static struct packet p;
    struct packet_tcp tcp = {
        .flags = TCP_ACK, .seq = t->seq, .ack = t->ack, .text = (const uint8_t *)"x", .len = 1};

    packet_make_tcp(&p, ip, &tcp);
    world_injects(t->quick, 0, &p);
}

static bool goes_the_short_way(const struct two *t, struct packet *p)
{
    struct weir *s = world_stack(t->quick, 0);
    struct weir_frame frame = {.slices = {{p->bytes, p->len}}, .slice_count = 1, .len = p->len};

    return recent_rx(s, netif_find(&s->ip, t->quick->stacks[0].netif), &frame, 1) == 1;
}

TEST(recent_short_way_is_that_of_all_plain_segments)
{
    static struct packet p;
    struct two t = two_of((struct world_setup){.seed = 1});
    struct packet_tcp syn = {.flags = TCP_SYN, .seq = 1},
                      fin = {.flags = TCP_FIN | TCP_ACK, .seq = t.seq, .ack = t.ack};

    make_from(&t, 6000, &p, &syn);
    EXPECT(goes_the_short_way(&t, &p));
    make_from(&t, 6001, &p, &fin);
    EXPECT(goes_the_short_way(&t, &p));
    make(&t, &p, &fin);
    EXPECT(goes_the_short_way(&t, &p));
    p.bytes[p.len - 1] ^= 1;
    EXPECT(!goes_the_short_way(&t, &p));
}

TEST(recent_short_way_leaves_a_usual_syn_of_which_any_bit_is_wrong) /* [RFC9293 MUST-3] */
{
    static const uint8_t usual[] = {TCP_OPTION_MSS,
                                    4,
                                    5,
                                    180,
                                    TCP_OPTION_SACK_PERMITTED,
                                    2,
                                    TCP_OPTION_TIMESTAMPS,
                                    10,
                                    1,
                                    2,
                                    3,
                                    4,
                                    0,
                                    0,
                                    0,
                                    0,
                                    TCP_OPTION_NOP,
                                    TCP_OPTION_WINDOW_SCALE,
                                    3,
                                    7};
    enum { first_bit = 12 * 8 }; /* of the addresses */
    static struct packet p;
    struct two t = two_of((struct world_setup){.seed = 1});
    struct packet_tcp syn = {
        .flags = TCP_SYN, .seq = 1, .options = usual, .options_len = sizeof usual};

    make_from(&t, 6000, &p, &syn);
    for (size_t bit = first_bit; bit < 8 * p.len; bit++) {
        p.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        EXPECT(!goes_the_short_way(&t, &p));
        p.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    EXPECT(goes_the_short_way(&t, &p));
    world_end(t.quick);
    world_end(t.full);
}

/* How many of two frames that come together are taken in. */
static size_t taken_of(struct two *t, const struct packet *a, const struct packet *b)
{
    struct weir *s = world_stack(t->quick, 0);
    struct weir_frame frames[2] = {
        {.slices = {{(uint8_t *)(uintptr_t)a->bytes, a->len}}, .slice_count = 1, .len = a->len},
        {.slices = {{(uint8_t *)(uintptr_t)b->bytes, b->len}}, .slice_count = 1, .len = b->len},
    };

    return recent_rx(s, netif_find(&s->ip, t->quick->stacks[0].netif), frames, 2);
}

TEST(recent_segments_take_along_what_goes_on_where_they_end)
{
    static const uint8_t text[] = "0123456789", more[] = "abcdefghij";
    static struct packet first, second, third;
    struct two t = two_of((struct world_setup){.seed = 1});
    struct packet_tcp tcp = {
        .flags = TCP_ACK, .seq = t.seq, .ack = t.ack, .window = 1000, .text = text, .len = 10};
    uint8_t got[64];

    make(&t, &first, &tcp);
    tcp.seq += 10;
    tcp.text = more;
    make(&t, &second, &tcp);
    tcp.seq += 10;
    make(&t, &third, &tcp);

    EXPECT_EQ(taken_of(&t, &first, &third), 1); /* there is a hole between them */
    EXPECT_EQ(taken_of(&t, &second, &third), 2);
    EXPECT_EQ(weir_recv(world_stack(t.quick, 0), t.conn[0], got, sizeof got), 30);
    EXPECT(memcmp(got, "0123456789abcdefghijabcdefghij", 30) == 0);
    world_end(t.quick);
    world_end(t.full);
}

TEST(recent_segments_leave_damaged_ones_behind)
{
    static struct packet first, second;
    struct two t = two_of((struct world_setup){.seed = 1});
    struct packet_tcp tcp = {.flags = TCP_ACK,
                             .seq = t.seq,
                             .ack = t.ack,
                             .window = 1000,
                             .text = (const uint8_t *)"0123456789",
                             .len = 10};

    make(&t, &first, &tcp);
    tcp.seq += 10;
    make(&t, &second, &tcp);
    second.bytes[second.len - 1] ^= 1;
    EXPECT_EQ(taken_of(&t, &first, &second), 1);
    first.bytes[first.len - 1] ^= 1;
    EXPECT_EQ(taken_of(&t, &first, &second), 0);
    world_end(t.quick);
    world_end(t.full);
}

TEST(recent_packets_are_not_ours_when_the_address_has_gone)
{
    struct two t = two_of((struct world_setup){.seed = 1});
    struct packet_ip ip = {.src = world_endpoint(t.quick, 3, 5000),
                           .dst = world_endpoint(t.quick, 0, WORLD_PORT)};

    for (int i = 0; i < 3; i++) /* until it is like the last one */
        send_byte(&t, &ip);
    EXPECT_EQ(world_dropped(t.quick, 0, "ip_not_ours"), 0);
    EXPECT_EQ(weir_addr_remove(world_stack(t.quick, 0), t.quick->stacks[0].netif, &ip.dst.addr),
              WEIR_OK);
    send_byte(&t, &ip);
    EXPECT_EQ(world_dropped(t.quick, 0, "ip_not_ours"), 1);
}

TEST(recent_packets_are_asked_for_the_least_ttl) /* [RFC5082 3] */
{
    struct two t = two_of((struct world_setup){.seed = 1});
    struct packet_ip ip = {.src = world_endpoint(t.quick, 3, 5000),
                           .dst = world_endpoint(t.quick, 0, WORLD_PORT),
                           .ttl = 254};

    for (int i = 0; i < 3; i++)
        send_byte(&t, &ip);
    EXPECT_EQ(weir_set(world_stack(t.quick, 0), t.conn[0], WEIR_OPT_MIN_TTL, 254), WEIR_OK);
    ip.ttl = 253;
    send_byte(&t, &ip);
    EXPECT_EQ(world_dropped(t.quick, 0, "tcp_min_ttl"), 1);
}
