/* test_cursor.c - reading and writing end where the bytes end, and stay ended */
#include "base/cursor.h"

#include <stdlib.h>

#include "lib/test.h"

static const uint8_t bytes[15] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

TEST(cursor_reads_in_order)
{
    struct cursor c = cursor_of(span_of(bytes, sizeof bytes));

    EXPECT_EQ(cursor_take_u8(&c), 1);
    EXPECT_EQ(cursor_take_be16(&c), 0x0203);
    EXPECT_EQ(cursor_take_be32(&c), 0x04050607);
    EXPECT(cursor_take_be64(&c) == 0x08090a0b0c0d0e0f);
    EXPECT(cursor_is_at_end(&c));
    EXPECT(!c.failed);
}

TEST(cursor_lends_and_copies_and_skips)
{
    struct cursor c = cursor_of(span_of(bytes, sizeof bytes));
    uint8_t copy[3];

    EXPECT(cursor_skip(&c, 4));
    cursor_take_bytes(&c, copy, sizeof copy);
    EXPECT_MEM(copy, bytes + 4, 3);
    EXPECT(cursor_take_span(&c, 2).bytes == bytes + 7);
    EXPECT(cursor_rest(&c).bytes == bytes + 9);
    EXPECT_EQ(cursor_rest(&c).len, 6);
    EXPECT(!c.failed);
}

TEST(cursor_yields_zeros_from_the_first_read_past_the_end_on)
{
    struct cursor c = cursor_of(span_of(bytes, 3));
    uint8_t copy[2] = {9, 9};

    EXPECT_EQ(cursor_take_be32(&c), 0);
    EXPECT(c.failed);
    EXPECT_EQ(cursor_take_u8(&c), 0); /* although three bytes were left */
    EXPECT_EQ(cursor_take_be16(&c), 0);
    EXPECT(cursor_take_be64(&c) == 0);
    cursor_take_bytes(&c, copy, sizeof copy);
    EXPECT_EQ(copy[0] | copy[1], 0);
    EXPECT(span_is_empty(cursor_take_span(&c, 1)));
    EXPECT(span_is_empty(cursor_rest(&c)));
    EXPECT(!cursor_skip(&c, 0));
    EXPECT(c.failed);
}

TEST(cursor_of_nothing_is_at_its_end_and_has_not_failed)
{
    struct cursor c = cursor_of(span_none());

    EXPECT(cursor_is_at_end(&c));
    EXPECT(span_is_empty(cursor_take_span(&c, 0)));
    EXPECT(!c.failed);
    EXPECT_EQ(cursor_take_u8(&c), 0);
    EXPECT(c.failed);
}

TEST(cursor_is_not_led_astray_by_an_enormous_length)
{
    struct cursor c = cursor_of(span_of(bytes, sizeof bytes));

    cursor_take_u8(&c);
    EXPECT(!cursor_skip(&c, SIZE_MAX));
    EXPECT(c.failed);
}

/* Memory of exactly the right length, so that a sanitizer sees the byte too many. */
TEST(cursor_and_writer_stay_within_any_length)
{
    for (size_t len = 0; len <= 16; len++) {
        uint8_t *memory = calloc(1, len > 0 ? len : 1);
        struct cursor c = cursor_of(span_of(memory, len));
        struct writer w = writer_of(memory, len);

        for (int i = 0; i < 3; i++) {
            writer_put_be64(&w, 1);
            writer_put_u8(&w, 1);
            EXPECT(cursor_take_be64(&c) <= UINT64_MAX);
            cursor_take_u8(&c);
        }
        EXPECT(c.failed && w.failed);
        free(memory);
    }
}

TEST(writer_writes_in_order)
{
    uint8_t out[20];
    struct writer w = writer_of(out, sizeof out);

    writer_put_u8(&w, 1);
    writer_put_be16(&w, 0x0203);
    writer_put_be32(&w, 0x04050607);
    writer_put_be64(&w, 0x08090a0b0c0d0e0f);
    EXPECT_EQ(writer_len(&w), 15);
    EXPECT_MEM(out, bytes, 15);

    writer_fill(&w, 7, 3);
    writer_put_span(&w, span_of(bytes, 2));
    EXPECT_EQ(writer_len(&w), 20);
    EXPECT_EQ(out[15], 7);
    EXPECT_EQ(out[17], 7);
    EXPECT_MEM(out + 18, bytes, 2);
}

TEST(writer_writes_nothing_more_once_something_did_not_fit)
{
    uint8_t out[4] = {0};
    struct writer w = writer_of(out, sizeof out);

    writer_put_u8(&w, 1);
    writer_put_be32(&w, UINT32_MAX);
    EXPECT(w.failed);
    writer_put_u8(&w, 2);
    EXPECT(writer_take(&w, 0) == NULL);
    EXPECT_EQ(writer_len(&w), 0);
    EXPECT_EQ(out[1] | out[2] | out[3], 0);
}

TEST(writer_takes_empty_spans_and_no_room)
{
    struct writer w = writer_of(NULL, 0);

    writer_put_span(&w, span_none());
    writer_fill(&w, 1, 0);
    EXPECT(!w.failed);
    writer_put_u8(&w, 1);
    EXPECT(w.failed);
}
