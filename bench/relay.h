/*
 * relay.h - the kernel and itself over two TUN devices, and a process that carries packets between
 */
#ifndef BENCH_RELAY_H
#define BENCH_RELAY_H

#include "bench/machine.h"

/* Enters namespaces of its own: for a process that does nothing else. */
void relay_measure(const struct machine_job *job, struct machine_result *result);

#endif
