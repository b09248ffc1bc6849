/*
 * chance.h - scenarios drawn by chance
 */
#ifndef SIM_CHANCE_H
#define SIM_CHANCE_H

#include "sim/play.h"

struct chance_result {
    char broken[PLAY_TEXT]; /* "": everything held */
    const char *kind;       /* the same for all that break in the same way */
    weir_ns_t at;
    uint64_t segments;
    uint64_t digest;
    uint64_t work; /* a measure of how long it took */
};

/* The scenario that a seed stands for, to be ended with scenario_fini. False: no memory. */
bool chance_draw(struct scenario *s, uint64_t seed);

/* Plays it. A scenario that cannot be played counts as one that held. */
void chance_try(const struct scenario *s, struct chance_result *result);

/*
 * For a program's weir_check_failed: while chance_try plays, the check becomes its result and this
 * does not return; otherwise it returns at once.
 */
void chance_note_check(const char *file, int line, const char *what);

#endif
