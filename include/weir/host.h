/*
 * weir/host.h - run a stack on a real machine (libweir-os)
 *
 * A host is a stack, its drivers, the machine's monotonic clock and its entropy, and
 * an epoll loop. The application gets its events through one function.
 */
#ifndef WEIR_HOST_H
#define WEIR_HOST_H

#include <weir/driver.h>
#include <weir/weir.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_host;

/* The machine's monotonic clock. Any thread. */
WEIR_API weir_ns_t weir_host_now(void);

/*
 * weir_config_init, then a secret from the kernel, what the processor has, and the C library's
 * allocator. Ends the
 * program if the kernel has no entropy to give, which Linux since 3.17 always has. Any thread.
 */
WEIR_API void weir_host_config(struct weir_config *config);

/*
 * Makes a host with a stack of its own. 0, or an error of weir_create; WEIR_ENOMEM also if no
 * descriptor is left.
 */
WEIR_API int weir_host_create(const struct weir_config *config, struct weir_host **host);

/* Closes the drivers, then ends the stack. Takes *host; NULL is allowed. */
WEIR_API void weir_host_destroy(struct weir_host **host);

WEIR_API struct weir *weir_host_stack(struct weir_host *host);

/*
 * Adds a driver and its interface. Takes *driver on success. 0 and the interface's number, or
 * an error of weir_netif_add. A driver without a descriptor is asked for frames in every
 * step, and while nothing else happens each millisecond.
 */
WEIR_API int weir_host_attach(struct weir_host *host, struct weir_driver **driver,
                              weir_netif_t *netif);

/*
 * What the application is told of the stack's events. Without a function they stay in the
 * stack, for weir_event.
 */
typedef void (*weir_host_on_event)(void *ctx, struct weir *s, const struct weir_event *event);
WEIR_API void weir_host_set_events(struct weir_host *host, weir_host_on_event on_event, void *ctx);

/*
 * Watches a descriptor of the application's own: on_ready is called in the loop while poll's
 * events (POLLIN, POLLOUT) or POLLERR and POLLHUP hold. A file is always ready, as for
 * poll. events 0 stops watching, which is to be done before the descriptor is closed. Returns
 * 0, or
 *   WEIR_EINVAL  not a descriptor, on_ready is NULL, or there is nothing to stop
 *   WEIR_ENOMEM
 */
typedef void (*weir_host_on_ready)(void *ctx, int fd, unsigned events);
WEIR_API int weir_host_watch(struct weir_host *host, int fd, unsigned events,
                             weir_host_on_ready on_ready, void *ctx);

/* Calls on_time once, at or after at; WEIR_NEVER cancels. One such timer per host. */
typedef void (*weir_host_on_time)(void *ctx, weir_ns_t now);
WEIR_API void weir_host_set_timer(struct weir_host *host, weir_ns_t at, weir_host_on_time on_time,
                                  void *ctx);

/*
 * For a host whose stack other threads use as well. lock is taken for all of a round but the wait
 * in it; work, which may be NULL, is called in each round with the lock held, when what has
 * arrived was taken in and before frames are sent. To be set before the first round.
 */
struct weir_host_guard {
    void *ctx;
    void (*lock)(void *ctx);
    void (*unlock)(void *ctx);
    void (*work)(void *ctx);
};
WEIR_API void weir_host_set_guard(struct weir_host *host, const struct weir_host_guard *guard);

/*
 * Ends the wait of the round that is under way, or of the next one: there are frames to send, or an
 * earlier deadline. Any thread.
 */
WEIR_API void weir_host_wake(struct weir_host *host);

/*
 * Waits for one round of work, at most max_wait_ns (WEIR_NEVER: as long as it takes), and does
 * it: frames in, descriptors, the timer, events, frames out. Returns 0, or a negative code when
 * a driver failed: it has been closed and its interface removed, and the host can go on
 * without it.
 */
WEIR_API int weir_host_step(struct weir_host *host, weir_ns_t max_wait_ns);

/* Steps until weir_host_stop is called or a driver fails. Returns 0, or as weir_host_step. */
WEIR_API int weir_host_run(struct weir_host *host);

/* Ends weir_host_run, or the next one. Any thread, and signal handlers. */
WEIR_API void weir_host_stop(struct weir_host *host);

#ifdef __cplusplus
}
#endif

#endif
