/*
 * test_prague.c - Prague: alpha, what a mark takes, growth that depends little on round trips
 *
 * [Prague n.n] is draft-briscoe-iccrg-prague-congestion-control.
 */
#include "base/num.h"
#include "cc/cc.h"
#include "lib/path.h"
#include "lib/test.h"

enum { MSS = PATH_MSS };

/* A connection that is busy: its window is under way at any time. */
struct busy {
    struct cc cc;
    ns_t now, rtt_ns;
    uint64_t delivered_bytes;
};

static struct busy busy_of(uint32_t cwnd_segs, uint32_t ssthresh, ns_t rtt_ns)
{
    struct busy b = {.cc = {.ops = cc_find("prague"), .mss = MSS, .cwnd = cwnd_segs * MSS}};

    EXPECT(b.cc.ops != NULL);
    b.rtt_ns = rtt_ns;
    b.cc.ssthresh = ssthresh;
    b.cc.ops->init(&b.cc);
    return b;
}

static void acked(struct busy *b, uint32_t bytes, uint32_t ce_bytes)
{
    struct cc_ack ack = {
        .now = b->now,
        .acked_bytes = bytes,
        .ce_bytes = ce_bytes,
        .flight_bytes = b->cc.cwnd,
        .pipe_bytes = b->cc.cwnd,
        .delivered_bytes = b->delivered_bytes += bytes,
        .rtt_ns = b->rtt_ns,
        .srtt_ns = b->rtt_ns,
        .cwnd_limited = true,
    };

    b->cc.ops->on_ack(&b->cc, &ack);
}

/* A round trip, in which a window is acknowledged, each segment for itself. */
static void round_passes(struct busy *b, uint32_t marked_segs)
{
    uint32_t segs = b->cc.cwnd / MSS;
    ns_t start_at = b->now;

    for (uint32_t i = 0; i < segs; i++) {
        b->now = start_at + b->rtt_ns * (i + 1) / segs;
        acked(b, MSS, i < marked_segs ? MSS : 0);
    }
}

/* Five hundred round trips after slow start: from now on 25 ms are the least that counts. */
static void grows_old(struct busy *b)
{
    uint32_t cwnd = b->cc.cwnd;

    b->cc.ssthresh = cwnd;
    for (int i = 0; i < 520; i++) {
        round_passes(b, 0);
        b->cc.cwnd = cwnd;
    }
}

static bool is_near(double a, double b, double tolerance)
{
    double difference = a > b ? a - b : b - a;

    if (difference > tolerance)
        FAIL("%f is not %f", a, b);
    return true;
}

/* Alpha, found out by what a mark takes from a copy of the connection. */
static double alpha_of(struct busy b)
{
    b.delivered_bytes += 1000000000; /* whatever was cut before is over */
    b.now += NS_S;
    b.cc.cwnd = 1u << 30;
    b.cc.ssthresh = 0;
    acked(&b, 1, 1);
    return 2.0 * ((1u << 30) - b.cc.cwnd) / (1u << 30);
}

TEST(prague_first_mark_ends_slow_start_and_halves) /* [Prague 2.4.5] */
{
    struct busy b = busy_of(100, UINT32_MAX, 40 * NS_MS);

    acked(&b, MSS, 0);
    EXPECT_EQ(b.cc.cwnd, 101 * MSS);
    EXPECT_STR(b.cc.ops->phase(&b.cc), "slow start");
    acked(&b, MSS, MSS);
    EXPECT_EQ(b.cc.cwnd, 101 * MSS / 2);
    EXPECT_STR(b.cc.ops->phase(&b.cc), "congestion avoidance");
}

/* 0.9375, 0.8789, ..., 0.5245 after ten updates without marks [Prague 2.3.2]. */
TEST(prague_alpha_is_smoothed_over_sixteen_rounds)
{
    static const struct {
        int updates;
        double alpha;
    } rows[] = {{1, 0.9375}, {2, 0.8789}, {10, 0.5245}, {100, 0.0016}};
    struct busy b = busy_of(100, 100 * MSS, 40 * NS_MS);
    int updates = 0;
    double first;

    acked(&b, MSS, MSS); /* a first period of one segment that is marked: alpha stays 1 */
    first = alpha_of(b);
    EXPECT(is_near(first, 1, 0.0001));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double before = first;
        while (updates < rows[i].updates) {
            acked(&b, MSS, 0);
            b.now += NS_MS;
            if (alpha_of(b) < before - 1e-9)
                updates++;
            before = alpha_of(b);
        }
        EXPECT(is_near(alpha_of(b), rows[i].alpha, 0.0001));
        first = before;
    }
}

/* Alpha does not stick when it is small: a mark in 10,000 bytes is not lost [Prague 2.3.2]. */
TEST(prague_alpha_comes_to_the_share_of_marks)
{
    static const uint32_t marked[] = {1, 10, 50};

    for (size_t i = 0; i < 3; i++) {
        struct busy b = busy_of(1000, 1000 * MSS, 40 * NS_MS);
        for (int n = 0; n < 400; n++) {
            round_passes(&b, marked[i]);
            b.cc.cwnd = b.cc.ssthresh = 1000 * MSS;
        }
        EXPECT(is_near(alpha_of(b), marked[i] / 1000.0, 0.0001));
    }
}

/* A round trip, and 25 ms once that is the least that counts [Prague 2.4.2]. */
TEST(prague_cuts_once_in_a_virtual_round_trip)
{
    struct busy b = busy_of(100, 100 * MSS, 10 * NS_MS);
    uint32_t cwnd;

    grows_old(&b);
    acked(&b, MSS, MSS);
    cwnd = b.cc.cwnd;
    EXPECT(cwnd < 51 * MSS);
    for (int i = 0; i < 2; i++)
        round_passes(&b, 1);
    EXPECT(b.cc.cwnd >= cwnd);
    b.now += 5 * NS_MS;
    acked(&b, MSS, MSS);
    EXPECT(b.cc.cwnd < cwnd - cwnd / 4);
}

/* A segment in a round trip of 25 ms or more; of 5 ms, a twenty-fifth of one [Prague 2.4.4]. */
TEST(prague_growth_depends_little_on_the_round_trip)
{
    static const struct {
        ns_t rtt_ms;
        double segs;
    } rows[] = {{5, 1 / 25.0}, {12, 0.2304}, {25, 1}, {80, 1}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct busy b = busy_of(100, 100 * MSS, rows[i].rtt_ms * NS_MS);
        round_passes(&b, 0);
        EXPECT(is_near(b.cc.cwnd / (double)MSS, 101, 0.02)); /* not yet */
        b.cc.cwnd = 100 * MSS;
        grows_old(&b);
        for (int n = 0; n < 25; n++)
            round_passes(&b, 0);
        EXPECT(is_near(b.cc.cwnd / (double)MSS, 100 + 25 * rows[i].segs, 0.4));
    }
}

/* Twenty segments, of which two are marked: 18/20 of a segment [Prague 2.4.3]. */
TEST(prague_grows_by_what_is_not_marked)
{
    struct busy b = busy_of(20, 20 * MSS, 40 * NS_MS);
    uint32_t cwnd;

    acked(&b, MSS, MSS);
    b.cc.cwnd = cwnd = 20 * MSS; /* reduced; marks in this round trip take nothing more */
    acked(&b, 20 * MSS, 2 * MSS);
    EXPECT(is_near(b.cc.cwnd - cwnd, 0.9 * MSS, 2));
}

TEST(prague_does_not_grow_a_window_that_is_not_used)
{
    struct busy b = busy_of(100, 100 * MSS, 40 * NS_MS);
    struct cc_ack ack = {.acked_bytes = MSS, .flight_bytes = 50 * MSS, .srtt_ns = 40 * NS_MS};

    for (int i = 0; i < 200; i++)
        b.cc.ops->on_ack(&b.cc, &ack);
    EXPECT_EQ(b.cc.cwnd, 100 * MSS);
    ack.flight_bytes = 95 * MSS; /* as much as pacing lets out */
    for (int i = 0; i < 200; i++)
        b.cc.ops->on_ack(&b.cc, &ack);
    EXPECT(b.cc.cwnd > 101 * MSS);
}

/* Alpha 1: 100, a mark takes 50, and a loss in the same round trip 12.5 more [Prague 2.4.1]. */
TEST(prague_answers_a_loss_as_reno_does_with_marks_counted)
{
    struct busy b = busy_of(100, 100 * MSS, 40 * NS_MS);

    b.cc.ops->on_loss(&b.cc, 0, 100 * MSS);
    EXPECT_EQ(b.cc.ssthresh, 50 * MSS);
    acked(&b, MSS, MSS);
    EXPECT_EQ(b.cc.cwnd, 50 * MSS);
    b.cc.ops->on_loss(&b.cc, 0, 100 * MSS);
    EXPECT_EQ(b.cc.ssthresh, 75 * MSS / 2);
    b.cc.ops->on_timeout(&b.cc, 0, 3 * MSS);
    EXPECT_EQ(b.cc.ssthresh, 2 * MSS);
}

/* Window in a round trip; in slow start twice that; a quarter of a millisecond at once [Prague 2.5]. */
TEST(prague_paces)
{
    struct busy b = busy_of(100, UINT32_MAX, 10 * NS_MS);

    acked(&b, 0, 0);
    EXPECT_EQ(b.cc.pacing_rate, 2 * 100 * MSS * 100);
    EXPECT_EQ(b.cc.send_quantum, 7300);
    b.cc.ssthresh = 100 * MSS;
    acked(&b, 0, 0);
    EXPECT_EQ(b.cc.pacing_rate, 100 * MSS * 100);
    b = busy_of(10, 10 * MSS, 10 * NS_MS);
    acked(&b, 0, 0);
    EXPECT_EQ(b.cc.send_quantum, MSS);
    b.cc.srtt_ns = 10 * NS_MS;
    b.cc.ssthresh = UINT32_MAX;
    b.cc.ops->init(&b.cc);
    EXPECT_EQ(b.cc.pacing_rate, 2 * 10 * MSS * 100); /* from the first segment on */
}

/* cwnd stays two segments; the rate goes on falling, and comes back [RFC9331 4.3]. */
TEST(prague_window_below_two_segments_is_kept_by_pacing)
{
    struct busy b = busy_of(10, 10 * MSS, 10 * NS_MS);

    for (int i = 0; i < 20; i++) {
        b.now += 30 * NS_MS;
        acked(&b, 20 * MSS, 20 * MSS);
    }
    EXPECT_EQ(b.cc.cwnd, 2 * MSS);
    EXPECT_EQ(b.cc.pacing_rate, MSS / 16.0 * 100);
    for (int i = 0; i < 5; i++) {
        b.now += 30 * NS_MS;
        acked(&b, MSS, 0);
    }
    EXPECT(b.cc.pacing_rate >= MSS * 100 && b.cc.pacing_rate < 3 * MSS * 100);
}

/* ---- on a path ---- */

/* 50 Mbit/s and 20 ms, with a step at 1 ms [RFC9332 4.2]: the link is busy, the queue below it. */
TEST(prague_holds_an_l4s_queue_below_its_step)
{
    static const ns_t rtts_ms[] = {5, 20, 40};

    for (size_t i = 0; i < sizeof rtts_ms / sizeof rtts_ms[0]; i++) {
        struct path p = path_of(50, 50);
        struct path_flow *f = path_add(&p, "prague", rtts_ms[i] * NS_MS, 0);
        p.mark_ns = NS_MS;
        path_run(&p, 5 * NS_S);
        path_forget(&p);
        path_run(&p, 25 * NS_S);
        EXPECT(path_share(&p, f) > 0.96);
        EXPECT(path_mean_wait(&p) < NS_MS);
        EXPECT(p.wait_max_ns < 2 * NS_MS);
        EXPECT(path_loss(f) == 0);
        EXPECT_STR(f->cc.ops->phase(&f->cc), "congestion avoidance");
        path_free(&p);
    }
}

static double jain_of(double x, double y)
{
    return (x + y) * (x + y) / (2 * (x * x + y * y));
}

TEST(prague_flows_share_a_link_whatever_their_round_trips) /* [RFC9331 4.3] */
{
    static const ns_t rtts_ms[] = {20, 10};

    for (size_t i = 0; i < sizeof rtts_ms / sizeof rtts_ms[0]; i++) {
        struct path p = path_of(50, 50);
        struct path_flow *a = path_add(&p, "prague", 20 * NS_MS, 0);
        struct path_flow *b = path_add(&p, "prague", rtts_ms[i] * NS_MS, 2 * NS_S);
        p.mark_ns = NS_MS;
        path_run(&p, 20 * NS_S);
        path_forget(&p);
        path_run(&p, 60 * NS_S);
        EXPECT(path_share(&p, a) + path_share(&p, b) > 0.96);
        EXPECT(jain_of(path_share(&p, a), path_share(&p, b)) > 0.95);
        EXPECT(path_mean_wait(&p) < NS_MS);
        path_free(&p);
    }
}

/* A queue that marks from 15 ms on is not an L4S one: it is answered like CUBIC's and Reno's. */
TEST(prague_finds_a_classic_queue) /* [RFC9331 4.3, appendix A.1.5] */
{
    struct path p = path_of(50, 100);
    struct path_flow *f = path_add(&p, "prague", 20 * NS_MS, 0);
    struct path_flow *reno = path_add(&p, "reno", 20 * NS_MS, 0);

    p.mark_ns = 15 * NS_MS;
    EXPECT(path_run_to_phase(&p, f, "classic queue", 30 * NS_S));
    path_run(&p, p.now + 10 * NS_S);
    path_forget(&p);
    path_run(&p, p.now + 60 * NS_S);
    EXPECT(path_share(&p, reno) > 0.3);
    EXPECT(path_share(&p, f) > 0.3);
    path_free(&p);
}

TEST(prague_shares_a_link_that_only_drops)
{
    struct path p = path_of(50, 40);
    struct path_flow *a = path_add(&p, "prague", 40 * NS_MS, 0);
    struct path_flow *b = path_add(&p, "reno", 40 * NS_MS, 0);

    b->is_paced = true; /* else its bursts are what is dropped */
    path_run(&p, 60 * NS_S);
    EXPECT(path_share(&p, a) > 0.3 && path_share(&p, b) > 0.3);
    path_free(&p);
}

/* Whatever is acknowledged, measured, marked and lost. */
TEST(prague_bears_anything)
{
    static const ns_t durations[] = {0, 1, NS_MS, NS_S, 3600 * NS_S, NEVER / 4, NEVER};
    static const uint32_t counts[] = {0, 1, MSS, 100 * MSS, 1 << 30, UINT32_MAX};
    static const uint32_t sizes[] = {1, 48, MSS, 65535};
    uint64_t random = test_seed();

    for (int run = 0; run < 300; run++) {
        struct busy b = busy_of(10, run % 2 == 0 ? UINT32_MAX : 100 * MSS, NS_MS);
        b.cc.mss = sizes[test_random_below(&random, 4)];
        b.cc.cwnd = 10 * b.cc.mss;
        b.now = INT64_MIN + 1;
        for (int i = 0; i < 200; i++) {
            struct cc_ack ack = {
                .acked_bytes = counts[test_random_below(&random, 6)],
                .ce_bytes = counts[test_random_below(&random, 6)],
                .flight_bytes = counts[test_random_below(&random, 6)],
                .pipe_bytes = counts[test_random_below(&random, 6)],
                .rtt_ns = durations[test_random_below(&random, 7)],
                .srtt_ns = durations[test_random_below(&random, 7)],
                .cwnd_limited = test_random_below(&random, 4) != 0,
            };

            b.now = ns_after(b.now, durations[test_random_below(&random, 6)]);
            ack.now = ns_min(b.now, NEVER - 1);
            ack.delivered_bytes = b.delivered_bytes += ack.acked_bytes;
            b.cc.ops->on_ack(&b.cc, &ack);
            EXPECT(b.cc.cwnd >= 2 * b.cc.mss);
            if (test_random_below(&random, 20) == 0) {
                b.cc.ops->on_loss(&b.cc, ack.now, counts[test_random_below(&random, 6)]);
                b.cc.cwnd = b.cc.ssthresh;
            }
            if (test_random_below(&random, 40) == 0) {
                b.cc.ops->on_timeout(&b.cc, ack.now, counts[test_random_below(&random, 6)]);
                b.cc.cwnd = b.cc.mss;
            }
            EXPECT(b.cc.ssthresh >= 2 * b.cc.mss);
        }
    }
}
