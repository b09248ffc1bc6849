/*
 * suggest.h - what somebody may have meant
 */
#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

#include <stddef.h>

/*
 * How many letters have to be put in, left out, replaced or swapped with their neighbour
 * to make one word of the other. Words of more than 32 letters are as far as can be.
 */
size_t suggest_distance(const char *a, const char *b);

/* Near enough to be named in a question. */
#define SUGGEST_FAR 3

#endif
