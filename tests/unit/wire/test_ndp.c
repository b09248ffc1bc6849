/* test_ndp.c - neighbour discovery messages and their options */
#include "wire/ndp.h"

#include <stdlib.h>
#include <string.h>

#include "lib/test.h"
#include "unit/wire/samples.h"
#include "wire/ip6.h"

#define TARGET "fe80000000000000 505400fffe123456"
#define OTHER "20010db800090000 0000000000000009"

struct sample_packet {
    uint8_t bytes[SAMPLE_MAX];
    struct ip6_header ip;
    struct icmp_message icmp;
};

static void read_packet(enum sample sample, struct sample_packet *p)
{
    size_t len = sample_read(sample, p->bytes);

    EXPECT_EQ(ip6_parse(span_of(p->bytes, len), len, &p->ip), WHY_NONE);
    EXPECT_EQ(icmp_parse(p->ip.payload, p->ip.payload_len, &p->icmp), WHY_NONE);
}

/* Parses a message of this type with this body, in memory of exactly its length. */
static enum why parse(uint8_t type, const char *body, struct ndp_message *m)
{
    static uint8_t *memory; /* that of the last call, into which *m may point */
    uint8_t bytes[512];
    size_t len = bytes_read(body, bytes);
    struct icmp_message icmp = {.type = type, .body_len = len};

    free(memory);
    memory = bytes_copy(bytes, len);
    icmp.body = span_of(memory, len);
    return ndp_parse(&icmp, m);
}

TEST(ndp_parses_a_solicitation) /* [RFC4861 4.3] */
{
    struct sample_packet p;
    struct ndp_message m;

    read_packet(SAMPLE_SOLICIT, &p);
    EXPECT_EQ(ndp_parse(&p.icmp, &m), WHY_NONE);
    EXPECT_EQ(m.type, ICMP6_NEIGHBOUR_SOLICIT);
    EXPECT_MEM(m.target.b, p.icmp.body.bytes, 16);
    EXPECT(m.has_source_mac && !m.has_target_mac);
    EXPECT_MEM(m.source_mac.b, "\x02\0\0\0\0\x01", 6);
}

TEST(ndp_parses_an_advertisement) /* [RFC4861 4.4] */
{
    struct sample_packet p;
    struct ndp_message m;

    read_packet(SAMPLE_ADVERT, &p);
    EXPECT_EQ(ndp_parse(&p.icmp, &m), WHY_NONE);
    EXPECT(!m.from_router && m.solicited && m.override);
    EXPECT(m.has_target_mac && !m.has_source_mac);
    EXPECT_MEM(m.target_mac.b, "\x52\x54\x00\x12\x34\x56", 6);
}

TEST(ndp_parses_a_router_advertisement) /* [RFC4861 4.2] [RFC8106 5.1] */
{
    struct sample_packet p;
    struct ndp_message m;

    read_packet(SAMPLE_ROUTER, &p);
    EXPECT_EQ(ndp_parse(&p.icmp, &m), WHY_NONE);
    EXPECT_EQ(m.hop_limit, 64);
    EXPECT(!m.managed && m.other);
    EXPECT_EQ(m.router_lifetime_s, 1800);
    EXPECT_EQ(m.reachable_ms, 30000);
    EXPECT_EQ(m.retransmit_ms, 1000);
    EXPECT_EQ(m.mtu, 1500);
    EXPECT_EQ(m.prefix_count, 1);
    EXPECT_EQ(m.prefixes[0].prefix.len, 64);
    EXPECT(m.prefixes[0].on_link && m.prefixes[0].autonomous);
    EXPECT_EQ(m.prefixes[0].valid_s, 86400);
    EXPECT_EQ(m.prefixes[0].preferred_s, 14400);
    EXPECT_EQ(m.prefixes[0].prefix.addr.b[7], 1);
    EXPECT_EQ(m.dns_count, 2);
    EXPECT_EQ(m.dns_lifetime_s, 1800);
    EXPECT_EQ(m.dns_servers[1].b[15], 0x54);
    EXPECT_EQ(m.skipped_count, 0);
}

TEST(ndp_parses_a_redirect) /* [RFC4861 4.5] */
{
    struct sample_packet p;
    struct ndp_message m;

    read_packet(SAMPLE_REDIRECT, &p);
    EXPECT_EQ(ndp_parse(&p.icmp, &m), WHY_NONE);
    EXPECT_EQ(m.target.b[0], 0xfe);
    EXPECT_EQ(m.destination.b[15], 9);
    EXPECT(m.has_target_mac);
    EXPECT_EQ(m.redirected.len, 40);
    EXPECT_EQ(m.redirected.bytes[0] >> 4, 6);
}

TEST(ndp_emits_what_it_parsed)
{
    static const enum sample samples[] = {SAMPLE_SOLICIT, SAMPLE_ADVERT, SAMPLE_ROUTER,
                                          SAMPLE_REDIRECT};

    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        uint8_t out[SAMPLE_MAX];
        struct sample_packet p;
        struct ndp_message m;

        read_packet(samples[i], &p);
        EXPECT_EQ(ndp_parse(&p.icmp, &m), WHY_NONE);
        EXPECT_EQ(ndp_emit(&m, &p.ip.src, &p.ip.dst, out, sizeof out), p.ip.payload_len);
        EXPECT_MEM(out, p.ip.payload.bytes, p.ip.payload_len);
        for (size_t room = 0; room < p.ip.payload_len; room++)
            EXPECT_EQ(ndp_emit(&m, &p.ip.src, &p.ip.dst, out, room), 0);
    }
}

TEST(ndp_refuses_every_truncation)
{
    static const enum sample samples[] = {SAMPLE_SOLICIT, SAMPLE_ADVERT, SAMPLE_ROUTER,
                                          SAMPLE_REDIRECT};

    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct sample_packet p;
        struct ndp_message m;
        size_t len;

        read_packet(samples[i], &p);
        len = p.icmp.body.len;
        for (size_t less = 0; less < len; less++) {
            uint8_t *copy = bytes_copy(p.icmp.body.bytes, less);
            struct icmp_message icmp = p.icmp;
            enum why why;

            icmp.body = span_of(copy, less);
            EXPECT_EQ(ndp_parse(&icmp, &m), WHY_NDP_MALFORMED); /* the rest is not in head */
            icmp.body_len = less;
            why = ndp_parse(&icmp, &m);
            /* Cut between options it is a message, with fewer of them. */
            EXPECT(why == WHY_NDP_MALFORMED || (why == WHY_NONE && less % 8 == 0));
            free(copy);
        }
    }
}

TEST(ndp_refuses_codes_and_other_types) /* [RFC4861 6.1.1] */
{
    struct sample_packet p;
    struct ndp_message m;

    read_packet(SAMPLE_SOLICIT, &p);
    p.icmp.code = 1;
    EXPECT_EQ(ndp_parse(&p.icmp, &m), WHY_NDP_MALFORMED);
    EXPECT_EQ(parse(132, "", &m), WHY_NDP_MALFORMED);
    EXPECT_EQ(parse(138, "", &m), WHY_NDP_MALFORMED);
    EXPECT_EQ(parse(ICMP6_ROUTER_SOLICIT, "", &m), WHY_NONE);
}

TEST(ndp_refuses_targets_that_are_groups_or_ip4) /* [RFC4861 7.1.1] */
{
    struct ndp_message m;

    EXPECT_EQ(parse(135, "ff020000000000000000000000000001", &m), WHY_NDP_MALFORMED);
    EXPECT_EQ(parse(136, "ff020000000000000000000000000001", &m), WHY_NDP_MALFORMED);
    EXPECT_EQ(parse(135, "00000000000000000000ffffc0000201", &m), WHY_NDP_MALFORMED);
    EXPECT_EQ(parse(137, TARGET "ff020000000000000000000000000001", &m), WHY_NDP_MALFORMED);
    EXPECT_EQ(parse(137, TARGET OTHER, &m), WHY_NONE);
}

TEST(ndp_refuses_options_without_length) /* [RFC4861 4.6] */
{
    struct ndp_message m;

    EXPECT_EQ(parse(135, TARGET "0100 020000000001", &m), WHY_NDP_MALFORMED);
    EXPECT_EQ(parse(135, TARGET "0101 020000000001 6300 000000000000", &m), WHY_NDP_MALFORMED);
    EXPECT_EQ(parse(135, TARGET "01", &m), WHY_NDP_MALFORMED);
    EXPECT_EQ(parse(135, TARGET "0102 020000000001", &m), WHY_NDP_MALFORMED);
}

TEST(ndp_skips_options_it_does_not_know_or_want) /* [RFC4861 6.1.2] */
{
    struct ndp_message m;

    /* Unknown; a link-layer address of another length; the MTU, which only routers tell. */
    EXPECT_EQ(parse(135,
                    TARGET "6301 000000000000 0102 0000000000000000 000000000000"
                           "0501 0000 00000500 0101 020000000001",
                    &m),
              WHY_NONE);
    EXPECT_EQ(m.skipped_count, 3);
    EXPECT_EQ(m.mtu, 0);
    EXPECT(m.has_source_mac);
}

TEST(ndp_option_that_is_repeated_counts_once)
{
    struct ndp_message m;

    EXPECT_EQ(parse(135, TARGET "0101 020000000001 0101 020000000002", &m), WHY_NONE);
    EXPECT_EQ(m.source_mac.b[5], 1);
    EXPECT_EQ(m.skipped_count, 1);
}

TEST(ndp_reads_nonces) /* [RFC3971 5.3.2] */
{
    struct ndp_message m;
    uint8_t out[64];
    struct weir_addr any = {{0}};

    EXPECT_EQ(parse(135, TARGET "0e01 010203040506", &m), WHY_NONE);
    EXPECT(span_eq(m.nonce, span_of("\1\2\3\4\5\6", 6)));
    EXPECT_EQ(ndp_emit(&m, &any, &any, out, sizeof out), 32);
    EXPECT_MEM(out + 24, "\x0e\x01\1\2\3\4\5\6", 8);
    m.nonce.len = 5;
    EXPECT_EQ(ndp_emit(&m, &any, &any, out, sizeof out), 0);
}

TEST(ndp_options_of_a_router_are_checked)
{
#define ADVERT "00000000 00000000"
#define PREFIX(len) "0304" len "c0 00000001 00000002 00000000" OTHER
    struct ndp_message m;

    EXPECT_EQ(parse(134, ADVERT PREFIX("81"), &m), WHY_NONE);
    EXPECT_EQ(m.prefix_count, 0);
    EXPECT_EQ(parse(134, ADVERT PREFIX("80") PREFIX("00"), &m), WHY_NONE);
    EXPECT_EQ(m.prefix_count, 2);
    EXPECT_EQ(parse(134, ADVERT "0301 000000000000 1901 0000 00000001", &m), WHY_NONE);
    EXPECT_EQ(m.skipped_count, 2);
    EXPECT_EQ(parse(134, ADVERT "1902 0000 00000001 0000000000000000", &m), WHY_NONE);
    EXPECT_EQ(m.skipped_count, 1); /* half an address */
    EXPECT_EQ(parse(134, ADVERT "1903 0000 ffffffff" OTHER, &m), WHY_NONE);
    EXPECT_EQ(m.dns_count, 1);
    EXPECT_EQ(m.dns_lifetime_s, NDP_FOREVER);
}

TEST(ndp_takes_as_many_prefixes_and_servers_as_there_is_place_for)
{
    uint8_t bytes[1024];
    size_t len = bytes_read("00000000 00000000", bytes);
    struct icmp_message icmp = {.type = ICMP6_ROUTER_ADVERT};
    struct ndp_message m;

    for (int i = 0; i < NDP_PREFIX_MAX + 2; i++)
        len += bytes_read(PREFIX("40"), bytes + len);
    len += bytes_read("190b 0000 00000001" OTHER OTHER OTHER OTHER OTHER, bytes + len);
    icmp.body = span_of(bytes, len);
    icmp.body_len = len;
    EXPECT_EQ(ndp_parse(&icmp, &m), WHY_NONE);
    EXPECT_EQ(m.prefix_count, NDP_PREFIX_MAX);
    EXPECT_EQ(m.skipped_count, 2);
    EXPECT_EQ(m.dns_count, NDP_DNS_MAX);
}

TEST(ndp_redirect_quotes_a_packet_padded_to_whole_units)
{
    struct ndp_message m = {.type = ICMP6_REDIRECT, .redirected = span_of("abcdefghi", 9)};
    struct weir_addr any = {{0}};
    uint8_t out[128];

    EXPECT_EQ(ndp_emit(&m, &any, &any, out, sizeof out), 8 + 32 + 8 + 16);
    EXPECT_MEM(out + 40, "\x04\x03\0\0\0\0\0\0abcdefghi\0\0\0\0\0\0\0", 24);
}

TEST(ndp_survives_any_options)
{
    uint64_t state = test_seed();

    for (int i = 0; i < 20000; i++) {
        static const uint8_t options[8] = {1, 2, 3, 4, 5, 14, 25, 99};
        uint8_t bytes[128], *copy;
        size_t len = test_random_below(&state, sizeof bytes + 1);
        struct icmp_message icmp = {.type = (uint8_t)(133 + test_random_below(&state, 5))};
        struct ndp_message m;

        bytes_fill(bytes, len, &state);
        for (size_t at = 0; at + 1 < len; at += 8) {
            bytes[at] = options[test_random_below(&state, 8)];
            bytes[at + 1] = (uint8_t)(1 + test_random_below(&state, 6) / 2);
        }
        copy = bytes_copy(bytes, len);
        icmp.body = span_of(copy, len);
        icmp.body_len = len;
        if (ndp_parse(&icmp, &m) == WHY_NONE) {
            EXPECT(m.prefix_count <= NDP_PREFIX_MAX);
            EXPECT(m.dns_count <= NDP_DNS_MAX);
        }
        free(copy);
    }
}
