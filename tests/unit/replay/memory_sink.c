/*
 * memory_sink.c - a log in memory
 */
#include "unit/replay/memory_sink.h"
#include "lib/test.h"
#include <errno.h>
#include <stdlib.h>

static uint8_t *room(void *ctx, size_t len)
{
    struct memory_log *log = ctx;

    if (log->limit != 0 && log->len + len > log->limit)
        return NULL;
    if (log->len + len > log->room) {
        log->room = 2 * log->room + len;
        log->bytes = realloc(log->bytes, log->room);
        EXPECT(log->bytes != NULL);
    }
    return log->bytes + log->len;
}

static void used(void *ctx, size_t len)
{
    ((struct memory_log *)ctx)->len += len;
}

static int error_of(void *ctx)
{
    const struct memory_log *log = ctx;

    return log->limit != 0 ? ENOSPC : 0;
}

static void close_log(void *ctx)
{
    ((struct memory_log *)ctx)->is_closed = true;
}

struct log_sink memory_sink(struct memory_log *log)
{
    return (struct log_sink){room, used, error_of, close_log, log};
}

void memory_log_fini(struct memory_log *log)
{
    free(log->bytes);
    *log = (struct memory_log){0};
}
