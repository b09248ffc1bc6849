/*
 * check_connecting.c - connect in all its moods
 */
#include "posix/net.h"
#include <linux/sockios.h>
#include <sys/ioctl.h>

static int error_of(int fd)
{
    socklen_t len = sizeof(int);
    int error = -1;

    sys->getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    return error;
}

static union net_addr nobody(void)
{
    int fd = net_listener("127.0.0.1");
    union net_addr at = net_name(fd);

    sys->close(fd);
    return at;
}

static void bad_addresses(void)
{
    int fd = sys->socket(AF_INET, SOCK_STREAM, 0);
    union net_addr a = net_in("127.0.0.1", 9), six = net_in6("::1", 9);
    union net_addr multicast = net_in("224.0.0.1", 9), broadcast = net_in("255.255.255.255", 9);
    union net_addr odd = a;

    SAY(sys->connect(99999, &a.any, sizeof a.in));
    SAY(sys->connect(fd, NULL, sizeof a.in));
    SAY(sys->connect(fd, &a.any, 0));
    SAY(sys->connect(fd, &a.any, 1));
    SAY(sys->connect(fd, &a.any, sizeof a.in - 1));
    SAY(sys->connect(fd, &six.any, sizeof six.in6));
    odd.any.sa_family = 12345;
    SAY(sys->connect(fd, &odd.any, sizeof odd.in));
    SAY(sys->connect(fd, &multicast.any, sizeof multicast.in));
    SAY(sys->connect(fd, &broadcast.any, sizeof broadcast.in));
    net_say_names(fd);
    SAY(sys->close(fd));
}

static void refused(void)
{
    union net_addr at = nobody();
    int fd = sys->socket(AF_INET, SOCK_STREAM, 0), listener;
    char byte;

    SAY(sys->connect(fd, &at.any, sizeof at.in));
    say_seen("error %d", error_of(fd));
    net_say_ready("refused", fd);
    net_say_names(fd);
    SAY(sys->recvfrom(fd, &byte, 1, MSG_DONTWAIT, NULL, NULL));
    SAY(sys->sendto(fd, "x", 1, 0, NULL, 0));
    SAY(sys->connect(fd, &at.any, sizeof at.in));
    listener = net_listener("127.0.0.1");
    at = net_name(listener);
    SAY(sys->connect(fd, &at.any, sizeof at.in));
    SAY(sys->connect(fd, &at.any, sizeof at.in));
    net_say_names(fd);
    sys->close(fd);
    sys->close(listener);
}

static void refused_later(void)
{
    union net_addr at = nobody();
    int fd = sys->socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    char byte;

    SAY(sys->connect(fd, &at.any, sizeof at.in));
    net_say_ready("refused", fd);
    say_seen("error %d", error_of(fd));
    say_seen("error %d", error_of(fd));
    net_say_ready("refused and told", fd);
    SAY(sys->recvfrom(fd, &byte, 1, 0, NULL, NULL));
    SAY(sys->sendto(fd, "x", 1, 0, NULL, 0));
    SAY(sys->connect(fd, &at.any, sizeof at.in));
    SAY(sys->connect(fd, &at.any, sizeof at.in));
    net_moment();
    SAY(sys->connect(fd, &at.any, sizeof at.in));
    SAY(sys->connect(fd, &at.any, sizeof at.in));
    net_moment();
    SAY(sys->recvfrom(fd, &byte, 1, 0, NULL, NULL));
    SAY(sys->recvfrom(fd, &byte, 1, 0, NULL, NULL));
    sys->close(fd);
    fd = sys->socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    SAY(sys->connect(fd, &at.any, sizeof at.in));
    net_moment();
    SAY(sys->sendto(fd, "x", 1, 0, NULL, 0));
    SAY(sys->sendto(fd, "x", 1, 0, NULL, 0));
    sys->close(fd);
}

static void in_background(void)
{
    int listener = net_listener("127.0.0.1"), fd;
    union net_addr to = net_name(listener);
    char byte;

    fd = sys->socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    net_say_ready("new", fd);
    SAY(sys->connect(fd, &to.any, sizeof to.in));
    net_say_ready("connected", fd);
    say_seen("error %d", error_of(fd));
    net_say_names(fd);
    SAY(sys->connect(fd, &to.any, sizeof to.in));
    SAY(sys->connect(fd, &to.any, sizeof to.in));
    SAY(sys->sendto(fd, "x", 1, 0, NULL, 0));
    SAY(sys->recvfrom(fd, &byte, 1, 0, NULL, NULL));
    sys->close(fd);
    sys->close(listener);
}

static void never_connected(void)
{
    int fd = sys->socket(AF_INET, SOCK_STREAM, 0);
    char byte;

    SAY(sys->recvfrom(fd, &byte, 1, 0, NULL, NULL));
    SAY(sys->recvfrom(fd, &byte, 1, MSG_PEEK, NULL, NULL));
    SAY(sys->recvfrom(fd, &byte, 1, MSG_OOB, NULL, NULL));
    SAY(sys->read(fd, &byte, 1));
    SAY(sys->read(fd, &byte, 0));
    SAY(sys->sendto(fd, "x", 1, 0, NULL, 0));
    SAY(sys->sendto(fd, "x", 0, 0, NULL, 0));
    SAY(sys->write(fd, "x", 1));
    SAY(sys->write(fd, "x", 0));
    SAY(sys->shutdown(fd, SHUT_RDWR));
    SAY(sys->shutdown(fd, 3));
    SAY(sys->shutdown(fd, -1));
    SAY(sys->shutdown(99999, SHUT_RD));
    sys->close(fd);
}

static void disconnecting(void)
{
    int listener = net_listener("127.0.0.1"), fd = sys->socket(AF_INET, SOCK_STREAM, 0), b;
    union net_addr to = net_name(listener), none;
    char byte;

    memset(&none, 0, sizeof none);
    SAY(sys->connect(fd, &none.any, sizeof none.in));
    SAY(sys->connect(fd, &to.any, sizeof to.in));
    b = sys->accept4(listener, NULL, NULL, 0);
    SAY(sys->connect(fd, &none.any, sizeof none.in));
    net_say_names(fd);
    net_say_ready("disconnected", fd);
    net_say_ready("its peer", b);
    SAY(sys->recvfrom(b, &byte, 1, MSG_DONTWAIT, NULL, NULL));
    SAY(sys->recvfrom(fd, &byte, 1, MSG_DONTWAIT, NULL, NULL));
    SAY(sys->connect(fd, &to.any, sizeof to.in));
    sys->close(b);
    b = SAY_FD(sys->accept4(listener, NULL, NULL, 0));
    SAY(sys->sendto(fd, "again", 5, 0, NULL, 0));
    SAY(sys->recvfrom(b, &byte, 1, 0, NULL, NULL));
    sys->close(fd);
    sys->close(b);
    sys->close(listener);
}

static void from_a_port(void)
{
    int listener = net_listener("127.0.0.1"), one = sys->socket(AF_INET, SOCK_STREAM, 0);
    int two = sys->socket(AF_INET, SOCK_STREAM, 0), on = 1, b;
    union net_addr to = net_name(listener), from = net_in("127.0.0.1", 0);

    sys->setsockopt(one, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sys->setsockopt(two, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    SAY(sys->bind(one, &from.any, sizeof from.in));
    from = net_name(one);
    SAY(sys->bind(two, &from.any, sizeof from.in));
    SAY(sys->connect(one, &to.any, sizeof to.in));
    SAY(sys->connect(two, &to.any, sizeof to.in)); /* the same four-tuple */
    b = sys->accept4(listener, NULL, NULL, 0);
    say_seen("it kept its port: %d", net_name(one).in.sin_port == from.in.sin_port);
    sys->close(b);
    sys->close(one);
    sys->close(two);
    sys->close(listener);
}

static void to_any(void)
{
    int listener = net_listener("0.0.0.0"), fd = sys->socket(AF_INET, SOCK_STREAM, 0);
    union net_addr to = net_name(listener);

    SAY(sys->connect(fd, &to.any, sizeof to.in));
    net_say_names(fd);
    sys->close(fd);
    sys->close(listener);
}

static void with_itself(void)
{
    int fd = sys->socket(AF_INET, SOCK_STREAM, 0);
    union net_addr at = net_in("127.0.0.1", 0);
    char bytes[8];

    SAY(sys->bind(fd, &at.any, sizeof at.in));
    at = net_name(fd);
    SAY(sys->connect(fd, &at.any, sizeof at.in));
    SAY(sys->sendto(fd, "mirror", 6, 0, NULL, 0));
    SAY(sys->recvfrom(fd, bytes, sizeof bytes, 0, NULL, NULL));
    sys->close(fd);
}

/* Nobody has asked for cookies before, and listeners give none: data follows the handshake. */
static void with_data(void)
{
    int listener = net_listener("127.0.0.1"), fd = sys->socket(AF_INET, SOCK_STREAM, 0), on = 1, b;
    union net_addr to = net_name(listener), none = nobody();
    char first[] = "first";
    struct iovec iov = {first, 5};
    struct msghdr msg = {
        .msg_name = &to, .msg_namelen = sizeof to.in, .msg_iov = &iov, .msg_iovlen = 1};
    char bytes[8];

    SAY(sys->sendto(fd, "first", 5, MSG_FASTOPEN, NULL, 0));
    SAY(sys->sendto(fd, "first", 5, MSG_FASTOPEN, &to.any, 4));
    SAY(sys->sendto(fd, "first", 5, MSG_FASTOPEN, &to.any, sizeof to.in));
    b = SAY_FD(sys->accept4(listener, NULL, NULL, 0));
    SAY(sys->recvfrom(b, bytes, sizeof bytes, 0, NULL, NULL));
    SAY(sys->sendto(fd, "more", 4, MSG_FASTOPEN, &to.any, sizeof to.in));
    sys->close(fd);
    sys->close(b);

    fd = sys->socket(AF_INET, SOCK_STREAM, 0);
    SAY(sys->sendmsg(fd, &msg, MSG_FASTOPEN));
    b = SAY_FD(sys->accept4(listener, NULL, NULL, 0));
    SAY(sys->recvfrom(b, bytes, sizeof bytes, 0, NULL, NULL));
    sys->close(fd);
    sys->close(b);

    fd = sys->socket(AF_INET, SOCK_STREAM, 0);
    SAY(sys->sendto(fd, "first", 5, MSG_FASTOPEN, &none.any, sizeof none.in));
    sys->close(fd);

    fd = sys->socket(AF_INET, SOCK_STREAM, 0);
    SAY(sys->setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on));
    SAY(sys->connect(fd, &to.any, sizeof to.in));
    SAY(sys->write(fd, "later", 5));
    b = SAY_FD(sys->accept4(listener, NULL, NULL, 0));
    SAY(sys->recvfrom(b, bytes, sizeof bytes, 0, NULL, NULL));
    sys->close(fd);
    sys->close(b);
    sys->close(listener);
}

static void with_data_and_something_else(void)
{
    int listener = net_listener("127.0.0.1"), fd = sys->socket(AF_INET, SOCK_STREAM, 0), value = -1;
    union net_addr to = net_name(listener), none = nobody();
    struct timeval tv = {0, 100000};
    char bytes[8];
    int b;

    SAY(sys->sendto(listener, "first", 5, MSG_FASTOPEN, &to.any, sizeof to.in));
    SAY(sys->setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &(int){1}, sizeof(int)));
    SAY(sys->sendto(fd, "first", 5, MSG_FASTOPEN | MSG_ZEROCOPY, &none.any, sizeof none.in));
    SAY(sys->recvfrom(fd, bytes, sizeof bytes, MSG_ERRQUEUE, NULL, NULL));
    SAY(sys->sendto(fd, "", 0, MSG_FASTOPEN, &to.any, sizeof to.in));
    b = SAY_FD(sys->accept4(listener, NULL, NULL, 0));
    SAY(sys->setsockopt(b, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    SAY(sys->recvfrom(b, bytes, sizeof bytes, 0, NULL, NULL));
    SAY(sys->ioctl(fd, SIOCOUTQ, &value));
    say_seen("    %d", value);
    sys->close(fd);
    sys->close(b);
    sys->close(listener);
}

/* Bind has asked for an address, and for no port. */
static void address_alone(void)
{
    int listener = net_listener("127.0.0.1"), fd = sys->socket(AF_INET, SOCK_STREAM, 0);
    union net_addr to = net_name(listener), own = net_in("127.0.0.9", 0);
    const struct sockaddr nothing = {.sa_family = AF_UNSPEC};

    SAY(sys->bind(fd, &own.any, sizeof own.in));
    for (int i = 0; i < 2; i++) {
        SAY(sys->connect(fd, &to.any, sizeof to.in));
        own = net_name(fd);
        own.in.sin_port = 0;
        say_address("    from", &own.storage, sizeof own.in);
        sys->close(sys->accept4(listener, NULL, NULL, 0));
        SAY(sys->connect(fd, &nothing, sizeof nothing));
        own = net_name(fd);
        own.in.sin_port = 0;
        say_address("    left", &own.storage, sizeof own.in);
    }
    SAY(sys->listen(fd, 1));
    own = net_name(fd);
    own.in.sin_port = 0;
    say_address("    at", &own.storage, sizeof own.in);
    sys->close(fd);
    sys->close(listener);
}

void check_connecting(void)
{
    bad_addresses();
    refused();
    refused_later();
    in_background();
    never_connected();
    disconnecting();
    from_a_port();
    to_any();
    with_itself();
    with_data();
    with_data_and_something_else();
    address_alone();
}
