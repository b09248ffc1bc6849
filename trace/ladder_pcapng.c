/*
 * ladder_pcapng.c - a ladder's packets as a capture, with the states as packet comments
 */
#include "trace/ladder_pcapng.h"

#include <string.h>
#include <weir/stats.h>

#include "format/pcapng.h"
#include "format/text.h"
#include "trace/ladder_text.h"

enum {
    COMMENT_BYTES = 4096,
    LINE_BYTES = 256,
};

/* Lines of the comment; what has no room is left out whole. */
static void put_line(struct text *comment, const char *line)
{
    if (line[0] != '\0')
        text_putf(comment, "%s%s", comment->len > 0 ? "\n" : "", line);
}

static void put_states(struct text *comment, const struct ladder *l, const struct ladder_row *row)
{
    char line[LINE_BYTES];

    if (ladder_text_changes(l, row, line, sizeof line) > 0) {
        put_line(comment, line);
        return;
    }
    snprintf(line, sizeof line, "%s: %s; %s: %s", l->names[0], weir_tcp_state_name(row->after[0]),
             l->names[1], weir_tcp_state_name(row->after[1]));
    put_line(comment, line);
}

static void put_note(struct text *comment, const struct ladder *l, const struct ladder_row *row)
{
    char line[LINE_BYTES], changes[LINE_BYTES], time[LADDER_TIME_MAX];

    snprintf(line, sizeof line, "%s s, %s: %s",
             ladder_time_text(row->at - l->started_at, time) + strspn(time, " "),
             l->names[row->side], row->text);
    put_line(comment, line);
    if (ladder_text_changes(l, row, changes, sizeof changes) > 0)
        put_line(comment, changes);
}

static void put_segment(struct text *comment, const struct ladder *l, const struct ladder_row *row)
{
    char line[LINE_BYTES];

    put_states(comment, l, row);
    if (row->is_retransmit)
        put_line(comment, "sent again");
    if (row->is_lost)
        put_line(comment, "lost on the way");
    if (row->why != 0) {
        snprintf(line, sizeof line, "dropped by %s: %s", l->names[row->side == TRACE_LEFT],
                 weir_why_text(row->why));
        put_line(comment, line);
    }
}

/* The row below that has the arrival of this departure, or the row itself. */
static const struct ladder_row *arrival_of(const struct ladder *l, size_t departure)
{
    const struct ladder_row *row = &l->rows[departure];

    for (size_t i = departure + 1; row->kind == LADDER_DEPARTS && i < l->count; i++)
        if (l->rows[i].kind == LADDER_ARRIVES && l->rows[i].packet.bytes == row->packet.bytes)
            return &l->rows[i];
    return row;
}

static bool is_sent(const struct ladder_row *row)
{
    return row->kind == LADDER_SEGMENT || row->kind == LADDER_DEPARTS;
}

/* The first segment from a row on; l->count if there is none. */
static size_t next_segment(const struct ladder *l, size_t i)
{
    while (i < l->count && !is_sent(&l->rows[i]))
        i++;
    return i;
}

/* What has happened in the rows from begin up to end. */
static void put_notes(struct text *comment, const struct ladder *l, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++)
        if (l->rows[i].kind == LADDER_NOTE)
            put_note(comment, l, &l->rows[i]);
}

static void put_comment(struct text *comment, const struct ladder *l, size_t i)
{
    const struct ladder_row *row = &l->rows[i];

    put_segment(comment, l, row);
    if (row->kind == LADDER_DEPARTS) {
        put_line(comment, "and when it arrives:");
        put_segment(comment, l, arrival_of(l, i));
    }
}

static void emit_packet(struct pcapng_writer *w, const struct ladder_row *row, weir_ns_t at,
                        const struct text *comment)
{
    struct pcapng_packet packet = {
        .at = at,
        .direction = row->side == TRACE_LEFT ? PCAPNG_INBOUND : PCAPNG_OUTBOUND,
        .slices = &row->packet,
        .slice_count = 1,
        .comment = comment->chars,
        .comment_len = comment->len < comment->room ? comment->len : comment->room - 1,
    };

    pcapng_emit_packet(w, &packet);
}

bool ladder_pcapng_emit(const struct ladder *l, weir_ns_t epoch_ns, FILE *out)
{
    struct pcapng_writer w;
    size_t begin = 0;

    pcapng_emit_section(&w, pcapng_write_file, out, "weir");
    pcapng_emit_interface(&w, PCAPNG_LINK_RAW, "weir");
    for (size_t i = next_segment(l, 0); i < l->count; i = next_segment(l, i + 1)) {
        char chars[COMMENT_BYTES];
        struct text comment = text_of(chars, sizeof chars);
        put_notes(&comment, l, begin, i);
        put_comment(&comment, l, i);
        if (next_segment(l, i + 1) == l->count) /* the last one has what comes after it, too */
            put_notes(&comment, l, i, l->count);
        emit_packet(&w, &l->rows[i], epoch_ns + l->rows[i].at, &comment);
        begin = i;
    }
    return !w.failed && fflush(out) == 0;
}
