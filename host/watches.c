/*
 * watches.c - the application's own descriptors
 */
#include "host/watches.h"

#include <stdlib.h>

enum {
    INDEX_BITS = 24,
};

static struct watch *find(struct watches *w, int fd)
{
    for (size_t i = 0; i < w->count; i++) {
        if (w->all[i].fd == fd)
            return &w->all[i];
    }
    return NULL;
}

/* A place for one more; NULL if there is no memory. */
static struct watch *get(struct watches *w)
{
    struct watch *watch = find(w, -1);
    struct watch *more;

    if (watch != NULL)
        return watch;
    if (w->count == (size_t)1 << INDEX_BITS)
        return NULL;
    more = realloc(w->all, (w->count + 1) * sizeof *more);
    if (more == NULL)
        return NULL;
    w->all = more;
    watch = &w->all[w->count++];
    *watch = (struct watch){.fd = -1};
    return watch;
}

static uint64_t tag_of(const struct watches *w, const struct watch *watch)
{
    return (uint64_t)watch->generation << INDEX_BITS | (uint64_t)(watch - w->all);
}

static struct watch *of_tag(struct watches *w, uint64_t tag)
{
    size_t i = (size_t)(tag & ((1u << INDEX_BITS) - 1));

    if (i >= w->count || w->all[i].fd < 0 || tag_of(w, &w->all[i]) != tag)
        return NULL;
    return &w->all[i];
}

static void remove_watch(struct watches *w, struct watch *watch)
{
    if (watch->is_file)
        w->file_count--;
    else
        poller_set(w->poller, watch->fd, 0, 0);
    watch->fd = -1;
}

int watches_set(struct watches *w, int fd, const struct watch *wanted)
{
    struct watch *watch = find(w, fd);
    int err;

    if (fd < 0 || (wanted->events != 0 && wanted->on_ready == NULL))
        return WEIR_EINVAL;
    if (watch != NULL && (wanted->events == 0 || watch->is_file))
        remove_watch(w, watch);
    if (wanted->events == 0)
        return watch != NULL ? 0 : WEIR_EINVAL;
    if (watch == NULL)
        watch = get(w);
    if (watch == NULL)
        return WEIR_ENOMEM;
    watch->generation++;
    err = poller_set(w->poller, fd, wanted->events, tag_of(w, watch));
    if (err != 0 && err != WEIR_ENOTSUP) {
        watch->fd = -1;
        return err;
    }
    watch->fd = fd;
    watch->events = wanted->events;
    watch->on_ready = wanted->on_ready;
    watch->ctx = wanted->ctx;
    watch->is_file = err == WEIR_ENOTSUP;
    w->file_count += watch->is_file;
    return 0;
}

void watches_on_ready(struct watches *w, uint64_t tag, unsigned events)
{
    struct watch *watch = of_tag(w, tag);

    if (watch != NULL)
        watch->on_ready(watch->ctx, watch->fd, events);
}

void watches_call_files(struct watches *w)
{
    /* The table may grow and move meanwhile. */
    for (size_t i = 0; i < w->count && w->file_count > 0; i++) {
        struct watch watch = w->all[i];

        if (watch.fd >= 0 && watch.is_file)
            watch.on_ready(watch.ctx, watch.fd, watch.events);
    }
}

void watches_fini(struct watches *w)
{
    free(w->all);
    w->all = NULL;
    w->count = 0;
}
