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

/* What the first write to stdout that failed has failed of. */
static int output_error;

bool say_flush(void)
{
    errno = 0;
    if (output_error == 0 && (fflush(stdout) != 0 || ferror(stdout)))
        output_error = errno != 0 ? errno : EIO;
    return output_error == 0;
}

int say_end(int code)
{
    if (say_flush())
        return code;
    return say_failed("cannot write to standard output: %s", strerror(output_error));
}
