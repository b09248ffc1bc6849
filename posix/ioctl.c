/*
 * ioctl.c - how much is unread and unsent, where the urgent byte is, and FIONBIO
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "posix/sock.h"

static int unread(struct weir_posix *px, const struct sock *s, int *count)
{
    struct weir_tcp_queued queued = {0};
    uint32_t before = stream_before_urgent(s);
    ptrdiff_t next;

    *count = 0;
    if (s->phase == SOCK_LISTENING)
        return -EINVAL;
    if (s->handle == 0)
        return 0;
    if (s->file.kind == FILE_DATAGRAM) {
        next = weir_udp_peek(px->stack, s->handle, NULL, 0, NULL);
        *count = next > 0 ? (int)next : 0;
        return 0;
    }
    if (sock_is_opening(s) || weir_tcp_queued(px->stack, s->handle, &queued) != WEIR_OK)
        return 0;
    *count = (int)(!s->opts.oob_inline && before < queued.recv_bytes ? before : queued.recv_bytes);
    return 0;
}

static int unsent(struct weir_posix *px, const struct sock *s, bool is_sent_counted, int *count)
{
    struct weir_tcp_queued queued = {0};

    *count = 0;
    if (s->phase == SOCK_LISTENING)
        return -EINVAL;
    if (s->file.kind == FILE_STREAM && s->handle != 0 && !sock_is_opening(s))
        weir_tcp_queued(px->stack, s->handle, &queued);
    *count = (int)(is_sent_counted ? queued.send_bytes : queued.unsent_bytes);
    return 0;
}

static int ioctl_sock(struct weir_posix *px, struct sock *s, unsigned long request, int *value)
{
    switch (request) {
    case SIOCINQ: return unread(px, s, value);
    case SIOCOUTQ: return unsent(px, s, true, value);
    case SIOCOUTQNSD: return s->file.kind == FILE_STREAM ? unsent(px, s, false, value) : -ENOTTY;
    case SIOCATMARK:
        if (s->file.kind != FILE_STREAM)
            return -ENOTTY;
        *value = stream_before_urgent(s) == 0;
        return 0;
    default: return -ENOTTY;
    }
}

static int ioctl_file(struct weir_posix *px, struct file *f, unsigned long request, int *value)
{
    if (request == FIONBIO) {
        f->flags = *value != 0 ? f->flags | O_NONBLOCK : f->flags & ~O_NONBLOCK;
        return 0;
    }
    return f->kind == FILE_EPOLL ? -ENOTTY : ioctl_sock(px, sock_of(f), request, value);
}

int weir_px_ioctl(struct weir_posix *px, int fd, unsigned long request, void *arg)
{
    struct file *f;
    int err = -EBADF;

    px_enter(px);
    f = file_get(px, fd);
    if (f != NULL) {
        err = arg == NULL ? -EFAULT : ioctl_file(px, f, request, arg);
        file_put(px, f);
    }
    return (int)px_return(px, err);
}
