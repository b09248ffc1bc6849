/*
 * http_date.h - instants in HTTP [RFC9110 5.6.7]
 */
#ifndef CLI_HTTP_DATE_H
#define CLI_HTTP_DATE_H

#include <stdbool.h>
#include <time.h>

#include "cli/http_request.h"

enum {
    HTTP_DATE_TEXT = 40,
};

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
const char *http_date_text(time_t at, char text[HTTP_DATE_TEXT]);

/* Reads any of the three forms; false if it is none. */
bool http_date_parse(struct http_text text, time_t *at);

#endif
