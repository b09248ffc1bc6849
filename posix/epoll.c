/*
 * epoll.c - epoll sets
 *
 * A set has an item for each descriptor it watches. A change of a file puts its items into the
 * lists of the ready; whether they are is found out by epoll_wait, which leaves what is level
 * triggered in the list for the next time. A set is a file, too, and may be in another set, if
 * it is not in one already when it gets deeper: so there are no circles.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "posix/px.h"

enum {
    DEPTH_MAX = 5,
    PRIVATE = EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE,
    ALWAYS = EPOLLERR | EPOLLHUP, /* asked for or not, until EPOLLONESHOT has told one */
};

struct set {
    struct file file; /* the first member */
    struct links items;
    struct links ready;
    int depth; /* 1: no set in it */
};

struct item {
    struct set *set;
    struct file *file;
    int fd;
    struct epoll_event event;
    struct links in_set, in_file, in_ready;
};

static struct set *set_of(struct file *f)
{
    return (struct set *)(void *)f;
}

static bool is_disabled(const struct item *i)
{
    return (i->event.events & ~(uint32_t)PRIVATE) == 0;
}

static uint32_t events_of(struct weir_posix *px, const struct item *i)
{
    if (is_disabled(i))
        return 0;
    return i->file->ops->ready(px, i->file) & i->event.events & ~(uint32_t)PRIVATE;
}

/* ---- sets ---- */

static void add_ready(struct weir_posix *px, struct item *i)
{
    if (!links_are_linked(&i->in_ready))
        links_add_last(&i->set->ready, &i->in_ready);
    file_changed(px, &i->set->file, POLLIN);
}

static void remove_item(struct item *i)
{
    links_remove(&i->in_set);
    links_remove(&i->in_file);
    links_remove(&i->in_ready);
    free(i);
}

/* At most as deep as DEPTH_MAX: a set in a set asks its own files. */
static unsigned ready(struct weir_posix *px, struct file *f)
{
    struct set *set = set_of(f);

    for (struct links *l = set->ready.next; l != &set->ready; l = l->next)
        if (events_of(px, LINKED(l, struct item, in_ready)) != 0)
            return POLLIN | POLLRDNORM;
    return 0;
}

static void release(struct weir_posix *px, struct file *f)
{
    struct set *set = set_of(f);

    (void)px;
    while (!links_are_empty(&set->items))
        remove_item(LINKED(set->items.next, struct item, in_set));
    free(set);
}

static const struct file_ops epoll_ops = {ready, release};

void epoll_on_change(struct weir_posix *px, struct file *f, unsigned bits)
{
    for (struct links *l = f->items.next; l != &f->items; l = l->next) {
        struct item *i = LINKED(l, struct item, in_file);

        if ((bits & i->event.events & ~(uint32_t)PRIVATE) != 0)
            add_ready(px, i);
    }
}

void epoll_on_release(struct file *f)
{
    while (!links_are_empty(&f->items))
        remove_item(LINKED(f->items.next, struct item, in_file));
}

static int create(struct weir_posix *px, int flags)
{
    struct set *set;

    if (flags & ~EPOLL_CLOEXEC)
        return -EINVAL;
    set = calloc(1, sizeof *set);
    if (set == NULL)
        return -ENOMEM;
    file_init(&set->file, &epoll_ops, FILE_EPOLL);
    links_init(&set->items);
    links_init(&set->ready);
    set->depth = 1;
    return file_install(px, &set->file, (flags & EPOLL_CLOEXEC) != 0);
}

int weir_px_epoll_create1(struct weir_posix *px, int flags)
{
    px_enter(px);
    return (int)px_return(px, create(px, flags));
}

/* ---- epoll_ctl ---- */

static struct item *find(const struct set *set, struct file *f, int fd)
{
    for (struct links *l = f->items.next; l != &f->items; l = l->next) {
        struct item *i = LINKED(l, struct item, in_file);

        if (i->set == set && i->fd == fd)
            return i;
    }
    return NULL;
}

static int check_depth(struct set *set, struct file *f)
{
    int depth = f->kind == FILE_EPOLL ? set_of(f)->depth + 1 : 1;

    if (depth <= set->depth)
        return 0;
    if (depth > DEPTH_MAX || !links_are_empty(&set->file.items))
        return -ELOOP;
    set->depth = depth;
    return 0;
}

static void arm(struct weir_posix *px, struct item *i, const struct epoll_event *event)
{
    i->event = *event;
    i->event.events |= ALWAYS;
    if (events_of(px, i) != 0)
        add_ready(px, i);
}

static int add(struct weir_posix *px, struct set *set, struct file *f, int fd,
               const struct epoll_event *event)
{
    int err = check_depth(set, f);
    struct item *i;

    if (err != 0)
        return err;
    i = calloc(1, sizeof *i);
    if (i == NULL)
        return -ENOMEM;
    i->set = set;
    i->file = f;
    i->fd = fd;
    links_add_last(&set->items, &i->in_set);
    links_add_last(&f->items, &i->in_file);
    links_init(&i->in_ready);
    arm(px, i, event);
    return 0;
}

static int change(struct weir_posix *px, struct set *set, int op, struct file *f, int fd,
                  const struct epoll_event *event)
{
    struct item *i = find(set, f, fd);

    if (op == EPOLL_CTL_ADD)
        return i != NULL ? -EEXIST : add(px, set, f, fd, event);
    if (i == NULL)
        return -ENOENT;
    if (op == EPOLL_CTL_DEL)
        remove_item(i);
    else if (i->event.events & EPOLLEXCLUSIVE)
        return -EINVAL;
    else
        arm(px, i, event);
    return 0;
}

/* What may be asked together with EPOLLEXCLUSIVE: of a socket, from the beginning, for good. */
static bool is_fit_for_exclusive(const struct file *f, int op, uint32_t events)
{
    const uint32_t with = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET;

    return op == EPOLL_CTL_ADD && f->kind != FILE_EPOLL
           && !(events & ~(with | (uint32_t)EPOLLEXCLUSIVE));
}

static int control(struct weir_posix *px, struct file *set, int op, int fd,
                   const struct epoll_event *event)
{
    struct file *f = file_get(px, fd);
    int err;

    if (f == NULL)
        return -EBADF;
    if (set->kind != FILE_EPOLL || f == set)
        err = -EINVAL;
    else if (op != EPOLL_CTL_ADD && op != EPOLL_CTL_MOD && op != EPOLL_CTL_DEL)
        err = -EINVAL;
    else if (op != EPOLL_CTL_DEL && (event->events & EPOLLEXCLUSIVE)
             && !is_fit_for_exclusive(f, op, event->events))
        err = -EINVAL;
    else
        err = change(px, set_of(set), op, f, fd, event);
    file_put(px, f);
    return err;
}

int weir_px_epoll_ctl(struct weir_posix *px, int epfd, int op, int fd, struct epoll_event *event)
{
    struct file *set;
    int err = -EFAULT;

    px_enter(px);
    if (op != EPOLL_CTL_DEL && event == NULL)
        return (int)px_return(px, err);
    set = file_get(px, epfd);
    err = set == NULL ? -EBADF : control(px, set, op, fd, event);
    if (set != NULL)
        file_put(px, set);
    return (int)px_return(px, err);
}

/* ---- epoll_wait ---- */

/* What is level triggered is looked at again next time, after the others. */
static bool take(struct weir_posix *px, struct item *i, struct epoll_event *event)
{
    uint32_t events = events_of(px, i);

    links_remove(&i->in_ready);
    if (events == 0)
        return false;
    *event = (struct epoll_event){.events = events, .data = i->event.data};
    if (i->event.events & EPOLLONESHOT)
        i->event.events &= PRIVATE;
    else if (!(i->event.events & EPOLLET))
        links_add_last(&i->set->ready, &i->in_ready);
    return true;
}

/* Each item once: those that are put back come after the last of those that were there. */
static int collect(struct weir_posix *px, struct set *set, struct epoll_event *events, int max)
{
    const struct links *last = set->ready.prev, *link;
    int count = 0;

    if (links_are_empty(&set->ready))
        return 0;
    do {
        link = set->ready.next;
        count += take(px, LINKED(set->ready.next, struct item, in_ready), &events[count]);
    } while (count < max && link != last);
    return count;
}

static int wait_for_events(struct weir_posix *px, struct file *f, struct epoll_event *events,
                           int max, weir_ns_t until)
{
    if (f->kind != FILE_EPOLL)
        return -EINVAL;
    for (;;) {
        int count = collect(px, set_of(f), events, max);
        int err;

        if (count > 0)
            return count;
        err = px_wait(px, f, until);
        if (err != 0)
            return err == -EAGAIN ? 0 : err;
    }
}

static int wait_until(struct weir_posix *px, int epfd, struct epoll_event *events, int max,
                      weir_ns_t timeout_ns)
{
    struct file *f;
    int result;

    if (max <= 0)
        return -EINVAL;
    if (events == NULL)
        return -EFAULT;
    f = file_get(px, epfd);
    if (f == NULL)
        return -EBADF;
    result = wait_for_events(px, f, events, max, px_until(px, timeout_ns));
    file_put(px, f);
    return result;
}

int weir_px_epoll_wait(struct weir_posix *px, int epfd, struct epoll_event *events, int max,
                       int timeout_ms)
{
    px_enter(px);
    return (int)px_return(px, wait_until(px, epfd, events, max, timeout_ms * WEIR_MS));
}

int weir_px_epoll_pwait2(struct weir_posix *px, int epfd, struct epoll_event *events, int max,
                         const struct timespec *timeout)
{
    weir_ns_t timeout_ns = -1;
    int err = px_duration(timeout, &timeout_ns);

    px_enter(px);
    return (int)px_return(px, err != 0 ? err : wait_until(px, epfd, events, max, timeout_ns));
}
