/* test_express_syn.c - which SYNs go out the short way; that they are the same is in lib/both_ways */
#include "lib/peer.h"
#include "lib/test.h"

static struct peer peer_that_opens(void)
{
    return peer_of(TCP_CLOSED);
}

/* Opens, and takes what is sent: so many segments, of which so many go the short way. */
static void expect_opening(struct peer *p, size_t few, size_t all)
{
    peer_opens(p);
    p->sent_short = 0;
    EXPECT_EQ(peer_skips(p), all);
    EXPECT_EQ(p->sent_short, few);
}

TEST(express_syn_takes_the_first_one)
{
    struct peer p = peer_that_opens();

    expect_opening(&p, 1, 1);
    EXPECT_EQ(peer_state(&p), TCP_SYN_SENT);
    EXPECT_EQ(tcp_flight(p.conn), 1);
    p = peer_with(TCP_CLOSED, (struct peer_setup){.is_v6 = true});
    expect_opening(&p, 1, 1);
}

TEST(express_syn_leaves_one_that_goes_again)
{
    struct peer p = peer_that_opens();

    expect_opening(&p, 1, 1);
    EXPECT_EQ(peer_waits_for_frame(&p), NS_S);
    EXPECT_EQ(p.sent_short, 1);
    peer_sees(&p, "S 0:0(0) <...>");
}

TEST(express_syn_leaves_one_that_offers_less)
{
    struct peer p = peer_that_opens();

    p.env->config.timestamps = false;
    expect_opening(&p, 0, 1);
    p = peer_that_opens();
    p.env->config.sack = false;
    expect_opening(&p, 0, 1);
    p = peer_that_opens();
    p.env->config.window_scaling = false;
    expect_opening(&p, 0, 1);
}

TEST(express_syn_leaves_one_that_offers_more)
{
    struct peer p = peer_that_opens();

    p.env->config.ecn = WEIR_ECN_ON;
    expect_opening(&p, 0, 1);
    p = peer_that_opens();
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_FASTOPEN, 1), WEIR_OK);
    expect_opening(&p, 0, 1);
    p = peer_that_opens();
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_ADVERTISE_TIMEOUT, 300 * NS_S), WEIR_OK);
    expect_opening(&p, 0, 1);
}

TEST(express_syn_leaves_one_behind_which_something_waits)
{
    struct peer p = peer_that_opens();

    peer_opens(&p);
    peer_writes(&p, 10);
    EXPECT_EQ(peer_skips(&p), 1);
    EXPECT_EQ(p.sent_short, 0);
    p = peer_that_opens();
    peer_opens(&p);
    EXPECT_EQ(tcp_shutdown(p.conn, p.env), WEIR_OK);
    EXPECT_EQ(peer_skips(&p), 1);
    EXPECT_EQ(p.sent_short, 0);
}

TEST(express_syn_leaves_one_of_a_paced_connection)
{
    struct peer p = peer_that_opens();

    p.env->config.pacing = true;
    expect_opening(&p, 0, 1);
    p = peer_that_opens();
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_MAX_PACING_RATE, 1 << 20), WEIR_OK);
    expect_opening(&p, 0, 1);
}
