/*
 * io.c - the families of send and recv
 *
 * All of them become a message, as sendmsg and recvmsg have it.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>

#include "posix/sock.h"

/* ---- send ---- */

static ssize_t connect_and_send(struct weir_posix *px, struct sock *s, const struct msghdr *msg,
                                struct bytes *from, int flags)
{
    const struct sockaddr *addr = msg->msg_name;
    struct weir_endpoint to;
    int err;

    if (addr == NULL || msg->msg_namelen < sizeof addr->sa_family)
        return -EINVAL;
    if (addr->sa_family == AF_UNSPEC)
        return -EOPNOTSUPP;
    err = addr_parse(s, addr, msg->msg_namelen, &to);
    return err != 0 ? err : stream_send_fastopen(px, s, &to, from, flags);
}

static ssize_t send_bytes(struct weir_posix *px, struct sock *s, const struct msghdr *msg,
                          int flags)
{
    struct bytes from;
    int err = bytes_init(&from, msg->msg_iov, msg->msg_iovlen);

    if (err != 0)
        return err;
    if (s->file.kind == FILE_DATAGRAM)
        return datagram_send(px, s, msg, &from, flags);
    if (s->is_deferred)
        return stream_send_fastopen(px, s, &s->remote, &from, flags);
    return (flags & MSG_FASTOPEN) ? connect_and_send(px, s, msg, &from, flags)
                                  : stream_send(px, s, &from, flags);
}

static ssize_t send_message(struct weir_posix *px, int fd, const struct msghdr *msg, int flags)
{
    ssize_t result;
    struct sock *s;
    int err;

    s = sock_get(px, fd, &err);
    if (s == NULL)
        return err;
    if (msg->msg_name != NULL && msg->msg_namelen > sizeof(struct sockaddr_storage))
        result = -EINVAL;
    else
        result = send_bytes(px, s, msg, flags);
    sock_put(px, s);
    return result;
}

ssize_t weir_px_sendmsg(struct weir_posix *px, int fd, const struct msghdr *msg, int flags)
{
    px_enter(px);
    return px_return(px, msg == NULL ? -EFAULT : send_message(px, fd, msg, flags));
}

ssize_t weir_px_sendto(struct weir_posix *px, int fd, const void *bytes, size_t len, int flags,
                       const struct sockaddr *addr, socklen_t addr_len)
{
    struct iovec iov = {(void *)(uintptr_t)bytes, len};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_name = (void *)(uintptr_t)addr,
                         .msg_namelen = addr_len};

    return weir_px_sendmsg(px, fd, &msg, flags);
}

ssize_t weir_px_send(struct weir_posix *px, int fd, const void *bytes, size_t len, int flags)
{
    return weir_px_sendto(px, fd, bytes, len, flags, NULL, 0);
}

/* write on what is no socket: an epoll set cannot be written. */
static int check_file(struct weir_posix *px, int fd)
{
    struct file *f = file_get(px, fd);
    int err = f == NULL ? -EBADF : f->kind == FILE_EPOLL ? -EINVAL : 0;

    if (f != NULL)
        file_put(px, f);
    return err;
}

ssize_t weir_px_writev(struct weir_posix *px, int fd, const struct iovec *iov, int count)
{
    struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)count};
    ssize_t result;

    px_enter(px);
    result = check_file(px, fd);
    if (result == 0 && (count < 0 || count > IOV_MAX))
        result = -EINVAL;
    return px_return(px, result != 0 ? result : send_message(px, fd, &msg, 0));
}

ssize_t weir_px_write(struct weir_posix *px, int fd, const void *bytes, size_t len)
{
    struct iovec iov = {(void *)(uintptr_t)bytes, len};

    return weir_px_writev(px, fd, &iov, 1);
}

int weir_px_sendmmsg(struct weir_posix *px, int fd, struct mmsghdr *msgs, unsigned count, int flags)
{
    ssize_t result = 0;
    unsigned done = 0;

    px_enter(px);
    if (count > IOV_MAX)
        count = IOV_MAX;
    if (count == 0)
        result = check_file(px, fd);
    for (; done < count; done++) {
        result = send_message(px, fd, &msgs[done].msg_hdr, flags);
        if (result < 0)
            break;
        msgs[done].msg_len = (unsigned)result;
    }
    return (int)px_return(px, done > 0 ? (ssize_t)done : result < 0 ? result : 0);
}

/* ---- recv ---- */

static ssize_t recv_stream(struct weir_posix *px, struct sock *s, struct msghdr *msg, int flags)
{
    struct bytes to;
    int err = bytes_init(&to, msg->msg_iov, msg->msg_iovlen);
    ssize_t got;

    if (err != 0)
        return err;
    got = stream_recv(px, s, &to, flags);
    if (got < 0)
        return got;
    msg->msg_namelen = 0;
    msg->msg_flags = (flags & MSG_OOB) ? MSG_OOB : 0;
    if (s->opts.recv_inq)
        control_put_inq(msg, stream_left(px, s));
    else
        msg->msg_controllen = 0;
    return got;
}

static ssize_t recv_datagram(struct weir_posix *px, struct sock *s, struct msghdr *msg, int flags)
{
    struct bytes to;
    int err = bytes_init(&to, msg->msg_iov, msg->msg_iovlen);

    return err != 0 ? err : datagram_recv(px, s, msg, &to, flags);
}

static ssize_t recv_error(struct weir_posix *px, struct sock *s, struct msghdr *msg)
{
    struct bytes to;
    int err = bytes_init(&to, msg->msg_iov, msg->msg_iovlen);

    return err != 0 ? err : errqueue_recv(px, s, msg, &to);
}

static ssize_t recv_message(struct weir_posix *px, int fd, struct msghdr *msg, int flags)
{
    ssize_t result;
    struct sock *s;
    int err;

    s = sock_get(px, fd, &err);
    if (s == NULL)
        return err;
    if (flags & MSG_ERRQUEUE)
        result = recv_error(px, s, msg);
    else if (s->file.kind == FILE_STREAM)
        result = recv_stream(px, s, msg, flags);
    else
        result = recv_datagram(px, s, msg, flags);
    sock_put(px, s);
    return result;
}

ssize_t weir_px_recvmsg(struct weir_posix *px, int fd, struct msghdr *msg, int flags)
{
    px_enter(px);
    return px_return(px, msg == NULL ? -EFAULT : recv_message(px, fd, msg, flags));
}

ssize_t weir_px_recvfrom(struct weir_posix *px, int fd, void *bytes, size_t len, int flags,
                         struct sockaddr *addr, socklen_t *addr_len)
{
    struct iovec iov = {bytes, len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_name = addr};
    ssize_t result;

    px_enter(px);
    if (addr != NULL && addr_len == NULL)
        return px_return(px, -EFAULT);
    if (addr != NULL)
        msg.msg_namelen = *addr_len;
    result = recv_message(px, fd, &msg, flags);
    if (result >= 0 && addr != NULL)
        *addr_len = msg.msg_namelen;
    return px_return(px, result);
}

ssize_t weir_px_recv(struct weir_posix *px, int fd, void *bytes, size_t len, int flags)
{
    return weir_px_recvfrom(px, fd, bytes, len, flags, NULL, NULL);
}

/* read of no bytes never waits, unlike recv. */
ssize_t weir_px_readv(struct weir_posix *px, int fd, const struct iovec *iov, int count)
{
    struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)count};
    struct bytes to;
    ssize_t result;

    px_enter(px);
    result = check_file(px, fd);
    if (result == 0 && (count < 0 || count > IOV_MAX))
        result = -EINVAL;
    if (result == 0)
        result = bytes_init(&to, iov, (size_t)count);
    if (result == 0 && to.left > 0)
        result = recv_message(px, fd, &msg, 0);
    return px_return(px, result);
}

ssize_t weir_px_read(struct weir_posix *px, int fd, void *bytes, size_t len)
{
    struct iovec iov = {bytes, len};

    return weir_px_readv(px, fd, &iov, 1);
}

/* The timeout is looked at between datagrams only, as Linux does. */
int weir_px_recvmmsg(struct weir_posix *px, int fd, struct mmsghdr *msgs, unsigned count, int flags,
                     struct timespec *timeout)
{
    weir_ns_t timeout_ns, until;
    ssize_t result = px_duration(timeout, &timeout_ns);
    unsigned done = 0;

    px_enter(px);
    if (result != 0)
        return (int)px_return(px, result);
    until = px_until(px, timeout_ns);
    while (done < count) {
        result = recv_message(px, fd, &msgs[done].msg_hdr, flags & ~MSG_WAITFORONE);
        if (result < 0)
            break;
        msgs[done++].msg_len = (unsigned)result;
        if (flags & MSG_WAITFORONE)
            flags |= MSG_DONTWAIT;
        if (px_now(px) >= until)
            break;
    }
    return (int)px_return(px, done > 0 ? (ssize_t)done : result);
}
