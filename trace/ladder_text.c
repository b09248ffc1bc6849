/*
 * ladder_text.c - a ladder as text, for a terminal or a file
 *
 * A row is made of lines of five cells: time, state, the middle, state, and nothing else
 * knows where a cell begins. Cells are padded by columns, not by bytes: what is not ASCII
 * comes from the table of glyphs below, and each of these is one column wide.
 */
#include "trace/ladder_text.h"

#include <string.h>
#include <weir/stats.h>

#include "format/text.h"

enum {
    TIME_COLUMNS = 9,
    STATE_COLUMNS = 12, /* "SYN-RECEIVED" */
    LEFT_COLUMNS = TIME_COLUMNS + 1 + STATE_COLUMNS + 1,
    LINE_BYTES = 4 * LADDER_WIDTH_MAX, /* no glyph has more than three bytes */
    WORDS_BYTES = 1024,
};

struct glyphs {
    const char *bar, *line, *dots, *to_right, *to_left, *from_left, *from_right, *lost, *becomes;
};

static const struct glyphs utf8_glyphs = {"│", "─", "┄", "▶", "◀", "├", "┤", "✗", "→"};
static const struct glyphs ascii_glyphs = {"|", "-", ".", ">", "<", "|", "|", "X", "->"};

/* A blank at which no line is broken, until it is written. */
static const char hard_blank = '\1';

enum colour { PLAIN, FAINT, BOLD, GREEN, CYAN, YELLOW, RED };

/* One ladder being written. */
struct page {
    const struct ladder *l;
    const struct glyphs *glyphs;
    bool colour;
    unsigned width;
    unsigned middle; /* columns between the bars */
    FILE *out;
};

/* ---- cells ---- */

static void put(const struct page *p, enum colour colour, const char *text)
{
    static const char *const codes[] = {"", "2", "1", "32", "36", "1;33", "1;31"};

    if (p->colour && colour != PLAIN && text[0] != '\0')
        fprintf(p->out, "\033[%sm%s\033[0m", codes[colour], text);
    else
        fputs(text, p->out);
}

static unsigned columns_of(const char *text)
{
    unsigned columns = 0;

    for (; *text != '\0'; text++)
        columns += (*text & 0xc0) != 0x80; /* the first byte of a character */
    return columns;
}

static void pad(const struct page *p, unsigned from, unsigned to)
{
    for (; from < to; from++)
        fputc(' ', p->out);
}

static void put_glyphs(struct text *t, const char *glyph, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        text_put(t, glyph);
}

struct line {
    const char *time;
    const char *states[2]; /* NULL: none to show */
    enum colour state_colours[2];
    const char *bars[2];
    const char *middle;
    enum colour middle_colour;
    bool is_flush_right;
};

static struct line empty_line(const struct page *p)
{
    return (struct line){.time = "", .bars = {p->glyphs->bar, p->glyphs->bar}, .middle = ""};
}

static void put_line(const struct page *p, const struct line *line)
{
    unsigned columns = columns_of(line->middle);
    unsigned room = columns < p->middle ? p->middle - columns : 0;
    const char *left = line->states[TRACE_LEFT] != NULL ? line->states[TRACE_LEFT] : "";

    put(p, FAINT, line->time);
    pad(p, columns_of(line->time), TIME_COLUMNS + 1);
    put(p, line->state_colours[TRACE_LEFT], left);
    pad(p, columns_of(left), STATE_COLUMNS + 1);
    fputs(line->bars[TRACE_LEFT], p->out);
    if (line->is_flush_right)
        pad(p, 0, room);
    put(p, line->middle_colour, line->middle);
    if (!line->is_flush_right)
        pad(p, 0, room);
    fputs(line->bars[TRACE_RIGHT], p->out);
    if (line->states[TRACE_RIGHT] != NULL) {
        fputc(' ', p->out);
        put(p, line->state_colours[TRACE_RIGHT], line->states[TRACE_RIGHT]);
    }
    fputc('\n', p->out);
}

/* ---- words in the middle ---- */

/* How many bytes of words fit into the columns: whole words, or options of a list. */
static size_t bytes_that_fit(const char *words, unsigned columns)
{
    size_t fits = 0, i = 0;
    unsigned used = 0;

    for (; words[i] != '\0' && words[i] != '\n'; i++) {
        used += (words[i] & 0xc0) != 0x80;
        if (used > columns)
            return fits > 0 ? fits : i;
        if (words[i] == ' ' || words[i] == ',')
            fits = i + 1;
    }
    return i;
}

/* Cuts the next line off *words. */
static void take_line(const char **words, unsigned columns, char line[WORDS_BYTES])
{
    size_t len = bytes_that_fit(*words, columns);
    size_t copied = len < WORDS_BYTES - 1 ? len : WORDS_BYTES - 1;

    memcpy(line, *words, copied);
    while (copied > 0 && line[copied - 1] == ' ')
        copied--;
    line[copied] = '\0';
    for (char *blank = line; (blank = strchr(blank, hard_blank)) != NULL;)
        *blank = ' ';
    *words += len;
    while (**words == ' ')
        (*words)++;
    if (**words == '\n')
        (*words)++;
}

void ladder_text_wrap(const char *words, unsigned width, unsigned indent, FILE *out)
{
    char line[WORDS_BYTES];
    unsigned columns = width > indent + 20 ? width - indent : 20;

    while (*words != '\0') {
        take_line(&words, columns, line);
        if (line[0] != '\0')
            fprintf(out, "%*s%s\n", (int)indent, "", line);
        else
            fputc('\n', out);
    }
}

/* ---- what is said of a segment ---- */

static void put_number(struct text *t, const char *name, uint32_t raw, uint32_t origin)
{
    text_putf(t, "%s%c%u", name, hard_blank, raw - origin);
}

/*
 * The options of what the notation makes of the segment, without the padding. A line is
 * broken between options, not within one.
 */
static void put_options(struct text *t, const struct ladder *l, const struct ladder_row *row)
{
    struct seg_origin origin = ladder_origin(l, row);
    char notation[SEG_TEXT_MAX], *options, *next, *end;
    const char *before = "\n<";

    if (row->seg.options_len == 0)
        return;
    seg_text_emit(&row->seg, &origin, notation, sizeof notation);
    options = strchr(notation, '<');
    end = strchr(notation, '>');
    if (options == NULL || end == NULL)
        return;
    *end = '\0';
    for (char *option = options + 1; option != NULL; option = next) {
        next = strchr(option, ',');
        if (next != NULL)
            *next++ = '\0';
        if (strcmp(option, "nop") == 0 || strcmp(option, "eol") == 0)
            continue;
        for (char *blank = option; (blank = strchr(blank, ' ')) != NULL;)
            *blank = hard_blank;
        text_putf(t, "%s%s", before, option);
        before = ",";
    }
    if (*before == ',')
        text_put(t, ">");
}

/* How the number was made of 16 bits is said once, when the scale has been agreed on. */
static void put_window(struct text *t, const struct ladder_row *row)
{
    text_putf(t, " win%c%u", hard_blank, row->window);
    if (row->window_shift > 0 && row->is_first)
        text_putf(t, "%c(%u<<%u)", hard_blank, row->seg.window, row->window_shift);
}

static void put_numbers(struct text *t, const struct ladder *l, const struct ladder_row *row)
{
    struct seg_origin origin = ladder_origin(l, row);

    put_number(t, "seq", row->seg.seq, origin.seq);
    if (row->seg.len > 0)
        text_putf(t, ":%u", row->seg.seq - origin.seq + row->seg.len);
    if (row->is_first)
        text_putf(t, " (raw %u)", row->seg.seq);
    if (row->seg.flags & TCP_ACK) {
        put_number(t, row->is_first ? "\nack" : " ack", row->seg.ack, origin.ack);
        if (row->is_first)
            text_putf(t, " (raw %u)", row->seg.ack);
    }
    text_putf(t, "%slen%c%u", row->is_first ? "\n" : " ", hard_blank, row->seg.len);
}

static void describe(const struct ladder *l, const struct ladder_row *row, struct text *t)
{
    put_numbers(t, l, row);
    put_window(t, row);
    if (row->seg.flags & TCP_URG)
        text_putf(t, " urg%c%u", hard_blank, row->seg.urgent);
    put_options(t, l, row);
    if (row->is_retransmit)
        text_putf(t, "\nsent again after %.3f s", (double)row->again_ns / 1e9);
    if (row->is_lost)
        text_put(t, row->is_retransmit ? ", lost again" : "\nlost on the way");
    if (row->why != 0)
        text_putf(t, "\n%s: %s", l->names[row->side == TRACE_LEFT], weir_why_text(row->why));
}

/* ---- arrows ---- */

static enum colour colour_of(const struct ladder_row *row)
{
    if (row->is_lost || row->seg.flags & TCP_RST)
        return RED;
    if (row->is_retransmit)
        return YELLOW;
    return row->side == TRACE_LEFT ? CYAN : GREEN;
}

/* How much of the arrow's way is drawn, in columns, and where that begins when it goes right. */
struct way {
    unsigned begin, end;
    const char *head;
    const char *gap; /* the rest */
};

static struct way way_of(const struct page *p, const struct ladder_row *row)
{
    const char *head = row->side == TRACE_LEFT ? p->glyphs->to_right : p->glyphs->to_left;

    if (row->is_lost)
        return (struct way){0, p->middle * 3 / 4, p->glyphs->lost, " "};
    if (row->kind == LADDER_DEPARTS)
        return (struct way){0, p->middle * 3 / 4, head, p->glyphs->dots};
    if (row->kind == LADDER_ARRIVES)
        return (struct way){p->middle / 4, p->middle, head, p->glyphs->dots};
    return (struct way){0, p->middle, head, " "};
}

/* The flags in the middle of the arrow; "" if there is no room for them. */
static void label_of(const struct page *p, const struct ladder_row *row,
                     char label[LADDER_FLAGS_MAX + 2])
{
    struct way way = way_of(p, row);
    char flags[LADDER_FLAGS_MAX];

    snprintf(label, LADDER_FLAGS_MAX + 2, " %s ",
             ladder_flags_text(row->seg.flags, row->ninth, flags));
    if (strlen(label) > way.end - way.begin - 1)
        label[0] = '\0';
}

static void draw_arrow(const struct page *p, const struct ladder_row *row, char drawn[LINE_BYTES])
{
    struct text t = text_of(drawn, LINE_BYTES);
    struct way way = way_of(p, row);
    char label[LADDER_FLAGS_MAX + 2];
    bool is_right = row->side == TRACE_LEFT;
    unsigned len;

    label_of(p, row, label);
    len = way.end - way.begin - 1 - (unsigned)strlen(label);
    put_glyphs(&t, way.gap, is_right ? way.begin : p->middle - way.end);
    if (!is_right)
        text_put(&t, way.head);
    put_glyphs(&t, p->glyphs->line, len / 2);
    text_put(&t, label);
    put_glyphs(&t, p->glyphs->line, len - len / 2);
    if (is_right)
        text_put(&t, way.head);
    put_glyphs(&t, way.gap, is_right ? p->middle - way.end : way.begin);
}

static const char *time_of(const struct page *p, weir_ns_t at, char text[LADDER_TIME_MAX])
{
    return ladder_time_text(at - p->l->started_at, text);
}

static void put_arrow(const struct page *p, const struct ladder_row *row)
{
    struct line line = empty_line(p);
    char drawn[LINE_BYTES], time[LADDER_TIME_MAX];

    draw_arrow(p, row, drawn);
    line.time = time_of(p, row->kind == LADDER_ARRIVES ? row->arrived_at : row->at, time);
    for (int side = 0; side < 2; side++)
        line.states[side] = weir_tcp_state_name(row->before[side]);
    line.middle = drawn;
    line.middle_colour = colour_of(row);
    if (row->kind != LADDER_ARRIVES)
        line.bars[row->side] =
            row->side == TRACE_LEFT ? p->glyphs->from_left : p->glyphs->from_right;
    put_line(p, &line);
}

/* The states after, on the line below the arrow: those that have changed stand out. */
static void set_states_after(const struct ladder_row *row, struct line *line)
{
    for (int side = 0; side < 2; side++) {
        line->states[side] = weir_tcp_state_name(row->after[side]);
        line->state_colours[side] = row->after[side] != row->before[side] ? BOLD : FAINT;
    }
}

static void put_words(const struct page *p, const struct ladder_row *row, const char *words)
{
    char one[WORDS_BYTES], padded[WORDS_BYTES + 2], time[LADDER_TIME_MAX];
    bool is_late =
        row->kind == LADDER_SEGMENT && row->arrived_at != WEIR_NEVER && row->arrived_at != row->at;

    for (bool is_second = true; is_second || *words != '\0'; is_second = false) {
        struct line line = empty_line(p);
        take_line(&words, p->middle - 2, one);
        snprintf(padded, sizeof padded, " %s", one);
        line.middle = padded;
        if (is_second)
            set_states_after(row, &line);
        if (is_second && is_late)
            line.time = time_of(p, row->arrived_at, time);
        put_line(p, &line);
    }
}

static void put_segment(const struct page *p, const struct ladder_row *row)
{
    char words[WORDS_BYTES], time[LADDER_TIME_MAX];
    char label[LADDER_FLAGS_MAX + 2], flags[LADDER_FLAGS_MAX];
    struct text t = text_of(words, sizeof words);

    label_of(p, row, label);
    if (label[0] == '\0')
        text_putf(&t, "%s\n", ladder_flags_text(row->seg.flags, row->ninth, flags));
    if (row->kind == LADDER_ARRIVES)
        text_putf(&t, "arrives, sent at %s", time_of(p, row->at, time) + strspn(time, " "));
    else
        describe(p->l, row, &t);
    put_arrow(p, row);
    put_words(p, row, words);
}

/* ---- notes ---- */

static void describe_note(const struct page *p, const struct ladder_row *row, struct text *t)
{
    enum weir_tcp_state from = row->before[row->side], to = row->after[row->side];

    text_put(t, row->text);
    if (from != to)
        text_putf(t, "%s%s %s %s", row->text[0] != '\0' ? ": " : "", weir_tcp_state_name(from),
                  p->glyphs->becomes, weir_tcp_state_name(to));
}

/* At the bar of the end it is about. */
static void put_note(const struct page *p, const struct ladder_row *row)
{
    char words[WORDS_BYTES], one[WORDS_BYTES], padded[WORDS_BYTES + 2], time[LADDER_TIME_MAX];
    struct text t = text_of(words, sizeof words);
    const char *rest = words;
    bool is_left = row->side == TRACE_LEFT;

    describe_note(p, row, &t);
    for (bool is_first = true; is_first || *rest != '\0'; is_first = false) {
        struct line line = empty_line(p);
        take_line(&rest, p->middle - 4, one);
        snprintf(padded, sizeof padded, is_left ? " %s" : "%s ", one);
        line.middle = padded;
        line.middle_colour = YELLOW;
        line.is_flush_right = !is_left;
        if (is_first) {
            line.time = time_of(p, row->at, time);
            set_states_after(row, &line);
        }
        put_line(p, &line);
    }
}

/* ---- the whole ---- */

/* Two words at the two ends of a line. */
static void put_ends(const struct page *p, enum colour colour, const char *left, const char *right)
{
    unsigned used = TIME_COLUMNS + 1 + columns_of(left), right_columns = columns_of(right);

    pad(p, 0, TIME_COLUMNS + 1);
    put(p, colour, left);
    if (right[0] != '\0') {
        pad(p, used, p->width - right_columns);
        put(p, colour, right);
    }
    fputc('\n', p->out);
}

static void put_heads(const struct page *p)
{
    const struct ladder *l = p->l;
    char ends[2][WEIR_ADDR_TEXT], names[2][64];

    for (int side = 0; side < 2; side++) {
        weir_endpoint_text(&l->ends[side], ends[side]);
        snprintf(names[side], sizeof names[side], "%s%s", l->names[side],
                 l->is_inferred[side] ? ", states inferred" : "");
    }
    put_ends(p, BOLD, names[0], names[1]);
    put_ends(p, PLAIN, ends[0], ends[1]);
}

void ladder_text_emit(const struct ladder *l, const struct ladder_style *style, FILE *out)
{
    struct page p = {l,  style->utf8 ? &utf8_glyphs : &ascii_glyphs, style->colour, style->width, 0,
                     out};

    if (p.width < LADDER_WIDTH_MIN)
        p.width = LADDER_WIDTH_MIN;
    if (p.width > LADDER_WIDTH_MAX)
        p.width = LADDER_WIDTH_MAX;
    p.middle = p.width - LEFT_COLUMNS - STATE_COLUMNS - 3; /* two bars and a blank */
    put_heads(&p);
    for (size_t i = 0; i < l->count; i++)
        if (l->rows[i].kind == LADDER_NOTE)
            put_note(&p, &l->rows[i]);
        else
            put_segment(&p, &l->rows[i]);
}

size_t ladder_text_changes(const struct ladder *l, const struct ladder_row *row, char *text,
                           size_t room)
{
    struct text t = text_of(text, room);

    for (int side = 0; side < 2; side++) {
        if (row->before[side] == row->after[side])
            continue;
        text_putf(&t, "%s%s: %s -> %s%s", t.len > 0 ? "; " : "", l->names[side],
                  weir_tcp_state_name(row->before[side]), weir_tcp_state_name(row->after[side]),
                  l->is_inferred[side] ? " (inferred)" : "");
    }
    return t.len;
}
