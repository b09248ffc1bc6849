/*
 * recorder.h - calls on a stack as records of a log
 *
 * What a record holds is written here and read by replay.c; docs/RECORDING.md describes it.
 */
#ifndef REPLAY_RECORDER_H
#define REPLAY_RECORDER_H

#include <stddef.h>
#include <stdint.h>
#include <weir/record.h>

enum {
    RECORDER_HEAD = 160, /* bytes of a frame out that are kept, to be shown: all its headers */
};

/* Where records go. */
struct log_sink {
    /* Memory for the next len bytes of the log; NULL: there is no more, ever, and error says why. */
    uint8_t *(*room)(void *ctx, size_t len);
    /* So many of them have been written, and are next to what was written before. */
    void (*used)(void *ctx, size_t len);
    int (*error)(void *ctx); /* an errno, or 0 */
    void (*close)(void *ctx);
    void *ctx;
};

/* Begins a log, with the time since 1970. Takes the sink, and closes it, also on failure: NULL. */
struct weir_recorder *recorder_open(const struct log_sink *sink, weir_ns_t epoch_ns);

/* A file that is mapped into memory piece by piece; false, and errno. */
bool file_sink_open(struct log_sink *sink, const char *path);

#endif
