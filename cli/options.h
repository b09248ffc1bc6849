/*
 * options.h - the command line of a command
 *
 * Options stand in tables, from which the command line is read and the help is written.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stddef.h>

struct command;

struct option_spec {
    const char *name;  /* the long one; NULL ends a table */
    char letter;       /* the short one, or 0 */
    const char *value; /* what its value is called in the help; NULL: it takes none */
    const char *text;  /* for the help, in one line */
    /*
     * Takes the value. Returns NULL, or what would have been right ("a number from 1 to 9");
     * of an option without a value, what is wrong ("goes with --tun alone").
     */
    const char *(*take)(void *target, const char *value);
};

struct option_table {
    const struct option_spec *specs;
    void *target;
};

enum {
    OPTIONS_HELP = -1,    /* help has been printed: the exit code is EXIT_OK */
    OPTIONS_MISTAKE = -2, /* it has been said what is wrong: EXIT_USAGE */
};

/*
 * Reads the options of a command; they may stand before or after operands. tables end with
 * one without specs. Returns the index in argv of the first operand, of which there are as
 * many as command->operands has words (a word in brackets may be missing; three dots at the
 * end stand for any number more), after moving them
 * to the end; or OPTIONS_HELP, OPTIONS_MISTAKE.
 */
int options_read(const struct command *command, const struct option_table *tables, int argc,
                 char **argv);

/* The exit code for a negative answer of options_read. */
int options_exit(int answer);

/* Writes a table for the help. */
void options_print(const struct option_spec *specs);

/* Reads a whole decimal number of at most 19 digits from first to last; 0 or -1. */
int options_number(const char *text, unsigned long long first, unsigned long long last,
                   unsigned long long *number);

/* Reads seconds with a fraction, from 0 to a year, as nanoseconds; 0 or -1. */
int options_seconds(const char *text, long long *ns);

#endif
