/*
 * trace_lines.h - what a stack does, a line each, on stderr
 *
 *   0.000112 < 198.18.0.1:40000 > 198.18.0.2:80: S 0:0(0) win 64240 <mss 1460,sackOK>
 *   0.000131 * 198.18.0.2:80 198.18.0.1:40000 LISTEN -> SYN-RECEIVED
 *   0.000140 > 198.18.0.2:80 > 198.18.0.1:40000: S. 0:0(0) ack 1 win 65535 <mss 1460>
 *   0.000160 ! tcp_window: the segment lies outside the window
 *
 * "<" is a packet that came in, ">" one that went out, in packetdrill's notation with
 * numbers relative to each side's first; "*" a change of state; "!" says why the packet
 * before it went no further. Seconds count from the start.
 */
#ifndef CLI_TRACE_LINES_H
#define CLI_TRACE_LINES_H

#include <stdbool.h>
#include <weir/trace.h>

#include "cli/json.h"
#include "format/pkt_text.h"

enum {
    TRACE_FLOWS = 1024, /* connections whose first numbers are remembered */
};

struct trace_lines {
    weir_ns_t started_at;
    bool json;
    bool all; /* also timers, round trips, windows, calls */
    struct pkt_flows flows;
    struct pkt_flow flow_room[TRACE_FLOWS];
    struct json line;
};

void trace_lines_init(struct trace_lines *t, weir_ns_t now);

/* A weir_trace_hook; ctx is a struct trace_lines. */
void trace_lines_on_trace(void *ctx, const struct weir_trace *trace);

#endif
