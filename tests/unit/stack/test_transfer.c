/*
 * test_transfer.c - bytes from one stack to another: SEND, RECEIVE, CLOSE and ABORT
 */
#include "lib/test.h"
#include "lib/world.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"
#include <string.h>

struct setting {
    const char *name;
    struct world_setup setup;
};

static const struct setting settings[] = {
    {"IPv4", {.seed = 1}},
    {"IPv6", {.is_v6 = true}},
    {"lent frames", {.lends_frames = true}},
    {"Ethernet, IPv4", {.link = WEIR_LINK_ETHERNET}},
    {"Ethernet, IPv6", {.link = WEIR_LINK_ETHERNET, .is_v6 = true}},
    {"VLAN", {.link = WEIR_LINK_ETHERNET, .vlan = 7}},
    {"small slices", {.slice_bytes = 100}},
    {"the smallest MTU", {.mtu = 576}},
    {"the largest MTU", {.mtu = 65535}},
    {"IPv6, its smallest MTU", {.mtu = 1280, .is_v6 = true}},
    {"checksum offload", {.offloads = WEIR_OFFLOAD_CSUM}},
    {"segmentation offload",
     {.offloads = WEIR_OFFLOAD_CSUM | WEIR_OFFLOAD_TSO4, .slice_bytes = 9000}},
    {"segmentation offload, cut",
     {.offloads = WEIR_OFFLOAD_CSUM | WEIR_OFFLOAD_TSO4, .cuts_segments = true}},
    {"segmentation offload, IPv6, Ethernet, a tag, short",
     {.offloads = WEIR_OFFLOAD_CSUM | WEIR_OFFLOAD_TSO6,
      .is_v6 = true,
      .vlan = 4094,
      .link = WEIR_LINK_ETHERNET,
      .cuts_segments = true,
      .gso_max = 9000}},
    {"segmentation offload, a slow device",
     {.offloads = WEIR_OFFLOAD_CSUM | WEIR_OFFLOAD_TSO4,
      .keeps_ns = 3 * WEIR_MS,
      .conditions = {.delay_ns = 200 * WEIR_US}}},
    {"loss", {.conditions = {.loss = 50, .delay_ns = 5 * WEIR_MS}}},
    {"everything goes wrong",
     {.conditions = {.loss = 30,
                     .duplicate = 50,
                     .corrupt = 20,
                     .delay_ns = 3 * WEIR_MS,
                     .jitter_ns = 4 * WEIR_MS}}},
    {"everything goes wrong, offloads, IPv6",
     {.is_v6 = true,
      .offloads = WEIR_OFFLOAD_CSUM | WEIR_OFFLOAD_TSO6,
      .conditions = {.loss = 30,
                     .duplicate = 50,
                     .corrupt = 20,
                     .delay_ns = 3 * WEIR_MS,
                     .jitter_ns = 4 * WEIR_MS}}},
};

enum { SETTINGS = sizeof settings / sizeof settings[0] };

struct exchange {
    struct world_pair p;
    uint64_t total;
    bool is_shut[2];
    ptrdiff_t result[2];
};

static void exchange(struct world *w, void *ctx)
{
    struct exchange *x = ctx;

    for (size_t i = 0; i < 2; i++) {
        weir_conn_t c = i == 0 ? x->p.a : x->p.b;
        if (!x->is_shut[i])
            world_offers(w, i, c, (size_t)(x->total - w->stacks[i].sent));
        if (!x->is_shut[i] && w->stacks[i].sent == x->total) {
            EXPECT_EQ(weir_shutdown(world_stack(w, i), c), WEIR_OK);
            x->is_shut[i] = true;
        }
        if (x->result[i] != 0)
            x->result[i] = world_reads(w, i, c);
    }
}

/* The link verifies every checksum. */
TEST(transfer_both_ways_at_once_over_every_kind_of_link) /* [RFC9293 MUST-2, MUST-3] */
{
    for (size_t i = 0; i < SETTINGS; i++) {
        struct world *w = world_make(&settings[i].setup);
        struct world_link conditions = w->conditions;
        memset(&w->conditions, 0, sizeof w->conditions);
        w->conditions.delay_ns = conditions.delay_ns;
        struct exchange x = {.p = world_connect(w), .total = 400000, .result = {1, 1}};
        w->conditions = conditions;
        w->app = exchange;
        w->ctx = &x;
        for (int n = 0; n < 600 && (x.result[0] != 0 || x.result[1] != 0); n++)
            world_run(w, 1 * WEIR_S);
        if (x.result[0] != 0 || x.result[1] != 0)
            FAIL("%s: %d %d, read %llu %llu", settings[i].name, (int)x.result[0], (int)x.result[1],
                 (unsigned long long)w->stacks[0].read, (unsigned long long)w->stacks[1].read);
        EXPECT_EQ(w->stacks[0].read, x.total);
        EXPECT_EQ(w->stacks[1].read, x.total);
        EXPECT_EQ(weir_close(world_stack(w, 0), x.p.a), WEIR_OK);
        EXPECT_EQ(weir_close(world_stack(w, 1), x.p.b), WEIR_OK);
        world_run(w, 130 * WEIR_S);
        world_expects_nothing_left(w, 0);
        world_expects_nothing_left(w, 1);
        EXPECT_EQ(world_stats(w, 0).timewaits + world_stats(w, 1).timewaits, 0);
        world_end(w);
    }
}

TEST(transfer_in_segments_of_what_peer_path_and_options_allow) /* [RFC9293 MUST-16, MUST-65] */
{
    static const struct {
        uint32_t mtu;
        bool is_v6, timestamps;
        int64_t own, peers; /* WEIR_OPT_MSS of either side; 0: not set */
        size_t longest;
    } cases[] = {
        {1500, false, true, 0, 0, 1448},     {1500, false, false, 0, 0, 1460},
        {1500, true, true, 0, 0, 1428},      {1500, false, true, 700, 0, 688},
        {1500, false, true, 0, 700, 688},    {1500, false, false, 0, 700, 700},
        {576, false, true, 1400, 1400, 524},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_config config = world_config();
        struct weir_opt_value own = {WEIR_OPT_MSS, cases[i].own};
        struct world *w;
        struct weir_endpoint to;
        weir_listener_t l;
        weir_conn_t a;
        size_t longest = 0;
        config.tcp.timestamps = cases[i].timestamps;
        w = world_make(
            &(struct world_setup){.mtu = cases[i].mtu, .is_v6 = cases[i].is_v6, .config = &config});
        l = world_listen(w, 1, WORLD_PORT, 1);
        to = world_endpoint(w, 1, WORLD_PORT);
        EXPECT_EQ(weir_set(world_stack(w, 1), l, WEIR_OPT_MSS, cases[i].peers), WEIR_OK);
        EXPECT_EQ(weir_connect_with(world_stack(w, 0), NULL, &to, &own, 1, &a), WEIR_OK);
        world_sends(w, 0, a, 50000);
        world_run(w, WEIR_S);
        for (size_t k = 0; k < w->log_count; k++) {
            const struct packet_view *v = &w->log[k].view;
            longest = v->text_len > longest ? v->text_len : longest;
            EXPECT_EQ((v->options_present & TCP_HAS_MSS) != 0, (v->flags & TCP_SYN) != 0);
        }
        EXPECT_EQ(longest, cases[i].longest);
    }
}
