/*
 * parser.h - what the parts of the script parser share
 *
 * The first error stays; from then on nothing is taken and everything fails, so that callers
 * need not look in between.
 */
#ifndef DRILL_PARSER_H
#define DRILL_PARSER_H

#include <stdarg.h>

#include "drill/script.h"

struct drill_parser {
    struct lexer lexer; /* after the token */
    struct lex_token token;
    struct drill_memory *memory;
    struct drill_error *error;
    bool failed;
    const char *taken_end; /* where the token before ends */
};

/* Goes on to the next token. */
void drill_parser_take(struct drill_parser *p);

/* Fail at the token, or elsewhere; false. */
bool drill_parser_fail(struct drill_parser *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool drill_parser_fail_at(struct drill_parser *p, struct lex_at at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "…, not 'xyz'": fails and says what is expected instead of the token. */
bool drill_parser_want(struct drill_parser *p, const char *what);

/* Take a character or a word if it stands there. */
bool drill_parser_take_char(struct drill_parser *p, char letter);
bool drill_parser_take_word(struct drill_parser *p, const char *word);

/* The same, and fail if not. */
bool drill_parser_want_char(struct drill_parser *p, char letter);
bool drill_parser_want_number(struct drill_parser *p, int64_t first, int64_t last, const char *what,
                              int64_t *number);

/* Zeroed memory, or NULL and an error. */
void *drill_parser_get(struct drill_parser *p, size_t size);

/* The token's text with a NUL. */
const char *drill_parser_text(struct drill_parser *p);

/* Parts: a list of expressions up to a closing character, one expression, a packet. */
bool drill_parse_list(struct drill_parser *p, char end, struct drill_expr **list);
bool drill_parse_expr(struct drill_parser *p, struct drill_expr **expr);
bool drill_parse_packet(struct drill_parser *p, struct drill_packet **packet);

#endif
