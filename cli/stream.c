/*
 * stream.c - a connection's two directions, to stdout and from stdin
 */
#include "cli/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cli/json.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "cli/session.h"

enum {
    SLICES_MAX = 16,
    ROUNDS_MAX = 16, /* of reading or writing, before others have a turn */
};

static void move(struct stream *st);

static void on_ready(void *ctx, int fd, unsigned events)
{
    (void)fd;
    (void)events;
    move(ctx);
}

static void watch(struct stream *st, int fd, unsigned events, bool *is_watched)
{
    bool wanted = events != 0;

    if (*is_watched == wanted)
        return;
    *is_watched = weir_host_watch(st->session->host, fd, events, on_ready, st) == 0 && wanted;
}

/* Nothing is left to be done: the connection is given up. */
static void finish(struct stream *st)
{
    watch(st, st->in_fd, 0, &st->in_watched);
    watch(st, st->out_fd, 0, &st->out_watched);
    if (stream_has_failed(st))
        (void)weir_abort(st->session->stack, st->conn);
    else
        (void)weir_close(st->session->stack, st->conn);
    st->conn = 0;
    st->is_finished = true;
    st->on_finished(st->ctx);
}

/* ---- from stdin to the connection ---- */

/* Reads the next chunk. False: nothing now, or never again. */
static bool fill(struct stream *st)
{
    ssize_t len = read(st->in_fd, st->chunk, sizeof st->chunk);

    if (len > 0) {
        st->chunk_first = 0;
        st->chunk_len = (size_t)len;
        return true;
    }
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (len < 0)
        say("cannot read standard input: %s", strerror(errno));
    st->in_ended = true;
    return false;
}

/* Sends what there is. Returns 0, WEIR_EAGAIN if it was not all, or another error. */
static int send_chunk(struct stream *st)
{
    while (st->chunk_len > 0) {
        ptrdiff_t sent =
            weir_send(st->session->stack, st->conn, st->chunk + st->chunk_first, st->chunk_len, 0);
        if (sent < 0)
            return (int)sent;
        st->chunk_first += (size_t)sent;
        st->chunk_len -= (size_t)sent;
        st->sent_bytes += (uint64_t)sent;
    }
    return 0;
}

static bool is_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

/*
 * Reads and sends until one of both has to wait: for the queue an event will come, and stdin
 * is watched. Memory that is used up has no event; then stdin's readiness is the next try.
 * Of any other error the connection dies, and the event that says so comes by itself.
 */
static void send_input(struct stream *st)
{
    int err = send_chunk(st);

    for (int i = 0; err == 0 && !st->in_ended && i < ROUNDS_MAX && is_readable(st->in_fd); i++)
        if (fill(st))
            err = send_chunk(st);
    if (err == 0 && st->in_ended)
        st->sent_end = weir_shutdown(st->session->stack, st->conn) != WEIR_ENOMEM;
    watch(st, st->in_fd, !st->in_ended && (err == 0 || err == WEIR_ENOMEM) ? POLLIN : 0,
          &st->in_watched);
}

/* ---- from the connection to stdout ---- */

/* Writes what the stack lends; -1: stdout has to be waited for, or has failed. */
static ptrdiff_t write_slices(struct stream *st, const struct weir_slice *slices, size_t count)
{
    struct iovec parts[SLICES_MAX];
    ssize_t len;

    for (size_t i = 0; i < count; i++)
        parts[i] = (struct iovec){slices[i].bytes, slices[i].len};
    len = writev(st->out_fd, parts, (int)count);
    if (len >= 0)
        return len;
    if (errno != EAGAIN && errno != EINTR) {
        say("cannot write to standard output: %s", strerror(errno));
        st->out_failed = true;
    }
    return -1;
}

/* Writes what has arrived. Returns a number above 0, 0 at the end, or an error. */
static ptrdiff_t receive_some(struct stream *st)
{
    struct weir_slice slices[SLICES_MAX];
    size_t count = 0;
    ptrdiff_t len = weir_recv_lent(st->session->stack, st->conn, slices, SLICES_MAX, &count);

    watch(st, st->out_fd, 0, &st->out_watched);
    if (len <= 0)
        return len;
    len = write_slices(st, slices, count);
    if (len < 0) {
        watch(st, st->out_fd, st->out_failed ? 0 : POLLOUT, &st->out_watched);
        return WEIR_EAGAIN;
    }
    st->received_bytes += (uint64_t)len;
    (void)weir_recv_done(st->session->stack, st->conn, (size_t)len);
    return 1;
}

/* Whoever reads what we write sees the end of it, too. */
static void close_stdout(struct stream *st)
{
    watch(st, st->out_fd, 0, &st->out_watched);
    if (st->out_fd != STDOUT_FILENO)
        close(st->out_fd);
    st->out_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (st->out_fd >= 0)
        (void)dup2(st->out_fd, STDOUT_FILENO);
}

static void receive_output(struct stream *st)
{
    ptrdiff_t result = 1;

    for (int i = 0; result > 0 && !st->out_failed && i < ROUNDS_MAX; i++)
        result = receive_some(st);
    if (result > 0) /* the bound was reached: stdout calls again when it can take more */
        watch(st, st->out_fd, POLLOUT, &st->out_watched);
    st->received_end = result == 0;
    if (result == 0 && st->is_only)
        close_stdout(st);
    if (result < 0 && result != WEIR_EAGAIN)
        st->error = (int)result;
}

/* ---- both ---- */

static void move(struct stream *st)
{
    if (st->conn == 0)
        return;
    if (!st->received_end)
        receive_output(st);
    if (!st->sent_end && !stream_has_failed(st))
        send_input(st);
    if (stream_has_failed(st) || (st->has_ended && st->received_end))
        finish(st);
}

/* Bytes that came before the end are still to be had: receiving them ends with the error. */
void stream_on_news(struct stream *st, const struct weir_event *event)
{
    if (event->handle != st->conn)
        return;
    st->has_ended = st->has_ended || (event->bits & WEIR_EVENT_CLOSED);
    if (st->has_ended && st->received_end)
        st->error = event->error;
    move(st);
}

/*
 * Writing must not block, and the descriptor's flags belong to others, too. A pipe or a
 * terminal can be opened once more for ourselves; a file never blocks for long.
 */
static int open_stdout(void)
{
    struct stat status;
    int fd = -1;

    if (fstat(STDOUT_FILENO, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)))
        fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    return fd >= 0 ? fd : STDOUT_FILENO;
}

void stream_init(struct stream *st, struct session *session)
{
    memset(st, 0, sizeof *st);
    st->session = session;
    st->in_fd = STDIN_FILENO;
    st->out_fd = open_stdout();
}

void stream_fini(struct stream *st)
{
    watch(st, st->in_fd, 0, &st->in_watched);
    watch(st, st->out_fd, 0, &st->out_watched);
    if (st->out_fd != STDOUT_FILENO)
        close(st->out_fd);
}

void stream_start(struct stream *st, weir_conn_t conn)
{
    st->conn = conn;
    st->sent_end = st->received_end = st->has_ended = st->is_finished = false;
    st->error = 0;
    st->chunk_len = 0;
    st->received_bytes = st->sent_bytes = 0;
    st->started_at = weir_host_now();
    move(st);
}

bool stream_has_failed(const struct stream *st)
{
    return st->error != 0 || st->out_failed;
}

static void report_json(const struct stream *st, const char *remote, weir_ns_t took_ns)
{
    struct json j;

    json_begin(&j, stderr, "transfer");
    json_text(&j, "remote", remote);
    json_unsigned(&j, "received_bytes", st->received_bytes);
    json_unsigned(&j, "sent_bytes", st->sent_bytes);
    json_seconds(&j, "took_s", took_ns);
    if (st->error != 0)
        json_text(&j, "error", weir_err_name(st->error));
    json_end(&j);
}

void stream_report(const struct stream *st, const struct weir_endpoint *remote)
{
    char text[WEIR_ADDR_TEXT], in[PROGRESS_BYTES_TEXT], out[PROGRESS_BYTES_TEXT];
    weir_ns_t took_ns = weir_host_now() - st->started_at;

    (void)weir_endpoint_text(remote, text);
    if (st->session->options->json)
        report_json(st, text, took_ns);
    else if (st->session->options->verbose)
        say("%s: %s received, %s sent in %.3f s", text,
            progress_bytes_text((double)st->received_bytes, in),
            progress_bytes_text((double)st->sent_bytes, out), (double)took_ns / 1e9);
    if (st->error != 0)
        say("the connection with %s has ended: %s", text, weir_err_text(st->error));
}
