/*
 * http_response.c - what is answered [RFC9110]
 */
#include "cli/http_response.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/http_date.h"
#include "cli/http_listing.h"
#include "cli/http_mime.h"
#include "cli/http_path.h"

enum {
    ETAG_TEXT = 48,
    PART_TEXT = 320, /* the head of a part: a boundary, a type and two lengths */
};

static const char index_name[] = "index.html";

/* An answer under construction. */
struct making {
    struct http_response *r;
    const struct http_request *request;
    FILE *out; /* the text of r */
    int root_fd;
    char path[HTTP_PATH_MAX];
};

/* What is known of the file that is served. */
struct file {
    uint64_t size;
    time_t changed_at;
    const char *type;
    char etag[ETAG_TEXT];
};

static const char *reason_of(int status)
{
    switch (status) {
    case 200: return "OK";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 412: return "Precondition Failed";
    case 414: return "URI Too Long";
    case 416: return "Range Not Satisfiable";
    case 431: return "Request Header Fields Too Large";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Error";
    }
}

/* ---- text ---- */

/* The status line and what every answer has. */
static void put_head(struct making *m, int status)
{
    char date[HTTP_DATE_TEXT];

    m->r->status = status;
    (void)fprintf(m->out, "HTTP/1.1 %d %s\r\nServer: weir/%s\r\nDate: %s\r\nConnection: %s\r\n",
                  status, reason_of(status), WEIR_VERSION, http_date_text(time(NULL), date),
                  m->r->keep_alive ? "keep-alive" : "close");
}

static void add_piece(struct making *m, bool of_file, uint64_t at, uint64_t len)
{
    if (len > 0)
        m->r->pieces[m->r->piece_count++] = (struct http_piece){of_file, at, len};
}

/* What has been written since the last piece of text becomes one. */
static void add_text_piece(struct making *m)
{
    uint64_t end = (uint64_t)ftello(m->out), from = 0;

    for (size_t i = 0; i < m->r->piece_count; i++)
        if (!m->r->pieces[i].of_file)
            from = m->r->pieces[i].at + m->r->pieces[i].len;
    add_piece(m, false, from, end - from);
}

/* The rest of the head, and a body of len bytes that is in memory. */
static void put_body(struct making *m, const char *type, const char *body, size_t len)
{
    (void)fprintf(m->out, "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n", type, len);
    if (!m->request->is_head)
        (void)fwrite(body, 1, len, m->out);
    add_text_piece(m);
}

/* A whole answer that says no more than its status; field is one more line of its head. */
static void put_status(struct making *m, int status, const char *field)
{
    char body[64];
    int len = snprintf(body, sizeof body, "%d %s\n", status, reason_of(status));

    put_head(m, status);
    (void)fputs(field, m->out);
    put_body(m, "text/plain; charset=utf-8", body, (size_t)len);
}

/* ---- conditions [RFC9110 13.1] ---- */

/* Whether a list of entity tags has ours; strong comparison takes no weak ones. */
static bool etag_is_in(struct http_text list, const char *etag, bool strong)
{
    struct http_text element;

    while (http_text_next(&list, &element)) {
        if (http_text_is(element, "*"))
            return true;
        if (element.len > 2 && memcmp(element.bytes, "W/", 2) == 0) {
            if (strong)
                continue;
            element.bytes += 2;
            element.len -= 2;
        }
        if (element.len == strlen(etag) && memcmp(element.bytes, etag, element.len) == 0)
            return true;
    }
    return false;
}

/* What is no date has no effect: the answer is otherwise. */
static bool has_changed_since(struct http_text date, const struct file *file, bool otherwise)
{
    time_t at;

    return http_date_parse(date, &at) ? file->changed_at > at : otherwise;
}

/* The status that the conditions lead to, in the order of [RFC9110 13.2.2]; 0: none. */
static int check_conditions(const struct http_request *q, const struct file *file)
{
    if (q->if_match.bytes != NULL) {
        if (!etag_is_in(q->if_match, file->etag, true))
            return 412;
    } else if (q->if_unmodified_since.bytes != NULL
               && has_changed_since(q->if_unmodified_since, file, false)) {
        return 412;
    }
    if (q->if_none_match.bytes != NULL)
        return etag_is_in(q->if_none_match, file->etag, false) ? 304 : 0;
    if (q->if_modified_since.bytes != NULL && !has_changed_since(q->if_modified_since, file, true))
        return 304;
    return 0;
}

/* Whether the client's part is of the same file: else it gets the whole [RFC9110 13.1.5]. */
static bool range_holds(const struct http_request *q, const struct file *file)
{
    time_t at;

    if (q->if_range.bytes == NULL)
        return true;
    if (http_date_parse(q->if_range, &at))
        return at == file->changed_at;
    return q->if_range.len == strlen(file->etag)
           && memcmp(q->if_range.bytes, file->etag, q->if_range.len) == 0;
}

/* ---- files ---- */

/* The time in nanoseconds and the size: what changes gets another tag. */
static void file_of(const struct stat *status, const char *name, struct file *file)
{
    uint64_t changed_ns =
        (uint64_t)status->st_mtim.tv_sec * 1000000000u + (uint64_t)status->st_mtim.tv_nsec;

    file->size = (uint64_t)status->st_size;
    file->changed_at = status->st_mtime;
    file->type = http_mime_type(name);
    (void)snprintf(file->etag, sizeof file->etag, "\"%" PRIx64 "-%" PRIx64 "\"", changed_ns,
                   file->size);
}

static void put_file_fields(struct making *m, const struct file *file)
{
    char date[HTTP_DATE_TEXT];

    (void)fprintf(m->out, "ETag: %s\r\nLast-Modified: %s\r\nAccept-Ranges: bytes\r\n", file->etag,
                  http_date_text(file->changed_at, date));
}

static void put_whole(struct making *m, const struct file *file)
{
    put_head(m, 200);
    put_file_fields(m, file);
    (void)fprintf(m->out, "Content-Type: %s\r\nContent-Length: %" PRIu64 "\r\n\r\n", file->type,
                  file->size);
    add_text_piece(m);
    if (!m->request->is_head)
        add_piece(m, true, 0, file->size);
}

static void put_one_range(struct making *m, const struct file *file, const struct http_range *range)
{
    put_head(m, 206);
    put_file_fields(m, file);
    (void)fprintf(m->out,
                  "Content-Type: %s\r\nContent-Length: %" PRIu64 "\r\nContent-Range: bytes %" PRIu64
                  "-%" PRIu64 "/%" PRIu64 "\r\n\r\n",
                  file->type, range->len, range->first, range->first + range->len - 1, file->size);
    add_text_piece(m);
    add_piece(m, true, range->first, range->len);
}

/* A boundary that no file has by chance: 64 bits mixed from what is known of this one. */
static uint64_t boundary_of(const struct file *file)
{
    uint64_t x = file->size * 0x9e3779b97f4a7c15u + (uint64_t)file->changed_at;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static size_t part_text(char text[PART_TEXT], const struct file *file,
                        const struct http_range *range)
{
    int len = snprintf(
        text, PART_TEXT,
        "\r\n--weir-%016" PRIx64 "\r\nContent-Type: %s\r\nContent-Range: bytes %" PRIu64 "-%" PRIu64
        "/%" PRIu64 "\r\n\r\n",
        boundary_of(file), file->type, range->first, range->first + range->len - 1, file->size);

    return (size_t)len;
}

/* Several ranges are several parts [RFC9110 14.6]. */
static void put_ranges(struct making *m, const struct file *file, const struct http_range *ranges,
                       int count)
{
    char text[PART_TEXT], last[PART_TEXT];
    uint64_t len =
        (uint64_t)snprintf(last, sizeof last, "\r\n--weir-%016" PRIx64 "--\r\n", boundary_of(file));

    for (int i = 0; i < count; i++)
        len += part_text(text, file, &ranges[i]) + ranges[i].len;
    put_head(m, 206);
    put_file_fields(m, file);
    (void)fprintf(m->out,
                  "Content-Type: multipart/byteranges; boundary=weir-%016" PRIx64
                  "\r\nContent-Length: %" PRIu64 "\r\n\r\n",
                  boundary_of(file), len);
    for (int i = 0; i < count; i++) {
        (void)part_text(text, file, &ranges[i]);
        (void)fputs(text, m->out);
        add_text_piece(m);
        add_piece(m, true, ranges[i].first, ranges[i].len);
    }
    (void)fputs(last, m->out);
    add_text_piece(m);
}

static void put_unsatisfiable(struct making *m, const struct file *file)
{
    char field[64];

    (void)snprintf(field, sizeof field, "Content-Range: bytes */%" PRIu64 "\r\n", file->size);
    put_status(m, 416, field);
}

/* Ranges are for GET alone [RFC9110 14.2]. */
static void put_file(struct making *m, const struct file *file)
{
    const struct http_request *q = m->request;
    struct http_range ranges[HTTP_RANGES_MAX];
    int count = 0, status = check_conditions(q, file);

    if (status == 304) {
        put_head(m, 304);
        put_file_fields(m, file);
        (void)fputs("\r\n", m->out);
        add_text_piece(m);
        return;
    }
    if (status != 0) {
        put_status(m, status, "");
        return;
    }
    if (q->range.bytes != NULL && q->method == HTTP_GET && range_holds(q, file))
        count = http_ranges_parse(q->range, file->size, ranges);
    if (count < 0)
        put_unsatisfiable(m, file);
    else if (count == 0)
        put_whole(m, file);
    else if (count == 1)
        put_one_range(m, file, &ranges[0]);
    else
        put_ranges(m, file, ranges, count);
}

/* ---- folders ---- */

/* Relative links in a folder's page need the slash at the end of its name. */
static void put_redirect(struct making *m)
{
    put_head(m, 301);
    (void)fputs("Location: /", m->out);
    http_path_encode(m->out, m->path);
    (void)fputs("/\r\n", m->out);
    put_body(m, "text/plain; charset=utf-8", "", 0);
}

static void put_listing(struct making *m, int fd)
{
    char *page = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&page, &len);
    int status = 503;

    if (out == NULL)
        close(fd);
    else
        status = http_listing_emit(out, fd, m->path);
    if (out != NULL && fclose(out) != 0)
        status = 503;
    if (status != 0) {
        put_status(m, status, "");
    } else {
        put_head(m, 200);
        put_body(m, "text/html; charset=utf-8", page, len);
    }
    free(page);
}

/* The page of a folder, if it has one. */
static int open_index(struct making *m, struct stat *status)
{
    size_t len = strlen(m->path);
    int fd;

    if (len + sizeof index_name > sizeof m->path)
        return -1;
    memcpy(m->path + len, index_name, sizeof index_name);
    fd = http_path_open(m->root_fd, m->path);
    m->path[len] = 0;
    if (fd >= 0 && (fstat(fd, status) != 0 || !S_ISREG(status->st_mode))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void put_folder(struct making *m, int fd)
{
    size_t len = strlen(m->path);
    struct stat status;
    struct file file;
    int index_fd;

    if (len > 0 && m->path[len - 1] != '/') {
        close(fd);
        put_redirect(m);
        return;
    }
    index_fd = open_index(m, &status);
    if (index_fd < 0) {
        put_listing(m, fd);
        return;
    }
    close(fd);
    m->r->fd = index_fd;
    file_of(&status, index_name, &file);
    put_file(m, &file);
}

/* ---- the answer ---- */

static void put_path(struct making *m)
{
    struct stat status;
    struct file file;
    int fd = http_path_open(m->root_fd, m->path);

    if (fd < 0) {
        put_status(m, -fd, "");
    } else if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
        put_folder(m, fd);
    } else if (S_ISREG(status.st_mode)) {
        m->r->fd = fd;
        file_of(&status, m->path, &file);
        put_file(m, &file);
    } else {
        close(fd);
        put_status(m, 403, "");
    }
}

static void put_answer(struct making *m)
{
    int status = 0;

    if (m->request->method == HTTP_OPTIONS) {
        put_head(m, 204);
        (void)fputs("Allow: GET, HEAD, OPTIONS\r\n\r\n", m->out);
        add_text_piece(m);
    } else if (m->request->method == HTTP_OTHER) {
        put_status(m, 405, "Allow: GET, HEAD, OPTIONS\r\n");
    } else if ((status = http_path_decode(m->request->target, m->path)) != 0) {
        put_status(m, status, "");
    } else {
        put_path(m);
    }
}

bool http_response_init(struct http_response *r, int root_fd, const struct http_request *request,
                        int status)
{
    struct making m = {.r = r, .request = request, .root_fd = root_fd};

    memset(r, 0, sizeof *r);
    r->fd = -1;
    /* The body of a request is not read; where the next one begins is then unknown. */
    r->keep_alive = request->keep_alive && !request->has_body && status == 0;
    m.out = open_memstream(&r->text, &r->text_len);
    if (m.out == NULL)
        return false;
    if (status != 0)
        put_status(&m, status, "");
    else
        put_answer(&m);
    if (fclose(m.out) == 0)
        return true;
    http_response_fini(r);
    return false;
}

void http_response_fini(struct http_response *r)
{
    free(r->text);
    if (r->fd >= 0)
        close(r->fd);
    r->text = NULL;
    r->fd = -1;
}
