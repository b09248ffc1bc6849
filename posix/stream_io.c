/*
 * stream_io.c - stream sockets: sending and receiving
 *
 * The order in which data, errors and ends are told is Linux's: bytes first, then the end of the
 * peer, then a pending error.
 */
#include <errno.h>
#include <string.h>

#include "posix/sock.h"

/* ---- send ---- */

static int broken(struct weir_posix *px, struct sock *s, int flags)
{
    int err = sock_take_error(s);
    const struct weir_px_hook *hook = &px->config.hook;

    if (err != 0 && err != -EPIPE)
        return err;
    if (!(flags & MSG_NOSIGNAL) && hook->sigpipe != NULL)
        hook->sigpipe(hook->files_ctx);
    return -EPIPE;
}

/* A write during the handshake waits for its end. */
static int wait_for_connection(struct weir_posix *px, struct sock *s, weir_ns_t until)
{
    while (sock_is_opening(s)) {
        int err = px_wait(px, &s->file, until);
        if (err != 0)
            return err;
    }
    return 0;
}

static bool can_send(const struct sock *s)
{
    return s->handle != 0 && s->phase != SOCK_LISTENING && !s->has_ended && s->error == 0
           && !(s->down & DOWN_WRITE);
}

/* Up to so many bytes, behind which the call has rest more that are not taken now. */
static ptrdiff_t send_part(struct weir_posix *px, struct sock *s, struct bytes *from, size_t most,
                           int flags)
{
    size_t rest = from->left - most;
    struct iovec part = bytes_take(from, most);
    unsigned how = ((flags & MSG_MORE) && rest == 0) || from->left > rest ? WEIR_SEND_MORE : 0;
    ptrdiff_t sent;

    if ((flags & MSG_OOB) && from->left == 0)
        how |= WEIR_SEND_URGENT;
    if ((flags & MSG_EOR) && from->left == 0)
        how |= WEIR_SEND_END_OF_RECORD;
    sent = weir_send(px->stack, s->handle, part.iov_base, part.iov_len, how);
    bytes_give_back(from, sent < 0 ? part.iov_len : part.iov_len - (size_t)sent);
    return sent;
}

static ptrdiff_t send_some(struct weir_posix *px, struct sock *s, struct bytes *from, int flags)
{
    size_t most = sendmem_take(px, s, from->left), done = 0;
    ptrdiff_t sent = WEIR_EAGAIN;

    while (done < most) {
        sent = send_part(px, s, from, most - done, flags);
        if (sent <= 0)
            break;
        done += (size_t)sent;
    }
    if (most == 0)
        sendmem_want_room(px, s);
    sendmem_note(s, done, (flags & MSG_EOR) && from->left == 0);
    return done > 0 ? (ptrdiff_t)done : sent;
}

/* Who waits with Linux's way of counting goes on when there is room worth it. */
static int wait_for_room(struct weir_posix *px, struct sock *s, weir_ns_t until)
{
    int err;

    do {
        err = px_wait(px, &s->file, until);
    } while (err == 0 && can_send(s) && s->sendmem.wants_room);
    return err;
}

static ssize_t send_all(struct weir_posix *px, struct sock *s, struct bytes *from, int flags)
{
    weir_ns_t until = sock_send_until(px, s, flags);
    ssize_t done = 0;
    int err = wait_for_connection(px, s, until);

    if (err != 0)
        return err;
    do {
        ptrdiff_t sent;

        if (!can_send(s))
            return done > 0 ? done : broken(px, s, flags);
        sent = from->left > 0 ? send_some(px, s, from, flags) : 0;
        if (sent >= 0) {
            done += sent;
            continue;
        }
        err = sent == WEIR_EAGAIN ? wait_for_room(px, s, until) : px_errno(sent);
        if (err != 0)
            return done > 0 ? done : err;
    } while (from->left > 0);
    return done;
}

ssize_t stream_send(struct weir_posix *px, struct sock *s, struct bytes *from, int flags)
{
    ssize_t done = send_all(px, s, from, flags);

    if (done > 0 && (flags & MSG_ZEROCOPY) && s->opts.zerocopy)
        errqueue_note_write(px, s);
    return done;
}

/* ---- urgent data ---- */

uint32_t stream_before_urgent(const struct sock *s)
{
    uint64_t before = s->urgent.at - s->read_bytes;

    if (s->urgent.state == URGENT_NONE || s->urgent.at < s->read_bytes)
        return UINT32_MAX;
    return before < UINT32_MAX ? (uint32_t)before : UINT32_MAX;
}

static ssize_t recv_urgent(struct sock *s, struct bytes *to, int flags)
{
    struct iovec part;

    if (s->opts.oob_inline || s->urgent.state == URGENT_NONE || s->urgent.state == URGENT_READ)
        return -EINVAL;
    if (s->phase == SOCK_CLOSED)
        return -ENOTCONN;
    if (s->urgent.state == URGENT_HERE) {
        part = bytes_take(to, (flags & MSG_TRUNC) ? 0 : 1);
        if (part.iov_len > 0)
            memcpy(part.iov_base, &s->urgent.byte, 1);
        if (!(flags & MSG_PEEK))
            s->urgent.state = URGENT_READ;
        return (ssize_t)part.iov_len;
    }
    return (s->down & DOWN_READ) ? 0 : -EAGAIN;
}

/* ---- recv ---- */

int stream_left(const struct weir_posix *px, const struct sock *s)
{
    struct weir_tcp_queued queued = {0};

    if (s->handle != 0)
        weir_tcp_queued(px->stack, s->handle, &queued);
    return queued.recv_bytes == 0 ? s->peer_closed : (int)queued.recv_bytes;
}

/* A read on its way: pos is how far it is ahead of the socket, when it peeks. */
struct reading {
    struct bytes *to;
    int flags;
    uint32_t pos;
    size_t done;
};

static uint32_t before_urgent(const struct sock *s, const struct reading *r)
{
    uint32_t before = stream_before_urgent(s);

    if (before == UINT32_MAX || r->pos > before)
        return UINT32_MAX;
    return before - r->pos;
}

static void pass(struct sock *s, struct reading *r, size_t len)
{
    if (r->flags & MSG_PEEK)
        r->pos += (uint32_t)len;
    else
        s->read_bytes += len;
    if (s->urgent.state != URGENT_NONE && s->read_bytes > s->urgent.at)
        s->urgent.state = URGENT_NONE; /* unread or not, it is behind us */
}

/* The urgent byte is not read with the others. Until it has come there is nothing to pass. */
static bool skip_urgent(struct weir_posix *px, struct sock *s, struct reading *r)
{
    if (s->opts.oob_inline || s->urgent.state == URGENT_AWAITED)
        return s->opts.oob_inline;
    if (!(r->flags & MSG_PEEK) && weir_recv_done(px->stack, s->handle, 1) != WEIR_OK)
        return false;
    pass(s, r, 1);
    return true;
}

static ptrdiff_t recv_bytes(struct weir_posix *px, struct sock *s, const struct reading *r,
                            struct iovec part)
{
    struct weir_tcp_queued queued;
    size_t len = part.iov_len;

    if (r->flags & MSG_PEEK)
        return weir_peek(px->stack, s->handle, r->pos, part.iov_base, len);
    if (!(r->flags & MSG_TRUNC))
        return weir_recv(px->stack, s->handle, part.iov_base, len);
    if (weir_tcp_queued(px->stack, s->handle, &queued) != WEIR_OK || queued.recv_bytes == 0)
        return WEIR_EAGAIN;
    if (len > queued.recv_bytes)
        len = queued.recv_bytes;
    return weir_recv_done(px->stack, s->handle, len) == WEIR_OK ? (ptrdiff_t)len : WEIR_EAGAIN;
}

/* Reads on; false: there is nothing to be read now. */
static bool read_some(struct weir_posix *px, struct sock *s, struct reading *r)
{
    uint32_t most = before_urgent(s, r);
    struct iovec part;
    ptrdiff_t got;

    if (most == 0) {
        if (r->done > 0 || !skip_urgent(px, s, r))
            return false;
        most = s->opts.oob_inline ? 1 : before_urgent(s, r);
    }
    part = bytes_take(r->to, most);
    got = recv_bytes(px, s, r, part);
    bytes_give_back(r->to, got > 0 ? part.iov_len - (size_t)got : part.iov_len);
    if (got <= 0)
        return false;
    pass(s, r, (size_t)got);
    r->done += (size_t)got;
    return true;
}

/* Why nothing more can come: 1 is an end that is to be read as 0 bytes; 0: more may come. */
static int why_nothing(struct sock *s)
{
    if (s->peer_closed)
        return 1;
    if (s->error != 0)
        return sock_take_error(s);
    if (s->down & DOWN_READ)
        return 1;
    return s->phase == SOCK_CLOSED || s->has_ended ? -ENOTCONN : 0;
}

static bool is_over(const struct sock *s)
{
    return s->error != 0 || s->has_ended || (s->down & DOWN_READ) || s->phase == SOCK_CLOSED;
}

static size_t wanted(const struct sock *s, const struct bytes *to, int flags)
{
    if (flags & MSG_WAITALL)
        return to->left;
    return to->left < s->opts.low_water ? to->left : s->opts.low_water;
}

/* The mark ends a read that has anything, also if it was to wait for all. */
static bool is_at_mark(const struct sock *s, const struct reading *r)
{
    return r->done > 0 && before_urgent(s, r) == 0;
}

/* A read of no bytes waits for some, as Linux has it. */
static bool is_full(struct weir_posix *px, const struct sock *s, const struct reading *r)
{
    struct weir_tcp_queued queued = {0};

    if (r->to->left > 0 || r->done > 0)
        return r->to->left == 0;
    return s->handle != 0 && weir_tcp_queued(px->stack, s->handle, &queued) == WEIR_OK
           && queued.recv_bytes > 0;
}

static ssize_t read_all(struct weir_posix *px, struct sock *s, struct reading *r, size_t target)
{
    weir_ns_t until = sock_recv_until(px, s, r->flags);

    while (!is_full(px, s, r)) {
        int err;

        if (s->handle != 0 && !is_at_mark(s, r) && read_some(px, s, r))
            continue;
        if (r->done > 0 && (r->done >= target || is_at_mark(s, r) || is_over(s)))
            break;
        err = r->done > 0 ? 0 : why_nothing(s);
        if (err == 1)
            return 0;
        if (err == 0)
            err = px_wait(px, &s->file, until);
        if (err != 0)
            return r->done > 0 ? (ssize_t)r->done : err;
    }
    return (ssize_t)r->done;
}

/* From so far behind the first byte on. */
static ssize_t recv_from(struct weir_posix *px, struct sock *s, struct bytes *to, int flags,
                         uint32_t pos)
{
    struct reading r = {.to = to, .flags = flags, .pos = pos};

    if (s->phase == SOCK_LISTENING)
        return -ENOTCONN;
    return read_all(px, s, &r, wanted(s, to, flags));
}

ssize_t stream_peek(struct weir_posix *px, struct sock *s, struct bytes *to, int flags)
{
    return recv_from(px, s, to, flags | MSG_PEEK, 0);
}

ssize_t stream_recv(struct weir_posix *px, struct sock *s, struct bytes *to, int flags)
{
    bool looks_ahead = (flags & MSG_PEEK) && s->opts.peek_offset > 0;
    ssize_t got;

    if ((flags & MSG_OOB) && s->phase != SOCK_LISTENING)
        return recv_urgent(s, to, flags);
    got = recv_from(px, s, to, flags, looks_ahead ? (uint32_t)s->opts.peek_offset : 0);
    if (got > 0 && s->opts.peek_offset >= 0)
        sock_move_peek_offset(s, got, (flags & MSG_PEEK) != 0);
    return got;
}
