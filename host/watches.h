/*
 * watches.h - the application's own descriptors
 *
 * A callback may add, change and remove watches, also its own; what was ready for a watch
 * that has gone or changed its callback since is forgotten.
 */
#ifndef HOST_WATCHES_H
#define HOST_WATCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/host.h>

#include "host/poller.h"

struct watch {
    int fd; /* -1: free */
    unsigned events;
    bool is_file; /* always ready, and unknown to the poller */
    uint32_t generation;
    weir_host_on_ready on_ready;
    void *ctx;
};

struct watches {
    struct poller *poller;
    struct watch *all;
    size_t count;
    size_t file_count;
};

void watches_fini(struct watches *w);

/* As weir_host_watch. The tags given to the poller have these bits clear: */
#define WATCHES_TAG_CLEAR (UINT64_C(0xff) << 56)
int watches_set(struct watches *w, int fd, const struct watch *wanted);

/* The poller says that the watch with this tag is ready. */
void watches_on_ready(struct watches *w, uint64_t tag, unsigned events);

/* Calls those that are always ready. */
void watches_call_files(struct watches *w);

#endif
