/* test_ip4.c - IPv4 headers and options */
#include "wire/ip4.h"

#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "lib/test.h"
#include "unit/wire/samples.h"

static const enum sample samples[] = {SAMPLE_TCP4_SYN, SAMPLE_TCP4_DATA, SAMPLE_UDP4, SAMPLE_PING4,
                                      SAMPLE_TOO_BIG4};

enum { SAMPLES = sizeof samples / sizeof samples[0] };

static void fix_checksum(uint8_t *bytes)
{
    uint16_t checksum;

    bytes[10] = bytes[11] = 0;
    checksum = checksum_fold(checksum_add(0, bytes, (size_t)(bytes[0] & 15) * 4));
    bytes[10] = (uint8_t)(checksum >> 8);
    bytes[11] = (uint8_t)checksum;
}

/* A header with options (whole words) and eight bytes of payload. Returns the length. */
static size_t make_packet(const char *options, uint8_t *bytes)
{
    size_t len = bytes_read("4500 0000 1234 0000 40 06 0000 c0000201 c6336407", bytes);

    len += bytes_read(options, bytes + len);
    bytes[0] = (uint8_t)(0x40 | len / 4);
    len += bytes_read("0102030405060708", bytes + len);
    bytes[3] = (uint8_t)len;
    fix_checksum(bytes);
    return len;
}

TEST(ip4_parses_a_header) /* [RFC791 3.1] */
{
    struct weir_addr src = weir_addr_v4(198, 51, 100, 7), dst = weir_addr_v4(192, 0, 2, 1);
    uint8_t bytes[SAMPLE_MAX];
    size_t len = sample_read(SAMPLE_TCP4_DATA, bytes);
    struct ip4_header h;

    EXPECT_EQ(ip4_parse(span_of(bytes, len), len, &h), WHY_NONE);
    EXPECT(weir_addr_eq(&h.src, &src));
    EXPECT(weir_addr_eq(&h.dst, &dst));
    EXPECT_EQ(ip_ecn_of(h.tos), IP_ECN_ECT0);
    EXPECT_EQ(ip_dscp_of(h.tos), 0);
    EXPECT_EQ(h.ttl, 57);
    EXPECT_EQ(h.protocol, IP_PROTOCOL_TCP);
    EXPECT_EQ(h.id, 0x1c46);
    EXPECT(h.dont_fragment && !h.more_fragments && !h.reserved_bit);
    EXPECT(!ip4_is_fragment(&h));
    EXPECT_EQ(h.header_len, IP4_HEADER_LEN);
    EXPECT_EQ(h.payload_len, len - IP4_HEADER_LEN);
    EXPECT(h.payload.bytes == bytes + IP4_HEADER_LEN);
}

TEST(ip4_emits_what_it_parsed)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        uint8_t bytes[SAMPLE_MAX], out[IP4_HEADER_MAX];
        size_t len = sample_read(samples[i], bytes);
        struct ip4_header h;

        EXPECT_EQ(ip4_parse(span_of(bytes, len), len, &h), WHY_NONE);
        EXPECT_EQ(ip4_emit(&h, out, sizeof out), h.header_len);
        EXPECT_MEM(out, bytes, h.header_len);
        for (size_t room = 0; room < h.header_len; room++)
            EXPECT_EQ(ip4_emit(&h, out, room), 0);
    }
}

TEST(ip4_emits_what_it_parsed_whatever_it_was)
{
    uint64_t state = test_seed();

    for (int i = 0; i < 2000; i++) {
        uint8_t bytes[IP4_HEADER_MAX + 8], out[IP4_HEADER_MAX];
        struct ip4_header h;

        bytes_fill(bytes, sizeof bytes, &state);
        bytes[0] = 0x45;
        bytes[2] = 0;
        bytes[3] = 20 + 8;
        bytes[6] &= 0xef; /* so far from the end that any fragment fits */
        fix_checksum(bytes);
        EXPECT_EQ(ip4_parse(span_of(bytes, 28), 28, &h), WHY_NONE);
        EXPECT_EQ(ip4_emit(&h, out, sizeof out), 20);
        EXPECT_MEM(out, bytes, 20);
    }
}

TEST(ip4_emits_a_whole_packets_header_the_same_both_ways)
{
    uint64_t state = test_seed();

    for (int i = 0; i < 2000; i++) {
        uint8_t plain[IP4_HEADER_LEN], out[IP4_HEADER_LEN], random[24];
        struct ip4_header h = {0};

        bytes_fill(random, sizeof random, &state);
        h.src = weir_addr_v4(random[0], random[1], random[2], random[3]);
        h.dst = weir_addr_v4(random[4], random[5], random[6], random[7]);
        h.payload_len = test_random_below(&state, 65536 - IP4_HEADER_LEN);
        h.id = (uint16_t)(random[8] << 8 | random[9]);
        h.tos = random[10];
        h.ttl = random[11];
        h.protocol = random[12];
        h.dont_fragment = random[13] & 1;
        EXPECT_EQ(ip4_emit(&h, out, sizeof out), IP4_HEADER_LEN);
        ip4_emit_plain(&(struct ip4_plain){.src = &h.src,
                                           .dst = &h.dst,
                                           .total_len = (uint16_t)(IP4_HEADER_LEN + h.payload_len),
                                           .id = h.id,
                                           .tos = h.tos,
                                           .ttl = h.ttl,
                                           .protocol = h.protocol,
                                           .dont_fragment = h.dont_fragment},
                       plain);
        EXPECT_MEM(plain, out, sizeof out);
    }
}

TEST(ip4_header_gets_its_length_and_identification_afterwards)
{
    uint64_t state = 32;

    for (int i = 0; i < 1000; i++) {
        uint8_t random[16], whole[IP4_HEADER_LEN], later[IP4_HEADER_LEN];
        struct weir_addr src, dst;
        struct ip4_plain h = {.src = &src, .dst = &dst};

        bytes_fill(random, sizeof random, &state);
        src = weir_addr_v4(random[0], random[1], random[2], random[3]);
        dst = weir_addr_v4(random[4], random[5], random[6], random[7]);
        h.tos = random[10];
        h.ttl = random[11];
        h.protocol = random[12];
        h.dont_fragment = random[13] & 1;
        ip4_emit_plain(&h, later);
        h.total_len = (uint16_t)(random[14] << 8 | random[15]);
        h.id = (uint16_t)(random[8] << 8 | random[9]);
        ip4_emit_plain(&h, whole);
        ip4_set_len_and_id(later, h.total_len, h.id);
        EXPECT_MEM(later, whole, sizeof whole);
    }
}

TEST(ip4_cuts_off_the_padding_of_the_link)
{
    uint8_t bytes[SAMPLE_MAX + 30] = {0};
    size_t len = make_packet("", bytes);
    struct ip4_header h;

    EXPECT_EQ(len, 28);
    EXPECT_EQ(ip4_parse(span_of(bytes, 46), 46, &h), WHY_NONE);
    EXPECT_EQ(h.payload_len, 8);
    EXPECT_EQ(h.payload.len, 8);
}

TEST(ip4_payload_may_go_on_after_head)
{
    uint8_t bytes[SAMPLE_MAX];
    size_t len = make_packet("", bytes);
    struct ip4_header h;

    bytes[2] = 0xff;
    bytes[3] = 0xff;
    fix_checksum(bytes);
    EXPECT_EQ(ip4_parse(span_of(bytes, len), 65535, &h), WHY_NONE);
    EXPECT_EQ(h.payload.len, 8);
    EXPECT_EQ(h.payload_len, 65515);
    EXPECT_EQ(ip4_parse(span_of(bytes, len), 65534, &h), WHY_IP_SHORT);
}

TEST(ip4_refuses_every_truncation)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        uint8_t bytes[SAMPLE_MAX];
        size_t len = sample_read(samples[i], bytes);

        for (size_t less = 0; less < len; less++) {
            uint8_t *copy = bytes_copy(bytes, less);
            struct ip4_header h;
            size_t header_len = (size_t)(bytes[0] & 15) * 4;

            EXPECT_EQ(ip4_parse(span_of(copy, less), less, &h), WHY_IP_SHORT);
            EXPECT_EQ(ip4_parse(span_of(copy, less), len, &h),
                      less < header_len ? WHY_IP_SHORT : WHY_NONE);
            EXPECT_EQ(ip4_parse_quoted(span_of(copy, less), &h),
                      less < header_len ? WHY_IP_SHORT : WHY_NONE);
            free(copy);
        }
    }
}

TEST(ip4_refuses_what_its_header_cannot_say)
{
    uint8_t bytes[SAMPLE_MAX];
    size_t len = make_packet("", bytes);
    struct ip4_header h;

    bytes[0] = 0x65;
    EXPECT_EQ(ip4_parse(span_of(bytes, len), len, &h), WHY_IP_VERSION);
    bytes[0] = 0x44;
    EXPECT_EQ(ip4_parse(span_of(bytes, len), len, &h), WHY_IP_HEADER);
    bytes[0] = 0x45;
    bytes[3] = 19;
    EXPECT_EQ(ip4_parse(span_of(bytes, len), len, &h), WHY_IP_HEADER);
    EXPECT_EQ(ip4_parse_quoted(span_of(bytes, len), &h), WHY_IP_HEADER);
    bytes[3] = 20;
    EXPECT_EQ(ip4_parse(span_of(bytes, len), len, &h), WHY_IP_CHECKSUM);
}

TEST(ip4_finds_every_single_wrong_bit_of_the_header) /* [RFC1122 3.2.1.2] */
{
    uint8_t bytes[SAMPLE_MAX];
    size_t len = sample_read(SAMPLE_TCP4_SYN, bytes);

    for (size_t bit = 0; bit < IP4_HEADER_LEN * 8; bit++) {
        struct ip4_header h;

        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        EXPECT(ip4_parse(span_of(bytes, len), len, &h) != WHY_NONE);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

TEST(ip4_quoted_header_is_read_without_its_checksum)
{
    uint8_t bytes[SAMPLE_MAX];
    size_t len = make_packet("", bytes);
    struct ip4_header h;

    bytes[8]--; /* a router on the way */
    bytes[2] = 5;
    EXPECT_EQ(ip4_parse_quoted(span_of(bytes, len), &h), WHY_NONE);
    EXPECT_EQ(h.payload.len, 8);
    EXPECT_EQ(h.payload_len, 5 * 256 + 28 - 20);
}

struct fragment_case {
    uint16_t word;
    uint16_t total_len;
    enum why why;
};

TEST(ip4_refuses_impossible_fragments) /* [RFC791 3.2] */
{
    static const struct fragment_case cases[] = {
        {0x2000, 28, WHY_NONE},
        {0x2001, 28, WHY_NONE},
        {0x2000, 27, WHY_FRAG_MALFORMED}, /* not in units of eight bytes */
        {0x0001, 27, WHY_NONE},           /* but the last may be of any length */
        {0x0001, 20, WHY_FRAG_MALFORMED}, /* empty */
        {0x2000, 20, WHY_FRAG_MALFORMED},
        {0x1ffd, 21, WHY_NONE},           /* 65,512 + 1, with the header 65,533 */
        {0x1ffd, 23, WHY_NONE},           /* exactly 65,535 */
        {0x1ffd, 24, WHY_FRAG_MALFORMED}, /* one beyond */
        {0x1fff, 28, WHY_FRAG_MALFORMED},
        {0x4001, 28, WHY_NONE}, /* don't fragment, and yet it is one */
        {0x4000, 20, WHY_NONE},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[SAMPLE_MAX];
        struct ip4_header h;

        make_packet("", bytes);
        bytes[6] = (uint8_t)(cases[i].word >> 8);
        bytes[7] = (uint8_t)cases[i].word;
        bytes[3] = (uint8_t)cases[i].total_len;
        fix_checksum(bytes);
        EXPECT_EQ(ip4_parse(span_of(bytes, 28), 28, &h), cases[i].why);
        EXPECT_EQ(h.fragment_offset, (cases[i].word & 0x1fff) * 8);
        EXPECT_EQ(ip4_is_fragment(&h), (cases[i].word & 0x3fff) != 0);
    }
}

struct option_case {
    const char *options;
    uint8_t problem_at; /* 0: none */
};

static const struct option_case option_cases[] = {
    {"01010101", 0},
    {"00ffffff", 0}, /* whatever follows the end */
    {"94040000", 0},
    {"94030000 01000000", 21},
    {"8803ff00", 0}, /* unknown, skipped */
    {"8802 8801", 22},
    {"88000000", 20},
    {"88010000", 20},
    {"88050000", 20},
    {"01010188", 23},
    {"07030400", 0}, /* a record route without room is full */
    {"0702 0000", 21},
    {"07030300", 22}, /* the pointer points before the first address */
    {"0707 04 00000000 00", 0},
    {"0707 05 00000000 00", 22}, /* into an address, of which part lies beyond */
    {"0707 08 c0000201 00", 0},  /* full */
    {"0707 ff c0000201 00", 0},
    {"4404 05 00", 0},
    {"44030500", 21},
    {"4408 05 00 00000000", 0},
    {"4408 04 00 00000000", 22},
    {"4408 06 00 00000000", 22},
    {"440c 05 01 00000000 00000000", 0},
    {"440c 09 01 00000000 00000000", 22},
    {"440c 09 00 00000000 00000000", 0},
    {"8307 04 c0000203 00", 0},
    {"8307 03 c0000203 00", 22},
    {"8307 04 c0000203 8907 04 c0000203 0000", 28}, /* only one source route */
    {"8903 04 8303 04 0000", 24},
};

TEST(ip4_options_are_checked_and_the_culprit_is_named) /* [RFC1122 3.2.1.8] */
{
    for (size_t i = 0; i < sizeof option_cases / sizeof option_cases[0]; i++) {
        const struct option_case *c = &option_cases[i];
        uint8_t bytes[SAMPLE_MAX];
        size_t len = make_packet(c->options, bytes);
        struct ip4_header h;

        EXPECT_EQ(ip4_parse(span_of(bytes, len), len, &h),
                  c->problem_at == 0 ? WHY_NONE : WHY_IP_OPTIONS);
        if (h.problem_at != c->problem_at)
            FAIL("%s: the culprit is %d", c->options, h.problem_at);
        EXPECT_EQ(h.payload_len, 8);
        EXPECT_EQ(h.ttl, 64);
    }
}

TEST(ip4_options_are_told_apart)
{
    uint8_t bytes[40];
    struct ip4_options o;
    size_t len =
        bytes_read("01 8307 04c0000203 0707 0400000000 4408 0500 00000000 94040000 00", bytes);

    EXPECT_EQ(ip4_options_parse(span_of(bytes, len), &o), WHY_NONE);
    EXPECT(span_eq(o.source_route, span_of(bytes + 1, 7)));
    EXPECT(span_eq(o.record_route, span_of(bytes + 8, 7)));
    EXPECT(span_eq(o.timestamp, span_of(bytes + 15, 8)));
    EXPECT(o.has_router_alert);
    EXPECT(!o.source_route_is_strict);
    bytes[1] = IP4_OPTION_STRICT_ROUTE;
    EXPECT_EQ(ip4_options_parse(span_of(bytes, len), &o), WHY_NONE);
    EXPECT(o.source_route_is_strict);
    EXPECT_EQ(ip4_options_parse(span_none(), &o), WHY_NONE);
    EXPECT(span_is_empty(o.source_route) && !o.has_router_alert);
}

TEST(ip4_options_of_any_bytes_are_survived)
{
    uint64_t state = test_seed();

    for (int i = 0; i < 20000; i++) {
        size_t len = test_random_below(&state, IP4_OPTIONS_MAX + 1);
        uint8_t random[IP4_OPTIONS_MAX], *copy;
        struct ip4_options o;
        enum why why;

        for (size_t at = 0; at < len; at++) {
            static const uint8_t kinds[8] = {0, 1, 7, 68, 131, 137, 148, 4};

            random[at] = test_random_below(&state, 2) ? kinds[test_random_below(&state, 8)]
                                                      : (uint8_t)test_random_below(&state, 12);
        }
        copy = bytes_copy(random, len);
        why = ip4_options_parse(span_of(copy, len), &o);
        EXPECT(why == WHY_NONE || why == WHY_IP_OPTIONS);
        EXPECT((why == WHY_NONE) == (o.problem_at == 0));
        EXPECT(o.problem_at < 20 + len || o.problem_at == 0);
        free(copy);
    }
}

TEST(ip4_emit_refuses_options_and_lengths_that_cannot_be)
{
    uint8_t options[44] = {0}, out[128];
    struct ip4_header h = {.options = span_of(options, 3)};

    EXPECT_EQ(ip4_emit(&h, out, sizeof out), 0);
    h.options.len = 44;
    EXPECT_EQ(ip4_emit(&h, out, sizeof out), 0);
    h.options.len = 40;
    h.payload_len = 65535 - 60;
    EXPECT_EQ(ip4_emit(&h, out, sizeof out), 60);
    h.payload_len++;
    EXPECT_EQ(ip4_emit(&h, out, sizeof out), 0);
    h.payload_len = SIZE_MAX;
    EXPECT_EQ(ip4_emit(&h, out, sizeof out), 0);
}
