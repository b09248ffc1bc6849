/*
 * test_memory.c - running out of memory, at every place where it can happen
 *
 * One scenario, in which everything happens that takes memory, is run with the first, the
 * second, the third ... allocation failing: what is lost is one connection or one packet,
 * nothing leaks, and the stack works afterwards.
 */
#include "lib/test.h"
#include "lib/world.h"
#include "wire/tcp.h"
#include <stdlib.h>
#include <string.h>

struct scenario {
    struct world *w;
    weir_listener_t listener;
    weir_conn_t a, b;
    weir_udp_t udp[2];
    weir_ping_t ping;
    size_t lent;
};

static bool is_ok(int err)
{
    EXPECT(err == WEIR_OK || err == WEIR_ENOMEM);
    return err == WEIR_OK;
}

static void come_back(void *owner)
{
    struct scenario *x = owner;

    x->lent--;
}

static void serve(struct world *w, void *ctx)
{
    struct scenario *x = ctx;

    if (x->listener != 0 && x->b == 0
        && weir_accept(world_stack(w, 1), x->listener, &x->b) != WEIR_OK)
        x->b = 0;
    if (x->b != 0 && w->stacks[1].sent < 20000)
        world_offers(w, 1, x->b, 20000 - (size_t)w->stacks[1].sent);
}

static void open_all(struct scenario *x)
{
    struct weir_endpoint local = {.port = WORLD_PORT}, any = {.port = 53};
    struct weir_endpoint to = world_endpoint(x->w, 1, WORLD_PORT);
    struct weir_addr peer = world_addr(x->w, 1);

    if (!is_ok(weir_listen(world_stack(x->w, 1), &local, 5, &x->listener)))
        x->listener = 0;
    for (size_t i = 0; i < 2; i++)
        if (!is_ok(weir_udp_open(world_stack(x->w, i), &any, NULL, &x->udp[i])))
            x->udp[i] = 0;
    if (!is_ok(weir_ping_open(world_stack(x->w, 0), &peer, &x->ping)))
        x->ping = 0;
    if (!is_ok(weir_connect(world_stack(x->w, 0), NULL, &to, &x->a)))
        x->a = 0;
}

static void send_all(struct scenario *x)
{
    static uint8_t bytes[30000], stream[40000];
    struct weir_endpoint to = world_endpoint(x->w, 1, 53);
    struct weir_slice slice = {stream, sizeof stream};
    struct weir *s = world_stack(x->w, 0);

    if (x->udp[0] != 0)
        (void)weir_udp_send(s, x->udp[0], &to, bytes, sizeof bytes);
    if (x->ping != 0)
        (void)weir_ping_send(s, x->ping, 1, bytes, 5000);
    if (x->a == 0)
        return;
    world_offers(x->w, 0, x->a, 20000);
    for (size_t i = 0; i < sizeof stream; i++)
        stream[i] = world_byte(0, x->w->stacks[0].sent + i);
    x->lent++;
    if (weir_send_lent(s, x->a, slice, 0, come_back, x) == (ptrdiff_t)sizeof stream)
        x->w->stacks[0].sent += sizeof stream;
    else
        x->lent--;
}

static void close_one(struct scenario *x, size_t i, weir_handle_t handle)
{
    if (handle != 0)
        EXPECT_EQ(weir_close(world_stack(x->w, i), handle), WEIR_OK);
}

static void close_all(struct scenario *x)
{
    static uint8_t bytes[30000];

    if (x->b != 0)
        (void)world_reads(x->w, 1, x->b);
    if (x->a != 0)
        (void)world_reads(x->w, 0, x->a);
    if (x->udp[1] != 0)
        (void)weir_udp_recv(world_stack(x->w, 1), x->udp[1], bytes, sizeof bytes, NULL, NULL);
    if (x->ping != 0)
        (void)weir_ping_recv(world_stack(x->w, 0), x->ping, bytes, sizeof bytes, NULL);
    close_one(x, 0, x->a);
    world_run(x->w, 100 * WEIR_MS);
    x->w->app = NULL;
    close_one(x, 1, x->b);
    close_one(x, 1, x->listener);
    close_one(x, 0, x->udp[0]);
    close_one(x, 1, x->udp[1]);
    close_one(x, 0, x->ping);
}

static void run(struct world *w)
{
    struct scenario x = {.w = w};

    w->stacks[0].sent = w->stacks[0].read = w->stacks[1].sent = w->stacks[1].read = 0;
    w->app = serve;
    w->ctx = &x;
    memset(w->drops, 0, sizeof w->drops);
    open_all(&x);
    world_drops(w, (struct world_drop){.from = 0,
                                       .flags_mask = TCP_ACK,
                                       .flags = TCP_ACK,
                                       .text_min = 100,
                                       .nth = 3,
                                       .count = 1});
    send_all(&x);
    world_run(w, 3 * WEIR_S);
    close_all(&x);
    w->app = NULL;
    w->stacks[0].alloc.fail_at = w->stacks[1].alloc.fail_at = 0;
    world_run(w, 1200 * WEIR_S);
    world_expects_nothing_left(w, 0);
    world_expects_nothing_left(w, 1);
    EXPECT_EQ(world_stats(w, 0).timewaits + world_stats(w, 1).timewaits, 0);
    EXPECT_EQ(x.lent, 0);
}

/* Nothing of what went wrong is left. */
static void expect_works(struct world *w)
{
    memset(w->drops, 0, sizeof w->drops);
    w->stacks[0].sent = w->stacks[0].read = w->stacks[1].sent = w->stacks[1].read = 0;
    struct world_pair p = world_connect(w);
    world_sends(w, 0, p.a, 50000);
    world_run(w, 1 * WEIR_S);
    EXPECT_EQ(world_reads(w, 1, p.b), WEIR_EAGAIN);
    EXPECT_EQ(w->stacks[1].read, 50000);
}

static const struct world_setup setups[] = {
    {.seed = 1},
    {.is_v6 = true, .lends_frames = true},
    {.link = WEIR_LINK_ETHERNET, .slice_bytes = 700},
    {.link = WEIR_LINK_ETHERNET, .is_v6 = true, .offloads = 7, .lends_frames = true},
};

static struct weir_config small_slabs(void)
{
    struct weir_config config = world_config();

    config.slab_bytes = 8192;
    config.buffer_medium = 1024;
    config.buffer_large = 4096;
    return config;
}

/* Returns whether the allocation was reached. */
static bool fails_at(const struct world_setup *setup, size_t stack, uint64_t n, bool from_then)
{
    struct weir_config config = small_slabs();
    struct world_setup s = *setup;
    struct world *w;
    struct failing_alloc *alloc;
    bool was_reached;

    s.config = &config;
    w = world_make(&s);
    alloc = &w->stacks[stack].alloc;
    alloc->fail_at = alloc->calls + n;
    alloc->fails_from_then = from_then;
    n = alloc->fail_at;
    run(w);
    was_reached = alloc->calls >= n;
    alloc->fails_from_then = false;
    expect_works(w);
    world_end(w);
    return was_reached;
}

TEST(memory_that_is_missing_once_costs_a_packet_or_a_connection)
{
    for (size_t i = 0; i < sizeof setups / sizeof setups[0]; i++)
        for (size_t stack = 0; stack < 2; stack++)
            for (uint64_t n = 1; fails_at(&setups[i], stack, n, false); n++)
                if (n > 1000)
                    FAIL("allocations without an end");
}

TEST(memory_that_is_missing_for_a_while_costs_no_more)
{
    for (size_t i = 0; i < sizeof setups / sizeof setups[0]; i++)
        for (size_t stack = 0; stack < 2; stack++)
            for (uint64_t n = 1; fails_at(&setups[i], stack, n, true); n++)
                if (n > 1000)
                    FAIL("allocations without an end");
}

/* ---- the beginning ---- */

static int begin(struct failing_alloc *alloc)
{
    struct weir_config config = small_slabs();
    struct weir_netif_config netif = {
        .link = WEIR_LINK_ETHERNET, .mtu = 1500, .mac = {2, 0, 0, 0, 0, 1}, .slaac = true};
    struct weir_prefix address = {weir_addr_v4(198, 18, 0, 1), 120};
    struct weir_prefix all = {weir_addr_v4(0, 0, 0, 0), 96};
    struct weir_addr gateway = weir_addr_v4(198, 18, 0, 2);
    struct weir *s = (struct weir *)(void *)alloc; /* to be overwritten */
    weir_netif_t n;
    int err;

    config.allocator = failing_alloc_allocator(alloc);
    err = weir_create(&config, 0, &s);
    EXPECT((s != NULL) == (err == WEIR_OK));
    if (err == WEIR_OK)
        err = weir_netif_add(s, &netif, &n);
    if (err == WEIR_OK)
        err = weir_addr_add(s, n, &address);
    if (err == WEIR_OK)
        err = weir_route_add(s, &all, &gateway, n);
    if (s != NULL)
        weir_destroy(&s);
    EXPECT(s == NULL);
    weir_destroy(&s); /* does nothing */
    return err;
}

TEST(memory_that_is_missing_at_the_beginning_is_an_answer)
{
    struct failing_alloc alloc;
    int err;

    failing_alloc_init(&alloc);
    for (uint64_t n = 1; n < 100; n++) {
        alloc.calls = 0;
        alloc.fail_at = n;
        err = begin(&alloc);
        EXPECT_EQ(err, alloc.calls >= n ? WEIR_ENOMEM : WEIR_OK);
        EXPECT_EQ(alloc.outstanding_count, 0);
        if (err == WEIR_OK)
            break;
        EXPECT(n < 50);
    }
    failing_alloc_fini(&alloc);
}

/* ---- limits ---- */

TEST(memory_limit_is_kept_and_counted)
{
    struct weir_config config = world_config();
    struct world *w;
    struct weir_stats stats;
    weir_listener_t l;
    uint32_t conns = 0;
    int err = WEIR_OK;

    config.memory_limit = 1000000;
    w = world_make(&(struct world_setup){.config = &config});
    l = world_listen(w, 1, WORLD_PORT, 1000);
    struct weir_endpoint to = world_endpoint(w, 1, WORLD_PORT);
    for (int i = 0; i < 3000 && err == WEIR_OK; i++) {
        weir_conn_t c, b;
        err = weir_connect(world_stack(w, 0), NULL, &to, &c);
        if (err != WEIR_OK)
            break;
        conns++;
        (void)world_offers(w, 0, c, 3000);
        world_settle(w);
        while (weir_accept(world_stack(w, 1), l, &b) == WEIR_OK) {
        }
        for (size_t k = 0; k < 2; k++) {
            stats = world_stats(w, k);
            EXPECT(stats.memory_bytes <= config.memory_limit);
            EXPECT_EQ(stats.memory_bytes, w->stacks[k].alloc.outstanding_bytes);
            EXPECT(stats.memory_peak_bytes <= config.memory_limit);
            EXPECT(stats.memory_peak_bytes >= stats.memory_bytes);
            EXPECT_EQ(stats.memory_limit_bytes, config.memory_limit);
        }
    }
    EXPECT_EQ(err, WEIR_ENOMEM);
    EXPECT(conns > 20);
}

TEST(memory_of_what_is_not_read_is_bounded_by_the_receive_buffer)
{
    static const uint32_t sizes[] = {1, 10, 100, 1460};

    for (size_t i = 0; i < 4; i++)
        for (int lends = 0; lends < 2; lends++) {
            struct world *w = world_make(&(struct world_setup){.lends_frames = lends});
            struct world_pair p = world_connect(w);
            struct weir *s = world_stack(w, 1);
            size_t before;
            EXPECT_EQ(weir_set(world_stack(w, 0), p.a, WEIR_OPT_NODELAY, 1), WEIR_OK);
            EXPECT_EQ(weir_set(s, p.b, WEIR_OPT_RECV_BUFFER, 65536), WEIR_OK);
            before = world_stats(w, 1).memory_bytes;
            for (int n = 0; n < 4000; n++) {
                (void)world_offers(w, 0, p.a, sizes[i]);
                world_pump(w);
                world_run(w, 10 * WEIR_US);
            }
            EXPECT(w->bytes_out < 2 * 256 * 1024 + 65536);
            EXPECT(world_stats(w, 1).memory_bytes - before < 3 * 256 * 1024 + 4 * 65536);
            for (int n = 0; n < 100 && w->stacks[1].read < w->stacks[0].sent; n++) {
                EXPECT_EQ(world_reads(w, 1, p.b), WEIR_EAGAIN);
                world_run(w, 1 * WEIR_S);
            }
            EXPECT_EQ(w->stacks[1].read, w->stacks[0].sent);
            EXPECT_EQ(w->frames_out, 0);
        }
}

/* ---- an arena ---- */

TEST(memory_from_one_block_is_enough_for_a_small_stack)
{
    static union {
        uint8_t bytes[400000];
        void *aligned;
    } room;
    struct weir_config config = world_config();
    struct world *w = world_make(&(struct world_setup){0});
    struct weir_netif_config netif = {.link = WEIR_LINK_IP, .mtu = 1500};
    struct weir_prefix address = {world_addr(w, 1), 96 + 24};
    struct weir_arena arena;

    config.slab_bytes = 8192;
    config.buffer_large = 4096;
    config.tcp.send_buffer_bytes = config.tcp.recv_buffer_bytes = 8192;
    config.allocator = weir_arena_init(&arena, room.bytes, sizeof room.bytes);
    weir_destroy(&w->stacks[1].stack);
    EXPECT_EQ(weir_create(&config, w->now, &w->stacks[1].stack), WEIR_OK);
    EXPECT_EQ(weir_netif_add(world_stack(w, 1), &netif, &w->stacks[1].netif), WEIR_OK);
    EXPECT_EQ(weir_addr_add(world_stack(w, 1), w->stacks[1].netif, &address), WEIR_OK);
    for (int round = 0; round < 30; round++) {
        weir_listener_t l = world_listen(w, 1, WORLD_PORT, 1);
        struct world_pair p = world_connect_to(w, l);
        w->stacks[0].sent = w->stacks[1].read = 0;
        world_sends(w, 0, p.a, 100000);
        for (int n = 0; n < 1000 && w->stacks[1].read < 100000; n++) {
            world_run(w, 50 * WEIR_MS);
            EXPECT_EQ(world_reads(w, 1, p.b), WEIR_EAGAIN);
        }
        EXPECT_EQ(w->stacks[1].read, 100000);
        EXPECT_EQ(weir_abort(world_stack(w, 0), p.a), WEIR_OK);
        world_settle(w);
        EXPECT_EQ(weir_close(world_stack(w, 1), p.b), WEIR_OK);
        EXPECT_EQ(weir_close(world_stack(w, 1), l), WEIR_OK);
    }
    world_run(w, 10 * WEIR_S);
    world_end(w); /* before the arena does */
}

/* ---- the end ---- */

static void end_early(struct world *w, void *ctx)
{
    int *steps = ctx;

    if (--*steps > 0)
        return;
    w->app = NULL;
    world_gives_back(w, true);
    for (size_t i = 0; i < w->count; i++)
        weir_destroy(&w->stacks[i].stack);
}

TEST(destroy_gives_everything_back_at_any_moment)
{
    for (int steps = 1; steps < 60; steps++)
        for (size_t i = 0; i < sizeof setups / sizeof setups[0]; i++) {
            struct world *w = world_make(&setups[i]);
            struct scenario x = {.w = w};
            int left = steps;
            w->app = NULL;
            open_all(&x);
            send_all(&x);
            w->app = end_early;
            w->ctx = &left;
            world_run(w, 2 * WEIR_S);
            w->app = NULL;
            for (size_t k = 0; k < 2; k++)
                weir_destroy(&w->stacks[k].stack);
            EXPECT_EQ(x.lent, 0);
            world_end(w);
        }
}
