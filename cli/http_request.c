/*
 * http_request.c - what a client asks
 */
#include "cli/http_request.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

static struct http_text text_of(const char *first, const char *end)
{
    return (struct http_text){first, (size_t)(end - first)};
}

bool http_text_is(struct http_text text, const char *word)
{
    return text.len == strlen(word) && strncasecmp(text.bytes, word, text.len) == 0;
}

static struct http_text trim(struct http_text text)
{
    while (text.len > 0 && (text.bytes[0] == ' ' || text.bytes[0] == '\t')) {
        text.bytes++;
        text.len--;
    }
    while (text.len > 0 && (text.bytes[text.len - 1] == ' ' || text.bytes[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* Empty elements are passed over [RFC9110 5.6.1.2]. */
bool http_text_next(struct http_text *list, struct http_text *element)
{
    while (list->len > 0) {
        const char *comma = memchr(list->bytes, ',', list->len);
        const char *end = list->bytes + list->len;

        *element = trim(text_of(list->bytes, comma != NULL ? comma : end));
        *list = comma != NULL ? text_of(comma + 1, end) : text_of(end, end);
        if (element->len > 0)
            return true;
    }
    return false;
}

/* A letter of a token [RFC9110 5.6.2]. */
static bool is_token_char(char letter)
{
    return (letter >= '0' && letter <= '9') || (letter >= 'A' && letter <= 'Z')
           || (letter >= 'a' && letter <= 'z')
           || (letter != 0 && strchr("!#$%&'*+-.^_`|~", letter) != NULL);
}

static bool is_token(struct http_text text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_token_char(text.bytes[i]))
            return false;
    return text.len > 0;
}

/* Control characters have no place in a line, but a tab has in the value of a field. */
static bool has_controls(struct http_text text)
{
    for (size_t i = 0; i < text.len; i++)
        if (((unsigned char)text.bytes[i] < ' ' && text.bytes[i] != '\t') || text.bytes[i] == 0x7f)
            return true;
    return false;
}

/* The next line, without its end, which may lack the CR [RFC9112 2.2]. False: it has no end. */
static bool next_line(struct http_text *rest, struct http_text *line)
{
    const char *end = rest->len > 0 ? memchr(rest->bytes, '\n', rest->len) : NULL;

    if (end == NULL)
        return false;
    *line = text_of(rest->bytes, end > rest->bytes && end[-1] == '\r' ? end - 1 : end);
    *rest = text_of(end + 1, rest->bytes + rest->len);
    return true;
}

/* ---- the request line ---- */

static int take_method(struct http_text word, struct http_request *r)
{
    static const char *const others[] = {"POST", "PUT", "DELETE", "CONNECT", "TRACE", "PATCH"};
    static const struct {
        const char *name;
        enum http_method method;
    } known[] = {{"GET", HTTP_GET}, {"HEAD", HTTP_HEAD}, {"OPTIONS", HTTP_OPTIONS}};

    r->method = HTTP_OTHER;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (word.len != strlen(known[i].name) || memcmp(word.bytes, known[i].name, word.len) != 0)
            continue;
        r->method = known[i].method;
        r->is_head = r->method == HTTP_HEAD;
        return 0;
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (word.len == strlen(others[i]) && memcmp(word.bytes, others[i], word.len) == 0)
            return 0;
    return is_token(word) ? 501 : 400;
}

/* Proxies are asked for whole URIs, and everybody has to understand them [RFC9112 3.2.2]. */
static int take_target(struct http_text target, struct http_request *r)
{
    static const char scheme[] = "http://";
    const char *end = target.bytes + target.len, *path = target.bytes;

    if (target.len >= sizeof scheme && strncasecmp(target.bytes, scheme, sizeof scheme - 1) == 0) {
        path += sizeof scheme - 1;
        while (path < end && *path != '/' && *path != '?')
            path++;
    }
    r->target = path == end || *path == '?' ? (struct http_text){"/", 1} : text_of(path, end);
    if (r->target.bytes[0] == '/' || (r->method == HTTP_OPTIONS && http_text_is(r->target, "*")))
        return 0;
    return r->method == HTTP_OTHER ? 0 : 400;
}

/* "HTTP/1." and a digit: what we speak. */
static int take_version(struct http_text version, struct http_request *r)
{
    if (version.len != 8 || memcmp(version.bytes, "HTTP/", 5) != 0 || version.bytes[6] != '.'
        || version.bytes[5] < '0' || version.bytes[5] > '9' || version.bytes[7] < '0'
        || version.bytes[7] > '9')
        return 400;
    r->keep_alive = version.bytes[7] != '0';
    return version.bytes[5] == '1' ? 0 : 505;
}

/* Three words, one blank between them [RFC9112 3]. */
static int take_request_line(struct http_text line, struct http_request *r)
{
    const char *end = line.bytes + line.len;
    const char *first = memchr(line.bytes, ' ', line.len);
    const char *second = first != NULL ? memchr(first + 1, ' ', (size_t)(end - first - 1)) : NULL;
    int status, method_status;

    r->line = line;
    if (has_controls(line) || second == NULL || second == first + 1
        || memchr(line.bytes, '\t', line.len) != NULL)
        return 400;
    method_status = take_method(text_of(line.bytes, first), r);
    status = take_version(text_of(second + 1, end), r);
    if (status == 0)
        status = method_status;
    return status != 0 ? status : take_target(text_of(first + 1, second), r);
}

/* ---- fields ---- */

static void take_connection(struct http_text value, struct http_request *r)
{
    struct http_text option;

    while (http_text_next(&value, &option)) {
        if (http_text_is(option, "close")) {
            r->keep_alive = false;
            return;
        }
        if (http_text_is(option, "keep-alive"))
            r->keep_alive = true;
    }
}

static int take_length(struct http_text value, struct http_request *r)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.bytes[i] < '0' || value.bytes[i] > '9')
            return 400;
        r->has_body = r->has_body || value.bytes[i] != '0';
    }
    return value.len > 0 ? 0 : 400;
}

/* Fields that may come once; a second one contradicts the first. */
static int take_single(struct http_text name, struct http_text value, struct http_request *r)
{
    const struct {
        const char *name;
        struct http_text *place;
    } fields[] = {
        {"host", &r->host},
        {"range", &r->range},
        {"if-range", &r->if_range},
        {"if-match", &r->if_match},
        {"if-none-match", &r->if_none_match},
        {"if-modified-since", &r->if_modified_since},
        {"if-unmodified-since", &r->if_unmodified_since},
    };

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (!http_text_is(name, fields[i].name))
            continue;
        if (fields[i].place->bytes != NULL)
            return 400;
        *fields[i].place = value;
    }
    return 0;
}

/* No blank stands before the colon, and no line continues the one before [RFC9112 5.1, 5.2]. */
static int take_field(struct http_text line, struct http_request *r)
{
    const char *colon = memchr(line.bytes, ':', line.len);
    struct http_text name, value;

    if (colon == NULL || has_controls(line))
        return 400;
    name = text_of(line.bytes, colon);
    value = trim(text_of(colon + 1, line.bytes + line.len));
    if (!is_token(name))
        return 400;
    if (http_text_is(name, "connection"))
        take_connection(value, r);
    else if (http_text_is(name, "content-length"))
        return take_length(value, r);
    else if (http_text_is(name, "transfer-encoding"))
        r->has_body = true;
    return take_single(name, value, r);
}

/* ---- the head ---- */

/* What has come is not all; how much more may come? */
static int incomplete(size_t len, bool has_line)
{
    if (len < HTTP_HEAD_MAX)
        return 0;
    return has_line ? -431 : -414;
}

int http_request_parse(const char *bytes, size_t len, struct http_request *request)
{
    struct http_text rest = {bytes, len}, line;
    bool is_http_1_0;
    int status;

    memset(request, 0, sizeof *request);
    do /* empty lines before a request are forgiven [RFC9112 2.2] */
        if (!next_line(&rest, &line))
            return incomplete(len, false);
    while (line.len == 0);
    status = take_request_line(line, request);
    is_http_1_0 = status == 0 && !request->keep_alive;
    while (status == 0) {
        if (!next_line(&rest, &line))
            return incomplete(len, true);
        if (line.len == 0)
            break;
        status = take_field(line, request);
    }
    if (status == 0 && request->host.bytes == NULL && !is_http_1_0)
        status = 400; /* [RFC9112 3.2] */
    return status != 0 ? -status : (int)(len - rest.len);
}
