/*
 * drill_play.c - one script of weir drill: read, run, explained
 *
 * A script runs without being recorded, for speed. As the same script always has the same
 * outcome, one that failed is run once more to see how it came to that.
 */
#include "cli/drill_play.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json.h"
#include "drill/kernel.h"
#include "drill/run.h"
#include "drill/world.h"
#include "format/pcapng.h"
#include "trace/ladder_text.h"

enum {
    SCRIPT_MAX = 1 << 20,
    FOLDER_MAX = 512,
};

/* In virtual time a day is over at once; and nothing in TCP takes longer. */
#define LIMIT_NS (24 * 3600 * WEIR_S)

struct play {
    const struct drill_settings *settings;
    const char *path;
    char folder[FOLDER_MAX];
    char *text;
    FILE *out;
    struct drill_script script;
    struct drill_run_options options;
    struct drill_net net;
    struct drill_failure failure;
    struct recording *recording; /* NULL: nothing is to be kept */
};

/* ---- reading ---- */

/* The whole file with a NUL; NULL, and errno. */
static char *read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = file != NULL ? calloc(1, SCRIPT_MAX + 1) : NULL;

    if (text != NULL && fread(text, 1, SCRIPT_MAX, file) == SCRIPT_MAX)
        errno = EFBIG;
    else if (text != NULL && ferror(file) == 0)
        errno = 0;
    if (text != NULL && (errno != 0 || ferror(file) != 0)) {
        free(text);
        text = NULL;
    }
    if (file != NULL)
        (void)fclose(file);
    return text;
}

static bool load(struct play *p)
{
    const char *slash = strrchr(p->path, '/');
    char *plain = read_file(p->path);

    if (plain == NULL) {
        (void)snprintf(p->failure.error.text, sizeof p->failure.error.text, "cannot be read: %s",
                       strerror(errno != 0 ? errno : ENOMEM));
        return false;
    }
    p->text = drill_expand(plain, &p->settings->defines);
    free(plain);
    if (p->text == NULL || strlen(p->path) >= sizeof p->folder) {
        (void)snprintf(p->failure.error.text, sizeof p->failure.error.text, "there is no memory");
        return false;
    }
    (void)snprintf(p->folder, sizeof p->folder, "%.*s", slash != NULL ? (int)(slash - p->path) : 1,
                   slash != NULL ? p->path : ".");
    if (slash == p->path)
        (void)snprintf(p->folder, sizeof p->folder, "/");
    return drill_script_parse(p->text, &p->script, &p->failure.error);
}

/* Over which family; false: a mistake, or (*skipped) not over the one that is asked for. */
static bool choose_family(struct play *p, bool *skipped)
{
    unsigned families = drill_options_families(&p->script, &p->failure.error);
    enum drill_family family = p->settings->family;

    *skipped = families != 0 && p->settings->is_family_given && !(families & 1u << family);
    if (families == 0 || *skipped)
        return false;
    while (!(families & 1u << family))
        family = family == DRILL_MAPPED ? DRILL_IPV4 : family + 1;
    drill_net_init(&p->net, family);
    return drill_options_read(&p->script, &p->net, &p->options, &p->failure.error);
}

/* ---- running ---- */

static void print_packet(void *ctx, bool is_in, weir_ns_t at, const char *text)
{
    const struct play *p = ctx;

    (void)fprintf(p->out, "%11.6f %c %s\n", (double)at / 1e9, is_in ? '<' : '>', text);
}

static void record(void *ctx, const struct weir_trace *event)
{
    recording_add_event(ctx, TRACE_RIGHT, event);
}

static bool open_kernel(struct play *p, struct drill_target *target)
{
    char why[DRILL_WHY_MAX];

    if (drill_kernel_open(&p->net, target, why))
        return true;
    (void)snprintf(p->failure.error.text, sizeof p->failure.error.text, "%s", why);
    return false;
}

static bool open_world(struct play *p, struct drill_target *target)
{
    struct drill_world_options options = {.net = p->net, .limit_ns = LIMIT_NS};
    struct drill_world *world;

    if (p->recording != NULL) {
        options.trace = record;
        options.trace_ctx = p->recording;
    }
    world = drill_world_open(&options);
    if (world == NULL) {
        (void)snprintf(p->failure.error.text, sizeof p->failure.error.text,
                       "the network of the script cannot be set up");
        return false;
    }
    *target = drill_world_target(world);
    return true;
}

static bool run(struct play *p)
{
    struct drill_target target;
    bool ok;

    if (!(p->settings->tun ? open_kernel(p, &target) : open_world(p, &target)))
        return false;
    ok = drill_run(&p->script, &target, &p->options, &p->failure);
    target.close(target.ctx);
    return ok;
}

/* ---- what there is to say ---- */

/* The line of the script in which something is wrong. */
static void print_source(const struct play *p)
{
    const char *line = p->text;

    for (unsigned i = 1; line != NULL && i < p->failure.error.at.line; i++) {
        line = strchr(line, '\n');
        if (line != NULL)
            line++;
    }
    if (line != NULL)
        (void)fprintf(p->out, "    %.*s\n", (int)strcspn(line, "\r\n"), line);
}

static void print_failure(const struct play *p)
{
    const struct drill_failure *f = &p->failure;

    (void)fprintf(p->out, "%s:", p->path);
    if (f->error.at.line > 0)
        (void)fprintf(p->out, "%u:%u:", f->error.at.line, f->error.at.column);
    (void)fprintf(p->out, " %s\n", f->error.text);
    if (f->is_packet) {
        (void)fprintf(p->out, "    expected             > %s\n", f->expected);
        if (f->seen[0] != '\0')
            (void)fprintf(p->out, "    seen %15.6f > %s\n", (double)f->seen_at / 1e9, f->seen);
    } else if (f->error.at.line > 0) {
        print_source(p);
    }
}

static void print_ladder(const struct play *p)
{
    const struct ladder_style style = {.width = LADDER_WIDTH, .utf8 = false};
    struct ladder ladder;

    if (ladder_init(&ladder, p->recording, "script", "Weir") == 0) {
        (void)fprintf(p->out, "\n");
        ladder_text_emit(&ladder, &style, p->out);
        (void)fprintf(p->out, "\n");
    }
    ladder_fini(&ladder);
}

static void print_json(const struct play *p, enum drill_verdict verdict)
{
    static const char *const names[] = {"pass", "fail", "error", "skip"};
    const struct drill_failure *f = &p->failure;
    struct json j;

    json_begin(&j, p->out, "script");
    json_text(&j, "file", p->path);
    json_text(&j, "result", names[verdict]);
    if (verdict == DRILL_FAILED || verdict == DRILL_BROKEN) {
        json_number(&j, "line", f->error.at.line);
        json_number(&j, "column", f->error.at.column);
        json_seconds(&j, "at_s", f->at);
        json_text(&j, "message", f->error.text);
    }
    if (verdict == DRILL_FAILED && f->is_packet) {
        json_text(&j, "expected", f->expected);
        json_text(&j, "seen", f->seen);
    }
    json_end(&j);
}

/* All packets that the stack took in and sent. */
static bool write_capture(const struct play *p)
{
    FILE *file = fopen(p->settings->pcap, "we");
    struct pcapng_writer w;
    bool ok;

    if (file == NULL)
        return false;
    ok = pcapng_emit_section(&w, pcapng_write_file, file, "weir drill")
         && pcapng_emit_interface(&w, PCAPNG_LINK_RAW, "drill");
    for (size_t i = 0; ok && i < p->recording->count; i++) {
        const struct trace_record *r = &p->recording->records[i];
        bool is_out = r->event.kind == WEIR_TRACE_PACKET_OUT;
        struct pcapng_packet packet = {
            .at = r->at,
            .direction = is_out ? PCAPNG_OUTBOUND : PCAPNG_INBOUND,
            .slices = &r->packet,
            .slice_count = 1,
        };

        if (r->kind == TRACE_RECORD_EVENT && (is_out || r->event.kind == WEIR_TRACE_PACKET_IN))
            ok = pcapng_emit_packet(&w, &packet);
    }
    return fclose(file) == 0 && ok;
}

static enum drill_verdict end(struct play *p, enum drill_verdict verdict)
{
    if (p->settings->json)
        print_json(p, verdict);
    else if (verdict == DRILL_FAILED || verdict == DRILL_BROKEN)
        print_failure(p);
    drill_script_fini(&p->script);
    free(p->text);
    return verdict;
}

/* Once more, with a recording; a packet's line is not printed twice. */
static void explain(struct play *p)
{
    struct recording recording = {0};

    p->recording = &recording;
    p->options.on_packet = NULL;
    (void)run(p);
    print_failure(p);
    print_ladder(p);
    recording_fini(&recording);
    p->recording = NULL;
}

/* Runs with a recording for the capture. */
static bool run_recorded(struct play *p, bool *written)
{
    struct recording recording = {0};
    bool ok;

    p->recording = &recording;
    ok = run(p);
    *written = write_capture(p);
    recording_fini(&recording);
    p->recording = NULL;
    return ok;
}

enum drill_verdict drill_play(const struct drill_settings *settings, const char *path, FILE *out)
{
    struct play p = {.settings = settings, .path = path, .out = out};
    bool ok, written = true, skipped = false;

    p.options = (struct drill_run_options){
        .folder = p.folder, .shell = settings->shell, .tolerance_ns = settings->tolerance_ns};
    if (settings->trace) {
        p.options.on_packet = print_packet;
        p.options.ctx = &p;
    }
    if (!load(&p) || !choose_family(&p, &skipped))
        return end(&p, skipped ? DRILL_SKIPPED : DRILL_BROKEN);
    ok = settings->pcap != NULL ? run_recorded(&p, &written) : run(&p);
    if (!written) {
        (void)fprintf(out, "%s: %s cannot be written: %s\n", path, settings->pcap, strerror(errno));
        return end(&p, DRILL_BROKEN);
    }
    if (ok || settings->json || settings->no_ladder || settings->tun)
        return end(&p, ok ? DRILL_PASSED : DRILL_FAILED);
    explain(&p);
    drill_script_fini(&p.script);
    free(p.text);
    return DRILL_FAILED;
}
