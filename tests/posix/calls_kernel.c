/*
 * calls_kernel.c - the calls over the kernel's sockets
 */
#include "posix/calls.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <unistd.h>

static void nothing(void)
{
}

static int kernel_fcntl(int fd, int command, long arg)
{
    return fcntl(fd, command, arg);
}

static int kernel_ioctl(int fd, unsigned long request, void *arg)
{
    return ioctl(fd, request, arg);
}

/* The C library's declarations differ in a qualifier, or take unions of pointers. */
static int kernel_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
    return bind(fd, addr, len);
}

static int kernel_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
    return accept4(fd, addr, len, flags);
}

static int kernel_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    return connect(fd, addr, len);
}

static int kernel_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
    return getsockname(fd, addr, len);
}

static int kernel_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
    return getpeername(fd, addr, len);
}

static ssize_t kernel_sendto(int fd, const void *bytes, size_t len, int flags,
                             const struct sockaddr *addr, socklen_t addr_len)
{
    return sendto(fd, bytes, len, flags, addr, addr_len);
}

static int kernel_sendmmsg(int fd, struct mmsghdr *msgs, unsigned count, int flags)
{
    return sendmmsg(fd, msgs, count, flags);
}

static ssize_t kernel_recvfrom(int fd, void *bytes, size_t len, int flags, struct sockaddr *addr,
                               socklen_t *addr_len)
{
    return recvfrom(fd, bytes, len, flags, addr, addr_len);
}

static int kernel_recvmmsg(int fd, struct mmsghdr *msgs, unsigned count, int flags,
                           struct timespec *timeout)
{
    return recvmmsg(fd, msgs, count, flags, timeout);
}

static ssize_t kernel_sendfile(int out_fd, int in_fd, int64_t *offset, size_t count)
{
    off_t at = offset != NULL ? *offset : 0;
    ssize_t result = sendfile(out_fd, in_fd, offset != NULL ? &at : NULL, count);

    if (offset != NULL)
        *offset = at;
    return result;
}

static ssize_t kernel_splice(int in_fd, int64_t *in_offset, int out_fd, int64_t *out_offset,
                             size_t len, unsigned flags)
{
    return splice(in_fd, in_offset, out_fd, out_offset, len, flags);
}

static int kernel_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout)
{
    return ppoll(fds, count, timeout, NULL);
}

static int kernel_pselect(int count, fd_set *readable, fd_set *writable, fd_set *exceptional,
                          const struct timespec *timeout)
{
    return pselect(count, readable, writable, exceptional, timeout, NULL);
}

static int kernel_epoll_pwait2(int epfd, struct epoll_event *events, int max,
                               const struct timespec *timeout)
{
    return epoll_pwait2(epfd, events, max, timeout, NULL);
}

const struct calls kernel_calls = {
    .begin = nothing,
    .end = nothing,
    .socket = socket,
    .bind = kernel_bind,
    .listen = listen,
    .accept4 = kernel_accept4,
    .connect = kernel_connect,
    .shutdown = shutdown,
    .getsockname = kernel_getsockname,
    .getpeername = kernel_getpeername,
    .getsockopt = getsockopt,
    .setsockopt = setsockopt,
    .sendto = kernel_sendto,
    .sendmsg = sendmsg,
    .sendmmsg = kernel_sendmmsg,
    .write = write,
    .writev = writev,
    .recvfrom = kernel_recvfrom,
    .recvmsg = recvmsg,
    .recvmmsg = kernel_recvmmsg,
    .read = read,
    .readv = readv,
    .sendfile = kernel_sendfile,
    .splice = kernel_splice,
    .close = close,
    .dup = dup,
    .dup2 = dup2,
    .dup3 = dup3,
    .fcntl = kernel_fcntl,
    .ioctl = kernel_ioctl,
    .poll = poll,
    .select = select,
    .ppoll = kernel_ppoll,
    .pselect = kernel_pselect,
    .epoll_create1 = epoll_create1,
    .epoll_ctl = epoll_ctl,
    .epoll_wait = epoll_wait,
    .epoll_pwait2 = kernel_epoll_pwait2,
};
