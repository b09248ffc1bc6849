#include "base/rng.h"

#include "lib/check_fails.h"
#include "lib/test.h"
#include <string.h>

static const uint8_t secret[32] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                   16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

static struct rng stream_of(uint32_t stream)
{
    struct rng rng;

    rng_init(&rng, secret, stream);
    return rng;
}

/* What a stack draws from its secret must never change, or recorded runs do not repeat. */
TEST(rng_stream_is_pinned)
{
    struct rng rng = stream_of(3);

    EXPECT_EQ(rng_u64(&rng), 0xf8b07129e3beb5d7);
    EXPECT_EQ(rng_u64(&rng), 0xb62700be88297db0);
    EXPECT_EQ(rng_u64(&rng), 0xdbc65ea0e5d60216);
}

TEST(rng_repeats_itself)
{
    struct rng first = stream_of(3);
    struct rng second = stream_of(3);

    for (int i = 0; i < 100; i++)
        EXPECT_EQ(rng_u64(&first), rng_u64(&second));
}

TEST(rng_streams_and_secrets_differ)
{
    uint8_t other_secret[32];
    struct rng rng = stream_of(3);
    struct rng other_stream = stream_of(4);
    struct rng other;

    memcpy(other_secret, secret, sizeof secret);
    other_secret[31] ^= 1;
    rng_init(&other, other_secret, 3);
    for (int i = 0; i < 100; i++) {
        uint64_t number = rng_u64(&rng);

        EXPECT(number != rng_u64(&other_stream));
        EXPECT(number != rng_u64(&other));
    }
}

TEST(rng_below_stays_below)
{
    static const uint32_t bounds[] = {1, 2, 3, 10, 0x80000000, 0x80000001, UINT32_MAX};
    struct rng rng = stream_of(0);

    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        for (int j = 0; j < 200; j++)
            EXPECT(rng_below(&rng, bounds[i]) < bounds[i]);
    }
    EXPECT_EQ(rng_below(&rng, 1), 0);
}

/* Of 60,000 throws each face gets 10,000, with a standard deviation of 91. */
TEST(rng_below_is_even)
{
    struct rng rng = stream_of(1);
    int count[6] = {0};

    for (int i = 0; i < 60000; i++)
        count[rng_below(&rng, 6)]++;
    for (int i = 0; i < 6; i++)
        EXPECT(count[i] > 9500 && count[i] < 10500);
}

/*
 * With a bound of three quarters of 2^32, every fourth draw has no number of its own: if
 * it were not drawn again, the multiples of three would come up twice as often.
 */
TEST(rng_below_is_even_for_a_large_bound)
{
    struct rng rng = stream_of(2);
    int count[3] = {0};

    for (int i = 0; i < 30000; i++)
        count[rng_below(&rng, 0xc0000000) % 3]++;
    for (int i = 0; i < 3; i++)
        EXPECT(count[i] > 9500 && count[i] < 10500);
}

static void draw_below_nothing(void *ctx)
{
    (void)rng_below(ctx, 0);
}

TEST(rng_below_nothing_is_our_mistake)
{
    struct rng rng = stream_of(0);

    EXPECT(check_fails(draw_below_nothing, &rng));
}

TEST(rng_fill_writes_exactly_what_it_is_asked_for)
{
    for (size_t len = 0; len <= 20; len++) {
        struct rng rng = stream_of(5);
        struct rng same = stream_of(5);
        uint8_t bytes[24];
        uint64_t word = 0;

        memset(bytes, 0x11, sizeof bytes);
        rng_fill(&rng, bytes, len);
        for (size_t i = 0; i < len; i++) {
            if (i % 8 == 0)
                word = rng_u64(&same);
            EXPECT_EQ(bytes[i], word & 0xff);
            word >>= 8;
        }
        for (size_t i = len; i < sizeof bytes; i++)
            EXPECT_EQ(bytes[i], 0x11);
        EXPECT_EQ(rng.count, same.count);
    }
}
