/*
 * sim_report.h - how a simulation went, for people and for machines
 */
#ifndef CLI_SIM_REPORT_H
#define CLI_SIM_REPORT_H

#include "sim/play.h"

/* Writes to stdout: flows, links, and the whole; as a table, or one JSON object a line. */
void sim_report_print(struct play *p);
void sim_report_print_json(struct play *p);

/* Jain's index of the flows' goodput; 1 if there are none. */
double sim_report_fairness(struct play *p);

#endif
