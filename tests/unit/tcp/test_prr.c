/* test_prr.c - proportional rate reduction, by the figures of RFC 9937 */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/prr.h"
#include "tcp/recovery.h"
#include <stdio.h>
#include <string.h>

enum { SEG = 1000 };

/* Twenty segments are under way, and that is the window. */
static struct peer peer_with_twenty(void)
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000,sackOK"});

    p.conn->work->cc.cwnd = 20 * SEG;
    p.conn->work->cc.ssthresh = 20 * SEG;
    peer_writes(&p, 60 * SEG);
    EXPECT_EQ(peer_skips(&p), 20);
    return p;
}

/* An acknowledgement: cumulative up to una, and selective for the numbers [from, to). */
static void acks(struct peer *p, unsigned una, unsigned from, unsigned to)
{
    char text[96];

    if (from < to)
        snprintf(text, sizeof text, ". 1:1(0) ack %u <nop,nop,sack %u:%u>", una * SEG + 1,
                 from * SEG + 1, to * SEG + 1);
    else
        snprintf(text, sizeof text, ". 1:1(0) ack %u", una * SEG + 1);
    EXPECT_EQ(peer_sends(p, text), WHY_NONE);
}

/* What is sent now, as the figures have it: 'N' new, 'R' again, '-' nothing. */
static char sends(struct peer *p)
{
    char what = '-';

    if (!peer_skips_one(p))
        return what;
    what = p->seen_resent ? 'R' : 'N';
    if (peer_skips_one(p))
        what = what == (p->seen_resent ? 'R' : 'N') ? '2' : '?';
    return what;
}

/* Segment 0 is lost. The row of what is sent is that of the figure. */
TEST(prr_spreads_what_it_sends_over_the_round_trip) /* [RFC9937 8, figure 1] */
{
    static const char sent[] = "NNR-N-N-N-N-N-N-N--";
    static const unsigned cwnd[] = {20, 20, 19, 18, 18, 17, 17, 16, 16, 15,
                                    15, 14, 14, 13, 13, 12, 12, 11, 10};
    struct peer p = peer_with_twenty();
    char seen[sizeof sent] = {0};

    for (unsigned i = 1; i <= 19; i++) {
        uint32_t want;
        acks(&p, 0, 1, i + 1);
        want = cwnd[i - 1] * SEG;
        if (i > 3) /* between whole segments, a part of the next is saved up */
            EXPECT_EQ(p.conn->work->cc.cwnd / SEG, want / SEG);
        seen[i - 1] = sends(&p);
    }
    EXPECT_STR(seen, sent);
    EXPECT_EQ(p.conn->work->cc.ssthresh, 10 * SEG);
    EXPECT_EQ(p.conn->work->prr.recover_fs, 20 * SEG);
}

/* Segments 0 to 14 are lost: as much as arrives, and one more for each sign of progress. */
TEST(prr_fills_the_window_up_when_losses_were_heavy) /* [RFC9937 8, figure 2] */
{
    static const unsigned cwnd_after_resends[] = {6, 7, 8, 9, 10, 10};
    struct peer p = peer_with_twenty();
    char seen[8] = {0};

    for (unsigned i = 15; i <= 21; i++) {
        acks(&p, 0, 15, i + 1);
        seen[i - 15] = sends(&p);
    }
    EXPECT_STR(seen, "NNRRRRR");
    EXPECT_EQ(p.conn->work->prr.recover_fs, 20 * SEG);
    for (unsigned i = 1; i <= 6; i++) {
        peer_waits(&p, NS_MS);
        acks(&p, i, 15, 22);
        EXPECT_EQ(p.conn->work->cc.cwnd, cwnd_after_resends[i - 1] * SEG);
        peer_skips(&p);
    }
}

TEST(prr_ends_with_a_window_of_ssthresh) /* [RFC9937 6.4] */
{
    struct peer p = peer_with_twenty();

    for (unsigned i = 1; i <= 19; i++) {
        acks(&p, 0, 1, i + 1);
        peer_skips(&p);
    }
    acks(&p, 22, 0, 0);
    EXPECT_EQ(p.conn->work->recovery.state, RECOVERY_OPEN);
    EXPECT_EQ(p.conn->work->cc.cwnd, 10 * SEG);
}

/* Sixty were known to have arrived before, and one more is: 100 - 61 + 1. */
TEST(prr_does_not_count_what_had_arrived_before) /* [RFC9937 6.1] */
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000,sackOK"});
    struct delivery d = {.sacked_bytes = SEG, .delivered_bytes = SEG};

    p.conn->snd.nxt = seq_add(p.conn->snd.una, 100 * SEG);
    p.conn->work->scoreboard.sacked_bytes = 61 * SEG;
    prr_begin(p.conn, &d);
    EXPECT_EQ(p.conn->work->prr.recover_fs, 40 * SEG);
    p.conn->work->cc.ssthresh = 50 * SEG;
    prr_on_ack(p.conn, &d, 39 * SEG);
    EXPECT_EQ(p.conn->work->cc.cwnd, 40 * SEG);
    p.conn->snd.nxt = p.conn->snd.una;
    p.conn->work->scoreboard.sacked_bytes = 0;
}

TEST(prr_saves_up_what_the_application_does_not_send) /* [RFC9937 7] */
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000,sackOK"});
    struct delivery d = {.delivered_bytes = SEG};

    p.conn->work->prr = (struct prr){.recover_fs = 20 * SEG};
    p.conn->work->cc.ssthresh = 10 * SEG;
    for (int i = 0; i < 10; i++)
        prr_on_ack(p.conn, &d, 4 * SEG);
    EXPECT_EQ(p.conn->work->cc.cwnd, 10 * SEG); /* ten have arrived: up to ssthresh */
    prr_on_sent(p.conn, 6 * SEG);
    prr_on_ack(p.conn, &d, 9 * SEG);
    EXPECT_EQ(p.conn->work->cc.cwnd, 10 * SEG);
    peer_skips(&p);
}

TEST(prr_sends_no_more_for_an_acknowledgement_that_shows_further_loss) /* [RFC9937 6.2, SafeACK] */
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000,sackOK"});
    struct delivery d = {.delivered_bytes = SEG, .cum_bytes = SEG, .lost_bytes = SEG};

    p.conn->work->prr = (struct prr){.recover_fs = 20 * SEG, .delivered = 5 * SEG, .out = 5 * SEG};
    p.conn->work->cc.ssthresh = 10 * SEG;
    prr_on_ack(p.conn, &d, 4 * SEG);
    EXPECT_EQ(p.conn->work->cc.cwnd, 5 * SEG);
    d.lost_bytes = 0;
    p.conn->work->prr.out = 6 * SEG;
    prr_on_ack(p.conn, &d, 4 * SEG);
    EXPECT_EQ(p.conn->work->cc.cwnd, 6 * SEG);
}
