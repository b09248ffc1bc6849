/*
 * text.h - write text into a buffer that may be too short
 *
 * What does not fit is counted and not written; the text in the buffer always has its
 * final NUL, if there is room for anything at all.
 */
#ifndef FORMAT_TEXT_H
#define FORMAT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *chars;
    size_t room; /* with the NUL */
    size_t len;  /* of the whole text, had it fitted */
};

struct text text_of(char *chars, size_t room);

void text_put(struct text *t, const char *words);
void text_put_char(struct text *t, char letter);
void text_putf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Two hexadecimal digits a byte. */
void text_put_hex(struct text *t, const uint8_t *bytes, size_t len);

#endif
