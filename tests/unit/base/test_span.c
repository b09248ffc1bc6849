/* test_span.c - a span never reaches beyond the one it was made from */
#include "base/span.h"

#include "lib/test.h"

static const uint8_t bytes[5] = {1, 2, 3, 4, 5};

TEST(span_of_bytes_has_them_all)
{
    struct span s = span_of(bytes, sizeof bytes);

    EXPECT(s.bytes == bytes);
    EXPECT_EQ(s.len, 5);
    EXPECT(!span_is_empty(s));
}

TEST(span_without_bytes_is_empty)
{
    EXPECT(span_is_empty(span_none()));
    EXPECT(span_is_empty(span_of(bytes, 0)));
    EXPECT(span_is_empty(span_drop(span_none(), 3)));
    EXPECT(span_is_empty(span_take(span_none(), 3)));
}

TEST(span_drops_from_its_start_and_no_more_than_there_is)
{
    struct span s = span_of(bytes, sizeof bytes);

    for (size_t len = 0; len <= 5; len++) {
        EXPECT(span_drop(s, len).bytes == bytes + len);
        EXPECT_EQ(span_drop(s, len).len, 5 - len);
    }
    EXPECT(span_drop(s, 6).bytes == bytes + 5);
    EXPECT(span_is_empty(span_drop(s, 6)));
    EXPECT(span_is_empty(span_drop(s, SIZE_MAX)));
}

TEST(span_takes_from_its_start_and_no_more_than_there_is)
{
    struct span s = span_of(bytes, sizeof bytes);

    for (size_t len = 0; len <= 5; len++) {
        EXPECT(span_take(s, len).bytes == bytes);
        EXPECT_EQ(span_take(s, len).len, len);
    }
    EXPECT_EQ(span_take(s, SIZE_MAX).len, 5);
}

TEST(span_equality_is_of_bytes_not_of_places)
{
    static const uint8_t same[5] = {1, 2, 3, 4, 5};
    static const uint8_t other[5] = {1, 2, 3, 4, 6};

    EXPECT(span_eq(span_of(bytes, 5), span_of(same, 5)));
    EXPECT(span_eq(span_none(), span_of(bytes, 0)));
    EXPECT(!span_eq(span_of(bytes, 5), span_of(other, 5)));
    EXPECT(span_eq(span_of(bytes, 4), span_of(other, 4)));
    EXPECT(!span_eq(span_of(bytes, 4), span_of(bytes, 5)));
}

TEST(span_is_copied_whatever_its_length)
{
    static const size_t lengths[] = {0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 2047, 2048, 2049, 4096, 5000};
    static uint8_t from[5000], to[5001];

    for (size_t i = 0; i < sizeof from; i++)
        from[i] = (uint8_t)(i * 3 + i / 256);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        memset(to, 0, sizeof to);
        to[lengths[i]] = 0xa5;
        span_copy(to, span_of(from, lengths[i]));
        EXPECT(memcmp(to, from, lengths[i]) == 0);
        EXPECT_EQ(to[lengths[i]], 0xa5);
    }
}
