/*
 * test_config.c - configurations, names, and what a trace tells
 */
#include "lib/test.h"
#include "lib/world.h"
#include <string.h>

static int create(struct weir_config *config)
{
    static struct failing_alloc alloc;
    struct weir *s;
    int err;

    failing_alloc_init(&alloc);
    if (config->allocator.alloc == NULL && config->allocator.free == NULL)
        config->allocator = failing_alloc_allocator(&alloc);
    err = weir_create(config, 0, &s);
    EXPECT((s != NULL) == (err == WEIR_OK));
    weir_destroy(&s);
    failing_alloc_fini(&alloc);
    return err;
}

#define REFUSES(member, value)                                                                     \
    do {                                                                                           \
        struct weir_config changed = world_config();                                               \
        changed.member = (value);                                                                  \
        EXPECT_EQ(create(&changed), WEIR_EINVAL);                                                  \
    } while (0)

TEST(configurations_that_contradict_themselves_are_refused)
{
    struct weir_config c = world_config();
    struct weir *s;

    EXPECT_EQ(weir_create(&c, 0, &s), WEIR_EINVAL); /* no allocator */
    EXPECT_EQ(create(&c), WEIR_OK);
    REFUSES(slab_bytes, 0);
    REFUSES(slab_bytes, 512);
    REFUSES(slab_bytes, 65535);
    REFUSES(slab_bytes, 16384); /* the large buffers do not fit */
    REFUSES(buffer_small, 0);
    REFUSES(buffer_small, 2048);
    REFUSES(buffer_large, 2048);
    REFUSES(tcp.rto_min_ns, 0);
    REFUSES(tcp.rto_initial_ns, -1);
    REFUSES(tcp.rto_initial_ns, 121 * WEIR_S);
    REFUSES(tcp.rto_max_ns, 100 * WEIR_MS);
    REFUSES(tcp.msl_ns, 0);
    REFUSES(tcp.msl_ns, INT64_MAX);
    REFUSES(tcp.fin_wait2_ns, -5);
    REFUSES(tcp.keepalive_idle_ns, 0);
    REFUSES(tcp.keepalive_interval_ns, INT64_MAX);
    REFUSES(tcp.keepalive_probes, 0);
    REFUSES(tcp.delack_min_ns, 0);
    REFUSES(tcp.delack_max_ns, 500 * WEIR_MS); /* [RFC9293 MUST-40] */
    REFUSES(tcp.initial_window_segs, 0);
    REFUSES(tcp.initial_window_segs, UINT32_MAX);
    REFUSES(tcp.send_buffer_bytes, 0);
    REFUSES(tcp.recv_buffer_bytes, UINT32_MAX);
    REFUSES(tcp.mss_min, 0);
    REFUSES(tcp.mss_min, 70000);
    REFUSES(tcp.congestion_control, NULL);
    REFUSES(tcp.congestion_control, "none such");
    REFUSES(tcp.port_first, 0);
    REFUSES(tcp.port_last, 100);
    REFUSES(ip.ttl, 0);
    REFUSES(ip.neighbours, 0);
    REFUSES(ip.fragments_ns, 0);
    REFUSES(ip.path_mtu_ns, -1);

    c = world_config(); /* valid, but no object fits */
    c.slab_bytes = 1024;
    c.buffer_small = 128;
    c.buffer_medium = 256;
    c.buffer_large = 512;
    EXPECT_EQ(create(&c), WEIR_EINVAL);
    c = world_config();
    c.memory_limit = 100;
    EXPECT_EQ(create(&c), WEIR_ENOMEM);
}

TEST(defaults_change_while_a_stack_runs)
{
    static struct failing_alloc alloc;
    struct weir_config c = world_config();
    struct weir *s;

    failing_alloc_init(&alloc);
    c.allocator = failing_alloc_allocator(&alloc);
    EXPECT_EQ(weir_create(&c, 0, &s), WEIR_OK);
    c.tcp.rto_min_ns = 0;
    EXPECT_EQ(weir_tcp_configure(s, &c.tcp), WEIR_EINVAL);
    c.tcp.rto_min_ns = WEIR_S;
    EXPECT_EQ(weir_tcp_configure(s, &c.tcp), WEIR_OK);
    weir_destroy(&s);
    failing_alloc_fini(&alloc);
}

TEST(reasons_and_names_are_there_for_all_numbers)
{
    struct world *w = world_make(&(struct world_setup){.stacks = 1});
    size_t count = weir_why_count();

    for (size_t i = 0; i < count; i++) {
        EXPECT(strlen(weir_why_name(i)) > 0 && strlen(weir_why_text(i)) > 0);
        EXPECT_EQ(weir_dropped(world_stack(w, 0), i), 0);
    }
    EXPECT_STR(weir_why_name(count), "unknown");
    EXPECT_STR(weir_why_text(SIZE_MAX), "no such reason");
    EXPECT_EQ(weir_dropped(world_stack(w, 0), count), 0);
    for (int i = 0; i < WEIR_TCP_STATES; i++)
        EXPECT(strlen(weir_tcp_state_name((enum weir_tcp_state)i)) > 3);
    EXPECT_STR(weir_tcp_state_name(WEIR_TCP_SYN_SENT), "SYN-SENT");
    EXPECT_STR(weir_tcp_state_name((enum weir_tcp_state)99), "unknown");
    for (int i = 0; i < WEIR_TRACE_KIND_COUNT; i++)
        EXPECT(strlen(weir_trace_kind_name((enum weir_trace_kind)i)) > 1);
    EXPECT_STR(weir_trace_kind_name((enum weir_trace_kind)99), "unknown");
}

/* ---- tracing ---- */

struct seen {
    uint32_t kinds[WEIR_TRACE_KIND_COUNT];
    enum weir_tcp_state last; /* of the connection on our port */
};

static void see(void *ctx, const struct weir_trace *t)
{
    struct seen *seen = ctx;

    EXPECT((size_t)t->kind < WEIR_TRACE_KIND_COUNT);
    seen->kinds[t->kind]++;
    if (t->kind == WEIR_TRACE_STATE) {
        EXPECT(t->conn != 0);
        EXPECT_EQ(t->from, seen->last);
        seen->last = t->to == WEIR_TCP_CLOSED ? WEIR_TCP_LISTEN : t->to;
    }
    if (t->kind == WEIR_TRACE_PACKET_IN || t->kind == WEIR_TRACE_PACKET_OUT) {
        size_t len = 0;
        for (size_t i = 0; i < t->slice_count; i++)
            len += t->slices[i].len;
        EXPECT_EQ(len, t->packet_len);
    }
}

static uint64_t talk(bool is_traced, struct seen *seen)
{
    struct world *w = world_make(&(struct world_setup){.conditions = {.delay_ns = WEIR_MS}});
    struct world_pair p;
    uint64_t hash;

    if (is_traced)
        weir_trace_set(world_stack(w, 1), see, seen);
    p = world_connect(w);
    world_drops(w, (struct world_drop){.from = 0, .text_min = 100, .nth = 3, .count = 1});
    world_sends(w, 0, p.a, 100000);
    world_run(w, WEIR_S);
    EXPECT_EQ(weir_close(world_stack(w, 0), p.a), WEIR_OK);
    world_run(w, WEIR_S);
    world_reads(w, 1, p.b);
    EXPECT_EQ(weir_close(world_stack(w, 1), p.b), WEIR_OK);
    world_run(w, 100 * WEIR_S);
    hash = w->stacks[0].hash ^ w->stacks[1].hash;
    if (is_traced)
        EXPECT(seen->kinds[WEIR_TRACE_PACKET_IN] + seen->kinds[WEIR_TRACE_PACKET_OUT]
               >= world_stats(w, 1).frames_in + world_stats(w, 1).frames_out);
    world_end(w);
    return hash;
}

TEST(tracing_tells_every_packet_and_state_and_changes_nothing)
{
    struct seen seen = {.last = WEIR_TCP_LISTEN};
    uint64_t traced = talk(true, &seen), plain = talk(false, NULL);

    EXPECT(traced == plain);
    EXPECT_EQ(seen.kinds[WEIR_TRACE_STATE], 5);
    EXPECT_EQ(seen.last, WEIR_TCP_LISTEN);
    EXPECT(seen.kinds[WEIR_TRACE_APP] >= 2);
    EXPECT(seen.kinds[WEIR_TRACE_RTT] >= 1);
}
