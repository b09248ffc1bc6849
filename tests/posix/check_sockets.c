/*
 * check_sockets.c - making, binding, listening and accepting
 */
#include "posix/net.h"

static void making(void)
{
    SAY_FD(sys->socket(AF_INET, SOCK_STREAM, 0));
    SAY_FD(sys->socket(AF_INET, SOCK_STREAM, IPPROTO_TCP));
    SAY_FD(sys->socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP));
    SAY_FD(sys->socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    SAY(sys->socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
    SAY(sys->socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP));
    SAY(sys->socket(AF_INET, SOCK_STREAM, 12345));
    SAY(sys->socket(AF_INET, SOCK_STREAM, -1));
    SAY(sys->socket(AF_INET, 77, 0));
    SAY(sys->socket(AF_INET, SOCK_RDM, 0));
    SAY(sys->socket(AF_INET, SOCK_SEQPACKET, 0));
    SAY(sys->socket(12345, SOCK_STREAM, 0));
    SAY(sys->socket(-1, SOCK_STREAM, 0));
    SAY(sys->socket(AF_INET, SOCK_STREAM | 0x10000, 0));
}

static void binding(void)
{
    union net_addr a = net_in("127.0.0.1", 0), foreign = net_in("192.0.2.77", 0);
    union net_addr six = net_in6("::1", 0), taken;
    int fd = sys->socket(AF_INET, SOCK_STREAM, 0), other = sys->socket(AF_INET, SOCK_STREAM, 0);

    net_say_names(fd);
    SAY(sys->bind(99999, &a.any, sizeof a.in));
    SAY(sys->bind(fd, &a.any, 1));
    SAY(sys->bind(fd, &a.any, sizeof a.in - 1));
    SAY(sys->bind(fd, &foreign.any, sizeof foreign.in));
    SAY(sys->bind(fd, &six.any, sizeof six.in6));
    SAY(sys->bind(fd, NULL, sizeof a.in));
    SAY(sys->bind(fd, &a.any, sizeof a.in));
    net_say_names(fd);
    SAY(sys->bind(fd, &a.any, sizeof a.in));
    taken = net_name(fd);
    SAY(sys->bind(other, &taken.any, sizeof taken.in));
    taken.in.sin_addr.s_addr = htonl(INADDR_ANY);
    SAY(sys->bind(other, &taken.any, sizeof taken.in));
    taken.in.sin_addr.s_addr = htonl(0x7f000002);
    SAY(sys->bind(other, &taken.any, sizeof taken.in));
    a.in.sin_family = AF_UNSPEC;
    a.in.sin_addr.s_addr = htonl(INADDR_ANY);
    other = sys->socket(AF_INET, SOCK_STREAM, 0);
    SAY(sys->bind(other, &a.any, sizeof a.in));
    a.in.sin_addr.s_addr = htonl(0x7f000001);
    other = sys->socket(AF_INET, SOCK_STREAM, 0);
    SAY(sys->bind(other, &a.any, sizeof a.in));
    SAY(sys->close(fd));
    SAY(sys->close(other));
}

static void reusing(int option, int first_has, int second_has, bool first_listens)
{
    union net_addr at = net_in("127.0.0.1", 0);
    int one = sys->socket(AF_INET, SOCK_STREAM, 0), two = sys->socket(AF_INET, SOCK_STREAM, 0);

    say_seen("option %d, first %d, second %d, first listens %d", option, first_has, second_has,
             first_listens);
    sys->setsockopt(one, SOL_SOCKET, option, &first_has, sizeof first_has);
    sys->setsockopt(two, SOL_SOCKET, option, &second_has, sizeof second_has);
    SAY(sys->bind(one, &at.any, sizeof at.in));
    if (first_listens)
        SAY(sys->listen(one, 1));
    at = net_name(one);
    if (SAY(sys->bind(two, &at.any, sizeof at.in)) == 0) {
        SAY(sys->listen(two, 1));
        SAY(sys->listen(one, 1));
    }
    sys->close(one);
    sys->close(two);
}

static void reusing_after(int option)
{
    int listener = net_listener("127.0.0.1"), fd = sys->socket(AF_INET, SOCK_STREAM, 0), peer;
    union net_addr at = net_name(listener);
    int again = sys->socket(AF_INET, SOCK_STREAM, 0), on = 1;

    sys->connect(fd, &at.any, sizeof at.in);
    peer = sys->accept4(listener, NULL, NULL, 0);
    sys->close(listener);
    if (option)
        sys->setsockopt(again, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    SAY(sys->bind(again, &at.any, sizeof at.in)); /* a connection has the port */
    sys->close(peer);
    net_moment();
    sys->close(fd);
    net_moment();
    sys->close(again);
    again = sys->socket(AF_INET, SOCK_STREAM, 0);
    if (option)
        sys->setsockopt(again, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    SAY(sys->bind(again, &at.any, sizeof at.in)); /* it is in TIME-WAIT */
    sys->close(again);
}

static void listening(void)
{
    int fd = sys->socket(AF_INET, SOCK_STREAM, 0), udp = sys->socket(AF_INET, SOCK_DGRAM, 0), value;
    union net_addr at = net_in("127.0.0.1", 0);
    socklen_t len = sizeof value;
    int fds[2];

    SAY(sys->listen(99999, 1));
    SAY(sys->listen(udp, 1));
    SAY(sys->accept4(udp, NULL, NULL, 0));
    SAY(sys->accept4(fd, NULL, NULL, 0));
    SAY(sys->getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len));
    say_seen("accepts: %d", value);
    SAY(sys->listen(fd, 1)); /* binds it */
    SAY(sys->getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len));
    say_seen("accepts: %d", value);
    net_say_names(fd);
    SAY(sys->listen(fd, 5));
    SAY(sys->listen(fd, -1));
    SAY(sys->bind(fd, &at.any, sizeof at.in));
    SAY(sys->connect(fd, &at.any, sizeof at.in));
    SAY(sys->sendto(fd, "x", 1, 0, NULL, 0));
    SAY(sys->recvfrom(fd, &value, 1, 0, NULL, NULL));
    SAY(sys->read(fd, &value, 1));
    SAY(sys->write(fd, &value, 1));
    net_say_ready("listener", fd);
    SAY(sys->shutdown(fd, SHUT_WR));
    SAY(sys->getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len));
    say_seen("accepts: %d", value);
    SAY(sys->shutdown(fd, SHUT_RD));
    SAY(sys->getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len));
    say_seen("accepts: %d", value);
    net_say_ready("was a listener", fd);
    SAY(sys->accept4(fd, NULL, NULL, 0));
    net_say_names(fd);
    SAY(sys->listen(fd, 1));
    SAY(sys->close(fd));
    net_pair(fds);
    SAY(sys->listen(fds[0], 1));
    SAY(sys->accept4(fds[0], NULL, NULL, 0));
    SAY(sys->bind(fds[0], &at.any, sizeof at.in));
    sys->close(fds[0]);
    sys->close(fds[1]);
    sys->close(udp);
}

static void say_flags(int fd)
{
    say_seen("nonblocking %d, cloexec %d", (sys->fcntl(fd, F_GETFL, 0) & O_NONBLOCK) != 0,
             sys->fcntl(fd, F_GETFD, 0));
}

static void accepting(void)
{
    int listener = net_listener("127.0.0.1"), a, b, value;
    union net_addr to = net_name(listener), from;
    socklen_t len = sizeof from;

    net_block(listener, false);
    SAY(sys->accept4(listener, NULL, NULL, 0));
    SAY(sys->accept4(listener, NULL, NULL, 1));
    for (int i = 0; i < 4; i++) {
        a = sys->socket(AF_INET, SOCK_STREAM, 0);
        SAY(sys->connect(a, &to.any, sizeof to.in));
    }
    net_say_ready("listener", listener);
    memset(&from, 0, sizeof from);
    b = SAY_FD(sys->accept4(listener, &from.any, &len, 0));
    say_address("from", &from.storage, len);
    say_flags(b);
    net_say_names(b);
    len = 4;
    memset(&from, 0, sizeof from);
    b = SAY_FD(sys->accept4(listener, &from.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC));
    say_seen("length %u, family %d", len, from.any.sa_family);
    say_flags(b);
    SAY(sys->recvfrom(b, &value, 1, 0, NULL, NULL));
    len = (socklen_t)-1;
    SAY(sys->accept4(listener, &from.any, &len, 0));
    SAY_FD(sys->accept4(listener, NULL, NULL, 0));
    SAY(sys->close(listener));
    net_moment();
    SAY(sys->recvfrom(a, &value, 1, MSG_DONTWAIT, NULL, NULL)); /* nobody accepted it */
}

static void inheriting(void)
{
    int listener = net_listener("127.0.0.1"), fd = sys->socket(AF_INET, SOCK_STREAM, 0), on = 1;
    union net_addr to = net_name(listener);
    struct linger linger = {1, 7}, got = {0};
    struct timeval tv = {3, 0}, tv_got = {0};
    socklen_t len = sizeof on;
    int value, b;

    sys->setsockopt(listener, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    sys->setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sys->setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sys->setsockopt(listener, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    sys->setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    sys->connect(fd, &to.any, sizeof to.in);
    b = SAY_FD(sys->accept4(listener, NULL, NULL, 0));
    SAY(sys->getsockopt(b, SOL_SOCKET, SO_KEEPALIVE, &value, &len));
    say_seen("keepalive %d", value);
    SAY(sys->getsockopt(b, SOL_SOCKET, SO_REUSEADDR, &value, &len));
    say_seen("reuse %d", value);
    SAY(sys->getsockopt(b, IPPROTO_TCP, TCP_NODELAY, &value, &len));
    say_seen("nodelay %d", value);
    len = sizeof got;
    SAY(sys->getsockopt(b, SOL_SOCKET, SO_LINGER, &got, &len));
    say_seen("linger %d %d", got.l_onoff, got.l_linger);
    len = sizeof tv_got;
    SAY(sys->getsockopt(b, SOL_SOCKET, SO_RCVTIMEO, &tv_got, &len));
    say_seen("timeout %ld", (long)tv_got.tv_sec);
    sys->close(b);
    sys->close(fd);
    sys->close(listener);
}

void check_sockets(void)
{
    making();
    binding();
    for (int i = 0; i < 8; i++)
        reusing(SO_REUSEADDR, i & 1, i >> 1 & 1, i >> 2);
    for (int i = 0; i < 8; i++)
        reusing(SO_REUSEPORT, i & 1, i >> 1 & 1, i >> 2);
    reusing_after(0);
    reusing_after(1);
    listening();
    accepting();
    inheriting();
}
