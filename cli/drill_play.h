/*
 * drill_play.h - one script of weir drill: read, run, explained
 */
#ifndef CLI_DRILL_PLAY_H
#define CLI_DRILL_PLAY_H

#include <stdbool.h>
#include <stdio.h>

#include "drill/expand.h"
#include "drill/target.h"

struct drill_settings {
    enum drill_family family;
    bool tun; /* against the kernel */
    bool shell;
    bool trace;
    bool json;
    bool no_ladder;
    const char *pcap;
    struct drill_defines defines;
};

enum drill_verdict {
    DRILL_PASSED,
    DRILL_FAILED,
    DRILL_BROKEN, /* the script has a mistake, or cannot be read */
};

/* Runs the script in a file; what there is to say goes to out. */
enum drill_verdict drill_play(const struct drill_settings *settings, const char *path, FILE *out);

#endif
