/*
 * test_bbr.c - BBRv3: the numbers of its model and its outputs, and what it does on a path
 *
 * [BBR n.n] is draft-ietf-ccwg-bbr. The first part sets a connection's model and looks at what
 * follows from it; the second lets it find its model on a path in virtual time.
 */
#include "cc/bbr.h"
#include "lib/path.h"
#include "lib/test.h"
#include <string.h>

enum { MSS = PATH_MSS };

static struct cc bbr_new(void)
{
    struct cc cc = {.ops = cc_find("bbr"), .mss = MSS, .cwnd = 10 * MSS, .ssthresh = UINT32_MAX};

    EXPECT(cc.ops != NULL);
    cc.ops->init(&cc);
    return cc;
}

/* In a state, with that model, the pipe full; a round that goes on and on. */
static struct cc bbr_in(enum bbr_state state, uint64_t bw, ns_t min_rtt_ns)
{
    struct cc cc = bbr_new();
    struct bbr *b = bbr_of(&cc);

    b->state = (uint8_t)state;
    b->full_bw_reached = state != BBR_STARTUP;
    b->max_bw[1] = b->bw = bw;
    b->min_rtt_ns = b->probe_rtt_min_ns = min_rtt_ns;
    b->min_rtt_at = b->probe_rtt_min_at = b->cycle_at = 0;
    b->probe_wait_us = 2500000;
    b->has_seen_rtt = true;
    b->next_round_bytes = b->loss_round_bytes = UINT64_MAX;
    return cc;
}

/* So much is acknowledged, without a sample, while more than any bound is in flight. */
static void acked(struct cc *cc, ns_t now, uint32_t bytes)
{
    struct cc_ack ack = {.now = now, .acked_bytes = bytes, .pipe_bytes = 1u << 30};

    ack.delivered_bytes = 1u << 30;
    cc->ops->on_ack(cc, &ack);
}

/* So many segments are acknowledged at 100 Mbit/s. */
static void segs_acked(struct cc *cc, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        acked(cc, i * (MSS * NS_S / 12500000), MSS);
}

/* A round has passed, in which so much was delivered, at that rate. */
static void round_passes(struct cc *cc, ns_t now, uint64_t rate, bool is_app_limited)
{
    struct bbr *b = bbr_of(cc);
    struct cc_ack ack = {.now = now, .acked_bytes = MSS, .pipe_bytes = 100 * MSS};

    ack.delivered_bytes = b->delivered_bytes + MSS;
    ack.rate.prior_delivered_bytes = ack.delivered_bytes;
    ack.rate.delivered_bytes = rate / 100;
    ack.rate.interval_ns = 10 * NS_MS;
    ack.rate.tx_in_flight_bytes = 100 * MSS;
    ack.rate.is_app_limited = is_app_limited;
    ack.srtt_ns = ack.rtt_ns = 10 * NS_MS;
    cc->ops->on_ack(cc, &ack);
}

static bool is_near(double a, double b, double tolerance)
{
    double difference = a > b ? a - b : b - a;

    if (difference > tolerance)
        FAIL("%f is not %f", a, b);
    return true;
}

TEST(bbr_products_of_rates_and_times)
{
    EXPECT_EQ(bbr_bytes_of(12500000, 40 * NS_MS), 500000);
    EXPECT_EQ(bbr_bytes_of(8000, 100 * NS_MS), 800);
    EXPECT_EQ(bbr_bytes_of(UINT64_C(12500000000), NS_US), 12500);
    EXPECT_EQ(bbr_bytes_of(UINT64_C(12500000000), NS_S), UINT64_C(12500000000));
    EXPECT_EQ(bbr_bytes_of(UINT64_MAX, NEVER), UINT64_C(16) << 40);
    EXPECT_EQ(bbr_bytes_of(1000, -1), 0);
    EXPECT_EQ(bbr_rate_of(500000, 40 * NS_MS), 12500000);
    EXPECT_EQ(bbr_rate_of(1, 0), 0);
    EXPECT_EQ(bbr_rate_of(UINT64_MAX, 1), UINT64_C(1) << 40);
}

/* 2.77 * 14600 bytes in a millisecond, and in 40 ms once that is known [BBR 5.6.2]. */
TEST(bbr_initial_pacing_rate)
{
    struct cc cc = bbr_new();
    struct cc_ack ack = {.acked_bytes = MSS, .srtt_ns = 40 * NS_MS};

    EXPECT_EQ(cc.pacing_rate, 40442000);
    EXPECT_EQ(cc.send_quantum, 40442);
    cc.ops->on_ack(&cc, &ack);
    EXPECT_EQ(cc.pacing_rate, 1011050);
    EXPECT_EQ(cc.send_quantum, 2 * MSS);
    cc = (struct cc){.ops = cc.ops, .mss = MSS, .cwnd = 10 * MSS, .srtt_ns = 40 * NS_MS};
    cc.ops->init(&cc);
    EXPECT_EQ(cc.pacing_rate, 1011050);
}

/* 100 Mbit/s and 40 ms are 500,000 bytes [BBR 5.6]. */
TEST(bbr_outputs_of_the_states)
{
    static const struct {
        enum bbr_state state;
        uint64_t rate;
        uint32_t cwnd;
    } rows[] = {
        {BBR_STARTUP, 34278750, 1000000},  {BBR_DRAIN, 6187500, 1000000},
        {BBR_DOWN, 11137500, 1000000},     {BBR_CRUISE, 12375000, 1000000},
        {BBR_REFILL, 12375000, 1000000},   {BBR_UP, 15468750, 1125000 + 2 * MSS},
        {BBR_PROBE_RTT, 12375000, 250000},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cc cc = bbr_in(rows[i].state, 12500000, 40 * NS_MS);
        cc.cwnd = 900000;
        cc.pacing_rate = rows[i].state == BBR_STARTUP ? 0 : 1;
        segs_acked(&cc, 300);
        EXPECT_EQ(cc.pacing_rate, rows[i].rate);
        EXPECT(cc.cwnd >= rows[i].cwnd && cc.cwnd <= rows[i].cwnd + 2 * MSS); /* a burst of one */
        if (rows[i].state == BBR_CRUISE)
            EXPECT_EQ(cc.send_quantum, 12375);
    }
}

/* 64 kbit/s and 100 ms are 800 bytes: three quanta of two segments, and four segments [BBR 5.6]. */
TEST(bbr_outputs_of_a_very_slow_path)
{
    struct cc cc = bbr_in(BBR_CRUISE, 8000, 100 * NS_MS);

    acked(&cc, 0, MSS);
    EXPECT_EQ(cc.send_quantum, 2 * MSS);
    EXPECT_EQ(cc.cwnd, 8760);
    cc = bbr_in(BBR_PROBE_RTT, 8000, 100 * NS_MS);
    acked(&cc, 0, MSS);
    EXPECT_EQ(cc.cwnd, 5840);
}

TEST(bbr_startup_does_not_slow_down) /* [BBR 5.6.2] */
{
    struct cc cc = bbr_in(BBR_STARTUP, 1000000, 40 * NS_MS);

    cc.pacing_rate = 3000000;
    acked(&cc, 0, MSS);
    EXPECT_EQ(cc.pacing_rate, 3000000);
}

/* 10 20 30 36 37 37.4: 30 is the baseline, 37.4 the third that is not a quarter more [BBR 5.3.1.2]. */
TEST(bbr_pipe_is_full_after_three_rounds_without_growth)
{
    static const struct {
        uint64_t rates[7];
        size_t reached_after;
        bool is_app_limited;
    } rows[] = {
        {{1000, 2000, 3000, 3600, 3700, 3740, 3740}, 6, false},
        {{1000, 2000, 3000, 3600, 3700, 3750, 3750}, SIZE_MAX, false},
        {{1000, 2000, 3000, 3600, 3700, 3740, 3740}, SIZE_MAX, true},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cc cc = bbr_new();
        for (size_t n = 0; n < 7; n++) {
            round_passes(&cc, 0, rows[i].rates[n] * 1000, rows[i].is_app_limited && n > 2);
            EXPECT(bbr_of(&cc)->full_bw_reached == (n + 1 >= rows[i].reached_after));
        }
    }
}

/* What an application held back counts only if it is more than was known [BBR 5.5.5]. */
TEST(bbr_max_bw_of_two_cycles)
{
    struct cc cc = bbr_new();
    struct bbr *b = bbr_of(&cc);

    round_passes(&cc, 0, 1000000, true);
    EXPECT_EQ(bbr_max_bw(b), 1000000);
    bbr_advance_max_bw(b);
    round_passes(&cc, 0, 900000, true);
    EXPECT_EQ(b->max_bw[1], 0);
    round_passes(&cc, 0, 900000, false);
    EXPECT_EQ(b->max_bw[1], 900000);
    EXPECT_EQ(bbr_max_bw(b), 1000000);
    bbr_advance_max_bw(b);
    EXPECT_EQ(bbr_max_bw(b), 900000);
    bbr_advance_max_bw(b);
    EXPECT_EQ(bbr_max_bw(b), 0);
}

static void lose_a_segment(struct cc *cc)
{
    struct cc_lost lost = {.bytes = MSS, .tx_in_flight_bytes = 100 * MSS, .lost_since_bytes = MSS};

    cc->ops->on_lost(cc, &lost);
}

/*
 * 100 with a loss, and 80 delivered: 80. With 50, 70; and with 40 in the round after it 49
 * [BBR 5.5.10.3].
 */
TEST(bbr_shortterm_bound_is_what_was_delivered_but_seven_tenths)
{
    static const struct {
        uint64_t latest, after;
    } rows[] = {{8000000, 8000000}, {5000000, 7000000}, {4000000, 4900000}};
    struct cc cc = bbr_in(BBR_CRUISE, 10000000, 10 * NS_MS), other;

    bbr_of(&cc)->loss_round_bytes = 0;
    other = cc;
    for (size_t i = 0; i < 3; i++) {
        if (i == 1)
            cc = other;
        round_passes(&cc, 0, rows[i].latest, false);
        lose_a_segment(&cc);
        round_passes(&cc, 0, rows[i].latest, false);
        EXPECT_EQ(bbr_of(&cc)->bw_shortterm, rows[i].after);
        EXPECT_EQ(bbr_of(&cc)->bw, rows[i].after);
    }
}

TEST(bbr_probes_are_not_bound_by_losses_before_them) /* [BBR 5.5.10.3] */
{
    static const enum bbr_state states[] = {BBR_STARTUP, BBR_REFILL, BBR_UP};

    for (size_t i = 0; i < 3; i++) {
        struct cc cc = bbr_in(states[i], 10000000, 10 * NS_MS);
        bbr_of(&cc)->loss_round_bytes = 0;
        lose_a_segment(&cc);
        round_passes(&cc, 0, 1000000, false);
        EXPECT(bbr_of(&cc)->bw_shortterm == BBR_RATE_INFINITE);
    }
}

/* Of 100 in flight the last ten are lost, and one before: two percent of 90.82 [BBR 5.5.10.2]. */
TEST(bbr_inflight_when_loss_became_too_much)
{
    static const struct {
        uint32_t bytes, tx_in_flight, lost_since, at;
    } rows[] = {
        {10000, 100000, 11000, 90816},
        {10000, 100000, 12000, 90000}, /* more than two percent before it */
        {100000, 100000, 100000, 0},
        {2000, 1000, 500, 0}, /* whatever is claimed */
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cc_lost lost = {.bytes = rows[i].bytes};
        lost.tx_in_flight_bytes = rows[i].tx_in_flight;
        lost.lost_since_bytes = rows[i].lost_since;
        EXPECT_EQ(bbr_inflight_at_loss(&lost), rows[i].at);
    }
}

/* Two of a hundred are borne, three are too many: back to where it became so [BBR 5.5.10.2]. */
TEST(bbr_too_much_loss_ends_a_probe)
{
    struct cc cc = bbr_in(BBR_UP, 10000 * MSS, 10 * NS_MS);
    struct bbr *b = bbr_of(&cc);
    struct cc_lost lost = {.bytes = MSS, .tx_in_flight_bytes = 100 * MSS};

    cc.cwnd = 120 * MSS;
    b->is_probe_sample = true;
    lost.lost_since_bytes = 2 * MSS;
    cc.ops->on_lost(&cc, &lost);
    EXPECT_STR(cc.ops->phase(&cc), "ProbeBW UP");
    lost.lost_since_bytes = 3 * MSS;
    cc.ops->on_lost(&cc, &lost);
    EXPECT_STR(cc.ops->phase(&cc), "ProbeBW DOWN");
    EXPECT_EQ(b->inflight_longterm, 99 * MSS);
    lost.tx_in_flight_bytes = 50 * MSS;
    cc.ops->on_lost(&cc, &lost);
    EXPECT_EQ(b->inflight_longterm, 99 * MSS); /* once in a probe */
}

/* There was no loss: the bounds are those of before, and the probe is made again [BBR 5.5.11]. */
TEST(bbr_probes_again_if_a_loss_was_none)
{
    struct cc cc = bbr_in(BBR_UP, 10000 * MSS, 10 * NS_MS);
    struct bbr *b = bbr_of(&cc);
    struct cc_lost lost = {.bytes = MSS, .tx_in_flight_bytes = 100 * MSS};

    cc.cwnd = 120 * MSS;
    b->is_probe_sample = true;
    lost.lost_since_bytes = 3 * MSS;
    cc.ops->on_lost(&cc, &lost);
    cc.ops->on_loss(&cc, 0, cc.cwnd);
    EXPECT_EQ(cc.cwnd, 120 * MSS);
    EXPECT_STR(cc.ops->phase(&cc), "ProbeBW DOWN");
    cc.ops->on_undo(&cc, 0);
    EXPECT_STR(cc.ops->phase(&cc), "ProbeBW REFILL");
    EXPECT(b->inflight_longterm == BBR_INFINITE);
    EXPECT_EQ(cc.cwnd, 120 * MSS);
}

TEST(bbr_startup_goes_on_if_the_loss_that_ended_it_was_none) /* [BBR 5.5.11] */
{
    struct cc cc = bbr_in(BBR_STARTUP, 10000 * MSS, 10 * NS_MS);
    struct bbr *b = bbr_of(&cc);

    lose_a_segment(&cc);
    cc.ops->on_loss(&cc, 0, cc.cwnd);
    b->loss_round_bytes = UINT64_MAX;
    for (int i = 0; i < 7; i++) {
        struct cc_ack ack = {.acked_bytes = MSS, .lost_bytes = MSS, .in_recovery = true};
        if (i == 6) {
            b->loss_round_bytes = 0;
            ack.rate.tx_in_flight_bytes = 100 * MSS;
            ack.rate.lost_bytes = 7 * MSS;
        }
        ack.pipe_bytes = 1u << 30;
        EXPECT_STR(cc.ops->phase(&cc), "Startup");
        cc.ops->on_ack(&cc, &ack);
    }
    EXPECT_STR(cc.ops->phase(&cc), "Drain");
    EXPECT_EQ(b->inflight_longterm, 100 * MSS);
    cc.ops->on_undo(&cc, 0);
    EXPECT_STR(cc.ops->phase(&cc), "Startup");
    EXPECT(!b->full_bw_reached);
    EXPECT(b->inflight_longterm == BBR_INFINITE);
}

/* Loss recovery makes it a segment then. */
TEST(bbr_after_a_timeout_grows_to_what_it_was) /* [BBR 5.6.4.4] */
{
    struct cc cc = bbr_in(BBR_CRUISE, 12500000, 40 * NS_MS);

    cc.cwnd = 500000;
    cc.ops->on_timeout(&cc, 0, 400000);
    cc.cwnd = MSS;
    acked(&cc, 0, MSS);
    EXPECT_EQ(cc.cwnd, 4 * MSS);
    acked(&cc, 0, MSS);
    EXPECT_EQ(cc.cwnd, 5 * MSS);
    cc.ops->on_timeout(&cc, 0, 400000);
    cc.cwnd = MSS;
    cc.ops->on_recovered(&cc, 0);
    EXPECT_EQ(cc.cwnd, 500000);
}

/* All that was under way before would go at once, be lost, and wait for a longer timeout. */
TEST(bbr_probe_of_the_round_trip_does_not_end_the_slow_start_after_a_timeout)
{
    struct cc cc = bbr_in(BBR_CRUISE, 12500000, 40 * NS_MS);
    ns_t at = 5001 * NS_MS;

    cc.cwnd = 500000;
    bbr_of(&cc)->cycle_at = at;
    cc.ops->on_timeout(&cc, at, 400000);
    cc.cwnd = MSS;
    acked(&cc, at, MSS);
    EXPECT_STR(cc.ops->phase(&cc), "ProbeRTT");
    for (int i = 0; i < 3; i++) { /* a round each */
        struct cc_ack ack = {.now = at += 201 * NS_MS, .acked_bytes = MSS, .pipe_bytes = MSS};
        ack.delivered_bytes = bbr_of(&cc)->delivered_bytes + MSS;
        ack.rate.prior_delivered_bytes = ack.delivered_bytes;
        cc.ops->on_ack(&cc, &ack);
    }
    EXPECT_STR(cc.ops->phase(&cc), "ProbeBW CRUISE");
    EXPECT(cc.cwnd < 20 * MSS);
    cc.ops->on_recovered(&cc, at);
    EXPECT_EQ(cc.cwnd, 500000);
}

/* 15 percent are left to others: 85 of 100; but four segments are kept [BBR 5.6.4.7]. */
TEST(bbr_headroom_below_the_longterm_bound)
{
    static const uint32_t rows[][2] = {
        {100 * MSS, 85 * MSS}, {4 * MSS, 4 * MSS},           {5 * MSS, 4 * MSS},
        {0, 4 * MSS},          {BBR_INFINITE, BBR_INFINITE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cc cc = bbr_in(BBR_CRUISE, 12500000, 40 * NS_MS);
        bbr_of(&cc)->inflight_longterm = rows[i][0];
        EXPECT_EQ(bbr_headroom(&cc), rows[i][1]);
        segs_acked(&cc, 1000);
        EXPECT(cc.cwnd >= u32_min(rows[i][1], 1000000));
        EXPECT(cc.cwnd <= u32_min(rows[i][1], 1000000 + MSS)); /* a segment at once is a burst */
    }
}

/* 1, 2, 4, 8 segments more in the rounds of a probe that nothing else holds back [BBR 5.3.3.4]. */
TEST(bbr_longterm_bound_grows_faster_and_faster)
{
    struct cc cc = bbr_in(BBR_REFILL, 100000 * MSS, 10 * NS_MS);
    struct bbr *b = bbr_of(&cc);
    uint64_t acks = 0;

    b->inflight_longterm = 100 * MSS;
    b->loss_round_bytes = UINT64_MAX;
    b->next_round_bytes = 0;
    for (uint32_t n = 0; n < 4; n++) {
        uint32_t before = b->inflight_longterm;
        for (uint32_t i = 0; i < 100; i++) {
            struct cc_ack ack = {.acked_bytes = MSS, .pipe_bytes = 90 * MSS, .cwnd_limited = true};
            ack.delivered_bytes = ++acks * MSS;
            ack.rate.prior_delivered_bytes = acks > 100 ? (acks - 100) * MSS : 0;
            cc.cwnd = b->inflight_longterm;
            cc.ops->on_ack(&cc, &ack);
        }
        EXPECT_STR(cc.ops->phase(&cc), "ProbeBW UP");
        EXPECT(is_near((b->inflight_longterm - before) / (double)MSS, 1u << n, 1));
    }
}

/* 20 segments: after 20 rounds, or 19 if so chosen; 1000: after 63, or 62 [BBR 5.3.3.8]. */
TEST(bbr_probes_as_often_as_reno_would)
{
    static const uint32_t rows[][2] = {{20, 20}, {1000, 63}};

    for (size_t i = 0; i < 2; i++) {
        struct cc cc = bbr_in(BBR_CRUISE, rows[i][0] * MSS * 100, 10 * NS_MS);
        struct bbr *b = bbr_of(&cc);
        uint32_t rounds = 0;
        b->next_round_bytes = 0;
        b->rounds_since_probe_up = 1;
        cc.cwnd = 2000 * MSS;
        while (b->state == BBR_CRUISE && rounds < 1000) {
            round_passes(&cc, 0, 1, false);
            rounds++;
        }
        EXPECT_EQ(rounds, rows[i][1] - 1);
        EXPECT_STR(cc.ops->phase(&cc), "ProbeBW REFILL");
    }
}

/* Between two and three seconds, and not always the same [BBR 5.3.3.8]. */
TEST(bbr_waits_are_random_but_repeatable)
{
    uint32_t least = UINT32_MAX, most = 0, odd = 0;

    for (ns_t now = 0; now < 1000; now++) {
        struct cc cc = bbr_in(BBR_UP, 10000 * MSS, 10 * NS_MS), same;
        struct cc_lost lost = {.now = now * NS_MS, .bytes = MSS, .lost_since_bytes = MSS};
        bbr_of(&cc)->is_probe_sample = true;
        same = cc;
        cc.ops->on_lost(&cc, &lost);
        same.ops->on_lost(&same, &lost);
        EXPECT_EQ(bbr_of(&cc)->probe_wait_us, bbr_of(&same)->probe_wait_us);
        least = u32_min(least, bbr_of(&cc)->probe_wait_us);
        most = u32_max(most, bbr_of(&cc)->probe_wait_us);
        odd += bbr_of(&cc)->rounds_since_probe_up;
    }
    EXPECT(least >= 2000000 && least < 2020000);
    EXPECT(most < 3000000 && most > 2980000);
    EXPECT(odd > 400 && odd < 600);
}

/* 1000 bytes per millisecond, that arrive as 10,000 every ten: 10,000 more in cwnd [BBR 5.5.9]. */
TEST(bbr_makes_room_for_bursts_of_acknowledgements)
{
    struct cc cc = bbr_in(BBR_CRUISE, 1000000, 100 * NS_MS);

    cc.cwnd = 200000;
    for (ns_t now = 0; now < 20; now++)
        acked(&cc, now * 10 * NS_MS, 10000);
    EXPECT_EQ(bbr_of(&cc)->extra_acked[1], 10000);
    EXPECT_EQ(cc.cwnd, 210000);
}

/* Five seconds without a round trip as short [BBR 5.3.4.3]. */
TEST(bbr_looks_for_the_round_trip_every_five_seconds)
{
    static const struct {
        ns_t at_ms;
        bool was_idle;
        const char *phase;
    } rows[] = {
        {4999, false, "ProbeBW CRUISE"},
        {5001, false, "ProbeRTT"},
        {5001, true, "ProbeBW CRUISE"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cc cc = bbr_in(BBR_CRUISE, 12500000, 40 * NS_MS);
        struct cc_ack ack = {.now = rows[i].at_ms * NS_MS, .acked_bytes = MSS};
        ack.rtt_ns = 50 * NS_MS;
        ack.pipe_bytes = 400000;
        bbr_of(&cc)->cycle_at = ack.now;
        if (rows[i].was_idle)
            cc.ops->on_restart(&cc, ack.now, NS_S);
        cc.ops->on_ack(&cc, &ack);
        EXPECT_STR(cc.ops->phase(&cc), rows[i].phase);
    }
}

/* Its lowest after five seconds, but for ten it is remembered [BBR 5.3.4.3]. */
TEST(bbr_round_trip_becomes_longer_after_ten_seconds)
{
    struct cc cc = bbr_in(BBR_CRUISE, 12500000, 40 * NS_MS);
    struct bbr *b = bbr_of(&cc);

    for (ns_t ms = 0; ms <= 10000; ms += 100) {
        struct cc_ack ack = {.now = ms * NS_MS, .acked_bytes = MSS, .rtt_ns = 50 * NS_MS};
        cc.ops->on_ack(&cc, &ack);
        EXPECT_EQ(b->min_rtt_ns, 40 * NS_MS);
        EXPECT_EQ(b->probe_rtt_min_ns, ms <= 5000 ? 40 * NS_MS : 50 * NS_MS);
    }
    for (ns_t ms = 10001; ms < 10300; ms += 100) {
        struct cc_ack ack = {.now = ms * NS_MS, .acked_bytes = MSS, .rtt_ns = 50 * NS_MS};
        cc.ops->on_ack(&cc, &ack);
    }
    EXPECT_EQ(b->min_rtt_ns, 50 * NS_MS);
}

/* After a pause the pipe is filled at its rate, whatever was probed before it [BBR 5.4]. */
TEST(bbr_after_a_pause_sends_at_the_rate_of_the_path)
{
    struct cc cc = bbr_in(BBR_UP, 12500000, 40 * NS_MS);

    cc.pacing_rate = 15468750;
    cc.ops->on_restart(&cc, 0, NS_S);
    EXPECT_EQ(cc.pacing_rate, 12375000);
}

/* A mark in a probe is as too much loss; elsewhere it lowers the bound for a while [RFC3168 5]. */
TEST(bbr_answers_marks)
{
    struct cc cc = bbr_in(BBR_UP, 10000 * MSS, 10 * NS_MS);

    cc.cwnd = 120 * MSS;
    bbr_of(&cc)->is_probe_sample = true;
    cc.ops->on_ecn(&cc, 0, 120 * MSS);
    EXPECT_STR(cc.ops->phase(&cc), "ProbeBW DOWN");
    EXPECT_EQ(bbr_of(&cc)->inflight_longterm, 84 * MSS);
    cc = bbr_in(BBR_CRUISE, 10000 * MSS, 10 * NS_MS);
    cc.cwnd = 120 * MSS;
    cc.ops->on_ecn(&cc, 0, 120 * MSS);
    round_passes(&cc, 0, 10000 * MSS, false);
    EXPECT_EQ(bbr_of(&cc)->inflight_shortterm, 84 * MSS);
    EXPECT_EQ(cc.cwnd, 84 * MSS);
}

/* ---- on a path ---- */

/* 100 Mbit/s, 40 ms, and room for as much again: 342 segments fill the pipe. */
TEST(bbr_fills_a_pipe_and_goes_around)
{
    static const char *const phases[] = {"Startup",        "Drain",      "ProbeBW CRUISE",
                                         "ProbeBW REFILL", "ProbeBW UP", "ProbeBW DOWN",
                                         "ProbeBW CRUISE"};
    struct path p = path_of(100, 40);
    struct path_flow *f = path_add(&p, "bbr", 40 * NS_MS, 0);

    for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++)
        EXPECT(path_run_to_phase(&p, f, phases[i], 4 * NS_S));
    path_forget(&p);
    path_run(&p, 24 * NS_S);
    EXPECT(path_share(&p, f) > 0.95);
    EXPECT(path_loss(f) < 0.001);
    EXPECT(path_mean_wait(&p) < 5 * NS_MS);
    EXPECT(is_near((double)bbr_max_bw(bbr_of(&f->cc)), 12500000, 250000));
    EXPECT(is_near((double)bbr_of(&f->cc)->min_rtt_ns, 40e6, 0.2e6));
    path_free(&p);
}

/* What Startup has put into the queue is gone when Drain ends. */
TEST(bbr_drain_empties_the_queue) /* [BBR 5.3.2] */
{
    struct path p = path_of(100, 200);
    struct path_flow *f = path_add(&p, "bbr", 40 * NS_MS, 0);

    EXPECT(path_run_to_phase(&p, f, "Drain", 2 * NS_S));
    EXPECT(f->pipe_bytes > 900000);
    EXPECT_EQ(f->lost_bytes, 0);
    path_run(&p, p.now + 300 * NS_MS);
    EXPECT(f->pipe_bytes < 550000);
    EXPECT(p.free_at - p.now < 4 * NS_MS);
    path_free(&p);
}

TEST(bbr_probes_the_round_trip_every_five_seconds_for_a_fifth_of_one) /* [BBR 5.3.4.3] */
{
    struct path p = path_of(20, 40);
    struct path_flow *f = path_add(&p, "bbr", 40 * NS_MS, 0);
    ns_t entered_at[5], duration_ns = 0;

    path_run(&p, NS_S);
    for (size_t i = 0; i < 5; i++) {
        EXPECT(path_run_to_phase(&p, f, "ProbeRTT", 40 * NS_S));
        entered_at[i] = p.now;
        EXPECT(path_run_to_phase(&p, f, "ProbeBW CRUISE", 40 * NS_S));
        duration_ns = p.now - entered_at[i];
        EXPECT(duration_ns > 200 * NS_MS && duration_ns < 350 * NS_MS);
        EXPECT(i == 0 || entered_at[i] - entered_at[i - 1] > 5 * NS_S);
        EXPECT(i == 0 || entered_at[i] - entered_at[i - 1] < 6 * NS_S);
    }
    path_free(&p);
}

/* A buffer of a quarter of the pipe loses something in a probe, but less than is borne. */
TEST(bbr_keeps_loss_below_its_threshold) /* [BBR 5.5.10.2] */
{
    struct path p = path_of(50, 10);
    struct path_flow *f = path_add(&p, "bbr", 40 * NS_MS, 0);

    path_run(&p, 3 * NS_S);
    path_forget(&p);
    path_run(&p, 33 * NS_S);
    EXPECT(path_share(&p, f) > 0.93);
    EXPECT(path_loss(f) < 0.02);
    EXPECT(path_mean_wait(&p) < 3 * NS_MS);
    path_free(&p);
}

TEST(bbr_does_not_take_chance_losses_for_congestion)
{
    struct path p = path_of(50, 40);
    struct path_flow *f = path_add(&p, "bbr", 40 * NS_MS, 0);

    p.loss_ppm = 1000;
    path_run(&p, 30 * NS_S);
    EXPECT(path_share(&p, f) > 0.85);
    path_free(&p);
}

TEST(bbr_follows_a_link_that_becomes_ten_times_faster_or_slower)
{
    struct path p = path_of(10, 400);
    struct path_flow *f = path_add(&p, "bbr", 40 * NS_MS, 0);

    path_run(&p, 10 * NS_S);
    p.rate_bytes_s *= 10;
    path_run(&p, 25 * NS_S);
    path_forget(&p);
    path_run(&p, 30 * NS_S);
    EXPECT(path_share(&p, f) > 0.9);
    p.rate_bytes_s /= 10;
    p.buffer_bytes /= 2;
    path_run(&p, 45 * NS_S);
    path_forget(&p);
    path_run(&p, 50 * NS_S);
    EXPECT(path_share(&p, f) > 0.9);
    EXPECT(path_mean_wait(&p) < 30 * NS_MS);
    path_free(&p);
}

/* The acknowledgements of 10 ms arrive together, on a path of 20 ms. */
TEST(bbr_fills_a_pipe_whose_acknowledgements_come_in_bursts)
{
    struct path p = path_of(50, 100);
    struct path_flow *f = path_add(&p, "bbr", 20 * NS_MS, 0);

    p.ack_every_ns = 10 * NS_MS;
    path_run(&p, 2 * NS_S);
    path_forget(&p);
    path_run(&p, 12 * NS_S);
    EXPECT(path_share(&p, f) > 0.93);
    path_free(&p);
}

/* A pause shows the path without a queue, so that ProbeRTT is not needed [BBR 5.4]. */
TEST(bbr_does_not_probe_the_round_trip_of_a_flow_that_pauses)
{
    struct path p = path_of(20, 40);
    struct path_flow *f = path_add(&p, "bbr", 40 * NS_MS, 0);

    path_run(&p, 2 * NS_S);
    for (int i = 0; i < 20; i++) {
        f->is_resting = true;
        path_run(&p, p.now + NS_S);
        f->is_resting = false;
        EXPECT(!path_run_to_phase(&p, f, "ProbeRTT", p.now + 2 * NS_S));
    }
    EXPECT(is_near((double)bbr_max_bw(bbr_of(&f->cc)), 2500000, 100000));
    path_free(&p);
}

TEST(bbr_flows_share_a_link)
{
    struct path p = path_of(50, 40);
    struct path_flow *a = path_add(&p, "bbr", 40 * NS_MS, 0);
    struct path_flow *b = path_add(&p, "bbr", 40 * NS_MS, 3 * NS_S);
    double x, y;

    path_run(&p, 20 * NS_S);
    path_forget(&p);
    path_run(&p, 60 * NS_S);
    x = path_share(&p, a);
    y = path_share(&p, b);
    EXPECT(x + y > 0.95);
    EXPECT((x + y) * (x + y) / (2 * (x * x + y * y)) > 0.9); /* Jain's index */
    path_free(&p);
}

/* Whatever is acknowledged, lost and measured, cwnd and the rate stay within reason. */
TEST(bbr_bears_anything)
{
    static const ns_t durations[] = {0, 1, NS_US, NS_MS, NS_S, 3600 * NS_S, NEVER};
    static const uint32_t counts[] = {0, 1, MSS, 100 * MSS, 1 << 30, UINT32_MAX};
    static const uint32_t sizes[] = {1, 48, MSS, 65535};
    uint64_t random = test_seed();

    for (int run = 0; run < 200; run++) {
        struct cc cc = bbr_new();
        ns_t now = INT64_MIN + 1;
        uint64_t delivered = 0;

        for (int i = 0; i < 300; i++) {
            struct cc_ack ack = {
                .acked_bytes = counts[test_random_below(&random, 6)],
                .flight_bytes = counts[test_random_below(&random, 6)],
                .pipe_bytes = counts[test_random_below(&random, 6)],
                .lost_bytes = counts[test_random_below(&random, 6)],
                .rtt_ns = durations[test_random_below(&random, 7)],
                .srtt_ns = durations[test_random_below(&random, 7)],
                .cwnd_limited = test_random_below(&random, 4) != 0,
                .in_recovery = test_random_below(&random, 2) != 0,
            };
            struct cc_lost lost = {
                .bytes = counts[test_random_below(&random, 6)],
                .tx_in_flight_bytes = counts[test_random_below(&random, 6)],
                .lost_since_bytes = counts[test_random_below(&random, 6)],
            };

            now = ns_after(now, durations[test_random_below(&random, 6)]);
            ack.now = lost.now = ns_min(now, NEVER - 1);
            ack.delivered_bytes = delivered += ack.acked_bytes;
            ack.rate.delivered_bytes = counts[test_random_below(&random, 6)];
            ack.rate.interval_ns = durations[test_random_below(&random, 7)];
            ack.rate.prior_delivered_bytes = delivered - counts[test_random_below(&random, 4)];
            ack.rate.tx_in_flight_bytes = counts[test_random_below(&random, 6)];
            ack.rate.lost_bytes = counts[test_random_below(&random, 6)];
            switch (test_random_below(&random, 12)) {
            case 0: cc.ops->on_lost(&cc, &lost); break;
            case 1: cc.ops->on_loss(&cc, ack.now, ack.flight_bytes); break;
            case 2: cc.ops->on_timeout(&cc, ack.now, ack.flight_bytes); break;
            case 3: cc.ops->on_ecn(&cc, ack.now, ack.flight_bytes); break;
            case 4: cc.ops->on_undo(&cc, ack.now); break;
            case 5: cc.ops->on_recovered(&cc, ack.now); break;
            case 6: cc.ops->on_restart(&cc, ack.now, ack.rtt_ns); break;
            case 7: cc.mss = sizes[test_random_below(&random, 4)]; break;
            default: cc.ops->on_ack(&cc, &ack); break;
            }
            EXPECT(cc.cwnd >= 1);
            EXPECT(cc.pacing_rate > 0 && cc.pacing_rate <= UINT64_C(4) << 40);
            EXPECT(cc.ops->phase(&cc) != NULL);
        }
    }
}
