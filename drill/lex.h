/*
 * lex.h - the words of a script in packetdrill's language
 *
 * Blanks, newlines and comments (of C and C++) separate words and mean nothing else. Tokens
 * point into the text, which must end with a NUL and outlive them.
 */
#ifndef DRILL_LEX_H
#define DRILL_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lex_kind {
    LEX_END,
    LEX_NUMBER,  /* 10, -1, 0x1f: number */
    LEX_FLOAT,   /* .25, 1.5 */
    LEX_WORD,    /* letters, digits and _, not a number */
    LEX_STRING,  /* "...": text without the quotes */
    LEX_COMMAND, /* `...` */
    LEX_CODE,    /* %{ ... }% */
    LEX_OPTION,  /* --name: text without the dashes */
    LEX_ADDR,    /* 192.0.2.1 */
    LEX_DOTS,    /* ... */
    LEX_CHAR,    /* any other character: letter */
    LEX_BAD,     /* something that does not end: problem says what */
};

struct lex_at {
    unsigned line, column; /* from 1 */
};

struct lex_token {
    enum lex_kind kind;
    struct lex_at at;
    const char *text;
    size_t len;
    int64_t number;
    char letter;
    bool is_hex;
    const char *problem;
};

struct lexer {
    const char *next;
    struct lex_at at; /* of next */
};

struct lexer lex_of(const char *text);

/* Takes the next token. */
struct lex_token lex_take(struct lexer *l);

/* Goes on to the next character that is no blank and in no comment. */
void lex_skip_blanks(struct lexer *l);

/* Goes over one character. */
void lex_skip_char(struct lexer *l);

static inline bool lex_is_char(const struct lex_token *t, char letter)
{
    return t->kind == LEX_CHAR && t->letter == letter;
}

bool lex_is_word(const struct lex_token *t, const char *word);

#endif
