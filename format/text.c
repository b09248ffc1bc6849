/*
 * text.c - write text into a buffer that may be too short
 */
#include "format/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct text text_of(char *chars, size_t room)
{
    if (room > 0)
        chars[0] = '\0';
    return (struct text){chars, room, 0};
}

void text_putf(struct text *t, const char *format, ...)
{
    size_t left = t->len < t->room ? t->room - t->len : 0;
    va_list values;
    int len;

    va_start(values, format);
    len = vsnprintf(left > 0 ? t->chars + t->len : NULL, left, format, values);
    va_end(values);
    if (len > 0)
        t->len += (size_t)len;
}

void text_put(struct text *t, const char *words)
{
    text_putf(t, "%s", words);
}

void text_put_char(struct text *t, char letter)
{
    text_putf(t, "%c", letter);
}

void text_put_hex(struct text *t, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        text_putf(t, "%02x", bytes[i]);
}
