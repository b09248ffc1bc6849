/*
 * command.h - what the program can do
 *
 * A command is a file, cli/cmd_NAME.c, which defines one of these; cli/command.c lists them.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stddef.h>

struct option_spec;

struct command {
    const char *name;
    const char *operands; /* "HOST PORT", or "" */
    const char *summary;  /* a few words for the list of commands */
    const char *text;     /* what it does, for its help; may have several lines */
    const struct option_spec *const *options; /* tables for its help, ended by NULL */
    int (*run)(int argc, char **argv);        /* argv[0] is its name; returns the exit code */
};

/* The index-th command; NULL past the last. */
const struct command *command_at(size_t index);

/* The command of that name, or NULL. */
const struct command *command_find(const char *name);

/* Says that there is no such command, and which may have been meant; returns EXIT_USAGE. */
int command_unknown(const char *name);

/* Writes the help of one command, or of the program, to stdout. */
void command_print_help(const struct command *command);
void command_print_overview(void);

#endif
