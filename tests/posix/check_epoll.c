/*
 * check_epoll.c - epoll sets
 */
#include "posix/net.h"

static int add(int set, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event event = {.events = events, .data.u64 = data};

    return sys->epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

static int change(int set, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event event = {.events = events, .data.u64 = data};

    return sys->epoll_ctl(set, EPOLL_CTL_MOD, fd, &event);
}

static void say_events(int set)
{
    struct epoll_event events[8];
    int count;

    net_moment();
    memset(events, 0, sizeof events);
    count = sys->epoll_wait(set, events, 8, 0);
    say_result("epoll_wait", count);
    for (uint64_t data = 0; data < 8; data++)
        for (int i = 0; i < count; i++)
            if (events[i].data.u64 == data) {
                say_seen("    of %d", (int)data);
                say_ready("    are", events[i].events);
            }
}

static void odd_arguments(void)
{
    int set = SAY_FD(sys->epoll_create1(0)), fd = sys->socket(AF_INET, SOCK_STREAM, 0);
    struct epoll_event event = {.events = EPOLLIN};
    char byte;

    SAY(sys->epoll_create1(12345));
    SAY(sys->epoll_ctl(set, EPOLL_CTL_ADD, fd, NULL));
    SAY(sys->epoll_ctl(set, 12345, fd, &event));
    SAY(sys->epoll_ctl(set, EPOLL_CTL_ADD, 99999, &event));
    SAY(sys->epoll_ctl(99999, EPOLL_CTL_ADD, fd, &event));
    SAY(sys->epoll_ctl(fd, EPOLL_CTL_ADD, fd, &event));
    SAY(sys->epoll_ctl(fd, EPOLL_CTL_ADD, set, &event));
    SAY(sys->epoll_ctl(set, EPOLL_CTL_ADD, set, &event));
    SAY(sys->epoll_ctl(set, EPOLL_CTL_MOD, fd, &event));
    SAY(sys->epoll_ctl(set, EPOLL_CTL_DEL, fd, &event));
    SAY(sys->epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
    SAY(sys->epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
    SAY(sys->epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL));
    SAY(sys->epoll_wait(set, &event, 0, 0));
    SAY(sys->epoll_wait(set, &event, -1, 0));
    SAY(sys->epoll_wait(99999, &event, 1, 0));
    SAY(sys->epoll_wait(fd, &event, 1, 0));
    SAY(sys->epoll_wait(set, &event, 1, 5));
    SAY(sys->recvfrom(set, &byte, 1, 0, NULL, NULL));
    SAY(sys->listen(set, 1));
    SAY(sys->read(set, &byte, 1));
    SAY(sys->write(set, &byte, 1));
    sys->close(fd);
    sys->close(set);
}

static void levels(uint32_t how)
{
    int set = sys->epoll_create1(0), fds[2];
    char bytes[16];

    say_seen("with %x", how);
    net_pair(fds);
    SAY(add(set, fds[0], EPOLLIN | EPOLLOUT | EPOLLRDHUP | how, 1));
    say_events(set);
    say_events(set);
    sys->sendto(fds[1], "abc", 3, 0, NULL, 0);
    say_events(set);
    say_events(set);
    sys->recvfrom(fds[0], bytes, 1, 0, NULL, NULL);
    say_events(set);
    sys->sendto(fds[1], "d", 1, 0, NULL, 0);
    say_events(set);
    SAY(change(set, fds[0], EPOLLIN | EPOLLRDHUP | how, 2));
    say_events(set);
    say_events(set);
    sys->recvfrom(fds[0], bytes, 16, 0, NULL, NULL);
    say_events(set);
    sys->shutdown(fds[1], SHUT_WR);
    say_events(set);
    say_events(set);
    SAY(change(set, fds[0], EPOLLIN | EPOLLRDHUP | how, 3));
    say_events(set);
    sys->shutdown(fds[0], SHUT_WR);
    say_events(set);
    sys->close(fds[0]);
    say_events(set);
    sys->close(fds[1]);
    sys->close(set);
}

static void ends(void)
{
    int set = sys->epoll_create1(0), fds[2], listener = net_listener("127.0.0.1"), copy;
    int fd = sys->socket(AF_INET, SOCK_STREAM, 0);
    struct linger linger = {1, 0};
    union net_addr to = net_name(listener);

    SAY(add(set, listener, EPOLLIN, 0));
    SAY(add(set, fd, EPOLLIN, 1));
    say_events(set);
    sys->connect(fd, &to.any, sizeof to.in);
    say_events(set);
    sys->close(sys->accept4(listener, NULL, NULL, 0));
    say_events(set);
    net_pair(fds);
    SAY(add(set, fds[0], EPOLLIN | EPOLLET, 2));
    sys->setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    sys->close(fds[1]);
    say_events(set);
    copy = sys->dup(fds[0]);
    sys->close(fds[0]);
    SAY(change(set, copy, EPOLLIN, 3));
    sys->close(copy);
    sys->close(fd);
    say_events(set);
    sys->close(listener);
    say_events(set);
    sys->close(set);
}

static void sets_in_sets(void)
{
    int outer = sys->epoll_create1(0), inner = sys->epoll_create1(0), fds[2];
    struct pollfd p;
    char bytes[16];

    net_pair(fds);
    SAY(add(outer, inner, EPOLLIN, 1));
    SAY(add(inner, fds[0], EPOLLIN, 2));
    say_events(outer);
    sys->sendto(fds[1], "x", 1, 0, NULL, 0);
    say_events(outer);
    say_events(inner);
    p = (struct pollfd){.fd = outer, .events = POLLIN | POLLOUT};
    SAY(sys->poll(&p, 1, 0));
    say_ready("set", (unsigned short)p.revents);
    sys->recvfrom(fds[0], bytes, 16, 0, NULL, NULL);
    say_events(outer);
    SAY(sys->poll(&p, 1, 0));
    say_ready("set", (unsigned short)p.revents);
    SAY(add(inner, outer, EPOLLIN, 3));
    sys->close(inner);
    say_events(outer);
    sys->close(fds[0]);
    sys->close(fds[1]);
    sys->close(outer);
}

/* Of several sets that wait for one socket, and what may not be asked of one. */
static void exclusive(void)
{
    int a = sys->epoll_create1(EPOLL_CLOEXEC), b = sys->epoll_create1(0), fds[2];
    char byte;

    net_pair(fds);
    SAY(sys->fcntl(a, F_GETFD, 0));
    SAY(add(a, fds[0], EPOLLIN | EPOLLEXCLUSIVE, 1));
    SAY(add(b, fds[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLET, 2));
    SAY(change(a, fds[0], EPOLLIN | EPOLLEXCLUSIVE, 3));
    SAY(change(a, fds[0], EPOLLIN, 4));
    SAY(add(b, fds[1], EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 5));
    SAY(add(b, fds[1], EPOLLIN | EPOLLRDHUP | EPOLLEXCLUSIVE, 5));
    SAY(add(a, b, EPOLLIN | EPOLLEXCLUSIVE, 6));
    sys->sendto(fds[1], "x", 1, 0, NULL, 0);
    say_events(a);
    sys->recvfrom(fds[0], &byte, 1, 0, NULL, NULL);
    say_events(a);
    sys->close(a);
    sys->close(b);
    sys->close(fds[0]);
    sys->close(fds[1]);
}

/* Errors and ends are told to everybody, but to who was told once. */
static void asked_for_nothing(uint32_t how)
{
    int set = sys->epoll_create1(0), fds[2], moved[2];
    struct linger hard = {1, 0};

    say_seen("asked for nothing, %x", how);
    net_pair(fds);
    net_pair(moved);
    SAY(add(set, fds[0], how, 1));
    SAY(add(set, moved[0], EPOLLIN, 2));
    SAY(change(set, moved[0], how, 3));
    say_events(set);
    sys->setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    sys->setsockopt(moved[1], SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    sys->close(fds[1]);
    net_moment();
    say_events(set);
    sys->close(moved[1]);
    net_moment();
    say_events(set);
    say_events(set);
    sys->close(fds[0]);
    sys->close(moved[0]);
    sys->close(set);
}

/* Who waits for edges is woken by what he has asked for, and not by all that happens. */
static void edges_of_others(void)
{
    static char bytes[65536];
    int set = sys->epoll_create1(0), fds[2];

    net_pair(fds);
    SAY(add(set, fds[0], EPOLLOUT | EPOLLET, 1));
    SAY(add(set, fds[1], EPOLLIN | EPOLLET, 2));
    say_events(set);
    sys->sendto(fds[1], "x", 1, 0, NULL, 0);
    net_moment();
    say_events(set);
    sys->sendto(fds[0], "x", 1, 0, NULL, 0);
    net_moment();
    say_events(set);
    sys->sendto(fds[0], "y", 1, 0, NULL, 0);
    net_moment();
    say_events(set);
    sys->recvfrom(fds[0], bytes, 16, 0, NULL, NULL);
    net_moment();
    say_events(set);

    /* Room in a send buffer is nothing to somebody who waits for bytes. */
    while (sys->sendto(fds[1], bytes, sizeof bytes, MSG_DONTWAIT, NULL, 0) > 0)
        ;
    net_moment();
    say_events(set);
    for (int i = 0; i < 3; i++) {
        while (sys->recvfrom(fds[0], bytes, sizeof bytes, MSG_DONTWAIT, NULL, NULL) > 0)
            ;
        net_moment();
    }
    say_events(set);
    sys->close(fds[0]);
    sys->close(fds[1]);
    sys->close(set);
}

static void edges_of_datagrams(void)
{
    int set = sys->epoll_create1(0), a = sys->socket(AF_INET, SOCK_DGRAM, 0);
    int b = sys->socket(AF_INET, SOCK_DGRAM, 0);
    union net_addr at = net_in("127.0.0.1", 0);

    SAY(sys->bind(a, &at.any, sizeof at.in));
    at = net_name(a);
    SAY(add(set, a, EPOLLOUT | EPOLLET, 1));
    say_events(set);
    SAY(sys->sendto(b, "x", 1, 0, &at.any, sizeof at.in));
    net_moment();
    say_events(set);
    SAY(change(set, a, EPOLLIN | EPOLLET, 2));
    say_events(set);
    SAY(sys->sendto(b, "y", 1, 0, &at.any, sizeof at.in));
    net_moment();
    say_events(set);
    sys->close(a);
    sys->close(b);
    sys->close(set);
}

void check_epoll(void)
{
    odd_arguments();
    levels(0);
    levels(EPOLLET);
    levels(EPOLLONESHOT);
    ends();
    sets_in_sets();
    exclusive();
    asked_for_nothing(0);
    asked_for_nothing(EPOLLET);
    asked_for_nothing(EPOLLONESHOT);
    edges_of_others();
    edges_of_datagrams();
}
