/*
 * check_fails.h - failed checks of the library, in tests
 *
 * In a test program a CHECK that fails does not trap but fails the running test, unless
 * the test is about just that.
 */
#ifndef TESTS_LIB_CHECK_FAILS_H
#define TESTS_LIB_CHECK_FAILS_H

#include <stdbool.h>

/* True if body(ctx) stops at a CHECK that fails. It is left there, so it should own nothing. */
bool check_fails(void (*body)(void *ctx), void *ctx);

#endif
