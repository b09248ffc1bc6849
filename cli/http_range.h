/*
 * http_range.h - which parts of a file a client wants [RFC9110 14]
 */
#ifndef CLI_HTTP_RANGE_H
#define CLI_HTTP_RANGE_H

#include <stdint.h>

#include "cli/http_request.h"

enum {
    HTTP_RANGES_MAX = 16,
};

struct http_range {
    uint64_t first;
    uint64_t len; /* at least 1 */
};

/*
 * Reads a Range field for a file of size bytes. Returns how many ranges it has that lie in
 * the file; 0 if the field is to be ignored (another unit, malformed, too many, or more bytes
 * in all than the file has); -1 if none of them lies in the file (status 416).
 */
int http_ranges_parse(struct http_text field, uint64_t size,
                      struct http_range ranges[HTTP_RANGES_MAX]);

#endif
