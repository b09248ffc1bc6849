/*
 * socket.c - the calls that all kinds of sockets have
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "posix/option.h"
#include "posix/sock.h"

enum {
    SOCKS_MIN = 64,
    TYPE_FLAGS = SOCK_NONBLOCK | SOCK_CLOEXEC,
};

/* ---- the life of a socket ---- */

static bool grow(struct weir_posix *px)
{
    size_t count = px->sock_count == 0 ? SOCKS_MIN : 2 * px->sock_count;
    struct sock **socks = realloc(px->socks, count * sizeof(struct sock *));

    if (socks == NULL)
        return false;
    memset(socks + px->sock_count, 0, (count - px->sock_count) * sizeof(struct sock *));
    px->socks = socks;
    px->sock_count = count;
    return true;
}

static bool number(struct weir_posix *px, struct sock *s)
{
    while (px->sock_free < px->sock_count && px->socks[px->sock_free] != NULL)
        px->sock_free++;
    if (px->sock_free == px->sock_count && !grow(px))
        return false;
    s->number = px->sock_free;
    px->socks[s->number] = s;
    return true;
}

struct sock *sock_new(struct weir_posix *px, int domain, int type, int protocol)
{
    struct sock *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    if (!number(px, s)) {
        free(s);
        return NULL;
    }
    if (type == SOCK_STREAM)
        file_init(&s->file, &stream_ops, FILE_STREAM);
    else
        file_init(&s->file, &datagram_ops, FILE_DATAGRAM);
    links_init(&s->bound);
    errqueue_init(s);
    s->domain = domain;
    s->local.addr = addr_any(s);
    s->type = type;
    s->protocol = protocol;
    s->opts.low_water = 1;
    s->opts.recv_timeout_ns = -1;
    s->opts.send_timeout_ns = -1;
    s->opts.peek_offset = -1;
    kept_init(&s->opts);
    return s;
}

void sock_free(struct weir_posix *px, struct sock *s)
{
    ports_remove(s);
    keys_free(s);
    sendmem_forget(s);
    errqueue_forget(s);
    px->socks[s->number] = NULL;
    if (s->number < px->sock_free)
        px->sock_free = s->number;
    free(s);
}

void sock_set_handle(struct weir_posix *px, struct sock *s, weir_handle_t handle)
{
    s->handle = handle;
    weir_set(px->stack, handle, WEIR_OPT_USER, (int64_t)s->number);
}

struct sock *sock_get(struct weir_posix *px, int fd, int *err)
{
    struct file *f = file_get(px, fd);

    *err = 0;
    if (f == NULL) {
        *err = -EBADF;
        return NULL;
    }
    if (f->kind == FILE_EPOLL) {
        file_put(px, f);
        *err = -ENOTSOCK;
        return NULL;
    }
    return sock_of(f);
}

void sock_put(struct weir_posix *px, struct sock *s)
{
    file_put(px, &s->file);
}

int sock_take_error(struct sock *s)
{
    int error = s->error;

    s->error = 0;
    return -error;
}

bool sock_is_nonblocking(const struct sock *s, int flags)
{
    return (flags & MSG_DONTWAIT) || (s->file.flags & O_NONBLOCK);
}

static weir_ns_t until(struct weir_posix *px, const struct sock *s, int flags, weir_ns_t timeout_ns)
{
    return sock_is_nonblocking(s, flags) ? INT64_MIN : px_until(px, timeout_ns);
}

weir_ns_t sock_recv_until(struct weir_posix *px, const struct sock *s, int flags)
{
    return until(px, s, flags, s->opts.recv_timeout_ns);
}

weir_ns_t sock_send_until(struct weir_posix *px, const struct sock *s, int flags)
{
    return until(px, s, flags, s->opts.send_timeout_ns);
}

/* ---- socket ---- */

static int check_kind(int domain, int type, int *protocol)
{
    int own = type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;

    if (domain != AF_INET && domain != AF_INET6)
        return -EAFNOSUPPORT;
    if (type < 0 || type > SOCK_PACKET)
        return -EINVAL;
    if (type != SOCK_STREAM && type != SOCK_DGRAM)
        return -ESOCKTNOSUPPORT;
    if (*protocol < 0 || *protocol > UINT8_MAX)
        return -EINVAL;
    if (*protocol != 0 && *protocol != own)
        return -EPROTONOSUPPORT;
    *protocol = own;
    return 0;
}

static int open_socket(struct weir_posix *px, int domain, int type, int protocol)
{
    int kind = type & ~TYPE_FLAGS;
    int err = check_kind(domain, kind, &protocol);
    struct sock *s;

    if (err != 0)
        return err;
    s = sock_new(px, domain, kind, protocol);
    if (s == NULL)
        return -ENOBUFS;
    if (type & SOCK_NONBLOCK)
        s->file.flags |= O_NONBLOCK;
    return file_install(px, &s->file, (type & SOCK_CLOEXEC) != 0);
}

int weir_px_socket(struct weir_posix *px, int domain, int type, int protocol)
{
    px_enter(px);
    return (int)px_return(px, open_socket(px, domain, type, protocol));
}

/* ---- bind ---- */

/* All of 127/8 is ours where there is a loopback interface. */
static bool is_ours(const struct weir_posix *px, const struct weir_addr *addr)
{
    bool is_loopback4 = weir_addr_is_v4(addr) && addr->b[12] == 127;
    struct weir_addr_info info;

    for (size_t i = 0; weir_addr_at(px->stack, i, &info); i++) {
        const struct weir_addr *a = &info.addr.addr;

        if (info.state != WEIR_ADDR_PREFERRED && info.state != WEIR_ADDR_DEPRECATED)
            continue;
        if (weir_addr_eq(a, addr) || (is_loopback4 && weir_addr_is_v4(a) && a->b[12] == 127))
            return true;
    }
    return false;
}

static bool is_multicast(const struct weir_addr *a)
{
    return weir_addr_is_v4(a) ? a->b[12] >> 4 == 14 : a->b[0] == 0xff;
}

static int bind_to(struct weir_posix *px, struct sock *s, const struct sockaddr *addr,
                   socklen_t len)
{
    struct weir_endpoint local;
    int err = addr_parse_to_bind(s, addr, len, &local);

    if (err != 0)
        return err;
    if (!weir_addr_is_any(&local.addr) && !is_multicast(&local.addr) && !s->opts.freebind
        && !is_ours(px, &local.addr))
        return -EADDRNOTAVAIL;
    if (s->phase != SOCK_CLOSED || s->is_bound)
        return -EINVAL;
    err = s->file.kind == FILE_STREAM ? ports_bind(px, s, &local) : datagram_bind(px, s, &local);
    if (err != 0)
        return err;
    s->port_is_asked = local.port != 0;
    s->addr_is_asked = !weir_addr_is_any(&local.addr);
    return 0;
}

int weir_px_bind(struct weir_posix *px, int fd, const struct sockaddr *addr, socklen_t len)
{
    struct sock *s;
    int err;

    px_enter(px);
    s = sock_get(px, fd, &err);
    if (s != NULL) {
        err = addr == NULL ? -EFAULT : bind_to(px, s, addr, len);
        sock_put(px, s);
    }
    return (int)px_return(px, err);
}

/* ---- listen and accept ---- */

int weir_px_listen(struct weir_posix *px, int fd, int backlog)
{
    struct sock *s;
    int err;

    px_enter(px);
    s = sock_get(px, fd, &err);
    if (s != NULL) {
        err = s->file.kind == FILE_STREAM ? stream_listen(px, s, backlog) : -EOPNOTSUPP;
        sock_put(px, s);
    }
    return (int)px_return(px, err);
}

/* Where there is no descriptor for it a connection stays in the queue. */
static int accept_from(struct weir_posix *px, struct sock *s, struct sockaddr *addr, socklen_t *len,
                       int flags)
{
    struct sock *accepted;
    int fd, err = s->file.kind == FILE_STREAM ? stream_wait_to_accept(px, s) : -EOPNOTSUPP;

    if (err != 0)
        return err;
    fd = file_choose(px);
    if (fd < 0)
        return fd;
    err = stream_accept(px, s, &accepted);
    if (err != 0) {
        file_give_back(px, fd);
        return err;
    }
    if (addr != NULL && *len > INT32_MAX) { /* the connection is lost, as on Linux */
        file_give_back(px, fd);
        sock_put(px, accepted);
        return -EINVAL;
    }
    if (flags & SOCK_NONBLOCK)
        accepted->file.flags |= O_NONBLOCK;
    if (addr != NULL)
        addr_store(s, &accepted->remote, addr, len);
    file_install_at(px, fd, &accepted->file, (flags & SOCK_CLOEXEC) != 0);
    return fd;
}

int weir_px_accept4(struct weir_posix *px, int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
    struct sock *s;
    int result;

    px_enter(px);
    s = sock_get(px, fd, &result);
    if (s != NULL) {
        if (flags & ~TYPE_FLAGS)
            result = -EINVAL;
        else if (addr != NULL && len == NULL)
            result = -EFAULT;
        else
            result = accept_from(px, s, addr, len, flags);
        sock_put(px, s);
    }
    return (int)px_return(px, result);
}

int weir_px_accept(struct weir_posix *px, int fd, struct sockaddr *addr, socklen_t *len)
{
    return weir_px_accept4(px, fd, addr, len, 0);
}

/* ---- connect ---- */

static int disconnect(struct weir_posix *px, struct sock *s)
{
    return s->file.kind == FILE_STREAM ? stream_disconnect(px, s) : datagram_disconnect(px, s);
}

static int connect_to(struct weir_posix *px, struct sock *s, const struct sockaddr *addr,
                      socklen_t len)
{
    struct weir_endpoint to;
    int err;

    if (len < sizeof addr->sa_family)
        return -EINVAL;
    if (addr->sa_family == AF_UNSPEC)
        return disconnect(px, s);
    if (s->file.kind == FILE_STREAM && s->phase != SOCK_CLOSED)
        return stream_connect_again(px, s);
    err = addr_parse(s, addr, len, &to);
    if (err != 0)
        return err;
    return s->file.kind == FILE_STREAM ? stream_connect(px, s, &to) : datagram_connect(px, s, &to);
}

int weir_px_connect(struct weir_posix *px, int fd, const struct sockaddr *addr, socklen_t len)
{
    struct sock *s;
    int err;

    px_enter(px);
    s = sock_get(px, fd, &err);
    if (s != NULL) {
        err = addr == NULL ? -EFAULT : connect_to(px, s, addr, len);
        sock_put(px, s);
    }
    return (int)px_return(px, err);
}

/* ---- shutdown and names ---- */

static unsigned down_of(int how)
{
    return how == SHUT_RD ? DOWN_READ : how == SHUT_WR ? DOWN_WRITE : DOWN_BOTH;
}

int weir_px_shutdown(struct weir_posix *px, int fd, int how)
{
    struct sock *s;
    int err;

    px_enter(px);
    s = sock_get(px, fd, &err);
    if (s != NULL) {
        if (how < SHUT_RD || how > SHUT_RDWR)
            err = -EINVAL;
        else if (s->file.kind == FILE_STREAM)
            err = stream_shutdown(px, s, down_of(how));
        else
            err = datagram_shutdown(px, s, down_of(how));
        sock_put(px, s);
    }
    return (int)px_return(px, err);
}

static int check_name(const struct sockaddr *addr, const socklen_t *len)
{
    if (addr == NULL || len == NULL)
        return -EFAULT;
    return *len > INT32_MAX ? -EINVAL : 0;
}

int weir_px_getsockname(struct weir_posix *px, int fd, struct sockaddr *addr, socklen_t *len)
{
    struct sock *s;
    int err;

    px_enter(px);
    s = sock_get(px, fd, &err);
    if (s != NULL) {
        err = check_name(addr, len);
        if (err == 0)
            addr_store(s, &s->local, addr, len);
        sock_put(px, s);
    }
    return (int)px_return(px, err);
}

/* Linux forgets the peer when the connection is closed, and does not know it before it is open. */
static bool has_peer(const struct sock *s)
{
    if (s->file.kind == FILE_DATAGRAM)
        return s->phase == SOCK_CONNECTED;
    return s->is_established && !s->has_ended;
}

int weir_px_getpeername(struct weir_posix *px, int fd, struct sockaddr *addr, socklen_t *len)
{
    struct sock *s;
    int err;

    px_enter(px);
    s = sock_get(px, fd, &err);
    if (s != NULL) {
        err = has_peer(s) ? check_name(addr, len) : -ENOTCONN;
        if (err == 0)
            addr_store(s, &s->remote, addr, len);
        sock_put(px, s);
    }
    return (int)px_return(px, err);
}
