/*
 * options.c - the command line of a command
 */
#include "cli/options.h"

#include <ctype.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/say.h"
#include "cli/suggest.h"

enum {
    OPTIONS_MAX = 64,
    FIRST_LONG = 256, /* getopt's answers for options are numbers from here on */
};

/* All tables of a command as getopt_long wants them. */
struct line {
    const struct command *command;
    struct option longs[OPTIONS_MAX + 1];
    char shorts[2 * OPTIONS_MAX + 4];
    const struct option_spec *specs[OPTIONS_MAX]; /* NULL: help */
    void *targets[OPTIONS_MAX];
    size_t count;
};

static void add(struct line *line, const struct option_spec *spec, void *target)
{
    static const struct option_spec help = {"help", 'h', NULL, NULL, NULL};
    const struct option_spec *shown = spec != NULL ? spec : &help;
    size_t len = strlen(line->shorts);
    struct option *option = &line->longs[line->count];

    if (line->count == OPTIONS_MAX)
        return;
    option->name = shown->name;
    option->has_arg = shown->value != NULL ? required_argument : no_argument;
    option->val = FIRST_LONG + (int)line->count;
    if (shown->letter != 0) {
        line->shorts[len++] = shown->letter;
        if (shown->value != NULL)
            line->shorts[len++] = ':';
        line->shorts[len] = 0;
    }
    line->specs[line->count] = spec;
    line->targets[line->count++] = target;
}

/* The leading colon makes getopt tell a missing value from an unknown option. */
static void line_init(struct line *line, const struct command *command,
                      const struct option_table *tables)
{
    memset(line, 0, sizeof *line);
    line->command = command;
    line->shorts[0] = ':';
    for (; tables->specs != NULL; tables++)
        for (const struct option_spec *spec = tables->specs; spec->name != NULL; spec++)
            add(line, spec, tables->target);
    add(line, NULL, NULL);
}

/* What getopt_long answered: the index of an option, or -1. */
static int index_of(const struct line *line, int answer)
{
    if (answer >= FIRST_LONG)
        return answer - FIRST_LONG;
    for (size_t i = 0; i < line->count; i++)
        if ((line->specs[i] != NULL ? line->specs[i]->letter : 'h') == answer)
            return (int)i;
    return -1;
}

static int unknown_short(const struct line *line)
{
    return say_usage("%s has no option -%c; 'weir help %s' lists them", line->command->name, optopt,
                     line->command->name);
}

/* A long option that is not there, stands for several, or has a value that it does not take. */
static int unknown_long(const struct line *line, const char *word)
{
    char name[64];
    const char *nearest = NULL, *command = line->command->name;
    size_t least = SUGGEST_FAR, starts = 0;

    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    for (size_t i = 0; i < line->count; i++) {
        const char *other = line->longs[i].name;
        size_t distance = suggest_distance(name, other);
        if (strcmp(name, other) == 0)
            return say_usage("%s: --%s takes no value", command, name);
        if (strncmp(name, other, strlen(name)) == 0)
            starts++;
        if (distance < least) {
            least = distance;
            nearest = other;
        }
    }
    if (starts > 1)
        return say_usage("%s: --%s may stand for several options", command, name);
    if (nearest != NULL)
        return say_usage("%s has no option --%s; did you mean --%s?", command, name, nearest);
    return say_usage("%s has no option --%s; 'weir help %s' lists them", command, name, command);
}

static int take_option(struct line *line, int answer, char **argv)
{
    const char *word = argv[optind - 1], *wanted, *command = line->command->name;
    int i = index_of(line, answer);

    if (answer == ':')
        return say_usage("%s: %s wants a value", command, word);
    if (answer == '?')
        (void)(optopt != 0 && optopt < FIRST_LONG && strncmp(word, "--", 2) != 0
                   ? unknown_short(line)
                   : unknown_long(line, word + strspn(word, "-")));
    if (i < 0)
        return EXIT_USAGE;
    wanted = line->specs[i]->take(line->targets[i], optarg);
    if (wanted == NULL)
        return EXIT_OK;
    if (line->specs[i]->value == NULL)
        return say_usage("%s: --%s %s", command, line->specs[i]->name, wanted);
    return say_usage("%s: --%s wants %s, not '%s'", command, line->specs[i]->name, wanted, optarg);
}

/* The words of "HOST [PORT]": how many are needed, how many there may be; "FILE..." is any number. */
static void count_operands(const char *operands, int *min, int *max)
{
    bool in_word = false;

    *min = *max = 0;
    for (; *operands != 0; operands++) {
        if (*operands != ' ' && !in_word) {
            (*max)++;
            *min += *operands != '[';
        }
        in_word = *operands != ' ';
        if (strcmp(operands, "...") == 0)
            *max = INT_MAX - 1;
    }
}

static int check_operands(const struct command *command, int first, int argc, char **argv)
{
    int min, max;

    count_operands(command->operands, &min, &max);
    if (argc - first < min)
        return say_usage("%s wants %s; 'weir help %s' says more", command->name, command->operands,
                         command->name);
    if (argc - first > max)
        return say_usage("%s: '%s' is one operand too many", command->name, argv[first + max]);
    return EXIT_OK;
}

int options_read(const struct command *command, const struct option_table *tables, int argc,
                 char **argv)
{
    struct line line;
    int answer;

    line_init(&line, command, tables);
    opterr = 0;
    optind = 0;
    while ((answer = getopt_long(argc, argv, line.shorts, line.longs, NULL)) != -1) {
        int i = index_of(&line, answer);
        if (i >= 0 && line.specs[i] == NULL) {
            command_print_help(command);
            return OPTIONS_HELP;
        }
        if (take_option(&line, answer, argv) != EXIT_OK)
            return OPTIONS_MISTAKE;
    }
    if (check_operands(command, optind, argc, argv) != EXIT_OK)
        return OPTIONS_MISTAKE;
    return optind;
}

int options_exit(int answer)
{
    return answer == OPTIONS_HELP ? EXIT_OK : EXIT_USAGE;
}

void options_print(const struct option_spec *specs)
{
    printf("\n");
    for (const struct option_spec *spec = specs; spec->name != NULL; spec++) {
        char words[64];
        char letter[5] = "    ";
        if (spec->letter != 0)
            (void)snprintf(letter, sizeof letter, "-%c, ", spec->letter);
        (void)snprintf(words, sizeof words, "%s--%s%s%s", letter, spec->name,
                       spec->value != NULL ? " " : "", spec->value != NULL ? spec->value : "");
        printf("  %-25s %s\n", words, spec->text);
    }
}

int options_number(const char *text, unsigned long long first, unsigned long long last,
                   unsigned long long *number)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 19 || text[digits] != 0)
        return -1;
    *number = strtoull(text, NULL, 10);
    return *number < first || *number > last ? -1 : 0;
}

int options_seconds(const char *text, long long *ns)
{
    const double year = 366.0 * 24 * 3600;
    char *end;
    double seconds;

    if (!isdigit((unsigned char)text[0]) && text[0] != '.')
        return -1;
    seconds = strtod(text, &end);
    if (*end != 0 || !(seconds >= 0) || seconds > year)
        return -1;
    *ns = (long long)(seconds * 1e9);
    return 0;
}
