/*
 * check_ipv6.c - IPv6, and IPv4 on IPv6 sockets
 */
#include "posix/net.h"

static void names(const char *addr)
{
    char bytes[8];
    int fds[2];

    say_seen("over %s", addr);
    net_pair_over(addr, fds);
    net_say_names(fds[0]);
    net_say_names(fds[1]);
    SAY(sys->sendto(fds[0], "six", 3, 0, NULL, 0));
    SAY(sys->recvfrom(fds[1], bytes, 8, 0, NULL, NULL));
    sys->close(fds[0]);
    sys->close(fds[1]);
}

static void addresses(void)
{
    int fd = sys->socket(AF_INET6, SOCK_STREAM, 0);
    union net_addr four = net_in("127.0.0.1", 9), six = net_in6("::1", 9);

    SAY(sys->bind(fd, &four.any, sizeof four.in));
    SAY(sys->bind(fd, &six.any, 23));
    SAY(sys->connect(fd, &four.any, sizeof four.in));
    SAY(sys->connect(fd, &six.any, 23));
    six.in6.sin6_port = 0;
    SAY(sys->bind(fd, &six.any, 24));
    net_say_names(fd);
    sys->close(fd);
}

static void both_families(int v6only, const char *from)
{
    int listener = sys->socket(AF_INET6, SOCK_STREAM, 0), fd, b, four;
    union net_addr any = net_in6("::", 0),
                   to = strchr(from, ':') ? net_in6(from, 0) : net_in(from, 0);
    union net_addr any4 = net_in("0.0.0.0", 0);

    say_seen("v6only %d, from %s", v6only, from);
    SAY(sys->setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only));
    SAY(sys->bind(listener, &any.any, sizeof any.in6));
    SAY(sys->setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only));
    SAY(sys->listen(listener, 4));
    net_block(listener, false);
    to.in.sin_port = any4.in.sin_port = net_name(listener).in6.sin6_port;
    four = sys->socket(AF_INET, SOCK_STREAM, 0);
    SAY(sys->bind(four, &any4.any, sizeof any4.in));
    fd = sys->socket(to.any.sa_family, SOCK_STREAM, 0);
    SAY(sys->connect(fd, &to.any, net_len(&to)));
    net_moment();
    b = SAY_FD(sys->accept4(listener, NULL, NULL, 0));
    net_say_names(fd);
    if (b >= 0)
        net_say_names(b);
    sys->close(fd);
    sys->close(b);
    sys->close(four);
    sys->close(listener);
}

static void only_six(void)
{
    int fd = sys->socket(AF_INET6, SOCK_STREAM, 0), on = 1;
    union net_addr mapped = net_in6("::ffff:127.0.0.1", 0);

    SAY(sys->setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on));
    SAY(sys->bind(fd, &mapped.any, sizeof mapped.in6));
    mapped.in6.sin6_port = htons(9);
    SAY(sys->connect(fd, &mapped.any, sizeof mapped.in6));
    sys->close(fd);
}

static void datagrams(void)
{
    int a = sys->socket(AF_INET6, SOCK_DGRAM, 0), b = sys->socket(AF_INET, SOCK_DGRAM, 0);
    int c = sys->socket(AF_INET6, SOCK_DGRAM, 0), on = 1;
    union net_addr any = net_in6("::", 0), to = net_in("127.0.0.1", 0), six = net_in6("::1", 0),
                   from;
    union net_addr mapped = net_in6("::ffff:127.0.0.1", 0);
    char bytes[16], control[256];
    struct iovec iov = {bytes, sizeof bytes};
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    socklen_t len = sizeof from;

    SAY(sys->bind(a, &any.any, sizeof any.in6));
    to.in.sin_port = six.in6.sin6_port = mapped.in6.sin6_port = net_name(a).in6.sin6_port;
    SAY(sys->sendto(b, "four", 4, 0, &to.any, sizeof to.in));
    memset(&from, 0, sizeof from);
    SAY(sys->recvfrom(a, bytes, 16, 0, &from.any, &len));
    say_address("from", &from.storage, len);
    SAY(sys->sendto(a, "back", 4, 0, &from.any, len));
    SAY(sys->recvfrom(b, bytes, 16, 0, NULL, NULL));
    SAY(sys->setsockopt(a, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on));
    SAY(sys->setsockopt(a, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on));
    SAY(sys->sendto(c, "six", 3, 0, &six.any, sizeof six.in6));
    SAY(sys->recvmsg(a, &msg, 0));
    for (struct cmsghdr *m = CMSG_FIRSTHDR(&msg); m != NULL; m = CMSG_NXTHDR(&msg, m))
        say_seen("    level %d, type %d, length %zu", m->cmsg_level, m->cmsg_type,
                 (size_t)m->cmsg_len);
    sys->close(c);
    c = sys->socket(AF_INET6, SOCK_DGRAM, 0);
    SAY(sys->connect(c, &mapped.any, sizeof mapped.in6));
    net_say_names(c);
    SAY(sys->sendto(c, "mapped", 6, 0, NULL, 0));
    SAY(sys->recvfrom(a, bytes, 16, 0, NULL, NULL));
    SAY(sys->sendto(b, "six", 3, 0, &six.any, sizeof six.in6));
    sys->close(a);
    sys->close(b);
    sys->close(c);
}

void check_ipv6(void)
{
    names("::1");
    names("::ffff:127.0.0.1");
    addresses();
    for (int v6only = 0; v6only < 2; v6only++) {
        both_families(v6only, "127.0.0.1");
        both_families(v6only, "::1");
        both_families(v6only, "::ffff:127.0.0.1");
    }
    only_six();
    datagrams();
}
