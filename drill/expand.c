/*
 * expand.c - names that stand for something else in a script
 */
#include "drill/expand.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drill/lex.h"

static const char option[] = "--define=";

/* Is "NAME=VALUE" the definition of the word? Then its value, and how long that is. */
static const char *value_of(const char *definition, const struct lex_token *word, size_t *len)
{
    if (strncmp(definition, word->text, word->len) != 0 || definition[word->len] != '=')
        return NULL;
    *len = strcspn(definition + word->len + 1, " \t\r\n");
    return definition + word->len + 1;
}

/* What belongs to an option reaches up to a blank. */
static void skip_option(struct lexer *l)
{
    while (*l->next != '\0' && strchr(" \t\r\n", *l->next) == NULL)
        lex_skip_char(l);
}

/* The definitions among the options at the script's start. */
static const char *find_in_script(const char *script, const struct lex_token *word, size_t *len)
{
    struct lexer l = lex_of(script);
    struct lex_token t;

    while ((t = lex_take(&l)).kind == LEX_OPTION) {
        const char *start = t.text - 2, *found = NULL;

        if (strncmp(start, option, sizeof option - 1) == 0)
            found = value_of(start + sizeof option - 1, word, len);
        if (found != NULL)
            return found;
        skip_option(&l);
    }
    return NULL;
}

static const char *find(const char *script, const struct drill_defines *defines,
                        const struct lex_token *word, size_t *len)
{
    for (size_t i = 0; i < defines->count; i++) {
        const char *found = value_of(defines->of[i], word, len);

        if (found != NULL)
            return found;
    }
    return find_in_script(script, word, len);
}

/* Copies everything from copied to the token, and its value. */
static void replace(FILE *out, const char **copied, const struct lex_token *t, const char *value,
                    size_t len)
{
    (void)fwrite(*copied, 1, (size_t)(t->text - *copied), out);
    (void)fwrite(value, 1, len, out);
    *copied = t->text + t->len;
}

char *drill_expand(const char *text, const struct drill_defines *defines)
{
    struct lexer l = lex_of(text);
    const char *copied = text;
    char *expanded = NULL;
    size_t room = 0;
    struct lex_token t;
    FILE *out = open_memstream(&expanded, &room);
    bool ok;

    if (out == NULL)
        return NULL;
    while ((t = lex_take(&l)).kind != LEX_END) {
        const char *value;
        size_t len;

        if (t.kind == LEX_OPTION)
            skip_option(&l);
        else if (t.kind == LEX_WORD && (value = find(text, defines, &t, &len)) != NULL)
            replace(out, &copied, &t, value, len);
    }
    (void)fwrite(copied, 1, strlen(copied), out);
    ok = ferror(out) == 0;
    if (fclose(out) != 0 || !ok) {
        free(expanded);
        return NULL;
    }
    return expanded;
}
