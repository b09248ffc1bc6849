/*
 * weir/posix.h - sockets: BSD socket semantics over a stack (libweir-os)
 *
 * An instance gives a stack file descriptors, blocking calls, poll and epoll. There are no
 * globals: every call names its instance, and descriptors of different instances have nothing
 * to do with one another or with the kernel's. Apart from that, a call is the POSIX (or Linux)
 * one of the same name, with Linux's results, error numbers and corner cases: -1 and errno on
 * failure. docs/deviations.md lists where it differs.
 *
 * The instance does no input or output, reads no clock and has no threads. Frames are the
 * caller's business, and it locks and waits only through a hook, so that the same code runs on
 * threads with a real clock and in virtual time with a single thread.
 *
 * Threads. Every call takes the lock of the hook, and gives it back before it returns and
 * while it waits; so any thread may make any call. The stack belongs to whoever holds that
 * lock: a thread that moves frames holds it during weir_input, weir_advance, weir_output and
 * weir_px_run. The typical one:
 *
 *     lock
 *     weir_advance(now), weir_input(frames), weir_px_run, weir_output(frames)
 *     unlock
 *     wait for frames, for weir_deadline, or until hook.changed was called
 *
 * In virtual time lock and unlock are NULL, and hook.wait does the same as that thread, time and
 * again, until the waiter is woken or its time has come.
 */
#ifndef WEIR_POSIX_H
#define WEIR_POSIX_H

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <weir/weir.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mmsghdr; /* sys/socket.h, with _GNU_SOURCE */
struct weir_host;
struct weir_posix;

/* ---- the hook ---- */

/* A call that waits. It lives as long as the hook's wait lasts. */
struct weir_px_waiter {
    bool is_woken; /* set, under the lock, before wake is called */
    void *owner;   /* the hook's: for instance a condition variable */
};

/*
 * What an instance asks of its surroundings. Functions marked as optional may be NULL. None but
 * wait may call the instance; all but lock and now are called with the lock held.
 */
struct weir_px_hook {
    void *ctx; /* the first argument of those for locking and waiting */

    /* Optional, both or neither. */
    void (*lock)(void *ctx);
    void (*unlock)(void *ctx);

    /* The time, on the stack's clock. */
    weir_ns_t (*now)(void *ctx);

    /*
     * Gives the lock up, waits until waiter->is_woken or it is until (WEIR_NEVER: no limit), and
     * takes the lock again. May return early. Returns 0, or an errno (EINTR) with which the
     * waiting call is to end. Optional: without it, what would wait fails with EAGAIN.
     */
    int (*wait)(void *ctx, struct weir_px_waiter *waiter, weir_ns_t until);

    /* Optional: waiter->is_woken has been set. It may be woken again before it runs. */
    void (*wake)(void *ctx, struct weir_px_waiter *waiter);

    /* Optional: the stack may have frames to send, or an earlier deadline, because of a call. */
    void (*changed)(void *ctx);

    void *files_ctx; /* the first argument of those that follow */

    /*
     * Optional, both or neither: a number for a new descriptor that is not in use, or a negative
     * errno; and the end of its use. Without them, the lowest free number from fd_first on.
     */
    int (*fd_open)(void *ctx);
    void (*fd_close)(void *ctx, int fd);

    /* Optional: the calling thread is to get SIGPIPE. */
    void (*sigpipe)(void *ctx);

    /*
     * Optional: for sendfile and splice, descriptors that are not the instance's. They read or
     * write at *offset, which they move, or, if offset is NULL, where the file stands. Return a
     * count, 0 at the end, or a negative errno.
     */
    ssize_t (*file_read)(void *ctx, int fd, void *bytes, size_t len, int64_t *offset);
    ssize_t (*file_write)(void *ctx, int fd, const void *bytes, size_t len, int64_t *offset);
};

struct weir_px_config {
    struct weir_px_hook hook;
    weir_netif_t loopback; /* an interface made with loopback: what is sent over it comes back
                              within the call, as on Linux; 0: none */
    int fd_first;          /* the lowest descriptor: default 3 */
    int fd_limit;          /* descriptors are below it (EMFILE): default 1048576 */
    int somaxconn;         /* no backlog is longer: default 4096 */
};

/* Fills in the defaults. The hook has no function yet; it needs now at least. Any thread. */
WEIR_API void weir_px_config_init(struct weir_px_config *config);

/*
 * Makes an instance over a stack, which has to outlive it. From now on the stack's events are
 * the instance's, as long as weir_px_run takes them. 0, WEIR_EINVAL or WEIR_ENOMEM.
 */
WEIR_API int weir_px_create(struct weir *stack, const struct weir_px_config *config,
                            struct weir_posix **px);

/*
 * Makes an instance over the stack of a host (weir/host.h), with a hook of its own that has a mutex
 * and condition variables; of the configuration's hook, only the functions for descriptors, files
 * and SIGPIPE are used, and all of them may be NULL. The host runs in one thread (weir_host_run)
 * and any thread may use the sockets. To use the stack or the host directly, any thread takes the
 * lock first. Destroy the instance when weir_host_run has ended, and before the host.
 */
WEIR_API int weir_px_create_on_host(struct weir_host *host, const struct weir_px_config *config,
                                    struct weir_posix **px);

/* The lock of an instance, for whoever uses its stack directly. What that has to send goes out. */
WEIR_API void weir_px_lock(struct weir_posix *px);
WEIR_API void weir_px_unlock(struct weir_posix *px);

/*
 * How a stream socket's send buffer is counted. Weir's own way, which an instance begins with, is by
 * bytes. Linux counts the memory they cost there, fills what it has begun whatever the limit says,
 * and lets buffers grow with the congestion window: how much a write takes, and when poll says that
 * there is room again, differs. Programs seldom depend on it, tests do.
 */
struct weir_px_send_memory {
    bool counts_overhead;         /* Linux's way */
    uint32_t largest_bytes;       /* a limit that grows stops here: tcp_wmem[2] */
    uint32_t notsent_lowat_bytes; /* of sockets without TCP_NOTSENT_LOWAT; 0: none */
};

/* For sockets that are connected from now on. Any thread. */
WEIR_API void weir_px_send_memory(struct weir_posix *px, const struct weir_px_send_memory *config);

/*
 * Whether one of the buffers that are counted so ends behind the first so many bytes (modulo 2^32)
 * that were written to the socket: Linux would hand what is before and what is behind to a device one
 * after the other. Of what has been acknowledged it is not known any more.
 */
WEIR_API bool weir_px_send_buffer_ends(struct weir_posix *px, int fd, uint32_t written_bytes);

/* Closes every descriptor. Nobody may be inside a call. Takes *px; NULL is allowed. */
WEIR_API void weir_px_destroy(struct weir_posix **px);

/*
 * Takes the stack's events and wakes those who wait for them. To be called with the lock held
 * after weir_input and weir_advance, and before the next wait for frames.
 */
WEIR_API void weir_px_run(struct weir_posix *px);

/*
 * The same for one event that somebody else has taken from the stack; false: it is of no socket
 * of this instance. With the lock held.
 */
WEIR_API bool weir_px_event(struct weir_posix *px, const struct weir_event *event);

/* Whether fd is open in this instance. */
WEIR_API bool weir_px_is_open(struct weir_posix *px, int fd);

/*
 * The connection, listener or endpoint behind a socket, for what only the library can tell; 0 for
 * none (not connected). It may be used with the lock held, until the socket is closed.
 */
WEIR_API weir_handle_t weir_px_handle(struct weir_posix *px, int fd);

/* ---- sockets: AF_INET and AF_INET6; SOCK_STREAM and SOCK_DGRAM ---- */

WEIR_API int weir_px_socket(struct weir_posix *px, int domain, int type, int protocol);
WEIR_API int weir_px_bind(struct weir_posix *px, int fd, const struct sockaddr *addr,
                          socklen_t len);
WEIR_API int weir_px_listen(struct weir_posix *px, int fd, int backlog);
WEIR_API int weir_px_accept(struct weir_posix *px, int fd, struct sockaddr *addr, socklen_t *len);
WEIR_API int weir_px_accept4(struct weir_posix *px, int fd, struct sockaddr *addr, socklen_t *len,
                             int flags);
WEIR_API int weir_px_connect(struct weir_posix *px, int fd, const struct sockaddr *addr,
                             socklen_t len);
WEIR_API int weir_px_shutdown(struct weir_posix *px, int fd, int how);
WEIR_API int weir_px_getsockname(struct weir_posix *px, int fd, struct sockaddr *addr,
                                 socklen_t *len);
WEIR_API int weir_px_getpeername(struct weir_posix *px, int fd, struct sockaddr *addr,
                                 socklen_t *len);
WEIR_API int weir_px_getsockopt(struct weir_posix *px, int fd, int level, int name, void *value,
                                socklen_t *len);
WEIR_API int weir_px_setsockopt(struct weir_posix *px, int fd, int level, int name,
                                const void *value, socklen_t len);

/* ---- sending and receiving ---- */

WEIR_API ssize_t weir_px_send(struct weir_posix *px, int fd, const void *bytes, size_t len,
                              int flags);
WEIR_API ssize_t weir_px_sendto(struct weir_posix *px, int fd, const void *bytes, size_t len,
                                int flags, const struct sockaddr *addr, socklen_t addr_len);
WEIR_API ssize_t weir_px_sendmsg(struct weir_posix *px, int fd, const struct msghdr *msg,
                                 int flags);
WEIR_API int weir_px_sendmmsg(struct weir_posix *px, int fd, struct mmsghdr *msgs, unsigned count,
                              int flags);
WEIR_API ssize_t weir_px_write(struct weir_posix *px, int fd, const void *bytes, size_t len);
WEIR_API ssize_t weir_px_writev(struct weir_posix *px, int fd, const struct iovec *iov, int count);

WEIR_API ssize_t weir_px_recv(struct weir_posix *px, int fd, void *bytes, size_t len, int flags);
WEIR_API ssize_t weir_px_recvfrom(struct weir_posix *px, int fd, void *bytes, size_t len, int flags,
                                  struct sockaddr *addr, socklen_t *addr_len);
WEIR_API ssize_t weir_px_recvmsg(struct weir_posix *px, int fd, struct msghdr *msg, int flags);
WEIR_API int weir_px_recvmmsg(struct weir_posix *px, int fd, struct mmsghdr *msgs, unsigned count,
                              int flags, struct timespec *timeout);
WEIR_API ssize_t weir_px_read(struct weir_posix *px, int fd, void *bytes, size_t len);
WEIR_API ssize_t weir_px_readv(struct weir_posix *px, int fd, const struct iovec *iov, int count);

/*
 * Sends from a file to a socket: in_fd is one of hook.file_read. splice moves bytes between a
 * socket and a pipe (or any file) of hook.file_read and hook.file_write, or between two sockets;
 * flags are SPLICE_F_MORE and SPLICE_F_NONBLOCK, which is for the other end: a socket waits or not as
 * O_NONBLOCK says. offset may be NULL.
 */
WEIR_API ssize_t weir_px_sendfile(struct weir_posix *px, int out_fd, int in_fd, int64_t *offset,
                                  size_t count);
WEIR_API ssize_t weir_px_splice(struct weir_posix *px, int in_fd, int64_t *in_offset, int out_fd,
                                int64_t *out_offset, size_t len, unsigned flags);

/* ---- descriptors ---- */

WEIR_API int weir_px_close(struct weir_posix *px, int fd);
WEIR_API int weir_px_dup(struct weir_posix *px, int fd);

/* With hook.fd_open, new_fd is a number that the caller has reserved. */
WEIR_API int weir_px_dup2(struct weir_posix *px, int old_fd, int new_fd);
WEIR_API int weir_px_dup3(struct weir_posix *px, int old_fd, int new_fd, int flags);

/* F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_DUPFD, F_DUPFD_CLOEXEC; arg where they have one. */
WEIR_API int weir_px_fcntl(struct weir_posix *px, int fd, int command, long arg);

/* FIONREAD (SIOCINQ), FIONBIO, SIOCOUTQ (TIOCOUTQ), SIOCOUTQNSD, SIOCATMARK; arg is an int *. */
WEIR_API int weir_px_ioctl(struct weir_posix *px, int fd, unsigned long request, void *arg);

/* ---- waiting for several ---- */

WEIR_API int weir_px_poll(struct weir_posix *px, struct pollfd *fds, nfds_t count, int timeout_ms);

/* timeout NULL: no limit. The caller deals with signal masks. */
WEIR_API int weir_px_ppoll(struct weir_posix *px, struct pollfd *fds, nfds_t count,
                           const struct timespec *timeout);
WEIR_API int weir_px_select(struct weir_posix *px, int count, fd_set *readable, fd_set *writable,
                            fd_set *exceptional, struct timeval *timeout);
WEIR_API int weir_px_pselect(struct weir_posix *px, int count, fd_set *readable, fd_set *writable,
                             fd_set *exceptional, const struct timespec *timeout);

WEIR_API int weir_px_epoll_create1(struct weir_posix *px, int flags);
WEIR_API int weir_px_epoll_ctl(struct weir_posix *px, int epfd, int op, int fd,
                               struct epoll_event *event);
WEIR_API int weir_px_epoll_wait(struct weir_posix *px, int epfd, struct epoll_event *events,
                                int max, int timeout_ms);
WEIR_API int weir_px_epoll_pwait2(struct weir_posix *px, int epfd, struct epoll_event *events,
                                  int max, const struct timespec *timeout);

#ifdef __cplusplus
}
#endif

#endif
