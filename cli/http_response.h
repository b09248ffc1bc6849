/*
 * http_response.h - what is answered: a head, and then pieces of text and of a file
 *
 * The text is in memory, the file is not: its pieces may be larger than any memory.
 */
#ifndef CLI_HTTP_RESPONSE_H
#define CLI_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/http_range.h"
#include "cli/http_request.h"

enum {
    HTTP_PIECES_MAX = 2 * HTTP_RANGES_MAX + 2,
};

struct http_piece {
    bool of_file; /* else of the text */
    uint64_t at;
    uint64_t len;
};

struct http_response {
    int status;
    bool keep_alive;
    char *text;
    size_t text_len;
    int fd; /* -1: no file */
    struct http_piece pieces[HTTP_PIECES_MAX];
    size_t piece_count;
};

/*
 * Answers a request from the folder root_fd, or, with a status other than 0, refuses it.
 * Opens files, and reads folders, but no file. False: there is no memory for an answer.
 */
bool http_response_init(struct http_response *r, int root_fd, const struct http_request *request,
                        int status);
void http_response_fini(struct http_response *r);

#endif
