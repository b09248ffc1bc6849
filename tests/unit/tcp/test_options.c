/* test_options.c - what the two ends agree on, and how large a segment may be */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/options.h"
#include "wire/tcp_options.h"
#include <stdio.h>

TEST(options_announce_what_ip_can_take_without_headers) /* [RFC9293 MUST-67, SHLD-6] */
{
    static const struct {
        uint32_t mtu;
        bool is_v6;
        uint16_t mss, user;
    } rows[] = {
        {1500, false, 1460, 0},   {1500, true, 1440, 0},    {576, false, 536, 0},
        {1280, true, 1220, 0},    {65535, false, 65495, 0}, {1500, false, 900, 900},
        {1000, false, 960, 5000},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tcp_user user = {.mss = rows[i].user};
        EXPECT_EQ(options_mss_for(!rows[i].is_v6, rows[i].mtu, &user), rows[i].mss);
    }
}

TEST(options_assume_536_or_1220_if_the_peer_says_nothing) /* [RFC9293 MUST-15] */
{
    struct peer p = peer_of(TCP_CLOSED);
    struct tcp_options none = {0}, tiny = {.present = TCP_HAS_MSS, .mss = 0};
    struct tcp_agreed wish = {.rcv_mss = 1460};

    EXPECT_EQ(options_agree(p.env, wish, &none, true).snd_mss, 536);
    EXPECT_EQ(options_agree(p.env, wish, &none, false).snd_mss, 1220);
    EXPECT_EQ(options_agree(p.env, wish, &tiny, true).snd_mss, 48);
}

TEST(options_leave_less_room_for_text) /* Eff.snd.MSS [RFC9293 MUST-16] */
{
    static const struct {
        const char *options;
        uint32_t mtu, mss;
    } rows[] = {
        {"mss 1460", 1500, 1460},
        {"mss 1460,TS val 1 ecr 0", 1500, 1448},
        {"mss 9000", 1500, 1460},
        {"mss 500", 1500, 500},
        {"mss 48,TS val 1 ecr 0", 1500, 36},
        {"nop", 1500, 536},
        {"mss 65535", 65535, 65495},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer_setup setup = {.options = rows[i].options, .mtu = rows[i].mtu};
        struct peer p = peer_with(TCP_ESTABLISHED, setup);
        EXPECT_EQ(tcp_send_mss(p.conn, p.env), rows[i].mss);
    }
}

TEST(options_never_leave_no_room_at_all)
{
    struct peer p =
        peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1460,TS val 1 ecr 0"});

    p.conn->pmtu = 68;
    EXPECT_EQ(tcp_send_mss(p.conn, p.env), 36);
    p.env->config.mss_min = 1;
    p.conn->pmtu = 41;
    EXPECT_EQ(tcp_send_mss(p.conn, p.env), 8);
}

TEST(options_of_the_handshake_are_in_syns_only) /* [RFC9293 MUST-65] */
{
    struct peer p = peer_with(
        TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1460,TS val 7 ecr 0,nop,wscale 2"});
    struct tcp_options o = {0};

    options_of_segment(p.conn, p.env, &o);
    EXPECT_EQ(o.present, TCP_HAS_TIMESTAMPS);
    EXPECT_EQ(o.ts_ecr, 7);
    p.conn->agreed.timestamps_ok = false;
    o.present = 0;
    options_of_segment(p.conn, p.env, &o);
    EXPECT_EQ(o.present, 0);
}

TEST(options_are_read_from_any_segment_and_odd_ones_do_no_harm)
/* [RFC9293 MUST-5, MUST-6, MUST-7, MUST-64] */
{
    static const char *const options[] = {
        "mss 100", "opt 99 0102030405", "opt 254 01,nop", "raw 0200",           "raw 02ff",
        "raw 63",  "wscale 14",         "sackOK",         "nop,opt 3 0102,nop", "eol",
    };
    struct peer p = peer_of(TCP_ESTABLISHED);

    for (unsigned i = 0; i < sizeof options / sizeof *options; i++) {
        char text[96];
        snprintf(text, sizeof text, "P. %u:%u(10) ack 1 <%s>", 1 + 10 * i, 11 + 10 * i, options[i]);
        EXPECT_EQ(peer_sends(&p, text), WHY_NONE);
        EXPECT_EQ(peer_reads(&p, 100), 10);
    }
    EXPECT_EQ(p.conn->agreed.snd_mss, 1460);
}
