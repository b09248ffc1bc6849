/*
 * http.c - a static file server, driven by a stack's events
 *
 * A connection is in one of three phases: it waits for a request, it sends an answer, or it
 * has said its last and waits for the client to close. Whatever happens to a connection, the
 * same function looks at how far it can get now (pump); it stops where the stack says
 * WEIR_EAGAIN, and the stack's next event starts it again. Nothing else has to be remembered.
 *
 * While an answer is sent no request is read: a client that sends many gets them answered in
 * order, and one that does not read its answers stops itself, by TCP's windows.
 */
#include "cli/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/http_response.h"

enum {
    BACKLOG = 1024,
    CHUNK = 128 * 1024, /* of a file, read and lent to the stack at a time */
    LINGER_S = 5,       /* how long the client may take to close after our last word */
};

enum phase {
    READING,
    SENDING,
    LINGERING,
};

/* Bytes on their way to the stack, to which they are lent without a copy. */
struct chunk {
    uint8_t *bytes;
    size_t len;
};

struct client {
    struct http *server;
    struct client *next, **link; /* in the server's list; link is what points here */
    weir_conn_t conn;
    enum phase phase;
    unsigned patience_s; /* ticks until it is given up */
    struct http_response *response;
    size_t piece;        /* which of the response's pieces is being sent */
    uint64_t piece_sent; /* of it, in bytes, including the chunk */
    uint64_t response_sent;
    struct chunk chunk;
    char log_line[256];
    size_t log_line_len;
    size_t in_len;
    char in[HTTP_HEAD_MAX];
};

struct http {
    struct http_config config;
    struct weir *stack;
    weir_listener_t listener;
    struct client *clients;
    struct http_totals totals;
};

/* ---- clients ---- */

/* The client goes on to wait for the next request, or for the end. */
static void enter(struct client *c, enum phase phase)
{
    c->phase = phase;
    c->patience_s = phase == LINGERING ? LINGER_S : c->server->config.idle_s;
}

static void log_response(struct client *c, bool is_complete)
{
    const struct http_config *config = &c->server->config;
    struct http_log log = {
        .line = {c->log_line, c->log_line_len},
        .status = c->response->status,
        .bytes = c->response_sent,
        .is_complete = is_complete,
    };

    if (config->on_log == NULL)
        return;
    (void)weir_remote(c->server->stack, c->conn, &log.remote);
    config->on_log(config->ctx, &log);
}

static void drop_response(struct client *c, bool is_complete)
{
    if (c->response == NULL)
        return;
    log_response(c, is_complete);
    http_response_fini(c->response);
    free(c->response);
    free(c->chunk.bytes);
    c->response = NULL;
    c->chunk.bytes = NULL;
}

/* Forgets a client. In the middle of an answer a reset tells it that the answer is not whole. */
static void drop(struct client *c)
{
    struct weir *s = c->server->stack;

    if (c->response != NULL) {
        drop_response(c, false);
        (void)weir_abort(s, c->conn);
    } else {
        (void)weir_close(s, c->conn);
    }
    *c->link = c->next;
    if (c->next != NULL)
        c->next->link = c->link;
    c->server->totals.connections_now--;
    free(c);
}

/* Without memory for it, or above the limit, a client is turned away. */
static void add_client(struct http *server, weir_conn_t conn)
{
    struct client *c = NULL;

    if (server->totals.connections_now < server->config.connections_max)
        c = calloc(1, sizeof *c);
    if (c == NULL || weir_set(server->stack, conn, WEIR_OPT_USER, (int64_t)(uintptr_t)c) != 0) {
        (void)weir_abort(server->stack, conn);
        free(c);
        return;
    }
    c->server = server;
    c->conn = conn;
    c->next = server->clients;
    c->link = &server->clients;
    if (c->next != NULL)
        c->next->link = &c->next;
    server->clients = c;
    server->totals.connections++;
    server->totals.connections_now++;
    enter(c, READING);
}

/* ---- a request ---- */

static void keep_log_line(struct client *c, struct http_text line)
{
    c->log_line_len = line.len < sizeof c->log_line ? line.len : sizeof c->log_line;
    if (line.bytes != NULL)
        memcpy(c->log_line, line.bytes, c->log_line_len);
}

/*
 * Looks for a request in what has been received, and makes the answer. Returns whether there
 * was one; without memory for an answer the phase is LINGERING then, and nothing is said.
 */
static bool take_request(struct client *c)
{
    struct http_request request;
    int len = http_request_parse(c->in, c->in_len, &request);
    int status = len < 0 ? -len : 0;

    if (len == 0)
        return false;
    c->server->totals.requests++;
    keep_log_line(c, request.line);
    c->response = malloc(sizeof *c->response);
    c->piece = 0;
    c->piece_sent = c->response_sent = 0;
    if (c->response != NULL
        && !http_response_init(c->response, c->server->config.root_fd, &request, status)) {
        free(c->response);
        c->response = NULL;
    }
    /* The request's texts pointed into these bytes until now. */
    if (status != 0)
        len = (int)c->in_len;
    c->in_len -= (size_t)len;
    memmove(c->in, c->in + len, c->in_len);
    enter(c, c->response != NULL ? SENDING : LINGERING);
    return true;
}

/*
 * Receives until there is a request. Returns true when the phase has changed, false when
 * there is nothing to be done now; *gone when the client has to be dropped.
 */
static bool read_request(struct client *c, bool *gone)
{
    while (!take_request(c)) {
        ptrdiff_t len =
            weir_recv(c->server->stack, c->conn, c->in + c->in_len, sizeof c->in - c->in_len);
        if (len == WEIR_EAGAIN)
            return false;
        if (len <= 0) {
            *gone = true;
            return false;
        }
        c->in_len += (size_t)len;
        c->server->totals.received_bytes += (uint64_t)len;
    }
    return true;
}

/* ---- an answer ---- */

/*
 * Fetches the next bytes of the answer. Reading a file may wait for a disk, as it does in
 * every server with one thread. They are read, not mapped: a file that somebody cuts short
 * is an answer that breaks off, and would be the end of the program if it were mapped.
 */
static bool fill_chunk(struct client *c)
{
    const struct http_piece *piece = &c->response->pieces[c->piece];
    uint64_t left = piece->len - c->piece_sent, at = piece->at + c->piece_sent;
    size_t want = left < CHUNK ? (size_t)left : CHUNK;
    ssize_t len = (ssize_t)want;

    c->chunk.bytes = malloc(want);
    if (c->chunk.bytes == NULL)
        return false;
    if (piece->of_file) {
        do
            len = pread(c->response->fd, c->chunk.bytes, want, (off_t)at);
        while (len < 0 && errno == EINTR);
    } else {
        memcpy(c->chunk.bytes, c->response->text + at, want);
    }
    if (len <= 0) {
        free(c->chunk.bytes);
        c->chunk.bytes = NULL;
        return false;
    }
    c->chunk.len = (size_t)len;
    c->piece_sent += (uint64_t)len;
    if (c->piece_sent == piece->len) {
        c->piece++;
        c->piece_sent = 0;
    }
    return true;
}

static bool has_more(const struct client *c)
{
    return c->piece < c->response->piece_count;
}

/* Lends the chunk to the stack, which frees it when it has been sent and acknowledged. */
static ptrdiff_t send_chunk(struct client *c)
{
    struct weir_slice slice = {c->chunk.bytes, c->chunk.len};
    ptrdiff_t sent = weir_send_lent(c->server->stack, c->conn, slice,
                                    has_more(c) ? WEIR_SEND_MORE : 0, free, c->chunk.bytes);

    if (sent < 0)
        return sent;
    c->response_sent += c->chunk.len;
    c->server->totals.sent_bytes += c->chunk.len;
    c->patience_s = c->server->config.idle_s;
    c->chunk.bytes = NULL;
    return sent;
}

/* As read_request. Memory that is used up is tried again with the next tick. */
static bool send_response(struct client *c, bool *gone)
{
    while (c->chunk.bytes != NULL || has_more(c)) {
        ptrdiff_t sent;
        if (c->chunk.bytes == NULL && !fill_chunk(c)) {
            *gone = true;
            return false;
        }
        sent = send_chunk(c);
        if (sent == WEIR_EAGAIN || sent == WEIR_ENOMEM)
            return false;
        if (sent < 0) {
            *gone = true;
            return false;
        }
    }
    enter(c, c->response->keep_alive ? READING : LINGERING);
    drop_response(c, true);
    if (c->phase == LINGERING)
        (void)weir_shutdown(c->server->stack, c->conn);
    return true;
}

/*
 * Our side is closed. What the client still sends is read and forgotten: closing a
 * connection with unread bytes would reset it, and take our last answer along.
 */
static void linger(struct client *c, bool *gone)
{
    ptrdiff_t len;

    do
        len = weir_recv(c->server->stack, c->conn, c->in, sizeof c->in);
    while (len > 0);
    *gone = len != WEIR_EAGAIN;
}

/* Gets as far as it can. May drop c. */
static void pump(struct client *c)
{
    bool gone = false, again = true;

    while (again) {
        switch (c->phase) {
        case READING: again = read_request(c, &gone); break;
        case SENDING: again = send_response(c, &gone); break;
        case LINGERING:
            linger(c, &gone);
            again = false;
            break;
        }
    }
    if (gone)
        drop(c);
}

/* ---- the server ---- */

void http_on_event(struct http *server, const struct weir_event *event)
{
    weir_conn_t conn;

    if (event->handle == server->listener) {
        while (weir_accept(server->stack, server->listener, &conn) == 0)
            add_client(server, conn);
        return;
    }
    if (event->user == 0)
        return;
    if ((event->bits & WEIR_EVENT_CLOSED) && event->error != 0)
        drop((struct client *)(uintptr_t)event->user);
    else
        pump((struct client *)(uintptr_t)event->user);
}

void http_tick(struct http *server)
{
    struct client *next;

    for (struct client *c = server->clients; c != NULL; c = next) {
        next = c->next;
        if (c->patience_s-- == 0)
            drop(c);
        else if (c->phase == SENDING)
            pump(c);
    }
}

int http_open(const struct http_config *config, struct weir *stack, struct http **server)
{
    struct http *h = calloc(1, sizeof *h);
    int err;

    if (h == NULL)
        return WEIR_ENOMEM;
    h->config = *config;
    h->stack = stack;
    err = weir_listen(stack, &config->local, BACKLOG, &h->listener);
    if (err == 0) /* answers are sent whole: there is nothing to wait for */
        err = weir_set(stack, h->listener, WEIR_OPT_NODELAY, 1);
    if (err != 0) {
        free(h);
        return err;
    }
    *server = h;
    return 0;
}

void http_close(struct http **server)
{
    struct http *h = *server;

    (void)weir_close(h->stack, h->listener);
    while (h->clients != NULL)
        drop(h->clients);
    free(h);
    *server = NULL;
}

const struct http_totals *http_totals(const struct http *server)
{
    return &server->totals;
}
