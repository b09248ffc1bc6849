/* test_uto.c - the user timeout option [RFC5482] */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/uto.h"
#include <stdio.h>

static struct peer peer_that_advertises(ns_t timeout_ns)
{
    struct peer p = peer_of(TCP_CLOSED);

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_ADVERTISE_TIMEOUT, timeout_ns), WEIR_OK);
    return p;
}

TEST(uto_rounds_up_to_seconds_and_from_nine_hours_on_to_minutes) /* [RFC5482 3] */
{
    static const struct {
        ns_t from, to;
        uint16_t option;
    } rows[] = {
        {0, 0, 0},
        {1, NS_S, 1},
        {90 * NS_S, 90 * NS_S, 90},
        {32767 * NS_S, 32767 * NS_S, 32767},
        {32767 * NS_S + 1, 547 * 60 * NS_S, 0x8000 | 547},
        {UTO_MAX_NS, UTO_MAX_NS, 0xffff},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        EXPECT_EQ(uto_of(rows[i].from), rows[i].option);
        EXPECT_EQ(uto_ns(rows[i].option), rows[i].to);
    }
}

TEST(uto_is_in_the_syn_and_once_in_what_follows) /* [RFC5482 3.2] */
{
    struct peer p = peer_that_advertises(300 * NS_S);

    p.env->config.timestamps = p.env->config.window_scaling = p.env->config.sack = false;
    peer_opens(&p);
    peer_sees(&p, "S 0:0(0) <mss 1460,raw 1c04012c>");
    peer_sends(&p, "S. 0:0(0) ack 1 <mss 1460>");
    peer_sees(&p, ". 1:1(0) ack 1 <raw 1c04012c>");
    peer_writes(&p, 3000);
    peer_sees(&p, ". 1:1461(1460) ack 1");
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_ADVERTISE_TIMEOUT, 60 * NS_S), WEIR_OK);
    peer_sees(&p, ". 1461:2917(1456) ack 1 <raw 1c04003c>"); /* it takes its place */
    peer_sees(&p, "P. 2917:3001(84) ack 1");
}

TEST(uto_of_the_peer_is_followed_within_limits) /* [RFC5482 3.1] */
{
    static const struct {
        const char *option;
        int64_t timeout_s;
    } rows[] = {
        {"raw 1c0401f4", 500},       /* longer than ours */
        {"raw 1c040078", 300},       /* shorter */
        {"raw 1c048064", 6000},      /* 100 minutes */
        {"raw 1c04ffff", 24 * 3600}, /* no longer than a day */
        {"raw 1c040000", 0},         /* not allowed: ignored */
        {"raw 1c03000000", 0},       /* malformed */
        {"raw 1c05000100000000", 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = peer_that_advertises(300 * NS_S);
        char text[80];
        int64_t value;
        peer_brings_to(&p, TCP_SYN_SENT);
        peer_sends(&p, "S. 0:0(0) ack 1 <mss 1460>");
        peer_skips(&p);
        snprintf(text, sizeof text, ". 1:1(0) ack 1 <%s>", rows[i].option);
        peer_sends(&p, text);
        EXPECT_EQ(tcp_get(p.conn, WEIR_OPT_USER_TIMEOUT, &value), WEIR_OK);
        EXPECT_EQ(value, rows[i].timeout_s * NS_S);
    }
}

TEST(uto_is_no_shorter_than_100_s)
{
    struct peer p = peer_that_advertises(10 * NS_S);

    peer_brings_to(&p, TCP_SYN_SENT);
    peer_sends(&p, "S. 0:0(0) ack 1 <mss 1460,raw 1c040014>");
    EXPECT_EQ(p.conn->user->user_timeout_ms, 100000);
    peer_skips(&p);
    peer_writes(&p, 100); /* and it holds */
    peer_waits(&p, 99 * NS_S);
    EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
    peer_waits(&p, 4 * NS_S);
    EXPECT_EQ(p.conn->state, TCP_CLOSED);
    EXPECT_EQ(p.conn->error, WEIR_ETIMEDOUT);
}

TEST(uto_of_the_peer_does_not_count_if_the_application_has_its_own_or_says_none)
{
    struct peer p = peer_that_advertises(10 * NS_S);

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_USER_TIMEOUT, 7 * NS_S), WEIR_OK);
    peer_brings_to(&p, TCP_SYN_SENT);
    peer_sends(&p, "S. 0:0(0) ack 1 <mss 1460,raw 1c0401f4>");
    EXPECT_EQ(p.conn->user->user_timeout_ms, 7000);

    p = peer_of(TCP_SYN_SENT);
    peer_sends(&p, "S. 0:0(0) ack 1 <mss 1460,raw 1c0401f4>");
    EXPECT_EQ(p.conn->user->user_timeout_ms, 0);
    peer_sees(&p, ". 1:1(0) ack 1");
}
