/*
 * datagram.c - datagram sockets
 *
 * An endpoint of the stack exists from bind, connect or the first send on.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "posix/sock.h"

enum { DATAGRAM_MAX = 65535 };

/* ---- events ---- */

/* The stack tells an error once; it is the socket's from then on. */
static bool note_error(struct weir_posix *px, struct sock *s)
{
    int err = s->handle == 0 ? WEIR_OK : weir_udp_error(px->stack, s->handle);

    if (err == WEIR_OK)
        return false;
    weir_udp_recv(px->stack, s->handle, NULL, 0, NULL, NULL);
    s->error = -px_errno(err);
    return true;
}

void datagram_on_event(struct weir_posix *px, struct sock *s, const struct weir_event *event)
{
    (void)event;
    file_changed(px, &s->file, POLLIN | POLLRDNORM | (note_error(px, s) ? POLLERR : 0));
}

static bool is_readable(struct weir_posix *px, const struct sock *s)
{
    return s->handle != 0 && weir_udp_peek(px->stack, s->handle, NULL, 0, NULL) >= 0;
}

static unsigned ready(struct weir_posix *px, struct file *f)
{
    struct sock *s = sock_of(f);
    unsigned bits = POLLOUT | POLLWRNORM | POLLWRBAND;

    if (s->error != 0 || errqueue_has_any(s))
        bits |= POLLERR;
    if (s->down & DOWN_READ)
        bits |= POLLRDHUP | POLLIN | POLLRDNORM;
    if (s->down == DOWN_BOTH)
        bits |= POLLHUP;
    if (is_readable(px, s))
        bits |= POLLIN | POLLRDNORM;
    return bits;
}

static void release(struct weir_posix *px, struct file *f)
{
    struct sock *s = sock_of(f);

    if (s->handle != 0)
        weir_close(px->stack, s->handle);
    datagram_forget_pending(s);
    sock_free(px, s);
}

const struct file_ops datagram_ops = {ready, release};

/* ---- ends ---- */

static int open_endpoint(struct weir_posix *px, struct sock *s, const struct weir_endpoint *local)
{
    struct weir_opt_value opts[SOCK_LISTED_MAX];
    size_t count = sock_list_options(s, opts, false);
    weir_udp_t udp;
    int err;

    opts[count++] = (struct weir_opt_value){WEIR_OPT_V6ONLY, s->v6only};
    opts[count++] = (struct weir_opt_value){WEIR_OPT_SHARE_PORT, s->reuse_port};
    err = weir_udp_open_with(px->stack, local, NULL, opts, count, &udp);
    if (err != WEIR_OK)
        return px_errno(err);
    sock_set_handle(px, s, udp);
    weir_local(px->stack, udp, &s->local);
    ports_add(px, s);
    return 0;
}

int datagram_bind(struct weir_posix *px, struct sock *s, const struct weir_endpoint *local)
{
    return open_endpoint(px, s, local);
}

static int open_anywhere(struct weir_posix *px, struct sock *s)
{
    struct weir_endpoint any = {.addr = s->local.addr};

    return s->handle != 0 ? 0 : open_endpoint(px, s, &any);
}

static bool is_broadcast(const struct weir_posix *px, const struct weir_addr *addr)
{
    struct weir_addr_info info;

    if (!weir_addr_is_v4(addr))
        return false;
    for (size_t i = 0; weir_addr_at(px->stack, i, &info); i++) {
        uint8_t len = info.addr.len;
        struct weir_addr last = info.addr.addr;

        if (!weir_addr_is_v4(&last) || len >= 127)
            continue;
        for (unsigned bit = len; bit < 128; bit++)
            last.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
        if (weir_addr_eq(&last, addr))
            return true;
    }
    return addr->b[12] == 255 && addr->b[13] == 255 && addr->b[14] == 255 && addr->b[15] == 255;
}

static int check_remote(const struct weir_posix *px, const struct sock *s, struct weir_endpoint *to)
{
    if (weir_addr_is_any(&to->addr))
        to->addr = addr_loopback(&to->addr);
    if (s->domain == AF_INET6 && weir_addr_is_v4(&to->addr) && s->is_bound
        && !weir_addr_is_any(&s->local.addr) && !weir_addr_is_v4(&s->local.addr))
        return -ENETUNREACH;
    return !s->opts.broadcast && is_broadcast(px, &to->addr) ? -EACCES : 0;
}

int datagram_connect(struct weir_posix *px, struct sock *s, const struct weir_endpoint *remote)
{
    struct weir_endpoint to = *remote;
    int err = check_remote(px, s, &to);

    if (err == 0)
        err = open_anywhere(px, s);
    if (err == 0)
        err = px_errno(weir_udp_connect(px->stack, s->handle, &to));
    if (err != 0)
        return err;
    weir_local(px->stack, s->handle, &s->local);
    s->remote = to;
    s->phase = SOCK_CONNECTED;
    return 0;
}

int datagram_disconnect(struct weir_posix *px, struct sock *s)
{
    s->phase = SOCK_CLOSED;
    s->error = 0;
    memset(&s->remote, 0, sizeof s->remote);
    if (s->handle == 0)
        return 0;
    if (!s->port_is_asked) {
        weir_close(px->stack, s->handle);
        s->handle = 0;
        ports_remove(s);
        s->local.port = 0;
        if (!s->addr_is_asked)
            s->local.addr = addr_any(s);
        return 0;
    }
    weir_udp_connect(px->stack, s->handle, NULL);
    weir_local(px->stack, s->handle, &s->local);
    return 0;
}

int datagram_shutdown(struct weir_posix *px, struct sock *s, unsigned how)
{
    s->down |= how;
    file_changed(px, &s->file, POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    return s->phase == SOCK_CONNECTED ? 0 : -ENOTCONN;
}

/* ---- send ---- */

/* Pieces of one datagram, until it is complete: MSG_MORE, UDP_CORK. */
struct pending {
    struct weir_endpoint to;
    bool has_to; /* else it goes to the remote end */
    size_t len;
    uint8_t bytes[DATAGRAM_MAX];
};

void datagram_forget_pending(struct sock *s)
{
    free(s->pending);
    s->pending = NULL;
}

static bool add_bytes(struct pending *p, struct bytes *from)
{
    if (from->left > sizeof p->bytes - p->len)
        return false;
    while (from->left > 0) {
        struct iovec part = bytes_take(from, SIZE_MAX);
        memcpy(p->bytes + p->len, part.iov_base, part.iov_len);
        p->len += part.iov_len;
    }
    return true;
}

static int send_pending(struct weir_posix *px, struct sock *s)
{
    const struct pending *p = s->pending;
    ptrdiff_t sent =
        weir_udp_send(px->stack, s->handle, p->has_to ? &p->to : NULL, p->bytes, p->len);

    datagram_forget_pending(s);
    return sent < 0 ? px_errno(sent) : 0;
}

int datagram_uncork(struct weir_posix *px, struct sock *s)
{
    return s->pending != NULL ? send_pending(px, s) : 0;
}

static int begin_pending(struct sock *s, const struct weir_endpoint *to)
{
    s->pending = malloc(sizeof *s->pending);
    if (s->pending == NULL)
        return -ENOBUFS;
    s->pending->len = 0;
    s->pending->has_to = to != NULL;
    if (to != NULL)
        s->pending->to = *to;
    return 0;
}

static int check_can_send(struct weir_posix *px, struct sock *s)
{
    int err = open_anywhere(px, s);

    if (err != 0)
        return err;
    (void)note_error(px, s);
    if (s->error != 0)
        return sock_take_error(s);
    return s->down & DOWN_WRITE ? -EPIPE : 0;
}

/* A datagram that has begun goes where it was to go, whatever the next piece says. */
static ssize_t send_to(struct weir_posix *px, struct sock *s, const struct weir_endpoint *to,
                       struct bytes *from, int flags)
{
    size_t len = from->left;
    int err = check_can_send(px, s);

    if (err == 0 && s->pending == NULL)
        err = begin_pending(s, to);
    if (err != 0)
        return err;
    if (!add_bytes(s->pending, from)) {
        datagram_forget_pending(s);
        return -EMSGSIZE;
    }
    if (!(flags & MSG_MORE) && !s->opts.udp_cork)
        err = send_pending(px, s);
    return err != 0 ? err : (ssize_t)len;
}

ssize_t datagram_send(struct weir_posix *px, struct sock *s, const struct msghdr *msg,
                      struct bytes *from, int flags)
{
    struct weir_endpoint to;
    int err;

    if (from->left > DATAGRAM_MAX)
        return -EMSGSIZE;
    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (s->pending != NULL)
        return send_to(px, s, NULL, from, flags);
    if (msg->msg_name == NULL)
        return s->phase == SOCK_CONNECTED ? send_to(px, s, NULL, from, flags) : -EDESTADDRREQ;
    err = addr_parse(s, msg->msg_name, msg->msg_namelen, &to);
    if (err == 0 && to.port == 0)
        err = -EINVAL;
    if (err == 0)
        err = check_remote(px, s, &to);
    return err != 0 ? err : send_to(px, s, &to, from, flags);
}

/* ---- recv ---- */

/* Copies what was received to where it is wanted. */
static void scatter(struct bytes *to, const uint8_t *flat, size_t len)
{
    while (len > 0) {
        struct iovec part = bytes_take(to, len);
        memcpy(part.iov_base, flat, part.iov_len);
        flat += part.iov_len;
        len -= part.iov_len;
    }
}

static ssize_t take(struct weir_posix *px, struct sock *s, struct msghdr *msg, struct bytes *to,
                    int flags)
{
    size_t room = to->left < DATAGRAM_MAX ? to->left : DATAGRAM_MAX;
    uint8_t *flat = malloc(room + 1);
    struct weir_datagram about;
    ptrdiff_t len;

    if (flat == NULL)
        return -ENOMEM;
    len = weir_udp_peek(px->stack, s->handle, flat, room, &about);
    if (len >= 0) {
        if (!(flags & MSG_PEEK))
            weir_udp_recv(px->stack, s->handle, NULL, 0, NULL, NULL);
        scatter(to, flat, (size_t)len < room ? (size_t)len : room);
        if (msg->msg_name != NULL)
            addr_store(s, &about.from, msg->msg_name, &msg->msg_namelen);
        else
            msg->msg_namelen = 0;
        msg->msg_flags = (size_t)len > room ? MSG_TRUNC : 0;
        control_put(s, msg, &about);
    }
    free(flat);
    if (len < 0)
        return px_errno(len);
    return (size_t)len > room && !(flags & MSG_TRUNC) ? (ssize_t)room : (ssize_t)len;
}

ssize_t datagram_recv(struct weir_posix *px, struct sock *s, struct msghdr *msg, struct bytes *to,
                      int flags)
{
    weir_ns_t until = sock_recv_until(px, s, flags);

    for (;;) {
        int err;

        (void)note_error(px, s);
        if (s->error != 0)
            return sock_take_error(s);
        if (is_readable(px, s))
            return take(px, s, msg, to, flags);
        if ((s->down & DOWN_READ) && !sock_is_nonblocking(s, flags))
            return 0;
        err = px_wait(px, &s->file, until);
        if (err != 0)
            return err;
    }
}
