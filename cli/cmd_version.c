/*
 * cmd_version.c - weir version
 */
#include <stdio.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/say.h"

extern const struct command cmd_version;

static int run(int argc, char **argv)
{
    static const struct option_table tables[] = {{NULL, NULL}};
    int first = options_read(&cmd_version, tables, argc, argv);

    if (first < 0)
        return options_exit(first);
    printf("weir %s\n", WEIR_VERSION);
    return EXIT_OK;
}

const struct command cmd_version = {
    .name = "version",
    .operands = "",
    .summary = "print the version",
    .text = "Prints the name and version of the program.",
    .run = run,
};
