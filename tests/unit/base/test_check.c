#include "base/check.h"

#include "lib/check_fails.h"
#include "lib/test.h"

static void check_that(void *ctx)
{
    const bool *truth = ctx;

    CHECK(*truth);
}

TEST(check_stops_at_what_is_false)
{
    bool truth = false;

    EXPECT(check_fails(check_that, &truth));
}

TEST(check_passes_what_is_true)
{
    bool truth = true;

    EXPECT(!check_fails(check_that, &truth));
}

TEST(check_evaluates_its_condition_once)
{
    int count = 0;

    CHECK(++count == 1);
    EXPECT_EQ(count, 1);
}
