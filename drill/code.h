/*
 * code.h - what stands between %{ and }%
 *
 * A language of our own, a small part of Python, so that scripts written for the original run
 * and no interpreter is needed. Statements, one a line or separated by semicolons:
 *
 *   assert EXPR             assert EXPR, MESSAGE
 *   name = EXPR             also += -= *=
 *   print(EXPR, ...)        evaluates and says nothing
 *
 * Expressions are of 64-bit integers: or, and, not, comparisons (which may be chained, as in
 * 1 <= x <= 9), | ^ & << >> + - * / // % (division rounds down), unary - + ~, min(), max() and
 * abs(). A message is an expression or 'text' with % and what is to be filled in. Names are those
 * of struct tcp_info, the constants that go with it, and those that were set before.
 */
#ifndef DRILL_CODE_H
#define DRILL_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drill/lex.h"

struct drill_code;
struct drill_error;
struct drill_memory;

/* Reads code that stands at at. False, and *error. The code refers to the text. */
bool drill_code_parse(const char *text, size_t len, struct lex_at at, struct drill_memory *memory,
                      struct drill_code **code, struct drill_error *error);

enum {
    DRILL_VARIABLES_MAX = 32,
    DRILL_NAME_MAX = 48,
};

/* What scripts have set. Starts as zeros. */
struct drill_variables {
    struct {
        char name[DRILL_NAME_MAX];
        int64_t value;
    } of[DRILL_VARIABLES_MAX];
    size_t count;
};

/* The value of a name that was not set; false: there is none. */
typedef bool drill_lookup(void *ctx, const char *name, int64_t *value);

/*
 * Runs it. False, and *error at the statement, if an assertion does not hold, a name is unknown
 * or a number is divided by zero.
 */
bool drill_code_run(const struct drill_code *code, struct drill_variables *variables,
                    drill_lookup *lookup, void *ctx, struct drill_error *error);

/* One expression, as in $((2 * 3)), without names. */
bool drill_code_number(const char *text, size_t len, int64_t *number);

#endif
