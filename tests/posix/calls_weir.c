/*
 * calls_weir.c - the calls over Weir's sockets
 *
 * One stack with a loopback interface, its host in a thread of its own, and an instance that all
 * the program's threads use.
 */
#include "posix/calls.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <weir/host.h>
#include <weir/posix.h>

static struct weir_host *host;
static struct weir_posix *px;
static pthread_t thread;

static void must(int err, const char *what)
{
    if (err == 0)
        return;
    fprintf(stderr, "%s: %s\n", what, weir_err_text(err));
    exit(2);
}

static void *run(void *ctx)
{
    weir_host_run(ctx);
    return NULL;
}

/* Files and pipes are the kernel's; net_own gives them numbers that no socket has. */
static ssize_t read_file(void *ctx, int fd, void *bytes, size_t len, int64_t *offset)
{
    ssize_t n = offset != NULL ? pread(fd, bytes, len, *offset) : read(fd, bytes, len);

    (void)ctx;
    if (n > 0 && offset != NULL)
        *offset += n;
    return n < 0 ? -errno : n;
}

static ssize_t write_file(void *ctx, int fd, const void *bytes, size_t len, int64_t *offset)
{
    ssize_t n = offset != NULL ? pwrite(fd, bytes, len, *offset) : write(fd, bytes, len);

    (void)ctx;
    if (n > 0 && offset != NULL)
        *offset += n;
    return n < 0 ? -errno : n;
}

static void add_address(weir_netif_t netif, const char *text)
{
    struct weir_prefix prefix;

    must(weir_prefix_parse(text, &prefix), text);
    must(weir_addr_add(weir_host_stack(host), netif, &prefix), text);
}

static void begin(void)
{
    struct weir_netif_config lo = {
        .name = "lo", .link = WEIR_LINK_IP, .mtu = 65535, .loopback = true};
    struct weir_px_config own;
    struct weir_config config;

    weir_host_config(&config);
    config.tcp.congestion_control = "cubic";
    config.ip.icmp_errors_per_peer_s = 50; /* the kernel has no limit for its loopback interface */
    must(weir_host_create(&config, &host), "host");
    weir_px_config_init(&own);
    own.hook.file_read = read_file;
    own.hook.file_write = write_file;
    must(weir_netif_add(weir_host_stack(host), &lo, &own.loopback), "loopback");
    add_address(own.loopback, "127.0.0.1/8");
    add_address(own.loopback, "::1/128");
    must(weir_px_create_on_host(host, &own, &px), "sockets");
    must(pthread_create(&thread, NULL, run, host), "thread");
}

static void end(void)
{
    weir_host_stop(host);
    pthread_join(thread, NULL);
    weir_px_destroy(&px);
    weir_host_destroy(&host);
}

static int px_socket(int domain, int type, int protocol)
{
    return weir_px_socket(px, domain, type, protocol);
}

static int px_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
    return weir_px_bind(px, fd, addr, len);
}

static int px_listen(int fd, int backlog)
{
    return weir_px_listen(px, fd, backlog);
}

static int px_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
    return weir_px_accept4(px, fd, addr, len, flags);
}

static int px_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    return weir_px_connect(px, fd, addr, len);
}

static int px_shutdown(int fd, int how)
{
    return weir_px_shutdown(px, fd, how);
}

static int px_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
    return weir_px_getsockname(px, fd, addr, len);
}

static int px_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
    return weir_px_getpeername(px, fd, addr, len);
}

static int px_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    return weir_px_getsockopt(px, fd, level, name, value, len);
}

static int px_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    return weir_px_setsockopt(px, fd, level, name, value, len);
}

static ssize_t px_sendto(int fd, const void *bytes, size_t len, int flags,
                         const struct sockaddr *addr, socklen_t addr_len)
{
    return weir_px_sendto(px, fd, bytes, len, flags, addr, addr_len);
}

static ssize_t px_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    return weir_px_sendmsg(px, fd, msg, flags);
}

static int px_sendmmsg(int fd, struct mmsghdr *msgs, unsigned count, int flags)
{
    return weir_px_sendmmsg(px, fd, msgs, count, flags);
}

static ssize_t px_write(int fd, const void *bytes, size_t len)
{
    return weir_px_write(px, fd, bytes, len);
}

static ssize_t px_writev(int fd, const struct iovec *iov, int count)
{
    return weir_px_writev(px, fd, iov, count);
}

static ssize_t px_recvfrom(int fd, void *bytes, size_t len, int flags, struct sockaddr *addr,
                           socklen_t *addr_len)
{
    return weir_px_recvfrom(px, fd, bytes, len, flags, addr, addr_len);
}

static ssize_t px_recvmsg(int fd, struct msghdr *msg, int flags)
{
    return weir_px_recvmsg(px, fd, msg, flags);
}

static int px_recvmmsg(int fd, struct mmsghdr *msgs, unsigned count, int flags,
                       struct timespec *timeout)
{
    return weir_px_recvmmsg(px, fd, msgs, count, flags, timeout);
}

static ssize_t px_read(int fd, void *bytes, size_t len)
{
    return weir_px_read(px, fd, bytes, len);
}

static ssize_t px_readv(int fd, const struct iovec *iov, int count)
{
    return weir_px_readv(px, fd, iov, count);
}

static int px_close(int fd)
{
    return weir_px_close(px, fd);
}

static int px_dup(int fd)
{
    return weir_px_dup(px, fd);
}

static int px_dup2(int old_fd, int new_fd)
{
    return weir_px_dup2(px, old_fd, new_fd);
}

static int px_dup3(int old_fd, int new_fd, int flags)
{
    return weir_px_dup3(px, old_fd, new_fd, flags);
}

static int px_fcntl(int fd, int command, long arg)
{
    return weir_px_fcntl(px, fd, command, arg);
}

static int px_ioctl(int fd, unsigned long request, void *arg)
{
    return weir_px_ioctl(px, fd, request, arg);
}

static int px_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    return weir_px_poll(px, fds, count, timeout_ms);
}

static int px_select(int count, fd_set *readable, fd_set *writable, fd_set *exceptional,
                     struct timeval *timeout)
{
    return weir_px_select(px, count, readable, writable, exceptional, timeout);
}

static int px_epoll_create1(int flags)
{
    return weir_px_epoll_create1(px, flags);
}

static int px_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
    return weir_px_epoll_ctl(px, epfd, op, fd, event);
}

static int px_epoll_wait(int epfd, struct epoll_event *events, int max, int timeout_ms)
{
    return weir_px_epoll_wait(px, epfd, events, max, timeout_ms);
}

static ssize_t px_sendfile(int out_fd, int in_fd, int64_t *offset, size_t count)
{
    return weir_px_sendfile(px, out_fd, in_fd, offset, count);
}

static ssize_t px_splice(int in_fd, int64_t *in_offset, int out_fd, int64_t *out_offset, size_t len,
                         unsigned flags)
{
    return weir_px_splice(px, in_fd, in_offset, out_fd, out_offset, len, flags);
}

static int px_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout)
{
    return weir_px_ppoll(px, fds, count, timeout);
}

static int px_pselect(int count, fd_set *readable, fd_set *writable, fd_set *exceptional,
                      const struct timespec *timeout)
{
    return weir_px_pselect(px, count, readable, writable, exceptional, timeout);
}

static int px_epoll_pwait2(int epfd, struct epoll_event *events, int max,
                           const struct timespec *timeout)
{
    return weir_px_epoll_pwait2(px, epfd, events, max, timeout);
}

const struct calls weir_calls = {
    .begin = begin,
    .end = end,
    .socket = px_socket,
    .bind = px_bind,
    .listen = px_listen,
    .accept4 = px_accept4,
    .connect = px_connect,
    .shutdown = px_shutdown,
    .getsockname = px_getsockname,
    .getpeername = px_getpeername,
    .getsockopt = px_getsockopt,
    .setsockopt = px_setsockopt,
    .sendto = px_sendto,
    .sendmsg = px_sendmsg,
    .sendmmsg = px_sendmmsg,
    .write = px_write,
    .writev = px_writev,
    .recvfrom = px_recvfrom,
    .recvmsg = px_recvmsg,
    .recvmmsg = px_recvmmsg,
    .read = px_read,
    .readv = px_readv,
    .sendfile = px_sendfile,
    .splice = px_splice,
    .close = px_close,
    .dup = px_dup,
    .dup2 = px_dup2,
    .dup3 = px_dup3,
    .fcntl = px_fcntl,
    .ioctl = px_ioctl,
    .poll = px_poll,
    .select = px_select,
    .ppoll = px_ppoll,
    .pselect = px_pselect,
    .epoll_create1 = px_epoll_create1,
    .epoll_ctl = px_epoll_ctl,
    .epoll_wait = px_epoll_wait,
    .epoll_pwait2 = px_epoll_pwait2,
};
