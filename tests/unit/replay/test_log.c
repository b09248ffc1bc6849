#include "lib/test.h"
#include "replay/digest.h"
#include "replay/log.h"
#include <string.h>

TEST(log_numbers_come_back_and_are_short)
{
    static const struct {
        uint64_t value;
        size_t len;
    } rows[] = {{0, 1},     {1, 1},          {127, 1},       {128, 2},        {16383, 2},
                {16384, 3}, {UINT32_MAX, 5}, {INT64_MAX, 9}, {UINT64_MAX, 10}};
    uint8_t bytes[LOG_LONGEST];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct writer w = writer_of(bytes, sizeof bytes);
        log_put_number(&w, rows[i].value);
        EXPECT_EQ(writer_len(&w), rows[i].len);
        struct cursor c = cursor_of(span_of(bytes, w.written));
        EXPECT(log_take_number(&c) == rows[i].value);
        EXPECT(!c.failed && c.left == 0);
    }
}

TEST(log_signed_numbers_come_back)
{
    static const int64_t values[] = {0, -1, 1, -64, 64, INT64_MIN, INT64_MAX, -1000000007};
    uint8_t bytes[LOG_LONGEST];

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct writer w = writer_of(bytes, sizeof bytes);
        log_put_signed(&w, values[i]);
        struct cursor c = cursor_of(span_of(bytes, w.written));
        EXPECT(log_take_signed(&c) == values[i]);
    }
}

TEST(log_a_number_without_an_end_is_none)
{
    static const uint8_t endless[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                      0x80, 0x80, 0x80, 0x80, 0x01};
    struct cursor c = cursor_of(span_of(endless, sizeof endless));

    EXPECT(log_take_number(&c) == 0 && c.failed);
    c = cursor_of(span_of(endless, 3));
    EXPECT(log_take_number(&c) == 0 && c.failed);
    c = cursor_of(span_of("\x05", 1));
    EXPECT(log_take_up_to(&c, 4) == 0 && c.failed);
}

/* Three records, of which the last says that all is there. Returns the length. */
static size_t small_log(uint8_t *bytes, size_t room)
{
    struct writer w = writer_of(bytes, room);

    log_emit_header(&w);
    for (uint64_t i = 0; i < 3; i++) {
        uint8_t *start = w.at;
        log_begin(&w, i < 2 ? (uint8_t)(3 + i) : LOG_END);
        log_put_number(&w, 1000 + i);
        log_finish(&w, start, i);
    }
    return writer_len(&w);
}

static size_t count_records(const uint8_t *bytes, size_t len, enum log_result *end)
{
    struct log_reader r;
    struct log_record record;
    size_t count = 0;

    *end = log_open(&r, span_of(bytes, len));
    while (*end == LOG_RECORD) {
        *end = log_next(&r, &record);
        count += *end == LOG_RECORD;
    }
    EXPECT(*end == log_open(&r, span_of(bytes, len)) || log_next(&r, &record) != LOG_FOREIGN);
    return count;
}

TEST(log_records_come_back_in_order)
{
    uint8_t bytes[256];
    struct log_reader r;
    struct log_record record;
    size_t len = small_log(bytes, sizeof bytes);

    EXPECT_EQ(log_open(&r, span_of(bytes, len)), LOG_RECORD);
    for (unsigned i = 0; i < 2; i++) {
        uint8_t kind;
        EXPECT(log_peek(&r, &kind) && kind == 3 + i);
        EXPECT_EQ(log_next(&r, &record), LOG_RECORD);
        EXPECT_EQ(record.kind, 3 + i);
        EXPECT_EQ(log_take_number(&record.body), 1000 + i);
        EXPECT_EQ(record.body.left, 0);
    }
    EXPECT_EQ(log_next(&r, &record), LOG_OVER);
    EXPECT_EQ(log_next(&r, &record), LOG_OVER);
}

TEST(log_cut_anywhere_gives_what_came_before)
{
    uint8_t bytes[256];
    size_t len = small_log(bytes, sizeof bytes);
    enum log_result end;
    size_t most = 0;

    for (size_t cut = 0; cut < len; cut++) {
        size_t count = count_records(bytes, cut, &end);
        EXPECT(cut < 8 ? end == LOG_FOREIGN : end == LOG_CUT);
        EXPECT(count >= most);
        most = count;
    }
    EXPECT_EQ(most, 2);
}

TEST(log_zeros_behind_the_last_record_are_its_end)
{
    uint8_t bytes[256] = {0};
    size_t len = small_log(bytes, sizeof bytes);
    enum log_result end;

    memset(bytes + len - 11, 0, 11); /* the program did not come to write the last one */
    EXPECT_EQ(count_records(bytes, sizeof bytes, &end), 2);
    EXPECT_EQ(end, LOG_CUT);
}

TEST(log_no_changed_bit_goes_unnoticed)
{
    uint8_t bytes[256];
    size_t len = small_log(bytes, sizeof bytes);
    enum log_result end;

    for (size_t bit = 0; bit < 8 * len; bit++) {
        if (bit / 8 >= 12 && bit / 8 < LOG_HEADER)
            continue; /* reserved */
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        (void)count_records(bytes, len, &end);
        EXPECT(end != LOG_OVER);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    EXPECT_EQ(count_records(bytes, len, &end), 2);
    EXPECT_EQ(end, LOG_OVER);
}

TEST(log_a_missing_or_moved_record_is_noticed)
{
    uint8_t bytes[256];
    size_t len = small_log(bytes, sizeof bytes);
    size_t record = (len - LOG_HEADER) / 3;
    enum log_result end;

    memmove(bytes + LOG_HEADER, bytes + LOG_HEADER + record, 2 * record);
    EXPECT_EQ(count_records(bytes, len - record, &end), 0);
    EXPECT_EQ(end, LOG_DAMAGED);
}

TEST(log_of_a_later_version_is_refused)
{
    uint8_t bytes[256];
    size_t len = small_log(bytes, sizeof bytes);
    enum log_result end;

    bytes[11] = LOG_VERSION + 1;
    EXPECT_EQ(count_records(bytes, len, &end), 0);
    EXPECT_EQ(end, LOG_NEWER);
}

/* The same on every machine: these values are part of the format. */
TEST(digest_has_the_values_of_its_definition)
{
    static const uint8_t text[] = "The quick brown fox jumps over the lazy dog, and once more.";
    struct digest d;

    digest_init(&d, 0);
    EXPECT(digest_get(&d) == UINT64_C(0xceac72868632cf7e));
    digest_add(&d, text, sizeof text - 1);
    EXPECT(digest_get(&d) == UINT64_C(0x2aad66b4e05afaeb));
}

TEST(digest_does_not_see_how_bytes_were_cut_into_pieces)
{
    uint8_t bytes[200];
    struct digest whole, pieces;

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    digest_init(&whole, 1);
    digest_add(&whole, bytes, sizeof bytes);
    for (size_t cut = 0; cut <= sizeof bytes; cut++) {
        digest_init(&pieces, 1);
        digest_add(&pieces, bytes, cut / 2);
        digest_add(&pieces, bytes + cut / 2, cut - cut / 2);
        digest_add(&pieces, bytes + cut, sizeof bytes - cut);
        EXPECT(digest_get(&pieces) == digest_get(&whole));
    }
}

TEST(digest_tells_every_bit_and_length_apart)
{
    uint8_t bytes[80] = {0};
    struct digest d;
    uint64_t zeros, other;

    for (size_t len = 1; len <= sizeof bytes; len++) {
        digest_init(&d, 0);
        digest_add(&d, bytes, len - 1);
        zeros = digest_get(&d);
        digest_add(&d, bytes, 1);
        EXPECT(digest_get(&d) != zeros);
    }
    zeros = digest_get(&d);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] = (uint8_t)(1u << bit % 8);
        digest_init(&d, 0);
        digest_add(&d, bytes, sizeof bytes);
        other = digest_get(&d);
        EXPECT(other != zeros && (uint32_t)other != (uint32_t)zeros);
        bytes[bit / 8] = 0;
    }
}
