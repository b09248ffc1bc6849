/* test_isn.c - initial sequence numbers */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/isn.h"

static seq_t isn_now(const struct peer *p, const struct tcp_tuple *tuple)
{
    return isn_of(p->env, isn_ends(p->env, tuple)).seq;
}

TEST(isn_moves_on_every_4_microseconds) /* [RFC9293 MUST-8] */
{
    struct peer p = peer_of(TCP_CLOSED);
    seq_t first = isn_now(&p, &p.tuple);

    p.env->now += 4 * NS_US - 1;
    EXPECT_EQ(isn_now(&p, &p.tuple).raw, first.raw);
    p.env->now += 1;
    EXPECT_EQ(isn_now(&p, &p.tuple).raw, first.raw + 1);
    p.env->now += NS_S;
    EXPECT_EQ(isn_now(&p, &p.tuple).raw, first.raw + 1 + 250000);
    p.env->now = -5;
    (void)isn_now(&p, &p.tuple);
}

TEST(isn_depends_on_both_ends_and_on_the_key) /* [RFC9293 SHLD-1, MUST-9] */
{
    struct peer p = peer_of(TCP_CLOSED);
    struct tcp_tuple tuples[5] = {p.tuple, p.tuple, p.tuple, p.tuple, p.tuple};
    uint32_t isns[5];

    tuples[1].local_port ^= 1;
    tuples[2].remote_port ^= 0x100;
    tuples[3].local_addr.b[15] ^= 1;
    tuples[4].remote_addr.b[0] ^= 1;
    for (size_t i = 0; i < 5; i++) {
        isns[i] = isn_now(&p, &tuples[i]).raw;
        EXPECT_EQ(isn_now(&p, &tuples[i]).raw, isns[i]); /* a function: nothing is drawn */
        for (size_t j = 0; j < i; j++)
            EXPECT(isns[i] != isns[j]);
    }
    p.env->isn_key.k1 ^= 1;
    EXPECT(isn_now(&p, &tuples[0]).raw != isns[0]);
}

/* Whoever sees the numbers of all other ports learns nothing: they are spread evenly. */
TEST(isns_of_neighbouring_ports_are_far_apart) /* [RFC9293 MUST-9] [RFC6528 3] */
{
    struct peer p = peer_of(TCP_CLOSED);
    uint32_t buckets[16] = {0};

    for (uint32_t port = 0; port < 16000; port++) {
        p.tuple.remote_port = (uint16_t)port;
        buckets[isn_now(&p, &p.tuple).raw >> 28]++;
    }
    for (size_t i = 0; i < 16; i++)
        EXPECT(buckets[i] > 850 && buckets[i] < 1150);
}
