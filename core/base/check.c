/*
 * check.c - what happens when a check fails and nobody said otherwise
 */
#include "base/check.h"

__attribute__((weak)) void weir_check_failed(const char *file, int line, const char *what)
{
    (void)file;
    (void)line;
    (void)what;
    __builtin_trap();
}

void check_fail(void)
{
    weir_check_failed("", 0, "");
    __builtin_trap();
}
