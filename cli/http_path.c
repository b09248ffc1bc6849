/*
 * http_path.c - from the target of a request to a file, and no file outside
 */
#include "cli/http_path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A FIFO must not make the server wait, nor a terminal become its own. */
enum {
    OPEN_FLAGS = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
};

/* ---- decoding ---- */

static int hex_digit(char letter)
{
    if (letter >= '0' && letter <= '9')
        return letter - '0';
    if (letter >= 'a' && letter <= 'f')
        return letter - 'a' + 10;
    if (letter >= 'A' && letter <= 'F')
        return letter - 'A' + 10;
    return -1;
}

/* The character at text[*i], which is moved to its last letter; -1: malformed, or a NUL. */
static int decode_char(struct http_text text, size_t *i)
{
    int high, low;

    if (text.bytes[*i] != '%')
        return (unsigned char)text.bytes[*i];
    if (text.len - *i < 3)
        return -1;
    high = hex_digit(text.bytes[*i + 1]);
    low = hex_digit(text.bytes[*i + 2]);
    *i += 2;
    return high < 0 || low < 0 || (high == 0 && low == 0) ? -1 : high * 16 + low;
}

/* Takes away "." and ".." and empty steps, in place. False: it leaves the root. */
static bool normalise(char *path)
{
    char *out = path, *in = path;

    while (*in != 0) {
        size_t len = strcspn(in, "/");
        bool has_slash = in[len] == '/';

        if (len == 2 && in[0] == '.' && in[1] == '.') {
            if (out == path)
                return false;
            for (out--; out > path && out[-1] != '/'; out--)
                ;
        } else if (len > 0 && !(len == 1 && in[0] == '.')) {
            memmove(out, in, len);
            out += len;
            if (has_slash)
                *out++ = '/';
        }
        in += len + has_slash;
    }
    *out = 0;
    return true;
}

int http_path_decode(struct http_text target, char path[HTTP_PATH_MAX])
{
    size_t used = 0;

    for (size_t i = 0; i < target.len && target.bytes[i] != '?'; i++) {
        int letter = decode_char(target, &i);
        if (letter < 0)
            return 400;
        if (used == HTTP_PATH_MAX - 1)
            return 414;
        path[used++] = (char)letter;
    }
    path[used] = 0;
    return normalise(path) ? 0 : 400;
}

/* ---- opening ---- */

/* What a client is told of an errno: links that lead outside name nothing that is served. */
static int status_of(int os)
{
    switch (os) {
    case EACCES:
    case EPERM: return -403;
    case EMFILE:
    case ENFILE:
    case ENOMEM: return -503;
    default: return -404;
    }
}

int http_path_open(int root_fd, const char *path)
{
    struct open_how how = {
        .flags = OPEN_FLAGS,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    long fd;

    do /* EAGAIN: something was renamed meanwhile, and the kernel cannot be sure */
        fd = syscall(SYS_openat2, root_fd, path[0] != 0 ? path : ".", &how, sizeof how);
    while (fd < 0 && (errno == EAGAIN || errno == EINTR));
    if (fd < 0 && errno == ENOSYS)
        return http_path_open_walking(root_fd, path);
    return fd >= 0 ? (int)fd : status_of(errno);
}

int http_path_open_walking(int root_fd, const char *path)
{
    char copy[HTTP_PATH_MAX], *step = copy;
    int fd = openat(root_fd, ".", OPEN_FLAGS | O_DIRECTORY), status = 0;

    if (fd < 0)
        return status_of(errno);
    (void)snprintf(copy, sizeof copy, "%s", path);
    while (*step != 0 && status == 0) {
        char *end = step + strcspn(step, "/");
        bool is_last = *end == 0;
        int next;

        *end = 0;
        next = openat(fd, step, OPEN_FLAGS | O_NOFOLLOW | (is_last ? 0 : O_DIRECTORY));
        status = next >= 0 ? 0 : status_of(errno);
        close(fd);
        fd = next;
        step = is_last ? end : end + 1;
    }
    return status == 0 ? fd : status;
}

/* ---- encoding ---- */

/* What may stand in a path as it is [RFC3986 2.3], and the slash. */
static bool is_plain(char letter)
{
    return (letter >= '0' && letter <= '9') || (letter >= 'A' && letter <= 'Z')
           || (letter >= 'a' && letter <= 'z') || (letter != 0 && strchr("-._~/", letter) != NULL);
}

void http_path_encode(FILE *out, const char *path)
{
    for (; *path != 0; path++) {
        if (is_plain(*path))
            (void)fputc(*path, out);
        else
            (void)fprintf(out, "%%%02X", (unsigned char)*path);
    }
}

void http_path_escape(FILE *out, const char *text)
{
    for (; *text != 0; text++) {
        switch (*text) {
        case '&': (void)fputs("&amp;", out); break;
        case '<': (void)fputs("&lt;", out); break;
        case '>': (void)fputs("&gt;", out); break;
        case '"': (void)fputs("&quot;", out); break;
        default: (void)fputc(*text, out);
        }
    }
}
