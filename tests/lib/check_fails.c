/*
 * check_fails.c - failed checks of the library, in tests
 *
 * Replaces the library's weak weir_check_failed.
 */
#include "lib/check_fails.h"

#include "lib/test.h"
#include <setjmp.h>
#include <stddef.h>
#include <weir/api.h>

WEIR_API void weir_check_failed(const char *file, int line, const char *what);

static jmp_buf after_check;
static bool expected;

bool check_fails(void (*body)(void *ctx), void *ctx)
{
    expected = true;
    if (setjmp(after_check) != 0)
        return true;
    body(ctx);
    expected = false;
    return false;
}

void weir_check_failed(const char *file, int line, const char *what)
{
    if (!expected)
        test_fail(file, line, "check failed: %s", what);
    expected = false;
    longjmp(after_check, 1);
}
