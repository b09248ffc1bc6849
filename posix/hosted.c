/*
 * hosted.c - an instance over a host: threads and a real clock
 *
 * One mutex is the lock. A thread that waits has a condition variable of its own, so that only
 * those are woken that are meant. The host's thread takes the lock for its rounds; a call that
 * has something to send wakes it, if it sleeps.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <weir/host.h>

#include "posix/px.h"

struct hosted {
    struct weir_host *host;
    struct weir_posix *px;
    pthread_mutex_t mutex;
    bool host_sleeps; /* under the mutex, as is the next one */
    bool host_is_woken;
};

/* ---- the lock ---- */

static void lock(void *ctx)
{
    struct hosted *h = ctx;

    pthread_mutex_lock(&h->mutex);
}

static void unlock(void *ctx)
{
    struct hosted *h = ctx;

    pthread_mutex_unlock(&h->mutex);
}

/* The host's thread does so between its rounds and for its waits. */
static void lock_for_host(void *ctx)
{
    struct hosted *h = ctx;

    pthread_mutex_lock(&h->mutex);
    h->host_sleeps = false;
    h->host_is_woken = false;
}

static void unlock_for_host(void *ctx)
{
    struct hosted *h = ctx;

    h->host_sleeps = true;
    pthread_mutex_unlock(&h->mutex);
}

static void work(void *ctx)
{
    const struct hosted *h = ctx;

    weir_px_run(h->px);
}

static void changed(void *ctx)
{
    struct hosted *h = ctx;

    if (!h->host_sleeps || h->host_is_woken)
        return;
    h->host_is_woken = true;
    weir_host_wake(h->host);
}

/* ---- waiting ---- */

static weir_ns_t now(void *ctx)
{
    (void)ctx;
    return weir_host_now();
}

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

static struct timespec timespec_of(weir_ns_t at)
{
    return (struct timespec){.tv_sec = (time_t)(at / WEIR_S), .tv_nsec = (long)(at % WEIR_S)};
}

static int wait(void *ctx, struct weir_px_waiter *waiter, weir_ns_t until)
{
    struct hosted *h = ctx;
    struct timespec at = timespec_of(until);
    pthread_cond_t condition;
    int err = 0;

    init_condition(&condition);
    waiter->owner = &condition;
    while (!waiter->is_woken && err == 0)
        err = until == WEIR_NEVER ? pthread_cond_wait(&condition, &h->mutex)
                                  : pthread_cond_timedwait(&condition, &h->mutex, &at);
    waiter->owner = NULL;
    pthread_cond_destroy(&condition);
    return 0;
}

/* Somebody who has not begun to wait will see that he is woken. */
static void wake(void *ctx, struct weir_px_waiter *waiter)
{
    (void)ctx;
    if (waiter->owner != NULL)
        pthread_cond_signal(waiter->owner);
}

/* ---- the life of it ---- */

static void free_hosted(void *own_hook)
{
    struct hosted *h = own_hook;
    struct weir_host_guard nobody = {0};

    weir_host_set_guard(h->host, &nobody);
    pthread_mutex_destroy(&h->mutex);
    free(h);
}

static void fill_hook(struct weir_px_hook *hook, struct hosted *h)
{
    hook->ctx = h;
    hook->lock = lock;
    hook->unlock = unlock;
    hook->now = now;
    hook->wait = wait;
    hook->wake = wake;
    hook->changed = changed;
}

int weir_px_create_on_host(struct weir_host *host, const struct weir_px_config *config,
                           struct weir_posix **px)
{
    struct weir_host_guard guard = {NULL, lock_for_host, unlock_for_host, work};
    struct weir_px_config own = *config;
    struct hosted *h = calloc(1, sizeof *h);
    int err;

    *px = NULL;
    if (h == NULL)
        return WEIR_ENOMEM;
    h->host = host;
    pthread_mutex_init(&h->mutex, NULL);
    fill_hook(&own.hook, h);
    err = weir_px_create(weir_host_stack(host), &own, px);
    if (err != WEIR_OK) {
        pthread_mutex_destroy(&h->mutex);
        free(h);
        return err;
    }
    h->px = *px;
    h->px->own_hook = h;
    h->px->free_own_hook = free_hosted;
    guard.ctx = h;
    weir_host_set_guard(host, &guard);
    return WEIR_OK;
}
