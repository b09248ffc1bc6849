/*
 * cmd_replay.c - weir replay FILE: what a recorded stack did, done again
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weir/stats.h>

#include "cli/command.h"
#include "cli/conn_state.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/say.h"
#include "cli/terminal.h"
#include "cli/trace_lines.h"
#include "format/pcapng.h"
#include "format/pkt_text.h"
#include "replay/replay.h"
#include "trace/ladder_text.h"
#include "trace/record.h"

extern const struct command cmd_replay;

enum {
    PCAP_INTERFACES = 64,
};

struct replaying {
    struct replay_setup setup;
    struct replay *replay;
    long long stop_after_ns; /* -1: it does not stop at a time */
    const char *pcap;
    unsigned width;
    bool ladder, trace, all, json, quiet, ascii;

    FILE *pcap_file;
    struct pcapng_writer pcap_writer;
    weir_netif_t pcap_netifs[PCAP_INTERFACES]; /* in the order of the file's */
    bool pcap_failed;
    struct recording recording;
    struct trace_lines *lines;
    struct pkt_flow flow_room[64];
    struct pkt_flows flows; /* of frames seen so far, for differences */
};

/* ---- options ---- */

static const char *take_stop_at(void *target, const char *value)
{
    struct replaying *rp = target;

    return options_seconds(value, &rp->stop_after_ns) == 0 ? NULL
                                                           : "seconds since the recording began";
}

static const char *take_stop_at_segment(void *target, const char *value)
{
    struct replaying *rp = target;
    unsigned long long number;

    if (options_number(value, 1, UINT32_MAX, &number) != 0)
        return "the number of a packet, from 1";
    rp->setup.stop_at_frame = number;
    return NULL;
}

static const char *take_differences(void *target, const char *value)
{
    struct replaying *rp = target;
    unsigned long long number;

    if (options_number(value, 1, 1000000, &number) != 0)
        return "a number from 1 to 1000000";
    rp->setup.differences_max = (size_t)number;
    return NULL;
}

static const char *take_pcap(void *target, const char *value)
{
    ((struct replaying *)target)->pcap = value;
    return value[0] != '\0' ? NULL : "the name of a file";
}

static const char *take_width(void *target, const char *value)
{
    unsigned long long number;

    if (options_number(value, LADDER_WIDTH_MIN, LADDER_WIDTH_MAX, &number) != 0)
        return "a number of columns from 72 to 132";
    ((struct replaying *)target)->width = (unsigned)number;
    return NULL;
}

#define SWITCH(member)                                                                             \
    static const char *take_##member(void *target, const char *value)                              \
    {                                                                                              \
        (void)value;                                                                               \
        ((struct replaying *)target)->member = true;                                               \
        return NULL;                                                                               \
    }
SWITCH(ladder)
SWITCH(trace)
SWITCH(all)
SWITCH(json)
SWITCH(quiet)
SWITCH(ascii)

static const struct option_spec specs[] = {
    {"stop-at", 0, "SECONDS", "stop then and print the state of all connections", take_stop_at},
    {"stop-at-segment", 0, "N", "the same after the Nth packet, of both directions",
     take_stop_at_segment},
    {"differences", 0, "N", "show so many before giving up (default: 1)", take_differences},
    {"pcap", 0, "FILE", "write what passes to a pcapng file", take_pcap},
    {"ladder", 'l', NULL, "draw the first connection as a ladder", take_ladder},
    {"trace", 't', NULL, "a line for each segment and change of state, on stderr", take_trace},
    {"verbose", 'v', NULL, "with --trace, also timers, round trips, windows", take_all},
    {"json", 0, NULL, "differences, states and traces as lines of JSON", take_json},
    {"width", 0, "COLUMNS", "of the ladder: 72 to 132", take_width},
    {"ascii", 0, NULL, "draw with ASCII alone", take_ascii},
    {"quiet", 'q', NULL, "say nothing but differences and errors", take_quiet},
    {0},
};

/* ---- what passes ---- */

/* The number of a netif in the capture; it is added when it is first seen. */
static int64_t capture_interface(struct replaying *rp, const struct replay_frame *f)
{
    uint32_t i;

    for (i = 0; i < rp->pcap_writer.interface_count; i++)
        if (rp->pcap_netifs[i] == f->netif)
            return i;
    if (i == PCAP_INTERFACES)
        return -1;
    rp->pcap_netifs[i] = f->netif;
    return pcapng_emit_interface(&rp->pcap_writer,
                                 f->link == WEIR_LINK_IP ? PCAPNG_LINK_RAW : PCAPNG_LINK_ETHERNET,
                                 NULL)
               ? (int64_t)i
               : -1;
}

static void capture(struct replaying *rp, const struct replay_frame *f)
{
    const struct replay_totals *t = replay_totals(rp->replay);
    int64_t interface = capture_interface(rp, f);
    struct pcapng_packet packet = {
        .interface = (uint32_t)interface,
        .at = t->epoch_ns + (f->at - t->started_at),
        .direction = f->is_out ? PCAPNG_OUTBOUND : PCAPNG_INBOUND,
        .slices = f->frame->slices,
        .slice_count = f->frame->slice_count,
    };

    if (interface >= 0 && !pcapng_emit_packet(&rp->pcap_writer, &packet))
        rp->pcap_failed = true;
}

static void packet_text(struct replaying *rp, enum weir_link link, struct span head, size_t len,
                        char *text)
{
    if (link == WEIR_LINK_IP)
        (void)pkt_text_emit(head, len, &rp->flows, text, PKT_TEXT_MAX);
    else
        (void)pkt_text_emit_frame(head, len, &rp->flows, text, PKT_TEXT_MAX);
}

/* Differences are written with the numbers that each connection began with. */
static void on_frame(void *ctx, const struct replay_frame *f)
{
    struct replaying *rp = ctx;
    char text[PKT_TEXT_MAX];

    if (rp->pcap_file != NULL && !rp->pcap_failed)
        capture(rp, f);
    packet_text(rp, f->link, span_of(f->frame->slices[0].bytes, f->frame->slices[0].len),
                f->frame->len, text);
}

static void on_trace(void *ctx, const struct weir_trace *trace)
{
    struct replaying *rp = ctx;

    if (rp->lines != NULL) {
        if (rp->lines->started_at == 0)
            trace_lines_init(rp->lines, replay_totals(rp->replay)->started_at);
        rp->lines->json = rp->json;
        rp->lines->all = rp->all;
        trace_lines_on_trace(rp->lines, trace);
    }
    if (rp->ladder)
        recording_add_event(&rp->recording, TRACE_RIGHT, trace);
}

/* ---- differences ---- */

static void print_packet(struct replaying *rp, const char *who, const struct replay_difference *d,
                         const struct replay_packet *p)
{
    char text[PKT_TEXT_MAX] = "nothing";

    if (p->is_there)
        packet_text(rp, d->link, span_of(p->head, p->head_len), p->len, text);
    printf("  %-9s %s\n", who, text);
    if (p->is_there)
        printf("  %-9s %zu bytes, digest %016" PRIx64 "\n", "", p->len, p->digest);
}

/* Where the headers begin to differ, sixteen bytes a line. */
static void print_bytes(const struct replay_difference *d)
{
    const struct replay_packet *a = &d->packet_expected, *b = &d->packet_seen;
    size_t len = a->head_len < b->head_len ? a->head_len : b->head_len;

    for (size_t at = 0; a->is_there && b->is_there && at < len; at += 16) {
        size_t count = len - at < 16 ? len - at : 16;
        if (memcmp(a->head + at, b->head + at, count) == 0)
            continue;
        printf("  %04zx  recorded ", at);
        for (size_t i = 0; i < count; i++)
            printf(" %02x", a->head[at + i]);
        printf("\n        now      ");
        for (size_t i = 0; i < count; i++)
            printf(a->head[at + i] == b->head[at + i] ? " .." : " %02x", b->head[at + i]);
        printf("\n");
    }
}

static void print_difference_json(struct replaying *rp, const struct replay_difference *d)
{
    const struct replay_packet *packets[] = {&d->packet_expected, &d->packet_seen};
    const char *const names[] = {"recorded_packet", "packet"};
    char text[PKT_TEXT_MAX];
    struct json j;

    json_begin(&j, stdout, "difference");
    json_unsigned(&j, "record", d->call);
    json_seconds(&j, "at_s", d->at - replay_totals(rp->replay)->started_at);
    json_text(&j, "call", weir_call_name(d->kind));
    json_text(&j, "recorded", d->expected);
    json_text(&j, "now", d->seen);
    for (int i = 0; i < 2 && d->has_packets; i++) {
        if (!packets[i]->is_there)
            continue;
        packet_text(rp, d->link, span_of(packets[i]->head, packets[i]->head_len), packets[i]->len,
                    text);
        json_text(&j, names[i], text);
    }
    json_end(&j);
}

static void on_difference(void *ctx, const struct replay_difference *d)
{
    struct replaying *rp = ctx;
    weir_ns_t at = d->at - replay_totals(rp->replay)->started_at;

    if (rp->json) {
        print_difference_json(rp, d);
        return;
    }
    printf("%.9f weir_%s (record %" PRIu64 ") answers otherwise: recorded %s, now %s\n",
           (double)at / 1e9, weir_call_name(d->kind), d->call, d->expected, d->seen);
    if (!d->has_packets)
        return;
    print_packet(rp, "recorded", d, &d->packet_expected);
    print_packet(rp, "now", d, &d->packet_seen);
    print_bytes(d);
}

/* ---- the end ---- */

static void print_state(struct replaying *rp)
{
    struct weir *s = replay_stack(rp->replay);
    const struct replay_totals *t = replay_totals(rp->replay);
    struct weir_stats stats;
    weir_handle_t handle;

    if (s == NULL)
        return;
    weir_stats(s, &stats);
    if (!rp->json) {
        printf("%.9f after %" PRIu64 " packets in and %" PRIu64 " out\n",
               (double)(t->at - t->started_at) / 1e9, t->frames_in, t->frames_out);
        printf("%u connections, %u half open, %u in TIME-WAIT, %u listeners, %zu bytes of memory\n",
               stats.connections, stats.half_open, stats.timewaits, stats.listeners,
               stats.memory_bytes);
    }
    for (size_t i = 0; (handle = replay_handle(rp->replay, i)) != 0; i++)
        conn_state_print(s, handle, t->at, rp->json);
}

static int print_ladder(struct replaying *rp)
{
    struct ladder_style style = terminal_ladder_style(rp->width, rp->ascii);
    struct ladder l;
    int err = ladder_init(&l, &rp->recording, "peer", "Weir");

    if (err == 0)
        ladder_text_emit(&l, &style, stdout);
    ladder_fini(&l);
    if (err == WEIR_EAGAIN)
        say("there is no TCP connection to draw");
    else if (err != 0 || rp->recording.is_full)
        return say_failed("there is no memory for the ladder");
    return EXIT_OK;
}

static void say_totals(const struct replaying *rp)
{
    const struct replay_totals *t = replay_totals(rp->replay);
    struct json j;

    if (rp->json) {
        json_begin(&j, stdout, "summary");
        json_unsigned(&j, "calls", t->calls);
        json_unsigned(&j, "packets_in", t->frames_in);
        json_unsigned(&j, "packets_out", t->frames_out);
        json_seconds(&j, "duration_s", t->at - t->started_at);
        json_unsigned(&j, "differences", t->differences);
        json_end(&j);
    } else if (!rp->quiet && t->differences == 0) {
        say("%" PRIu64 " calls, %" PRIu64 " packets in and %" PRIu64
            " out, %.3f s: the same again, bit for bit",
            t->calls, t->frames_in, t->frames_out, (double)(t->at - t->started_at) / 1e9);
    }
}

/* Whether it was recorded by other code than this, which may be why it differs. */
static void say_difference(const struct replaying *rp)
{
    const struct replay_totals *t = replay_totals(rp->replay);

    say("it does not do the same again: %" PRIu64 " difference%s", t->differences,
        t->differences == 1 ? "" : "s or more");
    if (strcmp(t->version, "weir " WEIR_VERSION) != 0 || t->word_bits != 8 * sizeof(void *))
        say("it was recorded by %s on a machine of %u bits, this is weir %s of %zu bits",
            t->version, t->word_bits, WEIR_VERSION, 8 * sizeof(void *));
}

static int end_of(struct replaying *rp, enum replay_status status)
{
    int code = EXIT_OK;

    if (status == REPLAY_FAILED)
        code = say_failed("%s", replay_error(rp->replay));
    if (status == REPLAY_CUT)
        say("the recording breaks off here: the program that made it did not end it");
    if (status == REPLAY_STOPPED && replay_totals(rp->replay)->differences == 0)
        print_state(rp);
    if (rp->ladder && print_ladder(rp) != EXIT_OK)
        code = EXIT_FAILED;
    if (replay_totals(rp->replay)->differences > 0) {
        say_difference(rp);
        code = EXIT_FAILED;
    }
    if (status != REPLAY_FAILED)
        say_totals(rp);
    return code;
}

/* ---- running ---- */

static int open_capture(struct replaying *rp)
{
    if (rp->pcap == NULL)
        return EXIT_OK;
    rp->pcap_file = fopen(rp->pcap, "wbe");
    if (rp->pcap_file == NULL)
        return say_failed("cannot write %s: %s", rp->pcap, strerror(errno));
    rp->pcap_failed =
        !pcapng_emit_section(&rp->pcap_writer, pcapng_write_file, rp->pcap_file, "weir replay");
    return EXIT_OK;
}

static int close_capture(struct replaying *rp)
{
    if (rp->pcap_file == NULL)
        return EXIT_OK;
    if (fclose(rp->pcap_file) != 0 || rp->pcap_failed)
        return say_failed("%s is not complete", rp->pcap);
    return EXIT_OK;
}

/*
 * The time to stop at is known when the stack is made, which is the first call: nothing has
 * passed by then. Replays are made twice for it: the first one only looks.
 */
static bool find_stop(struct replaying *rp)
{
    struct replay_setup setup = {.log = rp->setup.log};
    struct replay *r = replay_open(&setup);

    if (r == NULL)
        return false;
    while (replay_stack(r) == NULL && replay_step(r) == REPLAY_GOES_ON)
        continue;
    rp->setup.stops_at_time = true;
    rp->setup.stop_at = replay_totals(r)->started_at + rp->stop_after_ns;
    replay_close(&r);
    return true;
}

static int run_log(struct replaying *rp)
{
    enum replay_status status = REPLAY_GOES_ON;
    int code;

    rp->flows = (struct pkt_flows){rp->flow_room, 64, 0, 0};
    rp->setup.ctx = rp;
    rp->setup.on_frame = on_frame;
    rp->setup.on_difference = on_difference;
    rp->setup.on_trace = rp->trace || rp->ladder ? on_trace : NULL;
    rp->lines = rp->trace ? calloc(1, sizeof *rp->lines) : NULL;
    if ((rp->trace && rp->lines == NULL) || (rp->stop_after_ns >= 0 && !find_stop(rp)))
        return say_failed("there is no memory");
    rp->replay = replay_open(&rp->setup);
    if (rp->replay == NULL)
        return say_failed("there is no memory");
    code = open_capture(rp);
    while (code == EXIT_OK && status == REPLAY_GOES_ON)
        status = replay_step(rp->replay);
    if (code == EXIT_OK)
        code = end_of(rp, status);
    if (close_capture(rp) != EXIT_OK)
        code = EXIT_FAILED;
    replay_close(&rp->replay);
    recording_fini(&rp->recording);
    return code;
}

/* The file is mapped: it may be larger than memory. */
static int run_file(struct replaying *rp, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat about;
    void *mapped;
    int code;

    if (fd < 0 || fstat(fd, &about) != 0) {
        code = say_failed("cannot read %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return code;
    }
    if (!S_ISREG(about.st_mode) || about.st_size == 0) {
        close(fd);
        return say_failed("%s is not a recording of Weir's", path);
    }
    mapped = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (mapped == MAP_FAILED)
        return say_failed("cannot read %s: %s", path, strerror(errno));
    rp->setup.log = span_of(mapped, (size_t)about.st_size);
    code = run_log(rp);
    munmap(mapped, (size_t)about.st_size);
    return code;
}

static int run(int argc, char **argv)
{
    struct replaying *rp = calloc(1, sizeof *rp);
    const struct option_table tables[] = {{specs, rp}, {NULL, NULL}};
    int first, code;

    if (rp == NULL)
        return say_failed("there is no memory");
    (void)setlocale(LC_CTYPE, "");
    rp->stop_after_ns = -1;
    first = options_read(&cmd_replay, tables, argc, argv);
    code = first < 0 ? options_exit(first) : run_file(rp, argv[first]);
    free(rp->lines);
    free(rp);
    return code;
}

const struct command cmd_replay = {
    .name = "replay",
    .operands = "FILE",
    .summary = "do again what --record has recorded",
    .text =
        "Makes a stack as it was when FILE was recorded (with --record), and gives it the same\n"
        "frames, times and calls. Says where what comes out differs from what came out then. Needs\n"
        "no device and no privileges.",
    .options = (const struct option_spec *const[]){specs, NULL},
    .run = run,
};
