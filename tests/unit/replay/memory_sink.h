/*
 * memory_sink.h - a log in memory
 */
#ifndef TESTS_UNIT_REPLAY_MEMORY_SINK_H
#define TESTS_UNIT_REPLAY_MEMORY_SINK_H

#include "replay/recorder.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory_log {
    uint8_t *bytes;
    size_t len, room;
    size_t limit; /* 0: none; more than so many bytes do not fit */
    bool is_closed;
};

struct log_sink memory_sink(struct memory_log *log);
void memory_log_fini(struct memory_log *log);

#endif
