/*
 * trace_lines.c - what a stack does, a line each, on stderr
 */
#include "cli/trace_lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <weir/stats.h>

#include "format/text.h"

enum {
    LINE_MAX_LEN = PKT_TEXT_MAX + 160,
};

void trace_lines_init(struct trace_lines *t, weir_ns_t now)
{
    memset(t, 0, sizeof *t);
    t->started_at = now;
    t->flows = (struct pkt_flows){.flows = t->flow_room, .room = TRACE_FLOWS};
}

/* The first slice holds all headers. */
static void packet_text(struct trace_lines *t, const struct weir_trace *trace, char *text,
                        size_t room)
{
    struct span head = span_none();

    if (trace->slice_count > 0)
        head = span_of(trace->slices[0].bytes, trace->slices[0].len);
    pkt_text_emit(head, trace->packet_len, &t->flows, text, room);
}

static const char *text_of_trace(const struct weir_trace *trace)
{
    return trace->text != NULL ? trace->text : "";
}

/* ---- for people ---- */

static void put_ends(struct text *line, const struct weir_trace *trace)
{
    char local[WEIR_ADDR_TEXT], remote[WEIR_ADDR_TEXT];

    text_putf(line, "%s %s", weir_endpoint_text(&trace->local, local),
              weir_endpoint_text(&trace->remote, remote));
}

static void put_packet(struct text *line, struct trace_lines *t, const struct weir_trace *trace)
{
    char packet[PKT_TEXT_MAX];

    packet_text(t, trace, packet, sizeof packet);
    text_putf(line, "%c %s", trace->kind == WEIR_TRACE_PACKET_IN ? '<' : '>', packet);
    if (trace->gso_size != 0)
        text_putf(line, " (in segments of %u)", trace->gso_size);
    if (trace->retransmit)
        text_put(line, " (again)");
}

/* What is only shown on demand. */
static void put_detail(struct text *line, const struct weir_trace *trace)
{
    text_put(line, "# ");
    if (trace->conn != 0)
        put_ends(line, trace);
    text_putf(line, " %s %s", weir_trace_kind_name(trace->kind), text_of_trace(trace));
    if (trace->kind == WEIR_TRACE_RTT)
        text_putf(line, "%.3f ms, srtt %.3f ms, rto %.3f ms", (double)trace->value / 1e6,
                  (double)trace->srtt_ns / 1e6, (double)trace->rto_ns / 1e6);
    if (trace->kind == WEIR_TRACE_CWND)
        text_putf(line, " cwnd %" PRIu32 " ssthresh %" PRIu32, trace->cwnd, trace->ssthresh);
    if (trace->kind == WEIR_TRACE_APP)
        text_putf(line, " %" PRId64, trace->value);
}

static void put_body(struct text *line, struct trace_lines *t, const struct weir_trace *trace)
{
    if (trace->kind == WEIR_TRACE_PACKET_IN || trace->kind == WEIR_TRACE_PACKET_OUT) {
        put_packet(line, t, trace);
    } else if (trace->kind == WEIR_TRACE_STATE) {
        text_put(line, "* ");
        put_ends(line, trace);
        text_putf(line, " %s -> %s", weir_tcp_state_name(trace->from),
                  weir_tcp_state_name(trace->to));
    } else if (trace->kind == WEIR_TRACE_DROP) {
        text_putf(line, "! %s: %s", weir_why_name(trace->why), weir_why_text(trace->why));
    } else {
        put_detail(line, trace);
    }
}

static void print_line(struct trace_lines *t, const struct weir_trace *trace)
{
    char chars[LINE_MAX_LEN];
    struct text line = text_of(chars, sizeof chars);

    text_putf(&line, "%.6f ", (double)(trace->at - t->started_at) / 1e9);
    put_body(&line, t, trace);
    (void)fprintf(stderr, "%s\n", chars);
}

/* ---- for machines ---- */

static void json_ends(struct json *j, const struct weir_trace *trace)
{
    char text[WEIR_ADDR_TEXT];

    if (trace->conn == 0)
        return;
    json_unsigned(j, "conn", trace->conn);
    json_text(j, "local", weir_endpoint_text(&trace->local, text));
    json_text(j, "remote", weir_endpoint_text(&trace->remote, text));
}

static void json_packet(struct trace_lines *t, const struct weir_trace *trace)
{
    char packet[PKT_TEXT_MAX];

    packet_text(t, trace, packet, sizeof packet);
    json_text(&t->line, "packet", packet);
    json_unsigned(&t->line, "bytes", trace->packet_len);
    if (trace->gso_size != 0)
        json_unsigned(&t->line, "gso_size", trace->gso_size);
    if (trace->conn != 0)
        json_text(&t->line, "state", weir_tcp_state_name(trace->from));
    if (trace->retransmit)
        json_bool(&t->line, "retransmit", true);
}

static void json_detail(struct json *j, const struct weir_trace *trace)
{
    if (trace->text != NULL)
        json_text(j, "text", trace->text);
    if (trace->kind == WEIR_TRACE_RTT) {
        json_seconds(j, "rtt_s", trace->value);
        json_seconds(j, "srtt_s", trace->srtt_ns);
        json_seconds(j, "rto_s", trace->rto_ns);
    }
    if (trace->kind == WEIR_TRACE_CWND) {
        json_unsigned(j, "cwnd", trace->cwnd);
        json_unsigned(j, "ssthresh", trace->ssthresh);
    }
    if (trace->kind == WEIR_TRACE_APP)
        json_number(j, "value", trace->value);
}

static void print_json(struct trace_lines *t, const struct weir_trace *trace)
{
    struct json *j = &t->line;

    json_begin(j, stderr, weir_trace_kind_name(trace->kind));
    json_seconds(j, "at_s", trace->at - t->started_at);
    json_ends(j, trace);
    if (trace->kind == WEIR_TRACE_PACKET_IN || trace->kind == WEIR_TRACE_PACKET_OUT) {
        json_packet(t, trace);
    } else if (trace->kind == WEIR_TRACE_STATE) {
        json_text(j, "from", weir_tcp_state_name(trace->from));
        json_text(j, "to", weir_tcp_state_name(trace->to));
    } else if (trace->kind == WEIR_TRACE_DROP) {
        json_text(j, "why", weir_why_name(trace->why));
    } else {
        json_detail(j, trace);
    }
    json_end(j);
}

void trace_lines_on_trace(void *ctx, const struct weir_trace *trace)
{
    struct trace_lines *t = ctx;

    if (trace->kind > WEIR_TRACE_DROP && !t->all)
        return;
    if (t->json)
        print_json(t, trace);
    else
        print_line(t, trace);
}
