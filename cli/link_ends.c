/*
 * link_ends.c - two devices and a link between them, in real time
 *
 * One thread waits in ppoll, which counts in nanoseconds, for the devices and for the next frame
 * that is due. The kernel wakes a sleeper some tens of microseconds late; where that matters, for
 * short delays, the last stretch is waited for awake.
 */
#include "cli/link_ends.h"

#include <poll.h>
#include <string.h>
#include <time.h>
#include <weir/host.h>

enum {
    BATCHES_MAX = 8, /* received from a device before the other gets its turn */
};

/* ---- from a device to the link ---- */

static int receive(struct link_ends *ends, int from)
{
    struct weir_driver *driver = ends->of[from].driver;
    struct weir_sim_link *link = ends->of[!from].link;
    struct weir_frame frames[LINK_BATCH];

    for (int batch = 0; batch < BATCHES_MAX; batch++) {
        ptrdiff_t count = driver->ops->receive(driver, frames, LINK_BATCH);
        weir_ns_t now = weir_host_now();

        if (count < 0)
            return (int)count;
        for (ptrdiff_t i = 0; i < count; i++) {
            weir_sim_link_send(link, frames[i].slices[0].bytes, frames[i].len, now);
            if (frames[i].release != NULL)
                frames[i].release(frames[i].owner);
        }
        if (count == 0)
            break;
    }
    return 0;
}

/* ---- from the link to a device ---- */

static void on_done(void *ctx, struct weir_frame **frames, size_t count)
{
    (void)ctx;
    for (size_t i = 0; i < count; i++)
        weir_sim_frame_release(frames[i]->owner);
}

static void note_lateness(struct link_end *end, weir_ns_t late_ns)
{
    end->late_count++;
    end->late_sum_ns += late_ns;
    if (late_ns > end->late_max_ns)
        end->late_max_ns = late_ns;
}

/* Takes what has arrived by now; says whether there is anything to transmit. */
static bool collect(struct link_end *end, weir_ns_t now)
{
    struct weir_sim_frame *frame;

    if (end->count > 0)
        return true;
    end->first = 0;
    while (end->count < LINK_BATCH && (frame = weir_sim_link_receive(end->link, now)) != NULL) {
        note_lateness(end, now - frame->at);
        end->frames[end->count++] = (struct weir_frame){
            .slices = {{frame->bytes, frame->len}},
            .len = frame->len,
            .slice_count = 1,
            .owner = frame,
        };
    }
    return end->count > 0;
}

/* What the device does not take now stays for later. */
static int transmit(struct link_end *end, weir_ns_t now)
{
    struct weir_driver *driver = end->driver;

    driver->done = on_done;
    driver->done_ctx = end;
    while (collect(end, now)) {
        struct weir_frame *frames[LINK_BATCH];
        ptrdiff_t taken;

        for (size_t i = 0; i < end->count; i++)
            frames[i] = &end->frames[end->first + i];
        taken = driver->ops->transmit(driver, frames, end->count);
        if (taken < 0)
            return (int)taken;
        end->first += (size_t)taken;
        end->count -= (size_t)taken;
        if (end->count > 0)
            return 0;
    }
    return 0;
}

/* ---- waiting ---- */

static weir_ns_t next_at(const struct link_ends *ends)
{
    weir_ns_t at = WEIR_NEVER;

    for (int i = 0; i < 2; i++) {
        weir_ns_t due = weir_sim_link_deadline(ends->of[i].link);
        if (due < at && ends->of[i].count == 0)
            at = due;
    }
    return at;
}

/* How long to sleep; 0: not at all. */
static weir_ns_t sleep_ns(const struct link_ends *ends, weir_ns_t now)
{
    weir_ns_t at = next_at(ends), wait_ns = WEIR_NEVER;

    if (at != WEIR_NEVER)
        wait_ns = at - now > ends->spin_ns ? at - now - ends->spin_ns : 0;
    if (ends->wake_at != WEIR_NEVER && ends->wake_at - now < wait_ns)
        wait_ns = ends->wake_at > now ? ends->wake_at - now : 0;
    return wait_ns;
}

/* Which devices have frames for us: bit i for end i. */
static unsigned wait_for(struct link_ends *ends, weir_ns_t wait_ns, const sigset_t *awake)
{
    struct pollfd fds[2];
    struct timespec timeout = {.tv_sec = (time_t)(wait_ns / WEIR_S),
                               .tv_nsec = (long)(wait_ns % WEIR_S)};
    unsigned readable = 0;

    for (int i = 0; i < 2; i++)
        fds[i] = (struct pollfd){.fd = ends->of[i].driver->fd,
                                 .events = (short)(POLLIN | (ends->of[i].count > 0 ? POLLOUT : 0))};
    if (ppoll(fds, 2, wait_ns == WEIR_NEVER ? NULL : &timeout, awake) <= 0)
        return 0;
    for (int i = 0; i < 2; i++)
        readable |= fds[i].revents & ~POLLOUT ? 1u << i : 0;
    return readable;
}

int link_ends_run(struct link_ends *ends, const volatile sig_atomic_t *stop, const sigset_t *awake)
{
    int err = 0;

    while (!*stop && err == 0) {
        unsigned readable = wait_for(ends, sleep_ns(ends, weir_host_now()), awake);

        for (int i = 0; i < 2 && err == 0; i++)
            if (readable & 1u << i)
                err = receive(ends, i);
        for (int i = 0; i < 2 && err == 0; i++)
            err = transmit(&ends->of[i], weir_host_now());
        if (weir_host_now() >= ends->wake_at)
            break;
    }
    return err;
}

void link_ends_close(struct link_ends *ends)
{
    for (int i = 0; i < 2; i++) {
        struct link_end *end = &ends->of[i];

        for (; end->count > 0; end->count--)
            weir_sim_frame_release(end->frames[end->first++].owner);
        if (end->driver != NULL)
            end->driver->ops->close(&end->driver);
        weir_sim_link_destroy(&end->link);
    }
}
