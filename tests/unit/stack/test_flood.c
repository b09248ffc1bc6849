/*
 * test_flood.c - the short way of SYNs that cookies answer
 *
 * Two stacks get the same SYNs. Before each of them one is told something that advances IP's epoch, so
 * that it looks at all of them in full: the answers have to be the same, but for IPv4's identification.
 */
#include "base/be.h"
#include "lib/test.h"
#include "lib/world.h"
#include "stack/stack.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"
#include <string.h>

enum { PEER_ISN = 0x7ffffff0, OPTIONS_LEN = 20, IP_CHECKSUM_AT = 10 };

struct two {
    struct world *quick, *full;
    weir_listener_t listener[2];
    uint64_t state;
    int short_ways;
};

static struct world *world_of(const struct two *t, size_t i)
{
    return i == 0 ? t->quick : t->full;
}

static struct weir_addr v4(uint32_t number)
{
    return weir_addr_v4((uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                        (uint8_t)number);
}

static struct two two_of(enum weir_link link, uint32_t offloads)
{
    struct weir_config config = world_config();
    struct world_setup setup = {.config = &config, .link = link, .offloads = offloads};
    struct weir_prefix everywhere = {v4(0), 96};
    struct two t = {.state = test_seed()};

    config.tcp.syn_cookies = WEIR_SYN_COOKIES_ALWAYS;
    for (size_t i = 0; i < 2; i++) {
        struct world *w = world_make(&setup);
        struct weir_addr gateway = world_addr(w, 1);
        *(i == 0 ? &t.quick : &t.full) = w;
        t.listener[i] = world_listen(w, 0, WORLD_PORT, 8);
        EXPECT_EQ(weir_route_add(world_stack(w, 0), &everywhere, &gateway, w->stacks[0].netif),
                  WEIR_OK);
    }
    return t;
}

/* What a SYN says that others say, too. */
static void make_syn(struct two *t, struct packet *p, uint32_t from)
{
    uint8_t options[OPTIONS_LEN] = {TCP_OPTION_MSS,
                                    4,
                                    5,
                                    0xb4,
                                    TCP_OPTION_SACK_PERMITTED,
                                    2,
                                    TCP_OPTION_TIMESTAMPS,
                                    10,
                                    [16] = 1,
                                    TCP_OPTION_WINDOW_SCALE,
                                    3,
                                    7};
    struct packet_ip ip = {.src = {.addr = v4(from), .port = (uint16_t)test_random(&t->state)},
                           .dst = world_endpoint(t->quick, 0, WORLD_PORT)};
    struct packet_tcp syn = {.flags = TCP_SYN,
                             .seq = (uint32_t)test_random(&t->state),
                             .options = options,
                             .options_len = sizeof options};

    ip.src.port |= 1;
    options[2] = (uint8_t)test_random_below(&t->state, 7);
    options[11] = (uint8_t)test_random(&t->state);
    options[19] = (uint8_t)test_random_below(&t->state, 16);
    packet_make_tcp(p, &ip, &syn);
}

static void inject(struct two *t, const struct packet *p)
{
    EXPECT_EQ(weir_netif_set_mtu(world_stack(t->full, 0), t->full->stacks[0].netif, 1500), WEIR_OK);
    for (size_t i = 0; i < 2; i++) {
        world_forgets(world_of(t, i));
        world_injects(world_of(t, i), 0, p);
        world_run(world_of(t, i), WEIR_MS);
    }
}

/* Identification and checksum of IPv4 are not compared; the world has looked at the latter. */
static void blank(struct packet_view *view)
{
    if (!view->is_ip)
        return;
    memset(view->head + 4, 0, 2);
    memset(view->head + IP_CHECKSUM_AT, 0, 2);
}

static void compare(struct two *t)
{
    struct weir_stats a = world_stats(t->quick, 0), b = world_stats(t->full, 0);

    EXPECT_EQ(t->quick->log_count, t->full->log_count);
    for (size_t i = 0; i < t->quick->log_count; i++) {
        struct packet_view x = t->quick->log[i].view, y = t->full->log[i].view;
        t->short_ways += x.is_ip && memcmp(x.head + 4, y.head + 4, 2) != 0;
        blank(&x);
        blank(&y);
        EXPECT(memcmp(&x, &y, sizeof x) == 0);
    }
    EXPECT_EQ(a.tcp_cookies_sent, b.tcp_cookies_sent);
    EXPECT_EQ(a.tcp_segs_in, b.tcp_segs_in);
    EXPECT_EQ(a.tcp_segs_out, b.tcp_segs_out);
    EXPECT_EQ(a.frames_in, b.frames_in);
    EXPECT_EQ(a.bytes_in, b.bytes_in);
    for (size_t why = 0; why < WHY_COUNT; why++)
        EXPECT_EQ(weir_dropped(world_stack(t->quick, 0), why),
                  weir_dropped(world_stack(t->full, 0), why));
}

/* From anywhere, near and far; some have become something else. */
static uint32_t random_source(struct two *t)
{
    struct weir_addr ours = world_addr(t->quick, 0);
    uint32_t number = (uint32_t)test_random(&t->state);

    if (test_random_below(&t->state, 3) == 0)
        number = (be32_at(ours.b + 12) & ~UINT32_C(0x1ff)) + (number & 0x3ff);
    return number;
}

static void spoil(struct two *t, struct packet *p)
{
    if (test_random_below(&t->state, 4) == 0)
        p->bytes[test_random_below(&t->state, 60)] ^=
            (uint8_t)(1 << test_random_below(&t->state, 8));
    if (test_random_below(&t->state, 8) == 0)
        p->len += test_random_below(&t->state, 4); /* as the link pads */
    else if (test_random_below(&t->state, 16) == 0)
        p->len -= test_random_below(&t->state, 30);
}

static void flood(struct two *t)
{
    static struct packet p;

    for (int i = 0; i < 1500; i++) {
        make_syn(t, &p, random_source(t));
        spoil(t, &p);
        inject(t, &p);
        compare(t);
    }
    EXPECT(world_stats(t->quick, 0).tcp_cookies_sent > 500);
    EXPECT(t->short_ways > 400);
}

TEST(flood_of_syns_is_answered_as_each_of_them_would_be)
{
    for (int i = 0; i < 4; i++) {
        struct two t =
            two_of(i % 2 == 0 ? WEIR_LINK_IP : WEIR_LINK_ETHERNET, i < 2 ? 0 : WEIR_OFFLOAD_CSUM);
        flood(&t);
        world_end(t.quick);
        world_end(t.full);
    }
}

/* ---- what may have changed since the last SYN ---- */

/* The answer to a SYN from anywhere; all it did was short if nothing has changed. */
static struct packet_view answer_of(struct two *t)
{
    static struct packet p;
    const struct world_seen *seen;

    make_syn(t, &p, UINT32_C(0x08080000) + test_random_below(&t->state, 1 << 16));
    inject(t, &p);
    compare(t);
    seen = world_last(t->quick, 0);
    EXPECT(seen != NULL);
    return seen->view;
}

TEST(flood_follows_the_options_of_its_listener)
{
    struct two t = two_of(WEIR_LINK_IP, 0);

    for (int i = 0; i < 3; i++)
        EXPECT_EQ(answer_of(&t).ttl, 64);
    for (size_t i = 0; i < 2; i++)
        EXPECT_EQ(weir_set(world_stack(world_of(&t, i), 0), t.listener[i], WEIR_OPT_TTL, 9),
                  WEIR_OK);
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(answer_of(&t).ttl, 9);
    for (size_t i = 0; i < 2; i++)
        EXPECT_EQ(weir_set(world_stack(world_of(&t, i), 0), t.listener[i], WEIR_OPT_MIN_TTL, 65),
                  WEIR_OK);
    {
        static struct packet p;
        make_syn(&t, &p, UINT32_C(0x08080808));
        inject(&t, &p);
        compare(&t);
        EXPECT_EQ(world_dropped(t.quick, 0, "tcp_min_ttl"), 1);
    }
}

TEST(flood_ends_with_its_listener)
{
    struct two t = two_of(WEIR_LINK_IP, 0);

    for (int i = 0; i < 3; i++)
        EXPECT_EQ(answer_of(&t).flags, TCP_SYN | TCP_ACK);
    for (size_t i = 0; i < 2; i++)
        EXPECT_EQ(weir_close(world_stack(world_of(&t, i), 0), t.listener[i]), WEIR_OK);
    EXPECT_EQ(answer_of(&t).flags, TCP_RST | TCP_ACK);
}

TEST(flood_follows_what_new_connections_are_like)
{
    struct two t = two_of(WEIR_LINK_IP, 0);
    struct weir_tcp_config config = *weir_tcp_config(world_stack(t.quick, 0));

    for (int i = 0; i < 3; i++)
        EXPECT_EQ(answer_of(&t).header_len, FLOOD_SYNACK_LEN);
    config.timestamps = false;
    for (size_t i = 0; i < 2; i++)
        EXPECT_EQ(weir_tcp_configure(world_stack(world_of(&t, i), 0), &config), WEIR_OK);
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(answer_of(&t).options_present, TCP_HAS_MSS); /* all that a cookie holds then */
}

TEST(flood_ends_with_its_interface)
{
    struct two t = two_of(WEIR_LINK_ETHERNET, 0);
    static struct packet p;
    struct weir *s = world_stack(t.quick, 0);

    for (int i = 0; i < 3; i++) {
        make_syn(&t, &p, UINT32_C(0x08080000) + (uint32_t)i);
        inject(&t, &p);
    }
    EXPECT(s->flood.netif != NULL);
    EXPECT_EQ(weir_netif_remove(s, t.quick->stacks[0].netif), WEIR_OK);
    EXPECT(s->flood.netif == NULL);
}

/* The cookie comes back, and is good. */
TEST(flood_has_connections_among_its_syns)
{
    static struct packet p;
    struct two t = two_of(WEIR_LINK_IP, 0);

    for (int i = 0; i < 5; i++) {
        struct packet_view view = answer_of(&t);
        uint8_t stamps[12] = {1, 1, TCP_OPTION_TIMESTAMPS, 10, 0, 0, 0, 9};
        be32_t echo = be32_of(view.ts_val);
        struct packet_ip ip = {.src = view.dst, .dst = view.src};
        struct packet_tcp ack = {.flags = TCP_ACK,
                                 .seq = view.ack,
                                 .ack = view.seq + 1,
                                 .options = stamps,
                                 .options_len = sizeof stamps};
        memcpy(stamps + 8, &echo, sizeof echo);
        packet_make_tcp(&p, &ip, &ack);
        inject(&t, &p);
        compare(&t);
        EXPECT_EQ(world_stats(t.quick, 0).tcp_cookies_taken, i + 1);
    }
}
