/*
 * poll.c - poll and select
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "posix/px.h"

enum { FEW = 16 };

/* A call of poll: who waits, and where. */
struct polling {
    struct pollfd *fds;
    size_t count;
    struct file **files; /* referenced; NULL: not a descriptor, or none is asked for */
    struct watch *watches;
    struct weir_px_waiter waiter;
    struct file *few_files[FEW];
    struct watch few_watches[FEW];
};

weir_ns_t px_ns(int64_t seconds, int64_t ns)
{
    return seconds >= WEIR_NEVER / WEIR_S - 1 ? WEIR_NEVER : seconds * WEIR_S + ns;
}

int px_duration(const struct timespec *timeout, weir_ns_t *duration_ns)
{
    *duration_ns = -1;
    if (timeout == NULL)
        return 0;
    if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= WEIR_S)
        return -EINVAL;
    *duration_ns = px_ns(timeout->tv_sec, timeout->tv_nsec);
    return 0;
}

static bool init(struct polling *p, struct pollfd *fds, size_t count)
{
    *p = (struct polling){.fds = fds, .count = count};
    p->files = count <= FEW ? p->few_files : calloc(count, sizeof(struct file *));
    p->watches = count <= FEW ? p->few_watches : calloc(count, sizeof(struct watch));
    return p->files != NULL && p->watches != NULL;
}

static void fini(struct polling *p)
{
    if (p->files != p->few_files)
        free(p->files);
    if (p->watches != p->few_watches)
        free(p->watches);
}

static void begin(struct weir_posix *px, struct polling *p)
{
    for (size_t i = 0; i < p->count; i++) {
        p->files[i] = file_get(px, p->fds[i].fd);
        if (p->files[i] != NULL)
            watch_add(p->files[i], &p->watches[i], &p->waiter);
    }
}

static void end(struct weir_posix *px, struct polling *p)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->files[i] == NULL)
            continue;
        watch_remove(&p->watches[i]);
        file_put(px, p->files[i]);
    }
}

static short revents_of(struct weir_posix *px, const struct polling *p, size_t i)
{
    struct file *f = p->files[i];

    if (f == NULL)
        return p->fds[i].fd < 0 ? 0 : POLLNVAL;
    return (short)(f->ops->ready(px, f) & ((unsigned short)p->fds[i].events | POLLERR | POLLHUP));
}

static int look(struct weir_posix *px, struct polling *p)
{
    int count = 0;

    for (size_t i = 0; i < p->count; i++) {
        p->fds[i].revents = revents_of(px, p, i);
        count += p->fds[i].revents != 0;
    }
    return count;
}

static int wait_for_any(struct weir_posix *px, struct polling *p, weir_ns_t until)
{
    for (;;) {
        int count = look(px, p), err;

        if (count > 0)
            return count;
        p->waiter = (struct weir_px_waiter){0};
        err = px_wait_for(px, &p->waiter, until);
        if (err != 0)
            return err == -EAGAIN ? look(px, p) : err;
    }
}

static int poll_until(struct weir_posix *px, struct pollfd *fds, size_t count, weir_ns_t until)
{
    struct polling p;
    int result = -ENOMEM;

    if (count > (size_t)px->config.fd_limit)
        return -EINVAL;
    if (init(&p, fds, count)) {
        begin(px, &p);
        result = wait_for_any(px, &p, until);
        end(px, &p);
    }
    fini(&p);
    return result;
}

int weir_px_poll(struct weir_posix *px, struct pollfd *fds, nfds_t count, int timeout_ms)
{
    px_enter(px);
    return (int)px_return(px, poll_until(px, fds, count, px_until(px, timeout_ms * WEIR_MS)));
}

int weir_px_ppoll(struct weir_posix *px, struct pollfd *fds, nfds_t count,
                  const struct timespec *timeout)
{
    weir_ns_t timeout_ns;
    int err = px_duration(timeout, &timeout_ns);

    px_enter(px);
    if (err == 0)
        err = poll_until(px, fds, count, px_until(px, timeout_ns));
    return (int)px_return(px, err);
}

/* ---- select ---- */

enum {
    READABLE = POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR,
    WRITABLE = POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR,
    EXCEPTIONAL = POLLPRI,
};

struct selection {
    fd_set *sets[3];
    int count;
};

static const short asked_of[3] = {READABLE, WRITABLE, EXCEPTIONAL};

static short asked(const struct selection *s, int fd)
{
    int events = 0;

    for (int i = 0; i < 3; i++)
        if (s->sets[i] != NULL && FD_ISSET(fd, s->sets[i]))
            events |= asked_of[i];
    return (short)events;
}

/* Those that are in a set, as poll has them; -EBADF: one is no descriptor. */
static int list(struct weir_posix *px, const struct selection *s, struct pollfd *fds)
{
    int count = 0;

    for (int fd = 0; fd < s->count; fd++) {
        short events = asked(s, fd);

        if (events == 0)
            continue;
        if ((size_t)fd >= px->fd_count || px->fds[fd].file == NULL)
            return -EBADF;
        fds[count++] = (struct pollfd){.fd = fd, .events = events};
    }
    return count;
}

static int store(const struct selection *s, const struct pollfd *fds, int count)
{
    int bits = 0;

    for (int i = 0; i < count; i++) {
        for (int k = 0; k < 3; k++) {
            if (s->sets[k] == NULL || !FD_ISSET(fds[i].fd, s->sets[k]))
                continue;
            if (fds[i].revents & asked_of[k])
                bits++;
            else
                FD_CLR(fds[i].fd, s->sets[k]);
        }
    }
    return bits;
}

static int select_until(struct weir_posix *px, const struct selection *s, weir_ns_t until)
{
    struct pollfd *fds;
    int count, result;

    if (s->count < 0 || s->count > FD_SETSIZE)
        return -EINVAL;
    fds = calloc((size_t)s->count + 1, sizeof *fds);
    if (fds == NULL)
        return -ENOMEM;
    count = list(px, s, fds);
    result = count < 0 ? count : poll_until(px, fds, (size_t)count, until);
    if (result >= 0)
        result = store(s, fds, count);
    free(fds);
    return result;
}

/* What is left of the time is told, as Linux does. */
static void store_left(struct weir_posix *px, weir_ns_t until, struct timeval *timeout)
{
    weir_ns_t left_ns = until - px_now(px);

    if (timeout == NULL || until == WEIR_NEVER)
        return;
    if (left_ns < 0)
        left_ns = 0;
    timeout->tv_sec = (time_t)(left_ns / WEIR_S);
    timeout->tv_usec = (suseconds_t)(left_ns % WEIR_S / WEIR_US);
}

int weir_px_select(struct weir_posix *px, int count, fd_set *readable, fd_set *writable,
                   fd_set *exceptional, struct timeval *timeout)
{
    struct selection s = {{readable, writable, exceptional}, count};
    weir_ns_t until = WEIR_NEVER;
    int result;

    px_enter(px);
    if (timeout != NULL && (timeout->tv_sec < 0 || timeout->tv_usec < 0))
        return (int)px_return(px, -EINVAL);
    if (timeout != NULL)
        until = px_until(px, px_ns(timeout->tv_sec, timeout->tv_usec * WEIR_US));
    result = select_until(px, &s, until);
    store_left(px, until, timeout);
    return (int)px_return(px, result);
}

int weir_px_pselect(struct weir_posix *px, int count, fd_set *readable, fd_set *writable,
                    fd_set *exceptional, const struct timespec *timeout)
{
    struct selection s = {{readable, writable, exceptional}, count};
    weir_ns_t timeout_ns;
    int result = px_duration(timeout, &timeout_ns);

    px_enter(px);
    if (result == 0)
        result = select_until(px, &s, px_until(px, timeout_ns));
    return (int)px_return(px, result);
}
