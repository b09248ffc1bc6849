/*
 * log.h - the file of a recording: records, one after the other, each with a check
 *
 * docs/RECORDING.md describes the format. Numbers of fixed size stand with their most significant
 * byte first; others are as short as they can be, seven bits a byte, the low ones first.
 */
#ifndef REPLAY_LOG_H
#define REPLAY_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

enum {
    LOG_VERSION = 1,
    LOG_HEADER = 16,  /* bytes before the first record */
    LOG_FRAMING = 9,  /* bytes of a record beside its body: length, kind, check */
    LOG_LONGEST = 10, /* bytes of a short number at most */
};

/* Below 0x70: a call, enum weir_call_kind. */
enum log_kind {
    LOG_CALLS = 0x70,
    LOG_INFO = 0x70,         /* time since 1970, the library's version */
    LOG_ALLOC_FAILED = 0x71, /* the allocator had nothing: which time it was asked */
    LOG_END = 0x72,          /* nothing is missing */
    LOG_ANSWER = 0x80,       /* and a call: what came out of it */
};

/* ---- numbers ---- */

void log_put_number(struct writer *w, uint64_t value);
void log_put_signed(struct writer *w, int64_t value);
uint64_t log_take_number(struct cursor *c);
int64_t log_take_signed(struct cursor *c);

/* A number that must not be larger than last, else the cursor has failed. */
uint64_t log_take_up_to(struct cursor *c, uint64_t last);

/* ---- writing ---- */

void log_emit_header(struct writer *w);

/* Begins a record: the length is still 0, which is the end of a log. */
void log_begin(struct writer *w, uint8_t kind);

/*
 * Completes the record that began at start, the index-th of its log. The length comes last: a
 * record is whole or not there.
 */
void log_finish(struct writer *w, uint8_t *start, uint64_t index);

/* ---- reading ---- */

enum log_result {
    LOG_RECORD,
    LOG_OVER,    /* the end, and it was written as such */
    LOG_CUT,     /* the end, but the recorder did not come to say so */
    LOG_DAMAGED, /* what follows cannot be trusted */
    LOG_FOREIGN, /* not a recording at all */
    LOG_NEWER,   /* of a version that we do not know */
};

struct log_reader {
    struct cursor rest;
    size_t len;
    uint64_t index;    /* of the next record */
    bool skips_checks; /* for a fuzzer, which cannot guess them */
    bool is_over;
};

struct log_record {
    uint8_t kind;
    struct cursor body;
    size_t offset; /* in the file */
};

/* LOG_RECORD if records can follow, LOG_FOREIGN, LOG_NEWER, or LOG_CUT (shorter than a header). */
enum log_result log_open(struct log_reader *r, struct span file);

/* The next record; after anything but LOG_RECORD the same again. */
enum log_result log_next(struct log_reader *r, struct log_record *record);

/* The kind of what comes next, if that is a record: without taking it or checking it. */
bool log_peek(const struct log_reader *r, uint8_t *kind);

#endif
