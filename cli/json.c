/*
 * json.c - one object a line, for machines
 */
#include "cli/json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

enum {
    TAIL_ROOM = 16, /* for the end of an object, with "cut" */
};

/* Adds all of a member or nothing. */
static void member(struct json *j, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void member(struct json *j, const char *format, ...)
{
    size_t room = sizeof j->line - TAIL_ROOM - j->len;
    va_list list;
    int len;

    va_start(list, format);
    len = vsnprintf(j->line + j->len, room, format, list);
    va_end(list);
    if (len < 0 || (size_t)len >= room)
        j->cut = true;
    else
        j->len += (size_t)len;
    j->line[j->len] = 0;
}

/* The length of the UTF-8 sequence that text starts with; 0: it is none. */
static size_t utf8_len(const unsigned char *text)
{
    size_t len = text[0] < 0x80                       ? 1
                 : text[0] >= 0xc2 && text[0] < 0xe0  ? 2
                 : (text[0] & 0xf0) == 0xe0           ? 3
                 : text[0] >= 0xf0 && text[0] <= 0xf4 ? 4
                                                      : 0;

    for (size_t i = 1; i < len; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    /* Overlong forms, surrogates, and what lies beyond Unicode. */
    if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f)
        || (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
        return 0;
    return len;
}

/* Writes the inside of a JSON string, as much of it as there is room for. */
static void escape(const char *text, char *out, size_t room)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t used = 0;

    while (*at != 0 && used + 8 < room) {
        size_t len = utf8_len(at);
        if (len == 0)
            used += (size_t)snprintf(out + used, room - used, "\\ufffd");
        else if (*at == '"' || *at == '\\')
            used += (size_t)snprintf(out + used, room - used, "\\%c", *at);
        else if (*at < 0x20 || *at == 0x7f)
            used += (size_t)snprintf(out + used, room - used, "\\u%04x", *at);
        else {
            memcpy(out + used, at, len);
            used += len;
        }
        at += len == 0 ? 1 : len;
    }
    out[used] = 0;
}

void json_begin(struct json *j, FILE *out, const char *type)
{
    j->out = out;
    j->len = 0;
    j->cut = false;
    member(j, "{\"type\":\"%s\"", type);
}

void json_end(struct json *j)
{
    if (j->cut)
        (void)fprintf(j->out, "%s,\"cut\":true}\n", j->line);
    else
        (void)fprintf(j->out, "%s}\n", j->line);
}

void json_text(struct json *j, const char *name, const char *text)
{
    char escaped[2048];

    escape(text, escaped, sizeof escaped);
    member(j, ",\"%s\":\"%s\"", name, escaped);
}

void json_number(struct json *j, const char *name, int64_t number)
{
    member(j, ",\"%s\":%" PRId64, name, number);
}

void json_unsigned(struct json *j, const char *name, uint64_t number)
{
    member(j, ",\"%s\":%" PRIu64, name, number);
}

void json_bool(struct json *j, const char *name, bool value)
{
    member(j, ",\"%s\":%s", name, value ? "true" : "false");
}

void json_seconds(struct json *j, const char *name, weir_ns_t ns)
{
    member(j, ",\"%s\":%s%" PRId64 ".%09" PRId64, name, ns < 0 ? "-" : "",
           (ns < 0 ? -ns : ns) / WEIR_S, (ns < 0 ? -ns : ns) % WEIR_S);
}
