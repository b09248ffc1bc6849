/*
 * test_words.c - suggestions, numbers, JSON and amounts of bytes
 */
#include <stdlib.h>
#include <string.h>

#include "cli/json.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/suggest.h"
#include "lib/test.h"

TEST(distances_count_edits)
{
    EXPECT_EQ(suggest_distance("serve", "serve"), 0);
    EXPECT_EQ(suggest_distance("sevre", "serve"), 1);
    EXPECT_EQ(suggest_distance("sere", "serve"), 1);
    EXPECT_EQ(suggest_distance("sserve", "serve"), 1);
    EXPECT_EQ(suggest_distance("", "ping"), 4);
    EXPECT_EQ(suggest_distance("listen", "silent"), 4);
    EXPECT(suggest_distance("a-word-of-more-than-thirty-two-letters", "a") > 1000);
}

TEST(numbers_are_whole_and_in_range)
{
    unsigned long long number;
    long long ns;

    EXPECT(options_number("65535", 1, 65535, &number) == 0 && number == 65535);
    EXPECT(options_number("65536", 1, 65535, &number) != 0);
    EXPECT(options_number("", 0, 9, &number) != 0);
    EXPECT(options_number("-1", 0, 9, &number) != 0);
    EXPECT(options_number("1x", 0, 9, &number) != 0);
    EXPECT(options_number("18446744073709551617", 0, 9, &number) != 0);
    EXPECT(options_seconds("0.25", &ns) == 0 && ns == 250000000);
    EXPECT(options_seconds(".5", &ns) == 0 && ns == 500000000);
    EXPECT(options_seconds("1e300", &ns) != 0);
    EXPECT(options_seconds("inf", &ns) != 0);
    EXPECT(options_seconds("1s", &ns) != 0);
    EXPECT(options_seconds("-1", &ns) != 0);
    EXPECT(options_seconds("", &ns) != 0);
}

TEST(json_is_one_line_and_escaped)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    struct json j;

    EXPECT(out != NULL);
    json_begin(&j, out, "test");
    json_text(&j, "t", "a\"b\\c\n\x7f\xc3\xa4\xff\xe0\x80\x80");
    json_number(&j, "n", -5);
    json_unsigned(&j, "u", UINT64_MAX);
    json_bool(&j, "b", true);
    json_seconds(&j, "s", 1500000001);
    json_seconds(&j, "m", -1);
    json_end(&j);
    fclose(out);
    EXPECT_STR(text,
               "{\"type\":\"test\",\"t\":\"a\\\"b\\\\c\\u000a\\u007f\xc3\xa4\\ufffd\\ufffd\\ufffd"
               "\\ufffd\",\"n\":-5,\"u\":18446744073709551615,\"b\":true,"
               "\"s\":1.500000001,\"m\":-0.000000001}\n");
    free(text);
}

TEST(json_that_does_not_fit_is_cut_between_members)
{
    char *text = NULL, words[1500];
    size_t len;
    FILE *out = open_memstream(&text, &len);
    struct json j;

    memset(words, 'x', sizeof words - 1);
    words[sizeof words - 1] = 0;
    json_begin(&j, out, "test");
    json_text(&j, "a", words);
    json_text(&j, "b", words);
    json_text(&j, "c", words);
    json_end(&j);
    fclose(out);
    EXPECT_EQ(text[len - 1], '\n');
    EXPECT(strstr(text, "\"b\"") != NULL && strstr(text, "\"c\"") == NULL);
    EXPECT_STR(text + len - 13, ",\"cut\":true}\n");
    free(text);
}

TEST(amounts_of_bytes_have_units)
{
    char text[PROGRESS_BYTES_TEXT];

    EXPECT_STR(progress_bytes_text(0, text), "0 B");
    EXPECT_STR(progress_bytes_text(1023, text), "1023 B");
    EXPECT_STR(progress_bytes_text(1024, text), "1.0 KiB");
    EXPECT_STR(progress_bytes_text(1536.0 * 1024 * 1024, text), "1.5 GiB");
    EXPECT_STR(progress_bytes_text(1024.0 * 1024 - 1, text), "1.0 MiB");
}
