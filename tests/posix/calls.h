/*
 * calls.h - the socket calls of the comparison, over the kernel's sockets or Weir's
 */
#ifndef TESTS_POSIX_CALLS_H
#define TESTS_POSIX_CALLS_H

#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct calls {
    void (*begin)(void);
    void (*end)(void);
    int (*socket)(int domain, int type, int protocol);
    int (*bind)(int fd, const struct sockaddr *addr, socklen_t len);
    int (*listen)(int fd, int backlog);
    int (*accept4)(int fd, struct sockaddr *addr, socklen_t *len, int flags);
    int (*connect)(int fd, const struct sockaddr *addr, socklen_t len);
    int (*shutdown)(int fd, int how);
    int (*getsockname)(int fd, struct sockaddr *addr, socklen_t *len);
    int (*getpeername)(int fd, struct sockaddr *addr, socklen_t *len);
    int (*getsockopt)(int fd, int level, int name, void *value, socklen_t *len);
    int (*setsockopt)(int fd, int level, int name, const void *value, socklen_t len);
    ssize_t (*sendto)(int fd, const void *bytes, size_t len, int flags, const struct sockaddr *addr,
                      socklen_t addr_len);
    ssize_t (*sendmsg)(int fd, const struct msghdr *msg, int flags);
    int (*sendmmsg)(int fd, struct mmsghdr *msgs, unsigned count, int flags);
    ssize_t (*write)(int fd, const void *bytes, size_t len);
    ssize_t (*writev)(int fd, const struct iovec *iov, int count);
    ssize_t (*recvfrom)(int fd, void *bytes, size_t len, int flags, struct sockaddr *addr,
                        socklen_t *addr_len);
    ssize_t (*recvmsg)(int fd, struct msghdr *msg, int flags);
    int (*recvmmsg)(int fd, struct mmsghdr *msgs, unsigned count, int flags,
                    struct timespec *timeout);
    ssize_t (*read)(int fd, void *bytes, size_t len);
    ssize_t (*readv)(int fd, const struct iovec *iov, int count);
    ssize_t (*sendfile)(int out_fd, int in_fd, int64_t *offset, size_t count);
    ssize_t (*splice)(int in_fd, int64_t *in_offset, int out_fd, int64_t *out_offset, size_t len,
                      unsigned flags);
    int (*close)(int fd);
    int (*dup)(int fd);
    int (*dup2)(int old_fd, int new_fd);
    int (*dup3)(int old_fd, int new_fd, int flags);
    int (*fcntl)(int fd, int command, long arg);
    int (*ioctl)(int fd, unsigned long request, void *arg);
    int (*poll)(struct pollfd *fds, nfds_t count, int timeout_ms);
    int (*select)(int count, fd_set *readable, fd_set *writable, fd_set *exceptional,
                  struct timeval *timeout);
    int (*ppoll)(struct pollfd *fds, nfds_t count, const struct timespec *timeout);
    int (*pselect)(int count, fd_set *readable, fd_set *writable, fd_set *exceptional,
                   const struct timespec *timeout);
    int (*epoll_create1)(int flags);
    int (*epoll_ctl)(int epfd, int op, int fd, struct epoll_event *event);
    int (*epoll_wait)(int epfd, struct epoll_event *events, int max, int timeout_ms);
    int (*epoll_pwait2)(int epfd, struct epoll_event *events, int max,
                        const struct timespec *timeout);
};

extern const struct calls kernel_calls;
extern const struct calls weir_calls;

/* The ones of this run. */
extern const struct calls *sys;

#endif
