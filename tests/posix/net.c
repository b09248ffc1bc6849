/*
 * net.c - what the checks share
 */
#include "posix/net.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>

static void must(bool is_so, const char *what)
{
    if (is_so)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(2);
}

union net_addr net_in(const char *addr, uint16_t port)
{
    union net_addr a;

    memset(&a, 0, sizeof a);
    a.in.sin_family = AF_INET;
    a.in.sin_port = htons(port);
    must(inet_pton(AF_INET, addr, &a.in.sin_addr) == 1, addr);
    return a;
}

union net_addr net_in6(const char *addr, uint16_t port)
{
    union net_addr a;

    memset(&a, 0, sizeof a);
    a.in6.sin6_family = AF_INET6;
    a.in6.sin6_port = htons(port);
    must(inet_pton(AF_INET6, addr, &a.in6.sin6_addr) == 1, addr);
    return a;
}

socklen_t net_len(const union net_addr *addr)
{
    return addr->any.sa_family == AF_INET ? sizeof addr->in : sizeof addr->in6;
}

union net_addr net_name(int fd)
{
    union net_addr a;
    socklen_t len = sizeof a;

    memset(&a, 0, sizeof a);
    must(sys->getsockname(fd, &a.any, &len) == 0, "getsockname");
    return a;
}

int net_listener(const char *addr)
{
    union net_addr at = strchr(addr, ':') ? net_in6(addr, 0) : net_in(addr, 0);
    int fd = sys->socket(at.any.sa_family, SOCK_STREAM, 0);

    must(fd >= 0, "socket");
    must(sys->bind(fd, &at.any, net_len(&at)) == 0, "bind");
    must(sys->listen(fd, 16) == 0, "listen");
    return fd;
}

void net_pair_over(const char *addr, int fds[2])
{
    int listener = net_listener(addr);
    union net_addr to = net_name(listener);

    fds[0] = sys->socket(to.any.sa_family, SOCK_STREAM, 0);
    must(sys->connect(fds[0], &to.any, net_len(&to)) == 0, "connect");
    fds[1] = sys->accept4(listener, NULL, NULL, 0);
    must(fds[1] >= 0, "accept");
    sys->close(listener);
}

void net_pair(int fds[2])
{
    net_pair_over("127.0.0.1", fds);
}

void net_moment(void)
{
    struct timespec pause = {.tv_nsec = 3000000};

    nanosleep(&pause, NULL);
}

unsigned net_ready(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};

    net_moment();
    sys->poll(&p, 1, 0);
    return (unsigned short)p.revents;
}

void net_say_ready(const char *text, int fd)
{
    say_ready(text, net_ready(fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLRDNORM | POLLWRNORM
                                      | POLLRDBAND | POLLWRBAND));
}

void net_say_names(int fd)
{
    union net_addr a;
    socklen_t len = sizeof a;

    memset(&a, 0, sizeof a);
    if (say_result("getsockname", sys->getsockname(fd, &a.any, &len)) == 0)
        say_address("    here", &a.storage, len);
    memset(&a, 0, sizeof a);
    len = sizeof a;
    if (say_result("getpeername", sys->getpeername(fd, &a.any, &len)) == 0)
        say_address("    there", &a.storage, len);
}

void net_block(int fd, bool blocks)
{
    int flags = sys->fcntl(fd, F_GETFL, 0);

    sys->fcntl(fd, F_SETFL, blocks ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}
