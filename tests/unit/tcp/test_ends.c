/* test_ends.c - the two ends of a connection, as it keeps them */
#include "lib/tcp_world.h"
#include "lib/test.h"
#include "tcp/ends.h"

static const struct weir_addr v6_a = {{0x20, 1, 0xd, 0xb8, [15] = 1}};
static const struct weir_addr v6_b = {{0x20, 1, 0xd, 0xb8, [15] = 2}};

static void expect_same(const struct tcp_tuple *a, const struct tcp_tuple *b)
{
    EXPECT(weir_addr_eq(&a->local_addr, &b->local_addr));
    EXPECT(weir_addr_eq(&a->remote_addr, &b->remote_addr));
    EXPECT_EQ(a->local_port, b->local_port);
    EXPECT_EQ(a->remote_port, b->remote_port);
}

TEST(ends_of_either_family_are_what_they_were_made_of)
{
    const struct {
        struct weir_addr local, remote;
        uint32_t records;
    } rows[] = {
        {weir_addr_v4(192, 0, 2, 1), weir_addr_v4(198, 51, 100, 255), 0},
        {weir_addr_v4(192, 0, 2, 1), weir_addr_v4(0, 0, 0, 0), 0},
        {weir_addr_v4(0, 0, 0, 0), weir_addr_v4(192, 0, 2, 1),
         1}, /* no end, but kept all the same */
        {v6_a, v6_b, 1},
        {v6_a, weir_addr_v4(192, 0, 2, 1), 1},
    };
    struct tcp_world *w = tcp_world_make();

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tcp_tuple tuple = {rows[i].local, rows[i].remote, 80, 65535}, got, other;
        struct tcp_ends ends = {.record = 0};
        struct weir_addr remote;

        EXPECT(ends_init(&ends, &w->env, &tuple));
        EXPECT_EQ(w->env.wide_ends.used, rows[i].records);
        EXPECT_EQ(ends_are_v4(&ends), rows[i].records == 0);
        got = ends_tuple(&ends, &w->env);
        remote = ends_remote(&ends, &w->env);
        expect_same(&got, &tuple);
        EXPECT(weir_addr_eq(&remote, &tuple.remote_addr));
        EXPECT(ends_are(&ends, &w->env, &tuple));
        for (int change = 0; change < 4; change++) {
            other = tuple;
            other.local_port ^= change == 0;
            other.remote_port ^= change == 1;
            other.local_addr.b[change == 2 ? 15 : 0] ^= change >= 2;
            EXPECT(!ends_are(&ends, &w->env, &other));
        }
        ends_fini(&ends, &w->env);
        EXPECT_EQ(w->env.wide_ends.used, 0);
    }
    tcp_world_end(w);
}

TEST(ends_that_have_not_been_set_are_nowhere)
{
    struct tcp_world *w = tcp_world_make();
    struct tcp_tuple tuple = ends_tuple(&w->conns[0].ends, &w->env);

    EXPECT(weir_addr_is_any(&tuple.local_addr) && weir_addr_is_any(&tuple.remote_addr));
    EXPECT_EQ(tuple.local_port, 0);
    tcp_world_end(w);
}

TEST(ends_of_ipv6_need_memory)
{
    struct tcp_world *w = tcp_world_make();
    struct tcp_tuple tuple = {v6_a, v6_b, 80, 81};
    struct tcp_ends ends = {.record = 0};

    w->alloc.fail_at = w->alloc.calls + 1;
    w->alloc.fails_from_then = true;
    EXPECT(!ends_init(&ends, &w->env, &tuple));
    ends_fini(&ends, &w->env);
    tcp_world_end(w);
}
