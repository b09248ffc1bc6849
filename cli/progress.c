/*
 * progress.c - how far a transfer is, on a terminal
 */
#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/session.h"

static const weir_ns_t interval_ns = 500 * WEIR_MS;

const char *progress_bytes_text(double bytes, char text[PROGRESS_BYTES_TEXT])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;

    while (bytes >= 1023.95 && unit + 1 < sizeof units / sizeof units[0]) {
        bytes /= 1024;
        unit++;
    }
    (void)snprintf(text, PROGRESS_BYTES_TEXT, unit == 0 ? "%.0f %s" : "%.1f %s", bytes,
                   units[unit]);
    return text;
}

/* The newest interval counts for a third. */
static void measure(struct progress *p, weir_ns_t now)
{
    uint64_t bytes = *p->in + *p->out;
    double seconds = (double)(now - p->last_at) / 1e9;
    double rate = seconds > 0 ? (double)(bytes - p->last) / seconds : 0;

    p->rate = p->is_shown ? p->rate + (rate - p->rate) / 3 : rate;
    p->last = bytes;
    p->last_at = now;
}

static void show(void *ctx, weir_ns_t now)
{
    char in[PROGRESS_BYTES_TEXT], out[PROGRESS_BYTES_TEXT], rate[PROGRESS_BYTES_TEXT];
    struct progress *p = ctx;

    measure(p, now);
    (void)fprintf(stderr, "\r%s received, %s sent, %s/s\033[K",
                  progress_bytes_text((double)*p->in, in),
                  progress_bytes_text((double)*p->out, out), progress_bytes_text(p->rate, rate));
    (void)fflush(stderr);
    p->is_shown = true;
    session_set_timer(p->session, SESSION_TIMER_PROGRESS, now + interval_ns, show, p);
}

void progress_start(struct progress *p, struct session *session, const uint64_t *in,
                    const uint64_t *out, bool show_it)
{
    memset(p, 0, sizeof *p);
    p->session = session;
    p->in = in;
    p->out = out;
    p->last_at = weir_host_now();
    if (show_it && isatty(STDERR_FILENO))
        session_set_timer(session, SESSION_TIMER_PROGRESS, p->last_at + interval_ns, show, p);
}

void progress_stop(struct progress *p)
{
    session_set_timer(p->session, SESSION_TIMER_PROGRESS, WEIR_NEVER, show, p);
    if (p->is_shown)
        (void)fprintf(stderr, "\r\033[K");
    p->is_shown = false;
}
