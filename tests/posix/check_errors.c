/*
 * check_errors.c - the queue of errors: IP_RECVERR, MSG_ZEROCOPY, MSG_ERRQUEUE
 */
#include "posix/net.h"
#include <time.h>

/* Needs struct timespec. */
#include <linux/errqueue.h>

static void say_offender(const struct cmsghdr *c)
{
    struct sockaddr_storage from;
    size_t len = c->cmsg_len - CMSG_LEN(sizeof(struct sock_extended_err));

    memset(&from, 0, sizeof from);
    memcpy(&from, CMSG_DATA(c) + sizeof(struct sock_extended_err), len);
    say_seen("    offender of family %d, %zu bytes", from.ss_family, len);
    if (from.ss_family != 0)
        say_address("    offender", &from, (socklen_t)len);
}

static void say_control(struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        struct sock_extended_err e;

        say_seen("    level %d, type %d, length %zu", c->cmsg_level, c->cmsg_type,
                 (size_t)c->cmsg_len);
        if (c->cmsg_len < CMSG_LEN(sizeof e))
            return; /* cut */
        memcpy(&e, CMSG_DATA(c), sizeof e);
        say_seen("    errno %u, origin %u, type %u, code %u, info %u, data %u", e.ee_errno,
                 e.ee_origin, e.ee_type, e.ee_code, e.ee_info, e.ee_data);
        say_offender(c);
    }
}

static void say_next(int fd, size_t room, size_t control_room)
{
    char bytes[100] = {0}, control[256];
    struct iovec iov = {bytes, room};
    union net_addr name;
    struct msghdr msg = {.msg_name = &name,
                         .msg_namelen = sizeof name,
                         .msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control,
                         .msg_controllen = control_room};
    ssize_t got;

    memset(&name, 0, sizeof name);
    got = say_result("recvmsg(MSG_ERRQUEUE)", sys->recvmsg(fd, &msg, MSG_ERRQUEUE));
    if (got < 0)
        return;
    say_bytes(bytes, got);
    say_seen("    flags %x, name of %u", (unsigned)msg.msg_flags, msg.msg_namelen);
    if (msg.msg_namelen > 0)
        say_address("    name", &name.storage, msg.msg_namelen);
    say_control(&msg);
}

static void say_error(int fd)
{
    int value = -1;
    socklen_t len = sizeof value;

    SAY(sys->getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &len));
    say_seen("    SO_ERROR %d", value);
}

static void set(int fd, int level, int name)
{
    int on = 1;

    SAY(sys->setsockopt(fd, level, name, &on, sizeof on));
}

/* Nobody is there. */
static union net_addr nobody(const char *addr, bool is_v6)
{
    return is_v6 ? net_in6(addr, 9) : net_in(addr, 9);
}

static void unreachable(int domain, const char *addr, int level, int name)
{
    union net_addr to = nobody(addr, domain == AF_INET6);
    int fd = sys->socket(domain, SOCK_DGRAM, 0);

    say_seen("to %s, level %d", addr, level);
    set(fd, level, name);
    say_next(fd, 100, 256);
    SAY(sys->sendto(fd, "first", 5, 0, &to.any, net_len(&to)));
    net_moment();
    net_say_ready("one", fd);
    SAY(sys->recvfrom(fd, NULL, 0, MSG_DONTWAIT, NULL, NULL));
    net_say_ready("its error was told", fd);
    say_next(fd, 100, 256);
    net_say_ready("none", fd);
    say_next(fd, 100, 256);

    SAY(sys->sendto(fd, "second", 6, 0, &to.any, net_len(&to)));
    net_moment();
    SAY(sys->sendto(fd, "third", 5, 0, &to.any, net_len(&to)));
    SAY(sys->sendto(fd, "fourth", 6, 0, &to.any, net_len(&to)));
    net_moment();
    say_next(fd, 3, 256);
    net_say_ready("one left", fd);
    say_error(fd);
    say_next(fd, 100, 30);
    say_error(fd);
    say_next(fd, 100, 0);
    sys->close(fd);
}

static void unreachable_connected(bool wants)
{
    union net_addr to = net_in("127.0.0.1", 9);
    int fd = sys->socket(AF_INET, SOCK_DGRAM, 0);

    say_seen("connected, %s", wants ? "IP_RECVERR" : "no IP_RECVERR");
    if (wants)
        set(fd, IPPROTO_IP, IP_RECVERR);
    SAY(sys->connect(fd, &to.any, net_len(&to)));
    SAY(sys->sendto(fd, "first", 5, 0, NULL, 0));
    net_moment();
    net_say_ready("after it", fd);
    SAY(sys->sendto(fd, "second", 6, 0, NULL, 0));
    say_next(fd, 100, 256);
    say_next(fd, 100, 256);
    sys->close(fd);
}

static void without_copies(bool is_on)
{
    char bytes[1000] = {0};
    int fds[2];

    net_pair(fds);
    say_seen("SO_ZEROCOPY %s", is_on ? "on" : "off");
    if (is_on)
        set(fds[0], SOL_SOCKET, SO_ZEROCOPY);
    for (int i = 0; i < 2; i++) {
        SAY(sys->sendto(fds[0], bytes, sizeof bytes, MSG_ZEROCOPY, NULL, 0));
        SAY(sys->recvfrom(fds[1], bytes, sizeof bytes, 0, NULL, NULL));
        net_moment();
    }
    net_say_ready("both were read", fds[0]);
    say_next(fds[0], 100, 256);
    say_next(fds[0], 100, 256);
    SAY(sys->sendto(fds[0], bytes, 10, MSG_ZEROCOPY, NULL, 0));
    SAY(sys->recvfrom(fds[1], bytes, sizeof bytes, 0, NULL, NULL));
    net_moment();
    say_next(fds[0], 100, 256);
    net_say_ready("nothing left", fds[0]);
    sys->close(fds[0]);
    sys->close(fds[1]);
}

/* Two datagrams whose errors wait. */
static int with_two(void)
{
    union net_addr to = net_in("127.0.0.1", 9);
    int fd = sys->socket(AF_INET, SOCK_DGRAM, 0);

    set(fd, IPPROTO_IP, IP_RECVERR);
    for (int i = 0; i < 2; i++) {
        while (sys->sendto(fd, "data", 4, 0, &to.any, net_len(&to)) < 0)
            ;
        net_moment();
    }
    return fd;
}

static void not_wanted(void)
{
    int fd = with_two(), off = 0;

    net_say_ready("two errors", fd);
    SAY(sys->setsockopt(fd, IPPROTO_IP, IP_RECVERR, &off, sizeof off));
    net_say_ready("not wanted", fd);
    say_next(fd, 100, 256);
    say_error(fd);
    net_say_ready("the error was told", fd);
    sys->close(fd);
}

static void edges(void)
{
    int fd = with_two(), set_fd = sys->epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};

    SAY(sys->epoll_ctl(set_fd, EPOLL_CTL_ADD, fd, &event));
    for (int i = 0; i < 3; i++) {
        if (SAY(sys->epoll_wait(set_fd, &event, 1, 0)) == 1)
            say_seen("    %x", event.events);
        say_next(fd, 100, 256);
    }
    sys->close(fd);
    sys->close(set_fd);
}

void check_errors(void)
{
    unreachable(AF_INET, "127.0.0.1", IPPROTO_IP, IP_RECVERR);
    unreachable(AF_INET6, "::1", IPPROTO_IPV6, IPV6_RECVERR);
    unreachable(AF_INET6, "::ffff:127.0.0.1", IPPROTO_IP, IP_RECVERR);
    unreachable(AF_INET6, "::1", IPPROTO_IP, IP_RECVERR);
    unreachable_connected(false);
    unreachable_connected(true);
    without_copies(false);
    without_copies(true);
    not_wanted();
    edges();
}
