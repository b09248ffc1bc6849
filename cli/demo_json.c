/*
 * demo_json.c - a ladder for machines, a row a line
 */
#include "cli/demo_json.h"

#include <string.h>
#include <weir/stats.h>

#include "cli/json.h"

static const char *const sides[2] = {"left", "right"};

static void emit_head(const struct ladder *l, const char *scene, FILE *out)
{
    char text[WEIR_ADDR_TEXT];
    struct json j;

    json_begin(&j, out, "ladder");
    json_text(&j, "scene", scene);
    json_text(&j, "left", l->names[TRACE_LEFT]);
    json_text(&j, "left_endpoint", weir_endpoint_text(&l->ends[TRACE_LEFT], text));
    json_bool(&j, "left_inferred", l->is_inferred[TRACE_LEFT]);
    json_text(&j, "right", l->names[TRACE_RIGHT]);
    json_text(&j, "right_endpoint", weir_endpoint_text(&l->ends[TRACE_RIGHT], text));
    json_bool(&j, "right_inferred", l->is_inferred[TRACE_RIGHT]);
    json_end(&j);
}

static void put_states(struct json *j, const struct ladder_row *row)
{
    json_text(j, "left_before", weir_tcp_state_name(row->before[TRACE_LEFT]));
    json_text(j, "left_after", weir_tcp_state_name(row->after[TRACE_LEFT]));
    json_text(j, "right_before", weir_tcp_state_name(row->before[TRACE_RIGHT]));
    json_text(j, "right_after", weir_tcp_state_name(row->after[TRACE_RIGHT]));
}

static void put_segment(struct json *j, const struct ladder *l, const struct ladder_row *row)
{
    struct seg_origin origin = ladder_origin(l, row);
    char flags[LADDER_FLAGS_MAX], notation[SEG_TEXT_MAX];

    seg_text_emit(&row->seg, &origin, notation, sizeof notation);
    json_text(j, "flags", ladder_flags_text(row->seg.flags, row->ninth, flags));
    json_unsigned(j, "seq", row->seg.seq - origin.seq);
    json_unsigned(j, "seq_raw", row->seg.seq);
    if (row->seg.flags & TCP_ACK) {
        json_unsigned(j, "ack", row->seg.ack - origin.ack);
        json_unsigned(j, "ack_raw", row->seg.ack);
    }
    json_unsigned(j, "len", row->seg.len);
    json_unsigned(j, "window", row->window);
    json_unsigned(j, "window_raw", row->seg.window);
    json_unsigned(j, "window_shift", row->window_shift);
    json_text(j, "text", notation);
    json_bool(j, "retransmit", row->is_retransmit);
    json_bool(j, "lost", row->is_lost);
    if (row->why != 0)
        json_text(j, "dropped", weir_why_name(row->why));
}

static void emit_row(const struct ladder *l, const struct ladder_row *row, FILE *out)
{
    static const char *const types[] = {
        [LADDER_SEGMENT] = "segment",
        [LADDER_DEPARTS] = "segment",
        [LADDER_ARRIVES] = "arrival",
        [LADDER_NOTE] = "note",
    };
    struct json j;

    json_begin(&j, out, types[row->kind]);
    json_seconds(&j, "at_s", row->at - l->started_at);
    json_text(&j, row->kind == LADDER_NOTE ? "side" : "from", sides[row->side]);
    if (row->kind == LADDER_NOTE) {
        json_text(&j, "text", row->text);
    } else {
        if (row->arrived_at != WEIR_NEVER)
            json_seconds(&j, "arrived_s", row->arrived_at - l->started_at);
        put_segment(&j, l, row);
    }
    put_states(&j, row);
    json_end(&j);
}

void demo_json_emit(const struct ladder *l, const char *scene, FILE *out)
{
    emit_head(l, scene, out);
    for (size_t i = 0; i < l->count; i++)
        emit_row(l, &l->rows[i], out);
}
