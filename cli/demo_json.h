/*
 * demo_json.h - a ladder for machines, a row a line
 */
#ifndef CLI_DEMO_JSON_H
#define CLI_DEMO_JSON_H

#include <stdio.h>

#include "trace/ladder.h"

/* First an object of type "ladder" for the whole, then "segment", "arrival" and "note". */
void demo_json_emit(const struct ladder *l, const char *scene, FILE *out);

#endif
