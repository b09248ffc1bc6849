/*
 * test_threads.c - many threads over one instance, with a real clock
 *
 * Real time is the point: the lock, the condition variables and the waking of the host's thread
 * are what is tested, also with ThreadSanitizer.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <weir/host.h>

#include "lib/test.h"
#include "unit/posix/lab.h"

enum {
    CLIENTS = 6,
    ROUNDS = 8,
    BYTES = 40000,
};

struct scene {
    struct weir_host *host;
    struct weir_posix *px;
    pthread_t thread;
    struct sockaddr_in at;
    int listener;
};

static void *run_host(void *ctx)
{
    weir_host_run(ctx);
    return NULL;
}

static void begin(struct scene *s)
{
    struct weir_netif_config lo = {
        .name = "lo", .link = WEIR_LINK_IP, .mtu = 65535, .loopback = true};
    struct weir_px_config px;
    struct weir_config config;
    struct weir_prefix prefix;

    weir_host_config(&config);
    EXPECT_EQ(weir_host_create(&config, &s->host), 0);
    weir_px_config_init(&px);
    EXPECT_EQ(weir_netif_add(weir_host_stack(s->host), &lo, &px.loopback), 0);
    EXPECT_EQ(weir_prefix_parse("127.0.0.1/8", &prefix), 0);
    EXPECT_EQ(weir_addr_add(weir_host_stack(s->host), px.loopback, &prefix), 0);
    EXPECT_EQ(weir_px_create_on_host(s->host, &px, &s->px), 0);
    EXPECT_EQ(pthread_create(&s->thread, NULL, run_host, s->host), 0);
    s->at = lab_in("127.0.0.1", 4000);
    s->listener = weir_px_socket(s->px, AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(weir_px_bind(s->px, s->listener, (struct sockaddr *)&s->at, sizeof s->at), 0);
    EXPECT_EQ(weir_px_listen(s->px, s->listener, 128), 0);
}

static void end(struct scene *s)
{
    weir_host_stop(s->host);
    EXPECT_EQ(pthread_join(s->thread, NULL), 0);
    weir_px_destroy(&s->px);
    weir_host_destroy(&s->host);
}

/* ---- a thread for each connection ---- */

static void *ask(void *ctx)
{
    struct scene *s = ctx;
    uint8_t *out = malloc(BYTES), *in = malloc(BYTES);
    intptr_t wrong = 0;

    for (int round = 0; round < ROUNDS && wrong == 0; round++) {
        int fd = weir_px_socket(s->px, AF_INET, SOCK_STREAM, 0);

        memset(out, round + 1, BYTES);
        wrong |= weir_px_connect(s->px, fd, (struct sockaddr *)&s->at, sizeof s->at) != 0;
        wrong |= weir_px_send(s->px, fd, out, BYTES, 0) != BYTES;
        wrong |= weir_px_shutdown(s->px, fd, SHUT_WR) != 0;
        wrong |= weir_px_recv(s->px, fd, in, BYTES, MSG_WAITALL) != BYTES;
        wrong |= memcmp(in, out, BYTES) != 0;
        wrong |= weir_px_recv(s->px, fd, in, 1, 0) != 0;
        wrong |= weir_px_close(s->px, fd) != 0;
    }
    free(out);
    free(in);
    return (void *)wrong; /* the test's own thread says so */
}

static void *answer(void *ctx)
{
    struct scene *s = ctx;
    uint8_t bytes[5000];
    ssize_t got;
    int fd;

    while ((fd = weir_px_accept(s->px, s->listener, NULL, NULL)) >= 0) {
        while ((got = weir_px_recv(s->px, fd, bytes, sizeof bytes, 0)) > 0)
            weir_px_send(s->px, fd, bytes, (size_t)got, MSG_NOSIGNAL);
        weir_px_close(s->px, fd);
    }
    return NULL;
}

/* ---- one thread for all of them ---- */

static void echo(struct scene *s, int fd)
{
    uint8_t bytes[5000];
    ssize_t got = weir_px_recv(s->px, fd, bytes, sizeof bytes, MSG_DONTWAIT);

    if (got > 0)
        weir_px_send(s->px, fd, bytes, (size_t)got, MSG_NOSIGNAL);
    else if (got == 0 || errno != EAGAIN)
        weir_px_close(s->px, fd);
}

static void *answer_all(void *ctx)
{
    struct scene *s = ctx;
    int set = weir_px_epoll_create1(s->px, 0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP}, events[8];

    event.data.fd = s->listener;
    weir_px_epoll_ctl(s->px, set, EPOLL_CTL_ADD, s->listener, &event);
    for (;;) {
        int count = weir_px_epoll_wait(s->px, set, events, 8, -1);

        for (int i = 0; i < count; i++) {
            if (events[i].data.fd != s->listener) {
                echo(s, events[i].data.fd);
                continue;
            }
            event.data.fd = weir_px_accept(s->px, s->listener, NULL, NULL);
            if (event.data.fd < 0) { /* it is no listener any more */
                weir_px_close(s->px, set);
                return NULL;
            }
            weir_px_epoll_ctl(s->px, set, EPOLL_CTL_ADD, event.data.fd, &event);
        }
    }
}

static void run(void *(*server)(void *ctx), int servers)
{
    pthread_t clients[CLIENTS], answering[CLIENTS];
    struct scene s = {0};

    begin(&s);
    for (int i = 0; i < servers; i++)
        EXPECT_EQ(pthread_create(&answering[i], NULL, server, &s), 0);
    for (int i = 0; i < CLIENTS; i++)
        EXPECT_EQ(pthread_create(&clients[i], NULL, ask, &s), 0);
    for (int i = 0; i < CLIENTS; i++) {
        void *wrong;
        EXPECT_EQ(pthread_join(clients[i], &wrong), 0);
        EXPECT(wrong == NULL);
    }
    EXPECT_EQ(weir_px_shutdown(s.px, s.listener, SHUT_RD), 0);
    for (int i = 0; i < servers; i++)
        EXPECT_EQ(pthread_join(answering[i], NULL), 0);
    end(&s);
}

TEST(threads_with_a_connection_each_talk_to_one_another)
{
    run(answer, CLIENTS);
}

TEST(threads_talk_to_one_that_waits_with_epoll)
{
    run(answer_all, 1);
}

TEST(threads_share_a_socket_and_its_timeouts)
{
    struct timeval tv = {.tv_usec = 20000};
    struct scene s = {0};
    pthread_t client;
    int fds[2], fd;
    void *wrong;

    begin(&s);
    EXPECT_EQ(weir_px_setsockopt(s.px, s.listener, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv), 0);
    EXPECT_ERRNO(weir_px_accept(s.px, s.listener, NULL, NULL), EAGAIN);
    EXPECT_EQ(pthread_create(&client, NULL, ask, &s), 0);
    for (int i = 0; i < ROUNDS; i++) {
        uint8_t bytes[5000];
        ssize_t got;

        while ((fd = weir_px_accept(s.px, s.listener, NULL, NULL)) < 0)
            EXPECT_EQ(errno, EAGAIN);
        fds[0] = fd;
        fds[1] = weir_px_dup(s.px, fd);
        while ((got = weir_px_recv(s.px, fds[1], bytes, sizeof bytes, 0)) > 0)
            EXPECT_EQ(weir_px_send(s.px, fds[0], bytes, (size_t)got, 0), got);
        EXPECT_EQ(weir_px_close(s.px, fds[0]), 0);
        EXPECT_EQ(weir_px_close(s.px, fds[1]), 0);
    }
    EXPECT_EQ(pthread_join(client, &wrong), 0);
    EXPECT(wrong == NULL);
    end(&s);
}
