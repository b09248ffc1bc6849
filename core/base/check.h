/*
 * check.h - for what can only be false if we are wrong
 *
 * CHECK is compiled in always. It is never put on anything that a peer or a caller
 * chose: what they get wrong has a reason to drop (why.h) or an error code.
 */
#ifndef CORE_BASE_CHECK_H
#define CORE_BASE_CHECK_H

#include <stdbool.h>
#include <weir/api.h>

/* A small device has no room for what a failure would say (the build's WEIR_QUIET_CHECKS). */
#if defined(WEIR_QUIET_CHECKS)
#define CHECK_FAIL(cond) check_fail()
#else
#define CHECK_FAIL(cond) (weir_check_failed(__FILE__, __LINE__, #cond), __builtin_trap())
#endif

/* A replacement that returns changes nothing: the trap after it stops the program. */
#define CHECK(cond) (__builtin_expect(!!(cond), 1) ? (void)0 : CHECK_FAIL(cond))

/* That, without saying what. */
void check_fail(void) __attribute__((cold, noinline, noreturn));

/*
 * Told that a check failed; the library's own traps. It is weak: an embedder who
 * wants to log or to restart defines a function of this name, which must not return.
 */
WEIR_API void weir_check_failed(const char *file, int line, const char *what) __attribute__((cold));

#endif
