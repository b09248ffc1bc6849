/*
 * instance.c - making an instance, entering and leaving it, and waiting
 *
 * A call enters: it takes the lock, tells the stack the time, and takes in the stack's news.
 * It leaves: what it sent to ourselves arrives, those who wait are told, and whoever moves the
 * frames is told that there are some. Waiting is leaving and entering again.
 */
#include <errno.h>
#include <stdlib.h>

#include "posix/sock.h"

enum {
    LOOPBACK_TURNS = 256, /* of weir_output for one call; the rest is for the next */
    BUCKETS = PX_PORT_BUCKETS,
};

/* ---- errors ---- */

int px_errno(ptrdiff_t err)
{
    switch ((enum weir_err)err) {
    case WEIR_OK: return 0;
    case WEIR_EAGAIN: return -EAGAIN;
    case WEIR_EINVAL: return -EINVAL;
    case WEIR_ENOMEM: return -ENOBUFS;
    case WEIR_ESTALE: return -ENOTCONN;
    case WEIR_ESTATE: return -EINVAL;
    case WEIR_EPIPE: return -EPIPE;
    case WEIR_ENOTCONN: return -ENOTCONN;
    case WEIR_EADDRINUSE: return -EADDRINUSE;
    case WEIR_EADDRNOTAVAIL: return -EADDRNOTAVAIL;
    case WEIR_ENETUNREACH: return -ENETUNREACH;
    case WEIR_EHOSTUNREACH: return -EHOSTUNREACH;
    case WEIR_ECONNREFUSED: return -ECONNREFUSED;
    case WEIR_ECONNRESET: return -ECONNRESET;
    case WEIR_ECONNABORTED: return -ECONNABORTED;
    case WEIR_ETIMEDOUT: return -ETIMEDOUT;
    case WEIR_EMSGSIZE: return -EMSGSIZE;
    case WEIR_EPROTO: return -ENOPROTOOPT; /* as Linux has it for an unreachable protocol */
    case WEIR_EACCES: return -EHOSTUNREACH;
    case WEIR_ENOTSUP: return -ENOPROTOOPT;
    }
    return -EIO;
}

/* ---- the stack's news ---- */

static struct sock *sock_of_event(const struct weir_posix *px, const struct weir_event *event)
{
    struct sock *s = event->user < px->sock_count ? px->socks[event->user] : NULL;

    return s != NULL && s->handle == event->handle ? s : NULL;
}

static void on_event(struct weir_posix *px, struct sock *s, const struct weir_event *event)
{
    if (s->file.kind == FILE_STREAM)
        stream_on_event(px, s, event);
    else
        datagram_on_event(px, s, event);
}

bool weir_px_event(struct weir_posix *px, const struct weir_event *event)
{
    struct sock *s = sock_of_event(px, event);

    if (s != NULL)
        on_event(px, s, event);
    file_tell_changes(px);
    return s != NULL;
}

static void on_icmp(void *ctx, const struct weir_icmp_error *icmp)
{
    struct weir_posix *px = ctx;
    const struct weir_event whose = {.handle = icmp->handle, .user = icmp->user};
    struct sock *s = sock_of_event(px, &whose);

    if (s != NULL)
        errqueue_on_icmp(px, s, icmp);
}

static void take_events(struct weir_posix *px)
{
    struct weir_event event;

    while (weir_event(px->stack, &event)) {
        struct sock *s = sock_of_event(px, &event);
        if (s != NULL)
            on_event(px, s, &event);
    }
}

void weir_px_run(struct weir_posix *px)
{
    weir_netif_t loopback = px->config.loopback;

    take_events(px);
    for (int i = 0; i < LOOPBACK_TURNS && loopback != 0 && weir_has_output(px->stack, loopback);
         i++) {
        weir_output(px->stack, loopback, NULL, 0);
        take_events(px);
    }
    file_tell_changes(px);
}

/* ---- entering and leaving ---- */

weir_ns_t px_now(struct weir_posix *px)
{
    return px->config.hook.now(px->config.hook.ctx);
}

weir_ns_t px_until(struct weir_posix *px, weir_ns_t duration_ns)
{
    weir_ns_t now = px_now(px);

    return duration_ns < 0 || duration_ns >= WEIR_NEVER - now ? WEIR_NEVER : now + duration_ns;
}

/* The lock is held (again). */
static void resume(struct weir_posix *px)
{
    weir_advance(px->stack, px_now(px));
    weir_px_run(px);
    px->deadline_at = weir_deadline(px->stack);
}

/* Whoever moves frames may sleep until a deadline that is too late now. */
static void pause(struct weir_posix *px)
{
    const struct weir_px_hook *hook = &px->config.hook;

    weir_px_run(px);
    if (hook->changed != NULL
        && (weir_has_output(px->stack, 0) || weir_deadline(px->stack) < px->deadline_at))
        hook->changed(hook->ctx);
}

void px_enter(struct weir_posix *px)
{
    if (px->config.hook.lock != NULL)
        px->config.hook.lock(px->config.hook.ctx);
    resume(px);
}

void px_leave(struct weir_posix *px)
{
    pause(px);
    if (px->config.hook.unlock != NULL)
        px->config.hook.unlock(px->config.hook.ctx);
}

void weir_px_lock(struct weir_posix *px)
{
    px_enter(px);
}

void weir_px_unlock(struct weir_posix *px)
{
    px_leave(px);
}

ssize_t px_return(struct weir_posix *px, ssize_t result)
{
    px_leave(px);
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}

/* ---- waiting ---- */

int px_wait_for(struct weir_posix *px, struct weir_px_waiter *waiter, weir_ns_t until)
{
    const struct weir_px_hook *hook = &px->config.hook;
    int err = 0;

    if (hook->wait == NULL || until <= px_now(px))
        return -EAGAIN;
    pause(px);
    if (!waiter->is_woken)
        err = hook->wait(hook->ctx, waiter, until);
    resume(px);
    if (waiter->is_woken)
        return 0;
    if (err != 0)
        return -err;
    return until <= px_now(px) ? -EAGAIN : 0;
}

int px_wait(struct weir_posix *px, struct file *f, weir_ns_t until)
{
    struct weir_px_waiter waiter = {0};
    struct watch watch;
    int err;

    watch_add(f, &watch, &waiter);
    err = px_wait_for(px, &waiter, until);
    watch_remove(&watch);
    return err;
}

/* ---- the life of an instance ---- */

void weir_px_config_init(struct weir_px_config *config)
{
    *config = (struct weir_px_config){
        .fd_first = 3,
        .fd_limit = 1 << 20,
        .somaxconn = 4096,
    };
}

static bool is_valid(const struct weir_px_config *config)
{
    const struct weir_px_hook *hook = &config->hook;

    return hook->now != NULL && (hook->lock == NULL) == (hook->unlock == NULL)
           && (hook->fd_open == NULL) == (hook->fd_close == NULL)
           && (hook->file_read == NULL) == (hook->file_write == NULL) && config->fd_first >= 0
           && config->fd_limit > config->fd_first && config->somaxconn >= 0;
}

int weir_px_create(struct weir *stack, const struct weir_px_config *config, struct weir_posix **px)
{
    struct weir_posix *p;

    *px = NULL;
    if (stack == NULL || !is_valid(config))
        return WEIR_EINVAL;
    p = calloc(1, sizeof *p);
    if (p == NULL)
        return WEIR_ENOMEM;
    p->stack = stack;
    p->config = *config;
    p->fd_lowest = (size_t)config->fd_first;
    p->deadline_at = WEIR_NEVER;
    links_init(&p->changed);
    for (size_t i = 0; i < BUCKETS; i++)
        links_init(&p->ports[i]);
    weir_icmp_set(stack, on_icmp, p);
    *px = p;
    return WEIR_OK;
}

void weir_px_destroy(struct weir_posix **px)
{
    struct weir_posix *p = *px;

    *px = NULL;
    if (p == NULL)
        return;
    px_enter(p);
    file_close_all(p);
    weir_icmp_set(p->stack, NULL, NULL);
    px_leave(p);
    free(p->fds);
    free(p->socks);
    if (p->own_hook != NULL)
        p->free_own_hook(p->own_hook);
    free(p);
}

bool weir_px_is_open(struct weir_posix *px, int fd)
{
    struct file *f;

    px_enter(px);
    f = file_get(px, fd);
    if (f != NULL)
        file_put(px, f);
    px_leave(px);
    return f != NULL;
}

weir_handle_t weir_px_handle(struct weir_posix *px, int fd)
{
    weir_handle_t handle = 0;
    struct sock *s;
    int err;

    px_enter(px);
    s = sock_get(px, fd, &err);
    if (s != NULL) {
        handle = s->handle;
        sock_put(px, s);
    }
    px_leave(px);
    return handle;
}
