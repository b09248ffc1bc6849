/* test_ip6.c - IPv6 headers and the chain of extension headers */
#include "wire/ip6.h"

#include <stdlib.h>
#include <string.h>

#include "lib/test.h"
#include "unit/wire/samples.h"

static const enum sample samples[] = {
    SAMPLE_TCP6_DATA, SAMPLE_UDP6,   SAMPLE_PING6,    SAMPLE_TOO_BIG6, SAMPLE_SOLICIT,
    SAMPLE_ADVERT,    SAMPLE_ROUTER, SAMPLE_REDIRECT, SAMPLE_CHAIN6,   SAMPLE_FRAGMENT6,
};

enum { SAMPLES = sizeof samples / sizeof samples[0] };

#define SRC "20010db8000000000000000000000001"
#define DST "20010db8000000000000000000000002"
#define GROUP "ff020000000000000000000000000001"
#define UDP "0001 0002 0008 1234" /* eight bytes that are a whole UDP header */

/* A packet whose header says next; the rest is extension headers and payload. Returns its length. */
static size_t make_packet(uint8_t next, const char *dst, const char *rest, uint8_t *bytes)
{
    size_t len = bytes_read("60000000 0000 00 40" SRC, bytes);

    len += bytes_read(dst, bytes + len);
    len += bytes_read(rest, bytes + len);
    bytes[5] = (uint8_t)(len - IP6_HEADER_LEN);
    bytes[6] = next;
    return len;
}

TEST(ip6_parses_a_header) /* [RFC8200 3] */
{
    uint8_t bytes[SAMPLE_MAX];
    size_t len = sample_read(SAMPLE_TCP6_DATA, bytes);
    struct ip6_header h;

    EXPECT_EQ(ip6_parse(span_of(bytes, len), len, &h), WHY_NONE);
    EXPECT_MEM(h.src.b, bytes + 8, 16);
    EXPECT_MEM(h.dst.b, bytes + 24, 16);
    EXPECT_EQ(h.tos, 0xb9);
    EXPECT_EQ(ip_ecn_of(h.tos), IP_ECN_ECT1);
    EXPECT_EQ(h.flow_label, 0xbeef5);
    EXPECT_EQ(h.ttl, 64);
    EXPECT_EQ(h.protocol, IP_PROTOCOL_TCP);
    EXPECT_EQ(h.protocol_at, 6);
    EXPECT(span_is_empty(h.extensions));
    EXPECT(h.payload.bytes == bytes + IP6_HEADER_LEN);
    EXPECT_EQ(h.payload_len, len - IP6_HEADER_LEN);
    EXPECT(!h.has_fragment && !ip6_is_fragment(&h) && !h.has_problem);
}

TEST(ip6_emits_what_it_parsed)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        uint8_t bytes[SAMPLE_MAX], out[SAMPLE_MAX];
        size_t len = sample_read(samples[i], bytes), header_len;
        struct ip6_header h;

        EXPECT_EQ(ip6_parse(span_of(bytes, len), len, &h), WHY_NONE);
        header_len = IP6_HEADER_LEN + h.extensions.len;
        EXPECT_EQ(ip6_emit(&h, out, sizeof out), header_len);
        EXPECT_MEM(out, bytes, header_len);
        for (size_t room = 0; room < header_len; room++)
            EXPECT_EQ(ip6_emit(&h, out, room), 0);
    }
}

TEST(ip6_emits_what_it_parsed_whatever_it_was)
{
    uint64_t state = test_seed();

    for (int i = 0; i < 2000; i++) {
        uint8_t bytes[IP6_HEADER_LEN], out[IP6_HEADER_LEN];
        struct ip6_header h;

        bytes_fill(bytes, sizeof bytes, &state);
        bytes[0] = (uint8_t)(6 << 4 | (bytes[0] & 15));
        bytes[6] |= 0x80; /* none of the extension headers has a number so high */
        EXPECT_EQ(ip6_parse(span_of(bytes, 40), 40 + 65535, &h), WHY_NONE);
        EXPECT_EQ(ip6_emit(&h, out, sizeof out), 40);
        EXPECT_MEM(out, bytes, 40);
    }
}

TEST(ip6_cuts_off_the_padding_of_the_link)
{
    uint8_t bytes[SAMPLE_MAX] = {0};
    size_t len = make_packet(17, DST, UDP, bytes);
    struct ip6_header h;

    EXPECT_EQ(ip6_parse(span_of(bytes, 60), 60, &h), WHY_NONE);
    EXPECT_EQ(h.payload_len, len - IP6_HEADER_LEN);
    EXPECT_EQ(h.payload.len, 8);
}

TEST(ip6_payload_may_go_on_after_head)
{
    uint8_t bytes[SAMPLE_MAX];
    size_t len = make_packet(17, DST, UDP, bytes);
    struct ip6_header h;

    bytes[4] = bytes[5] = 0xff;
    EXPECT_EQ(ip6_parse(span_of(bytes, len), 40 + 65535, &h), WHY_NONE);
    EXPECT_EQ(h.payload_len, 65535);
    EXPECT_EQ(h.payload.len, 8);
    EXPECT_EQ(ip6_parse(span_of(bytes, len), 40 + 65534, &h), WHY_IP_SHORT);
}

TEST(ip6_refuses_every_truncation)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        uint8_t bytes[SAMPLE_MAX];
        size_t len = sample_read(samples[i], bytes);
        struct ip6_header whole;

        EXPECT_EQ(ip6_parse(span_of(bytes, len), len, &whole), WHY_NONE);
        for (size_t less = 0; less < len; less++) {
            uint8_t *copy = bytes_copy(bytes, less);
            bool has_headers = less >= IP6_HEADER_LEN + whole.extensions.len;
            struct ip6_header h;

            EXPECT_EQ(ip6_parse(span_of(copy, less), less, &h), WHY_IP_SHORT);
            EXPECT_EQ(ip6_parse(span_of(copy, less), len, &h) == WHY_NONE, has_headers);
            EXPECT_EQ(ip6_parse_quoted(span_of(copy, less), &h) == WHY_NONE, has_headers);
            free(copy);
        }
    }
}

TEST(ip6_refuses_other_versions)
{
    uint8_t bytes[SAMPLE_MAX];
    size_t len = make_packet(17, DST, UDP, bytes);
    struct ip6_header h;

    bytes[0] = 0x45;
    EXPECT_EQ(ip6_parse(span_of(bytes, len), len, &h), WHY_IP_VERSION);
    EXPECT_EQ(ip6_parse(span_of(bytes, 1), 1, &h), WHY_IP_VERSION);
    EXPECT_EQ(ip6_parse_quoted(span_of(bytes, len), &h), WHY_IP_VERSION);
}

TEST(ip6_refuses_mapped_addresses_which_would_pass_for_ip4)
{
    uint8_t bytes[SAMPLE_MAX];
    struct weir_addr mapped = weir_addr_v4(127, 0, 0, 1);
    size_t len = make_packet(17, DST, UDP, bytes);
    struct ip6_header h;

    memcpy(bytes + 8, mapped.b, 16);
    EXPECT_EQ(ip6_parse(span_of(bytes, len), len, &h), WHY_IP_SOURCE);
    len = make_packet(17, DST, UDP, bytes);
    memcpy(bytes + 24, mapped.b, 16);
    EXPECT_EQ(ip6_parse(span_of(bytes, len), len, &h), WHY_IP_NOT_OURS);
}

TEST(ip6_walks_the_chain) /* [RFC8200 4] */
{
    uint8_t bytes[SAMPLE_MAX];
    size_t len = sample_read(SAMPLE_CHAIN6, bytes);
    struct ip6_header h;

    EXPECT_EQ(ip6_parse(span_of(bytes, len), len, &h), WHY_NONE);
    EXPECT_EQ(h.next_header, IP_PROTOCOL_HOP_BY_HOP);
    EXPECT_EQ(h.protocol, IP_PROTOCOL_UDP);
    EXPECT_EQ(h.protocol_at, 40 + 16);
    EXPECT(h.has_router_alert);
    EXPECT(span_eq(h.extensions, span_of(bytes + 40, 24)));
    EXPECT(h.has_fragment && !ip6_is_fragment(&h)); /* in name only [RFC6946 4] */
    EXPECT_EQ(h.fragment_id, 0x00112233);
    EXPECT_EQ(h.payload_len, len - 64);
}

TEST(ip6_stops_at_a_fragment) /* [RFC8200 4.5] */
{
    uint8_t bytes[SAMPLE_MAX];
    size_t len =
        make_packet(60, DST, "2c00 0104 00000000 3c00 00b9 12345678 0102030405060708", bytes);
    struct ip6_header h;

    EXPECT_EQ(ip6_parse(span_of(bytes, len), len, &h), WHY_NONE);
    EXPECT(ip6_is_fragment(&h));
    EXPECT(h.more_fragments);
    EXPECT_EQ(h.fragment_offset, 0xb8);
    EXPECT_EQ(h.fragment_id, 0x12345678);
    EXPECT_EQ(h.fragment_header_at, 48);
    EXPECT_EQ(h.fragment_pointer_at, 40);
    EXPECT_EQ(h.protocol, 60); /* what follows is for when the packet is whole */
    EXPECT_EQ(h.payload_len, 8);
    EXPECT_EQ(h.extensions.len, 16);
}

TEST(ip6_fragment_header_is_emitted)
{
    struct ip6_header h = {
        .protocol = 6, .fragment_offset = 0xb8, .more_fragments = true, .fragment_id = 0x12345678};
    uint8_t out[8];

    EXPECT_EQ(ip6_emit_fragment(&h, out, sizeof out), 8);
    EXPECT_MEM(out, "\x06\x00\x00\xb9\x12\x34\x56\x78", 8);
    EXPECT_EQ(ip6_emit_fragment(&h, out, 7), 0);
    h.fragment_offset = 0x10000;
    EXPECT_EQ(ip6_emit_fragment(&h, out, sizeof out), 0);
}

struct chain_case {
    uint8_t next;
    const char *rest;
    enum why why;
    int problem_code; /* -1: nothing to report */
    uint32_t problem_at;
};

static const struct chain_case chain_cases[] = {
    {17, UDP, WHY_NONE, -1, 0},
    {59, "", WHY_NONE, -1, 0},
    {50, "01020304", WHY_NONE, -1, 0}, /* for the layer above to say that it is not spoken */
    {0, "1100 0104 00000000" UDP, WHY_NONE, -1, 0},
    {0, "1100 0000 00000000" UDP, WHY_NONE, -1, 0},
    {0, "1101 010c 000000000000 000000000000" UDP, WHY_NONE, -1, 0},
    {60, "1100 1e04 01020304" UDP, WHY_NONE, -1, 0}, /* unknown, to be skipped */
    {60, "1100 5e04 01020304" UDP, WHY_IP_UNKNOWN_OPTION, -1, 0},
    {60, "1100 9e04 01020304" UDP, WHY_IP_UNKNOWN_OPTION, IP6_PROBLEM_OPTION, 42},
    {60, "1100 00de 03010203" UDP, WHY_IP_UNKNOWN_OPTION, IP6_PROBLEM_OPTION, 43},
    {60, "1100 0105 00000000" UDP, WHY_IP_OPTIONS, -1, 0}, /* longer than its header */
    {60, "1100 0103 00000001" UDP, WHY_IP_OPTIONS, -1, 0}, /* no room for its length */
    {60, "1100 0104", WHY_IP_OPTIONS, -1, 0},
    {60, "1102 0104 00000000" UDP, WHY_IP_OPTIONS, -1, 0}, /* longer than the packet */
    {60, "", WHY_IP_OPTIONS, -1, 0},
    {60, "0000 0104 00000000 1100 0104 00000000" UDP, WHY_IP_PROTOCOL, IP6_PROBLEM_NEXT_HEADER, 40},
    {43, "1100 0000 00000000" UDP, WHY_NONE, -1, 0}, /* no segments left */
    {43, "1100 0001 00000000" UDP, WHY_IP_SOURCE_ROUTE, IP6_PROBLEM_HEADER, 42},
    {43, "11ff 04ff 00000000" UDP, WHY_IP_OPTIONS, -1, 0},
    {44, "1100 0000 00000001" UDP, WHY_NONE, -1, 0},
    {44, "2c00 0000 00000001 1100 0000 00000001" UDP, WHY_FRAG_MALFORMED, -1, 0},
    {44, "1100 0001 00000001" UDP, WHY_NONE, -1, 0},
    {44, "1100 0001 00000001" UDP "00", WHY_FRAG_MALFORMED, IP6_PROBLEM_HEADER, 4},
    {44, "1100 0008 00000001" UDP "00", WHY_NONE, -1, 0},
    {44, "1100 0008 00000001", WHY_FRAG_MALFORMED, -1, 0},
    {44,
     "1100 fff8 00000001"
     "01020304050607",
     WHY_NONE, -1, 0},
    {44,
     "1100 fff8 00000001"
     "0102030405060708",
     WHY_FRAG_MALFORMED, IP6_PROBLEM_HEADER, 42},
    {60, "2c00 0104 00000000 1100 fff8 00000001 00", WHY_FRAG_MALFORMED, IP6_PROBLEM_HEADER, 50},
    /* The first fragment must hold all headers [RFC7112 5]. */
    {44,
     "0600 0001 00000001"
     "0102030405060708 0102030405060708",
     WHY_FRAG_MALFORMED, IP6_PROBLEM_CHAIN, 0},
    {44, "0600 0001 00000001" UDP UDP UDP, WHY_NONE, -1, 0},
    {44, "3c00 0001 00000001 1100 0104 00000000", WHY_FRAG_MALFORMED, IP6_PROBLEM_CHAIN, 0},
    {44, "3c00 0001 00000001 1100 0104 00000000" UDP, WHY_NONE, -1, 0},
    {44, "3c00 0001 00000001 1101 010c 00000000", WHY_FRAG_MALFORMED, IP6_PROBLEM_CHAIN, 0},
    {44, "3b00 0001 00000001 0000000000000000", WHY_NONE, -1, 0},
    {44, "3200 0001 00000001 0000000000000000", WHY_NONE, -1, 0},
};

TEST(ip6_chain_is_checked_and_the_culprit_is_named)
{
    for (size_t i = 0; i < sizeof chain_cases / sizeof chain_cases[0]; i++) {
        const struct chain_case *c = &chain_cases[i];
        uint8_t bytes[SAMPLE_MAX];
        size_t len = make_packet(c->next, DST, c->rest, bytes);
        uint8_t *copy = bytes_copy(bytes, len);
        struct ip6_header h;
        enum why why = ip6_parse(span_of(copy, len), len, &h);

        if (why != c->why || h.has_problem != (c->problem_code >= 0))
            FAIL("%s: %d, problem %d", c->rest, why, h.has_problem);
        if (h.has_problem) {
            EXPECT_EQ(h.problem_code, c->problem_code);
            EXPECT_EQ(h.problem_at, c->problem_at);
        }
        free(copy);
    }
}

TEST(ip6_unknown_options_to_a_group_are_reported_only_if_they_ask_for_it) /* [RFC8200 4.2] */
{
    uint8_t bytes[SAMPLE_MAX];
    size_t len = make_packet(60, GROUP, "1100 de04 01020304" UDP, bytes);
    struct ip6_header h;

    EXPECT_EQ(ip6_parse(span_of(bytes, len), len, &h), WHY_IP_UNKNOWN_OPTION);
    EXPECT(!h.has_problem);
    len = make_packet(60, GROUP, "1100 9e04 01020304" UDP, bytes);
    EXPECT_EQ(ip6_parse(span_of(bytes, len), len, &h), WHY_IP_UNKNOWN_OPTION);
    EXPECT(h.has_problem && h.problem_to_groups);
    len = make_packet(60, DST, "1100 de04 01020304" UDP, bytes);
    EXPECT_EQ(ip6_parse(span_of(bytes, len), len, &h), WHY_IP_UNKNOWN_OPTION);
    EXPECT(h.has_problem && !h.problem_to_groups);
}

TEST(ip6_chain_has_at_most_eight_headers)
{
    for (size_t count = 0; count < 12; count++) {
        uint8_t bytes[SAMPLE_MAX];
        size_t len = make_packet(count == 0 ? 17 : 60, DST, "", bytes);
        struct ip6_header h;

        for (size_t i = 0; i < count; i++)
            len += bytes_read(i + 1 < count ? "3c00 0104 00000000" : "1100 0104 00000000",
                              bytes + len);
        len += bytes_read(UDP, bytes + len);
        bytes[5] = (uint8_t)(len - 40);
        EXPECT_EQ(ip6_parse(span_of(bytes, len), len, &h),
                  count <= IP6_EXTENSIONS_MAX ? WHY_NONE : WHY_IP_OPTIONS);
    }
}

TEST(ip6_quoted_packet_makes_no_demands)
{
    uint8_t bytes[SAMPLE_MAX];
    size_t len = make_packet(60, DST, "2b00 9e04 01020304 1100 0001 00000000" UDP, bytes);
    struct ip6_header h;

    EXPECT_EQ(ip6_parse_quoted(span_of(bytes, len), &h), WHY_NONE);
    EXPECT_EQ(h.protocol, 17);
    EXPECT_EQ(h.payload_len, 8);
    bytes[4] = 5;
    EXPECT_EQ(ip6_parse_quoted(span_of(bytes, len), &h), WHY_NONE);
    EXPECT_EQ(h.payload_len, 5 * 256 + 8);
    EXPECT_EQ(h.payload.len, 8);
}

TEST(ip6_chain_of_any_bytes_is_survived)
{
    static const uint8_t protocols[8] = {0, 43, 44, 60, 60, 60, 6, 59};
    uint64_t state = test_seed();

    for (int i = 0; i < 20000; i++) {
        uint8_t bytes[SAMPLE_MAX], *copy;
        size_t len = make_packet(protocols[test_random_below(&state, 8)], DST, "", bytes);
        size_t more = test_random_below(&state, 65);
        struct ip6_header h;

        bytes_fill(bytes + len, more, &state);
        for (size_t at = 0; at < more; at += 8) {
            bytes[len + at] = protocols[test_random_below(&state, 8)];
            if (at + 1 < more)
                bytes[len + at + 1] = (uint8_t)(test_random_below(&state, 8) / 6);
        }
        len += more;
        bytes[5] = (uint8_t)more;
        copy = bytes_copy(bytes, len);
        if (ip6_parse(span_of(copy, len), len, &h) == WHY_NONE)
            EXPECT_EQ(IP6_HEADER_LEN + h.extensions.len + h.payload_len, len);
        if (ip6_parse_quoted(span_of(copy, len), &h) == WHY_NONE)
            EXPECT(h.payload.len <= len);
        free(copy);
    }
}

TEST(ip6_emit_refuses_a_payload_longer_than_its_length_can_say)
{
    static const uint8_t extension[8] = {59, 0, 1, 4, 0, 0, 0, 0};
    struct ip6_header h = {.extensions = span_of(extension, 8), .payload_len = 65527};
    uint8_t out[48];

    EXPECT_EQ(ip6_emit(&h, out, sizeof out), 48);
    h.payload_len++;
    EXPECT_EQ(ip6_emit(&h, out, sizeof out), 0);
    h.payload_len = SIZE_MAX;
    EXPECT_EQ(ip6_emit(&h, out, sizeof out), 0);
}
