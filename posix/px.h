/*
 * px.h - an instance, and what is common to all that has a descriptor
 *
 * A file is what descriptors refer to (POSIX's open file description): a socket or an epoll
 * set. It lives as long as a descriptor or a call at work refers to it. Who waits for it has a
 * watch on it, and an epoll set has an item.
 *
 * Everything here is done under the hook's lock. Functions return 0 or a count, or a negative
 * errno; only the public functions set errno.
 */
#ifndef POSIX_PX_H
#define POSIX_PX_H

#include "posix/links.h"
#include <stdbool.h>
#include <stdint.h>
#include <weir/posix.h>

struct file;
struct sock;

enum { PX_PORT_BUCKETS = 256 };

struct file_ops {
    /* What poll would say now: POLLIN, POLLOUT, POLLPRI, POLLERR, POLLHUP, POLLRDHUP, ... */
    unsigned (*ready)(struct weir_posix *px, struct file *f);

    /* The last reference is gone. May wait (linger). Frees f. */
    void (*release)(struct weir_posix *px, struct file *f);
};

enum file_kind {
    FILE_STREAM,
    FILE_DATAGRAM,
    FILE_EPOLL,
};

struct file {
    const struct file_ops *ops;
    enum file_kind kind;
    uint32_t refs;
    int flags;             /* O_NONBLOCK, and what else F_SETFL may set */
    struct links watches;  /* struct watch */
    struct links items;    /* struct item of epoll.c */
    struct links changed;  /* in px.changed */
    unsigned changed_bits; /* what has happened there */
};

/* Somebody waits for something to happen to a file. */
struct watch {
    struct links link;
    struct weir_px_waiter *waiter;
};

struct descriptor {
    struct file *file; /* NULL: free */
    bool cloexec;
};

struct weir_posix {
    struct weir *stack;
    struct weir_px_config config;
    struct descriptor *fds; /* by number - config.fd_first, or by number with hook.fd_open */
    size_t fd_count;        /* room in fds */
    size_t fd_lowest;       /* none below is free */
    struct sock **socks;    /* by the number that the stack's events carry */
    size_t sock_count;      /* room in socks */
    size_t sock_free;       /* none below is free */
    struct links ports[PX_PORT_BUCKETS]; /* sockets with a local port: sock.bound */
    struct links changed;                /* files whose watchers are to be told */
    uint32_t port_turn;                  /* of weir_tcp_port */
    struct weir_px_send_memory send_memory;
    weir_ns_t deadline_at; /* the stack's when the call began */
    void *own_hook;        /* of hosted.c */
    void (*free_own_hook)(void *own_hook);
};

/* ---- instance.c ---- */

/* A public call begins: takes the lock, and what time and the network have brought. */
void px_enter(struct weir_posix *px);

/* It ends: what is to be sent is said to be, the lock goes back. */
void px_leave(struct weir_posix *px);

/* The same with the result: negative is an errno. */
ssize_t px_return(struct weir_posix *px, ssize_t result);

weir_ns_t px_now(struct weir_posix *px);

/* The instant after a duration; negative: never. */
weir_ns_t px_until(struct weir_posix *px, weir_ns_t duration_ns);

/*
 * Waits until something happens to the file, or until the time has come: 0; -EAGAIN: the time
 * had come already or nobody can wait; -EINTR. What was done before is sent first.
 */
int px_wait(struct weir_posix *px, struct file *f, weir_ns_t until);

/* The same for a waiter that watches several files, with its watches in place. */
int px_wait_for(struct weir_posix *px, struct weir_px_waiter *waiter, weir_ns_t until);

/* The errno, negative, for a code of weir/err.h. */
int px_errno(ptrdiff_t err);

/* ---- file.c ---- */

void file_init(struct file *f, const struct file_ops *ops, enum file_kind kind);

/* The file of a descriptor, with a reference for the caller; NULL: no such one. */
struct file *file_get(struct weir_posix *px, int fd);
void file_ref(struct file *f);
void file_put(struct weir_posix *px, struct file *f);

/*
 * The number that the next descriptor has, or -EMFILE or -ENOMEM. Before anybody else comes it is
 * used for a file, to which goes the caller's reference, or given back.
 */
int file_choose(struct weir_posix *px);
void file_install_at(struct weir_posix *px, int fd, struct file *f, bool cloexec);
void file_give_back(struct weir_posix *px, int fd);

/* Gives a file a descriptor, to which goes the caller's reference. A number, -EMFILE or -ENOMEM,
 * and then the file is released. */
int file_install(struct weir_posix *px, struct file *f, bool cloexec);

/* Something has happened to f: these poll bits may hold now that did not. */
void file_changed(struct weir_posix *px, struct file *f, unsigned bits);

/* Tells those who watch files that have changed. */
void file_tell_changes(struct weir_posix *px);

void file_close_all(struct weir_posix *px);

void watch_add(struct file *f, struct watch *watch, struct weir_px_waiter *waiter);
void watch_remove(struct watch *watch);

/* ---- epoll.c ---- */

/* A file has changed that is in epoll sets, or goes away. */
void epoll_on_change(struct weir_posix *px, struct file *f, unsigned bits);
void epoll_on_release(struct file *f);

/* ---- poll.c ---- */

/* Of both together; WEIR_NEVER if that is too long. */
weir_ns_t px_ns(int64_t seconds, int64_t ns);

/* A duration in nanoseconds, -1 for NULL: no limit. 0, or -EINVAL. */
int px_duration(const struct timespec *timeout, weir_ns_t *duration_ns);

#endif
