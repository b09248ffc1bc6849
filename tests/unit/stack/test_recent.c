/*
 * test_recent.c - the short way of packets that are like the last of their flow
 *
 * Two stacks get the same packets. Before each of them one is told something that advances IP's epoch,
 * so that it looks at all of them in full: what becomes of them has to be the same.
 */
#include "base/why.h"
#include "lib/test.h"
#include "lib/world.h"
#include "stack/stack.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"
#include <string.h>

enum { ISN = 0x7ffffffe, PEER_ISN = 0x7ffffff0, TEXT_MAX = 400 };

struct two {
    struct world *quick, *full;
    weir_conn_t conn[2];
    uint32_t seq, ack; /* what comes next of the peer's */
    uint64_t state;
};

static struct world *world_of(const struct two *t, size_t i)
{
    return i == 0 ? t->quick : t->full;
}

static void look_in_full(struct world *w)
{
    EXPECT_EQ(weir_netif_set_mtu(world_stack(w, 0), w->stacks[0].netif, 1500), WEIR_OK);
}

static void inject(struct two *t, const struct packet *p)
{
    look_in_full(t->full);
    world_injects(t->quick, 0, p);
    world_injects(t->full, 0, p);
}

static void make(const struct two *t, struct packet *p, const struct packet_tcp *tcp)
{
    struct packet_ip ip = {.src = world_endpoint(t->quick, 3, 5000),
                           .dst = world_endpoint(t->quick, 0, WORLD_PORT)};

    packet_make_tcp(p, &ip, tcp);
}

static struct two two_of(struct world_setup setup)
{
    static struct packet p;
    struct two t = {.seq = PEER_ISN, .state = test_seed()};
    struct packet_tcp syn = {.flags = TCP_SYN, .seq = PEER_ISN};
    struct packet_tcp ack = {.flags = TCP_ACK, .seq = PEER_ISN + 1u, .ack = ISN + 1u};
    weir_listener_t listener[2];

    t.quick = world_make(&setup);
    t.full = world_make(&setup);
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

static uint32_t below(struct two *t, uint32_t bound)
{
    return test_random_below(&t->state, bound);
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

static bool has_noted(const struct weir *s)
{
    for (size_t i = 0; i < RECENT_FLOWS; i++)
        if (s->recent[i].netif != NULL && s->recent[i].epoch == s->ip.epoch)
            return true;
    return false;
}

static void talk(struct world_setup setup)
{
    static struct packet p;
    struct two t = two_of(setup);
    struct packet_tcp tcp = {.flags = TCP_ACK, .seq = t.seq, .ack = t.ack};

    make(&t, &p, &tcp);
    inject(&t, &p);
    EXPECT(has_noted(world_stack(t.quick, 0)));
    look_in_full(t.full);
    EXPECT(!has_noted(world_stack(t.full, 0)));
    for (int i = 0; i < 3000 && world_state(t.quick, 0, t.conn[0]) == WEIR_TCP_ESTABLISHED; i++) {
        if (below(&t, 4) == 0)
            write_and_read(&t);
        else
            send_something(&t);
        compare(&t);
    }
    world_end(t.quick);
    world_end(t.full);
}

TEST(recent_flows_get_what_all_flows_get)
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

/* ---- what may have changed since the last packet ---- */

static void send_byte(struct two *t, const struct packet_ip *ip)
{
    static struct packet p;
    struct packet_tcp tcp = {
        .flags = TCP_ACK, .seq = t->seq, .ack = t->ack, .text = (const uint8_t *)"x", .len = 1};

    packet_make_tcp(&p, ip, &tcp);
    world_injects(t->quick, 0, &p);
}

TEST(recent_flows_are_asked_anew_when_addresses_change)
{
    struct two t = two_of((struct world_setup){.seed = 1});
    struct packet_ip ip = {.src = world_endpoint(t.quick, 3, 5000),
                           .dst = world_endpoint(t.quick, 0, WORLD_PORT)};

    send_byte(&t, &ip);
    EXPECT(has_noted(world_stack(t.quick, 0)));
    EXPECT_EQ(weir_addr_remove(world_stack(t.quick, 0), t.quick->stacks[0].netif, &ip.dst.addr),
              WEIR_OK);
    send_byte(&t, &ip);
    EXPECT_EQ(world_dropped(t.quick, 0, "ip_not_ours"), 1);
}

TEST(recent_flows_are_still_asked_for_the_least_ttl) /* [RFC5082 3] */
{
    struct two t = two_of((struct world_setup){.seed = 1});
    struct packet_ip ip = {.src = world_endpoint(t.quick, 3, 5000),
                           .dst = world_endpoint(t.quick, 0, WORLD_PORT),
                           .ttl = 254};

    send_byte(&t, &ip);
    EXPECT_EQ(weir_set(world_stack(t.quick, 0), t.conn[0], WEIR_OPT_MIN_TTL, 254), WEIR_OK);
    ip.ttl = 253;
    send_byte(&t, &ip);
    EXPECT_EQ(world_dropped(t.quick, 0, "tcp_min_ttl"), 1);
}
