/* test_timewait.c - what is left of a connection for 2 MSL */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/timewait.h"
#include <stdio.h>

TEST(timewait_lasts_for_two_msl) /* [RFC9293 MUST-13] */
{
    struct peer p = peer_of(TCP_TIME_WAIT);

    peer_waits(&p, 60 * NS_S - 1);
    EXPECT_EQ(peer_state(&p), TCP_TIME_WAIT);
    peer_waits(&p, 1);
    EXPECT_EQ(peer_state(&p), TCP_CLOSED);
}

TEST(timewait_begins_anew_when_the_fin_comes_again) /* [RFC9293 3.10.7.4, eighth] */
{
    struct peer p = peer_of(TCP_TIME_WAIT);

    peer_waits(&p, 50 * NS_S);
    peer_sends(&p, "F. 1:1(0) ack 2");
    peer_sees(&p, ". 2:2(0) ack 2");
    peer_waits(&p, 60 * NS_S - 1);
    EXPECT_EQ(peer_state(&p), TCP_TIME_WAIT);
    peer_waits(&p, 1);
    EXPECT_EQ(peer_state(&p), TCP_CLOSED);
}

TEST(timewait_is_not_assassinated) /* [RFC1337] */
{
    struct peer p = peer_of(TCP_TIME_WAIT);

    EXPECT_EQ(peer_sends(&p, "R 2:2(0)"), WHY_TCP_TIME_WAIT);
    peer_sees_nothing(&p);
    peer_sends(&p, "P. 1:10(9) ack 1"); /* an old duplicate, whose answer is not reset */
    peer_sees(&p, ". 2:2(0) ack 2");
    peer_sends(&p, "R 2:2(0)");
    EXPECT_EQ(peer_state(&p), TCP_TIME_WAIT);
}

struct row {
    const char *sends;
    bool reopens;
};

static void run_rows(const struct row *rows, size_t count, const char *options)
{
    for (size_t i = 0; i < count; i++) {
        struct peer p = peer_with(TCP_TIME_WAIT, (struct peer_setup){.options = options});
        peer_sends(&p, rows[i].sends);
        if (!rows[i].reopens)
            peer_sees(&p, ". 2:2(0) ack 2 <...>");
        EXPECT_EQ(peer_state(&p), rows[i].reopens ? TCP_LISTEN : TCP_TIME_WAIT);
    }
}

TEST(timewait_gives_way_to_a_syn_that_is_provably_new) /* [RFC9293 SHLD-4, MAY-2] [RFC6191 2] */
{
    static const struct row by_number[] = {
        {"S 3:3(0)", true},
        {"S 2147480000:2147480000(0)", true},
        {"S 2:2(0)", false},
        {"S 1:1(0)", false},
        {"S 4294900000:4294900000(0)", false},
        {"S 3:3(0) <TS val 1 ecr 0>", true},
        {"S. 3:3(0) ack 1", false},
        {"SF 3:3(0)", false},
    };
    static const struct row by_time[] = {
        {"S 1:1(0) <TS val 101 ecr 0>", true},
        {"S 9:9(0) <TS val 99 ecr 0>", false},
        {"S 9:9(0) <TS val 100 ecr 0>", true},
        {"S 1:1(0) <TS val 100 ecr 0>", false},
        {"S 9:9(0)", true},
        {"S 1:1(0)", false},
    };

    run_rows(by_number, sizeof by_number / sizeof *by_number, "mss 1460");
    run_rows(by_time, sizeof by_time / sizeof *by_time, "mss 1460,TS val 100 ecr 0");
}

TEST(timewait_gives_way_to_nobody_if_it_is_configured_so)
{
    struct peer p = peer_of(TCP_TIME_WAIT);

    p.env->config.timewait_reuse = false;
    peer_sends(&p, "S 1000:1000(0)");
    peer_sees(&p, ". 2:2(0) ack 2");
    EXPECT_EQ(peer_state(&p), TCP_TIME_WAIT);
}

TEST(timewait_makes_the_next_connection_begin_beyond_the_old_one) /* [RFC9293 MAY-2] */
{
    struct peer p = peer_of(TCP_TIME_WAIT);
    seq_t nxt = p.timewait.snd_nxt;

    EXPECT(seq_gt(timewait_past(&p.timewait), seq_add(nxt, 65535)));
}

TEST(timewait_keeps_timestamps)
{
    struct peer p =
        peer_with(TCP_TIME_WAIT, (struct peer_setup){.options = "mss 1460,TS val 100 ecr 0"});

    peer_sends(&p, "F. 1:1(0) ack 2 <nop,nop,TS val 101 ecr 1>");
    peer_sees(&p, ". 2:2(0) ack 2 <...>");
    EXPECT_EQ(p.seen_ts_ecr, 100);
    EXPECT(p.seen_ts_val != 0);
}

TEST(timewait_takes_the_last_data_and_the_end) /* with unread bytes in the connection */
{
    struct peer p = peer_of(TCP_FIN_WAIT_2);

    peer_sends(&p, "FP. 1:11(10) ack 2");
    peer_sees(&p, ". 2:2(0) ack 12");
    EXPECT_EQ(peer_state(&p), TCP_TIME_WAIT);
    EXPECT_EQ(peer_reads(&p, 100), 10);
    EXPECT_EQ(peer_reads(&p, 100), 0);
}
