/*
 * say.h - what the program says about itself: one sentence a line, on stderr
 */
#ifndef CLI_SAY_H
#define CLI_SAY_H

#include <stdbool.h>

/* Exit codes of every command. */
enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1, /* something went wrong at run time */
    EXIT_USAGE = 2,  /* the command line has a mistake */
};

/* "weir: " and the sentence. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, and returns EXIT_USAGE: return say_usage(...). */
int say_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, and returns EXIT_FAILED. */
int say_failed(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes out what stdout holds, to be seen at once. False: that has failed, now or before. */
bool say_flush(void);

/*
 * Writes out what stdout still holds. Returns code, or EXIT_FAILED and says why when
 * something could not be written.
 */
int say_end(int code);

#endif
