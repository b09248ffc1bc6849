/*
 * loop.c - a stack, its drivers and an application in one thread
 *
 * A round: wait; take in what the drivers have; call the application for its descriptors,
 * its timer and the stack's events; send. Everything has a bound, so that a busy driver or
 * a busy application does not starve the others; what is left over shortens the next wait to
 * nothing.
 *
 * More comes in than goes out: each frame may be answered by one, and while a burst of
 * thousands leaves, its answers would fill the device's queue (500 of a TUN) and be lost.
 *
 * A driver that cannot take all its frames is blocked: the rest is kept here, in order,
 * and the stack is not asked for more until the driver's descriptor is writable.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <weir/host.h>

#include "host/poller.h"
#include "host/watches.h"

enum {
    BATCH = 64,
    BATCHES_IN_MAX = 8,
    LONE_ROUNDS = 8, /* in a row with a frame each, until there is a look for more */
    BATCHES_OUT_MAX = 2,
    EVENTS_MAX = 1024, /* of the stack in a round */
    READY_MAX = 64,    /* descriptors in a round */
};

/* How often a driver without a descriptor is asked while nothing else happens. */
static const weir_ns_t poll_interval_ns = WEIR_MS;

/* What the poller's tags say, in their top byte: whose descriptor it is. */
enum owner {
    OWNER_WATCH = 0,
    OWNER_STOP = 1,
    OWNER_PORT = 2,
    OWNER_WAKE = 3,
};

/* A driver and its interface. */
struct port {
    struct weir_driver *driver; /* NULL: it failed and was closed */
    weir_netif_t netif;
    bool readable;                     /* in this round */
    uint32_t lone_rounds;              /* in a row in which one frame came */
    size_t sent;                       /* frames, since the driver was last asked for some */
    struct weir_frame *waiting[BATCH]; /* taken from the stack, not by the driver */
    size_t waiting_count;
};

struct weir_host {
    struct weir *stack;
    struct poller poller;
    struct watches watches;
    int stop_fd, wake_fd;
    struct weir_host_guard guard;
    bool stopped;
    bool unfinished; /* a bound was reached: do not wait */
    struct port *ports;
    size_t port_count;
    weir_host_on_event on_event;
    void *event_ctx;
    weir_host_on_time on_time;
    void *time_ctx;
    weir_ns_t timer_at;
    struct weir_frame frames[BATCH];
};

static uint64_t tag_of(enum owner owner, size_t index)
{
    return (uint64_t)owner << 56 | index;
}

/* ---- drivers ---- */

static void on_done(void *ctx, struct weir_frame **frames, size_t count)
{
    struct weir_host *h = ctx;

    weir_output_done(h->stack, frames, count);
}

static bool is_blocked(const struct port *p)
{
    return p->waiting_count > 0;
}

static bool is_polled(const struct port *p)
{
    return p->driver != NULL && p->driver->fd < 0;
}

/* Closes the driver of a port; its frames go back. */
static void close_port(struct weir_host *h, struct port *p)
{
    if (p->driver == NULL)
        return;
    if (p->driver->fd >= 0)
        poller_set(&h->poller, p->driver->fd, 0, 0);
    p->driver->ops->close(&p->driver);
    weir_output_done(h->stack, p->waiting, p->waiting_count);
    p->waiting_count = 0;
}

/* The device is gone: the stack loses the interface, but not its connections. */
static int fail_port(struct weir_host *h, struct port *p, ptrdiff_t err)
{
    close_port(h, p);
    weir_netif_remove(h->stack, p->netif);
    return (int)err;
}

/*
 * Asking a driver that has no more costs a system call, and the poller tells of what is left. One
 * frame is asked for where one was sent and one came, round after round; now and then, and after
 * more was sent, that may be answered, there is a look at whether there is more.
 */
static bool expects_one(const struct port *p)
{
    return !is_polled(p) && p->sent <= 1 && p->lone_rounds % LONE_ROUNDS != 0;
}

/* Several batches if there is much; of a driver without a descriptor all there is. */
static int receive(struct weir_host *h, struct port *p)
{
    size_t most = expects_one(p) ? 1 : BATCH, total = 0, batches = 0;
    ptrdiff_t count;

    p->readable = false;
    do {
        count = p->driver->ops->receive(p->driver, h->frames, most);
        if (count < 0)
            return fail_port(h, p, count);
        if (count > 0)
            weir_input(h->stack, p->netif, h->frames, (size_t)count);
        total += (size_t)count;
    } while (++batches < BATCHES_IN_MAX && count > 0 && most > 1);
    p->lone_rounds = total == 1 ? p->lone_rounds + 1 : 0;
    p->sent = 0;
    h->unfinished = h->unfinished || batches == BATCHES_IN_MAX;
    return 0;
}

/* Asks to be told when a blocked driver can take more, or not any longer. */
static void watch_writable(struct weir_host *h, const struct port *p, bool writable)
{
    unsigned events = POLLIN | (writable ? POLLOUT : 0u);

    if (p->driver->fd >= 0)
        poller_set(&h->poller, p->driver->fd, events, tag_of(OWNER_PORT, (size_t)(p - h->ports)));
}

/* Offers the waiting frames to the driver; what it does not take stays. */
static int offer(struct weir_host *h, struct port *p)
{
    ptrdiff_t taken = p->driver->ops->transmit(p->driver, p->waiting, p->waiting_count);

    if (taken < 0)
        return fail_port(h, p, taken);
    p->sent += (size_t)taken;
    p->waiting_count -= (size_t)taken;
    memmove(p->waiting, p->waiting + taken, p->waiting_count * sizeof(struct weir_frame *));
    return 0;
}

static int unblock(struct weir_host *h, struct port *p)
{
    int err = offer(h, p);

    if (err == 0 && !is_blocked(p))
        watch_writable(h, p, false);
    return err;
}

static int transmit(struct weir_host *h, struct port *p)
{
    for (int i = 0; i < BATCHES_OUT_MAX; i++) {
        int err;

        p->waiting_count = weir_output(h->stack, p->netif, p->waiting, BATCH);
        if (p->waiting_count == 0)
            return 0;
        err = offer(h, p);
        if (err != 0)
            return err;
        if (is_blocked(p)) {
            watch_writable(h, p, true);
            return 0;
        }
    }
    h->unfinished = true;
    return 0;
}

/* ---- parts of a round ---- */

/* The first error of several is what is told. */
static void keep_first(int *err, int other)
{
    if (*err == 0)
        *err = other;
}

static int receive_all(struct weir_host *h)
{
    int err = 0;

    for (size_t i = 0; i < h->port_count; i++) {
        struct port *p = &h->ports[i];

        if (p->driver != NULL && (p->readable || is_polled(p)))
            keep_first(&err, receive(h, p));
    }
    return err;
}

static bool can_transmit(const struct weir_host *h, const struct port *p)
{
    return p->driver != NULL && !is_blocked(p) && weir_has_output(h->stack, p->netif);
}

static int transmit_all(struct weir_host *h)
{
    int err = 0;

    for (size_t i = 0; i < h->port_count; i++) {
        if (is_polled(&h->ports[i]) && is_blocked(&h->ports[i]))
            keep_first(&err, unblock(h, &h->ports[i]));
        if (can_transmit(h, &h->ports[i]))
            keep_first(&err, transmit(h, &h->ports[i]));
    }
    return err;
}

/* Tells the application what has happened; says whether there was anything. */
static bool tell_events(struct weir_host *h)
{
    struct weir_event event;
    int count = 0;

    while (h->on_event != NULL && count < EVENTS_MAX && weir_event(h->stack, &event)) {
        h->on_event(h->event_ctx, h->stack, &event);
        count++;
    }
    if (count == EVENTS_MAX)
        h->unfinished = true;
    return count > 0;
}

static void run_timer(struct weir_host *h, weir_ns_t now)
{
    if (h->timer_at > now || h->on_time == NULL)
        return;
    h->timer_at = WEIR_NEVER;
    h->on_time(h->time_ctx, now);
}

static bool has_output(const struct weir_host *h)
{
    for (size_t i = 0; i < h->port_count; i++) {
        if (can_transmit(h, &h->ports[i]))
            return true;
    }
    return false;
}

static bool has_polled_port(const struct weir_host *h)
{
    for (size_t i = 0; i < h->port_count; i++) {
        if (is_polled(&h->ports[i]))
            return true;
    }
    return false;
}

static weir_ns_t earlier(weir_ns_t a, weir_ns_t b)
{
    return a < b ? a : b;
}

/* How long there is nothing to do unless a descriptor becomes ready. */
static weir_ns_t idle_ns(const struct weir_host *h, weir_ns_t now)
{
    weir_ns_t at = earlier(weir_deadline(h->stack), h->timer_at);
    weir_ns_t wait_ns = at == WEIR_NEVER ? WEIR_NEVER : at > now ? at - now : 0;

    if (h->unfinished || h->watches.file_count > 0 || has_output(h))
        return 0;
    return has_polled_port(h) ? earlier(wait_ns, poll_interval_ns) : wait_ns;
}

static bool take_count(int fd)
{
    uint64_t count;

    return read(fd, &count, sizeof count) > 0;
}

/* What concerns the drivers and the host itself; the application's turn is later. */
static int sort_ready(struct weir_host *h, const struct poller_event *ready, size_t count)
{
    int err = 0;

    for (size_t i = 0; i < count; i++) {
        enum owner owner = (enum owner)(ready[i].tag >> 56);
        struct port *p;

        if (owner == OWNER_STOP && take_count(h->stop_fd))
            h->stopped = true;
        if (owner == OWNER_WAKE)
            take_count(h->wake_fd);
        if (owner != OWNER_PORT)
            continue;
        p = &h->ports[ready[i].tag & UINT32_MAX];
        p->readable = (ready[i].events & ~(unsigned)POLLOUT) != 0;
        if ((ready[i].events & POLLOUT) && p->driver != NULL && is_blocked(p))
            keep_first(&err, unblock(h, p));
    }
    return err;
}

static void call_watches(struct weir_host *h, const struct poller_event *ready, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (ready[i].tag >> 56 == OWNER_WATCH)
            watches_on_ready(&h->watches, ready[i].tag, ready[i].events);
    }
    watches_call_files(&h->watches);
}

/* It is time for the application and for what is to be sent; says whether anything was told. */
static bool settle(struct weir_host *h, int *err)
{
    bool told = tell_events(h);

    if (h->guard.work != NULL)
        h->guard.work(h->guard.ctx);
    keep_first(err, transmit_all(h));
    return told;
}

static void lock(const struct weir_host *h)
{
    if (h->guard.lock != NULL)
        h->guard.lock(h->guard.ctx);
}

static void unlock(const struct weir_host *h)
{
    if (h->guard.unlock != NULL)
        h->guard.unlock(h->guard.ctx);
}

/*
 * As late as it may be before a timer fires: who was held up for long finds what stops the timer among
 * what has come meanwhile.
 */
static void advance_calmly(struct weir_host *h, weir_ns_t now)
{
    weir_ns_t due = weir_deadline(h->stack);

    weir_advance(h->stack, now < due ? now : due - 1);
}

int weir_host_step(struct weir_host *h, weir_ns_t max_wait_ns)
{
    struct poller_event ready[READY_MAX];
    weir_ns_t now;
    size_t count;
    int err = 0;

    lock(h);
    now = weir_host_now();
    /* Between two steps the application may have used the stack. */
    advance_calmly(h, now);
    if (settle(h, &err) || err != 0)
        max_wait_ns = 0;
    max_wait_ns = earlier(idle_ns(h, now), max_wait_ns);
    unlock(h);
    count = poller_wait(&h->poller, ready, READY_MAX, max_wait_ns);
    lock(h);
    h->unfinished = false;
    now = weir_host_now();
    advance_calmly(h, now);
    keep_first(&err, sort_ready(h, ready, count));
    keep_first(&err, receive_all(h));
    weir_advance(h->stack, now);
    call_watches(h, ready, count);
    run_timer(h, now);
    settle(h, &err);
    unlock(h);
    return err;
}

int weir_host_run(struct weir_host *h)
{
    int err = 0;

    while (!h->stopped && err == 0)
        err = weir_host_step(h, WEIR_NEVER);
    h->stopped = false;
    return err;
}

static void count_one(int fd)
{
    const uint64_t one = 1;
    int saved = errno; /* this may be a signal handler */

    /* The write fails only if the counter is full, and then the host has been told already. */
    if (write(fd, &one, sizeof one) < 0)
        errno = saved;
    errno = saved;
}

void weir_host_stop(struct weir_host *h)
{
    count_one(h->stop_fd);
}

void weir_host_wake(struct weir_host *h)
{
    count_one(h->wake_fd);
}

void weir_host_set_guard(struct weir_host *h, const struct weir_host_guard *guard)
{
    h->guard = *guard;
}

/* ---- making a host ---- */

int weir_host_create(const struct weir_config *config, struct weir_host **host)
{
    struct weir_host *h = calloc(1, sizeof *h);
    int err;

    if (h == NULL)
        return WEIR_ENOMEM;
    h->timer_at = WEIR_NEVER;
    h->watches.poller = &h->poller;
    h->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    h->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    err = poller_init(&h->poller);
    if (err == 0 && (h->stop_fd < 0 || h->wake_fd < 0))
        err = WEIR_ENOMEM;
    if (err == 0)
        err = poller_set(&h->poller, h->stop_fd, POLLIN, tag_of(OWNER_STOP, 0));
    if (err == 0)
        err = poller_set(&h->poller, h->wake_fd, POLLIN, tag_of(OWNER_WAKE, 0));
    if (err == 0)
        err = weir_create(config, weir_host_now(), &h->stack);
    *host = h;
    if (err != 0)
        weir_host_destroy(host);
    return err;
}

void weir_host_destroy(struct weir_host **host)
{
    struct weir_host *h = *host;

    if (h == NULL)
        return;
    for (size_t i = 0; i < h->port_count; i++)
        close_port(h, &h->ports[i]);
    if (h->stack != NULL)
        weir_destroy(&h->stack);
    watches_fini(&h->watches);
    poller_fini(&h->poller);
    if (h->stop_fd >= 0)
        close(h->stop_fd);
    if (h->wake_fd >= 0)
        close(h->wake_fd);
    free(h->ports);
    free(h);
    *host = NULL;
}

struct weir *weir_host_stack(struct weir_host *h)
{
    return h->stack;
}

int weir_host_attach(struct weir_host *h, struct weir_driver **driver, weir_netif_t *netif)
{
    struct weir_driver *d = *driver;
    struct port *more = realloc(h->ports, (h->port_count + 1) * sizeof *more);
    int err;

    if (more == NULL)
        return WEIR_ENOMEM;
    h->ports = more;
    err = weir_netif_add(h->stack, &d->netif, netif);
    if (err != 0)
        return err;
    if (d->fd >= 0)
        err = poller_set(&h->poller, d->fd, POLLIN, tag_of(OWNER_PORT, h->port_count));
    if (err != 0) {
        weir_netif_remove(h->stack, *netif);
        return err == WEIR_ENOMEM ? WEIR_ENOMEM : WEIR_EINVAL;
    }
    d->done = on_done;
    d->done_ctx = h;
    h->ports[h->port_count++] = (struct port){.driver = d, .netif = *netif};
    *driver = NULL;
    return 0;
}

void weir_host_set_events(struct weir_host *h, weir_host_on_event on_event, void *ctx)
{
    h->on_event = on_event;
    h->event_ctx = ctx;
}

int weir_host_watch(struct weir_host *h, int fd, unsigned events, weir_host_on_ready on_ready,
                    void *ctx)
{
    struct watch wanted = {.events = events, .on_ready = on_ready, .ctx = ctx};

    return watches_set(&h->watches, fd, &wanted);
}

void weir_host_set_timer(struct weir_host *h, weir_ns_t at, weir_host_on_time on_time, void *ctx)
{
    h->timer_at = at;
    h->on_time = on_time;
    h->time_ctx = ctx;
}
