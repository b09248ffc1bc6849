/*
 * stream.c - stream sockets: what they are, from connect and accept to close
 *
 * The stack's events say what has become of a connection; they are noted in the socket, in the
 * terms of Linux: a pending error that is told once, and the directions that are down.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "posix/sock.h"

/* ---- events ---- */

/* The byte is kept when it has come: it may be read after those around it. */
static void note_urgent(struct weir_posix *px, struct sock *s)
{
    ptrdiff_t ahead = weir_urgent(px->stack, s->handle);
    uint64_t at = s->read_bytes + (uint64_t)ahead - 1;

    if (ahead <= 0 || (s->urgent.state != URGENT_NONE && at <= s->urgent.at))
        return;
    s->urgent.state = URGENT_AWAITED;
    s->urgent.at = at;
}

static void look_for_urgent(struct weir_posix *px, struct sock *s)
{
    size_t skip = (size_t)(s->urgent.at - s->read_bytes);

    if (s->urgent.state == URGENT_AWAITED
        && weir_peek(px->stack, s->handle, skip, &s->urgent.byte, 1) == 1)
        s->urgent.state = URGENT_HERE;
}

/* The peer's reset after its end is a broken pipe to Linux. */
static int error_of_end(const struct sock *s, int err)
{
    int error = -px_errno(err);

    if (error == ECONNRESET && s->peer_closed && !(s->down & DOWN_WRITE))
        return EPIPE;
    if (error == ETIMEDOUT && s->soft_error != 0)
        return s->soft_error;
    return error;
}

static void note_end(struct sock *s, int err)
{
    if (err != WEIR_OK)
        s->error = error_of_end(s, err);
    s->has_ended = true;
    s->down = DOWN_BOTH;
}

/* What poll may say now that it did not before: whoever waits for edges waits for his own. */
static unsigned changes_of(unsigned bits)
{
    const unsigned news = WEIR_EVENT_READABLE | WEIR_EVENT_URGENT | WEIR_EVENT_ACCEPTABLE;
    const unsigned turns = WEIR_EVENT_CONNECTED | WEIR_EVENT_PEER_CLOSED | WEIR_EVENT_CLOSED;
    unsigned changes = 0;

    if (bits & (news | turns))
        changes |= POLLIN | POLLRDNORM | POLLPRI;
    if (bits & (WEIR_EVENT_WRITABLE | turns))
        changes |= POLLOUT | POLLWRNORM;
    if (bits & turns)
        changes |= POLLRDHUP | POLLERR | POLLHUP;
    return changes;
}

void stream_on_event(struct weir_posix *px, struct sock *s, const struct weir_event *event)
{
    unsigned bits = event->bits;

    if (bits & WEIR_EVENT_CONNECTED) {
        s->is_established = true;
        s->soft_error = 0; /* who asks SO_ERROR now wants to know whether the attempt succeeded */
    }
    if (bits & WEIR_EVENT_URGENT)
        note_urgent(px, s);
    if (bits & (WEIR_EVENT_URGENT | WEIR_EVENT_READABLE))
        look_for_urgent(px, s);
    if (bits & WEIR_EVENT_PEER_CLOSED) {
        s->peer_closed = true;
        s->down |= DOWN_READ;
    }
    if (bits & (WEIR_EVENT_WRITABLE | WEIR_EVENT_CLOSED))
        errqueue_on_acked(px, s);
    if ((bits & WEIR_EVENT_WRITABLE) && !sendmem_on_acked(px, s))
        bits &= ~(unsigned)WEIR_EVENT_WRITABLE;
    if (bits & WEIR_EVENT_SOFT_ERROR && !(bits & (WEIR_EVENT_CONNECTED | WEIR_EVENT_CLOSED)))
        s->soft_error = -px_errno(event->error);
    if (bits & WEIR_EVENT_CLOSED)
        note_end(s, event->error);
    file_changed(px, &s->file, changes_of(bits));
}

/* ---- readiness ---- */

static bool is_open(const struct sock *s)
{
    return s->handle != 0 && s->phase != SOCK_LISTENING && !sock_is_opening(s);
}

void stream_want(struct weir_posix *px, const struct sock *s, enum stream_wants what)
{
    int64_t before = 0;

    weir_get(px->stack, s->handle, WEIR_OPT_NOTE_WRITABLE, &before);
    weir_set(px->stack, s->handle, WEIR_OPT_NOTE_WRITABLE, before | (int64_t)what);
}

/* Nobody can write into a buffer of which two thirds are used. */
static bool is_writable(struct weir_posix *px, struct sock *s)
{
    struct weir_tcp_queued queued;

    if (px->send_memory.counts_overhead && is_open(s) && !s->has_ended) {
        if (sendmem_is_writable(px, s))
            return true;
        sendmem_want_room(px, s);
        return false;
    }
    if (!is_open(s) || s->has_ended || weir_tcp_queued(px->stack, s->handle, &queued) != WEIR_OK)
        return true;
    if (queued.send_room >= (queued.send_bytes + 1) / 2 && queued.send_room > 0
        && (s->opts.notsent_lowat <= 0
            || queued.unsent_bytes < (uint32_t)s->opts.notsent_lowat / 2))
        return true;
    stream_want(px, s, STREAM_ROOM);
    return false;
}

static bool is_readable(struct weir_posix *px, const struct sock *s)
{
    struct weir_tcp_queued queued;
    uint32_t wanted = s->opts.low_water;

    if (s->handle == 0 || weir_tcp_queued(px->stack, s->handle, &queued) != WEIR_OK)
        return false;
    if (stream_before_urgent(s) == 0 && !s->opts.oob_inline)
        wanted++; /* the urgent byte is not read with the others */
    return queued.recv_bytes >= wanted;
}

static unsigned ready_open(struct weir_posix *px, struct sock *s)
{
    unsigned bits = 0;

    if (is_readable(px, s))
        bits |= POLLIN | POLLRDNORM;
    if ((s->down & DOWN_WRITE) || is_writable(px, s))
        bits |= POLLOUT | POLLWRNORM;
    if (s->urgent.state == URGENT_HERE)
        bits |= POLLPRI;
    return bits;
}

static unsigned ready(struct weir_posix *px, struct file *f)
{
    struct sock *s = sock_of(f);
    unsigned bits = 0;

    if (s->phase == SOCK_LISTENING)
        return weir_acceptable(px->stack, s->handle) > 0 ? POLLIN | POLLRDNORM : 0;
    if (s->is_deferred)
        return POLLOUT | POLLWRNORM;
    if (s->down == DOWN_BOTH || s->has_ended || s->handle == 0)
        bits |= POLLHUP;
    if (s->down & DOWN_READ)
        bits |= POLLIN | POLLRDNORM | POLLRDHUP;
    if (!sock_is_opening(s))
        bits |= ready_open(px, s);
    if (s->error != 0 || errqueue_has_any(s))
        bits |= POLLERR;
    return bits;
}

/* ---- listening ---- */

static int open_listener(struct weir_posix *px, struct sock *s)
{
    struct weir_opt_value opts[SOCK_LISTED_MAX];
    weir_listener_t listener;
    size_t count;
    int err;

    if (!ports_can_listen(px, s))
        return -EADDRINUSE;
    count = sock_list_options(s, opts, true);
    opts[count++] = (struct weir_opt_value){WEIR_OPT_V6ONLY, s->v6only};
    opts[count++] = (struct weir_opt_value){WEIR_OPT_SHARE_PORT, s->reuse_port};
    err = weir_listen_with(px->stack, &s->local, s->backlog, opts, count, &listener);
    if (err != WEIR_OK)
        return px_errno(err);
    err = keys_apply(px, s, listener);
    if (err == 0)
        err = sock_apply_fastopen_keys(px, s, listener);
    if (err != 0) {
        weir_close(px->stack, listener);
        return err;
    }
    sock_set_handle(px, s, listener);
    s->phase = SOCK_LISTENING;
    return 0;
}

static uint32_t backlog_of(const struct weir_posix *px, int backlog)
{
    unsigned asked = (unsigned)backlog, most = (unsigned)px->config.somaxconn;

    return asked < most ? asked : most;
}

/* What bind has asked for, when the port has gone with a connection; or any. */
static struct weir_endpoint only_address(const struct sock *s)
{
    return (struct weir_endpoint){.addr = s->local.addr};
}

int stream_listen(struct weir_posix *px, struct sock *s, int backlog)
{
    struct weir_endpoint own = only_address(s);
    int err = 0;

    s->backlog = backlog_of(px, backlog);
    if (s->phase == SOCK_LISTENING)
        return px_errno(weir_set(px->stack, s->handle, WEIR_OPT_BACKLOG, s->backlog));
    if (s->phase != SOCK_CLOSED)
        return -EINVAL;
    if (!s->is_bound)
        err = ports_bind(px, s, &own);
    return err != 0 ? err : open_listener(px, s);
}

/* A new socket is like its listener, but for what descriptors have. NULL: no memory. */
static struct sock *inherit(struct weir_posix *px, const struct sock *listener)
{
    struct sock *s = sock_new(px, listener->domain, listener->type, listener->protocol);

    if (s == NULL)
        return NULL;
    s->opts = listener->opts;
    s->v6only = listener->v6only;
    s->reuse_addr = listener->reuse_addr;
    s->reuse_port = listener->reuse_port;
    return s;
}

int stream_accept(struct weir_posix *px, const struct sock *listener, struct sock **accepted)
{
    struct sock *s = inherit(px, listener);
    weir_conn_t conn;
    int err;

    if (s == NULL)
        return -ENOBUFS;
    err = weir_accept(px->stack, listener->handle, &conn);
    if (err != WEIR_OK) {
        sock_free(px, s);
        return px_errno(err);
    }
    *accepted = s;
    s->phase = SOCK_CONNECTED;
    s->is_established = true;
    sock_set_handle(px, s, conn);
    weir_local(px->stack, conn, &s->local);
    weir_remote(px->stack, conn, &s->remote);
    ports_add(px, s);
    weir_px_run(px); /* what happened before it was accepted */
    return 0;
}

int stream_wait_to_accept(struct weir_posix *px, struct sock *s)
{
    weir_ns_t until = sock_recv_until(px, s, 0);

    for (;;) {
        int err;

        if (s->phase != SOCK_LISTENING)
            return -EINVAL;
        if (weir_acceptable(px->stack, s->handle) > 0)
            return 0;
        err = px_wait(px, &s->file, until);
        if (err != 0)
            return err;
    }
}

/* ---- connecting ---- */

/*
 * The socket forgets its connection. A port that bind has not asked for is free again, though, as
 * on Linux, the socket still shows it.
 */
static void forget(struct weir_posix *px, struct sock *s)
{
    if (s->handle != 0)
        weir_close(px->stack, s->handle);
    s->handle = 0;
    s->phase = SOCK_CLOSED;
    s->is_established = false;
    s->has_ended = false;
    s->peer_closed = false;
    s->down = 0;
    s->soft_error = 0;
    s->read_bytes = 0;
    s->syn_bytes = 0;
    s->urgent = (struct urgent){0};
    s->is_deferred = false;
    errqueue_on_acked(px, s);
    sendmem_forget(s);
    memset(&s->remote, 0, sizeof s->remote);
    if (!s->addr_is_asked)
        s->local.addr = addr_any(s);
    if (!s->port_is_asked)
        ports_remove(s);
}

/* The end of a connect that has failed. */
static int fail(struct weir_posix *px, struct sock *s)
{
    int err = sock_take_error(s);

    forget(px, s);
    return err != 0 ? err : -ECONNABORTED;
}

static int finish_connect(struct weir_posix *px, struct sock *s, weir_ns_t until, int unfinished)
{
    while (sock_is_opening(s)) {
        int err = px_wait(px, &s->file, until);

        if (err == -EAGAIN)
            return unfinished;
        if (err != 0)
            return err;
    }
    if (s->phase != SOCK_CONNECTING) /* somebody else has finished or given it up */
        return s->phase == SOCK_CONNECTED ? 0 : fail(px, s);
    if (!s->is_established)
        return fail(px, s);
    s->phase = SOCK_CONNECTED;
    return 0;
}

int stream_connect_again(struct weir_posix *px, struct sock *s)
{
    if (s->phase == SOCK_CONNECTING && !s->is_deferred)
        return finish_connect(px, s, sock_send_until(px, s, 0), -EALREADY);
    return -EISCONN;
}

/* Addresses that are nobody's, as Linux has them. */
static int connect_errno(const struct weir_endpoint *to, int err)
{
    if (err == WEIR_EADDRINUSE)
        return -EADDRNOTAVAIL;
    if (err == WEIR_EINVAL)
        return to->port == 0 ? -ECONNREFUSED : -ENETUNREACH;
    return px_errno(err);
}

/* The SYN is to be sent. With fastopen, what is sent at once may go with it. */
static int open_connection(struct weir_posix *px, struct sock *s,
                           const struct weir_endpoint *remote, bool fastopen)
{
    struct weir_opt_value opts[SOCK_LISTED_MAX];
    struct weir_endpoint to = *remote;
    struct weir_endpoint own = s->is_bound ? s->local : only_address(s);
    size_t count = sock_list_options(s, opts, false);
    weir_conn_t conn;
    int err;

    if (weir_addr_is_any(&to.addr))
        to.addr = addr_loopback(&to.addr);
    opts[count++] = (struct weir_opt_value){WEIR_OPT_FASTOPEN, fastopen};
    err = weir_connect_with(px->stack, &own, &to, opts, count, &conn);
    if (err != WEIR_OK)
        return connect_errno(&to, err);
    err = keys_apply(px, s, conn);
    if (err != 0) {
        weir_abort(px->stack, conn);
        return err;
    }
    sock_set_handle(px, s, conn);
    s->phase = SOCK_CONNECTING;
    s->error = 0;
    s->remote = to;
    weir_local(px->stack, conn, &s->local);
    if (!s->is_bound)
        ports_add(px, s);
    return 0;
}

/* TCP_FASTOPEN_CONNECT: if there is a cookie, the SYN waits for what is written first. */
static bool defer(struct weir_posix *px, struct sock *s)
{
    if (!s->opts.fastopen_connect || weir_fastopen_room(px->stack, s->handle) <= 0)
        return false;
    weir_abort(px->stack, s->handle); /* nothing was sent yet */
    s->handle = 0;
    s->is_deferred = true;
    return true;
}

int stream_connect(struct weir_posix *px, struct sock *s, const struct weir_endpoint *to)
{
    int err = open_connection(px, s, to, s->opts.fastopen_connect);

    if (err != 0 || defer(px, s))
        return err;
    return finish_connect(px, s, sock_send_until(px, s, 0), -EINPROGRESS);
}

/* Queues up to so many bytes; what fills a SYN stays a segment of its own if it must go again. */
static ssize_t queue_before_syn(struct weir_posix *px, struct sock *s, struct bytes *from,
                                size_t room)
{
    ssize_t done = 0;

    while (room > 0 && from->left > 0) {
        struct iovec part = bytes_take(from, room);
        unsigned how = part.iov_len == room ? WEIR_SEND_END_OF_RECORD : 0;
        ptrdiff_t sent = weir_send(px->stack, s->handle, part.iov_base, part.iov_len, how);

        if (sent < (ptrdiff_t)part.iov_len)
            bytes_give_back(from, sent < 0 ? part.iov_len : part.iov_len - (size_t)sent);
        if (sent <= 0)
            break;
        sendmem_note(s, (size_t)sent, false);
        done += sent;
        room -= (size_t)sent;
    }
    return done;
}

/*
 * Who waits has given all: it goes with the acknowledgement of the SYN-ACK. It stays queued when the
 * call ends early, and so is what the call has done, unless the connection has failed.
 */
static ssize_t wait_with_text(struct weir_posix *px, struct sock *s, struct bytes *from, int flags)
{
    ssize_t done = queue_before_syn(px, s, from, SIZE_MAX), rest = 0;
    int err = finish_connect(px, s, sock_send_until(px, s, flags), -EINPROGRESS);

    if (err != 0 && !sock_is_opening(s))
        return err;
    if (err == 0 && from->left > 0)
        rest = stream_send(px, s, from, flags & ~MSG_ZEROCOPY);
    if (rest < 0)
        err = (int)rest;
    else
        done += rest;
    return done > 0 || s->syn_bytes > 0 ? done : err;
}

/* Who does not wait for the connection has sent what the SYN takes. */
static ssize_t begin_fastopen(struct weir_posix *px, struct sock *s, struct bytes *from, int flags)
{
    ptrdiff_t room = weir_fastopen_room(px->stack, s->handle);
    ssize_t done = queue_before_syn(px, s, from, room > 0 ? (size_t)room : 0), more;

    s->syn_bytes = (uint32_t)done;
    if (!sock_is_nonblocking(s, flags)) {
        more = wait_with_text(px, s, from, flags);
        if (more < 0)
            return more;
        done += more;
    } else if (done == 0) {
        return -EINPROGRESS;
    }
    if (done > 0 && (flags & MSG_ZEROCOPY) && s->opts.zerocopy)
        errqueue_note_write(px, s);
    return done;
}

/* A connect that was put off, and cannot be made: the socket is as it was before. */
static void give_up_deferred(struct weir_posix *px, struct sock *s)
{
    forget(px, s);
    file_changed(px, &s->file, POLLIN | POLLOUT | POLLHUP);
}

ssize_t stream_send_fastopen(struct weir_posix *px, struct sock *s, const struct weir_endpoint *to,
                             struct bytes *from, int flags)
{
    int err;

    if (s->phase == SOCK_CONNECTED || s->phase == SOCK_LISTENING)
        return -EISCONN;
    if (s->phase == SOCK_CONNECTING && !s->is_deferred) {
        err = finish_connect(px, s, sock_send_until(px, s, flags), -EALREADY);
        return err != 0 ? err : stream_send(px, s, from, flags);
    }
    err = open_connection(px, s, to, true);
    if (err != 0 && s->is_deferred)
        give_up_deferred(px, s);
    s->is_deferred = false;
    return err != 0 ? err : begin_fastopen(px, s, from, flags);
}

int stream_disconnect(struct weir_posix *px, struct sock *s)
{
    bool has_connection = s->phase != SOCK_LISTENING && s->handle != 0 && !s->has_ended;
    bool is_reset = has_connection || s->is_deferred;

    if (has_connection)
        weir_set(px->stack, s->handle, WEIR_OPT_LINGER, 1);
    forget(px, s);
    if (is_reset)
        s->error = ECONNRESET;
    file_changed(px, &s->file, POLLIN | POLLOUT | POLLHUP);
    return 0;
}

/* ---- the end ---- */

int stream_shutdown(struct weir_posix *px, struct sock *s, unsigned how)
{
    if (s->phase == SOCK_LISTENING && !(how & DOWN_READ))
        return 0;
    if (s->phase == SOCK_LISTENING || sock_is_opening(s))
        return stream_disconnect(px, s);
    if ((how & DOWN_WRITE) && s->handle != 0 && !s->has_ended)
        weir_shutdown(px->stack, s->handle);
    if (s->handle == 0 || s->has_ended)
        return -ENOTCONN;
    s->down |= how;
    file_changed(px, &s->file, POLLIN | POLLOUT | POLLHUP);
    return 0;
}

static bool is_under_way(struct weir_posix *px, const struct sock *s)
{
    struct weir_tcp_info info;

    return !s->has_ended && weir_tcp_info(px->stack, s->handle, &info) == WEIR_OK
           && (info.state == WEIR_TCP_FIN_WAIT_1 || info.state == WEIR_TCP_CLOSING
               || info.state == WEIR_TCP_LAST_ACK);
}

/* SO_LINGER: until the peer has acknowledged everything, or for so long. */
static void linger(struct weir_posix *px, struct sock *s)
{
    weir_ns_t until = px_until(px, s->opts.linger_s * WEIR_S);
    struct weir_tcp_queued queued;

    if (weir_tcp_queued(px->stack, s->handle, &queued) != WEIR_OK || queued.recv_bytes > 0)
        return; /* it will be reset */
    weir_shutdown(px->stack, s->handle);
    weir_set(px->stack, s->handle, WEIR_OPT_NOTE_SENT, 1);
    while (is_under_way(px, s))
        if (px_wait(px, &s->file, until) != 0)
            return;
}

static void release(struct weir_posix *px, struct file *f)
{
    struct sock *s = sock_of(f);

    if (s->handle != 0 && s->phase != SOCK_LISTENING && s->opts.linger_is_on) {
        if (s->opts.linger_s > 0 && !sock_is_opening(s))
            linger(px, s);
        else
            weir_set(px->stack, s->handle, WEIR_OPT_LINGER, 1);
    }
    if (s->handle != 0)
        weir_close(px->stack, s->handle);
    s->handle = 0;
    links_remove(&f->changed);
    sock_free(px, s);
}

const struct file_ops stream_ops = {ready, release};
