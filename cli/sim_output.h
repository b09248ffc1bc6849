/*
 * sim_output.h - files that a simulation writes while it runs: a capture, a series
 *
 * The series is CSV with a head line, or, if the file's name ends in .json, one object a line:
 *
 *   time_s,flow,throughput_bit_s,cwnd,ssthresh,flight,srtt_s,retransmits,
 *   queue_bytes,queue_packets,queue_delay_s,drops,marks
 *
 * The queue, drops and marks are those of the flow's bottleneck, the slowest link on its way.
 */
#ifndef CLI_SIM_OUTPUT_H
#define CLI_SIM_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/json.h"
#include "format/pcapng.h"
#include "sim/play.h"

struct sim_output {
    FILE *series;
    bool series_is_json;
    FILE *capture;
    struct pcapng_writer writer;
};

/* Opens them; NULL: not wanted. False: it has been said what went wrong. */
bool sim_output_open(struct sim_output *o, const char *series, const char *capture);

/* Adds an interface to the capture for each host; before the run. */
void sim_output_begin(struct sim_output *o, const struct scenario *s);

/* False: something could not be written, and that has been said. */
bool sim_output_close(struct sim_output *o);

void sim_output_sample(struct sim_output *o, const struct play_sample *sample);
void sim_output_frame(struct sim_output *o, weir_sim_node_t node, bool is_out, weir_ns_t now,
                      const struct weir_sim_frame *frame);

#endif
