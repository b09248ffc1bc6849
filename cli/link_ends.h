/*
 * link_ends.h - two devices and a link between them, in real time
 *
 * What the kernel sends into one device is given to the link, and arrives at the other when the
 * link says so. Offloads are off: the link sees each packet as it would be on a wire.
 */
#ifndef CLI_LINK_ENDS_H
#define CLI_LINK_ENDS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <weir/driver.h>
#include <weir/sim_link.h>

enum {
    LINK_BATCH = 64,
};

/* One end: a device, and the link whose frames arrive at it. */
struct link_end {
    struct weir_driver *driver;
    struct weir_sim_link *link;
    struct weir_frame frames[LINK_BATCH]; /* that have arrived, and the driver has not taken yet */
    size_t first, count;
    uint64_t late_count; /* frames that arrived later than they should */
    weir_ns_t late_sum_ns, late_max_ns;
};

struct link_ends {
    struct link_end of[2];
    weir_ns_t spin_ns; /* busy so long before a frame is due: the kernel wakes nobody on the dot */
    weir_ns_t wake_at; /* the caller's own time to be woken, or WEIR_NEVER */
};

/*
 * Moves frames until it is wake_at or *stop is set by a signal, which is to be blocked except for
 * the time of waiting: awake is the mask of then. Returns 0, or an error of a driver that failed.
 */
int link_ends_run(struct link_ends *ends, const volatile sig_atomic_t *stop, const sigset_t *awake);

/* Closes the devices and ends the links; what is not there is NULL. */
void link_ends_close(struct link_ends *ends);

#endif
