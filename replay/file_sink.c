/*
 * file_sink.c - a log's file, mapped into memory piece by piece
 *
 * What is written into a mapped file is the kernel's from that moment on: it is in the file even
 * if the program crashes at its next step. Each piece is allocated before it is mapped, so that a
 * full disk is an error here and not a signal later.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replay/recorder.h"

enum {
    PIECE = 4 << 20,
};

struct file_sink {
    int fd;
    int error;
    uint8_t *mapped; /* NULL: nothing is */
    size_t mapped_len;
    off_t mapped_at; /* in the file */
    off_t len;       /* of the log */
};

static void unmap(struct file_sink *f)
{
    if (f->mapped != NULL)
        munmap(f->mapped, f->mapped_len);
    f->mapped = NULL;
}

/* Maps the place of the next len bytes, and as much again as a piece has. */
static int map(struct file_sink *f, size_t len)
{
    off_t page = (off_t)sysconf(_SC_PAGESIZE);
    off_t at = f->len / page * page;
    size_t wanted = (size_t)(f->len - at) + len + PIECE;
    void *mapped;
    int err;

    unmap(f);
    do
        err = posix_fallocate(f->fd, at, (off_t)wanted);
    while (err == EINTR);
    if (err != 0)
        return err;
    mapped = mmap(NULL, wanted, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, at);
    if (mapped == MAP_FAILED)
        return errno;
    f->mapped = mapped;
    f->mapped_len = wanted;
    f->mapped_at = at;
    return 0;
}

static uint8_t *room(void *ctx, size_t len)
{
    struct file_sink *f = ctx;

    if (f->error != 0)
        return NULL;
    if (f->mapped == NULL || (size_t)(f->len - f->mapped_at) + len > f->mapped_len)
        f->error = map(f, len);
    return f->error == 0 ? f->mapped + (f->len - f->mapped_at) : NULL;
}

static void used(void *ctx, size_t len)
{
    struct file_sink *f = ctx;

    f->len += (off_t)len;
}

static int error_of(void *ctx)
{
    const struct file_sink *f = ctx;

    return f->error;
}

static void close_file(void *ctx)
{
    struct file_sink *f = ctx;

    unmap(f);
    /* What is too much is zeros, which a reader takes for the end: no failure to speak of. */
    if (ftruncate(f->fd, f->len) != 0)
        f->error = errno;
    close(f->fd);
    free(f);
}

bool file_sink_open(struct log_sink *sink, const char *path)
{
    struct file_sink *f = calloc(1, sizeof *f);
    struct stat about;

    if (f == NULL)
        return false;
    f->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (f->fd >= 0 && fstat(f->fd, &about) == 0 && !S_ISREG(about.st_mode)) {
        close(f->fd);
        f->fd = -1;
        errno = EINVAL; /* a pipe or a terminal cannot be mapped */
    }
    if (f->fd < 0) {
        free(f);
        return false;
    }
    *sink = (struct log_sink){room, used, error_of, close_file, f};
    return true;
}
