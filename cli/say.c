/*
 * say.c - what the program says about itself
 */
#include "cli/say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The line is written in one go, so that it stays whole beside the lines of a trace. */
static void say_list(const char *format, va_list list)
{
    char line[1024];

    (void)vsnprintf(line, sizeof line, format, list);
    (void)fprintf(stderr, "weir: %s\n", line);
}

void say(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    say_list(format, list);
    va_end(list);
}

int say_usage(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    say_list(format, list);
    va_end(list);
    return EXIT_USAGE;
}

int say_failed(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    say_list(format, list);
    va_end(list);
    return EXIT_FAILED;
}

int say_end(int code)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    return say_failed("cannot write to standard output: %s",
                      errno != 0 ? strerror(errno) : "an earlier write failed");
}
