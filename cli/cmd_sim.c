/*
 * cmd_sim.c - weir sim SCENARIO: the stack in a deterministic world
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/say.h"
#include "cli/sim_output.h"
#include "cli/sim_plot.h"
#include "cli/sim_report.h"

#include "sim/chance.h"
#include "sim/shrink.h"

extern const struct command cmd_sim;

enum {
    FILE_MAX = 1 << 20,
    PATH_MAX_LEN = 400,
};

struct simulating {
    bool is_json, is_random, is_bench, is_quiet, no_checks, prints, no_shrink, stops;
    bool has_seed;
    unsigned long long seed, seeds, from, segments;
    const char *capture, *series, *plot, *keep;
    weir_ns_t interval_ns;
    struct play play;
    struct sim_output output;
    struct sim_plot drawing;
    weir_ns_t end;
    time_t shown_at;
};

/* ---- options ---- */

static const char *take_json(void *target, const char *value)
{
    (void)value;
    ((struct simulating *)target)->is_json = true;
    return NULL;
}

static const char *take_random(void *target, const char *value)
{
    (void)value;
    ((struct simulating *)target)->is_random = true;
    return NULL;
}

static const char *take_bench(void *target, const char *value)
{
    (void)value;
    ((struct simulating *)target)->is_bench = true;
    return NULL;
}

static const char *take_quiet(void *target, const char *value)
{
    (void)value;
    ((struct simulating *)target)->is_quiet = true;
    return NULL;
}

static const char *take_no_checks(void *target, const char *value)
{
    (void)value;
    ((struct simulating *)target)->no_checks = true;
    return NULL;
}

static const char *take_print(void *target, const char *value)
{
    (void)value;
    ((struct simulating *)target)->prints = true;
    return NULL;
}

static const char *take_no_shrink(void *target, const char *value)
{
    (void)value;
    ((struct simulating *)target)->no_shrink = true;
    return NULL;
}

static const char *take_stop(void *target, const char *value)
{
    (void)value;
    ((struct simulating *)target)->stops = true;
    return NULL;
}

static const char *take_seed(void *target, const char *value)
{
    struct simulating *s = target;

    s->has_seed = true;
    return options_number(value, 0, INT64_MAX, &s->seed) == 0 ? NULL : "a whole number";
}

static const char *take_seeds(void *target, const char *value)
{
    struct simulating *s = target;

    return options_number(value, 1, INT64_MAX, &s->seeds) == 0 ? NULL : "a number, at least 1";
}

static const char *take_from(void *target, const char *value)
{
    struct simulating *s = target;

    return options_number(value, 0, INT64_MAX / 2, &s->from) == 0 ? NULL : "a whole number";
}

static const char *take_segments(void *target, const char *value)
{
    struct simulating *s = target;

    return options_number(value, 1, UINT32_MAX, &s->segments) == 0 ? NULL : "a number, at least 1";
}

static const char *take_capture(void *target, const char *value)
{
    ((struct simulating *)target)->capture = value;
    return NULL;
}

static const char *take_series(void *target, const char *value)
{
    ((struct simulating *)target)->series = value;
    return NULL;
}

static const char *take_plot(void *target, const char *value)
{
    ((struct simulating *)target)->plot = value;
    return value[0] != 0 ? NULL : "the name of a file";
}

static const char *take_keep(void *target, const char *value)
{
    ((struct simulating *)target)->keep = value;
    return NULL;
}

static const char *take_interval(void *target, const char *value)
{
    struct simulating *s = target;
    long long ns;

    if (options_seconds(value, &ns) != 0 || ns < WEIR_US)
        return "a number of seconds, at least 0.000001";
    s->interval_ns = ns;
    return NULL;
}

static const struct option_spec specs[] = {
    {"seed", 's', "N", "instead of the scenario's own", take_seed},
    {"pcap", 'w', "FILE", "write what hosts send and receive to a capture", take_capture},
    {"series", 'S', "FILE", "write what flows do over time, as CSV, or JSON if it ends so",
     take_series},
    {"plot", 0, "FILE", "draw the same as SVG, by means of gnuplot", take_plot},
    {"interval", 'i', "SECONDS", "between two lines of the series (default: 0.1)", take_interval},
    {"json", 'j', NULL, "the report as one object a line", take_json},
    {"quiet", 'q', NULL, "no report and no progress", take_quiet},
    {"no-checks", 0, NULL, "do not check invariants: quicker", take_no_checks},
    {"random", 'r', NULL, "no scenario, but many drawn by chance", take_random},
    {"seeds", 'n', "N", "random: so many (default: 1000)", take_seeds},
    {"from", 'f', "SEED", "random: the first one (default: 1)", take_from},
    {"keep", 'k', "FOLDER", "random: where to write what fails (default: the current one)",
     take_keep},
    {"stop", 0, NULL, "random: end after the first that fails", take_stop},
    {"no-shrink", 0, NULL, "random: write what fails as it was drawn", take_no_shrink},
    {"print", 'p', NULL, "random: play nothing, print the first scenario", take_print},
    {"bench", 'b', NULL, "how many segments a second can be simulated", take_bench},
    {"segments", 0, "N", "end after so many", take_segments},
    {0},
};

/* ---- one scenario ---- */

static void on_sample(void *ctx, const struct play_sample *sample)
{
    struct simulating *s = ctx;

    sim_output_sample(&s->output, sample);
    if (s->plot != NULL)
        sim_plot_add(&s->drawing, sample);
}

static void on_frame(void *ctx, weir_sim_node_t node, bool is_out,
                     const struct weir_sim_frame *frame)
{
    struct simulating *s = ctx;

    sim_output_frame(&s->output, node, is_out, weir_sim_now(s->play.sim), frame);
}

static void on_progress(void *ctx, weir_ns_t now)
{
    struct simulating *s = ctx;

    if (time(NULL) == s->shown_at)
        return;
    if (s->shown_at != 0)
        (void)fprintf(stderr, "\r%.1f of %.1f s\033[K", (double)now / 1e9, (double)s->end / 1e9);
    s->shown_at = time(NULL);
}

static struct play_options options_of(struct simulating *s)
{
    bool shows = !s->is_quiet && isatty(STDERR_FILENO);

    return (struct play_options){
        .no_checks = s->no_checks,
        .frames_max = (uint32_t)s->segments,
        .sample_ns = s->interval_ns,
        .sample = s->series != NULL || s->plot != NULL ? on_sample : NULL,
        .frame = s->capture != NULL ? on_frame : NULL,
        .progress = shows ? on_progress : NULL,
        .ctx = s,
    };
}

static int run_scenario(struct simulating *s, const struct scenario *scenario)
{
    struct play_options options = options_of(s);
    struct scenario_error error;
    bool good;

    if ((s->plot != NULL && !sim_plot_is_possible())
        || !sim_output_open(&s->output, s->series, s->capture))
        return EXIT_FAILED;
    sim_output_begin(&s->output, scenario);
    s->end = scenario->run_ns;
    if (!play_init(&s->play, scenario, &options, &error)) {
        (void)sim_output_close(&s->output);
        return say_failed("%s", error.text);
    }
    good = play_run(&s->play);
    if (options.progress != NULL)
        (void)fputs("\r\033[K", stderr);
    if (s->is_json)
        sim_report_print_json(&s->play);
    else if (!s->is_quiet)
        sim_report_print(&s->play);
    play_fini(&s->play);
    if (s->play.broken[0] != 0)
        (void)say_failed("at %.9f s: %s", (double)s->play.broken_at / 1e9, s->play.broken);
    good = sim_output_close(&s->output) && good && s->play.broken[0] == 0;
    if (s->plot != NULL && sim_plot_write(&s->drawing, s->plot) != EXIT_OK)
        good = false;
    sim_plot_fini(&s->drawing);
    return say_end(good ? EXIT_OK : EXIT_FAILED);
}

/* All of a file, ended by a NUL; "-" is standard input. NULL: it has been said why not. */
static char *read_file(const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    char *text = file != NULL ? malloc(FILE_MAX + 1) : NULL;
    size_t len = text != NULL ? fread(text, 1, FILE_MAX, file) : 0;
    bool good = text != NULL && !ferror(file) && len < FILE_MAX;

    if (!good)
        (void)say_failed("%s: %s", path, len == FILE_MAX ? "it is too long" : strerror(errno));
    if (file != NULL && file != stdin)
        (void)fclose(file);
    if (!good) {
        free(text);
        return NULL;
    }
    text[len] = 0;
    return text;
}

static int run_file(struct simulating *s, const char *path)
{
    struct scenario scenario;
    struct scenario_error error;
    char *text = read_file(path);
    int code;

    if (text == NULL)
        return EXIT_FAILED;
    scenario_init(&scenario);
    if (scenario_parse(&scenario, text, &error)) {
        if (s->has_seed)
            scenario.seed = s->seed;
        code = run_scenario(s, &scenario);
    } else {
        (void)fprintf(stderr, "%s:%u:%u: %s\n", path, error.line, error.column, error.text);
        code = EXIT_FAILED;
    }
    scenario_fini(&scenario);
    free(text);
    return code;
}

/* ---- the speed ---- */

static double seconds_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A transfer over a fast link, as fast as it goes, and nothing else. */
static int run_bench(struct simulating *s)
{
    static const char text[] = "run 100min\n"
                               "host a offloads send-buffer 4MiB recv-buffer 4MiB\n"
                               "host b offloads send-buffer 4MiB recv-buffer 4MiB\n"
                               "link a b rate 10gbit delay 100us limit 4000\n"
                               "flow bulk bulk a b lends\n";
    struct play_options options = {.no_checks = true, .frames_max = 3000000};
    struct scenario scenario;
    struct scenario_error error;
    double begin, seconds;

    if (s->segments != 0)
        options.frames_max = (uint32_t)s->segments;
    scenario_init(&scenario);
    if (!scenario_parse(&scenario, text, &error)
        || !play_init(&s->play, &scenario, &options, &error))
        return say_failed("%s", error.text);
    begin = seconds_now();
    (void)play_run(&s->play);
    seconds = seconds_now() - begin;
    if (!s->is_quiet)
        printf("%" PRIu64 " segments in %.2f s: %.0f a second\n", s->play.stats.frames, seconds,
               (double)s->play.stats.frames / seconds);
    play_fini(&s->play);
    scenario_fini(&scenario);
    return say_end(s->play.broken[0] == 0 ? EXIT_OK : EXIT_FAILED);
}

/* ---- by chance ---- */

static void keep_scenario(struct simulating *s, uint64_t seed, struct scenario *failing)
{
    char path[PATH_MAX_LEN];
    FILE *file;
    bool good;

    (void)snprintf(path, sizeof path, "%s/seed-%" PRIu64 ".sim", s->keep != NULL ? s->keep : ".",
                   seed);
    file = fopen(path, "w");
    good = file != NULL && scenario_emit(failing, file);
    if (file != NULL)
        good = fclose(file) == 0 && good;
    if (good)
        printf("%s scenario is %s\n", s->no_shrink ? "its" : "the smallest failing", path);
    else
        (void)say_failed("%s: %s", path, strerror(errno));
}

WEIR_API void weir_check_failed(const char *file, int line, const char *what);

/* In place of the library's own: a check that fails in a random run is what the run was to find. */
void weir_check_failed(const char *file, int line, const char *what)
{
    chance_note_check(file, line, what);
    say("%s:%d: %s does not hold: this is a mistake in Weir", file, line, what);
    abort();
}

/* Returns whether it held. */
static bool run_seed(struct simulating *s, uint64_t seed, uint64_t *segments)
{
    struct scenario scenario;
    struct chance_result result;

    if (!chance_draw(&scenario, seed)) {
        (void)say_failed("there is no memory for seed %" PRIu64, seed);
        return false;
    }
    chance_try(&scenario, &result);
    *segments += result.segments;
    if (result.broken[0] != 0) {
        printf("seed %" PRIu64 ", at %.9f s: %s\n", seed, (double)result.at / 1e9, result.broken);
        (void)fflush(stdout);
        if (s->no_shrink || shrink_scenario(&scenario))
            keep_scenario(s, seed, &scenario);
    }
    scenario_fini(&scenario);
    return result.broken[0] == 0;
}

static int print_scenario(struct simulating *s)
{
    struct scenario scenario;

    if (!chance_draw(&scenario, s->from))
        return say_failed("there is no memory for seed %llu", s->from);
    (void)scenario_emit(&scenario, stdout);
    scenario_fini(&scenario);
    return say_end(EXIT_OK);
}

static int run_random(struct simulating *s)
{
    bool shows = !s->is_quiet && isatty(STDERR_FILENO);
    uint64_t segments = 0, broken = 0, i = 0;

    for (; i < s->seeds && !(s->stops && broken > 0); i++) {
        broken += !run_seed(s, s->from + i, &segments);
        if (shows && time(NULL) != s->shown_at) {
            s->shown_at = time(NULL);
            (void)fprintf(stderr, "\r%" PRIu64 " of %llu runs\033[K", i + 1, s->seeds);
        }
    }
    if (shows)
        (void)fputs("\r\033[K", stderr);
    printf("%" PRIu64 " runs, %" PRIu64 " segments, %" PRIu64 " broken\n", i, segments, broken);
    return say_end(broken == 0 ? EXIT_OK : EXIT_FAILED);
}

static int run_sim(int argc, char **argv)
{
    static struct simulating s = {.seeds = 1000, .from = 1, .interval_ns = 100 * WEIR_MS};
    const struct option_table tables[] = {{specs, &s}, {NULL, NULL}};
    int first = options_read(&cmd_sim, tables, argc, argv);

    if (first < 0)
        return options_exit(first);
    if ((first < argc) + s.is_random + s.is_bench != 1)
        return say_usage("sim wants one of: a scenario, --random, --bench");
    if (s.is_random)
        return s.prints ? print_scenario(&s) : run_random(&s);
    return s.is_bench ? run_bench(&s) : run_file(&s, argv[first]);
}

static const struct option_spec *const tables[] = {specs, NULL};

const struct command cmd_sim = {
    .name = "sim",
    .operands = "[SCENARIO]",
    .summary = "simulate: the stack in a world that is the same each time",
    .text = "Plays a scenario file (- for standard input) in virtual time and reports how its\n"
            "flows and links did. With --random it draws scenarios, checks that everything holds\n"
            "after every event, and makes what fails as small as it can.",
    .options = tables,
    .run = run_sim,
};
