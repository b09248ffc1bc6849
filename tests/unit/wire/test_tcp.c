/* test_tcp.c - TCP headers */
#include "wire/tcp.h"

#include <stdlib.h>
#include <string.h>

#include "lib/test.h"
#include "unit/wire/samples.h"

/* With a timestamp option and five bytes of text. */
static const char segment[] = "9c40 0050 fffffff0 80000001 8018 01fd 1234 4321"
                              "0101080a 00001000 00002000 68656c6c6f";

enum { SEGMENT_LEN = 37, SEGMENT_HEADER_LEN = 32 };

TEST(tcp_parses_a_segment) /* [RFC9293 3.1] */
{
    uint8_t bytes[64];
    struct tcp_header h;

    EXPECT_EQ(bytes_read(segment, bytes), SEGMENT_LEN);
    EXPECT_EQ(tcp_parse(span_of(bytes, SEGMENT_LEN), SEGMENT_LEN, &h), WHY_NONE);
    EXPECT_EQ(h.src_port, 40000);
    EXPECT_EQ(h.dst_port, 80);
    EXPECT_EQ(h.seq, 0xfffffff0);
    EXPECT_EQ(h.ack, 0x80000001);
    EXPECT_EQ(h.flags, TCP_ACK | TCP_PSH);
    EXPECT_EQ(h.window, 509);
    EXPECT_EQ(h.checksum, 0x1234);
    EXPECT_EQ(h.urgent, 0x4321);
    EXPECT_EQ(h.reserved, 0);
    EXPECT_EQ(h.header_len, SEGMENT_HEADER_LEN);
    EXPECT(span_eq(h.options, span_of(bytes + TCP_HEADER_LEN, 12)));
    EXPECT(span_eq(h.payload, span_of("hello", 5)));
    EXPECT_EQ(h.payload_len, 5);
    EXPECT_EQ(tcp_seq_len(&h), 5);
}

TEST(tcp_keeps_all_nine_flags_and_the_reserved_bits)
{
    uint8_t bytes[64], out[TCP_HEADER_MAX];
    struct tcp_header h;

    bytes_read(segment, bytes);
    for (uint16_t flags = 0; flags <= TCP_FLAGS; flags++) {
        for (uint8_t reserved = 0; reserved < 8; reserved++) {
            bytes[12] = (uint8_t)(8 << 4 | reserved << 1 | flags >> 8);
            bytes[13] = (uint8_t)flags;
            EXPECT_EQ(tcp_parse(span_of(bytes, SEGMENT_LEN), SEGMENT_LEN, &h), WHY_NONE);
            EXPECT_EQ(h.flags, flags);
            EXPECT_EQ(h.reserved, reserved);
            EXPECT_EQ(tcp_seq_len(&h), 5u + (flags & TCP_SYN ? 1 : 0) + (flags & TCP_FIN ? 1 : 0));
            EXPECT_EQ(tcp_emit(&h, out, sizeof out), SEGMENT_HEADER_LEN);
            EXPECT_MEM(out, bytes, SEGMENT_HEADER_LEN);
        }
    }
}

TEST(tcp_emits_what_it_parsed_whatever_it_was)
{
    uint64_t state = test_seed();

    for (int i = 0; i < 2000; i++) {
        uint8_t bytes[TCP_HEADER_MAX], out[TCP_HEADER_MAX];
        size_t len = TCP_HEADER_LEN + 4 * (size_t)test_random_below(&state, 11);
        struct tcp_header h;

        bytes_fill(bytes, len, &state);
        bytes[12] = (uint8_t)(len / 4 << 4 | (bytes[12] & 15));
        EXPECT_EQ(tcp_parse(span_of(bytes, len), len + 1460, &h), WHY_NONE);
        EXPECT_EQ(h.payload_len, 1460);
        EXPECT(span_is_empty(h.payload));
        EXPECT_EQ(tcp_emit(&h, out, sizeof out), len);
        EXPECT_MEM(out, bytes, len);
    }
}

TEST(tcp_refuses_a_data_offset_that_cannot_be)
{
    uint8_t bytes[64];
    struct tcp_header h;

    bytes_read(segment, bytes);
    for (uint8_t words = 0; words < 16; words++) {
        bytes[12] = (uint8_t)(words << 4);
        EXPECT_EQ(tcp_parse(span_of(bytes, SEGMENT_LEN), SEGMENT_LEN, &h),
                  words >= 5 && words <= 9 ? WHY_NONE : WHY_TCP_MALFORMED);
    }
}

TEST(tcp_refuses_every_truncation_of_the_header)
{
    uint8_t bytes[64];
    struct tcp_header h;

    bytes_read(segment, bytes);
    for (size_t len = 0; len < SEGMENT_LEN; len++) {
        uint8_t *copy = bytes_copy(bytes, len);
        enum why expected = len < SEGMENT_HEADER_LEN ? WHY_TCP_MALFORMED : WHY_NONE;

        EXPECT_EQ(tcp_parse(span_of(copy, len), len, &h), expected);
        EXPECT_EQ(tcp_parse(span_of(copy, len), 64000, &h), expected);
        EXPECT_EQ(tcp_parse_quoted(span_of(copy, len), &h), len < 8 ? WHY_TCP_MALFORMED : WHY_NONE);
        free(copy);
    }
}

TEST(tcp_quoted_header_has_ports_and_sequence_number) /* [RFC792] */
{
    uint8_t bytes[64];
    struct tcp_header h;

    bytes_read(segment, bytes);
    EXPECT_EQ(tcp_parse_quoted(span_of(bytes, 8), &h), WHY_NONE);
    EXPECT_EQ(h.src_port, 40000);
    EXPECT_EQ(h.dst_port, 80);
    EXPECT_EQ(h.seq, 0xfffffff0);
    EXPECT_EQ(h.flags, 0);
}

TEST(tcp_pads_options_with_zeros) /* [RFC9293 MUST-69] */
{
    uint8_t options[TCP_OPTIONS_MAX], out[TCP_HEADER_MAX];
    static const uint8_t zeros[3] = {0};

    memset(options, 1, sizeof options);
    for (size_t len = 0; len <= TCP_OPTIONS_MAX; len++) {
        struct tcp_header h = {.options = span_of(options, len)};
        size_t padded = (len + 3) / 4 * 4;

        memset(out, 0xee, sizeof out);
        EXPECT_EQ(tcp_emit(&h, out, sizeof out), TCP_HEADER_LEN + padded);
        EXPECT_EQ(out[12] >> 4, 5 + padded / 4);
        EXPECT_MEM(out + TCP_HEADER_LEN, options, len);
        EXPECT_MEM(out + TCP_HEADER_LEN + len, zeros, padded - len);
    }
}

TEST(tcp_options_may_already_be_in_their_place)
{
    uint8_t out[TCP_HEADER_MAX] = {0};
    struct tcp_header h = {.options = span_of(out + TCP_HEADER_LEN, 6)};

    memset(out, 7, sizeof out);
    EXPECT_EQ(tcp_emit(&h, out, sizeof out), 28);
    EXPECT_EQ(out[25], 7);
    EXPECT_EQ(out[26] | out[27], 0);
}

TEST(tcp_emit_needs_room_and_at_most_forty_bytes_of_options)
{
    uint8_t options[TCP_OPTIONS_MAX + 1] = {1}, out[128];
    struct tcp_header h = {.options = span_of(options, TCP_OPTIONS_MAX)};

    for (size_t room = 0; room < TCP_HEADER_MAX; room++)
        EXPECT_EQ(tcp_emit(&h, out, room), 0);
    EXPECT_EQ(tcp_emit(&h, out, TCP_HEADER_MAX), TCP_HEADER_MAX);
    h.options.len++;
    EXPECT_EQ(tcp_emit(&h, out, sizeof out), 0);
}

/* ---- the usual ones, written at once ---- */

TEST(tcp_emits_usual_headers_the_same_both_ways)
{
    uint64_t state = test_seed();

    for (int i = 0; i < 2000; i++) {
        uint8_t random[32], options[TCP_OPTIONS_MAX], out[TCP_HEADER_MAX], usual[TCP_HEADER_MAX];
        bool is_syn = i % 2;
        struct tcp_options opt = {.present = is_syn ? TCP_USUAL_SYN : TCP_HAS_TIMESTAMPS};
        struct tcp_header h = {0};
        struct tcp_plain plain;
        size_t len;
        uint64_t sum;

        bytes_fill(random, sizeof random, &state);
        memcpy(&h.src_port, random, 2);
        memcpy(&h.dst_port, random + 2, 2);
        memcpy(&h.seq, random + 4, 4);
        memcpy(&h.ack, random + 8, 4);
        memcpy(&h.window, random + 12, 2);
        memcpy(&h.checksum, random + 14, 2);
        memcpy(&opt.ts_val, random + 16, 4);
        memcpy(&opt.ts_ecr, random + 20, 4);
        memcpy(&opt.mss, random + 24, 2);
        h.flags = (uint16_t)((random[26] << 8 | random[27]) & TCP_FLAGS);
        opt.window_scale = random[28];
        EXPECT(tcp_options_emit(&opt, options, &len));
        h.options = span_of(options, len);
        len = tcp_emit(&h, out, sizeof out);
        plain = (struct tcp_plain){.src_port = h.src_port,
                                   .dst_port = h.dst_port,
                                   .seq = h.seq,
                                   .ack = h.ack,
                                   .flags = h.flags,
                                   .window = h.window,
                                   .checksum = h.checksum,
                                   .has_timestamps = true,
                                   .ts_val = opt.ts_val,
                                   .ts_ecr = opt.ts_ecr};
        sum = is_syn ? tcp_emit_usual_syn(&plain, opt.mss, opt.window_scale, usual)
                     : tcp_emit_plain(&plain, usual);
        EXPECT_EQ(len, is_syn ? (size_t)TCP_USUAL_SYN_LEN : tcp_plain_len(true));
        EXPECT_MEM(usual, out, len);
        EXPECT_EQ(checksum_reduce(sum), checksum_add(0, out, len));
    }
}
