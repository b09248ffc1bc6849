/*
 * progress.h - how far a transfer is, on a terminal
 *
 * One line on stderr that is written over again and again, and wiped away at the end.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/time.h>

struct session;

enum {
    PROGRESS_BYTES_TEXT = 24,
};

struct progress {
    struct session *session;
    const uint64_t *in; /* counts of bytes that somebody else keeps */
    const uint64_t *out;
    uint64_t last;
    weir_ns_t last_at;
    double rate; /* bytes in a second, smoothed */
    bool is_shown;
};

/*
 * Starts to show progress twice a second, if stderr is a terminal and show is true. in and
 * out live as long as p.
 */
void progress_start(struct progress *p, struct session *session, const uint64_t *in,
                    const uint64_t *out, bool show);
void progress_stop(struct progress *p);

/* "512 B", "1.5 MiB" */
const char *progress_bytes_text(double bytes, char text[PROGRESS_BYTES_TEXT]);

#endif
