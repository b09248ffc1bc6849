#include "base/ns.h"

#include "lib/test.h"

TEST(ns_after_adds)
{
    EXPECT_EQ(ns_after(5, 7), 12);
    EXPECT_EQ(ns_after(-5, 7), 2);
    EXPECT_EQ(ns_after(5, -7), -2);
}

TEST(ns_after_stops_at_never)
{
    EXPECT_EQ(ns_after(NEVER - 1, 1), NEVER);
    EXPECT_EQ(ns_after(NEVER - 1, 2), NEVER);
    EXPECT_EQ(ns_after(1, NEVER), NEVER);
    EXPECT_EQ(ns_after(NEVER, -5), NEVER);
    EXPECT_EQ(ns_after(NEVER, NEVER), NEVER);
    EXPECT_EQ(ns_after(INT64_MIN, NEVER), -1);
}

TEST(ns_after_stops_at_the_beginning_of_time)
{
    EXPECT_EQ(ns_after(INT64_MIN + 1, -2), INT64_MIN);
    EXPECT_EQ(ns_after(INT64_MIN + 2, -2), INT64_MIN);
    EXPECT_EQ(ns_after(0, INT64_MIN + 1), INT64_MIN + 1);
    EXPECT_EQ(ns_after(-1, INT64_MIN), INT64_MIN);
}

TEST(ns_since_is_never_negative_and_does_not_overflow)
{
    EXPECT_EQ(ns_since(3, 10), 7);
    EXPECT_EQ(ns_since(10, 3), 0);
    EXPECT_EQ(ns_since(-3, 10), 13);
    EXPECT_EQ(ns_since(INT64_MIN, NEVER), NEVER);
    EXPECT_EQ(ns_since(INT64_MIN, -1), NEVER);
    EXPECT_EQ(ns_since(-1, NEVER), NEVER);
    EXPECT_EQ(ns_since(INT64_MIN, INT64_MIN + 1), 1);
}

TEST(ns_div_ceil_rounds_up)
{
    EXPECT_EQ(ns_div_ceil(-1, NS_MS), 0);
    EXPECT_EQ(ns_div_ceil(0, NS_MS), 0);
    EXPECT_EQ(ns_div_ceil(1, NS_MS), 1);
    EXPECT_EQ(ns_div_ceil(NS_MS, NS_MS), 1);
    EXPECT_EQ(ns_div_ceil(NS_MS + 1, NS_MS), 2);
    EXPECT_EQ(ns_div_ceil(NEVER, NS_S), 9223372037);
}

TEST(ns_min_and_max_know_never)
{
    EXPECT_EQ(ns_min(NEVER, 3), 3);
    EXPECT_EQ(ns_max(NEVER, 3), NEVER);
    EXPECT_EQ(ns_min(-4, 3), -4);
}
