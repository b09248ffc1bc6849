/*
 * json.h - one object a line, for machines
 *
 *   json_begin(&j, stdout, "reply"); json_number(&j, "seq", 1); json_end(&j);
 *   {"type":"reply","seq":1}
 *
 * One object at a time; it is written when it ends, in one piece. What a line cannot hold
 * is left out, and the object then says "cut":true.
 */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <weir/time.h>

struct json {
    FILE *out;
    char line[4096];
    size_t len;
    bool cut;
};

void json_begin(struct json *j, FILE *out, const char *type);
void json_end(struct json *j);

/* Bytes that are not UTF-8 are written as U+FFFD. */
void json_text(struct json *j, const char *name, const char *text);
void json_number(struct json *j, const char *name, int64_t number);
void json_unsigned(struct json *j, const char *name, uint64_t number);
void json_bool(struct json *j, const char *name, bool value);

/* A duration or an instant in seconds, to the nanosecond; the name ends in _s. */
void json_seconds(struct json *j, const char *name, weir_ns_t ns);

#endif
