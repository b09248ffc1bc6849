/*
 * sim_output.c - files that a simulation writes while it runs
 */
#include "cli/sim_output.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/say.h"

static bool ends_in_json(const char *path)
{
    size_t len = strlen(path);

    return len >= 5 && strcmp(path + len - 5, ".json") == 0;
}

static bool open_one(FILE **file, const char *path)
{
    if (path == NULL)
        return true;
    *file = fopen(path, "w");
    if (*file == NULL)
        (void)say_failed("%s: %s", path, strerror(errno));
    return *file != NULL;
}

bool sim_output_open(struct sim_output *o, const char *series, const char *capture)
{
    memset(o, 0, sizeof *o);
    if (!open_one(&o->series, series) || !open_one(&o->capture, capture))
        return false;
    o->series_is_json = series != NULL && ends_in_json(series);
    if (o->series != NULL && !o->series_is_json)
        (void)fprintf(o->series, "time_s,flow,throughput_bit_s,cwnd,ssthresh,flight,srtt_s,"
                                 "retransmits,queue_bytes,queue_packets,queue_delay_s,drops,"
                                 "marks\n");
    if (o->capture != NULL)
        (void)pcapng_emit_section(&o->writer, pcapng_write_file, o->capture, "weir sim");
    return true;
}

/* Interface n is node n; the file has no more of them than a reader takes. */
void sim_output_begin(struct sim_output *o, const struct scenario *s)
{
    for (size_t i = 0; o->capture != NULL && i < s->node_count && i < PCAPNG_INTERFACES; i++)
        (void)pcapng_emit_interface(&o->writer, PCAPNG_LINK_RAW, s->nodes[i].name);
}

static bool close_one(FILE *file, const char *what)
{
    bool good = file == NULL || (!ferror(file) & (fclose(file) == 0));

    if (!good)
        (void)say_failed("the %s could not be written", what);
    return good;
}

bool sim_output_close(struct sim_output *o)
{
    bool good = close_one(o->series, "series");

    return close_one(o->capture, "capture") && good;
}

static void sample_json(struct sim_output *o, const struct play_sample *s)
{
    struct json j;

    json_begin(&j, o->series, "sample");
    json_seconds(&j, "time_s", s->at);
    json_text(&j, "flow", s->name);
    json_unsigned(&j, "throughput_bit_s", s->throughput_bits_s);
    json_unsigned(&j, "cwnd", s->cwnd);
    json_unsigned(&j, "ssthresh", s->ssthresh);
    json_unsigned(&j, "flight", s->flight);
    json_seconds(&j, "srtt_s", s->srtt_ns);
    json_unsigned(&j, "retransmits", s->retransmits);
    json_unsigned(&j, "queue_bytes", s->queue_bytes);
    json_unsigned(&j, "queue_packets", s->queue_packets);
    json_seconds(&j, "queue_delay_s", s->queue_delay_ns);
    json_unsigned(&j, "drops", s->drops);
    json_unsigned(&j, "marks", s->marks);
    json_end(&j);
}

void sim_output_sample(struct sim_output *o, const struct play_sample *s)
{
    if (o->series == NULL)
        return;
    if (o->series_is_json) {
        sample_json(o, s);
        return;
    }
    (void)fprintf(o->series,
                  "%.6f,%s,%" PRIu64 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%.9f,%" PRIu64
                  ",%" PRIu32 ",%" PRIu32 ",%.9f,%" PRIu64 ",%" PRIu64 "\n",
                  (double)s->at / 1e9, s->name, s->throughput_bits_s, s->cwnd, s->ssthresh,
                  s->flight, (double)s->srtt_ns / 1e9, s->retransmits, s->queue_bytes,
                  s->queue_packets, (double)s->queue_delay_ns / 1e9, s->drops, s->marks);
}

void sim_output_frame(struct sim_output *o, weir_sim_node_t node, bool is_out, weir_ns_t now,
                      const struct weir_sim_frame *frame)
{
    struct weir_slice slice = {frame->bytes, frame->len};
    struct pcapng_packet packet = {
        .interface = node - 1,
        .at = now,
        .direction = is_out ? PCAPNG_OUTBOUND : PCAPNG_INBOUND,
        .slices = &slice,
        .slice_count = 1,
    };

    if (o->capture != NULL && node <= PCAPNG_INTERFACES)
        (void)pcapng_emit_packet(&o->writer, &packet);
}
