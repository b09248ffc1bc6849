/* test_pmtu.c - the path's MTU, as a connection uses it */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/pmtu.h"

TEST(pmtu_that_shrinks_sends_again_what_was_too_big) /* [RFC1191 6.4] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_writes(&p, 2920);
    EXPECT_EQ(peer_skips(&p), 2);
    tcp_set_pmtu(p.conn, p.env, 1040);
    peer_sees(&p, ". 1:1001(1000) ack 1");
    EXPECT(p.seen_resent);
    peer_sees(&p, ". 1001:2001(1000) ack 1");
    peer_sees(&p, "P. 2001:2921(920) ack 1");
    peer_sees_nothing(&p);
    EXPECT_EQ(p.conn->work->cc.ssthresh, UINT32_MAX);
}

TEST(pmtu_that_grows_makes_larger_segments_from_now_on)
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.mtu = 1040});

    tcp_set_pmtu(p.conn, p.env, 1500);
    peer_writes(&p, 2920);
    peer_sees(&p, ". 1:1461(1460) ack 1");
}

TEST(pmtu_is_taken_by_a_connection_at_rest_or_not_yet_open)
{
    struct peer resting = peer_of(TCP_ESTABLISHED), young = peer_of(TCP_SYN_SENT);

    peer_waits(&resting, 2 * NS_S);
    EXPECT(resting.conn->work == NULL);
    tcp_set_pmtu(resting.conn, resting.env, 1000);
    peer_writes(&resting, 1000);
    peer_sees(&resting, ". 1:961(960) ack 1");
    tcp_set_pmtu(young.conn, young.env, 100000);
    EXPECT_EQ(young.conn->pmtu, UINT16_MAX);
}
