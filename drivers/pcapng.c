/*
 * pcapng.c - drivers that write and read captures
 *
 * The tee notes a frame when it is offered to the inner driver for the first time: as
 * soon as that has taken it, its bytes may be gone. A frame that was not taken is offered
 * again, first; such frames are counted, so that they are noted once.
 */
#include "format/pcapng.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <weir/driver.h>

#include "drivers/error.h"

static weir_ns_t now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (weir_ns_t)t.tv_sec * WEIR_S + t.tv_nsec;
}

static FILE *open_file(const char *path, const char *mode, struct weir_driver_error *error)
{
    FILE *file = fopen(path, mode);

    if (file == NULL)
        driver_error_set(error, driver_error_code(errno), errno, "Cannot %s %.160s: %s.",
                         mode[0] == 'r' ? "read" : "write", path, strerror(errno));
    return file;
}

/* ---- the tee ---- */

struct tee {
    struct weir_driver driver; /* the first member: a driver is its tee */
    struct weir_driver *inner;
    FILE *file;
    struct pcapng_writer writer;
    size_t noted_count; /* frames noted that the inner driver has not taken yet */
    int error;          /* errno of the first write that failed */
};

static struct tee *tee_of(struct weir_driver *d)
{
    return (struct tee *)d;
}

static void note_error(struct tee *t)
{
    if (t->error == 0)
        t->error = errno != 0 ? errno : EIO;
    t->writer.failed = true;
}

static void note(struct tee *t, const struct weir_frame *frame, enum pcapng_direction direction)
{
    struct pcapng_packet packet = {.at = now(CLOCK_REALTIME),
                                   .direction = direction,
                                   .slices = frame->slices,
                                   .slice_count = frame->slice_count};

    if (!t->writer.failed && !pcapng_emit_packet(&t->writer, &packet))
        note_error(t);
}

/* A capture can be read up to the last batch, however the program ends. */
static void flush(struct tee *t)
{
    if (!t->writer.failed && fflush(t->file) != 0)
        note_error(t);
}

static ptrdiff_t tee_receive(struct weir_driver *d, struct weir_frame *frames, size_t max)
{
    struct tee *t = tee_of(d);
    ptrdiff_t count = t->inner->ops->receive(t->inner, frames, max);

    for (ptrdiff_t i = 0; i < count; i++)
        note(t, &frames[i], PCAPNG_INBOUND);
    if (count > 0)
        flush(t);
    return count;
}

static ptrdiff_t tee_transmit(struct weir_driver *d, struct weir_frame **frames, size_t count)
{
    struct tee *t = tee_of(d);
    ptrdiff_t taken;

    for (size_t i = t->noted_count; i < count; i++)
        note(t, frames[i], PCAPNG_OUTBOUND);
    if (count > t->noted_count) {
        t->noted_count = count;
        flush(t);
    }
    t->inner->done = d->done;
    t->inner->done_ctx = d->done_ctx;
    taken = t->inner->ops->transmit(t->inner, frames, count);
    if (taken > 0)
        t->noted_count -= (size_t)taken;
    return taken;
}

static void tee_close(struct weir_driver **d)
{
    struct tee *t = tee_of(*d);

    t->inner->ops->close(&t->inner);
    fclose(t->file);
    free(t);
    *d = NULL;
}

static const struct weir_driver_ops tee_ops = {tee_receive, tee_transmit, tee_close};

static bool start_capture(struct tee *t)
{
    enum pcapng_link link =
        t->inner->netif.link == WEIR_LINK_IP ? PCAPNG_LINK_RAW : PCAPNG_LINK_ETHERNET;

    return pcapng_emit_section(&t->writer, pcapng_write_file, t->file, "weir")
           && pcapng_emit_interface(&t->writer, link, t->inner->name) && fflush(t->file) == 0;
}

struct weir_driver *weir_pcapng_tee(struct weir_driver **inner, const char *path,
                                    struct weir_driver_error *error)
{
    struct tee *t = calloc(1, sizeof *t);

    if (t == NULL) {
        driver_error_set(error, WEIR_ENOMEM, ENOMEM, "There is no memory for a capture.");
        return NULL;
    }
    t->file = open_file(path, "wb", error);
    if (t->file == NULL) {
        free(t);
        return NULL;
    }
    t->inner = *inner;
    if (!start_capture(t)) {
        driver_error_set(error, driver_error_code(errno), errno, "Cannot write %.160s: %s.", path,
                         strerror(errno));
        fclose(t->file);
        free(t);
        return NULL;
    }
    t->driver = **inner;
    t->driver.ops = &tee_ops;
    t->driver.netif.name = t->driver.name;
    *inner = NULL;
    return &t->driver;
}

int weir_pcapng_error(const struct weir_driver *tee)
{
    return ((const struct tee *)tee)->error;
}

/* ---- the reader ---- */

struct player {
    struct weir_driver driver; /* the first member: a driver is its player; fd is a timer */
    FILE *file;
    struct pcapng_reader reader;
    struct pcapng_packet packet; /* the next one, if has_packet */
    bool has_packet;
    bool taken;           /* it has been received: valid until the next call */
    uint16_t link;        /* packets of other links are passed over */
    weir_ns_t started_at; /* on the monotonic clock, when the first packet was due */
    weir_ns_t first_at;   /* its time in the file */
    uint8_t buffer[PCAPNG_READ_ROOM];
};

static struct player *player_of(struct weir_driver *d)
{
    return (struct player *)d;
}

/* The next packet to be received: 1, 0 at the end, or a negative code. What we sent is not. */
static int read_next(struct player *p)
{
    int result;

    do
        result = pcapng_parse_packet(&p->reader, &p->packet);
    while (result > 0 && (p->packet.link != p->link || p->packet.direction == PCAPNG_OUTBOUND));
    p->has_packet = result > 0;
    p->taken = false;
    return result;
}

static weir_ns_t due_at(const struct player *p)
{
    return p->started_at + (p->packet.at - p->first_at);
}

/* Makes the descriptor readable when the next packet is due; at once if that has passed. */
static void arm(struct player *p)
{
    struct itimerspec timer = {{0, 0}, {0, 0}};
    weir_ns_t at;

    if (p->has_packet) {
        at = due_at(p) > 0 ? due_at(p) : 1; /* a zero would disarm the timer */
        timer.it_value.tv_sec = (time_t)(at / WEIR_S);
        timer.it_value.tv_nsec = (long)(at % WEIR_S);
    }
    timerfd_settime(p->driver.fd, TFD_TIMER_ABSTIME, &timer, NULL);
}

static ptrdiff_t player_receive(struct weir_driver *d, struct weir_frame *frames, size_t max)
{
    struct player *p = player_of(d);

    if (p->taken) {
        int result = read_next(p);

        arm(p);
        if (result < 0)
            return result;
    }
    if (max == 0 || !p->has_packet || due_at(p) > now(CLOCK_MONOTONIC))
        return 0;
    memset(&frames[0], 0, sizeof frames[0]);
    frames[0].slices[0] = p->packet.slices[0];
    frames[0].slice_count = 1;
    frames[0].len = p->packet.slices[0].len;
    p->taken = true;
    return 1;
}

static ptrdiff_t player_transmit(struct weir_driver *d, struct weir_frame **frames, size_t count)
{
    if (d->done != NULL)
        d->done(d->done_ctx, frames, count);
    return (ptrdiff_t)count;
}

static void player_close(struct weir_driver **d)
{
    struct player *p = player_of(*d);

    if (p->driver.fd >= 0)
        close(p->driver.fd);
    if (p->file != NULL)
        fclose(p->file);
    free(p);
    *d = NULL;
}

static const struct weir_driver_ops player_ops = {player_receive, player_transmit, player_close};

/* Reads up to the first packet, which says what the link is and when the clock starts. */
static int start_playing(struct player *p)
{
    int result;

    pcapng_init_reader(&p->reader, pcapng_read_file, p->file, p->buffer, sizeof p->buffer);
    do
        result = pcapng_parse_packet(&p->reader, &p->packet);
    while (result > 0 && p->packet.direction == PCAPNG_OUTBOUND);
    if (result < 0)
        return result;
    p->has_packet = result > 0;
    p->link = result > 0 ? p->packet.link : PCAPNG_LINK_RAW;
    p->first_at = p->packet.at;
    p->started_at = now(CLOCK_MONOTONIC);
    p->driver.netif.link = p->link == PCAPNG_LINK_ETHERNET ? WEIR_LINK_ETHERNET : WEIR_LINK_IP;
    return 0;
}

static bool is_known_link(uint16_t link)
{
    return link == PCAPNG_LINK_ETHERNET || link == PCAPNG_LINK_RAW || link == PCAPNG_LINK_IPV4
           || link == PCAPNG_LINK_IPV6;
}

static struct weir_driver *stop(struct player *p)
{
    struct weir_driver *d = &p->driver;

    player_close(&d);
    return NULL;
}

struct weir_driver *weir_pcapng_open(const char *path, struct weir_driver_error *error)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
    struct player *p = calloc(1, sizeof *p);

    if (p == NULL) {
        driver_error_set(error, WEIR_ENOMEM, ENOMEM, "There is no memory for a capture.");
        return NULL;
    }
    p->driver = (struct weir_driver){.ops = &player_ops, .name = "pcapng", .netif = {.mtu = 65535}};
    p->driver.netif.name = p->driver.name;
    memcpy(p->driver.netif.mac, mac, sizeof mac);
    p->driver.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    p->file = open_file(path, "rb", error);
    if (p->file == NULL)
        return stop(p);
    if (start_playing(p) < 0) {
        driver_error_set(error, WEIR_EPROTO, 0, "Cannot read %.120s: %s, at byte %ju.", path,
                         p->reader.error, (uintmax_t)p->reader.error_at);
        return stop(p);
    }
    if (!is_known_link(p->link)) {
        driver_error_set(error, WEIR_ENOTSUP, 0,
                         "%.120s holds neither IP packets nor Ethernet frames (link type %u).",
                         path, p->link);
        return stop(p);
    }
    arm(p);
    return &p->driver;
}
