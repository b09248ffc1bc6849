#include "base/seq.h"

#include "lib/test.h"

static const seq_t below_wrap = {0xfffffffe};

TEST(seq_add_and_sub_wrap) /* [RFC9293 3.4] */
{
    EXPECT_EQ(seq_add(below_wrap, 5).raw, 3);
    EXPECT_EQ(seq_sub(seq_of(3), 5).raw, below_wrap.raw);
}

TEST(seq_diff_has_a_sign)
{
    EXPECT_EQ(seq_diff(seq_of(3), below_wrap), 5);
    EXPECT_EQ(seq_diff(below_wrap, seq_of(3)), -5);
    EXPECT_EQ(seq_diff(below_wrap, below_wrap), 0);
    EXPECT_EQ(seq_diff(seq_of(0x7fffffff), seq_of(0)), INT32_MAX);
    EXPECT_EQ(seq_diff(seq_of(0x80000000), seq_of(0)), INT32_MIN);
}

TEST(seq_len_counts_across_the_wrap)
{
    EXPECT_EQ(seq_len(below_wrap, seq_of(3)), 5);
    EXPECT_EQ(seq_len(seq_of(3), below_wrap), 0xfffffffb);
    EXPECT_EQ(seq_len(seq_of(3), seq_of(3)), 0);
}

TEST(seq_comparisons_agree_across_the_wrap)
{
    seq_t later = seq_add(below_wrap, 4);

    EXPECT(seq_lt(below_wrap, later) && !seq_lt(later, below_wrap) && !seq_lt(later, later));
    EXPECT(seq_leq(below_wrap, later) && !seq_leq(later, below_wrap) && seq_leq(later, later));
    EXPECT(seq_gt(later, below_wrap) && !seq_gt(below_wrap, later) && !seq_gt(later, later));
    EXPECT(seq_geq(later, below_wrap) && !seq_geq(below_wrap, later) && seq_geq(later, later));
    EXPECT(seq_eq(later, later) && !seq_eq(later, below_wrap));
    EXPECT(seq_eq(seq_max(later, below_wrap), later) && seq_eq(seq_max(below_wrap, later), later));
    EXPECT(seq_eq(seq_min(later, below_wrap), below_wrap));
    EXPECT(seq_eq(seq_min(below_wrap, later), below_wrap));
}

TEST(seq_in_includes_the_first_and_excludes_the_end)
{
    EXPECT(!seq_in(seq_sub(below_wrap, 1), below_wrap, 4));
    EXPECT(seq_in(below_wrap, below_wrap, 4));
    EXPECT(seq_in(seq_of(1), below_wrap, 4));
    EXPECT(!seq_in(seq_of(2), below_wrap, 4));
    EXPECT(!seq_in(below_wrap, below_wrap, 0));
    EXPECT(seq_in(seq_of(0x90000000), seq_of(0), UINT32_MAX));
}
