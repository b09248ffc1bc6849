/*
 * http.h - a static file server, driven by a stack's events
 *
 * It uses nothing of the stack but what weir/tcp.h offers, and waits for nothing. Whoever
 * runs the stack hands over its events, and tells when a second has passed.
 *
 *   http_open(&config, stack, &server);
 *   ... in the loop: http_on_event(server, &event); once a second: http_tick(server);
 *   http_close(&server);
 */
#ifndef CLI_HTTP_H
#define CLI_HTTP_H

#include <stdint.h>
#include <weir/tcp.h>

#include "cli/http_request.h"

struct http;

/* One answered request. The text is lent for the call. */
struct http_log {
    struct weir_endpoint remote;
    struct http_text line; /* the request's first line, as far as it was understood */
    int status;
    uint64_t bytes;   /* that were queued, with the head */
    bool is_complete; /* else the connection ended before all of it was */
};

struct http_config {
    int root_fd; /* the folder to serve; stays the caller's */
    struct weir_endpoint local;
    uint32_t connections_max;
    unsigned idle_s; /* how long a connection may do nothing, and a request take to arrive */
    void (*on_log)(void *ctx, const struct http_log *log);
    void *ctx;
};

struct http_totals {
    uint64_t requests;
    uint64_t received_bytes;
    uint64_t sent_bytes; /* queued */
    uint64_t connections;
    uint32_t connections_now;
};

/* 0, or an error of weir_listen, or WEIR_ENOMEM. */
int http_open(const struct http_config *config, struct weir *stack, struct http **server);

/* Events of other handles are left alone. */
void http_on_event(struct http *server, const struct weir_event *event);

void http_tick(struct http *server);

/* Ends: connections in the middle of an answer are reset, the others closed. */
void http_close(struct http **server);

const struct http_totals *http_totals(const struct http *server);

#endif
