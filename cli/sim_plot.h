/*
 * sim_plot.h - what flows do over time, as a picture
 *
 * Samples are kept until the run is over; then gnuplot draws them as SVG: throughput, congestion
 * window, round trip, queue and retransmissions of each flow, one below the other, and with
 * several flows how fair their shares are (Jain's index).
 */
#ifndef CLI_SIM_PLOT_H
#define CLI_SIM_PLOT_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/play.h"

enum {
    SIM_PLOT_FLOWS = 64, /* more are not drawn */
};

struct sim_plot_flow {
    char name[32];
    struct play_sample *samples; /* their names are not used */
    size_t count, room;
};

/* Starts as all zeros. */
struct sim_plot {
    struct sim_plot_flow flows[SIM_PLOT_FLOWS];
    size_t flow_count;
    bool is_full; /* there was no memory */
};

/* Whether there is gnuplot; if not, it has been said. */
bool sim_plot_is_possible(void);

void sim_plot_add(struct sim_plot *p, const struct play_sample *sample);

/* Draws into the file. EXIT_OK, or it has been said what went wrong. */
int sim_plot_write(const struct sim_plot *p, const char *path);

void sim_plot_fini(struct sim_plot *p);

#endif
