/*
 * test_seg_text.c - segments in packetdrill's notation
 */
#include "format/seg_text.h"

#include <string.h>

#include "lib/test.h"

static const struct seg_origin near_the_wrap = {0xfffffff0u, 0xffffff00u};

static struct seg_text parsed(const char *text, const struct seg_origin *origin)
{
    struct seg_text seg;
    struct seg_error error;

    if (!seg_text_parse(text, origin, &seg, &error))
        FAIL("%s: %s at %zu", text, error.text, error.at);
    return seg;
}

/* What is written can be read, and is then written the same. */
static void expect_stable(const char *text, const struct seg_origin *origin)
{
    struct seg_text seg = parsed(text, origin);
    char again[SEG_TEXT_MAX];

    EXPECT_EQ(seg_text_emit(&seg, origin, again, sizeof again), strlen(text));
    EXPECT_STR(again, text);
}

static void expect_error(const char *text, size_t at, const char *why)
{
    struct seg_text seg;
    struct seg_error error = {SIZE_MAX, ""};

    if (seg_text_parse(text, NULL, &seg, &error))
        FAIL("%s is taken for a segment", text);
    EXPECT_STR(error.text, why);
    EXPECT_EQ(error.at, at);
}

TEST(seg_text_gives_back_what_it_read)
{
    static const char *const texts[] = {
        "S 0:0(0) win 65535 <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>",
        "S. 0:0(0) ack 1 win 65535 <mss 1460,nop,nop,sackOK,nop,wscale 8>",
        ". 1:1(0) ack 1 win 257",
        "P. 1:101(100) ack 1",
        "F. 101:101(0) ack 1 win 0",
        "R 1:1(0)",
        "R 1:1(0) ack 7 win 0",
        "- 1:1(0) win 5",
        "FSRP.UEWA 5:6(1) ack 9 win 1 urg 65535",
        ". 1:1(0) ack 1 win 1 <nop,nop,sack 3:4 5:6 4294967295:1>",
        ". 1:1(0) ack 1 win 1 <nop,nop,TS val 4294967295 ecr 1,nop,nop,sack 2:3>",
        ". 1:1(0) ack 1 win 1 <eol,eol,eol,eol>",
        ". 1:1(0) ack 1 win 1 <md5 000102030405060708090a0b0c0d0e0f,eol,eol>",
        "S 0:11(11) win 1 <mss 536,FO 0123456789abcdef,nop,nop>",
        "S 0:0(0) win 1 <FO,nop,nop>",
        "S 0:0(0) win 1 <FOEXP aabbccdd>",
        "S 0:0(0) win 1 <FOEXP>",
        ".EA 1:1(0) ack 1 win 1 <ECN e0b 1 ceb 16777215 e1b 0,nop>",
        ". 1:1(0) ack 1 win 1 <ECN e1b 1 ceb 0,ECN e0b 7,ECN>",
        ". 1:1(0) ack 1 win 1 <opt 28 8064,opt 254 aabb,opt 9,opt 2 00,opt 174>",
        ". 1:1(0) ack 1 win 1 <nop,raw 0501>",
        ". 1:1(0) ack 1 win 1 <raw 02>",
        ". 1:1(0) ack 1 <...>",
        ". 4294967295:1460(1461) ack 1",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        expect_stable(texts[i], NULL);
        expect_stable(texts[i], &near_the_wrap);
    }
}

TEST(seg_text_numbers_count_from_the_origin_across_the_wrap)
{
    struct seg_text seg =
        parsed("P. 10:30(20) ack 257 win 5 <nop,nop,sack 256:300>", &near_the_wrap);
    static const uint8_t options[] = {1, 1, 5, 10, 0, 0, 0, 0, 0, 0, 0, 44};

    EXPECT_EQ(seg.seq, 0xfffffffau);
    EXPECT_EQ(seg.ack, 1);
    EXPECT_EQ(seg.len, 20);
    EXPECT_EQ(seg.options_len, sizeof options);
    EXPECT_MEM(seg.options, options, sizeof options);
}

TEST(seg_text_flags_may_come_in_any_order_and_ace_as_a_digit)
{
    char text[SEG_TEXT_MAX];
    struct seg_text seg = parsed(".P5 1:1(0) ack 1", NULL);

    EXPECT_EQ(seg.flags, TCP_ACK | TCP_PSH | TCP_AE | TCP_ECE);
    seg_text_emit(&seg, NULL, text, sizeof text);
    EXPECT_STR(text, "P.EA 1:1(0) ack 1");
    EXPECT_EQ(parsed("S7 0:0(0)", NULL).flags, TCP_SYN | TCP_AE | TCP_CWR | TCP_ECE);
    EXPECT_EQ(parsed("S0 0:0(0)", NULL).flags, TCP_SYN);
    EXPECT_EQ(parsed("SEW 0:0(0)", NULL).flags, TCP_SYN | TCP_CWR | TCP_ECE);
}

TEST(seg_text_blanks_do_not_matter)
{
    struct seg_text a =
        parsed("  S.  0 : 0 ( 0 )  ack  1  win 5 < mss 9 , nop , wscale 1 >  ", NULL);
    struct seg_text b = parsed("S. 0:0(0) ack 1 win 5 <mss 9,nop,wscale 1>", NULL);

    EXPECT(seg_text_differs(&a, &b) == NULL);
}

TEST(seg_text_says_where_a_text_goes_wrong)
{
    static const char flag[] = "this is not a flag: F S R P . U E W A, a digit, or - for none";
    static const char twice[] = "the flag is there twice";
    static const char number[] = "a number is expected";
    static const char large[] = "the number is too large";
    static const char rest[] = "ack, win, urg, options or the end is expected";

    expect_error("", 0, "flags are expected");
    expect_error("   ", 3, "flags are expected");
    expect_error("X 0:0(0)", 0, flag);
    expect_error("SX 0:0(0)", 1, flag);
    expect_error("S8 0:0(0)", 1, flag);
    expect_error("SS 0:0(0)", 1, twice);
    expect_error("S55 0:0(0)", 2, twice);
    expect_error("S5E 0:0(0)", 2, twice);
    expect_error("S0E 0:0(0)", 2, twice);
    expect_error("SE0 0:0(0)", 2, twice);
    expect_error("S", 1, number);
    expect_error("S 0", 3, "a colon and the number after the last byte are expected");
    expect_error("S 0:0", 5, "the number of bytes in parentheses is expected");
    expect_error("S 0:0(", 6, number);
    expect_error("S 0:0(0", 7, "a closing parenthesis is expected");
    expect_error("S 0:5(4)", 4, "the numbers and the length contradict each other");
    expect_error("S 4294967296:0(0)", 2, large);
    expect_error("S 99999999999999999999:0(0)", 2, large);
    expect_error(". 1:1(0) ack", 12, number);
    expect_error(". 1:1(0) win 65536", 13, large);
    expect_error(". 1:1(0) ack 1 urg 65536", 19, large);
    expect_error(". 1:1(0) win 1 ack 1", 15, rest);
    expect_error(". 1:1(0) ack1", 9, rest);
    expect_error(". 1:1(0) <mss 5> x", 17, rest);
    expect_error(". 1:1(0) <>", 10, "an option is expected");
    expect_error(". 1:1(0) <mss>", 13, number);
    expect_error(". 1:1(0) <mss 65536>", 14, large);
    expect_error(". 1:1(0) <wscale 256>", 17, large);
    expect_error(". 1:1(0) <bogus 1>", 10, "an option is expected");
    expect_error(". 1:1(0) <nop,>", 14, "an option is expected");
    expect_error(". 1:1(0) <nop", 13, "a comma or a closing > is expected");
    expect_error(". 1:1(0) <nop nop>", 14, "a comma or a closing > is expected");
    expect_error(". 1:1(0) <sack>", 14, number);
    expect_error(". 1:1(0) <sack 1>", 16, "a colon and the block's end are expected");
    expect_error(". 1:1(0) <TS 1 2>", 13, "val is expected");
    expect_error(". 1:1(0) <TS val 1>", 18, "ecr is expected");
    expect_error(". 1:1(0) <FO 012>", 15, "a byte has two hexadecimal digits");
    expect_error(". 1:1(0) <ECN e0b 16777216>", 18, large);
    expect_error(". 1:1(0) <opt 1>", 15, "this kind is written eol or nop");
    expect_error(". 1:1(0) <.>", 11, "<...> is expected");
    expect_error(". 1:1(0) <...", 13, "a closing > is expected");
    expect_error(". 1:1(0) <sack 1:2 1:2 1:2 1:2 1:2>", 10, "the options are longer than 40 bytes");
}

TEST(seg_text_error_may_go_unread)
{
    struct seg_text seg;

    EXPECT(!seg_text_parse("nonsense", NULL, &seg, NULL));
}

TEST(seg_text_is_cut_at_the_room_there_is)
{
    struct seg_text seg = parsed("P. 1:101(100) ack 1 win 257", NULL);
    char text[10];

    memset(text, 'x', sizeof text);
    EXPECT_EQ(seg_text_emit(&seg, NULL, text, 9), 27);
    EXPECT_STR(text, "P. 1:101");
    EXPECT_EQ(text[9], 'x');
    EXPECT_EQ(seg_text_emit(&seg, NULL, NULL, 0), 27);
}

TEST(seg_text_room_suffices_for_the_longest_segment)
{
    struct seg_text seg = parsed("FSRP.UEWA 4294967295:4294967294(4294967295)"
                                 " ack 4294967295 win 65535 urg 65535",
                                 NULL);
    char text[SEG_TEXT_MAX];

    seg.options_len = TCP_OPTIONS_MAX;
    for (size_t i = 0; i < TCP_OPTIONS_MAX; i += 2) {
        seg.options[i] = 253;
        seg.options[i + 1] = 2;
    }
    EXPECT(seg_text_emit(&seg, NULL, text, sizeof text) < SEG_TEXT_MAX);
    memset(seg.options, 1, TCP_OPTIONS_MAX);
    EXPECT(seg_text_emit(&seg, NULL, text, sizeof text) < SEG_TEXT_MAX);
}

TEST(seg_text_differs_looks_at_what_is_said)
{
    static const char seen_text[] = "P. 1:11(10) ack 5 win 100 <nop,nop,TS val 5 ecr 0>";
    static const struct {
        const char *want;
        const char *difference;
    } rows[] = {
        {"P. 1:11(10) ack 5 win 100 <nop,nop,TS val 5 ecr 0>", NULL},
        {"P. 1:11(10) ack 5 <nop,nop,TS val 5 ecr 0>", NULL},
        {"P. 1:11(10) <...>", NULL},
        {". 1:11(10) <...>", "flags"},
        {"P. 2:12(10) <...>", "seq"},
        {"P. 1:12(11) <...>", "len"},
        {"P. 1:11(10) ack 6 <...>", "ack"},
        {"P. 1:11(10) ack 5 win 101 <...>", "win"},
        {"P. 1:11(10) ack 5 urg 1 <...>", "urg"},
        {"P. 1:11(10) ack 5", "options"},
        {"P. 1:11(10) ack 5 <nop,nop,TS val 5 ecr 1>", "options"},
    };
    struct seg_text seen = parsed(seen_text, NULL);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct seg_text want = parsed(rows[i].want, NULL);
        const char *difference = seg_text_differs(&want, &seen);

        if (rows[i].difference == NULL)
            EXPECT(difference == NULL);
        else
            EXPECT_STR(difference, rows[i].difference);
    }
}

TEST(seg_text_options_are_compared_with_their_padding)
{
    struct seg_text bare = parsed("S 0:0(0) <sackOK>", NULL);
    struct seg_text padded = parsed("S 0:0(0) <sackOK,eol,eol>", NULL);
    struct seg_text longer = parsed("S 0:0(0) <sackOK,eol,eol,eol>", NULL);

    EXPECT(seg_text_differs(&bare, &padded) == NULL);
    EXPECT_STR(seg_text_differs(&bare, &longer), "options");
}

TEST(seg_text_goes_to_a_header_and_back)
{
    struct seg_text seg = parsed("P.U 1:11(10) ack 5 win 100 urg 3 <sackOK>", &near_the_wrap);
    struct tcp_header made = seg_text_header(&seg), read;
    uint8_t bytes[TCP_HEADER_MAX + 10] = {0};
    size_t len = tcp_emit(&made, bytes, sizeof bytes);
    char text[SEG_TEXT_MAX];

    EXPECT_EQ(len, made.header_len);
    EXPECT_EQ(tcp_parse(span_of(bytes, len + 10), len + 10, &read), WHY_NONE);
    seg = seg_text_of(&read);
    seg_text_emit(&seg, &near_the_wrap, text, sizeof text);
    EXPECT_STR(text, "P.U 1:11(10) ack 5 win 100 urg 3 <sackOK,eol,eol>");
}
