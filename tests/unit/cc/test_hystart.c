/*
 * test_hystart.c - HyStart++: rounds, the way into conservative slow start, and out of it
 */
#include "cc/cc.h"
#include "cc/hystart.h"
#include "lib/test.h"

enum { MSS = 1460 };

/* The start of a connection with its clock: cwnd is all that is under way. */
struct start {
    struct hystart h;
    uint32_t flight_segs;
};

static struct start start_of(uint32_t flight_segs)
{
    struct start s = {.flight_segs = flight_segs};

    hystart_init(&s.h);
    return s;
}

/* So many segments are acknowledged one by one, and as many are sent again. */
static bool segs_acked(struct start *s, uint32_t count, ns_t rtt_ns)
{
    bool is_over = false;

    for (uint32_t i = 0; i < count; i++) {
        struct cc_ack ack = {
            .acked_bytes = MSS,
            .flight_bytes = s->flight_segs * MSS,
            .rtt_ns = rtt_ns,
            .cwnd_limited = true,
        };
        is_over = hystart_on_ack(&s->h, ack.acked_bytes, ack.flight_bytes, ack.rtt_ns);
    }
    return is_over;
}

/*
 * What is left of a round, with the same round-trip time. After the first, that is a segment less
 * than is under way at any time: the acknowledgement that ends a round has not let one out yet.
 */
static bool round_passes(struct start *s, ns_t rtt_ns)
{
    uint32_t left_segs = s->h.round_left_bytes / MSS;

    return segs_acked(s, left_segs == 0 ? s->flight_segs : left_segs, rtt_ns);
}

TEST(hystart_delay_thresholds) /* [RFC9406 4.2, 4.3] */
{
    static const struct {
        ns_t last_us, exit_us;
    } rows[] = {
        {1000, 5000},     {20000, 24000},   {32000, 36000},   {40000, 45000},
        {100000, 112500}, {128000, 144000}, {200000, 216000},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct start below = start_of(20), at = start_of(20);

        EXPECT(!round_passes(&below, rows[i].last_us * NS_US));
        EXPECT(!segs_acked(&below, 8, rows[i].exit_us * NS_US - 1));
        EXPECT(!below.h.is_in_css);
        EXPECT(!round_passes(&at, rows[i].last_us * NS_US));
        EXPECT(!segs_acked(&at, 8, rows[i].exit_us * NS_US));
        EXPECT(at.h.is_in_css);
    }
}

TEST(hystart_decides_on_the_eighth_sample_of_a_round) /* [RFC9406 4.2] */
{
    struct start s = start_of(20);

    (void)round_passes(&s, 40 * NS_MS);
    (void)round_passes(&s, 40 * NS_MS);
    (void)segs_acked(&s, 7, 46 * NS_MS);
    (void)segs_acked(&s, 1, 0); /* not measured */
    EXPECT(!s.h.is_in_css);
    (void)segs_acked(&s, 1, 46 * NS_MS);
    EXPECT(s.h.is_in_css);
    EXPECT_EQ(s.h.css_baseline_min_rtt_ns, 46 * NS_MS);
}

TEST(hystart_looks_at_the_least_of_a_round) /* [RFC9406 4.2] */
{
    struct start s = start_of(20);

    (void)segs_acked(&s, 1, 40 * NS_MS);
    (void)segs_acked(&s, 19, 90 * NS_MS);
    (void)segs_acked(&s, 1, 44 * NS_MS);
    (void)segs_acked(&s, 17, 90 * NS_MS);
    EXPECT(!s.h.is_in_css);
    EXPECT_EQ(s.h.current_round_min_rtt_ns, 44 * NS_MS);
}

TEST(hystart_has_nothing_to_compare_in_the_first_round) /* [RFC9406 4.2] */
{
    struct start s = start_of(100);

    (void)segs_acked(&s, 50, 1 * NS_MS);
    (void)segs_acked(&s, 49, 900 * NS_MS);
    EXPECT(!s.h.is_in_css);
    EXPECT_EQ(s.h.last_round_min_rtt_ns, NEVER);
    (void)segs_acked(&s, 1, 900 * NS_MS);
    EXPECT_EQ(s.h.last_round_min_rtt_ns, 1 * NS_MS);
    EXPECT_EQ(s.h.current_round_min_rtt_ns, NEVER);
}

TEST(hystart_compares_nothing_with_a_round_without_samples) /* [RFC9406 4.2] */
{
    struct start s = start_of(20);

    (void)round_passes(&s, 40 * NS_MS);
    (void)round_passes(&s, 0);
    (void)round_passes(&s, 400 * NS_MS);
    EXPECT(!s.h.is_in_css);
    EXPECT_EQ(s.h.last_round_min_rtt_ns, 400 * NS_MS);
}

TEST(hystart_goes_back_if_round_trips_become_shorter) /* [RFC9406 4.2] */
{
    struct start s = start_of(20);

    (void)round_passes(&s, 40 * NS_MS);
    (void)round_passes(&s, 46 * NS_MS);
    EXPECT(s.h.is_in_css);
    (void)round_passes(&s, 46 * NS_MS);
    EXPECT(s.h.is_in_css);
    (void)segs_acked(&s, 7, 46 * NS_MS - NS_US);
    EXPECT(s.h.is_in_css);
    (void)segs_acked(&s, 1, 46 * NS_MS);
    EXPECT(!s.h.is_in_css);
    EXPECT_EQ(s.h.css_baseline_min_rtt_ns, NEVER);
}

TEST(hystart_follows_a_path_that_has_become_shorter) /* [RFC9406 4.2] */
{
    struct start s = start_of(20);

    (void)round_passes(&s, 100 * NS_MS);
    (void)round_passes(&s, 20 * NS_MS);
    EXPECT(!s.h.is_in_css);
    (void)segs_acked(&s, 8, 24 * NS_MS);
    EXPECT(s.h.is_in_css);
}

/* Begun in the middle of the second round, it is over at the end of the sixth. */
TEST(hystart_ends_slow_start_after_five_conservative_rounds) /* [RFC9406 4.2, 4.3] */
{
    struct start s = start_of(20);

    EXPECT(!round_passes(&s, 40 * NS_MS));
    for (int i = 0; i < 4; i++)
        EXPECT(!round_passes(&s, 60 * NS_MS));
    EXPECT(!segs_acked(&s, 18, 60 * NS_MS));
    EXPECT(segs_acked(&s, 1, 60 * NS_MS));
}

/* The second time, the rounds are counted from the beginning. */
TEST(hystart_counts_rounds_anew_after_jitter) /* [RFC9406 4.2] */
{
    struct start s = start_of(20);

    EXPECT(!round_passes(&s, 40 * NS_MS));
    for (int i = 0; i < 4; i++)
        EXPECT(!round_passes(&s, 60 * NS_MS));
    EXPECT(!round_passes(&s, 50 * NS_MS));
    EXPECT(!s.h.is_in_css);
    for (int i = 0; i < 4; i++)
        EXPECT(!round_passes(&s, 60 * NS_MS));
    EXPECT(s.h.is_in_css);
    EXPECT(round_passes(&s, 60 * NS_MS));
}

TEST(hystart_growth) /* [RFC9406 4.2, 4.3] */
{
    static const struct {
        uint32_t acked_bytes, slow_start_bytes, conservative_bytes;
    } rows[] = {
        {0, 0, 0},
        {MSS, 1460, 365},
        {2 * MSS, 2920, 730},
        {20 * MSS, 20 * MSS, 5 * MSS},
        {UINT32_MAX, UINT32_MAX, UINT32_MAX / 4},
    };
    struct hystart h, css;

    hystart_init(&h);
    css = h;
    css.is_in_css = true;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t acked_bytes = rows[i].acked_bytes;
        EXPECT_EQ(hystart_growth_bytes(&h, acked_bytes), rows[i].slow_start_bytes);
        EXPECT_EQ(hystart_growth_bytes(&css, acked_bytes), rows[i].conservative_bytes);
    }
}

/* The window grows in the meantime, and the round is what was under way when it began. */
TEST(hystart_round_is_what_was_under_way_at_its_beginning) /* [RFC9406 4.2] */
{
    struct start s = start_of(10);

    for (uint32_t i = 0; i < 9; i++) {
        (void)segs_acked(&s, 1, 40 * NS_MS);
        s.flight_segs++;
    }
    EXPECT_EQ(s.h.last_round_min_rtt_ns, NEVER);
    (void)segs_acked(&s, 1, 40 * NS_MS);
    EXPECT_EQ(s.h.last_round_min_rtt_ns, 40 * NS_MS);
    EXPECT_EQ(s.h.round_left_bytes, 18 * MSS);
}

TEST(hystart_round_after_silence_is_what_is_sent_then) /* [RFC9406 4.2] */
{
    struct start s = start_of(10);
    struct cc_ack ack = {.acked_bytes = 10 * MSS, .flight_bytes = 10 * MSS, .rtt_ns = NS_MS};

    EXPECT(!hystart_on_ack(&s.h, ack.acked_bytes, ack.flight_bytes, ack.rtt_ns));
    EXPECT_EQ(s.h.round_left_bytes, 0);
    s.flight_segs = 4;
    (void)segs_acked(&s, 1, 2 * NS_MS);
    EXPECT_EQ(s.h.round_left_bytes, 3 * MSS);
    EXPECT_EQ(s.h.last_round_min_rtt_ns, NS_MS);
}

TEST(hystart_bears_any_round_trip_and_any_count_of_bytes)
{
    static const ns_t rtts[] = {INT64_MIN, -1, 0, 1, NS_MS, NEVER - 1, NEVER};
    static const uint32_t counts[] = {0, 1, MSS, UINT32_MAX - 1, UINT32_MAX};
    uint64_t random = test_seed();
    struct hystart h;

    hystart_init(&h);
    for (int i = 0; i < 20000; i++) {
        struct cc_ack ack = {
            .acked_bytes = counts[test_random_below(&random, 5)],
            .flight_bytes = counts[test_random_below(&random, 5)],
            .rtt_ns = rtts[test_random_below(&random, 7)],
        };
        if (hystart_on_ack(&h, ack.acked_bytes, ack.flight_bytes, ack.rtt_ns))
            hystart_init(&h);
        EXPECT(h.rtt_sample_count <= 8);
        EXPECT(h.css_rounds < 5);
        EXPECT(h.is_in_css == (h.css_baseline_min_rtt_ns != NEVER));
    }
}
