/*
 * expand.h - names that stand for something else in a script: -D TFO_COOKIE=3021b9d8
 */
#ifndef DRILL_EXPAND_H
#define DRILL_EXPAND_H

#include <stddef.h>

/* "NAME=VALUE", each. */
struct drill_defines {
    const char *const *of;
    size_t count;
};

/*
 * A copy of a script in which each name, wherever it stands as a word of its own outside of
 * comments, texts and commands, is its value, on the same line; also those that the script
 * itself defines, with --define=NAME=VALUE. To be freed; NULL: there is no memory.
 */
char *drill_expand(const char *text, const struct drill_defines *defines);

#endif
