/*
 * cmd_demo.c - weir demo [SCENE]: watch a TCP connection, segment by segment
 *
 * A scene with the kernel is played in a process of its own, which goes into a network
 * namespace and never comes out. Where that is forbidden, this process plays the scene in
 * memory.
 */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/demo_json.h"
#include "cli/demo_scenes.h"
#include "cli/demo_world.h"
#include "cli/options.h"
#include "cli/say.h"
#include "cli/terminal.h"
#include "trace/ladder_pcapng.h"
#include "trace/ladder_text.h"
#include <weir/host.h>

extern const struct command cmd_demo;

enum {
    EXIT_FORBIDDEN = 3, /* of the process of a scene: the kernel cannot take part */
    PATH_BYTES = 4096,
};

static const char default_pcap[] = "demo.pcapng";

struct demo {
    const char *pcap; /* NULL: the default, which need not be writable */
    unsigned width;   /* 0: the terminal's */
    bool in_memory;
    bool json;
    bool list;
    bool ascii;
    bool is_one_of_many;
    bool numbers_are_explained;
};

/* ---- options ---- */

static const char *take_pcap(void *target, const char *value)
{
    ((struct demo *)target)->pcap = value;
    return value[0] != '\0' ? NULL : "the name of a file";
}

static const char *take_width(void *target, const char *value)
{
    unsigned long long number;

    if (options_number(value, LADDER_WIDTH_MIN, LADDER_WIDTH_MAX, &number) != 0)
        return "a number of columns from 72 to 132";
    ((struct demo *)target)->width = (unsigned)number;
    return NULL;
}

static const char *take_in_memory(void *target, const char *value)
{
    (void)value;
    ((struct demo *)target)->in_memory = true;
    return NULL;
}

static const char *take_json(void *target, const char *value)
{
    (void)value;
    ((struct demo *)target)->json = true;
    return NULL;
}

static const char *take_list(void *target, const char *value)
{
    (void)value;
    ((struct demo *)target)->list = true;
    return NULL;
}

static const char *take_ascii(void *target, const char *value)
{
    (void)value;
    ((struct demo *)target)->ascii = true;
    return NULL;
}

static const struct option_spec specs[] = {
    {"list", 'l', NULL, "list the scenes", take_list},
    {"in-memory", 'm', NULL, "play between two Weir stacks, in virtual time", take_in_memory},
    {"pcap", 0, "FILE", "write the packets there (default: demo.pcapng)", take_pcap},
    {"json", 0, NULL, "print a JSON object for each row", take_json},
    {"width", 0, "COLUMNS", "72 to 132 (default: as wide as the terminal, else 80)", take_width},
    {"ascii", 0, NULL, "draw with ASCII alone", take_ascii},
    {0},
};

/* ---- how it is shown ---- */

static void print_paragraph(const char *words, const struct ladder_style *style)
{
    putchar('\n');
    ladder_text_wrap(words, style->width, 0, stdout);
}

static void print_text(struct demo *d, const struct scene *scene, const struct world *w,
                       const struct ladder *l)
{
    struct ladder_style style = terminal_ladder_style(d->width, d->ascii);

    printf("%s: %s\n%s\n\n", scene->name, scene->summary,
           world_is_in_memory(w) ? "(two Weir stacks in memory, in virtual time)"
                                 : "(the kernel of this machine and Weir, through a TUN device)");
    ladder_text_emit(l, &style, stdout);
    if (!d->numbers_are_explained)
        print_paragraph("Why seq 0? It is not what is on the wire. Each side begins with a number "
                        "of its own that nobody can guess (raw); Wireshark, and this ladder, "
                        "subtract it, so that both begin at 0.",
                        &style);
    d->numbers_are_explained = true;
    print_paragraph(scene->look, &style);
    if (world_said(w)[0] != '\0')
        printf("\n%s", world_said(w));
}

/* ---- the capture ---- */

/* demo.pcapng becomes demo-SCENE.pcapng when several scenes are played. */
static void name_capture(const struct demo *d, const struct scene *scene, char path[PATH_BYTES])
{
    const char *base = d->pcap != NULL ? d->pcap : default_pcap;
    const char *slash = strrchr(base, '/'), *dot = strrchr(base, '.');
    size_t stem =
        dot != NULL && (slash == NULL || dot > slash) ? (size_t)(dot - base) : strlen(base);

    if (d->is_one_of_many)
        (void)snprintf(path, PATH_BYTES, "%.*s-%s%s", (int)stem, base, scene->name, base + stem);
    else
        (void)snprintf(path, PATH_BYTES, "%s", base);
}

/* What of 1970 the world's clock calls 0. */
static weir_ns_t epoch_of(const struct world *w)
{
    struct timespec now;

    if (world_is_in_memory(w))
        return 0;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (weir_ns_t)now.tv_sec * WEIR_S + now.tv_nsec - weir_host_now();
}

/* Without --pcap a folder that cannot be written to is no failure. */
static int write_capture(const struct demo *d, const struct scene *scene, const struct world *w,
                         const struct ladder *l)
{
    char path[PATH_BYTES];
    FILE *out;
    bool ok;

    name_capture(d, scene, path);
    out = fopen(path, "wbe");
    ok = out != NULL && ladder_pcapng_emit(l, epoch_of(w), out);
    if (out != NULL)
        ok = fclose(out) == 0 && ok;
    if (!ok) {
        say("cannot write %s: %s", path, strerror(errno));
        return d->pcap != NULL ? EXIT_FAILED : EXIT_OK;
    }
    if (!d->json)
        printf("\nThe packets are in %s, for Wireshark; their comments have the states.\n", path);
    return EXIT_OK;
}

/* ---- playing ---- */

static int show(struct demo *d, const struct scene *scene, const struct world *w)
{
    struct ladder l;
    int result =
        ladder_init(&l, world_recording(w), world_name(w, TRACE_LEFT), world_name(w, TRACE_RIGHT));
    int code = EXIT_OK;

    if (result == WEIR_ENOMEM) {
        code = say_failed("there is no memory for the ladder");
    } else if (result == 0) {
        if (d->json)
            demo_json_emit(&l, scene->name, stdout);
        else
            print_text(d, scene, w, &l);
        code = write_capture(d, scene, w, &l);
    }
    ladder_fini(&l);
    if (world_failure(w) != NULL)
        code = say_failed("%s: %s", scene->name, world_failure(w));
    return code;
}

static int play(struct demo *d, const struct scene *scene, struct world *w)
{
    int code;

    scene->play(w);
    code = show(d, scene, w);
    world_close(&w);
    return code;
}

static int play_in_memory(struct demo *d, const struct scene *scene)
{
    struct world *w = world_open_in_memory();

    return w != NULL ? play(d, scene, w) : say_failed("there is no memory for two stacks");
}

/* In the process of its own. */
static int play_with_kernel(struct demo *d, const struct scene *scene)
{
    char why[NETNS_WHY_MAX];
    struct world *w = world_open_with_kernel(why);

    if (w != NULL)
        return play(d, scene, w);
    say("the kernel cannot take part, so both ends are Weir stacks in memory: %s", why);
    return EXIT_FORBIDDEN;
}

static int play_in_child(struct demo *d, const struct scene *scene)
{
    pid_t pid;
    int status;

    (void)fflush(stdout);
    pid = fork();
    if (pid < 0)
        return say_failed("cannot start a process: %s", strerror(errno));
    if (pid == 0)
        _exit(say_end(play_with_kernel(d, scene)));
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return say_failed("the scene's process is lost: %s", strerror(errno));
    d->numbers_are_explained = true;
    return WIFEXITED(status) ? WEXITSTATUS(status)
                             : say_failed("%s ends with signal %d", scene->name, WTERMSIG(status));
}

static int play_scene(struct demo *d, const struct scene *scene)
{
    int code = EXIT_FORBIDDEN;

    if (scene->has_kernel && !d->in_memory)
        code = play_in_child(d, scene);
    if (code != EXIT_FORBIDDEN)
        return code;
    if (scene->has_kernel && !d->in_memory) {
        d->in_memory = true; /* also for the scenes to come */
        d->numbers_are_explained = false;
    }
    return play_in_memory(d, scene);
}

static int play_all(struct demo *d)
{
    const struct scene *scene;
    int code = EXIT_OK, one;

    d->is_one_of_many = true;
    for (size_t i = 0; (scene = scene_at(i)) != NULL; i++) {
        if (i > 0 && !d->json)
            printf("\n\n");
        one = play_scene(d, scene);
        code = one != EXIT_OK ? one : code;
    }
    return code;
}

static void print_list(void)
{
    const struct scene *scene;

    for (size_t i = 0; (scene = scene_at(i)) != NULL; i++)
        printf("%-20s %s\n", scene->name, scene->summary);
}

static int run(int argc, char **argv)
{
    struct demo d = {0};
    const struct option_table tables[] = {{specs, &d}, {NULL, NULL}};
    int first = options_read(&cmd_demo, tables, argc, argv);
    const struct scene *scene;

    if (first < 0)
        return options_exit(first);
    (void)setlocale(LC_CTYPE, "");
    if (d.list) {
        print_list();
        return EXIT_OK;
    }
    if (first < argc && strcmp(argv[first], "all") == 0)
        return play_all(&d);
    scene = first < argc ? scene_find(argv[first]) : scene_at(0);
    if (scene == NULL)
        return say_usage("there is no scene '%s'; 'weir demo --list' lists those there are",
                         argv[first]);
    return play_scene(&d, scene);
}

static const struct option_spec *const help_tables[] = {specs, NULL};

const struct command cmd_demo = {
    .name = "demo",
    .operands = "[SCENE]",
    .summary = "watch a TCP connection, segment by segment",
    .text =
        "Plays a scene between the kernel and Weir, in a network namespace of its own, and shows\n"
        "each segment with the states of both ends. Without SCENE, curl fetches a page; 'all'\n"
        "plays every scene. Those that the kernel cannot be made to play, or all where it may\n"
        "not take part, are played between two Weir stacks.",
    .options = help_tables,
    .run = run,
};
