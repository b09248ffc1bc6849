/* test_marks.c - two stacks over a link that marks packets */
#include "lib/test.h"
#include "lib/world.h"
#include "wire/ip.h"
#include "wire/tcp.h"

enum { BYTES = 400000 };

struct row {
    enum weir_ecn client, server;
    enum weir_tcp_ecn agreed;
};

static struct weir_tcp_info info_of(struct world *w, size_t i, weir_conn_t conn)
{
    struct weir_tcp_info info;

    EXPECT_EQ(weir_tcp_info(world_stack(w, i), conn, &info), WEIR_OK);
    return info;
}

static struct world *world_with(const struct row *row, bool is_v6, bool is_large)
{
    struct weir_config config = world_config();
    struct world *w;

    config.tcp.ecn = row->server;
    w = world_make(&(struct world_setup){
        .is_v6 = is_v6,
        .config = &config,
        .offloads = is_large ? WEIR_OFFLOAD_CSUM | WEIR_OFFLOAD_TSO4 | WEIR_OFFLOAD_TSO6 : 0,
        .conditions = {.delay_ns = 5 * WEIR_MS, .mark = is_large ? 400 : 100},
    });
    config.tcp.ecn = row->client;
    EXPECT_EQ(weir_tcp_configure(world_stack(w, 0), &config.tcp), WEIR_OK);
    return w;
}

/* Text is ECN-capable when it is sent for the first time, whatever its DiffServ field. */
static void check_packets(const struct world *w, enum weir_tcp_ecn agreed, uint64_t retransmits)
{
    uint64_t incapable = 0;

    for (size_t i = 0; i < w->log_count; i++) {
        const struct packet_view *v = &w->log[i].view;
        enum ip_ecn mark = ip_ecn_of(v->tos);
        EXPECT_EQ(ip_dscp_of(v->tos), w->log[i].from == 0 && !(v->flags & TCP_SYN) ? 46 : 0);
        if (v->text_len == 0 || agreed == WEIR_TCP_ECN_NONE)
            EXPECT_EQ(mark, IP_ECN_NOT_ECT);
        else if (mark == IP_ECN_NOT_ECT)
            incapable++;
        else
            EXPECT_EQ(mark, IP_ECN_ECT0);
    }
    EXPECT_EQ(incapable, agreed == WEIR_TCP_ECN_NONE ? 0 : retransmits);
}

TEST(marks_are_told_of_as_the_two_ends_have_agreed) /* [RFC3168 6.1] [RFC9768 3.1.1] */
{
    static const struct row rows[] = {
        {WEIR_ECN_PASSIVE, WEIR_ECN_PASSIVE, WEIR_TCP_ECN_NONE},
        {WEIR_ECN_ON, WEIR_ECN_PASSIVE, WEIR_TCP_ECN_CLASSIC},
        {WEIR_ECN_ON, WEIR_ECN_OFF, WEIR_TCP_ECN_NONE},
        {WEIR_ECN_ACCURATE, WEIR_ECN_PASSIVE, WEIR_TCP_ECN_CLASSIC},
        {WEIR_ECN_ACCURATE_ASK_CLASSIC, WEIR_ECN_ACCURATE, WEIR_TCP_ECN_CLASSIC},
        {WEIR_ECN_ACCURATE, WEIR_ECN_ACCURATE_PASSIVE, WEIR_TCP_ECN_ACCURATE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int k = 0; k < 4; k++) {
            struct world *w = world_with(&rows[i], k & 1, k & 2);
            struct world_pair p = world_connect(w);
            EXPECT_EQ(weir_set(world_stack(w, 0), p.a, WEIR_OPT_TOS, 46 << 2), WEIR_OK);
            world_forgets(w);
            world_sends(w, 0, p.a, BYTES / 2);
            world_run(w, 100 * WEIR_S);
            world_reads(w, 1, p.b);
            world_sends(w, 1, p.b, BYTES / 2);
            world_run(w, 100 * WEIR_S);
            struct weir_tcp_info a = info_of(w, 0, p.a), b = info_of(w, 1, p.b);
            EXPECT_EQ(a.ecn, rows[i].agreed);
            EXPECT_EQ(b.ecn, rows[i].agreed);
            check_packets(w, rows[i].agreed, a.retransmits + b.retransmits);
            EXPECT_EQ(a.received_ce + b.received_ce > 0, rows[i].agreed != WEIR_TCP_ECN_NONE);
            if (rows[i].agreed == WEIR_TCP_ECN_ACCURATE) {
                EXPECT_EQ(a.delivered_ce, b.received_ce);
                EXPECT_EQ(b.delivered_ce, a.received_ce);
            }
            EXPECT(a.retransmits + b.retransmits <= 4); /* probes of the tail */
            world_end(w);
        }
}

TEST(marks_in_syn_cookies_are_agreed_on) /* [RFC9768 5.1] */
{
    static const struct row rows[] = {
        {WEIR_ECN_ON, WEIR_ECN_PASSIVE, WEIR_TCP_ECN_CLASSIC},
        {WEIR_ECN_PASSIVE, WEIR_ECN_ACCURATE, WEIR_TCP_ECN_NONE},
        {WEIR_ECN_ACCURATE, WEIR_ECN_ACCURATE, WEIR_TCP_ECN_ACCURATE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct weir_config config = world_config();
        config.tcp.syn_cookies = WEIR_SYN_COOKIES_ALWAYS;
        config.tcp.ecn = rows[i].server;
        struct world *w = world_make(&(struct world_setup){.config = &config});
        config.tcp.ecn = rows[i].client;
        EXPECT_EQ(weir_tcp_configure(world_stack(w, 0), &config.tcp), WEIR_OK);
        struct world_pair p = world_connect(w);
        EXPECT_EQ(info_of(w, 0, p.a).ecn, rows[i].agreed);
        EXPECT_EQ(info_of(w, 1, p.b).ecn, rows[i].agreed);
        EXPECT_EQ(world_stats(w, 1).tcp_cookies_taken, 1);
        world_end(w);
    }
}
