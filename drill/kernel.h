/*
 * kernel.h - the host's kernel as a target: behind a TUN device, in real time
 */
#ifndef DRILL_KERNEL_H
#define DRILL_KERNEL_H

#include "drill/target.h"

enum { DRILL_WHY_MAX = 320 };

/*
 * Makes a TUN device in a new network namespace, which the calling thread enters (it needs the
 * capabilities for that), with the addresses of the network. A second script in the same
 * process finds nothing of the first. False, and why: a sentence without a full stop.
 */
bool drill_kernel_open(const struct drill_net *net, struct drill_target *target,
                       char why[DRILL_WHY_MAX]);

#endif
