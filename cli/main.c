/*
 * main.c - the program weir: weir COMMAND [OPTION...] [OPERAND...]
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/say.h"

/* "weir --help" and "weir --version" are what people try first. */
static const char *command_name(const char *word)
{
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return "help";
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
        return "version";
    return word;
}

int main(int argc, char **argv)
{
    const struct command *command;

    /* A reader that goes away is an error of write, which is reported. */
    (void)signal(SIGPIPE, SIG_IGN);
    /* A trace is many lines; each is to arrive whole, and at once. */
    (void)setvbuf(stderr, NULL, _IOLBF, 0);

    if (argc < 2)
        return say_usage("which command? 'weir help' lists them");
    command = command_find(command_name(argv[1]));
    if (command == NULL && argv[1][0] == '-')
        return say_usage("%s is no command; options come after it, as in 'weir serve %s'", argv[1],
                         argv[1]);
    if (command == NULL)
        return command_unknown(argv[1]);
    return say_end(command->run(argc - 1, argv + 1));
}
