/*
 * command.c - the commands there are, and their help
 */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "cli/options.h"
#include "cli/say.h"
#include "cli/suggest.h"

extern const struct command cmd_demo, cmd_serve, cmd_connect, cmd_listen, cmd_ping, cmd_drill,
    cmd_sim, cmd_link, cmd_replay, cmd_bench, cmd_version, cmd_help;

static const struct command *const commands[] = {
    &cmd_demo, &cmd_serve, &cmd_connect, &cmd_listen, &cmd_ping,    &cmd_drill,
    &cmd_sim,  &cmd_link,  &cmd_replay,  &cmd_bench,  &cmd_version, &cmd_help,
};

const struct command *command_at(size_t index)
{
    return index < sizeof commands / sizeof commands[0] ? commands[index] : NULL;
}

const struct command *command_find(const char *name)
{
    const struct command *command;

    for (size_t i = 0; (command = command_at(i)) != NULL; i++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

int command_unknown(const char *name)
{
    const struct command *command, *nearest = NULL;
    size_t least = SUGGEST_FAR;

    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        size_t distance = suggest_distance(name, command->name);
        if (distance < least) {
            least = distance;
            nearest = command;
        }
    }
    if (nearest != NULL)
        return say_usage("there is no command '%s'; did you mean '%s'?", name, nearest->name);
    return say_usage("there is no command '%s'; 'weir help' lists those there are", name);
}

void command_print_help(const struct command *command)
{
    printf("usage: weir %s%s%s%s\n\n%s\n", command->name,
           command->options != NULL ? " [OPTION...]" : "", command->operands[0] != 0 ? " " : "",
           command->operands, command->text);
    for (size_t i = 0; command->options != NULL && command->options[i] != NULL; i++)
        options_print(command->options[i]);
    printf(
        "\nExit code: 0 if all went well, 1 if something failed, 2 if the command line is wrong.\n"
        "More in weir-%s(1).\n",
        command->name);
}

void command_print_overview(void)
{
    const struct command *command;

    printf("usage: weir COMMAND [OPTION...] [OPERAND...]\n"
           "\n"
           "Weir is a TCP/IP stack in a program: it speaks TCP over a TUN or TAP device,\n"
           "beside the kernel's own.\n"
           "\n");
    for (size_t i = 0; (command = command_at(i)) != NULL; i++)
        printf("  %-8s %-10s %s\n", command->name, command->operands, command->summary);
    printf(
        "\n"
        "'weir help COMMAND' says more about one. Commands that use the network need root, or a\n"
        "device made for them: see weir(1).\n");
}
