/*
 * poller.h - wait for descriptors, to the nanosecond
 */
#ifndef HOST_POLLER_H
#define HOST_POLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/time.h>

struct poller {
    int fd;
    bool is_coarse; /* the kernel waits in milliseconds only */
};

struct poller_event {
    uint64_t tag;
    unsigned events; /* POLLIN and so on */
};

/* 0 or WEIR_ENOMEM. */
int poller_init(struct poller *p);
void poller_fini(struct poller *p);

/*
 * Watches fd for events, and for errors, under a tag; events 0 ends that. Returns 0, or
 *   WEIR_EINVAL   not a descriptor
 *   WEIR_ENOMEM
 *   WEIR_ENOTSUP  a file, which cannot be waited for: it is always ready
 */
int poller_set(struct poller *p, int fd, unsigned events, uint64_t tag);

/* Waits until something is ready, but no longer than wait_ns. Returns how many events there are. */
size_t poller_wait(struct poller *p, struct poller_event *events, size_t max, weir_ns_t wait_ns);

#endif
