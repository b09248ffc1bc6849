/*
 * http_date.c - instants in HTTP
 */
#include "cli/http_date.h"

#include <stdio.h>
#include <string.h>

/* The program never sets a locale: names of days and months are English ones. */

const char *http_date_text(time_t at, char text[HTTP_DATE_TEXT])
{
    struct tm parts = {0};

    (void)gmtime_r(&at, &parts);
    if (strftime(text, HTTP_DATE_TEXT, "%a, %d %b %Y %H:%M:%S GMT", &parts) == 0)
        text[0] = 0;
    return text;
}

bool http_date_parse(struct http_text text, time_t *at)
{
    static const char *const forms[] = {
        "%a, %d %b %Y %H:%M:%S GMT", /* today's */
        "%A, %d-%b-%y %H:%M:%S GMT", /* RFC 850's */
        "%a %b %d %H:%M:%S %Y",      /* asctime's */
    };
    char copy[HTTP_DATE_TEXT];

    if (text.len >= sizeof copy)
        return false;
    memcpy(copy, text.bytes, text.len);
    copy[text.len] = 0;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct tm parts = {0};
        const char *end = strptime(copy, forms[i], &parts);
        if (end == NULL || *end != 0)
            continue;
        *at = timegm(&parts);
        return true;
    }
    return false;
}
