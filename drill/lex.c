/*
 * lex.c - the words of a script in packetdrill's language
 */
#include "drill/lex.h"

#include <ctype.h>
#include <string.h>

struct lexer lex_of(const char *text)
{
    return (struct lexer){text, {1, 1}};
}

void lex_skip_char(struct lexer *l)
{
    if (*l->next == '\0')
        return;
    if (*l->next == '\n') {
        l->at.line++;
        l->at.column = 1;
    } else {
        l->at.column++;
    }
    l->next++;
}

static void skip_chars(struct lexer *l, size_t count)
{
    while (count-- > 0)
        lex_skip_char(l);
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* A comment of C that does not end reaches to the end of the text. */
static void skip_comment(struct lexer *l)
{
    const char *end = l->next[1] == '/' ? "\n" : "*/";

    skip_chars(l, 2);
    while (*l->next != '\0' && !starts_with(l->next, end))
        lex_skip_char(l);
    skip_chars(l, strlen(end));
}

void lex_skip_blanks(struct lexer *l)
{
    for (;;) {
        if (isspace((unsigned char)*l->next))
            lex_skip_char(l);
        else if (starts_with(l->next, "//") || starts_with(l->next, "/*"))
            skip_comment(l);
        else
            return;
    }
}

/* What is between two quotes; a backslash protects the character after it. */
static void take_quoted(struct lexer *l, struct lex_token *t, enum lex_kind kind)
{
    char quote = *l->next;

    lex_skip_char(l);
    t->kind = kind;
    t->text = l->next;
    while (*l->next != '\0' && *l->next != quote)
        skip_chars(l, *l->next == '\\' && l->next[1] != '\0' ? 2 : 1);
    t->len = (size_t)(l->next - t->text);
    if (*l->next == '\0') {
        t->kind = LEX_BAD;
        t->problem = quote == '"' ? "the closing \" is missing" : "the closing ` is missing";
    }
    lex_skip_char(l);
}

static void take_code(struct lexer *l, struct lex_token *t)
{
    skip_chars(l, 2);
    t->kind = LEX_CODE;
    t->text = l->next;
    while (*l->next != '\0' && !starts_with(l->next, "}%"))
        lex_skip_char(l);
    t->len = (size_t)(l->next - t->text);
    if (*l->next == '\0') {
        t->kind = LEX_BAD;
        t->problem = "the closing }% is missing";
    }
    skip_chars(l, 2);
}

static size_t count_digits(const char *text)
{
    size_t count = 0;

    while (isdigit((unsigned char)text[count]))
        count++;
    return count;
}

static size_t count_word(const char *text)
{
    size_t count = 0;

    while (isalnum((unsigned char)text[count]) || text[count] == '_')
        count++;
    return count;
}

/* The length of a dotted IPv4 address at text, or 0. */
static size_t count_addr(const char *text)
{
    size_t len = 0;

    for (int part = 0; part < 4; part++) {
        size_t digits = count_digits(text + len);

        if (digits == 0 || (part < 3 && text[len + digits] != '.'))
            return 0;
        len += digits + (part < 3);
    }
    return len;
}

static size_t count_hex(const char *text)
{
    size_t count = 2;

    if (text[0] != '0' || (text[1] != 'x' && text[1] != 'X'))
        return 0;
    while (isxdigit((unsigned char)text[count]))
        count++;
    return count > 2 && count == count_word(text) ? count : 0;
}

/* Digits of a base as a number; false if there are too many. */
static bool to_number(const char *digits, size_t len, int base, int64_t *number)
{
    uint64_t value = 0;

    for (size_t i = 0; i < len; i++) {
        int digit = isdigit((unsigned char)digits[i])
                        ? digits[i] - '0'
                        : tolower((unsigned char)digits[i]) - 'a' + 10;

        if (value > ((uint64_t)INT64_MAX - 16) / (uint64_t)base)
            return false;
        value = value * (uint64_t)base + (uint64_t)digit;
    }
    *number = (int64_t)value;
    return true;
}

static void set_number(struct lex_token *t, size_t skip, int base)
{
    t->kind = LEX_NUMBER;
    t->is_hex = base == 16;
    if (!to_number(t->text + skip, t->len - skip, base, &t->number)) {
        t->kind = LEX_BAD;
        t->problem = "the number is too large";
    }
    if (*t->text == '-')
        t->number = -t->number;
}

/* A number, an address or a word: whichever takes most characters. False: none of them. */
static bool take_plain(struct lexer *l, struct lex_token *t)
{
    size_t sign = *l->next == '-';
    size_t digits = count_digits(l->next + sign);
    size_t word = count_word(l->next);

    t->text = l->next;
    if ((t->len = count_addr(l->next)) > 0) {
        t->kind = LEX_ADDR;
    } else if (l->next[sign + digits] == '.' && count_digits(l->next + sign + digits + 1) > 0) {
        t->kind = LEX_FLOAT;
        t->len = sign + digits + 1 + count_digits(l->next + sign + digits + 1);
    } else if ((t->len = count_hex(l->next)) > 0) {
        set_number(t, 2, 16);
    } else if (digits > 0 && sign + digits >= word) {
        t->len = sign + digits;
        set_number(t, sign, 10);
    } else {
        t->kind = LEX_WORD;
        t->len = word;
    }
    skip_chars(l, t->len);
    return t->len > 0;
}

struct lex_token lex_take(struct lexer *l)
{
    struct lex_token t = {0};

    lex_skip_blanks(l);
    t.at = l->at;
    t.text = l->next;
    if (*l->next == '\0') {
        t.kind = LEX_END;
    } else if (*l->next == '"') {
        take_quoted(l, &t, LEX_STRING);
    } else if (*l->next == '`') {
        take_quoted(l, &t, LEX_COMMAND);
    } else if (starts_with(l->next, "%{")) {
        take_code(l, &t);
    } else if (starts_with(l->next, "...")) {
        t.kind = LEX_DOTS;
        t.len = 3;
        skip_chars(l, 3);
    } else if (starts_with(l->next, "--") && count_word(l->next + 2) > 0) {
        t.kind = LEX_OPTION;
        t.text += 2;
        t.len = count_word(t.text);
        skip_chars(l, t.len + 2);
    } else if (!take_plain(l, &t)) {
        t.kind = LEX_CHAR;
        t.letter = *l->next;
        t.len = 1;
        lex_skip_char(l);
    }
    return t;
}

bool lex_is_word(const struct lex_token *t, const char *word)
{
    return t->kind == LEX_WORD && t->len == strlen(word) && memcmp(t->text, word, t->len) == 0;
}
