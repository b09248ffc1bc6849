/* test_be.c - numbers as they stand on the wire */
#include "base/be.h"

#include <string.h>

#include "lib/test.h"

TEST(be_numbers_have_their_most_significant_byte_first)
{
    static const uint8_t bytes[8] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
    be16_t two = be16_of(0x0123);
    be32_t four = be32_of(0x01234567);
    be64_t eight = be64_of(0x0123456789abcdef);

    EXPECT_MEM(two.b, bytes, 2);
    EXPECT_MEM(four.b, bytes, 4);
    EXPECT_MEM(eight.b, bytes, 8);
    EXPECT_EQ(be16_get(two), 0x0123);
    EXPECT_EQ(be32_get(four), 0x01234567);
    EXPECT(be64_get(eight) == 0x0123456789abcdef);
}

TEST(be_numbers_survive_the_highest_bit)
{
    EXPECT_EQ(be16_get(be16_of(UINT16_MAX)), UINT16_MAX);
    EXPECT_EQ(be32_get(be32_of(UINT32_MAX)), UINT32_MAX);
    EXPECT(be64_get(be64_of(UINT64_MAX)) == UINT64_MAX);
    EXPECT_EQ(be32_get(be32_of(0x80000000)), 0x80000000);
    EXPECT(be64_get(be64_of((uint64_t)1 << 63)) == (uint64_t)1 << 63);
}

TEST(be_numbers_come_back_as_they_went)
{
    uint64_t state = test_seed();

    for (int i = 0; i < 1000; i++) {
        uint64_t value = test_random(&state);

        EXPECT_EQ(be16_get(be16_of((uint16_t)value)), (uint16_t)value);
        EXPECT_EQ(be32_get(be32_of((uint32_t)value)), (uint32_t)value);
        EXPECT(be64_get(be64_of(value)) == value);
    }
}

TEST(be_numbers_are_read_at_any_address)
{
    uint8_t bytes[16];

    for (size_t at = 0; at < 8; at++) {
        be64_t value = be64_of(0x1122334455667788);
        const be64_t *there = (const void *)(bytes + at);

        memcpy(bytes + at, &value, sizeof value);
        EXPECT(be64_get(*there) == 0x1122334455667788);
    }
}
