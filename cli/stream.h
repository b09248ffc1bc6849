/*
 * stream.h - a connection's two directions, to stdout and from stdin
 *
 * The two ends are independent: the end of stdin closes our side and what the peer still
 * sends is received; the peer's end closes stdout, if nobody else will write there, and
 * what stdin still has is sent. Nobody is made to wait: what cannot be written is left in
 * the stack, whose window tells the peer, and what cannot be sent is left in stdin.
 */
#ifndef CLI_STREAM_H
#define CLI_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/tcp.h>
#include <weir/time.h>

struct session;

enum {
    STREAM_CHUNK = 65536,
};

struct stream {
    struct session *session;
    weir_conn_t conn; /* 0: none now */
    int in_fd;
    int out_fd;
    bool is_only; /* the caller's: there will be one connection, and stdout ends with it */
    void (*on_finished)(void *ctx); /* the caller's: the connection has been given up */
    void *ctx;
    bool in_ended;
    bool in_watched;
    bool out_watched;
    bool out_failed;
    bool sent_end;     /* our side is closed */
    bool received_end; /* the peer's side is closed, and all of it has been written */
    bool has_ended;    /* the stack says that the connection is over */
    bool is_finished;  /* nothing is left to be done */
    int error;         /* what ended the connection: weir/err.h */
    weir_ns_t started_at;
    uint64_t received_bytes, sent_bytes;
    size_t chunk_first, chunk_len; /* what was read and not yet sent */
    uint8_t chunk[STREAM_CHUNK];
};

/* A stream for one connection after another. The caller may then set what is its own. */
void stream_init(struct stream *st, struct session *session);
void stream_fini(struct stream *st);

/* Joins a connection to stdin and stdout. Its events are given to stream_on_news. */
void stream_start(struct stream *st, weir_conn_t conn);

void stream_on_news(struct stream *st, const struct weir_event *event);

/* Whether the connection or stdout ended badly. */
bool stream_has_failed(const struct stream *st);

/* Says how a connection with remote went, if it went wrong or the user wants to know. */
void stream_report(const struct stream *st, const struct weir_endpoint *remote);

#endif
