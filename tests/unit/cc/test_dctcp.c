/* test_dctcp.c - DCTCP: alpha, what a mark takes, and how short it keeps a queue */
#include "cc/cc.h"
#include "lib/path.h"
#include "lib/test.h"

enum { MSS = PATH_MSS };

/* A connection that is busy: cwnd is under way at any time. */
struct busy {
    struct cc cc;
    uint64_t delivered_bytes;
};

static struct busy busy_of(uint32_t cwnd_segs, uint32_t ssthresh)
{
    struct busy b = {.cc = {.ops = cc_find("dctcp"), .mss = MSS, .cwnd = cwnd_segs * MSS}};

    EXPECT(b.cc.ops != NULL);
    b.cc.ssthresh = ssthresh;
    b.cc.ops->init(&b.cc);
    return b;
}

static void acked(struct busy *b, uint32_t bytes, uint32_t ce_bytes)
{
    struct cc_ack ack = {
        .acked_bytes = bytes,
        .ce_bytes = ce_bytes,
        .flight_bytes = b->cc.cwnd,
        .delivered_bytes = b->delivered_bytes += bytes,
        .cwnd_limited = true,
    };

    ack.pipe_bytes = b->cc.cwnd;
    b->cc.ops->on_ack(&b->cc, &ack);
}

/* A window of a hundred segments is acknowledged, so many of them marked, and stays as it is. */
static void window_passes(struct busy *b, uint32_t marked_segs)
{
    b->cc.cwnd = b->cc.ssthresh = 100 * MSS;
    for (uint32_t i = 0; i < 100; i++) {
        acked(b, MSS, i < marked_segs ? MSS : 0);
        b->cc.cwnd = 100 * MSS;
    }
}

/* Alpha, found out by what a mark takes from a copy of the connection. */
static double alpha_of(struct busy b)
{
    uint32_t cwnd = 1u << 30;

    b.delivered_bytes += 200 * MSS; /* whatever was cut before is over */
    b.cc.cwnd = cwnd;
    acked(&b, 0, MSS);
    return 2.0 * (cwnd - b.cc.cwnd) / cwnd;
}

static bool is_near(double a, double b, double tolerance)
{
    double difference = a > b ? a - b : b - a;

    if (difference > tolerance)
        FAIL("%f is not %f", a, b);
    return true;
}

TEST(dctcp_first_mark_halves) /* alpha begins with 1 [RFC8257 3.3] */
{
    struct busy b = busy_of(100, UINT32_MAX);

    acked(&b, MSS, MSS);
    EXPECT_EQ(b.cc.cwnd, 50 * MSS);
    EXPECT_EQ(b.cc.ssthresh, 50 * MSS);
}

TEST(dctcp_cuts_once_in_a_window) /* [RFC8257 3.3] */
{
    struct busy b = busy_of(100, 100 * MSS);

    acked(&b, MSS, MSS);
    for (int i = 0; i < 99; i++)
        acked(&b, MSS, MSS);
    EXPECT_EQ(b.cc.cwnd, 50 * MSS);
    acked(&b, MSS, MSS);
    EXPECT_EQ(b.cc.cwnd, 25 * MSS);
}

/* (15/16)^n of the way remain after n windows: alpha comes to the share of marks [RFC8257 3.3]. */
TEST(dctcp_alpha_comes_to_the_share_of_marks)
{
    static const uint32_t shares[] = {0, 10, 50, 100};

    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        struct busy b = busy_of(100, 100 * MSS);
        double share = shares[i] / 100.0, left;
        window_passes(&b, shares[i]); /* the first window is a single acknowledgement */
        left = alpha_of(b) - share;
        for (int n = 0; n < 200; n++) {
            EXPECT(is_near(alpha_of(b), share + left, 0.005));
            window_passes(&b, shares[i]);
            left *= 15.0 / 16;
        }
        EXPECT(is_near(alpha_of(b), share, 0.001));
    }
}

TEST(dctcp_alpha_reaches_nothing) /* [RFC8257 4.2] */
{
    struct busy b = busy_of(100, 100 * MSS);

    for (int n = 0; n < 300; n++)
        window_passes(&b, 0);
    EXPECT(alpha_of(b) == 0);
    window_passes(&b, 1);
    EXPECT(is_near(alpha_of(b), 0.01 / 16, 0.0001));
}

/* More marks than bytes is what a peer may claim [RFC8257 4.2]. */
/* Alpha is that of all windows: those in which something is lost have marks, too. */
TEST(dctcp_counts_marks_in_recovery) /* [RFC8257 3.3] */
{
    struct busy b = busy_of(100, 100 * MSS);
    double before;

    for (int i = 0; i < 200; i++)
        window_passes(&b, 0);
    before = alpha_of(b);
    b.cc.cwnd = 50 * MSS;
    for (uint32_t i = 0; i < 400; i++) {
        struct cc_ack ack = {
            .acked_bytes = MSS,
            .ce_bytes = MSS,
            .delivered_bytes = b.delivered_bytes += MSS,
            .pipe_bytes = 50 * MSS,
            .in_recovery = true,
        };
        b.cc.ops->on_delivered(&b.cc, &ack);
    }
    EXPECT_EQ(b.cc.cwnd, 50 * MSS);
    EXPECT(is_near(before, 0, 0.01));
    EXPECT(alpha_of(b) > 0.3);
}

TEST(dctcp_alpha_is_not_above_one)
{
    struct busy b = busy_of(100, 100 * MSS);

    for (int n = 0; n < 10; n++)
        acked(&b, 200 * MSS, UINT32_MAX);
    EXPECT(alpha_of(b) == 1);
    EXPECT_EQ(b.cc.cwnd, 2 * MSS);
}

TEST(dctcp_answers_a_loss_as_reno_does) /* [RFC8257 3.5] */
{
    struct busy b = busy_of(100, 100 * MSS);

    b.cc.ops->on_loss(&b.cc, 0, 90 * MSS);
    EXPECT_EQ(b.cc.ssthresh, 45 * MSS);
    b.cc.ops->on_timeout(&b.cc, 0, 3 * MSS);
    EXPECT_EQ(b.cc.ssthresh, 2 * MSS);
}

TEST(dctcp_grows_as_reno_does) /* [RFC8257 3.4] */
{
    struct busy b = busy_of(10, 20 * MSS);

    for (uint32_t segs = 11; segs <= 20; segs++) {
        EXPECT_STR(b.cc.ops->phase(&b.cc), "slow start");
        acked(&b, MSS, 0);
        EXPECT_EQ(b.cc.cwnd, segs * MSS);
    }
    for (uint32_t i = 0; i < 20; i++)
        acked(&b, MSS, 0);
    EXPECT_EQ(b.cc.cwnd, 21 * MSS);
    EXPECT_STR(b.cc.ops->phase(&b.cc), "congestion avoidance");
}

/*
 * 1 Gbit/s and 500 us are 43 segments, marked from a seventh of that on: the link stays busy, and the
 * queue is about as long as the threshold, far from the 5 ms that there is room for [RFC8257 3.1].
 */
TEST(dctcp_keeps_a_short_queue)
{
    struct path p = path_of(1000, 5);
    struct path_flow *a = path_add(&p, "dctcp", 500 * NS_US, 0);
    struct path_flow *b = path_add(&p, "dctcp", 500 * NS_US, 100 * NS_MS);

    p.mark_ns = 100 * NS_US;
    path_run(&p, 500 * NS_MS);
    path_forget(&p);
    path_run(&p, 1500 * NS_MS);
    EXPECT(path_share(&p, a) + path_share(&p, b) > 0.97);
    EXPECT(is_near(path_share(&p, a), path_share(&p, b), 0.1));
    EXPECT(path_mean_wait(&p) < 150 * NS_US);
    EXPECT(p.wait_max_ns < 500 * NS_US);
    EXPECT(path_loss(a) == 0 && path_loss(b) == 0);
    path_free(&p);
}

/* Whatever is acknowledged, marked and lost. */
TEST(dctcp_bears_anything)
{
    static const uint32_t counts[] = {0, 1, MSS, 100 * MSS, 1 << 30, UINT32_MAX};
    static const uint32_t sizes[] = {1, 48, MSS, 65535};
    uint64_t random = test_seed();

    for (int run = 0; run < 300; run++) {
        struct busy b = busy_of(10, run % 2 == 0 ? UINT32_MAX : 100 * MSS);
        b.cc.mss = sizes[test_random_below(&random, 4)];
        b.cc.cwnd = 10 * b.cc.mss;
        for (int i = 0; i < 200; i++) {
            struct cc_ack ack = {
                .acked_bytes = counts[test_random_below(&random, 6)],
                .ce_bytes = counts[test_random_below(&random, 6)],
                .pipe_bytes = counts[test_random_below(&random, 6)],
                .cwnd_limited = test_random_below(&random, 4) != 0,
                .in_recovery = test_random_below(&random, 4) == 0,
            };

            ack.delivered_bytes = b.delivered_bytes += ack.acked_bytes;
            b.cc.ops->on_ack(&b.cc, &ack);
            EXPECT(b.cc.cwnd >= 2 * b.cc.mss || b.cc.cwnd >= b.cc.ssthresh);
            if (test_random_below(&random, 20) == 0) {
                b.cc.ops->on_loss(&b.cc, 0, counts[test_random_below(&random, 6)]);
                b.cc.cwnd = b.cc.ssthresh;
            }
            EXPECT(b.cc.ssthresh >= 2 * b.cc.mss);
        }
    }
}
