/*
 * terminal.c - how wide and how colourful what is printed may be
 */
#include "cli/terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static unsigned terminal_width(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return LADDER_WIDTH;
    return size.ws_col;
}

/* Colour is for terminals, and for nobody who has said no [no-color.org]. */
static bool wants_colour(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && (no == NULL || no[0] == '\0')
           && (term == NULL || strcmp(term, "dumb") != 0);
}

struct ladder_style terminal_ladder_style(unsigned width, bool ascii)
{
    struct ladder_style style = {
        .width = width != 0 ? width : terminal_width(),
        .utf8 = !ascii && strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        .colour = wants_colour(),
    };

    if (style.width > LADDER_WIDTH_MAX)
        style.width = LADDER_WIDTH_MAX;
    if (style.width < LADDER_WIDTH_MIN)
        style.width = LADDER_WIDTH_MIN;
    return style;
}
