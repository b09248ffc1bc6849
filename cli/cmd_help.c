/*
 * cmd_help.c - weir help [COMMAND]
 */
#include <stdio.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/say.h"

extern const struct command cmd_help;

static int run(int argc, char **argv)
{
    static const struct option_table tables[] = {{NULL, NULL}};
    int first = options_read(&cmd_help, tables, argc, argv);
    const struct command *command;

    if (first < 0)
        return options_exit(first);
    if (first == argc) {
        command_print_overview();
        return EXIT_OK;
    }
    command = command_find(argv[first]);
    if (command == NULL)
        return command_unknown(argv[first]);
    command_print_help(command);
    return EXIT_OK;
}

const struct command cmd_help = {
    .name = "help",
    .operands = "[COMMAND]",
    .summary = "say what the program, or one command, can do",
    .text = "Lists the commands, or describes one with its options.",
    .run = run,
};
