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
    bool is_family_given; /* else a script may choose its own */
    weir_ns_t tolerance_ns;
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
    DRILL_BROKEN,  /* the script has a mistake, or cannot be read */
    DRILL_SKIPPED, /* it is for another family */
    DRILL_VERDICTS,
};

/* Runs the script in a file; what there is to say goes to out. */
enum drill_verdict drill_play(const struct drill_settings *settings, const char *path, FILE *out);

#endif
