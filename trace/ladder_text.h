/*
 * ladder_text.h - a ladder as text, for a terminal or a file
 *
 *             kernel                                                  Weir
 *             198.18.0.1:40000                                198.18.0.2:80
 *             (inferred)
 *    0.000000 CLOSED       ├───────────────── SYN ─────────────────▶│ LISTEN
 *             SYN-SENT     │ seq 0 (raw 4138911) win 64240          │ SYN-RECEIVED
 *                          │ <mss 1460,sackOK,nop,wscale 7>         │
 *
 * Above: when it was sent, and the states of both ends before; below: when it arrived, if
 * that is later, and the states after.
 */
#ifndef TRACE_LADDER_TEXT_H
#define TRACE_LADDER_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "trace/ladder.h"

enum {
    LADDER_WIDTH_MIN = 72,
    LADDER_WIDTH = 80,
    LADDER_WIDTH_MAX = 132,
};

struct ladder_style {
    unsigned width; /* columns; brought into the limits above */
    bool utf8;      /* lines and arrows; else ASCII */
    bool colour;
};

void ladder_text_emit(const struct ladder *l, const struct ladder_style *style, FILE *out);

/* Text of several paragraphs, wrapped; indent in columns. */
void ladder_text_wrap(const char *words, unsigned width, unsigned indent, FILE *out);

/* What the states' changes of a row are, for a packet's comment: "kernel: CLOSED -> SYN-SENT ...". */
size_t ladder_text_changes(const struct ladder *l, const struct ladder_row *row, char *text,
                           size_t room);

#endif
