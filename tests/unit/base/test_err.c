/*
 * test_err.c - every code has a name and a sentence
 */
#include "lib/test.h"
#include <string.h>
#include <weir/err.h>

TEST(err_every_code_has_a_name_and_a_sentence)
{
    for (int err = WEIR_ENOTSUP; err <= WEIR_OK; err++) {
        EXPECT_EQ(strncmp(weir_err_name(err), "WEIR_", 5), 0);
        EXPECT(strlen(weir_err_text(err)) > 5);
        EXPECT(strcmp(weir_err_name(err), "WEIR_E?") != 0);
    }
    EXPECT_STR(weir_err_name(WEIR_EAGAIN), "WEIR_EAGAIN");
    EXPECT_STR(weir_err_name(WEIR_ENOTSUP), "WEIR_ENOTSUP");
    EXPECT_STR(weir_err_text(WEIR_OK), "no error");
}

TEST(err_other_numbers_are_unknown)
{
    static const int others[] = {1, WEIR_ENOTSUP - 1, -1000, 2147483647, -2147483647 - 1};

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        EXPECT_STR(weir_err_name(others[i]), "WEIR_E?");
        EXPECT_STR(weir_err_text(others[i]), "an unknown error");
    }
}
