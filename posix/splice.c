/*
 * splice.c - sendfile and splice
 *
 * One end is a stream socket, the other a file of the hook's or another socket. Nothing is taken
 * from where it comes from before there is room where it goes to, so that nothing is lost when a
 * call ends early.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "posix/sock.h"

enum { CHUNK = 65536 };

struct transfer {
    struct sock *in, *out; /* NULL: the file below */
    int in_fd, out_fd;
    int64_t *in_offset, *out_offset;
    int flags; /* of recv and send */
    uint8_t *chunk;
};

/* The stream socket of a descriptor, referenced; NULL: a file of the hook's. */
static int find(struct weir_posix *px, int fd, struct sock **s)
{
    struct file *f = file_get(px, fd);

    *s = NULL;
    if (f == NULL)
        return px->config.hook.file_read != NULL ? 0 : -EBADF;
    if (f->kind == FILE_STREAM) {
        *s = sock_of(f);
        return 0;
    }
    file_put(px, f);
    return -EINVAL;
}

/*
 * Is there a connection that takes anything? One that was put off is made first, without text: none is
 * there before it is known that it will be taken. Who does not wait for it comes again.
 */
static ssize_t check_can_send(struct weir_posix *px, struct sock *s, int flags)
{
    struct bytes none = {0};
    ssize_t err;

    if (!s->is_deferred)
        return stream_send(px, s, &none, flags);
    err = stream_send_fastopen(px, s, &s->remote, &none, flags);
    return err == -EINPROGRESS ? -EAGAIN : err;
}

/* How much the socket takes now, at least 1. */
static ssize_t wait_for_room(struct weir_posix *px, struct sock *s, int flags)
{
    weir_ns_t until = sock_send_until(px, s, flags);

    for (;;) {
        struct weir_tcp_queued queued;
        ssize_t err = check_can_send(px, s, flags);
        size_t room;

        if (err < 0)
            return err;
        if (weir_tcp_queued(px->stack, s->handle, &queued) != WEIR_OK)
            return -EPIPE;
        room = sendmem_take(px, s, CHUNK);
        sendmem_note(s, 0, false);
        if (queued.send_room > 0 && room > 0)
            return queued.send_room < room ? (ssize_t)queued.send_room : (ssize_t)room;
        if (room == 0)
            sendmem_want_room(px, s);
        else
            stream_want(px, s, STREAM_ROOM);
        err = px_wait(px, &s->file, until);
        if (err != 0)
            return err;
    }
}

/* Bytes to be passed on: from a file for good, from a socket to be consumed afterwards. */
static ssize_t fetch(struct weir_posix *px, struct transfer *t, size_t len)
{
    const struct weir_px_hook *hook = &px->config.hook;
    struct iovec iov = {t->chunk, len};
    struct bytes to;

    if (t->in == NULL)
        return hook->file_read(hook->files_ctx, t->in_fd, t->chunk, len, t->in_offset);
    bytes_init(&to, &iov, 1);
    if (stream_before_urgent(t->in) == 0 && !t->in->opts.oob_inline && stream_left(px, t->in) > 0)
        return 0; /* the urgent byte is not spliced, and stops what is behind it */
    return stream_peek(px, t->in, &to, t->flags);
}

static void consume(struct weir_posix *px, struct sock *s, size_t len)
{
    struct iovec iov = {NULL, len};
    struct bytes to = {.iov = &iov, .count = 1, .left = len};

    stream_recv(px, s, &to, MSG_TRUNC | MSG_DONTWAIT);
}

static ssize_t pass_on(struct weir_posix *px, struct transfer *t, size_t len)
{
    const struct weir_px_hook *hook = &px->config.hook;
    struct iovec iov = {t->chunk, len};
    struct bytes from;

    if (t->out == NULL)
        return hook->file_write(hook->files_ctx, t->out_fd, t->chunk, len, t->out_offset);
    bytes_init(&from, &iov, 1);
    return stream_send(px, t->out, &from, t->flags | MSG_DONTWAIT);
}

/* Moves a chunk: how much, 0 at the end, or a negative errno. */
static ssize_t move(struct weir_posix *px, struct transfer *t, size_t len)
{
    ssize_t room = t->out != NULL ? wait_for_room(px, t->out, t->flags) : CHUNK, got, passed;

    if (room < 0)
        return room;
    if (len > CHUNK)
        len = CHUNK;
    got = fetch(px, t, len < (size_t)room ? len : (size_t)room);
    if (got <= 0)
        return got;
    passed = pass_on(px, t, (size_t)got);
    if (passed > 0 && t->in != NULL)
        consume(px, t->in, (size_t)passed);
    if (passed < got && t->in == NULL && t->in_offset != NULL)
        *t->in_offset -= got - (passed > 0 ? passed : 0);
    return passed;
}

static ssize_t run(struct weir_posix *px, struct transfer *t, size_t len, bool until_full)
{
    ssize_t moved = 1;
    size_t done = 0;

    t->chunk = malloc(CHUNK);
    if (t->chunk == NULL)
        return -ENOMEM;
    while (done < len && moved > 0) {
        moved = move(px, t, len - done);
        if (moved > 0)
            done += (size_t)moved;
        if (!until_full)
            break;
    }
    free(t->chunk);
    return done > 0 || moved > 0 ? (ssize_t)done : moved;
}

static ssize_t move_all(struct weir_posix *px, struct transfer *t, size_t len, bool until_full)
{
    ssize_t result = find(px, t->in_fd, &t->in);

    if (result == 0)
        result = find(px, t->out_fd, &t->out);
    if (result == 0 && t->in == NULL && t->out == NULL)
        result = -EINVAL;
    if (result == 0 && ((t->in != NULL && t->in_offset) || (t->out != NULL && t->out_offset)))
        result = -EINVAL; /* only what can be read anywhere has places */
    if (result == 0 && len > 0)
        result = run(px, t, len, until_full);
    if (t->in != NULL)
        sock_put(px, t->in);
    if (t->out != NULL)
        sock_put(px, t->out);
    return result;
}

ssize_t weir_px_sendfile(struct weir_posix *px, int out_fd, int in_fd, int64_t *offset,
                         size_t count)
{
    struct transfer t = {.in_fd = in_fd, .out_fd = out_fd, .in_offset = offset};
    ssize_t result;

    px_enter(px);
    if (offset != NULL && *offset < 0)
        result = -EINVAL;
    else if (in_fd >= 0 && (size_t)in_fd < px->fd_count && px->fds[in_fd].file != NULL)
        result = -EINVAL; /* a socket is no file */
    else
        result = move_all(px, &t, count, true);
    return px_return(px, result);
}

ssize_t weir_px_splice(struct weir_posix *px, int in_fd, int64_t *in_offset, int out_fd,
                       int64_t *out_offset, size_t len, unsigned flags)
{
    struct transfer t = {.in_fd = in_fd,
                         .out_fd = out_fd,
                         .in_offset = in_offset,
                         .out_offset = out_offset,
                         .flags = (flags & SPLICE_F_MORE) ? MSG_MORE : 0};
    ssize_t result = -EINVAL;

    px_enter(px);
    if ((flags & ~(unsigned)(SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT))
        == 0)
        result = move_all(px, &t, len, false);
    return px_return(px, result);
}
