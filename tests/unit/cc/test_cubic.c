/*
 * test_cubic.c - CUBIC: its curve, its reductions, and when it does not grow
 *
 * The expected windows are computed here with doubles and the RFC's own formulas, in
 * segments and seconds; the code has integers, bytes and 2^-10 s.
 */
#include "cc/cc.h"
#include "lib/path.h"
#include "lib/test.h"

enum { MSS = PATH_MSS };

static struct cc cubic_of(uint32_t cwnd_segs, uint32_t ssthresh)
{
    struct cc cc = {.ops = cc_find("cubic"), .mss = MSS, .cwnd = cwnd_segs * MSS};

    EXPECT(cc.ops != NULL);
    cc.ssthresh = ssthresh;
    cc.ops->init(&cc);
    return cc;
}

/* Loss recovery sets cwnd to ssthresh, and after a timeout to one segment. */
static void loses(struct cc *cc, uint32_t flight_bytes)
{
    cc->ops->on_loss(cc, 0, flight_bytes);
    cc->cwnd = cc->ssthresh;
}

static void times_out(struct cc *cc)
{
    cc->ops->on_timeout(cc, 0, cc->cwnd);
    cc->cwnd = cc->mss;
}

/* An acknowledgement of so many segments. */
static void acked(struct cc *cc, ns_t now, uint32_t segs, ns_t srtt_ns)
{
    struct cc_ack ack = {
        .now = now,
        .acked_bytes = segs * MSS,
        .flight_bytes = cc->cwnd,
        .rtt_ns = srtt_ns,
        .srtt_ns = srtt_ns,
        .cwnd_limited = true,
    };

    cc->ops->on_ack(cc, &ack);
}

/* A busy connection from one instant to another: each segment of cwnd is acknowledged for itself. */
static ns_t busy(struct cc *cc, ns_t now, ns_t until, ns_t rtt_ns)
{
    while (now < until) {
        uint32_t before = cc->cwnd;
        acked(cc, now, 1, rtt_ns);
        EXPECT(cc->cwnd >= before);
        now += rtt_ns / (cc->cwnd / MSS);
    }
    return now;
}

static double segs_of(const struct cc *cc)
{
    return (double)cc->cwnd / MSS;
}

static double cube_root_of(double a)
{
    double x = a > 1 ? a : 1;

    for (int i = 0; i < 200; i++)
        x -= (x * x * x - a) / (3 * x * x);
    return a <= 0 ? 0 : x;
}

/* W_cubic(t) [RFC9438 4.2, figures 1 and 2]. */
static double curve(double t_s, double w_max, double cwnd_epoch)
{
    double d = t_s - cube_root_of((w_max - cwnd_epoch) / 0.4);

    return 0.4 * d * d * d + w_max;
}

static bool is_near(double a, double b, double tolerance)
{
    double difference = a > b ? a - b : b - a;

    if (difference > tolerance)
        FAIL("%f is not %f", a, b);
    return true;
}

TEST(cubic_is_the_default) /* [RFC9293 MAY-18] */
{
    EXPECT_STR(cc_at(0)->name, "cubic");
}

/* 1000 segments, 700 after the loss, 100 ms: K is 9.0856 s [RFC9438 4.2, 4.4, 4.5]. */
TEST(cubic_window_follows_the_curve)
{
    static const struct {
        ns_t at_s;
        double segs;
    } rows[] = {
        {1, 788.56},   {2, 857.71},   {3, 909.85},   {4, 947.39},   {5, 972.72},
        {6, 988.25},   {7, 996.37},   {8, 999.49},   {10, 1000.31}, {11, 1002.81},
        {12, 1009.90}, {13, 1023.99}, {15, 1082.75}, {18, 1283.36},
    };
    struct cc cc = cubic_of(1000, 1000 * MSS);
    ns_t now = -2 * NS_S; /* instants may be negative */
    ns_t start_at = now;

    loses(&cc, cc.cwnd);
    EXPECT_EQ(cc.cwnd, 700 * MSS);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        now = busy(&cc, now, start_at + rows[i].at_s * NS_S, 100 * NS_MS);
        EXPECT(is_near(curve((double)rows[i].at_s, 1000, 700), rows[i].segs, 0.01));
        EXPECT(is_near(segs_of(&cc), rows[i].segs, rows[i].segs / 1000));
    }
}

/* One acknowledgement for many segments does not take the window off the curve. */
TEST(cubic_window_follows_the_curve_with_stretched_acknowledgements)
{
    struct cc cc = cubic_of(1000, 1000 * MSS);
    ns_t now = 0;

    loses(&cc, cc.cwnd);
    while (now < 15 * NS_S) {
        acked(&cc, now, 10, 100 * NS_MS);
        now += 100 * NS_MS / (cc.cwnd / (10 * MSS));
    }
    EXPECT(is_near(segs_of(&cc), curve(15, 1000, 700), 1));
}

TEST(cubic_curves_of_many_windows) /* [RFC9438 4.2] */
{
    static const uint32_t w_max_segs[] = {1500, 3000, 5000, 10000};

    for (size_t i = 0; i < sizeof w_max_segs / sizeof w_max_segs[0]; i++) {
        double w_max = w_max_segs[i];
        struct cc cc = cubic_of(w_max_segs[i], w_max_segs[i] * MSS);
        ns_t now = 0;

        loses(&cc, cc.cwnd);
        for (ns_t at_s = 2; at_s <= 12; at_s += 2) {
            now = busy(&cc, now, at_s * NS_S, 200 * NS_MS);
            EXPECT(is_near(segs_of(&cc), curve((double)at_s, w_max, 0.7 * w_max), w_max / 1000));
        }
    }
}

/* 100 segments, 70 after the loss, 10 ms: W_est is at 100 after 0.567 s [RFC9438 4.3]. */
TEST(cubic_is_as_fast_as_reno_where_reno_is_faster)
{
    struct cc cc = cubic_of(100, 100 * MSS);
    ns_t now = 0;

    loses(&cc, cc.cwnd);
    now = busy(&cc, now, 300 * NS_MS, 10 * NS_MS);
    EXPECT(is_near(segs_of(&cc), 70 + 30 * 9.0 / 17, 0.5));
    now = busy(&cc, now, 567 * NS_MS, 10 * NS_MS);
    EXPECT(is_near(segs_of(&cc), 100, 0.5));
    now = busy(&cc, now, 1 * NS_S, 10 * NS_MS);
    EXPECT(is_near(segs_of(&cc), 143.3, 1));
    now = busy(&cc, now, 2 * NS_S, 10 * NS_MS);
    EXPECT(is_near(segs_of(&cc), 243.3, 1.5));
}

/*
 * One flow alone, 100 ms, and every 1000th segment is lost: it comes back to where it was, all but a
 * fraction of a segment, and is nobody to give way to [RFC9438 4.7]. Linux's window is 36 to 52
 * segments then, 45 on the average; with Reno's growth alone it would be 31 to 44.
 */
TEST(cubic_alone_does_not_give_way_to_itself)
{
    struct cc cc = cubic_of(53, 53 * MSS);
    ns_t now = 0;
    uint64_t sum_segs = 0;
    uint32_t rounds = 0;

    for (int losses = 0; losses < 60; losses++) {
        uint32_t sent_segs = 0;
        loses(&cc, cc.cwnd / MSS * MSS);
        for (; sent_segs < 1000; rounds++) {
            uint32_t segs = cc.cwnd / MSS;
            for (uint32_t i = 0; i < segs; i++)
                acked(&cc, now + i * 100 * NS_MS / segs, 1, 100 * NS_MS);
            now += 100 * NS_MS;
            sent_segs += segs;
        }
        sum_segs += sent_segs;
    }
    EXPECT(is_near((double)sum_segs / rounds, 45, 1.5));
}

TEST(cubic_reduction_is_to_seven_tenths_of_the_flight) /* [RFC9438 4.6] */
{
    static const struct {
        uint32_t cwnd_segs, flight_segs, ssthresh_bytes;
    } rows[] = {
        {1000, 1000, 700 * MSS}, {1000, 300, 210 * MSS}, {2, 2, 2 * MSS},
        {1, 0, 2 * MSS},         {3, 3, 3066},           {4, 3, 3066},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cc cc = cubic_of(rows[i].cwnd_segs, UINT32_MAX);
        cc.ops->on_loss(&cc, 0, rows[i].flight_segs * MSS);
        EXPECT_EQ(cc.ssthresh, rows[i].ssthresh_bytes);
        cc = cubic_of(rows[i].cwnd_segs, UINT32_MAX);
        cc.ops->on_timeout(&cc, 0, rows[i].flight_segs * MSS);
        EXPECT_EQ(cc.ssthresh, rows[i].ssthresh_bytes);
    }
}

/* A whole segment is missing, or only half of one [RFC9438 4.7]. */
TEST(cubic_compares_windows_in_segments)
{
    static const struct {
        uint32_t missing_bytes;
        double w_max_segs;
    } rows[] = {{MSS, 999 * 0.85}, {MSS / 2, 999.5}, {0, 1000}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cc cc = cubic_of(1000, 1000 * MSS);
        loses(&cc, cc.cwnd);
        cc.cwnd = 1000 * MSS - rows[i].missing_bytes;
        loses(&cc, cc.cwnd);
        (void)busy(&cc, 0, 3 * NS_S, 100 * NS_MS);
        EXPECT(is_near(segs_of(&cc), curve(3, rows[i].w_max_segs, (double)cc.ssthresh / MSS), 1));
    }
}

/* A loss at 900 segments that had been 1000: the curve aims at 765 [RFC9438 4.7]. */
TEST(cubic_gives_way_if_it_has_not_come_back_to_where_it_was)
{
    struct cc cc = cubic_of(1000, 1000 * MSS);
    ns_t now = 0;

    loses(&cc, cc.cwnd);
    cc.cwnd = 900 * MSS;
    loses(&cc, cc.cwnd);
    EXPECT_EQ(cc.cwnd, 630 * MSS);
    now = busy(&cc, now, 3 * NS_S, 100 * NS_MS);
    EXPECT(is_near(segs_of(&cc), curve(3, 765, 630), 0.5));
    now = busy(&cc, now, 6962 * NS_MS, 100 * NS_MS);
    EXPECT(is_near(segs_of(&cc), 765, 0.5));
}

TEST(cubic_remembers_all_of_a_window_that_has_grown) /* [RFC9438 4.7] */
{
    struct cc cc = cubic_of(1000, 1000 * MSS);

    loses(&cc, cc.cwnd);
    cc.cwnd = 1100 * MSS;
    loses(&cc, cc.cwnd);
    EXPECT_EQ(cc.cwnd, 770 * MSS);
    (void)busy(&cc, 0, 3 * NS_S, 100 * NS_MS);
    EXPECT(is_near(segs_of(&cc), curve(3, 1100, 770), 0.5));
}

/* Slow start to ssthresh, and from there the curve with K = 0 [RFC9438 4.8]. */
TEST(cubic_after_a_timeout_starts_slowly_and_then_flat)
{
    struct cc cc = cubic_of(1000, 1000 * MSS);

    loses(&cc, cc.cwnd);
    cc.cwnd = 1000 * MSS;
    times_out(&cc);
    EXPECT_EQ(cc.ssthresh, 700 * MSS);
    for (uint32_t segs = 2; segs <= 700; segs++) {
        acked(&cc, 0, 1, 300 * NS_MS);
        EXPECT_EQ(cc.cwnd, segs * MSS);
    }
    (void)busy(&cc, 0, 8 * NS_S, 300 * NS_MS);
    EXPECT(is_near(segs_of(&cc), 700 + 0.4 * 8 * 8 * 8, 2));
}

/* 4 s busy, 6 s not, and 1 s busy are 5 s [RFC9438 4.2]. */
TEST(cubic_does_not_count_time_in_which_the_window_was_not_used)
{
    struct cc cc = cubic_of(1000, 1000 * MSS);
    ns_t now = 0;
    uint32_t before;

    loses(&cc, cc.cwnd);
    now = busy(&cc, now, 4 * NS_S, 100 * NS_MS);
    before = cc.cwnd;
    for (; now < 10 * NS_S; now += 50 * NS_MS) {
        struct cc_ack ack = {.now = now, .acked_bytes = MSS, .flight_bytes = 10 * MSS};
        ack.rtt_ns = ack.srtt_ns = 100 * NS_MS;
        cc.ops->on_ack(&cc, &ack);
    }
    EXPECT_EQ(cc.cwnd, before);
    (void)busy(&cc, now, now + 1 * NS_S, 100 * NS_MS);
    EXPECT(is_near(segs_of(&cc), 972.72, 0.5));
}

/* Nothing was acknowledged for 6 s, or for a day: that was a pause [RFC9438 5.8]. */
TEST(cubic_does_not_count_silence)
{
    static const ns_t pauses[] = {6 * NS_S, 86400 * NS_S};

    for (size_t i = 0; i < sizeof pauses / sizeof pauses[0]; i++) {
        struct cc cc = cubic_of(1000, 1000 * MSS);
        ns_t now = 0;

        loses(&cc, cc.cwnd);
        now = busy(&cc, now, 4 * NS_S, 100 * NS_MS) + pauses[i];
        (void)busy(&cc, now, now + 900 * NS_MS, 100 * NS_MS);
        EXPECT(is_near(segs_of(&cc), 972.72, 1)); /* a round trip of the pause counts */
    }
}

/* The pause ends with what is sent, so that the round trip after it counts [RFC9438 4.2, 5.8]. */
TEST(cubic_goes_on_where_it_was_before_a_pause)
{
    struct cc cc = cubic_of(1000, 1000 * MSS);
    ns_t now = 0;

    loses(&cc, cc.cwnd);
    now = busy(&cc, now, 4 * NS_S, 100 * NS_MS) + 6 * NS_S;
    cc.ops->on_restart(&cc, now, 6 * NS_S);
    (void)busy(&cc, now + 100 * NS_MS, now + 1 * NS_S, 100 * NS_MS);
    EXPECT(is_near(segs_of(&cc), 972.72, 0.5));
}

/* 1000 segments became 700, and were 720 when nothing turned out to be lost [RFC9438 4.9.2]. */
TEST(cubic_goes_on_where_it_was_before_a_reduction_that_was_not_needed)
{
    struct cc cc = cubic_of(1000, 1000 * MSS);
    ns_t now = 0;
    uint32_t cwnd;

    loses(&cc, cc.cwnd);
    now = busy(&cc, now, 4 * NS_S, 100 * NS_MS);
    cwnd = cc.cwnd;
    for (int i = 0; i < 2; i++) {
        uint32_t ssthresh = cc.ssthresh;
        if (i == 0)
            loses(&cc, cc.cwnd);
        else
            times_out(&cc);
        (void)busy(&cc, now, now + 100 * NS_MS, 100 * NS_MS);
        EXPECT(cc.cwnd < cwnd);
        cc.cwnd = cwnd;
        cc.ssthresh = ssthresh;
        cc.ops->on_undo(&cc, now);
    }
    (void)busy(&cc, now, now + 1 * NS_S, 100 * NS_MS);
    EXPECT(is_near(segs_of(&cc), 972.72, 0.5));
}

/* 1005 segments are more than the 1000 of before: nothing is put back [RFC9438 4.9.2]. */
TEST(cubic_keeps_what_has_grown_beyond_a_reduction_that_was_not_needed)
{
    struct cc cc = cubic_of(1000, 1000 * MSS);

    loses(&cc, cc.cwnd);
    cc.cwnd = 1005 * MSS;
    cc.ops->on_undo(&cc, 0);
    (void)busy(&cc, 0, 3 * NS_S, 300 * NS_MS);
    EXPECT(is_near(segs_of(&cc), 1005 + 0.4 * 3 * 3 * 3, 1)); /* K = 0 */
}

TEST(cubic_first_slow_start_goes_on_if_a_loss_was_none) /* [RFC9438 4.9] */
{
    struct cc cc = cubic_of(50, UINT32_MAX);

    loses(&cc, cc.cwnd);
    EXPECT_EQ(cc.cwnd, 35 * MSS);
    cc.cwnd = 50 * MSS;
    cc.ssthresh = UINT32_MAX;
    cc.ops->on_undo(&cc, 0);
    for (int i = 0; i < 50; i++)
        acked(&cc, 0, 1, 100 * NS_MS);
    EXPECT_EQ(cc.cwnd, 100 * MSS);
}

TEST(cubic_answers_a_mark_like_a_loss_down_to_one_segment) /* [RFC9438 4.6] */
{
    static const struct {
        uint32_t flight_segs, ssthresh_bytes;
    } rows[] = {{1000, 700 * MSS}, {2, 2044}, {1, MSS}, {0, MSS}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cc cc = cubic_of(1000, UINT32_MAX);
        cc.ops->on_ecn(&cc, 0, rows[i].flight_segs * MSS);
        EXPECT_EQ(cc.ssthresh, rows[i].ssthresh_bytes);
    }
}

TEST(cubic_names_its_phases) /* [RFC9438 4.3 to 4.5, 4.10], [RFC9406 4.2] */
{
    struct cc cc = cubic_of(50, UINT32_MAX);
    ns_t now = 0;

    EXPECT_STR(cc.ops->phase(&cc), "slow start");
    for (int i = 0; i < 58; i++)
        acked(&cc, 0, 1, i < 50 ? 100 * NS_MS : 150 * NS_MS);
    EXPECT_STR(cc.ops->phase(&cc), "conservative slow start");
    cc = cubic_of(1000, 1000 * MSS);
    loses(&cc, cc.cwnd);
    now = busy(&cc, now, 4 * NS_S, 100 * NS_MS);
    EXPECT_STR(cc.ops->phase(&cc), "concave");
    (void)busy(&cc, now, 12 * NS_S, 100 * NS_MS);
    EXPECT_STR(cc.ops->phase(&cc), "convex");
    cc = cubic_of(100, 100 * MSS);
    loses(&cc, cc.cwnd);
    (void)busy(&cc, 0, 300 * NS_MS, 10 * NS_MS);
    EXPECT_STR(cc.ops->phase(&cc), "Reno-friendly");
}

/* Slow start in between, after a pause, begins another curve from ssthresh [RFC9438 4.2]. */
TEST(cubic_after_a_restart_begins_anew)
{
    struct cc cc = cubic_of(1000, 1000 * MSS);
    ns_t now = 0;

    loses(&cc, cc.cwnd);
    now = busy(&cc, now, 4 * NS_S, 100 * NS_MS);
    cc.cwnd = 10 * MSS;
    for (uint32_t segs = 11; segs <= 700; segs++) {
        acked(&cc, now, 1, 100 * NS_MS);
        EXPECT_EQ(cc.cwnd, segs * MSS);
    }
    (void)busy(&cc, now, now + 4 * NS_S, 100 * NS_MS);
    EXPECT(is_near(segs_of(&cc), 947.39, 0.5));
}

/* W_max is far away, and cwnd is 128: half of it for a window acknowledged [RFC9438 4.2]. */
TEST(cubic_grows_by_half_in_a_round_trip_at_most)
{
    static const struct {
        uint32_t acked_segs, cwnd_bytes;
    } rows[] = {
        {1, 128 * MSS + MSS / 2},
        {32, 144 * MSS},
        {128, 192 * MSS},
        {1000, 192 * MSS}, /* more than cwnd counts as cwnd */
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cc cc = cubic_of(10000, 10000 * MSS);
        loses(&cc, cc.cwnd);
        cc.cwnd = cc.ssthresh = 128 * MSS;
        acked(&cc, 0, rows[i].acked_segs, 60 * NS_S);
        EXPECT_EQ(cc.cwnd, rows[i].cwnd_bytes);
    }
}

TEST(cubic_first_slow_start_doubles) /* [RFC9406 4.2, 4.3], [RFC9438 4.10] */
{
    struct cc cc = cubic_of(10, UINT32_MAX);

    for (int i = 0; i < 10; i++)
        acked(&cc, 0, 1, 40 * NS_MS);
    EXPECT_EQ(cc.cwnd, 20 * MSS);
    acked(&cc, 0, 20, 40 * NS_MS); /* all of it counts */
    EXPECT_EQ(cc.cwnd, 40 * MSS);
    EXPECT_EQ(cc.ssthresh, UINT32_MAX);
}

/* A round of 100 segments, and five by a quarter each; then the curve with K = 0 [RFC9438 4.10]. */
TEST(cubic_first_slow_start_ends_when_a_queue_grows)
{
    struct cc cc = cubic_of(50, UINT32_MAX);
    uint32_t segs = 0;
    double end;

    for (int i = 0; i < 50; i++)
        acked(&cc, 0, 1, 100 * NS_MS);
    EXPECT_EQ(cc.cwnd, 100 * MSS);
    while (cc.ssthresh == UINT32_MAX && segs++ < 2000)
        acked(&cc, 0, 1, 150 * NS_MS);
    EXPECT_EQ(cc.ssthresh, cc.cwnd);
    /* Until the eighth sample growth is not yet by a quarter: seven segments, and the eighth. */
    end = (100 + 8 + 92 / 4.0) * 1.25 * 1.25 * 1.25 * 1.25;
    EXPECT(is_near(segs_of(&cc), end, 3));
    end = segs_of(&cc);
    (void)busy(&cc, 0, 10 * NS_S, 300 * NS_MS);
    EXPECT(is_near(segs_of(&cc), end + 0.4 * 10 * 10 * 10, 2));
}

/* What is rounded away from an acknowledgement is not lost. */
TEST(cubic_grows_in_a_large_window_by_fractions_of_a_byte)
{
    struct cc cc = cubic_of(200000, 200000 * MSS);

    acked(&cc, 0, 1, NS_MS);
    for (int i = 0; i < 200000; i++)
        acked(&cc, 0, 1, NS_MS);
    EXPECT(is_near(segs_of(&cc), 200001, 0.01)); /* W_est: a segment in a round trip */
}

TEST(cubic_does_not_grow_when_the_window_is_not_used) /* [RFC9438 4.2] */
{
    static const uint32_t ssthreshs[] = {10 * MSS, 20 * MSS, UINT32_MAX};

    for (size_t i = 0; i < sizeof ssthreshs / sizeof ssthreshs[0]; i++) {
        struct cc cc = cubic_of(10, ssthreshs[i]);
        for (ns_t now = 0; now < 100 * NS_S; now += NS_S) {
            struct cc_ack ack = {.now = now, .acked_bytes = MSS, .flight_bytes = 2 * MSS};
            ack.rtt_ns = ack.srtt_ns = NS_S;
            cc.ops->on_ack(&cc, &ack);
        }
        EXPECT_EQ(cc.cwnd, 10 * MSS);
        EXPECT_EQ(cc.ssthresh, ssthreshs[i]);
    }
}

TEST(cubic_window_saturates)
{
    struct cc cc = cubic_of(10, UINT32_MAX - 1);
    ns_t now = 0;

    cc.cwnd = UINT32_MAX - 1;
    for (int i = 0; i < 2000; i++) {
        uint32_t before = cc.cwnd;
        acked(&cc, now, 2000000, NS_S);
        EXPECT(cc.cwnd >= before);
        now += NS_S;
    }
    EXPECT_EQ(cc.cwnd, UINT32_MAX);
    loses(&cc, UINT32_MAX);
    EXPECT_EQ(cc.cwnd, 3006477106);
}

/* Whatever is acknowledged, measured and lost: it never shrinks by itself, nor is it lost. */
TEST(cubic_bears_anything)
{
    static const ns_t durations[] = {0, 1, NS_MS, NS_S, 3600 * NS_S, NEVER / 4, NEVER};
    static const uint32_t counts[] = {0, 1, MSS, 100 * MSS, 1 << 30, UINT32_MAX};
    static const uint32_t sizes[] = {1, 48, MSS, 65535};
    uint64_t random = test_seed();

    for (int run = 0; run < 400; run++) {
        struct cc cc = cubic_of(10, run % 2 == 0 ? UINT32_MAX : 100 * MSS);
        ns_t now = INT64_MIN + 1;

        cc.mss = sizes[test_random_below(&random, 4)];
        cc.cwnd = 10 * cc.mss;
        for (int i = 0; i < 200; i++) {
            uint32_t before = cc.cwnd;
            struct cc_ack ack = {
                .acked_bytes = counts[test_random_below(&random, 6)],
                .flight_bytes = counts[test_random_below(&random, 6)],
                .rtt_ns = durations[test_random_below(&random, 7)],
                .srtt_ns = durations[test_random_below(&random, 7)],
                .cwnd_limited = test_random_below(&random, 4) != 0,
            };

            now = ns_after(now, durations[test_random_below(&random, 6)]);
            ack.now = ns_min(now, NEVER - 1);
            cc.ops->on_ack(&cc, &ack);
            EXPECT(cc.cwnd >= before);
            if (test_random_below(&random, 20) == 0)
                loses(&cc, counts[test_random_below(&random, 6)]);
            if (test_random_below(&random, 40) == 0)
                times_out(&cc);
            if (test_random_below(&random, 40) == 0)
                cc.ops->on_undo(&cc, ack.now);
            if (test_random_below(&random, 40) == 0)
                cc.ops->on_restart(&cc, ack.now, durations[test_random_below(&random, 7)]);
            EXPECT(cc.ssthresh >= 2 * cc.mss);
        }
    }
}

/* ---- on a path ---- */

/* 50 Mbit/s, 20 ms, and as much buffer: the second comes 5 s later [RFC9438 5.4]. */
TEST(cubic_flows_share_a_link)
{
    struct path p = path_of(50, 20);
    struct path_flow *a = path_add(&p, "cubic", 20 * NS_MS, 0);
    struct path_flow *b = path_add(&p, "cubic", 20 * NS_MS, 5 * NS_S);
    double x, y;

    a->is_paced = b->is_paced = true;
    path_run(&p, 20 * NS_S);
    path_forget(&p);
    path_run(&p, 80 * NS_S);
    x = path_share(&p, a);
    y = path_share(&p, b);
    EXPECT(x + y > 0.98);
    EXPECT((x + y) * (x + y) / (2 * (x * x + y * y)) > 0.95); /* Jain's index */
    EXPECT(path_loss(a) < 0.001 && path_loss(b) < 0.001);
    path_free(&p);
}

/* Where round trips are short it is Reno's equal [RFC9438 4.3]. */
TEST(cubic_shares_a_link_with_reno_and_bbr)
{
    static const char *const others[] = {"reno", "bbr"};

    for (size_t i = 0; i < 2; i++) {
        struct path p = path_of(50, 40);
        struct path_flow *a = path_add(&p, "cubic", 20 * NS_MS, 0);
        struct path_flow *b = path_add(&p, others[i], 20 * NS_MS, 5 * NS_S);
        a->is_paced = b->is_paced = true;
        path_run(&p, 20 * NS_S);
        path_forget(&p);
        path_run(&p, 80 * NS_S);
        EXPECT(path_share(&p, a) + path_share(&p, b) > 0.97);
        EXPECT(path_share(&p, a) > 0.3 && path_share(&p, b) > 0.3);
        path_free(&p);
    }
}
