/*
 * http_request.h - what a client asks: the head of an HTTP/1.1 request [RFC9112 2, 3, 5]
 */
#ifndef CLI_HTTP_REQUEST_H
#define CLI_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

enum {
    HTTP_HEAD_MAX = 8192, /* the longest request line with all fields */
};

/* A part of somebody else's bytes; not ended by a NUL. bytes NULL: there is none. */
struct http_text {
    const char *bytes;
    size_t len;
};

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_OPTIONS,
    HTTP_OTHER, /* registered, and of no use for files */
};

/* The texts point into the bytes that were parsed. */
struct http_request {
    enum http_method method;
    struct http_text line;   /* all of the first line, for logs */
    struct http_text target; /* path and query: "/a%20b?c"; or "*" */
    bool is_head;            /* the answer has no body */
    bool keep_alive;
    bool has_body; /* which is not read */
    struct http_text host;
    struct http_text range;
    struct http_text if_range;
    struct http_text if_match;
    struct http_text if_none_match;
    struct http_text if_modified_since;
    struct http_text if_unmodified_since;
};

/*
 * Reads the head of a request. Returns its length with the empty line at its end; 0 if it is
 * not complete; or, negative, the status with which to refuse it, after which nothing more
 * can be understood of the connection.
 */
int http_request_parse(const char *bytes, size_t len, struct http_request *request);

/* Whether the text is the word, in any case of letters. */
bool http_text_is(struct http_text text, const char *word);

/* Takes the next element of a comma-separated list, without the blanks around it. */
bool http_text_next(struct http_text *list, struct http_text *element);

#endif
