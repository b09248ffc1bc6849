/*
 * parse_expr.c - the arguments and results of calls
 *
 * There is one shape for everything in braces: a list in which name=value may stand. What the
 * names mean is for the call to say (calls.c).
 */
#include <ctype.h>
#include <string.h>

#include "drill/parser.h"

enum {
    DEPTH_MAX = 12, /* of lists in lists: more than any call has */
};

static struct drill_expr *new_expr(struct drill_parser *p, enum drill_expr_kind kind)
{
    struct drill_expr *expr = drill_parser_get(p, sizeof *expr);

    if (expr != NULL) {
        expr->kind = kind;
        expr->at = p->token.at;
    }
    return expr;
}

static int hex_value(char c)
{
    if (!isxdigit((unsigned char)c))
        return -1;
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* The character that \c stands for; others stand for themselves. */
static char escaped(char c)
{
    switch (c) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    case '0': return '\0';
    default: return c;
    }
}

/* Appends the token's bytes, with the escapes of C resolved. */
static void append_string(struct drill_parser *p, char *bytes, size_t *len)
{
    const char *at = p->token.text, *end = at + p->token.len;

    while (at < end) {
        if (*at != '\\' || at + 1 == end) {
            bytes[(*len)++] = *at++;
        } else if (at[1] == 'x' && end - at >= 4 && hex_value(at[2]) >= 0
                   && hex_value(at[3]) >= 0) {
            bytes[(*len)++] = (char)(hex_value(at[2]) << 4 | hex_value(at[3]));
            at += 4;
        } else {
            bytes[(*len)++] = escaped(at[1]);
            at += 2;
        }
    }
}

/* Strings that follow one another are one, as in C. */
static struct drill_expr *parse_string(struct drill_parser *p)
{
    struct drill_expr *expr = new_expr(p, DRILL_EXPR_STRING);
    char *bytes;

    while (expr != NULL && p->token.kind == LEX_STRING) {
        bytes = drill_parser_get(p, expr->len + p->token.len + 1);
        if (bytes == NULL)
            return NULL;
        if (expr->len > 0)
            memcpy(bytes, expr->text, expr->len);
        append_string(p, bytes, &expr->len);
        expr->text = bytes;
        drill_parser_take(p);
    }
    if (p->token.kind == LEX_DOTS) /* "text"...: what follows does not matter */
        drill_parser_take(p);
    return expr;
}

static bool parse_nested(struct drill_parser *p, unsigned depth, struct drill_expr **expr);

static bool parse_list(struct drill_parser *p, unsigned depth, char end, struct drill_expr **list)
{
    *list = NULL;
    while (!lex_is_char(&p->token, end)) {
        if (!parse_nested(p, depth, list))
            return false;
        list = &(*list)->next;
        if (!drill_parser_take_char(p, ',') && !lex_is_char(&p->token, end))
            return drill_parser_want(p, end == ')'   ? "',' or ')' is"
                                        : end == ']' ? "',' or ']' is"
                                                     : "',' or '}' is");
    }
    drill_parser_take(p);
    return !p->failed;
}

/* A word, which may have arguments of its own and be set: htons(80), msg_name(...)=..., fd=4 */
static struct drill_expr *parse_word(struct drill_parser *p, unsigned depth)
{
    struct drill_expr *expr = new_expr(p, DRILL_EXPR_WORD);

    if (expr == NULL)
        return NULL;
    expr->text = drill_parser_text(p);
    expr->len = p->token.len;
    drill_parser_take(p);
    if (drill_parser_take_char(p, '(')) {
        expr->kind = DRILL_EXPR_CALL;
        if (!parse_list(p, depth, ')', &expr->first))
            return NULL;
    }
    if (depth > 1 && drill_parser_take_char(p, '=')) {
        expr->kind = DRILL_EXPR_SET;
        if (!parse_nested(p, depth, &expr->first))
            return NULL;
    }
    return expr;
}

static struct drill_expr *parse_one(struct drill_parser *p, unsigned depth)
{
    struct drill_expr *expr;
    char open = p->token.letter;

    switch (p->token.kind) {
    case LEX_STRING: return parse_string(p);
    case LEX_WORD: return parse_word(p, depth);
    case LEX_DOTS:
    case LEX_NUMBER:
        expr = new_expr(p, p->token.kind == LEX_DOTS ? DRILL_EXPR_DOTS : DRILL_EXPR_NUMBER);
        if (expr != NULL)
            expr->number = p->token.number;
        drill_parser_take(p);
        return expr;
    case LEX_CHAR:
        if (open != '[' && open != '{')
            break;
        expr = new_expr(p, open == '[' ? DRILL_EXPR_LIST : DRILL_EXPR_STRUCT);
        drill_parser_take(p);
        if (expr == NULL || !parse_list(p, depth, open == '[' ? ']' : '}', &expr->first))
            return NULL;
        return expr;
    case LEX_END:
    case LEX_FLOAT:
    case LEX_COMMAND:
    case LEX_CODE:
    case LEX_OPTION:
    case LEX_ADDR:
    case LEX_BAD: break;
    }
    (void)drill_parser_want(p, "a value (number, name, \"text\", [list], {struct} or ...) is");
    return NULL;
}

/* Values joined by |. The recursion ends at DEPTH_MAX. */
static bool parse_nested(struct drill_parser *p, unsigned depth, struct drill_expr **expr)
{
    if (depth >= DEPTH_MAX)
        return drill_parser_fail(p, "lists are nested too deeply");
    *expr = parse_one(p, depth + 1);
    while (*expr != NULL && lex_is_char(&p->token, '|')) {
        struct drill_expr *joined = new_expr(p, DRILL_EXPR_OR);

        drill_parser_take(p);
        if (joined == NULL)
            return false;
        joined->first = *expr;
        joined->second = parse_one(p, depth + 1);
        *expr = joined->second != NULL ? joined : NULL;
    }
    return *expr != NULL && !p->failed;
}

bool drill_parse_list(struct drill_parser *p, char end, struct drill_expr **list)
{
    return parse_list(p, 1, end, list);
}

bool drill_parse_expr(struct drill_parser *p, struct drill_expr **expr)
{
    return parse_nested(p, 0, expr);
}
