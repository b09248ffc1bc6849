/*
 * http_path.h - from the target of a request to a file, and no file outside
 *
 * Two walls stand around the served folder. The path is decoded first and ".." is resolved
 * in what comes out; then the kernel is told to open nothing that lies outside, whatever
 * symbolic links there are.
 */
#ifndef CLI_HTTP_PATH_H
#define CLI_HTTP_PATH_H

#include <stdio.h>

#include "cli/http_request.h"

enum {
    HTTP_PATH_MAX = 4096, /* with the NUL */
};

/*
 * Decodes the path of a target, without its query, to one relative to the root: "" is the
 * root itself; a final "/" is kept. Returns 0 or the status to answer with: 400 for a
 * malformed one or one that leaves the root, 414 for one that is too long.
 */
int http_path_decode(struct http_text target, char path[HTTP_PATH_MAX]);

/*
 * Opens what a decoded path names below the folder root_fd, for reading. Returns the
 * descriptor, or the status to answer with, negative: 404, 403, or 503.
 */
int http_path_open(int root_fd, const char *path);

/* The same without openat2, which came with Linux 5.6: no symbolic link is followed. */
int http_path_open_walking(int root_fd, const char *path);

/* Writes a path as it stands in a URI, or text as it stands in HTML. */
void http_path_encode(FILE *out, const char *path);
void http_path_escape(FILE *out, const char *text);

#endif
