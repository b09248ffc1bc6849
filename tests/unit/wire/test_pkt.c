/* test_pkt.c - whole packets of either version */
#include "wire/pkt.h"

#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "lib/test.h"
#include "unit/wire/samples.h"

static bool is_fragment_sample(enum sample sample)
{
    return sample == SAMPLE_FRAGMENT6;
}

TEST(pkt_parses_every_sample_and_finds_its_checksum_right) /* [RFC9293 MUST-3] */
{
    for (enum sample s = 0; s < SAMPLE_COUNT; s++) {
        uint8_t bytes[SAMPLE_MAX];
        size_t len = sample_read(s, bytes);
        struct pkt p;

        EXPECT_EQ(pkt_parse(span_of(bytes, len), len, &p), WHY_NONE);
        EXPECT_EQ(p.version, bytes[0] >> 4);
        EXPECT_EQ(p.is_fragment, is_fragment_sample(s));
        EXPECT_EQ(p.ip_len + p.transport_len, len);
        EXPECT(p.transport.bytes == bytes + p.ip_len);
        EXPECT_EQ(pkt_tail_len(&p), 0);
        if (!p.is_fragment)
            EXPECT_EQ(pkt_check_checksum(&p, 0), WHY_NONE);
    }
}

TEST(pkt_shares_the_members_of_both_headers)
{
    uint8_t bytes[SAMPLE_MAX];
    struct weir_addr src = weir_addr_v4(192, 0, 2, 1);
    size_t len = sample_read(SAMPLE_TCP4_SYN, bytes);
    struct pkt p;

    EXPECT_EQ(pkt_parse(span_of(bytes, len), len, &p), WHY_NONE);
    EXPECT(weir_addr_eq(&p.src, &src));
    EXPECT_EQ(p.ttl, 64);
    EXPECT_EQ(p.protocol, IP_PROTOCOL_TCP);
    EXPECT_EQ(p.tcp.dst_port, 80);
    EXPECT_EQ(p.tcp.flags, TCP_SYN);
    EXPECT_EQ(p.tcp.options.len, 20);

    len = sample_read(SAMPLE_TCP6_DATA, bytes);
    EXPECT_EQ(pkt_parse(span_of(bytes, len), len, &p), WHY_NONE);
    EXPECT_MEM(p.src.b, bytes + 8, 16);
    EXPECT_EQ(p.tos, 0xb9);
    EXPECT_EQ(p.tcp.flags, TCP_AE | TCP_CWR | TCP_ECE | TCP_PSH | TCP_ACK);
    EXPECT(span_eq(p.tcp.payload, span_of("odd", 3)));
}

TEST(pkt_refuses_every_truncation)
{
    for (enum sample s = 0; s < SAMPLE_COUNT; s++) {
        uint8_t bytes[SAMPLE_MAX];
        size_t len = sample_read(s, bytes);

        for (size_t less = 0; less < len; less++) {
            uint8_t *copy = bytes_copy(bytes, less);
            struct pkt p;

            EXPECT(pkt_parse(span_of(copy, less), less, &p) != WHY_NONE);
            free(copy);
        }
    }
}

TEST(pkt_refuses_other_versions_and_nothing)
{
    uint8_t bytes[64] = {0x55};
    struct pkt p;

    EXPECT_EQ(pkt_parse(span_of(bytes, 64), 64, &p), WHY_IP_VERSION);
    EXPECT_EQ(pkt_parse(span_none(), 0, &p), WHY_IP_SHORT);
    EXPECT_EQ(pkt_parse_quoted(span_of(bytes, 64), &p), WHY_ICMP_MALFORMED);
    EXPECT_EQ(pkt_parse_quoted(span_none(), &p), WHY_ICMP_MALFORMED);
}

TEST(pkt_checksum_goes_on_after_head_at_any_place)
{
    for (enum sample s = 0; s < SAMPLE_COUNT; s++) {
        uint8_t bytes[SAMPLE_MAX];
        size_t len = sample_read(s, bytes);

        for (size_t cut = 0; cut <= len; cut++) {
            struct pkt p;
            uint32_t tail_sum = checksum_add(0, bytes + cut, len - cut);

            if (pkt_parse(span_of(bytes, cut), len, &p) != WHY_NONE || p.is_fragment)
                continue;
            EXPECT_EQ(pkt_tail_len(&p), len - cut);
            EXPECT_EQ(pkt_check_checksum(&p, tail_sum), WHY_NONE);
        }
    }
}

static enum why checksum_reason(const struct pkt *p)
{
    switch (p->protocol) {
    case IP_PROTOCOL_TCP: return WHY_TCP_CHECKSUM;
    case IP_PROTOCOL_UDP: return WHY_UDP_CHECKSUM;
    default: return WHY_ICMP_CHECKSUM;
    }
}

TEST(pkt_checksum_finds_every_single_wrong_bit) /* [RFC9293 MUST-3] */
{
    for (enum sample s = 0; s < SAMPLE_COUNT; s++) {
        uint8_t bytes[SAMPLE_MAX];
        size_t len = sample_read(s, bytes);
        struct pkt p;

        EXPECT_EQ(pkt_parse(span_of(bytes, len), len, &p), WHY_NONE);
        for (size_t bit = p.ip_len * 8; bit < len * 8 && !p.is_fragment; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            if (pkt_parse(span_of(bytes, len), len, &p) == WHY_NONE)
                EXPECT_EQ(pkt_check_checksum(&p, 0), checksum_reason(&p));
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

TEST(pkt_checksum_of_udp_may_be_missing_with_ip4_only) /* [RFC768] [RFC8200 8.1] */
{
    uint8_t bytes[SAMPLE_MAX];
    size_t len = sample_read(SAMPLE_UDP4, bytes);
    struct pkt p;

    bytes[26] = bytes[27] = 0;
    EXPECT_EQ(pkt_parse(span_of(bytes, len), len, &p), WHY_NONE);
    EXPECT_EQ(pkt_check_checksum(&p, 0), WHY_NONE);
    len = sample_read(SAMPLE_UDP6, bytes);
    bytes[46] = bytes[47] = 0;
    EXPECT_EQ(pkt_parse(span_of(bytes, len), len, &p), WHY_NONE);
    EXPECT_EQ(pkt_check_checksum(&p, 0), WHY_UDP_CHECKSUM);
}

TEST(pkt_checksum_of_udp_covers_what_its_length_says)
{
    uint8_t bytes[SAMPLE_MAX] = {0};
    size_t len = sample_read(SAMPLE_UDP6, bytes);
    struct pkt p;

    bytes[5] = (uint8_t)(bytes[5] + 4); /* four bytes that belong to IP but not to UDP */
    memset(bytes + len, 0xee, 4);
    EXPECT_EQ(pkt_parse(span_of(bytes, len + 4), len + 4, &p), WHY_NONE);
    EXPECT_EQ(p.udp.payload_len, 5);
    EXPECT_EQ(pkt_check_checksum(&p, 0), WHY_NONE);
    EXPECT_EQ(pkt_parse(span_of(bytes, len - 2), len + 4, &p), WHY_NONE);
    EXPECT_EQ(pkt_tail_len(&p), 2);
    EXPECT_EQ(pkt_check_checksum(&p, checksum_add(0, bytes + len - 2, 2)), WHY_NONE);
}

TEST(pkt_reads_what_icmp_quotes)
{
    static const enum sample samples[] = {SAMPLE_TOO_BIG4, SAMPLE_TOO_BIG6};

    for (size_t i = 0; i < 2; i++) {
        uint8_t bytes[SAMPLE_MAX];
        size_t len = sample_read(samples[i], bytes);
        struct pkt p, quoted;
        struct span body;

        EXPECT_EQ(pkt_parse(span_of(bytes, len), len, &p), WHY_NONE);
        body = p.version == 4 ? p.icmp.body : p.icmp.body;
        EXPECT_EQ(pkt_parse_quoted(body, &quoted), WHY_NONE);
        EXPECT_EQ(quoted.protocol, IP_PROTOCOL_TCP);
        EXPECT(weir_addr_eq(&quoted.src, &p.dst));
        EXPECT_EQ(quoted.tcp.src_port, 40000);
        EXPECT_EQ(quoted.tcp.seq, 100);
        EXPECT_EQ(quoted.transport_len, 1460);
    }
}

TEST(pkt_quoted_needs_eight_bytes_of_transport) /* [RFC792] */
{
    for (enum sample s = 0; s < SAMPLE_COUNT; s++) {
        uint8_t bytes[SAMPLE_MAX];
        size_t len = sample_read(s, bytes);
        struct pkt p;

        EXPECT_EQ(pkt_parse_ip(span_of(bytes, len), len, &p), WHY_NONE);
        for (size_t less = 0; less <= len; less++) {
            uint8_t *copy = bytes_copy(bytes, less);
            struct pkt quoted;

            EXPECT_EQ(pkt_parse_quoted(span_of(copy, less), &quoted),
                      less < p.ip_len + 8 ? WHY_ICMP_MALFORMED : WHY_NONE);
            free(copy);
        }
    }
}

TEST(pkt_quoted_fragment_must_be_the_first)
{
    uint8_t bytes[SAMPLE_MAX];
    size_t len = sample_read(SAMPLE_UDP4, bytes);
    struct pkt p;

    bytes[6] = 0x20;
    EXPECT_EQ(pkt_parse_quoted(span_of(bytes, len), &p), WHY_NONE);
    EXPECT_EQ(p.udp.dst_port, 53);
    bytes[7] = 1;
    EXPECT_EQ(pkt_parse_quoted(span_of(bytes, len), &p), WHY_ICMP_NOT_OURS);
    len = sample_read(SAMPLE_FRAGMENT6, bytes);
    EXPECT_EQ(pkt_parse_quoted(span_of(bytes, len), &p), WHY_NONE);
    EXPECT_EQ(p.udp.dst_port, 9);
    bytes[43] |= 8;
    EXPECT_EQ(pkt_parse_quoted(span_of(bytes, len), &p), WHY_ICMP_NOT_OURS);
}

TEST(pkt_leaves_the_other_versions_icmp_alone)
{
    uint8_t bytes[SAMPLE_MAX];
    size_t len = sample_read(SAMPLE_PING6, bytes);
    struct pkt p;

    bytes[6] = IP_PROTOCOL_ICMP4;
    EXPECT_EQ(pkt_parse(span_of(bytes, len), len, &p), WHY_NONE);
    EXPECT(!pkt_is_icmp4(&p) && !pkt_is_icmp6(&p));
    EXPECT_EQ(pkt_check_checksum(&p, 0), WHY_NONE);
}

TEST(pkt_survives_any_changes_to_the_samples)
{
    uint64_t state = test_seed();

    for (int i = 0; i < 30000; i++) {
        uint8_t bytes[SAMPLE_MAX], *copy;
        size_t len = sample_read((enum sample)test_random_below(&state, SAMPLE_COUNT), bytes);
        struct pkt p;

        for (uint32_t n = 1 + test_random_below(&state, 4); n > 0; n--)
            bytes[test_random_below(&state, (uint32_t)len)] = (uint8_t)test_random(&state);
        len = test_random_below(&state, 8) ? len : test_random_below(&state, (uint32_t)len);
        copy = bytes_copy(bytes, len);
        if (pkt_parse(span_of(copy, len), len, &p) == WHY_NONE && !p.is_fragment)
            (void)pkt_check_checksum(&p, 0);
        (void)pkt_parse_quoted(span_of(copy, len), &p);
        free(copy);
    }
}
