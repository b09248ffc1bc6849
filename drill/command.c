/*
 * command.c - commands in backticks
 *
 * The text is cut into commands and words as sh would do it, as far as such scripts need:
 * quotes, backslashes, comments, $((arithmetic)) and redirections.
 */
#include "drill/command.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "drill/code.h"

enum {
    WORDS_MAX = 40,
    LINE_MAX = 4096,
    FILE_MAX = 65536,
    DD_BLOCK = 512,
    PATH_LEN = 512,
    DEPTH_MAX = 3, /* of files that name files */
};

/* One command: its words, and the file that > names. */
struct line {
    char *words[WORDS_MAX];
    size_t count;
    const char *output;
    char text[LINE_MAX]; /* in which the words stand */
    size_t used;
    const char *start; /* in the source */
    const char *end;
};

static bool problem(struct drill_command_env *env, const char *format, const char *word)
{
    (void)snprintf(env->problem, sizeof env->problem, format, word);
    return false;
}

/* ---- words ---- */

static void put(struct line *l, char c)
{
    if (l->used + 2 < LINE_MAX)
        l->text[l->used++] = c;
}

/* $((2 * 3)) as its value; anything else stays as it is. */
static const char *put_dollar(struct line *l, const char *at)
{
    const char *end = strncmp(at, "$((", 3) == 0 ? strstr(at, "))") : NULL;
    char digits[24];
    int64_t number;

    if (end == NULL || !drill_code_number(at + 3, (size_t)(end - at - 3), &number)) {
        put(l, *at);
        return at + 1;
    }
    (void)snprintf(digits, sizeof digits, "%lld", (long long)number);
    for (const char *d = digits; *d != '\0'; d++)
        put(l, *d);
    return end + 2;
}

static const char *put_quoted(struct line *l, const char *at)
{
    char quote = *at++;

    while (*at != '\0' && *at != quote) {
        if (*at == '$' && quote == '"')
            at = put_dollar(l, at);
        else
            put(l, *at++);
    }
    return *at == quote ? at + 1 : at;
}

static bool ends_word(const char *at)
{
    return *at == '\0' || isspace((unsigned char)*at) || *at == ';' || *at == '&' || *at == '|'
           || *at == '>';
}

static const char *take_word(struct line *l, const char *at)
{
    char *word = l->text + l->used;

    while (!ends_word(at)) {
        if (*at == '\\' && at[1] == '\n')
            break;
        if (*at == '"' || *at == '\'')
            at = put_quoted(l, at);
        else if (*at == '$')
            at = put_dollar(l, at);
        else if (*at == '\\' && at[1] != '\0')
            put(l, *++at), at++;
        else
            put(l, *at++);
    }
    l->text[l->used++] = '\0';
    if (l->count < WORDS_MAX)
        l->words[l->count++] = word;
    return at;
}

/* > file, 2>&1; a number just before it is no word of the command. */
static const char *take_redirection(struct line *l, const char *at)
{
    bool is_error = false;
    size_t before;

    if (l->count > 0 && at > l->start && strcmp(l->words[l->count - 1], "2") == 0
        && at[-1] == '2') {
        is_error = true;
        l->count--;
    }
    while (*at == '>' || *at == '&' || *at == ' ')
        at++;
    before = l->count;
    at = take_word(l, at);
    if (l->count > before) {
        l->count--;
        if (!is_error)
            l->output = l->words[l->count];
    }
    return at;
}

static const char *skip_blanks(const char *at)
{
    for (;;) {
        if (*at == '\\' && at[1] == '\n')
            at += 2;
        else if (*at == '#')
            at += strcspn(at, "\n");
        else if (*at == ' ' || *at == '\t' || *at == '\r')
            at++;
        else
            return at;
    }
}

/* Takes the next command; an empty one has no words. Returns where it ends. */
static const char *take_line(struct line *l, const char *at)
{
    l->count = 0;
    l->used = 0;
    l->output = NULL;
    l->start = at;
    for (;;) {
        at = skip_blanks(at);
        l->end = at;
        if (*at == '>') {
            at = take_redirection(l, at);
        } else if (ends_word(at)) {
            while (*at != '\0' && (isspace((unsigned char)*at) || strchr(";&|", *at) != NULL))
                at++;
            return at;
        } else if (l->used + 64 > LINE_MAX) {
            l->end = at + strlen(at);
            return l->end;
        } else {
            at = take_word(l, at);
        }
    }
}

/* ---- commands ---- */

static bool set_sysctl(struct drill_command_env *env, const char *name, const char *value)
{
    const char *wrong = env->target->sysctl(env->target->ctx, name, value);

    return wrong == NULL || problem(env, "%s", wrong);
}

/* name=value, as many as there are; options are not of interest. */
static bool run_sysctl(struct drill_command_env *env, struct line *l)
{
    for (size_t i = 1; i < l->count; i++) {
        char *equals = strchr(l->words[i], '=');

        if (l->words[i][0] == '-')
            continue;
        if (equals == NULL)
            return problem(env, "sysctl: name=value is expected, not '%s'", l->words[i]);
        *equals = '\0';
        if (!set_sysctl(env, l->words[i], equals + 1))
            return false;
    }
    return true;
}

/* echo 1 > /proc/sys/net/ipv4/tcp_sack */
static bool run_echo(struct drill_command_env *env, const struct line *l)
{
    char value[LINE_MAX] = "";
    size_t len = 0;

    if (l->output == NULL || strncmp(l->output, "/proc/sys/", 10) != 0)
        return true;
    for (size_t i = 1; i < l->count; i++)
        len += (size_t)snprintf(value + len, sizeof value - len, "%s%s", i > 1 ? " " : "",
                                l->words[i]);
    return set_sysctl(env, l->output, value);
}

static bool run_sleep(const struct drill_command_env *env, const struct line *l)
{
    const struct drill_target *t = env->target;
    double seconds = l->count > 1 ? strtod(l->words[1], NULL) : 0;

    if (seconds > 0 && seconds < 86400)
        t->sleep_until(t->ctx, t->now(t->ctx) + (weir_ns_t)(seconds * 1e9));
    return true;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static bool run_text(struct drill_command_env *env, const char *text, unsigned depth);

/* The commands of a file. */
static bool run_file(struct drill_command_env *env, const char *path, unsigned depth)
{
    char full[PATH_LEN];
    char *text;
    FILE *file;
    bool ok;

    if (path[0] == '/')
        (void)snprintf(full, sizeof full, "%s", path);
    else
        (void)snprintf(full, sizeof full, "%s/%s", env->folder, path);
    file = fopen(full, "re");
    if (file == NULL)
        return problem(env, "%s cannot be read", path);
    text = calloc(1, FILE_MAX);
    ok = text != NULL && fread(text, 1, FILE_MAX - 1, file) > 0;
    (void)fclose(file);
    ok = ok ? run_text(env, text, depth) : problem(env, "%s is empty", path);
    free(text);
    return ok;
}

/* In the script's folder, as the original does. */
static bool run_shell(struct drill_command_env *env, const struct line *l)
{
    char command[LINE_MAX + PATH_LEN];
    int status;

    (void)snprintf(command, sizeof command, "cd '%s' && %.*s", env->folder,
                   (int)(l->end - l->start), l->start);
    (void)fflush(NULL);
    status = system(command); /* NOLINT(cert-env33-c): --shell asks for it */
    if (status == -1 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return problem(env, "the command '%s' failed", l->words[0]);
    return true;
}

/* Commands that concern the kernel's own devices, caches and counters. */
static bool has_nothing_to_do(const struct line *l)
{
    static const char *const names[] = {"tc", "ethtool", "nstat",  "grep",  "true",
                                        ":",  "set",     "export", "ulimit"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(l->words[0], names[i]) == 0)
            return true;
    }
    return strstr(l->words[0], "sysctl_restore") != NULL;
}

/* ip tcp_metrics flush all */
static bool is_flush(const struct line *l)
{
    return strcmp(l->words[0], "ip") == 0 && l->count > 2 && strcmp(l->words[1], "tcp_metrics") == 0
           && strcmp(l->words[2], "flush") == 0;
}

/* ---- files: the target's own, nothing on the machine is touched ---- */

static bool is_command(const char *word, const char *name)
{
    const char *slash = strrchr(word, '/');

    return strcmp(slash != NULL ? slash + 1 : word, name) == 0;
}

/* rm -f FILE... */
static bool run_rm(struct drill_command_env *env, const struct line *l)
{
    for (size_t i = 1; i < l->count; i++)
        if (l->words[i][0] != '-')
            (void)env->target->make_file(env->target->ctx, l->words[i], NULL, 0);
    return true;
}

/* What a word says behind name=; NULL: another name. */
static const char *operand(const char *word, const char *name)
{
    size_t len = strlen(name);

    return strncmp(word, name, len) == 0 && word[len] == '=' ? word + len + 1 : NULL;
}

/* dd if=/dev/zero of=FILE bs=N count=N */
static bool run_dd(struct drill_command_env *env, const struct line *l)
{
    static const char zeros[FILE_MAX];
    const char *from = "", *to = "";
    unsigned long bs = DD_BLOCK, count = 0;

    for (size_t i = 1; i < l->count; i++) {
        const char *word = l->words[i], *value;

        if ((value = operand(word, "if")) != NULL)
            from = value;
        else if ((value = operand(word, "of")) != NULL)
            to = value;
        else if ((value = operand(word, "bs")) != NULL)
            bs = strtoul(value, NULL, 10);
        else if ((value = operand(word, "count")) != NULL)
            count = strtoul(value, NULL, 10);
    }
    if (strcmp(from, "/dev/zero") != 0 || *to == '\0' || bs == 0 || count > sizeof zeros / bs)
        return problem(env, "'%s' without --shell makes files of a few zeros alone", l->words[0]);
    return env->target->make_file(env->target->ctx, to, zeros, bs * count)
           || problem(env, "there is no memory for %s", to);
}

static bool makes_files(const struct drill_command_env *env, const struct line *l)
{
    return !env->shell && env->target->make_file != NULL
           && (is_command(l->words[0], "rm") || is_command(l->words[0], "dd"));
}

static bool run_line(struct drill_command_env *env, struct line *l, unsigned depth)
{
    const char *name = l->words[0];

    if (strcmp(name, "sysctl") == 0 || ends_with(name, "/set_sysctls.py"))
        return run_sysctl(env, l);
    if (strcmp(name, "echo") == 0)
        return run_echo(env, l);
    if (strcmp(name, "sleep") == 0)
        return run_sleep(env, l);
    if (is_flush(l) && env->target->forget_hosts != NULL) {
        env->target->forget_hosts(env->target->ctx);
        return true;
    }
    if ((is_flush(l) || has_nothing_to_do(l)) && !(env->shell && env->target->is_real_time))
        return true;
    if (makes_files(env, l))
        return is_command(name, "rm") ? run_rm(env, l) : run_dd(env, l);
    if (env->shell)
        return ends_with(name, "/defaults.sh") ? run_file(env, name, depth + 1) : run_shell(env, l);
    if (ends_with(name, "/defaults.sh"))
        return run_file(env, name, depth + 1);
    return problem(env, "the command '%s' is refused without --shell", name);
}

/* The recursion, through files, ends at DEPTH_MAX. */
static bool run_text(struct drill_command_env *env, const char *text, unsigned depth)
{
    struct line l;

    if (depth > DEPTH_MAX)
        return problem(env, "%s", "files of commands name one another");
    while (*text != '\0') {
        text = take_line(&l, text);
        if (l.count > 0 && !run_line(env, &l, depth))
            return false;
    }
    return true;
}

bool drill_command_run(struct drill_command_env *env, const char *text)
{
    return run_text(env, text, 0);
}
