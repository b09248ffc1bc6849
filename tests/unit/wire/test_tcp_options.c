/* test_tcp_options.c - TCP options as they should be, as they should not, and in Linux's order */
#include "wire/tcp_options.h"

#include <stdlib.h>
#include <string.h>

#include "lib/test.h"
#include "unit/wire/samples.h"
#include "wire/tcp.h"

#define MSS "0204 05b4"
#define SCALE "0303 07"
#define PERMITTED "0402"
#define TIMES "080a 11223344 55667788"
#define BLOCK "fffffff0 00000010"

/* Parses in memory of exactly that length, which stays until the next call. */
static struct tcp_options parse(const char *hex)
{
    static uint8_t *memory;
    uint8_t bytes[64];
    size_t len = bytes_read(hex, bytes);
    struct tcp_options o;

    free(memory);
    memory = bytes_copy(bytes, len);
    tcp_options_parse(span_of(memory, len), &o);
    return o;
}

TEST(tcp_options_of_a_syn_are_read) /* [RFC9293 MUST-4] [RFC9293 3.2] */
{
    struct tcp_options o = parse(MSS PERMITTED TIMES "01" SCALE);

    EXPECT_EQ(o.present,
              TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED | TCP_HAS_TIMESTAMPS | TCP_HAS_WINDOW_SCALE);
    EXPECT_EQ(o.mss, 1460);
    EXPECT_EQ(o.window_scale, 7);
    EXPECT_EQ(o.ts_val, 0x11223344);
    EXPECT_EQ(o.ts_ecr, 0x55667788);
    EXPECT(!o.malformed);
    EXPECT_EQ(o.skipped_count, 0);
}

TEST(tcp_options_that_are_nothing_but_timestamps_are_read)
{
    struct tcp_options o = parse("0101" TIMES);

    EXPECT_EQ(o.present, TCP_HAS_TIMESTAMPS);
    EXPECT_EQ(o.ts_val, 0x11223344);
    EXPECT_EQ(o.ts_ecr, 0x55667788);
    EXPECT_EQ(o.sack_count, 0);
    EXPECT(!o.malformed);
}

TEST(tcp_options_may_be_anywhere) /* [RFC9293 MUST-64] */
{
    struct tcp_options o;

    EXPECT_EQ(parse(TIMES "0000").ts_val, 0x11223344);
    EXPECT_EQ(parse("01" TIMES "01").ts_ecr, 0x55667788);
    EXPECT_EQ(parse("010101" TIMES MSS).mss, 1460);
    EXPECT_EQ(parse(SCALE MSS).mss, 1460);
    o = parse("01" SCALE "01" PERMITTED "01" MSS);
    EXPECT_EQ(o.present, TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED | TCP_HAS_WINDOW_SCALE);
}

TEST(tcp_options_end_where_they_say) /* [RFC9293 MUST-4] */
{
    struct tcp_options o = parse("01 00" MSS);

    EXPECT_EQ(o.present, 0);
    EXPECT(!o.malformed);
    EXPECT_EQ(parse("").present, 0);
    EXPECT_EQ(parse("00").present, 0);
    EXPECT_EQ(parse("01010101").present, 0);
}

TEST(tcp_options_unknown_are_skipped_by_their_length) /* [RFC9293 MUST-6] [RFC9293 MUST-68] */
{
    for (int kind = 2; kind < 256; kind++) {
        static const uint8_t known[] = {2, 3, 4, 5, 8, 19, 28, 29, 34, 172, 174};
        uint8_t bytes[10] = {(uint8_t)kind, 6, 0xaa, 0xaa, 0xaa, 0xaa, 2, 4, 5, 0xb4};
        struct tcp_options o;

        if (memchr(known, kind, sizeof known) != NULL)
            continue;
        tcp_options_parse(span_of(bytes, sizeof bytes), &o);
        EXPECT_EQ(o.present, TCP_HAS_MSS);
        EXPECT_EQ(o.skipped_count, 1);
        EXPECT(!o.malformed);
    }
    EXPECT_EQ(parse("fd02 fd03ff" MSS).skipped_count, 2); /* with no value, too */
}

TEST(tcp_options_keep_sack_blocks) /* [RFC2018 3] */
{
    struct tcp_options o = parse("0101 050a" BLOCK);

    EXPECT_EQ(o.sack_count, 1);
    EXPECT_EQ(o.sack[0].left, 0xfffffff0);
    EXPECT_EQ(o.sack[0].right, 0x10);
    o = parse("0101" TIMES "0101 051a 00000001 00000002 00000003 00000004 00000005 00000006");
    EXPECT_EQ(o.present, TCP_HAS_TIMESTAMPS | TCP_HAS_SACK);
    EXPECT_EQ(o.sack_count, 3);
    EXPECT_EQ(o.sack[2].right, 6);
    o = parse("0101 0522" BLOCK BLOCK BLOCK BLOCK);
    EXPECT_EQ(o.sack_count, 4);
}

TEST(tcp_options_take_fast_open_in_both_forms) /* [RFC7413 4.1.1] */
{
    struct tcp_options o = parse("2202 0101");

    EXPECT_EQ(o.present, TCP_HAS_FASTOPEN);
    EXPECT(span_is_empty(o.fastopen) && !o.fastopen_is_experimental);
    o = parse("220a 0102030405060708 0101");
    EXPECT(span_eq(o.fastopen, span_of("\1\2\3\4\5\6\7\10", 8)));
    o = parse("fe04 f989");
    EXPECT_EQ(o.present, TCP_HAS_FASTOPEN);
    EXPECT(span_is_empty(o.fastopen) && o.fastopen_is_experimental);
    o = parse("fe08 f989 61626364");
    EXPECT(span_eq(o.fastopen, span_of("abcd", 4)));
    EXPECT_EQ(parse("fe08 acce 61626364").present, 0); /* another experiment */
    EXPECT_EQ(parse("fe02").skipped_count, 1);
}

TEST(tcp_options_take_what_authenticates_times_out_and_counts)
{
    struct tcp_options o = parse("0101 1312 000102030405060708090a0b0c0d0e0f");

    EXPECT_EQ(o.present, TCP_HAS_MD5);
    EXPECT_EQ(o.md5.len, TCP_MD5_LEN);
    EXPECT_EQ(o.md5.bytes[15], 15);
    o = parse("1d10 0102 0c0d0e0f0c0d0e0f0c0d0e0f");
    EXPECT_EQ(o.present, TCP_HAS_AO);
    EXPECT_EQ(o.ao.len, 14);
    EXPECT_EQ(parse("1c04 8005").user_timeout, 0x8005);
    o = parse("ac0b 000001 000002 000003 01");
    EXPECT_EQ(o.present, TCP_HAS_ACCECN);
    EXPECT_EQ(o.accecn_kind, TCP_OPTION_ACCECN0);
    EXPECT_EQ(o.accecn.len, 9);
    o = parse("ae02");
    EXPECT_EQ(o.accecn_kind, TCP_OPTION_ACCECN1);
    EXPECT(span_is_empty(o.accecn));
}

/* Of an option of any length the whole counters count, and there are three [RFC9768 3.2.3]. */
TEST(tcp_options_take_accecn_of_any_length)
{
    struct tcp_options o = parse("ac07 000001 0000");

    EXPECT_EQ(o.present, TCP_HAS_ACCECN);
    EXPECT_EQ(o.accecn.len, 3);
    EXPECT(!o.malformed);
    EXPECT_EQ(parse("ac03 00").accecn.len, 0);
    EXPECT_EQ(parse("ae0c 000001 000002 000003 00").accecn.len, 9);
    EXPECT_EQ(parse("ac0e 000001 000002 000003 000004").accecn.len, 9);
}

TEST(tcp_options_repeated_count_once_the_first)
{
    struct tcp_options o = parse(MSS "0204 0001" SCALE "0303 0e"
                                     "0101" TIMES);

    EXPECT_EQ(o.mss, 1460);
    EXPECT_EQ(o.window_scale, 7);
    EXPECT_EQ(o.skipped_count, 2);
    EXPECT(!o.malformed);
    o = parse("ac02 ae02 2202 fe04f989");
    EXPECT_EQ(o.accecn_kind, TCP_OPTION_ACCECN0);
    EXPECT(!o.fastopen_is_experimental);
    EXPECT_EQ(o.skipped_count, 2);
}

/* Each stands between an MSS and a window scale; the length cannot be, and all ends there. */
static const char *const ends[] = {
    "0200", "0201", "0800", "0801", "0500", "0501", "0400", "0401", "0300", "0301", "fd00", "fd01",
    "1300", "1d01", "2200", "2201", "ac00", "ac01", "1c01", "fe01", "02ff", "0829", "05ff", "fdff",
};

TEST(tcp_options_of_illegal_length_end_the_parsing) /* [RFC9293 MUST-7] */
{
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char text[64];
        struct tcp_options o;

        strcpy(text, MSS);
        strcat(strcat(text, ends[i]), SCALE);
        o = parse(text);
        EXPECT_EQ(o.present, TCP_HAS_MSS);
        EXPECT_EQ(o.mss, 1460);
        EXPECT(o.malformed);
    }
}

TEST(tcp_options_whose_length_is_missing_are_malformed) /* [RFC9293 MUST-7] */
{
    for (int kind = 2; kind < 256; kind++) {
        uint8_t *byte = bytes_copy(&(uint8_t){(uint8_t)kind}, 1);
        struct tcp_options o;

        tcp_options_parse(span_of(byte, 1), &o);
        EXPECT_EQ(o.present, 0);
        EXPECT(o.malformed);
        free(byte);
    }
}

TEST(tcp_options_of_every_length_beyond_the_end_are_malformed) /* [RFC9293 MUST-7] */
{
    for (int kind = 2; kind < 256; kind++) {
        for (int len = 0; len < 256; len++) {
            uint8_t bytes[TCP_OPTIONS_MAX] = {(uint8_t)kind, (uint8_t)len};
            struct tcp_options o;

            tcp_options_parse(span_of(bytes, sizeof bytes), &o);
            if (len < 2 || len > TCP_OPTIONS_MAX)
                EXPECT(o.malformed && o.present == 0);
        }
    }
}

/* Each has a length that is not its kind's, and yet leads to the next. */
static const char *const wrong_lens[] = {
    "0202",
    "0203 05",
    "0205 05b400",
    "0302",
    "0304 0707",
    "0403 00",
    "0502",
    "0509 00000000 000000",
    "050b" BLOCK "00",
    "0809 00000000 000000",
    "080b 00000000 00000000 00",
    "1311 000000000000000000000000000000",
    "1c03 00",
    "1c05 000000",
    "1d03 00",
    "2203 00",
    "2204 0000", /* a cookie of two bytes */
    "2207 0000000000",
    "2214 000000000000000000000000000000000000",
    "fe05 f989 00",
};

TEST(tcp_options_of_a_wrong_length_are_skipped)
{
    for (size_t i = 0; i < sizeof wrong_lens / sizeof wrong_lens[0]; i++) {
        char text[128];
        struct tcp_options o;

        strcpy(text, wrong_lens[i]);
        strcat(text, "0101" TIMES);
        o = parse(text);
        if (o.present != TCP_HAS_TIMESTAMPS || !o.malformed || o.skipped_count != 1)
            FAIL("%s: present %x", wrong_lens[i], o.present);
    }
}

TEST(tcp_options_keep_values_that_others_clamp) /* [RFC7323 2.3] */
{
    EXPECT_EQ(parse("0303 ff").window_scale, 255);
    EXPECT_EQ(parse("0204 0000").mss, 0);
    EXPECT_EQ(parse("0204 ffff").mss, 65535);
}

#define ALL_SYN (TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED | TCP_HAS_WINDOW_SCALE)

TEST(tcp_options_are_emitted_in_the_order_of_linux)
{
    const struct tcp_options base = {.mss = 1460,
                                     .window_scale = 7,
                                     .ts_val = 0x11223344,
                                     .ts_ecr = 0x55667788,
                                     .sack = {{0xfffffff0, 0x10}, {0x20, 0x30}, {0x40, 0x50}},
                                     .user_timeout = 0x8005,
                                     .accecn_kind = TCP_OPTION_ACCECN1,
                                     .accecn = span_of("\0\0\1\0\0\2\0\0\3", 9),
                                     .fastopen = span_of("abcdefgh", 8),
                                     .md5 = span_of("0123456789abcdef", 16),
                                     .ao = span_of("kn0123456789ab", 14)};
    static const struct {
        unsigned present;
        uint8_t sack_count;
        uint8_t accecn_len;
        const char *hex;
    } cases[] = {
        {0, 0, 0, ""},
        {ALL_SYN | TCP_HAS_TIMESTAMPS, 0, 0, MSS PERMITTED TIMES "01" SCALE},
        {ALL_SYN, 0, 0, MSS "0101" PERMITTED "01" SCALE},
        {TCP_HAS_MSS, 0, 0, MSS},
        {TCP_HAS_MSS | TCP_HAS_TIMESTAMPS | TCP_HAS_WINDOW_SCALE, 0, 0,
         MSS "0101" TIMES "01" SCALE},
        {TCP_HAS_MSS | TCP_HAS_WINDOW_SCALE, 0, 0, MSS "01" SCALE},
        {TCP_HAS_TIMESTAMPS, 0, 0, "0101" TIMES},
        {TCP_HAS_SACK, 1, 0, "0101 050a" BLOCK},
        {TCP_HAS_SACK | TCP_HAS_TIMESTAMPS, 2, 0,
         "0101" TIMES "0101 0512" BLOCK "00000020 00000030"},
        {TCP_HAS_SACK | TCP_HAS_TIMESTAMPS, 3, 0,
         "0101" TIMES "0101 051a" BLOCK "00000020 00000030 00000040 00000050"},
        {ALL_SYN | TCP_HAS_TIMESTAMPS | TCP_HAS_FASTOPEN, 0, 0,
         MSS PERMITTED TIMES "01" SCALE "220a 6162636465666768 0101"},
        {TCP_HAS_MSS | TCP_HAS_MD5, 0, 0, "0101 1312 30313233343536373839616263646566" MSS},
        {TCP_HAS_AO | TCP_HAS_TIMESTAMPS, 0, 0, "1d10 6b6e303132333435363738396162 0101" TIMES},
        {TCP_HAS_USER_TIMEOUT | TCP_HAS_MSS, 0, 0, MSS "1c04 8005"},
        /* Accurate ECN puts its odd bytes where NOPs would be. */
        {ALL_SYN | TCP_HAS_ACCECN, 0, 9,
         MSS "ae0b 000001 000002 000003 010101" PERMITTED "01" SCALE},
        {TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED | TCP_HAS_ACCECN, 0, 3,
         MSS "ae05 000001 01" PERMITTED},
        {TCP_HAS_TIMESTAMPS | TCP_HAS_ACCECN, 0, 6, "0101" TIMES "ae08 000001 000002"},
        {TCP_HAS_TIMESTAMPS | TCP_HAS_ACCECN | TCP_HAS_SACK, 3, 0,
         "0101" TIMES "ae02 051a" BLOCK "00000020 00000030 00000040 00000050"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tcp_options o = base;
        uint8_t expected[64], out[TCP_OPTIONS_MAX];
        size_t expected_len = bytes_read(cases[i].hex, expected), len;

        o.present = (uint16_t)cases[i].present;
        o.sack_count = cases[i].sack_count;
        o.accecn.len = cases[i].accecn_len;
        EXPECT(tcp_options_emit(&o, out, &len));
        EXPECT_EQ(len, expected_len);
        EXPECT_MEM(out, expected, len);
        EXPECT_EQ(tcp_options_len(&o), len);
    }
}

TEST(tcp_options_emit_never_exceeds_forty_bytes)
{
    uint8_t digest[16] = {0}, cookie[16] = {0}, ao[38] = {0};

    for (unsigned present = 0; present < 1 << 10; present++) {
        for (uint8_t variant = 0; variant < 16; variant++) {
            struct tcp_options o = {.present = (uint16_t)present,
                                    .sack_count = (uint8_t)(variant % 4 + 1),
                                    .accecn_kind = TCP_OPTION_ACCECN0,
                                    .accecn = span_of(digest, (size_t)variant % 4 * 3),
                                    .fastopen = span_of(cookie, variant < 8 ? 0 : variant & 14),
                                    .fastopen_is_experimental = variant % 2 != 0,
                                    .md5 = span_of(digest, 16),
                                    .ao = span_of(ao, 2 + variant)};
            uint8_t *out = bytes_copy(ao, 0);
            size_t len;

            out = realloc(out, TCP_OPTIONS_MAX);
            EXPECT(out != NULL);
            EXPECT_EQ(tcp_options_emit(&o, out, &len), tcp_options_len(&o) <= TCP_OPTIONS_MAX);
            if (tcp_options_len(&o) <= TCP_OPTIONS_MAX) {
                struct tcp_options back;

                EXPECT_EQ(len % 4, 0);
                tcp_options_parse(span_of(out, len), &back);
                EXPECT_EQ(back.present, present);
                EXPECT(!back.malformed && back.skipped_count == 0);
            }
            free(out);
        }
    }
}

TEST(tcp_options_emit_refuses_what_no_option_can_hold)
{
    uint8_t bytes[40] = {0}, out[TCP_OPTIONS_MAX];
    size_t len;
    struct tcp_options o = {.present = TCP_HAS_SACK};

    EXPECT(!tcp_options_emit(&o, out, &len));
    o.sack_count = 5;
    EXPECT(!tcp_options_emit(&o, out, &len));
    o = (struct tcp_options){.present = TCP_HAS_FASTOPEN, .fastopen = span_of(bytes, 5)};
    EXPECT(!tcp_options_emit(&o, out, &len));
    o = (struct tcp_options){.present = TCP_HAS_ACCECN, .accecn = span_of(bytes, 4)};
    EXPECT(!tcp_options_emit(&o, out, &len));
    o = (struct tcp_options){.present = TCP_HAS_MD5, .md5 = span_of(bytes, 15)};
    EXPECT(!tcp_options_emit(&o, out, &len));
    o = (struct tcp_options){.present = TCP_HAS_AO, .ao = span_of(bytes, 1)};
    EXPECT(!tcp_options_emit(&o, out, &len));
    o.ao.len = 39;
    EXPECT(!tcp_options_emit(&o, out, &len));
}

TEST(tcp_options_say_how_many_sack_blocks_have_room)
{
    struct tcp_options o = {.present = 0};

    EXPECT_EQ(tcp_options_sack_room(&o), 4);
    o.present = TCP_HAS_TIMESTAMPS;
    EXPECT_EQ(tcp_options_sack_room(&o), 3);
    o.present = TCP_HAS_TIMESTAMPS | TCP_HAS_ACCECN;
    o.accecn_kind = TCP_OPTION_ACCECN0;
    EXPECT_EQ(tcp_options_sack_room(&o), 3);
    o.accecn = span_of("123456789", 9);
    EXPECT_EQ(tcp_options_sack_room(&o), 1);
    o = (struct tcp_options){.present = TCP_HAS_MD5 | TCP_HAS_TIMESTAMPS,
                             .md5 = span_of("0123456789abcdef", 16)};
    EXPECT_EQ(tcp_options_sack_room(&o), 0);
}

TEST(tcp_options_come_back_as_they_went)
{
    uint64_t state = test_seed();

    for (int i = 0; i < 5000; i++) {
        struct tcp_options o = {.present = (uint16_t)(test_random(&state) & 0x1f),
                                .mss = (uint16_t)test_random(&state),
                                .window_scale = (uint8_t)test_random(&state),
                                .ts_val = (uint32_t)test_random(&state),
                                .ts_ecr = (uint32_t)test_random(&state)};
        struct tcp_options back;
        uint8_t out[TCP_OPTIONS_MAX];
        size_t len;

        o.sack_count = tcp_options_sack_room(&o);
        if (o.sack_count == 0)
            o.present &= (uint16_t)~TCP_HAS_SACK;
        for (size_t k = 0; k < o.sack_count; k++)
            o.sack[k] = (struct tcp_sack_block){(uint32_t)test_random(&state), (uint32_t)i};
        EXPECT(tcp_options_emit(&o, out, &len));
        tcp_options_parse(span_of(out, len), &back);
        EXPECT_EQ(back.present, o.present);
        if (o.present & TCP_HAS_MSS)
            EXPECT_EQ(back.mss, o.mss);
        if (o.present & TCP_HAS_WINDOW_SCALE)
            EXPECT_EQ(back.window_scale, o.window_scale);
        if (o.present & TCP_HAS_TIMESTAMPS)
            EXPECT(back.ts_val == o.ts_val && back.ts_ecr == o.ts_ecr);
        if (o.present & TCP_HAS_SACK) {
            EXPECT_EQ(back.sack_count, o.sack_count);
            EXPECT_MEM(back.sack, o.sack, o.sack_count * sizeof o.sack[0]);
        }
    }
}

TEST(tcp_options_of_any_bytes_are_survived) /* [RFC9293 MUST-7] */
{
    static const uint8_t likely[16] = {0, 1, 1, 2, 3, 4, 5, 8, 10, 18, 19, 28, 29, 34, 172, 254};
    uint64_t state = test_seed();

    for (int i = 0; i < 50000; i++) {
        uint8_t random[TCP_OPTIONS_MAX], *copy;
        size_t len = test_random_below(&state, TCP_OPTIONS_MAX + 1);
        struct tcp_options o;

        for (size_t at = 0; at < len; at++)
            random[at] = test_random_below(&state, 4) ? likely[test_random_below(&state, 16)]
                                                      : (uint8_t)test_random(&state);
        copy = bytes_copy(random, len);
        tcp_options_parse(span_of(copy, len), &o);
        EXPECT(o.sack_count <= TCP_SACK_MAX);
        free(copy);
    }
}
