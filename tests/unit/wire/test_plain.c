/* test_plain.c - what is read in one go is what the two parsers read */
#include "base/be.h"
#include "base/checksum.h"
#include "lib/test.h"
#include "wire/ip6.h"
#include "wire/plain.h"
#include <string.h>

enum { ROOM = 120 };

/* A packet with text_len bytes of text and an option of TCP; returns its length. */
static size_t make(uint8_t *bytes, uint64_t *state, size_t text_len)
{
    static const uint8_t options[] = {1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9};
    struct tcp_header tcp = {
        .src_port = 80,
        .dst_port = 1024,
        .seq = (uint32_t)test_random(state),
        .ack = (uint32_t)test_random(state),
        .flags = (uint16_t)(test_random(state) & TCP_FLAGS),
        .window = (uint16_t)test_random(state),
        .urgent = (uint16_t)test_random(state),
        .options = span_of(options, test_random_below(state, 2) * sizeof options),
    };
    size_t tcp_len = tcp_emit(&tcp, bytes + IP4_HEADER_LEN, ROOM - IP4_HEADER_LEN);
    struct ip4_header ip = {
        .src = weir_addr_v4(192, 0, 2, 1),
        .dst = weir_addr_v4(192, 0, 2, 2),
        .payload_len = tcp_len + text_len,
        .tos = (uint8_t)test_random(state),
        .ttl = (uint8_t)test_random(state),
        .protocol = IP_PROTOCOL_TCP,
        .dont_fragment = test_random_below(state, 2) != 0,
    };

    EXPECT_EQ(ip4_emit(&ip, bytes, ROOM), IP4_HEADER_LEN);
    return IP4_HEADER_LEN + tcp_len + text_len;
}

/* What both know of a packet is the same. */
static void compare(const struct plain *p, struct span head, size_t len)
{
    struct ip4_header ip;
    struct tcp_header tcp;

    EXPECT_EQ(ip4_parse(head, len, &ip), WHY_NONE);
    EXPECT(!ip4_is_fragment(&ip));
    EXPECT_EQ(ip.protocol, IP_PROTOCOL_TCP);
    EXPECT_EQ(tcp_parse(ip.payload, ip.payload_len, &tcp), WHY_NONE);
    EXPECT_EQ(plain_seq(p), tcp.seq);
    EXPECT_EQ(plain_ack(p), tcp.ack);
    EXPECT_EQ(plain_flags(p), tcp.flags);
    EXPECT_EQ(plain_window(p), tcp.window);
    EXPECT_EQ(plain_urgent(p), tcp.urgent);
    EXPECT_EQ(plain_tos(p), ip.tos);
    EXPECT_EQ(plain_ttl(p), ip.ttl);
    EXPECT_EQ(p->len - p->text_at, tcp.payload_len);
    EXPECT(span_eq(plain_options(p), tcp.options));
}

TEST(plain_reads_what_the_parsers_read)
{
    uint64_t state = test_seed();
    uint8_t bytes[ROOM] = {0};

    for (int i = 0; i < 2000; i++) {
        size_t len = make(bytes, &state, test_random_below(&state, 40));
        size_t padding = test_random_below(&state, 3);
        struct plain p;

        EXPECT(plain_parse(span_of(bytes, len + padding), len + padding, &p));
        compare(&p, span_of(bytes, len + padding), len + padding);
        EXPECT(!plain_parse(span_of(bytes, len - 1), len - 1, &p));
    }
}

/* One bit is another, and the header's checksum is right again. */
static void spoil(uint8_t *bytes, uint64_t *state)
{
    be16_t sum;

    bytes[test_random_below(state, IP4_HEADER_LEN + TCP_HEADER_LEN)] ^=
        (uint8_t)(1 << test_random_below(state, 8));
    if (test_random_below(state, 4) == 0)
        return;
    memset(bytes + 10, 0, 2);
    sum = be16_of(checksum_fold(checksum_add(0, bytes, IP4_HEADER_LEN)));
    memcpy(bytes + 10, &sum, sizeof sum);
}

TEST(plain_reads_nothing_that_the_parsers_refuse)
{
    uint64_t state = test_seed();
    uint8_t bytes[ROOM] = {0};
    int read = 0;

    for (int i = 0; i < 20000; i++) {
        size_t len = make(bytes, &state, test_random_below(&state, 40));
        struct plain p;

        spoil(bytes, &state);
        if (!plain_parse(span_of(bytes, len), len, &p))
            continue;
        compare(&p, span_of(bytes, len), len);
        read++;
    }
    EXPECT(read > 1000 && read < 19000);
}

TEST(plain_ends_are_where_the_parsers_find_them)
{
    static const struct weir_addr src6 = {{0xfd, [15] = 1}}, dst6 = {{0xfd, [15] = 2}};
    struct tcp_header tcp = {.src_port = 80, .dst_port = 1024, .flags = TCP_ACK};
    struct ip4_header ip4 = {.src = weir_addr_v4(192, 0, 2, 1),
                             .dst = weir_addr_v4(192, 0, 2, 2),
                             .payload_len = TCP_HEADER_LEN,
                             .protocol = IP_PROTOCOL_TCP};
    struct ip6_header ip6 = {.src = src6,
                             .dst = dst6,
                             .payload_len = TCP_HEADER_LEN,
                             .protocol = IP_PROTOCOL_TCP,
                             .next_header = IP_PROTOCOL_TCP};
    uint8_t bytes[ROOM];

    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        size_t at = is_v6 ? ip6_emit(&ip6, bytes, ROOM) : ip4_emit(&ip4, bytes, ROOM);
        size_t len = at + tcp_emit(&tcp, bytes + at, ROOM - at);
        struct plain_ends ends;
        EXPECT(plain_guess_ends(span_of(bytes, len), &ends));
        EXPECT_EQ(ends.src_port, 80);
        EXPECT_EQ(ends.dst_port, 1024);
        EXPECT(weir_addr_eq(&ends.src, is_v6 ? &src6 : &ip4.src));
        EXPECT(weir_addr_eq(&ends.dst, is_v6 ? &dst6 : &ip4.dst));
        for (size_t part = 0; part < len; part++)
            EXPECT(!plain_guess_ends(span_of(bytes, part), &ends));
        bytes[at + 13] |= TCP_SYN;
        EXPECT(!plain_guess_ends(span_of(bytes, len), &ends));
    }
}
