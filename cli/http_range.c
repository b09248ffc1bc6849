/*
 * http_range.c - which parts of a file a client wants
 */
#include "cli/http_range.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* A decimal number; what is too large is as good as the largest. False: it is none. */
static bool take_number(struct http_text text, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint64_t digit = (uint64_t)(text.bytes[i] - '0');
        if (text.bytes[i] < '0' || text.bytes[i] > '9')
            return false;
        *number = *number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *number * 10 + digit;
    }
    return text.len > 0;
}

/* "100-199", "100-" or "-100". False: malformed. A range outside the file gets len 0. */
static bool take_range(struct http_text text, uint64_t size, struct http_range *range)
{
    const char *dash = memchr(text.bytes, '-', text.len);
    struct http_text before, after;
    uint64_t first, last;

    if (dash == NULL)
        return false;
    before = (struct http_text){text.bytes, (size_t)(dash - text.bytes)};
    after = (struct http_text){dash + 1, text.len - before.len - 1};
    range->len = 0;
    if (before.len == 0) { /* the last bytes of the file */
        if (!take_number(after, &last))
            return false;
        range->len = last < size ? last : size;
        range->first = size - range->len;
        return true;
    }
    last = UINT64_MAX;
    if (!take_number(before, &first) || (after.len > 0 && !take_number(after, &last))
        || last < first)
        return false;
    if (first < size) {
        range->first = first;
        range->len = (last < size - 1 ? last : size - 1) - first + 1;
    }
    return true;
}

int http_ranges_parse(struct http_text field, uint64_t size,
                      struct http_range ranges[HTTP_RANGES_MAX])
{
    static const char unit[] = "bytes=";
    struct http_text element;
    uint64_t total = 0;
    int count = 0, seen = 0;

    if (field.len < sizeof unit - 1 || strncasecmp(field.bytes, unit, sizeof unit - 1) != 0)
        return 0;
    field.bytes += sizeof unit - 1;
    field.len -= sizeof unit - 1;
    while (http_text_next(&field, &element)) {
        struct http_range range;
        if (!take_range(element, size, &range) || seen++ == HTTP_RANGES_MAX)
            return 0;
        if (range.len == 0)
            continue;
        if (range.len > size - total) /* asking for bytes twice is an attack [RFC9110 14.2] */
            return 0;
        total += range.len;
        ranges[count++] = range;
    }
    return seen == 0 ? 0 : count > 0 ? count : -1;
}
