/* test_icmp6.c - ICMP for IPv6 */
#include "wire/icmp6.h"

#include <stdlib.h>
#include <string.h>

#include "lib/test.h"
#include "unit/wire/samples.h"
#include "wire/ip6.h"

static struct ip6_header packet_of(enum sample sample, uint8_t *bytes)
{
    size_t len = sample_read(sample, bytes);
    struct ip6_header h;

    EXPECT_EQ(ip6_parse(span_of(bytes, len), len, &h), WHY_NONE);
    return h;
}

TEST(icmp6_parses_an_echo_request)
{
    uint8_t bytes[SAMPLE_MAX];
    struct ip6_header h = packet_of(SAMPLE_PING6, bytes);
    struct icmp_message m;

    EXPECT_EQ(icmp_parse(h.payload, h.payload_len, &m), WHY_NONE);
    EXPECT_EQ(m.type, ICMP6_ECHO_REQUEST);
    EXPECT_EQ(icmp_echo_id(&m), 1234);
    EXPECT_EQ(icmp_echo_seq(&m), 2);
    EXPECT_EQ(icmp_word_of_echo(1234, 2), m.word);
    EXPECT_EQ(m.body_len, 9);
    EXPECT(!icmp6_is_error(m.type) && !icmp6_is_ndp(m.type));
}

TEST(icmp6_parses_packet_too_big) /* [RFC4443 3.2] */
{
    uint8_t bytes[SAMPLE_MAX];
    struct ip6_header h = packet_of(SAMPLE_TOO_BIG6, bytes);
    struct icmp_message m;

    EXPECT_EQ(icmp_parse(h.payload, h.payload_len, &m), WHY_NONE);
    EXPECT_EQ(m.type, ICMP6_PACKET_TOO_BIG);
    EXPECT_EQ(m.word, 1280);
    EXPECT_EQ(m.body.len, 60);
    EXPECT(icmp6_is_error(m.type));
}

TEST(icmp6_knows_errors_and_neighbour_discovery_by_their_types) /* [RFC4443 2.1] */
{
    for (int type = 0; type < 256; type++) {
        EXPECT_EQ(icmp6_is_error((uint8_t)type), type < 128);
        EXPECT_EQ(icmp6_is_ndp((uint8_t)type), type >= 133 && type <= 137);
    }
}

TEST(icmp6_emits_what_it_parsed)
{
    static const enum sample samples[] = {SAMPLE_PING6,  SAMPLE_TOO_BIG6, SAMPLE_SOLICIT,
                                          SAMPLE_ADVERT, SAMPLE_ROUTER,   SAMPLE_REDIRECT};

    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        uint8_t bytes[SAMPLE_MAX], out[SAMPLE_MAX];
        struct ip6_header h = packet_of(samples[i], bytes);
        struct icmp_message m;

        EXPECT_EQ(icmp_parse(h.payload, h.payload_len, &m), WHY_NONE);
        EXPECT_EQ(icmp6_emit(&m, &h.src, &h.dst, out, sizeof out), h.payload_len);
        EXPECT_MEM(out, h.payload.bytes, h.payload_len);
        for (size_t room = 0; room < h.payload_len; room++)
            EXPECT_EQ(icmp6_emit(&m, &h.src, &h.dst, out, room), 0);

        /* The body may already be in its place. */
        memset(out, 0xee, 8);
        m.body = span_of(out + 8, m.body.len);
        EXPECT_EQ(icmp6_emit(&m, &h.src, &h.dst, out, sizeof out), h.payload_len);
        EXPECT_MEM(out, h.payload.bytes, h.payload_len);
    }
}

TEST(icmp6_refuses_less_than_a_header)
{
    uint8_t bytes[SAMPLE_MAX];
    struct ip6_header h = packet_of(SAMPLE_PING6, bytes);

    for (size_t len = 0; len <= h.payload_len; len++) {
        uint8_t *copy = bytes_copy(h.payload.bytes, len);
        struct icmp_message m;

        EXPECT_EQ(icmp_parse(span_of(copy, len), h.payload_len, &m),
                  len < ICMP_HEADER_LEN ? WHY_ICMP_MALFORMED : WHY_NONE);
        free(copy);
    }
}
