/*
 * terminal.h - how wide and how colourful what is printed may be
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>

#include "trace/ladder_text.h"

/* For stdout; width 0: the terminal's. ascii: no lines and arrows, whatever the terminal has. */
struct ladder_style terminal_ladder_style(unsigned width, bool ascii);

#endif
