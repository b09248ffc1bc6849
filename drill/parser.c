/*
 * parser.c - options, events, times and calls
 */
#include "drill/parser.h"

#include <stdio.h>
#include <string.h>

#include "drill/code.h"

enum {
    SHOWN_MAX = 24, /* of a token in a message */
    DAY_S = 86400,
};

#define NS_PER_S INT64_C(1000000000)

/* ---- tokens and errors ---- */

static bool fail_at(struct drill_parser *p, struct lex_at at, const char *format, va_list args)
{
    if (!p->failed) {
        p->error->at = at;
        (void)vsnprintf(p->error->text, sizeof p->error->text, format, args);
    }
    p->failed = true;
    p->token.kind = LEX_END;
    return false;
}

bool drill_parser_fail_at(struct drill_parser *p, struct lex_at at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)fail_at(p, at, format, args);
    va_end(args);
    return false;
}

bool drill_parser_fail(struct drill_parser *p, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)fail_at(p, p->token.at, format, args);
    va_end(args);
    return false;
}

void drill_parser_take(struct drill_parser *p)
{
    if (p->failed)
        return;
    p->taken_end = p->lexer.next;
    p->token = lex_take(&p->lexer);
    if (p->token.kind == LEX_BAD)
        (void)drill_parser_fail(p, "%s", p->token.problem);
}

bool drill_parser_want(struct drill_parser *p, const char *what)
{
    const struct lex_token *t = &p->token;

    if (t->kind == LEX_END)
        return drill_parser_fail(p, "%s expected, but the script ends", what);
    return drill_parser_fail(p, "%s expected, not '%.*s'", what,
                             (int)(t->len < SHOWN_MAX ? t->len : SHOWN_MAX), t->text);
}

bool drill_parser_take_char(struct drill_parser *p, char letter)
{
    if (!lex_is_char(&p->token, letter))
        return false;
    drill_parser_take(p);
    return true;
}

bool drill_parser_take_word(struct drill_parser *p, const char *word)
{
    if (!lex_is_word(&p->token, word))
        return false;
    drill_parser_take(p);
    return true;
}

bool drill_parser_want_char(struct drill_parser *p, char letter)
{
    const char what[] = {'\'', letter, '\'', ' ', 'i', 's', '\0'};

    return drill_parser_take_char(p, letter) || drill_parser_want(p, what);
}

bool drill_parser_want_number(struct drill_parser *p, int64_t first, int64_t last, const char *what,
                              int64_t *number)
{
    if (p->token.kind != LEX_NUMBER)
        return drill_parser_want(p, what);
    if (p->token.number < first || p->token.number > last)
        return drill_parser_fail(p, "the number must be from %lld to %lld", (long long)first,
                                 (long long)last);
    *number = p->token.number;
    drill_parser_take(p);
    return true;
}

void *drill_parser_get(struct drill_parser *p, size_t size)
{
    void *memory = drill_memory_get(p->memory, size);

    if (memory == NULL)
        (void)drill_parser_fail(p, "there is no memory");
    return memory;
}

const char *drill_parser_text(struct drill_parser *p)
{
    const char *copy = drill_memory_copy(p->memory, p->token.text, p->token.len);

    if (copy == NULL)
        (void)drill_parser_fail(p, "there is no memory");
    return copy;
}

/* ---- times ---- */

/* Seconds with up to nine decimals; more are cut. */
static int64_t seconds_to_ns(const char *text, size_t len)
{
    int64_t ns = 0, unit = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.') {
            unit = NS_PER_S / 10;
        } else if (unit > 0) {
            ns += (text[i] - '0') * unit;
            unit /= 10;
        } else if (ns < NS_PER_S * DAY_S * 1000) {
            ns = ns * 10 + (text[i] - '0') * NS_PER_S;
        }
    }
    return ns;
}

static bool want_seconds(struct drill_parser *p, int64_t *ns)
{
    const struct lex_token *t = &p->token;
    bool is_number = t->kind == LEX_FLOAT || (t->kind == LEX_NUMBER && !t->is_hex);

    if (!is_number)
        return drill_parser_want(p, "a time in seconds is");
    if (*t->text == '-')
        return drill_parser_fail(p, "a time cannot be negative");
    *ns = seconds_to_ns(t->text, t->len);
    if (*ns > NS_PER_S * DAY_S * 1000)
        return drill_parser_fail(p, "a time is at most 1000 days");
    drill_parser_take(p);
    return true;
}

static bool parse_range_end(struct drill_parser *p, struct drill_event *event)
{
    if (!drill_parser_take_char(p, '~'))
        return true;
    event->time = event->time == DRILL_TIME_RELATIVE ? DRILL_TIME_RELATIVE_RANGE : DRILL_TIME_RANGE;
    if (event->time == DRILL_TIME_RELATIVE_RANGE && !drill_parser_want_char(p, '+'))
        return false;
    if (!want_seconds(p, &event->end_ns))
        return false;
    return event->end_ns >= event->start_ns
           || drill_parser_fail_at(p, event->at, "the range of times runs backwards");
}

static bool parse_time(struct drill_parser *p, struct drill_event *event)
{
    event->at = p->token.at;
    if (drill_parser_take_char(p, '*')) {
        event->time = DRILL_TIME_ANY;
        return true;
    }
    event->time = drill_parser_take_char(p, '+') ? DRILL_TIME_RELATIVE : DRILL_TIME_ABSOLUTE;
    if (p->token.kind != LEX_NUMBER && p->token.kind != LEX_FLOAT
        && event->time == DRILL_TIME_ABSOLUTE)
        return drill_parser_want(p, "an event's time (T, +T or *) is");
    return want_seconds(p, &event->start_ns) && parse_range_end(p, event);
}

/* ---- calls ---- */

/* (Some words), which explain an error's name or a result. */
static bool parse_note(struct drill_parser *p)
{
    if (!drill_parser_take_char(p, '('))
        return true;
    while (p->token.kind != LEX_END && !lex_is_char(&p->token, ')'))
        drill_parser_take(p);
    return drill_parser_want_char(p, ')');
}

static bool parse_result(struct drill_parser *p, struct drill_call *call)
{
    if (!drill_parser_want_char(p, '=') || !drill_parse_expr(p, &call->result))
        return false;
    if (p->token.kind == LEX_WORD) {
        call->errno_name = drill_parser_text(p);
        drill_parser_take(p);
    }
    return parse_note(p);
}

static bool parse_call(struct drill_parser *p, struct drill_event *event)
{
    struct drill_call *call = drill_parser_get(p, sizeof *call);

    if (call == NULL)
        return false;
    event->kind = DRILL_EVENT_CALL;
    event->call = call;
    call->end_ns = -1;
    if (p->token.kind == LEX_DOTS) {
        drill_parser_take(p);
        if (!want_seconds(p, &call->end_ns))
            return false;
        if (call->end_ns < event->start_ns)
            return drill_parser_fail_at(p, event->at, "the call ends before it begins");
    }
    if (p->token.kind != LEX_WORD)
        return drill_parser_want(p, "<, >, a call, `...` or %{...}% is");
    call->name = drill_parser_text(p);
    drill_parser_take(p);
    return drill_parser_want_char(p, '(') && drill_parse_list(p, ')', &call->args)
           && parse_result(p, call);
}

/* ---- events ---- */

static bool parse_command(struct drill_parser *p, struct drill_event *event)
{
    event->kind = DRILL_EVENT_COMMAND;
    event->command = drill_parser_text(p);
    drill_parser_take(p);
    return !p->failed;
}

static bool parse_code(struct drill_parser *p, struct drill_event *event)
{
    struct lex_at at = p->token.at;

    event->kind = DRILL_EVENT_CODE;
    at.column += 2; /* %{ */
    if (!drill_code_parse(p->token.text, p->token.len, at, p->memory, &event->code, p->error)) {
        p->failed = true;
        p->token.kind = LEX_END;
        return false;
    }
    drill_parser_take(p);
    return true;
}

/* A range or any time says when a packet may be seen; everything else is done at a time. */
static bool check_time(struct drill_parser *p, const struct drill_event *event)
{
    bool is_out = event->kind == DRILL_EVENT_PACKET && !event->packet->is_in;

    if (event->time == DRILL_TIME_ABSOLUTE || event->time == DRILL_TIME_RELATIVE || is_out)
        return true;
    return drill_parser_fail_at(p, event->at,
                                "only packets that are to be seen have a range of times or *");
}

static bool parse_event(struct drill_parser *p, struct drill_event *event)
{
    bool ok;

    event->text = p->token.text;
    event->at = p->token.at;
    if (p->token.kind == LEX_COMMAND) {
        event->time = DRILL_TIME_RELATIVE;
        ok = parse_command(p, event);
    } else if (!parse_time(p, event)) {
        return false;
    } else if (lex_is_char(&p->token, '<') || lex_is_char(&p->token, '>')) {
        event->kind = DRILL_EVENT_PACKET;
        ok = drill_parse_packet(p, &event->packet);
    } else if (p->token.kind == LEX_COMMAND) {
        ok = parse_command(p, event);
    } else if (p->token.kind == LEX_CODE) {
        ok = parse_code(p, event);
    } else {
        ok = parse_call(p, event);
    }
    event->text_len = (size_t)(p->taken_end - event->text);
    return ok && check_time(p, event);
}

static bool parse_events(struct drill_parser *p, struct drill_script *script)
{
    struct drill_event **last = &script->events;

    while (p->token.kind != LEX_END) {
        struct drill_event *event = drill_parser_get(p, sizeof *event);

        if (event == NULL || !parse_event(p, event))
            return false;
        *last = event;
        last = &event->next;
        script->event_count++;
    }
    return !p->failed && (script->event_count > 0 || drill_parser_want(p, "an event is"));
}

/* ---- options ---- */

/* A value is whatever stands before the next blank. */
static bool parse_option(struct drill_parser *p, struct drill_option *option)
{
    const char *start;

    option->at = p->token.at;
    option->name = drill_parser_text(p);
    option->value = "";
    start = p->lexer.next;
    if (*start == '=') {
        lex_skip_char(&p->lexer);
        start = p->lexer.next;
        while (*p->lexer.next != '\0' && strchr(" \t\r\n", *p->lexer.next) == NULL)
            lex_skip_char(&p->lexer);
        option->value = drill_memory_copy(p->memory, start, (size_t)(p->lexer.next - start));
    }
    if (option->value == NULL)
        return drill_parser_fail(p, "there is no memory");
    drill_parser_take(p);
    return !p->failed;
}

static bool parse_options(struct drill_parser *p, struct drill_script *script)
{
    struct drill_option **last = &script->options;

    while (p->token.kind == LEX_OPTION) {
        struct drill_option *option = drill_parser_get(p, sizeof *option);

        if (option == NULL || !parse_option(p, option))
            return false;
        *last = option;
        last = &option->next;
    }
    return true;
}

bool drill_script_parse(const char *text, struct drill_script *script, struct drill_error *error)
{
    struct drill_parser p = {
        .lexer = lex_of(text), .memory = &script->memory, .error = error, .taken_end = text};

    memset(script, 0, sizeof *script);
    memset(error, 0, sizeof *error);
    drill_parser_take(&p);
    return parse_options(&p, script) && parse_events(&p, script);
}

void drill_script_fini(struct drill_script *script)
{
    drill_memory_fini(&script->memory);
}
