/* test_icmp4.c - ICMP for IPv4 */
#include "wire/icmp4.h"

#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "lib/test.h"
#include "unit/wire/samples.h"
#include "wire/ip4.h"

/* The ICMP message of a sample. */
static struct span message_of(enum sample sample, uint8_t *bytes)
{
    size_t len = sample_read(sample, bytes);
    struct ip4_header h;

    EXPECT_EQ(ip4_parse(span_of(bytes, len), len, &h), WHY_NONE);
    return h.payload;
}

TEST(icmp4_parses_an_echo_request)
{
    uint8_t bytes[SAMPLE_MAX];
    struct span message = message_of(SAMPLE_PING4, bytes);
    struct icmp_message m;

    EXPECT_EQ(icmp_parse(message, message.len, &m), WHY_NONE);
    EXPECT_EQ(m.type, ICMP4_ECHO_REQUEST);
    EXPECT_EQ(m.code, 0);
    EXPECT_EQ(icmp_echo_id(&m), 1234);
    EXPECT_EQ(icmp_echo_seq(&m), 1);
    EXPECT_EQ(icmp_word_of_echo(1234, 1), m.word);
    EXPECT_EQ(m.body_len, 32);
    EXPECT_EQ(m.body.bytes[0], 16);
    EXPECT(!icmp4_is_error(m.type));
}

TEST(icmp4_parses_fragmentation_needed_with_its_mtu) /* [RFC1191 4] */
{
    uint8_t bytes[SAMPLE_MAX];
    struct span message = message_of(SAMPLE_TOO_BIG4, bytes);
    struct icmp_message m;

    EXPECT_EQ(icmp_parse(message, message.len, &m), WHY_NONE);
    EXPECT_EQ(m.type, ICMP4_UNREACHABLE);
    EXPECT_EQ(m.code, ICMP4_FRAGMENTATION_NEEDED);
    EXPECT_EQ(icmp4_next_hop_mtu(&m), 1400);
    EXPECT_EQ(m.body.len, 28);
    EXPECT(icmp4_is_error(m.type));
}

TEST(icmp4_word_tells_pointer_and_gateway)
{
    struct weir_addr gateway = weir_addr_v4(192, 0, 2, 254), found;
    struct icmp_message m = {.type = ICMP4_REDIRECT, .word = 0xc00002fe};

    found = icmp4_gateway(&m);
    EXPECT(weir_addr_eq(&found, &gateway));
    m.word = icmp4_word_of_pointer(20);
    EXPECT_EQ(icmp4_pointer(&m), 20);
}

TEST(icmp4_errors_are_the_five_that_quote_a_packet) /* [RFC1122 3.2.2] */
{
    for (int type = 0; type < 256; type++)
        EXPECT_EQ(icmp4_is_error((uint8_t)type),
                  type == 3 || type == 4 || type == 5 || type == 11 || type == 12);
}

TEST(icmp4_emits_what_it_parsed)
{
    static const enum sample samples[] = {SAMPLE_PING4, SAMPLE_TOO_BIG4};

    for (size_t i = 0; i < 2; i++) {
        uint8_t bytes[SAMPLE_MAX], out[SAMPLE_MAX];
        struct span message = message_of(samples[i], bytes);
        struct icmp_message m;

        EXPECT_EQ(icmp_parse(message, message.len, &m), WHY_NONE);
        EXPECT_EQ(icmp_emit(&m, 0, out, sizeof out), message.len);
        EXPECT_MEM(out, message.bytes, message.len);
        for (size_t room = 0; room < message.len; room++)
            EXPECT_EQ(icmp_emit(&m, 0, out, room), 0);

        /* The body may already be in its place. */
        memset(out, 0xee, 8);
        m.body = span_of(out + 8, m.body.len);
        EXPECT_EQ(icmp_emit(&m, 0, out, sizeof out), message.len);
        EXPECT_MEM(out, message.bytes, message.len);
    }
}

TEST(icmp4_refuses_less_than_a_header)
{
    uint8_t bytes[SAMPLE_MAX];
    struct span message = message_of(SAMPLE_PING4, bytes);

    for (size_t len = 0; len <= message.len; len++) {
        uint8_t *copy = bytes_copy(message.bytes, len);
        struct icmp_message m;

        EXPECT_EQ(icmp_parse(span_of(copy, len), message.len, &m),
                  len < ICMP_HEADER_LEN ? WHY_ICMP_MALFORMED : WHY_NONE);
        if (len >= ICMP_HEADER_LEN) {
            EXPECT_EQ(m.body.len, len - 8);
            EXPECT_EQ(m.body_len, 32);
        }
        free(copy);
    }
}
