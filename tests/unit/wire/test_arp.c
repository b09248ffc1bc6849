/* test_arp.c - address resolution packets */
#include "wire/arp.h"

#include <stdlib.h>

#include "lib/test.h"
#include "unit/wire/samples.h"

static const char request[] = "0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000202";

TEST(arp_parses_a_request)
{
    struct weir_addr sender = weir_addr_v4(192, 0, 2, 1), target = weir_addr_v4(192, 0, 2, 2);
    uint8_t bytes[64];
    struct arp_packet p;

    EXPECT_EQ(bytes_read(request, bytes), ARP_LEN);
    EXPECT_EQ(arp_parse(span_of(bytes, ARP_LEN), &p), WHY_NONE);
    EXPECT_EQ(p.op, ARP_REQUEST);
    EXPECT(weir_addr_eq(&p.sender_addr, &sender));
    EXPECT(weir_addr_eq(&p.target_addr, &target));
    EXPECT_EQ(p.sender_mac.b[5], 1);
    EXPECT_EQ(p.target_mac.b[5], 0);
}

TEST(arp_ignores_the_padding_of_a_short_frame)
{
    uint8_t bytes[64] = {0};
    struct arp_packet p;

    bytes_read(request, bytes);
    EXPECT_EQ(arp_parse(span_of(bytes, 46), &p), WHY_NONE);
}

TEST(arp_emits_what_it_parsed)
{
    uint64_t state = test_seed();

    for (int i = 0; i < 100; i++) {
        uint8_t bytes[ARP_LEN], out[ARP_LEN];
        struct arp_packet p;

        bytes_read(request, bytes);
        bytes_fill(bytes + 6, ARP_LEN - 6, &state); /* any operation, any addresses */
        EXPECT_EQ(arp_parse(span_of(bytes, ARP_LEN), &p), WHY_NONE);
        EXPECT_EQ(arp_emit(&p, out, sizeof out), ARP_LEN);
        EXPECT_MEM(out, bytes, ARP_LEN);
    }
}

TEST(arp_refuses_other_hardware_other_protocols_and_every_truncation)
{
    struct arp_packet p;
    uint8_t bytes[64];

    for (size_t at = 0; at < 6; at++) {
        bytes_read(request, bytes);
        bytes[at] ^= 0x10;
        EXPECT_EQ(arp_parse(span_of(bytes, ARP_LEN), &p), WHY_ARP_MALFORMED);
    }
    bytes_read(request, bytes);
    for (size_t len = 0; len < ARP_LEN; len++) {
        uint8_t *copy = bytes_copy(bytes, len);

        EXPECT_EQ(arp_parse(span_of(copy, len), &p), WHY_ARP_MALFORMED);
        free(copy);
    }
}

TEST(arp_emit_needs_room)
{
    struct arp_packet p = {.op = ARP_REPLY};
    uint8_t out[ARP_LEN];

    for (size_t room = 0; room < ARP_LEN; room++)
        EXPECT_EQ(arp_emit(&p, out, room), 0);
}
