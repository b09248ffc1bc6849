/*
 * call_list.h - the socket calls of a target, by name
 *
 * CALL(result, name, parameters, arguments): the first parameter is the target, which is not among
 * the arguments. The lists say who has something to do of its own; all others hand a call on as it
 * is, by a macro of theirs. A new call is a line here, and a function where it is not handed on.
 */
#ifndef DRILL_CALL_LIST_H
#define DRILL_CALL_LIST_H

/* Handed on by everybody. */
#define DRILL_CALLS_PLAIN(CALL)                                                                    \
    CALL(int, accept, (void *t, int fd, struct sockaddr *addr, socklen_t *len), fd, addr, len)     \
    CALL(int, connect, (void *t, int fd, const struct sockaddr *addr, socklen_t len), fd, addr,    \
         len)                                                                                      \
    CALL(ssize_t, recvmsg, (void *t, int fd, struct msghdr *msg, int flags), fd, msg, flags)       \
    CALL(ssize_t, recvfrom,                                                                        \
         (void *t, int fd, void *bytes, size_t len, int flags, struct sockaddr *addr,              \
          socklen_t *addr_len),                                                                    \
         fd, bytes, len, flags, addr, addr_len)                                                    \
    CALL(int, shutdown, (void *t, int fd, int how), fd, how)                                       \
    CALL(int, poll, (void *t, struct pollfd *fds, nfds_t count, int timeout_ms), fds, count,       \
         timeout_ms)                                                                               \
    CALL(int, epoll_ctl, (void *t, int epfd, int op, int fd, struct epoll_event *event), epfd, op, \
         fd, event)                                                                                \
    CALL(int, epoll_wait,                                                                          \
         (void *t, int epfd, struct epoll_event *events, int max, int timeout_ms), epfd, events,   \
         max, timeout_ms)

/* world.c looks at these: at what sysctls allow, and at descriptors that are none of its sockets. */
#define DRILL_CALLS_OF_WORLD(CALL)                                                                 \
    CALL(int, listen, (void *t, int fd, int backlog), fd, backlog)                                 \
    CALL(ssize_t, readv, (void *t, int fd, const struct iovec *iov, int count), fd, iov, count)    \
    CALL(ssize_t, writev, (void *t, int fd, const struct iovec *iov, int count), fd, iov, count)   \
    CALL(ssize_t, sendmsg, (void *t, int fd, const struct msghdr *msg, int flags), fd, msg, flags) \
    CALL(ssize_t, sendto,                                                                          \
         (void *t, int fd, const void *bytes, size_t len, int flags, const struct sockaddr *addr,  \
          socklen_t addr_len),                                                                     \
         fd, bytes, len, flags, addr, addr_len)                                                    \
    CALL(int, close, (void *t, int fd), fd)                                                        \
    CALL(int, setsockopt,                                                                          \
         (void *t, int fd, int level, int name, const void *value, socklen_t len), fd, level,      \
         name, value, len)

/* packetdrill passes these in other shapes, or looks at them. */
#define DRILL_CALLS_OF_PACKETDRILL(CALL)                                                           \
    CALL(int, bind, (void *t, int fd, const struct sockaddr *addr, socklen_t len), fd, addr, len)  \
    CALL(int, fcntl, (void *t, int fd, int command, long arg), fd, command, arg)                   \
    CALL(int, ioctl, (void *t, int fd, unsigned long request, void *arg), fd, request, arg)        \
    CALL(int, getsockopt, (void *t, int fd, int level, int name, void *value, socklen_t *len), fd, \
         level, name, value, len)

/* Everybody has these in a way of his own. */
#define DRILL_CALLS_OF_ALL(CALL)                                                                   \
    CALL(int, socket, (void *t, int domain, int type, int protocol), domain, type, protocol)       \
    CALL(int, epoll_create, (void *t), )                                                           \
    CALL(int, pipe, (void *t, int fds[2]), fds)                                                    \
    CALL(int, open, (void *t, const char *path, int flags), path, flags)                           \
    CALL(ssize_t, sendfile, (void *t, int out_fd, int in_fd, int64_t *offset, size_t len), out_fd, \
         in_fd, offset, len)                                                                       \
    CALL(ssize_t, splice,                                                                          \
         (void *t, int in_fd, int64_t *in_offset, int out_fd, int64_t *out_offset, size_t len,     \
          unsigned flags),                                                                         \
         in_fd, in_offset, out_fd, out_offset, len, flags)

#define DRILL_CALLS(CALL)                                                                          \
    DRILL_CALLS_PLAIN(CALL)                                                                        \
    DRILL_CALLS_OF_WORLD(CALL)                                                                     \
    DRILL_CALLS_OF_PACKETDRILL(CALL)                                                               \
    DRILL_CALLS_OF_ALL(CALL)

/* A table's line for a function of the usual name. */
#define DRILL_CALL_ENTRY(result, name, parameters, ...) .name = call_##name,

#endif
