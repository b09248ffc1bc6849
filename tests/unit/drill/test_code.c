/*
 * test_code.c - assertions
 */
#include "drill/code.h"

#include <string.h>

#include "drill/memory.h"
#include "drill/script.h"
#include "lib/test.h"

static struct drill_variables variables;
static struct drill_error error;

static bool look_up(void *ctx, const char *name, int64_t *value)
{
    (void)ctx;
    if (strcmp(name, "tcpi_snd_cwnd") != 0)
        return false;
    *value = 10;
    return true;
}

static bool run(const char *text)
{
    struct drill_memory memory = {0};
    struct drill_code *code;
    bool ok = drill_code_parse(text, strlen(text), (struct lex_at){1, 1}, &memory, &code, &error)
              && drill_code_run(code, &variables, look_up, NULL, &error);

    drill_memory_fini(&memory);
    return ok;
}

static void expect_true(const char *expr)
{
    char text[200] = "assert ";

    strncat(text, expr, sizeof text - 8);
    if (!run(text))
        FAIL("%s: %s", expr, error.text);
}

static void expect_error(const char *text, const char *why)
{
    if (run(text))
        FAIL("%s holds", text);
    EXPECT_STR(error.text, why);
}

TEST(code_knows_pythons_operators_and_their_order)
{
    expect_true("1 + 2 * 3 == 7");
    expect_true("(1 + 2) * 3 == 9");
    expect_true("7 // 2 == 3 and -7 // 2 == -4 and 7 / 2 == 3");
    expect_true("-7 % 3 == 2 and 7 % -3 == -2");
    expect_true("(1 << 4 | 1) == 17 and (6 & 3) == 2 and 5 ^ 1 == 4");
    expect_true("not 0 and not not 1");
    expect_true("1 < 2 < 3 and not 1 < 3 < 2");
    expect_true("9 <= tcpi_snd_cwnd <= 11");
    expect_true("0x10 == 16");
    expect_true("min(3, 1, 2) == 1 and max(3, 1) == 3 and abs(-4) == 4");
    expect_true("~0 == -1");
    expect_true("1 or 1 // 0");
    expect_true("10 - 3 - 2 == 5");
}

TEST(code_has_several_statements_and_names)
{
    EXPECT(run("cwnd = 4; cwnd += 6\nassert tcpi_snd_cwnd == cwnd, 'cwnd'; print(cwnd)"));
    EXPECT(run("assert cwnd == 10 # it is remembered"));
    EXPECT(run("\n\n  assert (1 ==\n  1)\n;;assert 1 \\\n  == 1\n"));
    EXPECT(run("cwnd *= 2; cwnd -= 5; assert cwnd == 15"));
}

TEST(code_explains_what_does_not_hold)
{
    expect_error("assert tcpi_snd_cwnd == 11",
                 "assert tcpi_snd_cwnd == 11 does not hold, tcpi_snd_cwnd is 10");
    expect_error("x = 3; assert x > 5, 'x=%d of 0x%x' % (x, 255)",
                 "assert x > 5 does not hold, x is 3 (x=3 of 0xff)");
    expect_error("assert 0, 'never'", "assert 0 does not hold (never)");
    expect_error("\n assert nothing == 1", "there is no name 'nothing' here");
    EXPECT_EQ(error.at.line, 2);
    EXPECT_EQ(error.at.column, 2);
    expect_error("assert 1 // 0", "a number is divided by zero");
    expect_error("assert log(1)", "there is no function 'log' with such arguments: min, max, abs");
    expect_error("assert 'text'", "a text has no value here");
}

TEST(code_mistakes_are_named)
{
    expect_error("assert", "a number, a name or '(' is expected, but the statement ends");
    expect_error("assert (1", "',' or ')' is expected, but the statement ends");
    expect_error("assert 1 1", "the end of the statement is expected, not '1'");
    expect_error("if x: pass", "assert, print or name = is expected, not 'x'");
    expect_error("5 = x", "assert, print or name = is expected, not '5'");
    expect_error("assert 'x", "the closing quote is missing");
    expect_error("assert 5x", "this is not a whole number");
    expect_error("assert ()", "an expression is expected between the parentheses");
    expect_error(
        "assert ((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))))",
        "the expression is nested too deeply");
}

TEST(code_arithmetic_of_commands_has_a_value)
{
    int64_t number;

    EXPECT(drill_code_number("15*1024*1024", 12, &number));
    EXPECT_EQ(number, 15728640);
    EXPECT(!drill_code_number("15*", 3, &number));
    EXPECT(!drill_code_number("x", 1, &number));
}
