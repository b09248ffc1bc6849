#include "base/num.h"

#include "lib/test.h"

TEST(num_div_ceil_rounds_up)
{
    EXPECT_EQ(div_ceil(0, 3), 0);
    EXPECT_EQ(div_ceil(1, 3), 1);
    EXPECT_EQ(div_ceil(3, 3), 1);
    EXPECT_EQ(div_ceil(4, 3), 2);
    EXPECT(div_ceil(UINT64_MAX, 1) == UINT64_MAX);
    EXPECT(div_ceil(UINT64_MAX, 2) == UINT64_C(1) << 63);
}

TEST(num_powers_of_two_are_told_from_others)
{
    EXPECT(!is_power_of_two(0));
    EXPECT(is_power_of_two(1));
    EXPECT(!is_power_of_two(3));
    EXPECT(is_power_of_two((SIZE_MAX >> 1) + 1));
    EXPECT(!is_power_of_two(SIZE_MAX));
}

TEST(num_round_up_goes_to_the_next_multiple)
{
    EXPECT_EQ(round_up(0, 16), 0);
    EXPECT_EQ(round_up(1, 16), 16);
    EXPECT_EQ(round_up(16, 16), 16);
    EXPECT_EQ(round_up(17, 16), 32);
}

TEST(num_min_and_max_choose)
{
    EXPECT_EQ(u32_min(1, UINT32_MAX), 1);
    EXPECT_EQ(u32_max(1, UINT32_MAX), UINT32_MAX);
    EXPECT(u64_min(UINT64_MAX, 5) == 5);
    EXPECT(u64_max(UINT64_MAX, 5) == UINT64_MAX);
    EXPECT(size_min(3, 4) == 3);
    EXPECT(size_max(3, 4) == 4);
}
