/*
 * check_threads.c - calls that wait, and threads that end their waiting
 */
#include "posix/net.h"

#include <pthread.h>
#include <time.h>

struct deed {
    int fd;
    void (*act)(int fd);
    pthread_t thread;
};

static void *act_later(void *ctx)
{
    struct deed *d = ctx;
    struct timespec pause = {.tv_nsec = 20000000};

    nanosleep(&pause, NULL);
    d->act(d->fd);
    return NULL;
}

static void later(struct deed *d, int fd, void (*act)(int fd))
{
    d->fd = fd;
    d->act = act;
    pthread_create(&d->thread, NULL, act_later, d);
}

static void done(struct deed *d)
{
    pthread_join(d->thread, NULL);
}

static void sends(int fd)
{
    sys->sendto(fd, "at last", 7, 0, NULL, 0);
}

static void closes(int fd)
{
    sys->close(fd);
}

static void ends_writing(int fd)
{
    sys->shutdown(fd, SHUT_WR);
}

static void ends_reading(int fd)
{
    sys->shutdown(fd, SHUT_RD);
}

static void ends_both(int fd)
{
    sys->shutdown(fd, SHUT_RDWR);
}

static void resets(int fd)
{
    struct linger linger = {1, 0};

    sys->setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    sys->close(fd);
}

static void reads(int fd)
{
    static char bytes[65536];
    struct timeval tv = {0, 50000};

    sys->setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    while (sys->recvfrom(fd, bytes, sizeof bytes, 0, NULL, NULL) > 0)
        ;
}

static void connects(int fd)
{
    union net_addr to = net_name(fd);

    sys->connect(sys->socket(AF_INET, SOCK_STREAM, 0), &to.any, sizeof to.in);
}

static void reading(void (*act)(int fd), bool at_peer)
{
    struct deed d;
    char bytes[16];
    int fds[2];

    net_pair(fds);
    later(&d, at_peer ? fds[1] : fds[0], act);
    SAY(sys->recvfrom(fds[0], bytes, 16, 0, NULL, NULL));
    SAY(sys->recvfrom(fds[0], bytes, 16, MSG_DONTWAIT, NULL, NULL));
    done(&d);
    sys->close(fds[0]);
    if (act != closes && act != resets)
        sys->close(fds[1]);
}

static void writing(void (*act)(int fd), bool at_peer, bool is_whole)
{
    static char bytes[65536];
    struct deed d;
    ssize_t n;
    int fds[2], room = 32768;

    net_pair(fds);
    if (act == resets) { /* before anything else may make room */
        sys->setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
        sys->setsockopt(fds[1], SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    }
    for (int quiet = 0; quiet < 5; quiet++) { /* on a busy machine what was sent arrives late */
        while (sys->sendto(fds[0], bytes, sizeof bytes, MSG_DONTWAIT, NULL, 0) > 0)
            quiet = 0;
        net_moment();
    }
    later(&d, at_peer ? fds[1] : fds[0], act);
    n = sys->sendto(fds[0], bytes, sizeof bytes, 0, NULL, 0);
    if (is_whole)
        SAY(n);
    else
        say_seen("it ended");
    done(&d);
    sys->close(fds[0]);
    if (act != closes && act != resets)
        sys->close(fds[1]);
}

static void accepting(void (*act)(int fd))
{
    int listener = net_listener("127.0.0.1"), fd;
    struct deed d;

    later(&d, listener, act);
    fd = SAY_FD(sys->accept4(listener, NULL, NULL, 0));
    done(&d);
    sys->close(fd);
    sys->close(listener);
}

static void polling(void)
{
    struct deed d;
    struct pollfd p;
    struct epoll_event event;
    int fds[2], set = sys->epoll_create1(0);

    net_pair(fds);
    p = (struct pollfd){.fd = fds[0], .events = POLLIN};
    later(&d, fds[1], sends);
    SAY(sys->poll(&p, 1, 5000));
    say_ready("readable", (unsigned short)p.revents);
    done(&d);
    reads(fds[0]);
    event = (struct epoll_event){.events = EPOLLIN};
    sys->epoll_ctl(set, EPOLL_CTL_ADD, fds[0], &event);
    later(&d, fds[1], sends);
    SAY(sys->epoll_wait(set, &event, 1, 5000));
    say_ready("readable", event.events);
    done(&d);
    sys->close(set);
    sys->close(fds[0]);
    sys->close(fds[1]);
}

static void datagrams(void)
{
    int a = sys->socket(AF_INET, SOCK_DGRAM, 0), b = sys->socket(AF_INET, SOCK_DGRAM, 0);
    union net_addr at = net_in("127.0.0.1", 0);
    struct deed d;
    char bytes[16];

    sys->bind(a, &at.any, sizeof at.in);
    at = net_name(a);
    sys->connect(b, &at.any, sizeof at.in);
    later(&d, b, sends);
    SAY(sys->recvfrom(a, bytes, 16, 0, NULL, NULL));
    done(&d);
    later(&d, b, ends_reading);
    SAY(sys->recvfrom(b, bytes, 16, 0, NULL, NULL));
    done(&d);
    sys->close(a);
    sys->close(b);
}

void check_threads(void)
{
    reading(sends, true);
    reading(ends_writing, true);
    reading(closes, true);
    reading(resets, true);
    reading(ends_reading, false);
    reading(ends_both, false);
    writing(reads, true, true);
    writing(resets, true, true);
    writing(ends_writing, false, false);
    accepting(connects);
    accepting(ends_reading);
    polling();
    datagrams();
}
