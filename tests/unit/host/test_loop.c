/*
 * test_loop.c - a host that has no traffic: its clock, timer, descriptors and end
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>
#include <weir/host.h>

#include "host/entropy.h"
#include "lib/test.h"

static struct weir_host *host;

static void create(void)
{
    struct weir_config config;

    weir_host_config(&config);
    EXPECT_EQ(weir_host_create(&config, &host), 0);
    EXPECT(weir_host_stack(host) != NULL);
}

static void destroy(void)
{
    weir_host_destroy(&host);
    EXPECT(host == NULL);
}

TEST(host_clock_does_not_go_back)
{
    weir_ns_t first = weir_host_now(), last = first;

    EXPECT(first > 0);
    for (int i = 0; i < 1000; i++) {
        weir_ns_t now = weir_host_now();

        EXPECT(now >= last);
        last = now;
    }
}

TEST(host_configurations_have_different_secrets_and_an_allocator)
{
    struct weir_config a, b;
    static const uint8_t zeros[sizeof a.secret];
    void *memory;

    weir_host_config(&a);
    weir_host_config(&b);
    EXPECT(memcmp(a.secret, b.secret, sizeof a.secret) != 0);
    EXPECT(memcmp(a.secret, zeros, sizeof zeros) != 0);
    for (size_t align = 1; align <= 4096; align *= 2) {
        memory = a.allocator.alloc(a.allocator.ctx, 100, align);
        EXPECT(memory != NULL && (uintptr_t)memory % align == 0);
        memset(memory, 1, 100);
        a.allocator.free(a.allocator.ctx, memory, 100);
    }
}

TEST(host_entropy_fills_more_than_one_call_gives)
{
    static uint8_t bytes[100000];
    size_t zeros = 0;

    entropy_get(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        zeros += bytes[i] == 0;
    EXPECT(zeros > 200 && zeros < 700); /* 390 are expected */
}

TEST(host_that_cannot_have_a_stack_says_what_the_stack_said)
{
    struct weir_config config;

    weir_config_init(&config); /* without an allocator */
    EXPECT_EQ(weir_host_create(&config, &host), WEIR_EINVAL);
    EXPECT(host == NULL);
    weir_host_destroy(&host);
}

TEST(host_that_finds_no_descriptor_left_is_not_made)
{
    struct weir_config config;
    struct rlimit before, few;
    int free_fd = dup(0), err;

    EXPECT(free_fd > 0);
    close(free_fd);
    weir_host_config(&config);
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (int left = 0; left < 2; left++) {
        few = before;
        few.rlim_cur = (rlim_t)(free_fd + left);
        EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
        err = weir_host_create(&config, &host);
        EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
        EXPECT_EQ(err, WEIR_ENOMEM);
        EXPECT(host == NULL);
    }
}

/* ---- time ---- */

static weir_ns_t called_at;
static int call_count;

static void on_time(void *ctx, weir_ns_t now)
{
    EXPECT(ctx == &called_at);
    called_at = now;
    call_count++;
}

static void again(void *ctx, weir_ns_t now)
{
    on_time(ctx, now);
    if (call_count < 3)
        weir_host_set_timer(host, now + WEIR_MS, again, ctx);
}

TEST(host_step_waits_no_longer_than_it_may)
{
    weir_ns_t before;

    create();
    before = weir_host_now();
    EXPECT_EQ(weir_host_step(host, 0), 0);
    EXPECT_EQ(weir_host_step(host, -5), 0);
    EXPECT_EQ(weir_host_step(host, 20 * WEIR_MS), 0);
    EXPECT(weir_host_now() - before >= 20 * WEIR_MS);
    EXPECT(weir_host_now() - before < 5 * WEIR_S);
    destroy();
}

TEST(host_timer_is_called_once_and_not_too_early)
{
    weir_ns_t at;

    create();
    call_count = 0;
    at = weir_host_now() + 5 * WEIR_MS + 300 * WEIR_US;
    weir_host_set_timer(host, at, on_time, &called_at);
    EXPECT_EQ(weir_host_step(host, 0), 0);
    EXPECT_EQ(call_count, 0);
    while (call_count == 0)
        EXPECT_EQ(weir_host_step(host, WEIR_NEVER), 0);
    EXPECT(called_at >= at);
    EXPECT_EQ(weir_host_step(host, 2 * WEIR_MS), 0);
    EXPECT_EQ(call_count, 1);
    destroy();
}

TEST(host_timer_may_be_cancelled_and_set_again_when_it_fires)
{
    create();
    call_count = 0;
    weir_host_set_timer(host, weir_host_now(), on_time, &called_at);
    weir_host_set_timer(host, WEIR_NEVER, on_time, &called_at);
    EXPECT_EQ(weir_host_step(host, WEIR_MS), 0);
    EXPECT_EQ(call_count, 0);
    weir_host_set_timer(host, weir_host_now(), again, &called_at);
    while (call_count < 3)
        EXPECT_EQ(weir_host_step(host, WEIR_NEVER), 0);
    destroy();
}

/* ---- descriptors ---- */

/* A watch of a test: what it was told, and what it does. */
struct watcher {
    int fd;
    unsigned events;
    int count;
    bool removes_itself;
    int other; /* to be unwatched when this one is called, if not 0 */
};

static void on_ready(void *ctx, int fd, unsigned events)
{
    struct watcher *w = ctx;

    EXPECT_EQ(fd, w->fd);
    w->events = events;
    w->count++;
    if (w->removes_itself)
        EXPECT_EQ(weir_host_watch(host, fd, 0, NULL, NULL), 0);
    if (w->other != 0)
        EXPECT_EQ(weir_host_watch(host, w->other, 0, NULL, NULL), 0);
}

static void watch(struct watcher *w, int fd, unsigned events)
{
    w->fd = fd;
    EXPECT_EQ(weir_host_watch(host, fd, events, on_ready, w), 0);
}

TEST(host_tells_of_a_descriptor_while_it_is_ready)
{
    struct watcher reader = {0}, writer = {0};
    int ends[2];
    char byte;

    create();
    EXPECT_EQ(pipe(ends), 0);
    watch(&reader, ends[0], POLLIN);
    weir_host_step(host, WEIR_MS);
    EXPECT_EQ(reader.count, 0);
    EXPECT_EQ(write(ends[1], "x", 1), 1);
    weir_host_step(host, WEIR_NEVER);
    weir_host_step(host, WEIR_NEVER);
    EXPECT_EQ(reader.count, 2);
    EXPECT_EQ(reader.events, POLLIN);
    EXPECT_EQ(read(ends[0], &byte, 1), 1);
    weir_host_step(host, 0);
    EXPECT_EQ(reader.count, 2);

    watch(&writer, ends[1], POLLOUT);
    weir_host_step(host, WEIR_NEVER);
    EXPECT_EQ(writer.events, POLLOUT);
    EXPECT_EQ(weir_host_watch(host, ends[1], 0, NULL, NULL), 0);
    weir_host_step(host, 0);
    EXPECT_EQ(writer.count, 1);

    close(ends[1]);
    weir_host_step(host, WEIR_NEVER);
    EXPECT(reader.events & POLLHUP);
    destroy();
    close(ends[0]);
}

TEST(host_watches_may_be_removed_by_their_callbacks)
{
    struct watcher first = {.removes_itself = true}, second = {.removes_itself = true};
    int ends[2];

    create();
    EXPECT_EQ(pipe(ends), 0);
    EXPECT_EQ(write(ends[1], "x", 1), 1);
    first.other = ends[1];
    second.other = ends[0];
    watch(&first, ends[0], POLLIN);
    watch(&second, ends[1], POLLOUT);
    weir_host_step(host, WEIR_NEVER);
    /* Both were ready; whichever came first has removed the other. */
    EXPECT_EQ(first.count + second.count, 1);
    weir_host_step(host, 0);
    EXPECT_EQ(first.count + second.count, 1);
    destroy();
    close(ends[0]);
    close(ends[1]);
}

TEST(host_takes_a_file_for_always_ready)
{
    struct watcher w = {0};
    FILE *file = tmpfile();

    create();
    EXPECT(file != NULL);
    watch(&w, fileno(file), POLLIN);
    weir_host_step(host, WEIR_NEVER);
    weir_host_step(host, WEIR_NEVER);
    EXPECT_EQ(w.count, 2);
    EXPECT_EQ(w.events, POLLIN);
    watch(&w, fileno(file), POLLOUT);
    weir_host_step(host, WEIR_NEVER);
    EXPECT_EQ(w.events, POLLOUT);
    EXPECT_EQ(weir_host_watch(host, fileno(file), 0, NULL, NULL), 0);
    weir_host_step(host, WEIR_MS);
    EXPECT_EQ(w.count, 3);
    fclose(file);
    destroy();
}

TEST(host_watches_a_number_that_was_closed_and_given_out_again)
{
    struct watcher w = {0};
    int ends[2], more[2];

    create();
    EXPECT_EQ(pipe(ends), 0);
    watch(&w, ends[0], POLLIN);
    EXPECT_EQ(pipe(more), 0);
    EXPECT_EQ(dup2(more[0], ends[0]), ends[0]);
    watch(&w, ends[0], POLLIN);
    EXPECT_EQ(write(more[1], "x", 1), 1);
    weir_host_step(host, WEIR_NEVER);
    EXPECT_EQ(w.count, 1);
    destroy();
    for (int i = 0; i < 2; i++) {
        close(ends[i]);
        close(more[i]);
    }
}

TEST(host_refuses_watches_that_cannot_be)
{
    struct watcher w = {0};

    create();
    EXPECT_EQ(weir_host_watch(host, -1, POLLIN, on_ready, &w), WEIR_EINVAL);
    EXPECT_EQ(weir_host_watch(host, 9999, POLLIN, on_ready, &w), WEIR_EINVAL);
    EXPECT_EQ(weir_host_watch(host, 0, POLLIN, NULL, &w), WEIR_EINVAL);
    EXPECT_EQ(weir_host_watch(host, 0, 0, on_ready, &w), WEIR_EINVAL);
    destroy();
}

TEST(host_watches_many)
{
    static struct watcher watchers[200];
    int total = 0, ends[2];

    memset(watchers, 0, sizeof watchers);
    create();
    EXPECT_EQ(pipe(ends), 0);
    for (int i = 0; i < 200; i++)
        watch(&watchers[i], fcntl(ends[1], F_DUPFD, 20), POLLOUT);
    for (int i = 0; i < 10; i++)
        weir_host_step(host, WEIR_NEVER);
    for (int i = 0; i < 200; i++) {
        EXPECT(watchers[i].count > 0); /* 64 a step, in turn */
        total += watchers[i].count;
        close(watchers[i].fd);
    }
    EXPECT_EQ(total, 640);
    close(ends[0]);
    close(ends[1]);
    destroy();
}

/* ---- the end ---- */

static void on_alarm(int number)
{
    (void)number;
    weir_host_stop(host);
}

TEST(host_runs_until_a_signal_handler_stops_it)
{
    const struct itimerval soon = {{0, 0}, {0, 10000}};

    create();
    signal(SIGALRM, on_alarm);
    EXPECT_EQ(setitimer(ITIMER_REAL, &soon, NULL), 0);
    EXPECT_EQ(weir_host_run(host), 0);
    signal(SIGALRM, SIG_DFL);
    weir_host_stop(host);
    EXPECT_EQ(weir_host_run(host), 0); /* stopped before it began */
    destroy();
}

static void stop_in_time(void *ctx, weir_ns_t now)
{
    on_time(ctx, now);
    weir_host_stop(host);
}

TEST(host_may_be_stopped_from_a_callback_and_run_again)
{
    create();
    for (int i = 0; i < 3; i++) {
        call_count = 0;
        weir_host_set_timer(host, weir_host_now() + WEIR_MS, stop_in_time, &called_at);
        EXPECT_EQ(weir_host_run(host), 0);
        EXPECT_EQ(call_count, 1);
    }
    destroy();
}
