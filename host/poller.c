/*
 * poller.c - wait for descriptors, to the nanosecond
 */
#include "host/poller.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>
#include <weir/err.h>

_Static_assert(POLLIN == EPOLLIN && POLLOUT == EPOLLOUT && POLLERR == EPOLLERR
                   && POLLHUP == EPOLLHUP && POLLPRI == EPOLLPRI,
               "events are passed on as they are");

enum {
    WAIT_MAX = 64,
};

int poller_init(struct poller *p)
{
    p->fd = epoll_create1(EPOLL_CLOEXEC);
    p->is_coarse = false;
    return p->fd < 0 ? WEIR_ENOMEM : 0;
}

void poller_fini(struct poller *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

static int code_of(int os)
{
    switch (os) {
    case EPERM: return WEIR_ENOTSUP;
    case ENOMEM:
    case ENOSPC: return WEIR_ENOMEM;
    default: return WEIR_EINVAL;
    }
}

int poller_set(struct poller *p, int fd, unsigned events, uint64_t tag)
{
    struct epoll_event e = {.events = events, .data = {.u64 = tag}};

    if (events == 0) {
        /* The descriptor may have been closed already, which is as good. */
        epoll_ctl(p->fd, EPOLL_CTL_DEL, fd, &e);
        return 0;
    }
    if (epoll_ctl(p->fd, EPOLL_CTL_MOD, fd, &e) == 0)
        return 0;
    /* A number that was closed and given out again is unknown to the kernel. */
    if (errno == ENOENT && epoll_ctl(p->fd, EPOLL_CTL_ADD, fd, &e) == 0)
        return 0;
    return code_of(errno);
}

static int to_ms(weir_ns_t wait_ns)
{
    weir_ns_t ms = wait_ns / WEIR_MS + (wait_ns % WEIR_MS != 0);

    return ms > INT_MAX ? INT_MAX : (int)ms;
}

static int wait_for(struct poller *p, struct epoll_event *ready, int max, weir_ns_t wait_ns)
{
    struct timespec t = {(time_t)(wait_ns / WEIR_S), (long)(wait_ns % WEIR_S)};
    int count;

    if (wait_ns == WEIR_NEVER)
        return epoll_wait(p->fd, ready, max, -1);
    if (wait_ns <= 0)
        return epoll_wait(p->fd, ready, max, 0);
    if (!p->is_coarse) {
        count = epoll_pwait2(p->fd, ready, max, &t, NULL);
        if (count >= 0 || errno != ENOSYS)
            return count;
        p->is_coarse = true; /* Linux before 5.11 */
    }
    return epoll_wait(p->fd, ready, max, to_ms(wait_ns));
}

size_t poller_wait(struct poller *p, struct poller_event *events, size_t max, weir_ns_t wait_ns)
{
    struct epoll_event ready[WAIT_MAX];
    int count = wait_for(p, ready, max < WAIT_MAX ? (int)max : WAIT_MAX, wait_ns);

    /* A signal interrupts the wait, and nothing is ready. */
    for (int i = 0; i < count; i++)
        events[i] = (struct poller_event){ready[i].data.u64, ready[i].events};
    return count < 0 ? 0 : (size_t)count;
}
