/*
 * cmd_drill.c - weir drill FILE...: run packetdrill scripts
 */
#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/demo_netns.h"
#include "cli/drill_play.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/say.h"

extern const struct command cmd_drill;

enum {
    JOBS_MAX = 64,
    DEFINES_MAX = 32,
    FOLDERS_OPEN = 16,
};

/* One script of many. */
struct task {
    char *path;
    char *output;
    size_t output_len;
    enum drill_verdict verdict;
};

struct drilling {
    struct drill_settings settings;
    const char *defines[DEFINES_MAX];
    unsigned jobs;
    struct task *tasks;
    size_t count, room;
    size_t next; /* the one that nobody has begun */
    pthread_mutex_t mutex;
};

/* ---- options ---- */

static const char *take_family(void *target, const char *value)
{
    struct drilling *d = target;

    d->settings.is_family_given = true;
    if (strcmp(value, "ipv4") == 0)
        d->settings.family = DRILL_IPV4;
    else if (strcmp(value, "ipv6") == 0)
        d->settings.family = DRILL_IPV6;
    else if (strcmp(value, "mapped") == 0)
        d->settings.family = DRILL_MAPPED;
    else
        return "ipv4, ipv6 or mapped";
    return NULL;
}

static const char *take_jobs(void *target, const char *value)
{
    struct drilling *d = target;
    unsigned long long number;

    if (options_number(value, 1, JOBS_MAX, &number) != 0)
        return "a number from 1 to 64";
    d->jobs = (unsigned)number;
    return NULL;
}

static const char *take_tolerance(void *target, const char *value)
{
    struct drilling *d = target;
    long long ns;

    if (options_seconds(value, &ns) != 0)
        return "a number of seconds";
    d->settings.tolerance_ns = ns;
    return NULL;
}

static const char *take_define(void *target, const char *value)
{
    struct drilling *d = target;

    if (strchr(value, '=') == NULL || value[0] == '=' || d->settings.defines.count == DEFINES_MAX)
        return "NAME=VALUE, at most 32 times";
    d->defines[d->settings.defines.count++] = value;
    return NULL;
}

static const char *take_pcap(void *target, const char *value)
{
    struct drilling *d = target;

    d->settings.pcap = value;
    return NULL;
}

static const char *take_trace(void *target, const char *value)
{
    struct drilling *d = target;

    (void)value;
    d->settings.trace = true;
    return NULL;
}

static const char *take_json(void *target, const char *value)
{
    struct drilling *d = target;

    (void)value;
    d->settings.json = true;
    return NULL;
}

static const char *take_shell(void *target, const char *value)
{
    struct drilling *d = target;

    (void)value;
    d->settings.shell = true;
    return NULL;
}

static const char *take_tun(void *target, const char *value)
{
    struct drilling *d = target;

    (void)value;
    d->settings.tun = true;
    return NULL;
}

static const char *take_no_ladder(void *target, const char *value)
{
    struct drilling *d = target;

    (void)value;
    d->settings.no_ladder = true;
    return NULL;
}

static const struct option_spec specs[] = {
    {"ip", 'i', "FAMILY", "ipv4, ipv6, or mapped: IPv6 sockets, IPv4 packets (default: ipv4)",
     take_family},
    {"tolerance", 'T', "SECONDS", "by how much times may be missed (default: 0.004)",
     take_tolerance},
    {"define", 'D', "NAME=VALUE", "what a name in the scripts stands for", take_define},
    {"jobs", 'j', "N", "run so many scripts at the same time (default: 1)", take_jobs},
    {"shell", 0, NULL, "commands in backticks that are not understood are run by sh", take_shell},
    {"trace", 't', NULL, "print every packet", take_trace},
    {"pcap", 'w', "FILE", "write the packets of the script to a capture", take_pcap},
    {"tun", 0, NULL, "against this machine's kernel, behind a TUN device, in real time", take_tun},
    {"no-ladder", 0, NULL, "explain failures in a line or two", take_no_ladder},
    {"json", 0, NULL, "print one JSON object for each script", take_json},
    {0},
};

/* ---- the scripts ---- */

static struct drilling *collecting; /* nftw has no argument for its function */

static int add_task(struct drilling *d, const char *path)
{
    if (d->count == d->room) {
        size_t room = d->room == 0 ? 64 : 2 * d->room;
        struct task *tasks = realloc(d->tasks, room * sizeof *tasks);

        if (tasks == NULL)
            return -1;
        d->tasks = tasks;
        d->room = room;
    }
    d->tasks[d->count] = (struct task){.path = strdup(path)};
    return d->tasks[d->count].path != NULL ? (int)(d->count++, 0) : -1;
}

static int add_found(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    size_t len = strlen(path);

    (void)info;
    (void)where;
    if (kind != FTW_F || len < 4 || strcmp(path + len - 4, ".pkt") != 0)
        return 0;
    return add_task(collecting, path);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct task *)a)->path, ((const struct task *)b)->path);
}

/* A file is taken as it is, a folder for all .pkt files in it. */
static int collect(struct drilling *d, const char *path)
{
    struct stat info;
    size_t before = d->count;

    if (stat(path, &info) != 0)
        return say_failed("%s: %s", path, strerror(errno));
    if (!S_ISDIR(info.st_mode))
        return add_task(d, path) == 0 ? EXIT_OK : say_failed("there is no memory");
    collecting = d;
    if (nftw(path, add_found, FOLDERS_OPEN, FTW_PHYS) != 0)
        return say_failed("%s cannot be read", path);
    if (d->count == before)
        return say_failed("there are no .pkt files in %s", path);
    qsort(d->tasks + before, d->count - before, sizeof *d->tasks, by_path);
    return EXIT_OK;
}

static void run_task(struct drilling *d, struct task *task)
{
    FILE *out = open_memstream(&task->output, &task->output_len);

    task->verdict = DRILL_BROKEN;
    if (out == NULL)
        return;
    task->verdict = drill_play(&d->settings, task->path, out);
    (void)fclose(out);
}

static void *run_tasks(void *ctx)
{
    struct drilling *d = ctx;

    for (;;) {
        struct task *task;

        (void)pthread_mutex_lock(&d->mutex);
        task = d->next < d->count ? &d->tasks[d->next++] : NULL;
        (void)pthread_mutex_unlock(&d->mutex);
        if (task == NULL)
            return NULL;
        run_task(d, task);
    }
}

static void run_all(struct drilling *d)
{
    pthread_t threads[JOBS_MAX];
    unsigned started = 0;

    (void)pthread_mutex_init(&d->mutex, NULL);
    while (started + 1 < d->jobs && pthread_create(&threads[started], NULL, run_tasks, d) == 0)
        started++;
    (void)run_tasks(d);
    while (started > 0)
        (void)pthread_join(threads[--started], NULL);
    (void)pthread_mutex_destroy(&d->mutex);
}

/* ---- the command ---- */

static int report(struct drilling *d)
{
    size_t counts[DRILL_VERDICTS] = {0};
    struct json j;

    for (size_t i = 0; i < d->count; i++) {
        const struct task *task = &d->tasks[i];

        counts[task->verdict]++;
        if (task->output != NULL)
            (void)fwrite(task->output, 1, task->output_len, stdout);
    }
    if (d->settings.json) {
        json_begin(&j, stdout, "summary");
        json_unsigned(&j, "passed", counts[DRILL_PASSED]);
        json_unsigned(&j, "failed", counts[DRILL_FAILED]);
        json_unsigned(&j, "errors", counts[DRILL_BROKEN]);
        json_unsigned(&j, "skipped", counts[DRILL_SKIPPED]);
        json_end(&j);
    } else {
        printf("%zu passed, %zu failed", counts[DRILL_PASSED],
               counts[DRILL_FAILED] + counts[DRILL_BROKEN]);
        if (counts[DRILL_BROKEN] > 0)
            printf(" (%zu of them have a mistake)", counts[DRILL_BROKEN]);
        if (counts[DRILL_SKIPPED] > 0)
            printf(", %zu skipped", counts[DRILL_SKIPPED]);
        printf("\n");
    }
    return counts[DRILL_FAILED] + counts[DRILL_BROKEN] == 0 ? EXIT_OK : EXIT_FAILED;
}

/* What goes with the kernel: one script at a time, in a network of its own. */
static int prepare_tun(const struct drilling *d)
{
    char why[NETNS_WHY_MAX];

    if (d->jobs > 1)
        return say_usage("drill: --jobs does not go with --tun");
    if (d->settings.pcap != NULL)
        return say_usage("drill: --pcap does not go with --tun");
    return netns_enter(why) ? EXIT_OK : say_failed("%s", why);
}

static int drill_all(struct drilling *d, char **paths)
{
    int code = d->settings.tun ? prepare_tun(d) : EXIT_OK;

    while (*paths != NULL && code == EXIT_OK)
        code = collect(d, *paths++);
    if (code == EXIT_OK && d->settings.pcap != NULL && d->count > 1)
        code = say_usage("drill: --pcap goes with one script, not with %zu", d->count);
    if (code == EXIT_OK) {
        run_all(d);
        code = report(d);
    }
    for (size_t i = 0; i < d->count; i++) {
        free(d->tasks[i].path);
        free(d->tasks[i].output);
    }
    free(d->tasks);
    return code;
}

static int run(int argc, char **argv)
{
    struct drilling d = {.jobs = 1, .settings.tolerance_ns = 4 * WEIR_MS};
    const struct option_table tables[] = {{specs, &d}, {NULL, NULL}};
    int first;

    d.settings.defines.of = d.defines;
    first = options_read(&cmd_drill, tables, argc, argv);
    return first < 0 ? options_exit(first) : drill_all(&d, argv + first);
}

const struct command cmd_drill = {
    .name = "drill",
    .operands = "FILE...",
    .summary = "run packetdrill scripts",
    .text =
        "Runs scripts in packetdrill's language against Weir, in virtual time: calls of sockets,\n"
        "packets that arrive, packets that are to be seen, assertions. Of a folder, all its .pkt\n"
        "files. A failure is explained: what was expected, what was seen, and how it came to that.",
    .options = (const struct option_spec *const[]){specs, NULL},
    .run = run,
};
