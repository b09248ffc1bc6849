/* test_eth.c - Ethernet frames with no, one and two tags */
#include "wire/eth.h"

#include <stdlib.h>

#include "lib/test.h"
#include "unit/wire/samples.h"

#define STATIONS "52540012 3456 0200 00000001"

struct frame_case {
    const char *hex;
    uint8_t vlan_count;
    uint16_t type;
};

static const struct frame_case cases[] = {
    {STATIONS "0800", 0, ETH_TYPE_IP4},
    {STATIONS "86dd", 0, ETH_TYPE_IP6},
    {STATIONS "8100 2064 0806", 1, ETH_TYPE_ARP},
    {STATIONS "88a8 0fff 0800", 1, ETH_TYPE_IP4},
    {STATIONS "88a8 e001 8100 1002 86dd", 2, ETH_TYPE_IP6},
    {STATIONS "8100 0001 8100 0002 8100 0003 0800", 2, ETH_TYPE_VLAN}, /* the third is payload */
    {STATIONS "0026 4242", 0, 0x26},                                   /* an 802.3 length */
};

TEST(eth_parses_frames_with_up_to_two_tags)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[64];
        size_t len = bytes_read(cases[i].hex, bytes);
        struct eth_header h;

        EXPECT_EQ(eth_parse(span_of(bytes, len), len + 1000, &h), WHY_NONE);
        EXPECT_EQ(h.type, cases[i].type);
        EXPECT_EQ(h.vlan_count, cases[i].vlan_count);
        EXPECT(h.payload.bytes == bytes + eth_header_len(&h));
        EXPECT_EQ(h.payload.len, len - eth_header_len(&h));
        EXPECT_EQ(h.payload_len, len + 1000 - eth_header_len(&h));
        EXPECT_EQ(h.dst.b[0], 0x52);
        EXPECT_EQ(h.src.b[5], 0x01);
    }
}

TEST(eth_keeps_what_a_tag_says)
{
    uint8_t bytes[64];
    size_t len = bytes_read(STATIONS "88a8 e001 8100 1002 86dd", bytes);
    struct eth_header h;

    EXPECT_EQ(eth_parse(span_of(bytes, len), len, &h), WHY_NONE);
    EXPECT_EQ(h.vlans[0].type, ETH_TYPE_SERVICE_VLAN);
    EXPECT_EQ(h.vlans[0].control, 0xe001);
    EXPECT_EQ(h.vlans[1].type, ETH_TYPE_VLAN);
    EXPECT_EQ(eth_vlan_id(&h.vlans[1]), 2);
}

TEST(eth_emits_what_it_parsed)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[64], out[64];
        size_t len = bytes_read(cases[i].hex, bytes);
        struct eth_header h;

        EXPECT_EQ(eth_parse(span_of(bytes, len), len, &h), WHY_NONE);
        EXPECT_EQ(eth_emit(&h, out, sizeof out), eth_header_len(&h));
        EXPECT_MEM(out, bytes, eth_header_len(&h));
        for (size_t room = 0; room < eth_header_len(&h); room++)
            EXPECT_EQ(eth_emit(&h, out, room), 0);
    }
}

TEST(eth_refuses_every_truncation)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[64];
        size_t len = bytes_read(cases[i].hex, bytes);
        struct eth_header h;

        EXPECT_EQ(eth_parse(span_of(bytes, len), len, &h), WHY_NONE);
        len = eth_header_len(&h);
        for (size_t less = 0; less < len; less++) {
            uint8_t *copy = bytes_copy(bytes, less);

            EXPECT_EQ(eth_parse(span_of(copy, less), less, &h), WHY_LINK_SHORT);
            EXPECT_EQ(eth_parse(span_of(copy, less), 1500, &h), WHY_LINK_SHORT);
            free(copy);
        }
    }
}

TEST(eth_emit_refuses_a_third_tag)
{
    struct eth_header h = {.vlan_count = 3};
    uint8_t out[64];

    EXPECT_EQ(eth_emit(&h, out, sizeof out), 0);
}

TEST(eth_groups_have_stations_of_their_own) /* [RFC1112 6.4] [RFC2464 7] */
{
    struct weir_addr all_hosts = weir_addr_v4(224, 129, 2, 3);
    struct weir_addr solicited = {{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0x12, 0x34, 0x56}};
    struct eth_addr four = eth_addr_of_group(&all_hosts), six = eth_addr_of_group(&solicited);
    struct eth_addr everybody = eth_addr_broadcast();

    EXPECT_MEM(four.b, "\x01\x00\x5e\x01\x02\x03", 6);
    EXPECT_MEM(six.b, "\x33\x33\xff\x12\x34\x56", 6);
    EXPECT(eth_addr_is_group(&four) && eth_addr_is_group(&six) && eth_addr_is_group(&everybody));
    EXPECT(!eth_addr_eq(&four, &six));
    EXPECT(eth_addr_eq(&four, &four));
}
