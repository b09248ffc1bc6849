/* test_udp.c - UDP headers */
#include "wire/udp.h"

#include <stdlib.h>

#include "lib/test.h"
#include "unit/wire/samples.h"

static const char datagram[] = "8235 0035 000d 1234 68656c6c6f";

enum { DATAGRAM_LEN = 13 };

TEST(udp_parses_a_datagram)
{
    uint8_t bytes[32];
    struct udp_header h;

    EXPECT_EQ(bytes_read(datagram, bytes), DATAGRAM_LEN);
    EXPECT_EQ(udp_parse(span_of(bytes, DATAGRAM_LEN), DATAGRAM_LEN, &h), WHY_NONE);
    EXPECT_EQ(h.src_port, 0x8235);
    EXPECT_EQ(h.dst_port, 53);
    EXPECT_EQ(h.checksum, 0x1234);
    EXPECT_EQ(h.payload_len, 5);
    EXPECT(span_eq(h.payload, span_of("hello", 5)));
}

TEST(udp_cuts_off_what_its_length_leaves_over)
{
    uint8_t bytes[32] = {0};
    struct udp_header h;

    bytes_read(datagram, bytes);
    EXPECT_EQ(udp_parse(span_of(bytes, 20), 20, &h), WHY_NONE);
    EXPECT_EQ(h.payload_len, 5);
    EXPECT_EQ(h.payload.len, 5);
}

TEST(udp_payload_may_go_on_after_head)
{
    uint8_t bytes[32];
    struct udp_header h;

    bytes_read(datagram, bytes);
    EXPECT_EQ(udp_parse(span_of(bytes, 10), DATAGRAM_LEN, &h), WHY_NONE);
    EXPECT_EQ(h.payload_len, 5);
    EXPECT_EQ(h.payload.len, 2);
}

TEST(udp_refuses_lengths_that_cannot_be)
{
    static const uint16_t lens[] = {0, 1, 7, DATAGRAM_LEN + 1, 0xffff};
    struct udp_header h;
    uint8_t bytes[32];

    bytes_read(datagram, bytes);
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        bytes[4] = (uint8_t)(lens[i] >> 8);
        bytes[5] = (uint8_t)lens[i];
        EXPECT_EQ(udp_parse(span_of(bytes, DATAGRAM_LEN), DATAGRAM_LEN, &h), WHY_UDP_MALFORMED);
    }
}

TEST(udp_refuses_every_truncation)
{
    uint8_t bytes[32];
    struct udp_header h;

    bytes_read(datagram, bytes);
    for (size_t len = 0; len < DATAGRAM_LEN; len++) {
        uint8_t *copy = bytes_copy(bytes, len);

        EXPECT_EQ(udp_parse(span_of(copy, len), len, &h), WHY_UDP_MALFORMED);
        EXPECT_EQ(udp_parse_quoted(span_of(copy, len), &h),
                  len < UDP_HEADER_LEN ? WHY_UDP_MALFORMED : WHY_NONE);
        free(copy);
    }
}

TEST(udp_quoted_header_tells_the_length_there_was)
{
    uint8_t bytes[8];
    struct udp_header h;

    bytes_read("8235 0035 05dc 1234", bytes);
    EXPECT_EQ(udp_parse_quoted(span_of(bytes, 8), &h), WHY_NONE);
    EXPECT_EQ(h.payload_len, 1492);
    EXPECT(span_is_empty(h.payload));
    bytes[4] = 0;
    bytes[5] = 7;
    EXPECT_EQ(udp_parse_quoted(span_of(bytes, 8), &h), WHY_UDP_MALFORMED);
}

TEST(udp_emits_what_it_parsed)
{
    uint8_t bytes[32], out[UDP_HEADER_LEN];
    struct udp_header h;

    bytes_read(datagram, bytes);
    EXPECT_EQ(udp_parse(span_of(bytes, DATAGRAM_LEN), DATAGRAM_LEN, &h), WHY_NONE);
    EXPECT_EQ(udp_emit(&h, out, sizeof out), UDP_HEADER_LEN);
    EXPECT_MEM(out, bytes, UDP_HEADER_LEN);
    EXPECT_EQ(udp_emit(&h, out, UDP_HEADER_LEN - 1), 0);
}

TEST(udp_emit_refuses_a_datagram_longer_than_its_length_can_say)
{
    struct udp_header h = {.payload_len = 65527};
    uint8_t out[UDP_HEADER_LEN];

    EXPECT_EQ(udp_emit(&h, out, sizeof out), UDP_HEADER_LEN);
    h.payload_len++;
    EXPECT_EQ(udp_emit(&h, out, sizeof out), 0);
}

TEST(udp_checksum_of_zero_is_sent_as_ones) /* [RFC768] */
{
    EXPECT_EQ(udp_checksum_fold(0xffff), 0xffff);
    EXPECT_EQ(udp_checksum_fold(0), 0xffff);
    EXPECT_EQ(udp_checksum_fold(0x1234), 0xedcb);
}
