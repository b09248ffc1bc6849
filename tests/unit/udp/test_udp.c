/*
 * test_udp.c - endpoints: who hears what, queues, ports, datagrams in and out
 */
#include "unit/udp/store.h"

#include <stdlib.h>
#include <string.h>
#include <weir/err.h>

struct fixture {
    struct store *store;
    struct udp udp;
};

static struct fixture *setup(void)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct udp_setup s;

    EXPECT(f != NULL);
    f->store = store_new();
    s = store_setup(f->store);
    EXPECT(udp_init(&f->udp, &s));
    return f;
}

static void teardown(struct fixture *f)
{
    udp_fini(&f->udp);
    store_free(&f->store);
    free(f);
}

static int open_at(struct fixture *f, const char *local, const char *remote,
                   struct udp_endpoint **e)
{
    struct weir_endpoint l = endpoint(local), r;

    if (remote != NULL)
        r = endpoint(remote);
    return udp_open(&f->udp, &l, remote != NULL ? &r : NULL, (struct udp_rules){0}, e);
}

static struct udp_endpoint *must_open(struct fixture *f, const char *local, const char *remote)
{
    struct udp_endpoint *e = NULL;

    EXPECT_EQ(open_at(f, local, remote, &e), WEIR_OK);
    return e;
}

static struct udp_endpoint *find(struct fixture *f, const char *local, const char *remote)
{
    struct weir_endpoint l = endpoint(local), r = endpoint(remote);

    return udp_find(&f->udp, &l, &r);
}

/* A datagram made by one end, as transport bytes of the other. */
static struct weir_slice datagram(struct fixture *f, const char *from, const char *to, size_t len)
{
    struct udp_send send = {
        .from = endpoint(from), .to = endpoint(to), .bytes = pattern(len), .len = len};
    struct frame *frame;

    EXPECT_EQ(udp_output(&f->udp, &send, &frame), WEIR_OK);
    return flatten(f->store, &frame);
}

static enum why take(struct udp_arrival *a, const char *from, const char *to,
                     struct weir_slice bytes)
{
    *a = (struct udp_arrival){.from = endpoint(from), .to = endpoint(to)};
    a->from.port = 0;
    a->to.port = 0;
    return udp_take_header(a, &bytes, 1, false);
}

TEST(udp_datagram_goes_out_and_comes_in) /* [RFC768] */
{
    static const size_t lens[] = {0, 1, 63, 64, 65, 1000, 1001, 16384, 40001, 65507};
    static const char *const ends[2][2] = {{"10.0.0.1:1000", "10.0.0.2:2000"},
                                           {"[2001:db8::1]:1000", "[2001:db8::2]:2000"}};
    struct fixture *f = setup();
    static uint8_t bytes[70000];

    for (size_t family = 0; family < 2; family++) {
        struct udp_endpoint *e = must_open(f, ends[family][1], NULL);

        for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
            struct weir_endpoint from, to;
            struct udp_arrival a;
            struct weir_slice s = datagram(f, ends[family][0], ends[family][1], lens[i]);

            EXPECT_EQ(s.len, lens[i] + 8);
            EXPECT_EQ(take(&a, ends[family][0], ends[family][1], s), WHY_NONE);
            EXPECT_EQ(a.from.port, 1000);
            EXPECT_EQ(a.to.port, 2000);
            EXPECT_EQ(a.len, lens[i]);
            EXPECT(udp_find(&f->udp, &a.to, &a.from) == e);
            EXPECT_EQ(udp_input(&f->udp, e, &a), WHY_NONE);
            EXPECT(udp_is_readable(e));
            EXPECT_EQ(udp_recv(&f->udp, e, bytes, sizeof bytes, &from, &to), (ptrdiff_t)lens[i]);
            EXPECT_MEM(bytes, pattern(lens[i]), lens[i]);
            EXPECT_EQ(from.port, 1000);
            EXPECT_EQ(to.port, 2000);
            EXPECT_EQ(e->queue_bytes, 0);
        }
    }
    teardown(f);
}

TEST(udp_datagram_in_slices)
{
    struct fixture *f = setup();
    struct weir_slice s = datagram(f, "10.0.0.1:1000", "10.0.0.2:2000", 333);
    struct weir_slice parts[] = {{s.bytes, 8}, {s.bytes + 8, 101}, {s.bytes + 109, 232}};
    struct udp_endpoint *e = must_open(f, "0.0.0.0:2000", NULL);
    struct udp_arrival a = {.from = endpoint("10.0.0.1:0"), .to = endpoint("10.0.0.2:0")};
    uint8_t bytes[400];

    EXPECT_EQ(udp_take_header(&a, parts, 3, false), WHY_NONE);
    EXPECT_EQ(udp_input(&f->udp, e, &a), WHY_NONE);
    EXPECT_EQ(udp_recv(&f->udp, e, bytes, sizeof bytes, NULL, NULL), 333);
    EXPECT_MEM(bytes, pattern(333), 333);
    parts[2].bytes[5] ^= 1;
    EXPECT_EQ(udp_take_header(&a, parts, 3, false), WHY_UDP_CHECKSUM);
    EXPECT_EQ(udp_take_header(&a, parts, 3, true), WHY_NONE);
    teardown(f);
}

TEST(udp_too_long_is_refused)
{
    struct fixture *f = setup();
    struct udp_send send = {.from = endpoint("10.0.0.1:1"), .to = endpoint("10.0.0.2:2")};
    struct frame *frame = NULL;

    send.bytes = pattern(65528);
    send.len = 65508;
    EXPECT_EQ(udp_output(&f->udp, &send, &frame), WEIR_EMSGSIZE);
    send.from = endpoint("[2001:db8::1]:1");
    send.to = endpoint("[2001:db8::2]:2");
    send.len = 65528;
    EXPECT_EQ(udp_output(&f->udp, &send, &frame), WEIR_EMSGSIZE);
    EXPECT(frame == NULL);
    teardown(f);
}

TEST(udp_length_and_checksum_are_checked) /* [RFC768] [RFC8200 8.1] */
{
    struct fixture *f = setup();
    struct udp_arrival a;
    struct weir_slice s = datagram(f, "10.0.0.1:1000", "10.0.0.2:2000", 20);

    for (size_t len = 0; len < s.len; len++)
        EXPECT_EQ(take(&a, "10.0.0.1:0", "10.0.0.2:0", (struct weir_slice){s.bytes, len}),
                  WHY_UDP_MALFORMED);
    s.bytes[10] ^= 4;
    EXPECT_EQ(take(&a, "10.0.0.1:0", "10.0.0.2:0", s), WHY_UDP_CHECKSUM);
    /* None at all is fine in IPv4 alone. */
    s.bytes[6] = s.bytes[7] = 0;
    EXPECT_EQ(take(&a, "10.0.0.1:0", "10.0.0.2:0", s), WHY_NONE);
    EXPECT_EQ(take(&a, "[2001:db8::1]:0", "[2001:db8::2]:0", s), WHY_UDP_CHECKSUM);
    teardown(f);
}

TEST(udp_bytes_behind_the_datagram_are_not_its_own)
{
    struct fixture *f = setup();
    struct udp_arrival a;
    struct weir_slice s = datagram(f, "10.0.0.1:1000", "10.0.0.2:2000", 20);

    s.len += 13;
    EXPECT_EQ(take(&a, "10.0.0.1:0", "10.0.0.2:0", s), WHY_NONE);
    EXPECT_EQ(a.len, 20);
    EXPECT_EQ(a.slices[0].len, 20);
    teardown(f);
}

TEST(udp_the_best_fitting_endpoint_hears)
{
    struct fixture *f = setup();
    struct udp_endpoint *all = must_open(f, "[::]:53", NULL);
    struct udp_endpoint *pair, *one;

    EXPECT(find(f, "10.0.0.1:53", "10.0.0.9:1234") == all);
    EXPECT(find(f, "[2001:db8::1]:53", "[2001:db8::9]:1234") == all);
    EXPECT(find(f, "10.0.0.1:54", "10.0.0.9:1234") == NULL);

    pair = must_open(f, "10.0.0.1:53", "10.0.0.9:1234");
    EXPECT(find(f, "10.0.0.1:53", "10.0.0.9:1234") == pair);
    EXPECT(find(f, "10.0.0.1:53", "10.0.0.9:1235") == all);
    udp_close(&f->udp, &all);
    EXPECT(all == NULL);
    EXPECT(find(f, "10.0.0.1:53", "10.0.0.9:1235") == NULL);

    one = must_open(f, "10.0.0.1:53", NULL);
    all = must_open(f, "10.0.0.2:53", NULL);
    EXPECT(find(f, "10.0.0.1:53", "10.0.0.9:9") == one);
    EXPECT(find(f, "10.0.0.2:53", "10.0.0.9:9") == all);
    EXPECT(find(f, "10.0.0.3:53", "10.0.0.9:9") == NULL);
    teardown(f);
}

TEST(udp_addresses_in_use)
{
    static const struct {
        const char *first, *second;
        bool conflict;
    } rows[] = {
        {"[::]:53", "[::]:53", true},
        {"[::]:53", "0.0.0.0:53", true},
        {"0.0.0.0:53", "10.0.0.1:53", true},
        {"10.0.0.1:53", "0.0.0.0:53", true},
        {"10.0.0.1:53", "10.0.0.1:53", true},
        {"10.0.0.1:53", "10.0.0.2:53", false},
        {"0.0.0.0:53", "[2001:db8::1]:53", false},
        {"[::]:53", "[2001:db8::1]:53", true},
        {"[::]:53", "[::]:54", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *f = setup();
        struct udp_endpoint *second = NULL;

        must_open(f, rows[i].first, NULL);
        EXPECT_EQ(open_at(f, rows[i].second, NULL, &second),
                  rows[i].conflict ? WEIR_EADDRINUSE : WEIR_OK);
        teardown(f);
    }
}

TEST(udp_link_local_addresses_of_two_links)
{
    struct fixture *f = setup();
    struct weir_endpoint local = endpoint("[fe80::1]:53"), remote = endpoint("[fe80::2]:1");
    struct udp_endpoint *a, *b;

    local.netif = 1;
    EXPECT_EQ(udp_open(&f->udp, &local, NULL, (struct udp_rules){0}, &a), WEIR_OK);
    EXPECT_EQ(udp_open(&f->udp, &local, NULL, (struct udp_rules){0}, &b), WEIR_EADDRINUSE);
    local.netif = 2;
    EXPECT_EQ(udp_open(&f->udp, &local, NULL, (struct udp_rules){0}, &b), WEIR_OK);
    EXPECT(udp_find(&f->udp, &local, &remote) == b);
    local.netif = 1;
    EXPECT(udp_find(&f->udp, &local, &remote) == a);
    local.netif = 3;
    EXPECT(udp_find(&f->udp, &local, &remote) == NULL);
    teardown(f);
}

TEST(udp_arguments_are_checked)
{
    struct fixture *f = setup();
    struct udp_endpoint *e;

    EXPECT_EQ(open_at(f, "0.0.0.0:1", "10.0.0.1:2", &e), WEIR_EINVAL);
    EXPECT_EQ(open_at(f, "10.0.0.1:1", "10.0.0.2:0", &e), WEIR_EINVAL);
    EXPECT_EQ(open_at(f, "10.0.0.1:1", "0.0.0.0:1", &e), WEIR_EINVAL);
    EXPECT_EQ(open_at(f, "10.0.0.1:1", "[2001:db8::1]:1", &e), WEIR_EINVAL);
    teardown(f);
}

TEST(udp_ports_are_chosen_until_there_are_none) /* [RFC6056 3.3.3] */
{
    struct fixture *f = setup();
    bool seen[100] = {false};
    struct udp_endpoint *e;

    for (int i = 0; i < 100; i++) {
        e = must_open(f, "10.0.0.1:0", NULL);
        EXPECT(e->local.port >= 40000 && e->local.port <= 40099);
        EXPECT(!seen[e->local.port - 40000]);
        seen[e->local.port - 40000] = true;
    }
    EXPECT_EQ(open_at(f, "10.0.0.1:0", NULL, &e), WEIR_EADDRNOTAVAIL);
    /* A connected one would hear what is meant for the others. */
    EXPECT_EQ(open_at(f, "10.0.0.1:0", "10.0.0.2:53", &e), WEIR_EADDRNOTAVAIL);
    /* Another address has ports of its own. */
    EXPECT_EQ(open_at(f, "10.0.0.2:0", NULL, &e), WEIR_OK);
    EXPECT_EQ(open_at(f, "10.0.0.3:0", "10.0.0.9:53", &e), WEIR_OK);
    teardown(f);
}

TEST(udp_ports_depend_on_the_secret_and_the_peer)
{
    struct fixture *f = setup(), *g = setup();
    struct udp_endpoint *a, *b;
    struct udp_setup s;
    int same = 0;

    g->store->config.secret[0] ^= 1;
    udp_fini(&g->udp);
    s = store_setup(g->store);
    EXPECT(udp_init(&g->udp, &s));
    for (unsigned i = 0; i < 10; i++) {
        char remote[] = "10.0.0.2:50";

        remote[10] = (char)('0' + i);
        a = must_open(f, "10.0.0.1:0", remote);
        b = must_open(g, "10.0.0.1:0", remote);
        same += a->local.port == b->local.port;
    }
    EXPECT(same < 4);
    teardown(f);
    teardown(g);
}

TEST(udp_queue_is_bounded_by_what_it_costs)
{
    struct fixture *f = setup();
    struct udp_endpoint *e = must_open(f, "10.0.0.2:2000", NULL);
    struct udp_arrival a;
    enum why why = WHY_NONE;
    int queued = 0;

    e->recv_buffer_bytes = 10000;
    EXPECT_EQ(take(&a, "10.0.0.1:0", "10.0.0.2:0", datagram(f, "10.0.0.1:1", "10.0.0.2:2000", 1)),
              WHY_NONE);
    while (queued < 2000 && (why = udp_input(&f->udp, e, &a)) == WHY_NONE)
        queued++;
    EXPECT_EQ(why, WHY_UDP_QUEUE);
    EXPECT(queued >= 10 && queued <= 60); /* a byte costs a small buffer */
    e->recv_buffer_bytes = UINT32_MAX;
    while (queued < 2000 && (why = udp_input(&f->udp, e, &a)) == WHY_NONE)
        queued++;
    EXPECT_EQ(why, WHY_UDP_QUEUE);
    EXPECT_EQ(queued, UDP_QUEUE_COUNT);
    teardown(f);
}

TEST(udp_short_buffer_gets_the_beginning)
{
    struct fixture *f = setup();
    struct udp_endpoint *e = must_open(f, "10.0.0.2:2000", NULL);
    struct udp_arrival a;
    uint8_t bytes[20000];

    memset(bytes, 0xee, sizeof bytes);
    EXPECT_EQ(
        take(&a, "10.0.0.1:0", "10.0.0.2:0", datagram(f, "10.0.0.1:1", "10.0.0.2:2000", 20000)),
        WHY_NONE);
    EXPECT_EQ(udp_input(&f->udp, e, &a), WHY_NONE);
    EXPECT_EQ(udp_recv(&f->udp, e, bytes, 17000, NULL, NULL), 20000);
    EXPECT_MEM(bytes, pattern(17000), 17000);
    EXPECT_EQ(bytes[17000], 0xee);
    EXPECT_EQ(udp_recv(&f->udp, e, bytes, 10, NULL, NULL), WEIR_EAGAIN);
    teardown(f);
}

TEST(udp_error_is_told_once_and_first)
{
    struct fixture *f = setup();
    struct udp_endpoint *e = must_open(f, "10.0.0.2:2000", "10.0.0.1:1");
    struct udp_arrival a;
    uint8_t byte;

    EXPECT_EQ(take(&a, "10.0.0.1:0", "10.0.0.2:0", datagram(f, "10.0.0.1:1", "10.0.0.2:2000", 1)),
              WHY_NONE);
    EXPECT_EQ(udp_input(&f->udp, e, &a), WHY_NONE);
    udp_on_error(e, WEIR_ECONNREFUSED);
    EXPECT_EQ(udp_recv(&f->udp, e, &byte, 1, NULL, NULL), WEIR_ECONNREFUSED);
    EXPECT_EQ(udp_recv(&f->udp, e, &byte, 1, NULL, NULL), 1);
    EXPECT(!udp_is_readable(e));
    teardown(f);
}

TEST(udp_handles_of_closed_endpoints_find_nothing)
{
    struct fixture *f = setup();
    struct udp_endpoint *e = must_open(f, "10.0.0.2:2000", NULL), *other;
    uint64_t handle = udp_handle(&f->udp, e);

    EXPECT(udp_endpoint_of(&f->udp, handle) == e);
    udp_close(&f->udp, &e);
    EXPECT(udp_endpoint_of(&f->udp, handle) == NULL);
    other = must_open(f, "10.0.0.2:2000", NULL);
    EXPECT(udp_endpoint_of(&f->udp, handle) == NULL);
    EXPECT(udp_handle(&f->udp, other) != handle);
    teardown(f);
}

TEST(udp_out_of_memory_costs_a_datagram)
{
    uint64_t calls = 0;

    for (uint64_t fail_at = 0; fail_at <= calls; fail_at++) {
        struct fixture *f = setup();
        struct udp_endpoint *e = NULL;
        struct udp_send send = {.from = endpoint("10.0.0.1:1000"),
                                .to = endpoint("10.0.0.2:2000"),
                                .bytes = pattern(60000),
                                .len = 60000};
        struct frame *frame = NULL;
        struct udp_arrival a;
        uint64_t before = f->store->alloc.calls;

        f->store->alloc.fail_at = fail_at == 0 ? 0 : before + fail_at;
        (void)open_at(f, "10.0.0.2:2000", NULL, &e);
        if (udp_output(&f->udp, &send, &frame) == WEIR_OK) {
            EXPECT_EQ(take(&a, "10.0.0.1:0", "10.0.0.2:0", flatten(f->store, &frame)), WHY_NONE);
            if (e != NULL)
                (void)udp_input(&f->udp, e, &a);
        }
        EXPECT(frame == NULL);
        if (fail_at == 0)
            calls = f->store->alloc.calls - before;
        teardown(f);
    }
    EXPECT(calls > 5);
}

TEST(udp_endpoints_share_a_port_if_all_say_so)
{
    enum { PEERS = 100 };
    struct fixture *f = setup();
    const struct udp_rules shares = {.shares_port = true}, alone = {.shares_port = false};
    struct weir_endpoint local = endpoint("198.18.0.1:53"), remote = endpoint("198.18.0.2:1");
    struct udp_endpoint *e[3], *other, *had[PEERS];
    int got[3] = {0, 0, 0};

    for (int i = 0; i < 3; i++)
        EXPECT_EQ(udp_open(&f->udp, &local, NULL, shares, &e[i]), WEIR_OK);
    EXPECT_EQ(udp_open(&f->udp, &local, NULL, alone, &other), WEIR_EADDRINUSE);
    for (int peer = 0; peer < PEERS; peer++) {
        remote.port = (uint16_t)(1000 + peer);
        had[peer] = udp_find(&f->udp, &local, &remote);
        EXPECT(udp_find(&f->udp, &local, &remote) == had[peer]);
        for (int i = 0; i < 3; i++)
            got[i] += had[peer] == e[i];
    }
    EXPECT(got[0] > PEERS / 6 && got[1] > PEERS / 6 && got[2] > PEERS / 6);

    /* Only the peers of one that is gone go elsewhere. */
    other = e[1];
    udp_close(&f->udp, &e[1]);
    for (int peer = 0; peer < PEERS; peer++) {
        remote.port = (uint16_t)(1000 + peer);
        EXPECT(had[peer] == other || udp_find(&f->udp, &local, &remote) == had[peer]);
    }
    teardown(f);
}
