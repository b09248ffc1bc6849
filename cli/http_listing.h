/*
 * http_listing.h - a folder as a page
 */
#ifndef CLI_HTTP_LISTING_H
#define CLI_HTTP_LISTING_H

#include <stdio.h>

/*
 * Writes an HTML page with the names in the folder fd, which is closed; path is what it is
 * called. Returns 0 or the status to answer with instead.
 */
int http_listing_emit(FILE *out, int fd, const char *path);

#endif
