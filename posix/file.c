/*
 * file.c - descriptors, and telling those who watch a file
 */
#include "posix/px.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum {
    FDS_MIN = 64,
    FLAGS_SETTABLE = O_NONBLOCK | O_APPEND | O_ASYNC | O_NOATIME,
};

/* ---- files ---- */

void file_init(struct file *f, const struct file_ops *ops, enum file_kind kind)
{
    *f = (struct file){.ops = ops, .kind = kind, .refs = 1, .flags = O_RDWR};
    links_init(&f->watches);
    links_init(&f->items);
    links_init(&f->changed);
}

void file_ref(struct file *f)
{
    f->refs++;
}

/* While release waits (linger), the file must not be released again. */
void file_put(struct weir_posix *px, struct file *f)
{
    if (--f->refs > 0)
        return;
    epoll_on_release(f);
    links_remove(&f->changed);
    f->ops->release(px, f);
}

struct file *file_get(struct weir_posix *px, int fd)
{
    struct file *f;

    if (fd < 0 || (size_t)fd >= px->fd_count)
        return NULL;
    f = px->fds[fd].file;
    if (f != NULL)
        file_ref(f);
    return f;
}

/* ---- changes ---- */

void watch_add(struct file *f, struct watch *watch, struct weir_px_waiter *waiter)
{
    links_init(&watch->link);
    watch->waiter = waiter;
    links_add_last(&f->watches, &watch->link);
}

void watch_remove(struct watch *watch)
{
    links_remove(&watch->link);
}

void file_changed(struct weir_posix *px, struct file *f, unsigned bits)
{
    f->changed_bits |= bits;
    if (!links_are_linked(&f->changed))
        links_add_last(&px->changed, &f->changed);
}

static void wake(struct weir_posix *px, struct weir_px_waiter *waiter)
{
    const struct weir_px_hook *hook = &px->config.hook;

    if (waiter->is_woken)
        return;
    waiter->is_woken = true;
    if (hook->wake != NULL)
        hook->wake(hook->ctx, waiter);
}

/* An epoll set that thereby becomes ready is put at the end of the list. */
void file_tell_changes(struct weir_posix *px)
{
    for (struct links *link; (link = links_take_first(&px->changed)) != NULL;) {
        struct file *f = LINKED(link, struct file, changed);
        unsigned bits = f->changed_bits;

        f->changed_bits = 0;
        for (struct links *i = f->watches.next; i != &f->watches; i = i->next)
            wake(px, LINKED(i, struct watch, link)->waiter);
        epoll_on_change(px, f, bits);
    }
}

/* ---- descriptors ---- */

static bool grow(struct weir_posix *px, size_t fd)
{
    size_t count = px->fd_count < FDS_MIN ? FDS_MIN : px->fd_count;
    struct descriptor *fds;

    if (fd < px->fd_count)
        return true;
    while (count <= fd)
        count *= 2;
    fds = realloc(px->fds, count * sizeof *fds);
    if (fds == NULL)
        return false;
    memset(fds + px->fd_count, 0, (count - px->fd_count) * sizeof *fds);
    px->fds = fds;
    px->fd_count = count;
    return true;
}

/* The lowest free number from the given one on, or a negative errno. */
static int choose(struct weir_posix *px, size_t first)
{
    size_t fd = first < px->fd_lowest ? px->fd_lowest : first;

    if (px->config.hook.fd_open != NULL)
        return px->config.hook.fd_open(px->config.hook.files_ctx);
    while (fd < px->fd_count && px->fds[fd].file != NULL)
        fd++;
    if (first <= px->fd_lowest)
        px->fd_lowest = fd;
    return fd < (size_t)px->config.fd_limit ? (int)fd : -EMFILE;
}

static void set(struct weir_posix *px, int fd, struct file *f, bool cloexec)
{
    px->fds[fd] = (struct descriptor){.file = f, .cloexec = cloexec};
}

void file_give_back(struct weir_posix *px, int fd)
{
    if (px->config.hook.fd_close != NULL)
        px->config.hook.fd_close(px->config.hook.files_ctx, fd);
}

/* A number with room for it. */
static int choose_from(struct weir_posix *px, size_t first)
{
    int fd = choose(px, first);

    if (fd < 0 || grow(px, (size_t)fd))
        return fd;
    file_give_back(px, fd);
    return -ENOMEM;
}

int file_choose(struct weir_posix *px)
{
    return choose_from(px, 0);
}

void file_install_at(struct weir_posix *px, int fd, struct file *f, bool cloexec)
{
    set(px, fd, f, cloexec);
}

int file_install(struct weir_posix *px, struct file *f, bool cloexec)
{
    int fd = file_choose(px);

    if (fd < 0)
        file_put(px, f);
    else
        set(px, fd, f, cloexec);
    return fd;
}

static void clear(struct weir_posix *px, int fd)
{
    struct file *f = px->fds[fd].file;

    px->fds[fd] = (struct descriptor){0};
    if ((size_t)fd < px->fd_lowest && fd >= px->config.fd_first)
        px->fd_lowest = (size_t)fd;
    file_give_back(px, fd);
    file_put(px, f);
}

static bool is_open(const struct weir_posix *px, int fd)
{
    return fd >= 0 && (size_t)fd < px->fd_count && px->fds[fd].file != NULL;
}

void file_close_all(struct weir_posix *px)
{
    px->config.hook.wait = NULL; /* nobody lingers */
    for (size_t fd = 0; fd < px->fd_count; fd++)
        if (px->fds[fd].file != NULL)
            clear(px, (int)fd);
}

int weir_px_close(struct weir_posix *px, int fd)
{
    int err = 0;

    px_enter(px);
    if (is_open(px, fd))
        clear(px, fd);
    else
        err = -EBADF;
    return (int)px_return(px, err);
}

static int duplicate(struct weir_posix *px, int fd, size_t first, bool cloexec)
{
    struct file *f;
    int copy;

    if (!is_open(px, fd))
        return -EBADF;
    f = px->fds[fd].file;
    copy = choose_from(px, first);
    if (copy < 0)
        return copy;
    file_ref(f);
    set(px, copy, f, cloexec);
    return copy;
}

int weir_px_dup(struct weir_posix *px, int fd)
{
    px_enter(px);
    return (int)px_return(px, duplicate(px, fd, 0, false));
}

/* The new number's old file goes after the new one has come: it may be the same. */
static int duplicate_to(struct weir_posix *px, int old_fd, int new_fd, bool cloexec)
{
    struct file *before;

    if (!is_open(px, old_fd) || new_fd < 0 || new_fd >= px->config.fd_limit)
        return -EBADF;
    if (!grow(px, (size_t)new_fd))
        return -ENOMEM;
    before = px->fds[new_fd].file;
    file_ref(px->fds[old_fd].file);
    set(px, new_fd, px->fds[old_fd].file, cloexec);
    if (before != NULL)
        file_put(px, before);
    return new_fd;
}

int weir_px_dup2(struct weir_posix *px, int old_fd, int new_fd)
{
    int result = new_fd;

    px_enter(px);
    if (old_fd != new_fd)
        result = duplicate_to(px, old_fd, new_fd, false);
    else if (!is_open(px, old_fd))
        result = -EBADF;
    return (int)px_return(px, result);
}

int weir_px_dup3(struct weir_posix *px, int old_fd, int new_fd, int flags)
{
    int result = -EINVAL;

    px_enter(px);
    if (old_fd != new_fd && (flags & ~O_CLOEXEC) == 0)
        result = duplicate_to(px, old_fd, new_fd, (flags & O_CLOEXEC) != 0);
    return (int)px_return(px, result);
}

static int duplicate_above(struct weir_posix *px, int fd, long first, bool cloexec)
{
    if (first < 0 || first >= px->config.fd_limit)
        return -EINVAL;
    return duplicate(px, fd, (size_t)first, cloexec);
}

static int control(struct weir_posix *px, int fd, int command, long arg)
{
    struct file *f;

    if (!is_open(px, fd))
        return -EBADF;
    f = px->fds[fd].file;
    switch (command) {
    case F_GETFL: return f->flags;
    case F_SETFL: f->flags = (f->flags & ~FLAGS_SETTABLE) | ((int)arg & FLAGS_SETTABLE); return 0;
    case F_GETFD: return px->fds[fd].cloexec ? FD_CLOEXEC : 0;
    case F_SETFD: px->fds[fd].cloexec = (arg & FD_CLOEXEC) != 0; return 0;
    case F_DUPFD: return duplicate_above(px, fd, arg, false);
    case F_DUPFD_CLOEXEC: return duplicate_above(px, fd, arg, true);
    default: return -EINVAL;
    }
}

int weir_px_fcntl(struct weir_posix *px, int fd, int command, long arg)
{
    px_enter(px);
    return (int)px_return(px, control(px, fd, command, arg));
}
