/*
 * check_polling.c - poll and select
 */
#include "posix/net.h"

#include <time.h>

static void odd_arguments(void)
{
    struct pollfd p[3] = {{.fd = -1, .events = POLLIN, .revents = 77}, {.fd = 99999}, {.fd = -5}};
    int fd = sys->socket(AF_INET, SOCK_STREAM, 0);

    SAY(sys->poll(p, 1, 0));
    say_ready("negative", (unsigned short)p[0].revents);
    SAY(sys->poll(p, 2, 0));
    say_ready("not open", (unsigned short)p[1].revents);
    p[0].fd = fd;
    p[0].events = 0;
    SAY(sys->poll(p, 1, 0));
    say_ready("nothing asked", (unsigned short)p[0].revents);
    SAY(sys->poll(NULL, 0, 0));
    SAY(sys->poll(NULL, 0, 5));
    sys->close(fd);
}

static void timing(void)
{
    struct timespec before, after;
    struct pollfd p;
    long ms;
    int fds[2];

    net_pair(fds);
    p = (struct pollfd){.fd = fds[0], .events = POLLIN};
    clock_gettime(CLOCK_MONOTONIC, &before);
    SAY(sys->poll(&p, 1, 30));
    clock_gettime(CLOCK_MONOTONIC, &after);
    ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
    say_seen("it took 30 ms: %d", ms >= 29 && ms < 1000);
    sys->sendto(fds[1], "x", 1, 0, NULL, 0);
    SAY(sys->poll(&p, 1, -1));
    say_ready("readable", (unsigned short)p.revents);
    sys->close(fds[0]);
    sys->close(fds[1]);
}

static void selecting(void)
{
    fd_set readable, writable, exceptional;
    struct timeval none = {0, 0}, some = {0, 20000}, bad = {-1, 0};
    int fds[2], most;

    net_pair(fds);
    most = (fds[0] > fds[1] ? fds[0] : fds[1]) + 1;
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_ZERO(&exceptional);
    FD_SET(fds[0], &readable);
    FD_SET(fds[0], &writable);
    FD_SET(fds[0], &exceptional);
    SAY(sys->select(most, &readable, &writable, &exceptional, &none));
    say_seen("%d %d %d", FD_ISSET(fds[0], &readable) != 0, FD_ISSET(fds[0], &writable) != 0,
             FD_ISSET(fds[0], &exceptional) != 0);
    sys->sendto(fds[1], "U", 1, MSG_OOB, NULL, 0);
    sys->sendto(fds[1], "x", 1, 0, NULL, 0);
    net_moment();
    FD_SET(fds[0], &readable);
    FD_SET(fds[1], &readable);
    FD_SET(fds[0], &exceptional);
    SAY(sys->select(most, &readable, NULL, &exceptional, NULL));
    say_seen("%d %d %d", FD_ISSET(fds[0], &readable) != 0, FD_ISSET(fds[1], &readable) != 0,
             FD_ISSET(fds[0], &exceptional) != 0);
    FD_ZERO(&readable);
    FD_SET(fds[1], &readable);
    SAY(sys->select(most, &readable, NULL, NULL, &some));
    say_seen("%d, %ld us left", FD_ISSET(fds[1], &readable) != 0, (long)some.tv_usec);
    SAY(sys->select(-1, NULL, NULL, NULL, &none));
    SAY(sys->select(0, NULL, NULL, NULL, &none));
    SAY(sys->select(0, NULL, NULL, NULL, &bad));
    sys->close(fds[0]);
    sys->close(fds[1]);
    FD_ZERO(&readable);
    FD_SET(fds[0], &readable);
    SAY(sys->select(most, &readable, NULL, NULL, &none));
}

/* With nanoseconds, and no limit. */
static void finer(void)
{
    struct timespec none = {0, 0}, some = {0, 5000000}, bad = {0, 1000000000}, before = {-1, 0};
    struct epoll_event event = {.events = EPOLLIN};
    int fds[2], set = sys->epoll_create1(0);
    struct pollfd p;
    fd_set readable;

    net_pair(fds);
    sys->epoll_ctl(set, EPOLL_CTL_ADD, fds[0], &event);
    p = (struct pollfd){.fd = fds[0], .events = POLLIN};
    FD_ZERO(&readable);
    FD_SET(fds[0], &readable);
    SAY(sys->ppoll(&p, 1, &none));
    SAY(sys->ppoll(&p, 1, &some));
    SAY(sys->ppoll(&p, 1, &bad));
    SAY(sys->ppoll(&p, 1, &before));
    SAY(sys->pselect(fds[0] + 1, &readable, NULL, NULL, &some));
    SAY(sys->pselect(fds[0] + 1, &readable, NULL, NULL, &bad));
    SAY(sys->epoll_pwait2(set, &event, 1, &some));
    SAY(sys->epoll_pwait2(set, &event, 1, &bad));
    sys->sendto(fds[1], "x", 1, 0, NULL, 0);
    SAY(sys->ppoll(&p, 1, NULL));
    FD_SET(fds[0], &readable);
    SAY(sys->pselect(fds[0] + 1, &readable, NULL, NULL, NULL));
    SAY(sys->epoll_pwait2(set, &event, 1, NULL));
    sys->close(set);
    sys->close(fds[0]);
    sys->close(fds[1]);
}

void check_polling(void)
{
    odd_arguments();
    timing();
    selecting();
    finer();
}
